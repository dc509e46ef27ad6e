package ast

// Select is SELECT … without ORDER BY and LIMIT, which are Sorted.
type Select struct {
	Place
	Hints    []*Hint
	Distinct bool
	Items    []*SelectItem
	From     TableRef // nil: SELECT 1
	Where    Expr
	GroupBy  *GroupBy
	Having   Expr
	Windows  []*NamedWindow
	Qualify  Expr
}

// SelectItem is an item of the select list; X is a Star for * and t.*.
type SelectItem struct {
	Place
	X     Expr
	Alias *Ident
}

// GroupBy is GROUP BY [DISTINCT] items.
type GroupBy struct {
	Place
	Distinct bool
	Items    []*GroupItem
}

// GroupItem is an item of GROUP BY. Kind "" is a set of expressions X: one, or
// those of a parenthesised list; () is the empty set. Else "ROLLUP", "CUBE"
// (Items are plain) or "GROUPING SETS" (Items may nest).
type GroupItem struct {
	Place
	Kind  string
	X     []Expr
	Items []*GroupItem
}

// NamedWindow is WINDOW Name AS (Spec).
type NamedWindow struct {
	Place
	Name *Ident
	Spec *WindowSpec
}

// Hint is one hint of /*+ … */: BROADCAST(t), OPTIONS('k'='v'), STATE_TTL('t'='1d').
type Hint struct {
	Place
	Name    string    // upper case
	Args    []string  // names, numbers or strings in the order written
	Options []*Option // if key-value pairs were written; Args is nil then
}

// Values is VALUES row, row, …
type Values struct {
	Place
	Rows []*Row // a bare expression is a row of one, not Explicit
}

// SetOp is Left UNION|INTERSECT|EXCEPT [ALL] Right; MINUS is EXCEPT.
type SetOp struct {
	Place
	Op          string // UNION, INTERSECT, EXCEPT
	All         bool
	Left, Right Query
}

// Sorted is Body ORDER BY … LIMIT … OFFSET ….
type Sorted struct {
	Place
	Body    Query
	OrderBy []*SortItem
	Limit   Expr // a NumberLit or Param; nil: all rows. FETCH FIRST n ROWS ONLY is LIMIT n
	Offset  Expr // nil: 0
}

// With is WITH name AS (query), … Body.
type With struct {
	Place
	CTEs []*CTE
	Body Query
}

// CTE is a named query of WITH.
type CTE struct {
	Place
	Name    *Ident
	Columns []*Ident
	Query   Query
}

// ExplicitTable is the query TABLE t.
type ExplicitTable struct {
	Place
	Name *Name
}

// Emit is EMIT of the rsqldb dialect: when a window gives results before or
// after its end.
type Emit struct {
	Place
	Strategies []*EmitStrategy
}

// EmitStrategy is WITH DELAY interval or WITHOUT DELAY, BEFORE or AFTER WATERMARK.
type EmitStrategy struct {
	Place
	Delay *Interval // nil: WITHOUT DELAY
	When  string    // "BEFORE", "AFTER" or ""
}

// Alias is AS Name (Columns).
type Alias struct {
	Place
	Name    *Ident
	Columns []*Ident
}

// Table is a table, view or CTE by name.
type Table struct {
	Place
	Name  *Name
	Hints []*Hint
	// AsOf is the time of FOR SYSTEM_TIME AS OF.
	AsOf  Expr
	Alias *Alias
}

// Derived is a sub-query in FROM: [LATERAL] (Query) AS Alias.
type Derived struct {
	Place
	Lateral bool
	Query   Query
	Alias   *Alias // may be nil in Flink
}

// TableFunc is a call in FROM: TABLE(f(…)), LATERAL TABLE(f(…)), or f(…).
type TableFunc struct {
	Place
	Lateral bool
	Bare    bool // without TABLE(…) around the call
	Call    *Call
	Hints   []*Hint
	Alias   *Alias
}

// Unnest is UNNEST(x, …) [WITH ORDINALITY].
type Unnest struct {
	Place
	Lateral    bool // LATERAL was written; UNNEST sees the tables to its left anyway
	Exprs      []Expr
	Ordinality bool
	Alias      *Alias
}

// JoinKind is the kind of a join.
type JoinKind uint8

// The kinds of joins. CommaJoin is FROM a, b.
const (
	InnerJoin JoinKind = iota
	LeftJoin
	RightJoin
	FullJoin
	CrossJoin
	CommaJoin
)

// String returns the words of the join.
func (k JoinKind) String() string {
	return [...]string{"INNER JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "CROSS JOIN", ","}[k]
}

// Join is Left JOIN Right. At most one of Natural, On and Using is set; an
// inner join may have none.
type Join struct {
	Place
	Kind        JoinKind
	Natural     bool
	Left, Right TableRef
	On          Expr
	Using       []*Ident
}

func (*Select) query()        {}
func (*Values) query()        {}
func (*SetOp) query()         {}
func (*Sorted) query()        {}
func (*With) query()          {}
func (*ExplicitTable) query() {}

func (*Table) tableRef()          {}
func (*Derived) tableRef()        {}
func (*TableFunc) tableRef()      {}
func (*Unnest) tableRef()         {}
func (*Join) tableRef()           {}
func (*MatchRecognize) tableRef() {}
