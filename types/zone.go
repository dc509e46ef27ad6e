package types

import (
	"math"
	"time"
)

// A Zone converts between UTC and the local time of a time zone. It remembers
// the span between two transitions it was last in, so that conversions of
// rows close in time cost a comparison. It is not safe for concurrent use.
type Zone struct {
	loc      *time.Location
	from, to int64 // UTC ms of the remembered span, [from, to)
	offset   int64 // ms to add to UTC there
}

// NewZone returns a Zone for loc; nil means UTC.
func NewZone(loc *time.Location) *Zone {
	z := &Zone{loc: loc}
	if isUTC(loc) {
		z.from, z.to = math.MinInt64, math.MaxInt64
	}
	return z
}

func isUTC(loc *time.Location) bool { return loc == nil || loc == time.UTC }

// Offset returns the milliseconds local time is ahead of UTC at a UTC time.
func (z *Zone) Offset(utcMs int64) int64 {
	if utcMs >= z.from && utcMs < z.to {
		return z.offset
	}
	return z.load(utcMs)
}

func (z *Zone) load(utcMs int64) int64 {
	if isUTC(z.loc) {
		return 0
	}
	t := time.UnixMilli(utcMs).In(z.loc)
	_, secs := t.Zone()
	start, end := t.ZoneBounds()
	z.from, z.to, z.offset = math.MinInt64, math.MaxInt64, int64(secs)*1000
	if !start.IsZero() {
		z.from = start.UnixMilli()
	}
	if !end.IsZero() {
		z.to = end.UnixMilli()
	}
	return z.offset
}

// ToLocal returns the local time of a UTC point, as a TIMESTAMP.
func (z *Zone) ToLocal(t TS) TS { return TS{Ms: t.Ms + z.Offset(t.Ms), Ns: t.Ns} }

// ToUTC returns the UTC point of a local time. A time that comes twice when
// clocks are set back is the first of the two; one that is skipped when they
// are set forward is moved on by the length of the gap.
func (z *Zone) ToUTC(t TS) TS {
	if isUTC(z.loc) {
		return t
	}
	// Well inside the remembered span no transition can interfere.
	if u := t.Ms - z.offset; z.from < z.to && u >= satAdd(z.from, MsPerDay) && u < satAdd(z.to, -MsPerDay) {
		return TS{Ms: u, Ns: t.Ns}
	}
	before := z.Offset(t.Ms - MsPerDay)
	after := z.Offset(t.Ms + MsPerDay)
	u := t.Ms - before
	if before != after && z.Offset(u) != before {
		if v := t.Ms - after; z.Offset(v) == after {
			u = v
		}
	}
	return TS{Ms: u, Ns: t.Ns}
}

func satAdd(a, b int64) int64 {
	if b > 0 && a > math.MaxInt64-b {
		return math.MaxInt64
	}
	if b < 0 && a < math.MinInt64-b {
		return math.MinInt64
	}
	return a + b
}

// ToLocal is Zone.ToLocal for single values.
func ToLocal(t TS, loc *time.Location) TS {
	if isUTC(loc) {
		return t
	}
	_, secs := time.UnixMilli(t.Ms).In(loc).Zone()
	return TS{Ms: t.Ms + int64(secs)*1000, Ns: t.Ns}
}

// ToUTC is Zone.ToUTC for single values.
func ToUTC(t TS, loc *time.Location) TS {
	if isUTC(loc) {
		return t
	}
	z := Zone{loc: loc}
	return z.ToUTC(t)
}
