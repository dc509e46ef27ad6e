package optimize

import (
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
)

// This file keeps the columns that a sink of late rows asks for: they stay in
// the input of the operators that find rows too late.

// wanted adds to set the columns of n that the sink of late rows l has too.
func wanted(l *plan.Late, n plan.Node, set columns) {
	if l == nil {
		return
	}
	for i, f := range n.Schema().Fields {
		if l.From.Out.Index(f.Name) >= 0 {
			set[i] = true
		}
	}
}

// wantedBy returns the columns of input n of an operator that drops late rows.
func wantedBy(l *plan.Late, n plan.Node) []int {
	set := columns{}
	wanted(l, n, set)
	out := make([]int, 0, len(set))
	for i := range set {
		out = append(out, i)
	}
	return out
}

// windowed tells whether rows of n have a window.
func windowed(n plan.Node) bool {
	if _, ok := n.(*plan.Window); ok {
		return true
	}
	for _, in := range n.Inputs() {
		if windowed(in) {
			return true
		}
	}
	return false
}

// ofLate returns where late rows below n go if n drops any.
func ofLate(n plan.Node, in plan.Node) *plan.Late {
	l := plan.LateOf(in)
	if l == nil {
		return nil
	}
	switch x := n.(type) {
	case *plan.Rank:
		if !windowed(in) && !firstByTime(x) {
			return nil
		}
	case *plan.Join:
		if !timed(x) && !(windowed(x.Left) && windowed(x.Right)) {
			return nil
		}
	}
	return l
}

// firstByTime tells whether r keeps the first row of each partition by event time.
func firstByTime(r *plan.Rank) bool {
	return len(r.Order) == 1 && !r.Order[0].Desc && r.Limit == 1 && r.Offset == 0 && r.Input.Schema().Fields[r.Order[0].Column].Type.Attr == types.Rowtime
}
