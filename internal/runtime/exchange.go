package runtime

import (
	"context"
	"time"

	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/internal/metrics"
	"github.com/runnelio/runnel/internal/physical"
	"github.com/runnelio/runnel/internal/state"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// A message is what travels between tasks: a batch or an event of one sender.
type message struct {
	sender int // index into the receiving task's senders
	batch  *vector.Batch
	back   chan *vector.Batch // where the batch goes when it has been read
	event  exec.Event
}

// inboxSize is the number of messages a task can have waiting. Senders are
// bounded by their batches too: each has batchesPerEdge in flight to a receiver.
const (
	inboxSize      = 16
	batchesPerEdge = 4
)

// sender is one task's end of an exchange edge: it copies rows into batches of
// its own, one stream a receiving task, and waits when none of them is free.
type sender struct {
	ctx     context.Context
	kind    physical.ExchangeKind
	keys    []int
	to      []receiverEnd
	subtask int
	next    int // of Rebalance
	key     []byte
	rows    [][]int32 // by receiver: rows of the batch at hand
	metrics *metrics.Op
}

type receiverEnd struct {
	inbox chan<- message
	id    int // the sender's number at this receiver
	free  chan *vector.Batch
}

func newSender(ctx context.Context, e physical.Edge, subtask int, to []receiverEnd, schema *types.Schema, size int, m *metrics.Op) *sender {
	s := &sender{ctx: ctx, kind: e.Exchange, keys: e.Keys, to: to, subtask: subtask, metrics: m, rows: make([][]int32, len(to))}
	for i := range s.to {
		if s.to[i].inbox == nil {
			continue // Forward: never sent to
		}
		s.to[i].free = make(chan *vector.Batch, batchesPerEdge)
		for range batchesPerEdge {
			s.to[i].free <- vector.NewBatch(schema, min(size, 64))
		}
	}
	return s
}

// Emit copies the live rows of b to the receivers they belong to.
func (s *sender) Emit(b *vector.Batch) error {
	switch s.kind {
	case physical.Rebalance:
		s.next = (s.next + 1) % len(s.to)
		return s.send(s.next, b, nil)
	case physical.Hash:
		if len(s.to) > 1 {
			return s.partition(b)
		}
	case physical.Forward:
		if len(s.to) > 1 {
			return s.send(s.subtask, b, nil)
		}
	}
	return s.send(0, b, nil)
}

func (s *sender) partition(b *vector.Batch) error {
	for i := range s.rows {
		s.rows[i] = s.rows[i][:0]
	}
	b.Rows(func(i int) {
		s.key = s.key[:0]
		for _, k := range s.keys {
			s.key = vector.AppendKey(s.key, b.Cols[k], i)
		}
		t := state.TaskOf(state.UnitOf(vector.HashKey(s.key)), len(s.to))
		s.rows[t] = append(s.rows[t], int32(i))
	})
	for t, rows := range s.rows {
		if len(rows) > 0 {
			if err := s.send(t, b, rows); err != nil {
				return err
			}
		}
	}
	return nil
}

// send copies rows of b (its live rows if nil) to receiver t.
func (s *sender) send(t int, b *vector.Batch, rows []int32) error {
	r := &s.to[t]
	var out *vector.Batch
	select {
	case out = <-r.free:
	default:
		since := time.Now()
		select {
		case out = <-r.free:
			s.metrics.BlockedNs.Add(int64(time.Since(since)))
		case <-s.ctx.Done():
			return context.Cause(s.ctx)
		}
	}
	out.Reset()
	b.CopyTo(out, rows)
	out.Origin = b.Origin
	return s.put(t, message{sender: r.id, batch: out, back: r.free})
}

func (s *sender) put(t int, m message) error {
	select {
	case s.to[t].inbox <- m:
		return nil
	case <-s.ctx.Done():
		return context.Cause(s.ctx)
	}
}

// Forward sends an event to every receiver.
func (s *sender) Forward(ev exec.Event) error {
	for t := range s.to {
		if s.kind == physical.Forward && len(s.to) > 1 && t != s.subtask {
			continue
		}
		if err := s.put(t, message{sender: s.to[t].id, event: ev}); err != nil {
			return err
		}
	}
	return nil
}

// fan hands what an operator emits to its consumers in the same task and to
// exchanges. Consumers may change the header of a batch, so each but a sole one gets its own.
type fan struct {
	targets []exec.Output
	headers []vector.Batch
	cols    [][]vector.Vector
	metrics *metrics.Op
	side    *sideRows // nil if nobody wants late rows
}

func newFan(targets []exec.Output, m *metrics.Op) *fan {
	return &fan{targets: targets, headers: make([]vector.Batch, len(targets)), cols: make([][]vector.Vector, len(targets)), metrics: m}
}

// Emit implements exec.Output.
func (f *fan) Emit(b *vector.Batch) error {
	f.metrics.RowsOut.Add(int64(b.Live()))
	if len(f.targets) == 1 {
		return f.targets[0].Emit(b)
	}
	for i, t := range f.targets {
		f.headers[i] = *b
		f.cols[i] = append(f.cols[i][:0], b.Cols...)
		f.headers[i].Cols = f.cols[i]
		if err := t.Emit(&f.headers[i]); err != nil {
			return err
		}
	}
	return nil
}

// Forward implements exec.Output.
func (f *fan) Forward(ev exec.Event) error {
	if f.side != nil {
		if err := f.side.forward(ev); err != nil {
			return err
		}
	}
	for _, t := range f.targets {
		if err := t.Forward(ev); err != nil {
			return err
		}
	}
	return nil
}

// call is a fused edge: emitting is processing by the next operator.
type call struct {
	op      exec.Operator
	out     exec.Output
	metrics *metrics.Op
	name    string
	node    *node
}

// Emit implements exec.Output.
func (c *call) Emit(b *vector.Batch) error {
	c.metrics.RowsIn.Add(int64(b.Live()))
	return c.wrap(c.op.Process(0, b, c.out))
}

// Forward implements exec.Output.
func (c *call) Forward(ev exec.Event) error { return c.wrap(c.node.control(0, ev)) }

func (c *call) wrap(err error) error { return wrapOp(c.name, err) }
