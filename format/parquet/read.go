package parquet

import (
	"errors"
	"fmt"
	"io"
	"strings"

	pq "github.com/parquet-go/parquet-go"

	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// recovered turns a panic of the library over a damaged file into an error.
func recovered(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("the file is damaged: %v", p)
	}
}

// reader reads one file, row group after row group.
type reader struct {
	groups []pq.RowGroup
	nodes  []*node // by want; nil: not in the file
	names  []string
	leaves []*leaf
	bounds []bound
	next   int    // row group
	ranges []span // of rows of the one that is open, still to be read
	start  int64  // its first row
	end    int64  // the row behind it
	left   int64  // rows left in the range that is open
	row    int64
	skip   int64
}

type bound struct {
	format.Bound
	node *node
	t    types.Type
}

func openFile(f format.File, d format.FileDecoding, skip int64, utc bool) (*reader, error) {
	f, err := plain(f)
	if err != nil {
		return nil, err
	}
	file, err := pq.OpenFile(f, f.Size(), pq.SkipPageIndex(true), pq.SkipBloomFilters(true))
	if err != nil {
		return nil, err
	}
	r := &reader{groups: file.RowGroups(), skip: skip}
	m := matcher{zone: d.Zone, utc: utc}
	find := func(column int) (*node, error) {
		c := d.Schema.Fields[column]
		for _, exact := range []bool{true, false} {
			for _, of := range file.Root().Columns() {
				if of.Name() == c.Name || !exact && strings.EqualFold(of.Name(), c.Name) {
					n, err := m.match(of, c.Type, 0, 0, 0)
					if err != nil {
						return nil, fmt.Errorf("column %s: %w", c.Name, err)
					}
					return n, nil
				}
			}
		}
		if !c.Type.Nullable {
			return nil, fmt.Errorf("column %s is NOT NULL, but the file does not have it", c.Name)
		}
		return nil, nil
	}
	for _, w := range d.Wanted {
		n, err := find(w.Column)
		if err != nil {
			return nil, err
		}
		r.nodes, r.names = append(r.nodes, n), append(r.names, d.Schema.Fields[w.Column].Name)
	}
	r.leaves = m.leaves
	for _, b := range d.Bounds {
		t := d.Schema.Fields[b.Column].Type
		n, err := find(b.Column)
		if err != nil || n == nil || n.leaf == nil || !n.leaf.bounded(t) {
			continue
		}
		r.bounds = append(r.bounds, bound{b, n, t})
	}
	return r, nil
}

// leaf is a column of values of the file, read through a buffer.
type leaf struct {
	column int
	kind   pq.Kind
	reader pq.ColumnChunkValueReader
	buf    []pq.Value
	at, n  int
	end    bool
}

// peek returns the next value, nil at the end.
func (l *leaf) peek() (*pq.Value, error) {
	if l.at == l.n {
		if l.end {
			return nil, nil
		}
		if l.buf == nil {
			l.buf = make([]pq.Value, 512)
		}
		l.at, l.n = 0, 0
		for tries := 0; l.n == 0; tries++ {
			n, err := l.reader.ReadValues(l.buf)
			l.n = n
			if errors.Is(err, io.EOF) {
				l.end = true
				if n == 0 {
					return nil, nil
				}
			} else if err != nil {
				return nil, err
			} else if n == 0 && tries > 1000 {
				return nil, io.ErrNoProgress
			}
		}
	}
	return &l.buf[l.at], nil
}

func (l *leaf) take() (*pq.Value, error) {
	v, err := l.peek()
	if err == nil && v == nil {
		err = io.ErrUnexpectedEOF
	}
	l.at++
	return v, err
}

// open goes to the next rows that may be wanted: the next range of the row group,
// or the first of the next one.
func (r *reader) open() error {
	for len(r.ranges) == 0 {
		r.row = r.end
		if r.next == len(r.groups) {
			return io.EOF
		}
		g := r.groups[r.next]
		rows := g.NumRows()
		if rows < 0 {
			return errors.New("a row group of less than no rows")
		}
		r.next++
		r.end += rows
		if r.end <= r.skip || !r.may(g) {
			continue
		}
		r.ranges, r.start = r.prune(g, span{max(0, r.skip-r.row), rows}), r.row
		if err := r.openGroup(g); err != nil {
			return err
		}
	}
	next := r.ranges[0]
	r.ranges = r.ranges[1:]
	if r.row != r.start+next.from {
		for _, l := range r.leaves {
			l.at, l.n, l.end = 0, 0, false
			if err := l.reader.SeekToRow(next.from); err != nil {
				return err
			}
		}
	}
	r.row, r.left = r.start+next.from, next.to-next.from
	return nil
}

// openGroup opens the columns of a row group.
func (r *reader) openGroup(g pq.RowGroup) error {
	if len(r.ranges) == 0 {
		return nil
	}
	seeks := len(r.ranges) > 1 || r.ranges[0].from > 0
	chunks := g.ColumnChunks()
	for _, l := range r.leaves {
		if l.column >= len(chunks) {
			return errors.New("a row group has too few columns")
		}
		if l.reader != nil {
			if err := l.reader.Close(); err != nil {
				return err
			}
		}
		if c, ok := chunks[l.column].(*pq.FileColumnChunk); seeks && ok && r.soundIndex(c) {
			_, _ = chunks[l.column].OffsetIndex() // seeking goes by it, if there is one
		}
		l.reader, l.at, l.n, l.end = pq.NewColumnChunkValueReader(chunks[l.column]), 0, 0, false
	}
	return nil
}

// Read implements format.FileReader.
func (r *reader) Read(cols []vector.Vector, max int) (n int, err error) {
	defer recovered(&err)
	for n < max {
		if r.left == 0 {
			if err := r.open(); err != nil {
				return n, err
			}
			continue
		}
		rows := int(min(int64(max-n), r.left))
		for w, c := range cols {
			first := vector.Extend(c, rows)
			for i := first; i < first+rows; i++ {
				if r.nodes[w] == nil {
					vector.SetNullDeep(c, i)
				} else if err := r.nodes[w].read(c, i); err != nil {
					return n, fmt.Errorf("row %d, column %s: %w", r.row+int64(i-first), r.names[w], err)
				}
			}
		}
		r.left -= int64(rows)
		r.row += int64(rows)
		n += rows
	}
	return n, nil
}

// Row implements format.FileReader.
func (r *reader) Row() int64 { return r.row }

// Close implements format.FileReader.
func (r *reader) Close() error {
	var err error
	for _, l := range r.leaves {
		if l.reader != nil {
			err = errors.Join(err, l.reader.Close())
		}
	}
	return err
}

var errNull = errors.New("the value is NULL, but the column is NOT NULL")

// setNull stores a NULL and takes a value off every leaf below.
func (n *node) setNull(out vector.Vector, i int) error {
	if err := n.drop(); err != nil {
		return err
	}
	if !n.nullable {
		return errNull
	}
	vector.SetNullDeep(out, i)
	return nil
}

func (n *node) drop() error {
	for _, l := range n.under {
		if _, err := l.take(); err != nil {
			return err
		}
	}
	return nil
}

// read takes the next value off the leaves below n and stores it in row i of out.
func (n *node) read(out vector.Vector, i int) error {
	if n.leaf != nil {
		v, err := n.leaf.take()
		if err != nil {
			return err
		}
		if v.DefinitionLevel() < n.def || v.IsNull() {
			if !n.nullable {
				return errNull
			}
			out.SetNull(i)
			return nil
		}
		return n.store(*v, out, i)
	}
	v, err := n.under[0].peek()
	if err != nil {
		return err
	}
	if v == nil {
		return io.ErrUnexpectedEOF
	}
	def := v.DefinitionLevel()
	if def < n.def {
		return n.setNull(out, i)
	}
	switch o := out.(type) {
	case *vector.Row:
		for f, c := range n.children {
			if c == nil {
				vector.SetNullDeep(o.Cols[f], i)
			} else if err := c.read(o.Cols[f], i); err != nil {
				return err
			}
		}
		if n.presence != nil {
			_, err := n.presence.take()
			return err
		}
		return nil
	case *vector.List:
		o.Off[i], o.Count[i] = int32(o.Child.Len()), 0
		return n.repeat(def, func() error {
			o.Count[i]++
			return n.children[0].read(o.Child, vector.Extend(o.Child, 1))
		})
	case *vector.Map:
		o.Off[i], o.Count[i] = int32(o.Keys.Len()), 0
		return n.repeat(def, func() error {
			o.Count[i]++
			if err := n.children[0].read(o.Keys, vector.Extend(o.Keys, 1)); err != nil {
				return err
			}
			return n.children[1].read(o.Vals, vector.Extend(o.Vals, 1))
		})
	}
	return fmt.Errorf("a group cannot be read as %s", out.Type())
}

// repeat reads the items of a list or map whose first leaf is at level def.
func (n *node) repeat(def int, item func() error) error {
	if def < n.items {
		return n.drop() // empty
	}
	for {
		if err := item(); err != nil {
			return err
		}
		v, err := n.under[0].peek()
		if err != nil {
			return err
		}
		if v == nil || v.RepetitionLevel() < n.rep {
			return nil
		}
	}
}

var _ format.FileReader = (*reader)(nil)
