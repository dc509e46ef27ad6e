package builtin

import (
	"errors"
	"fmt"
	"slices"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// collectionFuncs are the functions of arrays, maps, multisets and structured
// values: access here, arrays in collection_array.go, maps in collection_map.go,
// structured types in collection_object.go.
var collectionFuncs = slices.Concat([]function.Def{
	{
		Name: "ITEM", Group: "collection", Sig: "x[i]",
		Doc:    "The element of an array (counted from 1), the value of a key of a map, or a part of a variant; NULL if there is none. A constant index below 1 is an error.",
		Infer:  inferItem,
		Scalar: function.Bound(bindItem),
	},
	{
		Name: "CARDINALITY", Group: "collection", Sig: "(COLLECTION) -> INT",
		Doc:    "The number of elements of an array or entries of a map.",
		Eg:     []function.Example{{Expr: "CARDINALITY(ARRAY[1, 2, 3])", Result: "3"}, {Expr: "CARDINALITY(MAP['a', 1])", Result: "1"}},
		Scalar: function.Bound(func(*function.Context, []function.Arg, types.Type) (function.Call, error) { return cardinality(), nil }),
	},
	{
		Name: "ELEMENT", Group: "collection", Sig: "(ARRAY<T>) -> T",
		Doc: "The only element of an array; NULL if it is empty, an error if there are several.",
		Eg:  []function.Example{{Expr: "ELEMENT(ARRAY[5])", Result: "5"}},
		Infer: func(args []function.Arg) (function.Signature, error) {
			if len(args) != 1 || args[0].Type.Kind != types.Array {
				return function.Signature{}, errors.New("ELEMENT takes an array")
			}
			t := *args[0].Type.Elem
			return function.Signature{Args: argTypes(args), Result: t.WithNull(t.Nullable || args[0].Type.Nullable)}, nil
		},
		Scalar: function.Bound(func(*function.Context, []function.Arg, types.Type) (function.Call, error) {
			return rowCall(func(args []cellOf, out vector.Vector, i int) error {
				l, r := args[0].list()
				switch l.Count[r] {
				case 0:
					vector.SetNullDeep(out, i)
				case 1:
					putRow(out, i, l.Child, int(l.Off[r]))
				default:
					return errors.New("ELEMENT: the array has more than one element")
				}
				return nil
			}), nil
		}),
	},
}, arrayFuncs, mapFuncs, objectFuncs)

// cellOf is an argument at a row: constants are row 0 of what they hold.
type cellOf struct {
	v vector.Vector
	i int
}

func (c cellOf) null() bool                { return c.v.IsNull(c.i) }
func (c cellOf) list() (*vector.List, int) { return c.v.(*vector.List), c.i }
func (c cellOf) maps() (*vector.Map, int)  { return c.v.(*vector.Map), c.i }

// rowCall makes a Call of a function over the cells of one row. It reuses the
// slice of cells.
func rowCall(f func(args []cellOf, out vector.Vector, i int) error) function.Call {
	var all []int32
	var cells []cellOf
	return func(args []vector.Vector, sel []int32, out vector.Vector) error {
		if len(cells) != len(args) {
			cells = make([]cellOf, len(args))
		}
		for _, i := range function.Rows(sel, out.Len(), &all) {
			for k, a := range args {
				if c, ok := a.(*vector.Const); ok {
					cells[k] = cellOf{c.Of, 0}
				} else {
					cells[k] = cellOf{a, int(i)}
				}
			}
			if err := f(cells, out, int(i)); err != nil {
				return &function.RowError{Row: int(i), Err: err}
			}
		}
		return nil
	}
}

func cardinality() function.Call {
	var all []int32
	return func(args []vector.Vector, sel []int32, out vector.Vector) error {
		vals := out.(*vector.Flat[int32]).Vals
		v, mask := args[0], int32(-1)
		if c, ok := v.(*vector.Const); ok {
			v, mask = c.Of, 0
		}
		var count []int32
		switch v := v.(type) {
		case *vector.List:
			count = v.Count
		case *vector.Map:
			count = v.Count
		}
		for _, i := range function.Rows(sel, len(vals), &all) {
			vals[i] = count[i&mask]
		}
		return nil
	}
}

func inferItem(args []function.Arg) (function.Signature, error) {
	if len(args) != 2 {
		return function.Signature{}, errors.New("x[i] takes one index")
	}
	t, at := args[0].Type, args[1].Type
	s := function.Signature{Args: argTypes(args)}
	switch t.Kind {
	case types.Array:
		if !at.IsInteger() {
			return s, fmt.Errorf("the index of an array is an integer, not %s", at.OrNull())
		}
		if n, ok := intValue(args[1].Value); args[1].Const && ok && n < 1 {
			return s, fmt.Errorf("the elements of an array count from 1: there is no element %d", n)
		}
		s.Args[1] = types.Of(types.BigInt).WithNull(at.Nullable)
		s.Result = t.Elem.OrNull()
	case types.Map:
		key := t.Key.WithNull(at.Nullable || at.Kind == types.Null)
		if _, implicit := types.Castable(at, key); !implicit && !(at.IsChar() && key.IsChar()) {
			return s, fmt.Errorf("the keys of the map are %s, not %s", t.Key.OrNull(), at.OrNull())
		}
		if !(at.IsChar() && key.IsChar()) {
			s.Args[1] = key
		}
		s.Result = t.Elem.OrNull()
	case types.Variant:
		if !at.IsInteger() && !at.IsChar() {
			return s, fmt.Errorf("the index of a variant is an integer or a text, not %s", at.OrNull())
		}
		if at.IsInteger() {
			s.Args[1] = types.Of(types.BigInt).WithNull(at.Nullable)
		}
		s.Result = types.Of(types.Variant)
	default:
		return s, fmt.Errorf("%s has no elements", t.OrNull())
	}
	return s, nil
}

func bindItem(_ *function.Context, args []function.Arg, _ types.Type) (function.Call, error) {
	switch t := args[0].Type; {
	case t.Kind == types.Variant && args[1].Type.IsChar():
		return variantPart(appendVariantField, '{', errNoObject), nil
	case t.Kind == types.Variant:
		return variantPart(appendVariantElement, '[', errNoArray), nil
	case t.Kind == types.Map:
		return rowCall(func(args []cellOf, out vector.Vector, i int) error {
			m, r := args[0].maps()
			// A key that stands there twice, which only MAP_FROM_ARRAYS makes, has its last value.
			for j := m.Off[r] + m.Count[r] - 1; j >= m.Off[r]; j-- {
				if vector.EqualRow(m.Keys, int(j), args[1].v, args[1].i) {
					putRow(out, i, m.Vals, int(j))
					return nil
				}
			}
			vector.SetNullDeep(out, i)
			return nil
		}), nil
	}
	return rowCall(func(args []cellOf, out vector.Vector, i int) error {
		l, r := args[0].list()
		n := args[1].v.(*vector.Flat[int64]).Vals[args[1].i]
		if n < 1 || n > int64(l.Count[r]) {
			vector.SetNullDeep(out, i)
			return nil
		}
		putRow(out, i, l.Child, int(l.Off[r])+int(n)-1)
		return nil
	}), nil
}
