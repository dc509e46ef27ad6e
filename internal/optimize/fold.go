package optimize

import (
	"slices"

	"github.com/runnelio/runnel/internal/eval"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
)

// fold computes constant expressions. Those that fail are left for run time: the
// row that needs them has the error.
func fold(o *Options, n plan.Node) (plan.Node, error) {
	return rewrite(n, func(n plan.Node) (plan.Node, error) {
		return mapExprs(n, func(e plan.Expr) (plan.Expr, error) { return eval.Fold(e, o.Func) })
	})
}

// mapExprs returns n with f applied to its expressions.
func mapExprs(n plan.Node, f func(plan.Expr) (plan.Expr, error)) (plan.Node, error) {
	list := func(es []plan.Expr) ([]plan.Expr, error) {
		out := make([]plan.Expr, len(es))
		for i, e := range es {
			var err error
			if out[i], err = f(e); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	one := func(e plan.Expr) (plan.Expr, error) {
		if e == nil {
			return nil, nil
		}
		return f(e)
	}
	var err error
	switch x := n.(type) {
	case *plan.Filter:
		c := *x
		c.Cond, err = one(x.Cond)
		return &c, err
	case *plan.Project:
		c := *x
		c.Exprs, err = list(x.Exprs)
		return &c, err
	case *plan.Join:
		c := *x
		c.Cond, err = one(x.Cond)
		return &c, err
	case *plan.Temporal:
		c := *x
		c.Cond, err = one(x.Cond)
		return &c, err
	case *plan.Correlate:
		c := *x
		if c.Args, err = list(x.Args); err != nil {
			return nil, err
		}
		c.Cond, err = one(x.Cond)
		return &c, err
	case *plan.Watermark:
		c := *x
		c.Expr, err = one(x.Expr)
		return &c, err
	case *plan.Rules:
		c := *x
		c.Rules = slices.Clone(x.Rules)
		for i := range c.Rules {
			if c.Rules[i].Cond, err = f(c.Rules[i].Cond); err != nil {
				return nil, err
			}
		}
		return &c, nil
	case *plan.Scan:
		c := *x
		c.Filter, err = one(x.Filter)
		return &c, err
	case *plan.Expand:
		c := *x
		c.Sets = make([][]plan.Expr, len(x.Sets))
		for i, s := range x.Sets {
			if c.Sets[i], err = list(s); err != nil {
				return nil, err
			}
		}
		return &c, nil
	}
	return n, nil
}

// isTrue recognises conditions that always hold.
func isTrue(e plan.Expr) bool {
	l, ok := e.(*plan.Literal)
	return ok && l.T.Kind == types.Boolean && l.Value == true
}
