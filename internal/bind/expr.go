package bind

import (
	"encoding/hex"
	"math"
	"slices"
	"strconv"
	"strings"

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
		return &plan.Subquery{Kind: plan.ExistsSubquery, Plan: n, T: boolean.NotNull(), Span: b.place(x.Pos())}, nil
	case *ast.Subquery:
		n, err := b.subquery(x.Query, s)
		if err != nil {
			return nil, err
		}
		if k := len(n.Schema().Fields); k != 1 {
			return nil, diag.At(x.Pos(), diag.TypeMismatch, "a query used as a value must have one column, not %d", k)
		}
		return &plan.Subquery{Kind: plan.ScalarSubquery, Plan: n, T: n.Schema().Fields[0].Type.Plain().OrNull(), Span: b.place(x.Pos())}, nil
	case *ast.Case:
		return b.caseExpr(x, s)
	case *ast.Cast:
		v, err := b.expr(x.X, s)
		if err != nil {
			return nil, err
		}
		if isNullLiteral(v) && !x.Try && castOfNull(v.Type(), x.Type.Type) {
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
	case *ast.TableArg:
		return nil, diag.At(x.Pos(), diag.Unsupported, "of the functions that are here only TUMBLE, HOP, CUMULATE, SESSION and RULES take a table").Hint("write a query with joins, or a function of rows with LATERAL TABLE(…)")
	case *ast.ModelArg:
		return nil, diag.At(x.Pos(), diag.Unsupported, "there are no models")
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
	if l, ok := v.(*plan.Literal); ok && l.Value == int32(math.MinInt32) { // - -2147483648
		return &plan.Literal{Value: int64(-math.MinInt32), T: types.Of(types.BigInt).NotNull()}, nil
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
