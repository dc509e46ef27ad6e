package kernel

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// cases calls f with selections and marks of many sizes, around words of a bitmap too.
func cases(t *testing.T, f func(r *rand.Rand, n int, sel []int32, nulls vector.Bitmap)) {
	t.Helper()
	r := rand.New(rand.NewPCG(7, 7))
	for _, n := range []int{0, 1, 2, 63, 64, 65, 128, 130} {
		for range 20 {
			var nulls vector.Bitmap
			if r.IntN(4) > 0 {
				nulls = make(vector.Bitmap, vector.Words(n)+r.IntN(2))
				for i := range nulls {
					a, b := r.Uint64(), r.Uint64()
					nulls[i] = a & b // marks behind row n too
				}
				if r.IntN(4) == 0 {
					clear(nulls)
				}
			}
			f(r, n, nil, nulls)
			f(r, n, someRows(r, n), nulls)
		}
	}
}

func someRows(r *rand.Rand, n int) []int32 {
	sel := []int32{}
	share := r.IntN(4)
	for i := range n {
		if r.IntN(3) < share {
			sel = append(sel, int32(i))
		}
	}
	return sel
}

func live(sel []int32, n int) []int32 {
	if sel != nil {
		return sel
	}
	all := make([]int32, n)
	for i := range all {
		all[i] = int32(i)
	}
	return all
}

func where(sel []int32, n int, f func(i int) bool) []int32 {
	var out []int32
	for _, i := range live(sel, n) {
		if f(int(i)) {
			out = append(out, i)
		}
	}
	return out
}

// equalRows compares what was appended to a prefix of one row.
func equalRows(t *testing.T, name string, got, want []int32) {
	t.Helper()
	if len(got) == 0 || got[0] != -1 || !slices.Equal(got[1:], want) {
		t.Fatalf("%s: %v, want -1 and %v", name, got, want)
	}
}

func TestSelections(t *testing.T) {
	t.Parallel()
	cases(t, func(r *rand.Rand, n int, sel []int32, nulls vector.Bitmap) {
		equalRows(t, "NotNull", NotNull([]int32{-1}, nulls, sel, n), where(sel, n, func(i int) bool { return !nulls.Get(i) }))
		marked := where(sel, n, nulls.Get)
		equalRows(t, "IsNull", IsNull([]int32{-1}, nulls, sel, n), marked)
		rest := where(sel, n, func(i int) bool { return !nulls.Get(i) })
		equalRows(t, "Rest", Rest([]int32{-1}, sel, marked, n), rest)
		equalRows(t, "Merge", Merge([]int32{-1}, marked, rest), live(sel, n))
		for _, s := range [][]int32{NotNull(nil, nulls, sel, n), IsNull(nil, nulls, sel, n), Rest(nil, sel, live(sel, n), n), ChooseEqConst(nil, []int8{}, 0, sel[:0])} {
			if s == nil {
				t.Fatal("an empty selection is nil, which means all rows")
			}
		}
		for _, want := range []bool{true, false} {
			dst := make([]bool, n)
			NullFlags(dst, nulls, want, sel)
			for _, i := range live(sel, n) {
				if dst[i] != (nulls.Get(int(i)) == want) {
					t.Fatalf("NullFlags: row %d", i)
				}
			}
		}
	})
}

// TestChoosing compares the loops that choose rows and the loops that make
// booleans with the operators.
func TestChoosing(t *testing.T) {
	t.Parallel()
	type loop struct {
		name   string
		holds  func(a, b int8) bool
		choose func([]int32, []int8, []int8, []int32) []int32
		byC    func([]int32, []int8, int8, []int32) []int32
		flags  func([]bool, []int8, []int8, []int32)
		flagsC func([]bool, []int8, int8, []int32)
	}
	loops := []loop{
		{"=", func(a, b int8) bool { return a == b }, ChooseEq[int8], ChooseEqConst[int8], Eq[int8], EqConst[int8]},
		{"<>", func(a, b int8) bool { return a != b }, ChooseNe[int8], ChooseNeConst[int8], Ne[int8], NeConst[int8]},
		{"<", func(a, b int8) bool { return a < b }, ChooseLt[int8], ChooseLtConst[int8], Lt[int8], LtConst[int8]},
		{"<=", func(a, b int8) bool { return a <= b }, ChooseLe[int8], ChooseLeConst[int8], Le[int8], LeConst[int8]},
		{">", func(a, b int8) bool { return a > b }, ChooseGt[int8], ChooseGtConst[int8], Gt[int8], GtConst[int8]},
		{">=", func(a, b int8) bool { return a >= b }, ChooseGe[int8], ChooseGeConst[int8], Ge[int8], GeConst[int8]},
	}
	cases(t, func(r *rand.Rand, n int, sel []int32, _ vector.Bitmap) {
		a, b := make([]int8, n), make([]int8, n)
		for i := range a {
			a[i], b[i] = int8(r.IntN(4)-2), int8(r.IntN(4)-2)
		}
		c := int8(r.IntN(4) - 2)
		for _, l := range loops {
			vec := func(i int) bool { return l.holds(a[i], b[i]) }
			cst := func(i int) bool { return l.holds(a[i], c) }
			equalRows(t, l.name, l.choose([]int32{-1}, a, b, sel), where(sel, n, vec))
			equalRows(t, l.name+" const", l.byC([]int32{-1}, a, c, sel), where(sel, n, cst))
			dst := make([]bool, n)
			l.flags(dst, a, b, sel)
			equalRows(t, l.name+" flags", ChooseBool([]int32{-1}, dst, true, sel), where(sel, n, vec))
			equalRows(t, l.name+" flags", ChooseBool([]int32{-1}, dst, false, sel), where(sel, n, func(i int) bool { return !vec(i) }))
			for i := range dst {
				if dst[i] && sel != nil && !slices.Contains(sel, int32(i)) {
					t.Fatalf("%s: row %d was not selected", l.name, i)
				}
			}
			l.flagsC(dst, a, c, sel)
			equalRows(t, l.name+" const flags", ChooseBool([]int32{-1}, dst, true, sel), where(sel, n, cst))
		}
	})
}

func TestSigns(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 3))
	word := func() uint64 { return []uint64{0, 1, math.MaxUint64, 1 << 63, 1<<63 - 1, r.Uint64()}[r.IntN(6)] }
	for range 20000 {
		a, b := types.Dec{Hi: int64(word()), Lo: word()}, types.Dec{Hi: int64(word()), Lo: word()}
		got := make([]int8, 1)
		DecSigns(got, []types.Dec{a}, 2, []types.Dec{b}, 2, nil)
		if int(got[0]) != a.Cmp(b) {
			t.Fatalf("%v %v: %d", a, b, got[0])
		}
		x, y := types.TS{Ms: int64(word()), Ns: int32(r.IntN(3))}, types.TS{Ms: int64(word()), Ns: int32(r.IntN(3))}
		TSSigns(got, []types.TS{x}, []types.TS{y}, []int32{0})
		if int(got[0]) != x.Compare(y) {
			t.Fatalf("%v %v: %d", x, y, got[0])
		}
	}
}

// TestBounds: 10^p is out, what is below is in, whatever the sign.
func TestBounds(t *testing.T) {
	t.Parallel()
	one := types.DecFromInt64(1)
	for p := 1; p <= types.MaxDecimalPrecision; p++ {
		in := boundsOf(p)
		limit := types.Pow10(p)
		below, _ := limit.Sub(one)
		for _, d := range []types.Dec{limit, limit.Neg(), below, below.Neg(), {}, one, {Hi: math.MaxInt64, Lo: math.MaxUint64}, {Hi: math.MinInt64}} {
			if in.has(d) != d.FitsPrecision(p) {
				t.Errorf("%d digits: %v in bounds: %v", p, d, in.has(d))
			}
		}
	}
}

func TestSetsFindWhatTheyWereMadeOf(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, few, few + 1, 50} {
		vals, all := []float64{}, []float64{math.NaN(), math.Inf(1), math.Copysign(0, -1), 0.5}
		for i := range n {
			vals, all = append(vals, float64(i)), append(all, float64(i)+0.25, float64(i))
		}
		for _, nan := range []bool{false, true} {
			if nan {
				vals = append(vals, math.NaN())
			}
			got := make([]bool, len(all))
			NewSet(vals).In(got, all, nil)
			for i, v := range all {
				want := slices.ContainsFunc(vals, func(w float64) bool { return v == w || v != v && w != w })
				if got[i] != want {
					t.Errorf("%d values, NaN %v: %v in: %v", n, nan, v, got[i])
				}
			}
		}
	}
}

// TestAbsorbIsThreeValued tries AND and OR of all pairs of TRUE, FALSE and NULL.
func TestAbsorbIsThreeValued(t *testing.T) {
	t.Parallel()
	values := []types.Value{true, false, nil}
	for _, stop := range []bool{false, true} {
		a, b := vector.New(types.Of(types.Boolean), 0).(*vector.Flat[bool]), vector.New(types.Of(types.Boolean), 0).(*vector.Flat[bool])
		var want []types.Value
		for _, x := range values {
			for _, y := range values {
				vector.Append(a, x)
				vector.Append(b, y)
				switch {
				case x == stop || y == stop:
					want = append(want, stop)
				case x == nil || y == nil:
					want = append(want, nil)
				default:
					want = append(want, !stop)
				}
			}
		}
		sel := Undecided(nil, a.Vals, a.Null, stop, nil)
		rest := Absorb(nil, a, b.Vals, b.Null, stop, sel)
		for i, w := range want {
			if got := vector.Get(a, i); got != w {
				t.Errorf("stop %v: row %d is %v, want %v", stop, i, got, w)
			}
			if slices.Contains(rest, int32(i)) != (w != stop) {
				t.Errorf("stop %v: row %d, %v, left: %v", stop, i, w, rest)
			}
		}
	}
}

// castValues are values of many types, with those that casts go wrong about.
func castValues() map[string][]types.Value {
	text := []types.Value{"", " ", "1", " -7 ", "1.9", "1e2", "99999999999", "9223372036854775808", "128", "0x10", "NaN", "-Infinity", "true", "Y", "no",
		"2024-02-29", "2024-02-30", "2024", "12:30:15.123", "24:00:00", "2024-02-29 23:59:59.999999999", "2024-10-27 02:30:00", "2024-03-31 02:30:00", "zö€", "\xff"}
	ints := func(vals ...int64) (i8, i16, i32, i64 []types.Value) {
		for _, v := range vals {
			i8, i16, i32, i64 = append(i8, int8(v)), append(i16, int16(v)), append(i32, int32(v)), append(i64, v)
		}
		return
	}
	i8, i16, i32, i64 := ints(0, 1, -1, 127, -128, 300, 70000, math.MaxInt32, math.MinInt32, math.MaxInt64, math.MinInt64, 86399999)
	floats, singles := []types.Value{}, []types.Value{}
	for _, f := range []float64{0, math.Copysign(0, -1), 0.5, -2.9, 1e10, -1e20, 1e38, math.NaN(), math.Inf(1), math.Inf(-1), 123.456, math.MaxFloat64} {
		floats, singles = append(floats, f), append(singles, float32(f))
	}
	decs := []types.Value{types.Dec{}, types.DecFromInt64(12345), types.DecFromInt64(-12355), types.DecFromInt64(9999999999)}
	stamps := []types.Value{types.TS{}, types.TS{Ms: -1, Ns: 999999}, types.TS{Ms: 1729990800123, Ns: 456789}, types.TS{Ms: 1711848600000}, types.TS{Ms: -62135596800000}}
	var millis []types.Value
	for _, s := range stamps {
		millis = append(millis, s.(types.TS).Truncate(3))
	}
	return map[string][]types.Value{
		"STRING": text, "VARCHAR(3)": {"abc", "", "1", "zö€"}, "CHAR(2)": {"1 ", "ab", "€€"}, "BYTES": text, "BINARY(2)": {"ab", "\xff\x00"},
		"BOOLEAN": {true, false}, "TINYINT": i8, "SMALLINT": i16, "INT": i32, "BIGINT": i64, "FLOAT": singles, "DOUBLE": floats,
		"DECIMAL(10, 2)": decs, "DECIMAL(5, 0)": decs[:3], "DECIMAL(38, 10)": append(decs, must(types.Pow10(38).Sub(types.DecFromInt64(1)))),
		"DATE": {int32(0), int32(-1), int32(19782), int32(2932896)}, "TIME(0)": {int32(0), int32(45296000)}, "TIME(3)": {int32(86399999)},
		"TIMESTAMP(0)": {types.TS{}, types.TS{Ms: -1000}}, "TIMESTAMP(3)": millis, "TIMESTAMP(9)": stamps, "TIMESTAMP_LTZ(3)": millis,
		"INTERVAL DAY(3) TO SECOND(3)": i64[:8], "INTERVAL YEAR TO MONTH": i32[:5],
		"ARRAY<INT>": {[]types.Value{}, []types.Value{int32(1), nil}}, "ARRAY<STRING>": {[]types.Value{"1", nil}, []types.Value{"x"}},
		"MAP<STRING, INT>":     {&types.MapValue{Keys: []types.Value{"1"}, Vals: []types.Value{int32(2)}}},
		"MULTISET<STRING>":     {&types.MapValue{Keys: []types.Value{"1"}, Vals: []types.Value{int32(2)}}},
		"ROW<a INT, b STRING>": {[]types.Value{int32(1), "2"}, []types.Value{nil, nil}},
	}
}

func must(d types.Dec, ok bool) types.Dec {
	if !ok {
		panic("out of range")
	}
	return d
}

// TestCastsAgreeWithCastValue casts all values of all types to all types, as
// CAST and TRY_CAST, in all rows and in some.
func TestCastsAgreeWithCastValue(t *testing.T) {
	t.Parallel()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	parse := func(s string) types.Type {
		typ, err := types.ParseType(s)
		if err != nil {
			t.Fatal(err)
		}
		return typ
	}
	pairs, failures := 0, 0
	for name, vals := range castValues() {
		from := parse(name)
		src := vector.New(from, 0)
		for _, v := range vals {
			vector.Append(src, v)
		}
		for toName := range castValues() {
			to := parse(toName)
			if ok, _ := types.Castable(from, to); !ok {
				if _, err := NewCast(from, to, Casts{}); err == nil {
					t.Errorf("%s to %s: no error", from, to)
				}
				continue
			}
			pairs++
			for _, try := range []bool{false, true} {
				cast, err := NewCast(from, to, Casts{Zone: zone, Try: try})
				if err != nil {
					t.Fatal(err)
				}
				dst := vector.New(to, 0)
				for i, v := range vals {
					want, wantErr := types.CastValue(v, from, to, zone, try)
					dst.Resize(len(vals))
					err := cast(dst, src, []int32{int32(i)})
					var row *function.RowError
					switch {
					case wantErr != nil:
						failures++
						if !errors.As(err, &row) || row.Row != i || row.Err.Error() != wantErr.Error() {
							t.Errorf("%s %#v to %s: %v, want %v", from, v, to, err, wantErr)
						}
					case err != nil:
						t.Errorf("%s %#v to %s: %v", from, v, to, err)
					case !types.EqualValues(vector.Get(dst, i), want, to):
						t.Errorf("%s %#v to %s: %#v, want %#v", from, v, to, vector.Get(dst, i), want)
					case Free(from, to) && !types.EqualValues(v, want, from):
						t.Errorf("%s to %s is not free: %#v becomes %#v", from, to, v, want)
					}
				}
				dst.Resize(len(vals))
				if err := cast(dst, src, nil); err == nil {
					for i, v := range vals {
						if want, _ := types.CastValue(v, from, to, zone, try); !types.EqualValues(vector.Get(dst, i), want, to) {
							t.Errorf("%s %#v to %s in all rows: %#v, want %#v", from, v, to, vector.Get(dst, i), want)
						}
					}
				} else if try {
					t.Errorf("TRY_CAST %s to %s: %v", from, to, err)
				}
			}
		}
	}
	if pairs < 150 || failures < 100 {
		t.Errorf("%d pairs, %d failures: too few", pairs, failures)
	}
}

// TestAssignOfAnyType copies rows of nested and flat vectors to the same places.
func TestAssignOfAnyType(t *testing.T) {
	t.Parallel()
	for name, vals := range castValues() {
		typ, err := types.ParseType(name)
		if err != nil {
			t.Fatal(err)
		}
		vals = append(slices.Clone(vals), nil, vals[0])
		src, dst := vector.New(typ, 0), vector.New(typ, 0)
		for _, v := range vals {
			vector.Append(src, v)
		}
		for range 2 { // memory is used again
			dst.Resize(len(vals))
			even, odd := []int32{}, []int32{}
			for i := range vals {
				if i%2 == 0 {
					even = append(even, int32(i))
				} else {
					odd = append(odd, int32(i))
				}
			}
			Assign(dst, src, odd)
			Assign(dst, vector.NewConst(typ, vals[0], len(vals)), even)
			for i, v := range vals {
				if i%2 == 0 {
					v = vals[0]
				}
				if got := vector.Get(dst, i); !types.EqualValues(got, v, typ) {
					t.Errorf("%s: row %d is %#v, want %#v", name, i, got, v)
				}
			}
			dst.Resize(len(vals))
			Assign(dst, src, nil)
			for i, v := range vals {
				if got := vector.Get(dst, i); !types.EqualValues(got, v, typ) {
					t.Errorf("%s: row %d of all is %#v, want %#v", name, i, got, v)
				}
			}
			dst.Resize(3)
			Assign(dst, vector.NewConst(typ, nil, 3), nil)
			if got := vector.Get(dst, 2); got != nil {
				t.Errorf("%s: %#v is not NULL", name, got)
			}
		}
	}
}

func TestOrNullsReachesFields(t *testing.T) {
	t.Parallel()
	row := types.RowOf(types.Field{Name: "a", Type: types.Of(types.Int)}, types.Field{Name: "b", Type: types.ArrayOf(types.String())})
	for _, typ := range []types.Type{types.Of(types.Int), types.String(), types.ArrayOf(types.Of(types.Int)), row} {
		v := vector.New(typ, 0)
		v.Resize(70)
		OrNulls(v, nil)
		if v.Nulls() != nil {
			t.Errorf("%s: a bitmap of no NULLs", typ)
		}
		OrNulls(v, vector.Bitmap{1 << 5, 1<<1 | 1<<63})
		for i := range 70 {
			if v.IsNull(i) != (i == 5 || i == 65) {
				t.Errorf("%s: row %d NULL: %v", typ, i, v.IsNull(i))
			}
			if r, ok := v.(*vector.Row); ok && r.Cols[1].IsNull(i) != r.IsNull(i) {
				t.Errorf("field of row %d", i)
			}
		}
		AllNull(v)
		if !v.IsNull(0) || !v.IsNull(69) {
			t.Errorf("%s: not all NULL", typ)
		}
	}
}
