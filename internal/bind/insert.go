package bind

import (
	"slices"

	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/internal/sql/ast"
	"github.com/runnelio/runnel/types"
)

// insert binds INSERT: the query's columns are matched with the table's by
// position, converted where that loses nothing, and put in the table's order.
func (b *binder) insert(x *ast.Insert) (*plan.Sink, error) {
	obj, err := b.Catalog.Lookup(x.Table)
	if err != nil {
		return nil, err
	}
	if obj.Table == nil {
		return nil, diag.At(x.Table.Pos(), diag.NotAllowed, "%s is a view: INSERT needs a table", x.Table)
	}
	var hints map[string]string
	for _, h := range x.Hints {
		if err := b.hint(h); err != nil {
			return nil, err
		}
		if h.Name == "OPTIONS" {
			hints = ast.Options(h.Options)
		}
	}
	d := b.sinks[obj] // thousands of rules may write to one table
	if d == nil || hints != nil {
		if d, err = b.declare(obj.Path, obj.Table, x.Table.Pos(), hints, false, true); err != nil {
			return nil, err
		}
		if hints == nil {
			b.sinks[obj] = d
		}
	}
	if d.table.Connector.Sink == nil {
		return nil, diag.At(x.Table.Pos(), diag.NotAllowed, "table %s cannot be written: connector %s has no sink", x.Table, d.table.Connector.Name)
	}
	table := d.table
	if x.Overwrite {
		switch {
		case !table.Connector.Overwrites:
			return nil, diag.At(x.Pos(), diag.Unsupported, "connector %s cannot replace the rows of table %s", table.Connector.Name, x.Table).Hint("INSERT OVERWRITE is for filesystem tables; use INSERT INTO")
		case !b.Batch:
			return nil, diag.At(x.Pos(), diag.NotAllowed, "INSERT OVERWRITE is not for streaming mode, which has no end at which to replace the rows").Hint("SET 'execution.runtime-mode' = 'batch'")
		}
		one := *table // what is there is replaced once, when all rows are written
		one.SinkParallelism = 1
		table = &one
	}
	columns := obj.Table.Columns
	var names []string
	var targets []int // declared columns that can be written
	for i, c := range columns {
		if d.persisted[i] {
			targets = append(targets, i)
			names = append(names, c.Name.Name)
		}
	}
	find := func(c *ast.Ident) (int, error) {
		i := slices.IndexFunc(columns, func(o *ast.Column) bool { return o.Name.Name == c.Name })
		if i < 0 {
			return 0, diag.At(c.Pos(), diag.UnknownColumn, "no column %s in %s", c.Name, x.Table).DidYouMean(c.Name, names)
		}
		if !d.persisted[i] {
			return 0, diag.At(c.Pos(), diag.NotAllowed, "column %s cannot be written", c.Name)
		}
		return i, nil
	}
	static := map[int]plan.Expr{}
	for _, p := range x.Partition {
		i, err := find(p.Column)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(d.table.Partitions, p.Column.Name) {
			return nil, notPartition(p.Column, d.table, x.Table)
		}
		if static[i] != nil {
			return nil, diag.At(p.Column.Pos(), diag.Exists, "partition column %s is given twice", p.Column.Name)
		}
		if p.X == nil {
			continue
		}
		e, err := b.expr(p.X, &scope{})
		if err != nil {
			return nil, err
		}
		l, ok := b.literal(e)
		if !ok {
			return nil, diag.At(p.X.Pos(), diag.BadValue, "PARTITION takes constants")
		}
		v, err := b.partitionValue(l, columns[i].Type.Type, p)
		if err != nil {
			return nil, err
		}
		static[i] = v
	}
	targets = slices.DeleteFunc(targets, func(i int) bool { return static[i] != nil })
	if x.Columns != nil {
		targets = nil
		for _, c := range x.Columns {
			i, err := find(c)
			if err != nil {
				return nil, err
			}
			if slices.Contains(targets, i) || static[i] != nil {
				return nil, diag.At(c.Pos(), diag.Exists, "column %s is given twice", c.Name)
			}
			targets = append(targets, i)
		}
	}
	q, err := b.nested(x.Query, &scope{})
	if err != nil {
		return nil, err
	}
	given := q.Schema().Fields
	if len(given) != len(targets) {
		return nil, diag.At(x.Query.Pos(), diag.TypeMismatch, "the query has %d columns, but %s takes %d", len(given), x.Table, len(targets))
	}
	exprs := make([]plan.Expr, len(d.table.Physical.Fields))
	var errs diag.List
	for k, i := range targets {
		want := d.table.Physical.Fields[d.place[i]]
		e, err := b.assign(column(q, k), want, x)
		errs.Add(err)
		exprs[d.place[i]] = e
	}
	for i, e := range static {
		exprs[d.place[i]] = e
	}
	out := make([]string, len(exprs))
	for i, f := range d.table.Physical.Fields {
		out[i] = f.Name
		if exprs[i] == nil {
			if !f.Type.Nullable {
				errs.Add(diag.At(x.Table.Pos(), diag.NotAllowed, "column %s of %s is NOT NULL and gets no value", f.Name, x.Table))
			}
			exprs[i] = &plan.Literal{T: f.Type.OrNull()}
		}
	}
	if err := errs.Err(); err != nil {
		return nil, err
	}
	s := &plan.Sink{Input: project(q, exprs, out), Table: table, Name: obj.Path.Name, Overwrite: x.Overwrite, DropNulls: b.DropNulls}
	for i, f := range d.table.Physical.Fields {
		if !f.Type.Nullable { // of whatever type the query is: sources do not see to what their columns promise
			s.NotNull = append(s.NotNull, i)
		}
	}
	if len(static) > 0 {
		s.Static = map[string]string{}
		for i, e := range static {
			if l, ok := b.literal(e); ok && l.Value != nil {
				s.Static[columns[i].Name.Name] = literalText(l)
			}
		}
	}
	return s, nil
}

// assign converts a column of the query to that of the table.
func (b *binder) assign(e plan.Expr, want types.Field, x *ast.Insert) (plan.Expr, error) {
	from := e.Type().Plain()
	if _, implicit := types.Castable(from, want.Type); !implicit {
		name := ""
		if c, ok := e.(*plan.Column); ok {
			name = c.Name
		}
		err := diag.At(x.Query.Pos(), diag.TypeMismatch, "column %s of %s is %s, the query's %s is %s", want.Name, x.Table, typeText(want.Type), name, typeText(from))
		if explicit, _ := types.Castable(from, want.Type); explicit {
			return nil, err.Hint("write CAST(%s AS %s)", name, typeText(want.Type))
		}
		return nil, err
	}
	if from.IsChar() && want.Type.Kind == types.VarChar && want.Type.Prec == types.MaxLength {
		return e, nil
	}
	return cast(e, want.Type.WithNull(from.Nullable)), nil
}

func literalText(l *plan.Literal) string {
	return string(types.AppendCast(nil, l.Value, l.T, nil))
}
