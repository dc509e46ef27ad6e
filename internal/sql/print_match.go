package sql

import (
	"strconv"
	"strings"

	"github.com/runnelio/runnel/internal/sql/ast"
)

func (w *printer) match(m *ast.MatchRecognize) {
	w.operandTable(m.Input, true)
	w.put(" MATCH_RECOGNIZE (")
	w.indent++
	if m.PartitionBy != nil {
		w.line()
		w.put("PARTITION BY ")
		w.exprs(m.PartitionBy)
	}
	if m.OrderBy != nil {
		w.line()
		w.orderBy(m.OrderBy, "")
	}
	if m.Measures != nil {
		w.line()
		w.put("MEASURES ")
		wrapped(w, m.Measures, func(x *ast.Measure) {
			w.expr(x.X, 0)
			w.put(" AS ")
			w.ident(x.Alias)
		})
	}
	if m.RowsPerMatch != "" {
		w.line()
		head, tail := m.RowsPerMatch, ""
		if strings.HasPrefix(head, "ALL ROWS") {
			head, tail = "ALL ROWS", strings.TrimPrefix(head, "ALL ROWS")
		}
		w.put(head, " PER MATCH", tail)
	}
	if m.After != nil {
		w.line()
		w.afterMatch(m.After)
	}
	w.line()
	w.put("PATTERN (")
	w.word(m.StartAnchor, "^")
	w.pattern(m.Pattern, 0)
	if m.EndAnchor {
		w.put(" $")
	}
	w.put(")")
	if m.Within != nil {
		w.put(" WITHIN ")
		w.expr(m.Within, 0)
	}
	if m.Subsets != nil {
		w.line()
		w.put("SUBSET ")
		items(w, m.Subsets, func(s *ast.Subset) {
			w.ident(s.Name)
			w.put(" = ")
			w.idents(s.Variables)
		})
	}
	w.line()
	w.put("DEFINE ")
	wrapped(w, m.Defines, func(d *ast.Define) {
		w.ident(d.Variable)
		w.put(" AS ")
		w.expr(d.Cond, 0)
	})
	w.indent--
	w.line()
	w.put(")")
	w.alias(m.Alias)
}

func (w *printer) afterMatch(a *ast.AfterMatch) {
	w.put("AFTER MATCH SKIP ")
	switch a.Kind {
	case ast.SkipPastLastRow:
		w.put("PAST LAST ROW")
	case ast.SkipToNextRow:
		w.put("TO NEXT ROW")
	case ast.SkipToFirst:
		w.put("TO FIRST ")
		w.ident(a.Variable)
	case ast.SkipToLast:
		w.put("TO LAST ")
		w.ident(a.Variable)
	}
}

// The precedences of patterns.
const (
	patAlt = iota
	patSeq
	patTerm
)

// pattern writes x, in parentheses if it binds looser than prec.
func (w *printer) pattern(x ast.Pattern, prec int) {
	own := patTerm
	switch x.(type) {
	case *ast.PatternAlt:
		own = patAlt
	case *ast.PatternSeq:
		own = patSeq
	}
	if own < prec {
		w.put("(")
		defer w.put(")")
	}
	switch x := x.(type) {
	case *ast.PatternVar:
		w.ident(x.Name)
	case *ast.PatternAlt:
		for i, p := range x.Items {
			if i > 0 {
				w.put(" | ")
			}
			w.pattern(p, patSeq)
		}
	case *ast.PatternSeq:
		for i, p := range x.Items {
			if i > 0 {
				w.put(" ")
			}
			w.pattern(p, patTerm)
		}
	case *ast.PatternRepeat:
		if _, twice := x.X.(*ast.PatternRepeat); twice {
			w.put("(")
			w.pattern(x.X, patAlt)
			w.put(")")
		} else {
			w.pattern(x.X, patTerm)
		}
		w.quantifier(x)
	case *ast.PatternPermute:
		w.put("PERMUTE(")
		items(w, x.Items, func(p ast.Pattern) { w.pattern(p, patAlt) })
		w.put(")")
	case *ast.PatternExclude:
		w.put("{- ")
		w.pattern(x.X, patAlt)
		w.put(" -}")
	}
}

func (w *printer) quantifier(r *ast.PatternRepeat) {
	switch lo, hi := r.Min, r.Max; {
	case lo == 0 && hi == 1:
		w.put("?")
	case lo == 0 && hi < 0:
		w.put("*")
	case lo == 1 && hi < 0:
		w.put("+")
	case hi < 0:
		w.put("{", strconv.Itoa(lo), ",}")
	case lo == hi:
		w.put("{", strconv.Itoa(lo), "}")
	default:
		w.put("{", strconv.Itoa(lo), ",", strconv.Itoa(hi), "}")
	}
	if r.Reluctant {
		w.put("?")
	}
}
