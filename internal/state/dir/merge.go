package dir

import "slices"

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
)

// startMerge begins to merge the chain in the background if it is worth it. The
// caller holds mu.
func (s *Store) startMerge() {
	if s.busy || s.merged != nil || s.last == nil || len(s.last.Files) < 2 {
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
	if len(s.last.Files) < maxFiles && (delta < minMerge || delta < full/2) {
		return
	}
	files := slices.Clone(s.last.Files)
	name, seq := s.nextName()
	s.busy = true
	s.merging.Go(func() {
		f, err := s.merge(files, name, seq)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.busy = false
		if err != nil {
			s.mergeErr = err
			return
		}
		s.merged = &mergeResult{n: len(files), last: files[len(files)-1].Name, file: f}
	})
}

// merge writes the entries that files leave to a full file.
func (s *Store) merge(files []fileRef, name string, seq int64) (fileRef, error) {
	w, err := s.create(name, seq)
	if err != nil {
		return fileRef{}, err
	}
	open := map[string][]byte{}
	err = entries(s.path, files, func(string) bool { return true }, func(op string, unit uint16, key, value []byte) error {
		rs := appendRecord(open[op], unit, key, value, false)
		if len(rs) >= blockSize {
			if err := w.block(op, rs); err != nil {
				return err
			}
			rs = rs[:0]
		}
		open[op] = rs
		return nil
	})
	for op, rs := range open {
		if err == nil && len(rs) > 0 {
			err = w.block(op, rs)
		}
	}
	if err != nil {
		w.abandon(s.path)
		return fileRef{}, err
	}
	return w.finish(s.path, true, s.opts.NoSync)
}
