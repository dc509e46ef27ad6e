package builtin

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// aggBasicFuncs are COUNT, SUM, AVG and their kin: sums over a group.
var aggBasicFuncs = []function.Def{
	{
		Name: "COUNT", Group: "aggregate", Sig: "([ANY...]) -> BIGINT!",
		Doc:   "The number of rows, or with arguments the number of rows in which none of them is NULL.",
		Infer: inferCount,
		Aggregate: &function.Aggregate{Retracts: true, KeepsNulls: true, New: func(_ *function.Context, c function.AggregateCall) (function.Accumulators, error) {
			return &countAcc{}, nil
		}},
	},
	{
		Name: "SUM", Group: "aggregate", Sig: "(NUMERIC) -> NUMERIC",
		Doc:       "The sum; integers keep their type and wrap, DECIMAL(p, s) becomes DECIMAL(38, s). NULL over no values.",
		Infer:     inferNumeric("SUM", types.SumType),
		Aggregate: &function.Aggregate{Retracts: true, EmptyIsNull: true, New: newSum},
	},
	{
		Name: "SUM0", Aliases: []string{"$SUM0"}, Group: "aggregate", Sig: "(NUMERIC) -> NUMERIC!",
		Doc:   "The sum, 0 over no values.",
		Infer: inferNumericNotNull("SUM0", types.SumType),
		Aggregate: &function.Aggregate{Retracts: true, New: func(cx *function.Context, c function.AggregateCall) (function.Accumulators, error) {
			a, err := newSum(cx, c)
			if s, ok := a.(interface{ zeroWhenEmpty() }); ok {
				s.zeroWhenEmpty()
			}
			return a, err
		}},
	},
	{
		Name: "AVG", Group: "aggregate", Sig: "(NUMERIC) -> NUMERIC",
		Doc:       "The mean; of integers the same integer type, truncated; of DECIMAL(p, s) DECIMAL(38, max(6, s)). NULL over no values.",
		Infer:     inferNumeric("AVG", types.AvgType),
		Aggregate: &function.Aggregate{Retracts: true, EmptyIsNull: true, New: newAvg},
	},
}

func inferCount(args []function.Arg) (function.Signature, error) {
	s := function.Signature{Result: types.Of(types.BigInt).NotNull()}
	for _, a := range args {
		s.Args = append(s.Args, a.Type)
	}
	return s, nil
}

func inferNumeric(name string, result func(types.Type) (types.Type, bool)) function.Infer {
	return func(args []function.Arg) (function.Signature, error) {
		if len(args) != 1 {
			return function.Signature{}, fmt.Errorf("%s takes one argument", name)
		}
		t, ok := result(args[0].Type)
		if !ok {
			return function.Signature{}, fmt.Errorf("%s takes a number, not %s", name, args[0].Type)
		}
		return function.Signature{Args: []types.Type{args[0].Type}, Result: t.WithNull(args[0].Type.Nullable)}, nil
	}
}

func inferNumericNotNull(name string, result func(types.Type) (types.Type, bool)) function.Infer {
	infer := inferNumeric(name, result)
	return func(args []function.Arg) (function.Signature, error) {
		s, err := infer(args)
		s.Result.Nullable = false
		return s, err
	}
}

// grow makes s n long, new elements zero.
func grow[T any](s []T, n int) []T {
	if n <= len(s) {
		return s
	}
	if n <= cap(s) {
		return s[:n]
	}
	t := make([]T, n, max(n, 2*cap(s)))
	copy(t, s)
	return t
}

func signOf(signs []int8, i int) int64 {
	if signs == nil {
		return 1
	}
	return int64(signs[i])
}

// countAcc counts rows without NULL arguments.
type countAcc struct{ n []int64 }

func (a *countAcc) Resize(n int) { a.n = grow(a.n, n) }

func (a *countAcc) Update(slots []int32, args []vector.Vector, rows []int32, signs []int8) error {
	nullable := false
	for _, v := range args {
		_, isConst := v.(*vector.Const)
		nullable = nullable || v.Nulls() != nil || isConst
	}
	for i, s := range slots {
		if nullable {
			null := false
			for _, v := range args {
				null = null || v.IsNull(int(rows[i]))
			}
			if null {
				continue
			}
		}
		a.n[s] += signOf(signs, i)
	}
	return nil
}

func (a *countAcc) Merge(to int32, other function.Accumulators, from int32) error {
	a.n[to] += other.(*countAcc).n[from]
	return nil
}

func (a *countAcc) Result(slots []int32, out vector.Vector) error {
	v := out.(*vector.Flat[int64])
	at := vector.Extend(out, len(slots))
	for i, s := range slots {
		v.Vals[at+i] = a.n[s]
	}
	return nil
}

func (a *countAcc) Clear(slot int32)                          { a.n[slot] = 0 }
func (a *countAcc) Save(dst []byte, slot int32) []byte        { return binary.AppendVarint(dst, a.n[slot]) }
func (a *countAcc) Load(slot int32, b []byte) ([]byte, error) { return loadVarint(b, &a.n[slot]) }
func (a *countAcc) Bytes() int64                              { return int64(cap(a.n)) * 8 }

func loadVarint(b []byte, to *int64) ([]byte, error) {
	v, n := binary.Varint(b)
	if n <= 0 {
		return nil, vector.ErrCorrupt
	}
	*to = v
	return b[n:], nil
}

// number lists the Go types of numbers that are summed as they are.
type number interface {
	int8 | int16 | int32 | int64 | float32 | float64
}

// sumAcc is SUM of a Go number: it wraps as the type does.
type sumAcc[T number] struct {
	sum  []T
	n    []int64
	zero bool // 0 instead of NULL over no values
	avg  bool
}

func (a *sumAcc[T]) zeroWhenEmpty() { a.zero = true }
func (a *sumAcc[T]) Resize(n int)   { a.sum, a.n = grow(a.sum, n), grow(a.n, n) }

// cell returns the values of v with the row mask: constants have one row.
func cell[T vector.Elem](v vector.Vector) (vals []T, one bool) {
	if c, ok := v.(*vector.Const); ok {
		return c.Of.(*vector.Flat[T]).Vals, true
	}
	return v.(*vector.Flat[T]).Vals, false
}

func (a *sumAcc[T]) Update(slots []int32, args []vector.Vector, rows []int32, signs []int8) error {
	vals, one := sumCell[T](args[0])
	for i, s := range slots {
		r := rows[i]
		if one {
			r = 0
		}
		if signs == nil || signs[i] > 0 {
			a.sum[s] += vals[r]
			a.n[s]++
		} else {
			a.sum[s] -= vals[r]
			a.n[s]--
		}
	}
	return nil
}

func sumCell[T number](v vector.Vector) ([]T, bool) {
	one := false
	if c, ok := v.(*vector.Const); ok {
		v, one = c.Of, true
	}
	return any(v).(interface{ Values() []T }).Values(), one
}

func (a *sumAcc[T]) Merge(to int32, other function.Accumulators, from int32) error {
	o := other.(*sumAcc[T])
	a.sum[to] += o.sum[from]
	a.n[to] += o.n[from]
	return nil
}

func (a *sumAcc[T]) Result(slots []int32, out vector.Vector) error {
	at := vector.Extend(out, len(slots))
	vals := any(out).(interface{ Values() []T }).Values()
	for i, s := range slots {
		switch {
		case a.n[s] == 0 && !a.zero:
			out.SetNull(at + i)
		case a.avg:
			vals[at+i] = T(a.sum[s] / T(a.n[s]))
		default:
			vals[at+i] = a.sum[s]
		}
	}
	return nil
}

func (a *sumAcc[T]) Clear(slot int32) { a.sum[slot], a.n[slot] = 0, 0 }

func (a *sumAcc[T]) Save(dst []byte, slot int32) []byte {
	dst = binary.AppendVarint(dst, a.n[slot])
	switch v := any(a.sum[slot]).(type) {
	case float64:
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(v))
	case float32:
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(float64(v)))
	}
	return binary.LittleEndian.AppendUint64(dst, uint64(int64(a.sum[slot])))
}

func (a *sumAcc[T]) Load(slot int32, b []byte) ([]byte, error) {
	b, err := loadVarint(b, &a.n[slot])
	if err != nil || len(b) < 8 {
		return nil, vector.ErrCorrupt
	}
	bits := binary.LittleEndian.Uint64(b)
	switch any(a.sum[slot]).(type) {
	case float64, float32:
		a.sum[slot] = T(math.Float64frombits(bits))
	default:
		a.sum[slot] = T(int64(bits))
	}
	return b[8:], nil
}

func (a *sumAcc[T]) Bytes() int64 { return int64(cap(a.sum)+cap(a.n)) * 8 }

func newSum(_ *function.Context, c function.AggregateCall) (function.Accumulators, error) {
	switch c.Args[0].Type.Phys() {
	case types.PhysI8:
		return &sumAcc[int8]{}, nil
	case types.PhysI16:
		return &sumAcc[int16]{}, nil
	case types.PhysI32:
		return &sumAcc[int32]{}, nil
	case types.PhysI64:
		return &sumAcc[int64]{}, nil
	case types.PhysF32:
		return &sumAcc[float32]{}, nil
	case types.PhysF64:
		return &sumAcc[float64]{}, nil
	case types.PhysDec:
		return &decimalSum{arg: c.Args[0].Type, result: c.Result}, nil
	}
	return nil, fmt.Errorf("no sum of %s", c.Args[0].Type)
}

// newAvg sums integers in 64 bits and floats in DOUBLE, and divides at the end.
func newAvg(_ *function.Context, c function.AggregateCall) (function.Accumulators, error) {
	switch c.Args[0].Type.Phys() {
	case types.PhysI8:
		return &avgAcc[int8, int64]{}, nil
	case types.PhysI16:
		return &avgAcc[int16, int64]{}, nil
	case types.PhysI32:
		return &avgAcc[int32, int64]{}, nil
	case types.PhysI64:
		return &sumAcc[int64]{avg: true}, nil
	case types.PhysF32:
		return &avgAcc[float32, float64]{}, nil
	case types.PhysF64:
		return &sumAcc[float64]{avg: true}, nil
	case types.PhysDec:
		return &decimalSum{arg: c.Args[0].Type, result: c.Result, avg: true}, nil
	}
	return nil, fmt.Errorf("no average of %s", c.Args[0].Type)
}

// avgAcc is AVG of T with the sum kept in the wider S.
type avgAcc[T, S number] struct{ wide sumAcc[S] }

func (a *avgAcc[T, S]) Resize(n int) { a.wide.Resize(n) }

func (a *avgAcc[T, S]) Update(slots []int32, args []vector.Vector, rows []int32, signs []int8) error {
	vals, one := sumCell[T](args[0])
	for i, s := range slots {
		r := rows[i]
		if one {
			r = 0
		}
		d := signOf(signs, i)
		a.wide.sum[s] += S(vals[r]) * S(d)
		a.wide.n[s] += d
	}
	return nil
}

func (a *avgAcc[T, S]) Merge(to int32, other function.Accumulators, from int32) error {
	return a.wide.Merge(to, &other.(*avgAcc[T, S]).wide, from)
}

func (a *avgAcc[T, S]) Result(slots []int32, out vector.Vector) error {
	at := vector.Extend(out, len(slots))
	vals := any(out).(interface{ Values() []T }).Values()
	for i, s := range slots {
		if a.wide.n[s] == 0 {
			out.SetNull(at + i)
			continue
		}
		vals[at+i] = T(a.wide.sum[s] / S(a.wide.n[s]))
	}
	return nil
}

func (a *avgAcc[T, S]) Clear(slot int32)                   { a.wide.Clear(slot) }
func (a *avgAcc[T, S]) Save(dst []byte, slot int32) []byte { return a.wide.Save(dst, slot) }
func (a *avgAcc[T, S]) Load(slot int32, b []byte) ([]byte, error) {
	return a.wide.Load(slot, b)
}
func (a *avgAcc[T, S]) Bytes() int64 { return a.wide.Bytes() }

// decimalSum is SUM and AVG of DECIMAL. A sum that leaves 38 digits makes the
// group NULL until it is empty again.
type decimalSum struct {
	arg, result types.Type
	avg, zero   bool
	sum         []types.Dec
	n           []int64
	overflow    []bool
}

func (a *decimalSum) zeroWhenEmpty() { a.zero = true }
func (a *decimalSum) Resize(n int) {
	a.sum, a.n, a.overflow = grow(a.sum, n), grow(a.n, n), grow(a.overflow, n)
}

func (a *decimalSum) Update(slots []int32, args []vector.Vector, rows []int32, signs []int8) error {
	vals, one := cell[types.Dec](args[0])
	for i, s := range slots {
		r := rows[i]
		if one {
			r = 0
		}
		var ok bool
		if signs == nil || signs[i] > 0 {
			a.sum[s], ok = a.sum[s].Add(vals[r])
			a.n[s]++
		} else {
			a.sum[s], ok = a.sum[s].Sub(vals[r])
			a.n[s]--
		}
		if !ok || !a.sum[s].FitsPrecision(types.MaxDecimalPrecision) {
			a.overflow[s] = true
		}
		if a.n[s] == 0 {
			a.sum[s], a.overflow[s] = types.Dec{}, false
		}
	}
	return nil
}

func (a *decimalSum) Merge(to int32, other function.Accumulators, from int32) error {
	o := other.(*decimalSum)
	var ok bool
	a.sum[to], ok = a.sum[to].Add(o.sum[from])
	a.n[to] += o.n[from]
	a.overflow[to] = a.overflow[to] || o.overflow[from] || !ok
	return nil
}

func (a *decimalSum) Result(slots []int32, out vector.Vector) error {
	v := out.(*vector.Flat[types.Dec])
	at := vector.Extend(out, len(slots))
	for i, s := range slots {
		ok := !a.overflow[s] && (a.n[s] != 0 || a.zero)
		switch {
		case !ok:
		case a.avg:
			v.Vals[at+i], ok = types.DecDiv(a.sum[s], a.arg.Scale, types.DecFromInt64(a.n[s]), 0, a.result.Scale)
		default:
			v.Vals[at+i], ok = a.sum[s].Rescale(a.arg.Scale, a.result.Scale)
		}
		if !ok {
			out.SetNull(at + i)
		}
	}
	return nil
}

func (a *decimalSum) Clear(slot int32) {
	a.sum[slot], a.n[slot], a.overflow[slot] = types.Dec{}, 0, false
}

func (a *decimalSum) Save(dst []byte, slot int32) []byte {
	dst = binary.AppendVarint(dst, a.n[slot])
	dst = binary.LittleEndian.AppendUint64(dst, uint64(a.sum[slot].Hi))
	dst = binary.LittleEndian.AppendUint64(dst, a.sum[slot].Lo)
	if a.overflow[slot] {
		return append(dst, 1)
	}
	return append(dst, 0)
}

func (a *decimalSum) Load(slot int32, b []byte) ([]byte, error) {
	b, err := loadVarint(b, &a.n[slot])
	if err != nil || len(b) < 17 {
		return nil, vector.ErrCorrupt
	}
	a.sum[slot] = types.Dec{Hi: int64(binary.LittleEndian.Uint64(b)), Lo: binary.LittleEndian.Uint64(b[8:])}
	a.overflow[slot] = b[16] != 0
	return b[17:], nil
}

func (a *decimalSum) Bytes() int64 { return int64(cap(a.sum))*16 + int64(cap(a.n))*9 }
