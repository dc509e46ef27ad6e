package sigma

import (
	"bytes"
	"compress/gzip"
	"context"
	stdjson "encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func parseHits(t *testing.T, out []byte) (hits []string) {
	t.Helper()
	for line := range bytes.Lines(out) {
		var h struct {
			Rule        string
			Title       string
			Tags        []string
			EventID     any `json:"event_id"`
			Event       map[string]any
			Correlation *struct {
				Type  string
				Group map[string]string
				Value float64
				IDs   []any `json:"event_ids"`
			}
		}
		if err := stdjson.Unmarshal(line, &h); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if h.Event == nil || h.Tags == nil {
			t.Errorf("no event or tags in %s", line)
		}
		s := fmt.Sprint(h.Rule, " ", h.EventID)
		if c := h.Correlation; c != nil {
			s += fmt.Sprint(" ", c.Group, " ", c.Value, " ", c.IDs)
		}
		hits = append(hits, s)
	}
	return hits
}

const baseRules = `
title: login failed
id: fail
name: fail_name
logsource: {product: test}
detection: {s: {e: fail}, condition: s}
---
title: login
id: ok
logsource: {product: test}
detection: {s: {e: ok}, condition: s}
---
title: c
id: c
`

func at(sec int, id string, e string, more string) string {
	return fmt.Sprintf(`{"id":%q,"t":"2024-01-01T00:%02d:%02dZ","e":%q%s}`, id, sec/60, sec%60, e, more)
}

func TestCorrelations(t *testing.T) {
	t.Parallel()
	f := func(correlation string, lines []string, want ...string) {
		t.Helper()
		got, _ := hitsOf(t, baseRules+"correlation:\n  "+strings.ReplaceAll(strings.ReplaceAll(correlation, "\n", "\n  "), "\n  ---", "\n---")+"\n", lines...)
		got = slices.DeleteFunc(got, func(s string) bool { return strings.HasPrefix(s, "ok ") })
		if !slices.Equal(got, want) {
			t.Errorf("%s\n  got %q\n instead %q", correlation, got, want)
		}
	}
	u := func(n string) string { return `,"u":"` + n + `"` }
	f("type: event_count\nrules: [fail]\ngroup-by: [u]\ntimespan: 10s\ncondition: {gte: 3}",
		[]string{at(0, "1", "fail", u("a")), at(1, "2", "fail", u("b")), at(2, "3", "fail", u("a")), at(9, "4", "fail", u("a")), at(10, "5", "fail", u("a")), at(11, "6", "fail", u("a"))},
		"c 4 map[u:a] 3 [1 3 4]") // 5 and 6 begin anew
	f("type: event_count\nrules: fail_name\ntimespan: 10s\ncondition: {gte: 3}",
		[]string{at(0, "1", "fail", ""), at(5, "2", "fail", ""), at(10, "3", "fail", ""), at(14, "4", "fail", "")},
		"c 4 map[] 3 [2 3 4]") // the first is 10 seconds old at the third
	f("type: event_count\nrules: [fail]\ntimespan: 1m\ncondition: {gt: 1}\ngenerate: true",
		[]string{at(0, "1", "fail", ""), at(1, "2", "fail", "")},
		"fail 1", "fail 2", "c 2 map[] 2 [1 2]")
	f("type: value_count\nrules: [fail]\ngroup-by: [h]\ntimespan: 1m\ncondition: {gte: 2, field: u}",
		[]string{at(0, "1", "fail", `,"h":1`+u("a")), at(1, "2", "fail", `,"h":1`+u("a")), at(2, "3", "fail", `,"h":1`), at(3, "4", "fail", `,"h":1`+u("b"))},
		"c 4 map[h:1] 2 [1 2 4]")
	f("type: value_sum\nrules: [fail]\ntimespan: 10s\ncondition: {gt: 100, field: n}",
		[]string{at(0, "1", "fail", `,"n":60`), at(11, "2", "fail", `,"n":60`), at(12, "3", "fail", `,"n":"x"`), at(13, "4", "fail", `,"n":"41"`)},
		"c 4 map[] 101 [2 4]")
	f("type: value_avg\nrules: [fail]\ntimespan: 10s\ncondition: {lt: 5, field: n}",
		[]string{at(0, "1", "fail", `,"n":8`), at(1, "2", "fail", `,"n":1`)}, "c 2 map[] 4.5 [1 2]")
	f("type: value_percentile\nrules: [fail]\ntimespan: 10s\ncondition: {gte: 9, field: n, percentile: 90}",
		[]string{at(0, "1", "fail", `,"n":8`), at(1, "2", "fail", `,"n":1`), at(2, "3", "fail", `,"n":10`)}, "c 3 map[] 9.6 [1 2 3]")
	f("type: value_median\nrules: [fail]\ntimespan: 10s\ncondition: {gte: 5, field: n}",
		[]string{at(0, "1", "fail", `,"n":1`), at(1, "2", "fail", `,"n":9`)}, "c 2 map[] 5 [1 2]")
	f("type: temporal\nrules: [fail, ok]\ngroup-by: [u]\ntimespan: 10s",
		[]string{at(0, "1", "ok", u("a")), at(1, "2", "fail", u("b")), at(9, "3", "fail", u("a")), at(20, "4", "ok", u("b"))},
		"c 3 map[u:a] 2 [1 3]")
	f("type: temporal\nrules: [fail, ok]\ngroup-by: [who]\ntimespan: 10s\naliases: {who: {fail: u, ok: v}}",
		[]string{at(0, "1", "fail", u("a")), at(1, "2", "ok", `,"v":"a"`)}, "c 2 map[who:a] 2 [1 2]")
	f("type: temporal_ordered\nrules: [fail, ok]\ntimespan: 10s",
		[]string{at(0, "1", "ok", ""), at(1, "2", "fail", ""), at(2, "3", "ok", "")}, "c 3 map[] 2 [1 2 3]")
	f("type: temporal_ordered\nrules: [fail, ok]\ntimespan: 10s", []string{at(0, "1", "ok", ""), at(1, "2", "fail", "")})
	// Times out of order, and too late.
	f("type: event_count\nrules: [fail]\ntimespan: 10s\ncondition: {gte: 3}",
		[]string{at(20, "1", "fail", ""), at(15, "2", "fail", ""), at(5, "3", "fail", ""), at(12, "4", "fail", "")}, "c 4 map[] 3 [4 2 1]")
	// A correlation over a correlation.
	f("type: event_count\nrules: [fail]\ngroup-by: [u]\ntimespan: 10s\ncondition: {gte: 2}\n\n---\ntitle: d\nid: d\ncorrelation: {type: temporal, rules: [c, ok], group-by: [u], timespan: 1m}",
		[]string{at(0, "1", "fail", u("a")), at(1, "2", "fail", u("a")), at(2, "3", "ok", u("a"))}, "d 3 map[u:a] 2 [2 3]")
}

// Conditions that are known only when the time is over hold for windows that
// begin at multiples of the timespan, whatever order the hits come in.
func TestClosedWindows(t *testing.T) {
	t.Parallel()
	f := func(correlation string, lines []string, want ...string) {
		t.Helper()
		got, _ := hitsOf(t, baseRules+"correlation:\n  "+strings.ReplaceAll(strings.ReplaceAll(correlation, "\n", "\n  "), "\n  ---", "\n---")+"\n", lines...)
		if !slices.Equal(got, want) {
			t.Errorf("%s\n  got %q\n instead %q", correlation, got, want)
		}
	}
	u := func(n string) string { return `,"u":"` + n + `"` }
	f("type: event_count\nrules: [fail]\ngroup-by: [u]\ntimespan: 10s\ncondition: {lt: 2}",
		[]string{at(0, "1", "fail", u("a")), at(1, "2", "fail", u("b")), at(9, "3", "fail", u("a")), at(10, "4", "fail", u("a")), at(25, "5", "fail", u("b"))},
		"c 2 map[u:b] 1 [2]", "c 4 map[u:a] 1 [4]", "c 5 map[u:b] 1 [5]") // 1 and 3 are two
	f("type: event_count\nrules: [fail]\ntimespan: 10s\ncondition: {eq: 2}", // out of order, and the last is too late
		[]string{at(12, "1", "fail", ""), at(3, "2", "fail", ""), at(18, "3", "fail", ""), at(30, "4", "fail", ""), at(19, "5", "fail", "")},
		"c 3 map[] 2 [1 3]")
	f("type: event_count\nrules: [fail]\ntimespan: 10s\ncondition: {gte: 2, lte: 3}",
		[]string{at(0, "1", "fail", ""), at(10, "2", "fail", ""), at(11, "3", "fail", ""), at(12, "4", "fail", ""), at(20, "5", "fail", ""), at(21, "6", "fail", ""), at(22, "7", "fail", ""), at(23, "8", "fail", "")},
		"c 4 map[] 3 [2 3 4]")
	f("type: event_count\nrules: [fail]\ntimespan: 10s\ncondition: {neq: 1}\ngenerate: true",
		[]string{at(0, "1", "fail", ""), at(1, "2", "fail", ""), at(10, "3", "fail", "")},
		"fail 1", "fail 2", "fail 3", "c 2 map[] 2 [1 2]")
	f("type: value_count\nrules: [fail]\ntimespan: 10s\ncondition: {lte: 1, field: u}",
		[]string{at(0, "1", "fail", u("a")), at(1, "2", "fail", u("b")), at(12, "3", "fail", u("a")), at(11, "4", "fail", u("a"))},
		"c 3 map[] 1 [4 3]")
	f("type: value_sum\nrules: [fail]\ntimespan: 10s\ncondition: {lt: 100, field: n}",
		[]string{at(0, "1", "fail", `,"n":60`), at(1, "2", "fail", `,"n":60`), at(10, "3", "fail", `,"n":99`)}, "c 3 map[] 99 [3]")
	f("type: value_avg\nrules: [fail]\ntimespan: 10s\ncondition: {lt: 5, field: n}",
		[]string{at(0, "1", "fail", `,"n":1`), at(1, "2", "fail", `,"n":11`), at(10, "3", "fail", `,"n":4`)}, "c 3 map[] 4 [3]")
	f("type: value_median\nrules: [fail]\ntimespan: 10s\ncondition: {eq: 2, field: n}",
		[]string{at(0, "1", "fail", `,"n":1`), at(1, "2", "fail", `,"n":9`), at(2, "3", "fail", `,"n":2`)}, "c 3 map[] 2 [1 2 3]")
	f("type: temporal\nrules: [fail, ok]\ngroup-by: [u]\ntimespan: 10s\ncondition: fail and not ok\ngenerate: true",
		[]string{at(0, "1", "ok", u("a")), at(1, "2", "fail", u("a")), at(2, "3", "fail", u("b")), at(11, "4", "fail", u("a")), at(12, "5", "ok", u("b")), at(31, "6", "ok", u("b"))},
		"ok 1", "fail 2", "fail 3", "fail 4", "ok 5", "ok 6", "c 3 map[u:b] 1 [3]", "c 4 map[u:a] 1 [4]")
	f("type: temporal\nrules: [fail, ok]\ntimespan: 10s\ncondition: {eq: 1}",
		[]string{at(0, "1", "ok", ""), at(1, "2", "fail", ""), at(10, "3", "ok", ""), at(11, "4", "ok", "")}, "c 4 map[] 1 [3 4]")
	// Without not, hits are told as they come; the condition may name the rules.
	f("type: temporal\ntimespan: 10s\ncondition: fail and ok",
		[]string{at(9, "1", "ok", ""), at(11, "2", "fail", ""), at(12, "3", "ok", "")}, "c 2 map[] 2 [1 2]")
	f("type: temporal\nrules: [fail, ok]\ntimespan: 10s\ncondition: 1 of them", []string{at(9, "1", "ok", "")}, "c 1 map[] 1 [1]")
	// Correlations over one that is known late: times jump over all windows.
	f("type: event_count\nrules: [fail]\ngroup-by: [u]\ntimespan: 10s\ncondition: {lt: 2}\n\n---\ntitle: d\nid: d\ncorrelation: {type: temporal, rules: [c, ok], group-by: [u], timespan: 1m}",
		[]string{at(0, "1", "fail", u("a")), at(2, "2", "ok", u("a")), at(3, "3", "fail", u("b")), at(4, "4", "fail", u("b")), at(5, "5", "ok", u("b")), at(3000, "6", "ok", u("a"))},
		"d 2 map[u:a] 2 [1 2]")
	// A time before 1970.
	f("type: event_count\nrules: [fail]\ntimespan: 10s\ncondition: {eq: 2}",
		[]string{`{"id":"1","t":"1969-12-31T23:59:51Z","e":"fail"}`, `{"id":"2","t":"1969-12-31T23:59:59Z","e":"fail"}`, `{"id":"3","t":"1970-01-01T00:00:00Z","e":"fail"}`},
		"c 2 map[] 2 [1 2]")
}

// What is written does not depend on the number of goroutines.
func TestParallelRun(t *testing.T) {
	t.Parallel()
	var lines strings.Builder
	pad := strings.Repeat("p", 900)
	for i := range 9000 { // 9 chunks
		lines.WriteString(at(i/3, fmt.Sprint(i), []string{"fail", "ok", "other"}[i*7%3], fmt.Sprintf(`,"u":"%d","pad":%q`, i%17, pad)) + "\n")
		if i%2000 == 1 {
			lines.WriteString("no json\n")
		}
	}
	c := collect(t, baseRules+"correlation: {type: event_count, rules: [fail], group-by: [u], timespan: 1m, condition: {lt: 4}, generate: true}", Options{AllLogSources: true})
	m, err := NewMatcher(c, "id")
	if err != nil {
		t.Fatal(err)
	}
	var want []byte
	var sum Summary
	for _, n := range []int{0, 1, 2, 5} {
		var out bytes.Buffer
		got, err := Run(context.Background(), c, m, RunOptions{Inputs: []string{"-"}, Stdin: strings.NewReader(lines.String()), Output: &out, IDField: "id", TimestampField: "t", Parallelism: n})
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			want, sum = out.Bytes(), got
			if got.Hits != 6000 || got.Bad != 5 || got.Fired == 0 {
				t.Errorf("%+v", got)
			}
			continue
		}
		if !bytes.Equal(out.Bytes(), want) || fmt.Sprint(got) != fmt.Sprint(sum) {
			t.Errorf("%d goroutines: %d bytes, %+v, instead of %d, %+v", n, out.Len(), got, len(want), sum)
		}
		out.Reset()
		_, err = Run(context.Background(), c, m, RunOptions{Inputs: []string{"-"}, Stdin: strings.NewReader(lines.String()), Output: &out, IDField: "id", TimestampField: "t", Strict: true, Parallelism: n})
		if err == nil || !strings.Contains(err.Error(), "-:3: no JSON") || bytes.Count(out.Bytes(), []byte("\n")) != 2 { // of the two lines before
			t.Errorf("strict, %d goroutines: %v, %s", n, err, out.Bytes()[:min(300, out.Len())])
		}
	}
}

func TestCorrelationErrors(t *testing.T) {
	t.Parallel()
	f := func(correlation, want string) {
		t.Helper()
		c := collect(t, baseRules+"correlation: "+correlation, Options{AllLogSources: true})
		e := c.Entries[2]
		if e.State == OK || !strings.Contains(e.Why, want) {
			t.Errorf("%s: %s: %s", correlation, e.State, e.Why)
		}
	}
	f("{type: nope, rules: [a], timespan: 1m}", "is unknown")
	f("{type: event_count, rules: [fail], condition: {gte: 1}}", "has no timespan")
	f("{type: event_count, rules: [fail], timespan: 1x, condition: {gte: 1}}", "timespan is a number with")
	f("{type: event_count, rules: [fail], timespan: 1m}", "needs a condition")
	f("{type: event_count, rules: [zz], timespan: 1m, condition: {gte: 1}}", "there is no rule zz")
	f("{type: event_count, rules: [c], timespan: 1m, condition: {gte: 1}}", "refers to itself")
	f("{type: event_count, rules: [fail], timespan: 1m, condition: {lt: 1}}", "can never hold")
	f("{type: event_count, rules: [fail], timespan: 1m, condition: {gt: 3, lte: 3.5}}", "can never hold")
	f("{type: temporal, rules: [fail, ok], timespan: 1m, condition: {eq: 3}}", "can never hold")
	f("{type: temporal_ordered, rules: [fail, ok], timespan: 1m, condition: {lt: 2}}", "can never hold")
	f("{type: value_count, rules: [fail], timespan: 1m, condition: {gte: 1}}", "needs a field")
	f("{type: value_percentile, rules: [fail], timespan: 1m, condition: {gte: 1, field: x}}", "needs a percentile")
	f("{type: temporal, rules: [fail, ok], timespan: 1m, condition: not fail and not ok}", "can never hold")
	f("{type: temporal, rules: [fail, ok], timespan: 1m, condition: fail and}", "ends where a name should be")
	f("{type: temporal, rules: [fail, ok], timespan: 1m, condition: fail and nope}", "nope is not one of the rules")
	f("{type: temporal, timespan: 1m, condition: 1 of f*}", "needs the names of the rules")
	f("{type: temporal_ordered, rules: [fail, ok], timespan: 1m, condition: fail and not ok}", "is of the type temporal")
	f("{type: event_count, rules: [fail], timespan: 1m, condition: fail}", "is of the type temporal")
	f("{type: temporal, rules: [fail, ok], timespan: 1m, foo: 1}", "foo is no part")
	c := collect(t, baseRules+"correlation: {type: temporal, rules: [fail, ok], timespan: 1m}", Options{})
	if e := c.Entries[2]; e.State != NotRun || !strings.Contains(e.Why, "it refers to fail, which is not run") {
		t.Errorf("%s: %s", e.State, e.Why)
	}
}

// Percentiles, sums and counts over a sliding window are those of the hits in
// it, whatever order they come in.
func TestWindowModel(t *testing.T) {
	t.Parallel()
	seed := uint64(1)
	next := func(n int) int {
		seed = seed*6364136223846793005 + 1442695040888963407
		return int(seed>>33) % n
	}
	for _, kind := range []string{"event_count", "value_count", "value_sum", "value_avg", "value_percentile", "value_median"} {
		c := &Correlation{Type: kind, Timespan: 10_000_000, Percentile: 75} // 10 ms
		g := &group{}
		var all []windowHit
		now := 0
		for i := range 2000 {
			now += next(3)
			h := windowHit{at: int64(now - next(14)), num: float64(next(5)), text: fmt.Sprint(next(4))}
			if i == 0 {
				h.at = int64(now)
			}
			ok, _ := g.add(h, c)
			late := i > 0 && h.at <= g.newest-10
			if ok == late {
				t.Fatalf("%s, hit %d: taken %v, late %v", kind, i, ok, late)
			}
			if ok {
				all = append(all, h)
			}
			model := &group{newest: g.newest}
			for _, h := range all {
				if h.at > g.newest-10 {
					model.hits = append(model.hits, h)
					model.count(h, c, 1)
				}
			}
			if got, want := g.value(c), model.value(c); ok && (got != want || len(g.hits) != len(model.hits)) {
				t.Fatalf("%s, hit %d: %v over %d hits instead of %v over %d", kind, i, got, len(g.hits), want, len(model.hits))
			}
		}
	}
}

func TestRunInputs(t *testing.T) {
	t.Parallel()
	c := collect(t, rule("    s: {a: x}\n    condition: s"), Options{AllLogSources: true})
	m, err := NewMatcher(c)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	plain, packed := filepath.Join(dir, "a.jsonl"), filepath.Join(dir, "b.jsonl.gz")
	big := strings.Repeat("y", 3<<20) // longer than a chunk
	if err := os.WriteFile(plain, []byte("\xef\xbb\xbf{\"a\":\"x\",\"id\":1}\r\n\n  \nnot json\n{\"a\":\"x\",\"b\":\""+big+"\",\"id\":2}\n{\"a\":\"x\",\"id\":\"3\\\"\"}"), 0o600); err != nil {
		t.Fatal(err)
	}
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	for i := range 20_000 {
		fmt.Fprintf(w, "{\"id\":%d,\"pad\":%q,\"a\":%q}\n", i, strings.Repeat("p", i%200), []string{"x", "y"}[i%2])
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(packed, z.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	opt := RunOptions{Inputs: []string{plain, packed}, Output: &out, IDField: "id", TimestampField: "t"}
	sum, err := Run(context.Background(), c, m, opt)
	if err != nil {
		t.Fatal(err)
	}
	hits := parseHits(t, out.Bytes())
	if sum.Events != 20_003 || sum.Hits != 10_003 || sum.Bad != 1 || len(hits) != 10_003 || len(sum.BadLines) != 1 || !strings.Contains(sum.BadLines[0], "a.jsonl:4: no JSON") {
		t.Errorf("%+v, %d lines", sum, len(hits))
	}
	if want := []string{"r 1", "r 2", `r 3"`, "r 0", "r 2"}; !slices.Equal(hits[:5], want) {
		t.Errorf("%q", hits[:5])
	}
	opt.Strict = true
	if _, err := Run(context.Background(), c, m, opt); err == nil || !strings.Contains(err.Error(), "a.jsonl:4:") {
		t.Errorf("strict: %v", err)
	}
	if err := os.WriteFile(packed, z.Bytes()[:z.Len()/2], 0o600); err != nil {
		t.Fatal(err)
	}
	opt.Strict = false
	if _, err := Run(context.Background(), c, m, opt); err == nil || !strings.Contains(err.Error(), "ends in the middle") {
		t.Errorf("truncated: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Run(ctx, c, m, opt); err == nil {
		t.Error("a cancelled run gave no error")
	}
}

// hitsOf runs rules over lines and returns what was written, shortened: the rule
// and the id of each hit.
func hitsOf(t *testing.T, text string, lines ...string) (hits []string, sum Summary) {
	t.Helper()
	c := collect(t, text, Options{AllLogSources: true})
	for _, e := range c.Entries {
		if e.State != OK {
			t.Fatalf("%s:%d %s: %s", e.File, e.Line, e.State, e.Why)
		}
	}
	m, err := NewMatcher(c, "id")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	sum, err = Run(context.Background(), c, m, RunOptions{Inputs: []string{"-"}, Stdin: strings.NewReader(strings.Join(lines, "\n")), Output: &out, IDField: "id", TimestampField: "t"})
	if err != nil {
		t.Fatal(err)
	}
	return parseHits(t, out.Bytes()), sum
}
