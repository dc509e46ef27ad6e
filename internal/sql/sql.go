// Package sql is the front end of Runnel's SQL: lexer, parser, printer. It
// knows the grammar of Flink SQL and the dialect of rsqldb, and nothing of
// catalogs and types of columns; the tree is in package ast.
//
// lexer.go and literal.go cut the text, keyword.go has the words, parser.go the
// state of a parse, errors.go its errors; statement*.go, ddl*.go, query.go,
// from.go, match.go, expr*.go, call*.go and type.go the rules of the grammar;
// print*.go writes trees back, script.go knows statements of a text.
package sql

import (
	"strings"

	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/sql/ast"
)

// Options say how to read a text.
type Options struct {
	// Dialect is "", "flink" or "default" for Flink SQL, or "rsqldb". SET 'sql.dialect' =
	// '…' in a text switches for what follows.
	Dialect string
}

// Parse reads a script: statements with semicolons between them. The error is a
// diag.List, or the only *diag.Error, with the source attached; after an error
// the parser goes on behind the next semicolon, and what it could read is
// returned beside the error.
func Parse(src string, opts Options) ([]ast.Statement, error) {
	if err := check(src, opts); err != nil {
		return nil, err
	}
	p := newParser(src, opts)
	var out []ast.Statement
	for len(p.errs) < diag.MaxErrors {
		for p.acceptOp(";") {
		}
		if p.tok.Kind == EOF {
			break
		}
		stmt := p.terminated()
		if p.failed {
			p.recover()
			continue
		}
		out = append(out, stmt)
	}
	return out, p.errs.Err()
}

// terminated reads a statement and the semicolon behind it, which only the last
// one may lack.
func (p *parser) terminated() ast.Statement {
	p.depth, p.params, p.alias = 0, 0, nil
	stmt := p.statement()
	if p.tok.Kind != EOF && !p.atOp(";") {
		p.atEnd = true
		p.fail("the end of the statement")
		p.atEnd = false
	}
	if set, ok := stmt.(*ast.Set); ok && set.Key != nil && !p.failed && strings.EqualFold(set.Key.Value, "sql.dialect") {
		if !knownDialect(set.Value.Value) {
			p.failWith(badDialect(set.Value.Span, set.Value.Value))
			return stmt
		}
		p.setDialect(set.Value.Value)
	}
	return stmt
}

// ParseExpr reads one scalar expression, as a condition of a filter or an
// argument of the command line.
func ParseExpr(src string, opts Options) (ast.Expr, error) {
	if err := check(src, opts); err != nil {
		return nil, err
	}
	p := newParser(src, opts)
	x := p.expr()
	if p.tok.Kind != EOF {
		p.fail("the end of the expression")
	}
	return x, p.errs.Err()
}

// ParseQuery reads one query.
func ParseQuery(src string, opts Options) (ast.Query, error) {
	if err := check(src, opts); err != nil {
		return nil, err
	}
	p := newParser(src, opts)
	q := p.query()
	p.acceptOp(";")
	if p.tok.Kind != EOF {
		p.fail("the end of the query")
	}
	return q, p.errs.Err()
}

// check refuses a dialect that does not exist and a text whose offsets diag.Span
// cannot hold.
func check(src string, opts Options) error {
	if d := opts.Dialect; d != "" && !knownDialect(d) {
		return badDialect(diag.Span{}, d)
	}
	if len(src) > 1<<30 {
		return diag.At(diag.Span{}, diag.Limit, "a text of %d bytes; at most %d are read", len(src), 1<<30)
	}
	return nil
}

func knownDialect(name string) bool {
	return strings.EqualFold(name, "rsqldb") || strings.EqualFold(name, "flink") || strings.EqualFold(name, "default")
}

func badDialect(at diag.Span, name string) *diag.Error {
	return diag.At(at, diag.BadValue, "there is no dialect %q", name).Hint("dialects are flink and rsqldb")
}
