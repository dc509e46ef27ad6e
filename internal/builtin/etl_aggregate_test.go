package builtin

import (
	"testing"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

func TestConcatAggregates(t *testing.T) {
	t.Parallel()
	set := Rsqldb()
	f := func(name string, sep types.Value, retracts bool, want string) {
		t.Helper()
		args := []function.Arg{{Type: types.String()}}
		cols := []vector.Vector{vector.New(types.String(), 0)}
		for _, v := range []types.Value{"a", "b", nil, "a", "c", "b"} {
			vector.Append(cols[0], v)
		}
		if sep != nil {
			args = []function.Arg{{Type: types.CharOf(1), Const: true, Value: sep}, args[0]}
			cols = []vector.Vector{vector.NewConst(types.CharOf(1), sep, 6), cols[0]}
		}
		d, sig, err := set.Resolve(name, args)
		if err != nil {
			t.Fatal(err)
		}
		acc, err := d.Aggregate.New(nil, function.AggregateCall{Args: args, Result: sig.Result, Retracts: retracts})
		if err != nil {
			t.Fatal(err)
		}
		acc.Resize(2)
		var signs []int8
		rows := []int32{0, 1, 2, 3, 4}
		slots := []int32{0, 0, 0, 0, 0}
		if retracts { // the first b is taken back
			rows, slots, signs = append(rows, 5), append(slots, 0), []int8{1, 1, 1, 1, 1, -1}
		}
		if err := acc.Update(slots, cols, rows, signs); err != nil {
			t.Fatal(err)
		}
		out := vector.New(sig.Result, 0)
		if err := acc.Result([]int32{0, 1}, out); err != nil {
			t.Fatal(err)
		}
		if vector.Get(out, 0) != want || vector.Get(out, 1) != nil {
			t.Errorf("%s: %q %v, want %q", name, vector.Get(out, 0), vector.Get(out, 1), want)
		}
	}
	f("CONCAT_AGG", nil, false, "a\nb\na\nc")
	f("CONCAT_AGG", "-", false, "a-b-a-c")
	f("CONCAT_AGG", "-", true, "a-a-c")
	f("concat_distinct", "-", false, "a-b-c")
	f("concat_distinct", nil, true, "a\nc")
	if _, _, err := set.Resolve("CONCAT_AGG", []function.Arg{{Type: types.String()}, {Type: types.String()}}); err == nil {
		t.Error("a separator that is no literal")
	}
}
