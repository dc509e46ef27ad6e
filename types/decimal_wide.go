package types

import "math/bits"

// u128 and u256 are magnitudes: what Dec arithmetic computes with once signs
// are set aside. Products of two 128-bit numbers and the dividends of exact
// divisions need 256 bits.
type u128 struct{ hi, lo uint64 }

// u256 has its words lowest first.
type u256 [4]uint64

func (a u128) less(b u128) bool { return a.hi < b.hi || a.hi == b.hi && a.lo < b.lo }

func (a u128) isZero() bool { return a.hi|a.lo == 0 }

// signed gives a its sign; false if it does not fit.
func (a u128) signed(neg bool) (Dec, bool) {
	d := Dec{Hi: int64(a.hi), Lo: a.lo}
	if neg {
		d = d.Neg()
	}
	return d, a.hi>>63 == 0
}

func (a u128) bitLen() int {
	if a.hi != 0 {
		return 64 + bits.Len64(a.hi)
	}
	return bits.Len64(a.lo)
}

// digits is the number of decimal digits, 1 for 0.
func (a u128) digits() int {
	// log10(2) = 0.30103; the estimate is right or one too small.
	n := a.bitLen() * 1233 >> 12
	if n < len(pow10) && a.less(pow10[n]) {
		return max(n, 1)
	}
	return n + 1
}

// dropDigits divides by 10^n, rounding half up or cutting.
func (a u128) dropDigits(n int, round bool) u128 {
	if n > MaxDecimalPrecision {
		return u128{}
	}
	if a.hi == 0 && n < len(pow10u64) {
		p := pow10u64[n]
		q, r := a.lo/p, a.lo%p
		if round && r >= p-r {
			q++
		}
		return u128{0, q}
	}
	q, r := a.divMod(pow10[n])
	if round && !r.less(pow10[n].sub(r)) {
		q = q.inc()
	}
	return q
}

func (a u128) sub(b u128) u128 {
	lo, borrow := bits.Sub64(a.lo, b.lo, 0)
	hi, _ := bits.Sub64(a.hi, b.hi, borrow)
	return u128{hi, lo}
}

func (a u128) inc() u128 {
	lo, carry := bits.Add64(a.lo, 1, 0)
	return u128{a.hi + carry, lo}
}

// divMod64 divides by a word.
func (a u128) divMod64(b uint64) (u128, uint64) {
	if a.hi == 0 {
		return u128{0, a.lo / b}, a.lo % b
	}
	hi, r := a.hi/b, a.hi%b
	lo, r := bits.Div64(r, a.lo, b)
	return u128{hi, lo}, r
}

// divMod divides by b, which is not 0.
func (a u128) divMod(b u128) (q, r u128) {
	if b.hi == 0 {
		q, rem := a.divMod64(b.lo)
		return q, u128{0, rem}
	}
	if a.less(b) {
		return u128{}, a
	}
	// The quotient is below 2^64: estimate it from the normalised leading
	// words; the estimate is at most one too large.
	s := uint(bits.LeadingZeros64(b.hi))
	top := b.hi<<s | b.lo>>(64-s)
	half := u128{a.hi >> 1, a.hi<<63 | a.lo>>1}
	est, _ := bits.Div64(half.hi, half.lo, top)
	est >>= 63 - s
	if est != 0 {
		est--
	}
	hi, lo := bits.Mul64(est, b.lo)
	r = a.sub(u128{hi + est*b.hi, lo})
	if !r.less(b) {
		est++
		r = r.sub(b)
	}
	return u128{0, est}, r
}

// mul128 is the exact product.
func mul128(a, b u128) u256 {
	h0, l0 := bits.Mul64(a.lo, b.lo)
	h1, l1 := bits.Mul64(a.hi, b.lo)
	h2, l2 := bits.Mul64(a.lo, b.hi)
	h3, l3 := bits.Mul64(a.hi, b.hi)
	w1, c1 := bits.Add64(h0, l1, 0)
	w1, c2 := bits.Add64(w1, l2, 0)
	w2, d1 := bits.Add64(h1, h2, c1)
	w2, d2 := bits.Add64(w2, l3, c2)
	return u256{l0, w1, w2, h3 + d1 + d2}
}

func (a u256) fits128() bool { return a[2]|a[3] == 0 }

func (a u256) low() u128 { return u128{a[1], a[0]} }

// signed gives a its sign; false if it does not fit.
func (a u256) signed(neg bool) (Dec, bool) {
	if !a.fits128() {
		return Dec{}, false
	}
	return a.low().signed(neg)
}

func (a u256) cmp(b u256) int {
	for i := 3; i >= 0; i-- {
		if a[i] != b[i] {
			if a[i] < b[i] {
				return -1
			}
			return 1
		}
	}
	return 0
}

func (a u256) add(b u256) u256 {
	var c uint64
	for i := range a {
		a[i], c = bits.Add64(a[i], b[i], c)
	}
	return a
}

func (a u256) sub(b u256) u256 {
	var c uint64
	for i := range a {
		a[i], c = bits.Sub64(a[i], b[i], c)
	}
	return a
}

// shl shifts left by n < 256 bits.
func (a u256) shl(n uint) u256 {
	words, s := int(n/64), n%64
	var r u256
	for i := 3; i >= words; i-- {
		r[i] = a[i-words] << s
		if i > words {
			r[i] |= a[i-words-1] >> (64 - s) // a shift by 64 gives 0
		}
	}
	return r
}

func (a u256) bitLen() int {
	for i := 3; i >= 0; i-- {
		if a[i] != 0 {
			return i*64 + bits.Len64(a[i])
		}
	}
	return 0
}

// divMod divides by b, which is not 0.
func (a u256) divMod(b u128) (q u256, r u128) {
	if a.fits128() {
		q, r := a.low().divMod(b)
		return u256{q.lo, q.hi}, r
	}
	if b.hi == 0 {
		var rem uint64
		for i := 3; i >= 0; i-- {
			q[i], rem = bits.Div64(rem, a[i], b.lo)
		}
		return q, u128{0, rem}
	}
	// Knuth's algorithm D with a divisor of two words.
	s := uint(bits.LeadingZeros64(b.hi))
	v1, v0 := b.hi<<s|b.lo>>(64-s), b.lo<<s
	var u [5]uint64
	u[4] = a[3] >> (64 - s)
	for i := 3; i > 0; i-- {
		u[i] = a[i]<<s | a[i-1]>>(64-s)
	}
	u[0] = a[0] << s
	for j := 2; j >= 0; j-- {
		var qh, rh uint64
		over := false // the running remainder left 64 bits: qh is small enough
		if u[j+2] >= v1 {
			qh = ^uint64(0)
			var c uint64
			rh, c = bits.Add64(u[j+1], v1, 0)
			over = c != 0
		} else {
			qh, rh = bits.Div64(u[j+2], u[j+1], v1)
		}
		for !over {
			ph, pl := bits.Mul64(qh, v0)
			if ph < rh || ph == rh && pl <= u[j] {
				break
			}
			qh--
			var c uint64
			rh, c = bits.Add64(rh, v1, 0)
			over = c != 0
		}
		ph, pl := bits.Mul64(qh, v0)
		mh, ml := bits.Mul64(qh, v1)
		var c uint64
		ml, c = bits.Add64(ml, ph, 0)
		mh += c
		u[j], c = bits.Sub64(u[j], pl, 0)
		u[j+1], c = bits.Sub64(u[j+1], ml, c)
		u[j+2], c = bits.Sub64(u[j+2], mh, c)
		if c != 0 { // one too large after all
			qh--
			u[j], c = bits.Add64(u[j], v0, 0)
			u[j+1], c = bits.Add64(u[j+1], v1, c)
			u[j+2] += c
		}
		q[j] = qh
	}
	return q, u128{u[1] >> s, u[0]>>s | u[1]<<(64-s)}
}

// pow10u64 has the powers of ten that fit in a word, pow10 those of DECIMAL.
var pow10u64 = func() (t [20]uint64) {
	t[0] = 1
	for i := 1; i < len(t); i++ {
		t[i] = t[i-1] * 10
	}
	return t
}()

var pow10 = func() (t [MaxDecimalPrecision + 1]u128) {
	t[0] = u128{0, 1}
	for i := 1; i < len(t); i++ {
		t[i] = mul128(t[i-1], u128{0, 10}).low()
	}
	return t
}()
