package sqltest

import (
	"slices"
	"strings"
	"testing"
)

// TestZerosAreTwoKeys: keys are compared as binary rows, so that no row is taken
// back that was never sent; = still calls the zeros equal.
func TestZerosAreTwoKeys(t *testing.T) {
	const tables = "CREATE VIEW t AS SELECT * FROM (VALUES (0e0), (-0e0), (0e0)) AS v(a);\n" +
		"CREATE VIEW u AS SELECT * FROM (VALUES (-0e0)) AS v(b);\n" +
		"CREATE VIEW nan AS SELECT * FROM (VALUES (CAST('NaN' AS DOUBLE)), (-CAST('NaN' AS DOUBLE))) AS v(a);\n"
	for _, c := range []struct{ query, want string }{
		{"SELECT COUNT(*), a FROM t GROUP BY a", "1,-0.0|2,0.0"},
		{"SELECT COUNT(*), CAST(a AS FLOAT) FROM t GROUP BY CAST(a AS FLOAT)", "1,-0.0|2,0.0"},
		{"SELECT COUNT(*) FROM (SELECT ROW(a, 1) AS r FROM t) GROUP BY r", "1|2"},
		{"SELECT COUNT(*) FROM (SELECT ARRAY[a] AS r FROM t) GROUP BY r", "1|2"},
		{"SELECT DISTINCT a FROM t", "-0.0|0.0"},
		{"SELECT COUNT(DISTINCT a) FROM t", "2"},
		{"SELECT a FROM t INTERSECT SELECT b FROM u", "-0.0"},
		{"SELECT a, b FROM t JOIN u ON a = b", "-0.0,-0.0"},
		{"SELECT COUNT(*) FROM t WHERE a = -0e0 AND a IN (0e0, 5e0, 6e0, 7e0)", "3"},
		{"SELECT COUNT(*), a FROM nan GROUP BY a", "2,NaN"},
		{"SELECT MIN(a) FROM (SELECT a FROM t UNION ALL SELECT b FROM u)", "0.0"},
	} {
		s, err := Session(exactly("1"))
		if err != nil {
			t.Fatal(err)
		}
		out, err := Run(t.Context(), s, tables+c.query)
		if err != nil {
			t.Errorf("%s: %v", c.query, err)
			continue
		}
		got := Fold(out.Changes)
		for i := range got {
			got[i] = strings.ReplaceAll(got[i], "\x1f", ",")
		}
		slices.Sort(got)
		if g := strings.Join(got, "|"); g != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.query, g, c.want)
		}
	}
}

// TestPatternsBeyondTheEngine: what Java can match is never silently FALSE.
func TestPatternsBeyondTheEngine(t *testing.T) {
	for query, want := range map[string]string{
		`SELECT REGEXP('x', '\N{LATIN SMALL LETTER X}')`:                       `\N{…} is not supported`,
		`SELECT REGEXP_EXTRACT('x', '\X')`:                                     `\X is not supported`,
		`SELECT REGEXP_EXTRACT_ALL('x', '\X')`:                                 `\X is not supported`,
		`SELECT REGEXP_COUNT('x', 'a\b{g}')`:                                   `\b{g} is not supported`,
		`SELECT REGEXP('x', REPEAT('(', 999) || 'x' || REPEAT(')', 999))`:      "groups are nested too deep",
		`SELECT a FROM (VALUES ('x'), ('y')) AS t(a) WHERE REGEXP(a, '(?c)x')`: "canonical equivalence, (?c), is not supported",
		`SELECT REGEXP('x', '(')`:                                              "",
	} {
		s, err := Session(nil)
		if err != nil {
			t.Fatal(err)
		}
		out, err := Run(t.Context(), s, query)
		switch {
		case want == "" && (err != nil || Fold(out.Changes)[0] != "FALSE"):
			t.Errorf("%s: %v", query, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %v, want %q", query, err, want)
		}
	}
}
