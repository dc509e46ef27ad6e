package eval

import (
	"github.com/runnelio/runnel/internal/kernel"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// temporal computes with dates, times and intervals.
func (c *compiler) temporal(e *plan.OpExpr, sc *scope) (slot, error) {
	x, y := e.Args[0], e.Args[1]
	if (e.Op == plan.Add || e.Op == plan.Mul) && y.Type().Kind != x.Type().Kind &&
		(y.Type().IsTemporal() || y.Type().IsInterval() && x.Type().IsInteger()) {
		x, y = y, x // interval + date, number * interval
	}
	fn, ok := temporalFn(e.Op, x.Type(), y.Type(), e.T)
	if !ok {
		return 0, illTyped(e)
	}
	args, err := c.operands([]plan.Expr{x, y}, sc)
	if err != nil {
		return 0, err
	}
	// Months and days of undefined values would cost time for nothing.
	return c.strict(sc, e.T, args, strict{fn: fn, live: true, span: e.Span}), nil
}

func temporalFn(op plan.Op, a, b, t types.Type) (strictFn, bool) {
	sign := int64(1)
	if op == plan.Sub {
		sign = -1
	}
	additive := op == plan.Add || op == plan.Sub
	var fn strictFn
	switch {
	case additive && a.IsTemporal() && b.IsInterval() && t.Kind == a.Kind:
		fn = move(a, b, t, sign)
	case op == plan.Sub && a.IsTemporal() && a.Kind == b.Kind && t.IsInterval():
		fn = difference(a, t)
	case additive && a.IsInterval() && a.Kind == b.Kind && t.Kind == a.Kind:
		if a.Kind == types.IntervalYM {
			return integers[int32](op), true
		}
		return integers[int64](op), true
	case a.IsInterval() && b.IsInteger() && t.Kind == a.Kind && (op == plan.Mul || op == plan.Div):
		fn = scale(op, a, b)
	}
	return fn, fn != nil
}

func move(a, b, t types.Type, sign int64) strictFn {
	months := b.Kind == types.IntervalYM
	switch a.Kind {
	case types.Date:
		if months {
			return pair(func(dst, d, m []int32, sel []int32) { kernel.DateAddMonths(dst, d, m, sign, sel) })
		}
		return pair(func(dst, d []int32, ms []int64, sel []int32) { kernel.DateAddMs(dst, d, ms, sign, sel) })
	case types.Time:
		if months {
			return nil
		}
		return pair(func(dst, d []int32, ms []int64, sel []int32) { kernel.TimeAddMs(dst, d, ms, sign, sel) })
	}
	cut := t.Prec < max(3, a.Prec) // milliseconds of the interval may not fit
	if months {
		return pair(func(dst, ts []types.TS, m []int32, sel []int32) {
			kernel.TSAddMonths(dst, ts, m, sign, sel)
			if cut {
				kernel.Truncate(dst, dst, t.Prec, sel)
			}
		})
	}
	return pair(func(dst, ts []types.TS, ms []int64, sel []int32) {
		kernel.TSAddMs(dst, ts, ms, sign, sel)
		if cut {
			kernel.Truncate(dst, dst, t.Prec, sel)
		}
	})
}

func difference(a, t types.Type) strictFn {
	switch {
	case a.IsTimestamp() && t.Kind == types.IntervalYM:
		return pair(kernel.TSMonths)
	case a.IsTimestamp():
		return pair(kernel.TSDiff)
	case t.Kind == types.IntervalYM && a.Kind == types.Date:
		return pair(kernel.DateMonths)
	case t.Kind == types.IntervalYM:
		return nil
	}
	unit := int64(1)
	if a.Kind == types.Date {
		unit = types.MsPerDay
	}
	return pair(func(dst []int64, x, y []int32, sel []int32) { kernel.IntDiff(dst, x, y, unit, sel) })
}

// pair is a strictFn of a loop that takes constants as slices of length 1.
func pair[A, B, R vector.Elem](loop func(dst []R, a []A, b []B, sel []int32)) strictFn {
	return func(in []vector.Vector, out vector.Vector, sel []int32) error {
		a, _ := operand[A](in[0])
		b, _ := operand[B](in[1])
		loop(out.(*vector.Flat[R]).Vals, a, b, sel)
		return nil
	}
}

func scale(op plan.Op, interval, number types.Type) strictFn {
	if interval.Kind == types.IntervalYM {
		return scaleOf[int32](op, number)
	}
	return scaleOf[int64](op, number)
}

func scaleOf[T integer](op plan.Op, number types.Type) strictFn {
	switch number.Kind {
	case types.TinyInt:
		return scaleBy[T, int8](op)
	case types.SmallInt:
		return scaleBy[T, int16](op)
	case types.Int:
		return scaleBy[T, int32](op)
	}
	return scaleBy[T, int64](op)
}

func scaleBy[T, N integer](op plan.Op) strictFn {
	if op == plan.Mul {
		return pair(kernel.Scale[T, N])
	}
	return func(in []vector.Vector, out vector.Vector, sel []int32) error {
		a, _ := operand[T](in[0])
		b, _ := operand[N](in[1])
		if row := kernel.Shrink(out.(*vector.Flat[T]).Vals, a, b, sel); row >= 0 {
			return divisionByZero(row)
		}
		return nil
	}
}
