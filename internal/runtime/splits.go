package runtime

import (
	"context"
	"hash/fnv"

	"github.com/runnelio/runnel/connector"
)

// splitManager hands the splits of a watched source to its drivers as they come
// and go. A split that goes is read no more, then a checkpoint is taken, and only
// then is it let go: whoever reads it next goes on where the commit stands.
type splitManager struct {
	op      string
	watcher connector.Watcher
	drivers []*sourceDriver
	ended   []<-chan struct{} // by driver: closed when it takes no more commands
	c       *coordinator      // nil if the job takes no checkpoints
	start   map[string]string // positions of the commit the job goes on from
}

func (m *splitManager) run(ctx context.Context) error {
	err := m.watcher.Watch(ctx, func(s connector.Split) { m.found(ctx, s) }, func(s connector.Split) { m.gone(ctx, s) })
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// of returns the driver of a split: always the same one.
func (m *splitManager) of(split string) int {
	h := fnv.New32a()
	h.Write([]byte(split))
	return int(h.Sum32() % uint32(len(m.drivers)))
}

func (m *splitManager) found(ctx context.Context, s connector.Split) {
	_ = m.send(ctx, splitCommand{action: splitAdd, split: s, at: m.start[s.ID]})
}

// gone returns when the split is no longer read and what was read of it is
// committed, or the job ends.
func (m *splitManager) gone(ctx context.Context, s connector.Split) {
	if m.send(ctx, splitCommand{action: splitStop, split: s}) != nil {
		return
	}
	if m.c != nil {
		if err := m.c.checkpoint(ctx); err != nil {
			return // the job ends with it
		}
	}
	_ = m.send(ctx, splitCommand{action: splitRelease, split: s})
	delete(m.start, s.ID)
	if m.c != nil {
		m.c.forget(m.op + "/" + s.ID)
	}
}

func (m *splitManager) send(ctx context.Context, c splitCommand) error {
	c.done = make(chan error, 1)
	at := m.of(c.split.ID)
	select {
	case m.drivers[at].commands <- c:
	case <-m.ended[at]:
		return errStopped
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	select {
	case err := <-c.done:
		return err
	case <-m.ended[at]:
		return errStopped
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
