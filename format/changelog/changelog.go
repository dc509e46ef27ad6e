// Package changelog has the formats of change-data-capture tools whose records
// are JSON: debezium-json, canal-json, maxwell-json and ogg-json.
//
// A record says how a row of a database changed. An insertion is a +I, a deletion
// a -D, and an update a -U with the row before and a +U with the one after.
// Written are insertions and deletions only: +I and +U as an insertion, -U and
// -D as a deletion.
//
// The values are read as in package json, whose options these formats have too.
// Records without a value, which mark deleted keys in queues, hold no row.
package changelog

import (
	"errors"
	"fmt"
	"regexp"
	"slices"

	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/format/json"
	"github.com/runnelio/runnel/option"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// The formats.
var (
	Debezium = format.Define("debezium-json", "Changes as Debezium writes them.", func(o *debeziumOptions) (format.Format, error) {
		d := dialect{before: []string{"before"}, after: []string{"after"}, op: []string{"op"}, ops: map[string]action{"c": insert, "r": insert, "u": update, "d": remove},
			inserted: [2]string{`{"before":null,"after":`, `,"op":"c"}`}, deleted: [2]string{`{"before":`, `,"after":null,"op":"d"}`},
			hint: "; is REPLICA IDENTITY of the table FULL?", facts: debeziumFacts}
		if o.SchemaInclude {
			d.under("payload")
		}
		return &changelog{&o.Options, d, nil, nil}, nil
	}).Noted(debeziumNotes).Tells(told(debeziumFacts))
	Ogg = format.Define("ogg-json", "Changes as Oracle GoldenGate writes them.", func(o *json.Options) (format.Format, error) {
		return &changelog{o, dialect{before: []string{"before"}, after: []string{"after"}, op: []string{"op_type"}, ops: map[string]action{"I": insert, "U": update, "D": remove},
			inserted: [2]string{`{"before":null,"after":`, `,"op_type":"I"}`}, deleted: [2]string{`{"before":`, `,"after":null,"op_type":"D"}`}, facts: oggFacts}, nil, nil}, nil
	}).Noted(oggNotes).Tells(told(oggFacts))
	Maxwell = format.Define("maxwell-json", "Changes as Maxwell writes them.", func(o *json.Options) (format.Format, error) {
		return &changelog{o, dialect{before: []string{"old"}, after: []string{"data"}, op: []string{"type"}, partial: true,
			ops:      map[string]action{"insert": insert, "bootstrap-insert": insert, "update": update, "delete": remove, "bootstrap-start": ignore, "bootstrap-complete": ignore},
			inserted: [2]string{`{"data":`, `,"type":"insert"}`}, deleted: [2]string{`{"data":`, `,"type":"delete"}`}, facts: maxwellFacts}, nil, nil}, nil
	}).Noted(maxwellNotes).Tells(told(maxwellFacts))
	Canal = format.Define("canal-json", "Changes as Canal writes them.", newCanal).Noted(canalNotes).Tells(told(canalFacts))
)

type debeziumOptions struct {
	json.Options
	SchemaInclude bool `opt:"schema-include" default:"false" doc:"The records have a schema beside the payload."`
}

type canalOptions struct {
	json.Options
	Database string `opt:"database.include" doc:"Only changes of databases whose name matches this regular expression as a whole."`
	Table    string `opt:"table.include" doc:"Only changes of tables whose name matches this regular expression as a whole."`
}

func newCanal(o *canalOptions) (format.Format, error) {
	f := &changelog{o: &o.Options, dialect: dialect{before: []string{"old"}, after: []string{"data"}, op: []string{"type"}, partial: true, arrays: true,
		ops:      map[string]action{"INSERT": insert, "UPDATE": update, "DELETE": remove, "CREATE": ignore},
		inserted: [2]string{`{"data":[`, `],"type":"INSERT"}`}, deleted: [2]string{`{"data":[`, `],"type":"DELETE"}`}, facts: canalFacts}}
	for _, p := range []struct {
		key, text string
		to        **regexp.Regexp
	}{{"database.include", o.Database, &f.database}, {"table.include", o.Table, &f.table}} {
		if p.text == "" {
			continue
		}
		r, err := regexp.Compile(`\A(?:` + p.text + `)\z`)
		if err != nil {
			return nil, option.Errorf(p.key, "%v", err)
		}
		*p.to = r
	}
	return f, nil
}

// action is what a record does.
type action uint8

const (
	unknown action = iota
	insert
	update
	remove
	ignore
)

// dialect is how a tool writes changes.
type dialect struct {
	before, after, op []string // paths of the rows and the kind
	ops               map[string]action
	partial           bool // before has only the fields that were changed; deletions have their row in after
	arrays            bool // before and after are arrays of rows
	inserted, deleted [2]string
	hint              string // where a missing row may come from
	facts             []fact
	payload           []string // the field that holds the record, nil if nothing is around it
}

// under moves the record below a field.
func (d *dialect) under(name string) {
	for _, p := range []*[]string{&d.before, &d.after, &d.op} {
		*p = append([]string{name}, *p...)
	}
	d.payload = []string{name}
}

type changelog struct {
	o *json.Options
	dialect
	database, table *regexp.Regexp
}

// Framing implements format.Format.
func (f *changelog) Framing() format.Framing { return format.Lines }

// Changelog implements format.Format.
func (f *changelog) Changelog() bool { return true }

// NewEncoder implements format.Format.
func (f *changelog) NewEncoder(e format.Encoding) (format.Encoder, error) {
	w, err := f.o.NewWriter(e.Schema, e.Zone)
	if err != nil {
		return nil, err
	}
	return &encoder{f, w}, nil
}

type encoder struct {
	f   *changelog
	row *json.Writer
}

// Append implements format.Encoder.
func (e *encoder) Append(dst []byte, b *vector.Batch, i int) ([]byte, bool, error) {
	around := &e.f.inserted
	if b.Kind(i).Sign() < 0 {
		around = &e.f.deleted
	}
	dst, _, err := e.row.Append(append(dst, around[0]...), b, i)
	return append(dst, around[1]...), false, err
}

// NewDecoder implements format.Format.
func (f *changelog) NewDecoder(d format.Decoding) (format.Decoder, error) {
	dec := &decoder{f: f, stride: len(d.Wanted)}
	dec.note = dec.badRow
	// Slots of the record: what it does, the two rows as a whole, where it comes
	// from, what else is told of it, and then, unless rows are in arrays, the
	// fields of both.
	paths := [][]string{f.op, f.before, f.after, {"database"}, {"table"}}
	var fields [][]string
	for _, w := range d.Wanted {
		if w.Meta != "" {
			t, path, err := f.teller(w.Meta)
			if err != nil {
				return nil, err
			}
			slot := slices.IndexFunc(paths, func(p []string) bool { return slices.Equal(p, path) })
			if slot < 0 {
				slot, paths = len(paths), append(paths, path)
			}
			dec.columns, dec.from = append(dec.columns, t), append(dec.from, ^slot)
			continue
		}
		path := append([]string{d.Schema.Fields[w.Column].Name}, w.Path...)
		c, err := f.o.NewColumn(path[len(path)-1], w.Type)
		if err != nil {
			return nil, err
		}
		at := slices.IndexFunc(fields, func(p []string) bool { return slices.Equal(p, path) })
		if at < 0 {
			at, fields = len(fields), append(fields, path)
		}
		dec.columns, dec.from = append(dec.columns, c), append(dec.from, at)
	}
	dec.fields, dec.unique = len(paths), len(fields)
	if f.arrays {
		dec.element = json.NewProjector(fields)
		dec.found = make([]json.Value, len(fields))
	} else {
		for _, prefix := range [][]string{f.before, f.after} {
			for _, p := range fields {
				paths = append(paths, slices.Concat(prefix, p))
			}
		}
	}
	dec.record = json.NewProjector(paths)
	if dec.element != nil {
		dec.element.Share(dec.record)
	}
	dec.values = make([]json.Value, len(paths))
	return dec, nil
}

const (
	slotOp = iota
	slotBefore
	slotAfter
	slotDatabase
	slotTable
)

// column makes the vectors of a want.
type column interface {
	Fill(buf []byte, vals []json.Value, stride, slot, rows int, sel []int32, out vector.Vector, bad func(row int, err error))
}

type decoder struct {
	f       *changelog
	record  *json.Projector
	element *json.Projector // of a row in an array
	columns []column
	from    []int // by want: its path among the distinct ones of rows; ^slot of the record's values for what is told
	fields  int   // the slot of the first field of a row
	unique  int   // paths in a row
	stride  int
	values  []json.Value // of a record
	found   []json.Value // of an element

	buf   []byte
	rows  []json.Value // row*stride+want
	kinds []types.RowKind
	of    []int32
	bad   format.BadRow
	note  func(row int, err error)
	data  []json.Value // elements of the arrays of a record
	old   []json.Value
	more  []json.Value // fields of an old element
}

// Scan implements format.Decoder.
func (d *decoder) Scan(recs *format.Records, from, to int, bad format.BadRow) int {
	d.buf = json.Readable(recs)
	d.rows, d.kinds, d.of = d.rows[:0], d.kinds[:0], d.of[:0]
	d.record.IndexRecords(d.buf, recs.Val[from:to])
	for r := from; r < to; r++ {
		at, end, ok := json.Bounds(d.buf, recs.Val[r])
		if !ok {
			continue
		}
		n := len(d.of)
		if err := d.change(at, end, int32(r)); err != nil {
			d.rows, d.kinds, d.of = d.rows[:n*d.stride], d.kinds[:n], d.of[:n] // all rows of a record or none
			if !d.f.o.IgnoreErrors {
				bad(r, -1, err)
			}
		}
	}
	return len(d.of)
}

func (d *decoder) change(at, end int, r int32) error {
	switch next := d.record.Object(d.buf, at, end, d.values); {
	case next < 0:
		return d.record.Err(at)
	case next != end:
		return &json.SyntaxError{At: next - at, Why: "something stands behind the object"}
	}
	if !d.included(d.f.database, slotDatabase) || !d.included(d.f.table, slotTable) {
		return nil
	}
	do := d.f.ops[d.text(slotOp)]
	switch do {
	case ignore:
		return nil
	case unknown:
		return fmt.Errorf("unknown kind of change %s = %s", d.f.op[len(d.f.op)-1], d.values[slotOp].Bytes(d.buf))
	}
	if d.f.arrays {
		return d.array(do, r)
	}
	before, after := d.values[d.fields:d.fields+d.unique], d.values[d.fields+d.unique:]
	if do == insert || do == update || d.f.partial {
		if err := d.there(slotAfter); err != nil {
			return err
		}
	}
	if do == update || do == remove && !d.f.partial {
		if err := d.there(slotBefore); err != nil {
			return err
		}
	}
	switch do {
	case insert:
		d.row(types.Insert, after, nil, r)
	case update:
		if d.f.partial {
			d.row(types.UpdateBefore, before, after, r)
		} else {
			d.row(types.UpdateBefore, before, nil, r)
		}
		d.row(types.UpdateAfter, after, nil, r)
	case remove:
		if d.f.partial {
			before = after
		}
		d.row(types.Delete, before, nil, r)
	}
	return nil
}

// there tells what is wrong if a row of the record is not there.
func (d *decoder) there(slot int) error {
	path := d.f.before
	if slot == slotAfter {
		path = d.f.after
	}
	name := path[len(path)-1]
	v := d.values[slot]
	if v.IsNull(d.buf) {
		return fmt.Errorf("the change has no %q%s", name, d.f.hint)
	}
	if d.buf[v.From()] != '{' {
		return fmt.Errorf("%q is no object", name)
	}
	return nil
}

func (d *decoder) text(slot int) string {
	b := d.values[slot].Bytes(d.buf)
	if len(b) < 2 || b[0] != '"' {
		return ""
	}
	return vector.View(b[1 : len(b)-1])
}

func (d *decoder) included(r *regexp.Regexp, slot int) bool {
	return r == nil || r.MatchString(d.text(slot))
}

// row adds a row; fields that are missing in values are taken from rest.
func (d *decoder) row(kind types.RowKind, values, rest []json.Value, r int32) {
	for _, s := range d.from {
		if s < 0 {
			d.rows = append(d.rows, d.values[^s])
			continue
		}
		v := values[s]
		if rest != nil && v.Missing() {
			v = rest[s]
		}
		d.rows = append(d.rows, v)
	}
	d.kinds, d.of = append(d.kinds, kind), append(d.of, r)
}

var errOld = errors.New(`"old" has not as many rows as "data"`)

// array reads a record of several rows.
func (d *decoder) array(do action, r int32) error {
	d.data, d.old = d.data[:0], d.old[:0]
	if err := json.Elements(d.buf, d.values[slotAfter], func(v json.Value) error { d.data = append(d.data, v); return nil }); err != nil {
		return fmt.Errorf("%q: %w", d.f.after[0], err)
	}
	if do == update {
		if err := json.Elements(d.buf, d.values[slotBefore], func(v json.Value) error { d.old = append(d.old, v); return nil }); err != nil {
			return fmt.Errorf("%q: %w", d.f.before[0], err)
		}
		if len(d.old) != len(d.data) {
			return errOld
		}
	}
	if d.more == nil {
		d.more = make([]json.Value, len(d.found))
	}
	for i, v := range d.data {
		if err := d.element.ObjectAt(d.buf, v, d.found); err != nil {
			return err
		}
		switch do {
		case insert:
			d.row(types.Insert, d.found, nil, r)
		case remove:
			d.row(types.Delete, d.found, nil, r)
		case update:
			if err := d.element.ObjectAt(d.buf, d.old[i], d.more); err != nil {
				return err
			}
			d.row(types.UpdateBefore, d.more, d.found, r)
			d.row(types.UpdateAfter, d.found, nil, r)
		}
	}
	return nil
}

// Kinds implements format.Decoder.
func (d *decoder) Kinds() []types.RowKind { return d.kinds }

// Record implements format.Decoder.
func (d *decoder) Record(row int) int { return int(d.of[row]) }

// Fill implements format.Decoder.
func (d *decoder) Fill(w int, sel []int32, out vector.Vector, bad format.BadRow) {
	d.bad = bad
	d.columns[w].Fill(d.buf, d.rows, d.stride, w, len(d.of), sel, out, d.note)
}

func (d *decoder) badRow(row int, err error) { d.bad(int(d.of[row]), row, err) }

var _ format.Decoder = (*decoder)(nil)
