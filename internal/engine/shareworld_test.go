package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/format"
	formats "github.com/runnelio/runnel/format/all"
	"github.com/runnelio/runnel/internal/compile"
	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/runtime"
	"github.com/runnelio/runnel/internal/sql/ast"
	"github.com/runnelio/runnel/vector"
)

// world is what jobs of these tests read and write: topics of lines that grow, and
// boxes of rows that show what was committed.
type world struct {
	mu      sync.Mutex
	changed chan struct{}
	topics  map[string]*topic
	boxes   map[string]*box
	now     func() time.Time
}

// topic is lines by split.
type topic struct {
	splits [][]string
	closed bool
	read   int64 // bytes that were read of it, by all readers
	opened int   // readers that are open
	fail   error // what the next read ends with
}

// box is the rows a job has written.
type box struct {
	rows     []string
	prepared map[string][]string
	shut     bool // writing waits
	tokens   int
	waiting  int // writers that do
}

func newWorld() *world {
	return &world{changed: make(chan struct{}), topics: map[string]*topic{}, boxes: map[string]*box{}}
}

func (w *world) change(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
	close(w.changed)
	w.changed = make(chan struct{})
}

// until waits until ok holds; it is asked whenever something has changed.
func (w *world) until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	limit := time.NewTimer(time.Minute)
	defer limit.Stop()
	for {
		w.mu.Lock()
		done, changed := ok(), w.changed
		w.mu.Unlock()
		if done {
			return
		}
		select {
		case <-changed:
		case <-limit.C:
			t.Fatalf("waited too long for %s", what)
		}
	}
}

func (w *world) box(name string) *box {
	b := w.boxes[name]
	if b == nil {
		b = &box{prepared: map[string][]string{}}
		w.boxes[name] = b
	}
	return b
}

// feed appends lines to a split of a topic.
func (w *world) feed(name string, split int, lines ...string) {
	w.change(func() {
		t := w.topics[name]
		t.splits[split] = append(t.splits[split], lines...)
	})
}

// bytesRead is how much of a topic was read.
func (w *world) bytesRead(name string) int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.topics[name].read
}

func (w *world) finish(name string) { w.change(func() { w.topics[name].closed = true }) }

type logOptions struct {
	Topic string `opt:"topic,required"`
	Chunk int    `opt:"chunk" default:"7"`
	Group string `opt:"group"`
	Fail  bool   `opt:"fail" default:"false"`
}

type boxOptions struct {
	Name string `opt:"name,required"`
}

func (w *world) connectors() connector.Set {
	return connector.Set{
		connector.Define("log", "Lines that grow.", connector.Spec[logOptions]{NeedsFormat: true,
			Source: func(_ *connector.Context, _ *connector.Table, o *logOptions) (any, error) {
				return &logSource{w, o}, nil
			}}),
		connector.Define("box", "Rows that show what was committed.", connector.Spec[boxOptions]{
			Sink: func(_ *connector.Context, t *connector.Table, o *boxOptions) (connector.Sink, error) {
				return &boxSink{w: w, name: o.Name}, nil
			}}),
	}
}

type logSource struct {
	w *world
	o *logOptions
}

func (s *logSource) Splits(context.Context) ([]connector.Split, error) {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	var out []connector.Split
	for i := range s.w.topics[s.o.Topic].splits {
		out = append(out, connector.Split{ID: strconv.Itoa(i)})
	}
	return out, nil
}

func (s *logSource) Bounded() bool { return false }

// Data implements connector.Sharer: neither the group nor how much is read at a
// time matters.
func (s *logSource) Data() string { return s.o.Topic }

// Start implements connector.Sharer.
func (s *logSource) Start() string { return "" }

func (s *logSource) Open(_ context.Context, sp connector.Split, at string) (connector.Reader, error) {
	r := &logReader{s: s}
	var err error
	if r.split, err = strconv.Atoi(sp.ID); err != nil {
		return nil, err
	}
	if at != "" {
		if r.next, err = strconv.Atoi(at); err != nil {
			return nil, err
		}
	}
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	s.w.topics[s.o.Topic].opened++
	return r, nil
}

type logReader struct {
	s           *logSource
	split, next int
	closed      bool
}

func (r *logReader) Read(ctx context.Context, into *format.Records) error {
	into.Reset()
	if r.closed {
		return errors.New("read after close")
	}
	for {
		r.s.w.mu.Lock()
		t := r.s.w.topics[r.s.o.Topic]
		lines, closed, changed := t.splits[r.split], t.closed, r.s.w.changed
		if r.s.o.Fail && t.fail != nil {
			r.s.w.mu.Unlock()
			return t.fail
		}
		if r.next < len(lines) {
			n := min(r.s.o.Chunk, len(lines)-r.next)
			for _, l := range lines[r.next : r.next+n] {
				r.next++
				into.Val = append(into.Val, format.Span{Off: int32(len(into.Buf)), Len: int32(len(l))})
				into.Buf = append(into.Buf, l...)
				into.Pos = append(into.Pos, fmt.Sprintf("%09d", r.next))
				into.Bytes += int64(len(l))
			}
			t.read += into.Bytes
			r.s.w.mu.Unlock()
			if closed && r.next == len(lines) {
				return io.EOF
			}
			return nil
		}
		r.s.w.mu.Unlock()
		if closed {
			return io.EOF
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil
		}
	}
}

func (r *logReader) Close() error {
	if !r.closed {
		r.closed = true
		r.s.w.change(func() { r.s.w.topics[r.s.o.Topic].opened-- })
	}
	return nil
}

type boxSink struct {
	w    *world
	name string
	rows []string
}

func (s *boxSink) Write(ctx context.Context, b *vector.Batch) error {
	for {
		s.w.mu.Lock()
		shut, changed := s.w.box(s.name).shut, s.w.changed
		s.w.mu.Unlock()
		if !shut {
			break
		}
		s.w.change(func() { s.w.box(s.name).waiting++ })
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	b.Rows(func(i int) { s.rows = append(s.rows, strings.Clone(fmt.Sprint(b.Row(i)...))) })
	return nil
}

func (s *boxSink) Prepare(context.Context, int64) ([]byte, error) {
	var token string
	s.w.change(func() {
		b := s.w.box(s.name)
		b.tokens++
		token = strconv.Itoa(b.tokens)
		b.prepared[token] = s.rows
	})
	s.rows = nil
	return []byte(token), nil
}

func (s *boxSink) Commit(_ context.Context, token []byte) error {
	s.w.change(func() {
		b := s.w.box(s.name)
		b.rows = append(b.rows, b.prepared[string(token)]...)
		delete(b.prepared, string(token))
	})
	return nil
}

func (s *boxSink) Abort(_ context.Context, token []byte) error {
	s.w.change(func() { delete(s.w.box(s.name).prepared, string(token)) })
	return nil
}

func (s *boxSink) Close(ctx context.Context) error {
	if ctx.Err() == nil {
		s.w.change(func() { b := s.w.box(s.name); b.rows = append(b.rows, s.rows...) })
	}
	return nil
}

// engine returns an engine whose jobs take a checkpoint every 10 ms.
func (w *world) engine(t *testing.T, dir string, settings map[string]string) *Engine {
	t.Helper()
	all := map[string]string{"execution.checkpointing.interval": "10 ms", "runnel.batch-size": "4"}
	maps.Copy(all, settings)
	o := Options{Connectors: w.connectors(), Formats: formats.Formats(), StateDir: dir, Settings: all}
	e, err := New(o)
	if err != nil {
		t.Fatal(diag.Render(err))
	}
	return e
}

// start runs the INSERT of a script as a job of that name.
func start(t *testing.T, e *Engine, name, script string) *runtime.Job {
	t.Helper()
	s, err := e.Session()
	if err != nil {
		t.Fatal(err)
	}
	var run *runtime.Job
	err = Script(context.Background(), s, script, name, Steps{
		Statement: func(ast.Statement, *compile.Result) error { return nil },
		Insert: func(j *compile.Job, _ bool) error {
			run, err = e.Start(context.Background(), j)
			return err
		},
	})
	if err != nil {
		t.Fatal(diag.Render(err))
	}
	return run
}

// query is a job of these tests: its columns of the topic and the rest of its SELECT.
type query struct{ columns, options, sel string }

// script is the statements of a query that writes to a box.
func (q query) script(topic, box string) string {
	sink := "c0 STRING"
	for i := 1; i < strings.Count(q.sel[:strings.Index(q.sel, " FROM")], ",")+1; i++ {
		sink += fmt.Sprintf(", c%d STRING", i)
	}
	return fmt.Sprintf(`CREATE TABLE t (%s) WITH ('connector'='log','topic'='%s','format'='json'%s);
CREATE TABLE o (%s) WITH ('connector'='box','name'='%s');
INSERT INTO o %s;`, q.columns, topic, q.options, sink, box, q.sel)
}

// alone is what a query gives of lines when nobody shares.
func (q query) alone(t *testing.T, splits [][]string) []string {
	t.Helper()
	w := newWorld()
	w.topics["t"] = &topic{splits: splits, closed: true}
	e := w.engine(t, t.TempDir(), map[string]string{"scan.share": "false"})
	if err := start(t, e, "alone", q.script("t", "alone")).Wait(); err != nil {
		t.Fatal(err)
	}
	return slices.Sorted(slices.Values(w.box("alone").rows))
}

func sameRows(t *testing.T, name string, got, want []string) {
	t.Helper()
	got = slices.Sorted(slices.Values(got))
	if slices.Equal(got, want) {
		return
	}
	counts := map[string]int{}
	for _, r := range want {
		counts[r]++
	}
	for _, r := range got {
		counts[r]--
	}
	var diff []string
	for r, n := range counts {
		if n != 0 {
			diff = append(diff, fmt.Sprintf("%+d %s", -n, r))
		}
	}
	slices.Sort(diff)
	t.Errorf("%s: %d rows, alone %d: %.20q", name, len(got), len(want), diff[:min(len(diff), 20)])
}

func sorted(rows []string) []string { return slices.Sorted(slices.Values(rows)) }
