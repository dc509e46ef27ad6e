package runnel

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/runnelio/runnel/internal/engine"
	"github.com/runnelio/runnel/internal/metrics"
	"github.com/runnelio/runnel/internal/runtime"
)

// Run is a running job. Its methods are safe for concurrent use.
type Run struct {
	job  *runtime.Job
	env  *Env
	name string
	done chan struct{} // closed when the run and what watches it have ended
	err  error
}

// stopGrace is how long a job whose context ended may take to finish what it
// has read, before it is cancelled.
const stopGrace = 10 * time.Second

// Start runs the job until its inputs end, or ctx does: then it stops as Stop
// does it, and Start returns the cause of ctx's end.
func (j *Job) Start(ctx context.Context) error {
	r, err := j.StartAsync(ctx)
	if err != nil {
		return err
	}
	return r.Wait()
}

// StartAsync runs the job in the background. When ctx ends the job is stopped.
func (j *Job) StartAsync(ctx context.Context) (*Run, error) {
	c, err := j.compiled()
	if err != nil {
		return nil, err
	}
	e := j.env.engine
	if j.volatile && e.Options().StateDir != "" {
		o := e.Options()
		o.StateDir = ""
		if e, err = engine.New(o); err != nil {
			return nil, err
		}
	}
	if err := j.env.claim(j.name); err != nil {
		return nil, err
	}
	job, err := e.Start(context.WithoutCancel(ctx), c)
	if err != nil {
		j.env.release(j.name)
		return nil, err
	}
	return watch(ctx, j.env, j.name, job), nil
}

// claim notes that a job runs: two of one name would write one state.
func (e *Env) claim(name string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.running[name] {
		return fmt.Errorf("job %s of namespace %s runs already: another needs another name ('pipeline.name' in SQL)", name, e.Namespace())
	}
	e.running[name] = true
	return nil
}

func (e *Env) release(name string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.running, name)
}

// watch ends the job with its context. The goroutine ends with the job.
func watch(ctx context.Context, e *Env, name string, job *runtime.Job) *Run {
	r := &Run{job: job, env: e, name: name, done: make(chan struct{})}
	go func() {
		defer close(r.done)
		defer e.release(name)
		select {
		case <-job.Done():
			r.err = job.Wait()
			return
		case <-ctx.Done():
		}
		job.Stop()
		grace := time.NewTimer(stopGrace)
		defer grace.Stop()
		select {
		case <-job.Done():
		case <-grace.C:
			job.Cancel()
		}
		if err := job.Wait(); err != nil && !errors.Is(err, context.Canceled) {
			r.err = err
			return
		}
		r.err = interrupted(ctx)
	}()
	return r
}

// Name returns the job's name.
func (r *Run) Name() string { return r.name }

// Wait returns when the job has ended, with its error. A job that was stopped
// ends without one; one whose context ended, with its cause.
func (r *Run) Wait() error {
	<-r.done
	return r.err
}

// Done is closed when the job has ended.
func (r *Run) Done() <-chan struct{} { return r.done }

// Stop ends the job cleanly: nothing more is read, what was read is finished,
// flushed and committed. It returns when that is done, or with the error of ctx
// when ctx ends first; the job then goes on stopping.
func (r *Run) Stop(ctx context.Context) error {
	r.job.Stop()
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Cancel ends the job without finishing what is under way, as a crash would:
// it goes on from its last checkpoint when it is started again. See Wait.
func (r *Run) Cancel() { r.job.Cancel() }

// Checkpoint takes a checkpoint now and returns when it is durable. A job
// without a state directory returns an error.
func (r *Run) Checkpoint(ctx context.Context) error { return r.job.Checkpoint(ctx) }

// Metrics is what a job has done so far, over all its operators.
type Metrics struct {
	Elapsed time.Duration
	// Epoch is the number of the last checkpoint.
	Epoch int64
	// RowsIn and BytesIn is what the sources read, RowsOut what the sinks wrote.
	RowsIn, BytesIn, RowsOut int64
	// Bad counts records that could not be read and were skipped, Late rows that
	// came behind the watermark and were dropped.
	Bad, Late int64
	// StateRows and StateBytes is what is kept.
	StateRows, StateBytes int64
	Operators             []OperatorMetrics
}

// OperatorMetrics is what one task of an operator has done so far.
type OperatorMetrics struct {
	Name                  string
	Subtask               int
	RowsIn, RowsOut, Late int64
	StateRows, StateBytes int64
}

// Metrics returns what the job has done so far.
func (r *Run) Metrics() Metrics {
	m := r.job.Metrics
	out := Metrics{Elapsed: r.job.Elapsed(), Epoch: m.Epoch.Load()}
	for _, o := range m.Ops {
		om := OperatorMetrics{Name: o.Name, Subtask: o.Subtask, RowsIn: o.RowsIn.Load(), RowsOut: o.RowsOut.Load(), Late: o.Late.Load(), StateRows: o.StateRows.Load(), StateBytes: o.StateBytes.Load()}
		out.Operators = append(out.Operators, om)
		if isKind(o, "Source") {
			out.RowsIn += om.RowsIn
			out.BytesIn += o.BytesIn.Load()
		}
		if isKind(o, "Sink") {
			out.RowsOut += om.RowsOut
		}
		out.Bad += o.Bad.Load()
		out.Late += om.Late
		out.StateRows += om.StateRows
		out.StateBytes += om.StateBytes
	}
	return out
}

func isKind(o *metrics.Op, kind string) bool {
	return len(o.Name) > len(kind) && o.Name[:len(kind)] == kind && o.Name[len(kind)] == '-'
}

// EventKind is what an Event tells.
type EventKind int

// The events of a run.
const (
	// Started: the job runs; Epoch is the checkpoint it went on from, 0 if none.
	Started EventKind = iota
	// Checkpointed: the checkpoint Epoch is durable.
	Checkpointed
	// Ended: the job has ended, with Err if it failed.
	Ended
)

// String names the kind.
func (k EventKind) String() string { return [...]string{"started", "checkpointed", "ended"}[k] }

// Event is something that happened to a run.
type Event struct {
	Kind  EventKind
	Epoch int64
	Err   error
}

// eventsEvery is how often a run is looked at for its events.
const eventsEvery = 100 * time.Millisecond

// Events yields what happens to the run until it has ended or ctx does.
// Checkpoints that follow one another quickly may be told as one.
func (r *Run) Events(ctx context.Context) iter.Seq[Event] {
	return func(yield func(Event) bool) {
		first := Event{Kind: Started}
		if r.job.Restored != nil {
			first.Epoch = r.job.Restored.Epoch
		}
		if !yield(first) {
			return
		}
		last := first.Epoch
		tick := time.NewTicker(eventsEvery)
		defer tick.Stop()
		for ended := false; !ended; {
			select {
			case <-tick.C:
			case <-r.done:
				ended = true
			case <-ctx.Done():
				return
			}
			if e := r.job.Metrics.Epoch.Load(); e > last {
				last = e
				if !yield(Event{Kind: Checkpointed, Epoch: e}) {
					return
				}
			}
		}
		yield(Event{Kind: Ended, Epoch: last, Err: r.err})
	}
}

// Runs is several runs that are waited for together.
type Runs []*Run

// Wait returns when all have ended, with their errors.
func (rs Runs) Wait() error {
	errs := make([]error, len(rs))
	var wg sync.WaitGroup
	for i, r := range rs {
		wg.Go(func() { errs[i] = r.Wait() })
	}
	wg.Wait()
	return errors.Join(errs...)
}
