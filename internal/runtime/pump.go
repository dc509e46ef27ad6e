package runtime

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/vector"
)

// pumped is a split that is read by a goroutine of its own. Two parcels go round
// between it and the driver.
type pumped struct {
	split  connector.Split
	cancel context.CancelFunc
	free   chan *parcel
	done   chan struct{} // closed when the goroutine has ended
	idle   bool
	heard  time.Time // when rows last came
}

// arrival is a parcel that a split's goroutine has filled.
type arrival struct {
	from *pumped
	p    *parcel
	err  error
	// at is set in the first arrival of a split that began at no position: where that is.
	at string
}

// pump reads all splits of the task at once, each in its own goroutine, and
// works off what they bring in the order it comes.
func (d *sourceDriver) pump(ctx context.Context) error {
	live := map[string]*pumped{}
	full := make(chan arrival)
	defer func() {
		for _, p := range live {
			d.halt(p)
			if d.aligned != nil { // others of its group do not wait for it
				d.aligned.group.remove(d.aligned.name(p.split.ID))
			}
		}
	}()
	add := func(s connector.Split, at string) error {
		if err := d.added(s); err != nil {
			return err
		}
		live[s.ID] = d.startSplit(ctx, s, at, full)
		return nil
	}
	for _, s := range d.splits {
		if d.positions.ended(s.ID) {
			continue
		}
		if err := add(s, d.start[s.ID]); err != nil {
			return err
		}
	}
	if len(live) == 0 && d.commands != nil {
		// No split is this task's yet: the others' watermarks do not wait for it.
		if err := d.out.Forward(exec.Event{Kind: exec.Idle}); err != nil {
			return err
		}
	}
	every := tickEvery
	if d.aligned != nil {
		every = min(every, time.Duration(d.aligned.group.update)*time.Millisecond)
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for len(live) > 0 || d.commands != nil {
		select {
		case a := <-full:
			if live[a.from.split.ID] != a.from {
				continue // it was taken away meanwhile
			}
			if d.holds(a.from.split.ID) || d.waits(a.from.split.ID) {
				d.stash(a)
				break
			}
			if err := d.arrived(ctx, a, live); err != nil {
				if errors.Is(err, errEnough) {
					return nil
				}
				return err
			}
		case b := <-d.barriers:
			if err := d.barrier(b); err != nil {
				return err
			}
			if b.final {
				d.barriers = nil
				return errStopped
			}
		case c := <-d.commands:
			if err := d.command(c, live, add); err != nil {
				return err
			}
		case <-d.stop:
			return errStopped
		case <-ticker.C:
			if err := d.quiet(live); err != nil {
				return err
			}
			if enough, err := d.resume(ctx, live); err != nil || enough {
				return err
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if err := d.poll(); err != nil {
			return err
		}
	}
	return nil
}

// arrived works off a parcel and handles the end of its split.
func (d *sourceDriver) arrived(ctx context.Context, a arrival, live map[string]*pumped) error {
	s := a.from.split
	if _, ok := d.positions.of(s.ID); !ok && a.at != "" {
		// "The latest" must mean the same after a restart, even if no row came.
		d.positions.set(s.ID, a.at)
	}
	if a.p.hasRows() {
		a.from.heard = d.now()
		a.from.idle = false
		if d.aligned != nil {
			d.aligned.group.setIdle(d.aligned.name(s.ID), false)
		}
	}
	if err := d.push(s, a.p); err != nil {
		return err
	}
	switch {
	case a.err == nil:
		a.from.free <- a.p
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case !errors.Is(a.err, io.EOF):
		return a.err
	}
	d.positions.set(s.ID, endOfSplit)
	a.from.cancel()
	delete(live, s.ID)
	return d.removed(s.ID)
}

// resume works off what was stashed of splits that need not wait any more; enough
// tells that no more is to be read.
func (d *sourceDriver) resume(ctx context.Context, live map[string]*pumped) (enough bool, err error) {
	for len(d.stashed) > 0 {
		a, ok := d.unstash()
		if !ok {
			return false, nil
		}
		if live[a.from.split.ID] != a.from {
			continue
		}
		if err := d.arrived(ctx, a, live); err != nil {
			return errors.Is(err, errEnough), ignore(err, errEnough)
		}
		if err := d.poll(); err != nil {
			return false, err
		}
	}
	return false, nil
}

// ignore returns err unless it is the one given.
func ignore(err, that error) error {
	if errors.Is(err, that) {
		return nil
	}
	return err
}

// quiet tells the time, and which splits have been without rows for too long.
func (d *sourceDriver) quiet(live map[string]*pumped) error {
	now := d.now()
	if d.idle > 0 {
		for _, p := range live {
			if !p.idle && now.Sub(p.heard) >= d.idle && !d.holds(p.split.ID) {
				p.idle = true
				if d.aligned != nil {
					d.aligned.group.setIdle(d.aligned.name(p.split.ID), true)
				}
				if err := d.out.Forward(exec.Event{Kind: exec.Idle, Split: p.split.ID}); err != nil {
					return err
				}
			}
		}
	}
	d.lastTick = now
	return d.out.Forward(exec.Event{Kind: exec.Tick, Time: now.UnixMilli()})
}

// startSplit starts the goroutine of a split.
func (d *sourceDriver) startSplit(ctx context.Context, s connector.Split, at string, full chan<- arrival) *pumped {
	rctx, cancel := context.WithCancel(ctx)
	p := &pumped{split: s, cancel: cancel, free: make(chan *parcel, 2), done: make(chan struct{}), heard: d.now()}
	p.free <- &parcel{}
	p.free <- &parcel{}
	go func() {
		defer close(p.done)
		r, err := d.openSplit(rctx, s, at)
		if err != nil {
			select {
			case full <- arrival{from: p, p: d.emptyParcel(), err: err}:
			case <-rctx.Done():
			}
			return
		}
		defer func() { _ = r.close() }() // what was read stays read
		if at == "" && r.at != "" {
			x := <-p.free
			select {
			case full <- arrival{from: p, p: x, at: r.at}:
			case <-rctx.Done():
				return
			}
		}
		for {
			var x *parcel
			select {
			case x = <-p.free:
			case <-rctx.Done():
				return
			}
			err := r.read(rctx, x)
			select {
			case full <- arrival{from: p, p: x, err: err}:
			case <-rctx.Done():
				return
			}
			if err != nil {
				return
			}
		}
	}()
	return p
}

// emptyParcel stands for a read that brought nothing.
func (d *sourceDriver) emptyParcel() *parcel {
	p := &parcel{}
	if d.columns != nil {
		p.batch = vector.NewBatch(d.columns.physical, 0)
	}
	return p
}

// halt stops the goroutine of a split and waits for it. A read of a terminal
// cannot be interrupted: that goroutine ends with its next line or the process.
func (d *sourceDriver) halt(p *pumped) {
	p.cancel()
	if b, ok := d.source.(blocker); ok && b.MayBlock() {
		return
	}
	<-p.done // it watches its own context wherever it waits
}

// splitAction is what is to happen with a split.
type splitAction uint8

const (
	splitAdd     splitAction = iota // start to read it
	splitStop                       // read no more of it; what was read stays
	splitRelease                    // after the commit: forget it
)

// splitCommand asks a driver to change its splits; done is closed when it has,
// or gets an error.
type splitCommand struct {
	action splitAction
	split  connector.Split
	at     string // position of splitAdd
	done   chan error
}

// refuse answers a command of a driver that is about to end.
func (c splitCommand) refuse() { c.done <- errStopped }

func (d *sourceDriver) command(c splitCommand, live map[string]*pumped, add func(connector.Split, string) error) error {
	p := live[c.split.ID]
	var err error
	switch c.action {
	case splitAdd:
		if p == nil {
			d.positions.remove(c.split.ID)
			if c.at != "" {
				d.positions.set(c.split.ID, c.at)
			}
			err = add(c.split, c.at)
		}
	case splitStop:
		if p != nil {
			delete(live, c.split.ID)
			d.halt(p)
			if d.aligned != nil {
				d.aligned.group.remove(d.aligned.name(c.split.ID))
			}
		}
	case splitRelease:
		d.positions.remove(c.split.ID)
		err = d.removed(c.split.ID)
		if err == nil && len(live) == 0 {
			err = d.out.Forward(exec.Event{Kind: exec.Idle})
		}
	}
	c.done <- nil
	return err
}
