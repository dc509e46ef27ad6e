package compile

import (
	"fmt"
	"slices"
	"strings"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/internal/physical"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/internal/sql"
	"github.com/runnelio/runnel/internal/sql/ast"
)

// explainStatement answers EXPLAIN.
func (s *Session) explainStatement(x *ast.Explain) (*Result, error) {
	t, err := s.Explain(x)
	if err != nil {
		return nil, err
	}
	return text("result", t), nil
}

// Explain returns the value after each step of a query's way: the statement as
// it was read, the logical plan, the optimised plan, the tasks, and what details
// of EXPLAIN ask for besides: ESTIMATED_COST writes estimates to the tasks,
// JSON_EXECUTION_PLAN and PLAN_ADVICE add sections; changelogs always are told.
func (s *Session) Explain(stmt ast.Statement) (string, error) {
	t, err := s.explain(stmt)
	return t, placed(err, stmt)
}

func (s *Session) explain(stmt ast.Statement) (string, error) {
	var details []string
	if x, ok := stmt.(*ast.Explain); ok {
		stmt, details = x.Statement, x.Details
	}
	roots, err := s.explained(stmt)
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
	tasks := physical.Explain(p)
	if slices.Contains(details, "ESTIMATED_COST") {
		tasks = physical.ExplainCost(p)
	}
	b.WriteString("\n== Physical Plan ==\n" + tasks)
	for _, op := range p.Ops {
		if r, ok := op.Spec.(physical.Rules); ok && s.opts.DescribeRules != nil {
			t, err := s.opts.DescribeRules(r.Rules, s.Func())
			if err != nil {
				return "", err
			}
			b.WriteString("\n== Rule Index of " + op.ID + " ==\n" + t)
		}
	}
	if slices.Contains(details, "PLAN_ADVICE") {
		b.WriteString("\n== Advice ==\n")
		list := physical.Advice(p)
		for i, a := range list {
			fmt.Fprintf(&b, "advice[%d]: %s\n", i+1, a)
		}
		if len(list) == 0 {
			b.WriteString("No available advice\n")
		}
	}
	if slices.Contains(details, "JSON_EXECUTION_PLAN") {
		b.WriteString("\n== Physical Execution Plan ==\n" + physical.JSON(p))
	}
	return b.String(), nil
}

// explained binds the statement of EXPLAIN. That of CREATE TABLE … AS is bound
// with the table made, which goes again.
func (s *Session) explained(stmt ast.Statement) ([]plan.Node, error) {
	x, ok := stmt.(*ast.CreateTable)
	if !ok || x.As == nil {
		return s.Logical(stmt, nil)
	}
	insert, undo, err := s.prepareAs(x)
	if err != nil {
		return nil, err
	}
	if insert == nil { // IF NOT EXISTS, and there is one
		return s.Logical(&ast.QueryStatement{Place: x.Place, Query: x.As}, connector.Sink(nil))
	}
	roots, err := s.Logical(insert, nil)
	if e := undo(); err == nil {
		err = e
	}
	return roots, err
}
