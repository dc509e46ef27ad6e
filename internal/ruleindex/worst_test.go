package ruleindex

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

func newTestSet(t testing.TB, conds []*Cond, opt Options) *Set {
	t.Helper()
	set := NewSet(opt)
	var rules []Rule
	for i, c := range conds {
		rules = append(rules, Rule{ID: fmt.Sprint(i), Cond: c})
	}
	if err := set.Add(rules...); err != nil {
		t.Fatal(err)
	}
	return set
}

// evalEvent runs one event of named texts.
func evalEvent(t testing.TB, task *Task, values ...string) []string {
	t.Helper()
	var e Event
	ix := task.Index()
	for i := 0; i < len(values); i += 2 {
		at := slices.IndexFunc(ix.Inputs(), func(in Input) bool { return in.Name == values[i] })
		if at >= 0 {
			e.Add(int32(at), RawText, values[i+1])
		} else {
			e.AddOther(RawText, values[i+1])
		}
	}
	nums, _ := task.Event(&e, nil)
	return names(ix, nums)
}

func sub(op CondOp, subs ...*Cond) *Cond { return &Cond{Op: op, Subs: subs} }

// TestDistinctValues: the memo is of no use, memory stays bounded.
func TestDistinctValues(t *testing.T) {
	task := newTestSet(t, detections(1000), Options{}).Index().NewTask()
	start := cpuTime()
	const n = 30_000
	for i := range n {
		evalEvent(t, task, "EventID", "1", "Image", fmt.Sprintf(`C:\x\%d.exe`, i), "CommandLine", fmt.Sprintf("run %d --fast", i*7), "ParentImage", fmt.Sprint("p", i))
	}
	s := task.Stats()
	t.Logf("%d ns an event, memo %d of %d, %d bytes", (cpuTime()-start)/n, s.MemoHits, s.MemoHits+s.MemoMisses, s.Bytes)
	if s.Bytes > 8<<20 {
		t.Errorf("%d bytes", s.Bytes)
	}
}

// TestManySets: values with many different sets of atoms fill the pools, which
// are then emptied; answers stay right.
func TestManySets(t *testing.T) {
	var conds []*Cond
	for i := range 14 {
		conds = append(conds, &Cond{Op: CondContain, Field: "f", Value: fmt.Sprintf("<%d>", i)})
	}
	for i := range 3000 {
		conds = append(conds, &Cond{Op: CondLess, Field: "n", Number: float64(i)})
	}
	task := newTestSet(t, conds, Options{}).Index().NewTask()
	r := rand.New(rand.NewPCG(1, 9))
	for range 2500 {
		var b strings.Builder
		var want []string
		for i := range 14 {
			if r.IntN(2) == 0 {
				fmt.Fprintf(&b, "<%d>", i)
				want = append(want, fmt.Sprint(i))
			}
		}
		n := r.IntN(3100)
		for i := n + 1; i < 3000; i++ {
			want = append(want, fmt.Sprint(14+i))
		}
		slices.Sort(want)
		if got := evalEvent(t, task, "f", b.String(), "n", fmt.Sprint(n)); !slices.Equal(got, want) {
			t.Fatalf("%s %d: %d rules, want %d", b.String(), n, len(got), len(want))
		}
	}
	s := task.Stats()
	if s.Forgotten == 0 {
		t.Error("the pools never were full")
	}
	if s.Bytes > 64<<20 {
		t.Errorf("%d bytes", s.Bytes)
	}
}

// TestHugeValues: a megabyte in every field, patterns that overlap, expressions
// that would never end, in bounded time.
func TestHugeValues(t *testing.T) {
	var conds []*Cond
	for i := 1; i <= 500; i++ {
		conds = append(conds, &Cond{Op: CondContain, Field: "f", Value: strings.Repeat("a", i)})
	}
	conds = append(conds,
		&Cond{Op: CondRegex, Field: "f", Value: "(a+a+)+b"},
		&Cond{Op: CondRegex, Field: "f", Value: `(a|aa)+(?=c)\1x`},
		&Cond{Op: CondGlob, Field: "f", Pieces: Glob("*a*a*a*a*a*a*b")},
		&Cond{Op: CondGlob, Field: "f", Pieces: Glob("*aa?aa?aa?b*")},
		&Cond{Op: CondCIDR, Field: "f", Value: "10.0.0.0/8"},
		&Cond{Op: CondGreater, Field: "f", Number: 1},
	)
	task := newTestSet(t, conds, Options{}).Index().NewTask()
	start := cpuTime()
	got := evalEvent(t, task, "f", strings.Repeat("aA", 1<<19))
	if len(got) != 500 {
		t.Errorf("%d rules", len(got))
	}
	if d := time.Duration(cpuTime() - start); d > 10*time.Second {
		t.Errorf("took %v", d)
	}
}

// TestManyKeywords: ten thousand texts that are looked for in every value.
func TestManyKeywords(t *testing.T) {
	var conds []*Cond
	for i := range 10_000 {
		conds = append(conds, &Cond{Op: CondKeyword, Value: fmt.Sprintf("word%dx", i*7919%100_000)})
	}
	set := newTestSet(t, conds, Options{Unsearched: []string{"id"}})
	if !set.Index().NeedsAll() {
		t.Fatal("not all values are asked for")
	}
	task := set.Index().NewTask()
	start := cpuTime()
	const n = 2000
	for i := range n {
		got := evalEvent(t, task, "a", fmt.Sprintf("nothing %d in here", i), "b", fmt.Sprintf("a word%dx there", i%50*7919%100_000), "c", strings.Repeat("word ", 50))
		if !slices.Equal(got, []string{fmt.Sprint(i % 50)}) {
			t.Fatalf("%d: %v", i, got)
		}
	}
	t.Logf("%d ns an event, index of %d bytes", (cpuTime()-start)/n, set.Index().Bytes())
}

func TestUnsearched(t *testing.T) {
	set := newTestSet(t, []*Cond{{Op: CondKeyword, Value: "x"}, {Op: CondEqual, Field: "id", Value: "x"}}, Options{Unsearched: []string{"id"}})
	task := set.Index().NewTask()
	if got := evalEvent(t, task, "id", "x"); !slices.Equal(got, []string{"1"}) {
		t.Errorf("%v", got)
	}
	if got := evalEvent(t, task, "id", "y", "other", "axb"); !slices.Equal(got, []string{"0"}) {
		t.Errorf("%v", got)
	}
}

// TestUnindexed: rules that nothing has to be there for are named, and limited.
func TestUnindexed(t *testing.T) {
	text := &Cond{Op: CondContain, Field: "f", Value: "abc"}
	set := newTestSet(t, []*Cond{text, sub(CondNot, text), sub(CondAnd, text, sub(CondNot, &Cond{Op: CondExists, Field: "g"}))}, Options{MaxUnindexed: 1})
	var un []string
	for _, r := range set.Index().Rules() {
		if r.Unindexed {
			un = append(un, r.ID)
		}
	}
	if !slices.Equal(un, []string{"1"}) {
		t.Errorf("unindexed: %v", un)
	}
	err := set.Add(Rule{ID: "more", Cond: sub(CondNot, &Cond{Op: CondEqual, Field: "f", Value: "x"})})
	if err == nil || !strings.Contains(err.Error(), `rule "more" cannot be indexed`) {
		t.Errorf("%v", err)
	}
	if set.Index().Len() != 3 {
		t.Errorf("%d rules", set.Index().Len())
	}
}

func TestRefused(t *testing.T) {
	set := newTestSet(t, []*Cond{{Op: CondNull, Field: "f"}}, Options{})
	for _, c := range []struct {
		rule Rule
		want string
	}{
		{Rule{ID: "0", Cond: &Cond{Op: CondAnd}}, "is there already"},
		{Rule{ID: "x"}, "no condition"},
		{Rule{ID: "x", Expr: lit(true, types.Of(types.Boolean))}, "no schema"},
		{Rule{ID: "x", Cond: &Cond{Op: CondRegex, Field: "f", Value: "("}}, "unclosed group"},
		{Rule{ID: "x", Cond: &Cond{Op: CondCIDR, Field: "f", Value: "1.2.3"}}, "neither a network"},
		{Rule{ID: "x", Cond: sub(CondNot)}, "one operand"},
		{Rule{ID: "x", Cond: &Cond{Op: CondEqual}}, "without a field"},
		{Rule{ID: "x", Cond: &Cond{Op: 99}}, "unknown condition"},
	} {
		if err := set.Add(c.rule); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want %q", c.rule, err, c.want)
		}
	}
	if un := set.Remove("nobody", "0"); !slices.Equal(un, []string{"nobody"}) || set.Index().Len() != 0 {
		t.Errorf("%v, %d rules", un, set.Index().Len())
	}
}

func TestRuleStats(t *testing.T) {
	set := newTestSet(t, []*Cond{{Op: CondEqual, Field: "f", Value: "a"}, {Op: CondEqual, Field: "f", Value: "b"}}, Options{})
	task := set.Index().NewTask()
	task.SetNow(77)
	for _, v := range []string{"a", "a", "c"} {
		evalEvent(t, task, "f", v)
	}
	if s := task.RuleStats(0); s.Hits != 2 || s.LastHit != 77 || s.Candidates != 1 {
		t.Errorf("%+v", s)
	}
	if s := task.RuleStats(1); s != (RuleStats{}) {
		t.Errorf("%+v", s)
	}
	if err := set.Merge(t.Context()); err != nil {
		t.Fatal(err)
	}
	task.Use(set.Index())
	if s := task.RuleStats(0); s.Hits != 2 || s.Candidates != 1 {
		t.Errorf("after a merge: %+v", s)
	}
	if s := task.Stats(); s.Rows != 3 || s.MemoHits != 1 || s.SignatureMisses != 2 {
		t.Errorf("%+v", s)
	}
}

// TestChangeWhileRunning: tasks evaluate while rules come and go and segments are merged.
func TestChangeWhileRunning(t *testing.T) {
	set := newTestSet(t, detections(300), Options{})
	steady := Rule{ID: "steady", Cond: &Cond{Op: CondContain, Field: "CommandLine", Value: "always"}}
	if err := set.Add(steady); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			task := set.Index().NewTask()
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				task.Use(set.Index())
				if got := evalEvent(t, task, "EventID", "1", "CommandLine", fmt.Sprint("as always ", i%100)); !slices.Contains(got, "steady") {
					t.Errorf("generation %d: %v", task.Index().Generation(), got)
					return
				}
			}
		})
	}
	for i := range 60 {
		id := fmt.Sprint("new", i)
		if err := set.Add(Rule{ID: id, Cond: &Cond{Op: CondSuffix, Field: "Image", Value: id}}); err != nil {
			t.Error(err)
		}
		if i%3 == 0 {
			set.Remove(id)
		}
		set.MergeSoon(t.Context(), 4)
	}
	set.Wait()
	close(stop)
	wg.Wait()
	if n := set.Index().Len(); n != 341 {
		t.Errorf("%d rules", n)
	}
}

// TestAddIsQuick: adding to ten thousand rules takes no longer than a short pause.
func TestAddIsQuick(t *testing.T) {
	set := newTestSet(t, detections(10_000), Options{})
	task := set.Index().NewTask()
	evalEvent(t, task, "EventID", "1", "CommandLine", "x")
	start := cpuTime()
	if err := set.Add(Rule{ID: "one more", Cond: &Cond{Op: CondContain, Field: "CommandLine", Value: "needle"}}); err != nil {
		t.Fatal(err)
	}
	added := cpuTime()
	task.Use(set.Index())
	used := cpuTime()
	if d := time.Duration(used - start); d > 50*time.Millisecond {
		t.Errorf("%v", d)
	}
	t.Logf("add %v, take up %v", time.Duration(added-start), time.Duration(used-added))
	if got := evalEvent(t, task, "EventID", "1", "CommandLine", "a needle"); !slices.Equal(got, []string{"one more"}) {
		t.Errorf("%v", got)
	}
}

// TestDeepConditions: nesting costs time and memory in proportion.
func TestDeepConditions(t *testing.T) {
	c := &Cond{Op: CondEqual, Field: "f", Value: "0"}
	for i := range 180 {
		c = sub([]CondOp{CondAnd, CondOr}[i%2], &Cond{Op: CondContain, Field: "f", Value: fmt.Sprint(i)}, c, sub(CondNot, &Cond{Op: CondEqual, Field: "g", Value: fmt.Sprint(i)}))
	}
	set := newTestSet(t, []*Cond{c}, Options{})
	rec := record{{"f", "179 178"}, {"g", "178"}}
	if got := evalEvent(t, set.Index().NewTask(), "f", "179 178", "g", "178"); (len(got) == 1) != c.Holds(rec) {
		t.Errorf("%v", got)
	}
	deep := sub(CondNot, sub(CondNot, sub(CondNot, sub(CondAnd, c, nest(210)))))
	if err := set.Add(Rule{ID: "deep", Cond: deep}); err == nil {
		t.Error("not refused")
	}
	schema := types.NewSchema(types.Field{Name: "b", Type: types.Of(types.Boolean).WithNull(true)})
	var e plan.Expr = &plan.Column{T: schema.Fields[0].Type, Name: "b"}
	for i := range 60 {
		e = op([]plan.Op{plan.IsNull, plan.Not, plan.IsNotTrue, plan.IsNotNull}[i%4], e)
	}
	sql := NewSet(Options{Schema: schema, Context: testContext()})
	if err := sql.Add(Rule{ID: "sql", Expr: e}); err != nil {
		t.Fatal(err)
	}
	b := vector.NewBatch(schema, 3)
	for _, v := range []types.Value{true, false, nil} {
		b.AppendValues(types.Insert, v)
	}
	var h Hits
	if err := sql.Index().NewTask().Batch(b, &h); err != nil {
		t.Fatal(err)
	}
	if rows, _ := alone(t, e, b, testContext()); !slices.Equal(h.Rows, rows) {
		t.Errorf("%v, want %v", h.Rows, rows)
	}
}

func nest(n int) *Cond {
	c := &Cond{Op: CondEqual, Field: "f", Value: "0"}
	for range n {
		c = sub(CondNot, c)
	}
	return c
}
