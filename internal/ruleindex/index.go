package ruleindex

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
)

// Rule is a condition with a name. Exactly one of Expr and Cond is set.
type Rule struct {
	ID   string
	Name string    // what messages call it; "": its ID
	Expr plan.Expr // BOOLEAN, over the schema of the set
	Cond *Cond
}

type rule struct {
	Rule
	num int32
}

// Options are what a set of rules is made with.
type Options struct {
	// Schema is that of batches; nil if there are events only and no SQL.
	Schema *types.Schema
	// Context is for functions in SQL conditions.
	Context *function.Context
	// MaxUnindexed refuses rules that have to be evaluated for nearly every row,
	// beyond so many; 0: any number.
	MaxUnindexed int
	// Unsearched names fields that CondKeyword does not look at, such as the id
	// that was given to a record.
	Unsearched []string
}

// Set is a changing set of rules. Each change makes a new Index; tasks take it
// up when it suits them, at a barrier. Its methods may be called from any
// goroutine.
type Set struct {
	opt     Options
	mu      sync.Mutex
	in      *inputs
	rules   []*rule // by number; nil: removed
	byID    map[string]int32
	segs    []*segment
	dead    []uint64 // bit: the rule was removed, its segment still has it
	gen     uint64
	current atomic.Pointer[Index]
	merging bool
	merges  sync.WaitGroup
}

// Index is the rules of a set at one time. It is immutable.
type Index struct {
	gen    uint64
	segs   []*segment
	rules  []*rule
	gone   []uint64
	inputs []Input
	byName map[string]int32
	schema *types.Schema
	cx     *function.Context
	all    bool
	hidden map[string]bool // Unsearched
	skip   []bool          // by input: it is one of those
}

// NewSet returns an empty set.
func NewSet(opt Options) *Set {
	s := &Set{opt: opt, in: newInputs(opt.Schema), byID: map[string]int32{}}
	s.publish()
	return s
}

// Index returns the index of the rules as they are now.
func (s *Set) Index() *Index { return s.current.Load() }

// publish makes a new index of the state; s.mu is held.
func (s *Set) publish() *Index {
	s.gen++
	ix := &Index{
		gen: s.gen, segs: slices.Clone(s.segs), rules: slices.Clone(s.rules), gone: slices.Clone(s.dead),
		inputs: slices.Clone(s.in.list), byName: make(map[string]int32, len(s.in.byName)), schema: s.opt.Schema, cx: s.opt.Context,
	}
	for k, v := range s.in.byName {
		ix.byName[k] = v
	}
	ix.hidden = map[string]bool{}
	for _, f := range s.opt.Unsearched {
		ix.hidden[f] = true
	}
	for _, i := range ix.inputs {
		ix.skip = append(ix.skip, ix.hidden[i.Name])
	}
	for _, g := range s.segs {
		ix.all = ix.all || g.anyField >= 0
	}
	s.current.Store(ix)
	return ix
}

// Add adds rules: all of them, or none and an error that names the first that
// cannot be. The index has them when Add returns.
func (s *Set) Add(rules ...Rule) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := map[string]bool{}
	for _, r := range rules {
		if err := s.check(r, seen); err != nil {
			return err
		}
	}
	if len(rules) == 0 {
		return nil
	}
	fresh := make([]*rule, len(rules))
	for i, r := range rules {
		fresh[i] = &rule{r, int32(len(s.rules) + i)}
	}
	in := s.in.clone()
	seg := newSegment(fresh, in, s.opt.Context)
	if most := s.opt.MaxUnindexed; most > 0 {
		n := len(seg.wake.always)
		for _, g := range s.segs {
			for _, r := range g.wake.always {
				if s.rules[g.rules[r].num] != nil {
					n++
				}
			}
		}
		if n > most && len(seg.wake.always) > 0 {
			first := fresh[seg.wake.always[0]]
			cond := ""
			if first.Expr != nil {
				cond = " (" + sqlName(first.Expr) + ")"
			}
			return fmt.Errorf("rule %q%s cannot be indexed: it has no value or text that must be there; %d such rules are more than the %d allowed",
				cmp.Or(first.Name, first.ID), cond, n, most)
		}
	}
	s.in = in
	for _, r := range fresh {
		s.rules = append(s.rules, r)
		s.byID[r.ID] = r.num
	}
	for len(s.dead)*64 < len(s.rules) {
		s.dead = append(s.dead, 0)
	}
	s.segs = append(s.segs, seg)
	s.publish()
	return nil
}

func (s *Set) check(r Rule, seen map[string]bool) error {
	_, have := s.byID[r.ID]
	switch {
	case have || seen[r.ID]:
		return fmt.Errorf("rule %q is there already", r.ID)
	case (r.Expr == nil) == (r.Cond == nil):
		return fmt.Errorf("rule %q has no condition", r.ID)
	case r.Expr != nil && r.Expr.Type().Kind != types.Boolean && r.Expr.Type().Kind != types.Null:
		return fmt.Errorf("the condition of rule %q is a %s, not a BOOLEAN", r.ID, r.Expr.Type())
	case r.Expr != nil && s.opt.Schema == nil:
		return fmt.Errorf("rule %q is a SQL condition, but there is no schema", r.ID)
	}
	seen[r.ID] = true
	if r.Cond != nil {
		if err := r.Cond.check(0); err != nil {
			return fmt.Errorf("rule %q: %w", r.ID, err)
		}
	}
	return nil
}

// Remove removes rules by their names; names that are not there are returned.
func (s *Set) Remove(ids ...string) (unknown []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	changed := false
	for _, id := range ids {
		num, ok := s.byID[id]
		if !ok {
			unknown = append(unknown, id)
			continue
		}
		delete(s.byID, id)
		s.rules[num] = nil
		s.dead[num/64] |= 1 << (num % 64)
		changed = true
	}
	if changed {
		s.publish()
	}
	return unknown
}

// Fragments is the number of segments that every row runs through: one after a
// merge, and one more for each Add since.
func (s *Set) Fragments() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.segs)
}

// Merge makes one segment of all, without what was removed. Other changes may
// happen meanwhile and are kept. Rules are never without an index.
func (s *Set) Merge(ctx context.Context) error {
	s.mu.Lock()
	if s.merging {
		s.mu.Unlock()
		return nil
	}
	s.merging = true
	old := slices.Clone(s.segs)
	var live []*rule
	for _, g := range old {
		for _, r := range g.rules {
			if k := s.rules[r.num]; k != nil {
				live = append(live, k)
			}
		}
	}
	in := s.in.clone()
	s.mu.Unlock()

	var seg *segment
	if ctx.Err() == nil && len(live) > 0 {
		seg = newSegment(live, in, s.opt.Context)
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	s.merging = false
	if err := ctx.Err(); err != nil {
		return err
	}
	rest := s.segs[len(old):] // added meanwhile
	s.segs = nil
	if seg != nil {
		s.segs = append(s.segs, seg)
	}
	s.segs = append(s.segs, rest...)
	// Merging adds no input: all rules were in segments before.
	for num, r := range s.rules {
		if r == nil && !s.holds(int32(num)) {
			s.dead[num/64] &^= 1 << (num % 64)
		}
	}
	s.publish()
	return nil
}

// holds tells whether a segment still has the rule.
func (s *Set) holds(num int32) bool {
	for _, g := range s.segs {
		if _, ok := g.place(num); ok {
			return true
		}
	}
	return false
}

// MergeSoon merges in the background if there are more than fragments segments.
// Wait waits for it.
func (s *Set) MergeSoon(ctx context.Context, fragments int) {
	if s.Fragments() <= fragments {
		return
	}
	s.merges.Go(func() { _ = s.Merge(ctx) }) // its only error is ctx's
}

// Wait waits for merges in the background.
func (s *Set) Wait() { s.merges.Wait() }

func (in *inputs) clone() *inputs {
	c := newInputs(in.schema)
	for _, i := range in.list {
		c.add(i)
	}
	return c
}

// Generation grows with every change of the set.
func (ix *Index) Generation() uint64 { return ix.gen }

// Inputs are the values that rules look at; an Event numbers them by place.
// Later indexes of the same set add to them at the end.
func (ix *Index) Inputs() []Input { return ix.inputs }

// NeedsAll tells that rules look for a text in the values of all fields.
func (ix *Index) NeedsAll() bool { return ix.all }

// Len is the number of rules.
func (ix *Index) Len() int {
	n := 0
	for _, r := range ix.rules {
		if r != nil {
			n++
		}
	}
	return n
}

// Rule returns the rule with the number, false if there is none.
func (ix *Index) Rule(num int32) (Rule, bool) {
	if num < 0 || int(num) >= len(ix.rules) || ix.rules[num] == nil {
		return Rule{}, false
	}
	return ix.rules[num].Rule, true
}

func (ix *Index) dead(num int32) bool { return ix.gone[num/64]&(1<<(num%64)) != 0 }

func (ix *Index) alive(num int32) bool { return int(num) < len(ix.rules) && ix.rules[num] != nil }

// Bytes is about how much memory the index holds, without the conditions.
func (ix *Index) Bytes() int {
	n := 0
	for _, g := range ix.segs {
		n += g.bytes()
	}
	return n
}
