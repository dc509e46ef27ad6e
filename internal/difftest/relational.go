package difftest

import (
	"fmt"
	"slices"
	"strings"
)

// calc filters and computes.
func (g *gen) calc(depth int) *step { return g.calcOf(g.any(depth)) }

func (g *gen) calcOf(s *step) *step {
	x := g.over(s.cols)
	var list []expr
	time := -1
	for i := range s.cols {
		switch {
		case i == s.time && g.chance(0.9):
			time = len(list)
			list = append(list, x.column(i))
		case g.chance(0.6):
			list = append(list, x.column(i))
		}
	}
	for range 1 + g.r.IntN(2) {
		t := []typ{intType, bigType, strType, boolType, tsType, decType}[g.r.IntN(6)]
		list = append(list, x.typed(t, 2))
	}
	out := &step{inputs: []*step{s}, inserts: s.inserts, ordered: s.ordered, time: time, late: s.late && time >= 0}
	var parts []string
	for i, e := range list {
		c := column{fmt.Sprintf("c%d", i), e.typ}
		out.cols = append(out.cols, c)
		parts = append(parts, e.sql+" AS "+c.name)
	}
	out.sql = "SELECT " + strings.Join(parts, ", ") + " FROM " + s.name
	where := expr{"", boolType, func([]value) value { return true }}
	if g.chance(0.6) {
		where = x.predicate(2)
		out.sql += " WHERE " + where.sql
	}
	out.eval = func(in []*rel) *rel {
		r := &rel{}
		for _, e := range in[0].rows {
			if where.eval(e.row) != true {
				continue
			}
			row := make([]value, len(list))
			for i, x := range list {
				row[i] = x.eval(e.row)
			}
			r.rows = append(r.rows, event{row, e.wm})
		}
		return r
	}
	return g.add(out)
}

// groups splits rows by a key, in the order the keys come.
func groups(rows [][]value, key func([]value) []value) (keys [][]value, parts [][][]value) {
	at := map[string]int{}
	for _, r := range rows {
		k := key(r)
		i, ok := at[keyOf(k...)]
		if !ok {
			i = len(keys)
			at[keyOf(k...)] = i
			keys, parts = append(keys, k), append(parts, nil)
		}
		parts[i] = append(parts[i], r)
	}
	return keys, parts
}

// some picks up to n columns.
func (g *gen) some(s *step, n int) []int {
	out := g.r.Perm(len(s.cols))
	out = out[:min(n, len(out))]
	slices.Sort(out)
	return out
}

func names(s *step, cols []int) []string {
	var out []string
	for _, c := range cols {
		out = append(out, s.cols[c].name)
	}
	return out
}

func at(row []value, cols []int) []value {
	out := make([]value, len(cols))
	for i, c := range cols {
		out[i] = row[c]
	}
	return out
}

// group is GROUP BY with HAVING.
func (g *gen) group(depth int) *step {
	s := g.any(depth)
	x := g.over(s.cols)
	keys := g.some(s, g.r.IntN(3))
	calls, list := x.aggregates(1+g.r.IntN(3), s.inserts && s.ordered)
	out := &step{inputs: []*step{s}, time: -1}
	var parts []string
	for i, k := range keys {
		c := column{fmt.Sprintf("k%d", i), s.cols[k].typ}
		out.cols = append(out.cols, c)
		parts = append(parts, s.cols[k].name+" AS "+c.name)
	}
	for i, c := range calls {
		out.cols = append(out.cols, column{fmt.Sprintf("a%d", i), c.typ})
	}
	out.sql = "SELECT " + strings.Join(append(parts, list), ", ") + " FROM " + s.name
	if len(keys) > 0 {
		out.sql += " GROUP BY " + strings.Join(names(s, keys), ", ")
	}
	having := call{eval: func([][]value) value { return true }}
	if g.chance(0.3) {
		a := x.aggregate(false)
		lit := x.literal(a.typ)
		op := []string{"<", ">=", "<>"}[g.r.IntN(3)]
		cmp := comparison(expr{a.sql, a.typ, func(r []value) value { return r[0] }}, op, lit)
		having = call{sql: cmp.sql, eval: func(rows [][]value) value { return cmp.eval([]value{a.eval(rows)}) }}
		out.sql += " HAVING " + having.sql
	}
	out.eval = func(in []*rel) *rel {
		ks, groups := groups(in[0].plain(), func(r []value) []value { return at(r, keys) })
		var rows [][]value
		for i, k := range ks {
			if having.eval(groups[i]) != true {
				continue
			}
			row := slices.Clone(k)
			for _, c := range calls {
				row = append(row, c.eval(groups[i]))
			}
			rows = append(rows, row)
		}
		return settled(rows)
	}
	return g.add(out)
}

// groupingSets is GROUP BY with several sets of keys.
func (g *gen) groupingSets(depth int) *step {
	s := g.any(depth)
	keys := g.some(s, 2)
	if len(keys) < 2 {
		return nil
	}
	x := g.over(s.cols)
	calls, list := x.aggregates(1+g.r.IntN(2), false)
	a, b := s.cols[keys[0]], s.cols[keys[1]]
	var sets [][]bool // which keys are in the set
	var by string
	switch g.r.IntN(3) {
	case 0:
		by, sets = fmt.Sprintf("CUBE (%s, %s)", a.name, b.name), [][]bool{{true, true}, {true, false}, {false, true}, {false, false}}
	case 1:
		by, sets = fmt.Sprintf("ROLLUP (%s, %s)", a.name, b.name), [][]bool{{true, true}, {true, false}, {false, false}}
	default:
		by, sets = fmt.Sprintf("GROUPING SETS ((%s), (%s), (%s, %s))", a.name, b.name, a.name, b.name), [][]bool{{true, false}, {false, true}, {true, true}}
	}
	out := &step{inputs: []*step{s}, time: -1, cols: []column{{"k0", a.typ}, {"k1", b.typ}, {"g", bigType}}}
	for i, c := range calls {
		out.cols = append(out.cols, column{fmt.Sprintf("a%d", i), c.typ})
	}
	out.sql = fmt.Sprintf("SELECT %s AS k0, %s AS k1, GROUPING_ID(%s, %s) AS g, %s FROM %s GROUP BY %s", a.name, b.name, a.name, b.name, list, s.name, by)
	out.eval = func(in []*rel) *rel {
		var rows [][]value
		for _, set := range sets {
			id := int64(0)
			for i, in := range set {
				if !in {
					id |= 2 >> i
				}
			}
			ks, groups := groups(in[0].plain(), func(r []value) []value {
				k := at(r, keys)
				for i, in := range set {
					if !in {
						k[i] = nil
					}
				}
				return k
			})
			for i, k := range ks {
				row := append(slices.Clone(k), id)
				for _, c := range calls {
					row = append(row, c.eval(groups[i]))
				}
				rows = append(rows, row)
			}
		}
		return settled(rows)
	}
	return g.add(out)
}

func (g *gen) distinct(depth int) *step {
	s := g.any(depth)
	keys := g.some(s, 1+g.r.IntN(3))
	out := &step{inputs: []*step{s}, time: -1, inserts: s.inserts}
	var parts []string
	for i, k := range keys {
		c := column{fmt.Sprintf("c%d", i), s.cols[k].typ}
		out.cols = append(out.cols, c)
		parts = append(parts, s.cols[k].name+" AS "+c.name)
	}
	out.sql = "SELECT DISTINCT " + strings.Join(parts, ", ") + " FROM " + s.name
	out.eval = func(in []*rel) *rel {
		ks, _ := groups(in[0].plain(), func(r []value) []value { return at(r, keys) })
		return settled(ks)
	}
	return g.add(out)
}

// total is an order of all columns, some descending, so that ties are equal rows.
func (g *gen) total(s *step) (by string, less func(a, b []value) int) {
	perm := g.r.Perm(len(s.cols))
	desc := make([]bool, len(perm))
	nulls := make([]int, len(perm)) // -1 first, 1 last, 0 as Flink has it: below everything
	var parts []string
	for i, c := range perm {
		desc[i] = g.chance(0.5)
		text := s.cols[c].name
		if desc[i] {
			text += " DESC"
		}
		if g.chance(0.1) {
			nulls[i] = 1 - 2*g.r.IntN(2)
			text += map[int]string{-1: " NULLS FIRST", 1: " NULLS LAST"}[nulls[i]]
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ", "), func(a, b []value) int {
		for i, c := range perm {
			x, y := a[c], b[c]
			if nulls[i] != 0 && (x == nil) != (y == nil) {
				if x == nil {
					return nulls[i]
				}
				return -nulls[i]
			}
			o := order(x, y)
			if desc[i] {
				o = -o
			}
			if o != 0 {
				return o
			}
		}
		return 0
	}
}

// topN is ROW_NUMBER with a condition on it.
func (g *gen) topN(depth int) *step {
	s := g.narrow(g.any(depth))
	if s.time == 0 && len(s.cols) == 1 {
		return nil
	}
	keys := g.some(s, g.r.IntN(3))
	by, less := g.total(s)
	low, high := 1, 1+g.r.IntN(4)
	cond := fmt.Sprintf("rn <= %d", high)
	if high > 2 && g.chance(0.2) {
		low, cond = 2, fmt.Sprintf("rn BETWEEN 2 AND %d", high)
	}
	rank := g.chance(0.5)
	out := &step{inputs: []*step{s}, time: -1}
	var parts []string
	for i, c := range s.cols {
		out.cols = append(out.cols, column{fmt.Sprintf("c%d", i), c.typ})
		parts = append(parts, fmt.Sprintf("%s AS c%d", c.name, i))
	}
	if rank {
		out.cols = append(out.cols, column{"r", bigType})
		parts = append(parts, "rn AS r")
	}
	part := ""
	if len(keys) > 0 {
		part = "PARTITION BY " + strings.Join(names(s, keys), ", ") + " "
	}
	out.sql = fmt.Sprintf("SELECT %s FROM (SELECT *, ROW_NUMBER() OVER (%sORDER BY %s) AS rn FROM %s) WHERE %s", strings.Join(parts, ", "), part, by, s.name, cond)
	out.eval = func(in []*rel) *rel {
		_, groups := groups(in[0].plain(), func(r []value) []value { return at(r, keys) })
		var rows [][]value
		for _, rs := range groups {
			slices.SortStableFunc(rs, less)
			for i := low - 1; i < min(high, len(rs)); i++ {
				row := slices.Clone(rs[i])
				if rank {
					row = append(row, int64(i+1))
				}
				rows = append(rows, row)
			}
		}
		return settled(rows)
	}
	return g.add(out)
}

// limit is ORDER BY with LIMIT and OFFSET.
func (g *gen) limit(depth int) *step {
	s := g.narrow(g.any(depth))
	by, less := g.total(s)
	n, skip := 1+g.r.IntN(6), 0
	text := fmt.Sprintf("LIMIT %d", n)
	if g.chance(0.3) {
		skip = 1 + g.r.IntN(2)
		text += fmt.Sprintf(" OFFSET %d", skip)
	}
	out := &step{inputs: []*step{s}, time: -1, cols: s.cols}
	out.sql = fmt.Sprintf("SELECT %s FROM %s ORDER BY %s %s", strings.Join(names(s, span(len(s.cols))), ", "), s.name, by, text)
	out.eval = func(in []*rel) *rel {
		rows := in[0].plain()
		slices.SortStableFunc(rows, less)
		rows = rows[min(skip, len(rows)):]
		return settled(rows[:min(n, len(rows))])
	}
	return g.add(out)
}

func span(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// aligned are two relations of the same types, often with equal rows.
func (g *gen) aligned(depth int) (a, b *step) {
	s := g.any(depth)
	a = g.project(s, g.some(s, 1+g.r.IntN(2)))
	other := s
	if g.chance(0.7) {
		other = g.any(depth)
	}
	x := g.over(other.cols)
	out := &step{inputs: []*step{other}, inserts: other.inserts, ordered: other.ordered, time: -1}
	var list []expr
	var parts []string
	for i, c := range a.cols {
		e := x.typed(c.typ, 0)
		list = append(list, e)
		out.cols = append(out.cols, column{fmt.Sprintf("c%d", i), c.typ})
		parts = append(parts, fmt.Sprintf("%s AS c%d", e.sql, i))
	}
	out.sql = "SELECT " + strings.Join(parts, ", ") + " FROM " + other.name
	out.eval = func(in []*rel) *rel {
		var rows [][]value
		for _, r := range in[0].plain() {
			row := make([]value, len(list))
			for i, e := range list {
				row[i] = e.eval(r)
			}
			rows = append(rows, row)
		}
		return settled(rows)
	}
	return a, g.add(out)
}

func (g *gen) setOp(depth int) *step {
	a, b := g.aligned(depth)
	op := []string{"UNION", "UNION ALL", "INTERSECT", "INTERSECT ALL", "EXCEPT", "EXCEPT ALL"}[g.r.IntN(6)]
	out := &step{inputs: []*step{a, b}, time: -1, inserts: op == "UNION ALL" && a.inserts && b.inserts}
	for i, c := range a.cols {
		out.cols = append(out.cols, column{fmt.Sprintf("c%d", i), c.typ})
	}
	out.sql = fmt.Sprintf("SELECT * FROM %s %s SELECT * FROM %s", a.name, op, b.name)
	out.eval = func(in []*rel) *rel {
		l, r := in[0].plain(), in[1].plain()
		row := map[string][]value{}
		n, m := map[string]int{}, map[string]int{}
		var keys []string
		for i, rows := range [][][]value{l, r} {
			for _, x := range rows {
				k := keyOf(x...)
				if row[k] == nil {
					row[k], keys = x, append(keys, k)
				}
				if i == 0 {
					n[k]++
				} else {
					m[k]++
				}
			}
		}
		var rows [][]value
		for _, k := range keys {
			c := 0
			switch op {
			case "UNION":
				c = 1
			case "UNION ALL":
				c = n[k] + m[k]
			case "INTERSECT":
				c = min(n[k], m[k], 1)
			case "INTERSECT ALL":
				c = min(n[k], m[k])
			case "EXCEPT":
				if n[k] > 0 && m[k] == 0 {
					c = 1
				}
			case "EXCEPT ALL":
				c = max(0, n[k]-m[k])
			}
			for range c {
				rows = append(rows, row[k])
			}
		}
		return settled(rows)
	}
	return g.add(out)
}
