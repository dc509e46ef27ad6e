package builtin

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

var sampleTypes = []string{
	"STRING", "INT", "BIGINT", "DOUBLE", "DECIMAL(10, 3)", "BYTES", "BOOLEAN", "TIMESTAMP(3)", "FLOAT", "TINYINT", "DATE", "ARRAY<STRING>", "MAP<STRING, INT>",
	"TIME(0)", "TIMESTAMP_LTZ(6)", "ARRAY<INT>", "BITMAP", "SMALLINT",
}

var sampleTexts = []string{
	"", "a", "abc", "Hello World", "a,b,c", "k=v,x=", "12", "-1.5e3", "0x1f", "%", "_", "a%b_", "(", "(a)(b)?", "[a-c]+", "\\", "\\d+", "é", "中文字", "a😀b", "ß", "İ",
	"http://u@h.com:80/p?q=1#r", "http://", "127.0.0.1", "SGVsbG8=", "4a4B", "UTF-8", "GBK", "HOST", "QUERY", "2024-02-29 12:34:56", "2024-01-01", "{\"a\":[1,2]}", "$.a", "\xff\xfe", "   ", "true", "+", "/", "null", "%s %d %5.1f", "NaN",
}

func sampleText(r *rand.Rand) string {
	switch r.IntN(4) {
	case 0:
		b := make([]byte, r.IntN(12))
		for i := range b {
			b[i] = byte(r.IntN(256))
		}
		return string(b)
	case 1:
		return strings.Repeat(sampleTexts[r.IntN(len(sampleTexts))], r.IntN(5))
	}
	return sampleTexts[r.IntN(len(sampleTexts))]
}

func sampleInt(r *rand.Rand) int64 {
	switch r.IntN(4) {
	case 0:
		return []int64{math.MinInt64, math.MaxInt64, math.MinInt32, math.MaxInt32, 0, -1, 1 << 32, 255, 256}[r.IntN(9)]
	case 1:
		return r.Int64N(2000) - 1000
	}
	return r.Int64N(12) - 4
}

func sampleValue(r *rand.Rand, t types.Type) types.Value {
	if r.IntN(8) == 0 {
		return nil
	}
	switch t.Kind {
	case types.VarChar, types.VarBinary:
		return sampleText(r)
	case types.Boolean:
		return r.IntN(2) == 0
	case types.TinyInt:
		return int8(sampleInt(r))
	case types.Int:
		return int32(sampleInt(r))
	case types.BigInt:
		return sampleInt(r)
	case types.Date:
		return int32(r.IntN(80000) - 30000)
	case types.Float:
		return float32(sampleFloat(r))
	case types.Double:
		return sampleFloat(r)
	case types.Decimal:
		return types.DecFromInt64(r.Int64N(20_000_000) - 10_000_000)
	case types.Timestamp:
		return types.TS{Ms: r.Int64N(4e12) - 1e12}
	case types.Array:
		out := make([]types.Value, r.IntN(4))
		for i := range out {
			out[i] = sampleValue(r, *t.Elem)
		}
		return out
	case types.SmallInt:
		return int16(sampleInt(r))
	case types.Time:
		return int32(r.IntN(86_400_000))
	case types.TimestampLTZ:
		return types.TS{Ms: r.Int64N(4e12) - 1e12, Ns: int32(r.IntN(1_000_000))}
	case types.IntervalDS:
		return sampleInt(r)
	case types.IntervalYM:
		return int32(sampleInt(r))
	case types.Bitmap:
		return string(buildBitmap([]uint32{r.Uint32N(9), r.Uint32()}).append(nil))
	case types.Map:
		m := &types.MapValue{}
		for range r.IntN(4) {
			m.Set(sampleText(r), sampleValue(r, *t.Elem), *t.Key)
		}
		return m
	}
	panic(t.String())
}

func sampleFloat(r *rand.Rand) float64 {
	if r.IntN(3) == 0 {
		return []float64{0, math.Copysign(0, -1), math.NaN(), math.Inf(1), math.Inf(-1), 1e300, 5e-324, 2.5, -1}[r.IntN(9)]
	}
	return (r.Float64() - 0.5) * math.Pow(10, float64(r.IntN(12)))
}

func testContext() *function.Context {
	now := time.Date(2024, 5, 6, 7, 8, 9, 123e6, time.UTC)
	return &function.Context{Zone: time.UTC, Now: func() time.Time { return now }, Query: now}
}

// runScalar calls a bound scalar as eval does: NULL rows are left out of strict ones.
func runScalar(d *function.Def, call function.Call, args []vector.Vector, result types.Type, n int) (vector.Vector, error) {
	out := vector.New(result.OrNull(), n)
	out.Resize(n)
	var sel []int32
	if d.Nulls == function.Strict {
		sel = []int32{}
		for i := range n {
			null := false
			for _, a := range args {
				null = null || a.IsNull(i)
			}
			if null {
				vector.SetNullDeep(out, i)
			} else {
				sel = append(sel, int32(i))
			}
		}
	}
	return out, call(args, sel, out)
}

// checkScalar binds a call of the types and compares the form over columns with
// that over single rows, flat and constant. The arguments whose bits are set in
// fixed are constants of the call.
func checkScalar(t *testing.T, r *rand.Rand, d *function.Def, sig function.Signature, fixed uint) {
	known := make([]function.Arg, len(sig.Args))
	for i := range known {
		known[i].Type = sig.Args[i]
		if fixed>>i&1 != 0 {
			known[i].Const, known[i].Value = true, sampleValue(r, sig.Args[i])
		}
	}
	what := fmt.Sprintf("%s(%v)", d.Name, sig.Args)
	defer func() {
		if p := recover(); p != nil {
			t.Errorf("%s panics: %v", what, p)
			panic(p)
		}
	}()
	call, err := d.Scalar.Bind(testContext(), known, sig.Result)
	if err != nil {
		return // says why it needs a constant, say
	}
	const n = 40
	rows := make([][]types.Value, n)
	cols := make([]vector.Vector, len(known))
	for j := range cols {
		if cols[j] = vector.New(sig.Args[j].OrNull(), n); known[j].Const {
			cols[j] = vector.NewConst(sig.Args[j].OrNull(), known[j].Value, n)
		}
	}
	for i := range rows {
		for j := range cols {
			if known[j].Const {
				rows[i] = append(rows[i], known[j].Value)
				continue
			}
			v := sampleValue(r, sig.Args[j])
			rows[i] = append(rows[i], v)
			vector.Append(cols[j], v)
		}
	}
	if len(cols) == 0 {
		return
	}
	out, err := runScalar(d, call, cols, sig.Result, n)
	failed := n
	if err != nil {
		failed = 0
		var row *function.RowError
		if errors.As(err, &row) {
			failed = row.Row
		}
	}
	for i, row := range rows {
		for _, constant := range []bool{false, true} {
			one := make([]vector.Vector, len(row))
			for j, v := range row {
				if constant || fixed>>j&1 != 0 {
					one[j] = vector.NewConst(sig.Args[j].OrNull(), v, 1)
					known[j].Const, known[j].Value = true, v
					continue
				}
				one[j] = vector.New(sig.Args[j].OrNull(), 1)
				vector.Append(one[j], v)
			}
			single := call
			if constant {
				if single, err = d.Scalar.Bind(testContext(), known, sig.Result); err != nil {
					continue // a constant that can not be right is refused early
				}
			}
			res, err := runScalar(d, single, one, sig.Result, 1)
			if (err != nil) != (i == failed) && i <= failed {
				t.Errorf("%s of %q: error %v, as a column %v", what, row, err, i == failed)
			}
			if err != nil || i >= failed {
				continue
			}
			got := string(types.AppendValue(nil, vector.Get(res, 0), sig.Result, nil))
			want := string(types.AppendValue(nil, vector.Get(out, i), sig.Result, nil))
			if got != want {
				t.Errorf("%s of %q: %s, as a column %s (constant %v)", what, row, got, want, constant)
			}
		}
	}
}

// callsOf lists resolved calls of a function over the sample types.
func callsOf(set *function.Set, d *function.Def, most int) []function.Signature {
	var out []function.Signature
	seen := map[string]bool{}
	var try func(args []function.Arg)
	try = func(args []function.Arg) {
		if def, sig, err := set.Resolve(d.Name, args); err == nil && def == d && len(out) < most {
			if key := fmt.Sprint(sig.Args); !seen[key] {
				seen[key] = true
				out = append(out, sig)
			}
		}
		pool := sampleTypes
		if len(args) == 2 {
			pool = sampleTypes[:6]
		} else if len(args) == 3 {
			pool = sampleTypes[:3]
		}
		if len(args) == 4 || len(out) >= most {
			return
		}
		for _, text := range pool {
			try(append(args[:len(args):len(args)], function.Arg{Type: types.MustType(text)}))
		}
	}
	try(nil)
	return out
}

func TestColumnsAgreeWithRows(t *testing.T) {
	t.Parallel()
	calls := 0
	seen := map[string]bool{}
	for _, set := range []*function.Set{All(), Rsqldb(), Script()} {
		calls += columnsAgreeWithRows(t, set, seen)
	}
	if calls < 300 {
		t.Errorf("only %d calls were tried", calls)
	}
}

// columnsAgreeWithRows checks the functions of a set, but for those that seen
// has: other sets share them.
func columnsAgreeWithRows(t *testing.T, set *function.Set, seen map[string]bool) (calls int) {
	for _, d := range set.Defs() {
		if d.Scalar == nil || d.Volatile || seen[d.Name+d.Sig] {
			continue
		}
		seen[d.Name+d.Sig] = true
		r := rand.New(rand.NewPCG(1, uint64(len(d.Name))))
		sigs := callsOf(set, d, 12)
		calls += len(sigs)
		for _, sig := range sigs {
			checkScalar(t, r, d, sig, 0)
		}
	}
	return calls
}
