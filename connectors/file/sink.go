package file

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// sink writes one subtask's rows. Rows of a partition go to one file at a time.
// A file is finished when it is large or old enough and at each checkpoint;
// finished files wait under their hidden names until they are committed.
type sink struct {
	cx      *connector.Context
	o       *options
	dir     string
	run     string // makes file names unique
	subtask int
	encoder format.Encoder
	whole   format.FileFormat // in place of encoder
	coding  format.Encoding
	header  []byte
	ending  string

	data       []int // columns of the file
	partitions []int // columns of the path
	rows       vector.Batch
	open       map[string]*part // by folder
	done       []pending        // finished, not prepared
	number     int
	checked    time.Time // when ages were looked at last
	key, line  []byte
	lock       *os.File // the run file; nil before the first file
	follows    []string // runs whose commits this one went on from, until it is in one
	broken     error    // a write failed: what is open cannot be used any more
}

// pending is a complete file under its hidden name. Tokens are lists of them.
type pending struct {
	Hidden string `json:"hidden"`
	Final  string `json:"final"`
}

// maxOpen is how many partitions may be written at the same time.
const maxOpen = 256

func newSink(cx *connector.Context, t *connector.Table, o *options) (connector.Sink, error) {
	s, err := makeSink(cx, t, o)
	switch {
	case err != nil:
		return nil, err // a nil *sink would be a sink to whoever closes it
	case t.Overwrite:
		return newOverwriter(s, t), nil
	}
	return s, nil
}

func makeSink(cx *connector.Context, t *connector.Table, o *options) (*sink, error) {
	if _, whole := t.Format.(format.FileFormat); !whole && t.Format.Framing() == format.Whole {
		return nil, errMessages
	}
	s := &sink{cx: cx, o: o, dir: localPath(cx, o.Path), run: runName(), subtask: t.Subtask, open: map[string]*part{}, checked: cx.Now()}
	switch o.Compression {
	case "auto", "none":
	case "gzip":
		s.ending = ".gz"
	case "zstd":
		s.ending = ".zst"
	default:
		return nil, fmt.Errorf("filesystem: files cannot be written with compression %s, but with gzip and zstd", o.Compression)
	}
	for _, name := range t.Partitions {
		c := t.Schema.Index(name)
		if c < 0 {
			return nil, fmt.Errorf("filesystem: the partition column %s is not in the table", name)
		}
		s.partitions = append(s.partitions, c)
	}
	if len(t.Metadata) > 0 {
		return nil, errors.New("filesystem: metadata columns can only be read: declare them VIRTUAL")
	}
	schema := &types.Schema{Rowtime: -1}
	for c, f := range t.Schema.Fields {
		if !slices.Contains(s.partitions, c) {
			s.data, schema.Fields = append(s.data, c), append(schema.Fields, f)
		}
	}
	s.rows.Schema = schema
	s.coding = format.Encoding{Schema: schema, Zone: cx.Zone}
	if f, ok := t.Format.(format.FileFormat); ok && f.Framing() == format.Whole {
		if s.ending != "" {
			return nil, fmt.Errorf("filesystem: files of this format are compressed inside: compression must not be %s", o.Compression)
		}
		s.whole, s.ending = f, f.Ending()
		w, err := f.CreateFile(io.Discard, s.coding) // to tell now if the schema does not fit
		if err != nil {
			return nil, err
		}
		if err := errors.Join(w.Close(), os.MkdirAll(s.dir, 0o755)); err != nil {
			return nil, fmt.Errorf("filesystem: %w", err)
		}
		return s, nil
	}
	var err error
	if s.encoder, err = t.Format.NewEncoder(s.coding); err != nil {
		return nil, err
	}
	if h, ok := s.encoder.(format.HeaderEncoder); ok {
		s.header = h.Header(nil)
	}
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return nil, fmt.Errorf("filesystem: %w", err)
	}
	return s, nil
}

// Write implements connector.Sink.
func (s *sink) Write(_ context.Context, b *vector.Batch) error {
	if s.broken != nil {
		return s.broken
	}
	s.rows.N, s.rows.Kinds = b.N, b.Kinds
	s.rows.Cols = s.rows.Cols[:0]
	for _, c := range s.data {
		s.rows.Cols = append(s.rows.Cols, b.Cols[c])
	}
	if s.whole != nil {
		return s.writeWhole(b)
	}
	// Encode all before anything is written: an error leaves the files as they were.
	var touched []*part
	fail := func(err error) error {
		for _, p := range touched {
			p.batch = p.batch[:0]
		}
		return err
	}
	var err error
	b.Rows(func(i int) {
		if err != nil {
			return
		}
		var p *part
		if p, err = s.part(b, i); err != nil {
			return
		}
		if len(p.batch) == 0 {
			touched = append(touched, p)
		}
		var skip bool
		var out []byte
		if out, skip, err = s.encoder.Append(p.batch, &s.rows, i); err == nil && !skip {
			p.batch = append(out, '\n')
		}
	})
	if err != nil {
		return fail(fmt.Errorf("filesystem: %w", err))
	}
	for _, p := range touched {
		if err := p.write(p.batch); err != nil {
			s.broken = err
			return fail(err)
		}
		p.batch = p.batch[:0]
		if p.size() >= int64(s.o.FileSize) {
			if err := s.finish(p); err != nil {
				return err
			}
		}
	}
	return s.rollOld()
}

// writeWhole writes a batch to files of a format that makes them itself.
func (s *sink) writeWhole(b *vector.Batch) error {
	var touched []*part
	var err error
	b.Rows(func(i int) {
		if err != nil {
			return
		}
		var p *part
		if b.Kind(i) != types.Insert {
			err = fmt.Errorf("files of this format hold no %s rows", b.Kind(i))
		} else if p, err = s.part(b, i); err == nil {
			if len(p.sel) == 0 {
				touched = append(touched, p)
			}
			p.sel = append(p.sel, int32(i))
		}
	})
	if err != nil {
		for _, p := range touched {
			p.sel = p.sel[:0]
		}
		return fmt.Errorf("filesystem: %w", err)
	}
	for _, p := range touched {
		s.rows.Sel = p.sel
		err := p.whole.Write(&s.rows)
		p.sel, s.rows.Sel = p.sel[:0], nil
		if err != nil {
			s.broken = fmt.Errorf("filesystem: %w", p.explain(err))
			return s.broken
		}
		if p.size() >= int64(s.o.FileSize) {
			if err := s.finish(p); err != nil {
				return err
			}
		}
	}
	return s.rollOld()
}

// part returns the file for row i, opened now if there is none.
func (s *sink) part(b *vector.Batch, i int) (*part, error) {
	s.key = s.appendFolder(s.key[:0], b, i)
	if p := s.open[string(s.key)]; p != nil {
		return p, nil
	}
	if len(s.open) >= maxOpen {
		var oldest *part
		for _, p := range s.open {
			if len(p.batch) == 0 && len(p.sel) == 0 && (oldest == nil || p.born.Before(oldest.born)) {
				oldest = p
			}
		}
		if oldest != nil {
			if err := s.finish(oldest); err != nil {
				return nil, err
			}
		}
	}
	folder := filepath.Join(s.dir, filepath.FromSlash(string(s.key)))
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	if err := s.live(); err != nil {
		return nil, err
	}
	name := fmt.Sprintf("part-%s-%d-%d%s", s.run, s.subtask, s.number, s.ending)
	s.number++
	p, err := newPart(filepath.Join(folder, "."+name+".inprogress"), s.ending, s.cx.Now())
	if err != nil {
		return nil, err
	}
	p.final, p.folder = filepath.Join(folder, name), string(s.key)
	if s.whole != nil {
		if p.whole, err = s.whole.CreateFile(p.buf, s.coding); err != nil {
			p.drop()
			return nil, err
		}
	}
	s.open[p.folder] = p
	if len(s.header) > 0 {
		return p, p.write(append(slices.Clone(s.header), '\n'))
	}
	return p, nil
}

// finish closes a file, durable and still hidden.
func (s *sink) finish(p *part) error {
	delete(s.open, p.folder)
	if err := p.close(); err != nil {
		s.broken = err
		return err
	}
	s.done = append(s.done, pending{p.hidden, p.final})
	return nil
}

func (s *sink) finishAll() error {
	folders := make([]string, 0, len(s.open))
	for f := range s.open {
		folders = append(folders, f)
	}
	slices.Sort(folders)
	for _, f := range folders {
		if err := s.finish(s.open[f]); err != nil {
			return err
		}
	}
	return nil
}

// rollOld finishes the files that are too old.
func (s *sink) rollOld() error {
	now := s.cx.Now()
	if now.Sub(s.checked) < s.o.CheckEvery {
		return nil
	}
	s.checked = now
	for _, p := range s.open {
		if now.Sub(p.born) >= s.o.Rollover {
			if err := s.finish(p); err != nil {
				return err
			}
		}
	}
	return nil
}

// Flush implements connector.Flusher: it is called now and then.
func (s *sink) Flush(context.Context) error {
	if s.broken != nil {
		return s.broken
	}
	return s.rollOld()
}

// Prepare implements connector.Tx.
func (s *sink) Prepare(context.Context, int64) ([]byte, error) {
	if s.broken != nil {
		return nil, s.broken
	}
	if err := s.finishAll(); err != nil {
		return nil, err
	}
	if err := s.known(); err != nil {
		return nil, err
	}
	text, err := json.Marshal(token{s.run, s.done})
	s.done = nil
	return text, err
}

// Commit implements connector.Tx. Of a token of its own run it touches nothing but
// the files. That of another run was left by one this sink goes on from: what else
// it left is removed.
func (s *sink) Commit(_ context.Context, text []byte) error {
	t, err := parseToken(text)
	if err != nil {
		return err
	}
	if err := s.appear(t.Files); err != nil || t.Run == "" || t.Run == s.run {
		return err
	}
	return s.succeed(t.Run, t.Files)
}

// Abort implements connector.Tx.
func (s *sink) Abort(_ context.Context, text []byte) error {
	t, err := parseToken(text)
	if err != nil {
		return err
	}
	return remove(t.Files)
}

// appear gives files their final names. Those that have them already are right.
func (s *sink) appear(files []pending) error {
	for _, f := range files {
		err := os.Rename(f.Hidden, f.Final)
		if errors.Is(err, os.ErrNotExist) {
			if _, there := os.Stat(f.Final); there == nil {
				err = nil
			}
		}
		if err != nil {
			return fmt.Errorf("filesystem: %w", err)
		}
		if s.o.Success == "success-file" {
			if err := os.WriteFile(filepath.Join(filepath.Dir(f.Final), s.o.SuccessName), nil, 0o644); err != nil {
				return fmt.Errorf("filesystem: %w", err)
			}
		}
	}
	return nil
}

func remove(files []pending) (err error) {
	for _, f := range files {
		if e := os.Remove(f.Hidden); e != nil && !errors.Is(e, os.ErrNotExist) {
			err = errors.Join(err, fmt.Errorf("filesystem: %w", e))
		}
	}
	return err
}

// Close implements connector.Sink. What was prepared is left to Commit and Abort.
func (s *sink) Close(ctx context.Context) error {
	defer s.die()
	if ctx.Err() == nil && s.broken == nil {
		if err := s.finishAll(); err == nil {
			files := s.done
			s.done = nil
			return s.appear(files)
		}
	}
	err := s.broken
	for _, p := range s.open {
		p.drop()
	}
	clear(s.open)
	files := s.done
	s.done = nil
	if ctx.Err() != nil {
		err = nil
	}
	return errors.Join(err, remove(files))
}

var (
	_ connector.Sink    = (*sink)(nil)
	_ connector.Tx      = (*sink)(nil)
	_ connector.Flusher = (*sink)(nil)
)
