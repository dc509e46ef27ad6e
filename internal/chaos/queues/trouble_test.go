package queues

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/runnelio/runnel/internal/services"
	"github.com/runnelio/runnel/internal/services/servicetest"
)

const copyJob = `
SET 'execution.checkpointing.interval' = '200 ms';
CREATE TABLE s (k STRING, v BIGINT) WITH (%s);
CREATE TABLE o (k STRING, v BIGINT) WITH (%s);
INSERT INTO o SELECT k, v FROM s;
`

const toFile = "'connector' = 'filesystem', 'path' = 'out', 'format' = 'json'"

// TestRefusals: what cannot work is said at once, with exit code 1 and the cause.
func TestRefusals(t *testing.T) {
	rmq, kafka := newRocketMQ(t), newKafka(t)
	for _, q := range []queue{rmq, kafka} {
		q.send(t, 0, []string{`{"k":"a","v":1}`, `no JSON, and a secret`, `{"k":"` + strings.Repeat("x", 5000) + `","v":2}`})
	}
	replace := func(with, key, value string) string {
		return regexp.MustCompile(`'`+regexp.QuoteMeta(key)+`' = '[^']*'`).ReplaceAllString(with, "'"+key+"' = '"+value+"'")
	}
	for _, c := range []struct{ name, source, sink, want string }{
		{"rocketmq: no such topic", replace(rmq.source, "topic", "nowhere_"+newName()), toFile, "nowhere_"},
		{"kafka: no such topic", replace(kafka.source, "topic", "nowhere_"+newName()), toFile, "nowhere_"},
		{"rocketmq: poison record", rmq.source, toFile, "before position"},
		{"kafka: poison record", kafka.source, toFile, "before position"},
		{"rocketmq: message too long for the sink", rmq.source + ", 'on-error' = 'skip'", strings.Replace(rmq.sink, "exactly-once", "at-least-once", 1) + ", 'sink.max-message-bytes' = '2 kb'", "sink.max-message-bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := run(t, t.TempDir(), fmt.Sprintf(copyJob, c.source, c.sink))
			if code := p.wait(t, time.Minute); code != 1 || !strings.Contains(p.said.String(), c.want) {
				t.Errorf("exit code %d, want 1 and %q:\n%s", code, c.want, p.said.String())
			}
		})
	}
}

// TestTLSMismatch: TLS with servers that speak none. It may pass (a server that is
// coming up), so the job tries again, says so and is unhealthy.
func TestTLSMismatch(t *testing.T) {
	for _, c := range []struct{ name, source, more string }{
		{"rocketmq", newRocketMQ(t).source, ", 'tls.enable' = 'true'"},
		{"kafka", newKafka(t).source, ", 'properties.security.protocol' = 'SSL'"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := run(t, t.TempDir(), fmt.Sprintf(copyJob, c.source+c.more, toFile), "--metrics-addr", "127.0.0.1:0", "--unhealthy-after", "1s")
			ended := false
			for end := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
				select {
				case <-p.done:
					ended = true
				default:
				}
				if ended || p.unhealthy() {
					break
				}
				if time.Now().After(end) {
					t.Fatalf("neither refused nor unhealthy:\n%s", p.said.String())
				}
			}
			if ended {
				if code := p.ProcessState.ExitCode(); code != 1 || !strings.Contains(strings.ToLower(p.said.String()), "tls") {
					t.Errorf("exit code %d:\n%s", code, p.said.String())
				}
				return
			}
			if !strings.Contains(p.said.String(), "level=WARN") {
				t.Errorf("nothing in the log:\n%s", p.said.String())
			}
			_ = p.Process.Signal(syscall.SIGTERM)
			if code := p.wait(t, 20*time.Second); code != 0 {
				t.Errorf("exit code %d:\n%s", code, p.said.String())
			}
		})
	}
}

var monitored = regexp.MustCompile(`metrics at (http://\S+)/metrics`)

// get asks the process's own server.
func (p *process) get(path string) (int, string) {
	m := monitored.FindStringSubmatch(p.said.String())
	if m == nil {
		return 0, ""
	}
	r, err := http.Get(m[1] + path)
	if err != nil {
		return 0, ""
	}
	defer r.Body.Close()
	b, _ := io.ReadAll(r.Body)
	return r.StatusCode, string(b)
}

func (p *process) unhealthy() bool {
	code, _ := p.get("/healthz")
	return code == http.StatusServiceUnavailable
}

// TestPoisonIsCounted: with 'on-error' the job goes on, and the metrics say what it left out.
func TestPoisonIsCounted(t *testing.T) {
	for name, q := range map[string]queue{"rocketmq": newRocketMQ(t), "kafka": newKafka(t)} {
		t.Run(name, func(t *testing.T) {
			q.send(t, 0, []string{`{"k":"a","v":1}`, `my secret`, `{"k":"b","v":2}`})
			dir := t.TempDir()
			p := run(t, dir, fmt.Sprintf(copyJob, q.source+", 'on-error' = 'dead-letter', 'dead-letter.path' = 'dead.json'", "'connector' = 'blackhole'"),
				"--metrics-addr", "127.0.0.1:0", "--log-level", "info", "--report-every", "300ms", "--state-dir", "state")
			p.until(t, "the dead letter, no lag, and a line of log", 30*time.Second, func() bool {
				_, text := p.get("/metrics")
				return regexp.MustCompile(`(?m)^runnel_dead_letters_total\{[^}]*Source[^}]*\} 1$`).MatchString(text) &&
					regexp.MustCompile(`(?m)^runnel_job_lag_records\{[^}]*\} 0$`).MatchString(text) &&
					regexp.MustCompile(`(?m)^runnel_split_lag_records\{[^}]*split="[^"]+"\} 0$`).MatchString(text) &&
					strings.Contains(p.said.String(), "msg=\"rows were dropped\"")
			})
			if strings.Contains(p.said.String(), "secret") {
				t.Errorf("a payload in the log:\n%s", p.said.String())
			}
			b, err := os.ReadFile(filepath.Join(dir, "dead.json"))
			var line struct{ Record string }
			if err != nil || json.Unmarshal(b, &line) != nil || line.Record != "my secret" {
				t.Errorf("%s, %v", b, err)
			}
			_ = p.Process.Signal(syscall.SIGTERM)
			if code := p.wait(t, 30*time.Second); code != 0 {
				t.Errorf("exit code %d:\n%s", code, p.said.String())
			}
		})
	}
}

// TestSecondProcessIsRefused by the state directory they would share.
func TestSecondProcessIsRefused(t *testing.T) {
	q := newRocketMQ(t)
	dir := t.TempDir()
	script := fmt.Sprintf(windowJob, q.source, q.sink)
	first := run(t, dir, script, "--state-dir", "state", "--metrics-addr", "127.0.0.1:0")
	first.until(t, "the first one runs", 30*time.Second, func() bool { _, b := first.get("/healthz"); return strings.Contains(b, `"running"`) })
	second := run(t, dir, script, "--state-dir", "state")
	if code := second.wait(t, 30*time.Second); code != 1 || !strings.Contains(second.said.String(), "is run by another process") {
		t.Errorf("exit code %d:\n%s", code, second.said.String())
	}
	select {
	case <-first.done:
		t.Errorf("the first one has ended:\n%s", first.said.String())
	default:
	}
}

// TestBrokerAway: the broker goes away under a job and comes back. The job is
// unhealthy meanwhile, goes on by itself and loses nothing. RUNNEL_CHAOS makes it
// stay away for a minute.
func TestBrokerAway(t *testing.T) {
	own := servicetest.OwnRocketMQ(t, services.RocketMQOptions{})
	t.Setenv(services.EnvRocketMQ, own.Addr())
	q := newRocketMQ(t)
	away := 5 * time.Second
	if os.Getenv("RUNNEL_CHAOS") != "" {
		away = time.Minute
	}
	in := newInput()
	in.more(t, q, 2000)
	p := run(t, t.TempDir(), fmt.Sprintf(windowJob, q.source, q.sink), "--state-dir", "state", "--metrics-addr", "127.0.0.1:0", "--unhealthy-after", "1s")
	p.until(t, "first results", time.Minute, func() bool { return len(q.results(t)) > 0 })
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	if err := own.Brokers[0].Kill(); err != nil {
		t.Fatal(err)
	}
	p.until(t, "unhealthy", time.Minute, p.unhealthy)
	time.Sleep(away)
	if err := own.Brokers[0].Start(); err != nil {
		t.Fatal(err)
	}
	if err := own.Ready(ctx); err != nil {
		t.Fatal(err)
	}
	in.more(t, q, 2000)
	in.close(t, q)
	want := in.expected()
	p.until(t, "all results", 2*time.Minute, func() bool { return len(q.results(t)) >= len(want) })
	p.until(t, "healthy again", time.Minute, func() bool { code, _ := p.get("/healthz"); return code == http.StatusOK })
	if got := q.results(t); len(got) != len(want) {
		t.Errorf("%d results, not %d", len(got), len(want))
	}
}
