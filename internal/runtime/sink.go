package runtime

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/connector/buffered"
	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/internal/state"
	"github.com/runnelio/runnel/vector"
)

// sinkOp is the operator at the end of a chain: it writes to a connector's sink.
type sinkOp struct {
	open func(subtask, parallel int) (connector.Sink, error)
	// nulls, if set, looks for NULL in NOT NULL columns.
	nulls  *nullCheck
	from   *state.Commit     // the commit the job goes on from
	health *connector.Health // nil if there is no table
	sink   connector.Sink
	// around is what the engine does around a table's sink; sink is it then.
	around *buffered.Sink
	opts   connector.SinkOptions
	table  string
	dead   *buffered.DeadLetterFile
	gone   int64        // rows the policy has dealt with, counted so far
	tx     connector.Tx // the sink, if it commits in two phases
	cx     *exec.Context
	// coordinated: the job takes checkpoints, so transactions are committed by them.
	coordinated bool
	epoch       int64
	token       []byte // of the last barrier
	last        []byte // of the end of input
	ended       bool
	waits       bool // the sink is closed after the last commit
}

// Open implements exec.Operator.
func (s *sinkOp) Open(cx *exec.Context) error {
	s.cx = cx
	sink, err := s.open(cx.Subtask, cx.Parallel)
	if err != nil {
		return err
	}
	s.sink = sink
	if err := s.wrap(); err != nil {
		return err
	}
	if s.coordinated {
		if s.around != nil {
			s.tx = s.around.Tx()
		} else {
			s.tx, _ = s.sink.(connector.Tx)
		}
	}
	if s.tx != nil {
		return recommit(cx.Context, s.tx, cx.ID, cx.Subtask, cx.Parallel, s.from)
	}
	return nil
}

// wrap puts the engine's buffers, retries and error policy around the sink, if
// the table asks for any.
func (s *sinkOp) wrap() error {
	o := s.opts
	if o.BatchSize == 0 && o.BufferRows == 0 && o.BufferBytes == 0 && o.BufferFor == 0 && o.MaxRetries == 0 && (o.WriteError == "" || o.WriteError == "fail") {
		return nil
	}
	b := buffered.Options{BatchSize: o.BatchSize, MaxRows: o.BufferRows, MaxBytes: int(o.BufferBytes), Interval: o.BufferFor, Memory: int(o.BufferMemory),
		MaxRetries: o.MaxRetries, Backoff: o.RetryPause, Health: s.health}
	if b.Interval == 0 && (b.MaxRows > 0 || b.MaxBytes > 0) {
		b.Interval = time.Second
	}
	switch o.WriteError {
	case "skip":
		b.OnError = buffered.Skip
	case "dead-letter":
		f, err := buffered.OpenDeadLetterFile(o.WriteDeadFile, s.table, s.cx.Func.Zone)
		if err != nil {
			return err
		}
		b.OnError, b.Dead, s.dead = buffered.DeadLetter, f.Put, f
	}
	s.around = buffered.New(s.sink, b)
	s.sink = s.around
	return nil
}

// count brings the metrics up to what happened to rows around the sink.
func (s *sinkOp) count() {
	if s.around == nil {
		return
	}
	m, st := s.cx.Metrics, &s.around.Stats
	dead, skipped := st.Dead.Load(), st.Skipped.Load()
	m.Bad.Add(dead + skipped - s.gone)
	s.gone = dead + skipped
	m.Dead.Store(dead)
	m.BlockedNs.Store(st.WaitedNs.Load())
}

// Process implements exec.Operator.
func (s *sinkOp) Process(_ int, b *vector.Batch, _ exec.Output) error {
	if s.nulls != nil {
		if err := s.nulls.check(b); err != nil {
			return err
		}
	}
	n := b.Live()
	if n == 0 {
		return nil
	}
	if err := s.sink.Write(s.cx.Context, b); err != nil {
		return err
	}
	s.cx.Metrics.RowsOut.Add(int64(n))
	return nil
}

// Control implements exec.Operator.
func (s *sinkOp) Control(_ int, ev exec.Event, _ exec.Output) error {
	defer s.count()
	switch ev.Kind {
	case exec.Barrier:
		s.epoch = ev.Epoch
		if s.tx != nil {
			token, err := s.tx.Prepare(s.cx.Context, ev.Epoch)
			s.token = token
			return err
		}
		return s.flush()
	case exec.Tick:
		if s.around != nil {
			return nil // it knows when
		}
		return s.flush()
	case exec.End:
		s.ended = true
		if s.tx == nil {
			return s.sink.Close(s.cx.Context)
		}
		// What was written since the last barrier becomes visible with the last commit.
		s.waits = true
		var err error
		s.last, err = s.tx.Prepare(s.cx.Context, s.epoch+1)
		return err
	}
	return nil
}

func (s *sinkOp) flush() error {
	if f, ok := s.sink.(connector.Flusher); ok {
		return f.Flush(s.cx.Context)
	}
	return nil
}

// Close implements exec.Operator. A sink whose input did not end is closed with
// a cancelled context: what is not committed does not become visible.
func (s *sinkOp) Close() error {
	var err error
	if s.sink != nil && !s.ended {
		ctx, cancel := context.WithCancel(context.WithoutCancel(s.cx.Context))
		cancel()
		err = s.sink.Close(ctx)
	}
	if s.dead != nil && !s.waits { // else rows may still go there when it is closed
		err = errors.Join(err, s.dead.Close())
	}
	return err
}

// shut closes the sink and what belongs to it, at the end of a coordinated job.
func (s *sinkOp) shut(ctx context.Context) error {
	err := s.sink.Close(ctx)
	if s.dead != nil {
		err = errors.Join(err, s.dead.Close())
	}
	return err
}

// key names an operator's task in a commit.
func (n *node) key() string { return fmt.Sprintf("%s/%d", n.cx.ID, n.cx.Subtask) }
