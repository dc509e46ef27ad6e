package builtin_test

import (
	"strings"
	"testing"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/internal/builtin"
)

// without are the functions no example can be given of: their values come from a
// running job.
var without = map[string]bool{
	"FIRE_TIME":               true,                                                         // the clock's time at which a window fires
	"PANE":                    true,                                                         // of a window that fires early
	"IF(BOOLEAN) -> BOOLEAN!": true,                                                         // of scripts; in SQL, IF is syntax
	"SOURCE_WATERMARK":        true,                                                         // stands in CREATE TABLE only
	"CURRENT_WATERMARK":       true,                                                         // of a table with a watermark
	"LEAD":                    true, "NTILE": true, "PERCENT_RANK": true, "CUME_DIST": true, // refused: they need rows that are still to come
}

// TestExamples runs the examples of all definitions: they are what the manual shows.
// Those that are whole queries are run by package sqltest.
func TestExamples(t *testing.T) {
	t.Parallel()
	for name, set := range map[string]*function.Set{"flink": builtin.All(), "rsqldb": builtin.Rsqldb(), "script": builtin.Script()} {
		n := checkExamples(t, name, set)
		t.Logf("%s: %d examples of %d definitions", name, n, len(set.Defs()))
	}
}

func checkExamples(t *testing.T, dialect string, set *function.Set) (n int) {
	for _, d := range set.Defs() {
		if (len(d.Eg) == 0) != without[d.Name] && !without[d.Name+d.Sig] {
			t.Errorf("%s: %s has %d examples", dialect, d.Name, len(d.Eg))
		}
		for _, e := range d.Eg {
			query := strings.HasPrefix(e.Expr, "SELECT ")
			if (d.Aggregate != nil || d.Table != nil) && !query {
				t.Errorf("%s: %s is no query", dialect, e.Expr)
			}
			if !d.Special && !strings.Contains(strings.ToUpper(e.Expr), d.Name) && !(d.Name == "ITEM" || d.Name == "TIMESTAMPDIFF_INTERVAL") {
				t.Errorf("%s is no example of %s", e.Expr, d.Name)
			}
			if query {
				continue
			}
			n++
			typ, got, err := evalExpr(set, newContext(t, ""), e.Expr)
			want := &e.Result
			if e.Result == "<NULL>" || e.Result == "NULL" {
				want = nil
			}
			if err != nil || !equalText(typ, got, want) {
				t.Errorf("%s: %s: %s %v, want %s", dialect, e.Expr, show(got), err, e.Result)
			}
		}
	}
	return n
}
