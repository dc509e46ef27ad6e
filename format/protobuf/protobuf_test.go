package protobuf

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/format/formattest"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// orders is the descriptor of a file, in text.
const orders = `
name: "shop/orders_v1.proto" package: "shop" syntax: "proto3" dependency: "google/protobuf/timestamp.proto"
options { java_package: "com.shop" }
message_type {
  name: "Order"
  field { name: "id" number: 1 type: TYPE_INT64 label: LABEL_OPTIONAL }
  field { name: "name" number: 2 type: TYPE_STRING label: LABEL_OPTIONAL }
  field { name: "small" number: 3 type: TYPE_SINT32 label: LABEL_OPTIONAL }
  field { name: "price" number: 4 type: TYPE_DOUBLE label: LABEL_OPTIONAL }
  field { name: "rate" number: 5 type: TYPE_FLOAT label: LABEL_OPTIONAL }
  field { name: "ok" number: 6 type: TYPE_BOOL label: LABEL_OPTIONAL }
  field { name: "raw" number: 7 type: TYPE_BYTES label: LABEL_OPTIONAL }
  field { name: "color" number: 8 type: TYPE_ENUM type_name: ".shop.Color" label: LABEL_OPTIONAL }
  field { name: "nums" number: 9 type: TYPE_INT32 label: LABEL_REPEATED }
  field { name: "tags" number: 10 type: TYPE_STRING label: LABEL_REPEATED }
  field { name: "attrs" number: 11 type: TYPE_MESSAGE type_name: ".shop.Order.AttrsEntry" label: LABEL_REPEATED }
  field { name: "item" number: 12 type: TYPE_MESSAGE type_name: ".shop.Order.Item" label: LABEL_OPTIONAL }
  field { name: "items" number: 13 type: TYPE_MESSAGE type_name: ".shop.Order.Item" label: LABEL_REPEATED }
  field { name: "at" number: 14 type: TYPE_MESSAGE type_name: ".google.protobuf.Timestamp" label: LABEL_OPTIONAL }
  field { name: "fix" number: 15 type: TYPE_SFIXED64 label: LABEL_OPTIONAL }
  nested_type { name: "AttrsEntry" options { map_entry: true }
    field { name: "key" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
    field { name: "value" number: 2 type: TYPE_INT64 label: LABEL_OPTIONAL } }
  nested_type { name: "Item"
    field { name: "sku" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
    field { name: "qty" number: 2 type: TYPE_UINT32 label: LABEL_OPTIONAL } }
}
enum_type { name: "Color" value { name: "RED" number: 0 } value { name: "BLUE" number: 5 } }`

const columns = "id BIGINT, name STRING, small INT, price DOUBLE, rate FLOAT, ok BOOLEAN, raw BYTES, color STRING, nums ARRAY<INT>, tags ARRAY<STRING>, attrs MAP<STRING, BIGINT>, " +
	"item ROW<sku STRING, qty BIGINT>, items ARRAY<ROW<qty INT>>, `at` TIMESTAMP_LTZ(9), fix BIGINT"

func descriptors(t testing.TB) (file string, order protoreflect.MessageDescriptor) {
	t.Helper()
	var f descriptorpb.FileDescriptorProto
	if err := prototext.Unmarshal([]byte(orders), &f); err != nil {
		t.Fatal(err)
	}
	set := &descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{protodesc.ToFileDescriptorProto(timestamppb.File_google_protobuf_timestamp_proto), &f}}
	raw, err := proto.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	files, err := protodesc.NewFiles(set)
	if err != nil {
		t.Fatal(err)
	}
	d, err := files.FindDescriptorByName("shop.Order")
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "orders.pb")
	if err := os.WriteFile(file, raw, 0o644); err != nil {
		t.Fatal(err)
	}
	return file, d.(protoreflect.MessageDescriptor)
}

func open(t testing.TB, file, class string, more ...string) format.Format {
	t.Helper()
	o := map[string]string{"message-class-name": class, "descriptor-file": file}
	for i := 0; i < len(more); i += 2 {
		o[more[i]] = more[i+1]
	}
	f, err := Format.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func schemaOf(text string) *types.Schema {
	return types.NewSchema(types.MustType("ROW<" + text + ">").Fields...)
}

func decode(t testing.TB, f format.Format, s *types.Schema, m []byte) string {
	t.Helper()
	d := format.Decoding{Schema: s, Zone: time.UTC}
	for c, x := range s.Fields {
		d.Wanted = append(d.Wanted, format.Want{Column: c, Type: x.Type})
	}
	dec, err := f.NewDecoder(d)
	if err != nil {
		return "no: " + err.Error()
	}
	why := ""
	note := func(_, _ int, err error) { why = "bad: " + err.Error() }
	recs := format.Records{Buf: m, Val: []format.Span{{Len: int32(len(m))}}}
	n := dec.Scan(&recs, 0, 1, note)
	var cols []vector.Vector
	var all []int
	for c, x := range s.Fields {
		v := vector.New(x.Type.OrNull(), 0)
		dec.Fill(c, nil, v, note)
		cols, all = append(cols, v), append(all, c)
	}
	if why != "" || n == 0 {
		return why
	}
	return formattest.Rows(s, cols, all)[0]
}

func encoded(t *testing.T, d protoreflect.MessageDescriptor, text string) []byte {
	t.Helper()
	m := dynamicpb.NewMessage(d)
	if err := protojson.Unmarshal([]byte(text), m); err != nil {
		t.Fatal(err)
	}
	raw, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

const full = `{"id": "-5", "name": "é", "small": -3, "price": 2.5, "rate": 0.5, "ok": true, "raw": "AQI=", "color": "BLUE", "nums": [1, -2, 300], "tags": ["a", ""],
	"attrs": {"k": "7"}, "item": {"sku": "s", "qty": 4000000000}, "items": [{"qty": 1}, {}], "at": "1969-12-31T23:59:58.000000001Z", "fix": "-9"}`

// TestAgreesWithTheLibrary reads what the reference library writes, and it reads ours.
func TestAgreesWithTheLibrary(t *testing.T) {
	t.Parallel()
	file, d := descriptors(t)
	s := schemaOf(columns)
	f := open(t, file, "com.shop.OrdersV1$Order")
	raw := encoded(t, d, full)
	const want = "-5|é|-3|2.5|0.5|TRUE|x'0102'|BLUE|[1, -2, 300]|[a, ]|{k=7}|(s, 4000000000)|[(1), (0)]|1969-12-31 23:59:58.000000001|-9|"
	if got := decode(t, f, s, raw); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got, want := decode(t, f, s, nil), "0||0|0.0|0.0|FALSE|x''|RED|[]|[]|{}|NULL|[]|NULL|0|"; got != want {
		t.Errorf("an empty message: %s, want %s", got, want)
	}
	if got := decode(t, f, schemaOf("item ROW<sku STRING, qty BIGINT>, nums ARRAY<INT>"), append(raw, encoded(t, d, `{"item": {"qty": 2}, "nums": [9]}`)...)); got != "(s, 2)|[1, -2, 300, 9]|" {
		t.Errorf("merged: %s", got)
	}
	if got := decode(t, f, schemaOf("nums ARRAY<INT>, color INT"), []byte{9 << 3, 4, 9 << 3, 6, 8 << 3, 9}); got != "[4, 6]|9|" {
		t.Errorf("not packed: %s", got)
	}

	enc, err := f.NewEncoder(format.Encoding{Schema: s})
	if err != nil {
		t.Fatal(err)
	}
	b := formattest.Batch(s, 200, 8)
	for i := range b.N {
		vector.Put(b.Cols[7], i, []string{"RED", "BLUE"}[i%2])
		for k := range b.Cols[11].(*vector.Row).Cols[1].(*vector.Flat[int64]).Vals {
			b.Cols[11].(*vector.Row).Cols[1].(*vector.Flat[int64]).Vals[k] &= 0xFFFFFFFF
		}
	}
	for i := range b.N {
		ours, _, err := enc.Append(nil, b, i)
		if err != nil {
			t.Fatal(err)
		}
		m := dynamicpb.NewMessage(d)
		if err := proto.Unmarshal(ours, m); err != nil {
			t.Fatalf("row %d: the library: %v", i, err)
		}
		theirs, err := proto.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if a, b := decode(t, f, s, ours), decode(t, f, s, theirs); parts(a) != parts(b) || strings.HasPrefix(a, "bad") {
			t.Fatalf("row %d: ours %s\ntheirs %s", i, a, b)
		}
	}
}

// parts are the parts of a row, sorted: the library writes maps in any order.
func parts(row string) string {
	f := strings.FieldsFunc(row, func(r rune) bool { return strings.ContainsRune(" ,{}", r) })
	slices.Sort(f)
	return strings.Join(f, " ")
}

func TestMisfits(t *testing.T) {
	t.Parallel()
	file, d := descriptors(t)
	raw := encoded(t, d, full)
	f := open(t, file, "shop.Order")
	for columns, want := range map[string]string{
		"id STRING":                  "no: id: a protobuf field of type 3 does not fit STRING",
		"nothing INT":                "no: message shop.Order has no field nothing",
		"item ROW<x INT>":            "no: message shop.Order.Item has no field x",
		"small TINYINT, nums BIGINT": "no: nums: repeated a protobuf field of type 5 does not fit BIGINT",
		"nums ARRAY<TINYINT>":        "bad: column nums: nums: 300 does not fit TINYINT",
		"item ROW<qty INT> NOT NULL": "(-294967296)|",
	} {
		if got := decode(t, f, schemaOf(columns), raw); got != want {
			t.Errorf("%s: %s, want %s", columns, got, want)
		}
	}
	if got := decode(t, open(t, file, "shop.Nothing"), schemaOf("id BIGINT"), raw); !strings.Contains(got, "has no message shop.Nothing") {
		t.Error(got)
	}
	if got := decode(t, f, schemaOf("id BIGINT"), raw[:len(raw)-1]); got != "bad: the message ends too early" {
		t.Error(got)
	}
	if got := decode(t, open(t, file, "shop.Order", "ignore-parse-errors", "true"), schemaOf("id BIGINT"), raw[:len(raw)-1]); got != "" {
		t.Error(got)
	}
}

func FuzzDecode(f *testing.F) {
	file, _ := descriptors(f)
	s := schemaOf(columns)
	p := open(f, file, "shop.Order")
	f.Add([]byte("\x08\x05\x12\x01a\x4a\x03\x01\x02\x03\x62\x03\x0a\x01s"))
	f.Fuzz(func(t *testing.T, m []byte) { decode(t, p, s, m) })
}

func FuzzDescriptors(f *testing.F) {
	file, _ := descriptors(f)
	raw, err := os.ReadFile(file)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, err := parseSet(b); err == nil {
			for _, m := range s.messages {
				for _, x := range m.fields {
					_, _ = newColumn(x, types.String(), true, false, false, 0)
				}
			}
		}
	})
}
