package eval

import (
	"fmt"
	"math/big"
	"strconv"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/internal/diag"
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

// evalConst computes e, which is constant.
func evalConst(e plan.Expr, cx *function.Context) (types.Value, error) {
	if l, ok := e.(*plan.Literal); ok {
		return l.Value, nil
	}
	if v, ok := widened(e); ok {
		return v, nil
	}
	return runConst(e, cx)
}

// widened is the value of a cast that changes no more than the type: of a text
// that fits, or of an integer to one of more bits. Scripts of many rules have
// thousands of them.
func widened(e plan.Expr) (types.Value, bool) {
	c, ok := e.(*plan.Cast)
	if !ok {
		return nil, false
	}
	l, ok := c.X.(*plan.Literal)
	if !ok {
		return nil, false
	}
	switch v := l.Value.(type) {
	case string:
		if l.T.IsChar() && c.T.Kind == types.VarChar && (c.T.Prec == types.MaxLength || len(v) <= c.T.Prec) {
			return v, true
		}
	case int32:
		if l.T.Kind == types.Int && c.T.Kind == types.BigInt {
			return int64(v), true
		}
	}
	return nil, false
}

// runConst runs e on a batch of one row.
func runConst(e plan.Expr, cx *function.Context) (types.Value, error) {
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
	f := folder{cx: cx, origin: map[*plan.Literal]*plan.Literal{}, computed: map[*plan.Literal]bool{}, float: map[*plan.Literal]bool{}, widened: map[*plan.Literal]bool{}}
	e = plan.Rewrite(e, func(x plan.Expr) plan.Expr {
		if o, ok := x.(*plan.OpExpr); ok {
			x = shorten(o)
		}
		return f.node(x)
	})
	if len(f.computed) == 0 {
		return e, nil
	}
	return plan.Rewrite(e, func(x plan.Expr) plan.Expr {
		if l, ok := x.(*plan.Literal); ok && f.computed[l] {
			return asDecimal(l)
		}
		return x
	}), nil
}

// folder folds one expression. Flink's planner holds constants as decimals, which
// shows in FLOATs and DOUBLEs: a number literal that is cast keeps all its digits
// for what is made of it, and what is computed ends as a decimal.
type folder struct {
	cx *function.Context
	// origin is the exact literal of which a FLOAT or DOUBLE was cast.
	origin map[*plan.Literal]*plan.Literal
	// computed are literals of FLOAT and DOUBLE that are the result of a computation.
	computed map[*plan.Literal]bool
	// float are DOUBLEs that were FLOATs and widened are numbers that became DOUBLE,
	// without being asked to.
	float, widened map[*plan.Literal]bool
}

func (f *folder) node(e plan.Expr) plan.Expr {
	switch e := e.(type) {
	case *plan.OpExpr:
		if v, ok := f.compare(e); ok {
			return &plan.Literal{Value: v, T: e.T}
		}
	case *plan.Cast:
		if l, ok := e.X.(*plan.Literal); ok && l.T.IsNumeric() && e.T.IsNumeric() && !e.Try {
			return f.cast(e, l)
		}
	case *plan.Call:
		if f.cx == nil || e.Fn.Volatile || e.Fn.Scalar == nil {
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
	v, err := evalConst(e, f.cx)
	if err != nil {
		return e
	}
	l := &plan.Literal{Value: v, T: e.Type()}
	if l.T.IsApprox() {
		f.computed[l] = true
	}
	return l
}

// cast folds the cast of a number literal.
func (f *folder) cast(e *plan.Cast, l *plan.Literal) plan.Expr {
	exact := l
	unasked := e.Span == (diag.Span{}) && e.T.Kind == types.Double
	if o := f.origin[l]; o != nil && (!unasked || l.T.Kind != types.Float) {
		exact = o // an operand of DOUBLE gets the FLOAT as it is
	}
	v, err := evalConst(&plan.Cast{X: exact, T: e.T, Span: e.Span}, f.cx)
	if err != nil {
		return e
	}
	res := &plan.Literal{Value: v, T: e.T}
	switch {
	case !e.T.IsApprox():
	case f.computed[l]:
		f.computed[res] = true
	case v != nil:
		f.origin[res] = exact
		if o := f.origin[l]; o != nil {
			f.origin[res] = o
		}
		f.widened[res] = unasked
		f.float[res] = unasked && l.T.Kind == types.Float
	}
	return res
}

// compare compares number literals of which one was cast, by all their digits.
func (f *folder) compare(e *plan.OpExpr) (res, ok bool) {
	if e.Op < plan.Eq || e.Op > plan.Ge || len(e.Args) != 2 {
		return false, false
	}
	if x, _ := e.Args[0].(*plan.Literal); x != nil {
		if y, _ := e.Args[1].(*plan.Literal); y != nil && (f.float[x] && !f.widened[y] || f.float[y] && !f.widened[x]) {
			return false, false // FLOAT beside DOUBLE: by their values
		}
	}
	var rats [2]*big.Rat
	cast := false
	for i, a := range e.Args {
		l, isLiteral := a.(*plan.Literal)
		if !isLiteral || l.Value == nil || !l.T.IsApprox() {
			return false, false
		}
		if o := f.origin[l]; o != nil {
			l, cast = o, true
		}
		if rats[i], ok = new(big.Rat).SetString(string(types.AppendCast(nil, l.Value, l.T, nil))); !ok {
			return false, false // NaN or infinite
		}
	}
	if !cast {
		return false, false
	}
	switch c := rats[0].Cmp(rats[1]); e.Op {
	case plan.Eq:
		return c == 0, true
	case plan.Ne:
		return c != 0, true
	case plan.Lt:
		return c < 0, true
	case plan.Le:
		return c <= 0, true
	case plan.Gt:
		return c > 0, true
	default:
		return c >= 0, true
	}
}

// asDecimal is a computed constant as the decimal that Flink's planner makes of it:
// FLOAT of 7 digits, and without a negative zero.
func asDecimal(l *plan.Literal) *plan.Literal {
	switch v := l.Value.(type) {
	case float32:
		if x, err := strconv.ParseFloat(strconv.FormatFloat(float64(v), 'e', 6, 64), 32); err == nil && x == x {
			return &plan.Literal{Value: float32(x) + 0, T: l.T}
		}
	case float64:
		return &plan.Literal{Value: v + 0, T: l.T}
	}
	return l
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
