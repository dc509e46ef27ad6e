package sql_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/sql"
	"github.com/runnelio/runnel/internal/sql/ast"
)

// The left text must read as the right one. The printer shares the table of
// precedences with the parser, so only a test like this one checks it.
func TestPrecedence(t *testing.T) {
	for _, c := range [][2]string{
		{"a + b * c", "a + (b * c)"},
		{"a * b + c", "(a * b) + c"},
		{"a - b - c", "(a - b) - c"},
		{"a / b * c % d", "((a / b) * c) % d"},
		{"a || b || c", "(a || b) || c"},
		{"a + b || c", "a + (b || c)"},
		{"a * b || c", "(a * b) || c"},
		{"-a * b", "(-a) * b"},
		{"-a + b", "(-a) + b"},
		{"-a[1]", "-(a[1])"},
		{"- -a", "-(-a)"},
		{"a + b = c - d", "(a + b) = (c - d)"},
		{"a = b = c", "(a = b) = c"},
		{"a < b = c", "(a < b) = c"},
		{"NOT a = b", "NOT (a = b)"},
		{"NOT a AND b", "(NOT a) AND b"},
		{"NOT a IS NULL", "NOT (a IS NULL)"},
		{"NOT NOT a", "NOT (NOT a)"},
		{"NOT a BETWEEN 1 AND 2", "NOT (a BETWEEN 1 AND 2)"},
		{"NOT a IN (1) OR b", "(NOT (a IN (1))) OR b"},
		{"a OR b AND c", "a OR (b AND c)"},
		{"a AND b OR c", "(a AND b) OR c"},
		{"a OR b OR c", "(a OR b) OR c"},
		{"a = b IS NULL", "(a = b) IS NULL"},
		{"a + b IS NULL", "(a + b) IS NULL"},
		{"a AND b IS TRUE", "a AND (b IS TRUE)"},
		{"a = b IS NOT TRUE AND c", "((a = b) IS NOT TRUE) AND c"},
		{"a IS NULL = b", "(a IS NULL) = b"},
		{"a IS DISTINCT FROM b AND c", "(a IS DISTINCT FROM b) AND c"},
		{"a IS NOT DISTINCT FROM b + c", "a IS NOT DISTINCT FROM (b + c)"},
		{"a BETWEEN b + 1 AND c + 1", "a BETWEEN (b + 1) AND (c + 1)"},
		{"a BETWEEN 1 AND 2 AND b", "(a BETWEEN 1 AND 2) AND b"},
		{"a = b BETWEEN 1 AND 2", "a = (b BETWEEN 1 AND 2)"},
		{"a LIKE b || c", "a LIKE (b || c)"},
		{"a LIKE b = c", "(a LIKE b) = c"},
		{"a = b LIKE c", "a = (b LIKE c)"},
		{"a + b LIKE c", "(a + b) LIKE c"},
		{"a IN (1) AND b IN (2)", "(a IN (1)) AND (b IN (2))"},
		{"a = ANY (1, 2) AND b", "(a = ANY (1, 2)) AND b"},
		{"a + INTERVAL '1' DAY < b", "(a + INTERVAL '1' DAY) < b"},
		{"a.b[1].c = d", "((a.b[1]).c) = d"},
		{"CASE WHEN a THEN b END + 1", "(CASE WHEN a THEN b END) + 1"},
	} {
		got, err := sql.ParseExpr(c[0], sql.Options{})
		if err != nil {
			t.Error(diag.Render(err))
			continue
		}
		want, err := sql.ParseExpr(c[1], sql.Options{})
		if err != nil {
			t.Error(diag.Render(err))
			continue
		}
		if d := diff("", reflect.ValueOf(got), reflect.ValueOf(want)); d != "" {
			t.Errorf("%s is not %s: %s", c[0], c[1], d)
		}
	}
}

func TestPrecedenceOfQueries(t *testing.T) {
	for _, c := range [][2]string{
		{"SELECT 1 UNION SELECT 2 INTERSECT SELECT 3", "SELECT 1 UNION (SELECT 2 INTERSECT SELECT 3)"},
		{"SELECT 1 EXCEPT SELECT 2 UNION ALL SELECT 3", "(SELECT 1 EXCEPT SELECT 2) UNION ALL SELECT 3"},
		{"SELECT 1 INTERSECT SELECT 2 EXCEPT SELECT 3", "(SELECT 1 INTERSECT SELECT 2) EXCEPT SELECT 3"},
		{"SELECT 1 UNION SELECT 2 ORDER BY 1 LIMIT 1", "(SELECT 1 UNION SELECT 2) ORDER BY 1 LIMIT 1"},
		{"SELECT 1 FETCH FIRST 3 ROWS ONLY", "SELECT 1 LIMIT 3"},
		{"SELECT 1 LIMIT 2, 3", "SELECT 1 LIMIT 3 OFFSET 2"},
		{"SELECT 1 MINUS SELECT 2", "SELECT 1 EXCEPT SELECT 2"},
		{"SELECT * FROM a, b JOIN c ON TRUE", "SELECT * FROM a, (b JOIN c ON TRUE)"},
		{"SELECT * FROM a JOIN b ON x JOIN c ON y", "SELECT * FROM (a JOIN b ON x) JOIN c ON y"},
		{"SELECT * FROM (((a)))", "SELECT * FROM a"},
		{"SELECT * FROM ((SELECT 1))", "SELECT * FROM (SELECT 1)"},
	} {
		got, err := sql.ParseQuery(c[0], sql.Options{})
		if err != nil {
			t.Error(diag.Render(err))
			continue
		}
		want, err := sql.ParseQuery(c[1], sql.Options{})
		if err != nil {
			t.Error(diag.Render(err))
			continue
		}
		if d := diff("", reflect.ValueOf(got), reflect.ValueOf(want)); d != "" {
			t.Errorf("%s is not %s: %s", c[0], c[1], d)
		}
	}
}

// The encodings that ast.Call documents, seen from the binder's side.
func TestSpecialSyntaxBecomesCalls(t *testing.T) {
	for src, want := range map[string]string{
		"TRIM('x' FROM a)":                   "TRIM(:BOTH, 'x', a)",
		"TRIM(LEADING FROM a)":               "TRIM(:LEADING, ' ', a)",
		"TRIM(a)":                            "TRIM(a)",
		"SUBSTRING(a FROM 2 FOR 3)":          "SUBSTRING(a, 2, 3)",
		"OVERLAY(a PLACING b FROM 1)":        "OVERLAY(a, b, 1)",
		"POSITION('x' IN a)":                 "POSITION('x', a)",
		"EXTRACT(year FROM a)":               "EXTRACT(:YEAR, a)",
		"CEILING(a TO day)":                  "CEIL(a, :DAY)",
		"TIMESTAMPDIFF(SQL_TSI_MONTH, a, b)": "TIMESTAMPDIFF(:MONTH, a, b)",
		"JSON_VALUE(a, '$' RETURNING INT NULL ON EMPTY DEFAULT 1 ON ERROR)": "JSON_VALUE(a, '$', RETURNING INT, :NULL ON EMPTY, :DEFAULT ON ERROR, 1)",
		"JSON_QUERY(a, '$' WITH ARRAY WRAPPER EMPTY ON ERROR)":              "JSON_QUERY(a, '$', :WITH UNCONDITIONAL WRAPPER, :EMPTY ARRAY ON ERROR)",
		"JSON_OBJECT('a' : 1 NULL ON NULL)":                                 "JSON_OBJECT(:NULL ON NULL, 'a', 1)",
		"JSON_ARRAYAGG(a ABSENT ON NULL)":                                   "JSON_ARRAYAGG(:ABSENT ON NULL, a)",
		"CURRENT_TIMESTAMP":                                                 "CURRENT_TIMESTAMP()",
		"upper(a)":                                                          "UPPER(a)",
		"c.d.f(a)":                                                          "(a)",
		"COUNT(*)":                                                          "COUNT(*)",
	} {
		x, err := sql.ParseExpr(src, sql.Options{})
		if err != nil {
			t.Error(diag.Render(err))
			continue
		}
		c := x.(*ast.Call)
		args := make([]string, len(c.Args))
		for i, a := range c.Args {
			args[i] = sql.Format(a)
			if _, ok := a.(*ast.Symbol); ok {
				args[i] = ":" + args[i]
			}
		}
		if got := c.Func + "(" + strings.Join(args, ", ") + ")"; got != want {
			t.Errorf("%s is %s, want %s", src, got, want)
		}
	}
}

func TestParametersAreNumberedInAStatement(t *testing.T) {
	stmts, err := sql.Parse("SELECT ?, a FROM t WHERE b > ? LIMIT ?; SELECT ?", sql.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var got []int
	for _, s := range stmts {
		ast.Walk(s, func(n ast.Node) bool {
			if p, ok := n.(*ast.Param); ok {
				got = append(got, p.Index)
			}
			return true
		})
	}
	if !reflect.DeepEqual(got, []int{0, 1, 2, 0}) {
		t.Errorf("parameters %v", got)
	}
}

func TestDialects(t *testing.T) {
	const src = "SELECT time FROM t;"
	if _, err := sql.Parse(src, sql.Options{}); err == nil {
		t.Error("time is no reserved word")
	}
	for _, s := range []string{"SET 'sql.dialect' = 'RSQLDB'; " + src, src} {
		opts := sql.Options{}
		if s == src {
			opts.Dialect = "rsqldb"
		}
		if _, err := sql.Parse(s, opts); err != nil {
			t.Error(diag.Render(err))
		}
	}
	if _, err := sql.Parse("SET 'sql.dialect' = 'rsqldb'; SET 'sql.dialect' = 'flink'; "+src, sql.Options{}); err == nil {
		t.Error("the dialect was not switched back")
	}
	if _, err := sql.Parse("SELECT 1", sql.Options{Dialect: "oracle"}); diag.CodeOf(err) != diag.BadValue {
		t.Errorf("unknown dialect: %v", err)
	}
}

func TestErrorsDoNotHideWhatCouldBeRead(t *testing.T) {
	stmts, err := sql.Parse("SELECT 1; SELECT FROM; SELECT 2; SELEC 3; SELECT 4", sql.Options{})
	var l diag.List
	if !errors.As(err, &l) || len(l) != 2 || len(stmts) != 3 {
		t.Errorf("%d statements, %v", len(stmts), err)
	}
	_, err = sql.Parse(strings.Repeat("SELECT FROM;", 100), sql.Options{})
	if !errors.As(err, &l) || len(l) != diag.MaxErrors {
		t.Errorf("%d errors, want %d", len(l), diag.MaxErrors)
	}
}

func TestQuote(t *testing.T) {
	for name, want := range map[string]string{"a": "a", "A_1": "A_1", "value": "`value`", "x y": "`x y`", "a`b": "`a``b`", "1a": "`1a`", "": "``", "ü": "ü", "map": "`map`", "a.b": "`a.b`"} {
		if got := sql.Quote(name); got != want {
			t.Errorf("%q is quoted as %s, want %s", name, got, want)
		}
	}
	if got := sql.QuoteString("it's"); got != "'it''s'" {
		t.Error(got)
	}
}
