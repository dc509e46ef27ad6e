package relational

import (
	"github.com/runnelio/runnel/internal/eval"
	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// Watermark marks a column as event time and follows the watermark its rows
// ask for: the largest value of the watermark expression so far. It is handed on
// behind each batch that raised it.
type Watermark struct {
	exec.Stateless
	column int
	expr   plan.Expr
	in     *types.Schema
	out    *types.Schema
	prog   *eval.Program
	high   int64
}

// NewWatermark returns a watermark assigner. A nil expr leaves watermarks to the source.
func NewWatermark(column int, expr plan.Expr, in, out *types.Schema) (*Watermark, error) {
	return &Watermark{column: column, expr: expr, in: in, out: out, high: -1 << 63}, nil
}

// Open implements exec.Operator.
func (w *Watermark) Open(cx *exec.Context) (err error) {
	if w.expr != nil {
		w.prog, err = eval.Compile([]plan.Expr{w.expr}, w.in, cx.Func)
	}
	return err
}

// Process implements exec.Operator.
func (w *Watermark) Process(_ int, b *vector.Batch, out exec.Output) error {
	high := w.high
	if w.prog != nil {
		cols, err := w.prog.Eval(b, b.Sel)
		if err != nil {
			return err
		}
		v := cols[0]
		i := 0
		if c, ok := v.(*vector.Const); ok {
			v = c.Of
		}
		ts := v.(*vector.Flat[types.TS])
		take := func(r int) {
			if !ts.IsNull(r) && ts.Vals[r].Ms > high {
				high = ts.Vals[r].Ms
			}
		}
		if len(ts.Vals) == 1 && b.N != 1 {
			take(i)
		} else {
			b.Rows(take)
		}
	}
	b.Schema = w.out
	if err := out.Emit(b); err != nil {
		return err
	}
	if high > w.high {
		w.high = high
		return out.Forward(exec.Event{Kind: exec.Watermark, Time: high})
	}
	return nil
}

// Control implements exec.Operator: the source's own watermarks pass only where
// no expression makes them, and at the end of input.
func (w *Watermark) Control(_ int, ev exec.Event, out exec.Output) error {
	if ev.Kind == exec.Watermark && ev.Time != exec.MaxWatermark && w.expr != nil {
		return nil
	}
	return out.Forward(ev)
}

var _ exec.Operator = (*Watermark)(nil)
