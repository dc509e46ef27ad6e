package types

import (
	"math"
	"testing"
)

func TestParseInt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in   string
		bits int
		want int64
		ok   bool
	}{
		{"7", 32, 7, true}, {" -12 ", 8, -12, true}, {"1.9", 32, 1, true}, {"-1.5", 64, -1, true}, {"+5.", 16, 5, true},
		{"127", 8, 127, true}, {"128", 8, 0, false}, {"-128", 8, -128, true}, {"-129", 8, 0, false},
		{"9223372036854775807", 64, math.MaxInt64, true}, {"-9223372036854775808", 64, math.MinInt64, true},
		{"9223372036854775808", 64, 0, false}, {"99999999999999999999999", 64, 0, false}, {"1e2", 32, 0, false}, {"0x10", 32, 0, false},
		{"", 32, 0, false}, {"  ", 32, 0, false}, {"-", 32, 0, false}, {"1.x", 32, 0, false}, {"1 2", 32, 0, false}, {"\t1", 32, 0, false},
	} {
		got, ok := ParseInt(c.in, c.bits)
		if ok != c.ok || ok && got != c.want {
			t.Errorf("%q: %d %v", c.in, got, ok)
		}
	}
}

func TestParseDouble(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in   string
		want float64
		ok   bool
	}{
		{"1.5", 1.5, true}, {" 1e3 ", 1000, true}, {"1f", 1, true}, {"1.5D", 1.5, true}, {".5", .5, true}, {"5.", 5, true},
		{"0x1p3", 8, true}, {"0x1.8p1f", 3, true}, {"-0xAp0", -10, true}, {"0xfp0", 15, true}, {"1e400", math.Inf(1), true}, {"-1e400", math.Inf(-1), true}, {"1e-400", 0, true},
		{"Infinity", math.Inf(1), true}, {"-Infinity", math.Inf(-1), true}, {"+Infinity", math.Inf(1), true},
		{"inf", 0, false}, {"infinity", 0, false}, {"nan", 0, false}, {"1_000", 0, false}, {"0x1_0p0", 0, false}, {"", 0, false}, {"-", 0, false},
		{"f", 0, false}, {"1ff", 0, false}, {"1e", 0, false}, {"0x1", 0, false}, {"1 2", 0, false}, {"１", 0, false}, {"Infinit", 0, false},
	} {
		got, ok := ParseDouble(c.in)
		if ok != c.ok || ok && got != c.want {
			t.Errorf("%q: %v %v", c.in, got, ok)
		}
	}
	if f, ok := ParseDouble("NaN"); !ok || !math.IsNaN(f) {
		t.Error("NaN")
	}
}

func TestParseTemporal(t *testing.T) {
	t.Parallel()
	date := func(s string) (string, bool) {
		d, ok := ParseDate(s)
		return string(AppendDate(nil, d)), ok
	}
	clock := func(s string) (string, bool) {
		d, ok := ParseTime(s, 3)
		return string(AppendTime(nil, d, 3)), ok
	}
	stamp := func(s string) (string, bool) {
		d, ok := ParseTimestamp(s, 6)
		return string(AppendTS(nil, d, 6)), ok
	}
	for _, c := range []struct {
		parse    func(string) (string, bool)
		in, want string
	}{
		{date, "2024", "2024-01-01"}, {date, "2024-1", "2024-01-01"}, {date, "2024-01-02 10:00:00", "2024-01-02"}, {date, " 12 ", "0012-01-01"},
		{date, "2024-02-30", ""}, {date, "20240102", ""}, {date, "-2024-01-02", ""}, {date, "2024-", ""}, {date, "2024-1-", ""}, {date, "2024-1-2-3", ""},
		{date, "", ""}, {date, "2024-00-01", ""}, {date, "0-1-1", ""}, {date, "2024-1-2T3", ""},
		{clock, "12", "12:00:00.0"}, {clock, "1:2:3", "01:02:03.0"}, {clock, "12:34:56.7891234", "12:34:56.789"}, {clock, "24:00:00", ""}, {clock, "12:60", ""},
		{clock, "123", ""}, {clock, "12:", ""}, {clock, "12:34:56.", ""}, {clock, "1:2:3:4", ""}, {clock, "-1", ""},
		{stamp, "2024-02-29", "2024-02-29 00:00:00.000000"}, {stamp, "2024-1-2 3:4:5", "2024-01-02 03:04:05.000000"},
		{stamp, "2024-01-02 24:00:00", "2024-01-03 00:00:00.000000"}, {stamp, "2024-01-02 03:04:05.123456789", "2024-01-02 03:04:05.123456"},
		{stamp, "2023-02-31 00:00:00.5", "2023-02-28 00:00:00.500000"}, {stamp, "2024-01-02 24:00:01", ""}, {stamp, "2024-01-02 03:04", ""},
		{stamp, "2024-01-02T03:04:05", ""}, {stamp, "2024-01-02 03:04:05Z", ""}, {stamp, " 2024-01-02", ""}, {stamp, "2024-01-02 ", ""}, {stamp, "2024-01-32", ""},
		{stamp, "2024-01-02 03:04:60", ""}, {stamp, "24-01-02", ""}, {stamp, "2024-001-02", ""}, {stamp, "2024-01-02 003:04:05", ""}, {stamp, "0000-01-01", ""},
	} {
		got, ok := c.parse(c.in)
		if ok != (c.want != "") || ok && got != c.want {
			t.Errorf("%q: %q %v, want %q", c.in, got, ok, c.want)
		}
	}
}

func TestParseBool(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]bool{"t": true, "TRUE": true, "Yes": true, "y": true, "1": true, "f": false, "False": false, "NO": false, "n": false, "0": false} {
		if got, ok := ParseBool(s); !ok || got != want {
			t.Errorf("%q: %v %v", s, got, ok)
		}
	}
	for _, s := range []string{"", " t", "2", "on", "off", "tru", "truee", "N\x0f", "\x0eo"} {
		if _, ok := ParseBool(s); ok {
			t.Errorf("%q taken", s)
		}
	}
}

func TestParsersDoNotAllocate(t *testing.T) {
	in := []byte("2024-02-29 12:34:56.789")
	num := []byte("-12345.678")
	if n := testing.AllocsPerRun(100, func() {
		ParseTimestamp(in, 3)
		ParseFormatTimestamp(in, SQLTimestamps)
		ParseDate(in)
		ParseTime(in[11:], 3)
		ParseDouble(num)
		ParseInt(num, 32)
		ParseBool(num)
		ParseDec(num, 10, 2)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"1", "-1.5e3", "2024-02-29 12:34:56.789", "2024-1-2", "12:34", "0x1.8p3", "Infinity", "yes", "2024-01-01T00:00Z"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		ParseBool(s)
		ParseFloat(s)
		if n, ok := ParseInt(s, 16); ok && n != int64(int16(n)) {
			t.Errorf("%q: %d", s, n)
		}
		if v, ok := ParseDouble(s); ok {
			text := string(AppendDouble(nil, v))
			if back, ok := ParseDouble(text); !ok || back != v && v == v {
				t.Errorf("%q: %v %s %v", s, v, text, back)
			}
		}
		if d, ok := ParseDate(s); ok {
			if back, ok := ParseDate(AppendDate(nil, d)); !ok || back != d {
				t.Errorf("%q: %d %d", s, d, back)
			}
		}
		if d, ok := ParseTime(s, 3); ok {
			if back, ok := ParseTime(AppendTime(nil, d, 3), 3); !ok || back != d || d < 0 || d >= MsPerDay {
				t.Errorf("%q: %d %d", s, d, back)
			}
		}
		if ts, ok := ParseTimestamp(s, 9); ok {
			if back, ok := ParseTimestamp(AppendTS(nil, ts, 9), 9); ts.Date() < 2932897 && (!ok || back != ts) {
				t.Errorf("%q: %v %v", s, ts, back)
			}
		}
		for _, f := range []TimestampFormat{SQLTimestamps, ISOTimestamps} {
			ParseFormatTimestampLTZ(s, f)
			if ts, ok := ParseFormatTimestamp(s, f); ok {
				if back, ok := ParseFormatTimestamp(AppendFormatTS(nil, ts, f), f); !ok || back != ts {
					t.Errorf("%q: %v %v", s, ts, back)
				}
			}
		}
		ParseFormatDate(s)
		ParseFormatTime(s)
	})
}

func FuzzParseType(f *testing.F) {
	for _, s := range []string{"INT NOT NULL", "ROW<`a` INT, b ARRAY<DECIMAL(10, 2)> NOT NULL>", "TIMESTAMP(3) *ROWTIME*", "RAW('x', ?)", "MAP<STRING, INT> ARRAY",
		"INTERVAL DAY TO SECOND(3)", "STRUCTURED<'a.B', `x` INT NOT NULL>", "ROW(a INT 'c''d')", "TIMESTAMP(3) WITH LOCAL TIME ZONE"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		typ, err := ParseType(s)
		if err != nil {
			return
		}
		back, err := ParseType(typ.String())
		if err != nil || !back.Equal(typ) || back.String() != typ.String() {
			t.Fatalf("%q -> %s -> %s %v", s, typ, back, err)
		}
	})
}
