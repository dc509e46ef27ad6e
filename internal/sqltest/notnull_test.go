package sqltest

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Formats do not see to it that NOT NULL columns have values: NULL is read and
// reckoned with as NULL, and refused where it would be written, as in Flink.
func TestNullInNotNullColumns(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{"a.json": "{\"i\":1,\"s\":\"a\",\"m\":5}\n{\"i\":null,\"s\":null,\"m\":6}\n{\"m\":7}\n", "a.csv": "1,a,5\nN,N,6\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	run := func(settings map[string]string, query string) ([]string, error) {
		s, err := Session(settings)
		if err != nil {
			t.Fatal(err)
		}
		const cols = "(i INT NOT NULL, s STRING NOT NULL, m INT)"
		out, err := Run(t.Context(), s, "CREATE TABLE j "+cols+" WITH ('connector' = 'filesystem', 'path' = '"+dir+"/a.json', 'format' = 'json');"+
			"CREATE TABLE c "+cols+" WITH ('connector' = 'filesystem', 'path' = '"+dir+"/a.csv', 'format' = 'csv', 'csv.null-literal' = 'N');"+
			"CREATE TABLE o (i INT NOT NULL, m INT) WITH ('connector' = 'filesystem', 'path' = '"+t.TempDir()+"/o', 'format' = 'json');"+query)
		if err != nil {
			return nil, err
		}
		var rows []string
		for _, r := range out.Changes {
			rows = append(rows, strings.Join(r, " "))
		}
		return rows, nil
	}
	is := func(query string, want ...string) {
		t.Helper()
		if got, err := run(nil, query); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s\n got %q %v\nwant %q", query, got, err, want)
		}
	}
	is("SELECT * FROM j", "+I 1 a 5", "+I <NULL> <NULL> 6", "+I <NULL> <NULL> 7")
	is("SELECT * FROM c", "+I 1 a 5", "+I <NULL> <NULL> 6")
	is("SELECT i + 1, UPPER(s) FROM j WHERE m > 5", "+I <NULL> <NULL>", "+I <NULL> <NULL>")
	is("SELECT m FROM j WHERE i = 1", "+I 5")
	is("INSERT INTO o SELECT i, m FROM j WHERE i = 1; SELECT * FROM o", "+I 1 5")
	for _, table := range []string{"j", "c"} {
		if _, err := run(nil, "INSERT INTO o SELECT i, m FROM "+table); err == nil || !strings.Contains(err.Error(), "column i of table") {
			t.Errorf("NULL of %s is written into a NOT NULL column: %v", table, err)
		}
		got, err := run(map[string]string{"table.exec.sink.not-null-enforcer": "drop"}, "INSERT INTO o SELECT i, m FROM "+table+"; SELECT * FROM o")
		if err != nil || !slices.Equal(got, []string{"+I 1 5"}) {
			t.Errorf("dropping rows of %s: %q %v", table, got, err)
		}
	}
}
