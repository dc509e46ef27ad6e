// Package physical turns a logical plan into what runs: a graph of operator
// specs, cut into stages at exchanges, with the changelog of every edge decided.
// Specs are plain data; package runtime builds operators from them.
//
// physical.go has the graph, build.go the way from logical nodes, changelog.go
// which row kinds flow where, stages.go exchanges and fusion, explain.go the text,
// estimate.go guesses of rows and cost, advice.go what may be better, json.go the
// plan as JSON.
package physical

import (
	"time"

	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
)

// Changelog is which row kinds flow on an edge.
type Changelog uint8

// The changelogs.
const (
	Append  Changelog = iota // +I
	Upsert                   // +I, +U, -D: the row before an update is not sent
	Retract                  // +I, -U, +U, -D
)

// String returns the kinds in EXPLAIN's spelling.
func (c Changelog) String() string {
	return [...]string{"[I]", "[I,UA,D]", "[I,UB,UA,D]"}[c]
}

// ExchangeKind is how rows are spread over the tasks of the next stage.
type ExchangeKind uint8

// The exchanges.
const (
	Forward   ExchangeKind = iota // task i to task i; fused where it can be
	Hash                          // by the hash of key columns
	Gather                        // all to the only task
	Rebalance                     // round robin, a batch at a time
)

// String names the exchange in EXPLAIN.
func (k ExchangeKind) String() string {
	return [...]string{"forward", "hash", "single", "rebalance"}[k]
}

// Edge is an input of an operator.
type Edge struct {
	From     *Op
	Exchange ExchangeKind
	Keys     []int // of Hash
	Fused    bool  // a function call, not a channel
	// Side tells that not what From emits comes, but the rows of its input SideInput
	// that came too late for it.
	Side      bool
	SideInput int
}

// Op is an operator of the graph. It is immutable once the plan is built.
type Op struct {
	// ID is stable over restarts of an unchanged query: its state is found by it.
	ID     string
	Spec   Spec
	Inputs []Edge
	Out    *types.Schema
	// Changelog is what the operator emits.
	Changelog Changelog
	// Key are the columns by which Changelog updates; nil if unknown or append.
	Key      []int
	Parallel int
	Stage    int
	// outs are the consumers, filled when the graph is complete.
	outs []*Op
}

// Consumers are the operators that read from o.
func (o *Op) Consumers() []*Op { return o.outs }

// Plan is a job ready to run.
type Plan struct {
	// Ops in topological order: inputs before their consumers.
	Ops     []*Op
	Stages  int
	Options Options
	// Aligned is set if the plan is run once a split ('scan.split-key'). If a table
	// declares a split key and it is not, Unaligned says why.
	Aligned   *Aligned
	Unaligned string
}

// Options are the settings the planner heeds; they come from SET.
type Options struct {
	Parallelism int           // parallelism.default
	Batch       bool          // execution.runtime-mode = batch
	TTL         time.Duration // table.exec.state.ttl
	MiniBatch   int           // table.exec.mini-batch.size if enabled, else 0
	MiniLatency time.Duration // table.exec.mini-batch.allow-latency
	Emit        Emit          // table.exec.emit.*, window.fire-mode, window.flush-at-end
	// WatermarkInterval is pipeline.auto-watermark-interval; 0: a watermark behind every row that raises it.
	WatermarkInterval time.Duration
	// IdleTimeout is table.exec.source.idle-timeout: splits without rows for so long do not hold watermarks up; 0: never.
	IdleTimeout time.Duration
	// FireOnIdle is window.fire-on-idle: without rows for so long the watermark goes on with the clock; 0: never.
	FireOnIdle time.Duration
	// Materialize is table.exec.sink.upsert-materialize.
	Materialize Materializing
	// MemoryBudget is state.memory-budget: bytes of state in memory; 0: any number, below 0: what the process has.
	MemoryBudget int64
	// MaxUnindexed is rules.max-unindexed: a set of rules with more that no index helps is refused; 0: any number.
	MaxUnindexed int
	// Metadata has sources fill all METADATA columns of their tables: functions in
	// Go may ask for them.
	Metadata  bool
	BatchSize int // rows a batch (runnel.batch-size), default vector.DefaultSize
}

// Spec is what an operator does: one of the structs below.
type Spec interface{ Kind() string }

// Source reads a table.
type Source struct{ Scan *plan.Scan }

// GoSource reads a source made in Go.
type GoSource struct{ Source *plan.GoSource }

// Values emits literal rows.
type Values struct{ Rows [][]plan.Expr }

// Calc filters by Filter (nil: all rows), then computes Exprs (nil: the input's columns).
type Calc struct {
	Filter plan.Expr
	Exprs  []plan.Expr
}

// Watermark assigns watermarks.
type Watermark struct {
	Column int
	Expr   plan.Expr
	// Gap, if above 0, is the number of rows of a split between two watermarks.
	Gap int
}

// Aggregate is GROUP BY. Retracts: the input has retractions. UpdateBefore: -U
// rows are emitted. TrackOld tells that results are compared and unchanged ones not emitted.
type Aggregate struct {
	Keys         []int
	Calls        []plan.AggCall
	Retracts     bool
	UpdateBefore bool
	TTL          time.Duration // as in plan.Aggregate
}

// Expand emits rows once a grouping set.
type Expand struct{ Sets [][]plan.Expr }

// Join is a two-stream join; the fields are those of plan.Join.
type Join struct {
	Join          *plan.Join
	LeftRetracts  bool
	RightRetracts bool
}

// Union merges inputs.
type Union struct{}

// SetOp is INTERSECT or EXCEPT.
type SetOp struct {
	Op  plan.SetKind
	All bool
}

// Correlate applies a table function or UNNEST.
type Correlate struct{ Correlate *plan.Correlate }

// Rank keeps the first rows by an order (ORDER BY … LIMIT), or just the first rows (no keys).
type Rank struct {
	Keys         []plan.SortKey
	Limit        int64 // -1: all, batch mode only
	Offset       int64
	Retracts     bool
	UpdateBefore bool
	Span         diag.Span // of the first key
}

// Sink writes to a table or to the caller.
type Sink struct{ Sink *plan.Sink }

// Opaque is a Go operator of the SDK.
type Opaque struct{ Opaque *plan.Opaque }

// Kind names the operator in EXPLAIN and metrics.
func (Source) Kind() string    { return "Source" }
func (GoSource) Kind() string  { return "Source" }
func (Values) Kind() string    { return "Values" }
func (Calc) Kind() string      { return "Calc" }
func (Watermark) Kind() string { return "WatermarkAssigner" }
func (Aggregate) Kind() string { return "GroupAggregate" }
func (Expand) Kind() string    { return "Expand" }
func (Join) Kind() string      { return "Join" }
func (Union) Kind() string     { return "Union" }
func (s SetOp) Kind() string   { return [...]string{"Union", "Intersect", "Except"}[s.Op] }
func (Correlate) Kind() string { return "Correlate" }
func (r Rank) Kind() string {
	if len(r.Keys) == 0 {
		return "Limit"
	}
	return "Rank"
}
func (Sink) Kind() string     { return "Sink" }
func (o Opaque) Kind() string { return "Operator" }
