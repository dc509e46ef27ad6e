package relational

import (
	"encoding/binary"

	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/internal/state"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// SetOp is INTERSECT [ALL] and EXCEPT [ALL]: it counts each row on both sides
// and keeps as many of it in the output as the counts ask for.
type SetOp struct {
	op  plan.SetKind
	all bool
	out *types.Schema

	cx     *exec.Context
	table  *state.Table
	counts []sideCounts // by slot
	key    []byte
	b      *vector.Batch
	ended  bool
}

// sideCounts is how often a row is on the left, on the right and in the output.
type sideCounts struct{ left, right, emitted int64 }

// NewSetOp returns the operator for op, with or without ALL.
func NewSetOp(op plan.SetKind, all bool, out *types.Schema) *SetOp {
	return &SetOp{op: op, all: all, out: out}
}

// Open implements exec.Operator.
func (s *SetOp) Open(cx *exec.Context) error {
	s.cx, s.table, s.b = cx, state.NewTable(), vector.NewBatch(s.out, cx.BatchSize)
	if cx.State == nil {
		return nil
	}
	return s.table.Restore(cx.State, vector.HashKey, func(slot int32, src []byte) error {
		s.grow(slot)
		for _, p := range []*int64{&s.counts[slot].left, &s.counts[slot].right, &s.counts[slot].emitted} {
			v, n := binary.Varint(src)
			if n <= 0 {
				return vector.ErrCorrupt
			}
			*p, src = v, src[n:]
		}
		return nil
	})
}

func (s *SetOp) grow(slot int32) {
	for int(slot) >= len(s.counts) {
		s.counts = append(s.counts, sideCounts{})
	}
}

// wanted is how many of a row belong into the output.
func (s *SetOp) wanted(c sideCounts) int64 {
	var n int64
	switch {
	case s.op == plan.Intersect && s.all:
		n = min(c.left, c.right)
	case s.op == plan.Intersect:
		n = min(c.left, c.right, 1)
	case s.all:
		n = c.left - c.right
	case c.right == 0:
		n = min(c.left, 1)
	}
	return max(n, 0)
}

// Process implements exec.Operator.
func (s *SetOp) Process(in int, b *vector.Batch, out exec.Output) error {
	s.b.Reset()
	b.Rows(func(i int) {
		s.key = vector.AppendKeys(s.key[:0], b.Cols, i)
		slot, added := s.table.FindOrAdd(vector.HashKey(s.key), s.key)
		s.grow(slot)
		c := &s.counts[slot]
		if added {
			*c = sideCounts{}
		}
		d := int64(b.Kind(i).Sign())
		if in == 0 {
			c.left += d
		} else {
			c.right += d
		}
		s.table.MarkDirty(slot)
		if !s.cx.Batch {
			for want := s.wanted(*c); c.emitted != want; {
				if c.emitted < want {
					c.emitted++
					s.b.AppendRow(b, i, types.Insert)
				} else {
					c.emitted--
					s.b.AppendRow(b, i, types.Delete)
				}
			}
		}
		if c.left == 0 && c.right == 0 && c.emitted == 0 {
			s.table.Remove(slot)
		}
	})
	return s.flush(out)
}

func (s *SetOp) flush(out exec.Output) error {
	if s.b.N == 0 {
		return nil
	}
	return out.Emit(s.b)
}

// Control implements exec.Operator. In batch mode the end of input emits everything.
func (s *SetOp) Control(_ int, ev exec.Event, out exec.Output) error {
	switch ev.Kind {
	case exec.Barrier:
		if s.cx.State != nil {
			if err := s.table.Snapshot(s.cx.State, s.save); err != nil {
				return err
			}
		}
		s.cx.Metrics.StateRows.Store(int64(s.table.Len()))
		s.cx.Metrics.StateBytes.Store(s.table.Bytes() + int64(cap(s.counts)*24))
	case exec.End:
		if s.cx.Batch && !s.ended && !ev.Stopped {
			s.ended = true
			if err := s.emitAll(out); err != nil {
				return err
			}
		}
	}
	return out.Forward(ev)
}

func (s *SetOp) save(dst []byte, slot int32) []byte {
	c := s.counts[slot]
	dst = binary.AppendVarint(dst, c.left)
	dst = binary.AppendVarint(dst, c.right)
	return binary.AppendVarint(dst, c.emitted)
}

func (s *SetOp) emitAll(out exec.Output) (err error) {
	s.b.Reset()
	s.table.Live(func(slot int32) bool {
		for range s.wanted(s.counts[slot]) {
			if err = vector.ReadRowOf(s.b.Cols, s.table.Key(slot)); err != nil {
				return false
			}
			s.b.AppendKind(types.Insert)
			if s.b.N == s.cx.BatchSize {
				if err = s.flush(out); err != nil {
					return false
				}
				s.b.Reset()
			}
		}
		return true
	})
	if err != nil {
		return err
	}
	return s.flush(out)
}

// Close implements exec.Operator.
func (s *SetOp) Close() error { return nil }

var _ exec.Operator = (*SetOp)(nil)
