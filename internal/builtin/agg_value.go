package builtin

import (
	"container/heap"
	"encoding/binary"
	"fmt"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// aggValueFuncs give one of the values of a group.
var aggValueFuncs = []function.Def{
	{
		Name: "MAX", Group: "aggregate", Sig: "(COMPARABLE) -> COMPARABLE", Doc: "The largest value. NULL over no values.",
		Infer:     inferSame("MAX", true),
		Aggregate: &function.Aggregate{Retracts: true, EmptyIsNull: true, New: newExtreme(true)},
	},
	{
		Name: "MIN", Group: "aggregate", Sig: "(COMPARABLE) -> COMPARABLE", Doc: "The smallest value. NULL over no values.",
		Infer:     inferSame("MIN", true),
		Aggregate: &function.Aggregate{Retracts: true, EmptyIsNull: true, New: newExtreme(false)},
	},
	{
		Name: "FIRST_VALUE", Group: "aggregate", Sig: "(ANY) -> ANY", Doc: "The first value that is not NULL, in the order the rows come.",
		Infer:     inferSame("FIRST_VALUE", false),
		Aggregate: &function.Aggregate{Retracts: true, EmptyIsNull: true, Ordered: true, New: newPosition(true)},
	},
	{
		Name: "LAST_VALUE", Group: "aggregate", Sig: "(ANY) -> ANY", Doc: "The last value that is not NULL, in the order the rows come.",
		Infer:     inferSame("LAST_VALUE", false),
		Aggregate: &function.Aggregate{Retracts: true, EmptyIsNull: true, Ordered: true, New: newPosition(false)},
	},
	{
		Name: "SINGLE_VALUE", Group: "aggregate", Sig: "(ANY) -> ANY", Doc: "The only value of the group; an error if there are several.",
		Infer: inferSame("SINGLE_VALUE", false),
		Aggregate: &function.Aggregate{Retracts: true, EmptyIsNull: true, KeepsNulls: true,
			New: func(_ *function.Context, c function.AggregateCall) (function.Accumulators, error) {
				return &listAcc{elem: c.Args[0].Type, finish: finishSingle}, nil
			}},
	},
}

func inferSame(name string, comparable bool) function.Infer {
	return func(args []function.Arg) (function.Signature, error) {
		if len(args) != 1 {
			return function.Signature{}, fmt.Errorf("%s takes one argument", name)
		}
		t := args[0].Type.Plain()
		if comparable && (t.IsNested() || t.Kind == types.Raw || t.Kind == types.Variant || t.Kind == types.Bitmap) {
			return function.Signature{}, fmt.Errorf("%s takes values that can be ordered, not %s", name, t)
		}
		return function.Signature{Args: []types.Type{t}, Result: t}, nil
	}
}

// slotRow holds one value a slot in a vector, for types of any kind: a new value
// is appended, old ones are left behind until half of them are garbage.
type slotRow struct {
	typ    types.Type
	vals   vector.Vector
	at     []int32 // by slot: its row, -1 if it has none
	unused int
}

func newSlotRow(t types.Type) slotRow { return slotRow{typ: t, vals: vector.New(t, 0)} }

func (s *slotRow) resize(n int) {
	for len(s.at) < n {
		s.at = append(s.at, -1)
	}
}

func (s *slotRow) set(slot int32, v vector.Vector, i int) {
	if s.at[slot] >= 0 {
		s.unused++
	}
	s.at[slot] = int32(s.vals.Len())
	vector.CopyRow(s.vals, v, i)
	if s.unused > 1024 && s.unused*2 > s.vals.Len() {
		s.compact()
	}
}

func (s *slotRow) compact() {
	fresh := vector.New(s.typ, 0)
	for slot, at := range s.at {
		if at >= 0 {
			s.at[slot] = int32(fresh.Len())
			vector.CopyRow(fresh, s.vals, int(at))
		}
	}
	s.vals, s.unused = fresh, 0
}

func (s *slotRow) clear(slot int32) {
	if s.at[slot] >= 0 {
		s.unused++
		s.at[slot] = -1
	}
}

func (s *slotRow) result(slots []int32, out vector.Vector) {
	for _, slot := range slots {
		if at := s.at[slot]; at >= 0 {
			vector.CopyRow(out, s.vals, int(at))
		} else {
			vector.SetNullDeep(out, vector.Extend(out, 1))
		}
	}
}

func (s *slotRow) save(dst []byte, slot int32) []byte {
	if s.at[slot] < 0 {
		return append(dst, 0)
	}
	return vector.AppendRow(append(dst, 1), s.vals, int(s.at[slot]))
}

func (s *slotRow) load(slot int32, b []byte) ([]byte, error) {
	if len(b) == 0 {
		return nil, vector.ErrCorrupt
	}
	if b[0] == 0 {
		return b[1:], nil
	}
	s.at[slot] = int32(s.vals.Len())
	return vector.ReadRow(s.vals, b[1:])
}

func (s *slotRow) bytes() int64 { return int64(s.vals.Len())*24 + int64(cap(s.at))*4 }

func newExtreme(largest bool) func(*function.Context, function.AggregateCall) (function.Accumulators, error) {
	return func(_ *function.Context, c function.AggregateCall) (function.Accumulators, error) {
		if c.Retracts {
			return &extremeHeap{typ: c.Result, largest: largest}, nil
		}
		t := c.Args[0].Type
		switch t.Phys() {
		case types.PhysI8:
			return &extremeNumber[int8]{largest: largest}, nil
		case types.PhysI16:
			return &extremeNumber[int16]{largest: largest}, nil
		case types.PhysI32:
			return &extremeNumber[int32]{largest: largest}, nil
		case types.PhysI64:
			return &extremeNumber[int64]{largest: largest}, nil
		}
		return &extremeAny{best: newSlotRow(c.Result), largest: largest, nan: t.IsApprox()}, nil
	}
}

// extremeNumber is MIN and MAX of integers that are only added.
type extremeNumber[T int8 | int16 | int32 | int64] struct {
	largest bool
	best    []T
	has     []bool
}

func (a *extremeNumber[T]) Resize(n int) { a.best, a.has = grow(a.best, n), grow(a.has, n) }

func (a *extremeNumber[T]) Update(slots []int32, args []vector.Vector, rows []int32, _ []int8) error {
	vals, one := sumCell[T](args[0])
	for i, s := range slots {
		r := rows[i]
		if one {
			r = 0
		}
		if x := vals[r]; !a.has[s] || (x > a.best[s]) == a.largest && x != a.best[s] {
			a.best[s], a.has[s] = x, true
		}
	}
	return nil
}

func (a *extremeNumber[T]) Merge(to int32, other function.Accumulators, from int32) error {
	o := other.(*extremeNumber[T])
	if o.has[from] && (!a.has[to] || (o.best[from] > a.best[to]) == a.largest) {
		a.best[to], a.has[to] = o.best[from], true
	}
	return nil
}

func (a *extremeNumber[T]) Result(slots []int32, out vector.Vector) error {
	at := vector.Extend(out, len(slots))
	vals := any(out).(interface{ Values() []T }).Values()
	for i, s := range slots {
		if a.has[s] {
			vals[at+i] = a.best[s]
		} else {
			out.SetNull(at + i)
		}
	}
	return nil
}

func (a *extremeNumber[T]) Clear(slot int32) { a.has[slot] = false }

func (a *extremeNumber[T]) Save(dst []byte, slot int32) []byte {
	if !a.has[slot] {
		return append(dst, 0)
	}
	return binary.AppendVarint(append(dst, 1), int64(a.best[slot]))
}

func (a *extremeNumber[T]) Load(slot int32, b []byte) ([]byte, error) {
	if len(b) == 0 {
		return nil, vector.ErrCorrupt
	}
	if b[0] == 0 {
		return b[1:], nil
	}
	var v int64
	b, err := loadVarint(b[1:], &v)
	a.best[slot], a.has[slot] = T(v), true
	return b, err
}

func (a *extremeNumber[T]) Bytes() int64 { return int64(cap(a.best)) * 9 }

// extremeAny is MIN and MAX of other types that are only added.
type extremeAny struct {
	best    slotRow
	largest bool
	nan     bool // values may be NaN
}

// isNaN tells whether row i of FLOATs or DOUBLEs is no number.
func isNaN(v vector.Vector, i int) bool {
	switch v := v.(type) {
	case *vector.Flat[float32]:
		return v.Vals[i] != v.Vals[i]
	case *vector.Flat[float64]:
		return v.Vals[i] != v.Vals[i]
	}
	return false
}

func (a *extremeAny) Resize(n int) { a.best.resize(n) }

func (a *extremeAny) better(v vector.Vector, i int, slot int32) bool {
	if a.best.at[slot] < 0 {
		return true
	}
	if a.nan && (isNaN(v, i) || isNaN(a.best.vals, int(a.best.at[slot]))) {
		return false // as > and < have it, NaN stays only where it came first
	}
	var c int
	if s, ok := v.(*vector.Flat[string]); ok {
		have := a.best.vals.(*vector.Flat[string]).Vals[a.best.at[slot]]
		switch x := s.Vals[i]; {
		case x < have:
			c = -1
		case x > have:
			c = 1
		}
	} else {
		c = types.Compare(vector.Get(v, i), vector.Get(a.best.vals, int(a.best.at[slot])), a.best.typ)
	}
	if a.largest {
		return c > 0
	}
	return c < 0
}

func (a *extremeAny) Update(slots []int32, args []vector.Vector, rows []int32, _ []int8) error {
	v := args[0]
	for i, s := range slots {
		r := int(rows[i])
		if c, ok := v.(*vector.Const); ok {
			if a.better(c.Of, 0, s) {
				a.best.set(s, c.Of, 0)
			}
			continue
		}
		if a.better(v, r, s) {
			a.best.set(s, v, r)
		}
	}
	return nil
}

func (a *extremeAny) Merge(to int32, other function.Accumulators, from int32) error {
	o := other.(*extremeAny)
	if at := o.best.at[from]; at >= 0 && a.better(o.best.vals, int(at), to) {
		a.best.set(to, o.best.vals, int(at))
	}
	return nil
}

func (a *extremeAny) Result(slots []int32, out vector.Vector) error {
	a.best.result(slots, out)
	return nil
}
func (a *extremeAny) Clear(slot int32)                          { a.best.clear(slot) }
func (a *extremeAny) Save(dst []byte, slot int32) []byte        { return a.best.save(dst, slot) }
func (a *extremeAny) Load(slot int32, b []byte) ([]byte, error) { return a.best.load(slot, b) }
func (a *extremeAny) Bytes() int64                              { return a.best.bytes() }

// extremeHeap is MIN and MAX of values that are taken back too: a heap of the
// different values of each group, those whose count is zero left in until they come up.
type extremeHeap struct {
	typ     types.Type
	largest bool
	groups  []valueHeap
	key     []byte
	row     []byte
}

type valueHeap struct {
	heap  orderedHeap
	count map[string]heapValue // ordered key -> how often, and the value
}

type heapValue struct {
	n   int64
	row string
}

type orderedHeap []string

func (h orderedHeap) Len() int           { return len(h) }
func (h orderedHeap) Less(i, j int) bool { return h[i] < h[j] }
func (h orderedHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *orderedHeap) Push(x any)        { *h = append(*h, x.(string)) }
func (h *orderedHeap) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}

func (a *extremeHeap) Resize(n int) { a.groups = grow(a.groups, n) }

func (a *extremeHeap) add(slot int32, v vector.Vector, i int, by int64) {
	g := &a.groups[slot]
	a.key = vector.AppendOrdered(a.key[:0], v, i, a.largest, false)
	have, ok := g.count[string(a.key)]
	if !ok {
		if by < 0 {
			return
		}
		if g.count == nil {
			g.count = map[string]heapValue{}
		}
		a.row = vector.AppendRow(a.row[:0], v, i)
		have.row = string(a.row)
		key := string(a.key)
		heap.Push(&g.heap, key)
		g.count[key] = heapValue{by, have.row}
		return
	}
	have.n += by
	g.count[string(a.key)] = have
	for len(g.heap) > 0 && g.count[g.heap[0]].n <= 0 {
		delete(g.count, heap.Pop(&g.heap).(string))
	}
}

func (a *extremeHeap) Update(slots []int32, args []vector.Vector, rows []int32, signs []int8) error {
	for i, s := range slots {
		a.add(s, args[0], int(rows[i]), signOf(signs, i))
	}
	return nil
}

func (a *extremeHeap) Merge(to int32, other function.Accumulators, from int32) error {
	tmp := vector.New(a.typ, 1)
	for _, v := range other.(*extremeHeap).groups[from].count {
		tmp.Resize(0)
		if _, err := vector.ReadRow(tmp, []byte(v.row)); err != nil {
			return err
		}
		a.add(to, tmp, 0, v.n)
	}
	return nil
}

func (a *extremeHeap) Result(slots []int32, out vector.Vector) error {
	for _, s := range slots {
		g := &a.groups[s]
		if len(g.heap) == 0 {
			vector.SetNullDeep(out, vector.Extend(out, 1))
			continue
		}
		if _, err := vector.ReadRow(out, []byte(g.count[g.heap[0]].row)); err != nil {
			return err
		}
	}
	return nil
}

func (a *extremeHeap) Clear(slot int32) { a.groups[slot] = valueHeap{} }

func (a *extremeHeap) Save(dst []byte, slot int32) []byte {
	g := &a.groups[slot]
	dst = binary.AppendUvarint(dst, uint64(len(g.count)))
	for _, v := range g.count {
		dst = binary.AppendVarint(dst, v.n)
		dst = append(dst, v.row...)
	}
	return dst
}

func (a *extremeHeap) Load(slot int32, b []byte) ([]byte, error) {
	n, w := binary.Uvarint(b)
	if w <= 0 {
		return nil, vector.ErrCorrupt
	}
	b = b[w:]
	tmp := vector.New(a.typ, 1)
	for range n {
		var count int64
		var err error
		if b, err = loadVarint(b, &count); err != nil {
			return nil, err
		}
		tmp.Resize(0)
		if b, err = vector.ReadRow(tmp, b); err != nil {
			return nil, err
		}
		if count > 0 {
			a.add(slot, tmp, 0, count)
		}
	}
	return b, nil
}

func (a *extremeHeap) Bytes() int64 {
	n := int64(cap(a.groups)) * 32
	for i := range a.groups {
		n += int64(len(a.groups[i].heap)) * 96
	}
	return n
}
