package eval

import (
	"errors"
	"math"
	"math/big"
	"time"

	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
)

// The oracle computes an expression for one row of boxed values, as slowly and
// plainly as can be: it is what programs are compared with.

var errOracle = errors.New("error of the row")

type oracle struct {
	row  []types.Value
	zone *time.Location
}

func (o *oracle) value(e plan.Expr) (types.Value, error) {
	switch e := e.(type) {
	case *plan.Column:
		return o.row[e.Index], nil
	case *plan.Literal:
		return e.Value, nil
	case *plan.Cast:
		v, err := o.value(e.X)
		if err != nil {
			return nil, err
		}
		return types.CastValue(v, e.X.Type(), e.T, o.zone, e.Try)
	case *plan.Call:
		return o.call(e)
	case *plan.OpExpr:
		return o.operator(e)
	}
	panic("oracle: unknown expression")
}

func (o *oracle) call(e *plan.Call) (types.Value, error) {
	v, err := o.value(e.Args[0])
	if err != nil {
		return nil, err
	}
	switch e.Fn.Name {
	case "HALF":
		if v == nil {
			return nil, nil
		}
		if n := v.(int32); n%7 == 3 {
			return nil, errOracle
		} else if n%5 == 1 {
			return nil, nil
		} else {
			return n / 2, nil
		}
	case "SHOW":
		if v == nil {
			return "nothing", nil
		}
		return v.(string) + "!", nil
	}
	panic("oracle: unknown function")
}

func (o *oracle) operator(e *plan.OpExpr) (types.Value, error) {
	switch e.Op {
	case plan.And, plan.Or:
		return o.logic(e)
	case plan.Case:
		for i := 0; i+1 < len(e.Args); i += 2 {
			v, err := o.value(e.Args[i])
			if err != nil {
				return nil, err
			}
			if v == true {
				return o.value(e.Args[i+1])
			}
		}
		if len(e.Args)%2 == 1 {
			return o.value(e.Args[len(e.Args)-1])
		}
		return nil, nil
	case plan.Coalesce:
		for _, a := range e.Args {
			if v, err := o.value(a); v != nil || err != nil {
				return v, err
			}
		}
		return nil, nil
	case plan.In:
		x, err := o.value(e.Args[0])
		if err != nil {
			return nil, err
		}
		var res types.Value = false
		for _, a := range e.Args[1:] {
			v, err := o.value(a)
			if err != nil {
				return nil, err
			}
			if x == nil || v == nil {
				res = nil
			} else if order(x, e.Args[0].Type(), v, a.Type()) == 0 {
				return true, nil
			}
		}
		return res, nil
	}
	args := make([]types.Value, len(e.Args))
	ts := make([]types.Type, len(e.Args))
	null := false
	for i, a := range e.Args {
		var err error
		if args[i], err = o.value(a); err != nil {
			return nil, err
		}
		ts[i] = a.Type()
		null = null || args[i] == nil
	}
	switch e.Op {
	case plan.IsNull:
		return args[0] == nil, nil
	case plan.IsNotNull:
		return args[0] != nil, nil
	case plan.IsTrue:
		return args[0] == true, nil
	case plan.IsNotTrue:
		return args[0] != true, nil
	case plan.IsFalse:
		return args[0] == false, nil
	case plan.IsNotFalse:
		return args[0] != false, nil
	case plan.Distinct, plan.NotDistinct:
		same := args[0] == nil && args[1] == nil
		if !null {
			same = order(args[0], ts[0], args[1], ts[1]) == 0
		}
		return same == (e.Op == plan.NotDistinct), nil
	case plan.MakeRow, plan.MakeArray:
		return args, nil
	case plan.MakeMap:
		m := &types.MapValue{}
		for i := 0; i < len(args); i += 2 {
			m.Set(args[i], args[i+1], *e.T.Key)
		}
		return m, nil
	}
	if null {
		return nil, nil
	}
	switch e.Op {
	case plan.Not:
		return !args[0].(bool), nil
	case plan.Field:
		return args[0].([]types.Value)[e.Index], nil
	case plan.Eq, plan.Ne, plan.Lt, plan.Le, plan.Gt, plan.Ge:
		return compares(e.Op, args, ts), nil
	case plan.Neg:
		return negative(args[0]), nil
	}
	return arithmetic(e, args, ts)
}

func (o *oracle) logic(e *plan.OpExpr) (types.Value, error) {
	stop := e.Op == plan.Or
	var res types.Value = !stop
	for _, a := range e.Args {
		v, err := o.value(a)
		if err != nil || v == stop {
			return v, err
		}
		if v == nil {
			res = nil
		}
	}
	return res, nil
}

// order compares values of types that need not be the same: 2 for NaN and others.
func order(a types.Value, at types.Type, b types.Value, bt types.Type) int {
	if at.IsNumeric() && bt.IsNumeric() {
		if at.IsApprox() || bt.IsApprox() {
			x, y := floatOf(a, at), floatOf(b, bt)
			if at.Kind == types.Float && bt.Kind != types.Double && bt.Kind != types.Decimal ||
				bt.Kind == types.Float && at.Kind != types.Double && at.Kind != types.Decimal {
				x, y = float64(float32(x)), float64(float32(y))
			}
			switch {
			case x == y, x != x && y != y:
				return 0
			case x < y:
				return -1
			case x > y:
				return 1
			}
			return 2
		}
		return rational(a, at).Cmp(rational(b, bt))
	}
	if at.IsNested() {
		if types.EqualValues(a, b, at) {
			return 0
		}
		return 2
	}
	return types.Compare(a, b, at)
}

func compares(op plan.Op, v []types.Value, ts []types.Type) bool {
	c := order(v[0], ts[0], v[1], ts[1])
	if f, ok := v[0].(float64); ok && f != f || c == 2 {
		return op == plan.Eq && c == 0 || op == plan.Ne && c != 0
	}
	if f, ok := v[0].(float32); ok && f != f {
		return op == plan.Eq && c == 0 || op == plan.Ne && c != 0
	}
	switch op {
	case plan.Eq:
		return c == 0
	case plan.Ne:
		return c != 0
	case plan.Lt:
		return c < 0
	case plan.Le:
		return c <= 0
	case plan.Gt:
		return c > 0
	}
	return c >= 0
}

func integerOf(v types.Value) int64 {
	switch v := v.(type) {
	case int8:
		return int64(v)
	case int16:
		return int64(v)
	case int32:
		return int64(v)
	case int64:
		return v
	}
	panic("oracle: no integer")
}

func bigOf(d types.Dec) *big.Int {
	n := big.NewInt(d.Hi)
	return n.Add(n.Lsh(n, 64), new(big.Int).SetUint64(d.Lo))
}

func decOf(n *big.Int) types.Dec {
	hi := new(big.Int).Rsh(n, 64)
	lo := new(big.Int).And(n, new(big.Int).SetUint64(math.MaxUint64))
	return types.Dec{Hi: hi.Int64(), Lo: lo.Uint64()}
}

func power10(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

// rational is an exact number.
func rational(v types.Value, t types.Type) *big.Rat {
	if d, ok := v.(types.Dec); ok {
		return new(big.Rat).SetFrac(bigOf(d), power10(t.Scale))
	}
	return new(big.Rat).SetInt64(integerOf(v))
}

// rounded is r as DECIMAL t, half away from zero; nil if it has too many digits.
func rounded(r *big.Rat, t types.Type) types.Value {
	r = new(big.Rat).Mul(r, new(big.Rat).SetInt(power10(t.Scale)))
	neg := r.Sign() < 0
	num := new(big.Int).Abs(r.Num())
	num.Add(num.Lsh(num, 1), r.Denom())
	q := num.Quo(num, new(big.Int).Lsh(r.Denom(), 1))
	if q.Cmp(power10(t.Prec)) >= 0 {
		return nil
	}
	if neg {
		q.Neg(q)
	}
	return decOf(q)
}

func floatOf(v types.Value, t types.Type) float64 {
	switch v := v.(type) {
	case float32:
		return float64(v)
	case float64:
		return v
	}
	f, _ := rational(v, t).Float64()
	return f
}

func negative(v types.Value) types.Value {
	switch v := v.(type) {
	case int8:
		return -v
	case int16:
		return -v
	case int32:
		return -v
	case int64:
		return -v
	case float32:
		return -v
	case float64:
		return -v
	}
	return decOf(new(big.Int).Neg(bigOf(v.(types.Dec))))
}

// narrow is n as the integer, DECIMAL or interval type t.
func narrow(n int64, t types.Type) types.Value {
	switch t.Phys() {
	case types.PhysI8:
		return int8(n)
	case types.PhysI16:
		return int16(n)
	case types.PhysI32:
		return int32(n)
	}
	return n
}

func arithmetic(e *plan.OpExpr, v []types.Value, ts []types.Type) (types.Value, error) {
	a, b := ts[0], ts[1]
	if a.IsTemporal() || b.IsTemporal() || a.IsInterval() || b.IsInterval() {
		return intervals(e, v, ts)
	}
	switch {
	case e.T.IsApprox():
		x, y := floatOf(v[0], a), floatOf(v[1], b)
		if e.T.Kind == types.Float {
			x, y = float64(float32(x)), float64(float32(y))
		}
		var r float64
		switch e.Op {
		case plan.Add:
			r = x + y
		case plan.Sub:
			r = x - y
		case plan.Mul:
			r = x * y
		case plan.Div:
			r = x / y
		}
		if e.T.Kind == types.Float {
			return float32(r), nil // double rounding is harmless for + - * /
		}
		return r, nil
	case a.Kind == types.Decimal || b.Kind == types.Decimal:
		x, y := rational(v[0], a), rational(v[1], b)
		r := new(big.Rat)
		switch e.Op {
		case plan.Add:
			r.Add(x, y)
		case plan.Sub:
			r.Sub(x, y)
		case plan.Mul:
			r.Mul(x, y)
		case plan.Div, plan.Mod:
			if y.Sign() == 0 {
				return nil, errOracle
			}
			if r.Quo(x, y); e.Op == plan.Mod {
				q := new(big.Int).Quo(r.Num(), r.Denom())
				r.Sub(x, r.Mul(y, new(big.Rat).SetInt(q)))
			}
		}
		if e.T.Kind == types.Decimal {
			return rounded(r, e.T), nil
		}
		return narrow(new(big.Int).Quo(r.Num(), r.Denom()).Int64(), e.T), nil
	}
	x, y := integerOf(v[0]), integerOf(v[1])
	switch e.Op {
	case plan.Add:
		x += y
	case plan.Sub:
		x -= y
	case plan.Mul:
		x *= y
	default:
		if y == 0 {
			return nil, errOracle
		}
		if e.Op == plan.Div {
			x /= y
		} else {
			x %= y
		}
	}
	return narrow(x, e.T), nil
}

func intervals(e *plan.OpExpr, v []types.Value, ts []types.Type) (types.Value, error) {
	if ts[1].IsTemporal() && ts[0].IsInterval() || ts[1].IsInterval() && ts[0].IsInteger() {
		v[0], v[1], ts[0], ts[1] = v[1], v[0], ts[1], ts[0]
	}
	n := func(i int) int64 { return integerOf(v[i]) }
	sign := int64(1)
	if e.Op == plan.Sub {
		sign = -1
	}
	if ts[0].IsInterval() {
		switch e.Op {
		case plan.Mul:
			return narrow(n(0)*n(1), e.T), nil
		case plan.Div:
			if n(1) == 0 {
				return nil, errOracle
			}
			return narrow(n(0)/n(1), e.T), nil
		}
		return narrow(n(0)+sign*n(1), e.T), nil
	}
	if ts[1].IsTemporal() {
		if e.T.Kind == types.IntervalYM {
			x, y := pointOf(v[0]), pointOf(v[1])
			m := int64(0)
			for step := int64(1 << 20); step > 0; step >>= 1 { // search for the last month that is not behind
				for y.AddMonths(m+step).Compare(x) <= 0 && x.Compare(y) >= 0 {
					m += step
				}
				for y.AddMonths(m-step).Compare(x) >= 0 && x.Compare(y) < 0 {
					m -= step
				}
			}
			return int32(m), nil
		}
		if x, ok := v[0].(types.TS); ok {
			return x.Ms - v[1].(types.TS).Ms, nil
		}
		if ts[0].Kind == types.Date {
			return (n(0) - n(1)) * types.MsPerDay, nil
		}
		return n(0) - n(1), nil
	}
	switch ts[0].Kind {
	case types.Date:
		if ts[1].Kind == types.IntervalYM {
			return int32(types.AddMonthsToDays(n(0), sign*n(1))), nil
		}
		return int32(n(0) + sign*(n(1)/types.MsPerDay)), nil
	case types.Time:
		return int32(types.FloorMod(n(0)+sign*(n(1)%types.MsPerDay), types.MsPerDay)), nil
	}
	t := v[0].(types.TS)
	if ts[1].Kind == types.IntervalYM {
		t = t.AddMonths(sign * n(1))
	} else {
		t = t.AddMs(sign * n(1))
	}
	return t.Truncate(e.T.Prec), nil
}

func pointOf(v types.Value) types.TS {
	if d, ok := v.(int32); ok {
		return types.TS{Ms: int64(d) * types.MsPerDay}
	}
	return v.(types.TS)
}
