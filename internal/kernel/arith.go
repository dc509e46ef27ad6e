package kernel

// Add stores a+b. Integers wrap.
func Add[T Number](dst, a, b []T, sel []int32) {
	if sel == nil {
		a, b = a[:len(dst)], b[:len(dst)] // one bounds check, not one a row
		for i := range dst {
			dst[i] = a[i] + b[i]
		}
		return
	}
	for _, i := range sel {
		dst[i] = a[i] + b[i]
	}
}

// AddConst stores a+c.
func AddConst[T Number](dst, a []T, c T, sel []int32) {
	if sel == nil {
		a = a[:len(dst)]
		for i := range dst {
			dst[i] = a[i] + c
		}
		return
	}
	for _, i := range sel {
		dst[i] = a[i] + c
	}
}

// ConstAdd stores c+a.
func ConstAdd[T Number](dst []T, c T, a []T, sel []int32) { AddConst(dst, a, c, sel) }

// Sub stores a-b. Integers wrap.
func Sub[T Number](dst, a, b []T, sel []int32) {
	if sel == nil {
		a, b = a[:len(dst)], b[:len(dst)]
		for i := range dst {
			dst[i] = a[i] - b[i]
		}
		return
	}
	for _, i := range sel {
		dst[i] = a[i] - b[i]
	}
}

// SubConst stores a-c.
func SubConst[T Number](dst, a []T, c T, sel []int32) {
	if sel == nil {
		a = a[:len(dst)]
		for i := range dst {
			dst[i] = a[i] - c
		}
		return
	}
	for _, i := range sel {
		dst[i] = a[i] - c
	}
}

// ConstSub stores c-b.
func ConstSub[T Number](dst []T, c T, b []T, sel []int32) {
	if sel == nil {
		b = b[:len(dst)]
		for i := range dst {
			dst[i] = c - b[i]
		}
		return
	}
	for _, i := range sel {
		dst[i] = c - b[i]
	}
}

// Mul stores a*b. Integers wrap.
func Mul[T Number](dst, a, b []T, sel []int32) {
	if sel == nil {
		a, b = a[:len(dst)], b[:len(dst)]
		for i := range dst {
			dst[i] = a[i] * b[i]
		}
		return
	}
	for _, i := range sel {
		dst[i] = a[i] * b[i]
	}
}

// MulConst stores a*c.
func MulConst[T Number](dst, a []T, c T, sel []int32) {
	if sel == nil {
		a = a[:len(dst)]
		for i := range dst {
			dst[i] = a[i] * c
		}
		return
	}
	for _, i := range sel {
		dst[i] = a[i] * c
	}
}

// ConstMul stores c*a.
func ConstMul[T Number](dst []T, c T, a []T, sel []int32) { MulConst(dst, a, c, sel) }

// Neg stores -a. The smallest integer stays itself.
func Neg[T Number](dst, a []T, sel []int32) {
	if sel == nil {
		a = a[:len(dst)]
		for i := range dst {
			dst[i] = -a[i]
		}
		return
	}
	for _, i := range sel {
		dst[i] = -a[i]
	}
}

// Quo stores a/b of floats: a division by zero is an infinity or NaN.
func Quo[T Float](dst, a, b []T, sel []int32) {
	if sel == nil {
		a, b = a[:len(dst)], b[:len(dst)]
		for i := range dst {
			dst[i] = a[i] / b[i]
		}
		return
	}
	for _, i := range sel {
		dst[i] = a[i] / b[i]
	}
}

// QuoConst stores a/c of floats.
func QuoConst[T Float](dst, a []T, c T, sel []int32) {
	if sel == nil {
		a = a[:len(dst)]
		for i := range dst {
			dst[i] = a[i] / c
		}
		return
	}
	for _, i := range sel {
		dst[i] = a[i] / c
	}
}

// ConstQuo stores c/b of floats.
func ConstQuo[T Float](dst []T, c T, b []T, sel []int32) {
	if sel == nil {
		b = b[:len(dst)]
		for i := range dst {
			dst[i] = c / b[i]
		}
		return
	}
	for _, i := range sel {
		dst[i] = c / b[i]
	}
}

// Div stores a/b of integers, cut towards zero, and returns the first row where
// b is 0, or -1. Rows behind it are not computed. Not for NULL rows.
func Div[T Integer](dst, a, b []T, sel []int32) int {
	if sel == nil {
		a, b = a[:len(dst)], b[:len(dst)]
		for i := range dst {
			if b[i] == 0 {
				return i
			}
			dst[i] = a[i] / b[i]
		}
		return -1
	}
	for _, i := range sel {
		if b[i] == 0 {
			return int(i)
		}
		dst[i] = a[i] / b[i]
	}
	return -1
}

// DivConst stores a/c; c is not 0.
func DivConst[T Integer](dst, a []T, c T, sel []int32) {
	if sel == nil {
		a = a[:len(dst)]
		for i := range dst {
			dst[i] = a[i] / c
		}
		return
	}
	for _, i := range sel {
		dst[i] = a[i] / c
	}
}

// Mod stores a%b of integers, with the sign of a, and returns the first row
// where b is 0, or -1. Rows behind it are not computed. Not for NULL rows.
func Mod[T Integer](dst, a, b []T, sel []int32) int {
	if sel == nil {
		a, b = a[:len(dst)], b[:len(dst)]
		for i := range dst {
			if b[i] == 0 {
				return i
			}
			dst[i] = a[i] % b[i]
		}
		return -1
	}
	for _, i := range sel {
		if b[i] == 0 {
			return int(i)
		}
		dst[i] = a[i] % b[i]
	}
	return -1
}

// ModConst stores a%c; c is not 0.
func ModConst[T Integer](dst, a []T, c T, sel []int32) {
	if sel == nil {
		a = a[:len(dst)]
		for i := range dst {
			dst[i] = a[i] % c
		}
		return
	}
	for _, i := range sel {
		dst[i] = a[i] % c
	}
}
