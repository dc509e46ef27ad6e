package sql

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/runnelio/runnel/internal/diag"
)

// lexer cuts the text into tokens, one at a time, in linear time.
type lexer struct {
	src       string
	pos       int
	line, col int32 // of pos; columns in code points
	rsqldb    bool  // "x" is a string
	comments  bool  // return comments
	inHint    bool
	keywords  [64]byte // scratch for upper-casing
}

// Names are this long at most, in bytes.
const (
	maxName  = 10_000
	longName = "a name of more than 10000 bytes"
)

func newLexer(src string) *lexer { return &lexer{src: src, line: 1, col: 1} }

// byteAt returns the byte n behind pos, 0 behind the end.
func (l *lexer) byteAt(n int) byte {
	if l.pos+n < len(l.src) {
		return l.src[l.pos+n]
	}
	return 0
}

// advance moves to offset end, counting lines and columns.
func (l *lexer) advance(end int) {
	for l.pos < end {
		switch c := l.src[l.pos]; {
		case c == '\n':
			l.line++
			l.col = 1
		case c&0xC0 != 0x80: // not a continuation byte
			l.col++
		}
		l.pos++
	}
}

// next returns the next token; behind the last one it returns EOF for ever.
func (l *lexer) next() Token {
	if t, ok := l.skip(); ok {
		return t
	}
	start := l.mark()
	if l.pos >= len(l.src) {
		return Token{Kind: EOF, Span: start}
	}
	c := l.src[l.pos]
	switch {
	case c == '\'':
		return l.stringToken(start, 1)
	case c == '`':
		return l.quotedIdent(start)
	case c == '"' && l.rsqldb:
		return l.stringToken(start, 1)
	case isDigit(c) || c == '.' && isDigit(l.byteAt(1)):
		return l.number(start)
	case isWordStart(c):
		return l.word(start)
	case c >= utf8.RuneSelf:
		if r, _ := utf8.DecodeRuneInString(l.src[l.pos:]); unicode.IsLetter(r) || unicode.Is(unicode.Nl, r) {
			return l.word(start)
		}
	}
	return l.operator(start)
}

// mark is the span of an empty token at pos.
func (l *lexer) mark() diag.Span {
	return diag.Span{Start: int32(l.pos), End: int32(l.pos), Line: l.line, Col: l.col}
}

// token ends a token at offset end.
func (l *lexer) token(start diag.Span, end int, k TokenKind, text string) Token {
	l.advance(end)
	start.End = int32(end)
	return Token{Kind: k, Span: start, Text: text}
}

// skip skips blanks and comments. It returns a token for a comment that was
// asked for, one that does not end, and the start and end of a hint.
func (l *lexer) skip() (Token, bool) {
	for l.pos < len(l.src) {
		c := l.src[l.pos]
		d := l.byteAt(1)
		switch {
		case c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f':
			l.advance(l.pos + 1)
		case c == '-' && d == '-' || c == '/' && d == '/':
			start, end := l.mark(), len(l.src)
			if i := strings.IndexByte(l.src[l.pos:], '\n'); i >= 0 {
				end = l.pos + i
			}
			t := l.token(start, end, Comment, l.src[l.pos:end])
			if l.comments {
				return t, true
			}
		case c == '/' && d == '*' && l.byteAt(2) == '+' && !l.inHint:
			l.inHint = true
			return l.token(l.mark(), l.pos+3, HintOpen, "/*+"), true
		case c == '/' && d == '*':
			start := l.mark()
			i := strings.Index(l.src[l.pos+2:], "*/")
			if i < 0 {
				return l.token(start, len(l.src), Broken, "a comment that does not end: */ is missing"), true
			}
			end := l.pos + 2 + i + 2
			t := l.token(start, end, Comment, l.src[l.pos:end])
			if l.comments {
				return t, true
			}
		case c == '*' && d == '/' && l.inHint:
			l.inHint = false
			return l.token(l.mark(), l.pos+2, HintClose, "*/"), true
		case c == 0xEF && strings.HasPrefix(l.src[l.pos:], "\uFEFF"):
			l.advance(l.pos + len("\uFEFF")) // byte order mark of editors
		case c >= utf8.RuneSelf:
			r, n := utf8.DecodeRuneInString(l.src[l.pos:])
			if !unicode.IsSpace(r) {
				return Token{}, false
			}
			l.advance(l.pos + n)
		default:
			return Token{}, false
		}
	}
	return Token{}, false
}

func isDigit(c byte) bool     { return c >= '0' && c <= '9' }
func isWordStart(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' }

func (l *lexer) wordEnd() int {
	end := l.pos
	for end < len(l.src) {
		c := l.src[end]
		if c < utf8.RuneSelf {
			if !isWordStart(c) && !isDigit(c) && c != '$' {
				break
			}
			end++
			continue
		}
		r, n := utf8.DecodeRuneInString(l.src[end:])
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.Mn, r) && !unicode.Is(unicode.Nl, r) {
			break
		}
		end += n
	}
	return end
}

// word reads an identifier, a keyword, or a string with a prefix.
func (l *lexer) word(start diag.Span) Token {
	switch c := l.src[l.pos] | 0x20; {
	case (c == 'n' || c == 'e' || c == 'x') && l.byteAt(1) == '\'':
		return l.prefixed(start, c)
	case c == 'u' && l.byteAt(1) == '&' && l.byteAt(2) == '\'':
		return l.unicodeString(start)
	}
	end := l.wordEnd()
	text := l.src[l.pos:end]
	if text[0] == '_' && end < len(l.src) && l.src[end] == '\'' && knownCharset(text[1:]) {
		return l.stringToken(start, len(text)+1)
	}
	if len(text) > maxName {
		return l.token(start, end, Broken, longName)
	}
	t := l.token(start, end, Word, text)
	t.Keyword = l.keyword(text)
	return t
}

// keyword returns the keyword that s is, in upper case, or "".
func (l *lexer) keyword(s string) string {
	if len(s) > len(l.keywords) {
		return ""
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= 'a' && c <= 'z' {
			c -= 'a' - 'A'
		}
		l.keywords[i] = c
	}
	return keywordTable[string(l.keywords[:len(s)])].word
}

// number reads an unsigned literal: digits, point, exponent.
func (l *lexer) number(start diag.Span) Token {
	i := l.pos
	digits := func() {
		for i < len(l.src) && isDigit(l.src[i]) {
			i++
		}
	}
	digits()
	if i < len(l.src) && l.src[i] == '.' {
		i++
		digits()
	}
	if i < len(l.src) && l.src[i]|0x20 == 'e' {
		j := i + 1
		if j < len(l.src) && (l.src[j] == '+' || l.src[j] == '-') {
			j++
		}
		if j < len(l.src) && isDigit(l.src[j]) {
			i = j
			digits()
		}
	}
	return l.token(start, i, Number, l.src[l.pos:i])
}

// quotedIdent reads `x`; “ inside stands for `.
func (l *lexer) quotedIdent(start diag.Span) Token {
	text, end, ok := l.quoted(l.pos + 1)
	switch {
	case !ok:
		return l.token(start, len(l.src), Broken, "a quoted name that does not end: ` is missing")
	case text == "":
		return l.token(start, end, Broken, "an empty name")
	case len(text) > maxName:
		return l.token(start, end, Broken, longName)
	}
	return l.token(start, end, QuotedIdent, text)
}

// quoted reads up to the quote that stands before from, in which a doubled
// quote is one; end is behind the closing quote.
func (l *lexer) quoted(from int) (text string, end int, ok bool) {
	quote := l.src[from-1]
	i := strings.IndexByte(l.src[from:], quote)
	if i < 0 {
		return "", 0, false
	}
	end = from + i + 1
	if end >= len(l.src) || l.src[end] != quote {
		return l.src[from : end-1], end, true
	}
	var b strings.Builder
	for {
		b.WriteString(l.src[from : end-1])
		if end >= len(l.src) || l.src[end] != quote {
			return b.String(), end, true
		}
		b.WriteByte(quote)
		from = end + 1
		if i = strings.IndexByte(l.src[from:], quote); i < 0 {
			return "", 0, false
		}
		end = from + i + 1
	}
}

// twoCharOp tells whether the characters are one operator.
func twoCharOp(c, d byte) bool {
	switch c {
	case '<':
		return d == '>' || d == '='
	case '>', '!':
		return d == '='
	case '|':
		return d == '|'
	case '=', '-':
		return d == '>'
	case ':':
		return d == ':'
	}
	return false
}

func (l *lexer) operator(start diag.Span) Token {
	rest := l.src[l.pos:]
	c := rest[0]
	if twoCharOp(c, l.byteAt(1)) {
		return l.token(start, l.pos+2, Op, rest[:2])
	}
	switch c {
	case '"':
		end := len(l.src)
		if _, e, ok := l.quoted(l.pos + 1); ok {
			end = e
		}
		return l.token(start, end, Broken, "double quotes do not quote anything here: write `x` for a name and 'x' for a string")
	case '(', ')', '[', ']', '{', '}', ',', ';', '.', '+', '-', '*', '/', '%', '=', '<', '>', '?', ':', '|', '&', '^', '$', '!', '@', '#', '~', '\\':
		return l.token(start, l.pos+1, Op, rest[:1])
	}
	if n := noText(rest); n > 0 {
		return l.token(start, l.pos+n, Broken, "bytes that are no text")
	}
	r, n := utf8.DecodeRuneInString(rest)
	return l.token(start, l.pos+n, Broken, "the character "+string(r)+", which SQL does not have")
}

// noText is how many bytes at the start of s are no UTF-8 or control characters.
func noText(s string) int {
	n := 0
	for n < len(s) {
		r, size := utf8.DecodeRuneInString(s[n:])
		if (r != utf8.RuneError || size > 1) && (r >= ' ' || unicode.IsSpace(r)) {
			break
		}
		n += size
	}
	return n
}
