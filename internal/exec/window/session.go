package window

import (
	"encoding/binary"

	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/internal/state"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// Session is GROUP BY session windows: rows of a key at most a gap apart are one
// session, which ends a gap behind its last row. A row that bridges two sessions
// makes them one.
type Session struct {
	base
	// keys maps a key to its place in sessions.
	keys     *state.Table
	sessions [][]session // by key, ascending
	of       []int32     // by slot: its key
	timers   exec.Heap[timer]
	next     uint64 // id of the next session
}

// session is one open session of a key: [start, end), end = last row + gap.
type session struct {
	start, end int64
	slot       int32
	fired      bool // emitted at its end; kept for late rows
}

// Open implements exec.Operator.
func (w *Session) Open(cx *exec.Context) error {
	if err := w.open(cx); err != nil {
		return err
	}
	// The table's keys are a session's id and its key; rows are spread by the key alone.
	w.table.Unit = func(key []byte) uint16 { return state.UnitOf(vector.HashKey(key[8:])) }
	w.keys = state.NewTable()
	w.next = 1
	if cx.State == nil {
		return nil
	}
	return w.table.Restore(cx.State, vector.HashKey, w.load)
}

// Process implements exec.Operator.
func (w *Session) Process(_ int, b *vector.Batch, out exec.Output) error {
	a := &w.Assign
	var ts *vector.Flat[types.TS]
	var constant bool
	now := int64(0)
	if a.Proctime {
		now = w.now()
		if err := w.advance(now-1, out); err != nil { // a session goes on to its last millisecond
			return err
		}
	} else {
		ts, constant = timeColumn(b.Cols[a.Time])
	}
	w.begin(b)
	live := b.Live()
	for j := range live {
		i := j
		if b.Sel != nil {
			i = int(b.Sel[j])
		}
		t := now
		if !a.Proctime {
			r := i
			if constant {
				r = 0
			}
			if ts.IsNull(r) {
				return errNullTime(w.In.Fields[a.Time].Name)
			}
			t = w.clock.wall(ts.Vals[r].Ms)
		}
		w.key = vector.AppendKeys(w.key[:0], w.keyCols, i)
		slot, err := w.place(b, t, b.Kind(i).Sign() < 0)
		if err != nil {
			return err
		}
		if slot < 0 {
			w.late(b, i, t+w.Assign.Size)
			continue
		}
		w.add(b, i, slot)
		w.touched(slot)
	}
	if err := w.flush(b); err != nil {
		return err
	}
	if err := w.early(w.cx.Now, false, w.fireChanged, out); err != nil {
		return err
	}
	return w.emit(out)
}

// place returns the session of key w.key that a row at t belongs to, extended
// to hold it; -1 if the row is late.
func (w *Session) place(b *vector.Batch, t int64, retract bool) (int32, error) {
	k, added := w.keys.FindOrAdd(vector.HashKey(w.key), w.key)
	if added && int(k) >= len(w.sessions) {
		w.sessions = append(w.sessions, nil)
	}
	list := w.sessions[k]
	start, end := t, t+w.Assign.Size
	first := 0
	for first < len(list) && list[first].end < start {
		first++
	}
	last := first
	for last < len(list) && list[last].start <= end {
		start, end = min(start, list[last].start), max(end, list[last].end)
		last++
	}
	if first == last { // no session near
		if retract || over(end+w.lateness(), w.watermark) {
			if len(list) == 0 {
				w.keys.Remove(k)
			}
			return -1, nil
		}
		slot := w.newSlot(k)
		list = append(list, session{})
		copy(list[first+1:], list[first:])
		list[first] = session{start: start, end: end, slot: slot}
		w.sessions[k] = list
		w.timer(end, slot)
		return slot, nil
	}
	for _, o := range list[first:last] {
		if o.start != start || o.end != end {
			if err := w.unshow(o); err != nil {
				return 0, err
			}
		}
	}
	s := &list[first]
	if last-first > 1 { // the rows noted for them come first
		if err := w.flush(b); err != nil {
			return 0, err
		}
		for _, o := range list[first+1 : last] {
			if err := w.calls.Merge(s.slot, w.calls, o.slot); err != nil {
				return 0, err
			}
			w.count[s.slot] += w.count[o.slot]
			w.remove(o.slot)
		}
		list = append(list[:first+1], list[last:]...)
		w.sessions[k] = list
		s = &list[first]
	}
	s.start, s.end = start, end
	s.fired = s.fired && over(end, w.watermark) // a late row may have opened it again
	w.table.MarkDirty(s.slot)
	return s.slot, nil
}

// unshow takes back what was emitted of a session that is about to change its
// bounds: its window is another one then.
func (w *Session) unshow(s session) error {
	if w.Emit.plain() || w.shown[s.slot] == "" {
		return nil
	}
	old := w.shown[s.slot]
	w.shown[s.slot] = ""
	return w.shownRow(w.table.Key(s.slot)[8:], s.start, s.end, old, types.Delete)
}

func (w *Session) newSlot(k int32) int32 {
	id := binary.BigEndian.AppendUint64(nil, w.next<<8|uint64(w.cx.Subtask&0xff))
	w.next++
	id = append(id, w.keys.Key(k)...)
	slot, _ := w.table.FindOrAdd(vector.HashKey(id), id)
	w.grow(slot)
	for int(slot) >= len(w.of) {
		w.of = append(w.of, 0)
	}
	w.of[slot] = k
	return slot
}

// find returns the session of a slot, with its place; nil if it was merged into another.
func (w *Session) find(slot int32) (s *session, at int) {
	for i := range w.sessions[w.of[slot]] {
		if x := &w.sessions[w.of[slot]][i]; x.slot == slot {
			return x, i
		}
	}
	return nil, 0
}

// advance fires the sessions that are over at watermark to.
func (w *Session) advance(to int64, out exec.Output) error {
	if to <= w.watermark {
		return nil
	}
	w.watermark = to
	for len(w.timers) > 0 && over(w.timers[0].at, to) {
		t := w.timers.Pop()
		if int(t.slot) >= len(w.of) {
			continue
		}
		s, at := w.find(t.slot)
		if s == nil {
			continue
		}
		if !s.fired && over(s.end, to) {
			w.one[0] = s.slot
			if err := w.emitGroups(groupSet{slots: w.one, calls: w.calls, count: w.count, table: w.table, prefix: 8}, s.start, s.end, out); err != nil {
				return err
			}
			s.fired = true
		}
		switch {
		case !s.fired:
			w.timer(s.end, s.slot) // it grew since
		case !over(s.end+w.lateness(), to):
			w.timer(s.end+w.lateness(), s.slot)
		default:
			k := w.of[s.slot]
			w.remove(s.slot)
			w.sessions[k] = append(w.sessions[k][:at], w.sessions[k][at+1:]...)
			if len(w.sessions[k]) == 0 {
				w.sessions[k] = nil
				w.keys.Remove(k)
			}
		}
	}
	return w.emit(out)
}

// fireChanged emits the sessions that changed, see Aggregate.fireChanged.
func (w *Session) fireChanged(late bool, out exec.Output) error {
	var left []int32
	for _, slot := range w.changed {
		if !w.isChanged[slot] {
			continue
		}
		s, _ := w.find(slot)
		if s == nil || over(s.end, w.watermark) != late {
			left = append(left, slot)
			continue
		}
		w.one[0] = slot
		if err := w.emitGroups(groupSet{slots: w.one, calls: w.calls, count: w.count, table: w.table, prefix: 8}, s.start, s.end, out); err != nil {
			return err
		}
	}
	w.changed = append(w.changed[:0], left...)
	return nil
}

// Control implements exec.Operator.
func (w *Session) Control(_ int, ev exec.Event, out exec.Output) error {
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
				if err := w.advance(1<<63-1-w.Assign.Size-w.lateness(), out); err != nil {
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

func (w *Session) save(dst []byte, slot int32) []byte {
	s, _ := w.find(slot)
	dst = binary.AppendVarint(dst, s.start)
	dst = binary.AppendVarint(dst, s.end)
	fired := byte(0)
	if s.fired {
		fired = 1
	}
	return w.saveGroup(append(dst, fired), slot)
}

func (w *Session) load(slot int32, src []byte) error {
	start, n := binary.Varint(src)
	if n <= 0 {
		return vector.ErrCorrupt
	}
	end, m := binary.Varint(src[n:])
	if m <= 0 || len(src) == n+m {
		return vector.ErrCorrupt
	}
	src = src[n+m:]
	if _, err := w.loadGroup(slot, src[1:]); err != nil {
		return err
	}
	id := w.table.Key(slot)
	w.next = max(w.next, binary.BigEndian.Uint64(id)>>8+1)
	key := id[8:]
	k, added := w.keys.FindOrAdd(vector.HashKey(key), key)
	if added && int(k) >= len(w.sessions) {
		w.sessions = append(w.sessions, nil)
	}
	for int(slot) >= len(w.of) {
		w.of = append(w.of, 0)
	}
	w.of[slot] = k
	list := w.sessions[k]
	at := 0
	for at < len(list) && list[at].start < start {
		at++
	}
	list = append(list, session{})
	copy(list[at+1:], list[at:])
	list[at] = session{start: start, end: end, slot: slot, fired: src[0] == 1}
	w.sessions[k] = list
	if src[0] == 1 {
		end += w.lateness()
	}
	w.timer(end, slot)
	return nil
}

// timer asks to look at a slot when the watermark has passed at: each slot has one,
// which is set anew when the session has grown meanwhile.
func (w *Session) timer(at int64, slot int32) { w.timers.Push(timer{at, slot}) }

type timer struct {
	at   int64
	slot int32
}

// Before implements exec.Heap's order: by time, then slot.
func (t timer) Before(o timer) bool { return t.at < o.at || t.at == o.at && t.slot < o.slot }

var (
	_ exec.Operator    = (*Session)(nil)
	_ exec.Watermarked = (*Session)(nil)
	_ exec.Watermarked = (*Aggregate)(nil)
)
