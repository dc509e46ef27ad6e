package sql

import (
	"strings"

	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/sql/ast"
)

// statementWords are the words that statements start with, for hints.
var statementWords = []string{
	"SELECT", "WITH", "VALUES", "TABLE", "INSERT", "CREATE", "ALTER", "DROP", "EXECUTE", "BEGIN", "STATEMENT", "EXPLAIN", "SHOW",
	"DESCRIBE", "DESC", "USE", "LOAD", "UNLOAD", "SET", "RESET", "ADD", "REMOVE", "ANALYZE", "TRUNCATE", "UPDATE", "DELETE", "CALL",
	"STOP", "QUIT", "EXIT", "CLEAR", "HELP",
}

// statement reads one statement without its semicolon.
func (p *parser) statement() ast.Statement {
	start := p.tok.Span
	switch word := p.tok.Keyword; word {
	case "SELECT", "WITH", "VALUES", "TABLE":
		return p.queryStatement()
	case "INSERT":
		return p.insert()
	case "CREATE":
		return p.create(start)
	case "ALTER":
		return p.alter(start)
	case "DROP":
		return p.drop(start)
	case "EXECUTE", "BEGIN", "STATEMENT", "COMPILE":
		return p.statementSet()
	case "EXPLAIN":
		return p.explain(start)
	case "SHOW":
		return p.show(start)
	case "DESCRIBE", "DESC":
		return p.describe(start)
	case "UPDATE":
		return p.update(start)
	case "DELETE":
		return p.deleteFrom(start)
	case "ANALYZE":
		return p.analyze(start)
	case "QUIT", "EXIT", "CLEAR", "HELP":
		p.advance()
		return &ast.Command{Place: p.place(start), Word: word}
	case "REPLACE":
		if p.peek(1).Keyword == "TABLE" {
			p.advance()
			p.advance()
			t := p.createTable(start, true, false)
			if c, ok := t.(*ast.CreateTable); ok {
				c.MustExist = true
			}
			return t
		}
		p.refuse(start, "REPLACE is not supported").Hint("INSERT INTO a table with a primary key updates its rows")
		return &ast.Reset{}
	case "MERGE", "UPSERT":
		p.refuse(start, "%s is not supported", word).Hint("INSERT INTO a table with a primary key updates its rows")
		return &ast.Reset{}
	default:
		return p.sessionStatement(start)
	}
}

// sessionStatement reads the statements that change the session.
func (p *parser) sessionStatement(start diag.Span) ast.Statement {
	switch p.tok.Keyword {
	case "USE":
		return p.use(start)
	case "SET":
		return p.set(start)
	case "RESET":
		p.advance()
		r := &ast.Reset{}
		if p.tok.Kind != EOF && !p.atOp(";") {
			r.Key = p.settingKey()
		}
		r.Place = p.place(start)
		return r
	case "LOAD":
		p.advance()
		if p.tok.Kind == Word && strings.EqualFold(p.tok.Text, "DATA") {
			p.refuse(start, "LOAD DATA is not supported").Hint("CREATE TABLE over the files and INSERT INTO another from it")
		}
		p.expect("MODULE")
		m := &ast.LoadModule{Name: p.ident("the name of a module"), Options: p.withOptions()}
		m.Place = p.place(start)
		return m
	case "UNLOAD":
		p.advance()
		p.expect("MODULE")
		name := p.ident("the name of a module")
		return &ast.UnloadModule{Place: p.place(start), Name: name}
	case "ADD", "REMOVE":
		remove := p.tok.Keyword == "REMOVE"
		p.advance()
		p.expect("JAR")
		path := p.str("the path in quotes")
		return &ast.Jar{Place: p.place(start), Remove: remove, Path: path}
	case "TRUNCATE":
		p.advance()
		p.expect("TABLE")
		name := p.tableName("the name of a table")
		return &ast.Truncate{Place: p.place(start), Name: name}
	case "CALL":
		p.advance()
		name := p.name("the name of a procedure")
		if !p.atOp("(") {
			p.fail("'(' and the arguments")
		}
		c := p.tableCall(p.call(name))
		return &ast.CallProcedure{Place: p.place(start), Call: c}
	case "STOP":
		return p.stopJob(start)
	}
	if p.atOp("(") {
		return p.queryStatement()
	}
	if p.foreign(foreignStatements, "") {
		return &ast.Reset{}
	}
	p.note(statementWords...)
	p.fail("a statement")
	return &ast.Reset{}
}

func (p *parser) queryStatement() ast.Statement {
	start := p.tok.Span
	q := &ast.QueryStatement{Query: p.query()}
	q.Emit = p.emit()
	q.Place = p.place(start)
	return q
}

// insert reads INSERT INTO|OVERWRITE ….
func (p *parser) insert() *ast.Insert {
	start := p.tok.Span
	p.expect("INSERT")
	n := &ast.Insert{Overwrite: p.expectAny("INTO", "OVERWRITE") == "OVERWRITE"}
	p.accept("TABLE")
	if p.tok.Kind == Word && strings.EqualFold(p.tok.Text, "DIRECTORY") && p.peek(1).Kind == String {
		p.refuse(p.tok.Span, "INSERT into a DIRECTORY is not supported").Hint("CREATE TABLE … WITH ('connector' = 'filesystem', 'path' = '…') and INSERT into that")
	}
	n.Table = p.tableName("the name of a table")
	n.Hints = p.hints()
	if p.at("PARTITION") {
		n.Partition = p.partition()
	}
	if p.atOp("(") && !p.parenIsQuery() {
		n.Columns = p.idents("a column")
	}
	n.Query = p.query()
	n.Emit = p.emit()
	if p.at("ON") {
		p.refuse(p.tok.Span, "ON CONFLICT is not supported").Hint("a table with a primary key takes the last row of a key")
	}
	n.Place = p.place(start)
	return n
}

// parenIsQuery tells whether a query, not a column list, stands in the parenthesis.
func (p *parser) parenIsQuery() bool {
	t := p.peek(1)
	switch t.Keyword {
	case "SELECT", "WITH", "VALUES", "TABLE":
		return true
	}
	return t.Kind == Op && t.Text == "("
}

// statementSet reads EXECUTE …, BEGIN … and STATEMENT SET ….
func (p *parser) statementSet() ast.Statement {
	start := p.tok.Span
	switch {
	case p.at("COMPILE"), p.at("EXECUTE") && p.peek(1).Keyword == "PLAN":
		p.skipStatement()
		p.refuse(start, "compiled plans are not supported").Hint("run the statement; a job keeps its state over restarts by savepoints")
		return &ast.Reset{}
	case p.accept("EXECUTE"):
		if !p.at("STATEMENT") {
			if p.at("INSERT") {
				return p.insert()
			}
			if p.atQuery() {
				return p.queryStatement()
			}
			p.at("INSERT")
			p.fail("STATEMENT SET, INSERT or a query")
		}
		p.expect("STATEMENT", "SET", "BEGIN")
	case p.at("BEGIN") && p.peek(1).Keyword != "STATEMENT":
		p.refuse(start, "there are no transactions").Hint("BEGIN STATEMENT SET makes one job of several INSERTs")
		return &ast.Reset{}
	case p.accept("BEGIN"):
		p.expect("STATEMENT", "SET")
		p.expectOp(";")
	default:
		p.expect("STATEMENT", "SET", "BEGIN")
	}
	set := &ast.StatementSet{}
	for !p.failed && !p.at("END") {
		if p.at("INSERT") {
			set.Inserts = append(set.Inserts, p.insert())
			if !p.acceptOp(";") {
				p.fail("';' behind the statement")
			}
		} else {
			p.fail("INSERT or END in the statement set")
		}
		if p.failed {
			p.recoverInSet()
		}
	}
	if len(set.Inserts) == 0 {
		p.fail("INSERT in the statement set")
	}
	p.expect("END")
	set.Place = p.place(start)
	return set
}

// skipStatement goes to the end of a statement that is refused as a whole, a
// statement set with all of its own.
func (p *parser) skipStatement() {
	for set := false; p.tok.Kind != EOF && (set || !p.atOp(";")); p.advance() {
		if set = set || p.at("BEGIN") && p.prev.Start > 0; set && p.at("END") {
			p.advance()
			return
		}
	}
}

// recoverInSet goes on behind the faulty statement of a statement set, so that
// END does not become another error.
func (p *parser) recoverInSet() {
	depth := p.depth
	if len(p.errs) >= diag.MaxErrors {
		return
	}
	p.recover()
	p.depth = depth
	if !p.acceptOp(";") {
		p.failed = true // no END will come: the error is said already
		p.resume = p.tok
	}
}

// explain reads EXPLAIN [details | PLAN FOR] statement.
func (p *parser) explain(start diag.Span) ast.Statement {
	p.expect("EXPLAIN")
	e := &ast.Explain{}
	if p.at("ANALYZE") {
		p.refuse(p.tok.Span, "EXPLAIN ANALYZE is not supported").Hint("run the statement; its metrics tell what each operator did")
	}
	if p.accept("PLAN") {
		p.expect("FOR")
	} else {
		for p.atAny("ESTIMATED_COST", "CHANGELOG_MODE", "JSON_EXECUTION_PLAN", "PLAN_ADVICE") {
			e.Details = append(e.Details, p.tok.Keyword)
			p.advance()
			if !p.acceptOp(",") {
				break
			}
		}
	}
	switch {
	case p.at("INSERT"):
		e.Statement = p.insert()
	case p.atAny("STATEMENT", "EXECUTE", "BEGIN"):
		e.Statement = p.statementSet()
	case p.at("CREATE"):
		e.Statement = p.create(p.tok.Span)
		if c, ok := e.Statement.(*ast.CreateTable); (!ok || c.As == nil) && !p.failed {
			p.failWith(diag.At(e.Statement.Pos(), diag.Syntax, "only CREATE TABLE … AS query has a plan"))
		}
	case p.at("UPDATE"):
		e.Statement = p.update(p.tok.Span)
	case p.at("DELETE"):
		e.Statement = p.deleteFrom(p.tok.Span)
	case p.atQuery() || p.atOp("("):
		e.Statement = p.queryStatement()
	default:
		p.note("SELECT", "WITH", "VALUES")
		p.fail("a query, INSERT, STATEMENT SET or a detail such as CHANGELOG_MODE")
		e.Statement = &ast.Reset{}
	}
	e.Place = p.place(start)
	return e
}

// set reads SET ['key' = 'value']; without quotes too.
func (p *parser) set(start diag.Span) ast.Statement {
	p.advance()
	s := &ast.Set{}
	if p.tok.Kind != EOF && !p.atOp(";") {
		s.Key = p.settingKey()
		p.expectOp("=")
		s.Value = p.settingValue()
	}
	s.Place = p.place(start)
	return s
}

// settingKey reads the key of a setting: 'a.b-c', or a.b-c without quotes.
func (p *parser) settingKey() *ast.StringLit {
	start := p.tok.Span
	if p.tok.Kind == String {
		return p.stringLit()
	}
	var b strings.Builder
	b.WriteString(p.anyWord())
	for !p.failed && (p.atOp(".") || p.atOp("-")) {
		b.WriteString(p.tok.Text)
		p.advance()
		b.WriteString(p.anyWord())
	}
	return &ast.StringLit{Place: p.place(start), Value: b.String()}
}

// settingValue reads a string, number or words up to the end of the statement.
func (p *parser) settingValue() *ast.StringLit {
	if p.tok.Kind == String {
		return p.stringLit()
	}
	start := p.tok.Span
	for !p.failed && p.tok.Kind != EOF && !p.atOp(";") {
		if p.tok.Kind == Broken {
			p.fail("a value in quotes")
			break
		}
		p.advance()
	}
	if p.prev.End <= start.Start {
		p.fail("a value in quotes")
		return &ast.StringLit{}
	}
	s := &ast.StringLit{Place: p.place(start)}
	s.Value = p.src[s.Span.Start:s.Span.End]
	return s
}

func (p *parser) use(start diag.Span) ast.Statement {
	p.advance()
	u := &ast.Use{Kind: "DATABASE"}
	switch {
	case p.at("CATALOG") && isName(p.peek(1)):
		p.advance()
		u.Kind = "CATALOG"
		id := p.ident("the name of a catalog")
		u.Names = []*ast.Name{{Place: id.Place, Parts: []*ast.Ident{id}}}
	case p.accept("MODULES"):
		u.Kind = "MODULES"
		u.Names = list(p, func() *ast.Name {
			id := p.ident("the name of a module")
			return &ast.Name{Place: id.Place, Parts: []*ast.Ident{id}}
		})
	default:
		u.Names = []*ast.Name{p.tableName("CATALOG, MODULES or the name of a database")}
	}
	u.Place = p.place(start)
	return u
}

func (p *parser) stopJob(start diag.Span) ast.Statement {
	p.advance()
	p.expect("JOB")
	s := &ast.StopJob{ID: p.str("the job's id in quotes")}
	for p.accept("WITH") {
		if p.expectAny("SAVEPOINT", "DRAIN") == "SAVEPOINT" {
			s.Savepoint = true
		} else {
			s.Drain = true
		}
	}
	s.Place = p.place(start)
	return s
}

func (p *parser) update(start diag.Span) ast.Statement {
	p.expect("UPDATE")
	u := &ast.Update{Table: p.tableName("the name of a table")}
	u.Alias = p.itemAlias()
	p.expect("SET")
	u.Set = list(p, func() *ast.Assign {
		at := p.tok.Span
		a := &ast.Assign{Column: p.ident("a column")}
		p.expectOp("=")
		a.X = p.expr()
		a.Place = p.place(at)
		return a
	})
	if p.accept("WHERE") {
		u.Where = p.expr()
	}
	u.Place = p.place(start)
	return u
}

func (p *parser) deleteFrom(start diag.Span) ast.Statement {
	p.expect("DELETE", "FROM")
	d := &ast.Delete{Table: p.tableName("the name of a table")}
	d.Alias = p.itemAlias()
	if p.accept("WHERE") {
		d.Where = p.expr()
	}
	d.Place = p.place(start)
	return d
}

func (p *parser) analyze(start diag.Span) ast.Statement {
	p.advance()
	p.expect("TABLE")
	a := &ast.Analyze{Name: p.tableName("the name of a table")}
	if p.at("PARTITION") {
		a.Partition = p.partition()
	}
	p.expect("COMPUTE", "STATISTICS")
	if p.accept("FOR") {
		if p.accept("ALL") {
			p.expect("COLUMNS")
			a.AllColumns = true
		} else {
			p.expect("COLUMNS")
			a.Columns = list(p, func() *ast.Ident { return p.ident("a column") })
		}
	}
	a.Place = p.place(start)
	return a
}
