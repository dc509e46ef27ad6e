package kernel

import (
	"strconv"

	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// toText returns the loop of a cast to CHAR or VARCHAR.
func (c *caster) toText() Cast {
	if c.from.IsChar() {
		return c.fitText
	}
	prec := c.from.Prec
	switch c.from.Kind {
	case types.Boolean:
		return text(c, types.AppendBool)
	case types.TinyInt:
		return text(c, appendInt[int8])
	case types.SmallInt:
		return text(c, appendInt[int16])
	case types.Int:
		return text(c, appendInt[int32])
	case types.BigInt:
		return text(c, appendInt[int64])
	case types.Float:
		return text(c, types.AppendFloat)
	case types.Double:
		return text(c, types.AppendDouble)
	case types.Decimal:
		scale := c.from.Scale
		return text(c, func(dst []byte, v types.Dec) []byte { return types.AppendDec(dst, v, scale) })
	case types.Date:
		return text(c, types.AppendDate)
	case types.Time:
		return text(c, func(dst []byte, v int32) []byte { return types.AppendTime(dst, v, prec) })
	case types.Timestamp:
		return text(c, func(dst []byte, v types.TS) []byte { return types.AppendCastTS(dst, v, prec) })
	case types.TimestampLTZ:
		zone := types.NewZone(c.how.Zone)
		return text(c, func(dst []byte, v types.TS) []byte { return types.AppendCastTS(dst, zone.ToLocal(v), prec) })
	case types.IntervalDS:
		return text(c, types.AppendIntervalDS)
	case types.IntervalYM:
		return text(c, types.AppendIntervalYM)
	case types.Binary, types.VarBinary:
		return text(c, types.AppendUTF8)
	}
	return c.anyText
}

func appendInt[T Integer](dst []byte, v T) []byte { return strconv.AppendInt(dst, int64(v), 10) }

// text is a cast to text by a function that appends it, right into the arena.
func text[S vector.Elem](c *caster, f func(dst []byte, v S) []byte) Cast {
	return func(dst, src vector.Vector, sel []int32) error {
		d, s := dst.(*vector.Flat[string]), src.(*vector.Flat[S]).Vals
		each(len(d.Vals), sel, func(i int) {
			d.Vals[i] = c.fit(d, d.Arena.Take(f(d.Arena.Grow(32), s[i])))
		})
		return nil
	}
}

// anyText is text for nested and encoded values.
func (c *caster) anyText(dst, src vector.Vector, sel []int32) error {
	d := dst.(*vector.Flat[string])
	each(len(d.Vals), sel, func(i int) {
		b := types.AppendCast(d.Arena.Grow(64), vector.Get(src, i), c.from, c.how.Zone)
		d.Vals[i] = c.fit(d, d.Arena.Take(b))
	})
	return nil
}

// fitText gives texts another length.
func (c *caster) fitText(dst, src vector.Vector, sel []int32) error {
	d, s := dst.(*vector.Flat[string]), src.(*vector.Flat[string]).Vals
	each(len(d.Vals), sel, func(i int) { d.Vals[i] = c.fit(d, s[i]) })
	return nil
}

// fit is types.FitString without an allocation: padding goes to the arena.
func (c *caster) fit(dst *vector.Flat[string], s string) string {
	t := c.to
	if t.Prec == types.MaxLength || t.Kind == types.VarChar && len(s) <= t.Prec {
		return s
	}
	n := 0
	for i := range s {
		if n == t.Prec {
			return s[:i]
		}
		n++
	}
	if t.Kind != types.Char || n == t.Prec {
		return s
	}
	b := append(dst.Arena.Grow(len(s)+t.Prec-n), s...)
	for ; n < t.Prec; n++ {
		b = append(b, ' ')
	}
	return dst.Arena.Take(b)
}

// fromText returns the loop of a cast from text to what is no text.
func (c *caster) fromText() Cast {
	to := c.to
	switch to.Kind {
	case types.Boolean:
		return parse(c, types.ParseBool[string])
	case types.TinyInt:
		return parse(c, func(s string) (int8, bool) { n, ok := types.ParseInt(s, 8); return int8(n), ok })
	case types.SmallInt:
		return parse(c, func(s string) (int16, bool) { n, ok := types.ParseInt(s, 16); return int16(n), ok })
	case types.Int:
		return parse(c, func(s string) (int32, bool) { n, ok := types.ParseInt(s, 32); return int32(n), ok })
	case types.BigInt:
		return parse(c, func(s string) (int64, bool) { return types.ParseInt(s, 64) })
	case types.Float:
		return parse(c, types.ParseFloat[string])
	case types.Double:
		return parse(c, types.ParseDouble[string])
	case types.Decimal:
		return parse(c, func(s string) (types.Dec, bool) { return types.ParseDec(s, to.Prec, to.Scale) })
	case types.Date:
		return parse(c, types.ParseDate[string])
	case types.Time:
		return parse(c, func(s string) (int32, bool) { return types.ParseTime(s, to.Prec) })
	case types.Timestamp:
		return parse(c, func(s string) (types.TS, bool) { return types.ParseTimestamp(s, to.Prec) })
	case types.TimestampLTZ:
		zone := types.NewZone(c.how.Zone)
		return parse(c, func(s string) (types.TS, bool) {
			ts, ok := types.ParseTimestamp(s, to.Prec)
			return zone.ToUTC(ts), ok
		})
	}
	return nil
}

// parse is a cast from text by a function that reads it.
func parse[D vector.Elem](c *caster, f func(s string) (D, bool)) Cast {
	return func(dst, src vector.Vector, sel []int32) error {
		d, s := dst.(*vector.Flat[D]).Vals, src.(*vector.Flat[string]).Vals
		var err error
		eachChecked(len(d), sel, func(i int) bool {
			v, ok := f(s[i])
			if d[i] = v; !ok {
				err = c.bad(dst, src, i)
			}
			return err == nil
		})
		return err
	}
}
