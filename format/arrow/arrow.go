// Package arrow is the arrow format: record batches of Apache Arrow in its IPC
// forms, the file (with a footer) and the stream.
//
// Both forms are read wherever one is expected; which one is written is an
// option. In files and on the standard input and output the form is read and
// written as a whole; in messages each record is a stream of its own, with its
// schema, of any number of rows when it is read and of one when it is written.
//
// Columns are found by name; those that are missing are NULL. Of a record batch
// only the buffers of the wanted columns are read and decompressed: of a row
// column only those of its fields. There are no statistics in Arrow, so no
// batches are left out by the conditions of a query.
//
// flat.go reads and writes the flatbuffers that describe schemas and batches,
// schema.go the schemas; input.go finds the messages of both forms; array.go
// loads the buffers of columns, match.go joins them with the types of a table
// and fill.go copies them into vectors; read.go, message.go and write.go are
// the reader of files, the decoder and encoder of messages and the writer.
//
// The format is small enough to be written out, against the library of the
// Arrow project, which has no way to leave buffers of a batch unread and
// believes the lengths it reads: here memory is bounded by what the input has.
package arrow

import (
	"io"

	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/option"
)

// Format is the format.
var Format = format.Define("arrow", "Record batches of Apache Arrow IPC, as files and streams.", func(o *options) (format.Format, error) {
	return &arrow{o}, nil
}).Noted(notes)

type options struct {
	Form        string        `opt:"form" default:"file" enum:"file,stream" doc:"Which form files are written in. Both are read. Messages and the standard output are streams."`
	Compression string        `opt:"compression" default:"NONE" enum:"NONE,LZ4,ZSTD" doc:"How the buffers of written batches are compressed. All are read."`
	BatchSize   option.Memory `opt:"batch-size" default:"1 mb" min:"1 kb" max:"512 mb" doc:"A record batch is written when the values collected for it have about this size."`
}

type arrow struct{ o *options }

// Framing implements format.Format.
func (a *arrow) Framing() format.Framing { return format.Whole }

// Changelog implements format.Format.
func (a *arrow) Changelog() bool { return false }

// Ending implements format.FileFormat.
func (a *arrow) Ending() string {
	if a.o.Form == "stream" {
		return ".arrows"
	}
	return ".arrow"
}

// NewDecoder implements format.Format.
func (a *arrow) NewDecoder(d format.Decoding) (format.Decoder, error) { return newDecoder(d), nil }

// NewEncoder implements format.Format.
func (a *arrow) NewEncoder(e format.Encoding) (format.Encoder, error) {
	return newEncoder(e, a.o.Compression)
}

// OpenFile implements format.FileFormat.
func (a *arrow) OpenFile(f format.File, d format.FileDecoding, skip int64) (format.FileReader, error) {
	in, err := openFile(f)
	if err != nil {
		return nil, err
	}
	return newReader(in, d.Decoding, skip)
}

// OpenStream implements format.StreamFormat.
func (a *arrow) OpenStream(r io.Reader, d format.Decoding) (format.FileReader, error) {
	f, err := newReader(&pipe{r: r}, d, 0)
	if err != nil {
		return nil, err
	}
	f.live = true
	return f, nil
}

// CreateFile implements format.FileFormat.
func (a *arrow) CreateFile(w io.Writer, e format.Encoding) (format.FileWriter, error) {
	if a.o.Form == "stream" {
		return a.CreateStream(w, e)
	}
	f, err := newWriter(w, e, a.o.Compression, int64(a.o.BatchSize))
	if err != nil {
		return nil, err
	}
	f.file = true
	return f, f.write(f.schema([]byte(magic + "\x00\x00")))
}

// CreateStream implements format.StreamFormat.
func (a *arrow) CreateStream(w io.Writer, e format.Encoding) (format.FileWriter, error) {
	f, err := newWriter(w, e, a.o.Compression, int64(a.o.BatchSize))
	if err != nil {
		return nil, err
	}
	return f, f.write(f.schema(nil))
}

// ContinueStream implements format.StreamFormat.
func (a *arrow) ContinueStream(w io.Writer, e format.Encoding) (format.FileWriter, error) {
	f, err := newWriter(w, e, a.o.Compression, int64(a.o.BatchSize))
	if err != nil {
		return nil, err
	}
	f.open = true
	return f, nil
}

var _ format.StreamFormat = (*arrow)(nil)
