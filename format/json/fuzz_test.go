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
