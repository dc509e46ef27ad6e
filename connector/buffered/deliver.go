package buffered

import (
	"context"
	"errors"
	"time"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// deliver writes the live rows of b in batches the sink behind takes.
func (s *Sink) deliver(ctx context.Context, b *vector.Batch) error {
	n := b.Live()
	if s.o.BatchSize <= 0 || n <= s.o.BatchSize {
		return s.attempt(ctx, b)
	}
	sel := b.Sel
	if sel == nil {
		sel = make([]int32, n)
		for i := range sel {
			sel[i] = int32(i)
		}
	}
	part := *b
	for len(sel) > 0 {
		k := min(len(sel), s.o.BatchSize)
		part.Sel = sel[:k:k]
		if err := s.attempt(ctx, &part); err != nil {
			return err
		}
		sel = sel[k:]
	}
	return nil
}

// attempt writes a batch, again and again as the options say, and applies the
// policy to what is left.
func (s *Sink) attempt(ctx context.Context, b *vector.Batch) error {
	pause := s.o.Backoff
	tried := false
	for tries := 0; ; {
		err := s.write(ctx, b)
		if err == nil {
			if tried {
				s.o.Health.Working("write")
			}
			return nil
		}
		if ctx.Err() != nil {
			return err
		}
		throttled := errors.Is(err, connector.ErrThrottled)
		if !throttled {
			if tries++; tries > s.o.MaxRetries || errors.Is(err, connector.ErrRejected) {
				if tried {
					s.o.Health.Working("write") // the policy has the last word on these rows
				}
				return s.give(ctx, b, err)
			}
		}
		s.Stats.Retries.Add(1)
		s.o.Health.Failing("write", err)
		tried = true
		t := time.NewTimer(pause)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return err
		}
		pause = min(2*pause, s.o.MaxBackoff)
	}
}

func (s *Sink) write(ctx context.Context, b *vector.Batch) error {
	err := s.sink.Write(ctx, b)
	if err == nil {
		s.Stats.Written.Add(int64(b.Live()))
		s.Stats.Batches.Add(1)
	}
	return err
}

// give applies the policy to a batch that failed for the last time. Rows that
// can be written are: the batch is halved until the row to blame stands alone.
func (s *Sink) give(ctx context.Context, b *vector.Batch, why error) error {
	if s.o.OnError == Fail {
		return why
	}
	live := b.Sel
	if live == nil {
		live = make([]int32, b.N)
		for i := range live {
			live[i] = int32(i)
		}
	}
	if len(live) == 1 {
		if s.o.OnError == Skip || s.o.Dead == nil {
			s.Stats.Skipped.Add(1)
			return nil
		}
		if err := s.o.Dead(ctx, b, int(live[0]), why); err != nil {
			return errors.Join(why, err)
		}
		s.Stats.Dead.Add(1)
		return nil
	}
	half := *b
	for _, sel := range [][]int32{live[: len(live)/2 : len(live)/2], live[len(live)/2:]} {
		half.Sel = sel
		err := s.write(ctx, &half)
		if err == nil {
			continue
		}
		if ctx.Err() != nil {
			return err
		}
		if err := s.give(ctx, &half, err); err != nil {
			return err
		}
	}
	return nil
}

// sizeOf is about how much memory the rows of a batch that owns its vectors take.
func sizeOf(b *vector.Batch) int {
	n := 0
	for _, c := range b.Cols {
		n += sizeOfVector(c)
	}
	return n
}

func sizeOfVector(v vector.Vector) int {
	switch v := v.(type) {
	case *vector.Flat[string]:
		return 16*len(v.Vals) + v.Arena.Bytes()
	case *vector.Flat[types.Dec]:
		return 24 * len(v.Vals)
	case *vector.Flat[types.TS]:
		return 16 * len(v.Vals)
	case *vector.List:
		return 8*v.Len() + sizeOfVector(v.Child)
	case *vector.Map:
		return 8*v.Len() + sizeOfVector(v.Keys) + sizeOfVector(v.Vals)
	case *vector.Row:
		n := 0
		for _, c := range v.Cols {
			n += sizeOfVector(c)
		}
		return n
	case *vector.Const:
		return sizeOfVector(v.Of)
	}
	return 8 * v.Len()
}
