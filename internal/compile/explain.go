package compile

import (
	"strings"

	"github.com/runnelio/runnel/internal/physical"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/internal/sql"
	"github.com/runnelio/runnel/internal/sql/ast"
)

// explainStatement answers EXPLAIN.
func (s *Session) explainStatement(x *ast.Explain) (*Result, error) {
	t, err := s.Explain(x.Statement)
	if err != nil {
		return nil, err
	}
	r := text("result", t)
	for _, d := range x.Details {
		switch d {
		case "CHANGELOG_MODE": // always shown
		default:
			r.Warnings = append(r.Warnings, "EXPLAIN "+d+" adds nothing here")
		}
	}
	return r, nil
}

// Explain returns the value after each step of a query's way: the statement as
// it was read, the logical plan, the optimised plan, the tasks.
func (s *Session) Explain(stmt ast.Statement) (string, error) {
	if x, ok := stmt.(*ast.Explain); ok {
		stmt = x.Statement
	}
	roots, err := s.Logical(stmt, nil)
	if err != nil {
		return "", err
	}
	opt, err := s.Optimize(roots)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString("== Statement ==\n" + strings.TrimRight(sql.Format(stmt), "\n") + "\n")
	b.WriteString("\n== Logical Plan ==\n" + plan.Format(roots...))
	b.WriteString("\n== Optimized Plan ==\n" + plan.Format(opt...))
	o, err := s.physicalOptions(stmt)
	if err != nil {
		return "", err
	}
	p, err := physical.Build(opt, o)
	if err != nil {
		return "", err
	}
	b.WriteString("\n== Physical Plan ==\n" + physical.Explain(p))
	for _, op := range p.Ops {
		if r, ok := op.Spec.(physical.Rules); ok && s.opts.DescribeRules != nil {
			t, err := s.opts.DescribeRules(r.Rules, s.Func())
			if err != nil {
				return "", err
			}
			b.WriteString("\n== Rule Index of " + op.ID + " ==\n" + t)
		}
	}
	return b.String(), nil
}
