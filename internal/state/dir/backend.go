package dir

import (
	"path/filepath"

	"github.com/zeebo/xxh3"

	"github.com/runnelio/runnel/internal/state"
)

// backend is the part of one operator of one task. Changes are collected in
// memory; beyond a bound they go to a file of their own at once.
type backend struct {
	s                 *Store
	op                string
	subtask, parallel int
	records           []byte
	count             int
	file              *writer
}

// maxPending is how many bytes of changes a backend holds in memory.
const maxPending = 4 << 20

// Restore implements state.Backend.
func (b *backend) Restore(f func(unit uint16, key, value []byte) error) error {
	b.s.mu.Lock()
	m := b.s.last
	b.s.mu.Unlock()
	if m == nil {
		return nil
	}
	own := func(unit uint16) bool { return state.TaskOf(unit, b.parallel) == b.subtask }
	return entries(b.s.path, m.Files, func(op string) bool { return op == b.op }, func(_ string, unit uint16, key, value []byte) error {
		if !own(unit) {
			return nil
		}
		return f(unit, key, value)
	})
}

// entries calls f for the entries that files, in order, leave: the last record
// of a key counts.
func entries(dir string, files []fileRef, want func(op string) bool, f func(op string, unit uint16, key, value []byte) error) error {
	// Newest first: what a newer file has said of a key hides older records. Keys
	// of the oldest file need not be remembered.
	seen := map[xxh3.Uint128]struct{}{}
	for i := len(files) - 1; i >= 0; i-- {
		path := filepath.Join(dir, files[i].Name)
		oldest := i == 0 && files[i].Full
		// Within one file the last record of a key counts too; a full file has each key once.
		var order map[xxh3.Uint128]int
		at := 0
		if !oldest {
			order = map[xxh3.Uint128]int{}
			err := blocks(path, want, func(op string, rs []byte) error {
				return each(rs, func(unit uint16, key, _ []byte, _ bool) error {
					order[identity(op, unit, key)] = at
					at++
					return nil
				})
			})
			if err != nil {
				return err
			}
		}
		at = 0
		err := blocks(path, want, func(op string, rs []byte) error {
			return each(rs, func(unit uint16, key, value []byte, deleted bool) error {
				n := at
				at++
				if oldest && len(seen) == 0 {
					if deleted {
						return nil
					}
					return f(op, unit, key, value)
				}
				id := identity(op, unit, key)
				if !oldest && order[id] != n {
					return nil
				}
				if _, hidden := seen[id]; hidden {
					return nil
				}
				if !oldest {
					seen[id] = struct{}{}
				}
				if deleted {
					return nil
				}
				return f(op, unit, key, value)
			})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func each(rs []byte, f func(unit uint16, key, value []byte, deleted bool) error) error {
	for len(rs) > 0 {
		unit, key, value, deleted, rest, err := record(rs)
		if err != nil {
			return err
		}
		if err := f(unit, key, value, deleted); err != nil {
			return err
		}
		rs = rest
	}
	return nil
}

// identity stands for a key: two keys share one with a chance of n²/2^129.
func identity(op string, unit uint16, key []byte) xxh3.Uint128 {
	return xxh3.Hash128Seed(key, xxh3.HashString(op)^uint64(unit)*0x9e3779b97f4a7c15)
}

// Put implements state.Backend.
func (b *backend) Put(unit uint16, key, value []byte) error {
	return b.append(unit, key, value, false)
}

// Delete implements state.Backend.
func (b *backend) Delete(unit uint16, key []byte) error { return b.append(unit, key, nil, true) }

func (b *backend) append(unit uint16, key, value []byte, deleted bool) error {
	b.records = appendRecord(b.records, unit, key, value, deleted)
	b.count++
	if len(b.records) < maxPending {
		return nil
	}
	return b.flush()
}

// flush moves the collected changes to the backend's own file.
func (b *backend) flush() error {
	if b.file == nil {
		b.s.mu.Lock()
		name, seq := b.s.nextName()
		b.s.mu.Unlock()
		w, err := b.s.create(name, seq)
		if err != nil {
			return err
		}
		b.file = w
	}
	rs := b.records
	for len(rs) > 0 {
		// Blocks end between records.
		n := 0
		for n < len(rs) && n < blockSize {
			_, _, _, _, rest, err := record(rs[n:])
			if err != nil {
				return err
			}
			n = len(rs) - len(rest)
		}
		if err := b.file.block(b.op, rs[:n]); err != nil {
			return err
		}
		rs = rs[n:]
	}
	b.records, b.count = b.records[:0], 0
	return nil
}

// Seal implements state.Backend.
func (b *backend) Seal(epoch int64) error {
	if b.count == 0 && b.file == nil {
		return nil
	}
	var file *fileRef
	if b.file != nil {
		if err := b.flush(); err != nil {
			b.file.abandon(b.s.path)
			return err
		}
		f, err := b.file.finish(b.s.path, false, b.s.opts.NoSync)
		if err != nil {
			return err
		}
		file, b.file = &f, nil
	}
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	e := b.s.sealed[epoch]
	if e == nil {
		e = &epochFiles{}
		b.s.sealed[epoch] = e
	}
	if file != nil {
		e.files = append(e.files, *file)
		b.s.written += file.Size
		return nil
	}
	e.chunks = append(e.chunks, chunk{op: b.op, records: append([]byte(nil), b.records...), count: b.count})
	b.records, b.count = b.records[:0], 0
	return nil
}

var _ state.Backend = (*backend)(nil)
