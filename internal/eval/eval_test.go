package eval

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// TestMeaning pins what the reference engine answers.
func TestMeaning(t *testing.T) {
	t.Parallel()
	i32, i8, f64, str := types.Of(types.Int), types.Of(types.TinyInt), types.Of(types.Double), types.String()
	ym := types.Of(types.IntervalYM)
	dec := types.DecimalOf
	d := func(unscaled int64, p, s int) plan.Expr { return lit(types.DecFromInt64(unscaled), dec(p, s)) }
	day := func(y, m, dd int) int32 { return int32(types.DaysFromCivil(y, m, dd)) }
	ts := func(y, m, dd, h, mi, s, ms int) types.TS { return types.TSFromCivil(y, m, dd, h, mi, s, ms*1e6) }
	nan := lit(math.NaN(), f64)
	null := &plan.Literal{T: types.Type{Kind: types.Null, Nullable: true}}
	f := func(e plan.Expr, want types.Value) {
		t.Helper()
		got, err := Const(e, testContext())
		if err != nil {
			got = err.Error()
		}
		if !types.EqualValues(got, want, e.Type()) {
			t.Errorf("%s is %#v, want %#v", show(e), got, want)
		}
	}
	f(op(plan.Add, i32, lit(int32(math.MaxInt32), i32), lit(int32(1), i32)), int32(math.MinInt32))
	f(op(plan.Add, i8, lit(int8(127), i8), lit(int8(1), i8)), int8(-128))
	f(op(plan.Div, i32, lit(int32(-7), i32), lit(int32(2), i32)), int32(-3))
	f(op(plan.Div, i32, lit(int32(math.MinInt32), i32), lit(int32(-1), i32)), int32(math.MinInt32))
	f(op(plan.Mod, i32, lit(int32(-7), i32), lit(int32(2), i32)), int32(-1))
	f(op(plan.Mod, i8, lit(int32(300), i32), lit(int8(7), i8)), int8(6))
	f(op(plan.Mod, dec(2, 1), d(55, 2, 1), d(2, 1, 0)), types.DecFromInt64(15))
	f(op(plan.Mod, i32, d(-7, 5, 0), lit(int32(4), i32)), int32(-3))
	f(op(plan.Div, i32, lit(int32(1), i32), lit(int32(0), i32)), "division by zero")
	f(op(plan.Div, dec(20, 6), d(1, 5, 0), d(0, 5, 0)), "division by zero")
	f(op(plan.Div, f64, lit(1.0, f64), lit(0.0, f64)), math.Inf(1))
	f(op(plan.Div, f64, lit(0.0, f64), lit(0.0, f64)), math.NaN())
	f(op(plan.Mul, f64, lit(1e308, f64), lit(10.0, f64)), math.Inf(1))
	f(op(plan.Add, dec(5, 2), d(99999, 5, 2), d(1, 5, 2)), nil)
	f(op(plan.Add, dec(38, 0), lit(types.Pow10(37), dec(38, 0)), lit(types.Pow10(37), dec(38, 0))), must(types.Pow10(37).Add(types.Pow10(37))))
	f(op(plan.Mul, dec(10, 1), d(15, 3, 1), d(15, 3, 1)), types.DecFromInt64(23)) // 2.25, half up
	f(op(plan.Eq, boolean, nan, nan), true)
	f(op(plan.Gt, boolean, nan, lit(1.0, f64)), false)
	f(op(plan.Lt, boolean, nan, lit(1.0, f64)), false)
	f(op(plan.Not, boolean, op(plan.Lt, boolean, nan, lit(1.0, f64))), true)
	f(op(plan.Eq, boolean, lit(0.0, f64), lit(math.Copysign(0, -1), f64)), true)
	f(op(plan.In, boolean, nan, lit(1.0, f64), nan), true)
	f(op(plan.Eq, boolean, lit("abc  ", types.CharOf(5)), lit("abc", str)), false)
	f(op(plan.In, boolean, lit("abc", types.CharOf(3)), lit("abcd", types.CharOf(4))), false)
	f(op(plan.In, boolean, lit(int32(1), i32), lit(types.DecFromInt64(15), dec(2, 1)), d(10, 2, 1)), true)
	f(op(plan.In, boolean, lit(int32(1), i32), lit(types.DecFromInt64(15), dec(2, 1))), false)
	f(op(plan.In, boolean, lit(int32(2), i32), lit(int32(1), i32), null), nil)
	f(op(plan.And, boolean, null, lit(false, boolean)), false)
	f(op(plan.And, boolean, null, lit(true, boolean)), nil)
	f(op(plan.Or, boolean, null, lit(true, boolean)), true)
	f(op(plan.Eq, boolean, null, lit(int32(1), i32)), nil)
	f(op(plan.NotDistinct, boolean, null, null), true)
	f(op(plan.Distinct, boolean, null, lit(int32(1), i32)), true)
	f(op(plan.Coalesce, i32, lit(int32(1), i32), op(plan.Div, i32, lit(int32(1), i32), lit(int32(0), i32))), int32(1))
	f(op(plan.Add, types.Of(types.Date), lit(day(2024, 1, 31), types.Of(types.Date)), lit(int32(1), ym)), day(2024, 2, 29))
	f(op(plan.Add, types.Of(types.Date), lit(int64(types.MsPerDay), intervalDS), lit(day(2024, 2, 29), types.Of(types.Date))), day(2024, 3, 1))
	f(op(plan.Add, types.Of(types.Date), lit(day(2024, 2, 29), types.Of(types.Date)), lit(int64(types.MsPerHour), intervalDS)), day(2024, 2, 29))
	f(op(plan.Sub, types.Of(types.Date), lit(day(2024, 2, 29), types.Of(types.Date)), lit(int64(types.MsPerHour), intervalDS)), day(2024, 2, 29))
	f(op(plan.Sub, types.TimeOf(0), lit(int32(45296000), types.TimeOf(0)), lit(int64(13*types.MsPerHour), intervalDS)), int32(84896000))
	f(op(plan.Sub, types.TimestampOf(0), lit(types.TS{}, types.TimestampOf(0)), lit(int64(1), intervalDS)), types.TS{Ms: -1000})
	f(op(plan.Sub, intervalDS, lit(ts(2024, 2, 29, 12, 34, 56, 789), types.TimestampOf(3)), lit(ts(1969, 12, 31, 23, 59, 59, 1), types.TimestampOf(3))), int64(19782*types.MsPerDay+12*types.MsPerHour+34*types.MsPerMinute+57788))
	f(op(plan.Sub, ym, lit(ts(2024, 3, 31, 0, 0, 0, 0), types.TimestampOf(3)), lit(ts(2024, 2, 29, 0, 0, 0, 1), types.TimestampOf(3))), int32(1))
	f(op(plan.Sub, ym, lit(ts(2024, 2, 29, 0, 0, 0, 0), types.TimestampOf(3)), lit(ts(2024, 3, 29, 0, 0, 0, 1), types.TimestampOf(3))), int32(-1))
	f(op(plan.Mul, intervalDS, lit(int32(3), i32), lit(int64(types.MsPerDay), intervalDS)), int64(3*types.MsPerDay))
	f(op(plan.Neg, intervalDS, lit(int64(5), intervalDS)), int64(-5))
	f(&plan.Cast{X: lit(int32(300), i32), T: i8}, int8(44))
	f(&plan.Cast{X: lit(-2.9, f64), T: i32}, int32(-2))
	f(&plan.Cast{X: lit("70000", str), T: types.Of(types.SmallInt), Try: true}, nil)
	f(&plan.Cast{X: d(1234567, 7, 1), T: dec(5, 2)}, nil)
	f(&plan.Cast{X: lit("x", str), T: i32}, "cast failed: VARCHAR 'x' is no INT")
	f(op(plan.Eq, boolean, lit([]types.Value{int32(1), nil}, types.ArrayOf(i32)), lit([]types.Value{int32(1), nil}, types.ArrayOf(i32))), true)
	f(op(plan.Lt, boolean, lit([]types.Value{int32(1)}, types.ArrayOf(i32)), lit([]types.Value{int32(2)}, types.ArrayOf(i32))), true)
	f(op(plan.MakeMap, types.MapOf(str, i32), lit("a", str), lit(int32(1), i32), lit("a", str), lit(int32(2), i32)),
		&types.MapValue{Keys: []types.Value{"a"}, Vals: []types.Value{int32(2)}})
}

func must[T any](v T, ok bool) T {
	if !ok {
		panic("no value")
	}
	return v
}

// counter is a function that counts the rows it is called for.
func counter(volatile bool, rule function.NullRule) (*function.Def, *int, *[]function.Arg) {
	calls, seen := new(int), new([]function.Arg)
	return &function.Def{Name: "COUNTER", Volatile: volatile, Nulls: rule, Scalar: &function.Scalar{
		Bind: func(_ *function.Context, args []function.Arg, _ types.Type) (function.Call, error) {
			*seen = args
			return func(_ []vector.Vector, sel []int32, out vector.Vector) error {
				rows(out.Len(), sel, func(i int) {
					*calls++
					out.(*vector.Flat[int64]).Vals[i] = int64(*calls)
				})
				return nil
			}, nil
		},
	}}, calls, seen
}

func TestEqualSubexpressionsAreComputedOnce(t *testing.T) {
	t.Parallel()
	b := benchBatch(10, 0)
	gt := op(plan.Gt, boolean, col("i"), whole(512))
	f := func(volatile bool, want int, exprs func(call func() plan.Expr) []plan.Expr) {
		t.Helper()
		def, calls, _ := counter(volatile, function.Strict)
		call := func() plan.Expr { return &plan.Call{Fn: def, Args: []plan.Expr{col("i")}, T: bigint} }
		p, err := Compile(exprs(call), benchSchema, testContext())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Eval(b, nil); err != nil {
			t.Fatal(err)
		}
		if *calls != want {
			t.Errorf("volatile %v: %d calls, want %d", volatile, *calls, want)
		}
	}
	twice := func(call func() plan.Expr) []plan.Expr {
		return []plan.Expr{op(plan.Add, bigint, call(), whole(1)), op(plan.Mul, bigint, call(), call())}
	}
	f(false, 10, twice)
	f(true, 30, twice)
	// What an AND computes for some rows is not there for all, but for its later operands it is.
	f(false, 10, func(call func() plan.Expr) []plan.Expr {
		return []plan.Expr{call(), op(plan.And, boolean, gt, op(plan.Gt, boolean, call(), whole(0)))}
	})
	chosen := 0
	for i := range 10 {
		if b.Row(i)[0].(int64) > 512 {
			chosen++
		}
	}
	f(false, 10+chosen, func(call func() plan.Expr) []plan.Expr {
		positive := op(plan.Gt, boolean, call(), whole(0))
		return []plan.Expr{op(plan.And, boolean, gt, positive, op(plan.Lt, boolean, call(), whole(1000))), call()}
	})
}

func TestFunctionsAreBoundWithConstants(t *testing.T) {
	t.Parallel()
	def, _, seen := counter(true, function.Called)
	call := &plan.Call{Fn: def, Args: []plan.Expr{col("i"), op(plan.Add, bigint, whole(1), whole(2))}, T: bigint}
	if _, err := Compile([]plan.Expr{call}, benchSchema, testContext()); err != nil {
		t.Fatal(err)
	}
	if a := *seen; len(a) != 2 || a[0].Const || !a[1].Const || a[1].Value != int64(3) || a[1].Type.Kind != types.BigInt {
		t.Errorf("bound with %+v", a)
	}
}

func TestVolatileCallsOfConstantsAreMadeForEachRow(t *testing.T) {
	t.Parallel()
	def, calls, _ := counter(true, function.Strict)
	e := &plan.Call{Fn: def, Args: []plan.Expr{whole(1)}, T: bigint}
	p, err := Compile([]plan.Expr{e}, benchSchema, testContext())
	if err != nil {
		t.Fatal(err)
	}
	got, err := p.Eval(benchBatch(10, 0), []int32{1, 2, 9})
	if err != nil || *calls != 3 || vector.Get(got[0], 9) != int64(3) {
		t.Errorf("%d calls, %v", *calls, err)
	}
}

func TestErrorsNameTheirRow(t *testing.T) {
	t.Parallel()
	in := types.NewSchema(types.Field{Name: "a", Type: types.Of(types.Int)}, types.Field{Name: "s", Type: types.String()})
	b := vector.NewBatch(in, 4)
	b.AppendValues(types.Insert, int32(1), "1")
	b.AppendValues(types.Insert, nil, nil)
	b.AppendValues(types.Insert, int32(0), "x")
	b.AppendValues(types.Insert, int32(0), "y")
	a := &plan.Column{Index: 0, T: types.Of(types.Int)}
	s := &plan.Column{Index: 1, T: types.String()}
	one := lit(int32(1), types.Of(types.Int))
	f := func(e plan.Expr, sel []int32, want int) {
		t.Helper()
		p, err := Compile([]plan.Expr{e}, in, testContext())
		if err != nil {
			t.Fatal(err)
		}
		_, err = p.Eval(b, sel)
		var row *function.RowError
		switch {
		case want < 0:
			if err != nil {
				t.Errorf("%s: %v", show(e), err)
			}
		case !errors.As(err, &row) || row.Row != want:
			t.Errorf("%s: %v, want row %d", show(e), err, want)
		}
	}
	quotient := op(plan.Div, types.Of(types.Int), one, a)
	f(quotient, nil, 2)
	f(quotient, []int32{0, 1, 3}, 3)
	f(quotient, []int32{0, 1}, -1)
	f(quotient, []int32{}, -1)
	f(&plan.Cast{X: s, T: types.Of(types.Int)}, nil, 2)
	f(&plan.Cast{X: s, T: types.Of(types.Int)}, []int32{3}, 3)
	f(&plan.Cast{X: s, T: types.Of(types.Int), Try: true}, nil, -1)
	constant := op(plan.Div, types.Of(types.Int), one, lit(int32(0), types.Of(types.Int)))
	f(constant, []int32{1, 2}, 1)
	f(constant, []int32{}, -1)
	positive := op(plan.Gt, boolean, a, lit(int32(0), types.Of(types.Int)))
	f(op(plan.Case, types.Of(types.Int), positive, quotient, lit(int32(0), types.Of(types.Int))), nil, -1)
	f(op(plan.Case, types.Of(types.Int), op(plan.Not, boolean, positive), constant), nil, 2)
	f(op(plan.And, boolean, positive, op(plan.Gt, boolean, quotient, one)), nil, -1)
	f(op(plan.Or, boolean, op(plan.IsNotTrue, boolean, positive), op(plan.Gt, boolean, quotient, one)), nil, -1)
}

func TestErrorsSayWhere(t *testing.T) {
	t.Parallel()
	span := diag.Span{Start: 7, End: 12, Line: 1, Col: 8}
	quotient := op(plan.Div, bigint, whole(1), whole(0))
	quotient.Span = span
	cast := &plan.Cast{X: col("s"), T: bigint, Span: span}
	half := &plan.Call{Fn: halfDef, Args: []plan.Expr{lit(int32(3), types.Of(types.Int))}, T: types.Of(types.Int), Span: span}
	for _, e := range []plan.Expr{quotient, cast, half} {
		p, err := Compile([]plan.Expr{e}, benchSchema, testContext())
		if err != nil {
			t.Fatal(err)
		}
		_, err = p.Eval(benchBatch(5, 0), []int32{2, 3})
		var row *function.RowError
		if !errors.As(err, &row) || row.Row != 2 || !strings.HasPrefix(err.Error(), "1:8: ") || diag.CodeOf(err) != diag.BadValue {
			t.Errorf("%s: %v", show(e), err)
		}
		if e == plan.Expr(quotient) && !errors.Is(err, ErrDivisionByZero) {
			t.Errorf("%v does not wrap its cause", err)
		}
	}
}

// TestFoldKeepsWhatMustStay: failing, volatile and column parts.
func TestFoldKeepsWhatMustStay(t *testing.T) {
	t.Parallel()
	volatile, calls, _ := counter(true, function.Strict)
	stable, _, _ := counter(false, function.Strict)
	call := func(d *function.Def) plan.Expr { return &plan.Call{Fn: d, Args: []plan.Expr{whole(1)}, T: bigint} }
	fails := op(plan.Div, bigint, whole(1), whole(0))
	yes, no, null := lit(true, boolean), lit(false, boolean), &plan.Literal{T: boolean}
	f := func(e plan.Expr, want string) {
		t.Helper()
		got, err := Fold(e, testContext())
		if err != nil || show(got) != want {
			t.Errorf("%s folds to %s, %v, want %s", show(e), show(got), err, want)
		}
	}
	f(op(plan.Add, bigint, col("i"), op(plan.Add, bigint, whole(1), whole(2))), "+[i, 3:BIGINT]:BIGINT")
	f(op(plan.Add, bigint, whole(1), fails), "+[1:BIGINT NOT NULL, /[1:BIGINT NOT NULL, 0:BIGINT NOT NULL]:BIGINT]:BIGINT")
	f(op(plan.Add, bigint, call(volatile), call(stable)), "+[COUNTER(1:BIGINT NOT NULL), 1:BIGINT]:BIGINT")
	if *calls != 0 {
		t.Error("a volatile function was called")
	}
	f(op(plan.And, boolean, yes, col("b")), "b")
	f(op(plan.And, boolean, col("b"), no, col("b")), "AND[b, false:BOOLEAN NOT NULL]:BOOLEAN")
	f(op(plan.And, boolean, no, op(plan.Eq, boolean, fails, fails)), "false:BOOLEAN NOT NULL")
	f(op(plan.And, boolean, null, col("b")), "AND[<nil>:BOOLEAN, b]:BOOLEAN")
	f(op(plan.Or, boolean, no, yes), "true:BOOLEAN NOT NULL")
	f(op(plan.Case, bigint, no, fails, col("b"), whole(1), yes, whole(2), fails), "CASE[b, 1:BIGINT NOT NULL, 2:BIGINT NOT NULL]:BIGINT")
	f(op(plan.Case, bigint, yes, col("i"), fails), "i")
	f(op(plan.Case, bigint, null, fails), "<nil>:BIGINT")
	f(op(plan.Coalesce, bigint, &plan.Literal{T: bigint}, col("i"), whole(3), fails), "COALESCE[i, 3:BIGINT NOT NULL]:BIGINT")
	if e, err := Fold(call(stable), nil); err != nil || show(e) != "COUNTER(1:BIGINT NOT NULL)" {
		t.Errorf("without a context: %s, %v", show(e), err)
	}
	if _, err := Const(call(volatile), testContext()); err == nil {
		t.Error("a volatile function is constant")
	}
	if _, err := Const(col("i"), testContext()); err == nil {
		t.Error("a column is constant")
	}
}

// TestIllTypedIsAnError: whatever operands an operator is given, Compile gives
// an error or a program that runs.
func TestIllTypedIsAnError(t *testing.T) {
	t.Parallel()
	rejected := 0
	for seed := range uint64(5000) {
		r := &random{rand.New(rand.NewPCG(seed, 4)), randomSchema()}
		args := make([]plan.Expr, r.IntN(4))
		for i := range args {
			args[i] = r.leaf(r.typ())
			if r.IntN(10) == 0 {
				args[i] = &plan.Literal{T: types.Type{Kind: types.Null, Nullable: true}}
			}
		}
		e := &plan.OpExpr{Op: plan.Op(r.IntN(int(plan.MakeMap) + 2)), Args: args, T: r.typ(), Index: r.IntN(4) - 1}
		b := r.batch(5)
		p, err := Compile([]plan.Expr{e}, r.in, testContext())
		if err != nil {
			if msg := err.Error(); !strings.HasPrefix(msg, "eval: ") || strings.Contains(msg, "%!") {
				t.Fatal(msg)
			}
			rejected++
		} else if got, err := p.Eval(b, nil); err == nil {
			for i := range b.N {
				vector.Get(got[0], i)
			}
			if got[0].Type().Phys() != e.T.Phys() {
				t.Fatalf("seed %d: %s is %s", seed, show(e), got[0].Type())
			}
		}
		if e.T.Kind == types.Boolean {
			if p, err := CompilePredicate(e, r.in, testContext()); err == nil {
				_, _ = p.Select(b, nil, nil)
			}
		}
	}
	if rejected < 1500 {
		t.Errorf("only %d of 5000 rejected", rejected)
	}
}

func TestOddExpressionsAreErrors(t *testing.T) {
	t.Parallel()
	for _, e := range []plan.Expr{
		&plan.Outer{Name: "x", T: bigint}, &plan.Subquery{T: boolean}, &plan.Column{Index: 99, T: bigint},
		&plan.Column{Index: 0, T: types.String(), Name: "i"}, &plan.Cast{X: col("i"), T: types.ArrayOf(bigint)},
		&plan.Call{Fn: &function.Def{Name: "SUM"}, T: bigint}, op(plan.And, boolean), op(plan.Eq, boolean, col("i")),
		op(plan.Field, bigint, col("i")), op(plan.Op(200), bigint, col("i")),
	} {
		if _, err := Compile([]plan.Expr{e}, benchSchema, testContext()); err == nil {
			t.Errorf("%T %s compiles", e, show(e))
		}
	}
	if _, err := CompilePredicate(col("i"), benchSchema, testContext()); err == nil {
		t.Error("a number is a condition")
	}
	bad := &function.Def{Name: "BAD", Scalar: &function.Scalar{
		Bind: func(*function.Context, []function.Arg, types.Type) (function.Call, error) { return nil, errOracle },
	}}
	_, err := Compile([]plan.Expr{&plan.Call{Fn: bad, T: bigint}}, benchSchema, testContext())
	if !errors.Is(err, errOracle) || !strings.HasPrefix(fmt.Sprint(err), "BAD: ") {
		t.Errorf("bind error: %v", err)
	}
}

// TestManyOperands: a condition of thousands of parts compiles in no time and runs.
func TestManyOperands(t *testing.T) {
	t.Parallel()
	or := op(plan.Or, boolean)
	for i := range 5000 {
		or.Args = append(or.Args, op(plan.Eq, boolean, op(plan.Add, bigint, col("i"), whole(int64(i))), whole(-1)))
	}
	or.Args = append(or.Args, op(plan.Gt, boolean, col("i"), whole(512)))
	b := benchBatch(100, 5)
	p, err := CompilePredicate(or, benchSchema, testContext())
	if err != nil {
		t.Fatal(err)
	}
	got, err := p.Select(b, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for i := range b.N {
		if v, ok := b.Row(i)[0].(int64); ok && v > 512 {
			n++
		}
	}
	if len(got) != n || n == 0 {
		t.Errorf("%d rows, want %d", len(got), n)
	}
}

// TestRegistersLiveAsLongAsTheirOtherNames: a cast that changes the type alone
// shares the memory of its operand, which must not be used for another value.
func TestRegistersLiveAsLongAsTheirOtherNames(t *testing.T) {
	t.Parallel()
	later := func(ms int64) plan.Expr {
		sum := op(plan.Add, types.TimestampOf(3), col("t"), lit(ms, intervalDS))
		return &plan.Cast{X: sum, T: types.TimestampOf(9)}
	}
	p, err := Compile([]plan.Expr{op(plan.Sub, intervalDS, later(6000), later(5000))}, benchSchema, testContext())
	if err != nil {
		t.Fatal(err)
	}
	got, err := p.Eval(benchBatch(3, 0), nil)
	if err != nil || vector.Get(got[0], 1) != int64(1000) {
		t.Errorf("%v, %v", vector.Get(got[0], 1), err)
	}
}

// TestConstantColumnsMayChange: a column that is constant in one batch has
// another value, or many, in the next.
func TestConstantColumnsMayChange(t *testing.T) {
	t.Parallel()
	e := []plan.Expr{
		op(plan.Div, bigint, col("i"), col("j")), op(plan.Sub, types.DecimalOf(11, 2), col("d"), col("d2")),
		op(plan.Add, types.DecimalOf(11, 2), col("d"), col("d2")), op(plan.Case, bigint, col("b"), col("i"), col("j")),
		op(plan.And, boolean, col("b"), op(plan.Lt, boolean, col("i"), col("j"))), op(plan.Distinct, boolean, col("s"), col("text")),
		op(plan.Sub, types.TimestampOf(3), col("t"), lit(int64(1), intervalDS)), op(plan.In, boolean, col("n"), lit(int32(1), types.Of(types.Int))),
	}
	p, err := Compile(e, benchSchema, testContext())
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(9, 9))
	for range 300 {
		b := benchBatch(1+r.IntN(8), 20*r.IntN(2))
		for c := range b.Cols {
			if r.IntN(2) == 0 {
				b.Cols[c] = vector.NewConst(b.Cols[c].Type(), vector.Get(b.Cols[c], r.IntN(b.N)), b.N)
			}
		}
		got, err := p.Eval(b, nil)
		if err != nil {
			t.Fatal(err)
		}
		for k, x := range e {
			for i, want := range answers(x, b) {
				if g := vector.Get(got[k], i); want.err != nil || !types.EqualValues(g, want.v, x.Type()) {
					t.Fatalf("%s: row %d is %v, want %v\n%v", show(x), i, g, want, b.Row(i))
				}
			}
		}
	}
}
