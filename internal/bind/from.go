package bind

import (
	"slices"

	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/internal/sql/ast"
	"github.com/runnelio/runnel/types"
)

// from binds FROM and returns its rows and the names in sight.
func (b *binder) from(ref ast.TableRef, frame *scope) (plan.Node, *scope, error) {
	s := &scope{outer: frame.outer, ctes: frame.ctes}
	if ref == nil { // SELECT 1: one row
		return oneRow(), s, nil
	}
	n, cols, err := b.tableRef(ref, frame)
	if err != nil {
		return nil, nil, err
	}
	s.cols = cols
	if err := duplicateTables(cols, ref); err != nil {
		return nil, nil, err
	}
	return n, s, nil
}

// duplicateTables refuses two tables of one name: nothing could tell them apart.
func duplicateTables(cols []scopeColumn, ref ast.TableRef) error {
	seen := map[string][]string{}
	for _, c := range cols {
		if len(c.tables) == 0 {
			continue
		}
		k := c.tables[0] + "\x00" + c.name
		if other, ok := seen[k]; ok && slices.Equal(other, c.tables) {
			return diag.At(ref.Pos(), diag.Exists, "two tables of FROM are called %s", c.tables[0]).Hint("give them different aliases: %s AS a", c.tables[0])
		}
		seen[k] = c.tables
	}
	return nil
}

// oneRow is a table of one row without meaning.
func oneRow() plan.Node {
	t := types.Of(types.Boolean).NotNull()
	return &plan.Values{Rows: [][]plan.Expr{{&plan.Literal{Value: true, T: t}}}, Out: types.NewSchema(types.Field{Name: "$row", Type: t})}
}

// tableRef binds an item of FROM that does not depend on others.
func (b *binder) tableRef(ref ast.TableRef, frame *scope) (plan.Node, []scopeColumn, error) {
	switch x := ref.(type) {
	case *ast.Table:
		if x.AsOf != nil {
			return nil, nil, diag.At(x.AsOf.Pos(), diag.Unsupported, "FOR SYSTEM_TIME AS OF stands on the right side of a JOIN")
		}
		return b.namedTable(x, frame)
	case *ast.Derived:
		n, err := b.nested(x.Query, &scope{outer: frame.outer, ctes: frame.ctes})
		if err != nil {
			return nil, nil, err
		}
		return b.aliased(n, x.Alias, nil, x.Pos())
	case *ast.TableFunc:
		if isWindow(x.Call.Func) {
			n, err := b.windowTable(x, frame)
			if err != nil {
				return nil, nil, err
			}
			return b.aliased(n, x.Alias, nil, x.Pos())
		}
		if x.Call.Func == "RULES" {
			n, err := b.rulesTable(x, frame)
			if err != nil {
				return nil, nil, err
			}
			return b.aliased(n, x.Alias, nil, x.Pos())
		}
		return b.alone(ref, frame)
	case *ast.Unnest:
		return b.alone(ref, frame)
	case *ast.Join:
		return b.join(x, frame)
	case *ast.MatchRecognize:
		n, err := b.matchRecognize(x, frame)
		if err != nil {
			return nil, nil, err
		}
		return b.aliased(n, x.Alias, nil, x.Pos())
	}
	return nil, nil, diag.At(ref.Pos(), diag.Unsupported, "this cannot stand in FROM")
}

func (b *binder) namedTable(x *ast.Table, frame *scope) (plan.Node, []scopeColumn, error) {
	n, err := b.table(x.Name, x.Hints, frame)
	if err != nil {
		return nil, nil, err
	}
	var path []string
	for i := len(x.Name.Parts) - 1; i >= 0; i-- {
		path = append(path, x.Name.Parts[i].Name)
	}
	return b.aliased(n, x.Alias, path, x.Pos())
}

// aliased gives the columns of n the names of an alias, or those of path.
func (b *binder) aliased(n plan.Node, a *ast.Alias, path []string, span diag.Span) (plan.Node, []scopeColumn, error) {
	if a != nil {
		path = nil
		if a.Name != nil {
			path = []string{a.Name.Name}
		}
		if a.Columns != nil {
			var err error
			if n, err = rename(n, a.Columns, span); err != nil {
				return nil, nil, err
			}
		}
	}
	s := &scope{}
	s.addPath(path, n.Schema(), 0)
	return n, s.cols, nil
}
