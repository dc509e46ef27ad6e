package builtin

import (
	"fmt"
	"testing"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// BenchmarkScalars reports the time of a row in a batch of 1,024.
func BenchmarkScalars(b *testing.B) {
	texts, numbers := vector.New(types.String(), 1024), vector.New(types.Of(types.Double), 1024)
	for i := range 1024 {
		vector.Append(texts, fmt.Sprintf("host%d.example.com/path/%d?query=%d", i%17, i, i*7))
		vector.Append(numbers, float64(i)*1.25)
	}
	set := Script()
	text := func(s string) vector.Vector { return vector.NewConst(types.String(), s, 1024) }
	integer := func(n int64) vector.Vector { return vector.NewConst(types.Of(types.BigInt), n, 1024) }
	run := func(label, name string, cols ...vector.Vector) {
		b.Run(label, func(b *testing.B) {
			args := make([]function.Arg, len(cols))
			for i, c := range cols {
				args[i].Type = c.Type()
				if _, ok := c.(*vector.Const); ok {
					args[i].Const, args[i].Value = true, vector.Get(c, 0)
				}
			}
			d, sig, err := set.Resolve(name, args)
			if err != nil {
				b.Fatal(err)
			}
			call, err := d.Scalar.Bind(testContext(), args, sig.Result)
			if err != nil {
				b.Fatal(err)
			}
			out := vector.New(sig.Result, 1024)
			b.ReportAllocs()
			for b.Loop() {
				out.Resize(1024)
				if err := call(cols, nil, out); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1024, "ns/row")
		})
	}
	run("upper", "UPPER", texts)
	run("substring", "BLINK_SUBSTR", texts, integer(3), integer(8))
	run("like-prefix", "LIKE", texts, text("host1%"))
	run("like-contains", "LIKE", texts, text("%path/5%"))
	run("like-steps", "LIKE", texts, text("%host_.%path%7"))
	run("regexp", "REGEXP", texts, text("query=[0-9]+7$"))
	run("regexp-extract", "REGEXP_EXTRACT", texts, text("query=([0-9]+)"))
	run("replace", "REPLACE", texts, text("example"), text("test"))
	run("md5", "MD5", texts)
	run("concat", "||", texts, text("/suffix"))
	run("sqrt", "SQRT", numbers)
	run("round", "ROUND", numbers)
}
