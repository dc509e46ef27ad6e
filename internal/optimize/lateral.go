package optimize

import (
	"slices"

	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
)

// lateral turns a Lateral into a join on what its right side says about the left.
func lateral(x *plan.Lateral) (plan.Node, error) {
	sub, conds, err := pull(x.Right, false, x.Span)
	if err != nil {
		return nil, err
	}
	j := makeJoin(x.Kind, x.Left, sub, conds, false, x.Span)
	// Columns that only the conditions needed go again.
	own := len(x.Out.Fields)
	if len(j.Schema().Fields) == own {
		return j, nil
	}
	p := &plan.Project{Input: j, Out: x.Out}
	for i, f := range j.Schema().Fields[:own] {
		p.Exprs = append(p.Exprs, &plan.Column{Index: i, T: f.Type, Name: f.Name})
	}
	return p, nil
}

// pullSort is pull for ORDER BY … LIMIT in a correlated query: the first rows
// for each value of what ties it to the outer query, a Rank partitioned by that.
func pullSort(s *plan.Sort, span diag.Span) (plan.Node, []outerCond, error) {
	in, conds, err := pull(s.Input, false, span)
	if err != nil {
		return nil, nil, err
	}
	if s.Limit < 0 && s.Offset == 0 { // the order is lost in a join anyway
		return in, conds, nil
	}
	if len(s.Keys) == 0 || s.Limit < 0 {
		return nil, nil, diag.At(span, diag.Unsupported, "LIMIT in a correlated query needs ORDER BY")
	}
	in, keys, conds, err := tie(in, conds, span)
	if err != nil {
		return nil, nil, err
	}
	r := &plan.Rank{Input: in, Partition: keys, Order: slices.Clone(s.Keys), Offset: s.Offset, Limit: s.Limit, Out: in.Schema(), Span: s.Span}
	return r, conds, nil
}

// pullRank is pull for a Top-N: what ties the query to the outer one joins the partition.
func pullRank(r *plan.Rank, span diag.Span) (plan.Node, []outerCond, error) {
	in, conds, err := pull(r.Input, false, span)
	if err != nil {
		return nil, nil, err
	}
	if r.Number {
		return nil, nil, diag.At(span, diag.Unsupported, "ROW_NUMBER in a correlated query cannot be turned into a join").Hint("use ORDER BY … LIMIT")
	}
	in, keys, conds, err := tie(in, conds, span)
	if err != nil {
		return nil, nil, err
	}
	out := *r
	out.Input, out.Partition, out.Out = in, append(keys, r.Partition...), in.Schema()
	return &out, conds, nil
}

// tie makes the inner sides of equalities columns of a projection on in, and
// returns which they are, with the conditions over them.
func tie(in plan.Node, conds []outerCond, span diag.Span) (plan.Node, []int, []outerCond, error) {
	p := &plan.Project{Input: in}
	fields := slices.Clone(in.Schema().Fields)
	for i, f := range fields {
		p.Exprs = append(p.Exprs, &plan.Column{Index: i, T: f.Type, Name: f.Name})
	}
	var keys []int
	for i, c := range conds {
		op, ok := c.expr.(*plan.OpExpr)
		if !ok || op.Op != plan.Eq && op.Op != plan.NotDistinct {
			return nil, nil, nil, diag.At(span, diag.Unsupported, "a correlated query with LIMIT can be tied to the outer query only by equalities")
		}
		inner, outer := op.Args[0], op.Args[1]
		if refersOut(inner) {
			inner, outer = outer, inner
		}
		if refersOut(inner) || hasColumns(outer) {
			return nil, nil, nil, diag.At(span, diag.Unsupported, "a correlated query with LIMIT can be tied to the outer query only by equalities between a column of each")
		}
		k := keyColumn(p, &fields, inner)
		keys = append(keys, k)
		conds[i] = outerCond{&plan.OpExpr{Op: op.Op, Args: []plan.Expr{outer, &plan.Column{Index: k, T: inner.Type(), Name: fields[k].Name}}, T: op.T, Span: op.Span}, true}
	}
	if len(fields) == len(in.Schema().Fields) {
		return in, keys, conds, nil
	}
	p.Out = types.NewSchema(fields...)
	return p, keys, conds, nil
}
