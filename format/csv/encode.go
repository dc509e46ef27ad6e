package csv

import (
	"fmt"
	"strings"

	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/format/convert"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// encoder quotes texts as Jackson does for Flink: those longer than 24
// characters, and those with a character up to the largest of delimiter and
// quote, such as a blank.
type encoder struct {
	f    *csvFormat
	t    []types.Type
	safe byte // characters from here on need no quotes
	text []byte
}

func newEncoder(f *csvFormat, e format.Encoding) (*encoder, error) {
	enc := &encoder{f: f, safe: f.quote}
	if len(f.delim) == 1 {
		enc.safe = max(enc.safe, f.delim[0])
	}
	enc.safe = max(enc.safe, '\r', f.escape) + 1
	for _, field := range e.Schema.Fields {
		if _, err := convert.New(field.Type, f.conversion()); err != nil {
			return nil, fmt.Errorf("column %s: %w", field.Name, err)
		}
		enc.t = append(enc.t, field.Type)
	}
	return enc, nil
}

// Append implements format.Encoder.
func (e *encoder) Append(dst []byte, b *vector.Batch, i int) ([]byte, bool, error) {
	for c, col := range b.Cols[:len(e.t)] {
		if c > 0 {
			dst = append(dst, e.f.delim...)
		}
		dst = e.cell(dst, col, e.t[c], i)
	}
	return dst, false, nil
}

const mostUnquoted = 24

func (e *encoder) cell(dst []byte, v vector.Vector, t types.Type, i int) []byte {
	if v.IsNull(i) {
		if e.f.Null != nil {
			return append(dst, *e.f.Null...)
		}
		return dst
	}
	var text bool
	if t.IsNested() {
		e.text, text = e.elements(e.text[:0], v, t, i), true
	} else {
		e.text, text = convert.Append(e.text[:0], v, t, i, types.SQLTimestamps, !e.f.Scientific)
	}
	if !text || !e.mustQuote(e.text) {
		return append(dst, e.text...)
	}
	dst = append(dst, e.f.quote)
	for _, c := range e.text {
		if c == e.f.quote {
			dst = append(dst, c)
		} else if c == e.f.escape && e.f.escape != 0 {
			dst = append(dst, c)
		}
		dst = append(dst, c)
	}
	return append(dst, e.f.quote)
}

func (e *encoder) mustQuote(s []byte) bool {
	if e.f.quote == 0 {
		return false
	}
	if len(s) > mostUnquoted {
		return true
	}
	for _, c := range s {
		if c < e.safe {
			return true
		}
	}
	return len(e.f.delim) > 1 && strings.Contains(vector.View(s), e.f.delim)
}

// elements appends the elements of an array or the fields of a row.
func (e *encoder) elements(dst []byte, v vector.Vector, t types.Type, i int) []byte {
	if c, ok := v.(*vector.Const); ok {
		v, i = c.Of, 0
	}
	add := func(first bool, v vector.Vector, t types.Type, i int) {
		if !first {
			dst = append(dst, e.f.Elements...)
		}
		if v.IsNull(i) {
			if e.f.Null != nil {
				dst = append(dst, *e.f.Null...)
			}
			return
		}
		dst, _ = convert.Append(dst, v, t, i, types.SQLTimestamps, !e.f.Scientific)
	}
	switch v := v.(type) {
	case *vector.List:
		for k := range v.Count[i] {
			add(k == 0, v.Child, *t.Elem, int(v.Off[i]+k))
		}
	case *vector.Row:
		for f, col := range v.Cols {
			add(f == 0, col, t.Fields[f].Type, i)
		}
	}
	return dst
}
