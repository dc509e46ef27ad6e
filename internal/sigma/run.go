package sigma

import (
	"bufio"
	"context"
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
	Parallelism    int    // of goroutines that evaluate rules; 0: one. It changes nothing in the output
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
// ids of the events in the window, and the event that made it fire, or the newest
// one of a window that is over. Hits are in the order of the inputs.
func Run(ctx context.Context, c *Collection, m *Matcher, opt RunOptions) (Summary, error) {
	outer := ctx
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	n := max(1, opt.Parallelism)
	r := &runner{opt: opt, fields: newEventFields(opt.IDField, opt.TimestampField), prefix: map[*Entry][]byte{}, counts: map[*Entry]int64{}}
	r.correlate = newCorrelator(c, r.fields)
	var tasks []*Task
	for range n {
		t, err := m.NewTask()
		if err != nil {
			return r.sum, err
		}
		tasks = append(tasks, t)
	}
	r.out = bufio.NewWriterSize(opt.Output, 256<<10)
	src := readInputs(ctx, opt.Inputs, opt.Stdin, 2*n+2)
	r.sum.Total = src.total
	var err error
	if n == 1 {
		err = r.inline(ctx, src, tasks[0])
	} else {
		p := evaluate(ctx, src, tasks, opt.Strict)
		err = r.chunks(ctx, p.ordered, src)
		cancel()
		p.wg.Wait()
	}
	if err == nil {
		err = r.end()
	}
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
	fields    *eventFields
	correlate *correlator
	fired     []fired
	prefix    map[*Entry][]byte
	counts    map[*Entry]int64
	out       *bufio.Writer
	line      []byte
	sum       Summary
}

// inline evaluates and writes in this goroutine.
func (r *runner) inline(ctx context.Context, src *source, t *Task) error {
	var p part
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case c, ok := <-src.out:
			if !ok {
				return ctx.Err()
			}
			p.reset(c)
			p.evaluate(t, r.opt.Strict)
			if err := r.part(&p, src); err != nil {
				return err
			}
		}
	}
}

// chunks writes what others evaluate, in the order of the input.
func (r *runner) chunks(ctx context.Context, ordered <-chan *part, src *source) error {
	for {
		var p *part
		var ok bool
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case p, ok = <-ordered:
		}
		if !ok {
			return ctx.Err()
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-p.done:
		}
		if err := r.part(p, src); err != nil {
			return err
		}
	}
}

// part writes the hits of a chunk and gives it back.
func (r *runner) part(p *part, src *source) error {
	r.sum.Events += p.events
	r.sum.Bad += p.bad
	for _, l := range p.badLines {
		if len(r.sum.BadLines) < maxBadLines {
			r.sum.BadLines = append(r.sum.BadLines, l)
		}
	}
	at := 0
	for _, l := range p.lines {
		if err := r.event(p.c.buf, l.from, l.end, p.hits[at:at+l.hits]); err != nil {
			return err
		}
		at += l.hits
	}
	if p.err != nil {
		return p.err
	}
	r.sum.Read = src.read.Load()
	if r.opt.Progress != nil {
		r.opt.Progress(r.sum)
	}
	src.free <- p.c
	return nil
}

// event writes the hits of an event and feeds them into correlations.
func (r *runner) event(buf []byte, from, end int, hits []*Entry) error {
	if err := r.fields.read(buf, from, end); err != nil {
		return err
	}
	for _, e := range hits {
		r.counts[e]++
		if e.Muted {
			r.sum.Muted++
			continue
		}
		r.sum.Hits++
		if err := r.write(e, nil, buf[from:end]); err != nil {
			return err
		}
	}
	if len(r.correlate.all) == 0 {
		return nil
	}
	var err error
	if r.fired, err = r.correlate.event(hits, buf[from:end], r.fired[:0]); err != nil {
		return err
	}
	return r.correlated(buf[from:end])
}

// end writes what windows that are still open have.
func (r *runner) end() (err error) {
	if r.fired, err = r.correlate.end(r.fired[:0]); err != nil {
		return err
	}
	return r.correlated(nil)
}

// correlated writes the hits of correlations that an event gave.
func (r *runner) correlated(event []byte) error {
	for i := range r.fired {
		f := &r.fired[i]
		r.counts[f.e]++
		if f.e.Muted {
			r.sum.Muted++
			continue
		}
		r.sum.Fired++
		of := event
		if f.event != nil {
			of = f.event
		}
		if err := r.write(f.e, f, of); err != nil {
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
	if f != nil && f.event != nil {
		b = append(b, f.id...)
	} else {
		b = append(b, r.fields.id()...)
	}
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
