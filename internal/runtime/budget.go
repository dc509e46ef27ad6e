package runtime

import (
	"os"

	"github.com/runnelio/runnel/internal/physical"
	"github.com/runnelio/runnel/internal/state"
	"github.com/runnelio/runnel/internal/state/spill"
)

// budgets shares the memory for state out among the operators that can spill.
func (b *builder) budgets() {
	total := b.plan.Options.MemoryBudget
	if total < 0 {
		total = processBudget()
	}
	if total <= 0 {
		return
	}
	if u := b.opts.unit; u != nil {
		// How many units there will be is not known: the first get less than they
		// could have, the last ones a little more than is left.
		total /= int64(max(4, 2*u.number))
	}
	var able []*node
	for _, o := range b.plan.Ops {
		if s, ok := o.Spec.(physical.Aggregate); ok && len(s.Keys) > 0 {
			for sub := range o.Parallel {
				able = append(able, b.nodes[nodeKey{o, sub}])
			}
		}
	}
	dir := b.opts.SpillDir
	if dir == "" {
		dir = os.TempDir()
	}
	for _, n := range able {
		n.cx.Budget = max(1, total/int64(len(able)))
		n.cx.Spill = func() state.Spill { return spill.Open(dir) }
	}
}

// processBudget is a third of the memory this process may have: tables are
// copied when they grow, and the collector needs room. It is 0 without a limit.
func processBudget() int64 { return MemoryLimit() / 3 }
