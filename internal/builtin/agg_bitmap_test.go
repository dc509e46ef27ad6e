package builtin

import (
	"math/rand/v2"
	"testing"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// TestBitmapAggregatesAgreeWithSets adds and takes back random sets and
// compares with counting, through Save, Load and Merge.
func TestBitmapAggregatesAgreeWithSets(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	for _, d := range aggBitmapFuncs {
		build := d.Sig[:5] == "(INT)"
		for _, retracts := range []bool{false, true} {
			bitmap := types.Of(types.Bitmap)
			arg := bitmap
			if build {
				arg = types.Of(types.Int)
			}
			set := function.MustSet(aggBitmapFuncs)
			_, sig, err := set.Resolve(d.Name, []function.Arg{{Type: arg}})
			if err != nil {
				t.Fatal(err)
			}
			fresh := func() function.Accumulators {
				acc, err := d.Aggregate.New(nil, function.AggregateCall{Args: []function.Arg{{Type: arg}}, Result: sig.Result, Retracts: retracts})
				if err != nil {
					t.Fatal(err)
				}
				acc.Resize(2)
				return acc
			}
			a, b := fresh(), fresh()
			counts, rows := map[uint32]int{}, 0
			vals := vector.New(arg, 0)
			var history []types.Value
			for i := range 60 {
				sign := int8(1)
				var v types.Value
				if retracts && len(history) > 0 && r.IntN(3) == 0 {
					sign, v = -1, history[0]
					history = history[1:]
				} else {
					if v = int32(r.IntN(40)*3000 - 20); !build {
						var nums []uint32
						for range r.IntN(30) {
							nums = append(nums, uint32(r.IntN(20)*5000))
						}
						v = string(buildBitmap(nums).append(nil))
					}
					history = append(history, v)
				}
				rows += int(sign)
				if n, ok := v.(int32); ok {
					counts[uint32(n)] += int(sign)
				} else {
					s, _ := readBitmap(v.(string))
					s.each(func(x uint32) { counts[x] += int(sign) })
				}
				vector.Append(vals, v)
				acc := a
				if i%2 == 1 && !retracts {
					acc = b
				}
				if err := acc.Update([]int32{1}, []vector.Vector{vals}, []int32{int32(i)}, []int8{sign}); err != nil {
					t.Fatal(err)
				}
			}
			saved := a.Save(nil, 1)
			a = fresh()
			if rest, err := a.Load(1, saved); err != nil || len(rest) != 0 {
				t.Fatal(err)
			}
			if err := a.Merge(1, b, 1); err != nil {
				t.Fatal(err)
			}
			mode := a.(*bitmapAcc).mode
			var want []uint32
			for v, n := range counts {
				if n > 0 && (mode.op == bitmapOr || mode.op == bitmapAnd && n == rows || mode.op == bitmapXor && n%2 == 1) {
					want = append(want, v)
				}
			}
			out := vector.New(sig.Result, 0)
			if err := a.Result([]int32{1, 0}, out); err != nil {
				t.Fatal(err)
			}
			wanted := types.Value(string(buildBitmap(want).append(nil)))
			if mode.count {
				wanted = buildBitmap(want).cardinality()
			}
			if got := vector.Get(out, 0); got != wanted || vector.Get(out, 1) != nil {
				t.Errorf("%s retracts %v: %x, want %x; empty %v", d.Name, retracts, got, wanted, vector.Get(out, 1))
			}
			for i := range saved {
				_, _ = fresh().Load(0, saved[:i]) // must not panic
			}
		}
	}
}
