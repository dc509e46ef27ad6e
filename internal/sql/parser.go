package sql

import (
	"strings"

	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/sql/ast"
)

const (
	// maxDepth bounds the nesting of parentheses, sub-queries, types and so on,
	// and with it the stack of everything that walks the tree.
	maxDepth = 500
	// maxChain bounds how many operators follow each other at one level, which
	// makes a tree as deep as the chain is long.
	maxChain = 10_000
	// maxTables bounds how many tables are joined at one level: each join makes a
	// row as wide as all of them.
	maxTables = 300
)

// parser is the state of one parse. Errors are sticky: fail puts the parser at
// the end of the text, so that every rule runs out by itself; what the rules
// then return is thrown away. No rule returns nil where a tree is due.
type parser struct {
	lex    *lexer
	src    string
	tok    Token
	ahead  []Token // tokens read behind tok
	prev   diag.Span
	depth  int
	params int
	rsqldb bool

	errs   diag.List
	failed bool
	resume Token    // the token at which the statement failed
	tried  []string // keywords that would have been right at tok

	// alias is the last alias without AS: a misspelt keyword reads as one.
	alias *ast.Ident
	// atEnd: the statement could end here.
	atEnd bool
	// noDateDiff: (a - b) DAY is an operand and a unit, not a DateDiff.
	noDateDiff bool
	// lone marks the last sub-query in parentheses that nothing was done with yet.
	lone *ast.Subquery
}

func newParser(src string, opts Options) *parser {
	p := &parser{lex: newLexer(src), src: src}
	p.setDialect(opts.Dialect)
	p.tok = p.lex.next()
	return p
}

// setDialect switches the dialect for the text behind the current token.
func (p *parser) setDialect(name string) {
	p.rsqldb = strings.EqualFold(name, "rsqldb")
	p.lex.rsqldb = p.rsqldb
}

// advance moves to the next token.
func (p *parser) advance() {
	if p.failed {
		return
	}
	p.prev = p.tok.Span
	p.tried = p.tried[:0]
	if len(p.ahead) > 0 {
		p.tok = p.ahead[0]
		p.ahead = p.ahead[:copy(p.ahead, p.ahead[1:])]
		return
	}
	p.tok = p.lex.next()
}

// peek returns the token n behind the current one.
func (p *parser) peek(n int) Token {
	if p.failed {
		return p.tok
	}
	for len(p.ahead) < n {
		p.ahead = append(p.ahead, p.lex.next())
	}
	return p.ahead[n-1]
}

// at tells whether the current token is the keyword, and notes that it would be right.
func (p *parser) at(word string) bool {
	if p.tok.Keyword == word {
		return true
	}
	p.note(word)
	return false
}

// note notes keywords that would be right at the current token.
func (p *parser) note(words ...string) {
	if !p.failed {
		p.tried = append(p.tried, words...)
	}
}

// atAny tells whether the current token is one of the keywords.
func (p *parser) atAny(words ...string) bool {
	for _, w := range words {
		if p.at(w) {
			return true
		}
	}
	return false
}

// accept consumes the keywords if all of them come next.
func (p *parser) accept(words ...string) bool {
	if !p.at(words[0]) {
		return false
	}
	for i, w := range words[1:] {
		if p.peek(i+1).Keyword != w {
			return false
		}
	}
	for range words {
		p.advance()
	}
	return true
}

// acceptAny consumes one of the keywords and returns it, or "".
func (p *parser) acceptAny(words ...string) string {
	for _, w := range words {
		if p.accept(w) {
			return w
		}
	}
	return ""
}

// expect consumes the keywords, which must come next.
func (p *parser) expect(words ...string) {
	for _, w := range words {
		if !p.accept(w) {
			p.fail(w)
			return
		}
	}
}

// expectAny consumes one of the keywords, which must come next, and returns it.
func (p *parser) expectAny(words ...string) string {
	w := p.acceptAny(words...)
	if w == "" {
		p.fail(orList(words))
	}
	return w
}

func (p *parser) atOp(op string) bool { return p.tok.Kind == Op && p.tok.Text == op }
func (p *parser) peekOp(n int, op string) bool {
	t := p.peek(n)
	return t.Kind == Op && t.Text == op
}

func (p *parser) acceptOp(op string) bool {
	if !p.atOp(op) {
		return false
	}
	p.advance()
	return true
}

func (p *parser) expectOp(op string) {
	if !p.acceptOp(op) {
		p.fail("'" + op + "'")
	}
}

// place is the place from start to the last token that was consumed.
func (p *parser) place(start diag.Span) ast.Place {
	return ast.Place{Span: start.To(p.prev)}
}

// enter goes a level down; leave must follow. It tells whether that is allowed.
func (p *parser) enter() bool {
	p.depth++
	if p.depth <= maxDepth {
		return true
	}
	p.failWith(diag.At(p.tok.Span, diag.Limit, "nested more than %d levels deep", maxDepth))
	return false
}

func (p *parser) leave() { p.depth-- }

// chain counts an operator of a chain of n so far.
func (p *parser) chain(n *int) {
	if *n++; *n > maxChain {
		p.failWith(diag.At(p.tok.Span, diag.Limit, "more than %d operators in one chain", maxChain).
			Hint("use parentheses, IN or several statements"))
	}
}

// tables counts the joins of one level.
func (p *parser) tables(n *int) {
	if *n++; *n >= maxTables {
		p.failWith(diag.At(p.tok.Span, diag.Limit, "more than %d tables in one FROM", maxTables).Hint("join some of them in a view, or give their rows to one table"))
	}
}

// list reads one or more items with commas between them.
func list[T any](p *parser, item func() T) []T {
	var out []T
	for {
		out = append(out, item())
		if !p.acceptOp(",") {
			return out
		}
	}
}

// parens reads ( items ).
func parens[T any](p *parser, item func() T) []T {
	p.expectOp("(")
	out := list(p, item)
	p.expectOp(")")
	return out
}

// ident reads an identifier; what says what it names, for the error.
func (p *parser) ident(what string) *ast.Ident {
	t := p.tok
	switch {
	case t.Kind == QuotedIdent, t.Kind == Word && !p.isReserved(t):
		p.advance()
		return &ast.Ident{Place: ast.Place{Span: t.Span}, Name: t.Text, Quoted: t.Kind == QuotedIdent}
	case t.Reserved():
		p.failReserved(what)
	default:
		p.fail(what)
	}
	return &ast.Ident{Place: ast.Place{Span: t.Span}}
}

// isReserved tells whether the word needs quotes in this dialect: rsqldb wants
// them only for the words that shape the text.
func (p *parser) isReserved(t Token) bool {
	class := keywordTable[t.Keyword].class
	return class == clauseWord || class == reservedWord && !p.rsqldb
}

// name reads a name of parts with dots.
func (p *parser) name(what string) *ast.Name {
	start := p.tok.Span
	n := &ast.Name{Parts: []*ast.Ident{p.ident(what)}}
	for p.acceptOp(".") {
		n.Parts = append(n.Parts, p.ident("a name"))
		if len(n.Parts) > maxDepth {
			p.fail("a shorter name")
		}
	}
	n.Place = p.place(start)
	return n
}

// tableName reads the name of a table, view or other object of a database.
func (p *parser) tableName(what string) *ast.Name {
	n := p.name(what)
	p.checkTableName(n)
	return n
}

func (p *parser) checkTableName(n *ast.Name) {
	if len(n.Parts) > 3 {
		p.failWith(diag.At(n.Span, diag.Syntax, "a name has at most three parts: catalog.database.name"))
	}
}

// idents reads (a, b, …).
func (p *parser) idents(what string) []*ast.Ident {
	return parens(p, func() *ast.Ident { return p.ident(what) })
}

// str reads a string literal.
func (p *parser) str(what string) *ast.StringLit {
	t := p.tok
	if t.Kind == QuotedIdent && p.rsqldb {
		p.advance()
		return &ast.StringLit{Place: ast.Place{Span: t.Span}, Value: t.Text}
	}
	if t.Kind != String {
		p.fail(what)
		return &ast.StringLit{}
	}
	return p.stringLit()
}

// stringLit reads the string at the current token, and those that directly follow it.
func (p *parser) stringLit() *ast.StringLit {
	start := p.tok.Span
	value := p.tok.Text
	p.advance()
	if p.tok.Kind == String {
		parts := []string{value}
		for p.tok.Kind == String {
			parts = append(parts, p.tok.Text)
			p.advance()
		}
		value = strings.Join(parts, "")
	}
	return &ast.StringLit{Place: p.place(start), Value: value}
}

// comment reads COMMENT '…' if it comes next.
func (p *parser) comment() *ast.StringLit {
	if !p.accept("COMMENT") {
		return nil
	}
	return p.str("the comment in quotes")
}
