package remoting

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

func asError(err error, to **Error) bool { return errors.As(err, to) }

// TopicConfig is how a topic is made.
type TopicConfig struct {
	Queues int // on each broker; 0: 4
	// Attributes such as message.type=DELAY or cleanup.policy=COMPACTION (5.x).
	Attributes map[string]string
	Brokers    []string // names; nil: all
}

// Brokers returns the names and master addresses of all brokers the name server knows.
func (c *Client) Brokers(ctx context.Context) (map[string]string, error) {
	k, err := c.ask(ctx, "cluster", func() *command { return &command{code: codeClusterInfo} })
	if err != nil {
		return nil, err
	}
	var w struct {
		Table map[string]struct {
			Addrs map[string]string `json:"brokerAddrs"`
		} `json:"brokerAddrTable"`
	}
	if err := json.Unmarshal(quoteKeys(k.body), &w); err != nil {
		return nil, fmt.Errorf("rocketmq: cluster: %w", err)
	}
	out := map[string]string{}
	for name, b := range w.Table {
		if a := b.Addrs["0"]; a != "" {
			out[name] = a
		}
	}
	return out, nil
}

// CreateTopic makes a topic, or changes the number of its queues, and returns
// when the name server knows it.
func (c *Client) CreateTopic(ctx context.Context, topic string, tc TopicConfig) error {
	brokers, err := c.Brokers(ctx)
	if err != nil {
		return err
	}
	if len(brokers) == 0 {
		return errors.New("rocketmq: the name server knows no broker")
	}
	if tc.Queues <= 0 {
		tc.Queues = 4
	}
	var attributes []string
	for k, v := range tc.Attributes {
		attributes = append(attributes, "+"+k+"="+v)
	}
	slices.Sort(attributes)
	want := 0
	for name, addr := range brokers {
		if tc.Brokers != nil && !slices.Contains(tc.Brokers, name) {
			continue
		}
		want += tc.Queues
		req := &command{code: codeCreateTopic}
		req.add("topic", c.full(topic))
		req.add("defaultTopic", autoCreateTopic)
		req.addInt("readQueueNums", int64(tc.Queues))
		req.addInt("writeQueueNums", int64(tc.Queues))
		req.addInt("perm", permRead|permWrite)
		req.add("topicFilterType", "SINGLE_TAG")
		req.add("topicSysFlag", "0")
		req.add("order", "false")
		req.add("attributes", strings.Join(attributes, ","))
		if _, err := c.call(ctx, "create topic "+topic, addr, req); err != nil {
			return err
		}
	}
	if want == 0 {
		return fmt.Errorf("rocketmq: create topic %s: no broker of %s", topic, strings.Join(tc.Brokers, ", "))
	}
	for {
		r, err := c.FetchRoute(ctx, topic)
		if err == nil && len(r.Read) == want {
			return nil
		}
		var e *Error
		if err != nil && !(errors.As(err, &e) && e.Code == TopicNotExist) {
			return err
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("rocketmq: create topic %s: the name server has not heard of it: %w", topic, context.Cause(ctx))
		}
	}
}

// DeleteTopic removes a topic and its messages.
func (c *Client) DeleteTopic(ctx context.Context, topic string) error {
	brokers, err := c.Brokers(ctx)
	if err != nil {
		return err
	}
	for _, addr := range brokers {
		req := &command{code: codeDeleteInBroker}
		req.add("topic", c.full(topic))
		if _, err := c.call(ctx, "delete topic "+topic, addr, req); err != nil {
			return err
		}
	}
	for _, addr := range c.cfg.NameServers {
		req := &command{code: codeDeleteInServer}
		req.add("topic", c.full(topic))
		if _, err := c.call(ctx, "delete topic "+topic, addr, req); err != nil {
			return err
		}
	}
	c.forget(topic)
	return nil
}
