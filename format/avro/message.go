package avro

import (
	"errors"
	"fmt"
	"math"

	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// plan says how datums of a schema become wanted columns: for each field of the
// writer the wants it fills, in the order it is written.
type plan struct {
	writer *schema
	steps  []step
	puts   []put // by want; nil: no field, NULL
}

type step struct {
	of    *schema
	wants []int
}

// newPlan resolves the wanted columns against what was written.
func newPlan(w *schema, d format.Decoding) (*plan, error) {
	if w.kind != record {
		return nil, fmt.Errorf("the schema is a %s: tables are read from records", w.kind)
	}
	p := &plan{writer: w, puts: make([]put, len(d.Wanted))}
	for _, f := range w.fields {
		p.steps = append(p.steps, step{of: f.of})
	}
	for i, want := range d.Wanted {
		f := d.Schema.Fields[want.Column]
		one := []types.Field{f}
		puts, _, missing, err := resolveFields(w, one, 0)
		if err != nil {
			return nil, err
		}
		if missing != nil {
			continue
		}
		k := w.find(f.Name)
		p.puts[i] = puts[k]
		p.steps[k].wants = append(p.steps[k].wants, i)
	}
	return p, nil
}

// scan passes over one datum and notes where the wanted fields begin.
func (p *plan) scan(b []byte, at int, places []int32) (int, error) {
	var err error
	for i := range p.steps {
		s := &p.steps[i]
		for _, w := range s.wants {
			places[w] = int32(at)
		}
		if at, err = s.of.skip(b, at, 0); err != nil {
			return at, fmt.Errorf("%s: %w", p.writer.fields[i].name, err)
		}
	}
	return at, nil
}

// fill makes want w of row i out of what begins at place. A want with a path is
// the nested field of a value made in whole.
func (p *plan) fill(w int, b []byte, place int32, out vector.Vector, i int) error {
	if p.puts[w] == nil {
		vector.SetNullDeep(out, i)
		return nil
	}
	_, err := p.puts[w](b, int(place), out, i)
	return err
}

// decoder reads a datum a record.
type decoder struct {
	wants []format.Want
	names []string
	// find returns the plan of a record and where its datum begins.
	find func(rec []byte) (*plan, int, error)

	buf    []byte
	ends   []int
	places []int32 // by row and want
	plans  []*plan
	record []int32
	inner  []*format.Inner // by want
}

func newDecoder(d format.Decoding, find func(rec []byte) (*plan, int, error)) *decoder {
	dec := &decoder{wants: d.Wanted, find: find}
	for _, w := range d.Wanted {
		dec.names = append(dec.names, d.Schema.Fields[w.Column].Name)
		dec.inner = append(dec.inner, format.NewInner(d.Schema, w))
	}
	return dec
}

var errEmpty = errors.New("the record is empty")

// Scan implements format.Decoder.
func (d *decoder) Scan(recs *format.Records, from, to int, bad format.BadRow) int {
	d.buf = recs.Buf
	d.places, d.plans, d.record, d.ends = d.places[:0], d.plans[:0], d.record[:0], d.ends[:0]
	for r := from; r < to; r++ {
		s := recs.Val[r]
		if s.Len < 0 {
			continue // a tombstone
		}
		if err := d.scan(r, int(s.Off), int(s.Off+s.Len)); err != nil {
			bad(r, -1, err)
		}
	}
	return len(d.record)
}

func (d *decoder) scan(r, at, end int) error {
	p, skip, err := d.find(d.buf[at:end:end])
	if err != nil {
		return err
	}
	n := len(d.places)
	for range d.wants {
		d.places = append(d.places, 0)
	}
	if _, err := p.scan(d.buf[:end:end], at+skip, d.places[n:]); err != nil {
		d.places = d.places[:n]
		return err
	}
	d.plans, d.record, d.ends = append(d.plans, p), append(d.record, int32(r)), append(d.ends, end)
	return nil
}

// Kinds implements format.Decoder.
func (d *decoder) Kinds() []types.RowKind { return nil }

// Record implements format.Decoder.
func (d *decoder) Record(row int) int { return int(d.record[row]) }

// Fill implements format.Decoder.
func (d *decoder) Fill(w int, sel []int32, out vector.Vector, bad format.BadRow) {
	rows := len(d.record)
	into := d.inner[w].Begin(out, rows)
	for i := range format.Selected(rows, sel) {
		if err := d.plans[i].fill(w, d.buf[:d.ends[i]], d.places[i*len(d.wants)+w], into, i); err != nil {
			vector.SetNullDeep(into, i)
			bad(int(d.record[i]), i, fmt.Errorf("column %s: %w", d.names[w], err))
		}
		d.inner[w].Take(out, i)
	}
}

// messages is the encoder of a datum a record, behind a prefix.
type messages struct {
	encoder
	prefix func() ([]byte, error)
}

// Append implements format.Encoder.
func (m *messages) Append(dst []byte, b *vector.Batch, i int) ([]byte, bool, error) {
	if m.prefix != nil {
		p, err := m.prefix()
		if err != nil {
			return dst, false, err
		}
		dst = append(dst, p...)
	}
	start := len(dst)
	dst, err := m.row(dst, b.Cols, i)
	if err == nil && len(dst)-start > math.MaxInt32 {
		err = errLong
	}
	return dst, false, err
}

var (
	_ format.Decoder = (*decoder)(nil)
	_ format.Encoder = (*messages)(nil)
)
