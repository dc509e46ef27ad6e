package builtin

import (
	"errors"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// etlNumberVariants are functions of numbers and collections that mean something
// else in the rsqldb dialect than in Flink SQL.
var etlNumberVariants = []function.Def{
	{
		Name: "HEX", Group: "math", Sig: "(BIGINT) -> STRING | (STRING) -> STRING?",
		Doc: "The lowest 32 bits of the integer in base 16, in lower case; of a text the integer it reads as, NULL if it is none.",
		Scalar: function.Bound(func(_ *function.Context, args []function.Arg, _ types.Type) (function.Call, error) {
			if args[0].Type.IsChar() {
				return function.CallAppendOk1(func(dst []byte, s string) ([]byte, bool) {
					n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
					if err != nil {
						return dst, false
					}
					return appendHex32(dst, n), true
				}), nil
			}
			return function.CallAppend1(appendHex32), nil
		}),
		Eg: []function.Example{eg("HEX(255)", "ff"), eg("HEX('255')", "ff"), eg("HEX(-1)", "ffffffff")},
	},
	again(etlTextFuncs, "DECODE16", "UNHEX"),
	unary("SIGN", "-1, 0 or 1: the sign of the number.", func(x float64) float64 {
		switch {
		case x > 0:
			return 1
		case x < 0:
			return -1
		}
		return x
	}, eg("SIGN(-3)", "-1.0")),
	{
		Name: "RAND", Group: "math", Sig: "() -> DOUBLE! | (DOUBLE) -> DOUBLE", Volatile: true,
		Doc: "A random number from 0 to 1, 1 not included, to which the argument is added.",
		Scalar: function.Bound(func(cx *function.Context, args []function.Arg, result types.Type) (function.Call, error) {
			if len(args) == 0 {
				return bindRand(cx, args, result)
			}
			return function.CallMap1(func(x float64) float64 { return x + rand.Float64() }), nil
		}),
	},
	{
		Name: "RADIANS", Group: "math", Sig: "(DOUBLE) -> STRING", Doc: "Degrees as radians, as a text.",
		Scalar: function.Append1(func(dst []byte, x float64) []byte { return types.AppendDouble(dst, x*(math.Pi/180)) }),
		Eg:     []function.Example{eg("RADIANS(180)", "3.141592653589793")},
	},
	again(etlEpochFuncs, "NEWDATE", "CURRENT_TIMESTAMP"),
	{
		Name: "ITEM", Group: "collection", Sig: "(ARRAY<T>, INT) -> T? | (MAP<K, V>, K) -> V?",
		Doc:   "The element of an array (counted from 0), the value of a key of a map, or a part of a variant; NULL if there is none.",
		Infer: inferItemFrom0, Scalar: function.Bound(bindItemFrom0),
		Eg: []function.Example{eg("ITEM(ARRAY[1, 2], 0)", "1"), eg("ITEM(MAP['a', 1], 'a')", "1")},
	},
}

// etlMapFuncs are members of maps; of JSON texts they are in etl_json.go.
var etlMapFuncs = []function.Def{
	{
		Name: "GET_MAP_FIELD", Aliases: []string{"MAP_FIELD"}, Group: "collection", Sig: "(MAP<K, V>, K) -> V?",
		Doc:    "The value of a key of a map; NULL if there is none.",
		Infer:  onlyMaps("GET_MAP_FIELD", inferItem),
		Scalar: function.Bound(bindItem), Eg: []function.Example{eg("GET_MAP_FIELD(MAP['a', 1], 'a')", "1")},
	},
	{
		Name: "PUT_MAP_FIELD", Group: "collection", Sig: "(MAP<K, V>, K, V) -> MAP<K, V>",
		Doc: "The map with a value for a key, in place of the one it had.", Infer: onlyMaps("PUT_MAP_FIELD", inferPut),
		Scalar: function.Bound(func(*function.Context, []function.Arg, types.Type) (function.Call, error) {
			var seen elemSet
			return rowCall(func(args []cellOf, out vector.Vector, i int) error {
				m := out.(*vector.Map)
				from, r := args[0].maps()
				seen.reset()
				seen.add(args[1].v, args[1].i)
				start := m.Keys.Len()
				for j := from.Off[r]; j < from.Off[r]+from.Count[r]; j++ {
					if seen.add(from.Keys, int(j)) {
						vector.CopyRow(m.Keys, from.Keys, int(j))
						vector.CopyRow(m.Vals, from.Vals, int(j))
					}
				}
				vector.CopyRow(m.Keys, args[1].v, args[1].i)
				vector.CopyRow(m.Vals, args[2].v, args[2].i)
				m.Off[i], m.Count[i] = int32(start), int32(m.Keys.Len()-start)
				return nil
			}), nil
		}),
		Eg: []function.Example{eg("PUT_MAP_FIELD(MAP['a', 1], 'b', 2)", "{a=1, b=2}")},
	},
}

func appendHex32(dst []byte, n int64) []byte { return strconv.AppendUint(dst, uint64(uint32(n)), 16) }

func inferItemFrom0(args []function.Arg) (function.Signature, error) {
	if !isArray(args, 0) {
		return inferItem(args)
	}
	s := function.Signature{Args: argTypes(args)}
	if len(args) != 2 || !args[1].Type.IsInteger() {
		return s, errors.New("ITEM takes an array and an integer")
	}
	s.Args[1] = types.Of(types.BigInt).WithNull(args[1].Type.Nullable)
	s.Result = args[0].Type.Elem.OrNull()
	return s, nil
}

func bindItemFrom0(cx *function.Context, args []function.Arg, result types.Type) (function.Call, error) {
	if !isArray(args, 0) {
		return bindItem(cx, args, result)
	}
	return rowCall(func(args []cellOf, out vector.Vector, i int) error {
		l, r := args[0].list()
		vals, mask := function.Column[int64](args[1].v)
		n := vals[int32(args[1].i)&mask]
		if n < 0 || n >= int64(l.Count[r]) {
			vector.SetNullDeep(out, i)
			return nil
		}
		putRow(out, i, l.Child, int(l.Off[r])+int(n))
		return nil
	}), nil
}

// onlyMaps leaves calls whose first argument is no map to other overloads.
func onlyMaps(name string, infer function.Infer) function.Infer {
	return func(args []function.Arg) (function.Signature, error) {
		if len(args) == 0 || args[0].Type.Kind != types.Map {
			return function.Signature{}, errors.New(name + " takes a map")
		}
		return infer(args)
	}
}

// inferPut casts key and value to those of the map.
func inferPut(args []function.Arg) (function.Signature, error) {
	s := function.Signature{Args: argTypes(args)}
	if len(args) != 3 {
		return s, errors.New("PUT_MAP_FIELD takes a map, a key and a value")
	}
	m := args[0].Type
	for i, want := range []types.Type{*m.Key, *m.Elem} {
		t := args[i+1].Type
		if _, implicit := types.Castable(t, want); !implicit && !t.Same(want) && !(t.IsChar() && want.IsChar()) {
			return s, errors.New("PUT_MAP_FIELD: a map of " + want.OrNull().String() + " takes no " + t.OrNull().String())
		}
		s.Args[i+1] = want.WithNull(t.Nullable || t.Kind == types.Null)
	}
	s.Result = types.MapOf(*m.Key, *m.Elem).WithNull(m.Nullable || s.Args[1].Nullable || s.Args[2].Nullable)
	return s, nil
}
