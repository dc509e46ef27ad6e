// Package optimize rewrites logical plans. A rule never changes a result; a
// standing test runs every script with each rule off.
//
// optimize.go has the rules in their order, decorrelate.go sub-queries into
// joins (which is not optional), lateral.go the same for LATERAL, rank.go Top-N, fold.go constants, pushdown.go filters towards
// the sources, prune.go unused columns, limit.go LIMIT into sources, watermark.go watermarks nobody needs, merge.go
// neighbours into one, share.go equal scans of several sinks into one.
package optimize

import (
	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/plan"
)

// Options choose the rules.
type Options struct {
	// Off names rules to leave out; for tests and for `SET 'optimizer.disable'`.
	Off map[string]bool
	// Functions finds functions that rewrites need.
	Functions *function.Set
	Func      *function.Context
}

// Rule is one family of rewrites.
type Rule struct {
	Name string
	Doc  string
	// Apply rewrites one root.
	Apply func(o *Options, n plan.Node) (plan.Node, error)
}

// Rules returns the rules in the order they are applied.
func Rules() []Rule {
	return []Rule{
		{"fold", "expressions over constants are computed once", fold},
		{"watermark", "watermark assigners go where nothing above looks at event time", watermarks},
		{"merge", "neighbouring projections and filters become one; those that do nothing go", merge},
		{"pushdown", "conditions move towards the sources, into the decoding of a scan", pushdown},
		{"join", "outer joins whose padded rows a filter drops become inner", strengthen},
		{"merge-between", "as merge, after conditions went", merge},
		{"prune", "columns nobody reads are not computed, decoded or kept in state", prune},
		{"merge-again", "as merge, after columns went", merge},
		{"limit", "LIMIT without order stops the source", limit},
	}
}

// Roots optimises the plans of a job together: each root by itself, then what
// they have in common.
func Roots(o *Options, roots []plan.Node) ([]plan.Node, error) {
	raw := make([]plan.Node, len(roots))
	for i, n := range roots {
		if size(n, map[plan.Node]float64{}) > maxNodes {
			return nil, diag.At(diag.Span{}, diag.Limit, "the query is too large: it has more than %d operators once views and WITH are put in", maxNodes)
		}
		n, err := Decorrelate(o, n)
		if err != nil {
			return nil, err
		}
		if raw[i], err = ranks(o, n); err != nil {
			return nil, err
		}
	}
	if !o.Off["rules"] {
		raw = combine(raw)
	}
	out := make([]plan.Node, len(raw))
	for i, n := range raw {
		var err error
		for _, r := range Rules() {
			if o.Off[r.Name] {
				continue
			}
			if n, err = r.Apply(o, n); err != nil {
				return nil, err
			}
			if r.Name == "pushdown" { // a condition may have come down to a ROW_NUMBER
				if n, err = ranks(o, n); err != nil {
					return nil, err
				}
			}
		}
		out[i] = n
	}
	if !o.Off["share"] {
		out = share(out)
	}
	return out, nil
}

// maxNodes bounds a plan: a few lines of WITH can ask for any number of operators.
const maxNodes = 200_000

// size counts the nodes of a plan as if nothing were shared.
func size(n plan.Node, known map[plan.Node]float64) float64 {
	if s, ok := known[n]; ok {
		return s
	}
	s := 1.0
	for _, in := range n.Inputs() {
		s += size(in, known)
	}
	known[n] = s
	return s
}

// rewrite applies f to every node, inputs first. Nodes that several consumers
// share stay shared.
func rewrite(n plan.Node, f func(plan.Node) (plan.Node, error)) (plan.Node, error) {
	return rewriteShared(n, f, map[plan.Node]plan.Node{})
}

func rewriteShared(n plan.Node, f func(plan.Node) (plan.Node, error), done map[plan.Node]plan.Node) (plan.Node, error) {
	if r, ok := done[n]; ok {
		return r, nil
	}
	old := n
	in := n.Inputs()
	var changed []plan.Node
	for i, c := range in {
		r, err := rewriteShared(c, f, done)
		if err != nil {
			return nil, err
		}
		if r != c && changed == nil {
			changed = append([]plan.Node(nil), in...)
		}
		if changed != nil {
			changed[i] = r
		}
	}
	if changed != nil {
		n = n.WithInputs(changed)
	}
	r, err := f(n)
	if err != nil {
		return nil, err
	}
	done[old] = r
	return r, nil
}
