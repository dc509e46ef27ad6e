package window

import (
	"encoding/binary"
	"slices"

	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/internal/exec/aggregate"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/internal/state"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// OverSpec says what to compute over which rows before each row.
type OverSpec struct {
	Partition []int
	Time      int // the time attribute rows are ordered by
	Proctime  bool
	Frame     plan.Frame
	Calls     []plan.AggCall
	In, Out   *types.Schema
}

// Over computes aggregates over a frame of rows that ends with the current row:
// out = input ++ results. By event time rows wait for the watermark, come out in
// time order, and late ones are dropped; by processing time each comes out at
// once. A bounded frame takes rows behind the watermark that are later than those
// of their partition that came out. With RANGE rows of the same time and partition see each other.
type Over struct {
	OverSpec
	cx        *exec.Context
	parts     *state.Table // 'p', partition key -> partition
	marks     *state.Table // 'p', partition key -> mark, of RANGE frames by event time
	markOf    []rangeMark
	clean     exec.Heap[timer] // by mark
	calls     *aggregate.Calls
	frames    [][]int32    // by partition: rows of the frame, oldest first; nothing where it is unbounded
	rows      state.Values // of frames: time, row
	pend      *state.Table // 'r', seq, partition key -> pending row
	pendRows  state.Values // by pending slot: row
	waiting   []pendingRow
	sorted    bool
	seq       uint64
	watermark int64
	in        *vector.Batch // rows being worked on
	old       *vector.Batch // rows that leave a frame
	b         *vector.Batch
	results   []vector.Vector
	cols      []vector.Vector
	key       []byte
	buf       []byte
	one       [1]int32
	part      [1]int32
	minus     [1]int8
	plus      [1]int8
}

type pendingRow struct {
	time int64
	seq  uint64
	slot int32 // in pend
}

// NewOver returns the operator.
func NewOver(s OverSpec) *Over { return &Over{OverSpec: s} }

func (o *Over) bounded() bool { return o.Frame.Lower >= 0 }

// Open implements exec.Operator.
func (o *Over) Open(cx *exec.Context) (err error) {
	o.cx, o.watermark = cx, cx.Watermark
	o.parts, o.pend, o.marks = state.NewTable(), state.NewTable(), state.NewTable()
	o.marks.Unit = func(key []byte) uint16 { return state.UnitOf(vector.HashKey(key[1:])) }
	o.parts.TrackTouch = cx.TTL > 0
	o.parts.Unit = func(key []byte) uint16 { return state.UnitOf(vector.HashKey(key[1:])) }
	o.pend.Unit = func(key []byte) uint16 { return state.UnitOf(vector.HashKey(key[9:])) }
	o.in, o.old, o.b = vector.NewBatch(o.In, 1), vector.NewBatch(o.In, 1), vector.NewBatch(o.Out, cx.BatchSize)
	o.minus[0], o.plus[0] = -1, 1
	if o.calls, err = aggregate.NewCalls(o.Calls, o.bounded(), cx.Func); err != nil {
		return err
	}
	o.results = o.calls.Vectors()
	if cx.State == nil {
		return nil
	}
	return cx.State.Restore(o.restore)
}

// Process implements exec.Operator.
func (o *Over) Process(_ int, b *vector.Batch, out exec.Output) error {
	o.cols = o.cols[:0]
	for _, p := range o.Partition {
		o.cols = append(o.cols, b.Cols[p])
	}
	var ts *vector.Flat[types.TS]
	constant := false
	if !o.Proctime {
		ts, constant = timeColumn(b.Cols[o.Time])
	}
	live := b.Live()
	for j := range live {
		i := j
		if b.Sel != nil {
			i = int(b.Sel[j])
		}
		if o.Proctime {
			if err := o.now(b, i, out); err != nil {
				return err
			}
			continue
		}
		r := i
		if constant {
			r = 0
		}
		if ts.IsNull(r) {
			return errNullTime(o.In.Fields[o.Time].Name)
		}
		t := ts.Vals[r].Ms
		if t <= o.watermark && o.late(i, t) {
			o.cx.TooLate(0, b, i, exec.NoWatermark)
			continue
		}
		if o.ranged() {
			o.key = vector.AppendKeys(append(o.key[:0], 'p'), o.cols, i)
			o.expect(t)
		}
		o.seq++
		o.key = binary.BigEndian.AppendUint64(append(o.key[:0], 'r'), o.seq<<8|uint64(o.cx.Subtask&0xff))
		o.key = vector.AppendKeys(o.key, o.cols, i)
		slot, _ := o.pend.FindOrAdd(vector.HashKey(o.key), o.key)
		o.pend.MarkDirty(slot)
		o.buf = vector.AppendRowOf(o.buf[:0], b.Cols, i)
		o.pendRows.Set(slot, o.buf)
		o.waiting = append(o.waiting, pendingRow{t, o.seq, slot})
		o.sorted = false
	}
	return o.emit(out)
}

// late tells whether row i, at a time the watermark has passed, is too late. As in
// Flink an unbounded frame takes no such row, a bounded one those behind the last
// row of their partition that came out.
func (o *Over) late(i int, t int64) bool {
	if !o.bounded() {
		return true
	}
	o.key = vector.AppendKeys(append(o.key[:0], 'p'), o.cols, i)
	if o.ranged() {
		m := o.marks.Find(vector.HashKey(o.key), o.key)
		return m >= 0 && t <= o.markOf[m].last
	}
	p := o.parts.Find(vector.HashKey(o.key), o.key)
	if p < 0 || len(o.frames[p]) == 0 {
		return false
	}
	frame := o.frames[p]
	return t <= int64(binary.BigEndian.Uint64(o.rows.Get(frame[len(frame)-1])))
}

// forget removes partition p.
func (o *Over) forget(p int32) {
	for _, r := range o.frames[p] {
		o.rows.Remove(r)
	}
	o.frames[p] = nil
	o.calls.Clear(p)
	o.parts.Remove(p)
}

// now handles row i by processing time.
func (o *Over) now(b *vector.Batch, i int, out exec.Output) error {
	o.key = vector.AppendKeys(append(o.key[:0], 'p'), o.cols, i)
	p := o.partition(o.key)
	o.in.Reset()
	o.in.AppendRow(b, i, types.Insert)
	t := o.cx.Now()
	o.buf = vector.AppendRowOf(o.buf[:0], b.Cols, i)
	if err := o.accumulate(p, t, o.buf); err != nil {
		return err
	}
	if err := o.evict(p, t); err != nil {
		return err
	}
	return o.result(p, out)
}

// partition returns the slot of a partition key with its leading byte.
func (o *Over) partition(key []byte) int32 {
	p, added := o.parts.FindOrAdd(vector.HashKey(key), key)
	for int(p) >= len(o.frames) {
		o.frames = append(o.frames, nil)
	}
	if added {
		o.calls.Resize(len(o.frames))
	}
	o.parts.MarkDirty(p)
	if o.cx.TTL > 0 {
		o.parts.Touch(p, o.cx.Now())
	}
	return p
}

// accumulate adds the row in o.in, at time t and encoded as row, to partition p.
func (o *Over) accumulate(p int32, t int64, row []byte) error {
	o.one[0], o.part[0] = 0, p
	if err := o.calls.Update(o.in, o.one[:], o.part[:], o.plus[:]); err != nil {
		return err
	}
	if o.bounded() {
		v := binary.BigEndian.AppendUint64(nil, uint64(t))
		o.frames[p] = append(o.frames[p], o.rows.Add(append(v, row...)))
	}
	return nil
}

// evict takes the rows that have left the frame of a row at time t out of partition p.
func (o *Over) evict(p int32, t int64) error {
	if !o.bounded() {
		return nil
	}
	frame := o.frames[p]
	n := 0
	for n < len(frame) {
		if o.Frame.Rows {
			if int64(len(frame)-n) <= o.Frame.Lower+1 {
				break
			}
		} else if int64(binary.BigEndian.Uint64(o.rows.Get(frame[n]))) >= t-o.Frame.Lower {
			break
		}
		o.old.Reset()
		if err := vector.ReadRowOf(o.old.Cols, o.rows.Get(frame[n])[8:]); err != nil {
			return err
		}
		o.old.AppendKind(types.Insert)
		o.one[0], o.part[0] = 0, p
		if err := o.calls.Update(o.old, o.one[:], o.part[:], o.minus[:]); err != nil {
			return err
		}
		o.rows.Remove(frame[n])
		n++
	}
	if n > 0 {
		o.frames[p] = append(frame[:0], frame[n:]...)
	}
	return nil
}

// result emits the row in o.in with the results of partition p.
func (o *Over) result(p int32, out exec.Output) error {
	o.part[0] = p
	if err := o.calls.Results(o.part[:], o.results); err != nil {
		return err
	}
	for c, v := range o.in.Cols {
		vector.CopyRow(o.b.Cols[c], v, 0)
	}
	for c, v := range o.results {
		vector.CopyRow(o.b.Cols[len(o.in.Cols)+c], v, 0)
	}
	o.b.AppendKind(types.Insert)
	if o.b.N >= o.cx.BatchSize {
		return o.emit(out)
	}
	return nil
}

func (o *Over) emit(out exec.Output) error {
	return exec.Flush(out, o.b)
}

// release works off the rows the watermark has passed, in time order.
func (o *Over) release(to int64, out exec.Output) error {
	if to <= o.watermark {
		return nil
	}
	o.watermark = to
	if !o.sorted {
		slices.SortFunc(o.waiting, func(a, b pendingRow) int {
			if a.time != b.time {
				if a.time < b.time {
					return -1
				}
				return 1
			}
			if a.seq < b.seq {
				return -1
			}
			return 1
		})
		o.sorted = true
	}
	n := 0
	for n < len(o.waiting) && o.waiting[n].time <= to {
		end := n + 1
		for end < len(o.waiting) && o.waiting[end].time == o.waiting[n].time {
			end++
		}
		o.tidy(o.waiting[n].time - 1)
		if err := o.sameTime(o.waiting[n:end], out); err != nil {
			return err
		}
		n = end
	}
	o.tidy(to)
	if n > 0 {
		o.waiting = append(o.waiting[:0], o.waiting[n:]...)
	}
	return o.emit(out)
}

// sameTime works off rows of one time: with RANGE all of a partition are added before any is emitted.
func (o *Over) sameTime(rows []pendingRow, out exec.Output) error {
	if o.Frame.Rows || len(rows) == 1 {
		for _, r := range rows {
			p, err := o.take(r, true)
			if err != nil {
				return err
			}
			if err := o.evict(p, r.time); err != nil {
				return err
			}
			if err := o.result(p, out); err != nil {
				return err
			}
			o.drop(r)
		}
		return nil
	}
	parts := make([]int32, len(rows))
	for i, r := range rows {
		var err error
		if parts[i], err = o.take(r, true); err != nil {
			return err
		}
	}
	for _, p := range parts {
		if err := o.evict(p, rows[0].time); err != nil {
			return err
		}
	}
	for i, r := range rows {
		if _, err := o.take(r, false); err != nil {
			return err
		}
		if err := o.result(parts[i], out); err != nil {
			return err
		}
		o.drop(r)
	}
	return nil
}

// take decodes a pending row into o.in and, if add, accumulates it.
func (o *Over) take(r pendingRow, add bool) (int32, error) {
	o.in.Reset()
	if err := vector.ReadRowOf(o.in.Cols, o.pendRows.Get(r.slot)); err != nil {
		return 0, err
	}
	o.in.AppendKind(types.Insert)
	if !add {
		return 0, nil
	}
	o.key = append(append(o.key[:0], 'p'), o.pend.Key(r.slot)[9:]...)
	p := o.partition(o.key)
	o.came(r.time)
	return p, o.accumulate(p, r.time, o.pendRows.Get(r.slot))
}

func (o *Over) drop(r pendingRow) {
	o.pendRows.Clear(r.slot)
	o.pend.Remove(r.slot)
}

// Control implements exec.Operator.
func (o *Over) Control(_ int, ev exec.Event, out exec.Output) error {
	switch ev.Kind {
	case exec.Watermark:
		if !o.Proctime {
			if err := o.release(ev.Time, out); err != nil {
				return err
			}
		}
	case exec.Barrier:
		if o.cx.State != nil {
			if err := o.parts.Snapshot(o.cx.State, o.save); err != nil {
				return err
			}
			if err := o.pend.Snapshot(o.cx.State, o.savePending); err != nil {
				return err
			}
			if err := o.marks.Snapshot(markBackend{o.cx.State}, o.saveMark); err != nil {
				return err
			}
		}
		o.expire()
		o.measure()
	case exec.End:
		o.measure()
	}
	return out.Forward(ev)
}

// expire removes the partitions that were not touched for the TTL.
func (o *Over) expire() {
	if o.cx.TTL == 0 {
		return
	}
	now := o.cx.Now()
	o.parts.Live(func(p int32) bool {
		if now-o.parts.Touched(p) > o.cx.TTL.Milliseconds() {
			o.forget(p)
		}
		return true
	})
}

func (o *Over) measure() {
	o.cx.Metrics.StateRows.Store(int64(o.parts.Len() + o.pend.Len()))
	o.cx.Metrics.StateBytes.Store(o.parts.Bytes() + o.pend.Bytes() + o.rows.Bytes() + o.pendRows.Bytes() + o.calls.Bytes())
}

// save encodes a partition: the rows of its frame, or what unbounded aggregates hold.
func (o *Over) save(dst []byte, p int32) []byte {
	if !o.bounded() {
		return o.calls.Save(dst, p)
	}
	for _, r := range o.frames[p] {
		v := o.rows.Get(r)
		dst = binary.AppendUvarint(dst, uint64(len(v)))
		dst = append(dst, v...)
	}
	return dst
}

func (o *Over) savePending(dst []byte, slot int32) []byte {
	return append(dst, o.pendRows.Get(slot)...)
}

// restore takes an entry of the last commit.
func (o *Over) restore(_ uint16, key, value []byte) error {
	if len(key) == 0 {
		return vector.ErrCorrupt
	}
	if key[0] == 'm' {
		return o.restoreMark(key, value)
	}
	if key[0] == 'r' {
		if len(key) < 9 {
			return vector.ErrCorrupt
		}
		slot, _ := o.pend.FindOrAdd(vector.HashKey(key), key)
		o.pend.MarkSaved(slot)
		o.pendRows.Set(slot, value)
		o.in.Reset()
		if err := vector.ReadRowOf(o.in.Cols, value); err != nil {
			return err
		}
		seq := binary.BigEndian.Uint64(key[1:]) >> 8
		o.seq = max(o.seq, seq)
		ts, _ := timeColumn(o.in.Cols[o.Time])
		o.waiting = append(o.waiting, pendingRow{ts.Vals[0].Ms, seq, slot})
		return nil
	}
	p := o.partition(key)
	o.parts.MarkSaved(p)
	if !o.bounded() {
		_, err := o.calls.Load(p, value)
		return err
	}
	for len(value) > 0 {
		n, w := binary.Uvarint(value)
		if w <= 0 || uint64(len(value)-w) < n || n < 8 {
			return vector.ErrCorrupt
		}
		v := value[w : w+int(n)]
		value = value[w+int(n):]
		o.in.Reset()
		if err := vector.ReadRowOf(o.in.Cols, v[8:]); err != nil {
			return err
		}
		o.in.AppendKind(types.Insert)
		if err := o.accumulate(p, int64(binary.BigEndian.Uint64(v)), v[8:]); err != nil {
			return err
		}
	}
	return nil
}

// CurrentWatermark implements exec.Watermarked.
func (o *Over) CurrentWatermark() int64 { return o.watermark }

// Close implements exec.Operator.
func (o *Over) Close() error { return nil }

var _ exec.Operator = (*Over)(nil)
