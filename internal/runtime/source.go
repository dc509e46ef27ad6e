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

// sourceDriver reads the splits of one source task in turn, decodes and filters
// what it reads, and pushes batches and events down the chain. Between two
// batches it looks for barriers to inject and for a request to stop.
type sourceDriver struct {
	task    *task
	source  any // connector.Source or connector.ColumnSource
	splits  []connector.Split
	start   map[string]string // positions to go on from, by split
	decode  *scanDecoder      // nil for column sources
	columns *columnScan       // nil for record sources
	out     exec.Output
	metrics *metrics.Op

	barriers <-chan int64
	stop     <-chan struct{}
	// positions is where each split has been emitted to.
	positions map[string]string
	unsettled struct {
		split string
		recs  *format.Records
		last  int
	}
	blocking bool // reading may block for long: read in a goroutine of its own
}

// blocker is a bounded source whose Read may block for long nevertheless (a terminal, a pipe).
type blocker interface{ MayBlock() bool }

func (d *sourceDriver) run(ctx context.Context) error {
	err := d.read(ctx)
	stopped := errors.Is(err, errStopped)
	if err != nil && !stopped {
		return err
	}
	if !stopped {
		if err := d.out.Forward(exec.Event{Kind: exec.Watermark, Time: exec.MaxWatermark}); err != nil {
			return err
		}
	}
	return d.out.Forward(exec.Event{Kind: exec.End})
}

func (d *sourceDriver) read(ctx context.Context) error {
	if d.decode != nil {
		if err := d.decode.open(); err != nil {
			return err
		}
		defer d.decode.close()
	}
	for _, s := range d.splits {
		if d.positions[s.ID] == endOfSplit {
			continue
		}
		if err := d.poll(); err != nil {
			return err
		}
		if err := d.readSplit(ctx, s); err != nil {
			if errors.Is(err, errEnough) {
				return nil
			}
			return err
		}
		d.positions[s.ID] = endOfSplit
	}
	return nil
}

// endOfSplit is the position of a split that was read to its end. It sorts behind all others.
const endOfSplit = "\xff"

// errEnough ends reading because LIMIT rows have been read.
var errEnough = errors.New("limit reached")

func (d *sourceDriver) readSplit(ctx context.Context, s connector.Split) error {
	switch src := d.source.(type) {
	case connector.Source:
		r, err := src.Open(ctx, s, d.start[s.ID])
		if err != nil {
			return err
		}
		defer r.Close()
		if d.blocking {
			return d.pump(ctx, func(ctx context.Context, p *parcel) error { return r.Read(ctx, &p.recs) }, d.pushRecords(s))
		}
		return d.loop(ctx, func(ctx context.Context, p *parcel) error { return r.Read(ctx, &p.recs) }, d.pushRecords(s))
	case connector.ColumnSource:
		r, err := src.OpenColumns(ctx, s, d.start[s.ID])
		if err != nil {
			return err
		}
		defer r.Close()
		read := func(ctx context.Context, p *parcel) error {
			if p.batch == nil {
				p.batch = vector.NewBatch(d.columns.physical, d.columns.size)
			}
			p.batch.Reset()
			return r.ReadBatch(ctx, p.batch, d.columns.size)
		}
		push := func(p *parcel) error {
			if p.batch.N > 0 {
				if err := d.columns.push(p.batch, d.out, d.metrics); err != nil {
					return err
				}
			}
			if p.batch.Origin.Last != "" {
				d.positions[s.ID] = p.batch.Origin.Last
			}
			return nil
		}
		if d.blocking {
			return d.pump(ctx, read, push)
		}
		return d.loop(ctx, read, push)
	}
	return fmt.Errorf("source %T implements neither connector.Source nor connector.ColumnSource", d.source)
}

// parcel is what one read brings.
type parcel struct {
	recs  format.Records
	batch *vector.Batch
}

func (d *sourceDriver) pushRecords(s connector.Split) func(*parcel) error {
	return func(p *parcel) error {
		p.recs.Split = s.ID
		d.metrics.BytesIn.Add(p.recs.Bytes)
		err := d.decode.push(&p.recs, s, d.out, d.metrics, d.between)
		d.settle()
		return err
	}
}

// between is called after each batch with its last record. The position is
// made of it only when somebody asks (settle): it is a new string.
func (d *sourceDriver) between(split string, recs *format.Records, last int) error {
	d.unsettled.split, d.unsettled.recs, d.unsettled.last = split, recs, last
	return d.poll()
}

// settle notes the position behind the last batch emitted.
func (d *sourceDriver) settle() {
	if u := &d.unsettled; u.recs != nil {
		d.positions[u.split] = u.recs.Position(u.last)
		u.recs = nil
	}
}

// loop reads and pushes in this goroutine: for sources that never wait long.
func (d *sourceDriver) loop(ctx context.Context, read func(context.Context, *parcel) error, push func(*parcel) error) error {
	var p parcel
	for {
		err := read(ctx, &p)
		if err != nil && !errors.Is(err, io.EOF) {
			// What was read before the damage still counts.
			if perr := push(&p); perr != nil {
				return perr
			}
			return err
		}
		if perr := push(&p); perr != nil {
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

// pump reads in a goroutine of its own, so that an idle source holds up neither
// barriers nor a stop. Two parcels go round.
func (d *sourceDriver) pump(ctx context.Context, read func(context.Context, *parcel) error, push func(*parcel) error) error {
	rctx, cancel := context.WithCancel(ctx)
	type result struct {
		p   *parcel
		err error
	}
	free := make(chan *parcel, 2)
	free <- &parcel{}
	free <- &parcel{}
	full := make(chan result)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			var p *parcel
			select {
			case p = <-free:
			case <-rctx.Done():
				return
			}
			err := read(rctx, p)
			select {
			case full <- result{p, err}:
			case <-rctx.Done():
				return
			}
			if err != nil {
				return
			}
		}
	}()
	defer func() {
		cancel()
		if b, ok := d.source.(blocker); ok && b.MayBlock() {
			return // a read of a terminal cannot be interrupted; the goroutine ends with its next line or the process
		}
		<-done
	}()
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case r := <-full:
			if r.err != nil && !errors.Is(r.err, io.EOF) && ctx.Err() == nil {
				if err := push(r.p); err != nil {
					return err
				}
				return r.err
			}
			if err := push(r.p); err != nil {
				return err
			}
			if r.err != nil {
				if ctx.Err() != nil {
					return context.Cause(ctx)
				}
				return nil
			}
			free <- r.p
		case epoch := <-d.barriers:
			if err := d.barrier(epoch); err != nil {
				return err
			}
		case <-d.stop:
			return errStopped
		case <-ticker.C:
			if err := d.out.Forward(exec.Event{Kind: exec.Tick, Time: time.Now().UnixMilli()}); err != nil {
				return err
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if err := d.poll(); err != nil {
			return err
		}
	}
}

// poll injects a barrier that is due and notices a stop.
func (d *sourceDriver) poll() error {
	for {
		select {
		case epoch := <-d.barriers:
			if err := d.barrier(epoch); err != nil {
				return err
			}
			continue
		case <-d.stop:
			return errStopped
		default:
			return nil
		}
	}
}

func (d *sourceDriver) barrier(epoch int64) error {
	d.settle()
	if err := d.out.Forward(exec.Event{Kind: exec.Barrier, Epoch: epoch}); err != nil {
		return err
	}
	at := make(map[string]string, len(d.positions))
	for s, p := range d.positions {
		at[d.task.nodes[0].cx.ID+"/"+s] = p
	}
	d.task.acknowledge(epoch, at)
	return nil
}
