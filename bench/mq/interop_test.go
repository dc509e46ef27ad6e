package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	rocketmq "github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
	"github.com/apache/rocketmq-client-go/v2/rlog"

	"github.com/runnelio/runnel/connectors/rocketmq/remoting"
)

// setup needs a broker: RUNNEL_ROCKETMQ.
func setup(t *testing.T) (string, *remoting.Client, string) {
	t.Helper()
	server := os.Getenv("RUNNEL_ROCKETMQ")
	if server == "" {
		t.Skip("RUNNEL_ROCKETMQ names no broker: go run ../../cmd/services run -- go test .")
	}
	rlog.SetLogLevel("fatal")
	c, err := remoting.New(remoting.Config{NameServers: []string{server}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	topic := fmt.Sprintf("interop_%d", time.Now().UnixNano())
	if err := c.CreateTopic(t.Context(), topic, remoting.TopicConfig{Queues: 2}); err != nil {
		t.Fatal(err)
	}
	return server, c, topic
}

// cases are messages with what may go wrong: compressed bodies, odd texts, empty bodies.
func cases() []*primitive.Message {
	var out []*primitive.Message
	for i, body := range []string{"plain", strings.Repeat("a body that is compressed because it is long; ", 300), "日本語 \x00\x01\x02 bytes", "x"} {
		m := &primitive.Message{Body: []byte(body)}
		m.WithTag([]string{"red", "blue"}[i%2])
		m.WithKeys([]string{fmt.Sprint("key", i), "common"})
		m.WithProperty("n", fmt.Sprint(i))
		out = append(out, m)
	}
	return out
}

// TestOfficialWritesWeRead: what the official client sends is what we read.
func TestOfficialWritesWeRead(t *testing.T) {
	server, c, topic := setup(t)
	p, err := rocketmq.NewProducer(producer.WithNameServer([]string{server}), producer.WithGroupName("interop"), producer.WithQueueSelector(producer.NewManualQueueSelector()))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	defer p.Shutdown()
	r, err := c.Route(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	q := r.Write[1]
	for _, m := range cases() {
		m.Topic, m.Queue = topic, &primitive.MessageQueue{Topic: topic, BrokerName: q.Broker, QueueId: q.ID}
		if _, err := p.SendSync(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	var got remoting.Messages
	deadline, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for len(got.List) < len(cases()) {
		if err := c.Pull(deadline, remoting.PullRequest{Queue: q, Group: "interop", Max: 100, Wait: time.Second}, &got); err != nil {
			t.Fatal(err)
		}
	}
	for i, want := range cases() {
		m := &got.List[i]
		if string(m.Body) != string(want.Body) || string(m.Property("TAGS")) != want.GetTags() || string(m.Property("KEYS")) != want.GetKeys() || string(m.Property("n")) != fmt.Sprint(i) {
			t.Errorf("message %d: %.40q %q", i, m.Body, m.Properties)
		}
	}
	if err := c.Pull(t.Context(), remoting.PullRequest{Queue: q, Group: "interop", Max: 100, Filter: remoting.Filter{Tags: []string{"blue"}}}, &got); err != nil || len(got.List) != 2 {
		t.Errorf("%d messages with the tag, %v", len(got.List), err)
	}
}

// TestWeWriteOfficialReads: single messages and batches of ours are what the
// official client reads.
func TestWeWriteOfficialReads(t *testing.T) {
	server, c, topic := setup(t)
	r, err := c.Route(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	q := r.Write[0]
	var set remoting.Set
	for i, m := range cases() {
		props := remoting.AppendProperty(remoting.AppendProperty(remoting.AppendProperty(nil, "TAGS", m.GetTags()), "KEYS", m.GetKeys()), "n", fmt.Sprint(i))
		out := remoting.Outgoing{Body: m.Body, Properties: props, Flag: int32(i)}
		if _, err := c.Send(t.Context(), q, "interop", out); err != nil {
			t.Fatal(err)
		}
		set.Add(out)
	}
	if _, err := c.SendSet(t.Context(), q, "interop", &set); err != nil {
		t.Fatal(err)
	}
	pc, err := rocketmq.NewPullConsumer(consumer.WithNameServer([]string{server}), consumer.WithGroupName(topic))
	if err != nil {
		t.Fatal(err)
	}
	// The other queue is the one it pulls in the background.
	if err := pc.Assign(topic, []*primitive.MessageQueue{{Topic: topic, BrokerName: q.Broker, QueueId: 1}}); err != nil {
		t.Fatal(err)
	}
	if err := pc.Start(); err != nil {
		t.Fatal(err)
	}
	defer pc.Shutdown()
	var got []*primitive.MessageExt
	for end := time.Now().Add(20 * time.Second); len(got) < 2*len(cases()); {
		res, err := pc.PullFrom(t.Context(), &primitive.MessageQueue{Topic: topic, BrokerName: q.Broker, QueueId: q.ID}, int64(len(got)), 32)
		if err != nil || time.Now().After(end) {
			t.Fatalf("%d messages, %v", len(got), err)
		}
		got = append(got, res.GetMessageExts()...)
	}
	for i, m := range got {
		want := cases()[i%len(cases())]
		if string(m.Body) != string(want.Body) || m.GetTags() != want.GetTags() || m.GetKeys() != want.GetKeys() || m.GetProperty("n") != fmt.Sprint(i%len(cases())) || m.QueueOffset != int64(i) ||
			int(m.Flag) != i%len(cases()) {
			t.Errorf("message %d: %.40q %v flag %d", i, m.Body, m.GetProperties(), m.Flag)
		}
	}
	// Our offsets are the group's for it too.
	if err := c.CommitOffset(t.Context(), topic, q, 5); err != nil {
		t.Fatal(err)
	}
	if at, ok, err := c.GroupOffset(t.Context(), topic, q); err != nil || !ok || at != 5 {
		t.Errorf("offset %d, %v, %v", at, ok, err)
	}
}
