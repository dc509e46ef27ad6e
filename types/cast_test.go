package types

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"
)

func TestCastable(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from, to           string
		explicit, implicit bool
	}{
		{"INT", "BIGINT", true, true}, {"BIGINT", "INT", true, false}, {"DOUBLE", "DECIMAL(10, 1)", true, true}, {"DECIMAL(10, 1)", "INT", true, false},
		{"BIGINT", "FLOAT", true, true}, {"DOUBLE", "FLOAT", true, false}, {"STRING", "INT", true, false}, {"INT", "STRING", true, false},
		{"CHAR(3)", "STRING", true, true}, {"STRING", "CHAR(3)", true, false}, {"VARCHAR(9)", "VARCHAR(3)", true, true}, {"BINARY(3)", "BYTES", true, true},
		{"INT", "BOOLEAN", true, false}, {"BOOLEAN", "INT", true, false}, {"BOOLEAN", "DATE", false, false}, {"INT", "BYTES", false, false},
		{"INT", "TIMESTAMP(3)", false, false}, {"TIMESTAMP(3)", "BIGINT", false, false}, {"TIMESTAMP(3)", "DATE", true, true}, {"DATE", "TIMESTAMP(3)", true, false},
		{"DATE", "TIME(0)", false, false}, {"TIME(0)", "DATE", false, false}, {"TIME(0)", "TIMESTAMP_LTZ(3)", true, false}, {"TIMESTAMP(3)", "TIMESTAMP_LTZ(3)", true, true},
		{"INT", "INTERVAL DAY", true, false}, {"INTERVAL DAY", "INT", false, false}, {"INTERVAL DAY", "STRING", true, false}, {"STRING", "INTERVAL DAY", false, false},
		{"NULL", "ARRAY<INT>", true, true}, {"ARRAY<INT>", "ARRAY<BIGINT>", true, true}, {"ARRAY<BIGINT>", "ARRAY<INT>", true, false},
		{"ARRAY<INT>", "STRING", true, false}, {"ARRAY<INT>", "INT", false, false}, {"INT", "ARRAY<INT>", false, false}, {"STRING", "ARRAY<INT>", false, false},
		{"MAP<STRING, INT>", "MAP<INT, STRING>", true, false}, {"MAP<STRING, INT>", "ARRAY<INT>", false, false}, {"ARRAY<INT>", "ARRAY<ARRAY<INT>>", false, false},
		{"ROW<a INT>", "ROW<b BIGINT>", true, true}, {"ROW<a INT>", "ROW<a INT, b INT>", false, false}, {"VARIANT", "STRING", false, false}, {"RAW('x')", "RAW('y')", false, false},
	} {
		e, i := Castable(MustType(c.from), MustType(c.to))
		if e != c.explicit || i != c.implicit {
			t.Errorf("%s to %s: %v %v", c.from, c.to, e, i)
		}
	}
}

func TestCastValueOverColumns(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("X", -3600)
	for _, c := range []struct {
		v        Value
		from, to string
		want     string // NULL, or ! for an error
	}{
		{float32(0.1), "FLOAT", "DOUBLE", "0.10000000149011612"}, {math.Inf(1), "DOUBLE", "INT", "2147483647"}, {math.NaN(), "DOUBLE", "BOOLEAN", "TRUE"},
		{1e40, "DOUBLE", "DECIMAL(38, 0)", "NULL"}, {math.Inf(1), "DOUBLE", "DECIMAL(38, 0)", "!"}, {int64(math.MaxInt64), "BIGINT", "DECIMAL(5, 0)", "NULL"},
		{1e20, "DOUBLE", "DECIMAL(38, 2)", "100000000000000000000.00"}, {"12345678", "STRING", "DECIMAL(5, 0)", "!"},
		{TS{}, "TIMESTAMP_LTZ(3)", "TIMESTAMP(3)", "1969-12-31 23:00:00.000"}, {TS{}, "TIMESTAMP(3)", "TIMESTAMP_LTZ(3)", "1970-01-01 00:00:00.000"},
		{TS{}, "TIMESTAMP_LTZ(3)", "DATE", "1969-12-31"}, {int32(0), "DATE", "TIMESTAMP_LTZ(0)", "1970-01-01 00:00:00"}, {int32(3), "INT", "INTERVAL YEAR", "+3-00"},
		{TS{Ms: -MsPerDay + 36000000}, "TIMESTAMP(3)", "TIME(0)", "10:00:00"},
		{"é\xff", "BYTES", "CHAR(3)", "é\uFFFD "}, {"abc", "STRING", "BINARY(4)", "x'61626300'"}, {strings.Repeat("é", 5), "STRING", "VARCHAR(3)", "ééé"},
		{[]Value{"1", nil}, "ARRAY<STRING>", "ARRAY<INT>", "[1, NULL]"}, {[]Value{"1", "x"}, "ROW<a STRING, b STRING>", "ROW<a INT, b INT>", "!"},
		{&MapValue{Keys: []Value{"1", "01"}, Vals: []Value{int32(2), int32(3)}}, "MULTISET<STRING>", "MULTISET<INT>", "{1=5}"},
		{int32(1), "INT", "DATE", "!"}, {nil, "INT", "STRING", "NULL"},
	} {
		from, to := MustType(c.from), MustType(c.to)
		res, err := CastValue(c.v, from, to, zone, false)
		got := "!"
		if err == nil {
			got = string(AppendValue(nil, res, to, zone))
		}
		if got != c.want {
			t.Errorf("%v %s to %s: %s %v, want %s", c.v, c.from, c.to, got, err, c.want)
		}
		if tried, err := CastValue(c.v, from, to, zone, true); c.want == "!" && c.to != "DATE" && (tried != nil || err != nil) {
			t.Errorf("try %v: %v %v", c.v, tried, err)
		}
	}
	if _, err := CastValue("x", String(), Of(Int), nil, false); !errors.Is(err, ErrCast) {
		t.Error(err)
	}
}

func TestCommon(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ a, b, want string }{
		{"INT NOT NULL", "BIGINT NOT NULL", "BIGINT NOT NULL"}, {"INT", "DECIMAL(2, 1) NOT NULL", "DECIMAL(11, 1)"}, {"DECIMAL(38, 2)", "DECIMAL(20, 10)", "DECIMAL(38, 2)"},
		{"FLOAT", "BIGINT", "FLOAT"}, {"FLOAT", "DOUBLE", "DOUBLE"}, {"CHAR(1)", "CHAR(3)", "VARCHAR(3)"}, {"CHAR(2)", "CHAR(2)", "CHAR(2)"},
		{"CHAR(2)", "STRING", "STRING"}, {"BINARY(1)", "BINARY(2)", "VARBINARY(2)"}, {"TIMESTAMP(0)", "TIMESTAMP(3)", "TIMESTAMP(3)"}, {"TIMESTAMP(0)", "TIMESTAMP_LTZ(3)", "TIMESTAMP_LTZ(3)"},
		{"NULL", "INT NOT NULL", "INT"}, {"NULL", "NULL", "NULL"}, {"INT", "STRING", ""}, {"DATE", "TIMESTAMP(3)", ""}, {"BOOLEAN", "INT", ""},
		{"ARRAY<INT NOT NULL> NOT NULL", "ARRAY<BIGINT> NOT NULL", "ARRAY<BIGINT> NOT NULL"}, {"MAP<CHAR(1), INT>", "MAP<CHAR(2), DOUBLE>", "MAP<VARCHAR(2), DOUBLE>"},
		{"ROW<a INT, b CHAR(1)>", "ROW<a BIGINT, b CHAR(1)>", "ROW<`a` BIGINT, `b` CHAR(1)>"}, {"ROW<a INT>", "ROW<a INT, b INT>", ""}, {"ARRAY<INT>", "ARRAY<STRING>", ""},
		{"INTERVAL DAY", "INTERVAL HOUR", "INTERVAL SECOND(3)"}, {"INTERVAL DAY", "INTERVAL YEAR", ""}, {"TIMESTAMP(3) *ROWTIME*", "TIMESTAMP(3)", "TIMESTAMP(3)"},
	} {
		a, b := MustType(c.a), MustType(c.b)
		for range 2 { // either way round
			got, ok := Common(a, b)
			if ok != (c.want != "") || ok && got.String() != c.want {
				t.Errorf("%s, %s: %s %v, want %s", a, b, got, ok, c.want)
			}
			a, b = b, a
		}
	}
	sum, _ := SumType(DecimalOf(10, 2))
	avg, _ := AvgType(DecimalOf(10, 2))
	if sum.String() != "DECIMAL(38, 2)" || avg.String() != "DECIMAL(38, 6)" {
		t.Error(sum, avg)
	}
}

func TestBitmapText(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"\x3a\x30\x00\x00\x01\x00\x00\x00\x00\x00\x01\x00\x10\x00\x00\x00\x01\x00\x02\x00": "{1,2}",
		"\x3a\x30\x00\x00\x00\x00\x00\x00":                                                 "{}",
		"\x3b\x30\x00\x00\x01\x01\x00\x02\x00\x01\x00\x05\x00\x02\x00":                     "{65541,65542,65543}",
		"\x3a\x30\x00\x00\x01\x00\x00\x00\x00\x00\x01\x00":                                 "x'3a3000000100000000000100'",
		"":  "x''",
		"?": "x'3f'",
	} {
		if got := string(AppendValue(nil, in, Of(Bitmap), nil)); got != want {
			t.Errorf("%x: %s, want %s", in, got, want)
		}
	}
}

func FuzzBitmapText(f *testing.F) {
	f.Add("\x3a\x30\x00\x00\x01\x00\x00\x00\x00\x00\x01\x00\x10\x00\x00\x00\x01\x00\x02\x00")
	f.Add("\x3b\x30\x00\x00\x01\x01\x00\x02\x00\x01\x00\x05\x00\x02\x00")
	f.Fuzz(func(t *testing.T, s string) { AppendValue(nil, s, Of(Bitmap), nil) })
}

// TestCommonOfFloats pins the two rules that Flink has where FLOAT meets other kinds.
func TestCommonOfFloats(t *testing.T) {
	for _, c := range []struct{ a, b, function, operand string }{
		{"FLOAT", "DECIMAL(3, 1)", "DOUBLE", "DOUBLE"}, {"DECIMAL(3, 1)", "FLOAT", "FLOAT", "DOUBLE"},
		{"FLOAT", "DOUBLE", "DOUBLE", "FLOAT"}, {"DOUBLE", "FLOAT", "DOUBLE", "DOUBLE"}, {"INT", "FLOAT", "FLOAT", "FLOAT"},
		{"TIMESTAMP(3)", "TIMESTAMP_LTZ(3)", "TIMESTAMP_LTZ(3)", "TIMESTAMP(3)"}, {"TIMESTAMP_LTZ(0)", "TIMESTAMP(3)", "TIMESTAMP_LTZ(3)", "TIMESTAMP(3)"},
		{"TIMESTAMP_LTZ(0)", "TIMESTAMP_LTZ(3)", "TIMESTAMP_LTZ(3)", "TIMESTAMP_LTZ(3)"},
	} {
		f, _ := Common(MustType(c.a), MustType(c.b))
		o, _ := CommonOperand(MustType(c.a), MustType(c.b))
		if f.String() != c.function || o.String() != c.operand {
			t.Errorf("%s, %s: %s and %s, want %s and %s", c.a, c.b, f, o, c.function, c.operand)
		}
	}
}
