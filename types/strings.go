package types

import (
	"strings"
	"unicode/utf8"
)

// AppendUTF8 appends s with bytes that are no UTF-8 replaced by U+FFFD, the
// way Java decodes: one for each longest broken sequence.
func AppendUTF8(dst []byte, s string) []byte {
	if utf8.ValidString(s) {
		return append(dst, s...)
	}
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			n = brokenLen(s[i:])
			dst = append(dst, "\uFFFD"...)
		} else {
			dst = append(dst, s[i:i+n]...)
		}
		i += n
	}
	return dst
}

// brokenLen is the length of the broken sequence that s starts with: as many
// bytes as could begin a valid one, at least one.
func brokenLen(s string) int {
	c := s[0]
	want, lo, hi := 0, byte(0x80), byte(0xBF)
	switch {
	case c >= 0xC2 && c <= 0xDF:
		want = 2
	case c >= 0xE0 && c <= 0xEF:
		want = 3
		if c == 0xE0 {
			lo = 0xA0
		} else if c == 0xED {
			hi = 0x9F
		}
	case c >= 0xF0 && c <= 0xF4:
		want = 4
		if c == 0xF0 {
			lo = 0x90
		} else if c == 0xF4 {
			hi = 0x8F
		}
	}
	n := 1
	for n < want && n < len(s) && s[n] >= lo && s[n] <= hi {
		lo, hi = 0x80, 0xBF
		n++
	}
	return n
}

// FitString gives a text the length of a CHAR or VARCHAR type: what is too
// long is cut, and CHAR is padded with blanks. Lengths count code points.
func FitString(s string, t Type) string {
	if t.Prec == MaxLength || t.Kind == VarChar && len(s) <= t.Prec {
		return s
	}
	n := 0
	for i := range s {
		if n == t.Prec {
			return s[:i]
		}
		n++
	}
	if t.Kind == Char && n < t.Prec {
		return s + strings.Repeat(" ", t.Prec-n)
	}
	return s
}

// FitBytes gives a binary string the length of a BINARY or VARBINARY type:
// what is too long is cut, and BINARY is padded with zero bytes.
func FitBytes(s string, t Type) string {
	if len(s) > t.Prec {
		return s[:t.Prec]
	}
	if t.Kind == Binary && len(s) < t.Prec {
		return s + strings.Repeat("\x00", t.Prec-len(s))
	}
	return s
}
