package queues

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/runnelio/runnel/internal/services"
	"github.com/runnelio/runnel/internal/services/servicetest"
)

// TestKafkaAway: the broker goes away under a job, and another job is started
// while it is away. Both say so, are unhealthy, go on by themselves and lose nothing.
func TestKafkaAway(t *testing.T) {
	own := servicetest.OwnKafka(t, services.KafkaOptions{})
	t.Setenv(services.EnvKafka, own.Addr())
	q := newKafka(t)
	away := 2 * time.Second
	if os.Getenv("RUNNEL_CHAOS") != "" {
		away = time.Minute
	}
	in := newInput()
	in.more(t, q, 2000)
	watch := []string{"--state-dir", "state", "--metrics-addr", "127.0.0.1:0", "--unhealthy-after", "1s"}
	p := run(t, t.TempDir(), fmt.Sprintf(windowJob, q.source, q.sink), watch...)
	p.until(t, "first results", time.Minute, func() bool { return len(q.results(t)) > 0 })
	if err := own.Broker.Kill(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	late := run(t, dir, fmt.Sprintf(copyJob, q.source, toFile), watch...)
	for _, p := range []*process{p, late} {
		p.until(t, "unhealthy", time.Minute, p.unhealthy)
		p.until(t, "a line of log", time.Minute, func() bool { return strings.Contains(p.said.String(), "level=WARN") })
	}
	time.Sleep(away)
	if err := own.Broker.Start(); err != nil {
		t.Fatal(err)
	}
	if err := own.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	in.more(t, q, 2000)
	in.close(t, q)
	want := in.expected()
	var got []string
	p.until(t, "all results", 2*time.Minute, func() bool { got = q.results(t); return len(got) >= len(want) })
	if slices.Sort(got); !slices.Equal(got, want) {
		t.Errorf("%d results, not %d; first difference: %s", len(got), len(want), difference(got, want))
	}
	late.until(t, "all records", time.Minute, func() bool { return len(written(t, dir)) >= in.n+queueCount })
	for _, p := range []*process{p, late} {
		p.until(t, "healthy again", time.Minute, func() bool { code, _ := p.get("/healthz"); return code == http.StatusOK })
		_ = p.Process.Signal(syscall.SIGTERM)
		if code := p.wait(t, time.Minute); code != 0 {
			t.Errorf("exit code %d:\n%s", code, p.said.String())
		}
	}
	if n := len(written(t, dir)); n != in.n+queueCount {
		t.Errorf("%d records, not %d", n, in.n+queueCount)
	}
}

// written is the lines of the files that a job with toFile has finished.
func written(t *testing.T, dir string) (lines []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "out", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if strings.HasPrefix(filepath.Base(f), ".") {
			continue
		}
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, strings.FieldsFunc(string(b), func(r rune) bool { return r == '\n' })...)
	}
	return lines
}

// TestKafkaOversize: a record that is longer than the topic takes ends the job
// with the reason; or it becomes a dead letter, is counted, and the others are
// written, each once.
func TestKafkaOversize(t *testing.T) {
	addr := servicetest.Kafka(t)
	cl, err := kgo.NewClient(kgo.SeedBrokers(addr))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	limit := "2000"
	for _, guarantee := range []string{"at-least-once", "exactly-once"} {
		t.Run(guarantee, func(t *testing.T) {
			q, narrow := newKafka(t), newName()
			if _, err := kadm.NewClient(cl).CreateTopic(t.Context(), queueCount, 1, map[string]*string{"max.message.bytes": &limit}, narrow); err != nil {
				t.Fatal(err)
			}
			// Each fits, all together are more than a batch of the topic may be.
			var records, want []string
			for i := range 200 {
				records = append(records, fmt.Sprintf(`{"k":"%s","v":%d}`, strings.Repeat("x", 50), i))
			}
			want = append(want, records...)
			slices.Sort(want)
			q.send(t, 0, slices.Insert(records, 77, `{"k":"`+strings.Repeat("y", 5000)+`","v":77}`))
			sink := regexp.MustCompile(`'topic' = '[^']*'`).ReplaceAllString(q.sink, "'topic' = '"+narrow+"'")
			sink = strings.Replace(sink, "exactly-once", guarantee, 1)

			p := run(t, t.TempDir(), fmt.Sprintf(copyJob, q.source, sink), "--state-dir", "state")
			if code := p.wait(t, time.Minute); code != 1 || !strings.Contains(p.said.String(), "max.message.bytes") || strings.Contains(p.said.String(), "yyyy") {
				t.Errorf("exit code %d:\n%s", code, p.said.String())
			}
			dir := t.TempDir()
			p = run(t, dir, fmt.Sprintf(copyJob, q.source, sink+", 'sink.on-error' = 'dead-letter', 'sink.dead-letter.path' = 'dead.json'"),
				"--state-dir", "state", "--metrics-addr", "127.0.0.1:0")
			var got []string
			p.until(t, "the others are written", time.Minute, func() bool {
				got = got[:0]
				readKafka(t, addr, narrow, func(r *kgo.Record) { got = append(got, string(r.Value)) })
				return len(got) >= len(want)
			})
			if slices.Sort(got); !slices.Equal(got, want) {
				t.Errorf("%d records, not %d: %s", len(got), len(want), difference(got, want))
			}
			p.until(t, "the metrics", 20*time.Second, func() bool {
				_, text := p.get("/metrics")
				return regexp.MustCompile(`(?m)^runnel_dead_letters_total\{[^}]*\} 1$`).MatchString(text)
			})
			b, err := os.ReadFile(filepath.Join(dir, "dead.json"))
			var line struct {
				Error string
				Row   map[string]string
			}
			if err != nil || json.Unmarshal(b, &line) != nil || line.Row["v"] != "77" || !strings.Contains(line.Error, "max.message.bytes") {
				t.Errorf("%.300s, %v", b, err)
			}
			_ = p.Process.Signal(syscall.SIGTERM)
			if code := p.wait(t, time.Minute); code != 0 {
				t.Errorf("exit code %d:\n%s", code, p.said.String())
			}
		})
	}
}

// TestKafkaQuota: the broker slows the job down to what its quota allows. It takes
// its time and loses nothing.
func TestKafkaQuota(t *testing.T) {
	q := newKafka(t)
	cl, err := kgo.NewClient(kgo.SeedBrokers(servicetest.Kafka(t)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	name := newName()
	entity := kadm.ClientQuotaEntity{{Type: "client-id", Name: &name}}
	change := func(op kadm.AlterClientQuotaOp) {
		t.Helper()
		res, err := kadm.NewClient(cl).AlterClientQuotas(t.Context(), []kadm.AlterClientQuotaEntry{{Entity: entity, Ops: []kadm.AlterClientQuotaOp{op}}})
		if err == nil && len(res) > 0 {
			err = res[0].Err
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	change(kadm.AlterClientQuotaOp{Key: "producer_byte_rate", Value: 20_000})
	const n = 3000
	var records []string
	for i := range n {
		records = append(records, fmt.Sprintf(`{"k":"%s","w":"2024-01-01 00:00:00","n":%d,"total":0}`, strings.Repeat("x", 50), i))
	}
	q.send(t, 0, records)
	script := fmt.Sprintf(`
SET 'execution.checkpointing.interval' = '200 ms';
CREATE TABLE s (k STRING, w STRING, n BIGINT, total BIGINT) WITH (%s);
CREATE TABLE o (k STRING, w STRING, n BIGINT, total BIGINT) WITH (%s);
INSERT INTO o SELECT * FROM s;`, q.source, q.sink+", 'properties.client.id' = '"+name+"'")
	begun := time.Now()
	p := run(t, t.TempDir(), script, "--state-dir", "state", "--metrics-addr", "127.0.0.1:0")
	var got []string
	p.until(t, "all results", 2*time.Minute, func() bool {
		got = q.results(t)
		if len(got) < n && time.Since(begun) > 8*time.Second {
			change(kadm.AlterClientQuotaOp{Key: "producer_byte_rate", Remove: true})
		}
		return len(got) >= n
	})
	if slices.Sort(got); len(got) != n || len(slices.Compact(got)) != n {
		t.Errorf("%d results, not %d", len(got), n)
	}
	if !strings.Contains(p.said.String(), "throttle") {
		t.Errorf("nothing in the log:\n%s", p.said.String())
	}
	_ = p.Process.Signal(syscall.SIGTERM)
	if code := p.wait(t, time.Minute); code != 0 {
		t.Errorf("exit code %d:\n%s", code, p.said.String())
	}
}

// TestKafkaPausedTooLong stops one of two members for longer than its session
// lasts: the other takes its partitions, the one that wakes late writes and
// commits nothing of them, and results are those of an undisturbed job.
func TestKafkaPausedTooLong(t *testing.T) {
	q := newKafka(t)
	q.source += sharedBy + ", 'properties.group.id' = '" + newName() + "', 'properties.session.timeout.ms' = '6000', 'properties.heartbeat.interval.ms' = '1000'"
	dir := t.TempDir()
	script := fmt.Sprintf(windowJob, q.source, q.sink)
	start := func() *process { return run(t, dir, script, "--state-dir", "state", "--log-level", "info") }
	taken := func(p *process) int { return strings.Count(p.said.String(), "split taken") }
	in := newInput()
	in.more(t, q, 2000)
	ps := [2]*process{start(), start()}
	ps[0].until(t, "both have splits", time.Minute, func() bool { return taken(ps[0]) > 0 && taken(ps[1]) > 0 })
	_ = ps[0].Process.Signal(syscall.SIGSTOP)
	had := taken(ps[1])
	in.more(t, q, 2000)
	ps[1].until(t, "the other one takes its splits", time.Minute, func() bool { return taken(ps[1]) > had })
	in.more(t, q, 2000)
	_ = ps[0].Process.Signal(syscall.SIGCONT)
	in.more(t, q, 2000)
	in.close(t, q)
	want := in.expected()
	var got []string
	ps[1].until(t, "all results", 2*time.Minute, func() bool { got = q.results(t); return len(got) >= len(want) })
	for _, p := range ps {
		_ = p.Process.Signal(syscall.SIGTERM)
		if code := p.wait(t, time.Minute); code != 0 {
			t.Errorf("exit code %d:\n%s", code, p.said.String())
		}
	}
	got = q.results(t)
	if slices.Sort(got); !slices.Equal(got, want) {
		t.Errorf("%d results, not %d; first difference: %s", len(got), len(want), difference(got, want))
	}
}
