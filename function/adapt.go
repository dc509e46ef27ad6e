package function

import (
	"fmt"
	"slices"

	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// MaxText is how many bytes a function may make of one row before it has to
// give up with ErrTooLong (REPEAT, LPAD): a bound on memory, not of SQL.
const MaxText = 64 << 20

// ErrTooLong tells that a text would exceed MaxText.
var ErrTooLong = fmt.Errorf("the result is longer than %d bytes", MaxText)

// room is what is kept free in an arena before a row's text is appended: the
// most texts are shorter and then cost no memory of their own.
const room = 256

// Vec makes a scalar of a function over whole columns. All call sites share f,
// in several goroutines: it must not keep anything, scratch memory neither. Use
// Bound for one that does.
func Vec(f Call) *Scalar {
	return &Scalar{Bind: func(*Context, []Arg, types.Type) (Call, error) { return f, nil }}
}

// Bound makes a scalar of a function that prepares each call site: it looks at
// types and constants and returns the Call, often one of CallMapN.
func Bound(bind func(cx *Context, args []Arg, result types.Type) (Call, error)) *Scalar {
	return &Scalar{Bind: bind}
}

// Arity makes a scalar of several by the number of arguments: the first is for
// least arguments, the next for one more, and so on.
func Arity(least int, scalars ...*Scalar) *Scalar {
	return &Scalar{Bind: func(cx *Context, args []Arg, result types.Type) (Call, error) {
		n := len(args) - least
		if n < 0 || n >= len(scalars) {
			return nil, fmt.Errorf("no implementation for %d arguments", len(args))
		}
		return scalars[n].Bind(cx, args, result)
	}}
}

// Text1 makes a scalar of a function whose result is a part of its argument.
func Text1[A vector.Elem](f func(A) string) *Scalar {
	return Append1(func(dst []byte, a A) []byte { return append(dst, f(a)...) })
}

// Text2 is Text1 for two arguments.
func Text2[A, B vector.Elem](f func(A, B) string) *Scalar {
	return Append2(func(dst []byte, a A, b B) []byte { return append(dst, f(a, b)...) })
}

// Text3 is Text1 for three arguments.
func Text3[A, B, C vector.Elem](f func(A, B, C) string) *Scalar {
	return Append3(func(dst []byte, a A, b B, c C) []byte { return append(dst, f(a, b, c)...) })
}

// Column gives the values of an argument for a loop over rows: the value of
// row i is vals[i&mask], the mask being 0 for a constant.
func Column[T vector.Elem](v vector.Vector) (vals []T, mask int32) { return column[T](v) }

func column[T vector.Elem](v vector.Vector) ([]T, int32) {
	if c, ok := v.(*vector.Const); ok {
		return c.Of.(*vector.Flat[T]).Vals, 0
	}
	return v.(*vector.Flat[T]).Vals, -1
}

// rows makes a list of rows where a Call is given none, to have one loop for
// both. Calls are made by one goroutine at a time, so it is reused.
type rows struct{ all []int32 }

func (r *rows) of(sel []int32, n int) []int32 {
	if sel != nil {
		return sel
	}
	for len(r.all) < n {
		r.all = append(r.all, int32(len(r.all)))
	}
	return r.all[:n]
}

// Rows lists the rows a Call computes: sel, or all n in scratch memory that is
// kept in *all.
func Rows(sel []int32, n int, all *[]int32) []int32 {
	r := rows{all: *all}
	out := r.of(sel, n)
	*all = r.all
	return out
}

func phys(p ...types.Phys) []types.Phys { return p }

// physOf is the physical kind whose Go type is T.
func physOf[T vector.Elem]() types.Phys {
	var zero T
	switch any(zero).(type) {
	case bool:
		return types.PhysBool
	case int8:
		return types.PhysI8
	case int16:
		return types.PhysI16
	case int32:
		return types.PhysI32
	case int64:
		return types.PhysI64
	case float32:
		return types.PhysF32
	case float64:
		return types.PhysF64
	case types.Dec:
		return types.PhysDec
	case string:
		return types.PhysStr
	}
	return types.PhysTs
}

// fits checks the Go types of an adapted function against a form. Scalars made
// by Bound, Vec and Arity, and parameters that take several types, are not checked.
func (s *Scalar) fits(f Form) error {
	if s.out == types.PhysNone {
		return nil
	}
	least, most := f.arity()
	if least != most || most != len(s.in) {
		return fmt.Errorf("form %s does not have %d parameters", f, len(s.in))
	}
	var got []types.Phys
	for i, p := range f.Params {
		got = append(got, p.pattern.phys(s.in[i]))
	}
	if !slices.Equal(got, s.in) {
		return fmt.Errorf("the Go function does not take what %s says", f)
	}
	if f.Result.pattern.phys(s.out) != s.out {
		return fmt.Errorf("the Go function does not return what %s says", f)
	}
	return nil
}

// phys is the physical kind of p, or that of the Go type if p does not fix it.
func (p pattern) phys(goType types.Phys) types.Phys {
	switch {
	case p.typ != nil:
		return p.typ.Phys()
	case p.root == types.Map || p.root == types.Multiset:
		return types.PhysMap
	case p.root == types.Array:
		return types.PhysList
	case p.family == "CHARACTER" || p.family == "BINARY" || p.family == "VARCHAR" || p.family == "CHARACTER+":
		return types.PhysStr
	case p.family == "TIMESTAMPS":
		return types.PhysTs
	}
	return goType
}
