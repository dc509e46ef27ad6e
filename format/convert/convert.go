// Package convert turns the text of a field of a message into a value of a
// vector, and back, for the formats whose fields are all text. The rules are
// those of Flink's CSV format: blanks around numbers are cut, every text but
// "true" is FALSE, bytes are base64, times are as in SQL.
package convert

import (
	"encoding/base64"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// A Converter reads values of one type. It belongs to one goroutine.
type Converter struct {
	t    types.Type
	o    Options
	elem []*Converter // of an array, or the fields of a row
}

// Options are what formats differ in.
type Options struct {
	Timestamps types.TimestampFormat
	// NullLiteral is the text that means NULL, if HasNull.
	NullLiteral string
	HasNull     bool
	// Elements stands between the elements of arrays and the fields of rows; a
	// format that has neither leaves it empty.
	Elements string
}

// New returns a Converter, or an error if there are no texts of the type.
func New(t types.Type, o Options) (*Converter, error) {
	c := &Converter{t: t, o: o}
	var parts []types.Type
	switch t.Kind {
	case types.Variant, types.Bitmap, types.Raw, types.Symbol, types.Descriptor, types.Null, types.Map, types.Multiset:
		return nil, fmt.Errorf("the format has no values of type %s", t)
	case types.Array:
		parts = []types.Type{*t.Elem}
	case types.Row:
		for _, f := range t.Fields {
			parts = append(parts, f.Type)
		}
	}
	if parts != nil && o.Elements == "" {
		return nil, fmt.Errorf("the format has no values of type %s", t)
	}
	for _, p := range parts {
		if p.IsNested() {
			return nil, fmt.Errorf("the format has no values of type %s: what is in an array or row cannot be nested again", t)
		}
		e, err := New(p, o)
		if err != nil {
			return nil, err
		}
		c.elem = append(c.elem, e)
	}
	return c, nil
}

// Put stores the value that s is the text of in row i of out. The string is
// kept as it is: it must live as long as the vector's values are read.
func (c *Converter) Put(out vector.Vector, i int, s string) error {
	if c.o.HasNull && s == c.o.NullLiteral {
		vector.SetNullDeep(out, i)
		return nil
	}
	ok := true
	switch v := out.(type) {
	case *vector.Flat[string]:
		if !c.t.IsBinary() {
			v.Vals[i] = s
			return nil
		}
		room := v.Arena.Grow(base64.StdEncoding.DecodedLen(len(s)))
		n, err := base64.StdEncoding.Decode(room[:cap(room)], []byte(s))
		if ok = err == nil; ok {
			v.Vals[i] = v.Arena.Take(room[:n])
		}
	case *vector.Flat[bool]:
		v.Vals[i] = strings.EqualFold(Trim(s), "true")
	case *vector.Flat[int8]:
		var n int64
		n, ok = Whole(Trim(s), 8)
		v.Vals[i] = int8(n)
	case *vector.Flat[int16]:
		var n int64
		n, ok = Whole(Trim(s), 16)
		v.Vals[i] = int16(n)
	case *vector.Flat[int32]:
		v.Vals[i], ok = c.int32(Trim(s))
	case *vector.Flat[int64]:
		v.Vals[i], ok = Whole(Trim(s), 64)
	case *vector.Flat[float32]:
		v.Vals[i], ok = types.ParseFloat(Trim(s))
	case *vector.Flat[float64]:
		v.Vals[i], ok = types.ParseDouble(Trim(s))
	case *vector.Flat[types.Dec]:
		var null bool
		if v.Vals[i], null, ok = Decimal(Trim(s), c.t.Prec, c.t.Scale); null {
			v.SetNull(i)
		}
	case *vector.Flat[types.TS]:
		v.Vals[i], ok = c.timestamp(s)
	case *vector.List:
		return c.list(v, i, s)
	case *vector.Row:
		return c.row(v, i, s)
	}
	if !ok {
		if len(s) > 60 {
			s = s[:60] + "…"
		}
		return fmt.Errorf("'%s' is no %s", s, c.t.Kind)
	}
	return nil
}

func (c *Converter) int32(s string) (int32, bool) {
	switch c.t.Kind {
	case types.Date:
		return types.ParseFormatDate(s)
	case types.Time:
		ms, ok := types.ParseFormatTime(s)
		return types.TruncateTime(ms, c.t.Prec), ok
	}
	n, ok := Whole(s, 32)
	return int32(n), ok
}

func (c *Converter) timestamp(s string) (t types.TS, ok bool) {
	if c.t.Kind == types.TimestampLTZ {
		t, ok = types.ParseFormatTimestampLTZ(s, c.o.Timestamps)
	} else {
		t, ok = types.ParseFormatTimestamp(s, c.o.Timestamps)
	}
	return t.Truncate(c.t.Prec), ok
}

func (c *Converter) list(out *vector.List, i int, s string) error {
	out.Off[i], out.Count[i] = int32(out.Child.Len()), 0
	if s == "" {
		return nil
	}
	for part := range strings.SplitSeq(s, c.o.Elements) {
		at := vector.Extend(out.Child, 1)
		out.Count[i]++
		if err := c.elem[0].Put(out.Child, at, part); err != nil {
			return err
		}
	}
	return nil
}

func (c *Converter) row(out *vector.Row, i int, s string) error {
	parts := strings.Split(s, c.o.Elements)
	if len(parts) != len(c.elem) {
		return fmt.Errorf("a row of %d fields has %d", len(c.elem), len(parts))
	}
	for f, part := range parts {
		if err := c.elem[f].Put(out.Cols[f], i, part); err != nil {
			return fmt.Errorf("%s: %w", c.t.Fields[f].Name, err)
		}
	}
	return nil
}

// Trim cuts blanks and control characters, as String.trim of Java.
func Trim(s string) string {
	for s != "" && s[0] <= ' ' {
		s = s[1:]
	}
	for s != "" && s[len(s)-1] <= ' ' {
		s = s[:len(s)-1]
	}
	return s
}

// Whole reads digits with an optional sign, of at most bits bits.
func Whole(s string, bits uint) (int64, bool) {
	i, neg := 0, false
	if s != "" && (s[0] == '-' || s[0] == '+') {
		neg = s[0] == '-'
		i = 1
	}
	if i == len(s) {
		return 0, false
	}
	limit := uint64(1) << (bits - 1)
	if !neg {
		limit--
	}
	var n uint64
	for ; i < len(s); i++ {
		c := uint64(s[i]) - '0'
		if c > 9 || n > limit/10 {
			return 0, false
		}
		if n = n*10 + c; n > limit {
			return 0, false
		}
	}
	if neg {
		return -int64(n), true
	}
	return int64(n), true
}

// Decimal reads a DECIMAL(p, s), rounding half up; one that has too many digits
// is NULL.
func Decimal(text string, p, s int) (d types.Dec, null, ok bool) {
	if d, ok = types.ParseDec(text, p, s); ok {
		return d, false, true
	}
	f, ok := types.ParseDouble(text)
	if !ok || math.IsNaN(f) || math.IsInf(f, 0) && strings.ContainsAny(text, "yI") || text == "" || strings.ContainsAny(text, "xXpP") || text[len(text)-1] > '9' {
		return d, false, false // 1f and 0x1p3 are numbers of Java, but no decimals
	}
	return d, true, true
}

// AppendDecimal appends d without trailing zeros, as Java's BigDecimal prints
// it: 10.00 is 1E+1, and 10 if plain is set.
func AppendDecimal(dst []byte, d types.Dec, scale int, plain bool) []byte {
	if d.IsZero() {
		return append(dst, '0')
	}
	var buf [48]byte
	digits := types.AppendDec(buf[:0], d.Abs(), 0)
	for digits[len(digits)-1] == '0' {
		digits = digits[:len(digits)-1]
		scale--
	}
	if d.Sign() < 0 {
		dst = append(dst, '-')
	}
	exp := len(digits) - 1 - scale // of the first digit
	switch {
	case scale >= 0 && exp < 0 && (exp >= -6 || plain):
		dst = append(dst, "0."...)
		for range -exp - 1 {
			dst = append(dst, '0')
		}
		return append(dst, digits...)
	case scale >= 0 && exp >= 0:
		dst = append(dst, digits[:exp+1]...)
		if scale > 0 {
			dst = append(append(dst, '.'), digits[exp+1:]...)
		}
		return dst
	case plain:
		dst = append(dst, digits...)
		for range -scale {
			dst = append(dst, '0')
		}
		return dst
	}
	dst = append(dst, digits[0])
	if len(digits) > 1 {
		dst = append(append(dst, '.'), digits[1:]...)
	}
	dst = append(dst, 'E')
	if exp > 0 {
		dst = append(dst, '+')
	}
	return strconv.AppendInt(dst, int64(exp), 10)
}

// Append appends the text of the value in row i of v, of type t, which is no
// collection, row or NULL. text tells that it is a text, not a number or boolean.
func Append(dst []byte, v vector.Vector, t types.Type, i int, f types.TimestampFormat, plainDecimals bool) (out []byte, text bool) {
	if c, ok := v.(*vector.Const); ok {
		v, i = c.Of, 0
	}
	switch v := v.(type) {
	case *vector.Flat[string]:
		if t.IsBinary() {
			return base64.StdEncoding.AppendEncode(dst, []byte(v.Vals[i])), true
		}
		return append(dst, v.Vals[i]...), true
	case *vector.Flat[bool]:
		return strconv.AppendBool(dst, v.Vals[i]), false
	case *vector.Flat[int8]:
		return strconv.AppendInt(dst, int64(v.Vals[i]), 10), false
	case *vector.Flat[int16]:
		return strconv.AppendInt(dst, int64(v.Vals[i]), 10), false
	case *vector.Flat[int32]:
		switch t.Kind {
		case types.Date:
			return types.AppendDate(dst, v.Vals[i]), true
		case types.Time:
			return types.AppendFormatTime(dst, v.Vals[i]), true
		}
		return strconv.AppendInt(dst, int64(v.Vals[i]), 10), false
	case *vector.Flat[int64]:
		return strconv.AppendInt(dst, v.Vals[i], 10), false
	case *vector.Flat[float32]:
		return types.AppendFloat(dst, v.Vals[i]), false
	case *vector.Flat[float64]:
		return types.AppendDouble(dst, v.Vals[i]), false
	case *vector.Flat[types.Dec]:
		return AppendDecimal(dst, v.Vals[i], t.Scale, plainDecimals), false
	case *vector.Flat[types.TS]:
		dst = types.AppendFormatTS(dst, v.Vals[i].Truncate(t.Prec), f)
		if t.Kind == types.TimestampLTZ {
			dst = append(dst, 'Z')
		}
		return dst, true
	}
	return dst, true
}
