package eval

import (
	"errors"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/internal/kernel"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// ErrDivisionByZero is wrapped by the errors of rows that divide by zero.
var ErrDivisionByZero = errors.New("division by zero")

func divisionByZero(row int) error {
	return &function.RowError{Row: row, Err: ErrDivisionByZero}
}

func (c *compiler) arithmetic(e *plan.OpExpr, sc *scope) (slot, error) {
	temporal := e.T.IsTemporal() || e.T.IsInterval()
	for _, a := range e.Args {
		t := a.Type()
		if t.Kind == types.Null {
			return c.literal(&plan.Literal{T: e.T.OrNull()}), nil
		}
		temporal = temporal || t.IsTemporal() || t.IsInterval()
		if !temporal && !t.IsNumeric() {
			return 0, illTyped(e)
		}
	}
	switch {
	case e.Op == plan.Neg:
		return c.negate(e, sc)
	case temporal:
		return c.temporal(e, sc)
	}
	return c.numeric(e, sc)
}

func (c *compiler) negate(e *plan.OpExpr, sc *scope) (slot, error) {
	if e.Args[0].Type().Kind != e.T.Kind {
		return 0, illTyped(e)
	}
	x, err := c.value(c.coerce(e.Args[0], e.T), sc)
	if err != nil {
		return 0, err
	}
	var fn strictFn
	switch e.T.Phys() {
	case types.PhysI8:
		fn = unary(kernel.Neg[int8])
	case types.PhysI16:
		fn = unary(kernel.Neg[int16])
	case types.PhysI32:
		fn = unary(kernel.Neg[int32])
	case types.PhysI64:
		fn = unary(kernel.Neg[int64])
	case types.PhysF32:
		fn = unary(kernel.Neg[float32])
	case types.PhysF64:
		fn = unary(kernel.Neg[float64])
	case types.PhysDec:
		fn = unary(kernel.DecNeg)
	}
	if fn == nil || e.T.IsTemporal() {
		return 0, illTyped(e)
	}
	return c.strict(sc, e.T, []slot{x}, strict{fn: fn}), nil
}

// numeric computes in the kind that holds operands and result, see doc.go.
func (c *compiler) numeric(e *plan.OpExpr, sc *scope) (slot, error) {
	a, b := e.Args[0].Type(), e.Args[1].Type()
	in := e.T.NotNull()
	switch {
	case e.T.Kind == types.Decimal || a.Kind == types.Decimal || b.Kind == types.Decimal:
		if e.T.IsApprox() && e.Op != plan.Mod {
			break
		}
		if a.IsApprox() || b.IsApprox() || e.T.Kind != types.Decimal && (e.Op != plan.Mod || !e.T.IsInteger()) {
			return 0, illTyped(e)
		}
		return c.decimal(e, sc)
	case e.T.IsInteger() && a.IsInteger() && b.IsInteger():
		in = types.Of(max(e.T.Kind, a.Kind, b.Kind))
	case e.T.IsApprox() && e.Op != plan.Mod:
	default:
		return 0, illTyped(e)
	}
	in = in.WithNull(e.T.Nullable)
	if in.Kind != e.T.Kind {
		inner := &plan.OpExpr{Op: e.Op, Args: e.Args, T: in, Span: e.Span}
		return c.value(&plan.Cast{X: inner, T: e.T, Span: e.Span}, sc)
	}
	args, err := c.operands([]plan.Expr{c.coerce(e.Args[0], in), c.coerce(e.Args[1], in)}, sc)
	if err != nil {
		return 0, err
	}
	s := strict{live: in.IsInteger() && (e.Op == plan.Div || e.Op == plan.Mod), span: e.Span}
	switch in.Kind {
	case types.TinyInt:
		s.fn = integers[int8](e.Op)
	case types.SmallInt:
		s.fn = integers[int16](e.Op)
	case types.Int:
		s.fn = integers[int32](e.Op)
	case types.BigInt:
		s.fn = integers[int64](e.Op)
	case types.Float:
		s.fn = floats[float32](e.Op)
	case types.Double:
		s.fn = floats[float64](e.Op)
	}
	return c.strict(sc, e.T, args, s), nil
}

type integer interface {
	kernel.Integer
	vector.Elem
}

type float interface {
	kernel.Float
	vector.Elem
}

func common[T interface {
	kernel.Number
	vector.Elem
}](op plan.Op) strictFn {
	switch op {
	case plan.Add:
		return binary(loops[T, T]{kernel.Add[T], kernel.AddConst[T], kernel.ConstAdd[T]})
	case plan.Sub:
		return binary(loops[T, T]{kernel.Sub[T], kernel.SubConst[T], kernel.ConstSub[T]})
	}
	return binary(loops[T, T]{kernel.Mul[T], kernel.MulConst[T], kernel.ConstMul[T]})
}

func integers[T integer](op plan.Op) strictFn {
	switch op {
	case plan.Div:
		return divide(kernel.Div[T], kernel.DivConst[T])
	case plan.Mod:
		return divide(kernel.Mod[T], kernel.ModConst[T])
	}
	return common[T](op)
}

func floats[T float](op plan.Op) strictFn {
	if op == plan.Div {
		return binary(loops[T, T]{kernel.Quo[T], kernel.QuoConst[T], kernel.ConstQuo[T]})
	}
	return common[T](op)
}

func divide[T integer](flat func(dst, a, b []T, sel []int32) int, byConst func(dst, a []T, c T, sel []int32)) strictFn {
	var left spread[T]
	return func(in []vector.Vector, out vector.Vector, sel []int32) error {
		dst := out.(*vector.Flat[T]).Vals
		a := left.operand(in[0], len(dst))
		b, constant := operand[T](in[1])
		if constant {
			if b[0] == 0 {
				return divisionByZero(first(sel))
			}
			byConst(dst, a, b[0], sel)
			return nil
		}
		if row := flat(dst, a, b, sel); row >= 0 {
			return divisionByZero(row)
		}
		return nil
	}
}

// decimal computes with exact numbers of which one, or the result, is DECIMAL.
func (c *compiler) decimal(e *plan.OpExpr, sc *scope) (slot, error) {
	x, y := e.Args[0], e.Args[1]
	if e.T.Kind != types.Decimal {
		// Such as DECIMAL(5, 0) % INT, which is INT.
		t := types.DecimalOf(types.MaxDecimalPrecision, max(x.Type().Scale, y.Type().Scale)).WithNull(true)
		inner := &plan.OpExpr{Op: e.Op, Args: e.Args, T: t, Span: e.Span}
		return c.value(&plan.Cast{X: inner, T: e.T, Span: e.Span}, sc)
	}
	a, b := x.Type().AsDecimal(), y.Type().AsDecimal()
	args, err := c.operands([]plan.Expr{c.coerce(x, a), c.coerce(y, b)}, sc)
	if err != nil {
		return 0, err
	}
	d := kernel.Decimals{A: a.Scale, B: b.Scale, Scale: e.T.Scale, Prec: e.T.Prec}
	s := strict{live: true, span: e.Span}
	switch e.Op {
	case plan.Add:
		s.fn = decimals(kernel.DecAdd, d)
	case plan.Sub:
		s.fn = decimals(kernel.DecSub, d)
	case plan.Mul:
		s.fn = decimals(kernel.DecMul, d)
	case plan.Div:
		s.fn = decimalsChecked(kernel.DecDiv, d)
	case plan.Mod:
		s.fn = decimalsChecked(kernel.DecMod, d)
	}
	return c.strict(sc, e.T, args, s), nil
}

type decimalLoop func(dst *vector.Flat[types.Dec], a, b []types.Dec, d kernel.Decimals, sel []int32)

func decimals(loop decimalLoop, d kernel.Decimals) strictFn {
	var left, right spread[types.Dec]
	return func(in []vector.Vector, out vector.Vector, sel []int32) error {
		dst := out.(*vector.Flat[types.Dec])
		loop(dst, left.operand(in[0], len(dst.Vals)), right.operand(in[1], len(dst.Vals)), d, sel)
		return nil
	}
}

type checkedDecimalLoop func(dst *vector.Flat[types.Dec], a, b []types.Dec, d kernel.Decimals, sel []int32) int

func decimalsChecked(loop checkedDecimalLoop, d kernel.Decimals) strictFn {
	var left, right spread[types.Dec]
	return func(in []vector.Vector, out vector.Vector, sel []int32) error {
		dst := out.(*vector.Flat[types.Dec])
		if row := loop(dst, left.operand(in[0], len(dst.Vals)), right.operand(in[1], len(dst.Vals)), d, sel); row >= 0 {
			return divisionByZero(row)
		}
		return nil
	}
}
