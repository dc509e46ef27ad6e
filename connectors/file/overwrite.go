package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/vector"
)

// overwriter is a sink that replaces files: those of the folders it writes to,
// of the partition that INSERT names, or of the whole table if that has no
// partitions. All its files wait under hidden names until the rows have come to
// an end; then they appear, and the files from before go. Nothing happens to
// these if the job fails.
type overwriter struct {
	*writer
	whole string // the folder that is replaced even if no row comes, "" for none
}

// writer hides that a sink takes part in transactions: those would show files
// before the end.
type writer struct{ s *sink }

func newOverwriter(s *sink, t *connector.Table) *overwriter {
	o := &overwriter{writer: &writer{s}}
	switch {
	case len(t.Partitions) == 0:
		o.whole = s.dir
	case len(t.Static) == len(t.Partitions):
		texts := make([]string, len(t.Partitions))
		for i, name := range t.Partitions {
			texts[i] = t.Static[name]
		}
		o.whole = filepath.Join(s.dir, partitionFolder(t.Partitions, texts, s.o.NullName))
	}
	return o
}

// Write implements connector.Sink.
func (w *writer) Write(ctx context.Context, b *vector.Batch) error { return w.s.Write(ctx, b) }

// Flush implements connector.Flusher.
func (w *writer) Flush(ctx context.Context) error { return w.s.Flush(ctx) }

// Close implements connector.Sink.
func (o *overwriter) Close(ctx context.Context) error {
	s := o.s
	defer s.die()
	if ctx.Err() != nil || s.broken != nil {
		return s.Close(ctx)
	}
	if err := s.finishAll(); err != nil {
		return errors.Join(err, s.Close(ctx))
	}
	folders := map[string]bool{}
	if o.whole != "" {
		folders[o.whole] = true
	}
	for _, f := range s.done {
		if o.whole == "" {
			folders[filepath.Dir(f.Final)] = true
		}
	}
	var old []string
	for folder := range folders {
		files, err := seen(folder)
		if err != nil {
			s.broken = fmt.Errorf("filesystem: %w", err)
			return s.Close(ctx)
		}
		old = append(old, files...)
	}
	files := s.done
	s.done = nil
	// In this order a crash leaves rows twice, which the next run puts right, and none lost.
	if err := s.appear(files); err != nil {
		return err
	}
	return removeFiles(old, folders)
}

// seen returns the files of a folder that a source would read.
func seen(folder string) ([]string, error) {
	var out []string
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case path != folder && hidden(d.Name()):
			if d.IsDir() {
				return filepath.SkipDir
			}
		case !d.IsDir():
			out = append(out, path)
		}
		return nil
	})
	return out, err
}

// removeFiles removes files and the folders below those of keep that are empty then.
func removeFiles(files []string, keep map[string]bool) error {
	var failed error
	dirs := map[string]bool{}
	for _, f := range files {
		if err := os.Remove(f); err != nil && !errors.Is(err, fs.ErrNotExist) {
			failed = errors.Join(failed, fmt.Errorf("filesystem: an old file stays: %w", err))
		}
		for d := filepath.Dir(f); !keep[d] && !dirs[d] && d != filepath.Dir(d); d = filepath.Dir(d) {
			dirs[d] = true
		}
	}
	var list []string
	for d := range dirs {
		for k := range keep {
			if strings.HasPrefix(d, k+string(filepath.Separator)) {
				list = append(list, d)
			}
		}
	}
	slices.SortFunc(list, func(a, b string) int { return len(b) - len(a) })
	for _, d := range list {
		_ = os.Remove(d) // one that is not empty stays
	}
	return failed
}

var (
	_ connector.Sink    = (*overwriter)(nil)
	_ connector.Flusher = (*overwriter)(nil)
)
