package bind

import (
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/internal/sql/ast"
	"github.com/runnelio/runnel/types"
)

var binaryOps = map[string]plan.Op{
	"+": plan.Add, "-": plan.Sub, "*": plan.Mul, "/": plan.Div, "%": plan.Mod,
	"=": plan.Eq, "<>": plan.Ne, "<": plan.Lt, "<=": plan.Le, ">": plan.Gt, ">=": plan.Ge,
	"IS DISTINCT FROM": plan.Distinct, "IS NOT DISTINCT FROM": plan.NotDistinct, "AND": plan.And, "OR": plan.Or,
}

// expr binds an expression. The result may be a bare NULL, which the caller gives a type.
func (b *binder) expr(e ast.Expr, s *scope) (plan.Expr, error) {
	switch x := e.(type) {
	case *ast.NumberLit:
		return number(x.Text, x.Pos())
	case *ast.StringLit:
		return text(x.Value), nil
	case *ast.BinaryLit:
		raw, err := hex.DecodeString(x.Hex)
		if err != nil {
			return nil, diag.At(x.Pos(), diag.BadValue, "X'%s' is no hexadecimal text", x.Hex)
		}
		return &plan.Literal{Value: string(raw), T: types.BinaryOf(len(raw)).NotNull()}, nil
	case *ast.BoolLit:
		return &plan.Literal{Value: x.Value, T: boolean.NotNull()}, nil
	case *ast.NullLit:
		if x.Unknown {
			return &plan.Literal{T: boolean}, nil
		}
		return &plan.Literal{T: types.Of(types.Null)}, nil
	case *ast.TemporalLit:
		return temporal(x)
	case *ast.Interval:
		return b.interval(x, s)
	case *ast.Param:
		if x.Index >= len(b.Params) {
			return nil, diag.At(x.Pos(), diag.BadArgument, "parameter %d has no value: %d were given", x.Index+1, len(b.Params))
		}
		p := b.Params[x.Index]
		return &plan.Literal{Value: p.Value, T: p.Type.WithNull(p.Value == nil)}, nil
	case *ast.Ref:
		return b.ref(x, s)
	case *ast.Star:
		return nil, diag.At(x.Pos(), diag.NotAllowed, "* cannot stand here")
	case *ast.Field:
		v, err := b.expr(x.X, s)
		if err != nil {
			return nil, err
		}
		return b.fieldByName(v, x.Name)
	case *ast.Index:
		return b.index(x, s)
	case *ast.Unary:
		return b.unary(x, s)
	case *ast.Binary:
		return b.binary(x, s)
	case *ast.Is:
		return b.is(x, s)
	case *ast.Between:
		return b.between(x, s)
	case *ast.Like:
		return b.like(x, s)
	case *ast.In:
		return b.inExpr(x, s)
	case *ast.Quantified:
		return b.quantified(x, s)
	case *ast.Exists:
		if x.Unique {
			return nil, diag.At(x.Pos(), diag.Unsupported, "UNIQUE (query) is not supported")
		}
		n, err := b.subquery(x.Query, s)
		if err != nil {
			return nil, err
		}
		return &plan.Subquery{Kind: plan.ExistsSubquery, Plan: n, T: boolean.NotNull(), Span: x.Pos()}, nil
	case *ast.Subquery:
		n, err := b.subquery(x.Query, s)
		if err != nil {
			return nil, err
		}
		if k := len(n.Schema().Fields); k != 1 {
			return nil, diag.At(x.Pos(), diag.TypeMismatch, "a query used as a value must have one column, not %d", k)
		}
		return &plan.Subquery{Kind: plan.ScalarSubquery, Plan: n, T: n.Schema().Fields[0].Type.Plain().OrNull(), Span: x.Pos()}, nil
	case *ast.Case:
		return b.caseExpr(x, s)
	case *ast.Cast:
		v, err := b.expr(x.X, s)
		if err != nil {
			return nil, err
		}
		if isNullLiteral(v) && v.Type().IsNumeric() && x.Type.Type.IsTimestamp() { // only a NULL number becomes a time
			return &plan.Literal{T: x.Type.Type.OrNull()}, nil
		}
		return explicitCast(v, x.Type.Type, x.Try, x.Pos())
	case *ast.Row:
		fields, err := b.exprs(x.Fields, s)
		if err != nil {
			return nil, err
		}
		t := types.RowOf().NotNull()
		for i, f := range fields {
			if isNull(f) {
				return nil, illegalNull(x.Fields[i].Pos())
			}
			t.Fields = append(t.Fields, types.Field{Name: "EXPR$" + strconv.Itoa(i), Type: f.Type().Plain()})
		}
		return &plan.OpExpr{Op: plan.MakeRow, Args: fields, T: t, Span: x.Pos()}, nil
	case *ast.Collection:
		return b.collection(x, s)
	case *ast.Call:
		return b.call(x, s)
	case *ast.DateDiff:
		return b.timeDifference(x, s)
	case *ast.Symbol:
		return &plan.Literal{Value: x.Name, T: types.Of(types.Symbol).NotNull()}, nil
	case *ast.TypeArg:
		return &plan.Literal{T: x.Type.Type.OrNull()}, nil
	case *ast.NamedArg:
		return nil, diag.At(x.Pos(), diag.Unsupported, "only table functions take arguments by name")
	case *ast.DefaultArg:
		return nil, diag.At(x.Pos(), diag.Unsupported, "DEFAULT has no meaning here")
	}
	return nil, diag.At(e.Pos(), diag.NotAllowed, "this cannot stand in an expression")
}

func (b *binder) exprs(es []ast.Expr, s *scope) ([]plan.Expr, error) {
	out := make([]plan.Expr, len(es))
	for i, e := range es {
		var err error
		if out[i], err = b.expr(e, s); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// condition binds a BOOLEAN expression.
func (b *binder) condition(e ast.Expr, s *scope, what string) (plan.Expr, error) {
	x, err := b.expr(e, s)
	if err != nil {
		return nil, err
	}
	if isNull(x) {
		return cast(x, boolean), nil
	}
	if x.Type().Kind != types.Boolean {
		return nil, diag.At(e.Pos(), diag.TypeMismatch, "%s must be a condition, not %s", what, typeText(x.Type()))
	}
	return x, nil
}

// number is an unsigned numeric literal.
func number(s string, span diag.Span) (plan.Expr, error) {
	if strings.ContainsAny(s, "eE") {
		f, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return nil, diag.At(span, diag.BadValue, "number %s is out of range", s)
		}
		return &plan.Literal{Value: f, T: types.Of(types.Double).NotNull()}, nil
	}
	whole, frac, point := strings.Cut(s, ".")
	if !point {
		v, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return nil, diag.At(span, diag.BadValue, "number %s is out of range", s).Hint("CAST('%s' AS DECIMAL(38, 0)) holds 38 digits", s)
		}
		if v <= 1<<31-1 {
			return &plan.Literal{Value: int32(v), T: types.Of(types.Int).NotNull()}, nil
		}
		return &plan.Literal{Value: v, T: types.Of(types.BigInt).NotNull()}, nil
	}
	whole = strings.TrimLeft(whole, "0")
	p, sc := max(1, len(whole))+len(frac), len(frac)
	if frac == "" { // "1." is an integer in DECIMAL clothes
		p = max(1, len(whole))
	}
	if p > types.MaxDecimalPrecision {
		return nil, diag.At(span, diag.BadValue, "number %s has more than %d digits", s, types.MaxDecimalPrecision)
	}
	d, ok := types.ParseDec(s, p, sc)
	if !ok {
		return nil, diag.At(span, diag.BadValue, "%s is no number", s)
	}
	return &plan.Literal{Value: d, T: types.DecimalOf(p, sc).NotNull()}, nil
}

// text is a character literal; its length counts UTF-16 units, as Flink's does.
func text(s string) *plan.Literal {
	n := 0
	for _, r := range s {
		n += utf16.RuneLen(r)
		if utf16.RuneLen(r) < 0 {
			n += 2 // cannot be, but for a broken rune
		}
	}
	return &plan.Literal{Value: s, T: types.CharOf(n).NotNull()}
}

func temporal(x *ast.TemporalLit) (plan.Expr, error) {
	bad := func(form string) error {
		return diag.At(x.Pos(), diag.BadValue, "'%s' is no %s", x.Text, x.Kind).Hint("write it as %s", form)
	}
	prec := 0
	if _, frac, ok := strings.Cut(x.Text, "."); ok {
		prec = min(len(strings.TrimRight(frac, " ")), 9)
	}
	switch x.Kind {
	case "DATE":
		d, ok := types.ParseDate(x.Text)
		if y, m, day := types.CivilFromDays(int64(d)); !ok || !strings.Contains(x.Text, "-") || types.DaysFromCivil(y, m, day) != int64(d) {
			return nil, bad("yyyy-MM-dd")
		}
		return &plan.Literal{Value: d, T: types.Of(types.Date).NotNull()}, nil
	case "TIME":
		t, ok := types.ParseTime(x.Text, min(prec, 3))
		if !ok {
			return nil, bad("HH:mm:ss[.SSS]")
		}
		return &plan.Literal{Value: t, T: types.TimeOf(min(prec, 3)).NotNull()}, nil
	}
	t, ok := types.ParseTimestamp(x.Text, prec)
	if !ok {
		return nil, bad("yyyy-MM-dd HH:mm:ss[.SSS]")
	}
	return &plan.Literal{Value: t, T: types.TimestampOf(prec).NotNull()}, nil
}

func (b *binder) index(x *ast.Index, s *scope) (plan.Expr, error) {
	v, err := b.expr(x.X, s)
	if err != nil {
		return nil, err
	}
	i, err := b.expr(x.I, s)
	if err != nil {
		return nil, err
	}
	t, at := v.Type().Plain(), i.Type()
	switch t.Kind {
	case types.Array, types.Multiset:
		if !at.IsInteger() {
			return nil, diag.At(x.I.Pos(), diag.TypeMismatch, "the index of an array must be an integer, not %s", typeText(at))
		}
	case types.Map:
		if isNull(i) {
			i = cast(i, *t.Key)
		} else if at.IsChar() && t.Key.IsChar() {
			break
		} else if _, implicit := types.Castable(at, *t.Key); !implicit && !at.Same(*t.Key) {
			return nil, diag.At(x.I.Pos(), diag.TypeMismatch, "the keys of this map are %s, not %s", typeText(*t.Key), typeText(at))
		} else {
			i = cast(i, t.Key.WithNull(at.Nullable))
		}
	case types.Row:
		l, ok := b.literal(i)
		n, isInt := 0, false
		if ok {
			if v, ok := l.Value.(int32); ok {
				n, isInt = int(v), true
			}
		}
		if !isInt || n < 1 || n > len(t.Fields) {
			return nil, diag.At(x.I.Pos(), diag.BadArgument, "the index of a row must be a constant from 1 to %d", len(t.Fields))
		}
		return field(v, n-1), nil
	case types.Variant:
	default:
		return nil, diag.At(x.Pos(), diag.TypeMismatch, "%s has no elements", typeText(t))
	}
	return b.function("ITEM", []plan.Expr{v, i}, x.Pos())
}

func (b *binder) unary(x *ast.Unary, s *scope) (plan.Expr, error) {
	if x.Op == "-" { // the smallest integers only exist with their sign
		if n, ok := x.X.(*ast.NumberLit); ok {
			if v, err := strconv.ParseInt("-"+n.Text, 10, 64); err == nil {
				if v >= -1<<31 {
					return &plan.Literal{Value: int32(v), T: types.Of(types.Int).NotNull()}, nil
				}
				return &plan.Literal{Value: v, T: types.Of(types.BigInt).NotNull()}, nil
			}
		}
	}
	v, err := b.expr(x.X, s)
	if err != nil {
		return nil, err
	}
	switch x.Op {
	case "NOT":
		return not(v, x.Pos())
	case "+":
		if !v.Type().IsNumeric() && !v.Type().IsInterval() {
			return nil, mismatch(x.Pos(), "+", v)
		}
		return v, nil
	}
	return negate(v, x.Pos())
}

func (b *binder) binary(x *ast.Binary, s *scope) (plan.Expr, error) {
	op, known := binaryOps[x.Op]
	if known && (op == plan.And || op == plan.Or) {
		var es []plan.Expr
		for _, e := range flatten(x, x.Op) {
			v, err := b.expr(e, s)
			if err != nil {
				return nil, err
			}
			if k := v.Type().Kind; k != types.Boolean && k != types.Null {
				return nil, diag.At(e.Pos(), diag.TypeMismatch, "%s joins conditions, not %s", x.Op, typeText(v.Type()))
			}
			es = append(es, v)
		}
		return logic(op, es, x.Pos())
	}
	if x.Op == "OVERLAPS" || x.Op == "CONTAINS" || x.Op == "EQUALS" || strings.Contains(x.Op, "PRECEDES") || strings.Contains(x.Op, "SUCCEEDS") {
		return b.periods(x, s)
	}
	l, err := b.expr(x.L, s)
	if err != nil {
		return nil, err
	}
	r, err := b.expr(x.R, s)
	if err != nil {
		return nil, err
	}
	span := x.OpPlace.Span
	if span.IsZero() {
		span = x.Pos()
	}
	switch {
	case !known && x.Op == "||":
		if isNull(l) || isNull(r) {
			return nil, illegalNull(span)
		}
		return b.function("||", []plan.Expr{l, r}, span)
	case !known:
		return nil, diag.At(span, diag.Unsupported, "%s is not supported", x.Op)
	case op <= plan.Mod:
		return arithmetic(op, l, r, span)
	}
	return compare(op, l, r, span)
}

// flatten returns the operands of a chain of the same operator. It does not
// recurse on the left, where long chains are deep.
func flatten(e ast.Expr, op string) []ast.Expr {
	var rev []ast.Expr
	for {
		x, ok := e.(*ast.Binary)
		if !ok || x.Op != op {
			break
		}
		rev = append(rev, x.R)
		e = x.L
	}
	out := []ast.Expr{e}
	for i := len(rev) - 1; i >= 0; i-- {
		out = append(out, rev[i])
	}
	return out
}

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
			hi, err = arithmetic(plan.Add, lo, hi, r.Pos())
			return lo, hi, err
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
	return &plan.Subquery{Kind: plan.InSubquery, Not: x.Not, Args: args, Plan: n, T: boolean.WithNull(nullable), Span: x.Pos()}, nil
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

// quantified is x op ANY|ALL (…). = ANY is IN, <> ALL is NOT IN; over lists the
// rest is a chain of comparisons.
func (b *binder) quantified(x *ast.Quantified, s *scope) (plan.Expr, error) {
	isIn := x.Op == "=" && !x.All
	notIn := x.Op == "<>" && x.All
	if isIn || notIn {
		return b.inExpr(&ast.In{Place: x.Place, X: x.X, Not: notIn, List: x.List, Query: x.Query}, s)
	}
	if x.Query != nil {
		return nil, diag.At(x.Pos(), diag.Unsupported, "%s ANY and ALL over a query are supported for = ANY and <> ALL only", x.Op).
			Hint("compare with a sub-query of MIN or MAX")
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

func (b *binder) caseExpr(x *ast.Case, s *scope) (plan.Expr, error) {
	var operand plan.Expr
	var err error
	if x.Operand != nil {
		if operand, err = b.expr(x.Operand, s); err != nil {
			return nil, err
		}
	}
	var conds, results []plan.Expr
	for _, w := range x.Whens {
		var ors []plan.Expr
		for _, c := range w.Conds {
			v, err := b.expr(c, s)
			if err != nil {
				return nil, err
			}
			if operand != nil {
				if v, err = compare(plan.Eq, operand, v, c.Pos()); err != nil {
					return nil, err
				}
			}
			ors = append(ors, v)
		}
		cond := ors[0]
		if len(ors) > 1 {
			if cond, err = logic(plan.Or, ors, w.Pos()); err != nil {
				return nil, err
			}
		}
		v, err := b.expr(w.Then, s)
		if err != nil {
			return nil, err
		}
		conds, results = append(conds, cond), append(results, v)
	}
	other := plan.Expr(&plan.Literal{T: types.Of(types.Null)})
	if x.Else != nil {
		if other, err = b.expr(x.Else, s); err != nil {
			return nil, err
		}
	}
	return caseOf("CASE", conds, append(results, other), x.Pos())
}

func (b *binder) collection(x *ast.Collection, s *scope) (plan.Expr, error) {
	if x.Query != nil {
		return nil, diag.At(x.Pos(), diag.Unsupported, "%s over a query is not supported", x.Kind).Hint("use a sub-query with ARRAY_AGG or COLLECT")
	}
	if x.Kind == "MULTISET" {
		return nil, diag.At(x.Pos(), diag.Unsupported, "MULTISET[…] is not supported").Hint("COLLECT makes multisets")
	}
	es, err := b.exprs(x.Elems, s)
	if err != nil {
		return nil, err
	}
	if x.Kind == "ARRAY" {
		if len(es) == 0 {
			return nil, diag.At(x.Pos(), diag.BadArgument, "ARRAY[] needs at least one element")
		}
		es, t, err := b.elements("ARRAY", es, x.Pos())
		if err != nil {
			return nil, err
		}
		return &plan.OpExpr{Op: plan.MakeArray, Args: es, T: types.ArrayOf(t).NotNull(), Span: x.Pos()}, nil
	}
	if len(es) == 0 || len(es)%2 != 0 {
		return nil, diag.At(x.Pos(), diag.BadArgument, "MAP[…] needs keys and values in turn, not %d elements", len(es))
	}
	var ks, vs []plan.Expr
	for i := 0; i < len(es); i += 2 {
		ks, vs = append(ks, es[i]), append(vs, es[i+1])
	}
	ks, kt, err := b.elements("MAP", ks, x.Pos())
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(vs, func(v plan.Expr) bool { return !isNull(v) }) { // all NULL: as Flink, of the keys' type
		for i := range vs {
			vs[i] = cast(vs[i], kt)
		}
	}
	vs, vt, err := b.elements("MAP", vs, x.Pos())
	if err != nil {
		return nil, err
	}
	for i := range ks {
		es[2*i], es[2*i+1] = ks[i], vs[i]
	}
	return &plan.OpExpr{Op: plan.MakeMap, Args: es, T: types.MapOf(kt, vt).NotNull(), Span: x.Pos()}, nil
}

// elements unifies the members of a collection.
func (b *binder) elements(what string, es []plan.Expr, span diag.Span) ([]plan.Expr, types.Type, error) {
	out, t, err := unify(what, es, span)
	return out, t.Plain(), err
}
