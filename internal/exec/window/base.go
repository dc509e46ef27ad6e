package window

import (
	"encoding/binary"

	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/internal/exec/aggregate"
	"github.com/runnelio/runnel/internal/state"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// base is what flat and session aggregates share: groups with accumulators, the
// clock, and the output.
type base struct {
	Spec
	cx        *exec.Context
	clock     clock
	table     *state.Table
	calls     *aggregate.Calls
	count     []int64 // rows of each slot
	watermark int64   // in wall time; for Proctime the clock
	b         *vector.Batch
	results   []vector.Vector
	keyCols   []vector.Vector
	key       []byte
	one       []int32

	rows  []int32
	slots []int32
	signs []int8

	// Where a window is emitted more than once: what was shown of each slot, how
	// often it was emitted, and which changed since.
	shown     []string
	pane      []int32
	changed   []int32
	isChanged []bool
	fires     []fireKind // by call
	lastEarly int64
	lastLate  int64
	encoded   []byte
}

func (w *base) open(cx *exec.Context) (err error) {
	w.cx, w.table, w.watermark = cx, state.NewTable(), cx.Watermark
	w.clock = newClock(w.Assign.Local, cx.Func.Zone)
	w.b = vector.NewBatch(w.Out, cx.BatchSize)
	if w.calls, err = aggregate.NewCalls(w.Calls, w.Retracts, cx.Func); err != nil {
		return err
	}
	w.results, w.one = w.calls.Vectors(), make([]int32, 1)
	w.fires = fireKinds(w.Calls)
	return nil
}

func (w *base) grow(slot int32) {
	if int(slot) >= len(w.count) {
		w.count = append(w.count, make([]int64, int(slot)+1-len(w.count))...)
		w.calls.Resize(len(w.count))
		if !w.Emit.plain() {
			for len(w.shown) < len(w.count) {
				w.shown, w.pane, w.isChanged = append(w.shown, ""), append(w.pane, 0), append(w.isChanged, false)
			}
		}
	}
}

// begin starts the rows of a batch.
func (w *base) begin(b *vector.Batch) {
	w.rows, w.slots, w.signs = w.rows[:0], w.slots[:0], w.signs[:0]
	w.keyCols = w.keyCols[:0]
	for _, k := range w.Keys {
		w.keyCols = append(w.keyCols, b.Cols[k])
	}
}

// add notes that row i of the batch belongs to slot.
func (w *base) add(b *vector.Batch, i int, slot int32) {
	sign := int8(b.Kind(i).Sign())
	w.rows = append(w.rows, int32(i))
	w.slots = append(w.slots, slot)
	w.signs = append(w.signs, sign)
	w.count[slot] += int64(sign)
	w.table.MarkDirty(slot)
}

// flush feeds the noted rows to the accumulators.
func (w *base) flush(b *vector.Batch) error {
	if len(w.rows) == 0 {
		return nil
	}
	signs := w.signs
	if !w.Retracts {
		signs = nil
	}
	err := w.calls.Update(b, w.rows, w.slots, signs)
	w.rows, w.slots, w.signs = w.rows[:0], w.slots[:0], w.signs[:0]
	return err
}

// now is the processing time, in wall time.
func (w *base) now() int64 { return w.clock.wall(w.cx.Now()) }

// head appends the columns in front of the calls: keys decoded from their
// encoding, and those of the window.
func (w *base) head(key []byte, start, end int64) (err error) {
	for c, role := range w.Roles {
		col := w.b.Cols[c]
		switch role {
		case Start:
			appendTS(col, start)
		case End:
			appendTS(col, end)
		case Time:
			t := end - 1
			if w.Out.Fields[c].Type.Kind == types.TimestampLTZ {
				t = w.clock.instant(end) - 1
			}
			appendTS(col, t)
		default:
			if key, err = vector.ReadRow(col, key); err != nil {
				return err
			}
		}
	}
	return nil
}

// row appends the output row of one group with results row j.
func (w *base) row(key []byte, start, end int64, results []vector.Vector, j int, kind types.RowKind) error {
	if err := w.head(key, start, end); err != nil {
		return err
	}
	for c, r := range results {
		vector.CopyRow(w.b.Cols[len(w.Roles)+c], r, j)
	}
	w.b.AppendKind(kind)
	return nil
}

func (w *base) emit(out exec.Output) error {
	return exec.Flush(out, w.b)
}

func (w *base) remove(slot int32) {
	w.calls.Clear(slot)
	w.count[slot] = 0
	if !w.Emit.plain() {
		w.shown[slot], w.pane[slot] = "", 0
		w.isChanged[slot] = false // its place in changed is skipped
	}
	w.table.Remove(slot)
}

func (w *base) measure() {
	w.cx.Metrics.StateRows.Store(int64(w.table.Len()))
	w.cx.Metrics.StateBytes.Store(w.table.Bytes() + int64(cap(w.count))*8 + w.calls.Bytes())
}

// Close implements exec.Operator.
func (w *base) Close() error { return nil }

// saveGroup encodes a group: its number of rows, then the calls, then what was
// shown of it where it is emitted more than once.
func (w *base) saveGroup(dst []byte, slot int32) []byte {
	dst = w.calls.Save(binary.AppendVarint(dst, w.count[slot]), slot)
	if !w.Emit.plain() {
		dst = binary.AppendUvarint(dst, uint64(w.pane[slot]))
		dst = binary.AppendUvarint(dst, uint64(len(w.shown[slot])))
		dst = append(dst, w.shown[slot]...)
	}
	return dst
}

func (w *base) loadGroup(slot int32, src []byte) ([]byte, error) {
	w.grow(slot)
	n, k := binary.Varint(src)
	if k <= 0 {
		return nil, vector.ErrCorrupt
	}
	w.count[slot] = n
	src, err := w.calls.Load(slot, src[k:])
	if err != nil || w.Emit.plain() {
		return src, err
	}
	pane, k := binary.Uvarint(src)
	if k <= 0 {
		return nil, vector.ErrCorrupt
	}
	src = src[k:]
	size, k := binary.Uvarint(src)
	if k <= 0 || uint64(len(src)-k) < size {
		return nil, vector.ErrCorrupt
	}
	w.pane[slot], w.shown[slot] = int32(pane), string(src[k:k+int(size)])
	return src[k+int(size):], nil
}

// CurrentWatermark is the progress that the next commit holds.
func (w *base) CurrentWatermark() int64 { return w.watermark }
