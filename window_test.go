package runnel_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/runnelio/runnel"
)

type click struct {
	User string    `runnel:"u"`
	N    int64     `runnel:"n"`
	At   time.Time `runnel:"at,rowtime"`
}

func at(sec int) time.Time { return time.Unix(int64(sec), 0).UTC() }

var clicks = []click{
	{"ann", 1, at(1)}, {"bob", 2, at(2)}, {"ann", 3, at(8)}, {"ann", 4, at(12)}, {"bob", 5, at(13)}, {"ann", 6, at(31)},
}

func TestWindowMethods(t *testing.T) {
	t.Parallel()
	f := func(build func(d *runnel.DataStream) *runnel.DataStream, want ...string) {
		t.Helper()
		j := newEnv(t).Job("test")
		d := build(runnel.From[click](j, runnel.Values(clicks...)).Data())
		var got []string
		err := d.To(runnel.EachChange(func(_ context.Context, k runnel.Kind, r runnel.Row) error {
			text := k.String()
			for _, v := range r.Values() {
				if x, ok := v.(time.Time); ok {
					v = x.Unix()
				}
				text += fmt.Sprint(" ", v)
			}
			got = append(got, text)
			return nil
		})).Start(t.Context())
		if err != nil {
			t.Error(err)
			return
		}
		slices.Sort(got)
		equal(t, got, want...)
	}
	type ds = *runnel.DataStream
	f(func(d ds) ds {
		return d.Window(runnel.Tumble(10*time.Second)).GroupBy("u").Count("c").Sum("n", "s").Min("n", "lo").Max("n", "hi").CountDistinct("n", "d").ToDataStream()
	}, "+I ann 0 10 2 4 1 3 2", "+I ann 10 20 1 4 4 4 1", "+I ann 30 40 1 6 6 6 1", "+I bob 0 10 1 2 2 2 1", "+I bob 10 20 1 5 5 5 1")
	f(func(d ds) ds {
		return d.GroupBy("UPPER(u) AS who").Window(runnel.Session(5 * time.Second)).Aggregate("SUM(n) AS s")
	}, "+I ANN 1 6 1", "+I ANN 31 36 6", "+I ANN 8 17 7", "+I BOB 13 18 5", "+I BOB 2 7 2")
	f(func(d ds) ds {
		return d.Window(runnel.Hop(10*time.Second, 20*time.Second)).Avg("n", "a").ToDataStream()
	},
		"+I -10 10 2", "+I 0 20 3", "+I 10 30 4", "+I 20 40 6", "+I 30 50 6")
	f(func(d ds) ds {
		return d.Window(runnel.Cumulate(10*time.Second, 20*time.Second, runnel.On("at"))).Count("c").ToDataStream()
	}, "+I 0 10 3", "+I 0 20 5", "+I 20 40 1")
	// A window over windows.
	f(func(d ds) ds {
		return d.Window(runnel.Tumble(10*time.Second)).Count("c").WindowTime("t").ToDataStream().
			Window(runnel.Tumble(20*time.Second, runnel.On("t"))).Sum("c", "s").ToDataStream()
	}, "+I 0 20 5", "+I 20 40 1")
	// Another time field, out of order by up to ten seconds.
	f(func(d ds) ds {
		return d.Select("n", "TO_TIMESTAMP_LTZ(40 - n, 0) AS t2").Window(runnel.Tumble(4 * time.Second)).TimeField("t2").WaterMark(10 * time.Second).Count("c").ToDataStream()
	}, "+I 32 36 2", "+I 36 40 4")
}

func TestProcessingTimeWindowsFlushAtEnd(t *testing.T) {
	t.Parallel()
	clock := func() time.Time { return at(100) }
	d := newEnv(t, runnel.Clock(clock)).Job("test").FromArray("a", "b", "a")
	got := rows(t, d.GroupBy("data").Window(runnel.Tumble(time.Hour)).FlushAtEnd().Count("n").ToDataStream().Select("data", "n"))
	slices.Sort(got)
	equal(t, got, "+I[a, 2]", "+I[b, 1]")
}

func TestWindowMistakes(t *testing.T) {
	t.Parallel()
	f := func(part string, build func(d *runnel.DataStream)) {
		t.Helper()
		j := newEnv(t).Job("test")
		build(runnel.From[click](j, runnel.Values(clicks...)).Data())
		if err := j.Err(); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%v, want %q", err, part)
		}
	}
	f("above 0", func(d *runnel.DataStream) { d.Window(runnel.Tumble(0)) })
	f("whole milliseconds", func(d *runnel.DataStream) { d.Window(runnel.Tumble(time.Nanosecond)) })
	f("multiple", func(d *runnel.DataStream) { d.Window(runnel.Cumulate(2*time.Second, 3*time.Second)) })
	f("nothing is computed", func(d *runnel.DataStream) { d.Window(runnel.Tumble(time.Second)).ToDataStream() })
	f("no column x", func(d *runnel.DataStream) {
		d.Window(runnel.Tumble(time.Second)).TimeField("x").Count("c").ToDataStream()
	})
	f("event time is a TIMESTAMP", func(d *runnel.DataStream) {
		d.Window(runnel.Tumble(time.Second)).TimeField("n").Count("c").ToDataStream()
	})
	f("has a watermark", func(d *runnel.DataStream) {
		d.Window(runnel.Tumble(time.Second)).WaterMark(time.Second).Count("c").ToDataStream()
	})
	f("needs a name", func(d *runnel.DataStream) {
		d.Window(runnel.Tumble(time.Second)).GroupBy("n + 1").Count("c").ToDataStream()
	})
}

// stats is an accumulator that gob saves.
type stats struct {
	N    int64
	Seen map[int64]int
}

func TestTypedAggregates(t *testing.T) {
	t.Parallel()
	type summary struct {
		N, Different int64
	}
	agg := runnel.Agg[click, stats, summary]{
		Init: func() stats { return stats{Seen: map[int64]int{}} },
		Add: func(a *stats, c click) {
			a.N++
			a.Seen[c.N%2]++
		},
		Retract: func(a *stats, c click) { a.N-- },
		Merge: func(a, b *stats) {
			a.N += b.N
			for k, v := range b.Seen {
				a.Seen[k] += v
			}
		},
		Result: func(a *stats) summary { return summary{a.N, int64(len(a.Seen))} },
	}
	for name, c := range map[string]struct {
		w    runnel.WindowInfo
		want []string
	}{
		"tumble":  {runnel.Tumble(10 * time.Second), []string{"ann 0 {2 1}", "ann 10 {1 1}", "ann 30 {1 1}", "bob 0 {1 1}", "bob 10 {1 1}"}},
		"session": {runnel.Session(8 * time.Second), []string{"ann 1 {3 2}", "ann 31 {1 1}", "bob 13 {1 1}", "bob 2 {1 1}"}},
		"hop":     {runnel.Hop(10*time.Second, 20*time.Second), []string{"ann -10 {2 1}", "ann 0 {3 2}", "ann 10 {1 1}", "ann 20 {1 1}", "ann 30 {1 1}", "bob -10 {1 1}", "bob 0 {2 2}", "bob 10 {1 1}"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, parallel := range []int{1, 3} {
				j := newEnv(t).Job("test").With(runnel.Parallelism(parallel), runnel.BatchSize(2))
				var got []string
				runnel.Aggregate(runnel.KeyBy(runnel.From[click](j, runnel.Values(clicks...)), func(c click) string { return c.User }).Window(c.w), agg).
					Each(func(_ context.Context, r runnel.Result[string, summary]) error {
						got = append(got, fmt.Sprintf("%s %d %v", r.Key, r.Start.Unix(), r.Value))
						return nil
					})
				if err := j.Start(t.Context()); err != nil {
					t.Fatal(err)
				}
				slices.Sort(got)
				equal(t, got, c.want...)
			}
		})
	}
}

func TestReduceWithoutWindowsIsUpdated(t *testing.T) {
	t.Parallel()
	j := newEnv(t).Job("test")
	last := map[bool]int64{}
	runnel.Reduce(runnel.KeyBy(runnel.From[int64](j, runnel.Values[int64](1, 2, 3, 4, 5)), func(x int64) bool { return x%2 == 0 }), func(a, b int64) int64 { return a + b }).
		To(runnel.EachChange(func(_ context.Context, k runnel.Kind, r runnel.Result[bool, int64]) error {
			if k.Sign() > 0 {
				last[r.Key] = r.Value
			}
			return nil
		}))
	if err := j.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if last[true] != 6 || last[false] != 9 {
		t.Error(last)
	}
}
