package avro

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/runnelio/runnel/format/convert"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

var (
	errShort = errors.New("the record ends too early")
	errLong  = errors.New("a length or number in the record is out of range")
	errDepth = errors.New("values too deep in one another")
)

// put stores the value at b[at:] in row i of out and returns where the next one
// begins. skip only does the latter.
type put func(b []byte, at int, out vector.Vector, i int) (int, error)

// long reads a zigzag varint.
func long(b []byte, at int) (int64, int, error) {
	n, w := binary.Uvarint(b[at:])
	if w <= 0 {
		if w == 0 {
			return 0, at, errShort
		}
		return 0, at, errLong
	}
	return int64(n>>1) ^ -int64(n&1), at + w, nil
}

// size reads the length of bytes that follow.
func size(b []byte, at int) (int, int, error) {
	n, at, err := long(b, at)
	if err != nil {
		return 0, at, err
	}
	if n < 0 || n > int64(len(b)-at) {
		return 0, at, errShort
	}
	return int(n), at, nil
}

func fits(b []byte, at, n int) (int, error) {
	if n > len(b)-at {
		return at, errShort
	}
	return at + n, nil
}

// skip passes over a value.
func (s *schema) skip(b []byte, at, depth int) (int, error) {
	if depth > maxDepth {
		return at, errDepth
	}
	switch s.kind {
	case null:
		return at, nil
	case boolean:
		return fits(b, at, 1)
	case int32s, int64s, enum:
		_, at, err := long(b, at)
		return at, err
	case float:
		return fits(b, at, 4)
	case double:
		return fits(b, at, 8)
	case fixed:
		return fits(b, at, s.size)
	case bytes, text:
		n, at, err := size(b, at)
		return at + n, err
	case union:
		u, at, err := s.branch(b, at)
		if err != nil {
			return at, err
		}
		return u.skip(b, at, depth+1)
	case record:
		var err error
		for i := range s.fields {
			if at, err = s.fields[i].of.skip(b, at, depth+1); err != nil {
				return at, err
			}
		}
		return at, nil
	}
	return blocks(b, at, true, func(at int) (int, error) {
		if s.kind == maps {
			n, next, err := size(b, at)
			if err != nil {
				return at, err
			}
			at = next + n
		}
		return s.elem.skip(b, at, depth+1)
	})
}

func (s *schema) branch(b []byte, at int) (*schema, int, error) {
	n, at, err := long(b, at)
	if err != nil {
		return nil, at, err
	}
	if n < 0 || n >= int64(len(s.of)) {
		return nil, at, errLong
	}
	return s.of[n], at, nil
}

// blocks reads the blocks of an array or map. skim allows to pass over blocks
// that tell their size.
func blocks(b []byte, at int, skim bool, item func(at int) (int, error)) (int, error) {
	for {
		n, next, err := long(b, at)
		if err != nil {
			return at, err
		}
		at = next
		if n == 0 {
			return at, nil
		}
		if n < 0 {
			var bytes int
			if bytes, at, err = size(b, at); err != nil {
				return at, err
			}
			if skim {
				at += bytes
				continue
			}
			n = -n
		}
		// An item has a byte at least but for those of nothing, of which so many make no sense either.
		if n < 0 || n > int64(len(b)-at)+1024 {
			return at, errLong
		}
		for range n {
			if at, err = item(at); err != nil {
				return at, err
			}
		}
	}
}

// resolve makes the put of values written as w into vectors of type t.
func resolve(w *schema, t types.Type, depth int) (put, error) {
	if depth > maxDepth {
		return nil, errDepth
	}
	if w.kind == union {
		return resolveUnion(w, t, depth)
	}
	no := func() (put, error) {
		what := w.kind.String()
		if w.logical != "" {
			what += " (" + w.logical + ")"
		}
		return nil, fmt.Errorf("an Avro %s cannot be read as %s", what, t.OrNull())
	}
	if w.kind == null {
		if !t.Nullable {
			return no()
		}
		return func(_ []byte, at int, out vector.Vector, i int) (int, error) {
			vector.SetNullDeep(out, i)
			return at, nil
		}, nil
	}
	switch t.Kind {
	case types.Char, types.VarChar, types.Binary, types.VarBinary:
		return resolveText(w, t, no)
	case types.Boolean:
		if w.kind != boolean {
			return no()
		}
		return func(b []byte, at int, out vector.Vector, i int) (int, error) {
			if at >= len(b) {
				return at, errShort
			}
			out.(*vector.Flat[bool]).Vals[i] = b[at] != 0
			return at + 1, nil
		}, nil
	case types.TinyInt:
		return whole(w, no, math.MinInt8, math.MaxInt8, func(out vector.Vector, i int, n int64) { out.(*vector.Flat[int8]).Vals[i] = int8(n) })
	case types.SmallInt:
		return whole(w, no, math.MinInt16, math.MaxInt16, func(out vector.Vector, i int, n int64) { out.(*vector.Flat[int16]).Vals[i] = int16(n) })
	case types.Int, types.Date:
		return whole(w, no, math.MinInt32, math.MaxInt32, func(out vector.Vector, i int, n int64) { out.(*vector.Flat[int32]).Vals[i] = int32(n) })
	case types.BigInt:
		return whole(w, no, math.MinInt64, math.MaxInt64, func(out vector.Vector, i int, n int64) { out.(*vector.Flat[int64]).Vals[i] = n })
	case types.Time:
		div := int64(1)
		if w.logical == "time-micros" {
			div = 1000
		}
		return whole(w, no, 0, 86_400_000*div-1, func(out vector.Vector, i int, n int64) {
			out.(*vector.Flat[int32]).Vals[i] = types.TruncateTime(int32(n/div), t.Prec)
		})
	case types.Timestamp, types.TimestampLTZ:
		if w.kind != int64s {
			return no()
		}
		return whole(w, no, math.MinInt64, math.MaxInt64, func(out vector.Vector, i int, n int64) {
			out.(*vector.Flat[types.TS]).Vals[i] = timestamp(n, w.logical).Truncate(t.Prec)
		})
	case types.Float:
		return resolveFloat(w, no, func(out vector.Vector, i int, f float64) { out.(*vector.Flat[float32]).Vals[i] = float32(f) })
	case types.Double:
		return resolveFloat(w, no, func(out vector.Vector, i int, f float64) { out.(*vector.Flat[float64]).Vals[i] = f })
	case types.Decimal:
		return resolveDecimal(w, t, no)
	case types.Array:
		if w.kind != array {
			return no()
		}
		elem, err := resolve(w.elem, *t.Elem, depth+1)
		if err != nil {
			return nil, err
		}
		return func(b []byte, at int, out vector.Vector, i int) (int, error) {
			l := out.(*vector.List)
			l.Off[i], l.Count[i] = int32(l.Child.Len()), 0
			return blocks(b, at, false, func(at int) (int, error) {
				l.Count[i]++
				return elem(b, at, l.Child, vector.Extend(l.Child, 1))
			})
		}, nil
	case types.Map, types.Multiset:
		return resolveMap(w, t, depth, no)
	case types.Row:
		if w.kind != record {
			return no()
		}
		return resolveRecord(w, t, depth)
	}
	return no()
}

func timestamp(n int64, logical string) types.TS {
	per := int64(1)
	switch logical {
	case "timestamp-micros", "local-timestamp-micros":
		per = 1000
	case "timestamp-nanos", "local-timestamp-nanos":
		per = 1_000_000
	}
	ms := types.FloorDiv(n, per)
	return types.TS{Ms: ms, Ns: int32((n - ms*per) * (1_000_000 / per))}
}

// resolveUnion reads the branch the writer chose. A branch that does not fit is
// an error of the record that has it.
func resolveUnion(w *schema, t types.Type, depth int) (put, error) {
	puts, errs := make([]put, len(w.of)), make([]error, len(w.of))
	can, nulls := 0, false
	for i, s := range w.of {
		if s.kind == null && !t.Nullable {
			errs[i], nulls = errNull, true
			continue
		}
		if puts[i], errs[i] = resolve(s, t, depth+1); errs[i] == nil && s.kind != null {
			can++
		}
	}
	if can == 0 && !(nulls && len(w.of) == 1) {
		for _, err := range errs {
			if err != nil && err != errNull {
				return nil, err
			}
		}
	}
	return func(b []byte, at int, out vector.Vector, i int) (int, error) {
		n, at, err := long(b, at)
		if err != nil {
			return at, err
		}
		if n < 0 || n >= int64(len(puts)) {
			return at, errLong
		}
		if puts[n] == nil {
			return at, errs[n]
		}
		return puts[n](b, at, out, i)
	}, nil
}

var errNull = errors.New("the value is null, but the column is NOT NULL")

func resolveText(w *schema, t types.Type, no func() (put, error)) (put, error) {
	store := func(out vector.Vector, i int, raw []byte) {
		o := out.(*vector.Flat[string])
		o.Vals[i] = o.Arena.Clone(vector.View(raw))
	}
	switch {
	case w.logical == "decimal":
		return no()
	case w.kind == bytes || w.kind == text:
		return func(b []byte, at int, out vector.Vector, i int) (int, error) {
			n, at, err := size(b, at)
			if err == nil {
				store(out, i, b[at:at+n])
			}
			return at + n, err
		}, nil
	case w.kind == fixed && t.IsBinary():
		return func(b []byte, at int, out vector.Vector, i int) (int, error) {
			end, err := fits(b, at, w.size)
			if err == nil {
				store(out, i, b[at:end])
			}
			return end, err
		}, nil
	case w.kind == enum && t.IsChar():
		return func(b []byte, at int, out vector.Vector, i int) (int, error) {
			n, at, err := long(b, at)
			if err != nil {
				return at, err
			}
			if n < 0 || n >= int64(len(w.symbols)) {
				return at, errLong
			}
			out.(*vector.Flat[string]).Vals[i] = w.symbols[n]
			return at, nil
		}, nil
	}
	return no()
}

func whole(w *schema, no func() (put, error), low, high int64, store func(out vector.Vector, i int, n int64)) (put, error) {
	if w.kind != int32s && w.kind != int64s {
		return no()
	}
	return func(b []byte, at int, out vector.Vector, i int) (int, error) {
		n, at, err := long(b, at)
		if err != nil {
			return at, err
		}
		if n < low || n > high {
			return at, fmt.Errorf("%d does not fit %s", n, out.Type())
		}
		store(out, i, n)
		return at, nil
	}, nil
}

func resolveFloat(w *schema, no func() (put, error), store func(out vector.Vector, i int, f float64)) (put, error) {
	switch w.kind {
	case int32s, int64s:
		return whole(w, no, math.MinInt64, math.MaxInt64, func(out vector.Vector, i int, n int64) { store(out, i, float64(n)) })
	case float:
		return func(b []byte, at int, out vector.Vector, i int) (int, error) {
			end, err := fits(b, at, 4)
			if err == nil {
				store(out, i, float64(math.Float32frombits(binary.LittleEndian.Uint32(b[at:]))))
			}
			return end, err
		}, nil
	case double:
		return func(b []byte, at int, out vector.Vector, i int) (int, error) {
			end, err := fits(b, at, 8)
			if err == nil {
				store(out, i, math.Float64frombits(binary.LittleEndian.Uint64(b[at:])))
			}
			return end, err
		}, nil
	}
	return no()
}

func resolveDecimal(w *schema, t types.Type, no func() (put, error)) (put, error) {
	if w.kind == int32s || w.kind == int64s {
		return func(b []byte, at int, out vector.Vector, i int) (int, error) {
			n, at, err := long(b, at)
			if err != nil {
				return at, err
			}
			return at, convert.PutDecimal(out, i, types.DecFromInt64(n), 0, t)
		}, nil
	}
	if w.logical != "decimal" {
		return no()
	}
	return func(b []byte, at int, out vector.Vector, i int) (int, error) {
		n, err := w.size, error(nil)
		if w.kind == bytes {
			n, at, err = size(b, at)
		}
		if err != nil {
			return at, err
		}
		end, err := fits(b, at, n)
		if err != nil {
			return at, err
		}
		d, ok := convert.BigEndian(b[at:end])
		if !ok {
			return at, errLong
		}
		return end, convert.PutDecimal(out, i, d, w.scale, t)
	}, nil
}

func resolveMap(w *schema, t types.Type, depth int, no func() (put, error)) (put, error) {
	key, val := t.Elem, types.Of(types.Int).NotNull()
	if t.Kind == types.Map {
		key, val = t.Key, *t.Elem
	}
	if w.kind == record && t.Kind == types.Map && key.IsChar() && val.IsChar() && val.Nullable {
		return resolveProperties(w), nil
	}
	if w.kind != maps || !key.IsChar() {
		return no()
	}
	elem, err := resolve(w.elem, val, depth+1)
	if err != nil {
		return nil, err
	}
	return func(b []byte, at int, out vector.Vector, i int) (int, error) {
		m := out.(*vector.Map)
		m.Off[i], m.Count[i] = int32(m.Keys.Len()), 0
		keys := m.Keys.(*vector.Flat[string])
		return blocks(b, at, false, func(at int) (int, error) {
			n, at, err := size(b, at)
			if err != nil {
				return at, err
			}
			m.Count[i]++
			k := vector.Extend(m.Keys, 1)
			keys.Vals[k] = keys.Arena.Clone(vector.View(b[at : at+n]))
			return elem(b, at+n, m.Vals, vector.Extend(m.Vals, 1))
		})
	}, nil
}

func resolveRecord(w *schema, t types.Type, depth int) (put, error) {
	puts, to, missing, err := resolveFields(w, t.Fields, depth)
	if err != nil {
		return nil, err
	}
	return func(b []byte, at int, out vector.Vector, i int) (int, error) {
		row := out.(*vector.Row)
		var err error
		for f := range puts {
			if puts[f] == nil {
				at, err = w.fields[f].of.skip(b, at, 0)
			} else {
				at, err = puts[f](b, at, row.Cols[to[f]], i)
			}
			if err != nil {
				return at, fmt.Errorf("%s: %w", w.fields[f].name, err)
			}
		}
		for _, c := range missing {
			vector.SetNullDeep(row.Cols[c], i)
		}
		return at, nil
	}, nil
}

// resolveFields finds the fields of a record by name, whatever their case if
// there is no equal one: puts and columns by writer's field, and the columns that
// no field is for.
func resolveFields(w *schema, fields []types.Field, depth int) (puts []put, to []int, missing []int, err error) {
	puts, to = make([]put, len(w.fields)), make([]int, len(w.fields))
	for c, f := range fields {
		k := w.find(f.Name)
		if k < 0 {
			if !f.Type.Nullable {
				return nil, nil, nil, fmt.Errorf("column %s is NOT NULL, but the data have no such field", f.Name)
			}
			missing = append(missing, c)
			continue
		}
		if puts[k], err = resolve(w.fields[k].of, f.Type, depth+1); err != nil {
			return nil, nil, nil, fmt.Errorf("column %s: %w", f.Name, err)
		}
		to[k] = c
	}
	return puts, to, missing, nil
}

func (s *schema) find(name string) int {
	at := -1
	for i, f := range s.fields {
		if f.name == name {
			return i
		}
		if at < 0 && strings.EqualFold(f.name, name) {
			at = i
		}
	}
	return at
}
