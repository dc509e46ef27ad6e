package catalog_test

import (
	"strings"
	"testing"

	"github.com/runnelio/runnel/internal/catalog"
	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/sql"
	"github.com/runnelio/runnel/internal/sql/ast"
)

// apply carries definitions out.
func apply(t *testing.T, r *catalog.Root, script string) error {
	t.Helper()
	stmts, err := sql.Parse(script, sql.Options{})
	if err != nil {
		t.Fatal(diag.Render(err))
	}
	for _, s := range stmts {
		switch x := s.(type) {
		case *ast.CreateTable:
			def, e := r.Complete(x)
			if e != nil {
				return e
			}
			err = r.CreateTable(def)
		case *ast.CreateView:
			err = r.CreateView(x)
		case *ast.AlterTable:
			var store func() error
			if _, store, err = r.AlterTable(x); err == nil && store != nil {
				err = store()
			}
		case *ast.Drop:
			err = r.Drop(x)
		case *ast.Use:
			err = r.Use(x)
		case *ast.CreateDatabase:
			err = r.CreateDatabase(x)
		case *ast.CreateCatalog:
			err = r.CreateCatalog(x)
		case *ast.CreateFunction:
			err = r.CreateFunction(x)
		case *ast.AlterFunction:
			err = r.AlterFunction(x)
		default:
			t.Fatalf("%T", s)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func show(t *testing.T, r *catalog.Root, name string) string {
	t.Helper()
	o, err := r.Lookup(&ast.Name{Parts: []*ast.Ident{{Name: name}}})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(strings.Fields(sql.Format(o.Table)), " ")
}

const source = `CREATE TABLE s (a INT, b STRING METADATA FROM 'k', c AS a + 1, d TIMESTAMP(3),
	PRIMARY KEY (a) NOT ENFORCED, WATERMARK FOR d AS d) PARTITIONED BY (a) WITH ('connector' = 'x', 'p' = '1');`

func TestLikeMergesByRule(t *testing.T) {
	for _, c := range []struct{ rules, has, hasNot string }{
		{"", "PRIMARY KEY|WATERMARK FOR|METADATA|c AS a + 1|PARTITIONED BY|'p' = '2'", ""},
		{"(EXCLUDING ALL)", "`e`|'p' = '2'", "PRIMARY KEY|WATERMARK FOR|METADATA|c AS|PARTITIONED BY|'connector'"},
		{"(EXCLUDING CONSTRAINTS EXCLUDING PARTITIONS)", "WATERMARK FOR|METADATA", "PRIMARY KEY|PARTITIONED BY"},
		{"(EXCLUDING ALL INCLUDING GENERATED)", "AS a + 1", "METADATA|WATERMARK FOR"},
	} {
		r := catalog.New()
		if err := apply(t, r, source+"CREATE TABLE t (e INT) WITH ('p' = '2') LIKE s "+c.rules); err != nil {
			t.Fatal(err)
		}
		text := strings.ReplaceAll(show(t, r, "t"), "`", "")
		for _, w := range strings.Split(strings.ReplaceAll(c.has, "`", ""), "|") {
			if !strings.Contains(text, w) {
				t.Errorf("LIKE %s: no %s in %s", c.rules, w, text)
			}
		}
		for _, w := range strings.Split(c.hasNot, "|") {
			if w != "" && strings.Contains(text, w) {
				t.Errorf("LIKE %s: %s in %s", c.rules, w, text)
			}
		}
	}
}

func TestWhatIsRefused(t *testing.T) {
	for script, code := range map[string]diag.Code{
		source + "CREATE TABLE t (a INT) LIKE s":                                              diag.Exists,
		source + "CREATE TABLE t (PRIMARY KEY (a) NOT ENFORCED) LIKE s":                       diag.Exists,
		source + "CREATE TABLE t WITH ('p' = '2') LIKE s (INCLUDING OPTIONS)":                 diag.Exists,
		source + "CREATE TABLE t LIKE nope":                                                   diag.UnknownTable,
		source + "CREATE TABLE t (x INT) WITH ('a' = '1', 'a' = '2')":                         diag.Exists,
		source + "ALTER TABLE s DROP a":                                                       diag.NotAllowed,
		source + "ALTER TABLE s DROP nope":                                                    diag.UnknownColumn,
		source + "ALTER TABLE s RENAME a TO z":                                                diag.NotAllowed,
		source + "ALTER TABLE s ADD a INT":                                                    diag.Exists,
		source + "ALTER TABLE s ADD WATERMARK FOR d AS d":                                     diag.Exists,
		source + "ALTER TABLE s SET ('connector' = 'y')":                                      diag.NotAllowed,
		source + "ALTER TABLE s RESET ('q')":                                                  diag.UnknownOption,
		source + "CREATE TABLE u (x INT) WITH ('connector' = 'x'); ALTER TABLE u RENAME TO s": diag.Exists,
		source + "CREATE DATABASE d; CREATE TABLE d.t (x INT); DROP DATABASE d":               diag.NotAllowed,
		source + "DROP TEMPORARY TABLE s":                                                     diag.UnknownTable,
		"CREATE TEMPORARY TABLE t (x INT); DROP TABLE t":                                      diag.NotAllowed,
		"CREATE CATALOG c WITH ('type' = 'hive')":                                             diag.BadOption,
		"DROP CATALOG default_catalog":                                                        diag.NotAllowed,
		"CREATE FUNCTION f AS 'a'; CREATE FUNCTION f AS 'b'":                                  diag.Exists,
		"DROP FUNCTION f":             diag.UnknownFunction,
		"CREATE TABLE nope.t (x INT)": diag.UnknownName,
	} {
		err := apply(t, catalog.New(), script)
		if diag.CodeOf(err) != code {
			t.Errorf("%s: %v, want %s", script, err, code)
		}
	}
}

func TestWhatIsTaken(t *testing.T) {
	r := catalog.New()
	if err := apply(t, r, source+`
CREATE TABLE IF NOT EXISTS s (x INT);
ALTER TABLE s RENAME d TO d;
`); diag.CodeOf(err) != diag.Exists {
		t.Errorf("renaming a column to itself: %v", err)
	}
	if err := apply(t, r, `
ALTER TABLE s DROP WATERMARK;
ALTER TABLE s DROP (d, c);
ALTER TABLE s MODIFY b BIGINT AFTER a;
ALTER TABLE s DROP PRIMARY KEY;
ALTER TABLE s ADD (PRIMARY KEY (a) NOT ENFORCED, t TIMESTAMP(3) FIRST, WATERMARK FOR t AS t);
ALTER TABLE s RESET ('p');
CREATE DATABASE d; USE d; CREATE TABLE t (x INT); USE default_database; DROP DATABASE d CASCADE;
CREATE TEMPORARY FUNCTION f AS 'a'; ALTER TEMPORARY FUNCTION f AS 'b'; DROP TEMPORARY FUNCTION f; DROP FUNCTION IF EXISTS f;
`); err != nil {
		t.Fatal(err)
	}
	if got := strings.ReplaceAll(show(t, r, "s"), "`", ""); !strings.Contains(got, "( t TIMESTAMP(3), a INT, b BIGINT,") || strings.Contains(got, "'p'") {
		t.Error(got)
	}
	if len(r.Functions()) != 0 {
		t.Error(r.Functions())
	}
}
