package rocketmq

import (
	"context"
	"io"
	"slices"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/connector/metadata"
	"github.com/runnelio/runnel/connectors/rocketmq/remoting"
	"github.com/runnelio/runnel/format"
)

// reader reads one queue. While its caller works on what it got, the next pull
// is under way already.
type reader struct {
	s       *source
	q       remoting.Queue
	next    int64 // offset to pull from
	end     int64 // first offset not to read, -1: none
	seen    seen
	pending *remoting.Pending
	msgs    remoting.Messages
	owned   map[*format.Records]*page
	retry   backoff
}

// page is the memory behind a Records beside its buffer: callers go round with
// two of them, and one must not change while the other is filled.
type page struct {
	offsets []int64
	meta    metadata.Columns
	// before is the dedupe vector ahead of the first record, noted what each
	// record with an id added: a position is made only when somebody asks.
	before seen
	noted  []note
}

type note struct {
	record int
	w      writer
}

// Open implements connector.Source.
func (s *source) Open(ctx context.Context, sp connector.Split, at connector.Position) (connector.Reader, error) {
	q, err := queue(sp.ID)
	if err != nil {
		return nil, err
	}
	r := &reader{s: s, q: q, end: -1, owned: map[*format.Records]*page{}}
	if at != "" {
		if r.next, r.seen, err = parsePosition(at); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	appeared := s.appeared[sp.ID]
	s.mu.Unlock()
	err = s.persist(ctx, "the queue's offsets cannot be asked for", func() (err error) {
		if at == "" {
			if r.next, err = s.span.begin(ctx, s.client, s.o.Group, q, appeared); err != nil {
				return err
			}
		}
		r.end, err = s.span.end(ctx, s.client, q)
		return err
	})
	if err != nil {
		return nil, err
	}
	s.log.Debug("queue opened", "queue", sp.ID, "offset", r.next, "end", r.end)
	return r, nil
}

// Read implements connector.Reader.
func (r *reader) Read(ctx context.Context, into *format.Records) error {
	buf := into.Buf
	into.Reset()
	into.Split = r.q.String()
	for {
		if r.end >= 0 && r.next >= r.end {
			return io.EOF
		}
		if ctx.Err() != nil {
			return nil
		}
		if r.pending == nil {
			r.start(ctx, buf)
			buf = nil
		}
		if err := r.pending.Wait(ctx); err != nil {
			if ctx.Err() != nil {
				return nil // the pull goes on; its answer is for the next call
			}
			r.pending = nil
			if !r.s.temporary(err) {
				return err
			}
			r.s.health.Failing("pull "+r.q.String(), err)
			r.retry.failed(r.s.log.With("queue", r.q.String()), "messages cannot be pulled", err)
			if !r.retry.wait(ctx) {
				return nil
			}
			continue
		}
		r.pending = nil
		if r.retry.delay > 0 {
			r.s.health.Working("pull " + r.q.String())
			r.retry.worked(r.s.log.With("queue", r.q.String()), "messages are pulled again")
		}
		m := &r.msgs
		if m.Moved {
			r.moved()
			continue
		}
		if len(m.List) == 0 {
			r.next = max(r.next, m.Next) // filtered messages are passed by
			buf = m.Raw()
			continue
		}
		spare := r.fill(into, buf)
		if r.end < 0 || r.next < r.end {
			r.start(ctx, spare)
		}
		if len(into.Val) == 0 && into.Oversize == 0 {
			buf = into.Buf
			into.Reset()
			continue // all were repetitions, or behind the end
		}
		return nil
	}
}

func (r *reader) start(ctx context.Context, buf []byte) {
	r.msgs.Lend(buf)
	r.pending = r.s.client.StartPull(ctx, remoting.PullRequest{Queue: r.q, Group: r.s.o.Group, Offset: r.next, Max: r.s.o.PullBatch, Bytes: 8 << 20,
		Wait: r.s.o.PullWait, Filter: r.s.filter}, &r.msgs)
}

// moved handles an offset that the queue does not have (any more).
func (r *reader) moved() {
	m := &r.msgs
	if m.Next > r.next {
		r.s.log.Warn("messages were deleted by the broker before they were read", "queue", r.q.String(), "from", r.next, "to", m.Next, "lost", m.Next-r.next)
	} else if r.next > m.Max {
		r.s.log.Warn("the queue ends before the offset to read: it was made anew, or its broker lost messages", "queue", r.q.String(), "offset", r.next, "end", m.Max)
	}
	r.next = m.Next
}

// page returns the memory that belongs to into.
func (r *reader) page(into *format.Records) *page {
	p := r.owned[into]
	if p == nil {
		if len(r.owned) > 8 {
			clear(r.owned) // a caller that comes with new Records each time
		}
		p = &page{meta: r.s.meta.Fresh()}
		r.owned[into] = p
	}
	p.offsets, p.noted = p.offsets[:0], p.noted[:0]
	p.meta.Reset()
	p.before = seen{slices.Clone(r.seen.writers)}
	return p
}

// fill makes records of the messages pulled. They stay where they were received
// and buf, the memory of into, is spare then; or, if some had to be decompressed,
// all are copied to buf and the memory they were received in is spare.
func (r *reader) fill(into *format.Records, buf []byte) (spare []byte) {
	m, p := &r.msgs, r.page(into)
	inPlace := true
	for i := range m.List {
		inPlace = inPlace && m.List[i].At >= 0
	}
	if inPlace {
		into.Buf, spare = m.Raw(), buf
	} else {
		into.Buf, spare = buf[:0], m.Raw()
	}
	most := int(r.s.o.MaxRecord)
	for i := range m.List {
		msg := &m.List[i]
		if msg.Offset < r.next || r.end >= 0 && msg.Offset >= r.end {
			continue
		}
		if r.s.o.Dedupe {
			if id := msg.Property(PropRecordID); id != nil {
				again, w := r.seen.repeated(id, msg.Offset)
				if again {
					continue
				}
				if w != nil {
					p.noted = append(p.noted, note{len(p.offsets), *w})
				}
			}
		}
		if len(msg.Body) > most {
			into.Oversize++
			into.OversizeHead = append(into.OversizeHead, slices.Clone(msg.Body[:min(most, 1024)]))
			continue
		}
		at := msg.At
		if !inPlace {
			at = int32(len(into.Buf))
			into.Buf = append(into.Buf, msg.Body...)
		}
		into.Val = append(into.Val, format.Span{Off: at, Len: int32(len(msg.Body))})
		p.offsets = append(p.offsets, msg.Offset)
		r.describe(p.meta, msg)
	}
	if !inPlace {
		into.Buf = slices.Grow(into.Buf, 64)
	}
	into.Bytes = int64(m.Bytes)
	p.meta.Put(into)
	into.PosAt = p.position
	r.next = max(r.next, m.Next)
	if r.end >= 0 {
		r.next = min(r.next, r.end)
	}
	return spare
}

// position is where to go on behind record i.
func (p *page) position(dst []byte, i int) []byte {
	s := seen{slices.Clone(p.before.writers)}
	for _, n := range p.noted {
		if n.record > i {
			break
		}
		s.put(n.w)
	}
	return append(dst, position(p.offsets[i]+1, &s)...)
}

// describe appends a message's metadata.
func (r *reader) describe(cols metadata.Columns, m *remoting.Message) {
	for _, c := range cols {
		if !c.Wanted {
			continue
		}
		text := func(b []byte) {
			if b == nil {
				c.Null()
				return
			}
			c.Text(b)
		}
		switch c.Key {
		case "topic":
			c.Text([]byte(r.q.Topic))
		case "broker":
			c.Text([]byte(r.q.Broker))
		case "queue-id":
			c.Int(int64(r.q.ID))
		case "offset":
			c.Int(m.Offset)
		case "keys":
			text(m.Property(remoting.PropKeys))
		case "tags":
			text(m.Property(remoting.PropTags))
		case "message-id":
			text(m.Property(remoting.PropUniqueKey))
		case "born-time":
			c.Time(m.Born)
		case "store-time":
			c.Time(m.Stored)
		case "reconsume-times":
			c.Int(int64(m.Reconsume))
		case "properties":
			if c.Map() {
				for k, v := range m.EachProperty() {
					c.Entry(k, v)
				}
			}
		}
	}
}

// At implements connector.Placed.
func (r *reader) At() connector.Position { return position(r.next, &r.seen) }

// Close implements connector.Reader.
func (r *reader) Close() error {
	if r.pending != nil {
		r.pending.Cancel()
		r.pending = nil
	}
	return nil
}
