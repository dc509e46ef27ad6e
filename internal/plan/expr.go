package plan

import (
	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/types"
)

// Expr is a bound expression: every name is a column index, every call one
// overload, every conversion an explicit Cast. Expressions are immutable.
type Expr interface {
	// Type is the type of the value.
	Type() types.Type
	// Children are the operands in order; WithChildren returns a copy with others.
	Children() []Expr
	WithChildren(c []Expr) Expr
}

// Column is a column of the node's input (for a Join: of left ++ right).
type Column struct {
	Index int
	T     types.Type
	Name  string // for EXPLAIN
}

// Outer is a column of an enclosing query, Depth levels up (1 = the next).
// Decorrelation removes all of them.
type Outer struct {
	Depth, Index int
	T            types.Type
	Name         string
}

// Literal is a constant; Value follows types.Value.
type Literal struct {
	Value types.Value
	T     types.Type
}

// Op is a built-in operator with kernels, or lazy syntax, of package eval.
type Op uint8

// The operators. Args are of the types the operator computes in: the binder
// has inserted casts (for arithmetic on DECIMAL and for timestamps the operand
// types may differ in precision and scale).
const (
	OpInvalid Op = iota
	Add          // numbers; both operands of the result's kind, or DECIMALs
	Sub
	Mul
	Div
	Mod
	Neg
	Eq
	Ne
	Lt
	Le
	Gt
	Ge
	Distinct    // IS DISTINCT FROM
	NotDistinct // IS NOT DISTINCT FROM
	And         // two or more; three-valued, left to right, lazy
	Or
	Not
	IsNull
	IsNotNull
	IsTrue
	IsNotTrue
	IsFalse
	IsNotFalse
	Case     // when1, then1, when2, then2, …, else; lazy
	Coalesce // lazy
	In       // x, literal…: x IN (…), three-valued; all of x's type
	Field    // row field access: Index says which
	MakeRow  // ROW(…)
	MakeArray
	MakeMap // key, value, key, value, …
)

// OpExpr applies an operator.
type OpExpr struct {
	Op    Op
	Args  []Expr
	T     types.Type
	Index int // of Field
	Span  diag.Span
}

// Call is a call of a function's overload; arguments already have the types of
// the resolved signature.
type Call struct {
	Fn   *function.Def
	Args []Expr
	T    types.Type
	Span diag.Span
}

// Cast converts X to T: CAST, TRY_CAST (Try: NULL instead of an error) or an
// implicit conversion.
type Cast struct {
	X    Expr
	T    types.Type
	Try  bool
	Span diag.Span
}

// SubqueryKind says how a sub-query is used as an expression.
type SubqueryKind uint8

// The kinds of sub-queries.
const (
	ScalarSubquery SubqueryKind = iota // its single value
	ExistsSubquery
	InSubquery         // Args IN (Plan)
	QuantifiedSubquery // Args[0] Op ANY|ALL (the input of Plan)
)

// Subquery is a query used as an expression. The optimiser turns all of them
// into joins; none reaches the physical plan.
type Subquery struct {
	Kind SubqueryKind
	Not  bool // NOT EXISTS, NOT IN
	Args []Expr
	Plan Node
	T    types.Type
	Span diag.Span
	// For QuantifiedSubquery: Plan is an Aggregate without keys over the rows that
	// are compared with, in their first column, and Value is the result over the
	// columns of Plan followed by Args[0].
	Op    Op
	All   bool
	Value Expr
}

func (e *Column) Type() types.Type   { return e.T }
func (e *Outer) Type() types.Type    { return e.T }
func (e *Literal) Type() types.Type  { return e.T }
func (e *OpExpr) Type() types.Type   { return e.T }
func (e *Call) Type() types.Type     { return e.T }
func (e *Cast) Type() types.Type     { return e.T }
func (e *Subquery) Type() types.Type { return e.T }

func (e *Column) Children() []Expr   { return nil }
func (e *Outer) Children() []Expr    { return nil }
func (e *Literal) Children() []Expr  { return nil }
func (e *OpExpr) Children() []Expr   { return e.Args }
func (e *Call) Children() []Expr     { return e.Args }
func (e *Cast) Children() []Expr     { return []Expr{e.X} }
func (e *Subquery) Children() []Expr { return e.Args }

func (e *Column) WithChildren([]Expr) Expr  { return e }
func (e *Outer) WithChildren([]Expr) Expr   { return e }
func (e *Literal) WithChildren([]Expr) Expr { return e }
func (e *OpExpr) WithChildren(c []Expr) Expr {
	n := *e
	n.Args = c
	return &n
}
func (e *Call) WithChildren(c []Expr) Expr {
	n := *e
	n.Args = c
	return &n
}
func (e *Cast) WithChildren(c []Expr) Expr {
	n := *e
	n.X = c[0]
	return &n
}
func (e *Subquery) WithChildren(c []Expr) Expr {
	n := *e
	n.Args = c
	return &n
}

// Walk calls f for e and everything below it, parents first, until f is false
// for a node: its children are then left out.
func Walk(e Expr, f func(Expr) bool) {
	if !f(e) {
		return
	}
	for _, c := range e.Children() {
		Walk(c, f)
	}
}

// Rewrite returns e with f applied to every node, children first.
func Rewrite(e Expr, f func(Expr) Expr) Expr {
	old := e.Children()
	var children []Expr
	for i, c := range old {
		n := Rewrite(c, f)
		if n != c && children == nil {
			children = append([]Expr(nil), old...)
		}
		if children != nil {
			children[i] = n
		}
	}
	if children != nil {
		e = e.WithChildren(children)
	}
	return f(e)
}

// Columns returns the set of input columns that e reads, as a bitset indexed
// by column.
func Columns(e Expr, set map[int]bool) {
	Walk(e, func(x Expr) bool {
		if c, ok := x.(*Column); ok {
			set[c.Index] = true
		}
		return true
	})
}

// Remap returns e with column i replaced by to(i).
func Remap(e Expr, to func(int) int) Expr {
	return Rewrite(e, func(x Expr) Expr {
		if c, ok := x.(*Column); ok {
			if n := to(c.Index); n != c.Index {
				return &Column{Index: n, T: c.T, Name: c.Name}
			}
		}
		return x
	})
}

// Pure tells whether e gives the same value for the same input whenever it is
// computed: nothing volatile, no sub-query.
func Pure(e Expr) bool {
	pure := true
	Walk(e, func(x Expr) bool {
		switch x := x.(type) {
		case *Call:
			pure = pure && !x.Fn.Volatile
		case *Subquery:
			pure = false
		}
		return pure
	})
	return pure
}

// Conjuncts splits e at AND.
func Conjuncts(e Expr) []Expr {
	if o, ok := e.(*OpExpr); ok && o.Op == And {
		var out []Expr
		for _, a := range o.Args {
			out = append(out, Conjuncts(a)...)
		}
		return out
	}
	return []Expr{e}
}

// AndOf joins expressions with AND; nil for none.
func AndOf(es []Expr) Expr {
	switch len(es) {
	case 0:
		return nil
	case 1:
		return es[0]
	}
	nullable := false
	for _, e := range es {
		nullable = nullable || e.Type().Nullable
	}
	return &OpExpr{Op: And, Args: es, T: types.Of(types.Boolean).WithNull(nullable)}
}
