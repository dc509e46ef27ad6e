package window

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/internal/builtin"
	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/internal/exec/exectest"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
)

// big is BIGINT.
func big() types.Type { return types.Of(types.BigInt) }

// call makes an aggregate call over columns of type BIGINT.
func call(t testing.TB, name string, distinct bool, cols ...int) plan.AggCall {
	t.Helper()
	c := plan.AggCall{Args: cols, Filter: -1, Distinct: distinct, Name: name}
	var args []function.Arg
	for range cols {
		args = append(args, function.Arg{Type: big()})
		c.ArgTypes = append(c.ArgTypes, big())
	}
	def, sig, err := builtin.All().Resolve(name, args)
	if err != nil {
		t.Fatal(err)
	}
	c.Fn, c.T = def, sig.Result.Plain()
	return c
}

// in is the input of the tests: a key, a value that can be NULL, and a time.
func in() *types.Schema { return exectest.Schema("k", big(), "v", big(), "t", exectest.Rowtime()) }

// spec is an aggregate over in: key, window_start, window_end, then the calls.
func spec(t testing.TB, a Assign, calls ...plan.AggCall) Spec {
	a.Time = 2
	fields := []any{"k", big(), "s", types.TimestampOf(3), "e", types.TimestampOf(3)}
	for i, c := range calls {
		fields = append(fields, fmt.Sprintf("a%d", i), c.T)
	}
	return Spec{Assign: a, Keys: []int{0}, Roles: []Role{Key, Start, End}, Calls: calls, In: in(), Out: exectest.Schema(fields...)}
}

// event is a row or (row nil) a watermark of a random stream.
type event struct {
	kind    types.RowKind
	k, v, t int64
	null    bool
	mark    int64
	isMark  bool
}

func (e event) row() exectest.Row {
	v := types.Value(e.v)
	if e.null {
		v = nil
	}
	return exectest.Row{Kind: e.kind, Values: []types.Value{e.k, v, exectest.TS(e.t)}}
}

// stream makes a random stream: times that mostly rise, some late, watermarks
// between, and with retract rows that take earlier ones back.
func stream(r *rand.Rand, retract bool) []event {
	var out []event
	var live []event
	now, mark := int64(r.IntN(50)), int64(-1<<40)
	delay := int64(r.IntN(12))
	keys := 1 + r.IntN(4)
	for range 20 + r.IntN(120) {
		now += int64(r.IntN(4))
		if r.IntN(40) == 0 {
			now += int64(r.IntN(60)) // a gap
		}
		switch {
		case r.IntN(4) == 0:
			if m := now - delay; m > mark {
				mark = m
				out = append(out, event{isMark: true, mark: m})
			}
		case retract && len(live) > 0 && r.IntN(4) == 0:
			i := r.IntN(len(live))
			e := live[i]
			e.kind = types.Delete
			live = slices.Delete(live, i, i+1)
			out = append(out, e)
		default:
			e := event{k: int64(r.IntN(keys)), v: int64(r.IntN(6)), t: now - int64(r.IntN(1+r.IntN(30))), null: r.IntN(8) == 0}
			live = append(live, e)
			out = append(out, e)
		}
	}
	return out
}

// group is the rows of a window in the model.
type group struct {
	start, end int64
	rows       []event
}

// result computes COUNT(*), SUM(v), MAX(v), COUNT(DISTINCT v).
func (g *group) result(k int64) (string, bool) {
	n, sum, any := 0, int64(0), false
	count := map[int64]int{}
	for _, e := range g.rows {
		sign := e.kind.Sign()
		n += int(sign)
		if !e.null {
			sum += int64(sign) * e.v
			count[e.v] += int(sign)
		}
	}
	high, distinct := int64(-1), 0
	for v, c := range count {
		if c > 0 {
			any = true
			high = max(high, v)
			distinct++
		}
	}
	s, h := "NULL", "NULL"
	if any {
		s, h = fmt.Sprint(sum), fmt.Sprint(high)
	}
	return fmt.Sprintf("+I %d %d %d %d %s %s %d", k, g.start, g.end, n, s, h, distinct), n > 0
}

// model is windows as slow and obvious as can be.
type model struct {
	ends func(t int64) (start, end []int64)
	gap  int64 // of sessions
	open map[int64][]*group
	mark int64
}

func (m *model) row(e event) (late bool) {
	if m.gap > 0 {
		return m.session(e)
	}
	starts, ends := m.ends(e.t)
	late = len(ends) > 0
	for i := range ends {
		if ends[i]-1 <= m.mark {
			continue
		}
		late = false
		var g *group
		for _, o := range m.open[e.k] {
			if o.start == starts[i] && o.end == ends[i] {
				g = o
			}
		}
		if g == nil {
			g = &group{start: starts[i], end: ends[i]}
			m.open[e.k] = append(m.open[e.k], g)
		}
		g.rows = append(g.rows, e)
	}
	return late
}

func (m *model) session(e event) (late bool) {
	g := &group{start: e.t, end: e.t + m.gap, rows: []event{e}}
	var rest []*group
	near := false
	for _, o := range m.open[e.k] {
		if o.start <= e.t+m.gap && e.t <= o.end {
			near = true
			g.start, g.end = min(g.start, o.start), max(g.end, o.end)
			g.rows = append(g.rows, o.rows...)
		} else {
			rest = append(rest, o)
		}
	}
	if !near && g.end-1 <= m.mark {
		return true
	}
	m.open[e.k] = append(rest, g)
	return false
}

func (m *model) advance(to int64) []string {
	m.mark = max(m.mark, to)
	var out []string
	for k, list := range m.open {
		var rest []*group
		for _, g := range list {
			if g.end-1 > m.mark {
				rest = append(rest, g)
				continue
			}
			if row, ok := g.result(k); ok {
				out = append(out, row)
			}
		}
		m.open[k] = rest
	}
	slices.Sort(out)
	return out
}

// assigners are the windows tested, with what the model assigns.
func assigners() map[string]Assign {
	return map[string]Assign{
		"tumble":          {Kind: plan.Tumble, Size: 10},
		"tumble offset":   {Kind: plan.Tumble, Size: 10, Offset: 3},
		"hop":             {Kind: plan.Hop, Size: 12, Slide: 3},
		"hop offset":      {Kind: plan.Hop, Size: 12, Slide: 3, Offset: -2},
		"hop uneven":      {Kind: plan.Hop, Size: 10, Slide: 4},
		"hop long":        {Kind: plan.Hop, Size: 60, Slide: 1},
		"hop with holes":  {Kind: plan.Hop, Size: 3, Slide: 7},
		"cumulate":        {Kind: plan.Cumulate, Size: 20, Slide: 5},
		"cumulate offset": {Kind: plan.Cumulate, Size: 12, Slide: 4, Offset: 1},
		"session":         {Kind: plan.Session, Size: 5},
	}
}

// newModel makes the model of a window by trying all of them.
func newModel(a Assign) *model {
	m := &model{open: map[int64][]*group{}, mark: -1 << 62}
	if a.Kind == plan.Session {
		m.gap = a.Size
		return m
	}
	m.ends = func(t int64) (starts, ends []int64) {
		add := func(s, e int64) {
			if s <= t && t < e {
				starts, ends = append(starts, s), append(ends, e)
			}
		}
		step := a.Size
		if a.Kind == plan.Hop {
			step = a.Slide
		}
		for n := t/step - a.Size/step - 3; n <= t/step+3; n++ {
			switch a.Kind {
			case plan.Tumble:
				add(a.Offset+n*a.Size, a.Offset+(n+1)*a.Size)
			case plan.Hop:
				add(a.Offset+n*a.Slide, a.Offset+n*a.Slide+a.Size)
			case plan.Cumulate:
				for k := a.Slide; k <= a.Size; k += a.Slide {
					add(a.Offset+n*a.Size, a.Offset+n*a.Size+k)
				}
			}
		}
		return starts, ends
	}
	return m
}

func TestWindowsAgreeWithModel(t *testing.T) {
	cases := 20
	if testing.Short() {
		cases = 4
	}
	for name, a := range assigners() {
		for _, retract := range []bool{false, true} {
			for _, batch := range []int{1, 3, 1024} {
				t.Run(fmt.Sprintf("%s/retract=%v/%d", name, retract, batch), func(t *testing.T) {
					for seed := range uint64(cases) {
						against(t, a, retract, batch, seed)
						if t.Failed() {
							t.Fatalf("seed %d", seed)
						}
					}
				})
			}
		}
	}
}

func against(t *testing.T, a Assign, retract bool, batch int, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 7))
	s := spec(t, a, call(t, "COUNT", false), call(t, "SUM", false, 1), call(t, "MAX", false, 1), call(t, "COUNT", true, 1))
	s.Retracts = retract
	d := exectest.Start(t, batch, func() exec.Operator { return New(s) }, s.In)
	m := newModel(a)
	late := int64(0)
	var rows []exectest.Row
	feed := func() {
		d.Rows(0, rows...)
		rows = rows[:0]
	}
	check := func(at string, want []string) {
		got := d.Take()
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s\n got %s\nwant %s", at, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
		}
	}
	for _, e := range stream(r, retract) {
		if a.Kind == plan.Session && e.kind == types.Delete {
			continue // a session does not shrink: what it takes back is tested elsewhere
		}
		switch {
		case e.isMark:
			feed()
			d.Watermark(e.mark)
			check(fmt.Sprintf("watermark %d", e.mark), m.advance(e.mark))
		default:
			rows = append(rows, e.row())
			if m.row(e) {
				late++
			}
		}
		switch r.IntN(25) {
		case 0:
			feed()
			d.Restart()
		case 1: // what comes after the commit is read again
			feed()
			d.Commit()
			again := len(d.Output)
			d.Crash()
			if len(d.Output) != again {
				t.Errorf("a restart emits rows")
			}
		}
	}
	feed()
	d.End()
	check("end", m.advance(1<<62))
	if got := d.Metrics.Late.Load(); got != late {
		t.Errorf("%d rows counted as late, want %d", got, late)
	}
	d.Commit()
	if n := d.Metrics.StateRows.Load(); n != 0 {
		t.Errorf("%d groups are left at the end", n)
	}
}

// BenchmarkHop compares a window of 60 slides with a tumbling one of the slide:
// 1,000 keys, four rows a key and slide.
func BenchmarkHop(b *testing.B) {
	for name, a := range map[string]Assign{
		"tumble": {Kind: plan.Tumble, Size: 1000},
		"hop60":  {Kind: plan.Hop, Size: 60_000, Slide: 1000},
		"hop5":   {Kind: plan.Hop, Size: 5000, Slide: 1000},
	} {
		for _, per := range []int{4, 16} {
			b.Run(fmt.Sprintf("%s/%d", name, per), func(b *testing.B) {
				s := spec(b, a, call(b, "COUNT", false), call(b, "SUM", false, 1))
				op := New(s)
				d := exectest.Start(b, 1024, func() exec.Operator { return op }, s.In)
				batch := exectest.Batches(s.In, 1000*per, 1024, func(i int) []types.Value {
					return []types.Value{int64(i*7919) % 1000, int64(i), exectest.TS(int64(i % 1000))}
				})
				sink := exectest.Discard{}
				b.ReportMetric(float64(1000*per), "rows/op")
				slide := int64(0)
				for b.Loop() {
					for _, x := range batch {
						exectest.Shift(x, 2, 1000)
						if err := op.Process(0, x, sink); err != nil {
							b.Fatal(err)
						}
					}
					slide++
					if err := op.Control(0, exec.Event{Kind: exec.Watermark, Time: slide*1000 - 1}, sink); err != nil {
						b.Fatal(err)
					}
				}
				_ = d
			})
		}
	}
}
