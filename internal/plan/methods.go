package plan

import "github.com/runnelio/runnel/types"

// Schema implements Node.
func (n *Filter) Schema() *types.Schema { return n.Input.Schema() }

// Inputs implements Node.
func (n *Filter) Inputs() []Node { return []Node{n.Input} }

// WithInputs implements Node.
func (n *Filter) WithInputs(in []Node) Node {
	c := *n
	c.Input = in[0]
	return &c
}

// Schema implements Node.
func (n *Project) Schema() *types.Schema { return n.Out }

// Inputs implements Node.
func (n *Project) Inputs() []Node { return []Node{n.Input} }

// WithInputs implements Node.
func (n *Project) WithInputs(in []Node) Node {
	c := *n
	c.Input = in[0]
	return &c
}

// Schema implements Node.
func (n *Watermark) Schema() *types.Schema { return n.Out }

// Inputs implements Node.
func (n *Watermark) Inputs() []Node { return []Node{n.Input} }

// WithInputs implements Node.
func (n *Watermark) WithInputs(in []Node) Node {
	c := *n
	c.Input = in[0]
	return &c
}

// Schema implements Node.
func (n *Aggregate) Schema() *types.Schema { return n.Out }

// Inputs implements Node.
func (n *Aggregate) Inputs() []Node { return []Node{n.Input} }

// WithInputs implements Node.
func (n *Aggregate) WithInputs(in []Node) Node {
	c := *n
	c.Input = in[0]
	return &c
}

// Schema implements Node.
func (n *Expand) Schema() *types.Schema { return n.Out }

// Inputs implements Node.
func (n *Expand) Inputs() []Node { return []Node{n.Input} }

// WithInputs implements Node.
func (n *Expand) WithInputs(in []Node) Node {
	c := *n
	c.Input = in[0]
	return &c
}

// Schema implements Node.
func (n *Correlate) Schema() *types.Schema { return n.Out }

// Inputs implements Node.
func (n *Correlate) Inputs() []Node { return []Node{n.Input} }

// WithInputs implements Node.
func (n *Correlate) WithInputs(in []Node) Node {
	c := *n
	c.Input = in[0]
	return &c
}

// Schema implements Node.
func (n *Sort) Schema() *types.Schema { return n.Input.Schema() }

// Inputs implements Node.
func (n *Sort) Inputs() []Node { return []Node{n.Input} }

// WithInputs implements Node.
func (n *Sort) WithInputs(in []Node) Node {
	c := *n
	c.Input = in[0]
	return &c
}

// Schema implements Node.
func (n *Window) Schema() *types.Schema { return n.Out }

// Inputs implements Node.
func (n *Window) Inputs() []Node { return []Node{n.Input} }

// WithInputs implements Node.
func (n *Window) WithInputs(in []Node) Node {
	c := *n
	c.Input = in[0]
	return &c
}

// Schema implements Node.
func (n *Over) Schema() *types.Schema { return n.Out }

// Inputs implements Node.
func (n *Over) Inputs() []Node { return []Node{n.Input} }

// WithInputs implements Node.
func (n *Over) WithInputs(in []Node) Node {
	c := *n
	c.Input = in[0]
	return &c
}

// Schema implements Node.
func (n *Match) Schema() *types.Schema { return n.Out }

// Inputs implements Node.
func (n *Match) Inputs() []Node { return []Node{n.Input} }

// WithInputs implements Node.
func (n *Match) WithInputs(in []Node) Node {
	c := *n
	c.Input = in[0]
	return &c
}

// Schema implements Node.
func (n *Sink) Schema() *types.Schema { return n.Input.Schema() }

// Inputs implements Node.
func (n *Sink) Inputs() []Node { return []Node{n.Input} }

// WithInputs implements Node.
func (n *Sink) WithInputs(in []Node) Node {
	c := *n
	c.Input = in[0]
	return &c
}

// Schema implements Node.
func (n *Join) Schema() *types.Schema { return n.Out }

// Inputs implements Node.
func (n *Join) Inputs() []Node { return []Node{n.Left, n.Right} }

// WithInputs implements Node.
func (n *Join) WithInputs(in []Node) Node {
	c := *n
	c.Left, c.Right = in[0], in[1]
	return &c
}

// Schema implements Node.
func (n *Temporal) Schema() *types.Schema { return n.Out }

// Inputs implements Node.
func (n *Temporal) Inputs() []Node { return []Node{n.Left, n.Right} }

// WithInputs implements Node.
func (n *Temporal) WithInputs(in []Node) Node {
	c := *n
	c.Left, c.Right = in[0], in[1]
	return &c
}

// Schema implements Node.
func (n *SetOp) Schema() *types.Schema { return n.Out }

// Inputs implements Node.
func (n *SetOp) Inputs() []Node { return n.In }

// WithInputs implements Node.
func (n *SetOp) WithInputs(in []Node) Node {
	c := *n
	c.In = in
	return &c
}

// Schema implements Node.
func (n *Opaque) Schema() *types.Schema { return n.Out }

// Inputs implements Node.
func (n *Opaque) Inputs() []Node { return n.Input }

// WithInputs implements Node.
func (n *Opaque) WithInputs(in []Node) Node {
	c := *n
	c.Input = in
	return &c
}

// Schema implements Node.
func (n *Scan) Schema() *types.Schema { return n.Out }

// Inputs implements Node.
func (n *Scan) Inputs() []Node { return nil }

// WithInputs implements Node.
func (n *Scan) WithInputs([]Node) Node { return n }

// Schema implements Node.
func (n *Values) Schema() *types.Schema { return n.Out }

// Inputs implements Node.
func (n *Values) Inputs() []Node { return nil }

// WithInputs implements Node.
func (n *Values) WithInputs([]Node) Node { return n }

// Schema implements Node.
func (n *GoSource) Schema() *types.Schema { return n.Out }

// Inputs implements Node.
func (n *GoSource) Inputs() []Node { return nil }

// WithInputs implements Node.
func (n *GoSource) WithInputs([]Node) Node { return n }

// Schema implements Node.
func (n *Rank) Schema() *types.Schema { return n.Out }

// Inputs implements Node.
func (n *Rank) Inputs() []Node { return []Node{n.Input} }

// WithInputs implements Node.
func (n *Rank) WithInputs(in []Node) Node {
	c := *n
	c.Input = in[0]
	return &c
}

// Schema implements Node.
func (n *Lateral) Schema() *types.Schema { return n.Out }

// Inputs implements Node.
func (n *Lateral) Inputs() []Node { return []Node{n.Left, n.Right} }

// WithInputs implements Node.
func (n *Lateral) WithInputs(in []Node) Node {
	c := *n
	c.Left, c.Right = in[0], in[1]
	return &c
}
