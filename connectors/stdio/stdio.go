// Package stdio is the standard input as a table to read and the standard
// output as one to write. Records are a line each (stdio.go), or what a format of
// streams makes of them (stream.go).
package stdio

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/connector/framing"
	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/option"
	"github.com/runnelio/runnel/vector"
)

// Stdin reads the standard input until it ends. It cannot be read again: after
// a restart a job goes on with what comes then.
var Stdin = connector.Define("stdin", "The records of the standard input, until it ends; one stream with the format arrow.", connector.Spec[sourceOptions]{
	Source:      newSource,
	NeedsFormat: true,
})

// Stdout writes records to the standard output, one a line.
var Stdout = connector.Define("stdout", "Records to the standard output, one a line; as one stream with the format arrow.", connector.Spec[struct{}]{
	Sink:        newSink,
	NeedsFormat: true,
})

type sourceOptions struct {
	MaxRecord option.Memory `opt:"max-record-size" default:"16 mb" min:"1 b" max:"1 gb" doc:"Longer records are treated as on-error says, with their first bytes."`
}

type source struct {
	in  io.Reader
	cut framing.Options
}

func newSource(cx *connector.Context, t *connector.Table, o *sourceOptions) (any, error) {
	if cx.IO == nil || cx.IO.In == nil {
		return nil, errors.New("stdin: there is no standard input")
	}
	s := &source{in: cx.IO.In, cut: framing.Options{MaxRecord: int(o.MaxRecord)}}
	if f, ok := t.Format.(format.StreamFormat); ok {
		return &streamSource{in: cx.IO.In, format: f, table: t, zone: cx.Zone}, nil
	}
	if s.cut.Framing = t.Format.Framing(); s.cut.Framing == format.Whole {
		return nil, errors.New("stdin: the format reads whole files")
	}
	if q, ok := t.Format.(format.Quoter); ok {
		s.cut.Quote = q.QuoteChar()
	}
	return s, nil
}

// Splits implements connector.Source.
func (s *source) Splits(context.Context) ([]connector.Split, error) {
	return []connector.Split{{ID: "stdin"}}, nil
}

// Bounded implements connector.Source: the input ends, if late.
func (s *source) Bounded() bool { return true }

// MayBlock tells the engine to read in a goroutine of its own.
func (s *source) MayBlock() bool { return true }

// Open implements connector.Source.
func (s *source) Open(_ context.Context, _ connector.Split, at connector.Position) (connector.Reader, error) {
	o := s.cut
	var err error
	if o.Offset, err = framing.ParsePosition(at); err != nil {
		return nil, fmt.Errorf("stdin: %w", err)
	}
	return &reader{framing.New(s.in, o)}, nil
}

type reader struct{ cut *framing.Cutter }

// Read implements connector.Reader.
func (r *reader) Read(_ context.Context, into *format.Records) error {
	err := r.cut.Read(into)
	if err != nil && err != io.EOF {
		return fmt.Errorf("stdin: %w", err)
	}
	return err
}

// Close implements connector.Reader. The standard input belongs to the process.
func (r *reader) Close() error { return nil }

// sink writes each batch by one write.
type sink struct {
	out    io.Writer
	enc    format.Encoder
	header []byte
	buf    []byte
}

func newSink(cx *connector.Context, t *connector.Table, _ *struct{}) (connector.Sink, error) {
	if cx.IO == nil || cx.IO.Out == nil {
		return nil, errors.New("stdout: there is no standard output")
	}
	if f, ok := t.Format.(format.StreamFormat); ok {
		return newStreamSink(f, cx, t)
	}
	enc, err := t.Format.NewEncoder(format.Encoding{Schema: t.Schema, Zone: cx.Zone})
	if err != nil {
		return nil, err
	}
	s := &sink{out: cx.IO.Out, enc: enc}
	if h, ok := enc.(format.HeaderEncoder); ok && t.Subtask == 0 {
		s.header = h.Header(nil)
	}
	return s, nil
}

// Write implements connector.Sink.
func (s *sink) Write(_ context.Context, b *vector.Batch) error {
	s.buf = s.buf[:0]
	if len(s.header) > 0 {
		s.buf = append(append(s.buf, s.header...), '\n')
	}
	var err error
	b.Rows(func(i int) {
		if err != nil {
			return
		}
		var out []byte
		var skip bool
		if out, skip, err = s.enc.Append(s.buf, b, i); err == nil && !skip {
			s.buf = append(out, '\n')
		}
	})
	if err != nil {
		return fmt.Errorf("stdout: %w", err)
	}
	s.header = nil
	if _, err := s.out.Write(s.buf); err != nil {
		return fmt.Errorf("stdout: %w", err)
	}
	return nil
}

// Close implements connector.Sink.
func (s *sink) Close(context.Context) error { return nil }
