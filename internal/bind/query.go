package bind

import (
	"strconv"

	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/internal/sql/ast"
	"github.com/runnelio/runnel/types"
)

// subquery binds a query in an expression of s.
func (b *binder) subquery(q ast.Query, s *scope) (plan.Node, error) {
	o := *s
	o.agg, o.over, o.match, o.legacy, o.windows = nil, nil, nil, nil, nil
	return b.nested(q, &scope{outer: &o, ctes: s.ctes})
}

// nested binds a query whose errors must not be reported twice.
func (b *binder) nested(q ast.Query, s *scope) (plan.Node, error) {
	before := len(b.errs)
	n, err := b.queryNode(q, s)
	if err != nil {
		return nil, err
	}
	if n == nil {
		errs := b.errs[before:]
		b.errs = b.errs[:before:before]
		if len(errs) == 0 {
			return nil, diag.Bug("bind: a query without plan and error")
		}
		return nil, append(diag.List(nil), errs...)
	}
	return n, nil
}

// queryNode binds a query; with a nil node and error, errors were noted.
func (b *binder) queryNode(q ast.Query, s *scope) (plan.Node, error) {
	if s == nil {
		s = &scope{}
	}
	switch x := q.(type) {
	case *ast.Select:
		r, err := b.selectQuery(x, s, nil)
		if err != nil || r == nil {
			return nil, err
		}
		return r.node, nil
	case *ast.Values:
		return b.values(x, s)
	case *ast.SetOp:
		return b.setOp(x, s)
	case *ast.Sorted:
		return b.sorted(x, s)
	case *ast.With:
		return b.with(x, s)
	case *ast.ExplicitTable:
		return b.table(x.Name, nil, s)
	}
	return nil, diag.At(q.Pos(), diag.Unsupported, "this query is not supported")
}

// with binds WITH: a query of it is bound when it is first used, and shared.
func (b *binder) with(x *ast.With, s *scope) (plan.Node, error) {
	inner := *s
	for _, c := range x.CTEs {
		sees := inner
		var node plan.Node
		inner.ctes = &ctes{outer: inner.ctes, name: c.Name.Name, bind: func() (plan.Node, error) {
			if node != nil {
				return node, nil
			}
			n, err := b.nested(c.Query, &scope{ctes: sees.ctes})
			if err != nil {
				return nil, err
			}
			if c.Columns != nil {
				if n, err = rename(n, c.Columns, c.Name.Pos()); err != nil {
					return nil, err
				}
			}
			node = n
			return n, nil
		}}
	}
	// Mistakes in queries nobody uses are mistakes too.
	for q := inner.ctes; q != s.ctes; q = q.outer {
		if _, err := q.bind(); err != nil {
			return nil, err
		}
	}
	return b.queryNode(x.Body, &inner)
}

// rename gives the columns of n other names.
func rename(n plan.Node, columns []*ast.Ident, span diag.Span) (plan.Node, error) {
	fields := n.Schema().Fields
	if len(columns) != len(fields) {
		return nil, diag.At(columns[0].Pos(), diag.TypeMismatch, "%d names for %d columns", len(columns), len(fields))
	}
	names := make([]string, len(columns))
	seen := map[string]bool{}
	for i, c := range columns {
		if seen[c.Name] {
			return nil, diag.At(c.Pos(), diag.Exists, "column %s is named twice", c.Name)
		}
		seen[c.Name] = true
		names[i] = c.Name
	}
	return project(n, columnsOf(n), names), nil
}

func (b *binder) values(x *ast.Values, s *scope) (plan.Node, error) {
	width := len(x.Rows[0].Fields)
	rows := make([][]plan.Expr, len(x.Rows))
	inner := *s
	for i, r := range x.Rows {
		if len(r.Fields) != width {
			return nil, diag.At(r.Pos(), diag.TypeMismatch, "a row of %d values after rows of %d", len(r.Fields), width)
		}
		es, err := b.exprs(r.Fields, &inner)
		if err != nil {
			return nil, err
		}
		for k, e := range es {
			if hasInputs(e) {
				return nil, diag.At(r.Fields[k].Pos(), diag.Unsupported, "VALUES takes constants only")
			}
		}
		rows[i] = es
	}
	fields := make([]types.Field, width)
	for k := range width {
		col := make([]plan.Expr, len(rows))
		for i := range rows {
			col[i] = rows[i][k]
		}
		col, t, err := unify("VALUES", col, x.Rows[0].Fields[k].Pos())
		if err != nil {
			return nil, err
		}
		for i := range rows {
			rows[i][k] = col[i]
		}
		fields[k] = types.Field{Name: "EXPR$" + strconv.Itoa(k), Type: t.Plain()}
	}
	return &plan.Values{Rows: rows, Out: types.NewSchema(fields...)}, nil
}

// hasInputs tells whether e needs a row.
func hasInputs(e plan.Expr) bool {
	found := false
	plan.Walk(e, func(x plan.Expr) bool {
		switch x.(type) {
		case *plan.Column, *plan.Outer, *plan.Subquery:
			found = true
		}
		return !found
	})
	return found
}

func (b *binder) setOp(x *ast.SetOp, s *scope) (plan.Node, error) {
	// A chain of UNION ALL is one node of many inputs, and does not recurse.
	var queries []ast.Query
	q := ast.Query(x)
	for {
		u, ok := q.(*ast.SetOp)
		if !ok || u.Op != x.Op || u.All != x.All || x.Op != "UNION" && len(queries) > 0 {
			break
		}
		queries = append(queries, u.Right)
		q = u.Left
	}
	queries = append(queries, q)
	ins := make([]plan.Node, len(queries))
	for i := range queries {
		q := queries[len(queries)-1-i]
		in := *s
		n, err := b.nested(q, &in)
		if err != nil {
			b.note(err)
			continue
		}
		ins[i] = n
		if ins[0] == nil {
			continue
		}
		if a, c := len(ins[0].Schema().Fields), len(n.Schema().Fields); a != c {
			return nil, diag.At(q.Pos(), diag.TypeMismatch, "%s of %d and %d columns", x.Op, a, c)
		}
	}
	for _, n := range ins {
		if n == nil {
			return nil, nil
		}
	}
	fields := append([]types.Field(nil), ins[0].Schema().Fields...)
	for k := range fields {
		ts := make([]types.Type, len(ins))
		for i, n := range ins {
			ts[i] = n.Schema().Fields[k].Type
		}
		t, ok := types.Common(ts...)
		if !ok {
			return nil, diag.At(x.Pos(), diag.TypeMismatch, "column %s of %s: %s and %s have nothing in common", fields[k].Name, x.Op, typeText(ts[0]), typeText(ts[1]))
		}
		same := true
		for _, u := range ts {
			same = same && u.Attr == ts[0].Attr
		}
		if !same || x.Op != "UNION" || !x.All {
			t = t.Plain()
		}
		fields[k].Type = t
	}
	for i, n := range ins {
		exprs := columnsOf(n)
		changed := false
		for k := range exprs {
			if e := cast(exprs[k], fields[k].Type); e != exprs[k] {
				exprs[k], changed = e, true
			}
		}
		if changed {
			names := make([]string, len(fields))
			for k, f := range fields {
				names[k] = f.Name
			}
			ins[i] = project(n, exprs, names)
		}
	}
	out := &plan.SetOp{In: ins, All: x.All, Out: types.NewSchema(fields...)}
	switch x.Op {
	case "UNION":
		out.Op, out.All = plan.Union, true
		if !x.All {
			return distinct(out), nil
		}
	case "INTERSECT":
		out.Op = plan.Intersect
	default:
		out.Op = plan.Except
	}
	return out, nil
}

// sorted binds ORDER BY, LIMIT and OFFSET.
func (b *binder) sorted(x *ast.Sorted, s *scope) (plan.Node, error) {
	var sel *selected
	inner := *s
	body := x.Body
	if w, ok := body.(*ast.With); ok { // the queries of WITH are in sight of ORDER BY's sub-queries too
		return b.with(&ast.With{Place: w.Place, CTEs: w.CTEs, Body: &ast.Sorted{Place: x.Place, Body: w.Body, OrderBy: x.OrderBy, Limit: x.Limit, Offset: x.Offset}}, s)
	}
	if q, ok := body.(*ast.Select); ok {
		var err error
		if sel, err = b.selectQuery(q, &inner, x.OrderBy); err != nil || sel == nil {
			return nil, err
		}
	} else {
		n, err := b.queryNode(body, &inner)
		if err != nil || n == nil {
			return nil, err
		}
		sel = &selected{node: n, visible: len(n.Schema().Fields)}
		rows := &scope{outer: s.outer, ctes: s.ctes}
		rows.add("", n.Schema(), 0)
		list := make([]item, 0, sel.visible)
		for i, e := range columnsOf(n) {
			list = append(list, item{x: e, name: n.Schema().Fields[i].Name, alias: true})
		}
		before := len(b.errs)
		sorts := b.sortItems(x.OrderBy, nil, rows, list)
		if len(b.errs) > before {
			return nil, nil
		}
		for _, k := range sorts {
			if k.column < 0 {
				c, ok := k.x.(*plan.Column)
				if !ok {
					return nil, diag.At(k.span, diag.Unsupported, "ORDER BY of a set operation can only name its columns")
				}
				k.column = c.Index
			}
			sel.keys = append(sel.keys, plan.SortKey{Column: k.column, Desc: k.desc, NullsFirst: k.nullsFirst})
		}
	}
	n := &plan.Sort{Input: sel.node, Keys: sel.keys, Limit: -1}
	if len(x.OrderBy) > 0 {
		n.Span = b.place(x.OrderBy[0].X.Pos())
	}
	var err error
	if x.Limit != nil {
		if n.Limit, err = b.count(x.Limit, "LIMIT"); err != nil {
			return nil, err
		}
	}
	if x.Offset != nil {
		if n.Offset, err = b.count(x.Offset, "OFFSET"); err != nil {
			return nil, err
		}
	}
	var out plan.Node = n
	if len(n.Keys) == 0 && n.Limit < 0 && n.Offset == 0 {
		out = sel.node
	}
	if hidden := len(sel.node.Schema().Fields) - sel.visible; hidden > 0 {
		out = project(out, columnsOf(out)[:sel.visible], out.Schema().Names())
	}
	return out, nil
}

// count is the number of LIMIT or OFFSET.
func (b *binder) count(e ast.Expr, what string) (int64, error) {
	x, err := b.expr(e, &scope{})
	if err != nil {
		return 0, err
	}
	if l, ok := b.literal(x); ok {
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
	}
	return 0, diag.At(e.Pos(), diag.BadValue, "%s takes a number of rows", what)
}
