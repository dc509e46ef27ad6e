package protobuf

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// old is a file of proto2 with all that proto3 has no more.
const old = `
name: "old.proto" package: "old"
message_type {
  name: "Row"
  field { name: "id" number: 1 type: TYPE_INT32 label: LABEL_REQUIRED }
  field { name: "n" number: 2 type: TYPE_INT64 label: LABEL_OPTIONAL default_value: "-7" }
  field { name: "s" number: 3 type: TYPE_STRING label: LABEL_OPTIONAL default_value: "none" }
  field { name: "e" number: 4 type: TYPE_ENUM type_name: ".old.Kind" label: LABEL_OPTIONAL default_value: "B" }
  field { name: "d" number: 5 type: TYPE_DOUBLE label: LABEL_OPTIONAL default_value: "inf" }
  field { name: "grp" number: 6 type: TYPE_GROUP type_name: ".old.Row.Grp" label: LABEL_OPTIONAL }
  field { name: "grps" number: 7 type: TYPE_GROUP type_name: ".old.Row.Grps" label: LABEL_REPEATED }
  field { name: "nums" number: 8 type: TYPE_FIXED32 label: LABEL_REPEATED }
  field { name: "b" number: 9 type: TYPE_BOOL label: LABEL_OPTIONAL default_value: "true" }
  field { name: "u" number: 10 type: TYPE_UINT64 label: LABEL_OPTIONAL }
  field { name: "x" number: 11 type: TYPE_INT32 label: LABEL_OPTIONAL oneof_index: 0 }
  field { name: "y" number: 12 type: TYPE_STRING label: LABEL_OPTIONAL oneof_index: 0 }
  field { name: "kinds" number: 13 type: TYPE_ENUM type_name: ".old.Kind" label: LABEL_REPEATED options { packed: true } }
  field { name: "m" number: 14 type: TYPE_MESSAGE type_name: ".old.Row.MEntry" label: LABEL_REPEATED }
  oneof_decl { name: "either" }
  nested_type { name: "Grp" field { name: "a" number: 1 type: TYPE_SINT64 label: LABEL_OPTIONAL default_value: "-9" } }
  nested_type { name: "Grps" field { name: "a" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
    field { name: "in" number: 2 type: TYPE_MESSAGE type_name: ".old.Row.Grp" label: LABEL_OPTIONAL } }
  nested_type { name: "MEntry" options { map_entry: true }
    field { name: "key" number: 1 type: TYPE_SFIXED64 label: LABEL_OPTIONAL }
    field { name: "value" number: 2 type: TYPE_ENUM type_name: ".old.Zed" label: LABEL_OPTIONAL } }
}
enum_type { name: "Zed" value { name: "Z" number: 0 } value { name: "ZB" number: -2 } }
enum_type { name: "Kind" value { name: "A" number: 1 } value { name: "B" number: -2 } }`

const oldColumns = "id INT, n BIGINT, s STRING, e STRING, d DOUBLE, grp ROW<a BIGINT>, grps ARRAY<ROW<a STRING, `in` ROW<a BIGINT>>>, nums ARRAY<BIGINT>, b BOOLEAN, u BIGINT, x INT, y STRING, kinds ARRAY<STRING>, m MAP<BIGINT, STRING>"

// newer is a file of proto3 with fields that tell whether they are there.
const newer = `
name: "newer.proto" package: "newer" syntax: "proto3"
message_type {
  name: "Row"
  field { name: "plain" number: 1 type: TYPE_INT32 label: LABEL_OPTIONAL }
  field { name: "opt" number: 2 type: TYPE_INT32 label: LABEL_OPTIONAL oneof_index: 1 proto3_optional: true }
  field { name: "x" number: 3 type: TYPE_STRING label: LABEL_OPTIONAL oneof_index: 0 }
  field { name: "y" number: 4 type: TYPE_MESSAGE type_name: ".newer.Row" label: LABEL_OPTIONAL oneof_index: 0 }
  field { name: "kind" number: 5 type: TYPE_ENUM type_name: ".newer.Kind" label: LABEL_OPTIONAL }
  field { name: "many" number: 6 type: TYPE_MESSAGE type_name: ".newer.Row.ManyEntry" label: LABEL_REPEATED }
  oneof_decl { name: "either" } oneof_decl { name: "_opt" }
  nested_type { name: "ManyEntry" options { map_entry: true }
    field { name: "key" number: 1 type: TYPE_BOOL label: LABEL_OPTIONAL }
    field { name: "value" number: 2 type: TYPE_MESSAGE type_name: ".newer.Row" label: LABEL_OPTIONAL } }
}
enum_type { name: "Kind" value { name: "ZERO" number: 0 } value { name: "ONE" number: 1 } }`

// compile writes a descriptor set and returns the message Row of the library.
func compile(t testing.TB, text string) (string, protoreflect.MessageDescriptor) {
	t.Helper()
	f := &descriptorpb.FileDescriptorProto{}
	if err := prototext.Unmarshal([]byte(text), f); err != nil {
		t.Fatal(err)
	}
	set := &descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{f}}
	files, err := protodesc.NewFiles(set)
	if err != nil {
		t.Fatal(err)
	}
	d, err := files.FindDescriptorByName(protoreflect.FullName(f.GetPackage() + ".Row"))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := proto.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "set.pb")
	if err := os.WriteFile(file, raw, 0o644); err != nil {
		t.Fatal(err)
	}
	return file, d.(protoreflect.MessageDescriptor)
}

// library encodes the text form of a message.
func library(t *testing.T, d protoreflect.MessageDescriptor, text string) []byte {
	t.Helper()
	m := dynamicpb.NewMessage(d)
	if err := (prototext.UnmarshalOptions{AllowPartial: true}).Unmarshal([]byte(text), m); err != nil {
		t.Fatal(err)
	}
	raw, err := proto.MarshalOptions{AllowPartial: true, Deterministic: true}.Marshal(m) // maps by their keys
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// TestProto2 reads what only proto2 has, as the library writes it.
func TestProto2(t *testing.T) {
	t.Parallel()
	file, d := compile(t, old)
	f := func(text, want string, options ...string) {
		t.Helper()
		if got := decode(t, open(t, file, "old.Row", options...), schemaOf(oldColumns), library(t, d, text)); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
	f(`id: 1`, "1|NULL|NULL|NULL|NULL|NULL|[]|[]|NULL|NULL|NULL|NULL|[]|{}|")
	f(`id: 1`, "1|-7|none|B|Infinity|(-9)|[]|[]|TRUE|0|0||[]|{}|", "read-default-values", "true")
	f(`id: -1 n: 0 s: "" e: A d: -0.5 grp { a: 5 } grps { a: "p" in { a: 1 } } grps { } nums: 4294967295 b: false u: 18446744073709551615 y: "q" kinds: B kinds: A m { key: -3 value: ZB } m { }`,
		"-1|0||A|-0.5|(5)|[(p, (1)), (NULL, NULL)]|[4294967295]|FALSE|-1|NULL|q|[B, A]|{-3=ZB, 0=Z}|")
	f(`n: 4`, "bad: column id: id: the field is required, but not there")
	f(`n: 4`, "NULL|4|NULL|NULL|NULL|NULL|[]|[]|NULL|NULL|NULL|NULL|[]|{}|", "ignore-parse-errors", "true")
}

// TestProto3Presence reads fields that tell whether they are there and others.
func TestProto3Presence(t *testing.T) {
	t.Parallel()
	file, d := compile(t, newer)
	const columns = "plain INT, opt INT, x STRING, y ROW<plain INT, opt INT>, kind STRING, many MAP<BOOLEAN, ROW<opt INT>>"
	f := func(text, want string, options ...string) {
		t.Helper()
		if got := decode(t, open(t, file, "newer.Row", options...), schemaOf(columns), library(t, d, text)); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
	f(``, "0|NULL|NULL|NULL|ZERO|{}|")
	f(``, "0|0||(0, 0)|ZERO|{}|", "read-default-values", "true")
	f(`opt: 0 x: "" kind: ONE`, "0|0||NULL|ONE|{}|")
	f(`y { opt: 3 } many { key: true value { opt: 1 } } many { }`, "0|NULL|NULL|(0, 3)|ZERO|{FALSE=(NULL), TRUE=(1)}|")
	f(`y { }`, "0|NULL|NULL|(0, NULL)|ZERO|{}|")
}

// TestWritesAreRead has the library read what is written for proto2.
func TestWritesAreRead(t *testing.T) {
	t.Parallel()
	file, d := compile(t, old)
	s := schemaOf(oldColumns)
	p := open(t, file, "old.Row", "write-null-string-literal", "nil")
	enc, err := p.NewEncoder(format.Encoding{Schema: s})
	if err != nil {
		t.Fatal(err)
	}
	b := vector.NewBatch(s, 3)
	row := func(v ...types.Value) { b.AppendValues(types.Insert, v...) }
	row(int32(1), int64(-1), "é", "B", -0.0, []types.Value{int64(-5)}, []types.Value{[]types.Value{"p", []types.Value{nil}}, []types.Value{nil, nil}}, []types.Value{int64(7), nil}, false, int64(-1), nil, "y",
		[]types.Value{"A", "B"}, &types.MapValue{Keys: []types.Value{int64(-3)}, Vals: []types.Value{"ZB"}})
	row(int32(0), nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil)
	row(nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil)
	for i, want := range []string{
		"1|-1|é|B|0.0|(-5)|[(p, (NULL)), (NULL, NULL)]|[7, 0]|FALSE|-1|NULL|y|[A, B]|{-3=ZB}|",
		"0|NULL|NULL|NULL|NULL|NULL|[]|[]|NULL|NULL|NULL|NULL|[]|{}|",
	} {
		raw, _, err := enc.Append(nil, b, i)
		if err != nil {
			t.Fatal(err)
		}
		m := dynamicpb.NewMessage(d)
		if err := proto.Unmarshal(raw, m); err != nil {
			t.Fatalf("the library: %v", err)
		}
		if m.ProtoReflect().GetUnknown() != nil {
			t.Errorf("row %d: the library does not know all fields", i)
		}
		theirs, err := proto.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range [][]byte{raw, theirs} {
			if got := decode(t, p, s, x); got != want {
				t.Errorf("row %d: %s, want %s", i, got, want)
			}
		}
	}
	if _, _, err := enc.Append(nil, b, 2); err == nil || !strings.Contains(err.Error(), "id: the field is required") {
		t.Errorf("a required field: %v", err)
	}
	// NULL in arrays and maps of texts is the literal.
	file3, _ := descriptors(t)
	s = schemaOf("tags ARRAY<STRING>, attrs MAP<STRING, BIGINT>")
	p = open(t, file3, "shop.Order", "write-null-string-literal", "nil")
	if enc, err = p.NewEncoder(format.Encoding{Schema: s}); err != nil {
		t.Fatal(err)
	}
	b = vector.NewBatch(s, 1)
	b.AppendValues(types.Insert, []types.Value{"a", nil}, &types.MapValue{Keys: []types.Value{nil}, Vals: []types.Value{nil}})
	raw, _, err := enc.Append(nil, b, 0)
	if err != nil {
		t.Fatal(err)
	}
	if got := decode(t, p, s, raw); got != "[a, nil]|{nil=0}|" {
		t.Error(got)
	}
}

// FuzzOld reads any bytes as a message of proto2, with groups.
func FuzzOld(f *testing.F) {
	file, _ := compile(f, old)
	s := schemaOf(oldColumns)
	p := open(f, file, "old.Row", "read-default-values", "true")
	f.Add([]byte("\x08\x01\x33\x08\x05\x34\x3b\x0a\x01p\x12\x02\x08\x02\x3c\x72\x0b\x09\x01\x00\x00\x00\x00\x00\x00\x00\x10\x01"))
	f.Fuzz(func(t *testing.T, m []byte) { decode(t, p, s, m) })
}
