package eval

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/internal/kernel"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// compiler turns expressions into steps.
type compiler struct {
	in     *types.Schema
	cx     *function.Context
	infos  []info
	cols   map[int]slot
	consts map[string]slot
	values []*vector.Const // of constant slots, in order
	ofs    []slot
	pos    int // counts steps: the time of register lifetimes
	ids    map[string]int
	memo   map[plan.Expr]int
	known  map[int][]computed // by id
}

// info is what the compiler knows of a slot. A register holds its value from
// the step def to the step last.
type info struct {
	typ       types.Type
	reg       bool // computed into a register
	alias     slot // the slot whose register this one shares, or itself
	def, last int
}

// scope is where steps go. The rows of a scope are among those of the outer
// one, so that what was computed there, or further out, is known here.
type scope struct {
	outer *scope
	depth int
	steps *block
}

// computed is a value that the steps of a scope compute.
type computed struct {
	in   *scope
	slot slot
}

// within tells whether s is outer or inside of it.
func (s *scope) within(outer *scope) bool {
	for s.depth > outer.depth {
		s = s.outer
	}
	return s == outer
}

func newCompiler(in *types.Schema, cx *function.Context) *compiler {
	if cx == nil {
		cx = &function.Context{}
	}
	return &compiler{
		in: in, cx: cx, cols: map[int]slot{}, consts: map[string]slot{},
		ids: map[string]int{}, memo: map[plan.Expr]int{}, known: map[int][]computed{},
	}
}

func (c *compiler) scope(outer *scope) *scope {
	s := &scope{outer: outer, steps: new(block)}
	if outer != nil {
		s.depth = outer.depth + 1
	}
	return s
}

func (c *compiler) slot(t types.Type, reg bool) slot {
	s := slot(len(c.infos))
	c.infos = append(c.infos, info{typ: t, reg: reg, alias: s, def: c.pos, last: c.pos})
	return s
}

// register returns a new slot that the next step, or the current one, computes.
func (c *compiler) register(t types.Type) slot {
	c.pos++
	return c.slot(t, true)
}

// use notes that the current step reads s.
func (c *compiler) use(s slot) {
	s = c.infos[s].alias
	c.infos[s].last = max(c.infos[s].last, c.pos)
}

// keep makes s last until the program ends.
func (c *compiler) keep(s slot) { c.infos[c.infos[s].alias].last = math.MaxInt }

func (c *compiler) emit(sc *scope, s step) { *sc.steps = append(*sc.steps, s) }

// machine lays out the registers. Those of texts and nested values are never
// shared: results may point into the memory of their operands.
func (c *compiler) machine() machine {
	m := machine{slots: make([]vector.Vector, len(c.infos)), regOf: make([]int32, len(c.infos)), consts: c.values}
	type register struct {
		typ  types.Type
		last int
	}
	var regs []register
next:
	for s := range c.infos { // ascending in def
		in := &c.infos[s]
		if !in.reg {
			continue
		}
		if phys := in.typ.Phys(); phys != types.PhysStr && phys < types.PhysList {
			for r := range regs {
				if regs[r].last < in.def && regs[r].typ.Equal(in.typ) {
					m.regOf[s], regs[r].last = int32(r), in.last
					continue next
				}
			}
		}
		m.regOf[s] = int32(len(regs))
		regs = append(regs, register{in.typ, in.last})
		m.regs = append(m.regs, vector.New(in.typ, 0))
	}
	for i, s := range c.ofs {
		m.slots[s] = c.values[i]
	}
	for index, s := range c.cols {
		m.cols = append(m.cols, column{index, s})
	}
	return m
}

// id numbers expressions so that equal ones have equal numbers; it is -1 for
// those that may not be shared.
func (c *compiler) id(e plan.Expr) int {
	if id, ok := c.memo[e]; ok {
		return id
	}
	id := -1
	if key, ok := c.key(e); ok {
		if id, ok = c.ids[key]; !ok {
			id = len(c.ids)
			c.ids[key] = id
		}
	}
	c.memo[e] = id
	return id
}

func (c *compiler) key(e plan.Expr) (string, bool) {
	var k strings.Builder
	switch e := e.(type) {
	case *plan.Column:
		fmt.Fprintf(&k, "column %d", e.Index)
	case *plan.Literal:
		fmt.Fprintf(&k, "literal %T %#v", e.Value, e.Value)
	case *plan.OpExpr:
		fmt.Fprintf(&k, "op %d %d", e.Op, e.Index)
	case *plan.Call:
		if e.Fn.Volatile {
			return "", false
		}
		fmt.Fprintf(&k, "call %p", e.Fn)
	case *plan.Cast:
		fmt.Fprintf(&k, "cast %v %s", e.Try, e.T.Unit)
	default:
		return "", false
	}
	t := e.Type()
	fmt.Fprintf(&k, " %v %s", t.Nullable, t)
	for _, x := range e.Children() {
		id := c.id(x)
		if id < 0 {
			return "", false
		}
		fmt.Fprintf(&k, " %d", id)
	}
	return k.String(), true
}

// value returns the slot that has e for the rows of the scope, computing it
// there if need be.
func (c *compiler) value(e plan.Expr, sc *scope) (slot, error) {
	switch e := e.(type) {
	case *plan.Column:
		return c.column(e)
	case *plan.Literal:
		return c.literal(e), nil
	}
	id := c.id(e)
	if id >= 0 {
		for _, k := range c.known[id] {
			if sc.within(k.in) {
				return k.slot, nil
			}
		}
	}
	v, err := c.compute(e, sc)
	if err == nil && c.infos[v].typ.Phys() != e.Type().Phys() {
		return 0, fmt.Errorf("eval: an expression of %s says it is %s", c.infos[v].typ, e.Type())
	}
	if err == nil && id >= 0 {
		c.known[id] = append(c.known[id], computed{sc, v})
	}
	return v, err
}

func (c *compiler) compute(e plan.Expr, sc *scope) (slot, error) {
	switch e := e.(type) {
	case *plan.OpExpr:
		return c.operator(e, sc)
	case *plan.Cast:
		return c.castExpr(e, sc)
	case *plan.Call:
		return c.call(e, sc)
	case *plan.Outer:
		return 0, fmt.Errorf("eval: column %s of an enclosing query can not be computed", e.Name)
	case *plan.Subquery:
		return 0, errors.New("eval: a sub-query can not be computed as an expression")
	}
	return 0, fmt.Errorf("eval: unknown expression %T", e)
}

func (c *compiler) column(e *plan.Column) (slot, error) {
	if c.in == nil || e.Index < 0 || e.Index >= len(c.in.Fields) {
		return 0, fmt.Errorf("eval: no column %d (%s) in the input", e.Index, e.Name)
	}
	if have := c.in.Fields[e.Index].Type; have.Phys() != e.T.Phys() {
		return 0, fmt.Errorf("eval: column %d (%s) is %s, not %s", e.Index, e.Name, have, e.T)
	}
	s, ok := c.cols[e.Index]
	if !ok {
		s = c.slot(e.T, false)
		c.cols[e.Index] = s
	}
	return s, nil
}

func (c *compiler) literal(e *plan.Literal) slot {
	key, _ := c.key(e)
	if s, ok := c.consts[key]; ok {
		return s
	}
	s := c.slot(e.T, false)
	c.consts[key] = s
	c.values = append(c.values, vector.NewConst(e.T, e.Value, 0))
	c.ofs = append(c.ofs, s)
	return s
}

// operands returns the slots of several expressions.
func (c *compiler) operands(es []plan.Expr, sc *scope) ([]slot, error) {
	slots := make([]slot, len(es))
	for i, e := range es {
		var err error
		if slots[i], err = c.value(e, sc); err != nil {
			return nil, err
		}
	}
	return slots, nil
}

func (c *compiler) operator(e *plan.OpExpr, sc *scope) (slot, error) {
	if err := arity(e); err != nil {
		return 0, err
	}
	switch e.Op {
	case plan.Add, plan.Sub, plan.Mul, plan.Div, plan.Mod, plan.Neg:
		return c.arithmetic(e, sc)
	case plan.Eq, plan.Ne, plan.Lt, plan.Le, plan.Gt, plan.Ge:
		return c.comparison(e, sc)
	case plan.Distinct, plan.NotDistinct:
		return c.distinct(e, sc)
	case plan.And, plan.Or:
		return c.andOr(e, sc)
	case plan.Not:
		return c.not(e, sc)
	case plan.IsNull, plan.IsNotNull, plan.IsTrue, plan.IsNotTrue, plan.IsFalse, plan.IsNotFalse:
		return c.is(e, sc)
	case plan.Case:
		return c.caseExpr(e, sc)
	case plan.Coalesce:
		return c.coalesce(e, sc)
	case plan.In:
		return c.membership(e, sc)
	case plan.Field:
		return c.field(e, sc)
	case plan.MakeRow:
		return c.makeRow(e, sc)
	case plan.MakeArray:
		return c.makeArray(e, sc)
	case plan.MakeMap:
		return c.makeMap(e, sc)
	}
	return 0, fmt.Errorf("eval: unknown operator %d", e.Op)
}

// arity checks the number of operands, and that tests give BOOLEAN.
func arity(e *plan.OpExpr) error {
	least, most := 1, math.MaxInt
	switch e.Op {
	case plan.Add, plan.Sub, plan.Mul, plan.Div, plan.Mod, plan.Eq, plan.Ne, plan.Lt, plan.Le, plan.Gt, plan.Ge,
		plan.Distinct, plan.NotDistinct:
		least, most = 2, 2
	case plan.Neg, plan.Not, plan.IsNull, plan.IsNotNull, plan.IsTrue, plan.IsNotTrue, plan.IsFalse, plan.IsNotFalse, plan.Field:
		most = 1
	case plan.Case:
		least = 2
	case plan.MakeRow, plan.MakeArray, plan.MakeMap:
		least = 0
	}
	if n := len(e.Args); n < least || n > most {
		return fmt.Errorf("eval: operator %s of %d operands", name(e.Op), n)
	}
	if e.Op >= plan.Eq && e.Op <= plan.IsNotFalse || e.Op == plan.In {
		if e.T.Kind != types.Boolean {
			return illTyped(e)
		}
	}
	return nil
}

// coerce returns e as a value of type t: e itself where its values need not change.
func (c *compiler) coerce(e plan.Expr, t types.Type) plan.Expr {
	from := e.Type()
	switch {
	case from.Kind == types.Null:
		return &plan.Literal{T: t.OrNull()}
	case kernel.Free(from, t):
		return e
	}
	cast := &plan.Cast{X: e, T: t.WithNull(from.Nullable)}
	if _, ok := e.(*plan.Literal); ok {
		if v, err := evalConst(cast, c.cx); err == nil {
			return &plan.Literal{Value: v, T: cast.T.WithNull(v == nil)}
		}
	}
	return cast
}

func name(op plan.Op) string {
	names := [...]string{
		plan.Add: "+", plan.Sub: "-", plan.Mul: "*", plan.Div: "/", plan.Mod: "%", plan.Neg: "-", plan.Eq: "=", plan.Ne: "<>",
		plan.Lt: "<", plan.Le: "<=", plan.Gt: ">", plan.Ge: ">=", plan.Distinct: "IS DISTINCT FROM",
		plan.NotDistinct: "IS NOT DISTINCT FROM", plan.And: "AND", plan.Or: "OR", plan.Not: "NOT", plan.IsNull: "IS NULL",
		plan.IsNotNull: "IS NOT NULL", plan.IsTrue: "IS TRUE", plan.IsNotTrue: "IS NOT TRUE", plan.IsFalse: "IS FALSE",
		plan.IsNotFalse: "IS NOT FALSE", plan.Case: "CASE", plan.Coalesce: "COALESCE", plan.In: "IN", plan.Field: "field access",
		plan.MakeRow: "ROW", plan.MakeArray: "ARRAY", plan.MakeMap: "MAP",
	}
	if int(op) < len(names) && names[op] != "" {
		return names[op]
	}
	return fmt.Sprint(uint8(op))
}

// illTyped is the error of an operator on types it does not know.
func illTyped(e *plan.OpExpr) error {
	ts := make([]string, len(e.Args))
	for i, a := range e.Args {
		ts[i] = a.Type().String()
	}
	return fmt.Errorf("eval: no operator %s of (%s) giving %s", name(e.Op), strings.Join(ts, ", "), e.T)
}
