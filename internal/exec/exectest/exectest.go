// Package exectest drives single operators in tests: it gives them a context
// with a clock that the test moves, feeds them rows written as Go values, and
// keeps what they emit as text. Snapshot and Restart go through a real state
// store, so an operator is tested as a restart would find it.
package exectest

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/internal/metrics"
	"github.com/runnelio/runnel/internal/state"
	"github.com/runnelio/runnel/internal/state/mem"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// Row is one row of input: its kind and values as of types.Value.
type Row struct {
	Kind   types.RowKind
	Values []types.Value
}

// Insert returns an inserted row.
func Insert(values ...types.Value) Row { return Row{types.Insert, values} }

// TS is a timestamp, in ms since 1970.
func TS(ms int64) types.TS { return types.TS{Ms: ms} }

// Rowtime is the type of a TIMESTAMP(3) with event time.
func Rowtime() types.Type {
	t := types.TimestampOf(3)
	t.Attr = types.Rowtime
	return t
}

// Schema makes a schema of alternating names and types.
func Schema(of ...any) *types.Schema {
	var fields []types.Field
	for i := 0; i < len(of); i += 2 {
		fields = append(fields, types.Field{Name: of[i].(string), Type: of[i+1].(types.Type)})
	}
	return types.NewSchema(fields...)
}

// Driver runs one operator, made by New again after each Restart.
type Driver struct {
	T         testing.TB
	New       func() exec.Operator
	Op        exec.Operator
	In        []*types.Schema
	Metrics   *metrics.Op
	Now       int64 // ms since 1970: the clock
	BatchSize int
	TTL       time.Duration
	// Output is what was emitted, a row each: its kind, then its values.
	Output []string
	// Events are the control events that were forwarded.
	Events []exec.Event

	store   *mem.Store
	backend state.Backend
	epoch   int64
	mark    int64
}

// Start opens a new operator made by make, for inputs of the given schemas.
func Start(t testing.TB, batch int, make func() exec.Operator, in ...*types.Schema) *Driver {
	t.Helper()
	d := &Driver{T: t, New: make, In: in, Metrics: &metrics.Op{}, BatchSize: batch, store: mem.New(), mark: exec.NoWatermark}
	d.open()
	return d
}

func (d *Driver) open() {
	d.T.Helper()
	d.Op, d.backend = d.New(), d.store.Backend("op", 0, 1)
	log := slog.New(slog.DiscardHandler)
	cx := &exec.Context{
		Context: context.Background(), Log: log, Metrics: d.Metrics, State: d.backend, ID: "op", Parallel: 1,
		TTL: d.TTL, BatchSize: d.BatchSize, Watermark: d.mark,
		Func: &function.Context{Zone: time.UTC, Log: log, Now: func() time.Time { return time.UnixMilli(d.Now).UTC() }},
	}
	if err := d.Op.Open(cx); err != nil {
		d.T.Fatal(err)
	}
}

// Rows feeds rows to input in, in batches of at most BatchSize.
func (d *Driver) Rows(in int, rows ...Row) {
	d.T.Helper()
	for len(rows) > 0 {
		n := min(len(rows), d.BatchSize)
		b := vector.NewBatch(d.In[in], n)
		for _, r := range rows[:n] {
			b.AppendValues(r.Kind, r.Values...)
		}
		if err := d.Op.Process(in, b, d); err != nil {
			d.T.Fatal(err)
		}
		rows = rows[n:]
	}
}

// Watermark sends a watermark.
func (d *Driver) Watermark(ms int64) { d.control(exec.Event{Kind: exec.Watermark, Time: ms}) }

// Tick moves the clock and tells the operator.
func (d *Driver) Tick(ms int64) {
	d.Now = ms
	d.control(exec.Event{Kind: exec.Tick, Time: ms})
}

// End ends the input as a bounded one does.
func (d *Driver) End() {
	d.Watermark(exec.MaxWatermark)
	d.control(exec.Event{Kind: exec.End})
}

func (d *Driver) control(ev exec.Event) {
	d.T.Helper()
	if err := d.Op.Control(0, ev, d); err != nil {
		d.T.Fatal(err)
	}
}

// Restart commits the operator's state, makes a new one and has it go on from there.
func (d *Driver) Restart() {
	d.T.Helper()
	d.Commit()
	d.Crash()
}

// Commit sends a barrier and commits.
func (d *Driver) Commit() {
	d.T.Helper()
	d.epoch++
	d.control(exec.Event{Kind: exec.Barrier, Epoch: d.epoch})
	if err := d.backend.Seal(d.epoch); err != nil {
		d.T.Fatal(err)
	}
	if w, ok := d.Op.(exec.Watermarked); ok {
		d.mark = w.CurrentWatermark()
	}
	if err := d.store.Commit(context.Background(), &state.Commit{Epoch: d.epoch}); err != nil {
		d.T.Fatal(err)
	}
}

// Crash drops what was not committed and opens a new operator.
func (d *Driver) Crash() {
	d.T.Helper()
	d.store.Abandon()
	if err := d.Op.Close(); err != nil {
		d.T.Fatal(err)
	}
	d.open()
}

// Emit implements exec.Output.
func (d *Driver) Emit(b *vector.Batch) error {
	for k := range b.Live() {
		i := k
		if b.Sel != nil {
			i = int(b.Sel[k])
		}
		parts := []string{b.Kind(i).String()}
		for _, c := range b.Cols {
			parts = append(parts, text(c, i))
		}
		d.Output = append(d.Output, strings.Join(parts, " "))
	}
	return nil
}

func text(v vector.Vector, i int) string {
	if v.IsNull(i) {
		return "NULL"
	}
	switch x := vector.Get(v, i).(type) {
	case types.TS:
		return fmt.Sprint(x.Ms)
	default:
		return fmt.Sprint(x)
	}
}

// Forward implements exec.Output.
func (d *Driver) Forward(ev exec.Event) error {
	d.Events = append(d.Events, ev)
	return nil
}

// Take returns what was emitted since the last Take.
func (d *Driver) Take() []string {
	out := d.Output
	d.Output = nil
	return out
}

// Want checks what was emitted since the last Take, in order.
func (d *Driver) Want(rows ...string) {
	d.T.Helper()
	if got := d.Take(); !slices.Equal(got, rows) {
		d.T.Errorf("emitted\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(rows, "\n  "))
	}
}

// Fold applies a changelog of lines as Output has them to a multiset and returns
// its rows, sorted. A row taken back more often than it came shows as NEGATIVE.
func Fold(changes []string) []string {
	count := map[string]int{}
	for _, c := range changes {
		kind, row, _ := strings.Cut(c, " ")
		if kind == "+I" || kind == "+U" {
			count[row]++
		} else {
			count[row]--
		}
	}
	var out []string
	for row, n := range count {
		for range n {
			out = append(out, row)
		}
		for range -n {
			out = append(out, "NEGATIVE "+row)
		}
	}
	slices.Sort(out)
	return out
}

var _ exec.Output = (*Driver)(nil)

// Batches makes batches of n rows in all, at most size each.
func Batches(s *types.Schema, n, size int, row func(i int) []types.Value) []*vector.Batch {
	var out []*vector.Batch
	for i := range n {
		if i%size == 0 {
			out = append(out, vector.NewBatch(s, size))
		}
		out[len(out)-1].AppendValues(types.Insert, row(i)...)
	}
	return out
}

// Shift moves the times of a column on.
func Shift(b *vector.Batch, column int, ms int64) {
	f := b.Cols[column].(*vector.Flat[types.TS])
	for i := range f.Vals {
		f.Vals[i].Ms += ms
	}
}

// Discard is an output that keeps nothing.
type Discard struct{}

// Emit implements exec.Output.
func (Discard) Emit(*vector.Batch) error { return nil }

// Forward implements exec.Output.
func (Discard) Forward(exec.Event) error { return nil }
