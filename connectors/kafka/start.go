package kafka

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/runnelio/runnel/option"
)

// parseOffsets reads partition:0,offset:42;partition:1,offset:300.
func parseOffsets(s string) (map[int32]int64, error) {
	out := map[int32]int64{}
	for part := range strings.SplitSeq(s, ";") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		partition, offset := int64(-1), int64(-1)
		for pair := range strings.SplitSeq(part, ",") {
			key, value, _ := strings.Cut(strings.TrimSpace(pair), ":")
			n, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
			switch {
			case err != nil:
				return nil, fmt.Errorf("%q is not like partition:0,offset:42", part)
			case strings.TrimSpace(key) == "partition" && n < 1<<31:
				partition = n
			case strings.TrimSpace(key) == "offset":
				offset = n
			default:
				return nil, fmt.Errorf("%q: unknown word", pair)
			}
		}
		if partition < 0 || offset < 0 {
			return nil, fmt.Errorf("%q needs a partition and an offset, neither below 0", part)
		}
		out[int32(partition)] = offset
	}
	return out, nil
}

// listed returns one partition's offset out of a listing of its topic.
func listed(l kadm.ListedOffsets, err error, topic string, partition int32) (int64, error) {
	if err != nil {
		return 0, err
	}
	o, ok := l.Lookup(topic, partition)
	if !ok {
		return 0, fmt.Errorf("kafka: partition %s is not there", splitID(topic, partition))
	}
	return o.Offset, o.Err
}

func (s *source) first(ctx context.Context, topic string, p int32) (int64, error) {
	l, err := s.admin.ListStartOffsets(ctx, topic)
	return listed(l, err, topic, p)
}

func (s *source) last(ctx context.Context, topic string, p int32) (int64, error) {
	l, err := s.admin.ListEndOffsets(ctx, topic)
	return listed(l, err, topic, p)
}

func (s *source) after(ctx context.Context, ms int64, topic string, p int32) (int64, error) {
	l, err := s.admin.ListOffsetsAfterMilli(ctx, ms, topic) // the end if there is none
	return listed(l, err, topic, p)
}

// committed is the group's offset, -1 if it has none.
func (s *source) committed(ctx context.Context, topic string, p int32) (int64, error) {
	if s.o.group() == "" {
		return -1, nil
	}
	all, err := s.admin.FetchOffsetsForTopics(ctx, s.o.group(), topic)
	if err != nil {
		return 0, err
	}
	r, ok := all.Lookup(topic, p)
	if !ok || r.Err != nil {
		return -1, r.Err
	}
	return r.At, nil
}

// begin is the offset at which reading of a partition starts. One that appeared
// while the job ran is read from its first record, whatever the mode.
func (s *source) begin(ctx context.Context, topic string, p int32, appeared bool) (int64, error) {
	switch {
	case s.o.Startup == "earliest-offset" || appeared && s.o.Startup != "group-offsets":
		return s.first(ctx, topic, p)
	case s.o.Startup == "latest-offset":
		return s.last(ctx, topic, p)
	case s.o.Startup == "timestamp":
		return s.after(ctx, *s.o.StartMs, topic, p)
	case s.o.Startup == "specific-offsets":
		if at, ok := s.specific[p]; ok {
			return at, nil
		}
	}
	at, err := s.committed(ctx, topic, p)
	if err != nil || at >= 0 {
		return at, err
	}
	switch {
	case appeared || s.conf.reset == "earliest":
		return s.first(ctx, topic, p)
	case s.conf.reset == "latest":
		return s.last(ctx, topic, p)
	}
	return 0, option.Errorf("scan.startup.mode", "the group has no offset for partition %s: say where to begin with 'scan.startup.mode' or 'properties.auto.offset.reset'", splitID(topic, p))
}

// end is the first offset that is not read, -1 if there is no such.
func (s *source) end(ctx context.Context, topic string, p int32) (int64, error) {
	switch s.o.Bounded {
	case "latest-offset":
		return s.last(ctx, topic, p)
	case "timestamp":
		return s.after(ctx, *s.o.EndMs, topic, p)
	case "group-offsets":
		at, err := s.committed(ctx, topic, p)
		if err == nil && at < 0 {
			return 0, fmt.Errorf("kafka: the group has no offset for partition %s to end at", splitID(topic, p))
		}
		return at, err
	case "specific-offsets":
		if at, ok := s.ends[p]; ok {
			return at, nil
		}
		return 0, option.Errorf("scan.bounded.specific-offsets", "has none for partition %s", splitID(topic, p))
	}
	return -1, nil
}
