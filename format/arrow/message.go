package arrow

import (
	"errors"
	"fmt"
	"io"

	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// decoder reads records each of which is a stream or file of any number of rows.
// A value that cannot be read makes the record bad, with all its rows.
type decoder struct {
	d     format.Decoding
	types []types.Type // by want: the column's, with what the want's path leads to alone
	parts []part
	of    []int32 // by row: its record
	free  [][]vector.Vector
}

// part is what a record held.
type part struct {
	cols []vector.Vector
	rows int
}

func newDecoder(d format.Decoding) *decoder {
	dec := &decoder{d: d}
	for _, w := range d.Wanted {
		dec.types = append(dec.types, narrowed(d.Schema.Fields[w.Column].Type, w.Path))
	}
	return dec
}

// Scan implements format.Decoder.
func (d *decoder) Scan(recs *format.Records, from, to int, bad format.BadRow) int {
	for _, p := range d.parts {
		d.free = append(d.free, p.cols)
	}
	d.parts, d.of = d.parts[:0], d.of[:0]
	for r := from; r < to; r++ {
		s := recs.Val[r]
		if s.Len < 0 {
			continue // a tombstone
		}
		p := part{cols: d.vectors()}
		if err := d.record(recs.Buf[s.Off:s.Off+s.Len:s.Off+s.Len], &p); err != nil {
			d.free = append(d.free, p.cols)
			bad(r, -1, err)
			continue
		}
		d.parts = append(d.parts, p)
		for range p.rows {
			d.of = append(d.of, int32(r))
		}
	}
	return len(d.of)
}

// vectors returns empty vectors, one a want.
func (d *decoder) vectors() []vector.Vector {
	if n := len(d.free); n > 0 {
		cols := d.free[n-1]
		d.free = d.free[:n-1]
		for _, c := range cols {
			c.Resize(0)
		}
		return cols
	}
	cols := make([]vector.Vector, len(d.types))
	for i, t := range d.types {
		cols[i] = vector.New(t.OrNull(), 0)
	}
	return cols
}

func (d *decoder) record(b []byte, p *part) error {
	in, err := openFile(record(b))
	if err != nil {
		return err
	}
	r, err := newReader(in, d.d, 0)
	if err != nil {
		return err
	}
	defer r.Close()
	for {
		if r.left == 0 {
			if err := r.open(); err == io.EOF {
				return nil
			} else if err != nil {
				return err
			}
		}
		// A row takes a bit at least, but for those of which no bytes are wanted.
		if p.rows+r.left > 1<<20+8*len(b) {
			return errors.New("the record has too many rows")
		}
		rows := r.left
		for w, v := range p.cols {
			if k, err := r.fill(w, v, vector.Extend(v, rows), rows); err != nil {
				return fmt.Errorf("row %d, column %s: %w", p.rows+k, r.names[w], err)
			}
		}
		r.passed(rows)
		p.rows += rows
	}
}

// Kinds implements format.Decoder.
func (d *decoder) Kinds() []types.RowKind { return nil }

// Record implements format.Decoder.
func (d *decoder) Record(row int) int { return int(d.of[row]) }

// Fill implements format.Decoder.
func (d *decoder) Fill(w int, _ []int32, out vector.Vector, _ format.BadRow) {
	out.Resize(0)
	for _, p := range d.parts {
		v := p.cols[w]
		for range d.d.Wanted[w].Path {
			v = v.(*vector.Row).Cols[0]
		}
		vector.CopyRows(out, v, nil)
	}
}

// encoder writes a stream of one row a record.
type encoder struct {
	batch *batcher
	head  []byte // the schema
	row   [1]int32
}

func newEncoder(e format.Encoding, compression string) (*encoder, error) {
	b, err := newBatcher(e.Schema, compression)
	if err != nil {
		return nil, err
	}
	return &encoder{batch: b, head: b.schema(nil)}, nil
}

// Append implements format.Encoder.
func (e *encoder) Append(dst []byte, b *vector.Batch, i int) ([]byte, bool, error) {
	e.row[0] = int32(i)
	e.batch.reset()
	if err := e.batch.add(b, e.row[:]); err != nil {
		return dst, false, err
	}
	out, err := e.batch.message(append(dst, e.head...))
	return append(out, eos...), false, err
}

var (
	_ format.Decoder = (*decoder)(nil)
	_ format.Encoder = (*encoder)(nil)
)
