//go:build unix

package file

import (
	"os"
	"syscall"
)

// locks tells that locks show whether a run lives.
const locks = true

// tryLock locks f, for as long as it is open, unless another process or opening has.
func tryLock(f *os.File) bool {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}
