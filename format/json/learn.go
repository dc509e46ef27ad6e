package json

import (
	"encoding/binary"
	"fmt"
)

// SyntaxError is text that is no JSON.
type SyntaxError struct {
	At  int // byte of the record, from 0
	Why string
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("no JSON: %s (byte %d)", e.Why, e.At) }

// find reads what stands at buf[at], between two values, where the most likely
// entry did not match: it looks at the other ones seen behind prev, and else
// reads the key and learns it. It returns nil if the text is damaged.
func (p *Projector) find(buf []byte, at, end int, o *object, prev *entry) *entry {
	for _, e := range prev.next[1:] {
		if e == nil {
			break
		}
		if at+e.n <= end && e.matches(buf, at) {
			return e
		}
	}
	e := p.parse(buf, at, end, o, prev)
	if e == nil || !e.learned {
		return e
	}
	for i := range prev.next {
		if prev.next[i] == nil {
			prev.next[i] = e
			return e
		}
	}
	// All places are taken: the first stays, the others are given up in turn.
	prev.victim = prev.victim%3 + 1
	prev.next[prev.victim] = e
	return e
}

// parse reads the text between two values and returns its entry, which is known
// already, learned now, or made for the moment if enough have been learned.
func (p *Projector) parse(buf []byte, from, end int, o *object, prev *entry) *entry {
	at := skipBlank(buf, from, end)
	first := prev == &o.start
	want := byte(',')
	if first {
		want = '{'
	}
	if at < end && buf[at] == '}' && !first {
		return p.entry(buf[from:at+1], o, closeEntry, nil)
	}
	if at >= end || buf[at] != want {
		if first {
			p.fail(at, "here should be an object")
		} else {
			p.fail(at, "here should be a comma or the end of the object")
		}
		return nil
	}
	at = skipBlank(buf, at+1, end)
	if first && at < end && buf[at] == '}' {
		return p.entry(buf[from:at+1], o, closeEntry, nil)
	}
	if at >= end || buf[at] != '"' {
		p.fail(at, "here should be a key in quotes")
		return nil
	}
	keyEnd := p.skipString(buf, at, end)
	if keyEnd < 0 {
		return nil
	}
	key := buf[at+1 : keyEnd-1]
	if hasBackslash(key) {
		var err string
		if key, err = AppendUnescaped(nil, key); err != "" {
			p.fail(at, err)
			return nil
		}
	}
	f := o.fields[string(key)]
	if at = skipBlank(buf, keyEnd, end); at >= end || buf[at] != ':' {
		p.fail(at, "here should be a colon")
		return nil
	}
	at = skipBlank(buf, at+1, end)
	if at < end && buf[at] == '"' {
		return p.entry(buf[from:at+1], o, stringEntry, f)
	}
	return p.entry(buf[from:at], o, plainEntry, f)
}

func (p *Projector) entry(glue []byte, o *object, kind entryKind, f *field) *entry {
	if e := o.known[string(glue)]; e != nil {
		return e
	}
	e := &entry{n: len(glue), kind: kind, slot: -1}
	if f != nil {
		e.slot, e.below = f.slot, f.below
	}
	if p.size >= maxEntries || len(glue) > maxGlue {
		return e
	}
	p.size++
	e.learned = true
	text := string(glue)
	var head, mask [24]byte
	n := copy(head[:], text)
	for i := range n {
		mask[i] = 0xff
	}
	e.w0, e.w1, e.w2 = binary.LittleEndian.Uint64(head[0:]), binary.LittleEndian.Uint64(head[8:]), binary.LittleEndian.Uint64(head[16:])
	e.m0, e.m1, e.m2 = binary.LittleEndian.Uint64(mask[0:]), binary.LittleEndian.Uint64(mask[8:]), binary.LittleEndian.Uint64(mask[16:])
	e.rest = text[n:]
	o.known[text] = e
	return e
}

func skipBlank(buf []byte, at, end int) int {
	for at < end && class[buf[at]]&blankByte != 0 {
		at++
	}
	return at
}
