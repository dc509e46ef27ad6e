package file

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

func openSink(t testing.TB, cx *connector.Context, table *connector.Table) *sink {
	t.Helper()
	s, err := Connector.Sink(cx, table)
	if err != nil {
		t.Fatal(err)
	}
	return s.(*sink)
}

func rowsOf(table *connector.Table, rows ...[]types.Value) *vector.Batch {
	b := vector.NewBatch(table.Schema, len(rows))
	for _, r := range rows {
		b.AppendValues(types.Insert, r...)
	}
	return b
}

func ints(table *connector.Table, from, to int) *vector.Batch {
	var rows [][]types.Value
	for i := from; i < to; i++ {
		rows = append(rows, []types.Value{int32(i)})
	}
	return rowsOf(table, rows...)
}

// visible returns the lines of the files a source would read, by folder, sorted.
func visible(t testing.TB, dir string) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || hidden(d.Name()) {
			return err
		}
		s := openSource(t, "", testTable(t, map[string]string{"path": p}))
		got, _, err := readAll(t, s, connector.Split{ID: p}, "")
		if err != nil {
			t.Fatal(err)
		}
		rel, _ := filepath.Rel(dir, filepath.Dir(p))
		out[rel] = append(out[rel], texts(got)...)
		slices.Sort(out[rel])
		return nil
	})
	return out
}

func names(t testing.TB, dir string) (shown, hid []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if hidden(e.Name()) {
			hid = append(hid, e.Name())
		} else {
			shown = append(shown, e.Name())
		}
	}
	return shown, hid
}

func TestSinkAppearsAtClose(t *testing.T) {
	t.Parallel()
	for _, c := range []string{"none", "gzip", "zstd"} {
		dir := t.TempDir()
		table := testTable(t, map[string]string{"path": "out", "compression": c})
		s := openSink(t, testContext(dir), table)
		if err := s.Write(t.Context(), ints(table, 0, 3)); err != nil {
			t.Fatal(err)
		}
		if v := visible(t, filepath.Join(dir, "out")); len(v) != 0 {
			t.Fatalf("%s: visible too early: %v", c, v)
		}
		if err := s.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if v := visible(t, filepath.Join(dir, "out")); !reflect.DeepEqual(v, map[string][]string{".": {`{"a":0}`, `{"a":1}`, `{"a":2}`}}) {
			t.Fatalf("%s: %v", c, v)
		}
		if _, hid := names(t, filepath.Join(dir, "out")); len(hid) != 0 {
			t.Fatalf("%s: left over: %v", c, hid)
		}
	}
}

func TestSinkAbortedLeavesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	table := testTable(t, map[string]string{"path": "out", "sink.rolling-policy.file-size": "10"})
	s := openSink(t, testContext(dir), table)
	s.Write(t.Context(), ints(table, 0, 3))
	s.Write(t.Context(), ints(table, 3, 6))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if shown, hid := names(t, filepath.Join(dir, "out")); len(shown)+len(hid) != 0 {
		t.Fatal(shown, hid)
	}
}

func TestSinkTwoPhaseCommit(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	table := testTable(t, map[string]string{"path": "out", "sink.partition-commit.policy.kind": "success-file"})
	s := openSink(t, testContext(dir), table)
	s.Write(t.Context(), ints(table, 0, 2))
	first, err := s.Prepare(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	s.Write(t.Context(), ints(table, 2, 4))
	second, err := s.Prepare(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	if v := visible(t, out); len(v) != 0 {
		t.Fatalf("prepared is not committed, but visible: %v", v)
	}
	// Another sink, as after a restart, commits, twice.
	again := openSink(t, testContext(dir), table)
	for range 2 {
		if err := again.Commit(t.Context(), first); err != nil {
			t.Fatal(err)
		}
	}
	want := map[string][]string{".": {`{"a":0}`, `{"a":1}`}}
	if v := visible(t, out); !reflect.DeepEqual(v, want) {
		t.Fatal(v)
	}
	if err := again.Abort(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	if err := again.Commit(t.Context(), second); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("commit of what was aborted: %v", err)
	}
	if err := again.Commit(t.Context(), []byte("{")); err == nil {
		t.Fatal("a broken token passes")
	}
	s.Close(t.Context())
	again.Close(t.Context())
	if v := visible(t, out); !reflect.DeepEqual(v, want) {
		t.Fatal(v)
	}
	if _, err := os.Stat(filepath.Join(out, "_SUCCESS")); err != nil {
		t.Error(err)
	}
}

func TestSinkRolls(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	now := time.Unix(0, 0)
	cx := testContext(dir)
	cx.Now = func() time.Time { return now }
	table := testTable(t, map[string]string{"path": "out", "sink.rolling-policy.file-size": "20", "sink.rolling-policy.rollover-interval": "10 min"})
	s := openSink(t, cx, table)
	for i := range 3 {
		s.Write(t.Context(), ints(table, 3*i, 3*i+3)) // 24 bytes: one file each
	}
	s.Write(t.Context(), ints(table, 9, 10))
	now = now.Add(11 * time.Minute)
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.Write(t.Context(), ints(table, 10, 11))
	s.Close(t.Context())
	if shown, _ := names(t, filepath.Join(dir, "out")); len(shown) != 5 {
		t.Fatalf("%q, want 5 files", shown)
	}
	if v := visible(t, filepath.Join(dir, "out")); len(v["."]) != 11 {
		t.Fatal(v)
	}
}

func TestSinkPartitions(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	table := testTable(t, map[string]string{"path": "out"})
	table.Schema = types.NewSchema(types.Field{Name: "k", Type: types.String()}, types.Field{Name: "a", Type: types.Of(types.Int)}, types.Field{Name: "d", Type: types.Of(types.Date)})
	table.Partitions = []string{"d", "k"}
	s := openSink(t, testContext(dir), table)
	day, _ := types.ParseDate("2024-01-02")
	if err := s.Write(t.Context(), rowsOf(table, []types.Value{"x/y=z", int32(1), day}, []types.Value{nil, int32(2), day}, []types.Value{"x/y=z", int32(3), day}, []types.Value{"..", int32(4), nil})); err != nil {
		t.Fatal(err)
	}
	s.Close(t.Context())
	got := visible(t, filepath.Join(dir, "out"))
	want := map[string][]string{
		"d=2024-01-02/k=x%2Fy%3Dz": {`{"a":1}`, `{"a":3}`}, "d=2024-01-02/k=__DEFAULT_PARTITION__": {`{"a":2}`},
		"d=__DEFAULT_PARTITION__/k=%2E.": {`{"a":4}`},
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatal(got)
	}
	// And a source reads them back.
	splits, err := openSource(t, dir, table).Splits(t.Context())
	if err != nil || len(splits) != 3 || !reflect.DeepEqual(splits[1].Values, []types.Value{day, "x/y=z"}) {
		t.Fatal(splits, err)
	}
}

func TestSinkManyPartitions(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	table := testTable(t, map[string]string{"path": "out"})
	table.Schema = types.NewSchema(types.Field{Name: "k", Type: types.Of(types.Int)}, types.Field{Name: "a", Type: types.Of(types.Int)})
	table.Partitions = []string{"k"}
	s := openSink(t, testContext(dir), table)
	for round := range 2 {
		var rows [][]types.Value
		for i := range 600 {
			rows = append(rows, []types.Value{int32(i), int32(round)})
		}
		for part := range slices.Chunk(rows, 100) {
			if err := s.Write(t.Context(), rowsOf(table, part...)); err != nil {
				t.Fatal(err)
			}
			if len(s.open) > maxOpen {
				t.Fatalf("%d files are open", len(s.open))
			}
		}
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if v := visible(t, filepath.Join(dir, "out")); len(v) != 600 || len(v["k=7"]) != 2 {
		t.Fatal(len(v), v["k=7"])
	}
}

func TestSinkFullDiskIsSaid(t *testing.T) {
	t.Parallel()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("this system has no /dev/full")
	}
	dir := t.TempDir()
	table := testTable(t, map[string]string{"path": "out"})
	s := openSink(t, testContext(dir), table)
	s.Write(t.Context(), ints(table, 0, 1))
	for _, p := range s.open {
		p.f.Close()
		p.f = full
		p.buf.Reset(full)
	}
	err = s.Write(t.Context(), ints(table, 0, 20000))
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "disk is full") {
		t.Fatal(err)
	}
	if err := s.Write(t.Context(), ints(table, 0, 1)); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("the next write: %v", err)
	}
	if err := s.Close(t.Context()); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("close: %v", err)
	}
	if v := visible(t, filepath.Join(dir, "out")); len(v) != 0 {
		t.Fatal(v)
	}
}

func TestSinkRefusals(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := Connector.Sink(testContext(dir), testTable(t, map[string]string{"path": "out", "compression": "xz"})); err == nil {
		t.Error("xz: want an error")
	}
	write(t, filepath.Join(dir, "file"), nil)
	if _, err := Connector.Sink(testContext(dir), testTable(t, map[string]string{"path": "file"})); err == nil {
		t.Error("the path is a file: want an error")
	}
}
