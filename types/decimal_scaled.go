package types

import "math/bits"

// The functions here are DECIMAL arithmetic between operands of different
// scales. The intermediate result is exact; it is rounded once, half away
// from zero, to the scale of the result. False means that the result does not
// fit in 128 bits; whether it fits the precision of the result type is for
// FitsPrecision. In SQL both give NULL.

// DecAdd returns a+b at the scale rs.
func DecAdd(a Dec, sa int, b Dec, sb, rs int) (Dec, bool) {
	if sa == sb && sa == rs {
		return a.Add(b)
	}
	return addScaled(a, sa, b, sb, rs)
}

// DecSub returns a-b at the scale rs.
func DecSub(a Dec, sa int, b Dec, sb, rs int) (Dec, bool) {
	if sa == sb && sa == rs {
		return a.Sub(b)
	}
	return addScaled(a, sa, b.Neg(), sb, rs)
}

func addScaled(a Dec, sa int, b Dec, sb, rs int) (Dec, bool) {
	s := max(sa, sb)
	if a.IsInt64() && b.IsInt64() && s-sa < 19 && s-sb < 19 {
		x := mul64(int64(a.Lo), int64(pow10u64[s-sa]))
		y := mul64(int64(b.Lo), int64(pow10u64[s-sb]))
		if sum, ok := x.Add(y); ok {
			return sum.Rescale(s, rs)
		}
	}
	am, an := a.magnitude()
	bm, bn := b.magnitude()
	x, y := mul128(am, pow10[s-sa]), mul128(bm, pow10[s-sb])
	if an == bn {
		return roundWide(x.add(y), s-rs).signed(an)
	}
	if x.cmp(y) >= 0 {
		return roundWide(x.sub(y), s-rs).signed(an)
	}
	return roundWide(y.sub(x), s-rs).signed(bn)
}

// roundWide drops n decimal digits, or appends -n zeros. A result too wide
// for 256 bits comes out as one too wide for 128.
func roundWide(a u256, n int) u256 {
	switch {
	case n == 0:
		return a
	case n < 0:
		if !a.fits128() || -n > MaxDecimalPrecision {
			if a == (u256{}) {
				return a
			}
			return u256{3: 1}
		}
		return mul128(a.low(), pow10[-n])
	}
	for n > MaxDecimalPrecision { // in two steps
		q, _ := a.divMod(pow10[MaxDecimalPrecision])
		a, n = q, n-MaxDecimalPrecision
	}
	q, r := a.divMod(pow10[n])
	if !r.less(pow10[n].sub(r)) { // what was lost before can not reach a half
		q = q.add(u256{1})
	}
	return q
}

// DecMul returns a*b at the scale rs.
func DecMul(a Dec, sa int, b Dec, sb, rs int) (Dec, bool) {
	if a.IsInt64() && b.IsInt64() {
		return mul64(int64(a.Lo), int64(b.Lo)).Rescale(sa+sb, rs)
	}
	am, an := a.magnitude()
	bm, bn := b.magnitude()
	return roundWide(mul128(am, bm), sa+sb-rs).signed(an != bn)
}

// DecDiv returns a/b at the scale rs, and false also if b is 0: callers that
// must tell the two apart test b first.
func DecDiv(a Dec, sa int, b Dec, sb, rs int) (Dec, bool) {
	if b.IsZero() {
		return Dec{}, false
	}
	if a.IsZero() {
		return a, true
	}
	am, an := a.magnitude()
	bm, bn := b.magnitude()
	neg := an != bn
	// a/10^sa / (b/10^sb) * 10^rs = a * 10^up / b
	up := rs - sa + sb
	if up >= 0 && up < len(pow10u64) && am.hi == 0 && bm.hi == 0 {
		hi, lo := bits.Mul64(am.lo, pow10u64[up])
		q, r := u128{hi, lo}.divMod64(bm.lo)
		if r >= bm.lo-r {
			q = q.inc()
		}
		return q.signed(neg)
	}
	var num u256
	switch {
	case up < 0:
		// The divisor grows instead; what does not fit any more divides to 0
		// or, at the very border, is rounded from the digits that are left.
		if -up > MaxDecimalPrecision {
			return Dec{}, true
		}
		wide := mul128(bm, pow10[-up])
		if !wide.fits128() {
			// 2a >= divisor is the only way to get 1.
			if (u256{am.lo, am.hi}).shl(1).cmp(wide) >= 0 {
				return u128{0, 1}.signed(neg)
			}
			return Dec{}, true
		}
		num, bm = u256{am.lo, am.hi}, wide.low()
	case up <= MaxDecimalPrecision:
		num = mul128(am, pow10[up])
	default:
		first := mul128(am, pow10[MaxDecimalPrecision])
		var fits bool
		if num, fits = first.mulFits(pow10[up-MaxDecimalPrecision]); !fits {
			return divLong(first, up-MaxDecimalPrecision, bm, neg)
		}
	}
	q, r := num.divMod(bm)
	if !r.less(bm.sub(r)) {
		q = q.add(u256{1})
	}
	return q.signed(neg)
}

// divLong divides a*10^up by b digit by digit, for dividends over 256 bits.
func divLong(a u256, up int, b u128, neg bool) (Dec, bool) {
	q, r := a.divMod(b)
	for ; up > 0; up-- {
		if q.bitLen() > 128 {
			return Dec{}, false
		}
		d, rest := mul128(r, u128{0, 10}).divMod(b)
		q = mul128(q.low(), u128{0, 10}).add(d)
		r = rest
	}
	if !r.less(b.sub(r)) {
		q = q.add(u256{1})
	}
	return q.signed(neg)
}

// mulFits is a*b, and false if 256 bits are too few.
func (a u256) mulFits(b u128) (u256, bool) {
	if a.bitLen()+b.bitLen() > 256 {
		return u256{}, false
	}
	low := mul128(a.low(), b)
	high := mul128(u128{a[3], a[2]}, b)
	return low.add(u256{2: high[0], 3: high[1]}), true
}

// DecMod returns the remainder of a/b with the sign of a, at the scale rs,
// which must not be less than sa or sb, and false if b is 0.
func DecMod(a Dec, sa int, b Dec, sb, rs int) (Dec, bool) {
	if b.IsZero() {
		return Dec{}, false
	}
	s := max(sa, sb)
	if a.IsInt64() && b.IsInt64() && sa == sb {
		if b.Lo == ^uint64(0) { // -1: the one division that overflows
			return Dec{}, true
		}
		return DecFromInt64(int64(a.Lo)%int64(b.Lo)).Rescale(s, rs)
	}
	am, an := a.magnitude()
	bm, _ := b.magnitude()
	x, y := mul128(am, pow10[s-sa]), mul128(bm, pow10[s-sb])
	var r u256
	switch {
	case x.cmp(y) < 0:
		r = x
	case y.fits128():
		_, rem := x.divMod(y.low())
		r = u256{rem.lo, rem.hi}
	default:
		r = modWide(x, y)
	}
	return roundWide(r, s-rs).signed(an)
}

// modWide is x mod y by shift and subtract, for divisors over 128 bits, which
// only DECIMALs of far apart scales need.
func modWide(x, y u256) u256 {
	for n := x.bitLen() - y.bitLen(); n >= 0; n-- {
		if t := y.shl(uint(n)); x.cmp(t) >= 0 {
			x = x.sub(t)
		}
	}
	return x
}

// DecCmp compares a of scale sa with b of scale sb.
func DecCmp(a Dec, sa int, b Dec, sb int) int {
	if sa == sb {
		return a.Cmp(b)
	}
	if x, y := a.Sign(), b.Sign(); x != y {
		if x < y {
			return -1
		}
		return 1
	}
	am, neg := a.magnitude()
	bm, _ := b.magnitude()
	s := max(sa, sb)
	c := mul128(am, pow10[s-sa]).cmp(mul128(bm, pow10[s-sb]))
	if neg {
		return -c
	}
	return c
}
