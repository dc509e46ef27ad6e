package sqltest

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/internal/compile"
	"github.com/runnelio/runnel/internal/corpus"
	"github.com/runnelio/runnel/internal/runtime"
	"github.com/runnelio/runnel/internal/sql"
	"github.com/runnelio/runnel/internal/sql/ast"
	"github.com/runnelio/runnel/internal/state/mem"
	"github.com/runnelio/runnel/vector"
)

// txCollector is a Collector whose rows appear with the commit they are part of.
// It calls committed after each.
type txCollector struct {
	Collector
	pending   Collector
	seen      map[string]bool
	number    int
	committed func()
}

func (c *txCollector) Write(ctx context.Context, b *vector.Batch) error {
	c.pending.zone = c.zone
	return c.pending.Write(ctx, b)
}

func (c *txCollector) Prepare(context.Context, int64) ([]byte, error) {
	c.number++
	token, err := json.Marshal(map[string]any{"id": fmt.Sprint(c.number), "rows": c.pending.Rows})
	c.pending.Rows = nil
	return token, err
}

func (c *txCollector) Commit(_ context.Context, token []byte) error {
	var t struct {
		ID   string
		Rows [][]string
	}
	if err := json.Unmarshal(token, &t); err != nil {
		return err
	}
	if !c.seen[t.ID] {
		c.seen[t.ID] = true
		c.Rows = append(c.Rows, t.Rows...)
	}
	c.committed()
	return nil
}

func (c *txCollector) Abort(context.Context, []byte) error { return nil }

func (c *txCollector) Close(ctx context.Context) error {
	if ctx.Err() == nil {
		c.Rows = append(c.Rows, c.pending.Rows...)
	}
	c.pending.Rows = nil
	return nil
}

// maxLives is how often a job is killed; then it may end.
const maxLives = 12

// restarted runs a job that is killed after each of its commits and goes on from
// the last one, until it has ended. It returns the number of lives.
func restarted(ctx context.Context, j *compile.Job, c *txCollector) (int, error) {
	store, log := mem.New(), slog.New(slog.DiscardHandler)
	for life := 1; ; life++ {
		var job *runtime.Job
		started := make(chan struct{})
		left := 1 + life%3 // commits until it is killed
		c.committed = func() {
			<-started
			if left--; left <= 0 && life < maxLives {
				job.Cancel()
			}
		}
		if life > 1 {
			// Recommitting happens while the job starts: it must not wait for its own start.
			wait := c.committed
			c.committed = func() {
				select {
				case <-started:
					wait()
				default:
				}
			}
		}
		var err error
		job, err = runtime.Start(ctx, j.Plan, runtime.Options{
			Name: j.Name, Func: j.Func, Log: log, Store: store, Interval: time.Microsecond,
			Connector: &connector.Context{Log: log, Now: time.Now, Zone: j.Func.Zone},
		})
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
		if life > maxLives || err != nil && ctx.Err() == nil && !slices.Contains([]string{context.Canceled.Error()}, err.Error()) {
			return life, fmt.Errorf("life %d: %w", life, err)
		}
	}
}

// TestRestartAtBarriers runs every recorded query in jobs that are killed after
// their commits and go on from them: the final rows are those of the plain way.
func TestRestartAtBarriers(t *testing.T) {
	cases, err := Load(corpus.Oracle(t, "queries"))
	if err != nil {
		t.Fatal(err)
	}
	ran, lives, killed := 0, 0, 0
	for _, c := range cases {
		if c.FinalStable != nil && !*c.FinalStable || len(c.Sinks) > 0 {
			continue
		}
		for _, size := range []string{"1", "3"} {
			settings := exactly(size)
			base, baseErr := finalRows(t, c, settings)
			if baseErr != nil {
				continue // refused, or failing, whatever the world
			}
			got, n, err := restartedRows(t, c, settings)
			ran++
			lives += n
			if n > 1 {
				killed++
			}
			if err != nil {
				t.Errorf("%s, batch %s: %v", c.Name, size, err)
				continue
			}
			if !slices.Equal(got, base) {
				t.Errorf("%s, batch %s, %d lives:\n got %q\nwant %q", c.Name, size, n, got, base)
			}
		}
	}
	t.Logf("%d runs, %d of them killed, %d lives", ran, killed, lives)
	if killed < ran/20 {
		t.Error("too few jobs were killed: the test shows little")
	}
}

func restartedRows(t *testing.T, c *Case, settings map[string]string) ([]string, int, error) {
	vars, err := c.Files(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s, err := Session(settings)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	script := ""
	for k, v := range c.Config {
		script += fmt.Sprintf("SET '%s' = '%s';\n", k, v)
	}
	for _, d := range c.DDL {
		script += Expand(d, vars) + ";\n"
	}
	stmts, err := sql.Parse(script+Expand(c.Query, vars), sql.Options{})
	if err != nil {
		return nil, 0, err
	}
	var rows [][]string
	lives := 0
	for _, st := range stmts {
		col := &txCollector{seen: map[string]bool{}}
		col.zone = s.Func().Zone
		r, err := s.Execute(ctx, st, col)
		if err != nil {
			return nil, 0, err
		}
		if r.Job == nil {
			continue
		}
		n, err := restarted(ctx, r.Job, col)
		lives += n
		if err != nil {
			return nil, lives, err
		}
		if _, ok := st.(*ast.QueryStatement); ok {
			rows = col.Rows
		}
	}
	return Fold(canonical(rows)), lives, nil
}
