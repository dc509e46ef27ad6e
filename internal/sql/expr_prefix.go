package sql

import (
	"strings"

	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/sql/ast"
)

// prefix reads an operand: a literal, a reference, a call, something in
// parentheses, or a prefix operator with its operand.
func (p *parser) prefix() ast.Expr {
	t := p.tok
	switch t.Kind {
	case Number:
		p.advance()
		return &ast.NumberLit{Place: ast.Place{Span: t.Span}, Text: t.Text}
	case String:
		return p.stringLit()
	case Binary:
		p.advance()
		hex := t.Text
		for p.tok.Kind == String && isHex(p.tok.Text) { // X'01' '02'
			hex += p.tok.Text
			p.advance()
		}
		return &ast.BinaryLit{Place: p.place(t.Span), Hex: hex}
	case QuotedIdent:
		return p.ref()
	case Word:
		if t.Keyword == "" {
			return p.ref()
		}
		return p.wordOperand(t)
	case Op:
		switch t.Text {
		case "(":
			return p.parenthesised()
		case "-", "+":
			return p.unary(t.Text, precSign)
		case "?":
			p.advance()
			p.params++
			return &ast.Param{Place: ast.Place{Span: t.Span}, Index: p.params - 1}
		case "{":
			return p.escape()
		}
	}
	p.note("CASE", "CAST", "TRY_CAST", "NOT", "EXISTS", "NULL", "TRUE", "FALSE", "INTERVAL", "DATE", "TIMESTAMP", "ARRAY", "MAP", "ROW")
	p.fail("an expression")
	return &ast.NullLit{}
}

func isHex(s string) bool {
	for i := 0; i < len(s); i++ {
		if !isDigitOf(s[i], 16) {
			return false
		}
	}
	return len(s)%2 == 0
}

// wordOperand reads an operand that starts with a keyword.
func (p *parser) wordOperand(t Token) ast.Expr {
	at := ast.Place{Span: t.Span}
	next := p.peek(1)
	open := next.Kind == Op && next.Text == "("
	switch t.Keyword {
	case "NOT":
		return p.unary("NOT", precNot)
	case "TRUE", "FALSE":
		p.advance()
		return &ast.BoolLit{Place: at, Value: t.Keyword == "TRUE"}
	case "NULL":
		p.advance()
		return &ast.NullLit{Place: at}
	case "UNKNOWN":
		if !p.rsqldb {
			p.advance()
			return &ast.NullLit{Place: at, Unknown: true}
		}
	case "DATE", "TIME", "TIMESTAMP":
		if next.Kind == String {
			p.advance()
			s := p.stringLit()
			return &ast.TemporalLit{Place: p.place(t.Span), Kind: t.Keyword, Text: s.Value}
		}
		if w := p.peek(2).Keyword; t.Keyword != "DATE" && (next.Keyword == "WITH" || next.Keyword == "WITHOUT") && (w == "LOCAL" || w == "TIME") {
			p.refuse(t.Span, "literals of this type are not supported").Hint("write CAST('…' AS TIMESTAMP_LTZ(3))")
		}
	case "INTERVAL":
		return p.interval()
	case "CASE":
		return p.caseExpr()
	case "CAST", "TRY_CAST":
		return p.cast()
	case "EXISTS", "UNIQUE":
		p.advance()
		q := p.parenQuery()
		return &ast.Exists{Place: p.place(t.Span), Unique: t.Keyword == "UNIQUE", Query: q}
	case "DEFAULT":
		if !open {
			p.advance()
			return &ast.DefaultArg{Place: at}
		}
	case "ROW":
		if open {
			return p.row()
		}
	case "PERIOD":
		if open {
			p.advance()
			return p.parenthesised()
		}
	case "ARRAY", "MAP", "MULTISET":
		if open || next.Kind == Op && next.Text == "[" {
			return p.collection()
		}
	case "RUNNING", "FINAL":
		if next.Kind == Word && keywordTable[next.Keyword].class != clauseWord && p.peekOp(2, "(") {
			return p.semantics()
		}
	case "NEXT":
		if next.Keyword == "VALUE" {
			p.refuse(t.Span, "sequences (NEXT VALUE FOR) are not supported")
			return &ast.NullLit{}
		}
	case "CURSOR", "NEW", "TREAT", "SAFE_CAST":
		if !p.rsqldb {
			p.refuse(t.Span, "%s is not supported", t.Keyword)
			return &ast.NullLit{}
		}
	case "SELECT", "WITH", "VALUES":
		p.failWith(diag.At(t.Span, diag.Syntax, "a query inside an expression needs parentheses around it"))
		return &ast.NullLit{}
	}
	return p.namedOperand(t, open)
}

// namedOperand reads a reference or call that starts with a keyword.
func (p *parser) namedOperand(t Token, open bool) ast.Expr {
	if open && specialForm(t.Keyword) {
		return p.specialCall(t)
	}
	if niladic[t.Keyword] && !(p.rsqldb && t.Keyword == "USER") {
		return p.niladicCall(t, open)
	}
	if open && reservedFunctions[t.Keyword] {
		p.advance()
		id := &ast.Ident{Place: ast.Place{Span: t.Span}, Name: t.Text}
		return p.call(&ast.Name{Place: id.Place, Parts: []*ast.Ident{id}})
	}
	if p.isReserved(t) {
		p.failReserved("an expression")
		return &ast.NullLit{}
	}
	return p.ref()
}

// niladicCall reads CURRENT_DATE and the like, with a precision if there is one.
func (p *parser) niladicCall(t Token, open bool) ast.Expr {
	p.advance()
	id := &ast.Ident{Place: ast.Place{Span: t.Span}, Name: t.Text}
	name := &ast.Name{Place: id.Place, Parts: []*ast.Ident{id}}
	if open {
		return p.call(name)
	}
	return &ast.Call{Place: id.Place, Name: name, Func: t.Keyword, Bare: true}
}

// semantics reads RUNNING f(…) and FINAL f(…).
func (p *parser) semantics() ast.Expr {
	start := p.tok.Span
	word := p.tok.Keyword
	p.advance()
	x := p.prefix()
	c, ok := x.(*ast.Call)
	if !ok {
		p.fail("a function behind " + word)
		return x
	}
	c.Semantics = word
	c.Place = p.place(start)
	return c
}

// parenthesised reads (query), (expression) or the row (a, b, …), and the unit
// of an interval behind (a - b).
func (p *parser) parenthesised() ast.Expr {
	start := p.tok.Span
	p.expectOp("(")
	if p.atQuery() {
		return p.closeSubquery(start, p.query())
	}
	saved := p.noDateDiff
	p.noDateDiff = false
	x := p.queryOrExpr()
	p.noDateDiff = saved
	if p.atOp(",") {
		p.advance()
		fields := append([]ast.Expr{x}, list(p, p.expr)...)
		p.expectOp(")")
		return &ast.Row{Place: p.place(start), Fields: fields}
	}
	p.expectOp(")")
	if sub, ok := x.(*ast.Subquery); ok {
		p.lone = sub
		return sub
	}
	if b, ok := x.(*ast.Binary); ok && b.Op == "-" && !p.noDateDiff && isDiffUnit(p.tok.Keyword) {
		unit := p.intervalUnit()
		return &ast.DateDiff{Place: p.place(start), L: b.L, R: b.R, Unit: unit}
	}
	return x
}

func isDiffUnit(word string) bool {
	switch word {
	case "YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND":
		return true
	}
	return false
}

// closeSubquery ends a query in parentheses that is an operand.
func (p *parser) closeSubquery(start diag.Span, q ast.Query) ast.Expr {
	p.expectOp(")")
	sub := &ast.Subquery{Place: p.place(start), Query: q}
	p.lone = sub
	return sub
}

// queryOrExpr reads an expression; if it is a query in parentheses that a set
// operation, ORDER BY or LIMIT follows, the whole query.
func (p *parser) queryOrExpr() ast.Expr {
	x := p.expr()
	sub, ok := x.(*ast.Subquery)
	if ok && sub == p.lone && p.atQueryRest() {
		q := p.queryRest(sub.Query)
		return &ast.Subquery{Place: p.place(sub.Span), Query: q}
	}
	return x
}

// row reads ROW(a, b).
func (p *parser) row() ast.Expr {
	start := p.tok.Span
	p.advance()
	p.expectOp("(")
	var fields []ast.Expr
	if !p.atOp(")") {
		fields = list(p, p.expr)
	}
	p.expectOp(")")
	return &ast.Row{Place: p.place(start), Explicit: true, Fields: fields}
}

// collection reads ARRAY[…], MAP[…], MULTISET[…] and ARRAY(query).
func (p *parser) collection() ast.Expr {
	start := p.tok.Span
	n := &ast.Collection{Kind: p.tok.Keyword}
	p.advance()
	if p.acceptOp("(") {
		if !p.atQuery() && !p.atOp("(") {
			p.fail("a query, or [ for elements")
		}
		n.Query = p.query()
		p.expectOp(")")
		n.Place = p.place(start)
		return n
	}
	p.expectOp("[")
	if !p.atOp("]") {
		n.Elems = list(p, p.expr)
	}
	p.expectOp("]")
	n.Place = p.place(start)
	if n.Kind == "MAP" && len(n.Elems)%2 != 0 && !p.failed {
		p.failWith(diag.At(n.Span, diag.Syntax, "MAP[…] needs a value for every key").Hint("write MAP[key1, value1, key2, value2]"))
	}
	return n
}

// caseExpr reads CASE … END.
func (p *parser) caseExpr() ast.Expr {
	start := p.tok.Span
	p.advance()
	n := &ast.Case{}
	if !p.at("WHEN") {
		n.Operand = p.expr()
	}
	for p.at("WHEN") {
		at := p.tok.Span
		p.advance()
		w := &ast.When{Conds: []ast.Expr{p.expr()}}
		for n.Operand != nil && p.acceptOp(",") {
			w.Conds = append(w.Conds, p.expr())
		}
		p.expect("THEN")
		w.Then = p.expr()
		w.Place = p.place(at)
		n.Whens = append(n.Whens, w)
	}
	if len(n.Whens) == 0 {
		p.fail("WHEN")
	}
	if p.accept("ELSE") {
		n.Else = p.expr()
	}
	if !p.accept("END") {
		p.at("WHEN")
		p.fail("END of CASE")
	}
	n.Place = p.place(start)
	return n
}

// cast reads CAST(x AS type) and TRY_CAST.
func (p *parser) cast() ast.Expr {
	start := p.tok.Span
	n := &ast.Cast{Try: p.tok.Keyword == "TRY_CAST"}
	p.advance()
	p.expectOp("(")
	n.X = p.expr()
	p.expect("AS")
	n.Type = p.dataType()
	p.expectOp(")")
	n.Place = p.place(start)
	return n
}

// interval reads INTERVAL [sign] value unit.
func (p *parser) interval() ast.Expr {
	start := p.tok.Span
	p.advance()
	n := &ast.Interval{}
	if p.acceptOp("-") {
		n.Negative = true
	} else {
		p.acceptOp("+")
	}
	switch p.tok.Kind {
	case String:
		n.Value = p.stringLit()
	default:
		saved := p.noDateDiff
		p.noDateDiff = true
		n.Value = p.operand(precPostfix)
		p.noDateDiff = saved
	}
	n.Unit = p.intervalUnit()
	n.Place = p.place(start)
	return n
}

// units in order from the largest; the plural is understood.
var intervalUnits = []string{"YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND"}

// intervalUnit reads DAY, DAY(3) TO SECOND(6) and so on.
func (p *parser) intervalUnit() *ast.IntervalUnit {
	start := p.tok.Span
	u := &ast.IntervalUnit{Prec: -1, FracPrec: -1}
	u.From = p.oneUnit()
	if p.acceptOp("(") {
		u.Prec = p.smallInt("the precision")
		if u.From == "SECOND" && p.acceptOp(",") {
			u.FracPrec = p.smallInt("the precision")
		}
		p.expectOp(")")
	}
	if next := p.peek(1).Keyword; p.at("TO") && rangeOf(u.From, next) {
		p.advance()
		u.To = next
		p.advance()
		if u.To == "SECOND" && p.acceptOp("(") {
			u.FracPrec = p.smallInt("the precision")
			p.expectOp(")")
		}
	}
	u.Place = p.place(start)
	return u
}

// rangeOf tells whether from TO to is an interval range.
func rangeOf(from, to string) bool {
	rank := map[string]int{"DAY": 1, "HOUR": 2, "MINUTE": 3, "SECOND": 4}
	return from == "YEAR" && to == "MONTH" || rank[from] > 0 && rank[to] > rank[from]
}

func (p *parser) oneUnit() string {
	for _, u := range intervalUnits {
		if p.accept(u) || p.accept(u+"S") {
			return u
		}
	}
	p.fail("a unit of time: " + orList(intervalUnits))
	return "SECOND"
}

// escape reads {d '…'}, {t '…'}, {ts '…'} and {fn f(…)}.
func (p *parser) escape() ast.Expr {
	start := p.tok.Span
	p.advance()
	word := strings.ToUpper(p.tok.Text)
	kind := map[string]string{"D": "DATE", "T": "TIME", "TS": "TIMESTAMP"}[word]
	var x ast.Expr
	switch {
	case kind != "" && p.peek(1).Kind == String:
		p.advance()
		s := p.stringLit()
		x = &ast.TemporalLit{Kind: kind, Text: s.Value}
	case word == "FN":
		p.advance()
		x = p.prefix()
	default:
		p.fail("d, t, ts or fn behind {")
		return &ast.NullLit{}
	}
	p.expectOp("}")
	if l, ok := x.(*ast.TemporalLit); ok {
		l.Place = p.place(start)
	}
	return x
}
