package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

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

// errMessages refuses formats whose records have no end mark: what is written
// could not be read.
var errMessages = errors.New("filesystem: the messages of this format do not stand in files")

func newSource(cx *connector.Context, t *connector.Table, o *options) (any, error) {
	l, err := newLister(cx, t, o)
	if err != nil {
		return nil, err
	}
	s := &source{lister: l, cx: cx, framing: framing.Options{MaxRecord: int(o.MaxRecord)}}
	if t.Format != nil {
		switch s.framing.Framing = t.Format.Framing(); s.framing.Framing {
		case format.Whole:
			f, ok := t.Format.(format.FileFormat)
			if !ok {
				return nil, errMessages
			}
			w := &wholeSource{in: s, format: f, known: map[string]bool{}}
			if o.interval() > 0 {
				return &watchedWhole{wholeSource: w, every: o.interval()}, nil
			}
			return w, nil
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
	files, err := s.all(ctx)
	if err != nil {
		return nil, err
	}
	var out []connector.Split
	for _, f := range files {
		out = append(out, s.parts(f)...)
	}
	return out, nil
}

// parts returns the splits of a file: one, or ranges whose ids have the first
// byte and the one behind the last.
func (s *source) parts(f found) []connector.Split {
	size := int64(s.o.SplitSize)
	whole := []connector.Split{{ID: f.path, Size: f.size, Values: f.values}}
	if size == 0 || f.size <= size || s.framing.Framing != format.Lines || s.table.Format != nil && s.table.Format.Changelog() || compressionOf(s.o.Compression, f.path) != "none" {
		return whole
	}
	var out []connector.Split
	for at := int64(0); at < f.size; at += size {
		end := min(at+size, f.size)
		out = append(out, connector.Split{ID: fmt.Sprintf("%s#%d-%d", f.path, at, end), Size: end - at, Values: f.values})
	}
	return out
}

// rangeOf takes the id of a split apart; end is 0 for a whole file.
func (s *source) rangeOf(id string) (path string, from, end int64) {
	if i := strings.LastIndexByte(id, '#'); i >= 0 && s.o.SplitSize > 0 {
		if _, err := fmt.Sscanf(id[i:], "#%d-%d", &from, &end); err == nil {
			return id[:i], from, end
		}
	}
	return id, 0, 0
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
	path, from, end := s.rangeOf(split.ID)
	middle := at == "" && from > 0 // the record that is cut through belongs to the part before
	if middle {
		offset = from - 1
	}
	in, err := s.open(ctx, path, offset)
	if err != nil {
		return nil, err
	}
	o := s.framing
	o.Offset = offset
	r := &fileReader{file: in, cut: framing.New(in, o), middle: middle, end: end}
	if r.meta, err = newMetadata(s.table, in.f); err != nil {
		_ = in.close() // only read: err says what is wrong
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
			_ = c.close() // only read: err says what is wrong
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

// fileReader reads one file, or a part of it: the records that start in it.
type fileReader struct {
	file   *content
	cut    *framing.Cutter
	meta   *metadata
	middle bool  // the first record is to be left out
	end    int64 // where the part ends, 0: with the file
}

// Read implements connector.Reader.
func (r *fileReader) Read(ctx context.Context, into *format.Records) error {
	before := r.file.raw.n
	err := r.cut.Read(into)
	into.Bytes = r.file.raw.n - before
	if r.end > 0 && (err == nil || err == io.EOF) {
		err = r.clip(into, err)
	}
	r.meta.fill(into)
	return err
}

// clip leaves out the records that belong to other parts.
func (r *fileReader) clip(into *format.Records, err error) error {
	start := r.cut.Offset() - int64(len(into.Buf)) // position of the buffer's first byte
	if r.middle && (len(into.Val) > 0 || into.Oversize > 0) {
		r.middle = false
		if into.Oversize > 0 {
			into.Oversize, into.OversizeHead = into.Oversize-1, into.OversizeHead[1:]
		} else {
			into.Val = slices.Delete(into.Val, 0, 1)
		}
	}
	for i, v := range into.Val {
		if start+int64(v.Off) >= r.end {
			into.Val = into.Val[:i]
			return io.EOF
		}
	}
	if r.cut.Offset() >= r.end {
		return io.EOF
	}
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
