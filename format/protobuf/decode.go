package protobuf

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// column joins a field of a message with a type of the table.
type column struct {
	f      *field
	t      types.Type
	nulls  bool      // NULL if the field is not there; else its default
	elem   *column   // of arrays: the elements; of maps: the values
	key    *column   // of maps
	fields []*column // of rows; nil: not in the message
	time   bool      // google.protobuf.Timestamp as a time
}

const timestampMessage = "google.protobuf.Timestamp"

// newColumn joins f with t, as a whole (repeated counts) or as an element.
func newColumn(f *field, t types.Type, proto3, defaults, elem bool, depth int) (*column, error) {
	if depth > maxDepth {
		return nil, errDepth
	}
	// Plain fields of proto3 do not tell whether they are there.
	c := &column{f: f, t: t, nulls: !defaults && (!proto3 || f.oneof)}
	no := func() error {
		what := fmt.Sprintf("a protobuf field of type %d", f.kind)
		if f.of != nil {
			what = "a message " + f.of.name
		}
		if f.repeated && !elem {
			what = "repeated " + what
		}
		return fmt.Errorf("%s: %s does not fit %s", f.name, what, t.OrNull())
	}
	if f.repeated && !elem {
		switch {
		case t.Kind == types.Map && f.of != nil && f.of.entry && f.of.field("key") != nil && f.of.field("value") != nil:
			var err error
			if c.key, err = newColumn(f.of.field("key"), *t.Key, proto3, defaults, true, depth+1); err != nil {
				return nil, err
			}
			if c.elem, err = newColumn(f.of.field("value"), *t.Elem, proto3, defaults, true, depth+1); err != nil {
				return nil, err
			}
			c.key.nulls, c.elem.nulls = false, false // of an entry they are always there
			return c, nil
		case t.Kind == types.Array:
			var err error
			c.elem, err = newColumn(f, *t.Elem, proto3, defaults, true, depth+1)
			return c, err
		}
		return nil, no()
	}
	ok := false
	switch f.kind {
	case kMessage, kGroup:
		if c.time = f.of.name == timestampMessage && (t.Kind == types.Timestamp || t.Kind == types.TimestampLTZ); c.time {
			c.nulls = true
			return c, nil
		}
		if t.Kind != types.Row {
			return nil, no()
		}
		c.nulls = !defaults
		for _, tf := range t.Fields {
			x := f.of.field(tf.Name)
			if x == nil {
				return nil, fmt.Errorf("message %s has no field %s", f.of.name, tf.Name)
			}
			s, err := newColumn(x, tf.Type, f.of.proto3, defaults, false, depth+1)
			if err != nil {
				return nil, err
			}
			c.fields = append(c.fields, s)
		}
		return c, nil
	case kBool:
		ok = t.Kind == types.Boolean
	case kFloat:
		ok = t.Kind == types.Float || t.Kind == types.Double
	case kDouble:
		ok = t.Kind == types.Double
	case kString:
		ok = t.IsChar()
	case kBytes:
		ok = t.IsBinary()
	case kEnum:
		ok = t.IsChar() || t.Kind == types.Int || t.Kind == types.BigInt
	case kInt64, kUint64, kFixed64, kSfixed64, kSint64:
		ok = t.Kind == types.BigInt
	default:
		ok = t.IsInteger()
	}
	if !ok {
		return nil, no()
	}
	return c, nil
}

// read stores the field's value in row i of out: b holds fields of the message,
// others among them.
func (c *column) read(b []byte, out vector.Vector, i, depth int) error {
	if depth > maxDepth {
		return errDepth
	}
	switch {
	case c.key != nil:
		return c.readMap(b, out.(*vector.Map), i, depth)
	case c.elem != nil:
		l := out.(*vector.List)
		l.Off[i], l.Count[i] = int32(l.Child.Len()), 0
		return each(b, func(f wireField) error {
			if f.number != c.f.number {
				return nil
			}
			return c.elem.values(f, func(f wireField) error {
				l.Count[i]++
				return c.elem.store(f, l.Child, vector.Extend(l.Child, 1), depth+1)
			})
		})
	}
	var last wireField
	found := false
	err := each(b, func(f wireField) error {
		if f.number != c.f.number {
			return nil
		}
		if found && c.f.of != nil && f.wire == last.wire {
			f.bytes = append(append([]byte(nil), last.bytes...), f.bytes...) // messages are merged
		}
		last, found = f, true
		return nil
	})
	if err != nil {
		return err
	}
	if !found {
		return c.absent(out, i, depth)
	}
	return c.store(last, out, i, depth)
}

// values calls do for each value of an occurrence of a repeated field.
func (c *column) values(f wireField, do func(f wireField) error) error {
	w := c.f.kind.wire()
	if f.wire != wireBytes || w == wireBytes {
		return do(f)
	}
	for at := 0; at < len(f.bytes); { // packed
		x, end, err := packed(f.bytes, at, w)
		if err != nil {
			return err
		}
		if err := do(x); err != nil {
			return err
		}
		at = end
	}
	return nil
}

func (c *column) readMap(b []byte, m *vector.Map, i, depth int) error {
	var entries [][]byte
	at := map[string]int{}
	err := each(b, func(f wireField) error {
		if f.number != c.f.number {
			return nil
		}
		if f.wire != wireBytes {
			return errWire
		}
		key := ""
		if err := each(f.bytes, func(x wireField) error {
			if x.number == 1 {
				key = string(x.bytes) + "/" + strconv.FormatUint(x.num, 16)
			}
			return nil
		}); err != nil {
			return err
		}
		if k, ok := at[key]; ok { // the last one counts
			entries[k] = f.bytes
			return nil
		}
		at[key] = len(entries)
		entries = append(entries, f.bytes)
		return nil
	})
	m.Off[i], m.Count[i] = int32(m.Keys.Len()), int32(len(entries))
	for _, e := range entries {
		if err == nil {
			err = c.key.read(e, m.Keys, vector.Extend(m.Keys, 1), depth+1)
		}
		if err == nil {
			err = c.elem.read(e, m.Vals, vector.Extend(m.Vals, 1), depth+1)
		}
	}
	return err
}

var errAbsent = errors.New("the field is not there, but the column is NOT NULL")

// absent stores what a field that is not there means.
func (c *column) absent(out vector.Vector, i, depth int) error {
	if c.f.required {
		return fmt.Errorf("%s: the field is required, but not there", c.f.name)
	}
	if c.nulls {
		if !c.t.Nullable {
			return errAbsent
		}
		vector.SetNullDeep(out, i)
		return nil
	}
	if c.f.of != nil {
		return c.store(wireField{wire: c.f.kind.wire()}, out, i, depth)
	}
	f := wireField{wire: c.f.kind.wire()}
	if c.f.kind == kEnum {
		f.num = uint64(int64(c.f.enum.first))
	}
	if c.f.hasDef {
		if err := c.f.defaultValue(&f); err != nil {
			return err
		}
	}
	return c.store(f, out, i, depth)
}

// defaultValue puts the default of proto2 in wire form.
func (x *field) defaultValue(f *wireField) (err error) {
	switch x.kind {
	case kString, kBytes:
		f.bytes = []byte(x.def)
	case kBool:
		if x.def == "true" {
			f.num = 1
		}
	case kEnum:
		f.num = uint64(int64(x.enum.numbers[x.def]))
	case kDouble:
		var d float64
		d, err = strconv.ParseFloat(x.def, 64)
		f.num = math.Float64bits(d)
	case kFloat:
		var d float64
		d, err = strconv.ParseFloat(x.def, 32)
		f.num = uint64(math.Float32bits(float32(d)))
	case kUint64, kFixed64:
		f.num, err = strconv.ParseUint(x.def, 10, 64)
	default:
		var n int64
		n, err = strconv.ParseInt(x.def, 10, 64)
		if f.num = uint64(n); x.kind == kSint32 || x.kind == kSint64 {
			f.num = uint64(n<<1) ^ uint64(n>>63)
		}
	}
	return err
}

// store stores one value in row i of out.
func (c *column) store(f wireField, out vector.Vector, i, depth int) error {
	if depth > maxDepth {
		return errDepth
	}
	if f.wire != c.f.kind.wire() {
		return fmt.Errorf("%s: the value has wire type %d instead of %d", c.f.name, f.wire, c.f.kind.wire())
	}
	if c.time {
		return storeTime(f.bytes, out, i, c.t.Prec)
	}
	if c.f.of != nil {
		row := out.(*vector.Row)
		for k, x := range c.fields {
			if err := x.read(f.bytes, row.Cols[k], i, depth+1); err != nil {
				return fmt.Errorf("%s: %w", c.f.name, err)
			}
		}
		return nil
	}
	n := int64(f.num)
	switch c.f.kind {
	case kSint32, kSint64:
		n = zigzag(f.num)
	case kInt32, kUint32, kFixed32, kSfixed32, kEnum:
		if n = int64(int32(f.num)); (c.f.kind == kUint32 || c.f.kind == kFixed32) && c.t.Kind == types.BigInt {
			n = int64(uint32(f.num))
		}
	}
	switch o := out.(type) {
	case *vector.Flat[bool]:
		o.Vals[i] = f.num != 0
	case *vector.Flat[string]:
		if c.f.kind == kEnum {
			name, ok := c.f.enum.names[int32(n)]
			if !ok {
				name = strconv.FormatInt(n, 10)
			}
			o.Vals[i] = o.Arena.Clone(name)
			return nil
		}
		o.Vals[i] = o.Arena.Clone(vector.View(f.bytes))
	case *vector.Flat[float32]:
		o.Vals[i] = math.Float32frombits(uint32(f.num))
	case *vector.Flat[float64]:
		if c.f.kind == kFloat {
			o.Vals[i] = float64(math.Float32frombits(uint32(f.num)))
		} else {
			o.Vals[i] = math.Float64frombits(f.num)
		}
	case *vector.Flat[int64]:
		o.Vals[i] = n
	case *vector.Flat[int32]:
		o.Vals[i] = int32(n)
	case *vector.Flat[int16]:
		if o.Vals[i] = int16(n); int64(o.Vals[i]) != n {
			return fmt.Errorf("%s: %d does not fit %s", c.f.name, n, c.t.OrNull())
		}
	case *vector.Flat[int8]:
		if o.Vals[i] = int8(n); int64(o.Vals[i]) != n {
			return fmt.Errorf("%s: %d does not fit %s", c.f.name, n, c.t.OrNull())
		}
	}
	return nil
}

func storeTime(b []byte, out vector.Vector, i, prec int) error {
	var sec, nanos int64
	err := each(b, func(f wireField) error {
		switch f.number {
		case 1:
			sec = int64(f.num)
		case 2:
			nanos = int64(int32(f.num))
		}
		return nil
	})
	if err == nil && (sec > math.MaxInt64/1000-1 || sec < math.MinInt64/1000+1 || nanos < 0 || nanos > 999_999_999) {
		err = errors.New("a Timestamp out of range")
	}
	if err == nil {
		out.(*vector.Flat[types.TS]).Vals[i] = types.TS{Ms: sec*1000 + nanos/1_000_000, Ns: int32(nanos % 1_000_000)}.Truncate(prec)
	}
	return err
}

// packed reads a value of wire type w of a packed field.
func packed(b []byte, at, w int) (wireField, int, error) {
	// A tag of number 1 in front makes a field of it.
	var tmp [11]byte
	tmp[0] = 1<<3 | byte(w)
	n := copy(tmp[1:], b[at:])
	f, end, err := next(tmp[:1+n], 0)
	return f, at + end - 1, err
}

// decoder is the format.Decoder.
type decoder struct {
	p      *protobuf
	wants  []*column
	names  []string
	types  []types.Type // of the whole column
	number map[uint64][]int

	buf    []byte
	places [][2]int32 // by row and want: where its fields begin and end; equal: not there
	record []int32
	inner  []*format.Inner // by want
}

// Scan implements format.Decoder.
func (d *decoder) Scan(recs *format.Records, from, to int, bad format.BadRow) int {
	d.buf = recs.Buf
	d.places, d.record = d.places[:0], d.record[:0]
	for r := from; r < to; r++ {
		s := recs.Val[r]
		if s.Len < 0 {
			continue
		}
		n := len(d.places)
		for range d.wants {
			d.places = append(d.places, [2]int32{})
		}
		row := d.places[n:]
		b := d.buf[s.Off : s.Off+s.Len : s.Off+s.Len]
		var err error
		for at := 0; at < len(b) && err == nil; {
			var f wireField
			start := at
			if f, at, err = next(b, at); err == nil {
				for _, w := range d.number[f.number] {
					if row[w] == [2]int32{} {
						row[w][0] = s.Off + int32(start)
					}
					row[w][1] = s.Off + int32(at)
				}
			}
		}
		if err != nil {
			d.places = d.places[:n]
			if !d.p.o.IgnoreErrors {
				bad(r, -1, err)
			}
			continue
		}
		d.record = append(d.record, int32(r))
	}
	return len(d.record)
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
		at := d.places[i*len(d.wants)+w]
		if err := d.wants[w].read(d.buf[at[0]:at[1]], into, i, 0); err != nil {
			vector.SetNullDeep(into, i)
			if !d.p.o.IgnoreErrors || !d.types[w].Nullable {
				bad(int(d.record[i]), i, fmt.Errorf("column %s: %w", d.names[w], err))
			}
		}
		d.inner[w].Take(out, i)
	}
}

var _ format.Decoder = (*decoder)(nil)
