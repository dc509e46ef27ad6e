package changelog

import (
	"bytes"
	stdjson "encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/format/formattest"
	"github.com/runnelio/runnel/internal/corpus"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

func schemaOf(t testing.TB, cols string) *types.Schema {
	t.Helper()
	return formattest.SchemaOf(t, cols)
}

// decodeAll prints rows as +I[1|x]; a bad record is its error.
func decodeAll(t testing.TB, spec *format.Spec, cols string, opts map[string]string, wants []format.Want, lines ...string) []string {
	t.Helper()
	return formattest.Lines(t, spec, cols, opts, wants, lines...)
}

func TestDecode(t *testing.T) {
	t.Parallel()
	f := func(spec *format.Spec, opts map[string]string, line string, want ...string) {
		t.Helper()
		got := decodeAll(t, spec, "id INT, name STRING", opts, nil, line)
		if len(want) == 1 && strings.HasPrefix(want[0], "bad") {
			if len(got) != 1 || !strings.HasPrefix(got[0], "bad") || !strings.Contains(got[0], want[0][4:]) {
				t.Errorf("%s %s: got %q, want %q", spec.Name, line, got, want)
			}
			return
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s %s: got %q, want %q", spec.Name, line, got, want)
		}
	}
	ignore := map[string]string{"ignore-parse-errors": "true"}
	f(Debezium, nil, `{"before":null,"after":{"id":1,"name":"a"},"op":"c"}`, "+I[1|a]")
	f(Debezium, nil, `{"op":"r","after":{"id":1,"name":"a"}}`, "+I[1|a]")
	f(Debezium, nil, `{"before":{"id":1,"name":"a"},"after":{"name":"b","id":1},"op":"u"}`, "-U[1|a]", "+U[1|b]")
	f(Debezium, nil, `{"before":{"id":1},"after":null,"op":"d"}`, "-D[1|NULL]")
	f(Debezium, nil, ``)
	f(Debezium, nil, `{"before":null,"after":{"id":1},"op":"u"}`, `bad no "before"; is REPLICA IDENTITY`)
	f(Debezium, nil, `{"after":{"id":1},"op":"d"}`, `bad no "before"`)
	f(Debezium, nil, `{"after":5,"op":"c"}`, `bad "after" is no object`)
	f(Debezium, nil, `{"after":{"id":1},"op":"x"}`, `bad unknown kind of change op = "x"`)
	f(Debezium, nil, `{"after":{"id":1}}`, `bad unknown kind`)
	f(Debezium, nil, `{"after":{"id":"x"},"op":"c"}`, `bad is no INT`)
	f(Debezium, nil, `{"after":{"id":1},"op":"c"`, `bad no JSON`)
	f(Debezium, nil, `{"after":{"id":1},"op":"c"}}`, `bad behind`)
	f(Debezium, ignore, `{"after":{"id":1},"op":"x"}`)
	f(Debezium, ignore, `no json`)
	f(Debezium, ignore, `{"after":{"id":"x","name":"a"},"op":"c"}`, "+I[NULL|a]")
	f(Debezium, map[string]string{"schema-include": "true"}, `{"schema":{"op":"d"},"payload":{"before":null,"after":{"id":1,"name":"a"},"op":"c"}}`, "+I[1|a]")

	f(Ogg, nil, `{"op_type":"U","before":{"id":1,"name":"a"},"after":{"id":1,"name":"b"}}`, "-U[1|a]", "+U[1|b]")
	f(Ogg, nil, `{"op_type":"I","after":{"id":1,"name":"b"}}`, "+I[1|b]")
	f(Ogg, nil, `{"op_type":"D","before":{"id":1,"name":"b"}}`, "-D[1|b]")
	f(Ogg, nil, `{"op_type":"T"}`, "bad unknown kind")
	f(Ogg, nil, `{"table":"D.T","op_type":"T","before":null,"after":null}`, `bad unknown kind of change op_type = "T"`) // a truncate
	f(Ogg, ignore, `{"table":"D.T","op_type":"T","before":null,"after":null}`)
	f(Debezium, nil, `{"before":null,"after":null,"op":"t"}`, `bad unknown kind of change op = "t"`)
	f(Debezium, ignore, `{"before":null,"after":null,"op":"t"}`)
	f(Canal, nil, `{"data":null,"old":null,"type":"TRUNCATE","isDdl":true}`, `bad unknown kind of change type = "TRUNCATE"`)
	f(Canal, ignore, `{"data":null,"old":null,"type":"TRUNCATE","isDdl":true}`)
	f(Maxwell, nil, `{"database":"d","table":"t","type":"table-truncate"}`, `bad unknown kind of change type = "table-truncate"`)
	f(Maxwell, ignore, `{"database":"d","table":"t","type":"table-truncate"}`)

	f(Maxwell, nil, `{"database":"d","type":"insert","data":{"id":1,"name":"a"}}`, "+I[1|a]")
	f(Maxwell, nil, `{"type":"update","data":{"id":1,"name":"b"},"old":{"name":"a"}}`, "-U[1|a]", "+U[1|b]")
	f(Maxwell, nil, `{"type":"update","data":{"id":1,"name":"b"},"old":{"name":null}}`, "-U[1|NULL]", "+U[1|b]")
	f(Maxwell, nil, `{"type":"update","data":{"id":1,"name":"b"}}`, `bad no "old"`)
	f(Maxwell, nil, `{"type":"delete","data":{"id":1,"name":"b"}}`, "-D[1|b]")
	f(Maxwell, nil, `{"type":"bootstrap-start","data":{}}`)
	f(Maxwell, nil, `{"type":"table-alter"}`, "bad unknown kind")

	f(Canal, nil, `{"data":[{"id":"1","name":"a"},{"id":"2","name":"b"}],"type":"INSERT","database":"d","table":"t"}`, "+I[1|a]", "+I[2|b]")
	f(Canal, nil, `{"data":[{"id":"1","name":"b"},{"id":"2","name":"c"}],"old":[{"name":"a"},{"id":null}],"type":"UPDATE"}`, "-U[1|a]", "+U[1|b]", "-U[NULL|c]", "+U[2|c]")
	f(Canal, nil, `{"data":[{"id":"1","name":"a"}],"type":"DELETE"}`, "-D[1|a]")
	f(Canal, nil, `{"data":null,"type":"CREATE","sql":"create table"}`)
	f(Canal, nil, `{"data":[{"id":"1"}],"old":[],"type":"UPDATE"}`, `bad not as many rows`)
	f(Canal, nil, `{"data":[{"id":"1"}],"old":null,"type":"UPDATE"}`, `bad "old": here should be an array`)
	f(Canal, nil, `{"data":[{"id":"1"}, 5],"type":"INSERT"}`, `bad should be an object`)
	f(Canal, nil, `{"data":{"id":"1"},"type":"INSERT"}`, `bad should be an array`)
	f(Canal, map[string]string{"table.include": "t.*", "database.include": "d"}, `{"data":[{"id":1,"name":"a"}],"type":"INSERT","database":"d","table":"t1"}`, "+I[1|a]")
	f(Canal, map[string]string{"table.include": "t"}, `{"data":[{"id":1,"name":"a"}],"type":"INSERT","database":"d","table":"t1"}`)
	f(Canal, map[string]string{"database.include": "x"}, `{"data":[{"id":1,"name":"a"}],"type":"INSERT","database":"d","table":"t1"}`)
	if _, err := Canal.New(map[string]string{"table.include": "("}); err == nil {
		t.Error("a broken pattern passes")
	}
}

func TestNestedPathsAndNoColumns(t *testing.T) {
	t.Parallel()
	wants := []format.Want{{Column: 1, Path: []string{"city"}, Type: types.String()}, {Column: 1, Path: []string{"city"}, Type: types.String()}}
	line := `{"before":{"id":1,"a":{"city":"x"}},"after":{"id":1,"a":{"city":"y"}},"op":"u"}`
	if got := decodeAll(t, Debezium, "id INT, a ROW<city STRING>", nil, wants, line); !reflect.DeepEqual(got, []string{"-U[x|x]", "+U[y|y]"}) {
		t.Error(got)
	}
	if got := decodeAll(t, Debezium, "id INT", nil, []format.Want{}, line); !reflect.DeepEqual(got, []string{"-U[]", "+U[]"}) {
		t.Error(got)
	}
}

func TestEncodeIsReadBack(t *testing.T) {
	t.Parallel()
	want := map[string][]string{
		"debezium-json": {`{"before":null,"after":{"id":1,"name":"a"},"op":"c"}`, `{"before":{"id":1,"name":"a"},"after":null,"op":"d"}`},
		"ogg-json":      {`{"before":null,"after":{"id":1,"name":"a"},"op_type":"I"}`, `{"before":{"id":1,"name":"a"},"after":null,"op_type":"D"}`},
		"maxwell-json":  {`{"data":{"id":1,"name":"a"},"type":"insert"}`, `{"data":{"id":1,"name":"a"},"type":"delete"}`},
		"canal-json":    {`{"data":[{"id":1,"name":"a"}],"type":"INSERT"}`, `{"data":[{"id":1,"name":"a"}],"type":"DELETE"}`},
	}
	for _, spec := range []*format.Spec{Debezium, Ogg, Maxwell, Canal} {
		f, _ := spec.New(nil)
		s := schemaOf(t, "id INT, name STRING")
		e, err := f.NewEncoder(format.Encoding{Schema: s})
		if err != nil || !f.Changelog() {
			t.Fatal(err)
		}
		b := vector.NewBatch(s, 4)
		for _, k := range []types.RowKind{types.Insert, types.UpdateBefore, types.UpdateAfter, types.Delete} {
			b.AppendValues(k, int32(1), "a")
		}
		for i, n := range []int{0, 1, 0, 1} {
			line, skip, err := e.Append(nil, b, i)
			if err != nil || skip || string(line) != want[spec.Name][n] {
				t.Errorf("%s: %s %v, want %s", spec.Name, line, err, want[spec.Name][n])
			}
			if got := decodeAll(t, spec, "id INT, name STRING", nil, nil, string(line)); len(got) != 1 || got[0] != []string{"+I[1|a]", "-D[1|a]"}[n] {
				t.Errorf("%s: %s is read as %q", spec.Name, line, got)
			}
		}
	}
}

// The records of the oracle's cases give the changes Flink saw.
func TestOracle(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(corpus.Oracle(t, "queries", "cdc_filter.json"))
	if err != nil {
		t.Fatal(err)
	}
	var c struct {
		Inputs    map[string]struct{ Lines []string }
		Changelog [][]any
	}
	if err := stdjson.NewDecoder(bytes.NewReader(text)).Decode(&c); err != nil {
		t.Fatal(err)
	}
	got := decodeAll(t, Debezium, "id INT, score INT", nil, nil, c.Inputs["cdc"].Lines...)
	var want []string
	for _, r := range c.Changelog { // only of rows with a score of 10 and more
		want = append(want, r[0].(string)+"["+r[1].(string)+"|"+r[2].(string)+"]")
	}
	var kept []string
	for _, g := range got {
		if !strings.HasSuffix(g, "|5]") {
			kept = append(kept, g)
		}
	}
	if len(want) == 0 || !reflect.DeepEqual(kept, want) {
		t.Fatalf("got %q, want %q", kept, want)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(`{"before":{"id":1},"after":{"id":2},"op":"u","data":[{"id":1}],"old":[{"id":2}],"type":"UPDATE"}`)
	f.Add(`{"data":{"id":1},"old":{},"type":"update"}`)
	f.Add(`{"after":{"id":1},"op":"c","op_type":"I","type":"insert","data":{"id":1},"source":{"ts_ms":1,"db":"d"},"ts":1,"op_ts":"2020-05-13 15:40:06","pkNames":["a"],"sqlType":{"a":4}}`)
	f.Fuzz(func(t *testing.T, line string) {
		for _, spec := range []*format.Spec{Debezium, Ogg, Maxwell, Canal} {
			decodeAll(t, spec, "id INT, name STRING, x ARRAY<ROW<a INT>>", nil, nil, line, `{"op":"c","after":{"id":1}}`)
			wants := []format.Want{{Column: 0, Type: types.Of(types.Int)}}
			for _, m := range spec.Metadata {
				wants = append(wants, format.Want{Column: 1, Meta: m.Name, Type: m.Type})
			}
			decodeAll(t, spec, "id INT", nil, wants, line, `{"op":"c","after":{"id":1}}`)
		}
	})
}
