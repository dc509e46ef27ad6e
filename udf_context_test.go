package runnel_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/runnelio/runnel"
)

// eventFile is an environment on a folder with a file of three rows.
func eventFile(t *testing.T) *runnel.Env {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "in.jsonl"), []byte("{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return newEnv(t, runnel.Dir(dir))
}

const eventColumns = "n INT, name STRING METADATA FROM 'file.name', size BIGINT METADATA FROM 'file.size'"

// A function with a context knows where each row was read, also behind filters
// and where only some of the rows reach it.
func TestFunctionsAskForTheRowsOrigin(t *testing.T) {
	t.Parallel()
	e := eventFile(t)
	if err := e.RegisterScalar("origin", func(cx *runnel.FuncContext, n int64) string {
		_, header := cx.Header("x")
		return fmt.Sprintf("%d %s %s %v %v", n, filepath.Base(cx.Split()), strings.TrimLeft(cx.Position(), "0"), cx.Metadata("file.name"), header)
	}); err != nil {
		t.Fatal(err)
	}
	for _, batch := range []int{1, 2, 1024} {
		d := e.Job("test").With(runnel.BatchSize(batch)).FromFile("in.jsonl", runnel.Columns(eventColumns))
		// The query reads none of the METADATA columns.
		equal(t, rows(t, d.Filter("n <> 2").Select("origin(n) AS o")), "+I[1 in.jsonl 8 in.jsonl false]", "+I[3 in.jsonl 24 in.jsonl false]")
	}
	// In a condition, in a branch of a CASE, and behind a window's columns.
	d := e.Job("test").FromFile("in.jsonl", runnel.Columns(eventColumns))
	equal(t, rows(t, d.Filter("origin(n) LIKE '% 16 %'").Select("n")), "+I[2]")
	d = e.Job("test").FromFile("in.jsonl", runnel.Columns(eventColumns))
	equal(t, rows(t, d.Select("CASE WHEN n > 1 THEN origin(n) ELSE '-' END AS o")), "+I[-]", "+I[2 in.jsonl 16 in.jsonl false]", "+I[3 in.jsonl 24 in.jsonl false]")
	d = e.Job("test").FromFile("in.jsonl", runnel.Columns(eventColumns+", ts AS TO_TIMESTAMP(FROM_UNIXTIME(n)), WATERMARK FOR ts AS ts"))
	got := rows(t, d.Query("SELECT origin(n) AS o FROM TABLE(TUMBLE(TABLE self, DESCRIPTOR(ts), INTERVAL '1' SECOND)) WHERE n = 3"))
	equal(t, got, "+I[3 in.jsonl 24 in.jsonl false]")
	// Rows that are no rows of a source any more have no origin.
	d = e.Job("test").With(runnel.Bounded()).FromFile("in.jsonl", runnel.Columns(eventColumns))
	equal(t, rows(t, d.GroupBy("n").Aggregate("COUNT(*) AS c").Filter("n = 1").Select("origin(c) AS o")), "+I[1 .  <nil> false]")
	// Nor have values; they have a split.
	got = rows(t, runnel.From[int64](e.Job("test"), runnel.Values[int64](7)).Data().Select("origin(`value`) AS o"))
	if len(got) != 1 || !strings.HasSuffix(got[0], "  <nil> false]") {
		t.Error(got)
	}
}

// A Row knows its origin while the function runs that was given it.
func TestRowsKnowTheirOrigin(t *testing.T) {
	t.Parallel()
	e := eventFile(t)
	var kept runnel.Row
	var seen []string
	j := e.Job("test")
	j.FromFile("in.jsonl", runnel.Columns(eventColumns)).Filter("n > 1").ForEach(func(r runnel.Row) {
		seen = append(seen, fmt.Sprintf("%v %s %s %v %v", r.Get("n"), filepath.Base(r.Split()), strings.TrimLeft(r.Position(), "0"), r.Metadata("file.size"), r.Metadata("no.such")))
		kept = r
		if s := r.Set("n", int32(5)); s.Split() != "" {
			t.Error("a row that was made has a split")
		}
	}).To(discard())
	if err := j.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if want := []string{"2 in.jsonl 16 24 <nil>", "3 in.jsonl 24 24 <nil>"}; !slices.Equal(seen, want) {
		t.Errorf("%q", seen)
	}
	if kept.Split() != "" || kept.Position() != "" || kept.Metadata("file.size") != nil {
		t.Error("a row that was kept tells of a batch that is gone")
	}
	if _, ok := kept.Header("x"); ok {
		t.Error("a header")
	}
	if (runnel.Row{}).Split() != "" {
		t.Error("the zero row has a split")
	}
}
