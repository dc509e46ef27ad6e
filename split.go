package runnel

import (
	"fmt"
	"strings"
)

// Branch is a condition of Split.
type Branch struct {
	label string
	cond  string // "": all other rows
	args  []any
}

// When is the branch of the rows for which a condition is TRUE. Its label is the
// condition's text.
func When(cond string, args ...any) Branch { return Branch{label: cond, cond: cond, args: args} }

// Otherwise is the branch of the rows that no branch before it takes. Its label
// is "otherwise".
func Otherwise() Branch { return Branch{label: "otherwise"} }

// As gives a branch another label.
func (b Branch) As(label string) Branch {
	b.label = label
	return b
}

// SplitStream is a stream that was split.
type SplitStream struct {
	in       *DataStream
	labels   []string
	branches []*DataStream
}

// Split gives each row to the first branch that takes it.
func (d *DataStream) Split(branches ...Branch) *SplitStream {
	s := &SplitStream{in: d}
	var before []string
	var args []any
	for _, b := range branches {
		var conds []string
		if b.cond != "" {
			conds = append(conds, "("+b.cond+")")
		}
		var out *DataStream
		// The arguments stand in the order of the text: those of the branch first.
		conds = append(conds, before...)
		all := append(append([]any(nil), b.args...), args...)
		if len(conds) == 0 {
			out = d
		} else {
			if b.cond != "" && d.job.err == nil { // a mistake is shown in the branch's own text
				if _, err := d.job.expr(d.node, b.cond, b.args); err != nil {
					d.job.fail("Split", err)
				}
			}
			out = d.Filter(strings.Join(conds, " AND "), all...)
		}
		s.labels = append(s.labels, b.label)
		s.branches = append(s.branches, out)
		if b.cond == "" {
			before = append(before, "FALSE")
			continue
		}
		before = append(before, "("+b.cond+") IS NOT TRUE")
		args = append(args, b.args...)
	}
	return s
}

// Select returns the branch of a label.
func (s *SplitStream) Select(label string) *DataStream {
	for i, l := range s.labels {
		if l == label {
			return s.branches[i]
		}
	}
	s.in.job.fail("Select", fmt.Errorf("no branch %q; there are %s", label, strings.Join(s.labels, ", ")))
	return s.in.job.broken()
}

// Branch returns branch i, from 0.
func (s *SplitStream) Branch(i int) *DataStream {
	if i < 0 || i >= len(s.branches) {
		s.in.job.fail("Branch", fmt.Errorf("no branch %d of %d", i, len(s.branches)))
		return s.in.job.broken()
	}
	return s.branches[i]
}

// Branches returns all branches in their order.
func (s *SplitStream) Branches() []*DataStream { return s.branches }
