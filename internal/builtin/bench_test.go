//go:build unix

package builtin

import (
	"fmt"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// benchRows is the number of rows of a batch.
const benchRows = 1024

// benchCall is a bound call over a batch.
type benchCall struct {
	label string
	call  function.Call
	cols  []vector.Vector
	out   vector.Vector
}

func (c *benchCall) run() error {
	c.out.Resize(benchRows)
	return c.call(c.cols, nil, c.out)
}

// benchCalls are calls of the functions that queries use most.
func benchCalls(tb testing.TB) []*benchCall {
	column := func(t types.Type, f func(i int) types.Value) vector.Vector {
		v := vector.New(t, benchRows)
		for i := range benchRows {
			vector.Append(v, f(i))
		}
		return v
	}
	texts := column(types.String(), func(i int) types.Value {
		return fmt.Sprintf("host%d.example.com/path/%d?query=%d", i%17, i, i*7)
	})
	numbers := column(types.Of(types.Double), func(i int) types.Value { return float64(i) * 1.25 })
	date := column(types.String(), func(i int) types.Value {
		return fmt.Sprintf("2024-%02d-%02d 12:%02d:%02d", 1+i%12, 1+i%28, i%60, i%59)
	})
	stamps := column(types.TimestampOf(3), func(i int) types.Value { return types.TSFromMs(1.7e12 + int64(i)*98_765_432) })
	decimals := column(types.DecimalOf(10, 2), func(i int) types.Value { return types.DecFromInt64(int64(i) * 12345) })
	plain := column(types.String(), func(i int) types.Value {
		return fmt.Sprintf("a line of eighty bytes as logs have them, level=info code=%03d and so on to its end", i%1000)
	})
	objects := column(types.String(), func(i int) types.Value {
		return fmt.Sprintf(`{"user":{"id":%d,"name":"ann"},"tags":["a","b"]}`, i)
	})
	text := func(s string) vector.Vector { return vector.NewConst(types.String(), s, benchRows) }
	integer := func(n int32) vector.Vector { return vector.NewConst(types.Of(types.Int), n, benchRows) }
	symbol := func(s string) vector.Vector {
		return vector.NewConst(types.Of(types.Symbol).NotNull(), s, benchRows)
	}
	set := Script()
	var out []*benchCall
	add := func(label, name string, cols ...vector.Vector) {
		args := make([]function.Arg, len(cols))
		for i, c := range cols {
			args[i].Type = c.Type()
			if _, ok := c.(*vector.Const); ok {
				args[i].Const, args[i].Value = true, vector.Get(c, 0)
			}
		}
		d, sig, err := set.Resolve(name, args)
		if err != nil {
			tb.Fatalf("%s: %v", label, err)
		}
		for i := range args { // as the binder casts literals
			if args[i].Const && sig.Args[i].Phys() != args[i].Type.Phys() {
				if args[i].Value, err = types.CastValue(args[i].Value, args[i].Type, sig.Args[i], time.UTC, false); err != nil {
					tb.Fatal(err)
				}
				args[i].Type, cols[i] = sig.Args[i], vector.NewConst(sig.Args[i], args[i].Value, benchRows)
			}
		}
		call, err := d.Scalar.Bind(testContext(), args, sig.Result)
		if err != nil {
			tb.Fatalf("%s: %v", label, err)
		}
		out = append(out, &benchCall{label, call, cols, vector.New(sig.Result, benchRows)})
	}
	add("upper", "UPPER", texts)
	add("lower", "LOWER", texts)
	add("trim", "BTRIM", texts)
	add("char-length", "CHAR_LENGTH", texts)
	add("substring", "SUBSTRING", texts, integer(3), integer(8))
	add("left", "LEFT", texts, integer(5))
	add("lpad", "LPAD", texts, integer(60), text("*"))
	add("concat", "||", texts, text("/suffix"))
	add("replace", "REPLACE", texts, text("example"), text("test"))
	add("split-index", "SPLIT_INDEX", texts, text("/"), integer(1))
	add("locate", "LOCATE", text("path"), texts)
	add("starts-with", "STARTSWITH", texts, text("host1"))
	add("like-prefix", "LIKE", texts, text("host1%"))
	add("like-contains", "LIKE", texts, text("%path/5%"))
	add("like-steps", "LIKE", texts, text("%host_.%path%7"))
	add("regexp-80", "REGEXP", plain, text("code=[0-9]*7 "))
	add("regexp-extract", "REGEXP_EXTRACT", texts, text("query=([0-9]+)"))
	add("md5", "MD5", texts)
	add("sha256", "SHA256", texts)
	add("parse-url", "PARSE_URL", texts, text("HOST"))
	add("json-value", "JSON_VALUE", objects, text("$.user.id"))
	add("to-timestamp", "TO_TIMESTAMP", date)
	add("to-timestamp-pattern", "TO_TIMESTAMP", date, text("yyyy-MM-dd HH:mm:ss"))
	add("to-date", "TO_DATE", date)
	add("date-format", "DATE_FORMAT", stamps, text("yyyy-MM-dd HH:mm:ss"))
	add("extract-hour", "EXTRACT", symbol("HOUR"), stamps)
	add("floor-to-hour", "FLOOR", stamps, symbol("HOUR"))
	add("abs", "ABS", numbers)
	add("round", "ROUND", numbers, integer(1))
	add("truncate", "TRUNCATE", decimals, integer(1))
	add("power", "POWER", numbers, vector.NewConst(types.Of(types.Double), 2.0, benchRows))
	add("greatest", "GREATEST", numbers, numbers)
	return out
}

// BenchmarkScalars reports the CPU time and the allocations of a row in a batch.
func BenchmarkScalars(b *testing.B) {
	for _, c := range benchCalls(b) {
		b.Run(c.label, func(b *testing.B) {
			b.ReportAllocs()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := cpuTime(b)
			for b.Loop() {
				if err := c.run(); err != nil {
					b.Fatal(err)
				}
			}
			runtime.ReadMemStats(&after)
			rows := float64(b.N) * benchRows
			b.ReportMetric(float64((cpuTime(b)-start).Nanoseconds())/rows, "ns/row")
			b.ReportMetric(float64(after.Mallocs-before.Mallocs)/rows, "allocs/row")
		})
	}
}

// cpuTime is what this process has computed so far; other work on the machine is
// not in it.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// TestMostUsedFunctionsAllocateNothing pins that a row costs no allocation. Arenas
// of texts grow by blocks now and then, which is less than one a batch.
func TestMostUsedFunctionsAllocateNothing(t *testing.T) {
	for _, c := range benchCalls(t) {
		var err error
		batches := testing.AllocsPerRun(50, func() {
			if e := c.run(); e != nil {
				err = e
			}
		})
		if err != nil {
			t.Fatalf("%s: %v", c.label, err)
		}
		if batches > 1 {
			t.Errorf("%s: %.2f allocations a batch of %d rows", c.label, batches, benchRows)
		}
	}
}
