package json

import (
	"encoding/base64"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/runnelio/runnel/format/convert"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// The functions of this file turn the text of one value into a Go value. They
// take what a Java program takes through Jackson: a number in quotes is a
// number, a number is a text, every text but "true" is FALSE.

// isNumber tells whether b is a JSON number, and whether it is a whole one
// without fraction and exponent.
func isNumber(b []byte) (whole, ok bool) {
	i := 0
	if i < len(b) && b[i] == '-' {
		i++
	}
	digits := func() bool {
		from := i
		for i < len(b) && b[i]-'0' < 10 {
			i++
		}
		return i > from
	}
	zero := i < len(b) && b[i] == '0'
	from := i
	if !digits() || zero && i > from+1 {
		return false, false
	}
	whole = true
	if i < len(b) && b[i] == '.' {
		whole = false
		if i++; !digits() {
			return false, false
		}
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		whole = false
		if i++; i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		if !digits() {
			return false, false
		}
	}
	return whole, i == len(b)
}

// integer reads an integer of 8 to 64 bits. INT and BIGINT (32 and 64 bits)
// take numbers with a fraction and cut it.
func (c *reader) integer(b []byte, bits uint) (int64, bool) {
	if b[0] == '"' {
		s, ok := c.plain(b)
		if !ok {
			return 0, false
		}
		return convert.Whole(convert.Trim(s), bits)
	}
	s := vector.View(b)
	if n, ok := convert.Whole(s, bits); ok && b[0]-'1' < 9 {
		return n, true
	}
	whole, ok := isNumber(b)
	if !ok {
		return 0, false
	}
	if whole {
		return convert.Whole(s, bits) // negative, 0 or too large
	}
	if bits < 32 {
		return 0, false
	}
	f, ok := types.ParseDouble(s)
	f = math.Trunc(f)
	if !ok || f < -math.Ldexp(1, int(bits-1)) || f >= math.Ldexp(1, int(bits-1)) {
		return 0, false
	}
	return int64(f), true
}

func (c *reader) boolean(b []byte) (v, ok bool) {
	switch b[0] {
	case 't':
		return true, true
	case '{', '[':
		return false, false
	case '"':
		s, ok := c.plain(b)
		if !ok {
			return false, false
		}
		s = convert.Trim(s)
		return len(s) == 4 && s[0]|0x20 == 't' && s[1]|0x20 == 'r' && s[2]|0x20 == 'u' && s[3]|0x20 == 'e', true
	}
	return false, true
}

func (c *reader) double(b []byte) (float64, bool) {
	s, ok := c.number(b)
	if !ok {
		return 0, false
	}
	if len(s) <= 15 { // exact without a parser: digits with at most one point
		if f, ok := shortDouble(s); ok {
			return f, true
		}
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil && b[0] != '"' {
		return f, true
	}
	return types.ParseDouble(s)
}

// shortDouble reads up to 15 digits with at most one point: integer and power
// of ten are exact, so their quotient is the nearest float64.
func shortDouble(s string) (float64, bool) {
	i, neg := 0, false
	if s != "" && s[0] == '-' {
		i, neg = 1, true
	}
	if i == len(s) || s[i]-'0' > 9 {
		return 0, false
	}
	var n int64
	point := -1
	for ; i < len(s); i++ {
		c := s[i]
		if c == '.' && point < 0 {
			point = i
			continue
		}
		if c-'0' > 9 {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	f := float64(n)
	if point >= 0 {
		if point == len(s)-1 {
			return 0, false
		}
		f /= tens[len(s)-1-point]
	}
	if neg {
		f = -f
	}
	return f, true
}

var tens = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

func (c *reader) float(b []byte) (float32, bool) {
	s, ok := c.number(b)
	if !ok {
		return 0, false
	}
	return types.ParseFloat(s)
}

// number returns the text of a number, which may be in quotes; whether a text
// in quotes is one is left to the caller.
func (c *reader) number(b []byte) (string, bool) {
	if b[0] == '"' {
		s, ok := c.plain(b)
		return convert.Trim(s), ok
	}
	if class[b[0]]&numeric == 0 {
		return "", false
	}
	_, ok := isNumber(b)
	return vector.View(b), ok
}

// decimal reads a DECIMAL(p, s), rounding half up; one that has too many
// digits is NULL.
func (c *reader) decimal(b []byte, p, s int) (d types.Dec, null, ok bool) {
	text, ok := c.number(b)
	if !ok {
		return d, false, false
	}
	return convert.Decimal(text, p, s)
}

func (c *reader) bytes(b []byte, arena *vector.Arena) (string, bool) {
	s, ok := c.plain(b)
	if !ok || b[0] != '"' {
		return "", false
	}
	room := arena.Grow(base64.StdEncoding.DecodedLen(len(s)))
	n, err := base64.StdEncoding.Decode(room[:cap(room)], []byte(s))
	if err != nil {
		return "", false
	}
	return arena.Take(room[:n]), true
}

// plain returns the text of a scalar for reading at once: what it points to is
// reused by the next call.
func (c *reader) plain(b []byte) (string, bool) {
	if b[0] != '"' {
		if b[0] == '{' || b[0] == '[' {
			return "", false
		}
		if class[b[0]]&numeric != 0 {
			_, ok := isNumber(b)
			return vector.View(b), ok
		}
		return vector.View(b), true
	}
	in := b[1 : len(b)-1]
	if !hasBackslash(in) {
		return vector.View(in), true
	}
	var why string
	c.scratch, why = AppendUnescaped(c.scratch[:0], in)
	return vector.View(c.scratch), why == ""
}

// text returns the text of any value: a view of b where it stands there, else a
// string of arena.
func (c *reader) text(b []byte, arena *vector.Arena) (s, why string) {
	switch b[0] {
	case '"':
		in := b[1 : len(b)-1]
		if hasBackslash(in) {
			out, why := AppendUnescaped(arena.Grow(len(in)+8), in)
			if why != "" {
				return "", why
			}
			return c.checked(arena.Take(out), arena)
		}
		return c.checked(vector.View(in), arena)
	case '{', '[':
		if isCompact(b) {
			return c.checked(vector.View(b), arena)
		}
		out, why := appendCompact(arena.Grow(len(b)), b)
		if why != "" {
			return "", why
		}
		return c.checked(arena.Take(out), arena)
	case 't', 'f':
		return vector.View(b), ""
	}
	if _, ok := isNumber(b); !ok {
		return "", "is no number"
	}
	return vector.View(b), ""
}

func isCompact(b []byte) bool {
	for _, c := range b {
		if class[c]&blankByte != 0 || c == '\\' {
			return false // a blank inside a string is found too: then a copy is made for nothing
		}
	}
	return true
}

func (c *reader) checked(s string, arena *vector.Arena) (string, string) {
	if utf8.ValidString(s) {
		return s, ""
	}
	if !c.o.replaceUTF8 {
		return "", "is no UTF-8"
	}
	return arena.Take(types.AppendUTF8(arena.Grow(len(s)+8), s)), ""
}
