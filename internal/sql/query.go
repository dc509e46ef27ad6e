package sql

import (
	"strings"

	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/sql/ast"
)

// atQuery tells whether a query starts here, parentheses aside.
func (p *parser) atQuery() bool {
	switch p.tok.Keyword {
	case "SELECT", "WITH", "VALUES":
		return true
	case "TABLE":
		return !p.peekOp(1, "(")
	}
	return false
}

// atQueryRest tells whether something continues the query before.
func (p *parser) atQueryRest() bool {
	return p.atAny("UNION", "EXCEPT", "MINUS", "INTERSECT", "ORDER", "LIMIT", "OFFSET", "FETCH")
}

// parenQuery reads (query).
func (p *parser) parenQuery() ast.Query {
	p.expectOp("(")
	q := p.query()
	p.expectOp(")")
	return q
}

// query reads [WITH …] query [ORDER BY …] [LIMIT …].
func (p *parser) query() ast.Query {
	if !p.enter() {
		p.leave()
		return &ast.Values{}
	}
	defer p.leave()
	if p.at("WITH") {
		return p.with()
	}
	return p.queryRest(p.queryPrimary())
}

// queryRest reads what may follow a part of a query: set operations, ORDER BY, LIMIT.
func (p *parser) queryRest(q ast.Query) ast.Query {
	return p.sorted(p.setOps(q, 1))
}

func (p *parser) with() ast.Query {
	start := p.tok.Span
	p.advance()
	if p.at("RECURSIVE") {
		p.refuse(p.tok.Span, "WITH RECURSIVE is not supported: a streaming query cannot call itself")
	}
	w := &ast.With{CTEs: list(p, p.cte)}
	if p.at("WITH") {
		p.fail("the query behind WITH")
	}
	w.Body = p.query()
	w.Place = p.place(start)
	return w
}

func (p *parser) cte() *ast.CTE {
	start := p.tok.Span
	c := &ast.CTE{Name: p.ident("the name of a query")}
	if p.atOp("(") {
		c.Columns = p.idents("a column")
	}
	p.expect("AS")
	c.Query = p.parenQuery()
	c.Place = p.place(start)
	return c
}

// setOps continues q with UNION, EXCEPT (precedence 1) and INTERSECT (2).
func (p *parser) setOps(q ast.Query, minPrec int) ast.Query {
	for n := 0; ; {
		op, prec := p.tok.Keyword, 1
		switch {
		case p.atAny("UNION", "EXCEPT"):
		case p.at("MINUS"):
			op = "EXCEPT"
		case p.at("INTERSECT"):
			prec = 2
		default:
			return q
		}
		if prec < minPrec || p.failed {
			return q
		}
		p.chain(&n)
		p.advance()
		all := p.accept("ALL")
		if !all {
			p.accept("DISTINCT")
		}
		right := p.setOps(p.queryPrimary(), prec+1)
		q = &ast.SetOp{Place: p.place(q.Pos()), Op: op, All: all, Left: q, Right: right}
	}
}

// sorted reads ORDER BY, LIMIT, OFFSET and FETCH behind q.
func (p *parser) sorted(q ast.Query) ast.Query {
	s := &ast.Sorted{Body: q}
	if p.at("ORDER") {
		s.OrderBy = p.orderBy()
	}
	for !p.failed {
		switch {
		case s.Limit == nil && p.accept("LIMIT"):
			p.limit(s)
		case s.Offset == nil && p.accept("OFFSET"):
			s.Offset = p.count()
			p.acceptAny("ROWS", "ROW")
		case s.Limit == nil && p.accept("FETCH"):
			p.expectAny("FIRST", "NEXT")
			s.Limit = &ast.NumberLit{Place: ast.Place{Span: p.prev}, Text: "1"}
			if !p.at("ROW") && !p.at("ROWS") {
				s.Limit = p.count()
			}
			p.expectAny("ROWS", "ROW")
			p.expect("ONLY")
		default:
			if len(s.OrderBy) == 0 && s.Limit == nil && s.Offset == nil {
				return q
			}
			s.Place = p.place(q.Pos())
			return s
		}
	}
	return s
}

// limit reads n, ALL, or start, n behind LIMIT.
func (p *parser) limit(s *ast.Sorted) {
	if p.accept("ALL") {
		return
	}
	n := p.count()
	if s.Offset == nil && p.acceptOp(",") {
		s.Offset, n = n, p.count()
	}
	s.Limit = n
}

// count reads a number of rows.
func (p *parser) count() ast.Expr {
	if t := p.tok; t.Kind == Number && !strings.ContainsAny(t.Text, ".eE") || t.Kind == Op && t.Text == "?" {
		return p.prefix()
	}
	p.fail("a number of rows")
	return &ast.NumberLit{}
}

// queryPrimary reads SELECT …, VALUES …, TABLE t or (query).
func (p *parser) queryPrimary() ast.Query {
	start := p.tok.Span
	switch {
	case p.at("SELECT"):
		return p.selectQuery()
	case p.accept("VALUES"):
		v := &ast.Values{Rows: list(p, p.valuesRow)}
		v.Place = p.place(start)
		return v
	case p.accept("TABLE"):
		name := p.tableName("a table")
		return &ast.ExplicitTable{Place: p.place(start), Name: name}
	case p.atOp("("):
		return p.parenQuery()
	}
	p.fail("a query: SELECT, VALUES, WITH or TABLE")
	return &ast.Values{}
}

// valuesRow reads a row of VALUES: (a, b), ROW(a, b), or a value.
func (p *parser) valuesRow() *ast.Row {
	start := p.tok.Span
	x := p.expr()
	if r, ok := x.(*ast.Row); ok {
		return r
	}
	return &ast.Row{Place: p.place(start), Fields: []ast.Expr{x}}
}

func (p *parser) selectQuery() ast.Query {
	start := p.tok.Span
	p.advance()
	s := &ast.Select{Hints: p.hints()}
	if p.at("STREAM") {
		p.refuse(p.tok.Span, "SELECT STREAM is not supported").Hint("leave STREAM out: queries over streams are continuous")
	}
	if s.Distinct = p.accept("DISTINCT"); s.Distinct && p.at("ON") {
		p.refuse(p.tok.Span, "DISTINCT ON is not supported").Hint("keep the rows with ROW_NUMBER() OVER (PARTITION BY … ORDER BY …) = 1")
	}
	if p.tok.Kind == Word && strings.EqualFold(p.tok.Text, "TOP") && p.peek(1).Kind == Number {
		p.refuse(p.tok.Span, "TOP is not supported").Hint("write LIMIT %s at the end", p.peek(1).Text)
	}
	if !s.Distinct {
		p.accept("ALL")
	}
	s.Items = list(p, p.selectItem)
	if p.accept("FROM") {
		s.From = p.from()
	}
	if p.accept("WHERE") {
		s.Where = p.expr()
	}
	if p.at("GROUP") {
		s.GroupBy = p.groupBy()
	}
	if p.accept("HAVING") {
		s.Having = p.expr()
	}
	if p.accept("WINDOW") {
		s.Windows = list(p, p.namedWindow)
	}
	if p.accept("QUALIFY") {
		s.Qualify = p.expr()
	}
	s.Place = p.place(start)
	return s
}

func (p *parser) selectItem() *ast.SelectItem {
	start := p.tok.Span
	item := &ast.SelectItem{}
	if p.acceptOp("*") {
		item.X = &ast.Star{Place: p.place(start)}
		if p.at("EXCEPT") && p.peekOp(1, "(") || p.at("REPLACE") || p.at("EXCLUDE") {
			p.refuse(p.tok.Span, "* %s is not supported", p.tok.Keyword).Hint("name the columns")
		}
	} else if !p.tokStartsClause() {
		item.X = p.exprOrStar(1)
		if _, star := item.X.(*ast.Star); !star {
			item.Alias = p.itemAlias()
		}
	} else {
		p.fail("an expression of the select list")
	}
	item.Place = p.place(start)
	return item
}

// tokStartsClause catches SELECT FROM and a comma before FROM.
func (p *parser) tokStartsClause() bool {
	switch p.tok.Keyword {
	case "FROM", "WHERE", "GROUP", "ORDER", "HAVING", "LIMIT":
		return true
	}
	return false
}

// itemAlias reads [AS] name.
func (p *parser) itemAlias() *ast.Ident {
	if p.accept("AS") {
		return p.ident("the name of the column")
	}
	return p.bareAlias()
}

// bareAlias reads an alias without AS, if one is there.
func (p *parser) bareAlias() *ast.Ident {
	t := p.tok
	if t.Kind != QuotedIdent && (t.Kind != Word || t.Reserved()) || p.rsqldb && t.Keyword == "EMIT" {
		return nil
	}
	p.advance()
	p.alias = &ast.Ident{Place: ast.Place{Span: t.Span}, Name: t.Text, Quoted: t.Kind == QuotedIdent}
	return p.alias
}

func (p *parser) groupBy() *ast.GroupBy {
	start := p.tok.Span
	p.expect("GROUP", "BY")
	g := &ast.GroupBy{Distinct: p.accept("DISTINCT")}
	if !g.Distinct && p.accept("ALL") && (p.tok.Kind == EOF || p.atOp(";") || p.atOp(")")) {
		p.refuse(p.prev, "GROUP BY ALL is not supported").Hint("name the columns to group by")
	}
	g.Items = list(p, p.groupItem)
	g.Place = p.place(start)
	return g
}

func (p *parser) groupItem() *ast.GroupItem {
	start := p.tok.Span
	if !p.enter() {
		p.leave()
		return &ast.GroupItem{}
	}
	defer p.leave()
	g := &ast.GroupItem{}
	switch {
	case p.accept("GROUPING", "SETS"):
		g.Kind = "GROUPING SETS"
		g.Items = parens(p, p.groupItem)
	case p.atAny("ROLLUP", "CUBE"):
		g.Kind = p.tok.Keyword
		p.advance()
		g.Items = parens(p, p.groupItem)
	case p.atOp("(") && p.peekOp(1, ")"):
		p.advance()
		p.advance()
	default:
		x := p.expr()
		if r, ok := x.(*ast.Row); ok && !r.Explicit {
			g.X = r.Fields
		} else {
			g.X = []ast.Expr{x}
		}
	}
	g.Place = p.place(start)
	return g
}

func (p *parser) namedWindow() *ast.NamedWindow {
	start := p.tok.Span
	w := &ast.NamedWindow{Name: p.ident("the name of a window")}
	p.expect("AS")
	w.Spec = p.windowSpec()
	w.Place = p.place(start)
	return w
}

// hints reads /*+ … */ if it comes next.
func (p *parser) hints() []*ast.Hint {
	if p.tok.Kind != HintOpen {
		return nil
	}
	p.advance()
	out := list(p, p.hint)
	if p.tok.Kind != HintClose {
		p.fail("',' or the end of the hint")
	}
	p.advance()
	return out
}

// hint reads NAME, NAME(a, 'b', 3) or NAME('k' = 'v', …).
func (p *parser) hint() *ast.Hint {
	start := p.tok.Span
	t := p.tok
	if t.Kind != Word {
		p.fail("the name of a hint such as OPTIONS")
	}
	p.advance()
	h := &ast.Hint{Name: strings.ToUpper(t.Text)}
	if p.acceptOp("(") {
		for !p.acceptOp(")") {
			p.hintArg(h)
			if !p.atOp(")") {
				p.expectOp(",")
			}
			if p.failed {
				break
			}
		}
	}
	h.Place = p.place(start)
	return h
}

func (p *parser) hintArg(h *ast.Hint) {
	start := p.tok.Span
	var key string
	switch t := p.tok; t.Kind {
	case String:
		key = p.stringLit().Value
	case Number:
		key = t.Text
		p.advance()
	default:
		key = p.name("a name, number or string").String()
	}
	k := &ast.StringLit{Place: p.place(start), Value: key}
	if p.acceptOp("=") {
		v := p.str("the value in quotes")
		h.Options = append(h.Options, &ast.Option{Place: p.place(start), Key: k, Value: v})
	} else {
		h.Args = append(h.Args, key)
	}
	if h.Options != nil && h.Args != nil && !p.failed {
		p.failWith(diag.At(k.Span, diag.Syntax, "a hint has either names or 'key' = 'value' pairs"))
	}
}

// emit reads EMIT … of the rsqldb dialect, if it comes next.
func (p *parser) emit() *ast.Emit {
	if !p.rsqldb || !p.at("EMIT") {
		return nil
	}
	start := p.tok.Span
	p.advance()
	e := &ast.Emit{Strategies: list(p, p.emitStrategy)}
	e.Place = p.place(start)
	return e
}

func (p *parser) emitStrategy() *ast.EmitStrategy {
	start := p.tok.Span
	s := &ast.EmitStrategy{}
	if p.expectAny("WITH", "WITHOUT") == "WITH" {
		p.expect("DELAY")
		at := p.tok.Span
		s.Delay = &ast.Interval{Value: p.str("the delay, such as '1' MINUTE"), Unit: p.intervalUnit()}
		s.Delay.Place = p.place(at)
	} else {
		p.expect("DELAY")
	}
	if s.When = p.acceptAny("BEFORE", "AFTER"); s.When != "" {
		p.expect("WATERMARK")
	}
	s.Place = p.place(start)
	return s
}
