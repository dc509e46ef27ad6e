package bind

import (
	"slices"
	"time"

	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/internal/sql/ast"
	"github.com/runnelio/runnel/types"
)

// joinKinds maps the kinds; comma and cross joins are inner joins on nothing.
var joinKinds = map[ast.JoinKind]plan.JoinKind{
	ast.InnerJoin: plan.Inner, ast.LeftJoin: plan.Left, ast.RightJoin: plan.Right, ast.FullJoin: plan.Full, ast.CrossJoin: plan.Inner, ast.CommaJoin: plan.Inner,
}

func (b *binder) join(x *ast.Join, frame *scope) (plan.Node, []scopeColumn, error) {
	l, lcols, err := b.tableRef(x.Left, frame)
	if err != nil {
		// The right side may have mistakes of its own.
		if !isLateral(x.Right) {
			if _, _, err2 := b.tableRef(x.Right, frame); err2 != nil {
				b.note(err)
				return nil, nil, err2
			}
		}
		return nil, nil, err
	}
	kind := joinKinds[x.Kind]
	left := &scope{outer: frame.outer, ctes: frame.ctes, cols: lcols}
	if t, ok := x.Right.(*ast.Table); ok && t.AsOf != nil {
		return b.temporal(x, t, kind, l, left, frame)
	}
	if isLateral(x.Right) {
		if kind != plan.Inner && kind != plan.Left {
			return nil, nil, diag.At(x.Pos(), diag.Unsupported, "%s JOIN with a table function: only INNER and LEFT can be", kind)
		}
		if x.Natural || x.Using != nil {
			return nil, nil, diag.At(x.Pos(), diag.Unsupported, "a table function is joined ON TRUE, or by CROSS JOIN")
		}
		if d, ok := x.Right.(*ast.Derived); ok {
			return b.lateral(x, d, kind, l, left)
		}
		n, cols, err := b.correlate(l, left, x.Right, kind == plan.Left, x.On)
		if err != nil {
			return nil, nil, err
		}
		return n, append(slices.Clone(lcols), cols...), nil
	}
	r, rcols, err := b.tableRef(x.Right, frame)
	if err != nil {
		return nil, nil, err
	}
	width := len(l.Schema().Fields)
	rcols = shift(rcols, width)
	both := &scope{outer: frame.outer, ctes: frame.ctes, cols: append(slices.Clone(lcols), rcols...)}
	using := x.Using
	if x.Natural {
		for _, c := range lcols {
			if !c.hidden && slices.ContainsFunc(rcols, func(r scopeColumn) bool { return r.name == c.name && !r.hidden }) {
				using = append(using, &ast.Ident{Place: ast.Place{Span: x.Pos()}, Name: c.name})
			}
		}
	}
	var conds []plan.Expr
	if x.On != nil {
		c, err := b.condition(x.On, both, "ON")
		if err != nil {
			return nil, nil, err
		}
		conds = plan.Conjuncts(c)
	}
	var pairs [][2]int // indexes of USING columns in lcols and rcols
	for _, u := range using {
		li, err := usingColumn(u, lcols)
		if err != nil {
			return nil, nil, err
		}
		ri, err := usingColumn(u, rcols)
		if err != nil {
			return nil, nil, err
		}
		lc, rc := lcols[li], rcols[ri]
		eq, err := compare(plan.Eq, &plan.Column{Index: lc.index, T: lc.t, Name: lc.name}, &plan.Column{Index: rc.index, T: rc.t, Name: rc.name}, u.Pos())
		if err != nil {
			return nil, nil, err
		}
		conds = append(conds, eq)
		pairs = append(pairs, [2]int{li, ri})
	}
	n := joinNode(kind, l, r, conds, b.place(x.Pos()), [2]time.Duration{b.stateTTL(x.Left), b.stateTTL(x.Right)})
	cols := both.cols
	for i := range cols {
		cols[i].t = n.Schema().Fields[cols[i].index].Type
	}
	if len(pairs) > 0 {
		n, cols = mergeUsing(n, kind, cols, pairs, len(lcols))
	}
	return n, cols, nil
}

func shift(cols []scopeColumn, by int) []scopeColumn {
	cols = slices.Clone(cols)
	for i := range cols {
		cols[i].index += by
	}
	return cols
}

func usingColumn(u *ast.Ident, cols []scopeColumn) (int, error) {
	at := -1
	var names []string
	for i, c := range cols {
		if c.hidden {
			continue
		}
		names = append(names, c.name)
		if c.name != u.Name {
			continue
		}
		if at >= 0 {
			return 0, diag.At(u.Pos(), diag.AmbiguousColumn, "column %s is ambiguous on one side of the join", u.Name)
		}
		at = i
	}
	if at < 0 {
		return 0, diag.At(u.Pos(), diag.UnknownColumn, "no column %s on both sides of the join", u.Name).DidYouMean(u.Name, names)
	}
	return at, nil
}

// mergeUsing makes the columns of USING appear once, before all others.
func mergeUsing(n plan.Node, kind plan.JoinKind, cols []scopeColumn, pairs [][2]int, left int) (plan.Node, []scopeColumn) {
	cols = slices.Clone(cols)
	switch kind {
	case plan.Inner, plan.Left:
		for _, p := range pairs {
			cols[p[0]].merged, cols[left+p[1]].hidden = true, true
		}
		return n, cols
	case plan.Right:
		for _, p := range pairs {
			cols[p[0]].hidden, cols[left+p[1]].merged = true, true
		}
		return n, cols
	}
	exprs, names := columnsOf(n), n.Schema().Names()
	for _, p := range pairs {
		l, r := &cols[p[0]], &cols[left+p[1]]
		l.hidden, r.hidden = true, true
		e, _ := coalesce("USING", []plan.Expr{exprs[l.index], exprs[r.index]}, diag.Span{})
		cols = append(cols, scopeColumn{name: l.name, index: len(exprs), t: e.Type(), merged: true})
		exprs, names = append(exprs, e), append(names, l.name)
	}
	return project(n, exprs, names), cols
}

// joinNode joins l and r on conditions over l ++ r: equalities between the
// sides become keys.
func joinNode(kind plan.JoinKind, l, r plan.Node, conds []plan.Expr, span diag.Span, ttl [2]time.Duration) plan.Node {
	j := &plan.Join{Kind: kind, Span: span, TTL: ttl}
	k := splitKeys(l, r, conds)
	j.Left, j.Right, j.LeftKeys, j.RightKeys = k.left, k.right, k.lk, k.rk
	j.NullSafe = k.nullSafe
	j.Cond = plan.AndOf(k.rest)
	j.Out = joinedSchema(kind, j.Left, j.Right, timeBound(l, r, conds))
	return k.restore(j)
}

// keySplit is a join condition taken apart. The sides may have gained columns
// that compute keys.
type keySplit struct {
	left, right plan.Node
	lk, rk      []int
	nullSafe    []bool
	rest        []plan.Expr
	nl, nr      int // columns the sides had
	gained      int // columns the left side gained
	gainedRight int
}

func splitKeys(l, r plan.Node, conds []plan.Expr) *keySplit {
	k := &keySplit{nl: len(l.Schema().Fields), nr: len(r.Schema().Fields)}
	lx, ln := columnsOf(l), l.Schema().Names()
	rx, rn := columnsOf(r), r.Schema().Names()
	place := func(es *[]plan.Expr, names *[]string, e plan.Expr) int {
		for i, x := range *es {
			if plan.Same(x, e) {
				return i
			}
		}
		*es, *names = append(*es, e), append(*names, "$key")
		return len(*es) - 1
	}
	for _, c := range conds {
		op, ok := c.(*plan.OpExpr)
		if ok && (op.Op == plan.Eq || op.Op == plan.NotDistinct) && plan.Pure(c) {
			x, y := op.Args[0], op.Args[1]
			if sideOf(x, k.nl) == 2 && sideOf(y, k.nl) == 1 {
				x, y = y, x
			}
			a, t := x.Type(), y.Type()
			if sideOf(x, k.nl) == 1 && sideOf(y, k.nl) == 2 && a.Phys() == t.Phys() && a.Scale == t.Scale && !a.IsNested() {
				y = plan.Remap(y, func(i int) int { return i - k.nl })
				k.lk = append(k.lk, place(&lx, &ln, x))
				k.rk = append(k.rk, place(&rx, &rn, y))
				k.nullSafe = append(k.nullSafe, op.Op == plan.NotDistinct)
				continue
			}
		}
		if l, ok := c.(*plan.Literal); ok && l.Value == true {
			continue // ON TRUE
		}
		k.rest = append(k.rest, c)
	}
	k.left, k.right = l, r
	k.gained, k.gainedRight = len(lx)-k.nl, len(rx)-k.nr
	if k.gained > 0 {
		k.left = project(l, lx, ln)
		for i, c := range k.rest {
			k.rest[i] = plan.Remap(c, func(i int) int {
				if i >= k.nl {
					return i + k.gained
				}
				return i
			})
		}
	}
	if k.gainedRight > 0 {
		k.right = project(r, rx, rn)
	}
	return k
}

// restore takes the gained columns away again.
func (k *keySplit) restore(j plan.Node) plan.Node {
	if k.gained == 0 && k.gainedRight == 0 {
		return j
	}
	all, names := columnsOf(j), j.Schema().Names()
	at := k.nl + k.gained
	exprs := append(slices.Clone(all[:k.nl]), all[at:at+k.nr]...)
	return project(j, exprs, append(slices.Clone(names[:k.nl]), names[at:at+k.nr]...))
}

// sideOf tells which side's columns e uses: 0 none, 1 left, 2 right, 3 both.
func sideOf(e plan.Expr, nl int) int {
	side := 0
	plan.Walk(e, func(x plan.Expr) bool {
		switch c := x.(type) {
		case *plan.Column:
			if c.Index < nl {
				side |= 1
			} else {
				side |= 2
			}
		case *plan.Outer, *plan.Subquery:
			side |= 3
		}
		return true
	})
	return side
}

// joinedSchema is left ++ right with the padded sides nullable. Time attributes
// survive inner joins and those that are bound in time, but not padding.
func joinedSchema(kind plan.JoinKind, l, r plan.Node, timed bool) *types.Schema {
	var fields []types.Field
	add := func(n plan.Node, padded bool) {
		for _, f := range n.Schema().Fields {
			if padded {
				f.Type = f.Type.OrNull()
			}
			if f.Type.Attr == types.Rowtime && !timed && kind != plan.Inner || padded {
				f.Type = f.Type.Plain()
			}
			fields = append(fields, f)
		}
	}
	add(l, kind == plan.Right || kind == plan.Full)
	add(r, kind == plan.Left || kind == plan.Full)
	return types.NewSchema(fields...)
}

// timeBound tells whether the conditions compare rowtimes of both sides: an
// interval or window join.
func timeBound(l, r plan.Node, conds []plan.Expr) bool {
	nl := len(l.Schema().Fields)
	for _, c := range conds {
		op, ok := c.(*plan.OpExpr)
		if !ok || op.Op < plan.Eq || op.Op > plan.Ge {
			continue
		}
		sides := 0
		for _, a := range op.Args {
			plan.Walk(a, func(x plan.Expr) bool {
				if col, ok := x.(*plan.Column); ok && (col.T.Attr != types.NoTime || col.Name == "window_start" || col.Name == "window_end") {
					if col.Index < nl {
						sides |= 1
					} else {
						sides |= 2
					}
				}
				return true
			})
		}
		if sides == 3 {
			return true
		}
	}
	return false
}
