package regex

import (
	"sync"
	"unicode"
	"unicode/utf8"
)

var (
	letterOrDigit = sync.OnceValue(func() set { return tableSet(unicode.L, unicode.Nd) })
	spacingNone   = sync.OnceValue(func() set { return tableSet(unicode.Mn) })
)

func isLetterOrDigit(r rune) bool {
	if r < 0x80 {
		return isASCIILetter(r) || r >= '0' && r <= '9'
	}
	return unicode.IsLetter(r) || unicode.Is(unicode.Nd, r)
}

func isUWord(r rune) bool {
	if r < 0x80 {
		return r == '_' || isASCIILetter(r) || r >= '0' && r <= '9'
	}
	return uword().has(r)
}

// wordBefore tells whether the place i of s follows a word character as \b
// means it: letters, digits, the underscore, and marks behind a letter or digit.
func wordBefore(s string, i int) bool {
	if i == 0 {
		return false
	}
	r, w := utf8.DecodeLastRuneInString(s[:i])
	return r == '_' || isLetterOrDigit(r) || unicode.Is(unicode.Mn, r) && baseBefore(s, i-w)
}

// baseBefore tells whether a letter or digit, and then only marks, precede i.
func baseBefore(s string, i int) bool {
	for i > 0 {
		r, w := utf8.DecodeLastRuneInString(s[:i])
		if isLetterOrDigit(r) {
			return true
		}
		if !unicode.Is(unicode.Mn, r) {
			return false
		}
		i -= w
	}
	return false
}

func wordAt(s string, i int) bool {
	if i == len(s) {
		return false
	}
	r, _ := utf8.DecodeRuneInString(s[i:])
	return r == '_' || isLetterOrDigit(r) || unicode.Is(unicode.Mn, r) && baseBefore(s, i)
}

func uwordBefore(s string, i int) bool {
	if i == 0 {
		return false
	}
	r, _ := utf8.DecodeLastRuneInString(s[:i])
	return isUWord(r)
}

func uwordAt(s string, i int) bool {
	if i == len(s) {
		return false
	}
	r, _ := utf8.DecodeRuneInString(s[i:])
	return isUWord(r)
}

// lineEndAt returns the length of the line end that begins at i, 0 if none does.
// \r\n is two.
func lineEndAt(s string, i int) int {
	if i >= len(s) {
		return 0
	}
	switch s[i] {
	case '\n':
		return 1
	case '\r':
		return 1
	case 0xC2:
		if i+1 < len(s) && s[i+1] == 0x85 {
			return 2
		}
	case 0xE2:
		if i+2 < len(s) && s[i+1] == 0x80 && (s[i+2] == 0xA8 || s[i+2] == 0xA9) {
			return 3
		}
	}
	return 0
}

// holds tells whether condition k holds at place i of s; last is the end of the
// previous match.
func holds(k assertKind, s string, i, last int) bool {
	switch k {
	case atBegin:
		return i == 0
	case atEnd:
		return i == len(s)
	case atDollar:
		if i == len(s) {
			return true
		}
		if s[i] == '\r' && i+2 == len(s) && s[i+1] == '\n' {
			return true
		}
		n := lineEndAt(s, i)
		return n > 0 && i+n == len(s) && (s[i] != '\n' || i == 0 || s[i-1] != '\r')
	case atUnixDollar:
		return i == len(s) || i+1 == len(s) && s[i] == '\n'
	case atLineEnd:
		return i == len(s) || lineEndAt(s, i) > 0 && (s[i] != '\n' || i == 0 || s[i-1] != '\r')
	case atUnixLineEnd:
		return i == len(s) || s[i] == '\n'
	case atLineStart:
		if i == len(s) {
			return false // as Perl, even behind a line end
		}
		if i == 0 {
			return true
		}
		switch s[i-1] {
		case '\n':
			return true
		case '\r':
			return s[i] != '\n'
		case 0x85:
			return i >= 2 && s[i-2] == 0xC2
		case 0xA8, 0xA9:
			return i >= 3 && s[i-2] == 0x80 && s[i-3] == 0xE2
		}
		return false
	case atUnixLineStart:
		return i < len(s) && (i == 0 || s[i-1] == '\n')
	case atWord:
		return wordBefore(s, i) != wordAt(s, i)
	case atNotWord:
		return wordBefore(s, i) == wordAt(s, i)
	case atUWord:
		return uwordBefore(s, i) != uwordAt(s, i)
	case atNotUWord:
		return uwordBefore(s, i) == uwordAt(s, i)
	case atLast:
		return i == last
	}
	return false
}
