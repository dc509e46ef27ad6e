package json

import (
	"encoding/binary"
	"math/bits"

	"github.com/runnelio/runnel/format"
)

// A Value is where a value stands in a buffer: from its first byte (the quote
// of a string) to behind its last. The zero Value is a field that is missing.
type Value struct{ off, end uint32 }

// notRow is a flag in the top bit of off (buffers are shorter than 2 GB): a path
// goes through this value, which is no object.
const notRow = 1 << 31

func (v Value) missing() bool       { return v.end == 0 }
func (v Value) from() int           { return int(v.off &^ notRow) }
func (v Value) to() int             { return int(v.end) }
func (v Value) raw(b []byte) []byte { return b[v.from():v.to()] }

// IsNull tells whether v is missing or the literal null.
func (v Value) IsNull(buf []byte) bool { return v.end == 0 || buf[v.off&^notRow] == 'n' }

// From is where v starts.
func (v Value) From() int { return v.from() }

// Missing tells whether there is no such field.
func (v Value) Missing() bool { return v.end == 0 }

// Bytes returns the text of v in the buffer it was found in, quotes included.
func (v Value) Bytes(buf []byte) []byte {
	if v.missing() {
		return nil
	}
	return v.raw(buf)
}

// A Projector finds the values of some paths in objects, in one pass over their
// bytes. It learns in which order keys follow each other, with the blanks and
// punctuation between them, so that a key costs one comparison mostly. It
// belongs to one goroutine.
type Projector struct {
	root   *object
	quotes *quotes
	slots  int
	size   int // entries learned
	at     int // where the last syntax error is
	why    string
}

// object is an object on the way of a path: its wanted fields, and what was
// learned of the order of its keys.
type object struct {
	fields map[string]*field
	slots  []int // all slots below
	start  entry // its successors are the first keys
	known  map[string]*entry
}

// field is a wanted field. Slot is -1 if only fields below it are wanted.
type field struct {
	slot  int
	below *object
}

// entry is a text that stands between two values: the comma, the key, the colon
// and blanks, and the opening quote if the value is a string. The closing brace
// is one too.
type entry struct {
	w0, w1, w2 uint64 // the first 24 bytes
	m0, m1, m2 uint64 // which of them count
	rest       string // the bytes behind
	n          int
	kind       entryKind
	slot       int     // of the value, -1 if it is not wanted
	below      *object // fields of the value that are wanted, nil if none
	next       [4]*entry
	victim     uint8
	learned    bool
}

type entryKind uint8

const (
	plainEntry entryKind = iota
	stringEntry
	closeEntry
)

const (
	maxEntries = 8192 // learned by a Projector, then it learns no more
	maxGlue    = 512  // longer keys are not learned
)

// NewProjector returns a Projector for paths; a path is names from the outermost
// object inwards, at least one. Objects gets as many values as there are paths.
func NewProjector(paths [][]string) *Projector {
	p := &Projector{root: newObject(), quotes: &quotes{}, slots: len(paths)}
	for slot, path := range paths {
		o := p.root
		for i, name := range path {
			o.slots = append(o.slots, slot)
			f := o.fields[name]
			if f == nil {
				f = &field{slot: -1}
				o.fields[name] = f
			}
			if i == len(path)-1 {
				f.slot = slot
				break
			}
			if f.below == nil {
				f.below = newObject()
			}
			o = f.below
		}
	}
	return p
}

func newObject() *object { return &object{fields: map[string]*field{}, known: map[string]*entry{}} }

// Index prepares for objects in buf[from:end]. At least Slack bytes behind end
// must be readable.
func (p *Projector) Index(buf []byte, from, end int) { p.quotes.index(buf, from, end) }

// Share lets p use what q was prepared for.
func (p *Projector) Share(q *Projector) { p.quotes = q.quotes }

// Object reads the object that starts at buf[from], which ends before end, and
// stores the values of the paths in out, which is as long as there are paths.
// It returns the index behind the object, or -1 if the text is damaged: see
// Err. The place must be within what Index was called for.
func (p *Projector) Object(buf []byte, from, end int, out []Value) int {
	clear(out[:p.slots])
	return p.object(buf, from, end, p.root, out)
}

// Err is the damage that made Object return -1; base is where the record starts.
func (p *Projector) Err(base int) error { return &SyntaxError{At: p.at - base, Why: p.why} }

func (p *Projector) fail(at int, why string) int {
	p.at, p.why = at, why
	return -1
}

// object is the hot loop. What it does for a field is: compare the text in front
// of the value with the one that followed last time, find the end of the value,
// note it if it is wanted.
func (p *Projector) object(buf []byte, at, end int, o *object, out []Value) int {
	prev := &o.start
	for {
		e := prev.next[0]
		if e == nil || at+e.n > end || !e.matches(buf, at) {
			if e = p.find(buf, at, end, o, prev); e == nil {
				return -1
			}
		}
		at += e.n
		prev = e
		switch e.kind {
		case stringEntry:
			start := at
			for {
				if at = p.quotes.next(at, end); at >= end {
					return p.fail(start-1, "a string does not end")
				}
				if buf[at-1] != '\\' || !oddSlashes(buf[start:at]) {
					break
				}
				at++
			}
			at++
			if e.slot >= 0 {
				out[e.slot] = Value{uint32(start - 1), uint32(at)}
			}
			if e.below != nil {
				p.noRow(e.below, Value{uint32(start-1) | notRow, uint32(at)}, out)
			}
		case closeEntry:
			return at
		default:
			if at < end && class[buf[at]]&blankByte != 0 { // learned without a blank behind the colon
				at = skipBlank(buf, at, end)
			}
			start := at
			if at >= end {
				return p.fail(at, "a value is missing")
			}
			if buf[at] == '{' && e.below != nil {
				for _, s := range e.below.slots {
					out[s] = Value{}
				}
				at = p.object(buf, at, end, e.below, out)
			} else {
				at = p.skip(buf, at, end)
				if e.below != nil && at >= 0 {
					p.noRow(e.below, Value{uint32(start) | notRow, uint32(at)}, out)
				}
			}
			if at < 0 {
				return -1
			}
			if e.slot >= 0 {
				out[e.slot] = Value{uint32(start), uint32(at)}
			}
		}
	}
}

// oddSlashes tells whether the quote behind s, the inside of a string up to it,
// is escaped: s ends in an odd number of backslashes.
func oddSlashes(s []byte) bool {
	n := len(s)
	for n > 0 && s[n-1] == '\\' {
		n--
	}
	return (len(s)-n)&1 == 1
}

// noRow notes that the paths below o end at v, which is no object.
func (p *Projector) noRow(o *object, v Value, out []Value) {
	for _, s := range o.slots {
		out[s] = v
	}
}

func (e *entry) matches(buf []byte, at int) bool {
	b := buf[at : at+24]
	d := (binary.LittleEndian.Uint64(b)^e.w0)&e.m0 | (binary.LittleEndian.Uint64(b[8:])^e.w1)&e.m1 | (binary.LittleEndian.Uint64(b[16:])^e.w2)&e.m2
	return d == 0 && (e.n <= 24 || string(buf[at+24:at+e.n]) == e.rest)
}

// skip returns the index behind the value at buf[at], which is no string that
// entry found, or -1. Inside arrays and objects only strings and the balance of
// brackets are looked at.
func (p *Projector) skip(buf []byte, at, end int) int {
	switch c := buf[at]; {
	case class[c]&numeric != 0:
		for at++; at < end && class[buf[at]]&numeric != 0; {
			at++
		}
		return at
	case c == '"':
		return p.skipString(buf, at, end)
	case c == '{' || c == '[':
		return p.skipNested(buf, at, end)
	case c == 't' && at+4 <= end && string(buf[at:at+4]) == "true", c == 'n' && at+4 <= end && string(buf[at:at+4]) == "null":
		return at + 4
	case c == 'f' && at+5 <= end && string(buf[at:at+5]) == "false":
		return at + 5
	}
	return p.fail(at, "here should be a value")
}

// skipString returns the index behind the string that starts at buf[at].
func (p *Projector) skipString(buf []byte, at, end int) int {
	start := at
	for at++; ; at++ {
		if at = nextQuote(buf, at, end); at >= end {
			return p.fail(start, "a string does not end")
		}
		if buf[at-1] != '\\' || !oddSlashes(buf[start:at]) {
			return at + 1
		}
	}
}

// skipNested returns the index behind the array or object that starts at
// buf[at], in 8-byte steps and without recursion, however deep it is.
func (p *Projector) skipNested(buf []byte, at, end int) int {
	const blank, brace, not6 = ones * 0x20, ones * 0x79, ones * 0xF9
	start, depth := at, 0
	var kinds uint64 // of the outermost 64 open brackets: 1 is an object
	for at < end {
		// Brackets with 0x20 set and bits 1 and 2 cleared are 0x79, as are y, Y, _ and DEL.
		w := binary.LittleEndian.Uint64(buf[at:])
		x, y := w^quote8, ((w|blank)&not6)^brace
		m := ((x-ones)&^x | (y-ones)&^y) & highs
		if m == 0 {
			at += 8
			continue
		}
		at += bits.TrailingZeros64(m) >> 3
		if at >= end {
			break
		}
		switch buf[at] {
		case '"':
			if at = p.skipString(buf, at, end); at < 0 {
				return -1
			}
			continue
		case '{', '[':
			if depth++; depth <= 64 {
				kinds <<= 1
				if buf[at] == '{' {
					kinds |= 1
				}
			}
		case '}', ']':
			if depth <= 64 {
				if (kinds&1 == 1) != (buf[at] == '}') {
					return p.fail(at, "a bracket closes that was not opened")
				}
				kinds >>= 1
			}
			if depth--; depth == 0 {
				return at + 1
			}
		}
		at++
	}
	return p.fail(start, "an array or object does not end")
}

// Classes of bytes.
const (
	numeric = 1 << iota
	blankByte
)

var class = [256]uint8{
	'0': numeric, '1': numeric, '2': numeric, '3': numeric, '4': numeric, '5': numeric, '6': numeric, '7': numeric, '8': numeric, '9': numeric,
	'-': numeric, '+': numeric, '.': numeric, 'e': numeric, 'E': numeric,
	' ': blankByte, '\t': blankByte, '\n': blankByte, '\r': blankByte,
}

// ObjectAt is Object for a value found before, which must be an object.
func (p *Projector) ObjectAt(buf []byte, v Value, out []Value) error {
	if v.missing() || buf[v.from()] != '{' {
		return &SyntaxError{At: v.from(), Why: "here should be an object"}
	}
	if p.Object(buf, v.from(), v.to(), out) < 0 {
		return p.Err(v.from())
	}
	return nil
}

// Bounds returns where the text of a record in buf starts and ends, blanks around
// it and a byte order mark in front aside. ok is false if there is none.
func Bounds(buf []byte, s format.Span) (from, end int, ok bool) { return bounds(buf, s) }
