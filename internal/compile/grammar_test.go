package compile_test

import (
	"os"
	"strings"
	"testing"

	"github.com/runnelio/runnel/internal/diag"
)

// TestGrammar tries statements of all kinds, one a line, those of other systems
// too: each works, perhaps with warnings, or is refused by name and place.
func TestGrammar(t *testing.T) {
	raw, err := os.ReadFile("testdata/grammar.sql")
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, l := range strings.Split(strings.TrimSpace(string(raw)), "\n") {
		s := newSession(t)
		must(t, s, base+"CREATE VIEW v AS SELECT id FROM t; CREATE TABLE o (id INT) WITH ('connector'='print'); CREATE FUNCTION f AS 'a.B'")
		r, err := exec(t, s, l)
		switch {
		case err != nil:
			b.WriteString(diag.Render(diag.WithSource(err, l)) + "\n")
		case len(r.Warnings) > 0:
			b.WriteString("warning\n  " + l + "\n  " + strings.Join(r.Warnings, "\n  ") + "\n")
		default:
			b.WriteString("ok\n  " + l + "\n")
		}
		b.WriteString("---\n")
	}
	const golden = "testdata/grammar.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("the outcome is not that of %s (-update rewrites it)\n%s", golden, b.String())
	}
}
