package rocketmq

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/connector/conformance"
	"github.com/runnelio/runnel/connectors/rocketmq/remoting"
	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/internal/services"
	"github.com/runnelio/runnel/internal/services/servicetest"
	"github.com/runnelio/runnel/types"
)

func TestMain(m *testing.M) { servicetest.Main(m) }

var topicNumber atomic.Int64

func topicName() string {
	return fmt.Sprintf("conn_%d_%d", time.Now().UnixNano()%1e12, topicNumber.Add(1))
}

func testClient(t testing.TB, addr string) *remoting.Client {
	t.Helper()
	c, err := remoting.New(remoting.Config{NameServers: []string{addr}, Attempts: 60})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func testContext(t testing.TB) *connector.Context {
	log := slog.New(slog.DiscardHandler)
	if os.Getenv("RUNNEL_TEST_LOG") != "" {
		log = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	return &connector.Context{Log: log, Now: time.Now, Zone: time.UTC}
}

func with(base map[string]string, more ...string) map[string]string {
	out := maps.Clone(base)
	for i := 0; i < len(more); i += 2 {
		out[more[i]] = more[i+1]
	}
	return out
}

// valueTable is a table of one text column that is the whole body.
func valueTable(t testing.TB, options map[string]string) *connector.Table {
	t.Helper()
	_, f, err := Connector.DefaultFormat(with(options, "isJsonData", "false"))
	if err != nil {
		t.Fatal(err)
	}
	return &connector.Table{Name: "test", Schema: types.NewSchema(types.Field{Name: "v", Type: types.String()}), Format: f, Options: options, Parallel: 1}
}

func openSource(t testing.TB, table *connector.Table) connector.Source {
	t.Helper()
	s, err := Connector.Source(testContext(t), table)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.(io.Closer).Close() })
	return s.(connector.Source)
}

func makeTopic(t testing.TB, c *remoting.Client, queues int) string {
	t.Helper()
	topic := topicName()
	if err := c.CreateTopic(t.Context(), topic, remoting.TopicConfig{Queues: queues}); err != nil {
		t.Fatal(err)
	}
	return topic
}

func sendTo(t testing.TB, c *remoting.Client, topic string, queue int, values []string, props ...string) {
	t.Helper()
	r, err := c.FetchRoute(context.Background(), topic)
	if err != nil {
		t.Fatal(err)
	}
	var set remoting.Set
	var p []byte
	for i := 0; i < len(props); i += 2 {
		p = remoting.AppendProperty(p, props[i], props[i+1])
	}
	for _, v := range values {
		set.Add(remoting.Outgoing{Body: []byte(v), Properties: p})
	}
	before, err := c.MaxOffset(t.Context(), r.Write[queue])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.SendSet(context.Background(), r.Write[queue], "", &set); err != nil {
		t.Fatal(err)
	}
	// The broker's index of the queue follows its log: until then the end of the queue is before the records.
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if end, err := c.MaxOffset(t.Context(), r.Write[queue]); err != nil {
			t.Fatal(err)
		} else if end >= before+int64(len(values)) {
			return
		}
	}
	t.Fatalf("the records sent to %s never came to the end of queue %d", topic, queue)
}

func sourceSetup(addr func(t *testing.T) string, own *services.RocketMQ) conformance.Source {
	return conformance.Source{Oversize: 3000, New: func(t *testing.T, n int) conformance.Place {
		a := addr(t)
		c := testClient(t, a)
		topic := makeTopic(t, c, n)
		base := map[string]string{"topic": topic, "nameServerAddress": a, "consumerGroup": topic, "max-record-size": "2 kb",
			"scan.topic-partition-discovery.interval": "200 ms", "retryTimes": "60"}
		p := conformance.Place{
			Open: func(t *testing.T) connector.Source {
				return openSource(t, valueTable(t, with(base, "scan.startup.mode", "earliest")))
			},
			Resume: func(t *testing.T) connector.Source { return openSource(t, valueTable(t, base)) },
			Append: func(t *testing.T, i int, values []string) { sendTo(t, c, topic, i, values) },
			ID:     func(i int) string { return fmt.Sprintf("%s/broker-a/%d", topic, i) },
			AddSplit: func(t *testing.T) {
				n++
				if err := c.CreateTopic(t.Context(), topic, remoting.TopicConfig{Queues: n}); err != nil {
					t.Fatal(err)
				}
			},
			RemoveSplit: func(t *testing.T) {
				n--
				if err := c.CreateTopic(t.Context(), topic, remoting.TopicConfig{Queues: n}); err != nil {
					t.Fatal(err)
				}
			},
		}
		if own != nil {
			p.Break = func(t *testing.T) {
				time.Sleep(time.Second) // the broker flushes twice a second
				if err := own.Brokers[0].Kill(); err != nil {
					t.Fatal(err)
				}
				if err := own.Brokers[0].Start(); err != nil {
					t.Fatal(err)
				}
				if err := own.Ready(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		}
		return p
	}}
}

func TestSourceConformance(t *testing.T) {
	conformance.TestSource(t, sourceSetup(func(t *testing.T) string { return servicetest.RocketMQ(t) }, nil))
}

// TestSourceReconnects runs the suite against a broker that is killed in it.
func TestSourceReconnects(t *testing.T) {
	own := servicetest.OwnRocketMQ(t, services.RocketMQOptions{})
	conformance.TestSource(t, sourceSetup(func(*testing.T) string { return own.Addr() }, own))
}

// readQueues reads what is in a topic's queues, queue after queue, by the bare client.
func readQueues(t testing.TB, c *remoting.Client, topic string, each func(*remoting.Message)) {
	t.Helper()
	r, err := c.FetchRoute(context.Background(), topic)
	if err != nil {
		t.Fatal(err)
	}
	var got remoting.Messages
	for _, q := range r.Read {
		for next := int64(0); ; next = got.Next {
			if err := c.Pull(context.Background(), remoting.PullRequest{Queue: q, Group: "check", Offset: next, Max: 1024}, &got); err != nil {
				t.Fatal(err)
			}
			for i := range got.List {
				each(&got.List[i])
			}
			if got.Next >= got.Max {
				break
			}
		}
	}
}

func sinkSetup(guarantee string, queues int) conformance.Sink {
	return conformance.Sink{Oversize: 5 << 20, New: func(t *testing.T) conformance.Target {
		a := servicetest.RocketMQ(t)
		c := testClient(t, a)
		topic := makeTopic(t, c, queues)
		base := map[string]string{"topic": topic, "nameServerAddress": a, "sink.delivery-guarantee": guarantee, "sink.batch-bytes": "4 kb"}
		table := valueTable(t, base)
		return conformance.Target{Schema: table.Schema, Ordered: queues == 1, Once: true,
			Open: func(t *testing.T) connector.Sink {
				s, err := Connector.Sink(testContext(t), table)
				if err != nil {
					t.Fatal(err)
				}
				return s
			},
			Read: func(t *testing.T, n int) []string {
				// Our own source is the reader that drops repetitions.
				// What was sent can be read a moment later.
				for end := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
					got := drain(t, openSource(t, valueTable(t, map[string]string{"topic": topic, "nameServerAddress": a, "scan.startup.mode": "earliest",
						"scan.bounded.mode": "latest-offset", "consumerGroup": "reader"})))
					if n > 0 && len(got) >= n || time.Now().After(end) || n == 0 && time.Now().After(end.Add(-9*time.Second)) {
						return got
					}
				}
			},
		}
	}}
}

// drain reads a bounded source to its end.
func drain(t testing.TB, src connector.Source) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	splits, err := src.Splits(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, sp := range splits {
		r, err := src.Open(ctx, sp, "")
		if err != nil {
			t.Fatal(err)
		}
		var recs format.Records
		for {
			err := r.Read(ctx, &recs)
			for _, s := range recs.Val {
				out = append(out, string(recs.Buf[s.Off:s.Off+s.Len]))
			}
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil || ctx.Err() != nil {
				t.Fatalf("%s: %v, %v after %d records", sp.ID, err, ctx.Err(), len(out))
			}
		}
		r.Close()
	}
	return out
}

func TestSinkConformance(t *testing.T) {
	for _, g := range []string{"at-least-once", "exactly-once"} {
		for _, queues := range []int{1, 4} {
			t.Run(fmt.Sprint(g, "/", queues), func(t *testing.T) { conformance.TestSink(t, sinkSetup(g, queues)) })
		}
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	base := map[string]string{"topic": "t", "nameServerAddress": "127.0.0.1:1"}
	f := func(want string, more ...string) {
		t.Helper()
		err := Connector.Check(with(base, more...))
		switch {
		case want == "" && err != nil:
			t.Errorf("%v: %v", more, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%v: %v, want %s", more, err, want)
		}
	}
	f("")
	f("", "namesrvAddr", "127.0.0.1:1")
	f("secretKey", "accessKey", "a")
	f("sql", "sql", "a > 1", "tag", "x")
	f("", "sql", "a > 1", "tag", "*")
	f("scan.startup.timestamp-millis", "scan.startup.mode", "timestamp")
	f("", "scan.startup.mode", "timestamp", "startTimeMs", "5")
	f("queue:x", "scan.startup.mode", "specific-offsets", "scan.startup.specific-offsets", "queue:x,offset:1")
	f("needs a queue", "scan.startup.specific-offsets", "offset:1")
	f("", "scan.startup.specific-offsets", "broker:b,queue:0,offset:42;queue:1,offset:7")
	f("scan.assignment", "scan.assignment", "group", "scan.bounded.mode", "latest-offset")
	f("tls.enable", "tls.server-name", "x")
	f("tls.ca-file", "tls.enable", "true", "tls.ca-file", "/no/such")
	f("unknown", "no-such-option", "1")
	f("", "retryTimes", "3", "groupName", "g", "isJsonData", "true", "msgIsJsonArray", "true")
}

func TestPositions(t *testing.T) {
	t.Parallel()
	var s seen
	for i := range mostWriters + 8 {
		id := fmt.Appendf(nil, "w%d.0.%d.%d", i%(mostWriters+3), 1+i/(mostWriters+3), i)
		if again, _ := s.repeated(id, int64(i)); again {
			t.Errorf("%s is new", id)
		}
		if again, _ := s.repeated(id, int64(i)); !again {
			t.Errorf("%s was seen", id)
		}
	}
	if len(s.writers) != mostWriters {
		t.Errorf("%d writers", len(s.writers))
	}
	p := position(1234, &s)
	at, back, err := parsePosition(p)
	if err != nil || at != 1234 || !slices.Equal(back.writers, s.writers) {
		t.Errorf("%q: %d, %v, %v", p, at, back, err)
	}
	if position(9, nil) >= position(10, &s) || position(99, &s) >= position(100, nil) {
		t.Error("positions do not sort as offsets")
	}
	for _, bad := range []string{"x", "-1", "5 a", "5 a=1.1", "5 a=b.1@2"} {
		if _, _, err := parsePosition(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
	if again, w := s.repeated([]byte("not one of ours"), 1); again || w != nil {
		t.Error("a stranger's id was taken for one of ours")
	}
}

// TestDedupeModel holds the vector to a slow model: the set of ids seen.
func TestDedupeModel(t *testing.T) {
	t.Parallel()
	var s seen
	model := map[string]bool{}
	offset := int64(0)
	see := func(writer string, epoch, seq int) {
		id := fmt.Sprintf("%s.0.%d.%d", writer, epoch, seq)
		again, _ := s.repeated([]byte(id), offset)
		offset++
		if again != model[id] {
			t.Fatalf("%s: repeated %v, model %v", id, again, model[id])
		}
		model[id] = true
	}
	// Epochs are sent whole, and again from the start after a failure at any place.
	for epoch := 1; epoch < 8; epoch++ {
		for _, cut := range []int{3, 0, 7, 10} {
			for seq := range cut {
				see("a", epoch, seq)
				if seq%2 == 0 {
					see("b", epoch, 100+seq)
				}
			}
		}
		for seq := range 4 { // a writer that was started again
			see(fmt.Sprint("c", epoch), epoch, seq)
		}
	}
}

// TestGroupShares: two sources of one group share the queues; a queue that is
// taken away was committed, and a member that has lost it commits nothing.
func TestGroupShares(t *testing.T) {
	a := servicetest.RocketMQ(t)
	c := testClient(t, a)
	topic := makeTopic(t, c, 4)
	for q := range 4 {
		sendTo(t, c, topic, q, []string{"x", "y", "z"})
	}
	base := map[string]string{"topic": topic, "nameServerAddress": a, "consumerGroup": topic, "scan.assignment": "group", "scan.startup.mode": "group-offsets"}
	type member struct {
		src  connector.Source
		mu   sync.Mutex
		has  map[string]bool
		stop func()
	}
	start := func() *member {
		m := &member{src: openSource(t, valueTable(t, base)), has: map[string]bool{}}
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan struct{})
		m.stop = func() { cancel(); <-done }
		if sp, err := m.src.Splits(ctx); err != nil || len(sp) != 0 {
			t.Fatalf("%v, %v", sp, err)
		}
		go func() {
			defer close(done)
			m.src.(connector.Watcher).Watch(ctx,
				func(s connector.Split) { m.mu.Lock(); m.has[s.ID] = true; m.mu.Unlock() },
				func(s connector.Split) {
					// What the engine does: read no more, commit, let go.
					m.src.(connector.Committer).Committed(context.Background(), map[string]string{s.ID: position(2, nil)})
					m.mu.Lock()
					delete(m.has, s.ID)
					m.mu.Unlock()
				})
		}()
		return m
	}
	count := func(m *member) int { m.mu.Lock(); defer m.mu.Unlock(); return len(m.has) }
	wait := func(what string, ok func() bool) {
		t.Helper()
		for end := time.Now().Add(30 * time.Second); !ok(); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("not so: %s", what)
			}
		}
	}
	one := start()
	wait("one has all", func() bool { return count(one) == 4 })
	two := start()
	wait("they share", func() bool { return count(one) == 2 && count(two) == 2 })
	two.mu.Lock()
	var moved string
	for id := range two.has {
		moved = id
	}
	two.mu.Unlock()
	q, err := queue(moved)
	if err != nil {
		t.Fatal(err)
	}
	if at, _, err := c.GroupOffset(t.Context(), topic, q); err != nil || at != 2 {
		t.Errorf("the queue that moved was committed at %d, %v", at, err)
	}
	// The first wakes up late and commits what it believes to be its own.
	if err := one.src.(connector.Committer).Committed(t.Context(), map[string]string{moved: position(1, nil)}); err != nil {
		t.Fatal(err)
	}
	if at, _, err := c.GroupOffset(t.Context(), topic, q); err != nil || at != 2 {
		t.Errorf("a member that lost the queue committed %d, %v", at, err)
	}
	r, err := two.src.Open(t.Context(), connector.Split{ID: moved}, "")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var recs format.Records
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := r.Read(ctx, &recs); err != nil || len(recs.Val) != 1 {
		t.Errorf("the new owner read %d records, %v", len(recs.Val), err)
	}
	one.stop()
	wait("the one left has all", func() bool { return count(two) == 4 })
	two.stop()
}

// TestServersAway: a source whose name server is not up yet waits for it.
func TestServersAway(t *testing.T) {
	a := servicetest.RocketMQ(t)
	c := testClient(t, a)
	topic := makeTopic(t, c, 1)
	sendTo(t, c, topic, 0, []string{"x"})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	src := openSource(t, valueTable(t, map[string]string{"topic": topic, "nameServerAddress": addr, "scan.startup.mode": "earliest", "scan.bounded.mode": "latest-offset"}))
	short, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	if _, err := src.Splits(short); err == nil {
		t.Error("nobody is there, and there are splits")
	}
	cancel()
	var wg sync.WaitGroup
	wg.Go(func() {
		time.Sleep(500 * time.Millisecond)
		l, err := net.Listen("tcp", addr)
		if err != nil {
			t.Error(err)
			return
		}
		t.Cleanup(func() { l.Close() })
		go forward(l, a)
	})
	if got := drain(t, src); !slices.Equal(got, []string{"x"}) {
		t.Errorf("%v", got)
	}
	wg.Wait()
}

// forward passes connections on.
func forward(l net.Listener, to string) {
	for {
		in, err := l.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", to)
		if err != nil {
			in.Close()
			continue
		}
		go func() { io.Copy(out, in); out.Close() }()
		go func() { io.Copy(in, out); in.Close() }()
	}
}

func FuzzToken(f *testing.F) {
	f.Add([]byte{tokenVersion, 1, 1, 'a', 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		if run, rest, ok := cutRun(b); ok && len(run)+len(rest) > len(b) {
			t.Error("more than there was")
		}
		parsePosition(string(b))
		parseOffsets(string(b))
		parseRecordID(b)
	})
}
