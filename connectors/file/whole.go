package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/vector"
)

// wholeSource reads files of formats that read them as a whole, in columns. A
// file is a split; a position in it is a number of rows.
type wholeSource struct {
	in     *source // not embedded: it is a Source of records
	format format.FileFormat
	known  map[string]bool // by split id, of files that Splits and Watch have told of
}

// Splits implements connector.ColumnSource.
func (s *wholeSource) Splits(ctx context.Context) ([]connector.Split, error) {
	files, err := s.in.all(ctx)
	if err != nil {
		return nil, err
	}
	return s.fresh(files), nil
}

// fresh returns the splits of files that were not told of yet.
func (s *wholeSource) fresh(files []found) []connector.Split {
	var out []connector.Split
	for _, f := range files {
		if !s.known[f.path] {
			s.known[f.path] = true
			out = append(out, connector.Split{ID: f.path, Size: f.size, Values: f.values})
		}
	}
	return out
}

// Bounded implements connector.ColumnSource.
func (s *wholeSource) Bounded() bool { return true }

// OpenColumns implements connector.ColumnSource.
func (s *wholeSource) OpenColumns(_ context.Context, split connector.Split, at connector.Position) (connector.ColumnReader, error) {
	skip := int64(0)
	if at != "" {
		var err error
		if skip, err = strconv.ParseInt(at, 10, 64); err != nil || skip < 0 {
			return nil, fmt.Errorf("filesystem: %q is no position in %s", at, split.ID)
		}
	}
	if c := compressionOf(s.in.o.Compression, split.ID); c != "none" {
		return nil, fmt.Errorf("filesystem: %s: files of this format are compressed inside, not by %s", split.ID, c)
	}
	f, err := os.Open(split.ID)
	if err != nil {
		return nil, fmt.Errorf("filesystem: %w", err)
	}
	r, err := s.reader(f, split, skip)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("filesystem: %s: %w", split.ID, err)
	}
	return r, nil
}

func (s *wholeSource) reader(f *os.File, split connector.Split, skip int64) (*wholeReader, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	meta, err := newMetadata(s.in.table, f)
	if err != nil {
		return nil, err
	}
	r := &wholeReader{f: f, path: split.ID}
	outside := map[int]bool{}
	for i, m := range s.in.table.Metadata {
		outside[m.Column] = true
		r.consts = append(r.consts, constant{m.Column, meta.values[i]})
	}
	for i, name := range s.in.table.Partitions {
		c := s.in.table.Schema.Index(name)
		if c < 0 || i >= len(split.Values) {
			return nil, fmt.Errorf("the partition column %s has no value", name)
		}
		outside[c] = true
		r.consts = append(r.consts, constant{c, vector.NewConst(s.in.table.Schema.Fields[c].Type, split.Values[i], 0)})
	}
	d := format.FileDecoding{Decoding: format.Decoding{Schema: s.in.table.Schema, Zone: s.in.cx.Zone}}
	wanted := s.in.table.Wanted
	if wanted == nil {
		for c := range s.in.table.Schema.Fields {
			wanted = append(wanted, c)
		}
	}
	for _, c := range wanted {
		if !outside[c] {
			r.columns = append(r.columns, c)
			d.Wanted = append(d.Wanted, format.Want{Column: c, Type: s.in.table.Schema.Fields[c].Type})
		}
	}
	for _, b := range s.in.table.Bounds {
		if !outside[b.Column] {
			d.Bounds = append(d.Bounds, b)
		}
	}
	r.r, err = s.format.OpenFile(sized{f, info.Size()}, d, skip)
	return r, err
}

// sized is a file with the size it had when it was opened.
type sized struct {
	*os.File
	size int64
}

func (s sized) Size() int64 { return s.size }

// constant is a column with one value in the whole file.
type constant struct {
	column int
	value  *vector.Const
}

// wholeReader reads one file.
type wholeReader struct {
	f       *os.File
	path    string
	r       format.FileReader
	columns []int
	consts  []constant
	cols    []vector.Vector
}

// ReadBatch implements connector.ColumnReader.
func (r *wholeReader) ReadBatch(ctx context.Context, into *vector.Batch, max int) error {
	if ctx.Err() != nil {
		return nil
	}
	r.cols = r.cols[:0]
	for _, c := range r.columns {
		r.cols = append(r.cols, into.Cols[c])
	}
	n, err := r.r.Read(r.cols, max)
	if err != nil && err != io.EOF {
		return fmt.Errorf("filesystem: %s: %w", r.path, err)
	}
	into.N = n
	for _, c := range r.consts {
		own := *c.value
		own.N = n
		into.Cols[c.column] = &own
	}
	into.Origin.Last = fmt.Sprintf("%019d", r.r.Row())
	return err
}

// Close implements connector.ColumnReader.
func (r *wholeReader) Close() error { return errors.Join(r.r.Close(), r.f.Close()) }

// watchedWhole goes on with files that appear later. They must be complete when
// they get their names: renamed, not written in place.
type watchedWhole struct {
	*wholeSource
	every time.Duration
}

// Splits implements connector.ColumnSource.
func (s *watchedWhole) Splits(ctx context.Context) ([]connector.Split, error) {
	files, err := s.in.first(ctx)
	if err != nil {
		return nil, err
	}
	return s.fresh(files), nil
}

// Bounded implements connector.ColumnSource.
func (s *watchedWhole) Bounded() bool { return false }

// Watch implements connector.Watcher. Files that go away are not told of: what
// was read of them counts, and their splits are over.
func (s *watchedWhole) Watch(ctx context.Context, found, _ func(connector.Split)) error {
	t := time.NewTicker(s.every)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
		files, err := s.in.list(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			if !errors.Is(err, os.ErrNotExist) {
				return err
			}
		}
		for _, sp := range s.fresh(files) {
			found(sp)
		}
	}
}

var (
	_ connector.ColumnSource = (*wholeSource)(nil)
	_ connector.Watcher      = (*watchedWhole)(nil)
)
