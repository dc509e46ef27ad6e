package physical

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
)

// Cost is what a part of a plan is thought to take, in all: rows that operators
// emit, rows that they handle, and bytes that are read, sent between tasks and
// kept. It is a guess from the plan alone, made to compare plans.
type Cost struct{ Rows, CPU, IO, Network, Memory float64 }

// String returns the cost in EXPLAIN's spelling.
func (c Cost) String() string {
	return fmt.Sprintf("{%s rows, %s cpu, %s io, %s network, %s memory}", number(c.Rows), number(c.CPU), number(c.IO), number(c.Network), number(c.Memory))
}

func (c Cost) plus(o Cost) Cost {
	return Cost{c.Rows + o.Rows, c.CPU + o.CPU, c.IO + o.IO, c.Network + o.Network, c.Memory + o.Memory}
}

// Estimate is the rows an operator is thought to emit, and the cost up to it.
type Estimate struct {
	Rows float64
	Cost Cost
}

// String returns the estimate in EXPLAIN's spelling.
func (e Estimate) String() string {
	return "rowcount = " + number(e.Rows) + ", cumulative cost = " + e.Cost.String()
}

// unknownRows is what a table is taken to hold of which nothing is known, as in Flink.
const unknownRows = 1e8

// Estimates guesses rows and cost of every operator.
func Estimates(p *Plan) map[*Op]Estimate {
	out := map[*Op]Estimate{}
	for _, o := range p.Ops {
		var in []float64
		var e Estimate
		for _, edge := range o.Inputs {
			from := out[edge.From]
			in = append(in, from.Rows)
			e.Cost = e.Cost.plus(from.Cost)
			e.Cost.CPU += from.Rows
			if !edge.Fused && edge.Exchange != Forward {
				e.Cost.Network += from.Rows * rowSize(edge.From.Out)
			}
		}
		e.Rows = rowsOf(o, in)
		e.Cost.Rows += e.Rows
		switch s := o.Spec.(type) {
		case Source, GoSource:
			e.Cost.IO += e.Rows * rowSize(o.Out)
			e.Cost.CPU += e.Rows
		case Sink:
			e.Cost.IO += e.Rows * rowSize(o.Inputs[0].From.Out)
		case Join:
			e.Cost.Memory += in[0]*rowSize(o.Inputs[0].From.Out) + in[1]*rowSize(o.Inputs[1].From.Out)
		case Lookup:
			e.Cost.Memory += in[1] * rowSize(o.Inputs[1].From.Out)
		default:
			if state(s) != "" {
				e.Cost.Memory += e.Rows * rowSize(o.Out)
			}
		}
		out[o] = e
	}
	return out
}

// rowsOf guesses how many rows an operator emits for in rows of its inputs.
func rowsOf(o *Op, in []float64) float64 {
	first := 1.0
	if len(in) > 0 {
		first = in[0]
	}
	grouped := func(keys int) float64 {
		if keys == 0 {
			return math.Min(1, first)
		}
		return math.Max(math.Min(1, first), first*(1-math.Pow(0.5, float64(keys))))
	}
	switch s := o.Spec.(type) {
	case Source:
		rows := tableRows(s.Scan.Table)
		if s.Scan.Filter != nil {
			rows *= selectivity(s.Scan.Filter)
		}
		if s.Scan.Limit > 0 {
			rows = math.Min(rows, float64(s.Scan.Limit))
		}
		return rows
	case GoSource:
		return unknownRows
	case Values:
		return float64(len(s.Rows))
	case Calc:
		if s.Filter != nil {
			return first * selectivity(s.Filter)
		}
	case Aggregate:
		return grouped(len(s.Keys))
	case WindowAggregate:
		return grouped(len(s.Keys) + 1)
	case WindowAssign:
		if w := s.Assign.Window; w.Kind == plan.Hop || w.Kind == plan.Cumulate {
			return first * math.Ceil(float64(w.Size)/math.Max(1, float64(w.Slide)))
		}
	case Expand:
		return first * float64(len(s.Sets))
	case Rules:
		rows := 0.0
		for _, r := range s.Rules.Rules {
			rows += first * selectivity(r.Cond)
		}
		return rows
	case Join:
		return joined(s.Join, in)
	case IntervalJoin:
		return joined(s.Join, in)
	case WindowJoin:
		return joined(s.Join, in)
	case Union:
		rows := 0.0
		for _, n := range in {
			rows += n
		}
		return rows
	case SetOp:
		if s.Op == plan.Except {
			return first / 2
		}
		return math.Min(in[0], in[1]) / 2
	case Rank:
		if s.Limit >= 0 {
			return math.Min(first, float64(s.Limit))
		}
	case TopN:
		groups := 1.0
		if n := len(s.Rank.Partition); n > 0 {
			groups = grouped(n)
		}
		return math.Min(first, groups*float64(s.Rank.Limit))
	case WindowRank:
		return math.Min(first, grouped(1)*float64(s.Rank.Limit))
	case Match:
		return first * 0.25
	}
	return first
}

// joined guesses the rows of a join: with keys each row of the larger side finds one.
func joined(j *plan.Join, in []float64) float64 {
	l, r := in[0], in[1]
	rows := l * r
	if len(j.LeftKeys) > 0 {
		rows = math.Max(l, r)
	}
	if j.Cond != nil {
		rows *= selectivity(j.Cond)
	}
	switch j.Kind {
	case plan.Semi, plan.Anti:
		return l / 2
	case plan.Left:
		rows = math.Max(rows, l)
	case plan.Right:
		rows = math.Max(rows, r)
	case plan.Full:
		rows = math.Max(rows, math.Max(l, r))
	}
	return rows
}

// tableRows is how many rows the options of a table promise.
func tableRows(t *plan.Table) float64 {
	if n, err := strconv.ParseFloat(t.Options["number-of-rows"], 64); err == nil && n >= 0 {
		return n
	}
	return unknownRows
}

// selectivity guesses the share of rows for which a condition is TRUE.
func selectivity(e plan.Expr) float64 {
	o, ok := e.(*plan.OpExpr)
	if !ok {
		if l, ok := e.(*plan.Literal); ok {
			if l.Value == true {
				return 1
			}
			return 0
		}
		if c, ok := e.(*plan.Call); ok && c.Fn.Name == "LIKE" {
			return 0.25
		}
		return 0.25
	}
	switch o.Op {
	case plan.And:
		s := 1.0
		for _, a := range o.Args {
			s *= selectivity(a)
		}
		return s
	case plan.Or:
		none := 1.0
		for _, a := range o.Args {
			none *= 1 - selectivity(a)
		}
		return 1 - none
	case plan.Not, plan.IsFalse, plan.IsNotTrue:
		return 1 - selectivity(o.Args[0])
	case plan.IsTrue, plan.IsNotFalse:
		return selectivity(o.Args[0])
	case plan.Eq, plan.NotDistinct:
		return 0.15
	case plan.Ne:
		return 0.85
	case plan.Lt, plan.Le, plan.Gt, plan.Ge:
		return 0.5
	case plan.In:
		return math.Min(0.5, 0.15*float64(len(o.Args)-1))
	case plan.IsNull:
		return 0.1
	case plan.IsNotNull:
		return 0.9
	}
	return 0.25
}

// rowSize guesses the bytes of a row.
func rowSize(s *types.Schema) float64 {
	n := 0.0
	for _, f := range s.Fields {
		n += valueSize(f.Type)
	}
	return n
}

func valueSize(t types.Type) float64 {
	switch t.Kind {
	case types.Boolean, types.TinyInt:
		return 1
	case types.SmallInt:
		return 2
	case types.Int, types.Float, types.Date, types.Time, types.IntervalYM:
		return 4
	case types.BigInt, types.Double, types.IntervalDS:
		return 8
	case types.Decimal, types.Timestamp, types.TimestampLTZ:
		return 12
	case types.Char, types.Binary:
		return float64(t.Prec)
	case types.Row:
		n := 0.0
		for _, f := range t.Fields {
			n += valueSize(f.Type)
		}
		return n
	case types.Array, types.Multiset:
		return 4 * valueSize(*t.Elem)
	case types.Map:
		return 4 * (valueSize(*t.Key) + valueSize(*t.Elem))
	}
	return 12
}

// number writes a guess as Flink does: 1.0E8 from ten millions on.
func number(f float64) string {
	if f != 0 && (f >= 1e7 || f < 1e-3) {
		s := strconv.FormatFloat(f, 'E', -1, 64)
		mantissa, exponent, _ := strings.Cut(s, "E")
		if !strings.Contains(mantissa, ".") {
			mantissa += ".0"
		}
		n, _ := strconv.Atoi(exponent)
		return mantissa + "E" + strconv.Itoa(n)
	}
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}
