package kernel

import (
	"cmp"
	"slices"
)

// The loops of this file append to dst the rows of sel (all rows of a if sel is
// nil) for which a comparison holds. Not for NULL rows. The row number is
// always stored and the count moves on if the row is wanted: without a branch
// the time does not depend on how many are. BenchmarkChooseGtConst.

// room returns dst with space for n more, and that space. What it returns is
// not nil even if empty: a nil selection would be one of all rows.
func room(dst []int32, n int) (grown, space []int32) {
	if dst = slices.Grow(dst, n); dst == nil {
		dst = []int32{}
	}
	return dst, dst[len(dst) : len(dst)+n]
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

// ChooseEq chooses the rows where a==b.
func ChooseEq[T comparable](dst []int32, a, b []T, sel []int32) []int32 {
	k := 0
	if sel == nil {
		b = b[:len(a)]
		dst, out := room(dst, len(a))
		for i := range a {
			out[k] = int32(i)
			k += one(a[i] == b[i])
		}
		return dst[:len(dst)+k]
	}
	dst, out := room(dst, len(sel))
	for _, i := range sel {
		out[k] = i
		k += one(a[i] == b[i])
	}
	return dst[:len(dst)+k]
}

// ChooseEqConst chooses the rows where a==c.
func ChooseEqConst[T comparable](dst []int32, a []T, c T, sel []int32) []int32 {
	k := 0
	if sel == nil {
		dst, out := room(dst, len(a))
		for i := range a {
			out[k] = int32(i)
			k += one(a[i] == c)
		}
		return dst[:len(dst)+k]
	}
	dst, out := room(dst, len(sel))
	for _, i := range sel {
		out[k] = i
		k += one(a[i] == c)
	}
	return dst[:len(dst)+k]
}

// ChooseNe chooses the rows where a!=b.
func ChooseNe[T comparable](dst []int32, a, b []T, sel []int32) []int32 {
	k := 0
	if sel == nil {
		b = b[:len(a)]
		dst, out := room(dst, len(a))
		for i := range a {
			out[k] = int32(i)
			k += one(a[i] != b[i])
		}
		return dst[:len(dst)+k]
	}
	dst, out := room(dst, len(sel))
	for _, i := range sel {
		out[k] = i
		k += one(a[i] != b[i])
	}
	return dst[:len(dst)+k]
}

// ChooseNeConst chooses the rows where a!=c.
func ChooseNeConst[T comparable](dst []int32, a []T, c T, sel []int32) []int32 {
	k := 0
	if sel == nil {
		dst, out := room(dst, len(a))
		for i := range a {
			out[k] = int32(i)
			k += one(a[i] != c)
		}
		return dst[:len(dst)+k]
	}
	dst, out := room(dst, len(sel))
	for _, i := range sel {
		out[k] = i
		k += one(a[i] != c)
	}
	return dst[:len(dst)+k]
}

// ChooseLt chooses the rows where a<b.
func ChooseLt[T cmp.Ordered](dst []int32, a, b []T, sel []int32) []int32 {
	k := 0
	if sel == nil {
		b = b[:len(a)]
		dst, out := room(dst, len(a))
		for i := range a {
			out[k] = int32(i)
			k += one(a[i] < b[i])
		}
		return dst[:len(dst)+k]
	}
	dst, out := room(dst, len(sel))
	for _, i := range sel {
		out[k] = i
		k += one(a[i] < b[i])
	}
	return dst[:len(dst)+k]
}

// ChooseLtConst chooses the rows where a<c.
func ChooseLtConst[T cmp.Ordered](dst []int32, a []T, c T, sel []int32) []int32 {
	k := 0
	if sel == nil {
		dst, out := room(dst, len(a))
		for i := range a {
			out[k] = int32(i)
			k += one(a[i] < c)
		}
		return dst[:len(dst)+k]
	}
	dst, out := room(dst, len(sel))
	for _, i := range sel {
		out[k] = i
		k += one(a[i] < c)
	}
	return dst[:len(dst)+k]
}

// ChooseLe chooses the rows where a<=b.
func ChooseLe[T cmp.Ordered](dst []int32, a, b []T, sel []int32) []int32 {
	k := 0
	if sel == nil {
		b = b[:len(a)]
		dst, out := room(dst, len(a))
		for i := range a {
			out[k] = int32(i)
			k += one(a[i] <= b[i])
		}
		return dst[:len(dst)+k]
	}
	dst, out := room(dst, len(sel))
	for _, i := range sel {
		out[k] = i
		k += one(a[i] <= b[i])
	}
	return dst[:len(dst)+k]
}

// ChooseLeConst chooses the rows where a<=c.
func ChooseLeConst[T cmp.Ordered](dst []int32, a []T, c T, sel []int32) []int32 {
	k := 0
	if sel == nil {
		dst, out := room(dst, len(a))
		for i := range a {
			out[k] = int32(i)
			k += one(a[i] <= c)
		}
		return dst[:len(dst)+k]
	}
	dst, out := room(dst, len(sel))
	for _, i := range sel {
		out[k] = i
		k += one(a[i] <= c)
	}
	return dst[:len(dst)+k]
}

// ChooseGt chooses the rows where a>b.
func ChooseGt[T cmp.Ordered](dst []int32, a, b []T, sel []int32) []int32 {
	return ChooseLt(dst, b, a, sel)
}

// ChooseGtConst chooses the rows where a>c.
func ChooseGtConst[T cmp.Ordered](dst []int32, a []T, c T, sel []int32) []int32 {
	k := 0
	if sel == nil {
		dst, out := room(dst, len(a))
		for i := range a {
			out[k] = int32(i)
			k += one(a[i] > c)
		}
		return dst[:len(dst)+k]
	}
	dst, out := room(dst, len(sel))
	for _, i := range sel {
		out[k] = i
		k += one(a[i] > c)
	}
	return dst[:len(dst)+k]
}

// ChooseGe chooses the rows where a>=b.
func ChooseGe[T cmp.Ordered](dst []int32, a, b []T, sel []int32) []int32 {
	return ChooseLe(dst, b, a, sel)
}

// ChooseGeConst chooses the rows where a>=c.
func ChooseGeConst[T cmp.Ordered](dst []int32, a []T, c T, sel []int32) []int32 {
	k := 0
	if sel == nil {
		dst, out := room(dst, len(a))
		for i := range a {
			out[k] = int32(i)
			k += one(a[i] >= c)
		}
		return dst[:len(dst)+k]
	}
	dst, out := room(dst, len(sel))
	for _, i := range sel {
		out[k] = i
		k += one(a[i] >= c)
	}
	return dst[:len(dst)+k]
}

// ChooseBool chooses the rows whose value is want.
func ChooseBool(dst []int32, a []bool, want bool, sel []int32) []int32 {
	k := 0
	if sel == nil {
		dst, out := room(dst, len(a))
		for i := range a {
			out[k] = int32(i)
			k += one(a[i] == want)
		}
		return dst[:len(dst)+k]
	}
	dst, out := room(dst, len(sel))
	for _, i := range sel {
		out[k] = i
		k += one(a[i] == want)
	}
	return dst[:len(dst)+k]
}
