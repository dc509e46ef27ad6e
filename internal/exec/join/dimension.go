package join

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/runnelio/runnel/internal/state"
	"github.com/runnelio/runnel/vector"
)

// Dimension is a table held in memory to be looked up by key. The tasks of an
// operator share one; the first that needs it loads it, and where it is reloaded
// the last one that closes it ends that. While it is read again the rows there are
// go on serving, and if reading fails they stay.
type Dimension struct {
	Keys []int // of the table's rows
	// Load hands on all rows of the table.
	Load func(ctx context.Context, row func(b *vector.Batch) error) error
	// Next is how long after now, and after a reading that began at began, the
	// table is read again; nil: never.
	Next func(began, now time.Time) time.Duration
	// Now is the clock; needed with Next.
	Now func() time.Time
	// Failed is told of readings that failed, with nil of one that did not; may be nil.
	Failed func(err error)

	mu      sync.Mutex
	users   int
	loaded  bool
	err     error
	stop    context.CancelFunc
	stopped chan struct{}
	now     atomic.Pointer[dimensionRows]
}

// dimensionRows is the table as it was read once. It never changes.
type dimensionRows struct {
	keys *state.Table // key -> rows
	of   [][]int32
	rows state.Values
}

// open loads the table unless another task has.
func (d *Dimension) open(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.loaded {
		d.loaded = true
		began := time.Time{}
		if d.Next != nil {
			began = d.Now()
		}
		var rows *dimensionRows
		if rows, d.err = d.read(ctx); d.err == nil {
			d.now.Store(rows)
			if d.Next != nil {
				d.reload(ctx, began)
			}
		}
	}
	d.users++
	return d.err
}

// close ends the reloading with its last user.
func (d *Dimension) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.users--
	if d.users == 0 && d.stop != nil {
		d.stop()
		<-d.stopped
		d.stop = nil
	}
}

// reload starts the goroutine that reads the table again and again.
func (d *Dimension) reload(ctx context.Context, began time.Time) {
	ctx, d.stop = context.WithCancel(ctx)
	d.stopped = make(chan struct{})
	go func() {
		defer close(d.stopped)
		for {
			t := time.NewTimer(d.Next(began, d.Now()))
			select {
			case <-t.C:
			case <-ctx.Done():
				t.Stop()
				return
			}
			began = d.Now()
			rows, err := d.read(ctx)
			if ctx.Err() != nil {
				return
			}
			if err == nil {
				d.now.Store(rows)
			}
			if d.Failed != nil {
				d.Failed(err)
			}
		}
	}()
}

// read reads the table.
func (d *Dimension) read(ctx context.Context) (*dimensionRows, error) {
	t := &dimensionRows{keys: state.NewTable()}
	var key, buf []byte
	err := d.Load(ctx, func(b *vector.Batch) error {
		b.Rows(func(i int) {
			key = key[:0]
			for _, c := range d.Keys {
				if b.Cols[c].IsNull(i) {
					return // no = finds it
				}
				key = vector.AppendKey(key, b.Cols[c], i)
			}
			id, added := t.keys.FindOrAdd(vector.HashKey(key), key)
			if added {
				t.of = append(t.of, nil)
			}
			buf = vector.AppendRowOf(buf[:0], b.Cols, i)
			t.of[id] = append(t.of[id], t.rows.Add(buf))
		})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return t, nil
}

func (t *dimensionRows) bytes() int64 { return t.keys.Bytes() + t.rows.Bytes() + int64(cap(t.of))*28 }
