package types

// daysBefore is how many days of a year are before a month, from 1; leap days aside.
var daysBefore = [...]int16{0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365}

// FixedDate reads yyyy-MM-dd, which s must be from end to end, without branching
// on the way. It gives up on all that is not plainly a day of the calendar from
// year 1 on: the general parsers know what those mean.
func FixedDate[T Text](s T) (days int64, ok bool) {
	if len(s) != 10 {
		return 0, false
	}
	return fixedDate(s)
}

// fixedDate reads the first 10 bytes of s.
func fixedDate[T Text](s T) (int64, bool) {
	_ = s[9]
	bad := uint32(s[4]^'-') | uint32(s[7]^'-')
	y1, b1 := twoDigits(s[0], s[1])
	y2, b2 := twoDigits(s[2], s[3])
	m, b3 := twoDigits(s[5], s[6])
	d, b4 := twoDigits(s[8], s[9])
	y := y1*100 + y2
	if bad|b1|b2|b3|b4 != 0 || y == 0 || m-1 > 11 || d == 0 {
		return 0, false
	}
	leap := uint32(0)
	if y%4 == 0 && (y%100 != 0 || y%400 == 0) {
		leap = 1
	}
	start, length := uint32(daysBefore[m]), uint32(daysBefore[m+1]-daysBefore[m])
	if m == 2 {
		length += leap
	} else if m > 2 {
		start += leap
	}
	if d > length {
		return 0, false
	}
	y--
	return int64(y*365+y/4-y/100+y/400+start+d) - 719163, true
}

// FixedTimestamp is FixedDate for yyyy-MM-dd HH:mm:ss.
func FixedTimestamp[T Text](s T) (TS, bool) {
	if len(s) != 19 {
		return TS{}, false
	}
	days, ok := fixedDate(s)
	bad := uint32(s[10]^' ') | uint32(s[13]^':') | uint32(s[16]^':')
	h, b1 := twoDigits(s[11], s[12])
	m, b2 := twoDigits(s[14], s[15])
	sec, b3 := twoDigits(s[17], s[18])
	if !ok || bad|b1|b2|b3 != 0 || h > 23 || m > 59 || sec > 59 {
		return TS{}, false
	}
	return TS{Ms: days*MsPerDay + int64((h*60+m)*60+sec)*MsPerSecond}, true
}

// twoDigits is the number of two digits; bad is not 0 if they are none.
func twoDigits(a, b byte) (n, bad uint32) {
	x, y := uint32(a)-'0', uint32(b)-'0'
	return x*10 + y, (x | y | (9 - x) | (9 - y)) >> 31
}
