package relational

import (
	"time"

	"github.com/runnelio/runnel/internal/eval"
	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// WatermarkSpec says how watermarks are made.
type WatermarkSpec struct {
	Column int
	// Expr, over the input, is the watermark a row asks for; nil leaves watermarks to the source.
	Expr plan.Expr
	// PerRow hands a watermark on behind every row that raises it
	// (pipeline.auto-watermark-interval 0), else behind each batch.
	PerRow bool
	// Gap above 1 hands a watermark on behind so many rows of a split, if it rose.
	Gap int
	// Report, if not nil, is told of the watermark of each split after its rows.
	Report func(split string, mark int64)
	// FireOnIdle: without rows for so long the watermark goes on with the clock; 0: never.
	FireOnIdle time.Duration
	In, Out    *types.Schema
}

// Watermark marks a column as event time and follows the watermark its rows ask
// for: of each split the largest value of the expression so far, of all the
// lowest over the splits that are being read and not idle. It never goes back.
type Watermark struct {
	WatermarkSpec
	cx      *exec.Context
	prog    *eval.Program
	splits  map[string]*splitMark
	last    *splitMark // of the batch before
	high    int64      // handed on
	lastRow int64      // processing time of the last row, ms
	sel     []int32
	head    vector.Batch
	quiet   bool // downstream was told that nothing comes for now
}

// splitMark is the watermark of one split.
type splitMark struct {
	id   string
	high int64 // handed on
	top  int64 // of all rows, with a Gap
	rows int   // since high was last set, with a Gap
	idle bool
}

// idleNow tells that no split has rows for now.
func (w *Watermark) idleNow() bool {
	for _, m := range w.splits {
		if !m.idle {
			return false
		}
	}
	return true
}

// NewWatermark returns a watermark assigner.
func NewWatermark(s WatermarkSpec) *Watermark {
	return &Watermark{WatermarkSpec: s, splits: map[string]*splitMark{}, high: exec.NoWatermark}
}

// Open implements exec.Operator.
func (w *Watermark) Open(cx *exec.Context) (err error) {
	w.cx, w.high = cx, cx.Watermark
	w.lastRow = cx.Now()
	if w.Expr != nil {
		w.prog, err = eval.Compile([]plan.Expr{w.Expr}, w.In, cx.Func)
	}
	return err
}

// mark returns the mark of a split. Rows of no split (made by operators) have one of their own.
func (w *Watermark) mark(split string) *splitMark {
	if w.last != nil && w.last.id == split {
		return w.last
	}
	m := w.splits[split]
	if m == nil {
		m = &splitMark{id: split, high: exec.NoWatermark, top: exec.NoWatermark}
		w.splits[split] = m
	}
	w.last = m
	return m
}

// Process implements exec.Operator.
func (w *Watermark) Process(_ int, b *vector.Batch, out exec.Output) error {
	b.Schema = w.Out
	if w.prog == nil {
		return out.Emit(b)
	}
	if w.FireOnIdle > 0 {
		w.lastRow = w.cx.Now()
	}
	b.Schema = w.In
	cols, err := w.prog.Eval(b, b.Sel)
	b.Schema = w.Out
	if err != nil {
		return err
	}
	v, constant := cols[0], false
	if c, ok := v.(*vector.Const); ok {
		v, constant = c.Of, true
	}
	ts := v.(*vector.Flat[types.TS])
	m := w.mark(b.Origin.Split)
	if err := w.active(m, out); err != nil {
		return err
	}
	if w.Report != nil {
		defer func() { w.Report(m.id, max(m.high, m.top)) }()
	}
	if w.Gap > 1 {
		return w.gaps(b, ts, constant, m, out)
	}
	if w.PerRow {
		return w.rows(b, ts, constant, m, out)
	}
	high := m.high
	if constant {
		if !ts.IsNull(0) {
			high = max(high, ts.Vals[0].Ms)
		}
	} else if b.Sel == nil && ts.Null == nil {
		for i := range ts.Vals[:b.N] {
			high = max(high, ts.Vals[i].Ms)
		}
	} else {
		b.Rows(func(i int) {
			if !ts.IsNull(i) {
				high = max(high, ts.Vals[i].Ms)
			}
		})
	}
	if err := out.Emit(b); err != nil {
		return err
	}
	m.high = high
	return w.advance(out)
}

// active notes that a split has rows. Who was told that nothing comes learns by
// a watermark, even one that does not rise, that it has to wait again.
func (w *Watermark) active(m *splitMark, out exec.Output) error {
	m.idle = false
	if !w.quiet {
		return nil
	}
	w.quiet = false
	return out.Forward(exec.Event{Kind: exec.Watermark, Time: w.high})
}

// settle hands on what a split that went idle or away leaves: the watermark of
// the others, or that there are none.
func (w *Watermark) settle(out exec.Output) error {
	if err := w.advance(out); err != nil {
		return err
	}
	if w.quiet || !w.idleNow() {
		return nil
	}
	w.quiet = true
	return out.Forward(exec.Event{Kind: exec.Idle})
}

// gaps emits the rows of b in runs that end behind every Gap-th row of the split.
func (w *Watermark) gaps(b *vector.Batch, ts *vector.Flat[types.TS], constant bool, m *splitMark, out exec.Output) error {
	w.sel = w.sel[:0]
	var err error
	from := 0
	run := func() error {
		if from == len(w.sel) {
			return nil
		}
		w.head = vector.Batch{Schema: b.Schema, Cols: append(w.head.Cols[:0], b.Cols...), N: b.N, Sel: w.sel[from:], Kinds: b.Kinds, Origin: b.Origin, From: b.From}
		from = len(w.sel)
		return out.Emit(&w.head)
	}
	b.Rows(func(i int) {
		if err != nil {
			return
		}
		w.sel = append(w.sel, int32(i))
		r := i
		if constant {
			r = 0
		}
		if !ts.IsNull(r) {
			m.top = max(m.top, ts.Vals[r].Ms)
		}
		if m.rows++; m.rows < w.Gap {
			return
		}
		m.rows = 0
		if m.top <= m.high {
			return
		}
		if err = run(); err == nil {
			m.high = m.top
			err = w.advance(out)
		}
	})
	if err != nil {
		return err
	}
	return run()
}

// rows emits the rows of b in runs that end where the watermark rises.
func (w *Watermark) rows(b *vector.Batch, ts *vector.Flat[types.TS], constant bool, m *splitMark, out exec.Output) error {
	w.sel = w.sel[:0]
	var err error
	from := 0
	run := func() error {
		if from == len(w.sel) {
			return nil
		}
		w.head = vector.Batch{Schema: b.Schema, Cols: append(w.head.Cols[:0], b.Cols...), N: b.N, Sel: w.sel[from:], Kinds: b.Kinds, Origin: b.Origin, From: b.From}
		from = len(w.sel)
		return out.Emit(&w.head)
	}
	b.Rows(func(i int) {
		if err != nil {
			return
		}
		w.sel = append(w.sel, int32(i))
		r := i
		if constant {
			r = 0
		}
		if ts.IsNull(r) || ts.Vals[r].Ms <= m.high {
			return
		}
		if err = run(); err == nil {
			m.high = ts.Vals[r].Ms
			err = w.advance(out)
		}
	})
	if err != nil {
		return err
	}
	return run()
}

// advance hands on the lowest watermark of the live splits if it rose.
func (w *Watermark) advance(out exec.Output) error {
	low, live := int64(exec.MaxWatermark), false
	for _, m := range w.splits {
		if !m.idle {
			low, live = min(low, m.high), true
		}
	}
	if !live || low <= w.high {
		return nil
	}
	w.high = low
	return out.Forward(exec.Event{Kind: exec.Watermark, Time: low})
}

// Control implements exec.Operator: the source's own watermarks pass only where
// no expression makes them, and at the end of input.
func (w *Watermark) Control(_ int, ev exec.Event, out exec.Output) error {
	switch ev.Kind {
	case exec.Watermark:
		if ev.Time != exec.MaxWatermark && w.Expr != nil {
			return nil
		}
		w.high = max(w.high, ev.Time)
	case exec.SplitAdded:
		return w.active(w.mark(ev.Split), out)
	case exec.SplitRemoved:
		// A split that is gone does not hold the others up; if it was the last one, time stands still.
		delete(w.splits, ev.Split)
		// The source may have more to add: it says itself when it has none.
		w.last = nil
		return w.advance(out)
	case exec.Idle:
		if ev.Split != "" { // else the input has no split at all
			w.mark(ev.Split).idle = true
		}
		return w.settle(out)
	case exec.Tick:
		if err := w.idleFor(ev.Time, out); err != nil {
			return err
		}
	}
	return out.Forward(ev)
}

// idleFor moves the watermark on with the clock when no row has come for long.
func (w *Watermark) idleFor(now int64, out exec.Output) error {
	if w.FireOnIdle <= 0 || w.Expr == nil || w.high == exec.NoWatermark && len(w.splits) == 0 {
		return nil
	}
	quiet := now - w.lastRow
	if quiet < w.FireOnIdle.Milliseconds() {
		return nil
	}
	top := w.high
	for _, m := range w.splits {
		top = max(top, m.high)
	}
	if top == exec.NoWatermark {
		return nil
	}
	if to := top + quiet; to > w.high {
		w.high = to
		w.lastRow = now
		for _, m := range w.splits {
			m.high = max(m.high, to)
		}
		return out.Forward(exec.Event{Kind: exec.Watermark, Time: to})
	}
	return nil
}

// CurrentWatermark implements exec.Watermarked.
func (w *Watermark) CurrentWatermark() int64 { return w.high }

// Close implements exec.Operator.
func (w *Watermark) Close() error { return nil }

var (
	_ exec.Operator    = (*Watermark)(nil)
	_ exec.Watermarked = (*Watermark)(nil)
)
