package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/runnelio/runnel/connectors/rocketmq/remoting"
	"github.com/runnelio/runnel/internal/services/servicetest"
)

func TestMain(m *testing.M) { servicetest.Main(m) }

func TestWrites(t *testing.T) {
	server := servicetest.RocketMQ(t)
	c, err := remoting.New(remoting.Config{NameServers: []string{server}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	topic := fmt.Sprint("alone_", time.Now().UnixNano())
	if err := c.CreateTopic(t.Context(), topic, remoting.TopicConfig{Queues: 4}); err != nil {
		t.Fatal(err)
	}
	if err := run(t.Context(), map[string]string{"connector": "rocketmq", "topic": topic, "nameServerAddress": server, "keyColumns": "user", "format": "json"}); err != nil {
		t.Fatal(err)
	}
	r, err := c.Route(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	n := int64(0)
	for end := time.Now().Add(20 * time.Second); n < 20 && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		n = 0
		for _, q := range r.Read {
			at, err := c.MaxOffset(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			n += at
		}
	}
	if n != 20 {
		t.Errorf("%d messages", n)
	}
}
