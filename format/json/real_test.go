package json

import (
	"bufio"
	"bytes"
	"compress/gzip"
	stdjson "encoding/json"
	"os"
	"slices"
	"testing"

	"github.com/runnelio/runnel/bench/events"
	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/internal/corpus"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// realLines are the first lines of a compressed file of real records.
func realLines(t testing.TB, most int, path ...string) [][]byte {
	t.Helper()
	f, err := os.Open(corpus.Real(t, path...))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var out [][]byte
	sc := bufio.NewScanner(z)
	sc.Buffer(nil, 64<<20)
	for sc.Scan() && len(out) < most {
		out = append(out, bytes.Clone(sc.Bytes()))
	}
	if err := sc.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// Over real records every top-level field is what encoding/json gives: texts as
// they are, numbers and literals as they are written, the rest as JSON of the
// same meaning.
func TestRealRecords(t *testing.T) {
	t.Parallel()
	for _, path := range [][]string{{"windows", "events.jsonl.gz"}, {"logs", "nginxplus_status.jsonl.gz"}} {
		lines := realLines(t, 3000, path...)
		seen := map[string]bool{}
		var parsed []map[string]stdjson.RawMessage
		recs := &format.Records{}
		for _, l := range lines {
			var m map[string]stdjson.RawMessage
			if err := stdjson.Unmarshal(l, &m); err != nil {
				t.Fatal(err)
			}
			parsed = append(parsed, m)
			for k := range m {
				seen[k] = true
			}
			recs.Val = append(recs.Val, format.Span{Off: int32(len(recs.Buf)), Len: int32(len(l))})
			recs.Buf = append(append(recs.Buf, l...), '\n')
		}
		var names []string
		for k := range seen {
			names = append(names, k)
		}
		slices.Sort(names)
		var fields []types.Field
		for _, k := range names {
			fields = append(fields, types.Field{Name: k, Type: types.String()})
		}
		s := types.NewSchema(fields...)
		f, _ := Format.New(nil)
		d, err := f.NewDecoder(format.Decoding{Schema: s, Wanted: wantAll(s)})
		if err != nil {
			t.Fatal(err)
		}
		bad := func(rec, _ int, err error) { t.Fatalf("%s: %v", lines[rec], err) }
		if n := d.Scan(recs, 0, len(lines), bad); n != len(lines) {
			t.Fatalf("%d rows of %d", n, len(lines))
		}
		v := vector.New(types.String(), len(lines))
		for w, name := range names {
			d.Fill(w, nil, v, bad)
			for i, m := range parsed {
				raw, there := m[name]
				got := vector.Get(v, i)
				switch {
				case !there || string(raw) == "null":
					if got != nil {
						t.Fatalf("line %d: %s is %q, want NULL", i, name, got)
					}
				case raw[0] == '"':
					var want string
					if stdjson.Unmarshal(raw, &want); got != want {
						t.Fatalf("line %d: %s is %q, want %q", i, name, got, want)
					}
				case raw[0] == '{' || raw[0] == '[':
					var a, b any
					text, _ := got.(string)
					if err := stdjson.Unmarshal([]byte(text), &a); err != nil {
						t.Fatalf("line %d: %s is %q: %v", i, name, text, err)
					}
					stdjson.Unmarshal(raw, &b)
					x, _ := stdjson.Marshal(a)
					y, _ := stdjson.Marshal(b)
					if !bytes.Equal(x, y) {
						t.Fatalf("line %d: %s is %s, want %s", i, name, x, y)
					}
				default:
					if got != string(raw) {
						t.Fatalf("line %d: %s is %q, want %s", i, name, got, raw)
					}
				}
			}
		}
	}
}

// eventRecords are n generated security events, about 930 bytes each.
func eventRecords(n int) *format.Records {
	g := events.New(1)
	r := &format.Records{}
	for range n {
		at := len(r.Buf)
		r.Buf = g.Append(r.Buf)
		r.Val = append(r.Val, format.Span{Off: int32(at), Len: int32(len(r.Buf) - at - 1)})
	}
	return r
}

func TestSteadyStateAllocatesNothing(t *testing.T) {
	recs := eventRecords(512)
	s := types.NewSchema(types.Field{Name: "EventID", Type: types.Of(types.Int)}, types.Field{Name: "host", Type: types.String()}, types.Field{Name: "CommandLine", Type: types.String()})
	f, _ := Format.New(nil)
	d, err := f.NewDecoder(format.Decoding{Schema: s, Wanted: wantAll(s)})
	if err != nil {
		t.Fatal(err)
	}
	vecs := []vector.Vector{vector.New(s.Fields[0].Type, 512), vector.New(s.Fields[1].Type, 512), vector.New(s.Fields[2].Type, 512)}
	bad := func(_, _ int, err error) { t.Fatal(err) }
	run := func() {
		d.Scan(recs, 0, 512, bad)
		for w, v := range vecs {
			d.Fill(w, nil, v, bad)
		}
	}
	for range 3 {
		run()
	}
	if n := testing.AllocsPerRun(20, run); n > 0 {
		t.Errorf("%v allocations a batch", n)
	}
}
