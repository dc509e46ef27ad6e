package aggregate

import (
	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// remember notes, for groups of the run that have no change pending, what their
// result was: the mini-batch compares with it when it ends.
func (g *Group) remember() error {
	if err := g.calls.Results(g.slots, g.old); err != nil {
		return err
	}
	for j, slot := range g.slots {
		if g.isPending[slot] {
			continue
		}
		g.isPending[slot] = true
		g.pending = append(g.pending, slot)
		p := pendingRow{existed: g.count[slot] > 0}
		if p.existed {
			g.scratch = g.scratch[:0]
			for _, v := range g.old {
				g.scratch = vector.AppendRow(g.scratch, v, j)
			}
			p.old = string(g.scratch)
		}
		g.before[slot] = p
	}
	return nil
}

// flushPending ends a mini-batch: it emits the change of every group that the
// batch touched, in the order of their first change.
func (g *Group) flushPending(out exec.Output) error {
	g.folded = 0
	if len(g.pending) == 0 {
		return nil
	}
	g.b.Reset()
	one := make([]int32, 1)
	for _, slot := range g.pending {
		p := g.before[slot]
		g.isPending[slot], g.before[slot] = false, pendingRow{}
		one[0] = slot
		gone := g.count[slot] <= 0
		var err error
		switch {
		case gone && !p.existed:
		case gone:
			err = g.oldRow(slot, p.old, types.Delete)
		case !p.existed:
			err = g.stored(one, types.Insert)
		default:
			if err = g.calls.Results(one, g.new); err != nil {
				return err
			}
			g.scratch = g.scratch[:0]
			for _, v := range g.new {
				g.scratch = vector.AppendRow(g.scratch, v, 0)
			}
			if g.cx.TTL == 0 && string(g.scratch) == p.old {
				continue
			}
			if g.UpdateBefore {
				if err = g.oldRow(slot, p.old, types.UpdateBefore); err != nil {
					return err
				}
			}
			err = g.stored(one, types.UpdateAfter)
		}
		if err != nil {
			return err
		}
		if gone {
			g.remove(slot)
		}
		if g.b.N >= g.cx.BatchSize {
			if err := g.emit(out); err != nil {
				return err
			}
		}
	}
	g.pending = g.pending[:0]
	return g.emit(out)
}

// oldRow appends the row a group showed before the mini-batch.
func (g *Group) oldRow(slot int32, results string, kind types.RowKind) (err error) {
	src := g.table.Key(slot)
	for c := range g.Keys {
		if src, err = vector.ReadRow(g.b.Cols[c], src); err != nil {
			return err
		}
	}
	rest := []byte(results)
	for c := range g.Calls {
		if rest, err = vector.ReadRow(g.b.Cols[len(g.Keys)+c], rest); err != nil {
			return err
		}
	}
	g.b.AppendKind(kind)
	return nil
}

// expire removes the groups that were not touched for the TTL, as Flink does:
// without telling anybody. It sweeps at most four times a TTL.
func (g *Group) expire(now int64) error {
	ttl := g.cx.TTL.Milliseconds()
	if !g.expired.Due(now, g.cx.TTL) {
		return nil
	}
	g.table.Live(func(slot int32) bool {
		if now-g.table.Touched(slot) > ttl && !g.isPending[slot] {
			g.remove(slot)
		}
		return true
	})
	return nil
}
