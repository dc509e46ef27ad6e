package physical

import "github.com/runnelio/runnel/internal/plan"

// cut decides the exchange of every edge, which edges are function calls, and
// numbers the stages: operators joined by fused edges are one stage.
func (p *Plan) cut() {
	for _, o := range p.Ops {
		o.Parallel = p.parallelOf(o)
	}
	for _, o := range p.Ops {
		for i := range o.Inputs {
			e := &o.Inputs[i]
			e.Exchange, e.Keys = exchangeOf(o, i)
			if o.Parallel == 1 && e.From.Parallel == 1 {
				e.Exchange, e.Keys = Forward, nil
			} else if o.Parallel == 1 {
				e.Exchange, e.Keys = Gather, nil
			} else if e.Exchange == Forward && e.From.Parallel != o.Parallel {
				e.Exchange, e.Keys = spread(e.From)
			}
			e.Fused = e.Exchange == Forward && len(o.Inputs) == 1
		}
	}
	next := 0
	for _, o := range p.Ops {
		if len(o.Inputs) == 1 && o.Inputs[0].Fused {
			o.Stage = o.Inputs[0].From.Stage
			continue
		}
		o.Stage = next
		next++
	}
	p.Stages = next
}

// spread is how rows reach more or fewer tasks that do not care which they get.
// Changes of one row must stay in order, so they take the same way: that of its
// key, or else of the whole row, which is the same when it is taken back.
func spread(from *Op) (ExchangeKind, []int) {
	switch {
	case from.Changelog == Append:
		return Rebalance, nil
	case len(from.Key) > 0:
		return Hash, from.Key
	}
	keys := make([]int, len(from.Out.Fields))
	for k := range keys {
		keys[k] = k
	}
	return Hash, keys
}

// parallelOf returns the number of tasks for o: one where the whole input must meet.
func (p *Plan) parallelOf(o *Op) int {
	if p.Aligned != nil {
		return 1 // for each split
	}
	n := p.Options.Parallelism
	switch s := o.Spec.(type) {
	case Values:
		return 1
	case GoSource:
		return 1
	case Source:
		if s.Scan.Limit > 0 {
			return 1
		}
		if k := s.Scan.Table.ScanParallelism; k > 0 {
			return k
		}
	case Aggregate:
		if len(s.Keys) == 0 {
			return 1
		}
	case Rank, LiveRules:
		return 1
	case WindowAggregate:
		if len(s.Keys) == 0 {
			return 1
		}
	case WindowRank:
		if len(s.Partition) == 0 {
			return 1
		}
	case TopN:
		if len(s.Rank.Partition) == 0 {
			return 1
		}
	case Over:
		if len(s.Over.Partition) == 0 {
			return 1
		}
	case WindowJoin:
		if len(s.LeftKeys) == 0 {
			return 1
		}
	case WindowAssign:
		if s.Assign.Window.Kind == plan.Session {
			if len(s.Assign.Window.Partition) == 0 {
				return 1
			}
			return n
		}
		return o.Inputs[0].From.Parallel
	case Join:
		if len(s.Join.LeftKeys) == 0 {
			return 1
		}
	case IntervalJoin:
		if len(s.Join.LeftKeys) == 0 {
			return 1
		}
	case TemporalJoin:
		if len(s.Join.LeftKeys) == 0 {
			return 1
		}
	case Match:
		if len(s.Match.Partition) == 0 {
			return 1
		}
	case Lookup:
		return o.Inputs[0].From.Parallel
	case Sink:
		if s.Sink.Table == nil {
			return 1
		}
		// Changes of a row must stay in order: only inserts can be spread.
		if k := s.Sink.Table.SinkParallelism; k > 0 && o.Changelog == Append {
			return k
		}
		return o.Inputs[0].From.Parallel
	case Opaque:
		if s.Opaque.Stateful {
			return 1
		}
		return o.Inputs[0].From.Parallel
	case Calc, Watermark, Expand, Correlate, Rules, LateRows:
		return o.Inputs[0].From.Parallel
	}
	return n
}

// exchangeOf returns how input i of o must be spread.
func exchangeOf(o *Op, i int) (ExchangeKind, []int) {
	switch s := o.Spec.(type) {
	case Aggregate:
		if len(s.Keys) > 0 {
			return Hash, s.Keys
		}
		return Gather, nil
	case Join:
		keys := s.Join.LeftKeys
		if i == 1 {
			keys = s.Join.RightKeys
		}
		if len(keys) > 0 {
			return Hash, keys
		}
		return Gather, nil
	case IntervalJoin:
		if i == 1 {
			return hashOrGather(s.Join.RightKeys)
		}
		return hashOrGather(s.Join.LeftKeys)
	case TemporalJoin:
		if i == 1 {
			return hashOrGather(s.Join.RightKeys)
		}
		return hashOrGather(s.Join.LeftKeys)
	case Match:
		return hashOrGather(s.Match.Partition)
	case Normalize:
		return Hash, s.Key
	case Materialize:
		return Hash, s.Key
	case SetOp:
		keys := make([]int, len(o.Inputs[i].From.Out.Fields))
		for k := range keys {
			keys[k] = k
		}
		return Hash, keys
	case Rank, LiveRules:
		return Gather, nil
	case WindowAggregate:
		return hashOrGather(s.Keys)
	case WindowRank:
		return hashOrGather(s.Partition)
	case TopN:
		return hashOrGather(s.Rank.Partition)
	case Over:
		return hashOrGather(s.Over.Partition)
	case WindowJoin:
		if i == 1 {
			return hashOrGather(s.RightKeys)
		}
		return hashOrGather(s.LeftKeys)
	case WindowAssign:
		if s.Assign.Window.Kind == plan.Session {
			return hashOrGather(s.Assign.Window.Partition)
		}
	}
	return Forward, nil
}

func hashOrGather(keys []int) (ExchangeKind, []int) {
	if len(keys) == 0 {
		return Gather, nil
	}
	return Hash, keys
}
