// Package table has the operators that turn a row into any number of rows:
// UNNEST and table functions.
package table

import (
	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/internal/eval"
	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// Correlate joins each row with the rows its table function gives for it, or
// with the elements of a collection. Outer keeps rows for which there are none.
// Row kinds pass: what a row gives is decided by the row alone.
type Correlate struct {
	exec.Stateless
	spec *plan.Correlate
	in   *types.Schema

	cx   *exec.Context
	args *eval.Program
	call function.TableCall
	cond *eval.Predicate
	out  *vector.Batch
	cand *vector.Batch
	sel  []int32
}

// NewCorrelate returns the operator.
func NewCorrelate(c *plan.Correlate, in *types.Schema) (*Correlate, error) {
	return &Correlate{spec: c, in: in}, nil
}

// Open implements exec.Operator.
func (c *Correlate) Open(cx *exec.Context) (err error) {
	c.cx = cx
	if c.args, err = eval.Compile(c.spec.Args, c.in, cx.Func); err != nil {
		return err
	}
	if c.spec.Fn != nil {
		args := make([]function.Arg, len(c.spec.Args))
		for i, a := range c.spec.Args {
			args[i].Type = a.Type()
			if l, ok := a.(*plan.Literal); ok {
				args[i].Const, args[i].Value = true, l.Value
			}
		}
		if c.call, err = c.spec.Fn.Table.Bind(cx.Func, args, c.spec.Result); err != nil {
			return err
		}
	} else {
		c.call = c.unnest
	}
	if c.spec.Cond != nil {
		if c.cond, err = eval.CompilePredicate(c.spec.Cond, c.spec.Out, cx.Func); err != nil {
			return err
		}
	}
	c.out = vector.NewBatch(c.spec.Out, cx.BatchSize)
	c.cand = vector.NewBatch(c.spec.Out, 16)
	return nil
}

// Process implements exec.Operator.
func (c *Correlate) Process(_ int, b *vector.Batch, out exec.Output) error {
	args, err := c.args.Eval(b, b.Sel)
	if err != nil {
		return err
	}
	c.out.Reset()
	c.out.Origin = b.Origin
	n := b.Live()
	for l := range n {
		i := l
		if b.Sel != nil {
			i = int(b.Sel[l])
		}
		if err := c.row(b, args, i); err != nil {
			return err
		}
		if c.out.N >= c.cx.BatchSize {
			if err := out.Emit(c.out); err != nil {
				return err
			}
			c.out.Reset()
			c.out.Origin = b.Origin
		}
	}
	if c.out.N == 0 {
		return nil
	}
	return out.Emit(c.out)
}

// row appends the results of row i.
func (c *Correlate) row(b *vector.Batch, args []vector.Vector, i int) error {
	dst := c.out
	if c.cond != nil {
		dst = c.cand
		dst.Reset()
	}
	left := len(c.in.Fields)
	right := dst.Cols[left:]
	if c.spec.Ordinality {
		right = right[:len(right)-1]
	}
	n, err := c.call(args, i, right)
	if err != nil {
		return &function.RowError{Row: i, Err: err}
	}
	for k := range n {
		for f := range left {
			vector.CopyRow(dst.Cols[f], b.Cols[f], i)
		}
		if c.spec.Ordinality {
			vector.Append(dst.Cols[len(dst.Cols)-1], int32(k+1))
		}
		dst.AppendKind(b.Kind(i))
	}
	if c.cond != nil && n > 0 {
		sel, err := c.cond.Select(dst, nil, c.sel[:0])
		if err != nil {
			return err
		}
		c.sel = sel
		dst.CopyTo(c.out, sel)
		n = len(sel)
	}
	if n == 0 && c.spec.Outer {
		for f := range c.out.Cols {
			if f < left {
				vector.CopyRow(c.out.Cols[f], b.Cols[f], i)
			} else {
				vector.SetNullDeep(c.out.Cols[f], vector.Extend(c.out.Cols[f], 1))
			}
		}
		c.out.AppendKind(b.Kind(i))
	}
	return nil
}

// unnest appends the elements of the collection in args[0]: elements of an
// array (fields, if they are rows), entries of a map, elements of a multiset as often as they are in it.
func (c *Correlate) unnest(args []vector.Vector, i int, out []vector.Vector) (int, error) {
	v := args[0]
	if k, ok := v.(*vector.Const); ok {
		v, i = k.Of, 0
	}
	if v.IsNull(i) {
		return 0, nil
	}
	switch v := v.(type) {
	case *vector.List:
		for j := v.Off[i]; j < v.Off[i]+v.Count[i]; j++ {
			element(v.Child, int(j), out)
		}
		return int(v.Count[i]), nil
	case *vector.Map:
		if v.Typ.Kind == types.Map {
			for j := v.Off[i]; j < v.Off[i]+v.Count[i]; j++ {
				vector.CopyRow(out[0], v.Keys, int(j))
				vector.CopyRow(out[1], v.Vals, int(j))
			}
			return int(v.Count[i]), nil
		}
		n := 0
		for j := v.Off[i]; j < v.Off[i]+v.Count[i]; j++ {
			for range vector.Get(v.Vals, int(j)).(int32) {
				element(v.Keys, int(j), out)
				n++
			}
		}
		return n, nil
	}
	return 0, nil
}

// element appends one element: its fields where it is a row.
func element(v vector.Vector, j int, out []vector.Vector) {
	if c, ok := v.(*vector.Const); ok {
		v, j = c.Of, 0
	}
	if r, ok := v.(*vector.Row); ok && len(out) == len(r.Cols) {
		for f, c := range r.Cols {
			vector.CopyRow(out[f], c, j)
		}
		return
	}
	vector.CopyRow(out[0], v, j)
}

var _ exec.Operator = (*Correlate)(nil)
