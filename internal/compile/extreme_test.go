//go:build unix

package compile_test

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/sql"
)

// Statements of absurd size end in bounded time: with a result, or with an error
// that says what is too much and where.
func TestExtremeStatements(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	const n = 10_000
	list := func(count int, item func(i int) string, sep string) string {
		var b strings.Builder
		for i := range count {
			if i > 0 {
				b.WriteString(sep)
			}
			b.WriteString(item(i))
		}
		return b.String()
	}
	same := func(s string) func(int) string { return func(int) string { return s } }
	nest := func(open, inner, end string) string {
		return strings.Repeat(open, n) + inner + strings.Repeat(end, n)
	}
	column := func(i int) string { return fmt.Sprintf("c%d INT", i) }
	wide := "CREATE TABLE wide (" + list(n, column, ", ") + ") WITH ('connector' = 'datagen');"
	for _, c := range []struct {
		name, script string
		want         diag.Code // "" for success
	}{
		{"parentheses", "SELECT " + nest("(", "1", ")"), diag.Limit},
		{"unclosed parentheses", "SELECT " + strings.Repeat("(", n), diag.Limit},
		{"case", "SELECT " + nest("CASE WHEN id > 1 THEN ", "1", " ELSE 2 END") + " FROM t", diag.Limit},
		{"case with many branches", "SELECT CASE " + list(n, func(i int) string { return fmt.Sprintf("WHEN id = %d THEN %d", i, i) }, " ") + " END FROM t", ""},
		{"functions", "SELECT " + nest("ABS(", "id", ")") + " FROM t", diag.Limit},
		{"casts", "SELECT " + nest("CAST(", "id", " AS BIGINT)") + " FROM t", diag.Limit},
		{"not", "SELECT id FROM t WHERE " + strings.Repeat("NOT ", n) + "TRUE", diag.Limit},
		{"minus", "SELECT " + strings.Repeat("- ", n) + "id FROM t", diag.Limit},
		{"subqueries in from", nest("SELECT id FROM (", "SELECT id FROM t", ")"), diag.Limit},
		{"subqueries in expressions", nest("SELECT id FROM t WHERE id IN (", "SELECT id FROM t", ")"), diag.Limit},
		{"scalar subqueries side by side", "SELECT " + list(300, same("(SELECT MAX(id) FROM t)"), ", ") + " FROM t", ""},
		{"union all", list(n, same("SELECT id FROM t"), " UNION ALL "), ""},
		{"union", list(n, same("SELECT id FROM t"), " UNION "), ""},
		{"except", list(n, same("SELECT id FROM t"), " EXCEPT "), ""},
		{"nested unions", nest("(SELECT id FROM t UNION ALL ", "SELECT id FROM t", ")"), diag.Limit},
		{"joins", "SELECT 1 FROM t AS t0" + list(n, func(i int) string { return fmt.Sprintf(" JOIN t AS t%d ON t0.id = t%d.id", i+1, i+1) }, ""), diag.Limit},
		{"commas", "SELECT 1 FROM " + list(n, func(i int) string { return fmt.Sprintf("t AS t%d", i) }, ", "), diag.Limit},
		{"and", "SELECT id FROM t WHERE " + list(n-1, func(i int) string { return fmt.Sprintf("id <> %d", i) }, " AND "), ""},
		{"or", "SELECT id FROM t WHERE " + list(n, func(i int) string { return fmt.Sprintf("id = %d AND name = 'x'", i) }, " OR "), diag.Limit},
		{"plus", "SELECT " + list(n, same("id"), " + ") + " FROM t", ""},
		{"concatenation", "SELECT " + list(n, same("name"), " || ") + " FROM t", ""},
		{"comparisons", "SELECT " + list(n, same("id"), " = ") + " FROM t", diag.TypeMismatch},
		{"in list", "SELECT id FROM t WHERE id IN (" + list(100_000, func(i int) string { return fmt.Sprint(i) }, ", ") + ")", ""},
		{"in list of texts", "SELECT id FROM t WHERE name NOT IN (" + list(100_000, func(i int) string { return fmt.Sprintf("'n%d'", i) }, ", ") + ")", ""},
		{"in list of expressions", "SELECT id FROM t WHERE id IN (" + list(n, func(i int) string { return fmt.Sprintf("id + %d", i) }, ", ") + ")", ""},
		{"columns of a table", wide + "SELECT * FROM wide", ""},
		{"columns of a query", "SELECT " + list(n, func(i int) string { return fmt.Sprintf("id + %d AS c%d", i, i) }, ", ") + " FROM t", ""},
		{"aggregates", wide + "SELECT " + list(2000, func(i int) string { return fmt.Sprintf("SUM(c%d)", i) }, ", ") + " FROM wide GROUP BY c1", ""},
		{"group by", wide + "SELECT 1 FROM wide GROUP BY " + list(n, func(i int) string { return fmt.Sprintf("c%d", i) }, ", "), ""},
		{"values", "SELECT * FROM (VALUES " + list(100_000, func(i int) string { return fmt.Sprintf("(%d, 'x')", i) }, ", ") + ") AS v(a, b)", ""},
		{"with", "WITH " + list(1000, func(i int) string {
			return fmt.Sprintf("w%d AS (SELECT * FROM %s)", i, map[bool]string{true: "t", false: fmt.Sprintf("w%d", max(i-1, 0))}[i == 0])
		}, ", ") + " SELECT id FROM w999", ""},
		{"row type", "CREATE TABLE r (a " + nest("ROW<x ", "INT", ">") + ") WITH ('connector' = 'print')", diag.Limit},
		{"array type", "CREATE TABLE r (a " + nest("ARRAY<", "INT", ">") + ") WITH ('connector' = 'print')", diag.Limit},
		{"arrays", "SELECT " + nest("ARRAY[", "1", "]"), diag.Limit},
		{"index", "SELECT name" + strings.Repeat("[1]", n) + " FROM t", diag.Limit},
		{"fields", "SELECT t" + strings.Repeat(".a", n) + " FROM t", diag.Syntax},
		{"text of 10 MB", "SELECT '" + strings.Repeat("x", 10<<20) + "' FROM t", ""},
		{"comment of 10 MB", "SELECT id /*" + strings.Repeat("x", 10<<20) + "*/ FROM t", ""},
		{"name of 10 MB", "SELECT " + strings.Repeat("x", 10<<20) + " FROM t", diag.Syntax},
		{"blanks of 10 MB", strings.Repeat(" \n", 5<<20) + "SELECT id FROM t", ""},
		{"10 MB of quotes", strings.Repeat("'", 10<<20), diag.Syntax},
		{"10 MB of commas", "SELECT " + strings.Repeat(",", 10<<20), diag.Syntax},
		{"10 MB of semicolons", strings.Repeat(";", 10<<20) + "SELECT 1", ""},
		{"10 MB of statements", strings.Repeat("SELECT 1 +;", 1<<20), diag.Syntax},
		{"10 MB without meaning", strings.Repeat("foo bar ", 10<<17), diag.Syntax},
		{"views on views", list(600, func(i int) string {
			if i == 0 {
				return "CREATE VIEW v0 AS SELECT id FROM t"
			}
			return fmt.Sprintf("CREATE VIEW v%d AS SELECT id FROM v%d", i, i-1)
		}, ";") + "; SELECT * FROM v599", ""},
		{"views that double", list(40, func(i int) string {
			if i == 0 {
				return "CREATE VIEW v0 AS SELECT id FROM t"
			}
			return fmt.Sprintf("CREATE VIEW v%d AS SELECT a.id FROM v%d a JOIN v%d b ON a.id = b.id", i, i-1, i-1)
		}, ";") + "; SELECT * FROM v39", diag.Limit},
		{"cube", "SELECT 1 FROM t GROUP BY CUBE (" + list(n, func(i int) string { return fmt.Sprintf("id + %d", i) }, ", ") + ")", diag.Limit},
		{"hints", "SELECT * FROM t /*+ " + list(n, same("OPTIONS('path' = 'x')"), ", ") + " */", ""},
		{"options", "CREATE TABLE r (a INT) WITH (" + list(n, func(i int) string { return fmt.Sprintf("'k%d' = 'v'", i) }, ", ") + ")", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSession(t)
			must(t, s, base)
			guard := time.AfterFunc(2*time.Minute, func() { panic(c.name + " does not end") })
			defer guard.Stop()
			start := cpuTime(t)
			stmts, err := sql.Parse(c.script, sql.Options{})
			parsed := cpuTime(t) - start
			for _, st := range stmts {
				if err == nil {
					_, err = s.Execute(t.Context(), st, nil)
				}
			}
			took := cpuTime(t) - start
			text := diag.Render(err)
			if len(text) > 3000 {
				t.Errorf("an error of %d bytes", len(text))
			}
			if got := diag.CodeOf(err); got != c.want || err != nil && got == "" {
				t.Errorf("%q %.300s; want %q", got, text, c.want)
			}
			t.Logf("%s, of it the parser %s  %.90s", took.Round(time.Millisecond), parsed.Round(time.Millisecond), strings.SplitN(text, "\n", 2)[0])
			if took > 10*time.Second {
				t.Errorf("%s of CPU", took)
			}
		})
	}
}

// cpuTime is what the process has computed so far: other processes do not count.
func cpuTime(t testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
