package sql

import (
	"strings"

	"github.com/runnelio/runnel/internal/sql/ast"
)

func (w *printer) call(c *ast.Call) {
	w.word(c.Semantics != "", c.Semantics)
	w.callName(c)
	if c.Bare {
		return
	}
	w.put("(")
	if c.Special {
		w.specialArgs(c)
	} else {
		w.word(c.Distinct, "DISTINCT")
		w.exprs(c.Args)
		w.orderBy(c.OrderBy, " ")
	}
	w.put(")")
	if c.Nulls != "" {
		w.put(" ", c.Nulls, " NULLS")
	}
	if c.WithinDistinct != nil {
		w.put(" WITHIN DISTINCT (")
		w.exprs(c.WithinDistinct)
		w.put(")")
	}
	if c.WithinGroup != nil {
		w.put(" WITHIN GROUP (")
		w.orderBy(c.WithinGroup, "")
		w.put(")")
	}
	if c.Filter != nil {
		w.put(" FILTER (WHERE ")
		w.expr(c.Filter, 0)
		w.put(")")
	}
	if c.Over != nil {
		w.put(" OVER ")
		w.windowSpec(c.Over)
	}
}

// callName writes the name. Reserved words that are functions need no quotes;
// a name that was quoted and would be special syntax without quotes keeps them.
func (w *printer) callName(c *ast.Call) {
	if len(c.Name.Parts) > 1 {
		w.name(c.Name)
		return
	}
	id := c.Name.Parts[0]
	word := newLexer(id.Name).next().Keyword
	switch {
	case len(word) != len(id.Name):
		w.ident(id)
	case id.Quoted && (keywordTable[word].class != freeWord || specialForm(word)), word == "MAP":
		w.put("`", id.Name, "`")
	case reservedFunctions[word], niladic[word], !reserved(word):
		w.put(id.Name)
	default:
		w.ident(id)
	}
}

// specialArgs writes the arguments in the syntax they were read in.
func (w *printer) specialArgs(c *ast.Call) {
	sep := func(words ...string) {
		for i, x := range c.Args {
			if i > 0 {
				w.put(words[i-1])
			}
			w.expr(x, 0)
		}
	}
	switch c.Func {
	case "TRIM":
		sep(" ", " FROM ")
	case "SUBSTRING":
		sep(" FROM ", " FOR ")
	case "OVERLAY":
		sep(" PLACING ", " FROM ", " FOR ")
	case "POSITION":
		w.expr(c.Args[0], precBetween+1)
		w.put(" IN ")
		w.expr(c.Args[1], 0)
		if len(c.Args) > 2 {
			w.put(" FROM ")
			w.expr(c.Args[2], 0)
		}
	case "EXTRACT":
		sep(" FROM ")
	case "CEIL", "FLOOR":
		sep(" TO ")
	case "TIMESTAMPADD", "TIMESTAMPDIFF":
		sep(", ", ", ")
	case "CONVERT", "TRANSLATE":
		w.expr(c.Args[0], 0)
		w.put(" USING ", Quote(c.Args[1].(*ast.Symbol).Name))
	case "JSON_EXISTS", "JSON_VALUE", "JSON_QUERY":
		w.jsonPath(c)
	default:
		w.jsonBuild(c)
	}
}

func (w *printer) jsonPath(c *ast.Call) {
	for i := 0; i < len(c.Args); i++ {
		switch {
		case i == 1:
			w.put(", ")
		case i > 1:
			w.put(" ")
		}
		if s, ok := c.Args[i].(*ast.Symbol); ok && strings.HasPrefix(s.Name, "DEFAULT ON ") && i+1 < len(c.Args) {
			i++
			w.put("DEFAULT ")
			w.expr(c.Args[i], 0)
			w.put(strings.TrimPrefix(s.Name, "DEFAULT"))
			continue
		}
		w.expr(c.Args[i], 0)
	}
}

// jsonBuild writes the arguments of JSON_OBJECT and its like.
func (w *printer) jsonBuild(c *ast.Call) {
	args, clause := c.Args, ""
	if len(args) > 0 {
		if s, ok := args[0].(*ast.Symbol); ok {
			clause, args = s.Name, args[1:]
		}
	}
	w.word(c.Distinct, "DISTINCT")
	if strings.HasPrefix(c.Func, "JSON_OBJECT") {
		for i, x := range args {
			switch {
			case i%2 == 1:
				w.put(" VALUE ")
			case i > 0:
				w.put(", KEY ")
			default:
				w.put("KEY ")
			}
			w.expr(x, 0)
		}
	} else {
		w.exprs(args)
	}
	w.orderBy(c.OrderBy, " ")
	if clause != "" {
		if len(args) > 0 {
			w.put(" ")
		}
		w.put(clause)
	}
}

// orderBy writes lead and ORDER BY if there are items.
func (w *printer) orderBy(list []*ast.SortItem, lead string) {
	if list != nil {
		w.put(lead, "ORDER BY ")
		items(w, list, w.sortItem)
	}
}

func (w *printer) sortItem(s *ast.SortItem) {
	w.expr(s.X, 0)
	if s.Desc {
		w.put(" DESC")
	}
	if s.Nulls != "" {
		w.put(" NULLS ", s.Nulls)
	}
}

func (w *printer) windowSpec(s *ast.WindowSpec) {
	if s.Bare {
		w.ident(s.Base)
		return
	}
	w.inline++
	w.put("(")
	blank := ""
	if s.Base != nil {
		w.ident(s.Base)
		blank = " "
	}
	if s.PartitionBy != nil {
		w.put(blank, "PARTITION BY ")
		w.exprs(s.PartitionBy)
		blank = " "
	}
	if s.OrderBy != nil {
		w.orderBy(s.OrderBy, blank)
		blank = " "
	}
	if f := s.Frame; f != nil {
		w.put(blank, map[bool]string{true: "ROWS ", false: "RANGE "}[f.Rows])
		if f.Short {
			w.bound(f.Start)
		} else {
			w.put("BETWEEN ")
			w.bound(f.Start)
			w.put(" AND ")
			w.bound(f.End)
		}
	}
	w.put(")")
	w.inline--
}

func (w *printer) bound(b *ast.Bound) {
	switch b.Kind {
	case ast.UnboundedPreceding:
		w.put("UNBOUNDED PRECEDING")
	case ast.UnboundedFollowing:
		w.put("UNBOUNDED FOLLOWING")
	case ast.CurrentRow:
		w.put("CURRENT ROW")
	default:
		w.expr(b.Offset, precAnd+1)
		w.put(map[bool]string{true: " PRECEDING", false: " FOLLOWING"}[b.Kind == ast.Preceding])
	}
}
