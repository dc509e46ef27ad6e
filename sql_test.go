package runnel_test

import (
	"strings"
	"testing"

	"github.com/runnelio/runnel"
)

func TestSQLFromGo(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	exec := func(text string, args ...any) *runnel.SQLResult {
		t.Helper()
		r, err := e.ExecuteSQL(t.Context(), text, args...)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	exec("CREATE TABLE target (item STRING, n BIGINT) WITH ('connector' = 'memory', 'name' = 'target')")
	orders(e).SelectFields("item", "n").As("orders")
	run := exec("INSERT INTO target SELECT item, n FROM orders WHERE n > ?", 1).Job()
	if err := run.Wait(); err != nil {
		t.Fatal(err)
	}
	if n := len(e.Memory().Rows("target")); n != 3 {
		t.Errorf("%d rows, want 3", n)
	}
	type count struct {
		Kind runnel.Kind
		Item *string `runnel:"item"`
		N    int64   `runnel:"n"`
	}
	var got []string
	for c, err := range runnel.RowsOf[count](exec("SELECT item, COUNT(*) AS n FROM orders GROUP BY item")) {
		if err != nil {
			t.Fatal(err)
		}
		item := "NULL"
		if c.Item != nil {
			item = *c.Item
		}
		got = append(got, strings.Join([]string{c.Kind.String(), item}, " "))
	}
	equal(t, got, "+I apple", "+I pear", "-U apple", "+U apple", "+I NULL")
	got = nil
	for r, err := range exec("SHOW TABLES").Rows() {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, r.String())
	}
	equal(t, got, "+I[target]")
	equal(t, rows(t, e.SQL("SELECT n FROM orders WHERE item = ? AND n < ?", "apple", 3)), "+I[1]")
	equal(t, rows(t, e.Job("t").From(runnel.Table("default_database.target")).Filter("n = 4")), "+I[NULL, 4]")
	if err := e.SQL("SELECT item, n FROM orders WHERE n = 1").ToTable("target").Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := len(e.Memory().Rows("target")); n != 4 {
		t.Errorf("%d rows, want 4", n)
	}
	f := func(part, text string, args ...any) {
		t.Helper()
		r, err := e.ExecuteSQL(t.Context(), text, args...)
		if err == nil {
			for _, err = range r.Rows() {
				break
			}
		}
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%s: %v, want %q", text, err, part)
		}
	}
	f("no column", "SELECT x FROM orders")
	f("one statement", "SELECT 1; SELECT 2")
	f("parameter 1 has no value", "SELECT ?")
	f("is no SQL value", "SELECT ?", struct{}{})
	f("parameters are for", "SHOW TABLES", 1)
	f("gives no rows", "SET 'parallelism.default' = '2'")
	f("no option", "SET 'x' = 'y'")
	for _, err := range runnel.RowsOf[struct{ Other int }](exec("SELECT 1 AS a")) {
		if err == nil || !strings.Contains(err.Error(), "no column Other") {
			t.Error(err)
		}
	}
	if _, err := e.ExecuteScript(t.Context(), "CREATE VIEW v AS SELECT 1 AS one; INSERT INTO target SELECT 'x', one FROM v; INSERT INTO nothing SELECT 1"); err == nil {
		t.Error("a script with a mistake passes")
	}
}
