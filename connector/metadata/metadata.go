// Package metadata builds the METADATA columns of sources that read messages:
// what stands beside a message's value, such as its offset or its time, in the
// type the table declares for it.
package metadata

import (
	"fmt"
	"strconv"
	"time"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// Columns are the metadata columns of a table, in the order of Table.Metadata.
type Columns []*Column

// Column is one of them. Its rows are appended with the method for its kind of value.
type Column struct {
	Key    string // the connector's name
	Wanted bool   // whether anything is to be appended
	typ    types.Type
	zone   *time.Location
	vec    vector.Vector
	buf    []byte
}

// New makes the columns of t. Columns that no query reads are left out: not Wanted.
func New(cx *connector.Context, t *connector.Table) (Columns, error) {
	out := make(Columns, len(t.Metadata))
	for i, m := range t.Metadata {
		typ := t.Schema.Fields[m.Column].Type
		switch typ.Kind {
		case types.Char, types.VarChar, types.Binary, types.VarBinary, types.Int, types.BigInt, types.Timestamp, types.TimestampLTZ, types.Map:
		default:
			return nil, fmt.Errorf("metadata '%s' cannot be read as %s", m.Key, typ)
		}
		out[i] = &Column{Key: m.Key, Wanted: t.Wanted == nil, typ: typ, zone: cx.Zone, vec: vector.New(typ, 0)}
		for _, w := range t.Wanted {
			out[i].Wanted = out[i].Wanted || w == m.Column
		}
	}
	return out, nil
}

// Fresh returns columns of the same kind with memory of their own.
func (cs Columns) Fresh() Columns {
	out := make(Columns, len(cs))
	for i, c := range cs {
		own := *c
		own.vec, own.buf = vector.New(c.typ, 0), nil
		out[i] = &own
	}
	return out
}

// Reset empties the columns.
func (cs Columns) Reset() {
	for _, c := range cs {
		c.vec.Resize(0)
	}
}

// Put hands the columns to recs.
func (cs Columns) Put(recs *format.Records) {
	if len(cs) == 0 {
		return
	}
	if cap(recs.Meta) < len(cs) {
		recs.Meta = make([]vector.Vector, len(cs))
	}
	recs.Meta = recs.Meta[:len(cs)]
	for i, c := range cs {
		recs.Meta[i] = c.vec
		if !c.Wanted {
			recs.Meta[i] = vector.NewConst(c.typ.OrNull(), nil, len(recs.Val))
		}
	}
}

// Null appends NULL.
func (c *Column) Null() { vector.SetNullDeep(c.vec, vector.Extend(c.vec, 1)) }

// Text appends a text.
func (c *Column) Text(s []byte) {
	if v, ok := c.vec.(*vector.Flat[string]); ok {
		v.Vals[vector.Extend(v, 1)] = v.Arena.Clone(vector.View(s))
		return
	}
	c.Null() // a number or time cannot be made of it: New lets such columns exist for other keys
}

// Int appends a number.
func (c *Column) Int(n int64) {
	switch v := c.vec.(type) {
	case *vector.Flat[int64]:
		v.Vals[vector.Extend(v, 1)] = n
	case *vector.Flat[int32]:
		if int64(int32(n)) != n {
			c.Null()
			return
		}
		v.Vals[vector.Extend(v, 1)] = int32(n)
	case *vector.Flat[string]:
		c.buf = strconv.AppendInt(c.buf[:0], n, 10)
		c.Text(c.buf)
	default:
		c.Null()
	}
}

// Time appends a time in ms since 1970. A TIMESTAMP is the local time of the session's zone.
func (c *Column) Time(ms int64) {
	v, ok := c.vec.(*vector.Flat[types.TS])
	if !ok {
		c.Int(ms)
		return
	}
	if c.typ.Kind == types.Timestamp && c.zone != nil {
		_, offset := time.UnixMilli(ms).In(c.zone).Zone()
		ms += int64(offset) * 1000
	}
	v.Vals[vector.Extend(v, 1)] = types.TSFromMs(ms)
}

// Map begins a map, whose entries Entry adds. Other types get NULL.
func (c *Column) Map() bool {
	m, ok := c.vec.(*vector.Map)
	if !ok {
		c.Null()
		return false
	}
	at := vector.Extend(m, 1)
	m.Off[at], m.Count[at] = int32(m.Keys.Len()), 0
	return true
}

// Entry adds an entry to the map that was begun last. A nil value is NULL.
func (c *Column) Entry(key, value []byte) {
	m := c.vec.(*vector.Map)
	put := func(v vector.Vector, b []byte) {
		f, ok := v.(*vector.Flat[string])
		if !ok || b == nil {
			vector.SetNullDeep(v, vector.Extend(v, 1))
			return
		}
		f.Vals[vector.Extend(f, 1)] = f.Arena.Clone(vector.View(b))
	}
	put(m.Keys, key)
	put(m.Vals, value)
	m.Count[len(m.Count)-1]++
}

// Check returns an error if a column's declared type cannot hold the metadata it
// names: numbers go into INT, BIGINT and STRING, times also into TIMESTAMP and
// TIMESTAMP_LTZ, texts into STRING and BYTES, maps into MAP.
func (cs Columns) Check(keys []types.Field) error {
	for _, c := range cs {
		var offered *types.Type
		for i := range keys {
			if keys[i].Name == c.Key {
				offered = &keys[i].Type
			}
		}
		if offered == nil {
			return fmt.Errorf("there is no metadata '%s'", c.Key)
		}
		number := c.typ.Kind == types.Int || c.typ.Kind == types.BigInt
		text := c.typ.IsChar() || c.typ.IsBinary()
		ok := false
		switch {
		case offered.IsInteger():
			ok = number || c.typ.IsChar()
		case offered.IsTimestamp():
			ok = number || c.typ.IsChar() || c.typ.IsTimestamp()
		case offered.Kind == types.Map:
			ok = c.typ.Kind == types.Map
		default:
			ok = text
		}
		if !ok {
			return fmt.Errorf("metadata '%s' is %s and cannot be read as %s", c.Key, offered, c.typ)
		}
	}
	return nil
}
