// Package exec is the contract of operators: push, not pull. A source drives a
// chain of nested calls in one goroutine; chains meet at exchanges, which are
// bounded channels, so back-pressure is that Emit blocks.
//
// Operators are in packages below, one a family. They see batches, events and
// plain structs; no SQL, no plan text.
package exec

import (
	"context"
	"log/slog"
	"time"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/internal/metrics"
	"github.com/runnelio/runnel/internal/state"
	"github.com/runnelio/runnel/vector"
)

// EventKind is what a control event says.
type EventKind uint8

// The control events. They travel in order with the batches.
const (
	// Barrier separates the rows of two epochs. Who keeps state writes what
	// changed to Context.State before it forwards the barrier.
	Barrier EventKind = iota
	// Watermark says that no row with a rowtime at or before Time follows,
	// other than late ones.
	Watermark
	// SplitAdded and SplitRemoved say that Split is read by this task from now on, or no more.
	SplitAdded
	SplitRemoved
	// Idle says that Split has no data: watermarks do not wait for it. Without a
	// Split nothing of this input has. The next rows or watermark end it.
	Idle
	// Tick says that processing time has come to Time.
	Tick
	// End says that no row follows on this input. With Stopped set the job was
	// asked to stop, the input did not end: nothing is made of unfinished state.
	End
)

// Event is a control event.
type Event struct {
	Kind  EventKind
	Epoch int64 // of Barrier
	Time  int64 // ms since 1970; of Watermark and Tick
	Split string
	// Stopped is of End.
	Stopped bool
	// Final tells that no barrier follows this one.
	Final bool
}

// MaxWatermark is the watermark at the end of input.
const MaxWatermark = 1<<63 - 1

// Committed is an operator told that a commit is durable. It is called from
// another goroutine than the operator's.
type Committed interface{ Committed(epoch int64) }

// An Operator is owned by one goroutine; its methods are never concurrent.
type Operator interface {
	// Open is called once, before anything else.
	Open(cx *Context) error
	// Process handles a batch of input in (0 for the only one).
	Process(in int, b *vector.Batch, out Output) error
	// Control handles an event, once for all inputs: Barrier when all have sent
	// it, Watermark when their minimum rises, End when the last has ended. An
	// operator emits what is due, then forwards the event. Operators that must
	// know when each single input ends implement InputEnd(in int, out Output) error.
	Control(in int, ev Event, out Output) error
	// Close is called once after the last call, also after errors.
	Close() error
}

// Output takes what an operator emits.
type Output interface {
	// Emit hands a batch on; downstream has finished with it when Emit returns.
	Emit(b *vector.Batch) error
	Forward(ev Event) error
}

// Context is what a task gives its operators.
type Context struct {
	Context  context.Context
	Func     *function.Context
	Log      *slog.Logger
	Metrics  *metrics.Op
	State    state.Backend // nil in tests of operators without state
	ID       string        // the operator's stable id in the job
	Subtask  int
	Parallel int
	TTL      time.Duration // of keyed state; 0 for ever
	// MiniBatch is the number of rows after which, and Latency the time after
	// which, a mini-batching operator emits; 0 rows means row by row.
	MiniBatch   int
	MiniLatency time.Duration
	Batch       bool // batch run-time mode: only final results are emitted
	BatchSize   int  // rows of output batches
	// Budget is how many bytes of state the operator may hold in memory before it
	// spills, 0 for any number; Spill makes what it spills to.
	Budget int64
	Spill  func() state.Spill
	// Watermark is the operator's watermark at the last commit; below all times
	// in a new job. See Watermarked.
	Watermark int64
	// Side takes the rows that come too late; nil if nobody wants them. See TooLate.
	Side Side
}

// Side takes rows beside an operator's output.
type Side interface {
	// Put copies row i of b, a batch of input in. end is the end of the last window
	// it would have been in, in the time windows are cut in; NoWatermark if there is none.
	Put(in int, b *vector.Batch, i int, end int64)
}

// TooLate counts row i of b, a batch of input in, as late, and hands it to who
// wants such rows; end as for Side.
func (c *Context) TooLate(in int, b *vector.Batch, i int, end int64) {
	c.Metrics.Late.Add(1)
	if c.Side != nil {
		c.Side.Put(in, b, i, end)
	}
}

// NoWatermark is below all times: no watermark has come yet.
const NoWatermark = -1 << 63

// Watermarked is an operator whose progress in time is part of a commit: after
// a restart Context.Watermark has what CurrentWatermark gave at the barrier.
type Watermarked interface{ CurrentWatermark() int64 }

// Now is the processing time in ms since 1970.
func (c *Context) Now() int64 { return c.Func.Now().UnixMilli() }

// Stateless supplies the methods of operators without state: events pass.
type Stateless struct{}

// Open implements Operator.
func (Stateless) Open(*Context) error { return nil }

// Control implements Operator: the event passes.
func (Stateless) Control(_ int, ev Event, out Output) error { return out.Forward(ev) }

// Close implements Operator.
func (Stateless) Close() error { return nil }
