package builtin

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/internal/regex"
	"github.com/runnelio/runnel/types"
)

// likeFuncs match a whole text with a pattern of SQL.
var likeFuncs = []function.Def{
	{
		Name: "LIKE", Group: "string", Sig: "(STRING, STRING, [STRING]) -> BOOLEAN",
		Doc:    "s LIKE pattern ESCAPE c: whether all of s matches: % is any text, _ any character, and after the escape character %, _ and itself are plain. Without ESCAPE there is none.",
		Scalar: function.Bound(bindLike), Eg: []function.Example{eg("'abc' LIKE 'a%'", "TRUE"), eg("'a_c' LIKE 'a$_c' ESCAPE '$'", "TRUE")},
	},
	{
		Name: "SIMILAR TO", Group: "string", Sig: "(STRING, STRING, [STRING]) -> BOOLEAN",
		Doc:    "s SIMILAR TO pattern ESCAPE c: whether all of s matches a regular expression with % for any text and _ for any character.",
		Scalar: function.Bound(bindSimilar), Eg: []function.Example{eg("'abc' SIMILAR TO '(a|b)b%'", "TRUE")},
	},
}

// likeMatcher tells whether a text matches.
type likeMatcher func(s string) bool

func bindLike(_ *function.Context, args []function.Arg, _ types.Type) (function.Call, error) {
	if pattern, escape, ok := constPattern(args); ok {
		if m, err := compileLike(pattern, escape); err == nil {
			return function.CallMap1(m), nil
		}
	}
	return callPattern(args, func(pattern, escape string) (func(string) (bool, error), error) {
		m, err := compileLike(pattern, escape)
		return func(s string) (bool, error) { return m(s), nil }, err
	}), nil
}

func bindSimilar(_ *function.Context, args []function.Arg, _ types.Type) (function.Call, error) {
	return callPattern(args, compileSimilar), nil
}

// constPattern returns pattern and escape if both are constant.
func constPattern(args []function.Arg) (pattern, escape string, ok bool) {
	texts := [2]string{}
	for i, a := range args[1:] {
		s, is := a.Value.(string)
		if !a.Const || !is {
			return "", "", false
		}
		texts[i] = s
	}
	return texts[0], texts[1], true
}

// callPattern compiles the pattern of a row and keeps it while rows have the
// same: a constant one is compiled once. A broken pattern is an error of the row.
func callPattern(args []function.Arg, compile func(pattern, escape string) (func(string) (bool, error), error)) function.Call {
	var (
		pattern, escape string
		match           func(string) (bool, error)
	)
	test := func(s, p, e string) (bool, error) {
		if match == nil || p != pattern || e != escape {
			m, err := compile(strings.Clone(p), strings.Clone(e))
			if err != nil {
				return false, err
			}
			match, pattern, escape = m, strings.Clone(p), strings.Clone(e)
		}
		return match(s)
	}
	if len(args) == 2 {
		return function.CallMapErr2(func(s, p string) (bool, error) { return test(s, p, "") })
	}
	return function.CallMapErr3(test)
}

// likeStep is a piece of a pattern.
type likeStep struct {
	kind likeKind
	text string // of likeText
}

type likeKind uint8

const (
	likeText likeKind = iota
	likeOne           // _
	likeAny           // %
)

// compileLike turns a pattern into a matcher. The usual forms (equal, prefix,
// suffix, part, both ends) are single operations on strings.
func compileLike(pattern, escape string) (likeMatcher, error) {
	steps, err := likeSteps(pattern, escape)
	if err != nil {
		return nil, err
	}
	form := ""
	var texts []string
	for _, s := range steps {
		form += [...]string{"t", "_", "%"}[s.kind]
		if s.kind == likeText {
			texts = append(texts, s.text)
		}
	}
	switch form {
	case "":
		return func(s string) bool { return s == "" }, nil
	case "%":
		return func(string) bool { return true }, nil
	case "t":
		text := texts[0]
		return func(s string) bool { return s == text }, nil
	case "t%":
		text := texts[0]
		return func(s string) bool { return strings.HasPrefix(s, text) }, nil
	case "%t":
		text := texts[0]
		return func(s string) bool { return strings.HasSuffix(s, text) }, nil
	case "%t%":
		return newFinder(texts[0]).in, nil
	case "t%t":
		head, tail := texts[0], texts[1]
		return func(s string) bool {
			return len(s) >= len(head)+len(tail) && strings.HasPrefix(s, head) && strings.HasSuffix(s, tail)
		}, nil
	}
	return func(s string) bool { return matchSteps(s, steps) }, nil
}

func likeSteps(pattern, escape string) ([]likeStep, error) {
	esc := rune(-1)
	if escape != "" {
		var n int
		if esc, n = utf8.DecodeRuneInString(escape); n != len(escape) {
			return nil, fmt.Errorf("the escape of LIKE is one character, not '%s'", escape)
		}
	}
	var steps []likeStep
	var text []byte
	flush := func() {
		if len(text) > 0 {
			steps = append(steps, likeStep{text: string(text)})
			text = text[:0]
		}
	}
	for i := 0; i < len(pattern); {
		r, n := utf8.DecodeRuneInString(pattern[i:])
		switch {
		case r == esc:
			next, w := utf8.DecodeRuneInString(pattern[i+n:])
			if w == 0 || next != esc && next != '%' && next != '_' {
				return nil, fmt.Errorf("LIKE pattern '%s' has an escape before what needs none, at %d", pattern, chars(pattern[:i])+1)
			}
			text = append(text, pattern[i+n:i+n+w]...)
			n += w
		case r == '%':
			flush()
			if len(steps) == 0 || steps[len(steps)-1].kind != likeAny {
				steps = append(steps, likeStep{kind: likeAny})
			}
		case r == '_':
			flush()
			steps = append(steps, likeStep{kind: likeOne})
		default:
			text = append(text, pattern[i:i+n]...)
		}
		i += n
	}
	flush()
	return steps, nil
}

// matchSteps tries the shortest text for each % and, where the steps behind it
// fail, a longer one for the last: earlier ones never need to change.
func matchSteps(s string, steps []likeStep) bool {
	pos, i := 0, 0
	anyAt, anyPos := -1, 0
	for {
		if i < len(steps) {
			switch st := steps[i]; {
			case st.kind == likeAny:
				anyAt, anyPos = i, pos
				if i++; i == len(steps) {
					return true
				}
				continue
			case st.kind == likeOne && pos < len(s):
				_, w := utf8.DecodeRuneInString(s[pos:])
				pos, i = pos+w, i+1
				continue
			case st.kind == likeText && strings.HasPrefix(s[pos:], st.text):
				pos, i = pos+len(st.text), i+1
				continue
			}
		} else if pos == len(s) {
			return true
		}
		if anyAt < 0 || anyPos >= len(s) {
			return false
		}
		_, w := utf8.DecodeRuneInString(s[anyPos:])
		anyPos += w
		if next := steps[anyAt+1]; next.kind == likeText {
			j := strings.Index(s[anyPos:], next.text)
			if j < 0 {
				return false
			}
			anyPos += j
		}
		pos, i = anyPos, anyAt+1
	}
}

// compileSimilar translates a pattern of SIMILAR TO: % and _ become .* and .
// outside of classes, the rest is a regular expression over the whole text.
func compileSimilar(pattern, escape string) (func(string) (bool, error), error) {
	esc := rune(-1)
	if escape != "" {
		var n int
		if esc, n = utf8.DecodeRuneInString(escape); n != len(escape) {
			return nil, fmt.Errorf("the escape of SIMILAR TO is one character, not '%s'", escape)
		}
	}
	var re strings.Builder
	re.WriteString("(?s)")
	class := false
	for i := 0; i < len(pattern); {
		r, n := utf8.DecodeRuneInString(pattern[i:])
		switch {
		case r == esc:
			_, w := utf8.DecodeRuneInString(pattern[i+n:])
			if w == 0 {
				return nil, fmt.Errorf("SIMILAR TO pattern '%s' ends with an escape", pattern)
			}
			c := pattern[i+n : i+n+w]
			if strings.ContainsAny(c, `\^$.|?*+()[]{}-&`) {
				re.WriteByte('\\')
			}
			re.WriteString(c)
			n += w
		case class && strings.HasPrefix(pattern[i:], "[:"):
			end := strings.Index(pattern[i:], ":]")
			name, ok := "", false
			if end > 0 {
				name, ok = similarClasses[strings.ToUpper(pattern[i+2:i+end])]
			}
			if !ok {
				return nil, fmt.Errorf("SIMILAR TO pattern '%s' has an unknown class at %d", pattern, chars(pattern[:i])+1)
			}
			re.WriteString(name)
			n = end + 2
		case r == '[' && !class:
			class = true
			re.WriteByte('[')
			if strings.HasPrefix(pattern[i+1:], "^") {
				re.WriteByte('^')
				n++
			}
		case r == ']':
			class = false
			re.WriteByte(']')
		case r == '%' && !class:
			re.WriteString(".*")
		case r == '_' && !class:
			re.WriteByte('.')
		case r == '\\' || class && (r == '[' || r == '&'):
			re.WriteByte('\\')
			re.WriteRune(r)
		case (r == '^' || r == '$') && !class:
			re.WriteByte('\\')
			re.WriteRune(r)
		default:
			re.WriteString(pattern[i : i+n])
		}
		i += n
	}
	p, err := regex.Compile(re.String(), 0)
	if err != nil {
		return nil, fmt.Errorf("SIMILAR TO pattern '%s': %w", pattern, err)
	}
	return p.Matcher().MatchWhole, nil
}

// similarClasses are the classes that SQL names.
var similarClasses = map[string]string{
	"ALPHA": `\p{Alpha}`, "UPPER": `\p{Upper}`, "LOWER": `\p{Lower}`, "DIGIT": `\d`, "ALNUM": `\p{Alnum}`, "SPACE": ` `, "WHITESPACE": `\s`,
}
