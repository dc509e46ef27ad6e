package runtime

import (
	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/internal/exec/rank"
	"github.com/runnelio/runnel/internal/exec/window"
	"github.com/runnelio/runnel/internal/physical"
	"github.com/runnelio/runnel/types"
)

// The specs of the physical plan in the words of package window.

func assign(a physical.Assign) window.Assign {
	w := a.Window
	return window.Assign{
		Kind: w.Kind, Size: w.Size, Slide: w.Slide, Offset: w.Offset, Time: a.Time, Proctime: a.Proctime,
		Attached: a.Attached, Start: a.Start, End: a.End, Local: a.Local,
	}
}

func windowSpec(s physical.WindowAggregate, in, out *types.Schema) window.Spec {
	spec := window.Spec{
		Assign: assign(s.Assign), Keys: s.Keys, Calls: s.Calls, Retracts: s.Retracts, In: in, Out: out,
		Emit: window.Emit{
			Mode: window.FireMode(s.Emit.Mode), EarlyOn: s.Emit.EarlyOn, LateOn: s.Emit.LateOn, Early: s.Emit.Early, Late: s.Emit.Late,
			Lateness: s.Emit.Lateness.Milliseconds(), UpdateBefore: s.UpdateBefore, FlushAtEnd: s.Emit.FlushAtEnd,
		},
	}
	for _, r := range s.Roles {
		spec.Roles = append(spec.Roles, window.Role(r))
	}
	return spec
}

func windowRank(s physical.WindowRank, in, out *types.Schema) window.RankSpec {
	r := s.Rank
	return window.RankSpec{
		Partition: s.Partition, Order: r.Order, Offset: r.Offset, Limit: r.Limit, Number: r.Number,
		LastOfEqual: r.Limit == 1 && len(r.Order) == 1 && r.Order[0].Desc && in.Fields[r.Order[0].Column].Type.Attr != types.NoTime,
		Start:       s.Start, End: s.End, Local: s.Local, Proctime: s.Proctime, FlushAtEnd: s.FlushAtEnd, In: in, Out: out,
	}
}

func windowJoin(s physical.WindowJoin, in []*types.Schema, out *types.Schema) window.JoinSpec {
	return window.JoinSpec{
		Kind: s.Join.Kind, Keys: [2][]int{s.LeftKeys, s.RightKeys}, NullSafe: s.NullSafe, Cond: s.Join.Cond,
		Start: [2]int{s.LeftStart, s.RStart}, End: [2]int{s.LeftEnd, s.RightEnd}, Local: s.Local, Proctime: s.Proctime, FlushAtEnd: s.FlushAtEnd,
		In: [2]*types.Schema{in[0], in[1]}, Out: out,
	}
}

func over(s physical.Over, in, out *types.Schema) exec.Operator {
	o := s.Over
	return window.NewOver(window.OverSpec{
		Partition: o.Partition, Time: o.Order[0].Column, Proctime: in.Fields[o.Order[0].Column].Type.Attr == types.Proctime,
		Frame: o.Frame, Calls: o.Calls, In: in, Out: out,
	})
}

func topN(s physical.TopN, in, out *types.Schema, batch bool) exec.Operator {
	r := s.Rank
	if s.First() && !s.Retracts && !batch {
		return rank.NewFirst(rank.DedupSpec{Partition: r.Partition, Time: r.Order[0].Column, In: in})
	}
	if s.Dedup() && !s.Retracts {
		return rank.NewDedup(rank.DedupSpec{
			Partition: r.Partition, Time: r.Order[0].Column, Last: r.Order[0].Desc,
			Proctime: in.Fields[r.Order[0].Column].Type.Attr == types.Proctime, UpdateBefore: s.UpdateBefore, In: in,
		})
	}
	return rank.NewTopN(rank.PartitionSpec{
		Partition: r.Partition, Order: r.Order, Offset: r.Offset, Limit: r.Limit, Number: r.Number,
		Retracts: s.Retracts, UpdateBefore: s.UpdateBefore, In: in, Out: out,
	})
}
