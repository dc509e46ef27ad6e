package state

import (
	"math/bits"
)

// Table maps keys, as bytes, to slots: small dense numbers that operators use
// as indexes into columns of their own. It is an open-addressing table of
// (tag, slot) words beside arenas of keys; nothing in it is a pointer per key.
// A Table belongs to one task.
type Table struct {
	words []uint64 // 0 empty, 1 deleted, else tag(32 bits, never 0/1 alone) <<32 | slot+2
	mask  uint64
	used  int // live and deleted words

	keys    []keyRef // by slot
	hashes  []uint64 // by slot
	pages   [][]byte // key bytes, in pages of pageSize
	garbage int      // bytes of keys of freed slots
	total   int      // bytes of keys in all
	free    []int32
	live    int

	// dirty marks slots changed since the last Snapshot; gone holds the keys of
	// slots that were removed since then and had been saved before.
	dirty []uint64
	saved []uint64
	gone  []goneKey
	// touched is the time a slot was last used, for TTL; nil without TTL.
	touched []int64
	// TrackTouch makes the table keep touched.
	TrackTouch bool
	// Unit gives the key group of a key where that is not the group of its hash:
	// keys that have more in them than what rows are spread by. May be nil.
	Unit func(key []byte) uint16
}

type keyRef struct{ page, off, n int32 }

type goneKey struct {
	unit uint16
	key  string
}

const pageSize = 64 << 10

// NewTable returns an empty table.
func NewTable() *Table {
	t := &Table{}
	t.rehash(64)
	return t
}

// Len is the number of live keys.
func (t *Table) Len() int { return t.live }

// Slots is one more than the largest slot number in use so far.
func (t *Table) Slots() int { return len(t.keys) }

// Bytes is about how much memory the table holds.
func (t *Table) Bytes() int64 {
	return int64(len(t.words)*8 + cap(t.keys)*12 + cap(t.hashes)*8 + len(t.pages)*pageSize + cap(t.dirty)*16 + cap(t.touched)*8)
}

// Find returns the slot of key, or -1.
func (t *Table) Find(hash uint64, key []byte) int32 {
	tag := tagOf(hash)
	for i := hash & t.mask; ; i = (i + 1) & t.mask {
		w := t.words[i]
		if w == 0 {
			return -1
		}
		if w>>32 == tag {
			if slot := int32(uint32(w) - 2); string(t.Key(slot)) == string(key) {
				return slot
			}
		}
	}
}

// FindOrAdd returns the slot of key, and whether it was added.
func (t *Table) FindOrAdd(hash uint64, key []byte) (slot int32, added bool) {
	tag := tagOf(hash)
	at := int64(-1)
	i := hash & t.mask
	for ; ; i = (i + 1) & t.mask {
		w := t.words[i]
		if w == 0 {
			break
		}
		if w == 1 {
			if at < 0 {
				at = int64(i)
			}
			continue
		}
		if w>>32 == tag {
			if slot := int32(uint32(w) - 2); string(t.Key(slot)) == string(key) {
				return slot, false
			}
		}
	}
	if at < 0 {
		at = int64(i)
		t.used++
	}
	slot = t.newSlot(hash, key)
	t.words[at] = tag<<32 | uint64(uint32(slot)+2)
	t.live++
	if t.used*4 > len(t.words)*3 {
		n := len(t.words)
		if t.live*2 > n {
			n *= 2
		}
		t.rehash(n)
	}
	return slot, true
}

func tagOf(hash uint64) uint64 {
	return hash>>32 | 1<<31 // never 0, so a live word is never 0 or 1
}

func (t *Table) rehash(n int) {
	n = 1 << bits.Len(uint(n-1))
	t.words = make([]uint64, n)
	t.mask = uint64(n - 1)
	t.used = 0
	for slot, ref := range t.keys {
		if ref.n < 0 {
			continue
		}
		h := t.hashes[slot]
		i := h & t.mask
		for t.words[i] != 0 {
			i = (i + 1) & t.mask
		}
		t.words[i] = tagOf(h)<<32 | uint64(uint32(slot)+2)
		t.used++
	}
}

func (t *Table) newSlot(hash uint64, key []byte) int32 {
	ref := t.store(key)
	if n := len(t.free); n > 0 {
		slot := t.free[n-1]
		t.free = t.free[:n-1]
		t.keys[slot], t.hashes[slot] = ref, hash
		if t.TrackTouch {
			t.touched[slot] = 0
		}
		return slot
	}
	t.keys = append(t.keys, ref)
	t.hashes = append(t.hashes, hash)
	if t.TrackTouch {
		t.touched = append(t.touched, 0)
	}
	if len(t.keys) > len(t.dirty)*64 {
		t.dirty = append(t.dirty, 0)
		t.saved = append(t.saved, 0)
	}
	return int32(len(t.keys) - 1)
}

func (t *Table) store(key []byte) keyRef {
	last := len(t.pages) - 1
	if last < 0 || cap(t.pages[last])-len(t.pages[last]) < len(key) {
		t.pages = append(t.pages, make([]byte, 0, max(pageSize, len(key))))
		last++
	}
	off := len(t.pages[last])
	t.pages[last] = append(t.pages[last], key...)
	t.total += len(key)
	return keyRef{int32(last), int32(off), int32(len(key))}
}

// Key returns the key of a live slot; valid until the next change of the table.
func (t *Table) Key(slot int32) []byte {
	r := t.keys[slot]
	return t.pages[r.page][r.off : r.off+r.n]
}

// Hash returns the hash a live slot was added with.
func (t *Table) Hash(slot int32) uint64 { return t.hashes[slot] }

// Remove frees a live slot. Its number will be given out again.
func (t *Table) Remove(slot int32) {
	h := t.hashes[slot]
	i := h & t.mask
	want := tagOf(h)<<32 | uint64(uint32(slot)+2)
	for t.words[i] != want {
		i = (i + 1) & t.mask
	}
	if t.words[(i+1)&t.mask] == 0 {
		t.words[i] = 0
		t.used--
	} else {
		t.words[i] = 1
	}
	w, m := slot>>6, uint64(1)<<(uint(slot)&63)
	if t.saved[w]&m != 0 {
		t.gone = append(t.gone, goneKey{t.unit(slot), string(t.Key(slot))})
		t.saved[w] &^= m
	}
	t.dirty[w] &^= m
	n := int(t.keys[slot].n)
	t.garbage += n
	t.keys[slot].n = -1
	t.free = append(t.free, slot)
	t.live--
	if t.garbage > pageSize && t.garbage*2 > t.total {
		t.compact()
	}
}

// Evict frees a slot whose key goes on existing elsewhere: unlike Remove it is
// not a removal for Snapshot. Its changes must have been saved.
func (t *Table) Evict(slot int32) {
	t.saved[slot>>6] &^= 1 << (uint(slot) & 63)
	t.Remove(slot)
}

// Flush writes a slot as Snapshot would, if it is dirty.
func (t *Table) Flush(b Backend, slot int32, save func(dst []byte, slot int32) []byte, buf []byte) ([]byte, error) {
	w, m := slot>>6, uint64(1)<<(uint(slot)&63)
	if t.dirty[w]&m == 0 {
		return buf, nil
	}
	buf = save(buf[:0], slot)
	t.dirty[w] &^= m
	t.saved[w] |= m
	return buf, b.Put(t.unit(slot), t.Key(slot), buf)
}

// FlushGone writes the removals that wait for the next Snapshot: before keys
// among them are written by Flush.
func (t *Table) FlushGone(b Backend) error {
	for _, g := range t.gone {
		if err := b.Delete(g.unit, []byte(g.key)); err != nil {
			return err
		}
	}
	t.gone = t.gone[:0]
	return nil
}

// compact copies the live keys to new pages.
func (t *Table) compact() {
	old := t.pages
	t.pages, t.total, t.garbage = nil, 0, 0
	for slot, r := range t.keys {
		if r.n >= 0 {
			t.keys[slot] = t.store(old[r.page][r.off : r.off+r.n])
		}
	}
}

// Live calls f for every live slot, ascending, until it returns false. f may
// remove the slot it is given.
func (t *Table) Live(f func(slot int32) bool) {
	for slot := range t.keys {
		if t.keys[slot].n >= 0 && !f(int32(slot)) {
			return
		}
	}
}

func (t *Table) unit(slot int32) uint16 {
	if t.Unit != nil {
		return t.Unit(t.Key(slot))
	}
	return UnitOf(t.hashes[slot])
}

// MarkDirty says that what belongs to slot changed.
func (t *Table) MarkDirty(slot int32) { t.dirty[slot>>6] |= 1 << (uint(slot) & 63) }

// MarkSaved says that what belongs to slot is as the last commit has it: for
// operators that restore their tables themselves.
func (t *Table) MarkSaved(slot int32) {
	w, m := slot>>6, uint64(1)<<(uint(slot)&63)
	t.saved[w] |= m
	t.dirty[w] &^= m
}

// Touch records the use of slot at now (ms), for Expired.
func (t *Table) Touch(slot int32, now int64) { t.touched[slot] = now }

// Touched returns the time of the last Touch.
func (t *Table) Touched(slot int32) int64 { return t.touched[slot] }

// Snapshot writes the dirty slots, encoded by save, and the removed keys to b,
// and clears the marks.
func (t *Table) Snapshot(b Backend, save func(dst []byte, slot int32) []byte) error {
	// Removed first: a key may have been removed and added again under another slot.
	if err := t.FlushGone(b); err != nil {
		return err
	}
	var buf []byte
	for w, word := range t.dirty {
		for word != 0 {
			slot := int32(w<<6 + bits.TrailingZeros64(word))
			word &= word - 1
			buf = save(buf[:0], slot)
			if err := b.Put(t.unit(slot), t.Key(slot), buf); err != nil {
				return err
			}
			t.saved[w] |= 1 << (uint(slot) & 63)
		}
		t.dirty[w] = 0
	}
	return nil
}

// Restore fills an empty table from b: hash gives a key's hash, load reads what
// save wrote into a new slot.
func (t *Table) Restore(b Backend, hash func(key []byte) uint64, load func(slot int32, src []byte) error) error {
	return b.Restore(func(_ uint16, key, value []byte) error {
		slot, _ := t.FindOrAdd(hash(key), key)
		t.saved[slot>>6] |= 1 << (uint(slot) & 63)
		return load(slot, value)
	})
}
