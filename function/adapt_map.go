package function

import (
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// The Map adapters turn functions of values into Calls over columns. A loop
// costs one call of the function a row and nothing else: no allocation, no
// interface. CallMapN are for Bind functions that choose or prepare f first.

// Map1 makes a scalar of a function of one argument.
func Map1[A, R vector.Elem](f func(A) R) *Scalar {
	return &Scalar{in: phys(physOf[A]()), out: physOf[R](), Bind: func(*Context, []Arg, types.Type) (Call, error) {
		return CallMap1(f), nil
	}}
}

// CallMap1 is the Call of Map1.
func CallMap1[A, R vector.Elem](f func(A) R) Call {
	var r rows
	return func(args []vector.Vector, sel []int32, out vector.Vector) error {
		dst := out.(*vector.Flat[R]).Vals
		a, am := column[A](args[0])
		for _, i := range r.of(sel, len(dst)) {
			dst[i] = f(a[i&am])
		}
		return nil
	}
}

// MapOk1 is Map1 for a function that may have no result: NULL.
func MapOk1[A, R vector.Elem](f func(A) (R, bool)) *Scalar {
	return &Scalar{in: phys(physOf[A]()), out: physOf[R](), Bind: func(*Context, []Arg, types.Type) (Call, error) {
		return CallMapOk1(f), nil
	}}
}

// CallMapOk1 is the Call of MapOk1.
func CallMapOk1[A, R vector.Elem](f func(A) (R, bool)) Call {
	var r rows
	return func(args []vector.Vector, sel []int32, out vector.Vector) error {
		o := out.(*vector.Flat[R])
		dst := o.Vals
		a, am := column[A](args[0])
		for _, i := range r.of(sel, len(dst)) {
			v, ok := f(a[i&am])
			if !ok {
				o.SetNull(int(i))
				continue
			}
			dst[i] = v
		}
		return nil
	}
}

// MapErr1 is Map1 for a function that may fail.
func MapErr1[A, R vector.Elem](f func(A) (R, error)) *Scalar {
	return &Scalar{in: phys(physOf[A]()), out: physOf[R](), Bind: func(*Context, []Arg, types.Type) (Call, error) {
		return CallMapErr1(f), nil
	}}
}

// CallMapErr1 is the Call of MapErr1.
func CallMapErr1[A, R vector.Elem](f func(A) (R, error)) Call {
	var r rows
	return func(args []vector.Vector, sel []int32, out vector.Vector) error {
		dst := out.(*vector.Flat[R]).Vals
		a, am := column[A](args[0])
		for _, i := range r.of(sel, len(dst)) {
			v, err := f(a[i&am])
			if err != nil {
				return &RowError{Row: int(i), Err: err}
			}
			dst[i] = v
		}
		return nil
	}
}

// Map2 makes a scalar of a function of two arguments.
func Map2[A, B, R vector.Elem](f func(A, B) R) *Scalar {
	return &Scalar{in: phys(physOf[A](), physOf[B]()), out: physOf[R](), Bind: func(*Context, []Arg, types.Type) (Call, error) {
		return CallMap2(f), nil
	}}
}

// CallMap2 is the Call of Map2.
func CallMap2[A, B, R vector.Elem](f func(A, B) R) Call {
	var r rows
	return func(args []vector.Vector, sel []int32, out vector.Vector) error {
		dst := out.(*vector.Flat[R]).Vals
		a, am := column[A](args[0])
		b, bm := column[B](args[1])
		for _, i := range r.of(sel, len(dst)) {
			dst[i] = f(a[i&am], b[i&bm])
		}
		return nil
	}
}

// MapOk2 is Map2 for a function that may have no result: NULL.
func MapOk2[A, B, R vector.Elem](f func(A, B) (R, bool)) *Scalar {
	return &Scalar{in: phys(physOf[A](), physOf[B]()), out: physOf[R](), Bind: func(*Context, []Arg, types.Type) (Call, error) {
		return CallMapOk2(f), nil
	}}
}

// CallMapOk2 is the Call of MapOk2.
func CallMapOk2[A, B, R vector.Elem](f func(A, B) (R, bool)) Call {
	var r rows
	return func(args []vector.Vector, sel []int32, out vector.Vector) error {
		o := out.(*vector.Flat[R])
		dst := o.Vals
		a, am := column[A](args[0])
		b, bm := column[B](args[1])
		for _, i := range r.of(sel, len(dst)) {
			v, ok := f(a[i&am], b[i&bm])
			if !ok {
				o.SetNull(int(i))
				continue
			}
			dst[i] = v
		}
		return nil
	}
}

// MapErr2 is Map2 for a function that may fail.
func MapErr2[A, B, R vector.Elem](f func(A, B) (R, error)) *Scalar {
	return &Scalar{in: phys(physOf[A](), physOf[B]()), out: physOf[R](), Bind: func(*Context, []Arg, types.Type) (Call, error) {
		return CallMapErr2(f), nil
	}}
}

// CallMapErr2 is the Call of MapErr2.
func CallMapErr2[A, B, R vector.Elem](f func(A, B) (R, error)) Call {
	var r rows
	return func(args []vector.Vector, sel []int32, out vector.Vector) error {
		dst := out.(*vector.Flat[R]).Vals
		a, am := column[A](args[0])
		b, bm := column[B](args[1])
		for _, i := range r.of(sel, len(dst)) {
			v, err := f(a[i&am], b[i&bm])
			if err != nil {
				return &RowError{Row: int(i), Err: err}
			}
			dst[i] = v
		}
		return nil
	}
}

// Map3 makes a scalar of a function of three arguments.
func Map3[A, B, C, R vector.Elem](f func(A, B, C) R) *Scalar {
	return &Scalar{in: phys(physOf[A](), physOf[B](), physOf[C]()), out: physOf[R](), Bind: func(*Context, []Arg, types.Type) (Call, error) {
		return CallMap3(f), nil
	}}
}

// CallMap3 is the Call of Map3.
func CallMap3[A, B, C, R vector.Elem](f func(A, B, C) R) Call {
	var r rows
	return func(args []vector.Vector, sel []int32, out vector.Vector) error {
		dst := out.(*vector.Flat[R]).Vals
		a, am := column[A](args[0])
		b, bm := column[B](args[1])
		c, cm := column[C](args[2])
		for _, i := range r.of(sel, len(dst)) {
			dst[i] = f(a[i&am], b[i&bm], c[i&cm])
		}
		return nil
	}
}

// MapOk3 is Map3 for a function that may have no result: NULL.
func MapOk3[A, B, C, R vector.Elem](f func(A, B, C) (R, bool)) *Scalar {
	return &Scalar{in: phys(physOf[A](), physOf[B](), physOf[C]()), out: physOf[R](), Bind: func(*Context, []Arg, types.Type) (Call, error) {
		return CallMapOk3(f), nil
	}}
}

// CallMapOk3 is the Call of MapOk3.
func CallMapOk3[A, B, C, R vector.Elem](f func(A, B, C) (R, bool)) Call {
	var r rows
	return func(args []vector.Vector, sel []int32, out vector.Vector) error {
		o := out.(*vector.Flat[R])
		dst := o.Vals
		a, am := column[A](args[0])
		b, bm := column[B](args[1])
		c, cm := column[C](args[2])
		for _, i := range r.of(sel, len(dst)) {
			v, ok := f(a[i&am], b[i&bm], c[i&cm])
			if !ok {
				o.SetNull(int(i))
				continue
			}
			dst[i] = v
		}
		return nil
	}
}

// MapErr3 is Map3 for a function that may fail.
func MapErr3[A, B, C, R vector.Elem](f func(A, B, C) (R, error)) *Scalar {
	return &Scalar{in: phys(physOf[A](), physOf[B](), physOf[C]()), out: physOf[R](), Bind: func(*Context, []Arg, types.Type) (Call, error) {
		return CallMapErr3(f), nil
	}}
}

// CallMapErr3 is the Call of MapErr3.
func CallMapErr3[A, B, C, R vector.Elem](f func(A, B, C) (R, error)) Call {
	var r rows
	return func(args []vector.Vector, sel []int32, out vector.Vector) error {
		dst := out.(*vector.Flat[R]).Vals
		a, am := column[A](args[0])
		b, bm := column[B](args[1])
		c, cm := column[C](args[2])
		for _, i := range r.of(sel, len(dst)) {
			v, err := f(a[i&am], b[i&bm], c[i&cm])
			if err != nil {
				return &RowError{Row: int(i), Err: err}
			}
			dst[i] = v
		}
		return nil
	}
}

// Map4 makes a scalar of a function of four arguments.
func Map4[A, B, C, D, R vector.Elem](f func(A, B, C, D) R) *Scalar {
	return &Scalar{in: phys(physOf[A](), physOf[B](), physOf[C](), physOf[D]()), out: physOf[R](), Bind: func(*Context, []Arg, types.Type) (Call, error) {
		return CallMap4(f), nil
	}}
}

// CallMap4 is the Call of Map4.
func CallMap4[A, B, C, D, R vector.Elem](f func(A, B, C, D) R) Call {
	var r rows
	return func(args []vector.Vector, sel []int32, out vector.Vector) error {
		dst := out.(*vector.Flat[R]).Vals
		a, am := column[A](args[0])
		b, bm := column[B](args[1])
		c, cm := column[C](args[2])
		d, dm := column[D](args[3])
		for _, i := range r.of(sel, len(dst)) {
			dst[i] = f(a[i&am], b[i&bm], c[i&cm], d[i&dm])
		}
		return nil
	}
}

// MapOk4 is Map4 for a function that may have no result: NULL.
func MapOk4[A, B, C, D, R vector.Elem](f func(A, B, C, D) (R, bool)) *Scalar {
	return &Scalar{in: phys(physOf[A](), physOf[B](), physOf[C](), physOf[D]()), out: physOf[R](), Bind: func(*Context, []Arg, types.Type) (Call, error) {
		return CallMapOk4(f), nil
	}}
}

// CallMapOk4 is the Call of MapOk4.
func CallMapOk4[A, B, C, D, R vector.Elem](f func(A, B, C, D) (R, bool)) Call {
	var r rows
	return func(args []vector.Vector, sel []int32, out vector.Vector) error {
		o := out.(*vector.Flat[R])
		dst := o.Vals
		a, am := column[A](args[0])
		b, bm := column[B](args[1])
		c, cm := column[C](args[2])
		d, dm := column[D](args[3])
		for _, i := range r.of(sel, len(dst)) {
			v, ok := f(a[i&am], b[i&bm], c[i&cm], d[i&dm])
			if !ok {
				o.SetNull(int(i))
				continue
			}
			dst[i] = v
		}
		return nil
	}
}

// MapErr4 is Map4 for a function that may fail.
func MapErr4[A, B, C, D, R vector.Elem](f func(A, B, C, D) (R, error)) *Scalar {
	return &Scalar{in: phys(physOf[A](), physOf[B](), physOf[C](), physOf[D]()), out: physOf[R](), Bind: func(*Context, []Arg, types.Type) (Call, error) {
		return CallMapErr4(f), nil
	}}
}

// CallMapErr4 is the Call of MapErr4.
func CallMapErr4[A, B, C, D, R vector.Elem](f func(A, B, C, D) (R, error)) Call {
	var r rows
	return func(args []vector.Vector, sel []int32, out vector.Vector) error {
		dst := out.(*vector.Flat[R]).Vals
		a, am := column[A](args[0])
		b, bm := column[B](args[1])
		c, cm := column[C](args[2])
		d, dm := column[D](args[3])
		for _, i := range r.of(sel, len(dst)) {
			v, err := f(a[i&am], b[i&bm], c[i&cm], d[i&dm])
			if err != nil {
				return &RowError{Row: int(i), Err: err}
			}
			dst[i] = v
		}
		return nil
	}
}
