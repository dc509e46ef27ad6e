package optimize

import (
	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
)

// quantifiedCond is the join that keeps the rows for which arg op ANY|ALL (rows
// with the value field) is TRUE, or with q.Not FALSE: a semi join of rows for
// which a comparison is TRUE, or an anti join of those for which one is not.
func quantifiedCond(q *plan.Subquery, arg plan.Expr, at int, field types.Field) (plan.JoinKind, plan.Expr) {
	op, all := q.Op, q.All
	if q.Not { // NOT (x > ANY) is x <= ALL, in three-valued logic too
		op, all = opposite(op), !all
	}
	value := &plan.Column{Index: at, T: field.Type, Name: field.Name}
	test := plan.Expr(&plan.OpExpr{Op: op, Args: []plan.Expr{arg, value}, T: types.Of(types.Boolean).WithNull(arg.Type().Nullable || field.Type.Nullable), Span: q.Span})
	if !all {
		return plan.Semi, test
	}
	return plan.Anti, &plan.OpExpr{Op: plan.IsNotTrue, Args: []plan.Expr{test}, T: types.Of(types.Boolean).NotNull(), Span: q.Span}
}

// opposite is the comparison that is TRUE where op is FALSE.
func opposite(op plan.Op) plan.Op {
	switch op {
	case plan.Eq:
		return plan.Ne
	case plan.Ne:
		return plan.Eq
	case plan.Lt:
		return plan.Ge
	case plan.Ge:
		return plan.Lt
	case plan.Gt:
		return plan.Le
	}
	return plan.Gt
}

// quantified joins the extremes and counts of q to in and returns the expression
// that has its value.
func quantified(o *Options, in plan.Node, q *plan.Subquery) (plan.Node, plan.Expr, error) {
	sub, err := Decorrelate(o, q.Plan)
	if err != nil {
		return nil, nil, err
	}
	width := len(sub.Schema().Fields)
	left := len(in.Schema().Fields)
	calls := sub.(*plan.Aggregate).Calls
	sub, conds, err := pull(sub, true, q.Span)
	if err != nil {
		return nil, nil, err
	}
	shift := len(sub.Schema().Fields) - width // pull puts added group keys in front
	join := makeJoin(plan.Left, in, sub, conds, false, q.Span)
	fields := join.Schema().Fields
	value := plan.Rewrite(q.Value, func(x plan.Expr) plan.Expr {
		c, ok := x.(*plan.Column)
		if !ok {
			return x
		}
		if c.Index == width {
			return q.Args[0]
		}
		at := left + shift + c.Index
		e := plan.Expr(&plan.Column{Index: at, T: fields[at].Type, Name: fields[at].Name})
		if calls[c.Index].Fn.Name == "COUNT" { // a group that is not there has no rows
			t := types.Of(types.BigInt).NotNull()
			e = &plan.OpExpr{Op: plan.Coalesce, Args: []plan.Expr{e, &plan.Literal{Value: int64(0), T: t}}, T: t}
		}
		return e
	})
	if q.Not {
		value = &plan.OpExpr{Op: plan.Not, Args: []plan.Expr{value}, T: value.Type(), Span: q.Span}
	}
	return join, value, nil
}

// unknownMatch is x [NOT] IN (rows) where match, of the row that was found, may
// be missing because of a NULL: the counts of rows and of their values tell. They
// are joined to in.
func unknownMatch(o *Options, in, rows plan.Node, q *plan.Subquery, match plan.Expr) (plan.Node, plan.Expr, error) {
	count := o.Functions.Lookup("COUNT")
	if len(count) == 0 {
		return nil, nil, diag.At(q.Span, diag.Internal, "there is no function COUNT")
	}
	number := types.Of(types.BigInt).NotNull()
	f := rows.Schema().Fields[0]
	agg := &plan.Aggregate{Input: rows, Calls: []plan.AggCall{
		{Fn: count[0], Filter: -1, T: number, Name: "$rows"},
		{Fn: count[0], Args: []int{0}, ArgTypes: []types.Type{f.Type}, Filter: -1, T: number, Name: "$values"},
	}}
	agg.Out = types.NewSchema(types.Field{Name: "$rows", Type: number}, types.Field{Name: "$values", Type: number})
	left := len(in.Schema().Fields)
	join := makeJoin(plan.Left, in, agg, nil, false, q.Span)
	truth := types.Of(types.Boolean).NotNull()
	zero := &plan.Literal{Value: int64(0), T: number}
	op := func(op plan.Op, args ...plan.Expr) plan.Expr {
		return &plan.OpExpr{Op: op, Args: args, T: truth, Span: q.Span}
	}
	counted := func(i int, name string) plan.Expr {
		c := &plan.Column{Index: left + i, T: number.OrNull(), Name: name}
		return &plan.OpExpr{Op: plan.Coalesce, Args: []plan.Expr{c, zero}, T: number}
	}
	all, known := counted(0, "$rows"), counted(1, "$values")
	value := func(v types.Value) plan.Expr { return &plan.Literal{Value: v, T: truth.OrNull()} }
	return join, &plan.OpExpr{Op: plan.Case, T: truth.OrNull(), Span: q.Span, Args: []plan.Expr{
		match, value(!q.Not),
		op(plan.Eq, all, zero), value(q.Not),
		op(plan.Or, op(plan.IsNull, q.Args[0]), op(plan.Gt, all, known)), value(nil),
		value(q.Not),
	}}, nil
}
