package sql

import (
	"strings"

	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/sql/ast"
)

// create reads CREATE …; start is where it stands.
func (p *parser) create(start diag.Span) ast.Statement {
	p.expect("CREATE")
	replace, alter := false, false
	if p.accept("OR") {
		alter = p.expectAny("REPLACE", "ALTER") == "ALTER"
		replace = true
	}
	temporary := p.accept("TEMPORARY")
	system := p.at("SYSTEM")
	if system {
		if !temporary {
			p.fail("TEMPORARY before SYSTEM")
		}
		p.advance()
		if !p.at("FUNCTION") {
			p.fail("FUNCTION")
		}
	}
	p.refuseObject("CREATE")
	switch {
	case p.accept("TABLE"):
		if alter {
			p.refuse(start.To(p.prev), "CREATE OR ALTER TABLE is not supported").Hint("use CREATE OR REPLACE TABLE")
		}
		return p.createTable(start, replace, temporary)
	case p.accept("VIEW"):
		return p.createView(start, replace, temporary)
	case p.accept("FUNCTION"):
		return p.createFunction(start, &ast.CreateFunction{OrReplace: replace, Temporary: temporary, System: system})
	case (replace || temporary) && p.atAny("DATABASE", "CATALOG"):
		p.fail("TABLE, VIEW or FUNCTION")
	case p.accept("DATABASE"):
		d := &ast.CreateDatabase{IfNotExists: p.ifNotExists(), Name: p.tableName("the name of a database"), Comment: p.comment()}
		d.Options = p.withOptions()
		d.Place = p.place(start)
		return d
	case p.accept("CATALOG"):
		c := &ast.CreateCatalog{IfNotExists: p.ifNotExists(), Name: p.ident("the name of a catalog"), Comment: p.comment()}
		c.Options = p.withOptions()
		c.Place = p.place(start)
		return c
	}
	if !p.foreign(foreignObjects, "CREATE") {
		p.fail("TABLE, VIEW, FUNCTION, DATABASE or CATALOG")
	}
	return &ast.Reset{}
}

// refuseObject refuses the objects of Flink that there are none of here.
func (p *parser) refuseObject(verb string) {
	start := p.tok.Span
	switch {
	case p.accept("MATERIALIZED", "TABLE"):
		p.refuse(start.To(p.prev), "%s MATERIALIZED TABLE is not supported", verb).Hint("use CREATE TABLE and INSERT INTO")
	case p.accept("MODEL"):
		p.refuse(start, "%s MODEL is not supported: there are no models", verb)
	case p.accept("CONNECTION"):
		p.refuse(start, "%s CONNECTION is not supported", verb)
	}
}

func (p *parser) ifNotExists() bool { return p.ifExists("NOT") }

// ifExists reads IF [not] EXISTS if it comes next.
func (p *parser) ifExists(not ...string) bool {
	if !p.at("IF") || !p.condWords() {
		return false
	}
	p.advance()
	p.expect(append(not, "EXISTS")...)
	return true
}

// condWords tells whether IF starts IF [NOT] EXISTS, and is no name.
func (p *parser) condWords() bool {
	next := p.peek(1)
	return next.Kind == Word
}

// withOptions reads WITH ('k' = 'v', …) if it comes next.
func (p *parser) withOptions() []*ast.Option {
	if !p.accept("WITH") {
		return nil
	}
	return p.options()
}

// options reads ('k' = 'v', …).
func (p *parser) options() []*ast.Option {
	p.expectOp("(")
	if p.rsqldb && p.acceptOp(")") {
		return nil
	}
	out := list(p, p.option)
	if !p.acceptOp(")") {
		p.fail("',' or ')' behind the option")
	}
	return out
}

// option reads 'k' = 'v'; rsqldb leaves out the quotes of keys, numbers and words.
func (p *parser) option() *ast.Option {
	start := p.tok.Span
	o := &ast.Option{}
	if p.rsqldb && (p.tok.Kind == Word || p.tok.Kind == QuotedIdent) {
		key := p.anyWord()
		for p.acceptOp(".") || p.acceptOp("-") {
			key += p.src[p.prev.Start:p.prev.End] + p.anyWord()
		}
		o.Key = &ast.StringLit{Place: p.place(start), Value: key}
	} else {
		o.Key = p.optionText("the key of an option in quotes")
	}
	p.expectOp("=")
	at := p.tok
	if p.rsqldb && (at.Kind == Number || at.Kind == Word) {
		p.advance()
		o.Value = &ast.StringLit{Place: p.place(at.Span), Value: at.Text}
	} else {
		o.Value = p.optionText("the value of the option in quotes")
	}
	o.Place = p.place(start)
	return o
}

// optionText reads a string; text without quotes gets a hint.
func (p *parser) optionText(what string) *ast.StringLit {
	if t := p.tok; t.Kind == Word || t.Kind == Number {
		err := diag.At(t.Span, diag.Syntax, "expected %s, found %s", what, t)
		p.failWith(err.Hint("write '%s'", t.Text))
	}
	return p.str(what)
}

// anyWord reads a word, reserved or not.
func (p *parser) anyWord() string {
	t := p.tok
	if t.Kind != Word && t.Kind != QuotedIdent {
		p.fail("a word")
		return ""
	}
	p.advance()
	return t.Text
}

func (p *parser) createTable(start diag.Span, replace, temporary bool) ast.Statement {
	t := &ast.CreateTable{OrReplace: replace, Temporary: temporary, IfNotExists: p.ifNotExists(), Name: p.tableName("the name of a table")}
	if p.atOp("(") {
		if next := p.peek(2); isName(p.peek(1)) && next.Kind == Op && (next.Text == "," || next.Text == ")") {
			t.ColumnNames = p.idents("a column")
		} else {
			p.advance()
			if !p.atOp(")") {
				list(p, func() bool { p.element(&t.TableElements, false); return true })
			}
			if !p.acceptOp(")") {
				p.fail("',' or ')' behind the column")
			}
		}
	}
	t.Comment = p.comment()
	if p.at("DISTRIBUTED") {
		t.Distribution = p.distribution()
	}
	if p.accept("PARTITIONED", "BY") {
		t.PartitionedBy = p.idents("a column")
	}
	t.Options = p.withOptions()
	switch {
	case p.at("LIKE"):
		t.Like = p.likeTable()
	case p.accept("AS"):
		t.As = p.query()
	case t.ColumnNames != nil:
		p.fail("AS and a query, since the columns have no types")
	}
	t.Place = p.place(start)
	return t
}

// element reads a column, watermark, constraint or period into e.
func (p *parser) element(e *ast.TableElements, alter bool) {
	start := p.tok.Span
	switch {
	case p.at("WATERMARK"):
		e.Watermarks = append(e.Watermarks, p.watermark())
	case p.atAny("PRIMARY", "UNIQUE", "CONSTRAINT"):
		e.Constraints = append(e.Constraints, p.constraint())
	case p.rsqldb && p.at("PERIOD") && p.peek(1).Keyword == "FOR":
		p.advance()
		p.expect("FOR", "SYSTEM_TIME")
		e.Period = &ast.PeriodFor{Place: p.place(start)}
	default:
		c := p.column()
		if alter {
			c.Position = p.columnPosition()
			c.Place = p.place(start)
		}
		e.Columns = append(e.Columns, c)
	}
}

// column reads name type …, name AS expression, or name type METADATA ….
func (p *parser) column() *ast.Column {
	start := p.tok.Span
	c := &ast.Column{Name: p.ident("the name of a column")}
	if p.accept("AS") {
		c.Kind = ast.ComputedColumn
		c.X = p.expr()
		c.Comment = p.comment()
		c.Place = p.place(start)
		return c
	}
	c.Type = p.dataType()
	switch {
	case p.accept("METADATA"):
		c.Kind = ast.MetadataColumn
		if p.accept("FROM") {
			c.From = p.str("the key of the metadata in quotes")
		}
		c.Virtual = p.accept("VIRTUAL")
	case p.rsqldb && p.accept("HEADER"):
		c.Kind = ast.HeaderColumn
	case p.atAny("PRIMARY", "UNIQUE", "CONSTRAINT"):
		c.Constraint = p.columnConstraint()
	case p.at("DEFAULT"), p.at("CHECK"), p.at("REFERENCES"), p.at("GENERATED"):
		p.refuse(p.tok.Span, "%s of a column is not supported", p.tok.Keyword)
	}
	c.Comment = p.comment()
	c.Place = p.place(start)
	return c
}

// columnConstraint reads [CONSTRAINT c] PRIMARY KEY [NOT ENFORCED] behind a column.
func (p *parser) columnConstraint() *ast.Constraint {
	start := p.tok.Span
	k := &ast.Constraint{}
	p.constraintHead(k)
	p.enforced(k)
	k.Place = p.place(start)
	return k
}

func (p *parser) constraint() *ast.Constraint {
	start := p.tok.Span
	k := &ast.Constraint{}
	p.constraintHead(k)
	k.Columns = p.idents("a column")
	p.enforced(k)
	k.Place = p.place(start)
	return k
}

func (p *parser) constraintHead(k *ast.Constraint) {
	if p.accept("CONSTRAINT") {
		k.Name = p.ident("the name of the constraint")
	}
	if p.expectAny("PRIMARY", "UNIQUE") == "UNIQUE" {
		k.Unique = true
	} else {
		p.expect("KEY")
	}
}

func (p *parser) enforced(k *ast.Constraint) {
	k.NotEnforced = p.accept("NOT", "ENFORCED")
	if !k.NotEnforced {
		k.Enforced = p.accept("ENFORCED")
	}
}

// watermark reads WATERMARK FOR column AS expression.
func (p *parser) watermark() *ast.Watermark {
	start := p.tok.Span
	p.advance()
	w := &ast.Watermark{}
	if p.rsqldb && !p.at("FOR") {
		w.Label = p.ident("FOR, or the name of the watermark")
	}
	p.expect("FOR")
	w.Column = p.name("the column of the watermark")
	p.expect("AS")
	w.X = p.expr()
	w.Place = p.place(start)
	return w
}

func (p *parser) distribution() *ast.Distribution {
	start := p.tok.Span
	p.accept("DISTRIBUTED")
	d := &ast.Distribution{}
	if p.accept("BY") {
		d.Kind = p.acceptAny("HASH", "RANGE")
		d.Columns = p.idents("a column")
	} else if !p.at("INTO") {
		p.fail("BY or INTO")
	}
	if p.accept("INTO") {
		if p.tok.Kind != Number || strings.ContainsAny(p.tok.Text, ".eE") {
			p.fail("the number of buckets")
		} else {
			d.Buckets = p.prefix().(*ast.NumberLit)
		}
		p.expect("BUCKETS")
	}
	d.Place = p.place(start)
	return d
}

func (p *parser) likeTable() *ast.LikeTable {
	start := p.tok.Span
	p.advance()
	l := &ast.LikeTable{Name: p.tableName("the name of a table")}
	if p.acceptOp("(") {
		for !p.atOp(")") && !p.failed {
			at := p.tok.Span
			r := &ast.LikeRule{Action: p.expectAny("INCLUDING", "EXCLUDING", "OVERWRITING")}
			r.Feature = p.expectAny("ALL", "CONSTRAINTS", "DISTRIBUTION", "GENERATED", "METADATA", "OPTIONS", "PARTITIONS", "WATERMARKS")
			r.Place = p.place(at)
			l.Rules = append(l.Rules, r)
		}
		p.expectOp(")")
	}
	l.Place = p.place(start)
	return l
}

func (p *parser) createView(start diag.Span, replace, temporary bool) ast.Statement {
	v := &ast.CreateView{OrReplace: replace, Temporary: temporary, IfNotExists: p.ifNotExists(), Name: p.tableName("the name of a view")}
	if p.atOp("(") {
		v.Columns = parens(p, func() *ast.ViewColumn {
			at := p.tok.Span
			c := &ast.ViewColumn{Name: p.ident("a column"), Comment: p.comment()}
			c.Place = p.place(at)
			return c
		})
	}
	v.Comment = p.comment()
	p.expect("AS")
	v.As = p.query()
	v.Place = p.place(start)
	return v
}

func (p *parser) createFunction(start diag.Span, f *ast.CreateFunction) ast.Statement {
	f.IfNotExists = p.ifNotExists()
	f.Name = p.tableName("the name of a function")
	p.expect("AS")
	f.Class = p.str("the class or name of the function in quotes")
	f.Language = p.language()
	if p.accept("USING") {
		f.Jars = list(p, func() *ast.StringLit {
			if p.tok.Kind == Word && strings.EqualFold(p.tok.Text, "ARTIFACT") {
				p.refuse(p.tok.Span, "USING ARTIFACT is not supported").Hint("this program loads no artifacts; functions in Go are registered through the SDK")
			}
			p.expect("JAR")
			return p.str("the path in quotes")
		})
	}
	f.Options = p.withOptions()
	f.Place = p.place(start)
	return f
}

// language reads LANGUAGE word if it comes next.
func (p *parser) language() string {
	if !p.accept("LANGUAGE") {
		return ""
	}
	if p.tok.Kind != Word {
		p.fail("a language such as JAVA or PYTHON")
	}
	return strings.ToUpper(p.anyWord())
}

// drop reads DROP ….
func (p *parser) drop(start diag.Span) ast.Statement {
	p.expect("DROP")
	d := &ast.Drop{Temporary: p.accept("TEMPORARY")}
	if d.Temporary {
		d.System = p.accept("SYSTEM")
	}
	p.refuseObject("DROP")
	if p.foreign(foreignObjects, "DROP") {
		return d
	}
	d.Kind = p.expectAny("TABLE", "VIEW", "FUNCTION", "DATABASE", "CATALOG")
	if d.System && d.Kind != "FUNCTION" || d.Temporary && (d.Kind == "DATABASE" || d.Kind == "CATALOG") {
		p.failWith(diag.At(start.To(p.prev), diag.Syntax, "there are no temporary objects of this kind"))
	}
	d.IfExists = p.ifExists()
	d.Name = p.tableName("a name")
	if d.Kind == "DATABASE" {
		d.Cascade = p.acceptAny("CASCADE", "RESTRICT") == "CASCADE"
	}
	d.Place = p.place(start)
	return d
}
