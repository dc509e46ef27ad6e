package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/format/keyed"
	"github.com/runnelio/runnel/option"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// rows turns rows into records.
type rows struct {
	o       *options
	conf    *client
	log     *slog.Logger
	health  *connector.Health
	topic   string
	enc     format.Encoder
	keys    *keyed.Encoder // nil: records have no key
	upsert  bool
	columns []int // of the encoded row
	schema  *types.Schema
	stamp   int // column of the timestamp, -1: none
	headers int
	zone    *time.Location
	subtask int
	limit   int32 // largest batch the topic takes, in bytes; 0: not asked yet

	batch vector.Batch
	buf   []byte
	recs  []kgo.Record
	spans []span
}

type span struct{ key, val [2]int } // from, to in buf; from -1: none

func newSink(cx *connector.Context, t *connector.Table, o *options, upsert bool) (connector.Sink, error) {
	topics := splitList(o.Topic)
	if o.Pattern != "" || len(topics) != 1 {
		return nil, option.Errorf("topic", "a sink writes to one topic")
	}
	if !upsert && t.Changelog != connector.AppendOnly && !t.Format.Changelog() {
		return nil, errors.New("kafka: the query updates its result; use upsert-kafka, or a format that writes changes")
	}
	if upsert && len(t.PrimaryKey) == 0 {
		return nil, errors.New("upsert-kafka: a PRIMARY KEY is needed: it is the key of the records")
	}
	r := &rows{o: o, log: logger(cx, t), health: cx.Health, topic: topics[0], upsert: upsert, stamp: -1, headers: -1, zone: cx.Zone, subtask: t.Subtask}
	var err error
	if r.conf, err = o.client(r.log, cx.Health); err != nil {
		return nil, err
	}
	outside := map[int]bool{}
	for _, m := range t.Metadata {
		switch m.Key {
		case "timestamp":
			r.stamp = m.Column
		case "headers":
			r.headers = m.Column
		default:
			return nil, fmt.Errorf("kafka: metadata '%s' cannot be written: declare the column VIRTUAL", m.Key)
		}
		outside[m.Column] = true
	}
	var fields []types.Field
	for i, f := range t.Schema.Fields {
		if !outside[i] {
			r.columns, fields = append(r.columns, i), append(fields, f)
		}
	}
	r.schema = types.NewSchema(fields...)
	if r.enc, err = t.Format.NewEncoder(format.Encoding{Schema: r.schema, Zone: cx.Zone}); err != nil {
		return nil, err
	}
	r.keys, _ = r.enc.(*keyed.Encoder)
	if upsert && r.keys == nil {
		return nil, option.Errorf("key.format", "required")
	}
	if o.Guarantee == "exactly-once" {
		return newTransactions(r, t), nil
	}
	return &sink{rows: r}, nil
}

// options are those of a producer.
func (r *rows) options() []kgo.Opt {
	opts := append(slices.Clone(r.conf.common), kgo.ProducerBatchCompression(kgo.NoCompression()),
		kgo.MaxBufferedRecords(1<<20), kgo.AllowAutoTopicCreation(), kgo.UnknownTopicRetries(10))
	if r.o.Guarantee == "none" {
		opts = append(opts, kgo.RequiredAcks(kgo.NoAck()), kgo.DisableIdempotentWrite())
	}
	opts = append(opts, r.conf.producer...)
	if r.limit == 0 {
		opts = append(opts, kgo.ProducerBatchMaxBytes(r.conf.maxBatch))
	} else {
		opts = append(opts, kgo.ProducerBatchMaxBytes(r.limit))
	}
	switch r.o.Partitioner {
	case "fixed":
		opts = append(opts, kgo.RecordPartitioner(kgo.BasicConsistentPartitioner(func(string) func(*kgo.Record, int) int {
			return func(_ *kgo.Record, n int) int { return r.subtask % n }
		})))
	case "round-robin":
		opts = append(opts, kgo.RecordPartitioner(kgo.RoundRobinPartitioner()))
	default:
		opts = append(opts, kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil))) // as the Java client hashes
	}
	return opts
}

// learn asks how large a batch of records the topic takes, once. A batch that is
// larger the broker refuses as a whole, also if each of its records would fit;
// and what fits other partitions is written by then. So sizes are checked before
// anything is sent.
func (r *rows) learn(ctx context.Context) error {
	if r.limit != 0 {
		return nil
	}
	cl, err := kgo.NewClient(r.conf.common...)
	if err != nil {
		return err
	}
	defer cl.Close()
	var all kadm.ResourceConfigs
	err = r.persist(ctx, "the topic's limits cannot be asked for", func() (err error) {
		all, err = kadm.NewClient(cl).DescribeTopicConfigs(ctx, r.topic)
		return err
	})
	var denied *kadm.AuthError
	if err != nil && !errors.As(err, &denied) {
		return fmt.Errorf("kafka: topic %s: %w", r.topic, err)
	}
	limit := r.conf.maxBatch
	// There is no answer for a topic still to be made, or for who may not ask.
	if one, err := all.On(r.topic, nil); err == nil && one.Err == nil {
		for _, c := range one.Configs {
			if c.Key != "max.message.bytes" || c.Value == nil {
				continue
			}
			if n, err := strconv.ParseInt(*c.Value, 10, 32); err == nil {
				limit = min(limit, int32(n))
			}
		}
	}
	r.limit = max(limit, 512) // the client's least
	return nil
}

// persist calls f until it succeeds, fails for good, or ctx ends.
func (r *rows) persist(ctx context.Context, what string, f func() error) error {
	var p patience
	for delay := 100 * time.Millisecond; ; delay = min(2*delay, 5*time.Second) {
		err := f()
		if err == nil || !p.has(err) {
			r.health.Working(what)
			return err
		}
		r.health.Failing(what, err)
		r.log.Warn(what+": trying again", "error", err)
		t := time.NewTimer(delay)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return errors.Join(context.Cause(ctx), err)
		}
	}
}

// size is at least what a record takes in a batch of its own.
func size(rec *kgo.Record) int {
	n := 84 + len(rec.Key) + len(rec.Value) // the batch's head, the lengths
	for _, h := range rec.Headers {
		n += 10 + len(h.Key) + len(h.Value)
	}
	return n
}

// encode makes r.recs of the rows of b. They are views of r.buf, valid until the next call.
func (r *rows) encode(b *vector.Batch) error {
	r.batch = vector.Batch{Schema: r.schema, Cols: r.batch.Cols[:0], N: b.N, Sel: b.Sel, Kinds: b.Kinds}
	for _, c := range r.columns {
		r.batch.Cols = append(r.batch.Cols, b.Cols[c])
	}
	if r.keys != nil {
		r.keys.Use(&r.batch)
	}
	r.buf, r.spans, r.recs = r.buf[:0], r.spans[:0], r.recs[:0]
	var fault error
	b.Rows(func(i int) {
		if fault == nil {
			fault = r.row(b, i)
		}
	})
	if fault != nil {
		return fault
	}
	for i, s := range r.spans { // r.buf moves no more
		if s.key[0] >= 0 {
			r.recs[i].Key = r.buf[s.key[0]:s.key[1]:s.key[1]]
		}
		if s.val[0] >= 0 {
			r.recs[i].Value = r.buf[s.val[0]:s.val[1]:s.val[1]]
		}
		if n := size(&r.recs[i]); n > int(r.limit) {
			return fmt.Errorf("%w: kafka: a record of %d bytes; topic %s takes %d (its max.message.bytes, or 'properties.max.request.size')", connector.ErrRejected, n, r.topic, r.limit)
		}
	}
	return nil
}

func (r *rows) row(b *vector.Batch, i int) error {
	s := span{key: [2]int{-1, 0}, val: [2]int{-1, 0}}
	if r.keys != nil && r.keys.Deletes(&r.batch, i) {
		// no value: a tombstone
	} else {
		from := len(r.buf)
		out, skip, err := r.enc.Append(r.buf, &r.batch, i)
		if err != nil {
			return err
		}
		if skip {
			return nil
		}
		r.buf = out
		s.val = [2]int{from, len(out)}
	}
	if r.keys != nil {
		from := len(r.buf)
		out, none, err := r.keys.AppendKey(r.buf, &r.batch, i)
		if err != nil {
			return fmt.Errorf("key: %w", err)
		}
		if r.buf = out; !none {
			s.key = [2]int{from, len(out)}
		}
	}
	rec := kgo.Record{Topic: r.topic}
	if r.stamp >= 0 && !b.Cols[r.stamp].IsNull(i) {
		switch v := vector.Get(b.Cols[r.stamp], i).(type) {
		case types.TS:
			rec.Timestamp = time.UnixMilli(v.Ms)
			if b.Cols[r.stamp].Type().Kind == types.Timestamp && r.zone != nil {
				u := rec.Timestamp.UTC() // the wall clock of the session's zone
				rec.Timestamp = time.Date(u.Year(), u.Month(), u.Day(), u.Hour(), u.Minute(), u.Second(), u.Nanosecond(), r.zone)
			}
		case int64:
			rec.Timestamp = time.UnixMilli(v)
		}
	}
	if r.headers >= 0 && !b.Cols[r.headers].IsNull(i) {
		if m, ok := vector.Get(b.Cols[r.headers], i).(*types.MapValue); ok {
			for j, k := range m.Keys {
				h := kgo.RecordHeader{Key: fmt.Sprint(k)}
				if v, ok := m.Vals[j].(string); ok {
					h.Value = []byte(v)
				}
				rec.Headers = append(rec.Headers, h)
			}
		}
	}
	r.spans = append(r.spans, s)
	r.recs = append(r.recs, rec)
	return nil
}

// produce sends r.recs and waits for the brokers' answers.
func (r *rows) produce(ctx context.Context, cl *kgo.Client) error {
	var wg sync.WaitGroup
	var mu sync.Mutex
	var fault error
	wg.Add(len(r.recs))
	for i := range r.recs {
		cl.Produce(ctx, &r.recs[i], func(_ *kgo.Record, err error) {
			if err != nil {
				mu.Lock()
				if fault == nil {
					fault = err
				}
				mu.Unlock()
			}
			wg.Done()
		})
	}
	wg.Wait()
	clear(r.recs)
	if errors.Is(fault, kerr.ThrottlingQuotaExceeded) {
		return fmt.Errorf("%w: kafka: %w", connector.ErrThrottled, fault)
	}
	switch {
	case fault == nil:
		return nil
	case errors.Is(fault, kerr.MessageTooLarge), errors.Is(fault, kerr.InvalidRecord), errors.Is(fault, kerr.RecordListTooLarge):
		return fmt.Errorf("%w: kafka: %w", connector.ErrRejected, fault)
	}
	return fmt.Errorf("kafka: %w", fault)
}

// sink writes every batch before Write returns.
type sink struct {
	*rows
	cl *kgo.Client
}

// Write implements connector.Sink.
func (s *sink) Write(ctx context.Context, b *vector.Batch) error {
	if err := s.learn(ctx); err != nil {
		return err
	}
	if s.cl == nil {
		var err error
		if s.cl, err = kgo.NewClient(s.options()...); err != nil {
			return err
		}
	}
	if err := s.encode(b); err != nil {
		return err
	}
	return s.produce(ctx, s.cl)
}

// Close implements connector.Sink: there is nothing that was not sent.
func (s *sink) Close(context.Context) error {
	if s.cl != nil {
		s.cl.Close()
	}
	return nil
}
