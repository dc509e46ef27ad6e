package dir

import (
	"errors"
	"slices"
)

// mergeResult is a full file that replaces the first n files of the chain.
type mergeResult struct {
	n    int
	last string // the name of the n-th file: the chain must still begin as it did
	file fileRef
}

// apply returns files with the first n replaced.
func (r *mergeResult) apply(files []fileRef) []fileRef {
	if len(files) < r.n || files[r.n-1].Name != r.last {
		return files
	}
	return append([]fileRef{r.file}, files[r.n:]...)
}

const (
	minMerge = 1 << 20 // bytes of deltas under which nothing is merged unless there are many files
	maxFiles = 64      // files of a chain at which it is merged whatever their size
	// growth is how many times the full file deltas may be: more costs room and
	// time to restore, less writes the state more often.
	growth = 3
)

var errClosing = errors.New("the store is being closed")

// startMerge begins to merge the chain in the background if it is worth it. The
// caller holds mu.
func (s *Store) startMerge() {
	if s.busy || s.closing || s.merged != nil || s.last == nil || len(s.last.Files) < 2 {
		return
	}
	var full, delta int64
	for i, f := range s.last.Files {
		if f.Full && i == 0 {
			full += f.Size
		} else {
			delta += f.Size
		}
	}
	if len(s.last.Files) < maxFiles && (delta < minMerge || delta < growth*full) {
		return
	}
	files := slices.Clone(s.last.Files)
	s.busy = true
	s.merging.Go(func() {
		f, err := s.merge(files)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.busy = false
		if err != nil {
			// The files it would have replaced are still there: it is tried again
			// after the next commit, which fails itself if the disk is full.
			s.mergeErr = err
			return
		}
		s.mergeErr = nil
		s.merged = &mergeResult{n: len(files), last: files[len(files)-1].Name, file: f}
	})
}

// merge writes the entries that files leave to a full file.
func (s *Store) merge(files []fileRef) (fileRef, error) {
	c, err := openChain(s.path, files)
	if err != nil {
		return fileRef{}, err
	}
	defer c.close()
	w, err := s.create()
	if err != nil {
		return fileRef{}, err
	}
	var rs []byte
	for _, op := range c.operators() {
		err := c.each(op, 0, 1<<16-1, func(unit uint16, key, value []byte) error {
			rs = appendRecord(rs, unit, key, value, false)
			return nil
		}, func() error {
			s.mu.Lock()
			closing := s.closing
			s.mu.Unlock()
			if closing {
				return errClosing
			}
			err := w.records(op, rs)
			rs = rs[:0]
			return err
		})
		if err != nil {
			w.abandon()
			return fileRef{}, err
		}
	}
	return w.finish(true, s.opts.NoSync)
}
