package queues

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/runnelio/runnel/connectors/rocketmq/remoting"
)

// readRocketMQ gives f every message of a topic, queue after queue.
func readRocketMQ(t *testing.T, c *remoting.Client, topic string, f func(*remoting.Message)) {
	t.Helper()
	ctx := context.Background()
	r, err := c.FetchRoute(ctx, topic)
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range r.Read {
		end, err := c.MaxOffset(ctx, q)
		if err != nil {
			t.Fatal(err)
		}
		for at := int64(0); at < end; {
			var m remoting.Messages
			if err := c.Pull(ctx, remoting.PullRequest{Queue: q, Group: topic + "_check", Offset: at, Max: 1000}, &m); err != nil {
				t.Fatal(err)
			}
			for i := range m.List {
				f(&m.List[i])
			}
			at = m.Next
		}
	}
}

// readKafka gives f every committed record of a topic, until none has come for a while.
func readKafka(t *testing.T, addr, topic string, f func(*kgo.Record)) {
	t.Helper()
	r, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.ConsumeTopics(topic), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.FetchMaxWait(100*time.Millisecond), kgo.MetadataMinAge(250*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for {
		quiet, cancel := context.WithTimeout(context.Background(), 1500*time.Millisecond)
		got := r.PollFetches(quiet)
		cancel()
		if got.NumRecords() == 0 {
			return
		}
		got.EachRecord(f)
	}
}

// once fails the test when the input itself is not what the test means to have
// sent: its producer, too, may have sent a record again that had arrived. The
// times of the records are all different.
func (in *input) once(t *testing.T, q queue) {
	t.Helper()
	seen := make(map[string]bool, in.n)
	held := q.held(t)
	for _, body := range held {
		var r struct{ K, Ts string }
		if err := json.Unmarshal([]byte(body), &r); err != nil {
			t.Fatalf("%v: %s", err, body)
		}
		if seen[r.K+r.Ts] {
			t.Fatalf("the test's own producer sent %s twice", body)
		}
		seen[r.K+r.Ts] = true
	}
	if len(held) != in.n+queueCount {
		t.Fatalf("the input holds %d records, the test has sent %d", len(held), in.n+queueCount)
	}
}
