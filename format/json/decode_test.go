package json

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/format/formattest"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// records packs texts one behind the other, with nothing between them.
func records(lines ...string) *format.Records {
	r := &format.Records{}
	for _, l := range lines {
		r.Val = append(r.Val, format.Span{Off: int32(len(r.Buf)), Len: int32(len(l))})
		r.Buf = append(r.Buf, l...)
		r.Pos = append(r.Pos, fmt.Sprint(len(r.Pos)))
	}
	return r
}

func schemaOf(t testing.TB, cols string) *types.Schema {
	t.Helper()
	return formattest.SchemaOf(t, cols)
}

func wantAll(s *types.Schema) []format.Want {
	var out []format.Want
	for i, f := range s.Fields {
		out = append(out, format.Want{Column: i, Type: f.Type})
	}
	return out
}

// decodeAll decodes lines and prints each row as text, bad ones as their error.
func decodeAll(t testing.TB, cols string, opts map[string]string, wants []format.Want, lines ...string) []string {
	t.Helper()
	return formattest.Lines(t, Format, cols, opts, wants, lines...)
}

func TestDecodeConverts(t *testing.T) {
	t.Parallel()
	f := func(typ, value, want string) {
		t.Helper()
		got := decodeAll(t, "x "+typ, nil, nil, `{"x":`+value+`}`)
		if len(got) != 1 || !(got[0] == want || strings.HasPrefix(want, "bad") && strings.HasPrefix(got[0], "bad") && strings.Contains(got[0], strings.TrimPrefix(want, "bad "))) {
			t.Errorf("%s from %s: got %q, want %q", typ, value, got, want)
		}
	}
	f("INT", "7", "7")
	f("INT", `"7"`, "7")
	f("INT", `" +7 "`, "7")
	f("INT", "-2147483648", "-2147483648")
	f("INT", "2147483648", "bad 2147483648 is no INT")
	f("INT", "3.99", "3")
	f("INT", "-1e3", "-1000")
	f("INT", "1e40", "bad")
	f("INT", `"3.5"`, "bad")
	f("INT", `""`, "bad")
	f("INT", "true", "bad")
	f("INT", "007", "bad")
	f("INT", "-012", "bad")
	f("INT", "0", "0")
	f("INT", "{}", "bad {} is no INT")
	f("INT", "[1]", "bad")
	f("TINYINT", "128", "bad")
	f("TINYINT", "1.5", "bad")
	f("SMALLINT", "-32768", "-32768")
	f("BIGINT", "9223372036854775807", "9223372036854775807")
	f("BIGINT", "9223372036854775808", "bad")
	f("BIGINT", "1234567890123", "1234567890123")
	f("BOOLEAN", "true", "TRUE")
	f("BOOLEAN", `"True"`, "TRUE")
	f("BOOLEAN", `"yes"`, "FALSE")
	f("BOOLEAN", "1", "FALSE")
	f("BOOLEAN", "[]", "bad")
	f("DOUBLE", "1", "1.0")
	f("DOUBLE", "0.1", "0.1")
	f("DOUBLE", "-12.50", "-12.5")
	f("DOUBLE", `"1e3"`, "1000.0")
	f("DOUBLE", "1.7976931348623157e308", "1.7976931348623157E308")
	f("DOUBLE", "NaN", "bad")
	f("DOUBLE", `"NaN"`, "NaN")
	f("DOUBLE", ".5", "bad")
	f("DOUBLE", "1.", "bad")
	f("FLOAT", "0.1", "0.1")
	f("DECIMAL(5,2)", "1.005", "1.01")
	f("DECIMAL(5,2)", `"12.3"`, "12.30")
	f("DECIMAL(5,2)", "1234567", "NULL")
	f("DECIMAL(5,2)", `"abc"`, "bad")
	f("DECIMAL(5,2)", "1e2", "100.00")
	f("STRING", `"a"`, "a")
	f("STRING", "5", "5")
	f("STRING", "1.50", "1.50")
	f("STRING", "false", "false")
	f("STRING", `{"k": 1, "s": "a b\/"}`, `{"k":1,"s":"a b/"}`)
	f("STRING", `[1]`, "[1]")
	f("STRING", `"\u00e9\n\ud83d\ude00\"\\"`, "é\n😀\"\\")
	f("STRING", `"\ud800x"`, "\uFFFDx")
	f("STRING", `"\q"`, "bad no escape of JSON")
	f("STRING", `"\u12"`, "bad four hexadecimal")
	f("STRING", "\"a\xffb\"", "bad is no UTF-8")
	f("STRING", "\"tab\there\"", "tab\there")
	f("STRING", "null", "NULL")
	f("STRING", `"`+strings.Repeat("é", 100)+`"`, strings.Repeat("é", 100))
	f("BYTES", `"aGk="`, "x'6869'")
	f("BYTES", `"a"`, "bad")
	f("DATE", `"2024-02-29"`, "2024-02-29")
	f("DATE", `"2023-02-29"`, "bad")
	f("DATE", "5", "bad")
	f("TIME(0)", `"12:34:56"`, "12:34:56")
	f("TIMESTAMP(3)", `"2024-01-01 00:00:01.5"`, "2024-01-01 00:00:01.500")
	f("TIMESTAMP(3)", `"2024-01-01T00:00:01"`, "bad")
	f("TIMESTAMP(3)", `1700000000000`, "bad")
	f("TIMESTAMP_LTZ(3)", `"2024-01-01 00:00:01.5Z"`, "2024-01-01 00:00:01.500")
	f("TIMESTAMP_LTZ(3)", `"2024-01-01 00:00:01.5"`, "bad")
	f("ARRAY<INT>", `[1, null ,"3"]`, "[1, NULL, 3]")
	f("ARRAY<INT>", `[]`, "[]")
	f("ARRAY<INT>", `[1,]`, "bad missing behind a comma")
	f("ARRAY<INT>", `[1 2]`, "bad comma")
	f("ARRAY<INT>", `{"a":1}`, "bad")
	f("ARRAY<ARRAY<STRING>>", `[["a"],[],["b","c"]]`, "[[a], [], [b, c]]")
	f("MAP<STRING,INT>", `{"x": 1, "y": null, "x": 3}`, "{x=3, y=NULL}")
	f("MAP<STRING,INT>", `{}`, "{}")
	f("MULTISET<STRING>", `{"x": 2}`, "{x=2}")
	f("ROW<a INT, b STRING>", `{"b": "s", "z": [1], "a": 1, "a": 2}`, "(2, s)")
	f("ROW<a INT, b ROW<c STRING>>", `{"b": {"c": {"d": 1}}}`, `(NULL, ({"d":1}))`)
	f("ROW<a INT>", `5`, "bad 5 is no ROW")
	f("ROW<a INT>", `{"a": "x"}`, `bad a: "x" is no INT`)
}

func TestDecodeDamage(t *testing.T) {
	t.Parallel()
	f := func(line, want string) {
		t.Helper()
		// The good records around it must be untouched, whatever was learned.
		got := decodeAll(t, "a INT, b STRING", nil, nil, `{"a":1,"b":"x"}`, line, `{"a":2,"b":"y"}`)
		if got[0] != "1|x" || got[len(got)-1] != "2|y" {
			t.Errorf("%s: neighbours are %q", line, got)
		}
		mid := strings.Join(got[1:len(got)-1], " ; ")
		if want != mid && !(strings.HasPrefix(want, "bad") && strings.HasPrefix(mid, "bad") && strings.Contains(mid, strings.TrimPrefix(want, "bad "))) {
			t.Errorf("%s: got %q, want %q", line, mid, want)
		}
	}
	f(`{"a":7,"b":"z"}`, "7|z")
	f(`  {"a" : 7 , "b" : "z" }  `, "7|z")
	f("\ufeff"+`{"a":7,"b":"z"}`, "7|z")
	f(`{"b":"z","a":7}`, "7|z")
	f(`{"a":1,"a":2,"b":"p","b":"q"}`, "2|q")
	f(`{"\u0061":7,"b":"z"}`, "7|z")
	f(`{"A":7}`, "NULL|NULL")
	f(`{}`, "NULL|NULL")
	f(`{ }`, "NULL|NULL")
	f(``, "")
	f(`   `, "")
	f(`[]`, "")
	f(`[{"a":7,"b":"z"}, {"a":8}]`, "7|z ; 8|NULL")
	f(`[{"a":7,"b":"z"}, 5]`, "bad")
	f(`[{"a":7,"b":"z"}`, "bad")
	f(`[{"a":7}] x`, "bad behind the array")
	f(`not json`, "bad should be an object (byte 0)")
	f(`5`, "bad")
	f(`null`, "bad")
	f(`"s"`, "bad")
	f(`{`, "bad")
	f(`{"a"`, "bad")
	f(`{"a":`, "bad")
	f(`{"a":7`, "bad")
	f(`{"a":7,`, "bad")
	f(`{"a":7,}`, "bad")
	f(`{"a":7,"b"}`, "bad colon")
	f(`{"a":7,"b":}`, "bad")
	f(`{"a":7,"b":"z`, "bad string does not end")
	f(`{"a":7,"b":"z\`, "bad string does not end")
	f(`{"a":7,"b":"z\"`, "bad string does not end")
	f(`{"a":7,"b":"z"`, "bad")
	f(`{"a":7 "b":"z"}`, "bad comma")
	f(`{'a':7}`, "bad key in quotes")
	f(`{"a":7,"b":"z"}}`, "bad behind the object (byte 15)")
	f(`{"a":7,"b":"z"}{"a":8}`, "bad behind the object")
	f(`{"a":7,"b":"z","c":[1,2}`, "bad")
	f(`{"a":7,"b":"z","c":[1,2}}`, "bad")
	f(`{"a":7,"b":"z","c":{"d":"}"}}`, "7|z")
	f(`{"a":7,"b":"z","c":nul}`, "bad")
	f(`{"a":7,"b":"z","c":tru}`, "bad")
	f(`{"a":7,"b":"z","c":12x}`, "bad")
	f(`{"c":`+strings.Repeat("[", 100000)+strings.Repeat("]", 100000)+`,"a":7}`, "7|NULL")
	f(`{"c":`+strings.Repeat("[", 100000)+`,"a":7}`, "bad")
	f(`{"c":`+strings.Repeat(`{"x":[`, 70)+strings.Repeat(`]}`, 70)+`,"a":7}`, "7|NULL")
	f(`{"c":`+strings.Repeat(`{"x":[`, 70)+strings.Repeat(`]}`, 69)+`}],"a":7}`, "bad a bracket closes")
	f(`{"b":`+strings.Repeat("[", 1000)+strings.Repeat("]", 1000)+`,"a":7}`, "7|"+strings.Repeat("[", 1000)+strings.Repeat("]", 1000))
}

func TestDecodeNestedPaths(t *testing.T) {
	t.Parallel()
	cols := "u ROW<name STRING, addr ROW<city STRING, zip INT>>, n INT"
	wants := []format.Want{
		{Column: 0, Path: []string{"addr", "city"}, Type: types.String()},
		{Column: 0, Path: []string{"name"}, Type: types.String()},
		{Column: 1, Type: types.Of(types.Int)},
		{Column: 0, Path: []string{"addr"}, Type: types.MustType("ROW<city STRING, zip INT>")},
		{Column: 0, Path: []string{"addr", "city"}, Type: types.String()},
	}
	got := decodeAll(t, cols, nil, wants,
		`{"u":{"name":"ann","addr":{"city":"Rome","zip":1}},"n":1}`,
		`{"n":2,"u":{"addr":{"zip":2,"city":"Bonn","x":{"city":"no"}},"city":"no"}}`,
		`{"n":3,"u":null}`,
		`{"n":4,"u":{"addr":null}}`,
		`{"n":5,"u":{"name":"a","addr":{"city":"x"}},"u":{"name":"b"}}`,
		`{"n":6,"u":7}`,
		`{"n":7,"u":"text"}`,
	)
	want := []string{"Rome|ann|1|(Rome, 1)|Rome", "Bonn|NULL|2|(Bonn, 2)|Bonn", "NULL|NULL|3|NULL|NULL", "NULL|NULL|4|NULL|NULL", "NULL|b|5|NULL|NULL",
		"bad: column u.addr.city: 7 is no ROW", `bad: column u.addr.city: "text" is no ROW`}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("got %q\nwant %q", got, want)
	}
}

func TestDecodeOptions(t *testing.T) {
	t.Parallel()
	f := func(cols string, opts map[string]string, line string, want ...string) {
		t.Helper()
		if got := decodeAll(t, cols, opts, nil, line); !reflect.DeepEqual(got, want) {
			t.Errorf("%v %s: got %q, want %q", opts, line, got, want)
		}
	}
	ignore := map[string]string{"ignore-parse-errors": "true"}
	f("a INT, b STRING", ignore, `not json`)
	f("a INT, b STRING", ignore, `[1,2]`)
	f("a INT, b STRING", ignore, `{"a":"abc","b":"y"}`, "NULL|y")
	f("a ARRAY<INT>", ignore, `{"a":[1,"x",3]}`, "[1, NULL, 3]")
	f("a ROW<x INT, y INT>", ignore, `{"a":{"x":"q","y":2}}`, "(NULL, 2)")
	f("a INT", map[string]string{"fail-on-missing-field": "true"}, `{"b":1}`, "bad: column a: the field is missing")
	f("a ROW<x INT>", map[string]string{"fail-on-missing-field": "true"}, `{"a":{}}`, "bad: column a: x: the field is missing")
	f("a TIMESTAMP(3)", map[string]string{"timestamp-format.standard": "ISO-8601"}, `{"a":"2024-01-01T00:00:01.5"}`, "2024-01-01 00:00:01.500")
	f("a TIMESTAMP_LTZ(3)", map[string]string{"timestamp-format.standard": "ISO-8601"}, `{"a":"2024-01-01T00:00:01Z"}`, "2024-01-01 00:00:01.000")
	f("a STRING", map[string]string{"invalid-utf8": "replace"}, "{\"a\":\"x\xffy\"}", "x\uFFFDy")
	if _, err := Format.New(map[string]string{"fail-on-missing-field": "true", "ignore-parse-errors": "true"}); err == nil {
		t.Error("both of fail-on-missing-field and ignore-parse-errors: want an error")
	}
	if _, err := New(&Options{}); err != nil {
		t.Error(err)
	}
	if _, err := (&jsonFormat{&Options{}}).NewDecoder(format.Decoding{Schema: schemaOf(t, "m MAP<INT,INT>"), Wanted: wantAll(schemaOf(t, "m MAP<INT,INT>"))}); err == nil {
		t.Error("MAP<INT, INT>: want an error")
	}
}

func TestDecodeSelectedRowsOnly(t *testing.T) {
	t.Parallel()
	f, _ := Format.New(nil)
	s := schemaOf(t, "a INT, b STRING")
	d, _ := f.NewDecoder(format.Decoding{Schema: s, Wanted: wantAll(s)})
	recs := records(`{"a":1,"b":"x"}`, `{"a":"bad","b":"y"}`, `{"a":3,"b":"z"}`)
	n := d.Scan(recs, 0, 3, nil)
	v := vector.New(types.Of(types.Int), n)
	d.Fill(0, []int32{0, 2}, v, func(int, int, error) { t.Error("row 1 is not selected") })
	if v.Len() != 3 || vector.Get(v, 0) != int32(1) || vector.Get(v, 2) != int32(3) {
		t.Fatalf("%v %v", vector.Get(v, 0), vector.Get(v, 2))
	}
}
