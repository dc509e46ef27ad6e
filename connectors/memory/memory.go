// Package memory is tables that are values of the program: for tests and for
// the SDK. A Store holds them by name; its connector reads and writes them.
package memory

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"sync"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// Row is a row of a changelog.
type Row struct {
	Kind   types.RowKind
	Values []types.Value
}

// Store holds tables by name. It may be used by several goroutines.
type Store struct {
	mu     sync.Mutex
	tables map[string]*table
}

// table is a list of rows, in parts: a part is a split.
type table struct {
	parts  [][]Row
	closed bool
	grown  chan struct{} // closed and replaced when rows come or the table ends
}

// NewStore returns an empty Store.
func NewStore() *Store { return &Store{tables: map[string]*table{}} }

func (s *Store) table(name string) *table {
	t := s.tables[name]
	if t == nil {
		t = &table{parts: make([][]Row, 1), grown: make(chan struct{})}
		s.tables[name] = t
	}
	return t
}

// Append adds rows to part (0 for the first) of a table, which is made if there
// is none. The values are of the Go types that types.Value names.
func (s *Store) Append(name string, part int, rows ...Row) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.table(name)
	for len(t.parts) <= part {
		t.parts = append(t.parts, nil)
	}
	t.parts[part] = append(t.parts[part], rows...)
	t.wake()
}

// Finish tells that no more rows come: readers with 'bounded' = 'false' end.
func (s *Store) Finish(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.table(name)
	t.closed = true
	t.wake()
}

func (t *table) wake() {
	close(t.grown)
	t.grown = make(chan struct{})
}

// Rows returns the rows of a table, part after part.
func (s *Store) Rows(name string) []Row {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Concat(s.table(name).parts...)
}

type options struct {
	Name    string `opt:"name" doc:"Name of the table in the store; the table's own if not given."`
	Bounded bool   `opt:"bounded" default:"true" doc:"Whether the table ends with the rows it has when a reader comes to them, or goes on until it is finished."`
}

// Connector returns the connector of the store's tables.
func (s *Store) Connector() *connector.Connector {
	return connector.Define("memory", "Tables in the memory of the program, for tests.", connector.Spec[options]{
		Source: func(_ *connector.Context, t *connector.Table, o *options) (any, error) {
			return &source{store: s, name: nameOf(t, o), bounded: o.Bounded}, nil
		},
		Sink: func(_ *connector.Context, t *connector.Table, o *options) (connector.Sink, error) {
			return &sink{store: s, name: nameOf(t, o), part: t.Subtask}, nil
		},
		SinkChangelog: connector.Retract,
	})
}

func nameOf(t *connector.Table, o *options) string {
	if o.Name != "" {
		return o.Name
	}
	return t.Name
}

type source struct {
	store   *Store
	name    string
	bounded bool
}

// Splits implements connector.ColumnSource.
func (s *source) Splits(context.Context) ([]connector.Split, error) {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	var out []connector.Split
	for i, p := range s.store.table(s.name).parts {
		out = append(out, connector.Split{ID: strconv.Itoa(i), Size: int64(len(p)), Rows: true})
	}
	return out, nil
}

// Bounded implements connector.ColumnSource.
func (s *source) Bounded() bool { return s.bounded }

// OpenColumns implements connector.ColumnSource. A position is a number of rows.
func (s *source) OpenColumns(_ context.Context, split connector.Split, at connector.Position) (connector.ColumnReader, error) {
	r := &reader{source: s, split: split.ID}
	var err error
	if r.part, err = strconv.Atoi(split.ID); err != nil {
		return nil, fmt.Errorf("memory: there is no split %q", split.ID)
	}
	if at != "" {
		if r.next, err = strconv.Atoi(at); err != nil || r.next < 0 {
			return nil, fmt.Errorf("memory: %q is no position", at)
		}
	}
	return r, nil
}

type reader struct {
	*source
	split string
	part  int
	next  int
}

// ReadBatch implements connector.ColumnReader.
func (r *reader) ReadBatch(ctx context.Context, into *vector.Batch, most int) error {
	for {
		rows, closed, grown := r.rows()
		if r.next < len(rows) {
			n := min(most, len(rows)-r.next)
			into.Origin = vector.Origin{Split: r.split, First: position(r.next)}
			for _, row := range rows[r.next : r.next+n] {
				into.AppendValues(row.Kind, row.Values...)
			}
			r.next += n
			into.Origin.Last = position(r.next)
			if (r.bounded || closed) && r.next == len(rows) {
				return io.EOF
			}
			return nil
		}
		if r.bounded || closed {
			return io.EOF
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return nil
		}
	}
}

func (r *reader) rows() (rows []Row, closed bool, grown chan struct{}) {
	r.store.mu.Lock()
	defer r.store.mu.Unlock()
	t := r.store.table(r.name)
	if r.part < len(t.parts) {
		rows = t.parts[r.part]
	}
	return rows, t.closed, t.grown
}

// position sorts as its number does.
func position(n int) string { return fmt.Sprintf("%012d", n) }

// Close implements connector.ColumnReader.
func (r *reader) Close() error { return nil }

type sink struct {
	store *Store
	name  string
	part  int
}

// Write implements connector.Sink.
func (s *sink) Write(_ context.Context, b *vector.Batch) error {
	rows := make([]Row, 0, b.Live())
	b.Rows(func(i int) {
		values := b.Row(i)
		for c, v := range values {
			values[c] = clone(v)
		}
		rows = append(rows, Row{b.Kind(i), values})
	})
	s.store.Append(s.name, s.part, rows...)
	return nil
}

// clone copies the strings of v, which are views of the batch.
func clone(v types.Value) types.Value {
	switch v := v.(type) {
	case string:
		return string(append([]byte(nil), v...))
	case []types.Value:
		for i := range v {
			v[i] = clone(v[i])
		}
	case *types.MapValue:
		for i := range v.Keys {
			v.Keys[i], v.Vals[i] = clone(v.Keys[i]), clone(v.Vals[i])
		}
	}
	return v
}

// Close implements connector.Sink.
func (s *sink) Close(context.Context) error { return nil }
