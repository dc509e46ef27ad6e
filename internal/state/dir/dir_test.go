package dir

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/runnelio/runnel/internal/state"
)

func open(t *testing.T, path string, o Options) *Store {
	t.Helper()
	o.NoSync = true
	s, err := Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func seal(t *testing.T, epoch int64, bs ...state.Backend) {
	t.Helper()
	for _, b := range bs {
		if err := b.Seal(epoch); err != nil {
			t.Fatal(err)
		}
	}
}

func commit(t *testing.T, s *Store, epoch int64) {
	t.Helper()
	if err := s.Commit(t.Context(), &state.Commit{Epoch: epoch, Positions: map[string]string{"src/a": fmt.Sprint("\xff\x00", epoch)}}); err != nil {
		t.Fatal(err)
	}
}

func put(t *testing.T, b state.Backend, key, value string) {
	t.Helper()
	if err := b.Put(unit(key), []byte(key), []byte(value)); err != nil {
		t.Fatal(err)
	}
}

func unit(key string) uint16 {
	h := uint64(14695981039346656037)
	for _, c := range []byte(key) {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return state.UnitOf(h)
}

// content restores an operator at a parallelism; each key must come from the
// task that owns it, and once.
func content(t *testing.T, s *Store, op string, parallel int) map[string]string {
	t.Helper()
	out := map[string]string{}
	for sub := range parallel {
		err := s.Backend(op, sub, parallel).Restore(func(u uint16, key, value []byte) error {
			if u != unit(string(key)) || state.TaskOf(u, parallel) != sub {
				t.Errorf("task %d of %d got key %q of unit %d", sub, parallel, key, u)
			}
			if _, twice := out[string(key)]; twice {
				t.Errorf("key %q came twice", key)
			}
			out[string(key)] = string(value)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func TestCommitAndRestore(t *testing.T) {
	path := t.TempDir()
	s := open(t, path, Options{})
	if c, err := s.Last(t.Context()); c != nil || err != nil {
		t.Fatalf("new store: %v, %v", c, err)
	}
	a, b := s.Backend("a", 0, 1), s.Backend("b", 0, 1)
	put(t, a, "k", "1")
	put(t, a, "gone", "1")
	put(t, b, "k", "other")
	seal(t, 1, a, b)
	put(t, a, "k", "of the next epoch")
	err := s.Commit(t.Context(), &state.Commit{Epoch: 1, Positions: map[string]string{"src/x": "\xff\x00é"}, Tokens: map[string][]byte{"sink/0": {0, 255}}, Meta: map[string]string{"m": "v"}})
	if err != nil {
		t.Fatal(err)
	}
	s.Close()

	s = open(t, path, Options{})
	c, err := s.Last(t.Context())
	if err != nil || c.Epoch != 1 || c.Positions["src/x"] != "\xff\x00é" || string(c.Tokens["sink/0"]) != "\x00\xff" || c.Meta["m"] != "v" {
		t.Fatalf("last commit %+v, %v", c, err)
	}
	if got := content(t, s, "a", 1); !maps.Equal(got, map[string]string{"k": "1", "gone": "1"}) {
		t.Errorf("a holds %v", got)
	}
	a = s.Backend("a", 0, 1)
	if err := a.Delete(unit("gone"), []byte("gone")); err != nil {
		t.Fatal(err)
	}
	put(t, a, "empty", "")
	put(t, a, "k", "first")
	put(t, a, "k", "second")
	seal(t, 2, a)
	commit(t, s, 2)
	if got := content(t, s, "a", 1); !maps.Equal(got, map[string]string{"k": "second", "empty": ""}) {
		t.Errorf("a holds %v", got)
	}
	if got := content(t, s, "b", 1); !maps.Equal(got, map[string]string{"k": "other"}) {
		t.Errorf("b holds %v", got)
	}
	s.Close()
}

// TestRandomHistories compares the store with a map through random changes,
// commits, crashes, merges and other parallelisms.
func TestRandomHistories(t *testing.T) {
	for seed := range uint64(30) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { randomHistory(t, seed) })
	}
}

func randomHistory(t *testing.T, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 1))
	path := t.TempDir()
	committed, keys := map[string]string{}, 1+r.IntN(2000)
	epoch, merged := int64(0), false
	for range 6 { // lives
		s := open(t, path, Options{Retain: 1 + r.IntN(3)})
		parallel := 1 + r.IntN(5)
		if got := content(t, s, "op", parallel); !maps.Equal(got, committed) {
			t.Fatalf("at epoch %d: %d entries, want %d", epoch, len(got), len(committed))
		}
		var tasks []state.Backend
		for sub := range parallel {
			tasks = append(tasks, s.Backend("op", sub, parallel))
		}
		for range r.IntN(80) {
			now := maps.Clone(committed)
			for range r.IntN(50) {
				k := fmt.Sprint("key", r.IntN(keys))
				b := tasks[state.TaskOf(unit(k), parallel)]
				if r.IntN(4) == 0 {
					delete(now, k)
					if err := b.Delete(unit(k), []byte(k)); err != nil {
						t.Fatal(err)
					}
					continue
				}
				now[k] = strings.Repeat("v", r.IntN(200)) + fmt.Sprint(epoch)
				put(t, b, k, now[k])
			}
			if r.IntN(5) == 0 { // a large state part goes to a file of its own
				for _, b := range tasks {
					if err := b.(*backend).flush(); err != nil {
						t.Fatal(err)
					}
				}
			}
			if r.IntN(40) == 0 {
				break // a crash before the barrier
			}
			seal(t, epoch+1, tasks...)
			if r.IntN(40) == 0 {
				break // a crash before the commit
			}
			epoch++
			commit(t, s, epoch)
			committed = now
			if r.IntN(20) == 0 {
				s.merging.Wait()
			}
			merged = merged || s.last.Files != nil && s.last.Files[0].Full
		}
		s.Close()
		litter(t, path, r, epoch)
	}
	t.Logf("seed %d: epoch %d, %d entries, merged %v", seed, epoch, len(committed), merged)
}

// litter leaves what a crash may leave.
func litter(t *testing.T, path string, r *rand.Rand, epoch int64) {
	t.Helper()
	last, _ := os.ReadFile(filepath.Join(path, fmt.Sprintf("commit-%016d", epoch)))
	torn := last[:min(len(last), r.IntN(len(last)+1))]
	for name, b := range map[string][]byte{fmt.Sprintf("commit-%016d", epoch+1): torn, fmt.Sprintf("commit-%016d.tmp", epoch+1): last, "data-999999999999": torn, "data-999999999998.tmp": nil} {
		if len(torn) == len(last) && name == fmt.Sprintf("commit-%016d", epoch+1) {
			continue // not torn
		}
		if err := os.WriteFile(filepath.Join(path, name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestMergesManyFiles(t *testing.T) {
	path := t.TempDir()
	s := open(t, path, Options{})
	b := s.Backend("op", 0, 1)
	want := map[string]string{}
	for epoch := int64(1); epoch <= 3*maxFiles; epoch++ {
		k := fmt.Sprint("k", epoch%50)
		want[k] = fmt.Sprint(epoch)
		put(t, b, k, want[k])
		seal(t, epoch, b)
		commit(t, s, epoch)
		s.merging.Wait()
	}
	if n := len(s.last.Files); n > maxFiles+1 {
		t.Errorf("%d files in the chain", n)
	}
	if !s.last.Files[0].Full {
		t.Error("nothing was merged")
	}
	if got := content(t, s, "op", 4); !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	s.Close()
	files, _ := filepath.Glob(filepath.Join(path, "data-*"))
	if len(files) > maxFiles+2 {
		t.Errorf("%d data files are left", len(files))
	}
}

func TestRestoresAtOtherParallelism(t *testing.T) {
	path := t.TempDir()
	want := map[string]string{}
	epoch := int64(0)
	for _, parallel := range []int{1, 4, 3, 128, 1} {
		s := open(t, path, Options{})
		if got := content(t, s, "op", parallel); !maps.Equal(got, want) {
			t.Fatalf("parallelism %d: %d entries, want %d", parallel, len(got), len(want))
		}
		var tasks []state.Backend
		for sub := range parallel {
			tasks = append(tasks, s.Backend("op", sub, parallel))
		}
		for i := range 1000 {
			k := fmt.Sprint("key", i*(parallel+1)%1700)
			want[k] = fmt.Sprint(parallel, i)
			put(t, tasks[state.TaskOf(unit(k), parallel)], k, want[k])
		}
		epoch++
		seal(t, epoch, tasks...)
		commit(t, s, epoch)
		s.Close()
	}
}

func TestLargeStateIsGoneThroughInGroups(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	defer s.Close()
	b := s.Backend("op", 0, 1)
	r := rand.New(rand.NewPCG(1, 1))
	want := map[string]string{}
	value := make([]byte, 20<<10)
	for epoch := int64(1); epoch <= 4; epoch++ { // 4 files of 20 MB that do not compress: several groups, several blocks
		for i := range 1000 {
			for j := range value {
				value[j] = byte(r.Uint32())
			}
			k := fmt.Sprint(int64(i) * epoch)
			want[k] = string(value)
			put(t, b, k, string(value))
		}
		seal(t, epoch, b)
		commit(t, s, epoch)
		s.merging.Wait()
	}
	groups := 0
	c, err := openChain(s.path, s.last.Files)
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	n := 0
	err = c.each("op", 0, 1<<16-1, func(_ uint16, key, value []byte) error {
		n++
		if want[string(key)] != string(value) {
			t.Errorf("wrong value of %s", key)
		}
		return nil
	}, func() error { groups++; return nil })
	if err != nil || n != len(want) || groups < 3 {
		t.Errorf("%d entries of %d, %d groups, %v", n, len(want), groups, err)
	}
}

func TestRetainedHistory(t *testing.T) {
	path := t.TempDir()
	s := open(t, path, Options{Retain: 3})
	b := s.Backend("op", 0, 1)
	for epoch := int64(1); epoch <= 10; epoch++ {
		put(t, b, "k", fmt.Sprint(epoch))
		seal(t, epoch, b)
		commit(t, s, epoch)
	}
	infos, err := List(path) // while the store is open
	if err != nil || len(infos) != 3 || infos[0].Epoch != 8 || infos[2].Parent != 9 {
		t.Fatalf("history %+v, %v", infos, err)
	}
	for _, i := range infos {
		got := ""
		if err := Entries(path, i.Epoch, func(_ string, _ uint16, _, v []byte) error { got = string(v); return nil }); err != nil || got != fmt.Sprint(i.Epoch) {
			t.Errorf("epoch %d holds %q, %v", i.Epoch, got, err)
		}
	}
	if err := Entries(path, 3, nil); err == nil || !strings.Contains(err.Error(), "epoch 3") {
		t.Errorf("an epoch that is gone: %v", err)
	}
	s.Close()
}

func TestSavepointOfRunningJob(t *testing.T) {
	path, to := t.TempDir(), filepath.Join(t.TempDir(), "save")
	s := open(t, path, Options{Retain: 1})
	b := s.Backend("op", 0, 1)
	stop, done := make(chan bool), make(chan bool)
	put(t, b, "k", "0")
	seal(t, 1, b)
	commit(t, s, 1)
	go func() {
		defer close(done)
		for epoch := int64(2); ; epoch++ {
			select {
			case <-stop:
				return
			default:
			}
			_ = b.Put(unit("k"), []byte("k"), []byte(fmt.Sprint(epoch)))
			_ = b.Seal(epoch)
			if err := s.Commit(t.Context(), &state.Commit{Epoch: epoch}); err != nil {
				t.Error(err)
				return
			}
		}
	}()
	for i := range 20 {
		if err := Export(path, 0, fmt.Sprint(to, i)); err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	<-done
	s.Close()
	for i := range 20 {
		s := open(t, fmt.Sprint(to, i), Options{})
		if got := content(t, s, "op", 1); len(got) != 1 {
			t.Errorf("savepoint %d holds %v", i, got)
		}
		s.Close()
	}
	if err := Export(path, 0, fmt.Sprint(to, 0)); err == nil || !strings.Contains(err.Error(), "already") {
		t.Errorf("a savepoint was overwritten: %v", err)
	}
}

func TestDamageIsRefusedByName(t *testing.T) {
	make2 := func(t *testing.T) (string, string) {
		path := t.TempDir()
		s := open(t, path, Options{})
		b := s.Backend("op", 0, 1)
		put(t, b, "k", strings.Repeat("some value", 100))
		seal(t, 1, b)
		commit(t, s, 1)
		s.Close()
		return path, filepath.Join(path, s.last.Files[0].Name)
	}
	for _, c := range []struct {
		name, want string
		harm       func(path, file string) error
	}{
		{"torn data file", "damaged", func(_, f string) error { return os.Truncate(f, 40) }},
		{"missing data file", "data-", func(_, f string) error { return os.Remove(f) }},
		{"changed byte", "damaged", func(_, f string) error {
			b, err := os.ReadFile(f)
			b[len(b)/2] ^= 1
			return errors.Join(err, os.WriteFile(f, b, 0o644))
		}},
		{"other version", "another version", func(path, _ string) error {
			m, err := find(path, 0)
			m.Version = 7
			return errors.Join(err, m.write(path, Options{create: createFile}))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			path, file := make2(t)
			if err := c.harm(path, file); err != nil {
				t.Fatal(err)
			}
			s, err := Open(path, Options{})
			if err == nil {
				s.Close()
				t.Fatal("opened")
			}
			if !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) && !strings.Contains(err.Error(), filepath.Base(file)) {
				t.Errorf("error %v does not say %q and where", err, c.want)
			}
		})
	}
}

func TestOneOwner(t *testing.T) {
	path := t.TempDir()
	s := open(t, path, Options{})
	if _, err := Open(path, Options{}); !errors.Is(err, ErrLocked) {
		t.Errorf("second owner: %v", err)
	}
	s.Close()
	open(t, path, Options{}).Close()
}

// limited fails writes once a number of bytes has been written: a full disk.
type limited struct {
	file
	left *int
}

var errFull = errors.New("no space left")

func (l limited) Write(b []byte) (int, error) {
	n := min(len(b), *l.left)
	*l.left -= n
	if n, err := l.file.Write(b[:n]); err != nil {
		return n, err
	}
	if n < len(b) {
		return n, errFull
	}
	return n, nil
}

// TestFullDisk lets the disk become full at every byte of a run's writes: the
// commit that meets it fails, all later ones too, and the next life goes on from
// the last one that succeeded.
func TestFullDisk(t *testing.T) {
	for room := 1; room < 6000; room += 37 {
		path, left := t.TempDir(), room
		o := Options{NoSync: true, create: func(p string) (file, error) {
			f, err := createFile(p)
			return limited{f, &left}, err
		}}
		s, err := Open(path, o)
		if err != nil {
			t.Fatal(err)
		}
		b := s.Backend("op", 0, 1).(*backend)
		want, failed := map[string]string{}, 0
		for epoch := int64(1); epoch <= 8; epoch++ {
			now := maps.Clone(want)
			for i := range 30 {
				k := fmt.Sprint("k", i*int(epoch)%100)
				now[k] = fmt.Sprint(epoch)
				put(t, b, k, now[k])
			}
			err := func() error {
				if epoch%3 == 0 {
					if err := b.flush(); err != nil {
						return err
					}
				}
				if err := b.Seal(epoch); err != nil {
					return err
				}
				return s.Commit(t.Context(), &state.Commit{Epoch: epoch})
			}()
			switch {
			case err != nil:
				if !errors.Is(err, errFull) {
					t.Fatalf("room %d: %v", room, err)
				}
				failed++
			case failed > 0 && b.file != nil:
				t.Fatalf("room %d: a commit after a failed one", room)
			default:
				want = now
			}
			if err != nil {
				break // a task that fails ends its job
			}
		}
		s.Close()
		s = open(t, path, Options{})
		if got := content(t, s, "op", 1); !maps.Equal(got, want) {
			t.Fatalf("room %d: %d entries, want %d", room, len(got), len(want))
		}
		s.Close()
	}
}

func TestNoCommitAfterAFailedOne(t *testing.T) {
	left := 0
	s, err := Open(t.TempDir(), Options{NoSync: true, create: func(p string) (file, error) {
		f, err := createFile(p)
		return limited{f, &left}, err
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Commit(t.Context(), &state.Commit{Epoch: 1}); !errors.Is(err, errFull) {
		t.Fatal(err)
	}
	left = 1 << 20
	if err := s.Commit(t.Context(), &state.Commit{Epoch: 2}); !errors.Is(err, errFull) {
		t.Errorf("a later commit gave %v", err)
	}
}

func TestByUnitKeepsTheOrderOfAKey(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	var rs []byte
	perUnit := map[uint16][]string{}
	for i := range 5000 {
		u := uint16(r.IntN(200))
		v := fmt.Sprint(i)
		rs = appendRecord(rs, u, []byte("k"), []byte(v), false)
		perUnit[u] = append(perUnit[u], v)
	}
	out, err := byUnit(rs)
	if err != nil {
		t.Fatal(err)
	}
	last := uint16(0)
	got := map[uint16][]string{}
	for len(out) > 0 {
		u, _, v, _, rest, err := record(out)
		if err != nil || u < last {
			t.Fatal(u, last, err)
		}
		last, out = u, rest
		got[u] = append(got[u], string(v))
	}
	for u, vs := range perUnit {
		if !slices.Equal(vs, got[u]) {
			t.Errorf("unit %d: %v, want %v", u, got[u], vs)
		}
	}
}

func FuzzRecord(f *testing.F) {
	f.Add(appendRecord(appendRecord(nil, 3, []byte("key"), []byte("value"), false), 9, nil, nil, true))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		var again []byte
		whole := true
		for rest := b; len(rest) > 0; {
			u, k, v, del, next, err := record(rest)
			if err != nil {
				whole = false
				break
			}
			again = appendRecord(again, u, k, v, del)
			rest = next
		}
		if _, err := byUnit(b); whole != (err == nil) {
			t.Errorf("byUnit: %v", err)
		}
		if len(again) > len(b) {
			t.Error("records grew")
		}
	})
}

func FuzzFile(f *testing.F) {
	dir := f.TempDir()
	s, err := Open(dir, Options{NoSync: true})
	if err != nil {
		f.Fatal(err)
	}
	b := s.Backend("op", 0, 1)
	for i := range 200 {
		_ = b.Put(uint16(i%state.Units), fmt.Append(nil, i), []byte("value"))
	}
	_ = b.Seal(1)
	_ = s.Commit(f.Context(), &state.Commit{Epoch: 1})
	body, err := os.ReadFile(filepath.Join(dir, s.last.Files[0].Name))
	s.Close()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(body)
	f.Add(body[:len(body)/2])
	f.Fuzz(func(t *testing.T, body []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "data-1"), body, 0o644); err != nil {
			t.Fatal(err)
		}
		c, err := openChain(dir, []fileRef{{Name: "data-1"}})
		if err != nil {
			return
		}
		defer c.close()
		for _, op := range c.operators() {
			_ = c.each(op, 0, 1<<16-1, func(uint16, []byte, []byte) error { return nil }, nil)
		}
	})
}

func FuzzManifest(f *testing.F) {
	dir := f.TempDir()
	m := newManifest(&state.Commit{Epoch: 3, Positions: map[string]string{"a/b": "\xff"}, Tokens: map[string][]byte{"s/0": {1}}})
	if err := m.write(dir, Options{NoSync: true, create: createFile}); err != nil {
		f.Fatal(err)
	}
	body, err := os.ReadFile(filepath.Join(dir, m.file))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(body)
	f.Fuzz(func(t *testing.T, body []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "commit-0000000000000001"), body, 0o644); err != nil {
			t.Fatal(err)
		}
		if s, err := Open(dir, Options{NoSync: true}); err == nil {
			_, _ = s.Last(t.Context())
			s.Close()
		}
	})
}
