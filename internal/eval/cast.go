package eval

import (
	"fmt"

	"github.com/runnelio/runnel/internal/kernel"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

func (c *compiler) castExpr(e *plan.Cast, sc *scope) (slot, error) {
	from := e.X.Type()
	if from.Kind == types.Null {
		return c.literal(&plan.Literal{T: e.T.OrNull()}), nil
	}
	if ok, _ := types.Castable(from, e.T); !ok {
		return 0, fmt.Errorf("eval: no cast from %s to %s", from, e.T)
	}
	x, err := c.value(e.X, sc)
	if err != nil {
		return 0, err
	}
	if kernel.Free(from, e.T) {
		if from.Same(e.T) {
			return x, nil
		}
		out := c.aliasOf(x, e.T)
		c.emit(sc, &retype{src: x, out: out, head: vector.New(e.T, 0)})
		return out, nil
	}
	cast, err := kernel.NewCast(from, e.T, kernel.Casts{Zone: c.cx.Zone, Try: e.Try})
	if err != nil {
		return 0, fmt.Errorf("eval: %w", err)
	}
	fn := func(in []vector.Vector, out vector.Vector, sel []int32) error { return cast(out, in[0], sel) }
	return c.strict(sc, e.T, []slot{x}, strict{fn: fn, live: !kernel.Total(from, e.T), span: e.Span}), nil
}

// aliasOf returns a slot whose value is in the memory of s.
func (c *compiler) aliasOf(s slot, t types.Type) slot {
	c.pos++
	c.use(s)
	a := c.slot(t, false)
	c.infos[a].alias = c.infos[s].alias
	return a
}

// retype shows a vector as one of another type.
type retype struct {
	src, out slot
	head     vector.Vector
	wrap     vector.Const
}

func (r *retype) run(m *machine, _ []int32) error {
	v := m.slots[r.src]
	c, constant := v.(*vector.Const)
	if constant {
		v = c.Of
	}
	switch h := r.head.(type) {
	case *vector.Flat[string]:
		share(h, v)
	case *vector.Flat[types.Dec]:
		share(h, v)
	case *vector.Flat[types.TS]:
		share(h, v)
	case *vector.Flat[bool]:
		share(h, v)
	case *vector.Flat[int8]:
		share(h, v)
	case *vector.Flat[int16]:
		share(h, v)
	case *vector.Flat[int32]:
		share(h, v)
	case *vector.Flat[int64]:
		share(h, v)
	case *vector.Flat[float32]:
		share(h, v)
	case *vector.Flat[float64]:
		share(h, v)
	case *vector.List:
		t := h.Typ
		*h = *v.(*vector.List)
		h.Typ = t
	case *vector.Map:
		t := h.Typ
		*h = *v.(*vector.Map)
		h.Typ = t
	case *vector.Row:
		t := h.Typ
		*h = *v.(*vector.Row)
		h.Typ = t
	}
	m.slots[r.out] = r.head
	if constant {
		r.wrap = vector.Const{Of: r.head, N: m.n}
		m.slots[r.out] = &r.wrap
	}
	return nil
}

func share[T vector.Elem](head *vector.Flat[T], v vector.Vector) {
	src := v.(*vector.Flat[T])
	head.Vals, head.Null = src.Vals, src.Null
}
