// Package spill keeps keyed state that has no room in memory in files: runs of
// entries sorted by hash, each with a bloom filter and an index of its blocks in
// memory, about 12 bits and a 60th of an entry a key. A look-up reads one block of
// the youngest run that has the key. Runs of similar size are merged, so that there
// are few of them.
//
// The files are no part of a checkpoint: what is in them has been handed to the
// job's store, and they are gone with the process.
//
// spill.go has the runs together, run.go one of them.
package spill

import (
	"bytes"
	"fmt"
	"os"

	"github.com/runnelio/runnel/internal/state"
)

// Dir is a state.Spill in files of a folder.
type Dir struct {
	dir     string
	runs    []*run // oldest first
	open    *writer
	tombs   map[string]bool // keys that were removed although runs have them, and are not in a run themselves
	rows    int64
	written int64
}

// Open returns an empty spill with its files in dir, which is made when the
// first run is written.
func Open(dir string) *Dir { return &Dir{dir: dir, tombs: map[string]bool{}} }

// Add implements state.Spill.
func (d *Dir) Add(hash uint64, key, value []byte) error {
	if d.open == nil {
		w, err := d.create(0)
		if err != nil {
			return err
		}
		d.open = w
	}
	if len(d.tombs) > 0 {
		delete(d.tombs, string(key))
	}
	return d.open.add(hash, key, value, false)
}

// create returns the writer of a run of at most n entries, of any number if n is 0.
func (d *Dir) create(n int) (*writer, error) {
	if err := os.MkdirAll(d.dir, 0o755); err != nil {
		return nil, fmt.Errorf("spill: %w", err)
	}
	f, err := os.CreateTemp(d.dir, "spill-*.tmp")
	if err != nil {
		return nil, fmt.Errorf("spill: %w", err)
	}
	// Where a file can be removed while it is open, nothing is left behind
	// whatever ends the process.
	path := f.Name()
	if os.Remove(path) == nil {
		path = ""
	}
	return newWriter(f, path, n), nil
}

// End implements state.Spill.
func (d *Dir) End() error {
	if d.open == nil {
		return nil
	}
	r, err := d.open.finish()
	d.open = nil
	if err != nil {
		return fmt.Errorf("spill: %w", err)
	}
	d.runs = append(d.runs, r)
	d.rows += r.count
	d.written += r.size
	return d.tidy()
}

// minMerge is how many runs are merged at least.
const minMerge = 4

// tidy merges the youngest runs when the older ones among them are not much
// larger: an entry is written again only with as many others.
func (d *Dir) tidy() error {
	var younger int64
	from := -1
	for i := len(d.runs) - 1; i >= 0; i-- {
		if len(d.runs)-i >= minMerge && d.runs[i].size <= 2*younger {
			from = i
		}
		younger += d.runs[i].size
	}
	if from < 0 {
		return nil
	}
	n := int64(0)
	for _, r := range d.runs[from:] {
		n += r.count + r.gone
	}
	w, err := d.create(int(n))
	if err != nil {
		return err
	}
	err = merge(d.runs[from:], func(hash uint64, key, value []byte, gone bool) error {
		if gone = gone || d.tombs[string(key)]; gone && from == 0 {
			return nil
		}
		return w.add(hash, key, value, gone)
	})
	if err != nil {
		w.abandon()
		return fmt.Errorf("spill: %w", err)
	}
	r, err := w.finish()
	if err != nil {
		return fmt.Errorf("spill: %w", err)
	}
	d.written += r.size
	for _, old := range d.runs[from:] {
		old.close()
	}
	d.runs = append(d.runs[:from:from], r)
	if from == 0 {
		clear(d.tombs)
	}
	return nil
}

// Take implements state.Spill.
func (d *Dir) Take(hash uint64, key []byte) ([]byte, bool, error) {
	if len(d.tombs) > 0 && d.tombs[string(key)] {
		return nil, false, nil
	}
	for i := len(d.runs) - 1; i >= 0; i-- {
		value, gone, ok, err := d.runs[i].find(hash, key)
		if err != nil {
			return nil, false, fmt.Errorf("spill: %w", err)
		}
		if ok {
			if gone {
				return nil, false, nil
			}
			d.rows--
			return value, true, nil
		}
	}
	return nil, false, nil
}

// Forget implements state.Spill.
func (d *Dir) Forget(hash uint64, key []byte) {
	for _, r := range d.runs {
		if r.bloom.has(hash) {
			d.tombs[string(key)] = true
			return
		}
	}
}

// Each implements state.Spill.
func (d *Dir) Each(f func(hash uint64, key, value []byte) error) error {
	err := merge(d.runs, func(hash uint64, key, value []byte, gone bool) error {
		if gone || d.tombs[string(key)] {
			return nil
		}
		return f(hash, key, value)
	})
	return err
}

// Rows implements state.Spill.
func (d *Dir) Rows() int64 { return d.rows }

// Written implements state.Spill.
func (d *Dir) Written() int64 { return d.written }

// Close implements state.Spill.
func (d *Dir) Close() error {
	if d.open != nil {
		d.open.abandon()
		d.open = nil
	}
	for _, r := range d.runs {
		r.close()
	}
	d.runs = nil
	return nil
}

// merge calls f for the youngest entry of every key of runs, in ascending order
// of hashes.
func merge(runs []*run, f func(hash uint64, key, value []byte, gone bool) error) error {
	cursors := make([]*cursor, 0, len(runs))
	for i := len(runs) - 1; i >= 0; i-- { // youngest first
		c, err := newCursor(runs[i])
		if err != nil {
			return err
		}
		cursors = append(cursors, c)
	}
	var seen [][]byte // keys of one hash
	for {
		var low uint64
		any := false
		for _, c := range cursors {
			if c.ok && (!any || c.hash < low) {
				low, any = c.hash, true
			}
		}
		if !any {
			return nil
		}
		seen = seen[:0]
		for _, c := range cursors {
			for c.ok && c.hash == low {
				if !contains(seen, c.key) {
					if err := f(low, c.key, c.value, c.gone); err != nil {
						return err
					}
					seen = append(seen, bytes.Clone(c.key))
				}
				if err := c.next(); err != nil {
					return err
				}
			}
		}
	}
}

func contains(keys [][]byte, key []byte) bool {
	for _, k := range keys {
		if bytes.Equal(k, key) {
			return true
		}
	}
	return false
}

var _ state.Spill = (*Dir)(nil)
