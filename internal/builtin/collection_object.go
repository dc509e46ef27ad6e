package builtin

import (
	"errors"
	"fmt"
	"slices"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

var objectFuncs = []function.Def{
	{
		Name: "OBJECT_OF", Group: "collection", Sig: "(class, [name, value]…) -> STRUCTURED", Nulls: function.Called,
		Doc: "A structured value of a class, with named fields. Class and names are literals.",
		Eg:  []function.Example{{Expr: "OBJECT_OF('a.B', 'x', 1)", Result: "(x=1)"}},
		Infer: func(args []function.Arg) (function.Signature, error) {
			s := function.Signature{Args: argTypes(args)}
			class, ok := constText(args, 0)
			if !ok || len(args)%2 != 1 {
				return s, errors.New("OBJECT_OF takes a class name and pairs of a field name and a value")
			}
			// Flink prints the type without NOT NULL
			t := types.Type{Kind: types.Row, Class: class, Nullable: true}
			for i := 1; i < len(args); i += 2 {
				name, ok := constText(args, i)
				if !ok || slices.ContainsFunc(t.Fields, func(f types.Field) bool { return f.Name == name }) {
					return s, errors.New("the field names of OBJECT_OF are different text literals")
				}
				if args[i+1].Type.Kind == types.Null {
					return s, fmt.Errorf("the type of field %s is not known: write CAST(NULL AS …)", name)
				}
				t.Fields = append(t.Fields, types.Field{Name: name, Type: args[i+1].Type.Plain()})
			}
			s.Result = t
			return s, nil
		},
		Scalar: function.Bound(func(_ *function.Context, args []function.Arg, _ types.Type) (function.Call, error) {
			from := make([]int, len(args)/2)
			for f := range from {
				from[f] = 2 + 2*f
			}
			return rowCall(func(args []cellOf, out vector.Vector, i int) error {
				for f, c := range out.(*vector.Row).Cols {
					putRow(c, i, args[from[f]].v, args[from[f]].i)
				}
				return nil
			}), nil
		}),
	},
	{
		Name: "OBJECT_UPDATE", Group: "collection", Sig: "(STRUCTURED, [name, value]…) -> STRUCTURED", Nulls: function.Called,
		Doc:   "The structured value with some fields replaced. Names are literals.",
		Eg:    []function.Example{{Expr: "OBJECT_UPDATE(OBJECT_OF('a.B', 'x', 1, 'y', 2), 'y', 3)", Result: "(x=1, y=3)"}},
		Infer: inferObjectUpdate,
		Scalar: function.Bound(func(_ *function.Context, args []function.Arg, _ types.Type) (function.Call, error) {
			from := make([]int, len(args[0].Type.Fields)) // the argument of each field, 0: it stays
			for k := 1; k < len(args); k += 2 {
				name, _ := constText(args, k)
				from[slices.IndexFunc(args[0].Type.Fields, func(f types.Field) bool { return f.Name == name })] = k + 1
			}
			return rowCall(func(args []cellOf, out vector.Vector, i int) error {
				if args[0].null() {
					vector.SetNullDeep(out, i)
					return nil
				}
				old := args[0].v.(*vector.Row)
				for f, c := range out.(*vector.Row).Cols {
					if k := from[f]; k > 0 {
						putRow(c, i, args[k].v, args[k].i)
					} else {
						putRow(c, i, old.Cols[f], args[0].i)
					}
				}
				return nil
			}), nil
		}),
	},
}

func inferObjectUpdate(args []function.Arg) (function.Signature, error) {
	s := function.Signature{Args: argTypes(args)}
	if len(args) < 3 || len(args)%2 != 1 || args[0].Type.Kind != types.Row || args[0].Type.Class == "" {
		return s, errors.New("OBJECT_UPDATE takes a structured value and pairs of a field name and a value")
	}
	t := args[0].Type.Plain()
	t.Fields = slices.Clone(t.Fields)
	for i := 1; i < len(args); i += 2 {
		name, ok := constText(args, i)
		f := slices.IndexFunc(t.Fields, func(f types.Field) bool { return f.Name == name })
		if !ok || f < 0 {
			return s, fmt.Errorf("%s has no field %s", t.Class, name)
		}
		if args[i+1].Type.Kind == types.Null {
			s.Args[i+1] = t.Fields[f].Type.OrNull()
		}
		t.Fields[f].Type = s.Args[i+1].Plain()
	}
	s.Result = t
	return s, nil
}
