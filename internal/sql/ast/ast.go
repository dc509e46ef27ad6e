// Package ast is the syntax tree of Runnel's SQL: plain data with the place of
// every node in the text. The parser (package sql) makes it, the printer writes
// it back, the binder gives it meaning. Nothing in it is resolved except data
// types, which need no catalog.
//
// ast.go has the interfaces and names, statement.go and ddl.go the statements,
// query.go queries and table references, expr.go expressions and how special
// syntax becomes calls, match.go MATCH_RECOGNIZE, type.go data types, walk.go
// the traversal.
//
// Trees are immutable once the parser returned them. Absent parts are nil (or
// the zero value); a list is nil, never empty, when its clause is not there,
// except where a comment says otherwise.
package ast

import (
	"strings"

	"github.com/runnelio/runnel/internal/diag"
)

// Node is a piece of the tree.
type Node interface {
	// Pos is the text the node was parsed from: from its first to its last token.
	Pos() diag.Span
}

// Place is the position of a node; every node embeds it.
type Place struct{ Span diag.Span }

// Pos returns the span of the node.
func (p Place) Pos() diag.Span { return p.Span }

// Statement is one statement of a script.
type Statement interface {
	Node
	statement()
}

// Query is an expression that gives a table: Select, Values, SetOp, Sorted,
// With, ExplicitTable.
type Query interface {
	Node
	query()
}

// TableRef is an item of FROM: Table, Derived, TableFunc, Unnest, Join, MatchRecognize.
type TableRef interface {
	Node
	tableRef()
}

// Expr is a scalar expression, or an argument of a call that is none
// (Symbol, TypeArg, TableArg, Descriptor, NamedArg …).
type Expr interface {
	Node
	expr()
}

// Ident is one identifier. Identifiers are case sensitive.
type Ident struct {
	Place
	Name   string // without quotes
	Quoted bool   // was in backquotes: never a keyword or a niladic function
}

// Name is a possibly qualified name: catalog.database.object.
type Name struct {
	Place
	Parts []*Ident // at least one
}

// Last returns the last part of the name.
func (n *Name) Last() string { return n.Parts[len(n.Parts)-1].Name }

// Strings returns the parts of the name.
func (n *Name) Strings() []string {
	out := make([]string, len(n.Parts))
	for i, p := range n.Parts {
		out[i] = p.Name
	}
	return out
}

// String returns the parts joined by dots, without quotes: for messages.
func (n *Name) String() string { return strings.Join(n.Strings(), ".") }

// Option is a 'key' = 'value' pair of WITH, SET or a hint.
type Option struct {
	Place
	Key   *StringLit
	Value *StringLit
}

// Options returns the pairs as a map; of equal keys the last one wins.
func Options(list []*Option) map[string]string {
	m := make(map[string]string, len(list))
	for _, o := range list {
		m[o.Key.Value] = o.Value.Value
	}
	return m
}
