package bind

import (
	"maps"
	"slices"
	"time"

	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/sql/ast"
	"github.com/runnelio/runnel/option"
)

// ttlHint is an entry of STATE_TTL('t' = '1 d', …) of a SELECT: how long a join or
// an aggregation of it keeps what it knows of an input.
type ttlHint struct {
	hint  *ast.Hint
	table string
	keep  time.Duration // as plan.Join.TTL
}

// ttlHints takes the STATE_TTL hints of a SELECT. Of several for one table the
// first counts.
func (b *binder) ttlHints(hints []*ast.Hint) ([]*ttlHint, error) {
	var out []*ttlHint
	for _, h := range hints {
		if h.Name != "STATE_TTL" {
			continue
		}
		options := ast.Options(h.Options)
		if len(options) == 0 {
			return nil, diag.At(h.Pos(), diag.BadValue, "hint STATE_TTL takes tables and times").Hint("STATE_TTL('t' = '1 d')")
		}
		for _, table := range slices.Sorted(maps.Keys(options)) {
			keep, ok := option.ParseDuration(options[table])
			if !ok || keep < 0 {
				return nil, diag.At(h.Pos(), diag.BadValue, "hint STATE_TTL: '%s' takes a duration such as 1 d, not '%s'", table, options[table])
			}
			if keep == 0 {
				keep = -1
			}
			if !slices.ContainsFunc(out, func(t *ttlHint) bool { return t.table == table }) {
				out = append(out, &ttlHint{h, table, keep})
			}
		}
	}
	return out, nil
}

// tableNames is what an item of FROM can be called in a hint: its alias, or the
// name of the table or view. Of a join, whose rows have no name, there is none.
func tableNames(ref ast.TableRef) []string {
	alias := func(a *ast.Alias) []string {
		if a == nil || a.Name == nil {
			return nil
		}
		return []string{a.Name.Name}
	}
	switch x := ref.(type) {
	case *ast.Table:
		if n := alias(x.Alias); n != nil {
			return n
		}
		return []string{x.Name.Last(), x.Name.String()}
	case *ast.Derived:
		return alias(x.Alias)
	case *ast.TableFunc:
		return alias(x.Alias)
	case *ast.MatchRecognize:
		return alias(x.Alias)
	}
	return nil
}

// stateTTL is what the hints say of an input of a join or an aggregation, 0 for nothing.
func (b *binder) stateTTL(ref ast.TableRef) time.Duration {
	names := tableNames(ref)
	for _, t := range b.ttls {
		if slices.Contains(names, t.table) {
			return t.keep
		}
	}
	return 0
}

// unknownTTL refuses hints for tables that are not in FROM, as Flink does.
func unknownTTL(ttls []*ttlHint, from ast.TableRef) error {
	if len(ttls) == 0 {
		return nil
	}
	var names []string
	var walk func(ref ast.TableRef)
	walk = func(ref ast.TableRef) {
		if j, ok := ref.(*ast.Join); ok {
			walk(j.Left)
			walk(j.Right)
			return
		}
		names = append(names, tableNames(ref)...)
	}
	walk(from)
	for _, t := range ttls {
		if !slices.Contains(names, t.table) {
			return diag.At(t.hint.Pos(), diag.UnknownTable, "hint STATE_TTL: no table %s in FROM", t.table).DidYouMean(t.table, names)
		}
	}
	return nil
}
