package runtime

import (
	"runtime/debug"
	"slices"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/eval"
	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/internal/exec/relational"
	"github.com/runnelio/runnel/internal/metrics"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// memberScan is how a member finds its rows in what a group decodes.
type memberScan struct {
	m     *scanMember
	cx    function.Context
	pick  []int  // its columns among those of the plan
	reads []bool // by column of the plan
	steps []filterStep
	rest  []int

	// Of the part at hand:
	view *shareView
	sel  []int32 // rows left; nil: all
	over bool    // nothing more of it is looked at
	head vector.Batch
	flip int
}

func newMemberScan(m *scanMember, p *sharePlan) (memberScan, error) {
	s := memberScan{m: m, cx: *m.cx, pick: p.pick[p.place[m]], reads: make([]bool, len(p.columns))}
	for _, c := range s.pick {
		s.reads[c] = true
	}
	s.head.Schema = m.scan.Out
	filled := make([]bool, len(m.scan.Out.Fields))
	step := func(pred selector, reads map[int]bool) {
		x := filterStep{pred: pred}
		for i := range filled {
			if reads[i] && !filled[i] {
				filled[i] = true
				x.fill = append(x.fill, i)
			}
		}
		s.steps = append(s.steps, x)
	}
	if m.scan.Filter != nil {
		for _, c := range plan.Conjuncts(m.scan.Filter) {
			pred, err := eval.CompilePredicate(c, m.scan.Out, &s.cx)
			if err != nil {
				return s, err
			}
			reads := map[int]bool{}
			plan.Columns(c, reads)
			step(pred, reads)
		}
	}
	if m.rules != nil {
		// Here they only choose the rows; the job's own operator tells which rules hold.
		r := relational.NewRuleFilter(m.rules)
		if err := r.Open(&exec.Context{Func: m.cx, BatchSize: 1, Metrics: &metrics.Op{}}); err != nil {
			return s, err
		}
		reads, err := r.Reads(m.cx)
		if err != nil {
			return s, err
		}
		step(r, reads)
	}
	for i, f := range filled {
		if !f {
			s.rest = append(s.rest, i)
		}
	}
	return s, nil
}

// begin starts a part: all rows but those that could not be read are the member's.
func (s *memberScan) begin(v *shareView, noted []badRecord, rows int) {
	s.view, s.sel, s.over = v, nil, rows == 0
	v.bad, v.err = v.bad[:0], nil
	for _, b := range noted {
		s.report(b)
	}
	s.without(noted, rows)
	if s.over {
		s.sel = []int32{}
	}
}

// report notes a bad record, once however many of its fields are bad.
func (s *memberScan) report(b badRecord) {
	if !slices.ContainsFunc(s.view.bad, func(x badRecord) bool { return x.record == b.record }) {
		s.view.bad = append(s.view.bad, b)
	}
}

// set makes out, which buf was appended to, the rows left.
func (s *memberScan) set(buf *[]int32, out []int32) {
	if out == nil {
		out = []int32{}
	}
	*buf, s.sel = out, out
}

// buf returns the buffer that the rows are not in.
func (s *memberScan) buf() *[]int32 {
	s.flip ^= 1
	return &s.view.bufs[s.flip]
}

// without takes bad rows out.
func (s *memberScan) without(bad []badRecord, rows int) {
	if !slices.ContainsFunc(bad, func(b badRecord) bool { return b.row >= 0 }) {
		return
	}
	isBad := make([]bool, rows)
	for _, b := range bad {
		if b.row >= 0 && b.row < rows {
			isBad[b.row] = true
		}
	}
	buf := s.buf()
	out := (*buf)[:0]
	if s.sel == nil {
		for r := range rows {
			if !isBad[r] {
				out = append(out, int32(r))
			}
		}
	} else {
		for _, r := range s.sel {
			if !isBad[r] {
				out = append(out, r)
			}
		}
	}
	s.set(buf, out)
}

// drop reports the rows of the member that are bad in columns, and takes them out.
func (s *memberScan) drop(cols []int, d *shareDecoder, rows int) {
	for _, c := range cols {
		for _, b := range d.values[s.pick[c]] {
			if s.has(b.row) {
				s.report(b)
			}
		}
	}
	for _, c := range cols {
		s.without(d.values[s.pick[c]], rows)
	}
}

func (s *memberScan) has(row int) bool {
	if s.sel == nil || row < 0 {
		return true
	}
	_, ok := slices.BinarySearch(s.sel, int32(row))
	return ok
}

// step applies one condition.
func (s *memberScan) step(k int, d *shareDecoder, part *sharePart, split string, recs *format.Records) {
	x := &s.steps[k]
	s.drop(x.fill, d, part.rows)
	b := &s.head
	b.N, b.Sel, b.Kinds = part.rows, nil, part.kinds
	b.Origin, b.From = vector.Origin{Split: split}, &sharedRows{m: s.m, part: part, recs: recs}
	b.Cols = b.Cols[:0]
	for _, c := range s.pick {
		b.Cols = append(b.Cols, part.cols[c])
	}
	buf := s.buf()
	out, err := s.choose(x.pred, (*buf)[:0])
	s.set(buf, out)
	if err != nil {
		s.view.err, s.sel = err, out[:0]
	}
	s.over = len(s.sel) == 0
}

// choose evaluates a condition. A function that panics is its own job's trouble.
func (s *memberScan) choose(p selector, dst []int32) (out []int32, err error) {
	defer func() {
		s.cx.Batch = nil
		if r := recover(); r != nil {
			out, err = dst[:0], diag.Bug("panic: %v\n%s", r, debug.Stack())
		}
	}()
	s.cx.Batch = &s.head
	return p.Select(&s.head, s.sel, dst)
}

// sharedRows tells of the records of a part's rows.
type sharedRows struct {
	m    *scanMember
	part *sharePart
	recs *format.Records
}

// Position implements vector.Records.
func (r *sharedRows) Position(i int) string { return r.recs.Position(int(r.part.record[i])) }

// Metadata implements vector.Records.
func (r *sharedRows) Metadata(i int, key string) (types.Value, types.Type, bool) {
	t := r.m.scan.Table
	for m, md := range t.Metadata {
		if md.Key == key && m < len(r.recs.Meta) && r.recs.Meta[m] != nil {
			if at := int(r.part.record[i]); at < r.recs.Meta[m].Len() {
				return vector.Get(r.recs.Meta[m], at), t.Physical.Fields[md.Column].Type, true
			}
		}
	}
	return nil, types.Type{}, false
}

// emitChunk emits a member's view of a chunk, as if its job had read it itself.
func (d *sourceDriver) emitChunk(s connector.Split, ch *chunk, view int) error {
	recs := &ch.recs
	d.metrics.BytesIn.Add(recs.Bytes)
	d.metrics.Oversize.Add(int64(recs.Oversize))
	for _, head := range recs.OversizeHead {
		if err := d.decode.policy.handle(s.ID, "", head, errOversize, d.metrics); err != nil {
			return err
		}
	}
	b := &d.decode.batch
	for _, part := range ch.parts {
		v := &part.views[view]
		for _, x := range v.bad {
			var text []byte
			if at := recs.Val[x.record]; at.Len >= 0 {
				text = recs.Buf[at.Off : at.Off+at.Len]
			}
			if err := d.decode.policy.handle(s.ID, recs.Position(x.record), text, x.err, d.metrics); err != nil {
				return err
			}
		}
		d.metrics.RowsIn.Add(int64(part.rows))
		d.metrics.Batches.Add(1)
		if v.err != nil {
			return v.err
		}
		b.N, b.Sel, b.Kinds = part.rows, v.sel, part.kinds
		if b.Live() > 0 {
			b.Cols = b.Cols[:0]
			for _, c := range ch.plan.pick[view] {
				b.Cols = append(b.Cols, part.cols[c])
			}
			b.Origin, b.From = vector.Origin{Split: s.ID}, &sharedRows{m: d.shared, part: part, recs: recs}
			if d.decode.asked != nil {
				d.decode.asked.Unask()
			}
			if err := d.out.Emit(b); err != nil {
				return err
			}
		}
		if err := d.between(s.ID, recs, part.to-1); err != nil {
			return err
		}
	}
	d.settle()
	return nil
}
