package engine

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/internal/compile"
	"github.com/runnelio/runnel/internal/runtime"
	"github.com/runnelio/runnel/internal/state"
	"github.com/runnelio/runnel/internal/state/dir"
)

// defaultInterval is the time between checkpoints of a job that has a state
// directory and was not told one.
const defaultInterval = 10 * time.Second

// Start runs a compiled job. With a state directory the job goes on from its
// last commit there: its identity is the namespace and its name.
func (e *Engine) Start(ctx context.Context, j *compile.Job) (*runtime.Job, error) {
	return e.StartObserved(ctx, j, nil)
}

// StartObserved is Start with a function that is given the job before its
// connectors are opened, which may last as long as a server is away.
func (e *Engine) StartObserved(ctx context.Context, j *compile.Job, observe func(*runtime.Job)) (*runtime.Job, error) {
	o := runtime.Options{
		Name: j.Name, Func: j.Func, Log: e.opts.Log.With("job", j.Name), Interval: j.Checkpoint,
		Connector:        &connector.Context{Log: e.opts.Log, Now: e.opts.Now, Zone: j.Func.Zone, Dir: e.opts.Dir, IO: e.opts.IO},
		AllowNonRestored: e.opts.AllowNonRestored, Report: e.opts.Report, Observe: observe,
	}
	if j.Share {
		o.Scans, o.MaxLag = &e.scans, j.MaxLag
	}
	base := j.Dir
	if base == "" {
		base = e.opts.StateDir
	}
	var store state.Store
	if base != "" {
		path := e.StatePath(base, j.Name)
		if j.Plan.Aligned != nil {
			if e.opts.Savepoint != "" {
				return nil, fmt.Errorf("a job that runs apart for each split ('scan.split-key') cannot begin from a savepoint")
			}
			units, err := dir.OpenShared(path, dir.Options{Retain: e.opts.Retain})
			if err != nil {
				return nil, stateError(j.Name, err)
			}
			o.Units, o.SpillDir = units, filepath.Join(path, "spill")
			if o.Interval == 0 {
				o.Interval = defaultInterval
			}
			run, err := runtime.Start(ctx, j.Plan, o)
			if err != nil {
				err = errors.Join(err, units.Close())
			}
			return run, err
		}
		units, err := dir.Units(path)
		if err == nil && len(units) > 0 {
			err = fmt.Errorf("%s holds state by split, of a query with 'scan.split-key'. Begin in another state directory", path)
		}
		if err != nil {
			return nil, stateError(j.Name, err)
		}
		s, err := e.open(path)
		if err != nil {
			if errors.Is(err, dir.ErrLocked) && j.Plan.Unaligned != "" {
				err = fmt.Errorf("%w ('scan.split-key' does not help: %s)", err, j.Plan.Unaligned)
			}
			return nil, stateError(j.Name, err)
		}
		store, o.Store, o.SpillDir = s, s, filepath.Join(path, "spill")
		if o.Interval == 0 {
			o.Interval = defaultInterval
		}
	} else if e.opts.Savepoint != "" {
		return nil, fmt.Errorf("a savepoint needs a state directory to go on in")
	}
	run, err := runtime.Start(ctx, j.Plan, o)
	if err != nil {
		if store != nil {
			store.Close()
		}
		return nil, err
	}
	return run, nil
}

// stateError says whose state cannot be opened, and what to do.
func stateError(job string, err error) error {
	if errors.Is(err, dir.ErrLocked) {
		return fmt.Errorf("job %s is run by another process: %w. Two processes share a job's state only if the query keeps it by split ('scan.split-key'); a second job needs another name ('pipeline.name') or state directory", job, err)
	}
	return fmt.Errorf("state of job %s: %w", job, err)
}

// open opens a job's state, beginning from the savepoint if there is none yet.
func (e *Engine) open(path string) (*dir.Store, error) {
	o := dir.Options{Retain: e.opts.Retain}
	if e.opts.Savepoint != "" {
		commits, err := dir.List(path)
		if err != nil || len(commits) == 0 {
			if err := dir.Export(e.opts.Savepoint, 0, path); err != nil {
				return nil, fmt.Errorf("savepoint: %w", err)
			}
		}
	}
	return dir.Open(path, o)
}

// StatePath is the folder of a job's state below base.
func (e *Engine) StatePath(base, job string) string {
	return filepath.Join(base, fileName(e.opts.Namespace), fileName(job))
}

// fileName makes a name fit for a folder; different names stay different.
func fileName(name string) string {
	var b strings.Builder
	for _, r := range name {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_', r == '.' && b.Len() > 0:
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, "%%%x", r)
		}
	}
	if b.Len() == 0 {
		return "%"
	}
	return b.String()
}
