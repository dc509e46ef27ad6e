package runnel_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/runnelio/runnel"
	"github.com/runnelio/runnel/internal/services/servicetest"
	"github.com/runnelio/runnel/runneltest"
)

func TestMain(m *testing.M) { servicetest.Main(m) }

// payment is what goes through the queues.
type payment struct {
	Item   string `runnel:"item"`
	Amount int64  `runnel:"amount"`
}

var payments = []payment{{"apple", 3}, {"pear", 5}, {"plum", 7}}

// roundTrip writes payments to a queue and reads them back; seen is called in
// the reading job with each row.
func roundTrip(t *testing.T, write func(*runnel.DataStream) *runnel.DataStreamAction, read func(*runnel.Job) *runnel.DataStream, seen func(runnel.Row)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	e := newEnv(t)
	if err := write(runnel.From[payment](e.Job("write"), runnel.Values(payments...)).Data()).Start(ctx); err != nil {
		t.Fatal(err)
	}
	sink := runneltest.NewSink[payment]()
	run, err := read(e.Job("read")).ForEach(seen).SelectFields("item", "amount").To(sink.Sink()).StartAsync(ctx)
	if err != nil {
		t.Fatal(err)
	}
	sink.Wait(t, len(payments))
	if err := run.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	got := sink.Values()
	slices.SortFunc(got, func(a, b payment) int { return strings.Compare(a.Item, b.Item) })
	if !slices.Equal(got, payments) {
		t.Errorf("%v", got)
	}
}

// unique names a topic that no other run of the tests has used.
func unique(name string) string { return fmt.Sprintf("sdk-%s-%d", name, time.Now().UnixNano()) }

func TestKafkaBothWays(t *testing.T) {
	t.Parallel()
	addr := servicetest.Kafka(t)
	topic := unique("kafka")
	roundTrip(t,
		func(d *runnel.DataStream) *runnel.DataStreamAction {
			return d.SelectExpr("item, amount, MAP['origin', ENCODE(item, 'UTF-8')] AS headers").
				ToKafka(addr, topic, runnel.Columns("item STRING, amount BIGINT, headers MAP<STRING, BYTES> METADATA"))
		},
		func(j *runnel.Job) *runnel.DataStream {
			return j.FromKafka(addr, topic, "", runnel.Columns("item STRING, amount BIGINT, `headers` MAP<STRING, BYTES> METADATA, `offset` BIGINT METADATA"))
		},
		func(r runnel.Row) {
			if h, ok := r.Header("origin"); !ok || h != r.Text("item") {
				t.Errorf("%v has the header %q, %v", r, h, ok)
			}
			if r.Split() == "" || r.Position() == "" || r.Metadata("offset") == nil {
				t.Errorf("%v is of split %q at %q, offset %v", r, r.Split(), r.Position(), r.Metadata("offset"))
			}
		})
	// The same by address, with typed values.
	got := runneltest.NewSink[payment]()
	run, err := runnel.From[payment](newEnv(t).Job("typed"), runnel.Topic("kafka://"+addr, topic)).To(got.Sink()).StartAsync(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got.Wait(t, len(payments))
	if err := run.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestRocketmqBothWays(t *testing.T) {
	t.Parallel()
	addr := servicetest.RocketMQ(t)
	topic := unique("rocketmq")
	roundTrip(t,
		func(d *runnel.DataStream) *runnel.DataStreamAction { return d.ToRocketmq(topic, "", addr) },
		func(j *runnel.Job) *runnel.DataStream {
			return j.FromRocketmq(topic, unique("group"), addr, runnel.WithOption("scan.startup.mode", "earliest"),
				runnel.Columns("item STRING, amount BIGINT, `properties` MAP<STRING, STRING> METADATA, `queue-id` INT METADATA, topic STRING METADATA"))
		},
		func(r runnel.Row) {
			if r.Metadata("topic") != topic || r.Metadata("queue-id") == nil || r.Split() == "" || r.Position() == "" {
				t.Errorf("%v is of topic %v, queue %v, split %q at %q", r, r.Metadata("topic"), r.Metadata("queue-id"), r.Split(), r.Position())
			}
		})
}
