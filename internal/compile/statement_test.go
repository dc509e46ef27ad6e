package compile_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/runnelio/runnel/internal/compile"
	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/types"
)

// rows prints a result, a row a line.
func rows(r *compile.Result) string {
	var b strings.Builder
	for _, row := range r.Rows {
		for i, v := range row {
			if i > 0 {
				b.WriteString(" | ")
			}
			if v == nil {
				b.WriteString("NULL")
			} else {
				b.Write(types.AppendValue(nil, v, r.Schema.Fields[i].Type, nil))
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}

const base = `CREATE TABLE t (
  id INT, name STRING COMMENT 'who', ts TIMESTAMP(3), twice AS id * 2,
  PRIMARY KEY (id) NOT ENFORCED,
  WATERMARK FOR ts AS ts - INTERVAL '1' SECOND
) COMMENT 'things' WITH ('connector' = 'filesystem', 'path' = '/tmp/t', 'format' = 'json');
`

func TestStatementsThatAnswer(t *testing.T) {
	for _, c := range []struct{ name, script, want string }{
		{"describe", base + "DESCRIBE t", `id | INT | FALSE | PRI(id) | NULL | NULL
name | STRING | TRUE | NULL | NULL | NULL
ts | TIMESTAMP(3) *ROWTIME* | TRUE | NULL | NULL | ts - INTERVAL '1' SECOND
twice | INT | FALSE | NULL | AS id * 2 | NULL
`},
		{"show tables", base + "CREATE VIEW v AS SELECT id FROM t; CREATE TEMPORARY VIEW w AS SELECT id FROM v; SHOW TABLES", "t\nv\nw\n"},
		{"show tables like", base + "CREATE VIEW tv AS SELECT id FROM t; CREATE VIEW x AS SELECT id FROM t; SHOW TABLES LIKE 't%'", "t\ntv\n"},
		{"show tables not like", base + "CREATE VIEW tv AS SELECT id FROM t; SHOW TABLES NOT LIKE '_'", "tv\n"},
		{"show views", base + "CREATE VIEW v AS SELECT id FROM t; SHOW VIEWS", "v\n"},
		{"databases", "CREATE DATABASE a; CREATE DATABASE IF NOT EXISTS a; SHOW DATABASES", "a\ndefault_database\n"},
		{"use", "CREATE DATABASE a; USE a; SHOW CURRENT DATABASE", "a\n"},
		{"catalogs", "CREATE CATALOG c WITH ('type' = 'generic_in_memory'); USE CATALOG c; SHOW CATALOGS", "c\ndefault_catalog\n"},
		{"columns like", base + "SHOW COLUMNS FROM t LIKE 'n%'", "name | STRING | TRUE | NULL | NULL | NULL\n"},
		{"set lists", "SET 'parallelism.default' = '2'; SET 'pipeline.name' = 'x'; SET", "parallelism.default | 2\npipeline.name | x\n"},
		{"reset", "SET 'parallelism.default' = '2'; RESET 'parallelism.default'; SET", ""},
		{"alter options", base + "ALTER TABLE t SET ('path' = '/tmp/u'); ALTER TABLE t DROP WATERMARK; ALTER TABLE t RENAME TO s; SHOW TABLES", "s\n"},
		{"alter columns", base + "ALTER TABLE t ADD (x BIGINT FIRST, y AS id + 1 AFTER name); DESCRIBE t", `x | BIGINT | TRUE | NULL | NULL | NULL
id | INT | FALSE | PRI(id) | NULL | NULL
name | STRING | TRUE | NULL | NULL | NULL
y | INT | FALSE | NULL | AS id + 1 | NULL
ts | TIMESTAMP(3) *ROWTIME* | TRUE | NULL | NULL | ts - INTERVAL '1' SECOND
twice | INT | FALSE | NULL | AS id * 2 | NULL
`},
		{"like", base + "CREATE TABLE u (more STRING) WITH ('path' = '/tmp/u') LIKE t (EXCLUDING GENERATED EXCLUDING WATERMARKS); DESCRIBE u", `id | INT | FALSE | PRI(id) | NULL | NULL
name | STRING | TRUE | NULL | NULL | NULL
ts | TIMESTAMP(3) | TRUE | NULL | NULL | NULL
more | STRING | TRUE | NULL | NULL | NULL
`},
		{"drop if exists", base + "DROP TABLE IF EXISTS nope; DROP TABLE t; SHOW TABLES", ""},
		{"if not exists", base + "CREATE TABLE IF NOT EXISTS t (x INT) WITH ('connector' = 'print'); SHOW COLUMNS FROM t LIKE 'id'", "id | INT | FALSE | PRI(id) | NULL | NULL\n"},
		{"temporary hides", base + "CREATE TEMPORARY TABLE t (x INT) WITH ('connector' = 'print'); DESCRIBE t", "x | INT | TRUE | NULL | NULL | NULL\n"},
		{"functions", "CREATE FUNCTION f AS 'a.B'; SHOW USER FUNCTIONS", "F\n"},
		{"describe catalog", "DESCRIBE CATALOG default_catalog", "name | default_catalog\ntype | generic_in_memory\ncomment | NULL\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := rows(must(t, newSession(t), c.script)); got != c.want {
				t.Errorf("got\n%swant\n%s", got, c.want)
			}
		})
	}
}

// What SHOW CREATE prints can be executed and prints the same again.
func TestShowCreateCanBeReadAgain(t *testing.T) {
	for _, script := range []string{
		base + "SHOW CREATE TABLE t",
		base + "CREATE TABLE p (a INT METADATA, b ARRAY<ROW<x INT, y STRING NOT NULL>>, c MAP<STRING, DECIMAL(10, 2)>) PARTITIONED BY (b) WITH ('connector' = 'x''y'); SHOW CREATE TABLE p",
		base + "CREATE TABLE u WITH ('path' = '/tmp/u') LIKE t; SHOW CREATE TABLE u",
		base + "CREATE VIEW v (a, b) AS SELECT id, COUNT(*) FROM t GROUP BY id HAVING COUNT(*) > 1; SHOW CREATE VIEW v",
	} {
		s := newSession(t)
		r := must(t, s, script)
		text := r.Rows[0][0].(string)
		what := "TABLE"
		if strings.Contains(script, "SHOW CREATE VIEW") {
			what = "VIEW"
		}
		name := script[strings.LastIndex(script, " ")+1:]
		again := newSession(t)
		if what == "VIEW" {
			must(t, again, base)
		}
		must(t, again, text)
		if got := must(t, again, "SHOW CREATE "+what+" "+name).Rows[0][0].(string); got != text {
			t.Errorf("got\n%s\nwant\n%s", got, text)
		}
	}
}

func TestErrorsSayWhereAndWhat(t *testing.T) {
	for _, c := range []struct {
		script string
		code   diag.Code
		want   string // line:column and the hint
	}{
		{"SET 'paralelism.default' = '2'", diag.UnknownOption, "1:5 did you mean parallelism.default?"},
		{"SET 'parallelism.default' = 'two'", diag.BadValue, "1:29 "},
		{"SET 'table.local-time-zone' = 'Mars/Base'", diag.BadValue, "1:31 "},
		{"CREATE TABLE t (a INT) WITH ('connector' = 'filesystem', 'pth' = 'x', 'format' = 'json')", diag.UnknownOption, "1:58 did you mean 'path'?"},
		{"CREATE TABLE t (a INT) WITH ('connector' = 'filesystem', 'path' = 'x', 'format' = 'jsn')", diag.UnknownFormat, "1:83 did you mean 'json'?"},
		{"CREATE TABLE t (a INT, a STRING) WITH ('connector' = 'print')", diag.Exists, "1:24 "},
		{"CREATE TABLE t (a INT, WATERMARK FOR b AS b) WITH ('connector' = 'print')", diag.UnknownColumn, "1:38 "},
		{"CREATE TABLE t (a INT, WATERMARK FOR a AS a) WITH ('connector' = 'print')", diag.TypeMismatch, "1:38 "},
		{"CREATE TABLE t (a INT, PRIMARY KEY (a)) WITH ('connector' = 'print')", diag.Unsupported, "1:24 write PRIMARY KEY … NOT ENFORCED"},
		{"CREATE TABLE t (a INT, b AS c + 1) WITH ('connector' = 'print')", diag.UnknownColumn, "1:29 "},
		{base + "CREATE TABLE t (a INT) WITH ('connector' = 'print')", diag.Exists, "6:14 drop it first, or say IF NOT EXISTS"},
		{base + "DROP TABEL t", diag.Syntax, "6:6 did you mean TABLE?"},
		{base + "DROP VIEW t", diag.UnknownTable, "6:11 it is a table: DROP TABLE"},
		{base + "SELECT * FROM tt", diag.UnknownTable, "6:15 "},
		{base + "SELECT t.nam FROM t", diag.UnknownColumn, "6:10 did you mean name?"},
		{base + "SELECT NAME FROM t", diag.UnknownColumn, "6:8 did you mean name?"},
		{"SELECT * FROM TABLE(ML_PREDICT(TABLE t, MODEL m, DESCRIPTOR(x)))", diag.Unsupported, "1:21 there are no models; a function written in Go can ask one"},
		{"SELECT * FROM TO_CHANGELOG(input => TABLE t)", diag.Unsupported, "1:15 write to a table whose format carries changes, such as debezium-json"},
		{"SELECT * FROM FROM_CHANGELOG(input => TABLE t PARTITION BY x)", diag.Unsupported, "1:15 a table whose format carries changes, such as debezium-json, gives them"},
		{base + "SELECT * FROM t, LATERAL TABLE(VECTOR_SEARCH(TABLE t, DESCRIPTOR(id), id, 10))", diag.Unsupported, "6:32 a function written in Go can search, or a lookup join by key"},
		{base + "SELECT ml_evaluate(id) FROM t", diag.Unsupported, "6:8 there are no models; a function written in Go can ask one"},
		{base + "SELECT LISTAGG(name) WITHIN GROUP (ORDER BY id) FROM t", diag.NotAllowed, "6:45 "},
		{base + "SELECT SUM(id ORDER BY id) FROM t", diag.NotAllowed, "6:24 "},
		{base + "SELECT ARRAY_AGG(id ORDER BY nam) FROM t", diag.UnknownColumn, "6:30 did you mean name?"},
		{base + "SELECT UPER(name) FROM t", diag.UnknownFunction, "6:8 did you mean UPPER?"},
		{base + "SELECT id FROM t a, t b", diag.AmbiguousColumn, "6:8 write a.id or b.id"},
		{base + "SELECT id FROM t, t", diag.Exists, "6:16 give them different aliases: t AS a"},
		{base + "SELECT id FROM t WHERE COUNT(*) > 1", diag.NotAllowed, "6:24 aggregates belong into SELECT, HAVING and ORDER BY, and not into one another"},
		{base + "SELECT SUM(COUNT(*)) FROM t", diag.NotAllowed, "6:12 aggregates belong into SELECT, HAVING and ORDER BY, and not into one another"},
		{base + "SELECT name, SUM(id) FROM t GROUP BY ts", diag.NotAllowed, "6:8 add it to GROUP BY, or use an aggregate such as MAX(name)"},
		{base + "SELECT id FROM t WHERE name", diag.TypeMismatch, "6:24 "},
		{base + "SELECT id = name FROM t", diag.TypeMismatch, "6:11 use CAST"},
		{base + "SELECT id FROM t UNION SELECT id, name FROM t", diag.TypeMismatch, "6:24 "},
		{base + "SELECT CASE WHEN id > 1 THEN 1 ELSE 'x' END FROM t", diag.TypeMismatch, "6:8 "},
		{base + "SELECT NULL FROM t", diag.TypeMismatch, "6:8 write CAST(NULL AS INT), or the type that is meant"},
		{base + "SELECT id FROM t ORDER BY 3", diag.BadArgument, "6:27 "},
		{base + "SELECT ROW_NUMBER() FROM t", diag.NotAllowed, "6:8 "},
		{base + "SELECT SUM(id) OVER w FROM t WINDOW v AS (ORDER BY ts)", diag.UnknownName, "6:21 "},
		{base + "SELECT * FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(name), INTERVAL '1' MINUTE))", diag.TypeMismatch, "6:48 declare WATERMARK FOR it, or use a column AS PROCTIME()"},
		{base + "SELECT * FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts)))", diag.BadArgument, "6:21 it takes DATA, TIMECOL, SIZE, OFFSET"},
		{base + "SELECT TUMBLE_START(ts, INTERVAL '2' MINUTE) FROM t GROUP BY TUMBLE(ts, INTERVAL '1' MINUTE)", diag.NotAllowed, "6:8 give it the same arguments"},
		{base + "INSERT INTO t (id, nme) SELECT 1, 'x'", diag.UnknownColumn, "6:20 did you mean name?"},
		{base + "CREATE TABLE o (id INT) WITH ('connector' = 'print'); INSERT INTO o (id) SELECT 'x'", diag.TypeMismatch, "6:74 write CAST(EXPR$0 AS INT)"},
		{base + "INSERT INTO t SELECT 1", diag.TypeMismatch, "6:15 "},
		{base + "INSERT INTO t (name) SELECT 'x'", diag.NotAllowed, "6:13 "},
		{base + "CREATE VIEW v AS SELECT idd FROM t", diag.UnknownColumn, "6:25 did you mean id?"},
		{base + "CREATE VIEW v (a, b) AS SELECT id FROM t", diag.TypeMismatch, "6:16 "},
		{base + "CREATE VIEW v AS SELECT id FROM t; DROP TABLE t; SELECT * FROM v", diag.UnknownTable, "6:64 "},
		{base + "CREATE VIEW v AS SELECT id FROM t; ALTER VIEW v AS SELECT id FROM v; SELECT * FROM v", diag.NotAllowed, "6:84 "},
		{"DROP DATABASE default_database", diag.NotAllowed, "1:15 USE another first"},
		{"USE nope", diag.UnknownName, "1:5 "},
		{"ADD JAR 'x.jar'", diag.Unsupported, "1:1 this program runs no Java; its functions are built in or written in Go, WASM, JavaScript or Python"},
		{base + "DELETE FROM t WHERE id = 1", diag.Unsupported, "6:1 a query with INSERT INTO a table with a primary key updates it"},
		{"SELECT * FROM (VALUES (1), (2, 3)) AS v", diag.TypeMismatch, "1:28 "},
		{"SELECT x FROM (VALUES (1), ('a')) AS v(x)", diag.TypeMismatch, "1:24 "},
		{base + "SELECT id FROM t WHERE id IN (SELECT id, name FROM t)", diag.TypeMismatch, "6:24 "},
		{base + "SELECT (SELECT id, name FROM t) FROM t", diag.TypeMismatch, "6:8 "},
		{base + "SELECT id FROM t JOIN t AS u USING (idd)", diag.UnknownColumn, "6:37 did you mean id?"},
		{base + "SELECT /*+ OPTONS('a'='b') */ id FROM t", diag.UnknownOption, "6:12 did you mean OPTIONS?"},
		{base + "SELECT INTERVAL '1x' DAY", diag.BadValue, "6:17 "},
		{base + "SELECT DATE '2024-02-30'", diag.BadValue, "6:8 write it as yyyy-MM-dd"},
		{base + "SELECT 99999999999999999999", diag.BadValue, "6:8 CAST('99999999999999999999' AS DECIMAL(38, 0)) holds 38 digits"},
	} {
		_, err := exec(t, newSession(t), c.script)
		if err == nil {
			t.Errorf("%s\naccepted", c.script)
			continue
		}
		var first *diag.Error
		switch e := err.(type) {
		case *diag.Error:
			first = e
		case diag.List:
			first = e[0]
		default:
			t.Errorf("%s\n%T: %v", c.script, err, err)
			continue
		}
		if got := fmt.Sprintf("%d:%d %s", first.Span.Line, first.Span.Col, first.Tip); first.Code != c.code || got != c.want {
			t.Errorf("%s\n got %s %q (%s)\nwant %s %q", c.script, first.Code, got, first.Message, c.code, c.want)
		}
	}
}

func TestSeveralErrorsOfAStatement(t *testing.T) {
	_, err := exec(t, newSession(t), base+"SELECT a, b, id, c FROM t WHERE d = 1 ORDER BY e")
	l, ok := err.(diag.List)
	if !ok || len(l) != 5 {
		t.Fatalf("%v", err)
	}
	var many []string
	for i := range 30 {
		many = append(many, fmt.Sprintf("c%d", i))
	}
	_, err = exec(t, newSession(t), base+"SELECT "+strings.Join(many, ", ")+" FROM t")
	if l, ok := err.(diag.List); !ok || len(l) != diag.MaxErrors {
		t.Fatalf("%v", err)
	}
}

func TestEvalGivesTypeAndValue(t *testing.T) {
	s := newSession(t)
	for _, fold := range []bool{true, false} {
		ty, v, err := s.Eval("1 + 2.50", fold)
		if err != nil || ty.String() != "DECIMAL(13, 2) NOT NULL" || string(types.AppendValue(nil, v, ty, nil)) != "3.50" {
			t.Errorf("%s %v %v", ty, v, err)
		}
		if _, _, err := s.Eval("1 / 0", fold); err == nil {
			t.Error("1 / 0 has a value")
		}
	}
}

func TestJobsKnowTheirNamesAndTables(t *testing.T) {
	s := newSession(t)
	r := must(t, s, base+"CREATE TABLE o (id INT) WITH ('connector' = 'print'); SET 'pipeline.name' = 'mine'; SET 'execution.checkpointing.interval' = '10 s'; INSERT INTO o SELECT id FROM t")
	if r.Job == nil || r.Job.Name != "mine" || len(r.Job.Tables) != 1 || r.Job.Schema != nil || r.Job.Checkpoint.Seconds() != 10 {
		t.Errorf("%+v", r.Job)
	}
	r = must(t, s, "RESET 'pipeline.name'; CREATE TABLE c WITH ('connector' = 'print') AS SELECT id, name AS n FROM t")
	if r.Job == nil || r.Job.Tables[0] != "default_catalog.default_database.c" {
		t.Errorf("%+v", r)
	}
	if got := rows(must(t, s, "DESCRIBE c")); got != "id | INT | FALSE | NULL | NULL | NULL\nn | STRING | TRUE | NULL | NULL | NULL\n" {
		t.Error(got)
	}
}

// Options that name columns are checked when the table is created, and each
// error stands at its option.
func TestOptionsOfColumnsAreChecked(t *testing.T) {
	for _, c := range []struct{ options, want string }{
		{"'fields.id.kind' = 'sequnce'", "bad-option 1:102 option 'fields.id.kind': 'sequnce' is neither random nor sequence; did you mean 'sequence'?"},
		{"'fields.id.kind' = 'sequence'", "bad-option 1:102 option 'fields.id.kind': a sequence needs 'start' and 'end'; "},
		{"'fields.id.min' = '9', 'fields.id.max' = '1'", "bad-option 1:124 option 'fields.id.max': 1 is less than the minimum 9; "},
		{"'fields.id.max' = '3000000000'", "bad-option 1:101 option 'fields.id.max': '3000000000' is no whole number between -2147483648 and 2147483647; "},
		{"'fields.nme.length' = '3'", "bad-option 1:83 option 'fields.nme.length': there is no column nme; did you mean 'fields.name.length'?"},
		{"'fields.id.length' = '3'", "bad-option 1:83 option 'fields.id.length': 'length' does not fit a column of INT; "},
		{"'fields.id.mni' = '3'", "unknown-option 1:83 option 'fields.id.mni': unknown option of a column; did you mean 'fields.id.min'?"},
		{"'fields.id.start' = '3'", "bad-option 1:83 option 'fields.id.start': 'start' belongs to a sequence; set 'fields.id.kind' = 'sequence'"},
		{"'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '3', 'fields.id.max' = '2'", "bad-option 1:162 option 'fields.id.max': a sequence has no 'max'; it has 'start' and 'end'"},
		{"'fields.r.x.min' = 'a'", "bad-option 1:102 option 'fields.r.x.min': 'a' is no whole number between -2147483648 and 2147483647; "},
		{"'fields.r.y.min' = '1'", "unknown-option 1:83 option 'fields.r.y.min': unknown option of a column; known: kind, min, max, max-past, length, var-len, null-rate, start, end"},
		{"'fields.r.element.length' = '1'", "unknown-option 1:83 option 'fields.r.element.length': unknown option of a column; known: kind, min, max, max-past, length, var-len, null-rate, start, end"},
		{"'fields.id.null-rate' = '2'", "bad-option 1:107 option 'fields.id.null-rate': '2' is no number between 0 and 1; "},
		{"'fields.id' = '2'", "bad-option 1:83 option 'fields.id': 'id' is no column and option, as in fields.id.kind; "},
	} {
		_, err := exec(t, newSession(t), "CREATE TABLE g (id INT, name STRING, r ROW<x INT>) WITH ('connector' = 'datagen', "+c.options+")")
		var e *diag.Error
		if !errors.As(err, &e) {
			t.Errorf("%s: %v", c.options, err)
			continue
		}
		got := fmt.Sprintf("%s %d:%d %s; %s", e.Code, e.Span.Line, e.Span.Col, e.Message, e.Tip)
		if got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.options, got, c.want)
		}
	}
}
