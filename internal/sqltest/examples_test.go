package sqltest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/internal/builtin"
	"github.com/runnelio/runnel/internal/sql"
)

// TestExampleQueries runs those examples of functions that are whole queries.
func TestExampleQueries(t *testing.T) {
	t.Parallel()
	for dialect, set := range map[string]*function.Set{"default": builtin.All(), "rsqldb": builtin.Rsqldb()} {
		n := 0
		for _, d := range set.Defs() {
			for _, e := range d.Eg {
				if !strings.HasPrefix(e.Expr, "SELECT ") {
					continue
				}
				n++
				s := batchSession(t, "1")
				query := e.Expr
				if dialect == "rsqldb" {
					query = "SET 'sql.dialect' = 'rsqldb';\n" + query
				}
				out, err := Run(t.Context(), s, query)
				if err != nil {
					t.Errorf("%s: %s: %v", dialect, e.Expr, err)
					continue
				}
				got := Fold(out.Changes)
				for i := range got {
					got[i] = strings.ReplaceAll(got[i], "\x1f", ", ")
				}
				want := strings.Split(e.Result, "; ")
				slices.Sort(got)
				slices.Sort(want)
				if !slices.Equal(got, want) {
					t.Errorf("%s: %s: %s, want %s", dialect, e.Expr, strings.Join(got, "; "), e.Result)
				}
			}
		}
		if n < 50 {
			t.Errorf("%s: only %d queries", dialect, n)
		}
		t.Logf("%s: %d queries", dialect, n)
	}
}

// TestOrderInsideAggregates: Flink takes it for collections and keeps the order of
// the rows; here a warning says so.
func TestOrderInsideAggregates(t *testing.T) {
	t.Parallel()
	for call, want := range map[string]string{
		"ARRAY_AGG(x ORDER BY y)":                           "[1, 2, 3]",
		"ARRAY_AGG(x ORDER BY x DESC)":                      "[1, 2, 3]",
		"ARRAY_AGG(DISTINCT x ORDER BY y)":                  "[1, 2, 3]",
		"JSON_ARRAYAGG(x ORDER BY y)":                       "[1,2,3]",
		"JSON_ARRAYAGG(x ORDER BY y DESC NULL ON NULL)":     "[1,2,3]",
		"JSON_ARRAYAGG(x) WITHIN GROUP (ORDER BY y)":        "[1,2,3]",
		"CARDINALITY(COLLECT(x) WITHIN GROUP (ORDER BY y))": "3",
	} {
		s := batchSession(t, "1")
		query := "SELECT " + call + " FROM (VALUES (1, 3), (2, 2), (3, 1)) AS t(x, y)"
		if got := rowsOf(t, s, query); got != want {
			t.Errorf("%s: %s, want %s", call, got, want)
		}
		stmts, err := sql.Parse(query, sql.Options{})
		if err != nil {
			t.Fatal(err)
		}
		r, err := s.Execute(t.Context(), stmts[0], &Collector{})
		if err != nil || len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "has no effect") {
			t.Errorf("%s: warnings %v %v", call, r, err)
		}
	}
}

// TestDistinctAndFilter: every aggregate with DISTINCT is that of the different values, and
// with FILTER that of the rows that pass, in batch mode and over changes.
func TestDistinctAndFilter(t *testing.T) {
	t.Parallel()
	shapes := []string{"%s(%s)", "%s(%s, 0.5)", "%s(KEY CAST(%s AS STRING) VALUE 1)", "%s(CAST(%s AS STRING))", "%s('-', CAST(%s AS STRING))", "%s(BITMAP_BUILD(ARRAY[%s]))"}
	const rows = "(VALUES (1, 3), (2, 3), (3, 5), (4, 7), (5, 7), (6, 7)) AS t(k, x)"
	const changes = "(SELECT k, LAST_VALUE(x) AS x FROM (VALUES (1, 9), (2, 3), (1, 3), (3, 5), (4, 8), (4, 7), (5, 7), (6, 1), (6, 7)) AS u(k, x) GROUP BY k) AS t"
	// These fail over equal values, so they have cases of their own.
	single := map[string]map[string]string{
		"SINGLE_VALUE": {
			"SINGLE_VALUE(x) FILTER (WHERE k = 3)":          "5",
			"SINGLE_VALUE(DISTINCT x) FILTER (WHERE x = 7)": "7",
		},
		"JSON_OBJECTAGG": {
			"JSON_OBJECTAGG(KEY CAST(k AS STRING) VALUE x) FILTER (WHERE k > 4)": `{"5":7,"6":7}`,
		},
	}
	for _, calls := range single {
		for call, want := range calls {
			if got := rowsOf(t, batchSession(t, "1"), "SELECT "+call+" FROM "+rows); got != want {
				t.Errorf("%s: %s, want %s", call, got, want)
			}
		}
	}
	tested := 0
	for _, d := range builtin.All().Defs() {
		if d.Aggregate == nil || d.Special || d.Group == "over" || d.Group == "window" || single[d.Name] != nil {
			continue
		}
		found := false
		for _, shape := range shapes {
			call := func(distinct, arg string) string {
				open := strings.Index(shape, "(") + 1
				return fmt.Sprintf(shape[:open]+distinct+shape[open:], d.Name, arg)
			}
			for _, source := range []string{rows, changes} {
				run := func(expr, from string) (string, error) {
					s := batchSession(t, "1")
					if source == changes {
						s, _ = Session(exactly("2"))
					}
					out, err := Run(t.Context(), s, "SELECT "+expr+" FROM "+from)
					if err != nil {
						return "", err
					}
					return strings.Join(Fold(out.Changes), " "), nil
				}
				if _, err := run(call("", "x"), source); err != nil {
					continue
				}
				found = true
				keys := "SELECT DISTINCT x FROM " + source
				for _, c := range [][4]string{
					{call("DISTINCT ", "x"), source, call("", "x"), "(" + keys + ") AS t"},
					{call("", "x") + " FILTER (WHERE k > 2)", source, call("", "x"), "(SELECT x FROM " + source + " WHERE k > 2) AS t"},
					{call("DISTINCT ", "x") + " FILTER (WHERE x < 7)", source, call("", "x"), "(" + keys + " WHERE x < 7) AS t"},
				} {
					got, err1 := run(c[0], c[1])
					want, err2 := run(c[2], c[3])
					if (err1 == nil) != (err2 == nil) || got != want {
						t.Errorf("%s FROM %s: %s %v; %s FROM %s: %s %v", c[0], c[1], got, err1, c[2], c[3], want, err2)
					}
				}
			}
			if found {
				break
			}
		}
		if !found {
			t.Errorf("%s: no arguments fit", d.Name)
		}
		tested++
	}
	if tested < 25 {
		t.Errorf("%d aggregates", tested)
	}
	t.Logf("%d aggregates", tested)
}
