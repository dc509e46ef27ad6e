package builtin

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/axiomhq/hyperloglog"
	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// aggStatFuncs are deviations, variances and approximate counts. As in Flink the
// result has the argument's type (DECIMAL(38, 6) for DECIMAL): the computation is
// in DOUBLE and the result is cast.
var aggStatFuncs = []function.Def{
	statDef("STDDEV_POP", nil, "The standard deviation of the population.", true, false),
	statDef("STDDEV_SAMP", []string{"STDDEV"}, "The standard deviation of the sample; NULL for a single value.", true, true),
	statDef("VAR_POP", nil, "The variance of the population.", false, false),
	statDef("VAR_SAMP", []string{"VARIANCE"}, "The variance of the sample; NULL for a single value.", false, true),
	{
		Name: "APPROX_COUNT_DISTINCT", Group: "aggregate", Sig: "(ANY) -> BIGINT!",
		Doc: "The number of different values, estimated (HyperLogLog, within about 1 %).",
		Infer: func(args []function.Arg) (function.Signature, error) {
			if len(args) != 1 {
				return function.Signature{}, errors.New("APPROX_COUNT_DISTINCT takes one argument")
			}
			return inferCount(args)
		},
		Aggregate: &function.Aggregate{Retracts: true, New: func(_ *function.Context, c function.AggregateCall) (function.Accumulators, error) {
			if c.Retracts {
				return &countedAcc{}, nil
			}
			return &approxAcc{}, nil
		}},
	},
}

func statDef(name string, aliases []string, doc string, root, sample bool) function.Def {
	return function.Def{
		Name: name, Aliases: aliases, Group: "aggregate", Sig: "(NUMERIC) -> NUMERIC", Doc: doc,
		Infer: inferNumeric(name, func(t types.Type) (types.Type, bool) {
			if t.Kind == types.Decimal {
				return types.DecimalOf(types.MaxDecimalPrecision, 6), true
			}
			return t, t.IsNumeric()
		}),
		Aggregate: &function.Aggregate{Retracts: true, EmptyIsNull: true,
			New: func(_ *function.Context, c function.AggregateCall) (function.Accumulators, error) {
				m := momentAcc{arg: c.Args[0].Type, result: c.Result, root: root, sample: sample}
				if m.arg.IsInteger() && m.arg.Kind != types.BigInt {
					return &exactMomentAcc{momentAcc: m}, nil
				}
				if c.Retracts {
					return &realMomentAcc{momentAcc: m}, nil
				}
				return &m, nil
			}},
	}
}

// momentAcc keeps count, mean and the sum of squared distances from it, by
// Welford's recurrence, which also runs backwards.
type momentAcc struct {
	arg, result  types.Type
	root, sample bool
	n, mean, m2  []float64
}

func (a *momentAcc) Resize(n int) {
	a.n, a.mean, a.m2 = grow(a.n, n), grow(a.mean, n), grow(a.m2, n)
}

func (a *momentAcc) Update(slots []int32, args []vector.Vector, rows []int32, signs []int8) error {
	for i, s := range slots {
		x, err := asDouble(args[0], int(rows[i]), a.arg)
		if err != nil {
			return err
		}
		if signs == nil || signs[i] > 0 {
			a.n[s]++
			d := x - a.mean[s]
			a.mean[s] += d / a.n[s]
			a.m2[s] += d * (x - a.mean[s])
			continue
		}
		if a.n[s]--; a.n[s] <= 0 {
			a.Clear(s)
			continue
		}
		d := x - a.mean[s]
		a.mean[s] -= d / a.n[s]
		a.m2[s] -= d * (x - a.mean[s])
	}
	return nil
}

// asDouble reads a number of any type.
func asDouble(v vector.Vector, i int, t types.Type) (float64, error) {
	if c, ok := v.(*vector.Const); ok {
		v, i = c.Of, 0
	}
	switch v := v.(type) {
	case *vector.Flat[int8]:
		return float64(v.Vals[i]), nil
	case *vector.Flat[int16]:
		return float64(v.Vals[i]), nil
	case *vector.Flat[int32]:
		return float64(v.Vals[i]), nil
	case *vector.Flat[int64]:
		return float64(v.Vals[i]), nil
	case *vector.Flat[float32]:
		return float64(v.Vals[i]), nil
	case *vector.Flat[float64]:
		return v.Vals[i], nil
	case *vector.Flat[types.Dec]:
		return v.Vals[i].ToFloat64(t.Scale), nil
	}
	return 0, fmt.Errorf("%s is no number", t)
}

func (a *momentAcc) Merge(to int32, other function.Accumulators, from int32) error {
	o := other.(*momentAcc)
	n := a.n[to] + o.n[from]
	if n == 0 {
		return nil
	}
	d := o.mean[from] - a.mean[to]
	a.m2[to] += o.m2[from] + d*d*a.n[to]*o.n[from]/n
	a.mean[to] += d * o.n[from] / n
	a.n[to] = n
	return nil
}

func (a *momentAcc) Result(slots []int32, out vector.Vector) error {
	for _, s := range slots {
		if err := a.put(out, a.n[s], a.m2[s]); err != nil {
			return err
		}
	}
	return nil
}

// put appends the result for n values whose squared distances sum to m2.
func (a *momentAcc) put(out vector.Vector, n, m2 float64) error {
	if a.sample {
		n--
	}
	if n <= 0 {
		vector.Append(out, nil)
		return nil
	}
	x := max(m2, 0) / n
	if m2 != m2 {
		x = m2
	}
	if a.root {
		x = math.Sqrt(x)
	}
	v, err := types.CastValue(x, types.Of(types.Double), a.result, nil, true)
	if err != nil {
		return err
	}
	vector.Append(out, v)
	return nil
}

func (a *momentAcc) Clear(slot int32) { a.n[slot], a.mean[slot], a.m2[slot] = 0, 0, 0 }

func (a *momentAcc) Save(dst []byte, slot int32) []byte {
	for _, x := range []float64{a.n[slot], a.mean[slot], a.m2[slot]} {
		dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(x))
	}
	return dst
}

func (a *momentAcc) Load(slot int32, b []byte) ([]byte, error) {
	if len(b) < 24 {
		return nil, vector.ErrCorrupt
	}
	for i, p := range []*float64{&a.n[slot], &a.mean[slot], &a.m2[slot]} {
		*p = math.Float64frombits(binary.LittleEndian.Uint64(b[i*8:]))
	}
	return b[24:], nil
}

func (a *momentAcc) Bytes() int64 { return int64(cap(a.n)) * 24 }

// approxAcc is a HyperLogLog sketch a group, of rows that are only added.
type approxAcc struct {
	sketches []*hyperloglog.Sketch
	key      []byte
}

func (a *approxAcc) Resize(n int) { a.sketches = grow(a.sketches, n) }

func (a *approxAcc) Update(slots []int32, args []vector.Vector, rows []int32, _ []int8) error {
	for i, s := range slots {
		if a.sketches[s] == nil {
			a.sketches[s] = hyperloglog.New14()
		}
		a.key = vector.AppendKey(a.key[:0], args[0], int(rows[i]))
		a.sketches[s].InsertHash(vector.HashKey(a.key))
	}
	return nil
}

func (a *approxAcc) Merge(to int32, other function.Accumulators, from int32) error {
	o := other.(*approxAcc).sketches[from]
	if o == nil {
		return nil
	}
	if a.sketches[to] == nil {
		a.sketches[to] = hyperloglog.New14()
	}
	return a.sketches[to].Merge(o)
}

func (a *approxAcc) Result(slots []int32, out vector.Vector) error {
	for _, s := range slots {
		n := int64(0)
		if a.sketches[s] != nil {
			n = int64(a.sketches[s].Estimate())
		}
		vector.Append(out, n)
	}
	return nil
}

func (a *approxAcc) Clear(slot int32) { a.sketches[slot] = nil }

func (a *approxAcc) Save(dst []byte, slot int32) []byte {
	if a.sketches[slot] == nil {
		return append(dst, 0)
	}
	b, err := a.sketches[slot].MarshalBinary()
	if err != nil { // the sketch's writer has no failing case
		return append(dst, 0)
	}
	dst = binary.AppendUvarint(append(dst, 1), uint64(len(b)))
	return append(dst, b...)
}

func (a *approxAcc) Load(slot int32, b []byte) ([]byte, error) {
	if len(b) == 0 {
		return nil, vector.ErrCorrupt
	}
	if b[0] == 0 {
		return b[1:], nil
	}
	n, w := binary.Uvarint(b[1:])
	if w <= 0 || uint64(len(b)-1-w) < n {
		return nil, vector.ErrCorrupt
	}
	b = b[1+w:]
	a.sketches[slot] = hyperloglog.New14()
	return b[n:], a.sketches[slot].UnmarshalBinary(b[:n])
}

func (a *approxAcc) Bytes() int64 {
	var n int64
	for _, s := range a.sketches {
		if s != nil {
			n += 16 << 10
		}
	}
	return n
}
