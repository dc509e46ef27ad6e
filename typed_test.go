package runnel_test

import (
	"context"
	"fmt"
	"iter"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/runnelio/runnel"
)

type inner struct {
	A int32
	B string
}

type name string

// every has a field of each kind.
type every struct {
	Bool  bool
	I8    int8
	I16   int16
	I32   int32
	I64   int64
	Int   int
	F32   float32
	F64   float64
	Text  string
	Name  name `runnel:"named"`
	Bytes []byte
	Time  time.Time
	Dur   time.Duration
	PInt  *int
	PText *string
	PTime *time.Time
	Texts []string
	Longs []int64
	Flags []bool
	Attrs map[string]string
	In    inner
	Skip  int `runnel:"-"`
	Kind  runnel.Kind
}

func some() []every {
	n, s, at := 5, "five", time.Date(2024, 5, 6, 7, 8, 9, 123456789, time.UTC)
	return []every{
		{},
		{true, -8, -16, -32, -64, 7, 1.5, 2.5, "text é", "n", []byte{0, 1, 255}, at, 1500 * time.Millisecond, &n, &s, &at,
			[]string{"a", "", "c"}, []int64{1, 2}, []bool{true, false}, map[string]string{"k": "v"}, inner{3, "b"}, 9, 0},
		{Text: strings.Repeat("x", 100), Name: "y", In: inner{B: "z"}},
	}
}

// Values survive the way through columns, filters, operators and casts of no effect.
func TestStructsThroughColumns(t *testing.T) {
	t.Parallel()
	for _, parallel := range []int{1, 3} {
		for _, size := range []int{1, 2, 1024} {
			var list []every
			for range 5 {
				list = append(list, some()...)
			}
			j := newEnv(t).Job("test").With(runnel.BatchSize(size), runnel.Parallelism(parallel))
			var got []every
			s := runnel.From[every](j, runnel.Values(list...))
			s = runnel.Map(s.Filter(func(e every) bool { return e.Text != "none" }), func(e every) every { return e })
			s.Each(func(_ context.Context, e every) error {
				got = append(got, e)
				return nil
			})
			if err := j.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			if len(got) != len(list) {
				t.Fatalf("%d values, want %d", len(got), len(list))
			}
			for i := range got {
				want := list[i]
				want.Skip = 0
				normal(&want)
				normal(&got[i])
				if !reflect.DeepEqual(got[i], want) {
					t.Fatalf("size %d, value %d\n%+v\n%+v", size, i, got[i], want)
				}
			}
		}
	}
}

// normal makes nil and empty the same, as columns that are NOT NULL do, and the
// zero time that of UTC.
func normal(e *every) {
	e.Time = e.Time.UTC()
	if len(e.Bytes) == 0 {
		e.Bytes = nil
	}
	if len(e.Texts) == 0 {
		e.Texts = nil
	}
	if len(e.Longs) == 0 {
		e.Longs = nil
	}
	if len(e.Flags) == 0 {
		e.Flags = nil
	}
	if len(e.Attrs) == 0 {
		e.Attrs = nil
	}
}

func TestTypedOperators(t *testing.T) {
	t.Parallel()
	j := newEnv(t).Job("test")
	words := runnel.FlatMap(runnel.From[string](j, runnel.Values("a b", "", "c")), func(s string) iter.Seq[string] { return strings.FieldsSeq(s) })
	seen := 0
	lens := runnel.Map(words.ForEach(func(string) { seen++ }), func(s string) struct {
		W string
		N int
	} {
		return struct {
			W string
			N int
		}{s, len(s)}
	})
	// Two sinks behind ForEach: it still sees each value once.
	equal(t, rowsOnly(lens.Data().Select("W", "N + 1 AS M")), rows(t, lens.Data())...)
	if seen != 3 {
		t.Errorf("ForEach saw %d values, want 3", seen)
	}
	err := runnel.TryMap(runnel.From[int64](newEnv(t).Job("x"), runnel.Values[int64](1, 2)), func(x int64) (int64, error) {
		if x == 2 {
			return 0, fmt.Errorf("two")
		}
		return x, nil
	}).ToPrint().Start(t.Context())
	if err == nil || !strings.Contains(err.Error(), "two") {
		t.Error(err)
	}
	if err := runnel.From[int64](newEnv(t).Job("x"), runnel.Values[int64](1)).Filter(func(int64) bool { panic("oh") }).ToPrint().Start(t.Context()); err == nil || !strings.Contains(err.Error(), "oh") {
		t.Error("a panic is", err)
	}
}

// rowsOnly adds a sink and expects what the other one of the job gets.
func rowsOnly(d *runnel.DataStream) []string {
	d.To(runnel.Each(func(context.Context, runnel.Row) error { return nil }))
	return []string{"+I[a, 1]", "+I[b, 1]", "+I[c, 1]"}
}

func TestNamed(t *testing.T) {
	t.Parallel()
	j := newEnv(t).Job("test")
	s := runnel.From[int64](j, runnel.Values[int64](1))
	s.Filter(func(int64) bool { return true }).Named("all of them").ToPrint()
	if plan, err := j.Explain(); err != nil || !strings.Contains(plan, "all of them") {
		t.Error(plan, err)
	}
	if s.Named("x"); j.Err() == nil {
		t.Error("a source is named as a function")
	}
}

func TestAsConverts(t *testing.T) {
	t.Parallel()
	d := newEnv(t).Job("test").SQL("SELECT * FROM (VALUES (CAST(1 AS INT), '2.50', CAST(3.5 AS DECIMAL(5, 2)), CAST(NULL AS INT)), (4, '5', 6.25, 7)) AS t(a, b, c, d)")
	var got []string
	err := runnel.As[struct {
		D *int64 `runnel:"d"`
		A int64  `runnel:"a"`
		B float64
		C string `runnel:"c"`
	}](d).Each(func(_ context.Context, x struct {
		D *int64 `runnel:"d"`
		A int64  `runnel:"a"`
		B float64
		C string `runnel:"c"`
	}) error {
		d := "nil"
		if x.D != nil {
			d = fmt.Sprint(*x.D)
		}
		got = append(got, fmt.Sprintf("%v %v %v %v", x.A, x.B, x.C, d))
		return nil
	}).Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	equal(t, got, "1 2.5 3.50 nil", "4 5 6.25 7")
}

func TestTextsMayBeKept(t *testing.T) {
	t.Parallel()
	j := newEnv(t).Job("test").With(runnel.BatchSize(4))
	var list, kept []string
	for i := range 100 {
		list = append(list, fmt.Sprint("value ", i))
	}
	// The records of a file share a buffer that is filled again and again.
	runnel.From[string](j, runnel.Values(list...)).ForEach(func(s string) { kept = append(kept, s) }).Each(func(context.Context, string) error { return nil })
	if err := j.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(kept, list) {
		t.Errorf("%q", kept)
	}
}

func TestTagsThatAreWrong(t *testing.T) {
	t.Parallel()
	f := func(part string, err error) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%v, want %q", err, part)
		}
	}
	f("no tag option", build[struct {
		A int `runnel:"a,primary"`
	}](t))
	f("not a duration", build[struct {
		A time.Time `runnel:"a,rowtime,delay=x"`
	}](t))
	f("rowtime is for", build[struct {
		A int `runnel:",rowtime"`
	}](t))
	f("two columns called", build[struct {
		A int `runnel:"x"`
		B int `runnel:"x"`
	}](t))
	f("is not exported", build[struct {
		a int `runnel:"x"`
	}](t))
	f("cannot be a column", build[struct{ A chan int }](t))
	f("cannot be a column", build[[]chan int](t))
	f("no exported fields", build[struct{}](t))
}

func build[T any](t *testing.T) error {
	return runnel.From[T](newEnv(t).Job("test"), runnel.Seq(func(func(T, error) bool) {})).ToPrint().Start(t.Context())
}

func TestSequences(t *testing.T) {
	t.Parallel()
	f := func(want string, n int, seq iter.Seq2[int, error]) {
		t.Helper()
		got := 0
		err := runnel.From[int](newEnv(t).Job("test"), runnel.Seq(seq)).Each(func(_ context.Context, x int) error {
			if x != got {
				return fmt.Errorf("%d, want %d", x, got)
			}
			got++
			return nil
		}).Start(t.Context())
		if got != n || (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%d values and %v, want %d and %q", got, err, n, want)
		}
	}
	count := func(n int, end error) iter.Seq2[int, error] {
		return func(yield func(int, error) bool) {
			for i := range n {
				if !yield(i, nil) {
					return
				}
			}
			if end != nil {
				yield(0, end)
			}
		}
	}
	f("", 0, count(0, nil))
	f("", 20000, count(20000, nil))
	f("broken", 0, count(0, fmt.Errorf("broken")))
}
