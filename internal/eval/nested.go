package eval

import (
	"fmt"

	"github.com/runnelio/runnel/internal/kernel"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

func (c *compiler) field(e *plan.OpExpr, sc *scope) (slot, error) {
	t := e.Args[0].Type()
	if t.Kind != types.Row || e.Index < 0 || e.Index >= len(t.Fields) || t.Fields[e.Index].Type.Phys() != e.T.Phys() {
		return 0, illTyped(e)
	}
	x, err := c.value(e.Args[0], sc)
	if err != nil {
		return 0, err
	}
	out := c.aliasOf(x, e.T)
	c.emit(sc, &field{src: x, out: out, index: e.Index})
	return out, nil
}

// field takes a field's vector out of a row's: where the row is NULL, it is too.
type field struct {
	src, out slot
	index    int
	wrap     vector.Const
}

func (f *field) run(m *machine, _ []int32) error {
	switch v := m.slots[f.src].(type) {
	case *vector.Row:
		m.slots[f.out] = v.Cols[f.index]
	case *vector.Const:
		f.wrap = vector.Const{Of: v.Of.(*vector.Row).Cols[f.index], N: m.n}
		m.slots[f.out] = &f.wrap
	default:
		return fmt.Errorf("eval: field of a vector %T", v)
	}
	return nil
}

// construct emits a step that makes a nested value of parts of the given types.
func (c *compiler) construct(e *plan.OpExpr, sc *scope, typ func(i int) types.Type, fill func(in []vector.Vector, out vector.Vector, sel []int32)) (slot, error) {
	parts := make([]plan.Expr, len(e.Args))
	for i, a := range e.Args {
		t := typ(i)
		if ok, _ := types.Castable(a.Type(), t); !ok {
			return 0, illTyped(e)
		}
		parts[i] = c.coerce(a, t)
	}
	args, err := c.operands(parts, sc)
	if err != nil {
		return 0, err
	}
	out := c.register(e.T)
	for _, a := range args {
		c.use(a)
	}
	c.emit(sc, &construct{fill: fill, args: args, out: out, in: make([]vector.Vector, len(args))})
	return out, nil
}

type construct struct {
	fill func(in []vector.Vector, out vector.Vector, sel []int32)
	args []slot
	out  slot
	in   []vector.Vector
}

func (s *construct) run(m *machine, sel []int32) error {
	for i, a := range s.args {
		s.in[i] = m.slots[a]
	}
	dst := m.reg(s.out)
	dst.Resize(m.n)
	m.slots[s.out] = dst
	s.fill(s.in, dst, sel)
	return nil
}

func (c *compiler) makeRow(e *plan.OpExpr, sc *scope) (slot, error) {
	if e.T.Kind != types.Row || len(e.T.Fields) != len(e.Args) {
		return 0, illTyped(e)
	}
	typ := func(i int) types.Type { return e.T.Fields[i].Type }
	return c.construct(e, sc, typ, func(in []vector.Vector, out vector.Vector, sel []int32) {
		row := out.(*vector.Row)
		for f, v := range in {
			kernel.Assign(row.Cols[f], v, sel)
		}
	})
}

func (c *compiler) makeArray(e *plan.OpExpr, sc *scope) (slot, error) {
	if e.T.Kind != types.Array {
		return 0, illTyped(e)
	}
	typ := func(int) types.Type { return *e.T.Elem }
	return c.construct(e, sc, typ, func(in []vector.Vector, out vector.Vector, sel []int32) {
		list := out.(*vector.List)
		rows(out.Len(), sel, func(i int) {
			list.Off[i], list.Count[i] = int32(list.Child.Len()), int32(len(in))
			for _, v := range in {
				vector.CopyRow(list.Child, v, i)
			}
		})
	})
}

func (c *compiler) makeMap(e *plan.OpExpr, sc *scope) (slot, error) {
	if e.T.Kind != types.Map || len(e.Args)%2 != 0 {
		return 0, illTyped(e)
	}
	typ := func(i int) types.Type {
		if i%2 == 0 {
			return *e.T.Key
		}
		return *e.T.Elem
	}
	return c.construct(e, sc, typ, func(in []vector.Vector, out vector.Vector, sel []int32) {
		m := out.(*vector.Map)
		rows(out.Len(), sel, func(i int) {
			m.Off[i] = int32(m.Keys.Len())
			for k := 0; k < len(in); k += 2 {
				if sameKey(in, 0, k, k, i) >= 0 {
					continue
				}
				val := k
				if later := sameKey(in, k+2, len(in), k, i); later >= 0 {
					val = later
				}
				vector.CopyRow(m.Keys, in[k], i)
				vector.CopyRow(m.Vals, in[val+1], i)
			}
			m.Count[i] = int32(m.Keys.Len()) - m.Off[i]
		})
	})
}

// sameKey returns the last of the keys in[from], in[from+2], … before to that
// equals in[k] in row i, or -1.
func sameKey(in []vector.Vector, from, to, k, i int) int {
	found := -1
	for j := from; j < to; j += 2 {
		if vector.EqualRow(in[j], i, in[k], i) {
			found = j
		}
	}
	return found
}

func rows(n int, sel []int32, f func(i int)) {
	if sel == nil {
		for i := range n {
			f(i)
		}
		return
	}
	for _, i := range sel {
		f(int(i))
	}
}
