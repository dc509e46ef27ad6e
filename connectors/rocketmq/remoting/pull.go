package remoting

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"
)

// Filter is what a broker sends only messages for. The zero Filter lets all pass.
type Filter struct {
	// Tags are the tags wanted, any of them; nil for all. Brokers compare hashes;
	// the client compares the words too.
	Tags []string
	// SQL is an SQL92 condition over properties; it needs enablePropertyFilter in the broker.
	SQL string
}

// ParseTags reads 'a || b' or '*'.
func ParseTags(s string) []string {
	var out []string
	for t := range strings.SplitSeq(s, "||") {
		if t = strings.TrimSpace(t); t != "" && t != "*" && !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	return out
}

func (f Filter) expression() (kind, text string) {
	switch {
	case f.SQL != "":
		return "SQL92", f.SQL
	case len(f.Tags) > 0:
		return "TAG", strings.Join(f.Tags, " || ")
	}
	return "TAG", "*"
}

// version numbers the filter: equal filters have equal versions.
func (f Filter) version() int64 {
	h := fnv.New64a()
	_, text := f.expression()
	h.Write([]byte(text))
	return int64(h.Sum64() >> 1)
}

// PullRequest asks for messages of a queue.
type PullRequest struct {
	Queue  Queue
	Group  string // the broker counts and authorises by it
	Offset int64
	Max    int           // messages; 0: 32. The broker may give fewer
	Bytes  int           // 0: as the broker likes
	Wait   time.Duration // how long the broker may wait for a message; 0: not at all
	Filter Filter
	// Replica is the broker's replica to read from; 0 is the master. A replica
	// that is gone is replaced by the master.
	Replica int64
}

// Pending is a pull under way.
type Pending struct {
	c      *Client
	q      Queue
	addr   string
	conn   *conn
	call   *call
	tags   []string
	deadln time.Time
	into   *Messages
	err    error
}

// StartPull sends a pull; Wait takes its answer. into belongs to the pull until then.
func (c *Client) StartPull(ctx context.Context, r PullRequest, into *Messages) *Pending {
	p := &Pending{c: c, q: r.Queue, tags: r.Filter.Tags, into: into}
	p.addr, p.err = c.broker(ctx, r.Queue, r.Replica)
	if p.err != nil {
		return p
	}
	p.conn, p.err = c.conn(ctx, p.addr)
	if p.err != nil {
		return p
	}
	if r.Max <= 0 {
		r.Max = 32
	}
	req := &command{code: codePull, fields: make([]field, 0, 18)}
	req.add("consumerGroup", c.full(r.Group))
	req.add("topic", c.full(r.Queue.Topic))
	req.addInt("queueId", int64(r.Queue.ID))
	req.addInt("queueOffset", r.Offset)
	req.addInt("maxMsgNums", int64(r.Max))
	flags := int64(pullSubscription)
	if r.Wait > 0 {
		flags |= pullSuspend
	}
	req.addInt("sysFlag", flags)
	req.add("commitOffset", "0")
	req.addInt("suspendTimeoutMillis", r.Wait.Milliseconds())
	kind, text := r.Filter.expression()
	req.add("subscription", text)
	req.addInt("subVersion", r.Filter.version())
	req.add("expressionType", kind)
	if r.Bytes > 0 {
		req.addInt("maxMsgBytes", int64(r.Bytes))
	}
	req.add("bname", r.Queue.Broker)
	c.cfg.sign(req)
	p.deadln = time.Now().Add(r.Wait + c.cfg.Timeout)
	p.call = p.conn.start(ctx, req, into.buf[:0])
	into.buf = nil // it is the call's now
	return p
}

// Ready is closed when Wait has its answer without waiting; nil if it has an error already.
func (p *Pending) Ready() <-chan struct{} {
	if p.call == nil {
		return nil
	}
	return p.call.done
}

// Wait fills the Messages given to StartPull. When ctx ends first the pull is
// still under way and Wait may be called again.
func (p *Pending) Wait(ctx context.Context) error {
	if p.err != nil {
		return p.failed(ctx, p.err)
	}
	select {
	case <-p.call.done: // without making a context, in the usual case under load
	default:
		t := time.NewTimer(time.Until(p.deadln))
		defer t.Stop()
		select {
		case <-p.call.done:
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-t.C:
			p.Cancel()
			p.err = &ConnError{p.addr, fmt.Errorf("no answer to a pull within %v of its end", p.c.cfg.Timeout)}
			// The connection is of no use if the answer to a pull is lost on it.
			p.conn.fail(errors.New("a pull was not answered"))
			return p.failed(ctx, p.err)
		}
	}
	if p.call.err != nil {
		p.err = p.call.err
		return p.failed(ctx, p.err)
	}
	p.err = p.take()
	return p.err
}

// Cancel gives the pull up. Its buffer is lost to the Messages.
func (p *Pending) Cancel() {
	if p.call != nil {
		p.conn.mu.Lock()
		delete(p.conn.pending, p.call.id)
		p.conn.mu.Unlock()
	}
}

func (p *Pending) failed(ctx context.Context, err error) error {
	var ce *ConnError
	if errors.As(err, &ce) && ctx.Err() == nil {
		p.c.lost(ctx, p.q)
	}
	return err
}

// take reads the answer.
func (p *Pending) take() error {
	m, head := p.into, &p.call.head
	m.buf, m.Bytes = p.call.body, len(p.call.body)
	m.List, m.Moved = m.List[:0], false
	switch head.code {
	case Success, pullNotFound, pullRetryImmediately, pullOffsetMoved:
	default:
		if head.code == TopicNotExist {
			p.c.forget(p.q.Topic)
		}
		return &Error{Op: "pull from " + p.q.String(), Addr: p.addr, Code: head.code, Remark: head.remark}
	}
	var err error
	if m.Next, err = head.getInt("nextBeginOffset"); err != nil {
		return err
	}
	if m.Min, err = head.getInt("minOffset"); err != nil {
		return err
	}
	if m.Max, err = head.getInt("maxOffset"); err != nil {
		return err
	}
	m.Moved = head.code == pullOffsetMoved
	if head.code != Success {
		return nil
	}
	if err := m.decode(m.buf); err != nil {
		return err
	}
	if p.tags != nil {
		m.keepTags(p.tags)
	}
	return nil
}

// keepTags drops the messages whose tag only has the hash of one that is wanted.
func (m *Messages) keepTags(tags []string) {
	kept := m.List[:0]
	for i := range m.List {
		tag := m.List[i].Property(PropTags)
		for _, want := range tags {
			if string(tag) == want {
				kept = append(kept, m.List[i])
				break
			}
		}
	}
	m.List = kept
}

// Pull asks for messages and waits for them. No message is no error: List is empty.
func (c *Client) Pull(ctx context.Context, r PullRequest, into *Messages) error {
	p := c.StartPull(ctx, r, into)
	err := p.Wait(ctx)
	if err != nil {
		p.Cancel()
	}
	return err
}
