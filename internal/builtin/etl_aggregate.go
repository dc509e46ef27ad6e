package builtin

import (
	"errors"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// etlAggregateFuncs are the aggregates that RocketMQ-Streams has besides.
var etlAggregateFuncs = []function.Def{
	{
		Name: "CONCAT_AGG", Group: "aggregate", Sig: "([LITERAL STRING], STRING) -> STRING",
		Doc:       "The texts joined by the first argument, new lines if it is not given; NULLs are left out.",
		Infer:     inferConcatAgg("CONCAT_AGG"),
		Aggregate: &function.Aggregate{Retracts: true, Ordered: true, EmptyIsNull: true, New: newConcatAgg(false)},
	},
	{
		Name: "CONCAT_DISTINCT", Group: "aggregate", Sig: "([LITERAL STRING], STRING) -> STRING",
		Doc:       "The different texts, in the order in which they first came, joined by the first argument, new lines if it is not given; NULLs are left out.",
		Infer:     inferConcatAgg("CONCAT_DISTINCT"),
		Aggregate: &function.Aggregate{Retracts: true, Ordered: true, EmptyIsNull: true, New: newConcatAgg(true)},
	},
	again(aggFuncs, "APPROX_COUNT_DISTINCT", "COUNT_DISTINCT"),
}

func inferConcatAgg(name string) function.Infer {
	return func(args []function.Arg) (function.Signature, error) {
		var sig function.Signature
		if len(args) != 1 && len(args) != 2 {
			return sig, errors.New(name + " takes a separator, which may be left out, and a text")
		}
		for _, a := range args {
			if !a.Type.IsChar() {
				return sig, errors.New(name + " takes texts")
			}
			sig.Args = append(sig.Args, a.Type)
		}
		if _, ok := args[0].Value.(string); len(args) == 2 && (!args[0].Const || !ok) {
			return sig, errors.New("the separator of " + name + " must be a text literal")
		}
		sig.Result = types.String().WithNull(args[len(args)-1].Type.Nullable)
		return sig, nil
	}
}

func newConcatAgg(distinct bool) func(*function.Context, function.AggregateCall) (function.Accumulators, error) {
	return func(_ *function.Context, c function.AggregateCall) (function.Accumulators, error) {
		sep, last := "\n", len(c.Args)-1
		if last == 1 {
			sep, _ = c.Args[0].Value.(string)
		}
		acc := concatAcc{value: last}
		if !distinct && !c.Retracts {
			acc.Accumulators = &joinAcc{sep: sep}
			return &acc, nil
		}
		acc.Accumulators = &listAcc{elem: c.Args[last].Type, finish: func(l *vectorList, out vector.Vector) error {
			var text []byte
			seen, n := map[string]bool{}, 0
			vals := l.vals.(*vector.Flat[string])
			for _, at := range l.rows {
				s := vals.Vals[at]
				if distinct && seen[s] {
					continue
				}
				if n++; n > 1 {
					text = append(text, sep...)
				}
				text = append(text, s...)
				if distinct {
					seen[s] = true
				}
			}
			if n == 0 {
				vector.Append(out, nil)
				return nil
			}
			vector.Append(out, string(text))
			return nil
		}}
		return &acc, nil
	}
}

// concatAcc aggregates the last of its arguments, whose NULLs it leaves out.
type concatAcc struct {
	function.Accumulators
	value int
	slots []int32
	rows  []int32
	signs []int8
}

func (a *concatAcc) Update(slots []int32, args []vector.Vector, rows []int32, signs []int8) error {
	v := args[a.value]
	a.slots, a.rows, a.signs = a.slots[:0], a.rows[:0], a.signs[:0]
	for i, r := range rows {
		if v.IsNull(int(r)) {
			continue
		}
		a.slots, a.rows = append(a.slots, slots[i]), append(a.rows, r)
		if signs != nil {
			a.signs = append(a.signs, signs[i])
		}
	}
	kept := a.signs
	if signs == nil {
		kept = nil
	}
	return a.Accumulators.Update(a.slots, []vector.Vector{v}, a.rows, kept)
}

func (a *concatAcc) Merge(to int32, other function.Accumulators, from int32) error {
	return a.Accumulators.Merge(to, other.(*concatAcc).Accumulators, from)
}
