package runtime

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/internal/eval"
	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/internal/physical"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// table tells a connector about a table.
func (b *builder) table(t *plan.Table) *connector.Table {
	return &connector.Table{
		Name: t.Path, Schema: t.Physical, PrimaryKey: t.PrimaryKey, Partitions: t.Partitions,
		Metadata: t.Metadata, Options: t.Options, Format: t.Format, Parallel: 1,
	}
}

// connector is what the connector of an operator's table is handed: with a
// Health of its own.
func (b *builder) connector(op string) *connector.Context {
	cx := connector.Context{}
	if b.opts.Connector != nil {
		cx = *b.opts.Connector
	}
	cx.Health = b.job.healthOf(op)
	return &cx
}

// keepsState tells whether rows of different splits meet in the state of some
// operator of p.
func keepsState(p *physical.Plan) bool {
	for _, o := range p.Ops {
		switch o.Spec.(type) {
		case physical.Source, physical.GoSource, physical.Values, physical.Calc, physical.Watermark, physical.Union, physical.Expand,
			physical.Correlate, physical.Sink, physical.Rules, physical.Lookup, physical.LateRows:
		default:
			return true
		}
	}
	return false
}

// closeSources ends the connections of sources that have any of their own.
func (b *builder) closeSources() {
	closed := map[any]bool{}
	for _, t := range b.order {
		if t.source == nil || closed[t.source.source] {
			continue
		}
		closed[t.source.source] = true
		if c, ok := t.source.source.(io.Closer); ok {
			if err := c.Close(); err != nil {
				b.job.log.Warn("source not closed", "operator", t.nodes[0].name, "error", err)
			}
		}
	}
}

func formatEncoding(s *types.Schema, o Options) format.Encoding {
	return format.Encoding{Schema: s, Zone: o.Func.Zone}
}

// openSource makes the source of a table.
func (b *builder) openSource(o *physical.Op) (any, error) {
	scan := o.Spec.(physical.Source).Scan
	t := b.table(scan.Table)
	t.Limit, t.Bounds, t.Whole = scan.Limit, boundsOf(scan), keepsState(b.plan) && b.opts.Units == nil
	t.Fenced = b.plan.Aligned != nil && b.opts.Units != nil
	for _, w := range scan.Wants {
		if n := len(t.Wanted); n == 0 || t.Wanted[n-1] != w.Column {
			t.Wanted = append(t.Wanted, w.Column)
		}
	}
	if b.plan.Options.Metadata {
		for _, m := range t.Metadata {
			t.Wanted = append(t.Wanted, m.Column)
		}
		slices.Sort(t.Wanted)
		t.Wanted = slices.Compact(t.Wanted)
	}
	if t.Wanted == nil {
		t.Wanted = []int{} // not nil: no column is wanted, only rows
	}
	if scan.Table.Connector.Source == nil {
		return nil, fmt.Errorf("connector %s cannot be read from", scan.Table.Connector.Name)
	}
	return scan.Table.Connector.Source(b.connector(o.ID), t)
}

// sources opens the source of o and makes a driver for each subtask, with the
// splits dealt out in turn.
func (b *builder) sources(o *physical.Op) ([]*sourceDriver, error) {
	var src any
	var scan *plan.Scan
	var lagger connector.Lagger
	switch s := o.Spec.(type) {
	case physical.Source:
		scan = s.Scan
		if u := b.opts.unit; u != nil {
			src = u.source()
			lagger, _ = u.set.source.(connector.Lagger)
			break
		}
		var err error
		if src, err = b.openSource(o); err != nil {
			return nil, err
		}
		lagger, _ = src.(connector.Lagger)
	case physical.GoSource:
		src = s.Source.Source
		lagger, _ = src.(connector.Lagger)
		schema := s.Source.Out
		scan = &plan.Scan{Out: schema, Table: &plan.Table{Path: s.Source.Name, Physical: schema, Format: s.Source.Format, FormatName: "go"}}
		for i, f := range schema.Fields {
			scan.Wants = append(scan.Wants, format.Want{Column: i, Type: f.Type})
		}
	case physical.Values:
		rows, err := constantRows(s.Rows, o.Out, b.opts.Func)
		if err != nil {
			return nil, err
		}
		src = &valuesSource{rows: rows}
		scan = &plan.Scan{Out: o.Out, Table: &plan.Table{Path: "VALUES", Physical: o.Out}}
		for i, f := range o.Out.Fields {
			scan.Wants = append(scan.Wants, format.Want{Column: i, Type: f.Type})
		}
	}
	var splits []connector.Split
	var err error
	bounded := true
	switch s := src.(type) {
	case connector.Source:
		splits, err = s.Splits(b.ctx)
		bounded = s.Bounded()
	case connector.ColumnSource:
		splits, err = s.Splits(b.ctx)
		bounded = s.Bounded()
	default:
		err = fmt.Errorf("source %T implements neither connector.Source nor connector.ColumnSource", src)
	}
	if err != nil {
		return nil, err
	}
	pol := &policy{table: scan.Table.Path, ErrorPolicy: scan.Table.OnError}
	drivers := make([]*sourceDriver, o.Parallel)
	for i := range drivers {
		d := &sourceDriver{source: src, stop: b.job.stop, start: map[string]string{}, now: b.opts.Func.Now, idle: b.plan.Options.IdleTimeout, lagger: lagger}
		if i := scan.Table.Marks.Idle; i != nil {
			d.idle = *i
		}
		d.aligned = b.alignmentOf(o)
		d.blocking = !bounded || d.aligned != nil // else splits are read one after the other
		if x, ok := src.(blocker); ok && x.MayBlock() {
			d.blocking = true
		}
		fcx := *b.opts.Func // each task tells its functions of its own batches
		if _, ok := src.(connector.Source); ok {
			d.decode, err = newScanDecoder(scan, &fcx, b.plan.Options.BatchSize, pol, b.plan.Options.Metadata)
		} else {
			d.columns, err = newColumnScan(scan, &fcx, b.plan.Options.BatchSize)
		}
		if err != nil {
			return nil, err
		}
		drivers[i] = d
	}
	var m *splitManager
	if w, ok := src.(connector.Watcher); ok {
		m = &splitManager{op: o.ID, watcher: w, drivers: drivers, start: map[string]string{}}
		if b.last != nil {
			m.start = positionsOf(b.last.Positions, o.ID)
		}
		for _, d := range drivers {
			d.blocking, d.commands = true, make(chan splitCommand)
		}
		b.watched = append(b.watched, m)
	}
	for i, s := range splits {
		d := drivers[i%len(drivers)]
		if m != nil {
			d = drivers[m.of(s.ID)] // where its removal will look for it
		}
		d.splits = append(d.splits, s)
		if b.last != nil {
			if at, ok := b.last.Positions[o.ID+"/"+s.ID]; ok {
				d.start[s.ID] = at
				d.positions.set(s.ID, at)
			}
		}
		if s.Rows {
			b.job.Metrics.TotalRows.Add(s.Size)
		} else {
			b.job.Metrics.TotalBytes.Add(s.Size)
		}
	}
	b.mayShare(src, scan, drivers)
	return drivers, nil
}

// writable tells whether rows of a schema can be written: in files, if the
// format is one of whole files, or as messages.
func writable(f format.Format, e format.Encoding) error {
	if w, ok := f.(format.FileFormat); ok {
		file, err := w.CreateFile(io.Discard, e)
		if err != nil {
			return err
		}
		return file.Close()
	}
	_, err := f.NewEncoder(e)
	return err
}

// boundsOf returns the comparisons of whole columns with literals that the
// filter of a scan demands.
func boundsOf(s *plan.Scan) []format.Bound {
	if s.Filter == nil {
		return nil
	}
	ops := map[plan.Op]format.Compare{plan.Eq: format.Equal, plan.Lt: format.Less, plan.Le: format.LessEqual, plan.Gt: format.Greater, plan.Ge: format.GreaterEqual}
	turned := map[format.Compare]format.Compare{format.Equal: format.Equal, format.Less: format.Greater, format.LessEqual: format.GreaterEqual,
		format.Greater: format.Less, format.GreaterEqual: format.LessEqual}
	var out []format.Bound
	for _, e := range plan.Conjuncts(s.Filter) {
		o, ok := e.(*plan.OpExpr)
		if ok && o.Op == plan.In {
			out = append(out, listBounds(s, o)...)
			continue
		}
		if !ok || len(o.Args) != 2 {
			continue
		}
		op, ok := ops[o.Op]
		if !ok {
			continue
		}
		c, left := o.Args[0].(*plan.Column)
		l, lit := o.Args[1].(*plan.Literal)
		if !left || !lit {
			if l, lit = o.Args[0].(*plan.Literal); !lit {
				continue
			}
			if c, left = o.Args[1].(*plan.Column); !left {
				continue
			}
			op = turned[op]
		}
		if boundable(s, c, l) {
			out = append(out, format.Bound{Column: s.Wants[c.Index].Column, Op: op, Value: l.Value})
		}
	}
	return out
}

// boundable tells whether the literal is a value as the whole column has them.
func boundable(s *plan.Scan, c *plan.Column, l *plan.Literal) bool {
	w := s.Wants[c.Index]
	t := s.Table.Physical.Fields[w.Column].Type
	return w.Path == nil && l.Value != nil && l.T.Phys() == t.Phys() && (t.Kind != types.Decimal || l.T.Scale == t.Scale) &&
		(t.Kind == types.TimestampLTZ) == (l.T.Kind == types.TimestampLTZ)
}

// listBounds returns the ends of the literals of an IN; NULLs keep no row.
func listBounds(s *plan.Scan, in *plan.OpExpr) []format.Bound {
	c, ok := in.Args[0].(*plan.Column)
	if !ok {
		return nil
	}
	var low, high types.Value
	for _, a := range in.Args[1:] {
		l, ok := a.(*plan.Literal)
		if ok && l.Value == nil {
			continue
		}
		if !ok || !boundable(s, c, l) {
			return nil
		}
		if low == nil || types.Compare(l.Value, low, l.T) < 0 {
			low = l.Value
		}
		if high == nil || types.Compare(l.Value, high, l.T) > 0 {
			high = l.Value
		}
	}
	if low == nil {
		return nil
	}
	column := s.Wants[c.Index].Column
	return []format.Bound{{Column: column, Op: format.GreaterEqual, Value: low}, {Column: column, Op: format.LessEqual, Value: high}}
}

func newColumnScan(s *plan.Scan, cx *function.Context, size int) (*columnScan, error) {
	c := &columnScan{physical: s.Table.Physical, out: s.Out, cx: cx, size: size, left: -1}
	if s.Limit > 0 {
		c.left = s.Limit
	}
	for _, w := range s.Wants {
		c.pick = append(c.pick, w.Column)
		c.paths = append(c.paths, fieldPath(s.Table.Physical.Fields[w.Column].Type, w.Path))
	}
	if s.Filter != nil {
		var err error
		if c.pred, err = eval.CompilePredicate(s.Filter, s.Out, cx); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// fieldPath turns field names below a row into indexes.
func fieldPath(t types.Type, names []string) []int {
	var path []int
	for _, name := range names {
		for i, f := range t.Fields {
			if f.Name == name {
				path, t = append(path, i), f.Type
				break
			}
		}
	}
	return path
}

// constantRows evaluates the rows of VALUES.
func constantRows(rows [][]plan.Expr, out *types.Schema, cx *function.Context) (*vector.Batch, error) {
	b := vector.NewBatch(out, len(rows))
	values := make([]types.Value, len(out.Fields))
	for _, r := range rows {
		for i, e := range r {
			var err error
			if values[i], err = eval.Const(e, cx); err != nil {
				return nil, err
			}
		}
		b.AppendValues(types.Insert, values...)
	}
	return b, nil
}

// valuesSource emits the rows of VALUES.
type valuesSource struct{ rows *vector.Batch }

func (v *valuesSource) Splits(context.Context) ([]connector.Split, error) {
	return []connector.Split{{ID: "values"}}, nil
}

// OpenColumns returns the rows, or nothing behind a position: they are one batch.
func (v *valuesSource) OpenColumns(_ context.Context, _ connector.Split, at connector.Position) (connector.ColumnReader, error) {
	if at != "" {
		return &valuesSource{}, nil
	}
	return v, nil
}

func (v *valuesSource) Bounded() bool { return true }

func (v *valuesSource) ReadBatch(_ context.Context, into *vector.Batch, _ int) error {
	if v.rows != nil {
		v.rows.CopyTo(into, nil)
		into.Origin.Last = "1" // a barrier may come before the end is noted
	}
	return io.EOF
}

func (v *valuesSource) Close() error { return nil }

var _ exec.Output = (*fan)(nil)
