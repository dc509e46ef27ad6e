package sqltest

import (
	"slices"
	"strings"
	"testing"
)

// TestWholeFileFormats writes files of formats that make them themselves and
// reads them with other columns, partitions, metadata, filters and a limit.
func TestWholeFileFormats(t *testing.T) {
	t.Parallel()
	for _, f := range []string{"avro", "parquet"} {
		t.Run(f, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			s, err := Session(map[string]string{"execution.runtime-mode": "batch"})
			if err != nil {
				t.Fatal(err)
			}
			run := func(script string) []string {
				t.Helper()
				out, err := Run(t.Context(), s, script)
				if err != nil {
					t.Fatal(err)
				}
				var rows []string
				for _, r := range out.Changes {
					rows = append(rows, strings.Join(r, " "))
				}
				slices.Sort(rows)
				return rows
			}
			is := func(query string, want ...string) {
				t.Helper()
				if got := run(query); !slices.Equal(got, want) {
					t.Errorf("%s\n got %q\nwant %q", query, got, want)
				}
			}
			with := " WITH ('connector' = 'filesystem', 'path' = '" + dir + "/out', 'format' = '" + f + "')"
			run("CREATE TABLE p (a BIGINT, s STRING, r ROW<x INT, y STRING>, arr ARRAY<INT>, ts TIMESTAMP(3), d STRING) PARTITIONED BY (d)" + with + `;
				INSERT INTO p VALUES
				(1, 'a', ROW(1, 'q'), ARRAY[1, 2], TIMESTAMP '2024-01-01 00:00:00.123', 'd1'),
				(2, 'b', ROW(2, 'z'), ARRAY[3], TIMESTAMP '2024-01-02 00:00:00', 'd2'),
				(3, CAST(NULL AS STRING), ROW(3, 'w'), ARRAY[4], TIMESTAMP '2024-01-03 00:00:00', 'd2')`)
			is("SELECT a, s, r.y, arr, ts, d FROM p WHERE a >= 2",
				"+I 2 b z [3] 2024-01-02 00:00:00.000 d2", "+I 3 <NULL> w [4] 2024-01-03 00:00:00.000 d2")
			is("SELECT a FROM p WHERE ts = TIMESTAMP '2024-01-01 00:00:00.123'", "+I 1")
			is("SELECT a FROM p WHERE s = 'nothing'")
			is("SELECT COUNT(*) FROM p", "+I 3")
			is("SELECT d, COUNT(*) FROM p GROUP BY d", "+I d1 1", "+I d2 2")
			if got := run("SELECT a FROM p LIMIT 2"); len(got) != 2 {
				t.Errorf("LIMIT 2 gives %v", got)
			}
			run("CREATE TABLE q (a INT, other STRING, name STRING METADATA FROM 'file.name' VIRTUAL)" + with)
			_, err = Run(t.Context(), s, "SELECT a FROM q")
			if f == "avro" && err != nil || f == "parquet" && err != nil {
				t.Errorf("BIGINT values that fit are not read as INT: %v", err)
			}
			is("SELECT DISTINCT other, name LIKE 'part-%."+f+"' FROM q", "+I <NULL> TRUE")
			if _, err := Run(t.Context(), s, "CREATE TABLE z (a BIGINT) WITH ('connector' = 'filesystem', 'path' = '"+dir+"/out', 'format' = '"+f+"', 'compression' = 'gzip'); SELECT a FROM z"); err == nil || !strings.Contains(err.Error(), "compressed inside") {
				t.Errorf("a compressed file: %v", err)
			}
		})
	}
}
