package vector

import (
	"encoding/binary"
	"math"

	"github.com/runnelio/runnel/types"
)

// AppendOrdered appends an encoding of row i of v whose bytes sort as the values
// do in ORDER BY: ascending, or descending if desc; NULLs before all values if
// nullsFirst, else behind. Encodings are self-delimiting: those of several keys
// may follow one another. Floats sort NaN above all; strings sort by bytes.
func AppendOrdered(dst []byte, v Vector, i int, desc, nullsFirst bool) []byte {
	if c, ok := v.(*Const); ok {
		v, i = c.Of, 0
	}
	if v.IsNull(i) {
		if nullsFirst {
			return append(dst, 0)
		}
		return append(dst, 2)
	}
	dst = append(dst, 1)
	at := len(dst)
	dst = appendOrdered(dst, v, i)
	if desc {
		for k := at; k < len(dst); k++ {
			dst[k] = ^dst[k]
		}
	}
	return dst
}

func appendOrdered(dst []byte, v Vector, i int) []byte {
	switch v := v.(type) {
	case *Flat[bool]:
		if v.Vals[i] {
			return append(dst, 1)
		}
		return append(dst, 0)
	case *Flat[int8]:
		return append(dst, byte(v.Vals[i])^0x80)
	case *Flat[int16]:
		return binary.BigEndian.AppendUint16(dst, uint16(v.Vals[i])^1<<15)
	case *Flat[int32]:
		return binary.BigEndian.AppendUint32(dst, uint32(v.Vals[i])^1<<31)
	case *Flat[int64]:
		return binary.BigEndian.AppendUint64(dst, uint64(v.Vals[i])^1<<63)
	case *Flat[float32]:
		return appendFloat(dst, float64(v.Vals[i]))
	case *Flat[float64]:
		return appendFloat(dst, v.Vals[i])
	case *Flat[types.Dec]:
		dst = binary.BigEndian.AppendUint64(dst, uint64(v.Vals[i].Hi)^1<<63)
		return binary.BigEndian.AppendUint64(dst, v.Vals[i].Lo)
	case *Flat[types.TS]:
		dst = binary.BigEndian.AppendUint64(dst, uint64(v.Vals[i].Ms)^1<<63)
		return binary.BigEndian.AppendUint32(dst, uint32(v.Vals[i].Ns))
	case *Flat[string]:
		// A zero byte is escaped, so that the two zero bytes at the end sort below any longer string.
		s := v.Vals[i]
		for k := 0; k < len(s); k++ {
			dst = append(dst, s[k])
			if s[k] == 0 {
				dst = append(dst, 0xff)
			}
		}
		return append(dst, 0, 0)
	case *List:
		for j := v.Off[i]; j < v.Off[i]+v.Count[i]; j++ {
			dst = AppendOrdered(append(dst, 1), v.Child, int(j), false, true)
		}
		return append(dst, 0)
	case *Map:
		return append(dst, string(appendRow(nil, v, i, asEqual))...)
	case *Row:
		for _, c := range v.Cols {
			dst = AppendOrdered(dst, c, i, false, true)
		}
		return dst
	}
	return dst
}

// canonical makes the zeros one, and the NaNs.
func canonical(f float64) float64 {
	if f == 0 {
		return 0
	}
	if f != f {
		return math.NaN()
	}
	return f
}

func appendFloat(dst []byte, f float64) []byte {
	bits := math.Float64bits(canonical(f))
	if bits>>63 != 0 && f == f {
		bits = ^bits
	} else {
		bits |= 1 << 63
	}
	return binary.BigEndian.AppendUint64(dst, bits)
}
