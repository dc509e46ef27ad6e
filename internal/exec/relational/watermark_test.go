package relational

import (
	"testing"
	"time"

	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/internal/exec/exectest"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// marked drives a watermark assigner over rows (t) of named splits.
type marked struct {
	*exectest.Driver
	in *types.Schema
}

func newMarked(t *testing.T, s WatermarkSpec) *marked {
	in := exectest.Schema("t", types.TimestampOf(3))
	s.In, s.Out = in, exectest.Schema("t", exectest.Rowtime())
	if s.Expr == nil {
		s.Expr = &plan.Column{Index: 0, T: types.TimestampOf(3), Name: "t"}
	}
	return &marked{exectest.Start(t, 1024, func() exec.Operator { return NewWatermark(s) }, in), in}
}

func (m *marked) rows(split string, times ...int64) {
	b := vector.NewBatch(m.in, len(times))
	for _, t := range times {
		b.AppendValues(types.Insert, exectest.TS(t))
	}
	b.Origin.Split = split
	if err := m.Op.Process(0, b, m); err != nil {
		m.T.Fatal(err)
	}
}

func (m *marked) event(ev exec.Event) {
	if err := m.Op.Control(0, ev, m); err != nil {
		m.T.Fatal(err)
	}
}

// want checks the watermarks (-1: idle) forwarded since the last call.
func (m *marked) want(marks ...int64) {
	m.T.Helper()
	var got []int64
	for _, e := range m.Events {
		switch e.Kind {
		case exec.Watermark:
			got = append(got, e.Time)
		case exec.Idle:
			got = append(got, -1)
		}
	}
	m.Events = nil
	if len(got) != len(marks) {
		m.T.Fatalf("watermarks %v, want %v", got, marks)
	}
	for i := range got {
		if got[i] != marks[i] {
			m.T.Fatalf("watermarks %v, want %v", got, marks)
		}
	}
}

func TestWatermarkIsTheLowestOfTheSplits(t *testing.T) {
	m := newMarked(t, WatermarkSpec{})
	m.event(exec.Event{Kind: exec.SplitAdded, Split: "a"})
	m.event(exec.Event{Kind: exec.SplitAdded, Split: "b"})
	m.rows("a", 10, 30, 20)
	m.want() // b has not said anything yet
	m.rows("b", 5)
	m.want(5)
	m.rows("b", 40)
	m.want(30)
	m.rows("a", 25)
	m.want()
	m.event(exec.Event{Kind: exec.SplitRemoved, Split: "a"})
	m.want(40)
	m.event(exec.Event{Kind: exec.SplitRemoved, Split: "b"})
	m.want()
}

func TestWatermarkBehindEveryRow(t *testing.T) {
	m := newMarked(t, WatermarkSpec{PerRow: true})
	m.rows("a", 10, 30, 20, 40)
	m.want(10, 30, 40)
	if len(m.Output) != 4 {
		t.Errorf("%d rows", len(m.Output))
	}
}

func TestIdleSplitHoldsNothing(t *testing.T) {
	m := newMarked(t, WatermarkSpec{})
	m.event(exec.Event{Kind: exec.SplitAdded, Split: "a"})
	m.event(exec.Event{Kind: exec.SplitAdded, Split: "b"})
	m.rows("a", 30)
	m.rows("b", 5)
	m.want(5)
	m.event(exec.Event{Kind: exec.Idle, Split: "b"})
	m.want(30)
	m.event(exec.Event{Kind: exec.Idle, Split: "a"})
	m.want(-1) // nothing comes from here for now
	m.event(exec.Event{Kind: exec.Idle, Split: "a"})
	m.want()
	m.rows("b", 6) // back, and behind: the watermark does not fall, but is to be waited for
	m.want(30)
	m.rows("b", 50)
	m.want(50) // a is still idle
}

func TestNoSplitsIsIdle(t *testing.T) {
	m := newMarked(t, WatermarkSpec{})
	m.event(exec.Event{Kind: exec.Idle})
	m.want(-1)
	m.event(exec.Event{Kind: exec.SplitAdded, Split: "a"})
	m.want(exec.NoWatermark)
	m.rows("a", 7)
	m.want(7)
}

func TestFireOnIdleGoesOnWithTheClock(t *testing.T) {
	m := newMarked(t, WatermarkSpec{FireOnIdle: 3 * time.Second})
	m.Now = 100_000
	m.rows("a", 1000)
	m.want(1000)
	m.Tick(102_999)
	m.want()
	m.Tick(103_000)
	m.want(4000)
	m.Tick(104_000)
	m.want()
	m.Tick(106_500)
	m.want(7500)
	m.rows("a", 2000) // behind the clock's watermark: late
	m.want()
	m.Tick(107_000)
	m.want()
}

func TestWatermarkGoesOnFromACommit(t *testing.T) {
	m := newMarked(t, WatermarkSpec{})
	m.rows("a", 100)
	m.Restart()
	m.Events = nil
	m.rows("a", 50)
	m.want()
	m.rows("a", 101)
	m.want(101)
}
