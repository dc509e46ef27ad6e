package physical

import "github.com/runnelio/runnel/internal/plan"

// Rules finds the rules that hold for each row, by an index of all of them.
type Rules struct{ Rules *plan.Rules }

// Kind names the operator in EXPLAIN and metrics.
func (Rules) Kind() string { return "Rules" }

// LiveRules is Rules over a set that changes while the job runs.
type LiveRules struct{ Live *plan.LiveRules }

// Kind names the operator in EXPLAIN and metrics.
func (LiveRules) Kind() string { return "LiveRules" }
