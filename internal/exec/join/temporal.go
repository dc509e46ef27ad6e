package join

import (
	"encoding/binary"
	"slices"
	"sort"

	"github.com/runnelio/runnel/internal/eval"
	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/internal/state"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// TemporalSpec says how to join rows with the version of the right side that is
// valid at their time.
type TemporalSpec struct {
	Keys [2][]int
	Time [2]int    // rowtime columns of the inputs
	Cond plan.Expr // over left ++ right; nil for none
	Pad  bool      // left rows without a version come out padded with NULL, else not at all
	In   [2]*types.Schema
	Out  *types.Schema
}

// Temporal is JOIN … FOR SYSTEM_TIME AS OF by event time. A left row comes out
// when the watermark of both inputs has passed it, in the order of time, with
// the row of the right side of its key that is the newest not after it; a
// deletion is a version too. With a TTL the versions of a key go that nothing has
// touched for so long, by the clock: neither a left row nor a version. As in Flink a NULL key finds the versions of the NULL key. Of the versions the watermark has passed, the
// newest of each key is kept.
type Temporal struct {
	TemporalSpec
	cx        *exec.Context
	pred      *eval.Predicate
	versions  *state.Table // 'v', key -> versions
	of        [][]version
	rows      state.Values
	several   []int32      // keys with more than one version
	left      *state.Table // 'l', seq, key -> waiting row
	leftRows  state.Values // by slot: time, kind, row
	waiting   []waitingRow
	sorted    bool
	seq       uint64
	watermark int64
	swept     int64 // when expired versions were last looked for, ms
	cand, b   *vector.Batch
	key, buf  []byte
	sel       []int32
}

type version struct {
	time int64
	row  int32 // -1: deleted
}

type waitingRow struct {
	time int64
	seq  uint64
	slot int32
}

// NewTemporal returns the operator.
func NewTemporal(s TemporalSpec) *Temporal { return &Temporal{TemporalSpec: s} }

// Open implements exec.Operator.
func (j *Temporal) Open(cx *exec.Context) (err error) {
	j.cx, j.watermark = cx, cx.Watermark
	j.versions, j.left = state.NewTable(), state.NewTable()
	j.versions.TrackTouch = cx.TTL > 0
	j.versions.Unit = func(key []byte) uint16 { return state.UnitOf(vector.HashKey(key[1:])) }
	j.left.Unit = func(key []byte) uint16 { return state.UnitOf(vector.HashKey(key[9:])) }
	pair := types.NewSchema(append(slices.Clone(j.In[0].Fields), j.In[1].Fields...)...)
	j.cand, j.b = vector.NewBatch(pair, 1), vector.NewBatch(j.Out, cx.BatchSize)
	if j.Cond != nil {
		if j.pred, err = eval.CompilePredicate(j.Cond, pair, cx.Func); err != nil {
			return err
		}
	}
	if cx.State == nil {
		return nil
	}
	return cx.State.Restore(j.restore)
}

// Process implements exec.Operator.
func (j *Temporal) Process(in int, b *vector.Batch, _ exec.Output) error {
	live := b.Live()
	for k := range live {
		i := k
		if b.Sel != nil {
			i = int(b.Sel[k])
		}
		kind := b.Kind(i)
		if in == 1 && kind == types.UpdateBefore || b.Cols[j.Time[in]].IsNull(i) {
			if kind != types.UpdateBefore {
				j.cx.Metrics.Late.Add(1) // a row without time is valid never
			}
			continue
		}
		t := timeAt(b.Cols[j.Time[in]], i)
		if in == 0 {
			j.wait(b, i, t, kind)
			j.touch()
			continue
		}
		j.key = append(j.key[:0], 'v')
		for _, c := range j.Keys[1] {
			j.key = vector.AppendKey(j.key, b.Cols[c], i)
		}
		r := int32(-1)
		if kind != types.Delete {
			j.buf = vector.AppendRowOf(j.buf[:0], b.Cols, i)
			r = j.rows.Add(j.buf)
		}
		j.put(j.key, version{t, r})
	}
	return nil
}

// put adds a version of a key; one of the same time is replaced.
func (j *Temporal) put(key []byte, v version) {
	id, added := j.versions.FindOrAdd(vector.HashKey(key), key)
	for int(id) >= len(j.of) {
		j.of = append(j.of, nil)
	}
	if j.cx.TTL > 0 {
		if !added && j.expired(id) {
			j.clear(id)
		}
		j.versions.Touch(id, j.cx.Now())
	}
	j.versions.MarkDirty(id)
	list := j.of[id]
	at := sort.Search(len(list), func(k int) bool { return list[k].time >= v.time })
	if at < len(list) && list[at].time == v.time {
		j.forget(list[at])
		list[at] = v
		return
	}
	j.of[id] = slices.Insert(list, at, v)
	if len(j.of[id]) == 2 || len(j.of[id]) == 1 && v.row < 0 {
		j.several = append(j.several, id)
	}
}

// touch notes that a left row came, whose key is in j.key behind a row's number.
func (j *Temporal) touch() {
	if j.cx.TTL == 0 {
		return
	}
	key := append([]byte{'v'}, j.key[9:]...)
	if id := j.versions.Find(vector.HashKey(key), key); id >= 0 && !j.expired(id) {
		j.versions.Touch(id, j.cx.Now())
	}
}

// expired tells whether nothing touched the versions of a key for the TTL.
func (j *Temporal) expired(id int32) bool {
	return j.cx.TTL > 0 && j.cx.Now()-j.versions.Touched(id) > j.cx.TTL.Milliseconds()
}

// clear forgets the versions of a key.
func (j *Temporal) clear(id int32) {
	for _, v := range j.of[id] {
		j.forget(v)
	}
	j.of[id] = nil
}

// expire removes the keys that nothing touched for the TTL, at most every so often.
func (j *Temporal) expire(now int64) {
	if j.cx.TTL == 0 || now-j.swept < max(j.cx.TTL.Milliseconds()/2, 100) {
		return
	}
	j.swept = now
	j.versions.Live(func(id int32) bool {
		if j.expired(id) {
			j.clear(id)
			j.versions.Remove(id)
		}
		return true
	})
}

func (j *Temporal) forget(v version) {
	if v.row >= 0 {
		j.rows.Remove(v.row)
	}
}

// wait keeps left row i until the watermark has passed it.
func (j *Temporal) wait(b *vector.Batch, i int, t int64, kind types.RowKind) {
	j.seq++
	j.key = binary.BigEndian.AppendUint64(append(j.key[:0], 'l'), j.seq<<8|uint64(j.cx.Subtask&0xff))
	for _, c := range j.Keys[0] {
		j.key = vector.AppendKey(j.key, b.Cols[c], i)
	}
	slot, _ := j.left.FindOrAdd(vector.HashKey(j.key), j.key)
	j.left.MarkDirty(slot)
	j.buf = binary.BigEndian.AppendUint64(j.buf[:0], uint64(t))
	j.buf = append(j.buf, byte(kind))
	j.buf = vector.AppendRowOf(j.buf, b.Cols, i)
	j.leftRows.Set(slot, j.buf)
	j.waiting = append(j.waiting, waitingRow{t, j.seq, slot})
	j.sorted = false
}

// advance joins the left rows the watermark has passed.
func (j *Temporal) advance(to int64, out exec.Output) error {
	if to <= j.watermark {
		return nil
	}
	j.watermark = to
	if !j.sorted {
		slices.SortFunc(j.waiting, func(a, b waitingRow) int {
			switch {
			case a.time < b.time || a.time == b.time && a.seq < b.seq:
				return -1
			case a.time == b.time && a.seq == b.seq:
				return 0
			}
			return 1
		})
		j.sorted = true
	}
	n := 0
	for n < len(j.waiting) && j.waiting[n].time <= to {
		if err := j.join(j.waiting[n]); err != nil {
			return err
		}
		if j.b.N >= j.cx.BatchSize {
			if err := j.emit(out); err != nil {
				return err
			}
		}
		j.leftRows.Clear(j.waiting[n].slot)
		j.left.Remove(j.waiting[n].slot)
		n++
	}
	if n > 0 {
		j.waiting = append(j.waiting[:0], j.waiting[n:]...)
	}
	j.clean(to)
	return j.emit(out)
}

// join emits a left row with its version.
func (j *Temporal) join(w waitingRow) error {
	v := j.leftRows.Get(w.slot)
	kind := types.RowKind(v[8])
	nl := len(j.In[0].Fields)
	found := false
	j.key = append(append(j.key[:0], 'v'), j.left.Key(w.slot)[9:]...)
	if id := j.versions.Find(vector.HashKey(j.key), j.key); id >= 0 && !j.expired(id) {
		list := j.of[id]
		at := sort.Search(len(list), func(k int) bool { return list[k].time > w.time }) - 1
		if at >= 0 && list[at].row >= 0 {
			j.cand.Reset()
			if err := vector.ReadRowOf(j.cand.Cols[:nl], v[9:]); err != nil {
				return err
			}
			if err := vector.ReadRowOf(j.cand.Cols[nl:], j.rows.Get(list[at].row)); err != nil {
				return err
			}
			j.cand.AppendKind(kind)
			found = true
			if j.pred != nil {
				sel, err := j.pred.Select(j.cand, nil, j.sel[:0])
				if err != nil {
					return err
				}
				j.sel = sel
				found = len(sel) > 0
			}
		}
	}
	switch {
	case found:
		for c, col := range j.cand.Cols {
			vector.CopyRow(j.b.Cols[c], col, 0)
		}
	case j.Pad:
		if err := vector.ReadRowOf(j.b.Cols[:nl], v[9:]); err != nil {
			return err
		}
		appendNulls(j.b.Cols[nl:])
	default:
		return nil
	}
	j.b.AppendKind(kind)
	return nil
}

// clean forgets the versions that no row behind watermark w asks for.
func (j *Temporal) clean(w int64) {
	left := j.several[:0]
	for _, id := range j.several {
		if int(id) >= len(j.of) || len(j.of[id]) == 0 {
			continue
		}
		list := j.of[id]
		keep := sort.Search(len(list), func(k int) bool { return list[k].time > w }) - 1
		if keep >= 0 && list[keep].row < 0 {
			keep++ // a deletion with nothing before it says nothing
		}
		if keep > 0 {
			for _, v := range list[:keep] {
				j.forget(v)
			}
			j.of[id] = slices.Delete(list, 0, keep)
			j.versions.MarkDirty(id)
		}
		switch n := len(j.of[id]); {
		case n == 0:
			j.versions.Remove(id)
		case n > 1 || j.of[id][0].row < 0:
			left = append(left, id)
		}
	}
	j.several = left
}

func (j *Temporal) emit(out exec.Output) error {
	return exec.Flush(out, j.b)
}

// Control implements exec.Operator.
func (j *Temporal) Control(_ int, ev exec.Event, out exec.Output) error {
	switch ev.Kind {
	case exec.Watermark:
		if err := j.advance(ev.Time, out); err != nil {
			return err
		}
	case exec.Tick:
		j.expire(ev.Time)
	case exec.Barrier:
		if j.cx.State != nil {
			if err := j.versions.Snapshot(j.cx.State, j.save); err != nil {
				return err
			}
			if err := j.left.Snapshot(j.cx.State, func(dst []byte, slot int32) []byte { return append(dst, j.leftRows.Get(slot)...) }); err != nil {
				return err
			}
		}
	}
	if ev.Kind == exec.Barrier || ev.Kind == exec.End {
		j.cx.Metrics.StateRows.Store(int64(j.versions.Len() + j.left.Len()))
		j.cx.Metrics.StateBytes.Store(j.versions.Bytes() + j.left.Bytes() + j.rows.Bytes() + j.leftRows.Bytes())
	}
	return out.Forward(ev)
}

// save encodes the versions of a key.
func (j *Temporal) save(dst []byte, id int32) []byte {
	for _, v := range j.of[id] {
		dst = binary.AppendVarint(dst, v.time)
		if v.row < 0 {
			dst = binary.AppendUvarint(dst, 0)
			continue
		}
		row := j.rows.Get(v.row)
		dst = binary.AppendUvarint(dst, uint64(len(row))+1)
		dst = append(dst, row...)
	}
	return dst
}

func (j *Temporal) restore(_ uint16, key, value []byte) error {
	switch {
	case len(key) >= 9 && key[0] == 'l' && len(value) >= 9:
		slot, _ := j.left.FindOrAdd(vector.HashKey(key), key)
		j.left.MarkSaved(slot)
		j.leftRows.Set(slot, value)
		seq := binary.BigEndian.Uint64(key[1:]) >> 8
		j.seq = max(j.seq, seq)
		j.waiting = append(j.waiting, waitingRow{int64(binary.BigEndian.Uint64(value)), seq, slot})
		return nil
	case len(key) >= 1 && key[0] == 'v':
		for len(value) > 0 {
			t, n := binary.Varint(value)
			if n <= 0 {
				return vector.ErrCorrupt
			}
			size, m := binary.Uvarint(value[n:])
			if m <= 0 || size > uint64(len(value)-n-m)+1 {
				return vector.ErrCorrupt
			}
			value = value[n+m:]
			v := version{t, -1}
			if size > 0 {
				v.row = j.rows.Add(value[:size-1])
				value = value[size-1:]
			}
			j.put(key, v)
		}
		if id := j.versions.Find(vector.HashKey(key), key); id >= 0 {
			j.versions.MarkSaved(id)
		}
		return nil
	}
	return vector.ErrCorrupt
}

// CurrentWatermark implements exec.Watermarked.
func (j *Temporal) CurrentWatermark() int64 { return j.watermark }

// Close implements exec.Operator.
func (j *Temporal) Close() error { return nil }

var (
	_ exec.Operator    = (*Temporal)(nil)
	_ exec.Watermarked = (*Temporal)(nil)
)
