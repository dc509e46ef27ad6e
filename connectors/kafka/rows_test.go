package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/format/json"
	"github.com/runnelio/runnel/format/raw"
	"github.com/runnelio/runnel/internal/services/servicetest"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// bind makes a table with key and value formats as the engine does.
func bind(t testing.TB, c *connector.Connector, schema *types.Schema, pk []int, options map[string]string) *connector.Table {
	t.Helper()
	b, err := connector.Bind(with(options, "connector", c.Name), connector.Set{c}, format.Set{json.Format, raw.Format})
	if err != nil {
		t.Fatal(err)
	}
	f := b.Format
	if k, ok := f.(format.Keyer); ok {
		var names []string
		for _, i := range pk {
			names = append(names, schema.Fields[i].Name)
		}
		if f, err = k.WithKey(names); err != nil {
			t.Fatal(err)
		}
	}
	return &connector.Table{Name: "test", Schema: schema, PrimaryKey: pk, Format: f, Options: b.Options, Parallel: 1}
}

// rowsOf reads a bounded table as the engine does: kind and columns.
func rowsOf(t testing.TB, c *connector.Connector, table *connector.Table) []string {
	t.Helper()
	s, err := c.Source(testContext(), table)
	if err != nil {
		t.Fatal(err)
	}
	defer s.(io.Closer).Close()
	src := s.(connector.Source)
	var wants []format.Want
	for i, f := range table.Schema.Fields {
		wants = append(wants, format.Want{Column: i, Type: f.Type})
	}
	dec, err := table.Format.NewDecoder(format.Decoding{Schema: table.Schema, Wanted: wants, Zone: time.UTC})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	splits, err := src.Splits(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, sp := range splits {
		r, err := src.Open(ctx, sp, "")
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		var recs format.Records
		for {
			err := r.Read(ctx, &recs)
			if err != nil && !errors.Is(err, io.EOF) || ctx.Err() != nil {
				t.Fatal(err, ctx.Err())
			}
			bad := func(record, row int, err error) { out = append(out, fmt.Sprintf("bad %d: %v", record, err)) }
			n := dec.Scan(&recs, 0, len(recs.Val), bad)
			kinds := dec.Kinds()
			var cols []vector.Vector
			for w := range wants {
				v := vector.New(wants[w].Type, 0)
				dec.Fill(w, nil, v, bad)
				cols = append(cols, v)
			}
			for i := range n {
				line := "+I"
				if len(kinds) > 0 {
					line = kinds[i].String()
				}
				for _, v := range cols {
					line += fmt.Sprint(" ", vector.Get(v, i))
				}
				out = append(out, line)
			}
			if errors.Is(err, io.EOF) {
				break
			}
		}
	}
	return out
}

func TestKeysAndHeaders(t *testing.T) {
	a := servicetest.Kafka(t)
	cl := testClient(t, a)
	topic := makeTopic(t, cl, 1)
	schema := types.NewSchema(types.Field{Name: "k_id", Type: types.Of(types.BigInt)}, types.Field{Name: "name", Type: types.String()})
	table := bind(t, Connector, schema, nil, map[string]string{"topic": topic, "properties.bootstrap.servers": a, "key.format": "json", "key.fields": "k_id",
		"key.fields-prefix": "k_", "value.format": "json", "value.fields-include": "EXCEPT_KEY", "properties.compression.type": "lz4",
		"scan.startup.mode": "earliest-offset", "scan.bounded.mode": "latest-offset"})
	sink := *table
	headers := types.MapOf(types.String(), types.Bytes())
	sink.Schema = types.NewSchema(append(slices.Clone(schema.Fields), types.Field{Name: "h", Type: headers}, types.Field{Name: "ts", Type: types.TimestampLTZOf(3)})...)
	sink.Metadata = []connector.Metadata{{Column: 2, Key: "headers"}, {Column: 3, Key: "timestamp"}}
	s, err := Connector.Sink(testContext(), &sink)
	if err != nil {
		t.Fatal(err)
	}
	b := vector.NewBatch(sink.Schema, 2)
	b.AppendValues(types.Insert, int64(7), "seven", &types.MapValue{Keys: []types.Value{"a"}, Vals: []types.Value{"1"}}, types.TSFromMs(1700000000123))
	b.AppendValues(types.Insert, int64(8), "eight", nil, types.TSFromMs(1700000000456))
	if err := s.Write(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	s.Close(t.Context())
	recs := readAll(t, a, topic)
	if len(recs) != 2 || string(recs[0].Key) != `{"id":7}` || string(recs[0].Value) != `{"name":"seven"}` || len(recs[0].Headers) != 1 || recs[0].Headers[0].Key != "a" ||
		string(recs[0].Headers[0].Value) != "1" || recs[0].Timestamp.UnixMilli() != 1700000000123 || recs[1].Timestamp.UnixMilli() != 1700000000456 {
		t.Fatalf("%+v", recs)
	}
	if got := rowsOf(t, Connector, table); !slices.Equal(got, []string{"+I 7 seven", "+I 8 eight"}) {
		t.Errorf("%q", got)
	}
}

func TestUpsert(t *testing.T) {
	a := servicetest.Kafka(t)
	cl := testClient(t, a)
	topic := makeTopic(t, cl, 1)
	schema := types.NewSchema(types.Field{Name: "id", Type: types.Of(types.BigInt).NotNull()}, types.Field{Name: "n", Type: types.Of(types.Int)})
	table := bind(t, Upsert, schema, []int{0}, map[string]string{"topic": topic, "properties.bootstrap.servers": a, "key.format": "json", "value.format": "json",
		"scan.bounded.mode": "latest-offset"})
	s, err := Upsert.Sink(testContext(), table)
	if err != nil {
		t.Fatal(err)
	}
	b := vector.NewBatch(schema, 4)
	b.AppendValues(types.Insert, int64(1), int32(10))
	b.AppendValues(types.Insert, int64(2), int32(20))
	b.AppendValues(types.UpdateBefore, int64(1), int32(10))
	b.AppendValues(types.UpdateAfter, int64(1), int32(11))
	b.AppendValues(types.Delete, int64(2), int32(20))
	b.AppendValues(types.Insert, int64(3), nil)
	if err := s.Write(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	s.Close(t.Context())
	recs := readAll(t, a, topic)
	if len(recs) != 5 || recs[3].Value != nil || string(recs[3].Key) != `{"id":2}` {
		t.Fatalf("%d records, %+v", len(recs), recs[3])
	}
	if got := rowsOf(t, Upsert, table); !slices.Equal(got, []string{"+U 1 10", "+U 2 20", "+U 1 11", "-D 2 <nil>", "+U 3 <nil>"}) {
		t.Errorf("%q", got)
	}
}

func TestMetadata(t *testing.T) {
	a := servicetest.Kafka(t)
	cl := testClient(t, a)
	topic := makeTopic(t, cl, 2)
	rec := &kgo.Record{Topic: topic, Partition: 1, Value: []byte("v"), Timestamp: time.UnixMilli(1700000000123), Headers: []kgo.RecordHeader{{Key: "h", Value: []byte("x")}}}
	if err := cl.ProduceSync(t.Context(), rec).FirstErr(); err != nil {
		t.Fatal(err)
	}
	table := valueTable(t, map[string]string{"topic": topic, "properties.bootstrap.servers": a, "scan.startup.mode": "earliest-offset"})
	table.Schema = types.NewSchema(metadataKeys...)
	for i, f := range metadataKeys {
		table.Metadata = append(table.Metadata, connector.Metadata{Column: i, Key: f.Name})
	}
	r, err := openSource(t, table).Open(t.Context(), connector.Split{ID: splitID(topic, 1)}, "")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var recs format.Records
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := r.Read(ctx, &recs); err != nil || len(recs.Val) != 1 {
		t.Fatalf("%d records, %v", len(recs.Val), err)
	}
	want := map[string]types.Value{"topic": topic, "partition": int32(1), "offset": int64(0), "leader-epoch": int32(0), "timestamp": types.TSFromMs(1700000000123), "timestamp-type": "CreateTime"}
	for i, m := range table.Metadata {
		got := vector.Get(recs.Meta[i], 0)
		if m.Key == "headers" {
			if h, ok := got.(*types.MapValue); !ok || len(h.Keys) != 1 || h.Keys[0] != "h" || h.Vals[0] != "x" {
				t.Errorf("headers %v", got)
			}
			continue
		}
		if got != want[m.Key] {
			t.Errorf("%s is %v, want %v", m.Key, got, want[m.Key])
		}
	}
}
