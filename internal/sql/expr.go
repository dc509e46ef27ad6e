package sql

import (
	"strings"

	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/sql/ast"
)

// The precedences of operators, as in Calcite: a higher one binds tighter.
const (
	precMultiset   = 14
	precMultisetIn = 16
	precOr         = 22
	precAnd        = 24
	precNot        = 26
	precIs         = 28
	precCompare    = 30
	precBetween    = 32 // BETWEEN, IN, LIKE, SIMILAR TO
	precAdd        = 40
	precMul        = 60
	precSign       = 80
	precPostfix    = 100
)

// expr reads a scalar expression.
func (p *parser) expr() ast.Expr { return p.operand(1) }

// operand reads an expression of operators of at least the precedence; no star.
func (p *parser) operand(minPrec int) ast.Expr {
	x := p.exprOrStar(minPrec)
	if s, ok := x.(*ast.Star); ok && !p.failed {
		p.failWith(diag.At(s.Span, diag.Syntax, "* is no value").Hint("it stands in a select list and in COUNT(*)"))
	}
	return x
}

// exprOrStar reads an expression, or t.*.
func (p *parser) exprOrStar(minPrec int) ast.Expr {
	if !p.enter() {
		p.leave()
		return &ast.NullLit{}
	}
	defer p.leave()
	x := p.prefix()
	if _, star := x.(*ast.Star); star {
		return x
	}
	n := 0
	for !p.failed {
		p.chain(&n)
		y := p.infix(x, minPrec)
		if y == nil {
			return x
		}
		x = y
	}
	return x
}

// infixPrec are the precedences of the operators between two operands.
var infixPrec = map[string]int{
	"=": precCompare, "<>": precCompare, "<": precCompare, "<=": precCompare, ">": precCompare, ">=": precCompare,
	"+": precAdd, "-": precAdd, "*": precMul, "/": precMul, "%": precMul, "||": precMul,
	"AND": precAnd, "OR": precOr,
	"OVERLAPS": precCompare, "CONTAINS": precCompare, "EQUALS": precCompare, "PRECEDES": precCompare, "SUCCEEDS": precCompare,
}

// infix continues x with an operator of at least the precedence, or returns nil.
func (p *parser) infix(x ast.Expr, minPrec int) ast.Expr {
	t := p.tok
	switch {
	case t.Kind == Op:
		op := t.Text
		if op == "!=" && p.rsqldb {
			op = "<>"
		}
		if op == "[" {
			return p.index(x)
		}
		if op == "." {
			return p.field(x)
		}
		if prec := infixPrec[op]; prec >= minPrec && prec > 0 {
			return p.binary(x, op, prec, 1)
		}
		return nil
	case t.Kind != Word || t.Keyword == "":
		p.noteInfix()
		return nil
	}
	switch t.Keyword {
	case "AND", "OR", "OVERLAPS", "CONTAINS", "EQUALS", "PRECEDES", "SUCCEEDS":
		if prec := infixPrec[t.Keyword]; prec >= minPrec {
			return p.binary(x, t.Keyword, prec, 1)
		}
	case "IMMEDIATELY":
		if next := p.peek(1).Keyword; precCompare >= minPrec && (next == "PRECEDES" || next == "SUCCEEDS") {
			return p.binary(x, "IMMEDIATELY "+next, precCompare, 2)
		}
	case "IS":
		prec := precIs
		if p.peek(1).Keyword == "DISTINCT" || p.peek(1).Keyword == "NOT" && p.peek(2).Keyword == "DISTINCT" {
			prec = precCompare
		}
		if prec >= minPrec {
			return p.is(x)
		}
	case "NOT":
		if next := p.peek(1).Keyword; precBetween >= minPrec && (next == "BETWEEN" || next == "IN" || next == "LIKE" || next == "ILIKE" || next == "RLIKE" || next == "SIMILAR") {
			p.advance()
			return p.predicate(x, true)
		} else if next == "SUBMULTISET" && precCompare >= minPrec {
			p.advance()
			return p.ofOperator(x, "NOT SUBMULTISET OF")
		}
	case "BETWEEN", "IN", "LIKE", "ILIKE", "RLIKE", "SIMILAR":
		if precBetween >= minPrec {
			return p.predicate(x, false)
		}
	case "MEMBER", "SUBMULTISET":
		if precCompare >= minPrec {
			return p.ofOperator(x, t.Keyword+" OF")
		}
	case "MULTISET":
		return p.multiset(x, minPrec)
	}
	p.noteInfix()
	return nil
}

// noteInfix notes the operators that are words, for hints at the nearest.
func (p *parser) noteInfix() {
	p.note("AND", "OR", "IS", "NOT", "BETWEEN", "IN", "LIKE", "SIMILAR")
}

// binary reads the operator of so many tokens and the right operand.
func (p *parser) binary(x ast.Expr, op string, prec, tokens int) ast.Expr {
	at := p.tok.Span
	for range tokens {
		p.advance()
	}
	place := p.place(at)
	if prec == precCompare && p.atAny("ANY", "SOME", "ALL") && p.peekOp(1, "(") {
		return p.quantified(x, op)
	}
	y := p.operand(prec + 1)
	return &ast.Binary{Place: p.place(x.Pos()), Op: op, L: x, R: y, OpPlace: place}
}

// quantified reads ANY (…) behind a comparison.
func (p *parser) quantified(x ast.Expr, op string) ast.Expr {
	q := &ast.Quantified{X: x, Op: op, All: p.tok.Keyword == "ALL"}
	p.advance()
	q.List, q.Query = p.listOrQuery()
	q.Place = p.place(x.Pos())
	return q
}

// listOrQuery reads (a, b, …) or (query).
func (p *parser) listOrQuery() ([]ast.Expr, ast.Query) {
	p.expectOp("(")
	if p.atQuery() {
		q := p.query()
		p.expectOp(")")
		return nil, q
	}
	items := list(p, p.queryOrExpr)
	p.expectOp(")")
	if sub, ok := items[0].(*ast.Subquery); ok && len(items) == 1 {
		return nil, sub.Query
	}
	return items, nil
}

// is reads IS [NOT] … behind x.
func (p *parser) is(x ast.Expr) ast.Expr {
	at := p.tok.Span
	p.advance()
	not := p.accept("NOT")
	if p.accept("DISTINCT", "FROM") {
		op := "IS DISTINCT FROM"
		if not {
			op = "IS NOT DISTINCT FROM"
		}
		place := p.place(at)
		y := p.operand(precCompare + 1)
		return &ast.Binary{Place: p.place(x.Pos()), Op: op, L: x, R: y, OpPlace: place}
	}
	n := &ast.Is{X: x, Not: not}
	switch what := p.acceptAny("NULL", "TRUE", "FALSE", "UNKNOWN", "JSON", "A", "EMPTY"); what {
	case "JSON":
		kind := p.acceptAny("VALUE", "OBJECT", "ARRAY", "SCALAR")
		if kind == "" {
			kind = "VALUE"
		}
		n.What = "JSON " + kind
	case "A":
		p.expect("SET")
		n.What = "A SET"
	case "":
		p.at("DISTINCT")
		p.at("NOT")
		p.fail("NULL, TRUE, FALSE, UNKNOWN, DISTINCT FROM or JSON behind IS")
	default:
		n.What = what
	}
	n.Place = p.place(x.Pos())
	return n
}

// predicate reads BETWEEN, IN, LIKE and the like behind x.
func (p *parser) predicate(x ast.Expr, not bool) ast.Expr {
	word := p.tok.Keyword
	p.advance()
	switch word {
	case "BETWEEN":
		n := &ast.Between{X: x, Not: not, Symmetric: p.accept("SYMMETRIC")}
		if !n.Symmetric {
			p.accept("ASYMMETRIC")
		}
		n.Low = p.operand(precAnd + 1)
		p.expect("AND")
		n.High = p.operand(precBetween + 1)
		n.Place = p.place(x.Pos())
		return n
	case "IN":
		n := &ast.In{X: x, Not: not}
		n.List, n.Query = p.listOrQuery()
		n.Place = p.place(x.Pos())
		return n
	case "SIMILAR":
		p.expect("TO")
		word = "SIMILAR TO"
	}
	n := &ast.Like{X: x, Not: not, Op: word, Pattern: p.operand(precBetween + 1)}
	if p.accept("ESCAPE") {
		n.Escape = p.operand(precBetween + 1)
	}
	n.Place = p.place(x.Pos())
	return n
}

// ofOperator reads MEMBER OF and SUBMULTISET OF.
func (p *parser) ofOperator(x ast.Expr, op string) ast.Expr {
	at := p.tok.Span
	p.advance()
	p.expect("OF")
	place := p.place(at)
	y := p.operand(precCompare + 1)
	return &ast.Binary{Place: p.place(x.Pos()), Op: op, L: x, R: y, OpPlace: place}
}

// multiset reads MULTISET UNION|INTERSECT|EXCEPT [ALL|DISTINCT] behind x.
func (p *parser) multiset(x ast.Expr, minPrec int) ast.Expr {
	word := p.peek(1).Keyword
	prec := precMultiset
	switch word {
	case "INTERSECT":
		prec = precMultisetIn
	case "UNION", "EXCEPT":
	default:
		return nil
	}
	if prec < minPrec {
		return nil
	}
	at := p.tok.Span
	p.advance()
	p.advance()
	op := "MULTISET " + word
	if p.accept("ALL") {
		op += " ALL"
	} else {
		p.accept("DISTINCT")
	}
	place := p.place(at)
	y := p.operand(prec + 1)
	return &ast.Binary{Place: p.place(x.Pos()), Op: op, L: x, R: y, OpPlace: place}
}

// index reads [i] behind x.
func (p *parser) index(x ast.Expr) ast.Expr {
	p.expectOp("[")
	i := p.expr()
	p.expectOp("]")
	return &ast.Index{Place: p.place(x.Pos()), X: x, I: i}
}

// field reads .name behind x.
func (p *parser) field(x ast.Expr) ast.Expr {
	p.expectOp(".")
	name := p.ident("the name of a field")
	return &ast.Field{Place: p.place(x.Pos()), X: x, Name: name}
}

// unary reads a sign or NOT and its operand.
func (p *parser) unary(op string, prec int) ast.Expr {
	start := p.tok.Span
	p.advance()
	x := p.operand(prec)
	return &ast.Unary{Place: p.place(start), Op: op, X: x}
}

// ref reads a chain of identifiers, t.*, or a call.
func (p *parser) ref() ast.Expr {
	start := p.tok.Span
	parts := []*ast.Ident{p.ident("an expression")}
	for p.atOp(".") && !p.failed {
		if p.peekOp(1, "*") {
			p.advance()
			p.advance()
			return &ast.Star{Place: p.place(start), Parts: parts}
		}
		p.advance()
		parts = append(parts, p.ident("a name"))
		if len(parts) > maxDepth {
			p.fail("a shorter name")
		}
	}
	if p.atOp("(") {
		return p.call(&ast.Name{Place: p.place(start), Parts: parts})
	}
	return &ast.Ref{Place: p.place(start), Parts: parts}
}

// upper is the word of an identifier as functions are looked up by.
func upper(n *ast.Name) string {
	if len(n.Parts) != 1 {
		return ""
	}
	return strings.ToUpper(n.Parts[0].Name)
}
