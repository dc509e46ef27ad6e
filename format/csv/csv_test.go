package csv

import (
	"encoding/csv"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/format/formattest"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

func schemaOf(t testing.TB, cols string) *types.Schema {
	t.Helper()
	return formattest.SchemaOf(t, cols)
}

// decodeAll decodes lines and prints rows with | between values; a bad record
// is its error.
func decodeAll(t testing.TB, cols string, opts map[string]string, wants []format.Want, lines ...string) []string {
	t.Helper()
	return formattest.Lines(t, Format, cols, opts, wants, lines...)
}

func TestDecode(t *testing.T) {
	t.Parallel()
	f := func(cols string, opts map[string]string, line string, want ...string) {
		t.Helper()
		if got := decodeAll(t, cols, opts, nil, line); !reflect.DeepEqual(got, want) {
			t.Errorf("%v %q: got %q, want %q", opts, line, got, want)
		}
	}
	ab := "a INT, b STRING"
	f(ab, nil, "1,x", "1|x")
	f(ab, nil, " 1 , x", "1| x")
	f(ab, nil, `1,"x, ""y""`+"\n"+`z"`, "1|x, \"y\"\nz")
	f(ab, nil, `"1","x" `, "1|x")
	f(ab, nil, "1,", "1|")
	f(ab, nil, ",x", "bad: column a: '' is no INT")
	f(ab, nil, "1", "bad: the record has 1 fields, the table 2")
	f(ab, nil, "1,x,", "bad: the record has more than the 2 fields of the table")
	f(ab, nil, `1,"x`, "bad: no CSV: a quote is not closed")
	f(ab, nil, `1,"x"y`, "bad: no CSV: behind a closing quote here should be a delimiter")
	f(ab, nil, `1,x"y"`, `1|x"y"`)
	f(ab, nil, "")
	f(ab, nil, "   ")
	f(ab, nil, "#1,x", "bad: column a: '#1' is no INT")
	f(ab, nil, "1,\xff", `bad: column b: "�" is no UTF-8`)
	f(ab, map[string]string{"allow-comments": "true"}, "#1,x")
	ignore := map[string]string{"ignore-parse-errors": "true"}
	f(ab, ignore, "y,x", "NULL|x")
	f(ab, ignore, "1", "1|NULL")
	f(ab, ignore, "1,2,3")
	f(ab, ignore, `1,"2`)
	f(ab, map[string]string{"field-delimiter": `\t`}, "1\tx,y", "1|x,y")
	f(ab, map[string]string{"field-delimiter": "→"}, `1→"x→y"`, "1|x→y")
	f(ab, map[string]string{"field-delimiter": ";", "quote-character": "'"}, `1;'x;"'`, `1|x;"`)
	f(ab, map[string]string{"disable-quote-character": "true"}, `1,"x"`, `1|"x"`)
	f(ab, map[string]string{"escape-character": `\\`}, `1,x\,y\"\n`, "1|x,y\"\n")
	f(ab, map[string]string{"escape-character": `\\`}, `1,"x\"y"`, `1|x"y`)
	f(ab, map[string]string{"null-literal": "n/a"}, "n/a,n/a", "NULL|NULL")
	f(ab, map[string]string{"null-literal": ""}, ",", "NULL|NULL")
	f("a ARRAY<INT>, r ROW<x INT, y STRING>", nil, "1;2;3,7;z", "[1, 2, 3]|(7, z)")
	f("a ARRAY<STRING>", map[string]string{"array-element-delimiter": "||", "null-literal": "-"}, "a||-||", "[a, NULL, ]")
	f("r ROW<x INT, y STRING>", nil, "1", "bad: column r: a row of 2 fields has 1")
	f("a BOOLEAN, b DOUBLE, c DECIMAL(5,2), d DATE, e TIME(0), f TIMESTAMP(3), g TIMESTAMP_LTZ(3), h BYTES, i TINYINT", nil,
		"TRUE,1e3,1.005,2024-02-29,12:34:56,2024-01-01 00:00:01.5,2024-01-01 00:00:01Z,aGk=,-128",
		"TRUE|1000.0|1.01|2024-02-29|12:34:56|2024-01-01 00:00:01.500|2024-01-01 00:00:01.000|x'6869'|-128")
	f("a STRING", nil, " ", " ")
	f("i TINYINT", nil, "128", "bad: column i: '128' is no TINYINT")
}

func TestDecodeProjected(t *testing.T) {
	t.Parallel()
	wants := []format.Want{{Column: 2, Type: types.String()}, {Column: 1, Path: []string{"y"}, Type: types.String()}, {Column: 1, Path: []string{"x"}, Type: types.Of(types.Int)}}
	got := decodeAll(t, "a INT, r ROW<x INT, y STRING>, c STRING", nil, wants, "bad,7;z,c", "1,8;w,d")
	if want := []string{"c|z|7", "d|w|8"}; !reflect.DeepEqual(got, want) {
		t.Fatal(got)
	}
}

func encode(t testing.TB, cols string, opts map[string]string, rows ...[]types.Value) []string {
	t.Helper()
	f, err := Format.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	s := schemaOf(t, cols)
	e, err := f.NewEncoder(format.Encoding{Schema: s})
	if err != nil {
		t.Fatal(err)
	}
	b := vector.NewBatch(s, len(rows))
	var out []string
	for i, r := range rows {
		b.AppendValues(types.Insert, r...)
		line, _, err := e.Append(nil, b, i)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, string(line))
	}
	return out
}

func TestEncode(t *testing.T) {
	t.Parallel()
	f := func(cols string, opts map[string]string, want string, row ...types.Value) {
		t.Helper()
		if got := encode(t, cols, opts, row); got[0] != want {
			t.Errorf("%v: got %q, want %q", row, got[0], want)
		}
	}
	ts, _ := types.ParseTimestamp("2024-01-01 00:00:01", 3)
	// As Flink wrote it (testdata/oracle/queries/insert_csv_sink.json).
	f("a INT, b STRING, c DOUBLE, d DECIMAL(10,2), e TIMESTAMP(3), f BOOLEAN", nil, `1,ann,10.0,1E+1,"2024-01-01 00:00:01",false`,
		int32(1), "ann", 10.0, types.DecFromInt64(1000), ts, false)
	f("a INT, b STRING", nil, ",", nil, nil)
	f("a INT, b STRING", map[string]string{"null-literal": "NULL"}, "NULL,NULL", nil, nil)
	f("b STRING", nil, `"a ""q"", b"`, `a "q", b`)
	f("b STRING", nil, `abc-def`, `abc-def`)
	f("b STRING", nil, `"`+strings.Repeat("x", 25)+`"`, strings.Repeat("x", 25))
	f("b STRING", map[string]string{"disable-quote-character": "true"}, `a b`, `a b`)
	f("b STRING", map[string]string{"quote-character": "'"}, `'it''s'`, `it's`)
	f("b STRING", map[string]string{"escape-character": `\\`}, `"a\\b"`, `a\b`)
	f("d DECIMAL(10,2)", map[string]string{"write-bigdecimal-in-scientific-notation": "false"}, "10", types.DecFromInt64(1000))
	f("a ARRAY<INT>, r ROW<x INT, y STRING>", nil, "1;2;,7;z", []types.Value{int32(1), int32(2), nil}, []types.Value{int32(7), "z"})
}

func TestOptionErrors(t *testing.T) {
	t.Parallel()
	for _, opts := range []map[string]string{{"field-delimiter": ",,"}, {"field-delimiter": ""}, {"field-delimiter": `"`}, {"quote-character": "é"},
		{"quote-character": "'", "disable-quote-character": "true"}, {"escape-character": "é"}, {"nonsense": "1"}, {"array-element-delimiter": ""}} {
		if _, err := Format.New(opts); err == nil {
			t.Errorf("%v: want an error", opts)
		}
	}
	f, _ := Format.New(nil)
	if _, err := f.NewEncoder(format.Encoding{Schema: schemaOf(t, "m MAP<STRING, INT>")}); err == nil {
		t.Error("a map: want an error")
	}
}

// What is written is read back, whatever the texts are.
func FuzzRoundTrip(f *testing.F) {
	f.Add("a", "b", false, false)
	f.Add("x,\"y\"\n", "\\ '", true, true)
	f.Fuzz(func(t *testing.T, a, b string, escape, quote bool) {
		a, b = strings.ToValidUTF8(a, "?"), strings.ToValidUTF8(b, "?")
		if a == "" || strings.HasPrefix(a, "\ufeff") || strings.TrimSpace(a+b) == "" {
			return
		}
		opts := map[string]string{}
		if escape {
			opts["escape-character"] = `\\`
		}
		if quote {
			opts["quote-character"] = "'"
		}
		line := encode(t, "a STRING, b STRING", opts, []types.Value{a, b})[0]
		got := decodeAll(t, "a STRING, b STRING", opts, nil, line)
		if want := a + "|" + b; len(got) != 1 || got[0] != want {
			t.Fatalf("%q: got %q, want %q", line, got, want)
		}
	})
}

// The decoder reads what encoding/csv reads, and never panics.
func FuzzDecode(f *testing.F) {
	f.Add(`a,"b""c",d`)
	f.Add("\"\n\",,")
	f.Fuzz(func(t *testing.T, line string) {
		got := decodeAll(t, "a STRING, b STRING, c STRING", nil, nil, line)
		r := csv.NewReader(strings.NewReader(line))
		r.FieldsPerRecord = 3
		want, err := r.Read()
		_, more := r.Read()
		if err != nil || more != io.EOF || strings.ContainsAny(line, "\r\x00\ufeff") || strings.HasPrefix(line, "\n") || strings.HasSuffix(line, "\n") || strings.ToValidUTF8(line, "?") != line {
			return
		}
		if len(got) != 1 || got[0] != fmt.Sprintf("%s|%s|%s", want[0], want[1], want[2]) {
			t.Fatalf("%q: got %q, want %q", line, got, want)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	f, _ := Format.New(nil)
	s := schemaOf(b, "a INT, b STRING, c DOUBLE, d TIMESTAMP(3), e STRING, f STRING, g BIGINT, h STRING")
	d, err := f.NewDecoder(format.Decoding{Schema: s, Wanted: []format.Want{{Column: 0, Type: s.Fields[0].Type}, {Column: 4, Type: s.Fields[4].Type}}})
	if err != nil {
		b.Fatal(err)
	}
	recs := &format.Records{}
	for i := range 1024 {
		l := fmt.Sprintf(`%d,name-%d,%d.5,2024-01-01 00:00:01,"quoted, text",plain text of some length,%d,end`, i, i, i, i)
		recs.Val = append(recs.Val, format.Span{Off: int32(len(recs.Buf)), Len: int32(len(l))})
		recs.Buf = append(recs.Buf, l...)
	}
	x, y := vector.New(s.Fields[0].Type, 1024), vector.New(s.Fields[4].Type, 1024)
	b.ReportAllocs()
	b.SetBytes(int64(len(recs.Buf)))
	for b.Loop() {
		d.Scan(recs, 0, 1024, nil)
		d.Fill(0, nil, x, nil)
		d.Fill(1, nil, y, nil)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1024, "ns/row")
}
