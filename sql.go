package runnel

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/internal/compile"
	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/internal/sql"
	"github.com/runnelio/runnel/internal/sql/ast"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// SQLResult is the answer to a statement.
type SQLResult struct {
	ctx    context.Context
	env    *Env
	schema *types.Schema
	rows   [][]types.Value // of SHOW, DESCRIBE, EXPLAIN
	query  *compile.Job    // a query that runs when its rows are asked for
	sink   *rowSink
	run    *Run
	// Warnings is what was accepted but has no effect.
	Warnings []string
}

// Job returns the running job of an INSERT, nil for other statements.
func (r *SQLResult) Job() *Run { return r.run }

// Columns returns the columns of the rows, nil if the statement gives none.
func (r *SQLResult) Columns() []types.Field {
	if r.schema == nil {
		return nil
	}
	return r.schema.Fields
}

// ExecuteSQL carries out a statement. An INSERT, or a statement set, is started
// as a job, which SQLResult.Job returns and ctx ends; the job of a query runs
// while its rows are read (RowsOf). SET, CREATE and the like hold for the whole
// environment. Parameters ? are for queries and INSERTs.
func (e *Env) ExecuteSQL(ctx context.Context, text string, args ...any) (*SQLResult, error) {
	e.mu.Lock()
	stmts, err := sql.Parse(text, sql.Options{Dialect: e.session.Settings.Get("sql.dialect")})
	e.mu.Unlock()
	if err != nil {
		return nil, err
	}
	if len(stmts) != 1 {
		return nil, fmt.Errorf("ExecuteSQL takes one statement, not %d; ExecuteScript takes several", len(stmts))
	}
	r, err := e.execute(ctx, stmts[0], text, args)
	return r, diag.WithSource(err, text)
}

// ExecuteScript carries out statements one after the other and returns the jobs
// of its INSERTs, which run on: each INSERT is a job, a statement set is one. The
// rows of queries are not read. After an error
// the jobs already started run on too.
func (e *Env) ExecuteScript(ctx context.Context, text string) (Runs, error) {
	var runs Runs
	stmts, err := sql.Parse(text, sql.Options{})
	if err != nil {
		return nil, err
	}
	for _, s := range stmts {
		r, err := e.execute(ctx, s, text, nil)
		if err != nil {
			return runs, diag.WithSource(err, text)
		}
		if r.run != nil {
			runs = append(runs, r.run)
		}
	}
	return runs, nil
}

func (e *Env) execute(ctx context.Context, stmt ast.Statement, text string, args []any) (*SQLResult, error) {
	r := &SQLResult{ctx: ctx, env: e}
	job, err := e.compileStatement(r, stmt, args)
	if err != nil || job == nil {
		return r, err
	}
	if _, ok := stmt.(*ast.QueryStatement); ok {
		r.query, r.schema = job, job.Schema
		return r, nil
	}
	r.run, err = e.run(ctx, version{job, e.engine})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// compileStatement carries out what is no job, and compiles what is.
func (e *Env) compileStatement(r *SQLResult, stmt ast.Statement, args []any) (*compile.Job, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r.sink = newRowSink()
	switch stmt.(type) {
	case *ast.QueryStatement, *ast.Insert, *ast.StatementSet:
		if len(args) == 0 {
			break
		}
		roots, err := e.withParams(stmt, r.sink, args)
		if err != nil {
			return nil, err
		}
		return e.planned(roots)
	default:
		if len(args) > 0 {
			return nil, errors.New("parameters are for queries and INSERTs")
		}
	}
	switch stmt.(type) {
	case *ast.QueryStatement, *ast.Insert, *ast.StatementSet:
		roots, err := e.session.Logical(stmt, r.sink)
		if err != nil {
			return nil, err
		}
		if !hasGo(roots) { // the session's own way: it knows EMIT
			res, err := e.session.Execute(r.ctx, stmt, r.sink)
			if err != nil {
				return nil, err
			}
			r.Warnings = res.Warnings
			if res.Job != nil {
				res.Job.Plan.Options.Metadata = e.asksRows
			}
			return res.Job, nil
		}
		return e.planned(roots)
	}
	res, err := e.session.Execute(r.ctx, stmt, r.sink)
	if err != nil {
		return nil, err
	}
	r.schema, r.rows, r.Warnings = res.Schema, res.Rows, res.Warnings
	return res.Job, nil // CREATE TABLE … AS
}

// hasGo tells whether plans have Go operators, of views that As made.
func hasGo(nodes []plan.Node) bool {
	for _, n := range nodes {
		if _, ok := n.(*plan.Opaque); ok || hasGo(n.Inputs()) {
			return true
		}
	}
	return false
}

func (e *Env) planned(roots []plan.Node) (*compile.Job, error) {
	name := e.session.Settings.Get("pipeline.name")
	if name == "" {
		name = "collect"
		for _, r := range roots {
			if k, ok := r.(*plan.Sink); ok && k.Table != nil {
				name = "insert-into_" + k.Table.Path
			}
		}
	}
	j, err := planJob(e.session, name, roots, "", e.asksRows || hasGo(roots))
	if err != nil {
		return nil, err
	}
	if k, ok := roots[0].(*plan.Sink); ok && k.Table == nil {
		j.Schema = k.Input.Schema()
	}
	return j, nil
}

// withParams binds a query or INSERT with parameters.
func (e *Env) withParams(stmt ast.Statement, collect connector.Sink, args []any) ([]plan.Node, error) {
	o, err := bindOptions(e.session, nil, args)
	if err != nil {
		return nil, err
	}
	switch x := stmt.(type) {
	case *ast.QueryStatement:
		n, err := bindQuery(o, x.Query)
		if err != nil {
			return nil, err
		}
		return []plan.Node{&plan.Sink{Input: n, Name: "collect", Collect: collect}}, nil
	case *ast.Insert:
		return bindInserts(o, []*ast.Insert{x})
	}
	return nil, errors.New("a statement set takes no parameters")
}

// SQL is a query as a stream of a job of its own; see Job.SQL.
func (e *Env) SQL(query string, args ...any) *DataStream {
	return e.Job(fmt.Sprintf("sql-%d", e.number())).SQL(query, args...)
}

// SQL is a query over the environment's tables and views as a stream. A ? in it
// is the next of args.
func (j *Job) SQL(query string, args ...any) *DataStream {
	if j.err != nil {
		return j.broken()
	}
	n, err := j.query(strings.TrimSpace(query), nil, args)
	if err != nil {
		j.fail("SQL", err)
		return j.broken()
	}
	return &DataStream{j, n}
}

// Rows runs the query and yields its rows as they come; see RowsOf.
func (r *SQLResult) Rows() iter.Seq2[Row, error] { return RowsOf[Row](r) }

// RowsOf runs a query and yields its rows as they come: every change, with its
// kind in a field of type Kind, if T has one. It ends with the query's inputs, an
// error (which is yielded), the end of ctx, or the loop, which stops the job. A
// query runs once.
func RowsOf[T any](r *SQLResult) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		if err := rowsOf(r, yield); err != nil {
			var zero T
			yield(zero, err)
		}
	}
}

// errBroken ends a query whose loop was left.
var errBroken = errors.New("the rows are read no more")

func rowsOf[T any](r *SQLResult, yield func(T, error) bool) error {
	if r.schema == nil {
		return errors.New("the statement gives no rows")
	}
	sel, err := selector[T](r.schema)
	if err != nil {
		return err
	}
	if r.query == nil {
		b := vector.NewBatch(r.schema, len(r.rows))
		for _, row := range r.rows {
			b.AppendValues(types.Insert, row...)
		}
		_, err := sel.each(b, yield)
		return err
	}
	q := r.query
	r.query = nil
	r.rows = nil
	ctx, cancel := context.WithCancelCause(r.ctx)
	defer cancel(nil)
	run, err := r.env.engine.Start(ctx, q)
	if err != nil {
		return err
	}
	defer func() {
		cancel(errBroken)
		run.Cancel()
		_ = run.Wait() // the error, if it is one, was yielded
	}()
	for {
		select {
		case b := <-r.sink.full:
			more, err := sel.each(b, yield)
			if err != nil || !more {
				return err
			}
			select {
			case r.sink.empty <- b:
			default:
			}
		case <-run.Done():
			for {
				select {
				case b := <-r.sink.full:
					if more, err := sel.each(b, yield); err != nil || !more {
						return err
					}
				default:
					return run.Wait()
				}
			}
		}
	}
}

// resultReader reads T of the rows of a result, whose columns must be as T has them.
type resultReader[T any] struct{ reader *reader[T] }

func selector[T any](s *types.Schema) (*resultReader[T], error) {
	if err := fits[T](s); err != nil {
		return nil, err
	}
	r, err := newReader[T](s)
	return &resultReader[T]{r}, err
}

func (r *resultReader[T]) each(b *vector.Batch, yield func(T, error) bool) (bool, error) {
	r.reader.bind(b)
	defer r.reader.release()
	for i := range b.N {
		if !yield(r.reader.at(i), nil) {
			return false, nil
		}
	}
	return true, nil
}

// rowSink hands batches from a job to the loop that reads them.
type rowSink struct {
	full, empty chan *vector.Batch
}

// ahead is how many batches a query may be ahead of the loop.
const ahead = 2

func newRowSink() *rowSink {
	return &rowSink{full: make(chan *vector.Batch, ahead), empty: make(chan *vector.Batch, ahead+1)}
}

// Write implements connector.Sink.
func (s *rowSink) Write(ctx context.Context, b *vector.Batch) error {
	var own *vector.Batch
	select {
	case own = <-s.empty:
		own.Reset()
	default:
		own = vector.NewBatch(b.Schema, b.Live())
	}
	b.CopyTo(own, nil)
	select {
	case s.full <- own:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Changelog implements connector.Upserter: rows come with their kinds.
func (s *rowSink) Changelog() connector.Changelog { return connector.Retract }

// Close implements connector.Sink.
func (s *rowSink) Close(context.Context) error { return nil }
