package runnel

import (
	"context"
	"errors"
	"fmt"
)

// upgrade asks the goroutine that watches a run for a new version.
type upgrade struct {
	to     version
	answer chan error
}

// Upgrade replaces the running job by a new version of itself, from where it is:
// a last checkpoint is taken, the old version ends with it, and the new one goes
// on from its state and positions. next is built by Env.Job with the run's name in
// the run's environment and must keep its state in the same place: a state
// directory is needed. The run stays the same: Wait and Events go on.
//
// Operators are found again by what they do, not by their place. If some state
// would fit no operator of the new version, the error names it and the old
// version goes on as if nothing had been asked (AllowNonRestored drops such state
// instead). Should the new version not start for another reason, a server that is
// away for instance, the old one is started again from the checkpoint; a source
// or sink of one's own (SourceOf, SinkOf) must then take being used after its
// Close.
//
// ctx ends the wait for the checkpoint; what begins after it is carried out.
func (r *Run) Upgrade(ctx context.Context, next *Job) error {
	if next.env != r.env || next.name != r.name {
		return fmt.Errorf("upgrade of job %s of namespace %s: the new version is job %s of namespace %s; it needs the same name in the same environment", r.name, r.env.Namespace(), next.name, next.env.Namespace())
	}
	v, err := next.version()
	if err != nil {
		return err
	}
	r.mu.Lock()
	old := r.of
	r.mu.Unlock()
	if was, is := old.stateIn(), v.stateIn(); was != is {
		return fmt.Errorf("upgrade of job %s: its state is in %q, the new version's would be in %q", r.name, was, is)
	}
	job := r.current()
	// Operators that had no state at the last checkpoint may have some now.
	if err := job.Checkpoint(ctx); err != nil {
		return fmt.Errorf("upgrade of job %s: %w", r.name, err)
	}
	if err := job.Fits(ctx, v.plan.Plan, v.engine.Options().AllowNonRestored); err != nil {
		return fmt.Errorf("upgrade of job %s: %w", r.name, err)
	}
	u := upgrade{v, make(chan error, 1)}
	select {
	case r.upgrades <- u:
		return <-u.answer
	case <-r.done:
		return fmt.Errorf("upgrade of job %s: %w", r.name, errEnded)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

var errEnded = errors.New("the job has ended")

// stateIn is the folder of the version's state, "" for memory.
func (v version) stateIn() string {
	base := v.plan.Dir
	if base == "" {
		base = v.engine.Options().StateDir
	}
	if base == "" {
		return ""
	}
	return v.engine.StatePath(base, v.plan.Name)
}

// replace stops the running version and starts another. over is the error of a
// run in which nothing runs any more.
func (r *Run) replace(ctx context.Context, u upgrade) (err, over error) {
	job := r.current()
	select {
	case <-job.Done():
		return fmt.Errorf("upgrade of job %s: %w", r.name, errEnded), nil
	default:
	}
	job.Stop()
	select {
	case <-job.Done():
	case <-ctx.Done(): // watch ends the job
		return interrupted(ctx), nil
	}
	if err := job.Wait(); err != nil {
		return fmt.Errorf("upgrade of job %s: it failed before it stopped: %w", r.name, err), nil
	}
	r.mu.Lock()
	ending, old := r.ending, r.of
	r.mu.Unlock()
	if ending {
		return fmt.Errorf("upgrade of job %s: it is being stopped", r.name), nil
	}
	if err := r.start(ctx, u.to, Upgraded); err != nil {
		err = fmt.Errorf("upgrade of job %s: %w", r.name, err)
		if again := r.start(ctx, old, Restarted); again != nil {
			over = errors.Join(err, fmt.Errorf("the old version could not go on: %w", again))
			return over, over
		}
		return err, nil
	}
	// Whoever has asked the run to end meanwhile has asked the old version.
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ending {
		r.job.Stop()
	}
	return nil, nil
}
