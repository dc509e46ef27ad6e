package changelog

import (
	"fmt"
	"slices"

	"github.com/runnelio/runnel/format/json"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// fact is something a record tells beside its rows.
type fact struct {
	name string
	typ  types.Type
	path []string // fields from the record inwards
	// beside tells that it stands beside the payload if there is one.
	beside bool
	as     reading
}

// reading is how a fact's text becomes its type.
type reading uint8

const (
	plain   reading = iota
	millis          // a number: ms since 1970
	seconds         // a number: s since 1970
	clock           // a text in UTC, 2024-01-31 12:00:00.123456 or with a T
)

var (
	ltz3   = types.Type{Kind: types.TimestampLTZ, Prec: 3, Nullable: true}
	ltz6   = types.Type{Kind: types.TimestampLTZ, Prec: 6, Nullable: true}
	texts  = types.MustType("ARRAY<STRING>")
	byName = types.MustType("MAP<STRING, STRING>")
)

// What the tools tell, with the names and types that Flink gives it.
var (
	debeziumFacts = []fact{
		{name: "schema", typ: types.String(), path: []string{"schema"}, beside: true},
		{name: "ingestion-timestamp", typ: ltz3, path: []string{"ts_ms"}, as: millis},
		{name: "source.timestamp", typ: ltz3, path: []string{"source", "ts_ms"}, as: millis},
		{name: "source.database", typ: types.String(), path: []string{"source", "db"}},
		{name: "source.schema", typ: types.String(), path: []string{"source", "schema"}},
		{name: "source.table", typ: types.String(), path: []string{"source", "table"}},
		{name: "source.properties", typ: byName, path: []string{"source"}},
	}
	canalFacts = []fact{
		{name: "database", typ: types.String(), path: []string{"database"}},
		{name: "table", typ: types.String(), path: []string{"table"}},
		{name: "sql-type", typ: types.MustType("MAP<STRING, INT>"), path: []string{"sqlType"}},
		{name: "pk-names", typ: texts, path: []string{"pkNames"}},
		{name: "ingestion-timestamp", typ: ltz3, path: []string{"ts"}, as: millis},
		{name: "event-timestamp", typ: ltz3, path: []string{"es"}, as: millis},
	}
	maxwellFacts = []fact{
		{name: "database", typ: types.String(), path: []string{"database"}},
		{name: "table", typ: types.String(), path: []string{"table"}},
		{name: "primary-key-columns", typ: texts, path: []string{"primary_key_columns"}},
		{name: "ingestion-timestamp", typ: ltz3, path: []string{"ts"}, as: seconds},
	}
	oggFacts = []fact{
		{name: "table", typ: types.String(), path: []string{"table"}},
		{name: "primary-keys", typ: texts, path: []string{"primary_keys"}},
		{name: "ingestion-timestamp", typ: ltz6, path: []string{"current_ts"}, as: clock},
		{name: "event-timestamp", typ: ltz6, path: []string{"op_ts"}, as: clock},
	}
)

// told are the names and types of facts.
func told(facts []fact) []types.Field {
	var out []types.Field
	for _, f := range facts {
		out = append(out, types.Field{Name: f.name, Type: f.typ})
	}
	return out
}

// Metadata implements format.Annotated.
func (f *changelog) Metadata() []types.Field { return told(f.facts) }

// teller returns what makes the column of a fact, and where it is in a record.
func (f *changelog) teller(name string) (column, []string, error) {
	i := slices.IndexFunc(f.facts, func(x fact) bool { return x.name == name })
	if i < 0 {
		return nil, nil, fmt.Errorf("there is no metadata '%s'", name)
	}
	x := f.facts[i]
	path := x.path
	if !x.beside {
		path = slices.Concat(f.payload, path)
	}
	o := *f.o
	o.FailOnMissing = false // the option is about the rows
	raw := x.typ
	switch x.as {
	case millis, seconds:
		raw = types.Of(types.BigInt)
	case clock:
		raw = types.String()
	}
	c, err := o.NewColumn(name, raw)
	if err != nil || x.as == plain {
		return c, path, err
	}
	return &timeColumn{fact: x, in: c, raw: vector.New(raw, 0), ignore: o.IgnoreErrors}, path, nil
}

// timeColumn makes the TIMESTAMP_LTZ of a fact out of a number or text.
type timeColumn struct {
	fact
	in     *json.Column
	raw    vector.Vector
	ignore bool // a value that is no time is NULL
}

// Fill implements column.
func (c *timeColumn) Fill(buf []byte, vals []json.Value, stride, slot, rows int, sel []int32, out vector.Vector, bad func(row int, err error)) {
	c.in.Fill(buf, vals, stride, slot, rows, sel, c.raw, bad)
	out.Resize(rows)
	times := out.(*vector.Flat[types.TS])
	one := func(i int) {
		ok := !c.raw.IsNull(i)
		if !ok {
			vector.SetNullDeep(out, i)
			return
		}
		if times.Vals[i], ok = c.time(i); !ok {
			vector.SetNullDeep(out, i)
			if !c.ignore {
				bad(i, fmt.Errorf("metadata '%s' is no time", c.name))
			}
		}
	}
	if sel == nil {
		for i := range rows {
			one(i)
		}
		return
	}
	for _, i := range sel {
		one(int(i))
	}
}

// time is the time of row i, which has one.
func (c *timeColumn) time(i int) (types.TS, bool) {
	switch v := c.raw.(type) {
	case *vector.Flat[int64]:
		n := v.Vals[i]
		if c.as == seconds {
			if n != n*1000/1000 {
				return types.TS{}, false
			}
			n *= 1000
		}
		return types.TSFromMs(n), true
	case *vector.Flat[string]:
		for _, f := range []types.TimestampFormat{types.SQLTimestamps, types.ISOTimestamps} {
			if t, ok := types.ParseFormatTimestamp(v.Vals[i], f); ok {
				return t.Truncate(c.typ.Prec), true
			}
		}
	}
	return types.TS{}, false
}
