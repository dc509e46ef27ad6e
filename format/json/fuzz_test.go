package json

import (
	"bytes"
	stdjson "encoding/json"
	"strings"
	"testing"

	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// FuzzDecode holds the decoder against encoding/json: on objects the same
// strings and the same verdict, but that numbers and the inside of values nobody
// asked for are looked at less closely. A second decoder that has learned other
// orders of keys before must say the same as a fresh one.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{`{"a":"x","b":{"c":"y"},"d":[1,{"a":2}]}`, `{"b":{"c":"\u00e9\\"},"a":"\"","a":null}`, `{"a" : "x" , "n":-1.5e3,"t":true}`,
		`[{"a":"1"},{"a":"2"}]`, `{"b":[{"c":"no"}],"a":"\ud83d\ude00"}`, `{"a":"x"}}`, `{"a":"\\"}`, `{"a":"\\\""}`, `{"a":1`, "{\"a\":\"\xff\"}", `{"":""}`} {
		f.Add([]byte(s))
	}
	fm, _ := Format.New(nil)
	s := types.NewSchema(types.Field{Name: "a", Type: types.String()}, types.Field{Name: "b", Type: types.RowOf(types.Field{Name: "c", Type: types.String()})})
	wants := []format.Want{{Column: 0, Type: types.String()}, {Column: 1, Path: []string{"c"}, Type: types.String()}}
	decode := func(t *testing.T, d format.Decoder, text []byte) (got []types.Value, failed bool) {
		recs := &format.Records{Buf: bytes.Clone(text), Val: []format.Span{{Off: 0, Len: int32(len(text))}}}
		bad := func(int, int, error) { failed = true }
		n := d.Scan(recs, 0, 1, bad)
		for w := range wants {
			v := vector.New(types.String(), n)
			d.Fill(w, nil, v, bad)
			if n == 1 {
				got = append(got, vector.Get(v, 0))
			}
		}
		return got, failed
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		fresh, _ := fm.NewDecoder(format.Decoding{Schema: s, Wanted: wants})
		used, _ := fm.NewDecoder(format.Decoding{Schema: s, Wanted: wants})
		used.(*decoder).proj.quotes.plain = true // and on a processor without AVX2
		decode(t, used, []byte(`{"b":{"c":"y"},"a":"x"}`))
		decode(t, used, text)
		got, failed := decode(t, fresh, text)
		again, failedAgain := decode(t, used, text)
		if failed != failedAgain || len(got) != len(again) {
			t.Fatalf("fresh: %v %v; used: %v %v", got, failed, again, failedAgain)
		}
		for i := range got {
			if !failed && got[i] != again[i] {
				t.Fatalf("fresh: %v; used: %v", got, again)
			}
		}
		var want map[string]stdjson.RawMessage
		if bytes.HasPrefix(bytes.TrimSpace(text), []byte("[")) || stdjson.Unmarshal(text, &want) != nil || want == nil || failed {
			return // control characters, invalid UTF-8 and the like: ours is another policy
		}
		if len(got) != 2 {
			t.Fatalf("%d values, want 2", len(got))
		}
		var a any
		if raw, ok := want["a"]; ok && stdjson.Unmarshal(raw, &a) == nil {
			if str, ok := a.(string); ok && (got[0] != str) {
				t.Fatalf("a is %q, want %q", got[0], str)
			}
			if a == nil && got[0] != nil {
				t.Fatalf("a is %q, want NULL", got[0])
			}
		} else if !ok && got[0] != nil {
			t.Fatalf("a is %q, want NULL", got[0])
		}
		var b map[string]any
		if raw, ok := want["b"]; ok && stdjson.Unmarshal(raw, &b) == nil {
			if str, ok := b["c"].(string); ok && got[1] != str {
				t.Fatalf("b.c is %q, want %q", got[1], str)
			}
		}
	})
}

// What encoding/json takes, the decoder takes: valid objects are never bad.
func FuzzValidIsNotBad(f *testing.F) {
	f.Add([]byte(`{"a":{"x":[1,2,{"y":"z"}]}}`))
	f.Add([]byte(`{"a":"b"}`))
	fm, _ := Format.New(nil)
	s := types.NewSchema(types.Field{Name: "a", Type: types.String()})
	f.Fuzz(func(t *testing.T, text []byte) {
		var any map[string]stdjson.RawMessage
		if stdjson.Unmarshal(text, &any) != nil || any == nil || strings.ToValidUTF8(string(text), "") != string(text) {
			return
		}
		d, _ := fm.NewDecoder(format.Decoding{Schema: s, Wanted: []format.Want{{Type: types.String()}}})
		recs := &format.Records{Buf: bytes.Clone(text), Val: []format.Span{{Off: 0, Len: int32(len(text))}}}
		bad := func(_, _ int, err error) { t.Fatalf("%q: %v", text, err) }
		n := d.Scan(recs, 0, 1, bad)
		d.Fill(0, nil, vector.New(types.String(), n), bad)
	})
}

// What the Writer writes, encoding/json reads.
func FuzzAppendString(f *testing.F) {
	f.Add("a\"\\\n\x01é\xff")
	f.Fuzz(func(t *testing.T, s string) {
		var got string
		if err := stdjson.Unmarshal(AppendString(nil, s), &got); err != nil {
			t.Fatal(err)
		}
		if want := strings.ToValidUTF8(s, "\uFFFD"); strings.ToValidUTF8(s, "") == s && got != want {
			t.Fatalf("%q, want %q", got, want)
		}
	})
}

// Texts with escapes are what encoding/json makes of them.
func FuzzUnescape(f *testing.F) {
	f.Add(`C:\\Windows\\x.exe \u00e9\ud83d\ude00\ud800 \"`)
	f.Add(`\ud800\ud800\udc00`)
	f.Fuzz(func(t *testing.T, s string) {
		var want string
		if strings.ToValidUTF8(s, "") != s || stdjson.Unmarshal([]byte(`"`+s+`"`), &want) != nil {
			AppendUnescaped(nil, []byte(s)) // no panic
			return
		}
		got, why := AppendUnescaped([]byte("front "), []byte(s))
		if why != "" || string(got) != "front "+want {
			t.Fatalf("%q: %q (%s), want %q", s, got, why, want)
		}
	})
}

// Whatever stands in a value, no type's conversion panics, and the vectors keep
// their shape.
func FuzzConvert(f *testing.F) {
	for _, v := range []string{`{"a":[1,{"b":2}],"c":{"d":"e"}}`, `[[1],[2,"3"],null]`, `{"x":1,"x":{"y":2}}`, `-1.5e3`, `"2024-01-01 00:00:00"`, `"aGk="`, `[1,]`, `{"a"}`, `{"a":1 "b"}`} {
		f.Add(v)
	}
	fm, _ := Format.New(nil)
	var fields []types.Field
	for i, text := range []string{"ARRAY<ARRAY<INT>>", "MAP<STRING, ROW<y INT>>", "ROW<a ARRAY<ROW<b INT>>, c MAP<STRING, STRING>, x STRING>", "MULTISET<STRING>", "BYTES",
		"BOOLEAN", "TINYINT", "SMALLINT", "INT", "BIGINT", "FLOAT", "DOUBLE", "DECIMAL(10, 2)", "DATE", "TIME(3)", "TIMESTAMP(3)", "TIMESTAMP_LTZ(3)", "STRING", "INTERVAL DAY TO SECOND"} {
		fields = append(fields, types.Field{Name: string(rune('a' + i)), Type: types.MustType(text)})
	}
	s := types.NewSchema(fields...)
	f.Fuzz(func(t *testing.T, v string) {
		d, err := fm.NewDecoder(format.Decoding{Schema: s, Wanted: wantAll(s)})
		if err != nil {
			t.Fatal(err)
		}
		var line []byte
		for i, fd := range fields {
			line = append(append(line, ",{"[b2i(i == 0)]), `"`+fd.Name+`":`+v...)
		}
		line = append(line, '}')
		recs := &format.Records{Buf: append(line, line...), Val: []format.Span{{Off: 0, Len: int32(len(line))}, {Off: int32(len(line)), Len: int32(len(line))}}}
		n := d.Scan(recs, 0, 2, func(int, int, error) {})
		for w, fd := range fields {
			out := vector.New(fd.Type, n)
			bad := map[int]bool{}
			d.Fill(w, nil, out, func(_, row int, _ error) { bad[row] = true })
			if out.Len() != n {
				t.Fatalf("%s: %d rows, want %d", fd.Type, out.Len(), n)
			}
			for i := range n {
				if !bad[i] {
					vector.Get(out, i)
				}
			}
		}
	})
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
