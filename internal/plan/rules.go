package plan

import "github.com/runnelio/runnel/types"

// Rules is many conditions over one input: each row comes out once for every
// rule whose condition is TRUE, with the rule's constants behind its columns. It
// stands for as many filters of one input, found together by a rule index.
type Rules struct {
	Input Node
	Rules []Rule
	Out   *types.Schema // the input's columns, then those of the constants
}

// Rule is one condition of a Rules node.
type Rule struct {
	ID     string
	Cond   Expr          // over the input
	Consts []types.Value // of the constant columns
}

// Schema implements Node.
func (n *Rules) Schema() *types.Schema { return n.Out }

// Inputs implements Node.
func (n *Rules) Inputs() []Node { return []Node{n.Input} }

// WithInputs implements Node.
func (n *Rules) WithInputs(in []Node) Node {
	c := *n
	c.Input = in[0]
	return &c
}
