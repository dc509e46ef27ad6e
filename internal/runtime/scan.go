package runtime

import (
	"fmt"
	"slices"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/internal/eval"
	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/internal/metrics"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// scanDecoder turns records into batches of a Scan's schema: it scans a run of
// records, makes the columns of the first condition, filters, makes those of the
// next for the rows left, and so on, and at last the columns no condition reads.
// Most rows of a filtering job are never more than a few spans.
type scanDecoder struct {
	scan   *plan.Scan
	dec    format.Decoder
	steps  []filterStep
	rest   []int       // columns filled after all steps
	from   []colOrigin // by output column
	batch  vector.Batch
	cols   []vector.Vector
	sel    [2][]int32
	bad    badRows
	note   format.BadRow // bad.note, bound once
	policy *policy
	size   int
	left   int64 // rows until LIMIT; -1: no limit
	cx     *function.Context
	recs   *format.Records // being pushed
	told   []toldColumn    // what Metadata is asked for of the format

	asked     asker // nil if no rules stand behind the source
	askedStep bool
	version   uint64
	unread    []int // columns that no condition reads
}

// toldColumn is metadata that the format tells, made when it is first asked for.
type toldColumn struct {
	key  string
	want int
	vec  vector.Vector
	made bool
}

// colOrigin says where an output column comes from: the decoder's wanted column,
// a metadata column, or a partition value.
type colOrigin struct {
	want, meta, part int // -1 where it is not that
}

// filterStep is one conjunct with the columns it is the first to read.
type filterStep struct {
	fill []int
	pred selector
}

// selector chooses rows: a predicate, or an index of rules behind the source.
type selector interface {
	Select(b *vector.Batch, sel, dst []int32) ([]int32, error)
}

// asker is rules right behind the source: they are the last condition, and
// columns that neither they nor a condition read are made for their rows only.
type asker interface {
	selector
	// Reads are the columns they look at, until Version changes.
	Reads(cx *function.Context) (map[int]bool, error)
	Version() uint64
	// Unask forgets what Select has found: other rows come next.
	Unask()
}

// ask plans the step of the rules behind the source.
func (d *scanDecoder) ask() error {
	v := d.asked.Version()
	if d.askedStep && v == d.version {
		return nil
	}
	reads, err := d.asked.Reads(d.cx)
	if err != nil {
		return err
	}
	if d.askedStep {
		d.steps = d.steps[:len(d.steps)-1]
	} else {
		d.unread = d.rest
	}
	step := filterStep{pred: d.asked}
	d.rest = nil
	for _, c := range d.unread {
		if reads[c] {
			step.fill = append(step.fill, c)
		} else {
			d.rest = append(d.rest, c)
		}
	}
	d.steps = append(d.steps, step)
	d.askedStep, d.version = true, v
	return nil
}

// newScanDecoder returns the decoder of a scan. asked tells that the metadata of
// rows is asked for besides their columns, see scanDecoder.Metadata.
func newScanDecoder(s *plan.Scan, cx *function.Context, size int, pol *policy, asked bool) (*scanDecoder, error) {
	d := &scanDecoder{scan: s, size: size, policy: pol, left: -1, cx: cx}
	if s.Limit > 0 {
		d.left = s.Limit
	}
	var wants []format.Want
	physical, toFormat := formatSchema(s.Table)
	for _, w := range s.Wants {
		name := s.Table.Physical.Fields[w.Column].Name
		o := colOrigin{-1, -1, -1}
		for m, md := range s.Table.Metadata {
			if md.Column == w.Column {
				o.meta = m
			}
		}
		for p, part := range s.Table.Partitions {
			if part == name {
				o.part = p
			}
		}
		if k := slices.IndexFunc(s.Table.Told, func(x connector.Metadata) bool { return x.Column == w.Column }); k >= 0 {
			o.want = len(wants)
			wants = append(wants, format.Want{Column: len(physical.Fields), Meta: s.Table.Told[k].Key, Type: w.Type})
		} else if o.meta < 0 && o.part < 0 {
			o.want = len(wants)
			wants = append(wants, format.Want{Column: toFormat[w.Column], Path: w.Path, Type: w.Type})
		}
		d.from = append(d.from, o)
	}
	if asked {
		for _, m := range s.Table.Told {
			t := s.Table.Physical.Fields[m.Column].Type
			d.told = append(d.told, toldColumn{key: format.MetadataPrefix + m.Key, want: len(wants), vec: vector.New(t, 0)})
			wants = append(wants, format.Want{Column: len(physical.Fields), Meta: m.Key, Type: t})
		}
	}
	dec, err := s.Table.Format.NewDecoder(format.Decoding{Schema: physical, Wanted: wants, Zone: cx.Zone})
	if err != nil {
		return nil, fmt.Errorf("format %s: %w", s.Table.FormatName, err)
	}
	d.dec = dec
	for i := range s.Out.Fields {
		d.cols = append(d.cols, vector.New(s.Out.Fields[i].Type, 0))
	}
	filled := map[int]bool{}
	if s.Filter != nil {
		for _, c := range plan.Conjuncts(s.Filter) {
			pred, err := eval.CompilePredicate(c, s.Out, cx)
			if err != nil {
				return nil, err
			}
			step := filterStep{pred: pred}
			reads := map[int]bool{}
			plan.Columns(c, reads)
			for i := range s.Out.Fields {
				if reads[i] && !filled[i] {
					filled[i] = true
					step.fill = append(step.fill, i)
				}
			}
			d.steps = append(d.steps, step)
		}
	}
	for i := range s.Out.Fields {
		if !filled[i] {
			d.rest = append(d.rest, i)
		}
	}
	d.batch.Schema = s.Out
	d.note = d.bad.note
	return d, nil
}

// formatSchema is the table's schema as its format sees it: without metadata
// and partition columns; to maps column indexes.
func formatSchema(t *plan.Table) (*types.Schema, map[int]int) {
	to := map[int]int{}
	var fields []types.Field
	for i, f := range t.Physical.Fields {
		outside := false
		for _, m := range slices.Concat(t.Metadata, t.Told) {
			outside = outside || m.Column == i
		}
		for _, p := range t.Partitions {
			outside = outside || p == f.Name
		}
		if !outside {
			to[i] = len(fields)
			fields = append(fields, f)
		}
	}
	return types.NewSchema(fields...), to
}

func (d *scanDecoder) open() error  { return d.policy.open() }
func (d *scanDecoder) close() error { return d.policy.close() }

// push decodes recs in batches and emits what passes the filter; after is
// called behind each batch.
func (d *scanDecoder) push(recs *format.Records, split connector.Split, out exec.Output, m *metrics.Op, after func(split string, recs *format.Records, last int) error) error {
	if recs.Oversize > 0 {
		m.Oversize.Add(int64(recs.Oversize))
		if err := d.policy.oversize(recs, m); err != nil {
			return err
		}
	}
	n := len(recs.Val)
	for from := 0; from < n; from += d.size {
		to := min(from+d.size, n)
		if err := d.run(recs, from, to, split, out, m); err != nil {
			return err
		}
		if err := after(split.ID, recs, to-1); err != nil {
			return err
		}
	}
	return nil
}

func (d *scanDecoder) run(recs *format.Records, from, to int, split connector.Split, out exec.Output, m *metrics.Op) error {
	d.bad.reset(recs, d.policy, m)
	rows := d.dec.Scan(recs, from, to, d.note)
	if d.bad.err != nil {
		return d.bad.err
	}
	d.bad.rows(rows)
	for i := range d.told {
		d.told[i].made = false
	}
	m.RowsIn.Add(int64(rows))
	m.Batches.Add(1)
	if rows == 0 {
		return nil
	}
	if d.asked != nil {
		if err := d.ask(); err != nil {
			return err
		}
	}
	b := &d.batch
	b.N, b.Sel, b.Kinds = rows, nil, d.dec.Kinds()
	b.Origin, b.From = vector.Origin{Split: split.ID}, d
	d.recs = recs
	b.Cols = append(b.Cols[:0], d.cols...)
	var sel []int32 // nil: all
	for i := range d.steps {
		step := &d.steps[i]
		for _, c := range step.fill {
			d.fill(c, recs, rows, sel, split)
		}
		if d.bad.err != nil {
			return d.bad.err
		}
		sel = d.bad.remove(sel, rows, &d.sel[i&1])
		b.Cols = append(b.Cols[:0], d.cols...)
		var err error
		next := &d.sel[(i+1)&1]
		d.cx.Batch = b
		*next, err = step.pred.Select(b, sel, (*next)[:0])
		d.cx.Batch = nil
		if err != nil {
			return err
		}
		sel = *next
		if len(sel) == 0 {
			return nil
		}
	}
	for _, c := range d.rest {
		d.fill(c, recs, rows, sel, split)
	}
	if d.bad.err != nil {
		return d.bad.err
	}
	sel = d.bad.remove(sel, rows, &d.sel[(len(d.steps)+1)&1])
	if sel != nil && len(sel) == 0 {
		return nil
	}
	if d.left >= 0 {
		if sel, rows = limitRows(sel, rows, d.left); rows == 0 && sel == nil {
			return errEnough
		}
		b.N = rows
	}
	b.Sel = sel
	b.Cols = append(b.Cols[:0], d.cols...)
	if d.left >= 0 {
		d.left -= int64(b.Live())
	}
	if err := out.Emit(b); err != nil {
		return err
	}
	if d.left == 0 {
		return errEnough
	}
	return nil
}

// Position implements vector.Records.
func (d *scanDecoder) Position(i int) string { return d.recs.Position(d.dec.Record(i)) }

// Metadata implements vector.Records.
func (d *scanDecoder) Metadata(i int, key string) (types.Value, types.Type, bool) {
	for m, md := range d.scan.Table.Metadata {
		if md.Key == key && m < len(d.recs.Meta) && d.recs.Meta[m] != nil {
			if r := d.dec.Record(i); r < d.recs.Meta[m].Len() {
				return vector.Get(d.recs.Meta[m], r), d.scan.Table.Physical.Fields[md.Column].Type, true
			}
		}
	}
	for k := range d.told {
		if c := &d.told[k]; c.key == key {
			if !c.made {
				d.dec.Fill(c.want, nil, c.vec, func(int, int, error) {}) // what cannot be read is NULL
				c.made = true
			}
			return vector.Get(c.vec, i), c.vec.Type(), true
		}
	}
	return nil, types.Type{}, false
}

func limitRows(sel []int32, rows int, left int64) ([]int32, int) {
	if sel == nil {
		return nil, int(min(int64(rows), left))
	}
	return sel[:min(int64(len(sel)), left)], rows
}

// fill makes output column c for the rows of sel.
func (d *scanDecoder) fill(c int, recs *format.Records, rows int, sel []int32, split connector.Split) {
	o := d.from[c]
	switch {
	case o.want >= 0:
		d.dec.Fill(o.want, sel, d.cols[c], d.note)
	case o.meta >= 0:
		d.cols[c].Resize(0)
		for r := range rows {
			vector.CopyRow(d.cols[c], recs.Meta[o.meta], d.dec.Record(r))
		}
	default:
		var v types.Value
		if o.part < len(split.Values) {
			v = split.Values[o.part]
		}
		d.cols[c] = vector.NewConst(d.scan.Out.Fields[c].Type, v, rows)
	}
}

// columnScan adapts batches of a column source, which have all wanted columns,
// to the scan's schema and filter.
type columnScan struct {
	physical *types.Schema // what the source fills
	pick     []int         // output column -> source column
	paths    [][]int       // fields below it
	out      *types.Schema
	cx       *function.Context
	pred     *eval.Predicate
	size     int
	left     int64
	batch    vector.Batch
	sel      []int32
}

func (c *columnScan) push(in *vector.Batch, out exec.Output, m *metrics.Op) error {
	m.RowsIn.Add(int64(in.Live()))
	m.Batches.Add(1)
	b := &c.batch
	*b = vector.Batch{Schema: c.out, Cols: b.Cols[:0], N: in.N, Sel: in.Sel, Kinds: in.Kinds, Origin: in.Origin}
	for i, p := range c.pick {
		col := in.Cols[p]
		for _, f := range c.paths[i] {
			col = col.(*vector.Row).Cols[f]
		}
		b.Cols = append(b.Cols, col)
	}
	if c.pred != nil {
		var err error
		c.cx.Batch = b
		c.sel, err = c.pred.Select(b, b.Sel, c.sel[:0])
		c.cx.Batch = nil
		if err != nil {
			return err
		}
		b.Sel = c.sel
	}
	if c.left >= 0 {
		if b.Sel != nil {
			b.Sel = b.Sel[:min(int64(len(b.Sel)), c.left)]
		} else {
			b.N = int(min(int64(b.N), c.left))
		}
		c.left -= int64(b.Live())
	}
	if b.Live() > 0 {
		if err := out.Emit(b); err != nil {
			return err
		}
	}
	if c.left == 0 {
		return errEnough
	}
	return nil
}
