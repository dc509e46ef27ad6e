package cli

import (
	"fmt"

	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/sql"
	"github.com/runnelio/runnel/internal/sql/ast"
)

type explainCmd struct {
	Files   []string `arg:"" optional:"" help:"SQL files; - is standard input. Definitions take effect, queries and INSERTs are shown."`
	Execute string   `short:"e" help:"The SQL." placeholder:"SQL"`
	sessionFlags
}

func (c *explainCmd) Run(a *app) error {
	e, err := a.engine(c.sessionFlags, stateFlags{})
	if err != nil {
		return err
	}
	s, err := e.Session()
	if err != nil {
		return err
	}
	var texts []string
	if c.Execute != "" {
		texts = append(texts, c.Execute)
	}
	for _, f := range c.Files {
		t, err := a.read(f)
		if err != nil {
			return rejected{err}
		}
		texts = append(texts, t)
	}
	if len(texts) == 0 {
		return &usageError{fmt.Errorf("explain takes files or -e SQL")}
	}
	for _, text := range texts {
		stmts, err := sql.Parse(text, sql.Options{Dialect: s.Settings.Get("sql.dialect")})
		if err != nil {
			return rejected{err}
		}
		s.Text = text
		for _, stmt := range stmts {
			switch stmt.(type) {
			case *ast.QueryStatement, *ast.Insert, *ast.StatementSet:
				plan, err := s.Explain(stmt)
				if err != nil {
					return rejected{diag.WithSource(err, text)}
				}
				fmt.Fprintln(a.IO.Out, plan)
			default:
				r, err := s.Execute(a.ctx, stmt, nil)
				if err != nil {
					return rejected{diag.WithSource(err, text)}
				}
				if err := a.answer(r); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

type fmtCmd struct {
	Files   []string `arg:"" help:"SQL files; - is standard input."`
	Write   bool     `short:"w" help:"Write the result back to the files."`
	Check   bool     `help:"Only tell, by the exit code, whether the files are in canonical form."`
	Dialect string   `help:"Dialect of the files." enum:"flink,rsqldb" default:"flink"`
}

func (c *fmtCmd) Run(a *app) error {
	differs := false
	for _, f := range c.Files {
		text, err := a.read(f)
		if err != nil {
			return rejected{err}
		}
		out, err := sql.FormatScript(text, sql.Options{Dialect: c.Dialect})
		if err != nil {
			return rejected{fmt.Errorf("%s:%w", f, err)}
		}
		switch {
		case c.Check:
			if out != text {
				differs = true
				fmt.Fprintln(a.IO.Out, f)
			}
		case c.Write && f != "-":
			if out != text {
				if err := writeFile(f, out); err != nil {
					return err
				}
			}
		default:
			fmt.Fprint(a.IO.Out, out)
		}
	}
	if differs {
		return errSilent(ExitFailed)
	}
	return nil
}
