package match

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/runnelio/runnel/internal/builtin"
	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/internal/exec/exectest"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
)

func big() types.Type { return types.Of(types.BigInt) }

// is is the condition v = n of a variable, v the value of its row.
func is(variable int, n int64) *plan.MatchExpr {
	return &plan.MatchExpr{
		Slots: []plan.MatchSlot{{Kind: plan.SlotLast, Var: variable, Args: []plan.Expr{&plan.Column{Index: 1, T: big()}}, T: big()}},
		Expr: &plan.OpExpr{Op: plan.Le, T: types.Of(types.Boolean), Args: []plan.Expr{
			&plan.Column{Index: 0, T: big()}, &plan.Literal{Value: n, T: big().NotNull()}}},
	}
}

// count is the measure COUNT(*) over a variable; first and last are times.
func count(variable int) plan.MatchExpr {
	def, _, err := builtin.All().Resolve("COUNT", nil)
	if err != nil {
		panic(err)
	}
	return plan.MatchExpr{Slots: []plan.MatchSlot{{Kind: plan.SlotAgg, Var: variable, Fn: def, T: big()}}, Expr: &plan.Column{Index: 0, T: big()}}
}

func edge(kind plan.SlotKind) plan.MatchExpr {
	t := types.TimestampOf(3)
	return plan.MatchExpr{Slots: []plan.MatchSlot{{Kind: kind, Var: -1, Args: []plan.Expr{&plan.Column{Index: 2, T: t}}, T: t}}, Expr: &plan.Column{Index: 0, T: t}}
}

// start looks for terms in rows k, v, t: out k, the times of the first and last
// row, and the number of rows of each variable. Variable i fits v <= limits[i].
func start(t *testing.T, batch int, p *plan.Pattern, limits ...int64) *exectest.Driver {
	in := exectest.Schema("k", big(), "v", big(), "t", exectest.Rowtime())
	fields := []any{"k", big(), "from", types.TimestampOf(3), "to", types.TimestampOf(3)}
	p.Measures = []plan.MatchExpr{edge(plan.SlotFirst), edge(plan.SlotLast)}
	p.Vars, p.Define = nil, nil
	for i, l := range limits {
		p.Vars = append(p.Vars, string(rune('A'+i)))
		p.Define = append(p.Define, is(i, l))
		p.Measures = append(p.Measures, count(i))
		fields = append(fields, p.Vars[i], big())
	}
	s := Spec{Partition: []int{0}, Order: []plan.SortKey{{Column: 2}}, Pattern: p, In: in, Out: exectest.Schema(fields...)}
	return exectest.Start(t, batch, func() exec.Operator { return New(s) }, in)
}

func term(v, low, high int, reluctant bool) plan.PatternTerm {
	return plan.PatternTerm{Var: v, Min: low, Max: high, Reluctant: reluctant}
}

// feed sends values at times 1, 2, …
func feed(d *exectest.Driver, values ...int64) {
	for i, v := range values {
		d.Rows(0, exectest.Insert(int64(1), v, exectest.TS(int64(i+1))))
	}
	d.End()
}

func TestGreedyAndReluctant(t *testing.T) {
	// A+ B: a row that fits both belongs to A as long as it can.
	d := start(t, 1, &plan.Pattern{Terms: []plan.PatternTerm{term(0, 1, -1, false), term(1, 1, 1, false)}}, 5, 9)
	feed(d, 1, 2, 8, 3, 7)
	d.Want("+I 1 1 3 2 1", "+I 1 4 5 1 1")
	// A+? B: the shortest.
	d = start(t, 1, &plan.Pattern{Terms: []plan.PatternTerm{term(0, 1, -1, true), term(1, 1, 1, false)}}, 5, 9)
	feed(d, 1, 2, 8, 3, 7)
	d.Want("+I 1 1 2 1 1", "+I 1 4 5 1 1")
	// A B{2,3}?: two are enough.
	d = start(t, 1, &plan.Pattern{Terms: []plan.PatternTerm{term(0, 1, 1, false), term(1, 2, 3, true)}}, 1, 9)
	feed(d, 1, 5, 6, 7, 1, 4, 10)
	d.Want("+I 1 1 3 1 2")
}

func TestSkip(t *testing.T) {
	f := func(skip plan.SkipKind, variable int, want ...string) {
		t.Helper()
		d := start(t, 3, &plan.Pattern{Terms: []plan.PatternTerm{term(0, 1, 1, false), term(1, 2, 2, false)}, Skip: skip, SkipVar: variable}, 9, 9)
		feed(d, 1, 2, 3, 4, 5)
		d.Want(want...)
	}
	f(plan.SkipPastLast, 0, "+I 1 1 3 1 2")
	f(plan.SkipToNext, 0, "+I 1 1 3 1 2", "+I 1 2 4 1 2", "+I 1 3 5 1 2")
	f(plan.SkipToFirst, 1, "+I 1 1 3 1 2", "+I 1 2 4 1 2", "+I 1 3 5 1 2")
	f(plan.SkipToLast, 1, "+I 1 1 3 1 2", "+I 1 3 5 1 2")
}

func TestSkipBackIsAnError(t *testing.T) {
	d := start(t, 1, &plan.Pattern{Terms: []plan.PatternTerm{term(0, 1, 1, false), term(1, 1, 1, false)}, Skip: plan.SkipToFirst, SkipVar: 0}, 9, 9)
	d.Rows(0, exectest.Insert(int64(1), int64(1), exectest.TS(1)), exectest.Insert(int64(1), int64(1), exectest.TS(2)))
	err := d.Op.Control(0, exec.Event{Kind: exec.Watermark, Time: 5}, d)
	if err == nil || !strings.Contains(err.Error(), "SKIP TO A") {
		t.Errorf("error %v", err)
	}
}

func TestWithinEndsWithTheClock(t *testing.T) {
	d := start(t, 1, &plan.Pattern{Terms: []plan.PatternTerm{term(0, 1, 1, false), term(1, 1, -1, false), term(2, 1, 1, false)}, Within: 3}, 1, 5, 9)
	d.Rows(0, exectest.Insert(int64(1), int64(1), exectest.TS(1)), exectest.Insert(int64(1), int64(4), exectest.TS(2)))
	d.Watermark(3)
	d.Restart()
	d.Commit()
	if n := d.Metrics.StateRows.Load(); n != 1 {
		t.Errorf("%d partitions are waiting", n)
	}
	d.Watermark(4) // 1 + 3: too late for any row to come
	d.Commit()
	if n := d.Metrics.StateRows.Load(); n != 0 {
		t.Errorf("%d partitions are left", n)
	}
	d.Rows(0, exectest.Insert(int64(1), int64(8), exectest.TS(5)))
	d.End()
	d.Want()
}

// TestMatchIsTheSameAfterRestarts feeds random rows, out of order, in batches of
// several sizes and with restarts: always the same comes out, and with SKIP PAST
// LAST ROW and a pattern without choice it is what a scan from left to right finds.
func TestMatchIsTheSameAfterRestarts(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		p := plan.Pattern{Terms: []plan.PatternTerm{term(0, 1, 1, false), term(1, r.IntN(2), -1, false), term(2, 1, 1, false)}}
		if r.IntN(3) == 0 {
			p.Within = int64(2 + r.IntN(6))
		}
		type ev struct{ k, v, t int64 }
		var rows []ev
		for i := range 20 + r.IntN(100) {
			rows = append(rows, ev{int64(r.IntN(2)), int64(r.IntN(8)), int64(i)})
		}
		arrive := slices.Clone(rows)
		at := map[int64]int64{} // at most three places away
		for _, e := range rows {
			at[e.t] = e.t + int64(r.IntN(3))
		}
		slices.SortStableFunc(arrive, func(a, b ev) int { return int(at[a.t] - at[b.t]) })
		// A: v <= 1, B: v <= 4, C: v <= 9. What fits B is never C behind a B or an A.
		var want []string
		for k := range int64(2) {
			var part []ev
			for _, e := range rows {
				if e.k == k {
					part = append(part, e)
				}
			}
			for i := 0; i < len(part); {
				n := 0
				end := -1
				if part[i].v <= 1 {
					j := i + 1
					for j < len(part) && part[j].v <= 4 {
						n, j = n+1, j+1
					}
					if j < len(part) && n >= p.Terms[1].Min && (p.Within == 0 || part[j].t-part[i].t < p.Within) {
						end = j
					}
				}
				if end < 0 {
					i++
					continue
				}
				want = append(want, fmt.Sprintf("+I %d %d %d 1 %d 1", k, part[i].t, part[end].t, n))
				i = end + 1
			}
		}
		slices.Sort(want)
		for _, batch := range []int{1, 3, 1024} {
			own := p
			d := start(t, batch, &own, 1, 4, 9)
			var next []exectest.Row
			for i, e := range arrive {
				next = append(next, exectest.Insert(e.k, e.v, exectest.TS(e.t)))
				if r.IntN(4) == 0 {
					d.Rows(0, next...)
					next = nil
					d.Watermark(int64(i - 4))
				}
				if r.IntN(15) == 0 {
					d.Restart()
				}
			}
			d.Rows(0, next...)
			d.End()
			got := d.Take()
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Fatalf("seed %d, batch %d, within %d\n got %s\nwant %s", seed, batch, p.Within, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
			}
			if n := d.Metrics.Late.Load(); n != 0 {
				t.Fatalf("%d late rows", n)
			}
		}
	}
}
