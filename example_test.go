package runnel_test

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/runnelio/runnel"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func Example() {
	env, err := runnel.New()
	check(err)
	check(env.Job("cheap").
		FromCollection(map[string]any{"item": "apple", "price": 3}, map[string]any{"item": "pear", "price": 20}).
		Filter("price < ?", 10).
		Select("UPPER(item) AS item").
		ToPrint().
		Start(context.Background()))
	// Output: +I[APPLE]
}

func ExampleStreamBuilder() {
	env, err := runnel.New()
	check(err)
	source := runnel.NewStreamBuilder(env).DataStream("shop", "hello")
	check(source.FromArray("a", "b").
		Map(func(r runnel.Row) runnel.Row { return r.Set("data", r.Text("data")+"---") }).
		ToPrint().
		Start(context.Background()))
	// Output:
	// +I[a---]
	// +I[b---]
}

func ExampleFrom() {
	type order struct {
		Item  string  `runnel:"item"`
		Price float64 `runnel:"price"`
	}
	env, err := runnel.New()
	check(err)
	orders := runnel.From[order](env.Job("paid"), runnel.Values(order{"apple", 3}, order{"gift", 0}))
	check(orders.
		Filter(func(o order) bool { return o.Price > 0 }).
		Each(func(_ context.Context, o order) error {
			fmt.Println(o.Item)
			return nil
		}).
		Start(context.Background()))
	// Output: apple
}

func ExampleAggregate() {
	type order struct {
		Item  string    `runnel:"item"`
		Price float64   `runnel:"price"`
		At    time.Time `runnel:"at,rowtime,delay=5s"`
	}
	env, err := runnel.New()
	check(err)
	day := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	orders := runnel.From[order](env.Job("hourly"), runnel.Values(
		order{"apple", 3, day}, order{"apple", 4, day.Add(time.Minute)}, order{"apple", 5, day.Add(time.Hour)}))
	hourly := runnel.Aggregate(
		runnel.KeyBy(orders, func(o order) string { return o.Item }).Window(runnel.Tumble(time.Hour)),
		runnel.Agg[order, float64, float64]{
			Add:    func(sum *float64, o order) { *sum += o.Price },
			Merge:  func(a, b *float64) { *a += *b },
			Result: func(sum *float64) float64 { return *sum },
		})
	check(hourly.Each(func(_ context.Context, r runnel.Result[string, float64]) error {
		fmt.Println(r.Key, r.Start.Format("15:04"), r.Value)
		return nil
	}).Start(context.Background()))
	// Output:
	// apple 00:00 7
	// apple 01:00 5
}

func ExampleDataStream_Split() {
	env, err := runnel.New()
	check(err)
	numbers := env.Job("split").FromArray(1, 2, 3)
	parts := numbers.Split(runnel.When("data > 2").As("big"), runnel.Otherwise())
	parts.Select("big").Select("'big' AS size", "data").ToPrint()
	parts.Select("otherwise").Select("'small' AS size", "data").ToPrint()
	check(numbers.Job().Start(context.Background()))
	// Unordered output:
	// +I[small, 1]
	// +I[small, 2]
	// +I[big, 3]
}

func ExampleDataStream_Join() {
	env, err := runnel.New()
	check(err)
	job := env.Job("join")
	orders := job.FromCollection(map[string]any{"id": 1, "item": "apple"})
	paid := job.FromCollection(map[string]any{"order_id": 1, "amount": 3})
	check(orders.Join(paid).On("l.id = r.order_id").Select("item", "amount").ToPrint().Start(context.Background()))
	// Output: +I[apple, 3]
}

func ExampleEnv_RegisterScalar() {
	env, err := runnel.New()
	check(err)
	check(env.RegisterScalar("tag", func(s string, n int64) string { return fmt.Sprint(s, "#", n) }))
	check(env.RegisterScalar("score", runnel.Fn3(func(a string, b, c int64) (float64, error) { return float64(b) / float64(c), nil })))
	check(env.SQL("SELECT tag('a', 1), score('x', 1, 2)").ToPrint().Start(context.Background()))
	// Output: +I[a#1, 0.5]
}

func ExampleEnv_RegisterTable() {
	env, err := runnel.New()
	check(err)
	check(env.RegisterTable("words", func(s string) iter.Seq[string] { return strings.FieldsSeq(s) }))
	check(env.SQL("SELECT w FROM (VALUES ('to be')) AS t(line), LATERAL TABLE(words(line)) AS x(w)").ToPrint().Start(context.Background()))
	// Output:
	// +I[to]
	// +I[be]
}

func ExampleRegisterAgg() {
	env, err := runnel.New()
	check(err)
	check(runnel.RegisterAgg(env, "longest", runnel.Agg[string, string, string]{
		Add: func(best *string, s string) {
			if len(s) > len(*best) {
				*best = s
			}
		},
		Result: func(best *string) string { return *best },
	}))
	check(env.SQL("SELECT longest(s) FROM (VALUES ('a'), ('abc'), ('ab')) AS t(s)").With(runnel.Bounded()).ToPrint().Start(context.Background()))
	// Output: +I[abc]
}

func ExampleRowsOf() {
	type count struct {
		Kind runnel.Kind
		Item string `runnel:"item"`
		N    int64  `runnel:"n"`
	}
	env, err := runnel.New()
	check(err)
	res, err := env.ExecuteSQL(context.Background(), "SELECT item, COUNT(*) AS n FROM (VALUES ('a'), ('a')) AS t(item) GROUP BY item")
	check(err)
	for c, err := range runnel.RowsOf[count](res) {
		check(err)
		fmt.Println(c.Kind, c.Item, c.N)
	}
	// Output:
	// +I a 1
	// -U a 1
	// +U a 2
}

func ExampleSeq() {
	env, err := runnel.New()
	check(err)
	numbers := func(yield func(int, error) bool) {
		for _, n := range []int{1, 2} {
			if !yield(n, nil) {
				return
			}
		}
	}
	check(runnel.From[int](env.Job("numbers"), runnel.Seq(numbers)).Map(func(n int) int { return n * n }).ToPrint().Start(context.Background()))
	// Output:
	// +I[1]
	// +I[4]
}

func ExampleRun() {
	env, err := runnel.New()
	check(err)
	run, err := env.Job("background").FromArray(1).ToPrint().StartAsync(context.Background())
	check(err)
	check(run.Wait())
	fmt.Println(run.Metrics().RowsOut)
	// Output:
	// +I[1]
	// 1
}
