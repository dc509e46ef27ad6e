package kernel

import (
	"math"

	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// Convert stores a as another kind of number: integers wrap, floats round. Not
// for floats to integers.
func Convert[D, S Number](dst []D, a []S, sel []int32) {
	if sel == nil {
		a = a[:len(dst)]
		for i := range dst {
			dst[i] = D(a[i])
		}
		return
	}
	for _, i := range sel {
		dst[i] = D(a[i])
	}
}

// FloatToInt stores floats as integers of up to 32 bits: cut towards zero,
// saturated at 32 bits and wrapped to fewer; NaN is 0.
func FloatToInt[D int8 | int16 | int32, S Float](dst []D, a []S, sel []int32) {
	if sel == nil {
		a = a[:len(dst)]
		for i := range dst {
			dst[i] = D(types.FloatToInt32(float64(a[i])))
		}
		return
	}
	for _, i := range sel {
		dst[i] = D(types.FloatToInt32(float64(a[i])))
	}
}

// FloatToInt64 stores floats as BIGINT: cut and saturated; NaN is 0.
func FloatToInt64[S Float](dst []int64, a []S, sel []int32) {
	if sel == nil {
		a = a[:len(dst)]
		for i := range dst {
			dst[i] = types.FloatToInt64(float64(a[i]))
		}
		return
	}
	for _, i := range sel {
		dst[i] = types.FloatToInt64(float64(a[i]))
	}
}

// NotZero stores a!=0.
func NotZero[S Number](dst []bool, a []S, sel []int32) { NeConst(dst, a, 0, sel) }

// FromBool stores 1 for TRUE and 0 for FALSE.
func FromBool[D Number](dst []D, a []bool, sel []int32) {
	each(len(dst), sel, func(i int) { dst[i] = D(one(a[i])) })
}

// flat makes a Cast of a loop over slices that can not fail.
func flat[D, S vector.Elem](loop func(dst []D, src []S, sel []int32)) Cast {
	return func(dst, src vector.Vector, sel []int32) error {
		d := dst.(*vector.Flat[D])
		loop(d.Vals, src.(*vector.Flat[S]).Vals[:len(d.Vals)], sel)
		return nil
	}
}

func (c *caster) fromNumber() Cast {
	switch c.from.Kind {
	case types.Boolean:
		return fromBool(c.to)
	case types.TinyInt:
		return fromInt[int8](c.to)
	case types.SmallInt:
		return fromInt[int16](c.to)
	case types.Int:
		return fromInt[int32](c.to)
	case types.BigInt:
		return fromInt[int64](c.to)
	case types.Float:
		return fromFloat[float32](c)
	case types.Double:
		return fromFloat[float64](c)
	case types.Decimal:
		return fromDec(c.from.Scale, c.to)
	}
	return nil
}

func fromBool(to types.Type) Cast {
	switch to.Kind {
	case types.TinyInt:
		return flat(FromBool[int8])
	case types.SmallInt:
		return flat(FromBool[int16])
	case types.Int:
		return flat(FromBool[int32])
	case types.BigInt:
		return flat(FromBool[int64])
	case types.Float:
		return flat(FromBool[float32])
	case types.Double:
		return flat(FromBool[float64])
	}
	return nil
}

func fromInt[S interface {
	Integer
	vector.Elem
}](to types.Type) Cast {
	switch to.Kind {
	case types.Boolean:
		return flat(NotZero[S])
	case types.TinyInt:
		return flat(Convert[int8, S])
	case types.SmallInt:
		return flat(Convert[int16, S])
	case types.Int:
		return flat(Convert[int32, S])
	case types.BigInt:
		return flat(Convert[int64, S])
	case types.Float:
		return flat(Convert[float32, S])
	case types.Double:
		return flat(Convert[float64, S])
	case types.Decimal:
		return decCast(to, func(v S) (types.Dec, bool) { return types.DecFromInt64(int64(v)).Rescale(0, to.Scale) })
	}
	return nil
}

func fromFloat[S interface {
	Float
	vector.Elem
}](c *caster) Cast {
	to := c.to
	switch to.Kind {
	case types.Boolean:
		return flat(NotZero[S])
	case types.TinyInt:
		return flat(FloatToInt[int8, S])
	case types.SmallInt:
		return flat(FloatToInt[int16, S])
	case types.Int:
		return flat(FloatToInt[int32, S])
	case types.BigInt:
		return flat(FloatToInt64[S])
	case types.Float:
		return flat(Convert[float32, S])
	case types.Double:
		return flat(Convert[float64, S])
	case types.Decimal:
		return func(dst, src vector.Vector, sel []int32) error {
			d, s := dst.(*dec), src.(*vector.Flat[S])
			var err error
			eachChecked(len(d.Vals), sel, func(i int) bool {
				f := float64(s.Vals[i])
				if math.IsNaN(f) || math.IsInf(f, 0) {
					err = c.bad(dst, src, i)
					return err == nil
				}
				r, ok := types.DecFromFloat64(f, to.Prec, to.Scale)
				if d.Vals[i] = r; !ok {
					d.SetNull(i)
				}
				return true
			})
			return err
		}
	}
	return nil
}

func fromDec(scale int, to types.Type) Cast {
	switch to.Kind {
	case types.Boolean:
		return each1(func(v types.Dec) bool { return !v.IsZero() })
	case types.TinyInt:
		return each1(func(v types.Dec) int8 { return int8(v.ToInt64(scale)) })
	case types.SmallInt:
		return each1(func(v types.Dec) int16 { return int16(v.ToInt64(scale)) })
	case types.Int:
		return each1(func(v types.Dec) int32 { return int32(v.ToInt64(scale)) })
	case types.BigInt:
		return each1(func(v types.Dec) int64 { return v.ToInt64(scale) })
	case types.Float:
		return each1(func(v types.Dec) float32 { return v.ToFloat32(scale) })
	case types.Double:
		return each1(func(v types.Dec) float64 { return v.ToFloat64(scale) })
	case types.Decimal:
		return decCast(to, func(v types.Dec) (types.Dec, bool) { return v.Rescale(scale, to.Scale) })
	}
	return nil
}

// decCast is a Cast to a DECIMAL, NULL where it has too many digits.
func decCast[S vector.Elem](to types.Type, f func(S) (types.Dec, bool)) Cast {
	in := boundsOf(to.Prec)
	return func(dst, src vector.Vector, sel []int32) error {
		d, s := dst.(*dec), src.(*vector.Flat[S]).Vals
		each(len(d.Vals), sel, func(i int) {
			r, ok := f(s[i])
			if d.Vals[i] = r; !ok || !in.has(r) {
				d.SetNull(i)
			}
		})
		return nil
	}
}

// each1 is a Cast by a function that is much dearer than its call.
func each1[D, S vector.Elem](f func(S) D) Cast {
	return func(dst, src vector.Vector, sel []int32) error {
		d, s := dst.(*vector.Flat[D]).Vals, src.(*vector.Flat[S]).Vals
		each(len(d), sel, func(i int) { d[i] = f(s[i]) })
		return nil
	}
}
