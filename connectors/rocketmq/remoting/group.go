package remoting

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// GroupConfig is how a client takes part in a consumer group.
type GroupConfig struct {
	Name   string
	Topics []string
	Filter Filter
	// Assigned is called when a queue is this member's: locked for it. Revoked
	// is called when it has to be given up, and the queue is unlocked when it
	// returns; lost tells that it is another's already. Calls come one at a time.
	Assigned func(Queue)
	Revoked  func(q Queue, lost bool)
	// Alone makes the member keep all queues to itself: JoinGroup fails with
	// ErrNotAlone if another member stays for AloneWait (0: 10 s; a member that
	// was killed stays until its broker has noticed). Of two that come at the
	// same time at least one ends with it (see Done).
	Alone     bool
	AloneWait time.Duration
	// Fenced tells that what comes of two owners of a queue at a time does no harm,
	// because the later one fences the earlier. Then a queue whose lock another
	// holds is taken without it after LockWait (0: 3 s): a member that was killed
	// keeps its locks for a minute. While the share says so it is not lost.
	Fenced   bool
	LockWait time.Duration
	// Interval is the time between looks at members and queues; 0: 10 s. Brokers
	// tell of changes, so it matters only if such word gets lost.
	Interval time.Duration
}

// ErrNotAlone is the end of a member that has to be alone.
var ErrNotAlone = errors.New("the consumer group has another member")

// lockLife is how long a broker keeps a lock that is not renewed. The member
// counts itself as owner for less, by its own clock.
const (
	lockLife  = 60 * time.Second
	lockTrust = 45 * time.Second
)

// Group is membership in a consumer group with its share of the queues.
type Group struct {
	c      *Client
	cfg    GroupConfig
	name   string // full
	change chan struct{}
	cancel context.CancelFunc
	done   chan struct{}

	mu   sync.Mutex
	held map[Queue]time.Time // when it was locked last
	err  error

	wanted map[Queue]time.Time // since when the lock of a queue of the share is another's; of run alone
}

// JoinGroup makes the client a member and starts to balance: every member
// computes the same shares from the same lists of members and queues, and a
// broker's lock decides where they disagree for a moment. Leave ends it.
func (c *Client) JoinGroup(ctx context.Context, cfg GroupConfig) (*Group, error) {
	if cfg.Name == "" || len(cfg.Topics) == 0 {
		return nil, errors.New("rocketmq: a group needs a name and topics")
	}
	if cfg.Interval <= 0 {
		cfg.Interval = 10 * time.Second
	}
	run, cancel := context.WithCancel(context.Background())
	g := &Group{c: c, cfg: cfg, name: c.full(cfg.Name), change: make(chan struct{}, 1), cancel: cancel, done: make(chan struct{}), held: map[Queue]time.Time{}}
	c.mu.Lock()
	switch {
	case c.closed:
		c.mu.Unlock()
		cancel()
		return nil, errClosed
	case c.groups[g.name] != nil:
		c.mu.Unlock()
		cancel()
		return nil, fmt.Errorf("rocketmq: this client is in group %s already", cfg.Name)
	}
	c.groups[g.name] = g
	c.mu.Unlock()
	err := g.others(ctx)
	if err == nil {
		err = g.heartbeat(ctx)
	}
	if err != nil {
		cancel()
		c.mu.Lock()
		delete(c.groups, g.name)
		c.mu.Unlock()
		return nil, err
	}
	c.wg.Go(func() { g.run(run) })
	return g, nil
}

// poke has the group look at once.
func (g *Group) poke() {
	select {
	case g.change <- struct{}{}:
	default:
	}
}

// Done is closed when the membership has ended: by Leave, or because of Err.
func (g *Group) Done() <-chan struct{} { return g.done }

// others waits until the group has no member, if this one has to be alone.
func (g *Group) others(ctx context.Context) error {
	if !g.cfg.Alone {
		return nil
	}
	wait := g.cfg.AloneWait
	if wait <= 0 {
		wait = 10 * time.Second
	}
	said := false
	for end := time.Now().Add(wait); ; {
		var there []string
		for _, topic := range g.cfg.Topics {
			addrs, err := g.c.masters(ctx, []string{topic})
			if err != nil {
				return err
			}
			for _, addr := range addrs {
				ids, err := g.membersAt(ctx, addr)
				var refused *Error
				if errors.As(err, &refused) && refused.Code == SystemError {
					continue // the broker does not know the group: it has no member
				}
				if err != nil {
					return err
				}
				there = append(there, ids...)
			}
		}
		if len(there) == 0 {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("rocketmq: group %s: %w: %s", g.cfg.Name, ErrNotAlone, there[0])
		}
		if !said {
			said = true
			g.c.cfg.Log.Warn("waiting for another member of the group to leave", "group", g.cfg.Name, "member", there[0], "at-most", wait)
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

// Leave gives up all queues, calling Revoked for each, and tells the brokers.
func (g *Group) Leave() {
	g.cancel()
	<-g.done
}

// Holds tells whether this member is, by its own clock, the owner of q.
func (g *Group) Holds(q Queue) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	t, ok := g.held[q]
	return ok && time.Since(t) < lockTrust
}

// Err is why the last attempt to balance did not succeed, nil if it did.
func (g *Group) Err() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.err
}

func (g *Group) run(ctx context.Context) {
	defer close(g.done)
	beat := time.NewTicker(g.c.cfg.HeartbeatInterval)
	defer beat.Stop()
	look := time.NewTicker(g.cfg.Interval)
	defer look.Stop()
	for {
		err := g.balance(ctx)
		if ctx.Err() != nil {
			break
		}
		if errors.Is(err, ErrNotAlone) {
			g.mu.Lock()
			g.err = err
			g.mu.Unlock()
			break
		}
		g.mu.Lock()
		if err != nil && g.err == nil {
			g.c.cfg.Log.Warn("group not balanced", "group", g.cfg.Name, "error", err)
		}
		g.err = err
		g.mu.Unlock()
		select {
		case <-ctx.Done():
		case <-g.change:
		case <-look.C:
		case <-beat.C:
			if err := g.heartbeat(ctx); err != nil && ctx.Err() == nil {
				g.c.cfg.Log.Warn("no heartbeat", "group", g.cfg.Name, "error", err)
			}
		}
		if ctx.Err() != nil {
			break
		}
	}
	// The context has ended; leaving needs one of its own.
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	g.revoke(ctx, g.owned(), false)
	g.unregister(ctx)
	g.c.mu.Lock()
	delete(g.c.groups, g.name)
	g.c.mu.Unlock()
}

func (g *Group) owned() []Queue {
	g.mu.Lock()
	defer g.mu.Unlock()
	out := make([]Queue, 0, len(g.held))
	for q := range g.held {
		out = append(out, q)
	}
	slices.SortFunc(out, Queue.compare)
	return out
}

// balance compares what this member should have with what it has.
func (g *Group) balance(ctx context.Context) error {
	var share []Queue
	for _, topic := range g.cfg.Topics {
		r, err := g.c.Route(ctx, topic)
		if err != nil {
			return err
		}
		members, err := g.members(ctx, topic)
		if err != nil {
			return err
		}
		if g.cfg.Alone && len(members) > 1 {
			// Who holds queues stays. Of those that hold none the first one does.
			if len(g.owned()) == 0 && members[0] != g.c.cfg.ClientID {
				return fmt.Errorf("rocketmq: group %s: %w: %s", g.cfg.Name, ErrNotAlone, members[0])
			}
			members = []string{g.c.cfg.ClientID}
		}
		share = append(share, allocate(members, g.c.cfg.ClientID, r.Read)...)
	}
	var give, keep []Queue
	for _, q := range g.owned() {
		if slices.Contains(share, q) {
			keep = append(keep, q)
		} else {
			give = append(give, q)
		}
	}
	g.revoke(ctx, give, false)
	locked, err := g.lock(ctx, share)
	now := time.Now()
	if g.cfg.Fenced {
		locked = g.take(share, locked, now)
	}
	var lost, gained []Queue
	g.mu.Lock()
	for _, q := range locked {
		if _, ok := g.held[q]; !ok {
			gained = append(gained, q)
		}
		g.held[q] = now
	}
	for _, q := range keep {
		// A broker that did not answer has not taken the queue away, until the lock has run out.
		if !slices.Contains(locked, q) && (err == nil || time.Since(g.held[q]) > lockTrust) {
			lost = append(lost, q)
		}
	}
	g.mu.Unlock()
	g.revoke(ctx, lost, true)
	for _, q := range gained {
		g.c.cfg.Log.Info("queue assigned", "group", g.cfg.Name, "queue", q.String())
		if g.cfg.Assigned != nil {
			g.cfg.Assigned(q)
		}
	}
	if err == nil && len(locked) < len(share) {
		// The last owner has not let go yet; brokers do not tell of unlocks.
		time.AfterFunc(500*time.Millisecond, g.poke)
	}
	return err
}

// take adds to the locked queues those of the share that are taken without a lock.
func (g *Group) take(share, locked []Queue, now time.Time) []Queue {
	wait := g.cfg.LockWait
	if wait <= 0 {
		wait = 3 * time.Second
	}
	wanted := map[Queue]time.Time{}
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, q := range share {
		if slices.Contains(locked, q) {
			continue
		}
		since, ok := g.wanted[q]
		if !ok {
			since = now
		}
		wanted[q] = since
		_, held := g.held[q]
		if !held && now.Sub(since) < wait {
			continue
		}
		if !held {
			g.c.cfg.Log.Info("queue taken without its lock", "group", g.cfg.Name, "queue", q.String())
		}
		locked = append(locked, q)
	}
	g.wanted = wanted
	return locked
}

// revoke gives queues up: the owner first, then the lock.
func (g *Group) revoke(ctx context.Context, queues []Queue, lost bool) {
	for _, q := range queues {
		g.c.cfg.Log.Info("queue revoked", "group", g.cfg.Name, "queue", q.String(), "lost", lost)
		if g.cfg.Revoked != nil {
			g.cfg.Revoked(q, lost)
		}
	}
	g.mu.Lock()
	for _, q := range queues {
		delete(g.held, q)
	}
	g.mu.Unlock()
	if !lost && len(queues) > 0 {
		if err := g.unlock(ctx, queues); err != nil {
			g.c.cfg.Log.Warn("queues not unlocked: others get them when the lock runs out", "group", g.cfg.Name, "error", err, "after", lockLife)
		}
	}
}

// allocate is the share of one member: members and queues in order, each gets a
// run of neighbouring queues, the first ones one more if they do not divide.
func allocate(members []string, me string, queues []Queue) []Queue {
	at := slices.Index(members, me)
	if at < 0 || len(queues) == 0 {
		return nil
	}
	each, more := len(queues)/len(members), len(queues)%len(members)
	from := at*each + min(at, more)
	n := each
	if at < more {
		n++
	}
	return queues[from : from+n]
}

// members returns the ids of the group's members in order.
func (g *Group) members(ctx context.Context, topic string) ([]string, error) {
	addrs, err := g.c.masters(ctx, []string{topic})
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, addr := range addrs {
		ids, err := g.membersAt(ctx, addr)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if !slices.Contains(ids, g.c.cfg.ClientID) {
			// The broker has forgotten us, as after its restart.
			if err := g.heartbeat(ctx); err != nil {
				return nil, err
			}
			ids = append(ids, g.c.cfg.ClientID)
		}
		slices.Sort(ids)
		return ids, nil
	}
	if errs == nil {
		return nil, &ConnError{topic, errors.New("no broker is up")}
	}
	return nil, errors.Join(errs...)
}

// membersAt are the members one broker knows.
func (g *Group) membersAt(ctx context.Context, addr string) ([]string, error) {
	req := &command{code: codeMembers}
	req.add("consumerGroup", g.name)
	k, err := g.c.call(ctx, "members of "+g.cfg.Name, addr, req)
	if err != nil {
		return nil, err
	}
	var w struct {
		IDs []string `json:"consumerIdList"`
	}
	if err := json.Unmarshal(k.body, &w); err != nil {
		return nil, fmt.Errorf("rocketmq: members of %s: %w", g.cfg.Name, err)
	}
	return w.IDs, nil
}

type wireSubscription struct {
	Topic     string   `json:"topic"`
	Text      string   `json:"subString"`
	Tags      []string `json:"tagsSet"`
	Codes     []int32  `json:"codeSet"`
	Version   int64    `json:"subVersion"`
	Kind      string   `json:"expressionType"`
	ClassMode bool     `json:"classFilterMode"`
}

type wireConsumer struct {
	Group    string             `json:"groupName"`
	Type     string             `json:"consumeType"`
	Model    string             `json:"messageModel"`
	From     string             `json:"consumeFromWhere"`
	Topics   []wireSubscription `json:"subscriptionDataSet"`
	UnitMode bool               `json:"unitMode"`
}

func (c *Client) subscription(topic string, f Filter) wireSubscription {
	kind, text := f.expression()
	s := wireSubscription{Topic: c.full(topic), Text: text, Kind: kind, Version: f.version(), Tags: []string{}, Codes: []int32{}}
	for _, tag := range f.Tags {
		s.Tags = append(s.Tags, tag)
		s.Codes = append(s.Codes, javaHash(tag))
	}
	return s
}

// CheckFilter asks a broker of the topic whether it understands the filter. A
// pull with an SQL condition that does not parse is no error: all messages pass.
func (c *Client) CheckFilter(ctx context.Context, topic, group string, f Filter) error {
	if f.SQL == "" {
		return nil
	}
	addrs, err := c.masters(ctx, []string{topic})
	if err != nil {
		return err
	}
	body, err := json.Marshal(map[string]any{"clientId": c.cfg.ClientID, "group": c.full(group), "subscriptionData": c.subscription(topic, f)})
	if err != nil {
		return err
	}
	for _, addr := range addrs {
		if _, err := c.call(ctx, "check of the filter "+f.SQL, addr, &command{code: codeCheckClient, body: body}); err != nil {
			return err
		}
	}
	return nil
}

// heartbeat tells every broker of the topics that this member lives.
func (g *Group) heartbeat(ctx context.Context) error {
	addrs, err := g.c.masters(ctx, g.cfg.Topics)
	if err != nil {
		return err
	}
	cons := wireConsumer{Group: g.name, Type: "CONSUME_PASSIVELY", Model: "CLUSTERING", From: "CONSUME_FROM_FIRST_OFFSET"}
	for _, t := range g.cfg.Topics {
		cons.Topics = append(cons.Topics, g.c.subscription(t, g.cfg.Filter))
	}
	body, err := json.Marshal(map[string]any{"clientID": g.c.cfg.ClientID, "consumerDataSet": []wireConsumer{cons}, "producerDataSet": []any{}})
	if err != nil {
		return err
	}
	var errs []error
	for _, addr := range addrs {
		if _, err := g.c.call(ctx, "heartbeat of "+g.cfg.Name, addr, &command{code: codeHeartbeat, body: body}); err != nil {
			errs = append(errs, err)
		}
	}
	if len(errs) == len(addrs) {
		return errors.Join(errs...)
	}
	return nil
}

// javaHash is String.hashCode for the texts tags are made of.
func javaHash(s string) int32 {
	var h int32
	for _, r := range s {
		if r >= 0x10000 { // two UTF-16 units
			r -= 0x10000
			h = 31*h + int32(0xd800+r>>10)
			r = 0xdc00 + r&0x3ff
		}
		h = 31*h + r
	}
	return h
}

func (g *Group) unregister(ctx context.Context) {
	addrs, err := g.c.masters(ctx, g.cfg.Topics)
	if err != nil {
		return // forgotten after two minutes anyway
	}
	for _, addr := range addrs {
		req := &command{code: codeUnregister}
		req.add("clientID", g.c.cfg.ClientID)
		req.add("consumerGroup", g.name)
		if _, err := g.c.call(ctx, "leave "+g.cfg.Name, addr, req); err != nil {
			g.c.cfg.Log.Debug("not unregistered", "group", g.cfg.Name, "addr", addr, "error", err)
		}
	}
}

type wireQueue struct {
	Topic  string `json:"topic"`
	Broker string `json:"brokerName"`
	ID     int    `json:"queueId"`
}

// lock locks queues, or renews the locks, and returns those that are ours.
func (g *Group) lock(ctx context.Context, queues []Queue) ([]Queue, error) {
	var out []Queue
	var errs []error
	for broker, wire := range g.byBroker(queues) {
		body, err := g.lockRequest(ctx, codeLock, "lock queues", broker, wire)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		var w struct {
			OK []wireQueue `json:"lockOKMQSet"`
		}
		if err := json.Unmarshal(body, &w); err != nil {
			errs = append(errs, fmt.Errorf("rocketmq: lock queues: %w", err))
			continue
		}
		for _, q := range w.OK {
			out = append(out, Queue{g.c.bare(q.Topic), q.Broker, q.ID})
		}
	}
	return out, errors.Join(errs...)
}

func (g *Group) unlock(ctx context.Context, queues []Queue) error {
	var errs []error
	for broker, wire := range g.byBroker(queues) {
		_, err := g.lockRequest(ctx, codeUnlock, "unlock queues", broker, wire)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func (g *Group) byBroker(queues []Queue) map[string][]wireQueue {
	m := map[string][]wireQueue{}
	for _, q := range queues {
		m[q.Broker] = append(m[q.Broker], wireQueue{g.c.full(q.Topic), q.Broker, q.ID})
	}
	return m
}

func (g *Group) lockRequest(ctx context.Context, code int, op, broker string, wire []wireQueue) ([]byte, error) {
	addr, err := g.c.broker(ctx, Queue{Topic: g.cfg.Topics[0], Broker: broker}, 0)
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(map[string]any{"consumerGroup": g.name, "clientId": g.c.cfg.ClientID, "mqSet": wire})
	if err != nil {
		return nil, err
	}
	k, err := g.c.call(ctx, op, addr, &command{code: code, body: body})
	if err != nil {
		return nil, err
	}
	return k.body, nil
}
