package sqltest

import (
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"

	connectors "github.com/runnelio/runnel/connectors/all"
	formats "github.com/runnelio/runnel/format/all"
	"github.com/runnelio/runnel/internal/builtin"
	"github.com/runnelio/runnel/internal/compile"
	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/exec/relational"
)

var updateExplain = flag.Bool("update-explain", false, "rewrite testdata/explain.golden")

const explainTables = `CREATE TABLE ev (id INT, host STRING, msg STRING, n BIGINT) WITH ('connector' = 'filesystem', 'path' = 'ev', 'format' = 'json');
CREATE TABLE gen (id INT, host STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'datagen', 'number-of-rows' = '1000');
CREATE TABLE a (id INT, host STRING) WITH ('connector' = 'print');
CREATE TABLE b (id INT, host STRING) WITH ('connector' = 'blackhole');
`

// explainCases are EXPLAIN statements and the sections that are compared.
var explainCases = []struct{ name, set, query, from string }{
	{"rule index of a statement set", "", `EXPLAIN STATEMENT SET BEGIN
INSERT INTO a SELECT id, host FROM ev WHERE host = 'x' AND n > 3;
INSERT INTO a SELECT id, host FROM ev WHERE host IN ('y', 'z');
INSERT INTO a SELECT id, host FROM ev WHERE msg LIKE '%fail%' AND n > 3;
INSERT INTO a SELECT id, msg FROM ev WHERE msg LIKE 'a%' OR n = 7;
INSERT INTO b SELECT id, host FROM ev WHERE n > 5 OR n < 1;
INSERT INTO a SELECT id, host FROM ev WHERE CHAR_LENGTH(msg) > 100;
END`, "== Physical Plan =="},
	{"rule index of alternatives", "", "EXPLAIN SELECT id, 'one' AS r FROM ev WHERE host = 'x' UNION ALL SELECT id, 'two' FROM ev WHERE host = 'y' AND n > 1 UNION ALL SELECT id, 'three' FROM ev WHERE msg LIKE '%q%'", "== Physical Plan =="},
	{"cost", "SET 'parallelism.default' = '2'", "EXPLAIN ESTIMATED_COST SELECT g.host, COUNT(*) FROM gen g JOIN ev ON g.id = ev.id WHERE ev.n > 3 AND ev.host = 'x' GROUP BY g.host", "== Physical Plan =="},
	{"cost of windows and first rows", "", "EXPLAIN ESTIMATED_COST SELECT host, window_end, COUNT(*) AS c FROM TABLE(HOP(TABLE gen, DESCRIPTOR(ts), INTERVAL '1' MINUTE, INTERVAL '3' MINUTE)) GROUP BY host, window_start, window_end", "== Physical Plan =="},
	{"json", "SET 'parallelism.default' = '2'", "EXPLAIN JSON_EXECUTION_PLAN INSERT INTO a SELECT g.id, ev.host FROM gen g JOIN ev ON g.id = ev.id", "== Physical Execution Plan =="},
	{"advice on state and mini-batch", "", "EXPLAIN PLAN_ADVICE SELECT host, COUNT(*) FROM ev GROUP BY host", "== Advice =="},
	{"no advice", "SET 'table.exec.state.ttl' = '1 d'; SET 'table.exec.mini-batch.enabled' = 'true'; SET 'table.exec.mini-batch.size' = '10'; SET 'table.exec.mini-batch.allow-latency' = '1 s'", "EXPLAIN PLAN_ADVICE SELECT host, COUNT(*) FROM ev GROUP BY host", "== Advice =="},
	{"no advice in batch mode", "SET 'execution.runtime-mode' = 'batch'", "EXPLAIN PLAN_ADVICE SELECT host, COUNT(*) FROM ev GROUP BY host", "== Advice =="},
	{"no advice on a filter", "", "EXPLAIN PLAN_ADVICE SELECT host, UUID() FROM ev WHERE n > RAND()", "== Advice =="},
	{"advice on what is not deterministic", "SET 'table.exec.state.ttl' = '1 d'", "EXPLAIN PLAN_ADVICE SELECT host, c, UUID() AS u FROM (SELECT host, COUNT(*) AS c FROM ev GROUP BY host) WHERE c > RAND() * 3", "== Advice =="},
	{"advice on a join without keys", "SET 'table.exec.state.ttl' = '1 d'", "EXPLAIN PLAN_ADVICE SELECT * FROM ev JOIN gen ON ev.n > gen.id", "== Advice =="},
	{"a table made by a query", "", "EXPLAIN PLAN_ADVICE, ESTIMATED_COST CREATE TABLE c WITH ('connector' = 'print') AS SELECT id FROM ev WHERE n > 1 LIMIT 10", "== Statement =="},
}

// TestExplain compares the sections of EXPLAIN with the golden file.
func TestExplain(t *testing.T) {
	var b strings.Builder
	for _, c := range explainCases {
		s, err := compile.New(compile.Options{Connectors: connectors.Connectors(), Formats: formats.Formats(), Functions: builtin.All(), DescribeRules: relational.DescribeRules})
		if err != nil {
			t.Fatal(err)
		}
		setup := explainTables
		if c.set != "" {
			setup += c.set + ";\n"
		}
		if _, err := Run(t.Context(), s, setup); err != nil {
			t.Fatal(err)
		}
		text, err := explain(t.Context(), s, c.query)
		if err != nil {
			t.Errorf("%s: %s", c.name, diag.Render(err))
			continue
		}
		if i := strings.Index(text, c.from); i >= 0 {
			text = text[i:]
		} else {
			t.Errorf("%s: no section %s", c.name, c.from)
		}
		if c.name == "json" {
			_, body, _ := strings.Cut(text, "\n")
			var p struct{ Nodes []map[string]any }
			if err := json.Unmarshal([]byte(body), &p); err != nil || len(p.Nodes) < 4 {
				t.Errorf("%v: %s", err, body)
			}
		}
		if strings.HasPrefix(c.query, "EXPLAIN PLAN_ADVICE, ESTIMATED_COST CREATE") {
			if _, err := Run(t.Context(), s, "SELECT * FROM c"); diag.CodeOf(err) != diag.UnknownTable {
				t.Errorf("EXPLAIN leaves its table behind: %v", err)
			}
		}
		b.WriteString("# " + c.name + "\n" + text + "\n")
	}
	const golden = "testdata/explain.golden"
	if *updateExplain {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("not %s (-update-explain rewrites it)\n%s", golden, b.String())
	}
}
