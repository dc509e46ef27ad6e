package function

import (
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// The Append adapters are for functions with text results. The function
// appends the row's text to dst, which ends the column's arena, and returns
// it as append does; it must not keep dst or the views it is given.

// Append1 makes a scalar with a text result of a function of one argument that
// appends it to dst.
func Append1[A vector.Elem](f func(dst []byte, a A) []byte) *Scalar {
	return &Scalar{in: phys(physOf[A]()), out: types.PhysStr, Bind: func(*Context, []Arg, types.Type) (Call, error) {
		return CallAppend1(f), nil
	}}
}

// CallAppend1 is the Call of Append1.
func CallAppend1[A vector.Elem](f func(dst []byte, a A) []byte) Call {
	var r rows
	return func(args []vector.Vector, sel []int32, out vector.Vector) error {
		o := out.(*vector.Flat[string])
		dst := o.Vals
		a, am := column[A](args[0])
		for _, i := range r.of(sel, len(dst)) {
			dst[i] = o.Arena.Take(f(o.Arena.Grow(room), a[i&am]))
		}
		return nil
	}
}

// AppendOk1 is Append1 for a function that may have no result: NULL.
func AppendOk1[A vector.Elem](f func(dst []byte, a A) ([]byte, bool)) *Scalar {
	return &Scalar{in: phys(physOf[A]()), out: types.PhysStr, Bind: func(*Context, []Arg, types.Type) (Call, error) {
		return CallAppendOk1(f), nil
	}}
}

// CallAppendOk1 is the Call of AppendOk1.
func CallAppendOk1[A vector.Elem](f func(dst []byte, a A) ([]byte, bool)) Call {
	var r rows
	return func(args []vector.Vector, sel []int32, out vector.Vector) error {
		o := out.(*vector.Flat[string])
		dst := o.Vals
		a, am := column[A](args[0])
		for _, i := range r.of(sel, len(dst)) {
			b, ok := f(o.Arena.Grow(room), a[i&am])
			if !ok {
				o.SetNull(int(i))
				continue
			}
			dst[i] = o.Arena.Take(b)
		}
		return nil
	}
}

// AppendErr1 is Append1 for a function that may fail.
func AppendErr1[A vector.Elem](f func(dst []byte, a A) ([]byte, error)) *Scalar {
	return &Scalar{in: phys(physOf[A]()), out: types.PhysStr, Bind: func(*Context, []Arg, types.Type) (Call, error) {
		return CallAppendErr1(f), nil
	}}
}

// CallAppendErr1 is the Call of AppendErr1.
func CallAppendErr1[A vector.Elem](f func(dst []byte, a A) ([]byte, error)) Call {
	var r rows
	return func(args []vector.Vector, sel []int32, out vector.Vector) error {
		o := out.(*vector.Flat[string])
		dst := o.Vals
		a, am := column[A](args[0])
		for _, i := range r.of(sel, len(dst)) {
			b, err := f(o.Arena.Grow(room), a[i&am])
			if err != nil {
				return &RowError{Row: int(i), Err: err}
			}
			dst[i] = o.Arena.Take(b)
		}
		return nil
	}
}

// Append2 makes a scalar with a text result of a function of two arguments that
// appends it to dst.
func Append2[A, B vector.Elem](f func(dst []byte, a A, b B) []byte) *Scalar {
	return &Scalar{in: phys(physOf[A](), physOf[B]()), out: types.PhysStr, Bind: func(*Context, []Arg, types.Type) (Call, error) {
		return CallAppend2(f), nil
	}}
}

// CallAppend2 is the Call of Append2.
func CallAppend2[A, B vector.Elem](f func(dst []byte, a A, b B) []byte) Call {
	var r rows
	return func(args []vector.Vector, sel []int32, out vector.Vector) error {
		o := out.(*vector.Flat[string])
		dst := o.Vals
		a, am := column[A](args[0])
		b, bm := column[B](args[1])
		for _, i := range r.of(sel, len(dst)) {
			dst[i] = o.Arena.Take(f(o.Arena.Grow(room), a[i&am], b[i&bm]))
		}
		return nil
	}
}

// AppendOk2 is Append2 for a function that may have no result: NULL.
func AppendOk2[A, B vector.Elem](f func(dst []byte, a A, b B) ([]byte, bool)) *Scalar {
	return &Scalar{in: phys(physOf[A](), physOf[B]()), out: types.PhysStr, Bind: func(*Context, []Arg, types.Type) (Call, error) {
		return CallAppendOk2(f), nil
	}}
}

// CallAppendOk2 is the Call of AppendOk2.
func CallAppendOk2[A, B vector.Elem](f func(dst []byte, a A, b B) ([]byte, bool)) Call {
	var r rows
	return func(args []vector.Vector, sel []int32, out vector.Vector) error {
		o := out.(*vector.Flat[string])
		dst := o.Vals
		a, am := column[A](args[0])
		b, bm := column[B](args[1])
		for _, i := range r.of(sel, len(dst)) {
			b, ok := f(o.Arena.Grow(room), a[i&am], b[i&bm])
			if !ok {
				o.SetNull(int(i))
				continue
			}
			dst[i] = o.Arena.Take(b)
		}
		return nil
	}
}

// AppendErr2 is Append2 for a function that may fail.
func AppendErr2[A, B vector.Elem](f func(dst []byte, a A, b B) ([]byte, error)) *Scalar {
	return &Scalar{in: phys(physOf[A](), physOf[B]()), out: types.PhysStr, Bind: func(*Context, []Arg, types.Type) (Call, error) {
		return CallAppendErr2(f), nil
	}}
}

// CallAppendErr2 is the Call of AppendErr2.
func CallAppendErr2[A, B vector.Elem](f func(dst []byte, a A, b B) ([]byte, error)) Call {
	var r rows
	return func(args []vector.Vector, sel []int32, out vector.Vector) error {
		o := out.(*vector.Flat[string])
		dst := o.Vals
		a, am := column[A](args[0])
		b, bm := column[B](args[1])
		for _, i := range r.of(sel, len(dst)) {
			b, err := f(o.Arena.Grow(room), a[i&am], b[i&bm])
			if err != nil {
				return &RowError{Row: int(i), Err: err}
			}
			dst[i] = o.Arena.Take(b)
		}
		return nil
	}
}

// Append3 makes a scalar with a text result of a function of three arguments that
// appends it to dst.
func Append3[A, B, C vector.Elem](f func(dst []byte, a A, b B, c C) []byte) *Scalar {
	return &Scalar{in: phys(physOf[A](), physOf[B](), physOf[C]()), out: types.PhysStr, Bind: func(*Context, []Arg, types.Type) (Call, error) {
		return CallAppend3(f), nil
	}}
}

// CallAppend3 is the Call of Append3.
func CallAppend3[A, B, C vector.Elem](f func(dst []byte, a A, b B, c C) []byte) Call {
	var r rows
	return func(args []vector.Vector, sel []int32, out vector.Vector) error {
		o := out.(*vector.Flat[string])
		dst := o.Vals
		a, am := column[A](args[0])
		b, bm := column[B](args[1])
		c, cm := column[C](args[2])
		for _, i := range r.of(sel, len(dst)) {
			dst[i] = o.Arena.Take(f(o.Arena.Grow(room), a[i&am], b[i&bm], c[i&cm]))
		}
		return nil
	}
}

// AppendOk3 is Append3 for a function that may have no result: NULL.
func AppendOk3[A, B, C vector.Elem](f func(dst []byte, a A, b B, c C) ([]byte, bool)) *Scalar {
	return &Scalar{in: phys(physOf[A](), physOf[B](), physOf[C]()), out: types.PhysStr, Bind: func(*Context, []Arg, types.Type) (Call, error) {
		return CallAppendOk3(f), nil
	}}
}

// CallAppendOk3 is the Call of AppendOk3.
func CallAppendOk3[A, B, C vector.Elem](f func(dst []byte, a A, b B, c C) ([]byte, bool)) Call {
	var r rows
	return func(args []vector.Vector, sel []int32, out vector.Vector) error {
		o := out.(*vector.Flat[string])
		dst := o.Vals
		a, am := column[A](args[0])
		b, bm := column[B](args[1])
		c, cm := column[C](args[2])
		for _, i := range r.of(sel, len(dst)) {
			b, ok := f(o.Arena.Grow(room), a[i&am], b[i&bm], c[i&cm])
			if !ok {
				o.SetNull(int(i))
				continue
			}
			dst[i] = o.Arena.Take(b)
		}
		return nil
	}
}

// AppendErr3 is Append3 for a function that may fail.
func AppendErr3[A, B, C vector.Elem](f func(dst []byte, a A, b B, c C) ([]byte, error)) *Scalar {
	return &Scalar{in: phys(physOf[A](), physOf[B](), physOf[C]()), out: types.PhysStr, Bind: func(*Context, []Arg, types.Type) (Call, error) {
		return CallAppendErr3(f), nil
	}}
}

// CallAppendErr3 is the Call of AppendErr3.
func CallAppendErr3[A, B, C vector.Elem](f func(dst []byte, a A, b B, c C) ([]byte, error)) Call {
	var r rows
	return func(args []vector.Vector, sel []int32, out vector.Vector) error {
		o := out.(*vector.Flat[string])
		dst := o.Vals
		a, am := column[A](args[0])
		b, bm := column[B](args[1])
		c, cm := column[C](args[2])
		for _, i := range r.of(sel, len(dst)) {
			b, err := f(o.Arena.Grow(room), a[i&am], b[i&bm], c[i&cm])
			if err != nil {
				return &RowError{Row: int(i), Err: err}
			}
			dst[i] = o.Arena.Take(b)
		}
		return nil
	}
}

// Append4 makes a scalar with a text result of a function of four arguments that
// appends it to dst.
func Append4[A, B, C, D vector.Elem](f func(dst []byte, a A, b B, c C, d D) []byte) *Scalar {
	return &Scalar{in: phys(physOf[A](), physOf[B](), physOf[C](), physOf[D]()), out: types.PhysStr, Bind: func(*Context, []Arg, types.Type) (Call, error) {
		return CallAppend4(f), nil
	}}
}

// CallAppend4 is the Call of Append4.
func CallAppend4[A, B, C, D vector.Elem](f func(dst []byte, a A, b B, c C, d D) []byte) Call {
	var r rows
	return func(args []vector.Vector, sel []int32, out vector.Vector) error {
		o := out.(*vector.Flat[string])
		dst := o.Vals
		a, am := column[A](args[0])
		b, bm := column[B](args[1])
		c, cm := column[C](args[2])
		d, dm := column[D](args[3])
		for _, i := range r.of(sel, len(dst)) {
			dst[i] = o.Arena.Take(f(o.Arena.Grow(room), a[i&am], b[i&bm], c[i&cm], d[i&dm]))
		}
		return nil
	}
}

// AppendOk4 is Append4 for a function that may have no result: NULL.
func AppendOk4[A, B, C, D vector.Elem](f func(dst []byte, a A, b B, c C, d D) ([]byte, bool)) *Scalar {
	return &Scalar{in: phys(physOf[A](), physOf[B](), physOf[C](), physOf[D]()), out: types.PhysStr, Bind: func(*Context, []Arg, types.Type) (Call, error) {
		return CallAppendOk4(f), nil
	}}
}

// CallAppendOk4 is the Call of AppendOk4.
func CallAppendOk4[A, B, C, D vector.Elem](f func(dst []byte, a A, b B, c C, d D) ([]byte, bool)) Call {
	var r rows
	return func(args []vector.Vector, sel []int32, out vector.Vector) error {
		o := out.(*vector.Flat[string])
		dst := o.Vals
		a, am := column[A](args[0])
		b, bm := column[B](args[1])
		c, cm := column[C](args[2])
		d, dm := column[D](args[3])
		for _, i := range r.of(sel, len(dst)) {
			b, ok := f(o.Arena.Grow(room), a[i&am], b[i&bm], c[i&cm], d[i&dm])
			if !ok {
				o.SetNull(int(i))
				continue
			}
			dst[i] = o.Arena.Take(b)
		}
		return nil
	}
}

// AppendErr4 is Append4 for a function that may fail.
func AppendErr4[A, B, C, D vector.Elem](f func(dst []byte, a A, b B, c C, d D) ([]byte, error)) *Scalar {
	return &Scalar{in: phys(physOf[A](), physOf[B](), physOf[C](), physOf[D]()), out: types.PhysStr, Bind: func(*Context, []Arg, types.Type) (Call, error) {
		return CallAppendErr4(f), nil
	}}
}

// CallAppendErr4 is the Call of AppendErr4.
func CallAppendErr4[A, B, C, D vector.Elem](f func(dst []byte, a A, b B, c C, d D) ([]byte, error)) Call {
	var r rows
	return func(args []vector.Vector, sel []int32, out vector.Vector) error {
		o := out.(*vector.Flat[string])
		dst := o.Vals
		a, am := column[A](args[0])
		b, bm := column[B](args[1])
		c, cm := column[C](args[2])
		d, dm := column[D](args[3])
		for _, i := range r.of(sel, len(dst)) {
			b, err := f(o.Arena.Grow(room), a[i&am], b[i&bm], c[i&cm], d[i&dm])
			if err != nil {
				return &RowError{Row: int(i), Err: err}
			}
			dst[i] = o.Arena.Take(b)
		}
		return nil
	}
}
