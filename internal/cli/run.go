package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/internal/compile"
	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/engine"
	"github.com/runnelio/runnel/internal/runtime"
	"github.com/runnelio/runnel/internal/sql/ast"
)

type runCmd struct {
	Files []string `arg:"" help:"SQL files; - is standard input."`
	sessionFlags
	stateFlags
	Control        string        `help:"Serve a control socket here: rules can be changed through it while jobs run." type:"path" placeholder:"SOCKET"`
	MetricsAddr    string        `help:"Serve metrics (/metrics, Prometheus text) and health (/healthz) here." placeholder:"HOST:PORT"`
	UnhealthyAfter time.Duration `help:"A job whose source or sink has not worked for so long is unhealthy." default:"30s"`
	ReportEvery    time.Duration `help:"How often a job writes a line of log about its progress, at level info; 0s for never." default:"1m"`
	Stats          bool          `help:"Print what each operator did and holds when a job ends."`
	Progress       string        `help:"Show a progress bar: auto (on a terminal), on, off." enum:"auto,on,off" default:"auto"`
	Quiet          bool          `short:"q" help:"No progress bar and no summary."`
}

func (c *runCmd) Run(a *app) error {
	a.reportEvery = c.ReportEvery
	e, err := a.engine(c.sessionFlags, c.stateFlags)
	if err != nil {
		return err
	}
	r := &scriptRun{a: a, e: e, stats: c.Stats, quiet: c.Quiet, bar: !c.Quiet && (c.Progress == "on" || c.Progress == "auto" && isTerminal(a.IO.Err))}
	s, err := e.Session()
	if err != nil {
		return err
	}
	closeControl, err := r.control(c.Control)
	if err != nil {
		return err
	}
	defer closeControl()
	if c.MetricsAddr != "" {
		m := &monitor{jobs: r.running, bound: c.UnhealthyAfter}
		at, stop, err := m.serve(c.MetricsAddr)
		if err != nil {
			return rejected{err}
		}
		defer stop()
		if !c.Quiet {
			fmt.Fprintf(a.IO.Err, "metrics at http://%s/metrics, health at /healthz\n", at)
		}
	}
	// The jobs of all files begin to read together, so that those that read the same
	// do it once from the start; one that waits for its server keeps nobody waiting long.
	r.release = e.Hold()
	defer r.release()
	defer time.AfterFunc(holdFor, r.release).Stop()
	for _, path := range c.Files {
		text, err := a.read(path)
		if err != nil {
			return rejected{err}
		}
		err = r.script(s, text, baseName(path))
		if err != nil {
			if len(c.Files) > 1 || path != "-" {
				return fmt.Errorf("%s:%w", path, err)
			}
			return err
		}
	}
	r.release()
	return r.wait()
}

// holdFor is how long jobs that are ready wait for those that follow.
const holdFor = time.Second

// scriptRun runs scripts: jobs of INSERTs run beside one another and are waited
// for at the end.
type scriptRun struct {
	a    *app
	e    *engine.Engine
	jobs []*runtime.Job // to wait for
	// origins are the texts of these jobs.
	origins map[*runtime.Job]origin
	mu      sync.Mutex
	all     []*runtime.Job // that were started
	bar     bool
	quiet   bool
	stats   bool
	// release lets jobs begin that wait for others; nil: none do.
	release func()
	// gcPercent is what collectAsUsual goes back to; 0: nothing.
	gcPercent int
}

// script runs the statements of a text. One that fails ends the jobs before it.
func (r *scriptRun) script(s *compile.Session, text, name string) error {
	err := r.statements(s, text, name, 1, 1)
	if errors.As(err, new(errCut)) {
		return errors.Join(err, r.wait()) // jobs that run end cleanly
	}
	if err != nil {
		return errors.Join(refused(err), r.abort())
	}
	return nil
}

// statements runs the statements of a text that begins at line:col of its source.
func (r *scriptRun) statements(s *compile.Session, text, name string, line, col int) error {
	var collect *rowPrinter
	r.collectLess(len(text))
	defer r.collectAsUsual()
	err := engine.Script(r.a.ctx, s, text, name, r.a.cut(engine.Steps{
		Statement: func(_ ast.Statement, res *compile.Result) error { return r.a.answer(res) },
		Collect: func() connector.Sink {
			collect = newRowPrinter(r.a.IO.Out, formatTable, s.Func().Zone)
			return collect
		},
		Query: func(_ ast.Statement, j *compile.Job) error {
			if err := collect.begin(j.Schema, false); err != nil {
				return err
			}
			run, err := r.start(j)
			if err != nil {
				return jobError{err}
			}
			if err := r.finish(run); err != nil {
				return err
			}
			return collect.end()
		},
		Insert: func(j *compile.Job, wait bool) error {
			run, err := r.start(j)
			if err != nil {
				return jobError{err}
			}
			if wait {
				return r.finish(run)
			}
			r.jobs = append(r.jobs, run)
			if r.origins == nil {
				r.origins = map[*runtime.Job]origin{}
			}
			r.origins[run] = origin{text, line, col}
			return nil
		},
	}))
	return diag.Moved(err, text, line, col)
}

// origin is the text that a job was made of, and where it begins in its source.
type origin struct {
	text      string
	line, col int
}

// jobError is the failure of a job that was started, or could not be.
type jobError struct{ error }

func (e jobError) Unwrap() error { return e.error }

// refused marks the error of a script as that of a statement, unless it is a job's.
func refused(err error) error {
	if err == nil || errors.As(err, new(jobError)) {
		return err
	}
	return rejected{err}
}

// start starts a job and lets the control socket know of it.
func (r *scriptRun) start(j *compile.Job) (*runtime.Job, error) {
	r.collectAsUsual()
	started := make(chan struct{})
	var waiting sync.WaitGroup
	defer waiting.Wait()
	defer close(started)
	run, err := r.e.StartObserved(r.a.ctx, j, func(run *runtime.Job) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.all = append(r.all, run)
		// A job that waits for a server has nothing to finish: one signal is enough.
		waiting.Go(func() {
			select {
			case <-r.a.onSignal:
				select {
				case <-started:
				default:
					if !run.Running() {
						run.Cancel()
					}
				}
			case <-started:
			}
		})
	})
	if sig := r.a.interrupted.Load(); sig != 0 && errors.Is(err, context.Canceled) {
		fmt.Fprintf(r.a.IO.Err, "job %s: stopped before it began\n", j.Name)
		if sig == int32(syscall.SIGINT) {
			return nil, errSilent(ExitSignal)
		}
		return nil, errSilent(ExitOK)
	}
	return run, err
}

// running are the jobs that were started.
func (r *scriptRun) running() []*runtime.Job {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.all)
}

// abort cancels jobs that run beside a statement that failed.
func (r *scriptRun) abort() error {
	for _, j := range r.jobs {
		j.Cancel()
		_ = j.Wait() // cancelled: its error is ours
	}
	r.jobs = nil
	return nil
}

// wait waits for all jobs that run.
func (r *scriptRun) wait() error {
	var errs []error
	for _, j := range r.jobs {
		errs = append(errs, r.finish(j))
	}
	return errors.Join(errs...)
}

// finish waits for a job, showing how far it is, and prints its summary.
func (r *scriptRun) finish(j *runtime.Job) error {
	if r.release != nil {
		r.release()
	}
	out := r.a.IO.Err.(io.Writer)
	if j.AlreadyEnded {
		fmt.Fprintf(out, "job %s: its input had ended and everything was written (epoch %d); nothing to do\n", j.Name, j.Restored.Epoch)
		return j.Wait()
	}
	if j.Restored != nil && !r.quiet {
		fmt.Fprintf(out, "job %s: goes on from epoch %d%s\n", j.Name, j.Restored.Epoch, positions(j.Restored.Positions))
	}
	var bar *progress
	if r.bar {
		bar = newProgress(out, j)
	}
	stop := context.AfterFunc(r.a.ctx, j.Cancel)
	defer stop()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	signalled := r.a.onSignal
loop:
	for {
		select {
		case <-j.Done():
			break loop
		case <-signalled:
			signalled = nil
			if !r.quiet {
				fmt.Fprintf(out, "\njob %s: stopping, once more to end it at once\n", j.Name)
			}
			j.Stop()
		case <-tick.C:
			bar.draw()
		}
	}
	bar.clear()
	err := j.Wait()
	if o, ok := r.origins[j]; ok && err != nil { // the script is over: its text is not attached any more
		err = diag.Moved(diag.WithSource(err, o.text), o.text, o.line, o.col)
	}
	if !r.quiet {
		summary(out, j, err)
	}
	if r.stats {
		statsTable(out, j)
	}
	if err != nil {
		return jobError{err}
	}
	return nil
}

// answer prints what a statement that is no job gave.
func (a *app) answer(res *compile.Result) error {
	for _, w := range res.Warnings {
		fmt.Fprintln(a.IO.Err, "warning: "+w)
	}
	if res.Schema == nil {
		return nil
	}
	if res.Text {
		for _, row := range res.Rows {
			fmt.Fprintln(a.IO.Out, row[0])
		}
		return nil
	}
	return printRows(a.IO.Out, res.Schema, res.Rows)
}
