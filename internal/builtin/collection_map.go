package builtin

import (
	"errors"
	"fmt"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

var mapFuncs = []function.Def{
	mapPart("MAP_KEYS", "The keys of the map.", "[a]", func(t types.Type) types.Type { return *t.Key }, func(l *vector.List, m *vector.Map, j int) {
		vector.CopyRow(l.Child, m.Keys, j)
	}),
	mapPart("MAP_VALUES", "The values of the map.", "[1]", func(t types.Type) types.Type { return *t.Elem }, func(l *vector.List, m *vector.Map, j int) {
		vector.CopyRow(l.Child, m.Vals, j)
	}),
	mapPart("MAP_ENTRIES", "The entries of the map as rows of key and value.", "[(a, 1)]", func(t types.Type) types.Type {
		return types.RowOf(types.Field{Name: "key", Type: *t.Key}, types.Field{Name: "value", Type: *t.Elem})
	}, func(l *vector.List, m *vector.Map, j int) {
		row := l.Child.(*vector.Row)
		at := vector.Extend(row, 1)
		putRow(row.Cols[0], at, m.Keys, j)
		putRow(row.Cols[1], at, m.Vals, j)
	}),
	{
		Name: "MAP_FROM_ARRAYS", Group: "collection", Sig: "(ARRAY<K>, ARRAY<V>) -> MAP<K, V>",
		Doc: "The map of an array of keys and one of values, which must be as long. A key that comes twice stays twice.",
		Eg:  []function.Example{{Expr: "MAP_FROM_ARRAYS(ARRAY['a', 'b'], ARRAY[1, 2])", Result: "{a=1, b=2}"}},
		Infer: func(args []function.Arg) (function.Signature, error) {
			s := function.Signature{Args: argTypes(args)}
			if len(args) != 2 || !isArray(args, 0) || !isArray(args, 1) {
				return s, errors.New("MAP_FROM_ARRAYS takes an array of keys and an array of values")
			}
			s.Result = types.MapOf(*args[0].Type.Elem, *args[1].Type.Elem).WithNull(args[0].Type.Nullable || args[1].Type.Nullable)
			return s, nil
		},
		Scalar: function.Bound(func(*function.Context, []function.Arg, types.Type) (function.Call, error) {
			return rowCall(func(args []cellOf, out vector.Vector, i int) error {
				keys, k := args[0].list()
				vals, v := args[1].list()
				n := keys.Count[k]
				if n != vals.Count[v] {
					return fmt.Errorf("MAP_FROM_ARRAYS: %d keys but %d values", n, vals.Count[v])
				}
				m := out.(*vector.Map)
				m.Off[i], m.Count[i] = int32(m.Keys.Len()), n
				for j := range n {
					vector.CopyRow(m.Keys, keys.Child, int(keys.Off[k]+j))
					vector.CopyRow(m.Vals, vals.Child, int(vals.Off[v]+j))
				}
				return nil
			}), nil
		}),
	},
	{
		Name: "MAP_UNION", Group: "collection", Sig: "(MAP<K, V>, …) -> MAP<K, V>",
		Doc:   "The entries of all maps; of a key that several have the value of the last one.",
		Eg:    []function.Example{{Expr: "MAP_UNION(MAP['a', 1], MAP['a', 2])", Result: "{a=2}"}},
		Infer: inferMaps,
		Scalar: function.Bound(func(*function.Context, []function.Arg, types.Type) (function.Call, error) {
			var seen elemSet
			return rowCall(func(args []cellOf, out vector.Vector, i int) error {
				m := out.(*vector.Map)
				seen.reset()
				start := m.Keys.Len()
				for k := len(args) - 1; k >= 0; k-- { // the last map first, as Flink lists them
					from, r := args[k].maps()
					for j := from.Off[r]; j < from.Off[r]+from.Count[r]; j++ {
						if seen.add(from.Keys, int(j)) {
							vector.CopyRow(m.Keys, from.Keys, int(j))
							vector.CopyRow(m.Vals, from.Vals, int(j))
						}
					}
				}
				m.Off[i], m.Count[i] = int32(start), int32(m.Keys.Len()-start)
				return nil
			}), nil
		}),
	},
}

func inferMaps(args []function.Arg) (function.Signature, error) {
	s := function.Signature{Args: argTypes(args)}
	if len(args) == 0 {
		return s, errors.New("MAP_UNION takes maps")
	}
	for _, a := range args {
		if a.Type.Kind != types.Map {
			return s, fmt.Errorf("MAP_UNION takes maps, not %s", a.Type.OrNull())
		}
	}
	t, ok := types.Common(s.Args...)
	if !ok {
		return s, errors.New("the maps have no common type")
	}
	for i := range s.Args {
		s.Args[i] = t.WithNull(s.Args[i].Nullable)
	}
	s.Result = t
	return s, nil
}

// mapPart makes a function that lists something of every entry.
func mapPart(name, doc, result string, elem func(types.Type) types.Type, f func(*vector.List, *vector.Map, int)) function.Def {
	return function.Def{
		Name: name, Group: "collection", Sig: "(MAP<K, V>) -> ARRAY", Doc: doc,
		Eg: []function.Example{{Expr: name + "(MAP['a', 1])", Result: result}},
		Infer: func(args []function.Arg) (function.Signature, error) {
			s := function.Signature{Args: argTypes(args)}
			if len(args) != 1 || args[0].Type.Kind != types.Map {
				return s, fmt.Errorf("%s takes a map", name)
			}
			s.Result = types.ArrayOf(elem(args[0].Type)).WithNull(args[0].Type.Nullable)
			return s, nil
		},
		Scalar: function.Bound(func(*function.Context, []function.Arg, types.Type) (function.Call, error) {
			return rowCall(func(args []cellOf, out vector.Vector, i int) error {
				m, r := args[0].maps()
				l := out.(*vector.List)
				l.Off[i], l.Count[i] = int32(l.Child.Len()), m.Count[r]
				for j := m.Off[r]; j < m.Off[r]+m.Count[r]; j++ {
					f(l, m, int(j))
				}
				return nil
			}), nil
		}),
	}
}
