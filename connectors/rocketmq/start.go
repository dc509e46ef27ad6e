package rocketmq

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/runnelio/runnel/connectors/rocketmq/remoting"
	"github.com/runnelio/runnel/option"
)

// offsetOf is an offset given for a queue; an empty broker is any.
type offsetOf struct {
	broker string
	queue  int
	offset int64
}

// parseOffsets reads queue:0,offset:42;broker:b,queue:1,offset:7. The word
// partition stands for queue too.
func parseOffsets(s string) ([]offsetOf, error) {
	var out []offsetOf
	for part := range strings.SplitSeq(s, ";") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		o := offsetOf{queue: -1, offset: -1}
		for pair := range strings.SplitSeq(part, ",") {
			key, value, ok := strings.Cut(strings.TrimSpace(pair), ":")
			if !ok {
				return nil, fmt.Errorf("%q is not like queue:0,offset:42", part)
			}
			var err error
			switch value = strings.TrimSpace(value); strings.TrimSpace(key) {
			case "broker":
				o.broker = value
			case "queue", "partition":
				o.queue, err = strconv.Atoi(value)
			case "offset":
				o.offset, err = strconv.ParseInt(value, 10, 64)
			default:
				err = fmt.Errorf("unknown word")
			}
			if err != nil {
				return nil, fmt.Errorf("%q: %w", pair, err)
			}
		}
		if o.queue < 0 || o.offset < 0 {
			return nil, fmt.Errorf("%q needs a queue and an offset, neither below 0", part)
		}
		out = append(out, o)
	}
	return out, nil
}

func findOffset(list []offsetOf, q remoting.Queue) (int64, bool) {
	for _, o := range list {
		if o.queue == q.ID && (o.broker == "" || o.broker == q.Broker) {
			return o.offset, true
		}
	}
	return 0, false
}

// moment reads yyyy-MM-dd HH:mm:ss, with fractions or without, in the options' zone.
func (o *options) moment(key, text string, session *time.Location) (time.Time, error) {
	zone := session
	if o.Zone != "" {
		var err error
		if zone, err = time.LoadLocation(o.Zone); err != nil {
			return time.Time{}, option.Errorf("timeZone", "%v", err)
		}
	}
	if zone == nil {
		zone = time.UTC
	}
	t, err := time.ParseInLocation("2006-01-02 15:04:05", text, zone)
	if err != nil {
		return t, option.Errorf(key, "'%s' is not like 2024-01-31 12:00:00", text)
	}
	return t, nil
}

// span is where reading begins and ends, the options made plain.
type span struct {
	mode     string // earliest, latest, group, timestamp, offsets
	reset    string
	at       time.Time
	offsets  []offsetOf
	all      *int64 // one offset for all queues
	until    string // "", latest, timestamp, offsets
	untilAt  time.Time
	untilOff []offsetOf
}

func (o *options) span(zone *time.Location) (*span, error) {
	s := &span{mode: strings.TrimSuffix(o.Startup, "-offset"), reset: o.Reset, all: o.StartAt}
	var err error
	if s.offsets, err = parseOffsets(o.Specific); err != nil {
		return nil, err
	}
	switch {
	case o.Startup == "specific-offsets" || o.Specific != "" && o.Startup == "group-offsets", o.StartAt != nil:
		s.mode = "offsets"
	case o.Startup == "timestamp" || o.Startup == "group-offsets" && (o.StartMs != nil || o.StartTime != ""):
		s.mode = "timestamp"
		if o.StartMs != nil {
			s.at = time.UnixMilli(*o.StartMs)
		} else if s.at, err = o.moment("startTime", o.StartTime, zone); err != nil {
			return nil, err
		}
	case o.Startup == "group-offsets":
		s.mode = "group"
	}
	switch {
	case o.Bounded == "timestamp" || o.EndTime != "" && o.Bounded == "unbounded":
		s.until = "timestamp"
		if o.EndMs != nil {
			s.untilAt = time.UnixMilli(*o.EndMs)
		} else if s.untilAt, err = o.moment("endTime", o.EndTime, zone); err != nil {
			return nil, err
		}
	case o.Bounded == "latest-offset":
		s.until = "latest"
	case o.Bounded == "specific-offsets":
		s.until = "offsets"
		s.untilOff, err = parseOffsets(o.EndOffsets)
	}
	return s, err
}

// begin is the offset at which reading of q starts. A queue that appeared while
// the job ran is read from its first message, whatever the mode: nothing in it
// is older than the job.
func (s *span) begin(ctx context.Context, c *remoting.Client, group string, q remoting.Queue, appeared bool) (int64, error) {
	if appeared && (s.mode == "latest" || s.mode == "group" && s.reset == "latest") {
		if s.mode == "group" {
			if at, ok, err := c.GroupOffset(ctx, group, q); ok || err != nil {
				return at, err
			}
		}
		return c.MinOffset(ctx, q)
	}
	switch s.mode {
	case "earliest":
		return c.MinOffset(ctx, q)
	case "latest":
		return c.MaxOffset(ctx, q)
	case "timestamp":
		return c.SearchOffset(ctx, q, s.at)
	case "offsets":
		if s.all != nil {
			return *s.all, nil
		}
		if at, ok := findOffset(s.offsets, q); ok {
			return at, nil
		}
	}
	at, ok, err := c.GroupOffset(ctx, group, q)
	if ok || err != nil {
		return at, err
	}
	if s.reset == "latest" {
		return c.MaxOffset(ctx, q)
	}
	return c.MinOffset(ctx, q)
}

// end is the first offset of q that is not read, -1 if there is no such.
func (s *span) end(ctx context.Context, c *remoting.Client, q remoting.Queue) (int64, error) {
	switch s.until {
	case "latest":
		return c.MaxOffset(ctx, q)
	case "timestamp":
		return c.SearchOffset(ctx, q, s.untilAt)
	case "offsets":
		if at, ok := findOffset(s.untilOff, q); ok {
			return at, nil
		}
		return 0, fmt.Errorf("rocketmq: 'scan.bounded.specific-offsets' has none for queue %v", q)
	}
	return -1, nil
}
