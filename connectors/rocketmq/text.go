package rocketmq

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
	"time"

	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// text is the format of bodies that are text: with a delimiter the fields of a
// row, as many as there are columns; without one the value of the only column.
type text struct {
	delimiter string         // as given
	literal   string         // what it matches, if it is always the same
	pattern   *regexp.Regexp // else
}

func newText(delimiter string) (*text, error) {
	f := &text{delimiter: delimiter}
	if delimiter == "" {
		return f, nil
	}
	parsed, err := syntax.Parse(delimiter, syntax.Perl)
	if err != nil {
		return nil, err
	}
	parsed = parsed.Simplify()
	if parsed.Op == syntax.OpLiteral && parsed.Flags&syntax.FoldCase == 0 {
		f.literal = string(parsed.Rune)
		return f, nil
	}
	f.pattern, err = regexp.Compile(delimiter)
	if err == nil && f.pattern.MatchString("") {
		return nil, fmt.Errorf("'%s' matches the empty text", delimiter)
	}
	return f, err
}

// Framing implements format.Format.
func (f *text) Framing() format.Framing { return format.Lines }

// Changelog implements format.Format.
func (f *text) Changelog() bool { return false }

func (f *text) fits(s *types.Schema) error {
	if f.delimiter == "" && len(s.Fields) != 1 {
		return fmt.Errorf("a text body without 'fieldDelimiter' is one column; the table has %d", len(s.Fields))
	}
	for _, field := range s.Fields {
		if field.Type.IsNested() {
			return fmt.Errorf("column %s: %s cannot be written in a text body", field.Name, field.Type)
		}
	}
	return nil
}

// NewDecoder implements format.Format.
func (f *text) NewDecoder(d format.Decoding) (format.Decoder, error) {
	if err := f.fits(d.Schema); err != nil {
		return nil, err
	}
	return &textDecoder{f: f, d: d, n: len(d.Schema.Fields)}, nil
}

// NewEncoder implements format.Format.
func (f *text) NewEncoder(e format.Encoding) (format.Encoder, error) {
	if err := f.fits(e.Schema); err != nil {
		return nil, err
	}
	if f.pattern != nil {
		return nil, fmt.Errorf("'fieldDelimiter' = '%s' is a pattern: what to write between fields is not known", f.delimiter)
	}
	return &textEncoder{sep: f.literal, zone: e.Zone}, nil
}

type textDecoder struct {
	f       *text
	d       format.Decoding
	n       int // fields of a row
	recs    *format.Records
	records []int         // of each row
	fields  []format.Span // n a row
}

// Scan implements format.Decoder.
func (t *textDecoder) Scan(recs *format.Records, from, to int, bad format.BadRow) int {
	t.recs, t.records, t.fields = recs, t.records[:0], t.fields[:0]
	for r := from; r < to; r++ {
		s := recs.Val[r]
		if s.Len < 0 {
			bad(r, -1, fmt.Errorf("no body"))
			continue
		}
		before := len(t.fields)
		t.split(s)
		if n := len(t.fields) - before; n != t.n {
			t.fields = t.fields[:before]
			bad(r, -1, fmt.Errorf("%d fields between '%s', the table has %d columns", n, t.f.delimiter, t.n))
			continue
		}
		t.records = append(t.records, r)
	}
	return len(t.records)
}

func (t *textDecoder) split(s format.Span) {
	if t.f.delimiter == "" {
		t.fields = append(t.fields, s)
		return
	}
	b := t.recs.Buf[s.Off : s.Off+s.Len]
	at := s.Off
	for {
		i, n := -1, len(t.f.literal)
		if t.f.pattern == nil {
			i = strings.Index(vector.View(b), t.f.literal)
		} else if m := t.f.pattern.FindIndex(b); m != nil {
			i, n = m[0], m[1]-m[0]
		}
		if i < 0 {
			t.fields = append(t.fields, format.Span{Off: at, Len: int32(len(b))})
			return
		}
		t.fields = append(t.fields, format.Span{Off: at, Len: int32(i)})
		b, at = b[i+n:], at+int32(i+n)
	}
}

// Kinds implements format.Decoder.
func (t *textDecoder) Kinds() []types.RowKind { return nil }

// Record implements format.Decoder.
func (t *textDecoder) Record(row int) int { return t.records[row] }

// Fill implements format.Decoder.
func (t *textDecoder) Fill(w int, sel []int32, out vector.Vector, bad format.BadRow) {
	want := t.d.Wanted[w]
	out.Resize(len(t.records))
	one := func(row int) {
		s := t.fields[row*t.n+want.Column]
		v := vector.View(t.recs.Buf[s.Off : s.Off+s.Len])
		if flat, ok := out.(*vector.Flat[string]); ok && want.Type.Kind == types.VarChar && len(v) <= want.Type.Prec {
			flat.Vals[row] = flat.Arena.Clone(v)
			return
		}
		if v == "" && !want.Type.IsChar() {
			vector.SetNullDeep(out, row)
			return
		}
		value, err := types.CastValue(v, types.String(), want.Type, t.d.Zone, false)
		if err != nil {
			bad(t.records[row], row, fmt.Errorf("column %s: %w", t.d.Schema.Fields[want.Column].Name, err))
			vector.SetNullDeep(out, row)
			return
		}
		vector.Put(out, row, value)
	}
	if sel == nil {
		for row := range t.records {
			one(row)
		}
		return
	}
	for _, row := range sel {
		one(int(row))
	}
}

type textEncoder struct {
	sep  string
	zone *time.Location
}

// Append implements format.Encoder. NULL is the empty text.
func (e *textEncoder) Append(dst []byte, b *vector.Batch, i int) ([]byte, bool, error) {
	for c, col := range b.Cols {
		if c > 0 {
			dst = append(dst, e.sep...)
		}
		dst = appendText(dst, col, i, e.zone)
	}
	return dst, false, nil
}

// appendText appends row i of a column as CAST(… AS STRING) prints it, nothing for NULL.
func appendText(dst []byte, col vector.Vector, i int, zone *time.Location) []byte {
	if col.IsNull(i) {
		return dst
	}
	if s, ok := col.(*vector.Flat[string]); ok && s.Typ.IsChar() {
		return append(dst, s.Vals[i]...)
	}
	return types.AppendCast(dst, vector.Get(col, i), col.Type(), zone)
}
