package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/types"
)

// found is a file to read.
type found struct {
	path   string
	size   int64
	time   time.Time
	values []types.Value // of the partition columns
}

// lister finds the files of a path.
type lister struct {
	o     *options
	path  string // absolute or relative to the working directory
	match *regexp.Regexp
	table *connector.Table
	zone  *time.Location
}

func (o *options) regexp() (*regexp.Regexp, error) {
	if o.Pattern == "" {
		return nil, nil
	}
	return regexp.Compile(`\A(?:` + o.Pattern + `)\z`)
}

func newLister(cx *connector.Context, t *connector.Table, o *options) (*lister, error) {
	match, err := o.regexp()
	if err != nil {
		return nil, err
	}
	return &lister{o: o, path: localPath(cx, o.Path), match: match, table: t, zone: cx.Zone}, nil
}

// localPath turns the option into a path of this machine.
func localPath(cx *connector.Context, path string) string {
	if rest, ok := strings.CutPrefix(path, "file:"); ok {
		path = "/" + strings.TrimLeft(rest, "/")
		if plain, err := url.PathUnescape(path); err == nil {
			path = plain
		}
	}
	if cx.Dir != "" && !filepath.IsAbs(path) {
		path = filepath.Join(cx.Dir, path)
	}
	return filepath.Clean(path)
}

// list returns the files, ordered by path. That the path itself is not there is
// an error; that a pattern matches nothing or a folder is empty is not.
func (l *lister) list(ctx context.Context) ([]found, error) {
	roots := []string{l.path}
	if _, err := os.Stat(l.path); err != nil {
		if !strings.ContainsAny(l.path, "*?[") {
			return nil, fmt.Errorf("filesystem: %w", err)
		}
		if roots, err = filepath.Glob(l.path); err != nil {
			return nil, fmt.Errorf("filesystem: path %q: %w", l.path, err)
		}
		roots = slices.DeleteFunc(roots, func(p string) bool { return matchesHidden(l.path, p) })
	}
	var out []found
	for _, root := range roots {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				if errors.Is(err, fs.ErrNotExist) && path != root {
					return nil // went away while we looked
				}
				return err
			}
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if path != root && hidden(d.Name()) {
				if d.IsDir() {
					return filepath.SkipDir
				}
				return nil
			}
			return l.add(&out, root, path, d)
		})
		if err != nil {
			return nil, fmt.Errorf("filesystem: %w", err)
		}
	}
	slices.SortFunc(out, func(a, b found) int { return strings.Compare(a.path, b.path) })
	return slices.CompactFunc(out, func(a, b found) bool { return a.path == b.path }), nil
}

func (l *lister) add(out *[]found, root, path string, d fs.DirEntry) error {
	if d.IsDir() {
		return nil
	}
	info, err := os.Stat(path) // a link counts as what it points to
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	if info.IsDir() {
		return nil
	}
	if l.match != nil {
		abs, err := filepath.Abs(path)
		if err != nil {
			return err
		}
		if !l.match.MatchString(filepath.ToSlash(abs)) {
			return nil
		}
	}
	f := found{path: path, size: info.Size(), time: info.ModTime()}
	if f.values, err = l.partition(path); err != nil {
		return err
	}
	*out = append(*out, f)
	return nil
}

// hidden tells whether a file is not meant to be read: unfinished or a marker.
func hidden(name string) bool { return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") }

// matchesHidden tells whether a wildcard of pattern stands for a hidden name in path.
func matchesHidden(pattern, path string) bool {
	names := strings.Split(filepath.ToSlash(path), "/")
	for i, p := range strings.Split(filepath.ToSlash(pattern), "/") {
		if i < len(names) && strings.ContainsAny(p, "*?[") && !hidden(p) && hidden(names[i]) {
			return true
		}
	}
	return false
}

// partition reads the values of the partition columns from the folders of path.
func (l *lister) partition(path string) ([]types.Value, error) {
	if len(l.table.Partitions) == 0 {
		return nil, nil
	}
	texts := map[string]string{}
	for _, dir := range strings.Split(filepath.ToSlash(filepath.Dir(path)), "/") {
		if k, v, ok := strings.Cut(dir, "="); ok {
			texts[unescapePath(k)] = unescapePath(v)
		}
	}
	values := make([]types.Value, len(l.table.Partitions))
	for i, name := range l.table.Partitions {
		text, ok := texts[name]
		if !ok {
			return nil, fmt.Errorf("%s: no folder %s=… gives the partition column", path, name)
		}
		if text == l.o.NullName {
			continue
		}
		c := l.table.Schema.Index(name)
		if c < 0 {
			return nil, fmt.Errorf("the partition column %s is not in the table", name)
		}
		v, err := types.CastValue(text, types.String(), l.table.Schema.Fields[c].Type, l.zone, false)
		if err != nil {
			return nil, fmt.Errorf("%s: partition column %s: %w", path, name, err)
		}
		values[i] = v
	}
	return values, nil
}

func unescapePath(s string) string {
	if plain, err := url.PathUnescape(s); err == nil {
		return plain
	}
	return s
}
