package runnel

import (
	"reflect"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/vector"
)

// The loops of Go functions over columns: one call of the function a row, and
// nothing else. Fn functions may fail; total ones cannot.

// Fn1 is a function of one argument, for RegisterScalar.
func Fn1[A, R Argument](f func(A) (R, error)) ScalarFunc {
	return ScalarFunc{args: []reflect.Type{reflect.TypeFor[A]()}, result: reflect.TypeFor[R](), fails: true, bind: func(*FuncContext) function.Call { return callErr1(f) }}
}

// FnContext1 is Fn1 of a function that takes a context.
func FnContext1[A, R Argument](f func(*FuncContext, A) (R, error)) ScalarFunc {
	return contextual(Fn1[A, R](nil), func(cx *FuncContext) function.Call {
		return callErr1(func(a A) (R, error) { return f(cx.row(), a) })
	})
}

func callErr1[A, R Argument](f func(A) (R, error)) function.Call {
	var all []int32
	var ax arg[A]
	var rx res[R]
	return func(args []vector.Vector, sel []int32, out vector.Vector) error {
		rows := function.Rows(sel, out.Len(), &all)
		a, am := ax.of(args[0], rows)
		dst := rx.of(out)
		for _, i := range rows {
			r, err := f(a[i&am])
			if err != nil {
				if err := failed(out, i, err); err != nil {
					return err
				}
			}
			dst[i] = r
		}
		rx.settle(out, rows)
		return nil
	}
}

// total1 is a function of one argument that cannot fail.
func total1[A, R Argument](f func(A) R) ScalarFunc {
	return ScalarFunc{args: []reflect.Type{reflect.TypeFor[A]()}, result: reflect.TypeFor[R](), bind: func(*FuncContext) function.Call { return call1(f) }}
}

func call1[A, R Argument](f func(A) R) function.Call {
	var all []int32
	var ax arg[A]
	var rx res[R]
	return func(args []vector.Vector, sel []int32, out vector.Vector) error {
		rows := function.Rows(sel, out.Len(), &all)
		a, am := ax.of(args[0], rows)
		dst := rx.of(out)
		for _, i := range rows {
			dst[i] = f(a[i&am])
		}
		rx.settle(out, rows)
		return nil
	}
}

// Fn2 is a function of two arguments, for RegisterScalar.
func Fn2[A, B, R Argument](f func(A, B) (R, error)) ScalarFunc {
	return ScalarFunc{args: []reflect.Type{reflect.TypeFor[A](), reflect.TypeFor[B]()}, result: reflect.TypeFor[R](), fails: true, bind: func(*FuncContext) function.Call { return callErr2(f) }}
}

// FnContext2 is Fn2 of a function that takes a context.
func FnContext2[A, B, R Argument](f func(*FuncContext, A, B) (R, error)) ScalarFunc {
	return contextual(Fn2[A, B, R](nil), func(cx *FuncContext) function.Call {
		return callErr2(func(a A, b B) (R, error) { return f(cx.row(), a, b) })
	})
}

func callErr2[A, B, R Argument](f func(A, B) (R, error)) function.Call {
	var all []int32
	var ax arg[A]
	var bx arg[B]
	var rx res[R]
	return func(args []vector.Vector, sel []int32, out vector.Vector) error {
		rows := function.Rows(sel, out.Len(), &all)
		a, am := ax.of(args[0], rows)
		b, bm := bx.of(args[1], rows)
		dst := rx.of(out)
		for _, i := range rows {
			r, err := f(a[i&am], b[i&bm])
			if err != nil {
				if err := failed(out, i, err); err != nil {
					return err
				}
			}
			dst[i] = r
		}
		rx.settle(out, rows)
		return nil
	}
}

// total2 is a function of two arguments that cannot fail.
func total2[A, B, R Argument](f func(A, B) R) ScalarFunc {
	return ScalarFunc{args: []reflect.Type{reflect.TypeFor[A](), reflect.TypeFor[B]()}, result: reflect.TypeFor[R](), bind: func(*FuncContext) function.Call { return call2(f) }}
}

func call2[A, B, R Argument](f func(A, B) R) function.Call {
	var all []int32
	var ax arg[A]
	var bx arg[B]
	var rx res[R]
	return func(args []vector.Vector, sel []int32, out vector.Vector) error {
		rows := function.Rows(sel, out.Len(), &all)
		a, am := ax.of(args[0], rows)
		b, bm := bx.of(args[1], rows)
		dst := rx.of(out)
		for _, i := range rows {
			dst[i] = f(a[i&am], b[i&bm])
		}
		rx.settle(out, rows)
		return nil
	}
}

// Fn3 is a function of three arguments, for RegisterScalar.
func Fn3[A, B, C, R Argument](f func(A, B, C) (R, error)) ScalarFunc {
	return ScalarFunc{args: []reflect.Type{reflect.TypeFor[A](), reflect.TypeFor[B](), reflect.TypeFor[C]()}, result: reflect.TypeFor[R](), fails: true, bind: func(*FuncContext) function.Call { return callErr3(f) }}
}

// FnContext3 is Fn3 of a function that takes a context.
func FnContext3[A, B, C, R Argument](f func(*FuncContext, A, B, C) (R, error)) ScalarFunc {
	return contextual(Fn3[A, B, C, R](nil), func(cx *FuncContext) function.Call {
		return callErr3(func(a A, b B, c C) (R, error) { return f(cx.row(), a, b, c) })
	})
}

func callErr3[A, B, C, R Argument](f func(A, B, C) (R, error)) function.Call {
	var all []int32
	var ax arg[A]
	var bx arg[B]
	var cx arg[C]
	var rx res[R]
	return func(args []vector.Vector, sel []int32, out vector.Vector) error {
		rows := function.Rows(sel, out.Len(), &all)
		a, am := ax.of(args[0], rows)
		b, bm := bx.of(args[1], rows)
		c, cm := cx.of(args[2], rows)
		dst := rx.of(out)
		for _, i := range rows {
			r, err := f(a[i&am], b[i&bm], c[i&cm])
			if err != nil {
				if err := failed(out, i, err); err != nil {
					return err
				}
			}
			dst[i] = r
		}
		rx.settle(out, rows)
		return nil
	}
}

// Fn4 is a function of four arguments, for RegisterScalar.
func Fn4[A, B, C, D, R Argument](f func(A, B, C, D) (R, error)) ScalarFunc {
	return ScalarFunc{args: []reflect.Type{reflect.TypeFor[A](), reflect.TypeFor[B](), reflect.TypeFor[C](), reflect.TypeFor[D]()}, result: reflect.TypeFor[R](), fails: true, bind: func(*FuncContext) function.Call { return callErr4(f) }}
}

// FnContext4 is Fn4 of a function that takes a context.
func FnContext4[A, B, C, D, R Argument](f func(*FuncContext, A, B, C, D) (R, error)) ScalarFunc {
	return contextual(Fn4[A, B, C, D, R](nil), func(cx *FuncContext) function.Call {
		return callErr4(func(a A, b B, c C, d D) (R, error) { return f(cx.row(), a, b, c, d) })
	})
}

func callErr4[A, B, C, D, R Argument](f func(A, B, C, D) (R, error)) function.Call {
	var all []int32
	var ax arg[A]
	var bx arg[B]
	var cx arg[C]
	var dx arg[D]
	var rx res[R]
	return func(args []vector.Vector, sel []int32, out vector.Vector) error {
		rows := function.Rows(sel, out.Len(), &all)
		a, am := ax.of(args[0], rows)
		b, bm := bx.of(args[1], rows)
		c, cm := cx.of(args[2], rows)
		d, dm := dx.of(args[3], rows)
		dst := rx.of(out)
		for _, i := range rows {
			r, err := f(a[i&am], b[i&bm], c[i&cm], d[i&dm])
			if err != nil {
				if err := failed(out, i, err); err != nil {
					return err
				}
			}
			dst[i] = r
		}
		rx.settle(out, rows)
		return nil
	}
}
