package avro

import (
	"encoding/binary"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// What changes tell beside their rows, by the fields of the writer's envelope.
func TestDebeziumTells(t *testing.T) {
	t.Parallel()
	row := `{"type":"record","name":"Value","fields":[{"name":"id","type":"int"}]}`
	p := &place{calls: map[string]int{}, schemas: map[string]string{
		"/schemas/ids/1": `{"type":"record","name":"Envelope","fields":[{"name":"before","type":["null",` + row + `]},{"name":"after","type":["null","Value"]},
			{"name":"source","type":{"type":"record","name":"S","fields":[{"name":"version","type":"string"},{"name":"ts_ms","type":"long"},{"name":"snapshot","type":["null",{"type":"enum","name":"E","symbols":["no","last"]}]},
			{"name":"db","type":"string"},{"name":"table","type":"string"},{"name":"txId","type":["null","long"]},{"name":"x","type":"double"},{"name":"b","type":"boolean"},{"name":"l","type":{"type":"array","items":"int"}}]}},
			{"name":"op","type":"string"},{"name":"ts_ms","type":["null","long"]}]}`,
		"/schemas/ids/2": `{"type":"record","name":"Envelope","fields":[{"name":"before","type":["null",` + row + `]},{"name":"after","type":["null","Value"]},{"name":"op","type":"string"}]}`}}
	srv := httptest.NewServer(p)
	defer srv.Close()
	f := make1(t, Debezium, map[string]string{"url": srv.URL})
	s := rowSchema("id INT NOT NULL")
	d := wantAll(s)
	told := f.(format.Annotated).Metadata()
	if len(told) != len(Debezium.Metadata) {
		t.Error("the format tells otherwise than its kind")
	}
	for _, m := range told {
		d.Wanted = append(d.Wanted, format.Want{Column: 1, Meta: m.Name, Type: m.Type})
	}
	dec, err := f.NewDecoder(d)
	if err != nil {
		t.Fatal(err)
	}
	long := func(n int64) string { return string(binary.AppendVarint(nil, n)) }
	text := func(s string) string { return long(int64(len(s))) + s }
	const head = "\x00\x00\x00\x00"
	source := text("2.5") + long(1_700_000_000_123) + "\x02" + long(1) + text("shop") + text("orders") + "\x00" + "\x00\x00\x00\x00\x00\x00\xf8\x3f" + "\x01" + "\x02\x02\x00"
	var recs format.Records
	for _, m := range []string{
		head + "\x01" + "\x02\x02" + "\x02\x04" + source + text("u") + "\x02" + long(1_700_000_001_000),
		head + "\x01" + "\x00" + "\x02\x06" + source + text("c") + "\x00",
		head + "\x02" + "\x00" + "\x02\x08" + text("c"),
		head + "\x01" + "\x00" + "\x02\x06" + source[:len(source)-20],
	} {
		recs.Val = append(recs.Val, format.Span{Off: int32(len(recs.Buf)), Len: int32(len(m))})
		recs.Buf = append(recs.Buf, m...)
	}
	bad := 0
	n := dec.Scan(&recs, 0, len(recs.Val), func(int, int, error) { bad++ })
	if bad != 1 {
		t.Errorf("%d records are bad, want the last", bad)
	}
	var got []string
	for i := range n {
		line := dec.Kinds()[i].String()
		for w, x := range d.Wanted {
			v := vector.New(x.Type.OrNull(), 0)
			dec.Fill(w, nil, v, nil)
			if v.Len() != n {
				t.Fatalf("%d rows of %d", v.Len(), n)
			}
			cell := "NULL"
			if !v.IsNull(i) {
				cell = string(types.AppendValue(nil, vector.Get(v, i), x.Type, time.UTC))
			}
			line += "|" + cell
		}
		got = append(got, line)
	}
	about := "|2023-11-14 22:13:20.123|shop|NULL|orders|{version=2.5, ts_ms=1700000000123, snapshot=last, db=shop, table=orders, txId=NULL, x=1.5, b=true}"
	want := []string{"-U|1|2023-11-14 22:13:21.000" + about, "+U|2|2023-11-14 22:13:21.000" + about, "+I|3|NULL" + about, "+I|4|NULL|NULL|NULL|NULL|NULL|NULL"}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if _, err := f.NewDecoder(format.Decoding{Schema: s, Wanted: []format.Want{{Column: 1, Meta: "no.such", Type: types.String()}}}); err == nil {
		t.Error("metadata that nobody tells is taken")
	}
}
