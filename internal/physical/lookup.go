package physical

import (
	"slices"
	"strings"
	"time"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
)

// Lookup joins rows, as they come, with the rows of their key in a table: one that
// is held in memory, or, if Asked is set, a system that is asked.
type Lookup struct {
	Join *plan.Temporal
	// Options are those of the job that reads the table.
	Options Options
	// Cache are the options of the table.
	Cache connector.LookupOptions
	Asked *Asked
}

// Asked is a table whose connector finds rows by key.
type Asked struct {
	Table *plan.Table
	// Keys are the key columns, ascending in the table's schema; Left the columns
	// of the left input they are equal to. Other equalities are compared.
	Keys, Left []int
	// What is made of the rows found: those for which Filter holds, with columns
	// Exprs; both over Rows.
	Rows   *types.Schema
	Wants  []format.Want // the columns of the table that Rows are
	Filter plan.Expr
	Exprs  []plan.Expr
}

// Table plans the job that reads the table and hands its rows to sink.
func (s Lookup) Table(sink connector.Sink) (*Plan, error) {
	return Build([]plan.Node{&plan.Sink{Input: s.Join.Right, Name: "lookup", Collect: sink}}, s.Options)
}

// Kind names the operator in EXPLAIN and metrics.
func (Lookup) Kind() string { return "LookupJoin" }

// text describes the operator in EXPLAIN.
func (s Lookup) text() string {
	text := "Lookup" + plan.Describe(s.Join)[len("Temporal"):]
	return text[:len(text)-1] + ", cache=[" + s.cacheText() + "])"
}

func (s Lookup) cacheText() string {
	c := s.Cache
	switch {
	case s.Asked == nil && c.ReloadAt != "":
		return "FULL, reloaded at " + c.ReloadAt
	case s.Asked == nil && c.ReloadEvery != nil:
		return "FULL, reloaded every " + c.ReloadEvery.String()
	case s.Asked == nil:
		return "FULL"
	}
	return c.LookupCache
}

// lookup plans a join FOR SYSTEM_TIME AS OF processing time.
func (b *builder) lookup(n *plan.Temporal) (*Op, error) {
	l := Lookup{Join: n, Options: b.opts}
	l.Options.Parallelism = 1
	t := tableOf(n.Right)
	var span diag.Span
	byKey := false
	if t != nil {
		l.Cache, span, byKey = t.Lookup, t.Span, t.Connector.Lookup != nil
	}
	mode := l.Cache.LookupCache
	if mode == "" {
		mode = "FULL"
		if byKey {
			mode = "NONE"
		}
	}
	c := &l.Cache
	c.LookupCache = mode
	if mode != "FULL" && !byKey {
		return nil, diag.At(span, diag.NotAllowed, "table %s cannot be looked up with 'lookup.cache' = '%s': connector %s finds no rows by key", t.Path, mode, t.Connector.Name).
			Hint("'lookup.cache' = 'FULL' reads it into memory, 'lookup.full-cache.periodic-reload.interval' again and again")
	}
	if err := checkCache(c, mode, span); err != nil {
		return nil, err
	}
	if mode != "FULL" {
		var err error
		if l.Asked, err = asked(n, t); err != nil {
			return nil, err
		}
		return b.add(n, l, n.Left)
	}
	if _, err := l.Table(nil); err != nil { // what is wrong with it is said now
		return nil, err
	}
	return b.add(n, l, n.Left)
}

// checkCache refuses options that mean nothing with the others.
func checkCache(c *connector.LookupOptions, mode string, span diag.Span) error {
	needs := func(key, other string) error {
		return diag.At(span, diag.NotAllowed, "'%s' needs %s", key, other)
	}
	partial := c.CacheRows > 0 || c.CacheWrite != nil || c.CacheAccess != nil
	switch {
	case mode != "PARTIAL" && partial:
		return needs("lookup.partial-cache.*", "'lookup.cache' = 'PARTIAL'")
	case mode == "PARTIAL" && !partial:
		return needs("lookup.cache", "a bound of the cache: 'lookup.partial-cache.max-rows', '.expire-after-write' or '.expire-after-access'")
	case mode != "FULL" && (c.ReloadEvery != nil || c.ReloadAt != ""):
		return needs("lookup.full-cache.*", "'lookup.cache' = 'FULL'")
	case c.Reload == "TIMED" && c.ReloadAt == "":
		return needs("lookup.full-cache.reload-strategy", "'lookup.full-cache.timed-reload.iso-time' with TIMED")
	case c.Reload == "TIMED" && c.ReloadEvery != nil, c.Reload != "TIMED" && c.ReloadAt != "":
		return needs("lookup.full-cache.reload-strategy", "PERIODIC with an interval, TIMED with a time of day")
	case c.ReloadAt != "":
		if _, err := NextAt(c.ReloadAt, 1, time.Unix(0, 0), time.UTC); err != nil {
			return needs("lookup.full-cache.timed-reload.iso-time", "a time of day such as 10:15:30 or 10:15Z, not '"+c.ReloadAt+"'")
		}
	case c.ReloadEvery != nil && *c.ReloadEvery <= 0:
		return needs("lookup.full-cache.periodic-reload.interval", "a time above 0")
	}
	return nil
}

// asked brings what lies between the join and the table into one filter and projection.
func asked(n *plan.Temporal, t *plan.Table) (*Asked, error) {
	a := &Asked{Table: t}
	var chain []plan.Node
	var scan *plan.Scan
	for at := n.Right; scan == nil; {
		switch x := at.(type) {
		case *plan.Scan:
			scan = x
		case *plan.Project, *plan.Filter, *plan.Watermark:
			chain = append(chain, at)
			at = at.Inputs()[0]
		default:
			return nil, diag.At(t.Span, diag.Unsupported, "%s is not looked up by itself: only columns and conditions can be computed of it", t.Path).
				Hint("'lookup.cache' = 'FULL' reads the whole into memory")
		}
	}
	a.Rows, a.Wants, a.Filter = scan.Out, scan.Wants, scan.Filter
	for _, w := range a.Wants {
		if len(w.Path) > 0 {
			return nil, diag.At(t.Span, diag.Unsupported, "%s: fields of a ROW column of a table that is looked up cannot be read alone", t.Path)
		}
	}
	exprs := make([]plan.Expr, len(scan.Out.Fields))
	for i, f := range scan.Out.Fields {
		exprs[i] = &plan.Column{Index: i, T: f.Type.Plain(), Name: f.Name}
	}
	over := func(e plan.Expr) plan.Expr {
		return plan.Rewrite(e, func(e plan.Expr) plan.Expr {
			if c, ok := e.(*plan.Column); ok {
				return exprs[c.Index]
			}
			return e
		})
	}
	conds := []plan.Expr{}
	if a.Filter != nil {
		conds = append(conds, a.Filter)
	}
	for _, x := range slices.Backward(chain) {
		switch x := x.(type) {
		case *plan.Project:
			next := make([]plan.Expr, len(x.Exprs))
			for i, e := range x.Exprs {
				next[i] = over(e)
			}
			exprs = next
		case *plan.Filter:
			conds = append(conds, over(x.Cond))
		}
	}
	a.Exprs = exprs
	if len(conds) > 0 {
		a.Filter = plan.AndOf(conds)
	}
	for i, r := range n.RightKeys {
		c, ok := exprs[r].(*plan.Column)
		if !ok {
			continue
		}
		col := scan.Wants[c.Index].Column
		if at, found := slices.BinarySearch(a.Keys, col); !found {
			a.Keys, a.Left = slices.Insert(a.Keys, at, col), slices.Insert(a.Left, at, n.LeftKeys[i])
		}
	}
	if len(a.Keys) == 0 {
		return nil, diag.At(t.Span, diag.Unsupported, "%s is looked up by columns of it, but the condition compares only what is computed of them", t.Path)
	}
	return a, nil
}

// NextAt returns the next moment behind now at a time of day, of the first of
// so many days: 10:15, 10:15:30, with an offset as in 10:15Z or 10:15+02:00, else
// in zone.
func NextAt(text string, days int, now time.Time, zone *time.Location) (time.Time, error) {
	for _, layout := range []string{"15:04:05", "15:04", "15:04:05Z07:00", "15:04Z07:00"} {
		t, err := time.Parse(layout, text)
		if err != nil {
			continue
		}
		in := zone
		if strings.HasSuffix(layout, "Z07:00") {
			in = t.Location()
		}
		n := now.In(in)
		next := time.Date(n.Year(), n.Month(), n.Day(), t.Hour(), t.Minute(), t.Second(), 0, in)
		if !next.After(now) {
			next = next.AddDate(0, 0, days)
		}
		return next, nil
	}
	return time.Time{}, diag.At(diag.Span{}, diag.BadValue, "%s is no time of day", text)
}
