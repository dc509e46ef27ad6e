package runnel

import (
	"fmt"
	"iter"
	"reflect"
	"time"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// TableFunc is a table function made by Table1 or Table2.
type TableFunc struct {
	args   []reflect.Type
	result types.Type
	err    error
	bind   func() (function.TableCall, error)
}

// RegisterTable adds a table function to the environment: a function of one
// argument of the types of RegisterScalar that returns a sequence (iter.Seq) of
// them, one row each. Table1 and Table2 carry functions of other types, and of
// sequences of structs, whose fields become the columns.
//
//	SELECT w FROM lines, LATERAL TABLE(words(line)) AS t(w)
//
// A row with a NULL argument makes no rows.
func (e *Env) RegisterTable(name string, fn any) error {
	f, ok := fn.(TableFunc)
	if !ok {
		f, ok = tableOf(fn)
	}
	if !ok {
		return fmt.Errorf("function %s: %T is no table function: want func(A) iter.Seq[R], with A and R of bool, int64, float64, string, []byte and time.Time; Table1 and Table2 make one of any other", name, fn)
	}
	if f.err != nil {
		return fmt.Errorf("function %s: %w", name, f.err)
	}
	argTypes := make([]types.Type, len(f.args))
	for i, a := range f.args {
		argTypes[i], _, _ = typeOf(a)
	}
	return e.register(function.Def{
		Name: name, Group: "go", Doc: "A table function in Go.", Sig: signatureText(fieldsOfTypes(argTypes), f.result),
		Infer: func(given []function.Arg) (function.Signature, error) {
			if len(given) != len(argTypes) {
				return function.Signature{}, fmt.Errorf("it takes %d arguments, not %d", len(argTypes), len(given))
			}
			s := function.Signature{Result: f.result}
			for i, g := range given {
				want := argTypes[i].OrNull()
				if ok, _ := types.Castable(g.Type.Plain(), want); !ok && g.Type.Kind != types.Null {
					return s, fmt.Errorf("argument %d is %s, not %s", i+1, g.Type, want)
				}
				s.Args = append(s.Args, want)
			}
			return s, nil
		},
		Table: &function.Table{Bind: func(*function.Context, []function.Arg, types.Type) (function.TableCall, error) { return f.bind() }},
	})
}

func fieldsOfTypes(ts []types.Type) []types.Field {
	out := make([]types.Field, len(ts))
	for i, t := range ts {
		out[i].Type = t
	}
	return out
}

func tableOf(fn any) (TableFunc, bool) {
	for _, form := range []func(any) (TableFunc, bool){
		tableFrom[bool], tableFrom[int64], tableFrom[float64], tableFrom[string], tableFrom[[]byte], tableFrom[time.Time],
	} {
		if f, ok := form(fn); ok {
			return f, true
		}
	}
	return TableFunc{}, false
}

func tableFrom[A Element](fn any) (TableFunc, bool) {
	switch f := fn.(type) {
	case func(A) iter.Seq[bool]:
		return Table1(f), true
	case func(A) iter.Seq[int64]:
		return Table1(f), true
	case func(A) iter.Seq[float64]:
		return Table1(f), true
	case func(A) iter.Seq[string]:
		return Table1(f), true
	case func(A) iter.Seq[[]byte]:
		return Table1(f), true
	case func(A) iter.Seq[time.Time]:
		return Table1(f), true
	}
	return TableFunc{}, false
}

// Table1 is a table function of one argument, for RegisterTable. R is a plain
// value or a struct.
func Table1[A Argument, R any](f func(A) iter.Seq[R]) TableFunc {
	return tableFunc[R]([]reflect.Type{reflect.TypeFor[A]()}, func() func([]vector.Vector, int) iter.Seq[R] {
		a := scalarAt[A]()
		return func(args []vector.Vector, i int) iter.Seq[R] { return f(a(args[0], i)) }
	})
}

// Table2 is Table1 of two arguments.
func Table2[A, B Argument, R any](f func(A, B) iter.Seq[R]) TableFunc {
	return tableFunc[R]([]reflect.Type{reflect.TypeFor[A](), reflect.TypeFor[B]()}, func() func([]vector.Vector, int) iter.Seq[R] {
		a, b := scalarAt[A](), scalarAt[B]()
		return func(args []vector.Vector, i int) iter.Seq[R] { return f(a(args[0], i), b(args[1], i)) }
	})
}

// scalarAt returns a way to single values of a column.
func scalarAt[A Argument]() func(v vector.Vector, i int) A {
	var x arg[A]
	row := make([]int32, 1)
	return func(v vector.Vector, i int) A {
		row[0] = int32(i)
		vals, mask := x.of(v, row)
		return vals[int32(i)&mask]
	}
}

func tableFunc[R any](args []reflect.Type, prepare func() func([]vector.Vector, int) iter.Seq[R]) TableFunc {
	t := TableFunc{args: args}
	ms, err := membersOf(reflect.TypeFor[R]())
	if err != nil {
		t.err = err
		return t
	}
	t.result = types.RowOf(fieldsOf(ms)...).NotNull()
	if ms[0].index < 0 {
		t.result = ms[0].typ
	}
	t.bind = func() (function.TableCall, error) {
		w, err := newWriter[R](nil)
		if err != nil {
			return nil, err
		}
		call := prepare()
		return func(args []vector.Vector, i int, out []vector.Vector) (int, error) {
			for _, a := range args {
				if a.IsNull(i) {
					return 0, nil
				}
			}
			n := 0
			for r := range call(args, i) {
				if err := w.put(r, out); err != nil {
					return n, err
				}
				n++
			}
			return n, nil
		}, nil
	}
	return t
}
