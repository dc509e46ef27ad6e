package runnel

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// Null, returned as the error of a function, makes its result NULL.
var Null = errors.New("the result is NULL")

// Element is what functions of RegisterScalar take and return. time.Time is
// TIMESTAMP_LTZ(9), []byte BYTES, int64 BIGINT, float64 DOUBLE.
type Element interface {
	bool | int64 | float64 | string | []byte | time.Time
}

// Argument is what Fn1 to Fn4 take and return: Element and the smaller numbers.
type Argument interface {
	Element | int8 | int16 | int32 | int | float32
}

// ScalarFunc is a scalar function made by Fn1 to Fn4.
type ScalarFunc struct {
	args     []reflect.Type
	result   reflect.Type
	fails    bool // it may return Null
	volatile bool
	bind     func(cx *FuncContext) function.Call
}

// RegisterScalar adds a scalar function to the environment. It is a function of
// one or two arguments of the types bool, int64, float64, string, []byte and
// time.Time, that returns one of them, and perhaps an error, which fails the job
// (Null makes the result NULL); *FuncContext may come first. Fn1 to Fn4 carry
// functions of more arguments and of the smaller number types. A row with a NULL
// argument has the result NULL, and the function is not called.
//
// Texts and bytes are valid during the call only: a function that keeps one must
// clone it. Functions are called by several tasks at once.
//
// A function of the name that is there is replaced.
func (e *Env) RegisterScalar(name string, fn any) error {
	f, ok := fn.(ScalarFunc)
	if !ok {
		f, ok = scalarOf(fn)
	}
	if !ok {
		return fmt.Errorf("function %s: %T is no scalar function: want func(A) R or func(A, B) R, with A, B and R of bool, int64, float64, string, []byte and time.Time, perhaps with *runnel.FuncContext first and an error as the second result; Fn1 to Fn4 make one of any other", name, fn)
	}
	return e.register(f.def(name))
}

// register adds a function in place of others of its name.
func (e *Env) register(d function.Def) error {
	if d.Name == "" || strings.ContainsAny(d.Name, "`. \t\n") {
		return fmt.Errorf("function %q: not a name", d.Name)
	}
	d.Name = strings.ToUpper(d.Name)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.asksRows = e.asksRows || d.Volatile
	s := e.session.Functions.Clone()
	if err := s.Replace(d); err != nil {
		return err
	}
	e.session.Functions = s
	return nil
}

func (f ScalarFunc) def(name string) function.Def {
	args := make([]string, len(f.args))
	for i, a := range f.args {
		args[i] = sqlOf(a)
	}
	null := ""
	if f.fails {
		null = "?"
	}
	return function.Def{
		Name: name, Group: "go", Sig: "(" + strings.Join(args, ", ") + ") -> " + sqlOf(f.result) + null, Doc: "A function in Go.", Volatile: f.volatile,
		Scalar: function.Bound(func(cx *function.Context, _ []function.Arg, _ types.Type) (function.Call, error) {
			return f.bind(contextOf(cx)), nil
		}),
	}
}

// sqlOf is the SQL type of an Argument in a signature.
func sqlOf(t reflect.Type) string {
	typ, _, _ := typeOf(t)
	return typ.OrNull().String()
}

// scalarOf finds the form of a plain function.
func scalarOf(fn any) (ScalarFunc, bool) {
	for _, form := range []func(any) (ScalarFunc, bool){
		firstOf[bool], firstOf[int64], firstOf[float64], firstOf[string], firstOf[[]byte], firstOf[time.Time],
	} {
		if f, ok := form(fn); ok {
			return f, true
		}
	}
	return ScalarFunc{}, false
}

func firstOf[A Element](fn any) (ScalarFunc, bool) {
	for _, form := range []func(any) (ScalarFunc, bool){
		oneOf[A, bool], oneOf[A, int64], oneOf[A, float64], oneOf[A, string], oneOf[A, []byte], oneOf[A, time.Time],
		secondOf[A, bool], secondOf[A, int64], secondOf[A, float64], secondOf[A, string], secondOf[A, []byte], secondOf[A, time.Time],
	} {
		if f, ok := form(fn); ok {
			return f, true
		}
	}
	return ScalarFunc{}, false
}

func secondOf[A, B Element](fn any) (ScalarFunc, bool) {
	for _, form := range []func(any) (ScalarFunc, bool){
		twoOf[A, B, bool], twoOf[A, B, int64], twoOf[A, B, float64], twoOf[A, B, string], twoOf[A, B, []byte], twoOf[A, B, time.Time],
	} {
		if f, ok := form(fn); ok {
			return f, true
		}
	}
	return ScalarFunc{}, false
}

func oneOf[A, R Element](fn any) (ScalarFunc, bool) {
	switch f := fn.(type) {
	case func(A) R:
		return total1(f), true
	case func(A) (R, error):
		return Fn1(f), true
	case func(*FuncContext, A) R:
		return contextual(total1[A, R](nil), func(cx *FuncContext) function.Call {
			return call1(func(a A) R { return f(cx.row(), a) })
		}), true
	case func(*FuncContext, A) (R, error):
		return FnContext1(f), true
	}
	return ScalarFunc{}, false
}

func twoOf[A, B, R Element](fn any) (ScalarFunc, bool) {
	switch f := fn.(type) {
	case func(A, B) R:
		return total2(f), true
	case func(A, B) (R, error):
		return Fn2(f), true
	case func(*FuncContext, A, B) R:
		return contextual(total2[A, B, R](nil), func(cx *FuncContext) function.Call {
			return call2(func(a A, b B) R { return f(cx.row(), a, b) })
		}), true
	case func(*FuncContext, A, B) (R, error):
		return FnContext2(f), true
	}
	return ScalarFunc{}, false
}

// arg makes a column into values of a Go type: those that vectors hold are taken
// as they are, the others converted into scratch memory.
type arg[A Argument] struct {
	scratch []A
	bytes   []byte
}

// of returns the values; the value of row i is vals[i&mask].
func (x *arg[A]) of(v vector.Vector, rows []int32) (vals []A, mask int32) {
	mask = -1
	if c, ok := v.(*vector.Const); ok {
		v, mask, rows = c.Of, 0, first
	}
	if f, ok := v.(interface{ Values() []A }); ok {
		return f.Values(), mask
	}
	if n := v.Len(); cap(x.scratch) < n {
		x.scratch = make([]A, n)
	}
	x.scratch = x.scratch[:v.Len()]
	switch s := any(x.scratch).(type) {
	case []int:
		in := v.(*vector.Flat[int64]).Vals
		for _, i := range rows {
			s[i] = int(in[i])
		}
	case []time.Time:
		in := v.(*vector.Flat[types.TS]).Vals
		for _, i := range rows {
			s[i] = in[i].Time()
		}
	case [][]byte:
		in := v.(*vector.Flat[string]).Vals
		n := 0
		for _, i := range rows {
			n += len(in[i])
		}
		if cap(x.bytes) < n {
			x.bytes = make([]byte, 0, n)
		}
		b := x.bytes[:0]
		for _, i := range rows {
			at := len(b)
			b = append(b, in[i]...)
			s[i] = b[at:len(b):len(b)]
		}
		x.bytes = b
	}
	return x.scratch, mask
}

var first = []int32{0}

// res is where results go: into the column, or first into scratch memory.
type res[R Argument] struct{ scratch []R }

// of returns room for the results.
func (x *res[R]) of(out vector.Vector) []R {
	if f, ok := out.(interface{ Values() []R }); ok {
		return f.Values()
	}
	if n := out.Len(); cap(x.scratch) < n {
		x.scratch = make([]R, n)
	}
	x.scratch = x.scratch[:out.Len()]
	return x.scratch
}

// settle brings results of rows into the column: texts into its arena, because
// they may be parts of an argument.
func (x *res[R]) settle(out vector.Vector, rows []int32) {
	switch o := out.(type) {
	case *vector.Flat[string]:
		if s, ok := any(x.scratch).([][]byte); ok {
			for _, i := range rows {
				o.Vals[i] = o.Arena.Take(append(o.Arena.Grow(len(s[i])), s[i]...))
				s[i] = nil
			}
			return
		}
		for _, i := range rows {
			if !o.IsNull(int(i)) {
				o.Vals[i] = o.Arena.Clone(o.Vals[i])
			}
		}
	case *vector.Flat[types.TS]:
		if s, ok := any(x.scratch).([]time.Time); ok {
			for _, i := range rows {
				o.Vals[i] = types.TSFromTime(s[i])
			}
		}
	case *vector.Flat[int64]:
		if s, ok := any(x.scratch).([]int); ok {
			for _, i := range rows {
				o.Vals[i] = int64(s[i])
			}
		}
	}
}

// failed handles the error of row i: NULL, or the end of the job.
func failed(out vector.Vector, i int32, err error) error {
	if errors.Is(err, Null) {
		out.SetNull(int(i))
		return nil
	}
	return &function.RowError{Row: int(i), Err: err}
}
