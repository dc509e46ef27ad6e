package builtin

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// aggShape is a list of arguments an aggregate may take: their types, and the
// values of those that are constant.
type aggShape struct {
	types  []types.Type
	consts map[int]types.Value
}

func aggShapes() []aggShape {
	var out []aggShape
	for _, name := range sampleTypes {
		out = append(out, aggShape{types: []types.Type{types.MustType(name)}})
	}
	symbol := types.Of(types.Symbol).NotNull()
	text, num := types.String(), types.Of(types.BigInt)
	return append(out,
		aggShape{types: []types.Type{}},
		aggShape{types: []types.Type{types.Of(types.Bitmap)}},
		aggShape{types: []types.Type{text, text.NotNull()}, consts: map[int]types.Value{1: "-"}},
		aggShape{types: []types.Type{text.NotNull(), text}, consts: map[int]types.Value{0: "-"}},
		aggShape{types: []types.Type{num, types.Of(types.Double).NotNull()}, consts: map[int]types.Value{1: 0.25}},
		aggShape{types: []types.Type{num, types.ArrayOf(types.Of(types.Double).NotNull()).NotNull()}, consts: map[int]types.Value{1: []types.Value{0.0, 0.9}}},
		aggShape{types: []types.Type{text.NotNull(), num}},
		aggShape{types: []types.Type{symbol, text.NotNull(), num}, consts: map[int]types.Value{0: "ABSENT ON NULL"}},
		aggShape{types: []types.Type{symbol, num}, consts: map[int]types.Value{0: "NULL ON NULL"}},
		aggShape{types: []types.Type{num, num}},
	)
}

// TestAggregatesAgreeWithRecomputation runs every aggregate in all the ways its
// state can come about: by rows, by batches, through Save and Load, by Merge, and
// with rows that were added and taken back.
func TestAggregatesAgreeWithRecomputation(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(11, 33))
	tested := map[string]bool{}
	for _, set := range []*function.Set{All(), Rsqldb()} {
		for _, c := range aggregateCases(set) {
			for range 4 {
				checkAggregate(t, r, c.def, c.call)
			}
			tested[c.def.Name] = true
		}
		for _, d := range set.Defs() {
			if isFold(d) && !tested[d.Name] {
				t.Errorf("%s: no arguments fit", d.Name)
			}
		}
	}
	if len(tested) < 25 {
		t.Errorf("only %d aggregates were tested", len(tested))
	}
}

// isFold tells whether a function is an aggregate, and not an operator of OVER.
func isFold(d *function.Def) bool {
	return d.Aggregate != nil && !d.Special && !slices.ContainsFunc(aggOverFuncs, func(o function.Def) bool { return o.Name == d.Name })
}

// aggregateCase is a call of an aggregate with arguments it takes.
type aggregateCase struct {
	def  *function.Def
	call function.AggregateCall
}

// aggregateCases lists calls of all aggregates of a set.
func aggregateCases(set *function.Set) (out []aggregateCase) {
	for _, d := range set.Defs() {
		if !isFold(d) {
			continue
		}
		for _, s := range aggShapes() {
			args := make([]function.Arg, len(s.types))
			for i, at := range s.types {
				args[i].Type = at
				if v, ok := s.consts[i]; ok {
					args[i].Const, args[i].Value = true, v
				}
			}
			got, sig, err := set.Resolve(d.Name, args)
			if err != nil || got.Name != d.Name || got.Sig != d.Sig || d.Name == "JSON_OBJECTAGG" && s.consts[0] == "-" {
				continue
			}
			for i := range args {
				if i < len(sig.Args) && sig.Args[i].Kind != types.Symbol {
					args[i].Type = sig.Args[i]
				}
			}
			call := function.AggregateCall{Args: args, Result: sig.Result}
			if _, err := got.Aggregate.New(testContext(), call); err != nil {
				continue // it wants a literal
			}
			out = append(out, aggregateCase{got, call})
			if d.Aggregate.Retracts {
				call.Retracts = true
				out = append(out, aggregateCase{got, call})
			}
		}
	}
	return out
}

func checkAggregate(t *testing.T, r *rand.Rand, d *function.Def, call function.AggregateCall) {
	var kinds []types.Type
	for _, a := range call.Args {
		kinds = append(kinds, a.Type)
	}
	what := fmt.Sprintf("%s%v retracts %v", d.Name, kinds, call.Retracts)
	defer func() {
		if p := recover(); p != nil {
			t.Errorf("%s panics: %v", what, p)
			panic(p)
		}
	}()
	n := 1 + r.IntN(30)
	cols := make([]vector.Vector, len(call.Args))
	for c, a := range call.Args {
		if a.Const {
			cols[c] = vector.NewConst(a.Type, a.Value, n)
			continue
		}
		cols[c] = vector.New(a.Type.OrNull(), n)
		for i := range n {
			v := aggSample(r, a.Type)
			if d.Name == "JSON_OBJECTAGG" && a.Type.IsChar() {
				v = fmt.Sprint("key ", i) // they must be unique
			}
			vector.Append(cols[c], v)
		}
	}
	var rows []int32
	for i := range n {
		if d.Aggregate.KeepsNulls || len(cols) == 0 || !cols[0].IsNull(i) {
			rows = append(rows, int32(i))
		}
	}
	fresh := func() function.Accumulators {
		acc, err := d.Aggregate.New(testContext(), call)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		acc.Resize(3)
		return acc
	}
	update := func(acc function.Accumulators, rows []int32, signs []int8) {
		slots := make([]int32, len(rows))
		for i := range slots {
			slots[i] = 1
		}
		if err := acc.Update(slots, cols, rows, signs); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	result := func(acc function.Accumulators) types.Value {
		out := vector.New(call.Result.OrNull(), 0)
		if err := acc.Result([]int32{1, 0}, out); err != nil {
			if d.Name == "SINGLE_VALUE" {
				return "error"
			}
			t.Fatalf("%s: %v", what, err)
		}
		empty := vector.New(call.Result.OrNull(), 0)
		if err := fresh().Result([]int32{2}, empty); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if !sameValue(vector.Get(out, 1), vector.Get(empty, 0)) {
			t.Errorf("%s: the slot beside is %v, an empty one %v", what, vector.Get(out, 1), vector.Get(empty, 0))
		}
		return vector.Get(out, 0)
	}
	plain := fresh()
	for _, row := range rows {
		update(plain, []int32{row}, nil)
	}
	want := result(plain)
	check := func(how string, acc function.Accumulators) {
		t.Helper()
		if got := result(acc); !sameValue(got, want) {
			t.Errorf("%s %s of %d rows: %v, want %v", what, how, len(rows), got, want)
		}
	}
	whole := fresh()
	update(whole, rows, nil)
	check("in a batch", whole)

	half := r.IntN(len(rows) + 1)
	first := fresh()
	update(first, rows[:half], nil)
	saved := first.Save(nil, 1)
	loaded := fresh()
	if rest, err := loaded.Load(1, append(slices.Clone(saved), "rest"...)); err != nil || string(rest) != "rest" {
		t.Fatalf("%s: loading leaves %q, %v", what, rest, err)
	}
	if again := loaded.Save(nil, 1); len(again) != len(saved) {
		t.Errorf("%s: what is loaded is saved as %x, was %x", what, again, saved)
	}
	update(loaded, rows[half:], nil)
	check("saved and loaded", loaded)
	for i := range saved {
		_, _ = fresh().Load(0, saved[:i]) // must not panic
	}

	second := fresh()
	update(second, rows[half:], nil)
	if err := first.Merge(1, second, 1); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	check("merged", first)
	first.Clear(1)
	update(first, rows, nil)
	check("cleared", first)

	if !call.Retracts {
		return
	}
	// Some rows come once more and are taken back: at once where the order
	// matters, because of equal rows the first one goes; later where it does not.
	back := fresh()
	var order, later []int32
	var signs []int8
	for k, row := range rows {
		again := rows[r.IntN(len(rows))]
		switch {
		case k%3 != 0:
		case d.Aggregate.Ordered && k == 0:
			order, signs = append(order, again, again), append(signs, 1, -1)
		case !d.Aggregate.Ordered:
			order, signs, later = append(order, again), append(signs, 1), append(later, again)
		}
		order, signs = append(order, row), append(signs, 1)
	}
	for _, row := range later {
		order, signs = append(order, row), append(signs, -1)
	}
	update(back, order, signs)
	check("taken back", back)
}

// aggSample is a value whose sums are exact enough to be compared.
func aggSample(r *rand.Rand, t types.Type) types.Value {
	switch t.Kind {
	case types.Float:
		return float32(r.IntN(2000)) / 8
	case types.Double:
		return float64(r.IntN(2000)) / 8
	case types.Char:
		return sampleText(r)
	}
	if r.IntN(8) != 0 {
		switch t.Kind {
		case types.BigInt:
			return r.Int64N(100)
		case types.SmallInt:
			return int16(r.IntN(100))
		case types.Bitmap:
			return string(buildBitmap([]uint32{r.Uint32N(9), r.Uint32N(9)}).append(nil))
		}
	} else if t.Kind == types.SmallInt || t.Kind == types.Bitmap {
		return nil
	}
	return sampleValue(r, t)
}

// sameValue compares results; floats may differ in the last digits.
func sameValue(a, b types.Value) bool {
	switch x := a.(type) {
	case float64:
		y, ok := b.(float64)
		return ok && (x == y || x != x && y != y || math.Abs(x-y) <= 1e-9*max(math.Abs(x), math.Abs(y), 1))
	case int64: // a variance of BIGINTs, too
		y, ok := b.(int64)
		return ok && (x == y || max(x, -x) > 1<<50 && sameValue(float64(x), float64(y)))
	case types.Dec:
		y, ok := b.(types.Dec)
		return ok && (x == y || x.Digits() > 9 && sameValue(x.ToFloat64(0), y.ToFloat64(0)))
	case float32:
		y, ok := b.(float32)
		return ok && (sameValue(float64(x), float64(y)) || math.Abs(float64(x-y)) <= 1e-6*math.Abs(float64(x))) // the last digit of a FLOAT
	case []types.Value:
		y, ok := b.([]types.Value)
		return ok && slices.EqualFunc(x, y, sameValue)
	case *types.MapValue:
		y, ok := b.(*types.MapValue)
		if !ok || x.Len() != y.Len() {
			return false
		}
		for i, k := range x.Keys { // in any order
			j := slices.IndexFunc(y.Keys, func(o types.Value) bool { return sameValue(k, o) })
			if j < 0 || !sameValue(x.Vals[i], y.Vals[j]) {
				return false
			}
		}
		return true
	}
	return a == b
}
