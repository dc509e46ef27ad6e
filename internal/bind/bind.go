// Package bind gives a syntax tree its meaning: names become columns, calls
// overloads, implicit conversions casts, queries plans.
//
// bind.go has the entry points, scope.go names, typing.go operators and implicit
// conversions, expr.go, predicate.go, literal.go, interval.go and call.go
// expressions, from.go, join.go and lateral.go FROM, query.go set operations,
// ORDER BY and WITH, select.go SELECT, aggregate.go, groupby.go and outer.go
// GROUP BY, over.go OVER, window.go window functions, match.go MATCH_RECOGNIZE,
// table.go tables of the catalog, insert.go INSERT.
package bind

import (
	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/internal/catalog"
	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/eval"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/internal/sql/ast"
	"github.com/runnelio/runnel/types"
)

// Options is what names are looked up in. Nothing of it is changed.
type Options struct {
	Catalog    *catalog.Root
	Functions  *function.Set
	Connectors connector.Set
	Formats    format.Set
	Func       *function.Context
	// Batch tells that the query runs over bounded input to one final result:
	// what streaming cannot do is then allowed.
	Batch bool
	// DropNulls leaves rows out that have NULL in a NOT NULL column of their
	// table; else they are errors.
	DropNulls bool
	// Duplicates tells that sources of changes may give one more than once
	// (table.exec.source.cdc-events-duplicate).
	Duplicates bool
	// LateSink is the table for rows that come too late, where their table names
	// none (late-rows.sink); "" for none.
	LateSink string
	// Warn is told of what was accepted but has no effect; may be nil.
	Warn func(span diag.Span, text string)
	// Params are the values of the parameters ?.
	Params []Param
	// Tables are tables of the host (the SDK), found before those of the catalog.
	Tables map[string]plan.Node
	// Text is what the statement was read from; "" if nobody knows. Places in
	// definitions of the same text can be shown.
	Text string
}

// Param is the value of a parameter.
type Param struct {
	Value types.Value
	Type  types.Type
}

// Query binds a query. Errors are *diag.Error or a diag.List of up to ten.
func Query(o *Options, q ast.Query) (plan.Node, error) {
	b := newBinder(o)
	n, err := b.queryNode(q, nil)
	return n, b.finish(err)
}

// Inserts binds the INSERTs of a statement set together: what they share is
// bound once.
func Inserts(o *Options, list []*ast.Insert) ([]*plan.Sink, error) {
	b := newBinder(o)
	var sinks []*plan.Sink
	for _, i := range list {
		s, err := b.insert(i)
		if err != nil {
			b.note(err)
			continue
		}
		sinks = append(sinks, s)
	}
	return sinks, b.finish(nil)
}

// Expr binds an expression over the columns of a schema; qualifier, if not "",
// may stand before their names.
func Expr(o *Options, e ast.Expr, in *types.Schema, qualifier string) (plan.Expr, error) {
	b := newBinder(o)
	s := &scope{}
	s.add(qualifier, in, 0)
	x, err := b.expr(e, s)
	if err == nil && isNull(x) {
		err = illegalNull(e.Pos())
	}
	return x, b.finish(err)
}

// CheckTable binds the columns of a table definition and reports what is wrong
// with it: computed columns, watermark, keys, and, if the connector is known,
// its options.
func CheckTable(o *Options, path catalog.Path, t *ast.CreateTable) error {
	b := newBinder(o)
	_, err := b.define(path, t, t.Pos(), nil, true)
	return b.finish(err)
}

// TableSchema returns the columns of a table or view as a query sees them.
func TableSchema(o *Options, obj *catalog.Object) (*types.Schema, error) {
	b := newBinder(o)
	n, err := b.object(obj, diag.Span{}, nil, true)
	if err := b.finish(err); err != nil {
		return nil, err
	}
	return n.Schema(), nil
}

// ViewSchema returns the columns of a query.
func ViewSchema(o *Options, q ast.Query) (*types.Schema, error) {
	n, err := Query(o, q)
	if err != nil {
		return nil, err
	}
	return n.Schema(), nil
}

// binder binds one statement or statement set.
type binder struct {
	*Options
	errs diag.List
	// views and tables hold what was bound already, so that it is shared.
	nodes   map[string]plan.Node
	sinks   map[*catalog.Object]*declared
	lookups []*lookupHint // of the SELECT whose FROM is being bound
	ttls    []*ttlHint    // likewise
	lates   map[*catalog.Object]*plan.Late
	home    *catalog.Root // where the names of the session are looked up, also within views
	opening []string      // views being bound, to find circles
	// spans are the places of columns, for messages about them.
	spans map[plan.Expr]diag.Span
	// constants are expressions whose value was asked for.
	constants map[plan.Expr]constant
	// used is the place of the outermost view that is being bound, if its definition
	// stands in another text than the statement: places in it mean nothing there.
	used diag.Span
	// checking tells that nothing will run: connectors need not exist.
	checking bool
}

func newBinder(o *Options) *binder {
	return &binder{Options: o, nodes: map[string]plan.Node{}, sinks: map[*catalog.Object]*declared{}, lates: map[*catalog.Object]*plan.Late{}, home: o.Catalog, spans: map[plan.Expr]diag.Span{}, constants: map[plan.Expr]constant{}}
}

// place is where, in the text of the statement, the thing at span is to be looked for.
func (b *binder) place(span diag.Span) diag.Span {
	if !b.used.IsZero() {
		return b.used
	}
	return span
}

// note keeps an error and lets the binder go on.
func (b *binder) note(err error) {
	if len(b.errs) < diag.MaxErrors {
		b.errs.Add(err)
	}
}

// finish returns all errors together.
func (b *binder) finish(err error) error {
	if err != nil {
		b.errs.Add(err)
	}
	return b.errs.Err()
}

// constant is what is known of an expression: its value, if it has one that can
// be computed now.
type constant struct {
	lit    *plan.Literal // nil: none
	failed bool          // it is constant, but computing it is an error
}

// literal computes a constant expression now, so far as it is one. What was
// computed of its parts is used again: long chains cost what they are long.
func (b *binder) literal(e plan.Expr) (*plan.Literal, bool) {
	c := b.constant(e)
	return c.lit, c.lit != nil
}

func (b *binder) constant(e plan.Expr) constant {
	if l, ok := e.(*plan.Literal); ok {
		return constant{lit: l}
	}
	if c, ok := b.constants[e]; ok {
		return c
	}
	c := b.compute(e)
	b.constants[e] = c
	return c
}

func (b *binder) compute(e plan.Expr) constant {
	lazy := false
	switch x := e.(type) {
	case *plan.Call:
		if x.Fn.Volatile || x.Fn.PerJob || x.Fn.Scalar == nil {
			return constant{}
		}
	case *plan.OpExpr:
		lazy = x.Op == plan.And || x.Op == plan.Or || x.Op == plan.Case || x.Op == plan.Coalesce
	case *plan.Cast:
	default: // columns, sub-queries, stand-ins for aggregates
		return constant{}
	}
	children := e.Children()
	next := make([]plan.Expr, len(children))
	failed := false
	for i, ch := range children {
		c := b.constant(ch)
		if c.lit == nil && !c.failed {
			return constant{}
		}
		failed = failed || c.failed
		if next[i] = ch; c.lit != nil {
			next[i] = c.lit
		}
	}
	if failed && !lazy {
		return constant{failed: true}
	}
	if len(next) > 0 {
		e = e.WithChildren(next)
	}
	v, err := eval.Const(e, b.Func)
	if err != nil {
		return constant{failed: true}
	}
	return constant{lit: &plan.Literal{Value: v, T: e.Type().Plain()}}
}
