package arrow

import (
	"encoding/binary"
	"errors"
)

var errFlat = errors.New("the metadata are damaged")

// flat is a flatbuffer that is read. The first access out of bounds is noted in
// bad, and gives zeros like those behind it.
type flat struct {
	b   []byte
	bad bool
}

// table is a table of a flatbuffer; at 0 it is missing.
type table struct {
	f  *flat
	at int
}

// has tells whether n bytes are at a place.
func (f *flat) has(at, n int) bool {
	if at < 0 || n < 0 || at > len(f.b)-n {
		f.bad = true
		return false
	}
	return true
}

func (f *flat) u16(at int) int {
	if !f.has(at, 2) {
		return 0
	}
	return int(binary.LittleEndian.Uint16(f.b[at:]))
}

func (f *flat) i32(at int) int {
	if !f.has(at, 4) {
		return 0
	}
	return int(int32(binary.LittleEndian.Uint32(f.b[at:])))
}

func (f *flat) i64(at int) int64 {
	if !f.has(at, 8) {
		return 0
	}
	return int64(binary.LittleEndian.Uint64(f.b[at:]))
}

// follow returns where the offset at a place leads.
func (f *flat) follow(at int) int {
	n := f.i32(at)
	if n <= 0 || !f.has(at+n, 4) {
		f.bad = true
		return 0
	}
	return at + n
}

// root returns the table the buffer is about.
func (f *flat) root() table { return table{f, f.follow(0)} }

// slot returns where field n of the table stands, 0 if it is not there.
func (t table) slot(n int) int {
	if t.at == 0 {
		return 0
	}
	vt := t.at - t.f.i32(t.at)
	if !t.f.has(vt, 4) || 4+2*n+2 > t.f.u16(vt) {
		return 0
	}
	off := t.f.u16(vt + 4 + 2*n)
	if off == 0 {
		return 0
	}
	return t.at + off
}

func (t table) byte(n int, missing byte) byte {
	if at := t.slot(n); at != 0 && t.f.has(at, 1) {
		return t.f.b[at]
	}
	return missing
}

func (t table) bool(n int) bool { return t.byte(n, 0) != 0 }

func (t table) short(n, missing int) int {
	if at := t.slot(n); at != 0 {
		return int(int16(t.f.u16(at)))
	}
	return missing
}

func (t table) int(n, missing int) int {
	if at := t.slot(n); at != 0 {
		return t.f.i32(at)
	}
	return missing
}

func (t table) long(n int) int64 {
	if at := t.slot(n); at != 0 {
		return t.f.i64(at)
	}
	return 0
}

func (t table) table(n int) table {
	if at := t.slot(n); at != 0 {
		return table{t.f, t.f.follow(at)}
	}
	return table{t.f, 0}
}

// list returns where the elements of a vector stand, of so many bytes each, and
// their number.
func (t table) list(n, size int) (at, count int) {
	p := t.slot(n)
	if p == 0 {
		return 0, 0
	}
	if p = t.f.follow(p); p == 0 {
		return 0, 0
	}
	if count = t.f.i32(p); count < 0 || count > (len(t.f.b)-p-4)/size {
		t.f.bad = true
		return 0, 0
	}
	return p + 4, count
}

func (t table) string(n int) string {
	at, count := t.list(n, 1)
	return string(t.f.b[at : at+count])
}

// tables returns a vector of tables.
func (t table) tables(n int) []table {
	at, count := t.list(n, 4)
	out := make([]table, count)
	for i := range out {
		out[i] = table{t.f, t.f.follow(at + 4*i)}
	}
	return out
}

// object is a table to be written: scalars, and other objects behind it.
type object struct {
	slots []slot
	// A vector instead of a table: of objects, or of bytes in elements of size.
	vector bool
	of     []*object
	raw    []byte
	count  int
	size   int
	text   bool // ends with a zero
}

type slot struct {
	number int
	size   int // bytes of a scalar
	val    uint64
	of     *object
}

func (o *object) scalar(number, size int, val int64) *object {
	o.slots = append(o.slots, slot{number: number, size: size, val: uint64(val)})
	return o
}

func (o *object) child(number int, of *object) *object {
	o.slots = append(o.slots, slot{number: number, size: 4, of: of})
	return o
}

func text(s string) *object {
	return &object{vector: true, raw: []byte(s), count: len(s), size: 1, text: true}
}

func objects(of ...*object) *object { return &object{vector: true, of: of} }

// structs is a vector of structs whose bytes are raw, aligned to eight bytes.
func structs(raw []byte, count int) *object {
	return &object{vector: true, raw: raw, count: count, size: 8}
}

// appendFlat appends a flatbuffer about o to dst, whose length is a multiple of
// eight, as that of the result is. A table stands behind its slots' places and
// before what its slots lead to, so that offsets, which lead forwards, can be put
// in afterwards.
func appendFlat(dst []byte, o *object) []byte {
	start := len(dst)
	w := flatWriter{b: append(dst, 0, 0, 0, 0), start: start}
	w.link(start, w.put(o))
	return w.align(8, 0)
}

type flatWriter struct {
	b     []byte
	start int
}

// align pads until ahead bytes further the place is a multiple of n.
func (w *flatWriter) align(n, ahead int) []byte {
	for (len(w.b)-w.start+ahead)%n != 0 {
		w.b = append(w.b, 0)
	}
	return w.b
}

func (w *flatWriter) link(at, to int) { binary.LittleEndian.PutUint32(w.b[at:], uint32(to-at)) }

// put writes o and what is behind it, and returns where it stands.
func (w *flatWriter) put(o *object) int {
	if o.vector {
		return w.putVector(o)
	}
	last := -1
	for _, s := range o.slots {
		last = max(last, s.number)
	}
	w.align(2, 0)
	vt := len(w.b)
	w.b = append(w.b, make([]byte, 4+2*(last+1))...)
	w.align(8, 4) // fields begin at a multiple of eight
	at := len(w.b)
	w.b = binary.LittleEndian.AppendUint32(w.b, uint32(at-vt))
	places := make([]int, len(o.slots))
	for i, s := range o.slots {
		w.align(s.size, 0)
		places[i] = len(w.b)
		binary.LittleEndian.PutUint16(w.b[vt+4+2*s.number:], uint16(len(w.b)-at))
		var raw [8]byte
		binary.LittleEndian.PutUint64(raw[:], s.val)
		w.b = append(w.b, raw[:s.size]...)
	}
	binary.LittleEndian.PutUint16(w.b[vt:], uint16(4+2*(last+1)))
	binary.LittleEndian.PutUint16(w.b[vt+2:], uint16(len(w.b)-at))
	for i, s := range o.slots {
		if s.of != nil {
			w.link(places[i], w.put(s.of))
		}
	}
	return at
}

func (w *flatWriter) putVector(o *object) int {
	if o.of == nil {
		w.align(max(o.size, 4), 4)
		at := len(w.b)
		w.b = append(binary.LittleEndian.AppendUint32(w.b, uint32(o.count)), o.raw...)
		if o.text {
			w.b = append(w.b, 0)
		}
		return at
	}
	w.align(4, 0)
	at := len(w.b)
	w.b = append(binary.LittleEndian.AppendUint32(w.b, uint32(len(o.of))), make([]byte, 4*len(o.of))...)
	for i, x := range o.of {
		w.link(at+4+4*i, w.put(x))
	}
	return at
}
