package aggregate

import (
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/runnelio/runnel/internal/builtin"
	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/internal/state"
	"github.com/runnelio/runnel/internal/state/dir"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// discard takes rows and drops them.
type discard struct{}

func (discard) Emit(*vector.Batch) error { return nil }
func (discard) Forward(exec.Event) error { return nil }

// BenchmarkCheckpoint counts a million keys, drawn at random, and takes a
// checkpoint every second of the task's CPU time: what it costs the task is
// reported in percent. The commit is written beside it.
func BenchmarkCheckpoint(b *testing.B) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	in := &types.Schema{Rowtime: -1, Fields: []types.Field{{Name: "k", Type: types.Of(types.BigInt)}}}
	out := &types.Schema{Rowtime: -1, Fields: []types.Field{{Name: "k", Type: types.Of(types.BigInt)}, {Name: "n", Type: types.Of(types.BigInt)}}}
	count := plan.AggCall{Filter: -1, Name: "COUNT", T: types.Of(types.BigInt)}
	for _, d := range builtin.All().Lookup("COUNT") {
		if d.Aggregate != nil {
			count.Fn = d
		}
	}
	s, err := dir.Open(b.TempDir(), dir.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	g := NewGroup(Spec{Keys: []int{0}, Calls: []plan.AggCall{count}, UpdateBefore: true, In: in, Out: out})
	cx := contextOf(nil, 0, s.Backend("g", 0, 1))
	cx.BatchSize = vector.DefaultSize
	if err := g.Open(cx); err != nil {
		b.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 1))
	batches := make([]*vector.Batch, 2000)
	for i := range batches {
		batches[i] = vector.NewBatch(in, 1024)
		for range 1024 {
			batches[i].AppendValues(types.Insert, types.Value(int64(r.IntN(1_000_000))))
		}
	}
	var work, barrier time.Duration
	epoch, n := int64(0), 0
	began := threadTime()
	commits := make(chan error, 1)
	commits <- nil
	for b.Loop() {
		if err := g.Process(0, batches[n%len(batches)], discard{}); err != nil {
			b.Fatal(err)
		}
		n++
		if n%64 != 0 {
			continue
		}
		if d := threadTime() - began; d >= time.Second {
			work += d
			if err := <-commits; err != nil { // the last one has had a second
				b.Fatal(err)
			}
			at := threadTime()
			epoch++
			if err := g.Control(0, exec.Event{Kind: exec.Barrier, Epoch: epoch}, discard{}); err != nil {
				b.Fatal(err)
			}
			if err := cx.State.Seal(epoch); err != nil {
				b.Fatal(err)
			}
			barrier += threadTime() - at
			go func(epoch int64) { commits <- s.Commit(b.Context(), &state.Commit{Epoch: epoch}) }(epoch)
			began = threadTime()
		}
	}
	<-commits
	if work > 0 {
		b.ReportMetric(100*barrier.Seconds()/work.Seconds(), "%/checkpoint")
		b.ReportMetric(float64(n)*1024/work.Seconds()/1e6, "Mrows/s")
	}
}
