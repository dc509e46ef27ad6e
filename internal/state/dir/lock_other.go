//go:build !unix

package dir

import (
	"fmt"
	"os"
	"path/filepath"
)

// lockDir takes the directory for this process until the file is closed. Where
// there is no advisory lock an exclusively created file would outlive a crash,
// so the file is only opened.
func lockDir(path string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(path, "LOCK"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("state directory: %w", err)
	}
	return f, nil
}

func shareDir(path string) (*os.File, error) { return lockDir(path) }

func keepDir(*os.File, string) error { return nil }
