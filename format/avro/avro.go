// Package avro is the formats avro and avro-confluent.
//
// In files, avro is the object container file: the schema it carries is resolved
// against the table's columns by name, fields that are missing are NULL, and
// numbers may be wider in the table than in the file. In messages it is the bare
// datum, written with the table's schema unless 'schema' gives another one.
// avro-confluent is a message with the id of its schema, which is asked of a
// schema registry (registry.go).
//
// schema.go reads and writes schemas, decode.go makes of a schema and a type the
// function that fills a vector, encode.go writes rows by the table's own schema and
// writer.go by another; message.go and file.go use them. json.go has the JSON
// encoding, debezium.go changes in messages of a registry.
package avro

import (
	"io"

	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/types"
)

// Format is the format avro.
var Format = format.Define("avro", "Avro: object container files, and bare datums in messages.", func(o *options) (format.Format, error) {
	return &avro{o}, nil
}).Noted(notes)

type options struct {
	Codec    string `opt:"codec" default:"snappy" enum:"null,deflate,snappy,zstandard" doc:"How the blocks of written files are compressed. Files are read with these, bzip2 and xz."`
	Encoding string `opt:"encoding" default:"binary" enum:"binary,json" doc:"The encoding of messages. Under json, files are lines in that encoding too, instead of container files."`
	Schema   string `opt:"schema" doc:"The schema, as JSON, that messages were written with, and messages and files are written with. Not given: that of the table's columns."`
	Legacy   bool   `opt:"timestamp_mapping.legacy" default:"true" doc:"TIMESTAMP is written as timestamp-millis, -micros or -nanos, as TIMESTAMP_LTZ is; otherwise as local-timestamp-*. Both are read either way."`
}

type avro struct{ o *options }

// Framing implements format.Format.
func (a *avro) Framing() format.Framing {
	if a.o.Encoding == "json" {
		return format.Lines
	}
	return format.Whole
}

// Changelog implements format.Format.
func (a *avro) Changelog() bool { return false }

// schema is the one given, or that of the columns.
func (a *avro) schema(t *types.Schema) (text string, w *schema, err error) {
	if text = a.o.Schema; text == "" {
		m := legacy
		if !a.o.Legacy {
			m = proper
		}
		if text, err = m.tableSchema(t); err != nil {
			return "", nil, err
		}
	}
	w, err = parseSchema([]byte(text))
	return text, w, err
}

// NewDecoder implements format.Format.
func (a *avro) NewDecoder(d format.Decoding) (format.Decoder, error) {
	_, w, err := a.schema(d.Schema)
	if err != nil {
		return nil, err
	}
	p, err := newPlan(w, d)
	if err != nil {
		return nil, err
	}
	dec := newDecoder(d, func(rec []byte) (*plan, int, error) {
		if len(rec) == 0 && len(w.fields) > 0 {
			return nil, 0, errEmpty
		}
		return p, 0, nil
	})
	if a.o.Encoding == "json" {
		return &textDecoder{decoder: dec, writer: w}, nil
	}
	return dec, nil
}

// encoder returns what writes rows, and their schema.
func (a *avro) encoder(t *types.Schema) (e encoder, text string, w *schema, err error) {
	if text, w, err = a.schema(t); err != nil {
		return e, "", nil, err
	}
	e, err = newEncoder(t, a.o.Schema, w)
	return e, text, w, err
}

// NewEncoder implements format.Format.
func (a *avro) NewEncoder(e format.Encoding) (format.Encoder, error) {
	enc, _, w, err := a.encoder(e.Schema)
	if err != nil {
		return nil, err
	}
	m := &messages{encoder: enc}
	if a.o.Encoding == "json" {
		return &texts{inner: m, writer: w}, nil
	}
	return m, nil
}

// OpenFile implements format.FileFormat.
func (a *avro) OpenFile(f format.File, d format.FileDecoding, skip int64) (format.FileReader, error) {
	return openFile(f, d, skip)
}

// CreateFile implements format.FileFormat.
func (a *avro) CreateFile(w io.Writer, e format.Encoding) (format.FileWriter, error) {
	enc, text, _, err := a.encoder(e.Schema)
	if err != nil {
		return nil, err
	}
	return createFile(w, enc, text, a.o.Codec)
}

// Ending implements format.FileFormat.
func (a *avro) Ending() string { return ".avro" }

var _ format.FileFormat = (*avro)(nil)
