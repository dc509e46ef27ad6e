package runtime

import (
	"errors"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/runnelio/runnel/internal/metrics"
	"github.com/runnelio/runnel/internal/physical"
)

func TestGroupLimit(t *testing.T) {
	t.Parallel()
	f := func(want int64, files map[string]string) {
		t.Helper()
		got := groupLimit(func(name string) ([]byte, error) {
			if text, ok := files[name]; ok {
				return []byte(text), nil
			}
			return nil, errors.New("no such file")
		})
		if got != want {
			t.Errorf("%v: %d, want %d", files, got, want)
		}
	}
	const own = "/proc/self/cgroup"
	f(0, nil)
	f(0, map[string]string{own: "0::/\n", "/sys/fs/cgroup/memory.max": "max\n"})
	f(1000, map[string]string{own: "0::/\n", "/sys/fs/cgroup/memory.max": "1000\n"})
	f(700, map[string]string{own: "0::/a/b\n", "/sys/fs/cgroup/a/b/memory.max": "max\n", "/sys/fs/cgroup/a/memory.max": "700\n", "/sys/fs/cgroup/memory.max": "1000\n"})
	f(1000, map[string]string{own: "0::/of/the/host\n", "/sys/fs/cgroup/memory.max": "1000\n"}) // seen from inside a container
	f(500, map[string]string{own: "5:cpu,cpuacct:/x\n4:memory:/x\n0::/\n", "/sys/fs/cgroup/memory/x/memory.limit_in_bytes": "500\n",
		"/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"})
	f(0, map[string]string{own: "4:memory:/\n", "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"})
	f(0, map[string]string{own: "nonsense\n::\n"})
}

// TestTooMuchStateIsAnError guards a limit below what any process holds.
func TestTooMuchStateIsAnError(t *testing.T) {
	runtime.GC() // it is the collector that counts what is alive
	synctest.Test(t, func(t *testing.T) {
		j := &Job{Metrics: &metrics.Job{}}
		m := &metrics.Op{Name: "Join-1"}
		m.RowsIn.Store(7)
		j.Metrics.Add(m)
		p := &physical.Plan{Ops: []*physical.Op{{ID: "Source-1", Spec: physical.Source{}}, {ID: "GroupAggregate-1", Spec: physical.Aggregate{}}, {ID: "Join-1", Spec: physical.Join{}}}}
		failed := make(chan error, 1)
		go j.guardMemory(t.Context(), p, 100, func(err error) { failed <- err })
		select {
		case err := <-failed:
			if s := err.Error(); !strings.Contains(s, "kept by Join-1 (7 rows came):") || !strings.Contains(s, "table.exec.state.ttl") {
				t.Error(err)
			}
		case <-time.After(time.Minute):
			t.Fatal("nothing happens")
		}
	})
}
