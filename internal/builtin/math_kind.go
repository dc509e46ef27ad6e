package builtin

import (
	"fmt"
	"math"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// vectorOf and flat are short for what every family uses.
type (
	vectorOf            = vector.Vector
	flat[T vector.Elem] = vector.Flat[T]
)

type signed interface{ int8 | int16 | int32 | int64 }

func noKind(name string, t types.Type) error { return fmt.Errorf("%s takes no %s", name, t) }

func absInt[T signed](x T) T {
	if x < 0 {
		return -x
	}
	return x
}

func bindAbs(_ *function.Context, args []function.Arg, _ types.Type) (function.Call, error) {
	switch t := args[0].Type; t.Phys() {
	case types.PhysI8:
		return function.CallMap1(absInt[int8]), nil
	case types.PhysI16:
		return function.CallMap1(absInt[int16]), nil
	case types.PhysI32:
		return function.CallMap1(absInt[int32]), nil
	case types.PhysI64:
		return function.CallMap1(absInt[int64]), nil
	case types.PhysF32:
		return function.CallMap1(func(x float32) float32 { return float32(math.Abs(float64(x))) }), nil
	case types.PhysF64:
		return function.CallMap1(math.Abs), nil
	case types.PhysDec:
		return function.CallMap1(types.Dec.Abs), nil
	default:
		return nil, noKind("ABS", t)
	}
}

func signInt[T signed](x T) T {
	switch {
	case x < 0:
		return -1
	case x > 0:
		return 1
	}
	return 0
}

func signFloat(x float64) float64 {
	switch {
	case x < 0:
		return -1
	case x > 0:
		return 1
	}
	return x // 0, -0, NaN
}

func bindSign(_ *function.Context, args []function.Arg, _ types.Type) (function.Call, error) {
	switch t := args[0].Type; t.Phys() {
	case types.PhysI8:
		return function.CallMap1(signInt[int8]), nil
	case types.PhysI16:
		return function.CallMap1(signInt[int16]), nil
	case types.PhysI32:
		return function.CallMap1(signInt[int32]), nil
	case types.PhysI64:
		return function.CallMap1(signInt[int64]), nil
	case types.PhysF32:
		return function.CallMap1(func(x float32) float32 { return float32(signFloat(float64(x))) }), nil
	case types.PhysF64:
		return function.CallMap1(signFloat), nil
	case types.PhysDec:
		one := types.Pow10(t.Scale)
		fits := one.FitsPrecision(t.Prec) // DECIMAL(2, 2) has no 1
		return function.CallMapOk1(func(d types.Dec) (types.Dec, bool) {
			switch d.Sign() {
			case 1:
				return one, fits
			case -1:
				return one.Neg(), fits
			}
			return d, true
		}), nil
	default:
		return nil, noKind("SIGN", t)
	}
}

// inferWhole gives CEIL and FLOOR their type.
func inferWhole(name string) function.Infer {
	return func(args []function.Arg) (function.Signature, error) {
		if len(args) != 1 {
			return function.Signature{}, fmt.Errorf("%s takes 1 argument, or a time TO a unit", name)
		}
		t := args[0].Type
		if !t.IsNumeric() {
			return function.Signature{}, fmt.Errorf("%s takes a number, not %s", name, t.OrNull())
		}
		res := t.Plain()
		res.Scale = 0
		return function.Signature{Args: []types.Type{t}, Result: res}, nil
	}
}

func bindCeil(_ *function.Context, args []function.Arg, result types.Type) (function.Call, error) {
	return bindWhole(args[0].Type, result, math.Ceil, 1)
}

func bindFloor(_ *function.Context, args []function.Arg, result types.Type) (function.Call, error) {
	return bindWhole(args[0].Type, result, math.Floor, -1)
}

// bindWhole rounds to integers by f; decimals that lose digits go away from
// zero if their sign is away.
func bindWhole(t, result types.Type, f func(float64) float64, away int) (function.Call, error) {
	switch t.Phys() {
	case types.PhysI8:
		return function.CallMap1(same[int8]), nil
	case types.PhysI16:
		return function.CallMap1(same[int16]), nil
	case types.PhysI32:
		return function.CallMap1(same[int32]), nil
	case types.PhysI64:
		return function.CallMap1(same[int64]), nil
	case types.PhysF32:
		return function.CallMap1(func(x float32) float32 { return float32(f(float64(x))) + 0 }), nil
	case types.PhysF64:
		return function.CallMap1(func(x float64) float64 { return f(x) + 0 }), nil // no negative zero
	case types.PhysDec:
		scale, prec := t.Scale, result.Prec
		return function.CallMapOk1(func(d types.Dec) (types.Dec, bool) {
			r, ok := d.RescaleTrunc(scale, 0)
			if !ok {
				return r, false
			}
			if back, ok := r.Rescale(0, scale); d.Sign() == away && (!ok || back != d) {
				r, _ = r.Add(types.DecFromInt64(int64(away)))
			}
			return r, r.FitsPrecision(prec)
		}), nil
	}
	return nil, noKind("CEIL and FLOOR", t)
}

func same[T any](x T) T { return x }
