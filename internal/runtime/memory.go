package runtime

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"os"
	"path"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/runnelio/runnel/internal/physical"
)

// MemoryLimit is the number of bytes this process may hold: GOMEMLIMIT, or the
// limit of its control group; 0 if there is none.
func MemoryLimit() int64 {
	if limit := debug.SetMemoryLimit(-1); limit != math.MaxInt64 {
		return limit
	}
	return HardMemoryLimit()
}

// HardMemoryLimit is the limit of this process's control group, above which the
// kernel kills it; 0 if there is none.
func HardMemoryLimit() int64 { return groupLimit(os.ReadFile) }

// noGroupLimit is above all limits: version 1 of control groups has a number for
// "no limit" that depends on the page size.
const noGroupLimit = 1 << 60

// groupLimit is the lowest limit of this process's control group and those above
// it, of either version; 0 if there is none. read is os.ReadFile, or a test's.
func groupLimit(read func(string) ([]byte, error)) int64 {
	groups, err := read("/proc/self/cgroup")
	if err != nil {
		return 0
	}
	lowest := int64(noGroupLimit)
	for line := range strings.Lines(string(groups)) {
		// hierarchy:controllers:path
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		root, file := "", ""
		switch {
		case parts[1] == "":
			root, file = "/sys/fs/cgroup", "memory.max"
		case slices.Contains(strings.Split(parts[1], ","), "memory"):
			root, file = "/sys/fs/cgroup/memory", "memory.limit_in_bytes"
		default:
			continue
		}
		// In a container the path may be the host's: the group is then the root it sees.
		for at := path.Clean("/" + parts[2]); ; at = path.Dir(at) {
			if b, err := read(path.Join(root, at, file)); err == nil {
				if n, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64); err == nil && n > 0 {
					lowest = min(lowest, n)
				}
			}
			if at == "/" {
				break
			}
		}
	}
	if lowest == noGroupLimit {
		return 0
	}
	return lowest
}

// guardEvery is how often the memory that is held is looked at.
const guardEvery = 50 * time.Millisecond

// guardMemory fails the job when what is alive in memory comes near to the limit
// above which the kernel kills the process: what is left is for the collector,
// for stacks and for tables that are copied as they grow.
func (j *Job) guardMemory(ctx context.Context, p *physical.Plan, limit int64, fail func(error)) {
	ticker := time.NewTicker(guardEvery)
	defer ticker.Stop()
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		metrics.Read(sample)
		if live := int64(sample[0].Value.Uint64()); live > limit/100*85 {
			fail(j.tooMuchState(p, live, limit))
			return
		}
	}
}

// tooMuchState is the error of a job whose state does not fit.
func (j *Job) tooMuchState(p *physical.Plan, live, limit int64) error {
	type keeper struct {
		name string
		rows int64
	}
	var keepers []keeper
	for _, o := range p.Ops {
		if _, spills := o.Spec.(physical.Aggregate); spills || !remembers(o.Spec) {
			continue
		}
		rows := int64(0)
		for _, m := range j.Metrics.All() {
			if m.Name == o.ID {
				rows += m.RowsIn.Load()
			}
		}
		keepers = append(keepers, keeper{o.ID, rows})
	}
	slices.SortStableFunc(keepers, func(a, b keeper) int { return cmp.Compare(b.rows, a.rows) })
	var names []string
	for _, k := range keepers {
		names = append(names, fmt.Sprintf("%s (%d rows came)", k.name, k.rows))
	}
	who := "no operator keeps state that cannot spill"
	if len(names) > 0 {
		who = "state that cannot spill to files is kept by " + strings.Join(names, ", ")
	}
	return fmt.Errorf("memory: %d MB are in use of a limit of %d MB; %s: a higher limit of the container, or 'table.exec.state.ttl', which forgets old keys", live>>20, limit>>20, who)
}

// remembers tells whether an operator keeps rows or keys.
func remembers(s physical.Spec) bool {
	switch s.(type) {
	case physical.Source, physical.GoSource, physical.Values, physical.Calc, physical.Watermark, physical.Union, physical.Expand,
		physical.Correlate, physical.Sink, physical.Rules:
		return false
	}
	return true
}
