package sql

import (
	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/sql/ast"
)

// units of EXTRACT, CEIL and FLOOR, TIMESTAMPADD and TIMESTAMPDIFF.
var timeUnits = []string{
	"MILLENNIUM", "CENTURY", "DECADE", "YEAR", "ISOYEAR", "QUARTER", "MONTH", "WEEK", "DAY", "DOW", "ISODOW", "DOY",
	"HOUR", "MINUTE", "SECOND", "MILLISECOND", "MICROSECOND", "NANOSECOND", "EPOCH", "FRAC_SECOND",
}

// specialForm tells whether calls of the keyword have a syntax of their own.
func specialForm(word string) bool {
	switch word {
	case "TRIM", "SUBSTRING", "OVERLAY", "POSITION", "EXTRACT", "CEIL", "CEILING", "FLOOR", "TIMESTAMPADD", "TIMESTAMPDIFF",
		"CONVERT", "TRANSLATE", "JSON_EXISTS", "JSON_VALUE", "JSON_QUERY", "JSON_OBJECT", "JSON_ARRAY", "JSON_OBJECTAGG", "JSON_ARRAYAGG":
		return true
	}
	return false
}

// specialCall reads a call of the special syntax that ast.Call lists.
func (p *parser) specialCall(t Token) ast.Expr {
	p.advance()
	id := &ast.Ident{Place: ast.Place{Span: t.Span}, Name: t.Text}
	c := &ast.Call{Name: &ast.Name{Place: id.Place, Parts: []*ast.Ident{id}}, Func: t.Keyword}
	p.expectOp("(")
	switch t.Keyword {
	case "TRIM":
		p.trim(c)
	case "SUBSTRING":
		c.Args = append(c.Args, p.expr())
		p.fromFor(c, true)
	case "OVERLAY":
		c.Args = append(c.Args, p.expr())
		if p.accept("PLACING") {
			c.Special = true
			c.Args = append(c.Args, p.expr())
			p.fromFor(c, true)
		} else {
			p.comma()
			c.Args = append(c.Args, list(p, p.expr)...)
		}
	case "POSITION":
		p.position(c)
	case "EXTRACT":
		c.Special = true
		c.Args = append(c.Args, p.symbol("a unit of time such as YEAR or SECOND", timeUnits))
		p.expect("FROM")
		c.Args = append(c.Args, p.expr())
	case "CEIL", "CEILING", "FLOOR":
		if c.Func == "CEILING" {
			c.Func = "CEIL"
		}
		c.Args = append(c.Args, p.expr())
		if p.accept("TO") {
			c.Special = true
			c.Args = append(c.Args, p.symbol("a unit of time such as DAY", timeUnits))
		} else if p.acceptOp(",") { // rounding to digits is no function here; the binder says so
			c.Args = append(c.Args, list(p, p.expr)...)
		}
	case "TIMESTAMPADD", "TIMESTAMPDIFF":
		c.Special = true
		c.Args = append(c.Args, p.symbol("a unit of time such as DAY", timeUnits))
		for range 2 {
			p.comma()
			c.Args = append(c.Args, p.expr())
		}
	case "CONVERT", "TRANSLATE":
		c.Args = append(c.Args, p.expr())
		if p.accept("USING") {
			c.Special = true
			cs := p.ident("a character set")
			c.Args = append(c.Args, &ast.Symbol{Place: cs.Place, Name: cs.Name})
		} else {
			p.comma()
			c.Args = append(c.Args, list(p, p.expr)...)
		}
	default:
		p.jsonCall(c)
	}
	p.expectOp(")")
	return p.callSuffix(c)
}

func (p *parser) comma() { p.expectOp(",") }

// trim reads the arguments of TRIM.
func (p *parser) trim(c *ast.Call) {
	start := p.tok.Span
	side := p.acceptAny("BOTH", "LEADING", "TRAILING")
	sym := &ast.Symbol{Place: p.place(start), Name: side}
	if side == "" {
		*sym = ast.Symbol{Place: c.Name.Place, Name: "BOTH"}
		x := p.expr()
		if !p.accept("FROM") {
			c.Args = []ast.Expr{x}
			if p.acceptOp(",") {
				c.Args = append(c.Args, list(p, p.expr)...)
			}
			return
		}
		c.Special = true
		c.Args = []ast.Expr{sym, x, p.expr()}
		return
	}
	c.Special = true
	var what ast.Expr = &ast.StringLit{Place: c.Name.Place, Value: " "}
	if !p.at("FROM") {
		what = p.expr()
	}
	p.expect("FROM")
	c.Args = []ast.Expr{sym, what, p.expr()}
}

// fromFor reads FROM i [FOR n], or , i [, n].
func (p *parser) fromFor(c *ast.Call, commas bool) {
	switch {
	case p.accept("FROM"):
		c.Special = true
		c.Args = append(c.Args, p.expr())
		if p.accept("FOR") {
			c.Args = append(c.Args, p.expr())
		}
	case commas && p.acceptOp(","):
		c.Args = append(c.Args, list(p, p.expr)...)
	default:
		p.fail("FROM or ','")
	}
}

// position reads x IN s [FROM i]; x may hold no IN of its own.
func (p *parser) position(c *ast.Call) {
	c.Args = append(c.Args, p.operand(precBetween+1))
	if p.acceptOp(",") {
		c.Args = append(c.Args, list(p, p.expr)...)
		return
	}
	c.Special = true
	p.expect("IN")
	c.Args = append(c.Args, p.expr())
	if p.accept("FROM") {
		c.Args = append(c.Args, p.expr())
	}
}

// jsonCall reads the arguments of the JSON functions.
func (p *parser) jsonCall(c *ast.Call) {
	c.Special = true
	switch c.Func {
	case "JSON_OBJECT":
		if !p.atOp(")") {
			if !p.nullClause(c) { // only in the form without pairs
				pairs := list(p, p.jsonPair)
				p.nullClause(c)
				for _, kv := range pairs {
					c.Args = append(c.Args, kv[0], kv[1])
				}
			}
		}
	case "JSON_ARRAY":
		if !p.atOp(")") && !p.nullClause(c) {
			items := list(p, p.expr)
			p.nullClause(c)
			c.Args = append(c.Args, items...)
		}
	case "JSON_OBJECTAGG":
		kv := p.jsonPair()
		p.nullClause(c)
		c.Args = append(c.Args, kv[0], kv[1])
	case "JSON_ARRAYAGG":
		c.Distinct = p.accept("DISTINCT")
		x := p.expr()
		if p.at("ORDER") {
			c.OrderBy = p.orderBy()
		}
		p.nullClause(c)
		c.Args = append(c.Args, x)
	default:
		p.jsonPath(c)
	}
}

// jsonPair reads [KEY] k VALUE v, or k : v.
func (p *parser) jsonPair() [2]ast.Expr {
	if p.at("KEY") && !p.peekOp(1, ":") && p.peek(1).Keyword != "VALUE" && !p.peekOp(1, ".") && !p.peekOp(1, "(") {
		p.advance()
	}
	k := p.expr()
	if !p.accept("VALUE") && !p.acceptOp(":") {
		p.fail("VALUE or ':' behind the key")
	}
	v := p.expr()
	if p.accept("FORMAT") {
		p.refuse(p.prev, "FORMAT JSON is not supported")
	}
	return [2]ast.Expr{k, v}
}

// nullClause reads NULL ON NULL or ABSENT ON NULL into the arguments.
func (p *parser) nullClause(c *ast.Call) bool {
	start := p.tok.Span
	for _, w := range []string{"NULL", "ABSENT"} {
		if p.accept(w, "ON", "NULL") {
			c.Args = append(c.Args, &ast.Symbol{Place: p.place(start), Name: w + " ON NULL"})
			return true
		}
	}
	return false
}

// jsonPath reads the arguments of JSON_EXISTS, JSON_VALUE and JSON_QUERY.
func (p *parser) jsonPath(c *ast.Call) {
	c.Args = append(c.Args, p.expr())
	if p.accept("FORMAT") {
		p.refuse(p.prev, "FORMAT JSON is not supported")
	}
	p.comma()
	c.Args = append(c.Args, p.expr())
	if p.at("PASSING") {
		p.refuse(p.tok.Span, "PASSING is not supported")
	}
	kinds := []string{"TRUE", "FALSE", "UNKNOWN", "ERROR"}
	if c.Func != "JSON_EXISTS" {
		kinds = []string{"NULL", "ERROR", "DEFAULT"}
		if start := p.tok.Span; p.accept("RETURNING") {
			t := p.dataType()
			c.Args = append(c.Args, &ast.TypeArg{Place: p.place(start), Type: t})
		}
	}
	if c.Func == "JSON_QUERY" {
		kinds = []string{"NULL", "ERROR", "EMPTY"}
		p.wrapper(c)
	}
	seen := map[string]bool{}
	for p.atAny(kinds...) && !p.failed {
		on := p.behaviour(c)
		if seen[on] || on == "EMPTY" && (seen["ERROR"] || c.Func == "JSON_EXISTS") {
			p.failWith(diag.At(p.prev, diag.Syntax, "ON %s does not fit here", on).Hint("the order is … ON EMPTY … ON ERROR, each once"))
		}
		seen[on] = true
	}
}

// wrapper reads WITH|WITHOUT … WRAPPER.
func (p *parser) wrapper(c *ast.Call) {
	start := p.tok.Span
	name := ""
	switch {
	case p.accept("WITHOUT"):
		p.accept("ARRAY")
		name = "WITHOUT WRAPPER"
	case p.accept("WITH"):
		name = "WITH UNCONDITIONAL WRAPPER"
		if p.accept("CONDITIONAL") {
			name = "WITH CONDITIONAL WRAPPER"
		} else {
			p.accept("UNCONDITIONAL")
		}
		p.accept("ARRAY")
	default:
		return
	}
	p.expect("WRAPPER")
	c.Args = append(c.Args, &ast.Symbol{Place: p.place(start), Name: name})
}

// behaviour reads … ON EMPTY or … ON ERROR and returns the last word.
func (p *parser) behaviour(c *ast.Call) string {
	start := p.tok.Span
	name := p.tok.Keyword
	p.advance()
	var value ast.Expr
	switch name {
	case "DEFAULT":
		value = p.expr()
	case "EMPTY":
		name = "EMPTY ARRAY"
		if p.accept("OBJECT") {
			name = "EMPTY OBJECT"
		} else {
			p.accept("ARRAY")
		}
	}
	p.expect("ON")
	on := p.expectAny("EMPTY", "ERROR")
	c.Args = append(c.Args, &ast.Symbol{Place: p.place(start), Name: name + " ON " + on})
	if value != nil {
		c.Args = append(c.Args, value)
	}
	return on
}
