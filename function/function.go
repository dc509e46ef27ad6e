// Package function says what a function is: its definition as data, from which
// overload resolution, result type, null rule, folding, help, manual, completion
// and tests are derived, and the adapters that turn Go functions into columns.
//
// A function is one or more Defs of the same name in a Set. Definitions with a
// signature string are resolved by it (signature.go); those whose types follow
// no simple signature give Infer. The implementation is one of Scalar, Aggregate
// or Table. adapt.go makes Scalars from plain Go functions.
package function

import (
	"log/slog"
	"time"

	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// Def is one overload of one function. It is data and never changes.
type Def struct {
	Name    string   // as in SQL, upper case
	Aliases []string // other names of the same function
	Group   string   // family, for the manual: "string", "time", ...
	// Sig is the signature such as "(STRING, [INT]) -> STRING"; see ParseSignature.
	// With Infer set it is only shown to people.
	Sig string
	Doc string // one or two sentences
	Eg  []Example
	// Infer replaces the signature where types need code.
	Infer Infer
	// Exactly one of these is set.
	Scalar    *Scalar
	Aggregate *Aggregate
	Table     *Table
	// Special marks syntax that the binder handles itself (CASE, CAST, AND);
	// the definition then only documents it.
	Special bool
	// Nulls is the null rule of a scalar; the default is Strict.
	Nulls NullRule
	// Volatile functions are not folded, shared or moved: RAND, UUID, NOW of a row.
	Volatile bool
	// PerJob functions are constant while a job runs (CURRENT_DATABASE, session zone):
	// folded when the job starts, not when a view is stored.
	PerJob bool
}

// Example is an expression and its result as the SQL client prints it.
type Example struct{ Expr, Result string }

// NullRule says what NULL arguments do to a scalar.
type NullRule uint8

// The null rules.
const (
	// Strict: any NULL argument makes the result NULL; the function is not called for such rows.
	Strict NullRule = iota
	// Called: the function sees NULLs (COALESCE, CONCAT_WS, IS NULL).
	Called
)

// Arg is what is known about an argument when a call is bound.
type Arg struct {
	Type types.Type
	// Const tells that Value is the argument's value for all rows. Symbols
	// (time units, JSON options) are constants of kind Symbol with string values.
	Const bool
	Value types.Value
}

// Signature is a resolved call.
type Signature struct {
	Args   []types.Type // the types arguments are cast to, one each
	Result types.Type
}

// Infer resolves a call: it returns the types to cast the arguments to, and
// the result's. An error says, in words for the user, why it does not fit.
type Infer func(args []Arg) (Signature, error)

// Context is what a function may ask for while it runs. One belongs to one task.
type Context struct {
	Zone   *time.Location   // the session time zone, never nil
	Now    func() time.Time // the clock; never time.Now directly
	Query  time.Time        // the start of the query: CURRENT_TIMESTAMP in batch mode
	Log    *slog.Logger
	Params map[string]string // session options that functions read
	// Watermark is that of the operator that computes, in milliseconds; false
	// before there is one. nil where there are no watermarks.
	Watermark func() (ms int64, ok bool)
	// Batch is the rows being computed on, for functions that ask where they came
	// from; nil where that is not known.
	Batch *vector.Batch
}

// Scalar computes a value a row.
type Scalar struct {
	// Bind is called once a call site, after casts were inserted. It may compile
	// constant arguments (patterns, paths, formats).
	Bind func(cx *Context, args []Arg, result types.Type) (Call, error)
	// go types of a scalar made by an adapter, checked against the signature
	in  []types.Phys
	out types.Phys
}

// Call fills rows of out, which is sized and typed already. args are flat or
// Const (see vector). sel names the rows to compute, nil means all out.Len()
// rows; other rows must be left alone. Under Strict no named row has a NULL
// argument, and out's bitmap already marks the others. SetNull gives NULL.
// An error is the error of its row: use RowError to say which.
//
// Calls are made by one goroutine at a time; a Call may keep scratch memory.
type Call func(args []vector.Vector, sel []int32, out vector.Vector) error

// RowError is an error in the value of one row of a batch.
type RowError struct {
	Row int
	Err error
}

func (e *RowError) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *RowError) Unwrap() error { return e.Err }

// Aggregate folds many rows into a value.
type Aggregate struct {
	// New is called once for every aggregate call of every task.
	New func(cx *Context, call AggregateCall) (Accumulators, error)
	// Retracts tells that Update takes negative signs. The planner refuses the
	// function over changelogs with retractions otherwise.
	Retracts bool
	// Ordered tells that the result depends on the order of the input.
	Ordered bool
	// KeepsNulls: rows whose first argument is NULL are passed in too (ARRAY_AGG,
	// COUNT(*) has no argument). Otherwise the caller leaves them out.
	KeepsNulls bool
	// EmptyIsNull tells that the result over no rows is NULL: without GROUP BY the
	// result's type is then nullable whatever the arguments are.
	EmptyIsNull bool
}

// AggregateCall is what is known about an aggregate call.
type AggregateCall struct {
	Args   []Arg
	Result types.Type
	// Retracts tells that rows will be taken back: keep what that needs.
	Retracts bool
}

// Accumulators is the state of one aggregate call for all groups of a task,
// in columns: a group is a slot number, dense from 0. A slot starts out as the
// empty group. Slots are reused after Clear.
type Accumulators interface {
	// Resize makes room for slots numbered below n.
	Resize(n int)
	// Update adds row rows[i] of args to slot slots[i], in order. signs is nil
	// if all rows are added; else signs[i] is +1 or -1 (taken back).
	Update(slots []int32, args []vector.Vector, rows []int32, signs []int8) error
	// Merge adds slot from of other, which is of the same call, to slot to.
	Merge(to int32, other Accumulators, from int32) error
	// Result appends the value of each named slot to out.
	Result(slots []int32, out vector.Vector) error
	// Clear makes a slot the empty group again and frees what it held.
	Clear(slot int32)
	// Save appends the slot's state to dst in a stable form; Load is its
	// inverse into an empty slot and returns what is left of src.
	Save(dst []byte, slot int32) []byte
	Load(slot int32, src []byte) (rest []byte, err error)
	// Bytes is about how much memory all slots hold.
	Bytes() int64
}

// Table turns a row into any number of rows.
type Table struct {
	// Columns names the result columns; their types are Result's fields (a ROW),
	// or Result itself if it is no row.
	Bind func(cx *Context, args []Arg, result types.Type) (TableCall, error)
}

// TableCall appends the result rows of row i of args to out, one vector a
// column, and returns how many.
type TableCall func(args []vector.Vector, i int, out []vector.Vector) (int, error)
