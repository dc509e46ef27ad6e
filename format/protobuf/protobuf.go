// Package protobuf is the protobuf format: a record is a message whose type is
// found in a descriptor set, a file that protoc writes with
//
//	protoc --include_imports --descriptor_set_out=orders.pb orders.proto
//
// Columns are fields by name: repeated ones are arrays, map fields maps, messages
// rows, enums texts or numbers; google.protobuf.Timestamp is a row or a timestamp.
// Fields that are not there are NULL, as Flink has it, but for those of proto3
// that do not tell: plain ones, of which the default is not written, have it.
//
// descriptor.go reads descriptor sets, wire.go the encoding, decode.go and
// encode.go join the fields with columns.
package protobuf

import (
	"errors"
	"fmt"
	"os"

	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/types"
)

// Format is the format.
var Format = format.Define("protobuf", "Protocol Buffers messages.", func(o *options) (format.Format, error) {
	return &protobuf{o: o}, nil
}).Noted(notes)

type options struct {
	Class        string `opt:"message-class-name,required" doc:"The message: its full name, or that of the Java class made of it (with $ before nested ones)."`
	Descriptors  string `opt:"descriptor-file,required" doc:"A descriptor set, as protoc --include_imports --descriptor_set_out writes it."`
	IgnoreErrors bool   `opt:"ignore-parse-errors" default:"false" doc:"Messages that cannot be read are left out, and fields that cannot are NULL."`
	Defaults     bool   `opt:"read-default-values" default:"false" doc:"Fields that are not there have their default instead of NULL. Plain fields of proto3, without optional or oneof, always do: the default is not written."`
	NullLiteral  string `opt:"write-null-string-literal" doc:"What is written for NULL texts in arrays and maps, where protobuf has no NULL; numbers are 0."`
}

type protobuf struct{ o *options }

// load reads the descriptor set: when a table is used, not when it is declared.
func (p *protobuf) load() (*message, error) {
	raw, err := os.ReadFile(p.o.Descriptors)
	if err != nil {
		return nil, fmt.Errorf("descriptor-file: %w", err)
	}
	s, err := parseSet(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.o.Descriptors, err)
	}
	m := s.find(p.o.Class)
	if m == nil {
		return nil, fmt.Errorf("%s has no message %s", p.o.Descriptors, p.o.Class)
	}
	return m, nil
}

func (p *protobuf) columns(fields []types.Field) ([]*column, error) {
	m, err := p.load()
	if err != nil {
		return nil, err
	}
	var out []*column
	for _, f := range fields {
		x := m.field(f.Name)
		if x == nil {
			return nil, fmt.Errorf("message %s has no field %s", m.name, f.Name)
		}
		c, err := newColumn(x, f.Type, m.proto3, p.o.Defaults, false, 0)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// Framing implements format.Format: messages have no end mark, so they cannot
// stand in files.
func (p *protobuf) Framing() format.Framing { return format.Whole }

// Changelog implements format.Format.
func (p *protobuf) Changelog() bool { return false }

// NewDecoder implements format.Format.
func (p *protobuf) NewDecoder(d format.Decoding) (format.Decoder, error) {
	columns, err := p.columns(d.Schema.Fields)
	if err != nil {
		return nil, err
	}
	dec := &decoder{p: p, number: map[uint64][]int{}}
	for i, w := range d.Wanted {
		c, f := columns[w.Column], d.Schema.Fields[w.Column]
		dec.wants, dec.names, dec.types = append(dec.wants, c), append(dec.names, f.Name), append(dec.types, f.Type)
		dec.number[c.f.number] = append(dec.number[c.f.number], i)
		dec.inner = append(dec.inner, format.NewInner(d.Schema, w))
	}
	return dec, nil
}

// NewEncoder implements format.Format.
func (p *protobuf) NewEncoder(e format.Encoding) (format.Encoder, error) {
	if len(e.Schema.Fields) == 0 {
		return nil, errors.New("a message needs columns")
	}
	columns, err := p.columns(e.Schema.Fields)
	if err != nil {
		return nil, err
	}
	return &encoder{columns: columns, literal: p.o.NullLiteral}, nil
}

var _ format.Format = (*protobuf)(nil)
