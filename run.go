package runnel

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/runnelio/runnel/internal/compile"
	"github.com/runnelio/runnel/internal/engine"
	"github.com/runnelio/runnel/internal/metrics"
	"github.com/runnelio/runnel/internal/runtime"
)

// Run is a running job. Its methods are safe for concurrent use.
type Run struct {
	env      *Env
	name     string
	log      *eventLog
	upgrades chan upgrade
	done     chan struct{} // closed when the run and what watches it have ended
	err      error

	mu     sync.Mutex
	job    *runtime.Job // Upgrade puts another in its place
	ending bool         // Stop or Cancel was called
	of     version
}

// version is what a run was started from.
type version struct {
	plan   *compile.Job
	engine *engine.Engine
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
	v, err := j.version()
	if err != nil {
		return nil, err
	}
	return j.env.run(ctx, v)
}

// version compiles the job for the engine it runs in.
func (j *Job) version() (version, error) {
	c, err := j.compiled()
	if err != nil {
		return version{}, err
	}
	e := j.env.engine
	if j.volatile && e.Options().StateDir != "" {
		o := e.Options()
		o.StateDir = ""
		if e, err = engine.New(o); err != nil {
			return version{}, err
		}
	}
	return version{c, e}, nil
}

// run starts a version of a job, and a goroutine that watches it and ends with it.
func (e *Env) run(ctx context.Context, v version) (*Run, error) {
	r := &Run{env: e, name: v.plan.Name, upgrades: make(chan upgrade), done: make(chan struct{}), log: newEventLog()}
	if err := e.claim(r.name); err != nil {
		return nil, err
	}
	if err := r.start(ctx, v, Started); err != nil {
		e.release(r.name)
		return nil, err
	}
	go r.watch(ctx)
	return r, nil
}

// start makes v what the run runs.
func (r *Run) start(ctx context.Context, v version, kind EventKind) error {
	var epochs sync.Mutex // held until the beginning has been told
	epochs.Lock()
	defer epochs.Unlock()
	job, err := v.engine.StartObserved(context.WithoutCancel(ctx), v.plan, func(job *runtime.Job) {
		job.Committed = func(epoch int64) {
			epochs.Lock()
			defer epochs.Unlock()
			r.log.add(Event{Kind: Checkpointed, Epoch: epoch})
		}
	})
	if err != nil {
		return err
	}
	r.mu.Lock()
	r.job, r.of = job, v
	r.mu.Unlock()
	first := Event{Kind: kind}
	if job.Restored != nil {
		first.Epoch = job.Restored.Epoch
	}
	r.log.add(first)
	return nil
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

// watch carries out upgrades, and ends the job with its context. It ends with
// the run.
func (r *Run) watch(ctx context.Context) {
	defer func() {
		r.log.add(Event{Kind: Ended, Epoch: r.current().Metrics.Epoch.Load(), Err: r.err})
		r.log.close()
		r.env.release(r.name)
		close(r.done)
	}()
	for {
		job := r.current()
		select {
		case <-job.Done():
			r.err = job.Wait()
			return
		case u := <-r.upgrades:
			err, over := r.replace(ctx, u)
			u.answer <- err
			if over != nil {
				r.err = over
				return
			}
		case <-ctx.Done():
			r.err = finished(ctx, job)
			return
		}
	}
}

// finished stops a job whose context has ended and waits for it.
func finished(ctx context.Context, job *runtime.Job) error {
	job.Stop()
	grace := time.NewTimer(stopGrace)
	defer grace.Stop()
	select {
	case <-job.Done():
	case <-grace.C:
		job.Cancel()
	}
	if err := job.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return interrupted(ctx)
}

// current is the job that runs now.
func (r *Run) current() *runtime.Job {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.job
}

// end notes that the run is to end, and returns its job.
func (r *Run) end() *runtime.Job {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.ending {
		r.ending = true
		r.log.add(Event{Kind: Stopping, Epoch: r.job.Metrics.Epoch.Load()})
	}
	return r.job
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
	r.end().Stop()
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Cancel ends the job without finishing what is under way, as a crash would:
// it goes on from its last checkpoint when it is started again. See Wait.
func (r *Run) Cancel() { r.end().Cancel() }

// Checkpoint takes a checkpoint now and returns when it is durable. A job
// without a state directory returns an error.
func (r *Run) Checkpoint(ctx context.Context) error { return r.current().Checkpoint(ctx) }

// Metrics is what a job has done so far, over all its operators. An upgrade
// begins to count anew.
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
	job := r.current()
	m := job.Metrics
	out := Metrics{Elapsed: job.Elapsed(), Epoch: m.Epoch.Load()}
	for _, o := range m.All() {
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
