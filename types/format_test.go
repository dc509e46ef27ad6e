package types

import (
	"bufio"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// testdata/java_floats.txt was written by Java 17: kind, bits, text.
func TestFloatsPrintLikeJava(t *testing.T) {
	t.Parallel()
	f, err := os.Open("testdata/java_floats.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	n := 0
	for sc := bufio.NewScanner(f); sc.Scan(); n++ {
		p := strings.Fields(sc.Text())
		bits, err := strconv.ParseUint(p[1], 16, 64)
		if err != nil {
			t.Fatal(err)
		}
		if p[0] == "d" {
			v := math.Float64frombits(bits)
			if got := string(AppendDouble(nil, v)); got != p[2] {
				t.Errorf("%s: got %s", p[2], got)
			}
			if back, ok := ParseDouble(p[2]); !ok || back != v {
				t.Errorf("%s read as %v", p[2], back)
			}
			continue
		}
		v := math.Float32frombits(uint32(bits))
		if got := string(AppendFloat(nil, v)); got != p[2] {
			t.Errorf("%s: got %s", p[2], got)
		}
		if back, ok := ParseFloat(p[2]); !ok || back != v {
			t.Errorf("%s read as %v", p[2], back)
		}
	}
	if n < 400 {
		t.Fatalf("only %d lines", n)
	}
}

func TestAppendValue(t *testing.T) {
	t.Parallel()
	shanghai := time.FixedZone("CST", 8*3600)
	m := &MapValue{}
	m.Set("a", int32(1), String())
	m.Set("b", nil, String())
	m.Set("a", int32(3), String())
	row := []Value{int32(1), nil, "x"}
	for _, c := range []struct {
		typ  string
		v    Value
		want string
	}{
		{"INT", nil, "NULL"}, {"BOOLEAN", true, "TRUE"}, {"TINYINT", int8(-1), "-1"}, {"SMALLINT", int16(300), "300"},
		{"BIGINT", int64(math.MinInt64), "-9223372036854775808"}, {"FLOAT", float32(0.1), "0.1"},
		{"DOUBLE", 1e7, "1.0E7"}, {"DOUBLE", 1e6, "1000000.0"}, {"DOUBLE", 0.0001, "1.0E-4"}, {"DOUBLE", 0.001, "0.001"},
		{"DOUBLE", math.NaN(), "NaN"}, {"DOUBLE", math.Inf(-1), "-Infinity"}, {"DOUBLE", math.Copysign(0, -1), "-0.0"},
		{"DOUBLE", -1.5e-10, "-1.5E-10"}, {"DOUBLE", 5e-324, "4.9E-324"}, {"DOUBLE", math.MaxFloat64, "1.7976931348623157E308"},
		{"DECIMAL(10, 2)", DecFromInt64(-5), "-0.05"}, {"DECIMAL(10, 0)", DecFromInt64(0), "0"}, {"DECIMAL(3, 3)", DecFromInt64(7), "0.007"},
		{"DATE", int32(-1), "1969-12-31"}, {"DATE", int32(-719162), "0001-01-01"}, {"DATE", int32(2932896), "9999-12-31"},
		{"TIME(0)", int32(45296789), "12:34:56"}, {"TIME(3)", int32(45296789), "12:34:56.789"}, {"TIME(3)", int32(45296500), "12:34:56.5"},
		{"TIMESTAMP(0)", TS{Ms: -1}, "1969-12-31 23:59:59"}, {"TIMESTAMP(3)", TS{Ms: -1}, "1969-12-31 23:59:59.999"},
		{"TIMESTAMP(9)", TS{Ms: 0, Ns: 1}, "1970-01-01 00:00:00.000000001"}, {"TIMESTAMP(6)", TS{Ms: 1, Ns: 2000}, "1970-01-01 00:00:00.001002"},
		{"TIMESTAMP_LTZ(3)", TS{}, "1970-01-01 08:00:00.000"}, {"TIMESTAMP(3)", TSFromCivil(12345, 1, 2, 3, 4, 5, 0), "2345-01-02 03:04:05.000"},
		{"INTERVAL SECOND(3)", int64(93784567), "+1 02:03:04.567"}, {"INTERVAL SECOND(3)", int64(-1), "-0 00:00:00.001"},
		{"INTERVAL MONTH", int32(-14), "-1-02"}, {"INTERVAL MONTH", int32(120), "+10-00"},
		{"BYTES", "AB\xff", "x'4142ff'"}, {"ARRAY<STRING>", []Value{"a", nil, "c d"}, "[a, NULL, c d]"},
		{"MAP<STRING, INT>", m, "{a=3, b=NULL}"}, {"MULTISET<STRING>", m, "{a=3, b=NULL}"},
		{"ROW<`i` INT, `n` INT, `s` STRING>", row, "(1, NULL, x)"}, {"STRUCTURED<'a.B', `i` INT, `n` INT, `s` STRING>", row, "(i=1, n=NULL, s=x)"},
		{"ARRAY<TIMESTAMP_LTZ(0)>", []Value{TS{}}, "[1970-01-01 08:00:00]"},
	} {
		if got := string(AppendValue(nil, c.v, MustType(c.typ), shanghai)); got != c.want {
			t.Errorf("%s %v: %s, want %s", c.typ, c.v, got, c.want)
		}
	}
	if got := string(AppendCast(nil, []Value{"a\xe4\xb8b\xffc\xed\xa0\x80"}, MustType("ARRAY<BYTES>"), nil)); got != "[a\uFFFDb\uFFFDc\uFFFD\uFFFD\uFFFD]" {
		t.Errorf("%q", got)
	}
}

func TestFormatTimestamps(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, sql string }{
		{"2024-01-01 00:00:01", "2024-01-01 00:00:01"}, {"2024-01-01 00:00:01.500", "2024-01-01 00:00:01.5"},
		{"2024-01-01 00:00:01.000000001", "2024-01-01 00:00:01.000000001"}, {"2024-02-30 10:00:00", "2024-02-29 10:00:00"},
		{"2024-1-01 00:00:01", ""}, {"2024-01-01T00:00:01", ""}, {"2024-01-01 24:00:00", "2024-01-02 00:00:00"}, {"2024-01-01 24:00:01", ""}, {"2024-01-01 00:00:01.1234567890", ""}, {"2024-01-01 00:00", ""}, {"2024-01-01 00:00:01.", "2024-01-01 00:00:01"},
		{"2024-01-01 00:00:01Z", ""}, {"", ""}, {"2024-13-01 00:00:00", ""},
	} {
		ts, ok := ParseFormatTimestamp(c.in, SQLTimestamps)
		if got := string(AppendFormatTS(nil, ts, SQLTimestamps)); ok != (c.sql != "") || ok && got != c.sql {
			t.Errorf("%q: %q %v", c.in, got, ok)
		}
	}
	iso, ok := ParseFormatTimestampLTZ([]byte("2024-01-01T10:20Z"), ISOTimestamps)
	if got := string(AppendFormatTS(nil, iso, ISOTimestamps)); !ok || got != "2024-01-01T10:20:00" {
		t.Error(got, ok)
	}
	for _, s := range []string{"2024-01-01T24:00:00", "2024-02-30T00:00:00", "2024-01-01 00:00:00", "2024-01-01T00"} {
		if _, ok := ParseFormatTimestamp(s, ISOTimestamps); ok {
			t.Errorf("%q taken", s)
		}
	}
	if _, ok := ParseFormatTimestampLTZ("2024-01-01 10:20:30", SQLTimestamps); ok {
		t.Error("TIMESTAMP_LTZ without Z taken")
	}
	if ms, ok := ParseFormatTime("12:34:56.7891"); !ok || string(AppendFormatTime(nil, ms)) != "12:34:56.789" {
		t.Error(ms, ok)
	}
	if _, ok := ParseFormatDate("2023-02-29"); ok {
		t.Error("a day that is none was taken")
	}
	if d, ok := ParseFormatDate("2024-02-29"); !ok || string(AppendDate(nil, d)) != "2024-02-29" {
		t.Error(d, ok)
	}
}

func BenchmarkAppendDouble(b *testing.B) {
	buf := make([]byte, 0, 64)
	for b.Loop() {
		buf = AppendDouble(buf[:0], 12345.678)
	}
}

func BenchmarkTimestamp(b *testing.B) {
	buf := make([]byte, 0, 64)
	b.Run("append", func(b *testing.B) {
		for b.Loop() {
			buf = AppendTS(buf[:0], TS{Ms: 1709210096789}, 3)
		}
	})
	b.Run("parse", func(b *testing.B) {
		for b.Loop() {
			ParseFormatTimestamp("2024-02-29 12:34:56.789", SQLTimestamps)
		}
	})
}
