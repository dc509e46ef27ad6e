package builtin

import (
	"errors"
	"strings"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/internal/regex"
	"github.com/runnelio/runnel/types"
)

// regexpFuncs match with regular expressions of Java's syntax. A broken
// pattern makes the result NULL, or FALSE; a text on which matching would take
// too long is an error of its row.
var regexpFuncs = []function.Def{
	{
		Name: "REGEXP", Group: "regexp", Sig: "(STRING, STRING) -> BOOLEAN",
		Doc: "Whether the regular expression is found in the text; FALSE if it is empty or broken.",
		Scalar: function.Bound(func(*function.Context, []function.Arg, types.Type) (function.Call, error) {
			var c patternCall
			return function.CallMapErr2(func(s, p string) (bool, error) {
				re, err := c.get(p)
				if re == nil || p == "" {
					return false, err
				}
				return re.Match(s)
			}), nil
		}),
		Eg: []function.Example{eg("REGEXP('foobar', '^foo')", "TRUE")},
	},
	{
		Name: "REGEXP_EXTRACT", Group: "regexp", Sig: "(STRING, STRING, [INT]) -> STRING?",
		Doc:    "What a group of the regular expression matches at its first occurrence, 0 and the default being all of it; NULL if there is none.",
		Scalar: regexpText(regexpExtract), Eg: []function.Example{eg("REGEXP_EXTRACT('foothebar', 'foo(.*?)(bar)', 2)", "bar")},
	},
	{
		Name: "REGEXP_EXTRACT_ALL", Group: "regexp", Sig: "(STRING, STRING, [INT]) -> ARRAY<STRING>?",
		Doc:    "What a group of the regular expression, 1 if not given, matches at each of its occurrences; NULL if the group does not exist.",
		Scalar: function.Bound(bindRegexpExtractAll), Eg: []function.Example{eg("REGEXP_EXTRACT_ALL('a1b2', '([a-z])(\\d)', 2)", "[1, 2]")},
	},
	{
		Name: "REGEXP_REPLACE", Group: "regexp", Sig: "(STRING, STRING, STRING) -> STRING",
		Doc:    "The text with all occurrences of the regular expression replaced by the third text as it stands.",
		Scalar: regexpText(regexpReplace), Eg: []function.Example{eg("REGEXP_REPLACE('foobar', 'oo|ar', '')", "fb")},
	},
	{
		Name: "REGEXP_COUNT", Group: "regexp", Sig: "(STRING, STRING) -> INT?",
		Doc:    "How often the regular expression occurs in the text, without overlap.",
		Scalar: regexpInt(regexpCount), Eg: []function.Example{eg("REGEXP_COUNT('ababab', 'ab')", "3")},
	},
	{
		Name: "REGEXP_INSTR", Group: "regexp", Sig: "(STRING, STRING) -> INT?",
		Doc:    "Where the regular expression first occurs in the text, from 1; 0 if nowhere.",
		Scalar: regexpInt(regexpInstr), Eg: []function.Example{eg("REGEXP_INSTR('hello', 'l+')", "3")},
	},
	{
		Name: "REGEXP_SUBSTR", Group: "regexp", Sig: "(STRING, STRING) -> STRING?",
		Doc:    "The first part of the text that the regular expression matches, NULL if there is none.",
		Scalar: regexpText(regexpExtract), Eg: []function.Example{eg("REGEXP_SUBSTR('hello', 'l+')", "ll")},
	},
}

// patternCall keeps the pattern of a call site compiled while rows have the same.
type patternCall struct {
	flags regex.Flags
	src   string
	re    *regex.Matcher
	err   error // the pattern is not broken, but not one for this engine
	done  bool
}

// get returns the compiled pattern, nil if it is broken. A pattern that is only
// beyond this engine is an error: nobody may take it for one that never matches.
func (c *patternCall) get(src string) (*regex.Matcher, error) {
	if !c.done || src != c.src {
		c.src, c.done, c.re, c.err = strings.Clone(src), true, nil, nil
		re, err := regex.Compile(c.src, c.flags)
		var syntax *regex.SyntaxError
		switch {
		case err == nil:
			c.re = re.Matcher()
		case errors.As(err, &syntax) && syntax.Limit:
			c.err = err
		}
	}
	return c.re, c.err
}

// regexpArgs are the arguments of a row: the text, a replacement or a group.
type regexpArgs struct {
	s, by string
	group int // 0 if not given
}

// regexpText makes a scalar of a function that appends a text or has none.
func regexpText(f func(dst []byte, re *regex.Matcher, a regexpArgs) ([]byte, bool, error)) *function.Scalar {
	return function.Bound(func(*function.Context, []function.Arg, types.Type) (function.Call, error) {
		var c patternCall
		var all []int32
		return func(args []vectorOf, sel []int32, out vectorOf) error {
			s, p, by := openText(args[0]), openText(args[1]), textColumn{vals: []string{""}}
			groups, mask := []int32{0}, int32(0)
			if len(args) == 3 && args[2].Type().IsChar() {
				by = openText(args[2])
			} else if len(args) == 3 {
				groups, mask = function.Column[int32](args[2])
			}
			o := out.(*flat[string])
			for _, i := range function.Rows(sel, len(o.Vals), &all) {
				re, err := c.get(p.at(i))
				if err != nil {
					return &function.RowError{Row: int(i), Err: err}
				}
				if re == nil {
					o.SetNull(int(i))
					continue
				}
				b, ok, err := f(o.Arena.Grow(256), re, regexpArgs{s.at(i), by.at(i), int(groups[i&mask])})
				switch {
				case err != nil:
					return &function.RowError{Row: int(i), Err: err}
				case !ok:
					o.SetNull(int(i))
				default:
					o.Vals[i] = o.Arena.Take(b)
				}
			}
			return nil
		}, nil
	})
}

func regexpExtract(dst []byte, re *regex.Matcher, a regexpArgs) ([]byte, bool, error) {
	if a.group < 0 || a.group > re.Regexp().NumGroups() {
		return dst, false, nil
	}
	ok, err := re.Find(a.s, 0)
	if !ok || err != nil {
		return dst, false, err
	}
	start, end := re.Group(a.group)
	if start < 0 {
		return dst, false, nil
	}
	return append(dst, a.s[start:end]...), true, nil
}

func regexpReplace(dst []byte, re *regex.Matcher, a regexpArgs) ([]byte, bool, error) {
	last := 0
	re.Reset(a.s)
	for {
		ok, err := re.Next()
		if err != nil {
			return dst, false, err
		}
		if !ok {
			return append(dst, a.s[last:]...), true, nil
		}
		start, end := re.Group(0)
		dst = append(append(dst, a.s[last:start]...), a.by...)
		last = end
	}
}

// regexpInt makes a scalar of a function of a pattern and a text.
func regexpInt(f func(re *regex.Matcher, s string) (int32, error)) *function.Scalar {
	return function.Bound(func(*function.Context, []function.Arg, types.Type) (function.Call, error) {
		var c patternCall
		var all []int32
		return func(args []vectorOf, sel []int32, out vectorOf) error {
			s, p := openText(args[0]), openText(args[1])
			o := out.(*flat[int32])
			for _, i := range function.Rows(sel, len(o.Vals), &all) {
				re, err := c.get(p.at(i))
				if err != nil {
					return &function.RowError{Row: int(i), Err: err}
				}
				if re == nil {
					o.SetNull(int(i))
					continue
				}
				n, err := f(re, s.at(i))
				if err != nil {
					return &function.RowError{Row: int(i), Err: err}
				}
				o.Vals[i] = n
			}
			return nil
		}, nil
	})
}

func regexpCount(re *regex.Matcher, s string) (int32, error) {
	re.Reset(s)
	for n := int32(0); ; n++ {
		if ok, err := re.Next(); !ok || err != nil {
			return n, err
		}
	}
}

func regexpInstr(re *regex.Matcher, s string) (int32, error) {
	start, _, ok, err := re.FindIndex(s, 0)
	if !ok || err != nil {
		return 0, err
	}
	return int32(chars(s[:start]) + 1), nil
}

func bindRegexpExtractAll(*function.Context, []function.Arg, types.Type) (function.Call, error) {
	var c patternCall
	var all []int32
	return func(args []vectorOf, sel []int32, out vectorOf) error {
		s, p := openText(args[0]), openText(args[1])
		groups, mask := []int32{1}, int32(0)
		if len(args) == 3 {
			groups, mask = function.Column[int32](args[2])
		}
		o := openLists(out)
		for _, i := range function.Rows(sel, out.Len(), &all) {
			re, err := c.get(p.at(i))
			if err != nil {
				return &function.RowError{Row: int(i), Err: err}
			}
			group, text := int(groups[i&mask]), s.at(i)
			o.begin(i)
			if re == nil || group < 0 || group > re.Regexp().NumGroups() {
				out.SetNull(int(i))
				continue
			}
			re.Reset(text)
			for {
				ok, err := re.Next()
				if err != nil {
					return &function.RowError{Row: int(i), Err: err}
				}
				if !ok {
					break
				}
				if start, end := re.Group(group); start >= 0 {
					o.add(i, text[start:end])
				} else {
					o.addNull(i)
				}
			}
		}
		return nil
	}, nil
}
