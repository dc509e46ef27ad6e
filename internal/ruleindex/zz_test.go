package ruleindex

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestZZ(t *testing.T) {
	data, err := os.ReadFile("/tmp/sig/rules.json")
	if err != nil {
		t.Skip()
	}
	var rules []Rule
	if err := json.Unmarshal(data, &rules); err != nil {
		t.Fatal(err)
	}
	mult := 1
	fmt.Sscan(os.Getenv("MULT"), &mult)
	base := rules
	for k := 1; k < mult; k++ {
		for _, r := range base {
			var c Cond
			b, _ := json.Marshal(r.Cond)
			json.Unmarshal(b, &c)
			mutate(&c, k)
			rules = append(rules, Rule{ID: fmt.Sprintf("%s-%d", r.ID, k), Cond: &c})
		}
	}
	nokw := os.Getenv("NOKW") != ""
	if nokw {
		rules = slices.DeleteFunc(rules, func(r Rule) bool { b, _ := json.Marshal(r.Cond); return strings.Contains(string(b), `"Op":16`) })
	}
	runtime.GC()
	var m0, m1 runtime.MemStats
	runtime.ReadMemStats(&m0)
	start, c0 := time.Now(), cpuTime()
	set := NewSet(Options{})
	if err := set.Add(rules...); err != nil {
		t.Fatal(err)
	}
	ix := set.Index()
	build := cpuTime() - c0
	runtime.GC()
	runtime.ReadMemStats(&m1)
	t.Logf("%d rules, built in %v (cpu %.2f s), %.1f MB counted, %.1f MB heap, %d atoms, disc %v, unindexed %d", len(rules), time.Since(start), float64(build)/1e9, float64(ix.Bytes())/1e6, float64(m1.HeapAlloc-m0.HeapAlloc)/1e6, len(ix.segs[0].fieldOf), ix.Discriminators(), len(ix.segs[0].wake.always))
	for _, r := range ix.segs[0].wake.always {
		t.Log("  unindexed ", ix.rules[ix.segs[0].rules[r].num].ID)
	}
	f, _ := os.Open("/work/shared/data/windows/events.jsonl.gz")
	zr, _ := gzip.NewReader(f)
	sc := bufio.NewScanner(zr)
	sc.Buffer(nil, 1<<20)
	inputs := map[string]int32{}
	for i, in := range ix.Inputs() {
		inputs[in.Name] = int32(i)
	}
	type value struct {
		input int32
		kind  RawKind
		raw   string
	}
	var evs [][]value
	var ids []string
	for sc.Scan() {
		d := json.NewDecoder(strings.NewReader(sc.Text()))
		d.UseNumber()
		var m map[string]any
		if err := d.Decode(&m); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, m["_id"].(string))
		delete(m, "_id")
		var vs []value
		for k, v := range m {
			at, ok := inputs[k]
			if !ok {
				if !ix.NeedsAll() {
					continue
				}
				at = -1
			}
			switch v := v.(type) {
			case string:
				vs = append(vs, value{at, RawText, v})
			case json.Number:
				vs = append(vs, value{at, RawNumber, v.String()})
			case bool:
				vs = append(vs, value{at, RawBool, fmt.Sprint(v)})
			case nil:
			case []any:
				for _, x := range v {
					vs = append(vs, value{at, RawText, fmt.Sprint(x)})
				}
			default:
				vs = append(vs, value{at, RawText, fmt.Sprint(v)})
			}
		}
		evs = append(evs, vs)
	}
	task := ix.NewTask()
	got := map[string][]string{}
	var e Event
	var hit []int32
	for pass := range 2 {
		c0 := cpuTime()
		s0 := task.Stats()
		for i, vs := range evs {
			e.Reset()
			for _, v := range vs {
				if v.input < 0 {
					e.AddOther(v.kind, v.raw)
				} else {
					e.Add(v.input, v.kind, v.raw)
				}
			}
			hit, _ = task.Event(&e, hit[:0])
			if pass == 0 {
				for _, h := range hit {
					r, _ := ix.Rule(h)
					got[r.ID] = append(got[r.ID], ids[i])
				}
			}
		}
		s := task.Stats()
		t.Logf("pass %d: %.0f cpu-ns/event; memo %.2f%% sig %.2f%% cand/event %.2f cand/miss %.2f plans %d choices %d task %.1f MB forgotten %d", pass, float64(cpuTime()-c0)/float64(len(evs)),
			100*float64(s.MemoHits-s0.MemoHits)/float64(s.MemoHits+s.MemoMisses-s0.MemoHits-s0.MemoMisses), 100*float64(s.SignatureHits-s0.SignatureHits)/float64(len(evs)),
			float64(s.Candidates-s0.Candidates)/float64(len(evs)), float64(s.Candidates-s0.Candidates)/float64(max(1, s.SignatureMisses-s0.SignatureMisses)), s.Plans, s.Choices, float64(s.Bytes)/1e6, s.Forgotten)
	}
	ef, _ := os.Open("/work/shared/data/sigma/expected-matches.jsonl")
	es := bufio.NewScanner(ef)
	es.Buffer(nil, 1<<22)
	same, diff, total := 0, 0, 0
	for es.Scan() {
		var x struct {
			Rule    string
			Matches []string
		}
		json.Unmarshal(es.Bytes(), &x)
		g := got[x.Rule]
		slices.Sort(g)
		total += len(x.Matches)
		if slices.Equal(g, x.Matches) || len(g)+len(x.Matches) == 0 {
			same++
		} else {
			diff++
			t.Logf("rule %s: got %d want %d", x.Rule, len(g), len(x.Matches))
		}
	}
	t.Logf("%d rules same, %d differ, %d matches expected", same, diff, total)
}

func mutate(c *Cond, k int) {
	for i, p := range c.Pieces {
		if len(p.Text) > 3 {
			b := []byte(p.Text)
			for j := range b {
				if b[j] >= 'a' && b[j] <= 'z' {
					b[j] = 'a' + (b[j]-'a'+byte(k*(j+1)))%26
				}
			}
			if c.Field != "EventID" && c.Field != "Channel" {
				c.Pieces[i].Text = string(b)
			}
		}
	}
	for _, s := range c.Subs {
		mutate(s, k)
	}
}
