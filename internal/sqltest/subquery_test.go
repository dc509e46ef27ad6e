package sqltest

import (
	"slices"
	"strings"
	"testing"
)

func TestSubqueriesOfGroups(t *testing.T) {
	const tables = "CREATE VIEW o AS SELECT * FROM (VALUES ('x', 1), ('x', 2), ('y', 5)) AS v(k, n);\n" +
		"CREATE VIEW u AS SELECT * FROM (VALUES ('x', 'ex'), ('y', 'why')) AS v(k, name);\n"
	for _, c := range []struct{ query, want string }{
		{"SELECT SUM(n), (SELECT MAX(name) FROM u WHERE u.k = o.k) FROM o GROUP BY k", "3,ex|5,why"},
		{"SELECT k, n, EXISTS (SELECT 1 FROM u WHERE u.k = o.k AND name = 'ex') FROM o", "x,1,TRUE|x,2,TRUE|y,5,FALSE"},
		{"SELECT n FROM o WHERE n = 1 OR NOT EXISTS (SELECT 1 FROM u WHERE u.k < o.k)", "1|2"},
		{"SELECT n FROM o WHERE EXISTS (SELECT 1 FROM (VALUES ('y', TRUE)) AS i(y, o) WHERE i.y = o.k)", "5"}, // not the column o
		{"SELECT n, EXISTS (SELECT 1 FROM u WHERE u.k <= o.k) FROM o", "1,TRUE|2,TRUE|5,TRUE"},                // several rows fit
		{"SELECT n, EXISTS (SELECT 1 FROM u WHERE u.name || u.k = 'ex' || o.k) FROM o", "1,TRUE|2,TRUE|5,FALSE"},
		{"SELECT COUNT(*) FILTER (WHERE e) FROM (SELECT k IN (SELECT u.k FROM u WHERE CHAR_LENGTH(name) > n) AS e FROM o)", "1"},
		{"SELECT n, CASE WHEN NOT EXISTS (SELECT 1 FROM u WHERE n > 1) THEN 'no' ELSE 'yes' END FROM o", "1,no|2,yes|5,yes"},
		{"SELECT k FROM o GROUP BY k HAVING SUM(n) > (SELECT COUNT(*) + 2 FROM u)", "y"},
		{"SELECT k, SUM(n) FROM o GROUP BY k HAVING EXISTS (SELECT 1 FROM u WHERE u.k = o.k AND name = 'ex')", "x,3"},
		{"SELECT o.k, t.name FROM o, LATERAL (SELECT name FROM u WHERE u.k = o.k) t WHERE n > 1", "x,ex|y,why"},
		{"SELECT k, COUNT(*) FROM o GROUP BY CUBE (k)", "<NULL>,3|x,2|y,1"},
		{"SELECT k, n, LAG(n) OVER (ORDER BY p) FROM (SELECT k, n, PROCTIME() AS p FROM o)", "x,1,<NULL>|x,2,1|y,5,2"},
		{"SELECT k, n FROM o ORDER BY n DESC LIMIT 2", "x,2|y,5"},
		{"SELECT a.k FROM o a LEFT JOIN u b USING (k) WHERE b.name LIKE 'e%'", "x|x"},
		{"(SELECT k FROM o EXCEPT SELECT k FROM u) UNION ALL SELECT 'z'", "z"},
		{"WITH a (z) AS (SELECT k FROM u), b AS (SELECT z FROM a WHERE z <> 'x') SELECT * FROM b", "y"},
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
	s, err := Session(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Run(t.Context(), s, tables+"SELECT SUM(n), (SELECT MAX(name) FROM u WHERE u.k = CAST(o.n AS STRING)) FROM o GROUP BY k"); err == nil || !strings.Contains(err.Error(), "not grouped") {
		t.Errorf("%v", err)
	}
}
