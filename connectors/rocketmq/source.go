package rocketmq

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/connector/metadata"
	"github.com/runnelio/runnel/connectors/rocketmq/remoting"
)

// source reads queues. It is safe for concurrent use.
type source struct {
	o      *options
	span   *span
	client *remoting.Client
	log    *slog.Logger
	health *connector.Health
	whole  bool // the query needs all queues
	fenced bool // whoever reads a queue fences its last reader
	meta   metadata.Columns
	filter remoting.Filter
	topics []string
	begun  time.Time

	mu       sync.Mutex
	group    *remoting.Group
	known    map[string]bool  // splits listed so far
	appeared map[string]bool  // splits that came while the job ran
	sent     map[string]int64 // offsets committed to the broker
}

// watched is a source whose queues come and go.
type watched struct{ *source }

func newSource(cx *connector.Context, t *connector.Table, o *options) (any, error) {
	s := &source{o: o, log: logger(cx, t), health: cx.Health, whole: t.Whole, fenced: t.Fenced, topics: o.topics(), begun: time.Now(), filter: remoting.Filter{Tags: remoting.ParseTags(o.Tag), SQL: o.SQL},
		known: map[string]bool{}, appeared: map[string]bool{}, sent: map[string]int64{}}
	var err error
	if s.span, err = o.span(cx.Zone); err != nil {
		return nil, err
	}
	if s.meta, err = metadata.New(cx, t); err != nil {
		return nil, err
	}
	if err := s.meta.Check(metadataKeys); err != nil {
		return nil, err
	}
	if s.client, err = o.client(s.log); err != nil {
		return nil, err
	}
	if s.span.until == "" && (o.Assignment == "group" || o.discovery() > 0) {
		return &watched{s}, nil
	}
	return s, nil
}

func (o *options) discovery() time.Duration {
	if o.DiscoverMs != nil {
		return time.Duration(*o.DiscoverMs) * time.Millisecond
	}
	return o.Discovery
}

// Bounded implements connector.Source.
func (s *source) Bounded() bool { return s.span.until != "" }

// Partakes implements connector.Partaker.
func (s *source) Partakes() bool { return s.o.Assignment == "group" }

// Splits implements connector.Source. With a group there are none yet: they are assigned.
func (s *source) Splits(ctx context.Context) ([]connector.Split, error) {
	for _, topic := range s.topics {
		if err := s.persist(ctx, "the broker cannot be asked", func() error { return s.client.CheckFilter(ctx, topic, s.o.Group, s.filter) }); err != nil {
			return nil, err
		}
	}
	if s.o.Assignment == "group" {
		return nil, nil
	}
	var out []connector.Split
	err := s.persist(ctx, "the topic's queues cannot be listed", func() (err error) {
		out, err = s.list(ctx)
		return err
	})
	if err == nil && len(out) == 0 {
		return nil, fmt.Errorf("rocketmq: topic %s has no queue that may be read", strings.Join(s.topics, ", "))
	}
	s.mu.Lock()
	for _, sp := range out {
		s.known[sp.ID] = true
	}
	s.mu.Unlock()
	return out, err
}

func (s *source) list(ctx context.Context) ([]connector.Split, error) {
	var out []connector.Split
	for _, topic := range s.topics {
		r, err := s.client.FetchRoute(ctx, topic)
		if err != nil {
			return nil, err
		}
		for _, q := range r.Read {
			out = append(out, connector.Split{ID: q.String()})
		}
	}
	return out, nil
}

// persist calls f until it succeeds, fails for good, or ctx ends: servers that
// are away come back.
func (s *source) persist(ctx context.Context, what string, f func() error) error {
	var b backoff
	for {
		err := f()
		if err == nil || !s.temporary(err) {
			s.health.Working(what)
			return err
		}
		s.health.Failing(what, err)
		b.failed(s.log, what, err)
		if !b.wait(ctx) {
			return errors.Join(context.Cause(ctx), err)
		}
	}
}

// temporary tells that an error may go away by itself. While its broker is away a
// topic is not there, which for the queues of a group is no news: they were assigned.
// Who joins others may come while the broker is away: the topic is waited for.
func (s *source) temporary(err error) bool {
	if remoting.IsTemporary(err) {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fenced && (s.group != nil || time.Since(s.begun) < routeWait) && unrouted(err)
}

// unrouted tells that no broker that is up has the topic.
func unrouted(err error) bool {
	var e *remoting.Error
	return errors.As(err, &e) && e.Code == remoting.TopicNotExist
}

// backoff waits longer from failure to failure, and says so once a while.
type backoff struct {
	delay  time.Duration
	logged time.Time
	since  time.Time
}

func (b *backoff) failed(log *slog.Logger, what string, err error) {
	if b.delay == 0 {
		b.since = time.Now()
	}
	b.delay = min(max(2*b.delay, 100*time.Millisecond), 5*time.Second)
	if time.Since(b.logged) > 30*time.Second {
		b.logged = time.Now()
		log.Warn(what+": trying again", "error", err, "for", time.Since(b.since).Round(time.Second))
	}
}

// worked ends a run of failures.
func (b *backoff) worked(log *slog.Logger, what string) {
	if b.delay > 0 {
		log.Info(what, "after", time.Since(b.since).Round(time.Millisecond))
	}
	b.delay, b.logged = 0, time.Time{}
}

func (b *backoff) wait(ctx context.Context) bool {
	t := time.NewTimer(b.delay)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// queue is the inverse of Queue.String. Names of topics have no slash.
func queue(split string) (remoting.Queue, error) {
	parts := strings.Split(split, "/")
	if len(parts) == 3 {
		if id, err := strconv.Atoi(parts[2]); err == nil {
			return remoting.Queue{Topic: parts[0], Broker: parts[1], ID: id}, nil
		}
	}
	return remoting.Queue{}, fmt.Errorf("rocketmq: %q is no queue", split)
}

// Watch implements connector.Watcher: by the group's balance, or by looking at
// the topics once in a while.
func (s *watched) Watch(ctx context.Context, found, gone func(connector.Split)) error {
	if s.o.Assignment == "group" {
		return s.watchGroup(ctx, found, gone)
	}
	t := time.NewTicker(s.o.discovery())
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-t.C:
		}
		now, err := s.list(ctx)
		if err != nil {
			if ctx.Err() == nil {
				s.health.Failing("the topic's queues cannot be listed", err)
				s.log.Warn("the topic's queues cannot be listed", "error", err)
			}
			continue // a list that is not there takes no queue away
		}
		s.health.Working("the topic's queues cannot be listed")
		s.mu.Lock()
		var fresh, old []connector.Split
		for _, sp := range now {
			if !s.known[sp.ID] {
				s.known[sp.ID], s.appeared[sp.ID] = true, true
				fresh = append(fresh, sp)
			}
		}
		for id := range s.known {
			if !slices.ContainsFunc(now, func(sp connector.Split) bool { return sp.ID == id }) {
				// A broker that is down is missing from the route too: its queues are
				// waited for. Only the queues of a topic that is still served there are gone.
				if q, err := queue(id); err == nil && slices.ContainsFunc(now, func(sp connector.Split) bool {
					o, err := queue(sp.ID)
					return err == nil && o.Topic == q.Topic && o.Broker == q.Broker
				}) {
					delete(s.known, id)
					old = append(old, connector.Split{ID: id})
				}
			}
		}
		s.mu.Unlock()
		for _, sp := range fresh {
			s.log.Info("new queue", "queue", sp.ID)
			found(sp)
		}
		for _, sp := range old {
			s.log.Info("queue removed", "queue", sp.ID)
			gone(sp)
		}
	}
}

// watchGroup is a member of the consumer group until ctx ends.
func (s *watched) watchGroup(ctx context.Context, found, gone func(connector.Split)) error {
	cfg := remoting.GroupConfig{Name: s.o.Group, Topics: s.topics, Filter: s.filter, Alone: s.whole, Fenced: s.fenced,
		Assigned: func(q remoting.Queue) { found(connector.Split{ID: q.String()}) },
		Revoked:  func(q remoting.Queue, _ bool) { gone(connector.Split{ID: q.String()}) },
	}
	if d := s.o.discovery(); d > 0 {
		cfg.Interval = min(d, 20*time.Second) // locks want to be renewed
	}
	var g *remoting.Group
	err := s.persist(ctx, "the group cannot be joined", func() (err error) {
		g, err = s.client.JoinGroup(ctx, cfg)
		return err
	})
	if err != nil {
		return shared(err)
	}
	s.mu.Lock()
	s.group = g
	s.mu.Unlock()
	select {
	case <-ctx.Done():
	case <-g.Done():
		return shared(g.Err())
	}
	g.Leave()
	return context.Cause(ctx)
}

// shared says what it means that a member is not alone.
func shared(err error) error {
	if errors.Is(err, remoting.ErrNotAlone) {
		return fmt.Errorf("%w: %w. Stop the other process, or give this one a 'consumerGroup' of its own", connector.ErrShared, err)
	}
	return err
}

// Committed implements connector.Committer: the group's offsets in the broker
// follow the checkpoints. A queue that is another member's by now is left alone.
func (s *source) Committed(ctx context.Context, positions map[string]connector.Position) error {
	s.mu.Lock()
	group := s.group
	type item struct {
		id string
		q  remoting.Queue
		at int64
		// first tells that it is the source's first commit for the queue.
		first bool
	}
	var todo []item
	for id, p := range positions {
		q, err := queue(id)
		if err != nil {
			continue // of another connector's job before
		}
		at, _, err := parsePosition(p)
		if err != nil {
			continue // the end of a bounded split
		}
		last, ok := s.sent[id]
		if ok && last == at {
			continue
		}
		if s.o.Assignment == "group" && (group == nil || !group.Holds(q)) {
			continue
		}
		todo = append(todo, item{id, q, at, !ok})
	}
	s.mu.Unlock()
	// All at once: a broker that does not answer costs one time-out, not one a queue.
	errs := make([]error, len(todo))
	var wg sync.WaitGroup
	for i, it := range todo {
		wg.Go(func() {
			if errs[i] = s.commit(ctx, it.q, it.at, it.first); errs[i] == nil {
				s.mu.Lock()
				s.sent[it.id] = it.at
				s.mu.Unlock()
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// commit commits one queue's offset. The first for a queue is read back: of the
// first commits of a group that reach a broker at the same time it may lose all
// but one, and answers that all is well.
func (s *source) commit(ctx context.Context, q remoting.Queue, at int64, first bool) error {
	for try := 0; ; try++ {
		if err := s.client.CommitOffset(ctx, s.o.Group, q, at); err != nil || !first {
			return err
		}
		if got, ok, err := s.client.GroupOffset(ctx, s.o.Group, q); err != nil || ok && got == at {
			return err
		}
		if try == 5 {
			return fmt.Errorf("rocketmq: the broker does not keep the offset of queue %v", q)
		}
	}
}

// End implements connector.Lagger.
func (s *source) End(ctx context.Context, sp connector.Split) (connector.Position, error) {
	q, err := queue(sp.ID)
	if err != nil {
		return "", err
	}
	at, err := s.client.MaxOffset(ctx, q)
	if err != nil {
		return "", err
	}
	return position(at, nil), nil
}

// Behind implements connector.Lagger.
func (s *source) Behind(at, end connector.Position) (int64, error) {
	from, _, err := parsePosition(at)
	if err != nil {
		return 0, err
	}
	to, _, err := parsePosition(end)
	return max(0, to-from), err
}

// Close ends the source's connections.
func (s *source) Close() error { return s.client.Close() }

var (
	_ connector.Source    = (*source)(nil)
	_ connector.Committer = (*source)(nil)
	_ connector.Lagger    = (*source)(nil)
	_ connector.Partaker  = (*source)(nil)
	_ connector.Watcher   = (*watched)(nil)
)
