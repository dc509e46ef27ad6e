package json

import (
	"math"
	"strings"
	"testing"

	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

func encode(t *testing.T, cols string, opts map[string]string, row ...types.Value) (string, error) {
	t.Helper()
	f, err := Format.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	s := schemaOf(t, cols)
	e, err := f.NewEncoder(format.Encoding{Schema: s})
	if err != nil {
		return "", err
	}
	b := vector.NewBatch(s, 1)
	b.AppendValues(types.Insert, row...)
	out, _, err := e.Append(nil, b, 0)
	return string(out), err
}

func TestEncode(t *testing.T) {
	t.Parallel()
	f := func(cols string, opts map[string]string, want string, row ...types.Value) {
		t.Helper()
		if got, err := encode(t, cols, opts, row...); err != nil || got != want {
			t.Errorf("%v: got %s (%v), want %s", row, got, err, want)
		}
	}
	ts := func(s string) types.TS {
		v, _ := types.ParseTimestamp(s, 9)
		return v
	}
	one := &types.MapValue{Keys: []types.Value{"ann"}, Vals: []types.Value{int32(1)}}
	// As Flink wrote it (testdata/oracle/queries/insert_json_sink.json).
	f("a INT, b STRING, c DOUBLE, d DECIMAL(10,2), e TIMESTAMP(3), f BOOLEAN, g ARRAY<INT>, h MAP<STRING, INT>, i ROW<x INT, y STRING>", nil,
		`{"a":1,"b":"ann","c":10.0,"d":1E+1,"e":"2024-01-01 00:00:01","f":false,"g":[1,1],"h":{"ann":1},"i":{"x":1,"y":"ann"}}`,
		int32(1), "ann", 10.0, types.DecFromInt64(1000), ts("2024-01-01 00:00:01"), false, []types.Value{int32(1), int32(1)}, one, []types.Value{int32(1), "ann"})
	f("a INT, b STRING", nil, `{"a":null,"b":null}`, nil, nil)
	f("a INT, b STRING", map[string]string{"encode.ignore-null-fields": "true"}, `{"b":""}`, nil, "")
	f("r ROW<x INT, y INT>", map[string]string{"encode.ignore-null-fields": "true"}, `{"r":{"y":1}}`, []types.Value{nil, int32(1)})
	f("s STRING", nil, `{"s":"\"\\\n\t\u0001é/"}`, "\"\\\n\t\x01é/")
	f("s STRING", nil, "{\"s\":\"a\uFFFDb\"}", "a\xffb")
	f("b BYTES", nil, `{"b":"aGk="}`, "hi")
	f("d DOUBLE, f FLOAT", nil, `{"d":1.0E10,"f":"NaN"}`, 1e10, float32(math.NaN()))
	f("d DATE, t TIME(3), l TIMESTAMP_LTZ(3)", nil, `{"d":"1970-01-02","t":"00:00:01.5","l":"2024-01-01 00:00:01.25Z"}`, int32(1), int32(1500), ts("2024-01-01 00:00:01.25"))
	f("e TIMESTAMP(3)", map[string]string{"timestamp-format.standard": "ISO-8601"}, `{"e":"2024-01-01T00:00:01"}`, ts("2024-01-01 00:00:01"))
	f("m MULTISET<STRING>", nil, `{"m":{"ann":1}}`, one)
	for text, want := range map[string]string{"0": "0", "0.00": "0", "0.50": "0.5", "-12.30": "-12.3", "100": "1E+2", "120": "1.2E+2", "0.0000001": "1E-7", "0.000001": "0.000001", "0.000000123": "1.23E-7", "1234.5678": "1234.5678"} {
		d, ok := types.ParseDec(text, 38, 10)
		if !ok {
			t.Fatal(text)
		}
		f("d DECIMAL(38,10)", nil, `{"d":`+want+`}`, d)
	}
	f("d DECIMAL(10,2)", map[string]string{"encode.decimal-as-plain-number": "true"}, `{"d":10}`, types.DecFromInt64(1000))
	f("d DECIMAL(20,10)", map[string]string{"encode.decimal-as-plain-number": "true"}, `{"d":0.0000000123}`, types.DecFromInt64(123))

	null := &types.MapValue{Keys: []types.Value{"a", nil, "b"}, Vals: []types.Value{int32(1), int32(2), int32(3)}}
	if _, err := encode(t, "m MAP<STRING, INT>", nil, null); err == nil || !strings.Contains(err.Error(), "map-null-key.mode") {
		t.Errorf("NULL key: %v", err)
	}
	f("m MAP<STRING, INT>", map[string]string{"map-null-key.mode": "DROP"}, `{"m":{"a":1,"b":3}}`, null)
	f("m MAP<STRING, INT>", map[string]string{"map-null-key.mode": "LITERAL", "map-null-key.literal": "?"}, `{"m":{"a":1,"?":2,"b":3}}`, null)
	if _, err := encode(t, "m MAP<INT, INT>", nil, nil); err == nil {
		t.Error("MAP<INT, INT>: want an error")
	}
}
