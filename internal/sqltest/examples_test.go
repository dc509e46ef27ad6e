package sqltest

import (
	"slices"
	"strings"
	"testing"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/internal/builtin"
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
