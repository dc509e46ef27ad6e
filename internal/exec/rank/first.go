package rank

import (
	"encoding/binary"

	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/internal/state"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// First keeps the first row of each key by event time, in streams: as in Flink it
// comes out when the watermark has passed it, and is never replaced. Rows behind
// the watermark, of keys whose row is not out yet as well, are late.
type First struct {
	DedupSpec
	cx        *exec.Context
	table     *state.Table
	time      []int64      // by slot
	out       []bool       // by slot: its row has come out
	rows      state.Values // by slot, until it is out
	due       exec.Heap[dueRow]
	seq       int64
	watermark int64
	b         *vector.Batch
	cols      []vector.Vector
	key, buf  []byte
	swept     state.Sweep
}

// NewFirst returns the operator; the spec's Last and Proctime are false.
func NewFirst(s DedupSpec) *First { return &First{DedupSpec: s} }

// Open implements exec.Operator.
func (d *First) Open(cx *exec.Context) error {
	d.cx, d.table, d.b, d.watermark = cx, state.NewTable(), vector.NewBatch(d.In, cx.BatchSize), cx.Watermark
	d.table.TrackTouch = cx.TTL > 0
	if cx.State == nil {
		return nil
	}
	return d.table.Restore(cx.State, vector.HashKey, d.load)
}

// Process implements exec.Operator.
func (d *First) Process(_ int, b *vector.Batch, _ exec.Output) error {
	now := int64(0)
	if d.cx.TTL > 0 {
		now = d.cx.Now()
		d.expire(now)
	}
	d.cols = d.cols[:0]
	for _, p := range d.Partition {
		d.cols = append(d.cols, b.Cols[p])
	}
	v, constant := b.Cols[d.Time], false
	if c, ok := v.(*vector.Const); ok {
		v, constant = c.Of, true
	}
	ts := v.(*vector.Flat[types.TS])
	b.Rows(func(i int) {
		r := i
		if constant {
			r = 0
		}
		t := ts.Vals[r].Ms
		if ts.IsNull(r) || t <= d.watermark {
			d.cx.TooLate(0, b, i, exec.NoWatermark)
			return
		}
		d.key = vector.AppendKeys(d.key[:0], d.cols, i)
		slot, added := d.table.FindOrAdd(vector.HashKey(d.key), d.key)
		d.grow(slot)
		if now != 0 {
			d.table.Touch(slot, now)
		}
		if added {
			d.out[slot] = false
		} else if d.out[slot] || t >= d.time[slot] {
			return
		}
		d.time[slot] = t
		d.buf = vector.AppendRowOf(d.buf[:0], b.Cols, i)
		d.rows.Set(slot, d.buf)
		d.table.MarkDirty(slot)
		d.wait(t, slot)
	})
	return nil
}

func (d *First) grow(slot int32) {
	for int(slot) >= len(d.time) {
		d.time, d.out = append(d.time, 0), append(d.out, false)
	}
}

func (d *First) wait(t int64, slot int32) {
	d.seq++
	d.due.Push(dueRow{t, d.seq, slot})
}

// release emits the rows the watermark has passed, by time.
func (d *First) release(to int64, out exec.Output) error {
	if to <= d.watermark {
		return nil
	}
	d.watermark = to
	for len(d.due) > 0 && d.due[0].at <= to {
		x := d.due.Pop()
		if int(x.slot) >= len(d.time) || d.out[x.slot] || d.time[x.slot] != x.at || len(d.rows.Get(x.slot)) == 0 {
			continue // an earlier row took its place
		}
		if err := vector.ReadRowOf(d.b.Cols, d.rows.Get(x.slot)); err != nil {
			return err
		}
		d.b.AppendKind(types.Insert)
		d.out[x.slot] = true
		d.rows.Clear(x.slot)
		d.table.MarkDirty(x.slot)
		if d.b.N >= d.cx.BatchSize {
			if err := d.emit(out); err != nil {
				return err
			}
		}
	}
	return d.emit(out)
}

func (d *First) emit(out exec.Output) error {
	return exec.Flush(out, d.b)
}

func (d *First) expire(now int64) {
	d.swept.Expire(d.table, now, d.cx.TTL, func(slot int32) {
		d.rows.Clear(slot)
		d.out[slot] = true // what waits of it does not come out
	})
}

// Control implements exec.Operator.
func (d *First) Control(_ int, ev exec.Event, out exec.Output) error {
	switch ev.Kind {
	case exec.Watermark:
		if err := d.release(ev.Time, out); err != nil {
			return err
		}
	case exec.Barrier:
		if d.cx.State != nil {
			if err := d.table.Snapshot(d.cx.State, d.save); err != nil {
				return err
			}
		}
	}
	if ev.Kind == exec.Barrier || ev.Kind == exec.End {
		d.cx.Metrics.StateRows.Store(int64(d.table.Len()))
		d.cx.Metrics.StateBytes.Store(d.table.Bytes() + d.rows.Bytes() + int64(cap(d.time))*9)
	}
	return out.Forward(ev)
}

// save encodes the time of a row that is out, or the time and a row that waits.
func (d *First) save(dst []byte, slot int32) []byte {
	dst = binary.AppendVarint(dst, d.time[slot])
	if d.out[slot] {
		return dst
	}
	return append(dst, d.rows.Get(slot)...)
}

func (d *First) load(slot int32, src []byte) error {
	d.grow(slot)
	t, n := binary.Varint(src)
	if n <= 0 {
		return vector.ErrCorrupt
	}
	d.time[slot], d.out[slot] = t, len(src) == n
	if !d.out[slot] {
		d.rows.Set(slot, src[n:])
		d.wait(t, slot)
	}
	if d.cx.TTL > 0 {
		d.table.Touch(slot, d.cx.Now())
	}
	return nil
}

// CurrentWatermark implements exec.Watermarked.
func (d *First) CurrentWatermark() int64 { return d.watermark }

// Close implements exec.Operator.
func (d *First) Close() error { return nil }

// dueRow is a slot whose row comes out at a time, if it is still the one kept.
type dueRow struct {
	at, seq int64
	slot    int32
}

// Before implements exec.Heap's order: by time, then as they came.
func (r dueRow) Before(o dueRow) bool { return r.at < o.at || r.at == o.at && r.seq < o.seq }

var (
	_ exec.Operator    = (*First)(nil)
	_ exec.Watermarked = (*First)(nil)
)
