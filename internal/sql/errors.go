package sql

import (
	"slices"
	"strings"

	"github.com/runnelio/runnel/internal/diag"
)

// fail reports that something else was expected at the current token.
func (p *parser) fail(expected string) {
	if p.failed {
		return
	}
	if p.foreignTail(); p.failed {
		return
	}
	t := p.tok
	if t.Kind == Broken {
		p.failWith(diag.At(t.Span, diag.Syntax, "%s", t.Text))
		return
	}
	if a := p.alias; a != nil && a.Span == p.prev && !a.Quoted && len(a.Name) > 3 {
		if near := diag.Nearest(strings.ToUpper(a.Name), followers); near != "" {
			p.failWith(diag.At(a.Span, diag.Syntax, "expected a clause or %s, found %s", expected, a.Name).Hint("did you mean %s?", near))
			return
		}
	}
	p.failWith(p.suggest(diag.At(t.Span, diag.Syntax, "expected %s, found %s", expected, t)))
}

// suggest hints at the keyword or operator that was meant.
func (p *parser) suggest(err *diag.Error) *diag.Error {
	switch t := p.tok; {
	case t.Kind == Word && t.Keyword == "":
		word := strings.ToUpper(t.Text)
		if near := diag.Nearest(word, p.tried); plausible(word, near) {
			return err.Hint("did you mean %s?", near)
		}
	case p.atEnd && slices.Contains(statementWords, t.Keyword):
		return err.Hint("a semicolon may be missing before it")
	case t.Kind == Word && keywordTable[t.Keyword].class == reservedWord && !p.rsqldb:
		return err.Hint("%s is a reserved word; as a name it needs backquotes: `%s`", t.Keyword, t.Text)
	case t.Kind == Op && opHints[t.Text] != "":
		return err.Hint("%s", opHints[t.Text])
	}
	return err
}

// plausible tells whether somebody may have meant near by word. A short word is
// near to too many others: it must have lost, gained or swapped letters.
func plausible(word, near string) bool {
	if near == "" || len(word) > 3 {
		return near != ""
	}
	a, b := []byte(word), []byte(near)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b) || subsequence(word, near) || subsequence(near, word)
}

// subsequence tells whether the letters of a stand in b in their order.
func subsequence(a, b string) bool {
	for i := 0; i < len(b) && a != ""; i++ {
		if a[0] == b[i] {
			a = a[1:]
		}
	}
	return a == ""
}

// opHints are for operators of other languages.
var opHints = map[string]string{
	"!=": "write <> for not equal", "::": "write CAST(x AS type)",
	"&": "there are no bitwise operators", "|": "there are no bitwise operators; || joins strings",
	"^": "there are no bitwise operators; POWER(x, y) is a function", "~": "there are no bitwise operators",
	"->": "use JSON_VALUE or ['key']", "[": "an array is written ARRAY[…]", "@": "there are no variables; SET 'key' = 'value' sets options",
	"$": "there are no numbered parameters",
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
	p.failWith(err.Hint("to use it as a name, quote it with backquotes: `%s`", t.Text))
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
