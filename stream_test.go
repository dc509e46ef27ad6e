package runnel_test

import (
	"context"
	"errors"
	"iter"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/runnelio/runnel"
	"github.com/runnelio/runnel/vector"
)

func newEnv(t testing.TB, opts ...runnel.Option) *runnel.Env {
	t.Helper()
	e, err := runnel.New(opts...)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// rows runs the stream's job and returns what came, as text.
func rows(t *testing.T, d *runnel.DataStream) []string {
	t.Helper()
	var out []string
	err := d.To(runnel.EachChange(func(_ context.Context, _ runnel.Kind, r runnel.Row) error {
		out = append(out, r.String())
		return nil
	})).Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func equal(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

type obj = map[string]any

func orders(e *runnel.Env) *runnel.DataStream {
	return e.Job("test").FromCollection(
		obj{"item": "apple", "price": 3.0, "n": 1}, obj{"item": "pear", "price": 20.0, "n": 2},
		obj{"item": "apple", "price": 15.0, "n": 3}, obj{"item": nil, "price": 7.0, "n": 4})
}

func TestRelationalMethods(t *testing.T) {
	t.Parallel()
	f := func(build func(d *runnel.DataStream) *runnel.DataStream, want ...string) {
		t.Helper()
		equal(t, rows(t, build(orders(newEnv(t)))), want...)
	}
	type ds = *runnel.DataStream
	f(func(d ds) ds { return d.Filter("price > ? AND item <> ?", 5, "pear") }, "+I[apple, 3, 15]")
	f(func(d ds) ds { return d.Filter("item = ?", "it's '; DROP") })
	f(func(d ds) ds { return d.FilterByExpression("item IS NULL") }, "+I[NULL, 4, 7]")
	f(func(d ds) ds { return d.Select("UPPER(item) AS i", "n + 1 AS m").Filter("m > 3") }, "+I[APPLE, 4]", "+I[NULL, 5]")
	f(func(d ds) ds { return d.SelectExpr("n * ? AS m", 10) }, "+I[10]", "+I[20]", "+I[30]", "+I[40]")
	f(func(d ds) ds { return d.SelectFields("price", "n").Filter("n = 1") }, "+I[3, 1]")
	f(func(d ds) ds { return d.GroupBy("item").Aggregate("COUNT(*) AS c").Filter("c > 1") }, "+U[apple, 2]")
	f(func(d ds) ds { return d.Distinct("item").SelectFields("n") }, "+I[1]", "+I[2]", "+I[4]")
	f(func(d ds) ds { return d.SelectFields("item").Distinct() }, "+I[apple]", "+I[pear]", "+I[NULL]")
	f(func(d ds) ds {
		return d.Filter("n = 1").Union(d.Filter("n = 2"), d.Filter("n = 3")).Query("SELECT COUNT(*) AS c FROM self").With(runnel.Bounded())
	}, "+I[3]")
	f(func(d ds) ds {
		return d.Query("SELECT MAX(price) AS p FROM self WHERE n < ?", 3).With(runnel.Bounded())
	}, "+I[20]")
	f(func(d ds) ds {
		return d.TopN("rank", 1, "item").OrderBy("price", false).ToDataStream().SelectFields("item", "price", "rank").With(runnel.Bounded()).Filter("item = 'apple'")
	}, "+I[apple, 15, 1]")
	f(func(d ds) ds { return d.FilterFunc(func(r runnel.Row) bool { return r.Text("item") == "pear" }) }, "+I[pear, 2, 20]")
	f(func(d ds) ds {
		return d.Map(func(r runnel.Row) runnel.Row { return r.Set("item", r.Text("item")+"---") }).Filter("n = 1")
	}, "+I[apple---, 1, 3]")
	f(func(d ds) ds {
		return d.Filter("n = 1").FlatMap(func(r runnel.Row) iter.Seq[runnel.Row] {
			return slices.Values([]runnel.Row{r, r.Set("n", 9)})
		})
	}, "+I[apple, 1, 3]", "+I[apple, 9, 3]")
	f(func(d ds) ds {
		return d.SelectFields("n").Operate("twice", "n BIGINT NOT NULL", func() runnel.Operator { return twice{} }).Filter("n < 3")
	}, "+I[1]", "+I[2]", "+I[1]", "+I[2]")
}

// twice emits every batch twice.
type twice struct{}

func (twice) Process(b *vector.Batch, emit func(*vector.Batch) error) error {
	c := *b
	if err := emit(&c); err != nil {
		return err
	}
	return emit(b)
}

func TestJoins(t *testing.T) {
	t.Parallel()
	f := func(build func(l, r *runnel.DataStream) *runnel.JoinStream, want ...string) {
		t.Helper()
		l := orders(newEnv(t)).SelectFields("item", "n")
		r := l.Job().FromCollection(obj{"item": "apple", "colour": "red"}, obj{"item": "plum", "colour": "blue"})
		got := rows(t, build(l, r).ToDataStream().With(runnel.Bounded()))
		slices.Sort(got)
		equal(t, got, want...)
	}
	type ds = *runnel.DataStream
	f(func(l, r ds) *runnel.JoinStream { return l.Join(r).On("l.item = r.item") }, "+I[apple, 1, red, apple]", "+I[apple, 3, red, apple]")
	f(func(l, r ds) *runnel.JoinStream {
		return l.LeftJoin(r).As("a", "b").On("a.item = b.item AND a.n > ?", 1)
	}, "+I[NULL, 4, NULL, NULL]", "+I[apple, 1, NULL, NULL]", "+I[apple, 3, red, apple]", "+I[pear, 2, NULL, NULL]")
	f(func(l, r ds) *runnel.JoinStream { return l.RightJoin(r).On("l.item = r.item AND l.n = 1") }, "+I[NULL, NULL, blue, plum]", "+I[apple, 1, red, apple]")
}

func TestSplitGivesEachRowToOneBranch(t *testing.T) {
	t.Parallel()
	d := orders(newEnv(t))
	s := d.Split(runnel.When("item LIKE ?", "a%").As("a"), runnel.When("price > ?", 5), runnel.Otherwise())
	counts := map[string][]string{}
	for _, label := range []string{"a", "price > ?", "otherwise"} {
		s.Select(label).To(runnel.Each(func(_ context.Context, r runnel.Row) error {
			counts[label] = append(counts[label], r.String())
			return nil
		}))
	}
	if err := d.Job().Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	equal(t, counts["a"], "+I[apple, 1, 3]", "+I[apple, 3, 15]")
	equal(t, counts["price > ?"], "+I[pear, 2, 20]", "+I[NULL, 4, 7]")
	equal(t, counts["otherwise"])
	if d.Split(runnel.Otherwise()).Select("x"); d.Job().Err() == nil {
		t.Error("a branch that is not there passes")
	}
}

func TestMistakesNameTheCallersLine(t *testing.T) {
	t.Parallel()
	f := func(part string, build func(j *runnel.Job) int) {
		t.Helper()
		j := newEnv(t).Job("test")
		line := build(j)
		err := j.Start(t.Context())
		var b *runnel.BuildError
		if !errors.As(err, &b) {
			t.Errorf("%v is no BuildError", err)
			return
		}
		if filepath.Base(b.File) != "stream_test.go" || b.Line != line || !strings.Contains(err.Error(), part) {
			t.Errorf("%v (line %d), want line %d and %q", err, b.Line, line, part)
		}
		if _, err2 := j.Explain(); !errors.Is(err2, err) {
			t.Errorf("Explain: %v", err2)
		}
	}
	f("did you mean data?", func(j *runnel.Job) int {
		j.FromArray(1, 2).Filter("dat > 1").Select("nothing").ToPrint()
		return line() - 1
	})
	f("BOOLEAN", func(j *runnel.Job) int {
		j.FromArray(1).Filter("data + 1")
		return line() - 1
	})
	f("one type", func(j *runnel.Job) int {
		j.FromArray(1, "a")
		return line() - 1
	})
	f("no column x for", func(j *runnel.Job) int {
		runnel.As[struct {
			X int `runnel:"x"`
		}](j.FromArray(1))
		return line() - 1
	})
	f("mqtt is not supported yet", func(j *runnel.Job) int {
		j.FromMqtt("tcp://x", "c", "t").Filter("x")
		return line() - 1
	})
	f("script language is not supported yet", func(j *runnel.Job) int {
		j.FromArray(1).Script("x=1;").ToPrint()
		return line() - 1
	})
	f("SQL has no unsigned integers", func(j *runnel.Job) int {
		runnel.From[struct{ X uint8 }](j, runnel.File("x"))
		return line() - 1
	})
	f("streams of one job can meet", func(j *runnel.Job) int {
		j.FromArray(1).Union(newEnv(t).Job("b").FromArray(2))
		return line() - 1
	})
	f("setting of the whole job", func(j *runnel.Job) int {
		j.With(runnel.Parallelism(2))
		j.With(runnel.Parallelism(3))
		return line() - 1
	})
	f("'parallelism.default' takes", func(j *runnel.Job) int {
		j.With(runnel.Parallelism(0)).FromArray(1).Filter("data > 0")
		return line() - 1
	})
	f("rocketmq://", func(j *runnel.Job) int {
		j.From(runnel.Topic("http://x", "t"))
		return line() - 1
	})
	f("need Agg.Merge", func(j *runnel.Job) int {
		s := runnel.As[int64](j.FromArray(int64(1)))
		runnel.Aggregate(runnel.KeyBy(s, func(x int64) int64 { return x }).Window(runnel.Session(time.Second)),
			runnel.Agg[int64, int64, int64]{Add: func(*int64, int64) {}, Result: func(a *int64) int64 { return *a }})
		return line() - 2
	})
	if err := newEnv(t).Job("empty").Start(t.Context()); err == nil || !strings.Contains(err.Error(), "no sink") {
		t.Error(err)
	}
}

func line() int {
	_, _, n, _ := runtime.Caller(1)
	return n
}

func TestUpdatesAreRefusedWhereOnlyInsertsGo(t *testing.T) {
	t.Parallel()
	err := orders(newEnv(t)).GroupBy("item").Aggregate("COUNT(*) AS n").To(runnel.Each(func(context.Context, runnel.Row) error { return nil })).Start(t.Context())
	if err == nil || !strings.Contains(err.Error(), "EachChange") {
		t.Error(err)
	}
}
