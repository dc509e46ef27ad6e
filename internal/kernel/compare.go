package kernel

import "cmp"

// Eq stores a==b. Not for floats, whose NaN equals NaN in SQL: see FloatSigns.
func Eq[T comparable](dst []bool, a, b []T, sel []int32) {
	if sel == nil {
		a, b = a[:len(dst)], b[:len(dst)]
		for i := range dst {
			dst[i] = a[i] == b[i]
		}
		return
	}
	for _, i := range sel {
		dst[i] = a[i] == b[i]
	}
}

// EqConst stores a==c.
func EqConst[T comparable](dst []bool, a []T, c T, sel []int32) {
	if sel == nil {
		a = a[:len(dst)]
		for i := range dst {
			dst[i] = a[i] == c
		}
		return
	}
	for _, i := range sel {
		dst[i] = a[i] == c
	}
}

// Ne stores a!=b.
func Ne[T comparable](dst []bool, a, b []T, sel []int32) {
	if sel == nil {
		a, b = a[:len(dst)], b[:len(dst)]
		for i := range dst {
			dst[i] = a[i] != b[i]
		}
		return
	}
	for _, i := range sel {
		dst[i] = a[i] != b[i]
	}
}

// NeConst stores a!=c.
func NeConst[T comparable](dst []bool, a []T, c T, sel []int32) {
	if sel == nil {
		a = a[:len(dst)]
		for i := range dst {
			dst[i] = a[i] != c
		}
		return
	}
	for _, i := range sel {
		dst[i] = a[i] != c
	}
}

// Lt stores a<b.
func Lt[T cmp.Ordered](dst []bool, a, b []T, sel []int32) {
	if sel == nil {
		a, b = a[:len(dst)], b[:len(dst)]
		for i := range dst {
			dst[i] = a[i] < b[i]
		}
		return
	}
	for _, i := range sel {
		dst[i] = a[i] < b[i]
	}
}

// LtConst stores a<c.
func LtConst[T cmp.Ordered](dst []bool, a []T, c T, sel []int32) {
	if sel == nil {
		a = a[:len(dst)]
		for i := range dst {
			dst[i] = a[i] < c
		}
		return
	}
	for _, i := range sel {
		dst[i] = a[i] < c
	}
}

// Le stores a<=b.
func Le[T cmp.Ordered](dst []bool, a, b []T, sel []int32) {
	if sel == nil {
		a, b = a[:len(dst)], b[:len(dst)]
		for i := range dst {
			dst[i] = a[i] <= b[i]
		}
		return
	}
	for _, i := range sel {
		dst[i] = a[i] <= b[i]
	}
}

// LeConst stores a<=c.
func LeConst[T cmp.Ordered](dst []bool, a []T, c T, sel []int32) {
	if sel == nil {
		a = a[:len(dst)]
		for i := range dst {
			dst[i] = a[i] <= c
		}
		return
	}
	for _, i := range sel {
		dst[i] = a[i] <= c
	}
}

// Gt stores a>b.
func Gt[T cmp.Ordered](dst []bool, a, b []T, sel []int32) { Lt(dst, b, a, sel) }

// GtConst stores a>c.
func GtConst[T cmp.Ordered](dst []bool, a []T, c T, sel []int32) {
	if sel == nil {
		a = a[:len(dst)]
		for i := range dst {
			dst[i] = a[i] > c
		}
		return
	}
	for _, i := range sel {
		dst[i] = a[i] > c
	}
}

// Ge stores a>=b.
func Ge[T cmp.Ordered](dst []bool, a, b []T, sel []int32) { Le(dst, b, a, sel) }

// GeConst stores a>=c.
func GeConst[T cmp.Ordered](dst []bool, a []T, c T, sel []int32) {
	if sel == nil {
		a = a[:len(dst)]
		for i := range dst {
			dst[i] = a[i] >= c
		}
		return
	}
	for _, i := range sel {
		dst[i] = a[i] >= c
	}
}
