package dir

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/runnelio/runnel/internal/state"
)

// Info is a commit seen from outside.
type Info struct {
	*state.Commit
	Parent int64
	Files  int
	Bytes  int64
	File   string // path of its manifest
}

// List returns the commits of a directory, oldest first. The job may be running.
func List(path string) ([]Info, error) {
	ms, err := manifests(path)
	if err != nil {
		return nil, err
	}
	out := make([]Info, len(ms))
	for i, m := range ms {
		out[i] = Info{Commit: m.commit(), Parent: m.Parent, Files: len(m.Files), File: filepath.Join(path, m.file)}
		for _, f := range m.Files {
			out[i].Bytes += f.Size
		}
	}
	return out, nil
}

// Entries calls f for every entry of a commit, 0 for the last one.
func Entries(path string, epoch int64, f func(op string, unit uint16, key, value []byte) error) error {
	m, err := find(path, epoch)
	if err != nil {
		return err
	}
	c, err := openChain(path, m.Files)
	if err != nil {
		return err
	}
	defer c.close()
	for _, op := range c.operators() {
		err := c.each(op, 0, 1<<16-1, func(unit uint16, key, value []byte) error { return f(op, unit, key, value) }, nil)
		if err != nil {
			return err
		}
	}
	return nil
}

func find(path string, epoch int64) (*manifest, error) {
	ms, err := manifests(path)
	if err != nil {
		return nil, err
	}
	for i := len(ms) - 1; i >= 0; i-- {
		if epoch == 0 || ms[i].Epoch == epoch {
			return ms[i], nil
		}
	}
	if epoch == 0 {
		return nil, fmt.Errorf("%s holds no commit", path)
	}
	return nil, fmt.Errorf("%s holds no commit of epoch %d", path, epoch)
}

// Export copies a commit, 0 for the last one, with its files into another
// directory: a savepoint, which Open can go on from. The job may be running.
func Export(path string, epoch int64, to string) error {
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	if old, err := manifests(to); err != nil {
		return err
	} else if len(old) > 0 {
		return fmt.Errorf("%s holds a commit already", to)
	}
	for try := 0; ; try++ {
		err := export(path, epoch, to)
		if errors.Is(err, os.ErrNotExist) && try < 10 {
			continue // the job has gone on and removed the files of that commit
		}
		return err
	}
}

func export(path string, epoch int64, to string) error {
	m, err := find(path, epoch)
	if err != nil {
		return err
	}
	for i, f := range m.Files {
		if err := linkOrCopy(filepath.Join(path, f.Name), filepath.Join(to, f.Name)); err != nil {
			for _, done := range m.Files[:i] {
				os.Remove(filepath.Join(to, done.Name))
			}
			return err
		}
	}
	if err := syncDir(to); err != nil {
		return err
	}
	own := *m
	own.Parent = 0
	if err := own.write(to, Options{create: createFile}); err != nil {
		return err
	}
	return own.verify(to)
}

func linkOrCopy(from, to string) error {
	// What is there may be another name of the same file: never write into it.
	if err := os.Remove(to); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if os.Link(from, to) == nil {
		return nil
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if err == nil {
		err = out.Sync()
	}
	if cerr := out.Close(); err == nil {
		err = cerr
	}
	return err
}
