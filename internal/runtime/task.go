package runtime

import (
	"context"
	"errors"
	"runtime/debug"

	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/internal/metrics"
	"github.com/runnelio/runnel/vector"
)

// task is the fused operators of one stage, run by one goroutine.
type task struct {
	name    string
	nodes   []*node // inputs before consumers
	inbox   chan message
	senders []senderInfo // by message.sender
	inputs  int          // inputs of the head operator
	source  *sourceDriver
	// sourceEnded is closed when the source driver has ended.
	sourceEnded chan struct{}
	epochs      chan<- ack // where handled barriers are reported; nil without checkpoints
	handled     int64      // the last epoch reported
}

// node is one operator in a task.
type node struct {
	name    string
	op      exec.Operator
	cx      *exec.Context
	out     exec.Output
	metrics *metrics.Op
	// mark is the operator's watermark, for CURRENT_WATERMARK.
	mark int64
}

// control hands an event to the operator.
func (n *node) control(in int, ev exec.Event) error {
	if ev.Kind == exec.Watermark {
		n.mark = max(n.mark, ev.Time)
		n.metrics.Watermark.Store(n.mark)
		n.metrics.HasWatermark.Store(true)
	}
	return n.op.Control(in, ev, n.out)
}

// senderInfo is what a task knows of one sender.
type senderInfo struct {
	input     int
	watermark int64
	ended     bool
	idle      bool // it has no rows for now: watermarks do not wait for it
	blocked   bool // its barrier has come, others' not yet
}

// ack says that a task has handled the barrier of an epoch.
type ack struct {
	epoch      int64
	positions  map[string]string // operator/split -> position
	tokens     map[string][]byte // operator/subtask -> prepared transaction
	watermarks map[string]int64  // operator -> its watermark
}

// OpError is an error with the operator it came from.
type OpError struct {
	Op  string
	Err error
}

func (e *OpError) Error() string { return e.Op + ": " + e.Err.Error() }

// Unwrap returns Err.
func (e *OpError) Unwrap() error { return e.Err }

// wrapOp names the operator an error came from, once: errors pass the calls of
// all operators above it.
func wrapOp(name string, err error) error {
	if err == nil {
		return nil
	}
	var op *OpError
	if errors.As(err, &op) || errors.Is(err, context.Canceled) || errors.Is(err, errStopped) {
		return err
	}
	return &OpError{Op: name, Err: err}
}

// run drives the task until its input has ended or ctx is done. It opens and
// closes the operators.
func (t *task) run(ctx context.Context) (err error) {
	opened := 0
	defer func() {
		if r := recover(); r != nil {
			err = errors.Join(diag.Bug("%s: panic: %v\n%s", t.name, r, debug.Stack()), err)
		}
		for _, n := range t.nodes[:opened] {
			if cerr := n.op.Close(); cerr != nil && err == nil {
				err = wrapOp(n.name, cerr)
			}
		}
	}()
	for _, n := range t.nodes {
		opened++
		if err := n.op.Open(n.cx); err != nil {
			return wrapOp(n.name, err)
		}
	}
	if t.source != nil {
		defer close(t.sourceEnded)
		if err := t.source.run(ctx); err != nil {
			return err
		}
	} else if err := t.receive(ctx); err != nil {
		return err
	}
	return t.keepEnd()
}

// keepEnd saves what the end of input has made of the operators' state. A job
// that goes on from a commit in which only some of its tasks have ended must not
// emit again what they emitted then.
func (t *task) keepEnd() error {
	if t.epochs == nil {
		return nil
	}
	epoch := t.handled + 1
	for _, n := range t.nodes {
		if _, sink := n.op.(*sinkOp); sink || n.cx.State == nil {
			continue
		}
		if err := n.op.Control(0, exec.Event{Kind: exec.Barrier, Epoch: epoch, Final: true}, nowhere{}); err != nil {
			return wrapOp(n.name, err)
		}
		if err := n.cx.State.Seal(epoch); err != nil {
			return wrapOp(n.name, err)
		}
	}
	return nil
}

// nowhere is the output of a task that has ended.
type nowhere struct{}

// Emit implements exec.Output: everything was emitted before the end.
func (nowhere) Emit(b *vector.Batch) error {
	if b.Live() > 0 {
		return diag.Bug("%d rows after the end of input", b.Live())
	}
	return nil
}

// Forward implements exec.Output.
func (nowhere) Forward(exec.Event) error { return nil }

// receive is the loop of a task fed by exchanges.
func (t *task) receive(ctx context.Context) error {
	head := t.nodes[0]
	var held []message // of blocked senders, in order
	low := int64(noWatermark)
	for i := range t.senders {
		t.senders[i].watermark = noWatermark
	}
	var barrier exec.Event
	aligning := 0
	live := len(t.senders)
	handle := func(m message) error {
		s := &t.senders[m.sender]
		if m.batch != nil {
			s.idle = false
			head.metrics.RowsIn.Add(int64(m.batch.Live()))
			err := head.op.Process(s.input, m.batch, head.out)
			m.back <- m.batch // there is room: the channel holds all batches of its sender
			return wrapOp(head.name, err)
		}
		switch m.event.Kind {
		case exec.Barrier:
			if aligning == 0 {
				barrier = m.event
			}
			s.blocked = true
			aligning++
			if aligning < live {
				return nil
			}
			return t.aligned(barrier, &aligning)
		case exec.Watermark:
			s.watermark, s.idle = max(s.watermark, m.event.Time), false
			return t.advance(&low)
		case exec.Idle:
			s.idle = true
			return t.idle(m.event, &low)
		case exec.End:
			s.ended = true
			live--
			if live == 0 {
				return wrapOp(head.name, head.control(s.input, m.event))
			}
			if err := t.advance(&low); err != nil {
				return err
			}
			if in, ok := head.op.(InputEnder); ok && t.inputEnded(s.input) {
				if err := in.InputEnd(s.input, head.out); err != nil {
					return wrapOp(head.name, err)
				}
			}
			if aligning > 0 && aligning == live { // the last one missing has ended instead
				return t.aligned(barrier, &aligning)
			}
			return nil
		}
		return wrapOp(head.name, head.control(s.input, m.event))
	}
	for live > 0 {
		// Messages held back while a barrier was aligned come first.
		next := -1
		for i, m := range held {
			if !t.senders[m.sender].blocked {
				next = i
				break
			}
		}
		var m message
		if next >= 0 {
			m = held[next]
			held = append(held[:next], held[next+1:]...)
		} else {
			select {
			case m = <-t.inbox:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
			if t.senders[m.sender].blocked {
				held = append(held, m)
				continue
			}
		}
		if err := handle(m); err != nil {
			return err
		}
	}
	return nil
}

const noWatermark = -1 << 63

// InputEnder is an operator of several inputs that wants to know when one ends.
type InputEnder interface {
	InputEnd(in int, out exec.Output) error
}

func (t *task) inputEnded(input int) bool {
	for _, s := range t.senders {
		if s.input == input && !s.ended {
			return false
		}
	}
	return true
}

// aligned hands on a barrier that all live senders have sent.
func (t *task) aligned(ev exec.Event, aligning *int) error {
	head := t.nodes[0]
	*aligning = 0
	for i := range t.senders {
		t.senders[i].blocked = false
	}
	if err := head.op.Control(0, ev, head.out); err != nil {
		return wrapOp(head.name, err)
	}
	return t.acknowledge(ev.Epoch, nil)
}

// acknowledge reports that all operators of the task have handled a barrier.
func (t *task) acknowledge(epoch int64, positions map[string]string) error {
	if t.epochs == nil {
		return nil
	}
	a := ack{epoch: epoch, positions: positions, tokens: map[string][]byte{}, watermarks: map[string]int64{}}
	for _, n := range t.nodes {
		if n.cx.State != nil {
			if err := n.cx.State.Seal(epoch); err != nil {
				return wrapOp(n.name, err)
			}
		}
		if s, ok := n.op.(*sinkOp); ok && s.token != nil {
			a.tokens[n.key()], s.token = s.token, nil
		}
		if w, ok := n.op.(exec.Watermarked); ok {
			a.watermarks[n.cx.ID] = w.CurrentWatermark()
		}
	}
	t.handled = epoch
	t.epochs <- a
	return nil
}

// idle handles that a sender has no rows for now: the watermark is that of the
// others, and when all are idle so is what the task emits. Then it goes on to
// where the furthest of them is, as nothing holds it.
func (t *task) idle(ev exec.Event, low *int64) error {
	high, live := int64(noWatermark), 0
	for _, s := range t.senders {
		if s.ended {
			continue
		}
		live++
		if !s.idle {
			return t.advance(low)
		}
		high = max(high, s.watermark)
	}
	if live == 0 {
		return nil
	}
	if err := t.rise(high, low); err != nil {
		return err
	}
	head := t.nodes[0]
	return wrapOp(head.name, head.control(0, ev))
}

// advance hands on the minimum of the live senders' watermarks if it rose.
func (t *task) advance(low *int64) error {
	lowest, active := int64(exec.MaxWatermark), false
	ended := true
	for _, s := range t.senders {
		ended = ended && s.ended
		if !s.ended && !s.idle {
			lowest, active = min(lowest, s.watermark), true
		}
	}
	if !active && !ended {
		return nil
	}
	return t.rise(lowest, low)
}

// rise hands on watermark to if it is above low.
func (t *task) rise(to int64, low *int64) error {
	if to == noWatermark || to <= *low {
		return nil
	}
	*low = to
	head := t.nodes[0]
	return wrapOp(head.name, head.control(0, exec.Event{Kind: exec.Watermark, Time: to}))
}
