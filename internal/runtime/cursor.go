package runtime

import (
	"context"
	"errors"
	"io"
	"sort"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/internal/metrics"
)

// cursor is a member's place in one split. It is attached to the log of the group,
// or reads alone with a reader of its own until its position is one between two
// chunks of the log. Its fields are under the group's lock.
type cursor struct {
	m     *scanMember
	sp    *sharedSplit
	split connector.Split
	op    *metrics.Op // of the task that reads it; nil until it is opened

	pos   string // behind what it was given
	known bool   // pos is that: it is not followed while nobody else reads the split

	attached bool
	next     int64 // number of the chunk it gets next
	lag      int64 // bytes of the log from there on
	// since is the first chunk from which on all are decoded for the member too, -1
	// if they are not.
	since int64

	own     connector.Reader
	retired connector.Reader // to be closed
	closed  bool
}

// expect gives m a cursor of a split that it will come to, at a position. The
// group keeps what it reads of it until then, as far as it may lag.
func (m *scanMember) expect(s connector.Split, at string) {
	m.group.mu.Lock()
	defer m.group.mu.Unlock()
	m.place(s, at)
}

// place makes a cursor. It is attached if the log is where it begins.
func (m *scanMember) place(s connector.Split, at string) *cursor {
	sp := m.group.split(s.ID)
	c := &cursor{m: m, sp: sp, split: s, pos: at, known: at != "", since: -1}
	sp.cursors = append(sp.cursors, c)
	m.cursors = append(m.cursors, c)
	switch {
	case !sp.begun && !sp.touched:
		sp.begun, sp.head, sp.base, sp.start = true, at, at, m.start
		c.include()
		c.attach(sp.end())
	case sp.begun && sp.first == 0 && sp.base == at && (at != "" || sp.start == m.start):
		if c.include(); c.since == 0 {
			c.attach(0)
		}
	case sp.begun && at != "":
		c.meet()
	}
	return c
}

// open returns a reader of a split for a task whose metrics are op.
func (m *scanMember) open(s connector.Split, at string, op *metrics.Op) *splitReader {
	m.group.mu.Lock()
	defer m.group.mu.Unlock()
	var c *cursor
	for _, x := range m.cursors {
		if x.split.ID == s.ID && x.op == nil {
			c = x
		}
	}
	if c == nil {
		c = m.place(s, at)
	}
	c.op = op
	return &splitReader{split: s, read: c.read, close: c.close}
}

// read gives the next chunk of the log, or what the cursor's own reader reads.
func (c *cursor) read(ctx context.Context, p *parcel) error {
	g, sp := c.m.group, c.sp
	p.at = ""
	open := g.scans.wait(ctx)
	g.mu.Lock()
	defer g.mu.Unlock()
	if p.chunk != nil {
		sp.release(p.chunk)
	}
	p.empty()
	for open && ctx.Err() == nil {
		if r := c.retired; r != nil {
			c.retired = nil
			g.mu.Unlock()
			_ = r.Close() // its records are read
			g.mu.Lock()
			continue
		}
		switch {
		case c.attached && c.pos == "" && sp.placed != "":
			// "The latest" must mean the same after a restart, even if no row came.
			c.pos, p.at = sp.placed, sp.placed
			return nil
		case !c.attached && !c.meet():
			return c.readAlone(ctx, p)
		case c.retired != nil:
		case c.next < sp.end():
			return c.take(p)
		case sp.eof:
			return io.EOF
		case sp.leading || sp.retiring:
			changed := sp.changed
			g.mu.Unlock()
			select {
			case <-changed:
			case <-ctx.Done():
			}
			g.mu.Lock()
		case c.isLast():
			sp.dissolve(c)
		default:
			if err := sp.lead(ctx, c); err != nil {
				if c.attached && c.next < sp.end() {
					_ = c.take(p) // what was read before the damage still counts
				}
				return err
			}
		}
	}
	return nil
}

// take gives the parcel the next chunk.
func (c *cursor) take(p *parcel) error {
	ch := c.sp.chunks[c.next-c.sp.first]
	c.next++
	c.fallBehind(-ch.bytes)
	c.pos, c.known = ch.last, true
	ch.refs++
	p.chunk, p.view = ch, ch.plan.place[c.m]
	c.sp.trim()
	if ch.eof {
		return io.EOF
	}
	return nil
}

// isLast tells that nobody else is at the log or about to come to it.
func (c *cursor) isLast() bool {
	for _, x := range c.sp.cursors {
		if x != c && (x.attached || x.since >= 0) {
			return false
		}
	}
	return true
}

// readAlone reads with the cursor's own reader. It lets the lock go meanwhile.
func (c *cursor) readAlone(ctx context.Context, p *parcel) error {
	g := c.m.group
	c.sp.touched = true
	r, pos := c.own, c.pos
	if r == nil {
		g.mu.Unlock()
		r, err := c.m.source.Open(ctx, c.split, pos)
		g.mu.Lock()
		if err != nil {
			return err
		}
		c.own = r
		if at, ok := r.(connector.Placed); ok && pos == "" && at.At() != "" {
			c.pos, c.known, p.at = at.At(), true, at.At()
		}
		return nil
	}
	g.mu.Unlock()
	err := r.Read(ctx, &p.recs)
	g.mu.Lock()
	c.op.Shared.ReadBytes.Add(p.recs.Bytes)
	if n := len(p.recs.Val); n == 0 || err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if c.passed(&p.recs) {
		return nil // the end, if it was there, comes from the log
	}
	return err
}

// passed notes what the cursor has read alone. If a place between two chunks of the
// log is in it, it is cut there and the cursor attached.
func (c *cursor) passed(recs *format.Records) (met bool) {
	sp, n := c.sp, len(recs.Val)
	if len(sp.cursors) == 1 {
		c.known = false
		sp.front, sp.marks, sp.wanted = nil, nil, false
		return false
	}
	// The log has come up to where the cursor was while it waited for these records:
	// they are read again with the log. Else who is always a little earlier than the
	// log would never be attached.
	if sp.begun && recs.Oversize == 0 && c.meet() {
		cut(recs, 0)
		return true
	}
	last := recs.Position(n - 1)
	if sp.begun && c.since >= 0 && recs.Oversize == 0 {
		first := recs.Position(0)
		for i := len(sp.chunks); i >= 0 && sp.first+int64(i) >= c.since; i-- {
			b := sp.border(i)
			if b > last {
				continue
			}
			if b < first {
				break
			}
			k := sort.Search(n, func(k int) bool { return recs.Position(k) >= b })
			if k < n && recs.Position(k) == b {
				cut(recs, k+1)
				c.pos, c.known = b, true
				c.attach(sp.first + int64(i))
				return true
			}
		}
	}
	c.pos, c.known = last, true
	switch {
	case sp.begun:
		if c.since < 0 && len(sp.marks) > 0 && last >= sp.marks[0] && last <= sp.head {
			c.include()
		}
	case len(sp.marks) == 0 || last > sp.marks[len(sp.marks)-1]:
		sp.mark(last)
		sp.front = c
	case last >= sp.marks[0]:
		sp.wanted = true
	}
	return false
}

// cut keeps the first n records.
func cut(recs *format.Records, n int) {
	recs.Bytes = recs.Bytes * int64(n) / int64(len(recs.Val))
	recs.Val = recs.Val[:n]
	if len(recs.Key) > n {
		recs.Key = recs.Key[:n]
	}
	if len(recs.Pos) > n {
		recs.Pos = recs.Pos[:n]
	}
}

// meet attaches a cursor whose position is one between two chunks of the log, or
// begins the log with it.
func (c *cursor) meet() bool {
	sp := c.sp
	if !c.known {
		return false
	}
	if !sp.begun {
		if sp.wanted && sp.front == c && c.own != nil {
			sp.begin(c)
			return true
		}
		return false
	}
	for i := len(sp.chunks); i >= 0; i-- {
		if sp.border(i) != c.pos {
			continue
		}
		c.include()
		if sp.first+int64(i) < c.since {
			return false
		}
		c.attach(sp.first + int64(i))
		return true
	}
	return false
}

// attach puts the cursor in front of chunk number next.
func (c *cursor) attach(next int64) {
	c.attached, c.next = true, next
	for _, ch := range c.sp.chunks[next-c.sp.first:] {
		c.fallBehind(ch.bytes)
	}
	if c.own != nil {
		c.retired, c.own = c.own, nil
	}
	c.m.stats[0].Shared.Joined.Add(1)
}

func (c *cursor) detach() {
	c.fallBehind(-c.lag)
	c.attached = false
}

// evict has a cursor that is too far behind read alone.
func (c *cursor) evict() {
	c.detach()
	c.exclude()
	c.m.stats[0].Shared.Left.Add(1)
}

// fallBehind notes that the cursor has so many bytes more before it, or less.
func (c *cursor) fallBehind(bytes int64) {
	c.lag += bytes
	c.m.lag += bytes
	c.m.stats[0].Shared.Lag.Store(c.m.lag)
}

// include has the split decoded for the cursor's member from the next chunk on, or
// from an earlier one if it was already.
func (c *cursor) include() {
	if c.since >= 0 {
		return
	}
	sp := c.sp
	sp.plan, c.since = nil, sp.end()
	if sp.decoding != nil && !sp.decoding.has(c.m) {
		c.since++
		return
	}
	for c.since > sp.first && sp.chunks[c.since-1-sp.first].plan.has(c.m) {
		c.since--
	}
}

// exclude ends that.
func (c *cursor) exclude() {
	if c.since < 0 {
		return
	}
	c.since = -1
	c.sp.plan = nil
}

// close ends reading. A reader that the group has of this member's source is
// closed with it; others open one of theirs.
func (c *cursor) close() error {
	g, sp := c.m.group, c.sp
	g.mu.Lock()
	if c.closed {
		g.mu.Unlock()
		return nil
	}
	c.closed = true
	readers := []connector.Reader{c.own, c.retired}
	if sp.owner == c.m {
		sp.retiring = true
		for sp.leading {
			sp.cancel()
			changed := sp.changed
			g.mu.Unlock()
			<-changed // whoever reads watches its context
			g.mu.Lock()
		}
		sp.retiring = false
		if sp.owner == c.m {
			readers = append(readers, sp.reader)
			sp.reader, sp.owner = nil, nil
		}
	}
	readers = append(readers, sp.remove(c))
	g.mu.Unlock()
	var errs []error
	for _, r := range readers {
		if r != nil {
			errs = append(errs, r.Close())
		}
	}
	return errors.Join(errs...)
}
