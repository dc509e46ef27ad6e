package runtime

import (
	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// sideRows collects the rows of an operator that came too late, with what is
// told of them, and hands them on: when there are many, and before every event,
// so that they are in the same epoch as the rows that came with them.
type sideRows struct {
	node *node
	kind string
	ins  []*sideInput
	err  error // of a hand-over within Put, told with the next event
	size int
}

// sideInput is the late rows of one input.
type sideInput struct {
	width int // columns of the input
	b     *vector.Batch
	out   []exec.Output
}

// to adds a taker of the rows of an input. rows is the input's schema and what
// is told of late rows.
func (s *sideRows) to(in int, of, rows *types.Schema, out exec.Output, size int) {
	for len(s.ins) <= in {
		s.ins = append(s.ins, nil)
	}
	if s.ins[in] == nil {
		s.ins[in] = &sideInput{width: len(of.Fields), b: vector.NewBatch(rows, 16)}
	}
	s.ins[in].out = append(s.ins[in].out, out)
	s.size = size
}

// Put implements exec.Side.
func (s *sideRows) Put(in int, b *vector.Batch, i int, end int64) {
	if in >= len(s.ins) || s.ins[in] == nil || s.err != nil {
		return
	}
	x := s.ins[in]
	for c := range x.width {
		vector.CopyRow(x.b.Cols[c], b.Cols[c], i)
	}
	name := x.b.Cols[x.width].(*vector.Flat[string])
	name.Vals[vector.Extend(name, 1)] = s.kind
	appendTime(x.b.Cols[x.width+1], s.node.mark)
	appendTime(x.b.Cols[x.width+2], end)
	x.b.AppendKind(types.Insert)
	if x.b.N >= s.size {
		s.err = x.emit()
	}
}

// appendTime appends ms, NULL for the ends of time.
func appendTime(v vector.Vector, ms int64) {
	f := v.(*vector.Flat[types.TS])
	i := vector.Extend(f, 1)
	if ms == noWatermark || ms == exec.MaxWatermark {
		vector.SetNullDeep(v, i)
		return
	}
	f.Vals[i] = types.TS{Ms: ms}
}

func (x *sideInput) emit() error {
	if x.b.N == 0 {
		return nil
	}
	for _, o := range x.out {
		b := *x.b
		b.Cols = append([]vector.Vector(nil), x.b.Cols...)
		if err := o.Emit(&b); err != nil {
			return err
		}
	}
	x.b.Reset()
	return nil
}

// forward hands on the rows there are, then an event.
func (s *sideRows) forward(ev exec.Event) error {
	for _, x := range s.ins {
		if x == nil {
			continue
		}
		if s.err == nil {
			s.err = x.emit()
		}
		if s.err != nil {
			return s.err
		}
		for _, o := range x.out {
			if err := o.Forward(ev); err != nil {
				return err
			}
		}
	}
	return nil
}

var _ exec.Side = (*sideRows)(nil)
