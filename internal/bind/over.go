package bind

import (
	"errors"
	"fmt"
	"slices"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/internal/sql/ast"
	"github.com/runnelio/runnel/types"
)

// overs collects the OVER calls of a SELECT, as aggregation does aggregates.
type overs struct{ calls []overCall }

type overCall struct {
	fn        *function.Def
	args      []plan.Expr
	consts    map[int]types.Value
	filter    plan.Expr
	distinct  bool
	t         types.Type
	partition []plan.Expr
	order     []orderKey
	frame     plan.Frame
	span      diag.Span
	ordered   diag.Span // the first key of order, or the window
}

type orderKey struct {
	x          plan.Expr
	desc       bool
	nullsFirst bool
}

// overRef stands for the result of an OVER call.
type overRef struct {
	index int
	t     types.Type
}

func (e *overRef) Type() types.Type                   { return e.t }
func (e *overRef) Children() []plan.Expr              { return nil }
func (e *overRef) WithChildren([]plan.Expr) plan.Expr { return e }

// rankings are the functions that exist only with OVER, with their types.
var rankings = map[string]function.Infer{
	"ROW_NUMBER": noArgs(types.BigInt), "RANK": noArgs(types.BigInt), "DENSE_RANK": noArgs(types.BigInt),
	"PERCENT_RANK": noArgs(types.Double), "CUME_DIST": noArgs(types.Double), "NTILE": inferTiles, "LAG": inferShift, "LEAD": inferShift,
}

func noArgs(k types.Kind) function.Infer {
	return func(args []function.Arg) (function.Signature, error) {
		if len(args) > 0 {
			return function.Signature{}, errors.New("takes no argument")
		}
		return function.Signature{Result: types.Of(k).NotNull()}, nil
	}
}

func inferTiles(args []function.Arg) (function.Signature, error) {
	if len(args) != 1 || !args[0].Const || !args[0].Type.IsInteger() {
		return function.Signature{}, errors.New("takes a constant number of parts")
	}
	return function.Signature{Args: []types.Type{types.Of(types.Int).NotNull()}, Result: types.Of(types.BigInt).NotNull()}, nil
}

func inferShift(args []function.Arg) (function.Signature, error) {
	var sig function.Signature
	if len(args) < 1 || len(args) > 3 {
		return sig, errors.New("takes a value, an offset and a default")
	}
	sig.Result = args[0].Type.OrNull()
	for _, a := range args {
		sig.Args = append(sig.Args, a.Type)
	}
	if len(args) > 1 {
		if !args[1].Const || !args[1].Type.IsInteger() || args[1].Value == nil {
			return sig, errors.New("takes a constant integer as its offset")
		}
		sig.Args[1] = types.Of(types.BigInt).NotNull()
	}
	if len(args) == 3 {
		t, ok := types.Common(args[0].Type, args[2].Type)
		if !ok {
			return sig, fmt.Errorf("cannot mix %s with a default of %s", typeText(args[0].Type), typeText(args[2].Type))
		}
		sig.Args[0], sig.Args[2], sig.Result = t.WithNull(args[0].Type.Nullable), t.WithNull(args[2].Type.Nullable), t
	}
	return sig, nil
}

func isRanking(name string) bool { return rankings[name] != nil }

// over binds f(…) OVER (…).
func (b *binder) over(name string, x *ast.Call, s *scope) (plan.Expr, error) {
	if s.over == nil {
		return nil, diag.At(x.Pos(), diag.NotAllowed, "OVER can stand in SELECT, QUALIFY and ORDER BY only").
			Hint("compute it in a sub-query and filter above")
	}
	c := overCall{span: x.Pos(), distinct: x.Distinct}
	inner := *s
	inner.over = nil
	if isRanking(name) {
		defs := b.Functions.Lookup(name)
		if len(defs) == 0 || defs[0].Aggregate == nil {
			return nil, diag.At(x.Pos(), diag.Unsupported, "%s is not supported: it needs rows behind the current one", name)
		}
		if x.Distinct || x.Filter != nil {
			return nil, diag.At(x.Pos(), diag.NotAllowed, "%s takes neither DISTINCT nor FILTER", name)
		}
		args, err := b.exprs(x.Args, &inner)
		if err != nil {
			return nil, err
		}
		known := make([]function.Arg, len(args))
		for i, a := range args {
			known[i].Type = a.Type().Plain()
			if l, ok := b.literal(a); ok {
				known[i].Const, known[i].Value = true, l.Value
			}
		}
		sig, err := rankings[name](known)
		if err != nil {
			return nil, diag.At(x.Pos(), diag.BadArgument, "%s %s", name, err.Error())
		}
		c.fn, c.t = defs[0], sig.Result
		for i, a := range args {
			c.args = append(c.args, cast(a, sig.Args[i]))
			if l, ok := b.literal(c.args[i]); ok {
				if c.consts == nil {
					c.consts = map[int]types.Value{}
				}
				c.consts[i], c.args[i] = l.Value, l
			}
		}
		c.frame = plan.Frame{Rows: true, Lower: -1}
	} else {
		defs := b.Functions.Lookup(name)
		if len(defs) == 0 || defs[0].Aggregate == nil {
			if len(defs) > 0 {
				return nil, diag.At(x.Pos(), diag.NotAllowed, "%s cannot have OVER: it is no aggregate function", name)
			}
			_, err := b.function(name, nil, x.Name.Pos())
			return nil, err
		}
		a := inner
		a.agg = s.agg
		call, err := b.overArgs(name, x, &a)
		if err != nil {
			return nil, err
		}
		c.fn, c.args, c.consts, c.filter, c.t = call.fn, call.args, call.consts, call.filter, call.t
		c.frame = plan.Frame{Lower: -1}
	}
	spec, err := b.windowSpec(x.Over, s)
	if err != nil {
		return nil, err
	}
	if c.partition, err = b.exprs(spec.PartitionBy, &inner); err != nil {
		return nil, err
	}
	c.ordered = x.Over.Pos()
	if len(spec.OrderBy) > 0 {
		c.ordered = spec.OrderBy[0].X.Pos()
	}
	for _, o := range spec.OrderBy {
		k, err := b.orderKey(o, &inner)
		if err != nil {
			return nil, err
		}
		c.order = append(c.order, k)
	}
	if name == "RANK" || name == "DENSE_RANK" { // they compare the rows' order
		for _, k := range c.order {
			c.args = append(c.args, k.x)
		}
	}
	if len(c.order) == 0 && !b.Batch {
		return nil, diag.At(x.Over.Pos(), diag.Unsupported, "OVER needs ORDER BY here")
	}
	if spec.Frame != nil && !isRanking(name) {
		if c.frame, err = b.frame(spec.Frame, &inner); err != nil {
			return nil, err
		}
	}
	for i, o := range s.over.calls {
		if o.fn == c.fn && o.distinct == c.distinct && sameWindow(&o, &c) && sameExprs(o.args, c.args) && o.filter == nil && c.filter == nil {
			return &overRef{i, o.t}, nil
		}
	}
	s.over.calls = append(s.over.calls, c)
	return &overRef{len(s.over.calls) - 1, c.t}, nil
}

// overArgs binds the arguments of an aggregate with OVER; they may hold
// aggregates of the query's groups themselves.
func (b *binder) overArgs(name string, x *ast.Call, s *scope) (aggCall, error) {
	agg := s.agg
	var c aggCall
	var err error
	if c, err = b.aggArgsIn(name, x, s, agg); err != nil {
		return c, err
	}
	if c.fn.Aggregate.EmptyIsNull && c.filter != nil {
		c.t = c.t.OrNull()
	}
	return c, nil
}

// aggArgsIn is aggArgs with aggregates allowed in the arguments.
func (b *binder) aggArgsIn(name string, x *ast.Call, s *scope, agg *aggregation) (aggCall, error) {
	plain := *x
	plain.Over = nil
	if agg == nil {
		return b.aggArgs(name, &plain, s)
	}
	c := aggCall{distinct: x.Distinct, span: x.Pos()}
	args := x.Args
	if len(args) == 1 {
		if _, ok := args[0].(*ast.Star); ok {
			return b.aggArgs(name, &plain, s)
		}
	}
	es, err := b.exprs(args, s)
	if err != nil {
		return c, err
	}
	if c.fn, c.args, c.t, err = b.aggResolve(name, es, x.Pos()); err != nil {
		return c, err
	}
	for i, a := range c.args {
		if l, ok := b.literal(a); ok {
			if c.consts == nil {
				c.consts = map[int]types.Value{}
			}
			c.consts[i], c.args[i] = l.Value, l
		}
	}
	if x.Filter != nil {
		if c.filter, err = b.condition(x.Filter, s, "FILTER"); err != nil {
			return c, err
		}
	}
	return c, nil
}

func sameWindow(a, b *overCall) bool {
	if a.frame != b.frame || !sameExprs(a.partition, b.partition) || len(a.order) != len(b.order) {
		return false
	}
	for i := range a.order {
		if a.order[i].desc != b.order[i].desc || a.order[i].nullsFirst != b.order[i].nullsFirst || !plan.Same(a.order[i].x, b.order[i].x) {
			return false
		}
	}
	return true
}

func sameExprs(a, b []plan.Expr) bool {
	return slices.EqualFunc(a, b, plan.Same)
}

// windowSpec resolves the names of WINDOW.
func (b *binder) windowSpec(w *ast.WindowSpec, s *scope) (*ast.WindowSpec, error) {
	out := *w
	seen := map[string]bool{}
	for base := w.Base; base != nil; {
		def, ok := s.windows[base.Name]
		if !ok {
			var names []string
			for n := range s.windows {
				names = append(names, n)
			}
			slices.Sort(names)
			return nil, diag.At(base.Pos(), diag.UnknownName, "no window %s", base.Name).DidYouMean(base.Name, names)
		}
		if seen[base.Name] {
			return nil, diag.At(base.Pos(), diag.NotAllowed, "window %s is defined by itself", base.Name)
		}
		seen[base.Name] = true
		if out.PartitionBy == nil {
			out.PartitionBy = def.PartitionBy
		}
		if out.OrderBy == nil {
			out.OrderBy = def.OrderBy
		}
		if out.Frame == nil {
			out.Frame = def.Frame
		}
		base = def.Base
	}
	return &out, nil
}

func (b *binder) orderKey(o *ast.SortItem, s *scope) (orderKey, error) {
	x, err := b.expr(o.X, s)
	if err != nil {
		return orderKey{}, err
	}
	if isNull(x) {
		return orderKey{}, illegalNull(o.X.Pos())
	}
	if !orderable(x.Type()) {
		return orderKey{}, diag.At(o.X.Pos(), diag.TypeMismatch, "%s has no order", typeText(x.Type()))
	}
	return orderKey{x: x, desc: o.Desc, nullsFirst: nullsFirst(o)}, nil
}

// nullsFirst resolves the default: NULLs count as the smallest values.
func nullsFirst(o *ast.SortItem) bool {
	switch o.Nulls {
	case "FIRST":
		return true
	case "LAST":
		return false
	}
	return !o.Desc
}

// frame binds a frame: from UNBOUNDED or n PRECEDING to CURRENT ROW; in batch
// mode FOLLOWING too is kept for the operator to refuse or do.
func (b *binder) frame(f *ast.Frame, s *scope) (plan.Frame, error) {
	out := plan.Frame{Rows: f.Rows}
	bound := func(x *ast.Bound, upper bool) (int64, error) {
		switch x.Kind {
		case ast.CurrentRow:
			return 0, nil
		case ast.UnboundedPreceding:
			if !upper {
				return -1, nil
			}
		case ast.Preceding:
			if upper {
				break
			}
			e, err := b.expr(x.Offset, s)
			if err != nil {
				return 0, err
			}
			l, ok := b.literal(e)
			if ok && f.Rows {
				switch v := l.Value.(type) {
				case int32:
					if v >= 0 {
						return int64(v), nil
					}
				case int64:
					if v >= 0 {
						return v, nil
					}
				}
				return 0, diag.At(x.Offset.Pos(), diag.BadValue, "a number of rows is wanted")
			}
			if ok && l.T.Kind == types.IntervalDS {
				if v := l.Value.(int64); v >= 0 {
					return v, nil
				}
			}
			return 0, diag.At(x.Offset.Pos(), diag.BadValue, "a constant INTERVAL of days to seconds is wanted")
		}
		return 0, diag.At(x.Pos(), diag.Unsupported, "a frame can only reach from before the current row to the current row").
			Hint("write BETWEEN … PRECEDING AND CURRENT ROW")
	}
	var err error
	if out.Lower, err = bound(f.Start, false); err != nil {
		return out, err
	}
	if f.End != nil {
		out.Upper, err = bound(f.End, true)
	}
	return out, err
}

// buildOver puts the Over nodes on in and returns the way to rewrite expressions.
func (b *binder) buildOver(in plan.Node, o *overs) (plan.Node, func(plan.Expr) (plan.Expr, error), error) {
	at := make([]plan.Expr, len(o.calls))
	done := make([]bool, len(o.calls))
	groups := 0
	for i := range o.calls {
		if done[i] {
			continue
		}
		if groups++; groups > 1 && !b.Batch {
			return nil, nil, diag.At(o.calls[i].span, diag.Unsupported, "all OVER windows of a SELECT must be the same").
				Hint("compute the others in a sub-query")
		}
		var members []int
		for k := i; k < len(o.calls); k++ {
			if !done[k] && sameWindow(&o.calls[i], &o.calls[k]) {
				members = append(members, k)
				done[k] = true
			}
		}
		exprs := columnsOf(in)
		names := in.Schema().Names()
		place := func(e plan.Expr) int {
			for n, x := range exprs {
				if plan.Same(x, e) {
					return n
				}
			}
			exprs, names = append(exprs, e), append(names, fmt.Sprintf("$o%d", len(exprs)))
			return len(exprs) - 1
		}
		first := &o.calls[i]
		n := &plan.Over{Frame: first.frame, Span: b.place(first.ordered)}
		for _, p := range first.partition {
			n.Partition = append(n.Partition, place(p))
		}
		for _, k := range first.order {
			n.Order = append(n.Order, plan.SortKey{Column: place(k.x), Desc: k.desc, NullsFirst: k.nullsFirst})
		}
		for _, m := range members {
			c := &o.calls[m]
			p := plan.AggCall{Fn: c.fn, Consts: c.consts, Distinct: c.distinct, Filter: -1, T: c.t, Name: fmt.Sprintf("w%d$o%d", groups-1, m), Span: b.place(c.span)}
			for _, a := range c.args {
				p.Args = append(p.Args, place(a))
				p.ArgTypes = append(p.ArgTypes, a.Type())
			}
			if c.filter != nil {
				p.Filter = place(c.filter)
			}
			n.Calls = append(n.Calls, p)
		}
		n.Input = in
		if len(exprs) > len(in.Schema().Fields) {
			n.Input = project(in, exprs, names)
		}
		fields := slices.Clone(n.Input.Schema().Fields)
		for k, m := range members {
			at[m] = &plan.Column{Index: len(fields), T: n.Calls[k].T, Name: n.Calls[k].Name}
			fields = append(fields, types.Field{Name: n.Calls[k].Name, Type: n.Calls[k].T})
		}
		n.Out = types.NewSchema(fields...)
		in = n
	}
	var rewrite func(e plan.Expr) (plan.Expr, error)
	rewrite = func(e plan.Expr) (plan.Expr, error) {
		if r, ok := e.(*overRef); ok {
			return at[r.index], nil
		}
		return rewriteChildren(e, rewrite)
	}
	return in, rewrite, nil
}
