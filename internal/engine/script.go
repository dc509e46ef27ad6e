package engine

import (
	"context"
	"errors"
	"slices"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/internal/compile"
	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/sql"
	"github.com/runnelio/runnel/internal/sql/ast"
	"github.com/runnelio/runnel/vector"
)

// Steps is what a script asks for, in order. INSERTs that follow one another are
// one job with one scan of what they share, unless table.dml-sync is set: then
// each is a job of its own that the next statement waits for.
type Steps struct {
	// Statement is called with the answer of a statement that is no job.
	Statement func(stmt ast.Statement, r *compile.Result) error
	// Query runs a SELECT: its rows go to the sink that Collect gave.
	Query func(stmt ast.Statement, j *compile.Job) error
	// Collect makes the sink for the rows of the next SELECT.
	Collect func() connector.Sink
	// Insert runs a job of INSERTs. At the end of the script, or before the next
	// statement if wait is set, it must have ended.
	Insert func(j *compile.Job, wait bool) error
}

// Script parses and carries out the statements of a text. Errors have the text
// attached. A statement that fails ends the script; those before it are done.
func Script(ctx context.Context, s *compile.Session, text, jobName string, steps Steps) error {
	s.Text = text
	stmts, err := sql.Parse(text, sql.Options{Dialect: s.Settings.Get("sql.dialect")})
	if err != nil { // what could be read is checked too, and nothing is run
		return checked(ctx, s, refused{err}, true, stmts, text)
	}
	var group []*ast.Insert
	flush := func() error {
		if len(group) == 0 {
			return nil
		}
		set := &ast.StatementSet{Place: group[0].Place, Inserts: group}
		group = nil
		return insert(ctx, s, set, jobName, steps)
	}
	for i, stmt := range stmts {
		if x, ok := stmt.(*ast.Insert); ok {
			group = append(group, x)
			if s.Settings.Get("table.dml-sync") != "true" {
				continue
			}
			if err := flush(); err != nil {
				return checked(ctx, s, err, false, stmts[i+1:], text)
			}
			continue
		}
		if err := flush(); err != nil {
			return checked(ctx, s, err, false, stmts[i:], text)
		}
		if err := one(ctx, s, stmt, jobName, steps); err != nil {
			return checked(ctx, s, err, defines(stmt), stmts[i+1:], text)
		}
	}
	return checked(ctx, s, flush(), false, nil, text)
}

// refused is an error of a statement that was not run.
type refused struct{ error }

func (r refused) Unwrap() error { return r.error }

// checked adds to the error of a statement that was refused those of the
// statements behind it: definitions take effect in the session, nothing is run.
// Where a definition is missing, what looks for it in vain is not told again.
func checked(ctx context.Context, s *compile.Session, err error, missing bool, rest []ast.Statement, text string) error {
	var r refused
	var l diag.List
	if err == nil || !errors.As(err, &r) {
		return diag.WithSource(err, text)
	}
	l.Add(r.error)
	for _, stmt := range rest {
		if len(l) >= diag.MaxErrors {
			break
		}
		_, err := s.Execute(ctx, stmt, nothing{})
		var d *diag.Error
		if errors.As(err, &d) && !(missing && diag.CodeOf(err) == diag.UnknownTable) {
			var more diag.List
			more.Add(err)
			for _, e := range more { // two statements may meet the same mistake of a definition
				if !slices.ContainsFunc(l, func(o *diag.Error) bool { return o.Span == e.Span && o.Message == e.Message }) {
					l = append(l, e)
				}
			}
		}
		missing = missing || err != nil && defines(stmt)
	}
	return diag.WithSource(l.Err(), text)
}

// defines tells whether later statements may look for what a statement makes.
func defines(stmt ast.Statement) bool {
	switch stmt.(type) {
	case *ast.CreateTable, *ast.CreateView:
		return true
	}
	return false
}

// nothing is the sink of a query that is checked only.
type nothing struct{}

func (nothing) Write(context.Context, *vector.Batch) error { return nil }
func (nothing) Close(context.Context) error                { return nil }

func one(ctx context.Context, s *compile.Session, stmt ast.Statement, jobName string, steps Steps) error {
	if x, ok := stmt.(*ast.StatementSet); ok {
		return insert(ctx, s, x, jobName, steps)
	}
	var collect connector.Sink
	if _, ok := stmt.(*ast.QueryStatement); ok {
		collect = steps.Collect()
	}
	r, err := s.Execute(ctx, stmt, collect)
	if err != nil {
		return refused{err}
	}
	switch {
	case r.Job != nil && collect != nil:
		return steps.Query(stmt, r.Job)
	case r.Job != nil: // CREATE TABLE … AS
		return steps.Insert(r.Job, s.Settings.Get("table.dml-sync") == "true")
	}
	return steps.Statement(stmt, r)
}

func insert(ctx context.Context, s *compile.Session, set *ast.StatementSet, jobName string, steps Steps) error {
	r, err := s.Execute(ctx, set, nil)
	if err != nil {
		return refused{err}
	}
	if s.Settings.Get("pipeline.name") == "" && jobName != "" {
		r.Job.Name = jobName
	}
	return steps.Insert(r.Job, s.Settings.Get("table.dml-sync") == "true")
}
