package rocketmq

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/connectors/rocketmq/remoting"
	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/option"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// rows turns rows into messages: what both kinds of sink share.
type rows struct {
	o       *options
	log     *slog.Logger
	health  *connector.Health
	zone    *time.Location
	client  *remoting.Client
	enc     format.Encoder
	body    []int // columns of the body
	schema  *types.Schema
	keys    []int
	hash    []int
	tag     int // column, -1: none
	meta    []connector.Metadata
	subtask int
	// writer is a name that stays with the split the sink writes for; "": none.
	writer string

	queues  []remoting.Queue
	fetched time.Time
	turn    int
	batch   vector.Batch // the body's columns of the batch at hand
	buf     []byte
	props   []byte
	key     []byte
}

// writableMetadata are the metadata columns a sink takes.
var writableMetadata = []string{"keys", "tags", "properties"}

func newRows(cx *connector.Context, t *connector.Table, o *options) (*rows, error) {
	if topics := o.topics(); len(topics) != 1 {
		return nil, option.Errorf("topic", "a sink writes to one topic, not %d", len(topics))
	}
	if o.SQL != "" {
		return nil, option.Errorf("sql", "is for sources")
	}
	r := &rows{o: o, log: logger(cx, t), health: cx.Health, zone: cx.Zone, tag: -1, meta: t.Metadata, subtask: t.Subtask, turn: t.Subtask, writer: t.Writer}
	outside := map[int]bool{}
	for _, m := range t.Metadata {
		if !slices.Contains(writableMetadata, m.Key) {
			return nil, fmt.Errorf("rocketmq: metadata '%s' cannot be written: declare the column VIRTUAL", m.Key)
		}
		outside[m.Column] = true
	}
	var err error
	if r.keys, err = columns(t.Schema, "keyColumns", o.KeyColumns); err != nil {
		return nil, err
	}
	if r.hash, err = columns(t.Schema, "sink.queue-key", o.HashBy); err != nil {
		return nil, err
	}
	if r.hash == nil {
		r.hash = r.keys
	}
	if r.hash == nil {
		r.hash = t.PrimaryKey
	}
	if o.Partition == "hash" && r.hash == nil {
		return nil, option.Errorf("sink.queue-key", "required with 'sink.partitioner' = 'hash' for a table without key columns and primary key")
	}
	if !o.KeysInBody {
		for _, c := range r.keys {
			outside[c] = true
		}
	}
	if o.TagColumn != "" {
		tag, err := columns(t.Schema, "dynamicTagColumn", o.TagColumn)
		if err != nil {
			return nil, err
		}
		r.tag = tag[0]
		if !o.TagInBody {
			outside[r.tag] = true
		}
	}
	var fields []types.Field
	for i, f := range t.Schema.Fields {
		if !outside[i] {
			r.body, fields = append(r.body, i), append(fields, f)
		}
	}
	if len(fields) == 0 {
		return nil, errors.New("rocketmq: no column is left for the body")
	}
	r.schema = types.NewSchema(fields...)
	if r.enc, err = t.Format.NewEncoder(format.Encoding{Schema: r.schema, Zone: cx.Zone}); err != nil {
		return nil, err
	}
	r.client, err = o.client(r.log)
	return r, err
}

// columns are the indexes of columns named in a list.
func columns(s *types.Schema, key, list string) ([]int, error) {
	var out []int
	for name := range strings.FieldsFuncSeq(list, func(r rune) bool { return r == ',' || r == ';' }) {
		i := s.Index(strings.TrimSpace(name))
		if i < 0 {
			return nil, option.Errorf(key, "there is no column '%s'", strings.TrimSpace(name))
		}
		out = append(out, i)
	}
	return out, nil
}

// routeWait is how long a topic that no broker has is waited for by the sink of a
// split that passes from process to process.
const routeWait = time.Minute

// route learns the queues, again once in a while: a topic may have got more.
func (r *rows) route(ctx context.Context) error {
	if r.queues != nil && time.Since(r.fetched) < time.Minute {
		return nil
	}
	var route *remoting.Route
	var retry backoff
	begun := time.Now()
	for tries := 0; ; tries++ {
		var err error
		if route, err = r.client.WriteRoute(ctx, r.o.topics()[0]); err == nil {
			break
		}
		if r.queues != nil && remoting.IsTemporary(err) {
			return nil // the old ones will do
		}
		// Who takes a split over may come while the topic's broker is away.
		missing := r.writer != "" && unrouted(err) && time.Since(begun) < routeWait
		if !missing && (tries >= r.o.Retries || !remoting.IsTemporary(err)) {
			return err
		}
		r.health.Failing("the topic's queues cannot be listed", err)
		retry.failed(r.log, "the topic's queues cannot be listed", err)
		if !retry.wait(ctx) {
			return err
		}
	}
	if len(route.Write) == 0 {
		return fmt.Errorf("rocketmq: topic %s has no queue that may be written", r.o.topics()[0])
	}
	r.health.Working("the topic's queues cannot be listed")
	r.queues, r.fetched = route.Write, time.Now()
	return nil
}

// use takes a batch in hand.
func (r *rows) use(b *vector.Batch) {
	r.batch = vector.Batch{Schema: r.schema, Cols: r.batch.Cols[:0], N: b.N, Sel: b.Sel, Kinds: b.Kinds}
	for _, c := range r.body {
		r.batch.Cols = append(r.batch.Cols, b.Cols[c])
	}
	r.turn++
}

// queueOf is the index of the queue that row i of b goes to, of n queues.
func (r *rows) queueOf(b *vector.Batch, i, n int) int {
	switch {
	case r.o.Partition == "fixed":
		return r.subtask % n
	case r.o.Partition == "round-robin" || r.hash == nil:
		return r.turn % n
	}
	r.key = r.key[:0]
	for _, c := range r.hash {
		r.key = vector.AppendKey(r.key, b.Cols[c], i)
	}
	return int(vector.HashKey(r.key) % uint64(n))
}

// message makes the message of row i of b, the batch in hand. skip tells that
// the row has none. The result is valid until the next call.
func (r *rows) message(b *vector.Batch, i int) (m remoting.Outgoing, skip bool, err error) {
	r.buf, skip, err = r.enc.Append(r.buf[:0], &r.batch, i)
	if skip || err != nil {
		return m, skip, err
	}
	p := r.props[:0]
	keys, tags := r.keys != nil, r.o.Tag != "" && r.o.Tag != "*"
	if keys {
		r.key = r.key[:0]
		for k, c := range r.keys {
			if k > 0 {
				r.key = append(r.key, ' ')
			}
			r.key = appendText(r.key, b.Cols[c], i, r.zone)
		}
		p = remoting.AppendProperty(p, remoting.PropKeys, vector.View(r.key))
	}
	if r.tag >= 0 && !b.Cols[r.tag].IsNull(i) {
		tags = true
		p = remoting.AppendProperty(p, remoting.PropTags, vector.View(appendText(r.key[:0], b.Cols[r.tag], i, r.zone)))
	} else if tags {
		p = remoting.AppendProperty(p, remoting.PropTags, r.o.Tag)
	}
	for _, md := range r.meta {
		col := b.Cols[md.Column]
		if col.IsNull(i) {
			continue
		}
		switch {
		case md.Key == "keys" && !keys:
			p = remoting.AppendProperty(p, remoting.PropKeys, vector.View(appendText(r.key[:0], col, i, r.zone)))
		case md.Key == "tags" && !tags:
			p = remoting.AppendProperty(p, remoting.PropTags, vector.View(appendText(r.key[:0], col, i, r.zone)))
		case md.Key == "properties":
			p = appendProperties(p, col, i)
		}
	}
	switch {
	case r.o.DelayLevel > 0:
		p = remoting.AppendProperty(p, remoting.PropDelay, strconv.Itoa(r.o.DelayLevel))
	case r.o.Delay > 0:
		p = remoting.AppendProperty(p, remoting.PropDelayMs, strconv.FormatInt(r.o.Delay.Milliseconds(), 10))
	}
	r.props = p
	if len(p) > remoting.MaxProperties {
		return m, false, fmt.Errorf("%w: rocketmq: keys, tags and properties have %d bytes; %d fit", connector.ErrRejected, len(p), remoting.MaxProperties)
	}
	if n := len(r.buf) + len(p); n > int(r.o.MaxMessage) {
		return m, false, fmt.Errorf("%w: rocketmq: a message of %d bytes; the broker takes %d ('sink.max-message-bytes')", connector.ErrRejected, n, r.o.MaxMessage)
	}
	return remoting.Outgoing{Body: r.buf, Properties: p}, false, nil
}

// appendProperties appends the entries of a map column. Those that the broker
// or the sink give a meaning are not for users to set.
func appendProperties(p []byte, col vector.Vector, i int) []byte {
	m, ok := col.(*vector.Map)
	if !ok {
		return p
	}
	for j := m.Off[i]; j < m.Off[i]+m.Count[i]; j++ {
		k, v := vector.Get(m.Keys, int(j)), vector.Get(m.Vals, int(j))
		name, ok1 := k.(string)
		value, ok2 := v.(string)
		if !ok1 || !ok2 || name == remoting.PropKeys || name == remoting.PropTags || name == PropRecordID {
			continue
		}
		p = remoting.AppendProperty(p, name, value)
	}
	return p
}

// sink sends the rows of a batch before Write returns.
type sink struct {
	*rows
	sets []queueSet // by queue
}

// queueSet is what goes to one queue: full requests and the one being filled.
type queueSet struct {
	full []*remoting.Set
	open *remoting.Set
	free []*remoting.Set
}

func newSink(cx *connector.Context, t *connector.Table, o *options) (connector.Sink, error) {
	if t.Format == nil {
		return nil, option.Errorf("format", "required")
	}
	if t.Changelog != connector.AppendOnly && !t.Format.Changelog() {
		return nil, errors.New("rocketmq: the query updates its result; rows can only be appended, unless 'format' writes changes")
	}
	r, err := newRows(cx, t, o)
	if err != nil {
		return nil, err
	}
	if o.Guarantee == "exactly-once" {
		return newOutbox(r), nil
	}
	return &sink{rows: r}, nil
}

// Write implements connector.Sink. Rows of one queue are sent in order, queues
// at the same time.
func (s *sink) Write(ctx context.Context, b *vector.Batch) error {
	if err := s.route(ctx); err != nil {
		return wrap(err)
	}
	for len(s.sets) < len(s.queues) {
		s.sets = append(s.sets, queueSet{open: &remoting.Set{}})
	}
	defer func() {
		for i := range s.sets {
			s.sets[i].reset()
		}
	}()
	s.use(b)
	var fault error
	b.Rows(func(i int) {
		m, skip, err := s.message(b, i)
		if fault != nil || skip {
			return
		}
		if err != nil {
			fault = err
			return
		}
		s.sets[s.queueOf(b, i, len(s.queues))].add(m, int(s.o.BatchBytes))
	})
	if fault != nil {
		return fault
	}
	return wrap(s.flush(ctx))
}

func (q *queueSet) add(m remoting.Outgoing, most int) {
	if n := q.open.Bytes(); n > 0 && n+len(m.Body)+len(m.Properties)+32 > most {
		q.full = append(q.full, q.open)
		if k := len(q.free); k > 0 {
			q.open, q.free = q.free[k-1], q.free[:k-1]
		} else {
			q.open = &remoting.Set{}
		}
	}
	q.open.Add(m)
}

func (q *queueSet) reset() {
	for _, s := range q.full {
		s.Reset()
		q.free = append(q.free, s)
	}
	q.full = q.full[:0]
	q.open.Reset()
}

func (s *sink) flush(ctx context.Context) error {
	errs := make(chan error, len(s.sets))
	n := 0
	for i := range s.queues {
		q := &s.sets[i]
		if q.open.Len() == 0 {
			continue
		}
		n++
		go func() { errs <- s.send(ctx, s.queues[i], append(q.full, q.open)) }()
	}
	var first error
	for range n {
		if err := <-errs; err != nil && first == nil {
			first = err
		}
	}
	return first
}

func (s *sink) send(ctx context.Context, q remoting.Queue, sets []*remoting.Set) error {
	for _, set := range sets {
		if s.o.Guarantee == "none" {
			if err := s.client.SendSetOneWay(ctx, q, s.o.Producer, set); err != nil {
				return err
			}
			continue
		}
		if _, err := s.client.SendSet(ctx, q, s.o.Producer, set); err != nil {
			return err
		}
	}
	return nil
}

// Close implements connector.Sink: there is nothing that was not sent.
func (s *sink) Close(context.Context) error { return s.client.Close() }
