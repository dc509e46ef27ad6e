package cli

import (
	"errors"
	"fmt"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/internal/compile"
	"github.com/runnelio/runnel/internal/engine"
	"github.com/runnelio/runnel/internal/sql/ast"
)

type queryCmd struct {
	Execute string `short:"e" help:"The SQL: statements, the queries of which are printed." placeholder:"SQL"`
	File    string `short:"f" help:"A file with the SQL; - is standard input." placeholder:"FILE"`
	Result  string `help:"final: the rows when the input has ended; changelog: every change." enum:"final,changelog" default:"final"`
	Format  string `help:"table, json (an object a line), csv, or rows (a JSON array a line)." enum:"table,json,csv,rows" default:"table"`
	sessionFlags
	stateFlags
	Stats bool `help:"Print what each operator did."`
}

func (c *queryCmd) Run(a *app) error {
	text, name := c.Execute, "query"
	switch {
	case c.Execute == "" && c.File == "" || c.Execute != "" && c.File != "":
		return &usageError{errors.New("query takes either -e SQL or -f FILE")}
	case c.File != "":
		var err error
		if text, err = a.read(c.File); err != nil {
			return rejected{err}
		}
		name = baseName(c.File)
	}
	e, err := a.engine(c.sessionFlags, c.stateFlags)
	if err != nil {
		return err
	}
	s, err := e.Session()
	if err != nil {
		return err
	}
	r := &scriptRun{a: a, e: e, quiet: true, stats: c.Stats}
	var printer *rowPrinter
	err = engine.Script(a.ctx, s, text, name, a.cut(engine.Steps{
		Statement: func(_ ast.Statement, res *compile.Result) error {
			if res.Schema == nil || c.Format == formatTable {
				return a.answer(res)
			}
			return a.answerAs(c.Format, res, s)
		},
		Collect: func() connector.Sink {
			printer = newRowPrinter(a.IO.Out, c.Format, s.Func().Zone)
			return printer
		},
		Query: func(_ ast.Statement, j *compile.Job) error {
			printer.order = j.Order
			if err := printer.begin(j.Schema, c.Result == "final"); err != nil {
				return err
			}
			run, err := e.Start(a.ctx, j)
			if err != nil {
				return jobError{err}
			}
			if err := r.finish(run); err != nil {
				_ = printer.Flush(a.ctx) // what was printed before the failure
				return err
			}
			return printer.end()
		},
		Insert: func(j *compile.Job, _ bool) error {
			run, err := e.Start(a.ctx, j)
			if err != nil {
				return jobError{err}
			}
			return r.finish(run)
		},
	}))
	return refused(err)
}

// answerAs prints the rows of SHOW and its like in one of the other formats.
func (a *app) answerAs(format string, res *compile.Result, s *compile.Session) error {
	p := newRowPrinter(a.IO.Out, format, s.Func().Zone)
	if err := p.begin(res.Schema, true); err != nil {
		return err
	}
	b := batchOf(res.Schema, res.Rows)
	if err := p.Write(a.ctx, b); err != nil {
		return err
	}
	for _, w := range res.Warnings {
		fmt.Fprintln(a.IO.Err, "warning: "+w)
	}
	return p.end()
}
