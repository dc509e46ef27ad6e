package ruleindex

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"

	"github.com/runnelio/runnel/bench/events"
	"github.com/runnelio/runnel/internal/builtin"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// detections are conditions in the way of detection rules over the events of
// package events: a kind of event, some texts, an exception. The first ones hold
// for the attacks among them, the others for nothing, as in life.
func detections(n int) []*Cond {
	r := rand.New(rand.NewPCG(11, 12))
	word := func() string {
		b := make([]byte, 5+r.IntN(9))
		for i := range b {
			b[i] = "abcdefghijklmnopqrstuvwxyz0123456789-_"[r.IntN(38)]
		}
		return string(b)
	}
	anyOf := func(op CondOp, field string, values ...string) *Cond {
		c := &Cond{Op: CondOr}
		for _, v := range values {
			c.Subs = append(c.Subs, &Cond{Op: op, Field: field, Value: v})
		}
		return c
	}
	all := func(subs ...*Cond) *Cond { return &Cond{Op: CondAnd, Subs: subs} }
	not := func(c *Cond) *Cond { return &Cond{Op: CondNot, Subs: []*Cond{c}} }
	event := func(id int) *Cond { return &Cond{Op: CondEqual, Field: "EventID", Value: fmt.Sprint(id)} }
	out := []*Cond{
		all(event(1), anyOf(CondContain, "CommandLine", "-enc ", "sekurlsa", "MiniDump", "delete shadows", "-urlcache", "Domain Admins", "/transfer", "cl Security", "/create /sc", "HKLM\\SAM", "/priv", ".hta")),
	}
	fields := []string{"Image", "CommandLine", "ParentImage", "User", "Company", "CurrentDirectory", "IntegrityLevel", "ParentCommandLine"}
	for len(out) < n {
		switch k := r.IntN(10); {
		case k < 6:
			out = append(out, all(event(1), anyOf(CondSuffix, fields[r.IntN(3)*r.IntN(2)], `\`+word()+".exe", `\`+word()+".exe"),
				anyOf(CondContain, fields[1+r.IntN(7)], word(), " -"+word(), word()), not(anyOf(CondPrefix, "ParentImage", `C:\Program Files\`+word()))))
		case k < 7:
			out = append(out, all(event(3), anyOf(CondEqual, "DestinationHostname", word()+".example", word()+".example"), anyOf(CondSuffix, "Image", `\`+word()+".exe")))
		case k < 8:
			out = append(out, all(event(13), anyOf(CondContain, "TargetObject", `\`+word(), `\Run\`+word()), not(anyOf(CondEqual, "Details", "(Empty)"))))
		case k < 9:
			out = append(out, all(event(11), anyOf(CondSuffix, "TargetFilename", "."+word(), `\`+word()+".tmp")))
		default:
			out = append(out, all(event(22), &Cond{Op: CondRegex, Field: "QueryName", Value: "^[a-z]+" + word() + `\.example$`}))
		}
	}
	return out[:n]
}

// sample returns events as lines.
func sample(n int) (lines []string) {
	g := events.New(4)
	var buf []byte
	for range n {
		buf = g.Append(buf[:0])
		lines = append(lines, string(buf))
	}
	return lines
}

// cpuTime is the processor time of the process in nanoseconds: on a machine
// that others use, the time that counts.
func cpuTime() int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

type benchSpan struct {
	key  string
	kind RawKind
	raw  string
}

// spansOf cuts a line of a flat object into fields.
func spansOf(line string, dst []benchSpan) []benchSpan {
	i := 1
	for i < len(line) && line[i] == '"' {
		end := strings.IndexByte(line[i+1:], '"') + i + 1
		key := line[i+1 : end]
		i = end + 2
		if line[i] == '"' {
			j := i + 1
			kind := RawText
			for line[j] != '"' {
				if line[j] == '\\' {
					kind = RawEscaped
					j++
				}
				j++
			}
			dst = append(dst, benchSpan{key, kind, line[i+1 : j]})
			i = j + 1
		} else {
			j := i
			for line[j] != ',' && line[j] != '}' {
				j++
			}
			dst = append(dst, benchSpan{key, RawNumber, line[i:j]})
			i = j
		}
		i++
	}
	return dst
}

var benchSizes = []int{1, 10, 100, 1000, 10_000}

// BenchmarkEvents is the cost of an event whose fields have been found, by rules.
func BenchmarkEvents(b *testing.B) {
	lines := sample(40_000)
	var spans [][]benchSpan
	for _, l := range lines {
		spans = append(spans, spansOf(l, nil))
	}
	for _, n := range benchSizes {
		set := NewSet(Options{})
		var rules []Rule
		for i, c := range detections(n) {
			rules = append(rules, Rule{ID: fmt.Sprint(i), Cond: c})
		}
		if err := set.Add(rules...); err != nil {
			b.Fatal(err)
		}
		ix := set.Index()
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			task := ix.NewTask()
			// Which input a key is: what a decoder finds out while it scans.
			inputs := map[string]int32{}
			for i, in := range ix.Inputs() {
				inputs[in.Name] = int32(i)
			}
			type value struct {
				input int32
				kind  RawKind
				raw   string
			}
			known := make([][]value, len(spans))
			for i, s := range spans {
				for _, v := range s {
					if at, ok := inputs[v.key]; ok {
						known[i] = append(known[i], value{at, v.kind, v.raw})
					}
				}
			}
			var e Event
			var hit []int32
			hits := 0
			run := func(from, n int) {
				for i := range n {
					e.Reset()
					for _, v := range known[(from+i)%len(known)] {
						e.Add(v.input, v.kind, v.raw)
					}
					hit, _ = task.Event(&e, hit[:0])
					hits += min(len(hit), 1)
				}
			}
			run(0, len(spans))
			passed := float64(hits) / float64(len(spans)) * 100
			b.ReportAllocs()
			b.ResetTimer()
			start := cpuTime()
			run(0, b.N)
			b.ReportMetric(float64(cpuTime()-start)/float64(b.N), "cpu-ns/op")
			s := task.Stats()
			b.ReportMetric(passed, "%hit")
			b.ReportMetric(float64(s.MemoHits)*100/float64(max(s.MemoHits+s.MemoMisses, 1)), "%memo")
			b.ReportMetric(float64(s.SignatureHits)*100/float64(s.SignatureHits+s.SignatureMisses), "%sig")
			b.ReportMetric(float64(s.Candidates)/float64(s.Rows), "cand")
			b.ReportMetric(float64(ix.Bytes())/1e6, "MB")
		})
	}
}

// BenchmarkBatches is the cost of a row of columns, by rules in SQL.
func BenchmarkBatches(b *testing.B) {
	lines := sample(20_000)
	schema, batches := columnsOf(b, lines)
	fns := builtin.All()
	for _, n := range benchSizes {
		set := NewSet(Options{Schema: schema, Context: testContext()})
		var rules []Rule
		g := &sqlGen{fns: fns, schema: schema}
		for i, c := range detections(n) {
			rules = append(rules, Rule{ID: fmt.Sprint(i), Expr: toSQL(g, c)})
		}
		if err := set.Add(rules...); err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			task := set.Index().NewTask()
			var h Hits
			rows, hits := 0, 0
			pass := func(batch *vector.Batch) {
				if err := task.Batch(batch, &h); err != nil {
					b.Fatal(err)
				}
				rows += batch.N
				hits += len(h.Rows)
			}
			for _, batch := range batches {
				pass(batch)
			}
			passed := float64(hits) / float64(rows) * 100
			rows = 0
			b.ReportAllocs()
			b.ResetTimer()
			start := cpuTime()
			for i := 0; rows < b.N; i++ {
				pass(batches[i%len(batches)])
			}
			b.ReportMetric(float64(cpuTime()-start)/float64(rows), "cpu-ns/op")
			b.ReportMetric(passed, "%hit")
		})
	}
}

// toSQL writes a detection as SQL.
func toSQL(g *sqlGen, c *Cond) plan.Expr {
	var subs []plan.Expr
	for _, s := range c.Subs {
		subs = append(subs, toSQL(g, s))
	}
	switch c.Op {
	case CondAnd:
		return op(plan.And, subs...)
	case CondOr:
		if len(subs) == 1 {
			return subs[0]
		}
		return op(plan.Or, subs...)
	case CondNot:
		return op(plan.Not, subs...)
	}
	var col *plan.Column
	for i, f := range g.schema.Fields {
		if f.Name == c.Field {
			col = &plan.Column{Index: i, T: f.Type, Name: f.Name}
		}
	}
	str := types.String()
	if c.Field == "EventID" {
		var id int32
		fmt.Sscan(c.Value, &id)
		return op(plan.Eq, col, lit(id, col.T))
	}
	v := strings.NewReplacer("_", "!_", "%", "!%", "!", "!!").Replace(c.Value)
	switch c.Op {
	case CondPrefix:
		return g.call("LIKE", col, lit(v+"%", str), lit("!", str))
	case CondSuffix:
		return g.call("LIKE", col, lit("%"+v, str), lit("!", str))
	case CondContain:
		return g.call("LIKE", col, lit("%"+v+"%", str), lit("!", str))
	case CondRegex:
		return g.call("REGEXP", col, lit(c.Value, str))
	}
	return op(plan.Eq, col, lit(c.Value, str))
}

func columnsOf(tb testing.TB, lines []string) (*types.Schema, []*vector.Batch) {
	names := []string{"EventID", "Image", "CommandLine", "ParentImage", "User", "Company", "CurrentDirectory", "IntegrityLevel", "ParentCommandLine",
		"DestinationHostname", "TargetObject", "Details", "TargetFilename", "QueryName"}
	schema := types.NewSchema()
	for i, n := range names {
		t := types.String()
		if i == 0 {
			t = types.Of(types.Int)
		}
		schema.Fields = append(schema.Fields, types.Field{Name: n, Type: t})
	}
	var out []*vector.Batch
	for from := 0; from < len(lines); from += 1000 {
		b := vector.NewBatch(schema, 1000)
		for _, l := range lines[from:min(from+1000, len(lines))] {
			var m map[string]any
			if err := json.Unmarshal([]byte(l), &m); err != nil {
				tb.Fatal(err)
			}
			row := make([]types.Value, len(names))
			for i, n := range names {
				switch v := m[n].(type) {
				case string:
					row[i] = v
				case float64:
					row[i] = int32(v)
				}
			}
			b.AppendValues(types.Insert, row...)
		}
		out = append(out, b)
	}
	return schema, out
}
