package csv

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/format/convert"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// field is where a field stands: without its quotes. The zero field is missing.
type field struct {
	off, end int32
	kind     fieldKind
}

type fieldKind uint8

const (
	missing fieldKind = iota
	plain             // the bytes are the text
	escaped           // with doubled quotes or escapes
)

// decoder is the format.Decoder: rows[row*stride+slot].
type decoder struct {
	f       *csvFormat
	columns int
	slot    []int // by column, -1 if not wanted
	names   []string
	conv    []*convert.Converter
	of      []int // slot by want
	inner   []*format.Inner
	stride  int

	buf    []byte
	rows   []field
	record []int32
	all    []field // of the record in work
}

func newDecoder(f *csvFormat, d format.Decoding) (*decoder, error) {
	dec := &decoder{f: f, columns: len(d.Schema.Fields), slot: make([]int, len(d.Schema.Fields))}
	for i := range dec.slot {
		dec.slot[i] = -1
	}
	for _, w := range d.Wanted {
		field := d.Schema.Fields[w.Column]
		t := w.Type
		if len(w.Path) > 0 {
			t = field.Type
		}
		c, err := convert.New(t, f.conversion())
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", field.Name, err)
		}
		if dec.slot[w.Column] < 0 {
			dec.slot[w.Column] = dec.stride
			dec.stride++
		}
		dec.names, dec.conv = append(dec.names, field.Name), append(dec.conv, c)
		dec.of, dec.inner = append(dec.of, dec.slot[w.Column]), append(dec.inner, format.NewInner(d.Schema, w))
	}
	return dec, nil
}

// Scan implements format.Decoder.
func (d *decoder) Scan(recs *format.Records, from, to int, bad format.BadRow) int {
	d.buf = recs.Buf
	d.rows, d.record = d.rows[:0], d.record[:0]
	for r := from; r < to; r++ {
		s := recs.Val[r]
		if s.Len <= 0 || d.f.Comments && d.buf[s.Off] == '#' {
			continue
		}
		at, end := int(s.Off), int(s.Off+s.Len)
		if s.Len >= 3 && string(d.buf[at:at+3]) == "\ufeff" {
			at += 3
		}
		if len(bytes.TrimSpace(d.buf[at:end])) == 0 && d.f.delim != "\t" && d.f.delim != " " && d.columns > 1 || at == end {
			continue
		}
		if err := d.line(at, end); err != nil {
			if !d.f.IgnoreErrors {
				bad(r, -1, err)
			}
			continue
		}
		n := len(d.rows)
		for range d.stride {
			d.rows = append(d.rows, field{})
		}
		row := d.rows[n:]
		for c, f := range d.all {
			if slot := d.slot[c]; slot >= 0 {
				row[slot] = f
			}
		}
		d.record = append(d.record, int32(r))
	}
	return len(d.record)
}

var (
	errNotClosed = errors.New("no CSV: a quote is not closed")
	errBehind    = errors.New("no CSV: behind a closing quote here should be a delimiter")
)

// line finds the fields of a record.
func (d *decoder) line(at, end int) error {
	d.all = d.all[:0]
	f := d.f
	for more := true; more && len(d.all) <= d.columns; {
		var fd field
		if f.quote != 0 && at < end && d.buf[at] == f.quote {
			var err error
			if fd, at, more, err = d.quoted(at+1, end); err != nil {
				return err
			}
		} else {
			fd, at, more = d.unquoted(at, end)
		}
		d.all = append(d.all, fd)
	}
	if n := len(d.all); n > d.columns || n < d.columns && !f.IgnoreErrors {
		if n > d.columns {
			return fmt.Errorf("the record has more than the %d fields of the table", d.columns)
		}
		return fmt.Errorf("the record has %d fields, the table %d", n, d.columns)
	}
	return nil
}

func (d *decoder) delimAt(at, end int) bool {
	n := len(d.f.delim)
	return at >= 0 && at+n <= end && string(d.buf[at:at+n]) == d.f.delim
}

// unquoted reads a field; more tells that a delimiter follows, next is behind it.
func (d *decoder) unquoted(at, end int) (fd field, next int, more bool) {
	f := d.f
	kind := plain
	stop := end
	if f.escape == 0 {
		var i int
		if len(f.delim) == 1 {
			i = bytes.IndexByte(d.buf[at:end], f.delim[0])
		} else {
			i = bytes.Index(d.buf[at:end], []byte(f.delim))
		}
		if i >= 0 {
			stop = at + i
		}
	} else {
		for stop = at; stop < end && !d.delimAt(stop, end); stop++ {
			if d.buf[stop] == f.escape && stop+1 < end {
				kind = escaped
				stop++
			}
		}
	}
	return field{int32(at), int32(stop), kind}, stop + len(f.delim), stop < end
}

// quoted reads a field behind its opening quote.
func (d *decoder) quoted(at, end int) (fd field, next int, more bool, err error) {
	f := d.f
	kind := plain
	i := at
	for {
		if i >= end {
			return fd, 0, false, errNotClosed
		}
		c := d.buf[i]
		if c == f.escape && c != f.quote && c != 0 {
			kind = escaped
			i += 2
			continue
		}
		if c != f.quote {
			i++
			continue
		}
		if i+1 < end && d.buf[i+1] == f.quote {
			kind = escaped
			i += 2
			continue
		}
		break
	}
	fd = field{int32(at), int32(i), kind}
	for i++; i < end && (d.buf[i] == ' ' || d.buf[i] == '\t') && !d.delimAt(i, end); i++ {
	}
	switch {
	case i >= end:
		return fd, end, false, nil
	case d.delimAt(i, end):
		return fd, i + len(f.delim), true, nil
	}
	return fd, 0, false, errBehind
}

// Kinds implements format.Decoder.
func (d *decoder) Kinds() []types.RowKind { return nil }

// Record implements format.Decoder.
func (d *decoder) Record(row int) int { return int(d.record[row]) }

// Fill implements format.Decoder.
func (d *decoder) Fill(w int, sel []int32, out vector.Vector, bad format.BadRow) {
	rows := len(d.record)
	into := d.inner[w].Begin(out, rows)
	arena := convert.ArenaOf(out)
	for i := range format.Selected(rows, sel) {
		fd := d.rows[i*d.stride+d.of[w]]
		var err error
		if fd.kind == missing {
			vector.SetNullDeep(into, i)
		} else {
			err = d.put(w, fd, into, i, arena)
		}
		if err != nil {
			vector.SetNullDeep(into, i)
			if !d.f.IgnoreErrors {
				bad(int(d.record[i]), i, fmt.Errorf("column %s: %w", d.names[w], err))
			}
		}
		d.inner[w].Take(out, i)
	}
}

func (d *decoder) put(w int, fd field, out vector.Vector, i int, arena *vector.Arena) error {
	raw := d.buf[fd.off:fd.end]
	s := vector.View(raw)
	if fd.kind == escaped {
		s = arena.Take(d.unescape(arena.Grow(len(raw)), raw))
	}
	if !utf8.ValidString(s) {
		return fmt.Errorf("%q is no UTF-8", strings.ToValidUTF8(s, "\uFFFD"))
	}
	return d.conv[w].Put(out, i, s)
}

// unescape undoes doubled quotes and escapes.
func (d *decoder) unescape(dst, s []byte) []byte {
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == d.f.escape && d.f.escape != 0 && i+1 < len(s):
			i++
			switch c = s[i]; c {
			case '0':
				c = 0
			case 'n':
				c = '\n'
			case 'r':
				c = '\r'
			case 't':
				c = '\t'
			}
		case c == d.f.quote && i+1 < len(s) && s[i+1] == c:
			i++
		}
		dst = append(dst, c)
	}
	return dst
}

var _ format.Decoder = (*decoder)(nil)
