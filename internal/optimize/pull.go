package optimize

import (
	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
)

// outerCond is a condition between the outer query and the sub-query, over outer
// ++ sub columns once the width of the outer side is known (pending: sub-query
// columns are still numbered from 0 and outer ones are plan.Outer).
type outerCond struct {
	expr    plan.Expr
	pending bool
}

// pull takes the conditions on outer columns out of a sub-query and returns them
// over the columns of the node it returns. agg tells that the sub-query is scalar:
// an aggregate without keys then gets keys. Columns that conditions need are added behind n's own (in front of
// results for aggregates, where keys stand).
func pull(n plan.Node, agg bool, span diag.Span) (plan.Node, []outerCond, error) {
	if !correlated(n) {
		return n, nil, nil
	}
	switch x := n.(type) {
	case *plan.Filter:
		in, conds, err := pull(x.Input, agg, span)
		if err != nil {
			return nil, nil, err
		}
		var own []plan.Expr
		for _, c := range plan.Conjuncts(x.Cond) {
			if refersOut(c) {
				conds = append(conds, outerCond{c, true})
			} else {
				own = append(own, c)
			}
		}
		return keep(in, own), conds, nil
	case *plan.Project:
		in, conds, err := pull(x.Input, agg, span)
		if err != nil {
			return nil, nil, err
		}
		out := *x
		out.Input = in
		for _, e := range x.Exprs {
			if refersOut(e) {
				return nil, nil, diag.At(span, diag.Unsupported, "a correlated sub-query may use columns of the outer query only in its conditions")
			}
		}
		fields := append([]types.Field(nil), x.Out.Fields...)
		exprs := append([]plan.Expr(nil), x.Exprs...)
		at := map[int]int{}
		for i, c := range conds {
			conds[i].expr = plan.Remap(c.expr, func(k int) int {
				if to, ok := at[k]; ok {
					return to
				}
				f := in.Schema().Fields[k]
				at[k] = len(exprs)
				exprs = append(exprs, &plan.Column{Index: k, T: f.Type, Name: f.Name})
				fields = append(fields, f)
				return at[k]
			})
		}
		out.Exprs, out.Out = exprs, types.NewSchema(fields...)
		return &out, conds, nil
	case *plan.Aggregate:
		return pullAggregate(x, agg, span)
	case *plan.Sort:
		return pullSort(x, span)
	case *plan.Rank:
		return pullRank(x, span)
	case *plan.Watermark:
		in, conds, err := pull(x.Input, agg, span)
		if err != nil {
			return nil, nil, err
		}
		return in, conds, nil
	case *plan.Join:
		if x.Kind == plan.Inner || x.Kind == plan.Left || x.Kind == plan.Semi || x.Kind == plan.Anti {
			return pullJoin(x, agg, span)
		}
	}
	return nil, nil, diag.At(span, diag.Unsupported, "this correlated sub-query cannot be turned into a join")
}

// pullAggregate makes the inner sides of equalities group keys.
func pullAggregate(a *plan.Aggregate, agg bool, span diag.Span) (plan.Node, []outerCond, error) {
	in, conds, err := pull(a.Input, agg, span)
	if err != nil {
		return nil, nil, err
	}
	// The inner expressions become columns of a projection, then keys.
	p := &plan.Project{Input: in}
	fields := append([]types.Field(nil), in.Schema().Fields...)
	for i, f := range fields {
		p.Exprs = append(p.Exprs, &plan.Column{Index: i, T: f.Type, Name: f.Name})
	}
	var keys []int
	for i, c := range conds {
		op, ok := c.expr.(*plan.OpExpr)
		if !ok || op.Op != plan.Eq && op.Op != plan.NotDistinct {
			return nil, nil, diag.At(span, diag.Unsupported, "a correlated sub-query with an aggregate can be tied to the outer query only by equalities")
		}
		inner, outer := op.Args[0], op.Args[1]
		if refersOut(inner) {
			inner, outer = outer, inner
		}
		if refersOut(inner) || hasColumns(outer) {
			return nil, nil, diag.At(span, diag.Unsupported, "a correlated sub-query with an aggregate can be tied to the outer query only by equalities between a column of each")
		}
		keys = append(keys, len(fields))
		fields = append(fields, types.Field{Name: "key", Type: inner.Type()})
		p.Exprs = append(p.Exprs, inner)
		// The key's place in the aggregate's output: the added keys stand in front.
		col := &plan.Column{Index: len(keys) - 1, T: inner.Type(), Name: "key"}
		conds[i] = outerCond{&plan.OpExpr{Op: op.Op, Args: []plan.Expr{outer, col}, T: op.T, Span: op.Span}, true}
	}
	p.Out = types.NewSchema(fields...)
	out := *a
	out.Input = p
	out.Keys = append(append([]int(nil), keys...), a.Keys...)
	var outFields []types.Field
	for _, k := range keys {
		outFields = append(outFields, fields[k])
	}
	out.Out = types.NewSchema(append(outFields, a.Out.Fields...)...)
	if !agg || len(a.Keys) > 0 {
		// Not a scalar aggregate: put the added columns behind, where the callers look for a's own first.
		n := len(keys)
		re := &plan.Project{Input: &out}
		var fs []types.Field
		for i, f := range a.Out.Fields {
			re.Exprs = append(re.Exprs, &plan.Column{Index: n + i, T: f.Type, Name: f.Name})
			fs = append(fs, f)
		}
		for i := range n {
			re.Exprs = append(re.Exprs, &plan.Column{Index: i, T: outFields[i].Type, Name: outFields[i].Name})
			fs = append(fs, outFields[i])
		}
		re.Out = types.NewSchema(fs...)
		for i := range conds {
			conds[i].expr = plan.Remap(conds[i].expr, func(k int) int { return len(a.Out.Fields) + k })
		}
		return re, conds, nil
	}
	return &out, conds, nil
}

// pullJoin pulls out of a join's left side, and for inner joins its right side and condition.
func pullJoin(j *plan.Join, agg bool, span diag.Span) (plan.Node, []outerCond, error) {
	if correlated(j.Right) && j.Kind != plan.Inner {
		return nil, nil, diag.At(span, diag.Unsupported, "the inner side of this join in a correlated sub-query uses columns of the outer query")
	}
	out := *j
	left, conds, err := pull(j.Left, agg, span)
	if err != nil {
		return nil, nil, err
	}
	oldLeft, newLeft := len(j.Left.Schema().Fields), len(left.Schema().Fields)
	right, rconds, err := pull(j.Right, agg, span)
	if err != nil {
		return nil, nil, err
	}
	out.Left, out.Right = left, right
	for i := range rconds {
		rconds[i].expr = plan.Remap(rconds[i].expr, func(k int) int { return newLeft + k })
	}
	conds = append(conds, rconds...)
	move := func(k int) int {
		if k >= oldLeft {
			return newLeft + k - oldLeft
		}
		return k
	}
	if j.Cond != nil {
		var own []plan.Expr
		for _, c := range plan.Conjuncts(j.Cond) {
			c = plan.Remap(c, move)
			if !refersOut(c) {
				own = append(own, c)
				continue
			}
			if j.Kind != plan.Inner {
				return nil, nil, diag.At(span, diag.Unsupported, "the condition of an outer join in a correlated sub-query uses columns of the outer query")
			}
			conds = append(conds, outerCond{c, true})
		}
		out.Cond = plan.AndOf(own)
	}
	out.Out = joinSchema(&out)
	if j.Kind == plan.Semi || j.Kind == plan.Anti {
		return &out, conds, nil
	}
	// The join's own columns first, then what was added.
	p := &plan.Project{Input: &out}
	var fields []types.Field
	take := func(k int) {
		f := out.Out.Fields[k]
		p.Exprs = append(p.Exprs, &plan.Column{Index: k, T: f.Type, Name: f.Name})
		fields = append(fields, f)
	}
	place := map[int]int{}
	for k := range j.Out.Fields {
		place[move(k)] = len(fields)
		take(move(k))
	}
	for k := range out.Out.Fields {
		if _, ok := place[k]; !ok {
			place[k] = len(fields)
			take(k)
		}
	}
	p.Out = types.NewSchema(fields...)
	for i := range conds {
		conds[i].expr = plan.Remap(conds[i].expr, func(k int) int { return place[k] })
	}
	return p, conds, nil
}
