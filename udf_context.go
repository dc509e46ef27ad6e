package runnel

import (
	"log/slog"
	"time"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// FuncContext is what a function may ask about its call. A function that takes
// one as its first argument is volatile: its calls are never folded or shared.
// It belongs to the call: a function must not keep it, nor use it in another
// goroutine.
type FuncContext struct {
	Job  string // the job's name; "" in a query that is no job's
	Zone *time.Location
	Log  *slog.Logger
	now  func() time.Time

	task *function.Context
	rows []int32 // that are being computed, in their order
	next int     // index in rows of the row after the current one
}

// Now is the clock: processing time.
func (c *FuncContext) Now() time.Time { return c.now() }

// Split is the split that the current row was read from: a queue, a partition, a
// file. It is "" for rows that are not one for one those of a source any more:
// behind an aggregate, a join, FlatMap, or an exchange between tasks.
func (c *FuncContext) Split() string { return splitOf(c.task.Batch) }

// Position is where the current row's split goes on behind its record, in the
// words of the source: the next offset of a queue, an offset in a file. It is ""
// where Split is, and for sources that make columns themselves (datagen, memory,
// Values, Parquet files).
func (c *FuncContext) Position() string { return positionOf(c.task.Batch, c.current()) }

// Metadata is the METADATA column of that key of the current row, as Row has its
// values: Metadata("headers"), Metadata("timestamp"). The source's table must
// declare the column; the query need not read it. It is nil for NULL, for keys
// that are not declared, and where Position is "".
func (c *FuncContext) Metadata(key string) any { return metadataOf(c.task.Batch, c.current(), key) }

// Header is a header of the current row's message: the key `headers` of Kafka,
// `properties` of RocketMQ. It is false where there is none, and where Metadata
// is nil.
func (c *FuncContext) Header(name string) (string, bool) {
	return headerOf(c.task.Batch, c.current(), name)
}

// row turns to the next row and returns c: functions are called with the rows in
// their order.
func (c *FuncContext) row() *FuncContext {
	c.next++
	return c
}

func (c *FuncContext) current() int { return int(c.rows[c.next-1]) }

// contextual is f with another way to bind it.
func contextual(f ScalarFunc, bind func(cx *FuncContext) function.Call) ScalarFunc {
	f.volatile = true
	f.bind = func(cx *FuncContext) function.Call {
		call := bind(cx)
		var all []int32
		return func(args []vector.Vector, sel []int32, out vector.Vector) error {
			cx.rows, cx.next = function.Rows(sel, out.Len(), &all), 0
			return call(args, sel, out)
		}
	}
	return f
}

func contextOf(cx *function.Context) *FuncContext {
	c := &FuncContext{Job: cx.Params[paramJob], Zone: cx.Zone, Log: cx.Log, now: cx.Now, task: cx}
	if c.now == nil {
		c.now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

func splitOf(b *vector.Batch) string {
	if b == nil {
		return ""
	}
	return b.Origin.Split
}

func positionOf(b *vector.Batch, i int) string {
	if b == nil || b.From == nil {
		return ""
	}
	return b.From.Position(i)
}

func metadataOf(b *vector.Batch, i int, key string) any {
	if b == nil || b.From == nil {
		return nil
	}
	v, t, _ := b.From.Metadata(i, key)
	return goValue(v, t)
}

// headerKeys are the METADATA columns that hold headers, by the connectors.
var headerKeys = []string{"headers", "properties"}

func headerOf(b *vector.Batch, i int, name string) (string, bool) {
	if b == nil || b.From == nil {
		return "", false
	}
	for _, key := range headerKeys {
		v, t, ok := b.From.Metadata(i, key)
		if !ok || v == nil || t.Kind != types.Map {
			continue
		}
		m, _ := goValue(v, t).(map[any]any)
		switch h := m[name].(type) {
		case string:
			return h, true
		case []byte:
			return string(h), true
		}
	}
	return "", false
}
