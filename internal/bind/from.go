package bind

import (
	"slices"

	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/internal/sql/ast"
	"github.com/runnelio/runnel/types"
)

// from binds FROM and returns its rows and the names in sight.
func (b *binder) from(ref ast.TableRef, frame *scope) (plan.Node, *scope, error) {
	s := &scope{outer: frame.outer, ctes: frame.ctes}
	if ref == nil { // SELECT 1: one row
		return oneRow(), s, nil
	}
	n, cols, err := b.tableRef(ref, frame)
	if err != nil {
		return nil, nil, err
	}
	s.cols = cols
	if err := duplicateTables(cols, ref); err != nil {
		return nil, nil, err
	}
	return n, s, nil
}

// duplicateTables refuses two tables of one name: nothing could tell them apart.
func duplicateTables(cols []scopeColumn, ref ast.TableRef) error {
	seen := map[string][]string{}
	for _, c := range cols {
		if len(c.tables) == 0 {
			continue
		}
		k := c.tables[0] + "\x00" + c.name
		if other, ok := seen[k]; ok && slices.Equal(other, c.tables) {
			return diag.At(ref.Pos(), diag.Exists, "two tables of FROM are called %s", c.tables[0]).Hint("give them different aliases: %s AS a", c.tables[0])
		}
		seen[k] = c.tables
	}
	return nil
}

// oneRow is a table of one row without meaning.
func oneRow() plan.Node {
	t := types.Of(types.Boolean).NotNull()
	return &plan.Values{Rows: [][]plan.Expr{{&plan.Literal{Value: true, T: t}}}, Out: types.NewSchema(types.Field{Name: "$row", Type: t})}
}

// tableRef binds an item of FROM that does not depend on others.
func (b *binder) tableRef(ref ast.TableRef, frame *scope) (plan.Node, []scopeColumn, error) {
	switch x := ref.(type) {
	case *ast.Table:
		if x.AsOf != nil {
			return nil, nil, diag.At(x.AsOf.Pos(), diag.Unsupported, "FOR SYSTEM_TIME AS OF stands on the right side of a JOIN")
		}
		return b.namedTable(x, frame)
	case *ast.Derived:
		n, err := b.nested(x.Query, &scope{outer: frame.outer, ctes: frame.ctes})
		if err != nil {
			return nil, nil, err
		}
		return b.aliased(n, x.Alias, nil, x.Pos())
	case *ast.TableFunc:
		if isWindow(x.Call.Func) {
			n, err := b.windowTable(x, frame)
			if err != nil {
				return nil, nil, err
			}
			return b.aliased(n, x.Alias, nil, x.Pos())
		}
		return b.alone(ref, frame)
	case *ast.Unnest:
		return b.alone(ref, frame)
	case *ast.Join:
		return b.join(x, frame)
	case *ast.MatchRecognize:
		n, err := b.matchRecognize(x, frame)
		if err != nil {
			return nil, nil, err
		}
		return b.aliased(n, x.Alias, nil, x.Pos())
	}
	return nil, nil, diag.At(ref.Pos(), diag.Unsupported, "this cannot stand in FROM")
}

func (b *binder) namedTable(x *ast.Table, frame *scope) (plan.Node, []scopeColumn, error) {
	n, err := b.table(x.Name, x.Hints, frame)
	if err != nil {
		return nil, nil, err
	}
	var path []string
	for i := len(x.Name.Parts) - 1; i >= 0; i-- {
		path = append(path, x.Name.Parts[i].Name)
	}
	return b.aliased(n, x.Alias, path, x.Pos())
}

// aliased gives the columns of n the names of an alias, or those of path.
func (b *binder) aliased(n plan.Node, a *ast.Alias, path []string, span diag.Span) (plan.Node, []scopeColumn, error) {
	if a != nil {
		path = nil
		if a.Name != nil {
			path = []string{a.Name.Name}
		}
		if a.Columns != nil {
			var err error
			if n, err = rename(n, a.Columns, span); err != nil {
				return nil, nil, err
			}
		}
	}
	s := &scope{}
	s.addPath(path, n.Schema(), 0)
	return n, s.cols, nil
}

// alone binds a lateral item that has nothing to its left.
func (b *binder) alone(ref ast.TableRef, frame *scope) (plan.Node, []scopeColumn, error) {
	one := oneRow()
	s := &scope{outer: frame.outer, ctes: frame.ctes}
	n, cols, err := b.correlate(one, s, ref, false, nil)
	if err != nil {
		return nil, nil, err
	}
	out := project(n, columnsOf(n)[1:], n.Schema().Names()[1:])
	for i := range cols {
		cols[i].index--
	}
	return out, cols, nil
}

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
	n := joinNode(kind, l, r, conds)
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
func joinNode(kind plan.JoinKind, l, r plan.Node, conds []plan.Expr) plan.Node {
	j := &plan.Join{Kind: kind}
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

// isLateral tells whether an item of FROM sees the tables to its left.
func isLateral(ref ast.TableRef) bool {
	switch x := ref.(type) {
	case *ast.Unnest:
		return true
	case *ast.TableFunc:
		return !isWindow(x.Call.Func)
	case *ast.Derived:
		return x.Lateral
	}
	return false
}

// correlate applies UNNEST or a table function to every row of l. The columns
// returned are those it adds.
func (b *binder) correlate(l plan.Node, s *scope, ref ast.TableRef, outer bool, on ast.Expr) (plan.Node, []scopeColumn, error) {
	n := &plan.Correlate{Input: l, Outer: outer}
	var alias *ast.Alias
	switch x := ref.(type) {
	case *ast.Unnest:
		if len(x.Exprs) != 1 {
			return nil, nil, diag.At(x.Pos(), diag.Unsupported, "UNNEST of several collections is not supported")
		}
		e, err := b.expr(x.Exprs[0], s)
		if err != nil {
			return nil, nil, err
		}
		n.Args, n.Ordinality, alias = []plan.Expr{e}, x.Ordinality, x.Alias
		if n.Result, err = unnested(e.Type(), x.Exprs[0].Pos()); err != nil {
			return nil, nil, err
		}
	case *ast.TableFunc:
		alias = x.Alias
		name := x.Call.Func
		if name == "" {
			name = x.Call.Name.Last()
		}
		args, err := b.exprs(x.Call.Args, s)
		if err != nil {
			return nil, nil, err
		}
		def, sig, args, err := b.resolve(name, args, x.Call.Name.Pos())
		if err != nil {
			return nil, nil, err
		}
		if def.Table == nil {
			return nil, nil, diag.At(x.Call.Pos(), diag.NotAllowed, "%s gives no table", name)
		}
		n.Fn, n.Args, n.Result = def, args, sig.Result
		if n.Result.Kind != types.Row {
			n.Result = types.RowOf(types.Field{Name: "EXPR$0", Type: sig.Result}).NotNull()
		}
	}
	fields := slices.Clone(n.Result.Fields)
	if n.Ordinality {
		fields = append(fields, types.Field{Name: "ORDINALITY", Type: types.Of(types.Int).NotNull()})
	}
	if alias != nil && alias.Columns != nil {
		if len(alias.Columns) != len(fields) {
			return nil, nil, diag.At(alias.Columns[0].Pos(), diag.TypeMismatch, "%d names for %d columns", len(alias.Columns), len(fields))
		}
		for i, c := range alias.Columns {
			fields[i].Name = c.Name
		}
	}
	if outer {
		for i := range fields {
			fields[i].Type = fields[i].Type.OrNull()
		}
	}
	width := len(l.Schema().Fields)
	n.Out = types.NewSchema(append(slices.Clone(l.Schema().Fields), fields...)...)
	added := &scope{}
	name := ""
	if alias != nil && alias.Name != nil {
		name = alias.Name.Name
	}
	added.add(name, types.NewSchema(fields...), width)
	if on != nil {
		both := &scope{outer: s.outer, ctes: s.ctes, cols: append(slices.Clone(s.cols), added.cols...)}
		c, err := b.condition(on, both, "ON")
		if err != nil {
			return nil, nil, err
		}
		if l, ok := c.(*plan.Literal); !ok || l.Value != true {
			if outer {
				return nil, nil, diag.At(on.Pos(), diag.Unsupported, "LEFT JOIN of a table function takes only ON TRUE")
			}
			n.Cond = c
		}
	}
	return n, added.cols, nil
}

// unnested is the row type UNNEST makes of a collection.
func unnested(t types.Type, span diag.Span) (types.Type, error) {
	one := func(e types.Type) types.Type {
		if e.Kind == types.Row {
			r := e.NotNull()
			if e.Nullable {
				r.Fields = slices.Clone(r.Fields)
				for i := range r.Fields {
					r.Fields[i].Type = r.Fields[i].Type.OrNull()
				}
			}
			return r
		}
		return types.RowOf(types.Field{Name: "EXPR$0", Type: e}).NotNull()
	}
	switch t.Kind {
	case types.Array, types.Multiset:
		return one(*t.Elem), nil
	case types.Map:
		return types.RowOf(types.Field{Name: "KEY", Type: *t.Key}, types.Field{Name: "VALUE", Type: *t.Elem}).NotNull(), nil
	}
	return t, diag.At(span, diag.TypeMismatch, "UNNEST takes an array, map or multiset, not %s", typeText(t))
}

// lateral joins every row of l with the rows of a query over it.
func (b *binder) lateral(x *ast.Join, d *ast.Derived, kind plan.JoinKind, l plan.Node, left *scope) (plan.Node, []scopeColumn, error) {
	r, err := b.nested(d.Query, &scope{outer: left, ctes: left.ctes})
	if err != nil {
		return nil, nil, err
	}
	r, rcols, err := b.aliased(r, d.Alias, nil, d.Pos())
	if err != nil {
		return nil, nil, err
	}
	n := &plan.Lateral{Kind: kind, Left: l, Right: r, Span: d.Pos()}
	n.Out = joinedSchema(kind, l, r, false)
	cols := append(slices.Clone(left.cols), shift(rcols, len(l.Schema().Fields))...)
	for i := range cols {
		cols[i].t = n.Out.Fields[cols[i].index].Type
	}
	if x.On != nil {
		c, err := b.condition(x.On, &scope{outer: left.outer, ctes: left.ctes, cols: cols}, "ON")
		if err != nil {
			return nil, nil, err
		}
		if lit, ok := c.(*plan.Literal); !ok || lit.Value != true {
			if kind == plan.Left {
				return nil, nil, diag.At(x.On.Pos(), diag.Unsupported, "LEFT JOIN LATERAL takes only ON TRUE")
			}
			return filter(n, c), cols, nil
		}
	}
	return n, cols, nil
}

// temporal is JOIN t FOR SYSTEM_TIME AS OF time.
func (b *binder) temporal(x *ast.Join, t *ast.Table, kind plan.JoinKind, l plan.Node, left *scope, frame *scope) (plan.Node, []scopeColumn, error) {
	if kind != plan.Inner && kind != plan.Left {
		return nil, nil, diag.At(x.Pos(), diag.Unsupported, "%s JOIN … FOR SYSTEM_TIME AS OF: only INNER and LEFT can be", kind)
	}
	at, err := b.expr(t.AsOf, left)
	if err != nil {
		return nil, nil, err
	}
	if call, ok := at.(*plan.Call); ok && call.Fn.Name == "PROCTIME" { // a column of the left side made for it
		at = &plan.Column{Index: len(l.Schema().Fields), T: call.T, Name: "$proctime"}
		l = project(l, append(columnsOf(l), call), append(l.Schema().Names(), "$proctime"))
	}
	tc, ok := at.(*plan.Column)
	if !ok || tc.T.Attr == types.NoTime {
		return nil, nil, diag.At(t.AsOf.Pos(), diag.TypeMismatch, "FOR SYSTEM_TIME AS OF takes a time attribute of the left side").
			Hint("a column with WATERMARK, or one AS PROCTIME()")
	}
	r, rcols, err := b.namedTable(t, frame)
	if err != nil {
		return nil, nil, err
	}
	cols := append(slices.Clone(left.cols), shift(rcols, len(l.Schema().Fields))...)
	if x.On == nil {
		return nil, nil, diag.At(x.Pos(), diag.NotAllowed, "a join FOR SYSTEM_TIME AS OF needs ON with the key of the right side")
	}
	c, err := b.condition(x.On, &scope{outer: frame.outer, ctes: frame.ctes, cols: cols}, "ON")
	if err != nil {
		return nil, nil, err
	}
	k := splitKeys(l, r, plan.Conjuncts(c))
	if len(k.lk) == 0 {
		return nil, nil, diag.At(x.On.Pos(), diag.Unsupported, "a join FOR SYSTEM_TIME AS OF needs an equality with the key of the right side")
	}
	n := &plan.Temporal{Kind: kind, Left: k.left, Right: k.right, LeftKeys: k.lk, RightKeys: k.rk, Time: tc.Index,
		Proctime: tc.T.Attr == types.Proctime, Cond: plan.AndOf(k.rest)}
	var fields []types.Field
	fields = append(fields, k.left.Schema().Fields...)
	for _, f := range k.right.Schema().Fields {
		f.Type = f.Type.Plain()
		if kind == plan.Left {
			f.Type = f.Type.OrNull()
		}
		fields = append(fields, f)
	}
	n.Out = types.NewSchema(fields...)
	out := k.restore(n)
	for i := range cols {
		cols[i].t = out.Schema().Fields[cols[i].index].Type
	}
	return out, cols, nil
}
