package main

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/runnelio/runnel/connectors/rocketmq/remoting"
	"github.com/runnelio/runnel/internal/services/servicetest"
)

func TestMain(m *testing.M) { servicetest.Main(m) }

// What is read is committed, and only that.
func TestReadsAndCommits(t *testing.T) {
	server := servicetest.RocketMQ(t)
	c, err := remoting.New(remoting.Config{NameServers: []string{server}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	topic := fmt.Sprint("alone_", time.Now().UnixNano())
	if err := c.CreateTopic(t.Context(), topic, remoting.TopicConfig{Queues: 1}); err != nil {
		t.Fatal(err)
	}
	q := remoting.Queue{Topic: topic, Broker: "broker-a"}
	for i := range 3 {
		if _, err := c.Send(t.Context(), q, "", remoting.Outgoing{Body: fmt.Appendf(nil, `{"user":"u%d","amount":%d}`, i, i)}); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(300 * time.Millisecond) // what was sent can be read a moment later
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	err = run(ctx, map[string]string{"connector": "rocketmq", "topic": topic, "nameServerAddress": server, "consumerGroup": topic, "format": "json", "scan.bounded.mode": "latest-offset"})
	if err != nil {
		t.Fatal(err)
	}
	if at, ok, err := c.GroupOffset(ctx, topic, q); err != nil || !ok || at != 3 {
		t.Errorf("committed %d, %v, %v", at, ok, err)
	}
}
