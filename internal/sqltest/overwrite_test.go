package sqltest

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/runnelio/runnel/internal/compile"
	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/sql"
)

// rowsOf runs a query and returns its rows, columns with commas, sorted.
func rowsOf(t *testing.T, s *compile.Session, query string) string {
	t.Helper()
	out, err := Run(t.Context(), s, query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	got := Fold(out.Changes)
	for i := range got {
		got[i] = strings.ReplaceAll(got[i], "\x1f", ",")
	}
	slices.Sort(got)
	return strings.Join(got, " ")
}

func batchSession(t *testing.T, parallelism string) *compile.Session {
	t.Helper()
	settings := exactly("2")
	settings["parallelism.default"], settings["execution.runtime-mode"] = parallelism, "batch"
	s, err := Session(settings)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestInsertOverwrite replaces a table, the partitions that get rows, and the
// one that is named.
func TestInsertOverwrite(t *testing.T) {
	for _, parallelism := range []string{"1", "4"} {
		dir := t.TempDir()
		s := batchSession(t, parallelism)
		run := func(script string) {
			t.Helper()
			if _, err := Run(t.Context(), s, script); err != nil {
				t.Fatal(diag.Render(err))
			}
		}
		check := func(query, want string) {
			t.Helper()
			if got := rowsOf(t, s, query); got != want {
				t.Errorf("parallelism %s: %s\n got %s\nwant %s", parallelism, query, got, want)
			}
		}
		with := func(name string) string {
			return " WITH ('connector' = 'filesystem', 'format' = 'json', 'source.allow-empty' = 'true', 'path' = '" + filepath.Join(dir, name) + "')"
		}
		run("CREATE TABLE t (a INT, b STRING)" + with("t"))
		run("CREATE TABLE p (a INT, d DATE, h INT) PARTITIONED BY (d, h)" + with("p"))
		run("INSERT INTO t VALUES (1, 'x'), (2, 'y')")
		run("INSERT INTO t VALUES (3, 'z')")
		check("SELECT * FROM t", "1,x 2,y 3,z")
		// A table that is read while it is replaced.
		run("INSERT OVERWRITE t SELECT a + 10, b FROM t WHERE a > 1")
		check("SELECT * FROM t", "12,y 13,z")
		run("INSERT OVERWRITE t SELECT a, b FROM t WHERE FALSE")
		check("SELECT * FROM t", "")

		run("INSERT INTO p VALUES (1, DATE '2024-01-01', 1), (2, DATE '2024-01-01', 2), (3, DATE '2024-01-02', 1), (4, CAST(NULL AS DATE), 1)")
		run("INSERT INTO p PARTITION (d = '2024-01-01') SELECT 5, 1")
		run("INSERT INTO p PARTITION (d = DATE '2024-01-03', h = '7') VALUES (6)")
		check("SELECT a, d, h FROM p", "1,2024-01-01,1 2,2024-01-01,2 3,2024-01-02,1 4,<NULL>,1 5,2024-01-01,1 6,2024-01-03,7")
		run("INSERT OVERWRITE p VALUES (20, DATE '2024-01-01', 2), (21, DATE '2024-01-05', 1)")
		check("SELECT a, d, h FROM p", "1,2024-01-01,1 20,2024-01-01,2 21,2024-01-05,1 3,2024-01-02,1 4,<NULL>,1 5,2024-01-01,1 6,2024-01-03,7")
		run("INSERT OVERWRITE p PARTITION (d = '2024-01-01') SELECT 30, 1")
		check("SELECT a, d, h FROM p", "20,2024-01-01,2 21,2024-01-05,1 3,2024-01-02,1 30,2024-01-01,1 4,<NULL>,1 6,2024-01-03,7")
		run("INSERT OVERWRITE p PARTITION (d = '2024-01-03', h = 7) SELECT a FROM p WHERE FALSE")
		check("SELECT a, d, h FROM p", "20,2024-01-01,2 21,2024-01-05,1 3,2024-01-02,1 30,2024-01-01,1 4,<NULL>,1")
		run("INSERT OVERWRITE p PARTITION (d = NULL, h = 1) SELECT 40")
		check("SELECT a, d, h FROM p", "20,2024-01-01,2 21,2024-01-05,1 3,2024-01-02,1 30,2024-01-01,1 40,<NULL>,1")
		// A job that fails changes nothing.
		if _, err := Run(t.Context(), s, "INSERT OVERWRITE p SELECT 1 / (a - 30), d, h FROM p"); err == nil {
			t.Error("1 / 0 is no error")
		}
		check("SELECT a, d, h FROM p", "20,2024-01-01,2 21,2024-01-05,1 3,2024-01-02,1 30,2024-01-01,1 40,<NULL>,1")
		_ = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err == nil && !d.IsDir() && strings.HasPrefix(d.Name(), ".") {
				t.Errorf("left behind: %s", path)
			}
			return err
		})
	}
}

func TestPartitionsOfTables(t *testing.T) {
	dir := t.TempDir()
	s := batchSession(t, "1")
	show := func(script string) string {
		t.Helper()
		stmts, err := sql.Parse(script, sql.Options{})
		if err != nil {
			t.Fatal(diag.Render(err))
		}
		var lines []string
		for _, st := range stmts {
			r, err := s.Execute(t.Context(), st, nil)
			if err == nil && r.Job != nil {
				err = RunJob(t.Context(), r.Job)
			}
			if err != nil {
				t.Fatal(diag.Render(err))
			}
			lines = nil
			for _, row := range r.Rows {
				lines = append(lines, row[0].(string))
			}
		}
		return strings.Join(lines, " ")
	}
	table := "CREATE TABLE p (a INT, d DATE, `k=v` STRING) PARTITIONED BY (d, `k=v`) WITH ('connector' = 'filesystem', 'format' = 'json', 'path' = '" + dir + "/p');\n"
	for _, c := range []struct{ script, want string }{
		{table + "SHOW PARTITIONS p", ""},
		{"INSERT INTO p VALUES (1, DATE '2024-01-02', 'x/y'), (2, DATE '2024-01-01', 'z'); SHOW PARTITIONS p", "d=2024-01-01/k=v=z d=2024-01-02/k=v=x/y"},
		{"ALTER TABLE p ADD PARTITION (d = '2024-01-03', `k=v` = 'q') PARTITION (d = DATE '2024-01-03', `k=v` = 'r'); SHOW PARTITIONS p PARTITION (d = '2024-01-03')", "d=2024-01-03/k=v=q d=2024-01-03/k=v=r"},
		{"ALTER TABLE p ADD IF NOT EXISTS PARTITION (d = '2024-01-03', `k=v` = 'q'); SHOW PARTITIONS p PARTITION (`k=v` = 'q')", "d=2024-01-03/k=v=q"},
		{"ALTER TABLE p DROP PARTITION (d = '2024-01-03', `k=v` = 'q'), PARTITION (d = '2024-01-02', `k=v` = 'x/y'); SHOW PARTITIONS p", "d=2024-01-01/k=v=z d=2024-01-03/k=v=r"},
		{"ALTER TABLE p DROP IF EXISTS PARTITION (d = '2024-01-09', `k=v` = 'q'); SHOW PARTITIONS p", "d=2024-01-01/k=v=z d=2024-01-03/k=v=r"},
	} {
		if got := show(c.script); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.script, got, c.want)
		}
	}
	if got := rowsOf(t, s, "SELECT a, d FROM p"); got != "2,2024-01-01" {
		t.Error(got)
	}
	show("CREATE TABLE n (a INT) WITH ('connector' = 'print'); CREATE TABLE np (a INT, b INT) PARTITIONED BY (b) WITH ('connector' = 'print')")
	for _, c := range []struct {
		script string
		code   diag.Code
	}{
		{"ALTER TABLE p ADD PARTITION (d = '2024-01-01', `k=v` = 'z')", diag.Exists},
		{"ALTER TABLE p ADD PARTITION (d = '2024-01-01')", diag.NotAllowed},
		{"ALTER TABLE p ADD PARTITION (d = 'x', `k=v` = 'z')", diag.BadValue},
		{"ALTER TABLE p ADD PARTITION (d, `k=v` = 'z')", diag.BadValue},
		{"ALTER TABLE p ADD PARTITION (a = 1, `k=v` = 'z')", diag.NotAllowed},
		{"ALTER TABLE p ADD PARTITION (d = '2024-02-01', d = '2024-02-02', `k=v` = 'z')", diag.Exists},
		{"ALTER TABLE p ADD PARTITION (d = '2024-02-01', `k=v` = 'z') WITH ('a' = 'b')", diag.Unsupported},
		{"ALTER TABLE p DROP PARTITION (d = '2024-02-01', `k=v` = 'z')", diag.UnknownName},
		{"ALTER TABLE n DROP PARTITION (a = 1)", diag.NotAllowed},
		{"ALTER TABLE np DROP PARTITION (b = 1)", diag.Unsupported},
		{"SHOW PARTITIONS n", diag.NotAllowed},
		{"SHOW PARTITIONS np", diag.Unsupported},
		{"SHOW PARTITIONS p PARTITION (x = 1)", diag.NotAllowed},
		{"INSERT OVERWRITE n VALUES (1)", diag.Unsupported},
		{"SET 'execution.runtime-mode' = 'streaming'; INSERT OVERWRITE p VALUES (1, DATE '2024-01-01', 'z')", diag.NotAllowed},
		{"INSERT INTO p PARTITION (d = 'x') VALUES (1, 'z')", diag.BadValue},
		{"INSERT INTO p PARTITION (d = '2024-01-01', d = '2024-01-02') VALUES (1, 'z')", diag.Exists},
		{"INSERT INTO p PARTITION (a = 1) VALUES (DATE '2024-01-01', 'z')", diag.NotAllowed},
	} {
		if _, err := Run(t.Context(), s, c.script); diag.CodeOf(err) != c.code {
			t.Errorf("%s\n got %v\nwant %s", c.script, err, c.code)
		}
	}
}
