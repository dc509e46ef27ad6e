package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/connector/metadata"
)

// source reads partitions. It is safe for concurrent use.
type source struct {
	o        *options
	conf     *client
	log      *slog.Logger
	health   *connector.Health
	whole    bool          // the query needs all partitions
	patience time.Duration // how long another member is waited for then
	meta     metadata.Columns
	pattern  *regexp.Regexp
	specific map[int32]int64
	ends     map[int32]int64
	client   *kgo.Client // asks; readers have clients of their own
	admin    *kadm.Client

	mu       sync.Mutex
	group    *kgo.Client // a member, under 'scan.assignment' = 'group'
	held     map[string]bool
	known    map[string]bool
	appeared map[string]bool
	sent     map[string]int64
}

// watched is a source whose partitions come and go.
type watched struct{ *source }

func newSource(cx *connector.Context, t *connector.Table, o *options) (any, error) {
	s := &source{o: o, log: logger(cx, t), health: cx.Health, whole: t.Whole, patience: aloneWait, known: map[string]bool{}, appeared: map[string]bool{}, held: map[string]bool{}, sent: map[string]int64{}}
	var err error
	if s.conf, err = o.client(s.log, cx.Health); err != nil {
		return nil, err
	}
	if s.meta, err = metadata.New(cx, t); err != nil {
		return nil, err
	}
	if err := s.meta.Check(metadataKeys); err != nil {
		return nil, err
	}
	if o.Pattern != "" {
		s.pattern = regexp.MustCompile("^(?:" + o.Pattern + ")$") // check has compiled it
	}
	if s.specific, err = parseOffsets(o.Specific); err != nil {
		return nil, err
	}
	if s.ends, err = parseOffsets(o.EndOffsets); err != nil {
		return nil, err
	}
	if s.client, err = kgo.NewClient(s.conf.common...); err != nil {
		return nil, err
	}
	s.admin = kadm.NewClient(s.client)
	if !s.Bounded() && (o.Assignment == "group" || o.Discovery > 0) {
		return &watched{s}, nil
	}
	return s, nil
}

// Bounded implements connector.Source.
func (s *source) Bounded() bool { return s.o.Bounded != "unbounded" }

// Partakes implements connector.Partaker.
func (s *source) Partakes() bool { return s.o.Assignment == "group" }

// Splits implements connector.Source. With a group there are none yet: they are assigned.
func (s *source) Splits(ctx context.Context) ([]connector.Split, error) {
	var out []connector.Split
	err := s.persist(ctx, "the topic's partitions cannot be listed", func() (err error) {
		out, err = s.list(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	if s.o.Assignment == "group" {
		return nil, nil
	}
	if len(out) == 0 && s.pattern == nil {
		return nil, fmt.Errorf("kafka: topic %s has no partitions", s.o.Topic)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sp := range out {
		s.known[sp.ID] = true
	}
	return out, nil
}

func (s *source) list(ctx context.Context) ([]connector.Split, error) {
	topics := splitList(s.o.Topic)
	if s.pattern != nil {
		topics = nil
	}
	details, err := s.admin.ListTopics(ctx, topics...)
	if err != nil {
		return nil, err
	}
	var out []connector.Split
	for _, t := range details.Sorted() {
		if s.pattern != nil && !s.pattern.MatchString(t.Topic) {
			continue
		}
		if t.Err != nil {
			return nil, fmt.Errorf("kafka: topic %s: %w", t.Topic, t.Err)
		}
		for _, p := range t.Partitions.Numbers() {
			out = append(out, connector.Split{ID: splitID(t.Topic, p)})
		}
	}
	return out, nil
}

// patience tells for how long a call is tried again.
type patience struct{ since time.Time }

// closedPatience is how long a broker may close connections at once. One that
// starts or ends does for a moment; one that wants TLS does for ever.
const closedPatience = 5 * time.Second

// has tells whether there is patience with err.
func (p *patience) has(err error) bool {
	if !closedAtOnce(err) {
		p.since = time.Time{}
		return temporary(err)
	}
	if p.since.IsZero() {
		p.since = time.Now()
	}
	return time.Since(p.since) < closedPatience
}

func closedAtOnce(err error) bool {
	var eof *kgo.ErrFirstReadEOF
	return errors.As(err, &eof)
}

// persist calls f until it succeeds, fails for good, or ctx ends. The client
// has tried for a while already when it gives an error.
func (s *source) persist(ctx context.Context, what string, f func() error) error {
	var p patience
	for delay := 200 * time.Millisecond; ; delay = min(2*delay, 5*time.Second) {
		err := f()
		if err == nil || !p.has(err) {
			s.health.Working(what)
			return err
		}
		s.health.Failing(what, err)
		if ctx.Err() != nil {
			return errors.Join(context.Cause(ctx), err)
		}
		s.log.Warn(what+": trying again", "error", err)
		t := time.NewTimer(delay)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return errors.Join(context.Cause(ctx), err)
		}
	}
}

// temporary tells that an error may go away by itself. A topic that is not there
// may be on its way to a broker, but is an error nevertheless.
func temporary(err error) bool {
	var ke *kerr.Error
	if errors.As(err, &ke) {
		return ke.Retriable && !errors.Is(err, kerr.UnknownTopicOrPartition)
	}
	var ae *kadm.AuthError
	if errors.As(err, &ae) || errors.Is(err, kgo.ErrClientClosed) {
		return false
	}
	var net interface{ Timeout() bool }
	return errors.As(err, &net) || errors.Is(err, context.DeadlineExceeded) || kgo.IsRetryableBrokerErr(err)
}

// partition is the inverse of splitID.
func partition(split string) (string, int32, error) {
	topic, number, ok := strings.Cut(split, "/")
	p, err := strconv.ParseInt(number, 10, 32)
	if !ok || err != nil {
		return "", 0, fmt.Errorf("kafka: %q is no partition", split)
	}
	return topic, int32(p), nil
}

// position encodes an offset so that positions sort as offsets do.
func position(offset int64) connector.Position { return fmt.Sprintf("%019d", offset) }

func parsePosition(p connector.Position) (int64, error) {
	n, err := strconv.ParseInt(p, 10, 64)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("kafka: %q is no position of a partition", p)
	}
	return n, nil
}

// Watch implements connector.Watcher.
func (s *watched) Watch(ctx context.Context, found, gone func(connector.Split)) error {
	if s.o.Assignment == "group" {
		return s.watchGroup(ctx, found, gone)
	}
	t := time.NewTicker(s.o.Discovery)
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
				s.log.Warn("the topic's partitions cannot be listed", "error", err)
			}
			continue
		}
		// Partitions are only ever added; a topic that is deleted takes its own along.
		var fresh, old []connector.Split
		s.mu.Lock()
		for _, sp := range now {
			if !s.known[sp.ID] {
				s.known[sp.ID], s.appeared[sp.ID] = true, true
				fresh = append(fresh, sp)
			}
		}
		for id := range s.known {
			if !slices.ContainsFunc(now, func(sp connector.Split) bool { return sp.ID == id }) {
				delete(s.known, id)
				old = append(old, connector.Split{ID: id})
			}
		}
		s.mu.Unlock()
		for _, sp := range fresh {
			s.log.Info("new partition", "partition", sp.ID)
			found(sp)
		}
		for _, sp := range old {
			s.log.Info("partition removed", "partition", sp.ID)
			gone(sp)
		}
	}
}

// watchGroup is a member of the consumer group until ctx ends. The member
// fetches nothing: it is there for the balance, and readers read.
func (s *watched) watchGroup(ctx context.Context, found, gone func(connector.Split)) error {
	if err := s.alone(ctx, s.patience); err != nil {
		return err
	}
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	each := func(m map[string][]int32, f func(connector.Split)) {
		for topic, ps := range m {
			for _, p := range ps {
				f(connector.Split{ID: splitID(topic, p)})
			}
		}
	}
	hold := func(has bool) func(connector.Split) {
		return func(sp connector.Split) {
			s.mu.Lock()
			s.held[sp.ID] = has
			delete(s.sent, sp.ID)
			s.mu.Unlock()
		}
	}
	opts := append(slices.Clone(s.conf.common), s.conf.group...)
	opts = append(opts, kgo.ConsumerGroup(s.o.group()), kgo.DisableAutoCommit(),
		kgo.OnPartitionsAssigned(func(_ context.Context, cl *kgo.Client, m map[string][]int32) {
			cl.PauseFetchPartitions(m)
			if err := s.alone(ctx, 0); err != nil {
				fail(err)
				return
			}
			each(m, hold(true))
			each(m, found)
		}),
		// Revoked: still ours until this returns. Lost: another's already, and what
		// is committed for it now is refused.
		kgo.OnPartitionsRevoked(func(_ context.Context, _ *kgo.Client, m map[string][]int32) {
			each(m, gone)
			each(m, hold(false))
		}),
		kgo.OnPartitionsLost(func(_ context.Context, _ *kgo.Client, m map[string][]int32) {
			each(m, hold(false))
			each(m, gone)
		}))
	if s.pattern != nil {
		opts = append(opts, kgo.ConsumeRegex(), kgo.ConsumeTopics(s.pattern.String()))
	} else {
		opts = append(opts, kgo.ConsumeTopics(splitList(s.o.Topic)...))
	}
	cl, err := kgo.NewClient(opts...)
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.group = cl
	s.mu.Unlock()
	for ctx.Err() == nil {
		fetches := cl.PollFetches(ctx) // nothing but errors comes: all is paused
		fetches.EachError(func(topic string, p int32, err error) {
			if ctx.Err() == nil {
				s.log.Warn("group member", "topic", topic, "partition", p, "error", err)
			}
		})
		if fetches.Err() != nil && ctx.Err() == nil {
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
			}
		}
	}
	cl.CloseAllowingRebalance() // leaves; what is held is revoked
	s.mu.Lock()
	s.group = nil
	s.mu.Unlock()
	return context.Cause(ctx)
}

// aloneWait is how long another member of the group is waited for to go: one
// that was killed stays until its session has timed out.
const aloneWait = 70 * time.Second

// alone returns an error if the query needs all partitions and the group has
// another member, which is waited for to leave first.
func (s *watched) alone(ctx context.Context, wait time.Duration) error {
	if !s.whole {
		return nil
	}
	said := false
	for end := time.Now().Add(wait); ; {
		var others []string
		err := s.persist(ctx, "the group cannot be asked for its members", func() error {
			all, err := s.admin.DescribeGroups(ctx, s.o.group())
			if err == nil {
				err = all.Error()
			}
			if errors.Is(err, kerr.GroupIDNotFound) {
				return nil
			}
			if err != nil {
				return err
			}
			others = others[:0]
			for _, m := range all[s.o.group()].Members {
				others = append(others, fmt.Sprintf("%s at %s", m.ClientID, m.ClientHost))
			}
			return nil
		})
		if err != nil {
			return err
		}
		most := 0 // members there may be: before joining none
		if wait == 0 {
			most = 1
		}
		if len(others) <= most {
			return nil
		}
		if time.Now().After(end) || wait == 0 {
			return fmt.Errorf("%w: kafka: group %s has another member, %s. Stop the other process, or give this one a 'properties.group.id' of its own", connector.ErrShared, s.o.group(), others[0])
		}
		if !said {
			said = true
			s.log.Warn("waiting for another member of the group to leave", "group", s.o.group(), "member", others[0], "at-most", wait)
		}
		t := time.NewTimer(500 * time.Millisecond)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return context.Cause(ctx)
		}
	}
}

// Committed implements connector.Committer: the group's offsets follow the
// checkpoints. A partition that is another member's by now is left alone.
func (s *source) Committed(ctx context.Context, positions map[string]connector.Position) error {
	if s.o.group() == "" {
		return nil
	}
	s.mu.Lock()
	group := s.group
	todo := map[string]map[int32]int64{}
	ids := map[string]int64{}
	for id, pos := range positions {
		topic, p, err := partition(id)
		if err != nil {
			continue
		}
		at, err := parsePosition(pos)
		if err != nil {
			continue // the end of a bounded split
		}
		if last, ok := s.sent[id]; ok && last == at || s.o.Assignment == "group" && !s.held[id] {
			continue
		}
		if todo[topic] == nil {
			todo[topic] = map[int32]int64{}
		}
		todo[topic][p], ids[id] = at, at
	}
	s.mu.Unlock()
	if len(todo) == 0 {
		return nil
	}
	var err error
	if s.o.Assignment == "group" {
		if group == nil {
			return nil
		}
		offsets := map[string]map[int32]kgo.EpochOffset{}
		for topic, ps := range todo {
			offsets[topic] = map[int32]kgo.EpochOffset{}
			for p, at := range ps {
				offsets[topic][p] = kgo.EpochOffset{Epoch: -1, Offset: at}
			}
		}
		err = commitAsMember(ctx, group, offsets)
	} else {
		offsets := kadm.Offsets{}
		for topic, ps := range todo {
			for p, at := range ps {
				offsets.AddOffset(topic, p, at, -1)
			}
		}
		err = s.admin.CommitAllOffsets(ctx, s.o.group(), offsets)
	}
	if err != nil {
		return fmt.Errorf("kafka: commit of offsets: %w", err)
	}
	s.mu.Lock()
	for id, at := range ids {
		s.sent[id] = at
	}
	s.mu.Unlock()
	return nil
}

// End implements connector.Lagger.
func (s *source) End(ctx context.Context, sp connector.Split) (connector.Position, error) {
	topic, p, err := partition(sp.ID)
	if err != nil {
		return "", err
	}
	at, err := s.last(ctx, topic, p)
	if err != nil {
		return "", err
	}
	return position(at), nil
}

// Behind implements connector.Lagger.
func (s *source) Behind(at, end connector.Position) (int64, error) {
	from, err := parsePosition(at)
	if err != nil {
		return 0, err
	}
	to, err := parsePosition(end)
	return max(0, to-from), err
}

// Close ends the source's connections.
func (s *source) Close() error {
	s.client.Close()
	return nil
}

var (
	_ connector.Source    = (*source)(nil)
	_ connector.Committer = (*source)(nil)
	_ connector.Lagger    = (*source)(nil)
	_ connector.Partaker  = (*source)(nil)
	_ connector.Watcher   = (*watched)(nil)
)
