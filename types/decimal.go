package types

import "math/bits"

// Arithmetic on Dec treats it as a plain signed 128-bit integer; the scale is
// the caller's. Results that do not fit in 128 bits are reported with a false
// second result, never wrapped. Whether a result fits the digits of a DECIMAL
// type is a separate question: see FitsPrecision.

// DecFromInt64 returns v as an unscaled value.
func DecFromInt64(v int64) Dec { return Dec{Hi: v >> 63, Lo: uint64(v)} }

// IsZero tells whether d is 0.
func (d Dec) IsZero() bool { return d.Hi == 0 && d.Lo == 0 }

// Sign returns -1, 0 or +1.
func (d Dec) Sign() int {
	switch {
	case d.Hi < 0:
		return -1
	case d.Hi == 0 && d.Lo == 0:
		return 0
	}
	return 1
}

// IsInt64 tells whether d fits in an int64.
func (d Dec) IsInt64() bool { return d.Hi == int64(d.Lo)>>63 }

// Cmp returns -1, 0 or +1 as d is less than, equal to or greater than e, both
// of the same scale.
func (d Dec) Cmp(e Dec) int {
	switch {
	case d.Hi < e.Hi:
		return -1
	case d.Hi > e.Hi:
		return 1
	case d.Lo < e.Lo:
		return -1
	case d.Lo > e.Lo:
		return 1
	}
	return 0
}

// Neg returns -d. The smallest 128-bit integer is no DECIMAL and stays itself.
func (d Dec) Neg() Dec {
	lo, borrow := bits.Sub64(0, d.Lo, 0)
	hi, _ := bits.Sub64(0, uint64(d.Hi), borrow)
	return Dec{Hi: int64(hi), Lo: lo}
}

// Abs returns the absolute value of d.
func (d Dec) Abs() Dec {
	if d.Hi < 0 {
		return d.Neg()
	}
	return d
}

// Add returns d+e of the same scale, and false if 128 bits are too few.
func (d Dec) Add(e Dec) (Dec, bool) {
	lo, carry := bits.Add64(d.Lo, e.Lo, 0)
	hi := d.Hi + e.Hi + int64(carry)
	// Only operands of one sign overflow, and then the sign flips.
	return Dec{Hi: hi, Lo: lo}, (d.Hi^hi)&(e.Hi^hi) >= 0
}

// Sub returns d-e of the same scale, and false if 128 bits are too few.
func (d Dec) Sub(e Dec) (Dec, bool) {
	lo, borrow := bits.Sub64(d.Lo, e.Lo, 0)
	hi := d.Hi - e.Hi - int64(borrow)
	return Dec{Hi: hi, Lo: lo}, (d.Hi^e.Hi)&(d.Hi^hi) >= 0
}

// Mul returns d*e, whose scale is the sum of the scales, and false if 128
// bits are too few. DecMul rounds to a smaller scale before it looks.
func (d Dec) Mul(e Dec) (Dec, bool) {
	if d.IsInt64() && e.IsInt64() {
		return mul64(int64(d.Lo), int64(e.Lo)), true
	}
	dm, dn := d.magnitude()
	em, en := e.magnitude()
	return mul128(dm, em).signed(dn != en)
}

// mul64 is the exact product of two int64.
func mul64(a, b int64) Dec {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	// bits.Mul64 is unsigned; a negative factor counted 2^64 too much.
	h := int64(hi) - (a>>63)&b - (b>>63)&a
	return Dec{Hi: h, Lo: lo}
}

// magnitude returns |d| and whether d is negative.
func (d Dec) magnitude() (u128, bool) {
	if d.Hi < 0 {
		n := d.Neg()
		return u128{hi: uint64(n.Hi), lo: n.Lo}, true
	}
	return u128{hi: uint64(d.Hi), lo: d.Lo}, false
}

// FitsPrecision tells whether d has at most p decimal digits.
func (d Dec) FitsPrecision(p int) bool {
	if p > MaxDecimalPrecision {
		p = MaxDecimalPrecision
	}
	if p < 0 {
		return d.IsZero()
	}
	m, _ := d.magnitude()
	return m.less(pow10[p])
}

// Digits returns the number of decimal digits of d, 1 for 0.
func (d Dec) Digits() int {
	m, _ := d.magnitude()
	return m.digits()
}

// Rescale changes the scale of d from one to another, rounding half away from
// zero where digits are lost, and returns false if 128 bits are too few.
func (d Dec) Rescale(from, to int) (Dec, bool) {
	if from == to {
		return d, true
	}
	return d.rescale(from, to, true)
}

// RescaleTrunc is Rescale that cuts lost digits instead of rounding.
func (d Dec) RescaleTrunc(from, to int) (Dec, bool) {
	if from == to {
		return d, true
	}
	return d.rescale(from, to, false)
}

func (d Dec) rescale(from, to int, round bool) (Dec, bool) {
	if d.IsZero() {
		return d, true
	}
	m, neg := d.magnitude()
	if n := to - from; n > 0 {
		if n > MaxDecimalPrecision {
			return Dec{}, false
		}
		if m.hi == 0 && n < len(pow10u64) {
			hi, lo := bits.Mul64(m.lo, pow10u64[n])
			return u128{hi, lo}.signed(neg)
		}
		return mul128(m, pow10[n]).signed(neg)
	}
	return m.dropDigits(from-to, round).signed(neg)
}

// Pow10 returns 10^n for n from 0 to 38.
func Pow10(n int) Dec {
	p := pow10[n]
	return Dec{Hi: int64(p.hi), Lo: p.lo}
}

// RoundDigits rounds d of the given scale, half away from zero, to n digits
// behind the point (before it if n is negative) and keeps the scale.
func (d Dec) RoundDigits(scale, n int) (Dec, bool) { return d.atDigit(scale, n, true) }

// TruncDigits is RoundDigits that cuts.
func (d Dec) TruncDigits(scale, n int) (Dec, bool) { return d.atDigit(scale, n, false) }

func (d Dec) atDigit(scale, n int, round bool) (Dec, bool) {
	drop := scale - n
	if drop <= 0 {
		return d, true
	}
	m, neg := d.magnitude()
	m = m.dropDigits(drop, round)
	if m == (u128{}) {
		return Dec{}, true
	}
	return mul128(m, pow10[drop]).signed(neg)
}
