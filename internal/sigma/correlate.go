package sigma

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/runnelio/runnel/internal/ruleindex"
)

// maxWindowHits bounds the hits that all windows hold together.
const maxWindowHits = 20_000_000

// correlator feeds the hits of events into the windows of correlations.
type correlator struct {
	all    []*correlationState // what refers to another one behind it
	fields *eventFields
	again  *eventFields // of events that were held
	newest int64        // time of an event, ms
	hits   int
	held   int // bytes of events
	// What was left out: hits without a time, without a value of a group-by
	// field or of the field that is computed with, and those that came too late.
	NoTime, NoGroup, NoValue, Late int64
	seen                           int64
}

type correlationState struct {
	e       *Entry
	c       *Correlation
	groupBy [][]int // by ref: places in fields
	values  []int
	groups  map[string]*group
	closing *closing // nil: hits are evaluated as they come
}

// fired is a hit of a correlation.
type fired struct {
	e     *Entry
	at    int64
	names []string // of the group
	group []string
	value float64
	ids   []string
	// Of a window that is over, its newest hit; otherwise it is the current one.
	id    string
	event []byte
}

// name takes the ids of hits.
func (f *fired) name(hits []windowHit) {
	for _, h := range hits[max(0, len(hits)-maxIDs):] {
		f.ids = append(f.ids, h.id)
	}
}

const maxIDs = 100 // of events that a hit of a correlation names

// newCorrelator prepares the correlations of c that are run; fields gets the
// fields they need.
func newCorrelator(c *Collection, fields *eventFields) *correlator {
	k := &correlator{fields: fields, newest: math.MinInt64 / 2}
	states := map[*Entry]*correlationState{}
	done := map[*Entry]bool{}
	var visit func(e *Entry)
	visit = func(e *Entry) {
		if done[e] || e.State != OK || e.Rule.Correlation == nil {
			return
		}
		done[e] = true
		for _, r := range e.refs {
			visit(r)
		}
		st := &correlationState{e: e, c: e.Rule.Correlation, groups: map[string]*group{}}
		for _, r := range e.refs {
			var at []int
			for _, g := range st.c.GroupBy {
				at = append(at, fields.want(st.c.field(g, r.Rule)))
			}
			st.groupBy = append(st.groupBy, at)
		}
		for _, f := range st.c.Fields {
			st.values = append(st.values, fields.want(f))
		}
		closes, slack := st.c.atClose(), int64(0)
		for _, r := range e.refs {
			if in := states[r]; in != nil && in.closing != nil { // what it refers to is known late
				closes, slack = true, max(slack, in.delay())
			}
		}
		if closes {
			st.closing = &closing{slack: slack + st.c.Timespan.Milliseconds(), open: map[bucketID]*bucket{}}
		}
		states[e] = st
		k.all = append(k.all, st)
	}
	for _, e := range c.Entries {
		visit(e)
	}
	return k
}

// event feeds the hits of one event, whose fields have been read, and returns
// the correlations that fire.
func (k *correlator) event(hits []*Entry, event []byte, out []fired) ([]fired, error) {
	if k.seen++; k.seen%4096 == 0 {
		k.sweep()
	}
	at, timed := k.fields.time()
	if timed {
		k.newest = max(k.newest, at)
	}
	missed := false
	var err error
	for _, st := range k.all {
		for ref, r := range st.e.refs {
			inner := slices.IndexFunc(out, func(f fired) bool { return f.e == r && f.event == nil })
			if inner < 0 && !slices.Contains(hits, r) {
				continue
			}
			if !timed {
				missed = true
				continue
			}
			h, vals, ok := k.hitOf(st, ref, at, k.fields)
			switch {
			case !ok:
			case st.closing != nil && at <= k.newest-st.closing.slack:
				k.Late++
			case st.closing != nil:
				err = k.collect(st, h, vals, event)
			default:
				out, err = k.slide(st, h, vals, out)
			}
			if err != nil {
				return out, err
			}
		}
		if st.closing != nil {
			if out, err = k.over(st, false, out); err != nil {
				return out, err
			}
		}
	}
	if missed {
		k.NoTime++
	}
	return out, nil
}

// hitOf makes a hit of the event in fields, or counts why it cannot.
func (k *correlator) hitOf(st *correlationState, ref int, at int64, fields *eventFields) (windowHit, []string, bool) {
	h := windowHit{at: at, ref: int32(ref), id: fields.id()}
	vals, ok := groupOf(st, ref, fields)
	if !ok {
		k.NoGroup++
		return h, nil, false
	}
	if !valueOf(st, &h, fields) {
		k.NoValue++
		return h, nil, false
	}
	return h, vals, true
}

// slide puts a hit into the sliding window of its group.
func (k *correlator) slide(st *correlationState, h windowHit, vals []string, out []fired) ([]fired, error) {
	key := groupKey(vals)
	g := st.groups[key]
	if g == nil {
		g = &group{}
		st.groups[strings.Clone(key)] = g
	}
	ok, change := g.add(h, st.c)
	if !ok {
		k.Late++
		return out, nil
	}
	if k.hits += change; k.hits > maxWindowHits {
		return out, fmt.Errorf("sigma: the windows of correlations hold more than %d hits; the last is of %s: shorten its timespan or group by more", maxWindowHits, st.e.Key())
	}
	if !g.fires(st.c) {
		return out, nil
	}
	f := fired{e: st.e, at: h.at, names: st.c.GroupBy, group: vals, value: g.value(st.c)}
	f.name(g.hits)
	k.hits -= len(g.hits)
	delete(st.groups, key) // it begins anew
	return append(out, f), nil
}

func groupOf(st *correlationState, ref int, fields *eventFields) ([]string, bool) {
	var vals []string
	for _, at := range st.groupBy[ref] {
		v, ok := fields.text(at)
		if !ok {
			return nil, false
		}
		vals = append(vals, strings.Clone(v))
	}
	return vals, true
}

// valueOf reads the value that the correlation counts or computes with.
func valueOf(st *correlationState, h *windowHit, fields *eventFields) bool {
	if len(st.values) == 0 || !correlationTypes[st.c.Type] {
		return true
	}
	var vals []string
	for _, at := range st.values {
		v, ok := fields.text(at)
		if !ok {
			return false
		}
		vals = append(vals, v)
	}
	if st.c.Type == "value_count" {
		h.text = groupKey(vals)
		return true
	}
	n, err := strconv.ParseFloat(strings.TrimSpace(vals[0]), 64)
	if err != nil || n != n {
		return false
	}
	h.num = n
	return true
}

// sweep forgets groups that nothing can be added to any more: their hits are
// older than the timespan by the newest of their correlation.
func (k *correlator) sweep() {
	for _, st := range k.all {
		newest := int64(-1 << 62)
		for _, g := range st.groups {
			newest = max(newest, g.newest)
		}
		for key, g := range st.groups {
			if g.newest < newest-2*st.c.Timespan.Milliseconds() {
				k.hits -= len(g.hits)
				delete(st.groups, key)
			}
		}
	}
}

// eventFields reads single fields of events that had hits.
type eventFields struct {
	names  []string
	scan   *scanner
	buf    []byte
	first  []found // by name; input -1: there is none
	idAt   int     // -1: none
	timeAt int
}

func newEventFields(idField, timeField string) *eventFields {
	f := &eventFields{idAt: -1, timeAt: -1}
	if idField != "" {
		f.idAt = f.want(idField)
	}
	if timeField != "" {
		f.timeAt = f.want(timeField)
	}
	return f
}

func (f *eventFields) want(name string) int {
	if i := slices.Index(f.names, name); i >= 0 {
		return i
	}
	f.names = append(f.names, name)
	return len(f.names) - 1
}

// read finds the fields in an event that is known to be good.
func (f *eventFields) read(buf []byte, from, end int) error {
	if f.scan == nil {
		f.scan = newScanner(f.names, nil, false)
		f.first = make([]found, len(f.names))
	}
	if err := f.scan.scan(buf, from, end); err != nil {
		return err
	}
	f.buf = buf
	for i := range f.first {
		f.first[i].input = -1
	}
	for _, v := range f.scan.vals {
		if f.first[v.input].input < 0 && v.kind != ruleindex.RawNull {
			f.first[v.input] = v
		}
	}
	return nil
}

// text is the first value of a field.
func (f *eventFields) text(at int) (string, bool) {
	if at < 0 || f.first[at].input < 0 {
		return "", false
	}
	v := f.first[at]
	return decoded(f.buf[v.from:v.to], v.kind), true
}

// id is the event's id as JSON.
func (f *eventFields) id() string {
	if f.idAt < 0 || f.first[f.idAt].input < 0 {
		return "null"
	}
	v := f.first[f.idAt]
	raw := f.buf[v.from:v.to]
	if v.kind == ruleindex.RawText || v.kind == ruleindex.RawEscaped {
		return `"` + string(raw) + `"`
	}
	return string(raw)
}

// time is the event's time, in milliseconds.
func (f *eventFields) time() (int64, bool) {
	s, ok := f.text(f.timeAt)
	if !ok {
		return 0, false
	}
	t, ok := parseTime(s)
	return t.UnixMilli(), ok
}
