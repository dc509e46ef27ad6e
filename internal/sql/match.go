package sql

import (
	"strconv"
	"strings"

	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/sql/ast"
)

// matchRecognize reads MATCH_RECOGNIZE (…) [alias] behind its input.
func (p *parser) matchRecognize(input ast.TableRef) ast.TableRef {
	p.expect("MATCH_RECOGNIZE")
	p.expectOp("(")
	m := &ast.MatchRecognize{Input: input}
	if p.accept("PARTITION", "BY") {
		m.PartitionBy = list(p, p.expr)
	}
	if p.at("ORDER") {
		m.OrderBy = p.orderBy()
	}
	if p.accept("MEASURES") {
		m.Measures = list(p, p.measure)
	}
	p.rowsPerMatch(m)
	if p.at("AFTER") {
		m.After = p.afterMatch()
	}
	p.expect("PATTERN")
	p.expectOp("(")
	m.StartAnchor = p.acceptOp("^")
	m.Pattern = p.pattern()
	m.EndAnchor = p.acceptOp("$")
	p.expectOp(")")
	if p.accept("WITHIN") {
		if !p.at("INTERVAL") {
			p.fail("an interval such as INTERVAL '10' SECOND")
		}
		m.Within = p.interval()
	}
	if p.accept("SUBSET") {
		m.Subsets = list(p, p.subset)
	}
	p.expect("DEFINE")
	m.Defines = list(p, p.define)
	p.expectOp(")")
	m.Alias = p.tableAlias()
	m.Place = p.place(input.Pos())
	return m
}

func (p *parser) measure() *ast.Measure {
	start := p.tok.Span
	m := &ast.Measure{X: p.expr()}
	p.expect("AS")
	m.Alias = p.ident("the name of the measure")
	m.Place = p.place(start)
	return m
}

func (p *parser) rowsPerMatch(m *ast.MatchRecognize) {
	switch {
	case p.accept("ONE"):
		p.expect("ROW", "PER", "MATCH")
		m.RowsPerMatch = "ONE ROW"
	case p.accept("ALL"):
		p.expect("ROWS", "PER", "MATCH")
		m.RowsPerMatch = "ALL ROWS"
		for _, w := range [][3]string{{"SHOW", "EMPTY", "MATCHES"}, {"OMIT", "EMPTY", "MATCHES"}, {"WITH", "UNMATCHED", "ROWS"}} {
			if p.accept(w[0]) {
				p.expect(w[1], w[2])
				m.RowsPerMatch += " " + strings.Join(w[:], " ")
			}
		}
	}
}

func (p *parser) afterMatch() *ast.AfterMatch {
	start := p.tok.Span
	a := &ast.AfterMatch{}
	p.expect("AFTER", "MATCH", "SKIP")
	switch {
	case p.accept("PAST"):
		p.expect("LAST", "ROW")
	case p.accept("TO"):
		switch {
		case p.accept("NEXT", "ROW"):
			a.Kind = ast.SkipToNextRow
		case p.at("FIRST") && isName(p.peek(1)):
			p.advance()
			a.Kind, a.Variable = ast.SkipToFirst, p.ident("a variable")
		default:
			if p.at("LAST") && isName(p.peek(1)) {
				p.advance()
			}
			a.Kind, a.Variable = ast.SkipToLast, p.ident("NEXT ROW, FIRST, LAST or a variable")
		}
	default:
		p.fail("PAST LAST ROW, or TO")
	}
	a.Place = p.place(start)
	return a
}

// pattern reads alternatives of sequences.
func (p *parser) pattern() ast.Pattern {
	if !p.enter() {
		p.leave()
		return &ast.PatternSeq{}
	}
	defer p.leave()
	start := p.tok.Span
	items := []ast.Pattern{p.patternSeq()}
	for p.acceptOp("|") {
		items = append(items, p.patternSeq())
	}
	if len(items) == 1 {
		return items[0]
	}
	return &ast.PatternAlt{Place: p.place(start), Items: items}
}

func (p *parser) patternSeq() ast.Pattern {
	start := p.tok.Span
	items := []ast.Pattern{p.patternTerm()}
	for !p.failed && (isName(p.tok) || p.atOp("(") || p.atOp("{") || p.tok.Keyword == "PERMUTE") {
		items = append(items, p.patternTerm())
	}
	if len(items) == 1 {
		return items[0]
	}
	return &ast.PatternSeq{Place: p.place(start), Items: items}
}

// patternTerm reads a variable, a group, an exclusion or a permutation, and its quantifier.
func (p *parser) patternTerm() ast.Pattern {
	start := p.tok.Span
	var x ast.Pattern
	switch {
	case p.acceptOp("("):
		x = p.pattern()
		p.expectOp(")")
	case p.acceptOp("{"):
		p.expectOp("-")
		inner := p.pattern()
		p.expectOp("-")
		p.expectOp("}")
		x = &ast.PatternExclude{Place: p.place(start), X: inner}
	case p.accept("PERMUTE"):
		items := parens(p, p.pattern)
		x = &ast.PatternPermute{Place: p.place(start), Items: items}
	default:
		x = &ast.PatternVar{Name: p.ident("a pattern variable")}
		x.(*ast.PatternVar).Place = p.place(start)
	}
	return p.quantifier(start, x)
}

func (p *parser) quantifier(start diag.Span, x ast.Pattern) ast.Pattern {
	r := &ast.PatternRepeat{X: x, Max: -1}
	switch {
	case p.acceptOp("*"):
	case p.acceptOp("+"):
		r.Min = 1
	case p.acceptOp("?"):
		r.Max = 1
	case p.atOp("{") && !p.peekOp(1, "-"):
		p.advance()
		p.repetition(r)
	default:
		return x
	}
	r.Reluctant = p.acceptOp("?")
	r.Place = p.place(start)
	return r
}

// repetition reads n}, n,}, n,m} or ,m}.
func (p *parser) repetition(r *ast.PatternRepeat) {
	at := p.tok.Span
	if !p.atOp(",") {
		r.Min = p.smallInt("how often the pattern repeats")
		r.Max = r.Min
	}
	if p.acceptOp(",") {
		r.Max = -1
		if !p.atOp("}") {
			r.Max = p.smallInt("how often the pattern repeats")
		}
	}
	p.expectOp("}")
	if r.Max >= 0 && r.Max < r.Min && !p.failed {
		p.failWith(diag.At(at, diag.Syntax, "a pattern that repeats at least %d and at most %d times", r.Min, r.Max))
	}
}

// smallInt reads an integer that fits 31 bits.
func (p *parser) smallInt(what string) int {
	if p.tok.Kind == Number {
		if v, err := strconv.ParseInt(p.tok.Text, 10, 32); err == nil {
			p.advance()
			return int(v)
		}
	}
	p.fail(what)
	return 0
}

func (p *parser) subset() *ast.Subset {
	start := p.tok.Span
	s := &ast.Subset{Name: p.ident("the name of the subset")}
	p.expectOp("=")
	s.Variables = p.idents("a pattern variable")
	s.Place = p.place(start)
	return s
}

func (p *parser) define() *ast.Define {
	start := p.tok.Span
	d := &ast.Define{Variable: p.ident("a pattern variable")}
	p.expect("AS")
	d.Cond = p.expr()
	d.Place = p.place(start)
	return d
}
