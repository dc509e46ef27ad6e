package builtin

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// jsonFuncs are the functions of JSON: reading here, writing in json_build.go.
//
// Behaviours come as symbols, as the parser writes them: "ERROR ON EMPTY",
// "DEFAULT ON ERROR" (the default's expression follows), "WITH CONDITIONAL
// WRAPPER". A RETURNING type comes as a constant without value in front of them.
var jsonFuncs = slices.Concat([]function.Def{
	{
		Name: "JSON_VALUE", Group: "json", Nulls: function.Called,
		Sig: "(STRING, path [RETURNING type] [NULL | ERROR | DEFAULT x ON EMPTY] [NULL | ERROR | DEFAULT x ON ERROR]) -> STRING?",
		Doc: "The scalar a JSON path leads to, as text or in the type after RETURNING. What is missing is an error in strict paths, which are the default, and empty in lax ones.",
		Eg: []function.Example{{Expr: `JSON_VALUE('{"a": {"b": [1, "x"]}}', '$.a.b[1]')`, Result: "x"},
			{Expr: `JSON_VALUE('{"a": 1}', '$.b' DEFAULT 'none' ON ERROR)`, Result: "none"},
			{Expr: `JSON_VALUE('{"a": true}', '$.a' RETURNING BOOLEAN)`, Result: "TRUE"}},
		Infer:  inferJSONValue,
		Scalar: function.Bound(bindJSONValue),
	},
	{
		Name: "JSON_QUERY", Group: "json", Nulls: function.Called,
		Sig: "(STRING, path [RETURNING type] [wrapper] [NULL | EMPTY ARRAY | EMPTY OBJECT | ERROR ON EMPTY] [… ON ERROR]) -> STRING?",
		Doc: "The object or array a JSON path leads to, as JSON text with sorted keys; scalars need a wrapper: WITH [CONDITIONAL] ARRAY WRAPPER.",
		Eg: []function.Example{{Expr: `JSON_QUERY('{"b": [1, {"d": 2}]}', '$.b')`, Result: `[1,{"d":2}]`},
			{Expr: `JSON_QUERY('{"a": 1}', '$.a' WITH ARRAY WRAPPER)`, Result: "[1]"}},
		Infer:  inferJSONQuery,
		Scalar: function.Bound(bindJSONQuery),
	},
	{
		Name: "JSON_EXISTS", Group: "json", Nulls: function.Called,
		Sig: "(STRING, path [TRUE | FALSE | UNKNOWN | ERROR ON ERROR]) -> BOOLEAN?",
		Doc: "Whether a JSON path leads to a value that is not null.",
		Eg: []function.Example{{Expr: `JSON_EXISTS('{"a": 1}', '$.a')`, Result: "TRUE"},
			{Expr: `JSON_EXISTS('{"a": 1}', 'strict $.b' TRUE ON ERROR)`, Result: "TRUE"}},
		Infer:  inferJSONExists,
		Scalar: function.Bound(bindJSONExists),
	},
	isJSON("VALUE", "a JSON value", "1", func(byte) bool { return true }),
	isJSON("OBJECT", "a JSON object", "{}", func(c byte) bool { return c == '{' }),
	isJSON("ARRAY", "a JSON array", "[]", func(c byte) bool { return c == '[' }),
	isJSON("SCALAR", "a JSON value that is neither object nor array", "1", func(c byte) bool { return c != '{' && c != '[' }),
	{
		Name: "JSON_QUOTE", Group: "json", Sig: "(STRING) -> STRING",
		Doc:    "The text as a JSON string, all characters beyond ASCII escaped.",
		Eg:     []function.Example{{Expr: `JSON_QUOTE('a"b/c')`, Result: `"a\"b\/c"`}, {Expr: `JSON_QUOTE('ß')`, Result: `"\u00df"`}},
		Scalar: function.Append1(appendQuote),
	},
	{
		Name: "JSON_UNQUOTE", Group: "json", Sig: "(STRING) -> STRING",
		Doc:    "The text that a JSON string stands for; any other text as it is.",
		Eg:     []function.Example{{Expr: `JSON_UNQUOTE('"a\"b"')`, Result: `a"b`}, {Expr: `JSON_UNQUOTE('[1]')`, Result: "[1]"}},
		Scalar: function.Append1(appendUnquote),
	},
}, jsonBuildFuncs)

// behaviour is what happens on empty or on error.
type behaviour struct {
	what string // "NULL", "ERROR", "DEFAULT", "EMPTY ARRAY", "EMPTY OBJECT", "TRUE", "FALSE", "UNKNOWN"
	arg  int    // of DEFAULT
	set  bool   // written in the call
}

// jsonClauses are the parts of a call behind JSON and path.
type jsonClauses struct {
	returning        *types.Type
	wrapper          string
	onEmpty, onError behaviour
	path             string
}

// splitJSON takes a call apart.
func splitJSON(name string, args []function.Arg, onError string) (jsonClauses, error) {
	c := jsonClauses{wrapper: "WITHOUT WRAPPER", onEmpty: behaviour{what: "NULL"}, onError: behaviour{what: onError}}
	if len(args) < 2 {
		return c, fmt.Errorf("%s takes a JSON text and a path", name)
	}
	for i, what := range []string{"a JSON text", "a path"} {
		if !args[i].Type.IsChar() {
			return c, fmt.Errorf("%s takes %s, not %s", name, what, args[i].Type.OrNull())
		}
	}
	path, ok := constText(args, 1)
	if !ok {
		return c, fmt.Errorf("the path of %s must be a literal", name)
	}
	c.path = path
	for i := 2; i < len(args); i++ {
		a := args[i]
		word, _ := a.Value.(string)
		if a.Type.Kind != types.Symbol {
			if i != 2 || !a.Const || a.Value != nil {
				return c, fmt.Errorf("argument %d of %s is not understood", i+1, name)
			}
			t := a.Type.OrNull()
			c.returning = &t
			continue
		}
		switch what, on, _ := strings.Cut(word, " ON "); {
		case on == "EMPTY" || on == "ERROR":
			b := behaviour{what: what, set: true}
			if what == "DEFAULT" {
				if i++; i == len(args) {
					return c, fmt.Errorf("the value of DEFAULT is missing")
				}
				b.arg = i
			}
			if on == "EMPTY" {
				c.onEmpty = b
			} else {
				c.onError = b
			}
		case strings.HasSuffix(word, "WRAPPER"):
			c.wrapper = word
		default:
			return c, fmt.Errorf("%s does not know %s", name, word)
		}
	}
	return c, nil
}

func inferJSONValue(args []function.Arg) (function.Signature, error) {
	c, err := splitJSON("JSON_VALUE", args, "NULL")
	if err != nil {
		return function.Signature{}, err
	}
	s := function.Signature{Args: argTypes(args), Result: types.String()}
	if c.returning != nil {
		t := *c.returning
		if !t.IsChar() && !t.IsNumeric() && t.Kind != types.Boolean {
			return s, fmt.Errorf("JSON_VALUE returns STRING, BOOLEAN and numbers, not %s", t)
		}
		s.Result = t
	}
	for _, b := range []behaviour{c.onEmpty, c.onError} {
		if b.what != "DEFAULT" {
			continue
		}
		t := args[b.arg].Type
		if explicit, _ := types.Castable(t, s.Result); !explicit {
			return s, fmt.Errorf("a default of %s does not become %s", t.OrNull(), s.Result)
		}
		s.Args[b.arg] = s.Result.WithNull(t.Nullable || t.Kind == types.Null)
	}
	return s, nil
}

var errEmptyJSON = errors.New("the JSON path leads to nothing")

// jsonError is the error of a path that failed.
func jsonError(p *jsonPath, r pathResult, status pathStatus) error {
	if status == pathInvalid {
		return r.err
	}
	return fmt.Errorf("JSON path %q leads to nothing", p.text)
}

func bindJSONValue(_ *function.Context, args []function.Arg, result types.Type) (function.Call, error) {
	c, err := splitJSON("JSON_VALUE", args, "NULL")
	if err != nil {
		return nil, err
	}
	p := compilePath(c.path)
	put, err := jsonPutter(result)
	if err != nil {
		return nil, err
	}
	var all []int32
	return func(args []vector.Vector, sel []int32, out vector.Vector) error {
		texts, tm := function.Column[string](args[0])
		isConst := tm == 0
		for _, i := range function.Rows(sel, out.Len(), &all) {
			if args[0].IsNull(int(i)) || isConst && args[0].IsNull(0) {
				out.SetNull(int(i))
				continue
			}
			r, status := p.eval(texts[i&tm])
			scalar := status == pathFound && !r.many && isJSONScalar(r.text, r.value)
			if scalar {
				err := put(out, int(i), r.text, r.value)
				if err == nil {
					continue
				}
				if !c.onError.set || c.onError.what == "ERROR" {
					return &function.RowError{Row: int(i), Err: err}
				}
			}
			b, err := c.onError, error(nil)
			switch {
			case scalar:
			case p.lax && p.bad == nil:
				// a lax path has no errors but that of an invalid path
				b, err = c.onEmpty, errEmptyJSON
			case status == pathFound:
				err = fmt.Errorf("JSON path %q leads to no scalar", p.text)
			default:
				err = jsonError(p, r, status)
			}
			if err := b.apply(args, out, int(i), err); err != nil {
				return err
			}
		}
		return nil
	}, nil
}

// apply gives row i of out what the behaviour says.
func (b behaviour) apply(args []vector.Vector, out vector.Vector, i int, err error) error {
	switch b.what {
	case "ERROR":
		return &function.RowError{Row: i, Err: err}
	case "DEFAULT":
		putRow(out, i, args[b.arg], i)
	default:
		out.SetNull(i)
	}
	return nil
}

// putRow stores row j of src in row i of dst, both flat or constant and of one
// physical kind.
func putRow(dst vector.Vector, i int, src vector.Vector, j int) {
	if c, ok := src.(*vector.Const); ok {
		src, j = c.Of, 0
	}
	if src.IsNull(j) {
		vector.SetNullDeep(dst, i)
		return
	}
	switch d := dst.(type) {
	case *vector.Flat[string]:
		d.Vals[i] = d.Arena.Clone(src.(*vector.Flat[string]).Vals[j])
	case *vector.Flat[bool]:
		d.Vals[i] = src.(*vector.Flat[bool]).Vals[j]
	case *vector.Flat[int8]:
		d.Vals[i] = src.(*vector.Flat[int8]).Vals[j]
	case *vector.Flat[int16]:
		d.Vals[i] = src.(*vector.Flat[int16]).Vals[j]
	case *vector.Flat[int32]:
		d.Vals[i] = src.(*vector.Flat[int32]).Vals[j]
	case *vector.Flat[int64]:
		d.Vals[i] = src.(*vector.Flat[int64]).Vals[j]
	case *vector.Flat[float32]:
		d.Vals[i] = src.(*vector.Flat[float32]).Vals[j]
	case *vector.Flat[float64]:
		d.Vals[i] = src.(*vector.Flat[float64]).Vals[j]
	case *vector.Flat[types.Dec]:
		d.Vals[i] = src.(*vector.Flat[types.Dec]).Vals[j]
	case *vector.Flat[types.TS]:
		d.Vals[i] = src.(*vector.Flat[types.TS]).Vals[j]
	case *vector.List:
		s := src.(*vector.List)
		d.Off[i], d.Count[i] = int32(d.Child.Len()), s.Count[j]
		for k := s.Off[j]; k < s.Off[j]+s.Count[j]; k++ {
			vector.CopyRow(d.Child, s.Child, int(k))
		}
	case *vector.Map:
		s := src.(*vector.Map)
		d.Off[i], d.Count[i] = int32(d.Keys.Len()), s.Count[j]
		for k := s.Off[j]; k < s.Off[j]+s.Count[j]; k++ {
			vector.CopyRow(d.Keys, s.Keys, int(k))
			vector.CopyRow(d.Vals, s.Vals, int(k))
		}
	case *vector.Row:
		for f, c := range d.Cols {
			putRow(c, i, src.(*vector.Row).Cols[f], j)
		}
	}
}

// jsonPutter stores a JSON scalar in a vector of type t. The value must be of
// the kind itself: no text becomes a number.
func jsonPutter(t types.Type) (func(out vector.Vector, i int, s string, v jsonSpan) error, error) {
	mismatch := func(s string, v jsonSpan) error {
		return fmt.Errorf("the JSON value %s is no %s", s[v.start:v.end], t.OrNull())
	}
	whole := func(s string, v jsonSpan, bits int) (int64, error) {
		n, err := strconv.ParseInt(s[v.start:v.end], 10, bits)
		if err != nil {
			return 0, mismatch(s, v)
		}
		return n, nil
	}
	switch {
	case t.IsChar():
		return func(out vector.Vector, i int, s string, v jsonSpan) error {
			o := out.(*vector.Flat[string])
			o.Vals[i] = o.Arena.Take(appendJSONScalar(o.Arena.Grow(v.end-v.start+8), s, v))
			if t.Prec != types.MaxLength {
				o.Vals[i] = types.FitString(o.Vals[i], t)
			}
			return nil
		}, nil
	case t.Kind == types.Boolean:
		return func(out vector.Vector, i int, s string, v jsonSpan) error {
			c := s[v.start]
			if c != 't' && c != 'f' {
				return mismatch(s, v)
			}
			out.(*vector.Flat[bool]).Vals[i] = c == 't'
			return nil
		}, nil
	case t.Kind == types.TinyInt:
		return func(out vector.Vector, i int, s string, v jsonSpan) error {
			n, err := whole(s, v, 8)
			out.(*vector.Flat[int8]).Vals[i] = int8(n)
			return err
		}, nil
	case t.Kind == types.SmallInt:
		return func(out vector.Vector, i int, s string, v jsonSpan) error {
			n, err := whole(s, v, 16)
			out.(*vector.Flat[int16]).Vals[i] = int16(n)
			return err
		}, nil
	case t.Kind == types.Int:
		return func(out vector.Vector, i int, s string, v jsonSpan) error {
			n, err := whole(s, v, 32)
			out.(*vector.Flat[int32]).Vals[i] = int32(n)
			return err
		}, nil
	case t.Kind == types.BigInt:
		return func(out vector.Vector, i int, s string, v jsonSpan) error {
			n, err := whole(s, v, 64)
			out.(*vector.Flat[int64]).Vals[i] = n
			return err
		}, nil
	case t.IsApprox():
		return func(out vector.Vector, i int, s string, v jsonSpan) error {
			text := s[v.start:v.end]
			f, err := strconv.ParseFloat(text, 64)
			if err != nil || !strings.ContainsAny(text, ".eE") { // Flink: a whole number is no DOUBLE
				return mismatch(s, v)
			}
			if o, ok := out.(*vector.Flat[float64]); ok {
				o.Vals[i] = f
			} else {
				out.(*vector.Flat[float32]).Vals[i] = float32(f)
			}
			return nil
		}, nil
	case t.Kind == types.Decimal:
		return func(out vector.Vector, i int, s string, v jsonSpan) error {
			text := string(appendBigDecimal(nil, s[v.start:v.end], true))
			if c := s[v.start]; c != '-' && c-'0' > 9 || len(text) > 200 {
				return mismatch(s, v)
			}
			d, err := types.CastValue(text, types.String(), t, nil, true)
			if dec, ok := d.(types.Dec); ok && err == nil {
				out.(*vector.Flat[types.Dec]).Vals[i] = dec
				return nil
			}
			return mismatch(s, v)
		}, nil
	}
	return nil, fmt.Errorf("JSON_VALUE does not return %s", t)
}

// isJSON makes IS JSON what.
func isJSON(what, doc, eg string, fits func(first byte) bool) function.Def {
	return function.Def{
		Name: "IS JSON " + what, Group: "json", Sig: "(STRING) -> BOOLEAN!", Nulls: function.Called,
		Doc: "Whether the text is " + doc + ". NULL is none.",
		Eg: []function.Example{{Expr: "'" + eg + "' IS JSON " + what, Result: "TRUE"},
			{Expr: "CAST(NULL AS STRING) IS JSON " + what, Result: "FALSE"}},
		Scalar: function.Vec(func() function.Call {
			return func(args []vector.Vector, sel []int32, out vector.Vector) error {
				vals := out.(*vector.Flat[bool]).Vals
				texts, tm := function.Column[string](args[0])
				check := func(i int) {
					vals[i] = false
					if args[0].IsNull(i) {
						return
					}
					s := texts[int32(i)&tm]
					start, end := jsonDocument(s)
					vals[i] = end >= 0 && fits(s[start])
				}
				if sel == nil {
					for i := range vals {
						check(i)
					}
					return nil
				}
				for _, i := range sel {
					check(int(i))
				}
				return nil
			}
		}()),
	}
}

// appendQuote writes a JSON string as Flink's JSON_QUOTE does; characters
// beyond the basic plane come out as their number and the second half of
// their surrogate pair.
func appendQuote(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for _, r := range s {
		switch r {
		case '"', '\\', '/':
			dst = append(dst, '\\', byte(r))
		case '\b':
			dst = append(dst, `\b`...)
		case '\f':
			dst = append(dst, `\f`...)
		case '\n':
			dst = append(dst, `\n`...)
		case '\r':
			dst = append(dst, `\r`...)
		case '\t':
			dst = append(dst, `\t`...)
		default:
			if r < 0x80 {
				dst = append(dst, byte(r))
				continue
			}
			dst = fmt.Appendf(dst, `\u%04x`, r)
			if r > 0xFFFF {
				dst = fmt.Appendf(dst, `\u%04x`, 0xDC00+(r-0x10000)&0x3FF)
			}
		}
	}
	return append(dst, '"')
}

func appendUnquote(dst []byte, s string) []byte {
	if s != "" && s[0] == '"' {
		if end, _ := jsonSkipString(s, 0); end == len(s) {
			return appendJSONText(dst, s)
		}
	}
	return append(dst, s...)
}
