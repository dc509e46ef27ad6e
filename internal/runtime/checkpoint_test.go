package runtime

import (
	"context"
	"testing"
	"time"

	"github.com/runnelio/runnel/internal/physical"
)

// TestCancelledEpochIsNotBegunAgain cancels a job in the middle of an epoch while
// the next checkpoint is long due. A second barrier of the same epoch would have
// tasks counted twice: the commit could hold the state behind the second barrier
// with the positions before the first.
func TestCancelledEpochIsNotBegunAgain(t *testing.T) {
	for range 200 {
		ctx, cancel := context.WithCancel(t.Context())
		m := &builder{}
		tk := &task{name: "source", source: &sourceDriver{}}
		c := newTestCoordinator(m, tk)
		injected := make(chan int)
		go func() {
			n := 0
			for b := range c.barriers[0] {
				n++
				_ = b
				cancel() // while the coordinator waits for the answer
			}
			injected <- n
		}()
		err := c.run(ctx)
		close(c.barriers[0])
		if n := <-injected; n != 1 {
			t.Fatalf("%d barriers of one epoch", n)
		}
		if err == nil {
			t.Fatal("an epoch that was given up reported no error")
		}
		cancel()
	}
}

func newTestCoordinator(b *builder, tasks ...*task) *coordinator {
	b.opts.Interval = time.Nanosecond
	b.plan = &physical.Plan{}
	return newCoordinator(&Job{stop: make(chan struct{})}, b, tasks)
}
