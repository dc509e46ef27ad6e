package builtin

import (
	"fmt"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// compareFuncs choose among values by their order.
var compareFuncs = []function.Def{
	{
		Name: "GREATEST", Group: "comparison", Sig: "(T, T...) -> T",
		Doc:   "The greatest of the arguments, NULL if one is.",
		Infer: inferExtreme("GREATEST"), Scalar: function.Bound(bindExtreme(1)), Eg: []function.Example{eg("GREATEST(3, 1)", "3")},
	},
	{
		Name: "LEAST", Group: "comparison", Sig: "(T, T...) -> T",
		Doc:   "The least of the arguments, NULL if one is.",
		Infer: inferExtreme("LEAST"), Scalar: function.Bound(bindExtreme(-1)), Eg: []function.Example{eg("LEAST(3, 1)", "1")},
	},
}

func inferExtreme(name string) function.Infer {
	return func(args []function.Arg) (function.Signature, error) {
		var sig function.Signature
		if len(args) == 0 {
			return sig, fmt.Errorf("%s takes 1 argument or more", name)
		}
		var ts []types.Type
		for _, a := range args {
			if a.Type.Kind == types.Null {
				return sig, fmt.Errorf("%s: NULL has no type here; write CAST(NULL AS STRING)", name)
			}
			if a.Type.IsNested() || a.Type.Kind > types.Row {
				return sig, fmt.Errorf("%s takes what has an order, not %s", name, a.Type.OrNull())
			}
			ts = append(ts, a.Type.Plain())
		}
		res, ok := types.Common(ts...)
		if !ok {
			return sig, fmt.Errorf("%s takes arguments of one type", name)
		}
		sig.Result = res
		for _, t := range ts {
			sig.Args = append(sig.Args, res.WithNull(t.Nullable))
		}
		return sig, nil
	}
}

// bindExtreme takes an argument where it compares with sign to the best so far.
func bindExtreme(sign int) func(*function.Context, []function.Arg, types.Type) (function.Call, error) {
	return func(_ *function.Context, _ []function.Arg, result types.Type) (function.Call, error) {
		switch result.Phys() {
		case types.PhysBool:
			return extreme(func(a, b bool) bool { return a != b && a == (sign > 0) }), nil
		case types.PhysI8:
			return extremeOrdered[int8](sign), nil
		case types.PhysI16:
			return extremeOrdered[int16](sign), nil
		case types.PhysI32:
			return extremeOrdered[int32](sign), nil
		case types.PhysI64:
			return extremeOrdered[int64](sign), nil
		case types.PhysF32:
			return extremeFloat[float32](sign), nil
		case types.PhysF64:
			return extremeFloat[float64](sign), nil
		case types.PhysDec:
			return extreme(func(a, b types.Dec) bool { return a.Cmp(b) == sign }), nil
		case types.PhysTs:
			return extreme(func(a, b types.TS) bool { return a.Compare(b) == sign }), nil
		case types.PhysStr:
			return extremeText(sign), nil
		}
		return nil, fmt.Errorf("no order of %s", result)
	}
}

// extremeFloat takes NaN for the greatest number, as Java's order does.
func extremeFloat[T interface {
	float32 | float64
	vector.Elem
}](sign int) function.Call {
	if sign > 0 {
		return extreme(func(a, b T) bool { return a > b || a != a })
	}
	return extreme(func(a, b T) bool { return a < b || b != b })
}

func extremeOrdered[T interface {
	signed
	vector.Elem
}](sign int) function.Call {
	if sign > 0 {
		return extreme(func(a, b T) bool { return a > b })
	}
	return extreme(func(a, b T) bool { return a < b })
}

func extreme[T vector.Elem](better func(a, b T) bool) function.Call {
	var all []int32
	return func(args []vectorOf, sel []int32, out vectorOf) error {
		dst := out.(*flat[T]).Vals
		rows := function.Rows(sel, len(dst), &all)
		for j, a := range args {
			vals, mask := function.Column[T](a)
			for _, i := range rows {
				if v := vals[i&mask]; j == 0 || better(v, dst[i]) {
					dst[i] = v
				}
			}
		}
		return nil
	}
}

// extremeText compares views first and copies the winner.
func extremeText(sign int) function.Call {
	better := func(a, b string) bool { return a > b }
	if sign < 0 {
		better = func(a, b string) bool { return a < b }
	}
	call, all := extreme(better), []int32(nil)
	return func(args []vectorOf, sel []int32, out vectorOf) error {
		if err := call(args, sel, out); err != nil {
			return err
		}
		o := out.(*flat[string])
		for _, i := range function.Rows(sel, len(o.Vals), &all) {
			o.Vals[i] = o.Arena.Clone(o.Vals[i])
		}
		return nil
	}
}
