// Package json is the JSON format: a record is an object whose fields are the
// columns, or an array of such objects.
//
// Reading is in two steps. A Projector (projector.go) finds in one pass over a
// record where the wanted fields stand, nested ones included, and learns the
// order of the keys (learn.go). A Column (column.go) turns the values of those
// rows that are still wanted into a vector; texts without escapes are views of
// the record. scalar.go and nested.go have the conversions, which are Flink's: a
// missing field is NULL, unknown fields are passed over, a number in quotes is
// a number, a number, boolean, array or object in a STRING column is its text.
//
// What is not JSON, or not quite, is treated thus:
//
//   - Of duplicate keys the last counts.
//   - The whole record is walked: a string, array or object that does not end, a
//     missing comma, colon or value, and anything behind the object make it a
//     bad record, also behind the last wanted field. The inside of arrays and
//     objects that nobody asked for is checked for strings and brackets only,
//     numbers nobody asked for for their characters only.
//   - Escapes in keys are read: "\u0061" is the key a.
//   - Control characters in strings are taken as they are.
//   - Bytes that are no UTF-8 in a text that is asked for make the record bad, or
//     become U+FFFD with 'invalid-utf8' = 'replace'. A surrogate escape without
//     its other half becomes U+FFFD.
//   - NaN and Infinity are no numbers unless they stand in quotes, as they are
//     written too.
//   - Depth is limited by memory only where nothing is asked for, else by the
//     depth of the type.
//   - Values are converted when they are read: what a query does not read, or
//     reads only of rows that passed a filter, is not checked further.
//   - Records without a value, empty or all blank hold no row.
package json

import (
	"time"

	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/option"
	"github.com/runnelio/runnel/types"
)

// Format is the format.
var Format = format.Define("json", "JSON objects, one a record.", func(o *Options) (format.Format, error) { return New(o) }).Noted(notes)

// Options are the options of the format, and of those that are JSON inside.
type Options struct {
	FailOnMissing     bool   `opt:"fail-on-missing-field" default:"false" doc:"A field that is missing makes the record bad; otherwise it is NULL."`
	IgnoreErrors      bool   `opt:"ignore-parse-errors" default:"false" doc:"A value that does not convert is NULL, and a record that is no JSON is left out; otherwise the record is bad."`
	MapNullKeyMode    string `opt:"map-null-key.mode" default:"FAIL" enum:"FAIL,DROP,LITERAL" doc:"How an entry of a map whose key is NULL is written: as an error, not at all, or with the literal as its key."`
	MapNullKeyLiteral string `opt:"map-null-key.literal" default:"null" doc:"The key of such an entry under 'map-null-key.mode' = 'LITERAL'."`
	TimestampFormat   string `opt:"timestamp-format.standard" default:"SQL" enum:"SQL,ISO-8601" doc:"SQL is 2024-01-31 12:00:00.123, ISO-8601 is 2024-01-31T12:00:00.123; TIMESTAMP_LTZ has a Z behind it, in UTC."`
	TimestampNumbers  string `opt:"timestamp-numbers" default:"fail" enum:"fail,epoch-millis" doc:"How a number is read as a timestamp: not at all, or as milliseconds since 1970 in UTC, which TIMESTAMP shows in the session's zone."`
	PlainDecimals     bool   `opt:"encode.decimal-as-plain-number" default:"false" doc:"Decimals are written without an exponent."`
	IgnoreNulls       bool   `opt:"encode.ignore-null-fields" default:"false" doc:"NULL fields are not written."`
	InvalidUTF8       string `opt:"invalid-utf8" default:"fail" enum:"fail,replace" doc:"Whether bytes that are no UTF-8 make a record bad or become U+FFFD."`
	JSONParser        bool   `opt:"decode.json-parser.enabled" default:"true" doc:"Accepted for Flink's sake: it chooses between two parsers there, which give the same."`
}

// New returns the format with options o.
func New(o *Options) (format.Format, error) {
	if o.FailOnMissing && o.IgnoreErrors {
		return nil, option.Errorf("fail-on-missing-field", "cannot be true where 'ignore-parse-errors' is")
	}
	return &jsonFormat{o}, nil
}

// Conversion says how values are read under o.
func (o *Options) conversion() *conversion {
	return &conversion{timestamps: o.timestamps(), ignore: o.IgnoreErrors, failMissing: o.FailOnMissing, replaceUTF8: o.InvalidUTF8 == "replace", millis: o.TimestampNumbers == "epoch-millis"}
}

func (o *Options) timestamps() types.TimestampFormat {
	if o.TimestampFormat == "ISO-8601" {
		return types.ISOTimestamps
	}
	return types.SQLTimestamps
}

// NewColumn returns a Column that reads values of type t; name is for messages.
func (o *Options) NewColumn(name string, t types.Type) (*Column, error) {
	return newColumn(name, t, o.conversion())
}

type jsonFormat struct{ o *Options }

// Framing implements format.Format.
func (f *jsonFormat) Framing() format.Framing { return format.Lines }

// Changelog implements format.Format.
func (f *jsonFormat) Changelog() bool { return false }

// NewDecoder implements format.Format.
func (f *jsonFormat) NewDecoder(d format.Decoding) (format.Decoder, error) {
	c := f.o.conversion()
	c.zone = d.Zone
	return newDecoder(d, c)
}

// NewEncoder implements format.Format.
func (f *jsonFormat) NewEncoder(e format.Encoding) (format.Encoder, error) {
	return f.o.NewWriter(e.Schema, e.Zone)
}

// NewWriter returns an encoder of rows as objects.
func (o *Options) NewWriter(s *types.Schema, _ *time.Location) (*Writer, error) {
	w := &Writer{o: o, timestamps: o.timestamps()}
	for _, f := range s.Fields {
		if err := writable(f.Type); err != nil {
			return nil, err
		}
		w.keys = append(w.keys, string(append(AppendString(nil, f.Name), ':')))
		w.types = append(w.types, f.Type)
	}
	return w, nil
}
