package sql

import (
	"strings"

	"github.com/runnelio/runnel/internal/sql/ast"
)

// Format writes a tree as SQL that parses to the same tree. Statements and
// queries take several lines, expressions one. Keywords are in upper case,
// names are quoted where they need it.
func Format(n ast.Node) string {
	w := &printer{}
	switch n := n.(type) {
	case ast.Statement:
		w.statement(n)
	case ast.Query:
		w.query(n)
	case ast.TableRef:
		w.tableRef(n)
	case ast.Expr:
		w.inline++
		w.expr(n, 0)
	case ast.Pattern:
		w.pattern(n, 0)
	case ast.AlterAction:
		w.alterAction(n)
	case nil:
	default:
		w.inline++
		w.part(n)
	}
	return string(w.buf)
}

// lineWidth is how long a list may be on one line.
const lineWidth = 100

type printer struct {
	buf       []byte
	indent    int
	inline    int // in an expression: no new lines
	lineStart int // offset of the current line in buf
}

func (w *printer) put(parts ...string) {
	for _, s := range parts {
		w.buf = append(w.buf, s...)
	}
}

// line starts a new line, or in an expression puts a blank.
func (w *printer) line() {
	if w.inline > 0 {
		w.put(" ")
		return
	}
	w.put("\n")
	w.lineStart = len(w.buf)
	w.pad(w.indent)
}

func (w *printer) pad(n int) {
	for range n {
		w.put("  ")
	}
}

// word puts the words followed by a blank if yes.
func (w *printer) word(yes bool, words string) {
	if yes {
		w.put(words, " ")
	}
}

// items writes a list with commas.
func items[T any](w *printer, list []T, item func(T)) {
	for i, x := range list {
		if i > 0 {
			w.put(", ")
		}
		item(x)
	}
}

// wrapped is items; a list that gets too long for the line has a line for each
// item, one level deeper.
func wrapped[T any](w *printer, list []T, item func(T)) {
	if w.inline > 0 {
		items(w, list, item)
		return
	}
	start, line := len(w.buf), w.lineStart
	cuts := make([]int, 0, len(list))
	w.inline++
	for i, x := range list {
		if i > 0 {
			w.put(", ")
		}
		cuts = append(cuts, len(w.buf))
		item(x)
	}
	w.inline--
	if len(w.buf)-line <= lineWidth || len(list) < 2 {
		return
	}
	tail := string(w.buf[start:])
	w.buf = []byte(strings.TrimRight(string(w.buf[:start]), " "))
	w.indent++
	for i, cut := range cuts {
		end := len(tail)
		if i+1 < len(cuts) {
			end = cuts[i+1] - start
		}
		w.line()
		w.put(strings.TrimRight(tail[cut-start:end], " "))
	}
	w.indent--
}

// block writes one item a line in parentheses.
func block[T any](w *printer, list []T, item func(T)) {
	w.put("(")
	w.indent++
	for i, x := range list {
		if i > 0 {
			w.put(",")
		}
		w.line()
		item(x)
	}
	w.indent--
	w.line()
	w.put(")")
}

// alwaysQuoted are words that are names without quotes, but not everywhere.
var alwaysQuoted = wordSet("MAP FINAL IF UNBOUNDED EMIT")

// Quote returns name as an identifier: in backquotes if it needs them.
func Quote(name string) string {
	if t := newLexer(name).next(); t.Kind == Word && len(t.Text) == len(name) && !reserved(t.Keyword) && !alwaysQuoted[t.Keyword] {
		return name
	}
	return "`" + strings.ReplaceAll(name, "`", "``") + "`"
}

// QuoteString returns s as a string literal.
func QuoteString(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

func (w *printer) ident(i *ast.Ident) { w.put(Quote(i.Name)) }

func (w *printer) idents(list []*ast.Ident) {
	w.put("(")
	items(w, list, w.ident)
	w.put(")")
}

func (w *printer) dotted(parts []*ast.Ident) {
	for i, p := range parts {
		if i > 0 {
			w.put(".")
		}
		w.ident(p)
	}
}

func (w *printer) name(n *ast.Name)      { w.dotted(n.Parts) }
func (w *printer) str(s *ast.StringLit)  { w.put(QuoteString(s.Value)) }
func (w *printer) option(o *ast.Option)  { w.str(o.Key); w.put(" = "); w.str(o.Value) }
func (w *printer) exprItem(x ast.Expr)   { w.expr(x, 0) }
func (w *printer) exprs(list []ast.Expr) { items(w, list, w.exprItem) }

func (w *printer) comment(s *ast.StringLit) {
	if s != nil {
		w.put(" COMMENT ")
		w.str(s)
	}
}

// part writes a node that belongs to no family.
func (w *printer) part(n ast.Node) {
	switch n := n.(type) {
	case *ast.Ident:
		w.ident(n)
	case *ast.Name:
		w.name(n)
	case *ast.Option:
		w.option(n)
	case *ast.DataType:
		w.dataType(n)
	case *ast.IntervalUnit:
		w.intervalUnit(n)
	case *ast.SortItem:
		w.sortItem(n)
	case *ast.WindowSpec:
		w.windowSpec(n)
	case *ast.SelectItem:
		w.selectItem(n)
	case *ast.Column:
		w.column(n)
	case *ast.Watermark:
		w.watermark(n)
	case *ast.Constraint:
		w.constraint(n)
	case *ast.GroupItem:
		w.groupItem(n)
	case *ast.Hint:
		w.hint(n)
	case *ast.Assign:
		w.assign(n)
	case *ast.CTE:
		w.cte(n)
	case *ast.Alias:
		w.alias(n)
	}
}
