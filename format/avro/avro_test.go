package avro

import (
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/format/formattest"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

var allTypes = []string{
	"STRING", "INT NOT NULL", "BIGINT", "BOOLEAN", "TINYINT", "SMALLINT", "FLOAT", "DOUBLE", "DECIMAL(10, 3)", "DECIMAL(38, 10)", "BYTES", "DATE", "TIME(3)",
	"TIMESTAMP(3)", "TIMESTAMP(6)", "TIMESTAMP_LTZ(3)", "ARRAY<STRING>", "MAP<STRING, INT>", "ROW<x INT, y ROW<z STRING NOT NULL>>", "MULTISET<STRING>", "ARRAY<ROW<k BIGINT>>", "TIMESTAMP(9)",
}

func make1(t *testing.T, s *format.Spec, options map[string]string) format.Format {
	t.Helper()
	f, err := s.New(options)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestFilesComeBack(t *testing.T) {
	t.Parallel()
	for _, codec := range []string{"null", "deflate", "snappy", "zstandard"} {
		f := make1(t, Format, map[string]string{"codec": codec}).(format.FileFormat)
		formattest.File(t, f, formattest.Schema(allTypes...), 1500)
	}
}

// decodeAll reads messages and returns their rows.
func decodeAll(t *testing.T, dec format.Decoder, s *types.Schema, messages ...[]byte) (rows []string, bad []error) {
	t.Helper()
	var recs format.Records
	for _, m := range messages {
		recs.Val = append(recs.Val, format.Span{Off: int32(len(recs.Buf)), Len: int32(len(m))})
		recs.Buf = append(recs.Buf, m...)
	}
	note := func(_, _ int, err error) { bad = append(bad, err) }
	n := dec.Scan(&recs, 0, len(recs.Val), note)
	var cols []vector.Vector
	var all []int
	for c, f := range s.Fields {
		v := vector.New(f.Type.OrNull(), 0)
		dec.Fill(c, nil, v, note)
		if v.Len() != n {
			t.Fatalf("column %s has %d rows of %d", f.Name, v.Len(), n)
		}
		cols, all = append(cols, v), append(all, c)
	}
	return formattest.Rows(s, cols, all), bad
}

func wantAll(s *types.Schema) format.Decoding {
	d := format.Decoding{Schema: s, Zone: time.UTC}
	for c, f := range s.Fields {
		d.Wanted = append(d.Wanted, format.Want{Column: c, Type: f.Type})
	}
	return d
}

func TestMessagesComeBack(t *testing.T) {
	t.Parallel()
	s := formattest.Schema(allTypes...)
	f := make1(t, Format, nil)
	enc, err := f.NewEncoder(format.Encoding{Schema: s})
	if err != nil {
		t.Fatal(err)
	}
	dec, err := f.NewDecoder(wantAll(s))
	if err != nil {
		t.Fatal(err)
	}
	b := formattest.Batch(s, 200, 1)
	for i := range b.N {
		m, _, err := enc.Append(nil, b, i)
		if err != nil {
			t.Fatal(err)
		}
		got, bad := decodeAll(t, dec, s, m)
		var all []int
		for c := range s.Fields {
			all = append(all, c)
		}
		if want := formattest.Rows(s, b.Cols, all)[i]; bad != nil || got[0] != want {
			t.Fatalf("got %v, %v\nwant %s", got, bad, want)
		}
		for n := range m {
			if rows, bad := decodeAll(t, dec, s, m[:n]); len(rows) > 0 && bad == nil {
				t.Fatalf("a message cut at %d of %d is read", n, len(m))
			}
		}
	}
}

// TestSpecification reads the examples that the specification of Avro gives.
func TestSpecification(t *testing.T) {
	t.Parallel()
	read := func(schema, columns, message, want string) {
		t.Helper()
		f := make1(t, Format, map[string]string{"schema": schema})
		s := types.NewSchema(types.MustType("ROW<" + columns + ">").Fields...)
		dec, err := f.NewDecoder(wantAll(s))
		if err != nil {
			if want != "no: "+err.Error() {
				t.Errorf("%s as %s: %v", schema, columns, err)
			}
			return
		}
		raw, err := hex.DecodeString(strings.ReplaceAll(message, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		rows, bad := decodeAll(t, dec, s, raw)
		got := strings.Join(rows, ";")
		if bad != nil {
			got = "bad: " + bad[0].Error()
		}
		if got != want {
			t.Errorf("%s as %s: %s, want %s", schema, columns, got, want)
		}
	}
	one := func(typ string) string {
		return `{"type":"record","name":"test","fields":[{"name":"a","type":` + typ + `}]}`
	}
	test := `{"type":"record","name":"test","fields":[{"name":"a","type":"long"},{"name":"b","type":"string"}]}`
	read(test, "a BIGINT, b STRING", "36 06 66 6f 6f", "27|foo|")
	read(test, "b STRING", "36 06 66 6f 6f", "foo|")
	read(test, "c INT, a INT", "36 06 66 6f 6f", "NULL|27|")
	read(test, "c INT NOT NULL", "36 06 66 6f 6f", "no: column c is NOT NULL, but the data have no such field")
	read(one(`{"type":"array","items":"long"}`), "a ARRAY<BIGINT>", "04 06 36 00", "[3, 27]|")
	read(one(`{"type":"array","items":"long"}`), "a ARRAY<BIGINT>", "03 04 06 36 00", "[3, 27]|") // a block that tells its size
	read(one(`["null","string"]`), "a STRING", "00", "NULL|")
	read(one(`["null","string"]`), "a STRING", "02 02 61", "a|")
	read(one(`["null","string"]`), "a STRING NOT NULL", "00", "bad: column a: the value is null, but the column is NOT NULL")
	read(one(`["int","string"]`), "a STRING", "02 02 61", "a|")
	read(one(`{"type":"enum","name":"e","symbols":["X","Y"]}`), "a STRING", "02", "Y|")
	read(one(`{"type":"fixed","name":"f","size":2,"logicalType":"decimal","precision":4,"scale":2}`), "a DECIMAL(10, 1)", "ff 85", "-1.2|")
	read(one(`{"type":"long","logicalType":"timestamp-micros"}`), "a TIMESTAMP(6)", "01", "1969-12-31 23:59:59.999999|")
	read(one(`"int"`), "a DOUBLE", "80 01", "64.0|")
	read(one(`"int"`), "a TINYINT", "80 04", "bad: column a: 256 does not fit TINYINT")
	read(one(`"string"`), "a INT", "", "no: column a: an Avro string cannot be read as INT")
	// A type by its name, in a record of its own kind.
	list := `{"type":"record","name":"n.list","fields":[{"name":"a","type":"int"},{"name":"next","type":["null","list"]}]}`
	read(list, "a INT, next ROW<a INT>", "02 02 04 02 06 00", "1|(2)|")
	read(`"int"`, "a INT", "02", "no: the schema is a int: tables are read from records")
}

// TestRegistry reads and writes with a registry that fails once.
func TestRegistry(t *testing.T) {
	t.Parallel()
	schemas := map[string]string{"7": `{"type":"record","name":"r","fields":[{"name":"b","type":"string"},{"name":"a","type":"int"}]}`}
	calls := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if calls++; calls == 1 {
			w.WriteHeader(503)
			return
		}
		if user, pass, _ := r.BasicAuth(); user != "u" || pass != "p" {
			w.WriteHeader(401)
			return
		}
		if r.Method == "POST" && r.URL.Path == "/subjects/orders-value/versions" {
			var body struct{ Schema string }
			if json.NewDecoder(r.Body).Decode(&body) != nil {
				w.WriteHeader(422)
				return
			}
			schemas["9"] = body.Schema
			w.Write([]byte(`{"id":9}`))
			return
		}
		s, ok := schemas[strings.TrimPrefix(r.URL.Path, "/schemas/ids/")]
		if !ok {
			w.WriteHeader(404)
			w.Write([]byte(`{"error_code":40403,"message":"Schema not found"}`))
			return
		}
		json.NewEncoder(w).Encode(map[string]string{"schema": s})
	}))
	defer srv.Close()
	f := make1(t, Confluent, map[string]string{"url": srv.URL, "subject": "orders-value", "basic-auth.credentials-source": "USER_INFO", "basic-auth.user-info": "u:p"})
	f.(*confluent).reg.wait = time.Millisecond
	s := formattest.Schema("INT", "STRING")
	dec, err := f.NewDecoder(wantAll(s))
	if err != nil {
		t.Fatal(err)
	}
	old := []byte("\x00\x00\x00\x00\x07\x02x\x04")
	enc, err := f.NewEncoder(format.Encoding{Schema: s})
	if err != nil {
		t.Fatal(err)
	}
	b := vector.NewBatch(s, 1)
	b.AppendValues(types.Insert, int32(5), nil)
	fresh, _, err := enc.Append(nil, b, 0)
	if err != nil || string(fresh[:5]) != "\x00\x00\x00\x00\x09" {
		t.Fatalf("%q, %v", fresh, err)
	}
	rows, bad := decodeAll(t, dec, s, old, fresh, []byte("\x01\x00"), []byte("\x00\x00\x00\x00\x01"))
	if got := strings.Join(rows, " "); got != "2|x| 5|NULL|" {
		t.Errorf("got %s", got)
	}
	if len(bad) != 2 || !strings.Contains(bad[1].Error(), "Schema not found") {
		t.Errorf("bad records: %v", bad)
	}
	if n := calls; n != 4 { // 503, register, two schemas; one that is not there
		t.Logf("%d calls", n)
	}
}

func FuzzDecode(f *testing.F) {
	s := formattest.Schema(allTypes...)
	spec, err := Format.New(nil)
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

func FuzzSchema(f *testing.F) {
	f.Add(`{"type":"record","name":"r","fields":[{"name":"b","type":["null","r"]},{"name":"a","type":{"type":"map","values":"int"}}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		if w, err := parseSchema([]byte(text)); err == nil {
			_, _ = newPlan(w, wantAll(formattest.Schema("ROW<b ROW<b STRING>>", "MAP<STRING, INT>")))
		}
	})
}
