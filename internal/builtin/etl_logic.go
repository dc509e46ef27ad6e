package builtin

import (
	"fmt"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
)

// etlLogicFuncs are the operators of logic as functions of scripts. NULL
// counts as FALSE.
var etlLogicFuncs = []function.Def{
	{
		Name: "AND", Aliases: []string{"&"}, Group: "logical", Sig: "([BOOLEAN...]) -> BOOLEAN!",
		Doc: "Whether all arguments are TRUE.", Nulls: function.Called, Scalar: function.Bound(bindAllTrue(false)),
	},
	{
		Name: "OR", Aliases: []string{"|"}, Group: "logical", Sig: "([BOOLEAN...]) -> BOOLEAN!",
		Doc: "Whether one of the arguments is TRUE.", Nulls: function.Called, Scalar: function.Bound(bindAllTrue(true)),
	},
	{
		Name: "!", Aliases: []string{"!IF", "NOT"}, Group: "logical", Sig: "(BOOLEAN) -> BOOLEAN!",
		Doc: "Whether the argument is not TRUE.", Nulls: function.Called, Scalar: truthScalar(true),
	},
	{
		Name: "IF", Aliases: []string{"CASE"}, Group: "logical", Sig: "(BOOLEAN) -> BOOLEAN!",
		Doc: "Whether the argument is TRUE.", Nulls: function.Called, Scalar: truthScalar(false),
	},
}

// truths opens BOOLEAN arguments: TRUE and not NULL.
func truths(v vectorOf) func(i int32) bool {
	vals, mask := function.Column[bool](v)
	if mask == 0 {
		b := vals[0] && !v.IsNull(0)
		return func(int32) bool { return b }
	}
	nulls := v.Nulls()
	if nulls == nil {
		return func(i int32) bool { return vals[i] }
	}
	return func(i int32) bool { return vals[i] && !nulls.Get(int(i)) }
}

func truthScalar(not bool) *function.Scalar {
	return function.Bound(func(*function.Context, []function.Arg, types.Type) (function.Call, error) {
		var all []int32
		return func(args []vectorOf, sel []int32, out vectorOf) error {
			is, dst := truths(args[0]), out.(*flat[bool]).Vals
			for _, i := range function.Rows(sel, len(dst), &all) {
				dst[i] = is(i) != not
			}
			return nil
		}, nil
	})
}

// bindAllTrue makes OR if one is enough, else AND.
func bindAllTrue(one bool) func(*function.Context, []function.Arg, types.Type) (function.Call, error) {
	return func(*function.Context, []function.Arg, types.Type) (function.Call, error) {
		var all []int32
		return func(args []vectorOf, sel []int32, out vectorOf) error {
			dst := out.(*flat[bool]).Vals
			rows := function.Rows(sel, len(dst), &all)
			for _, i := range rows {
				dst[i] = !one
			}
			for _, a := range args {
				is := truths(a)
				for _, i := range rows {
					if is(i) == one {
						dst[i] = one
					}
				}
			}
			return nil
		}, nil
	}
}

// inferLoose is for comparisons of scripts: numbers are compared as DOUBLE,
// anything else as texts, which are numbers if all read as such.
func inferLoose(name string, least, most int) function.Infer {
	return func(args []function.Arg) (function.Signature, error) {
		var sig function.Signature
		if len(args) < least || most >= 0 && len(args) > most {
			return sig, fmt.Errorf("%s does not take %d arguments", name, len(args))
		}
		t := types.Of(types.Double)
		for _, a := range args {
			if a.Type.IsNested() || a.Type.IsBinary() {
				return sig, fmt.Errorf("%s does not compare %s", name, a.Type.OrNull())
			}
			if !a.Type.IsNumeric() {
				t = types.String()
			}
		}
		for _, a := range args {
			w := t.WithNull(a.Type.Nullable)
			if t.Kind == types.VarChar {
				w = textType(a.Type)
			}
			if a.Type.Kind == types.Null {
				w = t.OrNull()
			}
			sig.Args = append(sig.Args, w)
		}
		sig.Result = types.Of(types.Boolean).NotNull()
		return sig, nil
	}
}
