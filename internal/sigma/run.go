package sigma

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/runnelio/runnel/format/json"
)

// RunOptions are what Run reads and writes.
type RunOptions struct {
	Inputs         []string // files; - is Stdin
	Stdin          io.Reader
	Output         io.Writer
	IDField        string // its value is the event_id of a hit, and it is not searched for keywords
	TimestampField string // time of events, for correlations
	Strict         bool   // a line that is no JSON object ends the run
	// Progress is called about every chunk of lines, if it is not nil.
	Progress func(Summary)
}

// Summary counts what a run did.
type Summary struct {
	Events, Hits    int64
	Fired           int64 // hits of correlations
	Muted           int64 // hits that only went into correlations
	Bad             int64 // lines that are no JSON objects
	BadLines        []string
	Read, Total     int64 // bytes of the inputs
	NoTime, NoGroup int64 // hits that no correlation could take
	NoValue, Late   int64
	PerRule         map[string]int64
}

const maxBadLines = 5 // that the summary shows

// Run evaluates the rules of m, and the correlations of c over them, on the lines
// of the inputs, and writes a line for each hit:
//
//	{"rule":…,"title":…,"level":…,"tags":[…],"event_id":…,"event":{…}}
//
// Hits of correlations have "correlation", with the group, the value, and the
// ids of the events in the window, and the event that made it fire.
func Run(ctx context.Context, c *Collection, m *Matcher, opt RunOptions) (Summary, error) {
	outer := ctx
	ctx, cancel := context.WithCancel(ctx)
	r := &runner{opt: opt, fields: newEventFields(opt.IDField, opt.TimestampField), prefix: map[*Entry][]byte{}, counts: map[*Entry]int64{}}
	r.correlate = newCorrelator(c, r.fields)
	task, err := m.NewTask()
	if err != nil {
		cancel()
		return r.sum, err
	}
	r.task = task
	r.out = bufio.NewWriterSize(opt.Output, 256<<10)
	src := readInputs(ctx, opt.Inputs, opt.Stdin)
	r.sum.Total = src.total
	err = r.chunks(ctx, src)
	cancel()
	if outer.Err() == nil || !slices.Contains(opt.Inputs, "-") { // a read of standard input cannot be ended
		for range src.out { // until the reader is gone
		}
	}
	if ferr := r.out.Flush(); err == nil {
		err = ferr
	}
	k := r.correlate
	r.sum.NoTime, r.sum.NoGroup, r.sum.NoValue, r.sum.Late = k.NoTime, k.NoGroup, k.NoValue, k.Late
	r.sum.PerRule = map[string]int64{}
	for e, n := range r.counts {
		r.sum.PerRule[e.Key()] += n
	}
	return r.sum, err
}

type runner struct {
	opt       RunOptions
	task      *Task
	fields    *eventFields
	correlate *correlator
	fired     []fired
	prefix    map[*Entry][]byte
	counts    map[*Entry]int64
	out       *bufio.Writer
	line      []byte
	sum       Summary
}

func (r *runner) chunks(ctx context.Context, src *source) error {
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case c, ok := <-src.out:
			if !ok {
				return ctx.Err()
			}
			if c.err != nil {
				return c.err
			}
			if err := r.chunk(c); err != nil {
				return err
			}
			r.sum.Read = src.read.Load()
			if r.opt.Progress != nil {
				r.opt.Progress(r.sum)
			}
			src.free <- c
		}
	}
}

var mark = []byte("\xef\xbb\xbf")

func (r *runner) chunk(c *chunk) error {
	num := c.line
	for from := 0; from < c.n; num++ {
		end := from + bytes.IndexByte(c.buf[from:c.n], '\n')
		next := end + 1
		if end < from {
			end, next = c.n, c.n
		}
		if num == 1 && bytes.HasPrefix(c.buf[from:end], mark) {
			from += len(mark)
		}
		for end > from && (c.buf[end-1] == '\r' || c.buf[end-1] == ' ' || c.buf[end-1] == '\t') {
			end--
		}
		if from = blank(c.buf, from, end); from < end {
			if err := r.event(c, num, from, end); err != nil {
				return err
			}
		}
		from = next
	}
	return nil
}

func (r *runner) event(c *chunk, num int64, from, end int) error {
	hits, err := r.task.Match(c.buf, from, end)
	if err != nil {
		var syntax *json.SyntaxError
		if !errors.As(err, &syntax) || r.opt.Strict {
			return fmt.Errorf("%s:%d: %w", c.input, num, err)
		}
		if r.sum.Bad++; len(r.sum.BadLines) < maxBadLines {
			r.sum.BadLines = append(r.sum.BadLines, fmt.Sprintf("%s:%d: %s", c.input, num, err))
		}
		return nil
	}
	r.sum.Events++
	if len(hits) == 0 {
		return nil
	}
	if err := r.fields.read(c.buf, from, end); err != nil {
		return err
	}
	for _, e := range hits {
		r.counts[e]++
		if e.Muted {
			r.sum.Muted++
			continue
		}
		r.sum.Hits++
		if err := r.write(e, nil, c.buf[from:end]); err != nil {
			return err
		}
	}
	if len(r.correlate.all) == 0 {
		return nil
	}
	if r.fired, err = r.correlate.event(hits, r.fired[:0]); err != nil {
		return err
	}
	for i := range r.fired {
		f := &r.fired[i]
		r.counts[f.e]++
		if f.e.Muted {
			r.sum.Muted++
			continue
		}
		r.sum.Fired++
		if err := r.write(f.e, f, c.buf[from:end]); err != nil {
			return err
		}
	}
	return nil
}

func (r *runner) write(e *Entry, f *fired, event []byte) error {
	p := r.prefix[e]
	if p == nil {
		p = hitPrefix(e.Rule)
		r.prefix[e] = p
	}
	b := append(r.line[:0], p...)
	b = append(b, r.fields.id()...)
	if f != nil {
		b = append(b, `,"correlation":{"type":`...)
		b = json.AppendString(b, f.e.Rule.Correlation.Type)
		b = append(b, `,"group":{`...)
		for i, n := range f.names {
			if i > 0 {
				b = append(b, ',')
			}
			b = json.AppendString(b, n)
			b = append(b, ':')
			b = json.AppendString(b, f.group[i])
		}
		b = append(b, `},"value":`...)
		b = strconv.AppendFloat(b, f.value, 'g', -1, 64)
		b = append(b, `,"event_ids":[`...)
		for i, id := range f.ids {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(b, id...)
		}
		b = append(b, "]}"...)
	}
	b = append(b, `,"event":`...)
	b = append(b, event...)
	b = append(b, "}\n"...)
	r.line = b
	_, err := r.out.Write(b)
	return err
}

// hitPrefix is what the hits of a rule begin with.
func hitPrefix(r *Rule) []byte {
	quoted := func(s string) []byte { return json.AppendString(nil, s) }
	b := append([]byte(`{"rule":`), quoted(r.Key())...)
	b = append(append(b, `,"title":`...), quoted(r.Title)...)
	b = append(b, `,"level":`...)
	if r.Level == "" {
		b = append(b, "null"...)
	} else {
		b = append(b, quoted(r.Level)...)
	}
	b = append(b, `,"tags":[`...)
	for i, t := range r.Tags {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, quoted(t)...)
	}
	return append(b, `],"event_id":`...)
}
