package bind

import (
	"slices"

	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/internal/sql/ast"
	"github.com/runnelio/runnel/types"
)

// grouping is GROUPING(a), GROUPING_ID(a, b).
func (b *binder) grouping(name string, x *ast.Call, s *scope) (plan.Expr, error) {
	if s.agg == nil || !s.agg.grouped {
		return nil, diag.At(x.Pos(), diag.NotAllowed, "%s needs GROUP BY", name)
	}
	if name == "GROUP_ID" {
		return nil, diag.At(x.Pos(), diag.Unsupported, "GROUP_ID is not supported").Hint("use GROUPING_ID with the group keys")
	}
	if len(x.Args) == 0 {
		return nil, diag.At(x.Pos(), diag.BadArgument, "%s needs group keys", name)
	}
	inner := *s
	inner.agg, inner.over = nil, nil
	es, err := b.exprs(x.Args, &inner)
	if err != nil {
		return nil, err
	}
	for i, e := range es {
		if keyIndex(s.agg.keys, e) < 0 {
			return nil, diag.At(x.Args[i].Pos(), diag.NotAllowed, "%s takes expressions of GROUP BY only", name)
		}
	}
	return &groupRef{es, x.Pos()}, nil
}

func keyIndex(keys []plan.Expr, e plan.Expr) int {
	return slices.IndexFunc(keys, func(k plan.Expr) bool { return plan.Same(k, e) })
}

// expand puts an Expand on the projection in: one list a grouping set.
func expand(in plan.Node, sets [][]bool, keys int) (plan.Node, []int64) {
	fields := slices.Clone(in.Schema().Fields)
	for k := range keys {
		for _, s := range sets {
			if !s[k] {
				fields[k].Type = fields[k].Type.OrNull().Plain()
			}
		}
	}
	n := &plan.Expand{Input: in}
	seen := map[int64]int64{}
	var ids []int64
	for _, s := range sets {
		exprs := columnsOf(in)
		id := int64(0)
		for k := range keys {
			id <<= 1
			if !s[k] {
				id |= 1
				exprs[k] = &plan.Literal{T: fields[k].Type}
			}
		}
		again := seen[id]
		seen[id]++
		id |= again << min(keys, 62)
		exprs = append(exprs, &plan.Literal{Value: id, T: types.Of(types.BigInt).NotNull()})
		n.Sets = append(n.Sets, exprs)
		ids = append(ids, id)
	}
	n.Out = types.NewSchema(append(fields, types.Field{Name: "$e", Type: types.Of(types.BigInt).NotNull()})...)
	return n, ids
}

// groupingValue is GROUPING(…) as an expression over the expand id.
func groupingValue(agg plan.Node, a *aggregation, g *groupRef, sets []int64) plan.Expr {
	big := types.Of(types.BigInt).NotNull()
	value := func(set []bool) *plan.Literal {
		v := int64(0)
		for _, e := range g.args {
			v <<= 1
			if set != nil && !set[keyIndex(a.keys, e)] {
				v |= 1
			}
		}
		return &plan.Literal{Value: v, T: big}
	}
	if sets == nil {
		return value(nil)
	}
	id := column(agg, len(a.keys))
	var args []plan.Expr
	for i, s := range a.sets[:len(a.sets)-1] {
		eq := &plan.OpExpr{Op: plan.Eq, Args: []plan.Expr{id, &plan.Literal{Value: sets[i], T: big}}, T: boolean.NotNull(), Span: g.span}
		args = append(args, eq, value(s))
	}
	last := value(a.sets[len(a.sets)-1])
	if len(args) == 0 {
		return last
	}
	return &plan.OpExpr{Op: plan.Case, Args: append(args, last), T: big, Span: g.span}
}

// groupBy binds GROUP BY into the keys and sets of a.
func (b *binder) groupBy(g *ast.GroupBy, s *scope, a *aggregation) error {
	a.grouped = true
	inner := *s
	inner.agg, inner.over = nil, nil
	key := func(e ast.Expr) ([]int, error) {
		if r, ok := e.(*ast.Row); ok && !r.Explicit {
			var out []int
			for _, f := range r.Fields {
				k, err := b.groupKey(f, &inner, a)
				if err != nil {
					return nil, err
				}
				out = append(out, k...)
			}
			return out, nil
		}
		return b.groupKey(e, &inner, a)
	}
	// Each item stands for a list of sets of keys; the sets of the query are
	// their product.
	product := [][]int{{}}
	single := true
	for _, item := range g.Items {
		sets, err := b.groupSets(item, key)
		if err != nil {
			return err
		}
		single = single && len(sets) == 1
		var next [][]int
		for _, p := range product {
			for _, s := range sets {
				next = append(next, append(slices.Clone(p), s...))
			}
		}
		product = next
		if len(product) > 512 {
			return diag.At(item.Pos(), diag.Limit, "more than 512 grouping sets")
		}
	}
	if single {
		return nil
	}
	for _, p := range product {
		set := make([]bool, len(a.keys))
		for _, k := range p {
			set[k] = true
		}
		if g.Distinct && slices.ContainsFunc(a.sets, func(o []bool) bool { return slices.Equal(o, set) }) {
			continue
		}
		a.sets = append(a.sets, set)
	}
	return nil
}

// groupKey adds the key e and returns its index.
func (b *binder) groupKey(e ast.Expr, s *scope, a *aggregation) ([]int, error) {
	if c, ok := e.(*ast.Call); ok && s.legacy != nil {
		if cols := s.legacy.keys(c); cols != nil {
			var out []int
			for _, k := range cols {
				out = append(out, a.addKey(k))
			}
			return out, nil
		}
	}
	x, err := b.expr(e, s)
	if err != nil {
		return nil, err
	}
	if isNull(x) {
		return nil, illegalNull(e.Pos())
	}
	switch x.Type().Kind {
	case types.Map, types.Multiset, types.Raw:
		return nil, diag.At(e.Pos(), diag.TypeMismatch, "%s cannot be grouped by", typeText(x.Type()))
	}
	return []int{a.addKey(x)}, nil
}

func (a *aggregation) addKey(e plan.Expr) int {
	if i := keyIndex(a.keys, e); i >= 0 {
		return i
	}
	a.keys = append(a.keys, e)
	return len(a.keys) - 1
}

// groupSets returns the sets an item of GROUP BY stands for.
func (b *binder) groupSets(item *ast.GroupItem, key func(ast.Expr) ([]int, error)) ([][]int, error) {
	plain := func(i *ast.GroupItem) ([]int, error) {
		out := []int{}
		for _, e := range i.X {
			k, err := key(e)
			if err != nil {
				return nil, err
			}
			out = append(out, k...)
		}
		return out, nil
	}
	switch item.Kind {
	case "":
		k, err := plain(item)
		return [][]int{k}, err
	case "GROUPING SETS":
		var out [][]int
		for _, i := range item.Items {
			s, err := b.groupSets(i, key)
			if err != nil {
				return nil, err
			}
			out = append(out, s...)
		}
		return out, nil
	}
	var parts [][]int
	for _, i := range item.Items {
		k, err := plain(i)
		if err != nil {
			return nil, err
		}
		parts = append(parts, k)
	}
	var out [][]int
	if item.Kind == "ROLLUP" {
		for n := len(parts); n >= 0; n-- {
			out = append(out, slices.Concat(parts[:n]...))
		}
		return out, nil
	}
	if len(parts) > 9 {
		return nil, diag.At(item.Pos(), diag.Limit, "CUBE of more than 9 parts")
	}
	for mask := 1<<len(parts) - 1; mask >= 0; mask-- {
		set := []int{}
		for i, p := range parts {
			if mask&(1<<(len(parts)-1-i)) != 0 {
				set = append(set, p...)
			}
		}
		out = append(out, set)
	}
	return out, nil
}
