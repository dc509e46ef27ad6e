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
)

// partitions are the folders k=v/k=v of a table's path.
type partitions struct {
	dir      string
	columns  []string
	nullName string
}

func newPartitions(cx *connector.Context, t *connector.Table, o *options) (connector.Partitions, error) {
	p := &partitions{dir: localPath(cx, o.Path), columns: t.Partitions, nullName: o.NullName}
	if _, err := os.Stat(p.dir); err != nil && strings.ContainsAny(p.dir, wildcards) {
		return nil, errors.New("filesystem: the path of the table is a pattern: it has no folders of its own")
	}
	return p, nil
}

// partitionFolder is the folder of a partition below that of its table.
func partitionFolder(columns, values []string, nullName string) string {
	var path []byte
	for i, c := range columns {
		if i > 0 {
			path = append(path, filepath.Separator)
		}
		v := values[i]
		if v == "" {
			v = nullName
		}
		path = appendEscaped(append(appendEscaped(path, c), '='), v)
	}
	return string(path)
}

// List implements connector.Partitions. Folders may stand in any order of the columns.
func (p *partitions) List(ctx context.Context) ([][]string, error) {
	var out [][]string
	err := filepath.WalkDir(p.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if !d.IsDir() || path == p.dir {
			return nil
		}
		if hidden(d.Name()) {
			return filepath.SkipDir
		}
		rel, err := filepath.Rel(p.dir, path)
		if err != nil {
			return err
		}
		names := strings.Split(filepath.ToSlash(rel), "/")
		values, found := make([]string, len(p.columns)), 0
		for i, c := range p.columns {
			for _, n := range names {
				if k, v, ok := strings.Cut(n, "="); ok && unescapePath(k) == c {
					values[i] = unescapePath(v)
					found++
				}
			}
		}
		if found < len(p.columns) {
			return nil
		}
		out = append(out, values)
		return filepath.SkipDir
	})
	if err != nil {
		return nil, fmt.Errorf("filesystem: %w", err)
	}
	slices.SortFunc(out, slices.Compare)
	return slices.CompactFunc(out, slices.Equal), nil
}

// Add implements connector.Partitions.
func (p *partitions) Add(_ context.Context, values []string) (bool, error) {
	path := filepath.Join(p.dir, partitionFolder(p.columns, values, p.nullName))
	if _, err := os.Stat(path); err == nil {
		return false, nil
	}
	if err := os.MkdirAll(path, 0o755); err != nil {
		return false, fmt.Errorf("filesystem: %w", err)
	}
	return true, nil
}

// Drop implements connector.Partitions. The folder disappears at once, by a
// hidden name; its files are removed then.
func (p *partitions) Drop(_ context.Context, values []string) (bool, error) {
	path := filepath.Join(p.dir, partitionFolder(p.columns, values, p.nullName))
	gone := filepath.Join(filepath.Dir(path), ".dropped-"+runName())
	if err := os.Rename(path, gone); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return false, nil
		}
		return false, fmt.Errorf("filesystem: %w", err)
	}
	if err := os.RemoveAll(gone); err != nil {
		return true, fmt.Errorf("filesystem: %w", err)
	}
	for d := filepath.Dir(path); d != p.dir && len(d) > len(p.dir); d = filepath.Dir(d) {
		if os.Remove(d) != nil { // other partitions are below it
			break
		}
	}
	return true, nil
}
