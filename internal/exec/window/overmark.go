package window

import (
	"encoding/binary"

	"github.com/runnelio/runnel/internal/state"
	"github.com/runnelio/runnel/vector"
)

// rangeMark is how far a partition of a RANGE frame by event time has come. As in
// Flink a partition is forgotten when the watermark is half a frame behind the
// reach of its last row. The timers for that are not taken back when further rows
// come: each that is due makes rows up to its time late.
type rangeMark struct {
	last  int64   // rows at or before are late
	clean int64   // when the partition is forgotten; noWatermark: not planned
	due   []int64 // timers that are set
}

// ranged tells that partitions have marks.
func (o *Over) ranged() bool { return o.bounded() && !o.Frame.Rows && !o.Proctime }

// mark returns the mark of the partition of o.key, which is made if there is none.
func (o *Over) mark() int32 {
	m, added := o.marks.FindOrAdd(vector.HashKey(o.key), o.key)
	for int(m) >= len(o.markOf) {
		o.markOf = append(o.markOf, rangeMark{})
	}
	if added {
		o.markOf[m] = rangeMark{last: noWatermark, clean: noWatermark, due: o.markOf[m].due[:0]}
	}
	return m
}

// expect plans when the partition of o.key is forgotten, now that a row at t waits.
func (o *Over) expect(t int64) {
	m := o.mark()
	x := &o.markOf[m]
	if x.clean != noWatermark && x.clean >= t+o.Frame.Lower+1 {
		return
	}
	x.clean = t + o.Frame.Lower + o.Frame.Lower/2 + 1
	x.due = append(x.due, x.clean)
	o.clean.Push(timer{x.clean, m})
	o.marks.MarkDirty(m)
}

// came notes that a row at t of the partition of o.key comes out.
func (o *Over) came(t int64) {
	if !o.ranged() {
		return
	}
	m := o.mark()
	if x := &o.markOf[m]; t > x.last {
		x.last = t
		o.marks.MarkDirty(m)
	}
}

// tidy works off the timers up to a time.
func (o *Over) tidy(to int64) {
	for len(o.clean) > 0 && o.clean[0].at <= to {
		t := o.clean.Pop()
		x := &o.markOf[t.slot]
		for i, at := range x.due {
			if at == t.at {
				x.due = append(x.due[:i], x.due[i+1:]...)
				break
			}
		}
		o.marks.MarkDirty(t.slot)
		if x.clean > t.at {
			x.last = max(x.last, t.at)
			continue
		}
		key := o.marks.Key(t.slot)
		if p := o.parts.Find(vector.HashKey(key), key); p >= 0 {
			o.forget(p)
		}
		o.marks.Remove(t.slot) // its timer was the last one: others are for earlier times
	}
}

func (o *Over) saveMark(dst []byte, m int32) []byte {
	x := &o.markOf[m]
	dst = binary.AppendVarint(binary.AppendVarint(dst, x.last), x.clean)
	for _, at := range x.due {
		dst = binary.AppendVarint(dst, at)
	}
	return dst
}

func (o *Over) restoreMark(key, src []byte) error {
	o.key = append(append(o.key[:0], 'p'), key[1:]...)
	m := o.mark()
	o.marks.MarkSaved(m)
	x := &o.markOf[m]
	for i := 0; len(src) > 0; i++ {
		v, n := binary.Varint(src)
		if n <= 0 {
			return vector.ErrCorrupt
		}
		src = src[n:]
		switch i {
		case 0:
			x.last = v
		case 1:
			x.clean = v
		default:
			x.due = append(x.due, v)
			o.clean.Push(timer{v, m})
		}
	}
	return nil
}

// markBackend keeps marks beside the partitions of the same keys: under 'm'.
type markBackend struct{ state.Backend }

// Put implements state.Backend.
func (b markBackend) Put(unit uint16, key, value []byte) error {
	return b.Backend.Put(unit, append([]byte{'m'}, key[1:]...), value)
}

// Delete implements state.Backend.
func (b markBackend) Delete(unit uint16, key []byte) error {
	return b.Backend.Delete(unit, append([]byte{'m'}, key[1:]...))
}
