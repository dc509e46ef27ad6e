package bind

import (
	"slices"
	"strings"

	"github.com/runnelio/runnel/internal/catalog"
	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/internal/sql/ast"
	"github.com/runnelio/runnel/types"
)

// Table binds the definition of a table as a sink does; span is its use.
func Table(o *Options, obj *catalog.Object, span diag.Span) (*plan.Table, error) {
	b := newBinder(o)
	d, err := b.declare(obj.Path, obj.Table, span, nil, false, true)
	if err := b.finish(err); err != nil {
		return nil, err
	}
	return d.table, nil
}

// PartitionSpec returns the values of PARTITION (k = v, …) as texts by column.
// With whole it must name every partition column of t.
func PartitionSpec(o *Options, t *plan.Table, name *ast.Name, spec []*ast.Assign, whole bool, span diag.Span) (map[string]string, error) {
	b := newBinder(o)
	out := map[string]string{}
	for _, p := range spec {
		if !slices.Contains(t.Partitions, p.Column.Name) {
			return nil, notPartition(p.Column, t, name)
		}
		if _, twice := out[p.Column.Name]; twice {
			return nil, diag.At(p.Column.Pos(), diag.Exists, "partition column %s is given twice", p.Column.Name)
		}
		if p.X == nil {
			return nil, diag.At(p.Column.Pos(), diag.BadValue, "partition column %s has no value", p.Column.Name).Hint("write %s = value", p.Column.Name)
		}
		e, err := b.expr(p.X, &scope{})
		if err != nil {
			return nil, err
		}
		l, ok := b.literal(e)
		if !ok {
			return nil, diag.At(p.X.Pos(), diag.BadValue, "PARTITION takes constants")
		}
		e, err = b.partitionValue(l, t.Physical.Fields[t.Physical.Index(p.Column.Name)].Type, p)
		if err != nil {
			return nil, err
		}
		out[p.Column.Name] = ""
		if l, ok := b.literal(e); ok && l.Value != nil {
			out[p.Column.Name] = literalText(l)
		}
	}
	if whole && len(out) < len(t.Partitions) {
		return nil, diag.At(span, diag.NotAllowed, "a partition of %s is named by all of its columns: %s", name, strings.Join(t.Partitions, ", "))
	}
	return out, nil
}

func notPartition(c *ast.Ident, t *plan.Table, name *ast.Name) error {
	e := diag.At(c.Pos(), diag.NotAllowed, "%s is no partition column of %s", c.Name, name)
	if len(t.Partitions) == 0 {
		return e.Hint("it is not partitioned")
	}
	return e.Hint("it is partitioned by %s", strings.Join(t.Partitions, ", ")).DidYouMean(c.Name, t.Partitions)
}

// partitionValue converts the constant of a partition column to its type: any
// value that can be read as one will do, as in Flink.
func (b *binder) partitionValue(l *plan.Literal, t types.Type, p *ast.Assign) (plan.Expr, error) {
	if isNull(l) || l.Value == nil {
		return &plan.Literal{T: t.OrNull()}, nil
	}
	e, err := explicitCast(l, t, false, p.X.Pos())
	if err != nil {
		return nil, err
	}
	v, ok := b.literal(e)
	if !ok {
		return nil, diag.At(p.X.Pos(), diag.BadValue, "'%s' is no %s", literalText(l), typeText(t))
	}
	return v, nil
}
