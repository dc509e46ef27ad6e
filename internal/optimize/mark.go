package optimize

import (
	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
)

// mark gives EXISTS and IN inside other expressions a value: a left join with the
// distinct rows of the sub-query, tested for a match.
func mark(o *Options, in plan.Node, q *plan.Subquery) (plan.Node, plan.Expr, error) {
	sub, err := Decorrelate(o, q.Plan)
	if err != nil {
		return nil, nil, err
	}
	rows := sub
	left := len(in.Schema().Fields)
	sub, conds, err := pull(sub, false, q.Span)
	if err != nil {
		return nil, nil, err
	}
	for i, c := range conds {
		if c.pending {
			conds[i] = outerCond{expr: resolveOuter(c.expr, left)}
		}
	}
	if q.Kind != plan.InSubquery {
		return matches(in, sub, conds, q.Not, q.Span)
	}
	unknown := false // the result may be NULL
	correlated := len(conds) > 0
	var eqs []plan.Expr
	for i, a := range q.Args {
		f := sub.Schema().Fields[i]
		unknown = unknown || a.Type().Nullable || f.Type.Nullable
		eqs = append(eqs, &plan.OpExpr{Op: plan.Eq, T: types.Of(types.Boolean).WithNull(a.Type().Nullable || f.Type.Nullable),
			Args: []plan.Expr{a, &plan.Column{Index: left + i, T: f.Type, Name: f.Name}}, Span: q.Span})
	}
	equal := append([]outerCond(nil), conds...)
	for _, e := range eqs {
		equal = append(equal, outerCond{expr: e})
	}
	if unknown && !correlated && len(q.Args) == 1 {
		join, match, err := matches(in, sub, equal, false, q.Span)
		if err != nil {
			return nil, nil, err
		}
		return unknownMatch(o, join, rows, q, match)
	}
	if !unknown {
		return matches(in, sub, equal, q.Not, q.Span)
	}
	// TRUE if a row is equal; else NULL if it is not known of one; else FALSE.
	join, match, err := matches(in, sub, equal, false, q.Span)
	if err != nil {
		return nil, nil, err
	}
	truth := types.Of(types.Boolean)
	conds = append(conds, outerCond{expr: &plan.OpExpr{Op: plan.IsNull, Args: []plan.Expr{plan.AndOf(eqs)}, T: truth.NotNull(), Span: q.Span}})
	wider := len(join.Schema().Fields) - left
	for i := range conds {
		conds[i].expr = plan.Remap(conds[i].expr, func(k int) int {
			if k < left {
				return k
			}
			return k + wider
		})
	}
	join, maybe, err := matches(join, sub, conds, false, q.Span)
	if err != nil {
		return nil, nil, err
	}
	value := func(v types.Value) plan.Expr { return &plan.Literal{Value: v, T: truth} }
	return join, &plan.OpExpr{Op: plan.Case, T: truth, Span: q.Span, Args: []plan.Expr{match, value(!q.Not), maybe, value(nil), value(q.Not)}}, nil
}

// matches joins to in whether a row of sub fits: conds are over in ++ sub. The
// value is never NULL.
func matches(in, sub plan.Node, conds []outerCond, not bool, span diag.Span) (plan.Node, plan.Expr, error) {
	left := len(in.Schema().Fields)
	if !equalities(conds, left) {
		return matchesBoth(in, sub, conds, not, span)
	}
	conds = append([]outerCond(nil), conds...)
	// The distinct join columns and a constant column that is never NULL but where the join padded it.
	used := columns{}
	for _, c := range conds {
		plan.Columns(c.expr, used)
	}
	p := &plan.Project{Input: sub}
	to := map[int]int{}
	var fields []types.Field
	for i, f := range sub.Schema().Fields {
		if used[left+i] {
			to[left+i] = left + len(fields)
			p.Exprs = append(p.Exprs, &plan.Column{Index: i, T: f.Type, Name: f.Name})
			fields = append(fields, f)
		}
	}
	truth := types.Of(types.Boolean).NotNull()
	p.Exprs = append(p.Exprs, &plan.Literal{Value: true, T: truth})
	fields = append(fields, types.Field{Name: "match", Type: truth})
	p.Out = types.NewSchema(fields...)
	agg := &plan.Aggregate{Input: p, Out: p.Out}
	for i := range fields {
		agg.Keys = append(agg.Keys, i)
	}
	for i := range conds {
		conds[i].expr = plan.Remap(conds[i].expr, func(k int) int {
			if k < left {
				return k
			}
			return to[k]
		})
	}
	join := makeJoin(plan.Left, in, agg, conds, false, span)
	op := plan.IsNotNull
	if not {
		op = plan.IsNull
	}
	return join, &plan.OpExpr{Op: op, Args: []plan.Expr{&plan.Column{Index: left + len(fields) - 1, T: truth.OrNull(), Name: "match"}}, T: truth, Span: span}, nil
}

// equalities tells whether at most one of the distinct rows of a sub-query fits a
// row of the outer query: conditions on both are equalities of columns or values.
func equalities(conds []outerCond, left int) bool {
	for _, c := range conds {
		if within(c.expr, 0, left) {
			continue
		}
		op, ok := c.expr.(*plan.OpExpr)
		if !ok || op.Op != plan.Eq && op.Op != plan.NotDistinct {
			return false
		}
		a, b := op.Args[0], op.Args[1]
		if within(a, left, 1<<30) {
			a, b = b, a
		}
		// Of an expression over the sub-query several values may be equal.
		if _, ok := b.(*plan.Column); !ok || !within(a, 0, left) || !within(b, left, 1<<30) {
			return false
		}
	}
	return true
}

// matchesBoth is matches where several rows of the sub-query may fit a row: rows that
// have a match and rows that have none, one after the other.
func matchesBoth(in, sub plan.Node, conds []outerCond, not bool, span diag.Span) (plan.Node, plan.Expr, error) {
	truth := types.Of(types.Boolean).NotNull()
	fields := append(append([]types.Field(nil), in.Schema().Fields...), types.Field{Name: "match", Type: truth})
	out := &plan.SetOp{Op: plan.Union, All: true, Out: types.NewSchema(fields...)}
	for _, kind := range []plan.JoinKind{plan.Semi, plan.Anti} {
		join := makeJoin(kind, in, sub, append([]outerCond(nil), conds...), false, span)
		p := &plan.Project{Input: join, Out: out.Out}
		for i, f := range join.Schema().Fields {
			p.Exprs = append(p.Exprs, &plan.Column{Index: i, T: f.Type, Name: f.Name})
		}
		p.Exprs = append(p.Exprs, &plan.Literal{Value: (kind == plan.Semi) != not, T: truth})
		out.In = append(out.In, p)
	}
	return out, &plan.Column{Index: len(fields) - 1, T: truth, Name: "match"}, nil
}
