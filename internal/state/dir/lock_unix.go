//go:build unix

package dir

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// lockDir takes the directory for this process until the file is closed.
func lockDir(path string) (*os.File, error) { return flock(path, syscall.LOCK_EX) }

// shareDir keeps others from taking the directory, but not from sharing it.
func shareDir(path string) (*os.File, error) { return flock(path, syscall.LOCK_SH) }

// keepDir makes what shareDir gave keep others out altogether.
func keepDir(lock *os.File, path string) error {
	err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return fmt.Errorf("%w: %s", ErrLocked, path)
	}
	return err
}

func flock(path string, how int) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(path, "LOCK"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("state directory: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("%w: %s", ErrLocked, path)
		}
		return nil, fmt.Errorf("state directory: lock: %w", err)
	}
	return f, nil
}
