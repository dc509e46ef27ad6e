package runtime

import (
	"context"
	"errors"
	"io"
	"slices"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/format"
)

// sharedSplit is what a group has read of one split: a log of the last chunks, in
// which each attached cursor has its place. There is no goroutine behind it: a
// member that wants what comes next reads it itself, for all (lead). All fields
// are under the group's lock.
//
//	base                               head
//	  | chunk first | … | chunk end-1 |  (what is read next)
//	       ^ next of a slow cursor       ^ next of the fastest
type sharedSplit struct {
	g       *scanGroup
	id      string
	cursors []*cursor

	// begun tells that the group reads the split; until then its cursors read alone.
	begun bool
	// touched tells that a cursor has read some of it.
	touched bool
	start   string // what the empty head means, if head is that
	chunks  []*chunk
	first   int64 // number of chunks[0], or of the next chunk
	bytes   int64 // of chunks
	base    string
	head    string
	placed  string // what the empty head has come to
	eof     bool   // the last chunk is the end of the split

	reader   connector.Reader // at head; nil: to be opened
	owner    *scanMember      // whose source it is of
	leading  bool             // somebody reads
	retiring bool             // the reader's owner leaves: nobody may begin to read
	cancel   context.CancelFunc
	plan     *sharePlan // what is decoded; nil: to be found anew
	decoding *sharePlan // of the chunk being decoded
	changed  chan struct{}
	spare    []*chunk

	// marks are the last positions behind chunks, of the group or, before it has
	// begun, of the cursor furthest on (front). Who reaches one of them is near.
	marks  []string
	front  *cursor
	wanted bool // somebody is near the front: the group should begin
}

// The most marks and spare chunks of a split.
const (
	mostMarks = 32
	mostSpare = 4
)

// chunk is what one read has brought, decoded. It does not change while it is in
// the log or anybody works on it.
type chunk struct {
	recs  format.Records
	parts []*sharePart
	plan  *sharePlan
	last  string // position behind it
	eof   bool
	bytes int64 // of memory, about

	kept bool // in the log
	refs int  // members that work on it
}

func (sp *sharedSplit) end() int64 { return sp.first + int64(len(sp.chunks)) }

// border is the position in front of chunks[i].
func (sp *sharedSplit) border(i int) string {
	if i == 0 {
		return sp.base
	}
	return sp.chunks[i-1].last
}

// notify wakes who waits for the log to grow or for its turn to read.
func (sp *sharedSplit) notify() {
	close(sp.changed)
	sp.changed = make(chan struct{})
}

// mark notes a position behind a chunk.
func (sp *sharedSplit) mark(at string) {
	if len(sp.marks) == mostMarks {
		copy(sp.marks, sp.marks[1:])
		sp.marks = sp.marks[:mostMarks-1]
	}
	sp.marks = append(sp.marks, at)
}

// lead reads the next chunk for all, decodes it and appends it to the log. It is
// called and returns with the lock held, which it lets go meanwhile. If there is no
// reader it opens one and does no more.
func (sp *sharedSplit) lead(ctx context.Context, c *cursor) error {
	g := sp.g
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	sp.leading, sp.cancel, sp.touched = true, cancel, true
	defer func() {
		sp.leading, sp.cancel = false, nil
		sp.notify()
	}()
	r, head := sp.reader, sp.head
	if r == nil {
		g.mu.Unlock()
		r, err := c.m.source.Open(ctx, c.split, head)
		g.mu.Lock()
		if err != nil {
			return err
		}
		sp.reader, sp.owner = r, c.m
		if p, ok := r.(connector.Placed); ok && head == "" {
			sp.head, sp.base, sp.placed = p.At(), p.At(), p.At()
		}
		return nil
	}
	ch := sp.blank()
	g.mu.Unlock()
	err := r.Read(ctx, &ch.recs)
	g.mu.Lock()
	end := errors.Is(err, io.EOF)
	if len(ch.recs.Val) > 0 || ch.recs.Oversize > 0 || end {
		c.op.Shared.ReadBytes.Add(ch.recs.Bytes)
		if derr := sp.decode(c, ch); derr != nil {
			return derr
		}
		ch.eof = end
		sp.publish(ch)
	} else {
		sp.recycle(ch)
	}
	if end {
		sp.eof = true
		return nil
	}
	if err == nil {
		return nil
	}
	mine := sp.owner == c.m
	sp.reader, sp.owner = nil, nil
	g.mu.Unlock()
	_ = r.Close() // it has failed
	g.mu.Lock()
	if !mine {
		return nil // whoever reads next opens a reader of his own, and sees
	}
	return err
}

// decode decodes a chunk for all members that are at the log or about to come to it.
func (sp *sharedSplit) decode(c *cursor, ch *chunk) error {
	g, p := sp.g, sp.planned()
	d, err := p.decoder()
	if err != nil {
		return err
	}
	sp.decoding = p
	g.mu.Unlock()
	err = d.decode(ch, c.split)
	g.mu.Lock()
	sp.decoding = nil
	if err == nil {
		p.idle = append(p.idle, d)
	}
	return err
}

// blank returns a chunk to read into.
func (sp *sharedSplit) blank() *chunk {
	if n := len(sp.spare); n > 0 {
		ch := sp.spare[n-1]
		sp.spare = sp.spare[:n-1]
		return ch
	}
	return &chunk{}
}

// recycle keeps a chunk that nobody works on for the next read.
func (sp *sharedSplit) recycle(ch *chunk) {
	if len(sp.spare) < mostSpare {
		sp.spare = append(sp.spare, ch)
	}
}

// publish appends a chunk to the log. Cursors of members that are too far behind
// for it have to read alone.
func (sp *sharedSplit) publish(ch *chunk) {
	ch.kept, ch.last = true, sp.head
	if n := len(ch.recs.Val); n > 0 {
		ch.last = ch.recs.Position(n - 1)
	}
	sp.head = ch.last
	sp.mark(ch.last)
	sp.chunks = append(sp.chunks, ch)
	sp.bytes += ch.bytes
	for _, c := range sp.cursors {
		if c.attached {
			c.fallBehind(ch.bytes)
		}
	}
	for _, c := range sp.cursors {
		for c.attached && c.m.lag > c.m.maxLag {
			x := c.m.slowest()
			if x == nil {
				break
			}
			x.evict()
			if x.sp != sp {
				x.sp.trim()
			}
		}
		if !c.attached && c.since >= 0 && sp.bytes > c.m.maxLag {
			c.exclude() // it does not come near fast enough to wait for it
		}
	}
	sp.trim()
}

// slowest is the cursor of m furthest behind by more than one chunk.
func (m *scanMember) slowest() *cursor {
	var out *cursor
	for _, c := range m.cursors {
		if c.attached && c.sp.end()-c.next > 1 && (out == nil || c.lag > out.lag) {
			out = c
		}
	}
	return out
}

// trim drops chunks that nobody attached has before it, unless somebody who reads
// alone is about to meet the log.
func (sp *sharedSplit) trim() {
	low := sp.end()
	for _, c := range sp.cursors {
		switch {
		case c.attached:
			low = min(low, c.next)
		case c.since >= 0 && c.known && c.pos < sp.head:
			return
		}
	}
	for sp.first < low {
		ch := sp.chunks[0]
		sp.chunks[0] = nil
		sp.chunks = sp.chunks[1:]
		sp.first++
		sp.base = ch.last
		sp.bytes -= ch.bytes
		ch.kept = false
		if ch.refs == 0 {
			sp.recycle(ch)
		}
	}
}

// release says that a member has worked a chunk off.
func (sp *sharedSplit) release(ch *chunk) {
	if ch.refs--; ch.refs == 0 && !ch.kept {
		sp.recycle(ch)
	}
}

// begin makes the cursor furthest on, whose reader is at its position, the first
// of the group's.
func (sp *sharedSplit) begin(c *cursor) {
	sp.begun, sp.wanted, sp.front = true, false, nil
	sp.reader, sp.owner, c.own = c.own, c.m, nil
	sp.head, sp.base, sp.eof = c.pos, c.pos, false
	c.include()
	c.attach(sp.end())
	for _, x := range sp.cursors {
		if !x.attached && x.known && len(sp.marks) > 0 && x.pos >= sp.marks[0] && x.pos <= sp.head {
			x.include()
		}
	}
}

// dissolve lets the last cursor of the log read alone, with the reader that is there.
func (sp *sharedSplit) dissolve(c *cursor) {
	c.detach()
	c.exclude()
	if sp.owner == c.m {
		c.own = sp.reader
	} else {
		c.retired = sp.reader
	}
	sp.reader, sp.owner = nil, nil
	sp.begun, sp.front = false, c
	c.known = c.pos != ""
	sp.trim()
}

// split returns the group's split of that id.
func (g *scanGroup) split(id string) *sharedSplit {
	sp := g.splits[id]
	if sp == nil {
		sp = &sharedSplit{g: g, id: id, changed: make(chan struct{})}
		g.splits[id] = sp
	}
	return sp
}

// remove takes a cursor out. What is left of a log that nobody is attached to is
// the reader, which it returns.
func (sp *sharedSplit) remove(c *cursor) (left connector.Reader) {
	if c.attached {
		c.detach()
	}
	c.exclude()
	sp.cursors = slices.DeleteFunc(sp.cursors, func(x *cursor) bool { return x == c })
	c.m.cursors = slices.DeleteFunc(c.m.cursors, func(x *cursor) bool { return x == c })
	if sp.front == c {
		sp.front, sp.marks, sp.wanted = nil, nil, false
	}
	if !slices.ContainsFunc(sp.cursors, func(x *cursor) bool { return x.attached }) {
		left, sp.reader, sp.owner = sp.reader, nil, nil
		sp.begun = false
		for _, x := range sp.cursors {
			x.exclude()
		}
	}
	sp.trim()
	sp.notify()
	if len(sp.cursors) == 0 && sp.g.splits[sp.id] == sp {
		delete(sp.g.splits, sp.id)
	}
	return left
}
