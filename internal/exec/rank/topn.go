package rank

import (
	"bytes"
	"encoding/binary"
	"slices"
	"sort"

	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/internal/state"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// PartitionSpec says which rows of each partition to keep.
type PartitionSpec struct {
	Partition    []int
	Order        []plan.SortKey
	Offset       int64
	Limit        int64
	Number       bool // the row number is the last column of Out
	Retracts     bool // the input takes rows back
	UpdateBefore bool
	In, Out      *types.Schema
}

// TopN keeps, of each partition, rows Offset to Offset+Limit by an order. The
// changelog is Flink's: with the row number every shifted rank emits -U and +U;
// without it the row that falls out emits -D and the new one +I (-U and +U where
// the result has one row). Over an append-only input only the rows that can be
// in the result are kept; over a changelog all are, because a row further down
// may move up.
type TopN struct {
	PartitionSpec
	cx    *exec.Context
	parts *state.Table
	order [][]int32    // by partition: rows in order
	rows  state.Values // order key length, order key, row
	b     *vector.Batch
	cols  []vector.Vector
	key   []byte
	buf   []byte
	swept state.Sweep
}

// NewTopN returns the operator.
func NewTopN(s PartitionSpec) *TopN { return &TopN{PartitionSpec: s} }

// Open implements exec.Operator.
func (t *TopN) Open(cx *exec.Context) error {
	t.cx, t.parts, t.b = cx, state.NewTable(), vector.NewBatch(t.Out, cx.BatchSize)
	t.parts.TrackTouch = cx.TTL > 0
	if cx.State == nil {
		return nil
	}
	return t.parts.Restore(cx.State, vector.HashKey, t.load)
}

func (t *TopN) end() int { return int(t.Offset + t.Limit) }

// Process implements exec.Operator.
func (t *TopN) Process(_ int, b *vector.Batch, out exec.Output) error {
	if t.Limit <= 0 {
		return nil
	}
	now := int64(0)
	if t.cx.TTL > 0 {
		now = t.cx.Now()
		t.expire(now)
	}
	t.cols = t.cols[:0]
	for _, p := range t.Partition {
		t.cols = append(t.cols, b.Cols[p])
	}
	live := b.Live()
	for j := range live {
		i := j
		if b.Sel != nil {
			i = int(b.Sel[j])
		}
		t.key = vector.AppendKeys(t.key[:0], t.cols, i)
		h := vector.HashKey(t.key)
		retract := b.Kind(i).Sign() < 0
		var p int32
		if retract {
			if p = t.parts.Find(h, t.key); p < 0 {
				t.cx.Metrics.Expired.Add(1)
				continue
			}
		} else {
			var added bool
			if p, added = t.parts.FindOrAdd(h, t.key); added {
				for int(p) >= len(t.order) {
					t.order = append(t.order, nil)
				}
				t.order[p] = t.order[p][:0]
			}
		}
		if now != 0 {
			t.parts.Touch(p, now)
		}
		t.encode(b, i)
		var err error
		if retract {
			err = t.remove(p)
		} else {
			err = t.add(p)
		}
		if err != nil {
			return err
		}
		if t.b.N >= t.cx.BatchSize {
			if err := t.emit(out); err != nil {
				return err
			}
		}
	}
	return t.emit(out)
}

// encode puts the order key and the row of row i into t.buf.
func (t *TopN) encode(b *vector.Batch, i int) {
	t.buf = append(t.buf[:0], 0, 0, 0, 0)
	for _, k := range t.Order {
		t.buf = vector.AppendOrdered(t.buf, b.Cols[k.Column], i, k.Desc, k.NullsFirst)
	}
	binary.LittleEndian.PutUint32(t.buf, uint32(len(t.buf)-4))
	t.buf = vector.AppendRowOf(t.buf, b.Cols, i)
}

func orderKey(v []byte) []byte { return v[4 : 4+binary.LittleEndian.Uint32(v)] }
func rowBytes(v []byte) []byte { return v[4+binary.LittleEndian.Uint32(v):] }

// add puts the row of t.buf into partition p: behind rows of the same order.
func (t *TopN) add(p int32) error {
	list := t.order[p]
	key := orderKey(t.buf)
	n := len(list)
	if !t.Retracts && n >= t.end() && bytes.Compare(orderKey(t.rows.Get(list[n-1])), key) <= 0 {
		return nil
	}
	at := sort.Search(n, func(k int) bool { return bytes.Compare(orderKey(t.rows.Get(list[k])), key) > 0 })
	list = slices.Insert(list, at, t.rows.Add(t.buf))
	t.order[p] = list
	t.parts.MarkDirty(p)
	if !t.cx.Batch && at < t.end() {
		if err := t.entered(list, at); err != nil {
			return err
		}
	}
	if !t.Retracts && len(list) > t.end() {
		t.rows.Remove(list[len(list)-1])
		t.order[p] = list[:len(list)-1]
	}
	return nil
}

// entered emits what changed because a row came to place at.
func (t *TopN) entered(list []int32, at int) error {
	from := max(at, int(t.Offset))
	if from >= len(list) {
		return nil
	}
	if !t.Number {
		pushed := len(list) > t.end()
		if !pushed {
			return t.row(list[from], 0, types.Insert)
		}
		kinds := [2]types.RowKind{types.Delete, types.Insert}
		if t.Limit == 1 {
			kinds = [2]types.RowKind{types.UpdateBefore, types.UpdateAfter}
		}
		if kinds[0] == types.Delete || t.UpdateBefore {
			if err := t.row(list[t.end()], 0, kinds[0]); err != nil {
				return err
			}
		}
		return t.row(list[from], 0, kinds[1])
	}
	// Every place from from on has the row that was one above it.
	for k := from; k < min(len(list), t.end()); k++ {
		if k == len(list)-1 {
			return t.row(list[k], k+1, types.Insert)
		}
		if t.UpdateBefore {
			if err := t.row(list[k+1], k+1, types.UpdateBefore); err != nil {
				return err
			}
		}
		if err := t.row(list[k], k+1, types.UpdateAfter); err != nil {
			return err
		}
	}
	return nil
}

// remove takes back the row of t.buf.
func (t *TopN) remove(p int32) error {
	list := t.order[p]
	key, row := orderKey(t.buf), rowBytes(t.buf)
	at := sort.Search(len(list), func(k int) bool { return bytes.Compare(orderKey(t.rows.Get(list[k])), key) >= 0 })
	for ; at < len(list); at++ {
		v := t.rows.Get(list[at])
		if !bytes.Equal(orderKey(v), key) {
			at = len(list)
			break
		}
		if bytes.Equal(rowBytes(v), row) {
			break
		}
	}
	if at == len(list) {
		t.cx.Metrics.Expired.Add(1)
		return nil
	}
	if !t.cx.Batch && at < t.end() {
		if err := t.left(list, at); err != nil {
			return err
		}
	}
	t.rows.Remove(list[at])
	t.order[p] = slices.Delete(list, at, at+1)
	t.parts.MarkDirty(p)
	if len(t.order[p]) == 0 {
		t.parts.Remove(p)
	}
	return nil
}

// left emits what changes because the row at place at goes; it is still in list.
func (t *TopN) left(list []int32, at int) error {
	from := max(at, int(t.Offset))
	if from >= len(list) {
		return nil
	}
	if !t.Number {
		if err := t.row(list[from], 0, types.Delete); err != nil {
			return err
		}
		if len(list) > t.end() {
			return t.row(list[t.end()], 0, types.Insert)
		}
		return nil
	}
	for k := from; k < min(len(list), t.end()); k++ {
		if k == len(list)-1 {
			return t.row(list[k], k+1, types.Delete)
		}
		if t.UpdateBefore {
			if err := t.row(list[k], k+1, types.UpdateBefore); err != nil {
				return err
			}
		}
		if err := t.row(list[k+1], k+1, types.UpdateAfter); err != nil {
			return err
		}
	}
	return nil
}

// row appends a kept row to the output.
func (t *TopN) row(slot int32, number int, kind types.RowKind) error {
	src := rowBytes(t.rows.Get(slot))
	n := len(t.In.Fields)
	if err := vector.ReadRowOf(t.b.Cols[:n], src); err != nil {
		return err
	}
	if t.Number {
		v := t.b.Cols[n].(*vector.Flat[int64])
		i := vector.Extend(v, 1)
		v.Vals[i] = int64(number)
	}
	t.b.AppendKind(kind)
	return nil
}

func (t *TopN) emit(out exec.Output) error {
	return exec.Flush(out, t.b)
}

// expire removes partitions that were not touched for the TTL.
func (t *TopN) expire(now int64) {
	t.swept.Expire(t.parts, now, t.cx.TTL, func(p int32) {
		for _, r := range t.order[p] {
			t.rows.Remove(r)
		}
		t.order[p] = nil
	})
}

// Control implements exec.Operator.
func (t *TopN) Control(_ int, ev exec.Event, out exec.Output) error {
	switch ev.Kind {
	case exec.Barrier:
		if t.cx.State != nil {
			if err := t.parts.Snapshot(t.cx.State, t.save); err != nil {
				return err
			}
		}
		t.measure()
	case exec.End:
		if t.cx.Batch && !ev.Stopped {
			if err := t.emitAll(out); err != nil {
				return err
			}
		}
		t.measure()
	}
	return out.Forward(ev)
}

// emitAll emits the result of every partition: the end of a batch job.
func (t *TopN) emitAll(out exec.Output) (err error) {
	t.parts.Live(func(p int32) bool {
		for k := int(t.Offset); k < min(len(t.order[p]), t.end()); k++ {
			if err = t.row(t.order[p][k], k+1, types.Insert); err != nil {
				return false
			}
		}
		if t.b.N >= t.cx.BatchSize {
			err = t.emit(out)
		}
		return err == nil
	})
	if err != nil {
		return err
	}
	return t.emit(out)
}

func (t *TopN) measure() {
	t.cx.Metrics.StateRows.Store(int64(t.parts.Len()))
	t.cx.Metrics.StateBytes.Store(t.parts.Bytes() + t.rows.Bytes() + int64(len(t.order))*40)
}

// save encodes the rows of a partition in order.
func (t *TopN) save(dst []byte, p int32) []byte {
	for _, r := range t.order[p] {
		v := t.rows.Get(r)
		dst = binary.AppendUvarint(dst, uint64(len(v)))
		dst = append(dst, v...)
	}
	return dst
}

func (t *TopN) load(p int32, src []byte) error {
	for int(p) >= len(t.order) {
		t.order = append(t.order, nil)
	}
	for len(src) > 0 {
		n, w := binary.Uvarint(src)
		if w <= 0 || uint64(len(src)-w) < n || n < 4 {
			return vector.ErrCorrupt
		}
		t.order[p] = append(t.order[p], t.rows.Add(src[w:w+int(n)]))
		src = src[w+int(n):]
	}
	if t.cx.TTL > 0 {
		t.parts.Touch(p, t.cx.Now())
	}
	return nil
}

// Close implements exec.Operator.
func (t *TopN) Close() error { return nil }

var _ exec.Operator = (*TopN)(nil)
