package sql_test

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/runnelio/runnel/internal/corpus"
	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/sql"
)

// script is a text of the corpus and the dialect it is in.
type script struct{ name, src, dialect string }

// oracleScripts returns the SQL of the oracle's queries, of Nexmark and of rsqldb.
func oracleScripts(t testing.TB) []script {
	t.Helper()
	var out []script
	files, err := filepath.Glob(corpus.Oracle(t, "queries", "*.json"))
	if err != nil || len(files) < 100 {
		t.Fatalf("queries: %d files, %v", len(files), err)
	}
	for _, f := range files {
		var q struct {
			DDL   []string
			Query string
		}
		if err := json.Unmarshal(read(t, f), &q); err != nil {
			t.Fatal(f, err)
		}
		for _, s := range append(q.DDL, q.Query) {
			out = append(out, script{name: filepath.Base(f), src: s})
		}
	}
	files, _ = filepath.Glob(corpus.Oracle(t, "nexmark", "*.sql"))
	for _, f := range files {
		out = append(out, script{name: filepath.Base(f), src: string(read(t, f))})
	}
	cases := read(t, corpus.Oracle(t, "rsqldb-cases.md"))
	for _, m := range regexp.MustCompile("(?s)```sql\n(.*?)```").FindAllSubmatch(cases, -1) {
		out = append(out, script{name: "rsqldb-cases.md", src: string(m[1]), dialect: "rsqldb"})
	}
	return out
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// oracleExpr is an expression of the oracle, and whether Flink's parser refuses it.
type oracleExpr struct {
	src    string
	broken bool
}

func oracleExprs(t testing.TB) []oracleExpr {
	t.Helper()
	var out []oracleExpr
	for _, name := range []string{"functions.jsonl", "functions-columns.jsonl", "aggregates.jsonl"} {
		sc := bufio.NewScanner(strings.NewReader(string(read(t, corpus.Oracle(t, name)))))
		sc.Buffer(nil, 1<<20)
		for sc.Scan() {
			var v struct{ Expr, Error string }
			if err := json.Unmarshal(sc.Bytes(), &v); err != nil {
				t.Fatal(err)
			}
			out = append(out, oracleExpr{v.Expr, strings.HasPrefix(v.Error, "ParseException")})
		}
	}
	if len(out) < 2000 {
		t.Fatalf("only %d expressions", len(out))
	}
	return out
}

func TestParsesTheSQLOfTheOracle(t *testing.T) {
	for _, s := range oracleScripts(t) {
		_, err := sql.Parse(s.src, sql.Options{Dialect: s.dialect})
		if want := s.name == "reserved_word_error.json"; (err != nil) != want {
			t.Errorf("%s: %s\n%s", s.name, s.src, diag.Render(err))
		}
	}
}

// laterRefused are texts that Flink refuses too, but not as a ParseException.
var laterRefused = map[string]bool{
	"1 != 2": true, "CAST(1 AS NOSUCHTYPE)": true, "5 & 3": true, "~5": true, "MAP['a', 1, 'b']": true,
}

func TestParsesTheExpressionsOfTheOracle(t *testing.T) {
	for _, e := range oracleExprs(t) {
		_, err := sql.ParseExpr(e.src, sql.Options{})
		if (err != nil) != e.broken && !laterRefused[e.src] {
			t.Errorf("%s: Flink refuses: %v, ours: %v", e.src, e.broken, diag.Render(err))
		}
	}
}
