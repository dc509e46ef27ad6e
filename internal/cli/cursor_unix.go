//go:build unix

package cli

import (
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// tellsCursor asks a terminal where its cursor is and tells whether it answers
// in time. typed is what was typed meanwhile.
func tellsCursor(in, out *os.File, wait time.Duration) (ok bool, typed []byte) {
	fd := int(in.Fd())
	old, err := term.MakeRaw(fd)
	if err != nil {
		return false, nil
	}
	defer func() { _ = term.Restore(fd, old) }()
	if _, err := out.WriteString("\x1b[6n"); err != nil {
		return false, nil
	}
	buf := make([]byte, 1024)
	for end := time.Now().Add(wait); ; {
		left := time.Until(end)
		if left <= 0 {
			return false, typed
		}
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(left.Milliseconds())+1)
		if errors.Is(err, unix.EINTR) || err == nil && n == 0 {
			continue
		}
		if err != nil {
			return false, typed
		}
		if n, err = unix.Read(fd, buf); err != nil || n <= 0 {
			return false, typed
		}
		typed = append(typed, buf[:n]...)
		if at := cursorAnswer.FindIndex(typed); at != nil {
			return true, append(typed[:at[0]:at[0]], typed[at[1]:]...)
		}
	}
}
