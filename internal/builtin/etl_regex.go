package builtin

import (
	"errors"
	"strings"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/internal/regex"
	"github.com/runnelio/runnel/types"
)

// etlRegexFuncs are the functions of regular expressions that RocketMQ-Streams has besides.
var etlRegexFuncs = []function.Def{
	{
		Name: "REGEX", Aliases: []string{"DIPPERREGEX", "REG"}, Group: "regexp", Sig: "(STRING, STRING) -> BOOLEAN!",
		Doc:    "Whether the regular expression is found in the text; FALSE if one is NULL or it is broken.",
		Scalar: function.Bound(bindRegexSearch(false)), Nulls: function.Called, Eg: []function.Example{eg("REGEX('foobar', 'o+')", "TRUE")},
	},
	{
		Name: "!REGEX", Group: "regexp", Sig: "(STRING, STRING) -> BOOLEAN!",
		Doc:    "Whether the regular expression is not found in the text.",
		Scalar: function.Bound(bindRegexSearch(true)), Nulls: function.Called,
	},
	{
		Name: "REGEXGROUP", Aliases: []string{"REGEX_GROUP"}, Group: "regexp", Sig: "(STRING, STRING) -> STRING?",
		Doc: "What the first group of the regular expression matches at its first occurrence; NULL if there is none.",
		Scalar: regexpText(func(dst []byte, re *regex.Matcher, a regexpArgs) ([]byte, bool, error) {
			a.group = 1
			return regexpExtract(dst, re, a)
		}),
		Eg: []function.Example{eg("REGEXGROUP('a1b2', '([0-9])')", "1")},
	},
	again(regexpFuncs, "REGEXP_EXTRACT", "REGEXGROUPINDEX", "REGEX_GROUP_INDEX"),
	{
		Name: "REGEXREPLACE", Group: "regexp", Sig: "(STRING, STRING, STRING) -> STRING | (STRING, STRING, STRING, INT) -> STRING",
		Doc:    "REGEXREPLACE(text, pattern, by) replaces all matches; REGEXREPLACE(text, by, pattern, n) the n-th occurrence, from 1, of the text that the pattern first matches, all if n is 0.",
		Scalar: function.Bound(bindRegexReplace), Eg: []function.Example{eg("REGEXREPLACE('a1b2', '[0-9]', 'x')", "axbx"), eg("REGEXREPLACE('a1b1', 'x', '[0-9]', 2)", "a1bx")},
	},
	{
		Name: "REGEXCOUNT", Group: "regexp", Sig: "(STRING, STRING, [INT]) -> INT",
		Doc:    "How often the text that the regular expression first matches occurs, from a position on, which counts from 0.",
		Scalar: function.Bound(bindRegexCount), Eg: []function.Example{eg("REGEXCOUNT('a1b1c2', '[0-9]')", "2")},
	},
	{
		Name: "REGEXINSTR", Group: "regexp", Sig: "(STRING, STRING, [INT], [INT], [INT]) -> INT",
		Doc:    "REGEXINSTR(text, pattern, from, n, end): where, from 0, the first group of the n-th match begins, or ends if end is 1, the search beginning at from; -1 if nowhere. A pattern without groups counts as one.",
		Scalar: function.Bound(bindRegexInstr), Eg: []function.Example{eg("REGEXINSTR('a1b2', '([0-9])')", "1"), eg("REGEXINSTR('a1b2', '([0-9])', 0, 2)", "3")},
	},
	{
		Name: "REGEXSUBSTR", Group: "regexp", Sig: "(STRING, STRING, [INT], [INT]) -> STRING?",
		Doc:    "REGEXSUBSTR(text, pattern, from, n): what the first group matches at the n-th match, the search beginning at position from, from 0; NULL if there is none.",
		Scalar: function.Bound(bindRegexSubstr), Eg: []function.Example{eg("REGEXSUBSTR('a1b2', '([0-9])', 0, 2)", "2")},
	},
}

// bindRegexSearch searches; what is NULL or broken is not found.
func bindRegexSearch(not bool) func(*function.Context, []function.Arg, types.Type) (function.Call, error) {
	return bindRegexFlags(0, not)
}

func bindRegexFlags(flags regex.Flags, not bool) func(*function.Context, []function.Arg, types.Type) (function.Call, error) {
	return func(*function.Context, []function.Arg, types.Type) (function.Call, error) {
		c := patternCall{flags: flags}
		var all []int32
		return func(args []vectorOf, sel []int32, out vectorOf) error {
			s, p := openText(args[0]), openText(args[1])
			dst := out.(*flat[bool]).Vals
			for _, i := range function.Rows(sel, len(dst), &all) {
				found := false
				if !s.null(i) && !p.null(i) {
					re, err := c.get(p.at(i))
					if re != nil {
						found, err = re.Match(s.at(i))
					}
					if err != nil {
						return &function.RowError{Row: int(i), Err: err}
					}
				}
				dst[i] = found != not
			}
			return nil
		}, nil
	}
}

// firstLiteral is the text that the pattern first matches, "" if none.
func (c *patternCall) firstLiteral(pattern, s string) (string, error) {
	re, err := c.get(pattern)
	if re == nil {
		return "", err
	}
	start, end, ok, err := re.FindIndex(s, 0)
	if !ok || err != nil {
		return "", err
	}
	return s[start:end], nil
}

func bindRegexReplace(cx *function.Context, args []function.Arg, result types.Type) (function.Call, error) {
	if len(args) == 3 {
		return regexpText(regexpReplace).Bind(cx, args, result)
	}
	var c patternCall
	return function.CallAppendErr4(func(dst []byte, s, by, p string, n int32) ([]byte, error) {
		lit, err := c.firstLiteral(p, s)
		if err != nil || lit == "" {
			return append(dst, s...), err
		}
		if n <= 0 {
			return appendReplace(dst, s, lit, by), nil
		}
		at := 0
		for ; n > 0; n-- {
			i := strings.Index(s[at:], lit)
			if i < 0 {
				return append(dst, s...), nil
			}
			if n == 1 {
				dst = append(append(dst, s[:at+i]...), by...)
				return append(dst, s[at+i+len(lit):]...), nil
			}
			at += i + len(lit)
		}
		return append(dst, s...), nil
	}), nil
}

func bindRegexCount(_ *function.Context, args []function.Arg, _ types.Type) (function.Call, error) {
	var c patternCall
	count := func(s, p string, from int32) (int32, error) {
		s = s[offset(s, int(from)):]
		lit, err := c.firstLiteral(p, s)
		if err != nil || lit == "" {
			return 0, err
		}
		return int32(strings.Count(s, lit)), nil
	}
	if len(args) == 2 {
		return function.CallMapErr2(func(s, p string) (int32, error) { return count(s, p, 0) }), nil
	}
	return function.CallMapErr3(count), nil
}

var errNoMatch = errors.New("no match")

// nthGroup finds where the first group of match n begins and ends, in bytes.
func (c *patternCall) nthGroup(pattern, s string, from, n int32) (start, end int, err error) {
	re, err := c.get(pattern)
	if err != nil {
		return 0, 0, err
	}
	if re == nil {
		return 0, 0, errNoMatch
	}
	at := offset(s, int(from))
	for ; n > 1; n-- {
		_, e, ok, err := re.FindIndex(s, at)
		if err != nil {
			return 0, 0, err
		}
		if !ok {
			return 0, 0, errNoMatch
		}
		if e == at { // an empty match: go on behind the next character
			if e == len(s) {
				return 0, 0, errNoMatch
			}
			e += offset(s[e:], 1)
		}
		at = e
	}
	ok, err := re.Find(s, at)
	if err != nil {
		return 0, 0, err
	}
	if !ok || n < 1 {
		return 0, 0, errNoMatch
	}
	start, end = re.Group(min(1, re.Regexp().NumGroups()))
	if start < 0 {
		return 0, 0, errNoMatch
	}
	return start, end, nil
}

// intArgs opens the INT arguments from a place on, with defaults for those left out.
func intArgs(args []vectorOf, at int, defaults ...int32) func(i int32, which int) int32 {
	type column struct {
		vals []int32
		mask int32
	}
	cols := make([]column, len(defaults))
	for j, d := range defaults {
		cols[j] = column{[]int32{d}, 0}
		if at+j < len(args) {
			cols[j].vals, cols[j].mask = function.Column[int32](args[at+j])
		}
	}
	return func(i int32, which int) int32 { return cols[which].vals[i&cols[which].mask] }
}

func bindRegexInstr(*function.Context, []function.Arg, types.Type) (function.Call, error) {
	var c patternCall
	var all []int32
	return func(args []vectorOf, sel []int32, out vectorOf) error {
		s, p, n := openText(args[0]), openText(args[1]), intArgs(args, 2, 0, 1, 0)
		dst := out.(*flat[int32]).Vals
		for _, i := range function.Rows(sel, len(dst), &all) {
			start, end, err := c.nthGroup(p.at(i), s.at(i), n(i, 0), n(i, 1))
			switch {
			case errors.Is(err, errNoMatch):
				dst[i] = -1
				continue
			case err != nil:
				return &function.RowError{Row: int(i), Err: err}
			}
			if n(i, 2) == 1 {
				start = end
			}
			dst[i] = int32(chars(s.at(i)[:start]))
		}
		return nil
	}, nil
}

func bindRegexSubstr(*function.Context, []function.Arg, types.Type) (function.Call, error) {
	var c patternCall
	var all []int32
	return func(args []vectorOf, sel []int32, out vectorOf) error {
		s, p, n := openText(args[0]), openText(args[1]), intArgs(args, 2, 0, 1)
		o := out.(*flat[string])
		for _, i := range function.Rows(sel, len(o.Vals), &all) {
			start, end, err := c.nthGroup(p.at(i), s.at(i), n(i, 0), n(i, 1))
			switch {
			case errors.Is(err, errNoMatch):
				o.SetNull(int(i))
				continue
			case err != nil:
				return &function.RowError{Row: int(i), Err: err}
			}
			o.Vals[i] = o.Arena.Clone(s.at(i)[start:end])
		}
		return nil
	}, nil
}
