package kafka

import (
	"context"
	"errors"
	"io"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/connector/metadata"
	"github.com/runnelio/runnel/format"
)

// reader reads one partition with a client of its own, which fetches ahead: a
// partition that is read slowly holds up no other.
type reader struct {
	s         *source
	topic     string
	partition int32
	next, end int64 // end: first offset not to read, -1: none
	cl        *kgo.Client
	faulty    bool // the last fetch failed
	owned     map[*format.Records]*page
}

// page is the memory behind a Records beside its buffer.
type page struct {
	offsets []int64
	meta    metadata.Columns
}

func (p *page) position(dst []byte, i int) []byte { return append(dst, position(p.offsets[i]+1)...) }

// Open implements connector.Source.
func (s *source) Open(ctx context.Context, sp connector.Split, at connector.Position) (connector.Reader, error) {
	topic, p, err := partition(sp.ID)
	if err != nil {
		return nil, err
	}
	r := &reader{s: s, topic: topic, partition: p, owned: map[*format.Records]*page{}}
	if at != "" {
		if r.next, err = parsePosition(at); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	appeared := s.appeared[sp.ID]
	s.mu.Unlock()
	err = s.persist(ctx, "the partition's offsets cannot be asked for", func() (err error) {
		if at == "" {
			if r.next, err = s.begin(ctx, topic, p, appeared); err != nil {
				return err
			}
		}
		r.end, err = s.end(ctx, topic, p)
		return err
	})
	if err != nil {
		return nil, err
	}
	return r, r.connect()
}

// connect begins to fetch at r.next.
func (r *reader) connect() error {
	opts := append(slices.Clone(r.s.conf.common), kgo.FetchMaxBytes(16<<20), kgo.FetchMaxPartitionBytes(8<<20), kgo.MaxConcurrentFetches(1))
	opts = append(opts, r.s.conf.consumer...)
	opts = append(opts,
		// Control records are where transactions end: without them the end of a
		// bounded partition might never be seen.
		kgo.KeepControlRecords(),
		// An offset that is not there (any more) is for us to handle.
		kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{r.topic: {r.partition: kgo.NewOffset().At(r.next)}}))
	var err error
	r.cl, err = kgo.NewClient(opts...)
	return err
}

// Read implements connector.Reader.
func (r *reader) Read(ctx context.Context, into *format.Records) error {
	into.Reset()
	into.Split = splitID(r.topic, r.partition)
	for {
		if r.end >= 0 && r.next >= r.end {
			return io.EOF
		}
		if ctx.Err() != nil {
			return nil
		}
		fetches := r.cl.PollRecords(ctx, r.s.conf.maxPoll)
		var fault error
		fetches.EachError(func(_ string, _ int32, err error) {
			if fault == nil && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
				fault = err
			}
		})
		if r.faulty && fault == nil && fetches.NumRecords() > 0 {
			r.s.health.Working("fetch " + splitID(r.topic, r.partition))
			r.faulty = false
		}
		if fetches.NumRecords() > 0 {
			r.fill(into, fetches)
			if len(into.Val) > 0 || into.Oversize > 0 {
				return nil
			}
			continue
		}
		if fault != nil && ctx.Err() == nil {
			if err := r.recover(ctx, fault); err != nil {
				return err
			}
		}
	}
}

// recover handles an error of fetching.
func (r *reader) recover(ctx context.Context, fault error) error {
	var loss *kgo.ErrDataLoss
	switch {
	case errors.Is(fault, kerr.OffsetOutOfRange):
		var first, last int64
		err := r.s.persist(ctx, "the partition's offsets cannot be asked for", func() (err error) {
			if first, err = r.s.first(ctx, r.topic, r.partition); err == nil {
				last, err = r.s.last(ctx, r.topic, r.partition)
			}
			return err
		})
		if err != nil {
			return err
		}
		if r.next < first {
			r.s.log.Warn("records were deleted by the broker before they were read", "partition", splitID(r.topic, r.partition), "from", r.next, "to", first, "lost", first-r.next)
			r.next = first
		} else {
			r.s.log.Warn("the partition ends before the offset to read: its topic was made anew, or its broker lost records", "partition", splitID(r.topic, r.partition), "offset", r.next, "end", last)
			r.next = min(r.next, last)
		}
	case errors.As(fault, &loss):
		r.s.log.Warn("the broker lost records", "partition", splitID(r.topic, r.partition), "error", fault)
		return nil // the client goes on where the partition does
	case temporary(fault), closedAtOnce(fault): // the broker has been talked to before
		r.s.health.Failing("fetch "+splitID(r.topic, r.partition), fault)
		r.faulty = true
		return nil // the client tries again, and has said so
	default:
		return fault
	}
	r.cl.Close()
	return r.connect()
}

// fill copies records into into.
func (r *reader) fill(into *format.Records, fetches kgo.Fetches) {
	p := r.owned[into]
	if p == nil {
		if len(r.owned) > 8 {
			clear(r.owned)
		}
		p = &page{meta: r.s.meta.Fresh()}
		r.owned[into] = p
	}
	p.offsets = p.offsets[:0]
	p.meta.Reset()
	most := int(r.s.o.MaxRecord)
	size := 64
	fetches.EachRecord(func(rec *kgo.Record) { size += len(rec.Value) + len(rec.Key) })
	into.Buf = slices.Grow(into.Buf[:0], size)
	fetches.EachRecord(func(rec *kgo.Record) {
		if rec.Offset < r.next || r.end >= 0 && rec.Offset >= r.end {
			if rec.Offset >= r.next {
				r.next = r.end
			}
			return
		}
		r.next = rec.Offset + 1
		if rec.Attrs.IsControl() {
			return
		}
		into.Bytes += int64(len(rec.Value) + len(rec.Key))
		if len(rec.Value) > most {
			into.Oversize++
			into.OversizeHead = append(into.OversizeHead, slices.Clone(rec.Value[:min(most, 1024)]))
			return
		}
		into.Val = append(into.Val, put(into, rec.Value))
		into.Key = append(into.Key, put(into, rec.Key))
		p.offsets = append(p.offsets, rec.Offset)
		r.describe(p.meta, rec)
	})
	p.meta.Put(into)
	into.PosAt = p.position
}

func put(into *format.Records, b []byte) format.Span {
	if b == nil {
		return format.Span{Off: int32(len(into.Buf)), Len: -1}
	}
	s := format.Span{Off: int32(len(into.Buf)), Len: int32(len(b))}
	into.Buf = append(into.Buf, b...)
	return s
}

func (r *reader) describe(cols metadata.Columns, rec *kgo.Record) {
	for _, c := range cols {
		if !c.Wanted {
			continue
		}
		switch c.Key {
		case "topic":
			c.Text([]byte(r.topic))
		case "partition":
			c.Int(int64(r.partition))
		case "offset":
			c.Int(rec.Offset)
		case "leader-epoch":
			if rec.LeaderEpoch < 0 {
				c.Null()
			} else {
				c.Int(int64(rec.LeaderEpoch))
			}
		case "timestamp":
			c.Time(rec.Timestamp.UnixMilli())
		case "timestamp-type":
			switch rec.Attrs.TimestampType() {
			case 0:
				c.Text([]byte("CreateTime"))
			case 1:
				c.Text([]byte("LogAppendTime"))
			default:
				c.Text([]byte("NoTimestampType"))
			}
		case "headers":
			if c.Map() {
				for i, h := range rec.Headers {
					// Keys of a map are unique; the last of equal headers counts.
					if !slices.ContainsFunc(rec.Headers[i+1:], func(o kgo.RecordHeader) bool { return o.Key == h.Key }) {
						c.Entry([]byte(h.Key), h.Value)
					}
				}
			}
		}
	}
}

// At implements connector.Placed.
func (r *reader) At() connector.Position { return position(r.next) }

// Close implements connector.Reader.
func (r *reader) Close() error {
	r.cl.Close()
	return nil
}
