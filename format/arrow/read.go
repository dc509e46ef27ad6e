package arrow

import (
	"errors"
	"fmt"
	"io"

	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// reader reads the wanted columns of a file or stream, batch by batch.
type reader struct {
	in      input
	fields  []*field
	columns []*column // by want; nil: not in the data
	names   []string
	unpack  unpacker
	live    bool // batches are handed on as they come

	arrays []*array // of the batch in work, by want
	left   int      // rows left in it
	at     int      // row of it
	row    int64
	skip   int64
}

func newReader(in input, d format.Decoding, skip int64) (*reader, error) {
	r := &reader{in: in, skip: skip}
	first, err := in.next()
	if err == io.EOF {
		err = errors.New("no Arrow data: there is nothing")
	}
	if err == nil && first.kind != headSchema {
		err = errors.New("no Arrow data: they do not begin with a schema")
	}
	if err != nil {
		return nil, err
	}
	if r.fields, err = parseSchema(first.header); err != nil {
		return nil, err
	}
	r.arrays = make([]*array, len(d.Wanted))
	for _, w := range d.Wanted {
		f := d.Schema.Fields[w.Column]
		c, err := r.column(f, w)
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", f.Name, err)
		}
		r.columns, r.names = append(r.columns, c), append(r.names, f.Name)
	}
	return r, nil
}

// column joins a wanted column with its field. A want with a path is read as
// rows with that field alone.
func (r *reader) column(f types.Field, w format.Want) (*column, error) {
	k := find(r.fields, f.Name)
	if k < 0 {
		if !f.Type.Nullable {
			return nil, errors.New("it is NOT NULL, but the data do not have it")
		}
		return nil, nil
	}
	return match(r.fields[k], narrowed(f.Type, w.Path), false, false, 0)
}

// narrowed is t with the field alone that path leads to.
func narrowed(t types.Type, path []string) types.Type {
	if len(path) == 0 {
		return t
	}
	for _, f := range t.Fields {
		if f.Name == path[0] {
			f.Type = narrowed(f.Type, path[1:])
			t.Fields = []types.Field{f}
			break
		}
	}
	return t
}

// open goes to the next batch that has rows behind those to skip.
func (r *reader) open() error {
	for {
		m, err := r.in.next()
		if err != nil {
			return err
		}
		switch m.kind {
		case headDictionary:
			if err := r.dictionary(m); err != nil {
				return fmt.Errorf("dictionary: %w", err)
			}
			continue
		case headBatch:
		case headSchema:
			return errors.New("a second schema")
		default:
			return fmt.Errorf("a message of kind %d, which is not known", m.kind)
		}
		l, err := newLoader(m.header, m.body, &r.unpack)
		if err != nil {
			return err
		}
		if l.rows == 0 || r.row+l.rows <= r.skip {
			r.row += l.rows
			continue
		}
		if err := r.load(l); err != nil {
			return err
		}
		r.at = int(max(0, r.skip-r.row))
		r.row += int64(r.at)
		r.left = int(l.rows) - r.at
		return nil
	}
}

// load loads the wanted columns of a batch.
func (r *reader) load(l *loader) error {
	l.v4 = l.flat.root().short(0, 0) == 3
	for k, f := range r.fields {
		var a *array
		for w, c := range r.columns {
			if c == nil || c.f != f {
				continue
			}
			before := *l
			var err error
			if a, err = l.load(c); err != nil {
				return fmt.Errorf("column %s: %w", r.names[w], err)
			}
			if int64(a.n) < l.rows {
				return fmt.Errorf("column %s: it has fewer values than the batch has rows", r.names[w])
			}
			r.arrays[w] = a
			if another(r.columns[w+1:], f) {
				*l = before // it is wanted twice, in two ways
			}
		}
		if a == nil {
			if err := l.skip(f); err != nil {
				return fmt.Errorf("column %s: %w", r.fields[k].name, err)
			}
		}
	}
	return nil
}

func another(columns []*column, f *field) bool {
	for _, c := range columns {
		if c != nil && c.f == f {
			return true
		}
	}
	return false
}

// dictionary reads the values of a dictionary for the columns that have it.
func (r *reader) dictionary(m message) error {
	id, delta := m.header.long(0), m.header.bool(2)
	var err error
	read := func(c *column) {
		if err == nil {
			err = r.values(c, m, delta)
		}
	}
	for _, c := range r.columns {
		if c != nil {
			c.dictionaries(id, read)
		}
	}
	if m.header.f.bad && err == nil {
		err = errFlat
	}
	return err
}

func (r *reader) values(c *column, m message, delta bool) error {
	l, err := newLoader(m.header.table(1), m.body, &r.unpack)
	if err != nil {
		return err
	}
	of, err := match(c.f, c.t.OrNull(), true, true, 0)
	if err != nil {
		return err
	}
	a, err := l.load(of)
	if err != nil {
		return err
	}
	if c.dict == nil || !delta {
		c.dict = vector.New(c.t.OrNull(), a.n) // rows read before may point into the old one
	}
	_, err = of.read(a, 0, a.n, c.dict, vector.Extend(c.dict, a.n))
	return err
}

// Read implements format.FileReader.
func (r *reader) Read(cols []vector.Vector, max int) (int, error) {
	n := 0
	for n < max {
		if r.left == 0 {
			if n > 0 && r.live {
				break // what comes next may be long in coming
			}
			if err := r.open(); err != nil {
				return n, err
			}
		}
		rows := min(max-n, r.left)
		for w, v := range cols {
			if k, err := r.fill(w, v, vector.Extend(v, rows), rows); err != nil {
				return n, fmt.Errorf("row %d, column %s: %w", r.row+int64(k), r.names[w], err)
			}
		}
		r.passed(rows)
		n += rows
	}
	return n, nil
}

func (r *reader) passed(rows int) {
	r.left -= rows
	r.at += rows
	r.row += int64(rows)
}

// fill stores the next rows of want w.
func (r *reader) fill(w int, v vector.Vector, first, rows int) (int, error) {
	if r.columns[w] == nil {
		for i := range rows {
			vector.SetNullDeep(v, first+i)
		}
		return rows, nil
	}
	return r.columns[w].read(r.arrays[w], r.at, rows, v, first)
}

// Row implements format.FileReader.
func (r *reader) Row() int64 { return r.row }

// Close implements format.FileReader.
func (r *reader) Close() error {
	r.unpack.close()
	return nil
}

var _ format.FileReader = (*reader)(nil)
