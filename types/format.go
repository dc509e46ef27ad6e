package types

import (
	"bytes"
	"math"
	"strconv"
	"time"
)

// The texts of this file are those that Flink's SQL client shows. CAST to
// STRING gives the same, except for binary strings: see AppendCast.

// AppendValue appends the text of v, a value of type t, as a client shows it.
// Zone is the session's time zone, in which TIMESTAMP_LTZ is shown; nil means
// UTC. NULL is NULL, as inside of collections; how a NULL cell looks is the
// client's affair.
func AppendValue(dst []byte, v Value, t Type, zone *time.Location) []byte {
	return appendValue(dst, v, t, zone, true)
}

// AppendCast appends the text that CAST(v AS STRING) gives: AppendValue, but
// for binary strings, which are decoded as UTF-8.
func AppendCast(dst []byte, v Value, t Type, zone *time.Location) []byte {
	return appendValue(dst, v, t, zone, false)
}

func appendValue(dst []byte, v Value, t Type, zone *time.Location, show bool) []byte {
	switch x := v.(type) {
	case nil:
		return append(dst, "NULL"...)
	case bool:
		return AppendBool(dst, x)
	case int8:
		return strconv.AppendInt(dst, int64(x), 10)
	case int16:
		return strconv.AppendInt(dst, int64(x), 10)
	case int32:
		switch t.Kind {
		case Date:
			y, m, d := CivilFromDays(int64(x))
			return appendCivil(dst, lastDigits(y), m, d)
		case Time:
			return AppendTime(dst, x, t.Prec)
		case IntervalYM:
			return AppendIntervalYM(dst, x)
		}
		return strconv.AppendInt(dst, int64(x), 10)
	case int64:
		if t.Kind == IntervalDS {
			return AppendIntervalDS(dst, x)
		}
		return strconv.AppendInt(dst, x, 10)
	case float32:
		return AppendFloat(dst, x)
	case float64:
		return AppendDouble(dst, x)
	case Dec:
		return AppendDec(dst, x, t.Scale)
	case TS:
		if t.Kind == TimestampLTZ {
			x = ToLocal(x, zone)
		}
		return AppendCastTS(dst, x, t.Prec)
	case string:
		return appendText(dst, x, t, show)
	case []Value:
		if t.Kind == Row {
			return appendRowValue(dst, x, t, zone, show)
		}
		dst = append(dst, '[')
		for i, e := range x {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = appendValue(dst, e, elemType(t), zone, show)
		}
		return append(dst, ']')
	case *MapValue:
		return appendMap(dst, x, t, zone, show)
	}
	return append(dst, "?"...) // no value of SQL
}

func elemType(t Type) Type {
	if t.Elem == nil {
		return Type{}
	}
	return *t.Elem
}

func appendText(dst []byte, s string, t Type, show bool) []byte {
	switch {
	case t.Kind == Bitmap:
		return appendBitmap(dst, s)
	case !t.IsBinary():
		return append(dst, s...)
	case show:
		return AppendBytes(dst, s)
	}
	return AppendUTF8(dst, s)
}

func appendRowValue(dst []byte, row []Value, t Type, zone *time.Location, show bool) []byte {
	dst = append(dst, '(')
	for i, e := range row {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		var ft Type
		if i < len(t.Fields) {
			ft = t.Fields[i].Type
			if t.Class != "" { // structured types show their field names
				dst = append(append(dst, t.Fields[i].Name...), '=')
			}
		}
		dst = appendValue(dst, e, ft, zone, show)
	}
	return append(dst, ')')
}

func appendMap(dst []byte, m *MapValue, t Type, zone *time.Location, show bool) []byte {
	key, val := elemType(t), Type{Kind: Int}
	if t.Kind == Map {
		val = key
		key = Type{}
		if t.Key != nil {
			key = *t.Key
		}
	}
	dst = append(dst, '{')
	if m != nil {
		for i := range m.Keys {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = appendValue(dst, m.Keys[i], key, zone, show)
			dst = append(dst, '=')
			dst = appendValue(dst, m.Vals[i], val, zone, show)
		}
	}
	return append(dst, '}')
}

// AppendBool appends TRUE or FALSE.
func AppendBool(dst []byte, b bool) []byte {
	if b {
		return append(dst, "TRUE"...)
	}
	return append(dst, "FALSE"...)
}

// AppendDouble appends the shortest text that reads back as f, in the form of
// Java: 1.0, 1.0E7, 1.0E-4, NaN, Infinity.
func AppendDouble(dst []byte, f float64) []byte { return appendFloat(dst, f, 64) }

// AppendFloat is AppendDouble for FLOAT.
func AppendFloat(dst []byte, f float32) []byte { return appendFloat(dst, float64(f), 32) }

func appendFloat(dst []byte, f float64, bitSize int) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, "NaN"...)
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...)
	case f == 0:
		if math.Signbit(f) {
			return append(dst, "-0.0"...)
		}
		return append(dst, "0.0"...)
	}
	if f < 0 {
		dst = append(dst, '-')
		f = -f
	}
	if f >= 1e-3 && f < 1e7 {
		start := len(dst)
		dst = strconv.AppendFloat(dst, f, 'f', -1, bitSize)
		if bytes.IndexByte(dst[start:], '.') >= 0 {
			return dst
		}
		return append(dst, ".0"...)
	}
	var buf [40]byte
	digits, exp, ok := longForm(buf[:0], f, bitSize)
	if !ok {
		digits, exp = shortForm(buf[:0], f, bitSize)
	}
	for len(digits) > 1 && digits[len(digits)-1] == '0' {
		digits = digits[:len(digits)-1]
	}
	dst = append(dst, digits[0], '.')
	if len(digits) == 1 {
		dst = append(dst, '0')
	}
	dst = append(append(dst, digits[1:]...), 'E')
	return strconv.AppendInt(dst, int64(exp), 10)
}

// shortForm appends the shortest digits of f, which is positive, and returns
// the power of ten of the first one.
func shortForm(dst []byte, f float64, bitSize int) (digits []byte, exp int) {
	text := strconv.AppendFloat(dst, f, 'e', -1, bitSize)
	e := bytes.IndexByte(text, 'e')
	neg := text[e+1] == '-'
	for _, c := range text[e+2:] {
		exp = exp*10 + int(c-'0')
	}
	if neg {
		exp = -exp
	}
	if e > 1 { // close the gap of the point
		copy(text[1:], text[2:e])
		e--
	}
	return text[:e], exp
}

// AppendBytes appends x'6162'.
func AppendBytes(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, 'x', '\'')
	for i := 0; i < len(s); i++ {
		dst = append(dst, hex[s[i]>>4], hex[s[i]&15])
	}
	return append(dst, '\'')
}

// AppendDate appends yyyy-MM-dd.
func AppendDate(dst []byte, days int32) []byte {
	y, m, d := CivilFromDays(int64(days))
	return appendCivil(dst, y, m, d)
}

func appendCivil(dst []byte, y, m, d int) []byte {
	if y < 0 {
		dst = append(dst, '-')
		y = -y
	}
	if y > 9999 {
		dst = strconv.AppendInt(dst, int64(y), 10)
	} else {
		dst = append2(append2(dst, y/100), y%100)
	}
	dst = append2(append(dst, '-'), m)
	return append2(append(dst, '-'), d)
}

// append2 appends two digits.
func append2(dst []byte, v int) []byte { return append(dst, byte('0'+v/10), byte('0'+v%10)) }

func appendClock(dst []byte, secs int) []byte {
	dst = append2(dst, secs/3600)
	dst = append2(append(dst, ':'), secs/60%60)
	return append2(append(dst, ':'), secs%60)
}

// AppendTime appends HH:mm:ss and, if prec is over 0, the fraction without
// trailing zeros (one digit at least).
func AppendTime(dst []byte, ms int32, prec int) []byte {
	v := int(FloorMod(int64(ms), MsPerDay))
	dst = appendClock(dst, v/1000)
	v %= 1000
	for i := 0; i < prec && i < 3; i++ {
		if i == 0 {
			dst = append(dst, '.')
		}
		dst = append(dst, byte('0'+v/100))
		if v = v % 100 * 10; v == 0 {
			break
		}
	}
	return dst
}

// AppendTS appends yyyy-MM-dd HH:mm:ss with exactly prec fraction digits.
func AppendTS(dst []byte, t TS, prec int) []byte {
	dst = appendSeconds(dst, t, ' ')
	if prec <= 0 {
		return dst
	}
	return appendFraction(append(dst, '.'), int(t.Nanos()), min(prec, 9))
}

// AppendCastTS is AppendTS as CAST to STRING has it: years have four digits, the
// last ones.
func AppendCastTS(dst []byte, t TS, prec int) []byte {
	if day := t.Date(); day >= firstLongYear {
		y, m, d := CivilFromDays(day)
		t.Ms += (DaysFromCivil(lastDigits(y), m, d) - day) * MsPerDay
	}
	return AppendTS(dst, t, prec)
}

// firstLongYear is the first day whose year has five digits.
const firstLongYear = 2932897

// lastDigits cuts a year to four digits.
func lastDigits(y int) int {
	if y > 9999 {
		return y % 10000
	}
	return y
}

func appendSeconds(dst []byte, t TS, sep byte) []byte {
	day := t.Date()
	y, m, d := CivilFromDays(day)
	dst = append(appendCivil(dst, y, m, d), sep)
	return appendClock(dst, int(t.Ms-day*MsPerDay)/1000)
}

// appendFraction appends the first n of the 9 digits of ns.
func appendFraction(dst []byte, ns, n int) []byte {
	for unit := int(1e8); n > 0; n-- {
		dst = append(dst, byte('0'+ns/unit%10))
		unit /= 10
	}
	return dst
}

// AppendFormatTS appends t as the JSON and CSV formats write it: the fraction
// without trailing zeros, none if it is 0. A TIMESTAMP_LTZ has a Z, for the
// caller to append.
func AppendFormatTS(dst []byte, t TS, f TimestampFormat) []byte {
	sep := byte(' ')
	if f == ISOTimestamps {
		sep = 'T'
	}
	dst = appendSeconds(dst, t, sep)
	return appendShortFraction(dst, int(t.Nanos()))
}

func appendShortFraction(dst []byte, ns int) []byte {
	if ns == 0 {
		return dst
	}
	n := 9
	for v := ns; v%10 == 0; v /= 10 {
		n--
	}
	return appendFraction(append(dst, '.'), ns, n)
}

// AppendFormatTime appends a TIME as the JSON and CSV formats write it.
func AppendFormatTime(dst []byte, ms int32) []byte {
	v := int(FloorMod(int64(ms), MsPerDay))
	return appendShortFraction(appendClock(dst, v/1000), v%1000*1e6)
}

// AppendIntervalDS appends an INTERVAL DAY TO SECOND, +1 02:03:04.567.
func AppendIntervalDS(dst []byte, ms int64) []byte {
	u := uint64(ms)
	sign := byte('+')
	if ms < 0 {
		sign, u = '-', -u
	}
	dst = strconv.AppendUint(append(dst, sign), u/MsPerDay, 10)
	dst = appendClock(append(dst, ' '), int(u%MsPerDay/1000))
	return appendFraction(append(dst, '.'), int(u%1000)*1e6, 3)
}

// AppendIntervalYM appends an INTERVAL YEAR TO MONTH, +1-02.
func AppendIntervalYM(dst []byte, months int32) []byte {
	v := int64(months)
	sign := byte('+')
	if v < 0 {
		sign, v = '-', -v
	}
	dst = strconv.AppendInt(append(dst, sign), v/12, 10)
	return append2(append(dst, '-'), int(v%12))
}
