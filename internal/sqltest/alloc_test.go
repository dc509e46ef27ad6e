package sqltest

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/runnelio/runnel/internal/compile"
	"github.com/runnelio/runnel/internal/sql"
)

// TestStatelessChainAllocatesNothing runs a whole job, from a file of JSON lines
// through a filter and expressions to a sink, over a short and a long input: the
// batches that the long one has more cost nothing.
func TestStatelessChainAllocatesNothing(t *testing.T) {
	dir := t.TempDir()
	const batch = 1024
	few, many := 20*batch, 220*batch
	for _, n := range []int{few, many} {
		f, err := os.Create(filepath.Join(dir, fmt.Sprintf("%d.jsonl", n)))
		if err != nil {
			t.Fatal(err)
		}
		w := bufio.NewWriter(f)
		for i := range n {
			fmt.Fprintf(w, `{"id":%d,"host":"h%d","more":{"x":[1,2]},"text":"some text %d"}`+"\n", i, i%100, i)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	for _, query := range []string{
		"SELECT id, host, text FROM events",
		"SELECT id + 1, host || '-' || text, text LIKE '%7' FROM events WHERE host <> 'h7' AND id > 10",
		"SELECT UPPER(host), CAST(id AS STRING), SUBSTRING(text, 1, 4), CASE WHEN id > 5 THEN 'a' ELSE host END FROM events WHERE text LIKE 'some%' OR id IN (1, 2, 3)",
	} {
		allocations := func(n int) float64 {
			s, err := Session(nil)
			if err != nil {
				t.Fatal(err)
			}
			script := fmt.Sprintf(`
CREATE TABLE events (id BIGINT, host STRING, text STRING) WITH ('connector' = 'filesystem', 'path' = '%s', 'format' = 'json');
CREATE VIEW v AS %s;
CREATE TABLE gone WITH ('connector' = 'blackhole') AS SELECT * FROM v;`, filepath.Join(dir, fmt.Sprintf("%d.jsonl", n)), query)
			stmts, err := sql.Parse(script, sql.Options{})
			if err != nil {
				t.Fatal(err)
			}
			var job *compile.Job
			for _, st := range stmts {
				r, err := s.Execute(context.Background(), st, nil)
				if err != nil {
					t.Fatal(err)
				}
				job = r.Job
			}
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			if err := RunJob(context.Background(), job); err != nil {
				t.Fatal(err)
			}
			runtime.ReadMemStats(&after)
			return float64(after.Mallocs - before.Mallocs)
		}
		allocations(few)
		best := 1e9
		for range 3 { // the runtime itself allocates now and then
			best = min(best, (allocations(many)-allocations(few))/float64((many-few)/batch))
		}
		t.Logf("%.2f allocations a batch: %s", best, query)
		if best > 0.05 { // of 200 batches: what the runtime itself does now and then
			t.Errorf("a batch costs %.2f allocations: %s", best, query)
		}
	}
}
