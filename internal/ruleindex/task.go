package ruleindex

import (
	"slices"

	"github.com/runnelio/runnel/internal/eval"
	"github.com/runnelio/runnel/vector"
)

// Task evaluates an index over rows. It keeps memos and caches and belongs to
// one goroutine; any number of tasks share an Index.
type Task struct {
	ix      *Index
	segs    []*segTask
	seeds   *seeds
	preds   map[int32]*eval.Predicate // of rules whose hits are confirmed
	hits    []int64                   // by rule number
	last    []int64                   // by rule number: Now of the last hit
	checked []int64                   // by rule number: candidates, of segments that are gone
	gone    Stats
	rows    int64
	now     int64

	// Scratch of a batch.
	pairs   []uint64 // row<<32 | rule number
	verify  []uint64 // rule number<<32 | row, to be confirmed
	sigLo   []uint64
	sigHi   []uint64
	disc    []int32
	live    []int32
	active  []*rowPlan
	col     []int32
	text    []byte
	sel     []int32
	unionOf []int32
}

// NewTask returns a task for the index.
func (ix *Index) NewTask() *Task {
	t := &Task{seeds: newSeeds(), preds: map[int32]*eval.Predicate{}}
	t.Use(ix)
	return t
}

// Use changes the index, between two batches. What is known about values stays
// for the segments that both have.
func (t *Task) Use(ix *Index) {
	if t.ix == ix {
		return
	}
	old := t.segs
	t.segs = nil
	for _, s := range ix.segs {
		at := slices.IndexFunc(old, func(x *segTask) bool { return x.seg == s })
		if at >= 0 {
			t.segs = append(t.segs, old[at])
			old[at] = old[len(old)-1]
			old = old[:len(old)-1]
			continue
		}
		t.segs = append(t.segs, newSegTask(s, t.seeds))
	}
	n := len(ix.rules)
	for len(t.hits) < n {
		t.hits, t.last, t.checked = append(t.hits, 0), append(t.last, 0), append(t.checked, 0)
	}
	for _, x := range old {
		x.addTo(&t.gone)
		for i, r := range x.seg.rules {
			t.checked[r.num] += x.perRule[i].candidates
		}
	}
	for num := range t.preds {
		if !ix.alive(num) {
			delete(t.preds, num)
		}
	}
	t.ix = ix
}

// Index is the index in use.
func (t *Task) Index() *Index { return t.ix }

// SetNow sets the time that hits from now on are stamped with, in milliseconds.
func (t *Task) SetNow(ms int64) { t.now = ms }

// Hits is the result of a batch: the pairs of a row and a rule that holds for
// it, ordered by row, then rule.
type Hits struct {
	Rows  []int32
	Rules []int32 // numbers; see Index.Rule
	// Errs are the rows for which a rule's condition could not be computed: it
	// does not hold for them.
	Errs []RuleError
	sel  []int32
	keys []uint64
}

// RuleError is the error of a rule's condition for a row.
type RuleError struct {
	Rule int32
	Row  int32
	Err  error
}

// Reset empties h.
func (h *Hits) Reset() { h.Rows, h.Rules, h.Errs = h.Rows[:0], h.Rules[:0], h.Errs[:0] }

// ByRule calls f for each rule that holds for a row with the rows it holds for,
// in order: a selection vector, valid during the call.
func (h *Hits) ByRule(f func(rule int32, rows []int32) error) error {
	h.keys = h.keys[:0]
	for i, r := range h.Rules {
		h.keys = append(h.keys, uint64(r)<<32|uint64(h.Rows[i]))
	}
	slices.Sort(h.keys)
	for i := 0; i < len(h.keys); {
		rule := int32(h.keys[i] >> 32)
		h.sel = h.sel[:0]
		for ; i < len(h.keys) && int32(h.keys[i]>>32) == rule; i++ {
			h.sel = append(h.sel, int32(h.keys[i]))
		}
		if err := f(rule, h.sel); err != nil {
			return err
		}
	}
	return nil
}

// collect adds the rules of a list to the pairs of a row.
func (t *Task) collect(x *segTask, list int32, row int32) {
	for _, r := range x.lists.get(list) {
		sr := &x.seg.rules[r]
		switch {
		case t.ix.dead(sr.num):
		case sr.verify:
			t.verify = append(t.verify, uint64(sr.num)<<32|uint64(uint32(row)))
		default:
			t.pairs = append(t.pairs, uint64(uint32(row))<<32|uint64(sr.num))
		}
	}
}

func (t *Task) hit(rule int32) {
	t.hits[rule]++
	t.last[rule] = t.now
}

// Batch finds the rules that hold for the live rows of b. The rules' fields are
// columns of the schema the index was made with; Cond fields that are none are
// absent. An error is one of the index, not of a row.
func (t *Task) Batch(b *vector.Batch, out *Hits) error {
	out.Reset()
	t.pairs, t.verify = t.pairs[:0], t.verify[:0]
	t.live = t.live[:0]
	b.Rows(func(i int) { t.live = append(t.live, int32(i)) })
	if len(t.live) == 0 {
		return nil
	}
	t.rows += int64(len(t.live))
	if len(t.sigLo) < b.N {
		t.sigLo, t.sigHi = make([]uint64, b.N), make([]uint64, b.N)
	}
	for _, x := range t.segs {
		x.tidy()
		t.segment(x, b)
	}
	if len(t.verify) > 0 {
		if err := t.confirm(b, out); err != nil {
			return err
		}
	}
	slices.Sort(t.pairs)
	for _, p := range t.pairs {
		out.Rows = append(out.Rows, int32(p>>32))
		out.Rules = append(out.Rules, int32(p))
		t.hit(int32(p))
	}
	return nil
}

// segment runs one segment over the live rows of a batch.
func (t *Task) segment(x *segTask, b *vector.Batch) {
	for _, r := range t.live {
		t.sigLo[r], t.sigHi[r] = 0, 0
	}
	t.active = t.active[:0]
	if len(x.seg.disc) == 0 || x.noDisc {
		x.all.rows = append(x.all.rows[:0], t.live...)
		t.active = append(t.active, x.all)
	} else if !t.divide(x, b) {
		t.segment(x, b) // the discriminators were given up just now
		return
	}
	for _, p := range t.active {
		for _, f := range p.fields {
			t.col = t.column(x, f, b, p.rows, t.col[:0])
			for i, r := range p.rows {
				if s := t.col[i]; s != 0 {
					w := &x.sets.words[s]
					t.sigLo[r] ^= w[0]
					t.sigHi[r] ^= w[1]
				}
			}
		}
		for _, r := range p.rows {
			list := x.sigs.get(t.sigLo[r], t.sigHi[r])
			x.waiting--
			if list < 0 || x.waiting <= 0 {
				t.gather(x, p, b, r)
				if list < 0 {
					list = x.resolve(x.rowSets, t.sigLo[r], t.sigHi[r])
				}
				if x.waiting <= 0 {
					x.waiting = sampleEvery
					x.sample(x.rowSets)
				}
			}
			if list != 0 {
				t.collect(x, list, r)
			}
		}
		p.rows = p.rows[:0]
	}
}

// divide looks up the discriminators and gives each live row to its plan; false
// if they turn out to be none.
func (t *Task) divide(x *segTask, b *vector.Batch) bool {
	n := len(t.live)
	t.disc = t.disc[:0]
	for _, f := range x.seg.disc {
		t.disc = t.column(x, f, b, t.live, t.disc)
	}
	last, lastKey := (*rowPlan)(nil), [maxDisc]int32{-1}
	for i, r := range t.live {
		var key [maxDisc]int32
		for d := range x.seg.disc {
			key[d] = t.disc[d*n+i]
			w := &x.sets.words[key[d]]
			t.sigLo[r] ^= w[0]
			t.sigHi[r] ^= w[1]
		}
		if key != lastKey {
			last, lastKey = x.planOf(key), key
		}
		if len(last.rows) == 0 {
			t.active = append(t.active, last)
		}
		last.rows = append(last.rows, r)
	}
	if !x.noDisc {
		return true
	}
	for _, p := range t.active {
		p.rows = p.rows[:0]
	}
	return false
}

// gather sets rowSets to the sets of a row, the empty ones left out.
func (t *Task) gather(x *segTask, p *rowPlan, b *vector.Batch, row int32) {
	x.rowSets = x.rowSets[:0]
	t.sel = append(t.sel[:0], row)
	add := func(f int32) {
		t.unionOf = t.column(x, f, b, t.sel, t.unionOf[:0])
		if s := t.unionOf[0]; s != 0 {
			x.rowSets = append(x.rowSets, s)
		}
	}
	if p != x.all {
		for _, f := range x.seg.disc {
			add(f)
		}
	}
	for _, f := range p.fields {
		add(f)
	}
}

// confirm evaluates the conditions of candidate rules whose index part holds.
func (t *Task) confirm(b *vector.Batch, out *Hits) error {
	slices.Sort(t.verify)
	for i := 0; i < len(t.verify); {
		num := int32(t.verify[i] >> 32)
		t.sel = t.sel[:0]
		for ; i < len(t.verify) && int32(t.verify[i]>>32) == num; i++ {
			t.sel = append(t.sel, int32(t.verify[i]))
		}
		r := t.ix.rules[num]
		if r.Expr == nil {
			for _, row := range t.sel {
				if r.Cond.Holds(batchValues{b, t.ix, t.ix.schema, row}) {
					t.pairs = append(t.pairs, uint64(uint32(row))<<32|uint64(num))
				}
			}
			continue
		}
		p := t.preds[num]
		if p == nil {
			var err error
			if p, err = eval.CompilePredicate(r.Expr, t.ix.schema, t.ix.cx); err != nil {
				return err
			}
			t.preds[num] = p
		}
		rows := t.sel
		for len(rows) > 0 {
			ok, err := p.Select(b, rows, t.col[:0])
			t.col = ok
			if err == nil {
				for _, row := range ok {
					t.pairs = append(t.pairs, uint64(uint32(row))<<32|uint64(num))
				}
				break
			}
			row, found := rowOf(err)
			at := slices.Index(rows, row)
			if !found || at < 0 {
				return err
			}
			out.Errs = append(out.Errs, RuleError{num, row, err})
			rows = slices.Delete(rows, at, at+1)
		}
	}
	return nil
}
