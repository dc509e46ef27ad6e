package types

import (
	"math"
	"math/bits"
)

// ToInt64 returns the integer part of d, cut towards zero. Like the cast of
// SQL it keeps the low 64 bits of what is larger.
func (d Dec) ToInt64(scale int) int64 {
	if scale == 0 {
		return int64(d.Lo)
	}
	if d.IsInt64() {
		if scale >= 19 {
			return 0
		}
		return int64(d.Lo) / int64(pow10u64[scale])
	}
	m, neg := d.magnitude()
	q := m.dropDigits(scale, false)
	if neg {
		return -int64(q.lo)
	}
	return int64(q.lo)
}

// ToFloat64 returns the float64 nearest to d, ties to even.
func (d Dec) ToFloat64(scale int) float64 {
	// Both exact in a float64, so that one division rounds once.
	if d.IsInt64() && scale < len(exactPow10) {
		if v := int64(d.Lo); v > -1<<53 && v < 1<<53 {
			return float64(v) / exactPow10[scale]
		}
	}
	m, neg := d.magnitude()
	f := m.ratio(pow10[scale])
	if neg {
		return -f
	}
	return f
}

// ToFloat32 returns ToFloat64 rounded to a float32, as Flink casts.
func (d Dec) ToFloat32(scale int) float32 {
	return float32(d.ToFloat64(scale))
}

// ratio is a/b as the nearest float64.
func (a u128) ratio(b u128) float64 {
	if a.isZero() {
		return 0
	}
	// Shift the dividend so that the quotient has at least 64 bits: the
	// rounding then depends on those and on whether anything is behind them.
	shift := max(0, b.bitLen()-a.bitLen()+65)
	q, r := (u256{a.lo, a.hi}).shl(uint(shift)).divMod(b)
	n := q.bitLen() - 64
	var top uint64
	sticky := !r.isZero()
	switch {
	case n == 0:
		top = q[0]
	case n < 64:
		top = q[0]>>uint(n) | q[1]<<uint(64-n)
		sticky = sticky || q[0]<<uint(64-n) != 0
	default:
		top = q[1]
		sticky = sticky || q[0] != 0
		if n > 64 {
			top = q[1]>>uint(n-64) | q[2]<<uint(128-n)
			sticky = sticky || q[1]<<uint(128-n) != 0
		}
	}
	mant, rest := top>>11, top&(1<<11-1)
	const half = 1 << 10
	if rest > half || rest == half && (sticky || mant&1 == 1) {
		mant++
	}
	return math.Ldexp(float64(mant), n+11-shift)
}

var exactPow10 = [...]float64{
	1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
}

// DecFromFloat64 returns f as DECIMAL(precision, scale): the decimal text
// that AppendDouble gives, rounded half away from zero. It returns false for
// infinities, NaN and values with too many digits.
func DecFromFloat64(f float64, precision, scale int) (Dec, bool) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return Dec{}, false
	}
	if f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		d, ok := DecFromInt64(int64(f)).Rescale(0, scale)
		return d, ok && d.FitsPrecision(precision)
	}
	var buf [40]byte
	return ParseDec(AppendDouble(buf[:0], f), precision, scale)
}

// ParseDec reads a decimal number such as -12.50 or 1.5e3, blanks around it
// aside, as DECIMAL(precision, scale), rounding half away from zero. It
// returns false for other text and for numbers with too many digits.
func ParseDec[T Text](s T, precision, scale int) (Dec, bool) {
	lo, hi := trimSpace(s, 0, len(s))
	if lo == hi {
		return Dec{}, false
	}
	neg := s[lo] == '-'
	if neg || s[lo] == '+' {
		lo++
	}
	exp, end, ok := scanExponent(s, lo, hi)
	if !ok {
		return Dec{}, false
	}
	var (
		m      u128
		digits int  // significant digits in m
		frac   int  // digits of m behind the point, and zeros skipped there
		drop   int  // integer digits beyond what m holds
		first  byte // the first digit that was left out, for rounding
		left   bool // a digit was left out
		dot    bool
		some   bool
	)
	for i := lo; i < end; i++ {
		c := s[i]
		if c == '.' && !dot {
			dot = true
			continue
		}
		if c < '0' || c > '9' {
			return Dec{}, false
		}
		some = true
		switch {
		case digits < MaxDecimalPrecision:
			if digits > 0 || c != '0' {
				digits++
				if digits < 19 {
					m.lo = m.lo*10 + uint64(c-'0')
				} else {
					m = m.mulAdd10(c - '0')
				}
			}
			if dot {
				frac++
			}
		case !left:
			left, first = true, c
			fallthrough
		default:
			if !dot {
				drop++
			}
		}
	}
	if !some {
		return Dec{}, false
	}
	if m.isZero() {
		return Dec{}, true
	}
	// The number is m * 10^(exp+drop-frac), a little more if digits are left.
	shift := exp + drop - frac + scale
	switch {
	case shift > 0:
		if shift > MaxDecimalPrecision || digits+shift > precision {
			return Dec{}, false
		}
		m = mul128(m, pow10[shift]).low()
	case shift < 0:
		m = m.dropDigits(min(-shift, MaxDecimalPrecision+1), true)
	case left && first >= '5':
		m = m.inc()
	}
	d, ok := m.signed(neg)
	return d, ok && d.FitsPrecision(precision)
}

// scanExponent finds the end of the digits of s[lo:hi] and the exponent
// behind them. Exponents that no DECIMAL survives are cut to ±9999.
func scanExponent[T Text](s T, lo, hi int) (exp, end int, ok bool) {
	end = lo
	for end < hi && s[end] != 'e' && s[end] != 'E' {
		end++
	}
	if end == hi {
		return 0, end, true
	}
	i := end + 1
	neg := i < hi && s[i] == '-'
	if i < hi && (s[i] == '-' || s[i] == '+') {
		i++
	}
	if i == hi {
		return 0, end, false
	}
	for ; i < hi; i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, end, false
		}
		exp = min(exp*10+int(s[i]-'0'), 9999)
	}
	if neg {
		exp = -exp
	}
	return exp, end, true
}

func (a u128) mulAdd10(c byte) u128 {
	h, l := bits.Mul64(a.lo, 10)
	l, carry := bits.Add64(l, uint64(c), 0)
	return u128{a.hi*10 + h + carry, l}
}

// AppendDec appends d with exactly scale digits behind the point.
func AppendDec(dst []byte, d Dec, scale int) []byte {
	m, neg := d.magnitude()
	if neg {
		dst = append(dst, '-')
	}
	var buf [64]byte
	i := len(buf)
	for m.hi != 0 {
		// 18 digits at a time; the chunk keeps its leading zeros.
		q, r := m.divMod64(pow10u64[18])
		for n := 0; n < 18; n++ {
			i--
			buf[i] = byte('0' + r%10)
			r /= 10
		}
		m = q
	}
	for r := m.lo; r != 0; r /= 10 {
		i--
		buf[i] = byte('0' + r%10)
	}
	text := buf[i:]
	if len(text) <= scale {
		dst = append(dst, '0')
		if scale == 0 {
			return dst
		}
		dst = append(dst, '.')
		for n := scale - len(text); n > 0; n-- {
			dst = append(dst, '0')
		}
		return append(dst, text...)
	}
	dst = append(dst, text[:len(text)-scale]...)
	if scale > 0 {
		dst = append(dst, '.')
		dst = append(dst, text[len(text)-scale:]...)
	}
	return dst
}
