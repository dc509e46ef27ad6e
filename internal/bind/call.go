package bind

import (
	"errors"
	"strings"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/internal/sql/ast"
	"github.com/runnelio/runnel/types"
)

// call binds a call: syntax that is written as one, aggregates, OVER, and
// functions of the set.
func (b *binder) call(x *ast.Call, s *scope) (plan.Expr, error) {
	name := x.Func
	if name == "" { // qualified: the last part, if the catalog is ours
		name = strings.ToUpper(x.Name.Last())
	}
	if err := b.notYet(name, x.Pos()); err != nil {
		return nil, err
	}
	if s.match != nil {
		if e, ok, err := b.matchCall(name, x, s); ok || err != nil {
			return e, err
		}
	}
	if x.Over != nil {
		return b.over(name, x, s)
	}
	if e, ok, err := b.special(name, x, s); ok || err != nil {
		return e, err
	}
	if isRanking(name) {
		return nil, diag.At(x.Pos(), diag.NotAllowed, "%s needs OVER (…)", name)
	}
	if defs := b.Functions.Lookup(name); len(defs) > 0 && defs[0].Aggregate != nil {
		return b.aggregate(name, x, s)
	}
	if x.Distinct || x.Filter != nil || x.OrderBy != nil || x.WithinGroup != nil || x.WithinDistinct != nil {
		return nil, diag.At(x.Pos(), diag.NotAllowed, "%s is no aggregate function", name)
	}
	args, err := b.exprs(x.Args, s)
	if err != nil {
		return nil, err
	}
	span := x.Pos()
	if x.Name != nil && len(x.Args) == 0 {
		span = x.Name.Pos()
	}
	return b.function(name, args, span)
}

// later are functions that Flink has and this program does not have yet, with what
// serves instead.
var later = map[string]string{
	"FROM_CHANGELOG": "a table whose format carries changes, such as debezium-json, gives them",
	"TO_CHANGELOG":   "write to a table whose format carries changes, such as debezium-json",
	"ML_PREDICT":     "there are no models; a function written in Go can ask one",
	"ML_EVALUATE":    "there are no models; a function written in Go can ask one",
	"VECTOR_SEARCH":  "a function written in Go can search, or a lookup join by key",
}

// notYet refuses the functions that are still to come, unless the user made one of
// that name.
func (b *binder) notYet(name string, span diag.Span) error {
	name = strings.ToUpper(name)
	hint, ok := later[name]
	if !ok || b.Functions.Has(name) {
		return nil
	}
	return diag.At(span, diag.Unsupported, "function %s is not there yet", name).Hint("%s", hint)
}

// special binds calls that are syntax rather than functions.
func (b *binder) special(name string, x *ast.Call, s *scope) (plan.Expr, bool, error) {
	want := func(n int) error {
		if len(x.Args) != n {
			return diag.At(x.Pos(), diag.BadArgument, "%s takes %d arguments, not %d", name, n, len(x.Args))
		}
		return nil
	}
	switch name {
	case "COALESCE", "IFNULL", "NULLIF", "IF":
		args, err := b.exprs(x.Args, s)
		if err != nil {
			return nil, true, err
		}
		e, err := b.conditional(name, args, x, want)
		return e, true, err
	case "MOD":
		if err := want(2); err != nil {
			return nil, true, err
		}
		args, err := b.exprs(x.Args, s)
		if err != nil {
			return nil, true, err
		}
		e, err := arithmetic(plan.Mod, args[0], args[1], x.Pos())
		return e, true, err
	case "GROUPING", "GROUPING_ID", "GROUP_ID":
		e, err := b.grouping(name, x, s)
		return e, true, err
	case "PROCTIME":
		if err := want(0); err != nil {
			return nil, true, err
		}
		e, err := b.function(name, nil, x.Pos())
		if err != nil {
			return nil, true, err
		}
		if c, ok := e.(*plan.Call); ok {
			n := *c
			n.T = c.T.NotNull()
			n.T.Attr = types.Proctime
			e = &n
		}
		return e, true, nil
	case "TUMBLE", "HOP", "SESSION", "CUMULATE":
		if len(x.Args) > 0 {
			if _, ok := x.Args[0].(*ast.TableArg); ok {
				break
			}
		}
		return nil, true, diag.At(x.Pos(), diag.NotAllowed, "%s(…) can only stand in GROUP BY, or in FROM as TABLE(%s(TABLE t, DESCRIPTOR(time), …))", name, name)
	}
	if fn, part, ok := legacyPart(name); ok {
		e, err := b.legacy(fn, part, x, s)
		return e, true, err
	}
	return nil, false, nil
}

func (b *binder) conditional(name string, args []plan.Expr, x *ast.Call, want func(int) error) (plan.Expr, error) {
	switch name {
	case "COALESCE":
		if len(args) == 0 {
			return nil, diag.At(x.Pos(), diag.BadArgument, "COALESCE needs at least one argument")
		}
		return coalesce(name, args, x.Pos())
	case "IFNULL":
		if err := want(2); err != nil {
			return nil, err
		}
		if a, b := args[0].Type(), args[1].Type(); !a.Nullable && (a.IsChar() && b.IsChar() || a.IsBinary() && b.IsBinary()) {
			return args[0], nil
		}
		return coalesce(name, args, x.Pos())
	case "NULLIF":
		if err := want(2); err != nil {
			return nil, err
		}
		if isNull(args[0]) {
			return nil, illegalNull(x.Args[0].Pos())
		}
		eq, err := compare(plan.Eq, args[0], args[1], x.Pos())
		if err != nil {
			return nil, err
		}
		t := args[0].Type().Plain().OrNull()
		return &plan.OpExpr{Op: plan.Case, Args: []plan.Expr{eq, &plan.Literal{T: t}, args[0]}, T: t, Span: x.Pos()}, nil
	}
	if err := want(3); err != nil {
		return nil, err
	}
	for i, a := range args[1:] {
		if isNull(a) {
			return nil, illegalNull(x.Args[i+1].Pos())
		}
	}
	if isNull(args[0]) {
		return nil, illegalNull(x.Args[0].Pos())
	}
	for _, a := range args[1:] {
		if t := a.Type(); t.IsInterval() || t.Kind == types.Row {
			return nil, diag.At(x.Pos(), diag.TypeMismatch, "IF does not take %s", typeText(t)).Hint("use CASE WHEN … THEN … ELSE … END")
		}
	}
	if t := args[1].Type(); t.IsTimestamp() && args[2].Type().IsTimestamp() { // Flink takes that of the first
		args[2] = cast(args[2], t.WithNull(args[2].Type().Nullable))
	}
	return caseOf(name, args[:1], args[1:], x.Pos())
}

// timeDifference is (a - b) unit.
func (b *binder) timeDifference(x *ast.DateDiff, s *scope) (plan.Expr, error) {
	unit := x.Unit.From
	if x.Unit.To != "" {
		unit += " TO " + x.Unit.To
	}
	args, err := b.exprs([]ast.Expr{x.L, x.R}, s)
	if err != nil {
		return nil, err
	}
	for i, a := range args {
		if !a.Type().IsTemporal() {
			return nil, diag.At([]ast.Expr{x.L, x.R}[i].Pos(), diag.TypeMismatch, "(a - b) %s takes dates, times or timestamps, not %s", unit, typeText(a.Type()))
		}
	}
	return b.function("TIMESTAMPDIFF_INTERVAL", append(args, &plan.Literal{Value: unit, T: types.Of(types.Symbol).NotNull()}), x.Pos())
}

// function resolves a call of a function of the set and casts the arguments.
func (b *binder) function(name string, args []plan.Expr, span diag.Span) (plan.Expr, error) {
	def, sig, args, err := b.resolve(name, args, span)
	if err != nil {
		return nil, err
	}
	if def.Table != nil {
		return nil, diag.At(span, diag.NotAllowed, "%s gives a table", name).Hint("use it in FROM: LATERAL TABLE(%s(…))", name)
	}
	if def.Aggregate != nil {
		return nil, diag.At(span, diag.NotAllowed, "%s is an aggregate function", name)
	}
	if def.Scalar == nil {
		return nil, diag.At(span, diag.Unsupported, "%s cannot be used as a function here", name)
	}
	return &plan.Call{Fn: def, Args: args, T: sig.Result, Span: span}, nil
}

// resolve finds the overload and brings the arguments to its types.
func (b *binder) resolve(name string, args []plan.Expr, span diag.Span) (*function.Def, function.Signature, []plan.Expr, error) {
	known := make([]function.Arg, len(args))
	for i, a := range args {
		known[i] = function.Arg{Type: a.Type().Plain()}
		if strings.EqualFold(name, "CURRENT_WATERMARK") { // it asks for event time
			known[i].Type = a.Type()
		}
		if isNull(a) {
			known[i].Type, known[i].Const = types.Of(types.Null), true
		} else if l, ok := b.literal(a); ok {
			known[i].Const, known[i].Value = true, l.Value
			if l.T.Kind == types.Symbol {
				known[i].Type = l.T
			}
		}
	}
	def, sig, err := b.Functions.Resolve(name, known)
	if errors.Is(err, function.ErrUnknown) {
		if b.Catalog != nil && b.Catalog.HasFunction(name) {
			return nil, sig, nil, diag.At(span, diag.Unsupported, "function %s was created from a class that this program cannot load", name)
		}
		return nil, sig, nil, diag.At(span, diag.UnknownFunction, "no function %s", name).DidYouMean(name, b.Functions.Names())
	}
	if err != nil {
		return nil, sig, nil, diag.At(span, diag.TypeMismatch, "%s", err.Error())
	}
	out := make([]plan.Expr, len(args))
	for i, a := range args {
		out[i] = a
		if i >= len(sig.Args) {
			continue
		}
		t := sig.Args[i]
		if t.Kind == types.Symbol || t.Kind == types.Null && isNull(a) {
			continue
		}
		if a.Type().IsChar() && t.IsChar() && t.Kind == types.VarChar {
			continue // all texts are held alike, and CHAR is not padded
		}
		out[i] = cast(a, t)
	}
	return def, sig, out, nil
}

// project builds a projection with the given column names.
func project(in plan.Node, exprs []plan.Expr, names []string) plan.Node {
	fields := make([]types.Field, len(exprs))
	for i, e := range exprs {
		fields[i] = types.Field{Name: names[i], Type: e.Type()}
	}
	return &plan.Project{Input: in, Exprs: exprs, Out: types.NewSchema(fields...)}
}

// columnsOf returns the columns of a node as expressions.
func columnsOf(n plan.Node) []plan.Expr {
	fields := n.Schema().Fields
	out := make([]plan.Expr, len(fields))
	for i, f := range fields {
		out[i] = &plan.Column{Index: i, T: f.Type, Name: f.Name}
	}
	return out
}

// column is column i of a node.
func column(n plan.Node, i int) *plan.Column {
	f := n.Schema().Fields[i]
	return &plan.Column{Index: i, T: f.Type, Name: f.Name}
}
