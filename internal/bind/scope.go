package bind

import (
	"slices"
	"strings"

	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/internal/sql/ast"
	"github.com/runnelio/runnel/types"
)

// scope is the columns that names can mean: those of the tables of FROM. outer
// is the scope of the query around, for correlated sub-queries.
type scope struct {
	cols  []scopeColumn
	outer *scope
	ctes  *ctes
	// agg, if set, is where aggregate calls may stand.
	agg *aggregation
	// over, if set, is where OVER may stand.
	over *overs
	// match, if set, makes names pattern variables.
	match *matchScope
	// windows are the named windows of the query.
	windows map[string]*ast.WindowSpec
	// aliases, if set, are names of SELECT that may be used where there is no such column.
	aliases map[string]ast.Expr
	// group tells where the legacy window functions (TUMBLE_START …) find their windows.
	legacy *legacyWindows
}

type scopeColumn struct {
	tables []string // names that may stand before it, the last part first: alias or [table, database, catalog]
	name   string
	index  int // in the node
	t      types.Type
	hidden bool // not in *: the right side's twin of a USING column
	merged bool // USING column, found without a table name first
}

// ctes are the queries of WITH in sight.
type ctes struct {
	outer *ctes
	name  string
	bind  func() (plan.Node, error)
}

// add puts the columns of a table into the scope, from column at on.
func (s *scope) add(alias string, in *types.Schema, at int) {
	var tables []string
	if alias != "" {
		tables = []string{alias}
	}
	s.addPath(tables, in, at)
}

func (s *scope) addPath(tables []string, in *types.Schema, at int) {
	for i, f := range in.Fields {
		s.cols = append(s.cols, scopeColumn{tables: tables, name: f.Name, index: at + i, t: f.Type})
	}
}

// named tells whether parts (before the column) name the column's table.
func (c *scopeColumn) named(parts []*ast.Ident) bool {
	if len(parts) > len(c.tables) {
		return false
	}
	for i := range parts {
		if c.tables[i] != parts[len(parts)-1-i].Name {
			return false
		}
	}
	return true
}

// names are the column names in sight, for hints.
func (s *scope) names() []string {
	var out []string
	for ; s != nil; s = s.outer {
		for _, c := range s.cols {
			if !slices.Contains(out, c.name) {
				out = append(out, c.name)
			}
		}
	}
	return out
}

func (s *scope) tableNames() []string {
	var out []string
	for ; s != nil; s = s.outer {
		for _, c := range s.cols {
			if len(c.tables) > 0 && !slices.Contains(out, c.tables[0]) {
				out = append(out, c.tables[0])
			}
		}
	}
	return out
}

func (s *scope) hasTable(parts []*ast.Ident) bool {
	for i := range s.cols {
		if s.cols[i].named(parts) {
			return true
		}
	}
	return false
}

// ref binds a chain of names: the longest front that names a table, then a
// column, then fields of it.
func (b *binder) ref(r *ast.Ref, s *scope) (plan.Expr, error) {
	if s.match != nil {
		if e, ok, err := b.matchRef(r, s); ok || err != nil {
			return e, err
		}
	}
	// A table of an outer query comes before a column of the inner one, as in Calcite.
	for _, tables := range []bool{true, false} {
		depth := 0
		for q := s; q != nil; q, depth = q.outer, depth+1 {
			e, rest, err := b.find(r.Parts, q, depth, tables, r.Pos())
			if err != nil {
				return nil, err
			}
			if e == nil {
				continue
			}
			b.spans[e] = r.Pos()
			for _, p := range rest {
				if e, err = b.fieldByName(e, p); err != nil {
					return nil, err
				}
			}
			return e, nil
		}
	}
	last := r.Parts[len(r.Parts)-1]
	if x := s.aliases[last.Name]; x != nil && len(r.Parts) == 1 {
		plain := *s
		plain.aliases = nil
		return b.expr(x, &plain)
	}
	if len(r.Parts) == 1 && !last.Quoted && strings.EqualFold(last.Name, "PI") { // the one function that may lack its parentheses
		return b.function("PI", nil, r.Pos())
	}
	if len(r.Parts) > 1 && !s.anyTable(r.Parts[:1]) {
		first := r.Parts[0]
		return nil, diag.At(first.Pos(), diag.UnknownColumn, "no table or column %s here", first.Name).
			DidYouMean(first.Name, append(s.tableNames(), s.names()...))
	}
	text := make([]string, len(r.Parts))
	for i, p := range r.Parts {
		text[i] = p.Name
	}
	e := diag.At(last.Pos(), diag.UnknownColumn, "no column %s", strings.Join(text, "."))
	if t := s.tableNames(); len(t) > 0 {
		e.Message += " in " + strings.Join(t, ", ")
	}
	return nil, e.DidYouMean(last.Name, s.names())
}

func (s *scope) anyTable(parts []*ast.Ident) bool {
	for ; s != nil; s = s.outer {
		if s.hasTable(parts) {
			return true
		}
	}
	return false
}

// find looks parts up in one scope, with a table in front of the column or without
// one; rest are the parts behind the column. A nil expression: nothing of that name.
func (b *binder) find(parts []*ast.Ident, s *scope, depth int, tables bool, span diag.Span) (plan.Expr, []*ast.Ident, error) {
	most, least := min(len(parts)-1, 3), 1
	if !tables {
		most, least = 0, 0
	}
	for n := most; n >= least; n-- {
		if n > 0 && !s.hasTable(parts[:n]) {
			continue
		}
		var found *scopeColumn
		for i := range s.cols {
			c := &s.cols[i]
			if c.name != parts[n].Name || !c.named(parts[:n]) {
				continue
			}
			if n == 0 && c.hidden {
				continue
			}
			if found != nil {
				return nil, nil, diag.At(span, diag.AmbiguousColumn, "column %s is ambiguous", parts[n].Name).
					Hint("write %s", qualified(found, c))
			}
			found = c
		}
		if found == nil {
			if n > 0 && len(parts) == n+1 && depth == 0 && !s.hasColumn(parts[0].Name) {
				var names []string
				for i := range s.cols {
					if s.cols[i].named(parts[:n]) {
						names = append(names, s.cols[i].name)
					}
				}
				return nil, nil, diag.At(parts[n].Pos(), diag.UnknownColumn, "no column %s in %s", parts[n].Name, parts[n-1].Name).
					DidYouMean(parts[n].Name, names)
			}
			continue
		}
		if depth > 0 {
			return &plan.Outer{Depth: depth, Index: found.index, T: found.t, Name: found.name}, parts[n+1:], nil
		}
		return &plan.Column{Index: found.index, T: found.t, Name: found.name}, parts[n+1:], nil
	}
	return nil, nil, nil
}

func (s *scope) hasColumn(name string) bool {
	for _, c := range s.cols {
		if c.name == name {
			return true
		}
	}
	return false
}

func qualified(cs ...*scopeColumn) string {
	var out []string
	for _, c := range cs {
		if len(c.tables) > 0 {
			out = append(out, c.tables[0]+"."+c.name)
		}
	}
	if len(out) == 0 {
		return "an alias for one of them"
	}
	return strings.Join(out, " or ")
}

// fieldByName is the access e.name to a field of a row.
func (b *binder) fieldByName(e plan.Expr, name *ast.Ident) (plan.Expr, error) {
	t := e.Type()
	if t.Kind != types.Row {
		return nil, diag.At(name.Pos(), diag.UnknownColumn, "%s is no field: what stands before it is %s, not a row", name.Name, typeText(t))
	}
	var names []string
	for i, f := range t.Fields {
		if f.Name == name.Name {
			x := field(e, i)
			if s, ok := b.spans[e]; ok {
				b.spans[x] = s.To(name.Pos())
			}
			return x, nil
		}
		names = append(names, f.Name)
	}
	return nil, diag.At(name.Pos(), diag.UnknownColumn, "no field %s in %s", name.Name, typeText(t)).DidYouMean(name.Name, names)
}

// star expands * and t.* to the columns' indexes in the scope.
func (s *scope) star(x *ast.Star) ([]scopeColumn, error) {
	var out []scopeColumn
	if len(x.Parts) == 0 {
		for _, c := range s.cols {
			if c.merged {
				out = append(out, c)
			}
		}
		for _, c := range s.cols {
			if !c.hidden && !c.merged {
				out = append(out, c)
			}
		}
		if len(s.cols) == 0 {
			return nil, diag.At(x.Pos(), diag.NotAllowed, "* needs a table in FROM")
		}
		return out, nil
	}
	for _, c := range s.cols {
		if c.named(x.Parts) {
			out = append(out, c)
		}
	}
	if len(out) == 0 {
		p := x.Parts[len(x.Parts)-1]
		return nil, diag.At(p.Pos(), diag.UnknownTable, "no table %s in this query", p.Name).DidYouMean(p.Name, s.tableNames())
	}
	return out, nil
}
