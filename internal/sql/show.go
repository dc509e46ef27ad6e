package sql

import (
	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/sql/ast"
)

// show reads SHOW ….
func (p *parser) show(start diag.Span) ast.Statement {
	p.advance()
	s := &ast.Show{}
	switch {
	case p.accept("CREATE"):
		p.refuseObject("SHOW CREATE")
		if p.atAny("DATABASE", "FUNCTION") {
			word := p.tok.Keyword
			p.refuse(p.tok.Span, "SHOW CREATE %s is not supported", word).Hint("DESCRIBE %s EXTENDED tells what there is", word)
		}
		s.What = p.expectAny("TABLE", "VIEW", "CATALOG")
		s.Name = p.tableName("a name")
		s.What = "CREATE " + s.What
	case p.accept("CURRENT"):
		s.What = "CURRENT " + p.expectAny("CATALOG", "DATABASE")
	case p.accept("FULL"):
		p.expect("MODULES")
		s.What = "FULL MODULES"
	case p.accept("USER"):
		p.expect("FUNCTIONS")
		s.What = "USER FUNCTIONS"
		p.showFilter(s, true)
	case p.accept("MATERIALIZED"):
		p.expect("TABLES")
		s.What = "MATERIALIZED TABLES"
		p.showFilter(s, true)
	case p.accept("PARTITIONS"):
		s.What = "PARTITIONS"
		s.Name = p.tableName("the name of a table")
		if p.at("PARTITION") {
			s.Partition = p.partition()
		}
	case p.accept("COLUMNS"):
		s.What = "COLUMNS"
		p.expectAny("FROM", "IN")
		s.Name = p.tableName("the name of a table")
		p.showFilter(s, false)
	default:
		s.What = p.acceptAny("TABLES", "VIEWS", "FUNCTIONS", "DATABASES", "CATALOGS", "PROCEDURES", "MODULES", "JARS", "JOBS", "MODELS")
		if s.What == "" && p.foreign(foreignShow, "SHOW") {
			return s
		}
		if s.What == "" {
			p.fail("what to show, such as TABLES, VIEWS, FUNCTIONS or CREATE TABLE t")
		}
		p.showFilter(s, true)
	}
	s.Place = p.place(start)
	return s
}

// showFilter reads [FROM|IN name] [[NOT] LIKE|ILIKE 'pattern'].
func (p *parser) showFilter(s *ast.Show, from bool) {
	if from && p.acceptAny("FROM", "IN") != "" {
		s.Name = p.tableName("the name of a database or catalog")
	}
	s.Not = p.accept("NOT")
	if s.Not {
		s.Like = p.expectAny("LIKE", "ILIKE")
	} else {
		s.Like = p.acceptAny("LIKE", "ILIKE")
	}
	if s.Like != "" {
		s.Pattern = p.str("the pattern in quotes")
	}
}

// describe reads DESCRIBE ….
func (p *parser) describe(start diag.Span) ast.Statement {
	p.advance()
	d := &ast.Describe{Kind: "TABLE"}
	named := func(word string) bool { return p.at(word) && (isName(p.peek(1)) || p.peek(1).Keyword == "EXTENDED") }
	switch {
	case p.at("JOB") && p.peek(1).Kind == String:
		p.advance()
		d.Kind = "JOB"
		d.Job = p.str("the job's id in quotes")
		d.Place = p.place(start)
		return d
	case named("MODEL"), named("CONNECTION"):
		p.refuseObject("DESCRIBE")
	case named("CATALOG"), named("DATABASE"), p.at("FUNCTION"):
		d.Kind = p.tok.Keyword
		p.advance()
	default:
		p.accept("TABLE")
	}
	d.Extended = p.accept("EXTENDED")
	if d.Kind == "FUNCTION" && p.tok.Kind == Word && reservedFunctions[p.tok.Keyword] {
		id := &ast.Ident{Place: ast.Place{Span: p.tok.Span}, Name: p.tok.Text}
		p.advance()
		d.Name = &ast.Name{Place: id.Place, Parts: []*ast.Ident{id}}
	} else {
		d.Name = p.tableName("a name")
	}
	d.Place = p.place(start)
	return d
}
