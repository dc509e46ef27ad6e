package runnel_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/runnelio/runnel"
	"github.com/runnelio/runnel/runneltest"
)

// HighPerformance and SetLocalStorageOnly keep state in memory, ExactlyOnce in a
// folder of its own, whatever the environment says.
func TestStateStrategies(t *testing.T) {
	t.Parallel()
	empty := func(dir string) bool {
		list, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		return len(list) == 0
	}
	dir, own := t.TempDir(), t.TempDir()
	e := newEnv(t, runnel.StateDir(dir))
	run := func(name string, with func(*runnel.DataStream) *runnel.DataStream) {
		t.Helper()
		ignore := runnel.EachChange(func(context.Context, runnel.Kind, runnel.Row) error { return nil })
		if err := with(e.Job(name).FromArray("a", "b", "a")).To(ignore).Start(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	count := func(d *runnel.DataStream) *runnel.DataStream { return d.GroupBy("data").Aggregate("COUNT(*) AS n") }
	run("fast", func(d *runnel.DataStream) *runnel.DataStream { return count(d.With(runnel.HighPerformance())) })
	run("local", func(d *runnel.DataStream) *runnel.DataStream {
		return d.Window(runnel.Tumble(time.Hour)).Count("n").SetLocalStorageOnly(true).ToDataStream()
	})
	if !empty(dir) {
		t.Error("a job in memory has left state")
	}
	run("own", func(d *runnel.DataStream) *runnel.DataStream {
		return count(d.With(runnel.ExactlyOnce(own, time.Minute)))
	})
	if !empty(dir) || empty(own) {
		t.Error("ExactlyOnce does not keep state in its folder")
	}
	run("kept", count)
	if empty(dir) {
		t.Error("the environment's folder is not used")
	}
	if err := e.Job("bad").With(runnel.ExactlyOnce("", time.Minute)).Err(); err == nil {
		t.Error("ExactlyOnce without a folder")
	}
	j := e.Job("twice").With(runnel.Parallelism(2), runnel.Parallelism(3))
	if err := j.Err(); err == nil || !strings.Contains(err.Error(), "strategy_test.go") {
		t.Errorf("two strategies that contradict: %v", err)
	}
}

// A strategy reaches the job it is given to and no other of the process.
func TestStrategiesAreOfOneJob(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	final := func(with ...runnel.Strategy) []string {
		return rows(t, e.Job("test").With(with...).FromArray("a", "a").GroupBy("data").Aggregate("COUNT(*) AS n"))
	}
	equal(t, final(runnel.Bounded()), "+I[a, 2]")
	equal(t, final(), "+I[a, 1]", "-U[a, 1]", "+U[a, 2]")
	equal(t, final(runnel.MiniBatch(100, time.Minute)), "+I[a, 2]")
}

// StateTTL forgets what Distinct has seen.
func TestStateTTLForgets(t *testing.T) {
	t.Parallel()
	clock := runneltest.NewClock(at(1000))
	e := newEnv(t, runnel.Clock(clock.Now))
	src := runneltest.NewSource[string](t, e, "words")
	sink := runneltest.NewSink[string]()
	run, err := src.Stream(e.Job("ttl").With(runnel.StateTTL(time.Minute))).Data().Distinct("value").To(sink.Sink()).StartAsync(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	src.Feed(t, "a", "a", "b")
	sink.Wait(t, 2)
	clock.Advance(2 * time.Minute)
	src.Feed(t, "a")
	sink.Wait(t, 3)
	src.Finish()
	if err := run.Wait(); err != nil {
		t.Fatal(err)
	}
	if got := sink.Values(); !slices.Equal(got, []string{"a", "b", "a"}) {
		t.Error(got)
	}
}

// sum is an accumulator of plain numbers that takes values back.
var sum = runnel.Agg[int64, int64, int64]{
	Add:     func(a *int64, x int64) { *a += x },
	Retract: func(a *int64, x int64) { *a -= x },
	Merge:   func(a, b *int64) { *a += *b },
	Result:  func(a *int64) int64 { return *a },
}

// An accumulator of one's own adds, takes back (its input is updated), merges (in
// sessions and hops) and gives results, in SQL and in streams.
func TestOwnAccumulators(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	if err := runnel.RegisterAgg(e, "total", sum); err != nil {
		t.Fatal(err)
	}
	// The counts below are updated, so total must take back.
	d := e.Job("retract").FromArray("a", "b", "a").GroupBy("data").Aggregate("COUNT(*) AS n").Query("SELECT total(n) AS s FROM self")
	got := rows(t, d)
	if last := got[len(got)-1]; !strings.HasSuffix(last, "[3]") {
		t.Error(got)
	}
	if err := runnel.RegisterAgg(e, "no_retract", runnel.Agg[int64, int64, int64]{Add: sum.Add, Result: sum.Result}); err != nil {
		t.Fatal(err)
	}
	err := e.Job("refused").FromArray("a", "a").GroupBy("data").Aggregate("COUNT(*) AS n").Query("SELECT no_retract(n) AS s FROM self").To(discard()).Start(t.Context())
	if err == nil {
		t.Error("an updated stream is aggregated without Retract")
	}
	for _, w := range []struct {
		window runnel.WindowInfo
		want   []string
	}{
		{runnel.Session(5 * time.Second), []string{"ann 1 1", "ann 31 6", "ann 8 7", "bob 13 5", "bob 2 2"}},
		{runnel.Hop(10*time.Second, 20*time.Second), []string{"ann -10 4", "ann 0 8", "ann 10 4", "ann 20 6", "ann 30 6", "bob -10 2", "bob 0 7", "bob 10 5"}},
		{runnel.Cumulate(10*time.Second, 20*time.Second), []string{"ann 0 4", "ann 0 8", "ann 20 6", "bob 0 2", "bob 0 7"}},
	} {
		for _, parallel := range []int{1, 3} {
			var got []string
			err := runnel.From[click](e.Job("windows").With(runnel.Parallelism(parallel)), runnel.Values(clicks...)).Data().
				Window(w.window).GroupBy("u").AddUDAF("total", "s", "n").ToDataStream().
				To(runnel.Each(func(_ context.Context, r runnel.Row) error {
					got = append(got, fmt.Sprint(r.Get("u"), " ", r.Get("window_start").(time.Time).Unix(), " ", r.Get("s")))
					return nil
				})).Start(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			slices.Sort(got)
			equal(t, got, w.want...)
		}
	}
}

// Accumulated replaces what was emitted before; Once drops what is late.
func TestAccumulatedFires(t *testing.T) {
	t.Parallel()
	clock := runneltest.NewClock(at(1000))
	e := newEnv(t, runnel.Clock(clock.Now))
	src := runneltest.NewSource[click](t, e, "clicks")
	sink := runneltest.NewSink[total]()
	run, err := src.Stream(e.Job("fires")).Data().GroupBy("u AS k").
		Window(runnel.Tumble(time.Hour, runnel.FireEvery(10*time.Second, runnel.Accumulated))).
		Count("c").ToDataStream().SelectFields("k", "c").To(sink.Sink()).StartAsync(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	src.Feed(t, click{"ann", 1, at(1)}, click{"ann", 1, at(2)})
	for run.Metrics().RowsIn < 2 {
		time.Sleep(10 * time.Millisecond)
	}
	time.Sleep(200 * time.Millisecond)
	clock.Advance(11 * time.Second)
	sink.Wait(t, 1)
	src.Feed(t, click{"ann", 1, at(3)})
	src.Finish()
	if err := run.Wait(); err != nil {
		t.Fatal(err)
	}
	if got := sink.Values(); !slices.Equal(got, []total{{"ann", 3}}) {
		t.Error(sink.Changes())
	}
}
