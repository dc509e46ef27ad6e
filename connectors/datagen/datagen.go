// Package datagen is a source that makes rows up.
//
// What stands in a row follows from the seed, the number of the row and the name
// of the column alone: the same seed gives the same rows however many splits
// there are, and a job that goes on from a checkpoint makes the rows it would
// have made. Only times are relative to the clock. Without a seed one is drawn.
package datagen

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/connector/framing"
	"github.com/runnelio/runnel/vector"
)

// Connector is the connector.
var Connector = connector.Define("datagen", "Rows that are made up, at random or in sequence.", connector.Spec[options]{Source: newSource, CheckTable: checkTable})

type options struct {
	Rate   int64             `opt:"rows-per-second" default:"10000" min:"0" doc:"Rows a second, all splits together; 0 is as many as can be."`
	Rows   *int64            `opt:"number-of-rows" min:"0" doc:"Rows in all. Not set: without end, or until a sequence ends."`
	Seed   *int64            `opt:"seed" doc:"Makes the rows the same each time."`
	Splits *int              `opt:"splits" min:"1" max:"1024" doc:"How many parts are made side by side; the parallelism if not given."`
	Fields map[string]string `opt:"fields.,prefix" doc:"fields.NAME.kind random or sequence; .min .max .max-past .length .var-len .null-rate of random, .start .end of sequence. Parts of nested columns: NAME.element, NAME.key, NAME.value, NAME.FIELD."`
}

type source struct {
	cx     *connector.Context
	rate   int64
	total  int64 // -1: without end
	splits int64
	gens   []generator // by column, nil if not wanted
}

// checkTable finds options of fields that do not exist or do not fit their column.
func checkTable(t *connector.Table, o *options) error {
	b := newBuilder(nil, o)
	for _, f := range t.Schema.Fields {
		if _, err := b.field(f.Name, f.Type, 0); err != nil {
			return err
		}
	}
	return b.unused()
}

func newSource(cx *connector.Context, t *connector.Table, o *options) (any, error) {
	s := &source{cx: cx, rate: o.Rate, total: -1, splits: int64(max(t.Parallel, 1)), gens: make([]generator, len(t.Schema.Fields))}
	if o.Splits != nil {
		s.splits = int64(*o.Splits)
	}
	seed := rand.Uint64()
	if o.Seed != nil {
		seed = uint64(*o.Seed)
	}
	b := newBuilder(cx, o)
	for c, f := range t.Schema.Fields {
		g, err := b.field(f.Name, f.Type, mix(seed^hashName(f.Name)))
		if err != nil {
			return nil, err
		}
		s.gens[c] = g
	}
	if err := b.unused(); err != nil {
		return nil, err
	}
	if t.Wanted != nil {
		wanted := make([]generator, len(s.gens))
		for _, c := range t.Wanted {
			wanted[c] = s.gens[c]
		}
		s.gens = wanted
	}
	s.total = b.end
	if o.Rows != nil && (s.total < 0 || *o.Rows < s.total) {
		s.total = *o.Rows
	}
	return s, nil
}

// Splits implements connector.ColumnSource: split k makes rows k, k+n, k+2n…
func (s *source) Splits(context.Context) ([]connector.Split, error) {
	out := make([]connector.Split, s.splits)
	for k := range s.splits {
		out[k] = connector.Split{ID: strconv.FormatInt(k, 10), Rows: true}
		if s.total >= 0 {
			out[k].Size = s.share(k)
		}
	}
	return out, nil
}

// share is how many of the rows are split k's.
func (s *source) share(k int64) int64 { return (s.total - k + s.splits - 1) / s.splits }

// Bounded implements connector.ColumnSource.
func (s *source) Bounded() bool { return s.total >= 0 }

// MayBlock tells that reading waits for the time of the next row.
func (s *source) MayBlock() bool { return s.rate > 0 }

// OpenColumns implements connector.ColumnSource. A position is a number of rows.
func (s *source) OpenColumns(_ context.Context, split connector.Split, at connector.Position) (connector.ColumnReader, error) {
	k, err := strconv.ParseInt(split.ID, 10, 64)
	if err != nil || k < 0 || k >= s.splits {
		return nil, fmt.Errorf("datagen: there is no split %q", split.ID)
	}
	r := &reader{source: s, split: split.ID, first: k, started: s.cx.Now()}
	if r.next, err = framing.ParsePosition(at); err != nil {
		return nil, fmt.Errorf("datagen: %q is no position", at)
	}
	r.from = r.next
	return r, nil
}

type reader struct {
	*source
	split      string
	first      int64 // number of the split's first row
	next, from int64 // rows made, also before the start
	started    time.Time
}

// ReadBatch implements connector.ColumnReader.
func (r *reader) ReadBatch(ctx context.Context, into *vector.Batch, most int) error {
	n := int64(most)
	if r.total >= 0 {
		n = min(n, r.share(r.first)-r.next)
	}
	if n <= 0 {
		return io.EOF
	}
	if r.rate > 0 {
		if n = min(n, r.wait(ctx)); n == 0 {
			return nil
		}
	}
	for c, g := range r.gens {
		if g == nil {
			continue
		}
		into.Cols[c].Resize(int(n))
		for i := range n {
			if err := g.put(into.Cols[c], int(i), r.first+(r.next+i)*r.splits); err != nil {
				return fmt.Errorf("datagen: %w", err)
			}
		}
	}
	into.N = int(n)
	into.Origin = vector.Origin{Split: r.split, First: framing.Position(r.next), Last: framing.Position(r.next + n)}
	r.next += n
	if r.total >= 0 && r.next == r.share(r.first) {
		return io.EOF
	}
	return nil
}

// wait returns how many rows are due, waiting until one is.
func (r *reader) wait(ctx context.Context) int64 {
	for {
		due := int64(r.cx.Now().Sub(r.started).Seconds()*float64(r.rate)/float64(r.splits)) + 1 - (r.next - r.from)
		if due > 0 {
			return due
		}
		// No shorter than a few milliseconds: rows come in small batches then.
		pause := max(time.Duration(float64(1-due)*float64(r.splits)/float64(r.rate)*1e9), 5*time.Millisecond)
		t := time.NewTimer(pause)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return 0
		}
	}
}

// Close implements connector.ColumnReader.
func (r *reader) Close() error { return nil }

var _ connector.ColumnSource = (*source)(nil)
