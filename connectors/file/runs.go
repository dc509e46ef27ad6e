package file

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A run is one life of one sink: its hidden files carry its name. While it lives
// it holds a lock on its run file, .run-NAME.lock; when the process is killed the
// lock goes and the files stay. Who goes on from a commit of it removes those the
// commit does not know, and those of runs that went on from the same commit before
// and died without one of their own: their run files name the run they followed.

// token is what Prepare returns: the run, and its finished files.
type token struct {
	Run   string    `json:"run"`
	Files []pending `json:"files"`
}

// parseToken reads a token; older ones are a list of files alone.
func parseToken(text []byte) (token, error) {
	var t token
	if len(text) == 0 {
		return t, nil
	}
	var err error
	if text[0] == '{' {
		err = json.Unmarshal(text, &t)
	} else {
		err = json.Unmarshal(text, &t.Files)
	}
	if err != nil {
		return t, fmt.Errorf("filesystem: broken token: %w", err)
	}
	return t, nil
}

func runFile(dir, run string) string { return filepath.Join(dir, ".run-"+run+".lock") }

// live makes the run file of s and locks it, once.
func (s *sink) live() error {
	if s.lock != nil {
		return nil
	}
	f, err := os.OpenFile(runFile(s.dir, s.run), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return fmt.Errorf("filesystem: %w", err)
	}
	if !tryLock(f) {
		f.Close()
		return fmt.Errorf("filesystem: %s is locked by another process", f.Name())
	}
	if _, err := f.WriteString(strings.Join(s.follows, "\n")); err != nil {
		f.Close()
		return fmt.Errorf("filesystem: %w", err)
	}
	s.lock = f
	return nil
}

// known notes that the run has a part in a commit from now on: only who goes on
// from that may remove its files.
func (s *sink) known() error {
	if s.lock == nil || s.follows == nil {
		return nil
	}
	s.follows = nil
	if err := s.lock.Truncate(0); err != nil {
		return fmt.Errorf("filesystem: %w", err)
	}
	return nil
}

// die removes the run file.
func (s *sink) die() {
	if s.lock != nil {
		os.Remove(s.lock.Name())
		s.lock.Close()
		s.lock = nil
	}
}

// succeed removes what a dead run has left, but for its files in keep, and what
// runs have left that followed it and died before they were part of a commit.
func (s *sink) succeed(run string, keep []pending) error {
	s.follows = append(s.follows, run)
	if err := s.bury(run, keep); err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(escapeGlob(s.dir), ".run-*.lock"))
	if err != nil {
		return fmt.Errorf("filesystem: %w", err)
	}
	for _, l := range files {
		name := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(l), ".run-"), ".lock")
		text, err := os.ReadFile(l)
		if name == s.run || err != nil || !slices.Contains(strings.Split(string(text), "\n"), run) {
			continue
		}
		if err := s.bury(name, nil); err != nil {
			return err
		}
	}
	return nil
}

// bury removes the hidden files of a run, unless it lives.
func (s *sink) bury(run string, keep []pending) error {
	if !locks {
		return nil
	}
	lock := runFile(s.dir, run)
	f, err := os.OpenFile(lock, os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil // it ended by itself, and left nothing
	}
	if err != nil {
		return fmt.Errorf("filesystem: %w", err)
	}
	defer f.Close()
	if !tryLock(f) {
		return nil // a copy of its state goes on elsewhere
	}
	prefix := ".part-" + run + "-"
	err = filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			if errors.Is(err, os.ErrNotExist) {
				return nil
			}
			return err
		}
		name := d.Name()
		if d.IsDir() || !strings.HasPrefix(name, prefix) || !strings.HasSuffix(name, ".inprogress") ||
			slices.ContainsFunc(keep, func(p pending) bool { return p.Hidden == path }) {
			return nil
		}
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		return nil
	})
	if err == nil {
		err = os.Remove(lock)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("filesystem: %w", err)
	}
	return nil
}

// escapeGlob quotes what Glob would not take as it stands.
func escapeGlob(path string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(path)
}
