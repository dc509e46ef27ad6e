package eval

import (
	"math/rand/v2"
	"testing"

	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// benchSchema has a column of each of the usual types.
var benchSchema = types.NewSchema(
	types.Field{Name: "i", Type: types.Of(types.BigInt)},
	types.Field{Name: "j", Type: types.Of(types.BigInt)},
	types.Field{Name: "f", Type: types.Of(types.Double)},
	types.Field{Name: "d", Type: types.DecimalOf(10, 2)},
	types.Field{Name: "e", Type: types.DecimalOf(12, 4)},
	types.Field{Name: "s", Type: types.String()},
	types.Field{Name: "t", Type: types.TimestampOf(3)},
	types.Field{Name: "b", Type: types.Of(types.Boolean)},
	types.Field{Name: "n", Type: types.Of(types.Int)},
	types.Field{Name: "d2", Type: types.DecimalOf(10, 2)},
	types.Field{Name: "text", Type: types.String()},
)

// benchBatch has rows without extremes; nulls is the share of NULLs in percent.
func benchBatch(rows, nulls int) *vector.Batch {
	r := rand.New(rand.NewPCG(1, 1))
	b := vector.NewBatch(benchSchema, rows)
	words := []string{"alpha", "beta", "gamma", "delta", "an epsilon that is longer"}
	numbers := []string{"12", "-7", "345678", "0"}
	for range rows {
		row := []types.Value{
			r.Int64N(1024), r.Int64N(100) + 1, r.NormFloat64(), types.DecFromInt64(r.Int64N(1e9)), types.DecFromInt64(r.Int64N(1e9) + 1),
			words[r.IntN(len(words))], types.TS{Ms: r.Int64N(1 << 40)}, r.IntN(2) == 0, int32(r.IntN(1000)),
			types.DecFromInt64(r.Int64N(1e9)), numbers[r.IntN(len(numbers))],
		}
		for i := range row {
			if r.IntN(100) < nulls {
				row[i] = nil
			}
		}
		b.AppendValues(types.Insert, row...)
	}
	return b
}

func col(name string) plan.Expr {
	i := benchSchema.Index(name)
	return &plan.Column{Index: i, T: benchSchema.Fields[i].Type, Name: name}
}

func lit(v types.Value, t types.Type) plan.Expr { return &plan.Literal{Value: v, T: t.NotNull()} }

func whole(n int64) plan.Expr { return lit(n, types.Of(types.BigInt)) }

var (
	boolean = types.Of(types.Boolean)
	bigint  = types.Of(types.BigInt)
)

// programs are expressions as queries have them.
func programs() map[string]plan.Expr {
	gt := op(plan.Gt, boolean, col("i"), whole(512))
	starts := op(plan.Eq, boolean, col("s"), lit("beta", types.String()))
	return map[string]plan.Expr{
		"add":        op(plan.Add, bigint, op(plan.Mul, bigint, col("i"), whole(3)), col("j")),
		"divide":     op(plan.Div, bigint, col("i"), col("j")),
		"float":      op(plan.Mul, types.Of(types.Double), col("f"), &plan.Cast{X: col("i"), T: types.Of(types.Double)}),
		"decimal":    op(plan.Add, types.DecimalOf(11, 2), col("d"), col("d2")),
		"decimals":   op(plan.Mul, types.DecimalOf(23, 6), col("d"), col("e")),
		"decimalDiv": op(plan.Div, types.DecimalOf(25, 15), col("d"), col("e")),
		"compare":    gt,
		"equal":      starts,
		"and":        op(plan.And, boolean, gt, starts),
		"or":         op(plan.Or, boolean, gt, starts, op(plan.IsNull, boolean, col("d"))),
		"not":        op(plan.Not, boolean, op(plan.Le, boolean, col("d"), col("d2"))),
		"case":       op(plan.Case, bigint, gt, col("j"), starts, op(plan.Add, bigint, col("j"), whole(1)), whole(0)),
		"caseText":   op(plan.Case, types.String(), gt, col("s"), lit("x", types.String())),
		"coalesce":   op(plan.Coalesce, bigint, col("i"), col("j"), whole(0)),
		"in":         op(plan.In, boolean, col("s"), lit("beta", types.String()), lit("x", types.String())),
		"distinct":   op(plan.Distinct, boolean, col("i"), col("j")),
		"time":       op(plan.Sub, types.TimestampOf(3), col("t"), lit(int64(5000), intervalDS)),
		"toText":     &plan.Cast{X: col("i"), T: types.String()},
		"decToText":  &plan.Cast{X: col("d"), T: types.String()},
		"tsToText":   &plan.Cast{X: col("t"), T: types.String()},
		"toInt":      &plan.Cast{X: col("text"), T: types.Of(types.Int)},
		"tryInt":     &plan.Cast{X: col("s"), T: types.Of(types.Int), Try: true},
		"toDate":     &plan.Cast{X: col("t"), T: types.Of(types.Date)},
		"wider":      &plan.Cast{X: col("t"), T: types.TimestampOf(6)},
		"row":        op(plan.MakeRow, rowType, col("n"), col("s")),
		"array":      op(plan.MakeArray, types.ArrayOf(types.Of(types.Int)), col("n"), col("n")),
		"field":      op(plan.Field, types.Of(types.Int), op(plan.MakeRow, rowType, col("n"), col("s"))),
	}
}

// TestProgramsDoNotAllocate: once its memory has grown, a program needs no more,
// with and without NULLs and selections.
func TestProgramsDoNotAllocate(t *testing.T) {
	sel := []int32{}
	for i := range int32(1024) {
		if i%3 != 0 {
			sel = append(sel, i)
		}
	}
	for name, e := range programs() {
		p, err := Compile([]plan.Expr{e}, benchSchema, testContext())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, nulls := range []int{0, 10} {
			b := benchBatch(1024, nulls)
			for _, s := range [][]int32{nil, sel} {
				run := func() {
					if _, err := p.Eval(b, s); err != nil {
						t.Fatalf("%s: %v", name, err)
					}
				}
				run()
				run()
				if n := testing.AllocsPerRun(5, run); n != 0 {
					t.Errorf("%s with %d%% NULLs, selection %v: %v allocations a batch", name, nulls, s != nil, n)
				}
			}
		}
	}
}

// predicates are conditions as queries have them.
func predicates() map[string]plan.Expr {
	p := programs()
	return map[string]plan.Expr{
		"gt":      p["compare"],
		"equal":   p["equal"],
		"and":     p["and"],
		"or":      p["or"],
		"not":     op(plan.Not, boolean, p["or"]),
		"in":      p["in"],
		"decimal": op(plan.Gt, boolean, col("d"), lit(types.DecFromInt64(5e8), types.DecimalOf(10, 2))),
		"time":    op(plan.Ge, boolean, col("t"), lit(types.TS{Ms: 1 << 39}, types.TimestampOf(3))),
		"columns": op(plan.Lt, boolean, col("i"), col("j")),
		"float":   op(plan.Gt, boolean, col("f"), lit(0.5, types.Of(types.Double))),
		"null":    op(plan.IsNotNull, boolean, col("s")),
		"notTrue": op(plan.IsNotTrue, boolean, p["compare"]),
		"case":    op(plan.Case, boolean, p["compare"], col("b"), p["equal"]),
	}
}

func TestPredicatesDoNotAllocate(t *testing.T) {
	dst := make([]int32, 0, 1024)
	for name, e := range predicates() {
		p, err := CompilePredicate(e, benchSchema, testContext())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, nulls := range []int{0, 10} {
			b := benchBatch(1024, nulls)
			run := func() {
				if _, err := p.Select(b, nil, dst); err != nil {
					t.Fatal(err)
				}
			}
			run()
			run()
			if n := testing.AllocsPerRun(5, run); n != 0 {
				t.Errorf("%s with %d%% NULLs: %v allocations a batch", name, nulls, n)
			}
		}
	}
}

func BenchmarkProgram(b *testing.B) {
	for name, e := range programs() {
		b.Run(name, func(b *testing.B) {
			p, err := Compile([]plan.Expr{e}, benchSchema, testContext())
			if err != nil {
				b.Fatal(err)
			}
			batch := benchBatch(1024, 0)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.Eval(batch, nil); err != nil {
					b.Fatal(err)
				}
			}
			perRow(b)
		})
	}
}

func BenchmarkPredicate(b *testing.B) {
	dst := make([]int32, 0, 1024)
	for name, e := range predicates() {
		b.Run(name, func(b *testing.B) {
			p, err := CompilePredicate(e, benchSchema, testContext())
			if err != nil {
				b.Fatal(err)
			}
			batch := benchBatch(1024, 0)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.Select(batch, nil, dst); err != nil {
					b.Fatal(err)
				}
			}
			perRow(b)
		})
	}
}

func perRow(b *testing.B) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1024, "ns/row")
}
