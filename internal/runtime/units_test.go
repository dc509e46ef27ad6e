package runtime_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/format"
	formats "github.com/runnelio/runnel/format/all"
	"github.com/runnelio/runnel/internal/engine"
	"github.com/runnelio/runnel/internal/runtime"
	"github.com/runnelio/runnel/internal/sql"
	"github.com/runnelio/runnel/vector"
)

// world is a queue with members and a place for results, in memory: what two
// processes would see of a broker.
type world struct {
	t *testing.T

	mu      sync.Mutex
	r       *rand.Rand
	parts   [][]string
	grown   chan struct{}
	results map[string][]string // by unit and epoch, as published
}

func (w *world) random(n int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.r.IntN(n)
}

func (w *world) add(part int, records ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.parts[part] = append(w.parts[part], records...)
	close(w.grown)
	w.grown = make(chan struct{})
}

// published are all results.
func (w *world) published() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []string
	for _, rows := range w.results {
		out = append(out, rows...)
	}
	slices.Sort(out)
	return out
}

// move is a change of what a member reads.
type move struct {
	split string
	add   bool
	done  chan struct{}
}

// member is one process's view.
type member struct {
	w     *world
	moves chan move
}

func (m *member) Splits(context.Context) ([]connector.Split, error) { return nil, nil }
func (m *member) Partakes() bool                                    { return true }
func (m *member) Bounded() bool                                     { return false }

func (m *member) Watch(ctx context.Context, found, gone func(connector.Split)) error {
	for {
		select {
		case x := <-m.moves:
			if x.add {
				found(connector.Split{ID: x.split})
			} else {
				gone(connector.Split{ID: x.split})
			}
			close(x.done)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (m *member) Open(_ context.Context, s connector.Split, at connector.Position) (connector.Reader, error) {
	part, err := strconv.Atoi(strings.TrimPrefix(s.ID, "q/"))
	if err != nil {
		return nil, err
	}
	r := &partReader{w: m.w, part: part}
	if at != "" {
		r.next, err = strconv.Atoi(at)
	}
	return r, err
}

type partReader struct {
	w          *world
	part, next int
}

func (r *partReader) Close() error { return nil }

func (r *partReader) Read(ctx context.Context, into *format.Records) error {
	into.Reset()
	into.Split = fmt.Sprint("q/", r.part)
	for {
		r.w.mu.Lock()
		recs, grown, most := r.w.parts[r.part], r.w.grown, 1+r.w.r.IntN(60)
		r.w.mu.Unlock()
		if r.next < len(recs) {
			first := r.next
			for _, rec := range recs[r.next:min(len(recs), r.next+most)] {
				into.Val = append(into.Val, format.Span{Off: int32(len(into.Buf)), Len: int32(len(rec))})
				into.Key = append(into.Key, format.Span{Len: -1})
				into.Buf = append(into.Buf, rec...)
				r.next++
			}
			into.PosAt = func(dst []byte, i int) []byte { return fmt.Appendf(dst, "%09d", first+i+1) }
			return nil
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return nil
		}
	}
}

// outbox is a sink that publishes the rows of an epoch once it is committed, under
// the unit's name and the epoch.
type outbox struct {
	w      *world
	writer string
	rows   []string
}

type box struct {
	ID   string
	Rows []string
}

func (o *outbox) Write(_ context.Context, b *vector.Batch) error {
	b.Rows(func(i int) {
		var cells []string
		for _, c := range b.Cols {
			cells = append(cells, fmt.Sprint(vector.Get(c, i)))
		}
		o.rows = append(o.rows, strings.Join(cells, " "))
	})
	return nil
}

func (o *outbox) wait(ctx context.Context) {
	if n := o.w.random(40); n > 0 { // most are quick, some are not
		select {
		case <-time.After(time.Duration(max(0, n-30)) * 5 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

func (o *outbox) Prepare(ctx context.Context, epoch int64) ([]byte, error) {
	o.wait(ctx)
	if len(o.rows) == 0 {
		return nil, nil
	}
	if o.writer == "" {
		return nil, errors.New("the unit has no name")
	}
	token, err := json.Marshal(box{fmt.Sprintf("%s.%d", o.writer, epoch), o.rows})
	o.rows = nil
	return token, err
}

func (o *outbox) Commit(ctx context.Context, token []byte) error {
	o.wait(ctx)
	if len(token) == 0 {
		return nil
	}
	var b box
	if err := json.Unmarshal(token, &b); err != nil {
		return err
	}
	o.w.mu.Lock()
	defer o.w.mu.Unlock()
	if old, ok := o.w.results[b.ID]; ok && !slices.Equal(old, b.Rows) {
		o.w.t.Errorf("epoch %s was published twice, and not the same", b.ID)
	}
	o.w.results[b.ID] = b.Rows
	return nil
}

func (o *outbox) Abort(context.Context, []byte) error { return nil }
func (o *outbox) Close(context.Context) error         { return nil }

type noOptions struct{}

// process starts a job of its own on the world, in a state directory.
func (w *world) process(dir, script string) (*runtime.Job, *member, error) {
	m := &member{w: w, moves: make(chan move)}
	e, err := engine.New(engine.Options{StateDir: dir, Formats: formats.Formats(), Retain: 1, Connectors: connector.Set{
		connector.Define("queue", "", connector.Spec[noOptions]{NeedsFormat: true,
			Source: func(*connector.Context, *connector.Table, *noOptions) (any, error) { return m, nil }}),
		connector.Define("results", "", connector.Spec[noOptions]{
			Sink: func(_ *connector.Context, t *connector.Table, _ *noOptions) (connector.Sink, error) {
				return &outbox{w: w, writer: t.Writer}, nil
			}}),
	}})
	if err != nil {
		return nil, nil, err
	}
	s, err := e.Session()
	if err != nil {
		return nil, nil, err
	}
	stmts, err := sql.Parse(script, sql.Options{})
	if err != nil {
		return nil, nil, err
	}
	for _, st := range stmts {
		r, err := s.Execute(context.Background(), st, nil)
		if err != nil {
			return nil, nil, err
		}
		if r.Job != nil {
			j, err := e.Start(context.Background(), r.Job)
			return j, m, err
		}
	}
	return nil, nil, errors.New("no job")
}

const unitTables = `
SET 'execution.checkpointing.interval' = '25 ms';
SET 'pipeline.name' = 'units';
CREATE TABLE s (k STRING, v BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '0.2' SECOND) WITH ('connector' = 'queue', 'format' = 'json', 'scan.split-key' = 'k', 'scan.split-key.verify' = 'true');
CREATE TABLE o (k STRING, w STRING, n BIGINT, total BIGINT) WITH ('connector' = 'results');
INSERT INTO o `

const parts = 5

// TestUnitsMove has two jobs share the splits of a queue that move at random, in
// order or not, while jobs are cancelled and started again and sinks are slow at
// times: the results are those of the records, each once.
func TestUnitsMove(t *testing.T) {
	for name, c := range map[string]struct {
		query string
		// result is what of a key's rows must come out, in the order of time.
		results func(key string, rows []unitRow) []string
	}{
		"windows": {`SELECT k, CAST(window_start AS STRING), COUNT(*), SUM(v) FROM TABLE(TUMBLE(TABLE s, DESCRIPTOR(ts), INTERVAL '1' SECOND)) GROUP BY k, window_start, window_end`,
			func(key string, rows []unitRow) (out []string) {
				type sum struct{ n, total int }
				sums := map[time.Time]sum{}
				for _, r := range rows {
					at := r.at.Truncate(time.Second)
					sums[at] = sum{sums[at].n + 1, sums[at].total + r.v}
				}
				for at, s := range sums {
					out = append(out, fmt.Sprintf("%s %s %d %d", key, at.Format("2006-01-02 15:04:05.000"), s.n, s.total))
				}
				return out
			}},
		"running totals": {`SELECT k, CAST(ts AS STRING), COUNT(*) OVER w, SUM(v) OVER w FROM s WINDOW w AS (PARTITION BY k ORDER BY ts)`,
			func(key string, rows []unitRow) (out []string) {
				total := 0
				for i, r := range rows {
					total += r.v
					out = append(out, fmt.Sprintf("%s %s %d %d", key, r.at.Format("2006-01-02 15:04:05.000"), i+1, total))
				}
				return out
			}},
	} {
		t.Run(name, func(t *testing.T) { unitsMove(t, unitTables+c.query, c.results) })
	}
}

type unitRow struct {
	at time.Time
	v  int
}

func unitsMove(t *testing.T, script string, results func(key string, rows []unitRow) []string) {
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("SEED"); s != "" {
		seed, _ = strconv.ParseUint(s, 10, 64)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("repeat with SEED=%d", seed)
		}
	})
	r := rand.New(rand.NewPCG(seed, 0))
	w := &world{t: t, r: rand.New(rand.NewPCG(seed, 1)), parts: make([][]string, parts), grown: make(chan struct{}), results: map[string][]string{}}
	dir := t.TempDir()
	var jobs [2]*runtime.Job
	var members [2]*member
	start := func(i int) {
		var err error
		if jobs[i], members[i], err = w.process(dir, script); err != nil {
			t.Fatal(err)
		}
	}
	start(0)
	start(1)
	tell := func(i int, split string, add bool) {
		x := move{split, add, make(chan struct{})}
		select {
		case members[i].moves <- x:
		case <-jobs[i].Done():
			t.Fatalf("a job has ended: %v", jobs[i].Err())
		}
		select {
		case <-x.done:
		case <-jobs[i].Done():
			t.Fatalf("a job has ended: %v", jobs[i].Err())
		case <-time.After(20 * time.Second):
			t.Fatal("a split is not given up")
		}
	}
	owner := make([]int, parts) // -1: nobody
	for p := range owner {
		owner[p] = p % 2
		tell(owner[p], fmt.Sprint("q/", p), true)
	}
	base := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	rows := map[string][]unitRow{}
	n := 0
	feed := func(count int) {
		for range count {
			at, v := base.Add(time.Duration(n)*5*time.Millisecond), r.IntN(1000)
			number := r.IntN(40)
			key := fmt.Sprint("key", number)
			rows[key] = append(rows[key], unitRow{at, v})
			w.add(number%parts, fmt.Sprintf(`{"k":"%s","v":%d,"ts":"%s"}`, key, v, at.Format("2006-01-02 15:04:05.000")))
			n++
		}
	}
	steals, kills := 0, 0
	rounds := 120
	if testing.Short() {
		rounds = 30
	}
	for range rounds {
		feed(30)
		time.Sleep(time.Duration(r.IntN(25)) * time.Millisecond)
		p := r.IntN(parts)
		split := fmt.Sprint("q/", p)
		from, to := owner[p], r.IntN(2)
		switch k := r.IntN(10); {
		case from < 0:
			tell(to, split, true)
			owner[p] = to
		case k == 0: // a process dies, with all it has
			jobs[from].Cancel()
			_ = jobs[from].Wait()
			for q := range owner {
				if owner[q] == from {
					owner[q] = -1
				}
			}
			start(from)
			kills++
		case k < 4 && to != from: // taken over before the owner knows
			tell(to, split, true)
			time.Sleep(time.Duration(r.IntN(60)) * time.Millisecond)
			tell(from, split, false)
			owner[p] = to
			steals++
		case k < 8:
			tell(from, split, false)
			owner[p] = -1
			if r.IntN(3) > 0 {
				tell(to, split, true)
				owner[p] = to
			}
		}
	}
	for p := range owner {
		if owner[p] < 0 {
			owner[p] = p % 2
			tell(owner[p], fmt.Sprint("q/", p), true)
		}
		at := base.Add(time.Duration(n)*5*time.Millisecond + time.Hour)
		key := fmt.Sprint("end", p)
		w.add(p, fmt.Sprintf(`{"k":"%s","v":0,"ts":"%s"}`, key, at.Format("2006-01-02 15:04:05.000")))
	}
	var want []string
	for _, key := range slices.Sorted(maps.Keys(rows)) {
		want = append(want, results(key, rows[key])...)
	}
	slices.Sort(want)
	got := func() []string {
		return slices.DeleteFunc(w.published(), func(s string) bool { return strings.HasPrefix(s, "end") })
	}
	for end := time.Now().Add(30 * time.Second); len(got()) < len(want) && time.Now().Before(end); {
		time.Sleep(50 * time.Millisecond)
		for i := range jobs {
			select {
			case <-jobs[i].Done():
				t.Fatalf("a job has ended: %v", jobs[i].Err())
			default:
			}
		}
	}
	for i := range jobs {
		jobs[i].Stop()
		if err := jobs[i].Wait(); err != nil {
			t.Errorf("job %d: %v", i, err)
		}
	}
	if g := got(); !slices.Equal(g, want) {
		for i := range max(len(g), len(want)) {
			if i >= len(g) || i >= len(want) || g[i] != want[i] {
				t.Fatalf("%d results, want %d; first difference at %d: %v, want %v", len(g), len(want), i, g[min(i, len(g)):min(i+1, len(g))], want[min(i, len(want)):min(i+1, len(want))])
			}
		}
	}
	t.Logf("%d records, %d results, %d jobs died, %d splits were taken over from an owner that did not know", n, len(want), kills, steals)
}

// TestSplitKeyVerify: a producer that breaks its word is found out.
func TestSplitKeyVerify(t *testing.T) {
	w := &world{t: t, r: rand.New(rand.NewPCG(1, 1)), parts: make([][]string, parts), grown: make(chan struct{}), results: map[string][]string{}}
	j, m, err := w.process(t.TempDir(), unitTables+"SELECT k, 'x', COUNT(*), 0 FROM TABLE(TUMBLE(TABLE s, DESCRIPTOR(ts), INTERVAL '1' SECOND)) GROUP BY k, window_start, window_end")
	if err != nil {
		t.Fatal(err)
	}
	for p := range 2 {
		w.add(p, `{"k":"secret","v":1,"ts":"2024-01-01 00:00:00.000"}`)
		m.moves <- move{fmt.Sprint("q/", p), true, make(chan struct{})}
	}
	select {
	case <-j.Done():
	case <-time.After(20 * time.Second):
		t.Fatal("it goes on")
	}
	if err := j.Err(); err == nil || !strings.Contains(err.Error(), "q/0") || !strings.Contains(err.Error(), "q/1") || strings.Contains(err.Error(), "secret") {
		t.Errorf("it ended with %v", err)
	}
}
