package builtin

import (
	"fmt"
	"strconv"
	"unicode/utf8"
)

// JSON is worked on as text: values are spans of it, found by scanning. What
// counts as JSON is what Flink's parser (Jackson) takes: the text is read up to
// the end of its first value, and what follows is not looked at.

// maxJSONDepth is how deep values may nest, as in Jackson.
const maxJSONDepth = 1000

// jsonSpace returns the index of the first byte of s at or behind i that is no blank.
func jsonSpace(s string, i int) int {
	for i < len(s) && (s[i] == ' ' || s[i] == '\n' || s[i] == '\t' || s[i] == '\r') {
		i++
	}
	return i
}

// jsonDocument returns where the value of a text begins and ends. If the text
// is no JSON, end is negative: the complement of the place that is wrong.
func jsonDocument(s string) (start, end int) {
	start = jsonSpace(s, 0)
	end = jsonSkip(s, start, 0)
	return start, jsonRootEnd(s, start, end)
}

// jsonRootEnd checks what stands behind a value that is a whole text: a number
// needs a blank, a word must not go on.
func jsonRootEnd(s string, start, end int) int {
	if end < 0 || end >= len(s) {
		return end
	}
	switch c := s[start]; {
	case c == '"' || c == '{' || c == '[':
	case c == '-' || c >= '0' && c <= '9':
		if jsonSpace(s, end) == end {
			return ^end
		}
	case isLetter(s[end]) || s[end]-'0' <= 9 || s[end] == '_' || s[end] == '$' || s[end] >= 0x80:
		return ^end
	}
	return end
}

// jsonSkip returns the end of the value that starts at i, or the complement of
// the place where it is wrong.
func jsonSkip(s string, i, depth int) int {
	if i >= len(s) {
		return ^i
	}
	switch s[i] {
	case '"':
		end, _ := jsonSkipString(s, i)
		return end
	case '{':
		if depth >= maxJSONDepth {
			return ^i
		}
		i = jsonSpace(s, i+1)
		if i < len(s) && s[i] == '}' {
			return i + 1
		}
		for {
			if i >= len(s) || s[i] != '"' {
				return ^i
			}
			if i, _ = jsonSkipString(s, i); i < 0 {
				return i
			}
			if i = jsonSpace(s, i); i >= len(s) || s[i] != ':' {
				return ^i
			}
			if i = jsonSkip(s, jsonSpace(s, i+1), depth+1); i < 0 {
				return i
			}
			if i = jsonSpace(s, i); i >= len(s) {
				return ^i
			}
			if s[i] == '}' {
				return i + 1
			}
			if s[i] != ',' {
				return ^i
			}
			i = jsonSpace(s, i+1)
		}
	case '[':
		if depth >= maxJSONDepth {
			return ^i
		}
		i = jsonSpace(s, i+1)
		if i < len(s) && s[i] == ']' {
			return i + 1
		}
		for {
			if i = jsonSkip(s, i, depth+1); i < 0 {
				return i
			}
			if i = jsonSpace(s, i); i >= len(s) {
				return ^i
			}
			if s[i] == ']' {
				return i + 1
			}
			if s[i] != ',' {
				return ^i
			}
			i = jsonSpace(s, i+1)
		}
	case 't':
		return jsonWord(s, i, "true")
	case 'f':
		return jsonWord(s, i, "false")
	case 'n':
		return jsonWord(s, i, "null")
	}
	return jsonSkipNumber(s, i)
}

func jsonWord(s string, i int, word string) int {
	if len(s)-i < len(word) || s[i:i+len(word)] != word {
		return ^i
	}
	return i + len(word)
}

func jsonSkipNumber(s string, i int) int {
	if i < len(s) && s[i] == '-' {
		i++
	}
	start := i
	for i < len(s) && s[i]-'0' <= 9 {
		i++
	}
	if i == start || s[start] == '0' && i > start+1 {
		return ^start
	}
	if i < len(s) && s[i] == '.' {
		start = i + 1
		for i++; i < len(s) && s[i]-'0' <= 9; i++ {
		}
		if i == start {
			return ^i
		}
	}
	if i < len(s) && s[i]|0x20 == 'e' {
		i++
		if i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		start = i
		for i < len(s) && s[i]-'0' <= 9 {
			i++
		}
		if i == start || i-start > 9 {
			return ^i
		}
	}
	return i
}

// jsonSkipString returns the end of the string whose quote is at i, and
// whether it has escapes.
func jsonSkipString(s string, i int) (end int, escaped bool) {
	for i++; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return i + 1, escaped
		case c == '\\':
			escaped = true
			i++
			if i >= len(s) {
				return ^i, true
			}
			switch s[i] {
			case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			case 'u':
				if _, ok := hex4(s, i+1); !ok {
					return ^i, true
				}
				i += 4
			default:
				return ^i, true
			}
		case c < ' ':
			return ^i, escaped
		}
	}
	return ^i, escaped
}

func hex4(s string, i int) (rune, bool) {
	if i+4 > len(s) {
		return 0, false
	}
	var r rune
	for _, c := range []byte(s[i : i+4]) {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// appendJSONText appends the text that a valid JSON string, quotes included,
// stands for. Half a surrogate pair becomes a question mark, as in Java.
func appendJSONText(dst []byte, s string) []byte {
	s = s[1 : len(s)-1]
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			dst = append(dst, s[i])
			continue
		}
		i++
		switch c := s[i]; c {
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			r, _ := hex4(s, i+1)
			i += 4
			if r >= 0xD800 && r < 0xDC00 && i+6 < len(s) && s[i+1] == '\\' && s[i+2] == 'u' {
				if low, ok := hex4(s, i+3); ok && low >= 0xDC00 && low < 0xE000 {
					r = 0x10000 + (r-0xD800)<<10 + (low - 0xDC00)
					i += 6
				}
			}
			if r >= 0xD800 && r < 0xE000 {
				r = '?'
			}
			dst = utf8.AppendRune(dst, r)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// jsonKeyIs tells whether a JSON string, quotes included, stands for name.
func jsonKeyIs(key string, escaped bool, name string) bool {
	if !escaped {
		return key[1:len(key)-1] == name
	}
	var buf [64]byte
	return string(appendJSONText(buf[:0], key)) == name
}

// appendJSONQuoted appends s as a JSON string, escaped as Jackson does: only
// what must be.
func appendJSONQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(append(dst, s[start:i]...), '\\')
		start = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, c)
		case '\b':
			dst = append(dst, 'b')
		case '\f':
			dst = append(dst, 'f')
		case '\n':
			dst = append(dst, 'n')
		case '\r':
			dst = append(dst, 'r')
		case '\t':
			dst = append(dst, 't')
		default:
			const hex = "0123456789ABCDEF"
			dst = append(dst, 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	return append(append(dst, s[start:]...), '"')
}

// appendJSONNumber appends a valid JSON number as Java prints it: integers
// without a sign of zero, others as BigDecimal does (1e3 is 1E+3).
func appendJSONNumber(dst []byte, s string) []byte {
	if s == "-0" {
		return append(dst, '0')
	}
	for i := range len(s) {
		if s[i] == '.' || s[i]|0x20 == 'e' {
			return appendBigDecimal(dst, s, false)
		}
	}
	return append(dst, s...)
}

// appendBigDecimal appends a decimal number in the form of BigDecimal.toString
// or, if plain, toPlainString.
func appendBigDecimal(dst []byte, s string, plain bool) []byte {
	neg := s != "" && s[0] == '-'
	var buf [64]byte
	digits := buf[:0]
	scale, exp, point := 0, 0, false
	for i := range len(s) {
		switch c := s[i]; {
		case c == '.':
			point = true
		case c >= '0' && c <= '9':
			if len(digits) > 0 || c != '0' {
				digits = append(digits, c)
			}
			if point {
				scale++
			}
		case c|0x20 == 'e':
			exp, _ = strconv.Atoi(s[i+1:])
			scale -= exp
		}
		if s[i]|0x20 == 'e' {
			break
		}
	}
	if len(digits) == 0 {
		digits, neg = append(digits, '0'), false
	}
	if neg {
		dst = append(dst, '-')
	}
	adjusted := len(digits) - 1 - scale
	switch {
	case scale == 0:
		return append(dst, digits...)
	case scale > 0 && (adjusted >= -6 || plain):
		if whole := len(digits) - scale; whole > 0 {
			dst = append(append(dst, digits[:whole]...), '.')
			return append(dst, digits[whole:]...)
		}
		dst = append(dst, '0', '.')
		for range scale - len(digits) {
			dst = append(dst, '0')
		}
		return append(dst, digits...)
	case plain:
		dst = append(dst, digits...)
		for range -scale {
			dst = append(dst, '0')
		}
		return dst
	}
	dst = append(dst, digits[0])
	if len(digits) > 1 {
		dst = append(append(dst, '.'), digits[1:]...)
	}
	dst = append(dst, 'E')
	if adjusted >= 0 {
		dst = append(dst, '+')
	}
	return strconv.AppendInt(dst, int64(adjusted), 10)
}

// jsonMember is a member of an object: spans of the text.
type jsonMember struct {
	key        string // decoded
	start, end int    // the value
}

// jsonMembers appends the members of the valid object at i, in order of their
// first appearance; of a key that comes twice the last value counts.
func jsonMembers(dst []jsonMember, s string, i int) []jsonMember {
	first := len(dst)
	i = jsonSpace(s, i+1)
	for s[i] == '"' {
		end, escaped := jsonSkipString(s, i)
		key := s[i+1 : end-1]
		if escaped {
			key = string(appendJSONText(nil, s[i:end]))
		}
		i = jsonSpace(s, jsonSpace(s, end)+1)
		m := jsonMember{key: key, start: i, end: jsonSkip(s, i, 0)}
		at := len(dst)
		if len(dst)-first < 16 {
			for k := first; k < len(dst); k++ {
				if dst[k].key == key {
					at = k
					break
				}
			}
		}
		if at < len(dst) {
			dst[at] = m
		} else {
			dst = append(dst, m)
		}
		i = jsonSpace(s, m.end)
		if s[i] == ',' {
			i = jsonSpace(s, i+1)
		}
	}
	if n := len(dst) - first; n > 16 {
		dst = dst[:first+len(uniqueMembers(dst[first:]))]
	}
	return dst
}

// uniqueMembers keeps one member a key: the first place, the last value.
func uniqueMembers(ms []jsonMember) []jsonMember {
	at := make(map[string]int, len(ms))
	out := ms[:0]
	for _, m := range ms {
		if k, ok := at[m.key]; ok {
			out[k] = m
			continue
		}
		at[m.key] = len(out)
		out = append(out, m)
	}
	return out
}

// jsonSpan is a value of a text.
type jsonSpan struct{ start, end int }

// jsonElements appends the elements of the valid array at i.
func jsonElements(dst []jsonSpan, s string, i int) []jsonSpan {
	i = jsonSpace(s, i+1)
	for s[i] != ']' {
		end := jsonSkip(s, i, 0)
		dst = append(dst, jsonSpan{i, end})
		if i = jsonSpace(s, end); s[i] == ',' {
			i = jsonSpace(s, i+1)
		}
	}
	return dst
}

// errNoJSON is the error of a text that is no JSON, wrong at byte at.
func errNoJSON(s string, at int) error {
	if at >= len(s) {
		return fmt.Errorf("invalid JSON: the text ends too early")
	}
	near := s[at:]
	if len(near) > 20 {
		near = near[:20]
	}
	return fmt.Errorf("invalid JSON at byte %d, %q", at, near)
}
