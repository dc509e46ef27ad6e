package runtime

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/internal/metrics"
	"github.com/runnelio/runnel/vector"
)

// errStopped ends a source whose job was asked to stop: what was read is
// finished and flushed.
var errStopped = errors.New("stopped")

// errEnough ends reading because LIMIT rows have been read.
var errEnough = errors.New("limit reached")

// endOfSplit is the position of a split that was read to its end. It sorts behind all others.
const endOfSplit = "\xff"

// tickEvery is how often operators hear of the time.
const tickEvery = 100 * time.Millisecond

// sourceDriver reads the splits of one source task, decodes and filters what it
// reads, and pushes batches and events down the chain. Bounded sources that never
// wait are read split after split in the task's own goroutine; others have a
// goroutine a split, so that an idle split holds up neither the others nor
// barriers (pump.go). Between two batches it looks for barriers to inject, for
// splits that come and go, and for a request to stop.
type sourceDriver struct {
	task    *task
	source  any // connector.Source or connector.ColumnSource
	splits  []connector.Split
	start   map[string]string // positions to go on from, by split
	decode  *scanDecoder      // nil for column sources
	columns *columnScan       // nil for record sources
	out     exec.Output
	metrics *metrics.Op
	now     func() time.Time

	barriers  <-chan barrier
	commands  chan splitCommand // of watched sources; nil for others
	stop      <-chan struct{}
	lagger    connector.Lagger // nil if the source is none
	idle      time.Duration    // splits without rows for so long do not hold watermarks up
	positions places           // where each split has been emitted to
	unsettled struct {
		split string
		recs  *format.Records
		last  int
	}
	aligned  *member   // nil if the table is in no alignment group
	stashed  []arrival // of splits that are ahead of their group
	blocking bool      // reading may wait for long: read in goroutines of their own
	lastTick time.Time
	counts   map[string]*metrics.Split // of the splits being read
	shared   *scanMember               // nil: the source is read for this job alone
}

// barrier is an epoch that sources are to inject. After a final one they end.
type barrier struct {
	epoch int64
	final bool
}

// blocker is a bounded source whose Read may block for long nevertheless (a terminal, a pipe).
type blocker interface{ MayBlock() bool }

func (d *sourceDriver) run(ctx context.Context) error {
	err := d.read(ctx)
	stopped := errors.Is(err, errStopped)
	if err != nil && !stopped {
		return err
	}
	if stopped {
		if err := d.lastBarrier(ctx); err != nil {
			return err
		}
	} else if err := d.out.Forward(exec.Event{Kind: exec.Watermark, Time: exec.MaxWatermark}); err != nil {
		return err
	}
	return d.out.Forward(exec.Event{Kind: exec.End, Stopped: stopped})
}

// lastBarrier waits, after a stop, for the final barrier of a job that takes checkpoints.
func (d *sourceDriver) lastBarrier(ctx context.Context) error {
	if d.barriers == nil {
		return nil
	}
	for {
		select {
		case b := <-d.barriers:
			if err := d.barrier(b); err != nil {
				return err
			}
			if b.final {
				return nil
			}
		case c := <-d.commands:
			c.refuse()
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (d *sourceDriver) read(ctx context.Context) (err error) {
	if d.decode != nil {
		if err := d.decode.open(); err != nil {
			return err
		}
		defer func() {
			if cerr := d.decode.close(); err == nil { // of the dead-letter file, which may not be whole then
				err = cerr
			}
		}()
	}
	if d.blocking {
		return d.pump(ctx)
	}
	for _, s := range d.splits {
		if d.positions.ended(s.ID) {
			continue
		}
		if err := d.poll(); err != nil {
			return err
		}
		if err := d.added(s); err != nil {
			return err
		}
		if err := d.readSplit(ctx, s); err != nil {
			if errors.Is(err, errEnough) {
				return nil
			}
			return err
		}
		d.positions.set(s.ID, endOfSplit)
		if err := d.removed(s.ID); err != nil {
			return err
		}
	}
	return nil
}

// added tells operators and metrics that s is read from now on.
func (d *sourceDriver) added(s connector.Split) error {
	if d.counts == nil {
		d.counts = map[string]*metrics.Split{}
	}
	d.counts[s.ID] = d.metrics.AddSplit(s.ID)
	if d.aligned != nil {
		d.aligned.group.add(d.aligned.name(s.ID), d.now())
	}
	d.located(s.ID)
	return d.out.Forward(exec.Event{Kind: exec.SplitAdded, Split: s.ID})
}

// removed tells them that it is read no more.
func (d *sourceDriver) removed(split string) error {
	delete(d.counts, split)
	d.metrics.RemoveSplit(split)
	if d.aligned != nil {
		d.aligned.group.remove(d.aligned.name(split))
	}
	return d.out.Forward(exec.Event{Kind: exec.SplitRemoved, Split: split})
}

// located publishes where a split has been read to, for its lag.
func (d *sourceDriver) located(split string) {
	if d.lagger == nil {
		return // before the position escapes: reads allocate nothing for it
	}
	if at, ok := d.positions.of(split); ok {
		if c := d.counts[split]; c != nil {
			c.At.Store(&at)
		}
	}
}

// parcel is what one read brings: records, columns, or a chunk that several jobs share.
type parcel struct {
	recs  format.Records
	batch *vector.Batch
	chunk *chunk
	view  int    // the job's part of the chunk
	at    string // where a split that began at no position begins, if the read has found out
}

// empty forgets what the last read brought.
func (p *parcel) empty() {
	p.recs.Reset()
	p.chunk = nil
}

// hasRows tells whether the read brought anything.
func (p *parcel) hasRows() bool {
	return len(p.recs.Val) > 0 || p.batch != nil && p.batch.N > 0 || p.chunk != nil && len(p.chunk.parts) > 0
}

// splitReader reads one split, by records or by columns.
type splitReader struct {
	split connector.Split
	at    string // where it begins to read, "" if it does not say
	read  func(ctx context.Context, p *parcel) error
	close func() error
}

// openSplit opens a reader of s at a position.
func (d *sourceDriver) openSplit(ctx context.Context, s connector.Split, at string) (*splitReader, error) {
	if d.shared != nil {
		return d.shared.open(s, at, d.metrics), nil
	}
	switch src := d.source.(type) {
	case connector.Source:
		r, err := src.Open(ctx, s, at)
		if err != nil {
			return nil, err
		}
		begin := ""
		if p, ok := r.(connector.Placed); ok {
			begin = p.At()
		}
		return &splitReader{s, begin, func(ctx context.Context, p *parcel) error { return r.Read(ctx, &p.recs) }, r.Close}, nil
	case connector.ColumnSource:
		r, err := src.OpenColumns(ctx, s, at)
		if err != nil {
			return nil, err
		}
		return &splitReader{s, "", func(ctx context.Context, p *parcel) error {
			if p.batch == nil {
				p.batch = vector.NewBatch(d.columns.physical, d.columns.size)
			}
			p.batch.Reset()
			return r.ReadBatch(ctx, p.batch, d.columns.size)
		}, r.Close}, nil
	}
	return nil, fmt.Errorf("source %T implements neither connector.Source nor connector.ColumnSource", d.source)
}

// push decodes a parcel of split s, emits it and counts it.
func (d *sourceDriver) push(s connector.Split, p *parcel) error {
	rows, bytes := d.metrics.RowsIn.Load(), d.metrics.BytesIn.Load()
	err := d.emit(s, p)
	if c := d.counts[s.ID]; c != nil {
		c.Rows.Add(d.metrics.RowsIn.Load() - rows)
		c.Bytes.Add(d.metrics.BytesIn.Load() - bytes)
	}
	d.located(s.ID)
	return err
}

func (d *sourceDriver) emit(s connector.Split, p *parcel) error {
	if p.at != "" {
		d.positions.set(s.ID, p.at)
	}
	if p.chunk != nil {
		return d.emitChunk(s, p.chunk, p.view)
	}
	if d.decode != nil {
		p.recs.Split = s.ID
		d.metrics.BytesIn.Add(p.recs.Bytes)
		err := d.decode.push(&p.recs, s, d.out, d.metrics, d.between)
		d.settle()
		return err
	}
	if p.batch.N > 0 {
		p.batch.Origin.Split = s.ID
		if err := d.columns.push(p.batch, d.out, d.metrics); err != nil {
			return err
		}
	}
	if p.batch.Origin.Last != "" {
		d.positions.set(s.ID, p.batch.Origin.Last)
	}
	return d.poll()
}

// between is called after each batch with its last record. The position is
// made of it only when somebody asks, or the records go (settle).
func (d *sourceDriver) between(split string, recs *format.Records, last int) error {
	d.unsettled.split, d.unsettled.recs, d.unsettled.last = split, recs, last
	return d.poll()
}

// settle notes the position behind the last batch emitted.
func (d *sourceDriver) settle() {
	if u := &d.unsettled; u.recs != nil {
		d.positions.mark(u.split, u.recs, u.last)
		u.recs = nil
	}
}

// readSplit reads and pushes a split in this goroutine: for sources that never wait long.
func (d *sourceDriver) readSplit(ctx context.Context, s connector.Split) error {
	r, err := d.openSplit(ctx, s, d.start[s.ID])
	if err != nil {
		return err
	}
	defer func() { _ = r.close() }() // what was read stays read
	var p parcel
	for {
		err := r.read(ctx, &p)
		if err != nil && !errors.Is(err, io.EOF) {
			// What was read before the damage still counts.
			if perr := d.push(s, &p); perr != nil {
				return perr
			}
			return err
		}
		if perr := d.push(s, &p); perr != nil {
			return perr
		}
		if err != nil {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := d.poll(); err != nil {
			return err
		}
	}
}

// poll injects a barrier that is due, tells the time and notices a stop.
func (d *sourceDriver) poll() error {
	for {
		select {
		case b := <-d.barriers:
			if err := d.barrier(b); err != nil {
				return err
			}
			if b.final {
				d.barriers = nil
				return errStopped
			}
			continue
		case <-d.stop:
			return errStopped
		default:
			return d.tick()
		}
	}
}

// tick tells operators the time, now and then.
func (d *sourceDriver) tick() error {
	now := d.now()
	if now.Sub(d.lastTick) < tickEvery && !now.Before(d.lastTick) {
		return nil
	}
	d.lastTick = now
	return d.out.Forward(exec.Event{Kind: exec.Tick, Time: now.UnixMilli()})
}

func (d *sourceDriver) barrier(b barrier) error {
	d.settle()
	if err := d.out.Forward(exec.Event{Kind: exec.Barrier, Epoch: b.epoch, Final: b.final}); err != nil {
		return err
	}
	positions := d.positions.all()
	at := make(map[string]string, len(positions))
	for s, p := range positions {
		at[d.task.nodes[0].cx.ID+"/"+s] = p
	}
	return d.task.acknowledge(b.epoch, at)
}
