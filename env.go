package runnel

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/connectors/all"
	"github.com/runnelio/runnel/connectors/memory"
	"github.com/runnelio/runnel/format"
	formats "github.com/runnelio/runnel/format/all"
	"github.com/runnelio/runnel/internal/builtin"
	"github.com/runnelio/runnel/internal/compile"
	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/engine"
)

// Env is where jobs of a namespace live: its tables, views, functions and
// options are shared by them. It is safe for concurrent use.
type Env struct {
	opts   options
	engine *engine.Engine
	store  *memory.Store

	mu      sync.Mutex
	session *compile.Session // catalog, functions, settings, views
	numbers int              // of implicit names
	// asksRows tells that a function may ask for the records of its rows.
	asksRows bool
	running  map[string]bool // names of jobs under way
	spaces   *spaces
}

// spaces are the environments of one process by namespace.
type spaces struct {
	mu   sync.Mutex
	envs map[string]*Env
}

type options struct {
	engine.Options
	settings map[string]string
}

// Option configures an environment.
type Option func(*options)

// Namespace names the environment; it is part of the identity of jobs and their
// state. The default is "default".
func Namespace(name string) Option { return func(o *options) { o.Namespace = name } }

// StateDir is the folder in which jobs keep their state, a folder each, and go
// on from after a crash. Without it state is in memory and lost with the job.
func StateDir(dir string) Option { return func(o *options) { o.Options.StateDir = dir } }

// Connectors are the connectors tables may use; the default are all that come
// with the module. The tables of Env.Memory are there in any case.
func Connectors(list ...*connector.Connector) Option {
	return func(o *options) { o.Connectors = list }
}

// Formats are the formats tables may use; the default are all that come with the module.
func Formats(list ...*format.Spec) Option { return func(o *options) { o.Options.Formats = list } }

// Setting sets an option for all jobs, as SET would.
func Setting(key, value string) Option { return func(o *options) { o.settings[key] = value } }

// Logger receives what jobs have to say; the default says nothing.
func Logger(log *slog.Logger) Option { return func(o *options) { o.Log = log } }

// Clock is the clock of processing time; the default is time.Now.
func Clock(now func() time.Time) Option { return func(o *options) { o.Now = now } }

// Dir is the folder that relative paths of tables are relative to; the default
// is the working directory.
func Dir(path string) Option { return func(o *options) { o.Options.Dir = path } }

// Terminal replaces the standard streams, which stdin, print and stdout use.
func Terminal(in io.Reader, out, errs io.Writer) Option {
	return func(o *options) { o.IO = &connector.Terminal{In: in, Out: out, Err: errs} }
}

// Savepoint is a folder that jobs without state of their own begin from; it
// needs a StateDir.
func Savepoint(dir string) Option { return func(o *options) { o.Options.Savepoint = dir } }

// Retain is how many commits a job keeps in its state directory; the default is 3.
func Retain(commits int) Option { return func(o *options) { o.Options.Retain = commits } }

// AllowNonRestored lets a job begin although some of its saved state fits no
// operator any more; that state is dropped. Otherwise Start refuses.
func AllowNonRestored() Option { return func(o *options) { o.Options.AllowNonRestored = true } }

// New returns an environment. It fails on settings that do not exist.
func New(opts ...Option) (*Env, error) {
	o := options{settings: map[string]string{}}
	for _, f := range opts {
		f(&o)
	}
	return newEnv(o, &spaces{envs: map[string]*Env{}})
}

func newEnv(o options, s *spaces) (*Env, error) {
	e := &Env{opts: o, store: memory.NewStore(), running: map[string]bool{}, spaces: s}
	eo := o.Options
	if eo.Connectors == nil {
		eo.Connectors = all.Connectors()
	}
	if eo.Connectors.Find("memory") == nil {
		eo.Connectors = append(slices.Clone(eo.Connectors), e.store.Connector())
	}
	if eo.Formats == nil {
		eo.Formats = formats.Formats()
	}
	if eo.Functions == nil {
		eo.Functions = builtin.All()
	}
	eo.Settings = o.settings
	var err error
	if e.engine, err = engine.New(eo); err != nil {
		return nil, err
	}
	if e.session, err = e.engine.Session(); err != nil {
		return nil, err
	}
	e.opts.Options = e.engine.Options()
	s.envs[e.Namespace()] = e
	return e, nil
}

// Namespace returns the environment's namespace.
func (e *Env) Namespace() string { return e.engine.Options().Namespace }

// In returns the environment of another namespace of the process, with the same
// options and with tables and functions of its own.
func (e *Env) In(namespace string) (*Env, error) {
	e.spaces.mu.Lock()
	defer e.spaces.mu.Unlock()
	if x, ok := e.spaces.envs[namespace]; ok {
		return x, nil
	}
	o := e.opts
	o.Namespace = namespace
	if own := e.store.Connector().Name; o.Connectors != nil {
		// The tables in memory are the namespace's own.
		o.Connectors = slices.DeleteFunc(slices.Clone(o.Connectors), func(c *connector.Connector) bool { return c.Name == own })
	}
	return newEnv(o, e.spaces)
}

// Memory holds the environment's tables in memory: those of FromMemory,
// ToMemory and 'connector' = 'memory'.
func (e *Env) Memory() *memory.Store { return e.store }

// Job begins a job of that name. Names are the identity of jobs: a job goes on
// from the state that one of its name has left.
func (e *Env) Job(name string) *Job {
	j := &Job{env: e, name: name, settings: map[string]string{}, by: map[string]string{}}
	if name == "" {
		j.fail("Job", fmt.Errorf("the name is empty"))
	}
	return j
}

// fork returns a session with the environment's catalog and functions, and
// settings and tables of its own. The caller holds mu while it uses it.
func (e *Env) fork(settings map[string]string) (*compile.Session, error) {
	s, err := e.engine.Session()
	if err != nil {
		return nil, err
	}
	s.Catalog, s.Functions = e.session.Catalog, e.session.Functions
	s.Settings = maps.Clone(e.session.Settings)
	maps.Copy(s.Tables, e.session.Tables)
	for k, v := range settings {
		if _, err := s.Settings.Set(k, v, diag.Span{}); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// number returns a new number for names that the user did not give.
func (e *Env) number() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.numbers++
	return e.numbers
}

// StreamBuilder begins jobs.
type StreamBuilder struct{ env *Env }

// NewStreamBuilder returns a builder of the jobs of an environment and of the
// other namespaces of its process.
func NewStreamBuilder(env *Env) *StreamBuilder { return &StreamBuilder{env} }

// DataStream begins a job: namespace and name are its identity.
func (b *StreamBuilder) DataStream(namespace, job string) *DataStreamSource {
	e, err := b.env.In(namespace)
	if err != nil {
		j := b.env.Job(job)
		j.fail("DataStream", err)
		return j
	}
	return e.Job(job)
}

// interrupted is the error of a run whose context ended.
func interrupted(ctx context.Context) error { return context.Cause(ctx) }
