// Package dir keeps a job's state in a directory: the embedded default.
//
// A commit is a manifest file that lists the data files which together hold the
// state: a full one and the deltas since. Data files are written and synced
// first; the manifest becomes true by a rename, and the directory is synced.
// Whatever a crash leaves behind, the newest manifest whose checksum holds is the
// last commit, and everything it does not name is litter that the next open
// removes. When the deltas outgrow the full file, all of them are merged into a
// new full one in the background.
//
// dir.go has the store, file.go data files, chain.go what files leave together,
// manifest.go commits, merge.go the merging, backend.go the part of one operator,
// inspect.go looking from outside, claim.go stores that pass from owner to owner.
package dir

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
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

	create func(path string) (file, error) // tests inject failures
	step   func(name string)               // tests stop an owner anywhere
}

func (o *Options) at(step string) {
	if o.step != nil {
		o.step(step)
	}
}

// Store is a state.Store in a directory. One process at a time owns it.
type Store struct {
	path string
	opts Options
	lock *os.File // nil if claimed
	held *claimed // nil if locked

	committing sync.Mutex // held by Commit; mu is not, while files are written

	mu       sync.Mutex
	last     *manifest // nil: nothing was committed
	history  []*manifest
	sealed   map[int64]*epochFiles
	backends []*backend
	spares   [][]byte // buffers of chunks that were written
	seq      int64    // of the next data file
	written  int64    // bytes written to data files
	broken   error    // a commit failed: what it was to hold is lost
	closing  bool

	merging  sync.WaitGroup
	merged   *mergeResult // done, waiting for the next commit
	busy     bool
	mergeErr error // of the last merge
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
}

// ErrLocked tells that another process owns the directory.
var ErrLocked = errors.New("the state directory is in use by another process")

// Open opens or creates the store at path and goes on from its last commit.
func Open(path string, o Options) (*Store, error) {
	if o.Retain < 1 {
		o.Retain = 1
	}
	if o.create == nil {
		o.create = createFile
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
	b := &backend{s: s, op: op, subtask: subtask, parallel: parallel}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.backends = append(s.backends, b)
	return b
}

// Commit implements state.Store. After an error the store takes no further
// commits: what the failed one was to hold is in memory no more.
func (s *Store) Commit(_ context.Context, c *state.Commit) error {
	s.committing.Lock()
	defer s.committing.Unlock()
	s.mu.Lock()
	if s.broken != nil {
		defer s.mu.Unlock()
		return s.broken
	}
	m := newManifest(c)
	if s.held != nil {
		if c.Epoch != s.last.Epoch+1 {
			defer s.mu.Unlock()
			return fmt.Errorf("commit of epoch %d behind %d", c.Epoch, s.last.Epoch)
		}
		m.Claim, m.Owner, m.Unit = s.held.number, s.last.Owner, s.held.unit
	}
	if s.last != nil {
		m.Parent = s.last.Epoch
		m.Files = append(m.Files, s.last.Files...)
	}
	if s.merged != nil {
		m.Files = s.merged.apply(m.Files)
		s.merged = nil
	}
	if s.mergeErr != nil && len(m.Files) > 4*maxFiles {
		defer s.mu.Unlock()
		return fmt.Errorf("state files cannot be merged: %w", s.mergeErr)
	}
	var parts []*epochFiles
	for _, epoch := range slices.Sorted(maps.Keys(s.sealed)) {
		if epoch <= c.Epoch {
			parts = append(parts, s.sealed[epoch])
			delete(s.sealed, epoch)
		}
	}
	s.mu.Unlock()
	err := s.fence(s.write(m, parts))
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.broken = err
		return err
	}
	s.last = m
	s.history = append(s.history, m)
	s.opts.at("committed")
	s.prune()
	s.opts.at("pruned")
	s.startMerge()
	return nil
}

// write makes a commit durable: the data files first, then the manifest.
func (s *Store) write(m *manifest, parts []*epochFiles) error {
	s.opts.at("commit")
	old := len(m.Files)
	for _, e := range parts {
		m.Files = append(m.Files, e.files...)
		if len(e.chunks) == 0 {
			continue
		}
		f, err := s.writeChunks(e.chunks)
		if err != nil {
			return err
		}
		m.Files = append(m.Files, f)
	}
	if len(m.Files) > old && !s.opts.NoSync {
		// The names of the data files must be on disk before the manifest's is.
		if err := syncDir(s.path); err != nil {
			return err
		}
	}
	s.opts.at("data written")
	if s.held != nil {
		return m.link(s.path, s.opts)
	}
	return m.write(s.path, s.opts)
}

// writeChunks puts sealed chunks into one file.
func (s *Store) writeChunks(chunks []chunk) (fileRef, error) {
	w, err := s.create()
	if err != nil {
		return fileRef{}, err
	}
	for _, c := range chunks {
		if err := w.records(c.op, c.records); err != nil {
			w.abandon()
			return fileRef{}, fmt.Errorf("state file %s: %w", w.name, err)
		}
	}
	f, err := w.finish(false, s.opts.NoSync)
	s.mu.Lock()
	s.written += f.Size
	for _, c := range chunks {
		if len(s.spares) < len(s.backends) {
			s.spares = append(s.spares, c.records[:0])
		}
	}
	s.mu.Unlock()
	return f, err
}

// spare returns a buffer for the changes of the next epoch; s.mu is held.
func (s *Store) spare() []byte {
	n := len(s.spares)
	if n == 0 {
		return nil
	}
	b := s.spares[n-1]
	s.spares = s.spares[:n-1]
	return b
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
		if s.held != nil {
			if err := s.forgetEntry(m); err != nil {
				return // in their order, or not at all; the next owner tries again
			}
			continue
		}
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

// Written is the size of all files written since Open but those of merging.
func (s *Store) Written() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.written
}

// Close implements state.Store. What was not committed is gone.
func (s *Store) Close() error {
	s.mu.Lock()
	s.closing = true
	s.mu.Unlock()
	s.merging.Wait()
	for _, b := range s.backends {
		if b.file != nil {
			b.file.abandon()
			b.file = nil
		}
	}
	if s.lock == nil {
		return nil
	}
	return s.lock.Close()
}

func (s *Store) nextName() (string, int64) {
	n := s.seq
	s.seq++
	if s.held != nil {
		return fmt.Sprintf("data-%012d-%012d", s.held.number, n), n
	}
	return fmt.Sprintf("data-%012d", n), n
}

var _ state.Store = (*Store)(nil)
