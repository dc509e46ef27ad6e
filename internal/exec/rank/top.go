package rank

import (
	"slices"
	"strings"

	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// Top keeps rows Offset to Offset+Limit of the order. Over an append-only input
// only those and the rows before them are kept; over a changelog all are, because
// a row further down may move up. A row that comes in emits +I, the one it pushes
// out -D; where one replaces the only row, that is -U and +U.
type Top struct{ base }

// end is the place behind the last row of the result.
func (t *Top) end() int { return int(t.Offset + t.Limit) }

// Process implements exec.Operator.
func (t *Top) Process(_ int, b *vector.Batch, out exec.Output) error {
	if t.Limit == 0 {
		return nil
	}
	var err error
	b.Rows(func(i int) {
		if err != nil {
			return
		}
		x := t.ranked(b, i)
		if b.Kind(i).Sign() > 0 {
			err = t.add(x)
		} else {
			err = t.remove(x)
		}
	})
	if err != nil {
		return err
	}
	return t.emit(out)
}

func (t *Top) add(x ranked) error {
	if !t.Retracts && len(t.rows) >= t.end() && t.rows[t.end()-1].compare(x) < 0 {
		return nil
	}
	at, err := t.insert(x)
	if err != nil {
		return err
	}
	if !t.cx.Batch && at < t.end() {
		in := max(at, int(t.Offset)) // the row that enters the result
		replaces := len(t.rows) > t.end()
		if in < len(t.rows) {
			kinds := [2]types.RowKind{types.Delete, types.Insert}
			if t.Limit == 1 && replaces {
				kinds = [2]types.RowKind{types.UpdateBefore, types.UpdateAfter}
			}
			if replaces && (kinds[0] == types.Delete || t.UpdateBefore) {
				if err := t.append(t.rows[t.end()].row, kinds[0]); err != nil {
					return err
				}
			}
			if !replaces {
				kinds[1] = types.Insert
			}
			if err := t.append(t.rows[in].row, kinds[1]); err != nil {
				return err
			}
		}
	}
	if !t.Retracts && len(t.rows) > t.end() {
		last := len(t.rows) - 1
		if err := t.drop(t.rows[last]); err != nil {
			return err
		}
		t.rows = t.rows[:last]
	}
	return nil
}

func (t *Top) remove(x ranked) error {
	var leaving string
	at := t.find(x)
	if at < 0 {
		t.cx.Metrics.Expired.Add(1)
		return nil
	}
	shown := at < t.end() && max(at, int(t.Offset)) < len(t.rows)
	if shown {
		leaving = t.rows[max(at, int(t.Offset))].row
	}
	if err := t.take(at); err != nil {
		return err
	}
	if !shown || t.cx.Batch {
		return nil
	}
	if err := t.append(leaving, types.Delete); err != nil {
		return err
	}
	if len(t.rows) >= t.end() {
		return t.append(t.rows[t.end()-1].row, types.Insert)
	}
	return nil
}

// find returns the place of the first row equal to x, -1 if there is none.
func (t *Top) find(x ranked) int {
	x.seq = 0
	at, _ := slices.BinarySearchFunc(t.rows, x, ranked.compare)
	for ; at < len(t.rows) && t.rows[at].key == x.key; at++ {
		if t.rows[at].row == x.row {
			return at
		}
	}
	return -1
}

// Control implements exec.Operator.
func (t *Top) Control(_ int, ev exec.Event, out exec.Output) error {
	if ev.Kind == exec.End && t.cx.Batch && !t.done && !ev.Stopped {
		t.done = true
		for i := int(t.Offset); i < min(len(t.rows), t.end()); i++ {
			if err := t.append(t.rows[i].row, types.Insert); err != nil {
				return err
			}
		}
		if err := t.emit(out); err != nil {
			return err
		}
	}
	return out.Forward(ev)
}

// Limit passes the first rows that come, behind Offset of them.
type Limit struct {
	base
	seen int64
	sel  []int32
}

// Process implements exec.Operator.
func (l *Limit) Process(_ int, b *vector.Batch, out exec.Output) error {
	n := int64(b.Live())
	from := min(max(l.Offset-l.seen, 0), n)
	to := n
	if l.Limit >= 0 {
		to = min(max(l.Offset+l.Limit-l.seen, 0), n)
	}
	l.seen += n
	if from >= to {
		return nil
	}
	if from > 0 || to < n {
		l.sel = l.sel[:0]
		at := int64(0)
		b.Rows(func(i int) {
			if at >= from && at < to {
				l.sel = append(l.sel, int32(i))
			}
			at++
		})
		b.Sel = l.sel
	}
	return out.Emit(b)
}

// Open implements exec.Operator: how many rows have passed is the state.
func (l *Limit) Open(cx *exec.Context) error {
	l.cx = cx
	if cx.State == nil {
		return nil
	}
	return cx.State.Restore(func(_ uint16, _, value []byte) error {
		for _, c := range value {
			l.seen = l.seen<<8 | int64(c)
		}
		return nil
	})
}

// Control implements exec.Operator.
func (l *Limit) Control(_ int, ev exec.Event, out exec.Output) error {
	if ev.Kind == exec.Barrier && l.cx.State != nil {
		v := make([]byte, 8)
		for i := range v {
			v[i] = byte(l.seen >> (56 - 8*i))
		}
		if err := l.cx.State.Put(0, []byte("seen"), v); err != nil {
			return err
		}
	}
	return out.Forward(ev)
}

// Sort emits rows in order: those whose event time the watermark has passed, or
// all at the end of input. In streaming mode its first key is the rowtime, ascending.
type Sort struct {
	base
	last int64 // time of the last row emitted
}

// Open implements exec.Operator.
func (s *Sort) Open(cx *exec.Context) error {
	s.last = cx.Watermark
	return s.base.Open(cx)
}

// Process implements exec.Operator.
func (s *Sort) Process(_ int, b *vector.Batch, _ exec.Output) error {
	var err error
	b.Rows(func(i int) {
		if err != nil {
			return
		}
		x := s.ranked(b, i)
		if !s.cx.Batch && s.late(b, i) {
			s.cx.TooLate(0, b, i, exec.NoWatermark)
			return
		}
		s.rows = append(s.rows, x)
		err = s.put(x)
	})
	return err
}

// CurrentWatermark implements exec.Watermarked: what a restarted Sort takes as late.
func (s *Sort) CurrentWatermark() int64 { return s.last }

// late tells whether a row is at or before the last that came out.
func (s *Sort) late(b *vector.Batch, i int) bool {
	v := b.Cols[s.Keys[0].Column]
	if c, ok := v.(*vector.Const); ok {
		v, i = c.Of, 0
	}
	ts, ok := v.(*vector.Flat[types.TS])
	return ok && !ts.IsNull(i) && ts.Vals[i].Ms <= s.last
}

// Control implements exec.Operator.
func (s *Sort) Control(_ int, ev exec.Event, out exec.Output) error {
	if ev.Kind == exec.Watermark && !s.cx.Batch || ev.Kind == exec.End && !ev.Stopped {
		if err := s.release(ev, out); err != nil {
			return err
		}
	}
	return out.Forward(ev)
}

// release emits the rows the watermark has passed, all at the end of input.
func (s *Sort) release(ev exec.Event, out exec.Output) error {
	slices.SortFunc(s.rows, ranked.compare)
	n := len(s.rows)
	if ev.Kind == exec.Watermark && ev.Time != exec.MaxWatermark {
		bound := vector.NewConst(s.In.Fields[s.Keys[0].Column].Type.NotNull(), types.TS{Ms: ev.Time, Ns: 999_999}, 1)
		k := s.Keys[0]
		limit := string(vector.AppendOrdered(nil, bound, 0, k.Desc, k.NullsFirst)) + "\xff"
		n, _ = slices.BinarySearchFunc(s.rows, limit, func(r ranked, key string) int { return strings.Compare(r.key, key) })
	}
	for i := range n {
		if err := s.append(s.rows[i].row, types.Insert); err != nil {
			return err
		}
		if ts, ok := s.b.Cols[s.Keys[0].Column].(*vector.Flat[types.TS]); ok && !ts.IsNull(s.b.N-1) {
			s.last = max(s.last, ts.Vals[s.b.N-1].Ms)
		}
		if err := s.drop(s.rows[i]); err != nil {
			return err
		}
		if s.b.N >= s.cx.BatchSize {
			if err := s.emit(out); err != nil {
				return err
			}
		}
	}
	s.rows = append(s.rows[:0], s.rows[n:]...)
	return s.emit(out)
}

var (
	_ exec.Operator = (*Top)(nil)
	_ exec.Operator = (*Limit)(nil)
	_ exec.Operator = (*Sort)(nil)
)
