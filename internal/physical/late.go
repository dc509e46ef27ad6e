package physical

import (
	"strings"

	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
)

// LateRows takes the rows that came too late for an operator, beside what it
// emits, and gives them the columns their sink asks for. Exprs are over In: the
// operator's input and then plan.LateFields.
type LateRows struct {
	Exprs []plan.Expr
	In    *types.Schema
}

// Kind names the operator in EXPLAIN and metrics.
func (LateRows) Kind() string { return "LateRows" }

// lateInput is an input of an operator that finds rows too late.
type lateInput struct {
	op    *Op
	input int
	late  *plan.Late
}

// lateInputs returns the inputs of o whose late rows are dropped and wanted.
func lateInputs(n plan.Node, o *Op) []lateInput {
	switch s := o.Spec.(type) {
	case WindowAggregate:
		if s.Assign.Proctime {
			return nil
		}
		if late := plan.LateOf(s.Assign.Window); late != nil {
			return []lateInput{{o, 0, late}}
		}
		return nil
	case WindowAssign:
		if s.Assign.Proctime {
			return nil
		}
	case WindowRank:
		if s.Proctime {
			return nil
		}
	case WindowJoin:
		if s.Proctime {
			return nil
		}
	case IntervalJoin:
		if s.Proctime {
			return nil
		}
	case TopN:
		if !s.First() || s.Retracts {
			return nil
		}
	case Over, Match:
	case Rank:
		if !timeOrdered(o.Inputs[0].From.Out, s.Keys) {
			return nil
		}
	default:
		return nil
	}
	var out []lateInput
	for i, in := range n.Inputs() {
		if w, ok := n.(*plan.Window); ok && w.Late != nil {
			out = append(out, lateInput{o, i, w.Late})
		} else if late := plan.LateOf(in); late != nil {
			out = append(out, lateInput{o, i, late})
		}
	}
	return out
}

// lateRows plans the way of the rows that come too late, behind the plan of all
// others: a LateRows at each operator that finds some, and their sink.
func (b *builder) lateRows(p *Plan) error {
	var order []*plan.Late
	by := map[*plan.Late][]lateInput{}
	sinks := map[string]*plan.Late{} // one table that several tables name is one sink
	for _, o := range p.Ops {
		n := b.nodes[o]
		if n == nil {
			continue
		}
		for _, in := range lateInputs(n, o) {
			late := in.late
			if t := late.Sink.Table; t != nil {
				if sinks[t.Path] == nil {
					sinks[t.Path] = late
				}
				late = sinks[t.Path]
			}
			if by[late] == nil {
				order = append(order, late)
			}
			by[late] = append(by[late], in)
		}
	}
	b.order = p.Ops
	for _, late := range order {
		if err := b.lateSink(late, by[late]); err != nil {
			return err
		}
	}
	p.Ops = b.order
	return nil
}

// lateSink plans the sink of late rows with its inputs.
func (b *builder) lateSink(late *plan.Late, inputs []lateInput) error {
	specs := make([]LateRows, len(inputs))
	for i, in := range inputs {
		from := in.op.Inputs[in.input].From.Out
		specs[i].In = types.NewSchema(append(append([]types.Field(nil), from.Fields...), plan.LateFields()...)...)
	}
	for _, f := range late.From.Out.Fields {
		if err := lateColumn(late, f, specs, inputs); err != nil {
			return err
		}
	}
	var ops []*Op
	for i, in := range inputs {
		o := &Op{Spec: specs[i], Out: late.From.Out, Inputs: []Edge{{From: in.op, Side: true, SideInput: in.input}}}
		b.put(o)
		in.op.outs = append(in.op.outs, o)
		ops = append(ops, o)
	}
	if len(ops) > 1 {
		u := &Op{Spec: Union{}, Out: late.From.Out}
		for _, o := range ops {
			u.Inputs = append(u.Inputs, Edge{From: o})
			o.outs = append(o.outs, u)
		}
		b.put(u)
		ops = []*Op{u}
	}
	b.ops[late.From] = ops[0]
	_, err := b.op(late.Sink)
	return err
}

// lateColumn finds column f of a sink of late rows in the operators' inputs. One
// that no input has is an error; one that only some have is NULL for the others.
func lateColumn(late *plan.Late, f types.Field, specs []LateRows, inputs []lateInput) error {
	found := false
	for i := range specs {
		s := &specs[i]
		at := s.In.Index(f.Name)
		if at < 0 {
			s.Exprs = append(s.Exprs, &plan.Literal{T: f.Type.OrNull()})
			continue
		}
		found = true
		from := s.In.Fields[at].Type
		var e plan.Expr = &plan.Column{Index: at, T: from.Plain(), Name: f.Name}
		if _, implicit := types.Castable(from.Plain(), f.Type); !implicit {
			return diag.At(lateSpan(late), diag.TypeMismatch, "late rows: column %s of %s is %s, that of %s is %s", f.Name, late.Sink.Name, f.Type, inputs[i].op.ID, from.Plain())
		}
		if from.Plain().OrNull().String() != f.Type.OrNull().String() {
			e = &plan.Cast{X: e, T: f.Type.WithNull(from.Nullable)}
		}
		s.Exprs = append(s.Exprs, e)
	}
	if found {
		return nil
	}
	names := specs[0].In.Names()
	return diag.At(lateSpan(late), diag.UnknownColumn, "late rows: %s has a column %s, but the rows of %s have none", late.Sink.Name, f.Name, inputs[0].op.ID).
		DidYouMean(f.Name, names).Hint("they have %s", strings.Join(names, ", "))
}

func lateSpan(l *plan.Late) diag.Span {
	if l.Sink.Table != nil {
		return l.Sink.Table.Span
	}
	return diag.Span{}
}
