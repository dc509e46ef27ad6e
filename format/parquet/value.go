package parquet

import (
	"fmt"
	"math"

	pq "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"github.com/runnelio/runnel/format/convert"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// perMilli is how many units of a time type are a millisecond, as numerator and
// denominator: milliseconds 1/1.
func perMilli(u format.TimeUnit) int64 {
	switch u.Value.(type) {
	case *format.MicroSeconds:
		return 1000
	case *format.NanoSeconds:
		return 1_000_000
	}
	return 1
}

// converter returns what stores a value of leaf c in a vector of type t.
func (m *matcher) converter(c *pq.Column, t types.Type) (func(v pq.Value, out vector.Vector, i int) error, error) {
	kind := c.Type().Kind()
	var logical any
	if l := c.Type().LogicalType(); l != nil {
		logical = l.Value
	}
	no := fmt.Errorf("a Parquet %s cannot be read as %s", c.Type(), t.OrNull())
	dec, isDec := logical.(*format.DecimalType)
	whole := kind == pq.Int32 || kind == pq.Int64
	number := func(v pq.Value) int64 {
		if kind == pq.Int32 {
			return int64(v.Int32())
		}
		return v.Int64()
	}
	if x, ok := logical.(*format.IntType); ok && !x.IsSigned && kind == pq.Int32 {
		number = func(v pq.Value) int64 { return int64(v.Uint32()) }
	}
	if isDec && t.Kind != types.Decimal {
		return nil, no
	}
	between := func(low, high int64, store func(out vector.Vector, i int, n int64)) (func(v pq.Value, out vector.Vector, i int) error, error) {
		if !whole {
			return nil, no
		}
		return func(v pq.Value, out vector.Vector, i int) error {
			n := number(v)
			if n < low || n > high {
				return fmt.Errorf("%d does not fit %s", n, t.OrNull())
			}
			store(out, i, n)
			return nil
		}, nil
	}
	switch t.Kind {
	case types.Boolean:
		if kind != pq.Boolean {
			return nil, no
		}
		return func(v pq.Value, out vector.Vector, i int) error {
			out.(*vector.Flat[bool]).Vals[i] = v.Boolean()
			return nil
		}, nil
	case types.TinyInt:
		return between(math.MinInt8, math.MaxInt8, func(out vector.Vector, i int, n int64) { out.(*vector.Flat[int8]).Vals[i] = int8(n) })
	case types.SmallInt:
		return between(math.MinInt16, math.MaxInt16, func(out vector.Vector, i int, n int64) { out.(*vector.Flat[int16]).Vals[i] = int16(n) })
	case types.Int, types.Date:
		return between(math.MinInt32, math.MaxInt32, func(out vector.Vector, i int, n int64) { out.(*vector.Flat[int32]).Vals[i] = int32(n) })
	case types.BigInt:
		return between(math.MinInt64, math.MaxInt64, func(out vector.Vector, i int, n int64) { out.(*vector.Flat[int64]).Vals[i] = n })
	case types.Time:
		per := int64(1)
		if x, ok := logical.(*format.TimeType); ok {
			per = perMilli(x.Unit)
		}
		return between(0, 86_400_000*per-1, func(out vector.Vector, i int, n int64) {
			out.(*vector.Flat[int32]).Vals[i] = types.TruncateTime(int32(n/per), t.Prec)
		})
	case types.Timestamp, types.TimestampLTZ:
		return m.timestamps(kind, logical, t, no, between)
	case types.Float, types.Double:
		return floats(kind, t, no, whole, number)
	case types.Decimal:
		scale := 0
		if isDec {
			scale = int(dec.Scale)
		}
		switch {
		case whole:
			return func(v pq.Value, out vector.Vector, i int) error {
				return convert.PutDecimal(out, i, types.DecFromInt64(number(v)), scale, t)
			}, nil
		case isDec && (kind == pq.ByteArray || kind == pq.FixedLenByteArray):
			return func(v pq.Value, out vector.Vector, i int) error {
				d, ok := convert.BigEndian(v.ByteArray())
				if !ok {
					return fmt.Errorf("a number of %d bytes", len(v.ByteArray()))
				}
				return convert.PutDecimal(out, i, d, scale, t)
			}, nil
		}
	case types.Char, types.VarChar, types.Binary, types.VarBinary:
		if kind != pq.ByteArray && kind != pq.FixedLenByteArray {
			return nil, no
		}
		return func(v pq.Value, out vector.Vector, i int) error {
			o := out.(*vector.Flat[string])
			o.Vals[i] = o.Arena.Clone(vector.View(v.ByteArray()))
			return nil
		}, nil
	}
	return nil, no
}

// julian1970 is 1970-01-01 in days of INT96.
const julian1970 = 2_440_588

func (m *matcher) timestamps(kind pq.Kind, logical any, t types.Type, no error, between func(low, high int64, store func(out vector.Vector, i int, n int64)) (func(v pq.Value, out vector.Vector, i int) error, error)) (func(v pq.Value, out vector.Vector, i int) error, error) {
	if kind == pq.Int96 {
		local := t.Kind == types.Timestamp && !m.utc && m.zone != nil
		return func(v pq.Value, out vector.Vector, i int) error {
			x := v.Int96()
			nanos := int64(uint64(x[0]) | uint64(x[1])<<32)
			ts := types.TS{Ms: (int64(int32(x[2]))-julian1970)*86_400_000 + types.FloorDiv(nanos, 1_000_000), Ns: int32(types.FloorMod(nanos, 1_000_000))}
			if local {
				ts = types.ToLocal(ts, m.zone)
			}
			out.(*vector.Flat[types.TS]).Vals[i] = ts.Truncate(t.Prec)
			return nil
		}, nil
	}
	x, ok := logical.(*format.TimestampType)
	if !ok || kind != pq.Int64 {
		return nil, no
	}
	per := perMilli(x.Unit)
	return between(math.MinInt64, math.MaxInt64, func(out vector.Vector, i int, n int64) {
		ms := types.FloorDiv(n, per)
		out.(*vector.Flat[types.TS]).Vals[i] = types.TS{Ms: ms, Ns: int32((n - ms*per) * (1_000_000 / per))}.Truncate(t.Prec)
	})
}

func floats(kind pq.Kind, t types.Type, no error, whole bool, number func(pq.Value) int64) (func(v pq.Value, out vector.Vector, i int) error, error) {
	var get func(v pq.Value) float64
	switch {
	case kind == pq.Float:
		get = func(v pq.Value) float64 { return float64(v.Float()) }
	case kind == pq.Double:
		get = pq.Value.Double
	case whole:
		get = func(v pq.Value) float64 { return float64(number(v)) }
	default:
		return nil, no
	}
	return func(v pq.Value, out vector.Vector, i int) error {
		if o, ok := out.(*vector.Flat[float32]); ok {
			o.Vals[i] = float32(get(v))
		} else {
			out.(*vector.Flat[float64]).Vals[i] = get(v)
		}
		return nil
	}, nil
}
