package types

import "time"

// Milliseconds of the units that have a fixed length.
const (
	MsPerSecond = 1000
	MsPerMinute = 60 * MsPerSecond
	MsPerHour   = 60 * MsPerMinute
	MsPerDay    = 24 * MsPerHour
	MsPerWeek   = 7 * MsPerDay
)

// FloorDiv returns a/b rounded down; b is positive.
func FloorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// FloorMod returns the remainder that goes with FloorDiv, 0 to b-1.
func FloorMod(a, b int64) int64 {
	r := a % b
	if r < 0 {
		r += b
	}
	return r
}

// DaysFromCivil returns the days from 1970-01-01 to a date of the proleptic
// Gregorian calendar. Month and day must be in range.
func DaysFromCivil(year, month, day int) int64 {
	// Years start in March here, so that the leap day is the last of a year.
	y := int64(year)
	if month <= 2 {
		y--
	}
	era := FloorDiv(y, 400)
	yoe := y - era*400
	mp := int64(month+9) % 12
	doy := (153*mp+2)/5 + int64(day) - 1
	doe := yoe*365 + yoe/4 - yoe/100 + doy
	return era*146097 + doe - 719468
}

// CivilFromDays is the inverse of DaysFromCivil.
func CivilFromDays(days int64) (year, month, day int) {
	z := days + 719468
	era := FloorDiv(z, 146097)
	doe := z - era*146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	day = int(doy - (153*mp+2)/5 + 1)
	month = int(mp + 3)
	y := yoe + era*400
	if month > 12 {
		month -= 12
		y++
	}
	return int(y), month, day
}

// IsLeap tells whether year has 366 days.
func IsLeap(year int) bool { return year%4 == 0 && (year%100 != 0 || year%400 == 0) }

// DaysInMonth returns the length of a month, 1 to 12.
func DaysInMonth(year, month int) int {
	if month == 2 && IsLeap(year) {
		return 29
	}
	return int(monthDays[month-1])
}

var monthDays = [12]uint8{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}

// DayOfYear returns 1 to 366.
func DayOfYear(days int64) int {
	y, _, _ := CivilFromDays(days)
	return int(days-DaysFromCivil(y, 1, 1)) + 1
}

// DayOfWeek returns 1 for Sunday to 7 for Saturday.
func DayOfWeek(days int64) int { return int(FloorMod(days+4, 7)) + 1 }

// ISODayOfWeek returns 1 for Monday to 7 for Sunday.
func ISODayOfWeek(days int64) int { return int(FloorMod(days+3, 7)) + 1 }

// ISOWeek returns the ISO 8601 year and week, 1 to 53, of a day.
func ISOWeek(days int64) (year, week int) {
	// The week belongs to the year of its Thursday.
	thursday := days + 4 - int64(ISODayOfWeek(days))
	year, _, _ = CivilFromDays(thursday)
	return year, int(thursday-DaysFromCivil(year, 1, 1))/7 + 1
}

// AddMonthsToDays moves a day by months; the day of the month is clamped to
// the length of the new month.
func AddMonthsToDays(days, months int64) int64 {
	y, m, d := CivilFromDays(days)
	total := int64(y)*12 + int64(m-1) + months
	y, m = int(FloorDiv(total, 12)), int(FloorMod(total, 12))+1
	return DaysFromCivil(y, m, min(d, DaysInMonth(y, m)))
}

// TSFromCivil returns the point in time of a date and time of day; month and
// day must be in range, ns is the nanosecond of the second.
func TSFromCivil(year, month, day, hour, minute, sec, ns int) TS {
	ms := DaysFromCivil(year, month, day)*MsPerDay +
		int64(hour)*MsPerHour + int64(minute)*MsPerMinute + int64(sec)*MsPerSecond + int64(ns/1e6)
	return TS{Ms: ms, Ns: int32(ns % 1e6)}
}

// TSFromMs returns the point ms milliseconds after 1970.
func TSFromMs(ms int64) TS { return TS{Ms: ms} }

// TSFromTime returns t as a point in UTC.
func TSFromTime(t time.Time) TS {
	return TS{Ms: t.UnixMilli(), Ns: int32(t.Nanosecond() % 1e6)}
}

// Time returns t as a time.Time in UTC.
func (t TS) Time() time.Time { return time.UnixMilli(t.Ms).Add(time.Duration(t.Ns)).UTC() }

// Date returns the day of t, and TimeOfDay the milliseconds in it.
func (t TS) Date() int64 { return FloorDiv(t.Ms, MsPerDay) }

// TimeOfDay returns the milliseconds since midnight.
func (t TS) TimeOfDay() int32 { return int32(FloorMod(t.Ms, MsPerDay)) }

// Nanos returns the nanoseconds within the second, 0 to 999,999,999.
func (t TS) Nanos() int32 { return int32(FloorMod(t.Ms, MsPerSecond))*1e6 + t.Ns }

// AddMs moves t by ms milliseconds.
func (t TS) AddMs(ms int64) TS { return TS{Ms: t.Ms + ms, Ns: t.Ns} }

// AddMonths moves t by months and keeps the time of day; the day of the month
// is clamped.
func (t TS) AddMonths(months int64) TS {
	day := t.Date()
	return TS{Ms: AddMonthsToDays(day, months)*MsPerDay + t.Ms - day*MsPerDay, Ns: t.Ns}
}

// Truncate cuts the fraction of the second to prec digits, 0 to 9, downwards.
func (t TS) Truncate(prec int) TS {
	switch {
	case prec >= 9:
		return t
	case prec > 3:
		unit := int32(pow10u64[9-prec])
		return TS{Ms: t.Ms, Ns: t.Ns / unit * unit}
	case prec == 3:
		return TS{Ms: t.Ms}
	}
	unit := int64(pow10u64[3-max(prec, 0)])
	return TS{Ms: FloorDiv(t.Ms, unit) * unit}
}

// Equal tells whether t and u are the same point.
func (t TS) Equal(u TS) bool { return t == u }
