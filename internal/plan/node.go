// Package plan holds the logical plan: relational nodes over bound expressions.
// The binder and the SDK build it, the optimiser rewrites it, the physical
// planner turns it into stages. Nodes are immutable; a rewrite makes new ones.
package plan

import (
	"time"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/types"
)

// Node is a relational operator.
type Node interface {
	Schema() *types.Schema
	Inputs() []Node
	WithInputs(in []Node) Node
}

// Table is a resolved table of a connector: what CREATE TABLE says, bound.
type Table struct {
	Path       string // catalog.database.table
	Connector  *connector.Connector
	Options    map[string]string // of the connector (hints merged)
	FormatName string
	Format     format.Format // nil if none
	// Physical is the schema as the connector sees it: physical columns, then
	// the metadata columns that are used. Computed columns are a Project above.
	Physical *types.Schema
	Metadata []connector.Metadata
	// Told are the metadata columns that the format reads, by the format's names.
	Told       []connector.Metadata
	PrimaryKey []int // in Physical
	Partitions []string
	// OnError is the policy for records that do not decode.
	OnError ErrorPolicy
	// Changelog is what the source emits: append, or all kinds (debezium…).
	Changelog bool
	// Normalize tells that the changes come as upserts by the primary key, or more
	// than once: they are made a whole changelog behind the source.
	Normalize bool
	// Fire is how windows over the table are emitted, where it says so.
	Fire Fire
	// Late is where rows of the table go that come too late; nil: they are only counted.
	Late *Late
	// Marks is how event time is followed in the table's splits.
	Marks Marks
	// Lookup is how the table is looked up.
	Lookup connector.LookupOptions
	// ScanParallelism and SinkParallelism are 0 unless the table sets them.
	ScanParallelism, SinkParallelism int
	// SplitKey are the columns by which the producer chose the split of a record,
	// in Physical; nil if it does not say. SplitVerify has that checked.
	SplitKey    []int
	SplitVerify bool
	// Sink is what the engine does around the table's sink.
	Sink connector.SinkOptions
	Span diag.Span
}

// Late is where rows go that come too late for an operator of time. From stands
// for them, below Sink: its columns are those of the operator's input of the same
// name, converted where need be, and those of LateFields.
type Late struct {
	From *GoSource
	Sink *Sink
}

// LateFields are the columns of late rows that no input has: the operator they
// were too late for, its watermark, and the end of the last window of the row.
func LateFields() []types.Field {
	return []types.Field{
		{Name: "late_operator", Type: types.String()},
		{Name: "late_watermark", Type: types.Type{Kind: types.TimestampLTZ, Prec: 3, Nullable: true}},
		{Name: "late_window_end", Type: types.Type{Kind: types.Timestamp, Prec: 3, Nullable: true}},
	}
}

// LateOf returns where rows below n that come too late go, nil if it is said
// nowhere: by a window function or by the tables.
func LateOf(n Node) *Late {
	switch x := n.(type) {
	case *Window:
		if x.Late != nil {
			return x.Late
		}
	case *Scan:
		return x.Table.Late
	}
	for _, in := range n.Inputs() {
		if l := LateOf(in); l != nil {
			return l
		}
	}
	return nil
}

// Marks is how the watermarks of a table's splits are followed.
type Marks struct {
	// Gap, if above 0, hands a watermark on behind so many rows of a split; else as the session says.
	Gap int
	// Idle is how long a split may be without rows before it holds back no
	// watermark; nil: as the session says.
	Idle *time.Duration
	// Group is the alignment group, "" for none: a split of it that is more than
	// MaxDrift ahead of the group's last one is not read; looked at every Update.
	Group            string
	MaxDrift, Update time.Duration
}

// Fire is how windows are emitted; nil: as the session says.
type Fire struct {
	Mode               *int // 0 once, 1 increments, 2 updates
	Interval, Lateness *time.Duration
}

// ErrorPolicy is what happens to a record or row that cannot be read or written.
type ErrorPolicy struct {
	Action     string // fail, skip, dead-letter
	DeadLetter string // path of the dead-letter file, for dead-letter
}

// Scan reads a table. Its schema is that of the wanted fields.
type Scan struct {
	Table *Table
	// Wants are the columns (or nested fields) read, one a column of the schema;
	// initially all of Table.Physical. Projection push-down shrinks them.
	Wants []format.Want
	Out   *types.Schema
	// Filter, over Out, is evaluated while decoding; nil for none.
	Filter Expr
	// Limit stops the source after that many rows in all; 0 for none.
	Limit int64
}

// Values is a table of literal rows.
type Values struct {
	Rows [][]Expr // constant expressions
	Out  *types.Schema
}

// Filter keeps rows for which Cond is TRUE.
type Filter struct {
	Input Node
	Cond  Expr
}

// Project computes columns.
type Project struct {
	Input Node
	Exprs []Expr
	Out   *types.Schema
}

// Watermark declares event time: Out has column Column as rowtime; Expr, over
// the input, is the watermark a row asks for (nil: SOURCE_WATERMARK()).
type Watermark struct {
	Input  Node
	Column int
	Expr   Expr
	Out    *types.Schema
}

// AggCall is one aggregate call. Arguments are columns of the input.
type AggCall struct {
	Fn       *function.Def
	Args     []int
	ArgTypes []types.Type
	// Consts holds the value of constant arguments (separator, percentage): index into Args -> value.
	Consts   map[int]types.Value
	Distinct bool
	Filter   int // BOOLEAN column, -1 for none
	T        types.Type
	Name     string
	Span     diag.Span
}

// Aggregate groups by columns of its input. The schema is the group columns,
// then (with more than one grouping set) nothing else: GROUPING() is resolved
// by Expand below, then the calls.
type Aggregate struct {
	Input Node
	Keys  []int
	Calls []AggCall
	TTL   time.Duration // see Join.TTL
	Out   *types.Schema
}

// Expand emits each input row once for every projection (GROUPING SETS): an
// expression list a set, in which absent keys are NULL literals, and the last
// column is the BIGINT expand id (Flink's GROUPING_ID bits).
type Expand struct {
	Input Node
	Sets  [][]Expr
	Out   *types.Schema
}

// JoinKind is the kind of a join.
type JoinKind uint8

// The join kinds. Semi and Anti have the left schema. NOT IN is an Anti join
// whose Cond is (x = y) IS NOT FALSE: a NULL on either side counts as a match.
const (
	Inner JoinKind = iota
	Left
	Right
	Full
	Semi
	Anti
)

// Join joins two inputs. Keys are equalities Left[i] = Right[i]; NullSafe[i]
// makes it IS NOT DISTINCT FROM. Cond is the rest, over left ++ right; nil for none.
// Single tells that the right side must have at most one row a key (scalar sub-query):
// a second is an error.
type Join struct {
	Kind        JoinKind
	Left, Right Node
	LeftKeys    []int
	RightKeys   []int
	NullSafe    []bool
	Cond        Expr
	Single      bool
	Span        diag.Span
	// TTL is how long the state of the left and of the right side is kept that
	// nothing touches: 0 as the job says, below 0 for ever.
	TTL [2]time.Duration
	Out *types.Schema
}

// Temporal joins each left row with the version of the right side at a time (FOR SYSTEM_TIME AS OF).
type Temporal struct {
	Kind        JoinKind // Inner or Left
	Left, Right Node
	LeftKeys    []int
	RightKeys   []int
	Time        int  // time column of the left side
	Proctime    bool // lookup join
	// Retries is how often, of a lookup join, a key without rows is looked up again,
	// each time RetryAfter later.
	Retries    int
	RetryAfter time.Duration
	Cond       Expr
	Out        *types.Schema
	Span       diag.Span // of the time
}

// Lateral joins each left row with the rows of Right, which refers to it by
// Outer columns of depth 1. Kind is Inner or Left. Decorrelation removes it.
type Lateral struct {
	Kind        JoinKind
	Left, Right Node
	Out         *types.Schema
	Span        diag.Span
}

// Correlate applies a table function to every row: out = input ++ function columns.
type Correlate struct {
	Input Node
	// Fn is the function, or nil for UNNEST of Args[0].
	Fn         *function.Def
	Args       []Expr
	Result     types.Type // ROW of the function's columns
	Ordinality bool       // WITH ORDINALITY: a last INT column
	Outer      bool       // LEFT JOIN … ON TRUE: rows without results are padded
	Cond       Expr       // join condition over out; nil for none
	Out        *types.Schema
}

// SetOp is UNION ALL (any number of inputs), INTERSECT [ALL] or EXCEPT [ALL]
// (two). UNION is UNION ALL under an Aggregate without calls.
type SetOp struct {
	Op  SetKind
	All bool
	In  []Node
	Out *types.Schema
}

// SetKind is the kind of a set operation.
type SetKind uint8

// The set operations.
const (
	Union SetKind = iota
	Intersect
	Except
)

// SortKey is a column to order by.
type SortKey struct {
	Column     int
	Desc       bool
	NullsFirst bool // resolved: Flink puts NULLs first for ASC, last for DESC
}

// Sort orders rows and takes Limit of them (-1: all) behind Offset.
type Sort struct {
	Input  Node
	Keys   []SortKey
	Limit  int64
	Offset int64
	Span   diag.Span // of the first key
}

// WindowKind is the kind of a time window.
type WindowKind uint8

// The window kinds.
const (
	Tumble WindowKind = iota
	Hop
	Cumulate
	Session
)

// Window assigns windows (a window TVF): out = input ++ window_start, window_end, window_time.
type Window struct {
	Input     Node
	Kind      WindowKind
	Time      int
	Size      int64 // ms; gap of a session
	Slide     int64 // ms; step of CUMULATE
	Offset    int64 // ms
	Partition []int // of SESSION
	// Late is where rows go that come too late; nil: where those of the tables go.
	Late *Late
	Out  *types.Schema
	Span diag.Span
}

// Frame is the frame of an OVER window.
type Frame struct {
	Rows  bool  // ROWS, else RANGE
	Lower int64 // rows or ms preceding; -1 unbounded
	Upper int64 // 0: current row
}

// Over computes calls over windows of rows: out = input ++ calls.
type Over struct {
	Input     Node
	Partition []int
	Order     []SortKey
	Frame     Frame
	Calls     []AggCall
	Out       *types.Schema
	Span      diag.Span // of the first key of Order, or of the window
}

// Rank keeps, of each partition, the rows whose number by Order is above Offset
// and at most Offset+Limit (Top-N; deduplication is Limit 1 by a time attribute).
// Number appends the row number to the input's columns, a BIGINT NOT NULL.
type Rank struct {
	Input     Node
	Partition []int
	Order     []SortKey
	Offset    int64
	Limit     int64
	Number    bool
	Out       *types.Schema
	Span      diag.Span // of the first key of Order
}

// Match is MATCH_RECOGNIZE, one row per match: out = partition columns ++ measures.
// Order starts with a time attribute, ascending.
type Match struct {
	Input     Node
	Partition []int
	Order     []SortKey
	Pattern   *Pattern
	Out       *types.Schema
	Span      diag.Span
}

// Sink writes the input to a table. Columns maps table columns to input ones,
// as a Project below has made them equal in number, order and type.
type Sink struct {
	Input     Node
	Table     *Table // nil: the result goes to the caller (SELECT, SDK collect)
	Name      string
	Overwrite bool
	Static    map[string]string // static partition
	// NotNull are columns that are NOT NULL in the table: a row with NULL there is an
	// error, or with DropNulls left out. Formats do not look for NULL in NOT NULL
	// columns that they read, so the query's type says nothing.
	NotNull   []int
	DropNulls bool
	// Collect receives the rows when Table is nil.
	Collect connector.Sink
}

// Opaque is an operator that is no SQL: a Go function of the SDK. New makes
// the operator for one task; it is typed in package exec and asserted by the runtime.
type Opaque struct {
	Input    []Node
	Name     string
	Out      *types.Schema
	New      func(subtask int) (any, error)
	Stateful bool
}

// GoSource is a source made in Go by the SDK, read through the connector interfaces.
type GoSource struct {
	Name   string
	Source any // connector.Source or connector.ColumnSource
	Format format.Format
	Out    *types.Schema
}
