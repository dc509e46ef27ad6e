// Package rules has the operator over a set of rules that changes while the job
// runs.
//
// control.go is the set as those outside see it: rules are added and removed by
// any goroutine. live.go is the operator, which takes changes up at barriers, so
// that a replay decides the same; window.go counts what rules with a window ask for.
package rules

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/internal/ruleindex"
	"github.com/runnelio/runnel/types"
)

// Control is a living set of rules. Its methods may be called from any goroutine.
type Control struct {
	Name string
	live *plan.LiveRules
	in   *types.Schema
	log  *slog.Logger

	set *ruleindex.Set
	now atomic.Pointer[taken] // the newest state: the operator takes it up without waiting for anybody
	// Immediate: the job takes no checkpoints, so changes take effect with the next batch.
	Immediate bool

	// changing is held while a change is made, which takes as long as indexing its
	// rules does. The operator never waits for it.
	changing sync.Mutex
	byID     map[string]*entry
	next     int64
	merges   sync.WaitGroup

	syncing sync.Mutex
	fromDir map[string]plan.RuleDef // what the folder said last

	mu      sync.Mutex // held for moments only; the operator takes it too
	waiting []waiter
	stats   map[string]Stats
	ended   bool
}

// entry is a rule in the index.
type entry struct {
	plan.LiveRule
	key    string // its name in the index: ids come again
	folder bool   // it came from the watched folder
	saved  string // as a commit holds it
	reads  []int
}

// same tells whether what was counted for one rule may be kept for the other.
func (e *entry) same(o *entry) bool {
	return e.Def.Condition == o.Def.Condition && e.Def.Window == o.Def.Window && slices.Equal(e.Def.Key, o.Def.Key)
}

// kept is a rule in a commit.
type kept struct {
	plan.RuleDef
	Folder bool `json:"folder,omitempty"`
}

// taken is a state of the set. It is immutable.
type taken struct {
	gen   uint64
	index *ruleindex.Index
	byKey map[string]*entry // by name in the index
	byID  map[string]*entry
	reads map[int]bool // columns that any rule looks at
}

type waiter struct {
	gen  uint64
	done chan error
}

// Stats is what happened to a rule since the job started.
type Stats struct {
	ID         string `json:"id"`
	Hits       int64  `json:"hits"`
	LastHit    int64  `json:"lastHit"` // ms since 1970, 0: never
	Candidates int64  `json:"candidates"`
	Unindexed  bool   `json:"unindexed,omitempty"`
}

// NewControl returns the empty set of a plan node. Changes that bring it to more
// than maxUnindexed rules that no index helps are refused; 0: none are.
func NewControl(live *plan.LiveRules, cx *function.Context, log *slog.Logger, maxUnindexed int) *Control {
	in := live.Input.Schema()
	c := &Control{Name: live.Name, live: live, in: in, log: log,
		set:  ruleindex.NewSet(ruleindex.Options{Schema: in, Context: cx, MaxUnindexed: maxUnindexed}),
		byID: map[string]*entry{}, stats: map[string]Stats{}, fromDir: map[string]plan.RuleDef{}}
	c.now.Store(&taken{index: c.set.Index(), byID: map[string]*entry{}, byKey: map[string]*entry{}, reads: map[int]bool{}})
	return c
}

// ErrEnded tells that the job has ended.
var ErrEnded = errors.New("the job has ended")

// Change adds and removes rules: all of it or, with an error, nothing. A rule
// whose id is there replaces it. With wait it returns when the change is in
// effect and in a commit; else when it will take effect with the next barrier.
func (c *Control) Change(ctx context.Context, add []plan.RuleDef, remove []string, wait bool) error {
	return c.change(ctx, add, remove, wait, false)
}

func (c *Control) change(ctx context.Context, add []plan.RuleDef, remove []string, wait, folder bool) error {
	compiled := make([]plan.LiveRule, len(add))
	for i, d := range add {
		r, err := c.live.Compile(d)
		if err != nil {
			return fmt.Errorf("rule %s: %w", d.ID, err)
		}
		compiled[i] = r
	}
	done, err := c.apply(compiled, remove, folder)
	if err != nil || !wait || done == nil {
		return err
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *Control) apply(add []plan.LiveRule, remove []string, folder bool) (<-chan error, error) {
	c.changing.Lock()
	defer c.changing.Unlock()
	for _, id := range remove {
		if c.byID[id] == nil {
			return nil, fmt.Errorf("no rule %s", id)
		}
	}
	var rules []ruleindex.Rule
	var entries []*entry
	seen := map[string]bool{}
	for _, r := range add {
		if seen[r.Def.ID] {
			return nil, fmt.Errorf("rule %s is there twice", r.Def.ID)
		}
		seen[r.Def.ID] = true
		saved, err := json.Marshal(kept{r.Def, folder})
		if err != nil {
			return nil, fmt.Errorf("rule %s: %w", r.Def.ID, err)
		}
		c.next++
		e := &entry{LiveRule: r, key: strconv.FormatInt(c.next, 10), folder: folder, saved: string(saved)}
		reads := map[int]bool{}
		plan.Columns(r.Cond, reads)
		e.reads = slices.Sorted(maps.Keys(reads))
		entries = append(entries, e)
		rules = append(rules, ruleindex.Rule{ID: e.key, Name: r.Def.ID, Expr: r.Cond})
	}
	if len(rules) > 0 {
		if err := c.set.Add(rules...); err != nil {
			return nil, err
		}
	}
	var gone []string
	drop := func(id string) {
		if old := c.byID[id]; old != nil {
			gone = append(gone, old.key)
			delete(c.byID, id)
		}
	}
	for _, id := range remove {
		drop(id)
	}
	for _, e := range entries {
		drop(e.Def.ID)
		c.byID[e.Def.ID] = e
	}
	if len(gone) > 0 {
		c.set.Remove(gone...)
	}
	done := make(chan error, 1)
	if !c.publish(done) {
		return nil, ErrEnded
	}
	c.mergeSoon()
	return done, nil
}

// publish makes the state of the set the newest one; done hears when it is in
// effect. It is called with changing held, and false if the job has ended.
func (c *Control) publish(done chan error) bool {
	t := &taken{gen: c.now.Load().gen + 1, index: c.set.Index(), byID: maps.Clone(c.byID), byKey: make(map[string]*entry, len(c.byID)), reads: map[int]bool{}}
	for _, e := range c.byID {
		t.byKey[e.key] = e
		for _, r := range e.reads {
			t.reads[r] = true
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return false
	}
	if done != nil {
		c.waiting = append(c.waiting, waiter{t.gen, done})
	}
	c.now.Store(t)
	return true
}

// mergeSoon makes one index of many small ones in the background; it takes
// effect as a change does.
func (c *Control) mergeSoon() {
	const fragments = 8
	if c.set.Fragments() <= fragments {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended { // and end may be waiting for the merges
		return
	}
	c.merges.Go(func() {
		if err := c.set.Merge(context.Background()); err != nil {
			return // only if the context ends, and this one does not
		}
		c.changing.Lock()
		defer c.changing.Unlock()
		c.publish(nil)
	})
}

// settled answers who waits for changes up to gen.
func (c *Control) settled(gen uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	left := c.waiting[:0]
	for _, w := range c.waiting {
		if w.gen <= gen {
			w.done <- nil
		} else {
			left = append(left, w)
		}
	}
	c.waiting = left
}

// end answers all who wait: the job has ended. It waits for what runs in the background.
func (c *Control) end() {
	c.mu.Lock()
	c.ended = true
	for _, w := range c.waiting {
		w.done <- ErrEnded
	}
	c.waiting = nil
	c.mu.Unlock()
	c.merges.Wait() // none begins from here on
}

// List returns the rules by id.
func (c *Control) List() []plan.RuleDef {
	t := c.now.Load()
	var out []plan.RuleDef
	for _, id := range slices.Sorted(maps.Keys(t.byID)) {
		out = append(out, t.byID[id].Def)
	}
	return out
}

// Stats returns what happened to each rule, by id.
func (c *Control) Stats() []Stats {
	t := c.now.Load()
	unindexed := map[string]bool{}
	for _, id := range t.index.Unindexed() {
		unindexed[id] = true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []Stats
	for _, id := range slices.Sorted(maps.Keys(t.byID)) {
		s := c.stats[id]
		s.ID, s.Unindexed = id, unindexed[t.byID[id].key]
		out = append(out, s)
	}
	return out
}

func (c *Control) report(stats map[string]Stats) {
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.Copy(c.stats, stats)
}

// Sync makes the rules that came from the folder equal to what it holds now.
// Rules that were added otherwise stay.
func (c *Control) Sync(ctx context.Context) error {
	if c.live.Dir == "" {
		return nil
	}
	c.syncing.Lock()
	defer c.syncing.Unlock()
	defs, err := c.live.Load(c.live.Dir)
	if err != nil {
		return err
	}
	now := map[string]plan.RuleDef{}
	var add []plan.RuleDef
	for _, d := range defs {
		now[d.ID] = d
		if old, ok := c.fromDir[d.ID]; !ok || !reflect.DeepEqual(old, d) {
			add = append(add, d)
		}
	}
	var remove []string
	for id := range c.fromDir {
		if _, ok := now[id]; !ok {
			remove = append(remove, id)
		}
	}
	if len(add) == 0 && len(remove) == 0 {
		return nil
	}
	slices.Sort(remove)
	if err := c.change(ctx, add, remove, false, true); err != nil {
		return err
	}
	c.fromDir = now
	return nil
}

// Watch looks at the folder every so often until ctx ends. What it cannot read is
// logged once, and the rules stay as they are.
func (c *Control) Watch(ctx context.Context, every time.Duration) {
	if c.live.Dir == "" {
		return
	}
	t := time.NewTicker(every)
	defer t.Stop()
	last := ""
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		switch err := c.Sync(ctx); {
		case err == nil:
			last = ""
		case errors.Is(err, ErrEnded):
			return
		case err.Error() != last:
			last = err.Error()
			c.log.Warn("rules not taken over", "folder", c.live.Dir, "error", err)
		}
	}
}
