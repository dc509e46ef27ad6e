package builtin

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

var arrayFuncs = []function.Def{
	arrayDef("ARRAY_APPEND", "The array with an element behind the others.", "ARRAY_APPEND(ARRAY[1, 2], 3)", "[1, 2, 3]",
		function.Called, inferGrown, func(a *arrayCall, args []cellOf) { a.copyAll(args[0]); a.copyCell(args[1]) }),
	arrayDef("ARRAY_PREPEND", "The array with an element in front of the others.", "ARRAY_PREPEND(ARRAY[1, 2], 3)", "[3, 1, 2]",
		function.Called, inferGrown, func(a *arrayCall, args []cellOf) { a.copyCell(args[1]); a.copyAll(args[0]) }),
	arrayDef("ARRAY_REMOVE", "The array without the elements equal to a value; NULL removes the NULLs.", "ARRAY_REMOVE(ARRAY[3, 1, 2, 1], 1)", "[3, 2]",
		function.Called, inferElement(func(arr, _ types.Type) types.Type { return arr }), (*arrayCall).remove),
	arrayDef("ARRAY_DISTINCT", "The array without repeated elements.", "ARRAY_DISTINCT(ARRAY[2, 1, 2])", "[2, 1]",
		function.Strict, inferOneArray, func(a *arrayCall, args []cellOf) { a.distinct(args, nil, false) }),
	arrayDef("ARRAY_REVERSE", "The array backwards.", "ARRAY_REVERSE(ARRAY[3, 1, 2])", "[2, 1, 3]",
		function.Strict, inferOneArray, func(a *arrayCall, args []cellOf) {
			l, r := args[0].list()
			for j := l.Off[r] + l.Count[r] - 1; j >= l.Off[r]; j-- {
				a.copy(l.Child, j)
			}
		}),
	arrayDef("ARRAY_CONCAT", "The arrays one behind the other.", "ARRAY_CONCAT(ARRAY[1], ARRAY[1, 9])", "[1, 1, 9]",
		function.Strict, inferArrays(1, -1), func(a *arrayCall, args []cellOf) {
			for _, arg := range args {
				a.copyAll(arg)
			}
		}),
	arrayDef("ARRAY_UNION", "The elements of two arrays, each once.", "ARRAY_UNION(ARRAY[3, 1, 3], ARRAY[1, 9])", "[3, 1, 9]",
		function.Strict, inferArrays(2, 2), func(a *arrayCall, args []cellOf) { a.distinct(args, nil, false) }),
	arrayDef("ARRAY_INTERSECT", "The elements of the first array that the second has too, each once.", "ARRAY_INTERSECT(ARRAY[3, 1, 2, 1], ARRAY[1, 9])", "[1]",
		function.Strict, inferArrays(2, 2), func(a *arrayCall, args []cellOf) { a.distinct(args[:1], &args[1], true) }),
	arrayDef("ARRAY_EXCEPT", "The elements of the first array that the second does not have, each once, NULL at the end.", "ARRAY_EXCEPT(ARRAY[3, 1, 2, 1], ARRAY[1, 9])", "[3, 2]",
		function.Strict, inferArrays(2, 2), func(a *arrayCall, args []cellOf) { a.distinct(args[:1], &args[1], false) }),
	arrayDef("ARRAY_SORT", "The array sorted; the second argument FALSE means descending, the third whether NULLs come first (by default they do when ascending).",
		"ARRAY_SORT(ARRAY[2, 3, 1], FALSE)", "[3, 2, 1]", function.Strict, inferSort, (*arrayCall).sort),
	arrayDef("ARRAY_SLICE", "The elements from one position to another, counted from 1, or from the end if negative.", "ARRAY_SLICE(ARRAY[5, 6, 7, 8], 2, -2)", "[6, 7]",
		function.Strict, inferSlice, (*arrayCall).slice),
	{
		Name: "ARRAY_CONTAINS", Group: "collection", Sig: "(ARRAY<T>, T) -> BOOLEAN", Nulls: function.Called,
		Doc: "Whether the array has the element; NULL is found too.",
		Eg:  []function.Example{{Expr: "ARRAY_CONTAINS(ARRAY[1, 2], 2)", Result: "TRUE"}, {Expr: "ARRAY_CONTAINS(ARRAY[1, NULL], CAST(NULL AS INT))", Result: "TRUE"}},
		Infer: inferElement(func(arr, _ types.Type) types.Type {
			return types.Of(types.Boolean).WithNull(arr.Nullable)
		}),
		Scalar: function.Bound(func(*function.Context, []function.Arg, types.Type) (function.Call, error) {
			return rowCall(func(args []cellOf, out vector.Vector, i int) error {
				if args[0].null() {
					out.SetNull(i)
					return nil
				}
				l, r := args[0].list()
				out.(*vector.Flat[bool]).Vals[i] = indexIn(l, r, args[1]) > 0
				return nil
			}), nil
		}),
	},
	{
		Name: "ARRAY_POSITION", Group: "collection", Sig: "(ARRAY<T>, T) -> INT",
		Doc: "The position of the first element that is equal, counted from 1; 0 if there is none.",
		Eg:  []function.Example{{Expr: "ARRAY_POSITION(ARRAY[3, 1, 2, 1], 1)", Result: "2"}, {Expr: "ARRAY_POSITION(ARRAY[3], 9)", Result: "0"}},
		Infer: inferElement(func(arr, elem types.Type) types.Type {
			return types.Of(types.Int).WithNull(arr.Nullable || elem.Nullable)
		}),
		Scalar: function.Bound(func(*function.Context, []function.Arg, types.Type) (function.Call, error) {
			return rowCall(func(args []cellOf, out vector.Vector, i int) error {
				l, r := args[0].list()
				out.(*vector.Flat[int32]).Vals[i] = indexIn(l, r, args[1])
				return nil
			}), nil
		}),
	},
	extremeDef("ARRAY_MAX", "largest", "3", 1),
	extremeDef("ARRAY_MIN", "smallest", "1", -1),
	{
		Name: "ARRAY_JOIN", Group: "collection", Sig: "(ARRAY<STRING>, STRING, [STRING]) -> STRING",
		Doc: "The texts of the array with a separator between them. NULLs are left out, or replaced by the third argument.",
		Eg: []function.Example{{Expr: "ARRAY_JOIN(ARRAY['a', NULL, 'c'], ',')", Result: "a,c"},
			{Expr: "ARRAY_JOIN(ARRAY['a', NULL, 'c'], ',', 'N')", Result: "a,N,c"}},
		Infer: func(args []function.Arg) (function.Signature, error) {
			s := function.Signature{Args: argTypes(args), Result: types.String()}
			if len(args) < 2 || len(args) > 3 || args[0].Type.Kind != types.Array || !args[0].Type.Elem.IsChar() {
				return s, errors.New("ARRAY_JOIN takes an array of texts, a separator and a replacement for NULL")
			}
			nullable := args[0].Type.Nullable
			for _, a := range args[1:] {
				if !a.Type.IsChar() {
					return s, fmt.Errorf("ARRAY_JOIN: want a text, not %s", a.Type.OrNull())
				}
				nullable = nullable || a.Type.Nullable
			}
			s.Result = s.Result.WithNull(nullable)
			return s, nil
		},
		Scalar: function.Bound(func(*function.Context, []function.Arg, types.Type) (function.Call, error) {
			return rowCall(joinArray), nil
		}),
	},
}

func joinArray(args []cellOf, out vector.Vector, i int) error {
	l, r := args[0].list()
	text := func(c cellOf) string { return c.v.(*vector.Flat[string]).Vals[c.i] }
	sep := text(args[1])
	o := out.(*vector.Flat[string])
	dst := o.Arena.Grow(64)
	n := 0
	for j := l.Off[r]; j < l.Off[r]+l.Count[r]; j++ {
		c := cellOf{l.Child, int(j)}
		if c.null() {
			if len(args) < 3 {
				continue
			}
			c = args[2]
		}
		if n++; n > 1 {
			dst = append(dst, sep...)
		}
		if dst = append(dst, text(c)...); len(dst) > function.MaxText {
			return function.ErrTooLong
		}
	}
	o.Vals[i] = o.Arena.Take(dst)
	return nil
}

// arrayCall fills the array of one row.
type arrayCall struct {
	out  *vector.List
	seen elemSet
	has  elemSet // what the second array has
	idx  []int32
}

// arrayDef makes a function with an array result that f appends to.
func arrayDef(name, doc, eg, result string, nulls function.NullRule, infer function.Infer, f func(*arrayCall, []cellOf)) function.Def {
	return function.Def{
		Name: name, Group: "collection", Sig: "(ARRAY, …) -> ARRAY", Doc: doc, Nulls: nulls,
		Eg: []function.Example{{Expr: eg, Result: result}},
		Infer: func(args []function.Arg) (function.Signature, error) {
			s, err := infer(args)
			if err != nil {
				err = fmt.Errorf("%s: %w", name, err)
			}
			return s, err
		},
		Scalar: function.Bound(func(*function.Context, []function.Arg, types.Type) (function.Call, error) {
			a := &arrayCall{}
			return rowCall(func(args []cellOf, out vector.Vector, i int) error {
				if nulls == function.Called && args[0].null() {
					out.SetNull(i)
					return nil
				}
				a.out = out.(*vector.List)
				start := a.out.Child.Len()
				f(a, args)
				a.out.Off[i], a.out.Count[i] = int32(start), int32(a.out.Child.Len()-start)
				return nil
			}), nil
		}),
	}
}

func (a *arrayCall) copy(v vector.Vector, j int32) { vector.CopyRow(a.out.Child, v, int(j)) }
func (a *arrayCall) copyCell(c cellOf)             { vector.CopyRow(a.out.Child, c.v, c.i) }

func (a *arrayCall) copyAll(c cellOf) {
	l, r := c.list()
	for j := l.Off[r]; j < l.Off[r]+l.Count[r]; j++ {
		a.copy(l.Child, j)
	}
}

func (a *arrayCall) remove(args []cellOf) {
	l, r := args[0].list()
	for j := l.Off[r]; j < l.Off[r]+l.Count[r]; j++ {
		if !vector.EqualRow(l.Child, int(j), args[1].v, args[1].i) {
			a.copy(l.Child, j)
		}
	}
}

// distinct appends the elements of the arrays, each once: all of them or, if
// there is another array, those it has (want) or does not have.
func (a *arrayCall) distinct(arrays []cellOf, other *cellOf, want bool) {
	a.seen.reset()
	a.has.reset()
	if other != nil {
		l, r := other.list()
		for j := l.Off[r]; j < l.Off[r]+l.Count[r]; j++ {
			a.has.add(l.Child, int(j))
		}
	}
	var null *cellOf
	for _, c := range arrays {
		l, r := c.list()
		for j := l.Off[r]; j < l.Off[r]+l.Count[r]; j++ {
			if other != nil && a.has.contains(l.Child, int(j)) != want || !a.seen.add(l.Child, int(j)) {
				continue
			}
			if other != nil && !want && l.Child.IsNull(int(j)) {
				null = &cellOf{l.Child, int(j)}
				continue
			}
			a.copy(l.Child, j)
		}
	}
	if null != nil {
		a.copyCell(*null)
	}
}

// elemSet is a set of elements; few of them are compared one by one.
type elemSet struct {
	few  []cellOf
	many map[string]struct{}
	buf  []byte
}

const fewElems = 16

func (s *elemSet) reset() {
	s.few = s.few[:0]
	clear(s.many)
}

func (s *elemSet) contains(v vector.Vector, i int) bool {
	if len(s.many) > 0 {
		s.buf = vector.AppendEqual(s.buf[:0], v, i)
		_, ok := s.many[string(s.buf)]
		return ok
	}
	for _, c := range s.few {
		if vector.EqualRow(c.v, c.i, v, i) {
			return true
		}
	}
	return false
}

// add is false if the element was there.
func (s *elemSet) add(v vector.Vector, i int) bool {
	if s.contains(v, i) {
		return false
	}
	if len(s.many) == 0 && len(s.few) < fewElems {
		s.few = append(s.few, cellOf{v, i})
		return true
	}
	if s.many == nil {
		s.many = map[string]struct{}{}
	}
	for _, c := range s.few {
		s.many[string(vector.AppendEqual(nil, c.v, c.i))] = struct{}{}
	}
	s.few = s.few[:0]
	s.many[string(vector.AppendEqual(nil, v, i))] = struct{}{}
	return true
}

// indexIn is the position from 1 of the first element equal to c, 0 if none.
func indexIn(l *vector.List, r int, c cellOf) int32 {
	for j := range l.Count[r] {
		if vector.EqualRow(l.Child, int(l.Off[r]+j), c.v, c.i) {
			return j + 1
		}
	}
	return 0
}

// compareRows returns a function that orders the rows of v, none of them NULL.
func compareRows(v vector.Vector) func(a, b int32) int {
	switch v := v.(type) {
	case *vector.Flat[int8]:
		return orderOf(v.Vals)
	case *vector.Flat[int16]:
		return orderOf(v.Vals)
	case *vector.Flat[int32]:
		return orderOf(v.Vals)
	case *vector.Flat[int64]:
		return orderOf(v.Vals)
	case *vector.Flat[string]:
		return func(a, b int32) int { return strings.Compare(v.Vals[a], v.Vals[b]) }
	case *vector.Flat[float64]:
		return func(a, b int32) int { return types.CompareFloat(v.Vals[a], v.Vals[b]) }
	case *vector.Flat[types.TS]:
		return func(a, b int32) int { return v.Vals[a].Compare(v.Vals[b]) }
	case *vector.Flat[types.Dec]:
		return func(a, b int32) int { return v.Vals[a].Cmp(v.Vals[b]) }
	}
	t := v.Type()
	return func(a, b int32) int { return types.Compare(vector.Get(v, int(a)), vector.Get(v, int(b)), t) }
}

func orderOf[T cmp.Ordered](vals []T) func(a, b int32) int {
	return func(a, b int32) int { return cmp.Compare(vals[a], vals[b]) }
}

func (a *arrayCall) sort(args []cellOf) {
	l, r := args[0].list()
	flag := func(k int, def bool) bool {
		if k >= len(args) {
			return def
		}
		return args[k].v.(*vector.Flat[bool]).Vals[args[k].i]
	}
	ascending := flag(1, true)
	nullsFirst := flag(2, ascending)
	a.idx = a.idx[:0]
	nulls := 0
	for j := l.Off[r]; j < l.Off[r]+l.Count[r]; j++ {
		if l.Child.IsNull(int(j)) {
			nulls++
			continue
		}
		a.idx = append(a.idx, j)
	}
	compare := compareRows(l.Child)
	if !ascending {
		up := compare
		compare = func(x, y int32) int { return up(y, x) }
	}
	slices.SortStableFunc(a.idx, compare)
	fill := func() {
		for range nulls {
			vector.Append(a.out.Child, nil)
		}
	}
	if nullsFirst {
		fill()
	}
	for _, j := range a.idx {
		a.copy(l.Child, j)
	}
	if !nullsFirst {
		fill()
	}
}

func (a *arrayCall) slice(args []cellOf) {
	l, r := args[0].list()
	n := int64(l.Count[r])
	number := func(c cellOf) int64 { return int64(c.v.(*vector.Flat[int32]).Vals[c.i]) }
	from, to := number(args[1]), n
	if len(args) == 3 {
		to = number(args[2])
	}
	if from < 0 {
		from += n + 1
	}
	if to < 0 {
		to += n + 1
	}
	from = max(from, 1)
	if to == 0 {
		to = 1
	}
	for j := from; j <= min(to, n); j++ {
		a.copy(l.Child, l.Off[r]+int32(j-1))
	}
}

func extremeDef(name, what, result string, sign int) function.Def {
	return function.Def{
		Name: name, Group: "collection", Sig: "(ARRAY<T>) -> T?", Doc: "The " + what + " element of the array, NULLs aside; NULL if there is none.",
		Eg: []function.Example{{Expr: name + "(ARRAY[3, 1, NULL])", Result: result}},
		Infer: func(args []function.Arg) (function.Signature, error) {
			s := function.Signature{Args: argTypes(args)}
			if len(args) != 1 || !isArray(args, 0) || args[0].Type.Elem.IsNested() {
				return s, fmt.Errorf("%s takes an array of values that have an order", name)
			}
			s.Result = args[0].Type.Elem.OrNull()
			return s, nil
		},
		Scalar: function.Bound(func(*function.Context, []function.Arg, types.Type) (function.Call, error) {
			return rowCall(func(args []cellOf, out vector.Vector, i int) error {
				l, r := args[0].list()
				compare, best := compareRows(l.Child), int32(-1)
				for j := l.Off[r]; j < l.Off[r]+l.Count[r]; j++ {
					if !l.Child.IsNull(int(j)) && (best < 0 || compare(j, best)*sign > 0) {
						best = j
					}
				}
				if best < 0 {
					vector.SetNullDeep(out, i)
					return nil
				}
				putRow(out, i, l.Child, int(best))
				return nil
			}), nil
		}),
	}
}
