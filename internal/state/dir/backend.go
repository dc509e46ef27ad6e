package dir

import (
	"github.com/runnelio/runnel/internal/state"
)

// backend is the part of one operator of one task. Changes are collected in
// memory; beyond a bound they go to a file of their own at once.
type backend struct {
	s                 *Store
	op                string
	subtask, parallel int
	records           []byte
	file              *writer
}

// maxPending is how many bytes of changes a backend holds in memory.
const maxPending = 16 << 20

// Restore implements state.Backend.
func (b *backend) Restore(f func(unit uint16, key, value []byte) error) error {
	b.s.mu.Lock()
	m := b.s.last
	b.s.mu.Unlock()
	if m == nil {
		return nil
	}
	c, err := openChain(b.s.path, m.Files)
	if err != nil {
		return err
	}
	defer c.close()
	// The units of a task are neighbours.
	lo, hi := state.Units, 0
	for u := range state.Units {
		if state.TaskOf(uint16(u), b.parallel) == b.subtask {
			lo, hi = min(lo, u), max(hi, u)
		}
	}
	if lo > hi {
		return nil
	}
	return c.each(b.op, uint16(lo), uint16(hi), f, nil)
}

// Put implements state.Backend.
func (b *backend) Put(unit uint16, key, value []byte) error {
	return b.append(unit, key, value, false)
}

// Delete implements state.Backend.
func (b *backend) Delete(unit uint16, key []byte) error { return b.append(unit, key, nil, true) }

func (b *backend) append(unit uint16, key, value []byte, deleted bool) error {
	b.records = appendRecord(b.records, unit, key, value, deleted)
	if len(b.records) < maxPending {
		return nil
	}
	return b.flush()
}

// flush moves the collected changes to the backend's own file.
func (b *backend) flush() (err error) {
	if b.file == nil {
		if b.file, err = b.s.create(); err != nil {
			return err
		}
	}
	if err := b.file.records(b.op, b.records); err != nil {
		return err
	}
	b.records = b.records[:0]
	return nil
}

// Seal implements state.Backend. What is small is handed over in memory and
// written by Commit, off the task's path.
func (b *backend) Seal(epoch int64) error {
	if len(b.records) == 0 && b.file == nil {
		return nil
	}
	var ref *fileRef
	if b.file != nil {
		if err := b.flush(); err != nil {
			return err
		}
		f, err := b.file.finish(false, b.s.opts.NoSync)
		b.file = nil
		if err != nil {
			return err
		}
		ref = &f
	}
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	e := b.s.sealed[epoch]
	if e == nil {
		e = &epochFiles{}
		b.s.sealed[epoch] = e
	}
	if ref != nil {
		e.files = append(e.files, *ref)
		b.s.written += ref.Size
		b.records = nil
		return nil
	}
	e.chunks = append(e.chunks, chunk{op: b.op, records: b.records})
	b.records = b.s.spare()
	return nil
}

var _ state.Backend = (*backend)(nil)
