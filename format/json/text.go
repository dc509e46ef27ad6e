package json

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"slices"
	"unicode/utf16"
	"unicode/utf8"
)

func hasBackslash(b []byte) bool { return bytes.IndexByte(b, '\\') >= 0 }

// AppendUnescaped appends the text that s, the inside of a string, stands for.
// why says what is wrong with it. A surrogate without its other half becomes
// U+FFFD. It is quickest with room for 8 bytes more than s has.
func AppendUnescaped(dst, s []byte) (text []byte, why string) {
	const slashes = ones * '\\'
	dst = slices.Grow(dst, len(s)+8)
	out := dst[len(dst) : len(dst)+len(s)+8]
	n, i := 0, 0 // bytes written, never more than read
	for i < len(s) {
		if i+8 <= len(s) {
			w := binary.LittleEndian.Uint64(s[i:])
			binary.LittleEndian.PutUint64(out[n:], w)
			x := w ^ slashes
			m := (x - ones) &^ x & highs
			if m == 0 {
				i, n = i+8, n+8
				continue
			}
			k := bits.TrailingZeros64(m) >> 3
			i, n = i+k, n+k
		} else if s[i] != '\\' {
			out[n] = s[i]
			i, n = i+1, n+1
			continue
		}
		if i+1 >= len(s) {
			return dst, "a string ends in a backslash"
		}
		c := s[i+1]
		i += 2
		switch c {
		case '"', '\\', '/':
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'u':
			r, size, ok := escapedRune(s[i:])
			if !ok {
				return dst, `\u is not followed by four hexadecimal digits`
			}
			i += size
			n += utf8.EncodeRune(out[n:], r)
			continue
		default:
			return dst, `\` + string(rune(c)) + " is no escape of JSON"
		}
		out[n] = c
		n++
	}
	return dst[:len(dst)+n], ""
}

// escapedRune reads what stands behind \u, two halves of a pair if there are.
func escapedRune(s []byte) (r rune, size int, ok bool) {
	if r, ok = hex4(s); !ok {
		return 0, 0, false
	}
	if !utf16.IsSurrogate(r) {
		return r, 4, true
	}
	if len(s) >= 10 && s[4] == '\\' && s[5] == 'u' {
		if low, ok := hex4(s[6:]); ok {
			if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
				return pair, 10, true
			}
		}
	}
	return utf8.RuneError, 4, true
}

func hex4(s []byte) (rune, bool) {
	if len(s) < 4 {
		return 0, false
	}
	var r rune
	for _, c := range s[:4] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// appendCompact appends an array or object without the blanks between its
// tokens and with its strings escaped no more than they must be: what a JSON
// library prints of it. Numbers stay as they are written.
func appendCompact(dst, s []byte) (out []byte, why string) {
	for i := 0; i < len(s); {
		c := s[i]
		if class[c]&blankByte != 0 {
			i++
			continue
		}
		if c != '"' {
			dst = append(dst, c)
			i++
			continue
		}
		end := i + 1
		esc := false
		for end < len(s) && s[end] != '"' {
			if s[end] == '\\' {
				esc = true
				end++
			}
			end++
		}
		if end >= len(s) {
			return dst, "a string does not end"
		}
		if !esc {
			dst = append(dst, s[i:end+1]...)
		} else {
			text, why := AppendUnescaped(nil, s[i+1:end])
			if why != "" {
				return dst, why
			}
			dst = AppendString(dst, string(text))
		}
		i = end + 1
	}
	return dst, ""
}

const hexDigits = "0123456789ABCDEF"

// AppendString appends s as a JSON string: quotes, backslashes and control
// characters escaped, bytes that are no UTF-8 as U+FFFD.
func AppendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				dst = append(dst, s[start:i]...)
				dst = utf8.AppendRune(dst, utf8.RuneError)
				start = i + 1
			}
			i += n
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
			i++
			continue
		}
		dst = append(dst, s[start:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\b':
			dst = append(dst, '\\', 'b')
		case '\f':
			dst = append(dst, '\\', 'f')
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		start = i
	}
	return append(append(dst, s[start:]...), '"')
}
