package bind

import (
	"fmt"
	"time"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/internal/sql/ast"
	"github.com/runnelio/runnel/types"
)

// aggregation collects the aggregate calls of a SELECT while its expressions
// are bound over the rows before grouping. In their place stand aggRefs; once
// all are known, the Aggregate is built and every expression rewritten over it.
type aggregation struct {
	ttl   time.Duration // see plan.Join.TTL
	calls []aggCall
	// keys are the group keys over the input; sets, if there is more than one
	// grouping set, the keys of each.
	keys []plan.Expr
	sets [][]bool
	// grouped tells that there is a GROUP BY.
	grouped bool
}

type aggCall struct {
	fn       *function.Def
	args     []plan.Expr
	consts   map[int]types.Value
	filter   plan.Expr
	distinct bool
	t        types.Type
	span     diag.Span
}

// aggRef stands for the result of an aggregate call, groupRef for GROUPING.
type aggRef struct {
	index int
	t     types.Type
}

type groupRef struct {
	args []plan.Expr
	span diag.Span
}

func (e *aggRef) Type() types.Type { return e.t }

func (e *aggRef) Children() []plan.Expr { return nil }

func (e *aggRef) WithChildren([]plan.Expr) plan.Expr { return e }

func (e *groupRef) Type() types.Type { return types.Of(types.BigInt).NotNull() }

func (e *groupRef) Children() []plan.Expr { return nil }

func (e *groupRef) WithChildren([]plan.Expr) plan.Expr { return e }

// aggregate binds an aggregate call.
func (b *binder) aggregate(name string, x *ast.Call, s *scope) (plan.Expr, error) {
	if s.agg == nil {
		return nil, diag.At(x.Pos(), diag.NotAllowed, "aggregate %s cannot stand here", name).
			Hint("aggregates belong into SELECT, HAVING and ORDER BY, and not into one another")
	}
	c, err := b.aggArgs(name, x, s)
	if err != nil {
		return nil, err
	}
	if c.fn.Aggregate.EmptyIsNull && (!s.agg.grouped || c.filter != nil || s.agg.sets != nil) {
		c.t = c.t.OrNull()
	}
	for i, o := range s.agg.calls {
		if sameCall(&o, &c) {
			return &aggRef{i, o.t}, nil
		}
	}
	s.agg.calls = append(s.agg.calls, c)
	return &aggRef{len(s.agg.calls) - 1, c.t}, nil
}

func sameCall(a, b *aggCall) bool {
	if a.fn != b.fn || a.distinct != b.distinct || len(a.args) != len(b.args) || (a.filter == nil) != (b.filter == nil) || !a.t.Equal(b.t) {
		return false
	}
	for i := range a.args {
		if !plan.Same(a.args[i], b.args[i]) {
			return false
		}
	}
	return a.filter == nil || plan.Same(a.filter, b.filter)
}

// aggArgs binds the arguments of an aggregate call over the input's rows.
func (b *binder) aggArgs(name string, x *ast.Call, s *scope) (aggCall, error) {
	c := aggCall{distinct: x.Distinct, span: x.Pos()}
	switch {
	case x.OrderBy != nil && name != "ARRAY_AGG" && name != "JSON_ARRAYAGG":
		return c, diag.At(x.OrderBy[0].Pos(), diag.NotAllowed, "%s takes no ORDER BY", name)
	case x.WithinGroup != nil && name != "COLLECT" && name != "JSON_ARRAYAGG":
		return c, diag.At(x.WithinGroup[0].Pos(), diag.NotAllowed, "%s takes no WITHIN GROUP", name)
	case x.WithinDistinct != nil:
		return c, diag.At(x.Pos(), diag.Unsupported, "WITHIN DISTINCT is not supported")
	case x.Nulls != "":
		return c, diag.At(x.Pos(), diag.Unsupported, "%s NULLS is not supported", x.Nulls)
	}
	inner := *s
	inner.agg, inner.over = nil, nil
	if err := b.unusedOrder(name, x, &inner); err != nil {
		return c, err
	}
	args := x.Args
	if len(args) == 1 {
		if star, ok := args[0].(*ast.Star); ok {
			if name != "COUNT" || len(star.Parts) > 0 || x.Distinct {
				return c, diag.At(star.Pos(), diag.NotAllowed, "only COUNT takes *")
			}
			args = nil
		}
	}
	if name == "COUNT" && args == nil && len(x.Args) == 0 {
		return c, diag.At(x.Pos(), diag.BadArgument, "COUNT needs an argument or *")
	}
	es, err := b.exprs(args, &inner)
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
			c.consts[i] = l.Value
			c.args[i] = l
		}
	}
	if x.Filter != nil {
		if c.filter, err = b.condition(x.Filter, &inner, "FILTER"); err != nil {
			return c, err
		}
	}
	return c, nil
}

// unusedOrder checks the order of the values of an aggregate and warns of it: Flink
// takes it where a collection is made, and keeps the order of the rows.
func (b *binder) unusedOrder(name string, x *ast.Call, s *scope) error {
	for _, order := range []struct {
		words string
		items []*ast.SortItem
	}{{"ORDER BY", x.OrderBy}, {"WITHIN GROUP", x.WithinGroup}} {
		for _, o := range order.items {
			if _, err := b.expr(o.X, s); err != nil {
				return err
			}
		}
		if order.items != nil && b.Warn != nil {
			b.Warn(order.items[0].Pos(), order.words+" has no effect in "+name+", as in Flink: the values are in the order of the rows")
		}
	}
	return nil
}

func (b *binder) aggResolve(name string, es []plan.Expr, span diag.Span) (*function.Def, []plan.Expr, types.Type, error) {
	def, sig, out, err := b.resolve(name, es, span)
	if err != nil {
		return nil, nil, types.Type{}, err
	}
	return def, out, sig.Result.Plain(), nil
}

// build makes the Aggregate over in and returns it with the way to rewrite
// expressions over in into expressions over it.
func (b *binder) buildAggregate(in plan.Node, a *aggregation) (plan.Node, func(plan.Expr) (plan.Expr, error)) {
	var exprs []plan.Expr
	var names []string
	own := 0 // columns that arguments do not share
	place := func(e plan.Expr, name string) int {
		for i, o := range exprs[own:] {
			if plan.Same(o, e) {
				return own + i
			}
		}
		exprs, names = append(exprs, e), append(names, name)
		return len(exprs) - 1
	}
	keys := make([]int, len(a.keys))
	for i, k := range a.keys {
		exprs, names = append(exprs, k), append(names, exprName(k, fmt.Sprintf("$k%d", i)))
		keys[i] = len(exprs) - 1
	}
	if a.sets != nil { // keys become NULL where a set is without them, arguments do not
		own = len(exprs)
	}
	calls := make([]plan.AggCall, len(a.calls))
	for i, c := range a.calls {
		p := plan.AggCall{Fn: c.fn, Consts: c.consts, Distinct: c.distinct, Filter: -1, T: c.t, Name: fmt.Sprintf("$a%d", i), Span: b.place(c.span)}
		for k, e := range c.args {
			p.Args = append(p.Args, place(e, exprName(e, fmt.Sprintf("$f%d_%d", i, k))))
			p.ArgTypes = append(p.ArgTypes, e.Type())
		}
		if c.filter != nil {
			p.Filter = place(c.filter, fmt.Sprintf("$w%d", i))
		}
		calls[i] = p
	}
	input := in
	if cols, ok := allColumns(exprs); ok && a.sets == nil { // nothing to compute
		for i := range keys {
			keys[i] = cols[keys[i]]
		}
		for i := range calls {
			for k, c := range calls[i].Args {
				calls[i].Args[k] = cols[c]
			}
			if calls[i].Filter >= 0 {
				calls[i].Filter = cols[calls[i].Filter]
			}
		}
	} else {
		input = project(in, exprs, names)
	}
	var sets []int64 // the expand id of each set
	if a.sets != nil {
		input, sets = expand(input, a.sets, len(a.keys))
		keys = append(keys, len(input.Schema().Fields)-1)
	}
	agg := &plan.Aggregate{Input: input, Keys: keys, Calls: calls, TTL: a.ttl}
	var fields []types.Field
	for _, k := range keys {
		f := input.Schema().Fields[k]
		fields = append(fields, types.Field{Name: f.Name, Type: f.Type})
	}
	for _, c := range calls {
		fields = append(fields, types.Field{Name: c.Name, Type: c.T})
	}
	agg.Out = types.NewSchema(fields...)
	first := len(keys)
	var rewrite func(e plan.Expr) (plan.Expr, error)
	rewrite = func(e plan.Expr) (plan.Expr, error) {
		if i := keyIndex(a.keys, e); i >= 0 {
			return column(agg, i), nil
		}
		switch x := e.(type) {
		case *aggRef:
			return column(agg, first+x.index), nil
		case *groupRef:
			return groupingValue(agg, a, x, sets), nil
		case *overRef:
			return x, nil
		case *plan.Subquery:
			q, err := b.groupOuter(x, a)
			if err != nil {
				return nil, err
			}
			return rewriteChildren(q, rewrite)
		case *plan.Column:
			span := b.spans[e]
			return nil, diag.At(span, diag.NotAllowed, "column %s is neither grouped nor aggregated", x.Name).
				Hint("add it to GROUP BY, or use an aggregate such as MAX(%s)", x.Name)
		}
		return rewriteChildren(e, rewrite)
	}
	return agg, rewrite
}

func rewriteChildren(e plan.Expr, f func(plan.Expr) (plan.Expr, error)) (plan.Expr, error) {
	old := e.Children()
	if len(old) == 0 {
		return e, nil
	}
	next := make([]plan.Expr, len(old))
	for i, c := range old {
		var err error
		if next[i], err = f(c); err != nil {
			return nil, err
		}
	}
	return e.WithChildren(next), nil
}

func allColumns(es []plan.Expr) ([]int, bool) {
	out := make([]int, len(es))
	for i, e := range es {
		c, ok := e.(*plan.Column)
		if !ok {
			return nil, false
		}
		out[i] = c.Index
	}
	return out, true
}

// exprName is the name of a column, or other for what is none.
func exprName(e plan.Expr, other string) string {
	if c, ok := e.(*plan.Column); ok && c.Name != "" {
		return c.Name
	}
	return other
}
