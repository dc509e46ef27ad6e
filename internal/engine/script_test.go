package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/internal/compile"
	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/sql/ast"
)

// TestScriptReportsAllItsErrors: statements behind the first wrong one are
// checked too, those before it are done, and none behind it is.
func TestScriptReportsAllItsErrors(t *testing.T) {
	e, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"names", "SELECT nope; SELECT 1; SELECT nowt + 1", []string{"nope", "nowt"}},
		{"syntax and names", "SELECT nope; SELEC 1; CREATE TABLE t (a DECIMAL(50, 2)); SELECT nowt", []string{"nope", "SELEC", "DECIMAL", "nowt"}},
	} {
		s, err := e.Session()
		if err != nil {
			t.Fatal(err)
		}
		ran := 0
		err = Script(t.Context(), s, c.text, "", Steps{
			Statement: func(ast.Statement, *compile.Result) error { return nil },
			Collect:   func() connector.Sink { return nothing{} },
			Query:     func(ast.Statement, *compile.Job) error { ran++; return nil },
			Insert:    func(*compile.Job, bool) error { ran++; return nil },
		})
		var l diag.List
		if !errors.As(err, &l) || len(l) != len(c.want) {
			t.Fatalf("%s: %v", c.name, err)
		}
		for i, w := range c.want {
			if !strings.Contains(diag.Render(l[i]), w) {
				t.Errorf("%s: error %d is %v, not about %s", c.name, i, l[i], w)
			}
		}
		if ran != 0 {
			t.Errorf("%s: %d statements behind an error ran", c.name, ran)
		}
	}
}

// TestScriptRefusesPlansThatExplode: a few lines of WITH can ask for millions of operators.
func TestScriptRefusesPlansThatExplode(t *testing.T) {
	e, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := e.Session()
	if err != nil {
		t.Fatal(err)
	}
	text := "WITH a0 AS (SELECT 1 AS x)"
	for i := range 30 {
		text += fmt.Sprintf(", a%d AS (SELECT a.x FROM a%d a, a%d b)", i+1, i, i)
	}
	text += " SELECT COUNT(*) FROM a30"
	err = Script(context.Background(), s, text, "", Steps{Collect: func() connector.Sink { return nothing{} },
		Query: func(ast.Statement, *compile.Job) error { return nil }})
	if diag.CodeOf(err) != diag.Limit {
		t.Fatalf("%v", err)
	}
}
