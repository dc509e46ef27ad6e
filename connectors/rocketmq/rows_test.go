package rocketmq

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/connector/buffered"
	"github.com/runnelio/runnel/connectors/rocketmq/remoting"
	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/format/json"
	"github.com/runnelio/runnel/internal/services/servicetest"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

func TestStartAndEnd(t *testing.T) {
	a := servicetest.RocketMQ(t)
	c := testClient(t, a)
	topic := makeTopic(t, c, 2)
	sendTo(t, c, topic, 0, []string{"a0", "a1", "a2"})
	sendTo(t, c, topic, 1, []string{"b0"})
	time.Sleep(20 * time.Millisecond)
	mid := time.Now()
	time.Sleep(20 * time.Millisecond)
	sendTo(t, c, topic, 0, []string{"a3"})
	sendTo(t, c, topic, 1, []string{"b1", "b2"})
	time.Sleep(time.Second) // the index of times follows the log
	base := map[string]string{"topic": topic, "nameServerAddress": a, "consumerGroup": topic + "_g", "scan.bounded.mode": "latest-offset"}
	f := func(want string, more ...string) {
		t.Helper()
		got := drain(t, openSource(t, valueTable(t, with(base, more...))))
		slices.Sort(got)
		if strings.Join(got, " ") != want {
			t.Errorf("%v: %v, want %s", more, got, want)
		}
	}
	f("a0 a1 a2 a3 b0 b1 b2", "scan.startup.mode", "earliest-offset")
	f("", "scan.startup.mode", "latest")
	f("a0 a1 a2 a3 b0 b1 b2") // no group offsets
	f("", "scan.startup.reset", "latest")
	f("a3 b1 b2", "scan.startup.mode", "timestamp", "scan.startup.timestamp-millis", fmt.Sprint(mid.UnixMilli()))
	f("a0 a1 a2 b0", "scan.startup.mode", "earliest", "scan.bounded.mode", "timestamp", "scan.bounded.timestamp-millis", fmt.Sprint(mid.UnixMilli()))
	f("a2 a3 b1 b2", "scan.startup.specific-offsets", "queue:0,offset:2;broker:broker-a,queue:1,offset:1")
	f("a1 b0", "scan.startup.mode", "specific-offsets", "scan.startup.specific-offsets", "queue:0,offset:1;queue:1,offset:0",
		"scan.bounded.mode", "specific-offsets", "scan.bounded.specific-offsets", "queue:0,offset:2;queue:1,offset:1")
	f("a2 a3 b2", "startMessageOffset", "2")
	src := openSource(t, valueTable(t, with(base, "scan.startup.mode", "earliest")))
	drain(t, src) // makes the group
	if err := src.(connector.Committer).Committed(t.Context(), map[string]string{topic + "/broker-a/0": position(3, nil), topic + "/broker-a/1": position(1, nil)}); err != nil {
		t.Fatal(err)
	}
	f("a3 b1 b2")
	f("a3 b1 b2", "scan.startup.mode", "specific-offsets", "scan.startup.specific-offsets", "queue:0,offset:3")
}

func TestFilters(t *testing.T) {
	a := servicetest.RocketMQ(t)
	c := testClient(t, a)
	topic := makeTopic(t, c, 1)
	sendTo(t, c, topic, 0, []string{"1"}, "TAGS", "red", "size", "5")
	sendTo(t, c, topic, 0, []string{"2"}, "TAGS", "blue", "size", "50")
	sendTo(t, c, topic, 0, []string{"3"}, "TAGS", "green")
	base := map[string]string{"topic": topic, "nameServerAddress": a, "scan.startup.mode": "earliest", "scan.bounded.mode": "latest-offset", "consumerGroup": topic}
	f := func(want string, more ...string) {
		t.Helper()
		if got := strings.Join(drain(t, openSource(t, valueTable(t, with(base, more...)))), " "); got != want {
			t.Errorf("%v: %q, want %q", more, got, want)
		}
	}
	f("1 2 3")
	f("1 3", "tag", "red || green")
	f("2", "sql", "size > 10")
	f("2 3", "sql", "TAGS <> 'red'")
	_, err := openSource(t, valueTable(t, with(base, "sql", "size >"))).Splits(t.Context())
	if err == nil || remoting.IsTemporary(err) {
		t.Errorf("a condition that does not parse: %v", err)
	}
	_, err = openSource(t, valueTable(t, with(base, "topic", "no_such_topic"))).Splits(t.Context())
	var e *remoting.Error
	if !errors.As(err, &e) || e.Code != remoting.TopicNotExist {
		t.Errorf("a topic that does not exist: %v", err)
	}
}

// TestMetadata writes keys, tags and properties and reads all metadata back.
func TestMetadata(t *testing.T) {
	a := servicetest.RocketMQ(t)
	c := testClient(t, a)
	topic := makeTopic(t, c, 1)
	j, err := json.Format.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	texts := types.MapOf(types.String(), types.String())
	write := &connector.Table{Name: "out", Format: j, Parallel: 1,
		Schema:   types.NewSchema(types.Field{Name: "id", Type: types.Of(types.BigInt)}, types.Field{Name: "kind", Type: types.String()}, types.Field{Name: "props", Type: texts}),
		Metadata: []connector.Metadata{{Column: 2, Key: "properties"}},
		Options:  map[string]string{"topic": topic, "nameServerAddress": a, "keyColumns": "id,kind", "dynamicTagColumn": "kind", "dynamicTagColumnWriteIncluded": "false"}}
	s, err := Connector.Sink(testContext(t), write)
	if err != nil {
		t.Fatal(err)
	}
	b := vector.NewBatch(write.Schema, 1)
	b.AppendValues(types.Insert, int64(7), "red", &types.MapValue{Keys: []types.Value{"a"}, Vals: []types.Value{"1"}})
	before := time.Now().UnixMilli()
	if err := s.Write(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	var fields []types.Field
	var meta []connector.Metadata
	for i, f := range metadataKeys {
		fields, meta = append(fields, f), append(meta, connector.Metadata{Column: i, Key: f.Name})
	}
	read := &connector.Table{Name: "in", Schema: types.NewSchema(fields...), Metadata: meta, Format: j, Parallel: 1,
		Options: map[string]string{"topic": topic, "nameServerAddress": a, "scan.startup.mode": "earliest"}}
	src := openSource(t, read)
	splits, err := src.Splits(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r, err := src.Open(t.Context(), splits[0], "")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var recs format.Records
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := r.Read(ctx, &recs); err != nil || len(recs.Val) != 1 {
		t.Fatalf("%d records, %v", len(recs.Val), err)
	}
	if v := string(recs.Buf[recs.Val[0].Off:][:recs.Val[0].Len]); v != `{"id":7}` {
		t.Errorf("body %s", v)
	}
	got := map[string]types.Value{}
	for i, m := range meta {
		got[m.Key] = vector.Get(recs.Meta[i], 0)
	}
	for k, want := range map[string]types.Value{"topic": topic, "broker": "broker-a", "queue-id": int32(0), "offset": int64(0), "keys": "7 red", "tags": "red", "reconsume-times": int32(0)} {
		if got[k] != want {
			t.Errorf("%s is %v, want %v", k, got[k], want)
		}
	}
	for _, k := range []string{"born-time", "store-time"} {
		if ts, ok := got[k].(types.TS); !ok || ts.Ms < before-5000 || ts.Ms > before+60000 {
			t.Errorf("%s is %v", k, got[k])
		}
	}
	if p := fmt.Sprint(got["properties"]); !strings.Contains(p, "a") || !strings.Contains(p, "KEYS") {
		t.Errorf("properties %v", p)
	}
}

// TestKeyHash: rows of one key go to one queue, in their order, and keys spread.
func TestKeyHash(t *testing.T) {
	a := servicetest.RocketMQ(t)
	c := testClient(t, a)
	topic := makeTopic(t, c, 8)
	_, f, err := defaultFormat(&options{Delimiter: ","})
	if err != nil {
		t.Fatal(err)
	}
	table := &connector.Table{Name: "out", Format: f, Parallel: 1, PrimaryKey: []int{0},
		Schema:  types.NewSchema(types.Field{Name: "k", Type: types.String().NotNull()}, types.Field{Name: "n", Type: types.Of(types.Int)}),
		Options: map[string]string{"topic": topic, "nameServerAddress": a, "isJsonData": "false", "fieldDelimiter": ","}}
	s, err := Connector.Sink(testContext(t), table)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 5 {
		b := vector.NewBatch(table.Schema, 100)
		for k := range 100 {
			b.AppendValues(types.Insert, fmt.Sprint("key", k), int32(n))
		}
		if err := s.Write(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	queueOf, last, used := map[string]int32{}, map[string]int{}, map[int32]bool{}
	readQueues(t, c, topic, func(m *remoting.Message) {
		k, text, _ := strings.Cut(string(m.Body), ",")
		var n int
		fmt.Sscan(text, &n)
		if q, ok := queueOf[k]; ok && q != m.QueueID {
			t.Errorf("%s is in queues %d and %d", k, q, m.QueueID)
		}
		if n != last[k] {
			t.Errorf("%s: %d, want %d", k, n, last[k])
		}
		queueOf[k], last[k], used[m.QueueID] = m.QueueID, n+1, true
	})
	if len(queueOf) != 100 || len(used) < 6 {
		t.Errorf("%d keys in %d queues", len(queueOf), len(used))
	}
}

func TestTextFormat(t *testing.T) {
	t.Parallel()
	schema := types.NewSchema(types.Field{Name: "a", Type: types.String()}, types.Field{Name: "b", Type: types.Of(types.Int)}, types.Field{Name: "c", Type: types.String()})
	decode := func(delimiter, record string) string {
		t.Helper()
		f, err := newText(delimiter)
		if err != nil {
			t.Fatal(err)
		}
		d, err := f.NewDecoder(format.Decoding{Schema: schema, Wanted: []format.Want{{Column: 0, Type: schema.Fields[0].Type}, {Column: 1, Type: schema.Fields[1].Type}, {Column: 2, Type: schema.Fields[2].Type}}})
		if err != nil {
			t.Fatal(err)
		}
		var fault error
		bad := func(_, _ int, err error) { fault = err }
		recs := &format.Records{Buf: []byte(record), Val: []format.Span{{Off: 0, Len: int32(len(record))}}}
		n := d.Scan(recs, 0, 1, bad)
		var out []string
		for w, field := range schema.Fields {
			v := vector.New(field.Type, 0)
			d.Fill(w, nil, v, bad)
			if n > 0 {
				out = append(out, fmt.Sprint(vector.Get(v, 0)))
			}
		}
		if fault != nil {
			return "error: " + fault.Error()
		}
		return strings.Join(out, ";")
	}
	f := func(delimiter, record, want string) {
		t.Helper()
		if got := decode(delimiter, record); !strings.HasPrefix(got, want) {
			t.Errorf("%q at %q: %q, want %q", record, delimiter, got, want)
		}
	}
	f(",", "x,5,y", "x;5;y")
	f(`\|`, "x|5|y", "x;5;y")
	f(`\|\|`, "x||-5||", "x;-5;")
	f(`\s+`, "x  5 \ty", "x;5;y")
	f(",", "x,,y", "x;<nil>;y")
	f(",", "x,5", "error: 2 fields")
	f(",", "x,five,y", "error: column b")
	if _, err := newText("a*"); err == nil {
		t.Error("a pattern that matches nothing was taken")
	}
	if f, _ := newText(""); f.fits(schema) == nil {
		t.Error("three columns without a delimiter")
	}
}

// TestPoisonRow: a row the broker would refuse goes to the dead letters, and the
// rows around it are sent.
func TestPoisonRow(t *testing.T) {
	a := servicetest.RocketMQ(t)
	c := testClient(t, a)
	topic := makeTopic(t, c, 1)
	table := valueTable(t, map[string]string{"topic": topic, "nameServerAddress": a, "sink.max-message-bytes": "1 kb"})
	behind, err := Connector.Sink(testContext(t), table)
	if err != nil {
		t.Fatal(err)
	}
	var dead []string
	s := buffered.New(behind, buffered.Options{MaxRetries: 100, OnError: buffered.DeadLetter, Dead: func(_ context.Context, b *vector.Batch, i int, why error) error {
		if !errors.Is(why, connector.ErrRejected) {
			t.Errorf("why: %v", why)
		}
		dead = append(dead, vector.Get(b.Cols[0], i).(string)[:4])
		return nil
	}})
	b := vector.NewBatch(table.Schema, 0)
	for _, v := range []string{"a", "b", "long" + strings.Repeat("x", 2000), "c"} {
		b.AppendValues(types.Insert, v)
	}
	if err := s.Write(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(dead, []string{"long"}) {
		t.Errorf("dead letters %v", dead)
	}
	var got []string
	for end := time.Now().Add(10 * time.Second); len(got) < 3 && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		got = got[:0]
		readQueues(t, c, topic, func(m *remoting.Message) { got = append(got, string(m.Body)) })
	}
	if !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("%v", got)
	}
}

// TestSinkWaitsForServers: a sink whose name server comes up late waits for it,
// and one that has no tries left says what is missing.
func TestSinkWaitsForServers(t *testing.T) {
	a := servicetest.RocketMQ(t)
	c := testClient(t, a)
	topic := makeTopic(t, c, 1)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	options := map[string]string{"topic": topic, "nameServerAddress": addr}
	open := func(o map[string]string) connector.Sink {
		s, err := Connector.Sink(testContext(t), valueTable(t, o))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close(context.Background()) })
		return s
	}
	b := vector.NewBatch(valueTable(t, options).Schema, 1)
	b.AppendValues(types.Insert, "x")
	if err := open(with(options, "retryTimes", "1")).Write(t.Context(), b); err == nil || !strings.Contains(err.Error(), addr) {
		t.Errorf("nobody is there: %v", err)
	}
	go func() {
		time.Sleep(500 * time.Millisecond)
		l, err := net.Listen("tcp", addr)
		if err != nil {
			t.Error(err)
			return
		}
		t.Cleanup(func() { l.Close() })
		forward(l, a)
	}()
	if err := open(options).Write(t.Context(), b); err != nil {
		t.Error(err)
	}
}

// TestFirstCommits: the first commits of a group, many at once, all arrive.
func TestFirstCommits(t *testing.T) {
	a := servicetest.RocketMQ(t)
	c := testClient(t, a)
	topic := makeTopic(t, c, 16)
	for round := range 100 {
		group := fmt.Sprint(topic, "_", round)
		src := openSource(t, valueTable(t, map[string]string{"topic": topic, "nameServerAddress": a, "consumerGroup": group, "scan.startup.mode": "earliest", "scan.bounded.mode": "latest-offset"}))
		positions := map[string]string{}
		for q := range 16 {
			positions[fmt.Sprintf("%s/broker-a/%d", topic, q)] = position(int64(q+1), nil)
		}
		var got remoting.Messages // makes the group
		if err := c.Pull(t.Context(), remoting.PullRequest{Queue: remoting.Queue{Topic: topic, Broker: "broker-a"}, Group: group}, &got); err != nil {
			t.Fatal(err)
		}
		if err := src.(connector.Committer).Committed(t.Context(), positions); err != nil {
			t.Fatal(err)
		}
		for q := range 16 {
			if at, ok, err := c.GroupOffset(t.Context(), group, remoting.Queue{Topic: topic, Broker: "broker-a", ID: q}); err != nil || !ok || at != int64(q+1) {
				t.Fatalf("round %d, queue %d: %d, %v, %v", round, q, at, ok, err)
			}
		}
	}
}
