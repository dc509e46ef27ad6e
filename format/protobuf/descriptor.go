package protobuf

import (
	"errors"
	"fmt"
	"path"
	"strings"
)

// message is a message type of a descriptor set.
type message struct {
	name   string // full name
	fields []*field
	entry  bool // of a map
	proto3 bool
	java   []string // names of its Java class
}

// field is a field of a message.
type field struct {
	name     string
	number   uint64
	kind     kind
	repeated bool
	required bool
	oneof    bool // one of several, or optional under proto3
	packed   bool
	typeName string
	of       *message // of kMessage
	enum     *enum    // of kEnum
	def      string   // default as text, if hasDef
	hasDef   bool
}

type enum struct {
	names   map[int32]string
	numbers map[string]int32
	first   int32
}

// kind is the number of a field's type in a descriptor.
type kind uint64

const (
	kDouble   kind = 1
	kFloat    kind = 2
	kInt64    kind = 3
	kUint64   kind = 4
	kInt32    kind = 5
	kFixed64  kind = 6
	kFixed32  kind = 7
	kBool     kind = 8
	kString   kind = 9
	kGroup    kind = 10
	kMessage  kind = 11
	kBytes    kind = 12
	kUint32   kind = 13
	kEnum     kind = 14
	kSfixed32 kind = 15
	kSfixed64 kind = 16
	kSint32   kind = 17
	kSint64   kind = 18
)

// wire returns the wire type of values of k.
func (k kind) wire() int {
	switch k {
	case kDouble, kFixed64, kSfixed64:
		return wireFixed64
	case kFloat, kFixed32, kSfixed32:
		return wireFixed32
	case kString, kMessage, kBytes:
		return wireBytes
	case kGroup:
		return wireStart
	}
	return wireVarint
}

// set is a descriptor set: what protoc --descriptor_set_out --include_imports writes.
type set struct {
	messages map[string]*message
	enums    map[string]*enum
}

// parseSet reads a descriptor set.
func parseSet(b []byte) (*set, error) {
	s := &set{messages: map[string]*message{}, enums: map[string]*enum{}}
	err := each(b, func(f wireField) error {
		if f.number == 1 && f.wire == wireBytes {
			return s.file(f.bytes)
		}
		return nil
	})
	if err == nil && len(s.messages) == 0 {
		err = errors.New("there are no messages in it")
	}
	if err == nil {
		err = s.link()
	}
	if err != nil {
		return nil, fmt.Errorf("descriptor set: %w", err)
	}
	return s, nil
}

// source is what names of a file are made with.
type source struct {
	pkg, javaPkg, outer string
	multiple, proto3    bool
}

func (s *set) file(b []byte) error {
	var src source
	name := ""
	var messages, enums [][]byte
	err := each(b, func(f wireField) error {
		switch f.number {
		case 1:
			name = string(f.bytes)
		case 2:
			src.pkg = string(f.bytes)
		case 4:
			messages = append(messages, f.bytes)
		case 5:
			enums = append(enums, f.bytes)
		case 8:
			return each(f.bytes, func(o wireField) error {
				switch o.number {
				case 1:
					src.javaPkg = string(o.bytes)
				case 8:
					src.outer = string(o.bytes)
				case 10:
					src.multiple = o.num != 0
				}
				return nil
			})
		case 12:
			src.proto3 = string(f.bytes) == "proto3"
		case 14:
			return errors.New("files of editions are not supported, only proto2 and proto3")
		}
		return nil
	})
	if err != nil {
		return err
	}
	if src.outer == "" {
		src.outer = outerName(name)
	}
	if src.javaPkg == "" {
		src.javaPkg = src.pkg
	}
	for _, m := range messages {
		if err := s.message(m, src.pkg, "", &src, 0); err != nil {
			return err
		}
	}
	for _, e := range enums {
		if err := s.enum(e, src.pkg); err != nil {
			return err
		}
	}
	return nil
}

// outerName is the class around those of a file, as protoc names it.
func outerName(file string) string {
	base := strings.TrimSuffix(path.Base(file), ".proto")
	var b strings.Builder
	up := true
	for _, c := range base {
		switch {
		case c >= 'a' && c <= 'z' && up:
			b.WriteRune(c - 'a' + 'A')
			up = false
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			b.WriteRune(c)
			up = false
		case c >= '0' && c <= '9':
			b.WriteRune(c)
			up = true
		default:
			up = true
		}
	}
	return b.String()
}

func join(space, name string) string {
	if space == "" {
		return name
	}
	return space + "." + name
}

func (s *set) message(b []byte, space, inner string, src *source, depth int) error {
	if depth > maxDepth {
		return errDepth
	}
	m := &message{proto3: src.proto3}
	var nested, enums [][]byte
	err := each(b, func(f wireField) error {
		switch f.number {
		case 1:
			m.name = join(space, string(f.bytes))
			inner = join(inner, string(f.bytes))
		case 2:
			x, err := parseField(f.bytes, src.proto3)
			m.fields = append(m.fields, x)
			return err
		case 3:
			nested = append(nested, f.bytes)
		case 4:
			enums = append(enums, f.bytes)
		case 7:
			return each(f.bytes, func(o wireField) error {
				if o.number == 7 {
					m.entry = o.num != 0
				}
				return nil
			})
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, outer := range []string{"", src.outer, src.outer + "OuterClass"} {
		m.java = append(m.java, join(src.javaPkg, join(outer, inner)))
	}
	s.messages[m.name] = m
	for _, n := range nested {
		if err := s.message(n, m.name, inner, src, depth+1); err != nil {
			return err
		}
	}
	for _, e := range enums {
		if err := s.enum(e, m.name); err != nil {
			return err
		}
	}
	return nil
}

func parseField(b []byte, proto3 bool) (*field, error) {
	x := &field{}
	explicit := false // whether packed is given
	err := each(b, func(f wireField) error {
		switch f.number {
		case 1:
			x.name = string(f.bytes)
		case 3:
			x.number = f.num
		case 4:
			x.repeated, x.required = f.num == 3, f.num == 2
		case 5:
			x.kind = kind(f.num)
		case 6:
			x.typeName = strings.TrimPrefix(string(f.bytes), ".")
		case 7:
			x.def, x.hasDef = string(f.bytes), true
		case 9: // proto3 puts an optional field into a oneof of its own
			x.oneof = true
		case 8:
			return each(f.bytes, func(o wireField) error {
				if o.number == 2 {
					x.packed, explicit = o.num != 0, true
				}
				return nil
			})
		}
		return nil
	})
	if x.repeated && !explicit && proto3 && x.kind.wire() != wireBytes && x.kind != kGroup {
		x.packed = true
	}
	if err == nil && (x.name == "" || x.number == 0 || x.kind < kDouble || x.kind > kSint64) {
		err = fmt.Errorf("field %q has number %d and type %d", x.name, x.number, x.kind)
	}
	return x, err
}

func (s *set) enum(b []byte, space string) error {
	e := &enum{names: map[int32]string{}, numbers: map[string]int32{}}
	name, count := "", 0
	err := each(b, func(f wireField) error {
		switch f.number {
		case 1:
			name = string(f.bytes)
		case 2:
			text, n := "", int32(0)
			if err := each(f.bytes, func(v wireField) error {
				switch v.number {
				case 1:
					text = string(v.bytes)
				case 2:
					n = int32(v.num)
				}
				return nil
			}); err != nil {
				return err
			}
			if count == 0 {
				e.first = n
			}
			count++
			if _, ok := e.names[n]; !ok {
				e.names[n] = text
			}
			e.numbers[text] = n
		}
		return nil
	})
	s.enums[join(space, name)] = e
	return err
}

// link puts types in place of their names.
func (s *set) link() error {
	for _, m := range s.messages {
		for _, f := range m.fields {
			switch f.kind {
			case kMessage, kGroup:
				if f.of = s.messages[f.typeName]; f.of == nil {
					return fmt.Errorf("%s.%s: there is no message %s: write the set with --include_imports", m.name, f.name, f.typeName)
				}
			case kEnum:
				if f.enum = s.enums[f.typeName]; f.enum == nil {
					return fmt.Errorf("%s.%s: there is no enum %s: write the set with --include_imports", m.name, f.name, f.typeName)
				}
			}
		}
	}
	return nil
}

// find returns a message by its own name or that of its Java class.
func (s *set) find(class string) *message {
	class = strings.ReplaceAll(class, "$", ".")
	if m := s.messages[class]; m != nil {
		return m
	}
	for _, m := range s.messages {
		for _, j := range m.java {
			if j == class {
				return m
			}
		}
	}
	return nil
}

func (m *message) field(name string) *field {
	for _, f := range m.fields {
		if f.name == name {
			return f
		}
	}
	return nil
}
