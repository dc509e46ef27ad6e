// Package dir keeps a job's state in a directory: the embedded default.
//
// A commit is a manifest file that lists the data files which together hold the
// state: a full one and the deltas since. Data files are written and synced
// first; the manifest becomes true by a rename, and the directory is synced.
// Whatever a crash leaves behind, the newest manifest whose checksum holds is the
// last commit, and everything it does not name is litter that the next open
// removes. When the deltas outgrow half of the full file, all of them are merged
// into a new full one in the background.
//
// dir.go has the store, file.go data files, manifest.go commits, merge.go the
// merging, backend.go the part of one operator, inspect.go looking from outside.
package dir

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/runnelio/runnel/internal/state"
)

// Options are the settings of a store.
type Options struct {
	// Retain is how many commits are kept, at least 1 (state.checkpoints.num-retained).
	Retain int
	// NoSync leaves out fsync: for tests of everything but power loss.
	NoSync bool
}

// Store is a state.Store in a directory. One process at a time owns it.
type Store struct {
	path string
	opts Options
	lock *os.File

	mu      sync.Mutex
	last    *manifest // nil: nothing was committed
	history []*manifest
	sealed  map[int64]*epochFiles
	seq     int64 // of the next data file
	written int64 // bytes written to data files, for metrics

	merging  sync.WaitGroup
	merged   *mergeResult // done, waiting for the next commit
	busy     bool
	mergeErr error
}

// epochFiles is what backends have sealed for an epoch.
type epochFiles struct {
	chunks []chunk
	files  []fileRef
}

// chunk is sealed changes of one backend that are small enough to stay in memory.
type chunk struct {
	op      string
	records []byte
	count   int
}

// ErrLocked tells that another process owns the directory.
var ErrLocked = errors.New("the state directory is in use by another process")

// Open opens or creates the store at path and goes on from its last commit.
func Open(path string, o Options) (*Store, error) {
	if o.Retain < 1 {
		o.Retain = 1
	}
	if err := os.MkdirAll(path, 0o755); err != nil {
		return nil, fmt.Errorf("state directory: %w", err)
	}
	lock, err := lockDir(path)
	if err != nil {
		return nil, err
	}
	s := &Store{path: path, opts: o, lock: lock, sealed: map[int64]*epochFiles{}}
	if err := s.load(); err != nil {
		lock.Close()
		return nil, err
	}
	return s, nil
}

// load finds the last commit and removes what no commit names.
func (s *Store) load() error {
	history, err := manifests(s.path)
	if err != nil {
		return err
	}
	named := map[string]bool{}
	for _, m := range history {
		named[m.file] = true
		for _, f := range m.Files {
			named[f.Name] = true
			s.seq = max(s.seq, f.Seq+1)
		}
	}
	if len(history) > 0 {
		s.last = history[len(history)-1]
		if err := s.last.verify(s.path); err != nil {
			return err
		}
	}
	s.history = history
	entries, err := os.ReadDir(s.path)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := e.Name()
		ours := strings.HasPrefix(name, "data-") || strings.HasPrefix(name, "commit-") || strings.HasSuffix(name, ".tmp")
		if ours && !named[name] {
			// A torn manifest or data of a commit that never came to be.
			if err := os.Remove(filepath.Join(s.path, name)); err != nil {
				return err
			}
		}
	}
	return nil
}

// Last implements state.Store.
func (s *Store) Last(context.Context) (*state.Commit, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last == nil {
		return nil, nil
	}
	return s.last.commit(), nil
}

// Backend implements state.Store.
func (s *Store) Backend(op string, subtask, parallel int) state.Backend {
	return &backend{s: s, op: op, subtask: subtask, parallel: parallel}
}

// Commit implements state.Store.
func (s *Store) Commit(_ context.Context, c *state.Commit) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := newManifest(c)
	if s.last != nil {
		m.Parent = s.last.Epoch
		m.Files = append(m.Files, s.last.Files...)
	}
	if s.merged != nil {
		m.Files = s.merged.apply(m.Files)
		s.merged = nil
	}
	for epoch, e := range s.sealed {
		if epoch > c.Epoch {
			continue
		}
		m.Files = append(m.Files, e.files...)
		if len(e.chunks) > 0 {
			f, err := s.writeChunks(e.chunks)
			if err != nil {
				return err
			}
			m.Files = append(m.Files, f)
		}
		delete(s.sealed, epoch)
	}
	if err := m.write(s.path, s.opts.NoSync); err != nil {
		return err
	}
	s.last = m
	s.history = append(s.history, m)
	s.prune()
	s.startMerge()
	err := s.mergeErr
	s.mergeErr = nil
	return err
}

// prune removes commits beyond those to retain, and files that none of the others name.
func (s *Store) prune() {
	if len(s.history) <= s.opts.Retain {
		return
	}
	gone := s.history[:len(s.history)-s.opts.Retain]
	s.history = append([]*manifest(nil), s.history[len(s.history)-s.opts.Retain:]...)
	named := map[string]bool{}
	for _, m := range s.history {
		for _, f := range m.Files {
			named[f.Name] = true
		}
	}
	for _, m := range gone {
		// The manifest first: one without its files would be taken for damage.
		os.Remove(filepath.Join(s.path, m.file))
	}
	for _, m := range gone {
		for _, f := range m.Files {
			if !named[f.Name] {
				os.Remove(filepath.Join(s.path, f.Name))
				named[f.Name] = true
			}
		}
	}
}

// Bytes is the size of the files of the last commit.
func (s *Store) Bytes() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	var n int64
	if s.last != nil {
		for _, f := range s.last.Files {
			n += f.Size
		}
	}
	return n
}

// Close implements state.Store.
func (s *Store) Close() error {
	s.merging.Wait()
	return s.lock.Close()
}

func (s *Store) nextName() (string, int64) {
	n := s.seq
	s.seq++
	return fmt.Sprintf("data-%012d", n), n
}

var _ state.Store = (*Store)(nil)
