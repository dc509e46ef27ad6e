package window

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

// overSpec is OVER (PARTITION BY k ORDER BY t …) over in.
func overSpec(frame plan.Frame, calls ...plan.AggCall) OverSpec {
	fields := slices.Clone(in().Fields)
	for i, c := range calls {
		fields = append(fields, types.Field{Name: fmt.Sprintf("a%d", i), Type: c.T})
	}
	return OverSpec{Partition: []int{0}, Time: 2, Frame: frame, Calls: calls, In: in(), Out: types.NewSchema(fields...)}
}

// overModel computes COUNT(*), SUM(v), MIN(v) of the frame of the i-th of rows,
// which are in order.
func overModel(f plan.Frame, rows []event, i int) string {
	n, sum, low, any := 0, int64(0), int64(0), false
	for j, e := range rows {
		if e.k != rows[i].k {
			continue
		}
		inside := false
		if f.Rows {
			between := 0 // rows of the partition from j on to i
			for _, x := range rows[min(j, i)+1 : i+1] {
				if x.k == e.k {
					between++
				}
			}
			inside = j <= i && (f.Lower < 0 || int64(between) <= f.Lower)
		} else {
			inside = e.t <= rows[i].t && (f.Lower < 0 || e.t >= rows[i].t-f.Lower)
		}
		if !inside {
			continue
		}
		n++
		if !e.null {
			sum += e.v
			if !any || e.v < low {
				low = e.v
			}
			any = true
		}
	}
	v := fmt.Sprint(rows[i].v)
	if rows[i].null {
		v = "NULL"
	}
	s, l := "NULL", "NULL"
	if any {
		s, l = fmt.Sprint(sum), fmt.Sprint(low)
	}
	return fmt.Sprintf("+I %d %s %d %d %s %s", rows[i].k, v, rows[i].t, n, s, l)
}

func TestOverAgreesWithModel(t *testing.T) {
	frames := map[string]plan.Frame{
		"range unbounded": {Lower: -1}, "range 7": {Lower: 7}, "range 0": {Lower: 0},
		"rows unbounded": {Rows: true, Lower: -1}, "rows 3": {Rows: true, Lower: 3}, "rows 0": {Rows: true, Lower: 0},
	}
	for name, f := range frames {
		for _, batch := range []int{1, 3, 1024} {
			t.Run(fmt.Sprintf("%s/%d", name, batch), func(t *testing.T) {
				for seed := range uint64(40) {
					overAgainst(t, f, batch, seed)
					if t.Failed() {
						t.Fatalf("seed %d", seed)
					}
				}
			})
		}
	}
}

func overAgainst(t *testing.T, f plan.Frame, batch int, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 11))
	s := overSpec(f, call(t, "COUNT", false), call(t, "SUM", false, 1), call(t, "MIN", false, 1))
	d := exectest.Start(t, batch, func() exec.Operator { return NewOver(s) }, s.In)
	mark, late := int64(-1<<40), int64(0)
	var pending, done []event
	var want []string
	// Flink's rule: a bounded frame takes what is behind the last row of its partition
	// that came out; a RANGE frame also has the timers that forget partitions.
	type keyMark struct {
		last, clean int64
		due         []int64
	}
	const none = -1 << 60
	marks := map[int64]*keyMark{}
	ranged := f.Lower >= 0 && !f.Rows
	markOf := func(k int64) *keyMark {
		if marks[k] == nil {
			marks[k] = &keyMark{last: none, clean: none}
		}
		return marks[k]
	}
	tooLate := func(e event) bool {
		if e.t > mark || f.Lower < 0 {
			return e.t <= mark
		}
		return e.t <= markOf(e.k).last
	}
	expect := func(e event) {
		if m := markOf(e.k); ranged && (m.clean == none || m.clean < e.t+f.Lower+1) {
			m.clean = e.t + f.Lower + f.Lower/2 + 1
			m.due = append(m.due, m.clean)
		}
	}
	// timers works off those up to a time, in their order.
	timers := func(to int64) {
		for k, m := range marks {
			slices.Sort(m.due)
			for len(m.due) > 0 && m.due[0] <= to {
				at := m.due[0]
				m.due = m.due[1:]
				if m.clean > at {
					m.last = max(m.last, at)
					continue
				}
				done = slices.DeleteFunc(done, func(x event) bool { return x.k == k })
				*m = keyMark{last: none, clean: none}
			}
		}
	}
	advance := func(to int64) {
		if to <= mark {
			return
		}
		mark = to
		slices.SortStableFunc(pending, func(a, b event) int { return int(a.t - b.t) })
		for len(pending) > 0 && pending[0].t <= to {
			n := 1
			for n < len(pending) && pending[n].t == pending[0].t {
				n++
			}
			timers(pending[0].t - 1)
			from := len(done)
			done = append(done, pending[:n]...)
			pending = slices.Clone(pending[n:])
			for i := from; i < len(done); i++ {
				m := markOf(done[i].k)
				m.last = max(m.last, done[i].t)
				// By RANGE rows of the same time are in the frame, those behind too: all of them are done.
				want = append(want, overModel(f, done, i))
			}
		}
		timers(to)
	}
	var rows []exectest.Row
	for _, e := range stream(r, false) {
		if !e.isMark {
			if tooLate(e) {
				late++
			} else {
				expect(e)
				pending = append(pending, e)
			}
			rows = append(rows, e.row())
		} else {
			d.Rows(0, rows...)
			rows = rows[:0]
			d.Watermark(e.mark)
			advance(e.mark)
		}
		if r.IntN(30) == 0 {
			d.Rows(0, rows...)
			rows = rows[:0]
			d.Restart()
		}
	}
	d.Rows(0, rows...)
	d.End()
	advance(1 << 60)
	if got := d.Take(); !slices.Equal(got, want) {
		t.Errorf("\n got %s\nwant %s", strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
	if n := d.Metrics.Late.Load(); n != late {
		t.Errorf("%d late rows, want %d", n, late)
	}
}

// overCall is a function that only OVER has.
func overCall(name string, cols ...int) plan.AggCall {
	c := plan.AggCall{Fn: builtin.All().Lookup(name)[0], Args: cols, Filter: -1, T: big()}
	for range cols {
		c.ArgTypes = append(c.ArgTypes, big())
	}
	return c
}

func TestRankingAndLag(t *testing.T) {
	s := overSpec(plan.Frame{Rows: true, Lower: -1}, overCall("ROW_NUMBER"), overCall("LAG", 1))
	d := exectest.Start(t, 2, func() exec.Operator { return NewOver(s) }, s.In)
	d.Rows(0, row(1, 30, 3), row(1, 10, 1), row(2, 5, 2))
	d.Watermark(3)
	d.Want("+I 1 10 1 1 NULL", "+I 2 5 2 1 NULL", "+I 1 30 3 2 10")
	d.Restart()
	d.Rows(0, row(1, 50, 5), row(2, 7, 6))
	d.Watermark(9)
	d.Want("+I 1 50 5 3 30", "+I 2 7 6 2 5")
}

// TestRanksByTime: rows of one time share a rank.
func TestRanksByTime(t *testing.T) {
	rank, dense := overCall("RANK", 2), overCall("DENSE_RANK", 2)
	rank.ArgTypes[0], dense.ArgTypes[0] = exectest.Rowtime(), exectest.Rowtime()
	s := overSpec(plan.Frame{Rows: true, Lower: -1}, rank, dense)
	d := exectest.Start(t, 1024, func() exec.Operator { return NewOver(s) }, s.In)
	d.Rows(0, row(1, 1, 5), row(1, 2, 5), row(1, 3, 6), row(1, 4, 4))
	d.End()
	d.Want("+I 1 4 4 1 1", "+I 1 1 5 2 2", "+I 1 2 5 2 2", "+I 1 3 6 4 3")
}

func TestOverByProcessingTime(t *testing.T) {
	s := overSpec(plan.Frame{Lower: 10}, call(t, "COUNT", false), call(t, "SUM", false, 1))
	s.Proctime = true
	d := exectest.Start(t, 1024, func() exec.Operator { return NewOver(s) }, s.In)
	d.Now = 1000
	d.Rows(0, row(1, 5, 0))
	d.Now = 1010
	d.Rows(0, row(1, 6, 0))
	d.Want("+I 1 5 0 1 5", "+I 1 6 0 2 11")
	d.Restart()
	d.Now = 1011
	d.Rows(0, row(1, 7, 0), row(2, 1, 0))
	d.Want("+I 1 7 0 2 13", "+I 2 1 0 1 1")
}

// TestRowsFrameByProcessingTime has rows of one moment in the order they came.
func TestRowsFrameByProcessingTime(t *testing.T) {
	s := overSpec(plan.Frame{Rows: true, Lower: 1}, call(t, "SUM", false, 1))
	s.Proctime = true
	d := exectest.Start(t, 1024, func() exec.Operator { return NewOver(s) }, s.In)
	d.Rows(0, row(1, 1, 0), row(1, 2, 0), row(1, 3, 0))
	d.Want("+I 1 1 0 1", "+I 1 2 0 3", "+I 1 3 0 5")
}
