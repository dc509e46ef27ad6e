package runtime

import (
	"context"
	"fmt"
	"time"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/internal/exec/join"
	"github.com/runnelio/runnel/internal/physical"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
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
	b.reloads(o, s, d)
	b.tables[o] = d
	return d
}

// reloads says when a dimension is read again, and where failures are told.
func (b *builder) reloads(o *physical.Op, s physical.Lookup, d *join.Dimension) {
	c := s.Cache
	health, log := b.job.healthOf(o.ID), b.job.log
	d.Now = b.opts.Func.Now
	d.Failed = func(err error) {
		if err == nil {
			health.Working("reload")
			return
		}
		health.Failing("reload", err)
		log.Warn("the table of a lookup join could not be read again: the rows there are go on serving", "operator", o.ID, "error", err)
	}
	switch {
	case c.ReloadAt != "":
		at, zone := c.ReloadAt, b.opts.Func.Zone
		days := max(c.ReloadDays, 1)
		d.Next = func(_, now time.Time) time.Duration {
			next, _ := physical.NextAt(at, days, now, zone) // checked when the table was planned
			return next.Sub(now)
		}
	case c.ReloadEvery != nil && c.ReloadMode == "FIXED_RATE":
		d.Next = func(began, now time.Time) time.Duration { return max(began.Add(*c.ReloadEvery).Sub(now), 0) }
	case c.ReloadEvery != nil:
		d.Next = func(time.Time, time.Time) time.Duration { return *c.ReloadEvery }
	}
}

// lookup makes the operator of a lookup join.
func (b *builder) lookup(o *physical.Op, s physical.Lookup, in *types.Schema, sub int) exec.Operator {
	spec := join.LookupSpec{
		Keys: s.Join.LeftKeys, Cond: s.Join.Cond, Pad: s.Join.Kind == plan.Left, Retries: s.Join.Retries, RetryAfter: s.Join.RetryAfter,
		In: in, Table: s.Join.Right.Schema(), Out: o.Out,
	}
	if s.Asked == nil {
		spec.Dimension = b.dimension(o, s)
		return join.NewLookup(spec)
	}
	a, c := s.Asked, s.Cache
	t := b.table(a.Table)
	t.Subtask, t.Parallel = sub, o.Parallel
	spec.Asked = &join.AskedSpec{
		Open: func(*exec.Context) (connector.Lookup, error) {
			return a.Table.Connector.Lookup(b.connector(o.ID), t, a.Keys)
		},
		Left: a.Left, Rows: a.Table.Physical, Filter: nil, Table: spec.Table, MaxRetries: c.LookupRetry,
		Cache: join.Cache{On: c.LookupCache == "PARTIAL", MaxKeys: c.CacheRows, Missing: c.CacheMissing},
	}
	// The connector gives whole rows; the plan counts the columns it reads.
	place := make([]int, len(a.Wants))
	for i, w := range a.Wants {
		place[i] = w.Column
	}
	move := func(i int) int { return place[i] }
	for _, e := range a.Exprs {
		spec.Asked.Exprs = append(spec.Asked.Exprs, plan.Remap(e, move))
	}
	if a.Filter != nil {
		spec.Asked.Filter = plan.Remap(a.Filter, move)
	}
	var key []types.Field
	for i, k := range a.Keys {
		key = append(key, types.Field{Name: a.Table.Physical.Fields[k].Name, Type: in.Fields[a.Left[i]].Type.Plain()})
	}
	spec.Asked.Key = types.NewSchema(key...)
	if c.CacheWrite != nil {
		spec.Asked.Cache.Write = *c.CacheWrite
	}
	if c.CacheAccess != nil {
		spec.Asked.Cache.Access = *c.CacheAccess
	}
	for i, l := range s.Join.LeftKeys {
		spec.Pairs = append(spec.Pairs, [2]int{l, s.Join.RightKeys[i]})
	}
	health := b.job.healthOf(o.ID)
	spec.Asked.Failed = func(err error) {
		if err == nil {
			health.Working("lookup")
			return
		}
		health.Failing("lookup", err)
	}
	return join.NewLookup(spec)
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
			return diag.At(t.Span, diag.NotAllowed, "table %s cannot be looked up: it is read into memory, and has no end", t.Path)
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
