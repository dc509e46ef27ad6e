package arrow

import (
	"errors"
	"fmt"

	"github.com/runnelio/runnel/types"
)

// kind is the number of a type in the metadata.
type kind byte

const (
	kNull        kind = 1
	kInt         kind = 2
	kFloat       kind = 3
	kBinary      kind = 4
	kUtf8        kind = 5
	kBool        kind = 6
	kDecimal     kind = 7
	kDate        kind = 8
	kTime        kind = 9
	kTimestamp   kind = 10
	kInterval    kind = 11
	kList        kind = 12
	kStruct      kind = 13
	kUnion       kind = 14
	kFixedBinary kind = 15
	kFixedList   kind = 16
	kMap         kind = 17
	kDuration    kind = 18
	kLargeBinary kind = 19
	kLargeUtf8   kind = 20
	kLargeList   kind = 21
	kRunEnd      kind = 22
	kBinaryView  kind = 23
	kUtf8View    kind = 24
	kListView    kind = 25
	kLargeView   kind = 26
)

var kindNames = [...]string{"", "Null", "Int", "FloatingPoint", "Binary", "Utf8", "Bool", "Decimal", "Date", "Time", "Timestamp", "Interval", "List", "Struct", "Union",
	"FixedSizeBinary", "FixedSizeList", "Map", "Duration", "LargeBinary", "LargeUtf8", "LargeList", "RunEndEncoded", "BinaryView", "Utf8View", "ListView", "LargeListView"}

// The units of times.
const (
	seconds = iota
	millis
	micros
	nanos
)

var unitNames = [...]string{"seconds", "milliseconds", "microseconds", "nanoseconds"}

// field is a field of a schema.
type field struct {
	name     string
	nullable bool
	kind     kind
	// width is the bits of a value of fixed width; of a FixedSizeBinary its bytes
	// times eight, of a FixedSizeList the number of its elements.
	width    int
	unsigned bool
	scale    int
	unit     int
	dense    bool // of unions: with offsets
	children []*field

	dictionary bool
	id         int64  // of the dictionary
	index      *field // the type of what stands in the batches then
}

func (f *field) String() string {
	switch {
	case int(f.kind) >= len(kindNames) || f.kind == 0:
		return fmt.Sprintf("type number %d", f.kind)
	case f.kind == kInt && f.unsigned:
		return fmt.Sprintf("UInt%d", f.width)
	case f.kind == kInt || f.kind == kFloat || f.kind == kDecimal:
		return fmt.Sprintf("%s%d", kindNames[f.kind], f.width)
	case (f.kind == kTime || f.kind == kTimestamp || f.kind == kDuration) && f.unit < len(unitNames):
		return kindNames[f.kind] + " in " + unitNames[f.unit]
	}
	return kindNames[f.kind]
}

// maxDepth bounds types inside one another.
const maxDepth = 64

var (
	errDeep   = errors.New("types too deep in one another")
	errEndian = errors.New("the data are big-endian, which is not supported")
)

// parseSchema reads the fields of a Schema.
func parseSchema(t table) ([]*field, error) {
	if t.short(0, 0) != 0 {
		return nil, errEndian
	}
	fields, err := parseFields(t.tables(1), 0)
	if err == nil && (t.f.bad || t.at == 0) {
		err = errFlat
	}
	if err != nil {
		return nil, fmt.Errorf("schema: %w", err)
	}
	return fields, nil
}

func parseFields(list []table, depth int) ([]*field, error) {
	if depth > maxDepth {
		return nil, errDeep
	}
	var out []*field
	for _, t := range list {
		f := &field{name: t.string(0), nullable: t.bool(1)}
		f.parseType(kind(t.byte(2, 0)), t.table(3))
		if t.f.bad {
			return nil, errFlat
		}
		if d := t.table(4); d.at != 0 {
			f.dictionary, f.id = true, d.long(0)
			f.index = &field{kind: kInt, width: 32}
			if x := d.table(1); x.at != 0 {
				f.index.parseType(kInt, x)
			}
			if err := f.index.check(); err != nil {
				return nil, fmt.Errorf("%s: dictionary: %w", f.name, err)
			}
		}
		var err error
		if f.children, err = parseFields(t.tables(5), depth+1); err == nil {
			err = f.check()
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
		out = append(out, f)
	}
	return out, nil
}

func (f *field) parseType(k kind, t table) {
	f.kind = k
	switch k {
	case kInt:
		f.width, f.unsigned = t.int(0, 0), !t.bool(1)
	case kFloat:
		f.width = 16 << uint(t.short(0, 0)&3)
	case kDecimal:
		f.scale, f.width = t.int(1, 0), t.int(2, 128)
	case kDate:
		if f.unit = t.short(0, 1); f.unit == 0 {
			f.width = 32
		} else {
			f.width = 64
		}
	case kTime:
		f.unit, f.width = t.short(0, millis), t.int(1, 32)
	case kTimestamp:
		f.unit, f.width = t.short(0, seconds), 64
	case kDuration:
		f.unit, f.width = t.short(0, millis), 64
	case kInterval:
		f.unit = t.short(0, 0)
		f.width = []int{32, 64, 128}[min(max(f.unit, 0), 2)]
	case kUnion:
		f.dense = t.short(0, 0) == 1
	case kFixedBinary:
		if f.width = t.int(0, 0); f.width >= 0 && f.width < 1<<30 {
			f.width *= 8
		} else {
			f.width = -1
		}
	case kFixedList:
		f.width = t.int(0, 0)
	case kBool:
		f.width = 1
	}
}

// check tells what is wrong with the description of a type.
func (f *field) check() error {
	bad := func() error { return fmt.Errorf("a %s is not possible", f) }
	children := -1
	switch f.kind {
	case kInt:
		if f.width != 8 && f.width != 16 && f.width != 32 && f.width != 64 {
			return bad()
		}
	case kFloat:
		if f.width > 64 {
			return bad()
		}
	case kDecimal:
		if f.width != 32 && f.width != 64 && f.width != 128 && f.width != 256 || f.scale < -128 || f.scale > 127 {
			return bad()
		}
	case kDate:
		if f.unit < 0 || f.unit > 1 {
			return bad()
		}
	case kTime:
		if f.unit < seconds || f.unit > nanos || f.width != map[bool]int{true: 32, false: 64}[f.unit <= millis] {
			return bad()
		}
	case kTimestamp, kDuration:
		if f.unit < seconds || f.unit > nanos {
			return bad()
		}
	case kFixedBinary:
		if f.width < 0 {
			return bad()
		}
	case kFixedList:
		if f.width < 0 {
			return bad()
		}
		children = 1
	case kList, kLargeList, kMap, kListView, kLargeView:
		children = 1
	case kRunEnd:
		children = 2
	case kStruct, kUnion:
		return nil
	default:
		if f.kind == 0 || int(f.kind) >= len(kindNames) {
			return fmt.Errorf("%s is not known", f)
		}
	}
	if children >= 0 && len(f.children) != children {
		return bad()
	}
	if f.kind == kMap && (f.children[0].kind != kStruct || len(f.children[0].children) != 2) {
		return bad()
	}
	return nil
}

// unitOf is the unit in which times of so many digits are written.
func unitOf(prec int) int {
	switch {
	case prec == 0:
		return seconds
	case prec <= 3:
		return millis
	case prec <= 6:
		return micros
	}
	return nanos
}

// fieldOf describes how values of type t are written.
func fieldOf(name string, t types.Type) (*field, error) {
	f := &field{name: name, nullable: t.Nullable}
	sub := func(name string, t types.Type) error {
		c, err := fieldOf(name, t)
		f.children = append(f.children, c)
		return err
	}
	switch t.Kind {
	case types.Boolean:
		f.kind, f.width = kBool, 1
	case types.TinyInt:
		f.kind, f.width = kInt, 8
	case types.SmallInt:
		f.kind, f.width = kInt, 16
	case types.Int:
		f.kind, f.width = kInt, 32
	case types.BigInt:
		f.kind, f.width = kInt, 64
	case types.Float:
		f.kind, f.width = kFloat, 32
	case types.Double:
		f.kind, f.width = kFloat, 64
	case types.Decimal:
		f.kind, f.width, f.scale = kDecimal, 128, t.Scale
	case types.Char, types.VarChar:
		f.kind = kUtf8
	case types.Binary, types.VarBinary:
		f.kind = kBinary
	case types.Date:
		f.kind, f.width = kDate, 32
	case types.Time:
		f.kind, f.unit = kTime, unitOf(t.Prec)
		if f.width = 32; f.unit > millis {
			f.width = 64
		}
	case types.Timestamp, types.TimestampLTZ:
		f.kind, f.unit, f.width = kTimestamp, unitOf(t.Prec), 64
	case types.IntervalYM:
		f.kind, f.width = kInterval, 32
	case types.IntervalDS:
		f.kind, f.unit, f.width = kDuration, millis, 64
	case types.Array:
		f.kind = kList
		return f, sub("item", *t.Elem)
	case types.Map, types.Multiset:
		key, val := *t.Elem, types.Of(types.Int).NotNull()
		if t.Kind == types.Map {
			key, val = *t.Key, *t.Elem
		}
		f.kind = kMap
		return f, sub("entries", types.RowOf(types.Field{Name: "key", Type: key.NotNull()}, types.Field{Name: "value", Type: val}).NotNull())
	case types.Row:
		f.kind = kStruct
		for _, c := range t.Fields {
			if err := sub(c.Name, c.Type); err != nil {
				return nil, fmt.Errorf("%s: %w", c.Name, err)
			}
		}
	default:
		return nil, fmt.Errorf("the format has no values of type %s", t.OrNull())
	}
	return f, nil
}

// fieldsOf describes the columns of a table.
func fieldsOf(s *types.Schema) ([]*field, error) {
	var out []*field
	for _, c := range s.Fields {
		f, err := fieldOf(c.Name, c.Type)
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", c.Name, err)
		}
		out = append(out, f)
	}
	return out, nil
}

// object returns the field as it is written; t is its type in the table.
func (f *field) object(t types.Type) *object {
	typ := &object{}
	switch f.kind {
	case kInt:
		typ.scalar(0, 4, int64(f.width)).scalar(1, 1, 1)
	case kFloat:
		typ.scalar(0, 2, int64(f.width/32))
	case kDecimal:
		typ.scalar(0, 4, int64(t.Prec)).scalar(1, 4, int64(f.scale)).scalar(2, 4, int64(f.width))
	case kDate:
		typ.scalar(0, 2, 0)
	case kTime:
		typ.scalar(0, 2, int64(f.unit)).scalar(1, 4, int64(f.width))
	case kTimestamp:
		typ.scalar(0, 2, int64(f.unit))
		if t.Kind == types.TimestampLTZ {
			typ.child(1, text("UTC"))
		}
	case kInterval, kDuration:
		typ.scalar(0, 2, int64(f.unit))
	}
	o := (&object{}).child(0, text(f.name)).scalar(2, 1, int64(f.kind)).child(3, typ)
	if f.nullable {
		o.scalar(1, 1, 1)
	}
	children := []*object{}
	for i, c := range f.children {
		children = append(children, c.object(partOf(t, i)))
	}
	return o.child(5, objects(children...))
}

// partOf is the type of child i of a field of type t.
func partOf(t types.Type, i int) types.Type {
	switch t.Kind {
	case types.Array:
		return *t.Elem
	case types.Map, types.Multiset:
		key, val := *t.Elem, types.Of(types.Int).NotNull()
		if t.Kind == types.Map {
			key, val = *t.Key, *t.Elem
		}
		return types.RowOf(types.Field{Name: "key", Type: key}, types.Field{Name: "value", Type: val})
	}
	return t.Fields[i].Type
}

// schemaObject is the Schema of a table's columns.
func schemaObject(fields []*field, s *types.Schema) *object {
	list := []*object{}
	for i, f := range fields {
		list = append(list, f.object(s.Fields[i].Type))
	}
	return (&object{}).child(1, objects(list...))
}
