package eval

import (
	"cmp"

	"github.com/runnelio/runnel/internal/kernel"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// sides brings the operands of a comparison to types that kernels take.
func (c *compiler) sides(e *plan.OpExpr) (x, y plan.Expr, err error) {
	x, y = e.Args[0], e.Args[1]
	a, b := x.Type(), y.Type()
	switch {
	case a.Kind == types.Null || b.Kind == types.Null:
		return x, y, nil
	case a.Kind == types.Decimal && b.Kind == types.Decimal, a.Kind == b.Kind && !a.IsNested():
		return x, y, nil
	case a.IsChar() && b.IsChar(), a.IsBinary() && b.IsBinary():
		return x, y, nil
	case a.IsNumeric() && b.IsNumeric():
		if a.IsExact() && b.IsExact() && (a.Kind == types.Decimal || b.Kind == types.Decimal) {
			return c.coerce(x, a.AsDecimal()), c.coerce(y, b.AsDecimal()), nil
		}
	case a.Kind != b.Kind:
		return nil, nil, illTyped(e)
	}
	t, ok := types.Common(a, b)
	if !ok {
		return nil, nil, illTyped(e)
	}
	return c.coerce(x, t), c.coerce(y, t), nil
}

func (c *compiler) comparison(e *plan.OpExpr, sc *scope) (slot, error) {
	x, y, err := c.sides(e)
	if err != nil {
		return 0, err
	}
	if x.Type().Kind == types.Null || y.Type().Kind == types.Null {
		return c.literal(&plan.Literal{T: e.T.OrNull()}), nil
	}
	args, err := c.operands([]plan.Expr{x, y}, sc)
	if err != nil {
		return 0, err
	}
	s := strict{fn: compare(e.Op, x.Type(), y.Type()), live: x.Type().IsNested()}
	return c.strict(sc, e.T, args, s), nil
}

// compare returns the loop of a comparison of types that sides gave.
func compare(op plan.Op, a, b types.Type) strictFn {
	equality := op == plan.Eq || op == plan.Ne
	switch a.Phys() {
	case types.PhysI8:
		return ordered[int8](op)
	case types.PhysI16:
		return ordered[int16](op)
	case types.PhysI32:
		return ordered[int32](op)
	case types.PhysI64:
		return ordered[int64](op)
	case types.PhysStr:
		return ordered[string](op)
	case types.PhysF32:
		if equality {
			return floatEquality[float32](op)
		}
		return ordered[float32](op)
	case types.PhysF64:
		if equality {
			return floatEquality[float64](op)
		}
		return ordered[float64](op)
	}
	signs := signsOf(equality, a, b)
	last := signTest(op)
	var buf []int8
	return func(in []vector.Vector, out vector.Vector, sel []int32) error {
		dst := out.(*vector.Flat[bool]).Vals
		buf = sized(buf, len(dst))
		signs(buf, in, sel)
		last(dst, buf, 0, sel)
		return nil
	}
}

func sized[T any](buf []T, n int) []T {
	if cap(buf) < n {
		return make([]T, n)
	}
	return buf[:n]
}

// ordered compares what Go's operators compare.
func ordered[T interface {
	cmp.Ordered
	vector.Elem
}](op plan.Op) strictFn {
	var l loops[T, bool]
	var swapped func(dst []bool, a []T, c T, sel []int32) // for a constant on the left
	switch op {
	case plan.Eq:
		l.flat, l.rightConst, swapped = kernel.Eq[T], kernel.EqConst[T], kernel.EqConst[T]
	case plan.Ne:
		l.flat, l.rightConst, swapped = kernel.Ne[T], kernel.NeConst[T], kernel.NeConst[T]
	case plan.Lt:
		l.flat, l.rightConst, swapped = kernel.Lt[T], kernel.LtConst[T], kernel.GtConst[T]
	case plan.Le:
		l.flat, l.rightConst, swapped = kernel.Le[T], kernel.LeConst[T], kernel.GeConst[T]
	case plan.Gt:
		l.flat, l.rightConst, swapped = kernel.Gt[T], kernel.GtConst[T], kernel.LtConst[T]
	default:
		l.flat, l.rightConst, swapped = kernel.Ge[T], kernel.GeConst[T], kernel.LeConst[T]
	}
	l.leftConst = func(dst []bool, c T, b []T, sel []int32) { swapped(dst, b, c, sel) }
	return binary(l)
}

func floatEquality[T float](op plan.Op) strictFn {
	last := signTest(op)
	var buf []int8
	return func(in []vector.Vector, out vector.Vector, sel []int32) error {
		dst := out.(*vector.Flat[bool]).Vals
		a, _ := operand[T](in[0])
		b, _ := operand[T](in[1])
		buf = sized(buf, len(dst))
		kernel.FloatDiffer(buf, a, b, sel)
		last(dst, buf, 0, sel)
		return nil
	}
}

// signTest is the comparison of signs with 0.
func signTest(op plan.Op) func(dst []bool, a []int8, c int8, sel []int32) {
	switch op {
	case plan.Eq:
		return kernel.EqConst[int8]
	case plan.Ne:
		return kernel.NeConst[int8]
	case plan.Lt:
		return kernel.LtConst[int8]
	case plan.Le:
		return kernel.LeConst[int8]
	case plan.Gt:
		return kernel.GtConst[int8]
	}
	return kernel.GeConst[int8]
}

// signs compares two operands, flat or Const, three-way.
type signs func(dst []int8, in []vector.Vector, sel []int32)

func signsOf(equality bool, a, b types.Type) signs {
	switch a.Phys() {
	case types.PhysDec:
		return func(dst []int8, in []vector.Vector, sel []int32) {
			x, _ := operand[types.Dec](in[0])
			y, _ := operand[types.Dec](in[1])
			kernel.DecSigns(dst, x, a.Scale, y, b.Scale, sel)
		}
	case types.PhysTs:
		return func(dst []int8, in []vector.Vector, sel []int32) {
			x, _ := operand[types.TS](in[0])
			y, _ := operand[types.TS](in[1])
			kernel.TSSigns(dst, x, y, sel)
		}
	case types.PhysBool:
		return func(dst []int8, in []vector.Vector, sel []int32) {
			x, _ := operand[bool](in[0])
			y, _ := operand[bool](in[1])
			kernel.BoolSigns(dst, x, y, sel)
		}
	}
	if equality {
		return func(dst []int8, in []vector.Vector, sel []int32) { kernel.Differ(dst, in[0], in[1], sel) }
	}
	return func(dst []int8, in []vector.Vector, sel []int32) { kernel.ValueSigns(dst, in[0], in[1], a, sel) }
}

// distinct is IS [NOT] DISTINCT FROM: an Eq, and NULLs by themselves.
func (c *compiler) distinct(e *plan.OpExpr, sc *scope) (slot, error) {
	want := e.Op == plan.Distinct
	for i, a := range e.Args {
		if a.Type().Kind == types.Null {
			op := plan.IsNull
			if want {
				op = plan.IsNotNull
			}
			return c.value(&plan.OpExpr{Op: op, Args: []plan.Expr{e.Args[1-i]}, T: e.T}, sc)
		}
	}
	eq := &plan.OpExpr{Op: plan.Eq, Args: e.Args, T: types.Of(types.Boolean)}
	args, err := c.operands([]plan.Expr{e.Args[0], e.Args[1], eq}, sc)
	if err != nil {
		return 0, err
	}
	out := c.register(e.T)
	for _, a := range args {
		c.use(a)
	}
	c.emit(sc, &distinct{a: args[0], b: args[1], eq: args[2], out: out, want: want})
	return out, nil
}

type distinct struct {
	a, b, eq, out slot
	want          bool
}

func (d *distinct) run(m *machine, sel []int32) error {
	out := m.reg(d.out).(*vector.Flat[bool])
	out.Resize(m.n)
	m.slots[d.out] = out
	a, b := m.slots[d.a], m.slots[d.b]
	eq, constant := operand[bool](m.slots[d.eq])
	one := func(i int) {
		an, bn := a.IsNull(i), b.IsNull(i)
		switch {
		case an || bn:
			out.Vals[i] = (an != bn) == d.want
		case constant:
			out.Vals[i] = eq[0] != d.want
		default:
			out.Vals[i] = eq[i] != d.want
		}
	}
	if sel == nil {
		for i := range out.Vals {
			one(i)
		}
		return nil
	}
	for _, i := range sel {
		one(int(i))
	}
	return nil
}

// membership is IN.
func (c *compiler) membership(e *plan.OpExpr, sc *scope) (slot, error) {
	x, t := e.Args[0], e.Args[0].Type()
	if t.Kind == types.Null {
		return c.literal(&plan.Literal{T: e.T.OrNull()}), nil
	}
	vals := make([]types.Value, 0, len(e.Args)-1)
	hasNull, literals := false, true
	for _, a := range e.Args[1:] {
		l, ok := c.element(a, t)
		switch {
		case !ok:
			literals = false
		case l.Value == nil:
			hasNull = true
		default:
			vals = append(vals, l.Value)
		}
	}
	if !literals {
		return c.value(orOfEq(e), sc)
	}
	arg, err := c.value(x, sc)
	if err != nil {
		return 0, err
	}
	fn := setOf(t, vals)
	if hasNull {
		test := fn
		fn = func(in []vector.Vector, out vector.Vector, sel []int32) error {
			err := test(in, out, sel)
			nullUnlessTrue(out.(*vector.Flat[bool]), sel)
			return err
		}
	}
	return c.strict(sc, e.T, []slot{arg}, strict{fn: fn, live: true}), nil
}

// element returns a as a literal that equals values of type t exactly if a does.
func (c *compiler) element(a plan.Expr, t types.Type) (*plan.Literal, bool) {
	l, ok := a.(*plan.Literal)
	if !ok || l.Value == nil {
		return l, ok
	}
	at := l.T
	if at.IsChar() && t.IsChar() || at.IsBinary() && t.IsBinary() || at.Kind == t.Kind && !t.IsNumeric() && !t.IsNested() {
		return l, true // lengths and precisions do not matter to =
	}
	common, ok := types.Common(t, at)
	if !ok || !kernel.Free(common, t) { // a cast to t might change the value
		return nil, false
	}
	l, ok = c.coerce(l, t).(*plan.Literal)
	return l, ok
}

func orOfEq(e *plan.OpExpr) plan.Expr {
	or := &plan.OpExpr{Op: plan.Or, T: e.T.OrNull(), Span: e.Span}
	for _, a := range e.Args[1:] {
		or.Args = append(or.Args, &plan.OpExpr{Op: plan.Eq, Args: []plan.Expr{e.Args[0], a}, T: types.Of(types.Boolean), Span: e.Span})
	}
	return or
}

func nullUnlessTrue(v *vector.Flat[bool], sel []int32) {
	if sel == nil {
		for i := range v.Vals {
			if !v.Vals[i] {
				v.SetNull(i)
			}
		}
		return
	}
	for _, i := range sel {
		if !v.Vals[i] {
			v.SetNull(int(i))
		}
	}
}

func setOf(t types.Type, vals []types.Value) strictFn {
	switch t.Phys() {
	case types.PhysBool:
		return unary(newSet[bool](vals).In)
	case types.PhysI8:
		return unary(newSet[int8](vals).In)
	case types.PhysI16:
		return unary(newSet[int16](vals).In)
	case types.PhysI32:
		return unary(newSet[int32](vals).In)
	case types.PhysI64:
		return unary(newSet[int64](vals).In)
	case types.PhysF32:
		return unary(newSet[float32](vals).In)
	case types.PhysF64:
		return unary(newSet[float64](vals).In)
	case types.PhysDec:
		return unary(newSet[types.Dec](vals).In)
	case types.PhysStr:
		return unary(newSet[string](vals).In)
	case types.PhysTs:
		return unary(newSet[types.TS](vals).In)
	}
	set := kernel.NewKeySet(t, vals)
	return func(in []vector.Vector, out vector.Vector, sel []int32) error {
		set.In(out.(*vector.Flat[bool]).Vals, in[0], sel)
		return nil
	}
}

func newSet[T comparable](vals []types.Value) *kernel.Set[T] {
	typed := make([]T, len(vals))
	for i, v := range vals {
		typed[i] = v.(T)
	}
	return kernel.NewSet(typed)
}
