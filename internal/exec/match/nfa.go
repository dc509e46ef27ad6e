package match

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// partition is the rows of a partition that matches still need, and the matches.
type partition struct {
	base     int64   // number of rows[0]; rows are numbered from 0
	rows     []int32 // in Match.rows
	partial  []run   // by start, ascending
	complete []run   // complete, but an earlier one may yet come; by start
}

// run is a match or part of one: the rows from start on, counts[i] of them for
// term i, which come in the order of the terms. term is the last one with rows.
type run struct {
	start  int64
	term   int
	counts []int32
}

func (r *run) len() int64 {
	n := int64(0)
	for _, c := range r.counts {
		n += int64(c)
	}
	return n
}

// next takes the next row of a partition: its time and cells.
func (m *Match) next(key, row []byte, out exec.Output) error {
	id, _ := m.parts.FindOrAdd(vector.HashKey(key), key)
	for int(id) >= len(m.of) {
		m.of = append(m.of, partition{})
	}
	m.parts.MarkDirty(id)
	p := &m.of[id]
	at := p.base + int64(len(p.rows))
	p.rows = append(p.rows, m.rows.Add(row))
	t := int64(binary.BigEndian.Uint64(row))
	m.timeout(p, t)
	old := p.partial
	p.partial = nil
	for i := range old {
		if err := m.extend(p, &old[i], at); err != nil {
			return err
		}
	}
	before := len(p.partial)
	first := run{start: at, term: -1, counts: make([]int32, len(m.Pattern.Terms))}
	if err := m.extend(p, &first, at); err != nil {
		return err
	}
	if m.Pattern.Within > 0 && len(p.partial) > before {
		m.deadlines.Push(deadline{t + m.Pattern.Within, id})
	}
	return m.settle(id, out)
}

// extend tries row at as the next of r.
func (m *Match) extend(p *partition, r *run, at int64) error {
	terms := m.Pattern.Terms
	next := r.term + 1
	if r.term >= 0 {
		t := terms[r.term]
		if t.Max < 0 || int(r.counts[r.term]) < t.Max {
			fits, err := m.take(p, r, r.term, at)
			if err != nil || fits && greedy(t) {
				return err
			}
		}
		if int(r.counts[r.term]) < t.Min {
			return nil
		}
	}
	for ; next < len(terms); next++ {
		fits, err := m.take(p, r, next, at)
		if err != nil || terms[next].Min > 0 || fits && greedy(terms[next]) {
			return err
		}
	}
	return nil
}

// greedy tells whether a row that fits the term cannot belong to the next ones.
// As in Flink a single optional variable is not: both ways are followed.
func greedy(t plan.PatternTerm) bool { return t.Min != t.Max && t.Max != 1 && !t.Reluctant }

// take adds row at to r as a row of a term, if it fits.
func (m *Match) take(p *partition, r *run, term int, at int64) (bool, error) {
	terms := m.Pattern.Terms
	fits, err := m.fits(p, r, term, at)
	if err != nil || !fits {
		return false, err
	}
	n := run{start: r.start, term: term, counts: slices.Clone(r.counts)}
	n.counts[term]++
	c := int(n.counts[term])
	whole := c >= terms[term].Min
	for _, t := range terms[term+1:] {
		whole = whole && t.Min == 0
	}
	if whole {
		p.complete = append(p.complete, n)
	}
	if terms[term].Max < 0 || c < terms[term].Max || term+1 < len(terms) {
		p.partial = append(p.partial, n)
	}
	return true, nil
}

// timeout ends the partial matches that a row at time t can no longer be part of.
func (m *Match) timeout(p *partition, t int64) {
	if m.Pattern.Within <= 0 {
		return
	}
	p.partial = slices.DeleteFunc(p.partial, func(r run) bool { return m.timeOf(p, r.start) <= t-m.Pattern.Within })
}

// expire is timeout when no row comes.
func (m *Match) expire(id int32, t int64, out exec.Output) error {
	if int(id) >= len(m.of) || len(m.of[id].partial) == 0 {
		return nil
	}
	m.parts.MarkDirty(id)
	m.timeout(&m.of[id], t)
	return m.settle(id, out)
}

func (m *Match) timeOf(p *partition, at int64) int64 {
	return int64(binary.BigEndian.Uint64(m.rows.Get(p.rows[at-p.base])))
}

// settle emits the complete matches before which none can come any more, drops
// what each excludes, and the rows nobody needs.
func (m *Match) settle(id int32, out exec.Output) error {
	p := &m.of[id]
	slices.SortStableFunc(p.complete, func(a, b run) int {
		switch {
		case a.start < b.start:
			return -1
		case a.start > b.start:
			return 1
		}
		return 0
	})
	for len(p.complete) > 0 && (len(p.partial) == 0 || p.complete[0].start <= p.partial[0].start) {
		r := p.complete[0]
		if err := m.row(id, &r); err != nil {
			return err
		}
		if m.b.N >= m.cx.BatchSize {
			if err := m.emit(out); err != nil {
				return err
			}
		}
		p = &m.of[id]
		from, err := m.resume(&r)
		if err != nil {
			return err
		}
		excluded := func(o run) bool { return o.start < from }
		p.complete = slices.DeleteFunc(p.complete, excluded)
		p.partial = slices.DeleteFunc(p.partial, excluded)
	}
	if len(p.partial) == 0 && len(p.complete) == 0 {
		for _, r := range p.rows {
			m.rows.Remove(r)
		}
		*p = partition{}
		m.parts.Remove(id)
		return nil
	}
	first := int64(1<<63 - 1)
	if len(p.partial) > 0 {
		first = p.partial[0].start
	}
	if len(p.complete) > 0 {
		first = min(first, p.complete[0].start)
	}
	if n := int(first - p.base); n > 0 {
		for _, r := range p.rows[:n] {
			m.rows.Remove(r)
		}
		p.rows, p.base = slices.Delete(p.rows, 0, n), first
	}
	return nil
}

// resume returns the first row at which another match may start after r.
func (m *Match) resume(r *run) (int64, error) {
	switch m.Pattern.Skip {
	case plan.SkipToNext:
		return r.start + 1, nil
	case plan.SkipToFirst, plan.SkipToLast:
		at := r.start
		for i, t := range m.Pattern.Terms {
			if t.Var != m.Pattern.SkipVar {
				at += int64(r.counts[i])
				continue
			}
			if r.counts[i] == 0 {
				return 0, fmt.Errorf("AFTER MATCH SKIP TO %s: a match has no row of it", m.Pattern.Vars[t.Var])
			}
			if m.Pattern.Skip == plan.SkipToLast {
				at += int64(r.counts[i]) - 1
			}
			break
		}
		if at == r.start {
			return 0, fmt.Errorf("AFTER MATCH SKIP TO %s leads back to the first row of the match", m.Pattern.Vars[m.Pattern.SkipVar])
		}
		return at, nil
	}
	return r.start + r.len(), nil
}

// row appends the output row of a match.
func (m *Match) row(id int32, r *run) error {
	key := m.parts.Key(id)[1:]
	var err error
	for c := range m.Partition {
		if key, err = vector.ReadRow(m.b.Cols[c], key); err != nil {
			return err
		}
	}
	for i, x := range m.measures {
		v, err := m.value(&m.of[id], r, x)
		if err != nil {
			return err
		}
		vector.CopyRow(m.b.Cols[len(m.Partition)+i], v, 0)
	}
	m.b.AppendKind(types.Insert)
	return nil
}
