package formattest

import (
	"strings"
	"testing"

	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// SchemaOf returns the schema of columns as a CREATE TABLE has them.
func SchemaOf(t testing.TB, columns string) *types.Schema {
	t.Helper()
	row, err := types.ParseType("ROW<" + columns + ">")
	if err != nil {
		t.Fatal(err)
	}
	return types.NewSchema(row.Fields...)
}

// Lines decodes records and returns their rows as text with | between the
// values; of a format with changes as +I[1|x]. A bad record is "bad: " and its
// first error, instead of its rows. wants are all columns if nil.
func Lines(t testing.TB, spec *format.Spec, columns string, options map[string]string, wants []format.Want, lines ...string) []string {
	t.Helper()
	f, err := spec.New(options)
	if err != nil {
		t.Fatal(err)
	}
	s := SchemaOf(t, columns)
	if wants == nil {
		for i, f := range s.Fields {
			wants = append(wants, format.Want{Column: i, Type: f.Type})
		}
	}
	d, err := f.NewDecoder(format.Decoding{Schema: s, Wanted: wants})
	if err != nil {
		t.Fatal(err)
	}
	recs := &format.Records{}
	for _, l := range lines {
		recs.Val = append(recs.Val, format.Span{Off: int32(len(recs.Buf)), Len: int32(len(l))})
		recs.Buf = append(recs.Buf, l...)
	}
	bad := map[int]string{}
	note := func(rec, _ int, err error) {
		if bad[rec] == "" {
			bad[rec] = "bad: " + err.Error()
		}
	}
	n := d.Scan(recs, 0, len(lines), note)
	vecs := make([]vector.Vector, len(wants))
	for w := range wants {
		vecs[w] = vector.New(wants[w].Type, n)
		d.Fill(w, nil, vecs[w], note)
		if vecs[w].Len() != n {
			t.Fatalf("column %d has %d rows, want %d", w, vecs[w].Len(), n)
		}
	}
	var out []string
	row := 0
	for r := range lines {
		if bad[r] != "" {
			out = append(out, bad[r])
		}
		for ; row < n && d.Record(row) == r; row++ {
			if bad[r] == "" {
				out = append(out, line(d, vecs, wants, row))
			}
		}
	}
	if row != n {
		t.Errorf("%d of %d rows are of no record, or out of order", n-row, n)
	}
	return out
}

func line(d format.Decoder, vecs []vector.Vector, wants []format.Want, row int) string {
	var cells []string
	for w := range wants {
		if v := vector.Get(vecs[w], row); v == nil {
			cells = append(cells, "NULL")
		} else {
			cells = append(cells, string(types.AppendValue(nil, v, wants[w].Type, nil)))
		}
	}
	text := strings.Join(cells, "|")
	if kinds := d.Kinds(); len(kinds) > 0 {
		return kinds[row].String() + "[" + text + "]"
	}
	return text
}
