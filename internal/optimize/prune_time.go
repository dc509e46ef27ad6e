package optimize

import (
	"slices"

	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
)

// This file prunes below the operators of time: watermarks, windows, OVER,
// Top-N, temporal joins. Each keeps what it reads itself.

func needWatermark(w *plan.Watermark, req columns) (plan.Node, map[int]int) {
	below := columns{w.Column: true}
	for i := range req {
		below[i] = true
	}
	if w.Expr != nil {
		plan.Columns(w.Expr, below)
	}
	in, at := need(w.Input, below)
	out := *w
	out.Input, out.Column = in, at[w.Column]
	if w.Expr != nil {
		out.Expr = plan.Remap(w.Expr, func(i int) int { return at[i] })
	}
	fields := slices.Clone(in.Schema().Fields)
	for old, now := range at {
		if below[old] {
			fields[now] = w.Out.Fields[old]
		}
	}
	out.Out = types.NewSchema(fields...)
	return &out, at
}

// appended prunes the input of an operator whose output is its input's columns
// with its own behind: own are the columns it reads.
func appended(n plan.Node, req columns, own ...int) (in plan.Node, at map[int]int, fields []types.Field) {
	width := len(n.Inputs()[0].Schema().Fields)
	below := columns{}
	for i := range req {
		if i < width {
			below[i] = true
		}
	}
	for _, i := range own {
		below[i] = true
	}
	in, now := need(n.Inputs()[0], below)
	fields = slices.Clone(in.Schema().Fields)
	at = map[int]int{}
	for old, k := range now {
		if below[old] {
			fields[k] = n.Schema().Fields[old]
			at[old] = k
		}
	}
	for i, f := range n.Schema().Fields[width:] {
		at[width+i] = len(fields)
		fields = append(fields, f)
	}
	return in, at, fields
}

func moved(cols []int, at map[int]int) []int {
	out := make([]int, len(cols))
	for i, c := range cols {
		out[i] = at[c]
	}
	return out
}

func movedKeys(keys []plan.SortKey, at map[int]int) []plan.SortKey {
	out := slices.Clone(keys)
	for i := range out {
		out[i].Column = at[out[i].Column]
	}
	return out
}

func orderColumns(keys []plan.SortKey) []int {
	out := make([]int, len(keys))
	for i, k := range keys {
		out[i] = k.Column
	}
	return out
}

func needWindow(w *plan.Window, req columns) (plan.Node, map[int]int) {
	own := append([]int{w.Time}, w.Partition...)
	in, at, fields := appended(w, req, append(own, wantedBy(plan.LateOf(w), w.Input)...)...)
	out := *w
	out.Input, out.Time, out.Partition, out.Out = in, at[w.Time], moved(w.Partition, at), types.NewSchema(fields...)
	return &out, at
}

func needOver(o *plan.Over, req columns) (plan.Node, map[int]int) {
	own := append(orderColumns(o.Order), o.Partition...)
	for _, c := range o.Calls {
		own = append(own, c.Args...)
		if c.Filter >= 0 {
			own = append(own, c.Filter)
		}
	}
	own = append(own, wantedBy(ofLate(o, o.Input), o.Input)...)
	in, at, fields := appended(o, req, own...)
	out := *o
	out.Input, out.Partition, out.Order, out.Out = in, moved(o.Partition, at), movedKeys(o.Order, at), types.NewSchema(fields...)
	out.Calls = slices.Clone(o.Calls)
	for i := range out.Calls {
		c := &out.Calls[i]
		c.Args = moved(c.Args, at)
		if c.Filter >= 0 {
			c.Filter = at[c.Filter]
		}
	}
	return &out, at
}

func needRank(r *plan.Rank, req columns) (plan.Node, map[int]int) {
	own := append(orderColumns(r.Order), r.Partition...)
	width := len(r.Input.Schema().Fields)
	own = append(own, wantedBy(ofLate(r, r.Input), r.Input)...)
	in, at, fields := appended(r, req, own...)
	out := *r
	out.Input, out.Partition, out.Order = in, moved(r.Partition, at), movedKeys(r.Order, at)
	if r.Number && !req[width] { // nobody asks for the number
		out.Number = false
		fields = fields[:len(fields)-1]
		delete(at, width)
	}
	out.Out = types.NewSchema(fields...)
	return &out, at
}

func needTemporal(t *plan.Temporal, req columns) (plan.Node, map[int]int) {
	nl := len(t.Left.Schema().Fields)
	left, right := columns{t.Time: true}, columns{}
	put := func(set columns) {
		for i := range set {
			if i < nl {
				left[i] = true
			} else {
				right[i-nl] = true
			}
		}
	}
	put(req)
	for _, k := range t.LeftKeys {
		left[k] = true
	}
	for _, k := range t.RightKeys {
		right[k] = true
	}
	// Versions are found by the right side's rowtime.
	for i, f := range t.Right.Schema().Fields {
		if f.Type.Attr == types.Rowtime {
			right[i] = true
		}
	}
	if t.Cond != nil {
		cond := columns{}
		plan.Columns(t.Cond, cond)
		put(cond)
	}
	out := *t
	var lt, rt map[int]int
	out.Left, lt = need(t.Left, left)
	if t.Proctime { // a table that is looked up keeps its shape
		out.Right, rt = whole(t.Right), identityMap(len(t.Right.Schema().Fields))
	} else {
		out.Right, rt = need(t.Right, right)
	}
	ln := len(out.Left.Schema().Fields)
	fields := make([]types.Field, ln+len(out.Right.Schema().Fields))
	copy(fields, out.Left.Schema().Fields)
	copy(fields[ln:], out.Right.Schema().Fields)
	to := map[int]int{}
	for i, now := range lt {
		to[i] = now
		fields[now] = t.Out.Fields[i]
	}
	for i, now := range rt {
		to[nl+i] = ln + now
		fields[ln+now] = t.Out.Fields[nl+i]
	}
	out.LeftKeys, out.RightKeys, out.Time = moved(t.LeftKeys, lt), moved(t.RightKeys, rt), lt[t.Time]
	if t.Cond != nil {
		out.Cond = plan.Remap(t.Cond, func(i int) int { return to[i] })
	}
	out.Out = types.NewSchema(fields...)
	return &out, to
}
