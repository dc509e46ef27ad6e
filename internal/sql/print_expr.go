package sql

import (
	"strconv"

	"github.com/runnelio/runnel/internal/sql/ast"
)

// precOf is the precedence of an expression: a part of an operator of a higher
// one needs parentheses.
func precOf(x ast.Expr) int {
	switch x := x.(type) {
	case *ast.Binary:
		return binaryPrec(x.Op)
	case *ast.Unary:
		if x.Op == "NOT" {
			return precNot
		}
		return precSign
	case *ast.Is:
		return precIs
	case *ast.Between, *ast.In, *ast.Like:
		return precBetween
	case *ast.Quantified:
		return precCompare
	case *ast.NamedArg, *ast.TableArg:
		return 0
	}
	return precPostfix
}

func binaryPrec(op string) int {
	switch op {
	case "MULTISET UNION", "MULTISET UNION ALL", "MULTISET EXCEPT", "MULTISET EXCEPT ALL":
		return precMultiset
	case "MULTISET INTERSECT", "MULTISET INTERSECT ALL":
		return precMultisetIn
	}
	if prec, ok := infixPrec[op]; ok {
		return prec
	}
	return precCompare
}

// expr writes x; in parentheses if it binds looser than minPrec. It writes no new lines.
func (w *printer) expr(x ast.Expr, minPrec int) {
	w.inline++
	if precOf(x) < minPrec {
		w.put("(")
		w.bare(x)
		w.put(")")
	} else {
		w.bare(x)
	}
	w.inline--
}

func (w *printer) not(yes bool) { w.word(yes, "NOT") }

// bare writes x without parentheses around it.
func (w *printer) bare(x ast.Expr) {
	switch x := x.(type) {
	case *ast.Ref:
		w.dotted(x.Parts)
	case *ast.Star:
		w.dotted(x.Parts)
		if x.Parts != nil {
			w.put(".")
		}
		w.put("*")
	case *ast.Field:
		w.base(x.X)
		w.put(".")
		w.ident(x.Name)
	case *ast.Index:
		if r, ok := x.X.(*ast.Ref); ok {
			w.dotted(r.Parts)
		} else {
			w.base(x.X)
		}
		w.put("[")
		w.expr(x.I, 0)
		w.put("]")
	case *ast.Unary:
		w.unary(x)
	case *ast.Binary:
		prec := binaryPrec(x.Op)
		w.chain(x, prec)
	case *ast.Is:
		w.expr(x.X, precIs)
		w.put(" IS ")
		w.not(x.Not)
		w.put(x.What)
	case *ast.Between:
		w.expr(x.X, precBetween)
		w.put(" ")
		w.not(x.Not)
		w.put("BETWEEN ")
		w.word(x.Symmetric, "SYMMETRIC")
		w.expr(x.Low, precAnd+1)
		w.put(" AND ")
		w.expr(x.High, precBetween+1)
	case *ast.Like:
		w.expr(x.X, precBetween)
		w.put(" ")
		w.not(x.Not)
		w.put(x.Op, " ")
		w.expr(x.Pattern, precBetween+1)
		if x.Escape != nil {
			w.put(" ESCAPE ")
			w.expr(x.Escape, precBetween+1)
		}
	case *ast.In:
		w.expr(x.X, precBetween)
		w.put(" ")
		w.not(x.Not)
		w.put("IN ")
		w.listOrQuery(x.List, x.Query)
	case *ast.Quantified:
		w.expr(x.X, precCompare)
		w.put(" ", x.Op, " ", map[bool]string{false: "ANY ", true: "ALL "}[x.All])
		w.listOrQuery(x.List, x.Query)
	case *ast.DateDiff:
		w.put("(")
		w.expr(x.L, precAdd)
		w.put(" - ")
		w.expr(x.R, precAdd+1)
		w.put(") ")
		w.intervalUnit(x.Unit)
	default:
		w.atom(x)
	}
}

// chain writes the operators of one precedence without recursion on the left:
// chains are long.
func (w *printer) chain(x *ast.Binary, prec int) {
	var ops []*ast.Binary
	var left ast.Expr = x
	for {
		b, ok := left.(*ast.Binary)
		if !ok || binaryPrec(b.Op) != prec {
			break
		}
		ops = append(ops, b)
		left = b.L
	}
	w.expr(left, prec)
	for i := len(ops) - 1; i >= 0; i-- {
		w.put(" ", ops[i].Op, " ")
		w.expr(ops[i].R, prec+1)
	}
}

// base writes what a field or element is taken of.
func (w *printer) base(x ast.Expr) {
	switch x.(type) {
	case *ast.Call, *ast.Index, *ast.Field, *ast.Cast, *ast.Collection, *ast.Subquery:
		w.bare(x)
		return
	}
	w.put("(")
	w.bare(x)
	w.put(")")
}

func (w *printer) unary(x *ast.Unary) {
	if x.Op == "NOT" {
		w.put("NOT ")
		w.expr(x.X, precNot)
		return
	}
	w.put(x.Op)
	if u, ok := x.X.(*ast.Unary); ok && u.Op != "NOT" {
		w.put(" ") // -- would start a comment
	}
	w.expr(x.X, precSign)
}

func (w *printer) listOrQuery(list []ast.Expr, q ast.Query) {
	w.put("(")
	if q != nil {
		w.query(q)
	} else {
		w.exprs(list)
	}
	w.put(")")
}

// atom writes an expression that needs no parentheses.
func (w *printer) atom(x ast.Expr) {
	switch x := x.(type) {
	case *ast.NumberLit:
		w.put(x.Text)
	case *ast.StringLit:
		w.str(x)
	case *ast.BinaryLit:
		w.put("X'", x.Hex, "'")
	case *ast.BoolLit:
		w.put(map[bool]string{true: "TRUE", false: "FALSE"}[x.Value])
	case *ast.NullLit:
		w.put(map[bool]string{true: "UNKNOWN", false: "NULL"}[x.Unknown])
	case *ast.TemporalLit:
		w.put(x.Kind, " ", QuoteString(x.Text))
	case *ast.Interval:
		w.interval(x)
	case *ast.Param:
		w.put("?")
	case *ast.Exists:
		w.put(map[bool]string{true: "UNIQUE (", false: "EXISTS ("}[x.Unique])
		w.query(x.Query)
		w.put(")")
	case *ast.Subquery:
		w.put("(")
		w.query(x.Query)
		w.put(")")
	case *ast.Case:
		w.caseExpr(x)
	case *ast.Cast:
		w.put(map[bool]string{true: "TRY_CAST(", false: "CAST("}[x.Try])
		w.expr(x.X, 0)
		w.put(" AS ")
		w.dataType(x.Type)
		w.put(")")
	case *ast.Row:
		if x.Explicit {
			w.put("ROW")
		}
		w.put("(")
		w.exprs(x.Fields)
		w.put(")")
	case *ast.Collection:
		w.collection(x)
	case *ast.Call:
		w.call(x)
	default:
		w.argument(x)
	}
}

// argument writes the arguments that are no values.
func (w *printer) argument(x ast.Expr) {
	switch x := x.(type) {
	case *ast.Symbol:
		w.put(x.Name)
	case *ast.TypeArg:
		w.put("RETURNING ")
		w.dataType(x.Type)
	case *ast.NamedArg:
		w.ident(x.Name)
		w.put(" => ")
		w.expr(x.Value, 0)
	case *ast.DefaultArg:
		w.put("DEFAULT")
	case *ast.TableArg:
		w.tableArg(x)
	case *ast.ModelArg:
		w.put("MODEL ")
		w.name(x.Model)
	case *ast.Descriptor:
		w.put("DESCRIPTOR")
		w.idents(x.Columns)
	}
}

func (w *printer) tableArg(a *ast.TableArg) {
	if a.Table != nil {
		w.put("TABLE ")
		w.name(a.Table)
		if a.Hints != nil {
			w.put(" ")
			w.hints(a.Hints)
		}
	} else {
		w.put("TABLE (")
		w.query(a.Query)
		w.put(")")
	}
	if a.PartitionBy != nil {
		w.put(" PARTITION BY (")
		w.exprs(a.PartitionBy)
		w.put(")")
	}
	if a.OrderBy != nil {
		w.put(" ORDER BY (")
		items(w, a.OrderBy, w.sortItem)
		w.put(")")
	}
}

func (w *printer) caseExpr(x *ast.Case) {
	w.put("CASE")
	if x.Operand != nil {
		w.put(" ")
		w.expr(x.Operand, 0)
	}
	for _, b := range x.Whens {
		w.put(" WHEN ")
		w.exprs(b.Conds)
		w.put(" THEN ")
		w.expr(b.Then, 0)
	}
	if x.Else != nil {
		w.put(" ELSE ")
		w.expr(x.Else, 0)
	}
	w.put(" END")
}

func (w *printer) collection(x *ast.Collection) {
	w.put(x.Kind)
	if x.Query != nil {
		w.put("(")
		w.query(x.Query)
		w.put(")")
		return
	}
	w.put("[")
	w.exprs(x.Elems)
	w.put("]")
}

func (w *printer) interval(x *ast.Interval) {
	w.put("INTERVAL ")
	w.word(x.Negative, "-")
	switch x.Value.(type) {
	case *ast.StringLit, *ast.NumberLit, *ast.Ref:
		w.bare(x.Value)
	default:
		w.put("(")
		w.bare(x.Value)
		w.put(")")
	}
	w.put(" ")
	w.intervalUnit(x.Unit)
}

func (w *printer) intervalUnit(u *ast.IntervalUnit) {
	w.put(u.From)
	if u.Prec >= 0 {
		w.put("(", strconv.Itoa(u.Prec))
		if u.From == "SECOND" && u.FracPrec >= 0 {
			w.put(", ", strconv.Itoa(u.FracPrec))
		}
		w.put(")")
	}
	if u.To != "" {
		w.put(" TO ", u.To)
		if u.FracPrec >= 0 {
			w.put("(", strconv.Itoa(u.FracPrec), ")")
		}
	}
}
