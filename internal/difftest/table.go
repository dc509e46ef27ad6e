package difftest

import (
	"fmt"
	"math/big"
	"strings"
)

// epoch is where the times of tables begin, 2024-01-01 in milliseconds.
const epoch = 1704067200000

const never = -1 << 62

// change is a row that comes or, with minus, is taken back.
type change struct {
	minus bool
	row   []value
	// update tells that the change before it and this one are an update.
	update bool
}

// table is a source: rows in the order they come.
type table struct {
	name    string
	cols    []column
	changes []change
	// time is the column of event time, -1 if there is none.
	time  int
	delay int64 // of the watermark, ms
	// late tells that rows may come behind the watermark.
	late bool
	// log tells that it is a changelog.
	log bool
	// key is the column of the primary key, -1 if there is none.
	key int
}

// table makes a table up.
func (g *gen) table(n int) *table {
	t := &table{name: fmt.Sprintf("t%d", n), time: -1, key: -1}
	kinds := []typ{intType, strType, intType, bigType, strType, decType, boolType, tsType}
	t.cols = append(t.cols, column{"k", []typ{intType, strType, bigType}[g.r.IntN(3)]})
	for i := range 1 + g.r.IntN(4) {
		t.cols = append(t.cols, column{fmt.Sprintf("v%d", i), kinds[g.r.IntN(len(kinds))]})
	}
	switch {
	case g.chance(0.3):
		t.log = true
		if g.chance(0.5) {
			t.cols = append(t.cols, column{"id", intType})
			t.key = len(t.cols) - 1
		}
	case g.chance(0.8):
		t.cols = append(t.cols, column{"ts", tsType})
		t.time = len(t.cols) - 1
		t.delay = []int64{0, 1000, 3000, 5000}[g.r.IntN(4)]
		t.late = g.chance(0.4)
	}
	count := g.r.IntN(8)
	if g.chance(0.7) {
		count = g.r.IntN(40)
	}
	if t.log {
		g.changes(t, count)
	} else {
		g.appends(t, count)
	}
	return t
}

// versions is the step of a table whose rows are versions of what its key names,
// out of order but not late.
func (g *gen) versions() *step {
	t := &table{name: fmt.Sprintf("t%d", len(g.tables)), key: 0, time: 2, delay: []int64{0, 2000, 5000}[g.r.IntN(3)]}
	t.cols = []column{{"id", []typ{intType, strType, bigType}[g.r.IntN(3)]}, {"v", []typ{intType, strType, decType}[g.r.IntN(3)]}, {"ts", tsType}}
	g.tables = append(g.tables, t)
	g.appends(t, g.r.IntN(25))
	return g.add(&step{table: t, cols: t.cols, time: t.time, versions: true})
}

func (g *gen) row(t *table) []value {
	row := make([]value, len(t.cols))
	for i, c := range t.cols {
		row[i] = g.value(c.typ, 0.12)
	}
	switch {
	case t.key >= 0 && t.log:
		row[t.key] = int64(g.r.IntN(20))
	case t.key >= 0:
		row[t.key] = g.value(t.cols[t.key].typ, 0)
	}
	return row
}

// appends fills a table of inserts. Times go up, with steps back within the
// delay, and beyond it if rows may be late.
func (g *gen) appends(t *table, count int) {
	now, most := int64(epoch), int64(never)
	for range count {
		row := g.row(t)
		if t.time >= 0 {
			now += int64(g.r.IntN(9)) * 250
			at := now
			switch {
			case t.late && g.chance(0.25):
				at -= int64(g.r.IntN(40)) * 500
			case g.chance(0.5):
				at -= int64(g.r.IntN(int(t.delay/250)+1)) * 250
			}
			if !t.late {
				at = max(at, most-t.delay+1)
			}
			most = max(most, at)
			row[t.time] = stamp(at)
		}
		t.changes = append(t.changes, change{row: row})
	}
}

// changes fills a changelog: inserts, updates and deletes of rows that are there.
func (g *gen) changes(t *table, count int) {
	var rows [][]value
	for range count {
		if n := len(rows); n > 0 && g.chance(0.45) {
			i := g.r.IntN(n)
			old := rows[i]
			if g.chance(0.5) {
				t.changes = append(t.changes, change{minus: true, row: old})
				rows = append(rows[:i:i], rows[i+1:]...)
				continue
			}
			next := append([]value(nil), old...)
			for range 1 + g.r.IntN(2) {
				if c := g.r.IntN(len(t.cols)); c != t.key {
					next[c] = g.value(t.cols[c].typ, 0.12)
				}
			}
			t.changes = append(t.changes, change{minus: true, row: old}, change{row: next, update: true})
			rows[i] = next
			continue
		}
		row := g.row(t)
		if t.key >= 0 {
			taken := false
			for _, r := range rows {
				taken = taken || same(r[t.key], row[t.key])
			}
			if taken {
				continue
			}
		}
		rows = append(rows, row)
		t.changes = append(t.changes, change{row: row})
	}
}

// relation is what the model makes of the table.
func (t *table) relation() *rel {
	out := &rel{}
	if t.log {
		for _, c := range t.changes {
			if !c.minus {
				out.rows = append(out.rows, event{row: c.row, wm: never})
				continue
			}
			for i := range out.rows {
				if keyOf(out.rows[i].row...) == keyOf(c.row...) {
					out.rows = append(out.rows[:i:i], out.rows[i+1:]...)
					break
				}
			}
		}
		return out
	}
	wm := int64(never)
	for _, c := range t.changes {
		out.rows = append(out.rows, event{row: c.row, wm: wm})
		if t.time >= 0 {
			wm = max(wm, int64(c.row[t.time].(stamp))-t.delay)
		}
	}
	return out
}

// ddl is the statement that makes the table, with the connector's options.
func (t *table) ddl(with string) string {
	var parts []string
	for _, c := range t.cols {
		parts = append(parts, c.name+" "+c.typ.sql())
	}
	if t.time >= 0 {
		parts = append(parts, fmt.Sprintf("WATERMARK FOR ts AS ts - INTERVAL '%d' SECOND", t.delay/1000))
	}
	if t.key >= 0 {
		parts = append(parts, "PRIMARY KEY (id) NOT ENFORCED")
	}
	format := "json"
	if t.log {
		format = "debezium-json"
	}
	return fmt.Sprintf("CREATE TABLE %s (%s) WITH (%s, 'format' = '%s')", t.name, strings.Join(parts, ", "), with, format)
}

// lines are the table's records.
func (t *table) lines() []string {
	var out []string
	for i := 0; i < len(t.changes); i++ {
		c := t.changes[i]
		switch {
		case !t.log:
			out = append(out, t.object(c.row))
		case c.minus && i+1 < len(t.changes) && t.changes[i+1].update:
			out = append(out, fmt.Sprintf(`{"before":%s,"after":%s,"op":"u"}`, t.object(c.row), t.object(t.changes[i+1].row)))
			i++
		case c.minus:
			out = append(out, fmt.Sprintf(`{"before":%s,"after":null,"op":"d"}`, t.object(c.row)))
		default:
			out = append(out, fmt.Sprintf(`{"before":null,"after":%s,"op":"c"}`, t.object(c.row)))
		}
	}
	return out
}

func (t *table) object(row []value) string {
	var parts []string
	for i, c := range t.cols {
		text := "null"
		switch v := row[i].(type) {
		case int64, bool:
			text = fmt.Sprint(v)
		case *big.Int:
			text = point(v, c.typ.scale)
		case string, stamp:
			text = fmt.Sprintf("%q", fmt.Sprint(v))
		}
		parts = append(parts, fmt.Sprintf("%q:%s", c.name, text))
	}
	return "{" + strings.Join(parts, ",") + "}"
}
