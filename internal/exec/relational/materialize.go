package relational

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/internal/state"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// MaterializeSpec says by which key a sink finds its rows.
type MaterializeSpec struct {
	Key []int
	In  *types.Schema
}

// Materialize turns a changelog by any key into upserts by the sink's: several
// rows of the changelog may have one key of the sink, and a row's key may change,
// so it keeps all rows a key has at the moment, in the order they came. The sink
// shows the last. When that goes the one before is shown again; when none is left
// the key is deleted. The tasks before may reorder rows of different keys of
// theirs, never the addition and the removal of one row, so what is kept is right
// at any parallelism.
type Materialize struct {
	MaterializeSpec
	cx    *exec.Context
	table *state.Table
	of    [][]int32 // by slot: rows
	rows  state.Values
	b     *vector.Batch
	cols  []vector.Vector
	key   []byte
	buf   []byte
	swept state.Sweep
}

// NewMaterialize returns the operator.
func NewMaterialize(s MaterializeSpec) *Materialize { return &Materialize{MaterializeSpec: s} }

// Open implements exec.Operator.
func (m *Materialize) Open(cx *exec.Context) error {
	m.cx, m.table, m.b = cx, state.NewTable(), vector.NewBatch(m.In, cx.BatchSize)
	m.table.TrackTouch = cx.TTL > 0
	if cx.State == nil {
		return nil
	}
	return m.table.Restore(cx.State, vector.HashKey, m.load)
}

// Process implements exec.Operator.
func (m *Materialize) Process(_ int, b *vector.Batch, out exec.Output) error {
	now := int64(0)
	if m.cx.TTL > 0 {
		now = m.cx.Now()
		m.expire(now)
	}
	m.cols = m.cols[:0]
	for _, k := range m.Key {
		m.cols = append(m.cols, b.Cols[k])
	}
	live := b.Live()
	for j := range live {
		i := j
		if b.Sel != nil {
			i = int(b.Sel[j])
		}
		m.key = vector.AppendKeys(m.key[:0], m.cols, i)
		m.buf = vector.AppendRowOf(m.buf[:0], b.Cols, i)
		if b.Kind(i).Sign() > 0 {
			m.add(b, i, now)
		} else if err := m.remove(b, i); err != nil {
			return err
		}
		if m.b.N >= m.cx.BatchSize {
			if err := m.emit(out); err != nil {
				return err
			}
		}
	}
	return m.emit(out)
}

func (m *Materialize) add(b *vector.Batch, i int, now int64) {
	slot, _ := m.table.FindOrAdd(vector.HashKey(m.key), m.key)
	for int(slot) >= len(m.of) {
		m.of = append(m.of, nil)
	}
	if now != 0 {
		m.table.Touch(slot, now)
	}
	kind := types.UpdateAfter
	if len(m.of[slot]) == 0 {
		kind = types.Insert
	}
	m.of[slot] = append(m.of[slot], m.rows.Add(m.buf))
	m.table.MarkDirty(slot)
	m.b.AppendRow(b, i, kind)
}

func (m *Materialize) remove(b *vector.Batch, i int) error {
	slot := m.table.Find(vector.HashKey(m.key), m.key)
	at := -1
	if slot >= 0 {
		for k, r := range slices.Backward(m.of[slot]) {
			if bytes.Equal(m.rows.Get(r), m.buf) {
				at = k
				break
			}
		}
	}
	if at < 0 {
		m.cx.Metrics.Expired.Add(1)
		return nil
	}
	list := m.of[slot]
	m.rows.Remove(list[at])
	last := at == len(list)-1
	m.of[slot] = slices.Delete(list, at, at+1)
	m.table.MarkDirty(slot)
	switch {
	case len(m.of[slot]) == 0:
		m.of[slot] = nil
		m.table.Remove(slot)
		m.b.AppendRow(b, i, types.Delete)
	case last:
		if err := vector.ReadRowOf(m.b.Cols, m.rows.Get(m.of[slot][len(m.of[slot])-1])); err != nil {
			return err
		}
		m.b.AppendKind(types.UpdateAfter)
	}
	return nil
}

func (m *Materialize) emit(out exec.Output) error {
	return exec.Flush(out, m.b)
}

// expire forgets, at most four times a TTL, the keys not touched for it.
func (m *Materialize) expire(now int64) {
	m.swept.Expire(m.table, now, m.cx.TTL, func(slot int32) {
		for _, r := range m.of[slot] {
			m.rows.Remove(r)
		}
		m.of[slot] = nil
	})
}

// Control implements exec.Operator.
func (m *Materialize) Control(_ int, ev exec.Event, out exec.Output) error {
	if ev.Kind == exec.Barrier && m.cx.State != nil {
		if err := m.table.Snapshot(m.cx.State, m.save); err != nil {
			return err
		}
	}
	if ev.Kind == exec.Barrier || ev.Kind == exec.End {
		m.cx.Metrics.StateRows.Store(int64(m.table.Len()))
		m.cx.Metrics.StateBytes.Store(m.table.Bytes() + m.rows.Bytes() + int64(cap(m.of))*24)
	}
	return out.Forward(ev)
}

func (m *Materialize) save(dst []byte, slot int32) []byte {
	for _, r := range m.of[slot] {
		v := m.rows.Get(r)
		dst = binary.AppendUvarint(dst, uint64(len(v)))
		dst = append(dst, v...)
	}
	return dst
}

func (m *Materialize) load(slot int32, src []byte) error {
	for int(slot) >= len(m.of) {
		m.of = append(m.of, nil)
	}
	if m.cx.TTL > 0 {
		m.table.Touch(slot, m.cx.Now())
	}
	for len(src) > 0 {
		n, w := binary.Uvarint(src)
		if w <= 0 || uint64(len(src)-w) < n {
			return vector.ErrCorrupt
		}
		m.of[slot] = append(m.of[slot], m.rows.Add(src[w:w+int(n)]))
		src = src[w+int(n):]
	}
	return nil
}

// Close implements exec.Operator.
func (m *Materialize) Close() error { return nil }

var _ exec.Operator = (*Materialize)(nil)
