package keyed

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/format/changelog"
	"github.com/runnelio/runnel/format/json"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

var schema = types.NewSchema(
	types.Field{Name: "k_a", Type: types.Of(types.Int)},
	types.Field{Name: "v", Type: types.String()},
	types.Field{Name: "k_b", Type: types.String()})

func jsonFormat(t testing.TB) format.Format {
	t.Helper()
	f, err := json.Format.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// record is a key and a value; nil is none.
type record struct{ key, value *string }

func text(s string) *string { return &s }

func records(list []record) *format.Records {
	r := &format.Records{Split: "s"}
	put := func(s *string) format.Span {
		if s == nil {
			return format.Span{Len: -1}
		}
		at := format.Span{Off: int32(len(r.Buf)), Len: int32(len(*s))}
		r.Buf = append(r.Buf, *s...)
		return at
	}
	for _, rec := range list {
		r.Key, r.Val = append(r.Key, put(rec.key)), append(r.Val, put(rec.value))
	}
	r.Buf = slices.Grow(r.Buf, 64)
	return r
}

// decode returns the rows of the wanted columns, those that are bad left out.
func decode(t *testing.T, f format.Format, s *types.Schema, wanted []int, list []record) []string {
	t.Helper()
	d := format.Decoding{Schema: s, Zone: time.UTC}
	for _, c := range wanted {
		d.Wanted = append(d.Wanted, format.Want{Column: c, Type: s.Fields[c].Type})
	}
	dec, err := f.NewDecoder(d)
	if err != nil {
		t.Fatal(err)
	}
	recs := records(list)
	bad := map[int]bool{}
	note := func(record, row int, err error) {
		if record < 0 || record >= len(list) {
			t.Fatalf("bad record %d of %d", record, len(list))
		}
		if row >= 0 {
			bad[row] = true
		}
	}
	n := dec.Scan(recs, 0, len(list), note)
	kinds := dec.Kinds()
	var cols []vector.Vector
	for w := range d.Wanted {
		v := vector.New(d.Wanted[w].Type, 0)
		dec.Fill(w, nil, v, note)
		cols = append(cols, v)
	}
	var out []string
	for i := range n {
		if bad[i] {
			continue
		}
		line := "+I"
		if len(kinds) > 0 {
			line = kinds[i].String()
		}
		for _, v := range cols {
			line += fmt.Sprint(" ", vector.Get(v, i))
		}
		out = append(out, line)
	}
	return out
}

func TestKeyColumnsApart(t *testing.T) {
	t.Parallel()
	f := New(Spec{Key: jsonFormat(t), Value: jsonFormat(t), Columns: []string{"k_b", "k_a"}, Prefix: "k_", ExceptKey: true})
	list := []record{{text(`{"a":1,"b":"x"}`), text(`{"v":"one"}`)}, {nil, text(`{"v":"no key"}`)}, {text(`{"b":"y"}`), text(`{"v":"half"}`)}, {text(`not json`), text(`{"v":"bad key"}`)},
		{text(`{"a":5}`), text(`nor this`)}, {text(`{"a":6,"b":"z"}`), text(`[{"v":"two"},{"v":"rows"}]`)}}
	got := decode(t, f, schema, []int{0, 1, 2}, list)
	want := []string{"+I 1 one x", "+I <nil> half y", "+I 6 two z", "+I 6 rows z"}
	// A record without a key has NULL in its columns, or is bad, as the key's format has it.
	got = slices.DeleteFunc(got, func(s string) bool { return strings.Contains(s, "no key") || strings.Contains(s, "bad key") })
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if got := decode(t, f, schema, []int{1}, list[:1]); !slices.Equal(got, []string{"+I one"}) {
		t.Errorf("without key columns: %q", got)
	}
	if got := decode(t, f, schema, []int{2}, list[:1]); !slices.Equal(got, []string{"+I x"}) {
		t.Errorf("key columns only: %q", got)
	}
}

// TestUpsertModel holds decoding and encoding to a slow model: rows written and
// read back are the same, deletions having the key alone.
func TestUpsertModel(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(5, 6))
	for range 200 {
		except := rng.IntN(2) == 0
		f, err := New(Spec{Key: jsonFormat(t), Value: jsonFormat(t), ExceptKey: except, Upsert: true}).(format.Keyer).WithKey([]string{"k_a", "k_b"})
		if err != nil {
			t.Fatal(err)
		}
		enc, err := f.NewEncoder(format.Encoding{Schema: schema, Zone: time.UTC})
		if err != nil {
			t.Fatal(err)
		}
		e := enc.(*Encoder)
		b := vector.NewBatch(schema, 8)
		var want []string
		for range rng.IntN(12) {
			kind := types.RowKind(rng.IntN(4))
			a, v, k := int32(rng.IntN(5)), fmt.Sprint("v", rng.IntN(100)), string(rune('x'+rng.IntN(3)))
			b.AppendValues(kind, a, v, k)
			switch kind {
			case types.UpdateBefore:
			case types.Delete:
				want = append(want, fmt.Sprintf("-D %d <nil> %s", a, k))
			default:
				want = append(want, fmt.Sprintf("+U %d %s %s", a, v, k))
			}
		}
		var list []record
		for i := range b.N {
			var rec record
			if !e.Deletes(b, i) {
				out, skip, err := e.Append(nil, b, i)
				if err != nil {
					t.Fatal(err)
				}
				if skip {
					continue
				}
				rec.value = text(string(out))
			}
			key, none, err := e.AppendKey(nil, b, i)
			if err != nil || none {
				t.Fatal(err, none)
			}
			rec.key = text(string(key))
			if rec.value != nil && strings.Contains(*rec.value, "k_a") == except {
				t.Fatalf("value %s, the key apart: %v", *rec.value, except)
			}
			list = append(list, rec)
		}
		if got := decode(t, f, schema, []int{0, 1, 2}, list); !slices.Equal(got, want) {
			t.Fatalf("%q, want %q", got, want)
		}
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	j := jsonFormat(t)
	if _, err := New(Spec{Key: j, Value: j, Upsert: true}).(format.Keyer).WithKey(nil); err == nil {
		t.Error("an upsert table without a primary key")
	}
	for _, s := range []Spec{{Key: j, Value: j, Columns: []string{"none"}}, {Key: j, Value: j, Columns: []string{"v"}, Prefix: "k_"}} {
		if _, err := New(s).NewDecoder(format.Decoding{Schema: schema}); err == nil {
			t.Errorf("%+v", s)
		}
		if _, err := New(s).NewEncoder(format.Encoding{Schema: schema}); err == nil {
			t.Errorf("%+v", s)
		}
	}
}

// What the value's format tells beside its rows stands beside those of the key; a
// deletion tells nothing.
func TestToldByTheValue(t *testing.T) {
	t.Parallel()
	value, err := changelog.Canal.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, upsert := range []bool{false, true} {
		f := New(Spec{Key: jsonFormat(t), Value: value, Columns: []string{"k_a"}, Prefix: "k_", ExceptKey: true, Upsert: upsert})
		if told := f.(format.Annotated).Metadata(); !slices.EqualFunc(told, changelog.Canal.Metadata, func(a, b types.Field) bool { return a.Name == b.Name }) {
			t.Errorf("told is %v", told)
		}
		list := []record{{text(`{"a":1}`), text(`{"data":[{"v":"x"},{"v":"y"}],"table":"t","type":"INSERT"}`)}, {text(`{"a":2}`), nil}}
		d := format.Decoding{Schema: schema, Zone: time.UTC, Wanted: []format.Want{{Column: 0, Type: types.Of(types.Int)}, {Column: 1, Type: types.String()}, {Column: 3, Meta: "table", Type: types.String()}}}
		dec, err := f.NewDecoder(d)
		if err != nil {
			t.Fatal(err)
		}
		n := dec.Scan(records(list), 0, len(list), func(r, _ int, err error) { t.Errorf("record %d: %v", r, err) })
		var got []string
		for i := range n {
			row := ""
			for w, x := range d.Wanted {
				v := vector.New(x.Type, 0)
				dec.Fill(w, nil, v, func(r, _ int, err error) { t.Errorf("record %d: %v", r, err) })
				row += fmt.Sprint(vector.Get(v, i)) + " "
			}
			got = append(got, row)
		}
		want := []string{"1 x t ", "1 y t "}
		if upsert {
			want = append(want, "2 <nil> <nil> ")
		}
		if !slices.Equal(got, want) {
			t.Errorf("upsert %v: %q, want %q", upsert, got, want)
		}
	}
	if told := New(Spec{Key: jsonFormat(t), Value: jsonFormat(t)}).(format.Annotated).Metadata(); told != nil {
		t.Errorf("json tells %v", told)
	}
}
