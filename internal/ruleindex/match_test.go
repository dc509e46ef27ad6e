package ruleindex

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/runnelio/runnel/internal/regex"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// record is a row of an event in tests.
type record []struct{ field, text string }

// Values implements Values.
func (r record) Values(field string, f func(string) bool) {
	for _, v := range r {
		if (field == "" || v.field == field) && !f(v.text) {
			return
		}
	}
}

type condGen struct {
	r      *rand.Rand
	fields []string
	words  []string
}

func (g *condGen) pick(s ...string) string { return s[g.r.IntN(len(s))] }

func (g *condGen) text() string {
	var b strings.Builder
	for range 1 + g.r.IntN(2) {
		b.WriteString(g.pick(g.words...))
	}
	return b.String()
}

func (g *condGen) cond(depth int) *Cond {
	if depth > 0 && g.r.IntN(3) > 0 {
		c := &Cond{Op: []CondOp{CondAnd, CondAnd, CondOr, CondNot}[g.r.IntN(4)]}
		n := 1
		if c.Op != CondNot {
			n = g.r.IntN(4)
		}
		for range n {
			c.Subs = append(c.Subs, g.cond(depth-1))
		}
		return c
	}
	c := &Cond{Field: g.pick(g.fields...), Value: g.text(), Cased: g.r.IntN(3) == 0}
	switch c.Op = CondEqual + CondOp(g.r.IntN(int(condOps-CondEqual))); c.Op {
	case CondGlob:
		c.Pieces = Glob(g.pick("*", "", "?", "a") + g.text() + g.pick("*", "?", `\*`, `\x`) + g.text() + g.pick("*", "", "?*"))
	case CondRegex:
		c.Value = g.pick("a.*b", "^a", "b$", `\d+`, "(?i)foo", "a|b", "foo|bar", `(?=a)a`, "É", ".")
		if c.Cased {
			c.Flags = regex.CaseInsensitive
		}
	case CondCIDR:
		c.Value = g.pick("10.0.0.0/8", "10.1.2.3", "::/0", "0.0.0.0/0", "fe80::/10", "10.1.0.0/16")
	case CondLess, CondLessEq, CondGreater, CondGreaterEq:
		c.Number = float64(g.r.IntN(5)) - 1.5*float64(g.r.IntN(2))
	case CondSame:
		c.Value = g.pick(g.fields...)
	case CondKeyword:
		if g.r.IntN(2) == 0 {
			c.Pieces = Glob(g.text() + "*" + g.text())
		}
	}
	return c
}

var condWords = []string{"a", "b", "A", "foo", "FOO", "bar", `\cmd.exe`, "é", "É", "10.1.2.3", "10.1.2", "1", "2", "-1.5", "fe80::1", "k", "\u212a", "", " ", "日本", "ſ", "s"}

// TestConditionsAgainstEach holds the index equal to evaluating every condition
// alone: random conditions and records, events and batches, while rules come and go.
func TestConditionsAgainstEach(t *testing.T) {
	matched, divided := 0, 0
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 99))
		g := &condGen{r: r, fields: []string{"f", "g", "h", "EventID"}, words: condWords}
		schema := types.NewSchema()
		for _, f := range append(g.fields, "other") {
			schema.Fields = append(schema.Fields, types.Field{Name: f, Type: types.Of(types.VarChar).WithNull(true)})
		}
		set := NewSet(Options{Schema: schema})
		conds := map[string]*Cond{}
		add := func(n int) {
			var rules []Rule
			for range n {
				id := fmt.Sprintf("r%d", len(conds)+1000*r.IntN(1000000))
				if conds[id] != nil {
					continue
				}
				c := g.cond(3)
				if r.IntN(2) == 0 {
					c = &Cond{Op: CondAnd, Subs: []*Cond{{Op: CondEqual, Field: "EventID", Value: g.pick("1", "2", "3")}, c}}
				}
				conds[id] = c
				rules = append(rules, Rule{ID: id, Cond: c})
			}
			if err := set.Add(rules...); err != nil {
				t.Fatal(err)
			}
		}
		add(1 + r.IntN(60))
		task := set.Index().NewTask()
		var e Event
		for step := range 120 {
			switch {
			case step%40 == 20:
				add(1 + r.IntN(10))
				task.Use(set.Index())
			case step%40 == 30:
				for id := range conds {
					if r.IntN(3) == 0 {
						delete(conds, id)
						set.Remove(id)
					}
				}
				task.Use(set.Index())
			case step%40 == 35:
				if err := set.Merge(t.Context()); err != nil {
					t.Fatal(err)
				}
				task.Use(set.Index())
			}
			var rec record
			for _, f := range append(g.fields, "other") {
				if n := r.IntN(4); n > 0 {
					rec = append(rec, struct{ field, text string }{f, g.text()})
				}
			}
			if r.IntN(5) == 0 && len(rec) > 0 { // an array
				rec = append(rec, struct{ field, text string }{rec[0].field, g.text()})
			}
			var want []string
			for id, c := range conds {
				if c.Holds(rec) {
					want = append(want, id)
				}
			}
			slices.Sort(want)
			matched += len(want)
			divided += len(set.Index().Discriminators())
			got := eventRules(task, &e, rec, r)
			if !slices.Equal(got, want) {
				t.Fatalf("seed %d step %d: %q: %v, want %v%s", seed, step, rec, got, want, explain(conds, got, want))
			}
			if single(rec) {
				if got := batchRules(t, task, schema, rec); !slices.Equal(got, want) {
					t.Fatalf("seed %d step %d: batch %q: %v, want %v%s", seed, step, rec, got, want, explain(conds, got, want))
				}
			}
		}
	}
	if matched < 10_000 || divided < 1000 {
		t.Errorf("%d matches, %d steps with a discriminator: too few to mean anything", matched, divided)
	}
}

func explain(conds map[string]*Cond, got, want []string) string {
	var b strings.Builder
	for _, id := range append(got, want...) {
		if slices.Contains(got, id) != slices.Contains(want, id) {
			fmt.Fprintf(&b, "\n%s: %s", id, show(conds[id]))
		}
	}
	return b.String()
}

func show(c *Cond) string {
	if c == nil {
		return "gone"
	}
	s := fmt.Sprintf("{%d %s %q cased=%v %v %+v", c.Op, c.Field, c.Value, c.Cased, c.Number, c.Pieces)
	for _, k := range c.Subs {
		s += " " + show(k)
	}
	return s + "}"
}

func single(rec record) bool {
	seen := map[string]bool{}
	for _, v := range rec {
		if seen[v.field] {
			return false
		}
		seen[v.field] = true
	}
	return true
}

func eventRules(task *Task, e *Event, rec record, r *rand.Rand) []string {
	ix := task.Index()
	e.Reset()
	for _, v := range rec {
		kind, raw := RawText, v.text
		if r.IntN(3) == 0 {
			kind = RawEscaped
			raw = escape(v.text, r)
		}
		at := slices.IndexFunc(ix.Inputs(), func(i Input) bool { return i.Name == v.field })
		if at >= 0 {
			e.Add(int32(at), kind, raw)
		} else {
			e.AddOther(kind, raw)
		}
	}
	nums, decode := task.Event(e, nil)
	if decode {
		panic("conditions need no decoding")
	}
	return names(ix, nums)
}

func escape(s string, r *rand.Rand) string {
	var b strings.Builder
	for _, c := range s {
		switch {
		case c == '\\':
			b.WriteString(`\\`)
		case c < 0x10000 && r.IntN(3) == 0:
			fmt.Fprintf(&b, `\u%04X`, c)
		default:
			b.WriteRune(c)
		}
	}
	return b.String()
}

func names(ix *Index, nums []int32) []string {
	var out []string
	for _, n := range nums {
		r, ok := ix.Rule(n)
		if !ok {
			out = append(out, "removed")
		}
		out = append(out, r.ID)
	}
	slices.Sort(out)
	return out
}

func batchRules(t *testing.T, task *Task, schema *types.Schema, rec record) []string {
	b := vector.NewBatch(schema, 2)
	row := make([]types.Value, len(schema.Fields))
	b.AppendValues(types.Insert, row...)
	for _, v := range rec {
		for i, f := range schema.Fields {
			if f.Name == v.field {
				row[i] = v.text
			}
		}
	}
	b.AppendValues(types.Insert, row...)
	b.Sel = []int32{1}
	var h Hits
	if err := task.Batch(b, &h); err != nil {
		t.Fatal(err)
	}
	for _, r := range h.Rows {
		if r != 1 {
			t.Fatalf("row %d was not selected", r)
		}
	}
	return names(task.Index(), h.Rules)
}
