package engine

import (
	"fmt"
	"testing"
	"time"

	connectors "github.com/runnelio/runnel/connectors/all"
	formats "github.com/runnelio/runnel/format/all"
	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/runtime"
	"github.com/runnelio/runnel/internal/services/servicetest"
)

func TestMain(m *testing.M) { servicetest.Main(m) }

// TestQueuesReadTogether: three jobs of a namespace read a topic of a real broker
// once; one is killed and comes back, one is upgraded, and each has every record
// exactly once.
func TestQueuesReadTogether(t *testing.T) {
	t.Run("kafka", func(t *testing.T) {
		addr := servicetest.Kafka(t)
		queuesTogether(t, func(topic, job string) string {
			return fmt.Sprintf("'connector'='kafka','topic'='%s','properties.bootstrap.servers'='%s','properties.group.id'='%s-%s','scan.startup.mode'='earliest-offset'", topic, addr, topic, job)
		}, fmt.Sprintf("'connector'='kafka','properties.bootstrap.servers'='%s'", addr))
	})
	t.Run("rocketmq", func(t *testing.T) {
		addr := servicetest.RocketMQ(t)
		queuesTogether(t, func(topic, job string) string {
			return fmt.Sprintf("'connector'='rocketmq','topic'='%s','nameServerAddress'='%s','consumerGroup'='%s-%s','scan.startup.mode'='earliest'", topic, addr, topic, job)
		}, fmt.Sprintf("'connector'='rocketmq','nameServerAddress'='%s'", addr))
	})
}

func queuesTogether(t *testing.T, source func(topic, job string) string, sink string) {
	topic := fmt.Sprintf("together-%d", time.Now().UnixNano())
	w := newWorld()
	e, err := New(Options{Connectors: append(connectors.Connectors(), w.connectors()...), Formats: formats.Formats(), StateDir: t.TempDir(),
		Settings: map[string]string{"execution.checkpointing.interval": "50 ms"}})
	if err != nil {
		t.Fatal(diag.Render(err))
	}
	sent := 0
	feed := func(n int) {
		t.Helper()
		sent += n
		j := start(t, e, fmt.Sprint("feed", sent), fmt.Sprintf(`
CREATE TABLE g (id INT) WITH ('connector'='datagen','fields.id.kind'='sequence','fields.id.start'='%d','fields.id.end'='%d','rows-per-second'='1000000');
CREATE TABLE o (id INT, name STRING) WITH (%s,'topic'='%s','format'='json');
INSERT INTO o SELECT id, 'n' || CAST(MOD(id, 7) AS STRING) FROM g;`, sent-n, sent-1, sink, topic))
		if err := j.Wait(); err != nil {
			t.Fatal(err)
		}
	}
	feed(500)
	// Every job has the ids that do not leave its own remainder.
	script := func(job string, rest int, extra string) string {
		return fmt.Sprintf(`
CREATE TABLE t (id INT, name STRING) WITH (%s,'format'='json');
CREATE TABLE o (c0 STRING) WITH ('connector'='box','name'='%s');
INSERT INTO o SELECT CAST(id AS STRING)%s FROM t WHERE MOD(id, 4) <> %d;`, source(topic, job), job, extra, rest)
	}
	want := func(rest int, from, to int, suffix string) []string {
		var out []string
		for i := from; i < to; i++ {
			if i%4 != rest {
				out = append(out, fmt.Sprint(i)+suffix)
			}
		}
		return out
	}
	names := []string{"free", "killed", "upgraded"}
	has := func(name string, n int) { // so many rows are committed
		t.Helper()
		w.until(t, name, func() bool { return len(w.box(name).rows) >= n })
	}
	jobs := map[string]*runtime.Job{}
	release := e.Hold()
	for i, n := range names {
		jobs[n] = start(t, e, n, script(n, i, ""))
	}
	release()
	for i, n := range names {
		has(n, len(want(i, 0, sent, "")))
		if s := jobs[n].Sharing(); len(s) != 1 || len(s[0].Jobs) != 3 {
			t.Errorf("%s shares with %+v", n, s)
		}
	}
	// Who was given its queues later reads alone until it has come up.
	figures := func() (read, in int64) {
		for _, j := range jobs {
			for _, op := range j.Metrics.Ops {
				read += op.Shared.ReadBytes.Load()
				in += op.BytesIn.Load()
			}
		}
		return read, in
	}
	for k := 0; ; k++ {
		read, in := figures()
		feed(300)
		for i, n := range names {
			has(n, len(want(i, 0, sent, "")))
		}
		r, i := figures()
		if r > read && i-in == 3*(r-read) {
			break
		}
		if k == 30 {
			t.Fatalf("%d bytes are still read for %d of input: %+v", r-read, i-in, jobs["free"].Sharing())
		}
	}
	jobs["killed"].Cancel()
	_ = jobs["killed"].Wait() // cancelled
	feed(500)
	has("free", len(want(0, 0, sent, "")))
	has("upgraded", len(want(2, 0, sent, "")))
	jobs["upgraded"].Stop()
	if err := jobs["upgraded"].Wait(); err != nil {
		t.Fatal(err)
	}
	before := sent
	feed(500)
	jobs["upgraded"] = start(t, e, "upgraded", script("upgraded", 2, " || name"))
	jobs["killed"] = start(t, e, "killed", script("killed", 1, ""))
	feed(500)
	for i, n := range names {
		has(n, len(want(i, 0, sent, "")))
		jobs[n].Stop()
		if err := jobs[n].Wait(); err != nil {
			t.Fatal(err)
		}
	}
	sameRows(t, "free", w.box("free").rows, sorted(want(0, 0, sent, "")))
	sameRows(t, "killed", w.box("killed").rows, sorted(want(1, 0, sent, "")))
	upgraded := want(2, 0, before, "")
	for i := before; i < sent; i++ {
		if i%4 != 2 {
			upgraded = append(upgraded, fmt.Sprintf("%dn%d", i, i%7))
		}
	}
	sameRows(t, "upgraded", w.box("upgraded").rows, sorted(upgraded))
}
