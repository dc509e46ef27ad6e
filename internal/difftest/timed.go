package difftest

import (
	"fmt"
	"slices"
	"sort"
	"strings"
)

// span of time, milliseconds; the end does not belong to it.
type window struct{ start, end int64 }

// windows is a kind of windows: its SQL as a table function and as the older
// function in GROUP BY, and the windows of a time.
type windows struct {
	table  func(input, time string) string
	group  string // name and arguments behind the time, "" if there is no such form
	of     func(t int64) []window
	tumble bool
}

func floor(t, size, offset int64) int64 {
	t -= offset
	f := t - t%size
	if t%size < 0 {
		f -= size
	}
	return f + offset
}

// windows makes a kind up.
func (g *gen) windows() windows {
	unit := int64(1 + g.r.IntN(4)) // seconds
	switch g.r.IntN(4) {
	case 0:
		n := int64(1 + g.r.IntN(4))
		slide, size := unit, unit*n
		return windows{
			table: func(in, t string) string {
				return fmt.Sprintf("TABLE(HOP(TABLE %s, DESCRIPTOR(%s), INTERVAL '%d' SECOND, INTERVAL '%d' SECOND))", in, t, slide, size)
			},
			group: fmt.Sprintf("HOP|, INTERVAL '%d' SECOND, INTERVAL '%d' SECOND", slide, size),
			of: func(t int64) (out []window) {
				for s := floor(t, slide*1000, 0); s > t-size*1000; s -= slide * 1000 {
					out = append(out, window{s, s + size*1000})
				}
				return out
			},
		}
	case 1:
		n := int64(1 + g.r.IntN(4))
		step, size := unit, unit*n
		return windows{
			table: func(in, t string) string {
				return fmt.Sprintf("TABLE(CUMULATE(TABLE %s, DESCRIPTOR(%s), INTERVAL '%d' SECOND, INTERVAL '%d' SECOND))", in, t, step, size)
			},
			of: func(t int64) (out []window) {
				s := floor(t, size*1000, 0)
				for e := s + step*1000; e <= s+size*1000; e += step * 1000 {
					if e > t {
						out = append(out, window{s, e})
					}
				}
				return out
			},
		}
	}
	offset, more := int64(0), ""
	if g.chance(0.2) {
		offset = int64(g.r.IntN(3)) * 1000
		more = fmt.Sprintf(", INTERVAL '%d' SECOND", offset/1000)
	}
	w := windows{
		tumble: true,
		table: func(in, t string) string {
			return fmt.Sprintf("TABLE(TUMBLE(TABLE %s, DESCRIPTOR(%s), INTERVAL '%d' SECOND%s))", in, t, unit, more)
		},
		of: func(t int64) []window {
			s := floor(t, unit*1000, offset)
			return []window{{s, s + unit*1000}}
		},
	}
	if more == "" {
		w.group = fmt.Sprintf("TUMBLE|, INTERVAL '%d' SECOND", unit)
	}
	return w
}

// grouped are the rows of each window and key, those left out that come when
// the window is over.
func grouped(in *rel, time int, of func(int64) []window, key func([]value) []value) (wins []window, keys [][]value, rows [][][]value) {
	at := map[string]int{}
	for _, e := range in.rows {
		for _, w := range of(int64(e.row[time].(stamp))) {
			if w.end-1 <= e.wm {
				continue
			}
			k := key(e.row)
			id := fmt.Sprint(w) + keyOf(k...)
			i, ok := at[id]
			if !ok {
				i = len(wins)
				at[id] = i
				wins, keys, rows = append(wins, w), append(keys, k), append(rows, nil)
			}
			rows[i] = append(rows[i], e.row)
		}
	}
	return wins, keys, rows
}

// windowed is an aggregate of the windows of a table function.
func (g *gen) windowed(depth int) *step {
	s := g.timed(depth, false)
	if s == nil {
		return nil
	}
	w := g.windows()
	x := g.over(s.cols)
	keys := slices.DeleteFunc(g.some(s, g.r.IntN(3)), func(c int) bool { return c == s.time })
	calls, list := x.aggregates(1+g.r.IntN(2), s.ordered && w.tumble)
	out := &step{inputs: []*step{s}, inserts: true, time: -1, late: false, cols: []column{{"ws", tsType}, {"we", tsType}}}
	parts, by := []string{"window_start AS ws", "window_end AS we"}, []string{"window_start", "window_end"}
	stamped := g.chance(0.5)
	if stamped {
		out.time = 2
		out.cols = append(out.cols, column{"wt", tsType})
		parts, by = append(parts, "window_time AS wt"), append(by, "window_time")
	}
	for i, k := range keys {
		out.cols = append(out.cols, column{fmt.Sprintf("k%d", i), s.cols[k].typ})
		parts = append(parts, fmt.Sprintf("%s AS k%d", s.cols[k].name, i))
	}
	sets := len(keys) == 2 && !stamped && g.chance(0.3)
	if sets {
		by = append(by, fmt.Sprintf("GROUPING SETS ((%s), (%s))", s.cols[keys[0]].name, s.cols[keys[1]].name))
	} else {
		by = append(by, names(s, keys)...)
	}
	for i, c := range calls {
		out.cols = append(out.cols, column{fmt.Sprintf("a%d", i), c.typ})
	}
	out.sql = fmt.Sprintf("SELECT %s, %s FROM %s GROUP BY %s", strings.Join(parts, ", "), list, w.table(s.name, s.cols[s.time].name), strings.Join(by, ", "))
	out.eval = func(in []*rel) *rel {
		var rows [][]value
		for set := range 2 {
			wins, ks, groups := grouped(in[0], s.time, w.of, func(r []value) []value {
				k := at(r, keys)
				if sets {
					k[1-set] = nil
				}
				return k
			})
			for i, win := range wins {
				row := []value{stamp(win.start), stamp(win.end)}
				if stamped {
					row = append(row, stamp(win.end-1))
				}
				row = append(row, ks[i]...)
				for _, c := range calls {
					row = append(row, c.eval(groups[i]))
				}
				rows = append(rows, row)
			}
			if !sets {
				break
			}
		}
		return settled(rows)
	}
	return g.add(out)
}

// legacy is an aggregate of windows in GROUP BY.
func (g *gen) legacy(depth int) *step {
	s := g.timed(depth, false)
	w := g.windows()
	if s == nil || w.group == "" {
		return nil
	}
	name, args, _ := strings.Cut(w.group, "|")
	of := func(suffix string) string { return name + suffix + "(" + s.cols[s.time].name + args + ")" }
	x := g.over(s.cols)
	keys := slices.DeleteFunc(g.some(s, g.r.IntN(3)), func(c int) bool { return c == s.time })
	calls, list := x.aggregates(1+g.r.IntN(2), s.ordered && w.tumble)
	out := &step{inputs: []*step{s}, inserts: true, time: 2, cols: []column{{"ws", tsType}, {"we", tsType}, {"wt", tsType}}}
	parts, by := []string{of("_START") + " AS ws", of("_END") + " AS we", of("_ROWTIME") + " AS wt"}, []string{of("")}
	for i, k := range keys {
		out.cols = append(out.cols, column{fmt.Sprintf("k%d", i), s.cols[k].typ})
		parts = append(parts, fmt.Sprintf("%s AS k%d", s.cols[k].name, i))
		by = append(by, s.cols[k].name)
	}
	for i, c := range calls {
		out.cols = append(out.cols, column{fmt.Sprintf("a%d", i), c.typ})
	}
	out.sql = fmt.Sprintf("SELECT %s, %s FROM %s GROUP BY %s", strings.Join(parts, ", "), list, s.name, strings.Join(by, ", "))
	out.eval = func(in []*rel) *rel {
		var rows [][]value
		wins, ks, groups := grouped(in[0], s.time, w.of, func(r []value) []value { return at(r, keys) })
		for i, win := range wins {
			row := append([]value{stamp(win.start), stamp(win.end), stamp(win.end - 1)}, ks[i]...)
			for _, c := range calls {
				row = append(row, c.eval(groups[i]))
			}
			rows = append(rows, row)
		}
		return settled(rows)
	}
	return g.add(out)
}

// session is an aggregate of sessions, by the table function or the older form.
func (g *gen) session(depth int) *step {
	s := g.timed(depth, false)
	if s == nil {
		return nil
	}
	gap := int64(1 + g.r.IntN(4))
	x := g.over(s.cols)
	keys := slices.DeleteFunc(g.some(s, g.r.IntN(3)), func(c int) bool { return c == s.time })
	calls, list := x.aggregates(1+g.r.IntN(2), false)
	out := &step{inputs: []*step{s}, inserts: true, time: -1, cols: []column{{"ws", tsType}, {"we", tsType}}}
	var parts, by []string
	for i, k := range keys {
		out.cols = append(out.cols, column{fmt.Sprintf("k%d", i), s.cols[k].typ})
		parts = append(parts, fmt.Sprintf("%s AS k%d", s.cols[k].name, i))
		by = append(by, s.cols[k].name)
	}
	for i, c := range calls {
		out.cols = append(out.cols, column{fmt.Sprintf("a%d", i), c.typ})
	}
	t := s.cols[s.time].name
	if g.chance(0.5) {
		part := ""
		if len(keys) > 0 {
			part = " PARTITION BY (" + strings.Join(by, ", ") + ")"
			if len(keys) == 1 {
				part = " PARTITION BY " + by[0]
			}
		}
		out.sql = fmt.Sprintf("SELECT %s, %s FROM TABLE(SESSION(TABLE %s%s, DESCRIPTOR(%s), INTERVAL '%d' SECOND)) GROUP BY %s",
			strings.Join(append([]string{"window_start AS ws", "window_end AS we"}, parts...), ", "), list, s.name, part, t, gap,
			strings.Join(append([]string{"window_start", "window_end"}, by...), ", "))
	} else {
		of := func(suffix string) string { return fmt.Sprintf("SESSION%s(%s, INTERVAL '%d' SECOND)", suffix, t, gap) }
		out.sql = fmt.Sprintf("SELECT %s, %s FROM %s GROUP BY %s",
			strings.Join(append([]string{of("_START") + " AS ws", of("_END") + " AS we"}, parts...), ", "), list, s.name,
			strings.Join(append([]string{of("")}, by...), ", "))
	}
	type open struct {
		window
		rows [][]value
	}
	out.eval = func(in []*rel) *rel {
		var rows [][]value
		live := map[string][]*open{}
		first := map[string][]value{}
		end := func(k string, o *open) {
			row := append([]value{stamp(o.start), stamp(o.end)}, first[k]...)
			for _, c := range calls {
				row = append(row, c.eval(o.rows))
			}
			rows = append(rows, row)
		}
		for _, e := range in[0].rows {
			t := int64(e.row[s.time].(stamp))
			key := at(e.row, keys)
			k := keyOf(key...)
			first[k] = key
			now := &open{window{t, t + gap*1000}, [][]value{e.row}}
			var rest []*open
			for _, o := range live[k] {
				switch {
				case o.end-1 <= e.wm:
					end(k, o)
				case o.start <= now.end && now.start <= o.end:
					now.start, now.end = min(now.start, o.start), max(now.end, o.end)
					now.rows = append(o.rows, now.rows...)
				default:
					rest = append(rest, o)
				}
			}
			if now.end-1 > e.wm {
				rest = append(rest, now)
			}
			live[k] = rest
		}
		for k, os := range live {
			for _, o := range os {
				end(k, o)
			}
		}
		return settled(rows)
	}
	return g.add(out)
}

// overRows is OVER: the frame of each row that is not late, by time.
func (g *gen) overRows(depth int) *step {
	s := g.timed(depth, false)
	if s == nil {
		return nil
	}
	s = g.narrow(s)
	x := g.over(s.cols)
	keys := slices.DeleteFunc(g.some(s, g.r.IntN(2)), func(c int) bool { return c == s.time })
	frame, rows, back := "", false, int64(-1)
	switch g.r.IntN(5) {
	case 0:
		frame = " RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"
	case 1:
		back = int64(g.r.IntN(6))
		frame = fmt.Sprintf(" RANGE BETWEEN INTERVAL '%d' SECOND PRECEDING AND CURRENT ROW", back)
		back *= 1000
	case 2, 3:
		if !s.ordered {
			break
		}
		rows, frame = true, " ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"
		if g.chance(0.6) {
			back = int64(g.r.IntN(4))
			frame = fmt.Sprintf(" ROWS BETWEEN %d PRECEDING AND CURRENT ROW", back)
		}
	}
	if back >= 0 && s.late { // which rows a bounded frame finds too late depends on what it still holds
		back, rows, frame = -1, false, ""
	}
	part := ""
	if len(keys) > 0 {
		part = "PARTITION BY " + strings.Join(names(s, keys), ", ") + " "
	}
	out := &step{inputs: []*step{s}, inserts: true, time: s.time}
	var parts []string
	for i, c := range s.cols {
		out.cols = append(out.cols, column{fmt.Sprintf("c%d", i), c.typ})
		parts = append(parts, fmt.Sprintf("%s AS c%d", c.name, i))
	}
	var calls []call
	ranks := frame == "" && s.ordered && g.chance(0.5)
	for i := range 1 + g.r.IntN(2) {
		var c call
		if ranks {
			c = g.rankCall(s, x)
		} else {
			for c = x.aggregate(s.ordered); strings.Contains(c.sql, "FILTER") || strings.HasPrefix(c.sql, "LISTAGG"); {
				c = x.aggregate(s.ordered)
			}
		}
		calls = append(calls, c)
		out.cols = append(out.cols, column{fmt.Sprintf("a%d", i), c.typ})
		parts = append(parts, fmt.Sprintf("%s OVER w AS a%d", c.sql, i))
	}
	out.sql = fmt.Sprintf("SELECT %s FROM %s WINDOW w AS (%sORDER BY %s%s)", strings.Join(parts, ", "), s.name, part, s.cols[s.time].name, frame)
	out.eval = func(in []*rel) *rel {
		var list [][]value
		for _, e := range in[0].rows {
			if int64(e.row[s.time].(stamp)) > e.wm {
				list = append(list, e.row)
			}
		}
		sort.SliceStable(list, func(i, j int) bool { return compare(list[i][s.time], list[j][s.time]) < 0 })
		_, parts := groups(list, func(r []value) []value { return at(r, keys) })
		var result [][]value
		for _, rs := range parts {
			for i, r := range rs {
				var frame [][]value
				for j, q := range rs {
					switch {
					case rows || ranks:
						if j <= i && (back < 0 || int64(i-j) <= back) {
							frame = append(frame, q)
						}
					default:
						d := int64(r[s.time].(stamp)) - int64(q[s.time].(stamp))
						if d >= 0 && (back < 0 || d <= back) {
							frame = append(frame, q)
						}
					}
				}
				row := slices.Clone(r)
				for _, c := range calls {
					row = append(row, c.eval(frame))
				}
				result = append(result, row)
			}
		}
		return settled(result)
	}
	return g.add(out)
}

// rankCall is a function of a row's place; its rows end with that row.
func (g *gen) rankCall(s *step, x *exprs) call {
	before := func(rows [][]value) (n, kinds int) {
		last := rows[len(rows)-1]
		for i, r := range rows {
			if compare(r[s.time], last[s.time]) < 0 {
				n++
				if compare(r[s.time], rows[i+1][s.time]) != 0 {
					kinds++
				}
			}
		}
		return n, kinds
	}
	switch g.r.IntN(4) {
	case 0:
		return call{"ROW_NUMBER()", bigType, func(rows [][]value) value { return int64(len(rows)) }}
	case 1:
		return call{"RANK()", bigType, func(rows [][]value) value { n, _ := before(rows); return int64(n + 1) }}
	case 2:
		return call{"DENSE_RANK()", bigType, func(rows [][]value) value { _, k := before(rows); return int64(k + 1) }}
	}
	c, _ := x.pick(func(typ) bool { return true })
	n := 1 + g.r.IntN(2)
	return call{fmt.Sprintf("LAG(%s, %d)", c.sql, n), c.typ, func(rows [][]value) value {
		if len(rows) <= n {
			return nil
		}
		return c.eval(rows[len(rows)-1-n])
	}}
}

// dedup keeps the first or last row of a key by time.
func (g *gen) dedup(depth int) *step {
	s := g.timed(depth, false)
	if s == nil || !s.ordered {
		return nil
	}
	keys := slices.DeleteFunc(g.some(s, 1+g.r.IntN(2)), func(c int) bool { return c == s.time })
	if len(keys) == 0 {
		return nil
	}
	last := g.chance(0.5)
	out := g.kept(s, keys, s.cols[s.time].name, s.name, last, func(a, b []value) bool {
		c := compare(a[s.time], b[s.time])
		return last && c >= 0 || !last && c < 0
	})
	if keep := out.eval; !last { // the first row is known when the watermark passes it: later ones are too late
		out.eval = func(in []*rel) *rel {
			punctual := &rel{}
			for _, e := range in[0].rows {
				if int64(e.row[s.time].(stamp)) > e.wm {
					punctual.rows = append(punctual.rows, e)
				}
			}
			return keep([]*rel{punctual})
		}
	}
	return g.untimed(out)
}

// arrival keeps the first or last row of a key as they come.
func (g *gen) arrival(depth int) *step {
	s := g.any(depth)
	if !s.ordered || !s.inserts {
		s = g.base(func(t *table) bool { return !t.log })
	}
	if s == nil {
		return nil
	}
	last := g.chance(0.5)
	from := "(SELECT *, PROCTIME() AS pt FROM " + s.name + ")"
	return g.untimed(g.kept(s, g.some(s, 1+g.r.IntN(2)), "pt", from, last, func(_, _ []value) bool { return last }))
}

// kept is ROW_NUMBER() = 1; better tells whether row a takes the place of b, which came before.
func (g *gen) kept(s *step, keys []int, by, from string, last bool, better func(a, b []value) bool) *step {
	out := &step{inputs: []*step{s}, time: -1}
	var parts []string
	for i, c := range s.cols {
		out.cols = append(out.cols, column{fmt.Sprintf("c%d", i), c.typ})
		parts = append(parts, fmt.Sprintf("%s AS c%d", c.name, i))
	}
	if last {
		by += " DESC"
	}
	out.sql = fmt.Sprintf("SELECT %s FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY %s ORDER BY %s) AS rn FROM %s) WHERE rn = 1",
		strings.Join(parts, ", "), strings.Join(names(s, keys), ", "), by, from)
	out.eval = func(in []*rel) *rel {
		_, groups := groups(in[0].plain(), func(r []value) []value { return at(r, keys) })
		var rows [][]value
		for _, rs := range groups {
			best := rs[0]
			for _, r := range rs[1:] {
				if better(r, best) {
					best = r
				}
			}
			rows = append(rows, best)
		}
		return settled(rows)
	}
	return g.add(out)
}

// windowRank is the first rows of each window and key.
func (g *gen) windowRank(depth int) *step {
	s := g.timed(depth, false)
	if s == nil {
		return nil
	}
	s = g.narrow(s)
	w := g.windows()
	keys := slices.DeleteFunc(g.some(s, g.r.IntN(2)), func(c int) bool { return c == s.time })
	by, less := g.total(s)
	n := 1 + g.r.IntN(3)
	out := &step{inputs: []*step{s}, inserts: true, time: -1, cols: []column{{"ws", tsType}}}
	parts := []string{"window_start AS ws"}
	for i, c := range s.cols {
		text := c.name
		if i == s.time {
			text = "CAST(" + c.name + " AS TIMESTAMP(3))"
		}
		out.cols = append(out.cols, column{fmt.Sprintf("c%d", i), c.typ})
		parts = append(parts, fmt.Sprintf("%s AS c%d", text, i))
	}
	rank := g.chance(0.5)
	if rank {
		out.cols = append(out.cols, column{"r", bigType})
		parts = append(parts, "rn AS r")
	}
	out.sql = fmt.Sprintf("SELECT %s FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY %s ORDER BY %s) AS rn FROM %s) WHERE rn <= %d", strings.Join(parts, ", "),
		strings.Join(append([]string{"window_start", "window_end"}, names(s, keys)...), ", "), by, w.table(s.name, s.cols[s.time].name), n)
	out.eval = func(in []*rel) *rel {
		var rows [][]value
		wins, _, groups := grouped(in[0], s.time, w.of, func(r []value) []value { return at(r, keys) })
		for i, win := range wins {
			slices.SortStableFunc(groups[i], less)
			for j, r := range groups[i][:min(n, len(groups[i]))] {
				row := append([]value{stamp(win.start)}, r...)
				if rank {
					row = append(row, int64(j+1))
				}
				rows = append(rows, row)
			}
		}
		return settled(rows)
	}
	return g.add(out)
}

// windowJoin joins the rows of the same window.
func (g *gen) windowJoin(depth int) *step {
	a, b := g.timed(depth, true), g.timed(depth, true)
	if a == nil || b == nil {
		return nil
	}
	a, b = g.narrow(a), g.narrow(b)
	w := g.windows()
	on, ok := g.condition(a, b)
	if !ok {
		return nil
	}
	kind := joins[g.r.IntN(len(joins))]
	cols, list := both(a, b)
	out := &step{inputs: []*step{a, b}, time: -1, inserts: true, cols: append([]column{{"ws", tsType}, {"vs", tsType}}, cols...)}
	out.sql = fmt.Sprintf("SELECT l.window_start AS ws, r.window_start AS vs, %s FROM (SELECT * FROM %s) AS l %s (SELECT * FROM %s) AS r ON l.window_start = r.window_start AND l.window_end = r.window_end AND %s",
		list, w.table(a.name, a.cols[a.time].name), kind, w.table(b.name, b.cols[b.time].name), on.sql)
	out.eval = func(in []*rel) *rel {
		// Rows with their windows in front.
		assign := func(r *rel, time int) (rows [][]value) {
			for _, e := range r.rows {
				for _, w := range w.of(int64(e.row[time].(stamp))) {
					rows = append(rows, append([]value{stamp(w.start), stamp(w.end)}, e.row...))
				}
			}
			return rows
		}
		n := len(a.cols) + 2
		joined := matched(kind, assign(in[0], a.time), assign(in[1], b.time), [2]int{n, len(b.cols) + 2}, func(row []value) bool {
			return compare(row[0], row[n]) == 0 && compare(row[1], row[n+1]) == 0 && on.eval(append(slices.Clone(row[2:n]), row[n+2:]...)) == true
		})
		var rows [][]value
		for _, r := range joined {
			rows = append(rows, slices.Concat([]value{r[0], r[n]}, r[2:n], r[n+2:]))
		}
		return settled(rows)
	}
	return g.narrow(g.untimed(g.add(out)))
}
