package aggregate

import (
	"encoding/binary"
	"slices"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// Calls is the state of several aggregate calls for many groups: a group is a
// slot, dense from 0. FILTER, the NULL rule and DISTINCT are its business. It
// belongs to one task.
type Calls struct {
	calls   []call
	views   []view
	retract bool
	scratch []byte
}

// view is the distinct values that calls over the same arguments share.
type view struct {
	*distinct
	args     []int
	skipNull bool
	vectors  []vector.Vector
	// partly: every call has a filter, so that a value may come that none counts.
	partly bool
}

// call is one aggregate call with its state.
type call struct {
	plan.AggCall
	acc      function.Accumulators
	distinct *distinct // shared, see Calls.views; nil without DISTINCT
	place    int       // in distinct
	args     []vector.Vector
	rows     []int32
	slots    []int32
	signs    []int8
}

// NewCalls makes the state of calls. retracts tells that rows will be taken back.
func NewCalls(calls []plan.AggCall, retracts bool, cx *function.Context) (*Calls, error) {
	c := &Calls{calls: make([]call, len(calls)), retract: retracts}
	for i, a := range calls {
		acc, err := NewAccumulators(a, retracts, cx)
		if err != nil {
			if a.Span.IsZero() {
				return nil, err
			}
			return nil, diag.At(a.Span, diag.Unsupported, "%w", err)
		}
		c.calls[i] = call{AggCall: a, acc: acc, args: make([]vector.Vector, len(a.Args))}
		if a.Distinct {
			c.share(&c.calls[i])
		}
	}
	return c, nil
}

// share gives a DISTINCT call the view of those over the same arguments.
func (c *Calls) share(x *call) {
	skip := !x.Fn.Aggregate.KeepsNulls && len(x.Args) > 0
	for i := range c.views {
		v := &c.views[i]
		if v.skipNull == skip && slices.Equal(v.args, x.Args) {
			v.partly = v.partly && x.Filter >= 0
			x.distinct, x.place = v.distinct, v.join()
			return
		}
	}
	d := newDistinct()
	c.views = append(c.views, view{distinct: d, args: x.Args, skipNull: skip, vectors: make([]vector.Vector, len(x.Args)), partly: x.Filter >= 0})
	x.distinct, x.place = d, d.join()
}

// NewAccumulators makes the state of one call.
func NewAccumulators(c plan.AggCall, retracts bool, cx *function.Context) (function.Accumulators, error) {
	args := make([]function.Arg, len(c.ArgTypes))
	for i, t := range c.ArgTypes {
		args[i].Type = t
		if v, ok := c.Consts[i]; ok {
			args[i].Const, args[i].Value = true, v
		}
	}
	return c.Fn.Aggregate.New(cx, function.AggregateCall{Args: args, Result: c.T, Retracts: retracts})
}

// Vectors returns an empty vector for the results of each call.
func (c *Calls) Vectors() []vector.Vector {
	out := make([]vector.Vector, len(c.calls))
	for i := range c.calls {
		out[i] = vector.New(c.calls[i].T, 0)
	}
	return out
}

// Types are the result types of the calls.
func (c *Calls) Types() []types.Type {
	out := make([]types.Type, len(c.calls))
	for i := range c.calls {
		out[i] = c.calls[i].T
	}
	return out
}

// Resize makes room for slots numbered below n.
func (c *Calls) Resize(n int) {
	for i := range c.calls {
		c.calls[i].acc.Resize(n)
	}
}

// Update adds rows of b, or takes them back where signs is -1 (signs is nil if
// all are added): rows[i] to group slots[i], in order.
func (c *Calls) Update(b *vector.Batch, rows, slots []int32, signs []int8) error {
	if !c.retract {
		signs = nil
	}
	for _, v := range c.views {
		for i, a := range v.args {
			v.vectors[i] = b.Cols[a]
		}
		v.find(rows, slots, v.vectors, v.skipNull)
	}
	for i := range c.calls {
		if err := c.calls[i].update(b, rows, slots, signs); err != nil {
			return err
		}
	}
	for _, v := range c.views {
		if c.retract || v.partly {
			v.settle(slots)
		}
	}
	return nil
}

// update feeds the rows that the call's filter, NULL rule and DISTINCT let through.
func (c *call) update(b *vector.Batch, rows, slots []int32, signs []int8) error {
	args := c.args
	for i, a := range c.Args {
		args[i] = b.Cols[a]
	}
	var filter *vector.Flat[bool]
	if c.Filter >= 0 {
		switch f := b.Cols[c.Filter].(type) {
		case *vector.Const:
			if f.IsNull(0) || !f.Of.(*vector.Flat[bool]).Vals[0] {
				return nil
			}
		case *vector.Flat[bool]:
			filter = f
		}
	}
	skipNull := !c.Fn.Aggregate.KeepsNulls && len(args) > 0
	if filter == nil && !skipNull && c.distinct == nil {
		return c.acc.Update(slots, args, rows, signs)
	}
	c.rows, c.slots, c.signs = c.rows[:0], c.slots[:0], c.signs[:0]
	for j, r := range rows {
		i := int(r)
		if filter != nil && (filter.IsNull(i) || !filter.Vals[i]) {
			continue
		}
		if skipNull && args[0].IsNull(i) {
			continue
		}
		sign := int8(1)
		if signs != nil {
			sign = signs[j]
		}
		if c.distinct != nil && !c.distinct.change(c.place, j, sign) {
			continue
		}
		c.rows = append(c.rows, r)
		c.slots = append(c.slots, slots[j])
		c.signs = append(c.signs, sign)
	}
	if len(c.rows) == 0 {
		return nil
	}
	if signs == nil {
		return c.acc.Update(c.slots, args, c.rows, nil)
	}
	return c.acc.Update(c.slots, args, c.rows, c.signs)
}

// Results puts the result of each named slot into into, one vector a call,
// which it empties first: row j is the result of slots[j].
func (c *Calls) Results(slots []int32, into []vector.Vector) error {
	for i := range c.calls {
		into[i].Resize(0)
		if err := c.calls[i].acc.Result(slots, into[i]); err != nil {
			return err
		}
	}
	return nil
}

// Merge adds slot from of other, which has the same calls, to slot to.
func (c *Calls) Merge(to int32, other *Calls, from int32) error {
	for i := range c.calls {
		x, o := &c.calls[i], &other.calls[i]
		if x.distinct == nil {
			if err := x.acc.Merge(to, o.acc, from); err != nil {
				return err
			}
			continue
		}
		if err := x.mergeDistinct(to, o, from); err != nil {
			return err
		}
	}
	return nil
}

// mergeDistinct adds the values of other's group that the group to has not seen.
func (c *call) mergeDistinct(to int32, other *call, from int32) error {
	args := make([]vector.Vector, len(c.Args))
	for i, t := range c.ArgTypes {
		args[i] = vector.New(t, 0)
	}
	n := int32(0)
	c.rows, c.slots = c.rows[:0], c.slots[:0]
	err := other.distinct.each(from, func(e int32) error {
		count := other.distinct.count[int(e)*other.distinct.calls+other.place]
		if count == 0 {
			return nil
		}
		value := other.distinct.table.Key(e)[4:]
		mine := int(c.distinct.entry(to, value))*c.distinct.calls + c.place
		if c.distinct.count[mine] == 0 {
			src := value
			for _, a := range args {
				var err error
				if src, err = vector.ReadRow(a, src); err != nil {
					return err
				}
			}
			c.rows, c.slots = append(c.rows, n), append(c.slots, to)
			n++
		}
		c.distinct.count[mine] += count
		return nil
	})
	if err != nil {
		return err
	}
	if n == 0 {
		return nil
	}
	return c.acc.Update(c.slots, args, c.rows, nil)
}

// Clear makes a slot the empty group again.
func (c *Calls) Clear(slot int32) {
	for i := range c.calls {
		c.calls[i].acc.Clear(slot)
	}
	for _, v := range c.views {
		v.clear(slot)
	}
}

// Save appends the state of a slot to dst.
func (c *Calls) Save(dst []byte, slot int32) []byte {
	for i := range c.calls {
		// The length stands in front; nearly always it is one byte, and nothing moves.
		at := len(dst) + 1
		dst = c.calls[i].acc.Save(append(dst, 0), slot)
		if n := len(dst) - at; n < 0x80 {
			dst[at-1] = byte(n)
		} else {
			c.scratch = append(c.scratch[:0], dst[at:]...)
			dst = append(binary.AppendUvarint(dst[:at-1], uint64(n)), c.scratch...)
		}
	}
	for _, v := range c.views {
		dst = v.save(dst, slot)
	}
	return dst
}

// Load reads what Save wrote into an empty slot and returns what is left of src.
func (c *Calls) Load(slot int32, src []byte) ([]byte, error) {
	for i := range c.calls {
		size, w := binary.Uvarint(src)
		if w <= 0 || uint64(len(src)-w) < size {
			return nil, vector.ErrCorrupt
		}
		src = src[w:]
		if _, err := c.calls[i].acc.Load(slot, src[:size]); err != nil {
			return nil, err
		}
		src = src[size:]
	}
	for _, v := range c.views {
		var err error
		if src, err = v.load(slot, src); err != nil {
			return nil, err
		}
	}
	return src, nil
}

// Bytes is about how much memory the state holds.
func (c *Calls) Bytes() int64 {
	var n int64
	for i := range c.calls {
		n += c.calls[i].acc.Bytes()
	}
	for _, v := range c.views {
		n += v.bytes()
	}
	return n
}
