package json

import (
	"reflect"
	"testing"
	"time"

	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

func TestDecodeTimestampNumbers(t *testing.T) {
	const n = `{"a":1709287210123,"b":1709287210123}`
	lines := []string{n, `{"a":"2024-03-01 10:00:10.5","b":"2024-03-01 10:00:10.5Z"}`, `{"a":-1,"b":0}`, `{"a":null}`}
	got := decodeAll(t, "a TIMESTAMP(3), b TIMESTAMP_LTZ(0)", map[string]string{"timestamp-numbers": "epoch-millis"}, nil, lines...)
	want := []string{"2024-03-01 10:00:10.123|2024-03-01 10:00:10", "2024-03-01 10:00:10.500|2024-03-01 10:00:10", "1969-12-31 23:59:59.999|1970-01-01 00:00:00", "NULL|NULL"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
	for _, bad := range []map[string]string{nil, {"timestamp-numbers": "fail"}} {
		if got := decodeAll(t, "a TIMESTAMP(3)", bad, nil, n); len(got) != 1 || got[0][:4] != "bad:" {
			t.Errorf("%v: %q", bad, got)
		}
	}
	for _, text := range []string{"true", `"1709287210123"`, "{}", "99999999999999999999"} {
		if got := decodeAll(t, "a TIMESTAMP(3)", map[string]string{"timestamp-numbers": "epoch-millis"}, nil, `{"a":`+text+`}`); len(got) != 1 || got[0][:4] != "bad:" {
			t.Errorf("%s: %q", text, got)
		}
	}
}

// TIMESTAMP shows an instant in the zone of the session.
func TestDecodeTimestampNumbersInAZone(t *testing.T) {
	f, err := Format.New(map[string]string{"timestamp-numbers": "epoch-millis"})
	if err != nil {
		t.Fatal(err)
	}
	s := schemaOf(t, "a TIMESTAMP(3)")
	d, err := f.NewDecoder(format.Decoding{Schema: s, Wanted: wantAll(s), Zone: time.FixedZone("x", 8*3600)})
	if err != nil {
		t.Fatal(err)
	}
	out := vector.New(s.Fields[0].Type, 1)
	fail := func(_, _ int, err error) { t.Error(err) }
	d.Scan(records(`{"a":0}`), 0, 1, fail)
	d.Fill(0, nil, out, fail)
	if got := string(types.AppendValue(nil, vector.Get(out, 0), s.Fields[0].Type, nil)); got != "1970-01-01 08:00:00.000" {
		t.Error(got)
	}
}
