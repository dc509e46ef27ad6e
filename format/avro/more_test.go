package avro

import (
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/format/formattest"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

func rowSchema(columns string) *types.Schema {
	return types.NewSchema(types.MustType("ROW<" + columns + ">").Fields...)
}

func allOf(s *types.Schema) (all []int) {
	for c := range s.Fields {
		all = append(all, c)
	}
	return all
}

// TestJSONEncoding writes and reads the encoding that is text.
func TestJSONEncoding(t *testing.T) {
	t.Parallel()
	s := formattest.Schema(allTypes...)
	f := make1(t, Format, map[string]string{"encoding": "json"})
	if f.Framing() != format.Lines {
		t.Error("files are not lines")
	}
	enc, err := f.NewEncoder(format.Encoding{Schema: s})
	if err != nil {
		t.Fatal(err)
	}
	dec, err := f.NewDecoder(wantAll(s))
	if err != nil {
		t.Fatal(err)
	}
	b := formattest.Batch(s, 100, 5)
	want := formattest.Rows(s, b.Cols, allOf(s))
	for i := range b.N {
		m, _, err := enc.Append(nil, b, i)
		if err != nil {
			t.Fatal(err)
		}
		if !json.Valid(m) {
			t.Fatalf("no JSON: %s", m)
		}
		got, bad := decodeAll(t, dec, s, m)
		if bad != nil || !sameParts(got[0], want[i]) {
			t.Fatalf("%s:\n got %v, %v\nwant %s", m, got, bad, want[i])
		}
	}
	one := func(schema, columns, text, want string) {
		t.Helper()
		s := rowSchema(columns)
		dec, err := make1(t, Format, map[string]string{"encoding": "json", "schema": schema}).NewDecoder(wantAll(s))
		if err != nil {
			t.Fatal(err)
		}
		rows, bad := decodeAll(t, dec, s, []byte(text))
		got := strings.Join(rows, ";")
		if bad != nil {
			got = "bad: " + bad[0].Error()
		}
		if got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
	const schema = `{"type":"record","name":"n.r","fields":[{"name":"a","type":["null","string",{"type":"enum","name":"e","symbols":["X","Y"]}]},{"name":"b","type":"bytes"},{"name":"f","type":["float","null"]}]}`
	one(schema, "b BYTES, a STRING, f DOUBLE", `{"f":{"float":0.5},"a":{"string":"foo"},"b":"\u00ff\u0000"}`, "x'ff00'|foo|0.5|")
	one(schema, "a STRING, f FLOAT", `{"a":{"n.e":"Y"},"b":"","f":null}`, "Y|NULL|")
	one(schema, "f FLOAT", `{"a":null,"b":"","f":{"float":"NaN"}}`, "NaN|")
	one(schema, "a STRING", `{"a":"foo","b":"","f":null}`, `bad: a: "foo" is no union`)
	one(schema, "a STRING", `{"a":{"e":"Y"},"b":"","f":null}`, "bad: a: the union has no branch e")
	one(schema, "a STRING", `{"b":"","f":null}`, "bad: field a is missing")
	one(schema, "a STRING", `{"a":null,"b":"€","f":null}`, `bad: b: "€" is no bytes`)
	one(schema, "a STRING", `{"a":null`, "bad: no JSON: unexpected EOF")
	one(schema, "a STRING", `{"a":null,"b":"","f":null} x`, "bad: something stands behind the value")
	one(schema, "a STRING", ` `, "")
}

// sameParts compares rows whose maps may be in any order.
func sameParts(a, b string) bool {
	parts := func(row string) []string {
		f := strings.FieldsFunc(row, func(r rune) bool { return strings.ContainsRune(" ,{}", r) })
		slices.Sort(f)
		return f
	}
	return slices.Equal(parts(a), parts(b))
}

// TestGivenSchemas writes rows by a schema that is not the columns' own.
func TestGivenSchemas(t *testing.T) {
	t.Parallel()
	const schema = `{"type":"record","name":"r","fields":[
		{"name":"e","type":["null",{"type":"enum","name":"e","symbols":["X","Y"]}]}, {"name":"u","type":["int","null","string"]}, {"name":"none","type":["string","null"]},
		{"name":"x","type":["null",{"type":"fixed","name":"x","size":2}]}, {"name":"d","type":["null",{"type":"fixed","name":"d","size":4,"logicalType":"decimal","precision":9,"scale":3}]},
		{"name":"at","type":["null",{"type":"long","logicalType":"local-timestamp-micros"}]}, {"name":"day","type":{"type":"int","logicalType":"date"}},
		{"name":"clock","type":["null",{"type":"long","logicalType":"time-micros"}]}, {"name":"f","type":["null","double"]}, {"name":"n","type":["null","long"]},
		{"name":"l","type":{"type":"array","items":["null","string"]}}, {"name":"m","type":{"type":"map","values":"long"}},
		{"name":"in","type":["null",{"type":"record","name":"in","fields":[{"name":"q","type":"string"}]}]}]}`
	s := rowSchema("day DATE NOT NULL, e STRING, u STRING, x BYTES, d DECIMAL(9, 2), `at` TIMESTAMP(6), clock TIME(3), f FLOAT, n INT, l ARRAY<STRING>, m MAP<STRING, INT>, `in` ROW<q STRING>")
	b := vector.NewBatch(s, 3)
	m := &types.MapValue{Keys: []types.Value{"k"}, Vals: []types.Value{int32(-4)}}
	b.AppendValues(types.Insert, int32(3), "Y", "text", "ab", types.DecFromInt64(-1234), types.TS{Ms: -1, Ns: 999_000}, int32(1000), float32(0.5), int32(7), []types.Value{"p", nil}, m, []types.Value{"w"})
	b.AppendValues(types.Insert, int32(0), nil, nil, nil, nil, nil, nil, nil, nil, []types.Value{}, &types.MapValue{}, nil)
	const want = "1970-01-04|Y|text|x'6162'|-12.34|1969-12-31 23:59:59.999999|00:00:01.0|0.5|7|[p, NULL]|{k=-4}|(w)|"
	f := make1(t, Format, map[string]string{"schema": schema})
	dec, err := f.NewDecoder(wantAll(s))
	if err != nil {
		t.Fatal(err)
	}
	enc, err := f.NewEncoder(format.Encoding{Schema: s})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{want, "1970-01-01|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|[]|{}|NULL|"} {
		raw, _, err := enc.Append(nil, b, i)
		if err != nil {
			t.Fatal(err)
		}
		if got, bad := decodeAll(t, dec, s, raw); bad != nil || got[0] != want {
			t.Errorf("got %v, %v\nwant %s", got, bad, want)
		}
	}
	if got, err := formattest.Read(f.(format.FileFormat), formattest.Write(t, f.(format.FileFormat), s, b), s, allOf(s), 0, 5); err != nil || len(got) != 2 || got[0] != want {
		t.Errorf("a file: %v, %v", got, err)
	}
	refuse := func(columns, schema, want string, row ...types.Value) {
		t.Helper()
		s := rowSchema(columns)
		enc, err := make1(t, Format, map[string]string{"schema": `{"type":"record","name":"r","fields":[` + schema + `]}`}).NewEncoder(format.Encoding{Schema: s})
		if err == nil {
			b := vector.NewBatch(s, 1)
			b.AppendValues(types.Insert, row...)
			_, _, err = enc.Append(nil, b, 0)
		}
		if err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", columns, err, want)
		}
	}
	refuse("a STRING", `{"name":"a","type":"int"}`, "column a: STRING cannot be written as an Avro int")
	refuse("a INT", `{"name":"b","type":["int","null"]}`, "column a: the schema has no such field")
	refuse("a INT", `{"name":"a","type":"int"},{"name":"b","type":"int"}`, "field b of the schema has no column, and cannot be null")
	refuse("a INT", `{"name":"a","type":"int"}`, "a: the value is null, but the column is NOT NULL", nil)
	refuse("a STRING", `{"name":"a","type":{"type":"enum","name":"e","symbols":["X"]}}`, `a: enum e has no symbol "Z"`, "Z")
	refuse("a BYTES", `{"name":"a","type":{"type":"fixed","name":"f","size":2}}`, "a: fixed f has 2 bytes, not 3", "abc")
	refuse("a DECIMAL(9, 3)", `{"name":"a","type":{"type":"bytes","logicalType":"decimal","precision":4,"scale":2}}`, "a: the number does not fit a decimal of 4 digits, 2 behind the point", types.DecFromInt64(1234567))
}

// TestTimestampMapping writes local times when it is asked to.
func TestTimestampMapping(t *testing.T) {
	t.Parallel()
	for legacy, want := range map[string]string{"true": `"logicalType":"timestamp-micros"`, "false": `"logicalType":"local-timestamp-micros"`} {
		f := make1(t, Format, map[string]string{"timestamp_mapping.legacy": legacy}).(format.FileFormat)
		s := formattest.Schema("TIMESTAMP(6)", "TIMESTAMP_LTZ(3)")
		b := formattest.Batch(s, 20, 1)
		raw := formattest.Write(t, f, s, b)
		if !strings.Contains(string(raw), want) || !strings.Contains(string(raw), `"logicalType":"timestamp-millis"`) {
			t.Errorf("legacy %s: the schema has no %s", legacy, want)
		}
		if got, err := formattest.Read(f, raw, s, allOf(s), 0, 50); err != nil || !slices.Equal(got, formattest.Rows(s, b.Cols, allOf(s))) {
			t.Errorf("legacy %s: %v", legacy, err)
		}
	}
}

// place is a registry that lives in a test.
type place struct {
	schemas map[string]string // by path
	calls   map[string]int
}

func (p *place) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.calls[r.URL.Path]++
	if r.Method == "POST" {
		var body struct{ Schema string }
		_ = json.NewDecoder(r.Body).Decode(&body)
		p.schemas["/schemas/ids/9"] = body.Schema
		_, _ = w.Write([]byte(`{"id":9}`))
		return
	}
	s, ok := p.schemas[r.URL.Path]
	switch {
	case !ok:
		w.WriteHeader(404)
		_, _ = w.Write([]byte(`{"error_code":40403,"message":"Schema not found"}`))
	case strings.Contains(s, `"type":"other"`):
		_ = json.NewEncoder(w).Encode(map[string]any{"schema": s, "references": []map[string]any{{"name": "other", "subject": "o/1", "version": 3}}})
	case s == "proto":
		_ = json.NewEncoder(w).Encode(map[string]any{"schema": s, "schemaType": "PROTOBUF"})
	default:
		_ = json.NewEncoder(w).Encode(map[string]any{"schema": s})
	}
}

// TestTopicsOfManySchemas reads messages of several schemas, with references, and asks once.
func TestTopicsOfManySchemas(t *testing.T) {
	t.Parallel()
	p := &place{calls: map[string]int{}, schemas: map[string]string{
		"/schemas/ids/1":           `{"type":"record","name":"r","fields":[{"name":"a","type":"int"}]}`,
		"/schemas/ids/2":           `{"type":"record","name":"r2","fields":[{"name":"b","type":"string"},{"name":"a","type":["null","long","int"]}]}`,
		"/schemas/ids/3":           `{"type":"record","name":"r3","fields":[{"name":"o","type":"other"},{"name":"b","type":"string"}]}`,
		"/subjects/o/1/versions/3": `{"type":"record","name":"other","fields":[{"name":"q","type":"int"}]}`,
		"/schemas/ids/4":           "proto",
		"/schemas/ids/5":           `{"type":"record","name":"r5","fields":[{"name":"a","type":{"type":"array","items":"int"}}]}`,
	}}
	srv := httptest.NewTLSServer(p)
	defer srv.Close()
	store := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(store, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw}), 0o644); err != nil {
		t.Fatal(err)
	}
	f := make1(t, Confluent, map[string]string{"schema-registry.url": srv.URL, "ssl.truststore.location": store, "bearer-auth.credentials-source": "STATIC_TOKEN", "bearer-auth.token": "x"})
	s := rowSchema("a INT, b STRING, o ROW<q BIGINT>")
	dec, err := f.NewDecoder(wantAll(s))
	if err != nil {
		t.Fatal(err)
	}
	msg := func(id byte, body string) []byte { return []byte("\x00\x00\x00\x00" + string(rune(id)) + body) }
	for range 3 {
		rows, bad := decodeAll(t, dec, s, msg(1, "\x02"), msg(2, "\x02x\x04\x04"), msg(2, "\x02y\x00"), msg(3, "\x06\x02z"), msg(4, ""), msg(5, "\x00"), msg(7, "x"), []byte{1, 0, 0, 0, 1, 2}, []byte{0, 0})
		if got := strings.Join(rows, " "); got != "1|NULL|NULL| 2|x|NULL| NULL|y|NULL| NULL|z|(3)|" {
			t.Errorf("got %s", got)
		}
		var why []string
		for _, err := range bad {
			why = append(why, err.Error())
		}
		want := []string{"schema registry: schema 4: it is a PROTOBUF schema", "schema 5: column a: an Avro array cannot be read as INT", "schema registry: schema 7: 404 Not Found: Schema not found",
			"the message does not begin with 0 and the id of a schema", "the message does not begin with 0 and the id of a schema"}
		if !slices.Equal(why, want) {
			t.Errorf("bad: %q", why)
		}
	}
	for path, n := range p.calls {
		if n != 1 {
			t.Errorf("%s is asked for %d times", path, n)
		}
	}
	for key, val := range map[string]string{"ssl.truststore.password": "p", "ssl.keystore.password": "p", "url": "here"} {
		o := map[string]string{"url": "http://h"}
		o[key] = val
		if _, err := Confluent.New(o); err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("%s: %v", key, err)
		}
	}
}

// TestDebezium reads and writes changes.
func TestDebezium(t *testing.T) {
	t.Parallel()
	p := &place{calls: map[string]int{}, schemas: map[string]string{"/schemas/ids/1": `{"type":"record","name":"Envelope","namespace":"db.t","fields":[
		{"name":"before","type":["null",{"type":"record","name":"Value","fields":[{"name":"id","type":"int"},{"name":"s","type":["null","string"]},{"name":"r","type":["null",{"type":"record","name":"R","fields":[{"name":"x","type":"long"}]}]}]}]},
		{"name":"after","type":["null","Value"]},{"name":"source","type":{"type":"record","name":"S","fields":[{"name":"db","type":"string"}]}},{"name":"op","type":"string"},{"name":"ts_ms","type":["null","long"]}]}`}}
	srv := httptest.NewServer(p)
	defer srv.Close()
	f := make1(t, Debezium, map[string]string{"url": srv.URL, "subject": "t-value"})
	if !f.Changelog() {
		t.Error("no changelog")
	}
	s := rowSchema("s STRING, id INT NOT NULL, r ROW<x INT>")
	d := wantAll(s)
	d.Wanted = append(d.Wanted, format.Want{Column: 2, Path: []string{"x"}, Type: types.Of(types.Int)})
	dec, err := f.NewDecoder(d)
	if err != nil {
		t.Fatal(err)
	}
	read := func(want string, messages ...string) {
		t.Helper()
		var recs format.Records
		for _, m := range messages {
			recs.Val = append(recs.Val, format.Span{Off: int32(len(recs.Buf)), Len: int32(len(m))})
			recs.Buf = append(recs.Buf, m...)
		}
		got := ""
		n := dec.Scan(&recs, 0, len(messages), func(r, _ int, err error) { got += "bad: " + err.Error() + " " })
		var cols []vector.Vector
		for w, x := range d.Wanted {
			v := vector.New(x.Type.OrNull(), 0)
			dec.Fill(w, nil, v, nil)
			cols = append(cols, v)
		}
		rows := formattest.Rows(s, cols[:3], []int{0, 1, 2})
		for i := range n {
			got += dec.Kinds()[i].String() + rows[i]
			if v := cols[3].(*vector.Flat[int32]); !v.IsNull(i) && v.Vals[i] != 4 {
				t.Errorf("the nested field is %d", v.Vals[i])
			}
		}
		if got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	const head, tail = "\x00\x00\x00\x00\x01", "\x00"
	row := func(id byte, s string) string { return "\x02" + string(rune(id*2)) + "\x02\x02" + s + "\x02\x08" }
	read("+Ia|1|(4)|-Ua|1|(4)|+Ub|1|(4)|-Db|1|(4)|+Ic|2|(4)|", head+"\x00"+row(1, "a")+"\x02d\x02c"+tail, head+row(1, "a")+row(1, "b")+"\x02d\x02u"+tail,
		head+row(1, "b")+"\x00\x02d\x02d"+tail, head+"\x00"+row(2, "c")+"\x02d\x02r"+tail)
	read(`bad: the change has no "before"; is REPLICA IDENTITY of the table FULL? `, head+"\x00"+row(1, "a")+"\x02d\x02u"+tail)
	read(`bad: unknown kind of change op = "t" `, head+"\x00\x00\x02d\x02t"+tail)
	enc, err := f.NewEncoder(format.Encoding{Schema: s})
	if err != nil {
		t.Fatal(err)
	}
	b := vector.NewBatch(s, 3)
	b.AppendValues(types.Insert, "p", int32(7), []types.Value{int32(4)})
	b.AppendValues(types.UpdateBefore, nil, int32(8), nil)
	b.AppendValues(types.UpdateAfter, "q", int32(8), []types.Value{int32(4)})
	var out []string
	for i := range 3 {
		m, _, err := enc.Append(nil, b, i)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, string(m))
	}
	read("+Ip|7|(4)|-DNULL|8|NULL|+Iq|8|(4)|", out...)
}

// fastavro writes and reads what is said on the command line.
const fastavroScript = `
import sys, os, json, fastavro
from datetime import datetime, timezone, date, time
from decimal import Decimal
schema = fastavro.parse_schema(json.load(open(sys.argv[1])))
rows = [
  {"a": 1, "b": None, "c": Decimal("-12.345"), "d": date(1969, 12, 31), "e": datetime(2024, 2, 29, 1, 2, 3, 456789, tzinfo=timezone.utc), "f": [1.5, None], "g": {"k": "v"}, "h": "Y", "i": b"ab", "j": {"x": 5, "y": None}, "k": "text", "l": time(1, 2, 3, 4000)},
  {"a": -2**40, "b": "é", "c": Decimal("0"), "d": date(2024, 1, 1), "e": datetime(1960, 1, 1, tzinfo=timezone.utc), "f": [], "g": {}, "h": "X", "i": b"\x00\xff", "j": {"x": 0, "y": "z"}, "k": 7, "l": time(0)},
]
for codec in ("null", "deflate", "snappy", "zstandard", "bzip2", "xz"):
  try:
    with open(sys.argv[2] + "/" + codec + ".avro", "wb") as f: fastavro.writer(f, schema, rows, codec=codec)
  except Exception as e: os.remove(sys.argv[2] + "/" + codec + ".avro")
with open(sys.argv[2] + "/text.json", "w") as f: fastavro.json_writer(f, schema, rows)
`

// TestAgreesWithFastavro reads files and the JSON encoding of another implementation.
func TestAgreesWithFastavro(t *testing.T) {
	t.Parallel()
	py := ""
	for _, p := range []string{os.Getenv("PYARROW"), "python3"} {
		if p != "" && exec.Command(p, "-c", "import fastavro").Run() == nil {
			py = p
			break
		}
	}
	if py == "" {
		t.Skip("there is no Python with fastavro")
	}
	const schema = `{"type":"record","name":"n.r","fields":[{"name":"a","type":"long"},{"name":"b","type":["null","string"]},{"name":"c","type":{"type":"bytes","logicalType":"decimal","precision":10,"scale":3}},
		{"name":"d","type":{"type":"int","logicalType":"date"}},{"name":"e","type":{"type":"long","logicalType":"timestamp-micros"}},{"name":"f","type":{"type":"array","items":["double","null"]}},
		{"name":"g","type":{"type":"map","values":"string"}},{"name":"h","type":{"type":"enum","name":"E","symbols":["X","Y"]}},{"name":"i","type":{"type":"fixed","name":"F","size":2}},
		{"name":"j","type":{"type":"record","name":"J","fields":[{"name":"x","type":"int"},{"name":"y","type":["null","string"]}]}},{"name":"k","type":["string","long"]},{"name":"l","type":{"type":"int","logicalType":"time-millis"}}]}`
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/schema.json", []byte(schema), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(py, "-c", fastavroScript, dir+"/schema.json", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	s := rowSchema("a BIGINT, b STRING, c DECIMAL(10, 3), d DATE, e TIMESTAMP_LTZ(6), f ARRAY<DOUBLE>, g MAP<STRING, STRING>, h STRING, i BYTES, j ROW<y STRING, x BIGINT>, l TIME(3)")
	want := []string{"1|NULL|-12.345|1969-12-31|2024-02-29 01:02:03.456789|[1.5, NULL]|{k=v}|Y|x'6162'|(NULL, 5)|01:02:03.004|",
		"-1099511627776|é|0.000|2024-01-01|1960-01-01 00:00:00.000000|[]|{}|X|x'00ff'|(z, 0)|00:00:00.0|"}
	f := make1(t, Format, nil).(format.FileFormat)
	files, _ := filepath.Glob(dir + "/*.avro")
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := formattest.Read(f, raw, s, allOf(s), 0, 10); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v", filepath.Base(name), got, err)
		}
	}
	raw, err := os.ReadFile(dir + "/text.json")
	if err != nil {
		t.Fatal(err)
	}
	dec, err := make1(t, Format, map[string]string{"encoding": "json", "schema": schema}).NewDecoder(wantAll(s))
	if err != nil {
		t.Fatal(err)
	}
	var lines [][]byte
	for _, l := range strings.Split(string(raw), "\n") {
		lines = append(lines, []byte(l))
	}
	if got, bad := decodeAll(t, dec, s, lines...); bad != nil || !slices.Equal(got, want) {
		t.Errorf("JSON: %q, %v", got, bad)
	}
	if len(files) < 3 {
		t.Errorf("%d files", len(files))
	}
}

// FuzzJSON reads any text as a datum in the JSON encoding.
func FuzzJSON(f *testing.F) {
	s := formattest.Schema(allTypes...)
	spec, err := Format.New(map[string]string{"encoding": "json"})
	if err != nil {
		f.Fatal(err)
	}
	enc, err := spec.NewEncoder(format.Encoding{Schema: s})
	if err != nil {
		f.Fatal(err)
	}
	b := formattest.Batch(s, 5, 3)
	for i := range b.N {
		m, _, err := enc.Append(nil, b, i)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(m)
	}
	f.Fuzz(func(t *testing.T, m []byte) {
		dec, err := spec.NewDecoder(wantAll(s))
		if err != nil {
			t.Fatal(err)
		}
		decodeAll(t, dec, s, m)
	})
}
