// Package mem is a state store in memory: for tests and the high-performance
// mode. Changes become visible to Restore at Commit, as in every store.
package mem

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/runnelio/runnel/internal/state"
)

// Store is a state.Store in memory. It is safe for concurrent use.
type Store struct {
	mu      sync.Mutex
	last    *state.Commit
	data    map[entry]string
	pending map[int64]map[entry]*string // sealed, by epoch; nil: deleted
}

type entry struct {
	op   string
	unit uint16
	key  string
}

// New returns an empty store.
func New() *Store { return &Store{data: map[entry]string{}, pending: map[int64]map[entry]*string{}} }

// Last implements state.Store.
func (s *Store) Last(context.Context) (*state.Commit, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last, nil
}

// Backend implements state.Store.
func (s *Store) Backend(op string, subtask, parallel int) state.Backend {
	return &backend{s: s, op: op, subtask: subtask, parallel: parallel, open: map[entry]*string{}}
}

// Commit implements state.Store.
func (s *Store) Commit(_ context.Context, c *state.Commit) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, epoch := range slices.Sorted(maps.Keys(s.pending)) {
		if epoch > c.Epoch {
			break
		}
		for e, v := range s.pending[epoch] {
			if v == nil {
				delete(s.data, e)
			} else {
				s.data[e] = *v
			}
		}
		delete(s.pending, epoch)
	}
	kept := *c
	kept.Positions, kept.Tokens, kept.Meta = maps.Clone(c.Positions), maps.Clone(c.Tokens), maps.Clone(c.Meta)
	s.last = &kept
	return nil
}

// Abandon drops changes that were not committed, as a crash would.
func (s *Store) Abandon() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.pending)
}

// Close implements state.Store; the content stays for the next job that opens it.
func (s *Store) Close() error { return nil }

type backend struct {
	s                 *Store
	op                string
	subtask, parallel int
	open              map[entry]*string // changes since the last Seal
}

func (b *backend) Restore(f func(unit uint16, key, value []byte) error) error {
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	for e, v := range b.s.data {
		if e.op == b.op && state.TaskOf(e.unit, b.parallel) == b.subtask {
			if err := f(e.unit, []byte(e.key), []byte(v)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *backend) Put(unit uint16, key, value []byte) error {
	v := string(value)
	b.open[entry{b.op, unit, string(key)}] = &v
	return nil
}

func (b *backend) Delete(unit uint16, key []byte) error {
	b.open[entry{b.op, unit, string(key)}] = nil
	return nil
}

func (b *backend) Seal(epoch int64) error {
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	if len(b.open) == 0 {
		return nil
	}
	if b.s.pending[epoch] == nil {
		b.s.pending[epoch] = map[entry]*string{}
	}
	maps.Copy(b.s.pending[epoch], b.open)
	clear(b.open)
	return nil
}
