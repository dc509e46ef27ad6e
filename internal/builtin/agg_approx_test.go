package builtin

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// TestApproxTakesBack: the estimate follows a set that grows and shrinks, by halves
// that are merged and in any order of adding and taking back.
func TestApproxTakesBack(t *testing.T) {
	t.Parallel()
	num := types.Of(types.BigInt)
	call := function.AggregateCall{Args: []function.Arg{{Type: num}}, Result: num.NotNull(), Retracts: true}
	defs := All().Lookup("APPROX_COUNT_DISTINCT")
	fresh := func() function.Accumulators {
		acc, err := defs[0].Aggregate.New(testContext(), call)
		if err != nil {
			t.Fatal(err)
		}
		acc.Resize(1)
		return acc
	}
	update := func(acc function.Accumulators, from, to int, sign int8) {
		v := vector.New(num, 0)
		var rows []int32
		var signs []int8
		for _, x := range rand.New(rand.NewPCG(1, uint64(from))).Perm(to - from) {
			rows, signs = append(rows, int32(v.Len())), append(signs, sign)
			vector.Append(v, int64(from+x))
		}
		if err := acc.Update(make([]int32, len(rows)), []vector.Vector{v}, rows, signs); err != nil {
			t.Fatal(err)
		}
	}
	is := func(acc function.Accumulators, want int, bound float64) {
		t.Helper()
		out := vector.New(call.Result, 0)
		if err := acc.Result([]int32{0}, out); err != nil {
			t.Fatal(err)
		}
		got := vector.Get(out, 0).(int64)
		if math.Abs(float64(got)-float64(want)) > bound*float64(want) {
			t.Errorf("%d values, want %d within %.1f %%", got, want, bound*100)
		}
	}
	a := fresh()
	update(a, 0, 500, 1)
	is(a, 500, 0)
	update(a, 0, 500, 1) // twice
	update(a, 0, 500, -1)
	is(a, 500, 0)
	update(a, 100, 500, -1)
	is(a, 100, 0)
	for _, n := range []int{2000, 20_000, 300_000} {
		update(a, 100, n, 1)
		is(a, n, 0.03)
		update(a, n/2, n, -1)
		is(a, n/2, 0.03)
		update(a, 100, n/2, -1)
		is(a, 100, 0.03)
	}
	update(a, 0, 100, -1)
	is(a, 0, 0)

	// Taken back before it is added, in another part.
	x, y := fresh(), fresh()
	update(x, 0, 5000, 1)
	update(y, 1000, 5000, -1)
	if err := y.Merge(0, x, 0); err != nil {
		t.Fatal(err)
	}
	is(y, 1000, 0.03)
	z := fresh()
	if rest, err := z.Load(0, y.Save(nil, 0)); err != nil || len(rest) > 0 {
		t.Fatal(err)
	}
	is(z, 1000, 0.03)
	if b := a.Bytes(); b > 4<<20 {
		t.Errorf("%d bytes", b)
	}
}

// TestAggregatesTakeBack names the aggregates that cannot take rows back: the planner
// refuses them over changelogs.
func TestAggregatesTakeBack(t *testing.T) {
	t.Parallel()
	for _, set := range []*function.Set{All(), Rsqldb(), Script()} {
		for _, d := range set.Defs() {
			if isFold(d) && !d.Aggregate.Retracts {
				t.Errorf("%s cannot take rows back", d.Name)
			}
		}
	}
}
