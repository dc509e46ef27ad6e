// Package connector says what a connector is: where raw records come from and
// where rows go, with nothing of the engine in it. A connector is a folder with
// one exported *Connector made by Define; the list of those in the binary is
// connectors/all.
//
// Sources deliver records as bytes with a position; formats (package format)
// turn them into rows. What a connector can do beyond the required is said by
// optional interfaces, found once when a job is built and shown by EXPLAIN.
package connector

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// Position is a place in a split: opaque above the connector, ordered
// bytewise. The empty Position is the start the options ask for.
type Position = string

// Split is the unit of input order and of ownership: a queue, a partition, a
// file, a generator shard.
type Split struct {
	ID string
	// Size is the number of bytes (or rows, if Rows) to read in all, 0 if unknown:
	// for progress bars.
	Size int64
	Rows bool
	// Values are the values of partition columns, in the order of Table.Partitions.
	Values []types.Value
}

// Source lists splits and opens readers.
type Source interface {
	Splits(ctx context.Context) ([]Split, error)
	Open(ctx context.Context, s Split, at Position) (Reader, error)
	// Bounded tells that every split ends.
	Bounded() bool
}

// Reader reads one split in order. It belongs to one goroutine.
type Reader interface {
	// Read replaces the content of into. It returns when it has records, at ctx's
	// deadline or cancellation (no records, nil error), or with io.EOF at the end
	// of a bounded split (records may come with it). Records stay valid until the
	// next call.
	Read(ctx context.Context, into *format.Records) error
	Close() error
}

// ColumnReader is a Reader that fills vectors itself (datagen, memory,
// parquet): the driver calls ReadBatch instead of Read, and no format is used.
type ColumnReader interface {
	// ReadBatch fills into (which is reset and owned by the caller) with at most
	// max rows of the wanted columns, and sets its Origin. Errors as for Read.
	ReadBatch(ctx context.Context, into *vector.Batch, max int) error
	Close() error
}

// ColumnSource is a Source whose readers are ColumnReaders.
type ColumnSource interface {
	Splits(ctx context.Context) ([]Split, error)
	OpenColumns(ctx context.Context, s Split, at Position) (ColumnReader, error)
	Bounded() bool
}

// Watcher is a Source whose splits come and go while a job runs.
type Watcher interface {
	// Watch calls found for each new split and gone for each removed one until ctx ends.
	Watch(ctx context.Context, found, gone func(Split)) error
}

// Partaker is a Source that may read only some splits, those it was assigned, and
// leave others to other processes.
type Partaker interface{ Partakes() bool }

// Committer is a Source told which positions are durable.
type Committer interface {
	Committed(ctx context.Context, positions map[string]Position) error
}

// Lagger is a Source that knows the end of its splits.
type Lagger interface {
	End(ctx context.Context, s Split) (Position, error)
	// Behind is the number of records from at, which is not empty, to end.
	Behind(at, end Position) (int64, error)
}

// Placed is a Reader that knows where it will read next: what the empty
// Position has come to.
type Placed interface{ At() Position }

// Sink writes rows.
type Sink interface {
	// Write writes all live rows of b or returns an error; the engine retries
	// and splits batches larger than the sink's batch size. b is valid during
	// the call only.
	Write(ctx context.Context, b *vector.Batch) error
	// Close ends the sink: everything written becomes visible, or with an
	// aborted ctx nothing that was not committed.
	Close(ctx context.Context) error
}

// Flusher is a Sink with buffers of its own: after Flush all rows written are
// handed to the system behind.
type Flusher interface {
	Flush(ctx context.Context) error
}

// Tx is a Sink whose rows become visible by two-phase commit. Prepare makes the
// rows since the last Prepare durable and returns a token that is stored in the
// checkpoint; Commit makes them visible and is idempotent; Abort drops what was
// prepared and not committed.
type Tx interface {
	Prepare(ctx context.Context, epoch int64) (token []byte, err error)
	Commit(ctx context.Context, token []byte) error
	Abort(ctx context.Context, token []byte) error
}

// Upserter is a Sink that takes changelogs with a key; Modes says which.
type Upserter interface{ Changelog() Changelog }

// Changelog is which changes a sink takes.
type Changelog uint8

// The changelog modes.
const (
	AppendOnly Changelog = iota // +I only; the planner refuses updating queries
	Upsert                      // +I, +U, -D by primary key
	Retract                     // all four kinds
)

// Table is what the engine tells a connector about the table it serves.
type Table struct {
	Name       string // catalog.database.table, for messages
	Schema     *types.Schema
	PrimaryKey []int    // column indexes, nil if none
	Partitions []string // PARTITIONED BY
	Metadata   []Metadata
	// Options are the WITH options of the connector itself and others it did not declare; Options of
	// the format are in Format already.
	Options map[string]string
	// Format is the table's format, nil if it has none.
	Format format.Format
	// Wanted are the columns a source must fill, nil for all: ascending indexes
	// into Schema. Sources that cannot choose ignore it.
	Wanted []int
	// Limit is the number of rows after which a source may stop, 0 for none.
	Limit int64
	// Bounds are conditions that hold for all rows of a source that matter: it may
	// leave out others.
	Bounds []format.Bound
	// Whole tells that the query needs all splits of a source in one process: it
	// keeps state by keys that may be in any of them. A source that shares its
	// splits with other processes refuses to, with an ErrShared.
	Whole bool
	// Fenced tells that whoever opens a split of a source takes it from its last
	// reader, of whatever process, so that nothing comes of what that one still does.
	Fenced bool
	// Changelog is what the query writes to a sink.
	Changelog Changelog
	// Unit is set if the query runs apart for each split of its source: which one a
	// sink writes for. It passes from process to process, and what a sink calls its
	// transactions must have it in. Writer is a name of this sink for the unit that no
	// other sink of any job has, and that stays when the unit passes on; "" if its
	// state is not kept.
	Unit, Writer string
	// Owned is set if Unit may pass to another process: it tells whether it has not.
	// A sink asks before it takes something from whoever wrote for the unit last, such
	// as a transactional id: a process that wakes late would take it from its successor.
	Owned func() bool
	// Overwrite tells a sink to replace what is there, when it is closed and not
	// before: in the partitions it gets rows of, in that of Static, or in all of a
	// table without partitions. Such a sink has one instance and is no Tx.
	Overwrite bool
	// Static are the partition columns to which INSERT gives a constant, with its
	// text; NULL is not in it.
	Static map[string]string
	// Subtask numbers the parallel instance, 0 to Parallel-1.
	Subtask, Parallel int
}

// Partitions are the partitions of a table as ALTER TABLE and SHOW PARTITIONS
// see them. Values are texts, one for each of Table.Partitions in their order.
type Partitions interface {
	// List returns all partitions in the order of their values.
	List(ctx context.Context) ([][]string, error)
	// Add makes a partition without rows and tells whether there was none.
	Add(ctx context.Context, values []string) (added bool, err error)
	// Drop removes a partition with its rows and tells whether there was one.
	Drop(ctx context.Context, values []string) (dropped bool, err error)
}

// Metadata is a METADATA column of a table.
type Metadata struct {
	Column int    // index in Schema
	Key    string // the connector's name of it
}

// Context is what the engine hands to connectors.
type Context struct {
	Log  *slog.Logger
	Now  func() time.Time
	Zone *time.Location
	Dir  string    // folder that relative paths are relative to; "" is the working directory
	IO   *Terminal // the process's standard streams, replaceable in tests
	// Health is where the source or sink of one table tells how it fares; may be nil.
	Health *Health
}

// Terminal is the process's standard streams.
type Terminal struct {
	In  interface{ Read([]byte) (int, error) }
	Out interface{ Write([]byte) (int, error) }
	Err interface{ Write([]byte) (int, error) }
}

// ErrThrottled tells that a system asked to slow down; the engine retries later.
var ErrThrottled = errors.New("throttled")

// ErrRejected tells that a system refuses rows and would refuse them again.
var ErrRejected = errors.New("rejected")

// ErrFenced tells that another writer has taken a sink's transactions: what was
// written in them and not committed is void. If the split is this process's all the
// same, the engine goes on from its last commit.
var ErrFenced = errors.New("another writer has taken the transactions over")

// ErrShared tells that another process reads splits that a query needs all of.
var ErrShared = errors.New("the query keeps state by key, so one process has to read all splits, and another process reads some of them")

// Connector is a kind of table: what CREATE TABLE … WITH ('connector' = Name) makes.
type Connector struct {
	Name, Doc string
	Options   []Option // declared options, in the order of the manual
	// MetadataKeys are the METADATA columns it offers with their types.
	MetadataKeys []types.Field
	// NeedsFormat tells that 'format' is required.
	NeedsFormat bool
	// Source and Sink are nil if the connector cannot be one. The result of
	// Source is a Source or a ColumnSource.
	Source func(cx *Context, t *Table) (any, error)
	Sink   func(cx *Context, t *Table) (Sink, error)
	// Lookup finds rows by the key columns keys, ascending indexes into the table's
	// schema; nil if the connector cannot: its tables are read into memory to be
	// looked up.
	Lookup func(cx *Context, t *Table, keys []int) (Lookup, error)
	// SinkChangelog is what the sink takes, before it is opened.
	SinkChangelog Changelog
	// DefaultFormat is the format of a table that names none, nil if there is no such thing.
	DefaultFormat func(options map[string]string) (name string, f format.Format, err error)
	// KeyFormat makes the format of a table out of those of 'key.format', nil if
	// not given, and of the value. A connector without it has no 'key.format'.
	KeyFormat func(options map[string]string, key, value format.Format) (format.Format, error)
	// Check tells what is wrong with options, before the table is used; nil
	// checks nothing.
	Check func(options map[string]string) error
	// Overwrites tells that the sink heeds Table.Overwrite.
	Overwrites bool
	// Partitions gives the partitions of a table that has some; nil if the
	// connector does not know them.
	Partitions func(cx *Context, t *Table) (Partitions, error)
	// CheckTable does so for options that are about columns; nil checks nothing.
	CheckTable func(t *Table) error
}
