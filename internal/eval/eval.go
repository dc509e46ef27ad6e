package eval

import (
	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// A Program computes several expressions over the rows of batches. It belongs
// to one task: it is not safe for concurrent use.
type Program struct {
	m     machine
	steps block
	outs  []slot
	res   []vector.Vector
}

// Compile returns a program for expressions over rows of the schema in. An
// error tells of an expression that no program can compute.
func Compile(exprs []plan.Expr, in *types.Schema, cx *function.Context) (*Program, error) {
	c := newCompiler(in, cx)
	top := c.scope(nil)
	p := &Program{outs: make([]slot, len(exprs)), res: make([]vector.Vector, len(exprs))}
	for i, e := range exprs {
		e, err := Fold(e, cx)
		if err != nil {
			return nil, err
		}
		if p.outs[i], err = c.value(e, top); err != nil {
			return nil, err
		}
	}
	for _, s := range p.outs {
		c.keep(s)
	}
	p.steps = *top.steps
	p.m = c.machine()
	return p, nil
}

// Eval computes the rows of b named by sel, all b.N rows if sel is nil. It
// returns a vector of b.N rows for each expression, flat or Const, in which the
// other rows are undefined: columns of b itself or memory of the program, valid
// until the next Eval. An error in the value of a row is a *function.RowError.
func (p *Program) Eval(b *vector.Batch, sel []int32) ([]vector.Vector, error) {
	p.m.begin(b)
	if err := p.steps.run(&p.m, sel); err != nil {
		return nil, err
	}
	for i, s := range p.outs {
		p.res[i] = p.m.slots[s]
	}
	return p.res, nil
}

// A Predicate selects the rows for which an expression is TRUE. It belongs to
// one task: it is not safe for concurrent use.
type Predicate struct {
	m machine
	c chooser
}

// CompilePredicate returns a predicate for a BOOLEAN expression over rows of
// the schema in.
func CompilePredicate(e plan.Expr, in *types.Schema, cx *function.Context) (*Predicate, error) {
	e, err := Fold(e, cx)
	if err != nil {
		return nil, err
	}
	c := newCompiler(in, cx)
	ch, _, err := c.chooser(e, true, c.scope(nil))
	if err != nil {
		return nil, err
	}
	return &Predicate{m: c.machine(), c: ch}, nil
}

// Select appends to dst the rows of b named by sel, all b.N rows if sel is nil,
// for which the expression is TRUE, in order. dst must not share memory with
// sel. In an AND the operands behind one that is not TRUE are not computed. An
// error in the value of a row is a *function.RowError.
func (p *Predicate) Select(b *vector.Batch, sel []int32, dst []int32) ([]int32, error) {
	p.m.begin(b)
	if dst == nil {
		dst = []int32{} // nil would say all rows
	}
	return p.c.choose(&p.m, sel, dst)
}

// slot numbers a value.
type slot int32

// step computes one slot for the rows of sel.
type step interface {
	run(m *machine, sel []int32) error
}

// block is steps in order.
type block []step

func (b block) run(m *machine, sel []int32) error {
	for _, s := range b {
		if err := s.run(m, sel); err != nil {
			return err
		}
	}
	return nil
}

// machine is the memory of a program.
type machine struct {
	n      int             // rows of the batch
	slots  []vector.Vector // values by slot
	regs   []vector.Vector // memory, of which slots take turns
	regOf  []int32         // register by slot
	cols   []column        // input columns that are read
	consts []*vector.Const
	live   []int32 // scratch of a step while it runs
}

type column struct {
	index int
	slot  slot
}

func (m *machine) begin(b *vector.Batch) {
	m.n = b.N
	for _, c := range m.cols {
		m.slots[c.slot] = b.Cols[c.index]
	}
	for _, c := range m.consts {
		c.N = b.N
	}
}

// reg returns the vector that slot s is computed into.
func (m *machine) reg(s slot) vector.Vector { return m.regs[m.regOf[s]] }

// first is the first row of sel.
func first(sel []int32) int {
	if len(sel) > 0 {
		return int(sel[0])
	}
	return 0
}
