package builtin

import (
	"strings"

	"github.com/runnelio/runnel/types"
)

// parsed is the fields found in a text, by letter; DateTimeFormatter.
type parsed struct {
	has uint32 // bits of fieldBit
	val [fieldCount]int64
}

const (
	fYear = iota
	fYearOfEra
	fEra // 0 BC, 1 AD
	fWeekYear
	fWeek
	fMonth
	fDay
	fDayOfYear
	fDow // 1 Sunday
	fHour
	fClockHour // k
	fHour12    // K
	fClock12   // h
	fAmPm
	fMinute
	fSecond
	fNano
	fNanoOfDay
	fMilliOfDay
	fJulian
	fieldCount
)

func (f *parsed) set(field int, v int64) bool {
	if f.has&(1<<field) != 0 && f.val[field] != v {
		return false // the same field twice with different values
	}
	f.has |= 1 << field
	f.val[field] = v
	return true
}

func (f *parsed) get(field int) (int64, bool) { return f.val[field], f.has&(1<<field) != 0 }

// or is the field's value or, if it was not read, def.
func (f *parsed) or(field int, def int64) int64 {
	if v, ok := f.get(field); ok {
		return v
	}
	return def
}

// parse reads the whole of s by a DateTimeFormatter pattern. Fields that are
// not in it count as 1970-01-01 00:00:00; zones are read and ignored.
func (p *javaPattern) parse(s string) (types.TS, bool) {
	if t, ok := p.parseFixed(s); ok {
		return t, true
	}
	var f parsed
	end, ok := p.parseOps(s, 0, &f, 0, len(p.ops))
	if !ok || end != len(s) {
		return types.TS{}, false
	}
	return f.resolve()
}

func (p *javaPattern) parseOps(s string, pos int, f *parsed, from, to int) (int, bool) {
	for i := from; i < to; i++ {
		op := &p.ops[i]
		switch op.letter {
		case 0:
			if !strings.HasPrefix(s[pos:], op.lit) {
				return pos, false
			}
			pos += len(op.lit)
			continue
		case '[':
			saved := *f
			if next, ok := p.parseOps(s, pos, f, i+1, op.end); ok {
				pos = next
			} else {
				*f = saved
			}
			i = op.end
			continue
		}
		text := s
		limit := len(s)
		if op.pad > 0 {
			if limit = pos + op.pad; limit > len(s) {
				return pos, false
			}
			text = s[:limit]
			for pos < limit && s[pos] == ' ' {
				pos++
			}
		}
		next, ok := f.read(text, pos, op)
		if !ok || op.pad > 0 && next != limit {
			return pos, false
		}
		pos = next
	}
	return pos, true
}

// read reads one field of s at pos.
func (f *parsed) read(s string, pos int, op *patternOp) (int, bool) {
	if op.numeric {
		v, next, ok := op.number(s, pos)
		if !ok {
			return pos, false
		}
		return next, f.setNumber(op, v)
	}
	rest := s[pos:]
	switch op.letter {
	case 'M', 'L':
		k, n := findName(rest, monthNames[:], op.n)
		return pos + n, n > 0 && f.set(fMonth, int64(k+1))
	case 'E', 'e', 'c':
		k, n := findName(rest, dayNames[:], op.n)
		return pos + n, n > 0 && f.set(fDow, int64(k+1))
	case 'a':
		if strings.HasPrefix(rest, "AM") {
			return pos + 2, f.set(fAmPm, 0)
		}
		if strings.HasPrefix(rest, "PM") {
			return pos + 2, f.set(fAmPm, 1)
		}
	case 'G':
		for k, year := range []int{0, 1} {
			if name := eraName(year, op.n); strings.HasPrefix(rest, name) {
				return pos + len(name), f.set(fEra, int64(k))
			}
		}
	case 'Q', 'q':
		for q, ordinal := range ordinals {
			name := ordinal + " quarter"
			switch op.n {
			case 3:
				name = "Q" + ordinal[:1]
			case 5:
				name = ordinal[:1]
			}
			if strings.HasPrefix(rest, name) {
				return pos + len(name), q >= 0
			}
		}
	case 'X', 'x', 'Z', 'O':
		n := readOffset(rest, op)
		return pos + n, n > 0
	case 'z', 'V', 'v':
		n := readZoneName(rest)
		return pos + n, n > 0
	}
	return pos, false
}

// number reads digits as a NumberPrinterParser does.
func (op *patternOp) number(s string, pos int) (v int64, next int, ok bool) {
	neg := false
	plus := false
	if pos < len(s) {
		switch {
		case s[pos] == '-' && op.sign != signNever:
			neg = true
			pos++
		case s[pos] == '+' && op.sign == signExceeds:
			plus = true
			pos++
		}
	}
	limit := op.max + op.reserve
	end := pos
	for end < len(s) && end-pos < limit && s[end]-'0' <= 9 {
		end++
	}
	if op.reserve > 0 {
		end = pos + max(op.min, end-pos-op.reserve)
	}
	if end > len(s) || end-pos < op.min || end-pos > 18 {
		return 0, pos, false
	}
	for _, c := range []byte(s[pos:end]) {
		if c -= '0'; c > 9 {
			return 0, pos, false
		}
		v = v*10 + int64(c)
	}
	switch {
	case neg && v == 0, plus && end-pos <= op.min, op.sign == signExceeds && !plus && !neg && end-pos > op.min:
		return 0, pos, false
	case neg:
		v = -v
	}
	return v, end, true
}

func (f *parsed) setNumber(op *patternOp, v int64) bool {
	in := func(field int, low, high int64) bool { return v >= low && v <= high && f.set(field, v) }
	switch op.letter {
	case 'y', 'u', 'Y':
		if op.n == 2 {
			v += 2000
		}
		switch op.letter {
		case 'y':
			return in(fYearOfEra, 1, 999999999)
		case 'u':
			return in(fYear, -999999999, 999999999)
		}
		return in(fWeekYear, -999999999, 999999999)
	case 'M', 'L':
		return in(fMonth, 1, 12)
	case 'd':
		return in(fDay, 1, 31)
	case 'D':
		return in(fDayOfYear, 1, 366)
	case 'w':
		return in(fWeek, 1, 53)
	case 'e', 'c':
		return in(fDow, 1, 7)
	case 'Q', 'q':
		return v >= 1 && v <= 4
	case 'F':
		return v >= 1 && v <= 7
	case 'W':
		return v >= 0 && v <= 6
	case 'H':
		return in(fHour, 0, 24) // 24:00:00 is midnight of the next day
	case 'k':
		return in(fClockHour, 1, 24)
	case 'K':
		return in(fHour12, 0, 11)
	case 'h':
		return in(fClock12, 1, 12)
	case 'm':
		return in(fMinute, 0, 59)
	case 's':
		return in(fSecond, 0, 59)
	case 'S':
		v *= tenTo(9 - op.n)
		return f.set(fNano, v)
	case 'n':
		return in(fNano, 0, 999999999)
	case 'N':
		return in(fNanoOfDay, 0, types.MsPerDay*1e6-1)
	case 'A':
		return in(fMilliOfDay, 0, types.MsPerDay-1)
	case 'g':
		return in(fJulian, -365243219162, 365241780471)
	}
	return false
}

// findName finds which of names s starts with, in the form that n letters of a
// pattern mean, and how long it is there; 0 if none.
func findName(s string, names []string, n int) (index, length int) {
	for k, name := range names {
		switch {
		case n <= 3:
			name = name[:3]
		case n == 5:
			name = name[:1]
		}
		if len(name) > length && strings.HasPrefix(s, name) {
			index, length = k, len(name)
		}
	}
	return index, length
}

// readOffset returns the length of the offset from UTC that s starts with, 0
// if it does not.
func readOffset(s string, op *patternOp) int {
	n, prefix := op.n, 0
	zero, colon, minutes, seconds := "Z", false, true, false
	switch op.letter {
	case 'X', 'x':
		colon, seconds, minutes = n == 3 || n == 5, n >= 4, n > 1
		if op.letter == 'x' {
			zero = ""
		}
	case 'Z':
		switch n {
		case 5:
			colon, seconds = true, true
		case 4:
			if !strings.HasPrefix(s, "GMT") {
				return 0
			}
			prefix, zero, colon = 3, "", true
		default:
			zero = ""
		}
	case 'O':
		if !strings.HasPrefix(s, "GMT") {
			return 0
		}
		prefix, zero, colon = 3, "", true
	}
	digits := func(at int) bool {
		return at+2 <= len(s) && s[at]-'0' <= 9 && s[at+1]-'0' <= 9
	}
	if zero != "" && strings.HasPrefix(s, zero) {
		return len(zero)
	}
	at := prefix
	if at >= len(s) || s[at] != '+' && s[at] != '-' {
		return prefix // GMT alone
	}
	at++
	if prefix > 0 && op.letter == 'O' && n == 1 { // GMT+8, GMT+8:30
		if at >= len(s) || s[at]-'0' > 9 {
			return 0
		}
		at++
		if at < len(s) && s[at]-'0' <= 9 {
			at++
		}
	} else if digits(at) {
		at += 2
	} else {
		return 0
	}
	more := func(must bool) bool {
		next := at
		if colon {
			if next >= len(s) || s[next] != ':' {
				return !must
			}
			next++
		}
		if !digits(next) || s[next] > '5' {
			return !must
		}
		at = next + 2
		return true
	}
	if !more(minutes && prefix == 0) || seconds && !more(false) {
		return 0
	}
	return at
}

// readZoneName returns the length of the time zone name that s starts with.
func readZoneName(s string) int {
	n := 0
	for n < len(s) && (isLetter(s[n]) || s[n]-'0' <= 9 || strings.IndexByte("/_+-:", s[n]) >= 0) {
		n++
	}
	for ; n > 0; n-- {
		if _, ok := zoneByID(s[:n]); ok {
			return n
		}
		if _, ok := zoneByName(s[:n]); ok {
			return n
		}
	}
	return 0
}

// resolve makes a point in time of the fields, with the checks of Java's
// smart resolver: a day past the end of its month is the last one.
func (f *parsed) resolve() (types.TS, bool) {
	day, ok := f.date()
	if !ok {
		return types.TS{}, false
	}
	ns, ok := f.time()
	if !ok {
		return types.TS{}, false
	}
	return types.TS{Ms: day*types.MsPerDay + ns/1e6, Ns: int32(ns % 1e6)}, true
}

func (f *parsed) date() (int64, bool) {
	year, hasYear := f.get(fYear)
	if yoe, ok := f.get(fYearOfEra); ok {
		if era, ok := f.get(fEra); ok && era == 0 {
			yoe = 1 - yoe
		}
		if hasYear && year != yoe {
			return 0, false
		}
		year, hasYear = yoe, true
	}
	month, hasMonth := f.get(fMonth)
	dom, hasDay := f.get(fDay)
	dow, hasDow := f.get(fDow)
	doy, hasDoy := f.get(fDayOfYear)
	weekYear, hasWeekYear := f.get(fWeekYear)
	week, hasWeek := f.get(fWeek)
	var day int64
	whole := true
	switch {
	case f.has&(1<<fJulian) != 0:
		day = f.val[fJulian] - 40587
	case hasYear && hasMonth && hasDay:
		day = types.DaysFromCivil(int(year), int(month), min(int(dom), types.DaysInMonth(int(year), int(month))))
	case hasYear && hasDoy:
		if doy == 366 && !types.IsLeap(int(year)) {
			return 0, false
		}
		day = types.DaysFromCivil(int(year), 1, 1) + doy - 1
	case hasWeekYear && hasWeek && hasDow:
		day = usWeekStart(int(weekYear), int(week)) + dow - 1
	default:
		if !hasYear {
			year = 1970
		}
		y, m, d := int(year), int(f.or(fMonth, 1)), int(f.or(fDay, 1))
		if d > types.DaysInMonth(y, m) {
			return 0, false
		}
		day, whole = types.DaysFromCivil(y, m, d), false
	}
	if whole && hasDow && int64(types.DayOfWeek(day)) != dow {
		return 0, false // Thu 2024-02-28
	}
	return day, true
}

// time returns the nanoseconds since midnight; more than a day for 24:00:00.
func (f *parsed) time() (int64, bool) {
	if ns, ok := f.get(fNanoOfDay); ok {
		return ns, true
	}
	if ms, ok := f.get(fMilliOfDay); ok {
		nano, found := f.get(fNano)
		return ms*1e6 + nano%1e6, !found || nano/1e6 == ms%1000
	}
	hour := f.or(fHour, 0)
	if k, ok := f.get(fClockHour); ok {
		hour = k % 24
	}
	if half, ok := f.get(fAmPm); ok {
		h, found := f.get(fHour12)
		if c, ok := f.get(fClock12); ok {
			h, found = c%12, true
		}
		if found {
			if f.has&(1<<fHour) != 0 && hour != half*12+h {
				return 0, false
			}
			hour = half*12 + h
		}
	}
	minute, second, nano := f.or(fMinute, 0), f.or(fSecond, 0), f.or(fNano, 0)
	if hour == 24 && (minute != 0 || second != 0 || nano != 0) {
		return 0, false
	}
	return (hour*types.MsPerHour+minute*types.MsPerMinute+second*types.MsPerSecond)*1e6 + nano, true
}
