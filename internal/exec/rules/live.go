package rules

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/internal/ruleindex"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// Live emits each row once for every rule that holds for it; rules with a window
// when their threshold is reached. It runs as one task. Changes of the set take
// effect at a barrier and are in its commit; without checkpoints with the next batch.
type Live struct {
	control *Control
	in, out *types.Schema
	cx      *exec.Context
	task    *ruleindex.Task
	hits    ruleindex.Hits
	asked   bool
	active  *taken
	saved   map[string]string // by id: what the last commit has of the rule
	byNum   map[int32]*entry
	windows *windows
	b       *vector.Batch
	written uint64   // generation that is in the state
	pending struct { // of the last barrier
		epoch int64
		gen   uint64
	}
	lastStats int64
	text      []byte
}

// New returns the operator over the set of control.
func New(control *Control, in, out *types.Schema) *Live {
	return &Live{control: control, in: in, out: out, saved: map[string]string{}}
}

// Open implements exec.Operator: the rules of the last commit first, then what
// the folder says otherwise, which takes effect at the first barrier.
func (l *Live) Open(cx *exec.Context) error {
	l.cx, l.b = cx, vector.NewBatch(l.out, cx.BatchSize)
	l.windows = newWindows(cx.Watermark)
	if err := l.restore(); err != nil {
		return err
	}
	l.active = l.control.now.Load()
	fresh := len(l.saved) == 0
	if !fresh {
		l.takeUp()
	}
	if err := l.control.Sync(cx.Context); err != nil {
		return err
	}
	if fresh {
		l.takeUp()
	}
	return nil
}

// restore reads the rules and counts of the last commit.
func (l *Live) restore() error {
	if l.cx.State == nil {
		return nil
	}
	var folder, others []plan.RuleDef
	err := l.cx.State.Restore(func(_ uint16, key, value []byte) error {
		if len(key) == 0 {
			return vector.ErrCorrupt
		}
		if key[0] == 'w' {
			return l.windows.load(key, value)
		}
		var d kept
		if err := json.Unmarshal(value, &d); err != nil {
			return fmt.Errorf("a rule of the last commit: %w", err)
		}
		l.saved[d.ID] = string(value)
		if d.Folder {
			folder = append(folder, d.RuleDef)
			l.control.fromDir[d.ID] = d.RuleDef // what it says otherwise now is a change
		} else {
			others = append(others, d.RuleDef)
		}
		return nil
	})
	// A store has no order; hits of one row come in that of the rules.
	byID := func(a, b plan.RuleDef) int { return strings.Compare(a.ID, b.ID) }
	slices.SortFunc(folder, byID)
	slices.SortFunc(others, byID)
	if err == nil && len(folder) > 0 {
		err = l.control.change(l.cx.Context, folder, nil, false, true)
	}
	if err == nil && len(others) > 0 {
		err = l.control.change(l.cx.Context, others, nil, false, false)
	}
	return err
}

// takeUp makes the newest state of the set the one in effect.
func (l *Live) takeUp() {
	old := l.active
	l.active = l.control.now.Load()
	l.byNum = map[int32]*entry{}
	if l.task == nil {
		l.task = l.active.index.NewTask()
	} else {
		l.task.Use(l.active.index)
	}
	if l.windows.table.Len() == 0 {
		return
	}
	gone := map[string]bool{}
	for id, e := range old.byID {
		if now := l.active.byID[id]; now == nil || now != e && !now.same(e) {
			gone[id] = true
		}
	}
	if len(gone) > 0 {
		l.windows.drop(gone)
	}
}

func (l *Live) refresh() {
	if l.control.Immediate && l.control.now.Load() != l.active {
		l.takeUp()
		l.control.settled(l.active.gen)
	}
}

// Version changes when other columns may be read; see Reads.
func (l *Live) Version() uint64 {
	l.refresh()
	return l.active.gen
}

// Reads are the columns that the rules in effect look at.
func (l *Live) Reads(*function.Context) (map[int]bool, error) { return l.active.reads, nil }

// Select appends the rows that some rule holds for to dst; Process gets them next.
func (l *Live) Select(b *vector.Batch, sel, dst []int32) ([]int32, error) {
	head := *b
	head.Sel = sel
	if err := l.evaluate(&head); err != nil {
		return dst, err
	}
	l.asked = true
	last := int32(-1)
	for _, row := range l.hits.Rows {
		if row != last {
			dst = append(dst, row)
			last = row
		}
	}
	if dst == nil {
		dst = []int32{}
	}
	return dst, nil
}

// Unask forgets what Select has found: other rows come next.
func (l *Live) Unask() { l.asked = false }

func (l *Live) evaluate(b *vector.Batch) error {
	l.hits.Reset()
	l.task.SetNow(l.cx.Now())
	if err := l.task.Batch(b, &l.hits); err != nil {
		return err
	}
	// A rule that cannot be computed for a row does not hold for it; the others do.
	l.cx.Metrics.Bad.Add(int64(len(l.hits.Errs)))
	return nil
}

// Process implements exec.Operator.
func (l *Live) Process(_ int, b *vector.Batch, out exec.Output) error {
	if !l.asked {
		l.refresh()
		if err := l.evaluate(b); err != nil {
			return err
		}
	}
	l.asked = false
	at := 0
	for k, row := range l.hits.Rows {
		if b.Sel != nil {
			for at < len(b.Sel) && b.Sel[at] < row {
				at++
			}
			if at == len(b.Sel) || b.Sel[at] != row {
				continue
			}
		}
		e := l.entry(l.hits.Rules[k])
		if e == nil {
			continue
		}
		if err := l.hit(e, b, int(row)); err != nil {
			return err
		}
		if l.b.N >= l.cx.BatchSize {
			if err := l.emit(out); err != nil {
				return err
			}
		}
	}
	return l.emit(out)
}

// entry returns the rule with a number of the index.
func (l *Live) entry(num int32) *entry {
	if e, ok := l.byNum[num]; ok {
		return e
	}
	var e *entry
	if r, ok := l.active.index.Rule(num); ok {
		e = l.active.byKey[r.ID]
	}
	l.byNum[num] = e
	return e
}

// hit emits a row for a rule, or counts it for its window.
func (l *Live) hit(e *entry, b *vector.Batch, i int) error {
	count, key := int64(1), ""
	if e.Def.Window > 0 {
		l.text = l.text[:0]
		for n, c := range e.Keys {
			if n > 0 {
				l.text = append(l.text, ',')
			}
			l.text = types.AppendValue(l.text, vector.Get(b.Cols[c], i), l.in.Fields[c].Type, l.cx.Func.Zone)
		}
		v := b.Cols[l.in.Rowtime]
		at := i
		if c, ok := v.(*vector.Const); ok {
			v, at = c.Of, 0
		}
		ts := v.(*vector.Flat[types.TS])
		if ts.IsNull(at) {
			l.cx.Metrics.Late.Add(1)
			return nil
		}
		n, late := l.windows.add(e.Def, string(l.text), ts.Vals[at].Ms)
		if late {
			l.cx.Metrics.Late.Add(1)
			return nil
		}
		if n != e.Def.Threshold {
			return nil
		}
		count, key = n, string(l.text)
	}
	width := len(l.in.Fields)
	for c := range width {
		vector.CopyRow(l.b.Cols[c], b.Cols[c], i)
	}
	vector.Append(l.b.Cols[width], e.Def.ID)
	m := &types.MapValue{}
	for _, k := range sortedKeys(e.Def.Attributes) {
		m.Keys, m.Vals = append(m.Keys, k), append(m.Vals, e.Def.Attributes[k])
	}
	vector.Append(l.b.Cols[width+1], m)
	if e.Def.Window > 0 {
		vector.Append(l.b.Cols[width+2], key)
	} else {
		vector.Append(l.b.Cols[width+2], nil)
	}
	vector.Append(l.b.Cols[width+3], count)
	l.b.AppendKind(b.Kind(i))
	return nil
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, strings.Compare)
	return keys
}

func (l *Live) emit(out exec.Output) error {
	return exec.Flush(out, l.b)
}

// Control implements exec.Operator.
func (l *Live) Control(_ int, ev exec.Event, out exec.Output) error {
	switch ev.Kind {
	case exec.Watermark:
		l.windows.advance(ev.Time)
	case exec.Barrier:
		if err := l.barrier(ev.Epoch); err != nil {
			return err
		}
	case exec.Tick:
		l.refresh()
		l.report(ev.Time)
	case exec.End:
		l.report(0)
	}
	return out.Forward(ev)
}

// barrier takes changes up: rows behind it are seen by the new rules, and the
// commit holds them.
func (l *Live) barrier(epoch int64) error {
	if l.control.now.Load() != l.active {
		l.takeUp()
	}
	l.pending.epoch, l.pending.gen = epoch, l.active.gen
	if l.cx.State == nil {
		return nil
	}
	if l.written != l.active.gen {
		if err := l.write(); err != nil {
			return err
		}
		l.written = l.active.gen
	}
	l.cx.Metrics.StateRows.Store(int64(len(l.saved) + l.windows.table.Len()))
	l.cx.Metrics.StateBytes.Store(l.windows.table.Bytes() + int64(l.active.index.Bytes()))
	return l.windows.snapshot(l.cx.State)
}

// write puts what changed of the rules into the state.
func (l *Live) write() error {
	for id, e := range l.active.byID {
		if l.saved[id] == e.saved {
			continue
		}
		if err := l.cx.State.Put(l.unit(), []byte("r"+id), []byte(e.saved)); err != nil {
			return err
		}
		l.saved[id] = e.saved
	}
	for id := range l.saved {
		if l.active.byID[id] == nil {
			if err := l.cx.State.Delete(l.unit(), []byte("r"+id)); err != nil {
				return err
			}
			delete(l.saved, id)
		}
	}
	return nil
}

// unit is where the operator, which is one task, keeps its rules.
func (l *Live) unit() uint16 { return 0 }

// Committed implements exec.Committed: changes up to the barrier are durable.
func (l *Live) Committed(epoch int64) { l.control.settled(l.pendingGen(epoch)) }

func (l *Live) pendingGen(epoch int64) uint64 {
	if l.pending.epoch <= epoch {
		return l.pending.gen
	}
	return 0
}

// report copies the counts of the rules to the control, once a second.
func (l *Live) report(now int64) {
	if now != 0 && now-l.lastStats < 1000 {
		return
	}
	l.lastStats = now
	if l.task == nil {
		return
	}
	l.task.Publish(l.cx.Metrics)
	stats := map[string]Stats{}
	for num, e := range l.byNum {
		if e == nil {
			continue
		}
		s := l.task.RuleStats(num)
		stats[e.Def.ID] = Stats{Hits: s.Hits, LastHit: s.LastHit, Candidates: s.Candidates}
	}
	l.control.report(stats)
}

// CurrentWatermark implements exec.Watermarked.
func (l *Live) CurrentWatermark() int64 { return l.windows.watermark }

// Close implements exec.Operator.
func (l *Live) Close() error {
	l.control.end()
	return nil
}

var (
	_ exec.Operator    = (*Live)(nil)
	_ exec.Watermarked = (*Live)(nil)
	_ exec.Committed   = (*Live)(nil)
)
