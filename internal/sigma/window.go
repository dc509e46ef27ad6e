package sigma

import (
	"slices"
	"strings"
)

// group is what a correlation remembers for a combination of group-by values:
// the hits of the last timespan, in the order of their times.
type group struct {
	newest int64
	hits   []windowHit
	counts map[string]int // of values, for value_count
	sum    float64
	sorted []float64 // values, for percentiles
	perRef []int     // hits of each rule, for temporal
}

// windowHit is a hit in a window, with its value.
type windowHit struct {
	at   int64 // ms
	ref  int32
	num  float64
	text string
	id   string // of the event, raw JSON
}

// add puts a hit into the window and drops those that are too old; false if the
// hit itself is.
func (g *group) add(h windowHit, c *Correlation) (ok bool, change int) {
	before := len(g.hits)
	span := c.Timespan.Milliseconds()
	if before > 0 && h.at <= g.newest-span {
		return false, 0
	}
	g.newest = max(g.newest, h.at)
	if before == 0 {
		g.newest = h.at
	}
	old := 0
	for old < before && g.hits[old].at <= g.newest-span {
		g.count(g.hits[old], c, -1)
		old++
	}
	if old > 0 {
		g.hits = append(g.hits[:0], g.hits[old:]...)
	}
	at := len(g.hits)
	for at > 0 && g.hits[at-1].at > h.at {
		at--
	}
	g.hits = slices.Insert(g.hits, at, h)
	g.count(h, c, 1)
	return true, len(g.hits) - before
}

// count adds or takes away a hit from the aggregates.
func (g *group) count(h windowHit, c *Correlation, by int) {
	switch c.Type {
	case "value_count":
		if g.counts == nil {
			g.counts = map[string]int{}
		}
		if g.counts[h.text] += by; g.counts[h.text] == 0 {
			delete(g.counts, h.text)
		}
	case "value_sum", "value_avg":
		g.sum += float64(by) * h.num
	case "value_percentile", "value_median":
		at, _ := slices.BinarySearch(g.sorted, h.num)
		if by > 0 {
			g.sorted = slices.Insert(g.sorted, at, h.num)
		} else {
			g.sorted = slices.Delete(g.sorted, at, at+1)
		}
	case "temporal", "temporal_ordered":
		for len(g.perRef) < len(c.Rules) {
			g.perRef = append(g.perRef, 0)
		}
		g.perRef[h.ref] += by
	}
}

// value is what the condition of the correlation is about.
func (g *group) value(c *Correlation) float64 {
	switch c.Type {
	case "value_count":
		return float64(len(g.counts))
	case "value_sum":
		return g.sum
	case "value_avg":
		return g.sum / float64(len(g.hits))
	case "value_percentile":
		return percentile(g.sorted, c.Percentile)
	case "value_median":
		return percentile(g.sorted, 50)
	case "temporal", "temporal_ordered":
		n := 0
		for _, x := range g.perRef {
			if x > 0 {
				n++
			}
		}
		return float64(n)
	}
	return float64(len(g.hits))
}

// fires tells whether the window fulfils the correlation.
func (g *group) fires(c *Correlation) bool {
	switch c.Type {
	case "temporal", "temporal_ordered":
		switch {
		case c.Type == "temporal_ordered":
			return g.inOrder(len(c.Rules))
		case c.Names != nil:
			return c.namesHold(c.Names, func(ref int) bool { return ref < len(g.perRef) && g.perRef[ref] > 0 })
		}
		if len(c.Bounds) == 0 {
			return int(g.value(c)) == len(c.Rules)
		}
	}
	return c.holds(g.value(c))
}

// inOrder tells whether the window has hits of the n rules, one after another
// in time; of equal times any order goes.
func (g *group) inOrder(n int) bool {
	next := 0
	for from := 0; from < len(g.hits); {
		to := from + 1
		for to < len(g.hits) && g.hits[to].at == g.hits[from].at {
			to++
		}
		for found := true; found && next < n; { // rules met at the same time
			found = false
			for _, h := range g.hits[from:to] {
				if int(h.ref) == next {
					next++
					found = true
					break
				}
			}
		}
		from = to
	}
	return next == n
}

// percentile is the p-th percentile of sorted values, between two of them in
// proportion.
func percentile(sorted []float64, p float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	rank := p / 100 * float64(len(sorted)-1)
	i := int(rank)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (rank-float64(i))*(sorted[i+1]-sorted[i])
}

// groupKey joins values to a key that no others give.
func groupKey(vals []string) string {
	var b strings.Builder
	for _, v := range vals {
		b.WriteString(strings.ReplaceAll(strings.ReplaceAll(v, `\`, `\\`), "\x00", `\0`))
		b.WriteByte(0)
	}
	return b.String()
}
