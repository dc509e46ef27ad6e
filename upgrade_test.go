package runnel_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/runnelio/runnel"
	"github.com/runnelio/runnel/runneltest"
)

// newest is the last value of each key.
func newest(s *runneltest.Sink[total]) map[string]int64 {
	out := map[string]int64{}
	for _, c := range s.Changes() {
		if c.Kind.Sign() > 0 {
			out[c.Value.Key] = c.Value.Count
		}
	}
	return out
}

// kindsOf collects the events of a run until it has ended.
func kindsOf(run *runnel.Run) <-chan []string {
	out := make(chan []string, 1)
	go func() {
		var kinds []string
		for e := range run.Events(context.Background()) {
			if e.Kind != runnel.Checkpointed {
				kinds = append(kinds, e.Kind.String())
			}
		}
		out <- kinds
	}()
	return out
}

func TestUpgradeGoesOnFromTheState(t *testing.T) {
	t.Parallel()
	e := newEnv(t, runnel.StateDir(t.TempDir()))
	src := runneltest.NewSource[string](t, e, "words")
	before, after := runneltest.NewSink[total](), runneltest.NewSink[total]()
	count := func(sink *runneltest.Sink[total], cond string, more ...runnel.Strategy) *runnel.Job {
		j := e.Job("count").With(runnel.Checkpoint(time.Hour)).With(more...)
		src.Stream(j).Data().GroupBy("`value` AS k").Aggregate("COUNT(*) AS c").Filter(cond).To(sink.Sink())
		return j
	}
	run, err := count(before, "TRUE").StartAsync(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	events := kindsOf(run)
	src.Feed(t, "a", "b", "a")
	before.Wait(t, 4)
	// The new version says more of the rows, at another parallelism.
	if err := run.Upgrade(t.Context(), count(after, "k <> 'b'", runnel.Parallelism(3))); err != nil {
		t.Fatal(err)
	}
	src.Feed(t, "a", "b")
	src.Finish()
	if err := run.Wait(); err != nil {
		t.Fatal(err)
	}
	if got := newest(before); got["a"] != 2 || got["b"] != 1 {
		t.Errorf("before: %v", got)
	}
	if got := newest(after); got["a"] != 3 || len(got) != 1 {
		t.Errorf("after: %v", got)
	}
	if got := <-events; !slices.Equal(got, []string{"started", "upgraded", "ended"}) {
		t.Error(got)
	}
}

func TestUpgradeThatDoesNotFitIsRefusedByName(t *testing.T) {
	t.Parallel()
	e := newEnv(t, runnel.StateDir(t.TempDir()))
	src := runneltest.NewSource[string](t, e, "words")
	sink := runneltest.NewSink[total]()
	job := func(agg string) *runnel.Job {
		j := e.Job("count").With(runnel.Checkpoint(time.Hour))
		src.Stream(j).Data().GroupBy("`value` AS k").Aggregate(agg).To(sink.Sink())
		return j
	}
	run, err := job("COUNT(*) AS c").StartAsync(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	src.Feed(t, "a", "a")
	sink.Wait(t, 3)
	if err := run.Upgrade(t.Context(), job("CHAR_LENGTH(MAX(`value`)) + COUNT(*) AS c")); err == nil || !strings.Contains(err.Error(), "the state of Aggregate") && !strings.Contains(err.Error(), "the state of") {
		t.Fatalf("%v", err)
	}
	// Another name, another environment, a mistake, a place of its own.
	other := e.Job("other")
	src.Stream(other).Data().ToPrint()
	if err := run.Upgrade(t.Context(), other); err == nil || !strings.Contains(err.Error(), "job other") {
		t.Error(err)
	}
	if err := run.Upgrade(t.Context(), job("COUNT(*) AS c").With(runnel.HighPerformance())); err == nil || !strings.Contains(err.Error(), `would be in ""`) {
		t.Error(err)
	}
	if err := run.Upgrade(t.Context(), job("NO_SUCH(*) AS c")); err == nil || !strings.Contains(err.Error(), "NO_SUCH") {
		t.Error(err)
	}
	// The old version goes on.
	src.Feed(t, "a")
	src.Finish()
	if err := run.Wait(); err != nil {
		t.Fatal(err)
	}
	if got := newest(sink); got["a"] != 3 {
		t.Error(got)
	}
	if err := run.Upgrade(t.Context(), job("COUNT(*) AS c")); err == nil {
		t.Error("a run that has ended is upgraded")
	}
}

// A new version that cannot open what it writes to leaves the old one running.
func TestUpgradeThatCannotStartGivesTheOldVersionBack(t *testing.T) {
	t.Parallel()
	e := newEnv(t, runnel.StateDir(t.TempDir()))
	src := runneltest.NewSource[string](t, e, "words")
	sink := runneltest.NewSink[total]()
	job := func(broken bool) *runnel.Job {
		j := e.Job("count").With(runnel.Checkpoint(time.Hour))
		src.Stream(j).Data().GroupBy("`value` AS k").Aggregate("COUNT(*) AS c").To(sink.Sink())
		if broken {
			j.FromFile("/dev/null/no-folder").To(discard())
		}
		return j
	}
	run, err := job(false).StartAsync(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	events := kindsOf(run)
	src.Feed(t, "a", "a")
	sink.Wait(t, 3)
	if err := run.Upgrade(t.Context(), job(true)); err == nil || !strings.Contains(err.Error(), "no-folder") {
		t.Fatalf("%v", err)
	}
	src.Feed(t, "a")
	src.Finish()
	if err := run.Wait(); err != nil {
		t.Fatal(err)
	}
	if got := newest(sink); got["a"] != 3 {
		t.Error(got)
	}
	if got := <-events; !slices.Equal(got, []string{"started", "restarted", "ended"}) {
		t.Error(got)
	}
}

func TestUpgradeNeedsAStateDirectory(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	src := runneltest.NewSource[string](t, e, "words")
	job := func() *runnel.Job {
		j := e.Job("j")
		src.Stream(j).Data().To(discard())
		return j
	}
	run, err := job().StartAsync(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := run.Upgrade(t.Context(), job()); err == nil {
		t.Error("upgraded without state")
	}
	if err := run.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

// Events come when something happens: no checkpoint is told late, none is left out.
func TestEventsTellEveryCheckpoint(t *testing.T) {
	t.Parallel()
	e := newEnv(t, runnel.StateDir(t.TempDir()))
	src := runneltest.NewSource[string](t, e, "words")
	run, err := src.Stream(e.Job("j")).Data().With(runnel.Checkpoint(time.Hour)).To(discard()).StartAsync(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan runnel.Event)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		defer close(got)
		for ev := range run.Events(ctx) {
			got <- ev
		}
	}()
	if ev := <-got; ev.Kind != runnel.Started || ev.Epoch != 0 {
		t.Error(ev)
	}
	for n := int64(1); n <= 5; n++ {
		if err := run.Checkpoint(t.Context()); err != nil {
			t.Fatal(err)
		}
		if ev := <-got; ev.Kind != runnel.Checkpointed || ev.Epoch != n {
			t.Error(ev, n)
		}
	}
	cancel()
	for range got { // nothing more is told, and the loop ends
		t.Error("an event after the end of the context")
	}
	if err := run.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	// A loop that begins late sees all that is remembered.
	var kinds []runnel.EventKind
	for ev := range run.Events(t.Context()) {
		kinds = append(kinds, ev.Kind)
	}
	want := slices.Concat([]runnel.EventKind{runnel.Started}, slices.Repeat([]runnel.EventKind{runnel.Checkpointed}, 5), []runnel.EventKind{runnel.Stopping, runnel.Checkpointed})
	if len(kinds) < len(want)+1 || !slices.Equal(kinds[:len(want)], want) || kinds[len(kinds)-1] != runnel.Ended {
		t.Error(kinds)
	}
}

// A failure is the last event.
func TestEventsEndWithTheError(t *testing.T) {
	t.Parallel()
	enough := errors.New("enough")
	run, err := newEnv(t).Job("j").FromArray(1).To(runnel.Each(func(context.Context, runnel.Row) error { return enough })).StartAsync(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var last runnel.Event
	for ev := range run.Events(t.Context()) {
		last = ev
	}
	if last.Kind != runnel.Ended || !errors.Is(last.Err, enough) {
		t.Error(last)
	}
}
