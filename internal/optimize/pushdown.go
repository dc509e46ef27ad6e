package optimize

import (
	"slices"

	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
)

// pushdown moves conditions towards the sources: through projections, unions,
// joins (to the sides that are not padded), aggregates (conditions on keys), and
// into scans, which evaluate them before they decode the other columns.
func pushdown(_ *Options, n plan.Node) (plan.Node, error) {
	// Top down: a filter goes as deep as it can before its input is looked at.
	var down func(n plan.Node) plan.Node
	done := map[plan.Node]plan.Node{}
	down = func(n plan.Node) plan.Node {
		if r, ok := done[n]; ok {
			return r
		}
		old := n
		if f, ok := n.(*plan.Filter); ok {
			n = sink(f.Input, plan.Conjuncts(f.Cond))
		}
		in := n.Inputs()
		if _, still := n.(*plan.Filter); still && n == old {
			in = n.Inputs()
		}
		if len(in) > 0 {
			next := make([]plan.Node, len(in))
			changed := false
			for i, c := range in {
				next[i] = down(c)
				changed = changed || next[i] != c
			}
			if changed {
				n = n.WithInputs(next)
			}
		}
		done[old] = n
		return n
	}
	return down(n), nil
}

// sink puts conjuncts as far below n as they can go and returns what n becomes.
func sink(n plan.Node, conds []plan.Expr) plan.Node {
	if len(conds) == 0 {
		return n
	}
	switch x := n.(type) {
	case *plan.Filter:
		return sink(x.Input, append(plan.Conjuncts(x.Cond), conds...))
	case *plan.Project:
		below, here := split(conds, func(c plan.Expr) bool {
			if !plan.Pure(c) {
				return false
			}
			reads := map[int]bool{}
			plan.Columns(c, reads)
			for i := range reads {
				if !plan.Pure(x.Exprs[i]) {
					return false
				}
			}
			return true
		})
		if len(below) == 0 {
			return keep(n, conds)
		}
		p := *x
		p.Input = sink(x.Input, substituteAll(below, x.Exprs))
		return keep(&p, here)
	case *plan.SetOp:
		if x.Op != plan.Union {
			return keep(n, conds)
		}
		u := *x
		u.In = make([]plan.Node, len(x.In))
		for i, in := range x.In {
			u.In[i] = sink(in, conds)
		}
		return &u
	case *plan.Aggregate:
		below, here := split(conds, func(c plan.Expr) bool {
			return plan.Pure(c) && len(x.Keys) > 0 && within(c, 0, len(x.Keys))
		})
		if len(below) == 0 {
			return keep(n, conds)
		}
		a := *x
		for i, c := range below {
			below[i] = plan.Remap(c, func(k int) int { return x.Keys[k] })
		}
		a.Input = sink(x.Input, below)
		return keep(&a, here)
	case *plan.Join:
		return sinkJoin(x, conds)
	case *plan.Correlate:
		left := len(x.Input.Schema().Fields)
		below, here := split(conds, func(c plan.Expr) bool { return plan.Pure(c) && within(c, 0, left) })
		if len(below) == 0 {
			return keep(n, conds)
		}
		c := *x
		c.Input = sink(x.Input, below)
		return keep(&c, here)
	case *plan.Scan:
		return sinkScan(x, conds)
	}
	// Not below a Watermark: dropped rows advance the watermark too.
	return keep(n, conds)
}

func keep(n plan.Node, conds []plan.Expr) plan.Node {
	if len(conds) == 0 {
		return n
	}
	return &plan.Filter{Input: n, Cond: plan.AndOf(conds)}
}

func split(conds []plan.Expr, to func(plan.Expr) bool) (yes, no []plan.Expr) {
	for _, c := range conds {
		if to(c) {
			yes = append(yes, c)
		} else {
			no = append(no, c)
		}
	}
	return yes, no
}

// within tells whether all columns of c are in [from, to).
func within(c plan.Expr, from, to int) bool {
	reads := map[int]bool{}
	plan.Columns(c, reads)
	for i := range reads {
		if i < from || i >= to {
			return false
		}
	}
	return len(reads) > 0
}

// sinkJoin pushes a condition to a side where dropping the side's rows first
// gives the same: the left side unless it can be padded, likewise the right.
func sinkJoin(j *plan.Join, conds []plan.Expr) plan.Node {
	nl := len(j.Left.Schema().Fields)
	nr := len(j.Right.Schema().Fields)
	toLeft := j.Kind == plan.Inner || j.Kind == plan.Left || j.Kind == plan.Semi || j.Kind == plan.Anti
	toRight := j.Kind == plan.Inner || j.Kind == plan.Right
	if j.Single {
		toRight = false // a dropped second row would hide the error
	}
	left, rest := split(conds, func(c plan.Expr) bool { return toLeft && plan.Pure(c) && within(c, 0, nl) })
	right, rest := split(rest, func(c plan.Expr) bool { return toRight && plan.Pure(c) && within(c, nl, nl+nr) })
	// Of an inner join the rest belongs to the join: equalities become keys.
	if j.Kind == plan.Inner && !j.Single {
		var own []plan.Expr
		own, rest = split(rest, plan.Pure)
		if len(own) > 0 {
			return keep(sinkJoinSides(rekey(j, own), left, right, nl), rest)
		}
	}
	if len(left) == 0 && len(right) == 0 {
		return keep(j, conds)
	}
	return keep(sinkJoinSides(j, left, right, nl), rest)
}

// rekey is the inner join j with more conditions. The result may be a projection
// on a join; the columns are j's.
func rekey(j *plan.Join, more []plan.Expr) plan.Node {
	nl := len(j.Left.Schema().Fields)
	boolean := types.Of(types.Boolean)
	var conds []outerCond
	for i := range j.LeftKeys {
		l, r := j.Out.Fields[j.LeftKeys[i]], j.Out.Fields[nl+j.RightKeys[i]]
		op := plan.Eq
		if j.NullSafe[i] {
			op = plan.NotDistinct
		}
		conds = append(conds, outerCond{expr: &plan.OpExpr{Op: op, T: boolean, Args: []plan.Expr{
			&plan.Column{Index: j.LeftKeys[i], T: l.Type, Name: l.Name}, &plan.Column{Index: nl + j.RightKeys[i], T: r.Type, Name: r.Name}}}})
	}
	if j.Cond != nil {
		more = append(plan.Conjuncts(j.Cond), more...)
	}
	for _, c := range more {
		conds = append(conds, outerCond{expr: c})
	}
	n := makeJoin(plan.Inner, j.Left, j.Right, conds, false, j.Span)
	made := n
	if p, ok := made.(*plan.Project); ok {
		made = p.Input
	}
	if x, ok := made.(*plan.Join); ok {
		x.TTL = j.TTL // just made: nobody else has it
	}
	return n
}

// sinkJoinSides puts conditions on the sides of a join, which n is or projects;
// left and right are over the columns of n, of which the first nl are the left's.
func sinkJoinSides(n plan.Node, left, right []plan.Expr, nl int) plan.Node {
	if p, ok := n.(*plan.Project); ok {
		out := *p
		inner := p.Input.(*plan.Join)
		out.Input = sinkJoinSides(inner, substituteAll(left, p.Exprs), substituteAll(right, p.Exprs), len(inner.Left.Schema().Fields))
		return &out
	}
	j := n.(*plan.Join)
	if len(left) == 0 && len(right) == 0 {
		return j
	}
	out := *j
	out.Left = sink(j.Left, left)
	for i, c := range right {
		right[i] = plan.Remap(c, func(k int) int { return k - nl })
	}
	out.Right = sink(j.Right, right)
	return &out
}

// sinkScan hands conditions to the scan. A source of a changelog keeps its
// filter above: what it filters must not depend on which half of an update comes.
func sinkScan(s *plan.Scan, conds []plan.Expr) plan.Node {
	if s.Limit > 0 {
		return keep(s, conds)
	}
	below, here := split(conds, func(c plan.Expr) bool { return plan.Pure(c) && (!s.Table.Normalize || byKey(s, c)) })
	if len(below) == 0 {
		return keep(s, conds)
	}
	out := *s
	if s.Filter != nil {
		below = append(plan.Conjuncts(s.Filter), below...)
	}
	out.Filter = plan.AndOf(below)
	return keep(&out, here)
}

// byKey tells whether a condition reads only the primary key: it then holds for
// all changes of a row or for none, and changes that have only the key can be asked.
func byKey(s *plan.Scan, c plan.Expr) bool {
	reads := map[int]bool{}
	plan.Columns(c, reads)
	for i := range reads {
		if !slices.Contains(s.Table.PrimaryKey, s.Wants[i].Column) || len(s.Wants[i].Path) > 0 {
			return false
		}
	}
	return true
}

// strengthen turns outer joins into stricter ones where a filter above drops
// every padded row.
func strengthen(_ *Options, n plan.Node) (plan.Node, error) {
	return rewrite(n, func(n plan.Node) (plan.Node, error) {
		f, ok := n.(*plan.Filter)
		if !ok {
			return n, nil
		}
		j, ok := f.Input.(*plan.Join)
		if !ok || j.Kind != plan.Left && j.Kind != plan.Right && j.Kind != plan.Full {
			return n, nil
		}
		nl := len(j.Left.Schema().Fields)
		var rejectsLeft, rejectsRight bool // rows padded on that side are dropped
		for _, c := range plan.Conjuncts(f.Cond) {
			for i := range nullRejected(c) {
				if i < nl {
					rejectsLeft = true
				} else {
					rejectsRight = true
				}
			}
		}
		kind := j.Kind
		if rejectsRight && (kind == plan.Left || kind == plan.Full) {
			kind = map[plan.JoinKind]plan.JoinKind{plan.Left: plan.Inner, plan.Full: plan.Right}[kind]
		}
		if rejectsLeft && (kind == plan.Right || kind == plan.Full) {
			kind = map[plan.JoinKind]plan.JoinKind{plan.Right: plan.Inner, plan.Full: plan.Left}[kind]
		}
		if kind == j.Kind {
			return n, nil
		}
		out := *j
		out.Kind = kind
		return &plan.Filter{Input: &out, Cond: f.Cond}, nil
	})
}

// nullRejected returns columns that cannot be NULL where c is TRUE: those under
// comparisons with nothing between that turns NULL into a value.
func nullRejected(c plan.Expr) map[int]bool {
	out := map[int]bool{}
	o, ok := c.(*plan.OpExpr)
	if !ok {
		return out
	}
	switch o.Op {
	case plan.Eq, plan.Ne, plan.Lt, plan.Le, plan.Gt, plan.Ge, plan.In, plan.IsNotNull:
		for _, a := range o.Args {
			strictColumns(a, out)
		}
	}
	return out
}

func strictColumns(e plan.Expr, out map[int]bool) {
	switch x := e.(type) {
	case *plan.Column:
		out[x.Index] = true
	case *plan.Cast:
		strictColumns(x.X, out)
	case *plan.OpExpr:
		switch x.Op {
		case plan.Add, plan.Sub, plan.Mul, plan.Div, plan.Mod, plan.Neg, plan.Field:
			for _, a := range x.Args {
				strictColumns(a, out)
			}
		}
	}
}
