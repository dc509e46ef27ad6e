package window

import (
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/internal/state"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// Spec says what a window aggregate computes.
type Spec struct {
	Assign   Assign
	Keys     []int  // grouping columns of the input, without those of the window
	Roles    []Role // the output's columns in front of the calls; those with role Key are Keys in order
	Calls    []plan.AggCall
	Retracts bool
	Emit     Emit
	In, Out  *types.Schema
}

// New returns the operator for s.
func New(s Spec) exec.Operator {
	if !s.Assign.Attached && s.Assign.Kind == plan.Session {
		return &Session{base: base{Spec: s}}
	}
	return &Aggregate{base: base{Spec: s}}
}

// Aggregate is GROUP BY window and keys over tumble, hop and cumulate windows,
// and over rows that have their window in columns.
type Aggregate struct {
	base
	slices map[int64]*slice // by end
	ends   []int64          // of windows that have rows and are not over, ascending
	last   *slice           // of the row before
	prefix int              // bytes in front of the keys in table: the slice's end; attached: its start too
	shared *shared          // where windows have several slices
}

// slice has the groups of one stretch of time.
type slice struct {
	end   int64
	slots []int32
}

// Open implements exec.Operator.
func (w *Aggregate) Open(cx *exec.Context) (err error) {
	if err := w.open(cx); err != nil {
		return err
	}
	w.slices = map[int64]*slice{}
	w.prefix = 8
	if w.Assign.Attached {
		w.prefix = 16
	}
	w.table.Unit = func(key []byte) uint16 { return state.UnitOf(vector.HashKey(key[w.prefix:])) }
	if w.several() {
		if w.shared, err = newShared(w, cx); err != nil {
			return err
		}
	}
	if cx.State == nil {
		return nil
	}
	return w.table.Restore(cx.State, vector.HashKey, w.load)
}

// several tells that a window has more than one slice.
func (w *Aggregate) several() bool {
	return !w.Assign.Attached && w.Emit.plain() && w.Assign.slice() != w.Assign.Size
}

// Process implements exec.Operator.
func (w *Aggregate) Process(_ int, b *vector.Batch, out exec.Output) error {
	a := &w.Assign
	var ts *vector.Flat[types.TS]
	var constant bool
	now := int64(0)
	switch {
	case a.Attached:
		ts, constant = timeColumn(b.Cols[a.End])
	case a.Proctime:
		now = w.now()
		if err := w.advance(now-1, out); err != nil { // a window goes on to its last millisecond
			return err
		}
	default:
		ts, constant = timeColumn(b.Cols[a.Time])
	}
	w.begin(b)
	w.last = nil
	lo, hi := int64(0), int64(0) // the slice of the row before: [lo, hi)
	live := b.Live()
	for j := range live {
		i := j
		if b.Sel != nil {
			i = int(b.Sel[j])
		}
		var end int64
		if a.Proctime && !a.Attached {
			end = a.sliceEnd(now)
		} else {
			r := i
			if constant {
				r = 0
			}
			if ts.IsNull(r) {
				return errNullTime(w.In.Fields[a.Time].Name)
			}
			if a.Attached {
				end = ts.Vals[r].Ms
			} else {
				t := w.clock.wall(ts.Vals[r].Ms)
				if t < lo || t >= hi {
					hi = a.sliceEnd(t)
					lo = hi - a.slice()
				}
				end = hi
			}
		}
		if !w.wide() {
			if !w.put(b, i, end) && !w.hole(end) {
				w.late(b, i, w.lastOf(end))
			}
			continue
		}
		// Every window has groups of its own: they are emitted, and reset, one by one.
		kept := false
		for e := a.firstEnd(end); e <= a.lastEnd(end); e += a.step() {
			kept = w.put(b, i, e) || kept
		}
		if !kept && !w.hole(end) {
			w.late(b, i, a.lastEnd(end))
		}
	}
	if err := w.flush(b); err != nil {
		return err
	}
	if err := w.early(w.cx.Now, false, w.fireChanged, out); err != nil {
		return err
	}
	if w.stamped() {
		return w.due(out)
	}
	return w.emit(out)
}

// wide tells that hop and cumulate windows do not share slices.
func (w *Aggregate) wide() bool {
	return !w.Assign.Attached && !w.Emit.plain() && w.Assign.slice() != w.Assign.Size
}

// put adds row i to the slice that ends at end and tells whether that was not too late.
func (w *Aggregate) put(b *vector.Batch, i int, end int64) bool {
	s := w.last
	if s == nil || s.end != end {
		if s = w.sliceAt(end); s == nil {
			return false
		}
		w.last = s
	}
	w.key = binary.BigEndian.AppendUint64(w.key[:0], uint64(end)^1<<63)
	if w.Assign.Attached {
		start, c := timeColumn(b.Cols[w.Assign.Start])
		r := i
		if c {
			r = 0
		}
		w.key = binary.BigEndian.AppendUint64(w.key, uint64(start.Vals[r].Ms)^1<<63)
	}
	w.key = vector.AppendKeys(w.key, w.keyCols, i)
	slot, added := w.table.FindOrAdd(vector.HashKey(w.key), w.key)
	if added {
		w.grow(slot)
		s.slots = append(s.slots, slot)
		if w.shared != nil {
			w.shared.add(slot, w.key[w.prefix:], end)
		}
	}
	if w.shared != nil && end <= w.shared.fired {
		w.shared.late(slot)
	}
	w.add(b, i, slot)
	w.touched(slot)
	return true
}

// fireChanged emits the groups that changed since they were last emitted: of
// windows that are not over, or of those that are and take late rows.
func (w *Aggregate) fireChanged(late bool, out exec.Output) error {
	var left []int32
	var err error
	for _, slot := range w.changed {
		if !w.isChanged[slot] {
			continue
		}
		end := int64(binary.BigEndian.Uint64(w.table.Key(slot)) ^ 1<<63)
		if over(end, w.watermark) != late {
			left = append(left, slot)
			continue
		}
		w.one[0] = slot
		g := groupSet{slots: w.one, calls: w.calls, count: w.count, table: w.table, prefix: w.prefix, attached: w.Assign.Attached}
		if err = w.emitGroups(g, w.Assign.startOf(end), end, out); err != nil {
			return err
		}
	}
	w.changed = append(w.changed[:0], left...)
	return nil
}

// sliceAt returns the slice that ends at end, made if it is new, with the
// windows it belongs to noted as waiting; nil if all of them are over.
func (w *Aggregate) sliceAt(end int64) *slice {
	if s, ok := w.slices[end]; ok {
		return s
	}
	last := w.lastOf(end)
	if last < end || over(last+w.lateness(), w.watermark) && !w.stamped() {
		return nil
	}
	s := &slice{end: end}
	w.slices[end] = s
	w.wait(end, last)
	return s
}

// hole tells that no window has the slice that ends at end: the slide is longer than the size.
func (w *Aggregate) hole(end int64) bool {
	return !w.Assign.Attached && w.Assign.Kind == plan.Hop && w.Assign.lastEnd(end) < end
}

// lastOf is the end of the last window that the slice ending at end belongs to.
func (w *Aggregate) lastOf(end int64) int64 {
	if w.several() {
		return w.Assign.lastEnd(end)
	}
	return end
}

// wait notes the windows of the slice that ends at end.
func (w *Aggregate) wait(end, last int64) {
	first := end
	if w.several() {
		first = w.Assign.firstEnd(end)
	}
	for e := first; e <= last; e += max(w.Assign.step(), 1) {
		if over(e, w.watermark) && !w.stamped() {
			continue
		}
		at, found := slices.BinarySearch(w.ends, e)
		if found {
			continue
		}
		w.ends = slices.Insert(w.ends, at, e)
	}
}

// advance fires the windows that are over at watermark to.
func (w *Aggregate) advance(to int64, out exec.Output) error {
	if to <= w.watermark {
		return nil
	}
	w.watermark = to
	return w.due(out)
}

// stamped tells that rows got their window from a clock before they came: the
// clock may have gone on, and yet they are not late.
func (w *Aggregate) stamped() bool { return w.Assign.Attached && w.Assign.Proctime }

// due fires the windows that are over.
func (w *Aggregate) due(out exec.Output) error {
	n := 0
	for n < len(w.ends) && over(w.ends[n], w.watermark) {
		n++
	}
	if n > 0 {
		for _, end := range w.ends[:n] {
			if err := w.fire(end, out); err != nil {
				return err
			}
		}
		w.ends = slices.Delete(w.ends, 0, n)
	}
	w.free()
	return w.emit(out)
}

// free drops the slices whose windows are all over, and their allowed lateness too.
func (w *Aggregate) free() {
	var gone []*slice
	for end, s := range w.slices {
		if over(w.lastOf(end)+w.lateness(), w.watermark) {
			gone = append(gone, s)
		}
	}
	slices.SortFunc(gone, func(a, b *slice) int { return cmp.Compare(a.end, b.end) })
	for _, s := range gone {
		w.freeSlice(s)
	}
	w.last = nil
}

// fire emits the window that ends at end.
func (w *Aggregate) fire(end int64, out exec.Output) error {
	if !w.several() {
		s := w.slices[end]
		if s == nil {
			return nil
		}
		start := w.Assign.startOf(end)
		return w.emitGroups(groupSet{slots: s.slots, calls: w.calls, count: w.count, table: w.table, prefix: w.prefix, attached: w.Assign.Attached}, start, end, out)
	}
	start := w.Assign.startOf(end)
	w.freeBefore(start)
	return w.shared.fire(w, start, end, out)
}

// Control implements exec.Operator.
func (w *Aggregate) Control(_ int, ev exec.Event, out exec.Output) error {
	switch ev.Kind {
	case exec.Watermark:
		if !w.Assign.Proctime {
			if err := w.advance(w.clock.progress(ev.Time), out); err != nil {
				return err
			}
		}
	case exec.Tick:
		if w.Assign.Proctime {
			if err := w.advance(w.clock.wall(ev.Time)-1, out); err != nil {
				return err
			}
		}
		if err := w.early(func() int64 { return ev.Time }, true, w.fireChanged, out); err != nil {
			return err
		}
		if err := w.emit(out); err != nil {
			return err
		}
	case exec.Barrier:
		if w.cx.State != nil {
			if err := w.table.Snapshot(w.cx.State, w.save); err != nil {
				return err
			}
		}
		w.measure()
	case exec.End:
		if w.Assign.Proctime && !ev.Stopped {
			if w.Emit.FlushAtEnd {
				if err := w.advance(1<<63-1, out); err != nil {
					return err
				}
			} else {
				w.cx.Metrics.Unfired.Add(int64(w.table.Len()))
			}
		}
		w.measure()
	}
	return out.Forward(ev)
}

// measure says how much state there is.
func (w *Aggregate) measure() {
	w.base.measure()
	if w.shared != nil {
		w.cx.Metrics.StateBytes.Add(w.shared.bytes())
	}
}

// save encodes a group: its number of rows, then the calls.
func (w *Aggregate) save(dst []byte, slot int32) []byte {
	return w.saveGroup(dst, slot)
}

func (w *Aggregate) load(slot int32, src []byte) error {
	if _, err := w.loadGroup(slot, src); err != nil {
		return err
	}
	end := int64(binary.BigEndian.Uint64(w.table.Key(slot)) ^ 1<<63)
	s := w.slices[end]
	if s == nil {
		s = &slice{end: end}
		w.slices[end] = s
		last := w.lastOf(end)
		w.wait(end, last)
	}
	s.slots = append(s.slots, slot)
	if w.shared != nil {
		w.shared.add(slot, w.table.Key(slot)[w.prefix:], end)
	}
	return nil
}

var _ exec.Operator = (*Aggregate)(nil)
