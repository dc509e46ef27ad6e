package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	goruntime "runtime"
	"slices"
	"strconv"
	"time"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/internal/metrics"
	"github.com/runnelio/runnel/internal/runtime"
)

// monitor serves the metrics and the health of the jobs of a process.
type monitor struct {
	jobs  func() []*runtime.Job
	bound time.Duration // a trouble older than this makes a job unhealthy
}

// serve listens at addr until stop is called. It returns the address, with the
// port that was chosen for port 0.
func (m *monitor) serve(addr string) (at string, stop func(), err error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return "", nil, fmt.Errorf("--metrics-addr: %w", err)
	}
	s := &http.Server{Handler: m.handler(), ReadHeaderTimeout: 5 * time.Second, WriteTimeout: 30 * time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Serve(l) // ends with stop
	}()
	return l.Addr().String(), func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if s.Shutdown(ctx) != nil {
			_ = s.Close() // of requests that outlast the job
		}
		<-done
	}, nil
}

func (m *monitor) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", metrics.ContentType)
		fmt.Fprint(w, m.text())
	})
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		h := m.health()
		w.Header().Set("Content-Type", "application/json")
		if !h.OK {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		_ = e.Encode(h) // whoever asked has gone
	})
	return mux
}

// health is the answer of /healthz.
type health struct {
	OK   bool        `json:"ok"`
	Jobs []jobHealth `json:"jobs"`
}

type jobHealth struct {
	Job      string          `json:"job"`
	State    string          `json:"state"` // starting, running, finished, stopped, failed
	OK       bool            `json:"ok"`
	Epoch    int64           `json:"epoch"`
	Lag      *int64          `json:"lag,omitempty"`
	Error    string          `json:"error,omitempty"`
	Troubles []troubleHealth `json:"troubles,omitempty"`
}

type troubleHealth struct {
	Operator string  `json:"operator"`
	What     string  `json:"what"`
	Seconds  float64 `json:"seconds"`
	Tries    int64   `json:"tries"`
	Error    string  `json:"error"`
}

func (m *monitor) health() health {
	h := health{OK: true, Jobs: []jobHealth{}}
	for _, j := range m.jobs() {
		x := jobHealth{Job: j.Name, State: stateOf(j), OK: true, Epoch: j.Metrics.Epoch.Load()}
		if err := j.Err(); x.State == "failed" && err != nil {
			x.OK, x.Error = false, err.Error()
		}
		if x.State == "running" {
			if n, known := j.Lag(); known {
				x.Lag = &n
			}
		}
		if x.State == "running" || x.State == "starting" {
			each(j, func(op string, c *connector.Health) {
				for _, t := range c.Troubles() {
					age := time.Since(t.Since)
					x.Troubles = append(x.Troubles, troubleHealth{Operator: op, What: t.What, Seconds: age.Round(time.Millisecond).Seconds(), Tries: t.Count, Error: t.Err.Error()})
					x.OK = x.OK && age < m.bound
				}
			})
		}
		h.OK = h.OK && x.OK
		h.Jobs = append(h.Jobs, x)
	}
	return h
}

func stateOf(j *runtime.Job) string {
	select {
	case <-j.Done():
	default:
		if !j.Running() {
			return "starting"
		}
		return "running"
	}
	switch err := j.Err(); {
	case err != nil && !errors.Is(err, context.Canceled):
		return "failed"
	case err != nil || j.Stopped():
		return "stopped"
	}
	return "finished"
}

// each calls f for the tables of a job in the order of their operators.
func each(j *runtime.Job, f func(op string, h *connector.Health)) {
	all := j.Health()
	for _, op := range slices.Sorted(maps.Keys(all)) {
		f(op, all[op])
	}
}

// opMetrics are the families of operators.
var opMetrics = []struct {
	name, kind, help string
	get              func(*metrics.Op) (float64, bool)
}{
	{"runnel_operator_records_in_total", metrics.Counter, "Rows that came into the operator.", func(o *metrics.Op) (float64, bool) { return float64(o.RowsIn.Load()), true }},
	{"runnel_operator_records_out_total", metrics.Counter, "Rows the operator emitted, or a sink wrote.", func(o *metrics.Op) (float64, bool) { return float64(o.RowsOut.Load()), true }},
	{"runnel_source_bytes_in_total", metrics.Counter, "Bytes a source has read.", func(o *metrics.Op) (float64, bool) { return float64(o.BytesIn.Load()), o.Source }},
	{"runnel_source_shared_jobs", metrics.Gauge, "Jobs of the process that read the same records together, this one included.", func(o *metrics.Op) (float64, bool) {
		n := o.Shared.Members.Load()
		return float64(n), n > 0
	}},
	{"runnel_source_shared_own_bytes_total", metrics.Counter, "Bytes of input that this job has read and decoded, for all jobs that share them or for itself; the rest of its bytes others have.", func(o *metrics.Op) (float64, bool) {
		return float64(o.Shared.ReadBytes.Load()), o.Shared.Joined.Load() > 0
	}},
	{"runnel_source_shared_lag_bytes", metrics.Gauge, "Memory held for the job of what was read for it and it has not come to.", func(o *metrics.Op) (float64, bool) {
		return float64(o.Shared.Lag.Load()), o.Shared.Members.Load() > 0
	}},
	{"runnel_source_shared_left_total", metrics.Counter, "How often a split had to be read alone because the job was further behind than 'scan.share.max-lag'.", func(o *metrics.Op) (float64, bool) {
		return float64(o.Shared.Left.Load()), o.Shared.Members.Load() > 0
	}},
	{"runnel_bad_records_total", metrics.Counter, "Records and rows that an error policy left out.", func(o *metrics.Op) (float64, bool) { return float64(o.Bad.Load()), o.Source || o.Sink }},
	{"runnel_dead_letters_total", metrics.Counter, "Those of the bad records that were written to a dead-letter file.", func(o *metrics.Op) (float64, bool) { return float64(o.Dead.Load()), o.Source || o.Sink }},
	{"runnel_oversize_records_total", metrics.Counter, "Records longer than 'max-record-size'.", func(o *metrics.Op) (float64, bool) { return float64(o.Oversize.Load()), o.Source }},
	{"runnel_operator_late_records_dropped_total", metrics.Counter, "Rows behind the watermark that were dropped.", func(o *metrics.Op) (float64, bool) { return float64(o.Late.Load()), !o.Source && !o.Sink }},
	{"runnel_operator_expired_retractions_total", metrics.Counter, "Retractions of keys that had expired.", func(o *metrics.Op) (float64, bool) { return float64(o.Expired.Load()), !o.Source && !o.Sink }},
	{"runnel_operator_backpressure_seconds_total", metrics.Counter, "Time the operator waited for room downstream.", func(o *metrics.Op) (float64, bool) { return time.Duration(o.BlockedNs.Load()).Seconds(), true }},
	{"runnel_operator_state_rows", metrics.Gauge, "Keys or rows the operator keeps.", func(o *metrics.Op) (float64, bool) { return float64(o.StateRows.Load()), !o.Source && !o.Sink }},
	{"runnel_operator_state_bytes", metrics.Gauge, "Memory the operator's state takes.", func(o *metrics.Op) (float64, bool) { return float64(o.StateBytes.Load()), !o.Source && !o.Sink }},
	{"runnel_operator_state_spilled_bytes", metrics.Gauge, "State that has left memory.", func(o *metrics.Op) (float64, bool) { return float64(o.Spilled.Load()), !o.Source && !o.Sink }},
	{"runnel_operator_watermark_seconds", metrics.Gauge, "The operator's watermark, in seconds since 1970.", func(o *metrics.Op) (float64, bool) {
		at := o.Watermark.Load()
		return float64(at) / 1000, o.HasWatermark.Load() && at < 1<<62
	}},
}

// text is the answer of /metrics.
func (m *monitor) text() string {
	var t metrics.Text
	jobs := m.jobs()
	slices.SortStableFunc(jobs, func(a, b *runtime.Job) int { return cmp.Compare(a.Name, b.Name) })
	t.Family("runnel_info", metrics.Gauge, "The version of the program.")
	t.Sample("runnel_info", 1, "version", Version, "go", goruntime.Version())
	t.Family("runnel_job_state", metrics.Gauge, "1 for the state a job is in.")
	for _, j := range jobs {
		t.Sample("runnel_job_state", 1, "job", j.Name, "state", stateOf(j))
	}
	t.Family("runnel_job_uptime_seconds", metrics.Gauge, "How long the job has run, or ran.")
	for _, j := range jobs {
		t.Sample("runnel_job_uptime_seconds", j.Elapsed().Seconds(), "job", j.Name)
	}
	jobs = slices.DeleteFunc(jobs, func(j *runtime.Job) bool { return !j.Running() }) // their operators are being made
	for _, f := range opMetrics {
		t.Family(f.name, f.kind, f.help)
		for _, j := range jobs {
			for _, o := range j.Metrics.All() {
				if v, ok := f.get(o); ok {
					t.Sample(f.name, v, "job", j.Name, "operator", o.Name, "subtask", strconv.Itoa(o.Subtask))
				}
			}
		}
	}
	m.splits(&t, jobs)
	m.checkpoints(&t, jobs)
	m.troubles(&t)
	m.process(&t)
	return t.String()
}

func (m *monitor) splits(t *metrics.Text, jobs []*runtime.Job) {
	all := func(f func(j *runtime.Job, o *metrics.Op, s *metrics.Split)) {
		for _, j := range jobs {
			for _, o := range j.Metrics.All() {
				for _, s := range o.Splits() {
					f(j, o, s)
				}
			}
		}
	}
	family := func(name, kind, help string, get func(*metrics.Split) int64) {
		t.Family(name, kind, help)
		all(func(j *runtime.Job, o *metrics.Op, s *metrics.Split) {
			if v := get(s); v >= 0 {
				t.Sample(name, float64(v), "job", j.Name, "operator", o.Name, "split", s.ID)
			}
		})
	}
	family("runnel_split_records_in_total", metrics.Counter, "Rows read of a split since this process reads it.", func(s *metrics.Split) int64 { return s.Rows.Load() })
	family("runnel_split_bytes_in_total", metrics.Counter, "Bytes read of a split since this process reads it.", func(s *metrics.Split) int64 { return s.Bytes.Load() })
	family("runnel_split_lag_records", metrics.Gauge, "Records of a split that are not read yet, as of some seconds ago.", func(s *metrics.Split) int64 { return s.Lag.Load() })
	t.Family("runnel_source_splits", metrics.Gauge, "Splits a source reads now.")
	for _, j := range jobs {
		for _, o := range j.Metrics.All() {
			if o.Source {
				t.Sample("runnel_source_splits", float64(len(o.Splits())), "job", j.Name, "operator", o.Name, "subtask", strconv.Itoa(o.Subtask))
			}
		}
	}
	t.Family("runnel_job_lag_records", metrics.Gauge, "Records of all splits that are not read yet; missing while that of some split is not known.")
	for _, j := range jobs {
		if n, known := j.Lag(); known {
			t.Sample("runnel_job_lag_records", float64(n), "job", j.Name)
		}
	}
}

func (m *monitor) checkpoints(t *metrics.Text, jobs []*runtime.Job) {
	family := func(name, kind, help string, get func(*metrics.Job) (float64, bool)) {
		t.Family(name, kind, help)
		for _, j := range jobs {
			if v, ok := get(j.Metrics); ok {
				t.Sample(name, v, "job", j.Name)
			}
		}
	}
	family("runnel_checkpoint_epoch", metrics.Gauge, "Number of the last commit.", func(j *metrics.Job) (float64, bool) { return float64(j.Epoch.Load()), true })
	family("runnel_checkpoints_completed_total", metrics.Counter, "Commits.", func(j *metrics.Job) (float64, bool) { return float64(j.Checkpoints.Load()), true })
	family("runnel_checkpoints_failed_total", metrics.Counter, "Checkpoints that could not be committed; each ends its job.", func(j *metrics.Job) (float64, bool) { return float64(j.FailedCheckpoints.Load()), true })
	family("runnel_checkpoint_duration_seconds_total", metrics.Counter, "Time from the barriers to the commits, in all.", func(j *metrics.Job) (float64, bool) { return time.Duration(j.CheckpointNs.Load()).Seconds(), true })
	family("runnel_checkpoint_last_duration_seconds", metrics.Gauge, "The same of the last one.", func(j *metrics.Job) (float64, bool) {
		return time.Duration(j.LastCheckpointNs.Load()).Seconds(), j.Checkpoints.Load() > 0
	})
	family("runnel_checkpoint_last_timestamp_seconds", metrics.Gauge, "Time of the last commit, in seconds since 1970.", func(j *metrics.Job) (float64, bool) {
		return float64(j.LastCommit.Load()) / 1000, j.Checkpoints.Load() > 0
	})
	family("runnel_source_offset_commits_failed_total", metrics.Counter, "Commits of positions to a queue that did not work; the job's own commit holds.", func(j *metrics.Job) (float64, bool) { return float64(j.FailedCommits.Load()), true })
}

// troubles are of jobs that are still starting too: they may wait for a server.
func (m *monitor) troubles(t *metrics.Text) {
	all := func(f func(job, op string, h *connector.Health)) {
		for _, j := range m.jobs() {
			each(j, func(op string, h *connector.Health) { f(j.Name, op, h) })
		}
	}
	t.Family("runnel_connector_retries_total", metrics.Counter, "What a source or sink has tried again.")
	all(func(job, op string, h *connector.Health) {
		t.Sample("runnel_connector_retries_total", float64(h.Retries.Load()), "job", job, "operator", op)
	})
	t.Family("runnel_connector_up", metrics.Gauge, "0 while something of a source or sink does not work.")
	all(func(job, op string, h *connector.Health) {
		up := 1.0
		if len(h.Troubles()) > 0 {
			up = 0
		}
		t.Sample("runnel_connector_up", up, "job", job, "operator", op)
	})
	t.Family("runnel_connector_failing_seconds", metrics.Gauge, "For how long something of a source or sink has not worked.")
	all(func(job, op string, h *connector.Health) {
		for _, x := range h.Troubles() {
			t.Sample("runnel_connector_failing_seconds", time.Since(x.Since).Seconds(), "job", job, "operator", op, "what", x.What)
		}
	})
}

func (m *monitor) process(t *metrics.Text) {
	var s goruntime.MemStats
	goruntime.ReadMemStats(&s)
	t.Family("go_goroutines", metrics.Gauge, "Goroutines.")
	t.Sample("go_goroutines", float64(goruntime.NumGoroutine()))
	t.Family("go_memstats_heap_alloc_bytes", metrics.Gauge, "Bytes of objects on the heap.")
	t.Sample("go_memstats_heap_alloc_bytes", float64(s.HeapAlloc))
	t.Family("go_memstats_sys_bytes", metrics.Gauge, "Bytes obtained from the system.")
	t.Sample("go_memstats_sys_bytes", float64(s.Sys))
	t.Family("go_gc_cycles_total", metrics.Counter, "Collections of garbage.")
	t.Sample("go_gc_cycles_total", float64(s.NumGC))
}
