package sqltest

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestNotNullColumnsOfSinks(t *testing.T) {
	script := func(dir, mode string) string {
		return "SET 'table.exec.sink.not-null-enforcer' = '" + mode + "';\n" +
			"CREATE TABLE o (a INT NOT NULL, b STRING) WITH ('connector' = 'filesystem', 'path' = '" + dir + "', 'format' = 'json');\n" +
			"INSERT INTO o SELECT x, y FROM (VALUES (1, 'p'), (CAST(NULL AS INT), 'q'), (3, 'r')) AS v(x, y)"
	}
	for _, mode := range []string{"error", "drop"} {
		s, err := Session(nil)
		if err != nil {
			t.Fatal(err)
		}
		dir := filepath.Join(t.TempDir(), "o")
		_, err = Run(t.Context(), s, script(dir, mode))
		if mode == "error" {
			if err == nil || !strings.Contains(err.Error(), "column a of table") {
				t.Errorf("error: %v", err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		rows, err := ReadSink(dir)
		if err != nil || !slices.Equal(rows, []string{`{"a":1,"b":"p"}`, `{"a":3,"b":"r"}`}) {
			t.Errorf("%q %v", rows, err)
		}
	}
}

func TestParallelismOfTables(t *testing.T) {
	s, err := Session(nil)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "o")
	if _, err = Run(t.Context(), s, "CREATE TABLE o (a INT) WITH ('connector' = 'filesystem', 'path' = '"+dir+"', 'format' = 'json', 'sink.parallelism' = '3');\n"+
		"INSERT INTO o SELECT x FROM (VALUES (1), (2), (3)) AS v(x)"); err != nil {
		t.Fatal(err)
	}
	if rows, err := ReadSink(dir); err != nil || len(rows) != 3 {
		t.Errorf("%q %v", rows, err)
	}
}
