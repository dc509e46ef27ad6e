package runtime

import (
	"context"
	"slices"
	"sync"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/internal/exec/relational"
	"github.com/runnelio/runnel/internal/metrics"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
)

// Scans are the scan groups of the jobs of a namespace in this process. Jobs whose
// sources read the same records are members of one group: what one of them reads
// and decodes, all of them get, each with the columns and rows it asked for. Each
// keeps its own position, barriers and commits; a group commits nothing. The zero
// Scans is ready. It is safe for concurrent use.
//
// share.go has groups and who belongs to one, cursor.go how a member reads a
// split, sharelog.go what a group has read of a split, sharedecode.go how that is
// decoded for all members at once, shareview.go how a member finds its rows.
type Scans struct {
	mu     sync.Mutex
	groups []*scanGroup
	holds  int
	gate   chan struct{} // closed when nobody holds any more; nil: nobody does
}

// Hold keeps members from reading until release is called: jobs that are started
// meanwhile begin together.
func (s *Scans) Hold() (release func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.holds++
	if s.gate == nil {
		s.gate = make(chan struct{})
	}
	return sync.OnceFunc(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.holds--; s.holds == 0 {
			close(s.gate)
			s.gate = nil
		}
	})
}

// wait returns when nobody holds, or false when ctx ends.
func (s *Scans) wait(ctx context.Context) bool {
	s.mu.Lock()
	gate := s.gate
	s.mu.Unlock()
	if gate == nil {
		return true
	}
	select {
	case <-gate:
		return true
	case <-ctx.Done():
		return false
	}
}

// scanGroup is the members that read the same records the same way.
type scanGroup struct {
	scans *Scans
	key   string
	model *scanMember // decides with whom it goes

	mu      sync.Mutex // of all below, and of the splits and cursors
	members []*scanMember
	columns map[string]string // types of columns by name
	splits  map[string]*sharedSplit
	plans   []*sharePlan // what is decoded, the latest first
}

// scanMember is one source of one job in a group.
type scanMember struct {
	group   *scanGroup
	job     *Job
	data    string // its connector and what it reads
	scan    *plan.Scan
	cx      *function.Context
	size    int // rows a batch
	source  connector.Source
	rules   *relational.RuleSet // right behind the source; nil: none
	start   string              // what the empty position means
	maxLag  int64
	drivers []*sourceDriver
	stats   []*metrics.Op // of its tasks

	cursors []*cursor
	lag     int64 // bytes its cursors are behind what the group has read
	gone    bool
}

// mayShare makes a member of a source that tells what it reads, in a format that
// tells what it has in common with others.
func (b *builder) mayShare(src any, s *plan.Scan, drivers []*sourceDriver) {
	sharer, ok := src.(connector.Sharer)
	source, record := src.(connector.Source)
	if b.opts.Scans == nil || !ok || !record || s.Limit > 0 || s.Table.Connector == nil {
		return
	}
	data := sharer.Data()
	if _, ok := s.Table.Format.(format.Comparer); !ok || data == "" {
		return
	}
	m := &scanMember{job: b.job, data: s.Table.Connector.Name + " " + data, scan: s, cx: b.opts.Func, size: b.plan.Options.BatchSize,
		source: source, start: sharer.Start(), maxLag: b.opts.MaxLag, drivers: drivers}
	for _, d := range drivers {
		d.shared = m
	}
	b.shares = append(b.shares, m)
}

// share makes the job's sources members of their groups, with the splits they are
// going to read.
func (b *builder) share() {
	for _, m := range b.shares {
		for _, d := range m.drivers {
			m.stats = append(m.stats, d.metrics)
			if r, ok := d.decode.asked.(*relational.RuleFilter); ok {
				m.rules = r.Set()
			}
		}
		b.opts.Scans.join(m)
		for _, d := range m.drivers {
			for _, s := range d.splits {
				if at := d.start[s.ID]; at != endOfSplit {
					m.expect(s, at)
				}
			}
		}
	}
}

// join makes m a member of the group it fits into, of a new one if there is none.
// A group has one source of a job at most: nobody waits for himself.
func (s *Scans) join(m *scanMember) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range s.groups {
		if g.key == m.data && g.take(m) {
			return
		}
	}
	g := &scanGroup{scans: s, key: m.data, model: m, splits: map[string]*sharedSplit{}, columns: map[string]string{}}
	s.groups = append(s.groups, g)
	g.take(m)
}

// take makes m a member if it decodes as the others do.
func (g *scanGroup) take(m *scanMember) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if m != g.model && !m.like(g.model) {
		return false
	}
	for _, x := range g.members {
		if x.job == m.job {
			return false
		}
	}
	fields := m.scan.Table.Physical.Fields
	for _, f := range fields {
		if t, ok := g.columns[f.Name]; ok && t != f.Type.String() {
			return false
		}
	}
	for _, f := range fields {
		g.columns[f.Name] = f.Type.String()
	}
	m.group = g
	g.members = append(g.members, m)
	g.count()
	return true
}

// count tells members how many they are.
func (g *scanGroup) count() {
	for _, m := range g.members {
		m.stats[0].Shared.Members.Store(int64(len(g.members)))
	}
}

// like tells whether records become the same for both, column by column.
func (m *scanMember) like(o *scanMember) bool {
	a, b := m.scan.Table, o.scan.Table
	same := a.Format.(format.Comparer)
	if a.FormatName != b.FormatName || !same.Same(b.Format) || m.size != o.size || m.cx.Zone.String() != o.cx.Zone.String() || !slices.Equal(a.Partitions, b.Partitions) {
		return false
	}
	if !slices.Equal(metadataOf(a), metadataOf(b)) || !slices.Equal(m.entered(), o.entered()) {
		return false
	}
	if same.ByName() {
		return true
	}
	return slices.EqualFunc(a.Physical.Fields, b.Physical.Fields, func(x, y types.Field) bool {
		return x.Name == y.Name && x.Type.String() == y.Type.String()
	})
}

// metadataOf are the keys, names and types of metadata columns, which readers
// fill by their place.
func metadataOf(t *plan.Table) []string {
	var out []string
	for _, x := range t.Metadata {
		f := t.Physical.Fields[x.Column]
		out = append(out, x.Key+" "+f.Name+" "+f.Type.String())
	}
	return out
}

// entered are the nested objects the decoder looks into: what is damaged in one
// that nobody looks into makes no record bad.
func (m *scanMember) entered() []string {
	var out []string
	for _, w := range m.scan.Wants {
		path := m.scan.Table.Physical.Fields[w.Column].Name
		for _, name := range w.Path {
			out = append(out, path)
			path += "\x00" + name
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// leave ends the membership. Cursors that were never opened end with it.
func (m *scanMember) leave() {
	g := m.group
	if g == nil {
		return
	}
	g.mu.Lock()
	left := slices.Clone(m.cursors)
	g.mu.Unlock()
	for _, c := range left {
		_ = c.close() // it was never opened
	}
	g.scans.mu.Lock()
	defer g.scans.mu.Unlock()
	g.mu.Lock()
	defer g.mu.Unlock()
	if m.gone {
		return
	}
	m.gone = true
	g.members = slices.DeleteFunc(g.members, func(x *scanMember) bool { return x == m })
	g.plans = slices.DeleteFunc(g.plans, func(p *sharePlan) bool { return p.has(m) })
	g.count()
	if len(g.members) == 0 {
		g.scans.groups = slices.DeleteFunc(g.scans.groups, func(x *scanGroup) bool { return x == g })
	}
}

// Sharing tells how a source shares what it reads.
type Sharing struct {
	Op, Table string
	// Jobs are the jobs of the group, this one included.
	Jobs []string
	// Lag is the bytes of memory this job is behind what was read for it. Of the
	// Splits it reads, or is going to, Alone are those it reads alone.
	Lag           int64
	Splits, Alone int
}

// Sharing tells how each source of the job that may share does so.
func (j *Job) Sharing() []Sharing {
	var out []Sharing
	for _, m := range j.shares {
		if m.group != nil {
			out = append(out, m.sharing())
		}
	}
	return out
}

// sharing tells about m.
func (m *scanMember) sharing() Sharing {
	g := m.group
	g.mu.Lock()
	defer g.mu.Unlock()
	s := Sharing{Op: m.stats[0].Name, Table: m.scan.Table.Path, Lag: m.lag, Splits: len(m.cursors)}
	for _, x := range g.members {
		s.Jobs = append(s.Jobs, x.job.Name)
	}
	for _, c := range m.cursors {
		if !c.attached {
			s.Alone++
		}
	}
	return s
}
