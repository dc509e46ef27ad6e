package state

// Values maps slots, small dense numbers, to bytes of any length, without a
// pointer per value: the bytes lie in pages that are compacted when a quarter of them
// is garbage. The zero Values is ready. It belongs to one task.
type Values struct {
	refs    []keyRef
	pages   [][]byte
	free    []int32
	total   int
	garbage int
}

// Add stores a copy of b and returns its slot.
func (v *Values) Add(b []byte) int32 {
	if n := len(v.free); n > 0 {
		slot := v.free[n-1]
		v.free = v.free[:n-1]
		v.refs[slot] = v.store(b)
		return slot
	}
	v.refs = append(v.refs, v.store(b))
	return int32(len(v.refs) - 1)
}

// Set replaces the bytes of a slot; slots up to it are made, empty.
func (v *Values) Set(slot int32, b []byte) {
	for int(slot) >= len(v.refs) {
		v.refs = append(v.refs, keyRef{})
	}
	r := v.refs[slot]
	if int(r.n) == len(b) && r.n > 0 {
		copy(v.pages[r.page][r.off:], b)
		return
	}
	v.garbage += int(r.n)
	v.refs[slot] = keyRef{}
	v.refs[slot] = v.store(b)
	v.tidy()
}

// Get returns the bytes of a slot; valid until the next change.
func (v *Values) Get(slot int32) []byte {
	r := v.refs[slot]
	if r.n == 0 {
		return nil
	}
	return v.pages[r.page][r.off : r.off+r.n]
}

// Remove frees a slot of Add; its number will be given out again.
func (v *Values) Remove(slot int32) {
	v.garbage += int(v.refs[slot].n)
	v.refs[slot] = keyRef{}
	v.free = append(v.free, slot)
	v.tidy()
}

// Clear makes the bytes of a slot empty and keeps its number.
func (v *Values) Clear(slot int32) {
	if int(slot) < len(v.refs) {
		v.garbage += int(v.refs[slot].n)
		v.refs[slot] = keyRef{}
		v.tidy()
	}
}

// Bytes is about how much memory is held.
func (v *Values) Bytes() int64 { return int64(cap(v.refs)*12 + v.total + cap(v.free)*4) }

func (v *Values) store(b []byte) keyRef {
	if len(b) == 0 {
		return keyRef{}
	}
	last := len(v.pages) - 1
	if last < 0 || cap(v.pages[last])-len(v.pages[last]) < len(b) {
		size := pageSize
		if last < 0 {
			size = 4 << 10 // small states stay small
		}
		v.pages = append(v.pages, make([]byte, 0, max(size, len(b))))
		last++
	}
	off := len(v.pages[last])
	v.pages[last] = append(v.pages[last], b...)
	v.total += len(b)
	return keyRef{int32(last), int32(off), int32(len(b))}
}

// tidy copies what is live to new pages when more than a quarter is garbage.
func (v *Values) tidy() {
	if v.garbage < pageSize || v.garbage*4 < v.total {
		return
	}
	// Pages are let go as soon as nothing in them is left: slots are about as old as
	// their pages, so the copy never stands beside all of the original.
	old := v.pages
	left := make([]int32, len(old))
	for _, r := range v.refs {
		if r.n > 0 {
			left[r.page]++
		}
	}
	v.pages, v.total, v.garbage = nil, 0, 0
	for i, r := range v.refs {
		if r.n == 0 {
			continue
		}
		v.refs[i] = v.store(old[r.page][r.off : r.off+r.n])
		if left[r.page]--; left[r.page] == 0 {
			old[r.page] = nil
		}
	}
}
