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

// A VARIANT is held as its JSON text in one form only: without blanks, keys
// sorted and unique, strings with no escapes but the necessary ones, whole
// numbers as digits, decimal ones of up to 38 digits plain and all others as
// Java prints a DOUBLE. So equal variants are equal texts, printing one is
// copying it, and it takes no more room than what it says.

var variantFuncs = []function.Def{
	{
		Name: "PARSE_JSON", Group: "variant", Sig: "(STRING, [BOOLEAN]) -> VARIANT",
		Doc: "The variant of a JSON text. An error for other texts, and for a key that comes twice in an object unless the second argument is TRUE: then the last value counts.",
		Eg: []function.Example{{Expr: `PARSE_JSON('{"b": 1.50, "a": [true, null]}')`, Result: `{"a":[true,null],"b":1.5}`},
			{Expr: `PARSE_JSON('{"a":1,"a":2}', TRUE)`, Result: `{"a":2}`}},
		Scalar: function.Bound(bindVariant(false)),
	},
	{
		Name: "TRY_PARSE_JSON", Group: "variant", Sig: "(STRING, [BOOLEAN]) -> VARIANT?",
		Doc:    "PARSE_JSON with NULL instead of an error.",
		Eg:     []function.Example{{Expr: "TRY_PARSE_JSON('bad')", Result: "NULL"}, {Expr: "TRY_PARSE_JSON('[1]')", Result: "[1]"}},
		Scalar: function.Bound(bindVariant(true)),
	},
}

func bindVariant(try bool) func(*function.Context, []function.Arg, types.Type) (function.Call, error) {
	return func(_ *function.Context, args []function.Arg, _ types.Type) (function.Call, error) {
		return rowCall(func(args []cellOf, out vector.Vector, i int) error {
			o := out.(*vector.Flat[string])
			s := args[0].v.(*vector.Flat[string]).Vals[args[0].i]
			twice := len(args) == 2 && args[1].v.(*vector.Flat[bool]).Vals[args[1].i]
			text, err := appendVariant(o.Arena.Grow(len(s)+16), s, twice)
			switch {
			case err == nil:
				o.Vals[i] = o.Arena.Take(text)
			case try:
				o.SetNull(i)
			default:
				return err
			}
			return nil
		}), nil
	}
}

// appendVariant appends the variant of a JSON text.
func appendVariant(dst []byte, s string, twice bool) ([]byte, error) {
	start, end := jsonDocument(s)
	if end < 0 {
		return dst, errNoJSON(s, ^end)
	}
	return appendVariantValue(dst, s, jsonSpan{start, end}, twice)
}

var errDuplicateKey = errors.New("the JSON object has a key twice")

func appendVariantValue(dst []byte, s string, v jsonSpan, twice bool) (_ []byte, err error) {
	switch s[v.start] {
	case '{':
		members := jsonMembers(nil, s, v.start)
		if !twice && len(members) != countMembers(s, v.start) {
			return dst, errDuplicateKey
		}
		slices.SortFunc(members, func(a, b jsonMember) int { return compareUTF16(a.key, b.key) })
		dst = append(dst, '{')
		for i, m := range members {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(appendJSONQuoted(dst, m.key), ':')
			if dst, err = appendVariantValue(dst, s, jsonSpan{m.start, m.end}, twice); err != nil {
				return dst, err
			}
		}
		return append(dst, '}'), nil
	case '[':
		dst = append(dst, '[')
		for i, e := range jsonElements(nil, s, v.start) {
			if i > 0 {
				dst = append(dst, ',')
			}
			if dst, err = appendVariantValue(dst, s, e, twice); err != nil {
				return dst, err
			}
		}
		return append(dst, ']'), nil
	case '"':
		return appendJSONRequoted(dst, s[v.start:v.end]), nil
	case 't', 'f', 'n':
		return append(dst, s[v.start:v.end]...), nil
	}
	return appendVariantNumber(dst, s[v.start:v.end])
}

// countMembers counts the members of a valid object, all of those of one key.
func countMembers(s string, i int) int {
	n := 0
	for i = jsonSpace(s, i+1); s[i] == '"'; n++ {
		end, _ := jsonSkipString(s, i)
		i = jsonSkip(s, jsonSpace(s, jsonSpace(s, end)+1), 0)
		if i = jsonSpace(s, i); s[i] == ',' {
			i = jsonSpace(s, i+1)
		}
	}
	return n
}

func appendVariantNumber(dst []byte, s string) ([]byte, error) {
	digits, fraction, exponent := 0, 0, false
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			if digits > 0 || c != '0' {
				digits++
			}
			if fraction > 0 {
				fraction++
			}
		case c == '.':
			fraction = 1
		case c|0x20 == 'e':
			exponent = true
		}
	}
	if !exponent && digits <= types.MaxDecimalPrecision && fraction-1 <= types.MaxDecimalPrecision {
		if fraction > 0 { // no zeros at the end, no point without digits behind it
			s = strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
		}
		if s == "-0" || s == "" || s == "-" {
			s = "0"
		}
		return appendBigDecimal(dst, s, true), nil
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return dst, fmt.Errorf("the number %.40s is out of range", s)
	}
	return types.AppendDouble(dst, f), nil
}

var (
	errNoObject = errors.New("only a variant that is an object has named parts")
	errNoArray  = errors.New("only a variant that is an array has numbered parts")
)

// variantPart is the access to a part by f of variants that begin with open; of
// others it fails.
func variantPart[K vector.Elem](f func(dst []byte, v string, k K) ([]byte, bool), open byte, other error) function.Call {
	var all []int32
	return func(args []vectorOf, sel []int32, out vectorOf) error {
		o := out.(*flat[string])
		variants, vm := function.Column[string](args[0])
		keys, km := function.Column[K](args[1])
		for _, i := range function.Rows(sel, len(o.Vals), &all) {
			v := variants[i&vm]
			if v == "" || v[0] != open {
				return &function.RowError{Row: int(i), Err: other}
			}
			dst, ok := f(o.Arena.Grow(len(v)), v, keys[i&km])
			if !ok {
				o.SetNull(int(i))
				continue
			}
			o.Vals[i] = o.Arena.Take(dst)
		}
		return nil
	}
}

// appendVariantField appends the member of an object; false if v is none or has none.
func appendVariantField(dst []byte, v, name string) ([]byte, bool) {
	if !strings.HasPrefix(v, "{") {
		return dst, false
	}
	for i := 1; v[i] == '"'; {
		end, escaped := jsonSkipString(v, i)
		hit := jsonKeyIs(v[i:end], escaped, name)
		start := end + 1
		if end = jsonSkip(v, start, 0); hit {
			return append(dst, v[start:end]...), true
		}
		if i = end; v[i] == ',' {
			i++
		}
	}
	return dst, false
}

// appendVariantElement appends element n, from 1, of an array.
func appendVariantElement(dst []byte, v string, n int64) ([]byte, bool) {
	if !strings.HasPrefix(v, "[") {
		return dst, false
	}
	for i := 1; v[i] != ']'; n-- {
		end := jsonSkip(v, i, 0)
		if n == 1 {
			return append(dst, v[i:end]...), true
		}
		if i = end; v[i] == ',' {
			i++
		}
	}
	return dst, false
}
