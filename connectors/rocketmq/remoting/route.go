package remoting

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"
)

// autoCreateTopic is the topic whose brokers make other topics at the first message.
const autoCreateTopic = "TBW102"

// Queue names a queue of a topic on a broker.
type Queue struct {
	Topic  string
	Broker string
	ID     int
}

// String is topic/broker/id.
func (q Queue) String() string { return fmt.Sprintf("%s/%s/%d", q.Topic, q.Broker, q.ID) }

// compare orders queues as Java clients do, so that members of a group that are
// written in either share queues by the same rule.
func (q Queue) compare(o Queue) int {
	return cmp.Or(cmp.Compare(q.Topic, o.Topic), cmp.Compare(q.Broker, o.Broker), cmp.Compare(q.ID, o.ID))
}

// Route says where a topic lives.
type Route struct {
	Topic string
	// Read and Write are the queues that may be read and written, in order.
	Read, Write []Queue
}

type cachedRoute struct {
	route   *Route
	fetched time.Time
}

// The bits of a queue's permission.
const (
	permRead  = 4
	permWrite = 2
)

type wireRoute struct {
	Queues []struct {
		Broker string `json:"brokerName"`
		Read   int    `json:"readQueueNums"`
		Write  int    `json:"writeQueueNums"`
		Perm   int    `json:"perm"`
	} `json:"queueDatas"`
	Brokers []struct {
		Name  string            `json:"brokerName"`
		Addrs map[string]string `json:"brokerAddrs"`
	} `json:"brokerDatas"`
}

// Route returns where the topic lives, at most Config.RouteInterval old.
func (c *Client) Route(ctx context.Context, topic string) (*Route, error) {
	c.mu.Lock()
	r := c.routes[topic]
	c.mu.Unlock()
	if r != nil && time.Since(r.fetched) < c.cfg.RouteInterval {
		return r.route, nil
	}
	return c.FetchRoute(ctx, topic)
}

// FetchRoute asks the name server where the topic lives.
func (c *Client) FetchRoute(ctx context.Context, topic string) (*Route, error) {
	k, err := c.ask(ctx, "route of "+topic, func() *command {
		req := &command{code: codeRoute}
		req.add("topic", c.full(topic))
		req.add("acceptStandardJsonOnly", "true")
		return req
	})
	if err != nil {
		return nil, err
	}
	var w wireRoute
	if err := json.Unmarshal(quoteKeys(k.body), &w); err != nil {
		return nil, fmt.Errorf("rocketmq: route of %s: %w", topic, err)
	}
	r := &Route{Topic: topic}
	for _, q := range w.Queues {
		if q.Perm&permRead != 0 {
			for i := range q.Read {
				r.Read = append(r.Read, Queue{topic, q.Broker, i})
			}
		}
		if q.Perm&permWrite != 0 {
			for i := range q.Write {
				r.Write = append(r.Write, Queue{topic, q.Broker, i})
			}
		}
	}
	slices.SortFunc(r.Read, Queue.compare)
	slices.SortFunc(r.Write, Queue.compare)
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, b := range w.Brokers {
		addrs := map[int64]string{}
		for id, a := range b.Addrs {
			n, err := strconv.ParseInt(id, 10, 64)
			if err != nil {
				return nil, fmt.Errorf("rocketmq: route of %s: broker id %q", topic, id)
			}
			addrs[n] = a
		}
		c.brokers[b.Name] = addrs
	}
	c.routes[topic] = &cachedRoute{r, time.Now()}
	return r, nil
}

// WriteRoute is Route for a topic that may not exist yet: then it has the queues
// it will get when a broker makes it at the first message.
func (c *Client) WriteRoute(ctx context.Context, topic string) (*Route, error) {
	r, err := c.Route(ctx, topic)
	var e *Error
	if !errors.As(err, &e) || e.Code != TopicNotExist {
		return r, err
	}
	d, derr := c.Route(ctx, autoCreateTopic)
	if derr != nil {
		return nil, err // brokers that make no topics do not have it
	}
	r = &Route{Topic: topic}
	for _, q := range d.Write {
		if q.ID < autoQueues {
			r.Write = append(r.Write, Queue{topic, q.Broker, q.ID})
		}
	}
	return r, nil
}

// autoQueues is the most queues that a topic made at its first message gets.
const autoQueues = 4

// forget makes the next Route of the topic a fresh one.
func (c *Client) forget(topic string) {
	c.mu.Lock()
	delete(c.routes, topic)
	c.mu.Unlock()
}

// broker returns the address of the broker that holds q: its master, or the
// replica with the lowest number if there is none. prefer names another replica.
func (c *Client) broker(ctx context.Context, q Queue, prefer int64) (string, error) {
	for try := 0; ; try++ {
		c.mu.Lock()
		addrs := c.brokers[q.Broker]
		addr, ok := addrs[prefer]
		if !ok {
			addr, ok = addrs[0]
		}
		if !ok && len(addrs) > 0 {
			addr, ok = addrs[slices.Min(slices.Collect(maps.Keys(addrs)))], true
		}
		c.mu.Unlock()
		if ok {
			return addr, nil
		}
		if try > 0 {
			return "", &ConnError{q.Broker, errors.New("the name server knows no such broker")}
		}
		if _, err := c.FetchRoute(ctx, q.Topic); err != nil {
			return "", err
		}
	}
}

// lost handles a broken connection to the broker of q: it may have moved.
func (c *Client) lost(ctx context.Context, q Queue) {
	if _, err := c.FetchRoute(ctx, q.Topic); err != nil {
		c.cfg.Log.Debug("route not refreshed", "topic", q.Topic, "error", err)
	}
}

// masters returns the addresses of the masters that hold queues of the topics.
func (c *Client) masters(ctx context.Context, topics []string) ([]string, error) {
	names := map[string]bool{}
	for _, t := range topics {
		r, err := c.Route(ctx, t)
		if err != nil {
			return nil, err
		}
		for _, q := range r.Read {
			names[q.Broker] = true
		}
		for _, q := range r.Write {
			names[q.Broker] = true
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []string
	for n := range names {
		if a, ok := c.brokers[n][0]; ok {
			out = append(out, a)
		}
	}
	slices.Sort(out)
	return out, nil
}

// quoteKeys puts quotes around the bare numbers that old servers write as keys of objects.
func quoteKeys(b []byte) []byte {
	var out []byte
	last := 0
	inString, escaped := false, false
	for i := 0; i < len(b); i++ {
		switch ch := b[i]; {
		case escaped:
			escaped = false
		case inString:
			escaped = ch == '\\'
			if ch == '"' {
				inString = false
			}
		case ch == '"':
			inString = true
		case ch == '{' || ch == ',':
			j := i + 1
			for j < len(b) && (b[j] >= '0' && b[j] <= '9' || b[j] == '-') {
				j++
			}
			if j > i+1 && j < len(b) && b[j] == ':' {
				out = append(out, b[last:i+1]...)
				out = append(out, '"')
				out = append(out, b[i+1:j]...)
				out = append(out, '"')
				last = j
			}
		}
	}
	if out == nil {
		return b
	}
	return append(out, b[last:]...)
}
