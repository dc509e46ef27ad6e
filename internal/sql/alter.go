package sql

import (
	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/sql/ast"
)

// alter reads ALTER ….
func (p *parser) alter(start diag.Span) ast.Statement {
	p.expect("ALTER")
	p.refuseObject("ALTER")
	switch {
	case p.accept("TABLE"):
		a := &ast.AlterTable{IfExists: p.ifExists(), Name: p.tableName("the name of a table")}
		a.Action = p.alterAction()
		a.Place = p.place(start)
		return a
	case p.accept("VIEW"):
		v := &ast.AlterView{IfExists: p.ifExists(), Name: p.tableName("the name of a view")}
		if p.accept("RENAME") {
			p.expect("TO")
			v.Rename = p.tableName("the new name")
		} else if p.atAny("SET", "RESET") {
			p.refuse(p.tok.Span, "a view has no options").Hint("ALTER the tables of its query, or give them hints")
		} else {
			p.expect("AS")
			v.As = p.query()
		}
		v.Place = p.place(start)
		return v
	case p.accept("DATABASE"):
		d := &ast.AlterDatabase{Name: p.tableName("the name of a database")}
		p.expect("SET")
		d.Options = p.options()
		d.Place = p.place(start)
		return d
	case p.accept("CATALOG"):
		return p.alterCatalog(start)
	case p.atAny("FUNCTION", "TEMPORARY"):
		f := &ast.AlterFunction{Temporary: p.accept("TEMPORARY")}
		f.System = f.Temporary && p.accept("SYSTEM")
		p.expect("FUNCTION")
		f.IfExists = p.ifExists()
		f.Name = p.tableName("the name of a function")
		p.expect("AS")
		f.Class = p.str("the class or name of the function in quotes")
		f.Language = p.language()
		f.Place = p.place(start)
		return f
	}
	p.fail("TABLE, VIEW, FUNCTION, DATABASE or CATALOG")
	return &ast.Reset{}
}

func (p *parser) alterCatalog(start diag.Span) ast.Statement {
	c := &ast.AlterCatalog{Name: p.ident("the name of a catalog")}
	switch {
	case p.accept("SET"):
		c.Set = p.options()
	case p.accept("RESET"):
		c.Reset = p.keys()
	case p.at("COMMENT"):
		c.Comment = p.comment()
	default:
		p.fail("SET, RESET or COMMENT")
	}
	c.Place = p.place(start)
	return c
}

// keys reads ('a', 'b').
func (p *parser) keys() []*ast.StringLit {
	return parens(p, func() *ast.StringLit { return p.str("the key of an option in quotes") })
}

// alterAction reads what ALTER TABLE does.
func (p *parser) alterAction() ast.AlterAction {
	start := p.tok.Span
	switch {
	case p.accept("RENAME"):
		if p.at("TO") {
			p.advance()
			name := p.tableName("the new name")
			return &ast.RenameTo{Place: p.place(start), Name: name}
		}
		r := &ast.RenameColumn{From: p.name("TO, or a column")}
		p.expect("TO")
		r.To = p.ident("the new name")
		r.Place = p.place(start)
		return r
	case p.accept("SET"):
		o := p.options()
		return &ast.SetOptions{Place: p.place(start), Options: o}
	case p.accept("RESET"):
		k := p.keys()
		return &ast.ResetOptions{Place: p.place(start), Keys: k}
	case p.at("ADD"), p.at("DROP"):
		drop := p.tok.Keyword == "DROP"
		p.advance()
		if p.at("PARTITION") || p.at("IF") {
			return p.alterPartitions(start, drop)
		}
		if drop {
			return p.dropElements(start)
		}
		return p.alterElements(start, &ast.AlterElements{})
	case p.accept("MODIFY"):
		return p.alterElements(start, &ast.AlterElements{Modify: true})
	}
	p.fail("ADD, MODIFY, DROP, RENAME, SET or RESET")
	return &ast.RenameTo{}
}

func (p *parser) alterElements(start diag.Span, a *ast.AlterElements) ast.AlterAction {
	switch {
	case p.at("DISTRIBUTION"):
		p.advance()
		a.Distribution = p.distribution()
	case p.acceptOp("("):
		list(p, func() bool { p.element(&a.TableElements, true); return true })
		p.expectOp(")")
	default:
		p.accept("COLUMN")
		p.element(&a.TableElements, true)
	}
	a.Place = p.place(start)
	return a
}

// columnPosition reads FIRST or AFTER column if it comes next.
func (p *parser) columnPosition() *ast.ColumnPosition {
	start := p.tok.Span
	switch {
	case p.accept("FIRST"):
		return &ast.ColumnPosition{Place: p.place(start), First: true}
	case p.accept("AFTER"):
		c := p.ident("a column")
		return &ast.ColumnPosition{Place: p.place(start), After: c}
	}
	return nil
}

func (p *parser) dropElements(start diag.Span) ast.AlterAction {
	d := &ast.DropElements{}
	switch {
	case p.accept("CONSTRAINT"):
		d.Constraint = p.ident("the name of the constraint")
	case p.accept("PRIMARY"):
		p.expect("KEY")
		d.PrimaryKey = true
	case p.accept("WATERMARK"):
		d.Watermark = true
	case p.accept("DISTRIBUTION"):
		d.Distribution = true
	case p.atOp("("):
		d.Columns = parens(p, func() *ast.Name { return p.name("a column") })
	default:
		p.accept("COLUMN")
		d.Columns = []*ast.Name{p.name("a column, CONSTRAINT, PRIMARY KEY, WATERMARK, DISTRIBUTION or PARTITION")}
	}
	d.Place = p.place(start)
	return d
}

func (p *parser) alterPartitions(start diag.Span, drop bool) ast.AlterAction {
	a := &ast.AlterPartitions{Drop: drop}
	if drop {
		a.IfExists = p.ifExists()
	} else {
		a.IfExists = p.ifNotExists()
	}
	for {
		at := p.tok.Span
		part := &ast.Partition{Spec: p.partition()}
		if !drop {
			part.Options = p.withOptions()
		}
		part.Place = p.place(at)
		a.Partitions = append(a.Partitions, part)
		if p.failed || !p.acceptOp(",") && !p.at("PARTITION") {
			break
		}
	}
	a.Place = p.place(start)
	return a
}

// partition reads PARTITION (a = 1, b).
func (p *parser) partition() []*ast.Assign {
	p.expect("PARTITION")
	return parens(p, func() *ast.Assign {
		start := p.tok.Span
		a := &ast.Assign{Column: p.ident("a column")}
		if p.acceptOp("=") {
			a.X = p.expr()
		}
		a.Place = p.place(start)
		return a
	})
}
