package stdio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/vector"
)

// streamSource reads the standard input by a format that makes columns of it.
type streamSource struct {
	in     io.Reader
	format format.StreamFormat
	table  *connector.Table
	zone   *time.Location
}

// Splits implements connector.ColumnSource.
func (s *streamSource) Splits(context.Context) ([]connector.Split, error) {
	return []connector.Split{{ID: "stdin"}}, nil
}

// Bounded implements connector.ColumnSource.
func (s *streamSource) Bounded() bool { return true }

// MayBlock tells the engine to read in a goroutine of its own.
func (s *streamSource) MayBlock() bool { return true }

// OpenColumns implements connector.ColumnSource. A stream begins with its
// schema, so that after a restart it cannot be gone on with.
func (s *streamSource) OpenColumns(_ context.Context, _ connector.Split, at connector.Position) (connector.ColumnReader, error) {
	if at != "" {
		return nil, errors.New("stdin: a stream cannot be read again from its middle")
	}
	r := &streamReader{columns: s.table.Wanted}
	if r.columns == nil {
		for c := range s.table.Schema.Fields {
			r.columns = append(r.columns, c)
		}
	}
	d := format.Decoding{Schema: s.table.Schema, Zone: s.zone}
	for _, c := range r.columns {
		d.Wanted = append(d.Wanted, format.Want{Column: c, Type: s.table.Schema.Fields[c].Type})
	}
	r.open = func() (format.FileReader, error) { return s.format.OpenStream(s.in, d) }
	return r, nil
}

// streamReader opens the stream when it is first read, which may block.
type streamReader struct {
	open    func() (format.FileReader, error)
	r       format.FileReader
	columns []int
	cols    []vector.Vector
}

// ReadBatch implements connector.ColumnReader.
func (r *streamReader) ReadBatch(ctx context.Context, into *vector.Batch, max int) error {
	if ctx.Err() != nil {
		return nil
	}
	if r.r == nil {
		var err error
		if r.r, err = r.open(); err != nil {
			return fmt.Errorf("stdin: %w", err)
		}
	}
	r.cols = r.cols[:0]
	for _, c := range r.columns {
		r.cols = append(r.cols, into.Cols[c])
	}
	n, err := r.r.Read(r.cols, max)
	if err != nil && err != io.EOF {
		return fmt.Errorf("stdin: %w", err)
	}
	into.N = n
	into.Origin.Last = fmt.Sprintf("%019d", r.r.Row())
	return err
}

// Close implements connector.ColumnReader.
func (r *streamReader) Close() error {
	if r.r == nil {
		return nil
	}
	return r.r.Close()
}

// streamSink writes a stream to the standard output. Several writers share it:
// the first begins it when it is made, before any of them writes, and then
// nobody ends it.
type streamSink struct {
	w      format.FileWriter
	shared bool
}

func newStreamSink(f format.StreamFormat, cx *connector.Context, t *connector.Table) (connector.Sink, error) {
	create := f.CreateStream
	if t.Subtask > 0 {
		create = f.ContinueStream
	}
	w, err := create(cx.IO.Out, format.Encoding{Schema: t.Schema, Zone: cx.Zone})
	if err != nil {
		return nil, fmt.Errorf("stdout: %w", err)
	}
	return &streamSink{w, t.Parallel > 1}, nil
}

// Write implements connector.Sink.
func (s *streamSink) Write(_ context.Context, b *vector.Batch) error {
	if err := s.w.Write(b); err != nil {
		return fmt.Errorf("stdout: %w", err)
	}
	return nil
}

// Flush implements connector.Flusher.
func (s *streamSink) Flush(context.Context) error {
	if f, ok := s.w.(format.Flusher); ok {
		if err := f.Flush(); err != nil {
			return fmt.Errorf("stdout: %w", err)
		}
	}
	return nil
}

// Close implements connector.Sink: the end of the stream is written, but not
// when the job was aborted or others write it too.
func (s *streamSink) Close(ctx context.Context) error {
	if ctx.Err() != nil {
		return nil
	}
	if s.shared {
		return s.Flush(ctx)
	}
	if err := s.w.Close(); err != nil {
		return fmt.Errorf("stdout: %w", err)
	}
	return nil
}

var (
	_ connector.ColumnSource = (*streamSource)(nil)
	_ connector.Flusher      = (*streamSink)(nil)
)
