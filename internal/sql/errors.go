package sql

import (
	"strings"

	"github.com/runnelio/runnel/internal/diag"
)

// fail reports that something else was expected at the current token.
func (p *parser) fail(expected string) {
	if p.failed {
		return
	}
	t := p.tok
	if t.Kind == Broken {
		p.failWith(diag.At(t.Span, diag.Syntax, "%s", t.Text))
		return
	}
	err := diag.At(t.Span, diag.Syntax, "expected %s, found %s", expected, t)
	p.failWith(p.suggest(err))
}

// suggest hints at the keyword that was meant: at the place of the error, or
// at the word before, which was taken for an alias.
func (p *parser) suggest(err *diag.Error) *diag.Error {
	if p.tok.Kind == Word {
		if err.DidYouMean(strings.ToUpper(p.tok.Text), p.tried); err.Tip != "" {
			return err
		}
	}
	if a := p.alias; a != nil && a.Span == p.prev {
		near := diag.Nearest(strings.ToUpper(a.Name), followers)
		if near != "" && near != strings.ToUpper(a.Name) {
			return err.Hint("%s was read as an alias; did you mean %s?", a.Name, near)
		}
	}
	if p.tok.Kind == Op {
		if tip := opHints[p.tok.Text]; tip != "" {
			return err.Hint("%s", tip)
		}
	}
	return err
}

// opHints are for operators of other languages.
var opHints = map[string]string{
	"!=": "write <> for not equal", "::": "write CAST(x AS type)",
	"&": "there are no bitwise operators", "|": "there are no bitwise operators; || joins strings",
	"^": "there are no bitwise operators; POWER(x, y) is a function", "~": "there are no bitwise operators",
	"->": "use JSON_VALUE or ['key']",
}

// followers are the words that may follow where an alias without AS is allowed.
var followers = []string{
	"FROM", "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "UNION", "EXCEPT", "INTERSECT", "JOIN", "INNER",
	"LEFT", "RIGHT", "FULL", "CROSS", "NATURAL", "ON", "USING", "WINDOW", "QUALIFY", "FETCH", "AS", "MATCH_RECOGNIZE", "SET",
}

// failReserved reports a reserved word where a name or value was expected.
func (p *parser) failReserved(expected string) {
	t := p.tok
	if keywordTable[t.Keyword].class == clauseWord {
		p.fail(expected)
		return
	}
	if p.failed {
		return
	}
	err := diag.At(t.Span, diag.Syntax, "expected %s, found the reserved word %s", expected, t.Text)
	if err.DidYouMean(t.Keyword, p.tried); err.Tip == "" {
		err.Hint("to use it as a name, quote it with backquotes: `%s`", t.Text)
	}
	p.failWith(err)
}

// refuse reports something that is understood but not offered.
func (p *parser) refuse(at diag.Span, format string, args ...any) *diag.Error {
	err := diag.At(at, diag.Unsupported, format, args...)
	p.failWith(err)
	return err
}

// failWith reports err and puts the parser at the end, where every rule stops.
func (p *parser) failWith(err *diag.Error) {
	if p.failed {
		return
	}
	err.Source = p.src
	p.errs = append(p.errs, err)
	p.failed = true
	p.resume = p.tok
	p.tok = Token{Kind: EOF, Span: p.tok.Span}
}

// recover goes on after an error: behind it, at the next semicolon.
func (p *parser) recover() {
	if !p.failed {
		return
	}
	p.failed = false
	p.depth = 0
	p.noDateDiff = false
	p.tok = p.resume
	p.lex.inHint = false
	for p.tok.Kind != EOF && !p.atOp(";") {
		p.advance()
	}
}

// orList is A, B or C.
func orList(words []string) string {
	if len(words) == 1 {
		return words[0]
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}
