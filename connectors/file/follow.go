package file

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/connector/framing"
	"github.com/runnelio/runnel/format"
)

// followSource reads files that grow. A split is a file as the file system knows
// it, not as it is called: one that is renamed when logs are rotated is read to
// its end, and what gets its name is a new split. A file that is emptied and
// written anew is read from its start again. A split goes when its file is no
// longer among those of the path and nothing has been added for a while.
//
// A file that was rotated while the job did not run is found only if the path
// matches its new name too: use a pattern such as app.log*.
type followSource struct {
	*source
	every time.Duration

	mu    sync.Mutex
	known map[string]*followed // by split id
}

// followed is what is known of a file.
type followed struct {
	split connector.Split
	path  string    // where it was when it was found
	quiet time.Time // since when its reader has been at the end; zero if it is not
	open  int       // readers
}

// Splits implements connector.Source.
func (s *followSource) Splits(ctx context.Context) ([]connector.Split, error) {
	files, err := s.first(ctx)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []connector.Split
	for _, f := range files {
		if n := s.add(f); n != nil {
			out = append(out, n.split)
		}
	}
	return out, nil
}

// add notes a file and returns it if it is new.
func (s *followSource) add(f found) *followed {
	id, err := fileID(f.path)
	if err != nil || s.known[id] != nil {
		return nil // an error: it went away meanwhile
	}
	n := &followed{split: connector.Split{ID: id, Values: f.values}, path: f.path}
	s.known[id] = n
	return n
}

// Bounded implements connector.Source.
func (s *followSource) Bounded() bool { return false }

// Watch implements connector.Watcher.
func (s *followSource) Watch(ctx context.Context, found, gone func(connector.Split)) error {
	t := time.NewTicker(s.every)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
		files, err := s.list(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			if !errors.Is(err, os.ErrNotExist) {
				return err
			}
			files = nil // between the renaming and the making anew of a rotated file
		}
		fresh, left := s.compare(files)
		for _, sp := range fresh {
			found(sp)
		}
		for _, sp := range left {
			gone(sp)
		}
	}
}

// compare returns the splits that are new and those that are over.
func (s *followSource) compare(files []found) (fresh, left []connector.Split) {
	s.mu.Lock()
	defer s.mu.Unlock()
	here := map[string]bool{}
	for _, f := range files {
		if id, err := fileID(f.path); err == nil {
			here[id] = true
		}
		if n := s.add(f); n != nil {
			fresh = append(fresh, n.split)
			here[n.split.ID] = true
		}
	}
	patience := max(10*s.every, 5*time.Second)
	for id, n := range s.known {
		if !here[id] && (n.open == 0 || !n.quiet.IsZero() && s.cx.Now().Sub(n.quiet) > patience) {
			left = append(left, n.split)
			delete(s.known, id)
		}
	}
	return fresh, left
}

// Open implements connector.Source.
func (s *followSource) Open(ctx context.Context, split connector.Split, at connector.Position) (connector.Reader, error) {
	n, err := s.find(ctx, split.ID)
	if err != nil {
		return nil, err
	}
	r := &tail{source: s, of: n}
	if err := r.start(ctx, at); err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return deleted{}, nil
		}
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	n.open++
	return r, nil
}

// find returns the file of a split, which may be one of a source that was before
// this one.
func (s *followSource) find(ctx context.Context, id string) (*followed, error) {
	s.mu.Lock()
	n := s.known[id]
	s.mu.Unlock()
	if n != nil {
		return n, nil
	}
	files, err := s.list(ctx)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range files {
		if has, err := fileID(f.path); err == nil && has == id {
			s.add(f)
			return s.known[id], nil
		}
	}
	return nil, fmt.Errorf("filesystem: there is no file with id %s", id)
}

// deleted reads a file that went away before it was opened.
type deleted struct{}

func (deleted) Read(_ context.Context, into *format.Records) error {
	into.Reset()
	return io.EOF
}

func (deleted) Close() error { return nil }

// tail reads one growing file.
type tail struct {
	source *followSource
	of     *followed
	file   *content
	cut    *framing.Cutter
	meta   *metadata
	// generation counts how often the file was emptied. It is the first part of
	// positions, so that they sort.
	generation int
	head       []byte // the first bytes, to know the file again
	size       int64  // of a compressed file when its end was reached
}

const headBytes = 256

func (r *tail) start(ctx context.Context, at connector.Position) (err error) {
	offset := int64(0)
	if at != "" {
		if offset, err = r.resume(at); err != nil {
			return err
		}
	}
	return r.open(ctx, offset)
}

// position writes generation, offset, and how to know the file again.
func position(generation int, offset string, head []byte) string {
	n, _ := framing.ParsePosition(offset)
	head = head[:min(int64(len(head)), n)]
	return fmt.Sprintf("%06d.%s.%03d.%08x", generation, offset, len(head), crc32.ChecksumIEEE(head))
}

// resume takes a position apart. If it is one of another file that has got the
// id of one that was deleted, reading starts at the front.
func (r *tail) resume(at string) (int64, error) {
	parts := strings.Split(at, ".")
	bad := fmt.Errorf("filesystem: %q is no position in a followed file", at)
	if len(parts) != 4 {
		return 0, bad
	}
	var err error
	if r.generation, err = strconv.Atoi(parts[0]); err != nil {
		return 0, bad
	}
	offset, err := framing.ParsePosition(parts[1])
	if err != nil {
		return 0, bad
	}
	n, err := strconv.Atoi(parts[2])
	if err != nil || n < 0 || n > headBytes {
		return 0, bad
	}
	head, size, err := firstBytes(r.of.path, n)
	if err != nil {
		return 0, fmt.Errorf("filesystem: %w", err)
	}
	packed := compressionOf(r.source.o.Compression, r.of.path) != "none"
	if fmt.Sprintf("%08x", crc32.ChecksumIEEE(head)) != parts[3] || !packed && size < offset {
		r.generation++
		return 0, nil
	}
	return offset, nil
}

func firstBytes(path string, n int) ([]byte, int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, 0, err
	}
	b := make([]byte, n)
	got, err := f.ReadAt(b, 0)
	if err == io.EOF {
		err = nil
	}
	return b[:got], info.Size(), err
}

func (r *tail) open(ctx context.Context, offset int64) (err error) {
	if r.file, err = r.source.open(ctx, r.of.path, offset); err != nil {
		return err
	}
	o := r.source.framing
	o.Offset, o.Growing, o.Chunk = offset, true, 64<<10
	r.cut = framing.New(r.file, o)
	if r.meta, err = newMetadata(r.source.table, r.file.f); err != nil {
		_ = r.file.close() // only read: err says what is wrong
	}
	return err
}

// Read implements connector.Reader.
func (r *tail) Read(ctx context.Context, into *format.Records) error {
	for {
		before := r.file.raw.n
		err := r.cut.Read(into)
		into.Bytes = r.file.raw.n - before
		if err != nil && err != io.EOF && !errors.Is(err, errTruncated) {
			return err
		}
		if len(into.Val) > 0 || into.Oversize > 0 {
			r.busy()
			r.place(into)
			r.meta.fill(into)
			return nil
		}
		if err == nil {
			continue
		}
		again, err := r.behind(ctx)
		if ctx.Err() != nil {
			into.Reset()
			return nil
		}
		if err != nil {
			return err
		}
		if again {
			continue
		}
		t := time.NewTimer(r.source.every)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			into.Reset()
			return nil
		}
	}
}

func (r *tail) busy() {
	r.source.mu.Lock()
	defer r.source.mu.Unlock()
	r.of.quiet = time.Time{}
}

// behind looks at the file at its end: whether it was emptied, or a compressed
// one has grown since it was incomplete.
func (r *tail) behind(ctx context.Context) (again bool, err error) {
	r.source.mu.Lock()
	if r.of.quiet.IsZero() {
		r.of.quiet = r.source.cx.Now()
	}
	r.source.mu.Unlock()
	info, err := r.file.f.Stat()
	if err != nil {
		return false, fmt.Errorf("filesystem: %w", err)
	}
	if r.file.packed {
		if info.Size() == r.size {
			return false, nil
		}
		r.size = info.Size()
		return true, r.reopen(ctx, r.cut.Offset())
	}
	at, err := r.file.f.Seek(0, io.SeekCurrent)
	if err != nil {
		return false, fmt.Errorf("filesystem: %w", err)
	}
	if info.Size() >= at {
		return false, nil
	}
	if r.source.cx.Log != nil {
		r.source.cx.Log.Info("a followed file was emptied: it is read from its start", "path", r.of.path, "size", info.Size(), "read", at)
	}
	r.generation++
	r.head = nil
	if _, err := r.file.f.Seek(0, io.SeekStart); err != nil {
		return false, fmt.Errorf("filesystem: %w", err)
	}
	o := r.source.framing
	o.Growing, o.Chunk = true, 64<<10
	r.cut = framing.New(r.file, o)
	return true, nil
}

// reopen starts a compressed file again at an offset of its content.
func (r *tail) reopen(ctx context.Context, offset int64) error {
	old := r.file
	if _, err := old.f.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("filesystem: %w", err)
	}
	plain, stop, err := decompress(old.raw, compressionOf(r.source.o.Compression, r.of.path))
	if errors.Is(err, errTruncated) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("filesystem: %s: %w", r.of.path, err)
	}
	old.stop()
	old.plain, old.stop = plain, stop
	if err := discard(ctx, old, offset); err != nil && !errors.Is(err, errTruncated) && err != io.EOF {
		return err
	}
	o := r.source.framing
	o.Offset, o.Growing, o.Chunk = offset, true, 64<<10
	r.cut = framing.New(old, o)
	return nil
}

// place makes the positions of into those of a followed file.
func (r *tail) place(into *format.Records) {
	if len(r.head) < headBytes {
		b := make([]byte, headBytes)
		n, _ := r.file.f.ReadAt(b, 0)
		r.head = b[:n]
	}
	offset, generation, head := into.PosAt, r.generation, r.head
	if r.file.packed {
		// Offsets count bytes of the content, the head is one of the file.
		head = nil
	}
	into.PosAt = func(dst []byte, i int) []byte {
		return append(dst, position(generation, string(offset(nil, i)), head)...)
	}
}

// Close implements connector.Reader.
func (r *tail) Close() error {
	r.source.mu.Lock()
	r.of.open--
	r.source.mu.Unlock()
	return r.file.close()
}

var (
	_ connector.Source  = (*followSource)(nil)
	_ connector.Watcher = (*followSource)(nil)
)
