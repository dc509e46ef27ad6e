//go:build !linux

package aggregate

import "time"

var began = time.Now()

// threadTime is wall time where the time of a thread is not to be had.
func threadTime() time.Duration { return time.Since(began) }
