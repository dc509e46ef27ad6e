package runtime

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/internal/state"
)

// coordinator takes checkpoints: it has every source inject a barrier, waits
// until every task has handled it, commits state, positions and prepared
// transactions together, and only then has the sinks commit. One epoch is under
// way at a time.
type coordinator struct {
	job      *Job
	store    state.Store
	interval time.Duration
	tasks    []*task
	barriers []chan int64
	acks     chan ack
	ends     chan *task
	commit   *state.Commit
}

// newCoordinator returns nil if the job takes no checkpoints.
func newCoordinator(j *Job, b *builder, tasks []*task) *coordinator {
	if b.opts.Interval <= 0 || b.opts.Store == nil {
		return nil
	}
	c := &coordinator{job: j, store: b.opts.Store, interval: b.opts.Interval, tasks: tasks,
		acks: make(chan ack, len(tasks)), ends: make(chan *task, len(tasks))}
	c.commit = &state.Commit{Positions: map[string]string{}, Tokens: map[string][]byte{}, Meta: map[string]string{}}
	if b.last != nil {
		c.commit.Epoch = b.last.Epoch
		maps.Copy(c.commit.Positions, b.last.Positions)
	}
	for _, t := range tasks {
		t.epochs = c.acks
		if t.source != nil {
			ch := make(chan int64, 1)
			t.source.barriers = ch
			c.barriers = append(c.barriers, ch)
		}
	}
	return c
}

// ended says that t has finished: it takes part in no further epoch.
func (c *coordinator) ended(t *task) {
	if c != nil {
		c.ends <- t
	}
}

func (c *coordinator) run(ctx context.Context) error {
	timer := time.NewTicker(c.interval)
	defer timer.Stop()
	live := len(c.tasks)
	final := map[string]string{} // positions of tasks that have ended
	finish := func(t *task) {
		live--
		if t.source != nil {
			for s, p := range t.source.positions {
				final[t.nodes[0].cx.ID+"/"+s] = p
			}
		}
	}
	for live > 0 {
		select {
		case <-timer.C:
		case t := <-c.ends:
			finish(t)
			continue
		case <-ctx.Done():
			return nil
		}
		c.commit.Epoch++
		for _, b := range c.barriers {
			select {
			case b <- c.commit.Epoch:
			default: // its source has ended
			}
		}
		next := *c.commit
		next.Positions = maps.Clone(c.commit.Positions)
		next.Tokens = map[string][]byte{}
		for waiting := live; waiting > 0; {
			select {
			case a := <-c.acks:
				if a.epoch != next.Epoch {
					continue
				}
				maps.Copy(next.Positions, a.positions)
				maps.Copy(next.Tokens, a.tokens)
				waiting--
			case t := <-c.ends:
				// A task ends after it has handled whatever barriers reached it.
				finish(t)
				if !c.acknowledged(t, &next) {
					waiting--
				}
			case <-ctx.Done():
				return nil
			}
		}
		maps.Copy(next.Positions, final)
		if live == 0 {
			break // the final commit below covers it
		}
		if err := c.finish(ctx, &next); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return nil
	}
	c.commit.Epoch++
	maps.Copy(c.commit.Positions, final)
	c.commit.Tokens = map[string][]byte{}
	c.commit.Meta["ended"] = "true"
	return c.finish(ctx, c.commit)
}

// acknowledged tells whether an ack of t for the epoch is already in the channel or counted:
// a source that ended without seeing the barrier has none.
func (c *coordinator) acknowledged(t *task, next *state.Commit) bool {
	return t.handled >= next.Epoch
}

func (c *coordinator) finish(ctx context.Context, next *state.Commit) error {
	if err := c.store.Commit(ctx, next); err != nil {
		return fmt.Errorf("checkpoint %d: %w", next.Epoch, err)
	}
	c.commit = next
	for _, t := range c.tasks {
		for _, n := range t.nodes {
			s, ok := n.op.(*sinkOp)
			if !ok {
				continue
			}
			if tx, ok := s.sink.(connector.Tx); ok {
				if token := next.Tokens[fmt.Sprintf("%s/%d", n.cx.ID, n.cx.Subtask)]; token != nil {
					if err := tx.Commit(ctx, token); err != nil {
						return err
					}
				}
			}
		}
		if t.source != nil {
			if cm, ok := t.source.source.(connector.Committer); ok {
				if err := cm.Committed(ctx, next.Positions); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
