package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
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
	log   *slog.Logger
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
	log := cx.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &lister{o: o, path: localPath(cx, o.Path), match: match, table: t, zone: cx.Zone, log: log}, nil
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

// wildcards are the characters that make a path a pattern.
const wildcards = "*?["

// all returns the files of a source that reads those that are there. That a
// pattern matches none, or the path is not there, is an error: a table that is
// empty by mistake is noticed late. A folder without files is an empty table.
func (l *lister) all(ctx context.Context) ([]found, error) {
	files, err := l.list(ctx)
	if len(files) > 0 || err != nil && !errors.Is(err, fs.ErrNotExist) {
		return files, err
	}
	if l.o.AllowEmpty {
		return nil, nil
	}
	const hint = "(if that is meant, set 'source.allow-empty' = 'true')"
	if err != nil {
		return nil, fmt.Errorf("%w %s", err, hint)
	}
	if _, err := os.Stat(l.path); err != nil {
		return nil, fmt.Errorf("filesystem: no file matches the pattern '%s' %s", l.path, hint)
	}
	if l.match != nil {
		every := *l
		every.match = nil
		if n, err := every.list(ctx); err != nil || len(n) > 0 {
			return nil, errors.Join(err, fmt.Errorf("filesystem: none of the %d files below %s matches 'source.path.regex-pattern' = '%s', which is matched with absolute paths as a whole %s", len(n), l.path, l.o.Pattern, hint))
		}
	}
	l.log.Warn("the folder of a table has no files: the table is empty", "table", l.table.Name, "path", l.path)
	return nil, nil
}

// first returns the files that are there when a source begins that goes on with
// those that appear later; it warns if there are none.
func (l *lister) first(ctx context.Context) ([]found, error) {
	files, err := l.list(ctx)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err == nil && len(files) == 0 {
		l.log.Warn("no file is there yet: the table waits for one", "table", l.table.Name, "path", l.path, "pattern", l.o.Pattern)
	}
	return files, err
}

// list returns the files, ordered by path. That the path itself is not there is
// an error; that a pattern matches nothing or a folder is empty is not.
func (l *lister) list(ctx context.Context) ([]found, error) {
	roots := []string{l.path}
	if _, err := os.Stat(l.path); err != nil {
		if !strings.ContainsAny(l.path, wildcards) {
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
		if i < len(names) && strings.ContainsAny(p, wildcards) && !hidden(p) && hidden(names[i]) {
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
