package vector

import (
	"encoding/binary"
	"errors"
	"math"

	"github.com/runnelio/runnel/types"
	"github.com/zeebo/xxh3"
)

// HashKey is the stable hash of an encoded key: the same on every version and
// platform, because it decides which task owns a key and is stored with state.
func HashKey(key []byte) uint64 { return xxh3.Hash(key) }

// AppendKey appends an encoding of row i of v under which two values are equal
// as bytes exactly if they are one key of GROUP BY, DISTINCT, a join or an
// upsert: NULL is NULL, NaN is NaN, maps are equal whatever their order, but 0.0
// and -0.0 are two keys, as in Flink. A key decodes to what every row of it
// holds, so that a row can be taken back as it was sent. Encodings are
// self-delimiting, so those of several columns may follow one another. ReadRow
// decodes them.
func AppendKey(dst []byte, v Vector, i int) []byte { return appendRow(dst, v, i, asKey) }

// AppendEqual is AppendKey for values that = compares: 0.0 equals -0.0.
func AppendEqual(dst []byte, v Vector, i int) []byte { return appendRow(dst, v, i, asEqual) }

// AppendRow is AppendKey without making NaNs equal: what ReadRow gives back
// is exactly the value.
func AppendRow(dst []byte, v Vector, i int) []byte { return appendRow(dst, v, i, asIs) }

// encoding tells which values get the same bytes.
type encoding uint8

const (
	asIs    encoding = iota // no two
	asKey                   // NaNs, and maps of other order
	asEqual                 // zeros also
)

// AppendKeys appends the encodings of row i of several columns.
func AppendKeys(dst []byte, cols []Vector, i int) []byte {
	for _, c := range cols {
		dst = appendRow(dst, c, i, asKey)
	}
	return dst
}

const (
	tagNull  = 0
	tagValue = 1
)

func appendRow(dst []byte, v Vector, i int, as encoding) []byte {
	if c, ok := v.(*Const); ok {
		v, i = c.Of, 0
	}
	if v.IsNull(i) {
		return append(dst, tagNull)
	}
	dst = append(dst, tagValue)
	switch v := v.(type) {
	case *Flat[string]:
		s := v.Vals[i]
		dst = binary.AppendUvarint(dst, uint64(len(s)))
		return append(dst, s...)
	case *Flat[int64]:
		return binary.LittleEndian.AppendUint64(dst, uint64(v.Vals[i]))
	case *Flat[int32]:
		return binary.LittleEndian.AppendUint32(dst, uint32(v.Vals[i]))
	case *Flat[int16]:
		return binary.LittleEndian.AppendUint16(dst, uint16(v.Vals[i]))
	case *Flat[int8]:
		return append(dst, byte(v.Vals[i]))
	case *Flat[bool]:
		if v.Vals[i] {
			return append(dst, 1)
		}
		return append(dst, 0)
	case *Flat[float64]:
		f := v.Vals[i]
		if f == 0 && as == asEqual {
			f = 0
		} else if f != f && as != asIs {
			f = math.NaN()
		}
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(f))
	case *Flat[float32]:
		f := v.Vals[i]
		if f == 0 && as == asEqual {
			f = 0
		} else if f != f && as != asIs {
			f = float32(math.NaN())
		}
		return binary.LittleEndian.AppendUint32(dst, math.Float32bits(f))
	case *Flat[types.Dec]:
		dst = binary.LittleEndian.AppendUint64(dst, v.Vals[i].Lo)
		return binary.LittleEndian.AppendUint64(dst, uint64(v.Vals[i].Hi))
	case *Flat[types.TS]:
		dst = binary.LittleEndian.AppendUint64(dst, uint64(v.Vals[i].Ms))
		return binary.LittleEndian.AppendUint32(dst, uint32(v.Vals[i].Ns))
	case *List:
		dst = binary.AppendUvarint(dst, uint64(v.Count[i]))
		for j := v.Off[i]; j < v.Off[i]+v.Count[i]; j++ {
			dst = appendRow(dst, v.Child, int(j), as)
		}
		return dst
	case *Map:
		dst = binary.AppendUvarint(dst, uint64(v.Count[i]))
		if as != asIs {
			return appendMapKey(dst, v, i, as)
		}
		for j := v.Off[i]; j < v.Off[i]+v.Count[i]; j++ {
			dst = appendRow(dst, v.Keys, int(j), as)
			dst = appendRow(dst, v.Vals, int(j), as)
		}
		return dst
	case *Row:
		for _, c := range v.Cols {
			dst = appendRow(dst, c, i, as)
		}
		return dst
	}
	panic("vector: unknown form")
}

// appendMapKey writes the entries of a map sorted by their bytes: two maps are
// equal whatever the order of their entries.
func appendMapKey(dst []byte, v *Map, i int, as encoding) []byte {
	entries := make([]string, 0, v.Count[i])
	var buf []byte
	for j := v.Off[i]; j < v.Off[i]+v.Count[i]; j++ {
		buf = appendRow(buf[:0], v.Keys, int(j), as)
		buf = appendRow(buf, v.Vals, int(j), as)
		entries = append(entries, string(buf))
	}
	sortStrings(entries)
	for _, e := range entries {
		dst = append(dst, e...)
	}
	return dst
}

func sortStrings(s []string) {
	for i := 1; i < len(s); i++ { // maps as keys are small and rare
		for j := i; j > 0 && s[j] < s[j-1]; j-- {
			s[j], s[j-1] = s[j-1], s[j]
		}
	}
}

// ErrCorrupt tells that bytes are not an encoded row of the wanted types.
var ErrCorrupt = errors.New("vector: corrupt row encoding")

// ReadRow appends the value encoded at the front of src to dst, whose type is
// that of the vector it was encoded from, and returns what is left of src.
func ReadRow(dst Vector, src []byte) ([]byte, error) {
	if len(src) == 0 {
		return nil, ErrCorrupt
	}
	tag := src[0]
	src = src[1:]
	if tag == tagNull {
		SetNullDeep(dst, Extend(dst, 1))
		return src, nil
	}
	need := func(n int) bool { return len(src) >= n }
	switch v := dst.(type) {
	case *Flat[string]:
		n, w := binary.Uvarint(src)
		if w <= 0 || uint64(len(src)-w) < n {
			return nil, ErrCorrupt
		}
		src = src[w:]
		at := extend(v, 1)
		b := append(v.Arena.Grow(int(n)), src[:n]...)
		v.Vals[at] = v.Arena.Take(b)
		return src[n:], nil
	case *Flat[int64]:
		if !need(8) {
			return nil, ErrCorrupt
		}
		v.Vals[extend(v, 1)] = int64(binary.LittleEndian.Uint64(src))
		return src[8:], nil
	case *Flat[int32]:
		if !need(4) {
			return nil, ErrCorrupt
		}
		v.Vals[extend(v, 1)] = int32(binary.LittleEndian.Uint32(src))
		return src[4:], nil
	case *Flat[int16]:
		if !need(2) {
			return nil, ErrCorrupt
		}
		v.Vals[extend(v, 1)] = int16(binary.LittleEndian.Uint16(src))
		return src[2:], nil
	case *Flat[int8]:
		if !need(1) {
			return nil, ErrCorrupt
		}
		v.Vals[extend(v, 1)] = int8(src[0])
		return src[1:], nil
	case *Flat[bool]:
		if !need(1) {
			return nil, ErrCorrupt
		}
		v.Vals[extend(v, 1)] = src[0] != 0
		return src[1:], nil
	case *Flat[float64]:
		if !need(8) {
			return nil, ErrCorrupt
		}
		v.Vals[extend(v, 1)] = math.Float64frombits(binary.LittleEndian.Uint64(src))
		return src[8:], nil
	case *Flat[float32]:
		if !need(4) {
			return nil, ErrCorrupt
		}
		v.Vals[extend(v, 1)] = math.Float32frombits(binary.LittleEndian.Uint32(src))
		return src[4:], nil
	case *Flat[types.Dec]:
		if !need(16) {
			return nil, ErrCorrupt
		}
		v.Vals[extend(v, 1)] = types.Dec{Lo: binary.LittleEndian.Uint64(src), Hi: int64(binary.LittleEndian.Uint64(src[8:]))}
		return src[16:], nil
	case *Flat[types.TS]:
		if !need(12) {
			return nil, ErrCorrupt
		}
		v.Vals[extend(v, 1)] = types.TS{Ms: int64(binary.LittleEndian.Uint64(src)), Ns: int32(binary.LittleEndian.Uint32(src[8:]))}
		return src[12:], nil
	case *List:
		n, w := binary.Uvarint(src)
		if w <= 0 || n > uint64(len(src)) {
			return nil, ErrCorrupt
		}
		src = src[w:]
		at := Extend(v, 1)
		v.Off[at], v.Count[at] = int32(v.Child.Len()), int32(n)
		var err error
		for range n {
			if src, err = ReadRow(v.Child, src); err != nil {
				return nil, err
			}
		}
		return src, nil
	case *Map:
		n, w := binary.Uvarint(src)
		if w <= 0 || n > uint64(len(src)) {
			return nil, ErrCorrupt
		}
		src = src[w:]
		at := Extend(v, 1)
		v.Off[at], v.Count[at] = int32(v.Keys.Len()), int32(n)
		var err error
		for range n {
			if src, err = ReadRow(v.Keys, src); err != nil {
				return nil, err
			}
			if src, err = ReadRow(v.Vals, src); err != nil {
				return nil, err
			}
		}
		return src, nil
	case *Row:
		v.grow(1)
		var err error
		for _, c := range v.Cols {
			if src, err = ReadRow(c, src); err != nil {
				return nil, err
			}
		}
		return src, nil
	}
	return nil, ErrCorrupt
}

// EqualRow tells whether row i of a and row j of b, of the same type, are not
// distinct: NULL equals NULL, NaN equals NaN, 0.0 equals -0.0.
func EqualRow(a Vector, i int, b Vector, j int) bool {
	if c, ok := a.(*Const); ok {
		a, i = c.Of, 0
	}
	if c, ok := b.(*Const); ok {
		b, j = c.Of, 0
	}
	if an, bn := a.IsNull(i), b.IsNull(j); an || bn {
		return an && bn
	}
	switch a := a.(type) {
	case *Flat[string]:
		return a.Vals[i] == b.(*Flat[string]).Vals[j]
	case *Flat[int64]:
		return a.Vals[i] == b.(*Flat[int64]).Vals[j]
	case *Flat[int32]:
		return a.Vals[i] == b.(*Flat[int32]).Vals[j]
	case *Flat[bool]:
		return a.Vals[i] == b.(*Flat[bool]).Vals[j]
	case *Flat[types.Dec]:
		return a.Vals[i] == b.(*Flat[types.Dec]).Vals[j]
	case *Flat[types.TS]:
		return a.Vals[i] == b.(*Flat[types.TS]).Vals[j]
	case *Flat[float64]:
		x, y := a.Vals[i], b.(*Flat[float64]).Vals[j]
		return x == y || x != x && y != y
	}
	var p, q [64]byte
	return string(AppendEqual(p[:0], a, i)) == string(AppendEqual(q[:0], b, j))
}

// SameKey tells whether row i of a and row j of b, of the same type, are one key
// as AppendKey makes them: EqualRow, but 0.0 is not -0.0.
func SameKey(a Vector, i int, b Vector, j int) bool {
	if c, ok := a.(*Const); ok {
		a, i = c.Of, 0
	}
	if c, ok := b.(*Const); ok {
		b, j = c.Of, 0
	}
	switch a := a.(type) {
	case *Flat[float64]:
		return EqualRow(a, i, b, j) && (a.IsNull(i) || a.Vals[i] != 0 ||
			math.Signbit(a.Vals[i]) == math.Signbit(b.(*Flat[float64]).Vals[j]))
	case *Flat[float32], *List, *Map, *Row:
		var p, q [64]byte
		return string(AppendKey(p[:0], a, i)) == string(AppendKey(q[:0], b, j))
	}
	return EqualRow(a, i, b, j)
}

// AppendRowOf appends the exact encodings (AppendRow) of row i of several columns.
func AppendRowOf(dst []byte, cols []Vector, i int) []byte {
	for _, c := range cols {
		dst = appendRow(dst, c, i, asIs)
	}
	return dst
}

// ReadRowOf appends to the columns what AppendRowOf encoded of as many columns
// of their types at the front of src. After an error the columns may differ in length.
func ReadRowOf(cols []Vector, src []byte) (err error) {
	for _, c := range cols {
		if src, err = ReadRow(c, src); err != nil {
			return err
		}
	}
	return nil
}
