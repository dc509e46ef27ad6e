package window

import (
	"encoding/binary"

	"github.com/runnelio/runnel/internal/eval"
	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// JoinSpec says how to join the rows of two inputs that are in the same window.
type JoinSpec struct {
	Kind            plan.JoinKind
	Keys            [2][]int // of the left and the right input, without the window's columns
	NullSafe        []bool
	Cond            plan.Expr // over left ++ right; nil for none
	Start, End      [2]int
	Local, Proctime bool
	In              [2]*types.Schema
	Out             *types.Schema
	FlushAtEnd      bool // see Emit
}

// Join joins two inputs window by window: results come out when a window is over.
type Join struct {
	JoinSpec
	panes
	cx   *exec.Context
	pred *eval.Predicate
	pair *vector.Batch // left ++ right
	b    *vector.Batch
	jkey []byte
	buf  []byte
	lone uint64 // numbers rows with a NULL key, which match nothing
	sel  []int32
}

// NewJoin returns the operator.
func NewJoin(s JoinSpec) *Join { return &Join{JoinSpec: s} }

// Open implements exec.Operator.
func (j *Join) Open(cx *exec.Context) (err error) {
	fields := append(append([]types.Field(nil), j.In[0].Fields...), j.In[1].Fields...)
	schema := types.NewSchema(fields...)
	j.cx, j.pair, j.b = cx, vector.NewBatch(schema, cx.BatchSize), vector.NewBatch(j.Out, cx.BatchSize)
	if j.Cond != nil {
		if j.pred, err = eval.CompilePredicate(j.Cond, schema, cx.Func); err != nil {
			return err
		}
	}
	j.flushEnd = j.FlushAtEnd
	return j.panes.open(cx, j.Local, j.Proctime)
}

// Process implements exec.Operator.
func (j *Join) Process(in int, b *vector.Batch, _ exec.Output) error {
	b.Rows(func(i int) {
		j.jkey = j.jkey[:0]
		for k, c := range j.Keys[in] {
			if b.Cols[c].IsNull(i) && !(k < len(j.NullSafe) && j.NullSafe[k]) {
				j.lone++
				j.jkey = binary.LittleEndian.AppendUint64(append(j.jkey[:0], 0xfe, byte(in)), j.lone<<8|uint64(j.cx.Subtask&0xff))
				break
			}
			j.jkey = vector.AppendKey(j.jkey, b.Cols[c], i)
		}
		end := windowAt(b, j.End[in], i)
		g, ok := j.group(windowAt(b, j.JoinSpec.Start[in], i), end, j.jkey)
		if !ok {
			j.cx.TooLate(in, b, i, end)
			return
		}
		j.buf = vector.AppendRowOf(j.buf[:0], b.Cols, i)
		j.lists[g][in] = append(j.lists[g][in], j.rows.Add(j.buf))
	})
	return nil
}

// Control implements exec.Operator.
func (j *Join) Control(_ int, ev exec.Event, out exec.Output) error {
	return j.control(ev, func(g int32) error { return j.fire(g, out) }, func() error { return j.flush(out) }, out)
}

// fire joins the rows of one window and key.
func (j *Join) fire(g int32, out exec.Output) error {
	left, right := j.lists[g][0], j.lists[g][1]
	rightMatched := make([]bool, len(right))
	for _, l := range left {
		matched := false
		for from := 0; from < len(right); from += j.cx.BatchSize {
			to := min(from+j.cx.BatchSize, len(right))
			j.pair.Reset()
			for _, r := range right[from:to] {
				if err := j.read(j.pair.Cols, l, r); err != nil {
					return err
				}
				j.pair.AppendKind(types.Insert)
			}
			j.sel = j.sel[:0]
			if j.pred == nil {
				for i := range to - from {
					j.sel = append(j.sel, int32(i))
				}
			} else {
				var err error
				if j.sel, err = j.pred.Select(j.pair, nil, j.sel); err != nil {
					return err
				}
			}
			for _, i := range j.sel {
				matched, rightMatched[from+int(i)] = true, true
				if j.Kind == plan.Semi || j.Kind == plan.Anti {
					continue
				}
				for c, v := range j.pair.Cols {
					vector.CopyRow(j.b.Cols[c], v, int(i))
				}
				j.b.AppendKind(types.Insert)
			}
		}
		if err := j.unmatched(l, -1, matched, out); err != nil {
			return err
		}
	}
	if j.Kind == plan.Right || j.Kind == plan.Full {
		for k, r := range right {
			if !rightMatched[k] {
				if err := j.read(j.b.Cols, -1, r); err != nil {
					return err
				}
				j.b.AppendKind(types.Insert)
			}
		}
	}
	if j.b.N >= j.cx.BatchSize {
		return j.flush(out)
	}
	return nil
}

// unmatched emits a left row as its matches ask for.
func (j *Join) unmatched(l, r int32, matched bool, out exec.Output) error {
	var err error
	switch {
	case j.Kind == plan.Semi && matched, j.Kind == plan.Anti && !matched:
		if err = vector.ReadRowOf(j.b.Cols, j.rows.Get(l)); err != nil {
			return err
		}
		j.b.AppendKind(types.Insert)
	case (j.Kind == plan.Left || j.Kind == plan.Full) && !matched:
		if err = j.read(j.b.Cols, l, r); err != nil {
			return err
		}
		j.b.AppendKind(types.Insert)
	}
	if j.b.N >= j.cx.BatchSize {
		return j.flush(out)
	}
	return nil
}

// read appends a left and a right row to cols; -1 pads with NULLs.
func (j *Join) read(cols []vector.Vector, l, r int32) error {
	n := len(j.In[0].Fields)
	for side, slot := range [2]int32{l, r} {
		part := cols[:n]
		if side == 1 {
			part = cols[n:]
		}
		if slot < 0 {
			for _, c := range part {
				vector.SetNullDeep(c, vector.Extend(c, 1))
			}
			continue
		}
		if err := vector.ReadRowOf(part, j.rows.Get(slot)); err != nil {
			return err
		}
	}
	return nil
}

func (j *Join) flush(out exec.Output) error {
	return exec.Flush(out, j.b)
}

// CurrentWatermark implements exec.Watermarked.
func (j *Join) CurrentWatermark() int64 { return j.progress }

// Close implements exec.Operator.
func (j *Join) Close() error { return nil }

var _ exec.Operator = (*Join)(nil)
