package eval

import (
	"errors"
	"fmt"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/vector"
)

// call is a function call: bound once, here, with what is known of its arguments.
func (c *compiler) call(e *plan.Call, sc *scope) (slot, error) {
	if e.Fn.Scalar == nil {
		return 0, fmt.Errorf("eval: %s is no scalar function", e.Fn.Name)
	}
	args, known := make([]slot, len(e.Args)), make([]function.Arg, len(e.Args))
	for i, a := range e.Args {
		known[i].Type = a.Type()
		if l, ok := a.(*plan.Literal); ok {
			known[i].Const, known[i].Value = true, l.Value
		}
		var err error
		if args[i], err = c.value(a, sc); err != nil {
			return 0, err
		}
	}
	run, err := e.Fn.Scalar.Bind(c.cx, known, e.T)
	if err != nil {
		if e.Span.IsZero() || errors.As(err, new(*diag.Error)) {
			return 0, fmt.Errorf("%s: %w", e.Fn.Name, err)
		}
		return 0, diag.At(e.Span, diag.BadArgument, "%s: %w", e.Fn.Name, err)
	}
	if e.Fn.Nulls == function.Strict {
		fn := func(in []vector.Vector, out vector.Vector, sel []int32) error { return run(in, sel, out) }
		s := strict{fn: fn, live: true, each: e.Fn.Volatile || len(args) == 0, keepConst: true, span: e.Span}
		return c.strict(sc, e.T, args, s), nil
	}
	out := c.register(e.T)
	for _, a := range args {
		c.use(a)
	}
	c.emit(sc, &called{call: run, args: args, out: out, span: e.Span, in: make([]vector.Vector, len(args))})
	return out, nil
}

// called is the step of a function that sees NULLs.
type called struct {
	call function.Call
	args []slot
	out  slot
	span diag.Span
	in   []vector.Vector
}

func (s *called) run(m *machine, sel []int32) error {
	for i, a := range s.args {
		s.in[i] = m.slots[a]
	}
	dst := m.reg(s.out)
	dst.Resize(m.n)
	m.slots[s.out] = dst
	if m.n == 0 || sel != nil && len(sel) == 0 {
		return nil
	}
	return located(s.call(s.in, sel, dst), s.span)
}
