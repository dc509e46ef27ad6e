package window

import (
	"encoding/binary"
	"slices"

	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/internal/state"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// SessionRows is the SESSION table function alone: rows are kept until their
// session is over and come out with its window.
type SessionRows struct {
	AssignSpec
	cx        *exec.Context
	clock     clock
	keys      *state.Table
	sessions  [][]rowSession // by key, ascending
	rows      state.Values
	timers    exec.Heap[timer] // slot: the key
	watermark int64
	b         *vector.Batch
	cols      []vector.Vector
	key       []byte
	buf       []byte
}

type rowSession struct {
	start, end int64
	rows       []int32
}

// Open implements exec.Operator.
func (w *SessionRows) Open(cx *exec.Context) error {
	w.cx, w.clock, w.watermark = cx, newClock(w.Assign.Local, cx.Func.Zone), cx.Watermark
	w.keys, w.b = state.NewTable(), vector.NewBatch(w.Out, cx.BatchSize)
	if cx.State == nil {
		return nil
	}
	return w.keys.Restore(cx.State, vector.HashKey, w.load)
}

// Process implements exec.Operator.
func (w *SessionRows) Process(_ int, b *vector.Batch, out exec.Output) error {
	var ts *vector.Flat[types.TS]
	constant := false
	now := int64(0)
	if w.Assign.Proctime {
		now = w.clock.wall(w.cx.Now())
		if err := w.advance(now-1, out); err != nil {
			return err
		}
	} else {
		ts, constant = timeColumn(b.Cols[w.Assign.Time])
	}
	w.cols = w.cols[:0]
	for _, p := range w.Partition {
		w.cols = append(w.cols, b.Cols[p])
	}
	b.Rows(func(i int) {
		t := now
		if ts != nil {
			r := i
			if constant {
				r = 0
			}
			if ts.IsNull(r) {
				w.cx.TooLate(0, b, i, exec.NoWatermark)
				return
			}
			t = w.clock.wall(ts.Vals[r].Ms)
		}
		w.key = vector.AppendKeys(w.key[:0], w.cols, i)
		w.buf = vector.AppendRowOf(w.buf[:0], b.Cols, i)
		if !w.add(t) {
			w.cx.TooLate(0, b, i, t+w.Assign.Size)
		}
	})
	return nil
}

// add puts the row of w.buf into its session, merging those it bridges; false if
// its session is over.
func (w *SessionRows) add(t int64) bool {
	k, _ := w.keys.FindOrAdd(vector.HashKey(w.key), w.key)
	for int(k) >= len(w.sessions) {
		w.sessions = append(w.sessions, nil)
	}
	list := w.sessions[k]
	s := rowSession{start: t, end: t + w.Assign.Size}
	first := 0
	for first < len(list) && list[first].end < s.start {
		first++
	}
	last := first
	for last < len(list) && list[last].start <= s.end {
		s.start, s.end = min(s.start, list[last].start), max(s.end, list[last].end)
		s.rows = append(s.rows, list[last].rows...)
		last++
	}
	if first == last && over(s.end, w.watermark) {
		if len(list) == 0 {
			w.keys.Remove(k)
		}
		return false
	}
	s.rows = append(s.rows, w.rows.Add(w.buf))
	w.sessions[k] = slices.Replace(list, first, last, s)
	w.keys.MarkDirty(k)
	w.timers.Push(timer{s.end, k})
	return true
}

func (w *SessionRows) advance(to int64, out exec.Output) error {
	if to <= w.watermark {
		return nil
	}
	w.watermark = to
	for len(w.timers) > 0 && over(w.timers[0].at, to) {
		t := w.timers.Pop()
		at := slices.IndexFunc(w.sessions[t.slot], func(s rowSession) bool { return s.end == t.at })
		if at < 0 {
			continue // it grew since
		}
		s := w.sessions[t.slot][at]
		for _, r := range s.rows {
			if err := w.emitRow(r, s, out); err != nil {
				return err
			}
			w.rows.Remove(r)
		}
		w.sessions[t.slot] = slices.Delete(w.sessions[t.slot], at, at+1)
		w.keys.MarkDirty(t.slot)
		if len(w.sessions[t.slot]) == 0 {
			w.keys.Remove(t.slot)
		}
	}
	return w.flush(out)
}

func (w *SessionRows) emitRow(r int32, s rowSession, out exec.Output) error {
	src := w.rows.Get(r)
	n := len(w.In.Fields)
	if err := vector.ReadRowOf(w.b.Cols[:n], src); err != nil {
		return err
	}
	appendTS(w.b.Cols[n], s.start)
	appendTS(w.b.Cols[n+1], s.end)
	appendTS(w.b.Cols[n+2], w.clock.instant(s.end)-1)
	w.b.AppendKind(types.Insert)
	if w.b.N >= w.cx.BatchSize {
		return w.flush(out)
	}
	return nil
}

func (w *SessionRows) flush(out exec.Output) error {
	return exec.Flush(out, w.b)
}

// Control implements exec.Operator.
func (w *SessionRows) Control(_ int, ev exec.Event, out exec.Output) error {
	var err error
	switch {
	case ev.Kind == exec.Watermark && !w.Assign.Proctime:
		err = w.advance(w.clock.progress(ev.Time), out)
	case ev.Kind == exec.Tick && w.Assign.Proctime:
		err = w.advance(w.clock.wall(ev.Time)-1, out)
	case ev.Kind == exec.Barrier && w.cx.State != nil:
		err = w.keys.Snapshot(w.cx.State, w.save)
	case ev.Kind == exec.End && w.Assign.Proctime && !ev.Stopped:
		if w.FlushAtEnd {
			err = w.advance(1<<63-1, out)
			break
		}
		w.cx.Metrics.Unfired.Add(int64(w.keys.Len()))
	}
	if err != nil {
		return err
	}
	if ev.Kind == exec.Barrier || ev.Kind == exec.End {
		w.cx.Metrics.StateRows.Store(int64(w.keys.Len()))
		w.cx.Metrics.StateBytes.Store(w.keys.Bytes() + w.rows.Bytes())
	}
	return out.Forward(ev)
}

func (w *SessionRows) save(dst []byte, k int32) []byte {
	for _, s := range w.sessions[k] {
		dst = binary.AppendVarint(dst, s.start)
		dst = binary.AppendVarint(dst, s.end)
		dst = binary.AppendUvarint(dst, uint64(len(s.rows)))
		for _, r := range s.rows {
			v := w.rows.Get(r)
			dst = binary.AppendUvarint(dst, uint64(len(v)))
			dst = append(dst, v...)
		}
	}
	return dst
}

func (w *SessionRows) load(k int32, src []byte) error {
	for int(k) >= len(w.sessions) {
		w.sessions = append(w.sessions, nil)
	}
	for len(src) > 0 {
		var s rowSession
		var n int
		if s.start, n = binary.Varint(src); n <= 0 {
			return vector.ErrCorrupt
		}
		src = src[n:]
		if s.end, n = binary.Varint(src); n <= 0 {
			return vector.ErrCorrupt
		}
		src = src[n:]
		rows, n := binary.Uvarint(src)
		if n <= 0 {
			return vector.ErrCorrupt
		}
		src = src[n:]
		for range rows {
			size, n := binary.Uvarint(src)
			if n <= 0 || uint64(len(src)-n) < size {
				return vector.ErrCorrupt
			}
			s.rows = append(s.rows, w.rows.Add(src[n:n+int(size)]))
			src = src[n+int(size):]
		}
		w.sessions[k] = append(w.sessions[k], s)
		w.timers.Push(timer{s.end, k})
	}
	return nil
}

// CurrentWatermark implements exec.Watermarked.
func (w *SessionRows) CurrentWatermark() int64 { return w.watermark }

// Close implements exec.Operator.
func (w *SessionRows) Close() error { return nil }

var _ exec.Operator = (*SessionRows)(nil)
