package compile

import (
	"context"
	"strings"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/internal/bind"
	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/internal/sql/ast"
	"github.com/runnelio/runnel/types"
)

// This file is about partitions of tables: SHOW PARTITIONS and ALTER TABLE …
// ADD and DROP PARTITION. They are what the connector says they are; the catalog
// keeps none.

// partitions returns a partitioned table and what knows its partitions.
func (s *Session) partitions(name *ast.Name) (*plan.Table, connector.Partitions, error) {
	o, err := s.Catalog.Lookup(name)
	if err != nil {
		return nil, nil, err
	}
	if o.Table == nil || len(o.Table.PartitionedBy) == 0 {
		return nil, nil, diag.At(name.Pos(), diag.NotAllowed, "%s is not partitioned", name)
	}
	t, err := bind.Table(s.Bind(), o, name.Pos())
	if err != nil {
		return nil, nil, err
	}
	if t.Connector.Partitions == nil {
		return nil, nil, diag.At(name.Pos(), diag.Unsupported, "the partitions of %s are not known: connector %s does not keep them apart", name, t.Connector.Name)
	}
	cx := &connector.Context{Log: s.opts.Log, Now: s.opts.Now, Zone: s.Func().Zone, Dir: s.opts.Dir}
	p, err := t.Connector.Partitions(cx, &connector.Table{Name: t.Path, Schema: t.Physical, Partitions: t.Partitions, Options: t.Options, Format: t.Format})
	if err != nil {
		return nil, nil, diag.At(name.Pos(), diag.NotAllowed, "table %s: %w", name, err)
	}
	return t, p, nil
}

// showPartitions answers SHOW PARTITIONS t [PARTITION (k = v, …)].
func (s *Session) showPartitions(ctx context.Context, x *ast.Show) (*Result, error) {
	t, p, err := s.partitions(x.Name)
	if err != nil {
		return nil, err
	}
	want, err := bind.PartitionSpec(s.Bind(), t, x.Name, x.Partition, false, x.Pos())
	if err != nil {
		return nil, err
	}
	all, err := p.List(ctx)
	if err != nil {
		return nil, diag.At(x.Name.Pos(), diag.NotAllowed, "table %s: %w", x.Name, err)
	}
	r := table("partition name")
	for _, values := range all {
		parts, fits := make([]string, len(values)), true
		for i, v := range values {
			parts[i] = t.Partitions[i] + "=" + v
			if w, given := want[t.Partitions[i]]; given && w != v {
				fits = false
			}
		}
		if fits {
			r.Rows = append(r.Rows, []types.Value{strings.Join(parts, "/")})
		}
	}
	return r, nil
}

// alterPartitions is ALTER TABLE t ADD [IF NOT EXISTS] PARTITION … and DROP [IF EXISTS] PARTITION ….
func (s *Session) alterPartitions(ctx context.Context, x *ast.AlterTable, a *ast.AlterPartitions) error {
	if _, err := s.Catalog.Lookup(x.Name); err != nil && x.IfExists {
		return nil
	}
	t, p, err := s.partitions(x.Name)
	if err != nil {
		return err
	}
	list := make([][]string, len(a.Partitions))
	for i, part := range a.Partitions { // all are checked before any is touched
		if len(part.Options) > 0 {
			return diag.At(part.Options[0].Pos(), diag.Unsupported, "a partition has no options of its own: its rows stand in the folder that its values name")
		}
		spec, err := bind.PartitionSpec(s.Bind(), t, x.Name, part.Spec, true, part.Pos())
		if err != nil {
			return err
		}
		for _, c := range t.Partitions {
			list[i] = append(list[i], spec[c])
		}
	}
	for i, values := range list {
		span := a.Partitions[i].Pos()
		var done bool
		if a.Drop {
			done, err = p.Drop(ctx, values)
		} else {
			done, err = p.Add(ctx, values)
		}
		switch {
		case err != nil:
			return diag.At(span, diag.NotAllowed, "table %s: %w", x.Name, err)
		case done || a.IfExists:
		case a.Drop:
			return diag.At(span, diag.UnknownName, "table %s has no such partition", x.Name).Hint("say IF EXISTS, or see SHOW PARTITIONS %s", x.Name)
		default:
			return diag.At(span, diag.Exists, "table %s has this partition already", x.Name).Hint("say IF NOT EXISTS")
		}
	}
	return nil
}
