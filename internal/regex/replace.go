package regex

import (
	"fmt"
	"strconv"
)

// Replacement is the text that replaces a match, as Java reads it: $1 and
// ${name} are groups, a backslash takes the next character as it is.
type Replacement struct {
	parts []replPart
	err   error // given when a match is replaced
}

type replPart struct {
	text  string
	group int // -1: text
}

// Replacement prepares a replacement text. A mistake in it is an error of
// the first replacement that is made with it, as in Java.
func (re *Regexp) Replacement(text string) *Replacement {
	r := &Replacement{}
	var lit []byte
	flush := func() {
		if len(lit) > 0 {
			r.parts = append(r.parts, replPart{string(lit), -1})
			lit = nil
		}
	}
	fail := func(format string, args ...any) *Replacement {
		flush()
		r.err = fmt.Errorf(format, args...)
		return r
	}
	for i := 0; i < len(text); {
		switch c := text[i]; c {
		case '\\':
			i++
			if i == len(text) {
				return fail("character to be escaped is missing")
			}
			lit = append(lit, text[i])
			i++
		case '$':
			i++
			if i == len(text) {
				return fail("illegal group reference: group index is missing")
			}
			var group int
			if text[i] == '{' {
				end := i + 1
				for end < len(text) && (isASCIILetter(rune(text[end])) || text[end] >= '0' && text[end] <= '9') {
					end++
				}
				name := text[i+1 : end]
				switch {
				case name == "":
					return fail("named capturing group is missing trailing '}'")
				case end == len(text) || text[end] != '}':
					return fail("named capturing group is missing trailing '}'")
				case name[0] <= '9':
					return fail("capturing group name {%s} starts with digit character", name)
				}
				if group = re.GroupIndex(name); group < 0 {
					return fail("no group with name {%s}", name)
				}
				i = end + 1
			} else {
				if text[i] < '0' || text[i] > '9' {
					return fail("illegal group reference")
				}
				group = int(text[i] - '0')
				i++
				if group > re.NumGroups() {
					return fail("no group %s", strconv.Itoa(group))
				}
				for i < len(text) && text[i] >= '0' && text[i] <= '9' {
					longer := group*10 + int(text[i]-'0')
					if longer > re.NumGroups() {
						break
					}
					group = longer
					i++
				}
			}
			flush()
			r.parts = append(r.parts, replPart{"", group})
		default:
			lit = append(lit, c)
			i++
		}
	}
	flush()
	return r
}

// AppendReplaced appends s to dst with every match replaced (with all false,
// only the first): Java's replaceAll and replaceFirst.
func (m *Matcher) AppendReplaced(dst []byte, s string, r *Replacement, all bool) ([]byte, error) {
	m.Reset(s)
	done := 0
	for {
		ok, err := m.Next()
		if err != nil {
			return dst, err
		}
		if !ok {
			break
		}
		if r.err != nil {
			return dst, r.err
		}
		start, end := m.Group(0)
		dst = append(dst, s[done:start]...)
		for _, p := range r.parts {
			if p.group < 0 {
				dst = append(dst, p.text...)
				continue
			}
			if from, to := m.Group(p.group); from >= 0 {
				dst = append(dst, s[from:to]...)
			}
		}
		done = end
		if !all {
			break
		}
	}
	return append(dst, s[done:]...), nil
}
