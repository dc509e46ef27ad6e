package difftest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/format"
	formats "github.com/runnelio/runnel/format/all"
	"github.com/runnelio/runnel/internal/builtin"
	"github.com/runnelio/runnel/internal/compile"
	"github.com/runnelio/runnel/internal/runtime"
	"github.com/runnelio/runnel/internal/sql"
	"github.com/runnelio/runnel/internal/sql/ast"
	"github.com/runnelio/runnel/internal/state/mem"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// world is a way to run a query.
type world struct {
	batch    int
	parallel []int // one for each life of the job, the last for all further ones
	off      string
	restarts bool
}

func (w world) String() string {
	s := fmt.Sprintf("batch %d, parallelism %v", w.batch, w.parallel)
	if w.restarts {
		s += ", restarted"
	}
	if w.off != "" {
		s += ", without " + w.off
	}
	return s
}

// settings are those of the world's n-th life.
func (w world) settings(life int) map[string]string {
	return map[string]string{
		"pipeline.auto-watermark-interval": "0 ms",
		"runnel.batch-size":                strconv.Itoa(w.batch),
		"parallelism.default":              strconv.Itoa(w.parallel[min(life, len(w.parallel)-1)]),
		"runnel.optimizer.disable":         w.off,
	}
}

// records is a connector of lines that are values of the test.
func records(lines map[string][]string) *connector.Connector {
	type options struct {
		Name string `opt:"name,required" doc:"Which lines."`
	}
	return connector.Define("lines", "Lines that are values of the test.", connector.Spec[options]{
		NeedsFormat: true,
		Source: func(_ *connector.Context, _ *connector.Table, o *options) (any, error) {
			return &source{lines[o.Name]}, nil
		},
	})
}

type source struct{ lines []string }

// Splits implements connector.Source.
func (s *source) Splits(context.Context) ([]connector.Split, error) {
	return []connector.Split{{ID: "0"}}, nil
}

// Bounded implements connector.Source.
func (s *source) Bounded() bool { return true }

// Open implements connector.Source. A position is a number of lines.
func (s *source) Open(_ context.Context, _ connector.Split, at connector.Position) (connector.Reader, error) {
	r := &reader{lines: s.lines}
	if at != "" {
		n, err := strconv.Atoi(at)
		if err != nil {
			return nil, err
		}
		r.next = n
	}
	return r, nil
}

type reader struct {
	lines []string
	next  int
}

// portion is how many lines a read gives: jobs get time for a checkpoint between.
const portion = 4

// Read implements connector.Reader.
func (r *reader) Read(_ context.Context, into *format.Records) error {
	into.Reset()
	into.Split = "0"
	for range portion {
		if r.next == len(r.lines) {
			break
		}
		into.Val = append(into.Val, format.Span{Off: int32(len(into.Buf)), Len: int32(len(r.lines[r.next]))})
		into.Key = append(into.Key, format.Span{})
		into.Buf = append(into.Buf, r.lines[r.next]...)
		r.next++
		into.Pos = append(into.Pos, fmt.Sprintf("%08d", r.next))
	}
	into.Buf = slices.Grow(into.Buf, 64)
	if r.next == len(r.lines) {
		return io.EOF
	}
	return nil
}

// Close implements connector.Reader.
func (r *reader) Close() error { return nil }

// collector keeps rows as text, the kind first. In jobs with commits rows
// appear with the commit they are part of.
type collector struct {
	mu        sync.Mutex
	tx        bool
	rows      [][]string
	pending   [][]string
	seen      map[string]bool
	number    int
	committed func()
}

// Write implements connector.Sink.
func (c *collector) Write(_ context.Context, b *vector.Batch) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	b.Rows(func(i int) {
		row := []string{b.Kind(i).String()}
		for n, v := range b.Cols {
			if v.IsNull(i) {
				row = append(row, "<NULL>")
			} else {
				row = append(row, string(types.AppendValue(nil, vector.Get(v, i), b.Schema.Fields[n].Type, time.UTC)))
			}
		}
		c.pending = append(c.pending, row)
	})
	return nil
}

// txCollector is a collector whose rows appear by two-phase commit.
type txCollector struct{ *collector }

// Prepare implements connector.Tx.
func (c txCollector) Prepare(context.Context, int64) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.number++
	token, err := json.Marshal(token{strconv.Itoa(c.number), c.pending})
	c.pending = nil
	return token, err
}

type token struct {
	ID   string
	Rows [][]string
}

// Commit implements connector.Tx.
func (c txCollector) Commit(_ context.Context, raw []byte) error {
	var t token
	if err := json.Unmarshal(raw, &t); err != nil {
		return err
	}
	c.mu.Lock()
	if !c.seen[t.ID] {
		c.seen[t.ID] = true
		c.rows = append(c.rows, t.Rows...)
	}
	c.mu.Unlock()
	c.committed()
	return nil
}

// Abort implements connector.Tx.
func (c txCollector) Abort(context.Context, []byte) error { return nil }

// Close implements connector.Sink.
func (c *collector) Close(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if ctx.Err() == nil {
		c.rows = append(c.rows, c.pending...)
	}
	c.pending = nil
	return nil
}

// errRefused is in errors of queries that are refused before they run.
var errRefused = errors.New("refused")

var (
	quiet     = slog.New(slog.DiscardHandler)
	functions = builtin.All()
)

// session is a session that knows the tables.
func session(ctx context.Context, tables []*table, settings map[string]string) (*compile.Session, error) {
	lines := map[string][]string{}
	for _, t := range tables {
		lines[t.name] = t.lines()
	}
	s, err := compile.New(compile.Options{Connectors: []*connector.Connector{records(lines)}, Formats: formats.Formats(), Functions: functions, Settings: settings})
	if err != nil {
		return nil, err
	}
	for _, t := range tables {
		stmts, err := sql.Parse(t.ddl(fmt.Sprintf("'connector' = 'lines', 'name' = '%s'", t.name)), sql.Options{})
		if err != nil {
			return nil, err
		}
		if _, err := s.Execute(ctx, stmts[0], nil); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// run gives the changelog of a query in a world, and how often the job was killed.
func run(ctx context.Context, tables []*table, text string, w world) (rows [][]string, kills int, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	c := &collector{seen: map[string]bool{}, committed: func() {}}
	var sink any = c
	if w.restarts {
		sink = txCollector{c}
	}
	compiled := func(life int) (*compile.Job, error) {
		s, err := session(ctx, tables, w.settings(life))
		if err != nil {
			return nil, err
		}
		stmts, err := sql.Parse(text, sql.Options{})
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errRefused, err)
		}
		r, err := s.Execute(ctx, stmts[0].(ast.Statement), sink.(connector.Sink))
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errRefused, err)
		}
		return r.Job, nil
	}
	if w.restarts {
		kills, err = restarted(ctx, compiled, c, len(w.parallel))
		return c.rows, kills, err
	}
	j, err := compiled(0)
	if err != nil {
		return nil, 0, err
	}
	job, err := runtime.Start(ctx, j.Plan, options(j))
	if err != nil {
		return nil, 0, err
	}
	err = job.Wait()
	return c.rows, 0, err
}

func options(j *compile.Job) runtime.Options {
	return runtime.Options{Name: j.Name, Func: j.Func, Log: quiet, Connector: &connector.Context{Log: quiet, Now: time.Now, Zone: j.Func.Zone}}
}

// mostLives is how often a job is killed; then it may end.
const mostLives = 5

// restarted runs a job that is killed after commits and goes on from the last
// one, in a new life with the next parallelism, until it has ended.
func restarted(ctx context.Context, compiled func(life int) (*compile.Job, error), c *collector, plans int) (int, error) {
	store := mem.New()
	jobs := make([]*compile.Job, plans)
	for life := 0; ; life++ {
		at := min(life, plans-1)
		if jobs[at] == nil {
			var err error
			if jobs[at], err = compiled(at); err != nil {
				return life, err
			}
		}
		var job *runtime.Job
		started := make(chan struct{})
		left := 1 + life%2 // commits until it is killed
		c.committed = func() {
			select {
			case <-started:
			default:
				return // recommitting while it starts
			}
			if left--; left <= 0 && life < mostLives {
				job.Cancel()
			}
		}
		o := options(jobs[at])
		o.Store, o.Interval = store, time.Microsecond
		job, err := runtime.Start(ctx, jobs[at].Plan, o)
		if err != nil {
			return life, err
		}
		close(started)
		err = job.Wait()
		store.Abandon()
		last, lerr := store.Last(ctx)
		if lerr != nil {
			return life, lerr
		}
		if last != nil && last.Meta["ended"] == "true" {
			return life, nil
		}
		if life > mostLives || err != nil && (ctx.Err() != nil || err.Error() != context.Canceled.Error()) {
			return life, fmt.Errorf("life %d: %w", life, err)
		}
	}
}

// fold applies a changelog. It tells of a row that is taken back and not there,
// if strict.
func fold(changes [][]string, strict bool) (rows []string, err error) {
	count := map[string]int{}
	for i, r := range changes {
		row := strings.Join(r[1:], " | ")
		if r[0] == "+I" || r[0] == "+U" {
			count[row]++
			continue
		}
		if count[row]--; count[row] < 0 && strict {
			return nil, fmt.Errorf("change %d takes back a row that is not there: %s", i, strings.Join(r, " "))
		}
	}
	for row, n := range count {
		if n < 0 {
			return nil, fmt.Errorf("a row is taken back that never came: %s", row)
		}
		for range n {
			rows = append(rows, row)
		}
	}
	slices.Sort(rows)
	return rows, nil
}
