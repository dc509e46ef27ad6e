package relational

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
)

// DescribeRules tells how the rules of a node are indexed: what they share, and
// which of them no index helps, by their constants and conditions.
func DescribeRules(r *plan.Rules, cx *function.Context) (string, error) {
	in := r.Input.Schema()
	s := NewRuleSet(r.Rules, in, r.Out, 0)
	if err := s.open(cx); err != nil {
		return "", err
	}
	ix := s.set.Index()
	sum := ix.Summary()
	var b strings.Builder
	fmt.Fprintf(&b, "%d rules, %d decided by the index alone, %d confirmed by their whole condition, %d not indexed\n",
		sum.Rules, sum.Rules-sum.Confirmed, sum.Confirmed, sum.Unindexed)
	fmt.Fprintf(&b, "%d different tests of values, used %d times\n", sum.Atoms, sum.Uses)
	for _, f := range sum.Fields {
		fmt.Fprintf(&b, "  %s: %d rules, %d tests\n", f.Name, f.Rules, f.Atoms)
	}
	if d := ix.Discriminators(); len(d) > 0 {
		fmt.Fprintf(&b, "rows are first divided by %s\n", strings.Join(d, ", "))
	}
	const most = 20
	bad := ix.Unindexed()
	for i, id := range bad {
		if i == most {
			fmt.Fprintf(&b, "  and %d more\n", len(bad)-most)
			break
		}
		n, err := strconv.Atoi(id)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "not indexed, evaluated for every new combination of values: %s\n", describeRule(r, n, len(in.Fields)))
	}
	return b.String(), nil
}

// describeRule is a rule's constants and condition, shortened.
func describeRule(r *plan.Rules, n, width int) string {
	var parts []string
	for i, v := range r.Rules[n].Consts {
		f := r.Out.Fields[width+i]
		if v == nil {
			parts = append(parts, f.Name+"=NULL")
			continue
		}
		parts = append(parts, f.Name+"="+string(types.AppendValue(nil, v, f.Type, nil)))
	}
	return fmt.Sprintf("%.300s", strings.Join(parts, " ")+": "+plan.String(r.Rules[n].Cond))
}
