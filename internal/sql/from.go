package sql

import (
	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/sql/ast"
)

// from reads the tables of FROM; a comma binds looser than JOIN.
func (p *parser) from() ast.TableRef { return p.commaRest(p.joined()) }

// joined reads table [JOIN table …]….
func (p *parser) joined() ast.TableRef {
	if !p.enter() {
		p.leave()
		return &ast.Table{}
	}
	defer p.leave()
	return p.joinRest(p.tablePrimary())
}

// joinRest continues t with joins.
func (p *parser) joinRest(t ast.TableRef) ast.TableRef {
	for n := 0; !p.failed; p.tables(&n) {
		j := &ast.Join{Left: t, Natural: p.accept("NATURAL")}
		switch {
		case p.accept("JOIN"):
		case p.accept("INNER"):
			p.expect("JOIN")
		case p.atAny("LEFT", "RIGHT", "FULL"):
			j.Kind = map[string]ast.JoinKind{"LEFT": ast.LeftJoin, "RIGHT": ast.RightJoin, "FULL": ast.FullJoin}[p.tok.Keyword]
			p.advance()
			if p.tok.Kind == Word && !p.at("OUTER") && !p.at("JOIN") && p.peek(1).Keyword == "JOIN" {
				p.refuse(p.tok.Span, "%s JOIN is not supported", p.tok.Text).Hint("use EXISTS or NOT EXISTS")
			}
			p.accept("OUTER")
			p.expect("JOIN")
		case p.at("CROSS") && p.peek(1).Keyword == "APPLY", p.at("OUTER") && p.peek(1).Keyword == "APPLY":
			p.refuse(p.tok.Span, "%s APPLY is not supported", p.tok.Keyword).Hint("use CROSS JOIN LATERAL or LEFT JOIN LATERAL … ON TRUE")
		case p.accept("CROSS"):
			p.expect("JOIN")
			j.Kind = ast.CrossJoin
		default:
			if j.Natural {
				p.fail("JOIN behind NATURAL")
			}
			return t
		}
		j.Right = p.tablePrimary()
		p.joinCondition(j)
		j.Place = p.place(t.Pos())
		t = j
	}
	return t
}

// joinCondition reads ON … or USING (…). A cross join and a natural join have none.
func (p *parser) joinCondition(j *ast.Join) {
	if j.Natural || j.Kind == ast.CrossJoin {
		if p.atAny("ON", "USING") && !p.failed {
			p.failWith(diag.At(p.tok.Span, diag.Syntax, "a CROSS or NATURAL JOIN takes no condition").Hint("use JOIN … ON"))
		}
		return
	}
	switch {
	case p.accept("ON"):
		j.On = p.expr()
	case p.accept("USING"):
		j.Using = p.idents("a column")
	}
}

// tablePrimary reads a table, sub-query, table function or joined tables in
// parentheses, and what follows it up to its alias.
func (p *parser) tablePrimary() ast.TableRef {
	start := p.tok.Span
	lateral := p.accept("LATERAL")
	switch {
	case p.at("TABLE"):
		return p.tableFunc(start, lateral)
	case p.at("UNNEST"):
		return p.unnest(start, lateral)
	case p.atOp("("):
		return p.parenTable(start, lateral)
	}
	if p.tok.Kind == Word && p.tok.Reserved() && p.peekOp(1, "(") && reservedFunctions[p.tok.Keyword] {
		return p.bareTableFunc(start, lateral, p.prefix())
	}
	name := p.name("a table")
	if p.atOp("(") {
		return p.bareTableFunc(start, lateral, p.call(name))
	}
	if lateral {
		p.fail("TABLE( … ), a sub-query or a function behind LATERAL")
	}
	p.checkTableName(name)
	t := &ast.Table{Name: name, Hints: p.hints()}
	if p.at("FOR") && p.peek(1).Keyword == "UPDATE" {
		p.foreignTail()
	}
	if p.accept("FOR") {
		p.expect("SYSTEM_TIME", "AS", "OF")
		t.AsOf = p.expr()
	}
	if t.Hints == nil {
		t.Hints = p.hints()
	}
	p.refuseSamples()
	if p.at("MATCH_RECOGNIZE") {
		t.Place = p.place(start)
		return p.matchRecognize(t)
	}
	t.Alias = p.tableAlias()
	t.Place = p.place(start)
	return t
}

// refuseSamples refuses what may stand behind a table and is not supported.
func (p *parser) refuseSamples() {
	if p.atAny("TABLESAMPLE", "PIVOT", "UNPIVOT") {
		p.refuse(p.tok.Span, "%s is not supported", p.tok.Keyword)
	}
}

// tableAlias reads [AS] name [(a, b)], if there is one.
func (p *parser) tableAlias() *ast.Alias {
	start := p.tok.Span
	a := &ast.Alias{}
	if p.accept("AS") {
		a.Name = p.ident("an alias")
	} else if a.Name = p.bareAlias(); a.Name == nil {
		return nil
	}
	if p.atOp("(") {
		a.Columns = p.idents("a column")
	}
	a.Place = p.place(start)
	return a
}

// tableFunc reads TABLE(f(…)).
func (p *parser) tableFunc(start diag.Span, lateral bool) ast.TableRef {
	p.expect("TABLE")
	p.expectOp("(")
	p.accept("SPECIFIC")
	f := &ast.TableFunc{Lateral: lateral, Call: p.tableCall(p.prefix())}
	p.expectOp(")")
	return p.tableFuncRest(start, f)
}

// bareTableFunc makes a table of the call x, which was written without TABLE( ).
func (p *parser) bareTableFunc(start diag.Span, lateral bool, x ast.Expr) ast.TableRef {
	return p.tableFuncRest(start, &ast.TableFunc{Lateral: lateral, Bare: true, Call: p.tableCall(x)})
}

// tableCall is x, which must be a call.
func (p *parser) tableCall(x ast.Expr) *ast.Call {
	if c, ok := x.(*ast.Call); ok {
		return c
	}
	if !p.failed {
		p.failWith(diag.At(x.Pos(), diag.Syntax, "expected a call of a table function"))
	}
	return &ast.Call{Name: &ast.Name{Parts: []*ast.Ident{{}}}}
}

func (p *parser) tableFuncRest(start diag.Span, f *ast.TableFunc) ast.TableRef {
	f.Hints = p.hints()
	p.refuseSamples()
	f.Place = p.place(start)
	if p.at("MATCH_RECOGNIZE") {
		return p.matchRecognize(f)
	}
	f.Alias = p.tableAlias()
	f.Place = p.place(start)
	return f
}

// unnest reads UNNEST(a, b) [WITH ORDINALITY].
func (p *parser) unnest(start diag.Span, lateral bool) ast.TableRef {
	p.advance()
	u := &ast.Unnest{Lateral: lateral, Exprs: parens(p, p.expr)}
	if p.accept("WITH") {
		p.expect("ORDINALITY")
		u.Ordinality = true
	}
	u.Alias = p.tableAlias()
	u.Place = p.place(start)
	return u
}

// parenTable reads (query) [AS alias], or (tables joined).
func (p *parser) parenTable(start diag.Span, lateral bool) ast.TableRef {
	if !p.enter() {
		p.leave()
		return &ast.Table{}
	}
	defer p.leave()
	p.expectOp("(")
	if p.atQuery() {
		return p.derived(start, lateral, p.query())
	}
	if !p.atOp("(") { // a table
		if lateral {
			p.fail("a query")
		}
		return p.closeJoin(p.from())
	}
	inner := p.tok.Span
	t := p.parenTable(inner, false)
	if d, ok := t.(*ast.Derived); ok && d.Alias == nil && p.atQueryRest() {
		return p.derived(start, lateral, p.queryRest(d.Query))
	}
	if d, ok := t.(*ast.Derived); ok && d.Alias == nil && p.atOp(")") {
		return p.derived(start, lateral, d.Query)
	}
	if lateral {
		p.fail("a query behind LATERAL")
	}
	return p.closeJoin(p.commaRest(p.joinRest(t)))
}

// commaRest continues t with , table.
func (p *parser) commaRest(t ast.TableRef) ast.TableRef {
	for n := 0; p.acceptOp(","); {
		p.tables(&n)
		right := p.joined()
		t = &ast.Join{Place: p.place(t.Pos()), Kind: ast.CommaJoin, Left: t, Right: right}
	}
	return t
}

func (p *parser) closeJoin(t ast.TableRef) ast.TableRef {
	p.expectOp(")")
	return t
}

// derived ends a sub-query of FROM.
func (p *parser) derived(start diag.Span, lateral bool, q ast.Query) ast.TableRef {
	p.expectOp(")")
	d := &ast.Derived{Lateral: lateral, Query: q}
	p.refuseSamples()
	d.Place = p.place(start)
	if p.at("MATCH_RECOGNIZE") {
		return p.matchRecognize(d)
	}
	d.Alias = p.tableAlias()
	d.Place = p.place(start)
	return d
}
