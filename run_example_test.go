package runnel_test

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/runnelio/runnel"
)

func ExampleRun_Events() {
	env, err := runnel.New()
	check(err)
	run, err := env.Job("short").FromArray(1).ToPrint().StartAsync(context.Background())
	check(err)
	for e := range run.Events(context.Background()) {
		if e.Kind == runnel.Ended {
			fmt.Println(e.Kind, e.Err)
		}
	}
	// Output:
	// +I[1]
	// ended <nil>
}

// A running job is replaced by a new version of itself: its counts go on.
func ExampleRun_Upgrade() {
	dir, err := os.MkdirTemp("", "state")
	check(err)
	defer os.RemoveAll(dir)
	env, err := runnel.New(runnel.StateDir(dir))
	check(err)
	seen := make(chan string, 10)
	version := func(greeting string) *runnel.Job {
		job := env.Job("count").With(runnel.Checkpoint(time.Minute))
		job.FromMemory("words", runnel.Columns("word STRING")).
			GroupBy("word").Aggregate("COUNT(*) AS n").
			To(runnel.EachChange(func(_ context.Context, kind runnel.Kind, r runnel.Row) error {
				if kind.Sign() > 0 {
					seen <- fmt.Sprint(greeting, " ", r.Get("word"), " ", r.Get("n"))
				}
				return nil
			}))
		return job
	}
	words, err := runnel.NewCodec[string]()
	check(err)
	say := func(w string) {
		row, err := words.Values(w)
		check(err)
		env.Memory().Append("words", 0, row)
		fmt.Println(<-seen)
	}
	run, err := version("one:").StartAsync(context.Background())
	check(err)
	say("hello")
	check(run.Upgrade(context.Background(), version("two:")))
	say("hello")
	check(run.Stop(context.Background()))
	// Output:
	// one: hello 1
	// two: hello 2
}

// A function with a context knows where a row comes from.
func ExampleFuncContext() {
	dir, err := os.MkdirTemp("", "in")
	check(err)
	defer os.RemoveAll(dir)
	check(os.WriteFile(dir+"/a.jsonl", []byte("{\"n\":1}\n{\"n\":2}\n"), 0o600))
	env, err := runnel.New()
	check(err)
	check(env.RegisterScalar("origin", func(cx *runnel.FuncContext, n int64) string {
		return fmt.Sprint(cx.Job, " ", cx.Metadata("file.name"), " ", n)
	}))
	check(env.Job("read").FromFile(dir, runnel.Columns("n INT, f STRING METADATA FROM 'file.name'")).
		Select("origin(n) AS o").ToPrint().Start(context.Background()))
	// Output:
	// +I[read a.jsonl 1]
	// +I[read a.jsonl 2]
}

func ExampleExactlyOnce() {
	dir, err := os.MkdirTemp("", "state")
	check(err)
	defer os.RemoveAll(dir)
	env, err := runnel.New()
	check(err)
	job := func() *runnel.Job {
		j := env.Job("once").With(runnel.ExactlyOnce(dir, time.Minute))
		j.FromArray("a", "b").ToPrint()
		return j
	}
	check(job().Start(context.Background()))
	check(job().Start(context.Background())) // its input has ended: nothing is done again
	// Output:
	// +I[a]
	// +I[b]
}
