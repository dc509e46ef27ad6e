package optimize

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
)

// minRules is the number of like queries from which on one Rules node is worth it.
const minRules = 4

// combine makes one query of many that read the same rows and differ in one
// condition and in constants: those of INSERTs into the same table, and those
// under a UNION ALL. Their conditions become a Rules node, their constants its
// columns, and what stands above is done once: windows and aggregates are then
// keyed by the rule too, never an operator a rule.
func combine(roots []plan.Node) []plan.Node {
	roots = oneSink(roots)
	out := make([]plan.Node, len(roots))
	for i, r := range roots {
		// The error of rewrite is f's, which has none.
		out[i], _ = rewrite(r, func(n plan.Node) (plan.Node, error) {
			if u, ok := n.(*plan.SetOp); ok && u.Op == plan.Union && len(u.In) >= minRules {
				return combineUnion(u), nil
			}
			return n, nil
		})
	}
	return out
}

// oneSink makes INSERTs into one table one sink over a UNION ALL, where they are many.
func oneSink(roots []plan.Node) []plan.Node {
	byTable := map[string][]*plan.Sink{}
	tables := map[*plan.Table]string{}
	keys := make([]string, len(roots))
	for i, r := range roots {
		s, ok := r.(*plan.Sink)
		if !ok || s.Table == nil || s.Overwrite || len(s.Static) > 0 {
			continue
		}
		t, known := tables[s.Table]
		if !known {
			t = scanKey(&plan.Scan{Table: s.Table})
			tables[s.Table] = t
		}
		keys[i] = t + "\x00" + schemaKey(s.Input.Schema())
		byTable[keys[i]] = append(byTable[keys[i]], s)
	}
	var out []plan.Node
	done := map[string]bool{}
	for i, r := range roots {
		k := keys[i]
		if len(byTable[k]) < minRules {
			out = append(out, r)
			continue
		}
		s := byTable[k][0]
		if done[k] {
			continue
		}
		done[k] = true
		u := &plan.SetOp{Op: plan.Union, All: true, Out: widest(byTable[k])}
		for _, x := range byTable[k] {
			u.In = append(u.In, x.Input)
		}
		one := *s
		one.Input = u
		out = append(out, &one)
	}
	return out
}

// schemaKey is equal for schemas whose rows can be those of one UNION ALL as they
// are: texts of any length are, and what may be NULL is with what may not.
func schemaKey(s *types.Schema) string {
	var b strings.Builder
	for _, f := range s.Fields {
		if f.Type.IsChar() {
			b.WriteString("text")
		} else {
			b.WriteString(f.Type.WithNull(true).String())
		}
		b.WriteByte(0)
	}
	return b.String()
}

// widest is the schema of a UNION ALL of sinks' inputs with the same schemaKey.
func widest(sinks []*plan.Sink) *types.Schema {
	fields := slices.Clone(sinks[0].Input.Schema().Fields)
	for _, s := range sinks[1:] {
		for i, f := range s.Input.Schema().Fields {
			t := &fields[i].Type
			null := t.Nullable || f.Type.Nullable
			if t.IsChar() && !t.Same(f.Type) {
				*t = types.String()
			}
			*t = t.WithNull(null)
		}
	}
	return types.NewSchema(fields...)
}

// combineUnion replaces groups of like inputs of a UNION ALL.
func combineUnion(u *plan.SetOp) plan.Node {
	groups := map[string][]plan.Node{}
	var order []string
	for _, n := range u.In {
		n = lowered(n)
		k, ok := shape(n)
		if !ok {
			k = fmt.Sprintf("alone %p", n)
		}
		if groups[k] == nil {
			order = append(order, k)
		}
		groups[k] = append(groups[k], n)
	}
	var in []plan.Node
	changed := false
	for _, k := range order {
		g := groups[k]
		if len(g) >= minRules {
			if n, ok := lift(g); ok {
				in = append(in, n)
				changed = true
				continue
			}
		}
		in = append(in, g...)
	}
	switch {
	case !changed:
		return u
	case len(in) == 1:
		return exact(in[0], identityMap(len(u.Out.Fields)), u.Out)
	}
	out := *u
	out.In = in
	return &out
}

// shape is equal for queries that lift can make one of: the same nodes and
// expressions but for literals, down to the lowest filter, whose condition is
// free, and what is below it equal. ok is false for others.
func shape(n plan.Node) (string, bool) {
	var b strings.Builder
	ok := shapeOf(&b, n)
	return b.String(), ok
}

func shapeOf(b *strings.Builder, n plan.Node) bool {
	switch x := n.(type) {
	case *plan.Filter:
		if isRule(x) {
			b.WriteString("rule(")
			ok := equalKey(b, x.Input) && plan.Pure(x.Cond)
			b.WriteByte(')')
			return ok
		}
		fmt.Fprintf(b, "filter[%s](", exprShape(x.Cond))
		if !plan.Pure(x.Cond) || !shapeOf(b, x.Input) {
			return false
		}
	case *plan.Project:
		b.WriteString("project[")
		for _, e := range x.Exprs {
			if !plan.Pure(e) {
				return false
			}
			b.WriteString(exprShape(e))
			b.WriteByte(';')
		}
		b.WriteString("](")
		if !shapeOf(b, x.Input) {
			return false
		}
	case *plan.Window:
		fmt.Fprintf(b, "window[%d %d %d %d %d %v](", x.Kind, x.Time, x.Size, x.Slide, x.Offset, x.Partition)
		if !shapeOf(b, x.Input) {
			return false
		}
	case *plan.Aggregate:
		if len(x.Keys) == 0 { // over no rows it has a result, a rule without rows would have none
			return false
		}
		fmt.Fprintf(b, "aggregate[%v", x.Keys)
		for _, c := range x.Calls {
			fmt.Fprintf(b, "|%s %v %v %t %d %s", c.Fn.Name, c.Args, c.Consts, c.Distinct, c.Filter, c.T)
		}
		b.WriteString("](")
		if !shapeOf(b, x.Input) {
			return false
		}
	default:
		return false
	}
	b.WriteByte(')')
	return true
}

// isRule tells whether a filter is the one whose condition makes the rule: the
// highest one over rows that many queries may read alike.
func isRule(f *plan.Filter) bool {
	var b strings.Builder
	return equalKey(&b, f.Input)
}

// lowered moves filters below the window functions they stand on: where rows get
// their windows one by one, it does not matter which comes first.
func lowered(n plan.Node) plan.Node {
	out, _ := rewrite(n, func(n plan.Node) (plan.Node, error) {
		f, ok := n.(*plan.Filter)
		if !ok {
			return n, nil
		}
		w, ok := f.Input.(*plan.Window)
		if !ok || w.Kind == plan.Session {
			return n, nil
		}
		reads := map[int]bool{}
		plan.Columns(f.Cond, reads)
		for c := range reads {
			if c >= len(w.Input.Schema().Fields) {
				return n, nil
			}
		}
		return w.WithInputs([]plan.Node{&plan.Filter{Input: w.Input, Cond: f.Cond}}), nil
	})
	return out
}

// equalKey is equal for inputs that give the same rows: scans of one table with
// the same projections and watermarks above.
func equalKey(b *strings.Builder, n plan.Node) bool {
	switch x := n.(type) {
	case *plan.Scan:
		if x.Limit > 0 || x.Filter != nil {
			return false
		}
		b.WriteString("scan[" + scanKey(x))
		for _, w := range x.Wants {
			fmt.Fprintf(b, " %d%v", w.Column, w.Path)
		}
		b.WriteByte(']')
		return true
	case *plan.Project:
		b.WriteString("project[")
		for _, e := range x.Exprs {
			if !plan.Pure(e) {
				return false
			}
			b.WriteString(exprText(e, false))
			b.WriteByte(';')
		}
		b.WriteString("](")
		ok := equalKey(b, x.Input)
		b.WriteByte(')')
		return ok
	case *plan.Filter:
		if !plan.Pure(x.Cond) {
			return false
		}
		b.WriteString("filter[" + exprText(x.Cond, false) + "](")
		ok := equalKey(b, x.Input)
		b.WriteByte(')')
		return ok
	case *plan.Watermark:
		fmt.Fprintf(b, "watermark[%d ", x.Column)
		if x.Expr != nil {
			b.WriteString(exprText(x.Expr, false))
		}
		b.WriteString("](")
		ok := equalKey(b, x.Input)
		b.WriteByte(')')
		return ok
	}
	return false
}

func exprShape(e plan.Expr) string { return exprText(e, true) }

// exprText is equal for equal expressions, or, with anyLiteral, for those that
// differ in the values of literals only.
func exprText(e plan.Expr, anyLiteral bool) string {
	var b strings.Builder
	var write func(plan.Expr)
	write = func(e plan.Expr) {
		switch x := e.(type) {
		case *plan.Column:
			b.WriteString("#" + strconv.Itoa(x.Index))
			return
		case *plan.Literal:
			if anyLiteral {
				b.WriteString("?")
				if liftable(x.T) {
					if x.T.IsChar() { // of any length
						b.WriteString("text")
					} else {
						b.WriteString(x.T.String())
					}
					return
				}
			}
			fmt.Fprintf(&b, "'%s %#v", x.T, x.Value)
			return
		case *plan.OpExpr:
			fmt.Fprintf(&b, "op%d.%d", x.Op, x.Index)
		case *plan.Call:
			fmt.Fprintf(&b, "%s:%s", x.Fn.Name, x.Fn.Sig)
		case *plan.Cast:
			fmt.Fprintf(&b, "cast%t:%s", x.Try, x.T)
		default:
			fmt.Fprintf(&b, "%T %p", e, e)
		}
		b.WriteByte('(')
		for _, c := range e.Children() {
			write(c)
			b.WriteByte(',')
		}
		b.WriteByte(')')
	}
	write(e)
	return b.String()
}

// liftable tells which literals can become columns: texts and numbers, as rule
// ids and thresholds are. Texts take the widest type among the rules.
func liftable(t types.Type) bool { return t.IsChar() || t.IsNumeric() || t.Kind == types.Boolean }

// lifter makes one query of several of the same shape.
type lifter struct {
	rules  []plan.Rule
	fields []types.Field
	// at is where the constant columns begin in the node at hand.
	at int
}

// lift returns one query that gives the rows of all nodes, which have the same shape.
func lift(nodes []plan.Node) (plan.Node, bool) {
	l := &lifter{rules: make([]plan.Rule, len(nodes))}
	l.constants(nodes)
	out, to := l.node(nodes)
	if out == nil {
		return nil, false
	}
	want := nodes[0].Schema()
	p := &plan.Project{Input: out}
	fields := make([]types.Field, len(want.Fields))
	for i, f := range want.Fields {
		in := out.Schema().Fields[to[i]]
		fields[i] = types.Field{Name: f.Name, Type: in.Type}
		p.Exprs = append(p.Exprs, &plan.Column{Index: to[i], T: in.Type, Name: f.Name})
	}
	p.Out = types.NewSchema(fields...)
	return p, true
}

// constants gives every rule its number and the values of the literals in which
// the queries differ, in the order node meets them.
func (l *lifter) constants(nodes []plan.Node) {
	number := types.Of(types.Int).NotNull()
	l.fields = append(l.fields, types.Field{Name: "rule", Type: number})
	for i := range nodes {
		l.rules[i].Consts = append(l.rules[i].Consts, int32(i))
	}
	for n := nodes; ; n = inputsOf(n) {
		switch x := n[0].(type) {
		case *plan.Filter:
			if isRule(x) {
				for i := range n {
					l.rules[i].Cond = n[i].(*plan.Filter).Cond
				}
				return
			}
			l.collect(n, func(n plan.Node) []plan.Expr { return []plan.Expr{n.(*plan.Filter).Cond} })
		case *plan.Project:
			l.collect(n, func(n plan.Node) []plan.Expr { return n.(*plan.Project).Exprs })
		}
	}
}

func inputsOf(nodes []plan.Node) []plan.Node {
	out := make([]plan.Node, len(nodes))
	for i, n := range nodes {
		out[i] = n.Inputs()[0]
	}
	return out
}

// collect adds a constant column for each literal that is not the same in all nodes.
func (l *lifter) collect(nodes []plan.Node, exprs func(plan.Node) []plan.Expr) {
	lits := make([][]*plan.Literal, len(nodes))
	for i, n := range nodes {
		for _, e := range exprs(n) {
			plan.Walk(e, func(x plan.Expr) bool {
				if c, ok := x.(*plan.Literal); ok && liftable(c.T) {
					lits[i] = append(lits[i], c)
				}
				return true
			})
		}
	}
	for k := range lits[0] {
		if !differ(lits, k) {
			continue
		}
		t := lits[0][k].T
		for i := range nodes {
			if c, ok := types.Common(t, lits[i][k].T); ok {
				t = c
			}
		}
		if t.IsChar() {
			t = types.String().WithNull(t.Nullable)
		}
		l.fields = append(l.fields, types.Field{Name: "c" + strconv.Itoa(len(l.fields)), Type: t})
		for i := range nodes {
			v := lits[i][k].Value
			if v != nil && !lits[i][k].T.Same(t) && !t.IsChar() {
				w, err := types.CastValue(v, lits[i][k].T, t, nil, false)
				if err == nil {
					v = w
				}
			}
			l.rules[i].Consts = append(l.rules[i].Consts, v)
		}
	}
}

func differ(lits [][]*plan.Literal, k int) bool {
	for _, x := range lits[1:] {
		if x[k].Value != lits[0][k].Value || !x[k].T.Equal(lits[0][k].T) {
			return true
		}
	}
	return false
}

// node builds the query; to says where the columns of nodes[0] are in it. The
// constant columns are consumed from the last on, because building goes from the
// top down and constants were collected the same way.
func (l *lifter) node(nodes []plan.Node) (plan.Node, map[int]int) {
	next := 1 // the first constant behind the rule's number
	return l.build(nodes, &next)
}

func (l *lifter) build(nodes []plan.Node, next *int) (plan.Node, map[int]int) {
	width := func(n plan.Node) int { return len(n.Schema().Fields) }
	switch x := nodes[0].(type) {
	case *plan.Filter:
		if isRule(x) {
			in := x.Input
			r := &plan.Rules{Input: in, Rules: l.rules, Out: types.NewSchema(append(slices.Clone(in.Schema().Fields), l.fields...)...)}
			l.at = width(in)
			return r, identityMap(width(in))
		}
		sub := l.substitution(nodes, func(n plan.Node) []plan.Expr { return []plan.Expr{n.(*plan.Filter).Cond} }, next)
		in, to := l.build(inputsOf(nodes), next)
		return &plan.Filter{Input: in, Cond: sub(x.Cond, to)}, to
	case *plan.Project:
		sub := l.substitution(nodes, func(n plan.Node) []plan.Expr { return n.(*plan.Project).Exprs }, next)
		in, to := l.build(inputsOf(nodes), next)
		p := &plan.Project{Input: in}
		fields := make([]types.Field, 0, len(x.Exprs)+len(l.fields))
		for i, e := range x.Exprs {
			n := sub(e, to)
			p.Exprs = append(p.Exprs, n)
			t := n.Type()
			t.Attr = x.Out.Fields[i].Type.Attr
			fields = append(fields, types.Field{Name: x.Out.Fields[i].Name, Type: t})
		}
		for i, f := range l.fields {
			p.Exprs = append(p.Exprs, &plan.Column{Index: l.at + i, T: f.Type, Name: f.Name})
		}
		p.Out = types.NewSchema(append(fields, l.fields...)...)
		l.at = len(x.Exprs)
		return p, identityMap(len(x.Exprs))
	case *plan.Window:
		in, to := l.build(inputsOf(nodes), next)
		w := *x
		w.Input = in
		w.Time = to[x.Time]
		w.Partition = nil
		for _, p := range x.Partition {
			w.Partition = append(w.Partition, to[p])
		}
		if x.Kind == plan.Session { // the sessions of each rule are its own
			for i := range l.fields {
				w.Partition = append(w.Partition, l.at+i)
			}
		}
		inner := width(x.Input)
		n := width(in)
		w.Out = types.NewSchema(append(slices.Clone(in.Schema().Fields), x.Out.Fields[inner:]...)...)
		at := map[int]int{}
		for i := range x.Out.Fields {
			if i < inner {
				at[i] = to[i]
			} else {
				at[i] = n + i - inner
			}
		}
		return &w, at
	case *plan.Aggregate:
		in, to := l.build(inputsOf(nodes), next)
		a := &plan.Aggregate{Input: in}
		var fields []types.Field
		for i, k := range x.Keys {
			a.Keys = append(a.Keys, to[k])
			fields = append(fields, types.Field{Name: x.Out.Fields[i].Name, Type: x.Out.Fields[i].Type})
		}
		for i, f := range l.fields {
			a.Keys = append(a.Keys, l.at+i)
			fields = append(fields, f)
		}
		at := map[int]int{}
		for i := range x.Out.Fields {
			at[i] = i
			if i >= len(x.Keys) {
				at[i] = i + len(l.fields)
			}
		}
		for i, c := range x.Calls {
			c.Args = slices.Clone(c.Args)
			for j, arg := range c.Args {
				c.Args[j] = to[arg]
			}
			if c.Filter >= 0 {
				c.Filter = to[c.Filter]
			}
			a.Calls = append(a.Calls, c)
			f := x.Out.Fields[len(x.Keys)+i]
			fields = append(fields, f)
		}
		l.at = len(x.Keys)
		a.Out = types.NewSchema(fields...)
		return a, at
	}
	return nil, nil
}

// substitution returns what rewrites an expression of nodes[0] for the combined
// query: literals that differ become constant columns, columns move.
func (l *lifter) substitution(nodes []plan.Node, exprs func(plan.Node) []plan.Expr, next *int) func(plan.Expr, map[int]int) plan.Expr {
	lits := make([][]*plan.Literal, len(nodes))
	for i, n := range nodes {
		for _, e := range exprs(n) {
			plan.Walk(e, func(x plan.Expr) bool {
				if c, ok := x.(*plan.Literal); ok && liftable(c.T) {
					lits[i] = append(lits[i], c)
				}
				return true
			})
		}
	}
	column := map[*plan.Literal]int{}
	for k := range lits[0] {
		if differ(lits, k) {
			column[lits[0][k]] = *next
			*next++
		}
	}
	return func(e plan.Expr, to map[int]int) plan.Expr {
		return plan.Rewrite(e, func(x plan.Expr) plan.Expr {
			switch x := x.(type) {
			case *plan.Literal:
				if i, ok := column[x]; ok {
					return &plan.Column{Index: l.at + i, T: l.fields[i].Type, Name: l.fields[i].Name}
				}
			case *plan.Column:
				if n, ok := to[x.Index]; ok && n != x.Index {
					return &plan.Column{Index: n, T: x.T, Name: x.Name}
				}
			}
			return x
		})
	}
}

// needRules prunes below a Rules node; its constant columns stay.
func needRules(r *plan.Rules, req columns) (plan.Node, map[int]int) {
	width := len(r.Input.Schema().Fields)
	below := columns{}
	for i := range req {
		if i < width {
			below[i] = true
		}
	}
	for _, x := range r.Rules {
		plan.Columns(x.Cond, below)
	}
	in, to := need(r.Input, below)
	out := &plan.Rules{Input: in, Rules: make([]plan.Rule, len(r.Rules))}
	for i, x := range r.Rules {
		out.Rules[i] = x
		out.Rules[i].Cond = plan.Remap(x.Cond, func(c int) int { return to[c] })
	}
	n := len(in.Schema().Fields)
	out.Out = types.NewSchema(append(slices.Clone(in.Schema().Fields), r.Out.Fields[width:]...)...)
	at := map[int]int{}
	for i := range req {
		if i < width {
			at[i] = to[i]
		} else {
			at[i] = n + i - width
		}
	}
	return out, at
}
