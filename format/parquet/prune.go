package parquet

import (
	pq "github.com/parquet-go/parquet-go"

	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// span is the rows [from, to) of a row group.
type span struct{ from, to int64 }

// may tells whether a row group can have rows that keep all bounds.
func (r *reader) may(g pq.RowGroup) bool {
	chunks := g.ColumnChunks()
	for _, b := range r.bounds {
		c := chunkOf(chunks, b)
		if c == nil {
			continue
		}
		if n := c.NullCount(); n > 0 && n == c.NumValues() {
			return false // NULL keeps no bound
		}
		if low, high, ok := c.Bounds(); ok && !b.between(low, high) {
			return false
		}
	}
	return true
}

func chunkOf(chunks []pq.ColumnChunk, b bound) *pq.FileColumnChunk {
	if b.node.leaf.column >= len(chunks) {
		return nil
	}
	c, _ := chunks[b.node.leaf.column].(*pq.FileColumnChunk)
	return c
}

// between tells whether a value from low to high can keep the bound.
func (b bound) between(low, high pq.Value) bool {
	var ends [2]types.Value
	for i, v := range []pq.Value{low, high} {
		out := vector.New(b.t.OrNull(), 1)
		vector.Extend(out, 1)
		if v.IsNull() || b.node.store(v, out, 0) != nil {
			return true
		}
		ends[i] = vector.Get(out, 0)
	}
	return ends[0] == nil || ends[1] == nil || b.May(ends[0], ends[1], b.t)
}

// prune leaves out of rows the pages of the bounds' columns that no row can keep
// a bound in, by the file's page index. A column without an index leaves out none.
func (r *reader) prune(g pq.RowGroup, rows span) []span {
	keep := []span{rows}
	chunks := g.ColumnChunks()
	for _, b := range r.bounds {
		c := chunkOf(chunks, b)
		if c == nil {
			continue
		}
		if !r.soundIndex(c) {
			continue
		}
		index, err := c.ColumnIndex()
		if err != nil {
			continue
		}
		places, err := c.OffsetIndex()
		if err != nil || places.NumPages() != index.NumPages() {
			continue
		}
		keep = cross(keep, b.pages(index, places, g.NumRows()))
	}
	return keep
}

// soundIndex tells whether the page index of a column of the open row group can be read.
func (r *reader) soundIndex(c *pq.FileColumnChunk) bool {
	m := &c.File().Metadata().RowGroups[r.next-1].Columns[c.Column()]
	size := c.File().Size()
	return soundAt(c.File(), size, m.ColumnIndexOffset, m.ColumnIndexLength) && soundAt(c.File(), size, m.OffsetIndexOffset, m.OffsetIndexLength)
}

// pages returns the rows of the pages that may keep the bound.
func (b bound) pages(index pq.ColumnIndex, places pq.OffsetIndex, rows int64) []span {
	var out []span
	n := places.NumPages()
	before := int64(0)
	for i := range n {
		s := span{places.FirstRowIndex(i), rows}
		if i+1 < n {
			s.to = places.FirstRowIndex(i + 1)
		}
		if s.from != before || s.to < s.from || s.to > rows {
			return []span{{0, rows}} // an index that cannot be believed
		}
		before = s.to
		if index.NullPage(i) || !b.between(index.MinValue(i), index.MaxValue(i)) {
			continue
		}
		if k := len(out); k > 0 && out[k-1].to == s.from {
			out[k-1].to = s.to
			continue
		}
		out = append(out, s)
	}
	return out
}

// cross returns the rows that are in both lists.
func cross(a, b []span) []span {
	var out []span
	for len(a) > 0 && len(b) > 0 {
		if s := (span{max(a[0].from, b[0].from), min(a[0].to, b[0].to)}); s.from < s.to {
			out = append(out, s)
		}
		if a[0].to < b[0].to {
			a = a[1:]
		} else {
			b = b[1:]
		}
	}
	return out
}
