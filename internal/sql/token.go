package sql

import (
	"fmt"

	"github.com/runnelio/runnel/internal/diag"
)

// TokenKind is the kind of a token.
type TokenKind uint8

// The kinds of tokens.
const (
	EOF         TokenKind = iota
	Word                  // an identifier or keyword without quotes
	QuotedIdent           // `x`
	Number                // 1, 1.5, 1e3
	String                // 'x', N'x', U&'x', E'x'; "x" in the rsqldb dialect
	Binary                // X'0a'
	Op                    // punctuation
	HintOpen              // /*+
	HintClose             // */ that closes a hint
	Comment               // -- x, // x, /* x */; only Tokens returns them
	Broken                // a token that never ends, or a character SQL does not have
)

// Token is a piece of the text.
type Token struct {
	Kind TokenKind
	Span diag.Span
	// Keyword is the word in upper case if it is one that the grammar knows, reserved or not.
	Keyword string
	// Text is the operator, the word as written, the number; the value of a
	// string, without quotes and escapes; the digits of a Binary; the name of a
	// QuotedIdent; for Broken what is wrong.
	Text string
}

// Reserved tells whether t is a word that needs backquotes to be a name.
func (t Token) Reserved() bool { return t.Kind == Word && reserved(t.Keyword) }

// String describes the token for messages.
func (t Token) String() string {
	switch t.Kind {
	case EOF:
		return "the end of the text"
	case Word:
		return t.Text
	case QuotedIdent:
		return "`" + clip(t.Text) + "`"
	case Number:
		return "the number " + clip(t.Text)
	case String:
		return fmt.Sprintf("the string '%s'", clip(t.Text))
	case Binary:
		return fmt.Sprintf("the binary string X'%s'", clip(t.Text))
	case HintOpen:
		return "/*+"
	case HintClose:
		return "*/"
	}
	return "'" + clip(t.Text) + "'"
}

// clip cuts long texts for messages.
func clip(s string) string {
	const most = 40
	n := 0
	for i := range s {
		if n == most {
			return s[:i] + "…"
		}
		n++
	}
	return s
}
