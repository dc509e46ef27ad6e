package physical

import (
	"fmt"
	"strings"
	"time"

	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
)

// Explain returns the plan as text, one operator a line, inputs first: its id,
// what it does, what it emits, and how its rows come to it. The text of an
// unchanged plan is always the same.
func Explain(p *Plan) string { return explain(p, nil) }

// ExplainCost is Explain with an estimate of each operator's rows and of the
// cost up to it.
func ExplainCost(p *Plan) string { return explain(p, Estimates(p)) }

func explain(p *Plan, estimates map[*Op]Estimate) string {
	var b strings.Builder
	switch a := p.Aligned; {
	case a != nil:
		t := a.Source.Spec.(Source).Scan.Table
		fmt.Fprintf(&b, "Once for each split of %s, by scan.split-key=[%s]\n", a.Source.ID, plan.NamesOf(t.Physical, t.SplitKey))
	case p.Unaligned != "":
		b.WriteString("Not split by scan.split-key: " + p.Unaligned + "\n")
	}
	stage := -1
	for _, o := range p.Ops {
		if o.Stage != stage {
			stage = o.Stage
			fmt.Fprintf(&b, "Stage %d, parallelism %d\n", o.Stage, o.Parallel)
		}
		fmt.Fprintf(&b, "  %s: %s", o.ID, describe(o))
		b.WriteString(", changelog=" + o.Changelog.String())
		if o.Changelog != Append && o.Key != nil {
			b.WriteString(", key=[" + plan.NamesOf(o.Out, o.Key) + "]")
		}
		if e, ok := estimates[o]; ok {
			b.WriteString(": " + e.String())
		}
		b.WriteString("\n")
		for _, e := range o.Inputs {
			fmt.Fprintf(&b, "    <- %s", e.From.ID)
			if e.Side {
				b.WriteString(" late rows")
			}
			if e.Fused {
				b.WriteString(" (fused)\n")
				continue
			}
			b.WriteString(" " + e.Exchange.String())
			if e.Exchange == Hash {
				b.WriteString("[" + plan.NamesOf(e.From.Out, e.Keys) + "]")
			}
			b.WriteString("\n")
		}
	}
	return b.String()
}

// describe says what an operator does.
func describe(o *Op) string {
	in := func(i int) *types.Schema { return o.Inputs[i].From.Out }
	switch s := o.Spec.(type) {
	case Source:
		return plan.Describe(s.Scan)
	case GoSource:
		return plan.Describe(s.Source)
	case Values:
		return fmt.Sprintf("Values(fields=[%s], rows=[%d])", strings.Join(o.Out.Names(), ", "), len(s.Rows))
	case Calc:
		var parts []string
		if s.Exprs != nil {
			parts = append(parts, "select=["+plan.Select(s.Exprs, o.Out)+"]")
		}
		if s.Filter != nil {
			parts = append(parts, "where=["+plan.String(s.Filter)+"]")
		}
		return "Calc(" + strings.Join(parts, ", ") + ")"
	case Watermark:
		return plan.Describe(&plan.Watermark{Column: s.Column, Expr: s.Expr, Out: o.Out})
	case Aggregate:
		keys := ""
		if len(s.Keys) > 0 {
			keys = "groupBy=[" + plan.NamesOf(in(0), s.Keys) + "], "
		}
		ttl := ""
		if s.TTL != 0 {
			ttl = ", ttl=[" + plan.TTLText(s.TTL) + "]"
		}
		return "GroupAggregate(" + keys + "calls=[" + plan.CallsText(s.Calls, in(0)) + "]" + ttl + ")"
	case Expand:
		sets := make([]string, len(s.Sets))
		for i, x := range s.Sets {
			sets[i] = "[" + plan.Strings(x) + "]"
		}
		return "Expand(sets=" + strings.Join(sets, ", ") + ")"
	case Join:
		return plan.Describe(s.Join)
	case WindowAssign:
		return "WindowTableFunction(" + assignText(s.Assign, in(0)) + ")"
	case WindowAggregate:
		text := "WindowAggregate("
		if len(s.Keys) > 0 {
			text += "groupBy=[" + plan.NamesOf(in(0), s.Keys) + "], "
		}
		text += assignText(s.Assign, in(0)) + ", calls=[" + plan.CallsText(s.Calls, in(0)) + "]"
		if e := emitText(s.Emit); e != "" {
			text += ", emit=[" + e + "]"
		}
		return text + ")"
	case Rules:
		return plan.Describe(s.Rules)
	case LiveRules:
		return plan.Describe(s.Live)
	case WindowRank:
		return fmt.Sprintf("WindowRank(window=[%s, %s], %s)", in(0).Fields[s.Start].Name, in(0).Fields[s.End].Name, strings.TrimPrefix(strings.TrimSuffix(plan.Describe(s.Rank), ")"), "Rank("))
	case WindowJoin:
		return "Window" + plan.Describe(s.Join)
	case Match:
		return plan.Describe(s.Match)
	case Normalize:
		return s.Kind() + "(key=[" + plan.NamesOf(in(0), s.Key) + "])"
	case Materialize:
		return s.Kind() + "(key=[" + plan.NamesOf(in(0), s.Key) + "])"
	case IntervalJoin:
		if s.Proctime {
			return fmt.Sprintf("Interval%s, processing time, from=[%d ms], to=[%d ms])", strings.TrimSuffix(plan.Describe(s.Join), ")"), s.Lower, s.Upper)
		}
		return fmt.Sprintf("Interval%s, times=[%s, %s], from=[%d ms], to=[%d ms])", strings.TrimSuffix(plan.Describe(s.Join), ")"), in(0).Fields[s.LeftTime].Name, in(1).Fields[s.RightTime].Name, s.Lower, s.Upper)
	case TemporalJoin:
		return plan.Describe(s.Join)
	case Lookup:
		return s.text()
	case TopN:
		return s.Kind() + strings.TrimPrefix(plan.Describe(s.Rank), "Rank")
	case Over:
		return "OverAggregate" + strings.TrimPrefix(plan.Describe(s.Over), "Over")
	case SetOp:
		return fmt.Sprintf("%s(all=[%v])", s.Kind(), s.All)
	case Union:
		return "Union(all=[true])"
	case Correlate:
		return plan.Describe(s.Correlate)
	case Rank:
		if len(s.Keys) == 0 {
			return fmt.Sprintf("Limit(offset=[%d], limit=[%d])", s.Offset, s.Limit)
		}
		return fmt.Sprintf("Sort(orderBy=[%s], offset=[%d], limit=[%d])", plan.OrderText(in(0), s.Keys), s.Offset, s.Limit)
	case Sink:
		return plan.Describe(s.Sink)
	case Opaque:
		return plan.Describe(s.Opaque)
	case LateRows:
		return "LateRows(select=[" + plan.Select(s.Exprs, o.Out) + "])"
	case fmt.Stringer:
		return s.String()
	}
	return fmt.Sprintf("%s(fields=[%s])", o.Spec.Kind(), strings.Join(o.Out.Names(), ", "))
}

// assignText says which windows, and of which time.
func assignText(a Assign, in *types.Schema) string {
	w := a.Window
	text := w.Kind.String()
	if w.Kind == plan.Hop || w.Kind == plan.Cumulate {
		text += ", " + ms(w.Slide)
	}
	text += ", " + ms(w.Size)
	if w.Offset != 0 {
		text += ", offset " + ms(w.Offset)
	}
	switch {
	case a.Attached:
		text += ", attached " + in.Fields[a.Start].Name + ".." + in.Fields[a.End].Name
	case a.Proctime:
		text += ", processing time"
	case a.Time < len(in.Fields):
		text += ", " + in.Fields[a.Time].Name
	}
	return "window=[" + text + "]"
}

func ms(v int64) string { return (time.Duration(v) * time.Millisecond).String() }

// emitText says when a window is emitted, if not once when it is over.
func emitText(e Emit) string {
	var parts []string
	if e.Mode != FireOnce {
		parts = append(parts, [...]string{"once", "separate", "accumulated"}[e.Mode])
	}
	if e.EarlyOn {
		parts = append(parts, "early "+e.Early.String())
	}
	if e.LateOn {
		parts = append(parts, "late "+e.Late.String())
	}
	if e.Lateness > 0 {
		parts = append(parts, "lateness "+e.Lateness.String())
	}
	if e.FlushAtEnd {
		parts = append(parts, "flush at end")
	}
	return strings.Join(parts, ", ")
}
