package types

// The functions of this file read times as the JSON and CSV formats do. They
// are stricter than CAST: the fields have two digits (the year four).

// A TimestampFormat is a text form of timestamps in formats.
type TimestampFormat uint8

// The timestamp formats.
const (
	SQLTimestamps TimestampFormat = iota // yyyy-MM-dd HH:mm:ss[.fraction]
	ISOTimestamps                        // yyyy-MM-ddTHH:mm[:ss[.fraction]]
)

// ParseFormatTimestamp reads a TIMESTAMP of a message; the fraction has up to
// 9 digits, or none behind its point. As in Java, SQLTimestamps clamp a day
// past the end of its month to the last one and take 24:00:00 for midnight of
// the next day, ISOTimestamps reject both.
func ParseFormatTimestamp[T Text](s T, f TimestampFormat) (TS, bool) {
	return formatTimestamp(s, len(s), f)
}

// ParseFormatTimestampLTZ reads a TIMESTAMP_LTZ of a message: the same with a
// Z behind it, in UTC.
func ParseFormatTimestampLTZ[T Text](s T, f TimestampFormat) (TS, bool) {
	n := len(s)
	if n == 0 || s[n-1] != 'Z' {
		return TS{}, false
	}
	return formatTimestamp(s, n-1, f)
}

func formatTimestamp[T Text](s T, end int, f TimestampFormat) (TS, bool) {
	sep := byte(' ')
	if f == ISOTimestamps {
		sep = 'T'
	}
	if end < 16 || s[10] != sep {
		return TS{}, false
	}
	y, m, d, ok := isoDate(s, 0)
	if !ok || m < 1 || m > 12 || d < 1 || d > 31 {
		return TS{}, false
	}
	tod, ok := isoTime(s, 11, end, f)
	last := DaysInMonth(y, m)
	if d > last && f == ISOTimestamps {
		return TS{}, false
	}
	day := DaysFromCivil(y, m, min(d, last))
	return TS{Ms: day*MsPerDay + tod.Ms, Ns: tod.Ns}, ok
}

// isoDate reads yyyy-MM-dd at s[i:i+10].
func isoDate[T Text](s T, i int) (y, m, d int, ok bool) {
	y, ok1 := number(s, i, i+4)
	m, ok2 := number(s, i+5, i+7)
	d, ok3 := number(s, i+8, i+10)
	return y, m, d, ok1 && ok2 && ok3 && s[i+4] == '-' && s[i+7] == '-'
}

// isoTime reads HH:mm:ss[.fraction] from s[i:end].
func isoTime[T Text](s T, i, end int, f TimestampFormat) (TS, bool) {
	if end-i < 5 || s[i+2] != ':' {
		return TS{}, false
	}
	h, ok1 := number(s, i, i+2)
	m, ok2 := number(s, i+3, i+5)
	if !ok1 || !ok2 || h > 24 || m > 59 || h == 24 && f == ISOTimestamps {
		return TS{}, false
	}
	ms := int64(h)*MsPerHour + int64(m)*MsPerMinute
	if i += 5; i == end {
		return TS{Ms: ms}, f == ISOTimestamps
	}
	if end-i < 3 || s[i] != ':' {
		return TS{}, false
	}
	sec, ok := number(s, i+1, i+3)
	if !ok || sec > 59 {
		return TS{}, false
	}
	ns := 0
	if i += 3; i < end {
		if s[i] != '.' {
			return TS{}, false
		}
		if i+1 < end {
			if ns, ok = fraction(s, i+1, end); !ok {
				return TS{}, false
			}
		}
	}
	if h == 24 && (m != 0 || sec != 0 || ns != 0) {
		return TS{}, false
	}
	return TS{Ms: ms + int64(sec)*MsPerSecond + int64(ns/1e6), Ns: int32(ns % 1e6)}, true
}

// ParseFormatDate reads a DATE of a message, yyyy-MM-dd; it must exist.
func ParseFormatDate[T Text](s T) (int32, bool) {
	if len(s) != 10 {
		return 0, false
	}
	y, m, d, ok := isoDate(s, 0)
	if !ok || m < 1 || m > 12 || d < 1 || d > DaysInMonth(y, m) {
		return 0, false
	}
	return int32(DaysFromCivil(y, m, d)), true
}

// ParseFormatTime reads a TIME of a message, HH:mm:ss[.fraction], to the
// millisecond; 24:00:00 is midnight.
func ParseFormatTime[T Text](s T) (int32, bool) {
	t, ok := isoTime(s, 0, len(s), SQLTimestamps)
	return int32(t.Ms % MsPerDay), ok
}
