package types

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
)

// ErrCast is wrapped by the errors of values that can not be cast.
var ErrCast = errors.New("cast failed")

func castError(v Value, from, to Type) error {
	text := AppendCast(nil, v, from, nil)
	if len(text) > 100 {
		text = append(text[:100], "..."...)
	}
	return fmt.Errorf("%w: %s '%s' is no %s", ErrCast, from.Kind, text, to.Kind)
}

// CastValue is CAST(v AS to) for v of type from, and TRY_CAST if try is set:
// what CAST rejects is NULL then. It is the reference for the cast kernels.
// Zone is the session's time zone, UTC if nil.
//
// A number with too many digits for a DECIMAL becomes NULL, integers wrap,
// floats saturate on the way to INT and BIGINT; only texts, NaN and infinities
// are rejected. Types that have no cast give an error in any case.
func CastValue(v Value, from, to Type, zone *time.Location, try bool) (Value, error) {
	if ok, _ := Castable(from, to); !ok {
		return nil, fmt.Errorf("no cast from %s to %s", from, to)
	}
	res, err := castValue(v, from, to, zone)
	if err != nil && try && errors.Is(err, ErrCast) {
		return nil, nil
	}
	return res, err
}

func castValue(v Value, from, to Type, zone *time.Location) (Value, error) {
	if v == nil {
		return nil, nil
	}
	switch to.Kind {
	case Char, VarChar:
		if s, ok := v.(string); ok && from.IsChar() {
			return FitString(s, to), nil
		}
		return FitString(string(AppendCast(nil, v, from, zone)), to), nil
	case Binary, VarBinary:
		if s, ok := v.(string); ok {
			return FitBytes(s, to), nil
		}
	case Boolean, TinyInt, SmallInt, Int, BigInt, Float, Double, Decimal:
		return castNumber(v, from, to)
	case Date, Time, Timestamp, TimestampLTZ:
		return castTemporal(v, from, to, zone)
	case IntervalYM, IntervalDS:
		return castInterval(v, from, to)
	case Array, Multiset, Map, Row:
		return castNested(v, from, to, zone)
	}
	return v, nil // the same opaque type
}

func castNumber(v Value, from, to Type) (Value, error) {
	switch x := v.(type) {
	case string:
		return parseNumber(x, from, to)
	case bool:
		if to.Kind == Boolean {
			return x, nil
		}
		return intTo(int64(b2i(x)), to), nil
	case int8:
		return intTo(int64(x), to), nil
	case int16:
		return intTo(int64(x), to), nil
	case int32:
		return intTo(int64(x), to), nil
	case int64:
		return intTo(x, to), nil
	case float32:
		if to.Kind == Float {
			return x, nil
		}
		return floatTo(float64(x), v, from, to)
	case float64:
		return floatTo(x, v, from, to)
	case Dec:
		return decTo(x, from.Scale, to), nil
	}
	return nil, castError(v, from, to)
}

// parseNumber casts a text to BOOLEAN or a number.
func parseNumber(s string, from, to Type) (Value, error) {
	var (
		v  Value
		ok bool
	)
	switch to.Kind {
	case Boolean:
		v, ok = box(ParseBool(s))
	case TinyInt:
		n, fits := ParseInt(s, 8)
		v, ok = int8(n), fits
	case SmallInt:
		n, fits := ParseInt(s, 16)
		v, ok = int16(n), fits
	case Int:
		n, fits := ParseInt(s, 32)
		v, ok = int32(n), fits
	case BigInt:
		v, ok = box(ParseInt(s, 64))
	case Float:
		v, ok = box(ParseFloat(s))
	case Double:
		v, ok = box(ParseDouble(s))
	case Decimal:
		v, ok = box(ParseDec(s, to.Prec, to.Scale))
	}
	if !ok {
		return nil, castError(s, from, to)
	}
	return v, nil
}

func box[T any](v T, ok bool) (Value, bool) { return v, ok }

func intTo(n int64, to Type) Value {
	switch to.Kind {
	case Boolean:
		return n != 0
	case TinyInt:
		return int8(n)
	case SmallInt:
		return int16(n)
	case Int:
		return int32(n)
	case BigInt:
		return n
	case Float:
		return float32(n)
	case Double:
		return float64(n)
	}
	return sizedDec(DecFromInt64(n), 0, to)
}

// sizedDec is d as DECIMAL to, NULL if it has too many digits.
func sizedDec(d Dec, scale int, to Type) Value {
	r, ok := d.Rescale(scale, to.Scale)
	if !ok || !r.FitsPrecision(to.Prec) {
		return nil
	}
	return r
}

func floatTo(f float64, v Value, from, to Type) (Value, error) {
	switch to.Kind {
	case Boolean:
		return f != 0, nil
	case TinyInt:
		return int8(FloatToInt32(f)), nil
	case SmallInt:
		return int16(FloatToInt32(f)), nil
	case Int:
		return FloatToInt32(f), nil
	case BigInt:
		return FloatToInt64(f), nil
	case Float:
		return float32(f), nil
	case Double:
		return f, nil
	}
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, castError(v, from, to)
	}
	if d, ok := DecFromFloat64(f, to.Prec, to.Scale); ok {
		return d, nil
	}
	return nil, nil
}

// FloatToInt32 cuts the fraction; what is out of range becomes the nearest
// int32, NaN becomes 0. Narrower integers are cut from its low bits.
func FloatToInt32(f float64) int32 {
	switch {
	case f >= math.MaxInt32:
		return math.MaxInt32
	case f <= math.MinInt32:
		return math.MinInt32
	case f != f:
		return 0
	}
	return int32(f)
}

// FloatToInt64 is FloatToInt32 for BIGINT.
func FloatToInt64(f float64) int64 {
	switch {
	case f >= math.MaxInt64:
		return math.MaxInt64
	case f <= math.MinInt64:
		return math.MinInt64
	case f != f:
		return 0
	}
	return int64(f)
}

func decTo(d Dec, scale int, to Type) Value {
	switch to.Kind {
	case Boolean:
		return !d.IsZero()
	case Float:
		return d.ToFloat32(scale)
	case Double:
		return d.ToFloat64(scale)
	case Decimal:
		return sizedDec(d, scale, to)
	}
	return intTo(d.ToInt64(scale), to)
}

func castTemporal(v Value, from, to Type, zone *time.Location) (Value, error) {
	switch x := v.(type) {
	case string:
		return parseTemporal(x, from, to, zone)
	case TS:
		// A TIMESTAMP is local; on the way between it and LTZ the zone counts.
		if from.Kind == TimestampLTZ && to.Kind != TimestampLTZ {
			x = ToLocal(x, zone)
		}
		if from.Kind == Timestamp && to.Kind == TimestampLTZ {
			x = ToUTC(x, zone)
		}
		switch to.Kind {
		case Date:
			return int32(x.Date()), nil
		case Time:
			return TimeOfTimestamp(x, to.Prec), nil
		}
		return x.Truncate(to.Prec), nil
	case int32:
		if from.Kind == to.Kind {
			if to.Kind == Time {
				return TruncateTime(x, to.Prec), nil
			}
			return x, nil
		}
		ts := TS{Ms: int64(x)}
		if from.Kind == Date {
			ts.Ms *= MsPerDay
		}
		if to.Kind == TimestampLTZ {
			ts = ToUTC(ts, zone)
		}
		return ts.Truncate(to.Prec), nil
	}
	return nil, castError(v, from, to)
}

// TimeOfTimestamp is CAST of a local timestamp to TIME(prec). The fraction is
// cut towards 1970, as in Flink, which shows before 1970 only.
func TimeOfTimestamp(t TS, prec int) int32 {
	ms := TruncateTime(int32(t.Ms%MsPerDay), prec)
	if ms < 0 {
		ms += MsPerDay
	}
	return ms
}

func parseTemporal(s string, from, to Type, zone *time.Location) (Value, error) {
	switch to.Kind {
	case Date:
		if d, ok := ParseDate(s); ok {
			return d, nil
		}
	case Time:
		if t, ok := ParseTime(s, to.Prec); ok {
			return t, nil
		}
	default:
		if ts, ok := ParseTimestamp(s, to.Prec); ok {
			if to.Kind == TimestampLTZ {
				ts = ToUTC(ts, zone)
			}
			return ts, nil
		}
	}
	return nil, castError(s, from, to)
}

func castInterval(v Value, from, to Type) (Value, error) {
	var n int64
	switch x := v.(type) {
	case int8:
		n = int64(x)
	case int16:
		n = int64(x)
	case int32:
		if from.Kind == IntervalYM {
			return x, nil
		}
		n = int64(x)
	case int64:
		if from.Kind == IntervalDS {
			return x, nil
		}
		n = x
	case Dec:
		n = x.ToInt64(from.Scale)
	default:
		return nil, castError(v, from, to)
	}
	if n *= to.UnitLength(); to.Kind == IntervalYM {
		return int32(n), nil
	}
	return n, nil
}

// UnitLength returns how many milliseconds, or months, a 1 is in the smallest
// unit of an interval type; without a unit it is a second or a month.
func (t Type) UnitLength() int64 {
	unit := t.Unit[strings.LastIndexByte(t.Unit, ' ')+1:]
	if t.Kind == IntervalYM {
		switch unit {
		case "YEAR":
			return 12
		case "QUARTER":
			return 3
		}
		return 1
	}
	switch unit {
	case "WEEK":
		return MsPerWeek
	case "DAY":
		return MsPerDay
	case "HOUR":
		return MsPerHour
	case "MINUTE":
		return MsPerMinute
	case "MILLISECOND": // of no SQL: the binder casts numbers of columns by it
		return 1
	}
	return MsPerSecond
}

func castNested(v Value, from, to Type, zone *time.Location) (Value, error) {
	switch x := v.(type) {
	case []Value:
		res := make([]Value, len(x))
		for i, e := range x {
			r, err := castValue(e, memberType(from, i), memberType(to, i), zone)
			if err != nil {
				return nil, err
			}
			res[i] = r
		}
		return res, nil
	case *MapValue:
		fromKey, fromVal := mapTypes(from)
		toKey, toVal := mapTypes(to)
		res := &MapValue{}
		for i := range x.Keys {
			k, err := castValue(x.Keys[i], fromKey, toKey, zone)
			if err != nil {
				return nil, err
			}
			val, err := castValue(x.Vals[i], fromVal, toVal, zone)
			if err != nil {
				return nil, err
			}
			if n, ok := res.Get(k, toKey); ok && to.Kind == Multiset {
				a, _ := n.(int32)
				b, _ := val.(int32)
				val = a + b // elements that became one are counted together
			}
			res.Set(k, val, toKey)
		}
		return res, nil
	}
	return nil, castError(v, from, to)
}
