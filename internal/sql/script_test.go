package sql_test

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/sql"
)

func TestSplit(t *testing.T) {
	for _, c := range []struct {
		src    string
		pieces []string
		rest   string
	}{
		{"", nil, ""},
		{" ;; -- only a comment", nil, ""},
		{"SELECT 1", nil, "SELECT 1"},
		{"SELECT 1;", []string{"SELECT 1"}, ""},
		{"SELECT 1; SELECT ';' /* ; */ ; SELECT `a;", []string{"SELECT 1", "SELECT ';'"}, "SELECT `a;"},
		{"SELECT 'a; b", nil, "SELECT 'a; b"},
		{"SELECT 1 /* ; ", nil, "SELECT 1 /* ; "},
		{"EXECUTE STATEMENT SET BEGIN INSERT INTO t SELECT CASE WHEN a THEN b END; INSERT INTO u SELECT 1; END; SELECT 2",
			[]string{"EXECUTE STATEMENT SET BEGIN INSERT INTO t SELECT CASE WHEN a THEN b END; INSERT INTO u SELECT 1; END"}, "SELECT 2"},
		{"EXECUTE STATEMENT SET BEGIN INSERT INTO t SELECT 1;", nil, "EXECUTE STATEMENT SET BEGIN INSERT INTO t SELECT 1;"},
		{"BEGIN STATEMENT SET; INSERT INTO t SELECT 1; END;", []string{"BEGIN STATEMENT SET; INSERT INTO t SELECT 1; END"}, ""},
		{"BEGIN STATEMENT SET;", nil, "BEGIN STATEMENT SET;"},
		{"EXPLAIN STATEMENT SET BEGIN INSERT INTO t SELECT 1; END; X;", []string{"EXPLAIN STATEMENT SET BEGIN INSERT INTO t SELECT 1; END", "X"}, ""},
		{"SET 'sql.dialect' = 'rsqldb'; SELECT \"a;b\"; SELECT 1;", []string{"SET 'sql.dialect' = 'rsqldb'", `SELECT "a;b"`, "SELECT 1"}, ""},
	} {
		pieces, rest := sql.Split(c.src, sql.Options{})
		var texts []string
		for _, p := range pieces {
			texts = append(texts, p.Text)
			if c.src[p.Span.Start:p.Span.End] != p.Text {
				t.Errorf("%q: span %v is not %q", c.src, p.Span, p.Text)
			}
		}
		if !slices.Equal(texts, c.pieces) || rest != c.rest {
			t.Errorf("%q: %q and %q", c.src, texts, rest)
		}
	}
}

func TestSplitAgreesWithParse(t *testing.T) {
	for _, s := range oracleScripts(t) {
		stmts, err := sql.Parse(s.src, sql.Options{Dialect: s.dialect})
		if err != nil {
			continue
		}
		pieces, rest := sql.Split(s.src+";", sql.Options{Dialect: s.dialect})
		if len(pieces) != len(stmts) || rest != "" {
			t.Fatalf("%d statements, %d pieces, rest %q of\n%s", len(stmts), len(pieces), rest, s.src)
		}
		for i, p := range pieces {
			if got := stmts[i].Pos(); got != p.Span {
				t.Errorf("statement at %v, piece at %v", got, p.Span)
			}
		}
	}
}

func TestTokensCoverTheText(t *testing.T) {
	for _, s := range oracleScripts(t) {
		end := int32(0)
		for _, tok := range sql.Tokens(s.src, sql.Options{Dialect: s.dialect}) {
			if gap := s.src[end:tok.Span.Start]; strings.TrimSpace(gap) != "" {
				t.Fatalf("%q belongs to no token", gap)
			}
			if tok.Kind == sql.Broken {
				t.Errorf("%s: %s", s.name, tok.Text)
			}
			if got := strings.Count(s.src[:tok.Span.Start], "\n") + 1; got != int(tok.Span.Line) {
				t.Fatalf("line %d, want %d", tok.Span.Line, got)
			}
			end = tok.Span.End
		}
	}
}

func TestExpected(t *testing.T) {
	for src, want := range map[string][]string{
		"":                            {"SELECT", "CREATE", "INSERT"},
		"SELECT a FROM t ":            {"WHERE", "GROUP", "JOIN", "ORDER", "UNION", "AS"},
		"SELECT a FROM t WHERE a ":    {"AND", "OR", "IS", "GROUP", "LIMIT"},
		"SELECT a FROM t GROUP ":      {"BY"},
		"SELECT 1; CREATE ":           {"TABLE", "VIEW", "FUNCTION", "TEMPORARY"},
		"SHOW ":                       {"TABLES", "CREATE", "JOBS"},
		"SELECT CASE WHEN a THEN b ":  {"WHEN", "ELSE", "END"},
		"SELECT COUNT(*) OVER (":      {"PARTITION", "ORDER", "ROWS"},
		"SELECT a FROM t ORDER BY a ": {"ASC", "DESC", "NULLS", "LIMIT"},
		"SELECT ":                     {"DISTINCT", "CASE", "CAST"},
	} {
		got := sql.Expected(src, sql.Options{})
		for _, w := range want {
			if !slices.Contains(got, w) {
				t.Errorf("%q: %s is missing in %v", src, w, got)
			}
		}
	}
}

// golden compares got with the file beside the input; -update rewrites it.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want := string(read(t, path)); got != want {
		t.Errorf("%s (-update rewrites it)\ngot\n%s\nwant\n%s", path, got, want)
	}
}

func TestFormatScript(t *testing.T) {
	files, _ := filepath.Glob("testdata/format/*.sql")
	if len(files) == 0 {
		t.Fatal("no files")
	}
	for _, f := range files {
		src := string(read(t, f))
		got, err := sql.FormatScript(src, sql.Options{})
		if err != nil {
			t.Fatal(diag.Render(err))
		}
		golden(t, strings.TrimSuffix(f, ".sql")+".golden", got)
		again, err := sql.FormatScript(got, sql.Options{})
		if err != nil || again != got {
			t.Errorf("%s: formatted twice differs: %v\n%s", f, err, again)
		}
		a, _ := sql.Parse(src, sql.Options{})
		b, _ := sql.Parse(got, sql.Options{})
		if d := diff("", reflect.ValueOf(a), reflect.ValueOf(b)); d != "" {
			t.Errorf("%s: differs in %s", f, d)
		}
	}
}
