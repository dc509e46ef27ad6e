package aggregate

import (
	"encoding/binary"
	"slices"

	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/internal/state"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// cold moves groups that have not been used for long out of memory when the
// operator holds more than its budget, and back when they are used.
type cold struct {
	g     *Group
	spill state.Spill
	after int64 // bytes held after the last move
	low   int   // groups in memory after it
	buf   []byte
	one   [1]int32
}

// due tells whether groups must leave. Arrays do not shrink when groups leave,
// their places are used again: so it takes more groups than were left, or more
// bytes, before the next ones go.
func (c *cold) due() bool {
	n := c.g.bytes()
	return n > c.g.cx.Budget && (c.low == 0 || c.g.table.Len() > c.low+c.low/2 || n > c.after+c.g.cx.Budget/4)
}

// tidy moves the half of the groups that was not used for the longest time out.
func (c *cold) tidy() error {
	if !c.due() {
		return nil
	}
	g := c.g
	limit := c.median()
	want := g.table.Len() / 2
	victims := make([]int32, 0, want)
	g.table.Live(func(slot int32) bool {
		if g.seen[slot] <= limit {
			victims = append(victims, slot)
		}
		return len(victims) < want
	})
	slices.SortFunc(victims, func(a, b int32) int {
		x, y := g.table.Hash(a), g.table.Hash(b)
		switch {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	})
	if g.cx.State != nil {
		if err := g.table.FlushGone(g.cx.State); err != nil {
			return err
		}
	}
	for _, slot := range victims {
		if err := c.move(slot); err != nil {
			return err
		}
	}
	if err := c.spill.End(); err != nil {
		return err
	}
	c.low, c.after = g.table.Len(), g.bytes()
	g.measure()
	return nil
}

// move puts a group into the run being written. What changed since the last
// checkpoint goes into the next one now.
func (c *cold) move(slot int32) (err error) {
	g := c.g
	if g.cx.State != nil {
		if c.buf, err = g.table.Flush(g.cx.State, slot, g.save, c.buf); err != nil {
			return err
		}
	}
	c.buf = c.buf[:0]
	if g.cx.TTL > 0 {
		c.buf = binary.LittleEndian.AppendUint64(c.buf, uint64(g.table.Touched(slot)))
	}
	c.buf = g.save(c.buf, slot)
	if err := c.spill.Add(g.table.Hash(slot), g.table.Key(slot), c.buf); err != nil {
		return err
	}
	g.calls.Clear(slot)
	g.count[slot] = 0
	g.table.Evict(slot)
	return nil
}

// median is about the run before which half of the groups were used last.
func (c *cold) median() int32 {
	g := c.g
	var sample []int32
	step := max(1, g.table.Slots()/2048)
	n := 0
	g.table.Live(func(slot int32) bool {
		if n++; n%step == 0 {
			sample = append(sample, g.seen[slot])
		}
		return true
	})
	if len(sample) == 0 {
		return g.run
	}
	slices.Sort(sample)
	return sample[len(sample)/2]
}

// take brings a group back and returns its slot, or -1.
func (c *cold) take(h uint64, key []byte) (int32, error) {
	if c.spill.Rows() == 0 {
		return -1, nil
	}
	value, ok, err := c.spill.Take(h, key)
	if err != nil || !ok {
		return -1, err
	}
	g := c.g
	touched := int64(0)
	if g.cx.TTL > 0 {
		if len(value) < 8 {
			return -1, vector.ErrCorrupt
		}
		touched, value = int64(binary.LittleEndian.Uint64(value)), value[8:]
		if g.cx.Now()-touched > g.cx.TTL.Milliseconds() {
			// It expired where it was.
			c.spill.Forget(h, key)
			if g.cx.State != nil {
				return -1, g.cx.State.Delete(state.UnitOf(h), key)
			}
			return -1, nil
		}
	}
	slot, _ := g.table.FindOrAdd(h, key)
	if err := g.load(slot, value); err != nil {
		return -1, err
	}
	g.seen[slot] = 0
	if g.cx.TTL > 0 {
		g.table.Touch(slot, touched)
	}
	if g.cx.State != nil {
		g.table.MarkSaved(slot)
	} else {
		g.table.MarkDirty(slot)
	}
	return slot, nil
}

// emitAll emits the results of the groups that are not in memory.
func (c *cold) emitAll(out exec.Output) error {
	g := c.g
	return c.spill.Each(func(h uint64, key, value []byte) error {
		if g.table.Find(h, key) >= 0 {
			return nil // memory has it, and has emitted it
		}
		if g.cx.TTL > 0 {
			value = value[8:]
		}
		slot, _ := g.table.FindOrAdd(h, key)
		if err := g.load(slot, value); err != nil {
			return err
		}
		c.one[0] = slot
		if err := g.stored(c.one[:], types.Insert); err != nil {
			return err
		}
		g.calls.Clear(slot)
		g.count[slot] = 0
		g.table.Evict(slot)
		if g.b.N >= g.cx.BatchSize {
			return g.emit(out)
		}
		return nil
	})
}
