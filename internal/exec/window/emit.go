package window

import (
	"encoding/binary"
	"time"

	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/internal/exec/aggregate"
	"github.com/runnelio/runnel/internal/state"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// FireMode says what an emission of a window holds.
type FireMode uint8

// The fire modes.
const (
	// Once: one row a group when the window is over; with EarlyOn or LateOn, updates of it.
	Once FireMode = iota
	// Separate: every emission holds what came since the one before.
	Separate
	// Accumulated: every emission replaces the one before.
	Accumulated
)

// Emit says when windows are emitted.
type Emit struct {
	Mode FireMode
	// EarlyOn: windows that are not over are emitted every Early of processing
	// time, 0: after each batch of rows. LateOn is the same for rows that come
	// after the window's end and within Lateness.
	EarlyOn, LateOn bool
	Early, Late     time.Duration
	Lateness        int64 // ms a window takes late rows after its end
	UpdateBefore    bool  // -U rows are wanted
	// FlushAtEnd: processing-time windows that are open at the end of input are emitted, not dropped.
	FlushAtEnd bool
}

// plain tells that a window is emitted once, with insertions only.
func (e *Emit) plain() bool {
	return e.Mode == Once && !e.EarlyOn && !e.LateOn && e.Lateness == 0
}

// Updates tells whether the emissions of a window replace one another.
func (e *Emit) Updates() bool {
	return e.Mode == Accumulated || e.Mode == Once && !e.plain()
}

// lateness is how long a window takes rows after its end.
func (w *base) lateness() int64 { return w.Emit.Lateness }

// late counts a row that came after all its windows, of which end is the end of the last.
func (w *base) late(b *vector.Batch, i int, end int64) { w.cx.TooLate(0, b, i, end) }

// touched notes that a group changed.
func (w *base) touched(slot int32) {
	if w.Emit.plain() || w.isChanged[slot] {
		return
	}
	w.isChanged[slot] = true
	w.changed = append(w.changed, slot)
}

// early emits what is due before and after the end of windows: after rows where
// there is no delay, else by the clock.
func (w *base) early(now func() int64, tick bool, fire func(late bool, out exec.Output) error, out exec.Output) error {
	if w.Emit.plain() || len(w.changed) == 0 {
		return nil
	}
	if w.Emit.EarlyOn && due(w.Emit.Early, &w.lastEarly, now, tick) {
		if err := fire(false, out); err != nil {
			return err
		}
	}
	// Late rows of a window that was emitted already show at once unless a delay is asked for.
	if !w.Emit.LateOn && w.Emit.Lateness > 0 && !tick || w.Emit.LateOn && due(w.Emit.Late, &w.lastLate, now, tick) {
		return fire(true, out)
	}
	return nil
}

func due(every time.Duration, last *int64, now func() int64, tick bool) bool {
	if every <= 0 {
		return !tick
	}
	t := now()
	if *last == 0 {
		*last = t
	}
	if t-*last < every.Milliseconds() {
		return false
	}
	*last = t
	return true
}

// groupSet is groups to emit.
type groupSet struct {
	slots    []int32
	calls    *aggregate.Calls
	count    []int64
	table    *state.Table // slot -> key
	prefix   int          // bytes in front of the key
	attached bool         // the window's start is in the prefix
}

// emitGroups emits groups of the window [start, end).
func (w *base) emitGroups(g groupSet, start, end int64, out exec.Output) error {
	for from := 0; from < len(g.slots); from += w.cx.BatchSize {
		part := g.slots[from:min(from+w.cx.BatchSize, len(g.slots))]
		if err := g.calls.Results(part, w.results); err != nil {
			return err
		}
		if w.fires != nil {
			w.fireColumns(part)
		}
		for j, slot := range part {
			key := g.table.Key(slot)
			if g.attached {
				start = int64(binary.BigEndian.Uint64(key[8:]) ^ 1<<63)
			}
			if err := w.emitGroup(key[g.prefix:], start, end, j, slot, g.count[slot]); err != nil {
				return err
			}
			if w.b.N >= w.cx.BatchSize {
				if err := w.emit(out); err != nil {
					return err
				}
			}
		}
		if w.Emit.Mode == Separate {
			for _, slot := range part {
				g.calls.Clear(slot)
				g.count[slot] = 0
				w.table.MarkDirty(slot)
			}
		}
	}
	return nil
}

// emitGroup emits one group, whose result is row j of the results.
func (w *base) emitGroup(key []byte, start, end int64, j int, slot int32, count int64) error {
	if w.Emit.plain() {
		if count <= 0 {
			return nil
		}
		return w.row(key, start, end, w.results, j, types.Insert)
	}
	w.isChanged[slot] = false
	if w.Emit.Mode == Separate {
		if count <= 0 {
			return nil
		}
		w.pane[slot]++
		return w.row(key, start, end, w.results, j, types.Insert)
	}
	old := w.shown[slot]
	if count <= 0 {
		if old == "" {
			return nil
		}
		w.shown[slot] = ""
		w.table.MarkDirty(slot)
		return w.shownRow(key, start, end, old, types.Delete)
	}
	w.encodeShown(j)
	if old != "" && sameShown(old, w.encoded) {
		return nil
	}
	w.shown[slot] = string(w.encoded)
	w.pane[slot]++
	w.table.MarkDirty(slot)
	if old == "" {
		return w.row(key, start, end, w.results, j, types.Insert)
	}
	if w.Emit.UpdateBefore {
		if err := w.shownRow(key, start, end, old, types.UpdateBefore); err != nil {
			return err
		}
	}
	return w.row(key, start, end, w.results, j, types.UpdateAfter)
}

// shownRow appends a row that was emitted before.
func (w *base) shownRow(key []byte, start, end int64, old string, kind types.RowKind) (err error) {
	if err := w.head(key, start, end); err != nil {
		return err
	}
	src := []byte(old)[4:]
	for fires := range 2 {
		for c := range w.results {
			if w.isFire(c) != (fires == 1) {
				continue
			}
			if src, err = vector.ReadRow(w.b.Cols[len(w.Roles)+c], src); err != nil {
				return err
			}
		}
	}
	w.b.AppendKind(kind)
	return nil
}
