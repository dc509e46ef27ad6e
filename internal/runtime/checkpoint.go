package runtime

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/internal/state"
)

// coordinator takes checkpoints: it has every source inject a barrier, waits
// until every task has handled it, commits state, positions and prepared
// transactions together, and only then has the sinks commit. One epoch is under
// way at a time.
type coordinator struct {
	job      *Job
	store    state.Store // nil: only positions and transactions are kept, in memory
	interval time.Duration
	tasks    []*task
	barriers []chan barrier
	acks     chan ack
	ends     chan *task
	requests chan chan error
	finished chan struct{} // closed when run has returned

	mu        sync.Mutex
	forgotten map[string]bool // positions of splits that were let go

	commit *state.Commit
	live   int
	ended  []ack // what tasks that have ended left; epoch is the first commit it belongs to
}

// defaultInterval is the time between commits of positions to a queue where the
// job itself takes no checkpoints.
const defaultInterval = 5 * time.Second

// newCoordinator returns nil if the job takes no checkpoints.
func newCoordinator(j *Job, b *builder, tasks []*task) *coordinator {
	interval := b.opts.Interval
	if interval <= 0 && b.opts.Store == nil {
		if !slices.ContainsFunc(tasks, func(t *task) bool {
			if t.source == nil {
				return false
			}
			_, commits := t.source.source.(connector.Committer)
			return commits
		}) {
			return nil
		}
		interval = defaultInterval
	}
	if b.plan.Options.Batch {
		// Results come out at the end of input, whole: there is nothing before it to go on from.
		interval = 0
	}
	c := &coordinator{job: j, store: b.opts.Store, interval: interval, tasks: tasks, live: len(tasks), forgotten: map[string]bool{},
		acks: make(chan ack, len(tasks)), ends: make(chan *task, len(tasks)), requests: make(chan chan error), finished: make(chan struct{})}
	c.commit = &state.Commit{Positions: map[string]string{}, Tokens: map[string][]byte{}, Meta: map[string]string{}}
	if b.last != nil {
		c.commit.Epoch = b.last.Epoch
		maps.Copy(c.commit.Positions, b.last.Positions)
		maps.Copy(c.commit.Meta, b.last.Meta)
	}
	maps.Copy(c.commit.Meta, b.opts.Meta)
	if b.opts.Store != nil {
		maps.Copy(c.commit.Meta, facts(b.plan, b.states))
	}
	for _, t := range tasks {
		t.epochs, t.handled = c.acks, c.commit.Epoch
		for _, n := range t.nodes {
			if s, ok := n.op.(*sinkOp); ok {
				s.coordinated = true
			}
		}
		if t.source != nil {
			ch := make(chan barrier, 1)
			t.source.barriers = ch
			c.barriers = append(c.barriers, ch)
		}
	}
	return c
}

// done says that t has finished: it takes part in no further epoch.
func (c *coordinator) done(t *task) {
	if c != nil {
		c.ends <- t
	}
}

// checkpoint takes a checkpoint now and returns when it is committed.
func (c *coordinator) checkpoint(ctx context.Context) error {
	answer := make(chan error, 1)
	select {
	case c.requests <- answer:
	case <-c.finished:
		return errStopped
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	select {
	case err := <-answer:
		return err
	case <-c.finished:
		return errStopped
	}
}

// forget drops the position of a split that was let go from later commits.
func (c *coordinator) forget(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forgotten[key] = true
}

// run takes checkpoints until all tasks have ended. The last commit has the
// positions and transactions of all of them.
func (c *coordinator) run(ctx context.Context) (err error) {
	defer close(c.finished)
	var timer <-chan time.Time
	if c.interval > 0 {
		t := time.NewTicker(c.interval)
		defer t.Stop()
		timer = t.C
	}
	stop := c.job.stop
	for c.live > 0 {
		if ctx.Err() != nil {
			return nil // a timer that is due too must not win
		}
		select {
		case <-timer:
			err = c.epoch(ctx, false)
		case answer := <-c.requests:
			err = c.epoch(ctx, false)
			answer <- err
		case <-stop:
			stop = nil
			err = c.epoch(ctx, true)
		case t := <-c.ends:
			c.finish(t)
		case <-ctx.Done():
			return nil
		}
		if err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return nil
	}
	next := c.next()
	if !c.job.Stopped() {
		next.Meta[metaEnded] = "true"
	}
	return c.settle(ctx, next)
}

// metaEnded in a commit says that the job's input has ended and everything is written.
const metaEnded = "ended"

// next is the commit of the epoch after the last one, as far as nothing has changed.
func (c *coordinator) next() *state.Commit {
	n := &state.Commit{Epoch: c.commit.Epoch + 1, Positions: maps.Clone(c.commit.Positions), Tokens: map[string][]byte{}, Meta: maps.Clone(c.commit.Meta)}
	return n
}

// epoch takes one checkpoint. After a final one the sources end. An epoch that
// was given up (ctx is done) must never be begun again: tasks that have handled
// its barrier would be taken for having handled the second one.
func (c *coordinator) epoch(ctx context.Context, final bool) error {
	next := c.next()
	begun := time.Now()
	for _, b := range c.barriers {
		select {
		case b <- barrier{next.Epoch, final}: // a source that stops waits for the final one
		default: // its source has ended
		}
	}
	got := ack{positions: map[string]string{}, tokens: map[string][]byte{}, watermarks: map[string]int64{}}
	for waiting := c.live; waiting > 0; {
		select {
		case a := <-c.acks:
			if a.epoch != next.Epoch {
				continue
			}
			got.add(a)
			waiting--
		case t := <-c.ends:
			// A task ends after it has handled whatever barriers reached it.
			c.finish(t)
			if t.handled < next.Epoch {
				waiting--
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	maps.Copy(next.Positions, got.positions)
	maps.Copy(next.Tokens, got.tokens)
	for op, w := range got.watermarks {
		next.Meta[metaWatermark+op] = strconv.FormatInt(w, 10)
	}
	if err := c.settle(ctx, next); err != nil {
		return err
	}
	took := int64(time.Since(begun))
	m := c.job.Metrics
	m.CheckpointNs.Add(took)
	m.LastCheckpointNs.Store(took)
	return nil
}

// metaWatermark and an operator's id name its watermark in a commit.
const metaWatermark = "watermark/"

// add takes what a task reports; an operator's watermark is the lowest of its tasks.
func (a *ack) add(b ack) {
	maps.Copy(a.positions, b.positions)
	maps.Copy(a.tokens, b.tokens)
	for op, w := range b.watermarks {
		if old, ok := a.watermarks[op]; !ok || w < old {
			a.watermarks[op] = w
		}
	}
}

// finish takes what a task that has ended leaves. All of it came after the last
// barrier the task has handled: it belongs to the next epoch, and not to one that
// is still waiting for other tasks.
func (c *coordinator) finish(t *task) {
	c.live--
	left := ack{epoch: t.handled + 1, positions: map[string]string{}, tokens: map[string][]byte{}, watermarks: map[string]int64{}}
	if t.source != nil {
		for s, p := range t.source.positions.all() {
			left.positions[t.nodes[0].cx.ID+"/"+s] = p
		}
	}
	for _, n := range t.nodes {
		if s, ok := n.op.(*sinkOp); ok && s.last != nil {
			left.tokens[n.key()] = s.last
		}
	}
	c.ended = append(c.ended, left)
}

// settle makes next durable, with what ended tasks left, and then has sinks and
// sources act on it.
func (c *coordinator) settle(ctx context.Context, next *state.Commit) error {
	c.ended = slices.DeleteFunc(c.ended, func(a ack) bool {
		if a.epoch > next.Epoch {
			return false
		}
		maps.Copy(next.Positions, a.positions)
		maps.Copy(next.Tokens, a.tokens)
		return true
	})
	c.mu.Lock()
	for key := range c.forgotten {
		delete(next.Positions, key)
	}
	clear(c.forgotten)
	c.mu.Unlock()
	if c.store != nil {
		if err := c.store.Commit(ctx, next); err != nil {
			c.job.Metrics.FailedCheckpoints.Add(1)
			return fmt.Errorf("checkpoint %d: %w", next.Epoch, err)
		}
	}
	c.commit = next
	c.job.Metrics.Epoch.Store(next.Epoch)
	c.job.Metrics.Checkpoints.Add(1)
	c.job.Metrics.LastCommit.Store(time.Now().UnixMilli())
	told := map[any]bool{}
	for _, t := range c.tasks {
		for _, n := range t.nodes {
			if l, ok := n.op.(exec.Committed); ok {
				l.Committed(next.Epoch)
			}
			s, ok := n.op.(*sinkOp)
			if !ok || s.tx == nil {
				continue
			}
			if token := next.Tokens[n.key()]; token != nil {
				if err := s.tx.Commit(ctx, token); err != nil {
					return wrapOp(n.name, err)
				}
			}
		}
		if t.source != nil && !told[t.source.source] {
			told[t.source.source] = true
			if cm, ok := t.source.source.(connector.Committer); ok {
				if err := cm.Committed(ctx, positionsOf(next.Positions, t.nodes[0].cx.ID)); err != nil {
					// The truth is in our commit; what the queue displays can wait.
					c.job.Metrics.FailedCommits.Add(1)
					c.job.log.Warn("positions not committed to the source", "operator", t.nodes[0].name, "error", err)
				}
			}
		}
	}
	if f := c.job.Committed; f != nil {
		f(next.Epoch)
	}
	return nil
}

// positionsOf returns the positions of one source operator by split.
func positionsOf(all map[string]string, op string) map[string]string {
	out := map[string]string{}
	for k, p := range all {
		if len(k) > len(op) && k[:len(op)] == op && k[len(op)] == '/' {
			out[k[len(op)+1:]] = p
		}
	}
	return out
}

// closeSinks closes the sinks whose last transaction had to wait for the last
// commit. It is called when all tasks have ended.
func (c *coordinator) closeSinks(ctx context.Context, err error) error {
	cctx := context.WithoutCancel(ctx)
	if err != nil || ctx.Err() != nil {
		var cancel context.CancelFunc
		cctx, cancel = context.WithCancel(cctx)
		cancel()
	}
	var errs []error
	for _, t := range c.tasks {
		for _, n := range t.nodes {
			if s, ok := n.op.(*sinkOp); ok && s.waits {
				s.waits = false
				if cerr := s.shut(cctx); cerr != nil && err == nil && ctx.Err() == nil {
					errs = append(errs, wrapOp(n.name, cerr))
				}
			}
		}
	}
	return errors.Join(errs...)
}

// recommit commits the transactions of the commit a job goes on from: it may
// have ended between making it durable and having its sinks act on it.
func recommit(ctx context.Context, tx connector.Tx, op string, subtask, parallel int, last *state.Commit) error {
	if last == nil {
		return nil
	}
	keys := slices.Sorted(maps.Keys(last.Tokens))
	i := 0
	for _, k := range keys {
		if len(k) <= len(op) || k[:len(op)] != op || k[len(op)] != '/' {
			continue
		}
		if i%parallel == subtask {
			if err := tx.Commit(ctx, last.Tokens[k]); err != nil {
				return err
			}
		}
		i++
	}
	return nil
}

// restoredWatermark is an operator's watermark in a commit.
func restoredWatermark(last *state.Commit, op string) int64 {
	if last != nil {
		if w, err := strconv.ParseInt(last.Meta[metaWatermark+op], 10, 64); err == nil {
			return w
		}
	}
	return exec.NoWatermark
}
