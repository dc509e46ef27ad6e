//go:build unix

package compile_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/runnelio/runnel/internal/sql"
)

// manyRules is a statement set of n rules over one table, of the shapes that
// detections have.
func manyRules(n int) string {
	var b strings.Builder
	b.WriteString(`CREATE TABLE ev (id INT, host STRING, event STRING, cmd STRING, lvl INT) WITH ('connector' = 'filesystem', 'path' = 'ev', 'format' = 'json');
CREATE TABLE hits (rule STRING, id INT, host STRING) WITH ('connector' = 'blackhole');
EXECUTE STATEMENT SET BEGIN
`)
	for i := range n {
		cond := ""
		switch i % 4 {
		case 0:
			cond = fmt.Sprintf("event = 'e%d' AND cmd LIKE '%%tool%d.exe%%'", i%50, i)
		case 1:
			cond = fmt.Sprintf("event = 'e%d' AND cmd LIKE '%%-arg%d %%' AND lvl > %d", i%50, i, i%7)
		case 2:
			cond = fmt.Sprintf("host IN ('h%d', 'h%d') AND event <> 'e%d'", i, i+1, i%50)
		default:
			cond = fmt.Sprintf("(cmd LIKE 'c%d%%' OR cmd = 'x%d') AND NOT (host = 'h%d')", i, i, i)
		}
		fmt.Fprintf(&b, "INSERT INTO hits SELECT 'rule %d', id, host FROM ev WHERE %s;\n", i, cond)
	}
	return b.String() + "END;\n"
}

// BenchmarkStart plans a statement set of 10,000 rules, from text to tasks.
func BenchmarkStart(b *testing.B) {
	script := manyRules(10_000)
	b.ReportAllocs()
	for b.Loop() {
		s := newSession(b)
		start := cpuTime(b)
		stmts, err := sql.Parse(script, sql.Options{})
		if err != nil {
			b.Fatal(err)
		}
		parsed := cpuTime(b)
		for _, st := range stmts {
			if _, err := s.Execute(b.Context(), st, nil); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64((parsed - start).Milliseconds()), "parse-ms")
		b.ReportMetric(float64((cpuTime(b) - parsed).Milliseconds()), "plan-ms")
	}
}
