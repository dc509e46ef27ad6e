package cli_test

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// monitorOf is the address a process serves its metrics at.
func monitorOf(t *testing.T, p *process) string {
	t.Helper()
	at := regexp.MustCompile(`metrics at (http://\S+)/metrics`)
	until(t, "the address of the metrics", func() bool { return at.MatchString(p.err.String()) })
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(p.err.String())
		}
	})
	return at.FindStringSubmatch(p.err.String())[1]
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(b)
}

type healthAnswer struct {
	OK   bool
	Jobs []struct {
		Job, State, Error string
		OK                bool
		Troubles          []struct{ Operator, What, Error string }
	}
}

func healthOf(t *testing.T, base string) (int, healthAnswer) {
	t.Helper()
	code, body := get(t, base+"/healthz")
	var h healthAnswer
	if err := json.Unmarshal([]byte(body), &h); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return code, h
}

func TestMetricsAndHealthOfARunningJob(t *testing.T) {
	p := start(t, map[string]string{"job.sql": `
CREATE TABLE g (id BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '1000', 'fields.id.kind' = 'sequence', 'fields.id.start' = '0', 'fields.id.end' = '1000000000');
CREATE TABLE o (k BIGINT, n BIGINT) WITH ('connector' = 'blackhole');
INSERT INTO o SELECT MOD(id, 10), COUNT(*) FROM g GROUP BY MOD(id, 10);`},
		"run", "job.sql", "--metrics-addr", "127.0.0.1:0", "--state-dir", "state", "-s", "execution.checkpointing.interval=200ms", "--report-every", "300ms", "--log-level", "info")
	base := monitorOf(t, p)
	var text string
	until(t, "a checkpoint in the metrics", func() bool {
		_, text = get(t, base+"/metrics")
		return regexp.MustCompile(`(?m)^runnel_checkpoints_completed_total\{job="[^"]+"\} [1-9]`).MatchString(text)
	})
	for _, want := range []string{
		`(?m)^# TYPE runnel_operator_records_in_total counter$`,
		`(?m)^runnel_operator_records_in_total\{job="[^"]+",operator="Source-[^"]+",subtask="0"\} [1-9]`,
		`(?m)^runnel_split_records_in_total\{job="[^"]+",operator="Source-[^"]+",split="[^"]+"\} [1-9]`,
		`(?m)^runnel_operator_state_rows\{[^}]+\} 10$`,
		`(?m)^runnel_operator_backpressure_seconds_total\{`,
		`(?m)^runnel_checkpoint_last_duration_seconds\{`,
		`(?m)^runnel_job_state\{job="[^"]+",state="running"\} 1$`,
	} {
		if !regexp.MustCompile(want).MatchString(text) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	line := regexp.MustCompile(`^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{([a-z]+="([^"\\]|\\.)*",?)+\})? [-+.0-9eE]+)$`)
	for l := range strings.Lines(text) {
		if !line.MatchString(strings.TrimSuffix(l, "\n")) {
			t.Errorf("no line of the format: %q", l)
		}
	}
	if code, h := healthOf(t, base); code != 200 || !h.OK || len(h.Jobs) != 1 || h.Jobs[0].State != "running" {
		t.Errorf("%d %+v", code, h)
	}
	until(t, "a line of log about progress", func() bool {
		return regexp.MustCompile(`level=INFO msg=progress job=\S+ rows-in=[1-9]\d* rows-out=`).MatchString(p.err.String())
	})
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := p.wait(t); code != 0 {
		t.Errorf("exit code %d: %s", code, p.err.String())
	}
}

// closedPort is an address where nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestHealthTellsOfABrokerThatIsAwayAtStart(t *testing.T) {
	for name, with := range map[string]string{
		"rocketmq": `'connector' = 'rocketmq', 'topic' = 't', 'consumerGroup' = 'g', 'nameServerAddress' = 'ADDR', 'format' = 'json'`,
		"kafka":    `'connector' = 'kafka', 'topic' = 't', 'properties.bootstrap.servers' = 'ADDR', 'scan.startup.mode' = 'earliest-offset', 'format' = 'json'`,
	} {
		t.Run(name, func(t *testing.T) {
			p := start(t, map[string]string{"job.sql": "CREATE TABLE s (id BIGINT) WITH (" + strings.Replace(with, "ADDR", closedPort(t), 1) + `);
CREATE TABLE o (id BIGINT) WITH ('connector' = 'blackhole');
INSERT INTO o SELECT id FROM s;`}, "run", "job.sql", "--metrics-addr", "127.0.0.1:0", "--unhealthy-after", "1s")
			base := monitorOf(t, p)
			var h healthAnswer
			until(t, "503", func() bool {
				var code int
				code, h = healthOf(t, base)
				return code == http.StatusServiceUnavailable
			})
			if h.OK || len(h.Jobs) != 1 || h.Jobs[0].State != "starting" || len(h.Jobs[0].Troubles) == 0 || !strings.HasPrefix(h.Jobs[0].Troubles[0].Operator, "Source-") {
				t.Errorf("%+v", h)
			}
			_, text := get(t, base+"/metrics")
			if !regexp.MustCompile(`(?m)^runnel_connector_up\{[^}]+\} 0$`).MatchString(text) || !regexp.MustCompile(`(?m)^runnel_connector_retries_total\{[^}]+\} [1-9]`).MatchString(text) {
				t.Errorf("metrics without the trouble:\n%s", text)
			}
			since := time.Now()
			if err := p.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			if code := p.wait(t); code != 0 || time.Since(since) > 10*time.Second {
				t.Errorf("exit code %d after %v: %s", code, time.Since(since), p.err.String())
			}
		})
	}
}

func TestMetricsAddressThatIsTakenIsAnError(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	p := start(t, map[string]string{"job.sql": "SELECT 1;"}, "run", "job.sql", "--metrics-addr", l.Addr().String())
	if code := p.wait(t); code != 2 || !strings.Contains(p.err.String(), "--metrics-addr") {
		t.Errorf("exit code %d: %s", code, p.err.String())
	}
}
