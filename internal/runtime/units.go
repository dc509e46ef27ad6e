package runtime

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/internal/exec/relational"
	"github.com/runnelio/runnel/internal/metrics"
	"github.com/runnelio/runnel/internal/physical"
	"github.com/runnelio/runnel/internal/state"
	"github.com/runnelio/runnel/vector"
)

// A plan that is aligned by split (physical.Aligned) runs once for each split: a
// unit is a job of its own, with its state, watermark, epochs and transactions,
// that shares nothing with other units but the source. So a split passes from
// process to process with all that belongs to it: its job is stopped here, behind
// a last commit, and started there, from that commit.

// unitSet is the units of a job.
type unitSet struct {
	job    *Job
	plan   *physical.Plan
	opts   Options
	source any // connector.Source or connector.ColumnSource; all units read from it
	check  *splitCheck
	done   chan struct{} // closed when the job is asked to stop: units end behind a last commit

	building sync.Mutex // rules belongs to who builds a unit
	rules    map[*physical.Op]*relational.RuleSet

	mu      sync.Mutex
	live    map[string]*unit
	ops     map[string]map[string]*metrics.Op // by split and operator: a split that comes back counts on
	running sync.WaitGroup
	closed  bool // no unit may start any more

	committing sync.Mutex // the job's Committed is called by one at a time
}

// unit is a split of the job.
type unit struct {
	set   *unitSet
	split connector.Split
	log   []any // names it in log lines
	stop  chan struct{}
	ended chan struct{}

	mu  sync.Mutex
	job *Job // nil while it is not running
}

// reclaimAfter is how long a unit that another process has claimed is left to
// it, if the source still says that its split is ours: the group's members may
// disagree for a moment.
const reclaimAfter = 3 * time.Second

// maxFenced is how often a unit goes on after another writer has taken a sink's
// transactions over, though the unit is its own: two jobs may have been given the
// same names for them.
const maxFenced = 5

// startUnits starts a job of units.
func (j *Job) startUnits(ctx context.Context, p *physical.Plan, o Options) error {
	s := &unitSet{job: j, plan: p, opts: o, live: map[string]*unit{}, ops: map[string]map[string]*metrics.Op{}, rules: map[*physical.Op]*relational.RuleSet{}, done: make(chan struct{})}
	if p.Aligned.Verify && len(p.Aligned.Keys) > 0 {
		s.check = &splitCheck{table: p.Aligned.Source.Table(), seen: map[string]string{}}
	}
	b := &builder{ctx: ctx, plan: p, opts: o, job: j}
	var err error
	if s.source, err = b.openSource(p.Aligned.Source); err != nil {
		return &OpError{Op: p.Aligned.Source.ID, Err: err}
	}
	if x, ok := s.source.(connector.Partaker); o.Units != nil && !(ok && x.Partakes()) {
		if err := o.Units.Alone(); err != nil {
			s.closeSource()
			return &OpError{Op: p.Aligned.Source.ID, Err: fmt.Errorf("%w. Every process reads all splits of table %s: processes share them with 'scan.assignment' = 'group', where the connector has it", err, p.Aligned.Source.Table())}
		}
	}
	var splits []connector.Split
	switch src := s.source.(type) {
	case connector.Source:
		splits, err = src.Splits(ctx)
	case connector.ColumnSource:
		splits, err = src.Splits(ctx)
	default:
		err = fmt.Errorf("source %T implements neither connector.Source nor connector.ColumnSource", src)
	}
	if err != nil {
		s.closeSource()
		return &OpError{Op: p.Aligned.Source.ID, Err: err}
	}
	j.units = s
	if l, ok := s.source.(connector.Lagger); ok {
		j.lags = []lagOf{{source: l, health: j.healthOf(p.Aligned.Source.ID), ops: s.sourceOps}}
	}
	j.ready.Store(true)
	for _, sp := range splits {
		s.found(ctx, sp)
	}
	var watchers sync.WaitGroup
	watching, stopWatching := context.WithCancel(ctx)
	watcher, _ := s.source.(connector.Watcher)
	if watcher != nil {
		watchers.Go(func() {
			err := watcher.Watch(watching, func(sp connector.Split) { s.found(ctx, sp) }, func(sp connector.Split) { s.gone(sp) })
			if err != nil && watching.Err() == nil {
				j.cancel(wrapOp(p.Aligned.Source.ID, err))
			}
		})
	}
	if len(j.lags) > 0 {
		watchers.Go(func() { j.watchLag(watching) })
	}
	if o.Report > 0 {
		watchers.Go(func() { j.report(watching, o.Report) })
	}
	watchers.Go(func() {
		select {
		case <-j.stop:
			close(s.done)
		case <-watching.Done():
		}
	})
	go func() {
		if watcher != nil { // splits may come at any time
			select {
			case <-j.stop:
			case <-ctx.Done():
			}
		}
		s.close()
		s.running.Wait()
		stopWatching()
		watchers.Wait()
		if ctx.Err() != nil {
			j.err = context.Cause(ctx)
		}
		s.closeSource()
		if o.Units != nil {
			if err := o.Units.Close(); err != nil && j.err == nil {
				j.err = err
			}
		}
		j.ended = time.Now()
		j.cancel(context.Canceled)
		close(j.done)
	}()
	return nil
}

func (s *unitSet) closeSource() {
	if c, ok := s.source.(io.Closer); ok {
		if err := c.Close(); err != nil {
			s.job.log.Warn("source not closed", "operator", s.plan.Aligned.Source.ID, "error", err)
		}
	}
}

// close lets no unit start any more.
func (s *unitSet) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
}

// found starts the unit of a split.
func (s *unitSet) found(ctx context.Context, sp connector.Split) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.live[sp.ID] != nil {
		return
	}
	if sp.Rows {
		s.job.Metrics.TotalRows.Add(sp.Size)
	} else {
		s.job.Metrics.TotalBytes.Add(sp.Size)
	}
	u := &unit{set: s, split: sp, log: []any{"split", sp.ID}, stop: make(chan struct{}), ended: make(chan struct{})}
	s.live[sp.ID] = u
	number := len(s.live)
	s.running.Go(func() {
		defer close(u.ended)
		if err := u.run(ctx, number); err != nil && ctx.Err() == nil {
			s.job.cancel(err)
		}
		s.quiet(sp.ID)
	})
}

// gone stops the unit of a split and returns when its last commit is made.
func (s *unitSet) gone(sp connector.Split) {
	s.mu.Lock()
	u := s.live[sp.ID]
	delete(s.live, sp.ID)
	s.mu.Unlock()
	if u != nil {
		close(u.stop)
		<-u.ended
	}
}

// run keeps the unit's job running until its split goes or ends, or an error that
// is not another owner's doing.
func (u *unit) run(ctx context.Context, number int) error {
	for fenced := 0; ; {
		lost, err := u.once(ctx, number)
		if u.stopping() || ctx.Err() != nil {
			return err
		}
		switch {
		case lost:
			u.set.job.log.Warn("another process has taken the split over; what was not committed is left to it", append(u.log, "error", err)...)
		case errors.Is(err, connector.ErrFenced) && u.set.opts.Units != nil && fenced < maxFenced:
			// Its former owner woke late, and asked for what it no longer owns.
			fenced++
			u.set.job.log.Warn("the split goes on from its last commit", append(u.log, "error", err)...)
		default:
			return err
		}
		select {
		case <-time.After(reclaimAfter):
		case <-u.stop:
			return nil
		case <-u.set.done:
			return nil
		case <-ctx.Done():
			return nil
		}
	}
}

func (u *unit) stopping() bool {
	select {
	case <-u.stop:
	case <-u.set.done:
	default:
		return false
	}
	return true
}

// once claims the unit and runs its job. lost tells that the unit was claimed by
// another owner, which is what came of err.
func (u *unit) once(ctx context.Context, number int) (lost bool, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	o := u.set.opts
	o.Observe, o.Report, o.Units = nil, 0, nil
	o.unit = &unitOptions{set: u.set, split: u.split, number: number}
	var store state.ClaimedStore
	if u.set.opts.Units != nil {
		if store, err = u.set.opts.Units.Claim(ctx, u.split.ID); err != nil {
			return false, fmt.Errorf("split %s: %w", u.split.ID, err)
		}
		o.Store, o.unit.writer = store, store.Writer()
		o.unit.owned = func() bool { return !store.Superseded() }
	}
	// What a job makes of its start may wait long for a server: a split that goes
	// meanwhile has nothing to commit.
	starting := make(chan struct{})
	var waiting sync.WaitGroup
	waiting.Go(func() {
		select {
		case <-starting:
		case <-u.stop:
			cancel(errStopped)
		case <-u.set.done:
			cancel(errStopped)
		}
	})
	job, err := Start(ctx, u.set.plan, o)
	close(starting)
	waiting.Wait()
	superseded := func() bool {
		return store != nil && (errors.Is(err, state.ErrFenced) || store.Superseded())
	}
	if err != nil {
		if store != nil {
			store.Close()
		}
		if errors.Is(err, errStopped) {
			return false, nil
		}
		return superseded(), fmt.Errorf("split %s: %w", u.split.ID, err)
	}
	u.set.job.log.Info("split taken", append(u.log, "epoch", epochOf(job.Restored))...)
	u.mu.Lock()
	u.job = job
	u.mu.Unlock()
	select {
	case <-u.stop:
	case <-u.set.done:
	case <-job.Done():
	}
	if u.stopping() {
		job.Stop()
		if store != nil {
			abandon(job, store)
		}
	}
	err = job.Wait()
	u.mu.Lock()
	u.job = nil
	u.mu.Unlock()
	if err != nil {
		if errors.Is(err, errStopped) {
			return false, nil
		}
		if lost = superseded(); lost && u.stopping() {
			u.set.job.log.Warn("the split was another's already; what was not committed is left to it", append(u.log, "error", err)...)
			return true, nil
		}
		return lost, fmt.Errorf("split %s: %w", u.split.ID, err)
	}
	return false, nil
}

// abandon cancels a job that ends, once its unit is another owner's: it may wait
// for a server, and nothing it does counts.
func abandon(j *Job, store state.ClaimedStore) {
	t := time.NewTicker(500 * time.Millisecond)
	defer t.Stop()
	for {
		select {
		case <-j.Done():
			return
		case <-t.C:
			if store.Superseded() {
				j.Cancel()
				return
			}
		}
	}
}

func epochOf(c *state.Commit) int64 {
	if c == nil {
		return 0
	}
	return c.Epoch
}

// jobs are those of the units that run.
func (s *unitSet) jobs() []*Job {
	s.mu.Lock()
	defer s.mu.Unlock()
	var jobs []*Job
	for _, u := range s.live {
		u.mu.Lock()
		if u.job != nil {
			jobs = append(jobs, u.job)
		}
		u.mu.Unlock()
	}
	return jobs
}

// fits tells whether a plan could go on from the commits of all units that run here.
func (s *unitSet) fits(ctx context.Context, p *physical.Plan, allow bool) error {
	if p.Aligned == nil {
		return errors.New("the job keeps its state by split ('scan.split-key'), and the new version would not")
	}
	for _, j := range s.jobs() {
		if err := j.Fits(ctx, p, allow); err != nil {
			return fmt.Errorf("split %s: %w", j.unit.split.ID, err)
		}
	}
	return nil
}

// checkpoint takes a checkpoint of every unit that runs.
func (s *unitSet) checkpoint(ctx context.Context) error {
	jobs := s.jobs()
	errs := make([]error, len(jobs))
	var wg sync.WaitGroup
	for i, j := range jobs {
		wg.Go(func() {
			if errs[i] = j.Checkpoint(ctx); errors.Is(errs[i], errStopped) {
				errs[i] = nil // it has made its last one
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// unitOptions is what the job of a unit has more than others.
type unitOptions struct {
	set    *unitSet
	split  connector.Split
	writer string // see state.ClaimedStore
	owned  func() bool
	number int // of the units, 1 for the first
}

// metric returns the counters of an operator of the unit.
func (u *unitOptions) metric(name string, source, sink bool) *metrics.Op {
	s := u.set
	s.mu.Lock()
	defer s.mu.Unlock()
	ops := s.ops[u.split.ID]
	if ops == nil {
		ops = map[string]*metrics.Op{}
		s.ops[u.split.ID] = ops
	}
	m := ops[name]
	if m == nil {
		m = &metrics.Op{Name: name, Subtask: len(s.ops) - 1, Source: source, Sink: sink}
		for _, other := range ops {
			m.Subtask = other.Subtask
		}
		ops[name] = m
		s.job.Metrics.Add(m)
	}
	return m
}

// quiet clears what the counters of a split say of now.
func (s *unitSet) quiet(split string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.ops[split] {
		m.StateRows.Store(0)
		m.StateBytes.Store(0)
		m.HasWatermark.Store(false)
		for _, sp := range m.Splits() {
			m.RemoveSplit(sp.ID)
		}
	}
}

// sourceOps are the counters of all units' sources.
func (s *unitSet) sourceOps() []*metrics.Op {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []*metrics.Op
	for _, ops := range s.ops {
		if m := ops[s.plan.Aligned.Source.ID]; m != nil {
			out = append(out, m)
		}
	}
	return out
}

// committed tells the host of the job of a unit's commit.
func (s *unitSet) committed(epoch int64) {
	s.committing.Lock()
	defer s.committing.Unlock()
	if s.job.Committed != nil {
		s.job.Committed(epoch)
	}
}

// source is the job's source as the unit sees it: with one split.
func (u *unitOptions) source() any {
	base := unitSource{set: u.set, split: u.split}
	switch src := u.set.source.(type) {
	case connector.Source:
		return &unitRecords{base, src}
	case connector.ColumnSource:
		return &unitColumns{base, src}
	}
	return nil
}

type unitSource struct {
	set   *unitSet
	split connector.Split
}

// Splits lists the unit's split.
func (u *unitSource) Splits(context.Context) ([]connector.Split, error) {
	return []connector.Split{{ID: u.split.ID, Values: u.split.Values}}, nil
}

// Committed implements connector.Committer.
func (u *unitSource) Committed(ctx context.Context, positions map[string]connector.Position) error {
	if c, ok := u.set.source.(connector.Committer); ok {
		return c.Committed(ctx, positions)
	}
	return nil
}

// MayBlock tells whether reading may wait for long.
func (u *unitSource) MayBlock() bool {
	b, ok := u.set.source.(blocker)
	return ok && b.MayBlock()
}

type unitRecords struct {
	unitSource
	src connector.Source
}

// Open implements connector.Source.
func (u *unitRecords) Open(ctx context.Context, s connector.Split, at connector.Position) (connector.Reader, error) {
	return u.src.Open(ctx, s, at)
}

// Bounded implements connector.Source.
func (u *unitRecords) Bounded() bool { return u.src.Bounded() }

type unitColumns struct {
	unitSource
	src connector.ColumnSource
}

// OpenColumns implements connector.ColumnSource.
func (u *unitColumns) OpenColumns(ctx context.Context, s connector.Split, at connector.Position) (connector.ColumnReader, error) {
	return u.src.OpenColumns(ctx, s, at)
}

// Bounded implements connector.ColumnSource.
func (u *unitColumns) Bounded() bool { return u.src.Bounded() }

// splitCheck knows the split of every key seen in this process, for
// 'scan.split-key.verify'.
type splitCheck struct {
	table string
	mu    sync.Mutex
	seen  map[string]string
}

// verified checks rows on their way out of the source of a unit.
type verified struct {
	exec.Output
	check *splitCheck
	keys  []int
	split string
	key   []byte
}

// Emit implements exec.Output.
func (v *verified) Emit(b *vector.Batch) error {
	other := ""
	v.check.mu.Lock()
	b.Rows(func(i int) {
		v.key = v.key[:0]
		for _, k := range v.keys {
			v.key = vector.AppendKey(v.key, b.Cols[k], i)
		}
		split, ok := v.check.seen[string(v.key)]
		if !ok {
			v.check.seen[string(v.key)] = v.split
		} else if split != v.split {
			other = split
		}
	})
	v.check.mu.Unlock()
	if other != "" {
		return fmt.Errorf("table %s: rows with the same values of 'scan.split-key' are in the splits %s and %s: the producer chooses the split by something else, and results by key would be wrong", v.check.table, other, v.split)
	}
	return v.Output.Emit(b)
}
