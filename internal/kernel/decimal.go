package kernel

import (
	"math/bits"

	"github.com/runnelio/runnel/types"
)

// Decimals says how the operands and the result of a DECIMAL operation are
// scaled and how many digits the result may have. Results with more digits are
// NULL. None of the loops is for NULL rows.
type Decimals struct {
	A, B, Scale, Prec int
}

// bounds are the decimals of some number of digits: [low, low+span].
type bounds struct {
	low    types.Dec
	hi, lo uint64 // span, an unsigned number of 128 bits
}

func boundsOf(p int) bounds {
	high, _ := types.Pow10(min(max(p, 0), types.MaxDecimalPrecision)).Sub(types.DecFromInt64(1))
	hi, lo := uint64(high.Hi)<<1|high.Lo>>63, high.Lo<<1
	return bounds{low: high.Neg(), hi: hi, lo: lo}
}

// has tells whether d is in bounds: what is not is, less low and unsigned,
// above span. There is no branch.
func (b *bounds) has(d types.Dec) bool {
	lo, borrow := bits.Sub64(d.Lo, b.low.Lo, 0)
	hi, _ := bits.Sub64(uint64(d.Hi), uint64(b.low.Hi), borrow)
	_, borrow = bits.Sub64(b.lo, lo, 0)
	_, borrow = bits.Sub64(b.hi, hi, borrow)
	return borrow == 0
}

// DecAdd stores a+b.
func DecAdd(dst *dec, a, b []types.Dec, d Decimals, sel []int32) {
	if d.A == d.B && d.A == d.Scale {
		decAddSame(dst, a, b, d, sel)
		return
	}
	in := boundsOf(d.Prec)
	each(len(dst.Vals), sel, func(i int) {
		r, ok := types.DecAdd(a[i], d.A, b[i], d.B, d.Scale)
		if dst.Vals[i] = r; !ok || !in.has(r) {
			dst.SetNull(i)
		}
	})
}

// decAddSame is DecAdd for one scale. A sum of two DECIMALs that leaves 128 bits
// comes out of bounds too: it is less than 2*10^38, so that it wraps to less
// than -10^38, or the other way round. BenchmarkDecAdd.
func decAddSame(dst *dec, a, b []types.Dec, d Decimals, sel []int32) {
	in := boundsOf(d.Prec)
	out := dst.Vals
	if sel == nil {
		a, b = a[:len(out)], b[:len(out)]
		for i := range out {
			lo, carry := bits.Add64(a[i].Lo, b[i].Lo, 0)
			hi, _ := bits.Add64(uint64(a[i].Hi), uint64(b[i].Hi), carry)
			r := types.Dec{Hi: int64(hi), Lo: lo}
			if out[i] = r; !in.has(r) {
				dst.SetNull(i)
			}
		}
		return
	}
	for _, i := range sel {
		lo, carry := bits.Add64(a[i].Lo, b[i].Lo, 0)
		hi, _ := bits.Add64(uint64(a[i].Hi), uint64(b[i].Hi), carry)
		r := types.Dec{Hi: int64(hi), Lo: lo}
		if out[i] = r; !in.has(r) {
			dst.SetNull(int(i))
		}
	}
}

// DecSub stores a-b.
func DecSub(dst *dec, a, b []types.Dec, d Decimals, sel []int32) {
	if d.A == d.B && d.A == d.Scale {
		decSubSame(dst, a, b, d, sel)
		return
	}
	in := boundsOf(d.Prec)
	each(len(dst.Vals), sel, func(i int) {
		r, ok := types.DecSub(a[i], d.A, b[i], d.B, d.Scale)
		if dst.Vals[i] = r; !ok || !in.has(r) {
			dst.SetNull(i)
		}
	})
}

// decSubSame is decAddSame for differences.
func decSubSame(dst *dec, a, b []types.Dec, d Decimals, sel []int32) {
	in := boundsOf(d.Prec)
	out := dst.Vals
	if sel == nil {
		a, b = a[:len(out)], b[:len(out)]
		for i := range out {
			lo, borrow := bits.Sub64(a[i].Lo, b[i].Lo, 0)
			hi, _ := bits.Sub64(uint64(a[i].Hi), uint64(b[i].Hi), borrow)
			r := types.Dec{Hi: int64(hi), Lo: lo}
			if out[i] = r; !in.has(r) {
				dst.SetNull(i)
			}
		}
		return
	}
	for _, i := range sel {
		lo, borrow := bits.Sub64(a[i].Lo, b[i].Lo, 0)
		hi, _ := bits.Sub64(uint64(a[i].Hi), uint64(b[i].Hi), borrow)
		r := types.Dec{Hi: int64(hi), Lo: lo}
		if out[i] = r; !in.has(r) {
			dst.SetNull(int(i))
		}
	}
}

// DecMul stores a*b.
func DecMul(dst *dec, a, b []types.Dec, d Decimals, sel []int32) {
	in := boundsOf(d.Prec)
	each(len(dst.Vals), sel, func(i int) {
		r, ok := types.DecMul(a[i], d.A, b[i], d.B, d.Scale)
		if dst.Vals[i] = r; !ok || !in.has(r) {
			dst.SetNull(i)
		}
	})
}

// DecDiv stores a/b and returns the first row where b is 0, or -1. Rows behind
// it are not computed.
func DecDiv(dst *dec, a, b []types.Dec, d Decimals, sel []int32) int {
	in := boundsOf(d.Prec)
	return eachChecked(len(dst.Vals), sel, func(i int) bool {
		if b[i].IsZero() {
			return false
		}
		r, ok := types.DecDiv(a[i], d.A, b[i], d.B, d.Scale)
		if dst.Vals[i] = r; !ok || !in.has(r) {
			dst.SetNull(i)
		}
		return true
	})
}

// DecMod stores the remainder of a/b, with the sign of a, and returns the first
// row where b is 0, or -1. Rows behind it are not computed. Scales of operands
// larger than the result's are computed in full and rounded.
func DecMod(dst *dec, a, b []types.Dec, d Decimals, sel []int32) int {
	in := boundsOf(d.Prec)
	exact := max(d.A, d.B, d.Scale)
	return eachChecked(len(dst.Vals), sel, func(i int) bool {
		if b[i].IsZero() {
			return false
		}
		r, ok := types.DecMod(a[i], d.A, b[i], d.B, exact)
		if ok {
			r, ok = r.Rescale(exact, d.Scale)
		}
		if dst.Vals[i] = r; !ok || !in.has(r) {
			dst.SetNull(i)
		}
		return true
	})
}

// DecNeg stores -a.
func DecNeg(dst, a []types.Dec, sel []int32) {
	if sel == nil {
		a = a[:len(dst)]
		for i := range dst {
			dst[i] = a[i].Neg()
		}
		return
	}
	for _, i := range sel {
		dst[i] = a[i].Neg()
	}
}

// each calls f for the rows of sel, or for all n. It is for loops whose body
// costs much more than the call.
func each(n int, sel []int32, f func(i int)) {
	if sel == nil {
		for i := range n {
			f(i)
		}
		return
	}
	for _, i := range sel {
		f(int(i))
	}
}

// eachChecked is each until f is false: it returns that row, else -1.
func eachChecked(n int, sel []int32, f func(i int) bool) int {
	if sel == nil {
		for i := range n {
			if !f(i) {
				return i
			}
		}
		return -1
	}
	for _, i := range sel {
		if !f(int(i)) {
			return int(i)
		}
	}
	return -1
}
