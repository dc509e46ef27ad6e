package physical

import (
	"slices"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/plan"
)

// changelogs decides for every operator what it emits. First, downwards from
// the sinks, who needs the row before an update; then, in order, what each
// operator can emit given its inputs. An operator sends -U only where a consumer
// needs it: one whose own state or output cannot find the old row by key.
func (p *Plan) changelogs() error {
	// Upwards: which operators change rows they have emitted, and by which key.
	var ops []*Op
	for _, o := range p.Ops {
		updating := false
		for _, e := range o.Inputs {
			updating = updating || e.From.Changelog != Append
		}
		if p.materializes(o) {
			m := p.materialize(o)
			if err := p.produce(m, true); err != nil {
				return err
			}
			ops, updating = append(ops, m), true
		}
		if err := p.produce(o, updating); err != nil {
			return err
		}
		ops = append(ops, o)
	}
	p.Ops = ops
	// Downwards: where nobody needs -U, Retract becomes Upsert.
	needs := map[*Op]bool{}
	for i := len(p.Ops) - 1; i >= 0; i-- {
		o := p.Ops[i]
		own := needs[o]
		if len(o.outs) == 0 {
			own = sinkNeedsBefore(o)
		}
		if o.Changelog == Retract && !own && producesUpdates(o.Spec) && o.Key != nil {
			o.Changelog = Upsert
		}
		for i, e := range o.Inputs {
			if e.From.Changelog != Append && needsBefore(o, i, own) {
				needs[e.From] = true
			}
		}
	}
	// Again upwards: pass-through operators carry what their input became.
	for _, o := range p.Ops {
		if passes(o.Spec) && len(o.Inputs) > 0 {
			o.Changelog = Append
			for _, e := range o.Inputs {
				o.Changelog = max(o.Changelog, e.From.Changelog)
			}
		}
		switch s := o.Spec.(type) {
		case Aggregate:
			s.Retracts = o.Inputs[0].From.Changelog != Append
			s.UpdateBefore = o.Changelog == Retract
			if s.Retracts {
				if err := retractable(s.Calls); err != nil {
					return err
				}
			}
			o.Spec = s
		case Rank:
			s.Retracts = o.Inputs[0].From.Changelog != Append
			s.UpdateBefore = o.Changelog == Retract
			o.Spec = s
		case WindowAggregate:
			s.Retracts = o.Inputs[0].From.Changelog != Append
			s.UpdateBefore = o.Changelog == Retract
			if s.Retracts {
				if err := retractable(s.Calls); err != nil {
					return err
				}
			}
			o.Spec = s
		case Normalize:
			s.UpdateBefore = o.Changelog == Retract
			o.Spec = s
		case TopN:
			s.Retracts = o.Inputs[0].From.Changelog != Append
			s.UpdateBefore = o.Changelog == Retract
			s.InputKey = o.Inputs[0].From.Key
			o.Spec = s
		case Join:
			s.LeftRetracts = o.Inputs[0].From.Changelog != Append
			s.RightRetracts = o.Inputs[1].From.Changelog != Append
			o.Spec = s
		case Sink:
			if err := sinkTakes(s.Sink, o.Changelog); err != nil {
				return err
			}
		}
	}
	return nil
}

func retractable(calls []plan.AggCall) error {
	for _, c := range calls {
		if !c.Fn.Aggregate.Retracts {
			return diag.At(c.Span, diag.Unsupported, "%s cannot take back rows: its input is updating", c.Fn.Name)
		}
	}
	return nil
}

// spanOf is where the text says what became s, as far as it is known.
func spanOf(s Spec) diag.Span {
	switch s := s.(type) {
	case WindowJoin:
		return s.Join.Span
	case IntervalJoin:
		return s.Join.Span
	case WindowRank:
		return s.Rank.Span
	case Over:
		return s.Over.Span
	case WindowAssign:
		return s.Assign.Window.Span
	case Match:
		return s.Match.Span
	}
	return diag.Span{}
}

// passes tells whether an operator hands row kinds through unchanged.
func passes(s Spec) bool {
	switch s.(type) {
	case Calc, Watermark, Expand, Union, Correlate, Rules, Lookup, Sink:
		return true
	}
	return false
}

// producesUpdates tells whether an operator makes updates itself and can leave out -U.
func producesUpdates(s Spec) bool {
	switch s.(type) {
	case Aggregate, WindowAggregate, TopN, Normalize:
		return true
	}
	return false
}

// produce sets o's changelog and key for inputs that are updating or not.
func (p *Plan) produce(o *Op, updating bool) error {
	batch := p.Options.Batch
	switch s := o.Spec.(type) {
	case Source:
		if s.Scan.Table.Changelog {
			o.Changelog = Retract
			if f, ok := s.Scan.Table.Format.(format.Upserter); ok && f.Upserts() {
				o.Changelog = Upsert
			}
		}
	case GoSource, Values:
	case Aggregate:
		for i := range s.Keys {
			o.Key = append(o.Key, i)
		}
		if o.Key == nil {
			o.Key = []int{}
		}
		distinctOnly := len(s.Calls) == 0 && !updating
		if !batch && !distinctOnly {
			o.Changelog = Retract
		}
	case Join:
		switch s.Join.Kind {
		case plan.Inner, plan.Semi:
			if updating {
				o.Changelog = Retract
			}
			if s.Join.Kind == plan.Semi && !batch && o.Inputs[1].From.Changelog != Append {
				o.Changelog = Retract
			}
		default:
			if !batch || updating {
				o.Changelog = Retract
			}
		}
	case SetOp:
		if s.Op == plan.Except && !batch || updating {
			o.Changelog = Retract
		}
	case Rank:
		if len(s.Keys) > 0 && s.Limit < 0 && !batch && !timeOrdered(o.Inputs[0].From.Out, s.Keys) {
			return diag.At(s.Span, diag.Unsupported,
				"ORDER BY without LIMIT needs a time attribute, ascending, as its first key, or batch mode (SET 'execution.runtime-mode' = 'batch')")
		}
		if !batch && (len(s.Keys) > 0 && s.Limit >= 0 || updating) {
			o.Changelog = Retract
		}
	case WindowAggregate:
		if s.Emit.Updates() && !batch {
			o.Changelog = Retract
		}
		o.Key = []int{}
		for i := range s.Roles {
			o.Key = append(o.Key, i)
		}
	case Normalize:
		o.Changelog, o.Key = Retract, s.Key
	case Materialize:
		o.Changelog, o.Key = Upsert, s.Key
	case TemporalJoin:
		if o.Inputs[0].From.Changelog != Append {
			o.Changelog = Retract
		}
		return versioned(o, s)
	case WindowJoin, WindowRank, Over, WindowAssign, IntervalJoin, Match:
		if updating {
			return diag.At(spanOf(o.Spec), diag.Unsupported, "%s takes only inserts, but its input updates or deletes rows", o.Spec.Kind())
		}
	case TopN:
		first := s.Dedup() && !s.Rank.Order[0].Desc // by the clock at once, by event time when the watermark has passed
		if !batch && !first || updating {
			o.Changelog = Retract
		}
		if s.Rank.Limit == 1 {
			o.Key = append([]int{}, s.Rank.Partition...)
		} else if s.Rank.Number {
			o.Key = append(append([]int{}, s.Rank.Partition...), len(s.Rank.Out.Fields)-1)
		}
	case Opaque:
		if updating {
			o.Changelog = Retract
		}
	default:
		if updating {
			o.Changelog = Retract
		}
		o.Key = passKey(o)
	}
	return nil
}

// sourceKey returns the primary key of a table in the columns that are read of
// it, nil if it has none or not all of it is read.
func sourceKey(s *plan.Scan) []int {
	var key []int
	for _, k := range s.Table.PrimaryKey {
		at := slices.IndexFunc(s.Wants, func(w format.Want) bool { return w.Column == k && len(w.Path) == 0 })
		if at < 0 {
			return nil
		}
		key = append(key, at)
	}
	return key
}

// versionKey returns the columns that name a row whose versions o gives: its key,
// or the primary key of a table of inserts.
func versionKey(o *Op) []int {
	if s, ok := o.Spec.(Source); ok && o.Changelog == Append {
		return sourceKey(s.Scan)
	}
	if passes(o.Spec) && o.Key == nil && len(o.Inputs) == 1 {
		return survive(o, versionKey(o.Inputs[0].From))
	}
	return o.Key
}

// passKey returns the input's key where all its columns survive.
func passKey(o *Op) []int {
	if len(o.Inputs) != 1 {
		return nil
	}
	return survive(o, o.Inputs[0].From.Key)
}

// survive returns where the columns of a key of o's input are in what o gives,
// nil if not all are.
func survive(o *Op, in []int) []int {
	if in == nil {
		return nil
	}
	c, ok := o.Spec.(Calc)
	if !ok {
		switch o.Spec.(type) {
		case Watermark, Sink:
			return in
		}
		return nil
	}
	if c.Exprs == nil {
		return in
	}
	out := make([]int, 0, len(in))
	for _, k := range in {
		at := slices.IndexFunc(c.Exprs, func(e plan.Expr) bool {
			col, ok := e.(*plan.Column)
			return ok && col.Index == k
		})
		if at < 0 {
			return nil
		}
		out = append(out, at)
	}
	return out
}

// needsBefore tells whether o needs -U from input i; own tells whether o's consumers need it.
func needsBefore(o *Op, i int, own bool) bool {
	switch s := o.Spec.(type) {
	case Calc:
		if s.Filter != nil || o.Key == nil {
			// A filter must see the old row to know whether it had passed it; without the key the
			// old row cannot be found by who comes after.
			return true
		}
		return own
	case Watermark:
		return own
	case TemporalJoin:
		return i == 0
	case Normalize:
		return false
	case Sink:
		return sinkNeedsBefore(o)
	}
	return true
}

func sinkNeedsBefore(o *Op) bool {
	s, ok := o.Spec.(Sink)
	if !ok {
		return true
	}
	if s.Sink.Table == nil {
		return true
	}
	if s.Sink.Table.Connector.SinkChangelog != connector.Upsert {
		return true
	}
	// An upsert sink finds the old row by its primary key if that is the query's key.
	pk := s.Sink.Table.PrimaryKey
	key := o.Inputs[0].From.Key
	return len(pk) == 0 || key == nil || !sameSet(pk, key)
}

func sameSet(a, b []int) bool {
	if len(a) != len(b) {
		return false
	}
	for _, x := range a {
		if !slices.Contains(b, x) {
			return false
		}
	}
	return true
}

// sinkTakes refuses updating queries into sinks that only append.
func sinkTakes(s *plan.Sink, in Changelog) error {
	if s.Table == nil || in == Append {
		return nil
	}
	if s.Table.Connector.SinkChangelog == connector.AppendOnly && !changelogFormat(s.Table) {
		return diag.At(s.Table.Span, diag.Unsupported,
			"table %s only takes inserts, but the query updates or deletes rows it has emitted", s.Table.Path).
			Hint("use a sink that takes changes (print, a changelog format), or batch mode (SET 'execution.runtime-mode' = 'batch')")
	}
	return nil
}

func changelogFormat(t *plan.Table) bool { return t.Format != nil && t.Format.Changelog() }
