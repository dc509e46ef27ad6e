package builtin

import (
	"fmt"
	"testing"
	"time"

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
			for i := range args { // as the binder casts literals
				if args[i].Const && sig.Args[i].Phys() != args[i].Type.Phys() {
					if args[i].Value, err = types.CastValue(args[i].Value, args[i].Type, sig.Args[i], time.UTC, false); err != nil {
						b.Fatal(err)
					}
					args[i].Type, cols[i] = sig.Args[i], vector.NewConst(sig.Args[i], args[i].Value, 1024)
				}
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
	date := vector.New(types.String(), 1024)
	stamps := vector.New(types.TimestampOf(3), 1024)
	decimals := vector.New(types.DecimalOf(10, 2), 1024)
	plain := vector.New(types.String(), 1024)
	objects := vector.New(types.String(), 1024)
	for i := range 1024 {
		vector.Append(date, fmt.Sprintf("2024-%02d-%02d 12:%02d:%02d", 1+i%12, 1+i%28, i%60, i%59))
		vector.Append(stamps, types.TSFromMs(1.7e12+int64(i)*98_765_432))
		vector.Append(decimals, types.DecFromInt64(int64(i)*12345))
		vector.Append(plain, fmt.Sprintf("a line of eighty bytes as logs have them, level=info code=%03d and so on to its end", i%1000))
		vector.Append(objects, fmt.Sprintf(`{"user":{"id":%d,"name":"ann"},"tags":["a","b"]}`, i))
	}
	run("to-timestamp", "TO_TIMESTAMP", date)
	run("date-format", "DATE_FORMAT", stamps, text("yyyy-MM-dd HH:mm:ss"))
	run("regexp-80", "REGEXP", plain, text("code=[0-9]*7 "))
	run("json-value", "JSON_VALUE", objects, text("$.user.id"))
	run("lower", "LOWER", texts)
	run("trim", "BTRIM", texts)
	run("char-length", "CHAR_LENGTH", texts)
	run("split-index", "SPLIT_INDEX", texts, text("/"), vector.NewConst(types.Of(types.Int), int32(1), 1024))
	run("locate", "LOCATE", text("path"), texts)
	run("starts-with", "STARTSWITH", texts, text("host1"))
	run("sha256", "SHA256", texts)
	run("left", "LEFT", texts, vector.NewConst(types.Of(types.Int), int32(5), 1024))
	run("lpad", "LPAD", texts, vector.NewConst(types.Of(types.Int), int32(60), 1024), text("*"))
	run("abs", "ABS", numbers)
	run("round", "ROUND", numbers, vector.NewConst(types.Of(types.Int), int32(1), 1024))
	run("floor", "FLOOR", numbers)
	run("power", "POWER", numbers, vector.NewConst(types.Of(types.Double), 2.0, 1024))
	run("truncate", "TRUNCATE", decimals, vector.NewConst(types.Of(types.Int), int32(1), 1024))
	run("url-parse", "PARSE_URL", texts, text("HOST"))
	run("round", "ROUND", numbers)
}
