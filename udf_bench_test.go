package runnel

import (
	"fmt"
	"testing"
	"time"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// columnOfN is 1024 values of a type.
func columnOfN(t types.Type, at func(i int) types.Value) vector.Vector {
	v := vector.New(t, 1024)
	for i := range 1024 {
		vector.Append(v, at(i))
	}
	return v
}

// functions are Go functions with columns to run over.
func functions(tb testing.TB) map[string]func() {
	ints := columnOfN(types.Of(types.BigInt), func(i int) types.Value { return int64(i) })
	texts := columnOfN(types.String(), func(i int) types.Value { return fmt.Sprint("text", i) })
	floats := columnOfN(types.Of(types.Double), func(i int) types.Value { return float64(i) })
	times := columnOfN(types.TimestampLTZOf(9), func(i int) types.Value { return types.TSFromMs(int64(i)) })
	out := map[string]func(){}
	add := func(name string, fn any, result types.Type, args ...vector.Vector) {
		f, ok := fn.(ScalarFunc)
		if !ok {
			if f, ok = scalarOf(fn); !ok {
				tb.Fatalf("%s: %T is refused", name, fn)
			}
		}
		call := f.bind(contextOf(&function.Context{Zone: time.UTC, Now: time.Now}))
		dst := vector.New(result, 1024)
		out[name] = func() {
			dst.Resize(1024)
			if err := call(args, nil, dst); err != nil {
				tb.Fatal(err)
			}
		}
	}
	add("int", func(a int64) int64 { return a + 1 }, types.Of(types.BigInt), ints)
	add("int,int,error", func(a, b int64) (int64, error) { return a + b, nil }, types.Of(types.BigInt), ints, ints)
	add("text,int to int", func(s string, n int64) int64 { return int64(len(s)) + n }, types.Of(types.BigInt), texts, ints)
	add("text to text", func(s string) string { return s[1:] }, types.String(), texts)
	add("float", func(a float64) float64 { return a * 2 }, types.Of(types.Double), floats)
	add("time to int", func(t time.Time) int64 { return t.Unix() }, types.Of(types.BigInt), times)
	add("bytes", func(b []byte) int64 { return int64(len(b)) }, types.Of(types.BigInt), texts)
	add("context", func(cx *FuncContext, a int64) int64 { return a + 1 }, types.Of(types.BigInt), ints)
	add("three", Fn3(func(a string, b, c int64) (float64, error) { return float64(b + c), nil }), types.Of(types.Double), texts, ints, ints)
	return out
}

func TestFunctionsDoNotAllocate(t *testing.T) {
	for name, f := range functions(t) {
		f()
		f()
		if n := testing.AllocsPerRun(20, f); n > 0 {
			t.Errorf("%s: %v allocations for 1024 rows", name, n)
		}
	}
}

func BenchmarkScalar(b *testing.B) {
	for name, f := range functions(b) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				f()
				n += 1024
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/row")
		})
	}
}
