// Package window has the operators that group rows by time: window aggregates,
// the window table functions alone, OVER, window Top-N and window joins.
//
// window.go has what they share: which windows a time falls into and when a
// window is over. aggregate.go keeps one accumulator a (slice, key), where a
// slice is the longest stretch of time that no window cuts in two: hop and
// cumulate windows share slices, so a row is aggregated once whatever the
// overlap. session.go merges sessions. assign.go is the table function alone.
package window

import (
	"fmt"
	"time"

	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// Assign says how rows are assigned to windows.
type Assign struct {
	Kind   plan.WindowKind
	Size   int64 // ms; the gap of a session
	Slide  int64 // ms; the step of CUMULATE
	Offset int64 // ms
	Time   int   // column with the time of a row; ignored for Proctime
	// Proctime tells that rows are assigned by the clock when they come in.
	Proctime bool
	// Attached tells that rows carry their window already, in columns Start and
	// End: Kind, Size, Slide, Offset are not used.
	Attached   bool
	Start, End int
	// Local tells that the time column is TIMESTAMP_LTZ: windows align in the
	// session's time zone and window_start, window_end are local times.
	Local bool
}

// Role says what an output column in front of the aggregates is.
type Role uint8

// The roles.
const (
	Key   Role = iota // a grouping column
	Start             // window_start
	End               // window_end
	Time              // window_time
)

// noWatermark is below all times.
const noWatermark = -1 << 63

// over tells whether a window that ends at end is over at watermark w.
func over(end, w int64) bool { return end-1 <= w }

// gcd is the length of the slices of hop windows.
func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// slice returns the length of slices: the window itself, what divides size and
// slide, or the step.
func (a *Assign) slice() int64 {
	switch a.Kind {
	case plan.Hop:
		return gcd(a.Size, a.Slide)
	case plan.Cumulate:
		return a.Slide
	}
	return a.Size
}

// lastEnd is the end of the last window that has the slice ending at end.
func (a *Assign) lastEnd(end int64) int64 {
	switch a.Kind {
	case plan.Hop:
		// Window ends are at Offset + k*Slide + Size; the last that starts before the slice's start.
		start := end - a.slice()
		return types.FloorDiv(start-a.Offset, a.Slide)*a.Slide + a.Offset + a.Size
	case plan.Cumulate:
		return a.frameStart(end-a.Slide) + a.Size
	}
	return end
}

// firstEnd is the end of the first window that has the slice ending at end.
func (a *Assign) firstEnd(end int64) int64 {
	if a.Kind != plan.Hop {
		return end
	}
	// The smallest Offset + k*Slide + Size that is at least end.
	n := end - a.Offset - a.Size
	return -types.FloorDiv(-n, a.Slide)*a.Slide + a.Offset + a.Size
}

// step is the distance of the ends of windows that share slices.
func (a *Assign) step() int64 {
	if a.Kind == plan.Hop || a.Kind == plan.Cumulate {
		return a.Slide
	}
	return a.Size
}

// frameStart is the start of the cumulate window that t falls into.
func (a *Assign) frameStart(t int64) int64 {
	return types.FloorDiv(t-a.Offset, a.Size)*a.Size + a.Offset
}

// startOf is the start of the window that ends at end.
func (a *Assign) startOf(end int64) int64 {
	if a.Kind == plan.Cumulate {
		return a.frameStart(end - 1)
	}
	return end - a.Size
}

// sliceEnd is the end of the slice that t falls into.
func (a *Assign) sliceEnd(t int64) int64 {
	n := a.slice()
	return types.FloorDiv(t-a.Offset, n)*n + a.Offset + n
}

// clock reads the times of rows as windows see them: local wall time for
// TIMESTAMP_LTZ.
type clock struct {
	local bool
	zone  *types.Zone
}

func newClock(local bool, loc *time.Location) clock {
	return clock{local: local, zone: types.NewZone(loc)}
}

// wall turns an instant into the time windows are cut in.
func (c clock) wall(utc int64) int64 {
	if c.local {
		return c.zone.ToLocal(types.TS{Ms: utc}).Ms
	}
	return utc
}

// instant is the inverse of wall.
func (c clock) instant(wall int64) int64 {
	if c.local {
		return c.zone.ToUTC(types.TS{Ms: wall}).Ms
	}
	return wall
}

// progress turns a watermark into wall time, so that ends compare with it.
func (c clock) progress(w int64) int64 {
	if !c.local || w == noWatermark || w == 1<<63-1 {
		return w
	}
	return c.wall(w)
}

// timeColumn returns the values of a time column and whether it is constant.
func timeColumn(v vector.Vector) (ts *vector.Flat[types.TS], constant bool) {
	if c, ok := v.(*vector.Const); ok {
		return c.Of.(*vector.Flat[types.TS]), true
	}
	return v.(*vector.Flat[types.TS]), false
}

// errNullTime is Flink's answer to a row without event time.
func errNullTime(column string) error {
	return fmt.Errorf("the event time %s is NULL; filter such rows out or give them a time", column)
}

// appendTS appends a timestamp to a column of TIMESTAMP or TIMESTAMP_LTZ.
func appendTS(v vector.Vector, ms int64) {
	f := v.(*vector.Flat[types.TS])
	i := vector.Extend(f, 1)
	f.Vals[i] = types.TS{Ms: ms}
}
