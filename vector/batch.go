package vector

import "github.com/runnelio/runnel/types"

// DefaultSize is the usual number of rows of a batch.
const DefaultSize = 1024

// A Batch is rows of one schema, in columns. Whoever is handed a batch may
// change its header (Sel, the Cols slice, Kinds, N); vectors are shared and
// read-only. Nothing may be kept after returning, except by CopyTo.
type Batch struct {
	Schema *types.Schema
	Cols   []Vector
	N      int             // physical rows
	Sel    []int32         // live rows, ascending; nil: all N
	Kinds  []types.RowKind // by physical row; empty: all +I
	Origin Origin
	// From tells more of the records that the physical rows came from; nil where
	// rows are not one for one the records of a source any more.
	From Records
}

// Records tells of the records that the rows of a batch were made of. It is valid
// as long as the batch is.
type Records interface {
	// Position is where the split goes on behind the record of physical row i, ""
	// if the source does not tell.
	Position(i int) string
	// Metadata is the METADATA column of that key of physical row i, which the
	// source's table declares, with its type; false if it declares none.
	Metadata(i int, key string) (v types.Value, t types.Type, ok bool)
}

// Origin says which input rows a batch came from. It is the zero Origin for
// batches that an operator made out of state.
type Origin struct {
	Split string // the split's id
	First string // position of its first record
	Last  string // position behind its last record: where to seek to go on
}

// NewBatch returns an empty batch of the schema with flat vectors of its own.
func NewBatch(s *types.Schema, capacity int) *Batch {
	b := &Batch{Schema: s, Cols: make([]Vector, len(s.Fields))}
	for i, f := range s.Fields {
		b.Cols[i] = New(f.Type, capacity)
	}
	return b
}

// Live is the number of live rows.
func (b *Batch) Live() int {
	if b.Sel != nil {
		return len(b.Sel)
	}
	return b.N
}

// Kind returns the kind of physical row i.
func (b *Batch) Kind(i int) types.RowKind {
	if len(b.Kinds) == 0 {
		return types.Insert
	}
	return b.Kinds[i]
}

// Reset empties a batch that owns its vectors, so that it can be filled again.
func (b *Batch) Reset() {
	for _, c := range b.Cols {
		c.Resize(0)
	}
	b.N, b.Sel, b.Origin, b.From = 0, nil, Origin{}, nil
	b.Kinds = b.Kinds[:0]
}

// AppendRow copies physical row i of src to the end of b, which owns its
// vectors, with the given kind.
func (b *Batch) AppendRow(src *Batch, i int, kind types.RowKind) {
	for c := range b.Cols {
		CopyRow(b.Cols[c], src.Cols[c], i)
	}
	b.appendKind(kind)
}

// AppendValues adds a row of values, one a column, with the given kind.
func (b *Batch) AppendValues(kind types.RowKind, values ...types.Value) {
	for c := range b.Cols {
		Append(b.Cols[c], values[c])
	}
	b.appendKind(kind)
}

// AppendKind records the kind of a row whose columns the caller has appended.
func (b *Batch) AppendKind(kind types.RowKind) { b.appendKind(kind) }

func (b *Batch) appendKind(kind types.RowKind) {
	if len(b.Kinds) > 0 || kind != types.Insert {
		for len(b.Kinds) < b.N {
			b.Kinds = append(b.Kinds, types.Insert)
		}
		b.Kinds = append(b.Kinds, kind)
	}
	b.N++
}

// CopyTo appends the rows of b named by sel (b's live rows if nil) to dst,
// which owns its vectors and has b's columns. dst does not depend on b then.
func (b *Batch) CopyTo(dst *Batch, sel []int32) {
	if sel == nil {
		sel = b.Sel
	}
	n := b.N
	if sel != nil {
		n = len(sel)
	}
	for c := range dst.Cols {
		CopyRows(dst.Cols[c], b.Cols[c], sel)
	}
	if len(b.Kinds) == 0 && len(dst.Kinds) == 0 {
		dst.N += n
		return
	}
	for len(dst.Kinds) < dst.N {
		dst.Kinds = append(dst.Kinds, types.Insert)
	}
	if sel == nil {
		for i := range n {
			dst.Kinds = append(dst.Kinds, b.Kind(i))
		}
	} else {
		for _, i := range sel {
			dst.Kinds = append(dst.Kinds, b.Kind(int(i)))
		}
	}
	dst.N += n
}

// Row returns the values of physical row i.
func (b *Batch) Row(i int) []types.Value {
	out := make([]types.Value, len(b.Cols))
	for c, v := range b.Cols {
		out[c] = Get(v, i)
	}
	return out
}

// Rows calls f for each live physical row.
func (b *Batch) Rows(f func(i int)) {
	if b.Sel == nil {
		for i := range b.N {
			f(i)
		}
		return
	}
	for _, i := range b.Sel {
		f(int(i))
	}
}
