package compile_test

import (
	"strings"
	"testing"

	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/sql"
)

// TestAligned: which queries run apart for each split, and why others do not.
func TestAligned(t *testing.T) {
	const tables = `
SET 'parallelism.default' = '4';
CREATE TABLE s (k STRING, j BIGINT, v BIGINT, a ARRAY<BIGINT>, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH
 ('connector' = 'kafka', 'topic' = 't', 'properties.bootstrap.servers' = 'x:1', 'properties.group.id' = 'g', 'format' = 'json', 'scan.split-key' = 'k');
CREATE TABLE two (k STRING, j BIGINT, v BIGINT) WITH
 ('connector' = 'kafka', 'topic' = 't', 'properties.bootstrap.servers' = 'x:1', 'properties.group.id' = 'g', 'format' = 'json', 'scan.split-key' = 'k; j');
CREATE TABLE o (x STRING, y BIGINT) WITH ('connector' = 'blackhole');
`
	for _, c := range []struct{ query, why string }{
		{"SELECT k, v FROM s WHERE v > 1", ""},
		{"SELECT 'x', v FROM s", ""},
		{"SELECT k, COUNT(*) FROM s GROUP BY k", ""},
		{"SELECT k, SUM(v) FROM s GROUP BY j, k", ""},
		{"SELECT r, n FROM (SELECT r, COUNT(*) AS n FROM (SELECT k AS r, v + 1 AS w FROM s WHERE v > 3) GROUP BY r, w)", ""},
		{"SELECT k, COUNT(*) FROM TABLE(TUMBLE(TABLE s, DESCRIPTOR(ts), INTERVAL '1' SECOND)) GROUP BY k, window_start, window_end", ""},
		{"SELECT k, COUNT(*) FROM TABLE(SESSION(TABLE s PARTITION BY k, DESCRIPTOR(ts), INTERVAL '1' SECOND)) GROUP BY k, window_start, window_end", ""},
		{"SELECT k, v FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY k ORDER BY ts) AS n FROM s) WHERE n <= 3", ""},
		{"SELECT k, SUM(v) OVER (PARTITION BY k, j ORDER BY ts) FROM s", ""},
		{"SELECT k, MAX(n) FROM (SELECT k, j, COUNT(*) AS n FROM s GROUP BY k, j) GROUP BY k", ""},
		{"SELECT k, COUNT(*) FROM s CROSS JOIN UNNEST(a) AS u(e) GROUP BY k, e", ""},
		{"SELECT DISTINCT k, v FROM s", ""},
		{"SELECT k, COUNT(*) FROM s GROUP BY GROUPING SETS ((k, j), (k))", ""},
		{"SELECT k, SUM(v) FROM two GROUP BY k, j", ""},
		{"SELECT k, v FROM (SELECT k, v FROM s WHERE v > 1 UNION ALL SELECT k, j FROM s WHERE j > 1)", ""},
		{"SELECT k, SUM(v) FROM two GROUP BY k", "not keyed by j"},
		{"SELECT k, COUNT(*) FROM s GROUP BY GROUPING SETS ((k, j), (j))", "not keyed by k"},
		{"SELECT UPPER(k), COUNT(*) FROM s GROUP BY UPPER(k)", "not keyed by k"},
		{"SELECT 'a', COUNT(*) FROM s GROUP BY j", "not keyed by k"},
		{"SELECT 'a', COUNT(*) FROM s", "all rows in one place"},
		{"SELECT 'a', MAX(n) FROM (SELECT k, COUNT(*) AS n FROM s GROUP BY k)", "all rows in one place"},
		{"SELECT 'a', COUNT(*) FROM TABLE(TUMBLE(TABLE s, DESCRIPTOR(ts), INTERVAL '1' SECOND)) GROUP BY window_start, window_end", "all rows in one place"},
		{"SELECT k, v FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY j ORDER BY ts) AS n FROM s) WHERE n <= 3", "not keyed by k"},
		{"SELECT k, v FROM s ORDER BY ts LIMIT 3", "all rows in one place"},
		{"SELECT s.k, s.v FROM s JOIN two ON s.k = two.k", "more than one source"},
	} {
		t.Run(c.query, func(t *testing.T) {
			s := newSession(t)
			must(t, s, tables)
			stmts, err := sql.Parse("INSERT INTO o "+c.query, sql.Options{})
			if err != nil {
				t.Fatal(diag.Render(err))
			}
			got, err := s.Explain(stmts[0])
			if err != nil {
				t.Fatal(diag.Render(diag.WithSource(err, c.query)))
			}
			_, got, _ = strings.Cut(got, "== Physical Plan ==\n")
			first, rest, _ := strings.Cut(got, "\n")
			if c.why == "" {
				if !strings.HasPrefix(first, "Once for each split of Source-1, by scan.split-key=[k") {
					t.Errorf("not aligned:\n%s", got)
				}
				if strings.Contains(rest, "hash[") || strings.Contains(rest, "parallelism 4") {
					t.Errorf("an exchange is left:\n%s", got)
				}
				return
			}
			if !strings.HasPrefix(first, "Not split by scan.split-key: ") || !strings.Contains(first, c.why) {
				t.Errorf("want %q:\n%s", c.why, got)
			}
		})
	}
}

func TestSplitKeyIsChecked(t *testing.T) {
	for _, c := range []struct{ options, want string }{
		{"'scan.split-key' = 'nope'", "there is no column 'nope'"},
		{"'scan.split-key' = 'c'", "there is no column 'c'"},
		{"'scan.split-key.verify' = 'true'", "needs 'scan.split-key'"},
	} {
		_, err := exec(t, newSession(t), "CREATE TABLE s (k STRING, c AS UPPER(k)) WITH ('connector' = 'datagen', "+c.options+"); SELECT k FROM s;")
		if err == nil || !strings.Contains(diag.Render(err), c.want) {
			t.Errorf("%s: %v", c.options, err)
		}
	}
}
