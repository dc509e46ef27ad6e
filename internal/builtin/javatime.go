package builtin

import (
	"fmt"
	"strings"

	"github.com/runnelio/runnel/types"
)

// Date patterns of Java, in its two dialects: DateTimeFormatter (strict
// parsing, exact widths; DATE_FORMAT and TO_TIMESTAMP use it) and
// SimpleDateFormat (lenient parsing, overflowing fields; UNIX_TIMESTAMP,
// FROM_UNIXTIME, CONVERT_TZ and TO_DATE with a pattern use it). The locale is
// English of the United States: weeks start on Sunday and week 1 has January 1.
//
// javatime.go compiles, javatime_format.go writes, javatime_parse.go reads
// DateTimeFormatter patterns, javatime_simple.go SimpleDateFormat ones,
// javatime_zone.go knows time zone names.

// javaPattern is a compiled pattern. It is immutable and safe for concurrent use.
type javaPattern struct {
	text   string
	ops    []patternOp
	simple bool // SimpleDateFormat
	// fixed is the fast way to parse patterns of fixed width, nil for others.
	fixed *fixedLayout
	sql   bool // yyyy-MM-dd HH:mm:ss of DateTimeFormatter, which is read faster still
}

// patternOp is one field, literal or border of an optional section.
type patternOp struct {
	letter   byte // 0: literal; '[': optional section up to ops[end], which is its ']'
	n        int  // how often the letter stands there
	lit      string
	end      int
	pad      int // p: blanks up to this width, DateTimeFormatter only
	min, max int // digits of numeric fields
	sign     signStyle
	reserve  int  // digits to leave to fixed-width fields that follow at once
	numeric  bool // else text or zone
	abuts    bool // simple: a numeric field follows at once, so take n characters
}

type signStyle uint8

const (
	signNever   signStyle = iota
	signNormal            // a minus only
	signExceeds           // and a plus if there are more digits than min
)

// fixedLayout says where the fields of a pattern of fixed width stand; -1: not
// in it. All but the year and the fraction have two digits.
type fixedLayout struct {
	length                                 int
	year, month, day, hour, minute, second int
	fraction, digits                       int // of the second
	literals                               []fixedLiteral
}

type fixedLiteral struct {
	at int
	c  byte
}

const maxPattern = 1000 // characters; Java has no bound, memory has

// compileFormatter compiles a DateTimeFormatter pattern.
func compileFormatter(text string) (*javaPattern, error) { return compilePattern(text, false) }

// compileSimple compiles a SimpleDateFormat pattern.
func compileSimple(text string) (*javaPattern, error) { return compilePattern(text, true) }

func compilePattern(text string, simple bool) (*javaPattern, error) {
	if len(text) > maxPattern {
		return nil, fmt.Errorf("date pattern of %d characters: at most %d are allowed", len(text), maxPattern)
	}
	p := &javaPattern{text: text, simple: simple, sql: !simple && text == "yyyy-MM-dd HH:mm:ss"}
	var open []int // '[' not yet closed
	pad := 0
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case isLetter(c):
			n := 1
			for i+n < len(text) && text[i+n] == c {
				n++
			}
			i += n
			if c == 'p' && !simple {
				if pad != 0 || i == len(text) || !isLetter(text[i]) {
					return nil, fmt.Errorf("date pattern %q: p must stand before a field", text)
				}
				pad = n
				continue
			}
			op, err := newField(c, n, simple)
			if err != nil {
				return nil, fmt.Errorf("date pattern %q: %w", text, err)
			}
			op.pad, pad = pad, 0
			p.ops = append(p.ops, op)
		case c == '\'':
			lit, next, ok := quotedLiteral(text, i)
			if !ok {
				return nil, fmt.Errorf("date pattern %q ends in a quoted text", text)
			}
			p.literal(lit)
			i = next
		case simple:
			p.literal(text[i : i+1])
			i++
		case c == '[':
			open = append(open, len(p.ops))
			p.ops = append(p.ops, patternOp{letter: '['})
			i++
		case c == ']':
			if len(open) == 0 {
				return nil, fmt.Errorf("date pattern %q has a ] without a [", text)
			}
			p.ops[open[len(open)-1]].end = len(p.ops)
			open = open[:len(open)-1]
			p.ops = append(p.ops, patternOp{letter: ']'})
			i++
		case c == '{' || c == '}' || c == '#':
			return nil, fmt.Errorf("date pattern %q has the reserved character %c", text, c)
		default:
			p.literal(text[i : i+1])
			i++
		}
	}
	for k := len(open) - 1; k >= 0; k-- { // sections left open end with the pattern
		p.ops[open[k]].end = len(p.ops)
		p.ops = append(p.ops, patternOp{letter: ']'})
	}
	p.adjacent()
	p.findFixed()
	return p, nil
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// quotedLiteral reads the literal at text[i], a quote, and returns the index
// behind it. Two quotes stand for one.
func quotedLiteral(text string, i int) (lit string, next int, ok bool) {
	if i+1 < len(text) && text[i+1] == '\'' {
		return "'", i + 2, true
	}
	var b strings.Builder
	for i++; i < len(text); i++ {
		if text[i] != '\'' {
			b.WriteByte(text[i])
			continue
		}
		if i+1 < len(text) && text[i+1] == '\'' {
			b.WriteByte('\'')
			i++
			continue
		}
		return b.String(), i + 1, true
	}
	return "", i, false
}

func (p *javaPattern) literal(s string) {
	if k := len(p.ops) - 1; k >= 0 && p.ops[k].letter == 0 {
		p.ops[k].lit += s
		return
	}
	p.ops = append(p.ops, patternOp{lit: s})
}

// newField checks a letter and its count and fills in the widths.
func newField(c byte, n int, simple bool) (patternOp, error) {
	op := patternOp{letter: c, n: n}
	number := func(low, high int, sign signStyle) (patternOp, error) {
		op.numeric, op.min, op.max, op.sign = true, low, high, sign
		return op, nil
	}
	tooMany := func(limit int) (patternOp, error) {
		return op, fmt.Errorf("too many letters %c: at most %d", c, limit)
	}
	if simple {
		switch c {
		case 'M', 'L':
			op.numeric = n <= 2
		case 'y', 'Y', 'd', 'D', 'F', 'w', 'W', 'k', 'K', 'h', 'H', 'm', 's', 'S', 'u':
			op.numeric = true
		case 'G', 'E', 'a', 'z', 'Z':
		case 'X':
			if n > 3 {
				return tooMany(3)
			}
		default:
			return op, fmt.Errorf("unknown pattern letter %c", c)
		}
		return op, nil
	}
	switch c {
	case 'y', 'u', 'Y':
		switch {
		case n == 2:
			return number(2, 2, signNever)
		case n < 4:
			return number(n, 19, signNormal)
		case n > 19:
			return tooMany(19)
		}
		return number(n, 19, signExceeds)
	case 'M', 'L', 'Q', 'q', 'e', 'c':
		switch {
		case n == 1 && (c == 'e' || c == 'c'):
			return number(1, 2, signNever)
		case n == 1:
			return number(1, 19, signNormal)
		case n == 2 && c == 'c':
			return op, fmt.Errorf("invalid pattern cc")
		case n == 2:
			return number(2, 2, signNever)
		case n > 5:
			return tooMany(5)
		}
	case 'E', 'G':
		if n > 5 {
			return tooMany(5)
		}
	case 'd', 'h', 'H', 'k', 'K', 'm', 's':
		switch n {
		case 1:
			return number(1, 19, signNormal)
		case 2:
			return number(2, 2, signNever)
		}
		return tooMany(2)
	case 'D':
		switch n {
		case 1:
			return number(1, 19, signNormal)
		case 2:
			return number(2, 3, signNever)
		case 3:
			return number(3, 3, signNever)
		}
		return tooMany(3)
	case 'w':
		if n > 2 {
			return tooMany(2)
		}
		return number(n, 2, signNever)
	case 'W':
		if n > 1 {
			return tooMany(1)
		}
		return number(1, 2, signNever)
	case 'F':
		if n > 1 {
			return tooMany(1)
		}
		return number(1, 19, signNormal)
	case 'a':
		if n > 1 {
			return tooMany(1)
		}
	case 'S':
		if n > 9 {
			return tooMany(9)
		}
		return number(n, n, signNever)
	case 'n', 'N', 'A':
		if n > 19 {
			return tooMany(19)
		}
		return number(n, 19, signNever)
	case 'g':
		if n > 19 {
			return tooMany(19)
		}
		return number(n, 19, signNormal)
	case 'z':
		if n > 4 {
			return tooMany(4)
		}
	case 'V':
		if n != 2 {
			return op, fmt.Errorf("the zone id is VV")
		}
	case 'v', 'O':
		if n != 1 && n != 4 {
			return op, fmt.Errorf("%c stands once or four times", c)
		}
	case 'X', 'x', 'Z':
		if n > 5 {
			return tooMany(5)
		}
	default:
		return op, fmt.Errorf("unknown pattern letter %c", c)
	}
	return op, nil
}

// adjacent works out how numeric fields without anything between them share
// the digits: the first takes what the fixed ones behind it do not need.
func (p *javaPattern) adjacent() {
	active := -1
	for i := range p.ops {
		op := &p.ops[i]
		if p.simple {
			if op.letter != 0 && i+1 < len(p.ops) {
				op.abuts = p.ops[i+1].numeric
			}
			continue
		}
		switch {
		case !op.numeric:
			active = -1
		case active >= 0 && op.min == op.max && op.sign == signNever:
			p.ops[active].reserve += op.max
		default:
			active = i
		}
	}
}

// findFixed prepares the fast path: a year of four digits, other fields of two
// (fractions any number), literals between them.
func (p *javaPattern) findFixed() {
	l := fixedLayout{year: -1, month: -1, day: -1, hour: -1, minute: -1, second: -1, fraction: -1}
	fields := 0
	for _, op := range p.ops {
		if op.letter == 0 {
			for i := range len(op.lit) {
				l.literals = append(l.literals, fixedLiteral{l.length + i, op.lit[i]})
			}
			l.length += len(op.lit)
			continue
		}
		place := map[byte]*int{'y': &l.year, 'M': &l.month, 'd': &l.day, 'H': &l.hour, 'm': &l.minute, 's': &l.second, 'S': &l.fraction}[op.letter]
		width := 2
		switch op.letter {
		case 'y':
			width = 4
		case 'S':
			if width = op.n; p.simple {
				width = 3
			}
			l.digits = width
		}
		if place == nil || *place >= 0 || op.n != width || op.pad > 0 {
			return
		}
		*place = l.length
		l.length += width
		fields++
	}
	if fields > 0 && l.length <= 100 {
		p.fixed = &l
	}
}

// digitPair is the number of the two digits at s[at:], 10000 if they are none.
func digitPair(s string, at int) int {
	c, d := s[at]-'0', s[at+1]-'0'
	if c > 9 || d > 9 {
		return 10000
	}
	return int(c)*10 + int(d)
}

// parseFixed reads s by the fast path. It only accepts texts whose fields are
// in range and whose date exists; for all others the slow way decides.
func (p *javaPattern) parseFixed(s string) (t types.TS, ok bool) {
	l := p.fixed
	if l == nil || len(s) != l.length {
		return t, false
	}
	for _, lit := range l.literals {
		if s[lit.at] != lit.c {
			return t, false
		}
	}
	year, month, day, hour, minute, second, ns := 1970, 1, 1, 0, 0, 0, 0
	if l.year >= 0 {
		year = digitPair(s, l.year)*100 + digitPair(s, l.year+2)
	}
	if l.month >= 0 {
		month = digitPair(s, l.month)
	}
	if l.day >= 0 {
		day = digitPair(s, l.day)
	}
	if l.hour >= 0 {
		hour = digitPair(s, l.hour)
	}
	if l.minute >= 0 {
		minute = digitPair(s, l.minute)
	}
	if l.second >= 0 {
		second = digitPair(s, l.second)
	}
	if l.fraction >= 0 {
		for _, c := range []byte(s[l.fraction : l.fraction+l.digits]) {
			if c -= '0'; c > 9 {
				return t, false
			}
			ns = ns*10 + int(c)
		}
		ns *= int(powersOfTen[9-l.digits])
	}
	// A pair that is no digits makes its field too large. Before 1583 calendars differ.
	if year < 1583 || year > 9999 || month < 1 || month > 12 || day < 1 || day > types.DaysInMonth(year, month) ||
		hour > 23 || minute > 59 || second > 59 {
		return t, false
	}
	ms := types.DaysFromCivil(year, month, day)*types.MsPerDay +
		int64(hour*types.MsPerHour+minute*types.MsPerMinute+second*types.MsPerSecond+ns/1e6)
	return types.TS{Ms: ms, Ns: int32(ns % 1e6)}, true
}

var powersOfTen = [...]int64{1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9}

var (
	monthNames = [...]string{"January", "February", "March", "April", "May", "June", "July", "August",
		"September", "October", "November", "December"}
	// dayNames start with Sunday, as SQL's day of the week does.
	dayNames = [...]string{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"}
	ordinals = [...]string{"1st", "2nd", "3rd", "4th"}
)

// usWeek returns the week and its year of a day, weeks from Sunday, week 1
// with January 1.
func usWeek(days int64) (year, week int) {
	saturday := days + 7 - int64(types.DayOfWeek(days))
	year, _, _ = types.CivilFromDays(saturday)
	return year, (types.DayOfYear(saturday)-1)/7 + 1
}

// usWeekStart returns the day that week of year starts on, a Sunday.
func usWeekStart(year, week int) int64 {
	jan1 := types.DaysFromCivil(year, 1, 1)
	return jan1 - int64(types.DayOfWeek(jan1)-1) + 7*int64(week-1)
}

// usWeekOfMonth returns 1 to 6.
func usWeekOfMonth(days int64, day int) int {
	first := types.DayOfWeek(days - int64(day) + 1)
	return (day-1+first-1)/7 + 1
}
