package sql

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/runnelio/runnel/internal/diag"
)

// stringToken reads a string whose first character is skip bytes behind pos.
func (l *lexer) stringToken(start diag.Span, skip int) Token {
	text, end, ok := l.quoted(l.pos + skip)
	if !ok {
		return l.token(start, len(l.src), Broken, "a string that does not end: "+l.src[l.pos+skip-1:l.pos+skip]+" is missing")
	}
	return l.token(start, end, String, text)
}

// escapedString reads E'…', in which a backslash takes the next character along.
func (l *lexer) escapedString(start diag.Span) Token {
	for end := l.pos + 2; end < len(l.src); end++ {
		switch c := l.src[end]; {
		case c == '\\':
			end++
		case c == '\'' && end+1 < len(l.src) && l.src[end+1] == '\'':
			end++
		case c == '\'':
			text, bad := unescapeC(l.src[l.pos+2 : end])
			if bad != "" {
				return l.token(start, end+1, Broken, bad)
			}
			return l.token(start, end+1, String, text)
		}
	}
	return l.token(start, len(l.src), Broken, "a string that does not end: ' is missing")
}

// prefixed reads N'…' (national), E'…' (C escapes) and X'…' (hexadecimal).
func (l *lexer) prefixed(start diag.Span, prefix byte) Token {
	switch prefix {
	case 'n':
		return l.stringToken(start, 2)
	case 'e':
		return l.escapedString(start)
	}
	t := l.stringToken(start, 2)
	if t.Kind != String {
		return t
	}
	for i := 0; i < len(t.Text); i++ {
		if c := t.Text[i]; !isDigit(c) && (c|0x20 < 'a' || c|0x20 > 'f') {
			return Token{Kind: Broken, Span: t.Span, Text: "a binary string with something else than hexadecimal digits"}
		}
	}
	if len(t.Text)%2 != 0 {
		return Token{Kind: Broken, Span: t.Span, Text: "a binary string with an odd number of digits"}
	}
	t.Kind = Binary
	return t
}

// unicodeString reads U&'…' and the UESCAPE 'c' behind it, if there is one.
func (l *lexer) unicodeString(start diag.Span) Token {
	raw := l.stringToken(start, 3)
	if raw.Kind != String {
		return raw
	}
	escape := '\\'
	save := *l
	if _, stop := l.skip(); !stop && strings.EqualFold(l.src[l.pos:l.wordEnd()], "UESCAPE") {
		l.advance(l.wordEnd())
		c := Token{Span: l.mark()}
		if _, stop := l.skip(); !stop && l.byteAt(0) == '\'' {
			c = l.stringToken(l.mark(), 1)
		}
		r, n := utf8.DecodeRuneInString(c.Text)
		if c.Kind != String || n == 0 || n != len(c.Text) || strings.ContainsRune("+'\" 0123456789abcdefABCDEF", r) {
			return Token{Kind: Broken, Span: raw.Span.To(c.Span), Text: "UESCAPE takes one character that is no hexadecimal digit, blank, quote or plus sign"}
		}
		escape = r
		raw.Span = raw.Span.To(c.Span)
	} else {
		*l = save
	}
	text, bad := unescapeUnicode(raw.Text, escape)
	if bad != "" {
		return Token{Kind: Broken, Span: raw.Span, Text: bad}
	}
	raw.Text = text
	return raw
}

// unescapeUnicode resolves \0041, \+01F600 and \\. bad says what is wrong.
func unescapeUnicode(s string, escape rune) (text, bad string) {
	if !strings.ContainsRune(s, escape) {
		return s, ""
	}
	var b strings.Builder
	var high rune // of a surrogate pair
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		if r != escape || n == 1 && r == utf8.RuneError {
			b.WriteString(s[:n])
			s = s[n:]
			continue
		}
		s = s[n:]
		if strings.HasPrefix(s, string(escape)) {
			b.WriteRune(escape)
			s = s[n:]
			continue
		}
		digits := 4
		if strings.HasPrefix(s, "+") {
			digits, s = 6, s[1:]
		}
		if len(s) < digits {
			return "", "a Unicode escape with too few digits"
		}
		v, err := strconv.ParseUint(s[:digits], 16, 32)
		if err != nil || v > utf8.MaxRune {
			return "", "a Unicode escape that is no character"
		}
		s = s[digits:]
		switch c := rune(v); {
		case c >= 0xD800 && c < 0xDC00:
			high = c
			continue
		case c >= 0xDC00 && c < 0xE000 && high != 0:
			b.WriteRune((high-0xD800)<<10 | (c - 0xDC00) + 0x10000)
		default:
			b.WriteRune(c)
		}
		high = 0
	}
	return b.String(), ""
}

// unescapeC resolves the escapes of E'…': \n, \t, \x41, \u0041, octal ….
func unescapeC(s string) (text, bad string) {
	const from, to = `bfnrt\'"`, "\b\f\n\r\t\\'\""
	var b strings.Builder
	for len(s) > 0 {
		if s[0] != '\\' || len(s) == 1 {
			b.WriteByte(s[0])
			s = strings.TrimPrefix(s[1:], map[bool]string{true: "'"}[s[0] == '\''])
			continue
		}
		c := s[1]
		s = s[2:]
		digits, base := 0, 16
		switch {
		case strings.IndexByte(from, c) >= 0:
			b.WriteByte(to[strings.IndexByte(from, c)])
			continue
		case c == 'u':
			digits = 4
		case c == 'U':
			digits = 8
		case c == 'x':
			digits = 2
		case c >= '0' && c <= '7':
			digits, base = 3, 8
			s = string(c) + s
		default:
			b.WriteByte(c)
			continue
		}
		n := 0
		for n < digits && n < len(s) && isDigitOf(s[n], base) {
			n++
		}
		v, err := strconv.ParseUint(s[:n], base, 32)
		if err != nil || v > utf8.MaxRune {
			return "", "an escape in a string that is no character"
		}
		b.WriteRune(rune(v))
		s = s[n:]
	}
	return b.String(), ""
}

func isDigitOf(c byte, base int) bool {
	if base == 8 {
		return c >= '0' && c <= '7'
	}
	return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'f'
}

// knownCharset tells whether _name'…' is a string of that character set. All
// text is UTF-8 here; the prefix is only understood.
func knownCharset(name string) bool {
	switch strings.ToUpper(name) {
	case "UTF8", "UTF16", "UTF32", "LATIN1", "ISO_8859_1", "US_ASCII", "ASCII", "UTF16LE", "UTF16BE":
		return true
	}
	return false
}
