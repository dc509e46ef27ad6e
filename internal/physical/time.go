package physical

import (
	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
)

// Match finds rows that fit a pattern.
type Match struct{ Match *plan.Match }

// IntervalJoin joins rows of two append-only inputs whose times are near each
// other: the right row's minus the left row's is from Lower to Upper ms.
type IntervalJoin struct {
	Join                *plan.Join
	LeftTime, RightTime int
	Lower, Upper        int64
	// Proctime tells that the times are those of the clock; FlushAtEnd that rows of
	// outer sides that wait at the end of input come out, padded.
	Proctime, FlushAtEnd bool
}

// TemporalJoin joins rows with the version of the right side valid at their time.
type TemporalJoin struct {
	Join      *plan.Temporal
	RightTime int // the rowtime of versions
}

// Kind names the operators in EXPLAIN and metrics.
func (Match) Kind() string        { return "Match" }
func (IntervalJoin) Kind() string { return "IntervalJoin" }
func (TemporalJoin) Kind() string { return "TemporalJoin" }

// temporal plans a join FOR SYSTEM_TIME AS OF.
func (b *builder) temporal(n *plan.Temporal) (*Op, error) {
	if n.Proctime {
		return b.lookup(n)
	}
	at := -1
	for i, f := range n.Right.Schema().Fields {
		if f.Type.Attr == types.Rowtime {
			at = i
		}
	}
	if at < 0 {
		return nil, diag.At(n.Span, diag.Unsupported, "FOR SYSTEM_TIME AS OF event time needs a right side with event time, by which its versions are told apart").
			Hint("declare a WATERMARK on it")
	}
	return b.add(n, TemporalJoin{Join: n, RightTime: at}, n.Left, n.Right)
}

// versioned checks that the right side of a temporal join has one row a key at any time.
func versioned(o *Op, s TemporalJoin) error {
	key := versionKey(o.Inputs[1].From)
	missing := key == nil
	for _, k := range key {
		found := false
		for _, r := range s.Join.RightKeys {
			found = found || r == k
		}
		missing = missing || !found
	}
	if missing {
		return diag.At(s.Join.Span, diag.Unsupported, "the right side of a join FOR SYSTEM_TIME AS OF event time needs a primary key that the condition compares").
			Hint("PRIMARY KEY (…) NOT ENFORCED on the table, or a view that keeps the last row of each key: ROW_NUMBER() OVER (PARTITION BY key ORDER BY time DESC) = 1")
	}
	return nil
}

// interval describes a join whose condition bounds the distance of the
// rowtimes of both sides; ok is false for others.
func interval(j *plan.Join) (IntervalJoin, bool) {
	s := IntervalJoin{Join: j, LeftTime: -1, RightTime: -1}
	if j.Kind == plan.Semi || j.Kind == plan.Anti || j.Single {
		return s, false
	}
	if s, ok := intervalOf(j, types.Rowtime); ok {
		return s, true
	}
	s, ok := intervalOf(j, types.Proctime)
	s.Proctime = true
	return s, ok
}

// intervalOf is interval for times of one kind.
func intervalOf(j *plan.Join, attr types.TimeAttr) (IntervalJoin, bool) {
	s := IntervalJoin{Join: j, LeftTime: -1, RightTime: -1}
	nl := len(j.Left.Schema().Fields)
	rowtime := func(n plan.Node, c int) bool { return n.Schema().Fields[c].Type.Attr == attr }
	lower, upper := int64(-unbounded), int64(unbounded)
	use := func(l, r int, lo, hi int64) {
		if s.LeftTime >= 0 && (s.LeftTime != l || s.RightTime != r) {
			return // bounds on other pairs of times stay conditions
		}
		s.LeftTime, s.RightTime = l, r
		lower, upper = max(lower, lo), min(upper, hi)
	}
	for i := range j.LeftKeys {
		if rowtime(j.Left, j.LeftKeys[i]) && rowtime(j.Right, j.RightKeys[i]) {
			use(j.LeftKeys[i], j.RightKeys[i], 0, 0)
		}
	}
	if j.Cond != nil {
		for _, c := range plan.Conjuncts(j.Cond) {
			op, ok := c.(*plan.OpExpr)
			if !ok || len(op.Args) != 2 {
				continue
			}
			a, da, ok1 := shifted(op.Args[0])
			b, db, ok2 := shifted(op.Args[1])
			if !ok1 || !ok2 {
				continue
			}
			cmp := op.Op
			if a >= nl && b < nl {
				a, b, da, db = b, a, db, da
				cmp = map[plan.Op]plan.Op{plan.Eq: plan.Eq, plan.Lt: plan.Gt, plan.Le: plan.Ge, plan.Gt: plan.Lt, plan.Ge: plan.Le}[cmp]
			}
			if a >= nl || b < nl || !rowtime(j.Left, a) || !rowtime(j.Right, b-nl) {
				continue
			}
			// left + da cmp right + db: right - left against da - db.
			d := da - db
			switch cmp {
			case plan.Eq:
				use(a, b-nl, d, d)
			case plan.Lt:
				use(a, b-nl, d+1, unbounded)
			case plan.Le:
				use(a, b-nl, d, unbounded)
			case plan.Gt:
				use(a, b-nl, -unbounded, d-1)
			case plan.Ge:
				use(a, b-nl, -unbounded, d)
			}
		}
	}
	s.Lower, s.Upper = lower, upper
	return s, s.LeftTime >= 0 && lower > -unbounded && upper < unbounded
}

// unbounded is further apart than any two times, in ms.
const unbounded = 1 << 60

// shifted takes a column plus or minus a constant interval apart.
func shifted(e plan.Expr) (column int, by int64, ok bool) {
	switch x := e.(type) {
	case *plan.Column:
		return x.Index, 0, true
	case *plan.Cast:
		// Between timestamps of any precision: the times compared are those of the rowtime columns, in ms.
		if x.X.Type().Kind == x.T.Kind && x.T.IsTimestamp() && x.T.Prec >= 3 {
			return shifted(x.X)
		}
	case *plan.OpExpr:
		if x.Op != plan.Add && x.Op != plan.Sub || len(x.Args) != 2 {
			return 0, 0, false
		}
		if x.Args[1].Type().Kind != types.IntervalDS {
			return 0, 0, false
		}
		column, by, ok = shifted(x.Args[0])
		l, lit := x.Args[1].(*plan.Literal) // constants are folded before
		if !ok || !lit {
			return 0, 0, false
		}
		ms, isInt := l.Value.(int64)
		if !isInt {
			return 0, 0, false
		}
		if x.Op == plan.Sub {
			ms = -ms
		}
		return column, by + ms, true
	}
	return 0, 0, false
}
