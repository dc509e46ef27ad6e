package queues

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/runnelio/runnel/internal/services"
	"github.com/runnelio/runnel/internal/services/servicetest"
)

const sharedBy = ", 'scan.assignment' = 'group', 'scan.split-key' = 'k', 'scan.split-key.verify' = 'true'"

// TestShareRocketMQ and TestShareKafka have two processes share the queues of a
// windowed job by 'scan.split-key' while they are killed, and stopped and
// continued, one at a time or both, and the broker goes away (with RUNNEL_CHAOS,
// the number of kills): results are those of an undisturbed job.
func TestShareRocketMQ(t *testing.T) {
	var restart func(*testing.T)
	if os.Getenv("RUNNEL_CHAOS") != "" {
		own := servicetest.OwnRocketMQ(t, services.RocketMQOptions{})
		t.Setenv(services.EnvRocketMQ, own.Addr())
		restart = func(t *testing.T) { again(t, own.Brokers[0], own.Ready) }
	}
	q := newRocketMQ(t)
	q.source += sharedBy
	share(t, q, restart)
}

func TestShareKafka(t *testing.T) {
	var restart func(*testing.T)
	if os.Getenv("RUNNEL_CHAOS") != "" {
		own := servicetest.OwnKafka(t, services.KafkaOptions{})
		t.Setenv(services.EnvKafka, own.Addr())
		restart = func(t *testing.T) { again(t, own.Broker, own.Ready) }
	}
	q := newKafka(t)
	// A member that was killed is noticed after the shortest time that brokers allow.
	q.source += sharedBy + ", 'properties.group.id' = '" + newName() + "', 'properties.session.timeout.ms' = '6000', 'properties.heartbeat.interval.ms' = '1000'"
	share(t, q, restart)
}

// again kills a broker and starts it.
func again(t *testing.T, broker *services.Process, ready func(context.Context) error) {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	if err := broker.Kill(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * time.Second)
	if err := broker.Start(); err != nil {
		t.Fatal(err)
	}
	if err := ready(ctx); err != nil {
		t.Fatal(err)
	}
}

func share(t *testing.T, q queue, restart func(*testing.T)) {
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("SEED"); s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatalf("SEED: %v", err)
		}
		seed = n
	}
	r := rand.New(rand.NewPCG(seed, 0))
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("repeat with SEED=%d", seed)
		}
	})
	if _, err := binary(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	script := fmt.Sprintf(windowJob, q.source, q.sink)
	in := newInput()
	stop, fed := make(chan struct{}), make(chan struct{})
	// Nothing is sent while the broker goes away: whoever sends again what may have
	// arrived sends records twice.
	var sending sync.Mutex
	go func() {
		defer close(fed)
		for {
			sending.Lock()
			in.more(t, q, 400)
			sending.Unlock()
			select {
			case <-stop:
				for in.n < wanted() { // as many as the test is about
					in.more(t, q, 2000)
				}
				in.close(t, q)
				return
			case <-time.After(100 * time.Millisecond):
			}
		}
	}()
	total, pauses, restarts := kills(t), 0, 0
	var taken, fenced int // over all processes
	count := func(p *process) {
		taken += strings.Count(p.said.String(), "split taken")
		fenced += strings.Count(p.said.String(), "not committed is left to it")
	}
	start := func() *process { return run(t, dir, script, "--state-dir", "state", "--log-level", "info") }
	ps := [2]*process{start(), start()}
	alive := func() {
		for _, p := range ps {
			select {
			case <-p.done:
				t.Fatalf("it ended by itself:\n%s", p.said.String())
			default:
			}
		}
	}
	for round := 0; round < total; {
		time.Sleep(time.Duration(300+r.IntN(3000)) * time.Millisecond)
		alive()
		i := r.IntN(2)
		switch k := r.IntN(8); {
		case k < 4:
			_ = ps[i].Process.Kill()
			<-ps[i].done
			count(ps[i])
			ps[i] = start()
			round++
		case k < 7:
			_ = ps[i].Process.Signal(syscall.SIGSTOP)
			d := r.IntN(800)
			if r.IntN(4) == 0 {
				d = 9000 // longer than the group waits for a member
			}
			time.Sleep(time.Duration(d) * time.Millisecond)
			_ = ps[i].Process.Signal(syscall.SIGCONT)
			pauses++
		case restart != nil && r.IntN(3) == 0:
			sending.Lock()
			restart(t)
			sending.Unlock()
			restarts++
		}
	}
	close(stop)
	<-fed
	want := in.expected()
	var got []string
	ps[0].until(t, "all results are there", 4*time.Minute, func() bool {
		alive()
		got = q.results(t)
		return len(got) >= len(want)
	})
	for _, p := range ps {
		_ = p.Process.Signal(syscall.SIGTERM)
		if code := p.wait(t, time.Minute); code != 0 {
			t.Errorf("exit code %d:\n%s", code, p.said.String())
		}
		count(p)
		if strings.Contains(p.said.String(), "late rows") {
			t.Errorf("rows came late:\n%s", p.said.String())
		}
	}
	in.once(t, q)
	got = q.results(t)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Fatalf("%d results, not %d; first difference: %s", len(got), len(want), difference(got, want))
	}
	units, err := filepath.Glob(filepath.Join(dir, "state", "*", "*", "units", "*"))
	if err != nil || len(units) != queueCount {
		t.Errorf("units %v, %v", units, err)
	}
	t.Logf("%d records, %d results, %d kills, %d pauses, %d restarts of the broker; splits were taken %d times, %d times from an owner that did not know",
		in.n, len(want), total, pauses, restarts, taken, fenced)
	if taken <= queueCount {
		t.Error("no split ever moved: the test shows nothing")
	}
}

// wanted is how many records the test sends at least.
func wanted() int {
	if os.Getenv("RUNNEL_CHAOS") != "" {
		return 500_000
	}
	return 0
}

// TestStaticIsNotShared: where every process reads all queues the second one is
// refused, with the reason.
func TestStaticIsNotShared(t *testing.T) {
	q := newRocketMQ(t)
	dir := t.TempDir()
	script := fmt.Sprintf(windowJob, q.source+", 'scan.split-key' = 'k'", q.sink)
	first := run(t, dir, script, "--state-dir", "state", "--metrics-addr", "127.0.0.1:0")
	first.until(t, "the first one runs", time.Minute, func() bool { _, b := first.get("/healthz"); return strings.Contains(b, `"running"`) })
	second := run(t, dir, script, "--state-dir", "state")
	if code := second.wait(t, time.Minute); code != 1 || !strings.Contains(second.said.String(), "another process") {
		t.Errorf("exit code %d:\n%s", code, second.said.String())
	}
	_ = first.Process.Signal(syscall.SIGTERM)
	if code := first.wait(t, time.Minute); code != 0 {
		t.Errorf("exit code %d:\n%s", code, first.said.String())
	}
}
