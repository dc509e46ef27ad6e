// Package logfmt is the logfmt format: a record is a line of key=value pairs
// with blanks between them, as level=info msg="it works" took=5ms.
//
// Each pair is the column of its name; other keys are passed over, a missing key
// is NULL, and of equal keys the last counts. Values with blanks, quotes or equal
// signs at their start stand in double quotes, with the escapes of JSON. A key
// without an equal sign has the value true. What has an opening quote but no
// closing one, or an equal sign without a key, makes the record bad. NULL is not
// written. Blank records hold no row.
package logfmt

import (
	"fmt"

	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/format/convert"
	"github.com/runnelio/runnel/format/json"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// Format is the format.
var Format = format.Define("logfmt", "Lines of key=value pairs.", func(o *options) (format.Format, error) { return &logfmt{o}, nil }).Noted(notes)

type options struct {
	IgnoreErrors    bool   `opt:"ignore-parse-errors" default:"false" doc:"A value that does not convert is NULL, and a record that is no logfmt is left out; otherwise the record is bad."`
	FailOnMissing   bool   `opt:"fail-on-missing-field" default:"false" doc:"A key that is missing makes the record bad; otherwise it is NULL."`
	TimestampFormat string `opt:"timestamp-format.standard" default:"SQL" enum:"SQL,ISO-8601" doc:"SQL is 2024-01-31 12:00:00.123, ISO-8601 is 2024-01-31T12:00:00.123; TIMESTAMP_LTZ has a Z behind it, in UTC."`
}

type logfmt struct{ *options }

func (f *logfmt) conversion() convert.Options {
	o := convert.Options{Timestamps: types.SQLTimestamps}
	if f.TimestampFormat == "ISO-8601" {
		o.Timestamps = types.ISOTimestamps
	}
	return o
}

// Framing implements format.Format.
func (f *logfmt) Framing() format.Framing { return format.Lines }

// Changelog implements format.Format.
func (f *logfmt) Changelog() bool { return false }

// NewEncoder implements format.Format.
func (f *logfmt) NewEncoder(e format.Encoding) (format.Encoder, error) {
	enc := &encoder{timestamps: f.conversion().Timestamps}
	for _, c := range e.Schema.Fields {
		if _, err := convert.New(c.Type, f.conversion()); err != nil {
			return nil, fmt.Errorf("column %s: %w", c.Name, err)
		}
		if !isKey(c.Name) {
			return nil, fmt.Errorf("column %q: the name cannot be a key of logfmt", c.Name)
		}
		enc.fields = append(enc.fields, c)
	}
	return enc, nil
}

func isKey(s string) bool {
	for i := range len(s) {
		if !keyByte(s[i]) {
			return false
		}
	}
	return s != ""
}

func keyByte(c byte) bool { return c > ' ' && c != '=' && c != '"' && c != 0x7F }

type encoder struct {
	fields     []types.Field
	timestamps types.TimestampFormat
	text       []byte
}

// Append implements format.Encoder.
func (e *encoder) Append(dst []byte, b *vector.Batch, i int) ([]byte, bool, error) {
	first := true
	for c, f := range e.fields {
		if b.Cols[c].IsNull(i) {
			continue
		}
		if !first {
			dst = append(dst, ' ')
		}
		first = false
		dst = append(append(dst, f.Name...), '=')
		e.text, _ = convert.Append(e.text[:0], b.Cols[c], f.Type, i, e.timestamps, true)
		if isKey(vector.View(e.text)) {
			dst = append(dst, e.text...)
		} else {
			dst = json.AppendString(dst, vector.View(e.text))
		}
	}
	return dst, false, nil
}
