// Package engine joins what a host needs to run SQL: connectors, formats and
// functions, sessions that compile, and jobs that run with their state. The SDK,
// the command line and the server stand on it.
//
// engine.go has the engine and its sessions, job.go how a compiled job is started
// with its state, script.go the statements of a file.
package engine

import (
	"log/slog"
	"os"
	"time"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/internal/builtin"
	"github.com/runnelio/runnel/internal/compile"
	"github.com/runnelio/runnel/internal/exec/relational"
	"github.com/runnelio/runnel/internal/runtime"
	"github.com/runnelio/runnel/internal/sigma"
	"github.com/runnelio/runnel/types"
)

// Options is what an engine is made of. The zero value has no connectors.
type Options struct {
	Connectors connector.Set
	Formats    format.Set
	// Functions is the set sessions start from; nil: the built-in ones.
	Functions *function.Set
	Namespace string // "default" if empty
	// StateDir is the folder in which jobs keep their state, a folder each; "":
	// state is kept in memory and lost when the job ends.
	StateDir string
	// Savepoint is a folder that a job without state of its own begins from.
	Savepoint string
	// AllowNonRestored lets a job begin although state in the savepoint or the
	// last commit fits no operator of it; that state is dropped.
	AllowNonRestored bool
	// Retain is how many commits a job keeps; 0: 3.
	Retain   int
	Settings map[string]string // as SET would, in every session
	Log      *slog.Logger
	Now      func() time.Time
	Dir      string              // folder that relative paths of tables are relative to
	IO       *connector.Terminal // nil: the process's
	// Report is how often each job writes a line of log about how far it is; 0: never.
	Report time.Duration
}

// Engine makes sessions and runs their jobs. It is safe for concurrent use.
type Engine struct {
	opts   Options
	rsqldb *function.Set // the functions of that dialect; sessions share it and never change it
	scans  runtime.Scans
}

// New returns an engine. It fails on settings that do not exist.
func New(o Options) (*Engine, error) {
	if o.Functions == nil {
		o.Functions = builtin.All()
		if err := o.Functions.Add(sigma.Functions()...); err != nil {
			return nil, err
		}
	}
	if o.Namespace == "" {
		o.Namespace = "default"
	}
	if o.Retain == 0 {
		o.Retain = 3
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.IO == nil {
		o.IO = &connector.Terminal{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}
	}
	e := &Engine{opts: o, rsqldb: builtin.Rsqldb()}
	_, err := e.Session()
	return e, err
}

// Options returns what the engine was made of.
func (e *Engine) Options() Options { return e.opts }

// Hold keeps jobs that share what they read from reading until release is called:
// those started meanwhile begin together.
func (e *Engine) Hold() (release func()) { return e.scans.Hold() }

// Session returns a new session with a catalog of its own.
func (e *Engine) Session() (*compile.Session, error) {
	return compile.New(compile.Options{
		Connectors: e.opts.Connectors, Formats: e.opts.Formats, Functions: e.opts.Functions.Clone(), Rsqldb: e.rsqldb,
		Now: e.opts.Now, Log: e.opts.Log, Dir: e.opts.Dir, Settings: e.opts.Settings, DescribeRules: relational.DescribeRules,
	})
}

// Row is a row of a result with its kind.
type Row struct {
	Kind   types.RowKind
	Values []types.Value
}
