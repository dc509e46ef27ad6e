package join

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/internal/exec/exectest"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

func big() types.Type { return types.Of(types.BigInt) }

// side is k, id, t.
func timed(prefix string) *types.Schema {
	return exectest.Schema(prefix+"k", big(), prefix+"id", big(), prefix+"t", exectest.Rowtime())
}

func joined(l, r *types.Schema) *types.Schema {
	return types.NewSchema(append(slices.Clone(l.Fields), r.Fields...)...)
}

// trow is a row of either side; k < 0 is NULL.
type trow struct {
	in       int
	kind     types.RowKind
	k, id, t int64
}

func (r trow) row() exectest.Row {
	var k types.Value
	if r.k >= 0 {
		k = r.k
	}
	return exectest.Row{Kind: r.kind, Values: []types.Value{k, r.id, exectest.TS(r.t)}}
}

func (r trow) text() string {
	if r.k < 0 {
		return fmt.Sprintf("NULL %d %d", r.id, r.t)
	}
	return fmt.Sprintf("%d %d %d", r.k, r.id, r.t)
}

const nulls = "NULL NULL NULL"

func sorted(s []string) []string { slices.Sort(s); return s }

// TestIntervalJoinAgreesWithModel joins random streams without late rows: the
// result is that of the whole inputs, and the state is empty at the end.
func TestIntervalJoinAgreesWithModel(t *testing.T) {
	for _, kind := range []plan.JoinKind{plan.Inner, plan.Left, plan.Right, plan.Full} {
		for _, batch := range []int{1, 3, 1024} {
			for seed := range uint64(60) {
				r := rand.New(rand.NewPCG(seed, uint64(kind)))
				lower := int64(r.IntN(20)) - 12
				upper := lower + int64(r.IntN(15))
				l, rt := timed("l"), timed("r")
				s := IntervalSpec{Kind: kind, Keys: [2][]int{{0}, {0}}, Time: [2]int{2, 2}, Lower: lower, Upper: upper, In: [2]*types.Schema{l, rt}, Out: joined(l, rt)}
				d := exectest.Start(t, batch, func() exec.Operator { return NewInterval(s) }, l, rt)
				var all [2][]trow
				now, mark := int64(0), int64(-1<<40)
				for id := range int64(20 + r.IntN(150)) {
					now += int64(r.IntN(4))
					x := trow{in: r.IntN(2), k: int64(r.IntN(4)) - 1, id: id, t: max(now-int64(r.IntN(10)), mark+1)}
					all[x.in] = append(all[x.in], x)
					d.Rows(x.in, x.row())
					if r.IntN(3) == 0 {
						mark = max(mark, now-int64(r.IntN(12)))
						d.Watermark(mark)
					}
					if r.IntN(25) == 0 {
						d.Restart()
					}
				}
				d.End()
				var want []string
				matched := map[trow]bool{}
				for _, a := range all[0] {
					for _, b := range all[1] {
						if a.k >= 0 && a.k == b.k && b.t-a.t >= lower && b.t-a.t <= upper {
							want = append(want, "+I "+a.text()+" "+b.text())
							matched[a], matched[b] = true, true
						}
					}
				}
				for _, a := range all[0] {
					if !matched[a] && (kind == plan.Left || kind == plan.Full) {
						want = append(want, "+I "+a.text()+" "+nulls)
					}
				}
				for _, b := range all[1] {
					if !matched[b] && (kind == plan.Right || kind == plan.Full) {
						want = append(want, "+I "+nulls+" "+b.text())
					}
				}
				if got := sorted(d.Take()); !slices.Equal(got, sorted(want)) {
					t.Fatalf("kind %d, batch %d, seed %d, %d to %d:\n got %s\nwant %s", kind, batch, seed, lower, upper, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
				}
				d.Commit()
				if n := d.Metrics.StateRows.Load(); n != 0 {
					t.Fatalf("kind %d, seed %d: %d rows are left", kind, seed, n)
				}
			}
		}
	}
}

// TestIntervalJoinStateIsBounded joins a long stream: rows go as the watermark passes.
func TestIntervalJoinStateIsBounded(t *testing.T) {
	l, rt := timed("l"), timed("r")
	s := IntervalSpec{Kind: plan.Full, Keys: [2][]int{{0}, {0}}, Time: [2]int{2, 2}, Lower: -5, Upper: 5, In: [2]*types.Schema{l, rt}, Out: joined(l, rt)}
	d := exectest.Start(t, 1024, func() exec.Operator { return NewInterval(s) }, l, rt)
	for i := range int64(5000) {
		d.Rows(int(i%2), trow{k: i % 3, id: i, t: i}.row())
		d.Watermark(i - 1)
		d.Take()
	}
	d.Commit()
	if n := d.Metrics.StateRows.Load(); n > 40 {
		t.Errorf("%d rows are kept", n)
	}
}

// TestTemporalJoinAgreesWithModel joins rows with versions that come and go.
func TestTemporalJoinAgreesWithModel(t *testing.T) {
	for _, pad := range []bool{false, true} {
		for _, batch := range []int{1, 3, 1024} {
			for seed := range uint64(80) {
				r := rand.New(rand.NewPCG(seed, 5))
				l, rt := timed("l"), timed("r")
				s := TemporalSpec{Keys: [2][]int{{0}, {0}}, Time: [2]int{2, 2}, Pad: pad, In: [2]*types.Schema{l, rt}, Out: joined(l, rt)}
				d := exectest.Start(t, batch, func() exec.Operator { return NewTemporal(s) }, l, rt)
				var all [2][]trow
				now, mark := int64(0), int64(-1<<40)
				for id := range int64(20 + r.IntN(120)) {
					now += int64(r.IntN(3))
					x := trow{in: r.IntN(2), k: int64(r.IntN(4)) - 1, id: id, t: max(now-int64(r.IntN(8)), mark+1)}
					if x.in == 1 {
						x.k = max(x.k, 0)
						if r.IntN(5) == 0 {
							x.kind = types.Delete
						}
					}
					all[x.in] = append(all[x.in], x)
					d.Rows(x.in, x.row())
					if r.IntN(3) == 0 {
						mark = max(mark, now-int64(r.IntN(10)))
						d.Watermark(mark)
					}
					if r.IntN(25) == 0 {
						d.Restart()
					}
				}
				d.End()
				var want []string
				for _, a := range all[0] {
					var at *trow
					for i, b := range all[1] {
						if a.k == b.k && b.t <= a.t && (at == nil || b.t >= at.t) {
							at = &all[1][i]
						}
					}
					switch {
					case at != nil && at.kind != types.Delete:
						want = append(want, "+I "+a.text()+" "+at.text())
					case pad:
						want = append(want, "+I "+a.text()+" "+nulls)
					}
				}
				if got := sorted(d.Take()); !slices.Equal(got, sorted(want)) {
					t.Fatalf("pad %v, batch %d, seed %d:\n got %s\nwant %s", pad, batch, seed, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
				}
			}
		}
	}
}

// TestTemporalJoinKeepsOneVersion: what the watermark has passed goes, but for the newest.
func TestTemporalJoinKeepsOneVersion(t *testing.T) {
	l, rt := timed("l"), timed("r")
	s := TemporalSpec{Keys: [2][]int{{0}, {0}}, Time: [2]int{2, 2}, In: [2]*types.Schema{l, rt}, Out: joined(l, rt)}
	op := NewTemporal(s)
	d := exectest.Start(t, 16, func() exec.Operator { return op }, l, rt)
	for i := range int64(100) {
		d.Rows(1, trow{k: 1, id: i, t: i}.row())
	}
	d.Watermark(90)
	if n := len(op.of[0]); n != 10 {
		t.Errorf("%d versions are kept, want that of 90 and the nine after it", n)
	}
	d.Rows(0, trow{k: 1, id: 7, t: 95}.row(), trow{k: 1, id: 8, t: 91}.row())
	d.Watermark(95)
	d.Want("+I 1 8 91 1 91 91", "+I 1 7 95 1 95 95")
	d.Rows(1, trow{kind: types.Delete, k: 1, t: 200}.row())
	d.Watermark(1000)
	if n := op.versions.Len(); n != 0 {
		t.Errorf("%d keys are left of what was deleted", n)
	}
}

// TestLookup joins with a table in memory: several rows a key, NULL keys, a condition.
func TestLookup(t *testing.T) {
	in, table := exectest.Schema("k", big(), "x", big()), exectest.Schema("id", big(), "v", big())
	loads := 0
	dim := &Dimension{Keys: []int{0}, Load: func(_ context.Context, row func(*vector.Batch) error) error {
		loads++
		b := vector.NewBatch(table, 4)
		for _, v := range [][2]types.Value{{int64(1), int64(10)}, {int64(1), int64(11)}, {int64(2), int64(20)}, {nil, int64(99)}} {
			b.AppendValues(types.Insert, v[0], v[1])
		}
		return row(b)
	}}
	less := &plan.OpExpr{Op: plan.Lt, T: types.Of(types.Boolean), Args: []plan.Expr{&plan.Column{Index: 1, T: big()}, &plan.Column{Index: 3, T: big()}}}
	for _, batch := range []int{1, 2, 1024} {
		s := LookupSpec{Keys: []int{0}, Dimension: dim, Cond: less, Pad: true, In: in, Table: table, Out: joined(in, table)}
		d := exectest.Start(t, batch, func() exec.Operator { return NewLookup(s) }, in)
		d.Rows(0, exectest.Insert(int64(1), int64(5)), exectest.Insert(int64(1), int64(10)), exectest.Insert(nil, int64(1)),
			exectest.Insert(int64(3), int64(1)), exectest.Row{Kind: types.Delete, Values: []types.Value{int64(2), int64(3)}})
		d.Want("+I 1 5 1 10", "+I 1 5 1 11", "+I 1 10 1 11", "+I NULL 1 NULL NULL", "+I 3 1 NULL NULL", "-D 2 3 2 20")
	}
	if loads != 1 {
		t.Errorf("the table was read %d times", loads)
	}
}

// TestTemporalJoinTTL: versions go that nothing touched for the TTL, whether
// touched by a version or by a left row, and stay gone after a restart.
func TestTemporalJoinTTL(t *testing.T) {
	l, rt := timed("l"), timed("r")
	s := TemporalSpec{Keys: [2][]int{{0}, {0}}, Time: [2]int{2, 2}, Pad: true, In: [2]*types.Schema{l, rt}, Out: joined(l, rt)}
	d := exectest.Start(t, 16, func() exec.Operator { return NewTemporal(s) }, l, rt)
	d.TTL = 10 * time.Second
	d.Restart()
	left := func(k, id, at int64) {
		d.Rows(0, trow{k: k, id: id, t: at}.row())
		d.Watermark(at)
	}
	d.Tick(1000)
	d.Rows(1, trow{k: 1, id: 101, t: 1}.row(), trow{k: 2, id: 102, t: 1}.row())
	left(1, 1, 2)
	d.Tick(9000)
	left(1, 2, 3) // touches key 1
	d.Restart()
	d.Tick(15_000)
	left(1, 3, 4)
	d.Tick(21_000)
	left(2, 4, 5) // 12 s after the restart, which counts as a touch
	d.Tick(40_000)
	d.Commit()
	if n := d.Metrics.StateRows.Load(); n != 0 {
		t.Errorf("%d keys are kept", n)
	}
	left(1, 5, 6)
	d.Restart()
	left(1, 6, 7)
	d.Want("+I 1 1 2 1 101 1", "+I 1 2 3 1 101 1", "+I 1 3 4 1 101 1", "+I 2 4 5 "+nulls, "+I 1 5 6 "+nulls, "+I 1 6 7 "+nulls)
}

// TestIntervalJoinByTheClock drops rows as the clock goes on.
func TestIntervalJoinByTheClock(t *testing.T) {
	l, rt := timed("l"), timed("r")
	s := IntervalSpec{Kind: plan.Left, Keys: [2][]int{{0}, {0}}, Time: [2]int{2, 2}, Lower: -1000, Upper: 1000, Proctime: true, In: [2]*types.Schema{l, rt}, Out: joined(l, rt)}
	d := exectest.Start(t, 16, func() exec.Operator { return NewInterval(s) }, l, rt)
	for i := range int64(200) {
		at := i * 1000
		d.Tick(at)
		d.Rows(0, trow{k: i % 3, id: i, t: at}.row())
		if i%4 == 0 {
			d.Rows(1, trow{k: i % 3, id: 1000 + i, t: at}.row())
		}
		if i%20 == 10 {
			d.Restart()
			if n := d.Metrics.StateRows.Load(); n > 20 {
				t.Fatalf("%d rows are kept", n)
			}
		}
	}
	out := d.Take()
	matched, padded := 0, 0
	for _, r := range out {
		if strings.HasSuffix(r, nulls) {
			padded++
		} else {
			matched++
		}
	}
	if matched != 50 || padded < 140 || padded > 150 {
		t.Errorf("%d pairs, %d padded", matched, padded)
	}
	d.End()
	if n := int(d.Metrics.Unfired.Load()); n == 0 || padded+n != 150 {
		t.Errorf("%d padded and %d dropped at the end, of 150", padded, n)
	}

	s.FlushAtEnd = true
	d = exectest.Start(t, 16, func() exec.Operator { return NewInterval(s) }, l, rt)
	d.Rows(0, trow{k: 1, id: 1, t: 5}.row())
	d.End()
	d.Want("+I 1 1 5 " + nulls)
}
