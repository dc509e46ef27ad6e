package runnel

import (
	"context"
	"fmt"
	"io"
	"iter"
	"sync"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// Seq is a source of the values of a sequence; an error in it ends the job. It
// cannot be replayed: after a crash a job goes on with what the sequence gives
// then. A job can read it once.
//
// The sequence runs in a goroutine of its own that the job waits for: one that
// waits for something must end when the job's context does.
func Seq[T any](seq iter.Seq2[T, error]) Source { return &seqOf[T]{seq: seq} }

type seqOf[T any] struct{ seq iter.Seq2[T, error] }

func (s *seqOf[T]) node(j *Job, _ []member) (plan.Node, error) {
	w, err := newWriter[T](nil)
	if err != nil {
		return nil, err
	}
	out := plainSchema(w.schema)
	return j.timed(&plan.GoSource{Name: "sequence", Source: &seqSource[T]{seq: s.seq, writer: w}, Out: out}, w.members)
}

// seqSource is bounded, but may wait for long.
type seqSource[T any] struct {
	seq    iter.Seq2[T, error]
	writer *writer[T]
	mu     sync.Mutex
	opened bool
}

// Splits implements connector.ColumnSource.
func (s *seqSource[T]) Splits(context.Context) ([]connector.Split, error) {
	return []connector.Split{{ID: "sequence"}}, nil
}

// Bounded implements connector.ColumnSource.
func (s *seqSource[T]) Bounded() bool { return true }

// MayBlock tells the driver to read in a goroutine of its own.
func (s *seqSource[T]) MayBlock() bool { return true }

// OpenColumns implements connector.ColumnSource.
func (s *seqSource[T]) OpenColumns(context.Context, connector.Split, connector.Position) (connector.ColumnReader, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.opened {
		return nil, fmt.Errorf("a sequence can be read only once")
	}
	s.opened = true
	r := &seqReader[T]{source: s, grown: make(chan struct{}, 1), room: make(chan struct{}, 1), stop: make(chan struct{})}
	r.wg.Go(r.run)
	return r, nil
}

// seqAhead is how many values of a sequence are kept ahead of the job.
const seqAhead = 4096

// seqReader hands values from the goroutine of the sequence to the job: two
// buffers change places.
type seqReader[T any] struct {
	source *seqSource[T]
	wg     sync.WaitGroup
	stop   chan struct{}
	grown  chan struct{} // there are values, or the sequence has ended
	room   chan struct{} // values were taken

	mu      sync.Mutex
	waiting []T
	ended   bool
	err     error

	taken []T // of the job
	next  int
	rows  int
}

func (r *seqReader[T]) run() {
	for x, err := range r.source.seq {
		if err != nil {
			r.finish(err)
			return
		}
		for !r.add(x) {
			select {
			case <-r.room:
			case <-r.stop:
				return
			}
		}
		select {
		case <-r.stop:
			return
		default:
		}
	}
	r.finish(nil)
}

// add tells whether there was room for x.
func (r *seqReader[T]) add(x T) bool {
	r.mu.Lock()
	if len(r.waiting) >= seqAhead {
		r.mu.Unlock()
		return false
	}
	r.waiting = append(r.waiting, x)
	first := len(r.waiting) == 1
	r.mu.Unlock()
	if first {
		signal(r.grown)
	}
	return true
}

func (r *seqReader[T]) finish(err error) {
	r.mu.Lock()
	r.ended, r.err = true, err
	r.mu.Unlock()
	signal(r.grown)
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// ReadBatch implements connector.ColumnReader.
func (r *seqReader[T]) ReadBatch(ctx context.Context, into *vector.Batch, most int) error {
	for r.next == len(r.taken) {
		r.mu.Lock()
		r.taken, r.waiting = r.waiting, r.taken[:0]
		ended, err := r.ended, r.err
		r.mu.Unlock()
		r.next = 0
		signal(r.room)
		if len(r.taken) > 0 {
			break
		}
		if ended {
			if err != nil {
				return err
			}
			return io.EOF
		}
		select {
		case <-r.grown:
		case <-ctx.Done():
			return nil
		}
	}
	for ; r.next < len(r.taken) && into.N < most; r.next++ {
		if err := r.source.writer.put(r.taken[r.next], into.Cols); err != nil {
			return err
		}
		into.AppendKind(types.Insert)
		r.rows++
	}
	into.Origin.Last = rowPosition(r.rows)
	return nil
}

// Close implements connector.ColumnReader. It returns when the sequence has.
func (r *seqReader[T]) Close() error {
	close(r.stop)
	r.wg.Wait()
	return nil
}
