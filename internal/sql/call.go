package sql

import (
	"strings"

	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/sql/ast"
)

// call reads the arguments of a function and what may follow them.
func (p *parser) call(name *ast.Name) ast.Expr {
	c := &ast.Call{Name: name, Func: upper(name)}
	if c.Func == "CEILING" {
		c.Func = "CEIL"
	}
	p.expectOp("(")
	switch {
	case p.acceptOp(")"):
		return p.callSuffix(c)
	case p.atOp("*") && p.peekOp(1, ")"):
		c.Args = []ast.Expr{&ast.Star{Place: ast.Place{Span: p.tok.Span}}}
		p.advance()
	default:
		if p.accept("DISTINCT") {
			c.Distinct = true
		} else {
			p.accept("ALL")
		}
		c.Args = list(p, p.argument)
		if c.Func == "LISTAGG" && p.accept("ON") {
			p.refuse(p.prev, "LISTAGG … ON OVERFLOW is not supported")
		}
		if p.at("ORDER") {
			c.OrderBy = p.orderBy()
		}
	}
	p.expectOp(")")
	return p.callSuffix(c)
}

// callSuffix reads IGNORE NULLS, WITHIN …, FILTER and OVER.
func (p *parser) callSuffix(c *ast.Call) ast.Expr {
	if word := p.tok.Keyword; (word == "IGNORE" || word == "RESPECT") && p.peek(1).Keyword == "NULLS" {
		c.Nulls = word
		p.advance()
		p.advance()
	}
	if p.accept("WITHIN", "DISTINCT") {
		c.WithinDistinct = parens(p, p.expr)
	}
	if p.accept("WITHIN", "GROUP") {
		p.expectOp("(")
		c.WithinGroup = p.orderBy()
		p.expectOp(")")
	}
	if p.at("FILTER") && p.peekOp(1, "(") {
		p.advance()
		p.expectOp("(")
		p.expect("WHERE")
		c.Filter = p.expr()
		p.expectOp(")")
	}
	if p.accept("OVER") {
		c.Over = p.over()
	}
	c.Place = p.place(c.Name.Span)
	return c
}

// argument reads an argument of a function, which may be no value.
func (p *parser) argument() ast.Expr {
	start := p.tok.Span
	if p.tok.Kind == Word || p.tok.Kind == QuotedIdent {
		if p.peekOp(1, "=>") {
			return p.namedArg()
		}
		switch {
		case p.at("TABLE") && !p.peekOp(1, "("):
			p.advance()
			return p.tableArg(start, &ast.TableArg{Table: p.tableName("a table"), Hints: p.hints()})
		case p.at("TABLE"):
			p.advance()
			if p.peek(1).Keyword == "TABLE" { // TABLE(TABLE t)
				p.advance()
				p.advance()
				arg := &ast.TableArg{Table: p.tableName("a table"), Hints: p.hints()}
				p.expectOp(")")
				return p.tableArg(start, arg)
			}
			return p.tableArg(start, &ast.TableArg{Query: p.parenQuery()})
		case p.at("DESCRIPTOR") && p.peekOp(1, "("):
			p.advance()
			cols := p.idents("a column")
			return &ast.Descriptor{Place: p.place(start), Columns: cols}
		case p.at("MODEL") && isName(p.peek(1)):
			p.advance()
			m := p.tableName("a model")
			return &ast.ModelArg{Place: p.place(start), Model: m}
		}
	}
	x := p.argValue()
	if p.atOp("->") {
		p.refuse(p.tok.Span, "lambda expressions are not supported")
	}
	if sub, ok := x.(*ast.Subquery); ok && sub == p.lone && p.at("PARTITION") {
		return p.tableArg(start, &ast.TableArg{Query: sub.Query})
	}
	return x
}

func isName(t Token) bool { return t.Kind == QuotedIdent || t.Kind == Word && !t.Reserved() }

// argValue reads a value, t.* or a query in parentheses.
func (p *parser) argValue() ast.Expr {
	if p.atQuery() {
		start := p.tok.Span
		q := p.query()
		return &ast.Subquery{Place: p.place(start), Query: q}
	}
	if p.atOp("*") {
		return p.expr() // reports it
	}
	x := p.exprOrStar(1)
	if sub, ok := x.(*ast.Subquery); ok && sub == p.lone && p.atAny("UNION", "EXCEPT", "MINUS", "INTERSECT") {
		q := p.queryRest(sub.Query)
		return &ast.Subquery{Place: p.place(sub.Span), Query: q}
	}
	return x
}

// namedArg reads name => value.
func (p *parser) namedArg() ast.Expr {
	start := p.tok.Span
	id := &ast.Ident{Place: ast.Place{Span: start}, Name: p.tok.Text, Quoted: p.tok.Kind == QuotedIdent}
	p.advance()
	p.expectOp("=>")
	x := p.argument()
	if _, named := x.(*ast.NamedArg); named {
		p.failWith(diag.At(x.Pos(), diag.Syntax, "expected the value of %s, found another named argument", id.Name))
	}
	return &ast.NamedArg{Place: p.place(start), Name: id, Value: x}
}

// tableArg reads PARTITION BY and ORDER BY of a table argument. Several columns
// need parentheses, since the next argument follows a comma.
func (p *parser) tableArg(start diag.Span, a *ast.TableArg) ast.Expr {
	if p.accept("PARTITION", "BY") {
		if p.acceptOp("(") {
			a.PartitionBy = list(p, p.expr)
			p.expectOp(")")
		} else {
			a.PartitionBy = []ast.Expr{p.expr()}
		}
	}
	if p.accept("ORDER", "BY") {
		if p.acceptOp("(") {
			a.OrderBy = list(p, p.sortItem)
			p.expectOp(")")
		} else {
			a.OrderBy = []*ast.SortItem{p.sortItem()}
		}
	}
	a.Place = p.place(start)
	return a
}

// over reads what follows OVER.
func (p *parser) over() *ast.WindowSpec {
	if p.atOp("(") {
		return p.windowSpec()
	}
	start := p.tok.Span
	base := p.ident("a window: ( … ) or the name of one")
	return &ast.WindowSpec{Place: p.place(start), Base: base, Bare: true}
}

// windowSpec reads ( [base] PARTITION BY … ORDER BY … frame ).
func (p *parser) windowSpec() *ast.WindowSpec {
	start := p.tok.Span
	w := &ast.WindowSpec{}
	p.expectOp("(")
	if isName(p.tok) {
		w.Base = p.ident("a window")
	}
	if p.accept("PARTITION", "BY") {
		w.PartitionBy = list(p, p.expr)
	}
	if p.at("ORDER") {
		w.OrderBy = p.orderBy()
	}
	if p.atAny("ROWS", "RANGE") {
		w.Frame = p.frame()
	}
	if p.at("GROUPS") {
		p.refuse(p.tok.Span, "window frames of GROUPS are not supported").Hint("use ROWS or RANGE")
	}
	if !p.acceptOp(")") {
		p.fail("')' at the end of the window")
	}
	w.Place = p.place(start)
	return w
}

func (p *parser) frame() *ast.Frame {
	start := p.tok.Span
	f := &ast.Frame{Rows: p.tok.Keyword == "ROWS"}
	p.advance()
	if p.accept("BETWEEN") {
		f.Start = p.bound()
		p.expect("AND")
		f.End = p.bound()
	} else {
		f.Short = true
		f.Start = p.bound()
		f.End = &ast.Bound{Place: f.Start.Place, Kind: ast.CurrentRow}
	}
	if p.atAny("EXCLUDE", "ALLOW", "DISALLOW") {
		p.refuse(p.tok.Span, "%s in a window frame is not supported", p.tok.Keyword)
	}
	f.Place = p.place(start)
	return f
}

func (p *parser) bound() *ast.Bound {
	start := p.tok.Span
	b := &ast.Bound{}
	switch {
	case p.accept("CURRENT", "ROW"):
		b.Kind = ast.CurrentRow
	case p.accept("UNBOUNDED"):
		b.Kind = ast.UnboundedPreceding
		if p.expectAny("PRECEDING", "FOLLOWING") == "FOLLOWING" {
			b.Kind = ast.UnboundedFollowing
		}
	default:
		b.Offset = p.operand(precAnd + 1)
		b.Kind = ast.Preceding
		if p.expectAny("PRECEDING", "FOLLOWING") == "FOLLOWING" {
			b.Kind = ast.Following
		}
	}
	b.Place = p.place(start)
	return b
}

// orderBy reads ORDER BY items.
func (p *parser) orderBy() []*ast.SortItem {
	p.expect("ORDER", "BY")
	return list(p, p.sortItem)
}

func (p *parser) sortItem() *ast.SortItem {
	start := p.tok.Span
	s := &ast.SortItem{X: p.expr()}
	if !p.accept("ASC") {
		s.Desc = p.accept("DESC")
	}
	if p.accept("NULLS") {
		s.Nulls = p.expectAny("FIRST", "LAST")
	}
	s.Place = p.place(start)
	return s
}

// symbol reads a keyword argument that must be one of the words.
func (p *parser) symbol(what string, words []string) *ast.Symbol {
	t := p.tok
	word := strings.ToUpper(t.Text)
	if t.Kind == Word {
		word = strings.TrimPrefix(word, "SQL_TSI_")
		for _, w := range words {
			if w == word {
				p.advance()
				return &ast.Symbol{Place: ast.Place{Span: t.Span}, Name: w}
			}
		}
	}
	p.note(words...)
	p.fail(what)
	return &ast.Symbol{}
}
