package window

import (
	"cmp"
	"slices"

	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/internal/exec/aggregate"
	"github.com/runnelio/runnel/internal/state"
	"github.com/runnelio/runnel/vector"
)

// shared computes windows that have several slices in common with the next one.
// Merging all slices of a window each time would cost size/slide merges a key;
// here it is a small constant, by two stacks a key:
//
//	slices of the key   s1 s2 s3 s4 | s5 s6
//	suffix (front)      s1+s2+s3+s4, s2+s3+s4, s3+s4, s4
//	back                              s5+s6
//
// A window from s2 to s6 is suffix[s2] + back. Slices leave at the front, where
// the next suffix is there already, and come in at the back. When the front is
// empty all of the back becomes the front. Suffixes and backs are not part of a
// commit: they are made again from the slices. A row for a slice that is merged
// already, which is a late one, has its key start over.
type shared struct {
	groups *state.Table // key -> chain
	of     []chain
	link   []link // by slot of the aggregate
	suffix *aggregate.Calls
	back   *aggregate.Calls
	result *aggregate.Calls // by group, while a window is emitted
	// rows behind each: by slot, by group, by group.
	suffixRows, backRows, resultRows []int64
	fired                            int64 // end of the last window emitted
	emitted                          []int32
	path                             []int32
}

// chain is the slices of a key, as slots, oldest first; -1 for none.
type chain struct {
	head, tail int32
	merged     int32 // the last slot that is in the front or the back
}

type link struct {
	prev, next int32
	group      int32
	front      bool
	end        int64
}

func newShared(w *Aggregate, cx *exec.Context) (*shared, error) {
	s := &shared{groups: state.NewTable(), fired: noWatermark}
	for _, c := range []**aggregate.Calls{&s.suffix, &s.back, &s.result} {
		var err error
		if *c, err = aggregate.NewCalls(w.Calls, w.Retracts, cx.Func); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// add puts a new slot, of the slice that ends at end, into the chain of its key.
func (s *shared) add(slot int32, key []byte, end int64) {
	g, added := s.groups.FindOrAdd(vector.HashKey(key), key)
	if added {
		for int(g) >= len(s.of) {
			s.of = append(s.of, chain{})
			s.backRows, s.resultRows = append(s.backRows, 0), append(s.resultRows, 0)
		}
		s.back.Resize(len(s.of))
		s.result.Resize(len(s.of))
		s.of[g] = chain{-1, -1, -1}
	}
	if n := int(slot) + 1; n > len(s.link) {
		s.link = append(s.link, make([]link, n-len(s.link))...)
		s.suffixRows = append(s.suffixRows, make([]int64, n-len(s.suffixRows))...)
		s.suffix.Resize(n)
	}
	c := &s.of[g]
	after := c.tail
	for after >= 0 && s.link[after].end > end {
		after = s.link[after].prev
	}
	l := link{prev: after, next: c.head, group: g, end: end}
	if after >= 0 {
		l.next = s.link[after].next
		s.link[after].next = slot
	} else {
		c.head = slot
	}
	if l.next >= 0 {
		s.link[l.next].prev = slot
	} else {
		c.tail = slot
	}
	s.link[slot] = l
}

// late has the key of a slot start over if the slot was merged before it changed.
func (s *shared) late(slot int32) {
	if l := &s.link[slot]; l.end <= s.fired {
		s.restart(l.group)
	}
}

func (s *shared) restart(g int32) {
	c := &s.of[g]
	for slot := c.head; slot >= 0; slot = s.link[slot].next { // a new slot may lie between those of the front
		if s.link[slot].front {
			s.link[slot].front = false
			s.suffix.Clear(slot)
		}
	}
	s.clearBack(g)
	c.merged = -1
}

func (s *shared) clearBack(g int32) {
	if s.backRows[g] != 0 || s.of[g].merged >= 0 {
		s.back.Clear(g)
		s.backRows[g] = 0
	}
}

// remove takes the slot of a slice that is over out of its chain: the oldest.
func (s *shared) remove(slot int32) {
	l := s.link[slot]
	c := &s.of[l.group]
	if l.front {
		s.suffix.Clear(slot)
	} else {
		s.restart(l.group)
	}
	c.head = l.next
	if c.merged == slot {
		c.merged = -1
	}
	if l.next >= 0 {
		s.link[l.next].prev = -1
		return
	}
	s.clearBack(l.group)
	c.tail = -1
	s.groups.Remove(l.group)
}

// fire emits the window that ends at end, whose slices before it are gone.
func (s *shared) fire(w *Aggregate, start, end int64, out exec.Output) error {
	s.fired = end
	s.emitted = s.emitted[:0]
	var err error
	s.groups.Live(func(g int32) bool {
		c := &s.of[g]
		if s.link[c.head].end > end {
			return true // rows of later windows only
		}
		if err = s.bring(w, g, c, end); err != nil {
			return false
		}
		if err = s.result.Merge(g, s.suffix, c.head); err != nil {
			return false
		}
		s.resultRows[g] = s.suffixRows[c.head]
		if !s.link[c.merged].front {
			if err = s.result.Merge(g, s.back, g); err != nil {
				return false
			}
			s.resultRows[g] += s.backRows[g]
		}
		s.emitted = append(s.emitted, g)
		return true
	})
	if err != nil {
		return err
	}
	err = w.emitGroups(groupSet{slots: s.emitted, calls: s.result, count: s.resultRows, table: s.groups}, start, end, out)
	for _, g := range s.emitted {
		s.result.Clear(g)
	}
	return err
}

// bring merges the slices of a key up to end that are not yet, and sees to it
// that the first one has a suffix.
func (s *shared) bring(w *Aggregate, g int32, c *chain, end int64) error {
	next := c.head
	if c.merged >= 0 {
		next = s.link[c.merged].next
	}
	front := s.link[c.head].front
	for ; next >= 0 && s.link[next].end <= end; next = s.link[next].next {
		if front { // else it goes to the front at once
			if err := s.back.Merge(g, w.calls, next); err != nil {
				return err
			}
			s.backRows[g] += w.count[next]
		}
		c.merged = next
	}
	if front {
		return nil
	}
	s.path = s.path[:0]
	for slot := c.head; ; slot = s.link[slot].next {
		s.path = append(s.path, slot)
		if slot == c.merged {
			break
		}
	}
	for i, slot := range slices.Backward(s.path) {
		if err := s.suffix.Merge(slot, w.calls, slot); err != nil {
			return err
		}
		s.suffixRows[slot] = w.count[slot]
		if i+1 < len(s.path) {
			if err := s.suffix.Merge(slot, s.suffix, s.path[i+1]); err != nil {
				return err
			}
			s.suffixRows[slot] += s.suffixRows[s.path[i+1]]
		}
		s.link[slot].front = true
	}
	s.clearBack(g)
	return nil
}

func (s *shared) bytes() int64 {
	return s.groups.Bytes() + s.suffix.Bytes() + s.back.Bytes() + int64(cap(s.link))*32 + int64(cap(s.of))*28
}

// freeBefore drops the slices that end at or before a time.
func (w *Aggregate) freeBefore(start int64) {
	var over []*slice
	for end, s := range w.slices {
		if end <= start {
			over = append(over, s)
		}
	}
	slices.SortFunc(over, func(a, b *slice) int { return cmp.Compare(a.end, b.end) })
	for _, s := range over {
		w.freeSlice(s)
	}
}

func (w *Aggregate) freeSlice(s *slice) {
	for _, slot := range s.slots {
		if w.shared != nil {
			w.shared.remove(slot)
		}
		w.remove(slot)
	}
	delete(w.slices, s.end)
}
