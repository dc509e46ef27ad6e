package aggregate

import (
	"encoding/binary"

	"github.com/runnelio/runnel/internal/state"
	"github.com/runnelio/runnel/vector"
)

// distinct is the view a DISTINCT aggregate has of its input: how often each
// value of the arguments is in each group. Only the first and the last of equal
// values reach the accumulators.
type distinct struct {
	table *state.Table // (slot, arguments) -> entry
	count []int64      // by entry
	place []int32      // by entry: its index in values
	// values lists the entries of each group, to clear and save them.
	values [][]int32
	key    []byte
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
	for int(e) >= len(d.count) {
		d.count, d.place = append(d.count, 0), append(d.place, 0)
	}
	if added {
		d.count[e] = 0
		for int(slot) >= len(d.values) {
			d.values = append(d.values, nil)
		}
		d.place[e] = int32(len(d.values[slot]))
		d.values[slot] = append(d.values[slot], e)
	}
	return e
}

// change adds sign to the count of row i's arguments in group slot and tells
// whether the value came in or went out.
func (d *distinct) change(slot int32, args []vector.Vector, i int, sign int8) bool {
	d.key = binary.LittleEndian.AppendUint32(d.key[:0], uint32(slot))
	d.key = vector.AppendKeys(d.key, args, i)
	e := d.lookup(slot)
	old := d.count[e]
	d.count[e] += int64(sign)
	if d.count[e] == 0 {
		d.forget(slot, e)
	}
	if sign > 0 {
		return old == 0
	}
	return old == 1
}

// forget removes an entry whose count is zero.
func (d *distinct) forget(slot, e int32) {
	v := d.values[slot]
	last := v[len(v)-1]
	v[d.place[e]], d.place[last] = last, d.place[e]
	d.values[slot] = v[:len(v)-1]
	d.table.Remove(e)
}

func (d *distinct) clear(slot int32) {
	if int(slot) >= len(d.values) {
		return
	}
	for _, e := range d.values[slot] {
		d.table.Remove(e)
	}
	d.values[slot] = nil
}

func (d *distinct) bytes() int64 { return d.table.Bytes() + int64(cap(d.count))*12 }

// save encodes the values of a group with their counts.
func (d *distinct) save(dst []byte, slot int32) []byte {
	var v []int32
	if int(slot) < len(d.values) {
		v = d.values[slot]
	}
	dst = binary.AppendUvarint(dst, uint64(len(v)))
	for _, e := range v {
		key := d.table.Key(e)[4:]
		dst = binary.AppendUvarint(dst, uint64(len(key)))
		dst = append(dst, key...)
		dst = binary.AppendVarint(dst, d.count[e])
	}
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
		count, w := binary.Varint(src)
		if w <= 0 {
			return nil, vector.ErrCorrupt
		}
		src = src[w:]
		d.count[d.entry(slot, key)] = count
	}
	return src, nil
}
