package sqltest

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/runnelio/runnel/connector"
	connectors "github.com/runnelio/runnel/connectors/all"
	formats "github.com/runnelio/runnel/format/all"
	"github.com/runnelio/runnel/internal/builtin"
	"github.com/runnelio/runnel/internal/compile"
	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/runtime"
	"github.com/runnelio/runnel/internal/sql"
	"github.com/runnelio/runnel/internal/sql/ast"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// Collector is a sink that keeps rows as text: the kind, then the columns.
type Collector struct {
	mu   sync.Mutex
	Rows [][]string
	zone *time.Location
}

// Write implements connector.Sink.
func (c *Collector) Write(_ context.Context, b *vector.Batch) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	zone := c.zone
	if zone == nil {
		zone = time.UTC
	}
	for k := range b.Live() {
		i := k
		if b.Sel != nil {
			i = int(b.Sel[k])
		}
		row := []string{b.Kind(i).String()}
		for n, v := range b.Cols {
			if v.IsNull(i) {
				row = append(row, "<NULL>")
			} else {
				row = append(row, string(types.AppendValue(nil, vector.Get(v, i), b.Schema.Fields[n].Type, zone)))
			}
		}
		c.Rows = append(c.Rows, row)
	}
	return nil
}

// Close implements connector.Sink.
func (c *Collector) Close(context.Context) error { return nil }

// Session returns a session with everything the binary has.
func Session(settings map[string]string) (*compile.Session, error) {
	return compile.New(compile.Options{Connectors: connectors.Connectors(), Formats: formats.Formats(), Functions: builtin.All(), Rsqldb: builtin.Rsqldb(), Settings: settings})
}

// Output is what a script gave.
type Output struct {
	Schema  *types.Schema
	Changes [][]string
}

// Run executes a script and runs its jobs to their end, one after the other.
// The changes are those of the last query.
func Run(ctx context.Context, s *compile.Session, script string) (*Output, error) {
	stmts, err := sql.Parse(script, sql.Options{})
	if err != nil {
		return nil, err
	}
	out := &Output{}
	for _, st := range stmts {
		c := &Collector{zone: s.Func().Zone}
		r, err := s.Execute(ctx, st, c)
		if err != nil {
			return nil, diag.WithSource(err, script)
		}
		if r.Job == nil {
			continue
		}
		if err := RunJob(ctx, r.Job); err != nil {
			return nil, err
		}
		if _, ok := st.(*ast.QueryStatement); ok {
			out.Schema, out.Changes = r.Job.Schema, c.Rows
		}
	}
	return out, nil
}

// RunJob runs a job to its end.
func RunJob(ctx context.Context, j *compile.Job) error {
	log := slog.New(slog.DiscardHandler)
	job, err := runtime.Start(ctx, j.Plan, runtime.Options{
		Name: j.Name, Func: j.Func, Log: log,
		Connector: &connector.Context{Log: log, Now: time.Now, Zone: j.Func.Zone},
	})
	if err != nil {
		return err
	}
	return job.Wait()
}

// explain returns the text of an EXPLAIN statement.
func explain(ctx context.Context, s *compile.Session, script string) (string, error) {
	stmts, err := sql.Parse(script, sql.Options{})
	if err != nil {
		return "", err
	}
	text := ""
	for _, st := range stmts {
		r, err := s.Execute(ctx, st, nil)
		if err != nil {
			return "", diag.WithSource(err, script)
		}
		for _, row := range r.Rows {
			text += fmt.Sprint(row[0])
		}
	}
	return text, nil
}
