package relational

import (
	"bytes"

	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/internal/state"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// NormalizeSpec says how to make a whole changelog of changes by key.
type NormalizeSpec struct {
	Key          []int
	UpdateBefore bool // -U rows are wanted
	In           *types.Schema
}

// Normalize turns changes that only name the row's key, or that come more than
// once, into a changelog in which every row is inserted, updated and deleted
// once, with its full content: it keeps the latest row of each key. A deletion
// may have nothing but the key; one of a row that is not there is dropped.
type Normalize struct {
	NormalizeSpec
	cx    *exec.Context
	table *state.Table
	rows  state.Values // by slot
	b     *vector.Batch
	cols  []vector.Vector
	key   []byte
	buf   []byte
	swept state.Sweep
}

// NewNormalize returns the operator.
func NewNormalize(s NormalizeSpec) *Normalize { return &Normalize{NormalizeSpec: s} }

// Open implements exec.Operator.
func (n *Normalize) Open(cx *exec.Context) error {
	n.cx, n.table, n.b = cx, state.NewTable(), vector.NewBatch(n.In, cx.BatchSize)
	n.table.TrackTouch = cx.TTL > 0
	if cx.State == nil {
		return nil
	}
	return n.table.Restore(cx.State, vector.HashKey, func(slot int32, src []byte) error {
		n.rows.Set(slot, src)
		if cx.TTL > 0 {
			n.table.Touch(slot, cx.Now())
		}
		return nil
	})
}

// Process implements exec.Operator.
func (n *Normalize) Process(_ int, b *vector.Batch, out exec.Output) error {
	now := int64(0)
	if n.cx.TTL > 0 {
		now = n.cx.Now()
		n.expire(now)
	}
	n.cols = n.cols[:0]
	for _, k := range n.Key {
		n.cols = append(n.cols, b.Cols[k])
	}
	live := b.Live()
	for j := range live {
		i := j
		if b.Sel != nil {
			i = int(b.Sel[j])
		}
		n.key = vector.AppendKeys(n.key[:0], n.cols, i)
		if err := n.row(b, i, now); err != nil {
			return err
		}
		if n.b.N >= n.cx.BatchSize {
			if err := n.emit(out); err != nil {
				return err
			}
		}
	}
	return n.emit(out)
}

func (n *Normalize) row(b *vector.Batch, i int, now int64) error {
	hash := vector.HashKey(n.key)
	if b.Kind(i).Sign() < 0 {
		slot := n.table.Find(hash, n.key)
		if slot < 0 {
			return nil
		}
		if err := n.kept(slot, types.Delete); err != nil {
			return err
		}
		n.rows.Clear(slot)
		n.table.Remove(slot)
		return nil
	}
	slot, added := n.table.FindOrAdd(hash, n.key)
	if now != 0 {
		n.table.Touch(slot, now)
	}
	n.buf = vector.AppendRowOf(n.buf[:0], b.Cols, i)
	kind := types.Insert
	if !added {
		if n.cx.TTL == 0 && bytes.Equal(n.buf, n.rows.Get(slot)) {
			return nil
		}
		if n.UpdateBefore {
			if err := n.kept(slot, types.UpdateBefore); err != nil {
				return err
			}
		}
		kind = types.UpdateAfter
	}
	n.rows.Set(slot, n.buf)
	n.table.MarkDirty(slot)
	n.b.AppendRow(b, i, kind)
	return nil
}

// kept appends the row that is kept of a key.
func (n *Normalize) kept(slot int32, kind types.RowKind) error {
	if err := vector.ReadRowOf(n.b.Cols, n.rows.Get(slot)); err != nil {
		return err
	}
	n.b.AppendKind(kind)
	return nil
}

func (n *Normalize) emit(out exec.Output) error {
	return exec.Flush(out, n.b)
}

// expire forgets, at most four times a TTL, the keys not touched for it.
func (n *Normalize) expire(now int64) {
	n.swept.Expire(n.table, now, n.cx.TTL, func(slot int32) {
		n.rows.Clear(slot)
	})
}

// Control implements exec.Operator.
func (n *Normalize) Control(_ int, ev exec.Event, out exec.Output) error {
	if ev.Kind == exec.Barrier && n.cx.State != nil {
		if err := n.table.Snapshot(n.cx.State, func(dst []byte, slot int32) []byte { return append(dst, n.rows.Get(slot)...) }); err != nil {
			return err
		}
	}
	if ev.Kind == exec.Barrier || ev.Kind == exec.End {
		n.cx.Metrics.StateRows.Store(int64(n.table.Len()))
		n.cx.Metrics.StateBytes.Store(n.table.Bytes() + n.rows.Bytes())
	}
	return out.Forward(ev)
}

// Close implements exec.Operator.
func (n *Normalize) Close() error { return nil }

var _ exec.Operator = (*Normalize)(nil)
