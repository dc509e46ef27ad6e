package physical

import (
	"fmt"
	"strings"

	"github.com/runnelio/runnel/internal/plan"
)

// state says what an operator keeps of the rows that came, "" for nothing that
// grows with them for ever.
func state(s Spec) string {
	switch s := s.(type) {
	case Aggregate:
		if len(s.Keys) > 0 {
			return "a row of results for each key"
		}
	case Join:
		return "the rows of both inputs"
	case SetOp:
		return "the distinct rows of both inputs"
	case TopN:
		return "the first rows of each partition"
	case Normalize:
		return "the last row of each key"
	case Materialize:
		return "the rows of each key"
	}
	return ""
}

// ends tells that a hint says when all state of an operator is forgotten.
func ends(s Spec) bool {
	switch s := s.(type) {
	case Aggregate:
		return s.TTL > 0
	case Join:
		return s.Join.TTL[0] > 0 && s.Join.TTL[1] > 0
	}
	return false
}

// Advice returns what might be better about a plan, one text each: what could be
// set, and what may go wrong.
func Advice(p *Plan) []string {
	var out []string
	add := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if p.Options.Batch {
		return nil // results come once, from state that ends with the job
	}
	var aggregates, keeps []string
	reads := false // more than the rows of the statement
	for _, o := range p.Ops {
		switch o.Spec.(type) {
		case Aggregate:
			aggregates = append(aggregates, o.ID)
		case Source, GoSource:
			reads = true
		}
		if k := state(o.Spec); k != "" && !ends(o.Spec) {
			keeps = append(keeps, o.ID+" keeps "+k)
		}
	}
	if !reads {
		return nil
	}
	if len(aggregates) > 0 && p.Options.MiniBatch == 0 {
		add("[ADVICE] %s %s a change for every row. You might want to collect rows first ('table.exec.mini-batch.enabled' = 'true', 'table.exec.mini-batch.allow-latency' = '1 s', 'table.exec.mini-batch.size' = '5000').",
			strings.Join(aggregates, ", "), verb(len(aggregates), "emits", "emit"))
	}
	if len(keeps) > 0 && p.Options.TTL == 0 {
		add("[WARNING] State grows without bounds: %s. If keys fall out of use, set 'table.exec.state.ttl' to a time longer than they are quiet.", strings.Join(keeps, "; "))
	}
	for _, o := range p.Ops {
		switch s := o.Spec.(type) {
		case Calc:
			if len(o.Inputs) == 0 || o.Inputs[0].From.Changelog == Append {
				continue
			}
			if fns := volatile(s.Filter); len(fns) > 0 {
				add("[WARNING] %s filters updates by %s, which gives another value each time: a row may be taken back that was never sent, or stay.", o.ID, strings.Join(fns, ", "))
			}
			for i, e := range s.Exprs {
				if fns := volatile(e); len(fns) > 0 {
					add("[WARNING] Column %s of %s is made by %s, which gives another value when the row is updated or taken back: a sink that finds its rows by more than their key will not find it.", o.Out.Fields[i].Name, o.ID, strings.Join(fns, ", "))
				}
			}
		case Lookup:
			if o.Inputs[0].From.Changelog != Append {
				add("[WARNING] %s looks up updated rows: the table may give another row than it gave for the one that is taken back.", o.ID)
			}
		case Materialize:
			add("[ADVICE] %s keeps all rows of each key, since the query's rows are updated by another key than the sink's. Group the query by the sink's key, or set 'table.exec.sink.upsert-materialize' = 'none' if the order of updates is of no matter.", o.ID)
		case Rank:
			if len(s.Keys) > 0 && s.Limit < 0 {
				add("[ADVICE] %s sorts all rows. You might want a LIMIT.", o.ID)
			}
		case Join:
			if len(s.Join.LeftKeys) == 0 {
				add("[WARNING] %s compares every row of one input with every row of the other: it has no equality to find them by.", o.ID)
			}
		}
	}
	return out
}

func verb(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// volatile names the functions in e that are not determined by their arguments.
func volatile(e plan.Expr) []string {
	if e == nil {
		return nil
	}
	var out []string
	plan.Walk(e, func(x plan.Expr) bool {
		if c, ok := x.(*plan.Call); ok && c.Fn.Volatile {
			out = append(out, c.Fn.Name)
		}
		return true
	})
	return out
}
