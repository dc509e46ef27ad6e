package runneltest_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/runnelio/runnel"
	"github.com/runnelio/runnel/runneltest"
)

// A test feeds a job, moves its clock, and looks at what came of it.
func Example() {
	test := func(t *testing.T) {
		clock := runneltest.NewClock(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC))
		env, err := runnel.New(runnel.Clock(clock.Now))
		if err != nil {
			t.Fatal(err)
		}
		words := runneltest.NewSource[string](t, env, "words")
		sink := runneltest.NewSink[string]()
		run, err := words.Stream(env.Job("shout")).Map(func(s string) string { return s + "!" }).To(sink.Sink()).StartAsync(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		words.Feed(t, "hello", "streams")
		sink.Wait(t, 2)
		clock.Advance(time.Hour)
		words.Finish()
		if err := run.Wait(); err != nil {
			t.Fatal(err)
		}
		for _, c := range sink.Changes() {
			fmt.Println(c.Kind, c.Value)
		}
	}
	ok := testing.RunTests(func(_, _ string) (bool, error) { return true, nil }, []testing.InternalTest{{Name: "shout", F: test}})
	fmt.Println(ok)
	// Output:
	// +I hello!
	// +I streams!
	// true
}

// A run is killed in the middle and goes on from its last checkpoint.
func ExampleRestart() {
	test := func(t *testing.T) {
		env, err := runnel.New(runnel.StateDir(t.TempDir()))
		if err != nil {
			t.Fatal(err)
		}
		numbers := runneltest.NewSource[int64](t, env, "numbers")
		sink := runneltest.NewSink[int64]()
		build := func() *runnel.Job {
			j := env.Job("sum").With(runnel.Checkpoint(time.Hour))
			numbers.Stream(j).Data().Query("SELECT SUM(`value`) AS s FROM self").To(sink.Sink())
			return j
		}
		run, err := build().StartAsync(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		numbers.Feed(t, 1, 2)
		sink.Wait(t, 3) // +I 1, -U 1, +U 3
		if err := run.Checkpoint(t.Context()); err != nil {
			t.Fatal(err)
		}
		run = runneltest.Restart(t, run, build)
		numbers.Feed(t, 4)
		numbers.Finish()
		if err := run.Wait(); err != nil {
			t.Fatal(err)
		}
		fmt.Println(sink.Values())
	}
	testing.RunTests(func(_, _ string) (bool, error) { return true, nil }, []testing.InternalTest{{Name: "sum", F: test}})
	// Output: [7]
}
