package runtime

import (
	"context"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/vector"
)

// sinkOp is the operator at the end of a chain: it writes to a connector's sink.
type sinkOp struct {
	open  func(subtask, parallel int) (connector.Sink, error)
	sink  connector.Sink
	cx    *exec.Context
	token []byte // of the last Prepare
	ended bool
}

// Open implements exec.Operator.
func (s *sinkOp) Open(cx *exec.Context) (err error) {
	s.cx = cx
	s.sink, err = s.open(cx.Subtask, cx.Parallel)
	return err
}

// Process implements exec.Operator.
func (s *sinkOp) Process(_ int, b *vector.Batch, _ exec.Output) error {
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
		if tx, ok := s.sink.(connector.Tx); ok {
			token, err := tx.Prepare(s.cx.Context, ev.Epoch)
			s.token = token
			return err
		}
		if f, ok := s.sink.(connector.Flusher); ok {
			return f.Flush(s.cx.Context)
		}
	case exec.Tick:
		if f, ok := s.sink.(connector.Flusher); ok {
			return f.Flush(s.cx.Context)
		}
	case exec.End:
		s.ended = true
		return s.sink.Close(s.cx.Context)
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
