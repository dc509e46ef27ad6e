package sqltest

import (
	"os"
	"strings"
	"testing"
)

// TestDifferencesAreListed demands that docs/compatibility.md names every
// recorded answer that may differ, and no other.
func TestDifferencesAreListed(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/compatibility.md")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		if expr, _, ok := strings.Cut(strings.TrimPrefix(line, "| `"), "` |"); ok && strings.HasPrefix(line, "| `") {
			listed[expr] = true
		}
	}
	for expr := range knownExpressions {
		if !listed[expr] {
			t.Errorf("docs/compatibility.md does not list %s", expr)
		}
	}
	recorded := map[string]bool{}
	for _, file := range []string{"functions.jsonl", "aggregates.jsonl"} {
		for _, c := range loadVectors(t, file) {
			recorded[c.Expr] = true
		}
	}
	for expr := range listed {
		if knownExpressions[expr] == "" {
			t.Errorf("docs/compatibility.md lists %s, which no test lets differ", expr)
		}
		if !recorded[expr] {
			t.Errorf("docs/compatibility.md lists %s, which is not recorded", expr)
		}
	}
}
