package sqltest

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/runnelio/runnel/internal/state"
)

// TestFlushAtEnd ends inputs while windows by the clock are open: their rows are
// dropped and counted, or with window.flush-at-end come out. No window is over
// before: the input is short and the windows are long.
func TestFlushAtEnd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "in.jsonl")
	var b strings.Builder
	for i := range 30 {
		fmt.Fprintf(&b, `{"id": %d, "k": "k%d"}`+"\n", i, i%3)
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	const day = "INTERVAL '300' DAY"
	tumble := "TABLE(TUMBLE(TABLE t, DESCRIPTOR(p), " + day + "))"
	session := "TABLE(SESSION(TABLE t PARTITION BY k, DESCRIPTOR(p), " + day + "))"
	for _, q := range []struct {
		name, query string
		rows        int
	}{
		{"aggregate", "SELECT k, COUNT(*) FROM " + tumble + " GROUP BY k, window_start, window_end", 3},
		{"session", "SELECT k, COUNT(*) FROM " + session + " GROUP BY k, window_start, window_end", 3},
		{"session rows", "SELECT id FROM " + session, 30},
		{"legacy tumble", "SELECT k, COUNT(*) FROM t GROUP BY k, TUMBLE(p, " + day + ")", 3},
		{"legacy hop", "SELECT k, COUNT(*) FROM t GROUP BY k, HOP(p, " + day + ", " + day + ")", 3},
		{"legacy session", "SELECT k, COUNT(*) FROM t GROUP BY k, SESSION(p, " + day + ")", 3},
		{"top", "SELECT id FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start, window_end, k ORDER BY id DESC) AS rn FROM " + tumble + ") WHERE rn <= 2", 6},
		{"top of aggregate", "SELECT k, n FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start, window_end ORDER BY k) AS rn FROM (SELECT k, window_start, window_end, COUNT(*) AS n FROM " + tumble + " GROUP BY k, window_start, window_end)) WHERE rn <= 2", 2},
		{"join", "SELECT a.id FROM (SELECT * FROM " + tumble + ") a JOIN (SELECT * FROM " + tumble + ") b ON a.id = b.id AND a.window_start = b.window_start AND a.window_end = b.window_end", 30},
		{"cascade", "SELECT window_start, SUM(n) FROM (SELECT k, window_start, window_end, COUNT(*) AS n FROM " + tumble + " GROUP BY k, window_start, window_end) GROUP BY window_start, window_end", 1},
		{"interval", "SELECT a.id FROM t a LEFT JOIN t b ON a.k = b.k AND a.id = b.id + 1000 AND a.p BETWEEN b.p - " + day + " AND b.p + " + day, 30},
	} {
		for _, flush := range []string{"false", "true"} {
			for _, parallel := range []string{"1", "3"} {
				s, err := Session(map[string]string{"window.flush-at-end": flush, "parallelism.default": parallel})
				if err != nil {
					t.Fatal(err)
				}
				out, err := Run(t.Context(), s, "CREATE TABLE t (id INT, k STRING, p AS PROCTIME()) WITH ('connector' = 'filesystem', 'path' = '"+path+"', 'format' = 'json');"+q.query)
				if err != nil {
					t.Errorf("%s: %v", q.name, err)
					continue
				}
				want := 0
				if flush == "true" {
					want = q.rows
				}
				if n := len(out.Changes); n != want {
					t.Errorf("%s, flush %s, parallelism %s: %d rows, want %d: %v", q.name, flush, parallel, n, want, out.Changes)
				}
			}
		}
	}
}

// TestMaxParallelism takes the number of key groups there are.
func TestMaxParallelism(t *testing.T) {
	for value, ok := range map[string]bool{strconv.Itoa(state.Units): true, "-1": true, "64": false, "256": false, "x": false} {
		if _, err := Session(map[string]string{"pipeline.max-parallelism": value}); (err == nil) != ok {
			t.Errorf("%s: %v", value, err)
		}
	}
}
