package sigma

import (
	"container/heap"
	"fmt"
	"math"
	"slices"

	"github.com/runnelio/runnel/format/json"
)

// maxHeldBytes bounds the events that windows hold together to be written when
// they are over.
const maxHeldBytes = 512 << 20

// Correlations whose condition is known only when the time is over are evaluated
// for windows that begin at multiples of the timespan since 1970, as those of
// TUMBLE in SQL. A window is closed when the newest time of an event is so far
// behind its end that what comes later would be refused as late.

// bucket is a window of a group that is not over.
type bucket struct {
	start int64 // ms
	key   string
	vals  []string // of the group-by fields
	group
	event []byte // of the newest hit, with json.Slack behind it
}

// buckets are ordered by start, then by group.
type buckets []*bucket

func (b buckets) Len() int      { return len(b) }
func (b buckets) Swap(i, j int) { b[i], b[j] = b[j], b[i] }
func (b *buckets) Push(x any)   { *b = append(*b, x.(*bucket)) }
func (b buckets) Less(i, j int) bool {
	return b[i].start < b[j].start || b[i].start == b[j].start && b[i].key < b[j].key
}

func (b *buckets) Pop() any {
	last := len(*b) - 1
	x := (*b)[last]
	(*b)[last] = nil
	*b = (*b)[:last]
	return x
}

type bucketID struct {
	start int64
	key   string
}

// closing is what a correlation has open.
type closing struct {
	slack int64 // ms that a hit may be behind the newest time
	open  map[bucketID]*bucket
	order buckets
}

// delay is how long after its time a hit of st may be known.
func (st *correlationState) delay() int64 {
	if st.closing == nil {
		return 0
	}
	return st.c.Timespan.Milliseconds() + st.closing.slack
}

// collect puts a hit into its window, which is not closed; event is kept only if
// it is the newest.
func (k *correlator) collect(st *correlationState, h windowHit, vals []string, event []byte) error {
	span := st.c.Timespan.Milliseconds()
	start := h.at - h.at%span
	if h.at < start { // before 1970
		start -= span
	}
	id := bucketID{start, groupKey(vals)}
	b := st.closing.open[id]
	if b == nil {
		b = &bucket{start: start, key: id.key, vals: vals}
		st.closing.open[id] = b
		heap.Push(&st.closing.order, b)
	}
	newest := b.insert(h, st.c)
	if k.hits++; k.hits > maxWindowHits {
		return fmt.Errorf("sigma: the windows of correlations hold more than %d hits; the last is of %s: shorten its timespan or group by more", maxWindowHits, st.e.Key())
	}
	if !newest {
		return nil
	}
	k.held += len(event) - max(0, len(b.event)-json.Slack)
	if k.held > maxHeldBytes {
		return fmt.Errorf("sigma: the windows of correlations hold more than %d MB of events; the last is of %s: shorten its timespan or group by less", maxHeldBytes>>20, st.e.Key())
	}
	b.event = append(append(b.event[:0], event...), make([]byte, json.Slack)...)
	return nil
}

// insert puts a hit behind those that are not newer, and tells whether it is the
// last now.
func (g *group) insert(h windowHit, c *Correlation) bool {
	at := len(g.hits)
	for at > 0 && g.hits[at-1].at > h.at {
		at--
	}
	g.hits = slices.Insert(g.hits, at, h)
	g.count(h, c, 1)
	return at == len(g.hits)-1
}

// over closes the windows of st that are over, or all of them, and passes the
// hits that come of it on.
func (k *correlator) over(st *correlationState, all bool, out []fired) ([]fired, error) {
	cl := st.closing
	span := st.c.Timespan.Milliseconds()
	for len(cl.order) > 0 && (all || cl.order[0].start+span <= k.newest-cl.slack) {
		b := heap.Pop(&cl.order).(*bucket)
		delete(cl.open, bucketID{b.start, b.key})
		k.hits -= len(b.hits)
		k.held -= len(b.event) - json.Slack
		if !b.fires(st.c) {
			continue
		}
		last := b.hits[len(b.hits)-1]
		f := fired{e: st.e, at: last.at, names: st.c.GroupBy, group: b.vals, value: b.value(st.c), id: last.id, event: b.event[:len(b.event)-json.Slack]}
		f.name(b.hits)
		out = append(out, f)
		if err := k.passOn(st, f.at, b.event); err != nil {
			return out, err
		}
	}
	return out, nil
}

// passOn feeds a hit of st, which is known only now, into the correlations that
// refer to it. They all close windows, and later than st: their slack has its
// delay, so that the window of the hit is still open.
func (k *correlator) passOn(st *correlationState, at int64, event []byte) error {
	var fields *eventFields
	for _, outer := range k.all {
		for ref, r := range outer.e.refs {
			if r != st.e {
				continue
			}
			n := len(event) - json.Slack
			if fields == nil {
				if fields = k.again; fields == nil {
					fields = &eventFields{names: k.fields.names, idAt: k.fields.idAt, timeAt: k.fields.timeAt}
					k.again = fields
				}
				if err := fields.read(event, 0, n); err != nil {
					return err
				}
			}
			h, vals, ok := k.hitOf(outer, ref, at, fields)
			if !ok {
				continue
			}
			if err := k.collect(outer, h, vals, event[:n]); err != nil {
				return err
			}
		}
	}
	return nil
}

// end closes all windows: the input is over.
func (k *correlator) end(out []fired) ([]fired, error) {
	var err error
	for _, st := range k.all {
		if st.closing == nil {
			continue
		}
		if out, err = k.over(st, true, out); err != nil {
			return out, err
		}
	}
	return out, nil
}

// atClose tells whether the condition is known only when the time is over.
func (c *Correlation) atClose() bool {
	if c.Type == "temporal_ordered" {
		return false
	}
	for _, b := range c.Bounds {
		if b.Op != "gt" && b.Op != "gte" {
			return true
		}
	}
	return c.Names != nil && c.Names.negates()
}

// negates tells whether there is a not: a rule that comes later may make the
// condition false again.
func (t *condNode) negates() bool {
	return t.op == condNot || slices.ContainsFunc(t.subs, (*condNode).negates)
}

// parseNames reads a condition over names of rules.
func (c *Correlation) parseNames(cond *node) error {
	if c.Type != "temporal" {
		return cond.errorf("a condition over names of rules is of the type temporal, not %s", c.Type)
	}
	t, err := parseCondition(cond.text)
	if err != nil {
		return cond.errorf("condition: %s", err)
	}
	if len(c.Rules) == 0 {
		err = t.check(func(name string, pattern bool) error {
			if pattern {
				return fmt.Errorf("%s needs the names of the rules in rules", name)
			}
			if !slices.Contains(c.Rules, name) {
				c.Rules = append(c.Rules, name)
			}
			return nil
		})
	}
	for _, r := range c.Rules {
		c.named = append(c.named, named{name: r})
	}
	if err == nil {
		err = t.check(func(name string, pattern bool) error {
			if len(namesOf(c.named, name, pattern)) == 0 {
				return fmt.Errorf("%s is not one of the rules", name)
			}
			return nil
		})
	}
	if err != nil {
		return cond.errorf("condition: %s", err)
	}
	c.Names = t
	return nil
}

// namesHold evaluates the condition over names; seen tells of which rules there
// are hits.
func (c *Correlation) namesHold(t *condNode, seen func(ref int) bool) bool {
	switch t.op {
	case condNot:
		return !c.namesHold(t.subs[0], seen)
	case condAnd, condOr:
		for _, s := range t.subs {
			if c.namesHold(s, seen) == (t.op == condOr) {
				return t.op == condOr
			}
		}
		return t.op == condAnd
	}
	for _, i := range namesOf(c.named, t.name, t.op != condName) {
		if seen(i) == (t.op == condOne) {
			return t.op == condOne
		}
	}
	return t.op != condOne
}

// possible refuses conditions that no window can fulfil: each has a hit at least.
func (c *Correlation) possible(n *node) error {
	why := "the condition can never hold: a window has at least one hit"
	switch {
	case c.Names != nil && len(c.Rules) <= 12:
		for set := 1; set < 1<<len(c.Rules); set++ {
			if c.namesHold(c.Names, func(ref int) bool { return set>>ref&1 != 0 }) {
				return nil
			}
		}
		return n.errorf("%s", why)
	case c.Type == "temporal_ordered" && !c.holds(float64(len(c.Rules))):
		return n.errorf("the condition can never hold: all %d rules have hits then", len(c.Rules))
	case c.Type == "temporal" && len(c.Bounds) > 0:
		for i := range c.Rules {
			if c.holds(float64(i + 1)) {
				return nil
			}
		}
		return n.errorf("the condition can never hold for %d rules", len(c.Rules))
	case c.Type == "event_count" || c.Type == "value_count":
		near := []float64{1, 2}
		for _, b := range c.Bounds {
			for _, d := range []float64{-2, -1, 0, 1, 2} {
				near = append(near, max(1, math.Trunc(max(-1, min(b.Value, 1e15)))+d))
			}
		}
		if !slices.ContainsFunc(near, c.holds) {
			return n.errorf("%s", why)
		}
	}
	return nil
}
