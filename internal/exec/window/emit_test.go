package window

import (
	"testing"
	"time"

	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/internal/exec/exectest"
	"github.com/runnelio/runnel/internal/plan"
)

// emitting starts windows that are emitted more than once: k, start, end, COUNT(*), SUM(v).
func emitting(t *testing.T, a Assign, e Emit) *exectest.Driver {
	s := spec(t, a, call(t, "COUNT", false), call(t, "SUM", false, 1))
	s.Emit = e
	d := exectest.Start(t, 1024, func() exec.Operator { return New(s) }, s.In)
	d.Now = 1_000_000
	return d
}

func row(k, v, at int64) exectest.Row { return exectest.Insert(k, v, exectest.TS(at)) }

func TestEarlyFireAfterEachBatch(t *testing.T) {
	d := emitting(t, Assign{Kind: plan.Tumble, Size: 10}, Emit{EarlyOn: true, UpdateBefore: true})
	d.Rows(0, row(1, 5, 2))
	d.Want("+I 1 0 10 1 5")
	d.Rows(0, row(1, 6, 3), row(1, 7, 4))
	d.Want("-U 1 0 10 1 5", "+U 1 0 10 3 18")
	d.Watermark(9) // nothing new since: nothing comes
	d.Want()
	d.Rows(0, row(1, 1, 5)) // late
	d.Want()
	if n := d.Metrics.Late.Load(); n != 1 {
		t.Errorf("%d late rows", n)
	}
}

func TestEarlyFireByTheClock(t *testing.T) {
	d := emitting(t, Assign{Kind: plan.Tumble, Size: 10}, Emit{EarlyOn: true, Early: time.Second})
	d.Rows(0, row(1, 5, 2))
	d.Tick(1_000_999)
	d.Want()
	d.Tick(1_001_000)
	d.Want("+I 1 0 10 1 5")
	d.Rows(0, row(1, 5, 3))
	d.Want()
	d.Watermark(9) // the end does not wait for the clock
	d.Want("+U 1 0 10 2 10")
	d.Tick(1_009_000)
	d.Want()
}

func TestLatenessReplaces(t *testing.T) {
	d := emitting(t, Assign{Kind: plan.Tumble, Size: 10}, Emit{Lateness: 5, UpdateBefore: true})
	d.Rows(0, row(1, 5, 2))
	d.Watermark(9)
	d.Want("+I 1 0 10 1 5")
	d.Rows(0, row(1, 1, 3), row(2, 7, 9)) // late, and taken: at once
	d.Want("-U 1 0 10 1 5", "+U 1 0 10 2 6", "+I 2 0 10 1 7")
	d.Restart()
	d.Rows(0, row(1, 1, 4))
	d.Want("-U 1 0 10 2 6", "+U 1 0 10 3 7")
	d.Watermark(14)
	d.Want()
	d.Rows(0, row(1, 1, 4)) // too late
	d.Want()
	if n := d.Metrics.Late.Load(); n != 1 {
		t.Errorf("%d late rows", n)
	}
}

func TestLateFireWaitsForTheClock(t *testing.T) {
	d := emitting(t, Assign{Kind: plan.Tumble, Size: 10}, Emit{LateOn: true, Late: time.Second, Lateness: 100})
	d.Rows(0, row(1, 5, 2))
	d.Watermark(9)
	d.Want("+I 1 0 10 1 5")
	d.Rows(0, row(1, 1, 3))
	d.Tick(1_000_000)
	d.Want()
	d.Rows(0, row(1, 1, 3))
	d.Tick(1_001_000)
	d.Want("+U 1 0 10 3 7")
}

func TestSeparateModeEmitsIncrements(t *testing.T) {
	d := emitting(t, Assign{Kind: plan.Tumble, Size: 10}, Emit{Mode: Separate, EarlyOn: true, Early: time.Second, Lateness: 5})
	d.Rows(0, row(1, 5, 2), row(1, 6, 3))
	d.Tick(1_000_000)
	d.Tick(1_001_000)
	d.Want("+I 1 0 10 2 11")
	d.Rows(0, row(1, 7, 4))
	d.Restart()
	d.Rows(0, row(2, 1, 4))
	d.Watermark(9)
	d.Want("+I 1 0 10 1 7", "+I 2 0 10 1 1")
	d.Rows(0, row(1, 9, 5))
	d.Want("+I 1 0 10 1 9")
	d.Watermark(14)
	d.Want()
}

func TestSeparateModeOfHopAndDistinct(t *testing.T) {
	s := spec(t, Assign{Kind: plan.Hop, Size: 10, Slide: 5}, call(t, "COUNT", false), call(t, "COUNT", true, 1))
	s.Emit = Emit{Mode: Separate, EarlyOn: true}
	d := exectest.Start(t, 1024, func() exec.Operator { return New(s) }, s.In)
	d.Rows(0, row(1, 7, 6), row(1, 7, 7)) // in [0, 10) and [5, 15)
	d.Want("+I 1 0 10 2 1", "+I 1 5 15 2 1")
	d.Rows(0, row(1, 7, 8), row(1, 8, 11))
	d.Want("+I 1 0 10 1 1", "+I 1 5 15 2 2", "+I 1 10 20 1 1") // 7 counts again: each increment has its own values
	d.End()
	d.Want()
}

func TestAccumulatedModeOfSessions(t *testing.T) {
	d := emitting(t, Assign{Kind: plan.Session, Size: 5}, Emit{Mode: Accumulated, EarlyOn: true, UpdateBefore: true})
	d.Rows(0, row(1, 5, 10))
	d.Want("+I 1 10 15 1 5")
	d.Rows(0, row(1, 6, 20))
	d.Want("+I 1 20 25 1 6")
	d.Rows(0, row(1, 1, 15)) // makes one of them: both windows are no more
	d.Want("-D 1 10 15 1 5", "-D 1 20 25 1 6", "+I 1 10 25 3 12")
	d.Rows(0, row(1, 1, 12)) // within
	d.Want("-U 1 10 25 3 12", "+U 1 10 25 4 13")
	d.Restart()
	d.Watermark(24)
	d.Want()
}

func TestSeparateModeOfSessions(t *testing.T) {
	d := emitting(t, Assign{Kind: plan.Session, Size: 5}, Emit{Mode: Separate, EarlyOn: true})
	d.Rows(0, row(1, 5, 10))
	d.Want("+I 1 10 15 1 5")
	d.Rows(0, row(1, 6, 14))
	d.Want("+I 1 10 19 1 6")
	d.End()
	d.Want()
}

func TestFireTimeAndPane(t *testing.T) {
	s := spec(t, Assign{Kind: plan.Tumble, Size: 10}, call(t, "COUNT", false), call(t, "FIRE_TIME", false), call(t, "PANE", false))
	s.Emit = Emit{Mode: Accumulated, EarlyOn: true, UpdateBefore: true}
	d := exectest.Start(t, 1024, func() exec.Operator { return New(s) }, s.In)
	d.Now = 100
	d.Rows(0, row(1, 5, 2))
	d.Want("+I 1 0 10 1 100 1")
	d.Now = 200
	d.Restart()
	d.Rows(0, row(1, 5, 2))
	d.Want("-U 1 0 10 1 100 1", "+U 1 0 10 2 200 2")
	d.Now = 300
	d.Watermark(9) // the time alone is no change
	d.Want()

	s.Emit = Emit{}
	d = exectest.Start(t, 1024, func() exec.Operator { return New(s) }, s.In)
	d.Rows(0, row(1, 5, 2))
	d.Now = 700
	d.Watermark(9)
	d.Want("+I 1 0 10 1 700 1")
}

func TestProcessingTimeWindows(t *testing.T) {
	for _, a := range []Assign{{Kind: plan.Tumble, Size: 10, Proctime: true}, {Kind: plan.Session, Size: 10, Proctime: true}} {
		d := emitting(t, a, Emit{})
		d.Rows(0, row(1, 5, 77), row(1, 6, 0)) // their own times do not count
		d.Now = 1_000_009
		d.Rows(0, row(1, 7, 0))
		d.Want()
		end := "1000010"
		if a.Kind == plan.Session {
			end = "1000019"
		}
		d.Now = 1_000_025
		d.Rows(0, row(1, 1, 0)) // the clock has closed the window before
		d.Want("+I 1 1000000 " + end + " 3 18")
		d.Restart()
		d.Tick(1_000_040)
		start := "1000020"
		if a.Kind == plan.Session {
			start, end = "1000025", "1000035"
		} else {
			end = "1000030"
		}
		d.Want("+I 1 " + start + " " + end + " 1 1")
		d.Rows(0, row(1, 1, 0))
		d.End()
		d.Want() // open at the end: dropped and counted
		if n := d.Metrics.Unfired.Load(); n != 1 {
			t.Errorf("%d groups dropped at the end", n)
		}
	}
}

func TestFlushAtEnd(t *testing.T) {
	for _, kind := range []plan.WindowKind{plan.Tumble, plan.Session} {
		d := emitting(t, Assign{Kind: kind, Size: 10, Proctime: true}, Emit{FlushAtEnd: true})
		d.Rows(0, row(1, 5, 77))
		d.End()
		d.Want("+I 1 1000000 1000010 1 5")
	}
}

// TestWindowStampedByAClockBefore has rows that carry their processing-time
// window: they count although the clock has gone on.
func TestWindowStampedByAClockBefore(t *testing.T) {
	schema := exectest.Schema("k", big(), "v", big(), "s", exectest.Rowtime(), "e", exectest.Rowtime())
	s := spec(t, Assign{Attached: true, Proctime: true, Start: 2, End: 3}, call(t, "COUNT", false), call(t, "SUM", false, 1))
	s.In = schema
	d := exectest.Start(t, 1024, func() exec.Operator { return New(s) }, schema)
	stamped := func(v, start int64) exectest.Row {
		return exectest.Insert(int64(1), v, exectest.TS(start), exectest.TS(start+10))
	}
	d.Rows(0, stamped(5, 0))
	d.Tick(9)
	d.Want()
	d.Tick(10)
	d.Want("+I 1 0 10 1 5")
	d.Rows(0, stamped(6, 0), stamped(1, 10))
	d.Want("+I 1 0 10 1 6")
	d.Tick(20)
	d.Want("+I 1 10 20 1 1")
}
