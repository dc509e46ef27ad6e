package eval

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// columnTypes are the types random expressions are made of.
var columnTypes = []types.Type{
	types.Of(types.Boolean), types.Of(types.TinyInt), types.Of(types.SmallInt), types.Of(types.Int), types.Of(types.BigInt),
	types.Of(types.Float), types.Of(types.Double), types.DecimalOf(10, 2), types.DecimalOf(20, 5), types.DecimalOf(38, 10),
	types.String(), types.CharOf(3), types.Bytes(), types.Of(types.Date), types.TimeOf(0), types.TimeOf(3), types.TimestampOf(0),
	types.TimestampOf(3), types.TimestampOf(9), types.TimestampLTZOf(3), types.Of(types.IntervalYM), intervalDS,
	types.ArrayOf(types.Of(types.Int)), types.MapOf(types.String(), types.Of(types.Int)), rowType,
	wideRow, types.MultisetOf(types.String()),
}

var (
	intervalDS = types.Type{Kind: types.IntervalDS, Nullable: true, Prec: 3, Unit: "SECOND"}
	rowType    = types.RowOf(types.Field{Name: "a", Type: types.Of(types.Int)}, types.Field{Name: "b", Type: types.String()})
	// wideRow has fields of every physical kind.
	wideRow = types.RowOf(
		types.Field{Name: "a", Type: types.Of(types.Boolean)}, types.Field{Name: "b", Type: types.Of(types.TinyInt)},
		types.Field{Name: "c", Type: types.Of(types.SmallInt)}, types.Field{Name: "d", Type: types.Of(types.BigInt)},
		types.Field{Name: "e", Type: types.Of(types.Float)}, types.Field{Name: "f", Type: types.Of(types.Double)},
		types.Field{Name: "g", Type: types.DecimalOf(10, 2)}, types.Field{Name: "h", Type: types.TimestampOf(9)},
		types.Field{Name: "i", Type: types.ArrayOf(types.String())}, types.Field{Name: "j", Type: rowType},
		types.Field{Name: "k", Type: types.MapOf(types.Of(types.Int), types.Of(types.Date))},
	)
)

func randomSchema() *types.Schema {
	var fields []types.Field
	for i, t := range columnTypes {
		for j := range 2 {
			fields = append(fields, types.Field{Name: fmt.Sprintf("c%d_%d", i, j), Type: t})
		}
	}
	return types.NewSchema(fields...)
}

type random struct {
	*rand.Rand
	in *types.Schema
}

func pick[T any](r *random, of ...T) T { return of[r.IntN(len(of))] }

func (r *random) integer(low, high int64) int64 {
	switch r.IntN(6) {
	case 0:
		return low
	case 1:
		return high
	case 2, 3:
		return int64(r.IntN(7)) - 3
	}
	return low + int64(r.Uint64()%uint64(high-low))
}

// value is a random value of type t, often an extreme one.
func (r *random) value(t types.Type, nulls bool) types.Value {
	if nulls && t.Nullable && r.IntN(5) == 0 {
		return nil
	}
	switch t.Kind {
	case types.Boolean:
		return r.IntN(2) == 0
	case types.TinyInt:
		return int8(r.integer(math.MinInt8, math.MaxInt8))
	case types.SmallInt:
		return int16(r.integer(math.MinInt16, math.MaxInt16))
	case types.Int:
		return int32(r.integer(math.MinInt32, math.MaxInt32))
	case types.BigInt:
		return r.integer(-1<<62, 1<<62) * 2
	case types.Float:
		return float32(r.float())
	case types.Double:
		return r.float()
	case types.Decimal:
		d := types.DecFromInt64(r.integer(-1<<62, 1<<62))
		if r.IntN(2) == 0 {
			d, _ = types.Pow10(t.Prec).Sub(types.DecFromInt64(int64(r.IntN(3) + 1)))
		}
		for !d.FitsPrecision(t.Prec) {
			d, _ = d.RescaleTrunc(3, 0)
		}
		if r.IntN(2) == 0 {
			d = d.Neg()
		}
		return d
	case types.VarChar:
		return pick(r, "", "a", "abc", "12", " -7 ", "3.25", "1e3", "true", "2024-02-29", "2024-02-29 12:30:00.5", "zö", "99999999999999999999")
	case types.Char:
		return pick(r, "abc", "12 ", "   ", "zö ")
	case types.VarBinary:
		return pick(r, "", "\x00\xff", "abc")
	case types.Date:
		return int32(r.integer(-100000, 100000))
	case types.Time:
		return types.TruncateTime(int32(r.integer(0, types.MsPerDay-1)+3)%types.MsPerDay, t.Prec)
	case types.Timestamp, types.TimestampLTZ:
		return types.TS{Ms: r.integer(-1<<42, 1<<42), Ns: int32(r.IntN(1e6))}.Truncate(t.Prec)
	case types.IntervalYM:
		return int32(r.integer(-500, 500))
	case types.IntervalDS:
		return r.integer(-1<<36, 1<<36)
	case types.Array:
		out := []types.Value{}
		for range r.IntN(3) {
			out = append(out, r.value(*t.Elem, true))
		}
		return out
	case types.Map:
		m := &types.MapValue{}
		for range r.IntN(3) {
			m.Set(r.value(*t.Key, false), r.value(*t.Elem, true), *t.Key)
		}
		return m
	case types.Multiset:
		m := &types.MapValue{}
		for range r.IntN(3) {
			m.Set(r.value(*t.Elem, true), int32(1+r.IntN(3)), *t.Elem)
		}
		return m
	case types.Row:
		out := []types.Value{}
		for _, f := range t.Fields {
			out = append(out, r.value(f.Type, true))
		}
		return out
	}
	panic("no random value of " + t.String())
}

func (r *random) float() float64 {
	return pick(r, 0, math.Copysign(0, -1), 1, -2.5, 1e300, math.Inf(1), math.Inf(-1), math.NaN(), 0.1, 3e9, -1e19, r.NormFloat64())
}

func (r *random) batch(n int) *vector.Batch {
	b := vector.NewBatch(r.in, n)
	nulls := make([]bool, len(b.Cols)) // some columns have none
	for i := range nulls {
		nulls[i] = r.IntN(3) > 0
	}
	row := make([]types.Value, len(b.Cols))
	for range n {
		for i, f := range r.in.Fields {
			row[i] = r.value(f.Type, nulls[i])
		}
		b.AppendValues(types.Insert, row...)
	}
	for i := range b.Cols { // and some are constant
		if n > 0 && r.IntN(12) == 0 {
			b.Cols[i] = vector.NewConst(r.in.Fields[i].Type, vector.Get(b.Cols[i], 0), n)
		}
	}
	return b
}

func (r *random) selection(n int) []int32 {
	switch r.IntN(4) {
	case 0:
		return nil
	case 1:
		return []int32{}
	}
	sel := []int32{}
	for i := range n {
		if r.IntN(3) > 0 {
			sel = append(sel, int32(i))
		}
	}
	return sel
}

func (r *random) typ() types.Type { return columnTypes[r.IntN(len(columnTypes))] }

func (r *random) number() types.Type { return columnTypes[1+r.IntN(9)] }

func (r *random) exact() types.Type { return pick(r, columnTypes[1:5]...) }

// leaf is a column or a literal of type t.
func (r *random) leaf(t types.Type) plan.Expr {
	if r.IntN(4) > 0 {
		start := r.IntN(len(r.in.Fields))
		for k := range r.in.Fields {
			i := (start + k) % len(r.in.Fields)
			if f := r.in.Fields[i]; f.Type.Equal(t) {
				return &plan.Column{Index: i, T: f.Type, Name: f.Name}
			}
		}
	}
	v := r.value(t, true)
	return &plan.Literal{Value: v, T: t}
}

func op(o plan.Op, t types.Type, args ...plan.Expr) *plan.OpExpr {
	return &plan.OpExpr{Op: o, Args: args, T: t}
}

// expr is a random expression of type t.
func (r *random) expr(t types.Type, depth int) plan.Expr {
	if depth <= 0 || r.IntN(6) == 0 {
		return r.leaf(t)
	}
	sub := func(t types.Type) plan.Expr { return r.expr(t, depth-1) }
	switch r.IntN(7) {
	case 0:
		args := []plan.Expr{}
		for range 1 + r.IntN(2) {
			args = append(args, sub(types.Of(types.Boolean)), sub(t))
		}
		if r.IntN(3) > 0 {
			args = append(args, sub(t))
		}
		return op(plan.Case, t, args...)
	case 1:
		return op(plan.Coalesce, t, sub(t), sub(t))
	case 2:
		from := r.typ()
		if ok, _ := types.Castable(from, t); ok {
			return &plan.Cast{X: sub(from), T: t, Try: r.IntN(2) == 0}
		}
	}
	switch {
	case t.Kind == types.Boolean:
		return r.condition(depth)
	case t.IsNumeric():
		return r.arithmetic(t, sub)
	}
	return r.other(t, sub)
}

func (r *random) condition(depth int) plan.Expr {
	b := types.Of(types.Boolean)
	sub := func(t types.Type) plan.Expr { return r.expr(t, depth-1) }
	switch r.IntN(10) {
	case 0, 1:
		args := []plan.Expr{sub(b), sub(b)}
		for r.IntN(3) == 0 {
			args = append(args, sub(b))
		}
		return op(pick(r, plan.And, plan.Or), b, args...)
	case 2:
		return op(plan.Not, b, sub(b))
	case 3:
		return op(pick(r, plan.IsTrue, plan.IsNotTrue, plan.IsFalse, plan.IsNotFalse), b.NotNull(), sub(b))
	case 4:
		return op(pick(r, plan.IsNull, plan.IsNotNull), b.NotNull(), sub(r.typ()))
	case 5:
		t := r.typ()
		return op(pick(r, plan.Distinct, plan.NotDistinct), b.NotNull(), sub(t), sub(t))
	case 6:
		t := r.typ()
		args := []plan.Expr{sub(t)}
		for range 1 + r.IntN(8) {
			args = append(args, &plan.Literal{Value: r.value(t, r.IntN(3) == 0), T: t})
		}
		if r.IntN(5) == 0 {
			args = append(args, sub(t))
		}
		return op(plan.In, b, args...)
	case 7:
		return op(pick(r, plan.Eq, plan.Ne, plan.Lt, plan.Le, plan.Gt, plan.Ge), b, sub(r.number()), sub(r.number()))
	}
	t := r.typ()
	if t.IsNested() {
		return op(pick(r, plan.Eq, plan.Ne), b, sub(t), sub(t))
	}
	return op(pick(r, plan.Eq, plan.Ne, plan.Lt, plan.Le, plan.Gt, plan.Ge), b, sub(t), sub(t))
}

func (r *random) arithmetic(t types.Type, sub func(types.Type) plan.Expr) plan.Expr {
	operand := func() types.Type {
		switch {
		case t.Kind == types.Decimal:
			return pick(r, r.exact(), columnTypes[7], columnTypes[8], columnTypes[9])
		case t.IsInteger():
			for {
				if o := r.exact(); o.Kind <= t.Kind {
					return o
				}
			}
		case t.Kind == types.Float:
			return pick(r, types.Of(types.Float), types.Of(types.Double), types.Of(types.TinyInt), types.Of(types.SmallInt))
		}
		return r.number()
	}
	switch o := pick(r, plan.Add, plan.Sub, plan.Mul, plan.Div, plan.Mod, plan.Neg, plan.Field); {
	case o == plan.Field && t.Kind == types.Int:
		return op(plan.Field, t, sub(rowType))
	case o == plan.Neg, o == plan.Field:
		return op(plan.Neg, t, sub(t))
	case o == plan.Mod && t.IsApprox():
		return op(plan.Div, t, sub(operand()), sub(operand()))
	case o == plan.Mod && t.IsInteger():
		a := pick(r, append(columnTypes[1:5:5], types.DecimalOf(10, 0))...)
		if a.Kind == types.Decimal {
			return op(o, t, &plan.Cast{X: sub(types.Of(types.Int)), T: a}, sub(t))
		}
		return op(o, t, sub(a), sub(t))
	case t.Kind == types.Decimal:
		a, b := operand(), operand()
		if a.Kind != types.Decimal && b.Kind != types.Decimal {
			b = columnTypes[8]
		}
		return op(o, t, sub(a), sub(b))
	case t.Kind == types.Int && r.IntN(3) == 0:
		return &plan.Call{Fn: halfDef, Args: []plan.Expr{sub(t)}, T: t}
	default:
		return op(o, t, sub(operand()), sub(operand()))
	}
}

func (r *random) other(t types.Type, sub func(types.Type) plan.Expr) plan.Expr {
	ym := types.Of(types.IntervalYM)
	switch t.Kind {
	case types.Date, types.Timestamp, types.TimestampLTZ:
		iv := pick(r, ym, intervalDS)
		if r.IntN(3) == 0 {
			return op(plan.Add, t, sub(iv), sub(t))
		}
		return op(pick(r, plan.Add, plan.Sub), t, sub(t), sub(iv))
	case types.Time:
		return op(pick(r, plan.Add, plan.Sub), t, sub(t), sub(intervalDS))
	case types.IntervalYM, types.IntervalDS:
		switch r.IntN(5) {
		case 0:
			return op(plan.Mul, t, sub(t), sub(r.exact()))
		case 1:
			return op(plan.Mul, t, sub(r.exact()), sub(t))
		case 2:
			return op(plan.Div, t, sub(t), sub(r.exact()))
		case 3:
			x := pick(r, types.Of(types.Date), types.TimestampOf(3), types.TimestampOf(9), types.TimestampLTZOf(3))
			return op(plan.Sub, t, r.leaf(x), r.leaf(x))
		}
		return op(pick(r, plan.Add, plan.Sub), t, sub(t), sub(t))
	case types.Array:
		return op(plan.MakeArray, t, sub(*t.Elem), sub(*t.Elem))
	case types.Map:
		return op(plan.MakeMap, t, sub(t.Key.NotNull()), sub(*t.Elem), sub(t.Key.NotNull()), sub(*t.Elem))
	case types.Row:
		args := make([]plan.Expr, len(t.Fields))
		for i, f := range t.Fields {
			args[i] = r.leaf(f.Type)
			if i < 2 {
				args[i] = sub(f.Type)
			}
		}
		return op(plan.MakeRow, t, args...)
	case types.VarChar:
		if r.IntN(2) == 0 {
			return &plan.OpExpr{Op: plan.Field, Args: []plan.Expr{sub(rowType)}, T: t, Index: 1}
		}
		return &plan.Call{Fn: showDef, Args: []plan.Expr{sub(t)}, T: t}
	}
	return r.leaf(t)
}

// halfDef is a strict function that fails and gives NULL for some rows.
var halfDef = &function.Def{Name: "HALF", Scalar: &function.Scalar{
	Bind: func(_ *function.Context, _ []function.Arg, _ types.Type) (function.Call, error) {
		return func(args []vector.Vector, sel []int32, out vector.Vector) (err error) {
			dst := out.(*vector.Flat[int32])
			rows(out.Len(), sel, func(i int) {
				if args[0].IsNull(i) {
					panic("a strict function is called for NULL")
				}
				n := vector.Get(args[0], i).(int32)
				switch {
				case n%7 == 3 && err == nil:
					err = &function.RowError{Row: i, Err: errOracle}
				case n%5 == 1:
					dst.SetNull(i)
				}
				dst.Vals[i] = n / 2
			})
			return err
		}, nil
	},
}}

// showDef is a function that sees NULLs.
var showDef = &function.Def{Name: "SHOW", Nulls: function.Called, Scalar: &function.Scalar{
	Bind: func(_ *function.Context, _ []function.Arg, _ types.Type) (function.Call, error) {
		return func(args []vector.Vector, sel []int32, out vector.Vector) error {
			dst := out.(*vector.Flat[string])
			rows(out.Len(), sel, func(i int) {
				dst.Vals[i] = "nothing"
				if v := vector.Get(args[0], i); v != nil {
					dst.Vals[i] = dst.Arena.Clone(v.(string) + "!")
				}
			})
			return nil
		}, nil
	},
}}
