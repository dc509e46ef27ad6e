// Package aggregate has GROUP BY: one row a group, kept up to date.
package aggregate

import (
	"encoding/binary"
	"time"

	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/internal/state"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// Spec says what to group by and what to compute.
type Spec struct {
	Keys         []int
	Calls        []plan.AggCall
	Retracts     bool // the input takes rows back
	UpdateBefore bool // -U rows are wanted
	In, Out      *types.Schema
}

// Group is GROUP BY. Its changelog is Flink's: the first row of a key emits +I,
// each row that changes the result -U and +U, the last row taken back -D, and a
// row that changes nothing emits nothing. A batch is worked through in runs of rows
// of different groups, so that the columns of accumulators are updated many groups at a time
// and still every change of every group is emitted.
//
// In mini-batch mode the rows of several batches are folded before results are
// compared; in batch mode only the end of input emits.
type Group struct {
	Spec
	cx    *exec.Context
	table *state.Table
	calls *Calls
	count []int64 // rows in each group, by slot
	shown []bool  // mini-batch: the group's last result was emitted
	b     *vector.Batch
	key   []byte

	// The run at hand.
	rows    []int32
	slots   []int32
	fresh   []bool
	seen    []int32 // by slot: the run it was last in
	run     int32
	signs   []int8
	old     []vector.Vector
	new     []vector.Vector
	keyCols []vector.Vector

	pending   []int32 // mini-batch: slots changed since the last emission
	isPending []bool
	before    []pendingRow
	folded    int
	lastFlush int64
	ended     bool
	expired   state.Sweep
	scratch   []byte
	spilled   *cold // nil without a budget
}

// pendingRow is what a mini-batch remembers of a group from before its first change.
type pendingRow struct {
	existed bool
	old     string // encoded result
}

// NewGroup returns the operator.
func NewGroup(s Spec) *Group { return &Group{Spec: s} }

// Open implements exec.Operator.
func (g *Group) Open(cx *exec.Context) error {
	g.cx, g.table, g.b = cx, state.NewTable(), vector.NewBatch(g.Out, cx.BatchSize)
	g.table.TrackTouch = cx.TTL > 0
	var err error
	if g.calls, err = NewCalls(g.Calls, g.Retracts, cx.Func); err != nil {
		return err
	}
	g.old, g.new = g.calls.Vectors(), g.calls.Vectors()
	if cx.Budget > 0 && cx.Spill != nil && len(g.Keys) > 0 {
		g.spilled = &cold{g: g, spill: cx.Spill()}
	}
	if cx.State == nil {
		return nil
	}
	return g.table.Restore(cx.State, vector.HashKey, func(slot int32, src []byte) error {
		if err := g.load(slot, src); err != nil || g.spilled == nil || g.table.Len()%4096 != 0 {
			return err
		}
		return g.spilled.tidy()
	})
}

func (g *Group) grow(slot int32) {
	for int(slot) >= len(g.count) {
		g.count = append(g.count, 0)
		g.seen = append(g.seen, 0)
		g.shown = append(g.shown, false)
		g.isPending = append(g.isPending, false)
		g.before = append(g.before, pendingRow{})
	}
	g.calls.Resize(len(g.count))
}

// Process implements exec.Operator.
func (g *Group) Process(_ int, b *vector.Batch, out exec.Output) error {
	now := int64(0)
	if g.cx.TTL > 0 {
		now = g.cx.Now()
		if err := g.expire(now); err != nil {
			return err
		}
	}
	g.b.Reset()
	g.keyCols = g.keyCols[:0]
	for _, k := range g.Keys {
		g.keyCols = append(g.keyCols, b.Cols[k])
	}
	g.begin()
	live := b.Live()
	for j := range live {
		i := int32(j)
		if b.Sel != nil {
			i = b.Sel[j]
		}
		g.key = vector.AppendKeys(g.key[:0], g.keyCols, int(i))
		h := vector.HashKey(g.key)
		retract := b.Kind(int(i)).Sign() < 0
		slot, err := g.find(h, retract)
		if err != nil {
			return err
		}
		if slot < 0 {
			continue
		}
		if g.seen[slot] == g.run {
			if err := g.finish(b, out); err != nil {
				return err
			}
			if slot, err = g.find(h, retract); err != nil { // the run may have removed the group
				return err
			}
			if slot < 0 {
				continue
			}
		}
		g.seen[slot] = g.run
		if now != 0 {
			g.table.Touch(slot, now)
		}
		g.rows = append(g.rows, i)
		g.slots = append(g.slots, slot)
		g.fresh = append(g.fresh, g.count[slot] == 0)
		sign := int8(1)
		if retract {
			sign = -1
		}
		g.signs = append(g.signs, sign)
	}
	if err := g.finish(b, out); err != nil {
		return err
	}
	if err := g.emit(out); err != nil {
		return err
	}
	if g.folding() {
		g.folded += live
		if g.folded >= g.cx.MiniBatch {
			if err := g.flushPending(out); err != nil {
				return err
			}
		}
	}
	if g.spilled != nil && g.spilled.due() {
		if err := g.flushPending(out); err != nil {
			return err
		}
		return g.spilled.tidy()
	}
	return nil
}

// find returns the slot of g.key: one that is spilled comes back, one that is not
// there is made. A row taken back from a group that is not there (TTL removed it)
// is counted, never negative: its slot is -1.
func (g *Group) find(h uint64, retract bool) (int32, error) {
	slot := g.table.Find(h, g.key)
	if slot >= 0 {
		return slot, nil
	}
	if g.spilled != nil {
		if slot, err := g.spilled.take(h, g.key); err != nil || slot >= 0 {
			return slot, err
		}
	}
	if retract {
		g.cx.Metrics.Expired.Add(1)
		return -1, nil
	}
	slot, _ = g.table.FindOrAdd(h, g.key)
	g.grow(slot)
	return slot, nil
}

// folding tells whether results are compared only now and then.
func (g *Group) folding() bool { return g.cx.MiniBatch > 0 && !g.cx.Batch }

// begin starts a run.
func (g *Group) begin() {
	g.rows, g.slots, g.fresh, g.signs = g.rows[:0], g.slots[:0], g.fresh[:0], g.signs[:0]
	g.run++
	if g.run < 0 { // after 2^31 runs
		clear(g.seen)
		g.run = 1
	}
}

// finish updates the groups of the run and appends their changes to the output.
func (g *Group) finish(b *vector.Batch, out exec.Output) error {
	defer g.begin()
	if len(g.rows) == 0 {
		return nil
	}
	compare := !g.cx.Batch && !g.folding()
	if compare {
		if err := g.calls.Results(g.slots, g.old); err != nil {
			return err
		}
	} else if g.folding() {
		if err := g.remember(); err != nil {
			return err
		}
	}
	if err := g.calls.Update(b, g.rows, g.slots, g.signs); err != nil {
		return err
	}
	for j, slot := range g.slots {
		g.count[slot] += int64(g.signs[j])
		g.table.MarkDirty(slot)
	}
	if !compare {
		return nil
	}
	if err := g.calls.Results(g.slots, g.new); err != nil {
		return err
	}
	for j, slot := range g.slots {
		switch {
		case g.count[slot] <= 0:
			if !g.fresh[j] {
				g.row(b, int(g.rows[j]), g.old, j, types.Delete)
			}
			g.remove(slot)
		case g.fresh[j]:
			g.row(b, int(g.rows[j]), g.new, j, types.Insert)
		default:
			if g.cx.TTL == 0 && sameRow(g.old, g.new, j) {
				continue
			}
			if g.UpdateBefore {
				g.row(b, int(g.rows[j]), g.old, j, types.UpdateBefore)
			}
			g.row(b, int(g.rows[j]), g.new, j, types.UpdateAfter)
		}
		if g.b.N >= g.cx.BatchSize {
			if err := g.emit(out); err != nil {
				return err
			}
		}
	}
	return nil
}

func (g *Group) emit(out exec.Output) error {
	return exec.Flush(out, g.b)
}

func (g *Group) remove(slot int32) {
	if g.spilled != nil {
		g.spilled.spill.Forget(g.table.Hash(slot), g.table.Key(slot))
	}
	g.calls.Clear(slot)
	g.count[slot] = 0
	g.table.Remove(slot)
}

// row appends an output row: keys of row i of b, then results row j.
func (g *Group) row(b *vector.Batch, i int, results []vector.Vector, j int, kind types.RowKind) {
	for c := range g.keyCols {
		vector.CopyRow(g.b.Cols[c], g.keyCols[c], i)
	}
	for c, r := range results {
		vector.CopyRow(g.b.Cols[len(g.keyCols)+c], r, j)
	}
	g.b.AppendKind(kind)
}

func sameRow(a, b []vector.Vector, j int) bool {
	for i := range a {
		if !vector.SameKey(a[i], j, b[i], j) {
			return false
		}
	}
	return true
}

// Control implements exec.Operator.
func (g *Group) Control(_ int, ev exec.Event, out exec.Output) error {
	switch ev.Kind {
	case exec.Barrier:
		if err := g.flushPending(out); err != nil {
			return err
		}
		if g.cx.State != nil {
			if err := g.table.Snapshot(g.cx.State, g.save); err != nil {
				return err
			}
		}
		g.measure()
	case exec.Tick:
		if g.folding() && time.Duration(ev.Time-g.lastFlush)*time.Millisecond >= g.latency() {
			g.lastFlush = ev.Time
			if err := g.flushPending(out); err != nil {
				return err
			}
		}
	case exec.End:
		if err := g.flushPending(out); err != nil {
			return err
		}
		if g.cx.Batch && !g.ended && !ev.Stopped {
			g.ended = true
			if err := g.emitAll(out); err != nil {
				return err
			}
		}
		g.measure()
	}
	return out.Forward(ev)
}

func (g *Group) latency() time.Duration { return max(g.cx.MiniLatency, time.Millisecond) }

func (g *Group) measure() {
	rows := int64(g.table.Len())
	if g.spilled != nil {
		rows += g.spilled.spill.Rows()
		g.cx.Metrics.Spilled.Store(g.spilled.spill.Written())
	}
	g.cx.Metrics.StateRows.Store(rows)
	g.cx.Metrics.StateBytes.Store(g.bytes())
}

// bytes is about how much memory the groups hold.
func (g *Group) bytes() int64 {
	return g.table.Bytes() + int64(cap(g.count))*(8+4+1+1+24) + g.calls.Bytes()
}

// emitAll emits the result of every group: the end of a batch job. A global
// aggregate has a result even over no rows.
func (g *Group) emitAll(out exec.Output) (err error) {
	if len(g.Keys) == 0 && g.table.Len() == 0 {
		slot, _ := g.table.FindOrAdd(vector.HashKey(nil), nil)
		g.grow(slot)
	}
	g.b.Reset()
	one := make([]int32, 1)
	g.table.Live(func(slot int32) bool {
		one[0] = slot
		if err = g.stored(one, types.Insert); err != nil {
			return false
		}
		if g.b.N >= g.cx.BatchSize {
			err = g.emit(out)
		}
		return err == nil
	})
	if err != nil {
		return err
	}
	if g.spilled != nil {
		if err := g.spilled.emitAll(out); err != nil {
			return err
		}
	}
	return g.emit(out)
}

// stored appends the current row of a group, its key decoded from the table.
func (g *Group) stored(slot []int32, kind types.RowKind) (err error) {
	src := g.table.Key(slot[0])
	for c := range g.Keys {
		if src, err = vector.ReadRow(g.b.Cols[c], src); err != nil {
			return err
		}
	}
	if err := g.calls.Results(slot, g.new); err != nil {
		return err
	}
	for c, r := range g.new {
		vector.CopyRow(g.b.Cols[len(g.Keys)+c], r, 0)
	}
	g.b.AppendKind(kind)
	return nil
}

// save encodes a group's state: its row count, then call by call.
func (g *Group) save(dst []byte, slot int32) []byte {
	return g.calls.Save(binary.AppendVarint(dst, g.count[slot]), slot)
}

func (g *Group) load(slot int32, src []byte) error {
	g.grow(slot)
	n, w := binary.Varint(src)
	if w <= 0 {
		return vector.ErrCorrupt
	}
	g.count[slot], src = n, src[w:]
	g.shown[slot] = true
	if _, err := g.calls.Load(slot, src); err != nil {
		return err
	}
	if g.cx.TTL > 0 {
		g.table.Touch(slot, g.cx.Now())
	}
	return nil
}

// Close implements exec.Operator.
func (g *Group) Close() error {
	if g.spilled != nil {
		return g.spilled.spill.Close()
	}
	return nil
}

var _ exec.Operator = (*Group)(nil)
