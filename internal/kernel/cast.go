package kernel

import (
	"fmt"
	"time"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// A Cast converts the rows of src named by sel (all if nil), which is flat and
// has no NULL among them (but see Total), into dst, which is sized and typed. It marks NULL
// what has no value. An error is a *function.RowError of the first row that can
// not be converted; rows behind it are not computed. A Cast is not safe for
// concurrent use.
type Cast func(dst, src vector.Vector, sel []int32) error

// Casts says how casts are made.
type Casts struct {
	Zone *time.Location // the session's, UTC if nil
	Try  bool           // TRY_CAST: NULL in place of an error
}

// Free tells whether a cast changes the type alone, and no value.
func Free(from, to types.Type) bool {
	if from.Kind != to.Kind {
		switch {
		case from.Kind == types.Char && to.Kind == types.VarChar, from.Kind == types.Binary && to.Kind == types.VarBinary:
			return from.Prec <= to.Prec
		}
		return false
	}
	switch from.Kind {
	case types.Char, types.Binary:
		return from.Prec == to.Prec
	case types.VarChar, types.VarBinary, types.Time, types.Timestamp, types.TimestampLTZ:
		return from.Prec <= to.Prec
	case types.Decimal:
		return from.Scale == to.Scale && from.Prec <= to.Prec
	case types.Array, types.Multiset:
		return Free(*from.Elem, *to.Elem)
	case types.Map:
		return Free(*from.Key, *to.Key) && Free(*from.Elem, *to.Elem)
	case types.Row:
		if len(from.Fields) != len(to.Fields) {
			return false
		}
		for i := range from.Fields {
			if !Free(from.Fields[i].Type, to.Fields[i].Type) {
				return false
			}
		}
	case types.Raw:
		return from.Class == to.Class
	}
	return true
}

// NewCast returns the loop of CAST from one type to another, or an error if
// there is no such cast. The common pairs have loops of their own, all others
// go through types.CastValue row by row; all give what that gives.
func NewCast(from, to types.Type, how Casts) (Cast, error) {
	if ok, _ := types.Castable(from, to); !ok {
		return nil, fmt.Errorf("no cast from %s to %s", from, to)
	}
	c := &caster{from: from, to: to, how: how}
	var loop Cast
	switch {
	case to.IsChar():
		loop = c.toText()
	case from.IsChar():
		loop = c.fromText()
	case from.IsNumeric() || from.Kind == types.Boolean:
		loop = c.fromNumber()
	case from.IsTemporal():
		loop = c.fromTime()
	}
	if loop == nil {
		loop = c.slow
	}
	return loop, nil
}

// caster makes the loop of one cast and its errors.
type caster struct {
	from, to types.Type
	how      Casts
}

// bad handles row i, which can not be converted: it is NULL, or an error.
func (c *caster) bad(dst, src vector.Vector, i int) error {
	if c.how.Try {
		dst.SetNull(i)
		return nil
	}
	_, err := types.CastValue(vector.Get(src, i), c.from, c.to, c.how.Zone, false)
	if err == nil {
		err = fmt.Errorf("%w: no %s", types.ErrCast, c.to.Kind)
	}
	return &function.RowError{Row: i, Err: err}
}

// slow converts boxed values.
func (c *caster) slow(dst, src vector.Vector, sel []int32) error {
	var err error
	eachChecked(dst.Len(), sel, func(i int) bool {
		var v types.Value
		if v, err = types.CastValue(vector.Get(src, i), c.from, c.to, c.how.Zone, c.how.Try); err != nil {
			err = &function.RowError{Row: i, Err: err}
			return false
		}
		vector.Put(dst, i, v)
		return true
	})
	return err
}

// Total tells whether the cast gives a value for any bits, so that it may be
// computed for NULL rows too.
func Total(from, to types.Type) bool {
	plain := func(t types.Type) bool { return t.IsInteger() || t.IsApprox() || t.Kind == types.Boolean }
	return plain(from) && plain(to)
}
