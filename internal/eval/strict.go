package eval

import (
	"errors"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/kernel"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// strictFn computes the rows of sel of out from in, whose vectors are flat or
// Const and, if Const, not NULL. out is sized, its NULL rows are marked.
type strictFn func(in []vector.Vector, out vector.Vector, sel []int32) error

// strict is the step of what is NULL where an operand is. Where all operands
// are constant, the result is.
type strict struct {
	fn   strictFn
	args []slot
	out  slot
	// live: fn must not be called for NULL rows, because it may fail or is slow.
	live bool
	// each: fn is called for each row even if the operands are constant.
	each bool
	// keepConst: fn gets constant operands as they are, all of them constant or not.
	keepConst bool
	span      diag.Span // of the expression, for errors

	in   []vector.Vector
	wrap vector.Const
}

// strict emits a step and returns its slot.
func (c *compiler) strict(sc *scope, t types.Type, args []slot, s strict) slot {
	s.out, s.args = c.register(t), args
	for _, a := range args {
		c.use(a)
	}
	s.in = make([]vector.Vector, len(args))
	c.emit(sc, &s)
	return s.out
}

func (s *strict) run(m *machine, sel []int32) error {
	constant, null := !s.each, false
	for i, a := range s.args {
		v := m.slots[a]
		s.in[i] = v
		if c, ok := v.(*vector.Const); ok {
			null = null || c.IsNull(0)
		} else {
			constant = false
		}
	}
	dst := m.reg(s.out)
	if null || constant {
		s.wrap = vector.Const{Of: dst, N: m.n}
		m.slots[s.out] = &s.wrap
		dst.Resize(1)
		if null {
			vector.SetNullDeep(dst, 0)
			return nil
		}
		if m.n == 0 || sel != nil && len(sel) == 0 {
			return nil
		}
		return s.once(dst, first(sel))
	}
	m.slots[s.out] = dst
	dst.Resize(m.n)
	for _, v := range s.in {
		kernel.OrNulls(dst, v.Nulls())
	}
	if nulls := dst.Nulls(); s.live && nulls != nil {
		m.live = kernel.NotNull(m.live[:0], nulls, sel, m.n)
		sel = m.live
	}
	if m.n == 0 || sel != nil && len(sel) == 0 {
		return nil
	}
	return located(s.fn(s.in, dst, sel), s.span)
}

// once computes the one value of constants; an error is that of row.
func (s *strict) once(dst vector.Vector, row int) error {
	if !s.keepConst {
		for i, v := range s.in {
			s.in[i] = v.(*vector.Const).Of
		}
	}
	err := s.fn(s.in, dst, nil)
	if err == nil {
		return nil
	}
	var r *function.RowError
	if errors.As(err, &r) {
		err = &function.RowError{Row: row, Err: r.Err}
	}
	return located(err, s.span)
}

// located adds to the error of a row the place of the expression that has it.
func located(err error, span diag.Span) error {
	if err == nil || span.IsZero() {
		return err
	}
	var r *function.RowError
	if !errors.As(err, &r) {
		return err
	}
	var at *diag.Error
	if errors.As(r.Err, &at) {
		return err
	}
	return &function.RowError{Row: r.Row, Err: diag.At(span, diag.BadValue, "%w", r.Err)}
}

// operand returns the values of v, or its only value and true for a Const.
func operand[T vector.Elem](v vector.Vector) (vals []T, constant bool) {
	if c, ok := v.(*vector.Const); ok {
		return c.Of.(*vector.Flat[T]).Vals[:1], true
	}
	return v.(*vector.Flat[T]).Vals, false
}

// spread is operand with a constant written out for n rows into the buffer,
// which is filled again only when the constant or the number changes.
type spread[T interface {
	comparable
	vector.Elem
}] struct {
	buf []T
}

func (s *spread[T]) operand(v vector.Vector, n int) []T {
	vals, constant := operand[T](v)
	if !constant {
		return vals
	}
	if len(s.buf) < n || s.buf[0] != vals[0] {
		s.buf = kernel.Fill(s.buf, vals[0], n)
	}
	return s.buf[:n]
}

// loops are the kernels of a binary operation by the form of the operands.
type loops[T, R vector.Elem] struct {
	flat       func(dst []R, a, b []T, sel []int32)
	rightConst func(dst []R, a []T, c T, sel []int32)
	leftConst  func(dst []R, c T, b []T, sel []int32)
}

func binary[T, R vector.Elem](l loops[T, R]) strictFn {
	return func(in []vector.Vector, out vector.Vector, sel []int32) error {
		dst := out.(*vector.Flat[R]).Vals
		a, ac := operand[T](in[0])
		b, bc := operand[T](in[1])
		switch {
		case bc:
			l.rightConst(dst, a, b[0], sel)
		case ac:
			l.leftConst(dst, a[0], b, sel)
		default:
			l.flat(dst, a, b, sel)
		}
		return nil
	}
}

func unary[T, R vector.Elem](loop func(dst []R, a []T, sel []int32)) strictFn {
	return func(in []vector.Vector, out vector.Vector, sel []int32) error {
		loop(out.(*vector.Flat[R]).Vals, in[0].(*vector.Flat[T]).Vals, sel)
		return nil
	}
}
