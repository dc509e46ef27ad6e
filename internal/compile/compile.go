// Package compile is the way of a statement: parse, bind, optimise, make
// physical. Definitions change the catalog, questions about it are answered with
// a small table, queries and INSERTs become jobs for the caller to run.
//
// compile.go has the session and the way of a query, options.go the keys of SET,
// statement.go statements that are no queries, show.go SHOW and DESCRIBE,
// explain.go EXPLAIN, value.go single expressions.
package compile

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/internal/bind"
	"github.com/runnelio/runnel/internal/catalog"
	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/optimize"
	"github.com/runnelio/runnel/internal/physical"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/internal/sql/ast"
	"github.com/runnelio/runnel/types"
)

// Options is what a session is made of.
type Options struct {
	Connectors connector.Set
	Formats    format.Set
	Functions  *function.Set
	// Rsqldb are the functions of statements in the rsqldb dialect; nil: Functions.
	Rsqldb *function.Set
	// Now is the clock; nil: time.Now.
	Now func() time.Time
	Log *slog.Logger
	// Dir is the folder that paths of tables are relative to; "": the working directory.
	Dir string
	// Settings are set from the start, as SET would.
	Settings map[string]string
	// Load finds the implementation of CREATE FUNCTION; nil: there is none, and
	// such a function can be created but not used.
	Load func(f *ast.CreateFunction) ([]function.Def, error)
	// DescribeRules tells, for EXPLAIN, how the rules of a node are indexed; nil: it is not told.
	DescribeRules func(r *plan.Rules, cx *function.Context) (string, error)
}

// Session is a catalog, options, and what they were made of. It belongs to one
// goroutine at a time.
type Session struct {
	Catalog   *catalog.Root
	Settings  Settings
	Functions *function.Set
	opts      Options
	rsqldbSet dialectSet
	// Tables are tables of the host that queries find by name; see bind.Options.
	Tables map[string]plan.Node
	// Text is what the statements come from, for errors about definitions in the
	// same text; "" if nobody knows.
	Text string
	// modules that are loaded, in order.
	modules []string
	// warnings of the statement under way.
	warnings []string
}

// New returns a session. It fails on settings that do not exist.
func New(o Options) (*Session, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Session{Catalog: catalog.New(), Settings: Settings{}, Functions: o.Functions, opts: o, Tables: map[string]plan.Node{}, modules: []string{"core"}}
	for k, v := range o.Settings {
		if _, err := s.Settings.Set(k, v, diag.Span{}); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Result is what a statement gives: rows (Schema is set), a job to run, or
// nothing but success.
type Result struct {
	Schema *types.Schema
	Rows   [][]types.Value
	// Text tells that Rows is one text to be shown as it is (EXPLAIN, SHOW CREATE).
	Text bool
	// Job is a query or INSERT, ready to run.
	Job      *Job
	Warnings []string
}

// Job is a plan with what its runner needs to know.
type Job struct {
	Name string
	Plan *physical.Plan
	// Schema is of the rows a query collects; nil if all goes to tables.
	Schema *types.Schema
	// Order is the query's ORDER BY over columns of Schema, as far as they show it.
	// In streaming mode rows come in the order they change all the same.
	Order []plan.SortKey
	// Func is the context of its functions: the session's zone when it was made.
	Func *function.Context
	// Tables are the paths of the tables that are written.
	Tables []string
	// Checkpoint is the time between checkpoints, 0: none.
	Checkpoint time.Duration
	// Dir is where checkpoints go; "" if nothing was said.
	Dir string
	// Share tells that the job reads together with others, MaxLag how many bytes it
	// may be behind them.
	Share  bool
	MaxLag int64
}

// Func returns a context for functions with the session's present settings.
func (s *Session) Func() *function.Context {
	z, err := zone(s.Settings.Get("table.local-time-zone"))
	if err != nil {
		z = time.UTC
	}
	c, d := s.Catalog.Current()
	return &function.Context{Zone: z, Now: s.opts.Now, Query: s.opts.Now(), Log: s.opts.Log,
		Params: map[string]string{paramCatalog: c, paramDatabase: d}}
}

// Bind returns the binder's options, for hosts that bind expressions of their own.
func (s *Session) Bind() *bind.Options {
	return &bind.Options{Text: s.Text, Catalog: s.Catalog, Functions: s.functions(), Connectors: s.opts.Connectors, Formats: s.opts.Formats,
		Func: s.Func(), Batch: s.Settings.batch(), Tables: s.Tables, Duplicates: s.Settings.Bool("table.exec.source.cdc-events-duplicate"),
		LateSink:  s.Settings.Get("late-rows.sink"),
		DropNulls: strings.EqualFold(s.Settings.Get("table.exec.sink.not-null-enforcer"), "drop"),
		Warn:      func(_ diag.Span, text string) { s.warnings = append(s.warnings, text) }}
}

// Execute carries a statement out, or makes a job of it. The rows of a query go to collect.
func (s *Session) Execute(ctx context.Context, stmt ast.Statement, collect connector.Sink) (*Result, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.warnings = nil
	r, err := s.execute(ctx, stmt, collect)
	if err != nil {
		return nil, placed(err, stmt)
	}
	r.Warnings = append(s.warnings, r.Warnings...)
	return r, nil
}

// placed gives errors that know no place that of their statement.
func placed(err error, stmt ast.Statement) error {
	var l diag.List
	var e *diag.Error
	switch {
	case errors.As(err, &l):
	case errors.As(err, &e):
		l = diag.List{e}
	}
	for _, e := range l {
		if e.Span.IsZero() {
			e.Span = stmt.Pos()
		}
	}
	return err
}

func (s *Session) execute(ctx context.Context, stmt ast.Statement, collect connector.Sink) (*Result, error) {
	switch x := stmt.(type) {
	case *ast.QueryStatement, *ast.Insert, *ast.StatementSet:
		roots, err := s.Logical(stmt, collect)
		if err != nil {
			return nil, err
		}
		o, err := s.physicalOptions(stmt)
		if err != nil {
			return nil, err
		}
		return s.job(roots, o)
	case *ast.CreateTable:
		if x.As != nil {
			return s.createAs(x, collect)
		}
	}
	return s.statement(ctx, stmt)
}

// physicalOptions are the settings of a statement's job: those of the session,
// and EMIT of the statement.
func (s *Session) physicalOptions(stmt ast.Statement) (physical.Options, error) {
	o := s.Settings.physical()
	var emit *ast.Emit
	switch x := stmt.(type) {
	case *ast.QueryStatement:
		emit = x.Emit
	case *ast.Insert:
		emit = x.Emit
	case *ast.StatementSet:
		for _, i := range x.Inserts {
			if i.Emit != nil {
				return o, diag.At(i.Emit.Pos(), diag.Unsupported, "EMIT is not supported in a statement set").Hint("SET 'table.exec.emit.early-fire.delay', which holds for all its statements")
			}
		}
	}
	if emit == nil {
		return o, lateNeeds(&o)
	}
	for _, e := range emit.Strategies {
		delay := time.Duration(0)
		if e.Delay != nil {
			ms, err := bind.Interval(s.Bind(), e.Delay)
			if err != nil {
				return o, err
			}
			delay = time.Duration(ms) * time.Millisecond
		}
		if e.When == "AFTER" {
			o.Emit.LateOn, o.Emit.Late = true, delay
			if o.Emit.Lateness == 0 && o.TTL == 0 {
				o.Emit.Lateness = time.Hour // as long as in RocketMQ-Streams
			}
		} else {
			o.Emit.EarlyOn, o.Emit.Early = true, delay
		}
	}
	return o, lateNeeds(&o)
}

// lateNeeds sees to it that windows which are emitted for late rows take some.
func lateNeeds(o *physical.Options) error {
	if !o.Emit.LateOn || o.Emit.Lateness > 0 {
		return nil
	}
	if o.Emit.Lateness = o.TTL; o.TTL == 0 {
		return diag.At(diag.Span{}, diag.NotAllowed, "'table.exec.emit.late-fire.enabled' has no effect: windows take no late rows").
			Hint("SET 'table.exec.emit.allow-lateness' = '1 min'")
	}
	return nil
}

// Logical binds a query, INSERT or statement set: one Sink a result.
func (s *Session) Logical(stmt ast.Statement, collect connector.Sink) ([]plan.Node, error) {
	o := s.Bind()
	switch x := stmt.(type) {
	case *ast.QueryStatement:
		n, err := bind.Query(o, x.Query)
		if err != nil {
			return nil, err
		}
		return []plan.Node{&plan.Sink{Input: n, Name: "collect", Collect: collect}}, nil
	case *ast.Insert:
		return sinks(bind.Inserts(o, []*ast.Insert{x}))
	case *ast.StatementSet:
		if len(x.Inserts) == 0 {
			return nil, diag.At(x.Pos(), diag.NotAllowed, "the statement set is empty")
		}
		return sinks(bind.Inserts(o, x.Inserts))
	}
	return nil, diag.At(stmt.Pos(), diag.Unsupported, "this statement gives no job")
}

func sinks(list []*plan.Sink, err error) ([]plan.Node, error) {
	if err != nil {
		return nil, err
	}
	out := make([]plan.Node, len(list))
	for i, n := range list {
		out[i] = n
	}
	return out, nil
}

// Optimize rewrites the plans of a job.
func (s *Session) Optimize(roots []plan.Node) ([]plan.Node, error) {
	return optimize.Roots(&optimize.Options{Off: s.Settings.off(), Functions: s.functions(), Func: s.Func()}, roots)
}

// Physical plans the tasks of a job with the session's settings.
func (s *Session) Physical(roots []plan.Node) (*physical.Plan, error) {
	return physical.Build(roots, s.Settings.physical())
}

// Plan is Optimize and Physical, for plans that were built without SQL.
func (s *Session) Plan(roots []plan.Node) (*Job, error) {
	r, err := s.job(roots, s.Settings.physical())
	if err != nil {
		return nil, err
	}
	return r.Job, nil
}

// job takes bound roots the rest of the way.
func (s *Session) job(roots []plan.Node, o physical.Options) (*Result, error) {
	opt, err := s.Optimize(roots)
	if err != nil {
		return nil, err
	}
	p, err := physical.Build(opt, o)
	if err != nil {
		return nil, err
	}
	j := &Job{Plan: p, Func: s.Func(), Name: s.Settings.Get("pipeline.name"), Checkpoint: s.Settings.Duration("execution.checkpointing.interval")}
	j.Share, j.MaxLag = s.Settings.Bool("scan.share"), s.Settings.memory("scan.share.max-lag")
	if j.MaxLag < 0 { // auto
		j.MaxLag = Settings{}.memory("scan.share.max-lag")
	}
	if j.Dir = s.Settings.Get("execution.checkpointing.dir"); j.Dir == "" {
		j.Dir = s.Settings.Get("state.checkpoints.dir")
	}
	for _, r := range roots {
		if k, ok := r.(*plan.Sink); ok {
			if k.Table == nil {
				j.Schema, j.Order = k.Input.Schema(), orderOf(k.Input)
			} else {
				j.Tables = append(j.Tables, k.Table.Path)
			}
		}
	}
	if j.Name == "" {
		j.Name = "collect"
		if len(j.Tables) > 0 {
			j.Name = "insert-into_" + strings.Join(j.Tables, ",")
		}
	}
	return &Result{Job: j}, nil
}

// orderOf returns the order that a query asks for its rows, over its columns.
func orderOf(n plan.Node) []plan.SortKey {
	switch x := n.(type) {
	case *plan.Sort:
		return x.Keys
	case *plan.Project:
		var keys []plan.SortKey
		for _, k := range orderOf(x.Input) {
			at := slices.IndexFunc(x.Exprs, func(e plan.Expr) bool {
				c, ok := e.(*plan.Column)
				return ok && c.Index == k.Column
			})
			if at < 0 {
				break // what is behind it orders only rows that are equal in it
			}
			k.Column = at
			keys = append(keys, k)
		}
		return keys
	}
	return nil
}

// The session's place in the catalog, for functions that tell it.
const (
	paramCatalog  = "runnel.current-catalog"
	paramDatabase = "runnel.current-database"
)
