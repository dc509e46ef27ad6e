package print

import (
	"strconv"
	"time"

	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// appendValue appends a value as the toString of its Java class prints it, which
// is what the print connector of Flink shows: TIMESTAMP with a T, BOOLEAN in
// small letters, bytes as numbers, nested rows with their kind.
func appendValue(dst []byte, v types.Value, t types.Type) []byte {
	if v == nil {
		return append(dst, "null"...)
	}
	switch t.Kind {
	case types.Boolean:
		return strconv.AppendBool(dst, v.(bool))
	case types.Time:
		ms := int64(v.(int32))
		return appendClock(dst, ms/1000, int(ms%1000)*1e6, false)
	case types.Timestamp, types.TimestampLTZ:
		ts := v.(types.TS).Truncate(t.Prec)
		dst = types.AppendDate(dst, int32(ts.Date()))
		dst = appendClock(append(dst, 'T'), int64(ts.TimeOfDay()/1000), int(ts.Nanos()), t.Kind == types.TimestampLTZ)
		if t.Kind == types.TimestampLTZ {
			dst = append(dst, 'Z')
		}
		return dst
	case types.Binary, types.VarBinary:
		dst = append(dst, '[')
		for i, c := range []byte(v.(string)) {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = strconv.AppendInt(dst, int64(int8(c)), 10)
		}
		return append(dst, ']')
	case types.IntervalYM:
		return appendPeriod(dst, int(v.(int32)))
	case types.IntervalDS:
		return appendDuration(dst, v.(int64))
	case types.Array:
		dst = append(dst, '[')
		for i, e := range v.([]types.Value) {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = appendValue(dst, e, *t.Elem)
		}
		return append(dst, ']')
	case types.Map, types.Multiset:
		key, val := t.Elem, types.Of(types.Int)
		if t.Kind == types.Map {
			key, val = t.Key, *t.Elem
		}
		m := v.(*types.MapValue)
		dst = append(dst, '{')
		for i := range m.Keys {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = append(appendValue(dst, m.Keys[i], *key), '=')
			dst = appendValue(dst, m.Vals[i], val)
		}
		return append(dst, '}')
	case types.Row:
		dst = append(dst, "+I["...)
		for i, e := range v.([]types.Value) {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = appendValue(dst, e, t.Fields[i].Type)
		}
		return append(dst, ']')
	}
	return types.AppendValue(dst, v, t, time.UTC)
}

// appendClock appends hh:mm[:ss[.fraction]]: no seconds if they are 0 and not
// asked for, the fraction in groups of three digits.
func appendClock(dst []byte, secs int64, ns int, seconds bool) []byte {
	two := func(n int64) { dst = append(dst, byte('0'+n/10), byte('0'+n%10)) }
	two(secs / 3600)
	dst = append(dst, ':')
	two(secs / 60 % 60)
	if secs%60 == 0 && ns == 0 && !seconds {
		return dst
	}
	dst = append(dst, ':')
	two(secs % 60)
	if ns == 0 {
		return dst
	}
	text := strconv.Itoa(1e9 + ns)[1:]
	switch {
	case ns%1e6 == 0:
		text = text[:3]
	case ns%1e3 == 0:
		text = text[:6]
	}
	return append(append(dst, '.'), text...)
}

func appendPeriod(dst []byte, months int) []byte {
	if months == 0 {
		return append(dst, "P0D"...)
	}
	dst = append(dst, 'P')
	if y := months / 12; y != 0 {
		dst = append(strconv.AppendInt(dst, int64(y), 10), 'Y')
	}
	if m := months % 12; m != 0 {
		dst = append(strconv.AppendInt(dst, int64(m), 10), 'M')
	}
	return dst
}

func appendDuration(dst []byte, ms int64) []byte {
	if ms == 0 {
		return append(dst, "PT0S"...)
	}
	dst = append(dst, "PT"...)
	if h := ms / types.MsPerHour; h != 0 {
		dst = append(strconv.AppendInt(dst, h, 10), 'H')
	}
	if m := ms % types.MsPerHour / types.MsPerMinute; m != 0 {
		dst = append(strconv.AppendInt(dst, m, 10), 'M')
	}
	if s := ms % types.MsPerMinute; s != 0 {
		dst = append(strconv.AppendFloat(dst, float64(s)/1000, 'f', -1, 64), 'S')
	}
	return dst
}

// appendCell appends the value in row i of v.
func appendCell(dst []byte, v vector.Vector, t types.Type, i int) []byte {
	switch v := v.(type) {
	case *vector.Flat[string]:
		if t.IsChar() && !v.IsNull(i) {
			return append(dst, v.Vals[i]...)
		}
	case *vector.Flat[int64]:
		if t.Kind == types.BigInt && !v.IsNull(i) {
			return strconv.AppendInt(dst, v.Vals[i], 10)
		}
	}
	return appendValue(dst, vector.Get(v, i), t)
}
