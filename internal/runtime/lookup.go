package runtime

import (
	"context"
	"fmt"

	"github.com/runnelio/runnel/internal/exec/join"
	"github.com/runnelio/runnel/internal/physical"
	"github.com/runnelio/runnel/vector"
)

// dimension returns the table that the tasks of a lookup join share. It is read
// by a job of its own when the first of them opens, before any row comes.
func (b *builder) dimension(o *physical.Op, s physical.Lookup) *join.Dimension {
	if d := b.tables[o]; d != nil {
		return d
	}
	if b.tables == nil {
		b.tables = map[*physical.Op]*join.Dimension{}
	}
	opts := b.opts
	opts.Store = nil // what it reads is read again after a restart
	opts.Name += "/" + o.ID
	d := &join.Dimension{Keys: s.Join.RightKeys, Load: func(ctx context.Context, row func(*vector.Batch) error) error {
		p, err := s.Table(rowSink{row})
		if err != nil {
			return err
		}
		if err := b.bounded(p); err != nil {
			return err
		}
		job, err := Start(ctx, p, opts)
		if err != nil {
			return err
		}
		return job.Wait()
	}}
	b.tables[o] = d
	return d
}

// bounded checks that every source of p comes to an end.
func (b *builder) bounded(p *physical.Plan) error {
	for _, o := range p.Ops {
		s, ok := o.Spec.(physical.Source)
		if !ok {
			continue
		}
		t := s.Scan.Table
		if t.Connector.Source == nil {
			return fmt.Errorf("connector %s cannot be read from", t.Connector.Name)
		}
		src, err := t.Connector.Source(b.opts.Connector, b.table(t))
		if err != nil {
			return err
		}
		if x, ok := src.(interface{ Bounded() bool }); ok && !x.Bounded() {
			return fmt.Errorf("table %s cannot be looked up: it is read into memory, and has no end", t.Path)
		}
	}
	return nil
}

// rowSink hands batches to a function.
type rowSink struct{ row func(*vector.Batch) error }

// Write implements connector.Sink.
func (r rowSink) Write(_ context.Context, b *vector.Batch) error { return r.row(b) }

// Close implements connector.Sink.
func (r rowSink) Close(context.Context) error { return nil }
