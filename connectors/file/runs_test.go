package file

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// left returns the hidden files below dir, run files as "lock".
func left(t *testing.T, dir string) (parts, locks int) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case strings.HasSuffix(d.Name(), ".inprogress"):
			parts++
		case strings.HasSuffix(d.Name(), ".lock"):
			locks++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return parts, locks
}

// kill lets go of what a dead process would: its files stay, its locks go.
func kill(s *sink) {
	for _, p := range s.open {
		p.buf.Flush()
		p.f.Close()
	}
	s.lock.Close()
}

// TestSinkRemovesWhatDeadRunsLeft has runs die before and behind commits.
func TestSinkRemovesWhatDeadRunsLeft(t *testing.T) {
	dir := t.TempDir()
	begin := func() *sink {
		t.Helper()
		return startRun(t, dir)
	}
	other := begin() // another job, which lives
	put(t, other, 1)
	a := begin()
	put(t, a, 1)
	token, err := a.Prepare(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	put(t, a, 2) // never committed
	kill(a)
	if parts, locks := left(t, dir); parts != 3 || locks != 2 {
		t.Fatalf("%d hidden files, %d locks", parts, locks)
	}

	b := begin() // goes on from the commit, and dies before one of its own
	if err := b.Commit(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	if parts, locks := left(t, dir); parts != 1 || locks != 1 {
		t.Errorf("behind the first restart: %d hidden files, %d locks", parts, locks)
	}
	put(t, b, 2)
	kill(b)

	c := begin() // the same again
	if err := c.Commit(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	if parts, locks := left(t, dir); parts != 1 || locks != 1 {
		t.Errorf("behind the second restart: %d hidden files, %d locks", parts, locks)
	}
	put(t, c, 2)
	next, err := c.Prepare(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	put(t, c, 3)
	kill(c)

	// Somebody goes on from the old commit: what is part of the newer one stays.
	d := begin()
	if err := d.Commit(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	if parts, _ := left(t, dir); parts != 3 {
		t.Errorf("%d hidden files behind a restart from an old commit", parts)
	}
	e := begin()
	if err := e.Commit(t.Context(), next); err != nil {
		t.Fatal(err)
	}
	put(t, e, 3)
	if err := e.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if parts, locks := left(t, dir); parts != 1 || locks != 1 {
		t.Errorf("at the end: %d hidden files, %d locks", parts, locks)
	}
	if err := other.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if parts, locks := left(t, dir); parts != 0 || locks != 0 {
		t.Errorf("at the very end: %d hidden files, %d locks", parts, locks)
	}
	files, _ := filepath.Glob(filepath.Join(dir, "part-*"))
	if len(files) != 4 {
		t.Errorf("%d files: %s", len(files), files)
	}
}

// TestOldTokens reads tokens of before runs had names in them.
func TestOldTokens(t *testing.T) {
	got, err := parseToken([]byte(`[{"hidden":"a","final":"b"}]`))
	if err != nil || got.Run != "" || len(got.Files) != 1 || got.Files[0].Final != "b" {
		t.Errorf("%+v: %v", got, err)
	}
}

func startRun(t *testing.T, dir string) *sink {
	t.Helper()
	return openSink(t, testContext(dir), testTable(t, map[string]string{"path": dir}))
}

// put writes one row.
func put(t *testing.T, s *sink, n int) {
	t.Helper()
	if err := s.Write(t.Context(), ints(testTable(t, map[string]string{"path": s.dir}), n, n+1)); err != nil {
		t.Fatal(err)
	}
}
