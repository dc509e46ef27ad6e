// Package buffered puts around a sink what every sink needs, in a job or alone:
// batches of a size the system behind likes, buffers that are flushed when they
// are full, old, or when asked, retries with growing pauses, and a policy for
// rows that cannot be written.
//
//	s := buffered.New(sink, buffered.Options{MaxRows: 500, Interval: time.Second, MaxRetries: 5})
//	err := s.Write(ctx, batch) // waits while the buffers are full
//	err = s.Flush(ctx)         // all rows are written now
//	err = s.Close(ctx)
//
// Without MaxRows, MaxBytes and Interval there is no buffer: Write writes before
// it returns, and copies nothing. With one of them rows are copied into a buffer
// of their split, in order, and a goroutine writes; a row leaves its buffer only
// when it is written or the policy has dealt with it. An error that ends it all
// is returned by every later call.
package buffered

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/vector"
)

// Policy is what happens to rows that cannot be written.
type Policy uint8

// The policies.
const (
	Fail       Policy = iota // the sink ends with the error
	Skip                     // the rows are counted and left out
	DeadLetter               // they go to Options.Dead
)

// Options configures a Sink. The zero value writes at once and tries each batch once.
type Options struct {
	// BatchSize is how many rows one Write of the sink behind gets at most; 0:
	// as many as come.
	BatchSize int
	// A buffer is written when it has MaxRows rows or MaxBytes bytes, and at the
	// latest Interval after its first row. 0 is no bound.
	MaxRows  int
	MaxBytes int
	Interval time.Duration
	// Memory is how many bytes all buffers may hold before Write waits; 0: 64 MB.
	Memory int
	// MaxRetries is how often a batch is tried again. The first pause is Backoff
	// (0: 100 ms), each further one twice as long, up to MaxBackoff (0: 10 s).
	// A system that says it is throttling (connector.ErrThrottled) is asked
	// again without end, and one that has refused (connector.ErrRejected) not at all.
	MaxRetries          int
	Backoff, MaxBackoff time.Duration
	// Health hears of failed writes and of those that worked again; may be nil.
	Health *connector.Health
	// OnError is for batches that failed for the last time. Skip and DeadLetter
	// first find the rows that are to blame, by writing halves of the batch.
	OnError Policy
	// Dead takes row i of b under DeadLetter. An error of it ends the sink.
	Dead func(ctx context.Context, b *vector.Batch, i int, why error) error
}

// buffers tells whether rows are kept at all.
func (o *Options) buffers() bool { return o.MaxRows > 0 || o.MaxBytes > 0 || o.Interval > 0 }

// Stats counts what a Sink did. It may be read at any time.
type Stats struct {
	Written, Batches, Retries atomic.Int64
	Skipped, Dead             atomic.Int64 // rows the policy dealt with
	Buffered                  atomic.Int64 // bytes held now
	WaitedNs                  atomic.Int64 // time Write waited for room
}

// Sink is a connector.Sink around another. Write, Flush, Prepare and Close are
// for one goroutine.
type Sink struct {
	Stats Stats
	sink  connector.Sink
	o     Options

	mu      sync.Mutex
	open    map[string]*buffer // by split: being filled
	queue   []*buffer          // full, in the order they are written
	free    []*buffer
	held    int           // bytes of open and queue
	writing bool          // the writer is at work on a buffer
	err     error         // sticky
	change  chan struct{} // closed and made anew when any of the above changes

	wake   chan struct{}
	cancel context.CancelFunc // ends the writer
	done   chan struct{}
}

// buffer is rows of one split.
type buffer struct {
	split string
	batch *vector.Batch
	bytes int
	since time.Time // of the first row
}

// New returns a Sink around sink, which it owns from now on.
func New(sink connector.Sink, o Options) *Sink {
	set := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	set(&o.Backoff, 100*time.Millisecond)
	set(&o.MaxBackoff, 10*time.Second)
	if o.Memory <= 0 {
		o.Memory = 64 << 20
	}
	if o.MaxBytes > o.Memory {
		o.MaxBytes = o.Memory
	}
	s := &Sink{sink: sink, o: o}
	if o.buffers() {
		s.open, s.change, s.wake, s.done = map[string]*buffer{}, make(chan struct{}), make(chan struct{}, 1), make(chan struct{})
		var ctx context.Context
		ctx, s.cancel = context.WithCancel(context.Background())
		go s.run(ctx)
	}
	return s
}

// Write implements connector.Sink.
func (s *Sink) Write(ctx context.Context, b *vector.Batch) error {
	if b.Live() == 0 {
		return nil
	}
	if !s.o.buffers() {
		if s.err == nil {
			s.err = s.deliver(ctx, b)
		}
		return s.err
	}
	if err := s.room(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fill(b)
	return s.err
}

// fill copies the rows of b into the buffer of its split, and hands buffers on
// that are full. A buffer never gets more than MaxRows rows.
func (s *Sink) fill(b *vector.Batch) {
	live := b.Sel
	n := b.Live()
	for at := 0; at < n; {
		buf := s.buffer(b)
		take := n - at
		if s.o.MaxRows > 0 {
			take = min(take, s.o.MaxRows-buf.batch.N)
		}
		var sel []int32
		if live != nil {
			sel = live[at : at+take]
		} else {
			sel = make([]int32, take)
			for i := range sel {
				sel[i] = int32(at + i)
			}
		}
		b.CopyTo(buf.batch, sel)
		size := sizeOf(buf.batch)
		s.held += size - buf.bytes
		buf.bytes = size
		if s.o.MaxRows > 0 && buf.batch.N >= s.o.MaxRows || s.o.MaxBytes > 0 && size >= s.o.MaxBytes {
			s.close(buf)
		}
		at += take
	}
	if s.held >= s.o.Memory { // nothing may be left waiting for its size or age
		s.closeAll()
	}
	s.Stats.Buffered.Store(int64(s.held))
}

// buffer returns the open buffer of b's split.
func (s *Sink) buffer(b *vector.Batch) *buffer {
	split := b.Origin.Split
	if buf := s.open[split]; buf != nil {
		return buf
	}
	var buf *buffer
	if n := len(s.free); n > 0 {
		buf, s.free = s.free[n-1], s.free[:n-1]
	} else {
		buf = &buffer{batch: vector.NewBatch(b.Schema, 0)}
	}
	buf.split, buf.since = split, time.Now()
	buf.batch.Origin = b.Origin
	s.open[split] = buf
	s.poke() // the writer has an age to look after
	return buf
}

// close hands an open buffer to the writer.
func (s *Sink) close(buf *buffer) {
	delete(s.open, buf.split)
	s.queue = append(s.queue, buf)
	s.poke()
}

func (s *Sink) closeAll() {
	for _, buf := range s.open {
		s.close(buf)
	}
}

func (s *Sink) poke() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// changed wakes who waits for room or for the end of a flush. s.mu is held.
func (s *Sink) changed() {
	close(s.change)
	s.change = make(chan struct{})
}

// room waits until there is memory for more rows.
func (s *Sink) room(ctx context.Context) error {
	var began time.Time
	for {
		s.mu.Lock()
		full, err, change := s.held >= s.o.Memory, s.err, s.change
		s.mu.Unlock()
		if err != nil {
			return err
		}
		if !full {
			if !began.IsZero() {
				s.Stats.WaitedNs.Add(int64(time.Since(began)))
			}
			return nil
		}
		if began.IsZero() {
			began = time.Now()
		}
		select {
		case <-change:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// Flush implements connector.Flusher: it returns when every row is written, or
// dealt with by the policy.
func (s *Sink) Flush(ctx context.Context) error {
	if s.o.buffers() {
		if err := s.drain(ctx); err != nil {
			return err
		}
	} else if s.err != nil {
		return s.err
	}
	if f, ok := s.sink.(connector.Flusher); ok {
		return f.Flush(ctx)
	}
	return nil
}

func (s *Sink) drain(ctx context.Context) error {
	s.mu.Lock()
	s.closeAll()
	s.mu.Unlock()
	for {
		s.mu.Lock()
		empty, err, change := len(s.queue) == 0 && !s.writing, s.err, s.change
		s.mu.Unlock()
		if err != nil || empty {
			return err
		}
		select {
		case <-change:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// run is the writer: it writes buffers in their order, and those that get old.
func (s *Sink) run(ctx context.Context) {
	defer close(s.done)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		s.mu.Lock()
		next := s.aged()
		var buf *buffer
		if len(s.queue) > 0 && s.err == nil {
			buf, s.writing = s.queue[0], true
		}
		s.mu.Unlock()
		if buf == nil {
			timer.Reset(next)
			select {
			case <-ctx.Done():
				return
			case <-s.wake:
			case <-timer.C:
			}
			continue
		}
		err := s.deliver(ctx, buf.batch)
		s.mu.Lock()
		s.writing = false
		if err != nil {
			s.err = err // the rows stay where they are
		} else {
			s.queue = s.queue[1:]
			s.held -= buf.bytes
			buf.batch.Reset()
			buf.bytes = 0
			if len(s.free) < 8 {
				s.free = append(s.free, buf)
			}
			s.Stats.Buffered.Store(int64(s.held))
		}
		s.changed()
		s.mu.Unlock()
		if ctx.Err() != nil {
			return
		}
	}
}

// aged hands on the buffers that are older than the interval and returns when to look again.
func (s *Sink) aged() time.Duration {
	next := time.Hour
	if s.o.Interval <= 0 {
		return next
	}
	for _, buf := range s.open {
		left := s.o.Interval - time.Since(buf.since)
		if left <= 0 {
			s.close(buf)
			continue
		}
		next = min(next, left)
	}
	return next
}

// Close implements connector.Sink. With ctx alive everything is written first.
func (s *Sink) Close(ctx context.Context) error {
	var err error
	if ctx.Err() == nil {
		err = s.Flush(ctx)
	}
	if s.o.buffers() {
		s.cancel()
		<-s.done
	}
	return errors.Join(err, s.sink.Close(ctx))
}

// Tx returns the two-phase form of the sink, nil if the sink behind has none.
func (s *Sink) Tx() connector.Tx {
	if tx, ok := s.sink.(connector.Tx); ok {
		return &transactional{s, tx}
	}
	return nil
}

// transactional flushes before it prepares.
type transactional struct {
	s *Sink
	connector.Tx
}

// Prepare implements connector.Tx.
func (t *transactional) Prepare(ctx context.Context, epoch int64) ([]byte, error) {
	if err := t.s.Flush(ctx); err != nil {
		return nil, err
	}
	return t.Tx.Prepare(ctx, epoch)
}

// RowError is a row that could not be written.
type RowError struct {
	Split string
	Err   error
}

func (e *RowError) Error() string { return fmt.Sprintf("row of split %q: %v", e.Split, e.Err) }

// Unwrap returns Err.
func (e *RowError) Unwrap() error { return e.Err }
