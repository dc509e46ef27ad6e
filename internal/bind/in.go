package bind

import (
	"slices"

	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
)

// This file compares a value with a list, and collections of unlike members.

// in is x IN (items): the operator over constants, else a chain of equalities.
func (b *binder) in(x plan.Expr, items []plan.Expr, span diag.Span) (plan.Expr, error) {
	constant := true
	nullable := x.Type().Nullable
	all := append([]plan.Expr{x}, items...)
	mixed := false
	for _, e := range all {
		mixed = mixed || e.Type().IsChar()
	}
	if mixed { // '1' IN (1, 2): the texts are read as numbers
		if err := listTypes(items, span); err != nil {
			return nil, err
		}
		t := x.Type()
		if t.IsChar() {
			for _, o := range items {
				if !o.Type().IsChar() && !isNull(o) {
					t = o.Type()
					break
				}
			}
		}
		for i, e := range all {
			switch {
			case e.Type().Kind == types.Boolean:
				all[i] = cast(e, types.String().WithNull(e.Type().Nullable)) // TRUE is compared as a text
			case e.Type().IsChar() && !t.IsChar() && (t.IsNumeric() || t.IsTemporal()):
				all[i] = cast(e, t.WithNull(e.Type().Nullable))
			}
		}
	}
	if x.Type().Kind == types.Map || x.Type().Kind == types.Array {
		if _, ok := types.CommonOperand(typesOf(all)...); !ok { // members of other types are not equal
			return equalities(x, items, span)
		}
	}
	all, t, err := unify("IN", all, span)
	if err != nil {
		return nil, err
	}
	if t.IsNested() {
		constant = false
	}
	for i, e := range all[1:] {
		nullable = nullable || e.Type().Nullable
		if l, ok := b.literal(e); ok {
			all[i+1] = l
		} else {
			constant = false
		}
	}
	if constant {
		return &plan.OpExpr{Op: plan.In, Args: all, T: boolean.WithNull(nullable), Span: span}, nil
	}
	return equalities(all[0], all[1:], span)
}

// equalities is x = a OR x = b and so on.
func equalities(x plan.Expr, items []plan.Expr, span diag.Span) (plan.Expr, error) {
	var ors []plan.Expr
	for _, e := range items {
		eq, err := compare(plan.Eq, x, e, span)
		if err != nil {
			return nil, err
		}
		ors = append(ors, eq)
	}
	if len(ors) == 1 {
		return ors[0], nil
	}
	return logic(plan.Or, ors, span)
}

func typesOf(es []plan.Expr) []types.Type {
	out := make([]types.Type, len(es))
	for i, e := range es {
		out[i] = e.Type()
	}
	return out
}

// listTypes checks that the items of a list have a type in common: texts are
// read as what stands before IN, but not as one another.
func listTypes(items []plan.Expr, span diag.Span) error {
	ts := typesOf(items)
	if _, ok := types.CommonOperand(ts...); ok {
		return nil
	}
	text, other := false, false
	for _, t := range ts {
		text, other = text || t.IsChar(), other || t.IsNumeric() || t.Kind == types.Boolean
	}
	if text && other {
		return diag.At(span, diag.TypeMismatch, "the list of IN mixes texts with numbers or truth values").Hint("use CAST")
	}
	return nil
}

// unlike compares two arrays or two maps whose members have no type in common:
// they are different, unless one is NULL.
func unlike(op plan.Op, x, y plan.Expr, span diag.Span) (plan.Expr, bool) {
	a, b := x.Type(), y.Type()
	if a.Kind != b.Kind || a.Kind != types.Array && a.Kind != types.Map || op < plan.Eq {
		return nil, false
	}
	if _, ok := types.Common(a, b); ok {
		return nil, false
	}
	constant := func(v types.Value) plan.Expr { return &plan.Literal{Value: v, T: boolean.WithNull(v == nil)} }
	differ := constant(op == plan.Ne || op == plan.Distinct)
	isNull := func(e plan.Expr) plan.Expr {
		return &plan.OpExpr{Op: plan.IsNull, Args: []plan.Expr{e}, T: boolean.NotNull(), Span: span}
	}
	if !a.Nullable && !b.Nullable {
		return differ, true
	}
	switch op {
	case plan.Eq, plan.Ne:
		null := &plan.OpExpr{Op: plan.Or, Args: []plan.Expr{isNull(x), isNull(y)}, T: boolean.NotNull(), Span: span}
		return &plan.OpExpr{Op: plan.Case, Args: []plan.Expr{null, constant(nil), differ}, T: boolean, Span: span}, true
	case plan.Distinct, plan.NotDistinct:
		null := &plan.OpExpr{Op: plan.And, Args: []plan.Expr{isNull(x), isNull(y)}, T: boolean.NotNull(), Span: span}
		same := constant(op == plan.NotDistinct)
		return &plan.OpExpr{Op: plan.Case, Args: []plan.Expr{null, same, differ}, T: boolean.NotNull(), Span: span}, true
	}
	return nil, false
}

// rowWithNulls tells whether a field of a row may be NULL, and a comparison with it.
func rowWithNulls(t types.Type) bool {
	return t.Kind == types.Row && slices.ContainsFunc(t.Fields, func(f types.Field) bool { return f.Type.Nullable || rowWithNulls(f.Type) })
}
