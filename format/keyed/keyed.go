// Package keyed makes one format of two: of records whose key is encoded in one
// format and whose value in another, as Kafka's are.
//
// The key's columns may be in the value too, which counts then, or in the key
// alone. In the upsert form the key is the table's primary key, and a record
// without a value deletes the row that has the key.
package keyed

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// Spec is how key and value make a row.
type Spec struct {
	Key, Value format.Format
	// Columns are the names of the key's columns. In the upsert form they are
	// the primary key, which WithKey tells.
	Columns []string
	// Prefix is what the names of the key's columns begin with in the table and
	// not in the key.
	Prefix string
	// ExceptKey leaves the key's columns out of the value.
	ExceptKey bool
	Upsert    bool
}

// New returns the format. Its encoders are *Encoder.
func New(s Spec) format.Format { return &keyed{s} }

type keyed struct{ Spec }

// Framing implements format.Format.
func (k *keyed) Framing() format.Framing { return k.Value.Framing() }

// Changelog implements format.Format.
func (k *keyed) Changelog() bool { return k.Upsert || k.Value.Changelog() }

// Metadata implements format.Annotated: what the value's format tells.
func (k *keyed) Metadata() []types.Field {
	if a, ok := k.Value.(format.Annotated); ok {
		return a.Metadata()
	}
	return nil
}

// Upserts implements format.Upserter.
func (k *keyed) Upserts() bool { return k.Upsert }

// WithKey implements format.Keyer.
func (k *keyed) WithKey(columns []string) (format.Format, error) {
	if !k.Upsert {
		return k, nil
	}
	if len(columns) == 0 {
		return nil, errors.New("a PRIMARY KEY is needed: it is the key of the records")
	}
	own := *k
	own.Columns = columns
	return &own, nil
}

// parts are the schemas of key and value with the places of their columns.
type parts struct {
	key, value     *types.Schema
	inKey, inValue []int // by column of the whole; -1: not in it
	fromK, fromV   []int // column of the whole by column of the part
}

func (k *keyed) parts(s *types.Schema) (*parts, error) {
	p := &parts{inKey: make([]int, len(s.Fields)), inValue: make([]int, len(s.Fields))}
	for i := range s.Fields {
		p.inKey[i], p.inValue[i] = -1, -1
	}
	var kf, vf []types.Field
	for _, name := range k.Columns {
		i := s.Index(name)
		if i < 0 {
			return nil, fmt.Errorf("there is no column '%s' for the key", name)
		}
		f := s.Fields[i]
		bare, ok := strings.CutPrefix(f.Name, k.Prefix)
		if !ok {
			return nil, fmt.Errorf("column '%s' of the key does not begin with '%s'", f.Name, k.Prefix)
		}
		f.Name = bare
		p.inKey[i] = len(kf)
		kf, p.fromK = append(kf, f), append(p.fromK, i)
	}
	for i, f := range s.Fields {
		if k.ExceptKey && p.inKey[i] >= 0 {
			continue
		}
		p.inValue[i] = len(vf)
		vf, p.fromV = append(vf, f), append(p.fromV, i)
	}
	p.key, p.value = types.NewSchema(kf...), types.NewSchema(vf...)
	return p, nil
}

// NewDecoder implements format.Format.
func (k *keyed) NewDecoder(d format.Decoding) (format.Decoder, error) {
	p, err := k.parts(d.Schema)
	if err != nil {
		return nil, err
	}
	dec := &decoder{upsert: k.Upsert}
	kd, vd := format.Decoding{Schema: p.key, Zone: d.Zone}, format.Decoding{Schema: p.value, Zone: d.Zone}
	for _, w := range d.Wanted {
		src := source{key: -1, value: -1}
		if w.Meta != "" { // of the value; a deletion tells nothing
			src.value = len(vd.Wanted)
			vd.Wanted = append(vd.Wanted, format.Want{Column: len(p.value.Fields), Meta: w.Meta, Type: w.Type})
			dec.from = append(dec.from, src)
			continue
		}
		if c := p.inValue[w.Column]; c >= 0 {
			src.value = len(vd.Wanted)
			vd.Wanted = append(vd.Wanted, format.Want{Column: c, Path: w.Path, Type: w.Type})
		}
		if c := p.inKey[w.Column]; c >= 0 && (src.value < 0 || k.Upsert) {
			src.key = len(kd.Wanted)
			kd.Wanted = append(kd.Wanted, format.Want{Column: c, Path: w.Path, Type: w.Type})
		}
		dec.from = append(dec.from, src)
	}
	// A decoder wants its columns ascending; those of the key may not be.
	dec.keyOrder = sortWants(kd.Wanted)
	if dec.value, err = k.Value.NewDecoder(vd); err != nil {
		return nil, err
	}
	if len(kd.Wanted) > 0 {
		if dec.key, err = k.Key.NewDecoder(kd); err != nil {
			return nil, fmt.Errorf("key: %w", err)
		}
	}
	return dec, nil
}

// sortWants sorts by column and returns where each has gone.
func sortWants(w []format.Want) []int {
	order := make([]int, len(w))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return w[a].Column - w[b].Column })
	sorted := make([]format.Want, len(w))
	to := make([]int, len(w))
	for at, i := range order {
		sorted[at], to[i] = w[i], at
	}
	copy(w, sorted)
	return to
}

// source is where a wanted column comes from: both for a column of an upsert
// key that is in the value too.
type source struct{ key, value int }

type decoder struct {
	key, value format.Decoder // key is nil if nothing of it is wanted
	from       []source
	keyOrder   []int
	upsert     bool

	vrecs  format.Records // the records that have a value
	vindex []int          // their indexes
	krecs  format.Records // the keys of the rows
	rows   []row
	kinds  []types.RowKind
	keyRow []int32 // the key decoder's row of each row, -1: none
	plain  bool    // rows are those of the value decoder, one for one
	kplain bool    // and of the key decoder
	vrows  int     // of the value decoder
	krows  int
}

// row is a row by its record and the value decoder's row, -1 of a deletion.
type row struct{ record, value int32 }

// Scan implements format.Decoder.
func (d *decoder) Scan(recs *format.Records, from, to int, bad format.BadRow) int {
	d.vrecs = format.Records{Buf: recs.Buf, Val: d.vrecs.Val[:0], Split: recs.Split}
	d.vindex, d.rows, d.kinds = d.vindex[:0], d.rows[:0], d.kinds[:0]
	deletes := false
	for i := from; i < to; i++ {
		if recs.Val[i].Len < 0 && d.upsert {
			deletes = true
			continue
		}
		d.vrecs.Val = append(d.vrecs.Val, recs.Val[i])
		d.vindex = append(d.vindex, i)
	}
	n := d.value.Scan(&d.vrecs, 0, len(d.vrecs.Val), func(record, r int, err error) { bad(d.vindex[record], r, err) })
	d.vrows = n
	at := 0
	for i := from; i < to; i++ {
		for at < n && d.vindex[d.value.Record(at)] == i {
			d.rows = append(d.rows, row{int32(i), int32(at)})
			at++
		}
		if deletes && recs.Val[i].Len < 0 {
			d.rows = append(d.rows, row{int32(i), -1})
		}
	}
	d.plain = !deletes
	if kinds := d.value.Kinds(); deletes || len(kinds) > 0 || d.upsert {
		for _, r := range d.rows {
			switch {
			case r.value < 0:
				d.kinds = append(d.kinds, types.Delete)
			case len(kinds) > 0:
				d.kinds = append(d.kinds, kinds[r.value])
			case d.upsert:
				d.kinds = append(d.kinds, types.UpdateAfter)
			default:
				d.kinds = append(d.kinds, types.Insert)
			}
		}
	}
	d.scanKeys(recs, bad)
	return len(d.rows)
}

// scanKeys decodes the key of each row.
func (d *decoder) scanKeys(recs *format.Records, bad format.BadRow) {
	if d.key == nil {
		return
	}
	d.krecs = format.Records{Buf: recs.Buf, Val: d.krecs.Val[:0], Split: recs.Split}
	for _, r := range d.rows {
		s := format.Span{Len: -1}
		if int(r.record) < len(recs.Key) {
			s = recs.Key[r.record]
		}
		d.krecs.Val = append(d.krecs.Val, s)
	}
	n := d.key.Scan(&d.krecs, 0, len(d.krecs.Val), func(record, _ int, err error) {
		bad(int(d.rows[record].record), record, fmt.Errorf("key: %w", err))
	})
	d.keyRow, d.krows = d.keyRow[:0], n
	d.kplain = n == len(d.rows)
	at := 0
	for i := range d.rows {
		for at < n && d.key.Record(at) < i {
			at++
		}
		if at < n && d.key.Record(at) == i {
			d.keyRow = append(d.keyRow, int32(at))
		} else {
			d.keyRow = append(d.keyRow, -1)
		}
	}
	for i, k := range d.keyRow {
		d.kplain = d.kplain && int(k) == i
	}
}

// Kinds implements format.Decoder.
func (d *decoder) Kinds() []types.RowKind { return d.kinds }

// Record implements format.Decoder.
func (d *decoder) Record(r int) int { return int(d.rows[r].record) }

// Fill implements format.Decoder.
func (d *decoder) Fill(w int, sel []int32, out vector.Vector, bad format.BadRow) {
	src := d.from[w]
	badValue := func(_, vrow int, err error) {
		i := slices.IndexFunc(d.rows, func(r row) bool { return int(r.value) == vrow })
		if i >= 0 {
			bad(int(d.rows[i].record), i, err)
		}
	}
	badKey := func(record, _ int, err error) { bad(int(d.rows[record].record), record, fmt.Errorf("key: %w", err)) }
	switch {
	case len(d.rows) == 0:
		out.Resize(0)
		return
	case src.value >= 0 && d.plain:
		d.value.Fill(src.value, sel, out, badValue)
		return
	case src.value < 0 && d.kplain:
		d.key.Fill(d.keyOrder[src.key], sel, out, badKey)
		return
	}
	// Some rows are deletions, or some keys are missing: bring the rows together one by one.
	var v, k vector.Vector
	if src.value >= 0 && d.vrows > 0 {
		v = vector.New(out.Type(), 0)
		d.value.Fill(src.value, nil, v, badValue)
	}
	if src.key >= 0 && d.krows > 0 {
		k = vector.New(out.Type(), 0)
		d.key.Fill(d.keyOrder[src.key], nil, k, badKey)
	}
	out.Resize(0)
	for i, r := range d.rows {
		switch {
		case v != nil && r.value >= 0:
			vector.CopyRow(out, v, int(r.value))
		case k != nil && d.keyRow[i] >= 0:
			vector.CopyRow(out, k, int(d.keyRow[i]))
		default:
			vector.SetNullDeep(out, vector.Extend(out, 1))
		}
	}
}

// Encoder encodes values by Append and keys by AppendKey.
type Encoder struct {
	key, value format.Encoder
	p          *parts
	upsert     bool
	kb, vb     vector.Batch
	of         *vector.Batch
}

// NewEncoder implements format.Format.
func (k *keyed) NewEncoder(e format.Encoding) (format.Encoder, error) {
	p, err := k.parts(e.Schema)
	if err != nil {
		return nil, err
	}
	enc := &Encoder{p: p, upsert: k.Upsert}
	if len(p.fromK) > 0 {
		if enc.key, err = k.Key.NewEncoder(format.Encoding{Schema: p.key, Zone: e.Zone}); err != nil {
			return nil, fmt.Errorf("key: %w", err)
		}
	}
	enc.value, err = k.Value.NewEncoder(format.Encoding{Schema: p.value, Zone: e.Zone})
	return enc, err
}

// Use takes a batch in hand, before Append and AppendKey are called with its rows.
func (e *Encoder) Use(b *vector.Batch) {
	pick := func(part *vector.Batch, s *types.Schema, from []int) {
		*part = vector.Batch{Schema: s, Cols: part.Cols[:0], N: b.N, Sel: b.Sel}
		for _, c := range from {
			part.Cols = append(part.Cols, b.Cols[c])
		}
	}
	pick(&e.kb, e.p.key, e.p.fromK)
	pick(&e.vb, e.p.value, e.p.fromV)
	if !e.upsert {
		e.vb.Kinds = b.Kinds // the value's format may write them
	}
	e.of = b
}

// Append implements format.Encoder. A -U of an upsert format is skipped.
func (e *Encoder) Append(dst []byte, b *vector.Batch, i int) ([]byte, bool, error) {
	if e.of != b {
		e.Use(b)
	}
	if e.upsert && b.Kind(i) == types.UpdateBefore {
		return dst, true, nil
	}
	return e.value.Append(dst, &e.vb, i)
}

// AppendKey appends the key of row i. none tells that records have none.
func (e *Encoder) AppendKey(dst []byte, b *vector.Batch, i int) (out []byte, none bool, err error) {
	if e.key == nil {
		return dst, true, nil
	}
	if e.of != b {
		e.Use(b)
	}
	out, _, err = e.key.Append(dst, &e.kb, i)
	return out, false, err
}

// Deletes tells that row i has no value: its record is a tombstone.
func (e *Encoder) Deletes(b *vector.Batch, i int) bool { return e.upsert && b.Kind(i) == types.Delete }
