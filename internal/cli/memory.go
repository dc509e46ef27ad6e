package cli

import (
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"

	"github.com/runnelio/runnel/internal/runtime"
)

// State lies in pages without pointers, so collecting garbage costs little even
// where there is much of it: above bigHeap the collector runs at a third of the
// live heap instead of doubling it, which is what peak memory then is.
const (
	bigHeap   = 96 << 20
	smallHeap = 48 << 20
	bigGOGC   = 33
)

// governMemory adapts the collector to the size of the heap until stop is called,
// and has it heed the limit of the process's control group, of which a tenth is
// left for what is no heap. Whoever sets GOMEMLIMIT or GOGC decides himself.
func governMemory() (stop func()) {
	if limit := runtime.HardMemoryLimit(); limit > 0 && os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(limit / 10 * 9)
	}
	if os.Getenv("GOGC") != "" {
		return func() {}
	}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		t := time.NewTicker(100 * time.Millisecond)
		defer t.Stop()
		sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		big := false
		for {
			select {
			case <-done:
				return
			case <-t.C:
			}
			metrics.Read(sample)
			switch live := sample[0].Value.Uint64(); {
			case !big && live > bigHeap:
				big = true
				debug.SetGCPercent(bigGOGC)
			case big && live < smallHeap:
				big = false
				debug.SetGCPercent(100)
			}
		}
	}()
	return func() {
		close(done)
		<-ended
		debug.SetGCPercent(100)
	}
}
