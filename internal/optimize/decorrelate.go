package optimize

import (
	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
)

// Decorrelate turns every sub-query expression of n into a join:
//
//	EXISTS, IN as a condition      semi join, anti join if negated
//	EXISTS, IN inside others       left join with the distinct rows, tested for a match
//	a scalar sub-query             left join that must have one row at most
//	ANY, ALL                       left join with the extremes and the counts; semi or anti join
//	                               where it is correlated and a condition
//
// Conditions of the sub-query on columns of the outer query become conditions of
// the join; where an aggregate lies between, equalities become its group keys.
func Decorrelate(o *Options, n plan.Node) (plan.Node, error) {
	return rewrite(n, func(n plan.Node) (plan.Node, error) {
		switch x := n.(type) {
		case *plan.Filter:
			return decorrelateFilter(o, x)
		case *plan.Project:
			if !hasSubquery(x.Exprs...) {
				return n, nil
			}
			in, exprs, err := scalars(o, x.Input, x.Exprs)
			if err != nil {
				return nil, err
			}
			return &plan.Project{Input: in, Exprs: exprs, Out: x.Out}, nil
		case *plan.Lateral:
			return lateral(x)
		case *plan.Join:
			if x.Cond != nil && hasSubquery(x.Cond) {
				return nil, diag.At(subquerySpan(x.Cond), diag.Unsupported, "a sub-query in a join condition cannot be run; move it into WHERE")
			}
		}
		return n, nil
	})
}

func hasSubquery(es ...plan.Expr) bool {
	found := false
	for _, e := range es {
		plan.Walk(e, func(x plan.Expr) bool {
			if _, ok := x.(*plan.Subquery); ok {
				found = true
			}
			return !found
		})
	}
	return found
}

func subquerySpan(e plan.Expr) (span diag.Span) {
	plan.Walk(e, func(x plan.Expr) bool {
		if s, ok := x.(*plan.Subquery); ok {
			span = s.Span
		}
		return true
	})
	return span
}

func decorrelateFilter(o *Options, f *plan.Filter) (plan.Node, error) {
	if !hasSubquery(f.Cond) {
		return f, nil
	}
	width := len(f.Input.Schema().Fields)
	in := f.Input
	var rest []plan.Expr
	for _, c := range plan.Conjuncts(f.Cond) {
		s, not := c, false
		if op, ok := c.(*plan.OpExpr); ok && op.Op == plan.Not {
			s, not = op.Args[0], true
		}
		if q, ok := s.(*plan.Subquery); ok && (q.Kind == plan.ExistsSubquery || q.Kind == plan.InSubquery || q.Kind == plan.QuantifiedSubquery && correlated(q.Plan)) {
			neg := *q
			neg.Not = q.Not != not
			var err error
			if in, err = semiJoin(o, in, &neg); err != nil {
				return nil, err
			}
			continue
		}
		rest = append(rest, c)
	}
	if len(rest) == 0 {
		return in, nil
	}
	in, exprs, err := scalars(o, in, rest)
	if err != nil {
		return nil, err
	}
	var out plan.Node = &plan.Filter{Input: in, Cond: plan.AndOf(exprs)}
	if len(in.Schema().Fields) > width { // columns of sub-queries go again
		p := &plan.Project{Input: out, Out: f.Schema()}
		for i, fl := range f.Schema().Fields {
			p.Exprs = append(p.Exprs, &plan.Column{Index: i, T: fl.Type, Name: fl.Name})
		}
		out = p
	}
	return out, nil
}

// semiJoin keeps the rows of in for which q holds.
func semiJoin(o *Options, in plan.Node, q *plan.Subquery) (plan.Node, error) {
	below := q.Plan
	if q.Kind == plan.QuantifiedSubquery {
		below = below.Inputs()[0]
	}
	sub, err := Decorrelate(o, below)
	if err != nil {
		return nil, err
	}
	in, args, err := scalars(o, in, q.Args)
	if err != nil {
		return nil, err
	}
	left := len(in.Schema().Fields)
	values := len(sub.Schema().Fields)
	sub, conds, err := pull(sub, false, q.Span)
	if err != nil {
		return nil, err
	}
	kind := plan.Semi
	if q.Not {
		kind = plan.Anti
	}
	if q.Kind == plan.InSubquery {
		for i, a := range args[:min(len(args), values)] {
			f := sub.Schema().Fields[i]
			right := plan.Expr(&plan.Column{Index: left + i, T: f.Type, Name: f.Name})
			nullable := a.Type().Nullable || f.Type.Nullable
			eq := plan.Expr(&plan.OpExpr{Op: plan.Eq, Args: []plan.Expr{a, right}, T: types.Of(types.Boolean).WithNull(nullable), Span: q.Span})
			if q.Not && nullable {
				eq = &plan.OpExpr{Op: plan.IsNotFalse, Args: []plan.Expr{eq}, T: types.Of(types.Boolean).NotNull(), Span: q.Span}
			}
			conds = append(conds, outerCond{expr: eq})
		}
	}
	if q.Kind == plan.QuantifiedSubquery {
		var c plan.Expr
		kind, c = quantifiedCond(q, args[0], left, sub.Schema().Fields[0])
		conds = append(conds, outerCond{expr: c})
	}
	return makeJoin(kind, in, sub, conds, false, q.Span), nil
}

// scalars replaces the sub-queries in exprs, which are over in, by columns of
// joins put above in.
func scalars(o *Options, in plan.Node, exprs []plan.Expr) (plan.Node, []plan.Expr, error) {
	out := make([]plan.Expr, len(exprs))
	var failed error
	for i, e := range exprs {
		out[i] = plan.Rewrite(e, func(x plan.Expr) plan.Expr {
			q, ok := x.(*plan.Subquery)
			if !ok || failed != nil {
				return x
			}
			var value plan.Expr
			in, value, failed = scalar(o, in, q)
			if failed != nil {
				return x
			}
			return value
		})
		if failed != nil {
			return nil, nil, failed
		}
	}
	return in, out, nil
}

// scalar joins q to in and returns the expression that has its value.
func scalar(o *Options, in plan.Node, q *plan.Subquery) (plan.Node, plan.Expr, error) {
	switch q.Kind {
	case plan.ScalarSubquery:
	case plan.QuantifiedSubquery:
		return quantified(o, in, q)
	default:
		return mark(o, in, q)
	}
	sub, err := Decorrelate(o, q.Plan)
	if err != nil {
		return nil, nil, err
	}
	// An expression over an aggregate is computed above the join, where COUNT
	// over no rows can be told from a match.
	var above plan.Expr
	if p, ok := sub.(*plan.Project); ok {
		if a, ok := p.Input.(*plan.Aggregate); ok && len(a.Keys) == 0 {
			above, sub = p.Exprs[0], a
		}
	}
	agg, isAgg := sub.(*plan.Aggregate)
	isAgg = isAgg && len(agg.Keys) == 0
	left := len(in.Schema().Fields)
	width := len(sub.Schema().Fields)
	sub, conds, err := pull(sub, true, q.Span)
	if err != nil {
		return nil, nil, err
	}
	// pull puts added group keys in front of an aggregate's results.
	shift := 0
	if isAgg {
		shift = len(sub.Schema().Fields) - width
	}
	join := makeJoin(plan.Left, in, sub, conds, !isAgg, q.Span)
	fields := join.Schema().Fields
	column := func(i int) plan.Expr {
		at := left + shift + i
		c := plan.Expr(&plan.Column{Index: at, T: fields[at].Type, Name: fields[at].Name})
		if isAgg && agg.Calls[i].Fn.Name == "COUNT" {
			zero := &plan.Literal{Value: int64(0), T: types.Of(types.BigInt).NotNull()}
			c = &plan.OpExpr{Op: plan.Coalesce, Args: []plan.Expr{c, zero}, T: types.Of(types.BigInt).NotNull()}
		}
		return c
	}
	if above == nil {
		return join, column(0), nil
	}
	return join, plan.Rewrite(above, func(x plan.Expr) plan.Expr {
		if c, ok := x.(*plan.Column); ok {
			return column(c.Index)
		}
		return x
	}), nil
}

// makeJoin joins in with sub on conds: equalities between the sides become keys.
// The result has the columns of in, then (unless only they come out) those of sub.
func makeJoin(kind plan.JoinKind, in, sub plan.Node, conds []outerCond, single bool, span diag.Span) plan.Node {
	nl := len(in.Schema().Fields)
	j := &plan.Join{Kind: kind, Left: in, Right: sub, Single: single, Span: span}
	left := &plan.Project{Input: in}
	right := &plan.Project{Input: sub}
	lf, rf := append([]types.Field(nil), in.Schema().Fields...), append([]types.Field(nil), sub.Schema().Fields...)
	for i, f := range lf {
		left.Exprs = append(left.Exprs, &plan.Column{Index: i, T: f.Type, Name: f.Name})
	}
	for i, f := range rf {
		right.Exprs = append(right.Exprs, &plan.Column{Index: i, T: f.Type, Name: f.Name})
	}
	var rest []plan.Expr
	for _, c := range conds {
		e := c.expr
		if c.pending {
			e = resolveOuter(e, nl)
		}
		op, ok := e.(*plan.OpExpr)
		if ok && (op.Op == plan.Eq || op.Op == plan.NotDistinct) {
			a, b := op.Args[0], op.Args[1]
			if within(b, 0, nl) && within(a, nl, 1<<30) {
				a, b = b, a
			}
			if within(a, 0, nl) && within(b, nl, 1<<30) && a.Type().Phys() == b.Type().Phys() && a.Type().Scale == b.Type().Scale {
				b = plan.Remap(b, func(k int) int { return k - nl })
				j.LeftKeys = append(j.LeftKeys, keyColumn(left, &lf, a))
				j.RightKeys = append(j.RightKeys, keyColumn(right, &rf, b))
				j.NullSafe = append(j.NullSafe, op.Op == plan.NotDistinct)
				continue
			}
		}
		rest = append(rest, e)
	}
	// Added key columns stand behind, so the sides' own columns keep their places
	// in each side; the right side's move by what the left gained.
	gained := len(lf) - nl
	if gained > 0 {
		left.Out = types.NewSchema(lf...)
		j.Left = left
	}
	if len(rf) > len(sub.Schema().Fields) {
		right.Out = types.NewSchema(rf...)
		j.Right = right
	}
	for i := range rest {
		rest[i] = plan.Remap(rest[i], func(k int) int {
			if k >= nl {
				return k + gained
			}
			return k
		})
	}
	j.Cond = plan.AndOf(rest)
	j.Out = joinSchema(j)
	ns := len(sub.Schema().Fields)
	if gained == 0 && len(rf) == ns {
		return j
	}
	p := &plan.Project{Input: j}
	var fields []types.Field
	for i, f := range j.Out.Fields {
		if i < nl || i >= nl+gained && i < nl+gained+ns {
			p.Exprs = append(p.Exprs, &plan.Column{Index: i, T: f.Type, Name: f.Name})
			fields = append(fields, f)
		}
	}
	p.Out = types.NewSchema(fields...)
	return p
}

// keyColumn returns the column of p that computes e, added if there is none.
func keyColumn(p *plan.Project, fields *[]types.Field, e plan.Expr) int {
	if c, ok := e.(*plan.Column); ok {
		return c.Index
	}
	p.Exprs = append(p.Exprs, e)
	*fields = append(*fields, types.Field{Name: "key", Type: e.Type()})
	return len(p.Exprs) - 1
}

// resolveOuter turns a pulled condition into one over outer ++ sub.
func resolveOuter(e plan.Expr, nl int) plan.Expr {
	e = plan.Remap(e, func(k int) int { return k + nl })
	return plan.Rewrite(e, func(x plan.Expr) plan.Expr {
		if o, ok := x.(*plan.Outer); ok {
			if o.Depth == 1 {
				return &plan.Column{Index: o.Index, T: o.T, Name: o.Name}
			}
			return &plan.Outer{Depth: o.Depth - 1, Index: o.Index, T: o.T, Name: o.Name}
		}
		return x
	})
}

func refersOut(e plan.Expr) bool {
	found := false
	plan.Walk(e, func(x plan.Expr) bool {
		if _, ok := x.(*plan.Outer); ok {
			found = true
		}
		return !found
	})
	return found
}

func hasColumns(e plan.Expr) bool {
	c := columns{}
	plan.Columns(e, c)
	return len(c) > 0
}

// correlated tells whether an expression below n refers to an outer query.
func correlated(n plan.Node) bool {
	found := false
	look := func(es ...plan.Expr) {
		for _, e := range es {
			found = found || e != nil && refersOut(e)
		}
	}
	switch x := n.(type) {
	case *plan.Filter:
		look(x.Cond)
	case *plan.Project:
		look(x.Exprs...)
	case *plan.Join:
		if x.Cond != nil {
			look(x.Cond)
		}
	case *plan.Correlate:
		look(x.Args...)
	}
	for _, in := range n.Inputs() {
		found = found || correlated(in)
	}
	return found
}
