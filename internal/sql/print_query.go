package sql

import (
	"strconv"
	"strings"

	"github.com/runnelio/runnel/internal/sql/ast"
)

func (w *printer) query(q ast.Query) {
	switch q := q.(type) {
	case *ast.Select:
		w.selectQuery(q)
	case *ast.Values:
		w.put("VALUES ")
		wrapped(w, q.Rows, w.valuesRow)
	case *ast.ExplicitTable:
		w.put("TABLE ")
		w.name(q.Name)
	case *ast.SetOp:
		w.setOp(q)
	case *ast.Sorted:
		w.sorted(q)
	case *ast.With:
		w.put("WITH ")
		for i, c := range q.CTEs {
			if i > 0 {
				w.put(",")
				w.line()
			}
			w.cte(c)
		}
		w.line()
		if _, with := q.Body.(*ast.With); with {
			w.nested(q.Body)
			return
		}
		w.query(q.Body)
	}
}

func (w *printer) valuesRow(r *ast.Row) {
	if !r.Explicit && len(r.Fields) == 1 {
		w.expr(r.Fields[0], 0)
		return
	}
	w.atom(r)
}

// nested writes a query in parentheses on lines of its own.
func (w *printer) nested(q ast.Query) {
	w.put("(")
	if w.inline > 0 {
		w.query(q)
	} else {
		w.indent++
		w.line()
		w.query(q)
		w.indent--
		w.line()
	}
	w.put(")")
}

func (w *printer) cte(c *ast.CTE) {
	w.ident(c.Name)
	if c.Columns != nil {
		w.put(" ")
		w.idents(c.Columns)
	}
	w.put(" AS ")
	w.nested(c.Query)
}

func setOpPrec(q ast.Query) int {
	s, ok := q.(*ast.SetOp)
	switch {
	case !ok:
		return 3
	case s.Op == "INTERSECT":
		return 2
	}
	return 1
}

// setOp writes the chain of operations of one precedence without recursion.
func (w *printer) setOp(q *ast.SetOp) {
	prec := setOpPrec(q)
	var ops []*ast.SetOp
	var left ast.Query = q
	for {
		s, ok := left.(*ast.SetOp)
		if !ok || setOpPrec(s) != prec {
			break
		}
		ops = append(ops, s)
		left = s.Left
	}
	w.operandQuery(left, prec)
	for i := len(ops) - 1; i >= 0; i-- {
		w.line()
		w.put(ops[i].Op, map[bool]string{true: " ALL"}[ops[i].All])
		w.line()
		w.operandQuery(ops[i].Right, prec+1)
	}
}

// operandQuery writes an operand of a set operation of the precedence.
func (w *printer) operandQuery(q ast.Query, prec int) {
	switch q.(type) {
	case *ast.Sorted, *ast.With:
		w.nested(q)
		return
	}
	if setOpPrec(q) < prec {
		w.nested(q)
		return
	}
	w.query(q)
}

func (w *printer) sorted(q *ast.Sorted) {
	switch q.Body.(type) {
	case *ast.Sorted, *ast.With:
		w.nested(q.Body)
	default:
		w.query(q.Body)
	}
	if q.OrderBy != nil {
		w.line()
		w.put("ORDER BY ")
		wrapped(w, q.OrderBy, w.sortItem)
	}
	if q.Limit != nil {
		w.line()
		w.put("LIMIT ")
		w.expr(q.Limit, 0)
	}
	if q.Offset != nil {
		w.line()
		w.put("OFFSET ")
		w.expr(q.Offset, 0)
	}
}

func (w *printer) selectQuery(s *ast.Select) {
	w.put("SELECT ")
	if s.Hints != nil {
		w.hints(s.Hints)
		w.put(" ")
	}
	w.word(s.Distinct, "DISTINCT")
	wrapped(w, s.Items, w.selectItem)
	if s.From != nil {
		w.line()
		w.put("FROM ")
		w.tableRef(s.From)
	}
	w.clause("WHERE ", s.Where)
	if s.GroupBy != nil {
		w.line()
		w.put("GROUP BY ")
		w.word(s.GroupBy.Distinct, "DISTINCT")
		wrapped(w, s.GroupBy.Items, w.groupItem)
	}
	w.clause("HAVING ", s.Having)
	if s.Windows != nil {
		w.line()
		w.put("WINDOW ")
		wrapped(w, s.Windows, func(n *ast.NamedWindow) {
			w.ident(n.Name)
			w.put(" AS ")
			w.windowSpec(n.Spec)
		})
	}
	w.clause("QUALIFY ", s.Qualify)
}

// clause writes a condition; the parts of a long AND have a line each.
func (w *printer) clause(word string, x ast.Expr) {
	if x == nil {
		return
	}
	w.line()
	w.put(word)
	start, line := len(w.buf), w.lineStart
	w.expr(x, 0)
	b, ok := x.(*ast.Binary)
	if w.inline > 0 || len(w.buf)-line <= lineWidth || !ok || b.Op != "AND" {
		return
	}
	w.buf = w.buf[:start]
	var parts []ast.Expr
	left := x
	for {
		b, ok := left.(*ast.Binary)
		if !ok || b.Op != "AND" {
			break
		}
		parts = append(parts, b.R)
		left = b.L
	}
	w.expr(left, precAnd)
	for i := len(parts) - 1; i >= 0; i-- {
		w.line()
		w.put("  AND ")
		w.expr(parts[i], precAnd+1)
	}
}

func (w *printer) selectItem(i *ast.SelectItem) {
	w.expr(i.X, 0)
	if i.Alias != nil {
		w.put(" AS ")
		w.ident(i.Alias)
	}
}

func (w *printer) groupItem(g *ast.GroupItem) {
	if g.Kind != "" {
		w.put(g.Kind, " (")
		items(w, g.Items, w.groupItem)
		w.put(")")
		return
	}
	if len(g.X) == 1 {
		w.expr(g.X[0], 0)
		return
	}
	w.put("(")
	w.exprs(g.X)
	w.put(")")
}

func (w *printer) hints(list []*ast.Hint) {
	w.put("/*+ ")
	items(w, list, w.hint)
	w.put(" */")
}

func (w *printer) hint(h *ast.Hint) {
	w.put(h.Name)
	switch {
	case h.Options != nil:
		w.put("(")
		items(w, h.Options, w.option)
		w.put(")")
	case h.Args != nil:
		w.put("(")
		items(w, h.Args, func(s string) {
			if _, err := strconv.ParseFloat(s, 64); err == nil && !strings.ContainsAny(s, "+-xXpP_nN") || Quote(s) == s {
				w.put(s)
			} else {
				w.put(QuoteString(s))
			}
		})
		w.put(")")
	}
}

func (w *printer) tableRef(t ast.TableRef) {
	switch t := t.(type) {
	case *ast.Table:
		w.name(t.Name)
		if t.Hints != nil {
			w.put(" ")
			w.hints(t.Hints)
		}
		if t.AsOf != nil {
			w.put(" FOR SYSTEM_TIME AS OF ")
			w.expr(t.AsOf, 0)
		}
		w.alias(t.Alias)
	case *ast.Derived:
		w.word(t.Lateral, "LATERAL")
		w.nested(t.Query)
		w.alias(t.Alias)
	case *ast.TableFunc:
		w.tableFunc(t)
	case *ast.Unnest:
		w.word(t.Lateral, "LATERAL")
		w.put("UNNEST(")
		w.exprs(t.Exprs)
		w.put(")")
		if t.Ordinality {
			w.put(" WITH ORDINALITY")
		}
		w.alias(t.Alias)
	case *ast.Join:
		w.join(t)
	case *ast.MatchRecognize:
		w.match(t)
	}
}

func (w *printer) alias(a *ast.Alias) {
	if a == nil {
		return
	}
	w.put(" AS ")
	w.ident(a.Name)
	if a.Columns != nil {
		w.put(" ")
		w.idents(a.Columns)
	}
}

func (w *printer) tableFunc(t *ast.TableFunc) {
	w.word(t.Lateral, "LATERAL")
	if t.Bare {
		w.call(t.Call)
	} else {
		w.put("TABLE(")
		w.inline++
		w.call(t.Call)
		w.inline--
		w.put(")")
	}
	if t.Hints != nil {
		w.put(" ")
		w.hints(t.Hints)
	}
	w.alias(t.Alias)
}

// join writes a chain of joins without recursion on the left.
func (w *printer) join(j *ast.Join) {
	comma := j.Kind == ast.CommaJoin
	var chain []*ast.Join
	var left ast.TableRef = j
	for {
		x, ok := left.(*ast.Join)
		if !ok || comma != (x.Kind == ast.CommaJoin) {
			break
		}
		chain = append(chain, x)
		left = x.Left
	}
	w.operandTable(left, !comma)
	for i := len(chain) - 1; i >= 0; i-- {
		x := chain[i]
		if comma {
			w.put(",")
		}
		w.line()
		if !comma {
			w.word(x.Natural, "NATURAL")
			w.put(x.Kind.String(), " ")
		}
		w.operandTable(x.Right, !comma)
		if x.On != nil {
			w.put(" ON ")
			w.expr(x.On, 0)
		}
		if x.Using != nil {
			w.put(" USING ")
			w.idents(x.Using)
		}
	}
}

// operandTable writes a side of a join; joins in it need parentheses, except
// those of JOIN between commas.
func (w *printer) operandTable(t ast.TableRef, ofJoin bool) {
	if x, ok := t.(*ast.Join); ok && (ofJoin || x.Kind == ast.CommaJoin) {
		w.put("(")
		w.tableRef(t)
		w.put(")")
		return
	}
	w.tableRef(t)
}
