package difftest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// event is a row of a relation with the watermark that it met.
type event struct {
	row []value
	wm  int64
}

// rel is what a step comes to: its final rows, in the order they came where
// that is known.
type rel struct{ rows []event }

// plain returns the rows alone.
func (r *rel) plain() [][]value {
	out := make([][]value, len(r.rows))
	for i, e := range r.rows {
		out[i] = e.row
	}
	return out
}

// settled makes a relation of rows that are never late.
func settled(rows [][]value) *rel {
	out := &rel{}
	for _, r := range rows {
		out.rows = append(out.rows, event{r, never})
	}
	return out
}

// step is a named part of a query.
type step struct {
	name   string
	sql    string // without WITH; names the inputs
	table  *table // of a step that is a table
	inputs []*step
	cols   []column
	// inserts tells that the changelog has inserts only.
	inserts bool
	// ordered tells that rows come in one order in every world.
	ordered bool
	// time is the column of the time attribute, -1 if there is none.
	time int
	// late tells that rows may be behind the watermark.
	late bool
	// versions tells that the rows are versions in time, which only a temporal join asks for.
	versions bool
	eval     func(in []*rel) *rel
}

// errTooLarge is thrown where a case becomes too large to be worth its time.
var errTooLarge = errors.New("too large")

const mostRows = 1500

// result evaluates a step, each input once.
func (s *step) result(done map[*step]*rel) *rel {
	if r := done[s]; r != nil {
		return r
	}
	var r *rel
	if s.table != nil {
		r = s.table.relation()
	} else {
		in := make([]*rel, len(s.inputs))
		for i, x := range s.inputs {
			in[i] = x.result(done)
		}
		r = s.eval(in)
	}
	if len(r.rows) > mostRows {
		panic(errTooLarge)
	}
	done[s] = r
	return r
}

// below calls f for s and the steps below it, inputs first, each once.
func (s *step) below(seen map[*step]bool, f func(*step)) {
	if seen[s] {
		return
	}
	seen[s] = true
	for _, x := range s.inputs {
		x.below(seen, f)
	}
	f(s)
}

// query is the text of a query whose last step is s.
func (s *step) query() string {
	var with []string
	s.below(map[*step]bool{}, func(x *step) {
		if x.table == nil && x != s {
			with = append(with, x.name+" AS (\n  "+x.sql+")")
		}
	})
	body := s.sql
	if s.table != nil {
		body = "SELECT * FROM " + s.name
	}
	if len(with) == 0 {
		return body
	}
	return "WITH " + strings.Join(with, ",\n") + "\n" + body
}

// uncertain tells whether some step drops late rows: several tasks may see the
// watermark at other rows.
func (s *step) uncertain() bool {
	any := false
	s.below(map[*step]bool{}, func(x *step) { any = any || x.late })
	return any
}

// gen makes a case up.
type gen struct {
	r      *rand.Rand
	tables []*table
	steps  []*step
}

func (g *gen) chance(p float64) bool { return g.r.Float64() < p }

// newCase makes the case of a seed: its last step.
func newCase(seed uint64) *step {
	g := &gen{r: rand.New(rand.NewPCG(seed, 0x5eed))}
	for i := range 2 + g.r.IntN(3) {
		t := g.table(i)
		g.tables = append(g.tables, t)
	}
	depth := 1 + g.r.IntN(3)
	return g.any(depth)
}

// add names a step.
func (g *gen) add(s *step) *step {
	s.name = fmt.Sprintf("s%d", len(g.steps))
	if s.table != nil {
		s.name = s.table.name
	}
	g.steps = append(g.steps, s)
	return s
}

// base is the step of a table.
func (g *gen) base(fits func(*table) bool) *step {
	var fit []*table
	for _, t := range g.tables {
		if t.key >= 0 && !t.log {
			continue // versions
		}
		if fits == nil || fits(t) {
			fit = append(fit, t)
		}
	}
	if len(fit) == 0 {
		return nil
	}
	t := fit[g.r.IntN(len(fit))]
	for _, s := range g.steps {
		if s.table == t {
			return s
		}
	}
	return g.add(&step{table: t, cols: t.cols, inserts: !t.log, ordered: !t.log, time: t.time, late: t.late})
}

// any is a relation of any kind.
func (g *gen) any(depth int) *step {
	if depth <= 0 {
		if g.chance(0.15) && len(g.steps) > 0 {
			if s := g.steps[g.r.IntN(len(g.steps))]; !s.versions {
				return s
			}
		}
		return g.base(nil)
	}
	makers := []func(int) *step{
		g.calc, g.calc, g.group, g.group, g.groupingSets, g.distinct, g.topN, g.topN, g.join, g.join, g.join, g.semi, g.in, g.setOp, g.setOp,
		g.windowed, g.windowed, g.legacy, g.session, g.overRows, g.overRows, g.dedup, g.dedup, g.intervalJoin, g.windowJoin, g.windowRank, g.temporal, g.arrival, g.limit,
	}
	for range 20 {
		if s := makers[g.r.IntN(len(makers))](depth - 1); s != nil {
			return s
		}
	}
	return g.calc(depth - 1)
}

// timed is a stream of inserts with a time attribute, nil if there is none.
func (g *gen) timed(depth int, punctual bool) *step {
	s := g.stream(depth)
	if s == nil || punctual && s.late || s.time < 0 || !s.inserts {
		return g.base(func(t *table) bool { return t.time >= 0 && !(punctual && t.late) })
	}
	return s
}

func (g *gen) stream(depth int) *step {
	base := g.base(func(t *table) bool { return t.time >= 0 })
	if depth <= 0 || base == nil {
		return base
	}
	switch g.r.IntN(10) {
	case 0:
		return g.windowed(depth - 1)
	case 1:
		return g.intervalJoin(depth - 1)
	case 2:
		return g.legacy(depth - 1)
	case 3:
		return g.overRows(depth - 1)
	case 4:
		return g.temporal(depth - 1)
	case 5, 6:
		return base
	}
	return g.calcOf(g.timed(depth-1, false))
}

// narrow cuts wide relations down, so that they stay readable.
func (g *gen) narrow(s *step) *step {
	if len(s.cols) <= 7 {
		return s
	}
	keep := g.r.Perm(len(s.cols))[:5]
	if s.time >= 0 && !slices.Contains(keep, s.time) {
		keep = append(keep, s.time)
	}
	slices.Sort(keep)
	return g.project(s, keep)
}

func (g *gen) project(s *step, keep []int) *step {
	out := &step{inputs: []*step{s}, inserts: s.inserts, ordered: s.ordered, time: slices.Index(keep, s.time), late: s.late && slices.Contains(keep, s.time)}
	var parts []string
	for i, k := range keep {
		c := column{fmt.Sprintf("c%d", i), s.cols[k].typ}
		out.cols = append(out.cols, c)
		parts = append(parts, s.cols[k].name+" AS "+c.name)
	}
	out.sql = "SELECT " + strings.Join(parts, ", ") + " FROM " + s.name
	out.eval = func(in []*rel) *rel {
		r := &rel{}
		for _, e := range in[0].rows {
			row := make([]value, len(keep))
			for i, k := range keep {
				row[i] = e.row[k]
			}
			r.rows = append(r.rows, event{row, e.wm})
		}
		return r
	}
	return g.add(out)
}
