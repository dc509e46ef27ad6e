package sigma

import (
	"bytes"
	"encoding/binary"

	"github.com/runnelio/runnel/format/json"
)

// find reads what stands at buf[at] where the most likely entry did not match:
// it looks at the others seen behind prev, and else reads the key and learns it.
// It returns nil if the text is damaged.
func (s *scanner) find(buf []byte, at, end int, o *object, prev *entry) *entry {
	// Kinds of events part ways behind the keys they share: there is a table for
	// that, by what is in front and the first bytes, which a few keys at most have.
	slot := &s.ways[(prev.salt^binary.LittleEndian.Uint64(buf[at:]))*0x9E3779B97F4A7C15>>(64-wayBits)]
	if e := *slot; e != nil && e.owner == o && at+e.n <= end && e.matches(buf, at) {
		prev.next = e
		return e
	}
	e := s.parse(buf, at, end, o, prev)
	if e != nil && e.learned {
		*slot = e
		prev.next = e
	}
	return e
}

// parse reads the text between two values.
func (s *scanner) parse(buf []byte, from, end int, o *object, prev *entry) *entry {
	at := blank(buf, from, end)
	first := prev == &o.start
	lead := byte(',')
	if first {
		lead = '{'
	}
	if at < end && buf[at] == '}' && !first {
		return s.entry(buf[from:at+1], o, closeEntry, nil)
	}
	if at >= end || buf[at] != lead {
		if first {
			s.fail(at, "here should be an object")
		} else {
			s.fail(at, "here should be a comma or the end of the object")
		}
		return nil
	}
	at = blank(buf, at+1, end)
	if first && at < end && buf[at] == '}' {
		return s.entry(buf[from:at+1], o, closeEntry, nil)
	}
	if at >= end || buf[at] != '"' {
		s.fail(at, "here should be a key in quotes")
		return nil
	}
	keyEnd := s.marks.StringEnd(buf, at+1, end)
	if keyEnd >= end {
		s.fail(at, "a string does not end")
		return nil
	}
	key := buf[at+1 : keyEnd]
	if bytes.IndexByte(key, '\\') >= 0 {
		var why string
		if key, why = json.AppendUnescaped(nil, key); why != "" {
			s.fail(at, why)
			return nil
		}
	}
	w := o.fields[string(key)]
	if at = blank(buf, keyEnd+1, end); at >= end || buf[at] != ':' {
		s.fail(at, "here should be a colon")
		return nil
	}
	at = blank(buf, at+1, end)
	if at < end && buf[at] == '"' {
		return s.entry(buf[from:at+1], o, stringEntry, w)
	}
	return s.entry(buf[from:at], o, plainEntry, w)
}

// entry returns the entry for a text: known, learned now, or made for the
// moment if enough have been learned.
func (s *scanner) entry(glue []byte, o *object, kind entryKind, w *wanted) *entry {
	if e := o.known[string(glue)]; e != nil {
		return e
	}
	e := &entry{n: len(glue), kind: kind, want: w}
	if s.size >= maxEntries || len(glue) > maxGlue {
		return e
	}
	s.size++
	e.learned, e.owner, e.salt = true, o, uint64(s.size)*0xD6E8FEB86659FD93
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
