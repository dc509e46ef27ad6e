package bind

import (
	"strings"

	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/internal/sql/ast"
	"github.com/runnelio/runnel/types"
)

// periods are the comparisons of two periods: (start, end or length).
func (b *binder) periods(x *ast.Binary, s *scope) (plan.Expr, error) {
	period := func(e ast.Expr) (lo, hi plan.Expr, err error) {
		r, ok := e.(*ast.Row)
		if !ok || len(r.Fields) != 2 {
			return nil, nil, diag.At(e.Pos(), diag.TypeMismatch, "%s compares periods: (start, end) or (start, length)", x.Op)
		}
		if lo, err = b.expr(r.Fields[0], s); err != nil {
			return nil, nil, err
		}
		if hi, err = b.expr(r.Fields[1], s); err != nil {
			return nil, nil, err
		}
		if hi.Type().IsInterval() {
			length := hi
			if hi, err = arithmetic(plan.Add, lo, hi, r.Pos()); err != nil {
				return nil, nil, err
			}
			if l, ok := b.literal(length); ok && !negativeInterval(l.Value) {
				return lo, hi, nil
			}
		}
		// Start and end may come in either order.
		swap, err := compare(plan.Gt, lo, hi, r.Pos())
		if err != nil {
			return nil, nil, err
		}
		first, err := caseOf(x.Op, []plan.Expr{swap}, []plan.Expr{hi, lo}, r.Pos())
		if err != nil {
			return nil, nil, err
		}
		last, err := caseOf(x.Op, []plan.Expr{swap}, []plan.Expr{lo, hi}, r.Pos())
		return first, last, err
	}
	l1, l2, err := period(x.L)
	if err != nil {
		return nil, err
	}
	r1, r2, err := period(x.R)
	if err != nil {
		return nil, err
	}
	both := func(op1 plan.Op, a1, b1 plan.Expr, op2 plan.Op, a2, b2 plan.Expr) (plan.Expr, error) {
		c1, err := compare(op1, a1, b1, x.Pos())
		if err != nil {
			return nil, err
		}
		c2, err := compare(op2, a2, b2, x.Pos())
		if err != nil {
			return nil, err
		}
		return logic(plan.And, []plan.Expr{c1, c2}, x.Pos())
	}
	switch x.Op {
	case "OVERLAPS":
		return both(plan.Ge, l2, r1, plan.Ge, r2, l1)
	case "CONTAINS":
		return both(plan.Le, l1, r1, plan.Ge, l2, r2)
	case "EQUALS":
		return both(plan.Eq, l1, r1, plan.Eq, l2, r2)
	case "PRECEDES":
		return compare(plan.Le, l2, r1, x.Pos())
	case "SUCCEEDS":
		return compare(plan.Ge, l1, r2, x.Pos())
	case "IMMEDIATELY PRECEDES":
		return compare(plan.Eq, l2, r1, x.Pos())
	}
	return compare(plan.Eq, l1, r2, x.Pos())
}

// negativeInterval tells whether an interval goes backwards.
func negativeInterval(v types.Value) bool {
	switch n := v.(type) {
	case int32:
		return n < 0
	case int64:
		return n < 0
	}
	return false
}

func (b *binder) is(x *ast.Is, s *scope) (plan.Expr, error) {
	v, err := b.expr(x.X, s)
	if err != nil {
		return nil, err
	}
	type pair [2]plan.Op
	ops := map[string]pair{"NULL": {plan.IsNull, plan.IsNotNull}, "TRUE": {plan.IsTrue, plan.IsNotTrue}, "FALSE": {plan.IsFalse, plan.IsNotFalse}, "UNKNOWN": {plan.IsNull, plan.IsNotNull}}
	if p, ok := ops[x.What]; ok {
		op := p[0]
		if x.Not {
			op = p[1]
		}
		if x.What == "UNKNOWN" && v.Type().Kind != types.Boolean && !isNull(v) {
			return nil, mismatch(x.Pos(), "IS UNKNOWN", v)
		}
		if _, ok := v.(*plan.Subquery); ok && isNull(v) {
			return nil, illegalNull(x.Pos())
		}
		return truth(op, v, x.Pos())
	}
	name := "IS " + x.What
	if x.Not {
		name = "IS NOT " + x.What
	}
	if !strings.HasPrefix(x.What, "JSON") {
		return nil, diag.At(x.Pos(), diag.Unsupported, "%s is not supported", name)
	}
	if b.Functions.Has(name) {
		return b.function(name, []plan.Expr{v}, x.Pos())
	}
	e, err := b.function("IS "+x.What, []plan.Expr{v}, x.Pos())
	if err != nil || !x.Not {
		return e, err
	}
	return not(e, x.Pos())
}

func (b *binder) between(x *ast.Between, s *scope) (plan.Expr, error) {
	v, err := b.expr(x.X, s)
	if err != nil {
		return nil, err
	}
	lo, err := b.expr(x.Low, s)
	if err != nil {
		return nil, err
	}
	hi, err := b.expr(x.High, s)
	if err != nil {
		return nil, err
	}
	span := x.Pos()
	within := func(lo, hi plan.Expr) (plan.Expr, error) {
		op1, op2, join := plan.Ge, plan.Le, plan.And
		if x.Not {
			op1, op2, join = plan.Lt, plan.Gt, plan.Or
		}
		a, err := compare(op1, v, lo, span)
		if err != nil {
			return nil, err
		}
		c, err := compare(op2, v, hi, span)
		if err != nil {
			return nil, err
		}
		return logic(join, []plan.Expr{a, c}, span)
	}
	e, err := within(lo, hi)
	if err != nil || !x.Symmetric {
		return e, err
	}
	f, err := within(hi, lo)
	if err != nil {
		return nil, err
	}
	join := plan.Or
	if x.Not {
		join = plan.And
	}
	return logic(join, []plan.Expr{e, f}, span)
}

func (b *binder) like(x *ast.Like, s *scope) (plan.Expr, error) {
	if x.Op == "RLIKE" || x.Op == "ILIKE" {
		return nil, diag.At(x.Pos(), diag.Unsupported, "%s is not supported", x.Op).Hint("use LIKE, SIMILAR TO or REGEXP")
	}
	es := []ast.Expr{x.X, x.Pattern}
	if x.Escape != nil {
		es = append(es, x.Escape)
	}
	args, err := b.exprs(es, s)
	if err != nil {
		return nil, err
	}
	for i, a := range args {
		if isNull(a) {
			args[i] = cast(a, types.String())
		}
	}
	e, err := b.function(x.Op, args, x.Pos())
	if err != nil || !x.Not {
		return e, err
	}
	return not(e, x.Pos())
}

func (b *binder) inExpr(x *ast.In, s *scope) (plan.Expr, error) {
	if x.Query != nil {
		return b.inQuery(x, s)
	}
	v, err := b.expr(x.X, s)
	if err != nil {
		return nil, err
	}
	items, err := b.exprs(x.List, s)
	if err != nil {
		return nil, err
	}
	e, err := b.in(v, items, x.Pos())
	if err != nil || !x.Not {
		return e, err
	}
	return not(e, x.Pos())
}

// inQuery is x [NOT] IN (query).
func (b *binder) inQuery(x *ast.In, s *scope) (plan.Expr, error) {
	var args []plan.Expr
	var err error
	if r, ok := x.X.(*ast.Row); ok {
		args, err = b.exprs(r.Fields, s)
	} else {
		args, err = b.exprs([]ast.Expr{x.X}, s)
	}
	if err != nil {
		return nil, err
	}
	n, err := b.subquery(x.Query, s)
	if err != nil {
		return nil, err
	}
	args, n, err = b.align(args, n, x.Pos())
	if err != nil {
		return nil, err
	}
	nullable := false
	for i, a := range args {
		nullable = nullable || a.Type().Nullable || n.Schema().Fields[i].Type.Nullable
	}
	return &plan.Subquery{Kind: plan.InSubquery, Not: x.Not, Args: args, Plan: n, T: boolean.WithNull(nullable), Span: b.place(x.Pos())}, nil
}

// align brings args and the columns of n to common types.
func (b *binder) align(args []plan.Expr, n plan.Node, span diag.Span) ([]plan.Expr, plan.Node, error) {
	fields := n.Schema().Fields
	if len(fields) != len(args) {
		return nil, nil, diag.At(span, diag.TypeMismatch, "the query has %d columns, but %d are compared", len(fields), len(args))
	}
	exprs := make([]plan.Expr, len(fields))
	changed := false
	for i, f := range fields {
		col := plan.Expr(&plan.Column{Index: i, T: f.Type, Name: f.Name})
		l, r, err := comparables(plan.Eq, args[i], col, span)
		if err != nil {
			return nil, nil, err
		}
		// Keys of a join must be of one type, sizes included.
		if t, ok := types.Common(l.Type().Plain(), r.Type().Plain()); ok && !l.Type().IsChar() {
			l, r = cast(l, t.WithNull(l.Type().Nullable)), cast(r, t.WithNull(r.Type().Nullable))
		}
		args[i], exprs[i] = l, r
		changed = changed || r != col
	}
	if changed {
		n = project(n, exprs, n.Schema().Names())
	}
	return args, n, nil
}
