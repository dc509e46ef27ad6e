package eval

import (
	"github.com/runnelio/runnel/internal/kernel"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// part is an operand that is computed for some rows only.
type part struct {
	steps *block
	slot  slot
}

// run computes the rows of sel; where they are all n rows it does without the list.
func (p *part) run(m *machine, sel []int32) error {
	if len(sel) == m.n {
		sel = nil
	}
	return p.steps.run(m, sel)
}

// part compiles an operand into a scope of its own.
func (c *compiler) part(e plan.Expr, outer *scope) (part, *scope, error) {
	sc := c.scope(outer)
	s, err := c.value(e, sc)
	c.pos++
	if err == nil {
		c.use(s)
	}
	return part{sc.steps, s}, sc, err
}

// boolean checks that e is a BOOLEAN.
func (c *compiler) boolean(e plan.Expr, of *plan.OpExpr) (plan.Expr, error) {
	switch e.Type().Kind {
	case types.Boolean:
		return e, nil
	case types.Null:
		return &plan.Literal{T: types.Of(types.Boolean)}, nil
	}
	return nil, illTyped(of)
}

// lead compiles the first operand, which all rows need, in the scope itself.
func (c *compiler) lead(e plan.Expr, sc *scope) (part, error) {
	s, err := c.value(e, sc)
	c.pos++
	if err == nil {
		c.use(s)
	}
	return part{new(block), s}, err
}

func (c *compiler) andOr(e *plan.OpExpr, sc *scope) (slot, error) {
	args := make([]plan.Expr, len(e.Args))
	for i, a := range e.Args {
		var err error
		if args[i], err = c.boolean(a, e); err != nil {
			return 0, err
		}
	}
	first, err := c.value(args[0], sc)
	if err != nil || len(args) == 1 {
		return first, err
	}
	s := &andOr{stop: e.Op == plan.Or, first: first, out: c.register(e.T)}
	c.use(first)
	inner := sc
	for _, a := range args[1:] {
		var p part
		if p, inner, err = c.part(a, inner); err != nil {
			return 0, err
		}
		s.rest = append(s.rest, p)
	}
	c.finish(s.out)
	c.emit(sc, s)
	return s.out, nil
}

// finish makes the register of s last at least until now.
func (c *compiler) finish(s slot) {
	c.pos++
	c.use(s)
}

// andOr is a three-valued AND, or OR, whose value is decided by an operand that
// is stop: FALSE, or TRUE.
type andOr struct {
	stop      bool
	first     slot
	rest      []part
	out       slot
	cur, next []int32
}

func (s *andOr) run(m *machine, sel []int32) error {
	out := m.reg(s.out).(*vector.Flat[bool])
	out.Resize(m.n)
	m.slots[s.out] = out
	kernel.Assign(out, m.slots[s.first], sel)
	s.cur = kernel.Undecided(s.cur[:0], out.Vals, out.Null, s.stop, sel)
	for i := range s.rest {
		if len(s.cur) == 0 {
			break
		}
		p := &s.rest[i]
		if err := p.run(m, s.cur); err != nil {
			return err
		}
		switch v := m.slots[p.slot].(type) {
		case *vector.Const:
			s.absorbConst(out, v)
		case *vector.Flat[bool]:
			s.next = kernel.Absorb(s.next[:0], out, v.Vals, v.Null, s.stop, s.cur)
			s.cur, s.next = s.next, s.cur
		}
	}
	return nil
}

func (s *andOr) absorbConst(out *vector.Flat[bool], v *vector.Const) {
	switch {
	case v.IsNull(0):
		for _, i := range s.cur {
			out.SetNull(int(i))
		}
	case v.Of.(*vector.Flat[bool]).Vals[0] == s.stop:
		for _, i := range s.cur {
			out.Vals[i] = s.stop
			if out.Null != nil {
				out.Null.Clear(int(i))
			}
		}
		s.cur = s.cur[:0]
	}
}

// caseExpr is CASE: arm after arm for the rows that no arm has taken.
func (c *compiler) caseExpr(e *plan.OpExpr, sc *scope) (slot, error) {
	s := &caseStep{out: c.register(e.T)}
	inner := sc
	args := e.Args
	for ; len(args) >= 2; args = args[2:] {
		when, err := c.boolean(args[0], e)
		if err != nil {
			return 0, err
		}
		var a arm
		if len(s.arms) == 0 {
			a.when, err = c.lead(when, sc)
		} else {
			a.when, inner, err = c.part(when, inner)
		}
		if err != nil {
			return 0, err
		}
		then, err := fits(c, args[1], e)
		if err != nil {
			return 0, err
		}
		if a.then, _, err = c.part(then, inner); err != nil {
			return 0, err
		}
		s.arms = append(s.arms, a)
	}
	last := plan.Expr(&plan.Literal{T: e.T.OrNull()})
	if len(args) == 1 {
		last = args[0]
	}
	last, err := fits(c, last, e)
	if err != nil {
		return 0, err
	}
	if s.last, _, err = c.part(last, inner); err != nil {
		return 0, err
	}
	c.finish(s.out)
	c.emit(sc, s)
	return s.out, nil
}

// fits returns an operand that may become the value of e, as e's type.
func fits(c *compiler, x plan.Expr, e *plan.OpExpr) (plan.Expr, error) {
	if ok, _ := types.Castable(x.Type(), e.T); !ok {
		return nil, illTyped(e)
	}
	return c.coerce(x, e.T), nil
}

type arm struct{ when, then part }

type caseStep struct {
	arms           []arm
	last           part
	out            slot
	hit, cur, next []int32
}

func (s *caseStep) run(m *machine, sel []int32) error {
	out := m.reg(s.out)
	out.Resize(m.n)
	m.slots[s.out] = out
	rest := sel
	for i := range s.arms {
		a := &s.arms[i]
		if err := a.when.steps.run(m, rest); err != nil {
			return err
		}
		s.hit = m.choose(s.hit[:0], a.when.slot, true, rest)
		if len(s.hit) == 0 {
			continue
		}
		if err := s.take(m, &a.then, out, s.hit); err != nil {
			return err
		}
		s.next = kernel.Rest(s.next[:0], rest, s.hit, m.n)
		s.cur, s.next = s.next, s.cur
		if rest = s.cur; len(rest) == 0 {
			return nil
		}
	}
	return s.take(m, &s.last, out, rest)
}

// take computes rows of an operand and makes them rows of the result.
func (s *caseStep) take(m *machine, p *part, out vector.Vector, sel []int32) error {
	if len(sel) == m.n {
		sel = nil
	}
	if err := p.steps.run(m, sel); err != nil {
		return err
	}
	kernel.Assign(out, m.slots[p.slot], sel)
	return nil
}

// choose appends the rows of sel where a boolean slot is want, and not NULL.
func (m *machine) choose(dst []int32, s slot, want bool, sel []int32) []int32 {
	switch v := m.slots[s].(type) {
	case *vector.Const:
		if !v.IsNull(0) && v.Of.(*vector.Flat[bool]).Vals[0] == want {
			return kernel.NotNull(dst, nil, sel, m.n)
		}
	case *vector.Flat[bool]:
		if v.Null != nil {
			m.live = kernel.NotNull(m.live[:0], v.Null, sel, m.n)
			sel = m.live
		}
		return kernel.ChooseBool(dst, v.Vals[:m.n], want, sel)
	}
	return dst
}

func (c *compiler) coalesce(e *plan.OpExpr, sc *scope) (slot, error) {
	s := &coalesce{out: c.register(e.T)}
	inner := sc
	for i, x := range e.Args {
		x, err := fits(c, x, e)
		if err != nil {
			return 0, err
		}
		var p part
		if i == 0 {
			p, err = c.lead(x, sc)
		} else {
			p, inner, err = c.part(x, inner)
		}
		if err != nil {
			return 0, err
		}
		s.parts = append(s.parts, p)
	}
	c.finish(s.out)
	c.emit(sc, s)
	return s.out, nil
}

type coalesce struct {
	parts          []part
	out            slot
	hit, cur, next []int32
}

func (s *coalesce) run(m *machine, sel []int32) error {
	out := m.reg(s.out)
	out.Resize(m.n)
	m.slots[s.out] = out
	rest := sel
	for i := range s.parts {
		p := &s.parts[i]
		if rest != nil && len(rest) == 0 {
			return nil
		}
		if err := p.steps.run(m, rest); err != nil {
			return err
		}
		v := m.slots[p.slot]
		if c, ok := v.(*vector.Const); ok {
			if c.IsNull(0) {
				continue
			}
			kernel.Assign(out, v, rest)
			return nil
		}
		nulls := v.Nulls()
		if nulls == nil {
			kernel.Assign(out, v, rest)
			return nil
		}
		s.hit = kernel.NotNull(s.hit[:0], nulls, rest, m.n)
		kernel.Assign(out, v, s.hit)
		s.next = kernel.IsNull(s.next[:0], nulls, rest, m.n)
		s.cur, s.next = s.next, s.cur
		rest = s.cur
	}
	rows(m.n, rest, func(i int) { vector.SetNullDeep(out, i) })
	return nil
}

func (c *compiler) not(e *plan.OpExpr, sc *scope) (slot, error) {
	x, err := c.boolean(e.Args[0], e)
	if err != nil {
		return 0, err
	}
	s, err := c.value(x, sc)
	if err != nil {
		return 0, err
	}
	return c.strict(sc, e.T, []slot{s}, strict{fn: unary(kernel.Not)}), nil
}

// is compiles the tests of one operand that are never NULL.
func (c *compiler) is(e *plan.OpExpr, sc *scope) (slot, error) {
	x := e.Args[0]
	if e.Op != plan.IsNull && e.Op != plan.IsNotNull {
		var err error
		if x, err = c.boolean(x, e); err != nil {
			return 0, err
		}
	}
	s, err := c.value(x, sc)
	if err != nil {
		return 0, err
	}
	out := c.register(e.T)
	c.use(s)
	c.emit(sc, &is{op: e.Op, arg: s, out: out})
	return out, nil
}

type is struct {
	op       plan.Op
	arg, out slot
	wrap     vector.Const
}

func (s *is) run(m *machine, sel []int32) error {
	out := m.reg(s.out).(*vector.Flat[bool])
	v := m.slots[s.arg]
	if c, ok := v.(*vector.Const); ok {
		out.Resize(1)
		s.wrap = vector.Const{Of: out, N: m.n}
		m.slots[s.out] = &s.wrap
		s.test(out.Vals, c.Of, nil)
		return nil
	}
	out.Resize(m.n)
	m.slots[s.out] = out
	s.test(out.Vals, v, sel)
	return nil
}

func (s *is) test(dst []bool, v vector.Vector, sel []int32) {
	nulls := v.Nulls()
	switch s.op {
	case plan.IsNull:
		kernel.NullFlags(dst, nulls, true, sel)
		return
	case plan.IsNotNull:
		kernel.NullFlags(dst, nulls, false, sel)
		return
	}
	want := s.op == plan.IsTrue || s.op == plan.IsNotTrue
	not := s.op == plan.IsNotTrue || s.op == plan.IsNotFalse
	kernel.BoolFlags(dst, v.(*vector.Flat[bool]).Vals, nulls, want, not, sel)
}
