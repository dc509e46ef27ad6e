// Package runneltest is for tests of jobs: sources that are fed by the test,
// sinks that keep what comes, a clock that is moved by hand, and restarts in the
// middle of a run.
//
// runneltest.go has sources, sinks and restarts, clock.go the clock.
package runneltest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/runnelio/runnel"
)

// Source is a source of values that a test feeds. It can be replayed, so jobs
// that restart read on where their checkpoint stands. It is safe for concurrent use.
type Source[T any] struct {
	source runnel.Source
	feed   func(...T) error
	finish func()
}

// NewSource returns a source without values, which ends when Finish is called.
// It is a table in the memory of env.
func NewSource[T any](t testing.TB, env *runnel.Env, name string) *Source[T] {
	t.Helper()
	codec, err := runnel.NewCodec[T]()
	if err != nil {
		t.Fatal(err)
	}
	return &Source[T]{
		source: runnel.Memory(name),
		feed: func(list ...T) error {
			for _, x := range list {
				row, err := codec.Values(x)
				if err != nil {
					return err
				}
				env.Memory().Append(name, 0, row)
			}
			return nil
		},
		finish: func() { env.Memory().Finish(name) },
	}
}

// Feed adds values.
func (s *Source[T]) Feed(t testing.TB, list ...T) {
	t.Helper()
	if err := s.feed(list...); err != nil {
		t.Fatal(err)
	}
}

// Finish tells that no more values come.
func (s *Source[T]) Finish() { s.finish() }

// Stream begins a stream of the values in a job.
func (s *Source[T]) Stream(j *runnel.Job) *runnel.Stream[T] { return runnel.From[T](j, s.source) }

// Change is a row with its kind.
type Change[T any] struct {
	Kind  runnel.Kind
	Value T
}

// Sink keeps the rows it is given. It is safe for concurrent use.
type Sink[T any] struct {
	mu   sync.Mutex
	rows []Change[T]
	came chan struct{}
}

// NewSink returns a sink of values of T: a struct, runnel.Row, or the type of the
// only column.
func NewSink[T any]() *Sink[T] { return &Sink[T]{came: make(chan struct{})} }

// Sink returns what a stream ends in.
func (s *Sink[T]) Sink() runnel.Sink {
	return runnel.EachChange(func(_ context.Context, kind runnel.Kind, x T) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.rows = append(s.rows, Change[T]{kind, x})
		close(s.came)
		s.came = make(chan struct{})
		return nil
	})
}

// Changes returns all rows so far, with their kinds, in their order.
func (s *Sink[T]) Changes() []Change[T] {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.rows)
}

// Values returns the rows that are left when all changes are carried out, in the
// order of their coming.
func (s *Sink[T]) Values() []T {
	var out []T
	for _, c := range s.Changes() {
		if c.Kind.Sign() > 0 {
			out = append(out, c.Value)
			continue
		}
		want := fmt.Sprintf("%+v", c.Value)
		if i := slices.IndexFunc(out, func(x T) bool { return fmt.Sprintf("%+v", x) == want }); i >= 0 {
			out = slices.Delete(out, i, i+1)
		}
	}
	return out
}

// Wait returns when at least n rows have come, or fails the test after a while.
func (s *Sink[T]) Wait(t testing.TB, n int) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for {
		s.mu.Lock()
		have, came := len(s.rows), s.came
		s.mu.Unlock()
		if have >= n {
			return
		}
		select {
		case <-came:
		case <-deadline.C:
			t.Fatalf("%d rows after %s, want %d", have, patience, n)
		}
	}
}

// patience is how long a test waits for something that must come.
const patience = 30 * time.Second

// Restart ends a run without a word, as a crash would, and starts the job that
// build makes anew: it goes on from the last checkpoint. build must make the
// same job.
func Restart(t testing.TB, run *runnel.Run, build func() *runnel.Job) *runnel.Run {
	t.Helper()
	run.Cancel()
	if err := run.Wait(); err != nil && !errors.Is(err, context.Canceled) && !strings.Contains(err.Error(), context.Canceled.Error()) {
		t.Fatalf("the run failed before it was restarted: %v", err)
	}
	next, err := build().StartAsync(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return next
}
