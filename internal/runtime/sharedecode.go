package runtime

import (
	"fmt"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// sharePlan is what is decoded for some members: the union of their columns.
type sharePlan struct {
	idle    []*shareDecoder
	members []*scanMember
	place   map[*scanMember]int // in members
	schema  *types.Schema       // as the format sees it
	wants   []format.Want       // in schema
	columns []colOrigin
	types   []types.Type
	pick    [][]int // by member: its columns among columns
}

func (p *sharePlan) has(m *scanMember) bool {
	_, ok := p.place[m]
	return ok
}

// mostPlans is how many plans a group remembers: its splits mostly have the same.
const mostPlans = 8

// planned returns what the next chunk of a split is decoded by.
func (sp *sharedSplit) planned() *sharePlan {
	if sp.plan != nil {
		return sp.plan
	}
	var members []*scanMember
	for _, m := range sp.g.members {
		if slices.ContainsFunc(sp.cursors, func(c *cursor) bool { return c.m == m && c.since >= 0 }) {
			members = append(members, m)
		}
	}
	g := sp.g
	for _, p := range g.plans {
		if slices.Equal(p.members, members) {
			sp.plan = p
			return p
		}
	}
	p := &sharePlan{members: members, place: map[*scanMember]int{}}
	for i, m := range members {
		p.place[m] = i
	}
	p.union()
	g.plans = append([]*sharePlan{p}, g.plans[:min(len(g.plans), mostPlans-1)]...)
	sp.plan = p
	return p
}

// sharedColumn is a column that some member wants.
type sharedColumn struct {
	from colOrigin // want is not set
	want format.Want
	typ  types.Type
	name string // equal for what is the same
}

// union lays out the columns of all members. Those of the format come in the order
// of its schema, as decoders want them.
func (p *sharePlan) union() {
	var fields []types.Field // of the format
	at := map[string]int{}   // by name
	for _, m := range p.members {
		s, _ := formatSchema(m.scan.Table)
		for _, f := range s.Fields {
			if _, ok := at[f.Name]; !ok {
				at[f.Name] = len(fields)
				fields = append(fields, f)
			}
		}
	}
	p.schema = types.NewSchema(fields...)
	var all []sharedColumn
	find := func(x sharedColumn) int {
		return slices.IndexFunc(all, func(y sharedColumn) bool { return y.name == x.name })
	}
	for _, m := range p.members {
		for i := range m.scan.Wants {
			if x := m.column(i, at); find(x) < 0 {
				all = append(all, x)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b sharedColumn) int {
		if a.want.Column != b.want.Column {
			return a.want.Column - b.want.Column
		}
		return strings.Compare(strings.Join(a.want.Path, "\x00"), strings.Join(b.want.Path, "\x00"))
	})
	for i := range all {
		x := &all[i]
		if x.from.meta < 0 && x.from.part < 0 {
			x.from.want = len(p.wants)
			p.wants = append(p.wants, x.want)
		}
		p.columns, p.types = append(p.columns, x.from), append(p.types, x.typ)
	}
	for _, m := range p.members {
		pick := make([]int, len(m.scan.Wants))
		for i := range pick {
			pick[i] = find(m.column(i, at))
		}
		p.pick = append(p.pick, pick)
	}
}

// column is what the member's wanted column i is, with the format's columns by name.
func (m *scanMember) column(i int, at map[string]int) sharedColumn {
	w, t := m.scan.Wants[i], m.scan.Table
	name := t.Physical.Fields[w.Column].Name
	x := sharedColumn{from: colOrigin{-1, -1, -1}, typ: m.scan.Out.Fields[i].Type}
	for k, md := range t.Metadata {
		if md.Column == w.Column {
			x.from.meta, x.name = k, fmt.Sprintf("metadata %d %v", k, x.typ)
			return x
		}
	}
	for k, part := range t.Partitions {
		if part == name {
			x.from.part, x.name = k, fmt.Sprintf("partition %d %v", k, x.typ)
			return x
		}
	}
	x.want = format.Want{Column: at[name], Path: w.Path, Type: w.Type}
	x.name = fmt.Sprintf("%q %v %v", append([]string{name}, w.Path...), w.Type, x.typ)
	return x
}

// sharePart is a run of decoded records: as many rows as a batch has.
type sharePart struct {
	rows   int
	to     int     // record behind the last one
	record []int32 // by row
	kinds  []types.RowKind
	cols   []vector.Vector
	views  []shareView // by member of the plan
}

// shareView is what a member has of a part.
type shareView struct {
	sel  []int32 // its rows, nil: all
	bad  []badRecord
	err  error // of its conditions, behind the bad records
	bufs [2][]int32
}

// badRecord is a record that does not decode, or a value of it that does not.
type badRecord struct {
	record, row int // row: -1 if it has none
	err         error
}

// shareDecoder decodes chunks by a plan. It belongs to one goroutine at a time.
type shareDecoder struct {
	plan    *sharePlan
	dec     format.Decoder
	members []memberScan
	size    int

	noted  []badRecord   // of the run, from looking at records
	values [][]badRecord // by column, from making it
	to     *[]badRecord
	note   format.BadRow
	done   []bool // by column: it is made
	need   []bool // by row
	sel    []int32
}

// decoder returns a decoder that nobody uses.
func (p *sharePlan) decoder() (*shareDecoder, error) {
	if n := len(p.idle); n > 0 {
		d := p.idle[n-1]
		p.idle = p.idle[:n-1]
		return d, nil
	}
	return newShareDecoder(p)
}

func newShareDecoder(p *sharePlan) (*shareDecoder, error) {
	first := p.members[0]
	d := &shareDecoder{plan: p, size: first.size, values: make([][]badRecord, len(p.columns)), done: make([]bool, len(p.columns))}
	d.note = func(record, row int, err error) { *d.to = append(*d.to, badRecord{record, row, err}) }
	dec, err := first.scan.Table.Format.NewDecoder(format.Decoding{Schema: p.schema, Wanted: p.wants, Zone: first.cx.Zone})
	if err != nil {
		return nil, fmt.Errorf("format %s: %w", first.scan.Table.FormatName, err)
	}
	d.dec = dec
	for _, m := range p.members {
		s, err := newMemberScan(m, p)
		if err != nil {
			return nil, err
		}
		d.members = append(d.members, s)
	}
	return d, nil
}

// decode makes the parts of a chunk.
func (d *shareDecoder) decode(ch *chunk, split connector.Split) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = diag.Bug("shared scan: panic: %v\n%s", r, debug.Stack())
		}
	}()
	if ch.plan != d.plan {
		ch.plan, ch.parts = d.plan, nil
	}
	parts := ch.parts[:cap(ch.parts)] // those of earlier reads are filled again
	ch.parts, ch.bytes = ch.parts[:0], int64(cap(ch.recs.Buf))
	n := len(ch.recs.Val)
	k := 0
	for from := 0; from < n; from, k = from+d.size, k+1 {
		if k == len(parts) {
			parts = append(parts, nil)
		}
		if parts[k] == nil {
			parts[k] = d.newPart()
		}
		part := parts[k]
		part.to = min(from+d.size, n)
		d.run(part, &ch.recs, from, split)
		ch.bytes += int64(part.rows) * int64(16*len(part.cols)+4)
	}
	ch.parts = parts[:k]
	return nil
}

func (d *shareDecoder) newPart() *sharePart {
	p := &sharePart{views: make([]shareView, len(d.members))}
	for _, t := range d.plan.types {
		p.cols = append(p.cols, vector.New(t, 0))
	}
	return p
}

// run decodes the records of a part and finds each member's rows. Columns are made
// of the rows that some member that reads them has left at that time, in the order
// of the members' conditions, as each of them alone would have it.
func (d *shareDecoder) run(part *sharePart, recs *format.Records, from int, split connector.Split) {
	d.noted, d.to = d.noted[:0], &d.noted
	part.rows = d.dec.Scan(recs, from, part.to, d.note)
	part.kinds = append(part.kinds[:0], d.dec.Kinds()...)
	part.record = part.record[:0]
	for r := range part.rows {
		part.record = append(part.record, int32(d.dec.Record(r)))
	}
	clear(d.done)
	for i := range d.values {
		d.values[i] = d.values[i][:0]
	}
	most := 0
	for i := range d.members {
		s := &d.members[i]
		s.begin(&part.views[i], d.noted, part.rows)
		most = max(most, len(s.steps))
	}
	for k := range most {
		for i := range d.members {
			if s := &d.members[i]; k < len(s.steps) && !s.over {
				for _, c := range s.steps[k].fill {
					d.make(d.plan.pick[i][c], part, recs, split)
				}
			}
		}
		for i := range d.members {
			if s := &d.members[i]; k < len(s.steps) && !s.over {
				s.step(k, d, part, split.ID, recs)
			}
		}
	}
	for i := range d.members {
		if s := &d.members[i]; !s.over {
			for _, c := range s.rest {
				d.make(d.plan.pick[i][c], part, recs, split)
			}
		}
	}
	for i := range d.members {
		s := &d.members[i]
		if !s.over {
			s.drop(s.rest, d, part.rows)
		}
		s.view.sel = s.sel
	}
}

// make makes a column of the rows that any member that wants it has left.
func (d *shareDecoder) make(c int, part *sharePart, recs *format.Records, split connector.Split) {
	if d.done[c] {
		return
	}
	d.done[c] = true
	o := d.plan.columns[c]
	switch {
	case o.want >= 0:
		d.to = &d.values[c]
		d.dec.Fill(o.want, d.rowsFor(c, part.rows), part.cols[c], d.note)
	case o.meta >= 0:
		part.cols[c].Resize(0)
		for _, r := range part.record {
			vector.CopyRow(part.cols[c], recs.Meta[o.meta], int(r))
		}
	default:
		var v types.Value
		if o.part < len(split.Values) {
			v = split.Values[o.part]
		}
		part.cols[c] = vector.NewConst(d.plan.types[c], v, part.rows)
	}
}

// rowsFor is the union of the rows that the members that want column c have left;
// nil is all.
func (d *shareDecoder) rowsFor(c, rows int) []int32 {
	var only []int32
	many := 0
	for i := range d.members {
		s := &d.members[i]
		if s.over || !s.reads[c] {
			continue
		}
		if s.sel == nil {
			return nil
		}
		only = s.sel
		many++
	}
	switch many {
	case 0:
		return []int32{}
	case 1:
		return only
	}
	if cap(d.need) < rows {
		d.need = make([]bool, rows)
	}
	d.need = d.need[:rows]
	clear(d.need)
	for i := range d.members {
		if s := &d.members[i]; !s.over && s.reads[c] {
			for _, r := range s.sel {
				d.need[r] = true
			}
		}
	}
	d.sel = d.sel[:0]
	for r, n := range d.need {
		if n {
			d.sel = append(d.sel, int32(r))
		}
	}
	return d.sel
}
