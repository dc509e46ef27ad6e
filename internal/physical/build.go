package physical

import (
	"fmt"

	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// Build plans the job that runs all roots (Sink nodes) together. Nodes that
// several roots share become one operator with several consumers.
func Build(roots []plan.Node, opts Options) (*Plan, error) {
	if opts.Parallelism < 1 {
		opts.Parallelism = 1
	}
	if opts.BatchSize < 1 {
		opts.BatchSize = vector.DefaultSize
	}
	b := &builder{opts: opts, ops: map[plan.Node]*Op{}, nodes: map[*Op]plan.Node{}, kinds: map[string]int{}}
	for _, r := range roots {
		if _, err := b.op(r); err != nil {
			return nil, err
		}
	}
	p := &Plan{Ops: b.order, Options: opts}
	if err := p.changelogs(); err != nil {
		return nil, err
	}
	if err := b.lateRows(p); err != nil {
		return nil, err
	}
	p.align()
	p.cut()
	return p, nil
}

type builder struct {
	opts  Options
	ops   map[plan.Node]*Op
	nodes map[*Op]plan.Node // what an operator was made of
	order []*Op
	kinds map[string]int
}

// op returns the operator of n, building its inputs first.
func (b *builder) op(n plan.Node) (*Op, error) {
	if o, ok := b.ops[n]; ok {
		return o, nil
	}
	if c, ok := n.(*plan.Project); ok { // Project over Filter is one Calc
		if f, ok := c.Input.(*plan.Filter); ok && b.ops[f] == nil {
			return b.add(n, Calc{Filter: f.Cond, Exprs: c.Exprs}, f.Input)
		}
		return b.add(n, Calc{Exprs: c.Exprs}, c.Input)
	}
	switch n := n.(type) {
	case *plan.Scan:
		return b.scan(n)
	case *plan.GoSource:
		return b.add(n, GoSource{n})
	case *plan.Values:
		return b.add(n, Values{n.Rows})
	case *plan.Filter:
		return b.add(n, Calc{Filter: n.Cond}, n.Input)
	case *plan.Watermark:
		w := Watermark{Column: n.Column, Expr: n.Expr}
		if t := tableOf(n.Input); t != nil {
			w.Gap = t.Marks.Gap
			if t.Marks.Group != "" && n.Expr == nil {
				return nil, diag.At(t.Span, diag.NotAllowed, "'scan.watermark.alignment.group' of %s needs WATERMARK FOR … AS an expression: the watermarks of the source itself are not known by split", t.Path)
			}
		}
		return b.add(n, w, n.Input)
	case *plan.Aggregate:
		if o, ok, err := b.windowAggregate(n); ok {
			return o, err
		}
		for _, c := range n.Calls {
			if c.Fn.Name == "FIRE_TIME" || c.Fn.Name == "PANE" {
				return nil, diag.At(c.Span, diag.Unsupported, "%s() tells of the emission of a window: it needs a query that groups by window_start and window_end", c.Fn.Name)
			}
		}
		return b.add(n, Aggregate{Keys: n.Keys, Calls: n.Calls, TTL: n.TTL}, n.Input)
	case *plan.Expand:
		return b.add(n, Expand{n.Sets}, n.Input)
	case *plan.Rules:
		return b.add(n, Rules{n}, n.Input)
	case *plan.LiveRules:
		return b.add(n, LiveRules{n}, n.Input)
	case *plan.Join:
		if s, ok := windowJoin(n); ok && !b.opts.Batch {
			s.FlushAtEnd = b.opts.Emit.FlushAtEnd
			return b.add(n, s, n.Left, n.Right)
		}
		if s, ok := interval(n); ok && !b.opts.Batch {
			s.FlushAtEnd = b.opts.Emit.FlushAtEnd
			return b.add(n, s, n.Left, n.Right)
		}
		return b.add(n, Join{Join: n}, n.Left, n.Right)
	case *plan.SetOp:
		if n.Op == plan.Union {
			return b.add(n, Union{}, n.In...)
		}
		return b.add(n, SetOp{Op: n.Op, All: n.All}, n.In...)
	case *plan.Correlate:
		return b.add(n, Correlate{n}, n.Input)
	case *plan.Sort:
		return b.add(n, Rank{Keys: n.Keys, Limit: n.Limit, Offset: n.Offset, Span: n.Span}, n.Input)
	case *plan.Sink:
		return b.add(n, Sink{n}, n.Input)
	case *plan.Opaque:
		return b.add(n, Opaque{n}, n.Input...)
	case *plan.Window:
		return b.add(n, WindowAssign{Assign: assignOf(n), FlushAtEnd: b.opts.Emit.FlushAtEnd}, n.Input)
	case *plan.Over:
		return b.over(n)
	case *plan.Rank:
		return b.rank(n)
	case *plan.Match:
		return b.add(n, Match{n}, n.Input)
	case *plan.Temporal:
		return b.temporal(n)
	}
	return nil, diag.Bug("physical: no operator for %T", n)
}

func (b *builder) add(n plan.Node, spec Spec, inputs ...plan.Node) (*Op, error) {
	o := &Op{Spec: spec, Out: n.Schema(), Parallel: b.opts.Parallelism}
	for _, in := range inputs {
		from, err := b.op(in)
		if err != nil {
			return nil, err
		}
		o.Inputs = append(o.Inputs, Edge{From: from})
		from.outs = append(from.outs, o)
	}
	b.put(o)
	b.ops[n], b.nodes[o] = o, n
	return o, nil
}

// put names o and puts it behind the operators there are.
func (b *builder) put(o *Op) {
	b.kinds[o.Spec.Kind()]++
	o.ID = fmt.Sprintf("%s-%d", o.Spec.Kind(), b.kinds[o.Spec.Kind()])
	b.order = append(b.order, o)
}

// tableOf returns the table that n reads, nil if it is not one alone.
func tableOf(n plan.Node) *plan.Table {
	for {
		if s, ok := n.(*plan.Scan); ok {
			return s.Table
		}
		in := n.Inputs()
		if len(in) != 1 {
			return nil
		}
		n = in[0]
	}
}

// timeOrdered tells whether the first key is a rowtime, ascending: such a sort
// needs only the watermark.
func timeOrdered(in *types.Schema, keys []plan.SortKey) bool {
	return len(keys) > 0 && !keys[0].Desc && in.Fields[keys[0].Column].Type.Attr == types.Rowtime
}
