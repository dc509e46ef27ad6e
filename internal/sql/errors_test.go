package sql_test

import (
	"errors"
	"flag"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/sql"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// Each file has faulty texts with lines of --- between them; the golden file
// has each text's errors as they are drawn.
func TestErrorsAreDrawn(t *testing.T) {
	files, _ := filepath.Glob("testdata/errors/*.sql")
	if len(files) < 3 {
		t.Fatal("too few files")
	}
	for _, f := range files {
		var out strings.Builder
		for i, src := range strings.Split(string(read(t, f)), "\n---\n") {
			if i > 0 {
				out.WriteString("---\n")
			}
			opts := sql.Options{}
			if strings.Contains(f, "rsqldb") {
				opts.Dialect = "rsqldb"
			}
			_, err := sql.Parse(strings.TrimSuffix(src, "\n"), opts)
			if err == nil {
				t.Errorf("%s: no error in\n%s", f, src)
				continue
			}
			out.WriteString(diag.Render(err) + "\n")
		}
		golden(t, strings.TrimSuffix(f, ".sql")+".golden", out.String())
	}
}

func TestHostileTextsAreRefusedFast(t *testing.T) {
	rep := strings.Repeat
	for name, src := range map[string]string{
		"parentheses":          "SELECT " + rep("(", 10_000) + "1" + rep(")", 10_000),
		"open parentheses":     rep("(", 1_000_000),
		"NOT":                  "SELECT " + rep("NOT ", 10_000) + "TRUE",
		"signs":                "SELECT " + rep("- ", 10_000) + "1",
		"CASE":                 "SELECT " + rep("CASE WHEN TRUE THEN ", 10_000) + "1" + rep(" END", 10_000),
		"array types":          "SELECT CAST(a AS " + rep("ARRAY<", 10_000) + "INT" + rep(">", 10_000) + ")",
		"array suffixes":       "SELECT CAST(a AS INT" + rep(" ARRAY", 10_000) + ")",
		"row types":            "CREATE TABLE t (a " + rep("ROW<a ", 10_000) + "INT",
		"sub-queries":          rep("SELECT * FROM (", 10_000) + "SELECT 1" + rep(")", 10_000),
		"scalar sub-queries":   rep("SELECT (", 10_000) + "1" + rep(")", 10_000),
		"joins in parentheses": "SELECT * FROM " + rep("(", 10_000) + "t" + rep(")", 10_000),
		"CTEs":                 rep("WITH a AS (", 10_000) + "SELECT 1",
		"calls":                "SELECT " + rep("f(", 10_000) + rep(")", 10_000),
		"named arguments":      "SELECT f(" + rep("a => ", 10_000) + "1)",
		"arrays":               "SELECT " + rep("ARRAY[", 10_000) + rep("]", 10_000),
		"indexes":              "SELECT a" + rep("[1", 10_000) + rep("]", 10_000),
		"index chain":          "SELECT a" + rep("[1]", 300_000),
		"fields":               "SELECT f()" + rep(".a", 300_000),
		"name":                 "SELECT a" + rep(".a", 300_000),
		"sum":                  "SELECT 1" + rep("+1", 300_000),
		"OR":                   "SELECT a" + rep(" OR a", 300_000),
		"IS":                   "SELECT a" + rep(" IS NULL", 300_000),
		"UNION":                rep("SELECT 1 UNION ALL ", 500_000) + "SELECT 1",
		"joins":                "SELECT * FROM t" + rep(" CROSS JOIN t", 500_000),
		"commas":               "SELECT * FROM t" + rep(", t", 300_000),
		"patterns":             "SELECT * FROM t MATCH_RECOGNIZE (PATTERN " + rep("(", 10_000) + "A",
		"grouping sets":        "SELECT 1 FROM t GROUP BY " + rep("GROUPING SETS (", 10_000),
		"EXPLAIN":              rep("EXPLAIN ", 300_000),
		"quotes":               rep("'", 10_000_001),
		"string":               "SELECT '" + rep("a", 10_000_000),
		"doubled quotes":       "SELECT '" + rep("''", 300_000) + "x",
		"backquotes":           rep("`", 300_000),
		"comment":              "/*" + rep("x", 300_000),
		"comments open":        rep("/*", 5_000_000),
		"hints":                rep("/*+ ", 300_000),
		"faulty statements":    rep("x;", 300_000),
		"words":                rep("x ", 5_000_000),
		"semicolon then fault": rep(";", 300_000) + "x",
		"unicode escapes":      rep("U&'a' ", 1_500_000),
		"zero bytes":           rep("\x00", 10_000_000),
		"no UTF-8":             rep("\xff", 300_000),
		"double quotes":        rep("\"", 300_000),
	} {
		start := time.Now()
		_, err := sql.Parse(src, sql.Options{})
		took := time.Since(start)
		t.Logf("%-22s %9d bytes %v", name, len(src), took.Round(time.Millisecond))
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		if text := diag.Render(err); len(text) > 20_000 {
			t.Errorf("%s: an error of %d bytes", name, len(text))
		}
		if took > 5*time.Second {
			t.Errorf("%s: %v for %d bytes", name, took, len(src))
		}
		var e *diag.Error
		if !errors.As(err, &e) || e.Span.IsZero() && e.Code != diag.Limit {
			t.Errorf("%s: no place: %v", name, err)
		}
	}
}

func TestWhatIsDeepButAllowed(t *testing.T) {
	rep := strings.Repeat
	for name, src := range map[string]string{
		"parentheses": "SELECT " + rep("(", 200) + "1" + rep(")", 200),
		"OR":          "SELECT a" + rep(" OR a = 1", 5_000),
		"IN":          "SELECT a IN (1" + rep(", 1", 50_000) + ")",
		"VALUES":      "VALUES (1, 'a')" + rep(", (1, 'a')", 20_000),
		"statements":  rep("SELECT a, b FROM t WHERE c > 1;\n", 20_000),
	} {
		if _, err := sql.Parse(src, sql.Options{}); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if name != "statements" {
			checkRoundTrip(t, src, "")
		}
	}
}
