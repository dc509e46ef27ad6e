//go:build !unix

package cli

import (
	"os"
	"time"
)

// tellsCursor is true: the console is asked by a call, which answers at once.
func tellsCursor(_, _ *os.File, _ time.Duration) (ok bool, typed []byte) { return true, nil }
