package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	goruntime "runtime"
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
	"github.com/runnelio/runnel/types"
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
		r := &scriptRun{a: a, e: e, quiet: true}
		return r.piped(s, a.IO.In.(io.Reader))
	}
	ints, release := a.takeInterrupts()
	defer release()
	sh := &shell{a: a, e: e, s: s, ints: ints}
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
	// ints are the Ctrl-Cs: each is for the query that runs or the line that is typed.
	ints <-chan os.Signal
	// plain tells that the terminal cannot redraw: rows are printed as they come.
	plain bool
}

// cursorWait is how long a terminal has to tell where its cursor is.
const cursorWait = time.Second

// lines returns what reads statements: an editor where the terminal can do it.
func (sh *shell) lines() interface{ read() (string, error) } {
	in, ok := file(sh.a.IO.In)
	out, ok2 := file(sh.a.IO.Out)
	dumb := os.Getenv("TERM") == "dumb" || os.Getenv("TERM") == "" && goruntime.GOOS != "windows"
	var typed []byte
	if ok && ok2 && !dumb {
		if ok, typed = tellsCursor(in, out, cursorWait); ok {
			return sh.lineEditor(typed)
		}
	}
	sh.plain = true
	return sh.plainLines(typed)
}

func (sh *shell) loop() error {
	fmt.Fprintf(sh.a.IO.Out, "Runnel %s. Statements end with a semicolon; HELP; for help, QUIT; or Ctrl-D to leave.\n", Version)
	lines := sh.lines()
	for {
		line, err := lines.read()
		switch {
		case errors.Is(err, io.EOF):
			return sh.leave()
		case errors.Is(err, errInterrupt):
			continue
		case err != nil:
			return err
		}
		quit, done := command(sh.a.IO.Out, line, "\x1b[H\x1b[2J", sh.jobs)
		if quit {
			return sh.leave()
		}
		if done {
			continue
		}
		if err := sh.execute(line); err != nil {
			fmt.Fprintln(sh.a.IO.Out, diag.Render(err))
		}
	}
}

// command carries out a command of the shell, with a semicolon or without. done tells
// that text is one, or nothing; quit that the shell is to be left.
func command(out io.Writer, text, clearing string, jobs []*runtime.Job) (quit, done bool) {
	switch strings.ToUpper(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(text), ";"))) {
	case "":
	case "QUIT", "EXIT":
		return true, true
	case "CLEAR":
		fmt.Fprint(out, clearing)
	case "HELP":
		fmt.Fprint(out, help)
	case "JOBS":
		listJobs(out, jobs)
	default:
		return false, false
	}
	return false, true
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

func listJobs(out io.Writer, jobs []*runtime.Job) {
	for _, j := range jobs {
		state := "running"
		select {
		case <-j.Done():
			state = "finished"
			if err := j.Wait(); err != nil {
				state = "failed: " + err.Error()
			}
		default:
		}
		fmt.Fprintf(out, "%-30s %-10s %s\n", j.Name, j.Elapsed().Round(time.Second), state)
	}
}

func (sh *shell) execute(text string) error {
	var view *liveView
	var rows *rowPrinter
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
			if sh.plain {
				rows = newRowPrinter(sh.a.IO.Out, formatTable, sh.s.Func().Zone)
				return rows
			}
			view = newLiveView(sh.a.IO.Out, sh.s.Func().Zone)
			return view
		},
		Query: func(_ ast.Statement, j *compile.Job) error {
			if sh.plain {
				return sh.query(j, func(s *types.Schema) error { return rows.begin(s, false) }, func() {}, rows.end)
			}
			return sh.query(j, view.begin, view.draw, view.end)
		},
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

// query runs a SELECT until it ends or Ctrl-C, and shows its rows.
func (sh *shell) query(j *compile.Job, begin func(*types.Schema) error, draw func(), end func() error) error {
	if err := begin(j.Schema); err != nil {
		return err
	}
	run, err := sh.e.Start(sh.a.ctx, j)
	if err != nil {
		return err
	}
	err = sh.until(run, draw)
	return errors.Join(end(), err)
}

// until waits for a job; Ctrl-C stops it, and a second one ends it at once.
func (sh *shell) until(run *runtime.Job, draw func()) error {
	select {
	case <-sh.ints: // was for what ran before
	default:
	}
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	stopped, told := false, sh.a.onSignal
	for {
		select {
		case <-run.Done():
			return run.Wait()
		case <-sh.ints:
			if stopped {
				run.Cancel()
			}
			stopped = true
			run.Stop()
		case <-told: // to end all
			told = nil
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
