package runnel_test

import (
	"context"
	"fmt"
	"time"

	"github.com/runnelio/runnel"
)

// visit is a row with an event time.
type visit struct {
	User string    `runnel:"user"`
	Page string    `runnel:"page"`
	At   time.Time `runnel:"at,rowtime"`
}

func noon(sec int) time.Time { return time.Date(2024, 1, 1, 12, 0, sec, 0, time.UTC) }

// visits begins a job with some of them.
func visits(name string) *runnel.Stream[visit] {
	env, err := runnel.New()
	check(err)
	return runnel.From[visit](env.Job(name), runnel.Values(
		visit{"ann", "/", noon(1)}, visit{"bob", "/", noon(2)}, visit{"ann", "/buy", noon(4)}, visit{"ann", "/", noon(30)}))
}

func ExampleDataStream_Window() {
	check(visits("pages").Data().
		Window(runnel.Tumble(10*time.Second)).GroupBy("page").
		Count("n").ToDataStream().
		Select("page", "DATE_FORMAT(window_start, 'HH:mm:ss') AS begun", "n").ToPrint().Start(context.Background()))
	// Unordered output:
	// +I[/, 12:00:00, 2]
	// +I[/buy, 12:00:00, 1]
	// +I[/, 12:00:30, 1]
}

// A session ends when nothing came for a while.
func ExampleSession() {
	check(visits("sessions").Data().
		Window(runnel.Session(5*time.Second)).GroupBy("user").
		Count("pages").ToDataStream().
		Select("`user`", "DATE_FORMAT(window_start, 'mm:ss') AS begun", "DATE_FORMAT(window_end, 'mm:ss') AS ended", "pages").
		ToPrint().Start(context.Background()))
	// Unordered output:
	// +I[ann, 00:01, 00:09, 2]
	// +I[bob, 00:02, 00:07, 1]
	// +I[ann, 00:30, 00:35, 1]
}

// Hop gives the slide first, as SQL does.
func ExampleHop() {
	check(visits("hops").Data().
		Window(runnel.Hop(15*time.Second, 30*time.Second)).
		Count("n").ToDataStream().
		Select("DATE_FORMAT(window_end, 'mm:ss') AS until", "n").ToPrint().Start(context.Background()))
	// Output:
	// +I[00:15, 3]
	// +I[00:30, 3]
	// +I[00:45, 1]
	// +I[01:00, 1]
}

// The rows that come too late for a window are a stream of their own.
func ExampleWindowStream_SideOutputLate() {
	env, err := runnel.New()
	check(err)
	job := env.Job("late").With(runnel.BatchSize(1), runnel.Set("pipeline.auto-watermark-interval", "0 ms"))
	rows := runnel.From[visit](job, runnel.Values(visit{"ann", "/", noon(1)}, visit{"bob", "/", noon(11)}, visit{"cyd", "/", noon(2)}))
	late := runnel.Each(func(_ context.Context, v visit) error {
		fmt.Println("too late:", v.User)
		return nil
	})
	rows.Data().Window(runnel.Tumble(10 * time.Second)).Count("n").SideOutputLate(late).ToDataStream().To(runnel.SinkOf(nothing{}))
	check(job.Start(context.Background()))
	// Output: too late: cyd
}

func ExampleReduce() {
	last := runnel.Reduce(runnel.KeyBy(visits("last"), func(v visit) string { return v.User }).Window(runnel.Tumble(time.Minute)),
		func(_, b visit) visit { return b })
	check(last.Each(func(_ context.Context, r runnel.Result[string, visit]) error {
		fmt.Println(r.Key, r.Value.Page)
		return nil
	}).Start(context.Background()))
	// Unordered output:
	// ann /
	// bob /
}

func ExampleDataStream_TopN() {
	env, err := runnel.New()
	check(err)
	check(env.Job("top").With(runnel.Bounded()).
		FromCollection(map[string]any{"item": "a", "n": 3}, map[string]any{"item": "b", "n": 9}, map[string]any{"item": "c", "n": 5}).
		TopN("place", 2).OrderBy("n", false).ToDataStream().
		Select("item", "place").ToPrint().Start(context.Background()))
	// Output:
	// +I[b, 1]
	// +I[c, 2]
}
