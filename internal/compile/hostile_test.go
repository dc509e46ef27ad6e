package compile_test

import (
	"strings"
	"testing"
	"time"

	"github.com/runnelio/runnel/internal/sql"
)

// Long and deep statements are bound in time that grows with their length, or refused.
func TestLongStatements(t *testing.T) {
	s := newSession(t)
	must(t, s, base)
	chain := func(first, op string, n int) string { return first + strings.Repeat(op+first, n) }
	for name, q := range map[string]string{
		"and":        "SELECT id FROM t WHERE " + chain("id > 1", " AND ", 5000),
		"plus":       "SELECT " + chain("id", " + ", 900) + " FROM t",
		"concat":     "SELECT " + chain("'a'", " || ", 900) + " FROM t",
		"columns":    "SELECT " + chain("id", ", ", 3000) + " FROM t",
		"in":         "SELECT id FROM t WHERE id IN (" + chain("1", ", ", 20000) + ")",
		"union":      chain("SELECT id FROM t", " UNION ALL ", 300),
		"values":     "SELECT * FROM (VALUES " + chain("(1, 'a')", ", ", 20000) + ") AS v(a, b)",
		"joins":      "SELECT 1 FROM t AS t0" + joins(60),
		"subqueries": strings.Repeat("SELECT id FROM (", 150) + "SELECT id FROM t" + strings.Repeat(")", 150),
	} {
		start := time.Now()
		stmts, err := sql.Parse(q, sql.Options{})
		if err == nil {
			_, err = s.Execute(t.Context(), stmts[0], nil)
		}
		if err != nil {
			t.Errorf("%s: %.200s", name, err.Error())
		}
		if d := time.Since(start); d > 10*time.Second {
			t.Errorf("%s: %s", name, d)
		}
	}
	for _, q := range []string{
		strings.Repeat("(", 10000) + "1" + strings.Repeat(")", 10000),
		"SELECT " + strings.Repeat("NOT ", 100000) + "TRUE",
		"SELECT id FROM t GROUP BY CUBE (id, name, ts, twice, id + 1, id + 2, id + 3, id + 4, id + 5, id + 6)",
	} {
		if _, err := exec(t, s, q); err == nil {
			t.Errorf("accepted: %.40s…", q)
		}
	}
}

func joins(n int) string {
	var b strings.Builder
	for i := 1; i <= n; i++ {
		name := "t" + string(rune('0'+i/10)) + string(rune('0'+i%10))
		b.WriteString(" JOIN t AS " + name + " ON t0.id = " + name + ".id")
	}
	return b.String()
}

// FuzzExecute binds whatever parses; nothing may panic.
func FuzzExecute(f *testing.F) {
	for _, q := range []string{
		"SELECT id, COUNT(*) FROM t GROUP BY id", "SELECT * FROM t WHERE id IN (SELECT id FROM t)", "INSERT INTO t SELECT * FROM t",
		"SELECT SUM(id) OVER (ORDER BY ts) FROM t", "SELECT a.b.c FROM t", "SELECT CAST(name AS DECIMAL(3, 2)) FROM t ORDER BY 1 LIMIT 2",
		"SELECT * FROM t MATCH_RECOGNIZE (ORDER BY ts MEASURES A.id AS x PATTERN (A B+ C) DEFINE B AS B.id > LAST(B.id, 1))",
		"SELECT TUMBLE_END(ts, INTERVAL '1' DAY) FROM t GROUP BY TUMBLE(ts, INTERVAL '1' DAY)",
		"SELECT * FROM t CROSS JOIN UNNEST(ARRAY[1]) AS u(x)", "CREATE VIEW v AS SELECT * FROM t", "DESCRIBE t", "EXPLAIN SELECT 1",
		"SELECT GROUPING(id) FROM t GROUP BY ROLLUP(id, name)", "VALUES (1, NULL), (NULL, 'a')", "SELECT * FROM t FULL JOIN t AS u USING (id)",
	} {
		f.Add(q)
	}
	f.Fuzz(func(t *testing.T, q string) {
		stmts, err := sql.Parse(q, sql.Options{})
		if err != nil {
			return
		}
		s := newSession(t)
		must(t, s, base)
		for _, st := range stmts {
			_, _ = s.Execute(t.Context(), st, nil)
		}
	})
}
