package dir

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/runnelio/runnel/internal/state"
)

func take(t *testing.T, path, owner string, o Options) *Store {
	t.Helper()
	o.NoSync = true
	s, err := Claim(t.Context(), path, owner, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// counter is an owner whose state is a number and the names of all who raised it.
type counter struct {
	s *Store
	b state.Backend
	n int
	// epoch is that of the last commit.
	epoch int64
}

func newCounter(t *testing.T, s *Store) *counter {
	t.Helper()
	c := &counter{s: s, b: s.Backend("op", 0, 1)}
	err := c.b.Restore(func(_ uint16, key, value []byte) (err error) {
		if string(key) == "n" {
			c.n, err = strconv.Atoi(string(value))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	last, err := s.Last(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c.epoch = last.Epoch
	if at := last.Positions["src/a"]; at != "" && at != strconv.Itoa(c.n) {
		t.Fatalf("position %q does not belong to state %d", at, c.n)
	}
	return c
}

func (c *counter) raise(t *testing.T) error {
	t.Helper()
	put(t, c.b, "n", strconv.Itoa(c.n+1))
	put(t, c.b, fmt.Sprint("step", c.n+1), "x")
	if err := c.b.Seal(c.epoch + 1); err != nil {
		return err
	}
	err := c.s.Commit(t.Context(), &state.Commit{Epoch: c.epoch + 1, Positions: map[string]string{"src/a": strconv.Itoa(c.n + 1)}})
	if err == nil {
		c.n++
		c.epoch++
	}
	return err
}

// steps are those of a commit in which an owner may be stopped.
var steps = []string{"commit", "data written", "entry written", "entry linked", "committed", "pruned"}

// TestLateOwner stops an owner in every step of a commit, has others claim and
// commit meanwhile, once or so often that its entries are pruned, and lets it go on.
func TestLateOwner(t *testing.T) {
	for _, step := range steps {
		for _, others := range []int{0, 1, 7} {
			t.Run(fmt.Sprintf("%s, %d commits", step, others), func(t *testing.T) {
				path := t.TempDir()
				armed, want := false, 0
				var next *counter
				var o Options
				o.step = func(name string) {
					if !armed || name != step {
						return
					}
					armed = false
					s, err := Claim(t.Context(), path, "second", Options{NoSync: true})
					if err != nil {
						t.Error(err)
						return
					}
					next = newCounter(t, s)
					for range others {
						if err := next.raise(t); err != nil {
							t.Error(err)
						}
					}
					want = next.n
				}
				first := newCounter(t, take(t, path, "first", o))
				for range 3 {
					if err := first.raise(t); err != nil {
						t.Fatal(err)
					}
				}
				armed = true
				err := first.raise(t)
				if armed {
					t.Fatal("the step never came")
				}
				late := step == "commit" || step == "data written" || step == "entry written"
				if late != errors.Is(err, state.ErrFenced) || !late && err != nil {
					t.Errorf("its commit: %v", err)
				}
				if before := 3; late && want != before+others || !late && want != before+1+others {
					t.Errorf("the second one is at %d", want)
				}
				if !first.s.Superseded() || next.s.Superseded() {
					t.Error("who is superseded?")
				}
				// What it does now is as if it had never been.
				for range 2 {
					if err := first.raise(t); !errors.Is(err, state.ErrFenced) {
						t.Errorf("another commit: %v", err)
					}
				}
				first.s.Close()
				if err := next.raise(t); err != nil {
					t.Fatal(err)
				}
				third := newCounter(t, take(t, path, "third", Options{}))
				if third.n != want+1 {
					t.Errorf("the third one finds %d, not %d", third.n, want+1)
				}
				if got := content(t, third.s, "op", 1); len(got) != third.n+1 {
					t.Errorf("%d entries for %d steps", len(got), third.n)
				}
				if third.s.Writer() == "" || third.s.Writer() != first.s.Writer() {
					t.Errorf("writers %q and %q", first.s.Writer(), third.s.Writer())
				}
			})
		}
	}
}

// TestTornClaim cuts a claim off at every byte: it holds nothing then, but its
// number stays taken.
func TestTornClaim(t *testing.T) {
	path := t.TempDir()
	first := newCounter(t, take(t, path, "first", Options{}))
	for range 2 {
		if err := first.raise(t); err != nil {
			t.Fatal(err)
		}
	}
	second := take(t, path, "second", Options{})
	whole, err := os.ReadFile(filepath.Join(path, second.last.file))
	if err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(path)
	if err != nil {
		t.Fatal(err)
	}
	for n := range len(whole) {
		torn := t.TempDir()
		for _, f := range files {
			b, err := os.ReadFile(filepath.Join(path, f.Name()))
			if err != nil {
				t.Fatal(err)
			}
			if f.Name() == second.last.file {
				b = b[:n]
			}
			if err := os.WriteFile(filepath.Join(torn, f.Name()), b, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		old := &Store{path: torn, opts: first.s.opts, held: first.s.held, last: first.s.last, seq: first.s.seq, sealed: map[int64]*epochFiles{}}
		c := &counter{s: old, b: old.Backend("op", 0, 1), n: first.n, epoch: first.epoch}
		if err := c.raise(t); !errors.Is(err, state.ErrFenced) {
			t.Fatalf("%d bytes: the last owner commits: %v", n, err)
		}
		third := newCounter(t, take(t, torn, "third", Options{}))
		if third.n != 2 || third.epoch != second.last.Epoch+1 {
			t.Fatalf("%d bytes: %d at %d", n, third.n, third.epoch)
		}
		if err := third.raise(t); err != nil {
			t.Fatalf("%d bytes: %v", n, err)
		}
	}
}

// TestOwnersRace has many owners claim and commit at once: what the chain holds
// in the end is exactly what commits that succeeded have added.
func TestOwnersRace(t *testing.T) {
	path := t.TempDir()
	var done atomic.Int64
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			for range 8 {
				s, err := Claim(t.Context(), path, "one of many", Options{NoSync: true})
				if err != nil {
					t.Error(err)
					return
				}
				c := newCounter(t, s)
				for {
					if err := c.raise(t); err != nil {
						if !errors.Is(err, state.ErrFenced) {
							t.Error(err)
						}
						break
					}
					if done.Add(1)%5 == 0 {
						break
					}
				}
				s.Close()
			}
		})
	}
	wg.Wait()
	last := newCounter(t, take(t, path, "last", Options{}))
	if int64(last.n) != done.Load() || last.n == 0 {
		t.Errorf("%d, but %d commits succeeded", last.n, done.Load())
	}
}

// TestSlowClaim stops a claim before its entry is linked, until the owner has
// committed so often that the number the claim wants is free again.
func TestSlowClaim(t *testing.T) {
	path := t.TempDir()
	first := newCounter(t, take(t, path, "first", Options{}))
	var o Options
	tries := 0
	o.step = func(name string) {
		if name != "entry written" {
			return
		}
		if tries++; tries == 1 {
			for range 9 {
				if err := first.raise(t); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := os.Stat(filepath.Join(path, entryName(2))); err == nil {
				t.Fatal("the number is not free: the test shows nothing")
			}
		}
	}
	second := newCounter(t, take(t, path, "second", o))
	if second.n != 9 || tries != 2 {
		t.Errorf("it goes on from %d after %d tries", second.n, tries)
	}
	if err := first.raise(t); !errors.Is(err, state.ErrFenced) {
		t.Errorf("the first one commits: %v", err)
	}
	if err := second.raise(t); err != nil {
		t.Error(err)
	}
}

// TestSweep: an owner removes what earlier ones left, not what later ones write.
func TestSweep(t *testing.T) {
	path := t.TempDir()
	var later string
	var o Options
	armed := false
	o.step = func(name string) {
		if !armed || name != "claimed" {
			return
		}
		armed = false
		s, err := Claim(t.Context(), path, "later", Options{NoSync: true})
		if err != nil {
			t.Error(err)
			return
		}
		w, err := s.create()
		if err != nil {
			t.Error(err)
			return
		}
		later = filepath.Base(w.path)
	}
	first := take(t, path, "first", Options{})
	if err := newCounter(t, first).raise(t); err != nil {
		t.Fatal(err)
	}
	w, err := first.create()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(path, "commit-1-9-abc.tmp"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	armed = true
	take(t, path, "second", o)
	entries, err := os.ReadDir(path)
	if err != nil {
		t.Fatal(err)
	}
	var tmp []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".tmp") {
			tmp = append(tmp, e.Name())
		}
	}
	if len(tmp) != 1 || tmp[0] != later {
		t.Errorf("left are %v, not only %s (the first one's was %s)", tmp, later, filepath.Base(w.path))
	}
}

func TestShared(t *testing.T) {
	path := t.TempDir()
	a, err := OpenShared(path, Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	b, err := OpenShared(path, Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"t/1", "t%2f1", "", ".", "..", "ä", strings.Repeat("x", 300), strings.Repeat("x", 301)}
	for _, n := range names {
		s, err := a.Claim(t.Context(), n)
		if err != nil {
			t.Fatalf("%q: %v", n, err)
		}
		if last, err := s.Last(t.Context()); err != nil || last.Epoch != 1 {
			t.Errorf("%q is not new: %v %v", n, last, err)
		}
		s.Close()
	}
	if paths, err := Units(path); err != nil || len(paths) != len(names) {
		t.Errorf("units %v, %v", paths, err)
	}
	if _, err := Open(path, Options{}); !errors.Is(err, ErrLocked) {
		t.Errorf("taken by one while it is shared: %v", err)
	}
	if err := a.Alone(); !errors.Is(err, ErrLocked) {
		t.Errorf("alone beside another: %v", err)
	}
	b.Close()
	if err := a.Alone(); err != nil {
		t.Error(err)
	}
	if _, err := OpenShared(path, Options{}); !errors.Is(err, ErrLocked) {
		t.Errorf("shared with one that is alone: %v", err)
	}
	a.Close()
	s := open(t, path, Options{})
	commit(t, s, 1)
	s.Close()
	if _, err := OpenShared(path, Options{}); err == nil {
		t.Error("shared although it holds the state of one")
	}
}
