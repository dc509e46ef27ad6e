package protobuf

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// encoder is the format.Encoder.
type encoder struct {
	columns []*column
	literal string // of NULL texts in arrays and maps
}

// Append implements format.Encoder.
func (e *encoder) Append(dst []byte, b *vector.Batch, i int) ([]byte, bool, error) {
	var err error
	for k, c := range e.columns {
		if dst, err = e.field(dst, c, b.Cols[k], i); err != nil {
			return dst, false, err
		}
	}
	return dst, false, nil
}

func tag(dst []byte, number uint64, wire int) []byte {
	return binary.AppendUvarint(dst, number<<3|uint64(wire))
}

// field appends a field with its tag; nothing if it is NULL.
func (e *encoder) field(dst []byte, c *column, v vector.Vector, i int) ([]byte, error) {
	if x, ok := v.(*vector.Const); ok {
		v, i = x.Of, 0
	}
	if v.IsNull(i) {
		if c.f.required {
			return dst, fmt.Errorf("%s: the field is required, but NULL", c.f.name)
		}
		return dst, nil
	}
	switch {
	case c.key != nil:
		m := v.(*vector.Map)
		for j := int(m.Off[i]); j < int(m.Off[i]+m.Count[i]); j++ {
			if m.Keys.IsNull(j) && !c.key.t.IsChar() {
				return dst, fmt.Errorf("%s: a key is NULL", c.f.name)
			}
			entry, err := e.value(tag(nil, 1, c.key.f.kind.wire()), c.key, m.Keys, j)
			if err == nil {
				entry, err = e.value(tag(entry, 2, c.elem.f.kind.wire()), c.elem, m.Vals, j)
			}
			if err != nil {
				return dst, err
			}
			dst = tag(dst, c.f.number, wireBytes)
			dst = append(binary.AppendUvarint(dst, uint64(len(entry))), entry...)
		}
		return dst, nil
	case c.elem != nil:
		l := v.(*vector.List)
		var all []byte
		var err error
		for j := int(l.Off[i]); j < int(l.Off[i]+l.Count[i]); j++ {
			if !c.f.packed {
				all = tag(all, c.f.number, c.f.kind.wire())
			}
			if all, err = e.value(all, c.elem, l.Child, j); err != nil {
				return dst, err
			}
		}
		if c.f.packed && len(all) > 0 {
			dst = binary.AppendUvarint(tag(dst, c.f.number, wireBytes), uint64(len(all)))
		}
		return append(dst, all...), nil
	}
	return e.value(tag(dst, c.f.number, c.f.kind.wire()), c, v, i)
}

// value appends a value without its tag; NULL is the default of its type.
func (e *encoder) value(dst []byte, c *column, v vector.Vector, i int) ([]byte, error) {
	if x, ok := v.(*vector.Const); ok {
		v, i = x.Of, 0
	}
	null := v.IsNull(i)
	if c.f.of != nil {
		var inner []byte
		var err error
		if !null {
			if inner, err = e.inner(c, v, i); err != nil {
				return dst, err
			}
		}
		if c.f.kind == kGroup {
			return tag(append(dst, inner...), c.f.number, wireEnd), nil
		}
		return append(binary.AppendUvarint(dst, uint64(len(inner))), inner...), nil
	}
	var n uint64
	switch o := v.(type) {
	case *vector.Flat[string]:
		text := e.literal
		if !null {
			text = o.Vals[i]
		} else if c.f.kind == kBytes {
			text = ""
		}
		if c.f.kind == kEnum {
			num, ok := c.f.enum.numbers[text]
			if !ok && !null {
				return dst, fmt.Errorf("%s: the enum has no value %q", c.f.name, text)
			}
			return binary.AppendUvarint(dst, uint64(int64(num))), nil
		}
		return append(binary.AppendUvarint(dst, uint64(len(text))), text...), nil
	case *vector.Flat[bool]:
		if !null && o.Vals[i] {
			n = 1
		}
	case *vector.Flat[int8]:
		n = uint64(int64(o.Vals[i]))
	case *vector.Flat[int16]:
		n = uint64(int64(o.Vals[i]))
	case *vector.Flat[int32]:
		n = uint64(int64(o.Vals[i]))
	case *vector.Flat[int64]:
		n = uint64(o.Vals[i])
		if w := c.f.kind; !null && (w == kInt32 || w == kSint32 || w == kSfixed32) && int64(int32(n)) != int64(n) ||
			!null && (w == kUint32 || w == kFixed32) && uint64(uint32(n)) != n {
			return dst, fmt.Errorf("%s: %d does not fit the field", c.f.name, o.Vals[i])
		}
	case *vector.Flat[float32]:
		n = uint64(math.Float32bits(o.Vals[i]))
	case *vector.Flat[float64]:
		if n = math.Float64bits(o.Vals[i]); c.f.kind == kFloat {
			n = uint64(math.Float32bits(float32(o.Vals[i])))
		}
	default:
		return dst, fmt.Errorf("%s: the format has no values of type %s", c.f.name, c.t.OrNull())
	}
	if null {
		n = 0
	}
	switch c.f.kind {
	case kSint32, kSint64:
		n = n<<1 ^ uint64(int64(n)>>63)
	case kUint32:
		n = uint64(uint32(n))
	}
	switch c.f.kind.wire() {
	case wireFixed64:
		return binary.LittleEndian.AppendUint64(dst, n), nil
	case wireFixed32:
		return binary.LittleEndian.AppendUint32(dst, uint32(n)), nil
	}
	return binary.AppendUvarint(dst, n), nil
}

// inner appends the fields of a message.
func (e *encoder) inner(c *column, v vector.Vector, i int) ([]byte, error) {
	if c.time {
		x := v.(*vector.Flat[types.TS]).Vals[i]
		sec := types.FloorDiv(x.Ms, 1000)
		b := binary.AppendUvarint(tag(nil, 1, wireVarint), uint64(sec))
		nanos := (x.Ms-sec*1000)*1_000_000 + int64(x.Ns)
		return binary.AppendUvarint(tag(b, 2, wireVarint), uint64(nanos)), nil
	}
	var dst []byte
	var err error
	row := v.(*vector.Row)
	for k, f := range c.fields {
		if dst, err = e.field(dst, f, row.Cols[k], i); err != nil {
			return dst, fmt.Errorf("%s: %w", c.f.name, err)
		}
	}
	return dst, nil
}

var _ format.Encoder = (*encoder)(nil)
