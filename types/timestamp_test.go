package types

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

func TestCivilAgreesWithTime(t *testing.T) {
	t.Parallel()
	for days := int64(-800000); days < 3000000; days += 7 {
		y, m, d := CivilFromDays(days)
		if DaysFromCivil(y, m, d) != days {
			t.Fatalf("%d: %d-%d-%d", days, y, m, d)
		}
		tm := time.Unix(days*86400, 0).UTC()
		isoY, isoW := tm.ISOWeek()
		gotY, gotW := ISOWeek(days)
		if tm.Year() != y || int(tm.Month()) != m || tm.Day() != d || tm.YearDay() != DayOfYear(days) ||
			int(tm.Weekday())+1 != DayOfWeek(days) || (int(tm.Weekday())+6)%7+1 != ISODayOfWeek(days) || isoY != gotY || isoW != gotW {
			t.Fatalf("%d: %v", days, tm)
		}
		if d > DaysInMonth(y, m) {
			t.Fatal(y, m, d)
		}
	}
}

func TestTSArithmetic(t *testing.T) {
	t.Parallel()
	ts := TSFromCivil(2024, 1, 31, 10, 20, 30, 123456789)
	for _, c := range []struct {
		got  TS
		want string
	}{
		{ts, "2024-01-31 10:20:30.123456789"},
		{ts.AddMonths(1), "2024-02-29 10:20:30.123456789"},
		{ts.AddMonths(-11), "2023-02-28 10:20:30.123456789"},
		{ts.AddMonths(-24 * 12), "2000-01-31 10:20:30.123456789"},
		{ts.AddMs(MsPerDay), "2024-02-01 10:20:30.123456789"},
		{ts.Truncate(0), "2024-01-31 10:20:30.000000000"},
		{ts.Truncate(3), "2024-01-31 10:20:30.123000000"},
		{ts.Truncate(5), "2024-01-31 10:20:30.123450000"},
		{TS{Ms: -1, Ns: 999999}.Truncate(1), "1969-12-31 23:59:59.900000000"},
		{TSFromTime(ts.Time()), "2024-01-31 10:20:30.123456789"},
		{TSFromTime(time.Unix(-1, 5)), "1969-12-31 23:59:59.000000005"},
	} {
		if got := string(AppendTS(nil, c.got, 9)); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
}

// The answers are those of java.time.
func TestZone(t *testing.T) {
	t.Parallel()
	ny, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Skip(err)
	}
	z := NewZone(ny)
	for _, c := range []struct{ local, utc string }{
		{"2024-01-15 12:00:00", "2024-01-15 17:00:00"},
		{"2024-07-15 12:00:00", "2024-07-15 16:00:00"},
		{"2024-03-10 01:59:59", "2024-03-10 06:59:59"},
		{"2024-03-10 02:30:00", "2024-03-10 07:30:00"}, // skipped: 03:30 summer time
		{"2024-03-10 03:00:00", "2024-03-10 07:00:00"},
		{"2024-11-03 00:59:59", "2024-11-03 04:59:59"},
		{"2024-11-03 01:30:00", "2024-11-03 05:30:00"}, // twice: the first
		{"2024-11-03 02:00:00", "2024-11-03 07:00:00"},
		{"1850-01-01 00:00:00", "1850-01-01 04:56:02"},
	} {
		local, _ := ParseTimestamp(c.local, 0)
		if got := string(AppendTS(nil, z.ToUTC(local), 0)); got != c.utc {
			t.Errorf("%s: %s, want %s", c.local, got, c.utc)
		}
		if got := ToUTC(local, ny); got != z.ToUTC(local) {
			t.Errorf("%s: single %v", c.local, got)
		}
	}
	r := rand.New(rand.NewPCG(7, 8))
	for range 20000 {
		u := TS{Ms: r.Int64N(8e12) - 4e12}
		local := z.ToLocal(u)
		_, off := u.Time().In(ny).Zone()
		if local.Ms != u.Ms+int64(off)*1000 || local != ToLocal(u, ny) {
			t.Fatalf("%v %v", u, local)
		}
		if back := z.ToUTC(local); back != u && back.Ms != u.Ms-MsPerHour {
			t.Fatalf("%v back %v", u, back)
		}
	}
	utc := NewZone(nil)
	for _, ms := range []int64{0, math.MaxInt64, math.MinInt64} {
		if ts := (TS{Ms: ms}); utc.ToLocal(ts) != ts || utc.ToUTC(ts) != ts {
			t.Error(ms)
		}
	}
}

func BenchmarkZone(b *testing.B) {
	loc, err := time.LoadLocation("America/New_York")
	if err != nil {
		b.Skip(err)
	}
	z, ts := NewZone(loc), TS{Ms: 1709210096789}
	for b.Loop() {
		ts = z.ToUTC(z.ToLocal(ts))
	}
}
