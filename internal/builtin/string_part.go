package builtin

import (
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
)

// stringPartFuncs cut texts and put parts into them.
var stringPartFuncs = []function.Def{
	{
		Name: "SUBSTRING", Aliases: []string{"SUBSTR"}, Group: "string", Sig: "(CHARACTER, BIGINT, [BIGINT]) -> VARCHAR?",
		Doc: "The text from a position on, of some length or to the end. A negative position counts from the end, 0 is the start; a negative length gives NULL.",
		Scalar: function.Arity(2,
			function.Append2(func(dst []byte, s string, from int64) []byte {
				part, _ := substring(s, from, math.MaxInt64)
				return append(dst, part...)
			}),
			function.AppendOk3(func(dst []byte, s string, from, n int64) ([]byte, bool) {
				part, ok := substring(s, from, n)
				return append(dst, part...), ok
			})),
		Eg: []function.Example{eg("SUBSTRING('Hello', 2, 3)", "ell"), eg("SUBSTRING('Hello' FROM -2)", "lo")},
	},
	{
		Name: "LEFT", Group: "string", Sig: "(CHARACTER, BIGINT) -> VARCHAR?",
		Doc:    "The first n characters; the empty text if n is not positive.",
		Scalar: function.Text2(func(s string, n int64) string { return cut(s, clampInt(n)) }),
		Eg:     []function.Example{eg("LEFT('Hello', 2)", "He")},
	},
	{
		Name: "RIGHT", Group: "string", Sig: "(CHARACTER, BIGINT) -> VARCHAR?",
		Doc:    "The last n characters; the empty text if n is not positive.",
		Scalar: function.Text2(func(s string, n int64) string { return lastChars(s, clampInt(n)) }),
		Eg:     []function.Example{eg("RIGHT('Hello', 2)", "lo")},
	},
	{
		Name: "TRIM", Group: "string", Sig: "(CHARACTER) -> VARCHAR | (SYMBOL, CHARACTER, CHARACTER) -> CHARACTER",
		Doc:   "TRIM(s) is s without blanks at both ends; TRIM(LEADING|TRAILING|BOTH x FROM s) cuts all characters that x has.",
		Infer: inferTrim, Scalar: function.Bound(bindTrim),
		Eg: []function.Example{eg("TRIM('  a ')", "a"), eg("TRIM(LEADING 'x' FROM 'xxaxx')", "axx")},
	},
	{
		Name: "LTRIM", Group: "string", Sig: "(CHARACTER, [CHARACTER]) -> VARCHAR",
		Doc: "The text without blanks, or without any of the given characters, at its start.",
		Scalar: function.Arity(1, function.Text1(func(s string) string { return strings.TrimLeft(s, " ") }),
			function.Text2(func(s, set string) string { return trimStart(s, set) })),
		Eg: []function.Example{eg("LTRIM('  a ')", "a "), eg("LTRIM('xyax', 'xy')", "ax")},
	},
	{
		Name: "RTRIM", Group: "string", Sig: "(CHARACTER, [CHARACTER]) -> VARCHAR",
		Doc: "The text without blanks, or without any of the given characters, at its end.",
		Scalar: function.Arity(1, function.Text1(func(s string) string { return strings.TrimRight(s, " ") }),
			function.Text2(func(s, set string) string { return trimEnd(s, set) })),
		Eg: []function.Example{eg("RTRIM(' a ')", " a"), eg("RTRIM('xaxy', 'xy')", "xa")},
	},
	{
		Name: "BTRIM", Group: "string", Sig: "(STRING, [STRING]) -> STRING",
		Doc: "The text without blanks, or without any of the given characters, at both ends.",
		Scalar: function.Arity(1, function.Text1(func(s string) string { return strings.Trim(s, " ") }),
			function.Text2(func(s, set string) string { return trimStart(trimEnd(s, set), set) })),
		Eg: []function.Example{eg("BTRIM('xyaxy', 'xy')", "a")},
	},
	{
		Name: "LPAD", Group: "string", Sig: "(STRING, INT, STRING) -> STRING",
		Doc:    "The text filled up on the left to n characters with another, or cut to n; NULL if n is negative or there is nothing to fill with.",
		Scalar: padScalar(true), Eg: []function.Example{eg("LPAD('hi', 4, '?')", "??hi")},
	},
	{
		Name: "RPAD", Group: "string", Sig: "(STRING, INT, STRING) -> STRING",
		Doc:    "The text filled up on the right to n characters with another, or cut to n; NULL if n is negative or there is nothing to fill with.",
		Scalar: padScalar(false), Eg: []function.Example{eg("RPAD('hi', 4, '?')", "hi??")},
	},
	{
		Name: "OVERLAY", Group: "string", Sig: "(CHARACTER, CHARACTER, BIGINT, [BIGINT]) -> VARCHAR",
		Doc:   "OVERLAY(s PLACING r FROM i FOR n) is s with the n characters from i on replaced by r, as many as r has if n is not given. s itself if i is outside of it.",
		Infer: inferOverlay,
		Scalar: function.Arity(3,
			function.Append3(func(dst []byte, s, r string, from int64) []byte {
				return appendOverlay(dst, s, r, from, int64(chars(r)))
			}),
			function.Append4(appendOverlay)),
		Eg: []function.Example{eg("OVERLAY('abcdef' PLACING 'XY' FROM 3)", "abXYef")},
	},
	{
		Name: "REPLACE", Group: "string", Sig: "(STRING, STRING, STRING) -> STRING",
		Doc:    "The text with all occurrences of the second argument replaced by the third; an empty one occurs between all characters.",
		Scalar: function.Append3(appendReplace), Eg: []function.Example{eg("REPLACE('ababab', 'abab', 'z')", "zab")},
	},
	{
		Name: "TRANSLATE", Group: "string", Sig: "(STRING, STRING, STRING) -> STRING",
		Doc:   "The text with each character of the second argument replaced by the one at the same place of the third, or left out if there is none.",
		Infer: inferTranslate, Scalar: function.Bound(bindTranslate), Nulls: function.Called,
		Eg: []function.Example{eg("TRANSLATE('abca', 'ab', 'x')", "xcx")},
	},
}

func clampInt(n int64) int { return int(min(max(n, 0), math.MaxInt32)) }

// substring returns n characters from position from, false if n is negative.
func substring(s string, from, n int64) (string, bool) {
	if n < 0 {
		return "", false
	}
	start := 0
	switch {
	case from > 0:
		start = offset(s, clampInt(from-1))
	case from < 0:
		back := -from
		if back < 0 || back > int64(len(s)) {
			return "", true
		}
		tail := lastChars(s, int(back))
		if len(tail) == len(s) && int64(chars(s)) < back {
			return "", true
		}
		start = len(s) - len(tail)
	}
	return cut(s[start:], clampInt(n)), true
}

// inferTrim: TRIM(s), or TRIM(side, characters, s).
func inferTrim(args []function.Arg) (function.Signature, error) {
	var sig function.Signature
	if len(args) != 1 && len(args) != 3 {
		return sig, fmt.Errorf("TRIM takes a text, or LEADING, TRAILING or BOTH characters FROM a text")
	}
	if len(args) == 3 && args[0].Type.Kind != types.Symbol {
		return sig, fmt.Errorf("TRIM takes LEADING, TRAILING or BOTH first, not %s", args[0].Type.OrNull())
	}
	for i, a := range args {
		if (i > 0 || len(args) == 1) && !a.Type.IsChar() {
			return sig, fmt.Errorf("TRIM takes texts, not %s", a.Type.OrNull())
		}
		sig.Args = append(sig.Args, a.Type)
	}
	text := args[len(args)-1].Type
	sig.Result = types.VarCharOf(text.Prec).WithNull(nullable(args[len(args)-1:]) || len(args) == 3 && nullable(args[1:2]))
	return sig, nil
}

func bindTrim(_ *function.Context, args []function.Arg, _ types.Type) (function.Call, error) {
	if len(args) == 1 {
		return function.CallAppend1(func(dst []byte, s string) []byte { return append(dst, strings.Trim(s, " ")...) }), nil
	}
	var f func(s, set string) string
	switch args[0].Value {
	case "LEADING":
		f = trimStart
	case "TRAILING":
		f = trimEnd
	case "BOTH":
		f = func(s, set string) string { return trimStart(trimEnd(s, set), set) }
	default:
		return nil, fmt.Errorf("TRIM takes LEADING, TRAILING or BOTH, not %v", args[0].Value)
	}
	call := function.CallAppend2(func(dst []byte, set, s string) []byte { return append(dst, f(s, set)...) })
	return func(args []vectorOf, sel []int32, out vectorOf) error { return call(args[1:], sel, out) }, nil
}

// trimStart cuts characters of set at the start of s.
func trimStart(s, set string) string {
	for len(s) > 0 {
		_, n := utf8.DecodeRuneInString(s)
		if !strings.Contains(set, s[:n]) {
			break
		}
		s = s[n:]
	}
	return s
}

func trimEnd(s, set string) string {
	for len(s) > 0 {
		_, n := utf8.DecodeLastRuneInString(s)
		if !strings.Contains(set, s[len(s)-n:]) {
			break
		}
		s = s[:len(s)-n]
	}
	return s
}

func padScalar(left bool) *function.Scalar {
	return function.Bound(func(*function.Context, []function.Arg, types.Type) (function.Call, error) {
		cols, all := textColumns{}, []int32(nil)
		return func(args []vectorOf, sel []int32, out vectorOf) error {
			cols.set([]vectorOf{args[0], args[2]})
			ns, mask := function.Column[int32](args[1])
			o := out.(*flat[string])
			for _, i := range function.Rows(sel, len(o.Vals), &all) {
				s, n, pad := cols[0].at(i), int(ns[i&mask]), cols[1].at(i)
				if n < 0 || pad == "" {
					o.SetNull(int(i))
					continue
				}
				have := chars(s)
				if have >= n {
					o.Vals[i] = o.Arena.Clone(cut(s, n))
					continue
				}
				if (n-have)/chars(pad)*len(pad) > function.MaxText {
					return &function.RowError{Row: int(i), Err: function.ErrTooLong}
				}
				dst := o.Arena.Grow(256)
				if !left {
					dst = append(dst, s...)
				}
				for missing := n - have; missing > 0; {
					part := cut(pad, missing)
					dst = append(dst, part...)
					missing -= chars(part)
				}
				if left {
					dst = append(dst, s...)
				}
				o.Vals[i] = o.Arena.Take(dst)
			}
			return nil
		}, nil
	})
}

func inferOverlay(args []function.Arg) (function.Signature, error) {
	forms, err := function.ParseSignature("(CHARACTER, CHARACTER, BIGINT, [BIGINT]) -> CHARACTER+")
	if err != nil {
		return function.Signature{}, err
	}
	sig, _, err := forms[0].Match(args)
	sig.Result.Kind = types.VarChar
	return sig, err
}

// appendOverlay replaces n characters of s from position from by r. Flink's
// rule for a negative n, which it keeps for compatibility, drops the rest.
func appendOverlay(dst []byte, s, r string, from, n int64) []byte {
	if from <= 0 || from > int64(chars(s)) {
		return append(dst, s...)
	}
	start := offset(s, int(from-1))
	dst = append(append(dst, s[:start]...), r...)
	if n > 0 {
		dst = append(dst, s[start+offset(s[start:], clampInt(n)):]...)
	}
	return dst
}

func appendReplace(dst []byte, s, old, new string) []byte {
	if old == "" {
		dst = append(dst, new...)
		for i := 0; i < len(s); {
			_, n := utf8.DecodeRuneInString(s[i:])
			dst = append(append(dst, s[i:i+n]...), new...)
			i += n
		}
		return dst
	}
	for {
		i := strings.Index(s, old)
		if i < 0 {
			return append(dst, s...)
		}
		dst = append(append(dst, s[:i]...), new...)
		s = s[i+len(old):]
	}
}

func inferTranslate(args []function.Arg) (function.Signature, error) {
	forms, err := function.ParseSignature("(STRING, STRING, STRING) -> STRING")
	if err != nil {
		return function.Signature{}, err
	}
	sig, _, err := forms[0].Match(args)
	if err == nil {
		sig.Result.Nullable = args[0].Type.Nullable
	}
	return sig, err
}

// bindTranslate: a NULL among the characters counts as the empty text.
func bindTranslate(*function.Context, []function.Arg, types.Type) (function.Call, error) {
	cols, all := textColumns{}, []int32(nil)
	table, from, to := map[rune]string{}, "", ""
	return func(args []vectorOf, sel []int32, out vectorOf) error {
		cols.set(args)
		o := out.(*flat[string])
		for _, i := range function.Rows(sel, len(o.Vals), &all) {
			if cols[0].null(i) {
				o.SetNull(int(i))
				continue
			}
			f, t := "", ""
			if !cols[1].null(i) {
				f = cols[1].at(i)
			}
			if !cols[2].null(i) {
				t = cols[2].at(i)
			}
			if f != from || t != to {
				from, to = strings.Clone(f), strings.Clone(t)
				translations(table, from, to)
			}
			dst := o.Arena.Grow(256)
			s := cols[0].at(i)
			for j := 0; j < len(s); {
				r, n := utf8.DecodeRuneInString(s[j:])
				if by, ok := table[r]; ok {
					dst = append(dst, by...)
				} else {
					dst = append(dst, s[j:j+n]...)
				}
				j += n
			}
			o.Vals[i] = o.Arena.Take(dst)
		}
		return nil
	}, nil
}

// translations fills table; the first of equal characters counts.
func translations(table map[rune]string, from, to string) {
	clear(table)
	for _, r := range from {
		by := cut(to, 1)
		to = to[len(by):]
		if _, ok := table[r]; !ok {
			table[r] = by
		}
	}
}
