package bind

import (
	"slices"

	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/internal/sql/ast"
	"github.com/runnelio/runnel/types"
)

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
		if err := b.notYet(name, x.Call.Name.Pos()); err != nil {
			return nil, nil, err
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
		Proctime: tc.T.Attr == types.Proctime, Cond: plan.AndOf(k.rest), Span: b.place(t.AsOf.Pos())}
	if n.Proctime {
		if err := b.retries(t, n); err != nil {
			return nil, nil, err
		}
	}
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
