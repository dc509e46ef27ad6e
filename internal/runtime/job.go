// Package runtime runs physical plans: it builds operators from specs, fuses
// them into tasks, connects tasks by exchanges, drives sources, takes
// checkpoints and ends jobs cleanly.
//
// job.go is a running job, build.go makes its tasks, task.go the loop of a task,
// exchange.go what connects tasks, source.go and scan.go the source drivers,
// policy.go what happens to bad records, sink.go sinks, checkpoint.go barriers.
package runtime

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/internal/exec/rules"
	"github.com/runnelio/runnel/internal/metrics"
	"github.com/runnelio/runnel/internal/physical"
	"github.com/runnelio/runnel/internal/state"
)

// Options is what a job needs beside its plan.
type Options struct {
	Name      string
	Func      *function.Context
	Connector *connector.Context
	Log       *slog.Logger
	// Store holds the job's state; nil: it is kept in memory and lost at the end.
	// A job that was started closes it when it has ended.
	Store state.Store
	// Units holds the state of a plan that is aligned by split, in place of Store;
	// nil: it is kept in memory, and all splits are read here. A job that was
	// started closes it when it has ended.
	Units state.Shared
	unit  *unitOptions // set for the job of a unit
	// SpillDir is the folder for state that has no room in memory; "": one for
	// temporary files.
	SpillDir string
	// Interval is the time between checkpoints; 0: none.
	Interval time.Duration
	// Meta is put into every commit: facts about the job.
	Meta map[string]string
	// AllowNonRestored drops state of the last commit that fits no operator of
	// the plan, instead of refusing to start.
	AllowNonRestored bool
	// Report is how often a line of log tells how far the job is; 0: never.
	Report time.Duration
	// Scans are the scan groups the job's sources may join; nil: they read alone.
	// MaxLag is how many bytes the job may be behind the others of a group.
	Scans  *Scans
	MaxLag int64
	// Observe, if set, is given the job before its connectors are opened, which
	// may last as long as a server is away.
	Observe func(*Job)
}

// Job is a running job. Its methods are safe for concurrent use.
type Job struct {
	Name    string
	Metrics *metrics.Job
	Started time.Time

	cancel   context.CancelCauseFunc
	stop     chan struct{}
	stopOnce sync.Once
	done     chan struct{}
	err      error
	ended    time.Time
	log      *slog.Logger

	health healthSet
	lags   []lagOf // sources that know how far behind they are
	ready  atomic.Bool

	units       *unitSet     // of a job that runs once for each split; nil for others
	unit        *unitOptions // of the job of a unit
	coordinator *coordinator
	store       state.Store // nil: state is in memory
	controls    []*rules.Control
	shares      []*scanMember
	// Committed, if Observe has set it, is told of each commit once it is durable
	// and the sinks have acted on it. It is called by one goroutine and must not wait.
	Committed func(epoch int64)
	// Restored is the commit the job went on from, nil if it began anew.
	Restored *state.Commit
	// AlreadyEnded tells that the commit was the last one of a finished job: nothing ran.
	AlreadyEnded bool
}

// rulesEvery is how often the folders of rules are looked at.
const rulesEvery = time.Second

// Rules are the living sets of rules of the job.
func (j *Job) Rules() []*rules.Control { return j.controls }

// Checkpoint takes a checkpoint now and returns when it is durable. A job that
// takes none returns an error.
func (j *Job) Checkpoint(ctx context.Context) error {
	if j.units != nil && j.units.opts.Units != nil {
		return j.units.checkpoint(ctx)
	}
	if j.coordinator == nil {
		return errors.New("the job takes no checkpoints: set 'execution.checkpointing.interval' or a state directory")
	}
	return j.coordinator.checkpoint(ctx)
}

// Start opens the plan's connectors and starts its tasks. The job runs until
// its inputs end, Stop, an error, or the end of ctx.
func Start(ctx context.Context, p *physical.Plan, o Options) (*Job, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	j := &Job{Name: o.Name, Metrics: &metrics.Job{}, Started: time.Now(), log: o.Log, store: o.Store, cancel: cancel, stop: make(chan struct{}), done: make(chan struct{})}
	if o.Observe != nil {
		o.Observe(j)
	}
	if j.unit = o.unit; j.unit != nil {
		j.Metrics, j.Committed = j.unit.set.job.Metrics, j.unit.set.committed
	} else if p.Aligned != nil {
		if err := j.startUnits(ctx, p, o); err != nil {
			if ctx.Err() != nil {
				err = errors.Join(context.Cause(ctx), err)
			}
			j.err, j.ended = err, time.Now()
			cancel(err)
			close(j.done)
			return nil, err
		}
		return j, nil
	}
	b := &builder{ctx: ctx, plan: p, opts: o, job: j}
	tasks, err := b.tasks()
	if err != nil {
		if ctx.Err() != nil {
			err = errors.Join(context.Cause(ctx), err)
		}
		j.err, j.ended = err, time.Now()
		cancel(err)
		close(j.done)
		return nil, err
	}
	if j.unit == nil {
		j.lags = b.lags()
	}
	j.ready.Store(true)
	j.Restored = b.last
	if b.last != nil && b.last.Meta[metaEnded] == "true" {
		j.AlreadyEnded = true
		j.err = errors.Join(b.recommitAll(), o.Store.Close())
		j.ended = time.Now()
		cancel(context.Canceled)
		close(j.done)
		return j, nil
	}
	c := newCoordinator(j, b, tasks)
	j.coordinator, j.shares = c, b.shares
	for _, r := range b.controls {
		r.Immediate = c == nil
	}
	b.share()
	var wg, running, watchers sync.WaitGroup
	watching, stopWatching := context.WithCancel(ctx)
	errs := make(chan error, len(tasks)+1)
	for _, t := range tasks {
		running.Add(1)
		wg.Go(func() {
			defer running.Done()
			err := t.run(ctx)
			if err != nil {
				cancel(err)
			} else {
				c.done(t)
			}
			errs <- err
		})
	}
	j.controls = b.controls
	for _, r := range b.controls {
		watchers.Go(func() { r.Watch(watching, rulesEvery) })
	}
	if len(j.lags) > 0 {
		watchers.Go(func() { j.watchLag(watching) })
	}
	if limit := HardMemoryLimit(); limit > 0 {
		watchers.Go(func() { j.guardMemory(watching, p, limit, cancel) })
	}
	if o.Report > 0 {
		watchers.Go(func() { j.report(watching, o.Report) })
	}
	for _, m := range b.watched {
		m.c = c
		for _, d := range m.drivers {
			m.ended = append(m.ended, d.task.sourceEnded)
		}
		watchers.Go(func() {
			if err := m.run(watching); err != nil {
				cancel(err)
			}
		})
	}
	if c != nil {
		wg.Go(func() {
			err := c.run(ctx)
			if err != nil {
				cancel(err)
			}
			running.Wait() // they may still be at work on their sinks
			err = errors.Join(err, c.closeSinks(ctx, err))
			errs <- err
		})
	}
	go func() {
		wg.Wait()
		stopWatching()
		watchers.Wait()
		close(errs)
		j.err = firstError(ctx, errs)
		for _, m := range b.shares {
			m.leave()
		}
		b.closeSources()
		if o.Store != nil {
			if err := o.Store.Close(); err != nil && j.err == nil {
				j.err = err
			}
		}
		j.ended = time.Now()
		cancel(context.Canceled)
		close(j.done)
	}()
	return j, nil
}

// firstError returns the error that ended the job: the cause of the
// cancellation rather than what other tasks made of it.
func firstError(ctx context.Context, errs <-chan error) error {
	var first error
	for err := range errs {
		if err != nil && (first == nil || errors.Is(first, context.Canceled)) {
			first = err
		}
	}
	if first != nil && ctx.Err() != nil {
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
	}
	return first
}

// Stop asks the job to end cleanly: sources stop reading, everything read is
// finished and flushed. It returns at once; see Wait.
func (j *Job) Stop() { j.stopOnce.Do(func() { close(j.stop) }) }

// Cancel ends the job without finishing what is under way.
func (j *Job) Cancel() { j.cancel(context.Canceled) }

// Done is closed when the job has ended.
func (j *Job) Done() <-chan struct{} { return j.done }

// Wait returns when the job has ended, with its error.
func (j *Job) Wait() error {
	<-j.done
	return j.err
}

// Stopped tells whether Stop was called.
func (j *Job) Stopped() bool {
	select {
	case <-j.stop:
		return true
	default:
		return false
	}
}

// Elapsed is how long the job has run, or ran.
func (j *Job) Elapsed() time.Duration {
	select {
	case <-j.done:
		return j.ended.Sub(j.Started)
	default:
		return time.Since(j.Started)
	}
}
