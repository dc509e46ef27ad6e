package kernel

import (
	"math/bits"

	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// The loops of this file store -1, 0 or +1 as a is less than, equal to or
// greater than b: comparisons of what has no operator in Go. An operator on
// the signs and 0 completes them. Operands of length 1 serve all rows.

// sign128 compares two numbers of 128 bits, signed above and unsigned below,
// without a branch. BenchmarkDecSigns.
func sign128(ah, bh int64, al, bl uint64) int8 {
	const flip = 1 << 63 // signed order as unsigned
	x, y := uint64(ah)^flip, uint64(bh)^flip
	_, c := bits.Sub64(al, bl, 0)
	_, less := bits.Sub64(x, y, c)
	_, c = bits.Sub64(bl, al, 0)
	_, more := bits.Sub64(y, x, c)
	return int8(more) - int8(less)
}

// DecSigns compares decimals of scales sa and sb.
func DecSigns(dst []int8, a []types.Dec, sa int, b []types.Dec, sb int, sel []int32) {
	am, bm := broadcast(a, len(dst)), broadcast(b, len(dst))
	if sa != sb {
		each(len(dst), sel, func(i int) { dst[i] = int8(types.DecCmp(at(a, am, i), sa, at(b, bm, i), sb)) })
		return
	}
	if sel == nil {
		for i := range dst {
			x, y := a[i&am], b[i&bm]
			dst[i] = sign128(x.Hi, y.Hi, x.Lo, y.Lo)
		}
		return
	}
	for _, i := range sel {
		x, y := a[int(i)&am], b[int(i)&bm]
		dst[i] = sign128(x.Hi, y.Hi, x.Lo, y.Lo)
	}
}

// TSSigns compares timestamps.
func TSSigns(dst []int8, a, b []types.TS, sel []int32) {
	am, bm := broadcast(a, len(dst)), broadcast(b, len(dst))
	if sel == nil {
		for i := range dst {
			x, y := a[i&am], b[i&bm]
			dst[i] = sign128(x.Ms, y.Ms, uint64(x.Ns), uint64(y.Ns))
		}
		return
	}
	for _, i := range sel {
		x, y := a[int(i)&am], b[int(i)&bm]
		dst[i] = sign128(x.Ms, y.Ms, uint64(x.Ns), uint64(y.Ns))
	}
}

// BoolSigns compares booleans: FALSE is less than TRUE.
func BoolSigns(dst []int8, a, b []bool, sel []int32) {
	am, bm := broadcast(a, len(dst)), broadcast(b, len(dst))
	if sel == nil {
		for i := range dst {
			dst[i] = int8(one(a[i&am]) - one(b[i&bm]))
		}
		return
	}
	for _, i := range sel {
		dst[i] = int8(one(a[int(i)&am]) - one(b[int(i)&bm]))
	}
}

// FloatDiffer stores 0 where a and b are equal, NaN with NaN, and 1 elsewhere.
func FloatDiffer[T Float](dst []int8, a, b []T, sel []int32) {
	am, bm := broadcast(a, len(dst)), broadcast(b, len(dst))
	if sel == nil {
		for i := range dst {
			x, y := a[i&am], b[i&bm]
			dst[i] = int8(one(x != y && (x == x || y == y)))
		}
		return
	}
	for _, i := range sel {
		x, y := a[int(i)&am], b[int(i)&bm]
		dst[i] = int8(one(x != y && (x == x || y == y)))
	}
}

// Differ stores 0 where rows, arrays or maps are equal, NULLs inside of them
// with NULLs, and 1 elsewhere. The vectors are flat or Const.
func Differ(dst []int8, a, b vector.Vector, sel []int32) {
	each(len(dst), sel, func(i int) { dst[i] = int8(one(!vector.EqualRow(a, i, b, i))) })
}

// ValueSigns compares values of any type t as ORDER BY does, slowly.
func ValueSigns(dst []int8, a, b vector.Vector, t types.Type, sel []int32) {
	each(len(dst), sel, func(i int) { dst[i] = int8(types.Compare(vector.Get(a, i), vector.Get(b, i), t)) })
}
