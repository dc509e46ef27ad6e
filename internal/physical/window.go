package physical

import (
	"slices"
	"time"

	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
)

// Assign says how rows come by their windows.
type Assign struct {
	Window   *plan.Window
	Time     int  // time column of the input
	Proctime bool // by the clock, not by a column
	// Attached tells that rows carry their window in columns Start and End.
	Attached   bool
	Start, End int
	Local      bool // windows are cut in the session time zone
}

// Role says what a grouping column of a window aggregate is.
type Role uint8

// The roles.
const (
	RoleKey Role = iota
	RoleStart
	RoleEnd
	RoleTime
)

// FireMode says what the emissions of a window hold.
type FireMode uint8

// The fire modes.
const (
	FireOnce        FireMode = iota // once, when the window is over
	FireSeparate                    // increments since the emission before
	FireAccumulated                 // the latest full value
)

// Emit is when windows are emitted; the zero value is once, when they are over.
type Emit struct {
	Mode            FireMode
	EarlyOn, LateOn bool
	Early, Late     time.Duration
	Lateness        time.Duration
	FlushAtEnd      bool
}

// Updates tells whether emissions of a window replace one another.
func (e Emit) Updates() bool {
	return e.Mode == FireAccumulated || e.Mode == FireOnce && (e.EarlyOn || e.LateOn || e.Lateness > 0)
}

// of returns e as the tables below n have it in their options or hints.
func (e Emit) of(n plan.Node) Emit {
	if s, ok := n.(*plan.Scan); ok {
		f := s.Table.Fire
		if f.Mode != nil {
			e.Mode = FireMode(*f.Mode)
		}
		if f.Interval != nil && e.Mode != FireOnce {
			e.EarlyOn, e.Early = *f.Interval > 0, *f.Interval
		}
		if f.Lateness != nil {
			e.Lateness = *f.Lateness
		}
		return e
	}
	for _, in := range n.Inputs() {
		e = e.of(in)
	}
	return e
}

// WindowAssign is a window table function alone: each row comes out once for
// every window it is in.
type WindowAssign struct {
	Assign     Assign
	FlushAtEnd bool
}

// WindowAggregate is GROUP BY over windows. Roles has a role for each grouping
// column of the output; those with RoleKey are Keys in order.
type WindowAggregate struct {
	Assign       Assign
	Keys         []int
	Roles        []Role
	Calls        []plan.AggCall
	Emit         Emit
	Retracts     bool
	UpdateBefore bool
}

// WindowRank is Top-N or deduplication a window: emitted when the window is over.
type WindowRank struct {
	Rank *plan.Rank
	// Partition are the partition columns without those of the window.
	Partition  []int
	Start, End int
	Proctime   bool
	Local      bool
	FlushAtEnd bool
}

// WindowJoin joins the rows of two inputs that are in the same window, when it is over.
type WindowJoin struct {
	Join              *plan.Join
	LeftKeys          []int // without those of the window
	RightKeys         []int
	NullSafe          []bool
	LeftEnd, RightEnd int
	LeftStart, RStart int
	Proctime, Local   bool
	FlushAtEnd        bool
}

// Kind names the operators in EXPLAIN and metrics.
func (WindowAssign) Kind() string    { return "WindowTableFunction" }
func (WindowAggregate) Kind() string { return "WindowAggregate" }
func (WindowRank) Kind() string      { return "WindowRank" }
func (WindowJoin) Kind() string      { return "WindowJoin" }

// windowed says which columns of a node's output are a row's window; -1 where one is not there.
type windowed struct {
	win              *plan.Window
	start, end, time int
}

// windowOf finds the window columns of n, nil if its rows have none.
func windowOf(n plan.Node) *windowed {
	switch x := n.(type) {
	case *plan.Window:
		in := len(x.Input.Schema().Fields)
		return &windowed{x, in, in + 1, in + 2}
	case *plan.Project:
		w := windowOf(x.Input)
		if w == nil {
			return nil
		}
		return w.mapped(func(c int) int {
			return slices.IndexFunc(x.Exprs, func(e plan.Expr) bool {
				col, ok := e.(*plan.Column)
				return ok && col.Index == c
			})
		})
	case *plan.Filter:
		return windowOf(x.Input)
	case *plan.Watermark:
		return windowOf(x.Input)
	case *plan.Expand:
		w := windowOf(x.Input)
		if w == nil {
			return nil
		}
		// A window column must stand in the same place of every set.
		return w.mapped(func(c int) int {
			at := -1
			for i, set := range x.Sets {
				k := slices.IndexFunc(set, func(e plan.Expr) bool {
					col, ok := e.(*plan.Column)
					return ok && col.Index == c
				})
				if k < 0 || i > 0 && k != at {
					return -1
				}
				at = k
			}
			return at
		})
	case *plan.Aggregate:
		w := windowOf(x.Input)
		if w == nil {
			return nil
		}
		return w.mapped(func(c int) int { return slices.Index(x.Keys, c) })
	case *plan.Rank:
		return windowOf(x.Input)
	case *plan.Correlate:
		return windowOf(x.Input)
	case *plan.Join:
		if _, ok := windowJoin(x); ok {
			return windowOf(x.Left)
		}
	}
	return nil
}

func (w *windowed) mapped(to func(int) int) *windowed {
	m := func(c int) int {
		if c < 0 {
			return -1
		}
		return to(c)
	}
	out := &windowed{w.win, m(w.start), m(w.end), m(w.time)}
	if out.end < 0 && out.start < 0 && out.time < 0 {
		return nil
	}
	return out
}

// timeOf describes how the window reads time.
func timeOf(w *plan.Window) (proctime, local bool) {
	t := w.Input.Schema().Fields[w.Time].Type
	return t.Attr == types.Proctime, t.Kind == types.TimestampLTZ
}

func assignOf(w *plan.Window) Assign {
	proctime, local := timeOf(w)
	return Assign{Window: w, Time: w.Time, Proctime: proctime, Local: local}
}

// windowAggregate plans an aggregate whose keys hold a window; ok is false for others.
func (b *builder) windowAggregate(n *plan.Aggregate) (o *Op, ok bool, err error) {
	w := windowOf(n.Input)
	if w == nil || w.end < 0 || !slices.Contains(n.Keys, w.end) {
		return nil, false, nil
	}
	if w.win.Kind != plan.Tumble && (w.start < 0 || !slices.Contains(n.Keys, w.start)) && w.win.Kind != plan.Hop {
		return nil, false, nil // the end alone does not tell the windows apart
	}
	spec := WindowAggregate{Calls: n.Calls, Emit: b.opts.Emit.of(w.win.Input)}
	for _, k := range n.Keys {
		switch k {
		case w.start:
			spec.Roles = append(spec.Roles, RoleStart)
		case w.end:
			spec.Roles = append(spec.Roles, RoleEnd)
		case w.time:
			spec.Roles = append(spec.Roles, RoleTime)
		default:
			spec.Roles = append(spec.Roles, RoleKey)
			spec.Keys = append(spec.Keys, k)
		}
	}
	if in, time, f, ok := fuse(n, w, spec.Keys); ok {
		spec.Assign = assignOf(w.win)
		spec.Assign.Time = time
		spec.Keys, spec.Calls = f.keys, f.calls
		o, err := b.add(n, spec, in)
		return o, true, err
	}
	proctime, local := timeOf(w.win)
	spec.Assign = Assign{Window: w.win, Attached: true, Start: w.start, End: w.end, Proctime: proctime, Local: local}
	if spec.Assign.Start < 0 {
		// Rows of a hop or tumble window have no start column: the end tells it.
		spec.Assign.Start = w.end
	}
	o, err = b.add(n, spec, n.Input)
	return o, true, err
}

// fused is an aggregate moved below the window function: its columns in the
// projection that replaces what lay between.
type fused struct {
	keys  []int
	calls []plan.AggCall
}

// fuse replaces the projections, filters and the window function below an
// aggregate by one projection over the window function's input, where the
// window's columns are used for nothing but grouping.
func fuse(n *plan.Aggregate, w *windowed, keys []int) (plan.Node, int, fused, bool) {
	var none fused
	chain, ok := below(n.Input)
	if !ok {
		return nil, 0, none, false
	}
	width := len(n.Input.Schema().Fields)
	exprs := make([]plan.Expr, width)
	for i, f := range n.Input.Schema().Fields {
		exprs[i] = &plan.Column{Index: i, T: f.Type, Name: f.Name}
	}
	var conds []plan.Expr
	for _, x := range chain {
		switch x := x.(type) {
		case *plan.Project:
			for _, e := range x.Exprs {
				if !plan.Pure(e) {
					return nil, 0, none, false
				}
			}
			sub := func(e plan.Expr) plan.Expr {
				return plan.Rewrite(e, func(e plan.Expr) plan.Expr {
					if c, ok := e.(*plan.Column); ok {
						return x.Exprs[c.Index]
					}
					return e
				})
			}
			for i := range exprs {
				exprs[i] = sub(exprs[i])
			}
			for i := range conds {
				conds[i] = sub(conds[i])
			}
		case *plan.Filter:
			conds = append(conds, x.Cond)
		}
	}
	in := w.win.Input
	inner := len(in.Schema().Fields)
	usesWindow := func(e plan.Expr) bool {
		set := map[int]bool{}
		plan.Columns(e, set)
		for c := range set {
			if c >= inner {
				return true
			}
		}
		return false
	}
	for _, c := range conds {
		if usesWindow(c) {
			return nil, 0, none, false
		}
	}
	if w.win.Kind == plan.Session {
		// The sessions are those of the partition columns: grouping must be by the same.
		var part []int
		for _, k := range keys {
			c, ok := exprs[k].(*plan.Column)
			if !ok {
				return nil, 0, none, false
			}
			part = append(part, c.Index)
		}
		if !sameSet(part, w.win.Partition) {
			return nil, 0, none, false
		}
	}
	// The columns that are read, then the time.
	var out []plan.Expr
	var fields []types.Field
	at := map[int]int{}
	place := func(c int) (int, bool) {
		if i, ok := at[c]; ok {
			return i, true
		}
		if usesWindow(exprs[c]) {
			return 0, false
		}
		at[c] = len(out)
		out = append(out, exprs[c])
		fields = append(fields, types.Field{Name: n.Input.Schema().Fields[c].Name, Type: exprs[c].Type().Plain()})
		return at[c], true
	}
	f := fused{}
	for _, k := range keys {
		i, ok := place(k)
		if !ok {
			return nil, 0, none, false
		}
		f.keys = append(f.keys, i)
	}
	for _, c := range n.Calls {
		c.Args = slices.Clone(c.Args)
		for i, a := range c.Args {
			p, ok := place(a)
			if !ok {
				return nil, 0, none, false
			}
			c.Args[i] = p
		}
		if c.Filter >= 0 {
			p, ok := place(c.Filter)
			if !ok {
				return nil, 0, none, false
			}
			c.Filter = p
		}
		f.calls = append(f.calls, c)
	}
	// What a sink of late rows asks for.
	if late := plan.LateOf(w.win); late != nil {
		for i, c := range in.Schema().Fields {
			if late.From.Out.Index(c.Name) >= 0 && !slices.ContainsFunc(fields, func(f types.Field) bool { return f.Name == c.Name }) && i != w.win.Time {
				out = append(out, &plan.Column{Index: i, T: c.Type, Name: c.Name})
				fields = append(fields, types.Field{Name: c.Name, Type: c.Type.Plain()})
			}
		}
	}
	time := len(out)
	tf := in.Schema().Fields[w.win.Time]
	out = append(out, &plan.Column{Index: w.win.Time, T: tf.Type, Name: tf.Name})
	fields = append(fields, tf)
	if len(conds) > 0 {
		slices.Reverse(conds) // the lower filter first
		in = &plan.Filter{Input: in, Cond: plan.AndOf(conds)}
	}
	return &plan.Project{Input: in, Exprs: out, Out: types.NewSchema(fields...)}, time, f, true
}

// below returns the projections and filters between n and the window function
// below it, from the top; ok is false if something else lies between.
func below(n plan.Node) (chain []plan.Node, ok bool) {
	for {
		switch x := n.(type) {
		case *plan.Window:
			return chain, true
		case *plan.Project:
			chain = append(chain, x)
			n = x.Input
		case *plan.Filter:
			chain = append(chain, x)
			n = x.Input
		default:
			return nil, false
		}
	}
}

// windowJoin describes a join on equal windows of both sides; ok is false for others.
func windowJoin(j *plan.Join) (WindowJoin, bool) {
	l, r := windowOf(j.Left), windowOf(j.Right)
	if l == nil || r == nil || l.end < 0 || r.end < 0 || l.start < 0 || r.start < 0 {
		return WindowJoin{}, false
	}
	if l.win.Kind != r.win.Kind || l.win.Size != r.win.Size || l.win.Slide != r.win.Slide || l.win.Offset != r.win.Offset {
		return WindowJoin{}, false
	}
	s := WindowJoin{Join: j, LeftEnd: l.end, RightEnd: r.end, LeftStart: l.start, RStart: r.start}
	s.Proctime, s.Local = timeOf(l.win)
	start, end := false, false
	for i := range j.LeftKeys {
		switch a, b := j.LeftKeys[i], j.RightKeys[i]; {
		case a == l.start && b == r.start:
			start = true
		case a == l.end && b == r.end:
			end = true
		default:
			s.LeftKeys, s.RightKeys = append(s.LeftKeys, a), append(s.RightKeys, b)
			safe := i < len(j.NullSafe) && j.NullSafe[i]
			s.NullSafe = append(s.NullSafe, safe)
		}
	}
	return s, start && end
}

// rank plans Top-N and deduplication.
func (b *builder) rank(n *plan.Rank) (*Op, error) {
	if w := windowOf(n.Input); w != nil && w.start >= 0 && w.end >= 0 && slices.Contains(n.Partition, w.start) && slices.Contains(n.Partition, w.end) {
		s := WindowRank{Rank: n, Start: w.start, End: w.end, FlushAtEnd: b.opts.Emit.FlushAtEnd}
		s.Proctime, s.Local = timeOf(w.win)
		for _, p := range n.Partition {
			if p != w.start && p != w.end && p != w.time {
				s.Partition = append(s.Partition, p)
			}
		}
		return b.add(n, s, n.Input)
	}
	if n.Limit <= 0 {
		return nil, diag.At(n.Span, diag.Unsupported, "ROW_NUMBER needs an upper bound: WHERE rn <= n")
	}
	return b.add(n, TopN{Rank: n}, n.Input)
}

// over plans OVER, which in rows as they come can follow time alone.
func (b *builder) over(n *plan.Over) (*Op, error) {
	if len(n.Order) == 0 || n.Order[0].Desc || n.Input.Schema().Fields[n.Order[0].Column].Type.Attr == types.NoTime {
		err := diag.At(n.Span, diag.Unsupported, "OVER needs ORDER BY a time attribute, ascending")
		if len(n.Order) > 0 && slices.ContainsFunc(n.Calls, func(c plan.AggCall) bool { return c.Fn.Name == "ROW_NUMBER" }) {
			err.Hint("by other columns the first rows can be kept: ROW_NUMBER() in a sub-query and, around it, WHERE rn <= 10")
		}
		return nil, err
	}
	return b.add(n, Over{Over: n}, n.Input)
}

// TopN keeps the first rows of each partition by an order, kept up to date.
type TopN struct {
	Rank         *plan.Rank
	Retracts     bool
	UpdateBefore bool
	// Key is what identifies a row in an updating input, nil if unknown.
	InputKey []int
}

// Over computes aggregates over frames of rows.
type Over struct{ Over *plan.Over }

// Kind names the operators in EXPLAIN and metrics.
func (t TopN) Kind() string {
	if t.Dedup() {
		return "Deduplicate"
	}
	return "Rank"
}

// Kind names the operator in EXPLAIN and metrics.
func (Over) Kind() string { return "OverAggregate" }

// First tells that the first row a partition is kept by event time: in streams of
// insertions it comes out once, when the watermark has passed it.
func (t TopN) First() bool {
	return t.Dedup() && !t.Rank.Order[0].Desc && t.Rank.Input.Schema().Fields[t.Rank.Order[0].Column].Type.Attr == types.Rowtime
}

// Dedup tells that one row a partition is kept by a time attribute.
func (t TopN) Dedup() bool {
	r := t.Rank
	return r.Limit == 1 && r.Offset == 0 && !r.Number && len(r.Order) == 1 &&
		r.Input.Schema().Fields[r.Order[0].Column].Type.Attr != types.NoTime
}
