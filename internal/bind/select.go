package bind

import (
	"slices"
	"strconv"
	"time"

	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/internal/sql/ast"
	"github.com/runnelio/runnel/types"
)

// selected is a bound SELECT: visible columns, then those only ORDER BY needs.
type selected struct {
	node    plan.Node
	visible int
	keys    []plan.SortKey
}

// selectQuery binds a SELECT with the ORDER BY that stands on it, which may use
// columns that are not selected.
func (b *binder) selectQuery(x *ast.Select, outer *scope, order []*ast.SortItem) (*selected, error) {
	for _, h := range x.Hints {
		if h.Name == "STATE_TTL" {
			continue
		}
		if err := b.hint(h); err != nil {
			return nil, err
		}
	}
	before := len(b.errs)
	hints, err := b.lookupHints(x.Hints)
	if err != nil {
		return nil, err
	}
	ttls, err := b.ttlHints(x.Hints)
	if err != nil {
		return nil, err
	}
	above, aboveTTL := b.lookups, b.ttls
	b.lookups, b.ttls = hints, ttls
	in, s, err := b.from(x.From, outer)
	alone := b.stateTTL(x.From)
	b.lookups, b.ttls = above, aboveTTL
	if err != nil {
		return nil, err
	}
	b.unusedLookup(hints)
	if err := unknownTTL(ttls, x.From); err != nil {
		return nil, err
	}
	if x.Where != nil {
		cond, err := b.condition(x.Where, s, "WHERE")
		if err != nil {
			b.note(err)
		} else {
			in = filter(in, cond)
		}
	}
	if len(x.Windows) > 0 {
		s.windows = map[string]*ast.WindowSpec{}
		for _, w := range x.Windows {
			if s.windows[w.Name.Name] != nil {
				return nil, diag.At(w.Name.Pos(), diag.Exists, "window %s is defined twice", w.Name.Name)
			}
			s.windows[w.Name.Name] = w.Spec
		}
	}
	if in, err = b.legacyWindow(x, in, s); err != nil {
		return nil, err
	}
	agg, ov := &aggregation{ttl: alone}, &overs{}
	if x.GroupBy != nil {
		if err := b.groupBy(x.GroupBy, s, agg); err != nil {
			b.note(err)
			return nil, nil
		}
	}
	s.agg, s.over = agg, ov
	list := b.selectList(x, s)
	var having, qualify plan.Expr
	if x.Having != nil {
		h := *s
		h.over = nil
		if having, err = b.condition(x.Having, &h, "HAVING"); err != nil {
			b.note(err)
		}
	}
	if x.Qualify != nil {
		q := *s
		q.aliases = aliases(x)
		if qualify, err = b.condition(x.Qualify, &q, "QUALIFY"); err != nil {
			b.note(err)
		}
	}
	sorts := b.sortItems(order, x, s, list)
	if len(b.errs) > before {
		return nil, nil
	}
	if _, joins := x.From.(*ast.Join); len(ttls) > 0 && !joins && !agg.grouped && len(agg.calls) == 0 && !x.Distinct && b.Warn != nil {
		b.Warn(ttls[0].hint.Pos(), "hint STATE_TTL has no effect here: it is for joins, GROUP BY and DISTINCT")
	}
	rewriteAll := func(f func(plan.Expr) (plan.Expr, error), overArgs bool) {
		one := func(e plan.Expr) plan.Expr {
			if e == nil {
				return nil
			}
			r, err := f(e)
			if err != nil {
				b.note(err)
				return e
			}
			return r
		}
		for i := range list {
			list[i].x = one(list[i].x)
		}
		for i := range sorts {
			sorts[i].x = one(sorts[i].x)
		}
		qualify = one(qualify)
		if !overArgs {
			return
		}
		having = one(having)
		for i := range ov.calls {
			c := &ov.calls[i]
			for k := range c.args {
				c.args[k] = one(c.args[k])
			}
			for k := range c.partition {
				c.partition[k] = one(c.partition[k])
			}
			for k := range c.order {
				c.order[k].x = one(c.order[k].x)
			}
			c.filter = one(c.filter)
		}
	}
	if agg.grouped || len(agg.calls) > 0 || having != nil {
		node, rewrite := b.buildAggregate(in, agg)
		rewriteAll(rewrite, true)
		in = node
	}
	if len(b.errs) > before {
		return nil, nil
	}
	if having != nil {
		in = filter(in, having)
	}
	if len(ov.calls) > 0 {
		node, rewrite, err := b.buildOver(in, ov)
		if err != nil {
			return nil, err
		}
		rewriteAll(rewrite, false)
		in = node
	}
	if qualify != nil {
		in = filter(in, qualify)
	}
	return b.output(x, in, list, sorts, alone)
}

func filter(in plan.Node, cond plan.Expr) plan.Node { return &plan.Filter{Input: in, Cond: cond} }

// item is a column of the result.
type item struct {
	x     plan.Expr
	name  string
	alias bool
	span  diag.Span
}

// aliases returns the expressions of a select list by their names.
func aliases(x *ast.Select) map[string]ast.Expr {
	out := map[string]ast.Expr{}
	for _, i := range x.Items {
		if i.Alias != nil {
			out[i.Alias.Name] = i.X
		}
	}
	return out
}

// selectList binds the select list, stars expanded.
func (b *binder) selectList(x *ast.Select, s *scope) []item {
	var list []item
	for _, i := range x.Items {
		if star, ok := i.X.(*ast.Star); ok {
			cols, err := s.star(star)
			if err != nil {
				b.note(err)
				continue
			}
			for _, c := range cols {
				e := &plan.Column{Index: c.index, T: c.t, Name: c.name}
				b.spans[e] = star.Pos()
				list = append(list, item{x: e, name: c.name, span: star.Pos()})
			}
			continue
		}
		e, err := b.expr(i.X, s)
		if err == nil && isNull(e) {
			err = illegalNull(i.X.Pos())
		}
		if err == nil && (e.Type().Kind == types.Symbol || e.Type().Kind == types.Descriptor) {
			err = diag.At(i.X.Pos(), diag.TypeMismatch, "this is no value")
		}
		if err != nil {
			b.note(err)
			continue
		}
		it := item{x: e, name: "EXPR$" + strconv.Itoa(len(list)), span: i.X.Pos()}
		switch v := i.X.(type) {
		case *ast.Ref:
			it.name = v.Parts[len(v.Parts)-1].Name
		case *ast.Field:
			it.name = v.Name.Name
		}
		if i.Alias != nil {
			it.name, it.alias = i.Alias.Name, true
		}
		list = append(list, it)
	}
	return list
}

// sortItem is an item of ORDER BY: a column of the select list, or x.
type sortItem struct {
	column     int // -1: x
	x          plan.Expr
	desc       bool
	nullsFirst bool
	span       diag.Span
}

// sortItems binds ORDER BY: numbers of columns, their aliases, or expressions.
func (b *binder) sortItems(order []*ast.SortItem, x *ast.Select, s *scope, list []item) []sortItem {
	var out []sortItem
	for _, o := range order {
		it := sortItem{column: -1, desc: o.Desc, nullsFirst: nullsFirst(o), span: o.X.Pos()}
		if n, ok := o.X.(*ast.NumberLit); ok {
			k, err := strconv.Atoi(n.Text)
			if err != nil || k < 1 || k > len(list) {
				b.note(diag.At(o.X.Pos(), diag.BadArgument, "ORDER BY %s: the columns are numbered 1 to %d", n.Text, len(list)))
				continue
			}
			it.column = k - 1
		} else if r, ok := o.X.(*ast.Ref); ok && len(r.Parts) == 1 {
			for i := range list {
				if list[i].name == r.Parts[0].Name && (list[i].alias || it.column < 0) {
					it.column = i
				}
			}
		}
		if it.column < 0 {
			k, err := b.orderKey(o, s)
			if err != nil {
				b.note(err)
				continue
			}
			it.x = k.x
		} else if !orderable(list[it.column].x.Type()) {
			b.note(diag.At(o.X.Pos(), diag.TypeMismatch, "%s has no order", typeText(list[it.column].x.Type())))
			continue
		}
		out = append(out, it)
	}
	return out
}

// output projects the select list, removes duplicates for DISTINCT, and finds the sort columns.
func (b *binder) output(x *ast.Select, in plan.Node, list []item, sorts []sortItem, ttl time.Duration) (*selected, error) {
	exprs := make([]plan.Expr, len(list))
	names := make([]string, len(list))
	for i, it := range list {
		exprs[i], names[i] = it.x, it.name
	}
	names = unique(names)
	out := &selected{visible: len(list)}
	for _, k := range sorts {
		if k.column < 0 {
			for i, e := range exprs {
				if plan.Same(e, k.x) {
					k.column = i
					break
				}
			}
		}
		if k.column < 0 {
			if x.Distinct {
				return nil, diag.At(k.span, diag.NotAllowed, "with DISTINCT, ORDER BY can only use selected columns")
			}
			k.column = len(exprs)
			exprs, names = append(exprs, k.x), append(names, "$s"+strconv.Itoa(len(exprs)))
		}
		out.keys = append(out.keys, plan.SortKey{Column: k.column, Desc: k.desc, NullsFirst: k.nullsFirst})
	}
	out.node = project(in, exprs, names)
	if x.Distinct {
		d := distinct(out.node)
		d.TTL = ttl
		out.node = d
	}
	return out, nil
}

// distinct groups by all columns.
func distinct(n plan.Node) *plan.Aggregate {
	a := &plan.Aggregate{Input: n}
	var fields []types.Field
	for i, f := range n.Schema().Fields {
		a.Keys = append(a.Keys, i)
		f.Type = f.Type.Plain()
		fields = append(fields, f)
	}
	a.Out = types.NewSchema(fields...)
	return a
}

// unique makes column names different, as Flink does: a, a0, a1.
func unique(names []string) []string {
	used := make(map[string]bool, len(names))
	for i, n := range names {
		if used[n] {
			for k := 0; ; k++ {
				if c := n + strconv.Itoa(k); !used[c] {
					n = c
					break
				}
			}
		}
		used[n] = true
		names[i] = n
	}
	return names
}

// hint refuses hints nobody knows, and says of those that only advise that they
// have no effect.
func (b *binder) hint(h *ast.Hint) error {
	known := []string{"BROADCAST", "SHUFFLE_HASH", "SHUFFLE_MERGE", "NEST_LOOP", "LOOKUP", "STATE_TTL", "MULTI_JOIN", "OPTIONS"}
	if !slices.Contains(known, h.Name) {
		return diag.At(h.Pos(), diag.UnknownOption, "no hint %s", h.Name).DidYouMean(h.Name, known)
	}
	if h.Name != "OPTIONS" && h.Name != "LOOKUP" && b.Warn != nil {
		b.Warn(h.Pos(), "hint "+h.Name+" has no effect here")
	}
	return nil
}
