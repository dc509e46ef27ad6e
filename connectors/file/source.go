package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/connector/framing"
	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// source reads the files that are there when it is asked for its splits.
type source struct {
	*lister
	cx      *connector.Context
	framing framing.Options
}

func newSource(cx *connector.Context, t *connector.Table, o *options) (any, error) {
	l, err := newLister(cx, t, o)
	if err != nil {
		return nil, err
	}
	s := &source{lister: l, cx: cx, framing: framing.Options{MaxRecord: int(o.MaxRecord)}}
	if t.Format != nil {
		switch s.framing.Framing = t.Format.Framing(); s.framing.Framing {
		case format.Whole:
			return nil, errors.New("filesystem: the format reads whole files, which the connector does not do yet")
		case format.Quoted:
			if q, ok := t.Format.(format.Quoter); ok {
				s.framing.Quote = q.QuoteChar()
			}
		}
	}
	if o.interval() > 0 {
		return &followSource{source: s, every: o.interval(), known: map[string]*followed{}}, nil
	}
	return s, nil
}

// Splits implements connector.Source: a file is a split.
func (s *source) Splits(ctx context.Context) ([]connector.Split, error) {
	files, err := s.list(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]connector.Split, len(files))
	for i, f := range files {
		out[i] = connector.Split{ID: f.path, Size: f.size, Values: f.values}
	}
	return out, nil
}

// Bounded implements connector.Source.
func (s *source) Bounded() bool { return true }

// Open implements connector.Source. A position in a compressed file is one in
// its content; what is before it is decompressed and passed over.
func (s *source) Open(ctx context.Context, split connector.Split, at connector.Position) (connector.Reader, error) {
	offset, err := framing.ParsePosition(at)
	if err != nil {
		return nil, fmt.Errorf("filesystem: %s: %w", split.ID, err)
	}
	in, err := s.open(ctx, split.ID, offset)
	if err != nil {
		return nil, err
	}
	o := s.framing
	o.Offset = offset
	r := &fileReader{file: in, cut: framing.New(in, o)}
	if r.meta, err = newMetadata(s.table, in.f); err != nil {
		in.close()
		return nil, err
	}
	return r, nil
}

// content is an open file, decompressed.
type content struct {
	path   string
	f      *os.File
	raw    *counter
	plain  io.Reader
	stop   func()
	packed bool
}

func (s *source) open(ctx context.Context, path string, offset int64) (*content, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("filesystem: %w", err)
	}
	c := &content{path: path, f: f, raw: &counter{r: f}}
	compression := compressionOf(s.o.Compression, path)
	c.packed = compression != "none"
	if !c.packed && offset > 0 {
		if _, err := f.Seek(offset, io.SeekStart); err != nil {
			f.Close()
			return nil, fmt.Errorf("filesystem: %w", err)
		}
	}
	if c.plain, c.stop, err = decompress(c.raw, compression); err != nil {
		f.Close()
		return nil, fmt.Errorf("filesystem: %s: %w", path, err)
	}
	if c.packed && offset > 0 {
		if err := discard(ctx, c, offset); err != nil {
			c.close()
			return nil, fmt.Errorf("filesystem: %s: seeking %d: %w", path, offset, err)
		}
	}
	return c, nil
}

// discard reads n bytes and forgets them.
func discard(ctx context.Context, c *content, n int64) error {
	for n > 0 {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		step, err := io.CopyN(io.Discard, c, min(n, 16<<20))
		n -= step
		if err != nil {
			return err
		}
	}
	return nil
}

// Read implements io.Reader, with errors that tell what is wrong.
func (c *content) Read(p []byte) (int, error) {
	n, err := c.plain.Read(p)
	if err != nil && err != io.EOF {
		if c.packed {
			err = damage(err)
		}
		err = fmt.Errorf("filesystem: %s: %w", c.path, err)
	}
	return n, err
}

func (c *content) close() error {
	c.stop()
	return c.f.Close()
}

// fileReader reads one file.
type fileReader struct {
	file *content
	cut  *framing.Cutter
	meta *metadata
}

// Read implements connector.Reader.
func (r *fileReader) Read(ctx context.Context, into *format.Records) error {
	before := r.file.raw.n
	err := r.cut.Read(into)
	into.Bytes = r.file.raw.n - before
	r.meta.fill(into)
	return err
}

// Close implements connector.Reader.
func (r *fileReader) Close() error { return r.file.close() }

// metadata makes the metadata columns: constants of a file.
type metadata struct{ values []*vector.Const }

func newMetadata(t *connector.Table, f *os.File) (*metadata, error) {
	m := &metadata{}
	if len(t.Metadata) == 0 {
		return m, nil
	}
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("filesystem: %w", err)
	}
	for _, c := range t.Metadata {
		var v types.Value
		switch c.Key {
		case "file.path":
			abs, err := filepath.Abs(f.Name())
			if err != nil {
				return nil, fmt.Errorf("filesystem: %w", err)
			}
			v = abs
		case "file.name":
			v = filepath.Base(f.Name())
		case "file.size":
			v = info.Size()
		case "file.modification-time":
			v = types.TSFromTime(info.ModTime())
		default:
			return nil, fmt.Errorf("filesystem: there is no metadata %q", c.Key)
		}
		m.values = append(m.values, vector.NewConst(t.Schema.Fields[c.Column].Type, v, 0))
	}
	return m, nil
}

func (m *metadata) fill(into *format.Records) {
	for _, c := range m.values {
		own := *c
		own.N = len(into.Val)
		into.Meta = append(into.Meta, &own)
	}
}

var _ connector.Source = (*source)(nil)
