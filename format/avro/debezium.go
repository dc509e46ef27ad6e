package avro

import (
	"errors"
	"fmt"

	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// Debezium is the format debezium-avro-confluent.
var Debezium = format.Define("debezium-avro-confluent", "Changes as Debezium writes them in Avro, with the id of a schema in a registry.", func(o *registryOptions) (format.Format, error) {
	c, err := newConfluent(o)
	if err != nil {
		return nil, err
	}
	if o.Schema != "" {
		return nil, errors.New("debezium-avro-confluent: option 'schema': the schema of changes is made of the table's columns")
	}
	return &debezium{c}, nil
}).Noted(debeziumNotes).Tells(debeziumTells)

type debezium struct{ *confluent }

// Changelog implements format.Format.
func (d *debezium) Changelog() bool { return true }

// envelope is the row of a change: the rows before and after it, and its kind.
func envelope(t *types.Schema) *types.Schema {
	row := types.RowOf(t.Fields...)
	return types.NewSchema(types.Field{Name: "before", Type: row}, types.Field{Name: "after", Type: row}, types.Field{Name: "op", Type: types.String()})
}

// The columns of an envelope.
const (
	before = iota
	after
	op
)

// NewDecoder implements format.Format.
func (d *debezium) NewDecoder(in format.Decoding) (format.Decoder, error) {
	// Rows have the wanted columns alone.
	part := types.Schema{}
	at := map[int]int{}
	dec := &changes{}
	told := tellings{}
	for _, w := range in.Wanted {
		if w.Meta != "" {
			p, err := told.spot(w.Meta)
			if err != nil {
				return nil, err
			}
			dec.spots = append(dec.spots, p)
			continue
		}
		k, ok := at[w.Column]
		if !ok {
			k = len(part.Fields)
			at[w.Column] = k
			part.Fields = append(part.Fields, in.Schema.Fields[w.Column])
		}
		path := []int{k}
		for t := in.Schema.Fields[w.Column].Type; len(path) <= len(w.Path); {
			for f := range t.Fields {
				if t.Fields[f].Name == w.Path[len(path)-1] {
					path, t = append(path, f), t.Fields[f].Type
					break
				}
			}
		}
		dec.spots = append(dec.spots, spot{column: ofChange, path: path})
	}
	s := envelope(types.NewSchema(part.Fields...))
	s = types.NewSchema(append(s.Fields, told.fields...)...)
	all := format.Decoding{Schema: s, Zone: in.Zone}
	for c, f := range s.Fields {
		all.Wanted = append(all.Wanted, format.Want{Column: c, Type: f.Type})
		dec.cols = append(dec.cols, vector.New(f.Type, 0))
	}
	dec.inner = newDecoder(all, d.plans(all))
	return dec, nil
}

// changes reads a change a record: one row, or two of an update.
type changes struct {
	inner *decoder
	spots []spot          // by want
	cols  []vector.Vector // before, after, op, and what is told beside them
	kinds []types.RowKind
	of    []change
	bad   []error // by row of inner
}

// change is a row of a change: that before or after it.
type change struct {
	row  int32 // of inner
	side uint8
}

// Scan implements format.Decoder.
func (d *changes) Scan(recs *format.Records, from, to int, bad format.BadRow) int {
	n := d.inner.Scan(recs, from, to, bad)
	d.kinds, d.of = d.kinds[:0], d.of[:0]
	d.bad = append(d.bad[:0], make([]error, n)...)
	note := func(_, row int, err error) { d.bad[row] = err }
	for w, c := range d.cols {
		d.inner.Fill(w, nil, c, note)
	}
	for i := range n {
		if err := d.change(i); err != nil {
			bad(d.inner.Record(i), -1, err)
		}
	}
	return len(d.of)
}

func (d *changes) change(i int) error {
	if d.bad[i] != nil {
		return d.bad[i]
	}
	do := ""
	if ops := d.cols[op].(*vector.Flat[string]); !ops.IsNull(i) {
		do = ops.Vals[i]
	}
	need := func(side uint8, why string) error {
		if d.cols[side].IsNull(i) {
			return errors.New(why)
		}
		return nil
	}
	const noBefore, noAfter = `the change has no "before"; is REPLICA IDENTITY of the table FULL?`, `the change has no "after"`
	var err error
	add := func(kind types.RowKind, side uint8) {
		d.kinds, d.of = append(d.kinds, kind), append(d.of, change{int32(i), side})
	}
	switch do {
	case "c", "r":
		if err = need(after, noAfter); err == nil {
			add(types.Insert, after)
		}
	case "u":
		if err = errors.Join(need(before, noBefore), need(after, noAfter)); err == nil {
			add(types.UpdateBefore, before)
			add(types.UpdateAfter, after)
		}
	case "d":
		if err = need(before, noBefore); err == nil {
			add(types.Delete, before)
		}
	default:
		err = fmt.Errorf("unknown kind of change op = %q", do)
	}
	return err
}

// Kinds implements format.Decoder.
func (d *changes) Kinds() []types.RowKind { return d.kinds }

// Record implements format.Decoder.
func (d *changes) Record(row int) int { return d.inner.Record(int(d.of[row].row)) }

// spot is where a want is: the column of the envelope, and the fields below it.
type spot struct {
	column int // ofChange: before or after
	path   []int
	millis bool // a BIGINT there is ms since 1970
}

const ofChange = -1

func (p spot) in(cols []vector.Vector, side uint8) vector.Vector {
	v := cols[side]
	if p.column != ofChange {
		v = cols[p.column]
	}
	for _, f := range p.path {
		v = v.(*vector.Row).Cols[f]
	}
	return v
}

// Fill implements format.Decoder.
func (d *changes) Fill(w int, _ []int32, out vector.Vector, _ format.BadRow) {
	out.Resize(0)
	p := d.spots[w]
	var sides [2]vector.Vector
	for side := range sides {
		sides[side] = p.in(d.cols, uint8(side))
	}
	for _, c := range d.of {
		from := sides[c.side]
		if !p.millis || from.IsNull(int(c.row)) {
			vector.CopyRow(out, from, int(c.row))
			continue
		}
		out.(*vector.Flat[types.TS]).Vals[vector.Extend(out, 1)] = types.TSFromMs(from.(*vector.Flat[int64]).Vals[c.row])
	}
}

// NewEncoder implements format.Format: +I and +U are written as insertions, -U
// and -D as deletions.
func (d *debezium) NewEncoder(e format.Encoding) (format.Encoder, error) {
	m := legacy
	if !d.o.Legacy {
		m = proper
	}
	text, err := m.tableSchema(envelope(e.Schema))
	if err != nil {
		return nil, err
	}
	prefix, err := d.prefix(text)
	if err != nil {
		return nil, err
	}
	return &changeWriter{rows: encoder{fields: e.Schema.Fields}, prefix: prefix}, nil
}

type changeWriter struct {
	rows   encoder
	prefix func() ([]byte, error)
}

// Append implements format.Encoder.
func (c *changeWriter) Append(dst []byte, b *vector.Batch, i int) ([]byte, bool, error) {
	p, err := c.prefix()
	if err != nil {
		return dst, false, err
	}
	// Branch 0 of a union is null, 1 (a 2 in zigzag) the value.
	dst = append(dst, p...)
	do, deleted := byte('c'), b.Kind(i).Sign() < 0
	if deleted {
		do = 'd'
	} else {
		dst = append(dst, 0)
	}
	if dst, err = c.rows.row(append(dst, 2), b.Cols, i); err != nil {
		return dst, false, err
	}
	if deleted {
		dst = append(dst, 0)
	}
	return append(dst, 2, 2, do), false, nil
}

var (
	_ format.Decoder = (*changes)(nil)
	_ format.Encoder = (*changeWriter)(nil)
)
