package types

import (
	"math"
	"strconv"
)

// The functions of this file read texts as CAST does. The second result is
// false for texts that CAST rejects. None of them allocates, save for the
// float texts over 32 bytes.

// Text is what the parsers read: text of a column or bytes of a message.
type Text interface{ ~string | ~[]byte }

func trimSpace[T Text](s T, lo, hi int) (int, int) {
	for lo < hi && isSpace(s[lo]) {
		lo++
	}
	for lo < hi && isSpace(s[hi-1]) {
		hi--
	}
	return lo, hi
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// trimBlank cuts blanks (U+0020) only.
func trimBlank[T Text](s T, lo, hi int) (int, int) {
	for lo < hi && s[lo] == ' ' {
		lo++
	}
	for lo < hi && s[hi-1] == ' ' {
		hi--
	}
	return lo, hi
}

// ParseInt reads an integer of 8, 16, 32 or 64 bits. Blanks around it are
// ignored; digits behind a point are checked and cut, so that 1.9 is 1. There
// are no exponents and no other bases.
func ParseInt[T Text](s T, bitSize int) (int64, bool) {
	i, end := trimBlank(s, 0, len(s))
	if i == end {
		return 0, false
	}
	neg := s[i] == '-'
	if neg || s[i] == '+' {
		if i++; i == end {
			return 0, false
		}
	}
	limit := uint64(1)<<(bitSize-1) - 1
	if neg {
		limit++
	}
	var v uint64
	for ; i < end && s[i] != '.'; i++ {
		c := s[i] - '0'
		if c > 9 {
			return 0, false
		}
		if v > (limit-uint64(c))/10 {
			return 0, false
		}
		v = v*10 + uint64(c)
	}
	for i++; i < end; i++ {
		if s[i]-'0' > 9 {
			return 0, false
		}
	}
	if neg {
		return -int64(v), true
	}
	return int64(v), true
}

// ParseBool reads t, true, y, yes, 1 and f, false, n, no, 0 in any case,
// without blanks.
func ParseBool[T Text](s T) (value, ok bool) {
	switch len(s) {
	case 1:
		switch s[0] {
		case 't', 'T', 'y', 'Y', '1':
			return true, true
		case 'f', 'F', 'n', 'N', '0':
			return false, true
		}
	case 2:
		return false, foldEqual(s, "no")
	case 3:
		return true, foldEqual(s, "yes")
	case 4:
		return true, foldEqual(s, "true")
	case 5:
		return false, foldEqual(s, "false")
	}
	return false, false
}

// foldEqual compares with a lower-case ASCII text of the same length.
func foldEqual[T Text](s T, lower string) bool {
	for i := 0; i < len(lower); i++ {
		if s[i]|0x20 != lower[i] {
			return false
		}
	}
	return true
}

// ParseDouble reads a DOUBLE as Java does: decimal and hexadecimal floats,
// an f or d behind them, NaN and Infinity (in this case). Control characters
// and blanks around it are ignored. Too large texts are infinite.
func ParseDouble[T Text](s T) (float64, bool) { return parseFloat(s, 64) }

// ParseFloat is ParseDouble for FLOAT, rounded once.
func ParseFloat[T Text](s T) (float32, bool) {
	f, ok := parseFloat(s, 32)
	return float32(f), ok
}

func parseFloat[T Text](s T, bitSize int) (float64, bool) {
	lo, hi := 0, len(s)
	for lo < hi && s[lo] <= ' ' {
		lo++
	}
	for lo < hi && s[hi-1] <= ' ' {
		hi--
	}
	if lo == hi {
		return 0, false
	}
	sign, start := 1, lo
	if s[lo] == '-' || s[lo] == '+' {
		if s[lo] == '-' {
			sign = -1
		}
		start++
	}
	if start == hi {
		return 0, false
	}
	switch s[start] {
	case 'N':
		return math.NaN(), string(s[start:hi]) == "NaN"
	case 'I':
		return math.Inf(sign), string(s[start:hi]) == "Infinity"
	}
	hex := hi-start > 2 && s[start] == '0' && s[start+1]|0x20 == 'x'
	digits := false
	for i := start; i < hi; i++ {
		switch c := s[i] | 0x20; {
		case c >= '0' && c <= '9' && s[i] <= '9' && s[i] >= '0':
			digits = true
		case s[i] == '.' || s[i] == '-' || s[i] == '+' || c == 'e' && s[i] >= 'E':
		case (c == 'f' || c == 'd') && s[i] >= 'A' && i == hi-1 && digits:
			// A type suffix; in a hexadecimal float it stands behind the
			// exponent, where f and d are no digits.
			if !hex || hasExponent(s, start, hi) {
				hi--
			}
		case hex && (c == 'x' || c == 'p' || c >= 'a' && c <= 'f') && s[i] >= 'A':
		default:
			return 0, false // among them underscores and inf, which Go would take
		}
	}
	f, err := strconv.ParseFloat(string(s[lo:hi]), bitSize)
	if err != nil {
		// Out of range gives the infinity of its sign, as Java does.
		return f, math.IsInf(f, 0)
	}
	return f, true
}

func hasExponent[T Text](s T, lo, hi int) bool {
	for i := lo; i < hi; i++ {
		if s[i]|0x20 == 'p' {
			return true
		}
	}
	return false
}

// number reads the digits s[i:end], which must be 1 to 9 of them.
func number[T Text](s T, i, end int) (int, bool) {
	if i >= end || end-i > 9 {
		return 0, false
	}
	v := 0
	for ; i < end; i++ {
		c := s[i] - '0'
		if c > 9 {
			return 0, false
		}
		v = v*10 + int(c)
	}
	return v, true
}

// index finds c in s[i:end], or returns end.
func index[T Text](s T, i, end int, c byte) int {
	for i < end && s[i] != c {
		i++
	}
	return i
}

// ParseDate reads a DATE: y, y-m or y-m-d, with blanks around the numbers and
// anything behind a blank ignored. The date must exist, in the years 1 to
// 9999.
func ParseDate[T Text](s T) (int32, bool) {
	end := len(s)
	if end == 10 || end > 10 && s[10] == ' ' {
		if days, ok := fixedDate(s); ok {
			return int32(days), true
		}
	}
	if ws := index(s, 0, end, ' '); ws > 0 {
		end = ws
	}
	var part [3]int
	part[1], part[2] = 1, 1
	i := 0
	for n := range part {
		stop := end
		if n < 2 {
			stop = index(s, i, end, '-')
		}
		lo, hi := trimBlank(s, i, stop)
		for hi-lo > 1 && s[lo] == '0' {
			lo++
		}
		v, ok := number(s, lo, hi)
		if !ok {
			return 0, false
		}
		part[n] = v
		if stop == end {
			break
		}
		i = stop + 1
	}
	return checkedDate(part[0], part[1], part[2])
}

func checkedDate(y, m, d int) (int32, bool) {
	if y < 1 || y > 9999 || m < 1 || m > 12 || d < 1 || d > DaysInMonth(y, m) {
		return 0, false
	}
	return int32(DaysFromCivil(y, m, d)), true
}

// ParseTime reads a TIME: h, h:m, h:m:s or h:m:s.fraction, blanks around it
// aside, cut to prec digits of the fraction.
func ParseTime[T Text](s T, prec int) (int32, bool) {
	i, end := trimBlank(s, 0, len(s))
	var part [3]int
	limits := [3]int{23, 59, 59}
	frac := 0
	for n := range part {
		stop := end
		if n < 2 {
			stop = index(s, i, end, ':')
		} else if dot := index(s, i, end, '.'); dot < end {
			ns, ok := fraction(s, dot+1, end)
			if !ok {
				return 0, false
			}
			frac, stop = ns/1e6, dot
		}
		v, ok := number(s, i, stop)
		if !ok || stop-i > 2 || v > limits[n] {
			return 0, false
		}
		part[n] = v
		if n < 2 && stop == end {
			break
		}
		i = stop + 1
	}
	ms := int32(part[0]*MsPerHour + part[1]*MsPerMinute + part[2]*MsPerSecond + frac)
	return TruncateTime(ms, prec), true
}

// TruncateTime cuts a TIME to prec digits of the fraction of the second.
func TruncateTime(ms int32, prec int) int32 {
	if prec >= 3 {
		return ms
	}
	unit := int32(pow10u64[3-max(prec, 0)])
	return ms / unit * unit
}

// fraction reads 1 to 9 digits as nanoseconds.
func fraction[T Text](s T, i, end int) (int, bool) {
	v, ok := number(s, i, end)
	if !ok {
		return 0, false
	}
	return v * int(pow10u64[9-(end-i)]), true
}

// ParseTimestamp reads a TIMESTAMP as CAST does: yyyy-M-d or
// yyyy-M-d H:m:s[.fraction], without blanks around it, cut to prec digits.
// The year has four digits; a day past the end of its month is clamped to the
// last day; 24:00:00 is midnight of the next day.
func ParseTimestamp[T Text](s T, prec int) (TS, bool) {
	if ts, ok := FixedTimestamp(s); ok {
		return ts, true
	}
	end := len(s)
	blank := index(s, 0, end, ' ')
	y, m, d, ok := splitDate(s, 0, blank)
	if !ok || y < 1 || m < 1 || m > 12 || d < 1 || d > 31 {
		return TS{}, false
	}
	day := DaysFromCivil(y, m, min(d, DaysInMonth(y, m)))
	if blank == end {
		return TS{Ms: day * MsPerDay}, true
	}
	i := blank + 1
	c1 := index(s, i, end, ':')
	c2 := index(s, min(c1+1, end), end, ':')
	dot := index(s, min(c2+1, end), end, '.')
	h, ok1 := number(s, i, c1)
	mi, ok2 := number(s, c1+1, c2)
	sec, ok3 := number(s, c2+1, dot)
	ns := 0
	if !ok1 || !ok2 || !ok3 || mi > 59 || sec > 59 || c1-i > 2 || c2-c1 > 3 || dot-c2 > 3 {
		return TS{}, false
	}
	if dot+1 < end { // a point alone is let pass
		if ns, ok = fraction(s, dot+1, end); !ok {
			return TS{}, false
		}
	}
	if h > 23 && (h != 24 || mi != 0 || sec != 0 || ns != 0) {
		return TS{}, false
	}
	ms := day*MsPerDay + int64(h)*MsPerHour + int64(mi)*MsPerMinute + int64(sec)*MsPerSecond + int64(ns/1e6)
	return TS{Ms: ms, Ns: int32(ns % 1e6)}.Truncate(prec), true
}

// splitDate reads yyyy-M-d from s[i:end] without a look at the calendar.
func splitDate[T Text](s T, i, end int) (y, m, d int, ok bool) {
	if end-i < 8 || s[i+4] != '-' {
		return 0, 0, 0, false
	}
	h := index(s, i+5, end, '-')
	y, ok1 := number(s, i, i+4)
	m, ok2 := number(s, i+5, h)
	d, ok3 := number(s, h+1, end)
	return y, m, d, ok1 && ok2 && ok3 && h-i <= 7 && end-h <= 3
}
