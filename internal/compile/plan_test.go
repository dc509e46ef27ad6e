package compile_test

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	connectors "github.com/runnelio/runnel/connectors/all"
	formats "github.com/runnelio/runnel/format/all"
	"github.com/runnelio/runnel/internal/builtin"
	"github.com/runnelio/runnel/internal/compile"
	"github.com/runnelio/runnel/internal/corpus"
	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/sql"
)

var update = flag.Bool("update", false, "rewrite golden files")

func newSession(t testing.TB) *compile.Session {
	t.Helper()
	s, err := compile.New(compile.Options{Connectors: connectors.Connectors(), Formats: formats.Formats(), Functions: builtin.All()})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// exec runs statements and returns the last result.
func exec(t testing.TB, s *compile.Session, script string) (*compile.Result, error) {
	t.Helper()
	stmts, err := sql.Parse(script, sql.Options{})
	if err != nil {
		return nil, err
	}
	var r *compile.Result
	for _, st := range stmts {
		if r, err = s.Execute(context.Background(), st, nil); err != nil {
			return nil, diag.WithSource(err, script)
		}
	}
	return r, nil
}

func must(t testing.TB, s *compile.Session, script string) *compile.Result {
	t.Helper()
	r, err := exec(t, s, script)
	if err != nil {
		t.Fatalf("%s\n%s", script, diag.Render(err))
	}
	return r
}

const separator = "\n----\n"

// TestPlans explains the last statement of each file of testdata/plans and
// compares with what stands behind the line of dashes; -update rewrites it.
func TestPlans(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(corpus.Root(t), "testdata", "plans", "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no plans: %v", err)
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".txt"), func(t *testing.T) {
			raw, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			script, want, _ := strings.Cut(string(raw), separator)
			s := newSession(t)
			stmts, err := sql.Parse(script, sql.Options{})
			if err != nil {
				t.Fatal(diag.Render(err))
			}
			for _, st := range stmts[:len(stmts)-1] {
				if _, err := s.Execute(t.Context(), st, nil); err != nil {
					t.Fatal(diag.Render(diag.WithSource(err, script)))
				}
			}
			got, err := s.Explain(stmts[len(stmts)-1])
			if err != nil {
				got = diag.Render(diag.WithSource(err, script)) + "\n"
			}
			if *update {
				if err := os.WriteFile(f, []byte(script+separator+got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}
