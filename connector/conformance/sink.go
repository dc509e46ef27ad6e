package conformance

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// Sink describes a sink and the system behind it to the suite.
type Sink struct {
	// New makes an empty place to write to.
	New func(t *testing.T) Target
	// Oversize is a number of bytes too many for one record; 0: there is no bound to test.
	Oversize int
}

// Target is a place to write to.
type Target struct {
	// Schema is that of the batches to write; Column is the STRING column the
	// suite puts its values in, other columns are NULL if nullable, else "k" or 0.
	Schema *types.Schema
	Column int
	// Open opens a sink. The suite opens several, one after the other, as a job
	// does that is started again.
	Open func(t *testing.T) connector.Sink
	// Read returns the values that readers see, in the order of the place if it
	// has one; it returns when at least n are there, or after a while without.
	Read func(t *testing.T, n int) []string
	// Ordered tells that values of one writer keep their order in Read.
	Ordered bool
	// Once tells that what is committed twice is seen once.
	Once bool
}

// TestSink runs the suite. Each test has a place of its own.
func TestSink(t *testing.T, s Sink) {
	t.Run("Write", s.write)
	t.Run("Selection", s.selection)
	t.Run("CancelWrite", s.cancelWrite)
	t.Run("Oversize", s.oversize)
	t.Run("Transaction", s.transaction)
	t.Run("DuplicateCommit", s.duplicateCommit)
	t.Run("LostCommit", s.lostCommit)
	t.Run("Abort", s.abort)
}

// batch makes a batch of values.
func (g Target) batch(values []string) *vector.Batch {
	b := vector.NewBatch(g.Schema, len(values))
	row := make([]types.Value, len(g.Schema.Fields))
	for i, f := range g.Schema.Fields {
		switch {
		case f.Type.Nullable:
		case f.Type.IsChar():
			row[i] = "k"
		case f.Type.Kind == types.BigInt:
			row[i] = int64(0)
		case f.Type.Kind == types.Int:
			row[i] = int32(0)
		}
	}
	for _, v := range values {
		row[g.Column] = v
		b.AppendValues(types.Insert, row...)
	}
	return b
}

func (g Target) put(t *testing.T, s connector.Sink, values []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	if err := s.Write(ctx, g.batch(values)); err != nil {
		t.Fatalf("write: %v", err)
	}
}

// sees checks what readers see.
func (g Target) sees(t *testing.T, what string, want []string) {
	t.Helper()
	got := g.Read(t, len(want))
	if !g.Once {
		got = firstOfEach(got)
	}
	want = slices.Clone(want)
	if !g.Ordered {
		slices.Sort(got)
		slices.Sort(want)
	}
	equal(t, what, got, want)
}

func firstOfEach(in []string) []string {
	seen := map[string]bool{}
	var out []string
	for _, v := range in {
		if !seen[v] {
			seen[v] = true
			out = append(out, v)
		}
	}
	return out
}

func end(t *testing.T, s connector.Sink, well bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	if !well {
		cancel()
	}
	within(t, "Close", 30*time.Second, func() {
		if err := s.Close(ctx); err != nil && well {
			t.Errorf("close: %v", err)
		}
	})
}

// prepare ends an epoch the way the engine does and returns the token.
func prepare(t *testing.T, s connector.Sink, epoch int64) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	if f, ok := s.(connector.Flusher); ok {
		if err := f.Flush(ctx); err != nil {
			t.Fatalf("flush: %v", err)
		}
	}
	tx, ok := s.(connector.Tx)
	if !ok {
		return nil
	}
	token, err := tx.Prepare(ctx, epoch)
	if err != nil {
		t.Fatalf("prepare: %v", err)
	}
	return bytes.Clone(token)
}

func commit(t *testing.T, s connector.Sink, token []byte) {
	t.Helper()
	tx, ok := s.(connector.Tx)
	if !ok || token == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	if err := tx.Commit(ctx, token); err != nil {
		t.Fatalf("commit: %v", err)
	}
}

// write: all rows of all batches arrive, in order, over several epochs and the end.
func (s Sink) write(t *testing.T) {
	g := s.New(t)
	sink := g.Open(t)
	want := numbered("w", 0, 1000)
	g.put(t, sink, want[:1])
	g.put(t, sink, want[1:400])
	commit(t, sink, prepare(t, sink, 1))
	g.put(t, sink, want[400:700])
	g.put(t, sink, nil)
	commit(t, sink, prepare(t, sink, 2))
	commit(t, sink, prepare(t, sink, 3)) // an epoch without rows
	g.put(t, sink, want[700:])
	commit(t, sink, prepare(t, sink, 4))
	end(t, sink, true)
	g.sees(t, "after three epochs", want)
}

// selection: only live rows are written, and the batch is the caller's again.
func (s Sink) selection(t *testing.T) {
	g := s.New(t)
	sink := g.Open(t)
	b := g.batch(numbered("s", 0, 100))
	var want []string
	for i := 0; i < 100; i += 3 {
		b.Sel = append(b.Sel, int32(i))
		want = append(want, numbered("s", i, 1)[0])
	}
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	if err := sink.Write(ctx, b); err != nil {
		t.Fatal(err)
	}
	b.Reset()
	for range 100 { // what was written must not change with the caller's memory
		b.AppendValues(types.Insert, g.batch([]string{"overwritten"}).Row(0)...)
	}
	commit(t, sink, prepare(t, sink, 1))
	end(t, sink, true)
	g.sees(t, "selected rows", want)
}

// cancelWrite: calls end with their context.
func (s Sink) cancelWrite(t *testing.T) {
	g := s.New(t)
	sink := g.Open(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	within(t, "Write", 10*time.Second, func() { sink.Write(ctx, g.batch(numbered("x", 0, 10))) })
	if f, ok := sink.(connector.Flusher); ok {
		within(t, "Flush", 10*time.Second, func() { f.Flush(ctx) })
	}
	if tx, ok := sink.(connector.Tx); ok {
		within(t, "Prepare", 10*time.Second, func() { tx.Prepare(ctx, 1) })
	}
	within(t, "Close", 10*time.Second, func() { sink.Close(ctx) })
}

// oversize: a record that the system does not take is an error, not a loss.
func (s Sink) oversize(t *testing.T) {
	if s.Oversize == 0 {
		t.Skip("records are as long as they like")
	}
	g := s.New(t)
	sink := g.Open(t)
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	err := sink.Write(ctx, g.batch([]string{strings.Repeat("x", s.Oversize)}))
	if f, ok := sink.(connector.Flusher); ok && err == nil {
		err = f.Flush(ctx)
	}
	if tx, ok := sink.(connector.Tx); ok && err == nil {
		var token []byte
		if token, err = tx.Prepare(ctx, 1); err == nil {
			err = tx.Commit(ctx, token)
		}
	}
	if err == nil {
		t.Error("it was taken")
	}
	end(t, sink, false)
}

// transaction: rows are seen when they are committed and not before.
func (s Sink) transaction(t *testing.T) {
	g := s.New(t)
	sink := g.Open(t)
	if _, ok := sink.(connector.Tx); !ok {
		end(t, sink, true)
		t.Skip("it has no transactions")
	}
	want := numbered("t", 0, 200)
	g.put(t, sink, want[:100])
	token := prepare(t, sink, 1)
	g.put(t, sink, want[100:]) // the next epoch has begun before the commit
	if got := g.Read(t, 0); len(got) > 0 {
		t.Fatalf("%d rows are seen before the commit", len(got))
	}
	commit(t, sink, token)
	g.sees(t, "after the first commit", want[:100])
	commit(t, sink, prepare(t, sink, 2))
	end(t, sink, true)
	g.sees(t, "after the second", want)
}

// duplicateCommit: a commit that is repeated changes nothing, also by a sink
// that was opened anew.
func (s Sink) duplicateCommit(t *testing.T) {
	g := s.New(t)
	sink := g.Open(t)
	if _, ok := sink.(connector.Tx); !ok {
		end(t, sink, true)
		t.Skip("it has no transactions")
	}
	want := numbered("d", 0, 50)
	g.put(t, sink, want)
	token := prepare(t, sink, 1)
	commit(t, sink, token)
	commit(t, sink, token)
	end(t, sink, false)
	again := g.Open(t)
	commit(t, again, token)
	g.put(t, again, []string{"next"})
	commit(t, again, prepare(t, again, 2))
	end(t, again, true)
	g.sees(t, "committed three times", append(slices.Clone(want), "next"))
}

// lostCommit: a process that dies between the checkpoint and the commit leaves
// a token, with which the next one commits; what was written behind the
// checkpoint is written again and seen once.
func (s Sink) lostCommit(t *testing.T) {
	g := s.New(t)
	sink := g.Open(t)
	if _, ok := sink.(connector.Tx); !ok {
		end(t, sink, true)
		t.Skip("it has no transactions")
	}
	want := numbered("l", 0, 60)
	g.put(t, sink, want[:30])
	token := prepare(t, sink, 1)
	g.put(t, sink, want[30:]) // not in the checkpoint
	end(t, sink, false)
	again := g.Open(t)
	commit(t, again, token)
	g.put(t, again, want[30:])
	commit(t, again, prepare(t, again, 2))
	end(t, again, true)
	g.sees(t, "by the next process", want)
}

// abort: what is aborted is never seen, and what follows is.
func (s Sink) abort(t *testing.T) {
	g := s.New(t)
	sink := g.Open(t)
	tx, ok := sink.(connector.Tx)
	if !ok {
		end(t, sink, true)
		t.Skip("it has no transactions")
	}
	g.put(t, sink, numbered("a", 0, 10))
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	if err := tx.Abort(ctx, prepare(t, sink, 1)); err != nil {
		t.Fatalf("abort: %v", err)
	}
	g.put(t, sink, []string{"kept"})
	commit(t, sink, prepare(t, sink, 2))
	end(t, sink, true)
	g.sees(t, "after an abort", []string{"kept"})
}
