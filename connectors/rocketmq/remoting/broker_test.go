package remoting_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/runnelio/runnel/connectors/rocketmq/remoting"
	"github.com/runnelio/runnel/internal/services/servicetest"
)

func TestMain(m *testing.M) { servicetest.Main(m) }

func client(t testing.TB, change func(*remoting.Config)) *remoting.Client {
	t.Helper()
	cfg := remoting.Config{NameServers: remoting.ParseNameServers(servicetest.RocketMQ(t))}
	if change != nil {
		change(&cfg)
	}
	c, err := remoting.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

var topicMu sync.Mutex
var topicN int

// newTopic makes a topic that no other test and no earlier run has.
func newTopic(t testing.TB, c *remoting.Client, queues int) string {
	t.Helper()
	topicMu.Lock()
	topicN++
	name := fmt.Sprintf("remoting_%d_%d", time.Now().UnixNano()%1e12, topicN)
	topicMu.Unlock()
	if err := c.CreateTopic(t.Context(), name, remoting.TopicConfig{Queues: queues}); err != nil {
		t.Fatal(err)
	}
	return name
}

func queuesOf(t testing.TB, c *remoting.Client, topic string) []remoting.Queue {
	t.Helper()
	r, err := c.Route(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	return r.Read
}

// readAll pulls from an offset until it has n messages.
func readAll(t testing.TB, c *remoting.Client, q remoting.Queue, from int64, n int, f remoting.Filter) []string {
	t.Helper()
	var got remoting.Messages
	var out []string
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for len(out) < n {
		err := c.Pull(ctx, remoting.PullRequest{Queue: q, Group: "reader", Offset: from, Max: 1024, Wait: time.Second, Filter: f}, &got)
		if err != nil {
			t.Fatalf("after %d of %d messages: %v", len(out), n, err)
		}
		for i := range got.List {
			out = append(out, string(got.List[i].Body))
		}
		from = got.Next
	}
	return out
}

func TestSendAndPull(t *testing.T) {
	t.Parallel()
	for _, json := range []bool{false, true} {
		c := client(t, func(cfg *remoting.Config) { cfg.JSONHeader = json })
		topic := newTopic(t, c, 2)
		queues := queuesOf(t, c, topic)
		if len(queues) != 2 {
			t.Fatalf("queues %v", queues)
		}
		q := queues[1]
		ctx := t.Context()
		props := remoting.AppendProperty(remoting.AppendProperty(nil, remoting.PropTags, "red"), remoting.PropKeys, "k1 k2")
		sent, err := c.Send(ctx, q, "", remoting.Outgoing{Body: []byte("zero"), Properties: props, Flag: 5})
		if err != nil {
			t.Fatal(err)
		}
		if sent.Queue != q || sent.Offset != 0 || sent.ID == "" {
			t.Errorf("sent %+v", sent)
		}
		var set remoting.Set
		for i := 1; i <= 300; i++ {
			set.Add(remoting.Outgoing{Body: fmt.Append(nil, "n", i), Properties: remoting.AppendProperty(nil, remoting.PropTags, []string{"red", "blue"}[i&1])})
		}
		if sent, err = c.SendSet(ctx, q, "", &set); err != nil {
			t.Fatal(err)
		}
		if sent.Offset != 1 {
			t.Errorf("batch at %d", sent.Offset)
		}
		if err := c.SendOneWay(ctx, q, "", remoting.Outgoing{Body: []byte("last")}); err != nil {
			t.Fatal(err)
		}
		var got remoting.Messages
		for deadline := time.Now().Add(10 * time.Second); ; {
			if err := c.Pull(ctx, remoting.PullRequest{Queue: q, Group: "g", Offset: 301, Wait: time.Second}, &got); err != nil {
				t.Fatal(err)
			}
			if len(got.List) == 1 && string(got.List[0].Body) == "last" {
				break
			}
			if time.Now().After(deadline) {
				t.Fatal("the one-way message did not come")
			}
		}
		if err := c.Pull(ctx, remoting.PullRequest{Queue: q, Group: "g", Max: 1024}, &got); err != nil {
			t.Fatal(err)
		}
		if len(got.List) != 302 || got.Next != 302 || got.Min != 0 || got.Max != 302 {
			t.Fatalf("%d messages, next %d, min %d, max %d", len(got.List), got.Next, got.Min, got.Max)
		}
		m := &got.List[0]
		if string(m.Body) != "zero" || m.Flag != 5 || string(m.Property(remoting.PropKeys)) != "k1 k2" || string(m.Topic) != topic || m.QueueID != int32(q.ID) {
			t.Errorf("%+v", m)
		}
		for i := range got.List[:301] {
			want := fmt.Sprint("n", i)
			if i == 0 {
				want = "zero"
			}
			if string(got.List[i].Body) != want || got.List[i].Offset != int64(i) {
				t.Errorf("message %d: %q at %d", i, got.List[i].Body, got.List[i].Offset)
			}
		}
		if red := readAll(t, c, q, 0, 151, remoting.Filter{Tags: []string{"red"}}); len(red) != 151 || red[1] != "n2" {
			t.Errorf("by tag: %d messages %v", len(red), red[:3])
		}
		if blue := readAll(t, c, q, 0, 150, remoting.Filter{SQL: "TAGS IS NOT NULL AND TAGS = 'blue'"}); len(blue) != 150 || blue[0] != "n1" {
			t.Errorf("by SQL: %d messages", len(blue))
		}
	}
}

func TestOffsets(t *testing.T) {
	t.Parallel()
	c := client(t, nil)
	ctx := t.Context()
	topic := newTopic(t, c, 1)
	q := queuesOf(t, c, topic)[0]
	for i := range 3 {
		if _, err := c.Send(ctx, q, "", remoting.Outgoing{Body: fmt.Append(nil, i)}); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(50 * time.Millisecond)
	mid := time.Now()
	time.Sleep(50 * time.Millisecond)
	for i := range 4 {
		if _, err := c.Send(ctx, q, "", remoting.Outgoing{Body: fmt.Append(nil, i)}); err != nil {
			t.Fatal(err)
		}
	}
	check := func(what string, want int64, f func() (int64, error)) {
		t.Helper()
		if got, err := f(); err != nil || got != want {
			t.Errorf("%s: %d, %v, want %d", what, got, err, want)
		}
	}
	check("min", 0, func() (int64, error) { return c.MinOffset(ctx, q) })
	time.Sleep(time.Second) // queues and the index by time are built behind the log
	check("max", 7, func() (int64, error) { return c.MaxOffset(ctx, q) })
	check("at time", 3, func() (int64, error) { return c.SearchOffset(ctx, q, mid) })
	group := topic + "_g"
	if _, ok, err := c.GroupOffset(ctx, group, q); ok || err != nil {
		t.Errorf("offset of a new group: %v, %v", ok, err)
	}
	var got remoting.Messages
	if err := c.Pull(ctx, remoting.PullRequest{Queue: q, Group: group, Offset: 5}, &got); err != nil { // makes the group
		t.Fatal(err)
	}
	if err := c.CommitOffset(ctx, group, q, 5); err != nil {
		t.Fatal(err)
	}
	check("group", 5, func() (int64, error) { n, _, err := c.GroupOffset(ctx, group, q); return n, err })
	if err := c.Pull(ctx, remoting.PullRequest{Queue: q, Group: group, Offset: 99}, &got); err != nil || !got.Moved || got.Next != 7 {
		t.Errorf("behind the end: moved %v, next %d, %v", got.Moved, got.Next, err)
	}
	check("group after a pull", 5, func() (int64, error) { n, _, err := c.GroupOffset(ctx, group, q); return n, err })
}

func TestErrors(t *testing.T) {
	t.Parallel()
	c := client(t, nil)
	_, err := c.Route(t.Context(), "no_such_topic_here")
	var e *remoting.Error
	if !errors.As(err, &e) || e.Code != remoting.TopicNotExist || remoting.IsTemporary(err) {
		t.Errorf("missing topic: %v", err)
	}
	topic := newTopic(t, c, 1)
	q := queuesOf(t, c, topic)[0]
	_, err = c.Send(t.Context(), q, "", remoting.Outgoing{Body: make([]byte, 5<<20)})
	if !errors.As(err, &e) || e.Code != remoting.MessageIllegal || remoting.IsTemporary(err) {
		t.Errorf("5 MB: %v", err)
	}
	var set remoting.Set
	set.Add(remoting.Outgoing{Body: make([]byte, 5<<20)})
	_, err = c.SendSet(t.Context(), q, "", &set)
	if !errors.As(err, &e) || remoting.IsTemporary(err) {
		t.Errorf("a set of 5 MB: %v", err)
	}
	err = c.CheckFilter(t.Context(), topic, "g", remoting.Filter{SQL: "a >"})
	if !errors.As(err, &e) || e.Code != remoting.SubscriptionInvalid {
		t.Errorf("bad SQL: %v", err)
	}
	if err = c.CheckFilter(t.Context(), topic, "g", remoting.Filter{SQL: "a > 1"}); err != nil {
		t.Errorf("good SQL: %v", err)
	}
	down := client(t, func(cfg *remoting.Config) { cfg.NameServers = []string{"127.0.0.1:1", "127.0.0.1:2"} })
	if _, err = down.Route(t.Context(), topic); err == nil || !remoting.IsTemporary(err) {
		t.Errorf("no name server: %v", err)
	}
	first := client(t, func(cfg *remoting.Config) { cfg.NameServers = append([]string{"127.0.0.1:1"}, cfg.NameServers...) })
	if _, err = first.Route(t.Context(), topic); err != nil {
		t.Errorf("second name server: %v", err)
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	c := client(t, nil)
	topic := newTopic(t, c, 1)
	q := queuesOf(t, c, topic)[0]
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	start := time.Now()
	var got remoting.Messages
	err := c.Pull(ctx, remoting.PullRequest{Queue: q, Group: "g", Wait: 20 * time.Second}, &got)
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > 3*time.Second {
		t.Errorf("%v after %v", err, time.Since(start))
	}
	// A pull that was waited for in vain goes on, and gives its answer later.
	p := c.StartPull(t.Context(), remoting.PullRequest{Queue: q, Group: "g", Wait: 20 * time.Second}, &got)
	short, cancel2 := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel2()
	if err := p.Wait(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	if _, err := c.Send(t.Context(), q, "", remoting.Outgoing{Body: []byte("x")}); err != nil {
		t.Fatal(err)
	}
	if err := p.Wait(t.Context()); err != nil || len(got.List) != 1 {
		t.Errorf("%d messages, %v", len(got.List), err)
	}
	// Close ends what is under way.
	p = c.StartPull(t.Context(), remoting.PullRequest{Queue: q, Group: "g", Offset: 1, Wait: 20 * time.Second}, &got)
	start = time.Now()
	c.Close()
	if err := p.Wait(t.Context()); err == nil || time.Since(start) > 2*time.Second {
		t.Errorf("%v after %v", err, time.Since(start))
	}
}

// TestManyAtOnce is for the race detector: buffers of many senders and pullers on one connection.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	c := client(t, nil)
	topic := newTopic(t, c, 8)
	queues := queuesOf(t, c, topic)
	const each = 2000
	var wg sync.WaitGroup
	for _, q := range queues {
		wg.Go(func() {
			var set remoting.Set
			for i := range each {
				set.Add(remoting.Outgoing{Body: fmt.Appendf(nil, "%s %d %s", q, i, strings.Repeat("x", i%50))})
				if set.Len() == 100 {
					if _, err := c.SendSet(t.Context(), q, "", &set); err != nil {
						t.Error(err)
						return
					}
					set.Reset()
				}
			}
		})
		wg.Go(func() {
			var got [2]remoting.Messages
			next, at := int64(0), 0
			for at < each {
				m := &got[at&1]
				if err := c.Pull(t.Context(), remoting.PullRequest{Queue: q, Group: "g", Offset: next, Max: 512, Wait: time.Second}, m); err != nil {
					t.Error(err)
					return
				}
				for i := range m.List {
					if want := fmt.Sprintf("%s %d %s", q, at, strings.Repeat("x", at%50)); string(m.List[i].Body) != want {
						t.Errorf("got %q, want %q", m.List[i].Body, want)
						return
					}
					at++
				}
				next = m.Next
			}
		})
	}
	wg.Wait()
}

// share collects what a group's member is told.
type share struct {
	mu   sync.Mutex
	held map[remoting.Queue]bool
	lost int
}

func (s *share) has() []remoting.Queue {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []remoting.Queue
	for q := range s.held {
		out = append(out, q)
	}
	return out
}

func join(t *testing.T, c *remoting.Client, group, topic string) (*remoting.Group, *share) {
	t.Helper()
	s := &share{held: map[remoting.Queue]bool{}}
	g, err := c.JoinGroup(t.Context(), remoting.GroupConfig{Name: group, Topics: []string{topic},
		Assigned: func(q remoting.Queue) { s.mu.Lock(); s.held[q] = true; s.mu.Unlock() },
		Revoked: func(q remoting.Queue, lost bool) {
			s.mu.Lock()
			delete(s.held, q)
			if lost {
				s.lost++
			}
			s.mu.Unlock()
		}})
	if err != nil {
		t.Fatal(err)
	}
	return g, s
}

func eventually(t *testing.T, what string, within time.Duration, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(within); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", within, what)
		}
	}
}

func TestGroupBalance(t *testing.T) {
	t.Parallel()
	a, b := client(t, nil), client(t, nil)
	topic := newTopic(t, a, 6)
	group := topic + "_g"
	ga, sa := join(t, a, group, topic)
	eventually(t, "alone it has all", 20*time.Second, func() bool { return len(sa.has()) == 6 })
	_, sb := join(t, b, group, topic)
	eventually(t, "two share", 20*time.Second, func() bool { return len(sa.has()) == 3 && len(sb.has()) == 3 })
	for _, q := range sa.has() {
		if slices.Contains(sb.has(), q) {
			t.Errorf("both have %v", q)
		}
		if !ga.Holds(q) {
			t.Errorf("does not hold %v", q)
		}
	}
	if sa.lost != 0 {
		t.Errorf("lost %d queues that were to be handed over", sa.lost)
	}
	a.Close()
	if n := len(sa.has()); n != 0 {
		t.Errorf("kept %d queues after leaving", n)
	}
	eventually(t, "the one left has all", 20*time.Second, func() bool { return len(sb.has()) == 6 })
	// A topic that grows gives more queues.
	if err := b.CreateTopic(t.Context(), topic, remoting.TopicConfig{Queues: 8}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "new queues are assigned", 30*time.Second, func() bool { return len(sb.has()) == 8 })
}
