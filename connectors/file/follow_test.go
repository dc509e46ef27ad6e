package file

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/format"
)

// follower reads all splits of a source as the engine does, each in a goroutine.
type follower struct {
	t   *testing.T
	src connector.Source

	mu    sync.Mutex
	lines map[string]bool
	pos   map[string]string // by split
	gone  []string
	stops map[string]context.CancelFunc
	wg    sync.WaitGroup
}

func follow(t *testing.T, dir, path string, at map[string]string) *follower {
	t.Helper()
	src := openSource(t, dir, testTable(t, map[string]string{"path": path, "source.monitor-interval": "5 ms"}))
	f := &follower{t: t, src: src, lines: map[string]bool{}, pos: map[string]string{}, stops: map[string]context.CancelFunc{}}
	ctx, cancel := context.WithCancel(t.Context())
	splits, err := src.Splits(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, sp := range splits {
		f.start(ctx, sp, at[sp.ID])
	}
	f.wg.Go(func() {
		src.(connector.Watcher).Watch(ctx, func(sp connector.Split) { f.start(ctx, sp, at[sp.ID]) }, func(sp connector.Split) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.stops[sp.ID]()
			f.gone = append(f.gone, sp.ID)
		})
	})
	t.Cleanup(func() { cancel(); f.wg.Wait() })
	return f
}

func (f *follower) start(ctx context.Context, sp connector.Split, at string) {
	ctx, stop := context.WithCancel(ctx)
	f.mu.Lock()
	f.stops[sp.ID] = stop
	f.mu.Unlock()
	f.wg.Go(func() {
		r, err := f.src.Open(ctx, sp, at)
		if err != nil {
			f.t.Error(err)
			return
		}
		defer r.Close()
		var recs format.Records
		for ctx.Err() == nil {
			if err := r.Read(ctx, &recs); err != nil {
				f.t.Error(err)
				return
			}
			f.mu.Lock()
			for i, v := range recs.Val {
				text := string(recs.Buf[v.Off : v.Off+v.Len])
				if f.lines[text] {
					f.t.Errorf("%q comes twice", text)
				}
				f.lines[text] = true
				p := recs.Position(i)
				if p <= f.pos[sp.ID] {
					f.t.Errorf("position %s behind %s", p, f.pos[sp.ID])
				}
				f.pos[sp.ID] = p
			}
			f.mu.Unlock()
		}
	})
}

// await waits until the lines are there, and no others.
func (f *follower) await(want ...string) {
	f.t.Helper()
	set := map[string]bool{}
	for _, w := range want {
		set[w] = true
	}
	deadline := time.Now().Add(10 * time.Second)
	for {
		f.mu.Lock()
		ok := reflect.DeepEqual(f.lines, set)
		text := f.lines
		f.mu.Unlock()
		if ok {
			return
		}
		if time.Now().After(deadline) {
			f.t.Fatalf("got %v, want %v", text, want)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

func appendTo(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

func TestFollowGrowingAndNewFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a := filepath.Join(dir, "a.log")
	appendTo(t, a, "one\nhal")
	f := follow(t, dir, ".", nil)
	f.await("one")
	appendTo(t, a, "f\ntwo\n")
	f.await("one", "half", "two")
	appendTo(t, filepath.Join(dir, "sub.log"), "three\n")
	os.WriteFile(filepath.Join(dir, "packed.gz"), compress(t, "gz", []byte("four\nfive\n")), 0o644)
	f.await("one", "half", "two", "three", "four", "five")
}

func TestFollowRotation(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"app.log", "app.log*"} {
		dir := t.TempDir()
		log := filepath.Join(dir, "app.log")
		appendTo(t, log, "1\n")
		f := follow(t, dir, path, nil)
		f.await("1")
		if err := os.Rename(log, log+".1"); err != nil {
			t.Fatal(err)
		}
		appendTo(t, log+".1", "2\n") // the writer has not noticed yet
		f.await("1", "2")
		appendTo(t, log, "3\n")
		appendTo(t, log+".1", "4\n")
		f.await("1", "2", "3", "4")
	}
}

func TestFollowCopyTruncate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	log := filepath.Join(dir, "app.log")
	appendTo(t, log, "first\nsecond\n")
	f := follow(t, dir, "app.log", nil)
	f.await("first", "second")
	if err := os.Truncate(log, 0); err != nil {
		t.Fatal(err)
	}
	time.Sleep(30 * time.Millisecond)
	appendTo(t, log, "third\n")
	f.await("first", "second", "third")
}

func TestFollowGoesOnFromPositions(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	log := filepath.Join(dir, "app.log")
	appendTo(t, log, "1\n2\n")
	first := follow(t, dir, "app.log*", nil)
	first.await("1", "2")
	first.mu.Lock()
	at := maps.Clone(first.pos)
	first.mu.Unlock()
	// Rotated while nobody looked.
	os.Rename(log, log+".1")
	appendTo(t, log+".1", "3\n")
	appendTo(t, log, "4\n")
	second := follow(t, dir, "app.log*", at)
	second.await("3", "4")

	// A file that has only the id of the one before is read from its front.
	other := t.TempDir()
	x := filepath.Join(other, "x.log")
	appendTo(t, x, "something else\n")
	id, err := fileID(x)
	if err != nil {
		t.Fatal(err)
	}
	for _, pos := range at {
		follow(t, other, "x.log", map[string]string{id: pos}).await("something else")
	}
	s := openSource(t, other, testTable(t, map[string]string{"path": "x.log", "follow": "true"}))
	s.Splits(t.Context())
	if _, err := s.Open(t.Context(), connector.Split{ID: id}, "12"); err == nil {
		t.Error("a broken position passes")
	}
	if s.Bounded() {
		t.Error("a followed file is bounded")
	}
}

func TestFollowedFileThatIsGoneIsGivenUp(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	now := time.Now()
	s := openSource(t, dir, testTable(t, map[string]string{"path": ".", "follow": "true"})).(*followSource)
	s.cx.Now = func() time.Time { return now }
	appendTo(t, filepath.Join(dir, "a"), "x\n")
	splits, _ := s.Splits(t.Context())
	r, err := s.Open(t.Context(), splits[0], "")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var recs format.Records
	r.Read(t.Context(), &recs)
	os.Remove(filepath.Join(dir, "a"))
	check := func(want int) {
		t.Helper()
		files, _ := s.list(t.Context())
		if _, left := s.compare(files); len(left) != want {
			t.Fatalf("%d splits are gone, want %d", len(left), want)
		}
	}
	check(0) // the reader has not come to the end
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := r.Read(ctx, &recs); err != nil || len(recs.Val) != 0 {
		t.Fatal(err)
	}
	check(0)
	now = now.Add(time.Minute)
	check(1)
	check(0)
}
