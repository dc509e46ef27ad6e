package join

import (
	"testing"
	"time"

	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/internal/exec/exectest"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
)

// TestSidesHaveTheirOwnTTL: each side forgets by its own time, or by the job's.
func TestSidesHaveTheirOwnTTL(t *testing.T) {
	t.Parallel()
	s := types.NewSchema(types.Field{Name: "k", Type: types.Of(types.BigInt)}, types.Field{Name: "id", Type: types.Of(types.BigInt)})
	row := func(k, id int64) exectest.Row { return exectest.Row{Kind: types.Insert, Values: []types.Value{k, id}} }
	run := func(job time.Duration, ttl [2]time.Duration, want ...string) {
		t.Helper()
		spec := Spec{Join: &plan.Join{Kind: plan.Inner, LeftKeys: []int{0}, RightKeys: []int{0}, TTL: ttl, Out: joined(s, s)}, Left: s, Right: s}
		d := exectest.Start(t, 16, func() exec.Operator {
			j, err := New(spec)
			if err != nil {
				t.Fatal(err)
			}
			return j
		}, s, s)
		d.TTL = job
		d.Restart()
		d.Tick(1000)
		d.Rows(0, row(1, 1))
		d.Rows(1, row(2, 2))
		d.Tick(60_000)
		d.Rows(0, row(9, 9)) // both sides are swept
		d.Tick(61_000)
		d.Rows(1, row(1, 3)) // meets what the left side still has
		d.Rows(0, row(2, 4)) // and the right one
		d.Want(want...)
	}
	const left, right = "+I 1 1 1 3", "+I 2 4 2 2"
	run(0, [2]time.Duration{}, left, right)
	run(10*time.Second, [2]time.Duration{})
	run(0, [2]time.Duration{10 * time.Second, 0}, right)
	run(0, [2]time.Duration{0, 10 * time.Second}, left)
	run(10*time.Second, [2]time.Duration{time.Hour, 0}, left)
	run(10*time.Second, [2]time.Duration{0, -1}, right)
}
