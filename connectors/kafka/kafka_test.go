package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/connector/conformance"
	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/format/raw"
	"github.com/runnelio/runnel/internal/services"
	"github.com/runnelio/runnel/internal/services/servicetest"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

func TestMain(m *testing.M) { servicetest.Main(m) }

var topicNumber atomic.Int64

func testContext() *connector.Context {
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

func testClient(t testing.TB, addr string, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	cl, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(addr), kgo.RecordPartitioner(kgo.ManualPartitioner())}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	return cl
}

func makeTopic(t testing.TB, cl *kgo.Client, partitions int) string {
	t.Helper()
	topic := fmt.Sprintf("conn-%d-%d", time.Now().UnixNano()%1e12, topicNumber.Add(1))
	if _, err := kadm.NewClient(cl).CreateTopic(t.Context(), int32(partitions), 1, nil, topic); err != nil {
		t.Fatal(err)
	}
	for { // brokers hear of it a moment later
		if d, err := kadm.NewClient(cl).ListTopics(t.Context(), topic); err == nil && d[topic].Err == nil && len(d[topic].Partitions) == partitions {
			return topic
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func sendTo(t testing.TB, cl *kgo.Client, topic string, partition int, values []string) {
	t.Helper()
	var recs []*kgo.Record
	for _, v := range values {
		recs = append(recs, &kgo.Record{Topic: topic, Partition: int32(partition), Value: []byte(v)})
	}
	if err := cl.ProduceSync(context.Background(), recs...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

func rawFormat(t testing.TB) format.Format {
	t.Helper()
	f, err := raw.Format.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func valueTable(t testing.TB, options map[string]string) *connector.Table {
	return &connector.Table{Name: "test", Schema: types.NewSchema(types.Field{Name: "v", Type: types.String()}), Format: rawFormat(t), Options: options, Parallel: 1}
}

func openSource(t testing.TB, table *connector.Table) connector.Source {
	t.Helper()
	s, err := Connector.Source(testContext(), table)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.(io.Closer).Close() })
	return s.(connector.Source)
}

func sourceSetup(addr func(t *testing.T) string, own *services.Kafka) conformance.Source {
	return conformance.Source{Oversize: 3000, New: func(t *testing.T, n int) conformance.Place {
		a := addr(t)
		cl := testClient(t, a)
		topic := makeTopic(t, cl, n)
		base := map[string]string{"topic": topic, "properties.bootstrap.servers": a, "properties.group.id": topic, "max-record-size": "2 kb",
			"scan.topic-partition-discovery.interval": "200 ms"}
		p := conformance.Place{
			Open: func(t *testing.T) connector.Source {
				return openSource(t, valueTable(t, with(base, "scan.startup.mode", "earliest-offset")))
			},
			Resume: func(t *testing.T) connector.Source { return openSource(t, valueTable(t, base)) },
			Append: func(t *testing.T, i int, values []string) { sendTo(t, cl, topic, i, values) },
			ID:     func(i int) string { return splitID(topic, int32(i)) },
			AddSplit: func(t *testing.T) {
				n++
				if _, err := kadm.NewClient(cl).UpdatePartitions(t.Context(), n, topic); err != nil {
					t.Fatal(err)
				}
				cl.ForceMetadataRefresh()
				time.Sleep(300 * time.Millisecond)
			},
		}
		if own != nil {
			p.Break = func(t *testing.T) {
				if err := own.Broker.Kill(); err != nil {
					t.Fatal(err)
				}
				if err := own.Broker.Start(); err != nil {
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
	conformance.TestSource(t, sourceSetup(func(t *testing.T) string { return servicetest.Kafka(t) }, nil))
}

// TestSourceReconnects runs the suite against a broker that is killed in it.
func TestSourceReconnects(t *testing.T) {
	own := servicetest.OwnKafka(t, services.KafkaOptions{})
	conformance.TestSource(t, sourceSetup(func(*testing.T) string { return own.Addr() }, own))
}

// readAll reads the committed records of a topic, partition after partition.
func readAll(t testing.TB, addr, topic string) []*kgo.Record {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	cl := testClient(t, addr, kgo.ConsumeTopics(topic), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords())
	defer cl.Close()
	adm := kadm.NewClient(cl)
	ends, err := adm.ListCommittedOffsets(ctx, topic)
	if err != nil {
		t.Fatal(err)
	}
	left := map[int32]int64{}
	ends.Each(func(o kadm.ListedOffset) {
		if o.Offset > 0 {
			left[o.Partition] = o.Offset
		}
	})
	var out []*kgo.Record
	for len(left) > 0 {
		fs := cl.PollFetches(ctx)
		if ctx.Err() != nil {
			t.Fatalf("records up to %v did not come", left)
		}
		fs.EachRecord(func(r *kgo.Record) {
			if r.Offset+1 >= left[r.Partition] {
				delete(left, r.Partition)
			}
			if !r.Attrs.IsControl() {
				out = append(out, r)
			}
		})
	}
	slices.SortStableFunc(out, func(a, b *kgo.Record) int {
		if a.Partition != b.Partition {
			return int(a.Partition - b.Partition)
		}
		return int(a.Offset - b.Offset)
	})
	return out
}

func sinkSetup(guarantee string, partitions int) conformance.Sink {
	return conformance.Sink{Oversize: 5 << 20, New: func(t *testing.T) conformance.Target {
		a := servicetest.Kafka(t)
		cl := testClient(t, a)
		topic := makeTopic(t, cl, partitions)
		base := map[string]string{"topic": topic, "properties.bootstrap.servers": a, "sink.delivery-guarantee": guarantee, "sink.transactional-id-prefix": topic}
		table := valueTable(t, base)
		return conformance.Target{Schema: table.Schema, Ordered: partitions == 1, Once: true,
			Open: func(t *testing.T) connector.Sink {
				s, err := Connector.Sink(testContext(), table)
				if err != nil {
					t.Fatal(err)
				}
				return s
			},
			Read: func(t *testing.T, n int) []string {
				for end := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
					var got []string
					for _, r := range readAll(t, a, topic) {
						got = append(got, string(r.Value))
					}
					if n > 0 && len(got) >= n || time.Now().After(end) || n == 0 && time.Now().After(end.Add(-9*time.Second)) {
						return got
					}
				}
			},
		}
	}}
}

func TestSinkConformance(t *testing.T) {
	for _, g := range []string{"at-least-once", "exactly-once"} {
		for _, partitions := range []int{1, 4} {
			t.Run(fmt.Sprint(g, "/", partitions), func(t *testing.T) { conformance.TestSink(t, sinkSetup(g, partitions)) })
		}
	}
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

func TestStartAndEnd(t *testing.T) {
	a := servicetest.Kafka(t)
	cl := testClient(t, a)
	topic := makeTopic(t, cl, 2)
	sendTo(t, cl, topic, 0, []string{"a0", "a1", "a2"})
	sendTo(t, cl, topic, 1, []string{"b0"})
	time.Sleep(20 * time.Millisecond)
	mid := time.Now()
	time.Sleep(20 * time.Millisecond)
	sendTo(t, cl, topic, 0, []string{"a3"})
	sendTo(t, cl, topic, 1, []string{"b1", "b2"})
	group := topic + "-g"
	base := map[string]string{"topic": topic, "properties.bootstrap.servers": a, "properties.group.id": group, "scan.bounded.mode": "latest-offset"}
	f := func(want string, more ...string) {
		t.Helper()
		got := drain(t, openSource(t, valueTable(t, with(base, more...))))
		slices.Sort(got)
		if strings.Join(got, " ") != want {
			t.Errorf("%v: %v, want %s", more, got, want)
		}
	}
	f("a0 a1 a2 a3 b0 b1 b2", "scan.startup.mode", "earliest-offset")
	f("", "scan.startup.mode", "latest-offset")
	f("a0 a1 a2 a3 b0 b1 b2", "properties.auto.offset.reset", "earliest") // the group has none
	f("", "properties.auto.offset.reset", "latest")
	src := openSource(t, valueTable(t, base))
	if _, err := src.Open(t.Context(), connector.Split{ID: splitID(topic, 0)}, ""); err == nil || !strings.Contains(err.Error(), "no offset") {
		t.Errorf("a group without offsets and no reset: %v", err)
	}
	f("a3 b1 b2", "scan.startup.mode", "timestamp", "scan.startup.timestamp-millis", fmt.Sprint(mid.UnixMilli()))
	f("a0 a1 a2 b0", "scan.startup.mode", "earliest-offset", "scan.bounded.mode", "timestamp", "scan.bounded.timestamp-millis", fmt.Sprint(mid.UnixMilli()))
	f("a1 b0", "scan.startup.mode", "specific-offsets", "scan.startup.specific-offsets", "partition:0,offset:1;partition:1,offset:0",
		"scan.bounded.mode", "specific-offsets", "scan.bounded.specific-offsets", "partition:0,offset:2;partition:1,offset:1")
	if err := src.(connector.Committer).Committed(t.Context(), map[string]string{splitID(topic, 0): position(3), splitID(topic, 1): position(1)}); err != nil {
		t.Fatal(err)
	}
	f("a3 b1 b2")
	f("a0 a1 a2 b0", "scan.startup.mode", "earliest-offset", "scan.bounded.mode", "group-offsets")
	f("a0 a1 a2 a3 b0 b1 b2", "scan.startup.mode", "earliest-offset", "topic-pattern", topic+".*", "topic", "")
	_, err := openSource(t, valueTable(t, with(base, "topic", "no-such-topic"))).Splits(t.Context())
	if err == nil {
		t.Error("a topic that does not exist")
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	base := map[string]string{"topic": "t", "properties.bootstrap.servers": "127.0.0.1:1"}
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
	f("topic-pattern", "topic-pattern", "x")
	f("topic", "topic", "")
	f("scan.startup.timestamp-millis", "scan.startup.mode", "timestamp")
	f("partition:0,offset:x", "scan.startup.mode", "specific-offsets", "scan.startup.specific-offsets", "partition:0,offset:x")
	f("transactional-id-prefix", "sink.delivery-guarantee", "exactly-once")
	f("", "sink.delivery-guarantee", "exactly-once", "sink.transactional-id-prefix", "p")
	f("group.id", "scan.assignment", "group")
	f("sink.partitioner", "sink.partitioner", "com.example.Mine")
	f("not supported", "properties.no.such.property", "1")
	f("security.protocol", "properties.sasl.mechanism", "PLAIN")
	f("sasl.jaas.config", "properties.security.protocol", "SASL_PLAINTEXT", "properties.sasl.mechanism", "PLAIN")
	f("sasl.mechanism", "properties.security.protocol", "SASL_PLAINTEXT", "properties.sasl.mechanism", "GSSAPI", "properties.sasl.jaas.config", `x username="u" password="p";`)
	f("", "properties.security.protocol", "SASL_SSL", "properties.sasl.mechanism", "SCRAM-SHA-512", "properties.sasl.jaas.config",
		`org.apache.kafka.common.security.scram.ScramLoginModule required username="u" password="p\"q";`)
	f("only PEM", "properties.security.protocol", "SSL", "properties.ssl.truststore.type", "JKS")
	f("", "properties.compression.type", "zstd", "properties.isolation.level", "read_committed", "properties.acks", "all", "properties.linger.ms", "5")
	f("compression.type", "properties.compression.type", "brotli")
	f("linger.ms", "properties.linger.ms", "-1")
}

func TestSASL(t *testing.T) {
	own := servicetest.OwnKafka(t, services.KafkaOptions{User: "alice", Password: "secret"})
	base := map[string]string{"topic": "sasl-topic", "properties.bootstrap.servers": own.Addr(), "properties.security.protocol": "SASL_PLAINTEXT", "properties.sasl.mechanism": "PLAIN"}
	jaas := func(password string) string {
		return `org.apache.kafka.common.security.plain.PlainLoginModule required username="alice" password="` + password + `";`
	}
	good := with(base, "properties.sasl.jaas.config", jaas("secret"))
	s, err := Connector.Sink(testContext(), valueTable(t, good))
	if err != nil {
		t.Fatal(err)
	}
	b := vector.NewBatch(valueTable(t, good).Schema, 1)
	b.AppendValues(types.Insert, "hello")
	if err := s.Write(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	s.Close(t.Context())
	if got := drain(t, openSource(t, valueTable(t, with(good, "scan.startup.mode", "earliest-offset", "scan.bounded.mode", "latest-offset")))); !slices.Equal(got, []string{"hello"}) {
		t.Errorf("%v", got)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, err := openSource(t, valueTable(t, with(base, "properties.sasl.jaas.config", jaas("wrong")))).Splits(ctx); err == nil || ctx.Err() != nil || !strings.Contains(strings.ToLower(err.Error()), "auth") {
		t.Errorf("wrong password: %v", err)
	}
}

// TestGroupShares: two sources of one group share the partitions, and one that
// has lost a partition commits nothing for it.
func TestGroupShares(t *testing.T) {
	a := servicetest.Kafka(t)
	cl := testClient(t, a)
	topic := makeTopic(t, cl, 4)
	for p := range 4 {
		sendTo(t, cl, topic, p, []string{"x", "y", "z"})
	}
	base := map[string]string{"topic": topic, "properties.bootstrap.servers": a, "properties.group.id": topic, "scan.assignment": "group",
		"properties.auto.offset.reset": "earliest", "properties.heartbeat.interval.ms": "200"}
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
		go func() {
			defer close(done)
			m.src.(connector.Watcher).Watch(ctx,
				func(s connector.Split) { m.mu.Lock(); m.has[s.ID] = true; m.mu.Unlock() },
				func(s connector.Split) {
					m.src.(connector.Committer).Committed(context.Background(), map[string]string{s.ID: position(2)})
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
	adm := kadm.NewClient(cl)
	_, p, err := partition(moved)
	if err != nil {
		t.Fatal(err)
	}
	at := func() int64 {
		all, err := adm.FetchOffsets(t.Context(), topic)
		if err != nil {
			t.Fatal(err)
		}
		r, _ := all.Lookup(topic, p)
		return r.At
	}
	if n := at(); n != 2 {
		t.Errorf("the partition that moved was committed at %d", n)
	}
	if err := one.src.(connector.Committer).Committed(t.Context(), map[string]string{moved: position(1)}); err != nil {
		t.Fatal(err)
	}
	if n := at(); n != 2 {
		t.Errorf("a member that lost the partition committed %d", n)
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

func FuzzOffsets(f *testing.F) {
	f.Add("partition:0,offset:42;partition:1,offset:300")
	f.Fuzz(func(t *testing.T, s string) {
		parseOffsets(s)
		partition(s)
		parsePosition(s)
		sec := security{jaas: s, mechanism: "PLAIN"}
		sec.sasl()
	})
}
