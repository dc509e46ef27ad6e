package aggregate

import (
	"encoding/binary"

	"github.com/runnelio/runnel/internal/state"
	"github.com/runnelio/runnel/vector"
)

// distinct is the view that DISTINCT aggregates over the same arguments have of
// their input: how often each value of the arguments is in each group, for each
// call, because their filters differ. Only the first and the last of equal values
// reach a call's accumulators.
type distinct struct {
	calls int
	table *state.Table // (slot, arguments) -> entry
	count []int32      // by entry and call; stays at the most it can hold, 2^31-1 equal values
	next  []int32      // by entry: the entry after it in its group's list, -1
	prev  []int32      // by entry: the one before it, -1
	first []int32      // by group: its first entry, -1
	last  []int32      // by group: its last entry: lists are in the order values came
	key   []byte

	// The rows at hand: the entry of each, for all calls.
	entries []int32
}

// join adds a call and returns its place.
func (d *distinct) join() int {
	d.calls++
	return d.calls - 1
}

func newDistinct() *distinct { return &distinct{table: state.NewTable()} }

// entry returns the entry of a group's value, made if it is new.
func (d *distinct) entry(slot int32, value []byte) int32 {
	d.key = binary.LittleEndian.AppendUint32(d.key[:0], uint32(slot))
	d.key = append(d.key, value...)
	return d.lookup(slot)
}

// lookup is entry for the key in d.key.
func (d *distinct) lookup(slot int32) int32 {
	e, added := d.table.FindOrAdd(vector.HashKey(d.key), d.key)
	if !added {
		return e
	}
	for int(e) >= len(d.next) {
		d.next, d.prev = append(d.next, -1), append(d.prev, -1)
	}
	for len(d.count) < len(d.next)*d.calls {
		d.count = append(d.count, 0)
	}
	clear(d.count[int(e)*d.calls : int(e+1)*d.calls])
	for int(slot) >= len(d.first) {
		d.first, d.last = append(d.first, -1), append(d.last, -1)
	}
	d.next[e], d.prev[e] = -1, d.last[slot]
	if d.last[slot] >= 0 {
		d.next[d.last[slot]] = e
	} else {
		d.first[slot] = e
	}
	d.last[slot] = e
	return e
}

// find looks the rows' values up, for all calls: entries[j] is that of rows[j],
// -1 where the first argument is NULL and the calls leave such rows out.
func (d *distinct) find(rows, slots []int32, args []vector.Vector, skipNull bool) {
	d.entries = d.entries[:0]
	for j, r := range rows {
		i := int(r)
		if skipNull && args[0].IsNull(i) {
			d.entries = append(d.entries, -1)
			continue
		}
		d.key = binary.LittleEndian.AppendUint32(d.key[:0], uint32(slots[j]))
		d.key = vector.AppendKeys(d.key, args, i)
		d.entries = append(d.entries, d.lookup(slots[j]))
	}
}

// change adds sign to a call's count of row j and tells whether the value came in
// or went out.
func (d *distinct) change(call, j int, sign int8) bool {
	n := &d.count[int(d.entries[j])*d.calls+call]
	old := *n
	if sign > 0 {
		if old < 1<<31-1 {
			*n++
		}
		return old == 0
	}
	*n--
	return old == 1
}

// settle forgets the values of the rows at hand that no call counts any more.
func (d *distinct) settle(slots []int32) {
	for j, e := range d.entries {
		if e >= 0 && d.next[e] != forgotten && d.unused(e) {
			d.forget(slots[j], e)
			d.next[e] = forgotten // equal rows have the same entry
		}
	}
}

const forgotten = -2

func (d *distinct) unused(e int32) bool {
	for _, n := range d.count[int(e)*d.calls : int(e+1)*d.calls] {
		if n != 0 {
			return false
		}
	}
	return true
}

// forget removes an entry from its group.
func (d *distinct) forget(slot, e int32) {
	next, prev := d.next[e], d.prev[e]
	if prev >= 0 {
		d.next[prev] = next
	} else {
		d.first[slot] = next
	}
	if next >= 0 {
		d.prev[next] = prev
	} else {
		d.last[slot] = prev
	}
	d.table.Remove(e)
}

// each calls f for the entries of a group in the order they came; f may forget its entry.
func (d *distinct) each(slot int32, f func(e int32) error) error {
	if int(slot) >= len(d.first) {
		return nil
	}
	for e := d.first[slot]; e >= 0; {
		next := d.next[e]
		if err := f(e); err != nil {
			return err
		}
		e = next
	}
	return nil
}

func (d *distinct) clear(slot int32) {
	_ = d.each(slot, func(e int32) error { // f has no error
		d.table.Remove(e)
		return nil
	})
	if int(slot) < len(d.first) {
		d.first[slot], d.last[slot] = -1, -1
	}
}

func (d *distinct) bytes() int64 {
	return d.table.Bytes() + int64(cap(d.count))*4 + int64(cap(d.next)+cap(d.prev)+cap(d.first)+cap(d.last))*4
}

// save encodes the values of a group with their counts.
func (d *distinct) save(dst []byte, slot int32) []byte {
	n := 0
	_ = d.each(slot, func(int32) error { n++; return nil })
	dst = binary.AppendUvarint(dst, uint64(n))
	_ = d.each(slot, func(e int32) error {
		key := d.table.Key(e)[4:]
		dst = binary.AppendUvarint(dst, uint64(len(key)))
		dst = append(dst, key...)
		for _, n := range d.count[int(e)*d.calls : int(e+1)*d.calls] {
			dst = binary.AppendVarint(dst, int64(n))
		}
		return nil
	})
	return dst
}

func (d *distinct) load(slot int32, src []byte) ([]byte, error) {
	n, w := binary.Uvarint(src)
	if w <= 0 {
		return nil, vector.ErrCorrupt
	}
	src = src[w:]
	for range n {
		size, w := binary.Uvarint(src)
		if w <= 0 || uint64(len(src)-w) < size {
			return nil, vector.ErrCorrupt
		}
		key := src[w : w+int(size)]
		src = src[w+int(size):]
		e := d.entry(slot, key)
		for c := range d.calls {
			count, w := binary.Varint(src)
			if w <= 0 {
				return nil, vector.ErrCorrupt
			}
			src = src[w:]
			d.count[int(e)*d.calls+c] = int32(count)
		}
	}
	return src, nil
}
