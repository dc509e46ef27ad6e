package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"github.com/reeflective/readline"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/internal/compile"
	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/engine"
	"github.com/runnelio/runnel/internal/runtime"
	"github.com/runnelio/runnel/internal/sql"
	"github.com/runnelio/runnel/internal/sql/ast"
)

type sqlCmd struct {
	Init string `short:"i" help:"A file to run first." type:"path" placeholder:"FILE"`
	sessionFlags
	stateFlags
}

func (c *sqlCmd) Run(a *app) error {
	e, err := a.engine(c.sessionFlags, c.stateFlags)
	if err != nil {
		return err
	}
	s, err := e.Session()
	if err != nil {
		return err
	}
	if c.Init != "" {
		text, err := a.read(c.Init)
		if err != nil {
			return rejected{err}
		}
		r := &scriptRun{a: a, e: e}
		if err := r.script(s, text, baseName(c.Init)); err != nil {
			return fmt.Errorf("%s:%w", c.Init, err)
		}
		if err := r.wait(); err != nil {
			return err
		}
	}
	if !isTerminal(a.IO.In) || !isTerminal(a.IO.Out) {
		text, err := io.ReadAll(a.IO.In)
		if err != nil {
			return err
		}
		r := &scriptRun{a: a, e: e, quiet: true}
		if err := r.script(s, string(text), "stdin"); err != nil {
			return err
		}
		return r.wait()
	}
	sh := &shell{a: a, e: e, s: s}
	return sh.loop()
}

// shell is the interactive shell: statements are read until a semicolon, run,
// and their answers shown. A SELECT is shown as a table that updates in place
// until it ends or Ctrl-C; jobs of INSERTs run in the background.
type shell struct {
	a    *app
	e    *engine.Engine
	s    *compile.Session
	jobs []*runtime.Job
}

func (sh *shell) loop() error {
	rl := readline.NewShell()
	rl.Prompt.Primary(func() string { return "runnel> " })
	rl.Prompt.Secondary(func() string { return "   ...> " })
	rl.AcceptMultiline = func(line []rune) bool { return complete(string(line), sh.s.Settings.Get("sql.dialect")) }
	rl.Completer = func(line []rune, cursor int) readline.Completions {
		return sh.completions(string(line[:cursor]))
	}
	if path := historyFile(); path != "" {
		rl.History.AddFromFile("runnel", path)
	}
	fmt.Fprintf(sh.a.IO.Out, "Runnel %s. Statements end with a semicolon; HELP; for help, QUIT; or Ctrl-D to leave.\n", Version)
	for {
		line, err := rl.Readline()
		switch {
		case errors.Is(err, io.EOF):
			return sh.leave()
		case errors.Is(err, readline.ErrInterrupt):
			continue
		case err != nil:
			return err
		}
		word := strings.ToUpper(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(line), ";")))
		switch word {
		case "":
			continue
		case "QUIT", "EXIT":
			return sh.leave()
		case "CLEAR":
			fmt.Fprint(sh.a.IO.Out, "\x1b[H\x1b[2J")
			continue
		case "HELP":
			fmt.Fprint(sh.a.IO.Out, help)
			continue
		case "JOBS":
			sh.list()
			continue
		}
		if err := sh.execute(line); err != nil {
			fmt.Fprintln(sh.a.IO.Out, diag.Render(err))
		}
	}
}

const help = `CREATE TABLE …; INSERT INTO … SELECT …;   Flink SQL; an INSERT runs in the background
SELECT …;                                 shown in place while it runs; Ctrl-C ends it
SHOW TABLES; DESCRIBE t; SHOW FUNCTIONS;  what there is
EXPLAIN SELECT …;                         how it would run
SET 'key' = 'value'; SET;                 options
JOBS; CLEAR; QUIT;                        of the shell
`

// historyFile is where the lines of earlier sessions are; "" if there is no place for it.
func historyFile() string {
	dir, err := os.UserConfigDir()
	if err != nil {
		return ""
	}
	dir = filepath.Join(dir, "runnel")
	if os.MkdirAll(dir, 0o700) != nil {
		return ""
	}
	return filepath.Join(dir, "history")
}

// complete tells whether a text ends with a finished statement.
func complete(text, dialect string) bool {
	switch strings.ToUpper(strings.TrimSpace(text)) {
	case "", "QUIT", "EXIT", "HELP", "CLEAR", "JOBS":
		return true
	}
	pieces, rest := sql.Split(text, sql.Options{Dialect: dialect})
	return len(pieces) > 0 && strings.TrimSpace(rest) == ""
}

// leave stops the jobs in the background and waits for them.
func (sh *shell) leave() error {
	for _, j := range sh.jobs {
		j.Stop()
	}
	var errs []error
	for _, j := range sh.jobs {
		errs = append(errs, j.Wait())
	}
	return errors.Join(errs...)
}

func (sh *shell) list() {
	for _, j := range sh.jobs {
		state := "running"
		select {
		case <-j.Done():
			state = "finished"
			if err := j.Wait(); err != nil {
				state = "failed: " + err.Error()
			}
		default:
		}
		fmt.Fprintf(sh.a.IO.Out, "%-30s %-10s %s\n", j.Name, j.Elapsed().Round(time.Second), state)
	}
}

func (sh *shell) execute(text string) error {
	var view *liveView
	return engine.Script(sh.a.ctx, sh.s, text, "", engine.Steps{
		Statement: func(_ ast.Statement, res *compile.Result) error {
			if err := sh.a.answer(res); err != nil {
				return err
			}
			if res.Schema == nil {
				fmt.Fprintln(sh.a.IO.Out, "OK")
			}
			return nil
		},
		Collect: func() connector.Sink {
			view = newLiveView(sh.a.IO.Out, sh.s.Func().Zone)
			return view
		},
		Query: func(_ ast.Statement, j *compile.Job) error { return sh.query(j, view) },
		Insert: func(j *compile.Job, wait bool) error {
			run, err := sh.e.Start(sh.a.ctx, j)
			if err != nil {
				return err
			}
			sh.jobs = append(sh.jobs, run)
			if !wait {
				fmt.Fprintf(sh.a.IO.Out, "job %s runs\n", run.Name)
				return nil
			}
			return sh.until(run, func() {})
		},
	})
}

// query runs a SELECT until it ends or Ctrl-C.
func (sh *shell) query(j *compile.Job, view *liveView) error {
	if err := view.begin(j.Schema); err != nil {
		return err
	}
	run, err := sh.e.Start(sh.a.ctx, j)
	if err != nil {
		return err
	}
	err = sh.until(run, view.draw)
	return errors.Join(view.end(), err)
}

// until waits for a job; Ctrl-C stops it.
func (sh *shell) until(run *runtime.Job, draw func()) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	done := ctx.Done()
	for {
		select {
		case <-run.Done():
			return run.Wait()
		case <-done:
			done = nil
			run.Stop()
		case <-tick.C:
			draw()
		}
	}
}

// completions proposes what may stand at the cursor: keywords, tables, columns,
// functions, and options behind SET.
func (sh *shell) completions(before string) readline.Completions {
	at := strings.LastIndexFunc(before, func(r rune) bool {
		return !(r == '_' || r == '.' || r == '`' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r > 0x7f)
	}) + 1
	word := before[at:]
	var keywords, names, functions []string
	fold := func(list []string, upper bool) (out []string) {
		for _, n := range list {
			if len(n) >= len(word) && strings.EqualFold(n[:len(word)], word) {
				if upper && word != "" && word == strings.ToLower(word) {
					n = strings.ToLower(n)
				}
				out = append(out, n)
			}
		}
		return out
	}
	if strings.HasPrefix(strings.ToUpper(strings.TrimSpace(before)), "SET") && strings.Contains(before, "'") {
		for _, k := range compile.Known() {
			names = append(names, k.Key)
		}
		return readline.CompleteValues(fold(names, false)...).Tag("options")
	}
	keywords = fold(sql.Keywords(), true)
	functions = fold(sh.s.Functions.Names(), true)
	names = fold(sh.s.Names(), false)
	return readline.CompleteValues(names...).Tag("tables and columns").Merge(
		readline.CompleteValues(keywords...).Tag("keywords"), readline.CompleteValues(functions...).Tag("functions"))
}
