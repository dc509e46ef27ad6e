package optimize

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
)

// share makes the scans of one table in several roots one: it is read and
// decoded once, with the union of the columns, and each consumer filters and
// projects for itself. Scans with a LIMIT stay alone.
func share(roots []plan.Node) []plan.Node {
	groups := map[string][]*plan.Scan{}
	var order []string
	for _, r := range roots {
		seen := map[plan.Node]bool{}
		var walk func(plan.Node)
		walk = func(n plan.Node) {
			if seen[n] {
				return
			}
			seen[n] = true
			if s, ok := n.(*plan.Scan); ok && s.Limit == 0 {
				k := scanKey(s)
				if groups[k] == nil {
					order = append(order, k)
				}
				if !slices.Contains(groups[k], s) {
					groups[k] = append(groups[k], s)
				}
			}
			for _, in := range n.Inputs() {
				walk(in)
			}
		}
		walk(r)
	}
	replace := map[plan.Node]plan.Node{}
	for _, k := range order {
		if g := groups[k]; len(g) > 1 {
			shareGroup(g, replace)
		}
	}
	if len(replace) == 0 {
		return roots
	}
	out := make([]plan.Node, len(roots))
	done := map[plan.Node]plan.Node{}
	for i, r := range roots {
		// The error of rewriteShared is f's, which has none.
		out[i], _ = rewriteShared(r, func(n plan.Node) (plan.Node, error) {
			if to, ok := replace[n]; ok {
				return to, nil
			}
			return n, nil
		}, done)
	}
	return out
}

// scanKey is equal for scans that read the same with the same options.
func scanKey(s *plan.Scan) string {
	var b strings.Builder
	b.WriteString(s.Table.Path)
	for _, k := range slices.Sorted(maps.Keys(s.Table.Options)) {
		fmt.Fprintf(&b, "\x00%s\x01%s", k, s.Table.Options[k])
	}
	if l := s.Table.Late; l != nil {
		b.WriteString("\x00" + l.Sink.Name)
	}
	f, m := s.Table.Fire, s.Table.Marks
	for _, d := range []*time.Duration{f.Interval, f.Lateness, m.Idle} {
		if d != nil {
			fmt.Fprintf(&b, "\x00%d", *d)
		}
		b.WriteByte(0)
	}
	if f.Mode != nil {
		fmt.Fprintf(&b, "\x00%d", *f.Mode)
	}
	fmt.Fprintf(&b, "\x00%d %s %d %d", m.Gap, m.Group, m.MaxDrift, m.Update)
	return b.String()
}

// shareGroup plans one scan for all of g, with the union of their columns; each
// member filters and projects above it.
func shareGroup(g []*plan.Scan, replace map[plan.Node]plan.Node) {
	all := &plan.Scan{Table: g[0].Table}
	at := map[string]int{}
	var fields []types.Field
	key := func(w format.Want) string { return fmt.Sprintf("%d\x00%s", w.Column, strings.Join(w.Path, "\x00")) }
	for _, s := range g {
		for i, w := range s.Wants {
			if _, ok := at[key(w)]; !ok {
				at[key(w)] = len(fields)
				fields = append(fields, s.Out.Fields[i])
				all.Wants = append(all.Wants, w)
			}
		}
	}
	// Wants ascend by column.
	index := make([]int, len(fields))
	for i := range index {
		index[i] = i
	}
	slices.SortStableFunc(index, func(a, b int) int { return all.Wants[a].Column - all.Wants[b].Column })
	wants, sorted, moved := make([]format.Want, len(index)), make([]types.Field, len(index)), map[int]int{}
	for i, from := range index {
		wants[i], sorted[i], moved[from] = all.Wants[from], fields[from], i
	}
	all.Wants = wants
	all.Out = types.NewSchema(sorted...)
	for _, s := range g {
		place := func(i int) int { return moved[at[key(s.Wants[i])]] }
		var n plan.Node = all
		if s.Filter != nil {
			n = &plan.Filter{Input: n, Cond: plan.Remap(s.Filter, place)}
		}
		p := &plan.Project{Input: n, Out: s.Out}
		for i, f := range s.Out.Fields {
			p.Exprs = append(p.Exprs, &plan.Column{Index: place(i), T: f.Type, Name: f.Name})
		}
		replace[s] = p
	}
}
