// Package alone uses connectors without the engine: a program reads a table's
// rows as batches, or writes batches to it, with the same connectors, formats
// and options as in SQL. To move between systems is to change options.
//
//	table := alone.Table{
//		Schema:     types.NewSchema(types.Field{Name: "id", Type: types.Of(types.BigInt)}),
//		Options:    map[string]string{"connector": "rocketmq", "topic": "orders", "nameServerAddress": "127.0.0.1:9876", "format": "json"},
//		Connectors: connector.Set{rocketmq.Connector},
//		Formats:    format.Set{json.Format},
//	}
//	r, err := table.Open(ctx)
//	for batch, err := range r.Batches(ctx, nil) { … }
package alone

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/connector/buffered"
	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// Table is what CREATE TABLE says.
type Table struct {
	Name       string // for messages
	Schema     *types.Schema
	PrimaryKey []string          // columns
	Metadata   map[string]string // METADATA columns and the connector's names of them, or the format's behind 'value.'
	Options    map[string]string // WITH
	Connectors connector.Set
	Formats    format.Set
	Log        *slog.Logger   // nil: nothing is logged
	Zone       *time.Location // nil: UTC
	// OnBad is told of records that do not decode, which are left out; nil:
	// they are errors.
	OnBad func(split string, record []byte, why error)
}

// bound is a table with its options understood.
type bound struct {
	c  *connector.Connector
	t  *connector.Table
	cx *connector.Context
	// told are the metadata columns that the format reads.
	told []connector.Metadata
}

// tells returns the format's name of a metadata column; ok is false if it is the
// connector's. Such columns have the format's type.
func (b *bound) tells(m connector.Metadata) (out connector.Metadata, ok bool, err error) {
	a, is := b.t.Format.(format.Annotated)
	name, prefixed := strings.CutPrefix(m.Key, format.MetadataPrefix)
	if !is || !prefixed {
		return m, false, nil
	}
	for _, f := range a.Metadata() {
		if f.Name != name {
			continue
		}
		if t := b.t.Schema.Fields[m.Column].Type; t.OrNull().String() != f.Type.String() {
			return m, false, fmt.Errorf("metadata '%s' is %s, not %s", m.Key, f.Type, t)
		}
		return connector.Metadata{Column: m.Column, Key: name}, true, nil
	}
	return m, false, nil
}

func (t *Table) bind() (*bound, error) {
	b, err := connector.Bind(t.Options, t.Connectors, t.Formats)
	if err != nil {
		return nil, err
	}
	zone, log := t.Zone, t.Log
	if zone == nil {
		zone = time.UTC
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	name := t.Name
	if name == "" {
		name = b.Connector.Name
	}
	out := &bound{c: b.Connector, cx: &connector.Context{Log: log, Now: time.Now, Zone: zone},
		t: &connector.Table{Name: name, Schema: t.Schema, Options: b.Options, Format: b.Format, Parallel: 1}}
	for _, k := range t.PrimaryKey {
		i := t.Schema.Index(k)
		if i < 0 {
			return nil, fmt.Errorf("table %s: there is no column '%s' for the primary key", name, k)
		}
		out.t.PrimaryKey = append(out.t.PrimaryKey, i)
	}
	for _, column := range slices.Sorted(maps.Keys(t.Metadata)) {
		i := t.Schema.Index(column)
		if i < 0 {
			return nil, fmt.Errorf("table %s: there is no column '%s' for metadata", name, column)
		}
		m := connector.Metadata{Column: i, Key: t.Metadata[column]}
		told, ok, err := out.tells(m)
		switch {
		case err != nil:
			return nil, fmt.Errorf("table %s: column %s: %w", name, column, err)
		case ok:
			out.told = append(out.told, told)
		default:
			out.t.Metadata = append(out.t.Metadata, m)
		}
	}
	if k, ok := b.Format.(format.Keyer); ok {
		if out.t.Format, err = k.WithKey(t.PrimaryKey); err != nil {
			return nil, fmt.Errorf("table %s: %w", name, err)
		}
	}
	return out, nil
}

// Writer opens the table's sink, with the buffers, retries and error policy of o around it.
func (t *Table) Writer(o buffered.Options) (*buffered.Sink, error) {
	b, err := t.bind()
	if err != nil {
		return nil, err
	}
	if b.c.Sink == nil {
		return nil, fmt.Errorf("connector %s cannot be written to", b.c.Name)
	}
	for _, m := range b.told {
		return nil, fmt.Errorf("table %s: metadata '%s%s' cannot be written", b.t.Name, format.MetadataPrefix, m.Key)
	}
	if b.t.Changelog = b.c.SinkChangelog; b.t.Format != nil && b.t.Format.Changelog() {
		b.t.Changelog = connector.Retract
	}
	s, err := b.c.Sink(b.cx, b.t)
	if err != nil {
		return nil, err
	}
	return buffered.New(s, o), nil
}

// Reader reads a table. Its methods are safe for concurrent use.
type Reader struct {
	t      *Table
	b      *bound
	source any
}

// Batch is rows of one split, valid until the next.
type Batch struct {
	*vector.Batch
	Split string
	// Position is where to go on behind these rows.
	Position connector.Position
}

// Open opens the table's source.
func (t *Table) Open(context.Context) (*Reader, error) {
	b, err := t.bind()
	if err != nil {
		return nil, err
	}
	if b.c.Source == nil {
		return nil, fmt.Errorf("connector %s cannot be read from", b.c.Name)
	}
	s, err := b.c.Source(b.cx, b.t)
	if err != nil {
		return nil, err
	}
	return &Reader{t: t, b: b, source: s}, nil
}

// Committed tells the source that everything up to the positions is dealt with,
// by split: a queue's offsets are committed. Sources that keep none do nothing.
func (r *Reader) Committed(ctx context.Context, positions map[string]connector.Position) error {
	if c, ok := r.source.(connector.Committer); ok {
		return c.Committed(ctx, positions)
	}
	return nil
}

// Close ends the source's connections.
func (r *Reader) Close() error {
	if c, ok := r.source.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

// parcel is a batch on its way from a split's goroutine; done gives it back.
type parcel struct {
	batch Batch
	err   error
	done  chan struct{}
}

// Batches reads all splits at once, each in its order, from the given positions
// (nil: from where the options say), until all have ended, ctx ends or the loop
// is left. Splits that come are read too, and those that go are let go when what
// was read of them has been handed out.
func (r *Reader) Batches(ctx context.Context, from map[string]connector.Position) iter.Seq2[Batch, error] {
	return func(yield func(Batch, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		out := make(chan parcel)
		g := &splits{r: r, ctx: ctx, out: out, from: from, live: map[string]*live{}}
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			g.run()
		}()
		defer func() {
			cancel()
			<-ended
		}()
		for {
			select {
			case p := <-out:
				more := yield(p.batch, p.err)
				if p.done != nil {
					close(p.done)
				}
				if !more || p.err != nil {
					return
				}
			case <-ended:
				return
			}
		}
	}
}

// splits is the goroutines of one Batches.
type splits struct {
	r    *Reader
	ctx  context.Context
	out  chan parcel
	from map[string]connector.Position
	mu   sync.Mutex
	live map[string]*live
	wg   sync.WaitGroup
}

type live struct {
	cancel context.CancelFunc
	done   chan struct{}
}

func (g *splits) run() {
	defer g.wg.Wait()
	var list []connector.Split
	var err error
	switch s := g.r.source.(type) {
	case connector.Source:
		list, err = s.Splits(g.ctx)
	case connector.ColumnSource:
		list, err = s.Splits(g.ctx)
	default:
		err = fmt.Errorf("source %T implements neither connector.Source nor connector.ColumnSource", s)
	}
	if err != nil {
		g.fail(err)
		return
	}
	for _, sp := range list {
		g.start(sp)
	}
	if w, ok := g.r.source.(connector.Watcher); ok {
		if err := w.Watch(g.ctx, g.start, g.stop); err != nil && g.ctx.Err() == nil {
			g.fail(err)
		}
	}
}

func (g *splits) fail(err error) {
	if g.ctx.Err() != nil {
		return
	}
	select {
	case g.out <- parcel{err: err}:
	case <-g.ctx.Done():
	}
}

func (g *splits) start(sp connector.Split) {
	ctx, cancel := context.WithCancel(g.ctx)
	l := &live{cancel: cancel, done: make(chan struct{})}
	g.mu.Lock()
	g.live[sp.ID] = l
	g.mu.Unlock()
	g.wg.Go(func() {
		defer close(l.done)
		defer cancel()
		if err := g.read(ctx, sp); err != nil && ctx.Err() == nil {
			g.fail(fmt.Errorf("%s: %w", sp.ID, err))
		}
	})
}

// stop ends the reading of a split and waits until it has.
func (g *splits) stop(sp connector.Split) {
	g.mu.Lock()
	l := g.live[sp.ID]
	delete(g.live, sp.ID)
	g.mu.Unlock()
	if l != nil {
		l.cancel()
		<-l.done
	}
}

// give hands a batch out and waits until it has been used.
func (g *splits) give(ctx context.Context, b Batch) error {
	p := parcel{batch: b, done: make(chan struct{})}
	select {
	case g.out <- p:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	select {
	case <-p.done:
		return nil
	case <-g.ctx.Done():
		return context.Cause(g.ctx)
	}
}

func (g *splits) read(ctx context.Context, sp connector.Split) error {
	if s, ok := g.r.source.(connector.ColumnSource); ok {
		return g.readColumns(ctx, s, sp)
	}
	dec, err := newDecoder(g.r)
	if err != nil {
		return err
	}
	reader, err := g.r.source.(connector.Source).Open(ctx, sp, g.from[sp.ID])
	if err != nil {
		return err
	}
	defer func() { _ = reader.Close() }() // what was read has been given
	var recs format.Records
	for {
		end := reader.Read(ctx, &recs)
		if end != nil && !errors.Is(end, io.EOF) {
			return end
		}
		if n := len(recs.Val); n > 0 {
			b, err := dec.decode(&recs, sp.ID)
			if err != nil {
				return err
			}
			if err := g.give(ctx, Batch{Batch: b, Split: sp.ID, Position: recs.Position(n - 1)}); err != nil {
				return err
			}
		}
		if end != nil || ctx.Err() != nil {
			return nil
		}
	}
}

func (g *splits) readColumns(ctx context.Context, s connector.ColumnSource, sp connector.Split) error {
	reader, err := s.OpenColumns(ctx, sp, g.from[sp.ID])
	if err != nil {
		return err
	}
	defer func() { _ = reader.Close() }() // what was read has been given
	b := vector.NewBatch(g.r.t.Schema, vector.DefaultSize)
	for {
		b.Reset()
		end := reader.ReadBatch(ctx, b, vector.DefaultSize)
		if end != nil && !errors.Is(end, io.EOF) {
			return end
		}
		if b.Live() > 0 {
			if err := g.give(ctx, Batch{Batch: b, Split: sp.ID, Position: b.Origin.Last}); err != nil {
				return err
			}
		}
		if end != nil || ctx.Err() != nil {
			return nil
		}
	}
}
