package logfmt

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/format/convert"
	"github.com/runnelio/runnel/format/json"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// value is where a value stands, without its quotes.
type value struct {
	off, end int32
	kind     valueKind
}

type valueKind uint8

const (
	missing valueKind = iota
	plain             // the bytes are the text
	escaped           // in quotes, with backslashes
	bare              // a key alone
)

// decoder is the format.Decoder: rows[row*stride+slot].
type decoder struct {
	f       *logfmt
	slots   map[string]int
	of      []int // slot by want
	names   []string
	conv    []*convert.Converter
	stride  int
	learned []guess // by place in the record

	buf    []byte
	rows   []value
	record []int32
}

// guess is the key that stood in a place last time. Most records have the same
// keys in the same order.
type guess struct {
	key  string
	slot int
}

// NewDecoder implements format.Format.
func (f *logfmt) NewDecoder(d format.Decoding) (format.Decoder, error) {
	dec := &decoder{f: f, slots: map[string]int{}}
	for _, w := range d.Wanted {
		field := d.Schema.Fields[w.Column]
		c, err := convert.New(field.Type, f.conversion())
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", field.Name, err)
		}
		slot, ok := dec.slots[field.Name]
		if !ok {
			slot = dec.stride
			dec.slots[field.Name] = slot
			dec.stride++
		}
		dec.of, dec.names, dec.conv = append(dec.of, slot), append(dec.names, field.Name), append(dec.conv, c)
	}
	return dec, nil
}

// Scan implements format.Decoder.
func (d *decoder) Scan(recs *format.Records, from, to int, bad format.BadRow) int {
	d.buf = recs.Buf
	d.rows, d.record = d.rows[:0], d.record[:0]
	for r := from; r < to; r++ {
		s := recs.Val[r]
		if s.Len <= 0 || len(bytes.TrimSpace(d.buf[s.Off:s.Off+s.Len])) == 0 {
			continue
		}
		n := len(d.rows)
		for range d.stride {
			d.rows = append(d.rows, value{})
		}
		if err := d.line(int(s.Off), int(s.Off+s.Len), d.rows[n:]); err != nil {
			d.rows = d.rows[:n]
			if !d.f.IgnoreErrors {
				bad(r, -1, err)
			}
			continue
		}
		d.record = append(d.record, int32(r))
	}
	return len(d.record)
}

var (
	errKey       = errors.New("no logfmt: here should be a key")
	errNotClosed = errors.New("no logfmt: a quote is not closed")
	errBehind    = errors.New("no logfmt: behind a closing quote there should be a blank")
)

// maxLearned bounds what is kept of long records.
const maxLearned = 1024

func (d *decoder) line(at, end int, row []value) error {
	b := d.buf
	for place := 0; ; place++ {
		for at < end && b[at] <= ' ' {
			at++
		}
		if at >= end {
			return nil
		}
		start := at
		for at < end && keyByte(b[at]) {
			at++
		}
		if at == start || at < end && b[at] == '"' {
			return errKey
		}
		slot := d.slot(b[start:at], place)
		v := value{kind: bare}
		if at < end && b[at] == '=' {
			at++
			v = value{int32(at), int32(at), plain}
			if at < end && b[at] == '"' {
				v.off++
				for at++; ; at++ {
					if at >= end {
						return errNotClosed
					}
					if b[at] == '"' {
						break
					}
					if b[at] == '\\' {
						v.kind = escaped
						at++
					}
				}
				v.end = int32(at)
				if at++; at < end && b[at] > ' ' {
					return errBehind
				}
			} else {
				for at < end && b[at] > ' ' {
					at++
				}
				v.end = int32(at)
			}
		}
		if slot >= 0 {
			row[slot] = v
		}
	}
}

// slot returns the slot of a key, -1 if it is not wanted.
func (d *decoder) slot(key []byte, place int) int {
	if place < len(d.learned) && d.learned[place].key == string(key) {
		return d.learned[place].slot
	}
	slot, ok := d.slots[string(key)]
	if !ok {
		slot = -1
	}
	if place == len(d.learned) && place < maxLearned {
		d.learned = append(d.learned, guess{string(key), slot})
	}
	return slot
}

// Kinds implements format.Decoder.
func (d *decoder) Kinds() []types.RowKind { return nil }

// Record implements format.Decoder.
func (d *decoder) Record(row int) int { return int(d.record[row]) }

var errMissing = errors.New("the key is missing")

// Fill implements format.Decoder.
func (d *decoder) Fill(w int, sel []int32, out vector.Vector, bad format.BadRow) {
	rows := len(d.record)
	out.Resize(rows)
	arena := convert.ArenaOf(out)
	for i := range format.Selected(rows, sel) {
		if err := d.put(w, d.rows[i*d.stride+d.of[w]], out, i, arena); err != nil {
			out.SetNull(i)
			if !d.f.IgnoreErrors {
				bad(int(d.record[i]), i, fmt.Errorf("column %s: %w", d.names[w], err))
			}
		}
	}
}

func (d *decoder) put(w int, v value, out vector.Vector, i int, arena *vector.Arena) error {
	raw := d.buf[v.off:v.end]
	s := vector.View(raw)
	switch v.kind {
	case missing:
		out.SetNull(i)
		if d.f.FailOnMissing {
			return errMissing
		}
		return nil
	case bare:
		s = "true"
	case escaped:
		text, why := json.AppendUnescaped(arena.Grow(len(raw)+8), raw)
		if why != "" {
			return errors.New(why)
		}
		s = arena.Take(text)
	}
	if !utf8.ValidString(s) {
		return fmt.Errorf("%q is no UTF-8", s)
	}
	return d.conv[w].Put(out, i, s)
}

var _ format.Decoder = (*decoder)(nil)
