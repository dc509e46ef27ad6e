package builtin

import (
	"strings"

	"github.com/runnelio/runnel/function"
)

// stringSearchFuncs look for a text in another.
var stringSearchFuncs = []function.Def{
	{
		Name: "POSITION", Group: "string", Sig: "(STRING, STRING, [BIGINT]) -> INT",
		Doc:    "POSITION(x IN s) is where x is first found in s, 0 if nowhere; the empty text is found at 1.",
		Scalar: locateScalar, Eg: []function.Example{eg("POSITION('l' IN 'hello')", "3")},
	},
	{
		Name: "LOCATE", Group: "string", Sig: "(STRING, STRING, [BIGINT]) -> INT",
		Doc:    "LOCATE(x, s, from) is where x is first found in s, at position from or behind it, 0 if nowhere; the empty text is found at 1.",
		Scalar: locateScalar, Eg: []function.Example{eg("LOCATE('l', 'hello', 4)", "4")},
	},
	{
		Name: "INSTR", Group: "string", Sig: "(STRING, STRING, [BIGINT], [BIGINT]) -> INT",
		Doc: "INSTR(s, x, from, n) is where x is found in s for the n-th time, at position from or behind it, 0 if nowhere. A negative from searches from the end backwards.",
		Scalar: function.Arity(2,
			function.Map2(func(s, x string) int32 { return locate(x, s, 1) }),
			function.Map3(func(s, x string, from int64) int32 { return instr(s, x, from, 1) }),
			function.Map4(instr)),
		Eg: []function.Example{eg("INSTR('hello', 'l')", "3"), eg("INSTR('hello', 'l', 1, 2)", "4"), eg("INSTR('hello', 'l', -1)", "4")},
	},
	{
		Name: "STARTSWITH", Group: "string", Sig: "(STRING, STRING) -> BOOLEAN | (BYTES, BYTES) -> BOOLEAN",
		Doc:    "Whether the first text, or byte string, starts with the second.",
		Scalar: function.Map2(strings.HasPrefix), Eg: []function.Example{eg("STARTSWITH('hello', 'he')", "TRUE")},
	},
	{
		Name: "ENDSWITH", Group: "string", Sig: "(STRING, STRING) -> BOOLEAN | (BYTES, BYTES) -> BOOLEAN",
		Doc:    "Whether the first text, or byte string, ends with the second.",
		Scalar: function.Map2(strings.HasSuffix), Eg: []function.Example{eg("ENDSWITH('hello', 'lo')", "TRUE")},
	},
}

var locateScalar = function.Arity(2,
	function.Map2(func(x, s string) int32 { return locate(x, s, 1) }),
	function.Map3(locate))

// locate finds x in s from character from on; 0 if it is not there.
func locate(x, s string, from int64) int32 {
	if x == "" {
		return 1
	}
	at := offset(s, clampInt(from-1))
	i := strings.Index(s[at:], x)
	if i < 0 {
		return 0
	}
	return int32(chars(s[:at+i]) + 1)
}

func instr(s, x string, from, n int64) int32 {
	switch {
	case n <= 0 || from == 0:
		return 0
	case x == "":
		return 1
	case from < 0:
		back := -from
		if back < 0 || back > int64(len(s)) {
			return 0
		}
		// The match may begin at the character from counts to, or before it.
		start := len(s) - len(lastChars(s, int(back)))
		for end := min(len(s), start+len(x)); ; n-- {
			i := strings.LastIndex(s[:end], x)
			if i < 0 {
				return 0
			}
			if n == 1 {
				return int32(chars(s[:i]) + 1)
			}
			end = i + len(x) - 1
		}
	}
	at := offset(s, clampInt(from-1))
	for ; ; n-- {
		i := strings.Index(s[at:], x)
		if i < 0 {
			return 0
		}
		if n == 1 {
			return int32(chars(s[:at+i]) + 1)
		}
		at += i + len(cut(s[at+i:], 1))
	}
}
