package json

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// conversion is what the options say about values.
type conversion struct {
	timestamps  types.TimestampFormat
	ignore      bool // a bad value is NULL
	failMissing bool
	replaceUTF8 bool
	millis      bool           // a number is a timestamp, in milliseconds
	zone        *time.Location // what TIMESTAMP shows of it; nil is UTC
}

// A Column makes values of one type out of JSON text. It belongs to one goroutine.
type Column struct {
	name string
	root *reader
}

// errMissing is the error of a field that is not there, under
// 'fail-on-missing-field'.
var errMissing = errors.New("the field is missing")

func newColumn(name string, t types.Type, o *conversion) (*Column, error) {
	r, err := newReader(t, o)
	if err != nil {
		return nil, fmt.Errorf("column %s: %w", name, err)
	}
	return &Column{name: name, root: r}, nil
}

// Fill makes out, of rows rows, from the values vals[row*stride+slot] for the
// rows sel names, all if nil. bad is told of values that do not convert.
func (c *Column) Fill(buf []byte, vals []Value, stride, slot, rows int, sel []int32, out vector.Vector, bad func(row int, err error)) {
	out.Resize(rows)
	n := rows
	if sel != nil {
		n = len(sel)
	}
	if n == 0 {
		return
	}
	r := c.root
	switch v := out.(type) {
	case *vector.Flat[string]:
		if !r.t.IsChar() {
			break
		}
		for k := range n {
			i := k
			if sel != nil {
				i = int(sel[k])
			}
			val := vals[i*stride+slot]
			if val.off&notRow == 0 && val.end != 0 {
				b := buf[val.off:val.end]
				if b[0] == '"' && isPlain(b) {
					v.Vals[i] = vector.View(b[1 : len(b)-1])
					continue
				}
			}
			c.put(buf, val, out, i, bad)
		}
		return
	case *vector.Flat[int32]:
		if r.t.Kind == types.Int {
			fillInts(c, buf, vals[slot:], stride, n, sel, v, 32, bad)
			return
		}
	case *vector.Flat[int64]:
		if r.t.Kind == types.BigInt {
			fillInts(c, buf, vals[slot:], stride, n, sel, v, 64, bad)
			return
		}
	}
	for k := range n {
		i := k
		if sel != nil {
			i = int(sel[k])
		}
		c.put(buf, vals[i*stride+slot], out, i, bad)
	}
}

func fillInts[T int32 | int64](c *Column, buf []byte, vals []Value, stride, n int, sel []int32, out *vector.Flat[T], bits uint, bad func(int, error)) {
	for k := range n {
		i := k
		if sel != nil {
			i = int(sel[k])
		}
		val := vals[i*stride]
		if val.end != 0 && val.off&notRow == 0 {
			b := buf[val.off:val.end]
			if b[0]-'1' < 9 && len(b) <= 9 {
				var n int32
				ok := true
				for _, d := range b {
					d -= '0'
					ok = ok && d <= 9
					n = n*10 + int32(d)
				}
				if ok {
					out.Vals[i] = T(n)
					continue
				}
			}
		}
		c.put(buf, val, out, i, bad)
	}
}

// isPlain tells whether b has neither a byte above 127 nor a backslash, in
// 8-byte steps.
func isPlain(b []byte) bool {
	const slashes = ones * '\\'
	var bad uint64
	for ; len(b) >= 8; b = b[8:] {
		w := binary.LittleEndian.Uint64(b)
		x := w ^ slashes
		bad |= w | (x-ones)&^x
	}
	for _, c := range b {
		if c >= 0x80 || c == '\\' {
			return false
		}
	}
	return bad&highs == 0
}

// put converts one value of any kind.
func (c *Column) put(buf []byte, val Value, out vector.Vector, i int, bad func(int, error)) {
	if val.missing() {
		if c.root.o.failMissing {
			bad(i, fmt.Errorf("column %s: %w", c.name, errMissing))
		}
		vector.SetNullDeep(out, i)
		return
	}
	if buf[val.from()] == 'n' {
		vector.SetNullDeep(out, i)
		return
	}
	if val.off&notRow != 0 {
		vector.SetNullDeep(out, i)
		if !c.root.o.ignore {
			bad(i, fmt.Errorf("column %s: %s is no ROW", c.name, excerpt(val.raw(buf))))
		}
		return
	}
	if err := c.root.put(buf, val, out, i); err != nil {
		vector.SetNullDeep(out, i)
		if !c.root.o.ignore {
			bad(i, fmt.Errorf("column %s: %w", c.name, err))
		}
	}
}

func excerpt(b []byte) string {
	if len(b) > 60 {
		return string(b[:60]) + "…"
	}
	return string(b)
}

// reader converts values of one type; those of nested types have readers for
// their parts.
type reader struct {
	t       types.Type
	o       *conversion
	scratch []byte
	// Of nested types.
	parts []*reader // the element; key and value; the fields
	walk  Projector // finds the ends of values; nothing is learned
	found []Value   // of the fields of a row
	pairs []pair    // of a map
}

type pair struct {
	key string
	val Value
}

func newReader(t types.Type, o *conversion) (*reader, error) {
	r := &reader{t: t, o: o}
	var of []types.Type
	switch t.Kind {
	case types.Variant, types.Bitmap, types.Raw, types.Symbol, types.Descriptor, types.Null:
		return nil, fmt.Errorf("the json format has no values of type %s", t)
	case types.Array:
		of = []types.Type{*t.Elem}
	case types.Multiset:
		if !t.Elem.IsChar() {
			return nil, fmt.Errorf("the json format reads only texts as elements of %s", t)
		}
		of = []types.Type{*t.Elem, types.Of(types.Int)}
	case types.Map:
		if !t.Key.IsChar() {
			return nil, fmt.Errorf("the json format reads only texts as keys of %s", t)
		}
		of = []types.Type{*t.Key, *t.Elem}
	case types.Row:
		for _, f := range t.Fields {
			of = append(of, f.Type)
		}
		r.found = make([]Value, len(of))
	}
	for _, p := range of {
		part, err := newReader(p, o)
		if err != nil {
			return nil, err
		}
		r.parts = append(r.parts, part)
	}
	return r, nil
}

// put converts the value, which is not null, into row i of out.
func (c *reader) put(buf []byte, val Value, out vector.Vector, i int) error {
	b := val.raw(buf)
	ok := true
	switch v := out.(type) {
	case *vector.Flat[string]:
		if c.t.IsBinary() {
			v.Vals[i], ok = c.bytes(b, &v.Arena)
			break
		}
		s, why := c.text(b, &v.Arena)
		if why != "" {
			return fmt.Errorf("%s %s", excerpt(b), why)
		}
		v.Vals[i] = s
	case *vector.Flat[bool]:
		v.Vals[i], ok = c.boolean(b)
	case *vector.Flat[int8]:
		var n int64
		n, ok = c.integer(b, 8)
		v.Vals[i] = int8(n)
	case *vector.Flat[int16]:
		var n int64
		n, ok = c.integer(b, 16)
		v.Vals[i] = int16(n)
	case *vector.Flat[int32]:
		v.Vals[i], ok = c.int32(b)
	case *vector.Flat[int64]:
		v.Vals[i], ok = c.integer(b, 64)
	case *vector.Flat[float32]:
		v.Vals[i], ok = c.float(b)
	case *vector.Flat[float64]:
		v.Vals[i], ok = c.double(b)
	case *vector.Flat[types.Dec]:
		d, null, good := c.decimal(b, c.t.Prec, c.t.Scale)
		if v.Vals[i], ok = d, good; null {
			v.SetNull(i)
		}
	case *vector.Flat[types.TS]:
		v.Vals[i], ok = c.timestamp(b)
	case *vector.List:
		return c.list(buf, val, v, i)
	case *vector.Map:
		return c.mapping(buf, val, v, i)
	case *vector.Row:
		return c.row(buf, val, v, i)
	}
	if !ok {
		return c.wrong(b)
	}
	return nil
}

func (c *reader) wrong(b []byte) error { return fmt.Errorf("%s is no %s", excerpt(b), c.t.Kind) }

// int32 reads INT, DATE, TIME and INTERVAL YEAR TO MONTH.
func (c *reader) int32(b []byte) (int32, bool) {
	switch c.t.Kind {
	case types.Date:
		s, ok := c.plain(b)
		if !ok {
			return 0, false
		}
		return types.ParseFormatDate(s)
	case types.Time:
		s, ok := c.plain(b)
		if !ok {
			return 0, false
		}
		ms, ok := types.ParseFormatTime(s)
		return types.TruncateTime(ms, c.t.Prec), ok
	}
	n, ok := c.integer(b, 32)
	return int32(min(max(n, math.MinInt32), math.MaxInt32)), ok
}

func (c *reader) timestamp(b []byte) (types.TS, bool) {
	var t types.TS
	if c.o.millis && len(b) > 0 && b[0] != '"' {
		n, ok := c.integer(b, 64)
		if !ok {
			return types.TS{}, false
		}
		if t = types.TSFromMs(n); c.t.Kind != types.TimestampLTZ && c.o.zone != nil {
			t = types.ToLocal(t, c.o.zone)
		}
		return t.Truncate(c.t.Prec), true
	}
	s, ok := c.plain(b)
	if !ok {
		return types.TS{}, false
	}
	if c.t.Kind == types.TimestampLTZ {
		t, ok = types.ParseFormatTimestampLTZ(s, c.o.timestamps)
	} else {
		t, ok = types.ParseFormatTimestamp(s, c.o.timestamps)
	}
	return t.Truncate(c.t.Prec), ok
}
