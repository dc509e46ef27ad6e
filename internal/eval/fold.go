package eval

import (
	"fmt"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// Const computes an expression without columns and volatile functions.
func Const(e plan.Expr, cx *function.Context) (types.Value, error) {
	if !plan.Pure(e) {
		return nil, fmt.Errorf("eval: the expression is not constant")
	}
	return evalConst(e, cx)
}

// evalConst runs e on a batch of one row.
func evalConst(e plan.Expr, cx *function.Context) (types.Value, error) {
	if l, ok := e.(*plan.Literal); ok {
		return l.Value, nil
	}
	c := newCompiler(nil, cx)
	top := c.scope(nil)
	s, err := c.value(e, top)
	if err != nil {
		return nil, err
	}
	c.keep(s)
	m := c.machine()
	m.begin(&vector.Batch{N: 1})
	if err := top.steps.run(&m, nil); err != nil {
		return nil, err
	}
	return vector.Get(m.slots[s], 0), nil
}

// Fold returns e with its constant sub-expressions replaced by literals of the
// same types. What fails to compute stays, for the rows that need it to fail;
// volatile functions stay. Of AND, OR, CASE and COALESCE the operands go that
// literals decide are never needed. A nil cx leaves all functions.
func Fold(e plan.Expr, cx *function.Context) (plan.Expr, error) {
	if e == nil {
		return nil, nil
	}
	return plan.Rewrite(e, func(x plan.Expr) plan.Expr {
		if o, ok := x.(*plan.OpExpr); ok {
			x = shorten(o)
		}
		return foldNode(x, cx)
	}), nil
}

func foldNode(e plan.Expr, cx *function.Context) plan.Expr {
	switch e := e.(type) {
	case *plan.OpExpr, *plan.Cast:
	case *plan.Call:
		if cx == nil || e.Fn.Volatile || e.Fn.Scalar == nil {
			return e
		}
	default:
		return e
	}
	for _, c := range e.Children() {
		if _, ok := c.(*plan.Literal); !ok {
			return e
		}
	}
	v, err := evalConst(e, cx)
	if err != nil {
		return e
	}
	return &plan.Literal{Value: v, T: e.Type()}
}

// shorten drops the operands of lazy operators that literals make useless.
func shorten(o *plan.OpExpr) plan.Expr {
	switch {
	case arity(o) != nil:
		return o
	case o.Op == plan.And:
		return shortenLogic(o, false)
	case o.Op == plan.Or:
		return shortenLogic(o, true)
	}
	switch o.Op {
	case plan.Case:
		return shortenCase(o)
	case plan.Coalesce:
		return shortenCoalesce(o)
	}
	return o
}

func literal(e plan.Expr) (types.Value, bool) {
	l, ok := e.(*plan.Literal)
	if !ok {
		return nil, false
	}
	return l.Value, true
}

// shortenLogic drops operands that change nothing and all behind one that is
// stop. What is before it stays: it may fail.
func shortenLogic(o *plan.OpExpr, stop bool) plan.Expr {
	var args []plan.Expr
	for _, a := range o.Args {
		v, ok := literal(a)
		if ok && v == !stop {
			continue
		}
		args = append(args, a)
		if ok && v == stop {
			break
		}
	}
	switch {
	case len(args) == len(o.Args):
		return o
	case len(args) == 0:
		return &plan.Literal{Value: !stop, T: o.T}
	case len(args) == 1 && args[0].Type().Kind == types.Boolean:
		return args[0]
	}
	return o.WithChildren(args)
}

func shortenCase(o *plan.OpExpr) plan.Expr {
	var args []plan.Expr
	rest := o.Args
	for ; len(rest) >= 2; rest = rest[2:] {
		v, ok := literal(rest[0])
		if ok && v == true {
			rest = rest[1:2] // this arm is the ELSE
			break
		}
		if !ok || v != nil && v != false {
			args = append(args, rest[0], rest[1])
		}
	}
	args = append(args, rest...)
	switch {
	case len(args) == len(o.Args):
		return o
	case len(args) == 0:
		return &plan.Literal{T: o.T}
	case len(args) == 1:
		if args[0].Type().Same(o.T) {
			return args[0]
		}
		return &plan.Cast{X: args[0], T: o.T, Span: o.Span}
	}
	return o.WithChildren(args)
}

func shortenCoalesce(o *plan.OpExpr) plan.Expr {
	var args []plan.Expr
	for _, a := range o.Args {
		v, ok := literal(a)
		if ok && v == nil {
			continue
		}
		args = append(args, a)
		if ok {
			break
		}
	}
	switch {
	case len(args) == len(o.Args):
		return o
	case len(args) == 0:
		return &plan.Literal{T: o.T}
	case len(args) == 1 && args[0].Type().Same(o.T):
		return args[0]
	}
	return o.WithChildren(args)
}
