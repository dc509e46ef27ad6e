package types

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"strconv"
	"testing"
)

func (d Dec) big() *big.Int {
	b := new(big.Int).Lsh(big.NewInt(d.Hi), 64)
	return b.Add(b, new(big.Int).SetUint64(d.Lo))
}

// fromBig returns b as a Dec; false if it does not fit.
func fromBig(b *big.Int) (Dec, bool) {
	lim := new(big.Int).Lsh(big.NewInt(1), 127)
	if b.CmpAbs(lim) >= 0 {
		return Dec{}, false
	}
	m := new(big.Int).Abs(b)
	lo := new(big.Int).And(m, new(big.Int).SetUint64(math.MaxUint64)).Uint64()
	d := Dec{Hi: new(big.Int).Rsh(m, 64).Int64(), Lo: lo}
	if b.Sign() < 0 {
		d = d.Neg()
	}
	return d, true
}

func bigPow10(n int) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil)
}

// roundDiv is a/b, half away from zero.
func roundDiv(a, b *big.Int) *big.Int {
	q, r := new(big.Int).QuoRem(a, b, new(big.Int))
	if r.Abs(r).Lsh(r, 1).CmpAbs(b) >= 0 {
		q.Add(q, big.NewInt(int64(a.Sign()*b.Sign())))
	}
	return q
}

func bigRescale(a *big.Int, from, to int) *big.Int {
	if to >= from {
		return new(big.Int).Mul(a, bigPow10(to-from))
	}
	return roundDiv(a, bigPow10(from-to))
}

// randDec draws numbers of all lengths, borders included.
func randDec(r *rand.Rand) Dec {
	var d Dec
	switch n := r.IntN(40); {
	case n == 0:
		d = Dec{}
	case n == 1:
		d = DecFromInt64([]int64{1, math.MaxInt64, math.MinInt64, 1 << 32}[r.IntN(4)])
	case n == 2:
		d, _ = Pow10(38).Sub(DecFromInt64(1))
	case n == 3:
		d = Pow10(r.IntN(38))
	case n == 4:
		d = Dec{Hi: int64(r.Uint64() >> 2)}
	default:
		d = Dec{Hi: int64(r.Uint64() >> 1), Lo: r.Uint64()}
		m, _ := d.magnitude()
		d, _ = m.dropDigits(r.IntN(39), false).signed(false)
	}
	if !d.FitsPrecision(38) {
		d, _ = d.RescaleTrunc(1, 0)
	}
	if r.IntN(2) == 0 {
		d = d.Neg()
	}
	return d
}

func TestDecAgreesWithBig(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	check := func(what string, got Dec, ok bool, want *big.Int) {
		t.Helper()
		w, fits := fromBig(want)
		if ok != fits || ok && got != w {
			t.Fatalf("%s: got %v %v, want %v", what, got.big(), ok, want)
		}
	}
	for range 60000 {
		a, b := randDec(r), randDec(r)
		sa, sb, rs := r.IntN(39), r.IntN(39), r.IntN(39)
		x, y := a.big(), b.big()
		if back, _ := fromBig(x); back != a {
			t.Fatalf("%v %v", a, back)
		}
		if a.Cmp(b) != x.Cmp(y) || a.Sign() != x.Sign() {
			t.Fatalf("cmp %v %v", x, y)
		}
		if got, want := a.Digits(), len(new(big.Int).Abs(x).String()); got != want {
			t.Fatalf("digits of %v: %d", x, got)
		}
		p := r.IntN(39)
		if got, want := a.FitsPrecision(p), x.CmpAbs(bigPow10(p)) < 0; got != want {
			t.Fatalf("%v fits %d: %v", x, p, got)
		}
		d, ok := a.Add(b)
		check("add", d, ok, new(big.Int).Add(x, y))
		d, ok = a.Sub(b)
		check("sub", d, ok, new(big.Int).Sub(x, y))
		d, ok = a.Mul(b)
		check("mul", d, ok, new(big.Int).Mul(x, y))
		d, ok = a.Rescale(sa, rs)
		check("rescale", d, ok, bigRescale(x, sa, rs))
		if rs <= sa {
			d, ok = a.RescaleTrunc(sa, rs)
			check("trunc", d, ok, new(big.Int).Quo(x, bigPow10(sa-rs)))
		}
		s := max(sa, sb)
		xs, ys := bigRescale(x, sa, s), bigRescale(y, sb, s)
		d, ok = DecAdd(a, sa, b, sb, rs)
		check(fmt.Sprint("scaled add ", x, sa, y, sb, rs), d, ok, bigRescale(new(big.Int).Add(xs, ys), s, rs))
		d, ok = DecSub(a, sa, b, sb, rs)
		check("scaled sub", d, ok, bigRescale(new(big.Int).Sub(xs, ys), s, rs))
		d, ok = DecMul(a, sa, b, sb, rs)
		check("scaled mul", d, ok, bigRescale(new(big.Int).Mul(x, y), sa+sb, rs))
		if c := DecCmp(a, sa, b, sb); c != xs.Cmp(ys) {
			t.Fatalf("scaled cmp %v %d %v %d: %d", x, sa, y, sb, c)
		}
		if y.Sign() == 0 {
			if _, ok := DecDiv(a, sa, b, sb, rs); ok {
				t.Fatal("division by zero")
			}
			continue
		}
		num, den := x, y
		if up := rs - sa + sb; up >= 0 {
			num = bigRescale(x, 0, up)
		} else {
			den = bigRescale(y, 0, -up)
		}
		d, ok = DecDiv(a, sa, b, sb, rs)
		check(fmt.Sprint("div ", x, sa, y, sb, rs), d, ok, roundDiv(num, den))
		d, ok = DecMod(a, sa, b, sb, s)
		check(fmt.Sprint("mod ", x, sa, y, sb), d, ok, new(big.Int).Rem(xs, ys))
	}
}

func TestDecToFloat64IsNearest(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	for range 40000 {
		d, scale := randDec(r), r.IntN(39)
		want, _ := strconv.ParseFloat(string(AppendDec(nil, d, scale)), 64)
		if got := d.ToFloat64(scale); got != want && !(want == 0 && got == 0) {
			t.Fatalf("%v scale %d: got %v want %v", d.big(), scale, got, want)
		}
	}
}

func TestDecTextRoundTrips(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6))
	for range 20000 {
		d, scale := randDec(r), r.IntN(39)
		text := AppendDec(nil, d, scale)
		want := new(big.Rat).SetFrac(d.big(), bigPow10(scale)).FloatString(scale)
		if d.Sign() < 0 && want[0] != '-' {
			want = "-" + want
		}
		if string(text) != want {
			t.Fatalf("%s, want %s", text, want)
		}
		if back, ok := ParseDec(text, 38, scale); !ok || back != d {
			t.Fatalf("%s parsed as %v %v", text, back.big(), ok)
		}
		to := r.IntN(39)
		w, fits := fromBig(bigRescale(d.big(), scale, to))
		fits = fits && w.FitsPrecision(38)
		if got, ok := ParseDec(text, 38, to); ok != fits || ok && got != w {
			t.Fatalf("%s at scale %d: %v %v, want %v %v", text, to, got.big(), ok, w.big(), fits)
		}
		if got, want := d.ToInt64(scale), new(big.Int).Quo(d.big(), bigPow10(scale)); want.IsInt64() && got != want.Int64() {
			t.Fatalf("%s as integer: %d", text, got)
		}
	}
}

func TestParseDec(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in   string
		p, s int
		want string // "" = rejected
	}{
		{"1.2345", 10, 3, "1.235"}, {" 12 ", 5, 2, "12.00"}, {"1e2", 10, 3, "100.000"}, {"1E-2", 5, 2, "0.01"},
		{".5", 5, 2, "0.50"}, {"5.", 5, 2, "5.00"}, {"-0.005", 5, 2, "-0.01"}, {"+7", 3, 0, "7"}, {"999.995", 5, 2, ""},
		{"0e99999999999", 5, 2, "0.00"}, {"1e-99999999999", 5, 2, "0.00"}, {"1e99999999999", 38, 0, ""},
		{"0.00000000000000000000000000000000000000000000000001", 5, 2, "0.00"},
		{"1234567890123456789012345678901234567.55", 38, 1, "1234567890123456789012345678901234567.6"},
		{"12345678901234567890123456789012345678.5", 38, 0, "12345678901234567890123456789012345679"},
		{"99999999999999999999999999999999999999.5", 38, 0, ""}, {"123456789012345678901234567890123456789", 38, 0, ""},
		{"", 5, 2, ""}, {" ", 5, 2, ""}, {".", 5, 2, ""}, {"-", 5, 2, ""}, {"e5", 5, 2, ""}, {"1e", 5, 2, ""}, {"1e+", 5, 2, ""},
		{"1.2.3", 5, 2, ""}, {"1 2", 5, 2, ""}, {"--1", 5, 2, ""}, {"1_0", 5, 2, ""}, {"NaN", 5, 2, ""},
	} {
		d, ok := ParseDec(c.in, c.p, c.s)
		got := ""
		if ok {
			got = string(AppendDec(nil, d, c.s))
		}
		if got != c.want {
			t.Errorf("%q: got %q, want %q", c.in, got, c.want)
		}
	}
}

func TestDecRoundsDigits(t *testing.T) {
	t.Parallel()
	d, _ := ParseDec("1256.75", 10, 2)
	for _, c := range []struct {
		n            int
		round, trunc string
	}{{1, "1256.80", "1256.70"}, {0, "1257.00", "1256.00"}, {-2, "1300.00", "1200.00"}, {-4, "0.00", "0.00"}, {5, "1256.75", "1256.75"}, {-99, "0.00", "0.00"}} {
		r, _ := d.RoundDigits(2, c.n)
		tr, _ := d.TruncDigits(2, c.n)
		if a, b := string(AppendDec(nil, r, 2)), string(AppendDec(nil, tr, 2)); a != c.round || b != c.trunc {
			t.Errorf("%d: %s %s", c.n, a, b)
		}
	}
}

func TestDecDoesNotAllocate(t *testing.T) {
	a, _ := ParseDec("12345678901234567890123.4567", 38, 4)
	b, _ := ParseDec("98.76", 10, 2)
	buf := make([]byte, 0, 64)
	var sink float64
	if n := testing.AllocsPerRun(100, func() {
		c, _ := DecAdd(a, 4, b, 2, 4)
		c, _ = DecMul(c, 4, b, 2, 6)
		c, _ = DecDiv(c, 6, b, 2, 10)
		sink += c.ToFloat64(10)
		d, _ := DecFromFloat64(sink/1e10, 38, 8)
		buf = AppendDec(buf[:0], d, 8)
		ParseDec(buf, 38, 8)
	}); n != 0 {
		t.Fatalf("%v allocations", n)
	}
}

func BenchmarkDec(b *testing.B) {
	x, y := DecFromInt64(123456789), DecFromInt64(-987654)
	wide := Dec{Hi: 1 << 40, Lo: 12345}
	var sink Dec
	b.Run("add", func(b *testing.B) {
		for b.Loop() {
			d, _ := x.Add(y)
			x.Lo ^= d.Lo & 1
			sink = d
		}
	})
	b.Run("mul64", func(b *testing.B) {
		for b.Loop() {
			sink, _ = DecMul(x, 2, y, 2, 4)
		}
	})
	b.Run("div64", func(b *testing.B) {
		for b.Loop() {
			sink, _ = DecDiv(x, 2, y, 2, 6)
		}
	})
	b.Run("divwide", func(b *testing.B) {
		for b.Loop() {
			sink, _ = DecDiv(wide, 10, x, 2, 18)
		}
	})
	_ = sink
}

func FuzzParseDec(f *testing.F) {
	for _, s := range []string{"1.5", "-1e10", " .5e-3", "99999999999999999999999999999999999999", "1e99999"} {
		f.Add(s, uint8(10), uint8(2))
	}
	f.Fuzz(func(t *testing.T, s string, p, scale uint8) {
		prec := int(p)%38 + 1
		sc := int(scale) % (prec + 1)
		d, ok := ParseDec(s, prec, sc)
		if b, ok2 := ParseDec([]byte(s), prec, sc); b != d || ok2 != ok {
			t.Fatal("bytes differ from string")
		}
		if !ok {
			return
		}
		text := AppendDec(nil, d, sc)
		if back, ok := ParseDec(text, prec, sc); !ok || back != d {
			t.Fatalf("%q -> %s -> %v %v", s, text, back, ok)
		}
	})
}
