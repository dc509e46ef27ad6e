package match

import (
	"fmt"

	"github.com/runnelio/runnel/internal/eval"
	"github.com/runnelio/runnel/internal/exec/aggregate"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// slots is what an expression reads of the rows of a match.
type slots struct {
	of     []plan.MatchSlot
	cell   []int              // by slot: its first cell
	agg    []*aggregate.Calls // by slot; nil for others
	result [][]vector.Vector
	row    *vector.Batch // the slots' values, one row
}

// condition is the DEFINE of a variable; measure is an output column.
type condition struct {
	slots
	pred *eval.Predicate
	sel  []int32
}

type measure struct {
	slots
	prog *eval.Program
}

// compile prepares all expressions. The arguments of all slots become the cells of a row.
func (m *Match) compile() error {
	var args []plan.Expr
	all := func(x *plan.MatchExpr) (slots, *types.Schema, error) {
		s := slots{of: x.Slots, agg: make([]*aggregate.Calls, len(x.Slots)), result: make([][]vector.Vector, len(x.Slots))}
		fields := make([]types.Field, len(x.Slots))
		for i, o := range x.Slots {
			s.cell = append(s.cell, len(args))
			fields[i] = types.Field{Name: fmt.Sprintf("s%d", i), Type: o.T}
			if o.Kind == plan.SlotAgg {
				call := plan.AggCall{Fn: o.Fn, Consts: o.Consts, Distinct: o.Distinct, Filter: -1, T: o.T}
				for k, a := range o.Args {
					call.Args, call.ArgTypes = append(call.Args, len(args)+k), append(call.ArgTypes, a.Type())
				}
				var err error
				if s.agg[i], err = aggregate.NewCalls([]plan.AggCall{call}, false, m.cx.Func); err != nil {
					return s, nil, err
				}
				s.agg[i].Resize(1)
				s.result[i] = s.agg[i].Vectors()
			}
			args = append(args, o.Args...)
		}
		schema := types.NewSchema(fields...)
		s.row = vector.NewBatch(schema, 1)
		return s, schema, nil
	}
	m.define, m.measures = make([]*condition, len(m.Pattern.Vars)), nil
	for v, x := range m.Pattern.Define {
		if x == nil {
			continue
		}
		s, schema, err := all(x)
		if err != nil {
			return err
		}
		pred, err := eval.CompilePredicate(x.Expr, schema, m.cx.Func)
		if err != nil {
			return err
		}
		m.define[v] = &condition{slots: s, pred: pred}
	}
	for i := range m.Pattern.Measures {
		x := &m.Pattern.Measures[i]
		s, schema, err := all(x)
		if err != nil {
			return err
		}
		prog, err := eval.Compile([]plan.Expr{x.Expr}, schema, m.cx.Func)
		if err != nil {
			return err
		}
		m.measures = append(m.measures, &measure{slots: s, prog: prog})
	}
	fields := make([]types.Field, len(args))
	for i, a := range args {
		fields[i] = types.Field{Name: fmt.Sprintf("c%d", i), Type: a.Type()}
	}
	m.cells = types.NewSchema(fields...)
	m.cell = vector.NewBatch(m.cells, 1)
	var err error
	m.args, err = eval.Compile(args, m.In, m.cx.Func)
	return err
}

// fits tells whether row at, taken as the next of r, fulfils the condition of a term.
func (m *Match) fits(p *partition, r *run, term int, at int64) (bool, error) {
	v := m.Pattern.Terms[term].Var
	c := m.define[v]
	if c == nil {
		return true, nil
	}
	if err := m.fill(p, r, &c.slots, v, at); err != nil {
		return false, err
	}
	sel, err := c.pred.Select(c.row, nil, c.sel[:0])
	c.sel = sel
	return len(sel) > 0, err
}

// value computes a measure of a complete match.
func (m *Match) value(p *partition, r *run, x *measure) (vector.Vector, error) {
	if err := m.fill(p, r, &x.slots, -1, -1); err != nil {
		return nil, err
	}
	out, err := x.prog.Eval(x.row, nil)
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// rowsOf returns the rows of a variable in r, -1: of all. own and at are the row
// that is tried, -1 for none: it is no row of r yet, and not in what is returned.
func (m *Match) rowsOf(r *run, v int) (from, n int64) {
	from = r.start
	if v < 0 {
		return from, r.len()
	}
	for i, t := range m.Pattern.Terms {
		if t.Var == v {
			return from, int64(r.counts[i])
		}
		from += int64(r.counts[i])
	}
	return from, 0
}

// fill puts the values of the slots into s.row. The row at is tried for variable own.
func (m *Match) fill(p *partition, r *run, s *slots, own int, at int64) error {
	s.row.Reset()
	for i := range s.of {
		o, col := &s.of[i], s.row.Cols[i]
		from, n := m.rowsOf(r, o.Var)
		tried := at >= 0 && (o.Var < 0 || o.Var == own)
		if tried {
			if n == 0 {
				from = at
			}
			n++ // the rows of a match are neighbours: at is the one behind
		}
		switch o.Kind {
		case plan.SlotRowtime:
			last := r.start + r.len() - 1
			if at >= 0 {
				last = at
			}
			f := col.(*vector.Flat[types.TS])
			k := vector.Extend(f, 1)
			f.Vals[k] = types.TS{Ms: m.timeOf(p, last)}
		case plan.SlotProctime:
			f := col.(*vector.Flat[types.TS])
			k := vector.Extend(f, 1)
			f.Vals[k] = types.TS{Ms: m.cx.Now()}
		case plan.SlotAgg:
			if err := m.aggregate(p, s, i, from, n, col); err != nil {
				return err
			}
		default:
			k := int64(o.Offset)
			if o.Kind == plan.SlotLast {
				k = n - 1 - k
			}
			if k < 0 || k >= n {
				vector.SetNullDeep(col, vector.Extend(col, 1))
				continue
			}
			m.cell.Reset()
			if err := m.read(p, from+k); err != nil {
				return err
			}
			vector.CopyRow(col, m.cell.Cols[s.cell[i]], 0)
		}
	}
	s.row.AppendKind(types.Insert)
	return nil
}

// read appends the cells of a row to m.cell.
func (m *Match) read(p *partition, at int64) error {
	if err := vector.ReadRowOf(m.cell.Cols, m.rows.Get(p.rows[at-p.base])[8:]); err != nil {
		return err
	}
	m.cell.AppendKind(types.Insert)
	return nil
}

// aggregate appends the aggregate of slot i over n rows from from on to col.
func (m *Match) aggregate(p *partition, s *slots, i int, from, n int64, col vector.Vector) error {
	m.cell.Reset()
	var rows, slot []int32
	for k := range n {
		if err := m.read(p, from+k); err != nil {
			return err
		}
		rows, slot = append(rows, int32(k)), append(slot, 0)
	}
	if err := s.agg[i].Update(m.cell, rows, slot, nil); err != nil {
		return err
	}
	if err := s.agg[i].Results([]int32{0}, s.result[i]); err != nil {
		return err
	}
	s.agg[i].Clear(0)
	vector.CopyRow(col, s.result[i][0], 0)
	return nil
}
