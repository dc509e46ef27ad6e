package types

// RowKind says what a row of a changelog does.
type RowKind uint8

// The row kinds of Flink, in its order.
const (
	Insert       RowKind = iota // +I
	UpdateBefore                // -U: takes back the row an update replaces
	UpdateAfter                 // +U: the new row of an update
	Delete                      // -D
)

// Sign is +1 for rows that are added and -1 for rows that are taken back.
func (k RowKind) Sign() int {
	if k == UpdateBefore || k == Delete {
		return -1
	}
	return 1
}

// String returns +I, -U, +U or -D.
func (k RowKind) String() string { return [...]string{"+I", "-U", "+U", "-D"}[k&3] }

// ParseRowKind is the inverse of String.
func ParseRowKind(s string) (RowKind, bool) {
	switch s {
	case "+I":
		return Insert, true
	case "-U":
		return UpdateBefore, true
	case "+U":
		return UpdateAfter, true
	case "-D":
		return Delete, true
	}
	return Insert, false
}

// Schema is the row type of a stream: its columns in order.
// A Schema is immutable once it was handed on.
type Schema struct {
	Fields []Field
	// Rowtime is the index of the event-time column, -1 if there is none.
	Rowtime int
}

// NewSchema returns a schema of the fields; Rowtime is the first field with
// that time attribute.
func NewSchema(fields ...Field) *Schema {
	s := &Schema{Fields: fields, Rowtime: -1}
	for i, f := range fields {
		if f.Type.Attr == Rowtime {
			s.Rowtime = i
			break
		}
	}
	return s
}

// Index returns the index of the column called name, or -1. Names are case
// sensitive, as in Flink.
func (s *Schema) Index(name string) int {
	for i := range s.Fields {
		if s.Fields[i].Name == name {
			return i
		}
	}
	return -1
}

// Names returns the column names in order.
func (s *Schema) Names() []string {
	names := make([]string, len(s.Fields))
	for i, f := range s.Fields {
		names[i] = f.Name
	}
	return names
}

// Types returns the column types in order.
func (s *Schema) Types() []Type {
	ts := make([]Type, len(s.Fields))
	for i, f := range s.Fields {
		ts[i] = f.Type
	}
	return ts
}
