package runtime

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/internal/exec/aggregate"
	"github.com/runnelio/runnel/internal/exec/join"
	"github.com/runnelio/runnel/internal/exec/match"
	"github.com/runnelio/runnel/internal/exec/rank"
	"github.com/runnelio/runnel/internal/exec/relational"
	"github.com/runnelio/runnel/internal/exec/rules"
	"github.com/runnelio/runnel/internal/exec/table"
	"github.com/runnelio/runnel/internal/exec/window"
	"github.com/runnelio/runnel/internal/metrics"
	"github.com/runnelio/runnel/internal/physical"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/internal/state"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// builder makes the tasks of a plan.
type builder struct {
	ctx  context.Context
	plan *physical.Plan
	opts Options
	job  *Job
	last *state.Commit // what the job goes on from
	// states are the names of operators' states in the store.
	states map[string]string

	byTask   map[taskKey]*task
	order    []*task
	nodes    map[nodeKey]*node
	tables   map[*physical.Op]*join.Dimension // of lookup joins
	groups   map[string]*alignment            // of sources that go through event time together
	rules    map[*physical.Op]*relational.RuleSet
	controls []*rules.Control
	watched  []*splitManager
	ends     map[edgeKey][]receiverEnd
	shares   []*scanMember
}

type taskKey struct{ stage, subtask int }

type nodeKey struct {
	op      *physical.Op
	subtask int
}

func (b *builder) tasks() ([]*task, error) {
	b.byTask, b.nodes, b.rules = map[taskKey]*task{}, map[nodeKey]*node{}, map[*physical.Op]*relational.RuleSet{}
	if u := b.opts.unit; u != nil {
		// Rules are the same in all units, and large.
		u.set.building.Lock()
		defer u.set.building.Unlock()
		b.rules = u.set.rules
	}
	if b.opts.Store != nil {
		last, err := b.opts.Store.Last(b.ctx)
		if err != nil {
			return nil, err
		}
		a, err := adopt(b.plan, last, b.opts.Store, b.opts.AllowNonRestored)
		if err != nil {
			return nil, err
		}
		if err := a.drop(b.opts.Store); err != nil {
			return nil, err
		}
		b.last, b.states = a.commit(), a.names
	}
	for _, o := range b.plan.Ops {
		if err := b.op(o); err != nil {
			return nil, &OpError{Op: o.ID, Err: err}
		}
	}
	b.budgets()
	b.connect()
	for _, t := range b.order {
		if t.source != nil {
			t.source.out = t.nodes[0].out
			if u := b.opts.unit; u != nil && u.set.check != nil {
				t.source.out = &verified{Output: t.source.out, check: u.set.check, keys: b.plan.Aligned.Keys, split: u.split.ID}
			}
		}
	}
	return b.order, nil
}

// op makes the nodes of o, one a subtask, and puts them into their tasks.
func (b *builder) op(o *physical.Op) error {
	var sources []*sourceDriver
	switch o.Spec.(type) {
	case physical.Source, physical.GoSource, physical.Values:
		var err error
		if sources, err = b.sources(o); err != nil {
			return err
		}
	}
	for sub := range o.Parallel {
		_, sink := o.Spec.(physical.Sink)
		var m *metrics.Op
		if b.opts.unit != nil {
			m = b.opts.unit.metric(o.ID, sources != nil, sink)
		} else {
			m = &metrics.Op{Name: o.ID, Subtask: sub, Source: sources != nil, Sink: sink}
			b.job.Metrics.Ops = append(b.job.Metrics.Ops, m)
		}
		n := &node{name: o.ID, metrics: m, mark: restoredWatermark(b.last, o.ID)}
		fcx := *b.opts.Func // CURRENT_WATERMARK is that of the operator that computes
		fcx.Watermark = func() (int64, bool) { return n.mark, n.mark != noWatermark }
		n.cx = &exec.Context{
			Context: b.ctx, Func: &fcx, Log: b.opts.Log, Metrics: m, ID: o.ID, Subtask: sub, Parallel: o.Parallel,
			Watermark: restoredWatermark(b.last, o.ID),
			TTL:       ttl(o.Spec, b.plan.Options.TTL), MiniBatch: b.plan.Options.MiniBatch, MiniLatency: b.plan.Options.MiniLatency, Batch: b.plan.Options.Batch, BatchSize: b.plan.Options.BatchSize,
		}
		if b.opts.Store != nil {
			n.cx.State = b.opts.Store.Backend(b.states[o.ID], sub, o.Parallel)
		}
		key := taskKey{o.Stage, sub}
		t := b.byTask[key]
		if t == nil {
			t = &task{name: fmt.Sprintf("%s/%d", o.ID, sub), inputs: max(1, len(o.Inputs))}
			b.byTask[key] = t
			b.order = append(b.order, t)
		}
		if sources != nil {
			n.op = sourceNode{}
			t.source = sources[sub]
			t.source.task, t.source.metrics, t.sourceEnded = t, m, make(chan struct{})
		} else {
			op, err := b.operator(o, sub)
			if err != nil {
				return err
			}
			n.op = op
		}
		t.nodes = append(t.nodes, n)
		b.nodes[nodeKey{o, sub}] = n
	}
	return nil
}

// ttl is how long the state of an operator is kept: as a hint says, or the job.
// Those of joins are by side, which they look at themselves.
func ttl(s physical.Spec, all time.Duration) time.Duration {
	a, ok := s.(physical.Aggregate)
	switch {
	case !ok || a.TTL == 0:
		return all
	case a.TTL < 0:
		return 0
	}
	return a.TTL
}

// sourceNode stands for a source among the operators of its task.
type sourceNode struct{ exec.Stateless }

// Process is never called: a source has no input.
func (sourceNode) Process(int, *vector.Batch, exec.Output) error {
	return diag.Bug("a source has no input")
}

// operator is the one switch from spec to operator.
func (b *builder) operator(o *physical.Op, sub int) (exec.Operator, error) {
	in := make([]*types.Schema, len(o.Inputs))
	for i, e := range o.Inputs {
		in[i] = e.From.Out
	}
	switch s := o.Spec.(type) {
	case physical.Calc:
		return relational.NewCalc(s.Filter, s.Exprs, in[0], o.Out)
	case physical.Watermark:
		return relational.NewWatermark(relational.WatermarkSpec{Column: s.Column, Expr: s.Expr, PerRow: s.Gap == 1 || s.Gap == 0 && b.plan.Options.WatermarkInterval == 0, Gap: s.Gap, Report: b.watermarksOf(o), FireOnIdle: b.plan.Options.FireOnIdle, In: in[0], Out: o.Out}), nil
	case physical.Rules:
		set := b.rules[o]
		if set == nil {
			set = relational.NewRuleSet(s.Rules.Rules, in[0], o.Out, b.plan.Options.MaxUnindexed)
			b.rules[o] = set
		}
		r := relational.NewRuleFilter(set)
		if d := b.sourceBefore(o, sub); d != nil {
			d.asked = r
		}
		return r, nil
	case physical.LiveRules:
		c := rules.NewControl(s.Live, b.opts.Func, b.opts.Log, b.plan.Options.MaxUnindexed)
		b.controls = append(b.controls, c)
		r := rules.New(c, in[0], o.Out)
		if d := b.sourceBefore(o, sub); d != nil {
			d.asked = r
		}
		return r, nil
	case physical.LateRows:
		return relational.NewCalc(nil, s.Exprs, s.In, o.Out)
	case physical.Expand:
		return relational.NewExpand(s.Sets, in[0], o.Out)
	case physical.Union:
		return relational.NewUnion(o.Out), nil
	case physical.Aggregate:
		return aggregate.NewGroup(aggregate.Spec{Keys: s.Keys, Calls: s.Calls, Retracts: s.Retracts, UpdateBefore: s.UpdateBefore, In: in[0], Out: o.Out}), nil
	case physical.Join:
		return join.New(join.Spec{Join: s.Join, LeftRetracts: s.LeftRetracts, RightRetracts: s.RightRetracts, Left: in[0], Right: in[1]})
	case physical.Normalize:
		return relational.NewNormalize(relational.NormalizeSpec{Key: s.Key, UpdateBefore: s.UpdateBefore, In: in[0]}), nil
	case physical.Materialize:
		return relational.NewMaterialize(relational.MaterializeSpec{Key: s.Key, In: in[0]}), nil
	case physical.IntervalJoin:
		return join.NewInterval(join.IntervalSpec{
			Kind: s.Join.Kind, Keys: [2][]int{s.Join.LeftKeys, s.Join.RightKeys}, NullSafe: s.Join.NullSafe, Time: [2]int{s.LeftTime, s.RightTime},
			Lower: s.Lower, Upper: s.Upper, Cond: s.Join.Cond, In: [2]*types.Schema{in[0], in[1]}, Out: o.Out, Proctime: s.Proctime, FlushAtEnd: s.FlushAtEnd,
		}), nil
	case physical.TemporalJoin:
		return join.NewTemporal(join.TemporalSpec{
			Keys: [2][]int{s.Join.LeftKeys, s.Join.RightKeys}, Time: [2]int{s.Join.Time, s.RightTime}, Cond: s.Join.Cond,
			Pad: s.Join.Kind == plan.Left, In: [2]*types.Schema{in[0], in[1]}, Out: o.Out,
		}), nil
	case physical.Lookup:
		return b.lookup(o, s, in[0], sub), nil
	case physical.Match:
		return match.New(match.Spec{
			Partition: s.Match.Partition, Order: s.Match.Order, Pattern: s.Match.Pattern, In: in[0], Out: o.Out,
			Proctime: in[0].Fields[s.Match.Order[0].Column].Type.Attr == types.Proctime,
		}), nil
	case physical.SetOp:
		return relational.NewSetOp(s.Op, s.All, o.Out), nil
	case physical.Correlate:
		return table.NewCorrelate(s.Correlate, in[0])
	case physical.Rank:
		return rank.New(rank.Spec{Keys: s.Keys, Limit: s.Limit, Offset: s.Offset, Retracts: s.Retracts, UpdateBefore: s.UpdateBefore, In: in[0]}), nil
	case physical.WindowAssign:
		return window.NewAssign(window.AssignSpec{Assign: assign(s.Assign), Partition: s.Assign.Window.Partition, FlushAtEnd: s.FlushAtEnd, In: in[0], Out: o.Out}), nil
	case physical.WindowAggregate:
		return window.New(windowSpec(s, in[0], o.Out)), nil
	case physical.WindowRank:
		return window.NewRank(windowRank(s, in[0], o.Out)), nil
	case physical.WindowJoin:
		return window.NewJoin(windowJoin(s, in, o.Out)), nil
	case physical.Over:
		return over(s, in[0], o.Out), nil
	case physical.TopN:
		return topN(s, in[0], o.Out, b.plan.Options.Batch), nil
	case physical.Opaque:
		op, err := s.Opaque.New(sub)
		if err != nil {
			return nil, err
		}
		x, ok := op.(exec.Operator)
		if !ok {
			return nil, diag.Bug("%s: %T is no operator", s.Opaque.Name, op)
		}
		return x, nil
	case physical.Sink:
		return b.sink(o, s)
	}
	return nil, diag.Bug("no operator for %T", o.Spec)
}

// sourceBefore returns the decoder of the source right in front of o, if o is its
// only consumer: it asks o's rules before it decodes what they do not read.
func (b *builder) sourceBefore(o *physical.Op, sub int) *scanDecoder {
	src := o.Inputs[0].From
	if !o.Inputs[0].Fused || len(src.Consumers()) != 1 {
		return nil
	}
	t := b.byTask[taskKey{src.Stage, sub}]
	if t == nil || t.source == nil || t.nodes[0] != b.nodes[nodeKey{src, sub}] {
		return nil
	}
	return t.source.decode
}

func (b *builder) sink(o *physical.Op, s physical.Sink) (exec.Operator, error) {
	if s.Sink.Table == nil {
		return &sinkOp{from: b.last, open: func(int, int) (connector.Sink, error) { return s.Sink.Collect, nil }}, nil
	}
	t := b.table(s.Sink.Table)
	if t.Format != nil {
		schema, _ := formatSchema(s.Sink.Table)
		if err := writable(t.Format, formatEncoding(schema, b.opts)); err != nil {
			return nil, fmt.Errorf("format %s: %w", s.Sink.Table.FormatName, err)
		}
	}
	t.Overwrite, t.Static = s.Sink.Overwrite, s.Sink.Static
	switch o.Changelog {
	case physical.Upsert:
		t.Changelog = connector.Upsert
	case physical.Retract:
		t.Changelog = connector.Retract
	}
	return &sinkOp{from: b.last, health: b.job.healthOf(o.ID), opts: s.Sink.Table.Sink, table: s.Sink.Table.Path, nulls: newNullCheck(s.Sink), open: func(sub, parallel int) (connector.Sink, error) {
		own := *t
		own.Subtask, own.Parallel = sub, parallel
		if u := b.opts.unit; u != nil {
			own.Unit = u.split.ID
			if u.writer != "" {
				own.Writer, own.Owned = u.writer+"-"+o.ID, u.owned
			}
		}
		return s.Sink.Table.Connector.Sink(b.connector(o.ID), &own)
	}}, nil
}

// recommitAll has the sinks of a job that has ended commit its last
// transactions once more: it may have died before they did.
func (b *builder) recommitAll() error {
	for _, o := range b.plan.Ops {
		for sub := range o.Parallel {
			s, ok := b.nodes[nodeKey{o, sub}].op.(*sinkOp)
			if !ok || sub > 0 {
				continue
			}
			sink, err := s.open(0, 1)
			if err != nil {
				return wrapOp(o.ID, err)
			}
			if tx, ok := sink.(connector.Tx); ok {
				err = recommit(b.ctx, tx, o.ID, 0, 1, b.last)
			}
			ctx, cancel := context.WithCancel(context.WithoutCancel(b.ctx))
			cancel()
			if cerr := sink.Close(ctx); err == nil {
				err = cerr
			}
			if err != nil {
				return wrapOp(o.ID, err)
			}
		}
	}
	return nil
}

// connect gives every node its output: the next operators of its task, called
// directly, and the exchanges.
func (b *builder) connect() {
	// Receivers first: how many senders each task has.
	for _, o := range b.plan.Ops {
		for i, e := range o.Inputs {
			if e.Fused {
				continue
			}
			for sub := range o.Parallel {
				t := b.byTask[taskKey{o.Stage, sub}]
				if t.inbox == nil {
					t.inbox = make(chan message, inboxSize)
				}
				n := e.From.Parallel
				if e.Exchange == physical.Forward {
					n = 1
				}
				for range n {
					t.senders = append(t.senders, senderInfo{input: i})
				}
			}
		}
	}
	// Then the nodes, last to first: a fused consumer's output is made before its producer's.
	numbered := map[*task]int{}
	for _, o := range b.plan.Ops {
		for i := range o.Inputs {
			if !o.Inputs[i].Fused {
				b.number(o, i, numbered)
			}
		}
	}
	for _, o := range slices.Backward(b.plan.Ops) {
		for sub := range o.Parallel {
			n := b.nodes[nodeKey{o, sub}]
			var targets []exec.Output
			side := &sideRows{node: n, kind: o.ID}
			for _, c := range distinct(o.Consumers()) {
				for i, e := range c.Inputs {
					if e.From != o {
						continue
					}
					if e.Fused {
						next := b.nodes[nodeKey{c, sub}]
						target := &call{op: next.op, out: next.out, metrics: next.metrics, name: next.name, node: next}
						if e.Side {
							side.to(e.SideInput, o.Inputs[e.SideInput].From.Out, c.Spec.(physical.LateRows).In, target, b.plan.Options.BatchSize)
						} else {
							targets = append(targets, target)
						}
						continue
					}
					targets = append(targets, newSender(b.ctx, e, sub, b.ends[edgeKey{c, i, sub}], o.Out, b.plan.Options.BatchSize, n.metrics))
				}
			}
			f := newFan(targets, n.metrics)
			if side.ins != nil {
				f.side, n.cx.Side = side, side
			}
			n.out = f
		}
	}
}

func distinct(ops []*physical.Op) []*physical.Op {
	var out []*physical.Op
	for _, o := range ops {
		if !slices.Contains(out, o) {
			out = append(out, o)
		}
	}
	return out
}

// edgeKey is an input of an operator as one sending subtask sees it.
type edgeKey struct {
	to      *physical.Op
	input   int
	subtask int
}

// number gives each sender of input i of o its number at each receiver.
func (b *builder) number(o *physical.Op, i int, numbered map[*task]int) {
	e := o.Inputs[i]
	if b.ends == nil {
		b.ends = map[edgeKey][]receiverEnd{}
	}
	for from := range e.From.Parallel {
		ends := make([]receiverEnd, o.Parallel)
		for to := range o.Parallel {
			t := b.byTask[taskKey{o.Stage, to}]
			if e.Exchange == physical.Forward && o.Parallel > 1 && to != from {
				continue // never sent to
			}
			ends[to] = receiverEnd{inbox: t.inbox, id: numbered[t]}
			numbered[t]++
		}
		b.ends[edgeKey{o, i, from}] = ends
	}
}
