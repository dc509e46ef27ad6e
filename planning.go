package runnel

import (
	"fmt"
	"maps"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/internal/bind"
	"github.com/runnelio/runnel/internal/compile"
	"github.com/runnelio/runnel/internal/optimize"
	"github.com/runnelio/runnel/internal/physical"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/internal/sql/ast"
)

// bindOptions are those of a session with more tables and parameters.
func bindOptions(s *compile.Session, tables map[string]plan.Node, args []any) (*bind.Options, error) {
	o := s.Bind()
	o.Tables = maps.Clone(o.Tables)
	maps.Copy(o.Tables, tables)
	var err error
	o.Params, err = params(args)
	return o, err
}

func bindQuery(o *bind.Options, q ast.Query) (plan.Node, error) { return bind.Query(o, q) }

func bindInserts(o *bind.Options, list []*ast.Insert) ([]plan.Node, error) {
	sinks, err := bind.Inserts(o, list)
	if err != nil {
		return nil, err
	}
	out := make([]plan.Node, len(sinks))
	for i, s := range sinks {
		out[i] = s
	}
	return out, nil
}

// optimized rewrites the plans of a job so that each Go operator stays one: two
// sinks behind it share it, and its function sees each row once. The part below
// a Go operator is optimised with it as the root; above it a stand-in takes its
// place.
func optimized(s *compile.Session, roots []plan.Node) ([]plan.Node, error) {
	standIns := map[*plan.Opaque]*plan.GoSource{} // as built -> stand-in
	done := map[plan.Node]plan.Node{}             // stand-in -> operator, optimised
	memo := map[plan.Node]plan.Node{}
	var cut func(n plan.Node) (plan.Node, error) // n with stand-ins
	cut = func(n plan.Node) (plan.Node, error) {
		if m, ok := memo[n]; ok {
			return m, nil
		}
		in := n.Inputs()
		next, changed := make([]plan.Node, len(in)), false
		for i, c := range in {
			var err error
			if next[i], err = cut(c); err != nil {
				return nil, err
			}
			changed = changed || next[i] != c
		}
		out := n
		if changed {
			out = n.WithInputs(next)
		}
		if x, ok := n.(*plan.Opaque); ok {
			opt, err := s.Optimize([]plan.Node{out})
			if err != nil {
				return nil, err
			}
			standIns[x] = &plan.GoSource{Name: x.Name, Out: x.Out}
			done[standIns[x]] = opt[0]
			out = standIns[x]
		}
		memo[n] = out
		return out, nil
	}
	cutRoots := make([]plan.Node, len(roots))
	for i, r := range roots {
		var err error
		if cutRoots[i], err = cut(r); err != nil {
			return nil, err
		}
	}
	opt, err := s.Optimize(cutRoots)
	if err != nil || len(done) == 0 {
		return opt, err
	}
	whole := map[plan.Node]plan.Node{}
	var join func(n plan.Node) plan.Node // n with the operators again
	join = func(n plan.Node) plan.Node {
		if m, ok := whole[n]; ok {
			return m
		}
		from := n
		if x, ok := done[n]; ok {
			n = x
		}
		in := n.Inputs()
		next, changed := make([]plan.Node, len(in)), false
		for i, c := range in {
			next[i] = join(c)
			changed = changed || next[i] != c
		}
		if changed {
			n = n.WithInputs(next)
		}
		whole[from] = n
		return n
	}
	for i, r := range opt {
		opt[i] = join(r)
	}
	// Once more without rules, for what all roots have in common: equal scans.
	off := map[string]bool{}
	for _, r := range optimize.Rules() {
		off[r.Name] = true
	}
	return optimize.Roots(&optimize.Options{Off: off, Functions: s.Functions, Func: s.Func()}, opt)
}

// planJob takes the roots of a job the rest of the way. asksRows: functions of it
// may ask for the records of their rows.
func planJob(s *compile.Session, name string, roots []plan.Node, stateDir string, asksRows bool) (*compile.Job, error) {
	opt, err := optimized(s, roots)
	if err != nil {
		return nil, err
	}
	p, err := s.Physical(opt)
	if err != nil {
		return nil, err
	}
	p.Options.Metadata = asksRows
	j := &compile.Job{Name: name, Plan: p, Func: s.Func(), Checkpoint: s.Settings.Duration("execution.checkpointing.interval"), Dir: stateDir}
	if j.Dir == "" {
		if j.Dir = s.Settings.Get("execution.checkpointing.dir"); j.Dir == "" {
			j.Dir = s.Settings.Get("state.checkpoints.dir")
		}
	}
	j.Func.Params[paramJob] = name
	for _, r := range roots {
		if k, ok := r.(*plan.Sink); ok && k.Table != nil {
			j.Tables = append(j.Tables, k.Table.Path)
		}
	}
	return j, checkChangelogs(p)
}

// checkChangelogs refuses updates for Go sinks that take only inserts. Those of
// tables the planner has checked.
func checkChangelogs(p *physical.Plan) error {
	for _, o := range p.Ops {
		s, ok := o.Spec.(physical.Sink)
		if !ok || s.Sink.Table != nil || o.Changelog == physical.Append {
			continue
		}
		u, ok := s.Sink.Collect.(connector.Upserter)
		if !ok || u.Changelog() == connector.AppendOnly {
			return fmt.Errorf("the rows of %s are updated later, but its sink takes only inserts: end the stream with EachChange, or aggregate over a window", s.Sink.Name)
		}
	}
	return nil
}

// paramJob is where functions find the job's name.
const paramJob = "runnel.job"
