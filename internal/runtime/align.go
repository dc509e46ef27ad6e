package runtime

import (
	"sync"
	"time"

	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/internal/physical"
	"github.com/runnelio/runnel/internal/plan"
)

// alignment keeps the splits of the sources of one group together in event time
// (scan.watermark.alignment.*): one whose watermark is more than the drift ahead
// of the group's last is not read until the others have come nearer. Splits that
// are idle or have ended hold nobody up, and those that have given no rows yet only
// for one update interval. Its methods may be called by several goroutines.
type alignment struct {
	drift, update int64 // ms

	mu      sync.Mutex
	splits  map[string]*alignedSplit
	allowed int64 // splits above are not read
	looked  int64 // when that was worked out, ms
}

// alignedSplit is how far a split of a group is.
type alignedSplit struct {
	mark  int64
	idle  bool
	since int64 // processing time at which it began, ms
}

func newAlignment(m plan.Marks) *alignment {
	return &alignment{drift: m.MaxDrift.Milliseconds(), update: max(m.Update.Milliseconds(), 1), splits: map[string]*alignedSplit{}, allowed: exec.MaxWatermark}
}

func (a *alignment) add(split string, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.splits[split] = &alignedSplit{mark: noWatermark, since: now.UnixMilli()}
	a.looked = 0
}

func (a *alignment) remove(split string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.splits, split)
	a.looked = 0 // who waited for it need not wait longer
}

func (a *alignment) setIdle(split string, idle bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if s := a.splits[split]; s != nil && s.idle != idle {
		s.idle = idle
		a.looked = 0
	}
}

// report is told of the watermark of a split.
func (a *alignment) report(split string, mark int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if s := a.splits[split]; s != nil {
		s.mark = max(s.mark, mark)
	}
}

// ahead tells whether a split has to wait.
func (a *alignment) ahead(split string, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.splits[split]
	if s == nil {
		return false
	}
	t := now.UnixMilli()
	if t-a.looked >= a.update || t < a.looked {
		a.looked = t
		low := int64(exec.MaxWatermark)
		for _, o := range a.splits {
			if !o.idle && (o.mark != noWatermark || t-o.since < a.update) {
				low = min(low, o.mark)
			}
		}
		switch {
		case low == noWatermark:
			a.allowed = noWatermark
		case low > exec.MaxWatermark-a.drift:
			a.allowed = exec.MaxWatermark
		default:
			a.allowed = low + a.drift
		}
	}
	return s.mark > a.allowed
}

// member is what a driver knows of its alignment group.
type member struct {
	group *alignment
	op    string // of the source: splits of several sources may have equal ids
}

func (m *member) name(split string) string { return m.op + "/" + split }

// alignmentOf returns the group of the source o, nil if it is in none. All
// sources of a job that name a group share it; the drift is the smallest of theirs.
func (b *builder) alignmentOf(o *physical.Op) *member {
	s, ok := o.Spec.(physical.Source)
	if !ok || s.Scan.Table.Marks.Group == "" {
		return nil
	}
	m := s.Scan.Table.Marks
	if b.groups == nil {
		b.groups = map[string]*alignment{}
	}
	g := b.groups[m.Group]
	if g == nil {
		g = newAlignment(m)
		b.groups[m.Group] = g
	}
	g.drift, g.update = min(g.drift, m.MaxDrift.Milliseconds()), min(g.update, max(m.Update.Milliseconds(), 1))
	return &member{g, o.ID}
}

// sourceOf returns the only source below o, nil if there are several or none.
func sourceOf(o *physical.Op) *physical.Op {
	for len(o.Inputs) == 1 {
		o = o.Inputs[0].From
	}
	if _, ok := o.Spec.(physical.Source); ok {
		return o
	}
	return nil
}

// watermarksOf is how a watermark assigner above a source follows its splits: it
// tells their alignment group how far each is.
func (b *builder) watermarksOf(o *physical.Op) func(split string, mark int64) {
	src := sourceOf(o)
	if src == nil {
		return nil
	}
	m := b.alignmentOf(src)
	if m == nil {
		return nil
	}
	return func(split string, mark int64) { m.group.report(m.name(split), mark) }
}

// stash keeps what a split that is ahead of its group has read.
func (d *sourceDriver) stash(a arrival) { d.stashed = append(d.stashed, a) }

// waits tells whether a split is ahead of its group.
func (d *sourceDriver) waits(split string) bool {
	return d.aligned != nil && d.aligned.group.ahead(d.aligned.name(split), d.now())
}

// unstash returns the first of the stashed arrivals whose split need not wait any
// more; ok is false if there is none. Those of a split stay in order.
func (d *sourceDriver) unstash() (a arrival, ok bool) {
	asked := map[string]bool{}
	for i, s := range d.stashed {
		id := s.from.split.ID
		if asked[id] {
			continue
		}
		if !d.waits(id) {
			d.stashed = append(d.stashed[:i], d.stashed[i+1:]...)
			return s, true
		}
		asked[id] = true
	}
	return arrival{}, false
}

// holds tells whether something of a split is stashed.
func (d *sourceDriver) holds(split string) bool {
	for _, s := range d.stashed {
		if s.from.split.ID == split {
			return true
		}
	}
	return false
}
