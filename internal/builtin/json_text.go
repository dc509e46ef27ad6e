package builtin

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// appendJSON appends the value of s at span v as Flink writes JSON: without
// blanks, the keys of objects sorted, numbers as Java prints them.
func appendJSON(dst []byte, s string, v jsonSpan) []byte {
	switch s[v.start] {
	case '{':
		members := jsonMembers(nil, s, v.start)
		slices.SortFunc(members, func(a, b jsonMember) int { return compareUTF16(a.key, b.key) })
		dst = append(dst, '{')
		for i, m := range members {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(appendJSONQuoted(dst, m.key), ':')
			dst = appendJSON(dst, s, jsonSpan{m.start, m.end})
		}
		return append(dst, '}')
	case '[':
		dst = append(dst, '[')
		for i, e := range jsonElements(nil, s, v.start) {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendJSON(dst, s, e)
		}
		return append(dst, ']')
	case '"':
		return appendJSONRequoted(dst, s[v.start:v.end])
	case 't', 'f', 'n':
		return append(dst, s[v.start:v.end]...)
	}
	return appendJSONNumber(dst, s[v.start:v.end])
}

// appendJSONRequoted appends a valid JSON string with its escapes in our form.
func appendJSONRequoted(dst []byte, s string) []byte {
	if strings.IndexByte(s, '\\') < 0 {
		return append(dst, s...)
	}
	var buf [256]byte
	text := appendJSONText(buf[:0], s)
	return appendJSONQuoted(dst, string(text))
}

// appendJSONScalar appends a scalar as text: strings without quotes.
func appendJSONScalar(dst []byte, s string, v jsonSpan) []byte {
	switch s[v.start] {
	case '"':
		return appendJSONText(dst, s[v.start:v.end])
	case 't', 'f', 'n':
		return append(dst, s[v.start:v.end]...)
	}
	return appendJSONNumber(dst, s[v.start:v.end])
}

// isJSONScalar tells whether the value at v is neither object nor array.
func isJSONScalar(s string, v jsonSpan) bool { return s[v.start] != '{' && s[v.start] != '[' }

// compareUTF16 orders texts as Java does: by UTF-16 units, where characters
// beyond the basic plane sort below U+E000.
func compareUTF16(a, b string) int {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	if i == len(a) || i == len(b) {
		return len(a) - len(b)
	}
	for i > 0 && !utf8.RuneStart(a[i]) {
		i--
	}
	x, _ := utf8.DecodeRuneInString(a[i:])
	y, _ := utf8.DecodeRuneInString(b[i:])
	if (x > 0xFFFF) != (y > 0xFFFF) {
		unit := func(r rune) rune {
			if r > 0xFFFF {
				return 0xD800 + (r-0x10000)>>10
			}
			return r
		}
		x, y = unit(x), unit(y)
	}
	return int(x - y)
}
