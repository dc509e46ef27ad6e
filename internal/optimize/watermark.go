package optimize

import (
	"slices"

	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
)

// watermarks takes out watermark assigners that nobody listens to, so that
// conditions can move below them.
func watermarks(_ *Options, n plan.Node) (plan.Node, error) { return unwatched(n, false), nil }

// unwatched takes watermark assigners out where nothing above looks at event
// time: they would only cost. used says whether something does.
func unwatched(n plan.Node, used bool) plan.Node {
	switch x := n.(type) {
	case *plan.Watermark:
		if !used && !alignedSource(x.Input) {
			p := &plan.Project{Input: unwatched(x.Input, false), Out: x.Out}
			for i, f := range x.Out.Fields {
				p.Exprs = append(p.Exprs, &plan.Column{Index: i, T: f.Type, Name: f.Name})
			}
			if identity(p) {
				return p.Input
			}
			return p
		}
	case *plan.Window, *plan.Over, *plan.Match, *plan.Temporal, *plan.Opaque, *plan.LiveRules:
		used = true
	case *plan.Rank: // the first row by event time comes out when the watermark has passed it
		used = used || firstByTime(x)
	case *plan.Join:
		used = used || timed(x)
	case *plan.Sort:
		used = used || len(x.Keys) > 0 && x.Input.Schema().Fields[x.Keys[0].Column].Type.Attr == types.Rowtime
	case *plan.Project:
		for _, e := range x.Exprs {
			used = used || readsWatermark(e)
		}
	case *plan.Filter:
		used = used || readsWatermark(x.Cond)
	}
	in := n.Inputs()
	if len(in) == 0 {
		return n
	}
	next := make([]plan.Node, len(in))
	changed := false
	for i, c := range in {
		next[i] = unwatched(c, used)
		changed = changed || next[i] != c
	}
	if !changed {
		return n
	}
	return n.WithInputs(next)
}

// alignedSource tells whether n reads a table whose splits go through event time
// together with others: its watermarks are looked at by who reads it.
func alignedSource(n plan.Node) bool {
	if s, ok := n.(*plan.Scan); ok {
		return s.Table.Marks.Group != ""
	}
	return slices.ContainsFunc(n.Inputs(), alignedSource)
}

func readsWatermark(e plan.Expr) bool {
	found := false
	plan.Walk(e, func(x plan.Expr) bool {
		if c, ok := x.(*plan.Call); ok && c.Fn.Name == "CURRENT_WATERMARK" {
			found = true
		}
		return !found
	})
	return found
}

// timed tells whether a join compares times of both sides: rows leave its state
// as the watermark passes.
func timed(j *plan.Join) bool {
	attr := func(s *types.Schema, keys []int) bool {
		for _, k := range keys {
			if s.Fields[k].Type.Attr == types.Rowtime {
				return true
			}
		}
		return false
	}
	found := attr(j.Left.Schema(), j.LeftKeys) && attr(j.Right.Schema(), j.RightKeys)
	if j.Cond != nil {
		plan.Walk(j.Cond, func(x plan.Expr) bool {
			if c, ok := x.(*plan.Column); ok && c.T.Attr == types.Rowtime {
				found = true
			}
			return !found
		})
	}
	return found
}
