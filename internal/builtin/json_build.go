package builtin

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// jsonText marks, as the Unit of a text type, that a text is JSON of one of our
// functions: as a value of JSON_OBJECT and JSON_ARRAY it is not quoted.
const jsonText = "JSON"

func jsonType() types.Type {
	t := types.String()
	t.Unit = jsonText
	return t
}

var jsonBuildFuncs = []function.Def{
	{
		Name: "JSON_OBJECT", Group: "json", Nulls: function.Called,
		Sig: "([KEY] key VALUE value, … [NULL | ABSENT ON NULL]) -> STRING!",
		Doc: "A JSON object of keys, which are literals, and values, sorted by key; of a key that comes twice the last value counts. NULL becomes null unless ABSENT ON NULL.",
		Eg: []function.Example{{Expr: "JSON_OBJECT('b' VALUE 1, 'a' VALUE JSON_ARRAY(1.50, TRUE))", Result: `{"a":[1.50,true],"b":1}`},
			{Expr: "JSON_OBJECT()", Result: "{}"}},
		Infer:  inferJSONObject,
		Scalar: function.Bound(bindJSONObject),
	},
	{
		Name: "JSON_ARRAY", Group: "json", Nulls: function.Called,
		Sig:    "(value, … [NULL | ABSENT ON NULL]) -> STRING!",
		Doc:    "A JSON array of the values. NULLs are left out unless NULL ON NULL.",
		Eg:     []function.Example{{Expr: "JSON_ARRAY(1, 'a', CAST(NULL AS INT))", Result: `[1,"a"]`}, {Expr: "JSON_ARRAY()", Result: "[]"}},
		Infer:  inferJSONArray,
		Scalar: function.Bound(bindJSONArray),
	},
	{
		Name: "JSON_STRING", Group: "json", Sig: "(ANY) -> STRING",
		Doc: "The value as JSON.",
		Eg:  []function.Example{{Expr: "JSON_STRING(ARRAY[1, NULL])", Result: "[1,null]"}, {Expr: "JSON_STRING('a')", Result: `"a"`}},
		Infer: func(args []function.Arg) (function.Signature, error) {
			if len(args) != 1 {
				return function.Signature{}, errors.New("JSON_STRING takes one argument")
			}
			_, err := jsonWriter(args[0].Type)
			return function.Signature{Args: argTypes(args), Result: types.String().WithNull(args[0].Type.Nullable)}, err
		},
		Scalar: function.Bound(func(_ *function.Context, args []function.Arg, _ types.Type) (function.Call, error) {
			write, err := jsonWriter(args[0].Type)
			if err != nil {
				return nil, err
			}
			return rowText(func(dst []byte, args []vector.Vector, i int) ([]byte, bool) {
				return write(dst, args[0], i), true
			}), nil
		}),
	},
	{
		Name: "JSON", Group: "json", Sig: "(STRING) -> STRING",
		Doc: "A text that is JSON, for JSON_OBJECT and JSON_ARRAY: it becomes a part of them instead of a string. NULL for a blank text, an error for one that is no JSON.",
		Eg:  []function.Example{{Expr: `JSON_OBJECT('a' VALUE JSON('{"c": 1, "b": 2}'))`, Result: `{"a":{"b":2,"c":1}}`}},
		Infer: func(args []function.Arg) (function.Signature, error) {
			if len(args) != 1 || !args[0].Type.IsChar() {
				return function.Signature{}, errors.New("JSON takes a text")
			}
			return function.Signature{Args: argTypes(args), Result: jsonType()}, nil
		},
		Scalar: function.Bound(func(*function.Context, []function.Arg, types.Type) (function.Call, error) {
			return canonicalJSON(), nil
		}),
	},
}

func canonicalJSON() function.Call {
	var all []int32
	return func(args []vector.Vector, sel []int32, out vector.Vector) error {
		o := out.(*vector.Flat[string])
		texts, tm := function.Column[string](args[0])
		for _, i := range function.Rows(sel, len(o.Vals), &all) {
			s := texts[i&tm]
			start, end := jsonDocument(s)
			switch {
			case start == len(s):
				o.SetNull(int(i))
			case end < 0:
				return &function.RowError{Row: int(i), Err: errNoJSON(s, ^end)}
			default:
				o.Vals[i] = o.Arena.Take(appendJSON(o.Arena.Grow(end-start+16), s, jsonSpan{start, end}))
			}
		}
		return nil
	}
}

// rowText makes a Call of a function that appends the text of row i; without a
// result it is NULL.
func rowText(f func(dst []byte, args []vector.Vector, i int) ([]byte, bool)) function.Call {
	var all []int32
	return func(args []vector.Vector, sel []int32, out vector.Vector) error {
		o := out.(*vector.Flat[string])
		for _, i := range function.Rows(sel, len(o.Vals), &all) {
			b, ok := f(o.Arena.Grow(128), args, int(i))
			if !ok {
				o.SetNull(int(i))
				continue
			}
			o.Vals[i] = o.Arena.Take(b)
		}
		return nil
	}
}

// nullClause takes "NULL ON NULL" or "ABSENT ON NULL" off the arguments.
func nullClause(args []function.Arg, absent bool) (first int, skip bool) {
	if len(args) > 0 && args[0].Type.Kind == types.Symbol {
		return 1, args[0].Value == "ABSENT ON NULL"
	}
	return 0, absent
}

func inferJSONObject(args []function.Arg) (function.Signature, error) {
	first, _ := nullClause(args, false)
	s := function.Signature{Args: argTypes(args), Result: jsonType().NotNull()}
	if (len(args)-first)%2 != 0 {
		return s, errors.New("JSON_OBJECT takes keys and values in pairs")
	}
	for i := first; i < len(args); i += 2 {
		if _, ok := constText(args, i); !ok {
			return s, errors.New("a key of JSON_OBJECT must be a text literal")
		}
		if _, err := jsonWriter(args[i+1].Type); err != nil {
			return s, err
		}
	}
	keepUnits(&s, args)
	return s, nil
}

// keepUnits keeps the marks of JSON texts on the types of arguments.
func keepUnits(s *function.Signature, args []function.Arg) {
	for i, a := range args {
		s.Args[i].Unit = a.Type.Unit
	}
}

func bindJSONObject(_ *function.Context, args []function.Arg, _ types.Type) (function.Call, error) {
	first, absent := nullClause(args, false)
	type member struct {
		key   string
		text  []byte // "key":
		args  []int  // in order, the last one that is not absent counts
		write []jsonWrite
	}
	var members []*member
	for i := first; i < len(args); i += 2 {
		key, _ := constText(args, i)
		write, err := jsonWriter(args[i+1].Type)
		if err != nil {
			return nil, err
		}
		k := slices.IndexFunc(members, func(m *member) bool { return m.key == key })
		if k < 0 {
			k = len(members)
			members = append(members, &member{key: key, text: append(appendJSONQuoted(nil, key), ':')})
		}
		members[k].args = append(members[k].args, i+1)
		members[k].write = append(members[k].write, write)
	}
	slices.SortFunc(members, func(a, b *member) int { return compareUTF16(a.key, b.key) })
	return rowText(func(dst []byte, args []vector.Vector, i int) ([]byte, bool) {
		dst = append(dst, '{')
		start := len(dst)
		for _, m := range members {
			k := len(m.args) - 1
			for absent && k >= 0 && args[m.args[k]].IsNull(i) {
				k--
			}
			if k < 0 {
				continue
			}
			if len(dst) > start {
				dst = append(dst, ',')
			}
			dst = append(dst, m.text...)
			dst = m.write[k](dst, args[m.args[k]], i)
		}
		return append(dst, '}'), true
	}), nil
}

func inferJSONArray(args []function.Arg) (function.Signature, error) {
	first, _ := nullClause(args, true)
	s := function.Signature{Args: argTypes(args), Result: jsonType().NotNull()}
	for i := first; i < len(args); i++ {
		if _, err := jsonWriter(args[i].Type); err != nil {
			return s, err
		}
	}
	keepUnits(&s, args)
	return s, nil
}

func bindJSONArray(_ *function.Context, args []function.Arg, _ types.Type) (function.Call, error) {
	first, absent := nullClause(args, true)
	writes := make([]jsonWrite, len(args))
	for i := first; i < len(args); i++ {
		var err error
		if writes[i], err = jsonWriter(args[i].Type); err != nil {
			return nil, err
		}
	}
	return rowText(func(dst []byte, args []vector.Vector, i int) ([]byte, bool) {
		dst = append(dst, '[')
		start := len(dst)
		for k := first; k < len(args); k++ {
			if absent && args[k].IsNull(i) {
				continue
			}
			if len(dst) > start {
				dst = append(dst, ',')
			}
			dst = writes[k](dst, args[k], i)
		}
		return append(dst, ']'), true
	}), nil
}

// jsonWrite appends row i of v as JSON.
type jsonWrite func(dst []byte, v vector.Vector, i int) []byte

// jsonWriter returns the function that writes values of t: numbers and BOOLEAN
// as they are, times in ISO form, bytes in base64, rows and maps as objects with
// sorted keys.
func jsonWriter(t types.Type) (jsonWrite, error) {
	write, err := jsonValueWriter(t)
	if err != nil {
		return nil, err
	}
	return func(dst []byte, v vector.Vector, i int) []byte {
		if c, ok := v.(*vector.Const); ok {
			v, i = c.Of, 0
		}
		if v.IsNull(i) {
			return append(dst, "null"...)
		}
		return write(dst, v, i)
	}, nil
}

// scalarWriter adapts a function of a value.
func scalarWriter[T vector.Elem](f func(dst []byte, x T) []byte) (jsonWrite, error) {
	return func(dst []byte, v vector.Vector, i int) []byte { return f(dst, v.(*vector.Flat[T]).Vals[i]) }, nil
}

func quotedWriter[T vector.Elem](f func(dst []byte, x T) []byte) (jsonWrite, error) {
	return scalarWriter(func(dst []byte, x T) []byte { return append(f(append(dst, '"'), x), '"') })
}

func jsonValueWriter(t types.Type) (jsonWrite, error) {
	switch t.Kind {
	case types.Char, types.VarChar:
		if t.Unit == jsonText {
			return scalarWriter(func(dst []byte, s string) []byte {
				if start, end := jsonDocument(s); end == len(s) {
					return appendJSON(dst, s, jsonSpan{start, end})
				}
				return appendJSONQuoted(dst, s)
			})
		}
		return scalarWriter(appendJSONQuoted)
	case types.Variant:
		return scalarWriter(func(dst []byte, s string) []byte { return append(dst, s...) })
	case types.Boolean:
		return scalarWriter(func(dst []byte, b bool) []byte { return strconv.AppendBool(dst, b) })
	case types.TinyInt:
		return scalarWriter(func(dst []byte, n int8) []byte { return strconv.AppendInt(dst, int64(n), 10) })
	case types.SmallInt:
		return scalarWriter(func(dst []byte, n int16) []byte { return strconv.AppendInt(dst, int64(n), 10) })
	case types.Int:
		return scalarWriter(func(dst []byte, n int32) []byte { return strconv.AppendInt(dst, int64(n), 10) })
	case types.BigInt:
		return scalarWriter(func(dst []byte, n int64) []byte { return strconv.AppendInt(dst, n, 10) })
	case types.Float:
		return scalarWriter(func(dst []byte, f float32) []byte {
			return appendJSONDouble(dst, float64(f))
		})
	case types.Double:
		return scalarWriter(appendJSONDouble)
	case types.Decimal:
		scale := t.Scale
		return scalarWriter(func(dst []byte, d types.Dec) []byte {
			var buf [64]byte
			return appendBigDecimal(dst, string(types.AppendDec(buf[:0], d, scale)), false)
		})
	case types.Date:
		return quotedWriter(types.AppendDate)
	case types.Time:
		return quotedWriter(types.AppendFormatTime)
	case types.Timestamp:
		return quotedWriter(func(dst []byte, t types.TS) []byte { return types.AppendFormatTS(dst, t, types.ISOTimestamps) })
	case types.TimestampLTZ:
		return quotedWriter(func(dst []byte, t types.TS) []byte {
			return append(types.AppendFormatTS(dst, t, types.ISOTimestamps), 'Z')
		})
	case types.Binary, types.VarBinary:
		return quotedWriter(func(dst []byte, s string) []byte { return base64.StdEncoding.AppendEncode(dst, []byte(s)) })
	case types.Array:
		elem, err := jsonWriter(*t.Elem)
		return func(dst []byte, v vector.Vector, i int) []byte {
			l := v.(*vector.List)
			dst = append(dst, '[')
			for j := l.Off[i]; j < l.Off[i]+l.Count[i]; j++ {
				if j > l.Off[i] {
					dst = append(dst, ',')
				}
				dst = elem(dst, l.Child, int(j))
			}
			return append(dst, ']')
		}, err
	case types.Map, types.Multiset:
		return mapWriter(t)
	case types.Row:
		return rowWriter(t)
	case types.Null:
		return nil, errors.New("a bare NULL has no type: write CAST(NULL AS STRING)")
	}
	return nil, fmt.Errorf("%s cannot be converted to JSON", t.OrNull())
}

// appendJSONDouble appends a number as Java's BigDecimal prints it; FLOATs come
// as DOUBLEs, with all their digits.
func appendJSONDouble(dst []byte, f float64) []byte {
	var buf [32]byte
	text := types.AppendDouble(buf[:0], f)
	if math.IsNaN(f) || math.IsInf(f, 0) { // JSON has no such numbers
		return append(append(append(dst, '"'), text...), '"')
	}
	return appendBigDecimal(dst, string(text), false)
}

func mapWriter(t types.Type) (jsonWrite, error) {
	key, val := t.Elem, types.Of(types.Int)
	if t.Kind == types.Map {
		key, val = t.Key, *t.Elem
	}
	if !key.IsChar() {
		return nil, fmt.Errorf("the keys of a JSON object are texts, not %s", key.OrNull())
	}
	write, err := jsonWriter(val)
	if err != nil {
		return nil, err
	}
	return func(dst []byte, v vector.Vector, i int) []byte {
		m := v.(*vector.Map)
		keys := m.Keys.(*vector.Flat[string])
		order := make([]int32, 0, m.Count[i])
		for j := m.Off[i]; j < m.Off[i]+m.Count[i]; j++ {
			if !keys.IsNull(int(j)) {
				order = append(order, j)
			}
		}
		slices.SortFunc(order, func(a, b int32) int { return compareUTF16(keys.Vals[a], keys.Vals[b]) })
		dst = append(dst, '{')
		for k, j := range order {
			if k > 0 {
				dst = append(dst, ',')
			}
			dst = append(appendJSONQuoted(dst, keys.Vals[j]), ':')
			dst = write(dst, m.Vals, int(j))
		}
		return append(dst, '}')
	}, nil
}

func rowWriter(t types.Type) (jsonWrite, error) {
	order := make([]int, len(t.Fields))
	names := make([][]byte, len(t.Fields))
	writes := make([]jsonWrite, len(t.Fields))
	for f, field := range t.Fields {
		var err error
		order[f], names[f] = f, append(appendJSONQuoted(nil, field.Name), ':')
		if writes[f], err = jsonWriter(field.Type); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return compareUTF16(t.Fields[a].Name, t.Fields[b].Name) })
	return func(dst []byte, v vector.Vector, i int) []byte {
		row := v.(*vector.Row)
		dst = append(dst, '{')
		for k, f := range order {
			if k > 0 {
				dst = append(dst, ',')
			}
			dst = writes[f](append(dst, names[f]...), row.Cols[f], i)
		}
		return append(dst, '}')
	}, nil
}
