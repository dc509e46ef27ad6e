package builtin

import (
	"errors"
	"fmt"
	"strings"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// The JSON of RocketMQ-Streams is text in, text out. What is no JSON, or not of
// the kind that is needed, gives NULL. Members keep their order here.

var etlJSONFuncs = []function.Def{
	{
		Name: "TOJSON", Group: "json", Sig: "(STRING) -> STRING?", Doc: "The object or array of a text, without blanks and with sorted keys; NULL for everything else.",
		Eg: []function.Example{{Expr: `TOJSON('{"b": 1, "a": [ ]}')`, Result: `{"a":[],"b":1}`}, {Expr: "TOJSON('x')", Result: "NULL"}},
		Scalar: function.AppendOk1(func(dst []byte, s string) ([]byte, bool) {
			v, ok := jsonOf(s, "{[")
			if !ok {
				return dst, false
			}
			return appendJSON(dst, s, v), true
		}),
	},
	{
		Name: "JSON_FIELD", Aliases: []string{"GET_JSON_FIELD", "GET_MAP_FIELD", "MAP_FIELD", "GET"}, Group: "json", Sig: "(STRING, STRING) -> STRING?",
		Doc: "A member of an object: texts as they read, others as JSON.",
		Eg:  []function.Example{{Expr: `JSON_FIELD('{"a": {"b": 1}, "c": "x"}', 'c')`, Result: "x"}},
		Scalar: function.AppendOk2(func(dst []byte, s, key string) ([]byte, bool) {
			v, ok := jsonMemberOf(s, key)
			if !ok || s[v.start] == 'n' {
				return dst, false
			}
			return appendLoose(dst, s, v), true
		}),
	},
	{
		Name: "JSON_CREATE", Aliases: []string{"JSON_GENERATE"}, Group: "json", Nulls: function.Called, Sig: "(key, value, …) -> STRING!",
		Doc: "The object of keys and values; NULLs are left out.",
		Eg:  []function.Example{{Expr: "JSON_CREATE('b', 1, 'a', 'x')", Result: `{"b":1,"a":"x"}`}},
		Infer: func(args []function.Arg) (function.Signature, error) {
			return inferPairs("JSON_CREATE", args, 0)
		},
		Scalar: function.Bound(bindJSONAdd(0)),
	},
	{
		Name: "JSON_ADD", Aliases: []string{"JSONADD", "PUT_MAP_FIELD"}, Group: "json", Nulls: function.Called, Sig: "(STRING, key, value, …) -> STRING",
		Doc: "The object with more members, in place of those of the same key. NULLs are left out.",
		Eg:  []function.Example{{Expr: `JSON_ADD('{"a": 1, "b": 2}', 'a', 3, 'c', TRUE)`, Result: `{"a":3,"b":2,"c":true}`}},
		Infer: func(args []function.Arg) (function.Signature, error) {
			return inferPairs("JSON_ADD", args, 1)
		},
		Scalar: function.Bound(bindJSONAdd(1)),
	},
	{
		Name: "JSON_REMOVE", Aliases: []string{"JSONREMOVE"}, Group: "json", Sig: "(STRING, STRING...) -> STRING?", Doc: "The object without some members.",
		Eg: []function.Example{{Expr: `JSON_REMOVE('{"a": 1, "b": 2}', 'a')`, Result: `{"b":2}`}},
		Scalar: function.Bound(func(*function.Context, []function.Arg, types.Type) (function.Call, error) {
			return rowText(func(dst []byte, args []vector.Vector, i int) ([]byte, bool) {
				s := textAt(args[0], i)
				v, ok := jsonOf(s, "{")
				if !ok {
					return dst, false
				}
				return appendObject(dst, s, jsonMembers(nil, s, v.start), func(m jsonMember) bool {
					for _, a := range args[1:] {
						if textAt(a, i) == m.key {
							return false
						}
					}
					return true
				}), true
			}), nil
		}),
	},
	{
		Name: "JSON_EXPAND", Aliases: []string{"JSONEXPAND"}, Group: "json", Sig: "(STRING, STRING) -> STRING?",
		Doc:    "The object with the members of a nested object lifted into it, in place of that.",
		Eg:     []function.Example{{Expr: `JSON_EXPAND('{"a": 1, "b": {"c": 2}}', 'b')`, Result: `{"a":1,"c":2}`}},
		Scalar: function.AppendOk2(expandJSON),
	},
	{
		Name: "ROW2COLUMN", Aliases: []string{"ROWTOCOLUMN"}, Group: "json", Sig: "(STRING, STRING, STRING) -> STRING?",
		Doc:    "The object made of an array of rows: of each the member named second is the key and the one named third the value.",
		Eg:     []function.Example{{Expr: `ROW2COLUMN('[{"k": "a", "v": 1}, {"k": "b", "v": 2}]', 'k', 'v')`, Result: `{"a":1,"b":2}`}},
		Scalar: function.AppendOk3(rowsToColumns),
	},
	{
		Name: "ARRAY_SIZE", Aliases: []string{"SIZE_ARRAY"}, Group: "json", Sig: "(STRING) -> INT?", Doc: "The number of elements of a JSON array.",
		Eg: []function.Example{{Expr: "ARRAY_SIZE('[1, 2]')", Result: "2"}, {Expr: "ARRAY_SIZE('1')", Result: "NULL"}},
		Scalar: function.MapOk1(func(s string) (int32, bool) {
			v, ok := jsonOf(s, "[")
			if !ok {
				return 0, false
			}
			return int32(len(jsonElements(nil, s, v.start))), true
		}),
	},
	{
		Name: "JSON_MERGE", Aliases: []string{"JSONMERGE", "EXPAND_JSON", "EXPANDFIELD"}, Group: "json", Sig: "(STRING, STRING...) -> STRING?",
		Doc: "The object with the members of all objects; of a key that several have the last value counts.",
		Eg:  []function.Example{{Expr: `JSON_MERGE('{"a": 1, "b": 2}', '{"b": 3}')`, Result: `{"a":1,"b":3}`}},
		Scalar: function.Bound(func(*function.Context, []function.Arg, types.Type) (function.Call, error) {
			return rowText(func(dst []byte, args []vector.Vector, i int) ([]byte, bool) {
				var names []string
				values := map[string]string{}
				for _, a := range args {
					s := textAt(a, i)
					v, ok := jsonOf(s, "{")
					if !ok {
						return dst, false
					}
					for _, m := range jsonMembers(nil, s, v.start) {
						if _, known := values[m.key]; !known {
							names = append(names, m.key)
						}
						values[m.key] = s[m.start:m.end]
					}
				}
				dst = append(dst, '{')
				start := len(dst)
				for _, name := range names {
					v := values[name]
					dst = appendJSON(appendMember(dst, start, name), v, jsonSpan{0, len(v)})
				}
				return append(dst, '}'), true
			}), nil
		}),
	},
	{
		Name: "REMOVE_MAX", Aliases: []string{"RM_MAX"}, Group: "json", Sig: "(STRING, STRING) -> STRING?",
		Doc: "The array of objects without those whose member has the largest value, compared as texts.",
		Eg:  []function.Example{{Expr: `REMOVE_MAX('[{"a": 1}, {"a": 3}]', 'a')`, Result: `[{"a":1}]`}},
		Scalar: function.AppendOk2(func(dst []byte, s, field string) ([]byte, bool) {
			v, ok := jsonOf(s, "[")
			if !ok {
				return dst, false
			}
			best, found := extremeMember(s, v, field, 1)
			dst = append(dst, '[')
			start := len(dst)
			for _, e := range jsonElements(nil, s, v.start) {
				if m, ok := memberOf(s, e, field); ok && found && string(appendLoose(nil, s, m)) == best {
					continue
				}
				if len(dst) > start {
					dst = append(dst, ',')
				}
				dst = appendJSON(dst, s, e)
			}
			return append(dst, ']'), true
		}),
	},
	arrayExtreme("IN_MAX", "MAX_FROM_ARRAY", "largest", 1, "3"), arrayExtreme("IN_MIN", "MIN_FROM_ARRAY", "smallest", -1, "1"),
}

// etlJSONVariants mean something else in rsqldb than in Flink.
var etlJSONVariants = []function.Def{
	{
		Name: "JSON_VALUE", Aliases: []string{"JSON_GET"}, Group: "json", Nulls: function.Called, Sig: "(STRING, STRING, …) -> STRING?",
		Doc: "What a JSON path leads to: scalars as they read, objects and arrays as JSON, several values as an array; NULL for nothing and for bad input. With RETURNING, ON EMPTY or ON ERROR as in Flink.",
		Eg:  []function.Example{{Expr: `JSON_VALUE('{"a": [{"b": 1}, {"b": 2}]}', '$.a[*].b')`, Result: "[1,2]"}},
		Infer: func(args []function.Arg) (function.Signature, error) {
			if len(args) > 2 {
				return inferJSONValue(args)
			}
			if len(args) != 2 || !args[0].Type.IsChar() || !args[1].Type.IsChar() {
				return function.Signature{}, errors.New("JSON_VALUE takes a JSON text and a path")
			}
			return function.Signature{Args: argTypes(args), Result: types.String()}, nil
		},
		Scalar: function.Bound(func(cx *function.Context, args []function.Arg, result types.Type) (function.Call, error) {
			if len(args) > 2 {
				return bindJSONValue(cx, args, result)
			}
			var p *jsonPath
			return rowText(func(dst []byte, args []vector.Vector, i int) ([]byte, bool) {
				if args[0].IsNull(i) || args[1].IsNull(i) {
					return dst, false
				}
				if path := textAt(args[1], i); p == nil || p.text != path {
					p = compilePath(strings.Clone(path))
				}
				r, status := p.eval(textAt(args[0], i))
				switch {
				case status != pathFound:
					return dst, false
				case r.many:
					return r.append(dst), true
				}
				return appendLoose(dst, r.text, r.value), true
			}), nil
		}),
	},
}

// textAt is the text of row i of a column.
func textAt(v vector.Vector, i int) string {
	if c, ok := v.(*vector.Const); ok {
		v, i = c.Of, 0
	}
	return v.(*vector.Flat[string]).Vals[i]
}

// jsonOf returns the value of a JSON text if it begins with one of kinds.
func jsonOf(s, kinds string) (jsonSpan, bool) {
	start, end := jsonDocument(s)
	if end < 0 || strings.IndexByte(kinds, s[start]) < 0 {
		return jsonSpan{}, false
	}
	return jsonSpan{start, end}, true
}

func jsonMemberOf(s, key string) (jsonSpan, bool) {
	v, ok := jsonOf(s, "{")
	if !ok {
		return v, false
	}
	return memberOf(s, v, key)
}

func memberOf(s string, v jsonSpan, key string) (jsonSpan, bool) {
	if s[v.start] != '{' {
		return v, false
	}
	for _, m := range jsonMembers(nil, s, v.start) {
		if m.key == key {
			return jsonSpan{m.start, m.end}, true
		}
	}
	return v, false
}

// appendLoose appends a scalar as it reads, others as JSON.
func appendLoose(dst []byte, s string, v jsonSpan) []byte {
	if isJSONScalar(s, v) {
		return appendJSONScalar(dst, s, v)
	}
	return appendJSON(dst, s, v)
}

// appendObject appends an object of the members that keep keeps.
func appendObject(dst []byte, s string, members []jsonMember, keep func(jsonMember) bool) []byte {
	dst = append(dst, '{')
	start := len(dst)
	for _, m := range members {
		if keep(m) {
			dst = appendMember(dst, start, m.key)
			dst = appendJSON(dst, s, jsonSpan{m.start, m.end})
		}
	}
	return append(dst, '}')
}

// appendMember appends "key": with a comma in front unless it is the first.
func appendMember(dst []byte, start int, key string) []byte {
	if len(dst) > start {
		dst = append(dst, ',')
	}
	return append(appendJSONQuoted(dst, key), ':')
}

func inferPairs(name string, args []function.Arg, first int) (function.Signature, error) {
	s := function.Signature{Args: argTypes(args), Result: types.String().WithNull(first == 1)}
	if len(args) < first || (len(args)-first)%2 != 0 || first == 1 && !args[0].Type.IsChar() {
		return s, fmt.Errorf("%s takes %spairs of key and value", name, [...]string{"", "a JSON text and "}[first])
	}
	for i := first; i < len(args); i += 2 {
		if !args[i].Type.IsChar() {
			return s, fmt.Errorf("the keys of %s are texts, not %s", name, args[i].Type.OrNull())
		}
		if args[i+1].Type.Kind == types.Null {
			s.Args[i+1] = types.String()
		} else if _, err := jsonWriter(args[i+1].Type); err != nil {
			return s, err
		}
	}
	return s, nil
}

// bindJSONAdd makes an object of pairs, added to that of the first argument if first is 1.
func bindJSONAdd(first int) func(*function.Context, []function.Arg, types.Type) (function.Call, error) {
	return func(_ *function.Context, args []function.Arg, _ types.Type) (function.Call, error) {
		writes := make([]jsonWrite, len(args))
		for i := first; i < len(args); i += 2 {
			t := args[i+1].Type
			if t.Kind == types.Null {
				t = types.String()
			}
			var err error
			if writes[i+1], err = jsonWriter(t); err != nil {
				return nil, err
			}
		}
		return rowText(func(dst []byte, args []vector.Vector, i int) ([]byte, bool) {
			var members []jsonMember
			s := ""
			if first == 1 {
				if args[0].IsNull(i) {
					return dst, false
				}
				s = textAt(args[0], i)
				v, ok := jsonOf(s, "{")
				if !ok {
					return dst, false
				}
				members = jsonMembers(nil, s, v.start)
			}
			dst = append(dst, '{')
			start := len(dst)
			added := func(key string, from int) int { // the last pair of the key
				at := -1
				for k := from; k < len(args); k += 2 {
					if !args[k].IsNull(i) && !args[k+1].IsNull(i) && textAt(args[k], i) == key {
						at = k
					}
				}
				return at
			}
			used := make([]bool, len(args))
			for _, m := range members {
				dst = appendMember(dst, start, m.key)
				if k := added(m.key, first); k >= 0 {
					used[k] = true
					dst = writes[k+1](dst, args[k+1], i)
				} else {
					dst = appendJSON(dst, s, jsonSpan{m.start, m.end})
				}
			}
			for k := first; k < len(args); k += 2 {
				if args[k].IsNull(i) || args[k+1].IsNull(i) {
					continue
				}
				key := textAt(args[k], i)
				last := added(key, first)
				if used[last] {
					continue
				}
				used[last] = true
				dst = writes[last+1](appendMember(dst, start, key), args[last+1], i)
			}
			return append(dst, '}'), true
		}), nil
	}
}

func expandJSON(dst []byte, s, key string) ([]byte, bool) {
	v, ok := jsonOf(s, "{")
	if !ok {
		return dst, false
	}
	members := jsonMembers(nil, s, v.start)
	sub, ok := memberOf(s, v, key)
	if !ok || s[sub.start] != '{' {
		return appendObject(dst, s, members, func(jsonMember) bool { return true }), true
	}
	lifted := jsonMembers(nil, s, sub.start)
	all := make([]jsonMember, 0, len(members)+len(lifted))
	for _, m := range members {
		if m.key != key {
			all = append(all, m)
		}
	}
	all = uniqueMembers(append(all, lifted...))
	return appendObject(dst, s, all, func(jsonMember) bool { return true }), true
}

func rowsToColumns(dst []byte, s, keyField, valueField string) ([]byte, bool) {
	v, ok := jsonOf(s, "[")
	if !ok {
		return dst, false
	}
	var members []jsonMember
	for _, e := range jsonElements(nil, s, v.start) {
		k, ok := memberOf(s, e, keyField)
		val, okVal := memberOf(s, e, valueField)
		if ok && okVal && isJSONScalar(s, k) {
			members = append(members, jsonMember{key: string(appendJSONScalar(nil, s, k)), start: val.start, end: val.end})
		}
	}
	return appendObject(dst, s, uniqueMembers(members), func(jsonMember) bool { return true }), true
}

// arrayExtreme makes a function that finds the largest or smallest field of an array of objects.
func arrayExtreme(name, alias, what string, sign int, result string) function.Def {
	return function.Def{
		Name: name, Aliases: []string{alias}, Group: "json", Sig: "(STRING, STRING) -> STRING?",
		Doc: "The " + what + " value of a member in an array of objects, compared as texts.",
		Eg:  []function.Example{{Expr: name + `('[{"a": 1}, {"a": 3}, {"b": 9}]', 'a')`, Result: result}},
		Scalar: function.AppendOk2(func(dst []byte, s, field string) ([]byte, bool) {
			v, ok := jsonOf(s, "[")
			if !ok {
				return dst, false
			}
			best, found := extremeMember(s, v, field, sign)
			return append(dst, best...), found
		}),
	}
}

// extremeMember finds the largest (sign 1) or smallest value of a member in an
// array of objects, compared as texts.
func extremeMember(s string, v jsonSpan, field string, sign int) (best string, found bool) {
	for _, e := range jsonElements(nil, s, v.start) {
		m, ok := memberOf(s, e, field)
		if !ok || s[m.start] == 'n' {
			continue
		}
		if text := string(appendLoose(nil, s, m)); !found || strings.Compare(text, best)*sign > 0 {
			best, found = text, true
		}
	}
	return best, found
}
