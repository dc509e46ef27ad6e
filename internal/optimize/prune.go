package optimize

import (
	"slices"

	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
)

// prune takes away columns nobody reads, from the sinks down to the scans: a
// source then decodes only what is needed, of a ROW column only the fields.
func prune(_ *Options, n plan.Node) (plan.Node, error) {
	out, to := need(n, all(n))
	return exact(out, to, n.Schema()), nil
}

type columns map[int]bool

func all(n plan.Node) columns {
	c := columns{}
	for i := range n.Schema().Fields {
		c[i] = true
	}
	return c
}

// exact puts a projection on n so that it has the columns of want in its order
// again, where n, whose columns moved as to says, has not.
func exact(n plan.Node, to map[int]int, want *types.Schema) plan.Node {
	in := n.Schema()
	same := len(in.Fields) == len(want.Fields)
	for i := range want.Fields {
		same = same && to[i] == i
	}
	if same {
		return n
	}
	p := &plan.Project{Input: n, Out: want}
	for i, f := range want.Fields {
		p.Exprs = append(p.Exprs, &plan.Column{Index: to[i], T: in.Fields[to[i]].Type, Name: f.Name})
	}
	return p
}

// whole prunes below n but keeps all of n's columns where they are.
func whole(n plan.Node) plan.Node {
	out, to := need(n, all(n))
	return exact(out, to, n.Schema())
}

// need returns n with at least the columns of req, and where each of them is now.
func need(n plan.Node, req columns) (plan.Node, map[int]int) {
	switch x := n.(type) {
	case *plan.Scan:
		return needScan(x, req)
	case *plan.Project:
		return needProject(x, req)
	case *plan.Filter:
		below := columns{}
		for i := range req {
			below[i] = true
		}
		plan.Columns(x.Cond, below)
		in, to := need(x.Input, below)
		return &plan.Filter{Input: in, Cond: plan.Remap(x.Cond, func(i int) int { return to[i] })}, to
	case *plan.Aggregate:
		return needAggregate(x, req)
	case *plan.Rules:
		return needRules(x, req)
	case *plan.Join:
		return needJoin(x, req)
	case *plan.SetOp:
		out := *x
		out.In = make([]plan.Node, len(x.In))
		if x.Op != plan.Union {
			for i, in := range x.In {
				out.In[i] = whole(in)
			}
			return &out, identityMap(len(x.Out.Fields))
		}
		to, fields := keepColumns(x.Out, req)
		out.Out = types.NewSchema(fields...)
		for i, in := range x.In {
			pruned, at := need(in, req)
			moved := map[int]int{}
			for old, now := range to {
				moved[now] = at[old]
			}
			out.In[i] = exact(pruned, moved, schemaOf(in, req))
		}
		return &out, to
	case *plan.Sort:
		below := columns{}
		for i := range req {
			below[i] = true
		}
		for _, k := range x.Keys {
			below[k.Column] = true
		}
		if len(x.Keys) > 0 && x.Input.Schema().Fields[x.Keys[0].Column].Type.Attr == types.Rowtime {
			wanted(plan.LateOf(x.Input), x.Input, below)
		}
		in, to := need(x.Input, below)
		out := *x
		out.Input = in
		out.Keys = slices.Clone(x.Keys)
		for i := range out.Keys {
			out.Keys[i].Column = to[out.Keys[i].Column]
		}
		return &out, to
	case *plan.Correlate:
		return needCorrelate(x, req)
	case *plan.Watermark:
		return needWatermark(x, req)
	case *plan.Window:
		return needWindow(x, req)
	case *plan.Over:
		return needOver(x, req)
	case *plan.Rank:
		return needRank(x, req)
	case *plan.Temporal:
		return needTemporal(x, req)
	}
	in := n.Inputs()
	if len(in) == 0 {
		return n, identityMap(len(n.Schema().Fields))
	}
	next := make([]plan.Node, len(in))
	for i, c := range in {
		next[i] = whole(c)
	}
	return n.WithInputs(next), identityMap(len(n.Schema().Fields))
}

func identityMap(n int) map[int]int {
	m := make(map[int]int, n)
	for i := range n {
		m[i] = i
	}
	return m
}

// keepColumns returns the fields of s in req and their new places.
func keepColumns(s *types.Schema, req columns) (map[int]int, []types.Field) {
	to := map[int]int{}
	var fields []types.Field
	for i, f := range s.Fields {
		if req[i] {
			to[i] = len(fields)
			fields = append(fields, f)
		}
	}
	return to, fields
}

func schemaOf(n plan.Node, req columns) *types.Schema {
	_, fields := keepColumns(n.Schema(), req)
	return types.NewSchema(fields...)
}

func needProject(p *plan.Project, req columns) (plan.Node, map[int]int) {
	to, fields := keepColumns(p.Out, req)
	out := &plan.Project{Out: types.NewSchema(fields...)}
	for i, e := range p.Exprs {
		if req[i] {
			out.Exprs = append(out.Exprs, e)
		}
	}
	if s, ok := p.Input.(*plan.Scan); ok {
		scan, exprs := fieldsOnly(s, out.Exprs)
		out.Exprs = exprs
		p = &plan.Project{Input: scan}
	}
	below := columns{}
	for _, e := range out.Exprs {
		plan.Columns(e, below)
	}
	in, at := need(p.Input, below)
	for i, e := range out.Exprs {
		out.Exprs[i] = plan.Remap(e, func(c int) int { return at[c] })
	}
	out.Input = in
	return out, to
}

func needScan(s *plan.Scan, req columns) (plan.Node, map[int]int) {
	wanted := columns{}
	for i := range req {
		wanted[i] = true
	}
	if s.Filter != nil {
		plan.Columns(s.Filter, wanted)
	}
	if s.Table.Normalize { // rows are told apart by it
		for i, w := range s.Wants {
			if slices.Contains(s.Table.PrimaryKey, w.Column) {
				wanted[i] = true
			}
		}
	}
	to, fields := keepColumns(s.Out, wanted)
	out := *s
	out.Out = types.NewSchema(fields...)
	out.Wants = nil
	for i, w := range s.Wants {
		if wanted[i] {
			out.Wants = append(out.Wants, w)
		}
	}
	if s.Filter != nil {
		out.Filter = plan.Remap(s.Filter, func(c int) int { return to[c] })
	}
	return &out, to
}

// fieldsOnly replaces ROW columns of s that are read only through fields, by the
// scan's filter and exprs together, with those fields.
func fieldsOnly(s *plan.Scan, exprs []plan.Expr) (*plan.Scan, []plan.Expr) {
	paths := map[int][][]int{} // column -> field paths read; nil entry: read as a whole
	seen := map[int]bool{}
	wholeCols := map[int]bool{}
	note := func(e plan.Expr) {
		plan.Walk(e, func(x plan.Expr) bool {
			if col, path := fieldAccess(x); len(path) > 0 {
				seen[col] = true
				paths[col] = append(paths[col], path)
				return false
			}
			if c, ok := x.(*plan.Column); ok {
				wholeCols[c.Index] = true
			}
			return true
		})
	}
	if s.Filter != nil {
		note(s.Filter)
	}
	for _, e := range exprs {
		note(e)
	}
	type place struct {
		col  int
		path string
	}
	where := map[place]int{}
	out := *s
	out.Wants, out.Out = nil, nil
	var fields []types.Field
	at := map[int]int{}
	for i, w := range s.Wants {
		if !seen[i] || wholeCols[i] {
			at[i] = len(fields)
			fields = append(fields, s.Out.Fields[i])
			out.Wants = append(out.Wants, w)
			continue
		}
		for _, path := range shortest(paths[i]) {
			t, names := follow(s.Out.Fields[i].Type, path)
			where[place{i, pathKey(path)}] = len(fields)
			name := s.Out.Fields[i].Name
			for _, n := range names {
				name += "." + n
			}
			fields = append(fields, types.Field{Name: name, Type: t})
			out.Wants = append(out.Wants, format.Want{Column: w.Column, Path: append(slices.Clone(w.Path), names...), Type: t})
		}
	}
	if len(where) == 0 {
		return s, exprs
	}
	out.Out = types.NewSchema(fields...)
	var change func(e plan.Expr) plan.Expr
	change = func(e plan.Expr) plan.Expr {
		if col, path := fieldAccess(e); len(path) > 0 {
			for n := len(path); n > 0; n-- {
				if i, ok := where[place{col, pathKey(path[:n])}]; ok {
					if n == len(path) {
						return &plan.Column{Index: i, T: fields[i].Type, Name: fields[i].Name}
					}
					o := e.(*plan.OpExpr)
					return o.WithChildren([]plan.Expr{change(o.Args[0])})
				}
			}
		}
		if c, ok := e.(*plan.Column); ok {
			return &plan.Column{Index: at[c.Index], T: c.T, Name: c.Name}
		}
		children := e.Children()
		if len(children) == 0 {
			return e
		}
		next := make([]plan.Expr, len(children))
		for i, c := range children {
			next[i] = change(c)
		}
		return e.WithChildren(next)
	}
	if s.Filter != nil {
		out.Filter = change(s.Filter)
	}
	changed := make([]plan.Expr, len(exprs))
	for i, e := range exprs {
		changed[i] = change(e)
	}
	return &out, changed
}

// fieldAccess takes col.a.b apart; path is empty if e is something else.
func fieldAccess(e plan.Expr) (col int, path []int) {
	for {
		o, ok := e.(*plan.OpExpr)
		if !ok || o.Op != plan.Field {
			break
		}
		path = append(path, o.Index)
		e = o.Args[0]
	}
	c, ok := e.(*plan.Column)
	if !ok {
		return 0, nil
	}
	slices.Reverse(path)
	return c.Index, path
}

// shortest drops paths that lie below another.
func shortest(paths [][]int) [][]int {
	slices.SortFunc(paths, slices.Compare)
	var out [][]int
	for _, p := range paths {
		if n := len(out); n > 0 && len(p) >= len(out[n-1]) && slices.Equal(p[:len(out[n-1])], out[n-1]) {
			continue
		}
		out = append(out, p)
	}
	return out
}

func pathKey(p []int) string {
	b := make([]byte, 0, 2*len(p))
	for _, i := range p {
		b = append(b, byte(i>>8), byte(i))
	}
	return string(b)
}

// follow returns the type at the end of a path, nullable where a row on the way
// is, and the fields' names.
func follow(t types.Type, path []int) (types.Type, []string) {
	var names []string
	nullable := false
	for _, i := range path {
		nullable = nullable || t.Nullable
		names = append(names, t.Fields[i].Name)
		t = t.Fields[i].Type
	}
	if nullable {
		t = t.OrNull()
	}
	return t, names
}

func needAggregate(a *plan.Aggregate, req columns) (plan.Node, map[int]int) {
	out := *a
	out.Calls = nil
	fields := slices.Clone(a.Out.Fields[:len(a.Keys)])
	to := identityMap(len(a.Keys))
	below := columns{}
	for _, k := range a.Keys {
		below[k] = true
	}
	for i, c := range a.Calls {
		at := len(a.Keys) + i
		if !req[at] {
			continue
		}
		to[at] = len(fields)
		fields = append(fields, a.Out.Fields[at])
		out.Calls = append(out.Calls, c)
		for _, x := range c.Args {
			below[x] = true
		}
		if c.Filter >= 0 {
			below[c.Filter] = true
		}
	}
	in, at := need(a.Input, below)
	out.Input = in
	out.Keys = make([]int, len(a.Keys))
	for i, k := range a.Keys {
		out.Keys[i] = at[k]
	}
	for i := range out.Calls {
		c := &out.Calls[i]
		args := make([]int, len(c.Args))
		for k, x := range c.Args {
			args[k] = at[x]
		}
		c.Args = args
		if c.Filter >= 0 {
			c.Filter = at[c.Filter]
		}
	}
	out.Out = types.NewSchema(fields...)
	return &out, to
}

func needJoin(j *plan.Join, req columns) (plan.Node, map[int]int) {
	nl := len(j.Left.Schema().Fields)
	left, right := columns{}, columns{}
	put := func(i int) {
		if i < nl {
			left[i] = true
		} else {
			right[i-nl] = true
		}
	}
	for i := range req {
		put(i)
	}
	for _, k := range j.LeftKeys {
		left[k] = true
	}
	for _, k := range j.RightKeys {
		right[k] = true
	}
	if j.Cond != nil {
		c := columns{}
		plan.Columns(j.Cond, c)
		for i := range c {
			put(i)
		}
	}
	wanted(ofLate(j, j.Left), j.Left, left)
	wanted(ofLate(j, j.Right), j.Right, right)
	out := *j
	var lt, rt map[int]int
	out.Left, lt = need(j.Left, left)
	out.Right, rt = need(j.Right, right)
	ln := len(out.Left.Schema().Fields)
	to := map[int]int{}
	for i, now := range lt {
		to[i] = now
	}
	for i, now := range rt {
		to[nl+i] = ln + now
	}
	out.LeftKeys, out.RightKeys = make([]int, len(j.LeftKeys)), make([]int, len(j.RightKeys))
	for i, k := range j.LeftKeys {
		out.LeftKeys[i] = lt[k]
	}
	for i, k := range j.RightKeys {
		out.RightKeys[i] = rt[k]
	}
	if j.Cond != nil {
		out.Cond = plan.Remap(j.Cond, func(i int) int { return to[i] })
	}
	out.Out = joinSchema(&out)
	return &out, to
}

// joinSchema is left ++ right, or left, with the padded side nullable.
func joinSchema(j *plan.Join) *types.Schema {
	l, r := j.Left.Schema().Fields, j.Right.Schema().Fields
	if j.Kind == plan.Semi || j.Kind == plan.Anti {
		return types.NewSchema(l...)
	}
	fields := make([]types.Field, 0, len(l)+len(r))
	for _, f := range l {
		if j.Kind == plan.Right || j.Kind == plan.Full {
			f.Type = f.Type.OrNull()
		}
		fields = append(fields, f)
	}
	for _, f := range r {
		if j.Kind == plan.Left || j.Kind == plan.Full {
			f.Type = f.Type.OrNull()
		}
		fields = append(fields, f)
	}
	// Time attributes stay only where the join had them.
	had := map[string]bool{}
	if j.Out != nil {
		for _, f := range j.Out.Fields {
			had[f.Name] = had[f.Name] || f.Type.Attr == types.Rowtime
		}
	}
	for i := range fields {
		if !had[fields[i].Name] && fields[i].Type.Attr == types.Rowtime {
			fields[i].Type = fields[i].Type.Plain()
		}
	}
	return types.NewSchema(fields...)
}

func needCorrelate(c *plan.Correlate, req columns) (plan.Node, map[int]int) {
	nl := len(c.Input.Schema().Fields)
	below := columns{}
	for i := range req {
		if i < nl {
			below[i] = true
		}
	}
	for _, a := range c.Args {
		plan.Columns(a, below)
	}
	if c.Cond != nil {
		cond := columns{}
		plan.Columns(c.Cond, cond)
		for i := range cond {
			if i < nl {
				below[i] = true
			}
		}
	}
	out := *c
	in, at := need(c.Input, below)
	out.Input = in
	fields := slices.Clone(in.Schema().Fields)
	to := map[int]int{}
	for i, now := range at {
		to[i] = now
	}
	for i, f := range c.Out.Fields[nl:] {
		to[nl+i] = len(fields)
		fields = append(fields, f)
	}
	out.Args = make([]plan.Expr, len(c.Args))
	for i, a := range c.Args {
		out.Args[i] = plan.Remap(a, func(k int) int { return at[k] })
	}
	if c.Cond != nil {
		out.Cond = plan.Remap(c.Cond, func(k int) int { return to[k] })
	}
	out.Out = types.NewSchema(fields...)
	return &out, to
}
