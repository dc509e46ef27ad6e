package avro

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/runnelio/runnel/types"
)

// schema is a parsed Avro schema.
type schema struct {
	kind    kind
	logical string
	prec    int // of decimal
	scale   int
	size    int // of fixed
	name    string
	fields  []field
	symbols []string  // of enum
	elem    *schema   // of array and map
	of      []*schema // of union
}

type field struct {
	name string
	of   *schema
}

type kind uint8

const (
	null kind = iota
	boolean
	int32s
	int64s
	float
	double
	bytes
	text
	record
	enum
	array
	maps
	union
	fixed
)

var primitives = map[string]kind{"null": null, "boolean": boolean, "int": int32s, "long": int64s, "float": float, "double": double, "bytes": bytes, "string": text}

var kindNames = [...]string{"null", "boolean", "int", "long", "float", "double", "bytes", "string", "record", "enum", "array", "map", "union", "fixed"}

func (k kind) String() string { return kindNames[k] }

// parser reads schemas in JSON; names are known once they were defined.
type parser struct {
	names   map[string]*schema
	fetched map[string]bool // schemas of a registry that have been read
	depth   int
}

// maxDepth bounds schemas and values inside one another.
const maxDepth = 64

// parseSchema reads a schema.
func parseSchema(text []byte) (*schema, error) {
	return (&parser{names: map[string]*schema{}}).parse(text)
}

// parse reads a schema that may use names of those read before.
func (p *parser) parse(text []byte) (*schema, error) {
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		return nil, fmt.Errorf("schema: %w", err)
	}
	s, err := p.schema(v, "")
	if err != nil {
		return nil, fmt.Errorf("schema: %w", err)
	}
	return s, nil
}

func (p *parser) schema(v any, space string) (*schema, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, errors.New("too many types in one another")
	}
	defer func() { p.depth-- }()
	switch v := v.(type) {
	case string:
		if k, ok := primitives[v]; ok {
			return &schema{kind: k}, nil
		}
		if s := p.names[fullName(v, space)]; s != nil {
			return s, nil
		}
		if s := p.names[v]; s != nil {
			return s, nil
		}
		return nil, fmt.Errorf("no type %q", v)
	case []any:
		u := &schema{kind: union}
		for _, b := range v {
			s, err := p.schema(b, space)
			if err != nil {
				return nil, err
			}
			if s.kind == union {
				return nil, errors.New("a union in a union")
			}
			u.of = append(u.of, s)
		}
		if len(u.of) == 0 {
			return nil, errors.New("an empty union")
		}
		return u, nil
	case map[string]any:
		return p.object(v, space)
	}
	return nil, fmt.Errorf("%v is no type", v)
}

func fullName(name, space string) string {
	if space == "" || strings.Contains(name, ".") {
		return name
	}
	return space + "." + name
}

func (p *parser) object(v map[string]any, space string) (*schema, error) {
	t, ok := v["type"].(string)
	if !ok {
		return p.schema(v["type"], space)
	}
	s := &schema{}
	s.logical, _ = v["logicalType"].(string)
	s.prec, s.scale = number(v["precision"]), number(v["scale"])
	if k, ok := primitives[t]; ok {
		s.kind = k
		return s, s.checkLogical()
	}
	if t == "record" || t == "error" || t == "enum" || t == "fixed" {
		name, _ := v["name"].(string)
		if name == "" {
			return nil, fmt.Errorf("a %s without a name", t)
		}
		if ns, ok := v["namespace"].(string); ok {
			space = ns
		}
		s.name = fullName(name, space)
		if i := strings.LastIndexByte(s.name, '.'); i >= 0 {
			space = s.name[:i]
		}
		if p.names[s.name] != nil {
			return nil, fmt.Errorf("%s is defined twice", s.name)
		}
		p.names[s.name] = s
	}
	switch t {
	case "record", "error":
		return s, p.record(s, v, space)
	case "enum":
		s.kind = enum
		list, _ := v["symbols"].([]any)
		for _, x := range list {
			name, ok := x.(string)
			if !ok {
				return nil, fmt.Errorf("enum %s: %v is no symbol", s.name, x)
			}
			s.symbols = append(s.symbols, name)
		}
		return s, nil
	case "fixed":
		s.kind, s.size = fixed, number(v["size"])
		if s.size < 0 || s.size > 1<<30 {
			return nil, fmt.Errorf("fixed %s of %d bytes", s.name, s.size)
		}
		return s, s.checkLogical()
	case "array", "map":
		s.kind = array
		of := v["items"]
		if t == "map" {
			s.kind, of = maps, v["values"]
		}
		var err error
		s.elem, err = p.schema(of, space)
		return s, err
	}
	return p.schema(t, space)
}

func (p *parser) record(s *schema, v map[string]any, space string) error {
	s.kind = record
	list, _ := v["fields"].([]any)
	for _, x := range list {
		f, _ := x.(map[string]any)
		name, _ := f["name"].(string)
		if name == "" {
			return fmt.Errorf("record %s: a field without a name", s.name)
		}
		of, err := p.schema(f["type"], space)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		s.fields = append(s.fields, field{name, of})
	}
	return nil
}

func number(v any) int {
	f, _ := v.(float64)
	return int(f)
}

// checkLogical forgets logical types that do not fit, as the specification demands.
func (s *schema) checkLogical() error {
	if s.logical == "decimal" && (s.kind != bytes && s.kind != fixed || s.prec < 1 || s.scale < 0 || s.scale > s.prec) {
		s.logical = ""
	}
	return nil
}

// mapping is how types of a table become those of Avro.
type mapping uint8

const (
	legacy mapping = iota // TIMESTAMP is timestamp-*, as TIMESTAMP_LTZ is
	proper                // TIMESTAMP is local-timestamp-*
)

// tableSchema is the schema of a table's rows, named as Flink names it.
func (m mapping) tableSchema(t *types.Schema) (string, error) {
	var b strings.Builder
	if err := m.writeRecord(&b, t.Fields, "org.apache.flink.avro.generated.record"); err != nil {
		return "", err
	}
	return b.String(), nil
}

func (m mapping) writeRecord(b *strings.Builder, fields []types.Field, name string) error {
	fmt.Fprintf(b, `{"type":"record","name":%s,"fields":[`, quote(short(name, b.Len() > 0)))
	for i, f := range fields {
		if i > 0 {
			b.WriteByte(',')
		}
		if !isName(f.Name) {
			return fmt.Errorf("column %q: Avro names have letters, digits and _ only", f.Name)
		}
		fmt.Fprintf(b, `{"name":%s,"type":`, quote(f.Name))
		if err := m.writeType(b, f.Type, name+"_"+f.Name); err != nil {
			return fmt.Errorf("column %s: %w", f.Name, err)
		}
		if f.Type.Nullable {
			b.WriteString(`,"default":null`)
		}
		b.WriteByte('}')
	}
	b.WriteString("]}")
	return nil
}

// short leaves the namespace out of names below the top.
func short(name string, inside bool) string {
	if i := strings.LastIndexByte(name, '.'); inside && i >= 0 {
		return name[i+1:]
	}
	return name
}

func quote(s string) string {
	q, _ := json.Marshal(s) // a string always can be
	return string(q)
}

func isName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c != '_' && (c|0x20 < 'a' || c|0x20 > 'z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}

func (m mapping) writeType(b *strings.Builder, t types.Type, name string) error {
	if t.Nullable {
		b.WriteString(`["null",`)
		defer b.WriteByte(']')
	}
	logical := func(base, name string) { fmt.Fprintf(b, `{"type":"%s","logicalType":"%s"}`, base, name) }
	switch t.Kind {
	case types.Char, types.VarChar:
		b.WriteString(`"string"`)
	case types.Boolean:
		b.WriteString(`"boolean"`)
	case types.Binary, types.VarBinary:
		b.WriteString(`"bytes"`)
	case types.TinyInt, types.SmallInt, types.Int:
		b.WriteString(`"int"`)
	case types.BigInt:
		b.WriteString(`"long"`)
	case types.Float:
		b.WriteString(`"float"`)
	case types.Double:
		b.WriteString(`"double"`)
	case types.Decimal:
		fmt.Fprintf(b, `{"type":"bytes","logicalType":"decimal","precision":%d,"scale":%d}`, t.Prec, t.Scale)
	case types.Date:
		logical("int", "date")
	case types.Time:
		if t.Prec > 3 {
			return fmt.Errorf("the format has no %s: at most three digits", t.OrNull())
		}
		logical("int", "time-millis")
	case types.Timestamp, types.TimestampLTZ:
		unit := "timestamp-" + map[bool]string{true: "millis", false: "micros"}[t.Prec <= 3]
		if t.Prec > 6 {
			unit = "timestamp-nanos"
		}
		if m == proper && t.Kind == types.Timestamp {
			unit = "local-" + unit
		}
		logical("long", unit)
	case types.Array:
		b.WriteString(`{"type":"array","items":`)
		defer b.WriteByte('}')
		return m.writeType(b, *t.Elem, name)
	case types.Map, types.Multiset:
		key, val := t.Elem, types.Of(types.Int).NotNull()
		if t.Kind == types.Map {
			key, val = t.Key, *t.Elem
		}
		if !key.IsChar() {
			return fmt.Errorf("the keys of Avro maps are texts, not %s", key.OrNull())
		}
		b.WriteString(`{"type":"map","values":`)
		defer b.WriteByte('}')
		return m.writeType(b, val, name)
	case types.Row:
		return m.writeRecord(b, t.Fields, name)
	default:
		return fmt.Errorf("the format has no values of type %s", t.OrNull())
	}
	return nil
}
