package optimize

import "github.com/runnelio/runnel/internal/plan"

// merge joins neighbouring filters and projections, and drops those that do nothing.
func merge(_ *Options, n plan.Node) (plan.Node, error) {
	return rewrite(n, func(n plan.Node) (plan.Node, error) {
		switch x := n.(type) {
		case *plan.Filter:
			if isTrue(x.Cond) {
				return x.Input, nil
			}
			if in, ok := x.Input.(*plan.Filter); ok {
				return &plan.Filter{Input: in.Input, Cond: plan.AndOf(append(plan.Conjuncts(in.Cond), plan.Conjuncts(x.Cond)...))}, nil
			}
		case *plan.Project:
			if in, ok := x.Input.(*plan.Project); ok && inlines(x.Exprs, in.Exprs) {
				out := *x
				out.Input = in.Input
				out.Exprs = substituteAll(x.Exprs, in.Exprs)
				return &out, nil
			}
			if identity(x) {
				return x.Input, nil
			}
		}
		return n, nil
	})
}

// identity tells whether p hands on its input's columns under the same names and types.
func identity(p *plan.Project) bool {
	in := p.Input.Schema()
	if len(in.Fields) != len(p.Exprs) {
		return false
	}
	for i, e := range p.Exprs {
		c, ok := e.(*plan.Column)
		if !ok || c.Index != i || in.Fields[i].Name != p.Out.Fields[i].Name || !in.Fields[i].Type.Equal(p.Out.Fields[i].Type) ||
			in.Fields[i].Type.Attr != p.Out.Fields[i].Type.Attr {
			return false
		}
	}
	return true
}

// inlines tells whether outer may have inner's expressions put into it: none
// that is volatile or costs something would be computed more often than before.
func inlines(outer, inner []plan.Expr) bool {
	uses := make([]int, len(inner))
	for _, e := range outer {
		plan.Walk(e, func(x plan.Expr) bool {
			if c, ok := x.(*plan.Column); ok {
				uses[c.Index]++
			}
			return true
		})
	}
	for i, e := range inner {
		if !plan.Pure(e) && uses[i] > 0 {
			return false
		}
		if uses[i] > 1 && !cheap(e) {
			return false // eval shares equal sub-expressions only where all are sure to be computed
		}
	}
	return true
}

func cheap(e plan.Expr) bool {
	switch x := e.(type) {
	case *plan.Column, *plan.Literal:
		return true
	case *plan.OpExpr:
		return x.Op == plan.Field && cheap(x.Args[0])
	}
	return false
}

// substitute puts inner's expressions in place of the columns of e.
func substitute(e plan.Expr, inner []plan.Expr) plan.Expr {
	return plan.Rewrite(e, func(x plan.Expr) plan.Expr {
		if c, ok := x.(*plan.Column); ok {
			return inner[c.Index]
		}
		return x
	})
}

func substituteAll(es, inner []plan.Expr) []plan.Expr {
	out := make([]plan.Expr, len(es))
	for i, e := range es {
		out[i] = substitute(e, inner)
	}
	return out
}
