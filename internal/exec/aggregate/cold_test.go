package aggregate

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/internal/builtin"
	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/internal/metrics"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/internal/state"
	"github.com/runnelio/runnel/internal/state/mem"
	"github.com/runnelio/runnel/internal/state/spill"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// kept collects what an operator emits.
type kept struct{ rows []string }

func (k *kept) Emit(b *vector.Batch) error {
	for j := range b.Live() {
		i := j
		if b.Sel != nil {
			i = int(b.Sel[j])
		}
		row := b.Kind(i).String()
		for c, v := range b.Cols {
			row += " " + string(types.AppendValue(nil, vector.Get(v, i), b.Schema.Fields[c].Type, time.UTC))
		}
		k.rows = append(k.rows, row)
	}
	return nil
}

func (k *kept) Forward(exec.Event) error { return nil }

var (
	inSchema = &types.Schema{Rowtime: -1, Fields: []types.Field{{Name: "k", Type: types.String()}, {Name: "v", Type: types.Of(types.BigInt)}}}
	outTypes = &types.Schema{Rowtime: -1, Fields: []types.Field{{Name: "k", Type: types.String()}, {Name: "n", Type: types.Of(types.BigInt)}, {Name: "s", Type: types.Of(types.BigInt)}}}
)

// counting is COUNT(*), SUM(v) GROUP BY k.
func counting(t *testing.T, retracts bool) *Group {
	t.Helper()
	call := func(name string, args ...int) plan.AggCall {
		c := plan.AggCall{Args: args, Filter: -1, Name: name, T: types.Of(types.BigInt)}
		for _, a := range args {
			c.ArgTypes = append(c.ArgTypes, inSchema.Fields[a].Type)
		}
		for _, d := range builtin.All().Lookup(name) {
			if d.Aggregate != nil {
				c.Fn = d
			}
		}
		if c.Fn == nil {
			t.Fatalf("no aggregate %s", name)
		}
		return c
	}
	return NewGroup(Spec{Keys: []int{0}, Calls: []plan.AggCall{call("COUNT"), call("SUM", 1)}, Retracts: retracts, UpdateBefore: true, In: inSchema, Out: outTypes})
}

func contextOf(t testing.TB, budget int64, st state.Backend) *exec.Context {
	return &exec.Context{Context: context.Background(), Func: &function.Context{Now: time.Now, Zone: time.UTC}, Metrics: &metrics.Op{}, ID: "g", Parallel: 1, BatchSize: 64,
		State: st, Budget: budget, Spill: func() state.Spill { return spill.Open(t.TempDir()) }}
}

// TestSpillingChangesNothing compares an operator that spills nearly everything,
// and is restarted from its checkpoints, with one that keeps all in memory.
func TestSpillingChangesNothing(t *testing.T) {
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 8))
		store := mem.New()
		plain, cold := counting(t, true), counting(t, true)
		var want, got kept
		open := func(g *Group, cx *exec.Context) {
			t.Helper()
			if err := g.Open(cx); err != nil {
				t.Fatal(err)
			}
		}
		open(plain, contextOf(t, 0, nil))
		be := store.Backend("g", 0, 1)
		open(cold, contextOf(t, 20_000, be))
		spilled := int64(0)
		var rows [][2]any // that can be taken back
		epoch := int64(0)
		for range 120 {
			b := vector.NewBatch(inSchema, 64)
			n := 1 + r.IntN(200)
			for range n {
				if len(rows) > 0 && r.IntN(3) == 0 {
					i := r.IntN(len(rows))
					b.AppendValues(types.Delete, types.Value(rows[i][0]), types.Value(rows[i][1]))
					rows = slices.Delete(rows, i, i+1)
					continue
				}
				row := [2]any{fmt.Sprint("key", r.IntN(3000)), int64(r.IntN(100))}
				rows = append(rows, row)
				b.AppendValues(types.Insert, types.Value(row[0]), types.Value(row[1]))
			}
			if err := plain.Process(0, b, &want); err != nil {
				t.Fatal(err)
			}
			if err := cold.Process(0, b, &got); err != nil {
				t.Fatal(err)
			}
			if r.IntN(6) == 0 {
				epoch++
				if err := cold.Control(0, exec.Event{Kind: exec.Barrier, Epoch: epoch}, &got); err != nil {
					t.Fatal(err)
				}
				if err := be.Seal(epoch); err != nil {
					t.Fatal(err)
				}
				if err := store.Commit(t.Context(), &state.Commit{Epoch: epoch}); err != nil {
					t.Fatal(err)
				}
				spilled += cold.spilled.spill.Written()
				if int(cold.cx.Metrics.StateRows.Load()) != plain.table.Len() {
					t.Fatalf("seed %d: %d rows of state, want %d", seed, cold.cx.Metrics.StateRows.Load(), plain.table.Len())
				}
				if r.IntN(2) == 0 { // a restart
					cold.Close()
					cold, be = counting(t, true), store.Backend("g", 0, 1)
					open(cold, contextOf(t, 20_000, be))
				}
			}
		}
		if !slices.Equal(got.rows, want.rows) {
			for i := range want.rows {
				if i >= len(got.rows) || got.rows[i] != want.rows[i] {
					t.Fatalf("seed %d: change %d of %d differs: want %s, got %v", seed, i, len(want.rows), want.rows[i], got.rows[min(i, len(got.rows)):min(i+1, len(got.rows))])
				}
			}
			t.Fatalf("seed %d: %d changes, want %d", seed, len(got.rows), len(want.rows))
		}
		if spilled == 0 {
			t.Errorf("seed %d: nothing was spilled: the test shows nothing", seed)
		}
		cold.Close()
	}
}

// TestBatchModeEmitsSpilledGroups: at the end of input every group comes once.
func TestBatchModeEmitsSpilledGroups(t *testing.T) {
	g := counting(t, false)
	cx := contextOf(t, 20_000, nil)
	cx.Batch = true
	if err := g.Open(cx); err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	var out kept
	for round := range 3 {
		for i := 0; i < 5000; i += 50 {
			b := vector.NewBatch(inSchema, 64)
			for k := range 50 {
				b.AppendValues(types.Insert, types.Value(fmt.Sprint("key", (i+k)*(round+1)%5000)), types.Value(int64(1)))
			}
			if err := g.Process(0, b, &out); err != nil {
				t.Fatal(err)
			}
		}
	}
	if len(out.rows) > 0 {
		t.Fatal("rows before the end")
	}
	if err := g.Control(0, exec.Event{Kind: exec.End}, &out); err != nil {
		t.Fatal(err)
	}
	sum := map[string]bool{}
	for _, r := range out.rows {
		sum[r] = true
	}
	if len(out.rows) != 5000 || len(sum) != 5000 || g.spilled.spill.Written() == 0 {
		t.Errorf("%d rows, %d different, %d bytes spilled", len(out.rows), len(sum), g.spilled.spill.Written())
	}
}
