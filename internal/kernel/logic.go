package kernel

import (
	"github.com/runnelio/runnel/vector"
)

// Not stores !a.
func Not(dst, a []bool, sel []int32) {
	if sel == nil {
		a = a[:len(dst)]
		for i := range dst {
			dst[i] = !a[i]
		}
		return
	}
	for _, i := range sel {
		dst[i] = !a[i]
	}
}

// BoolFlags stores whether a is TRUE (want true) or FALSE (want false), or with
// not whether it is anything else. The result is never NULL.
func BoolFlags(dst, a []bool, nulls vector.Bitmap, want, not bool, sel []int32) {
	if sel == nil {
		a = a[:len(dst)]
		for i := range dst {
			dst[i] = (a[i] == want && !nulls.Get(i)) != not
		}
		return
	}
	for _, i := range sel {
		dst[i] = (a[i] == want && !nulls.Get(int(i))) != not
	}
}

// Absorb completes a three-valued AND (stop false) or OR (stop true): dst holds
// the result of the operands so far, which is not stop in any row of sel; b is
// the next operand. It appends to rest the rows that are still not decided.
func Absorb(rest []int32, dst *vector.Flat[bool], b []bool, nulls vector.Bitmap, stop bool, sel []int32) []int32 {
	if nulls == nil && dst.Null == nil {
		rest, out := room(rest, len(sel))
		k := 0
		for _, i := range sel {
			dst.Vals[i] = b[i]
			out[k] = i
			k += one(b[i] != stop)
		}
		return rest[:len(rest)+k]
	}
	for _, i := range sel {
		switch {
		case nulls.Get(int(i)):
			dst.SetNull(int(i))
		case b[i] == stop:
			dst.Vals[i] = stop
			if dst.Null != nil {
				dst.Null.Clear(int(i))
			}
			continue
		}
		rest = append(rest, i)
	}
	return rest
}

// Undecided appends to rest the rows of sel, or of all n, where a is NULL or
// not stop.
func Undecided(rest []int32, a []bool, nulls vector.Bitmap, stop bool, sel []int32) []int32 {
	if nulls == nil {
		return ChooseBool(rest, a, !stop, sel)
	}
	if sel == nil {
		for i := range a {
			if a[i] != stop || nulls.Get(i) {
				rest = append(rest, int32(i))
			}
		}
		return rest
	}
	for _, i := range sel {
		if a[i] != stop || nulls.Get(int(i)) {
			rest = append(rest, i)
		}
	}
	return rest
}
