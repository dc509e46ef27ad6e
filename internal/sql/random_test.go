package sql_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/sql"
	"github.com/runnelio/runnel/internal/sql/ast"
	"github.com/runnelio/runnel/types"
)

// trees makes random trees that the parser could have made.
type trees struct{ *rand.Rand }

func pick[T any](g trees, list ...T) T { return list[g.IntN(len(list))] }

func many[T any](g trees, least, most int, item func() T) []T {
	out := make([]T, least+g.IntN(most-least+1))
	for i := range out {
		out[i] = item()
	}
	return out
}

func (g trees) yes() bool { return g.IntN(2) == 0 }

var someNames = []string{"a", "b", "value", "select", "x y", "it`s", "Map", "final", "count", "ü", "if", "key", "DAY", "unbounded", "a$b", "1a", "desc"}

func (g trees) ident() *ast.Ident { return &ast.Ident{Name: pick(g, someNames...)} }

func (g trees) name() *ast.Name { return &ast.Name{Parts: many(g, 1, 3, g.ident)} }

func (g trees) str() *ast.StringLit {
	return &ast.StringLit{Value: pick(g, "", "a", "it's", "--", "/*", "`", "ü\n\\")}
}

func (g trees) leaf() ast.Expr {
	switch g.IntN(8) {
	case 0:
		return &ast.NumberLit{Text: pick(g, "1", "1.5", ".5", "1e3", "2.")}
	case 1:
		return g.str()
	case 2:
		return &ast.BinaryLit{Hex: pick(g, "", "0a", "FFff")}
	case 3:
		return pick[ast.Expr](g, &ast.BoolLit{Value: true}, &ast.BoolLit{}, &ast.NullLit{}, &ast.NullLit{Unknown: true})
	case 4:
		return &ast.TemporalLit{Kind: pick(g, "DATE", "TIME", "TIMESTAMP"), Text: "2024"}
	case 5:
		return pick[ast.Expr](g, g.call(0, "CURRENT_DATE", true), &ast.Interval{Negative: g.yes(), Value: g.str(), Unit: g.unit()})
	}
	return &ast.Ref{Parts: many(g, 1, 3, g.ident)}
}

func (g trees) unit() *ast.IntervalUnit {
	return pick(g, &ast.IntervalUnit{From: "DAY", Prec: -1, FracPrec: -1}, &ast.IntervalUnit{From: "DAY", Prec: 3, To: "SECOND", FracPrec: 2},
		&ast.IntervalUnit{From: "SECOND", Prec: 2, FracPrec: 3}, &ast.IntervalUnit{From: "YEAR", Prec: -1, To: "MONTH", FracPrec: -1}, &ast.IntervalUnit{From: "MONTH", Prec: -1, FracPrec: -1})
}

var someOps = []string{
	"+", "-", "*", "/", "%", "||", "=", "<>", "<", "<=", ">", ">=", "AND", "OR", "AND", "OR", "IS DISTINCT FROM", "IS NOT DISTINCT FROM",
	"OVERLAPS", "CONTAINS", "EQUALS", "PRECEDES", "IMMEDIATELY SUCCEEDS", "MEMBER OF", "SUBMULTISET OF", "NOT SUBMULTISET OF",
	"MULTISET UNION", "MULTISET UNION ALL", "MULTISET INTERSECT", "MULTISET EXCEPT ALL",
}

func (g trees) expr(d int) ast.Expr {
	if d <= 0 {
		return g.leaf()
	}
	sub := func() ast.Expr { return g.expr(d - 1 - g.IntN(2)) }
	switch g.IntN(20) {
	case 0, 1, 2, 3, 4, 5:
		return &ast.Binary{Op: pick(g, someOps...), L: sub(), R: sub()}
	case 6:
		return &ast.Unary{Op: pick(g, "-", "+", "NOT"), X: sub()}
	case 7:
		return &ast.Is{X: sub(), Not: g.yes(), What: pick(g, "NULL", "TRUE", "FALSE", "UNKNOWN", "JSON VALUE", "JSON ARRAY", "A SET", "EMPTY")}
	case 8:
		return &ast.Between{X: sub(), Not: g.yes(), Symmetric: g.yes(), Low: sub(), High: sub()}
	case 9:
		n := &ast.Like{X: sub(), Not: g.yes(), Op: pick(g, "LIKE", "ILIKE", "RLIKE", "SIMILAR TO"), Pattern: sub()}
		if g.yes() {
			n.Escape = sub()
		}
		return n
	case 10:
		n := &ast.In{X: sub(), Not: g.yes()}
		n.List, n.Query = g.listOrQuery(d)
		return n
	case 11:
		n := &ast.Quantified{X: sub(), Op: pick(g, "=", "<>", "<", ">="), All: g.yes()}
		n.List, n.Query = g.listOrQuery(d)
		return n
	case 12:
		n := &ast.Case{Whens: many(g, 1, 2, func() *ast.When { return &ast.When{Conds: []ast.Expr{sub()}, Then: sub()} })}
		if g.yes() {
			n.Operand = sub()
			n.Whens[0].Conds = append(n.Whens[0].Conds, sub())
		}
		if g.yes() {
			n.Else = sub()
		}
		return n
	case 13:
		return g.postfix(sub)
	case 14:
		return &ast.Cast{X: sub(), Type: &ast.DataType{Type: types.ArrayOf(types.DecimalOf(5, 2).NotNull()).NotNull(), NotNull: true}, Try: g.yes()}
	case 15:
		explicit := g.yes()
		return &ast.Row{Explicit: explicit, Fields: many(g, 2, 3, sub)}
	case 16:
		kv := many(g, 0, 2, sub)
		return &ast.Collection{Kind: pick(g, "ARRAY", "MAP", "MULTISET"), Elems: append(kv, kv...)}
	case 17:
		return g.call(d, pick(g, "f", "COUNT", "value", "left", "map", "if", "trim"), false)
	case 18:
		return pick[ast.Expr](g, &ast.DateDiff{L: sub(), R: sub(), Unit: g.unit()}, &ast.Interval{Value: sub(), Unit: g.unit()})
	}
	q := g.query(d - 1)
	return pick[ast.Expr](g, &ast.Subquery{Query: q}, &ast.Exists{Query: q, Unique: g.yes()}, &ast.Collection{Kind: "ARRAY", Query: q})
}

func (g trees) postfix(sub func() ast.Expr) ast.Expr {
	if g.yes() {
		return &ast.Index{X: sub(), I: sub()}
	}
	return &ast.Field{X: sub(), Name: g.ident()}
}

// listOrQuery makes the right side of IN; a list of one sub-query is a query.
func (g trees) listOrQuery(d int) ([]ast.Expr, ast.Query) {
	if g.yes() {
		return nil, g.query(d - 1)
	}
	return append(many(g, 0, 2, func() ast.Expr { return g.expr(d - 1) }), g.leaf()), nil
}

func (g trees) call(d int, name string, bare bool) *ast.Call {
	id := &ast.Ident{Name: name, Quoted: name == "trim"}
	c := &ast.Call{Name: &ast.Name{Parts: []*ast.Ident{id}}, Func: upper(name), Bare: bare}
	if d <= 0 {
		return c
	}
	c.Args = many(g, 1, 3, func() ast.Expr { return g.expr(d - 1) })
	c.Distinct = g.yes()
	if g.yes() {
		c.Filter = g.expr(d - 2)
	}
	if g.yes() {
		c.OrderBy = many(g, 1, 2, func() *ast.SortItem { return g.sortItem(d - 2) })
	}
	if g.yes() {
		c.Over = &ast.WindowSpec{Base: g.ident(), PartitionBy: many(g, 1, 2, func() ast.Expr { return g.expr(d - 2) }),
			Frame: &ast.Frame{Rows: g.yes(), Start: &ast.Bound{Kind: ast.Preceding, Offset: g.expr(d - 2)}, End: &ast.Bound{Kind: ast.UnboundedFollowing}}}
	}
	return c
}

func upper(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'a' && c <= 'z' {
			b[i] = c - 32
		}
	}
	return string(b)
}

func (g trees) sortItem(d int) *ast.SortItem {
	return &ast.SortItem{X: g.expr(d), Desc: g.yes(), Nulls: pick(g, "", "FIRST", "LAST")}
}

func (g trees) query(d int) ast.Query {
	if d <= 0 {
		return &ast.Select{Items: []*ast.SelectItem{{X: g.leaf(), Alias: g.ident()}}}
	}
	switch g.IntN(7) {
	case 0, 1:
		return &ast.SetOp{Op: pick(g, "UNION", "INTERSECT", "EXCEPT"), All: g.yes(), Left: g.query(d - 1), Right: g.query(d - 1)}
	case 2:
		return &ast.Sorted{Body: g.query(d - 1), OrderBy: many(g, 1, 2, func() *ast.SortItem { return g.sortItem(d - 1) }), Offset: &ast.NumberLit{Text: "1"}}
	case 3:
		return &ast.With{CTEs: many(g, 1, 2, func() *ast.CTE { return &ast.CTE{Name: g.ident(), Query: g.query(d - 1)} }), Body: g.query(d - 1)}
	case 4:
		return &ast.Values{Rows: many(g, 1, 2, func() *ast.Row { return &ast.Row{Fields: []ast.Expr{g.leaf(), g.expr(d - 1)}} })}
	}
	s := &ast.Select{Distinct: g.yes(), Items: many(g, 1, 3, func() *ast.SelectItem { return &ast.SelectItem{X: g.expr(d - 1), Alias: g.ident()} }), From: g.table(d)}
	if g.yes() {
		s.Where = g.expr(d)
	}
	if g.yes() {
		s.Having, s.Qualify = g.expr(d-1), g.expr(d-1)
		s.GroupBy = &ast.GroupBy{Items: many(g, 1, 3, func() *ast.GroupItem { return g.groupItem(d - 1) })}
	}
	return s
}

func (g trees) groupItem(d int) *ast.GroupItem {
	switch g.IntN(5) {
	case 0:
		return &ast.GroupItem{Kind: pick(g, "ROLLUP", "CUBE", "GROUPING SETS"), Items: many(g, 1, 3, func() *ast.GroupItem { return g.groupItem(d - 1) })}
	case 1:
		return &ast.GroupItem{X: []ast.Expr{g.leaf(), g.expr(d)}}
	case 2:
		return &ast.GroupItem{}
	}
	return &ast.GroupItem{X: []ast.Expr{g.leaf()}}
}

func (g trees) table(d int) ast.TableRef {
	alias := pick(g, nil, &ast.Alias{Name: g.ident()}, &ast.Alias{Name: g.ident(), Columns: many(g, 1, 2, g.ident)})
	if d <= 0 {
		return &ast.Table{Name: g.name(), Alias: alias}
	}
	switch g.IntN(6) {
	case 0:
		return &ast.Derived{Lateral: g.yes(), Query: g.query(d - 1), Alias: alias}
	case 1:
		return &ast.Unnest{Exprs: many(g, 1, 2, func() ast.Expr { return g.expr(d - 1) }), Ordinality: g.yes(), Alias: alias}
	case 2:
		return &ast.Table{Name: g.name(), AsOf: g.leaf(), Alias: alias}
	}
	j := &ast.Join{Kind: pick(g, ast.InnerJoin, ast.LeftJoin, ast.RightJoin, ast.FullJoin, ast.CrossJoin, ast.CommaJoin), Left: g.table(d - 1), Right: g.table(d - 1)}
	if j.Kind < ast.CrossJoin {
		switch g.IntN(4) {
		case 0:
			j.Natural = true
		case 1:
			j.Using = many(g, 1, 2, g.ident)
		default:
			j.On = g.expr(d - 1)
		}
	}
	return j
}

func TestRandomTreesSurvivePrinting(t *testing.T) {
	for seed := range uint64(4000) {
		g := trees{rand.New(rand.NewPCG(seed, 1))}
		var n ast.Node
		var again ast.Node
		var err error
		var text string
		if seed%2 == 0 {
			n = g.expr(4)
			text = sql.Format(n)
			again, err = sql.ParseExpr(text, sql.Options{})
		} else {
			n = g.query(3)
			text = sql.Format(n)
			again, err = sql.ParseQuery(text, sql.Options{})
		}
		if err != nil {
			t.Fatalf("seed %d: %s\n%s", seed, text, diag.Render(err))
		}
		if d := diff(fmt.Sprintf("%T", n), reflect.ValueOf(n), reflect.ValueOf(again)); d != "" {
			t.Fatalf("seed %d: differs in %s:\n%s\n%s", seed, d, text, sql.Format(again))
		}
	}
}
