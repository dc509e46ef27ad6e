package builtin_test

import (
	"strings"
	"testing"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/internal/builtin"
)

// TestExamples runs the examples of all definitions: they are what the manual shows.
func TestExamples(t *testing.T) {
	t.Parallel()
	n := 0
	for name, set := range map[string]*function.Set{"flink": builtin.All(), "rsqldb": builtin.Rsqldb()} {
		n += checkExamples(t, name, set)
	}
	t.Logf("%d examples", n)
}

func checkExamples(t *testing.T, dialect string, set *function.Set) (n int) {
	for _, d := range set.Defs() {
		if d.Aggregate != nil || d.Table != nil {
			continue
		}
		for _, e := range d.Eg {
			n++
			typ, got, err := evalExpr(set, newContext(t, ""), e.Expr)
			want := &e.Result
			if e.Result == "<NULL>" || e.Result == "NULL" {
				want = nil
			}
			if err != nil || !equalText(typ, got, want) {
				t.Errorf("%s: %s: %s %v, want %s", dialect, e.Expr, show(got), err, e.Result)
			}
			if !d.Special && !strings.Contains(strings.ToUpper(e.Expr), d.Name) {
				t.Errorf("%s is no example of %s", e.Expr, d.Name)
			}
		}
	}
	return n
}
