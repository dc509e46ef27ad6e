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
// function that fills a vector, message.go and file.go use them.
package avro

import (
	"io"

	"github.com/runnelio/runnel/format"
)

// Format is the format avro.
var Format = format.Define("avro", "Avro: object container files, and bare datums in messages.", func(o *options) (format.Format, error) {
	return &avro{o}, nil
})

type options struct {
	Codec    string `opt:"codec" default:"snappy" enum:"null,deflate,snappy,zstandard" doc:"How the blocks of written files are compressed. Files are read with these, bzip2 and xz."`
	Encoding string `opt:"encoding" default:"binary" enum:"binary" doc:"The encoding of messages."`
	Schema   string `opt:"schema" doc:"The schema, as JSON, that messages were written with. Not given: that of the table's columns."`
}

type avro struct{ o *options }

// Framing implements format.Format.
func (a *avro) Framing() format.Framing { return format.Whole }

// Changelog implements format.Format.
func (a *avro) Changelog() bool { return false }

// NewDecoder implements format.Format.
func (a *avro) NewDecoder(d format.Decoding) (format.Decoder, error) {
	text := a.o.Schema
	if text == "" {
		var err error
		if text, err = tableSchema(d.Schema); err != nil {
			return nil, err
		}
	}
	w, err := parseSchema([]byte(text))
	if err != nil {
		return nil, err
	}
	p, err := newPlan(w, d)
	if err != nil {
		return nil, err
	}
	return newDecoder(d, func(rec []byte) (*plan, int, error) {
		if len(rec) == 0 && len(w.fields) > 0 {
			return nil, 0, errEmpty
		}
		return p, 0, nil
	}), nil
}

// NewEncoder implements format.Format.
func (a *avro) NewEncoder(e format.Encoding) (format.Encoder, error) {
	if _, err := tableSchema(e.Schema); err != nil {
		return nil, err
	}
	return &messages{encoder: encoder{e.Schema.Fields}}, nil
}

// OpenFile implements format.FileFormat.
func (a *avro) OpenFile(f format.File, d format.FileDecoding, skip int64) (format.FileReader, error) {
	return openFile(f, d, skip)
}

// CreateFile implements format.FileFormat.
func (a *avro) CreateFile(w io.Writer, e format.Encoding) (format.FileWriter, error) {
	return createFile(w, e, a.o.Codec)
}

// Ending implements format.FileFormat.
func (a *avro) Ending() string { return ".avro" }

var _ format.FileFormat = (*avro)(nil)
