package runnel_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/runnelio/runnel"
)

func TestScalarFunctions(t *testing.T) {
	t.Parallel()
	e := newEnv(t, runnel.Clock(func() time.Time { return at(1000) }))
	reg := func(name string, f any) {
		t.Helper()
		if err := e.RegisterScalar(name, f); err != nil {
			t.Fatal(err)
		}
	}
	reg("tag", func(s string, n int64) (string, error) { return fmt.Sprint(s, "#", n), nil })
	reg("shout", func(s string) string { return strings.ToUpper(s) })
	reg("part", func(s string) string { return s[1:] })
	reg("half", func(n int64) (int64, error) {
		if n%2 != 0 {
			return 0, runnel.Null
		}
		return n / 2, nil
	})
	reg("fails", func(n int64) (int64, error) { return 0, errors.New("no luck") })
	reg("rev", func(b []byte) []byte { slices.Reverse(b); return b })
	reg("day_after", func(t time.Time) time.Time { return t.AddDate(0, 0, 1) })
	reg("unix", func(t time.Time) int64 { return t.Unix() })
	reg("who", func(cx *runnel.FuncContext, s string) string { return cx.Job + " " + s + " " + cx.Zone.String() })
	reg("age", func(cx *runnel.FuncContext, t time.Time) (float64, error) { return cx.Now().Sub(t).Seconds(), nil })
	reg("sum3", runnel.Fn3(func(a int, b, c int32) (int, error) { return a + int(b) + int(c), nil }))
	reg("cat4", runnel.Fn4(func(a, b string, c bool, d float32) (string, error) { return fmt.Sprint(a, b, c, d), nil }))
	reg("ctx2", runnel.FnContext2(func(cx *runnel.FuncContext, a, b int64) (int64, error) { return a * b, nil }))

	d := e.Job("job").SQL("SELECT * FROM (VALUES ('a', 1), ('bc', 2), (CAST(NULL AS STRING), 3)) AS t(s, n)")
	f := func(expr string, want ...string) {
		t.Helper()
		q := e.Job("job").SQL("SELECT " + expr + " AS v FROM (VALUES ('a', 1), ('bc', 2), (CAST(NULL AS STRING), 3)) AS t(s, n)")
		got := rows(t, q)
		for i := range got {
			got[i] = strings.TrimSuffix(strings.TrimPrefix(got[i], "+I["), "]")
		}
		equal(t, got, want...)
	}
	f("tag(s, n)", "a#1", "bc#2", "NULL")
	f("TAG('x', 7)", "x#7", "x#7", "x#7")
	f("shout(part(s))", "", "C", "NULL")
	f("half(n)", "NULL", "1", "NULL")
	f("CAST(rev(CAST(s AS BYTES)) AS STRING)", "a", "cb", "NULL")
	f("unix(day_after(TO_TIMESTAMP_LTZ(n, 0)))", "86401", "86402", "86403")
	f("who(s)", "job a UTC", "job bc UTC", "NULL")
	f("age(TO_TIMESTAMP_LTZ(n, 0))", "999", "998", "997")
	f("sum3(n, n, 10)", "12", "14", "16")
	f("cat4(s, 'x', TRUE, CAST(1.5 AS FLOAT))", "axtrue 1.5", "bcxtrue 1.5", "NULL")
	f("ctx2(n, n)", "1", "4", "9")
	if err := d.Select("fails(n)").ToPrint().Start(t.Context()); err == nil || !strings.Contains(err.Error(), "no luck") {
		t.Error(err)
	}
	if err := e.Job("x").SQL("SELECT shout(1)").ToPrint().Start(t.Context()); err == nil {
		t.Error("shout(1) passes")
	}
	for _, bad := range []any{nil, 1, func() {}, func(int) int { return 0 }, func(string) {}, func(a, b, c string) string { return a }, func(string) (string, string) { return "", "" }} {
		if err := e.RegisterScalar("bad", bad); err == nil || !strings.Contains(err.Error(), "want func(A) R") {
			t.Errorf("%T: %v", bad, err)
		}
	}
	if err := e.RegisterScalar("a b", func(s string) string { return s }); err == nil {
		t.Error("a name with a space passes")
	}
}

func TestTableAndAggregateFunctions(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	type letter struct {
		C   string `runnel:"c"`
		Pos int    `runnel:"pos"`
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(e.RegisterTable("words", func(s string) iter.Seq[string] { return strings.FieldsSeq(s) }))
	must(e.RegisterTable("letters", runnel.Table2(func(s string, most int) iter.Seq[letter] {
		return func(yield func(letter) bool) {
			for i, c := range s {
				if i >= most || !yield(letter{string(c), i}) {
					return
				}
			}
		}
	})))
	must(runnel.RegisterAgg(e, "product", runnel.Agg[float64, float64, float64]{
		Init: func() float64 { return 1 }, Add: func(a *float64, x float64) { *a *= x }, Retract: func(a *float64, x float64) { *a /= x },
		Merge: func(a, b *float64) { *a *= *b }, Result: func(a *float64) float64 { return *a },
	}))
	equal(t, rows(t, e.SQL("SELECT w FROM (VALUES ('a bc'), (''), ('d')) AS t(s), LATERAL TABLE(words(s)) AS x(w)")), "+I[a]", "+I[bc]", "+I[d]")
	equal(t, rows(t, e.SQL("SELECT c, pos FROM (VALUES ('abc'), (CAST(NULL AS STRING))) AS t(s), LATERAL TABLE(letters(s, 2))")), "+I[a, 0]", "+I[b, 1]")
	equal(t, rows(t, e.SQL("SELECT product(x) AS p FROM (VALUES (2), (3), (CAST(NULL AS INT))) AS t(x)").With(runnel.Bounded())), "+I[6]")
	equal(t, rows(t, e.SQL("SELECT * FROM (VALUES (2), (3)) AS t(x)").Window(runnel.Tumble(time.Hour)).FlushAtEnd().AddUDAF("product", "p", "x").ToDataStream().Select("p")), "+I[6]")
	if err := e.RegisterTable("bad", func(s string) []string { return nil }); err == nil || !strings.Contains(err.Error(), "iter.Seq") {
		t.Error(err)
	}
	if err := runnel.RegisterAgg(e, "bad", runnel.Agg[int, int, int]{}); err == nil {
		t.Error("an Agg without Add passes")
	}
	if err := runnel.RegisterAgg(e, "hidden", runnel.Agg[int, struct{ n int }, int]{Add: func(*struct{ n int }, int) {}, Result: func(*struct{ n int }) int { return 0 }}); err != nil {
		t.Fatal(err)
	}
	if err := e.SQL("SELECT hidden(1)").ToPrint().Start(t.Context()); err == nil || !strings.Contains(err.Error(), "exported") {
		t.Error("state that gob cannot save: ", err)
	}
}

// discard is a sink that costs nothing.
func discard() runnel.Sink {
	return runnel.SinkOf(nothing{})
}

func BenchmarkStructs(b *testing.B) {
	type event struct {
		Host string `runnel:"host"`
		N    int64  `runnel:"n"`
		P    float64
	}
	list := make([]event, 1<<16)
	for i := range list {
		list[i] = event{fmt.Sprint("host", i%100), int64(i), float64(i)}
	}
	values := runnel.Values(list...)
	e := newEnv(b)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		j := e.Job("bench")
		runnel.Map(runnel.From[event](j, values).Filter(func(e event) bool { return e.N%2 == 0 }), func(e event) event { e.P++; return e }).To(discard())
		if err := j.Start(context.Background()); err != nil {
			b.Fatal(err)
		}
		n += len(list)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/row")
}
