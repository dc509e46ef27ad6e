package types

import (
	"math"
	"math/big"
	"math/bits"
	"strconv"
)

// Flink runs on Java 17, whose Double.toString is not always the shortest
// text: 123456789 as FLOAT is 1.23456792E8 there, not 1.2345679E8. It differs
// for integers beyond the mantissa, for numbers over 2^63, for powers of two
// and for subnormal numbers; everywhere else (tested against Java) strconv gives the same digits.

// longForm appends the digits of f, which is finite and positive, as Java 17
// finds them, and returns the power of ten of the first one. It returns false
// where the shortest digits are the same.
func longForm(dst []byte, f float64, bitSize int) (digits []byte, exp int, ok bool) {
	mant := math.Float64bits(f)&(1<<52-1) | 1<<52
	binExp := int(math.Float64bits(f)>>52&0x7ff) - 1023
	precision := 53
	if bitSize == 32 {
		precision = 24
		if low := -126 - binExp; low > 0 { // subnormal as a float: fewer bits
			digits, exp = slowDigits(dst, mant, binExp, precision-low)
			return digits, exp, true
		}
	}
	if binExp < -1022 { // subnormal: there is no hidden bit
		mant &= 1<<52 - 1
		shift := bits.LeadingZeros64(mant) - 11
		digits, exp = slowDigits(dst, mant<<shift, -1022-shift, 53-shift)
		return digits, exp, true
	}
	whole := f == math.Trunc(f)
	switch {
	case whole && binExp <= 62:
		if binExp < precision {
			return dst, 0, false
		}
		digits, exp = wholeDigits(dst, f, binExp-precision-1)
		return digits, exp, true
	case binExp > 62, mant == 1<<52:
		digits, exp = slowDigits(dst, mant, binExp, precision)
		return digits, exp, true
	}
	return dst, 0, false
}

// wholeDigits writes an integer of less than 2^63, less the digits that p
// bits beyond the mantissa make insignificant.
func wholeDigits(dst []byte, f float64, p int) ([]byte, int) {
	v, drop := uint64(f), 0
	if p > 1 {
		drop = p * 1233 >> 12 // floor(p * log10(2))
	}
	if drop > 0 {
		unit := pow10u64[drop]
		rest := v % unit
		if v /= unit; rest >= unit>>1 {
			v++
		}
	}
	for v%10 == 0 {
		v /= 10
		drop++
	}
	start := len(dst)
	dst = strconv.AppendUint(dst, v, 10)
	return dst, len(dst) - start - 1 + drop
}

// fiveBits is how many bits 5^n counts in the size estimates of slowDigits.
func fiveBits(n int) int {
	if n == 0 {
		return 0
	}
	if n < 27 {
		v := uint64(1)
		for range n {
			v *= 5
		}
		return bits.Len64(v)
	}
	return n * 3
}

// slowDigits generates digits until they tell the number from its neighbours,
// with the stopping tests of Java 17's FloatingDecimal: strict where its
// numbers fit in 64 bits, overflow included, and at least two digits for large
// exponents.
func slowDigits(dst []byte, mant uint64, binExp, precision int) ([]byte, int) {
	tail := bits.TrailingZeros64(mant)
	fract := mant >> tail
	nFract := 53 - tail
	tiny := max(0, nFract-binExp-1)

	lead := math.Float64frombits(1023<<52 | mant&(1<<52-1))
	exp := int(math.Floor((lead-1.5)*0.289529654 + 0.176091259 + float64(binExp)*0.301029995663981))

	b5, s5 := max(0, -exp), max(0, exp)
	b2 := b5 + tiny + binExp
	s2 := s5 + tiny
	m2 := b2 - precision
	b2 -= nFract - 1
	common := min(b2, s2)
	b2, s2, m2 = b2-common, s2-common, m2-common
	if nFract == 1 {
		m2-- // below a power of two the neighbours are twice as near
	}
	if m2 < 0 {
		b2, s2, m2 = b2-m2, s2-m2, 0
	}
	width := 0 // of the machine integers Java computes with; 0: of any size
	switch size := max(nFract+b2+fiveBits(b5), s2+1+fiveBits(s5+1)); {
	case size < 32:
		width = 31
	case size < 64:
		width = 63
	}

	five := func(n, shift int) *big.Int {
		v := new(big.Int).Exp(big.NewInt(5), big.NewInt(int64(n)), nil)
		return v.Lsh(v, uint(shift))
	}
	ten := big.NewInt(10)
	b := five(b5, b2)
	b.Mul(b, new(big.Int).SetUint64(fract))
	s, m := five(s5, s2), five(b5, m2)
	tens := new(big.Int).Mul(s, ten)
	sum := new(big.Int)
	start := len(dst)
	for first := true; ; first = false {
		q, r := new(big.Int).QuoRem(b, s, new(big.Int))
		b.Mul(r, ten)
		m.Mul(m, ten)
		low := b.Cmp(m) < 0
		c := sum.Add(b, m).Cmp(tens)
		high := c > 0 || c == 0 && width == 0
		if width > 0 && m.BitLen() > width {
			low, high = true, true
		} else if width > 0 && sum.BitLen() > width {
			high = false // the sum wraps and compares as negative
		}
		if first && q.Sign() == 0 && !high {
			exp--
		} else {
			dst = append(dst, byte('0'+q.Int64()))
		}
		if first && (exp < -3 || exp >= 8) {
			continue
		}
		if !low && !high {
			continue
		}
		if high && low {
			c := b.Lsh(b, 1).Cmp(tens)
			high = c > 0 || c == 0 && dst[len(dst)-1]&1 != 0
		}
		if high {
			return roundUp(dst, start, exp)
		}
		return dst, exp
	}
}

// roundUp adds one to the last of the digits dst[start:].
func roundUp(dst []byte, start, exp int) ([]byte, int) {
	for i := len(dst) - 1; i >= start; i-- {
		if dst[i] != '9' {
			dst[i]++
			return dst, exp
		}
		dst[i] = '0'
	}
	dst[start] = '1'
	return dst, exp + 1
}
