package buffered_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/connector/buffered"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

var schema = types.NewSchema(types.Field{Name: "v", Type: types.String()})

func batch(split string, values ...string) *vector.Batch {
	b := vector.NewBatch(schema, len(values))
	for _, v := range values {
		b.AppendValues(types.Insert, v)
	}
	b.Origin.Split = split
	return b
}

// memory is a sink that fails when told to.
type memory struct {
	mu     sync.Mutex
	rows   []string
	sizes  []int
	fail   func(rows []string) error
	block  chan struct{}
	closed bool
}

func (m *memory) Write(ctx context.Context, b *vector.Batch) error {
	if m.block != nil {
		select {
		case <-m.block:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	var rows []string
	b.Rows(func(i int) { rows = append(rows, strings.Clone(vector.Get(b.Cols[0], i).(string))) })
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		if err := m.fail(rows); err != nil {
			return err
		}
	}
	m.rows, m.sizes = append(m.rows, rows...), append(m.sizes, len(rows))
	return nil
}

func (m *memory) Close(context.Context) error { m.closed = true; return nil }

func (m *memory) has() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.rows)
}

func values(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprint("r", i)
	}
	return out
}

func write(t *testing.T, s *buffered.Sink, b *vector.Batch) {
	t.Helper()
	if err := s.Write(t.Context(), b); err != nil {
		t.Fatal(err)
	}
}

func TestBatchSizeIsNeverExceeded(t *testing.T) {
	for _, o := range []buffered.Options{{BatchSize: 7}, {BatchSize: 7, MaxRows: 20}, {BatchSize: 7, MaxBytes: 300}} {
		m := &memory{}
		s := buffered.New(m, o)
		want := values(100)
		b := batch("s", want...)
		write(t, s, b)
		b.Sel = []int32{}
		write(t, s, b)
		b.Sel = []int32{3, 50, 99}
		write(t, s, b)
		if err := s.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if want := append(want, "r3", "r50", "r99"); !slices.Equal(m.rows, want) {
			t.Errorf("%+v: %v", o, m.rows)
		}
		if slices.Max(m.sizes) > 7 || !m.closed {
			t.Errorf("%+v: batches of %v, closed %v", o, m.sizes, m.closed)
		}
	}
}

func TestBufferWaitsForSizeOrAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &memory{}
		s := buffered.New(m, buffered.Options{MaxRows: 10, Interval: time.Second})
		write(t, s, batch("a", values(9)...))
		synctest.Wait()
		if n := len(m.has()); n != 0 {
			t.Errorf("%d rows before the buffer is full", n)
		}
		write(t, s, batch("a", "x"))
		synctest.Wait()
		if n := len(m.has()); n != 10 {
			t.Errorf("%d rows of a full buffer", n)
		}
		write(t, s, batch("b", "y"))
		time.Sleep(900 * time.Millisecond)
		synctest.Wait()
		if n := len(m.has()); n != 10 {
			t.Errorf("%d rows: flushed early", n)
		}
		time.Sleep(200 * time.Millisecond)
		synctest.Wait()
		if n := len(m.has()); n != 11 {
			t.Errorf("%d rows: not flushed after the interval", n)
		}
		write(t, s, batch("b", "z"))
		if err := s.Flush(t.Context()); err != nil || len(m.has()) != 12 {
			t.Errorf("%d rows after a flush, %v", len(m.has()), err)
		}
		if err := s.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

func TestRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, rows := range []int{0, 4} {
			left := 3
			m := &memory{fail: func([]string) error {
				if left--; left >= 0 {
					return errors.New("away")
				}
				return nil
			}}
			s := buffered.New(m, buffered.Options{MaxRows: rows, MaxRetries: 3, Backoff: 100 * time.Millisecond})
			start := time.Now()
			write(t, s, batch("s", values(4)...))
			if err := s.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			if d := time.Since(start); d != 700*time.Millisecond {
				t.Errorf("three pauses took %v, not 100+200+400 ms", d)
			}
			if !slices.Equal(m.rows, values(4)) || s.Stats.Retries.Load() != 3 {
				t.Errorf("%v, %d retries", m.rows, s.Stats.Retries.Load())
			}
		}
	})
}

func TestFailKeepsTheError(t *testing.T) {
	boom := errors.New("boom")
	for _, rows := range []int{0, 4} {
		m := &memory{fail: func([]string) error { return boom }}
		s := buffered.New(m, buffered.Options{MaxRows: rows})
		err := s.Write(t.Context(), batch("s", values(4)...))
		if rows > 0 {
			err = s.Flush(t.Context())
		}
		if !errors.Is(err, boom) {
			t.Errorf("%v", err)
		}
		if err := s.Write(t.Context(), batch("s", "x")); !errors.Is(err, boom) {
			t.Errorf("a later write: %v", err)
		}
		if err := s.Close(t.Context()); !errors.Is(err, boom) {
			t.Errorf("close: %v", err)
		}
	}
}

func TestThrottledIsNoFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		left := 20
		m := &memory{fail: func([]string) error {
			if left--; left >= 0 {
				return fmt.Errorf("%w: slow down", connector.ErrThrottled)
			}
			return nil
		}}
		s := buffered.New(m, buffered.Options{})
		write(t, s, batch("s", "x"))
		if len(m.rows) != 1 {
			t.Errorf("%v", m.rows)
		}
		s.Close(t.Context())
	})
}

func TestRejectedIsNotRetried(t *testing.T) {
	calls := 0
	m := &memory{fail: func([]string) error { calls++; return fmt.Errorf("%w: never", connector.ErrRejected) }}
	s := buffered.New(m, buffered.Options{MaxRetries: 100})
	if err := s.Write(t.Context(), batch("s", "x")); !errors.Is(err, connector.ErrRejected) || calls != 1 {
		t.Errorf("%v after %d calls", err, calls)
	}
}

// TestPoison: the rows to blame are found, and all others are written in order.
func TestPoison(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		n := 1 + rng.IntN(40)
		bad := map[string]bool{}
		for range rng.IntN(4) {
			bad[fmt.Sprint("r", rng.IntN(n))] = true
		}
		m := &memory{fail: func(rows []string) error {
			if slices.ContainsFunc(rows, func(r string) bool { return bad[r] }) {
				return errors.New("poison")
			}
			return nil
		}}
		path := filepath.Join(t.TempDir(), "dead")
		file, err := buffered.OpenDeadLetterFile(path, "t", nil)
		if err != nil {
			t.Fatal(err)
		}
		policy := buffered.Policy(1 + rng.IntN(2))
		s := buffered.New(m, buffered.Options{BatchSize: 1 + rng.IntN(10), MaxRows: rng.IntN(2) * 5, OnError: policy, Dead: file.Put})
		write(t, s, batch("s", values(n)...))
		if err := s.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		file.Close()
		var want []string
		for _, v := range values(n) {
			if !bad[v] {
				want = append(want, v)
			}
		}
		if !slices.Equal(m.rows, want) {
			t.Fatalf("%v, want %v", m.rows, want)
		}
		text, _ := os.ReadFile(path)
		lines := strings.Count(string(text), "\n")
		dead, skipped := int(s.Stats.Dead.Load()), int(s.Stats.Skipped.Load())
		if dead+skipped != len(bad) || lines != dead || policy == buffered.DeadLetter && skipped > 0 {
			t.Fatalf("%d dead, %d skipped, %d lines, %d bad", dead, skipped, lines, len(bad))
		}
		for v := range bad {
			if policy == buffered.DeadLetter && !strings.Contains(string(text), `"row":{"v":"`+v+`"}`) {
				t.Fatalf("%s is not in %s", v, text)
			}
		}
	}
}

// TestBackPressure: Write waits when the buffers are full and goes on when they are not.
func TestBackPressure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &memory{block: make(chan struct{})}
		s := buffered.New(m, buffered.Options{MaxRows: 10, Memory: 4000})
		row := strings.Repeat("x", 200)
		var most int64
		done := make(chan error, 1)
		go func() {
			for range 100 {
				if err := s.Write(t.Context(), batch("s", row, row)); err != nil {
					done <- err
					return
				}
			}
			done <- s.Flush(t.Context())
		}()
		synctest.Wait()
		select {
		case err := <-done:
			t.Fatalf("did not wait: %v", err)
		default:
		}
		if most = s.Stats.Buffered.Load(); most > 4000+1000 {
			t.Errorf("%d bytes are held", most)
		}
		// A write that waits ends with its context.
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := s.Write(ctx, batch("s", row)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		close(m.block)
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if len(m.has()) != 200 {
			t.Errorf("%d rows", len(m.has()))
		}
		if s.Stats.WaitedNs.Load() == 0 {
			t.Error("the wait was not counted")
		}
		s.Close(t.Context())
	})
}

// TestCloseAborted: with a context that has ended nothing more is written.
func TestCloseAborted(t *testing.T) {
	m := &memory{}
	s := buffered.New(m, buffered.Options{MaxRows: 100})
	write(t, s, batch("s", "x"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s.Close(ctx)
	if len(m.rows) != 0 || !m.closed {
		t.Errorf("%v, closed %v", m.rows, m.closed)
	}
}

// TestOrderWithinSplit: rows of a split keep their order whatever the buffers do.
func TestOrderWithinSplit(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 50 {
		m := &memory{}
		if rng.IntN(2) == 0 {
			m.fail = func([]string) error {
				if rand.IntN(4) == 0 { // not rng: the writer is another goroutine
					return errors.New("now and then")
				}
				return nil
			}
		}
		s := buffered.New(m, buffered.Options{BatchSize: rng.IntN(8), MaxRows: 1 + rng.IntN(20), MaxRetries: 100, Backoff: time.Microsecond, MaxBackoff: time.Microsecond})
		next := map[string]int{}
		for range 60 {
			split := string(rune('a' + rng.IntN(3)))
			var rows []string
			for range 1 + rng.IntN(12) {
				rows = append(rows, fmt.Sprintf("%s%d", split, next[split]))
				next[split]++
			}
			write(t, s, batch(split, rows...))
			if rng.IntN(10) == 0 {
				if err := s.Flush(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := s.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		seen := map[string]int{}
		for _, r := range m.rows {
			if want := fmt.Sprintf("%s%d", r[:1], seen[r[:1]]); r != want {
				t.Fatalf("%s, want %s", r, want)
			}
			seen[r[:1]]++
		}
		for k, n := range next {
			if seen[k] != n {
				t.Fatalf("%d rows of %s, want %d", seen[k], k, n)
			}
		}
	}
}
