package runtime

import (
	"context"
	"fmt"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/internal/state"
	"github.com/runnelio/runnel/vector"
)

// sinkOp is the operator at the end of a chain: it writes to a connector's sink.
type sinkOp struct {
	open func(subtask, parallel int) (connector.Sink, error)
	// nulls, if set, looks for NULL in NOT NULL columns.
	nulls *nullCheck
	from *state.Commit // the commit the job goes on from
	sink connector.Sink
	tx   connector.Tx // the sink, if it commits in two phases
	cx   *exec.Context
	// coordinated: the job takes checkpoints, so transactions are committed by them.
	coordinated bool
	epoch       int64
	token       []byte // of the last barrier
	last        []byte // of the end of input
	ended       bool
	waits       bool // the sink is closed after the last commit
}

// Open implements exec.Operator.
func (s *sinkOp) Open(cx *exec.Context) (err error) {
	s.cx = cx
	if s.sink, err = s.open(cx.Subtask, cx.Parallel); err != nil {
		return err
	}
	if s.coordinated {
		s.tx, _ = s.sink.(connector.Tx)
	}
	if s.tx != nil {
		return recommit(cx.Context, s.tx, cx.ID, cx.Subtask, cx.Parallel, s.from)
	}
	return nil
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
	if s.sink == nil || s.ended {
		return nil
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(s.cx.Context))
	cancel()
	return s.sink.Close(ctx)
}

// key names an operator's task in a commit.
func (n *node) key() string { return fmt.Sprintf("%s/%d", n.cx.ID, n.cx.Subtask) }
