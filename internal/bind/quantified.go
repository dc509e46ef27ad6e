package bind

import (
	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/internal/sql/ast"
	"github.com/runnelio/runnel/types"
)

// quantified is x op ANY|ALL (…). = ANY is IN, <> ALL is NOT IN; the rest is a
// chain of comparisons over a list, and over a query a comparison with its
// extremes.
func (b *binder) quantified(x *ast.Quantified, s *scope) (plan.Expr, error) {
	isIn := x.Op == "=" && !x.All
	notIn := x.Op == "<>" && x.All
	if isIn || notIn {
		return b.inExpr(&ast.In{Place: x.Place, X: x.X, Not: notIn, List: x.List, Query: x.Query}, s)
	}
	if x.Query != nil {
		return b.quantifiedQuery(x, s)
	}
	v, err := b.expr(x.X, s)
	if err != nil {
		return nil, err
	}
	var es []plan.Expr
	for _, i := range x.List {
		e, err := b.expr(i, s)
		if err != nil {
			return nil, err
		}
		c, err := compare(binaryOps[x.Op], v, e, x.Pos())
		if err != nil {
			return nil, err
		}
		es = append(es, c)
	}
	if len(es) == 1 {
		return es[0], nil
	}
	if x.All {
		return logic(plan.And, es, x.Pos())
	}
	return logic(plan.Or, es, x.Pos())
}

// quantifiedQuery is x op ANY|ALL (query). What the comparison with the value
// that is hardest to get wrong says decides, if it is TRUE for ANY or FALSE for
// ALL: some row then says so. Else a NULL among the rows leaves it unknown. Over
// no rows ANY is FALSE and ALL is TRUE, whatever x is.
func (b *binder) quantifiedQuery(x *ast.Quantified, s *scope) (plan.Expr, error) {
	span := x.Pos()
	word := "ANY"
	if x.All {
		word = "ALL"
	}
	if _, ok := x.X.(*ast.Row); ok {
		return nil, diag.At(span, diag.Unsupported, "%s %s (query) compares single values; rows can be compared by = ANY and <> ALL", x.Op, word)
	}
	args, err := b.exprs([]ast.Expr{x.X}, s)
	if err != nil {
		return nil, err
	}
	n, err := b.subquery(x.Query, s)
	if err != nil {
		return nil, err
	}
	if args, n, err = b.align(args, n, span); err != nil {
		return nil, err
	}
	op := binaryOps[x.Op]
	value := column(n, 0)
	agg := &plan.Aggregate{Input: n}
	var fields []types.Field
	call := func(name string, in ...plan.Expr) (plan.Expr, error) {
		fn, in, t, err := b.aggResolve(name, in, span)
		if err != nil {
			return nil, err
		}
		c := plan.AggCall{Fn: fn, Filter: -1, T: t, Name: "$" + name}
		for range in {
			c.Args, c.ArgTypes = append(c.Args, 0), append(c.ArgTypes, value.Type())
		}
		if fn.Aggregate.EmptyIsNull {
			c.T = t.OrNull()
		}
		agg.Calls = append(agg.Calls, c)
		fields = append(fields, types.Field{Name: c.Name, Type: c.T})
		return &plan.Column{Index: len(fields) - 1, T: c.T, Name: c.Name}, nil
	}
	// The extremes that decide.
	var names []string
	switch {
	case op == plan.Eq || op == plan.Ne:
		names = []string{"MIN", "MAX"}
	case (op == plan.Gt || op == plan.Ge) == x.All:
		names = []string{"MAX"}
	default:
		names = []string{"MIN"}
	}
	extremes := make([]plan.Expr, len(names))
	for i, name := range names {
		if extremes[i], err = call(name, value); err != nil {
			return nil, diag.At(span, diag.Unsupported, "%s %s (query) cannot compare values of %s", x.Op, word, typeText(value.Type().Plain()))
		}
	}
	all, err := call("COUNT")
	if err != nil {
		return nil, err
	}
	known, err := call("COUNT", value)
	if err != nil {
		return nil, err
	}
	agg.Out = types.NewSchema(fields...)
	arg := &plan.Column{Index: len(fields), T: args[0].Type(), Name: "$x"}
	tests := make([]plan.Expr, len(extremes))
	for i, e := range extremes {
		if tests[i], err = compare(op, arg, e, span); err != nil {
			return nil, err
		}
	}
	test := tests[0]
	decides := plan.IsTrue
	if x.All {
		decides = plan.IsFalse
	}
	if len(tests) > 1 { // = ALL: both are; <> ANY: one is
		join := plan.Or
		if x.All {
			join = plan.And
		}
		if test, err = logic(join, tests, span); err != nil {
			return nil, err
		}
	}
	decided, err := truth(decides, test, span)
	if err != nil {
		return nil, err
	}
	zero := &plan.Literal{Value: int64(0), T: types.Of(types.BigInt).NotNull()}
	none, err := compare(plan.Eq, all, zero, span)
	if err != nil {
		return nil, err
	}
	nulls, err := compare(plan.Gt, all, known, span)
	if err != nil {
		return nil, err
	}
	constant := func(v types.Value) plan.Expr { return &plan.Literal{Value: v, T: boolean.WithNull(v == nil)} }
	result, err := caseOf(x.Op+" "+word, []plan.Expr{none, decided, nulls}, []plan.Expr{constant(x.All), constant(!x.All), cast(constant(nil), boolean), test}, span)
	if err != nil {
		return nil, err
	}
	return &plan.Subquery{Kind: plan.QuantifiedSubquery, Op: op, All: x.All, Args: args, Plan: agg, Value: result, T: result.Type(), Span: span}, nil
}
