package window

import (
	"encoding/binary"
	"slices"

	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/internal/state"
	"github.com/runnelio/runnel/vector"
)

// panes keeps rows by window and key until the window is over: what window Top-N
// and window joins have in common. A group is the rows of one window and key, in
// lists (one a side of a join). It belongs to one task.
type panes struct {
	cx       *exec.Context
	clock    clock
	proctime bool
	flushEnd bool         // windows by the clock that are open at the end of input are over
	table    *state.Table // end, start, key -> group
	lists    [][2][]int32 // by group: rows
	rows     state.Values
	windows  map[int64][]int32 // end -> groups
	ends     []int64           // ascending
	progress int64
	key      []byte
}

func (p *panes) open(cx *exec.Context, local, proctime bool) error {
	p.cx, p.clock, p.proctime = cx, newClock(local, cx.Func.Zone), proctime
	p.table, p.windows, p.progress = state.NewTable(), map[int64][]int32{}, cx.Watermark
	p.table.Unit = func(key []byte) uint16 { return state.UnitOf(vector.HashKey(key[16:])) }
	if cx.State == nil {
		return nil
	}
	return p.table.Restore(cx.State, vector.HashKey, p.load)
}

// group returns the group of a window and key; ok is false if the window is over.
func (p *panes) group(start, end int64, key []byte) (g int32, ok bool) {
	if !p.proctime && over(end, p.progress) {
		return 0, false
	}
	p.key = binary.BigEndian.AppendUint64(p.key[:0], uint64(end)^1<<63)
	p.key = binary.BigEndian.AppendUint64(p.key, uint64(start)^1<<63)
	p.key = append(p.key, key...)
	g, added := p.table.FindOrAdd(vector.HashKey(p.key), p.key)
	if added {
		p.register(g, end)
	}
	p.table.MarkDirty(g)
	return g, true
}

func (p *panes) register(g int32, end int64) {
	for int(g) >= len(p.lists) {
		p.lists = append(p.lists, [2][]int32{})
	}
	list, known := p.windows[end]
	p.windows[end] = append(list, g)
	if !known {
		at, _ := slices.BinarySearch(p.ends, end)
		p.ends = slices.Insert(p.ends, at, end)
	}
}

// advance calls fire for every group of the windows that are over at to, and forgets them.
func (p *panes) advance(to int64, fire func(g int32) error) error {
	if to <= p.progress {
		return nil
	}
	p.progress = to
	for len(p.ends) > 0 && over(p.ends[0], to) {
		end := p.ends[0]
		for _, g := range p.windows[end] {
			if err := fire(g); err != nil {
				return err
			}
			for side := range p.lists[g] {
				for _, r := range p.lists[g][side] {
					p.rows.Remove(r)
				}
				p.lists[g][side] = nil
			}
			p.table.Remove(g)
		}
		delete(p.windows, end)
		p.ends = p.ends[1:]
	}
	return nil
}

// control handles an event; fire as for advance, flush emits what fire left.
func (p *panes) control(ev exec.Event, fire func(g int32) error, flush func() error, out exec.Output) error {
	var err error
	switch {
	case ev.Kind == exec.Watermark && !p.proctime:
		err = p.advance(p.clock.progress(ev.Time), fire)
	case ev.Kind == exec.Tick && p.proctime:
		err = p.advance(p.clock.wall(ev.Time)-1, fire)
	case ev.Kind == exec.Barrier && p.cx.State != nil:
		err = p.table.Snapshot(p.cx.State, p.save)
	case ev.Kind == exec.End && p.proctime && !ev.Stopped:
		// Rows whose windows the clock closed before they came are not lost with it.
		to := p.clock.wall(p.cx.Now()) - 1
		if p.flushEnd {
			to = 1<<63 - 1
		}
		err = p.advance(to, fire)
		p.cx.Metrics.Unfired.Add(int64(p.table.Len()))
	}
	if err != nil {
		return err
	}
	if err := flush(); err != nil {
		return err
	}
	if ev.Kind == exec.Barrier || ev.Kind == exec.End {
		p.cx.Metrics.StateRows.Store(int64(p.table.Len()))
		p.cx.Metrics.StateBytes.Store(p.table.Bytes() + p.rows.Bytes())
	}
	return out.Forward(ev)
}

// save encodes the rows of a group, side by side.
func (p *panes) save(dst []byte, g int32) []byte {
	for side := range p.lists[g] {
		dst = binary.AppendUvarint(dst, uint64(len(p.lists[g][side])))
		for _, r := range p.lists[g][side] {
			v := p.rows.Get(r)
			dst = binary.AppendUvarint(dst, uint64(len(v)))
			dst = append(dst, v...)
		}
	}
	return dst
}

func (p *panes) load(g int32, src []byte) error {
	p.register(g, int64(binary.BigEndian.Uint64(p.table.Key(g))^1<<63))
	for side := range p.lists[g] {
		n, w := binary.Uvarint(src)
		if w <= 0 {
			return vector.ErrCorrupt
		}
		src = src[w:]
		for range n {
			size, w := binary.Uvarint(src)
			if w <= 0 || uint64(len(src)-w) < size {
				return vector.ErrCorrupt
			}
			p.lists[g][side] = append(p.lists[g][side], p.rows.Add(src[w:w+int(size)]))
			src = src[w+int(size):]
		}
	}
	return nil
}

// windowAt reads the window columns of row i.
func windowAt(b *vector.Batch, col, i int) int64 {
	ts, c := timeColumn(b.Cols[col])
	if c {
		i = 0
	}
	return ts.Vals[i].Ms
}
