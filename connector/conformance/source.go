package conformance

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/format"
)

// Source describes a source and the system behind it to the suite.
type Source struct {
	// New makes a place, such as a topic, with n empty splits.
	New func(t *testing.T, n int) Place
	// Oversize is a number of bytes too many for one record; 0: there is no bound to test.
	Oversize int
}

// Place is a place with splits that the suite may fill as it likes.
type Place struct {
	// Open opens the source at the beginning of the place. The suite opens several.
	Open func(t *testing.T) connector.Source
	// Append adds records to split i, in order, and returns when readers can see them.
	Append func(t *testing.T, i int, values []string)
	// ID is the id of split i.
	ID func(i int) string
	// AddSplit gives the place one more split; nil if it cannot be done.
	AddSplit func(t *testing.T)
	// RemoveSplit takes the last split away; nil if it cannot be done.
	RemoveSplit func(t *testing.T)
	// Resume opens a source that goes on where commits have come to; nil if the
	// system does not keep that.
	Resume func(t *testing.T) connector.Source
	// Break makes the connections of running readers break, and lets new ones
	// succeed after a while; nil if it cannot be done.
	Break func(t *testing.T)
}

// TestSource runs the suite. Each test has a place of its own.
func TestSource(t *testing.T, s Source) {
	t.Run("Replay", s.replay)
	t.Run("Order", s.order)
	t.Run("Parcels", s.parcels)
	t.Run("CancelRead", s.cancelRead)
	t.Run("CancelOpen", s.cancelOpen)
	t.Run("SplitAdded", s.splitAdded)
	t.Run("SplitRemoved", s.splitRemoved)
	t.Run("Commit", s.commit)
	t.Run("Oversize", s.oversize)
	t.Run("Lag", s.lag)
	t.Run("Reconnect", s.reconnect)
}

func splits(t *testing.T, src connector.Source) []connector.Split {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	sp, err := src.Splits(ctx)
	if err != nil {
		t.Fatalf("splits: %v", err)
	}
	return sp
}

func find(t *testing.T, src connector.Source, id string) connector.Split {
	t.Helper()
	for _, sp := range splits(t, src) {
		if sp.ID == id {
			return sp
		}
	}
	t.Fatalf("no split %q among %v", id, splits(t, src))
	return connector.Split{}
}

// replay: every position is where reading can go on, positions rise bytewise,
// and the empty one is the beginning.
func (s Source) replay(t *testing.T) {
	p := s.New(t, 1)
	const n = 300
	want := numbered("r", 0, n)
	p.Append(t, 0, want[:n/2])
	p.Append(t, 0, want[n/2:])
	src := p.Open(t)
	sp := find(t, src, p.ID(0))
	got := read(t, open(t, src, sp, ""), n)
	equal(t, "from the beginning", values(got), want)
	for i := 1; i < n; i++ {
		if got[i-1].Position >= got[i].Position {
			t.Fatalf("position %q of record %d is not above %q before it", got[i].Position, i, got[i-1].Position)
		}
	}
	for _, i := range []int{0, 1, 2, n/2 - 2, n/2 - 1, n / 2, n - 2} {
		rest := read(t, open(t, p.Open(t), sp, got[i].Position), n-i-1)
		equal(t, "behind record "+got[i].Value, values(rest), want[i+1:])
		if rest[0].Position != got[i+1].Position {
			t.Fatalf("the position behind %s is %q now, and was %q", rest[0].Value, rest[0].Position, got[i+1].Position)
		}
	}
	// The end is a position too: what comes later is read from there.
	p.Append(t, 0, []string{"later"})
	equal(t, "behind the last record", values(read(t, open(t, p.Open(t), sp, got[n-1].Position), 1)), []string{"later"})
}

// order: each split's records come in its order and none comes twice or not at all.
func (s Source) order(t *testing.T) {
	const n, rounds, each = 4, 5, 200
	p := s.New(t, n)
	src := p.Open(t)
	all := splits(t, src)
	if len(all) != n {
		t.Fatalf("%d splits, want %d", len(all), n)
	}
	want := map[string][]string{}
	for r := range rounds {
		for i := range n {
			v := numbered(p.ID(i), r*each, each)
			p.Append(t, i, v)
			want[p.ID(i)] = append(want[p.ID(i)], v...)
		}
	}
	for _, sp := range all {
		equal(t, sp.ID, values(read(t, open(t, src, sp, ""), rounds*each)), want[sp.ID])
	}
}

// parcels: two Records go round, and one is not changed by filling the other.
func (s Source) parcels(t *testing.T) {
	p := s.New(t, 1)
	src := p.Open(t)
	r := open(t, src, find(t, src, p.ID(0)), "")
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	var recs [2]format.Records
	var before []Record
	next := 0
	for round := range 12 {
		p.Append(t, 0, numbered("a value of some length", round*50, 50))
		into := &recs[round&1]
		for {
			if err := r.Read(ctx, into); err != nil || ctx.Err() != nil {
				t.Fatalf("read: %v, %v", err, ctx.Err())
			}
			if len(into.Val) > 0 {
				break
			}
		}
		if round > 0 {
			equal(t, "the parcel before", values(appendRecords(t, nil, &recs[1-round&1])), values(before))
		}
		before = appendRecords(t, nil, into)
		for _, rec := range before {
			if want := numbered("a value of some length", next, 1)[0]; rec.Value != want {
				t.Fatalf("got %q, want %q", rec.Value, want)
			}
			next++
		}
	}
}

// cancelRead: a read of an empty split ends with its context, without an error,
// and loses nothing.
func (s Source) cancelRead(t *testing.T) {
	p := s.New(t, 1)
	src := p.Open(t)
	if src.Bounded() {
		t.Skip("a bounded source does not wait")
	}
	r := open(t, src, find(t, src, p.ID(0)), "")
	var recs format.Records
	for range 3 {
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		within(t, "Read with a deadline", 5*time.Second, func() {
			if err := r.Read(ctx, &recs); err != nil || len(recs.Val) > 0 {
				t.Errorf("read of an empty split: %d records, %v", len(recs.Val), err)
			}
		})
		cancel()
	}
	p.Append(t, 0, []string{"a", "b"})
	equal(t, "after cancelled reads", values(read(t, r, 2)), []string{"a", "b"})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	within(t, "Read with a cancelled context", 5*time.Second, func() {
		if err := r.Read(ctx, &recs); err != nil {
			t.Errorf("read: %v", err)
		}
	})
	within(t, "Close", 5*time.Second, func() {
		if err := r.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
}

// cancelOpen: the calls that open things end with their context.
func (s Source) cancelOpen(t *testing.T) {
	p := s.New(t, 1)
	sp := find(t, p.Open(t), p.ID(0))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	src := p.Open(t)
	within(t, "Splits", 5*time.Second, func() { src.Splits(ctx) })
	within(t, "Open", 5*time.Second, func() {
		if r, err := src.Open(ctx, sp, ""); err == nil {
			r.Close()
		}
	})
	if c, ok := src.(connector.Committer); ok {
		within(t, "Committed", 5*time.Second, func() { c.Committed(ctx, map[string]connector.Position{}) })
	}
	if l, ok := src.(connector.Lagger); ok {
		within(t, "End", 5*time.Second, func() { l.End(ctx, sp) })
	}
	if w, ok := src.(connector.Watcher); ok {
		within(t, "Watch", 15*time.Second, func() { w.Watch(ctx, func(connector.Split) {}, func(connector.Split) {}) })
	}
}

// watch runs Watch until the test ends and returns what it tells.
func watch(t *testing.T, src connector.Source) (found, gone <-chan connector.Split) {
	t.Helper()
	w, ok := src.(connector.Watcher)
	if !ok {
		t.Skip("its splits neither come nor go")
	}
	f, g := make(chan connector.Split, 100), make(chan connector.Split, 100)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.Watch(ctx, func(s connector.Split) { f <- s }, func(s connector.Split) { g <- s })
	}()
	t.Cleanup(func() {
		cancel()
		within(t, "Watch after its context", 15*time.Second, func() { <-done })
	})
	return f, g
}

// splitAdded: a split that comes is found, and read from its first record.
func (s Source) splitAdded(t *testing.T) {
	p := s.New(t, 2)
	if p.AddSplit == nil {
		t.Skip("the number of splits is fixed")
	}
	src := p.Open(t)
	splits(t, src)
	found, _ := watch(t, src)
	p.AddSplit(t)
	p.Append(t, 2, []string{"first", "second"})
	select {
	case sp := <-found:
		if sp.ID != p.ID(2) {
			t.Fatalf("found %q, want %q", sp.ID, p.ID(2))
		}
		equal(t, "the new split", values(read(t, open(t, src, sp, ""), 2)), []string{"first", "second"})
	case <-time.After(Patience):
		t.Fatal("the new split was not found")
	}
}

// splitRemoved: a split that goes is told.
func (s Source) splitRemoved(t *testing.T) {
	p := s.New(t, 3)
	if p.RemoveSplit == nil {
		t.Skip("splits are not removed")
	}
	src := p.Open(t)
	splits(t, src)
	_, gone := watch(t, src)
	p.RemoveSplit(t)
	select {
	case sp := <-gone:
		if sp.ID != p.ID(2) {
			t.Fatalf("%q is gone, not %q", sp.ID, p.ID(2))
		}
	case <-time.After(Patience):
		t.Fatal("nobody was told that the split is gone")
	}
}

// commit: commits may come twice, for older positions, and get lost; reading
// follows positions alone, and whoever resumes goes on behind the last commit.
func (s Source) commit(t *testing.T) {
	p := s.New(t, 1)
	src := p.Open(t)
	c, ok := src.(connector.Committer)
	if !ok {
		t.Skip("it is told of no commits")
	}
	want := numbered("c", 0, 50)
	p.Append(t, 0, want)
	sp := find(t, src, p.ID(0))
	r := open(t, src, sp, "")
	got := read(t, r, 50)
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	for _, i := range []int{9, 9, 29, 29} {
		if err := c.Committed(ctx, map[string]connector.Position{sp.ID: got[i].Position}); err != nil {
			t.Fatalf("committed: %v", err)
		}
	}
	if err := c.Committed(ctx, map[string]connector.Position{}); err != nil {
		t.Fatalf("committed nothing: %v", err)
	}
	// A commit that got lost: the checkpoint is older than what the system knows, and counts.
	equal(t, "from a position before the commit", values(read(t, open(t, p.Open(t), sp, got[19].Position), 30)), want[20:])
	if p.Resume == nil {
		return
	}
	again := p.Resume(t)
	equal(t, "resumed", values(read(t, open(t, again, find(t, again, p.ID(0)), ""), 20)), want[30:])
}

// oversize: a record that is too long is counted and left out, the rest comes.
func (s Source) oversize(t *testing.T) {
	if s.Oversize == 0 {
		t.Skip("records are as long as they like")
	}
	p := s.New(t, 1)
	long := strings.Repeat("x", s.Oversize)
	p.Append(t, 0, []string{"before", long, "after"})
	src := p.Open(t)
	r := open(t, src, find(t, src, p.ID(0)), "")
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	var recs format.Records
	var got []Record
	oversize := 0
	for (len(got) < 2 || oversize < 1) && ctx.Err() == nil {
		err := r.Read(ctx, &recs)
		got = appendRecords(t, got, &recs)
		oversize += recs.Oversize
		if len(recs.OversizeHead) > recs.Oversize {
			t.Errorf("%d heads of %d records", len(recs.OversizeHead), recs.Oversize)
		}
		for _, h := range recs.OversizeHead {
			if !strings.HasPrefix(long, string(h)) {
				t.Errorf("head %.20q is not of the record", h)
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	equal(t, "around it", values(got), []string{"before", "after"})
	if oversize != 1 {
		t.Errorf("%d records counted as too long", oversize)
	}
}

// lag: the end of a split is the position behind its last record.
func (s Source) lag(t *testing.T) {
	p := s.New(t, 1)
	src := p.Open(t)
	l, ok := src.(connector.Lagger)
	if !ok {
		t.Skip("it does not know the ends of its splits")
	}
	p.Append(t, 0, numbered("l", 0, 10))
	sp := find(t, src, p.ID(0))
	got := read(t, open(t, src, sp, ""), 10)
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	end, err := l.End(ctx, sp)
	if err != nil {
		t.Fatal(err)
	}
	if end != got[9].Position {
		t.Errorf("the end is %q, and the position behind the last record %q", end, got[9].Position)
	}
	for i, want := range []int64{9, 8, 7, 6, 5, 4, 3, 2, 1, 0} {
		if n, err := l.Behind(got[i].Position, end); err != nil || n != want {
			t.Errorf("behind record %d are %d more (%v), not %d", i, n, err, want)
		}
	}
	if pl, ok := open(t, src, sp, got[4].Position).(connector.Placed); ok && pl.At() != got[4].Position {
		t.Errorf("a reader opened at %q says it is at %q", got[4].Position, pl.At())
	}
}

// reconnect: broken connections are made again by themselves, and no record is
// lost, repeated or out of order.
func (s Source) reconnect(t *testing.T) {
	p := s.New(t, 2)
	if p.Break == nil {
		t.Skip("there is no connection to break")
	}
	src := p.Open(t)
	var readers []connector.Reader
	for i := range 2 {
		p.Append(t, i, numbered("x", 0, 20))
		r := open(t, src, find(t, src, p.ID(i)), "")
		equal(t, "before", values(read(t, r, 20)), numbered("x", 0, 20))
		readers = append(readers, r)
	}
	p.Break(t)
	for i := range 2 {
		p.Append(t, i, numbered("x", 20, 20))
	}
	for i, r := range readers {
		equal(t, "after the break, split "+p.ID(i), values(read(t, r, 20)), numbered("x", 20, 20))
	}
}
