package alone

import (
	"fmt"
	"slices"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// decoder makes batches of a split's records.
type decoder struct {
	r     *Reader
	dec   format.Decoder
	want  []int // by column: the decoder's wanted column, -1 of metadata
	meta  []int // by column: index in Table.Metadata, -1 else
	batch *vector.Batch
	drop  map[int]bool
}

func newDecoder(r *Reader) (*decoder, error) {
	schema := r.t.Schema
	d := &decoder{r: r, drop: map[int]bool{}}
	var fields []types.Field
	var wants []format.Want
	for i, f := range schema.Fields {
		meta := slices.IndexFunc(r.b.t.Metadata, func(m connector.Metadata) bool { return m.Column == i })
		d.meta, d.want = append(d.meta, meta), append(d.want, -1)
		if meta >= 0 || slices.ContainsFunc(r.b.told, func(m connector.Metadata) bool { return m.Column == i }) {
			continue
		}
		d.want[i] = len(wants)
		wants = append(wants, format.Want{Column: len(fields), Type: f.Type})
		fields = append(fields, f)
	}
	for _, m := range r.b.told {
		d.want[m.Column] = len(wants)
		wants = append(wants, format.Want{Column: len(fields), Meta: m.Key, Type: schema.Fields[m.Column].Type})
	}
	if r.b.t.Format == nil {
		return nil, fmt.Errorf("option 'format' is required for connector %s", r.b.c.Name)
	}
	var err error
	d.dec, err = r.b.t.Format.NewDecoder(format.Decoding{Schema: types.NewSchema(fields...), Wanted: wants, Zone: r.b.cx.Zone})
	d.batch = vector.NewBatch(schema, 0)
	return d, err
}

// decode makes the batch of all records. Rows that do not decode are not live in it.
func (d *decoder) decode(recs *format.Records, split string) (*vector.Batch, error) {
	clear(d.drop)
	var fault error
	seen := -1
	bad := func(record, row int, why error) {
		if row >= 0 {
			d.drop[row] = true
		}
		if d.r.t.OnBad == nil {
			if fault == nil {
				fault = fmt.Errorf("before position %s: %w", connector.ShowPosition(recs.Position(record)), why)
			}
			return
		}
		if record != seen {
			seen = record
			var text []byte
			if s := recs.Val[record]; s.Len >= 0 {
				text = recs.Buf[s.Off : s.Off+s.Len]
			}
			d.r.t.OnBad(split, text, why)
		}
	}
	n := d.dec.Scan(recs, 0, len(recs.Val), bad)
	b := d.batch
	b.N, b.Sel, b.Kinds = n, nil, d.dec.Kinds()
	b.Origin = vector.Origin{Split: split}
	for c, col := range b.Cols {
		switch {
		case n == 0:
			col.Resize(0)
		case d.want[c] >= 0:
			d.dec.Fill(d.want[c], nil, col, bad)
		default:
			col.Resize(0)
			for r := range n {
				vector.CopyRow(col, recs.Meta[d.meta[c]], d.dec.Record(r))
			}
		}
	}
	if fault != nil {
		return nil, fault
	}
	if len(d.drop) > 0 {
		b.Sel = make([]int32, 0, n)
		for r := range n {
			if !d.drop[r] {
				b.Sel = append(b.Sel, int32(r))
			}
		}
	}
	return b, nil
}
