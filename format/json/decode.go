package json

import (
	"errors"
	"strings"

	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// decoder is the format.Decoder. Scan notes for each row where the wanted
// fields stand: values[row*stride+slot].
type decoder struct {
	o       *conversion
	proj    *Projector
	slots   []int // by want
	columns []*Column
	stride  int

	buf    []byte
	values []Value
	record []int32 // by row
	bad    format.BadRow
	note   func(row int, err error) // badRow, bound once
}

func newDecoder(d format.Decoding, o *conversion) (*decoder, error) {
	dec := &decoder{o: o}
	dec.note = dec.badRow
	var paths [][]string
	seen := map[string]int{}
	for _, w := range d.Wanted {
		path := append([]string{d.Schema.Fields[w.Column].Name}, w.Path...)
		c, err := newColumn(strings.Join(path, "."), w.Type, o)
		if err != nil {
			return nil, err
		}
		id := strings.Join(path, "\x00")
		slot, ok := seen[id]
		if !ok {
			slot = len(paths)
			seen[id] = slot
			paths = append(paths, path)
		}
		dec.slots, dec.columns = append(dec.slots, slot), append(dec.columns, c)
	}
	dec.proj, dec.stride = NewProjector(paths), len(paths)
	return dec, nil
}

// Slack is how many bytes behind a record a Projector may read (not write).
const Slack = 64

// Readable returns the buffer of recs with Slack bytes behind the last record,
// copied if its capacity is too small.
func Readable(recs *format.Records) []byte {
	n := len(recs.Buf)
	if cap(recs.Buf) < n+Slack {
		grown := make([]byte, n, n+n/8+Slack)
		copy(grown, recs.Buf)
		recs.Buf = grown
	}
	return recs.Buf[: n+Slack : n+Slack]
}

// Scan implements format.Decoder.
func (d *decoder) Scan(recs *format.Records, from, to int, bad format.BadRow) int {
	d.buf, d.bad = Readable(recs), bad
	d.record = d.record[:0]
	if need := (to - from) * d.stride; cap(d.values) < need {
		d.values = make([]Value, need)
	}
	d.values = d.values[:0]
	d.proj.IndexRecords(d.buf, recs.Val[from:to])
	for r := from; r < to; r++ {
		at, end, ok := bounds(d.buf, recs.Val[r])
		if !ok {
			continue
		}
		if d.buf[at] == '[' {
			d.array(at, end, r)
			continue
		}
		row := d.newRow()
		next := d.proj.Object(d.buf, at, end, row)
		if next != end {
			d.dropRow()
			d.broken(next, at, end, int(recs.Val[r].Off), r)
			continue
		}
		d.record = append(d.record, int32(r))
	}
	return len(d.record)
}

// IndexRecords is Index for the part of buf that has the records.
func (p *Projector) IndexRecords(buf []byte, recs []format.Span) {
	from, end := len(buf), 0
	for _, s := range recs {
		if s.Len > 0 {
			from, end = min(from, int(s.Off)), max(end, int(s.Off+s.Len))
		}
	}
	if from < end {
		p.Index(buf, from, end)
	}
}

// bounds returns where the text of a record starts and ends, blanks around it
// and a byte order mark in front aside. ok is false if there is none.
func bounds(buf []byte, s format.Span) (at, end int, ok bool) {
	if s.Len <= 0 {
		return 0, 0, false
	}
	at, end = int(s.Off), int(s.Off+s.Len)
	if buf[at] == 0xEF && end-at >= 3 && buf[at+1] == 0xBB && buf[at+2] == 0xBF {
		at += 3
	}
	at = skipBlank(buf, at, end)
	for end > at && class[buf[end-1]]&blankByte != 0 {
		end--
	}
	return at, end, at < end
}

func (d *decoder) newRow() []Value {
	n := len(d.values)
	if cap(d.values) < n+d.stride {
		grown := make([]Value, n, 2*(n+d.stride))
		copy(grown, d.values)
		d.values = grown
	}
	d.values = d.values[:n+d.stride]
	return d.values[n:]
}

func (d *decoder) dropRow() { d.values = d.values[:len(d.values)-d.stride] }

// broken reports a damaged record: next is -1, or where something stands
// behind the object.
func (d *decoder) broken(next, at, end, base, r int) {
	if d.o.ignore {
		return
	}
	if next >= 0 {
		d.proj.fail(next, "something stands behind the object")
	}
	d.bad(r, -1, d.proj.Err(base))
}

// array reads a record that is an array of objects: each is a row. If one is
// damaged, none is.
func (d *decoder) array(at, end, r int) {
	base, rows := at, len(d.record)
	undo := func(why error) {
		d.record = d.record[:rows]
		d.values = d.values[:rows*d.stride]
		if !d.o.ignore {
			d.bad(r, -1, why)
		}
	}
	at = skipBlank(d.buf, at+1, end)
	for first := true; ; first = false {
		if at < end && d.buf[at] == ']' && first {
			break
		}
		if at < end && d.buf[at] != '{' && d.o.ignore {
			if at = d.proj.skip(d.buf, at, end); at < 0 { // an element that is no object has no row
				undo(nil)
				return
			}
		} else {
			row := d.newRow()
			if at = d.proj.Object(d.buf, at, end, row); at < 0 {
				undo(d.proj.Err(base))
				return
			}
			d.record = append(d.record, int32(r))
		}
		at = skipBlank(d.buf, at, end)
		if at < end && d.buf[at] == ']' {
			break
		}
		if at >= end || d.buf[at] != ',' {
			d.proj.fail(at, "here should be a comma or the end of the array")
			undo(d.proj.Err(base))
			return
		}
		at = skipBlank(d.buf, at+1, end)
	}
	if at+1 != end {
		undo(errors.New("no JSON: something stands behind the array"))
	}
}

// Kinds implements format.Decoder.
func (d *decoder) Kinds() []types.RowKind { return nil }

// Record implements format.Decoder.
func (d *decoder) Record(row int) int { return int(d.record[row]) }

// Fill implements format.Decoder.
func (d *decoder) Fill(w int, sel []int32, out vector.Vector, bad format.BadRow) {
	d.bad = bad
	d.columns[w].Fill(d.buf, d.values, d.stride, d.slots[w], len(d.record), sel, out, d.note)
}

func (d *decoder) badRow(row int, err error) { d.bad(int(d.record[row]), row, err) }

var _ format.Decoder = (*decoder)(nil)
