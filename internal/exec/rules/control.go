// Package rules has the operator over a set of rules that changes while the job
// runs.
//
// control.go is the set as those outside see it: rules are added and removed by
// any goroutine. live.go is the operator, which takes changes up at barriers, so
// that a replay decides the same; window.go counts what rules with a window ask for.
package rules

import (
	"context"
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
	gen atomic.Uint64 // of the newest change
	// Immediate: the job takes no checkpoints, so changes take effect with the next batch.
	Immediate bool

	mu      sync.Mutex
	byID    map[string]*entry
	byKey   map[string]*entry // by name in the index
	next    int64
	waiting []waiter
	stats   map[string]Stats
	fromDir map[string]plan.RuleDef // what the folder said last
	ended   bool
}

// entry is a rule in the index.
type entry struct {
	plan.LiveRule
	key    string // its name in the index: ids come again
	folder bool   // it came from the watched folder
}

// kept is a rule in a commit.
type kept struct {
	plan.RuleDef
	Folder bool `json:"folder,omitempty"`
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

// NewControl returns the empty set of a plan node.
func NewControl(live *plan.LiveRules, cx *function.Context, log *slog.Logger) *Control {
	in := live.Input.Schema()
	return &Control{Name: live.Name, live: live, in: in, log: log,
		set:  ruleindex.NewSet(ruleindex.Options{Schema: in, Context: cx}),
		byID: map[string]*entry{}, byKey: map[string]*entry{}, stats: map[string]Stats{}, fromDir: map[string]plan.RuleDef{}}
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
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return nil, ErrEnded
	}
	var unknown []string
	for _, id := range remove {
		if c.byID[id] == nil {
			unknown = append(unknown, id)
		}
	}
	if unknown != nil {
		return nil, fmt.Errorf("no rule %s", unknown[0])
	}
	var rules []ruleindex.Rule
	var entries []*entry
	for _, r := range add {
		c.next++
		e := &entry{LiveRule: r, key: strconv.FormatInt(c.next, 10), folder: folder}
		entries = append(entries, e)
		rules = append(rules, ruleindex.Rule{ID: e.key, Expr: r.Cond})
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
			delete(c.byKey, old.key)
		}
	}
	for _, id := range remove {
		drop(id)
	}
	for _, e := range entries {
		drop(e.Def.ID)
		c.byID[e.Def.ID] = e
		c.byKey[e.key] = e
	}
	if len(gone) > 0 {
		c.set.Remove(gone...)
	}
	c.set.MergeSoon(context.Background(), 8)
	gen := c.gen.Add(1)
	done := make(chan error, 1)
	c.waiting = append(c.waiting, waiter{gen, done})
	return done, nil
}

// taken is the set as the operator takes it up.
type taken struct {
	gen   uint64
	index *ruleindex.Index
	byKey map[string]*entry
	defs  []kept
}

func (c *Control) take() taken {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := taken{gen: c.gen.Load(), index: c.set.Index(), byKey: maps.Clone(c.byKey)}
	for _, id := range slices.Sorted(maps.Keys(c.byID)) {
		t.defs = append(t.defs, kept{c.byID[id].Def, c.byID[id].folder})
	}
	return t
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

// end answers all who wait: the job has ended.
func (c *Control) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	for _, w := range c.waiting {
		w.done <- ErrEnded
	}
	c.waiting = nil
	c.set.Wait()
}

// List returns the rules by id.
func (c *Control) List() []plan.RuleDef {
	var out []plan.RuleDef
	for _, k := range c.take().defs {
		out = append(out, k.RuleDef)
	}
	return out
}

// Stats returns what happened to each rule, by id.
func (c *Control) Stats() []Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	unindexed := map[string]bool{}
	for _, r := range c.set.Index().Rules() {
		unindexed[r.ID] = r.Unindexed
	}
	var out []Stats
	for _, id := range slices.Sorted(maps.Keys(c.byID)) {
		s := c.stats[id]
		s.ID, s.Unindexed = id, unindexed[c.byID[id].key]
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
