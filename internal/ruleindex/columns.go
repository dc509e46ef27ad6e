package ruleindex

import (
	"errors"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

func rowOf(err error) (int32, bool) {
	var re *function.RowError
	if errors.As(err, &re) {
		return int32(re.Row), true
	}
	return 0, false
}

// column appends the sets of field f for the given rows of b.
func (t *Task) column(x *segTask, f int32, b *vector.Batch, rows []int32, dst []int32) []int32 {
	fd := x.seg.fields[f]
	if fd.class == anyField {
		return t.anyColumn(x, f, b, rows, dst)
	}
	in := &t.ix.inputs[fd.input]
	if in.Column < 0 {
		null := x.nullSet(f)
		for range rows {
			dst = append(dst, null)
		}
		return dst
	}
	v := b.Cols[in.Column]
	if c, ok := v.(*vector.Const); ok {
		set := t.one(x, f, fd, c.Of, 0, in.Type)
		for range rows {
			dst = append(dst, set)
		}
		return dst
	}
	if fd.class == textField {
		if s, ok := v.(*vector.Flat[string]); ok && isText(in.Type) {
			for _, r := range rows {
				if s.Null.Get(int(r)) {
					dst = append(dst, x.nullSet(f))
				} else {
					dst = append(dst, x.textSet(f, s.Vals[r], false))
				}
			}
			return dst
		}
	} else {
		switch v := v.(type) {
		case *vector.Flat[int32]:
			return ints(x, f, v, rows, dst)
		case *vector.Flat[int64]:
			return ints(x, f, v, rows, dst)
		}
	}
	for _, r := range rows {
		dst = append(dst, t.one(x, f, fd, v, int(r), in.Type))
	}
	return dst
}

func ints[T int32 | int64](x *segTask, f int32, v *vector.Flat[T], rows, dst []int32) []int32 {
	for _, r := range rows {
		if v.Null.Get(int(r)) {
			dst = append(dst, x.nullSet(f))
		} else {
			dst = append(dst, x.orderSet(f, intKey(int64(v.Vals[r]))))
		}
	}
	return dst
}

// one is the set of field f for row r of a flat vector.
func (t *Task) one(x *segTask, f int32, fd *field, v vector.Vector, r int, typ types.Type) int32 {
	if v.IsNull(r) {
		return x.nullSet(f)
	}
	if fd.class == textField {
		return x.textSet(f, t.textOf(v, r, typ), false)
	}
	if k, ok := vectorKey(v, r); ok {
		return x.orderSet(f, k)
	}
	return 0 // NaN: no comparison with a number holds
}

// vectorKey is keyOf without boxing.
func vectorKey(v vector.Vector, r int) (orderKey, bool) {
	switch v := v.(type) {
	case *vector.Flat[bool]:
		if v.Vals[r] {
			return intKey(1), true
		}
		return intKey(0), true
	case *vector.Flat[int8]:
		return intKey(int64(v.Vals[r])), true
	case *vector.Flat[int16]:
		return intKey(int64(v.Vals[r])), true
	case *vector.Flat[int32]:
		return intKey(int64(v.Vals[r])), true
	case *vector.Flat[int64]:
		return intKey(v.Vals[r]), true
	case *vector.Flat[float32]:
		f := float64(v.Vals[r])
		return floatKey(f), f == f
	case *vector.Flat[float64]:
		f := v.Vals[r]
		return floatKey(f), f == f
	case *vector.Flat[types.TS]:
		return tsKey(v.Vals[r]), true
	case *vector.Flat[types.Dec]:
		return decKey(v.Vals[r]), true
	}
	return orderKey{}, false
}

// textOf is the text of a value, valid until the next call.
func (t *Task) textOf(v vector.Vector, r int, typ types.Type) string {
	if s, ok := v.(*vector.Flat[string]); ok && isText(typ) {
		return s.Vals[r]
	}
	t.text = appendText(t.text[:0], v, r, typ)
	return vector.View(t.text)
}

func appendText(dst []byte, v vector.Vector, r int, typ types.Type) []byte {
	if b, ok := v.(*vector.Flat[bool]); ok { // as in JSON
		if b.Vals[r] {
			return append(dst, "true"...)
		}
		return append(dst, "false"...)
	}
	return types.AppendCast(dst, vector.Get(v, r), typ, nil)
}

// anyColumn appends, for each row, the union of the sets of all its values.
func (t *Task) anyColumn(x *segTask, f int32, b *vector.Batch, rows []int32, dst []int32) []int32 {
	for _, r := range rows {
		var u union
		for c, v := range b.Cols {
			if len(t.ix.hidden) > 0 && t.ix.hidden[t.ix.schema.Fields[c].Name] {
				continue
			}
			i := int(r)
			if k, ok := v.(*vector.Const); ok {
				v, i = k.Of, 0
			}
			if !v.IsNull(i) {
				u.add(x, x.textSet(f, t.textOf(v, i, t.ix.schema.Fields[c].Type), false))
			}
		}
		dst = append(dst, u.set)
	}
	return dst
}

// union adds up sets.
type union struct{ set int32 }

func (u *union) add(x *segTask, set int32) {
	switch {
	case set == 0 || set == u.set:
	case u.set == 0:
		u.set = set
	default:
		x.buf = append(append(x.buf[:0], x.sets.get(u.set)...), x.sets.get(set)...)
		u.set = x.internSorted(x.buf)
	}
}

// batchValues are the values of a row for Cond.Holds.
type batchValues struct {
	b      *vector.Batch
	ix     *Index
	schema *types.Schema
	row    int32
}

// Values implements Values.
func (v batchValues) Values(field string, f func(text string) bool) {
	for c, fd := range v.schema.Fields {
		if field != "" && fd.Name != field || field == "" && v.ix.hidden[fd.Name] {
			continue
		}
		col, i := v.b.Cols[c], int(v.row)
		if k, ok := col.(*vector.Const); ok {
			col, i = k.Of, 0
		}
		if col.IsNull(i) {
			continue
		}
		var text string
		if s, ok := col.(*vector.Flat[string]); ok && isText(fd.Type) {
			text = s.Vals[i]
		} else {
			text = string(appendText(nil, col, i, fd.Type))
		}
		if !f(text) {
			return
		}
	}
}
