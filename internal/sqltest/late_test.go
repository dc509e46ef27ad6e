package sqltest

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/runnelio/runnel/internal/sql"
)

// lateInput writes rows of which some come behind the watermark, which is two
// seconds behind the latest row.
func lateInput(t *testing.T, dir string) {
	t.Helper()
	var b strings.Builder
	for i := range 400 {
		second := 60 + i/2
		if i%7 == 3 {
			second -= 25
		}
		fmt.Fprintf(&b, `{"id": %d, "k": "k%d", "v": %d, "ts": "2024-01-01 00:%02d:%02d.%03d"}`+"\n", i, i%5, i%11, 10+second/60, second%60, i%2*500)
	}
	if err := os.WriteFile(filepath.Join(dir, "in.jsonl"), []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

const lateTables = `
	CREATE TABLE t (id INT, k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '2' SECOND)
		WITH ('connector' = 'filesystem', 'path' = '${dir}/in.jsonl', 'format' = 'json', 'scan.parallelism' = '1'${with});
	CREATE TABLE u (id INT, k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '2' SECOND)
		WITH ('connector' = 'filesystem', 'path' = '${dir}/in.jsonl', 'format' = 'json', 'scan.parallelism' = '1');
	CREATE TABLE late (id INT, k STRING, late_operator STRING, late_window_end TIMESTAMP(3))
		WITH ('connector' = 'filesystem', 'path' = '${dir}/late', 'format' = 'json');`

// lateQueries drop late rows, each by another operator.
var lateQueries = []struct{ name, query, operator string }{
	{"tumble", "SELECT k, window_start, COUNT(*) FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY k, window_start, window_end", "WindowAggregate-1"},
	{"hop", "SELECT window_start, SUM(v) FROM TABLE(HOP(TABLE t, DESCRIPTOR(ts), INTERVAL '5' SECOND, INTERVAL '15' SECOND)) GROUP BY window_start, window_end", "WindowAggregate-1"},
	{"cumulate", "SELECT k, window_end, SUM(v) FROM TABLE(CUMULATE(TABLE t, DESCRIPTOR(ts), INTERVAL '5' SECOND, INTERVAL '10' SECOND)) GROUP BY k, window_start, window_end", "WindowAggregate-1"},
	{"session", "SELECT k, window_start, COUNT(*) FROM TABLE(SESSION(TABLE t PARTITION BY k, DESCRIPTOR(ts), INTERVAL '1' SECOND)) GROUP BY k, window_start, window_end", "WindowAggregate-1"},
	{"session rows", "SELECT k, v, window_start FROM TABLE(SESSION(TABLE t PARTITION BY k, DESCRIPTOR(ts), INTERVAL '1' SECOND))", "WindowTableFunction-1"},
	{"legacy tumble", "SELECT k, TUMBLE_START(ts, INTERVAL '10' SECOND), COUNT(*) FROM t GROUP BY k, TUMBLE(ts, INTERVAL '10' SECOND)", "WindowAggregate-1"},
	{"legacy hop", "SELECT HOP_START(ts, INTERVAL '5' SECOND, INTERVAL '10' SECOND), COUNT(*) FROM t GROUP BY HOP(ts, INTERVAL '5' SECOND, INTERVAL '10' SECOND)", "WindowAggregate-1"},
	{"legacy session", "SELECT k, SESSION_START(ts, INTERVAL '1' SECOND), COUNT(*) FROM t GROUP BY k, SESSION(ts, INTERVAL '1' SECOND)", "WindowAggregate-1"},
	{"grouping sets", "SELECT window_start, v, COUNT(*) FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end, GROUPING SETS ((v), ())", ""},
	{"over", "SELECT v, SUM(v) OVER (PARTITION BY k ORDER BY ts ROWS BETWEEN 3 PRECEDING AND CURRENT ROW) FROM t", "OverAggregate-1"},
	{"window top", "SELECT window_start, v FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start, window_end, k ORDER BY v, ts) AS rn FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND))) WHERE rn <= 2", "WindowRank-1"},
	{"window dedup", "SELECT window_start, v FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start, window_end, k ORDER BY ts DESC) AS rn FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND))) WHERE rn = 1", "WindowRank-1"},
	{"match", "SELECT * FROM t MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES LAST(b.v) AS v ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW PATTERN (a b) DEFINE b AS b.v > 5)", "Match-1"},
	{"sort", "SELECT id, k, ts FROM t ORDER BY ts", "Rank-1"},
}

// TestLateRows writes the rows that come too late to a table. They are the same
// in one task and in four, and in a job that is killed after its commits.
func TestLateRows(t *testing.T) {
	for _, q := range lateQueries {
		t.Run(q.name, func(t *testing.T) {
			want := runLate(t, q.query, "1", "", "SET 'late-rows.sink' = 'late';", false)
			if len(want) < 10 {
				t.Fatalf("%d late rows: %s", len(want), want)
			}
			if q.operator != "" && !strings.Contains(want[0], q.operator) {
				t.Errorf("not of %s: %s", q.operator, want[0])
			}
			for _, w := range []struct {
				parallel, with, set string
				restarted           bool
			}{
				{"4", "", "SET 'late-rows.sink' = 'late';", false},
				{"1", ", 'late-rows.sink' = 'late'", "", false},
				{"1", "", "SET 'late-rows.sink' = 'late';", true},
				{"3", "", "SET 'late-rows.sink' = 'late';", true},
			} {
				if got := runLate(t, q.query, w.parallel, w.with, w.set, w.restarted); !slices.Equal(got, want) {
					t.Errorf("%+v: %d rows, want %d", w, len(got), len(want))
				}
			}
		})
	}
}

// runLate runs a query and returns the late rows.
func runLate(t *testing.T, query, parallel, with, set string, kill bool) []string {
	t.Helper()
	dir := t.TempDir()
	lateInput(t, dir)
	settings := exactly("16")
	settings["parallelism.default"] = parallel
	s, err := Session(settings)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Run(t.Context(), s, set+Expand(lateTables, map[string]string{"dir": dir, "with": with})); err != nil {
		t.Fatal(err)
	}
	stmts, err := sql.Parse(query, sql.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c := &txCollector{seen: map[string]bool{}}
	r, err := s.Execute(t.Context(), stmts[0], c)
	if err != nil {
		t.Fatal(err)
	}
	if kill {
		_, err = restarted(t.Context(), r.Job, c)
	} else {
		err = RunJob(t.Context(), r.Job)
	}
	if err != nil {
		t.Fatal(err)
	}
	rows, err := ReadSink(filepath.Join(dir, "late"))
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// TestLateRowsOfJoins has two inputs whose late rows go to one table.
func TestLateRowsOfJoins(t *testing.T) {
	for _, f := range []struct{ name, query string }{
		{"interval", "SELECT t.id, u.id FROM t JOIN u ON t.k = u.k AND t.id = u.id + 1000 AND u.ts BETWEEN t.ts - INTERVAL '3' SECOND AND t.ts + INTERVAL '3' SECOND"},
		{"window", `SELECT a.v FROM (SELECT * FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND))) a
			JOIN (SELECT * FROM TABLE(TUMBLE(TABLE u, DESCRIPTOR(ts), INTERVAL '10' SECOND))) b ON a.v = b.v AND a.window_start = b.window_start AND a.window_end = b.window_end`},
	} {
		rows := runLate(t, f.query, "2", "", "SET 'late-rows.sink' = 'late';", false)
		if len(rows) == 0 {
			t.Errorf("%s: no late rows", f.name)
		}
	}
}

// TestLateRowsRefused has sinks that cannot take the rows.
func TestLateRowsRefused(t *testing.T) {
	dir := t.TempDir()
	lateInput(t, dir)
	query := lateQueries[0].query
	f := func(script, want string) {
		t.Helper()
		s, err := Session(nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = Run(t.Context(), s, Expand(lateTables, map[string]string{"dir": dir, "with": ""})+script+query)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", script, err, want)
		}
	}
	f("SET 'late-rows.sink' = 'nowhere';", "no table or view nowhere")
	f("CREATE VIEW w AS SELECT * FROM t; SET 'late-rows.sink' = 'w';", "names a view")
	f("CREATE TABLE s (ids INT) WITH ('connector' = 'print'); SET 'late-rows.sink' = 's';", "has a column ids")
	f("CREATE TABLE s (k INT) WITH ('connector' = 'print'); SET 'late-rows.sink' = 's';", "column k of s is INT")
	f("CREATE TABLE s (k STRING) WITH ('connector' = 'datagen'); SET 'late-rows.sink' = 's';", "has no sink")
}
