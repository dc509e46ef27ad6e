package runnel_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/runnelio/runnel"
	"github.com/runnelio/runnel/runneltest"
	"github.com/runnelio/runnel/vector"
)

// nothing is a sink that costs nothing.
type nothing struct{}

func (nothing) Write(context.Context, *vector.Batch) error { return nil }
func (nothing) Close(context.Context) error                { return nil }

// settled fails if goroutines are left.
func settled(t *testing.T, before int) {
	t.Helper()
	for range 100 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	buf := make([]byte, 1<<16)
	t.Errorf("%d goroutines, before %d\n%s", runtime.NumGoroutine(), before, buf[:runtime.Stack(buf, true)])
}

// Not parallel: it counts the goroutines of the process.
func TestNoGoroutineIsLeft(t *testing.T) {
	before := runtime.NumGoroutine()
	e := newEnv(t)
	endless := func(yield func(int, error) bool) {
		for i := 0; yield(i, nil); i++ {
		}
	}
	// The end of the context.
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := runnel.From[int](e.Job("a"), runnel.Seq(endless)).To(discard()).Start(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	// Stop and Cancel.
	for _, end := range []func(r *runnel.Run) error{
		func(r *runnel.Run) error { return r.Stop(t.Context()) },
		func(r *runnel.Run) error { r.Cancel(); _ = r.Wait(); return nil },
	} {
		run, err := runnel.From[int](e.Job("a"), runnel.Seq(endless)).To(discard()).StartAsync(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := end(run); err != nil {
			t.Error(err)
		}
	}
	// A loop over rows that is left.
	runnel.From[int](e.Job("b"), runnel.Seq(endless)).Data().As("endless")
	res, err := e.ExecuteSQL(t.Context(), "SELECT * FROM endless")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for x, err := range runnel.RowsOf[int](res) {
		if err != nil || x != n {
			t.Fatal(x, err)
		}
		if n++; n == 5000 {
			break
		}
	}
	// A function that fails.
	if err := runnel.From[int](e.Job("c"), runnel.Seq(endless)).Each(func(_ context.Context, x int) error {
		if x == 3000 {
			return errors.New("enough")
		}
		return nil
	}).Start(t.Context()); err == nil || !strings.Contains(err.Error(), "enough") {
		t.Error(err)
	}
	settled(t, before)
}

func TestJobsOfANamespaceSideBySide(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	src := runneltest.NewSource[int64](t, e, "numbers")
	if err := e.RegisterScalar("twice", func(n int64) int64 { return 2 * n }); err != nil {
		t.Fatal(err)
	}
	var runs runnel.Runs
	sinks := make([]*runneltest.Sink[int64], 4)
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i := range sinks {
		wg.Go(func() {
			sinks[i] = runneltest.NewSink[int64]()
			run, err := src.Stream(e.Job(fmt.Sprint("job", i))).Data().SelectExpr("twice(`value`) + ? AS v", i).To(sinks[i].Sink()).StartAsync(t.Context())
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
				return
			}
			runs = append(runs, run)
		})
	}
	wg.Wait()
	if _, err := src.Stream(e.Job("job1")).To(discard()).StartAsync(t.Context()); err == nil || !strings.Contains(err.Error(), "runs already") {
		t.Errorf("a second job of a name: %v", err)
	}
	src.Feed(t, 1, 2, 3)
	sinks[0].Wait(t, 3)
	src.Feed(t, 4)
	src.Finish()
	if err := runs.Wait(); err != nil {
		t.Fatal(err)
	}
	for i, s := range sinks {
		k := int64(i)
		if got := s.Values(); !slices.Equal(got, []int64{2 + k, 4 + k, 6 + k, 8 + k}) {
			t.Errorf("job %d: %v", i, got)
		}
	}
	if m := runs[0].Metrics(); m.RowsIn != 4 || m.RowsOut != 4 || m.Elapsed <= 0 {
		t.Errorf("%+v", m)
	}
	// Another namespace has tables and functions of its own.
	other, err := e.In("other")
	if err != nil || other.Namespace() != "other" {
		t.Fatal(other, err)
	}
	if again, _ := e.In("other"); again != other {
		t.Error("a namespace is there twice")
	}
	if err := other.SQL("SELECT twice(1)").To(discard()).Start(t.Context()); err == nil {
		t.Error("a function of another namespace is found")
	}
}

type total struct {
	Key   string `runnel:"k"`
	Count int64  `runnel:"c"`
}

// A job that is killed in the middle goes on from its checkpoint: the state of
// Go aggregates and of SQL ones, and the source's position.
func TestRestartGoesOn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e := newEnv(t, runnel.StateDir(dir))
	src := runneltest.NewSource[string](t, e, "words")
	byGo, bySQL := runneltest.NewSink[runnel.Result[string, gobbed]](), runneltest.NewSink[total]()
	build := func() *runnel.Job {
		j := e.Job("count").With(runnel.Checkpoint(time.Hour))
		s := src.Stream(j)
		runnel.Aggregate(runnel.KeyBy(s, func(w string) string { return w }), runnel.Agg[string, gobbed, gobbed]{
			Add:    func(a *gobbed, _ string) { a.N++ },
			Result: func(a *gobbed) gobbed { return *a },
		}).To(byGo.Sink())
		s.Data().GroupBy("`value` AS k").Aggregate("COUNT(*) AS c").To(bySQL.Sink())
		return j
	}
	run, err := build().StartAsync(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	src.Feed(t, "a", "b", "a")
	bySQL.Wait(t, 4)
	byGo.Wait(t, 4)
	if err := run.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	run = runneltest.Restart(t, run, build)
	src.Feed(t, "a", "c")
	src.Finish()
	var events []string
	for ev := range run.Events(t.Context()) {
		events = append(events, ev.Kind.String())
	}
	if err := run.Wait(); err != nil {
		t.Fatal(err)
	}
	if events[0] != "started" || events[len(events)-1] != "ended" {
		t.Error(events)
	}
	want := map[string]int64{"a": 3, "b": 1, "c": 1}
	last := map[string]int64{}
	for _, c := range byGo.Changes() {
		if c.Kind.Sign() > 0 {
			last[c.Value.Key] = c.Value.Value.N
		}
	}
	if fmt.Sprint(last) != fmt.Sprint(want) {
		t.Errorf("Go: %v, want %v", last, want)
	}
	for _, v := range bySQL.Values() {
		if want[v.Key] != v.Count {
			t.Errorf("SQL: %+v", bySQL.Values())
		}
	}
	// The job has ended: it is not run again.
	if run, err = build().StartAsync(t.Context()); err != nil || run.Wait() != nil {
		t.Fatal(err)
	}
	// In memory it would be.
	j := build().With(runnel.HighPerformance())
	if err := j.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := len(bySQL.Changes()); n < 12 {
		t.Errorf("%d changes: the job without state did not begin anew", n)
	}
}

// gobbed is an accumulator that gob saves.
type gobbed struct{ N int64 }

func TestFilesInAndOut(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "in.jsonl"), []byte(`{"u":"ann","n":1,"at":"2024-01-01T00:00:01Z"}`+"\n"+`{"u":"bob","at":"2024-01-01T00:00:02Z"}`+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	e := newEnv(t, runnel.Dir(dir))
	var got []click
	j := e.Job("files")
	s := runnel.From[click](j, runnel.File("in.jsonl"))
	s.Each(func(_ context.Context, c click) error { got = append(got, c); return nil })
	s.To(runnel.FileSink("out", runnel.CSV()))
	if err := j.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	base := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	if want := []click{{"ann", 1, base.Add(time.Second)}, {"bob", 0, base.Add(2 * time.Second)}}; !slices.Equal(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	equal(t, rows(t, e.Job("raw").FromFile("in.jsonl").Select("CHAR_LENGTH(data) AS n")), "+I[45]", "+I[39]")
	back := rows(t, e.Job("back").FromFile("out", runnel.CSV(), runnel.Columns("u STRING, n STRING, at_ STRING")).Select("u", "n"))
	equal(t, back, "+I[ann, 1]", "+I[bob, ]")
}

func TestProcessingTimeByAClock(t *testing.T) {
	t.Parallel()
	clock := runneltest.NewClock(at(1000))
	e := newEnv(t, runnel.Clock(clock.Now))
	src := runneltest.NewSource[string](t, e, "words")
	sink := runneltest.NewSink[total]()
	run, err := src.Stream(e.Job("windows")).Data().GroupBy("`value` AS k").Window(runnel.Tumble(10*time.Second)).Count("c").ToDataStream().SelectFields("k", "c").To(sink.Sink()).StartAsync(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	src.Feed(t, "a", "a")
	for run.Metrics().RowsIn < 2 { // the rows are in their window before it closes
		time.Sleep(10 * time.Millisecond)
	}
	time.Sleep(100 * time.Millisecond)
	clock.Advance(10 * time.Second)
	sink.Wait(t, 1)
	src.Finish()
	if err := run.Wait(); err != nil {
		t.Fatal(err)
	}
	if got := sink.Values(); !slices.Equal(got, []total{{"a", 2}}) {
		t.Error(got)
	}
}

func TestDimensionJoin(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "dim.jsonl"), []byte(`{"item":"apple","colour":"red"}`+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	e := newEnv(t, runnel.Dir(dir))
	if _, err := e.ExecuteSQL(t.Context(), "CREATE TABLE colours (item STRING, colour STRING) WITH ('connector' = 'filesystem', 'path' = 'dim.jsonl', 'format' = 'json')"); err != nil {
		t.Fatal(err)
	}
	equal(t, rows(t, orders(e).DimLeftJoin("colours").On("l.item = r.item").Select("l.n", "colour")), "+I[1, red]", "+I[2, NULL]", "+I[3, red]", "+I[4, NULL]")
	equal(t, rows(t, orders(e).DimJoin("colours").On("l.item = r.item").ToDataStream().Select("n", "r_item")), "+I[1, apple]", "+I[3, apple]")
}

// A stream with an event time joins another within a window.
func TestWindowJoin(t *testing.T) {
	t.Parallel()
	j := newEnv(t).Job("test")
	l := runnel.From[click](j, runnel.Values(clicks...)).Data()
	r := runnel.From[click](j, runnel.Values(click{"ann", 70, at(3)}, click{"ann", 80, at(33)}, click{"bob", 90, at(40)})).Data()
	got := rows(t, l.Join(r).On("l.u = r.u").Window(10*time.Second).Select("l.u", "l.n", "r.n"))
	slices.Sort(got)
	equal(t, got, "+I[ann, 1, 70]", "+I[ann, 3, 70]", "+I[ann, 6, 80]")
}

func TestFireModes(t *testing.T) {
	t.Parallel()
	clock := runneltest.NewClock(at(1000))
	e := newEnv(t, runnel.Clock(clock.Now))
	src := runneltest.NewSource[click](t, e, "clicks")
	sink := runneltest.NewSink[total]()
	run, err := src.Stream(e.Job("fires")).Data().
		GroupBy("u AS k").Window(runnel.Tumble(time.Hour, runnel.FireEvery(10*time.Second, runnel.Separate))).
		Count("c").ToDataStream().SelectFields("k", "c").To(sink.Sink()).StartAsync(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	src.Feed(t, click{"ann", 1, at(1)}, click{"ann", 1, at(2)})
	for run.Metrics().RowsIn < 2 {
		time.Sleep(10 * time.Millisecond)
	}
	time.Sleep(200 * time.Millisecond) // the clock is seen to stand before it moves
	clock.Advance(11 * time.Second)
	sink.Wait(t, 1)
	src.Feed(t, click{"ann", 1, at(3)})
	src.Finish()
	if err := run.Wait(); err != nil {
		t.Fatal(err)
	}
	if got := sink.Values(); !slices.Equal(got, []total{{"ann", 2}, {"ann", 1}}) {
		t.Error(sink.Changes())
	}
}
