package ast

// CreateTable is CREATE [OR REPLACE] [TEMPORARY] TABLE.
type CreateTable struct {
	Place
	OrReplace   bool
	MustExist   bool // REPLACE TABLE: OrReplace of a table that is there
	Temporary   bool
	IfNotExists bool
	Name        *Name
	TableElements
	// ColumnNames is the column list of CREATE TABLE t (a, b) AS …: names only.
	ColumnNames   []*Ident
	Comment       *StringLit
	Distribution  *Distribution
	PartitionedBy []*Ident
	Options       []*Option
	Like          *LikeTable
	As            Query // CREATE TABLE … AS query
}

// TableElements is what stands in the parentheses of CREATE TABLE, and of
// ALTER TABLE ADD and MODIFY; columns in order.
type TableElements struct {
	Columns     []*Column
	Watermarks  []*Watermark // one is allowed; the binder says so
	Constraints []*Constraint
	// Period is PERIOD FOR SYSTEM_TIME of the rsqldb dialect: a dimension table.
	Period *PeriodFor
}

// ColumnKind is the kind of a column.
type ColumnKind uint8

// The kinds of columns.
const (
	PhysicalColumn ColumnKind = iota
	MetadataColumn
	ComputedColumn
	HeaderColumn // rsqldb: c VARCHAR header, a value of the message's properties
)

// Column is a column of a table.
type Column struct {
	Place
	Kind       ColumnKind
	Name       *Ident
	Type       *DataType   // nil for a ComputedColumn
	X          Expr        // of a ComputedColumn
	From       *StringLit  // METADATA FROM 'key'; nil: the column's name
	Virtual    bool        // METADATA … VIRTUAL
	Constraint *Constraint // PRIMARY KEY or UNIQUE behind the column; its Columns is nil
	Comment    *StringLit
	Position   *ColumnPosition // in ALTER TABLE
}

// ColumnPosition is FIRST or AFTER column.
type ColumnPosition struct {
	Place
	First bool
	After *Ident
}

// Watermark is WATERMARK FOR Column AS X.
type Watermark struct {
	Place
	Label  *Ident // rsqldb: WATERMARK wk FOR …
	Column *Name  // parts after the first are fields of rows
	// X is the watermark expression. rsqldb's withOffset(ts, ms) stays a Call
	// of WITHOFFSET.
	X Expr
}

// PeriodFor is PERIOD FOR SYSTEM_TIME.
type PeriodFor struct{ Place }

// Constraint is [CONSTRAINT Name] PRIMARY KEY|UNIQUE (Columns) [[NOT] ENFORCED].
type Constraint struct {
	Place
	Name        *Ident
	Unique      bool // UNIQUE, else PRIMARY KEY
	Columns     []*Ident
	NotEnforced bool
	Enforced    bool // ENFORCED was written
}

// Distribution is DISTRIBUTED [BY [HASH|RANGE] (Columns)] [INTO n BUCKETS].
type Distribution struct {
	Place
	Kind    string // HASH, RANGE or ""
	Columns []*Ident
	Buckets *NumberLit
}

// LikeTable is LIKE Name (rules).
type LikeTable struct {
	Place
	Name  *Name
	Rules []*LikeRule
}

// LikeRule is INCLUDING|EXCLUDING|OVERWRITING feature.
type LikeRule struct {
	Place
	Action  string // INCLUDING, EXCLUDING, OVERWRITING
	Feature string // ALL, CONSTRAINTS, DISTRIBUTION, GENERATED, METADATA, OPTIONS, PARTITIONS, WATERMARKS
}

// AlterTable is ALTER TABLE [IF EXISTS] Name Action.
type AlterTable struct {
	Place
	IfExists bool
	Name     *Name
	Action   AlterAction
}

// AlterAction is what ALTER TABLE does: RenameTo, SetOptions, ResetOptions,
// AlterElements, RenameColumn, DropElements, AlterPartitions.
type AlterAction interface {
	Node
	alterAction()
}

// RenameTo is RENAME TO name.
type RenameTo struct {
	Place
	Name *Name
}

// SetOptions is SET (…).
type SetOptions struct {
	Place
	Options []*Option
}

// ResetOptions is RESET ('key', …).
type ResetOptions struct {
	Place
	Keys []*StringLit
}

// AlterElements is ADD or MODIFY with columns, constraints, a watermark or a distribution.
type AlterElements struct {
	Place
	Modify bool // MODIFY, else ADD
	TableElements
	Distribution *Distribution
}

// RenameColumn is RENAME From TO To.
type RenameColumn struct {
	Place
	From *Name
	To   *Ident
}

// DropElements is DROP of columns, a constraint, the primary key, the watermark
// or the distribution: exactly one field is set.
type DropElements struct {
	Place
	Columns      []*Name
	Constraint   *Ident
	PrimaryKey   bool
	Watermark    bool
	Distribution bool
}

// AlterPartitions is ADD or DROP of partitions.
type AlterPartitions struct {
	Place
	Drop       bool
	IfExists   bool // IF NOT EXISTS for ADD
	Partitions []*Partition
}

// Partition is PARTITION (a = 1, …) [WITH (…)].
type Partition struct {
	Place
	Spec    []*Assign
	Options []*Option
}

func (*RenameTo) alterAction()        {}
func (*SetOptions) alterAction()      {}
func (*ResetOptions) alterAction()    {}
func (*AlterElements) alterAction()   {}
func (*RenameColumn) alterAction()    {}
func (*DropElements) alterAction()    {}
func (*AlterPartitions) alterAction() {}

// CreateView is CREATE [TEMPORARY] VIEW.
type CreateView struct {
	Place
	OrReplace   bool // OR REPLACE or OR ALTER: the same
	Temporary   bool
	IfNotExists bool
	Name        *Name
	Columns     []*ViewColumn
	Comment     *StringLit
	As          Query
}

// ViewColumn is a column name of a view.
type ViewColumn struct {
	Place
	Name    *Ident
	Comment *StringLit
}

// AlterView is ALTER VIEW Name RENAME TO Rename, or AS As.
type AlterView struct {
	Place
	IfExists bool
	Name     *Name
	Rename   *Name
	As       Query
}

// CreateDatabase is CREATE DATABASE.
type CreateDatabase struct {
	Place
	IfNotExists bool
	Name        *Name
	Comment     *StringLit
	Options     []*Option
}

// AlterDatabase is ALTER DATABASE Name SET (…).
type AlterDatabase struct {
	Place
	Name    *Name
	Options []*Option
}

// CreateCatalog is CREATE CATALOG.
type CreateCatalog struct {
	Place
	IfNotExists bool
	Name        *Ident
	Comment     *StringLit
	Options     []*Option
}

// AlterCatalog is ALTER CATALOG Name SET (…), RESET (…) or COMMENT '…': one of them.
type AlterCatalog struct {
	Place
	Name    *Ident
	Set     []*Option
	Reset   []*StringLit
	Comment *StringLit
}

// CreateFunction is CREATE FUNCTION Name AS 'class'.
type CreateFunction struct {
	Place
	OrReplace   bool
	Temporary   bool
	System      bool // TEMPORARY SYSTEM
	IfNotExists bool
	Name        *Name
	Class       *StringLit
	Language    string       // JAVA, SCALA, PYTHON, … upper case; "" if not written
	Jars        []*StringLit // USING JAR '…'
	Options     []*Option
}

// AlterFunction is ALTER FUNCTION Name AS 'class'.
type AlterFunction struct {
	Place
	Temporary bool
	System    bool
	IfExists  bool
	Name      *Name
	Class     *StringLit
	Language  string
}

// Drop is DROP of an object.
type Drop struct {
	Place
	Kind      string // TABLE, VIEW, DATABASE, CATALOG, FUNCTION
	Temporary bool
	System    bool
	IfExists  bool
	Name      *Name
	Cascade   bool // of DATABASE: CASCADE, else RESTRICT
}
