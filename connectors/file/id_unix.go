//go:build unix

package file

import (
	"fmt"
	"os"
	"syscall"
)

// fileID is what a file is called by the file system: it stays when the file is
// renamed.
func fileID(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return path, nil
	}
	return fmt.Sprintf("%x-%x", uint64(st.Dev), uint64(st.Ino)), nil
}
