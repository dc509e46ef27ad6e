package runnel

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/runnelio/runnel/types"
)

// member is a column as a Go type has it: a field of a struct, or the value itself.
type member struct {
	name    string
	typ     types.Type // with the time attribute of the tag
	index   int        // field of the struct, -1: the value itself
	goType  reflect.Type
	delay   time.Duration // of a rowtime
	delayed bool          // the tag says a delay: the stream gets a watermark of its own
	kind    bool          // holds the row's kind and is no column
	sub     []member      // of a nested struct
}

// valueColumn is the name of the only column of streams of plain values.
const valueColumn = "value"

var (
	timeType     = reflect.TypeFor[time.Time]()
	durationType = reflect.TypeFor[time.Duration]()
	kindType     = reflect.TypeFor[Kind]()
	rowGoType    = reflect.TypeFor[Row]()
)

const goTypes = "bool, int8 to int64, int, float32, float64, string, []byte, time.Time, time.Duration, pointers to these (NULL is nil), []bool, []int32, []int64, []float64, []string, map[string]string and structs of these"

// membersOf returns the columns of a Go type.
func membersOf(t reflect.Type) ([]member, error) {
	if typ, ok, err := typeOf(t); err != nil {
		return nil, err
	} else if ok {
		return []member{{name: valueColumn, typ: typ, index: -1, goType: t}}, nil
	}
	if t.Kind() != reflect.Struct {
		return nil, fmt.Errorf("%s cannot be a row: rows are structs or one of %s", t, goTypes)
	}
	return structMembers(t, 0)
}

func structMembers(t reflect.Type, depth int) ([]member, error) {
	if depth > 8 {
		return nil, fmt.Errorf("%s: structs are nested too deeply", t)
	}
	var out []member
	for i := range t.NumField() {
		f := t.Field(i)
		tag, tagged := f.Tag.Lookup("runnel")
		if tag == "-" {
			continue
		}
		if !f.IsExported() {
			if tagged {
				return nil, fmt.Errorf("%s.%s has a runnel tag but is not exported", t, f.Name)
			}
			continue
		}
		m := member{name: f.Name, index: i, goType: f.Type}
		if f.Type == kindType {
			m.kind = true
			out = append(out, m)
			continue
		}
		rowtime, err := m.tag(tag)
		if err != nil {
			return nil, fmt.Errorf("%s.%s: %w", t, f.Name, err)
		}
		typ, ok, err := typeOf(f.Type)
		switch {
		case err != nil:
			return nil, fmt.Errorf("%s.%s: %w", t, f.Name, err)
		case ok:
			m.typ = typ
		case f.Type.Kind() == reflect.Struct:
			if m.sub, err = structMembers(f.Type, depth+1); err != nil {
				return nil, err
			}
			m.typ = types.RowOf(fieldsOf(m.sub)...).NotNull()
		default:
			return nil, fmt.Errorf("%s.%s is %s, which cannot be a column: columns are %s", t, f.Name, f.Type, goTypes)
		}
		if rowtime {
			if f.Type != timeType {
				return nil, fmt.Errorf("%s.%s: rowtime is for fields of type time.Time", t, f.Name)
			}
		}
		if rowtime && depth == 0 { // in a row within a row it is a time like any other
			m.typ = types.TimestampLTZOf(3).NotNull()
			m.typ.Attr = types.Rowtime
		}
		if slices.ContainsFunc(out, func(o member) bool { return o.name == m.name }) {
			return nil, fmt.Errorf("%s has two columns called %s", t, m.name)
		}
		out = append(out, m)
	}
	if !slices.ContainsFunc(out, func(m member) bool { return !m.kind }) {
		return nil, fmt.Errorf("%s has no exported fields", t)
	}
	return out, nil
}

// tag reads `name,rowtime,delay=5s`.
func (m *member) tag(tag string) (rowtime bool, err error) {
	parts := strings.Split(tag, ",")
	if parts[0] != "" {
		m.name = parts[0]
	}
	for _, p := range parts[1:] {
		key, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		switch key {
		case "rowtime":
			rowtime = true
		case "delay":
			if m.delay, err = time.ParseDuration(value); err != nil || m.delay < 0 {
				return false, fmt.Errorf("tag delay=%s: not a duration such as 5s", value)
			}
			m.delayed = true
		default:
			return false, fmt.Errorf("there is no tag option %q: name,rowtime,delay=5s", p)
		}
	}
	if m.delayed && !rowtime {
		return false, fmt.Errorf("tag delay without rowtime")
	}
	return rowtime, nil
}

// typeOf returns the SQL type of a Go type that is one column.
func typeOf(t reflect.Type) (types.Type, bool, error) {
	switch t {
	case timeType:
		return types.TimestampLTZOf(9).NotNull(), true, nil
	case durationType:
		return types.MustType("INTERVAL DAY TO SECOND(3)").NotNull(), true, nil
	}
	switch t.Kind() {
	case reflect.Bool:
		return types.Of(types.Boolean).NotNull(), true, nil
	case reflect.Int8:
		return types.Of(types.TinyInt).NotNull(), true, nil
	case reflect.Int16:
		return types.Of(types.SmallInt).NotNull(), true, nil
	case reflect.Int32:
		return types.Of(types.Int).NotNull(), true, nil
	case reflect.Int64, reflect.Int:
		return types.Of(types.BigInt).NotNull(), true, nil
	case reflect.Float32:
		return types.Of(types.Float).NotNull(), true, nil
	case reflect.Float64:
		return types.Of(types.Double).NotNull(), true, nil
	case reflect.String:
		return types.String().NotNull(), true, nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return types.Type{}, false, fmt.Errorf("%s: SQL has no unsigned integers, use int64", t)
	case reflect.Pointer:
		typ, ok, err := typeOf(t.Elem())
		if err == nil && (!ok || t.Elem().Kind() == reflect.Pointer || typ.Kind == types.Array || typ.Kind == types.Map || t.Elem().PkgPath() != "" && t.Elem() != timeType && t.Elem() != durationType) {
			err = fmt.Errorf("pointers to %s are not supported", t.Elem())
		}
		return typ.OrNull(), ok, err
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return types.Bytes().NotNull(), true, nil
		}
		switch t.Elem() {
		case reflect.TypeFor[bool](), reflect.TypeFor[int32](), reflect.TypeFor[int64](), reflect.TypeFor[float64](), reflect.TypeFor[string]():
			elem, _, _ := typeOf(t.Elem())
			return types.ArrayOf(elem).NotNull(), true, nil
		}
		return types.Type{}, false, fmt.Errorf("%s cannot be a column: columns are %s", t, goTypes)
	case reflect.Map:
		if t.Key() == reflect.TypeFor[string]() && t.Elem() == reflect.TypeFor[string]() {
			return types.MapOf(types.String().NotNull(), types.String().NotNull()).NotNull(), true, nil
		}
		return types.Type{}, false, fmt.Errorf("%s cannot be a column: columns are %s", t, goTypes)
	}
	return types.Type{}, false, nil
}

// fieldsOf returns the columns of members as fields of a schema.
func fieldsOf(ms []member) []types.Field {
	var out []types.Field
	for _, m := range ms {
		if !m.kind {
			out = append(out, types.Field{Name: m.name, Type: m.typ})
		}
	}
	return out
}

// readable tells whether a column of type have can be read as it is by what
// reads want.
func readable(have, want types.Type) bool {
	switch {
	case have.Phys() != want.Phys():
		return false
	case have.IsChar() && want.IsChar(), have.IsBinary() && want.IsBinary(), have.IsTimestamp() && want.IsTimestamp():
		return true
	case have.Kind != want.Kind:
		return false
	}
	switch have.Kind {
	case types.Array:
		return readable(*have.Elem, *want.Elem)
	case types.Map:
		return readable(*have.Key, *want.Key) && readable(*have.Elem, *want.Elem)
	case types.Row:
		if len(have.Fields) != len(want.Fields) {
			return false
		}
		for i := range have.Fields {
			if have.Fields[i].Name != want.Fields[i].Name || !readable(have.Fields[i].Type, want.Fields[i].Type) {
				return false
			}
		}
	}
	return true
}

// columnOf finds the column of a member: by its name, or by one that differs in
// case only.
func columnOf(s *types.Schema, name string) int {
	if i := s.Index(name); i >= 0 {
		return i
	}
	return slices.IndexFunc(s.Fields, func(f types.Field) bool { return strings.EqualFold(f.Name, name) })
}

// fits tells whether the columns of a result can be read as T as they are.
func fits[T any](s *types.Schema) error {
	if reflect.TypeFor[T]() == rowGoType {
		return nil
	}
	ms, err := membersOf(reflect.TypeFor[T]())
	if err != nil {
		return err
	}
	for _, m := range ms {
		if m.kind {
			continue
		}
		c := columnOf(s, m.name)
		if m.index < 0 && len(s.Fields) == 1 {
			c = 0
		}
		if c < 0 {
			return fmt.Errorf("no column %s for %s; there are %s", m.name, reflect.TypeFor[T](), strings.Join(s.Names(), ", "))
		}
		if !readable(s.Fields[c].Type, m.typ) {
			return fmt.Errorf("column %s is %s, which %s cannot hold", s.Fields[c].Name, s.Fields[c].Type, m.goType)
		}
	}
	return nil
}
