package avro

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// debeziumTells is what changes tell beside their rows.
var debeziumTells = func() []types.Field {
	at := types.Type{Kind: types.TimestampLTZ, Prec: 3, Nullable: true}
	return []types.Field{
		{Name: "ingestion-timestamp", Type: at},
		{Name: "source.timestamp", Type: at},
		{Name: "source.database", Type: types.String()},
		{Name: "source.schema", Type: types.String()},
		{Name: "source.table", Type: types.String()},
		{Name: "source.properties", Type: properties},
	}
}()

var properties = types.MustType("MAP<STRING, STRING>")

// Metadata implements format.Annotated.
func (d *debezium) Metadata() []types.Field { return slices.Clone(debeziumTells) }

// tellings are the columns of an envelope, behind op, that hold what is told.
type tellings struct {
	fields []types.Field
	at     map[string]int // by which of the three columns
}

// column returns where a column of the envelope is, made if it is new.
func (t *tellings) column(key string, f types.Field) int {
	i, ok := t.at[key]
	if !ok {
		if t.at == nil {
			t.at = map[string]int{}
		}
		i = op + 1 + len(t.fields)
		t.at[key], t.fields = i, append(t.fields, f)
	}
	return i
}

// spot returns where what is told under a name is.
func (t *tellings) spot(name string) (spot, error) {
	number := types.Of(types.BigInt)
	source := func(field int, millis bool) (spot, error) {
		row := types.RowOf(types.Field{Name: "ts_ms", Type: number}, types.Field{Name: "db", Type: types.String()},
			types.Field{Name: "schema", Type: types.String()}, types.Field{Name: "table", Type: types.String()})
		return spot{column: t.column("source", types.Field{Name: "source", Type: row}), path: []int{field}, millis: millis}, nil
	}
	switch name {
	case "ingestion-timestamp":
		return spot{column: t.column("ts_ms", types.Field{Name: "ts_ms", Type: number}), millis: true}, nil
	case "source.timestamp":
		return source(0, true)
	case "source.database":
		return source(1, false)
	case "source.schema":
		return source(2, false)
	case "source.table":
		return source(3, false)
	case "source.properties":
		return spot{column: t.column(name, types.Field{Name: "source", Type: properties})}, nil
	}
	return spot{}, fmt.Errorf("there is no metadata '%s'", name)
}

// resolveProperties reads a record as a map of texts: its fields of simple types,
// by their names. Others are left out.
func resolveProperties(w *schema) put {
	return func(b []byte, at int, out vector.Vector, i int) (int, error) {
		m := out.(*vector.Map)
		m.Off[i], m.Count[i] = int32(m.Keys.Len()), 0
		keys, vals := m.Keys.(*vector.Flat[string]), m.Vals.(*vector.Flat[string])
		for _, f := range w.fields {
			s := f.of
			var err error
			if s.kind == union {
				if s, at, err = s.branch(b, at); err != nil {
					return at, fmt.Errorf("%s: %w", f.name, err)
				}
			}
			end, err := s.skip(b, at, 0)
			if err != nil {
				return at, fmt.Errorf("%s: %w", f.name, err)
			}
			value, simple := s.simpleText(b[:end], at)
			at = end
			if !simple {
				continue
			}
			keys.Vals[vector.Extend(keys, 1)] = keys.Arena.Clone(f.name)
			if k := vector.Extend(vals, 1); value == nil {
				vector.SetNullDeep(vals, k)
			} else {
				vals.Vals[k] = vals.Arena.Clone(vector.View(value))
			}
			m.Count[i]++
		}
		return at, nil
	}
}

// simpleText is the text of the value at b[at:], which was skipped before; nil is
// NULL. Values that have others in them are not simple.
func (s *schema) simpleText(b []byte, at int) (value []byte, simple bool) {
	switch s.kind {
	case null:
		return nil, true
	case boolean:
		return strconv.AppendBool(nil, b[at] != 0), true
	case int32s, int64s:
		n, _, _ := long(b, at)
		return strconv.AppendInt(nil, n, 10), true
	case enum:
		n, _, _ := long(b, at)
		if n < 0 || n >= int64(len(s.symbols)) {
			return nil, true
		}
		return []byte(s.symbols[n]), true
	case float:
		return types.AppendFloat(nil, math.Float32frombits(binary.LittleEndian.Uint32(b[at:]))), true
	case double:
		return types.AppendDouble(nil, math.Float64frombits(binary.LittleEndian.Uint64(b[at:]))), true
	case text, bytes:
		n, at, _ := size(b, at)
		return append([]byte{}, b[at:at+n]...), true
	}
	return nil, false
}
