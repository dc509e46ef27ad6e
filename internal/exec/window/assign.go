package window

import (
	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// AssignSpec is a window table function alone.
type AssignSpec struct {
	Assign    Assign
	Partition []int // of SESSION
	// FlushAtEnd: sessions by the clock that are open at the end of input come out.
	FlushAtEnd bool
	In, Out    *types.Schema
}

// NewAssign returns the operator: rows of tumble, hop and cumulate windows pass
// at once, those of sessions when their session is over.
func NewAssign(s AssignSpec) exec.Operator {
	if s.Assign.Kind == plan.Session {
		return &SessionRows{AssignSpec: s}
	}
	return &Assigner{AssignSpec: s}
}

// Assigner gives each row its windows: columns window_start, window_end and
// window_time behind its own, one output row a window. Rows without a time are
// dropped and counted as late.
type Assigner struct {
	exec.Stateless
	AssignSpec
	cx    *exec.Context
	clock clock
	wins  [3]vector.Vector // of tumble windows, beside the input's columns
	head  vector.Batch
	sel   []int32
	b     *vector.Batch // rows of overlapping windows
}

// Open implements exec.Operator.
func (a *Assigner) Open(cx *exec.Context) error {
	a.cx, a.clock = cx, newClock(a.Assign.Local, cx.Func.Zone)
	n := len(a.In.Fields)
	for i := range a.wins {
		a.wins[i] = vector.New(a.Out.Fields[n+i].Type, cx.BatchSize)
	}
	a.b = vector.NewBatch(a.Out, cx.BatchSize)
	return nil
}

// Process implements exec.Operator.
func (a *Assigner) Process(_ int, b *vector.Batch, out exec.Output) error {
	t := &a.Assign
	var ts *vector.Flat[types.TS]
	constant := false
	now := int64(0)
	if t.Proctime {
		now = a.clock.wall(a.cx.Now())
	} else {
		ts, constant = timeColumn(b.Cols[t.Time])
	}
	at := func(i int) (int64, bool) {
		if ts == nil {
			return now, true
		}
		if constant {
			i = 0
		}
		if ts.IsNull(i) {
			return 0, false
		}
		return a.clock.wall(ts.Vals[i].Ms), true
	}
	if t.Kind == plan.Tumble {
		return a.tumble(b, at, out)
	}
	a.b.Reset()
	a.b.Origin = b.Origin
	n := len(a.In.Fields)
	var err error
	b.Rows(func(i int) {
		wall, ok := at(i)
		if err != nil {
			return
		}
		if !ok {
			a.cx.TooLate(0, b, i, exec.NoWatermark)
			return
		}
		end := t.sliceEnd(wall)
		last := t.lastEnd(end)
		for e := t.firstEnd(end); e <= last; e += t.step() {
			for c := range n {
				vector.CopyRow(a.b.Cols[c], b.Cols[c], i)
			}
			a.window(a.b.Cols[n:], t.startOf(e), e)
			a.b.AppendKind(b.Kind(i))
		}
		if a.b.N >= a.cx.BatchSize {
			err = out.Emit(a.b)
			a.b.Reset()
		}
	})
	if err != nil || a.b.N == 0 {
		return err
	}
	return out.Emit(a.b)
}

// tumble adds the window columns beside the input's, which are not copied.
func (a *Assigner) tumble(b *vector.Batch, at func(int) (int64, bool), out exec.Output) error {
	var cols [3][]types.TS
	for i := range a.wins {
		a.wins[i].Resize(b.N)
		cols[i] = a.wins[i].(*vector.Flat[types.TS]).Vals
	}
	a.sel = a.sel[:0]
	lo, hi, instant := int64(0), int64(0), int64(0)
	b.Rows(func(i int) {
		wall, ok := at(i)
		if !ok {
			a.cx.TooLate(0, b, i, exec.NoWatermark)
			return
		}
		if wall < lo || wall >= hi {
			hi = a.Assign.sliceEnd(wall)
			lo = hi - a.Assign.Size
			instant = a.clock.instant(hi) - 1
		}
		cols[0][i], cols[1][i], cols[2][i] = types.TS{Ms: lo}, types.TS{Ms: hi}, types.TS{Ms: instant}
		a.sel = append(a.sel, int32(i))
	})
	if len(a.sel) == 0 {
		return nil
	}
	a.head = vector.Batch{Schema: a.Out, Cols: append(a.head.Cols[:0], b.Cols...), N: b.N, Sel: b.Sel, Kinds: b.Kinds, Origin: b.Origin, From: b.From}
	a.head.Cols = append(a.head.Cols, a.wins[0], a.wins[1], a.wins[2])
	if len(a.sel) < b.Live() {
		a.head.Sel = a.sel
	}
	return out.Emit(&a.head)
}

// window appends the window columns.
func (a *Assigner) window(cols []vector.Vector, start, end int64) {
	appendTS(cols[0], start)
	appendTS(cols[1], end)
	appendTS(cols[2], a.clock.instant(end)-1)
}

var _ exec.Operator = (*Assigner)(nil)
