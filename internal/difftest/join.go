package difftest

import (
	"fmt"
	"slices"
	"strings"
)

// sides are the columns of two inputs, named l and r.
func (g *gen) sides(a, b *step) *exprs {
	cols := slices.Concat(a.cols, b.cols)
	n := len(a.cols)
	return &exprs{g, cols, func(i int) string {
		if i < n {
			return "l." + cols[i].name
		}
		return "r." + cols[i].name
	}}
}

// equal is an equality of a column of each side, false if there are none alike.
func (g *gen) equal(a, b *step) (expr, bool) {
	x := g.sides(a, b)
	var pairs [][2]int
	for i, c := range a.cols {
		for j, d := range b.cols {
			if c.typ == d.typ && c.typ.kind != boolKind {
				pairs = append(pairs, [2]int{i, len(a.cols) + j})
			}
		}
	}
	if len(pairs) == 0 {
		return expr{}, false
	}
	p := pairs[g.r.IntN(len(pairs))]
	return comparison(x.column(p[0]), "=", x.column(p[1])), true
}

// condition is what a join asks for: at least one equality, rarely none.
func (g *gen) condition(a, b *step) (expr, bool) {
	on, ok := g.equal(a, b)
	if !ok {
		return expr{}, false
	}
	if g.chance(0.2) {
		if more, ok := g.equal(a, b); ok {
			on = and(on, more)
		}
	}
	if g.chance(0.3) {
		on = and(on, g.sides(a, b).predicate(0))
	}
	return on, true
}

var joins = []string{"JOIN", "JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"}

// matched joins two lists of rows as kind says.
func matched(kind string, l, r [][]value, wide [2]int, on func(row []value) bool) [][]value {
	var rows [][]value
	hit := make([]bool, len(r))
	for _, a := range l {
		any := false
		for j, b := range r {
			row := slices.Concat(a, b)
			if on(row) {
				any, hit[j] = true, true
				rows = append(rows, row)
			}
		}
		if !any && (kind == "LEFT JOIN" || kind == "FULL JOIN") {
			rows = append(rows, slices.Concat(a, make([]value, wide[1])))
		}
		if len(rows) > mostRows {
			panic(errTooLarge)
		}
	}
	if kind == "RIGHT JOIN" || kind == "FULL JOIN" {
		for j, b := range r {
			if !hit[j] {
				rows = append(rows, slices.Concat(make([]value, wide[0]), b))
			}
		}
	}
	return rows
}

// both lists the columns of both sides.
func both(a, b *step) (cols []column, list string) {
	var parts []string
	for i, s := range []*step{a, b} {
		for _, c := range s.cols {
			name := fmt.Sprintf("c%d", len(cols))
			cols = append(cols, column{name, c.typ})
			parts = append(parts, fmt.Sprintf("%s.%s AS %s", []string{"l", "r"}[i], c.name, name))
		}
	}
	return cols, strings.Join(parts, ", ")
}

// untimed makes time attributes plain columns: joins that keep all rows take none.
func (g *gen) untimed(s *step) *step {
	var times []int
	for i, c := range s.cols {
		if c.typ.kind == tsKind {
			times = append(times, i)
		}
	}
	if times == nil {
		return s
	}
	return g.untimedOutput(s, times...)
}

// join is a join of all rows.
func (g *gen) join(depth int) *step {
	a, b := g.untimed(g.narrow(g.any(depth))), g.untimed(g.narrow(g.any(depth)))
	on, ok := g.condition(a, b)
	if !ok {
		return nil
	}
	kind := joins[g.r.IntN(len(joins))]
	cols, list := both(a, b)
	out := &step{inputs: []*step{a, b}, time: -1, cols: cols, inserts: kind == "JOIN" && a.inserts && b.inserts}
	out.sql = fmt.Sprintf("SELECT %s FROM %s AS l %s %s AS r ON %s", list, a.name, kind, b.name, on.sql)
	if kind == "JOIN" && g.chance(0.05) { // no equality
		on = g.sides(a, b).predicate(1)
		out.sql = fmt.Sprintf("SELECT %s FROM %s AS l, %s AS r WHERE %s", list, a.name, b.name, on.sql)
	}
	out.eval = func(in []*rel) *rel {
		return settled(matched(kind, in[0].plain(), in[1].plain(), [2]int{len(a.cols), len(b.cols)}, func(row []value) bool { return on.eval(row) == true }))
	}
	return g.narrow(g.add(out))
}

// semi is EXISTS and NOT EXISTS.
func (g *gen) semi(depth int) *step {
	a, b := g.untimed(g.any(depth)), g.untimed(g.any(depth))
	on, ok := g.condition(a, b)
	if !ok {
		return nil
	}
	not := g.chance(0.5)
	out := &step{inputs: []*step{a, b}, time: -1, cols: a.cols}
	word := "EXISTS"
	if not {
		word = "NOT EXISTS"
	}
	out.sql = fmt.Sprintf("SELECT * FROM %s AS l WHERE %s (SELECT 1 FROM %s AS r WHERE %s)", a.name, word, b.name, on.sql)
	out.eval = func(in []*rel) *rel {
		var rows [][]value
		right := in[1].plain()
		for _, l := range in[0].plain() {
			any := slices.ContainsFunc(right, func(r []value) bool { return on.eval(slices.Concat(l, r)) == true })
			if any != not {
				rows = append(rows, l)
			}
		}
		return settled(rows)
	}
	return g.add(out)
}

// in is IN and NOT IN with a query.
func (g *gen) in(depth int) *step {
	a, b := g.untimed(g.any(depth)), g.untimed(g.any(depth))
	x, y := g.over(a.cols), g.over(b.cols)
	c, ok := x.pick(func(t typ) bool {
		return t.kind != boolKind && slices.ContainsFunc(b.cols, func(d column) bool { return d.typ == t })
	})
	if !ok {
		return nil
	}
	d, _ := y.pick(is(c.typ))
	not := g.chance(0.4)
	word := "IN"
	if not {
		word = "NOT IN"
	}
	out := &step{inputs: []*step{a, b}, time: -1, cols: a.cols}
	out.sql = fmt.Sprintf("SELECT * FROM %s WHERE %s %s (SELECT %s FROM %s)", a.name, c.sql, word, d.sql, b.name)
	out.eval = func(in []*rel) *rel {
		var rows [][]value
		null, has := false, map[string]bool{}
		for _, r := range in[1].plain() {
			if v := d.eval(r); v == nil {
				null = true
			} else {
				has[keyOf(v)] = true
			}
		}
		empty := len(in[1].rows) == 0
		for _, l := range in[0].plain() {
			v := c.eval(l)
			keep := v != nil && has[keyOf(v)]
			if not {
				keep = empty || v != nil && !null && !has[keyOf(v)]
			}
			if keep {
				rows = append(rows, l)
			}
		}
		return settled(rows)
	}
	return g.add(out)
}

// intervalJoin joins rows whose times are close.
func (g *gen) intervalJoin(depth int) *step {
	a, b := g.timed(depth, true), g.timed(depth, true)
	if a == nil || b == nil {
		return nil
	}
	a, b = g.narrow(a), g.narrow(b)
	on, ok := g.condition(a, b)
	if !ok {
		return nil
	}
	x := g.sides(a, b)
	lt, rt := a.time, len(a.cols)+b.time
	low, high := int64(g.r.IntN(6)), int64(g.r.IntN(6))
	kind := joins[g.r.IntN(len(joins))]
	cols, list := both(a, b)
	out := &step{inputs: []*step{a, b}, time: -1, cols: cols, inserts: true}
	out.sql = fmt.Sprintf("SELECT %s FROM %s AS l %s %s AS r ON %s AND %s BETWEEN %s - INTERVAL '%d' SECOND AND %s + INTERVAL '%d' SECOND",
		list, a.name, kind, b.name, on.sql, x.name(lt), x.name(rt), low, x.name(rt), high)
	if kind == "JOIN" {
		out.time = lt
	}
	out.eval = func(in []*rel) *rel {
		return settled(matched(kind, in[0].plain(), in[1].plain(), [2]int{len(a.cols), len(b.cols)}, func(row []value) bool {
			if on.eval(row) != true {
				return false
			}
			l, r := int64(row[lt].(stamp)), int64(row[rt].(stamp))
			return l >= r-low*1000 && l <= r+high*1000
		}))
	}
	if kind == "JOIN" && g.chance(0.8) {
		return g.narrow(g.add(out))
	}
	out.time = -1
	return g.narrow(g.untimedOutput(g.add(out), lt, rt))
}

// untimedOutput casts the time columns of a step's output, which are still
// time attributes to the engine.
func (g *gen) untimedOutput(s *step, times ...int) *step {
	out := &step{inputs: []*step{s}, inserts: s.inserts, ordered: s.ordered, time: -1, cols: s.cols, late: s.late}
	var parts []string
	for i, c := range s.cols {
		text := c.name
		if slices.Contains(times, i) {
			text = "CAST(" + c.name + " AS TIMESTAMP(3))"
		}
		parts = append(parts, text+" AS "+c.name)
	}
	out.sql = "SELECT " + strings.Join(parts, ", ") + " FROM " + s.name
	out.eval = func(in []*rel) *rel { return in[0] }
	return g.add(out)
}

// temporal joins rows with the version of another table that was valid at their time.
func (g *gen) temporal(depth int) *step {
	a := g.timed(depth, true)
	// A view of the last rows knows no version that comes after a later one; a
	// table with a key does.
	view := g.chance(0.5)
	versions := g.base(func(t *table) bool { return t.time >= 0 && !t.late && t.delay == 0 })
	if !view || versions == nil {
		view, versions = false, g.versions()
	}
	if a == nil {
		return nil
	}
	a = g.narrow(a)
	b := versions
	var keys []int
	for i, c := range b.cols {
		if i != b.time && c.typ.kind != boolKind && (view || i == b.table.key) && slices.ContainsFunc(a.cols, func(d column) bool { return d.typ == c.typ }) {
			keys = append(keys, i)
		}
	}
	if len(keys) == 0 {
		return nil
	}
	key := keys[g.r.IntN(len(keys))]
	var like []int
	for i, c := range a.cols {
		if c.typ == b.cols[key].typ {
			like = append(like, i)
		}
	}
	mine := like[g.r.IntN(len(like))]
	if view {
		b = g.add(&step{inputs: []*step{b}, cols: b.cols, time: b.time, versions: true,
			sql: fmt.Sprintf("SELECT %s FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY %s ORDER BY %s DESC) AS rn FROM %s) WHERE rn = 1",
				strings.Join(names(b, span(len(b.cols))), ", "), b.cols[key].name, b.cols[b.time].name, b.name),
			eval: func(in []*rel) *rel { return in[0] }})
	}
	kind := []string{"JOIN", "LEFT JOIN"}[g.r.IntN(2)]
	cols, list := both(a, b)
	out := &step{inputs: []*step{a, b}, time: a.time, cols: cols, inserts: true}
	out.sql = fmt.Sprintf("SELECT %s FROM %s AS l %s %s FOR SYSTEM_TIME AS OF l.%s AS r ON l.%s = r.%s",
		list, a.name, kind, b.name, a.cols[a.time].name, a.cols[mine].name, b.cols[key].name)
	out.eval = func(in []*rel) *rel {
		var rows [][]value
		for _, l := range in[0].plain() {
			var best []value
			for _, r := range in[1].plain() {
				if !same(l[mine], r[key]) || compare(r[b.time], l[a.time]) > 0 { // NULL finds NULL, as in Flink
					continue
				}
				if best == nil || compare(r[b.time], best[b.time]) >= 0 {
					best = r
				}
			}
			switch {
			case best != nil:
				rows = append(rows, slices.Concat(l, best))
			case kind == "LEFT JOIN":
				rows = append(rows, slices.Concat(l, make([]value, len(b.cols))))
			}
		}
		return settled(rows)
	}
	// The time of the version is a time attribute to the engine as well.
	g.add(out)
	return g.narrow(g.untimedOutputKeeping(out, len(a.cols)+b.time))
}

func (g *gen) untimedOutputKeeping(s *step, times ...int) *step {
	out := g.untimedOutput(s, times...)
	out.time = s.time
	return out
}
