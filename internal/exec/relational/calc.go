// Package relational has the operators without a clock that look at one row at
// a time or at whole rows: calc, watermark assigner, expand, union, set operations.
package relational

import (
	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/internal/eval"
	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// Calc drops the rows for which the filter is not TRUE and computes columns of
// the others. Row kinds pass unchanged: a retraction is dropped exactly when the
// addition it takes back was, because expressions are deterministic (the planner
// sees to it).
type Calc struct {
	exec.Stateless
	filter plan.Expr
	exprs  []plan.Expr
	in     *types.Schema
	out    *types.Schema

	fn   *function.Context
	pred *eval.Predicate
	prog *eval.Program
	sel  []int32
	b    vector.Batch
}

// NewCalc returns a calc with an optional filter and, if exprs is not nil, a projection.
func NewCalc(filter plan.Expr, exprs []plan.Expr, in, out *types.Schema) (*Calc, error) {
	return &Calc{filter: filter, exprs: exprs, in: in, out: out}, nil
}

// Open implements exec.Operator.
func (c *Calc) Open(cx *exec.Context) (err error) {
	return c.compile(cx.Func)
}

func (c *Calc) compile(fn *function.Context) (err error) {
	c.fn = fn
	if c.filter != nil {
		if c.pred, err = eval.CompilePredicate(c.filter, c.in, fn); err != nil {
			return err
		}
	}
	if c.exprs != nil {
		c.prog, err = eval.Compile(c.exprs, c.in, fn)
	}
	return err
}

// Process implements exec.Operator.
func (c *Calc) Process(_ int, b *vector.Batch, out exec.Output) error {
	if c.pred != nil {
		c.fn.Batch = b
		sel, err := c.pred.Select(b, b.Sel, c.sel[:0])
		c.fn.Batch = nil
		if err != nil {
			return err
		}
		c.sel = sel
		if len(sel) == 0 {
			return nil
		}
		if len(sel) < b.N {
			b.Sel = sel
		}
	}
	if c.prog == nil {
		return out.Emit(b)
	}
	c.fn.Batch = b
	cols, err := c.prog.Eval(b, b.Sel)
	c.fn.Batch = nil
	if err != nil {
		return err
	}
	c.b = vector.Batch{Schema: c.out, Cols: append(c.b.Cols[:0], cols...), N: b.N, Sel: b.Sel, Kinds: b.Kinds, Origin: b.Origin, From: b.From}
	return out.Emit(&c.b)
}

// Expand emits each row once for every grouping set. Rows come out set by set
// within a batch row, as Flink's do.
type Expand struct {
	exec.Stateless
	sets [][]plan.Expr
	in   *types.Schema
	out  *types.Schema

	progs []*eval.Program
	b     *vector.Batch
}

// NewExpand returns an expand over projections that all have the schema out.
func NewExpand(sets [][]plan.Expr, in, out *types.Schema) (*Expand, error) {
	return &Expand{sets: sets, in: in, out: out}, nil
}

// Open implements exec.Operator.
func (e *Expand) Open(cx *exec.Context) error {
	for _, s := range e.sets {
		p, err := eval.Compile(s, e.in, cx.Func)
		if err != nil {
			return err
		}
		e.progs = append(e.progs, p)
	}
	e.b = vector.NewBatch(e.out, cx.BatchSize)
	return nil
}

// Process implements exec.Operator.
func (e *Expand) Process(_ int, b *vector.Batch, out exec.Output) error {
	e.b.Reset()
	e.b.Origin = b.Origin
	results := make([][]vector.Vector, len(e.progs))
	for s, p := range e.progs {
		cols, err := p.Eval(b, b.Sel)
		if err != nil {
			return err
		}
		results[s] = cols
	}
	b.Rows(func(i int) {
		for _, cols := range results {
			for c := range e.b.Cols {
				vector.CopyRow(e.b.Cols[c], cols[c], i)
			}
			e.b.AppendKind(b.Kind(i))
		}
	})
	if e.b.N == 0 {
		return nil
	}
	return out.Emit(e.b)
}

// Union passes the rows of all its inputs.
type Union struct {
	exec.Stateless
	out *types.Schema
}

// NewUnion returns a union whose rows have the schema out.
func NewUnion(out *types.Schema) *Union { return &Union{out: out} }

// Process implements exec.Operator.
func (u *Union) Process(_ int, b *vector.Batch, out exec.Output) error {
	b.Schema = u.out
	return out.Emit(b)
}

var (
	_ exec.Operator = (*Calc)(nil)
	_ exec.Operator = (*Expand)(nil)
	_ exec.Operator = (*Union)(nil)
)
