package runnel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// background is for work that cannot block.
var background = context.Background()

// Values is a source of fixed values: structs, or plain values as the column
// "value". It can be replayed.
func Values[T any](list ...T) Source { return valuesOf[T]{list} }

type valuesOf[T any] struct{ list []T }

func (v valuesOf[T]) node(j *Job, _ []member) (plan.Node, error) {
	w, err := newWriter[T](nil)
	if err != nil {
		return nil, err
	}
	b := vector.NewBatch(plainSchema(w.schema), len(v.list))
	for _, x := range v.list {
		if err := w.put(x, b.Cols); err != nil {
			return nil, err
		}
		b.AppendKind(types.Insert)
	}
	return j.timed(&plan.GoSource{Name: "values", Source: &batchSource{rows: b}, Out: b.Schema}, w.members)
}

// plainSchema is s without time attributes.
func plainSchema(s *types.Schema) *types.Schema {
	fields := slices.Clone(s.Fields)
	for i := range fields {
		fields[i].Type = fields[i].Type.Plain()
	}
	return types.NewSchema(fields...)
}

// timed gives n the event time that a struct's tag asks for.
func (j *Job) timed(n plan.Node, ms []member) (plan.Node, error) {
	for _, m := range ms {
		if m.typ.Attr == types.Rowtime {
			return j.watermark(n, m.name, m.delay)
		}
	}
	return n, nil
}

// FromArray begins a stream of the values: all plain values of one type, as the
// column "data".
func (j *Job) FromArray(values ...any) *DataStream {
	if j.err != nil {
		return j.broken()
	}
	t := types.String()
	for i, v := range values {
		got, err := inferred(v)
		if err == nil && i > 0 && !got.Same(t) {
			err = fmt.Errorf("element %d is %s, those before it %s: they must be of one type", i+1, got, t)
		}
		if err != nil {
			j.fail("FromArray", err)
			return j.broken()
		}
		t = got
	}
	return j.rows("FromArray", types.NewSchema(types.Field{Name: "data", Type: t}), len(values), func(i, _ int) any { return values[i] })
}

// FromCollection begins a stream of objects. The columns are the keys, in
// alphabetical order, of the types that the values have; a key that an object
// lacks is NULL there.
func (j *Job) FromCollection(objects ...map[string]any) *DataStream {
	if j.err != nil {
		return j.broken()
	}
	of := map[string]types.Type{}
	for i, o := range objects {
		for k, v := range o {
			got, err := inferred(v)
			if old, ok := of[k]; ok && err == nil && got.Kind != types.Null {
				if old.Kind != types.Null && !old.Same(got) {
					err = fmt.Errorf("object %d: %s is %s, before it was %s", i+1, k, got, old)
				}
			}
			if err != nil {
				j.fail("FromCollection", err)
				return j.broken()
			}
			if old, ok := of[k]; !ok || old.Kind == types.Null {
				of[k] = got
			}
		}
	}
	names := slices.Sorted(maps.Keys(of))
	fields := make([]types.Field, len(names))
	for i, n := range names {
		if of[n].Kind == types.Null {
			of[n] = types.String()
		}
		fields[i] = types.Field{Name: n, Type: of[n].OrNull()}
	}
	return j.rows("FromCollection", types.NewSchema(fields...), len(objects), func(i, c int) any { return objects[i][names[c]] })
}

// rows begins a stream of n rows.
func (j *Job) rows(call string, s *types.Schema, n int, at func(i, c int) any) *DataStream {
	b := vector.NewBatch(s, n)
	for i := range n {
		for c, f := range s.Fields {
			v, err := sqlValue(at(i, c), f.Type)
			if err != nil {
				j.fail(call, fmt.Errorf("row %d, %s: %w", i+1, f.Name, err))
				return j.broken()
			}
			vector.Append(b.Cols[c], v)
		}
		b.AppendKind(types.Insert)
	}
	return &DataStream{job: j, node: &plan.GoSource{Name: call, Source: &batchSource{rows: b}, Out: s}}
}

// batchSource is rows in memory. A position is a number of rows.
type batchSource struct{ rows *vector.Batch }

// Splits implements connector.ColumnSource.
func (s *batchSource) Splits(context.Context) ([]connector.Split, error) {
	return []connector.Split{{ID: "values", Size: int64(s.rows.N), Rows: true}}, nil
}

// Bounded implements connector.ColumnSource.
func (s *batchSource) Bounded() bool { return true }

// OpenColumns implements connector.ColumnSource.
func (s *batchSource) OpenColumns(_ context.Context, _ connector.Split, at connector.Position) (connector.ColumnReader, error) {
	r := &batchReader{rows: s.rows}
	if at != "" {
		var err error
		if r.next, err = strconv.Atoi(at); err != nil || r.next < 0 {
			return nil, errors.New("values: " + strconv.Quote(at) + " is no position")
		}
	}
	return r, nil
}

type batchReader struct {
	rows *vector.Batch
	next int
	sel  []int32
}

// ReadBatch implements connector.ColumnReader.
func (r *batchReader) ReadBatch(_ context.Context, into *vector.Batch, most int) error {
	if r.next >= r.rows.N {
		return io.EOF
	}
	n := min(most, r.rows.N-r.next)
	r.sel = r.sel[:0]
	for i := range n {
		r.sel = append(r.sel, int32(r.next+i))
	}
	r.rows.CopyTo(into, r.sel)
	into.Origin.First = rowPosition(r.next)
	r.next += n
	into.Origin.Last = rowPosition(r.next)
	if r.next == r.rows.N {
		return io.EOF
	}
	return nil
}

// Close implements connector.ColumnReader.
func (r *batchReader) Close() error { return nil }

// rowPosition sorts as its number does.
func rowPosition(n int) string { return fmt.Sprintf("%012d", n) }
