// Package raw is the raw format: the whole record is the value of the table's
// single column, a text, bytes, a boolean or a number in binary.
//
// A record without a value is NULL, and NULL is written as an empty record. Bytes
// that the charset does not know become U+FFFD.
package raw

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/unicode"

	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/option"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// Format is the format.
var Format = format.Define("raw", "The whole record is the value of the only column.", newFormat).Noted(notes)

type options struct {
	Charset    string `opt:"charset" default:"UTF-8" doc:"Charset of texts, such as UTF-8, ISO-8859-1 or UTF-16LE."`
	Endianness string `opt:"endianness" default:"big-endian" enum:"big-endian,little-endian" doc:"Order of the bytes of numbers."`
}

type rawFormat struct {
	charset encoding.Encoding // nil: UTF-8
	order   binary.ByteOrder
}

func newFormat(o *options) (format.Format, error) {
	f := &rawFormat{order: binary.BigEndian}
	if o.Endianness == "little-endian" {
		f.order = binary.LittleEndian
	}
	switch strings.ToUpper(o.Charset) {
	case "UTF-8", "UTF8":
	case "UTF-16": // Java's: a byte order mark decides, big-endian without
		f.charset = unicode.UTF16(unicode.BigEndian, unicode.UseBOM)
	default:
		e, err := ianaindex.IANA.Encoding(o.Charset)
		if err != nil || e == nil {
			return nil, option.Errorf("charset", "there is no charset '%s'", o.Charset)
		}
		f.charset = e
	}
	return f, nil
}

// Framing implements format.Format.
func (f *rawFormat) Framing() format.Framing { return format.Lines }

// Changelog implements format.Format.
func (f *rawFormat) Changelog() bool { return false }

func column(s *types.Schema) (types.Type, error) {
	if len(s.Fields) != 1 {
		return types.Type{}, fmt.Errorf("the raw format needs a table with one column, this has %d", len(s.Fields))
	}
	t := s.Fields[0].Type
	switch t.Kind {
	case types.Char, types.VarChar, types.Binary, types.VarBinary, types.Boolean, types.TinyInt, types.SmallInt, types.Int, types.BigInt, types.Float, types.Double:
		return t, nil
	}
	return t, fmt.Errorf("the raw format has no values of type %s", t)
}

// NewDecoder implements format.Format.
func (f *rawFormat) NewDecoder(d format.Decoding) (format.Decoder, error) {
	t, err := column(d.Schema)
	if err != nil {
		return nil, err
	}
	dec := &decoder{f: f, t: t}
	if f.charset != nil {
		dec.charset = f.charset.NewDecoder()
	}
	return dec, nil
}

type decoder struct {
	f        *rawFormat
	t        types.Type
	charset  *encoding.Decoder
	recs     *format.Records
	from, to int
}

// Scan implements format.Decoder: every record is a row.
func (d *decoder) Scan(recs *format.Records, from, to int, _ format.BadRow) int {
	d.recs, d.from, d.to = recs, from, to
	return to - from
}

// Kinds implements format.Decoder.
func (d *decoder) Kinds() []types.RowKind { return nil }

// Record implements format.Decoder.
func (d *decoder) Record(row int) int { return d.from + row }

// Fill implements format.Decoder.
func (d *decoder) Fill(_ int, sel []int32, out vector.Vector, bad format.BadRow) {
	out.Resize(d.to - d.from)
	for i := range format.Selected(d.to-d.from, sel) {
		s := d.recs.Val[d.from+i]
		if s.Len < 0 {
			out.SetNull(i)
			continue
		}
		if err := d.put(out, i, d.recs.Buf[s.Off:s.Off+s.Len]); err != nil {
			out.SetNull(i)
			bad(d.from+i, i, err)
		}
	}
}

func (d *decoder) put(out vector.Vector, i int, b []byte) error {
	if s, ok := out.(*vector.Flat[string]); ok {
		switch {
		case d.t.IsBinary():
			s.Vals[i] = vector.View(b)
		case d.charset != nil:
			text, err := d.charset.Bytes(b)
			if err != nil {
				return err
			}
			s.Vals[i] = vector.View(text)
		case utf8.Valid(b):
			s.Vals[i] = vector.View(b)
		default:
			s.Vals[i] = s.Arena.Take(types.AppendUTF8(s.Arena.Grow(len(b)), vector.View(b)))
		}
		return nil
	}
	if size := size(d.t); len(b) != size {
		return fmt.Errorf("the record has %d bytes, a %s has %d", len(b), d.t.Kind, size)
	}
	switch v := out.(type) {
	case *vector.Flat[bool]:
		v.Vals[i] = b[0] != 0
	case *vector.Flat[int8]:
		v.Vals[i] = int8(b[0])
	case *vector.Flat[int16]:
		v.Vals[i] = int16(d.f.order.Uint16(b))
	case *vector.Flat[int32]:
		v.Vals[i] = int32(d.f.order.Uint32(b))
	case *vector.Flat[int64]:
		v.Vals[i] = int64(d.f.order.Uint64(b))
	case *vector.Flat[float32]:
		v.Vals[i] = math.Float32frombits(d.f.order.Uint32(b))
	case *vector.Flat[float64]:
		v.Vals[i] = math.Float64frombits(d.f.order.Uint64(b))
	}
	return nil
}

// size is how many bytes a value has.
func size(t types.Type) int {
	switch t.Kind {
	case types.SmallInt:
		return 2
	case types.Int, types.Float:
		return 4
	case types.BigInt, types.Double:
		return 8
	}
	return 1
}

// NewEncoder implements format.Format.
func (f *rawFormat) NewEncoder(e format.Encoding) (format.Encoder, error) {
	t, err := column(e.Schema)
	if err != nil {
		return nil, err
	}
	enc := &encoder{f: f, t: t}
	if f.charset != nil {
		enc.charset = f.charset.NewEncoder()
	}
	return enc, nil
}

type encoder struct {
	f       *rawFormat
	t       types.Type
	charset *encoding.Encoder
}

// Append implements format.Encoder.
func (e *encoder) Append(dst []byte, b *vector.Batch, i int) ([]byte, bool, error) {
	v := b.Cols[0]
	if v.IsNull(i) {
		return dst, false, nil
	}
	order := e.f.order.(binary.AppendByteOrder)
	switch v := vector.Get(v, i).(type) {
	case string:
		if e.t.IsBinary() || e.charset == nil {
			return append(dst, v...), false, nil
		}
		text, err := e.charset.String(v)
		if err != nil {
			return dst, false, fmt.Errorf("the text is not in the charset: %w", err)
		}
		return append(dst, text...), false, nil
	case bool:
		if v {
			return append(dst, 1), false, nil
		}
		return append(dst, 0), false, nil
	case int8:
		return append(dst, byte(v)), false, nil
	case int16:
		return order.AppendUint16(dst, uint16(v)), false, nil
	case int32:
		return order.AppendUint32(dst, uint32(v)), false, nil
	case int64:
		return order.AppendUint64(dst, uint64(v)), false, nil
	case float32:
		return order.AppendUint32(dst, math.Float32bits(v)), false, nil
	case float64:
		return order.AppendUint64(dst, math.Float64bits(v)), false, nil
	}
	return dst, false, fmt.Errorf("the raw format has no values of type %s", e.t)
}
