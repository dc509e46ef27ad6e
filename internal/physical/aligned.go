package physical

import (
	"fmt"
	"slices"
	"strings"

	"github.com/runnelio/runnel/internal/plan"
)

// Aligned says that rows that meet in the state of any operator come from one
// split of the source: the plan is run once for each split, whole, with state and
// watermarks of its own.
type Aligned struct {
	Source *Op
	// Keys are the columns of 'scan.split-key' in the source's output, those that are read.
	Keys []int
	// Verify tells that rows are checked against the declaration.
	Verify bool
}

// align finds out whether p is aligned. Of a plan that declares a split key and is
// not, Unaligned says why.
func (p *Plan) align() {
	var source *Op
	sources := 0
	declared := ""
	for _, o := range p.Ops {
		switch s := o.Spec.(type) {
		case Source:
			sources++
			source = o
			if len(s.Scan.Table.SplitKey) > 0 {
				declared = s.Scan.Table.Path
			}
		case GoSource, Values:
			sources++
		}
	}
	if declared == "" {
		return
	}
	switch {
	case p.Options.Batch:
		p.Unaligned = "in batch mode results are made of the whole input"
		return
	case sources > 1:
		p.Unaligned = "it reads more than one source"
		return
	}
	s := source.Spec.(Source)
	if s.Scan.Limit > 0 {
		p.Unaligned = "LIMIT counts the rows of all splits"
		return
	}
	f := followed{names: make([]string, len(s.Scan.Table.SplitKey)), at: map[*Op][]columns{}}
	for i, k := range s.Scan.Table.SplitKey {
		f.names[i] = s.Scan.Table.Physical.Fields[k].Name
	}
	for _, o := range p.Ops {
		if p.Unaligned = f.follow(o); p.Unaligned != "" {
			return
		}
	}
	a := &Aligned{Source: source, Verify: s.Scan.Table.SplitVerify}
	for _, c := range f.at[source] {
		a.Keys = append(a.Keys, c...)
	}
	if len(a.Keys) < len(f.names) {
		a.Keys = nil // not all are read: rows cannot be checked, nor is there anything to check
	}
	p.Aligned = a
}

// columns are those of an operator's output that hold a column of the split key.
type columns []int

// followed is where the columns of the split key are, operator by operator.
type followed struct {
	names []string
	at    map[*Op][]columns // by column of the key
}

// follow finds the columns in the output of o; why tells what is not aligned.
func (f *followed) follow(o *Op) (why string) {
	keys := make([][]int, len(o.Inputs)) // by input: what state is kept by; nil: none is
	for i := range o.Inputs {
		kind, by := exchangeOf(o, i)
		switch kind {
		case Hash:
			keys[i] = by
		case Gather:
			return fmt.Sprintf("%s needs all rows in one place", o.ID)
		}
	}
	switch s := o.Spec.(type) {
	case Opaque:
		if s.Opaque.Stateful {
			return fmt.Sprintf("%s keeps state of its own", o.ID)
		}
	case Sink:
		if s.Sink.Table == nil {
			return "its result goes to the caller"
		}
	}
	for i, by := range keys {
		if by == nil {
			continue
		}
		var missing []string
		for k, name := range f.names {
			if !slices.ContainsFunc(by, func(c int) bool { return slices.Contains(f.at[o.Inputs[i].From][k], c) }) {
				missing = append(missing, name)
			}
		}
		if missing != nil {
			return fmt.Sprintf("%s is not keyed by %s of the split key, or not by the column itself", o.ID, strings.Join(missing, ", "))
		}
	}
	out := make([]columns, len(f.names))
	for k := range out {
		out[k] = f.output(o, k)
	}
	f.at[o] = out
	return ""
}

// output returns the output columns of o that hold column k of the split key.
func (f *followed) output(o *Op, k int) columns {
	in := func(i int) columns { return f.at[o.Inputs[i].From][k] }
	picked := func(keys []int) (out columns) {
		for at, c := range keys {
			if slices.Contains(in(0), c) {
				out = append(out, at)
			}
		}
		return out
	}
	computed := func(exprs []plan.Expr) (out columns) {
		for at, e := range exprs {
			if c, ok := e.(*plan.Column); ok && slices.Contains(in(0), c.Index) {
				out = append(out, at)
			}
		}
		return out
	}
	switch s := o.Spec.(type) {
	case Source:
		var out columns
		for at, w := range s.Scan.Wants {
			if w.Column == s.Scan.Table.SplitKey[k] && len(w.Path) == 0 {
				out = append(out, at)
			}
		}
		return out
	case Calc:
		if s.Exprs == nil {
			return in(0)
		}
		return computed(s.Exprs)
	case Expand:
		out := computed(s.Sets[0])
		for _, set := range s.Sets[1:] {
			also := computed(set)
			out = slices.DeleteFunc(out, func(c int) bool { return !slices.Contains(also, c) })
		}
		return out
	case Aggregate:
		return picked(s.Keys)
	case WindowAggregate:
		var out columns
		key := 0
		for at, role := range s.Roles {
			if role != RoleKey {
				continue
			}
			if slices.Contains(in(0), s.Keys[key]) {
				out = append(out, at)
			}
			key++
		}
		return out
	case Match:
		return picked(s.Match.Partition)
	case Watermark, Rules, Correlate, WindowAssign, WindowRank, TopN, Over, Normalize, Materialize, Lookup, Sink:
		return in(0) // what they add is behind the input's columns
	case Union, SetOp:
		out := slices.Clone(in(0))
		for i := range o.Inputs[1:] {
			out = slices.DeleteFunc(out, func(c int) bool { return !slices.Contains(in(i+1), c) })
		}
		return out
	case Join:
		return f.joined(o, k, s.Join.Kind)
	case WindowJoin:
		return f.joined(o, k, s.Join.Kind)
	case IntervalJoin:
		return f.joined(o, k, s.Join.Kind)
	case TemporalJoin:
		return f.joined(o, k, s.Join.Kind)
	}
	return nil
}

// joined are the columns of a join's output. A side that may be padded with NULL
// holds the column no more.
func (f *followed) joined(o *Op, k int, kind plan.JoinKind) (out columns) {
	left, right := o.Inputs[0].From, o.Inputs[1].From
	if kind != plan.Right && kind != plan.Full {
		out = append(out, f.at[left][k]...)
	}
	if kind == plan.Inner || kind == plan.Right {
		for _, c := range f.at[right][k] {
			out = append(out, len(left.Out.Fields)+c)
		}
	}
	return out
}
