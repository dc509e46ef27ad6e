package sqltest

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Metadata columns that a format of changes tells are read in its type and made
// the declared one; conditions and watermarks see them as any column.
func TestToldMetadata(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "in.jsonl")
	lines := `{"data":[{"id":"1","name":"a"},{"id":"2","name":"b"}],"old":null,"database":"d","table":"t","es":1589373560000,"ts":1589373561000,"sqlType":{"id":4,"name":12},"pkNames":["id"],"type":"INSERT"}
{"data":[{"id":"1","name":"c"}],"old":[{"name":"a"}],"database":"d","table":"u","es":1589373560000,"ts":1589373562000,"pkNames":["id"],"type":"UPDATE"}
`
	if err := os.WriteFile(path, []byte(lines), 0o644); err != nil {
		t.Fatal(err)
	}
	run := func(columns, format, query string) ([]string, error) {
		s, err := Session(map[string]string{"table.local-time-zone": "Asia/Shanghai"})
		if err != nil {
			t.Fatal(err)
		}
		out, err := Run(t.Context(), s, "CREATE TABLE t ("+columns+") WITH ('connector' = 'filesystem', 'path' = '"+path+"', 'format' = '"+format+"');\n"+query)
		if err != nil {
			return nil, err
		}
		var rows []string
		for _, r := range out.Changes {
			rows = append(rows, strings.Join(r, " "))
		}
		return rows, nil
	}
	is := func(columns, query string, want ...string) {
		t.Helper()
		if got, err := run(columns, "canal-json", query); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s\n%s\n got %q %v\nwant %q", columns, query, got, err, want)
		}
	}
	fails := func(columns, format, query, want string) {
		t.Helper()
		if _, err := run(columns, format, query); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\n%s\n got %v, want %s", columns, query, err, want)
		}
	}
	const all = "id INT, tab STRING METADATA FROM 'value.table' VIRTUAL, name STRING, ts TIMESTAMP(3) METADATA FROM 'value.ingestion-timestamp' VIRTUAL, " +
		"f STRING METADATA FROM 'file.name' VIRTUAL, pk ARRAY<STRING> METADATA FROM 'value.pk-names' VIRTUAL, sq MAP<STRING, INT> METADATA FROM 'value.sql-type' VIRTUAL, WATERMARK FOR ts AS ts"
	is(all, "SELECT * FROM t WHERE ts > TIMESTAMP '2020-05-13 20:39:21' AND name <> 'a'", "+U 1 u c 2020-05-13 20:39:22.000 in.jsonl [id] <NULL>")
	is(all, "SELECT tab, sq['name'], f, id FROM t WHERE tab = 't'", "+I t 12 in.jsonl 1", "+I t 12 in.jsonl 2")
	is("id INT, `value.table` STRING METADATA VIRTUAL", "SELECT `value.table`, COUNT(*) FROM t WHERE id = 2 GROUP BY `value.table`", "+I t 1")
	is("id INT, n STRING METADATA FROM 'value.event-timestamp' VIRTUAL", "SELECT id, n FROM t WHERE id = 2", "+I 2 2020-05-13 20:39:20.000")

	fails("id INT, x STRING METADATA FROM 'value.tabel' VIRTUAL", "canal-json", "SELECT * FROM t", "no metadata 'value.tabel'")
	fails("id INT, x STRING METADATA FROM 'table' VIRTUAL", "canal-json", "SELECT * FROM t", "no metadata 'table'")
	fails("id INT, x STRING METADATA FROM 'value.table' VIRTUAL", "json", "SELECT * FROM t", "no metadata 'value.table'")
	fails("id INT, x DATE METADATA FROM 'value.pk-names' VIRTUAL", "canal-json", "SELECT * FROM t", "is ARRAY<STRING>, not DATE")
	fails("id INT, x STRING METADATA FROM 'value.table'", "canal-json", "INSERT INTO t VALUES (1, 'x')", "metadata 'value.table' cannot be written")
}
