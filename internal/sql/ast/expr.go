package ast

// NumberLit is an unsigned numeric literal: 1, 1.50, 1e3.
type NumberLit struct {
	Place
	Text string // as written
}

// StringLit is a character string; Value is without quotes and with U& escapes
// resolved. Adjacent literals were joined.
type StringLit struct {
	Place
	Value string
}

// BinaryLit is X'0a1b'.
type BinaryLit struct {
	Place
	Hex string // an even number of digits, as written
}

// BoolLit is TRUE or FALSE.
type BoolLit struct {
	Place
	Value bool
}

// NullLit is NULL, or UNKNOWN, the NULL of BOOLEAN.
type NullLit struct {
	Place
	Unknown bool
}

// TemporalLit is DATE '…', TIME '…' or TIMESTAMP '…'. The text is not checked.
type TemporalLit struct {
	Place
	Kind string // DATE, TIME, TIMESTAMP
	Text string
}

// Interval is INTERVAL [-] value unit. Value is a StringLit for the literal
// form; any other expression means value × unit.
type Interval struct {
	Place
	Negative bool
	Value    Expr
	Unit     *IntervalUnit
}

// Param is a parameter ?, numbered from 0 in the order of the statement.
type Param struct {
	Place
	Index int
}

// Ref is a dotted chain of identifiers: a column, table.column, a field of a
// row column, … Which part is what is for the binder to say.
type Ref struct {
	Place
	Parts []*Ident // at least one
}

// Star is * or t.* in a select list (Parts nil for a bare *), and the argument
// of COUNT(*).
type Star struct {
	Place
	Parts []*Ident
}

// Field is a field of a value that is no plain identifier chain: f(x).a, items[1].sku.
type Field struct {
	Place
	X    Expr
	Name *Ident
}

// Index is X[I]: element of an array, value of a map, field of a row or variant.
type Index struct {
	Place
	X, I Expr
}

// Unary is a prefix operator: "-", "+", "NOT".
type Unary struct {
	Place
	Op string
	X  Expr
}

// Binary is an infix operator. Op is one of
//
//   - - * / % || = <> < <= > >= AND OR
//     "IS DISTINCT FROM", "IS NOT DISTINCT FROM"
//     "OVERLAPS", "CONTAINS", "EQUALS", "PRECEDES", "SUCCEEDS",
//     "IMMEDIATELY PRECEDES", "IMMEDIATELY SUCCEEDS"   (of periods, which are Rows of two)
//     "MEMBER OF", "SUBMULTISET OF", "NOT SUBMULTISET OF",
//     "MULTISET UNION", "MULTISET UNION ALL", "MULTISET INTERSECT",
//     "MULTISET INTERSECT ALL", "MULTISET EXCEPT", "MULTISET EXCEPT ALL"
//
// "!=" never comes: Flink refuses it.
type Binary struct {
	Place
	Op   string
	L, R Expr
	// OpPlace is where the operator stands.
	OpPlace Place
}

// Is is X IS [NOT] What: NULL, TRUE, FALSE, UNKNOWN, "JSON VALUE" (also for IS
// JSON), "JSON OBJECT", "JSON ARRAY", "JSON SCALAR", "A SET", "EMPTY".
type Is struct {
	Place
	X    Expr
	Not  bool
	What string
}

// Between is X [NOT] BETWEEN [SYMMETRIC] Low AND High.
type Between struct {
	Place
	X         Expr
	Not       bool
	Symmetric bool
	Low, High Expr
}

// Like is X [NOT] Op Pattern [ESCAPE Escape]; Op is LIKE, ILIKE, RLIKE or "SIMILAR TO".
type Like struct {
	Place
	X       Expr
	Not     bool
	Op      string
	Pattern Expr
	Escape  Expr // nil: none
}

// In is X [NOT] IN (List) or X [NOT] IN (Query). X is a Row for (a, b) IN ….
type In struct {
	Place
	X     Expr
	Not   bool
	List  []Expr
	Query Query
}

// Quantified is X Op ANY|ALL (Query or List); SOME is ANY. Op is a comparison.
type Quantified struct {
	Place
	X     Expr
	Op    string
	All   bool // ALL, else ANY
	List  []Expr
	Query Query
}

// Exists is EXISTS (Query), or UNIQUE (Query).
type Exists struct {
	Place
	Unique bool
	Query  Query
}

// Subquery is a query in an expression: a scalar, or the rows of EXISTS-like uses.
type Subquery struct {
	Place
	Query Query
}

// Case is CASE [Operand] WHEN … THEN … [ELSE …] END.
type Case struct {
	Place
	Operand Expr // nil for a searched CASE
	Whens   []*When
	Else    Expr // nil: NULL
}

// When is a branch of Case. Several Conds (WHEN 1, 2 THEN) mean any of them.
type When struct {
	Place
	Conds []Expr
	Then  Expr
}

// Cast is CAST(X AS Type) or TRY_CAST.
type Cast struct {
	Place
	X    Expr
	Type *DataType
	Try  bool
}

// Row is ROW(…) or (a, b, …). A parenthesised single expression is no Row.
type Row struct {
	Place
	Explicit bool // ROW was written
	Fields   []Expr
}

// Collection is ARRAY[…], MAP[k, v, …], MULTISET[…], or one of them over a
// query: ARRAY(SELECT …).
type Collection struct {
	Place
	Kind  string // ARRAY, MAP, MULTISET
	Elems []Expr // of MAP: keys and values in turn
	Query Query
}

// Call is a call of a function, or a special form written as one. The binder
// resolves all of them the same way, by upper-case name and arguments. Special
// syntax is encoded so (… means as for any function, [x] only if written):
//
//	TRIM([BOTH|LEADING|TRAILING] [c] FROM s)   TRIM(Symbol BOTH|LEADING|TRAILING, c, s); c is ' ' if not given
//	TRIM(s)                                    TRIM(s)
//	SUBSTRING(s FROM i [FOR n])                SUBSTRING(s, i, [n])
//	OVERLAY(s PLACING r FROM i [FOR n])        OVERLAY(s, r, i, [n])
//	POSITION(x IN s [FROM i])                  POSITION(x, s, [i])
//	EXTRACT(unit FROM t)                       EXTRACT(Symbol unit, t)
//	CEIL|CEILING|FLOOR(t TO unit)              CEIL|FLOOR(t, Symbol unit); CEILING is CEIL
//	TIMESTAMPADD|TIMESTAMPDIFF(unit, a, b)     the same (Symbol unit, a, b); SQL_TSI_ is cut off
//	CONVERT(s USING c), TRANSLATE(s USING c)   CONVERT|TRANSLATE(s, Symbol c)
//	JSON_EXISTS(j, p [b ON ERROR])             JSON_EXISTS(j, p, [Symbol "b ON ERROR"]), b: TRUE FALSE UNKNOWN ERROR
//	JSON_VALUE(j, p [RETURNING t] [b ON EMPTY] [b ON ERROR])
//	    JSON_VALUE(j, p, [TypeArg t], [Symbol "b ON EMPTY"], [Symbol "b ON ERROR"]), b: NULL ERROR DEFAULT;
//	    after a Symbol that starts with DEFAULT comes the default's expression
//	JSON_QUERY(j, p [RETURNING t] [w WRAPPER] [b ON EMPTY] [b ON ERROR])
//	    JSON_QUERY(j, p, [TypeArg t], [Symbol w], [Symbol "b ON EMPTY"], [Symbol "b ON ERROR"]),
//	    w: "WITHOUT WRAPPER", "WITH CONDITIONAL WRAPPER", "WITH UNCONDITIONAL WRAPPER" (also for WITH [ARRAY] WRAPPER);
//	    b: NULL, ERROR, "EMPTY ARRAY" (also for EMPTY), "EMPTY OBJECT"
//	JSON_OBJECT([KEY] k VALUE v | k : v, … [NULL|ABSENT ON NULL])
//	    JSON_OBJECT([Symbol "NULL ON NULL"|"ABSENT ON NULL"], k, v, k, v, …)
//	JSON_ARRAY(v, … [NULL|ABSENT ON NULL])     JSON_ARRAY([Symbol as above], v, …)
//	JSON_OBJECTAGG([KEY] k VALUE v [null clause])  JSON_OBJECTAGG([Symbol as above], k, v)
//	JSON_ARRAYAGG(v [ORDER BY …] [null clause])    JSON_ARRAYAGG([Symbol as above], v), OrderBy set
//	LISTAGG(x, s [ON OVERFLOW …])              LISTAGG(x, s); ON OVERFLOW is refused
//	CURRENT_DATE and other niladic ones        CURRENT_DATE(), Bare set; CURRENT_TIMESTAMP(3) has its argument
//	f(DISTINCT …), COUNT(*)                    Distinct; a Star argument
//	f(TABLE t, DESCRIPTOR(c), name => v)       TableArg, Descriptor, NamedArg arguments; DEFAULT is a DefaultArg
//	PREV/NEXT/FIRST/LAST/CLASSIFIER/MATCH_NUMBER   as any function (only MATCH_RECOGNIZE gives them meaning);
//	    RUNNING f(…) / FINAL f(…)              the call with Semantics set
type Call struct {
	Place
	Name *Name  // as written
	Func string // the name in upper case if it has one part, else ""; what built-in functions are looked up by
	Args []Expr
	// Bare: written without parentheses, as CURRENT_DATE.
	Bare bool
	// Special: written in the special syntax above; the printer uses it again.
	Special bool
	// Distinct is f(DISTINCT …).
	Distinct bool
	// OrderBy is f(x ORDER BY …).
	OrderBy []*SortItem
	// WithinGroup is WITHIN GROUP (ORDER BY …).
	WithinGroup []*SortItem
	// WithinDistinct is WITHIN DISTINCT (…).
	WithinDistinct []Expr
	// Filter is FILTER (WHERE …).
	Filter Expr
	// Nulls is "IGNORE" or "RESPECT" of IGNORE|RESPECT NULLS.
	Nulls string
	// Semantics is "RUNNING" or "FINAL", in MEASURES.
	Semantics string
	// Over is the window of OVER.
	Over *WindowSpec
}

// Symbol is a keyword argument: a time unit, a trim side, a JSON behaviour. Upper case.
type Symbol struct {
	Place
	Name string
}

// TypeArg is a data type as an argument (RETURNING).
type TypeArg struct {
	Place
	Type *DataType
}

// NamedArg is name => value.
type NamedArg struct {
	Place
	Name  *Ident
	Value Expr
}

// DefaultArg is the word DEFAULT as an argument or as a value of INSERT.
type DefaultArg struct{ Place }

// TableArg is TABLE t or (query), an argument of a table function, with the
// set semantics of PARTITION BY and ORDER BY.
type TableArg struct {
	Place
	Table       *Name   // exactly one of Table and Query is set
	Hints       []*Hint // of Table
	Query       Query
	PartitionBy []Expr
	OrderBy     []*SortItem
}

// ModelArg is MODEL m.
type ModelArg struct {
	Place
	Model *Name
}

// Descriptor is DESCRIPTOR(a, b).
type Descriptor struct {
	Place
	Columns []*Ident
}

// DateDiff is (L - R) Unit: the interval between two points in time.
type DateDiff struct {
	Place
	L, R Expr
	Unit *IntervalUnit
}

// WindowSpec is what follows OVER, or the right side of WINDOW w AS.
type WindowSpec struct {
	Place
	// Base is the named window: of OVER w, or the one that (w ORDER BY …) extends.
	Base *Ident
	// Bare is OVER w, without parentheses; nothing but Base is set then.
	Bare        bool
	PartitionBy []Expr
	OrderBy     []*SortItem
	Frame       *Frame
}

// Frame is ROWS|RANGE BETWEEN Start AND End. Without BETWEEN, End is CURRENT ROW
// as the standard says, and Short is set.
type Frame struct {
	Place
	Rows       bool // ROWS, else RANGE
	Short      bool
	Start, End *Bound
}

// Bound is a bound of a frame.
type Bound struct {
	Place
	Kind   BoundKind
	Offset Expr // of Preceding and Following
}

// BoundKind is the kind of a Bound.
type BoundKind uint8

// The kinds of bounds, in the order of the rows they mean.
const (
	UnboundedPreceding BoundKind = iota
	Preceding
	CurrentRow
	Following
	UnboundedFollowing
)

// SortItem is an item of ORDER BY.
type SortItem struct {
	Place
	X     Expr
	Desc  bool
	Nulls string // "FIRST", "LAST" or ""
}

func (*NumberLit) expr()   {}
func (*StringLit) expr()   {}
func (*BinaryLit) expr()   {}
func (*BoolLit) expr()     {}
func (*NullLit) expr()     {}
func (*TemporalLit) expr() {}
func (*Interval) expr()    {}
func (*Param) expr()       {}
func (*Ref) expr()         {}
func (*Star) expr()        {}
func (*Field) expr()       {}
func (*Index) expr()       {}
func (*Unary) expr()       {}
func (*Binary) expr()      {}
func (*Is) expr()          {}
func (*Between) expr()     {}
func (*Like) expr()        {}
func (*In) expr()          {}
func (*Quantified) expr()  {}
func (*Exists) expr()      {}
func (*Subquery) expr()    {}
func (*Case) expr()        {}
func (*Cast) expr()        {}
func (*Row) expr()         {}
func (*Collection) expr()  {}
func (*Call) expr()        {}
func (*Symbol) expr()      {}
func (*TypeArg) expr()     {}
func (*NamedArg) expr()    {}
func (*DefaultArg) expr()  {}
func (*TableArg) expr()    {}
func (*ModelArg) expr()    {}
func (*Descriptor) expr()  {}
func (*DateDiff) expr()    {}
