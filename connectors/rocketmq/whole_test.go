package rocketmq

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/internal/services/servicetest"
)

// TestWholeIsNotShared: where a query needs all queues a second process of the
// group is refused and the first one keeps what it has.
func TestWholeIsNotShared(t *testing.T) {
	a := servicetest.RocketMQ(t)
	topic := makeTopic(t, testClient(t, a), 3)
	table := valueTable(t, map[string]string{"topic": topic, "nameServerAddress": a, "consumerGroup": topic, "scan.assignment": "group"})
	table.Whole = true
	start := func() (splits chan string, end chan error, stop func()) {
		src := openSource(t, table).(*watched)
		ctx, cancel := context.WithCancel(context.Background())
		splits, end = make(chan string, 10), make(chan error, 1)
		go func() {
			end <- src.Watch(ctx, func(s connector.Split) { splits <- s.ID }, func(s connector.Split) { splits <- "-" + s.ID })
		}()
		return splits, end, cancel
	}
	has, firstEnd, stop := start()
	for range 3 {
		select {
		case <-has:
		case err := <-firstEnd:
			t.Fatal(err)
		case <-time.After(30 * time.Second):
			t.Fatal("the first process gets no queues")
		}
	}
	_, end, cancel := start()
	defer cancel()
	select {
	case err := <-end:
		if !errors.Is(err, connector.ErrShared) {
			t.Errorf("refused with %v", err)
		}
	case <-time.After(30 * time.Second):
		t.Error("a second process is not refused")
	}
	select {
	case s := <-has:
		t.Errorf("the first process was told of %s", s)
	default:
	}
	stop()
	<-firstEnd
	// Now there is room.
	has, end, cancel2 := start()
	defer cancel2()
	select {
	case <-has:
	case err := <-end:
		t.Error(err)
	case <-time.After(30 * time.Second):
		t.Error("nothing after the first process has left")
	}
	cancel2()
	<-end
}
