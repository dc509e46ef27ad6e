package builtin

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/runnelio/runnel/types"
)

func ts(text string) types.TS {
	t, ok := types.ParseTimestamp(text, 9)
	if !ok {
		panic(text)
	}
	return t
}

func TestFormatterWrites(t *testing.T) {
	t.Parallel()
	f := func(at, pattern, want string) {
		t.Helper()
		p, err := compileFormatter(pattern)
		if err != nil {
			t.Errorf("%s: %v", pattern, err)
			return
		}
		got, err := p.format(nil, ts(at), nil, 0)
		if err != nil || string(got) != want {
			t.Errorf("%s by %s: %q %v, want %q", at, pattern, got, err, want)
		}
	}
	at := "2024-02-29 13:04:05.006007008"
	f(at, "uuuu-MM-dd'T'HH:mm:ss.SSSSSSSSS", "2024-02-29T13:04:05.006007008")
	f(at, "''yy''", "'24'")
	f(at, "EEEE, d. MMMM y G", "Thursday, 29. February 2024 AD")
	f(at, "K k h H a", "1 13 1 13 PM")
	f(at, "D DDD e ee c", "60 060 5 05 5")
	f(at, "QQQQ qqq MMMMM EEEEE GGGGG", "1st quarter Q1 F T A")
	f(at, "w W F YYYY", "9 5 1 2024")
	f(at, "A n N", "47045006 6007008 47045006007008")
	f(at, "ppppH|pppm", "  13|  4")
	f(at, "yyyy[ XXX]", "2024")
	f(at, "yyyyy", "02024")
	f("2024-12-30 00:00:00", "YYYY-'W'ww", "2025-W01")
	f("2024-12-30 00:00:00", "kk:KK:hh", "24:00:12")
}

func TestFormatterRejects(t *testing.T) {
	t.Parallel()
	for _, pattern := range []string{"b", "yyyy'", "]", "{", "#", "ddd", "HHH", "aa", "MMMMMM", "SSSSSSSSSS", "p", "cc", "V", "OO", "XXXXXX"} {
		if _, err := compileFormatter(pattern); err == nil {
			t.Errorf("%s is compiled", pattern)
		}
	}
	for _, pattern := range []string{"z", "XXX", "VV", "O"} {
		p, err := compileFormatter(pattern)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := p.format(nil, types.TS{}, nil, 0); err == nil {
			t.Errorf("%s gives %q for a time without zone", pattern, got)
		}
	}
}

func TestFormatterReads(t *testing.T) {
	t.Parallel()
	f := func(text, pattern, want string) {
		t.Helper()
		p, err := compileFormatter(pattern)
		if err != nil {
			t.Fatalf("%s: %v", pattern, err)
		}
		got, ok := p.parse(text)
		switch {
		case want == "" && ok:
			t.Errorf("%q by %s is read as %s", text, pattern, types.AppendTS(nil, got, 9))
		case want != "" && (!ok || got != ts(want)):
			t.Errorf("%q by %s: %s %v, want %s", text, pattern, types.AppendTS(nil, got, 9), ok, want)
		}
	}
	f("20240229130405006", "yyyyMMddHHmmssSSS", "2024-02-29 13:04:05.006")
	f("2024-2-9", "yyyy-M-d", "2024-02-09 00:00:00")
	f("2024-02-9", "yyyy-MM-dd", "")
	f("20x4-02-09", "yyyy-MM-dd", "")
	f("24-02-29", "yy-MM-dd", "2024-02-29 00:00:00")
	f("2024-02-31", "yyyy-MM-dd", "2024-02-29 00:00:00")
	f("2024-13-01", "yyyy-MM-dd", "")
	f("2024-02-29 24:00:00", "yyyy-MM-dd HH:mm:ss", "2024-03-01 00:00:00")
	f("2024-02-29 24:00:01", "yyyy-MM-dd HH:mm:ss", "")
	f("Feb 29 2024 1:05 PM", "MMM d yyyy h:mm a", "2024-02-29 13:05:00")
	f("feb 29 2024", "MMM d yyyy", "")
	f("Thu 29/02/2024", "EEE dd/MM/yyyy", "2024-02-29 00:00:00")
	f("Fri 29/02/2024", "EEE dd/MM/yyyy", "")
	f("60 2024", "D yyyy", "2024-02-29 00:00:00")
	f("2024-02-29 10:00:00 UTC", "yyyy-MM-dd HH:mm:ss z", "2024-02-29 10:00:00")
	f("2024-02-29T10:00:00Z", "yyyy-MM-dd'T'HH:mm:ssX", "2024-02-29 10:00:00")
	f("2024-02-29T10:00:00+0130", "yyyy-MM-dd'T'HH:mm:ssZ", "2024-02-29 10:00:00")
	f("2024-02-29", "yyyy-MM-dd[ HH:mm]", "2024-02-29 00:00:00")
	f("2024-02-29 10:11", "yyyy-MM-dd[ HH:mm]", "2024-02-29 10:11:00")
	f("12024-02-29", "yyyy-MM-dd", "")
	f("+2024", "yyyy", "")
	f("2024-02-29x", "yyyy-MM-dd", "")
	f("09:05", "hh:mm", "1970-01-01 00:05:00") // without AM or PM there is no hour
	f("02-30", "MM-dd", "")
}

func TestSimpleReadsAndWrites(t *testing.T) {
	t.Parallel()
	shanghai, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	f := func(text, pattern, want string) {
		t.Helper()
		p, err := compileSimple(pattern)
		if err != nil {
			t.Fatalf("%s: %v", pattern, err)
		}
		ms, ok := p.parseSimple(text, types.NewZone(shanghai), 1944)
		got := ""
		if ok {
			got = string(types.AppendTS(nil, types.TSFromMs(ms), 3))
		}
		if got != want {
			t.Errorf("%q by %s: %q, want %q", text, pattern, got, want)
		}
	}
	f("2024-02-29 08:00:00", sqlPattern, "2024-02-29 00:00:00.000")
	f("2024-02-29 08:00:00.5 and more", sqlPattern, "2024-02-29 00:00:00.000")
	f("2024-02-30 08:00:00", sqlPattern, "2024-03-01 00:00:00.000")
	f("2024-1-2 3:4:5", sqlPattern, "2024-01-01 19:04:05.000")
	f("2024-02-29", sqlPattern, "")
	f("43 1", "yy M", "2042-12-31 16:00:00.000")
	f("44 1", "yy M", "1943-12-31 15:00:00.000") // summer time
	f("20240229", "yyyyMMdd", "2024-02-28 16:00:00.000")
	f("29 FEBRUARY 2024 1 pm", "d MMM yyyy h a", "2024-02-29 05:00:00.000")
	f("2024-02-29 00:00 +01:00", "yyyy-MM-dd HH:mm XXX", "2024-02-28 23:00:00.000")
	f("2024-02-29 00:00 GMT+2", "yyyy-MM-dd HH:mm z", "2024-02-28 22:00:00.000")
	f("x", "", "1969-12-31 16:00:00.000")
	p, err := compileSimple("EEE, d MMM yyyy HH:mm:ss.SSSS Z X XXX u F")
	if err != nil {
		t.Fatal(err)
	}
	got, err := p.format(nil, ts("2024-02-29 13:04:05.006"), shanghai, ts("2024-02-29 05:04:05.006").Ms)
	if want := "Thu, 29 Feb 2024 13:04:05.0006 +0800 +08 +08:00 4 5"; err != nil || string(got) != want {
		t.Errorf("%q %v, want %q", got, err, want)
	}
}

// TestPatternsRoundTrip writes random times and reads them back, by the fast
// and by the slow way.
func TestPatternsRoundTrip(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for _, pattern := range []string{"yyyy-MM-dd HH:mm:ss.SSSSSSSSS", "yyyyMMddHHmmssSSSSSSSSS", "dd.MM.yyyy/n/ss:mm:HH", "E d MMM uuuu h:m:s a n",
		"yyyy D N", "yyyy-MMMM-dd A n", "YYYY/ww/e kk:mm:ss.SSSSSSSSS"} {
		p, err := compileFormatter(pattern)
		if err != nil {
			t.Fatal(err)
		}
		slow := *p
		slow.fixed = nil
		for range 2000 {
			want := types.TS{Ms: r.Int64N(8000*365*types.MsPerDay) - 1800*365*types.MsPerDay/10, Ns: int32(r.IntN(1e6))}
			text, err := p.format(nil, want, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, q := range []*javaPattern{p, &slow} {
				if got, ok := q.parse(string(text)); !ok || got != want {
					t.Fatalf("%s by %s comes back as %v %v, want %v", text, pattern, got, ok, want)
				}
			}
		}
	}
}

func TestCalendarZone(t *testing.T) {
	t.Parallel()
	loc, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		t.Fatal(err)
	}
	z := types.NewZone(loc)
	f := func(local, utc string) {
		t.Helper()
		if got := calendarUTC(z, ts(local).Ms); got != ts(utc).Ms {
			t.Errorf("%s is %s, want %s", local, types.AppendTS(nil, types.TSFromMs(got), 0), utc)
		}
	}
	f("2024-03-10 02:30:00", "2024-03-10 10:30:00")
	f("2024-11-03 01:30:00", "2024-11-03 09:30:00")
	f("2024-07-01 00:00:00", "2024-07-01 07:00:00")
}

func TestZoneNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"UTC", "Asia/Tokyo", "GMT+8", "GMT-0830", "GMT+8:30", "PST", "EST"} {
		if _, ok := zoneByName(name); !ok {
			t.Errorf("no zone %s", name)
		}
	}
	for _, name := range []string{"", "+08:00", "bogus", "GMT+99", "Local", "../etc/passwd"} {
		if _, ok := zoneByName(name); ok {
			t.Errorf("%q is a zone", name)
		}
	}
	for _, id := range []string{"+08:00", "UTC+8", "Z", "Europe/Paris", "-3"} {
		if _, ok := zoneByID(id); !ok {
			t.Errorf("no zone id %s", id)
		}
	}
}

func FuzzJavaPattern(f *testing.F) {
	f.Add("yyyy-MM-dd[ HH:mm]", "2024-02-29 10:11", int64(0))
	f.Add("EEE, d MMM yyyy HH:mm:ss z", "Thu, 29 Feb 2024 13:04:05 GMT+8", int64(1e12))
	f.Add("ppHpppn''QQQQ", "1st quarter", int64(-1e15))
	f.Fuzz(func(t *testing.T, pattern, text string, ms int64) {
		ms %= 1 << 50
		utc := types.NewZone(nil)
		if p, err := compileFormatter(pattern); err == nil {
			p.parse(text)
			if out, err := p.format(nil, types.TSFromMs(ms), nil, 0); err == nil {
				p.parse(string(out))
			}
		}
		if p, err := compileSimple(pattern); err == nil {
			p.parseSimple(text, utc, 1950)
			if out, err := p.format(nil, types.TSFromMs(ms), time.UTC, ms); err == nil {
				p.parseSimple(string(out), utc, 1950)
			}
		}
	})
}

func TestPatternsDoNotAllocate(t *testing.T) {
	p, err := compileFormatter("yyyy-MM-dd HH:mm:ss.SSS")
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 0, 64)
	at := ts("2024-02-29 13:04:05.006")
	if n := testing.AllocsPerRun(100, func() {
		if _, ok := p.parse("2024-02-29 13:04:05.006"); !ok {
			t.Fatal("not read")
		}
		if _, err := p.format(buf[:0], at, nil, 0); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations a row", n)
	}
}

func BenchmarkParsePattern(b *testing.B) {
	p, err := compileFormatter("yyyy-MM-dd HH:mm:ss")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		p.parse("2024-02-29 13:04:05")
	}
}

func BenchmarkFormatPattern(b *testing.B) {
	p, err := compileFormatter("yyyy-MM-dd HH:mm:ss")
	if err != nil {
		b.Fatal(err)
	}
	buf, at := make([]byte, 0, 64), ts("2024-02-29 13:04:05.006")
	b.ReportAllocs()
	for b.Loop() {
		buf, _ = p.format(buf[:0], at, nil, 0)
	}
}
