package rank

import (
	"encoding/binary"

	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/internal/state"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// DedupSpec says which row of each key to keep.
type DedupSpec struct {
	Partition    []int
	Time         int  // the time attribute
	Last         bool // the last row, else the first
	Proctime     bool // by the order in which rows come
	UpdateBefore bool
	In           *types.Schema
}

// Dedup keeps one row a key: the first or the last by time. As in Flink, keep
// last lets a later row of the same time replace the kept one, keep first does
// not, and keep first by processing time only inserts.
type Dedup struct {
	DedupSpec
	cx    *exec.Context
	table *state.Table
	time  []int64      // by slot
	rows  state.Values // by slot; nothing for keep first by processing time
	b     *vector.Batch
	cols  []vector.Vector
	key   []byte
	buf   []byte
	swept state.Sweep
}

// NewDedup returns the operator.
func NewDedup(s DedupSpec) *Dedup { return &Dedup{DedupSpec: s} }

// insertOnly tells that a kept row is never replaced.
func (d *Dedup) insertOnly() bool { return d.Proctime && !d.Last }

// Open implements exec.Operator.
func (d *Dedup) Open(cx *exec.Context) error {
	d.cx, d.table, d.b = cx, state.NewTable(), vector.NewBatch(d.In, cx.BatchSize)
	d.table.TrackTouch = cx.TTL > 0
	if cx.State == nil {
		return nil
	}
	return d.table.Restore(cx.State, vector.HashKey, d.load)
}

// Process implements exec.Operator.
func (d *Dedup) Process(_ int, b *vector.Batch, out exec.Output) error {
	now := int64(0)
	if d.cx.TTL > 0 {
		now = d.cx.Now()
		d.expire(now)
	}
	d.cols = d.cols[:0]
	for _, p := range d.Partition {
		d.cols = append(d.cols, b.Cols[p])
	}
	var ts *vector.Flat[types.TS]
	constant := false
	if !d.Proctime {
		v := b.Cols[d.Time]
		if c, ok := v.(*vector.Const); ok {
			v, constant = c.Of, true
		}
		ts = v.(*vector.Flat[types.TS])
	}
	live := b.Live()
	for j := range live {
		i := j
		if b.Sel != nil {
			i = int(b.Sel[j])
		}
		d.key = vector.AppendKeys(d.key[:0], d.cols, i)
		slot, added := d.table.FindOrAdd(vector.HashKey(d.key), d.key)
		for int(slot) >= len(d.time) {
			d.time = append(d.time, 0)
		}
		if now != 0 {
			d.table.Touch(slot, now)
		}
		t := int64(0)
		if ts != nil {
			r := i
			if constant {
				r = 0
			}
			t = ts.Vals[r].Ms
		}
		if !added {
			if d.insertOnly() || !d.Last && t >= d.time[slot] || d.Last && t < d.time[slot] {
				continue
			}
			if d.UpdateBefore && !d.cx.Batch {
				if err := d.kept(slot, types.UpdateBefore); err != nil {
					return err
				}
			}
		}
		d.time[slot] = t
		d.table.MarkDirty(slot)
		if !d.insertOnly() {
			d.buf = vector.AppendRowOf(d.buf[:0], b.Cols, i)
			d.rows.Set(slot, d.buf)
		}
		if !d.cx.Batch || d.insertOnly() {
			kind := types.UpdateAfter
			if added {
				kind = types.Insert
			}
			d.b.AppendRow(b, i, kind)
		}
		if d.b.N >= d.cx.BatchSize {
			if err := d.emit(out); err != nil {
				return err
			}
		}
	}
	return d.emit(out)
}

// kept appends the row kept in slot to the output.
func (d *Dedup) kept(slot int32, kind types.RowKind) error {
	if err := vector.ReadRowOf(d.b.Cols, d.rows.Get(slot)); err != nil {
		return err
	}
	d.b.AppendKind(kind)
	return nil
}

func (d *Dedup) emit(out exec.Output) error {
	return exec.Flush(out, d.b)
}

func (d *Dedup) expire(now int64) {
	d.swept.Expire(d.table, now, d.cx.TTL, func(slot int32) {
		d.rows.Clear(slot)
	})
}

// Control implements exec.Operator.
func (d *Dedup) Control(_ int, ev exec.Event, out exec.Output) error {
	switch ev.Kind {
	case exec.Barrier:
		if d.cx.State != nil {
			if err := d.table.Snapshot(d.cx.State, d.save); err != nil {
				return err
			}
		}
		d.measure()
	case exec.End:
		if d.cx.Batch && !d.insertOnly() && !ev.Stopped {
			var err error
			d.table.Live(func(slot int32) bool {
				if err = d.kept(slot, types.Insert); err == nil && d.b.N >= d.cx.BatchSize {
					err = d.emit(out)
				}
				return err == nil
			})
			if err == nil {
				err = d.emit(out)
			}
			if err != nil {
				return err
			}
		}
		d.measure()
	}
	return out.Forward(ev)
}

func (d *Dedup) measure() {
	d.cx.Metrics.StateRows.Store(int64(d.table.Len()))
	d.cx.Metrics.StateBytes.Store(d.table.Bytes() + d.rows.Bytes() + int64(cap(d.time))*8)
}

func (d *Dedup) save(dst []byte, slot int32) []byte {
	dst = binary.AppendVarint(dst, d.time[slot])
	if d.insertOnly() {
		return dst
	}
	return append(dst, d.rows.Get(slot)...)
}

func (d *Dedup) load(slot int32, src []byte) error {
	for int(slot) >= len(d.time) {
		d.time = append(d.time, 0)
	}
	t, n := binary.Varint(src)
	if n <= 0 {
		return vector.ErrCorrupt
	}
	d.time[slot] = t
	d.rows.Set(slot, src[n:])
	if d.cx.TTL > 0 {
		d.table.Touch(slot, d.cx.Now())
	}
	return nil
}

// Close implements exec.Operator.
func (d *Dedup) Close() error { return nil }

var _ exec.Operator = (*Dedup)(nil)
