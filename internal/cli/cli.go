// Package cli is the command line: the commands, a file each, with all output
// through the streams they are given.
//
// cli.go has the commands and exit codes, run.go scripts, query.go single
// queries, eval.go expressions, explain.go plans, list.go what is built in,
// shell.go the interactive shell, state.go state directories, progress.go the
// bar and the summary of a job, table.go and rows.go how rows are shown.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/internal/compile"
	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/engine"
	"github.com/runnelio/runnel/internal/sql/ast"
)

// Version is set when the binary is linked.
var Version = "dev"

// Exit codes.
const (
	ExitOK       = 0
	ExitFailed   = 1   // a job failed while it ran
	ExitRejected = 2   // bad usage, or a statement that cannot be run
	ExitSignal   = 130 // ended by Ctrl-C, with everything flushed; a script cut short by signal n gives 128 + n
)

// Host is what the binary is made of.
type Host struct {
	Connectors connector.Set
	Formats    format.Set
	IO         connector.Terminal
}

// commands is the command line, as kong reads it.
type commands struct {
	Run        runCmd        `cmd:"" help:"Run the statements of SQL files."`
	SQL        sqlCmd        `cmd:"" name:"sql" help:"Open the interactive shell."`
	Query      queryCmd      `cmd:"" help:"Run one query and print its rows."`
	Eval       evalCmd       `cmd:"" help:"Compute expressions."`
	Explain    explainCmd    `cmd:"" help:"Show how statements would be run, step by step."`
	Fmt        fmtCmd        `cmd:"" help:"Print SQL in canonical form."`
	Functions  functionsCmd  `cmd:"" help:"List functions, or show one."`
	Connectors connectorsCmd `cmd:"" help:"List connectors and formats, or show one."`
	Rules      rulesCmd      `cmd:"" help:"Change and watch the rules of a running job."`
	State      stateCmd      `cmd:"" help:"Look into state directories."`
	Sigma      sigmaCmd      `cmd:"" help:"Run Sigma detection rules over events, or turn them into SQL."`
	Version    versionCmd    `cmd:"" help:"Print the version."`
	Completion completionCmd `cmd:"" help:"Print a completion script for a shell."`
}

// global flags are of every command that runs SQL.
type sessionFlags struct {
	Set       map[string]string `short:"s" help:"Set an option, as SET would: key=value." placeholder:"KEY=VALUE"`
	Namespace string            `help:"Namespace of the jobs." default:"default"`
	LogLevel  string            `help:"Least severe log lines to print: debug, info, warn, error." enum:"debug,info,warn,error" default:"warn"`
}

type stateFlags struct {
	StateDir         string `help:"Folder where jobs keep their state: they go on from it after a crash." type:"path" placeholder:"DIR"`
	FromSavepoint    string `help:"Savepoint to begin from, for jobs without state of their own." type:"path" placeholder:"DIR"`
	AllowNonRestored bool   `help:"Begin although some saved state fits no operator any more; it is dropped."`
	Retain           int    `help:"Commits a job keeps." default:"3"`
}

// app is one run of the binary.
type app struct {
	Host
	ctx         context.Context
	interrupted atomic.Int32 // signals received
	onSignal    chan struct{}
	signalled   chan os.Signal // what signals listens to
	commands    commands
	kong        *kong.Kong
	reportEvery time.Duration // see engine.Options.Report
}

// Run runs the command line and returns its exit code.
func Run(ctx context.Context, h Host, args []string) int {
	a := &app{Host: h, onSignal: make(chan struct{})}
	var cancel context.CancelFunc
	a.ctx, cancel = context.WithCancel(ctx)
	defer cancel()
	stop := a.signals(cancel)
	defer stop()
	out := &output{Writer: h.IO.Out.(io.Writer)}
	a.IO.Out = out
	defer governMemory()()
	code := ExitOK
	exited := false
	k, err := kong.New(&a.commands, kong.Name("runnel"), kong.Description("A stream engine: Flink SQL over files and queues, from one binary."),
		kong.Writers(h.IO.Out.(io.Writer), h.IO.Err.(io.Writer)), kong.UsageOnError(),
		kong.Exit(func(c int) { code, exited = c, true; panic(exit{}) }), kong.Bind(a), kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	if err != nil {
		fmt.Fprintln(h.IO.Err, "runnel:", err)
		return ExitRejected
	}
	a.kong = k
	err = func() (err error) {
		defer func() {
			if r := recover(); r != nil {
				if _, ok := r.(exit); !ok {
					panic(r)
				}
			}
		}()
		c, err := k.Parse(joined(args))
		if err != nil {
			return &usageError{err}
		}
		return c.Run(a)
	}()
	if exited {
		return code
	}
	if failed := out.failed.Load(); failed != nil {
		// Whatever else came of it: what there was to say has not been said.
		return a.report(jobError{*failed})
	}
	return a.report(err)
}

// joined writes -e SQL as --execute=SQL: a text may begin with a comment, whose
// dashes would be taken for a flag.
func joined(args []string) []string {
	out := make([]string, 0, len(args))
	for i := 0; i < len(args); i++ {
		a := args[i]
		if a == "--" {
			return append(out, args[i:]...)
		}
		if (a == "-e" || a == "--execute") && i+1 < len(args) && strings.HasPrefix(args[i+1], "-") {
			i++
			a = "--execute=" + args[i]
		}
		out = append(out, a)
	}
	return out
}

// output is the standard output. It keeps the first error of a write, so that no
// command that prints ends well on a full disk.
type output struct {
	io.Writer
	failed atomic.Pointer[error]
}

func (o *output) Write(p []byte) (int, error) {
	n, err := o.Writer.Write(p)
	if err != nil {
		o.failed.CompareAndSwap(nil, &err)
	}
	return n, err
}

// file is the file behind a stream, if there is one.
func file(stream any) (*os.File, bool) {
	if o, ok := stream.(*output); ok {
		stream = o.Writer
	}
	f, ok := stream.(*os.File)
	return f, ok
}

type exit struct{}

type usageError struct{ error }

// rejected marks an error of a statement that was not run.
type rejected struct{ error }

func (r rejected) Unwrap() error { return r.error }

// errSilent ends with a code; what there was to say has been said.
type errSilent int

func (e errSilent) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// report prints err and returns the exit code that goes with it.
func (a *app) report(err error) int {
	if err == nil {
		if a.interrupted.Load() == int32(syscall.SIGINT) {
			return ExitSignal
		}
		return ExitOK
	}
	var silent errSilent
	if errors.As(err, &silent) {
		return int(silent)
	}
	if cut := (errCut{}); errors.As(err, &cut) {
		fmt.Fprintln(a.IO.Err, "runnel: "+cut.Error())
		return 128 + int(cut.sig)
	}
	fmt.Fprintln(a.IO.Err, "runnel: "+diag.Render(err))
	var usage *usageError
	if errors.As(err, &usage) {
		fmt.Fprintln(a.IO.Err, "Run \"runnel --help\" for the commands.")
		return ExitRejected
	}
	var rej rejected
	if errors.As(err, &rej) {
		return ExitRejected
	}
	return ExitFailed
}

// errCut ends a script at the first statement that is reached after a signal: no
// answer must be taken for one of a statement that did not run.
type errCut struct{ sig int32 }

func (e errCut) Error() string { return "a signal came: the statements from here on were not run" }

// cut wraps the steps of a script so that none is taken after a signal.
func (a *app) cut(s engine.Steps) engine.Steps {
	check := func() error {
		if sig := a.interrupted.Load(); sig != 0 {
			return errCut{sig}
		}
		return nil
	}
	out := s
	out.Statement = func(st ast.Statement, r *compile.Result) error {
		if err := check(); err != nil {
			return err
		}
		return s.Statement(st, r)
	}
	out.Query = func(st ast.Statement, j *compile.Job) error {
		if err := check(); err != nil {
			return err
		}
		return s.Query(st, j)
	}
	out.Insert = func(j *compile.Job, wait bool) error {
		if err := check(); err != nil {
			return err
		}
		return s.Insert(j, wait)
	}
	return out
}

// signals has the first signal stop jobs cleanly and the second end them at once.
func (a *app) signals(cancel context.CancelFunc) (stop func()) {
	ch := make(chan os.Signal, 2)
	signal.Notify(ch, os.Interrupt, syscall.SIGTERM)
	a.signalled = ch
	done := make(chan struct{})
	go func() {
		for {
			select {
			case sig := <-ch:
				n, _ := sig.(syscall.Signal)
				if a.interrupted.CompareAndSwap(0, int32(n)) {
					close(a.onSignal)
					continue
				}
				cancel()
			case <-done:
				return
			}
		}
	}()
	return func() {
		signal.Stop(ch)
		close(done)
	}
}

// takeInterrupts hands Ctrl-C to the caller, for whom it does not mean the end
// of the command, until release.
func (a *app) takeInterrupts() (ints chan os.Signal, release func()) {
	ints = make(chan os.Signal, 1)
	signal.Notify(ints, os.Interrupt)
	signal.Stop(a.signalled)
	signal.Notify(a.signalled, syscall.SIGTERM)
	return ints, func() { signal.Stop(ints) }
}

// engine makes the engine of a command.
func (a *app) engine(f sessionFlags, s stateFlags) (*engine.Engine, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(f.LogLevel)); err != nil {
		return nil, err
	}
	log := slog.New(slog.NewTextHandler(a.IO.Err.(io.Writer), &slog.HandlerOptions{Level: level}))
	e, err := engine.New(engine.Options{
		Connectors: a.Connectors, Formats: a.Formats, Namespace: f.Namespace, Settings: f.Set, Log: log, IO: &a.IO, Report: a.reportEvery,
		StateDir: s.StateDir, Savepoint: s.FromSavepoint, AllowNonRestored: s.AllowNonRestored, Retain: s.Retain,
	})
	if err != nil {
		return nil, rejected{err}
	}
	return e, nil
}

// read returns the text of a file, of standard input for "-".
func (a *app) read(path string) (string, error) {
	if path == "-" {
		b, err := io.ReadAll(a.IO.In)
		return string(b), err
	}
	b, err := os.ReadFile(path)
	return string(b), err
}

type versionCmd struct{}

func (versionCmd) Run(a *app) error {
	fmt.Fprintf(a.IO.Out, "runnel %s %s/%s %s\n", Version, runtime.GOOS, runtime.GOARCH, runtime.Version())
	return nil
}

// baseName is the name of a script's jobs: the file's name without its ending.
func baseName(path string) string {
	if path == "-" {
		return "stdin"
	}
	name := path[strings.LastIndexAny(path, `/\`)+1:]
	if i := strings.LastIndexByte(name, '.'); i > 0 {
		name = name[:i]
	}
	return name
}
