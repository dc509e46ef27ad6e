package queues

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/runnelio/runnel/connectors/rocketmq"
	"github.com/runnelio/runnel/connectors/rocketmq/remoting"
	"github.com/runnelio/runnel/internal/services/servicetest"
)

// queues is how many queues the topics have; keys are hashed to them.
const queueCount = 4

// queue is a system under test: where records come from and where results go.
type queue struct {
	// send sends records to one queue of the input, in order.
	send func(t *testing.T, q int, records []string)
	// results reads the output from its start to its end, each record once, as a
	// careful reader does.
	results func(t *testing.T) []string
	// held reads all that the input holds.
	held func(t *testing.T) []string
	// source and sink are the WITH options.
	source, sink string
}

const windowJob = `
SET 'execution.checkpointing.interval' = '150 ms';
CREATE TABLE s (k STRING, v BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '0.2' SECOND) WITH (%s);
CREATE TABLE o (k STRING, w TIMESTAMP(3), n BIGINT, total BIGINT) WITH (%s);
INSERT INTO o SELECT k, window_start, COUNT(*), SUM(v) FROM TABLE(TUMBLE(TABLE s, DESCRIPTOR(ts), INTERVAL '1' SECOND)) GROUP BY k, window_start, window_end;
`

// TestKillsRocketMQ and TestKillsKafka kill a windowed job with SIGKILL, again and
// again, and stop and continue it, while records come in; a reader that drops
// repeated ids, or reads what is committed, sees what an undisturbed job writes.
func TestKillsRocketMQ(t *testing.T) { disturb(t, newRocketMQ(t)) }
func TestKillsKafka(t *testing.T)    { disturb(t, newKafka(t)) }

func disturb(t *testing.T, q queue) {
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("SEED"); s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatalf("SEED: %v", err)
		}
		seed = n
	}
	r := rand.New(rand.NewPCG(seed, 0))
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("repeat with SEED=%d", seed)
		}
	})
	if _, err := binary(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	script := fmt.Sprintf(windowJob, q.source, q.sink)
	in := newInput()
	stop, fed := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(fed)
		for {
			in.more(t, q, 400)
			select {
			case <-stop:
				in.close(t, q)
				return
			case <-time.After(40 * time.Millisecond):
			}
		}
	}()
	total, restored, paused := kills(t), 0, 0
	for range total {
		p := run(t, dir, script, "--state-dir", "state")
		time.Sleep(time.Duration(200+r.IntN(1500)) * time.Millisecond)
		if r.IntN(3) == 0 {
			_ = p.Process.Signal(syscall.SIGSTOP)
			time.Sleep(time.Duration(r.IntN(700)) * time.Millisecond)
			_ = p.Process.Signal(syscall.SIGCONT)
			time.Sleep(time.Duration(r.IntN(300)) * time.Millisecond)
			paused++
		}
		_ = p.Process.Kill()
		if <-p.done; p.ProcessState.Exited() {
			t.Fatalf("it ended by itself:\n%s", p.said.String())
		}
		if strings.Contains(p.said.String(), "goes on from") {
			restored++
		}
	}
	close(stop)
	<-fed
	want := in.expected()
	p := run(t, dir, script, "--state-dir", "state", "--metrics-addr", "127.0.0.1:0")
	var got []string
	p.until(t, "all results are there", 2*time.Minute, func() bool {
		got = q.results(t)
		return len(got) >= len(want)
	})
	_ = p.Process.Signal(syscall.SIGTERM)
	if code := p.wait(t, 30*time.Second); code != 0 {
		t.Errorf("exit code %d:\n%s", code, p.said.String())
	}
	got = q.results(t)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Fatalf("%d results, not %d; first difference: %s", len(got), len(want), difference(got, want))
	}
	if strings.Contains(p.said.String(), "late rows") {
		t.Errorf("rows came late:\n%s", p.said.String())
	}
	t.Logf("%d records, %d results, %d kills, %d pauses, %d times it went on from a commit", in.n, len(want), total, paused, restored)
	if total > 1 && restored == 0 {
		t.Error("it never went on from a commit: the test shows nothing")
	}
}

func difference(got, want []string) string {
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(got):
			return "missing " + want[i]
		case i >= len(want):
			return "too much " + got[i]
		case got[i] != want[i]:
			return fmt.Sprintf("got %s, want %s", got[i], want[i])
		}
	}
	return "none"
}

// input makes records in the order of time and keeps what must come of them.
type input struct {
	n    int
	sums map[string][2]int64 // by key and window: rows, total
}

func newInput() *input { return &input{sums: map[string][2]int64{}} }

var epoch = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)

const stamp = "2006-01-02 15:04:05.000"

// more sends the next records.
func (in *input) more(t *testing.T, q queue, count int) {
	var records [queueCount][]string
	for range count {
		at := epoch.Add(time.Duration(in.n) * 5 * time.Millisecond)
		number := in.n * 7919 % 97
		key, v := fmt.Sprintf("key%d", number), int64(in.n%1000)
		to := number % queueCount
		records[to] = append(records[to], fmt.Sprintf(`{"k":"%s","v":%d,"ts":"%s"}`, key, v, at.Format(stamp)))
		name := fmt.Sprintf("%s %s", at.Truncate(time.Second).Format(stamp), key)
		s := in.sums[name]
		in.sums[name] = [2]int64{s[0] + 1, s[1] + v}
		in.n++
	}
	for to, r := range records {
		q.send(t, to, r)
	}
}

// close sends a record to every queue that ends all windows before it.
func (in *input) close(t *testing.T, q queue) {
	at := epoch.Add(time.Duration(in.n)*5*time.Millisecond + time.Hour)
	for to := range queueCount {
		q.send(t, to, []string{fmt.Sprintf(`{"k":"end%d","v":0,"ts":"%s"}`, to, at.Format(stamp))})
	}
}

func (in *input) expected() []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(in.sums)) {
		s := in.sums[name]
		out = append(out, fmt.Sprintf("%s %d %d", name, s[0], s[1]))
	}
	return out
}

// result is a record of the output as expected has it.
func result(t *testing.T, body []byte) string {
	t.Helper()
	var r struct {
		K, W     string
		N, Total int64
	}
	if err := json.Unmarshal(body, &r); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	at, err := time.Parse("2006-01-02 15:04:05.999", strings.Replace(r.W, "T", " ", 1))
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%s %s %d %d", at.Format(stamp), r.K, r.N, r.Total)
}

func newRocketMQ(t *testing.T) queue {
	addr := servicetest.RocketMQ(t)
	// A slow answer is waited for: who asks again because of it sends records twice.
	c, err := remoting.New(remoting.Config{NameServers: []string{addr}, Attempts: 60, Timeout: 2 * time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	from, to := newName(), newName()
	for _, topic := range []string{from, to} {
		if err := c.CreateTopic(t.Context(), topic, remoting.TopicConfig{Queues: queueCount}); err != nil {
			t.Fatal(err)
		}
	}
	options := func(topic string) string {
		return fmt.Sprintf("'connector' = 'rocketmq', 'topic' = '%s', 'nameServerAddress' = '%s', 'consumerGroup' = '%s', 'format' = 'json'", topic, addr, from)
	}
	ctx := context.Background()
	return queue{
		source: options(from) + ", 'scan.startup.mode' = 'earliest'",
		sink:   options(to) + ", 'keyColumns' = 'k', 'sink.delivery-guarantee' = 'exactly-once'",
		send: func(t *testing.T, q int, records []string) {
			r, err := c.Route(ctx, from)
			if err != nil {
				t.Error(err)
				return
			}
			var set remoting.Set
			for _, rec := range records {
				set.Add(remoting.Outgoing{Body: []byte(rec)})
			}
			if _, err := c.SendSet(ctx, r.Write[q], "", &set); err != nil {
				t.Error(err)
			}
		},
		held: func(t *testing.T) (out []string) {
			readRocketMQ(t, c, from, func(m *remoting.Message) { out = append(out, string(m.Body)) })
			return out
		},
		results: func(t *testing.T) []string {
			var out []string
			seen := map[string]bool{}
			readRocketMQ(t, c, to, func(m *remoting.Message) {
				id := string(m.Property(rocketmq.PropRecordID))
				if id == "" {
					t.Fatal("a record without an id")
				}
				if !seen[id] {
					seen[id] = true
					out = append(out, result(t, m.Body))
				}
			})
			return out
		},
	}
}

func newKafka(t *testing.T) queue {
	addr := servicetest.Kafka(t)
	cl, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	from, to := newName(), newName()
	if _, err := kadm.NewClient(cl).CreateTopics(t.Context(), queueCount, 1, nil, from, to); err != nil {
		t.Fatal(err)
	}
	options := func(topic string) string {
		return fmt.Sprintf("'connector' = 'kafka', 'topic' = '%s', 'properties.bootstrap.servers' = '%s', 'format' = 'json'", topic, addr)
	}
	ctx := context.Background()
	return queue{
		source: options(from) + ", 'scan.startup.mode' = 'earliest-offset'",
		sink:   options(to) + ", 'sink.delivery-guarantee' = 'exactly-once', 'sink.transactional-id-prefix' = '" + from + "'",
		send: func(t *testing.T, q int, records []string) {
			recs := make([]*kgo.Record, len(records))
			for i, r := range records {
				recs[i] = &kgo.Record{Topic: from, Partition: int32(q), Value: []byte(r)}
			}
			if err := cl.ProduceSync(ctx, recs...).FirstErr(); err != nil {
				t.Error(err)
			}
		},
		held: func(t *testing.T) (out []string) {
			readKafka(t, addr, from, func(r *kgo.Record) { out = append(out, string(r.Value)) })
			return out
		},
		results: func(t *testing.T) (out []string) {
			readKafka(t, addr, to, func(r *kgo.Record) { out = append(out, result(t, r.Value)) })
			return out
		},
	}
}
