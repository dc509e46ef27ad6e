package ast

// Walk calls visit for n and, as long as visit returns true, for the nodes
// below it, in the order of their fields. Absent parts are not visited.
func Walk(n Node, visit func(Node) bool) {
	if n == nil || !visit(n) {
		return
	}
	for _, c := range Children(n) {
		Walk(c, visit)
	}
}

// Children returns the direct parts of n that are there, in the order of its fields.
func Children(n Node) []Node {
	var k kids
	switch n := n.(type) {
	case Expr:
		k.expr(n)
	case Query:
		k.query(n)
	case TableRef:
		k.tableRef(n)
	case Statement:
		k.statement(n)
	case Pattern:
		k.pattern(n)
	case AlterAction:
		k.alterAction(n)
	default:
		k.part(n)
	}
	return k
}

// kids collects children.
type kids []Node

// one appends x unless it is nil.
func one[N interface {
	comparable
	Node
}](k *kids, x N) {
	var none N
	if x != none {
		*k = append(*k, x)
	}
}

// many appends the nodes of the list.
func many[N Node](k *kids, list []N) {
	for _, x := range list {
		*k = append(*k, x)
	}
}

func (k *kids) expr(n Expr) {
	switch n := n.(type) {
	case *Interval:
		one(k, n.Value)
		one(k, n.Unit)
	case *Ref:
		many(k, n.Parts)
	case *Star:
		many(k, n.Parts)
	case *Field:
		one(k, n.X)
		one(k, n.Name)
	case *Index:
		one(k, n.X)
		one(k, n.I)
	case *Unary:
		one(k, n.X)
	case *Binary:
		one(k, n.L)
		one(k, n.R)
	case *Is:
		one(k, n.X)
	case *Between:
		one(k, n.X)
		one(k, n.Low)
		one(k, n.High)
	case *Like:
		one(k, n.X)
		one(k, n.Pattern)
		one(k, n.Escape)
	case *In:
		one(k, n.X)
		many(k, n.List)
		one(k, n.Query)
	case *Quantified:
		one(k, n.X)
		many(k, n.List)
		one(k, n.Query)
	case *Exists:
		one(k, n.Query)
	case *Subquery:
		one(k, n.Query)
	case *Case:
		one(k, n.Operand)
		many(k, n.Whens)
		one(k, n.Else)
	case *Cast:
		one(k, n.X)
		one(k, n.Type)
	case *Row:
		many(k, n.Fields)
	case *Collection:
		many(k, n.Elems)
		one(k, n.Query)
	case *Call:
		k.call(n)
	case *TypeArg:
		one(k, n.Type)
	case *NamedArg:
		one(k, n.Name)
		one(k, n.Value)
	case *TableArg:
		one(k, n.Table)
		many(k, n.Hints)
		one(k, n.Query)
		many(k, n.PartitionBy)
		many(k, n.OrderBy)
	case *ModelArg:
		one(k, n.Model)
	case *Descriptor:
		many(k, n.Columns)
	case *DateDiff:
		one(k, n.L)
		one(k, n.R)
		one(k, n.Unit)
	}
}

func (k *kids) call(n *Call) {
	one(k, n.Name)
	many(k, n.Args)
	many(k, n.OrderBy)
	many(k, n.WithinGroup)
	many(k, n.WithinDistinct)
	one(k, n.Filter)
	one(k, n.Over)
}

func (k *kids) query(n Query) {
	switch n := n.(type) {
	case *Select:
		many(k, n.Hints)
		many(k, n.Items)
		one(k, n.From)
		one(k, n.Where)
		one(k, n.GroupBy)
		one(k, n.Having)
		many(k, n.Windows)
		one(k, n.Qualify)
	case *Values:
		many(k, n.Rows)
	case *SetOp:
		one(k, n.Left)
		one(k, n.Right)
	case *Sorted:
		one(k, n.Body)
		many(k, n.OrderBy)
		one(k, n.Limit)
		one(k, n.Offset)
	case *With:
		many(k, n.CTEs)
		one(k, n.Body)
	case *ExplicitTable:
		one(k, n.Name)
	}
}

func (k *kids) tableRef(n TableRef) {
	switch n := n.(type) {
	case *Table:
		one(k, n.Name)
		many(k, n.Hints)
		one(k, n.AsOf)
		one(k, n.Alias)
	case *Derived:
		one(k, n.Query)
		one(k, n.Alias)
	case *TableFunc:
		one(k, n.Call)
		many(k, n.Hints)
		one(k, n.Alias)
	case *Unnest:
		many(k, n.Exprs)
		one(k, n.Alias)
	case *Join:
		one(k, n.Left)
		one(k, n.Right)
		one(k, n.On)
		many(k, n.Using)
	case *MatchRecognize:
		one(k, n.Input)
		many(k, n.PartitionBy)
		many(k, n.OrderBy)
		many(k, n.Measures)
		one(k, n.After)
		one(k, n.Pattern)
		one(k, n.Within)
		many(k, n.Subsets)
		many(k, n.Defines)
		one(k, n.Alias)
	}
}

func (k *kids) pattern(n Pattern) {
	switch n := n.(type) {
	case *PatternVar:
		one(k, n.Name)
	case *PatternSeq:
		many(k, n.Items)
	case *PatternAlt:
		many(k, n.Items)
	case *PatternRepeat:
		one(k, n.X)
	case *PatternPermute:
		many(k, n.Items)
	case *PatternExclude:
		one(k, n.X)
	}
}
