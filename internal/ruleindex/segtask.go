package ruleindex

import (
	"math/rand/v2"
	"slices"

	"github.com/runnelio/runnel/internal/multimatch"
)

// segTask is a task's side of a segment: memos, caches, counters. It belongs to
// one goroutine.
type segTask struct {
	seg     *segment
	seeds   *seeds
	fields  []fieldTask
	sets    *sets // of atoms
	lists   *sets // of rules
	sigs    cache // signature -> list
	wake    *wakeTable
	plans   map[[maxDisc]int32]*rowPlan // by the discriminators' sets
	all     *rowPlan                    // without one
	noDisc  bool                        // they have too many values
	fired   []uint32                    // by atom
	woken   []uint32                    // by rule
	mark    []bool                      // by field
	gen     uint32
	sampled []int64 // by set: samples that had it
	samples int64
	waiting int64    // rows until the next sample
	base    float64  // candidates a miss that were thought normal
	rated   [2]int64 // misses and candidates at the last choice
	stats   Stats
	perRule []ruleCount

	// Scratch of a row or value.
	buf, ids, checks, rowSets, hit []int32
	lower                          string
	unescaped                      []byte
	scratch                        multimatch.Scratch
}

type ruleCount struct{ candidates int64 }

// rowPlan is the fields to look up for rows of one value of the discriminators.
type rowPlan struct {
	fields []int32
	rows   []int32 // scratch of a batch
}

const (
	sigStart     = 1024
	sigMost      = 16_384
	maxPool      = 2 << 20 // numbers interned before everything is forgotten
	maxPlans     = 4096
	sampleEvery  = 61
	sampleFew    = 48  // samples before access predicates are first chosen,
	sampleMore   = 400 // and chosen again,
	sampleEnough = 800 // and from then on looked at
)

func newSegTask(s *segment, k *seeds) *segTask {
	x := &segTask{seg: s, seeds: k, wake: s.wake}
	x.sets, x.lists = newSets(rand.Uint64()), newSets(rand.Uint64())
	x.sigs = newCache(sigStart, sigMost)
	x.fields = make([]fieldTask, len(s.fields))
	x.all = &rowPlan{}
	for i, f := range s.fields {
		if f.class == orderField {
			x.fields[i].interval = make([]int32, f.orders.count())
		} else {
			x.fields[i].memo = newCache(memoStart, memoMost)
		}
		x.all.fields = append(x.all.fields, int32(i))
	}
	x.plans = map[[maxDisc]int32]*rowPlan{}
	x.fired = make([]uint32, len(s.fieldOf))
	x.woken = make([]uint32, len(s.rules))
	x.mark = make([]bool, len(s.fields))
	x.perRule = make([]ruleCount, len(s.rules))
	x.waiting = sampleEvery
	return x
}

// tidy forgets everything if the interned lists have grown too large. It is
// called between rows: set numbers do not outlive it.
func (x *segTask) tidy() {
	if len(x.sets.pool)+len(x.lists.pool)+8*(x.sets.len()+x.lists.len()) < maxPool {
		return
	}
	x.stats.Forgotten++
	x.sets.clear()
	x.lists.clear()
	x.sigs.clear()
	clear(x.plans)
	x.sampled, x.samples = nil, 0
	for i := range x.fields {
		ft := &x.fields[i]
		ft.memo.clear()
		clear(ft.interval)
		ft.null = 0
	}
}

// begin starts a generation of fired atoms.
func (x *segTask) begin() {
	if x.gen++; x.gen == 0 {
		clear(x.fired)
		clear(x.woken)
		x.gen = 1
	}
}

// planOf returns the plan of rows whose discriminators have the sets.
func (x *segTask) planOf(key [maxDisc]int32) *rowPlan {
	if x.noDisc {
		return x.all
	}
	if p := x.plans[key]; p != nil {
		return p
	}
	if len(x.plans) >= maxPlans {
		x.noDisc = true
		x.sigs.clear() // signatures of rows with a plan know nothing of other fields
		return x.all
	}
	x.begin()
	for _, set := range key[:len(x.seg.disc)] {
		for _, a := range x.sets.get(set) {
			x.fired[a] = x.gen
		}
	}
	clear(x.mark)
	k := &facts{x.seg.fieldOf, x.seg.known, x.fired, x.gen}
	live := func(rules []int32) {
		for _, r := range rules {
			if at := x.seg.rules[r].form; x.seg.forms.partial(at, k) == open {
				x.seg.forms.fields(at, k, x.mark)
			}
		}
	}
	live(x.seg.discRest)
	for _, set := range key[:len(x.seg.disc)] {
		for _, a := range x.sets.get(set) {
			live(x.seg.discHits[a])
		}
	}
	p := &rowPlan{}
	for f, m := range x.mark {
		if m {
			p.fields = append(p.fields, int32(f))
		}
	}
	x.plans[key] = p
	x.stats.Plans++
	return p
}

// resolve returns the list of rules, by their numbers in the segment, that hold
// for a row with the given sets, whose signature is not in the cache.
func (x *segTask) resolve(sets []int32, lo, hi uint64) int32 {
	x.begin()
	for _, s := range sets {
		for _, a := range x.sets.get(s) {
			x.fired[a] = x.gen
		}
	}
	x.hit = x.hit[:0]
	for _, r := range x.wake.always {
		x.try(r)
	}
	for _, s := range sets {
		for _, a := range x.sets.get(s) {
			for _, r := range x.wake.rules[x.wake.from[a]:x.wake.from[a+1]] {
				if x.woken[r] != x.gen {
					x.woken[r] = x.gen
					x.try(r)
				}
			}
		}
	}
	slices.Sort(x.hit)
	list := x.lists.intern(x.hit)
	x.sigs.put(lo, hi, list)
	return list
}

func (x *segTask) try(r int32) {
	x.stats.Candidates++
	x.perRule[r].candidates++
	if x.seg.forms.eval(x.seg.rules[r].form, x.fired, x.gen) {
		x.hit = append(x.hit, r)
	}
}

// sample counts the sets of a row, now and then.
func (x *segTask) sample(sets []int32) {
	x.samples++
	for _, s := range sets {
		for int(s) >= len(x.sampled) {
			x.sampled = append(x.sampled, 0)
		}
		x.sampled[s]++
	}
	switch {
	case x.samples == sampleFew, x.samples == sampleMore:
		x.choose(true)
	case x.samples%sampleEnough == 0:
		x.choose(false)
	}
}

// choose takes access predicates by how often atoms fired in the samples; if
// not told to, only when candidates have doubled since.
func (x *segTask) choose(must bool) {
	misses, candidates := x.sigs.misses-x.rated[0], x.stats.Candidates-x.rated[1]
	rate := float64(candidates) / float64(max(misses, 1))
	if !must && rate < 2*x.base+0.5 {
		return
	}
	count := make([]float64, len(x.seg.fieldOf))
	for s, n := range x.sampled {
		for _, a := range x.sets.get(int32(s)) {
			count[a] += float64(n)
		}
	}
	n := float64(x.samples)
	x.wake = x.seg.newWake(func(a int32) float64 { return (count[a] + float64(x.seg.guess[a])) / (n + 1) })
	x.base = 1
	if !must {
		x.base = rate
	}
	x.rated = [2]int64{x.sigs.misses, x.stats.Candidates}
	x.stats.Choices++
}

func (x *segTask) bytes() int {
	n := x.sets.bytes() + x.lists.bytes() + x.sigs.bytes() + 4*(len(x.fired)+len(x.woken)) + 8*len(x.perRule)
	for i := range x.fields {
		n += x.fields[i].memo.bytes() + 4*len(x.fields[i].interval)
	}
	return n
}
