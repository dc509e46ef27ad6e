package difftest

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// number reads a variable of the environment.
func number(t *testing.T, name string, or uint64) uint64 {
	text := os.Getenv(name)
	if text == "" {
		return or
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// TestDifference runs random queries in all worlds and in the model.
func TestDifference(t *testing.T) {
	count := uint64(1500)
	if testing.Short() {
		count = 250
	}
	count, first := number(t, "RUNNEL_DIFF", count), number(t, "SEED", 1)
	const most = 8 // failures
	var (
		mu       sync.Mutex
		failures []*failure
		skipped  = map[string]int{}
		examples = map[string]uint64{}
		next     atomic.Uint64
		done     atomic.Uint64
		kills    atomic.Uint64
		rows     atomic.Uint64
		empty    atomic.Uint64
		waits    sync.WaitGroup
	)
	start := time.Now()
	ctx, cancel := context.WithCancel(t.Context())
	for range max(2, runtime.GOMAXPROCS(0)) {
		waits.Go(func() {
			for ctx.Err() == nil {
				seed := first + next.Add(1) - 1
				if seed >= first+count {
					return
				}
				o := try(ctx, seed)
				if ctx.Err() != nil {
					return
				}
				kills.Add(uint64(o.kills))
				rows.Add(uint64(o.rows))
				switch {
				case o.skipped != "":
					mu.Lock()
					why := reason(o.skipped)
					skipped[why]++
					examples[why] = seed
					mu.Unlock()
				case o.failed != nil:
					o.failed.shrink(ctx)
					mu.Lock()
					failures = append(failures, o.failed)
					if len(failures) >= most {
						cancel()
					}
					mu.Unlock()
				case o.rows == 0:
					empty.Add(1)
				}
				done.Add(1)
			}
		})
	}
	if os.Getenv("RUNNEL_DIFF") != "" {
		told := make(chan struct{})
		go func() {
			defer close(told)
			tick := time.NewTicker(10 * time.Second)
			defer tick.Stop()
			for {
				select {
				case <-ctx.Done():
					return
				case <-tick.C:
				}
				mu.Lock()
				n := len(failures)
				mu.Unlock()
				d := done.Load()
				fmt.Fprintf(os.Stderr, "%d of %d cases, %.0f a second, %d differ\n", d, count, float64(d)/time.Since(start).Seconds(), n)
			}
		}()
		defer func() { <-told }()
	}
	waits.Wait()
	cancel()
	refused := 0
	var whys []string
	for why, n := range skipped {
		refused += n
		whys = append(whys, fmt.Sprintf("%6d %s (seed %d)", n, why, examples[why]))
	}
	slices.Sort(whys)
	slices.Reverse(whys)
	for _, f := range failures {
		t.Errorf("a difference\n%s", f)
	}
	d := done.Load()
	t.Logf("%d cases from seed %d, %d differ, %d left out, %d without rows, %d rows, %d kills, %.1f cases a second",
		d, first, len(failures), refused, empty.Load(), rows.Load(), kills.Load(), float64(d)/time.Since(start).Seconds())
	if len(whys) > 0 {
		t.Logf("left out:\n%s", strings.Join(whys, "\n"))
	}
	if d >= 200 && len(failures) == 0 {
		if uint64(refused) > d/10 {
			t.Errorf("%d of %d cases are left out: the test shows little", refused, d)
		}
		if empty.Load() > d/2 {
			t.Errorf("%d of %d cases have no rows: the test shows little", empty.Load(), d)
		}
		if kills.Load() < d/10 {
			t.Errorf("%d kills in %d cases: the test shows little", kills.Load(), d)
		}
	}
}

// reason is an error without what differs from case to case.
func reason(why string) string {
	why, _, _ = strings.Cut(why, "\n")
	if _, tail, ok := strings.Cut(why, "refused: "); ok {
		why = tail
	}
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return '#'
		}
		return r
	}, why)
}
