package eval

import (
	"cmp"

	"github.com/runnelio/runnel/internal/kernel"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// chooser appends to dst the rows of sel for which a condition is TRUE (or
// FALSE, as it was compiled), without a vector of booleans where it can.
type chooser interface {
	choose(m *machine, sel, dst []int32) ([]int32, error)
}

// chooser compiles e for the rows where it is want. The scope it returns knows
// what has been computed for all rows that it is asked about.
func (c *compiler) chooser(e plan.Expr, want bool, sc *scope) (chooser, *scope, error) {
	switch e := e.(type) {
	case *plan.Literal:
		if e.Value == want {
			return chooseAll{}, sc, nil
		}
		if e.T.Kind == types.Boolean || e.T.Kind == types.Null {
			return chooseNone{}, sc, nil
		}
	case *plan.OpExpr:
		if err := arity(e); err != nil {
			return nil, nil, err
		}
		switch e.Op {
		case plan.And, plan.Or:
			return c.chooseMany(e, want, sc)
		case plan.Not:
			return c.chooser(e.Args[0], !want, sc)
		case plan.IsTrue, plan.IsFalse, plan.IsNotTrue, plan.IsNotFalse:
			if _, err := c.boolean(e.Args[0], e); err != nil {
				return nil, nil, err
			}
			ch, in, err := c.chooser(e.Args[0], e.Op == plan.IsTrue || e.Op == plan.IsNotTrue, sc)
			if err == nil && want != (e.Op == plan.IsTrue || e.Op == plan.IsFalse) {
				ch = &chooseOthers{not: ch}
			}
			return ch, in, err
		case plan.IsNull, plan.IsNotNull:
			p, in, err := c.part(e.Args[0], sc)
			return &chooseNull{part: p, null: want == (e.Op == plan.IsNull)}, in, err
		case plan.Eq, plan.Ne, plan.Lt, plan.Le, plan.Gt, plan.Ge:
			return c.chooseComparison(e, want, sc)
		}
	}
	if k := e.Type().Kind; k != types.Boolean && k != types.Null {
		return nil, nil, illTyped(&plan.OpExpr{Op: plan.IsTrue, Args: []plan.Expr{e}, T: types.Of(types.Boolean)})
	}
	p, in, err := c.part(e, sc)
	return &chooseBool{part: p, want: want}, in, err
}

type chooseAll struct{}

func (chooseAll) choose(m *machine, sel, dst []int32) ([]int32, error) {
	return kernel.NotNull(dst, nil, sel, m.n), nil
}

type chooseNone struct{}

func (chooseNone) choose(_ *machine, _, dst []int32) ([]int32, error) { return dst, nil }

// chooseBool computes booleans and looks at them.
type chooseBool struct {
	part part
	want bool
}

func (s *chooseBool) choose(m *machine, sel, dst []int32) ([]int32, error) {
	if err := s.part.steps.run(m, sel); err != nil {
		return nil, err
	}
	return m.choose(dst, s.part.slot, s.want, sel), nil
}

type chooseNull struct {
	part part
	null bool
}

func (s *chooseNull) choose(m *machine, sel, dst []int32) ([]int32, error) {
	if err := s.part.steps.run(m, sel); err != nil {
		return nil, err
	}
	v := m.slots[s.part.slot]
	if c, ok := v.(*vector.Const); ok {
		if c.IsNull(0) == s.null {
			return kernel.NotNull(dst, nil, sel, m.n), nil
		}
		return dst, nil
	}
	if s.null {
		return kernel.IsNull(dst, v.Nulls(), sel, m.n), nil
	}
	return kernel.NotNull(dst, v.Nulls(), sel, m.n), nil
}

// chooseOthers takes the rows that another chooser leaves.
type chooseOthers struct {
	not chooser
	buf []int32
}

func (s *chooseOthers) choose(m *machine, sel, dst []int32) (_ []int32, err error) {
	if s.buf, err = s.not.choose(m, sel, s.buf[:0]); err != nil {
		return nil, err
	}
	return kernel.Rest(dst, sel, s.buf, m.n), nil
}

// chooseMany compiles AND and OR. AND is TRUE, and OR FALSE, where all operands
// are; AND is FALSE, and OR TRUE, where one is.
func (c *compiler) chooseMany(e *plan.OpExpr, want bool, sc *scope) (chooser, *scope, error) {
	var (
		list  []chooser
		outer *scope
		inner = sc
	)
	for i, a := range e.Args {
		if _, err := c.boolean(a, e); err != nil {
			return nil, nil, err
		}
		ch, in, err := c.chooser(a, want, inner)
		if err != nil {
			return nil, nil, err
		}
		list, inner = append(list, ch), in
		if i == 0 {
			outer = in
		}
	}
	if want == (e.Op == plan.And) {
		return &chooseEvery{list: list}, outer, nil
	}
	return &chooseAny{list: list}, outer, nil
}

type chooseEvery struct {
	list      []chooser
	cur, next []int32
}

func (s *chooseEvery) choose(m *machine, sel, dst []int32) (_ []int32, err error) {
	last := len(s.list) - 1
	for _, ch := range s.list[:last] {
		if s.next, err = ch.choose(m, sel, s.next[:0]); err != nil {
			return nil, err
		}
		if len(s.next) == 0 {
			return dst, nil
		}
		s.cur, s.next = s.next, s.cur
		if sel = s.cur; len(sel) == m.n {
			sel = nil
		}
	}
	return s.list[last].choose(m, sel, dst)
}

type chooseAny struct {
	list           []chooser
	hit, cur, next []int32
	all, merged    []int32
}

func (s *chooseAny) choose(m *machine, sel, dst []int32) (_ []int32, err error) {
	s.all = s.all[:0]
	for _, ch := range s.list {
		if s.hit, err = ch.choose(m, sel, s.hit[:0]); err != nil {
			return nil, err
		}
		if len(s.hit) == 0 {
			continue
		}
		s.merged = kernel.Merge(s.merged[:0], s.all, s.hit)
		s.all, s.merged = s.merged, s.all
		s.next = kernel.Rest(s.next[:0], sel, s.hit, m.n)
		if len(s.next) == 0 {
			break
		}
		s.cur, s.next = s.next, s.cur
		sel = s.cur
	}
	return append(dst, s.all...), nil
}

// chooseComparison compiles a comparison straight into a selection.
func (c *compiler) chooseComparison(e *plan.OpExpr, want bool, sc *scope) (chooser, *scope, error) {
	x, y, err := c.sides(e)
	if err != nil {
		return nil, nil, err
	}
	a, b := x.Type(), y.Type()
	if a.Kind == types.Null || b.Kind == types.Null {
		return chooseNone{}, sc, nil
	}
	op := e.Op
	if !want {
		op = negated(op)
	}
	fn := choosing(op, a, b)
	if fn == nil || a.IsApprox() && !want { // the negation of NaN < 1 is not NaN >= 1
		p, in, err := c.part(e, sc)
		return &chooseBool{part: p, want: want}, in, err
	}
	in := c.scope(sc)
	args, err := c.operands([]plan.Expr{x, y}, in)
	if err != nil {
		return nil, nil, err
	}
	c.pos++
	for _, s := range args {
		c.use(s)
	}
	return &chooseCompare{steps: in.steps, a: args[0], b: args[1], fn: fn, in: make([]vector.Vector, 2)}, in, nil
}

func negated(op plan.Op) plan.Op {
	switch op {
	case plan.Eq:
		return plan.Ne
	case plan.Ne:
		return plan.Eq
	case plan.Lt:
		return plan.Ge
	case plan.Le:
		return plan.Gt
	case plan.Gt:
		return plan.Le
	}
	return plan.Lt
}

// chooseFn appends rows of sel, of n rows if nil, that are not NULL; of the two
// operands one is flat.
type chooseFn func(dst []int32, in []vector.Vector, n int, sel []int32) []int32

type chooseCompare struct {
	steps    *block
	a, b     slot
	fn       chooseFn
	in       []vector.Vector
	one, two []int32
}

func (s *chooseCompare) choose(m *machine, sel, dst []int32) ([]int32, error) {
	if err := s.steps.run(m, sel); err != nil {
		return nil, err
	}
	a, b := m.slots[s.a], m.slots[s.b]
	ac, aConst := a.(*vector.Const)
	bc, bConst := b.(*vector.Const)
	if aConst && ac.IsNull(0) || bConst && bc.IsNull(0) {
		return dst, nil
	}
	s.in[0], s.in[1] = a, b
	if aConst && bConst {
		s.in[0] = ac.Of
		if s.one = s.fn(s.one[:0], s.in, 1, nil); len(s.one) > 0 {
			return kernel.NotNull(dst, nil, sel, m.n), nil
		}
		return dst, nil
	}
	if nulls := a.Nulls(); nulls != nil {
		s.one = kernel.NotNull(s.one[:0], nulls, sel, m.n)
		sel = s.one
	}
	if nulls := b.Nulls(); nulls != nil {
		s.two = kernel.NotNull(s.two[:0], nulls, sel, m.n)
		sel = s.two
	}
	return s.fn(dst, s.in, m.n, sel), nil
}

// choosing returns the loop for a comparison of types that sides gave, nil if
// only booleans are computed for them.
func choosing(op plan.Op, a, b types.Type) chooseFn {
	switch a.Phys() {
	case types.PhysI8:
		return chooseOrdered[int8](op)
	case types.PhysI16:
		return chooseOrdered[int16](op)
	case types.PhysI32:
		return chooseOrdered[int32](op)
	case types.PhysI64:
		return chooseOrdered[int64](op)
	case types.PhysStr:
		return chooseOrdered[string](op)
	case types.PhysDec, types.PhysTs:
		return chooseSigns(op, signsOf(false, a, b))
	case types.PhysF32:
		if op != plan.Eq && op != plan.Ne {
			return chooseOrdered[float32](op)
		}
	case types.PhysF64:
		if op != plan.Eq && op != plan.Ne {
			return chooseOrdered[float64](op)
		}
	}
	return nil
}

// chooseLoops are the kernels of one comparison and, for a constant on the
// left, of the one with its operands exchanged.
func chooseLoops[T cmp.Ordered](op plan.Op) (
	flat func(dst []int32, a, b []T, sel []int32) []int32,
	byConst, swapped func(dst []int32, a []T, c T, sel []int32) []int32,
) {
	switch op {
	case plan.Eq:
		return kernel.ChooseEq[T], kernel.ChooseEqConst[T], kernel.ChooseEqConst[T]
	case plan.Ne:
		return kernel.ChooseNe[T], kernel.ChooseNeConst[T], kernel.ChooseNeConst[T]
	case plan.Lt:
		return kernel.ChooseLt[T], kernel.ChooseLtConst[T], kernel.ChooseGtConst[T]
	case plan.Le:
		return kernel.ChooseLe[T], kernel.ChooseLeConst[T], kernel.ChooseGeConst[T]
	case plan.Gt:
		return kernel.ChooseGt[T], kernel.ChooseGtConst[T], kernel.ChooseLtConst[T]
	}
	return kernel.ChooseGe[T], kernel.ChooseGeConst[T], kernel.ChooseLeConst[T]
}

func chooseOrdered[T interface {
	cmp.Ordered
	vector.Elem
}](op plan.Op) chooseFn {
	flat, byConst, swapped := chooseLoops[T](op)
	return func(dst []int32, in []vector.Vector, n int, sel []int32) []int32 {
		a, ac := operand[T](in[0])
		b, bc := operand[T](in[1])
		switch {
		case bc:
			return byConst(dst, a[:n], b[0], sel)
		case ac:
			return swapped(dst, b[:n], a[0], sel)
		}
		return flat(dst, a[:n], b[:n], sel)
	}
}

func chooseSigns(op plan.Op, compare signs) chooseFn {
	_, last, _ := chooseLoops[int8](op)
	var buf []int8
	return func(dst []int32, in []vector.Vector, n int, sel []int32) []int32 {
		buf = sized(buf, n)
		compare(buf, in, sel)
		return last(dst, buf, 0, sel)
	}
}
