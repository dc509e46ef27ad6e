package builtin

import (
	"strings"
	"time"

	"github.com/runnelio/runnel/types"
)

// simpleTime is the fields a SimpleDateFormat text gave. The calendar is
// lenient: values out of range carry over into the next field.
type simpleTime struct {
	year, month, day         int // month from 1
	doy, week, weekOfMonth   int // 0: not given
	dow                      int // 1 Sunday; 0: not given
	hour, minute, second, ms int
	half                     int // -1: not given
	hour12                   int // -1: not given
	weekYear                 int
	bc, hasOffset, hasDay    bool
	hasMonth, hasYear        bool
	hasWeekYear              bool
	offset                   int // seconds
	zone                     *time.Location
}

// parseSimple reads the start of s by a SimpleDateFormat pattern and returns
// UTC milliseconds; zone is that of texts that name none, century the first
// year that two digits can mean.
func (p *javaPattern) parseSimple(s string, zone *types.Zone, century int) (int64, bool) {
	if l := p.fixed; l != nil && len(s) >= l.length {
		// What follows the fields is ignored, but digits would belong to the last one.
		if len(s) == l.length || s[l.length]-'0' > 9 {
			if t, ok := p.parseFixed(s[:l.length]); ok {
				return calendarUTC(zone, t.Ms), true
			}
		}
	}
	f := simpleTime{year: 1970, month: 1, day: 1, half: -1, hour12: -1}
	pos := 0
	for i := range p.ops {
		op := &p.ops[i]
		if op.letter == 0 {
			if !strings.HasPrefix(s[pos:], op.lit) {
				return 0, false
			}
			pos += len(op.lit)
			continue
		}
		for pos < len(s) && (s[pos] == ' ' || s[pos] == '\t') {
			pos++
		}
		if pos == len(s) {
			return 0, false
		}
		var n int
		var ok bool
		if op.numeric {
			n, ok = f.number(s[pos:], op, century)
		} else {
			n, ok = f.text(s[pos:], op)
		}
		if !ok {
			return 0, false
		}
		pos += n
	}
	return f.resolve(zone), true
}

// number reads a numeric field and returns how long it was.
func (f *simpleTime) number(s string, op *patternOp, century int) (int, bool) {
	limit := len(s)
	if op.abuts {
		if op.n > len(s) {
			return 0, false
		}
		limit = op.n
	}
	i, neg := 0, false
	if s[0] == '-' {
		neg = true
		i++
	}
	start, v := i, 0
	for i < limit && s[i]-'0' <= 9 {
		if v < 1<<27 {
			v = v*10 + int(s[i]-'0')
		}
		i++
	}
	if i == start {
		return 0, false
	}
	if neg {
		v = -v
	}
	switch op.letter {
	case 'y', 'Y':
		if op.n <= 2 && i == 2 && !neg {
			year := century/100*100 + v
			if year < century {
				year += 100
			}
			v = year
		}
		if op.letter == 'Y' {
			f.weekYear, f.hasWeekYear = v, true
			if !f.hasYear {
				f.year = v
			}
		} else {
			f.year, f.hasYear = v, true
		}
	case 'M', 'L':
		f.month, f.hasMonth = v, true
	case 'd':
		f.day, f.hasDay = v, true
	case 'D':
		f.doy = v
	case 'w':
		f.week = v
	case 'W':
		f.weekOfMonth = v
	case 'u':
		f.dow = v%7 + 1
	case 'F':
		if v > 0 && !f.hasDay { // the v-th week of seven days of the month
			f.day = (v-1)*7 + 1
		}
	case 'k':
		if v == 24 {
			v = 0
		}
		f.hour = v
	case 'H':
		f.hour = v
	case 'h':
		if v == 12 {
			v = 0
		}
		f.hour12 = v
	case 'K':
		f.hour12 = v
	case 'm':
		f.minute = v
	case 's':
		f.second = v
	case 'S':
		f.ms = v
	}
	return i, true
}

// text reads a name or zone, whatever its case.
func (f *simpleTime) text(s string, op *patternOp) (int, bool) {
	switch op.letter {
	case 'M', 'L':
		k, n := findNameFold(s, monthNames[:])
		f.month, f.hasMonth = k+1, true
		return n, n > 0
	case 'E':
		k, n := findNameFold(s, dayNames[:])
		f.dow = k + 1
		return n, n > 0
	case 'a':
		k, n := findNameFold(s, []string{"AM ", "PM "})
		f.half = k
		return n, n > 0
	case 'G':
		if len(s) < 2 {
			return 0, false
		}
		f.bc = strings.EqualFold(s[:2], "BC")
		return 2, f.bc || strings.EqualFold(s[:2], "AD")
	case 'X':
		if s[0] == 'Z' {
			f.hasOffset = true
			return 1, true
		}
		return f.offsetOf(s, op)
	}
	if s[0] == '+' || s[0] == '-' {
		return f.offsetOf(s, &patternOp{letter: 'Z', n: 2})
	}
	n := 0
	for n < len(s) && (isLetter(s[n]) || s[n]-'0' <= 9 || strings.IndexByte("/_+-:", s[n]) >= 0) {
		n++
	}
	for ; n > 0; n-- {
		if loc, ok := zoneByName(s[:n]); ok {
			f.zone = loc
			return n, true
		}
	}
	return 0, false
}

// offsetOf reads +08, +0800 or +08:00, which is for n = 1, 2 and 3 of X.
func (f *simpleTime) offsetOf(s string, op *patternOp) (int, bool) {
	length := [...]int{3, 5, 6}[op.n-1]
	if op.letter == 'Z' && len(s) >= 6 && s[3] == ':' {
		length = 6
	}
	if len(s) < length || s[0] != '+' && s[0] != '-' || op.letter == 'X' && op.n == 3 && s[3] != ':' {
		return 0, false
	}
	secs, ok := looseOffset(s[:length])
	f.offset, f.hasOffset = secs, true
	return length, ok
}

// findNameFold finds the longest of the names, whole or their first three
// letters, that s starts with.
func findNameFold(s string, names []string) (index, length int) {
	for k, name := range names {
		for _, form := range []string{name, name[:3]} {
			form = strings.TrimSuffix(form, " ")
			if len(form) > length && len(form) <= len(s) && strings.EqualFold(s[:len(form)], form) {
				index, length = k, len(form)
			}
		}
	}
	return index, length
}

func (f *simpleTime) resolve(zone *types.Zone) int64 {
	year := f.year
	if f.bc {
		year = 1 - year
	}
	var day int64
	switch {
	case f.doy != 0 && !f.hasMonth && !f.hasDay:
		day = types.DaysFromCivil(year, 1, 1) + int64(f.doy) - 1
	case f.week != 0 && !f.hasMonth && !f.hasDay:
		if f.hasWeekYear {
			year = f.weekYear
		}
		day = usWeekStart(year, 1) + 7*int64(f.week-1) + int64(max(f.dow, 1)-1)
	default:
		month := year*12 + f.month - 1
		y, m := int(types.FloorDiv(int64(month), 12)), int(types.FloorMod(int64(month), 12))+1
		first := types.DaysFromCivil(y, m, 1)
		switch {
		case !f.hasDay && f.weekOfMonth != 0:
			day = first - int64(types.DayOfWeek(first)-1) + 7*int64(f.weekOfMonth-1) + int64(max(f.dow, 1)-1)
		case !f.hasDay && f.dow != 0: // the first such day from day on
			day = first + int64(f.day-1)
			day += types.FloorMod(int64(f.dow-types.DayOfWeek(day)), 7)
		default:
			day = first + int64(f.day) - 1
		}
	}
	hour := f.hour
	if f.hour12 >= 0 {
		hour = f.hour12 + 12*max(f.half, 0)
	}
	local := day*types.MsPerDay + int64(hour)*types.MsPerHour + int64(f.minute)*types.MsPerMinute +
		int64(f.second)*types.MsPerSecond + int64(f.ms)
	switch {
	case f.hasOffset:
		return local - int64(f.offset)*1000
	case f.zone != nil:
		return calendarUTC(types.NewZone(f.zone), local)
	}
	return calendarUTC(zone, local)
}
