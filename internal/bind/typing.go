package bind

import (
	"strings"

	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
)

// This file gives operators their types and inserts the conversions Flink makes
// unasked. Nothing in it knows names.

var boolean = types.Of(types.Boolean)

// isNull tells whether e is a bare NULL, whose type is not known.
func isNull(e plan.Expr) bool { return e.Type().Kind == types.Null }

// isNullLiteral tells whether e is NULL, of whatever type.
func isNullLiteral(e plan.Expr) bool {
	l, ok := e.(*plan.Literal)
	return ok && l.Value == nil && l.T.Kind != types.Symbol
}

// cast returns e as t if it is not of that type already; only NULL keeps its
// nullability apart from t's.
func cast(e plan.Expr, t types.Type) plan.Expr {
	from := e.Type()
	t = t.Plain()
	if isNull(e) {
		return &plan.Literal{T: t.OrNull()}
	}
	if alike(from, t) {
		return e
	}
	return &plan.Cast{X: e, T: t.WithNull(from.Nullable)}
}

// alike tells whether values of a are values of b as they stand.
func alike(a, b types.Type) bool {
	if a.Kind != b.Kind || a.Scale != b.Scale || a.Prec != b.Prec || a.Class != b.Class || len(a.Fields) != len(b.Fields) {
		return false
	}
	if (a.Elem == nil) != (b.Elem == nil) || a.Elem != nil && !alike(*a.Elem, *b.Elem) {
		return false
	}
	if (a.Key == nil) != (b.Key == nil) || a.Key != nil && !alike(*a.Key, *b.Key) {
		return false
	}
	for i := range a.Fields {
		if !alike(a.Fields[i].Type, b.Fields[i].Type) || a.Fields[i].Name != b.Fields[i].Name {
			return false
		}
	}
	return true
}

// decimalOf is the DECIMAL that holds an exact number type.
func decimalOf(t types.Type) types.Type {
	p := map[types.Kind]int{types.TinyInt: 3, types.SmallInt: 5, types.Int: 10, types.BigInt: 19}[t.Kind]
	if p == 0 {
		return t
	}
	return types.DecimalOf(p, 0).WithNull(t.Nullable)
}

// operands casts the operands of an operator on numbers to what it computes in: the
// result's kind, or DECIMALs of any size.
func operands(res types.Type, es ...plan.Expr) []plan.Expr {
	out := make([]plan.Expr, len(es))
	for i, e := range es {
		if res.Kind == types.Decimal {
			out[i] = cast(e, decimalOf(e.Type()))
		} else {
			out[i] = cast(e, res.WithNull(e.Type().Nullable))
		}
	}
	return out
}

func mismatch(span diag.Span, op string, es ...plan.Expr) *diag.Error {
	texts := ""
	for i, e := range es {
		if i > 0 {
			texts += " and "
		}
		texts += typeText(e.Type())
	}
	return diag.At(span, diag.TypeMismatch, "%s does not take %s", op, texts)
}

// typeText is a type without the NOT NULL that does not matter.
func typeText(t types.Type) string {
	if t.Kind == types.Null {
		return "NULL"
	}
	return t.Plain().OrNull().String()
}

func illegalNull(span diag.Span) *diag.Error {
	return diag.At(span, diag.TypeMismatch, "NULL has no type here").Hint("write CAST(NULL AS INT), or the type that is meant")
}

// arithmetic is + - * / %.
func arithmetic(op plan.Op, x, y plan.Expr, span diag.Span) (plan.Expr, error) {
	if isNull(x) || isNull(y) {
		return nil, illegalNull(span)
	}
	a, b := x.Type().Plain(), y.Type().Plain()
	if a.IsNumeric() && b.IsNumeric() {
		return numeric(op, x, y, span)
	}
	null := a.Nullable || b.Nullable
	switch {
	case a.IsInterval() && b.Kind == a.Kind && (op == plan.Add || op == plan.Sub):
		return &plan.OpExpr{Op: op, Args: []plan.Expr{x, y}, T: a.WithNull(null), Span: span}, nil
	case a.IsInterval() && b.IsNumeric() && (op == plan.Mul || op == plan.Div):
		if !b.IsInteger() {
			return nil, diag.At(span, diag.TypeMismatch, "an interval can be multiplied and divided by integers only, not %s", typeText(b))
		}
		return &plan.OpExpr{Op: op, Args: []plan.Expr{x, cast(y, types.Of(types.BigInt).WithNull(b.Nullable))}, T: a.WithNull(null), Span: span}, nil
	case a.IsNumeric() && b.IsInterval() && op == plan.Mul:
		return arithmetic(op, y, x, span)
	case a.IsTemporal() && b.IsInterval() && (op == plan.Add || op == plan.Sub):
		if a.Kind == types.Time && b.Kind == types.IntervalYM {
			if _, ok := y.(*plan.Literal); !ok {
				break
			}
			if isNullLiteral(y) {
				return &plan.Literal{T: a.OrNull()}, nil
			}
			return x, nil // months do not move a time of the day
		}
		return &plan.OpExpr{Op: op, Args: []plan.Expr{x, y}, T: a.WithNull(null), Span: span}, nil
	case a.IsInterval() && b.IsTemporal() && op == plan.Add:
		return arithmetic(op, y, x, span)
	}
	e := mismatch(span, op.String(), x, y)
	if a.IsTemporal() && b.IsTemporal() && op == plan.Sub {
		e = e.Hint("write (a - b) SECOND, or TIMESTAMPDIFF")
	} else if a.IsChar() && b.IsChar() && op == plan.Add {
		e = e.Hint("texts are joined with ||")
	}
	return nil, e
}

func numeric(op plan.Op, x, y plan.Expr, span diag.Span) (plan.Expr, error) {
	a, b := x.Type().Plain(), y.Type().Plain()
	var t types.Type
	var ok bool
	switch op {
	case plan.Mul:
		t, ok = types.MulType(a, b)
	case plan.Div:
		t, ok = types.DivType(a, b)
	case plan.Mod:
		if t, ok = types.ModType(a, b); ok && t.Kind != types.Decimal || a.Scale == 0 && b.Scale == 0 && ok {
			// Computed in the wider type; the remainder fits in that of the divisor.
			wide, _ := types.AddType(a, b)
			if wide.Kind == types.Decimal {
				wide = types.DecimalOf(types.MaxDecimalPrecision, 0).WithNull(t.Nullable)
			}
			e := &plan.OpExpr{Op: op, Args: operands(wide, x, y), T: wide, Span: span}
			return cast(e, t), nil
		}
	default:
		t, ok = types.AddType(a, b)
	}
	if !ok {
		return nil, mismatch(span, op.String(), x, y)
	}
	return &plan.OpExpr{Op: op, Args: operands(t, x, y), T: t, Span: span}, nil
}

// negate is unary minus.
func negate(x plan.Expr, span diag.Span) (plan.Expr, error) {
	if isNull(x) {
		return nil, illegalNull(span)
	}
	t := x.Type().Plain()
	if !t.IsNumeric() && !t.IsInterval() {
		return nil, mismatch(span, "-", x)
	}
	return &plan.OpExpr{Op: plan.Neg, Args: []plan.Expr{x}, T: t, Span: span}, nil
}

// compare is a comparison; the operands are brought to one type.
func compare(op plan.Op, x, y plan.Expr, span diag.Span) (plan.Expr, error) {
	if isNull(x) && isNull(y) {
		x, y = cast(x, boolean), cast(y, boolean)
	}
	if (isNullLiteral(x) || isNullLiteral(y)) && op != plan.Distinct && op != plan.NotDistinct && simple(x.Type()) && simple(y.Type()) && textOrNumber(x.Type(), y.Type()) {
		return &plan.Literal{T: boolean}, nil // whatever the other is, and not read as a number or time
	}
	if e, ok := unlike(op, x, y, span); ok {
		return e, nil
	}
	x, y, err := comparables(op, x, y, span)
	if err != nil {
		return nil, err
	}
	t := boolean.WithNull(x.Type().Nullable || y.Type().Nullable || rowWithNulls(x.Type()) || rowWithNulls(y.Type()))
	if op == plan.Distinct || op == plan.NotDistinct {
		t = boolean.NotNull()
	}
	return &plan.OpExpr{Op: op, Args: []plan.Expr{x, y}, T: t, Span: span}, nil
}

func simple(t types.Type) bool { return !t.IsNested() && t.Kind != types.Null && t.Kind < types.Raw }

// textOrNumber tells whether exactly one of the types is a text.
func textOrNumber(a, b types.Type) bool {
	return a.IsChar() != b.IsChar() && !a.IsBinary() && !b.IsBinary()
}

// comparables brings the operands of a comparison to a type in which they can
// be compared.
func comparables(op plan.Op, x, y plan.Expr, span diag.Span) (plan.Expr, plan.Expr, error) {
	a, b := x.Type().Plain(), y.Type().Plain()
	switch {
	case isNull(x):
		return cast(x, b), y, nil
	case isNull(y):
		return x, cast(y, a), nil
	case a.IsNumeric() && b.IsNumeric():
		t, _ := types.Common(a, b)
		out := operands(t, x, y)
		return out[0], out[1], nil
	case a.IsChar() && b.IsChar(), a.IsBinary() && b.IsBinary():
		return x, y, nil
	case a.IsTimestamp() && b.IsTimestamp() && a.Kind == b.Kind:
		return x, y, nil
	case a.IsNumeric() && b.IsChar(), a.IsChar() && b.IsNumeric():
		if op == plan.Eq || op == plan.Ne || op == plan.Distinct || op == plan.NotDistinct {
			e := diag.At(span, diag.TypeMismatch, "a number is not compared with a text by %s: %s and %s", op, typeText(a), typeText(b))
			return nil, nil, e.Hint("use CAST")
		}
		if a.IsChar() {
			return cast(x, b.WithNull(a.Nullable)), y, nil
		}
		return x, cast(y, a.WithNull(b.Nullable)), nil
	case a.IsTemporal() && b.IsChar():
		return x, cast(y, timeOfText(a).WithNull(b.Nullable)), nil
	case a.IsChar() && b.IsTemporal():
		return cast(x, timeOfText(b).WithNull(a.Nullable)), y, nil
	case (a.Kind == types.Boolean || a.IsInterval()) && b.IsChar():
		return cast(x, types.String().WithNull(a.Nullable)), y, nil
	case a.IsChar() && (b.Kind == types.Boolean || b.IsInterval()):
		return x, cast(y, types.String().WithNull(b.Nullable)), nil
	}
	t, ok := types.Common(a, b)
	if !ok || !orderable(t) && op != plan.Eq && op != plan.Ne && op != plan.Distinct && op != plan.NotDistinct {
		return nil, nil, mismatch(span, op.String(), x, y)
	}
	return cast(x, t.WithNull(a.Nullable)), cast(y, t.WithNull(b.Nullable)), nil
}

// timeOfText is the type a text is read as to be compared with t: all its digits count.
func timeOfText(t types.Type) types.Type {
	if t.IsTimestamp() {
		t.Prec = max(t.Prec, 3)
	}
	return t
}

func orderable(t types.Type) bool {
	return !t.IsNested() && t.Kind != types.Raw && t.Kind != types.Variant && t.Kind != types.Bitmap
}

// logic is AND and OR.
func logic(op plan.Op, es []plan.Expr, span diag.Span) (plan.Expr, error) {
	nullable := false
	for i, e := range es {
		if isNull(e) {
			es[i] = cast(e, boolean)
		} else if e.Type().Kind != types.Boolean {
			return nil, mismatch(span, op.String(), e)
		}
		nullable = nullable || es[i].Type().Nullable
	}
	return &plan.OpExpr{Op: op, Args: es, T: boolean.WithNull(nullable), Span: span}, nil
}

// not is NOT.
func not(x plan.Expr, span diag.Span) (plan.Expr, error) {
	if isNull(x) {
		x = cast(x, boolean)
	}
	if x.Type().Kind != types.Boolean {
		return nil, mismatch(span, "NOT", x)
	}
	return &plan.OpExpr{Op: plan.Not, Args: []plan.Expr{x}, T: x.Type(), Span: span}, nil
}

// unify casts es to the type they have in common. nullable is set if one is.
func unify(what string, es []plan.Expr, span diag.Span) ([]plan.Expr, types.Type, error) {
	ts := make([]types.Type, len(es))
	for i, e := range es {
		ts[i] = e.Type()
	}
	join := types.CommonOperand
	if what == "COALESCE" || what == "IFNULL" {
		join = types.Common
	}
	t, ok := join(ts...)
	if !ok && (what == "COALESCE" || what == "IFNULL") {
		t, ok = partOfTimestamp(ts)
	}
	if !ok {
		texts := ""
		for i, u := range ts {
			if i > 0 {
				texts += ", "
			}
			texts += typeText(u)
		}
		return nil, t, diag.At(span, diag.TypeMismatch, "%s mixes types that have nothing in common: %s", what, texts)
	}
	if t.Kind == types.Null {
		return nil, t, illegalNull(span)
	}
	if len(es) > 1 {
		t = t.Plain()
	}
	out := make([]plan.Expr, len(es))
	for i, e := range es {
		if len(es) == 1 {
			out[i] = e
		} else {
			out[i] = cast(e, t.WithNull(ts[i].Nullable))
		}
	}
	return out, t, nil
}

// partOfTimestamp is the type that COALESCE gives DATE beside TIMESTAMP, and TIME
// beside TIMESTAMP: the part of the timestamp that both have.
func partOfTimestamp(ts []types.Type) (types.Type, bool) {
	var part types.Type
	null, stamps := false, false
	for _, t := range ts {
		null = null || t.Nullable
		switch {
		case t.Kind == types.Timestamp:
			stamps = true
		case (t.Kind == types.Date || t.Kind == types.Time) && (part.Kind == types.Null || part.Kind == t.Kind):
			part = t
		default:
			return part, false
		}
	}
	return part.WithNull(null), stamps && part.Kind != types.Null
}

// caseOf builds a CASE of conditions and results, the last result being ELSE.
func caseOf(what string, conds, results []plan.Expr, span diag.Span) (plan.Expr, error) {
	results, t, err := unify(what, results, span)
	if err != nil {
		return nil, err
	}
	var args []plan.Expr
	for i, c := range conds {
		if isNull(c) {
			c = cast(c, boolean)
		}
		if c.Type().Kind != types.Boolean {
			return nil, mismatch(span, "a condition of "+what, c)
		}
		args = append(args, c, results[i])
	}
	args = append(args, results[len(results)-1])
	return &plan.OpExpr{Op: plan.Case, Args: args, T: t, Span: span}, nil
}

// coalesce is COALESCE: NOT NULL as soon as one argument is.
func coalesce(what string, es []plan.Expr, span diag.Span) (plan.Expr, error) {
	es, t, err := unify(what, es, span)
	if err != nil {
		return nil, err
	}
	nullable := true
	for _, e := range es {
		nullable = nullable && e.Type().Nullable
	}
	if len(es) == 1 {
		return es[0], nil
	}
	return &plan.OpExpr{Op: plan.Coalesce, Args: es, T: t.WithNull(nullable), Span: span}, nil
}

// castOfNull tells whether a NULL of one type may be cast to another though
// values may not: what Flink's validator lets pass and its runtime never sees.
func castOfNull(from, to types.Type) bool {
	return (from.IsNumeric() || from.IsBinary()) && to.IsTimestamp() || from.IsTimestamp() && to.IsNumeric() || from.IsChar() && to.IsInterval()
}

// explicitCast is CAST and TRY_CAST.
func explicitCast(x plan.Expr, t types.Type, try bool, span diag.Span) (plan.Expr, error) {
	from := x.Type().Plain()
	if isNull(x) {
		return &plan.Literal{T: t.OrNull()}, nil
	}
	if explicit, _ := types.Castable(from, t); !explicit {
		return nil, diag.At(span, diag.TypeMismatch, "%s cannot be cast to %s", typeText(from), typeText(t))
	}
	if from.IsNumeric() && t.IsInterval() {
		if strings.Contains(t.Unit, " ") || try && from.Kind == types.Decimal {
			return nil, diag.At(span, diag.TypeMismatch, "%s cannot be cast to INTERVAL %s", typeText(from), t.Unit).Hint("multiply: x * INTERVAL '1' SECOND")
		}
		if l, ok := x.(*plan.Literal); ok && !try && l.Value != nil {
			return &plan.Literal{Value: units(l, t), T: t.NotNull()}, nil
		}
		if t.Unit = "MONTH"; t.Kind == types.IntervalDS {
			t.Unit = "MILLISECOND"
		}
	}
	if try {
		return &plan.Cast{X: x, T: t.OrNull(), Try: true, Span: span}, nil
	}
	t = t.WithNull(from.Nullable)
	if from.Equal(t) {
		if x.Type().Attr == types.NoTime {
			return x, nil
		}
	}
	return &plan.Cast{X: x, T: t, Span: span}, nil
}

// units is a number literal as that many of the units of an interval type, cut
// to milliseconds or months. A number that was cast before is no literal: it
// counts those.
func units(l *plan.Literal, t types.Type) types.Value {
	exact := decimalOf(l.T)
	d, err := types.CastValue(l.Value, l.T, exact, nil, false)
	if err != nil || d == nil {
		return nil
	}
	p, _ := d.(types.Dec).Mul(types.DecFromInt64(t.UnitLength()))
	if n := p.ToInt64(exact.Scale); t.Kind == types.IntervalDS {
		return n
	} else {
		return int32(n)
	}
}

// field is the access to a field of a row.
func field(x plan.Expr, i int) plan.Expr {
	t := x.Type()
	return &plan.OpExpr{Op: plan.Field, Args: []plan.Expr{x}, Index: i, T: t.Fields[i].Type.WithNull(t.Nullable || t.Fields[i].Type.Nullable)}
}

// truth is IS [NOT] TRUE, FALSE, UNKNOWN, NULL.
func truth(op plan.Op, x plan.Expr, span diag.Span) (plan.Expr, error) {
	if isNull(x) {
		x = cast(x, boolean)
	}
	if op != plan.IsNull && op != plan.IsNotNull && x.Type().Kind != types.Boolean {
		return nil, mismatch(span, op.String(), x)
	}
	return &plan.OpExpr{Op: op, Args: []plan.Expr{x}, T: boolean.NotNull(), Span: span}, nil
}
