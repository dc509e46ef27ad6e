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

// limits returns the largest value of p digits and the smallest.
func limits(p int) (high, low types.Dec) {
	high, _ = types.Pow10(min(max(p, 0), types.MaxDecimalPrecision)).Sub(types.DecFromInt64(1))
	return high, high.Neg()
}

// within tells whether low <= d <= high.
func within(d, low, high types.Dec) bool { return d.Cmp(high) <= 0 && d.Cmp(low) >= 0 }

// DecAdd stores a+b.
func DecAdd(dst *dec, a, b []types.Dec, d Decimals, sel []int32) {
	if d.A == d.B && d.A == d.Scale {
		decAddSame(dst, a, b, d, sel)
		return
	}
	high, low := limits(d.Prec)
	each(len(dst.Vals), sel, func(i int) {
		r, ok := types.DecAdd(a[i], d.A, b[i], d.B, d.Scale)
		if dst.Vals[i] = r; !ok || !within(r, low, high) {
			dst.SetNull(i)
		}
	})
}

// decAddSame is DecAdd for one scale. Sums of two 64-bit values whose result
// may have 19 digits or more, nearly all there are, need one test only.
func decAddSame(dst *dec, a, b []types.Dec, d Decimals, sel []int32) {
	high, low := limits(d.Prec)
	if sel == nil {
		out := dst.Vals
		a, b = a[:len(out)], b[:len(out)]
		for i := range out {
			x, y := a[i], b[i]
			lo, carry := bits.Add64(x.Lo, y.Lo, 0)
			r := types.Dec{Hi: x.Hi + y.Hi + int64(carry), Lo: lo}
			out[i] = r
			if (x.Hi^r.Hi)&(y.Hi^r.Hi) < 0 || !within(r, low, high) {
				dst.SetNull(i)
			}
		}
		return
	}
	for _, i := range sel {
		r, ok := a[i].Add(b[i])
		dst.Vals[i] = r
		if !ok || !within(r, low, high) {
			dst.SetNull(int(i))
		}
	}
}

// DecSub stores a-b.
func DecSub(dst *dec, a, b []types.Dec, d Decimals, sel []int32) {
	high, low := limits(d.Prec)
	each(len(dst.Vals), sel, func(i int) {
		r, ok := types.DecSub(a[i], d.A, b[i], d.B, d.Scale)
		if dst.Vals[i] = r; !ok || !within(r, low, high) {
			dst.SetNull(i)
		}
	})
}

// DecMul stores a*b.
func DecMul(dst *dec, a, b []types.Dec, d Decimals, sel []int32) {
	high, low := limits(d.Prec)
	each(len(dst.Vals), sel, func(i int) {
		r, ok := types.DecMul(a[i], d.A, b[i], d.B, d.Scale)
		if dst.Vals[i] = r; !ok || !within(r, low, high) {
			dst.SetNull(i)
		}
	})
}

// DecDiv stores a/b and returns the first row where b is 0, or -1. Rows behind
// it are not computed.
func DecDiv(dst *dec, a, b []types.Dec, d Decimals, sel []int32) int {
	high, low := limits(d.Prec)
	return eachChecked(len(dst.Vals), sel, func(i int) bool {
		if b[i].IsZero() {
			return false
		}
		r, ok := types.DecDiv(a[i], d.A, b[i], d.B, d.Scale)
		if dst.Vals[i] = r; !ok || !within(r, low, high) {
			dst.SetNull(i)
		}
		return true
	})
}

// DecMod stores the remainder of a/b, with the sign of a, and returns the first
// row where b is 0, or -1. Rows behind it are not computed. Scales of operands
// larger than the result's are computed in full and rounded.
func DecMod(dst *dec, a, b []types.Dec, d Decimals, sel []int32) int {
	high, low := limits(d.Prec)
	exact := max(d.A, d.B, d.Scale)
	return eachChecked(len(dst.Vals), sel, func(i int) bool {
		if b[i].IsZero() {
			return false
		}
		r, ok := types.DecMod(a[i], d.A, b[i], d.B, exact)
		if ok {
			r, ok = r.Rescale(exact, d.Scale)
		}
		if dst.Vals[i] = r; !ok || !within(r, low, high) {
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
