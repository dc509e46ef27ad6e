package runnel

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/runnelio/runnel/internal/bind"
	"github.com/runnelio/runnel/internal/compile"
	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/physical"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/internal/sql"
)

// Job is a job while it is built: streams begin in it, sinks end in it, and
// Start runs them all together. It is used by one goroutine at a time.
type Job struct {
	env      *Env
	name     string
	err      error // the first mistake
	settings map[string]string
	by       map[string]string // who set a setting: file:line
	stateDir string
	volatile bool // state is kept in memory whatever the environment says
	sinks    []plan.Node
	numbers  int // of names that the user does not see
}

// DataStreamSource is a job as the place where streams begin.
type DataStreamSource = Job

// BuildError is a mistake in the building of a job.
type BuildError struct {
	File string // of the caller
	Line int
	Call string // the method
	Err  error
}

// Error returns file:line: call: the error.
func (e *BuildError) Error() string {
	return fmt.Sprintf("%s:%d: %s: %s", filepath.Base(e.File), e.Line, e.Call, diag.Render(e.Err))
}

// Unwrap returns Err.
func (e *BuildError) Unwrap() error { return e.Err }

// Name returns the job's name.
func (j *Job) Name() string { return j.name }

// Err returns the first mistake made in building the job.
func (j *Job) Err() error { return j.err }

// fail keeps the first mistake with the place of the call.
func (j *Job) fail(call string, err error) {
	if j.err != nil || err == nil {
		return
	}
	file, line := caller()
	j.err = &BuildError{File: file, Line: line, Call: call, Err: err}
}

// caller returns the nearest place outside of this package. It goes by files:
// a closure that was inlined has its caller's name.
func caller() (string, int) {
	_, here, _, _ := runtime.Caller(0)
	pcs := make([]uintptr, 32)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	for {
		f, more := frames.Next()
		if filepath.Dir(f.File) != filepath.Dir(here) || strings.HasSuffix(f.File, "_test.go") || !more {
			return f.File, f.Line
		}
	}
}

// number returns the next number for names that the user does not see. They are
// the same in the next run of the job: saved state is found by them.
func (j *Job) number() int {
	j.numbers++
	return j.numbers
}

// set sets an option of the job; two that contradict are a mistake.
func (j *Job) set(call, key, value string) {
	if old, ok := j.settings[key]; ok && old != value {
		j.fail(call, fmt.Errorf("'%s' is a setting of the whole job: %s was set at %s, now %s", key, old, j.by[key], value))
		return
	}
	if _, err := (compile.Settings{}).Set(key, value, diag.Span{}); err != nil {
		j.fail(call, err)
		return
	}
	file, line := caller()
	j.settings[key], j.by[key] = value, fmt.Sprintf("%s:%d", filepath.Base(file), line)
}

// query binds a query over streams of the job: $name in FROM are those of
// tables. The text is made of the caller's pieces, so errors show it.
func (j *Job) query(text string, tables map[string]plan.Node, args []any) (plan.Node, error) {
	q, err := sql.ParseQuery(text, sql.Options{})
	if err != nil {
		return nil, diag.WithSource(err, text)
	}
	j.env.mu.Lock()
	defer j.env.mu.Unlock()
	o, err := j.binding(tables, args)
	if err != nil {
		return nil, err
	}
	n, err := bindQuery(o, q)
	if err != nil {
		return nil, diag.WithSource(err, text)
	}
	return n, nil
}

// binding is what a query or expression of the job is bound with. The caller
// holds the environment's mu.
func (j *Job) binding(tables map[string]plan.Node, args []any) (*bind.Options, error) {
	s, err := j.env.fork(j.settings)
	if err != nil {
		return nil, err
	}
	return bindOptions(s, tables, args)
}

// Explain returns the plans of the job: as it was built, as it was optimised,
// and the tasks that run.
func (j *Job) Explain() (string, error) {
	if j.err != nil {
		return "", j.err
	}
	j.env.mu.Lock()
	defer j.env.mu.Unlock()
	s, err := j.env.fork(j.settings)
	if err != nil {
		return "", err
	}
	opt, err := optimized(s, j.sinks)
	if err != nil {
		return "", err
	}
	p, err := s.Physical(opt)
	if err != nil {
		return "", err
	}
	return "== Logical Plan ==\n" + plan.Format(j.sinks...) + "\n== Optimized Plan ==\n" + plan.Format(opt...) + "\n== Physical Plan ==\n" + physical.Explain(p), nil
}

// compiled plans the job.
func (j *Job) compiled() (*compile.Job, error) {
	if j.err != nil {
		return nil, j.err
	}
	if len(j.sinks) == 0 {
		return nil, errors.New("job " + j.name + " has no sink: end its streams with a To method")
	}
	j.env.mu.Lock()
	defer j.env.mu.Unlock()
	s, err := j.env.fork(j.settings)
	if err != nil {
		return nil, err
	}
	return planJob(s, j.name, j.sinks, j.stateDir, j.env.asksRows || hasGo(j.sinks))
}
