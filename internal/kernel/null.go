package kernel

import (
	"math/bits"
	"slices"

	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// NotNull appends to dst the rows of sel (of all n rows if sel is nil) that are
// not marked in nulls.
func NotNull(dst []int32, nulls vector.Bitmap, sel []int32, n int) []int32 {
	if sel == nil {
		return unmarked(dst, nulls, n)
	}
	dst, out := room(dst, len(sel))
	k := 0
	if nulls == nil {
		k = copy(out, sel)
	} else {
		for _, i := range sel {
			out[k] = i
			k += int(^nulls[i>>6] >> (uint(i) & 63) & 1)
		}
	}
	return dst[:len(dst)+k]
}

// IsNull appends to dst the rows of sel (of all n if sel is nil) that are
// marked in nulls.
func IsNull(dst []int32, nulls vector.Bitmap, sel []int32, n int) []int32 {
	dst, _ = room(dst, 0)
	if nulls == nil {
		return dst
	}
	if sel == nil {
		for w, word := range nulls[:vector.Words(n)] {
			for ; word != 0; word &= word - 1 {
				if i := w<<6 + bits.TrailingZeros64(word); i < n {
					dst = append(dst, int32(i))
				}
			}
		}
		return dst
	}
	for _, i := range sel {
		if nulls[i>>6]>>(uint(i)&63)&1 != 0 {
			dst = append(dst, i)
		}
	}
	return dst
}

func unmarked(dst []int32, nulls vector.Bitmap, n int) []int32 {
	dst, out := room(dst, n)
	k := 0
	for i := 0; i < n; i += 64 {
		var word uint64
		if nulls != nil {
			word = nulls[i>>6]
		}
		end := min(i+64, n)
		if word == 0 {
			for j := i; j < end; j++ {
				out[k] = int32(j)
				k++
			}
			continue
		}
		for j := i; j < end; j++ {
			out[k] = int32(j)
			k += int(^word >> (uint(j) & 63) & 1)
		}
	}
	return dst[:len(dst)+k]
}

// Rest appends to dst the rows of sel (of all n if sel is nil) that are not in
// taken, which is a part of them in the same order.
func Rest(dst, sel, taken []int32, n int) []int32 {
	dst, _ = room(dst, 0)
	if sel == nil {
		next := int32(0)
		for _, t := range taken {
			for ; next < t; next++ {
				dst = append(dst, next)
			}
			next = t + 1
		}
		for ; next < int32(n); next++ {
			dst = append(dst, next)
		}
		return dst
	}
	k := 0
	for _, i := range sel {
		if k < len(taken) && taken[k] == i {
			k++
			continue
		}
		dst = append(dst, i)
	}
	return dst
}

// Merge appends to dst the rows of a and b, which are ascending and have none
// in common, in ascending order.
func Merge(dst, a, b []int32) []int32 {
	for len(a) > 0 && len(b) > 0 {
		if a[0] < b[0] {
			dst, a = append(dst, a[0]), a[1:]
		} else {
			dst, b = append(dst, b[0]), b[1:]
		}
	}
	return append(append(dst, a...), b...)
}

// mutable is implemented by all flat vectors.
type mutable interface {
	MutableNulls() vector.Bitmap
}

// OrNulls marks in dst the rows that are marked in nulls; in a row vector the
// fields too.
func OrNulls(dst vector.Vector, nulls vector.Bitmap) {
	if nulls == nil {
		return
	}
	n := dst.Len()
	if m, ok := dst.(mutable); ok {
		if n > 0 {
			words := vector.Words(n)
			m.MutableNulls()[:words].Or(nulls[:words])
		}
		return
	}
	for w, word := range nulls[:vector.Words(n)] {
		for ; word != 0; word &= word - 1 {
			if i := w<<6 + bits.TrailingZeros64(word); i < n {
				vector.SetNullDeep(dst, i)
			}
		}
	}
}

// AllNull marks every row of dst.
func AllNull(dst vector.Vector) {
	if m, ok := dst.(mutable); ok {
		nulls := m.MutableNulls()
		for i := range nulls {
			nulls[i] = ^uint64(0)
		}
		return
	}
	for i := range dst.Len() {
		vector.SetNullDeep(dst, i)
	}
}

// Fill returns buf as n copies of c.
func Fill[T any](buf []T, c T, n int) []T {
	buf = slices.Grow(buf[:0], n)[:n]
	for i := range buf {
		buf[i] = c
	}
	return buf
}

// NullFlags stores in dst whether each row of sel is marked in nulls, or with
// want false whether it is not.
func NullFlags(dst []bool, nulls vector.Bitmap, want bool, sel []int32) {
	if nulls == nil {
		if sel == nil {
			for i := range dst {
				dst[i] = !want
			}
			return
		}
		for _, i := range sel {
			dst[i] = !want
		}
		return
	}
	if sel == nil {
		for i := range dst {
			dst[i] = nulls[i>>6]>>(uint(i)&63)&1 != 0 == want
		}
		return
	}
	for _, i := range sel {
		dst[i] = nulls[i>>6]>>(uint(i)&63)&1 != 0 == want
	}
}

// dec is the vector that decimal loops write: they mark rows that overflow.
type dec = vector.Flat[types.Dec]
