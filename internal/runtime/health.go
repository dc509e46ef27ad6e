package runtime

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/internal/metrics"
)

// healthSet is the Health of each table of a job, by operator.
type healthSet struct {
	mu sync.Mutex
	by map[string]*connector.Health
}

// healthOf returns the Health of an operator's table, which its tasks share.
func (j *Job) healthOf(op string) *connector.Health {
	if j.unit != nil {
		return j.unit.set.job.healthOf(op)
	}
	j.health.mu.Lock()
	defer j.health.mu.Unlock()
	h := j.health.by[op]
	if h == nil {
		h = &connector.Health{}
		if j.health.by == nil {
			j.health.by = map[string]*connector.Health{}
		}
		j.health.by[op] = h
	}
	return h
}

// Health is how the sources and sinks of the job fare, by operator.
func (j *Job) Health() map[string]*connector.Health {
	j.health.mu.Lock()
	defer j.health.mu.Unlock()
	return maps.Clone(j.health.by)
}

// Running tells that the job's connectors are open: its Metrics may be read.
func (j *Job) Running() bool { return j.ready.Load() }

// Err is the error the job has ended with; nil while it runs, or if it ended well.
func (j *Job) Err() error {
	select {
	case <-j.done:
		return j.err
	default:
		return nil
	}
}

// lagOf is a source whose splits' ends are asked for.
type lagOf struct {
	source connector.Lagger
	health *connector.Health
	ops    func() []*metrics.Op // of its tasks
}

// lags are the sources of the job that know the ends of their splits.
func (b *builder) lags() []lagOf {
	var out []lagOf
	var ops [][]*metrics.Op
	for _, t := range b.order {
		if t.source == nil || t.source.lagger == nil {
			continue
		}
		i := slices.IndexFunc(out, func(l lagOf) bool { return l.source == t.source.lagger })
		if i < 0 {
			i = len(out)
			out = append(out, lagOf{source: t.source.lagger, health: b.job.healthOf(t.nodes[0].cx.ID)})
			ops = append(ops, nil)
		}
		ops[i] = append(ops[i], t.source.metrics)
	}
	for i := range out {
		out[i].ops = func() []*metrics.Op { return ops[i] }
	}
	return out
}

// The ends of splits are asked for every lagEvery, and waited for so long at most.
const (
	lagEvery = 5 * time.Second
	lagWait  = 4 * time.Second
)

// watchLag keeps the lag of all splits until ctx ends.
func (j *Job) watchLag(ctx context.Context) {
	first := time.NewTimer(500 * time.Millisecond) // the splits have to be there
	defer first.Stop()
	every := time.NewTicker(lagEvery)
	defer every.Stop()
	for {
		select {
		case <-first.C:
		case <-every.C:
		case <-ctx.Done():
			return
		}
		for _, l := range j.lags {
			l.ask(ctx)
		}
	}
}

// ask asks for the ends of all splits of a source at once.
func (l lagOf) ask(ctx context.Context) {
	const atOnce = 16
	ctx, cancel := context.WithTimeout(ctx, lagWait)
	defer cancel()
	var wg sync.WaitGroup
	room := make(chan struct{}, atOnce)
	for _, op := range l.ops() {
		for _, s := range op.Splits() {
			room <- struct{}{}
			wg.Go(func() {
				defer func() { <-room }()
				s.Lag.Store(l.behind(ctx, s))
			})
		}
	}
	wg.Wait()
}

func (l lagOf) behind(ctx context.Context, s *metrics.Split) int64 {
	at := s.At.Load()
	if at == nil || *at == "" || *at == endOfSplit {
		return -1
	}
	end, err := l.source.End(ctx, connector.Split{ID: s.ID})
	if err != nil {
		return -1 // reading has the same trouble, and says so
	}
	n, err := l.source.Behind(*at, end)
	if err != nil {
		return -1
	}
	return n
}

// Lag is the number of records all sources of the job are behind; known is false
// if that of some split is not known.
func (j *Job) Lag() (records int64, known bool) {
	known = true
	for _, l := range j.lags {
		for _, op := range l.ops() {
			for _, s := range op.Splits() {
				if n := s.Lag.Load(); n >= 0 {
					records += n
				} else {
					known = false
				}
			}
		}
	}
	return records, known && len(j.lags) > 0
}

// report writes a line of log once a period, and one when rows were dropped or
// something does not work: counts and causes, never what is in the rows.
func (j *Job) report(ctx context.Context, every time.Duration) {
	t := time.NewTicker(every)
	defer t.Stop()
	last, lost := j.totals(), int64(0)
	for {
		select {
		case <-t.C:
		case <-ctx.Done():
			return
		}
		now := j.totals()
		seconds := every.Seconds()
		line := []any{"rows-in", now.in, "rows-out", now.out, "rows-in-per-second", int64(float64(now.in-last.in) / seconds),
			"rows-out-per-second", int64(float64(now.out-last.out) / seconds), "epoch", j.Metrics.Epoch.Load(),
			"state-rows", now.state, "blocked", time.Duration(now.blocked - last.blocked).Round(time.Millisecond)}
		if lag, known := j.Lag(); known {
			line = append(line, "lag", lag)
		}
		j.log.Info("progress", line...)
		if n := now.late + now.bad; n > lost {
			j.log.Warn("rows were dropped", "late", now.late-last.late, "bad", now.bad-last.bad, "in", every)
			lost = n
		}
		for op, h := range j.Health() {
			for _, x := range h.Troubles() {
				j.log.Warn("does not work", "operator", op, "what", x.What, "for", time.Since(x.Since).Round(time.Second), "tries", x.Count, slog.Any("error", x.Err))
			}
		}
		last = now
	}
}

type totals struct{ in, out, late, bad, state, blocked int64 }

func (j *Job) totals() (t totals) {
	for _, o := range j.Metrics.All() {
		if o.Source {
			t.in += o.RowsIn.Load()
		}
		if o.Sink {
			t.out += o.RowsOut.Load()
		}
		t.late += o.Late.Load()
		t.bad += o.Bad.Load()
		t.state += o.StateRows.Load()
		t.blocked += o.BlockedNs.Load()
	}
	return t
}
