package raw

import (
	"strings"
	"testing"

	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

func schema(t types.Type) *types.Schema { return types.NewSchema(types.Field{Name: "v", Type: t}) }

// Each value is written as the bytes say and read back from them.
func TestBothWays(t *testing.T) {
	t.Parallel()
	f := func(typ string, opts map[string]string, v types.Value, raw string) {
		t.Helper()
		fm, err := Format.New(opts)
		if err != nil {
			t.Fatal(err)
		}
		s := schema(types.MustType(typ))
		enc, err := fm.NewEncoder(format.Encoding{Schema: s})
		if err != nil {
			t.Fatal(err)
		}
		b := vector.NewBatch(s, 1)
		b.AppendValues(types.Insert, v)
		if got, _, err := enc.Append(nil, b, 0); err != nil || string(got) != raw {
			t.Errorf("%s %v: written %q, want %q (%v)", typ, v, got, raw, err)
		}
		dec, _ := fm.NewDecoder(format.Decoding{Schema: s, Wanted: []format.Want{{Type: s.Fields[0].Type}}})
		recs := &format.Records{Buf: []byte(raw), Val: []format.Span{{Off: 0, Len: int32(len(raw))}, {Len: -1}}}
		out := vector.New(s.Fields[0].Type, 2)
		n := dec.Scan(recs, 0, 2, nil)
		dec.Fill(0, nil, out, func(_, _ int, err error) { t.Error(err) })
		if n != 2 || vector.Get(out, 0) != v || !out.IsNull(1) {
			t.Errorf("%s %q: read %v, want %v", typ, raw, vector.Get(out, 0), v)
		}
	}
	little := map[string]string{"endianness": "little-endian"}
	f("STRING", nil, "grün", "grün")
	f("STRING", map[string]string{"charset": "ISO-8859-1"}, "grün", "gr\xfcn")
	f("STRING", map[string]string{"charset": "UTF-16LE"}, "ab", "a\x00b\x00")
	f("BYTES", nil, "\xff\x00", "\xff\x00")
	f("BOOLEAN", nil, true, "\x01")
	f("TINYINT", nil, int8(-1), "\xff")
	f("SMALLINT", nil, int16(258), "\x01\x02")
	f("INT", nil, int32(1), "\x00\x00\x00\x01")
	f("INT", little, int32(1), "\x01\x00\x00\x00")
	f("BIGINT", little, int64(-2), "\xfe\xff\xff\xff\xff\xff\xff\xff")
	f("FLOAT", nil, float32(1), "\x3f\x80\x00\x00")
	f("DOUBLE", nil, 1.0, "\x3f\xf0\x00\x00\x00\x00\x00\x00")
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	if _, err := Format.New(map[string]string{"charset": "klingon"}); err == nil {
		t.Error("an unknown charset passes")
	}
	f, _ := Format.New(nil)
	if _, err := f.NewDecoder(format.Decoding{Schema: types.NewSchema()}); err == nil {
		t.Error("a table without columns passes")
	}
	if _, err := f.NewEncoder(format.Encoding{Schema: schema(types.Of(types.Date))}); err == nil {
		t.Error("DATE passes")
	}
	dec, _ := f.NewDecoder(format.Decoding{Schema: schema(types.Of(types.Int))})
	recs := &format.Records{Buf: []byte("abc"), Val: []format.Span{{Off: 0, Len: 3}}}
	dec.Scan(recs, 0, 1, nil)
	var why string
	dec.Fill(0, nil, vector.New(types.Of(types.Int), 1), func(_, _ int, err error) { why = err.Error() })
	if !strings.Contains(why, "3 bytes") {
		t.Error(why)
	}
}
