package bind

import (
	"slices"
	"strings"

	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/internal/sql/ast"
	"github.com/runnelio/runnel/types"
)

// matchScope is where the expressions of MATCH_RECOGNIZE are bound: names are
// columns of pattern variables, which become slots.
type matchScope struct {
	vars  []string
	input *scope // the columns of a row
	rows  plan.Node
	// own is the variable whose DEFINE is bound, -1 in MEASURES. A name without
	// variable is a column of own's row, in MEASURES of the last row of the match.
	own   int
	slots []plan.MatchSlot
	// inner is set while the argument of FIRST, LAST or an aggregate is bound:
	// variable then collects the one variable used in it.
	inner    bool
	variable int // -2: none yet, -1: any
}

func (b *binder) matchRecognize(x *ast.MatchRecognize, frame *scope) (plan.Node, error) {
	in, cols, err := b.tableRef(x.Input, frame)
	if err != nil {
		return nil, err
	}
	rows := &scope{outer: frame.outer, ctes: frame.ctes, cols: cols}
	m := &plan.Match{Input: in, Pattern: &plan.Pattern{}, Span: b.place(x.Pos())}
	p := m.Pattern
	if strings.HasPrefix(x.RowsPerMatch, "ALL") {
		return nil, diag.At(x.Pos(), diag.Unsupported, "ALL ROWS PER MATCH is not supported").Hint("use ONE ROW PER MATCH")
	}
	if x.StartAnchor || x.EndAnchor {
		return nil, diag.At(x.Pattern.Pos(), diag.Unsupported, "^ and $ are not supported in a pattern")
	}
	if len(x.Subsets) > 0 {
		return nil, diag.At(x.Subsets[0].Pos(), diag.Unsupported, "SUBSET is not supported")
	}
	var fields []types.Field
	for _, e := range x.PartitionBy {
		k, err := b.expr(e, rows)
		if err != nil {
			return nil, err
		}
		c, ok := k.(*plan.Column)
		if !ok {
			return nil, diag.At(e.Pos(), diag.Unsupported, "PARTITION BY takes columns here")
		}
		m.Partition = append(m.Partition, c.Index)
		fields = append(fields, types.Field{Name: c.Name, Type: c.T})
	}
	for i, o := range x.OrderBy {
		k, err := b.orderKey(o, rows)
		if err != nil {
			return nil, err
		}
		c, ok := k.x.(*plan.Column)
		if !ok {
			return nil, diag.At(o.Pos(), diag.Unsupported, "ORDER BY takes columns here")
		}
		if i == 0 && (c.T.Attr == types.NoTime || k.desc) {
			return nil, diag.At(o.Pos(), diag.Unsupported, "ORDER BY of MATCH_RECOGNIZE must start with a time attribute, ascending")
		}
		m.Order = append(m.Order, plan.SortKey{Column: c.Index, Desc: k.desc, NullsFirst: k.nullsFirst})
	}
	if len(m.Order) == 0 {
		return nil, diag.At(x.Pos(), diag.Unsupported, "MATCH_RECOGNIZE needs ORDER BY a time attribute")
	}
	if err := pattern(p, x.Pattern); err != nil {
		return nil, err
	}
	last := p.Terms[len(p.Terms)-1]
	if last.Min != last.Max && !last.Reluctant {
		return nil, diag.At(x.Pattern.Pos(), diag.Unsupported, "the last element of a pattern cannot have a greedy quantifier").
			Hint("end with a plain variable, or make it reluctant: %s+?", p.Vars[last.Var])
	}
	if x.Within != nil {
		if p.Within, err = b.duration(x.Within, rows, "WITHIN"); err != nil {
			return nil, err
		}
	}
	if a := x.After; a != nil {
		p.Skip = [...]plan.SkipKind{ast.SkipPastLastRow: plan.SkipPastLast, ast.SkipToNextRow: plan.SkipToNext, ast.SkipToFirst: plan.SkipToFirst, ast.SkipToLast: plan.SkipToLast}[a.Kind]
		if a.Variable != nil {
			if p.SkipVar = slices.Index(p.Vars, a.Variable.Name); p.SkipVar < 0 {
				return nil, diag.At(a.Variable.Pos(), diag.UnknownName, "no variable %s in the pattern", a.Variable.Name).DidYouMean(a.Variable.Name, p.Vars)
			}
		}
	}
	bindIn := func(own int) *matchScope {
		return &matchScope{vars: p.Vars, input: rows, rows: in, own: own}
	}
	p.Define = make([]*plan.MatchExpr, len(p.Vars))
	for _, d := range x.Defines {
		v := slices.Index(p.Vars, d.Variable.Name)
		if v < 0 {
			return nil, diag.At(d.Variable.Pos(), diag.UnknownName, "no variable %s in the pattern", d.Variable.Name).DidYouMean(d.Variable.Name, p.Vars)
		}
		if p.Define[v] != nil {
			return nil, diag.At(d.Variable.Pos(), diag.Exists, "variable %s is defined twice", d.Variable.Name)
		}
		ms := bindIn(v)
		e, err := b.condition(d.Cond, &scope{match: ms, cols: cols}, "DEFINE")
		if err != nil {
			b.note(err)
			continue
		}
		p.Define[v] = &plan.MatchExpr{Slots: ms.slots, Expr: e}
	}
	for _, ms := range x.Measures {
		own := bindIn(-1)
		e, err := b.expr(ms.X, &scope{match: own, cols: cols})
		if err == nil && isNull(e) {
			err = illegalNull(ms.X.Pos())
		}
		if err != nil {
			b.note(err)
			continue
		}
		p.Measures = append(p.Measures, plan.MatchExpr{Slots: own.slots, Expr: e})
		fields = append(fields, types.Field{Name: ms.Alias.Name, Type: e.Type()})
	}
	if len(b.errs) > 0 {
		return nil, b.takeErrors()
	}
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	for i, n := range unique(names) {
		fields[i].Name = n
	}
	m.Out = types.NewSchema(fields...)
	return m, nil
}

// takeErrors returns the errors noted so far and forgets them.
func (b *binder) takeErrors() error {
	err := b.errs.Err()
	b.errs = nil
	return err
}

// pattern flattens a pattern to terms.
func pattern(p *plan.Pattern, x ast.Pattern) error {
	add := func(v *ast.PatternVar, lo, hi int, reluctant bool) error {
		i := slices.Index(p.Vars, v.Name.Name)
		if i < 0 {
			i = len(p.Vars)
			p.Vars = append(p.Vars, v.Name.Name)
		} else {
			return diag.At(v.Pos(), diag.Unsupported, "variable %s stands twice in the pattern", v.Name.Name).Hint("use a quantifier, or another name with the same DEFINE")
		}
		p.Terms = append(p.Terms, plan.PatternTerm{Var: i, Min: lo, Max: hi, Reluctant: reluctant})
		return nil
	}
	switch x := x.(type) {
	case *ast.PatternVar:
		return add(x, 1, 1, false)
	case *ast.PatternRepeat:
		v, ok := x.X.(*ast.PatternVar)
		if !ok {
			return diag.At(x.Pos(), diag.Unsupported, "only a variable can have a quantifier, not a group")
		}
		if x.Max == 0 || x.Max > 0 && x.Max < x.Min {
			return diag.At(x.Pos(), diag.BadValue, "the quantifier allows nothing")
		}
		return add(v, x.Min, x.Max, x.Reluctant)
	case *ast.PatternSeq:
		for _, i := range x.Items {
			if err := pattern(p, i); err != nil {
				return err
			}
		}
		return nil
	case *ast.PatternAlt:
		return diag.At(x.Pos(), diag.Unsupported, "alternation (|) is not supported in a pattern")
	case *ast.PatternPermute:
		return diag.At(x.Pos(), diag.Unsupported, "PERMUTE is not supported in a pattern")
	}
	return diag.At(x.Pos(), diag.Unsupported, "exclusion ({- -}) is not supported in a pattern")
}

// matchName binds A.price, or price: a slot, or while the argument of a
// function over rows is bound a column of the row.
func (b *binder) matchRefOf(r *ast.Ref, m *matchScope) (plan.Expr, error) {
	v := m.own
	parts := r.Parts
	if len(parts) > 1 {
		if i := slices.Index(m.vars, parts[0].Name); i >= 0 {
			v, parts = i, parts[1:]
		}
	}
	e, err := b.ref(&ast.Ref{Place: r.Place, Parts: parts}, m.input)
	if err != nil {
		return nil, err
	}
	if m.inner {
		if len(parts) == len(r.Parts) {
			v = -1
			if m.own >= 0 && m.variable == -2 {
				v = -1
			}
		}
		if m.variable != -2 && m.variable != v {
			return nil, diag.At(r.Pos(), diag.NotAllowed, "the argument of a function over rows can use one pattern variable only")
		}
		m.variable = v
		return e, nil
	}
	return m.slot(plan.MatchSlot{Kind: plan.SlotLast, Var: v, Args: []plan.Expr{e}, T: e.Type().OrNull()}, e), nil
}

// slot adds a slot, or finds the same one, and returns its column.
func (m *matchScope) slot(s plan.MatchSlot, e plan.Expr) plan.Expr {
	name := ""
	if e != nil {
		name = exprName(e, "")
	}
	if s.Var >= 0 && s.Var < len(m.vars) && name != "" {
		name = m.vars[s.Var] + "." + name
	}
	for i, o := range m.slots {
		if o.Kind == s.Kind && o.Var == s.Var && o.Offset == s.Offset && o.Fn == s.Fn && o.Distinct == s.Distinct && sameExprs(o.Args, s.Args) {
			return &plan.Column{Index: i, T: o.T, Name: name}
		}
	}
	m.slots = append(m.slots, s)
	return &plan.Column{Index: len(m.slots) - 1, T: s.T, Name: name}
}

// matchRef binds a name inside MATCH_RECOGNIZE.
func (b *binder) matchRef(r *ast.Ref, s *scope) (plan.Expr, bool, error) {
	e, err := b.matchRefOf(r, s.match)
	return e, true, err
}

// matchCall binds the functions that mean something only inside
// MATCH_RECOGNIZE, and aggregates over the rows of a variable.
func (b *binder) matchCall(name string, x *ast.Call, s *scope) (plan.Expr, bool, error) {
	m := s.match
	if x.Semantics == "FINAL" && m.own >= 0 {
		return nil, true, diag.At(x.Pos(), diag.NotAllowed, "FINAL has no meaning in DEFINE")
	}
	argument := func(e ast.Expr) (plan.Expr, int, error) {
		in := *m
		in.inner, in.variable = true, -2
		arg, err := b.expr(e, &scope{match: &in, cols: s.cols})
		return arg, in.variable, err
	}
	switch name {
	case "PREV", "NEXT":
		return nil, true, diag.At(x.Pos(), diag.Unsupported, "%s is not supported", name).Hint("LAST(variable.column, 1) is the row before the last of a variable")
	case "CLASSIFIER", "MATCH_NUMBER":
		return nil, true, diag.At(x.Pos(), diag.Unsupported, "%s is not supported", name)
	case "MATCH_ROWTIME":
		at := m.rows.Schema().Rowtime
		if len(x.Args) == 1 {
			e, err := b.expr(x.Args[0], m.input)
			if err != nil {
				return nil, true, err
			}
			if c, ok := e.(*plan.Column); ok && c.T.Attr == types.Rowtime {
				at = c.Index
			}
		}
		if at < 0 {
			return nil, true, diag.At(x.Pos(), diag.NotAllowed, "MATCH_ROWTIME needs rows with event time")
		}
		t := m.rows.Schema().Fields[at].Type.NotNull()
		return m.slot(plan.MatchSlot{Kind: plan.SlotRowtime, Var: -1, T: t}, nil), true, nil
	case "MATCH_PROCTIME":
		t := types.TimestampLTZOf(3).NotNull()
		t.Attr = types.Proctime
		return m.slot(plan.MatchSlot{Kind: plan.SlotProctime, Var: -1, T: t}, nil), true, nil
	case "FIRST", "LAST":
		if m.inner {
			return nil, true, diag.At(x.Pos(), diag.NotAllowed, "%s cannot stand inside another function over rows", name)
		}
		if len(x.Args) < 1 || len(x.Args) > 2 {
			return nil, true, diag.At(x.Pos(), diag.BadArgument, "%s takes a value and an offset", name)
		}
		arg, v, err := argument(x.Args[0])
		if err != nil {
			return nil, true, err
		}
		slot := plan.MatchSlot{Kind: plan.SlotLast, Var: max(v, -1), Args: []plan.Expr{arg}, T: arg.Type().OrNull()}
		if name == "FIRST" {
			slot.Kind = plan.SlotFirst
		}
		if len(x.Args) == 2 {
			n, err := b.count(x.Args[1], "the offset of "+name)
			if err != nil {
				return nil, true, err
			}
			slot.Offset = int(min(n, 1<<30))
		}
		return m.slot(slot, arg), true, nil
	}
	defs := b.Functions.Lookup(name)
	if len(defs) == 0 || defs[0].Aggregate == nil {
		return nil, false, nil
	}
	if m.inner {
		return nil, true, diag.At(x.Pos(), diag.NotAllowed, "aggregate %s cannot stand inside another function over rows", name)
	}
	if x.Distinct {
		return nil, true, diag.At(x.Pos(), diag.Unsupported, "DISTINCT aggregates are not supported in MATCH_RECOGNIZE")
	}
	slot := plan.MatchSlot{Kind: plan.SlotAgg, Var: -1}
	var args []plan.Expr
	variable := -2
	for _, a := range x.Args {
		if star, ok := a.(*ast.Star); ok {
			if len(star.Parts) > 0 {
				v := slices.Index(m.vars, star.Parts[0].Name)
				if v < 0 {
					return nil, true, diag.At(star.Pos(), diag.UnknownName, "no variable %s in the pattern", star.Parts[0].Name).DidYouMean(star.Parts[0].Name, m.vars)
				}
				variable = v
			}
			continue
		}
		arg, v, err := argument(a)
		if err != nil {
			return nil, true, err
		}
		if v != -2 {
			if variable != -2 && variable != v {
				return nil, true, diag.At(a.Pos(), diag.NotAllowed, "the arguments of %s can use one pattern variable only", name)
			}
			variable = v
		}
		args = append(args, arg)
	}
	slot.Var = max(variable, -1)
	var err error
	if slot.Fn, slot.Args, slot.T, err = b.aggResolve(name, args, x.Pos()); err != nil {
		return nil, true, err
	}
	if slot.Fn.Aggregate.EmptyIsNull {
		slot.T = slot.T.OrNull()
	}
	for i, a := range slot.Args {
		if l, ok := b.literal(a); ok {
			if slot.Consts == nil {
				slot.Consts = map[int]types.Value{}
			}
			slot.Consts[i], slot.Args[i] = l.Value, l
		}
	}
	return m.slot(slot, nil), true, nil
}
