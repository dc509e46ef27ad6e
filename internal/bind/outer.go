package bind

import (
	"slices"

	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/plan"
)

// groupOuter moves what a sub-query in a grouped SELECT says about the rows
// before grouping to the groups: it can refer to group keys only.
func (b *binder) groupOuter(q *plan.Subquery, a *aggregation) (plan.Expr, error) {
	var bad *plan.Outer
	n := mapOuter(q.Plan, 1, func(o *plan.Outer) plan.Expr {
		k := keyIndex(a.keys, &plan.Column{Index: o.Index, T: o.T, Name: o.Name})
		if k < 0 {
			bad = o
			return o
		}
		t := a.keys[k].Type()
		if a.sets != nil {
			t = t.OrNull()
		}
		return &plan.Outer{Depth: o.Depth, Index: k, T: t, Name: o.Name}
	})
	if bad != nil {
		return nil, diag.At(q.Span, diag.NotAllowed, "the sub-query uses column %s, which is not grouped", bad.Name).Hint("add it to GROUP BY")
	}
	out := *q
	out.Plan = n
	return &out, nil
}

// mapOuter returns n with f applied to the columns of the query depth levels up.
func mapOuter(n plan.Node, depth int, f func(*plan.Outer) plan.Expr) plan.Node {
	expr := func(e plan.Expr) plan.Expr {
		if e == nil {
			return nil
		}
		return plan.Rewrite(e, func(x plan.Expr) plan.Expr {
			switch x := x.(type) {
			case *plan.Outer:
				if x.Depth == depth {
					return f(x)
				}
			case *plan.Subquery:
				if in := mapOuter(x.Plan, depth+1, f); in != x.Plan {
					q := *x
					q.Plan = in
					return &q
				}
			}
			return x
		})
	}
	list := func(es []plan.Expr) ([]plan.Expr, bool) {
		out, changed := slices.Clone(es), false
		for i, e := range es {
			out[i] = expr(e)
			changed = changed || out[i] != e
		}
		return out, changed
	}
	old := n.Inputs()
	in := slices.Clone(old)
	changed := false
	for i, c := range old {
		d := depth
		if _, ok := n.(*plan.Lateral); ok && i == 1 {
			d++
		}
		in[i] = mapOuter(c, d, f)
		changed = changed || in[i] != c
	}
	if changed {
		n = n.WithInputs(in)
	}
	switch x := n.(type) {
	case *plan.Filter:
		if e := expr(x.Cond); e != x.Cond {
			return &plan.Filter{Input: x.Input, Cond: e}
		}
	case *plan.Project:
		if es, ok := list(x.Exprs); ok {
			c := *x
			c.Exprs = es
			return &c
		}
	case *plan.Join:
		if e := expr(x.Cond); e != x.Cond {
			c := *x
			c.Cond = e
			return &c
		}
	case *plan.Correlate:
		es, ok := list(x.Args)
		e := expr(x.Cond)
		if ok || e != x.Cond {
			c := *x
			c.Args, c.Cond = es, e
			return &c
		}
	case *plan.Temporal:
		if e := expr(x.Cond); e != x.Cond {
			c := *x
			c.Cond = e
			return &c
		}
	}
	return n
}
