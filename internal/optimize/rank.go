package optimize

import (
	"math"

	"github.com/runnelio/runnel/internal/eval"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
)

// ranks turns a condition on ROW_NUMBER() into a Rank: the rows behind the
// bound need not be kept. Like Decorrelate it is no option: ROW_NUMBER by
// something other than time cannot be streamed without a bound.
func ranks(o *Options, n plan.Node) (plan.Node, error) {
	return rewrite(n, func(n plan.Node) (plan.Node, error) {
		f, ok := n.(*plan.Filter)
		if !ok {
			return n, nil
		}
		// Projections between the filter and the Over.
		var between []*plan.Project
		at := f.Input
		for {
			p, ok := at.(*plan.Project)
			if !ok {
				break
			}
			between = append(between, p)
			at = p.Input
		}
		over, ok := at.(*plan.Over)
		if !ok || len(over.Calls) != 1 || over.Calls[0].Fn.Name != "ROW_NUMBER" || len(over.Order) == 0 {
			return n, nil
		}
		number := len(over.Out.Fields) - 1
		lo, hi := int64(1), int64(math.MaxInt64)
		var rest []plan.Expr
		for _, c := range plan.Conjuncts(f.Cond) {
			if !bound(o, c, between, number, &lo, &hi) {
				rest = append(rest, c)
			}
		}
		if hi == math.MaxInt64 || hi < lo {
			return n, nil
		}
		r := &plan.Rank{Input: over.Input, Partition: over.Partition, Order: over.Order, Offset: lo - 1, Limit: hi - lo + 1, Number: true, Out: over.Out, Span: over.Span}
		var out plan.Node = r
		if lo == hi { // the number is known
			r.Number, r.Out = false, over.Input.Schema()
			p := &plan.Project{Input: r, Out: over.Out}
			for i, fl := range r.Out.Fields {
				p.Exprs = append(p.Exprs, &plan.Column{Index: i, T: fl.Type, Name: fl.Name})
			}
			p.Exprs = append(p.Exprs, &plan.Literal{Value: lo, T: types.Of(types.BigInt).NotNull()})
			out = p
		}
		for i := len(between) - 1; i >= 0; i-- {
			p := *between[i]
			p.Input = out
			out = &p
		}
		return keep(out, rest), nil
	})
}

// bound takes a comparison of the row number with a constant into lo and hi.
func bound(o *Options, c plan.Expr, between []*plan.Project, number int, lo, hi *int64) bool {
	op, ok := c.(*plan.OpExpr)
	if !ok || op.Op < plan.Eq || op.Op > plan.Ge || op.Op == plan.Ne {
		return false
	}
	x, y, cmp := op.Args[0], op.Args[1], op.Op
	if !isColumn(x, between, number) {
		x, y = y, x
		cmp = map[plan.Op]plan.Op{plan.Eq: plan.Eq, plan.Lt: plan.Gt, plan.Le: plan.Ge, plan.Gt: plan.Lt, plan.Ge: plan.Le}[cmp]
	}
	if !isColumn(x, between, number) || hasColumns(y) || refersOut(y) || !plan.Pure(y) {
		return false
	}
	v, err := eval.Const(y, o.Func)
	n, isInt := v.(int64)
	if err != nil || !isInt {
		return false
	}
	switch cmp {
	case plan.Eq:
		*lo, *hi = max(*lo, n), min(*hi, n)
	case plan.Lt:
		*hi = min(*hi, n-1)
	case plan.Le:
		*hi = min(*hi, n)
	case plan.Gt:
		*lo = max(*lo, n+1)
	case plan.Ge:
		*lo = max(*lo, n)
	}
	return true
}

// isColumn tells whether e, above the projections, is column number below them.
func isColumn(e plan.Expr, between []*plan.Project, number int) bool {
	for _, p := range between {
		c, ok := e.(*plan.Column)
		if !ok {
			return false
		}
		e = p.Exprs[c.Index]
	}
	c, ok := e.(*plan.Column)
	return ok && c.Index == number
}
