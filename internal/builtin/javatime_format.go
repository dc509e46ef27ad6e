package builtin

import (
	"fmt"
	"strconv"
	"time"

	"github.com/runnelio/runnel/types"
)

// format appends t, a local time, written by the pattern. zone and utc (the
// same point, milliseconds) matter to zone letters only; a formatter has no
// zone and gives an error for them unless they stand in an optional section.
func (p *javaPattern) format(dst []byte, t types.TS, zone *time.Location, utc int64) ([]byte, error) {
	day := t.Date()
	c := clock{t: t, day: day, tod: t.Ms - day*types.MsPerDay, zone: zone, utc: utc}
	c.year, c.month, c.dom = types.CivilFromDays(day)
	return p.appendOps(dst, &c, 0, len(p.ops))
}

// clock is a point in time in parts.
type clock struct {
	t                types.TS
	day, tod         int64 // days since 1970, milliseconds of the day
	year, month, dom int
	zone             *time.Location
	utc              int64
}

func (p *javaPattern) appendOps(dst []byte, c *clock, from, to int) ([]byte, error) {
	for i := from; i < to; i++ {
		op := &p.ops[i]
		start := len(dst)
		var err error
		switch {
		case op.letter == 0:
			dst = append(dst, op.lit...)
		case op.letter == '[':
			if dst, err = p.appendOps(dst, c, i+1, op.end); err != nil {
				dst = dst[:start] // a field that there is not: the section is left out
			}
			i = op.end
			continue
		case p.simple:
			dst, err = c.simpleField(dst, op)
		default:
			dst, err = c.field(dst, op)
		}
		if err != nil {
			return dst, err
		}
		if op.pad > 0 {
			if dst, err = padLeft(dst, start, op.pad); err != nil {
				return dst, err
			}
		}
	}
	return dst, nil
}

func padLeft(dst []byte, start, width int) ([]byte, error) {
	n := width - (len(dst) - start)
	if n < 0 {
		return dst, fmt.Errorf("cannot print as the field of %d characters exceeds the pad width %d", len(dst)-start, width)
	}
	for range n {
		dst = append(dst, ' ')
	}
	copy(dst[start+n:], dst[start:len(dst)-n])
	for k := range n {
		dst[start+k] = ' '
	}
	return dst, nil
}

// padNumber appends v with at least width digits.
func padNumber(dst []byte, v int64, width int) []byte {
	if v < 0 {
		dst = append(dst, '-')
		v = -v
	}
	switch {
	case width == 2 && v < 100:
		return append(dst, byte('0'+v/10), byte('0'+v%10))
	case width == 4 && v < 10000:
		h, l := byte(v/100), byte(v%100)
		return append(dst, '0'+h/10, '0'+h%10, '0'+l/10, '0'+l%10)
	}
	digits := 1
	for x := v; x >= 10; x /= 10 {
		digits++
	}
	for ; digits < width; digits++ {
		dst = append(dst, '0')
	}
	return strconv.AppendInt(dst, v, 10)
}

func (c *clock) field(dst []byte, op *patternOp) ([]byte, error) {
	switch op.letter {
	case 'y', 'u', 'Y':
		year := c.year
		if op.letter == 'Y' {
			year, _ = usWeek(c.day)
		}
		if op.letter == 'y' && year <= 0 {
			year = 1 - year // year of the era
		}
		if op.n == 2 {
			return padNumber(dst, int64(absYear(year)%100), 2), nil
		}
		if op.sign == signExceeds && year > 0 && int64(year) >= tenTo(op.min) {
			dst = append(dst, '+')
		}
		return padNumber(dst, int64(year), op.min), nil
	case 'G':
		return append(dst, eraName(c.year, op.n)...), nil
	case 'M', 'L':
		if op.n > 2 {
			return appendName(dst, monthNames[c.month-1], op.n), nil
		}
		return padNumber(dst, int64(c.month), op.min), nil
	case 'Q', 'q':
		q := (c.month + 2) / 3
		switch op.n {
		case 3:
			return append(dst, 'Q', byte('0'+q)), nil
		case 4:
			return append(append(dst, ordinals[q-1]...), " quarter"...), nil
		case 5:
			return append(dst, byte('0'+q)), nil
		}
		return padNumber(dst, int64(q), op.min), nil
	case 'E', 'e', 'c':
		dow := types.DayOfWeek(c.day)
		if op.numeric {
			return padNumber(dst, int64(dow), op.min), nil
		}
		return appendName(dst, dayNames[dow-1], op.n), nil
	case 'X', 'x', 'Z', 'z', 'V', 'v', 'O':
		return dst, fmt.Errorf("a TIMESTAMP has no time zone: pattern letter %c cannot be written", op.letter)
	case 'S':
		ns := int64(c.t.Nanos())
		for unit := int64(1e8); op.n > 0 && unit >= tenTo(9-op.n); unit /= 10 {
			dst = append(dst, byte('0'+ns/unit%10))
		}
		return dst, nil
	case 'n':
		return padNumber(dst, int64(c.t.Nanos()), op.min), nil
	case 'N':
		return padNumber(dst, c.tod*1e6+int64(c.t.Ns), op.min), nil
	case 'A':
		return padNumber(dst, c.tod, op.min), nil
	case 'g':
		return padNumber(dst, c.day+40587, op.min), nil
	case 'F':
		return padNumber(dst, int64((c.dom-1)%7+1), 1), nil
	}
	return c.common(dst, op, op.min), nil
}

// simpleField writes a field as SimpleDateFormat does.
func (c *clock) simpleField(dst []byte, op *patternOp) ([]byte, error) {
	switch op.letter {
	case 'y', 'Y':
		year := c.year
		if op.letter == 'Y' {
			year, _ = usWeek(c.day)
		}
		if year <= 0 {
			year = 1 - year
		}
		if op.n == 2 {
			return padNumber(dst, int64(year%100), 2), nil
		}
		return padNumber(dst, int64(year), op.n), nil
	case 'G':
		return append(dst, eraName(c.year, 1)...), nil
	case 'M', 'L':
		if op.n > 2 {
			return appendName(dst, monthNames[c.month-1], min(op.n, 4)), nil
		}
		return padNumber(dst, int64(c.month), op.n), nil
	case 'E':
		return appendName(dst, dayNames[types.DayOfWeek(c.day)-1], min(max(op.n, 3), 4)), nil
	case 'S':
		return padNumber(dst, c.tod%1000, op.n), nil
	case 'F':
		return padNumber(dst, int64((c.dom-1)/7+1), op.n), nil
	case 'u':
		return padNumber(dst, int64(types.ISODayOfWeek(c.day)), op.n), nil
	case 'z':
		name, _ := time.UnixMilli(c.utc).In(c.zone).Zone()
		return append(dst, name...), nil
	case 'Z', 'X':
		_, secs := time.UnixMilli(c.utc).In(c.zone).Zone()
		if op.letter == 'X' && secs == 0 {
			return append(dst, 'Z'), nil
		}
		if secs < 0 {
			dst, secs = append(dst, '-'), -secs
		} else {
			dst = append(dst, '+')
		}
		dst = padNumber(dst, int64(secs/3600), 2)
		if op.letter == 'X' && op.n == 1 {
			return dst, nil
		}
		if op.letter == 'X' && op.n == 3 {
			dst = append(dst, ':')
		}
		return padNumber(dst, int64(secs/60%60), 2), nil
	}
	return c.common(dst, op, op.n), nil
}

// common writes the numeric fields that both dialects have.
func (c *clock) common(dst []byte, op *patternOp, width int) []byte {
	hour := c.tod / types.MsPerHour
	var v int64
	switch op.letter {
	case 'd':
		v = int64(c.dom)
	case 'D':
		v = c.day - types.DaysFromCivil(c.year, 1, 1) + 1
	case 'w':
		_, week := usWeek(c.day)
		v = int64(week)
	case 'W':
		v = int64(usWeekOfMonth(c.day, c.dom))
	case 'H':
		v = hour
	case 'k':
		if v = hour; v == 0 {
			v = 24
		}
	case 'K':
		v = hour % 12
	case 'h':
		if v = hour % 12; v == 0 {
			v = 12
		}
	case 'm':
		v = c.tod / types.MsPerMinute % 60
	case 's':
		v = c.tod / types.MsPerSecond % 60
	case 'a':
		if hour < 12 {
			return append(dst, "AM"...)
		}
		return append(dst, "PM"...)
	}
	return padNumber(dst, v, width)
}

// appendName appends a name: up to three letters of the pattern short, four
// whole, five the first letter.
func appendName(dst []byte, name string, n int) []byte {
	switch {
	case n <= 3:
		return append(dst, name[:3]...)
	case n == 5:
		return append(dst, name[0])
	}
	return append(dst, name...)
}

func eraName(year, n int) string {
	k := 0
	if year <= 0 {
		k = 1
	}
	switch n {
	case 4:
		return [...]string{"Anno Domini", "Before Christ"}[k]
	case 5:
		return [...]string{"A", "B"}[k]
	}
	return [...]string{"AD", "BC"}[k]
}

func absYear(v int) int {
	if v < 0 {
		return -v
	}
	return v
}

// tenTo is 10 to the n, the largest int64 where that is more.
func tenTo(n int) int64 {
	if n > 18 {
		return 1<<63 - 1
	}
	v := int64(1)
	for range n {
		v *= 10
	}
	return v
}
