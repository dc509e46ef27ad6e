package runnel

import (
	"fmt"
	"strings"

	"github.com/runnelio/runnel/connectors/memory"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// Kind says what a row of a changelog does: +I, -U, +U or -D. A field of type
// Kind in a struct receives it and is no column.
type Kind = types.RowKind

// The kinds of rows.
const (
	Insert       = types.Insert       // +I
	UpdateBefore = types.UpdateBefore // -U: takes back the row an update replaces
	UpdateAfter  = types.UpdateAfter  // +U: the new row of an update
	Delete       = types.Delete       // -D
)

// Row is a row of a stream whose columns are known only at run time. Its values
// are Go values:
//
//	BOOLEAN                             bool
//	TINYINT, SMALLINT, INT, BIGINT      int8, int16, int32, int64
//	FLOAT, DOUBLE                       float32, float64
//	CHAR, VARCHAR, DECIMAL              string
//	BINARY, VARBINARY                   []byte
//	DATE, TIMESTAMP, TIMESTAMP_LTZ      time.Time in UTC
//	TIME, INTERVAL DAY TO SECOND        time.Duration
//	INTERVAL YEAR TO MONTH              int32, months
//	ARRAY, ROW                          []any
//	MAP, MULTISET                       map[any]any
//	NULL                                nil
//
// Rows are convenient and cost allocations; structs (Stream) do not.
type Row struct {
	Kind   Kind
	schema *types.Schema
	values []any
	from   *rowsFrom // nil if that is not known
	at     int       // in the batch
}

// rowsFrom is where the rows of a batch came from, as long as the batch is there.
type rowsFrom struct{ b *vector.Batch }

func (r Row) batch() *vector.Batch {
	if r.from == nil {
		return nil
	}
	return r.from.b
}

// Split is the split that the row was read from; see FuncContext.Split. Like
// Position, Metadata and Header it is known only while the function that was
// given the row runs, and empty afterwards and in rows that Set made.
func (r Row) Split() string { return splitOf(r.batch()) }

// Position is where the row's split goes on behind it; see FuncContext.Position.
func (r Row) Position() string { return positionOf(r.batch(), r.at) }

// Metadata is a METADATA column of the row's source; see FuncContext.Metadata.
func (r Row) Metadata(key string) any { return metadataOf(r.batch(), r.at, key) }

// Header is a header of the row's message; see FuncContext.Header.
func (r Row) Header(name string) (string, bool) { return headerOf(r.batch(), r.at, name) }

// Columns returns the names of the columns in order.
func (r Row) Columns() []string {
	if r.schema == nil {
		return nil
	}
	return r.schema.Names()
}

// Values returns the values in the order of the columns; they are the row's own.
func (r Row) Values() []any { return r.values }

// Get returns the value of a column, nil for NULL and for a column that is not there.
func (r Row) Get(column string) any {
	if r.schema == nil {
		return nil
	}
	i := columnOf(r.schema, column)
	if i < 0 {
		return nil
	}
	return r.values[i]
}

// Text returns the value of a column as text, "" for NULL.
func (r Row) Text(column string) string {
	switch v := r.Get(column).(type) {
	case nil:
		return ""
	case string:
		return v
	case []byte:
		return string(v)
	default:
		return fmt.Sprint(v)
	}
}

// Set changes a column of a copy of r and returns the copy. A column that is
// not there, or a value that does not fit it, fails when the row is written.
func (r Row) Set(column string, value any) Row {
	out := Row{Kind: r.Kind, schema: r.schema, values: append([]any(nil), r.values...)}
	i := -1
	if r.schema != nil {
		i = columnOf(r.schema, column)
	}
	if i < 0 {
		out.schema = nil
		out.values = []any{fmt.Errorf("no column %s", column)}
		return out
	}
	out.values[i] = value
	return out
}

// String returns the row as +I[1, ann].
func (r Row) String() string {
	var b strings.Builder
	b.WriteString(r.Kind.String() + "[")
	for i, v := range r.values {
		if i > 0 {
			b.WriteString(", ")
		}
		if v == nil {
			b.WriteString("NULL")
			continue
		}
		fmt.Fprint(&b, v)
	}
	return b.String() + "]"
}

// rowReader makes Rows.
type rowReader struct {
	to     *Row
	schema *types.Schema
	b      *vector.Batch
	from   *rowsFrom
}

func (r *rowReader) bind(b *vector.Batch) {
	r.b = b
	if b.Origin.Split != "" || b.From != nil {
		r.from = &rowsFrom{b}
	}
}

// release says that the batch is gone.
func (r *rowReader) release() {
	if r.from != nil {
		r.from.b = nil
		r.from = nil
	}
}

func (r *rowReader) load(i int) {
	row := Row{Kind: r.b.Kind(i), schema: r.schema, from: r.from, at: i, values: make([]any, len(r.b.Cols))}
	for c, v := range r.b.Cols {
		row.values[c] = goValue(vector.Get(v, i), r.schema.Fields[c].Type)
	}
	*r.to = row
}

// rowWriter writes Rows of a schema.
type rowWriter struct{ schema *types.Schema }

func (w *rowWriter) put(r Row, cols []vector.Vector) error {
	if len(r.values) == 1 {
		if err, ok := r.values[0].(error); ok {
			return err
		}
	}
	if len(r.values) != len(cols) {
		return fmt.Errorf("a row of %d values for %d columns", len(r.values), len(cols))
	}
	values := make([]types.Value, len(cols))
	for c, v := range r.values {
		x, err := sqlValue(v, w.schema.Fields[c].Type)
		if err != nil {
			return fmt.Errorf("column %s: %w", w.schema.Fields[c].Name, err)
		}
		values[c] = x
	}
	for c, v := range values {
		vector.Append(cols[c], v)
	}
	return nil
}

// Codec turns values of T into rows for tables in memory.
type Codec[T any] struct {
	writer *writer[T]
	batch  *vector.Batch
}

// NewCodec returns the codec of a type. It is used by one goroutine at a time.
func NewCodec[T any]() (*Codec[T], error) {
	w, err := newWriter[T](nil)
	if err != nil {
		return nil, err
	}
	return &Codec[T]{w, vector.NewBatch(w.schema, 1)}, nil
}

// Values returns x as a row for Env.Memory, as an insert.
func (c *Codec[T]) Values(x T) (memory.Row, error) {
	c.batch.Reset()
	if err := c.writer.put(x, c.batch.Cols); err != nil {
		return memory.Row{}, err
	}
	row := memory.Row{Kind: Insert, Values: make([]types.Value, len(c.batch.Cols))}
	for i, v := range c.batch.Cols {
		row.Values[i] = vector.Get(v, 0)
		if s, ok := row.Values[i].(string); ok {
			row.Values[i] = strings.Clone(s)
		}
	}
	return row, nil
}
