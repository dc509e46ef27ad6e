package sigma

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/runnelio/runnel/format/json"
)

// part is a chunk with the hits of its events. The reader's chunks bound how many
// there are.
type part struct {
	c        *chunk
	lines    []hitLine
	hits     []*Entry // of the lines, one after another
	events   int64
	bad      int64
	badLines []string
	err      error // behind the lines
	done     chan struct{}
}

// hitLine is an event with hits, at buf[from:end] of the chunk.
type hitLine struct{ from, end, hits int }

func (p *part) reset(c *chunk) {
	*p = part{c: c, lines: p.lines[:0], hits: p.hits[:0]}
}

// evaluation is goroutines that evaluate chunks.
type evaluation struct {
	ordered chan *part // as they are read; evaluated when done is closed
	wg      sync.WaitGroup
}

// evaluate starts a goroutine for each task, and one that hands them chunks.
// They end when all is read or ctx is done.
func evaluate(ctx context.Context, src *source, tasks []*Task, strict bool) *evaluation {
	ev := &evaluation{ordered: make(chan *part, 2*len(tasks)+2)}
	work := make(chan *part)
	ev.wg.Go(func() {
		defer close(ev.ordered)
		defer close(work)
		for {
			var c *chunk
			var ok bool
			select {
			case <-ctx.Done():
				return
			case c, ok = <-src.out:
			}
			if !ok {
				return
			}
			p := &part{c: c, done: make(chan struct{})}
			select {
			case <-ctx.Done():
				return
			case ev.ordered <- p:
			}
			select {
			case <-ctx.Done():
				return
			case work <- p:
			}
		}
	})
	for _, t := range tasks {
		ev.wg.Go(func() {
			for p := range work {
				p.evaluate(t, strict)
				close(p.done)
			}
		})
	}
	return ev
}

var mark = []byte("\xef\xbb\xbf")

// evaluate finds the hits of the lines of the chunk.
func (p *part) evaluate(t *Task, strict bool) {
	c := p.c
	if c.err != nil {
		p.err = c.err
		return
	}
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
			if p.err = p.event(t, num, from, end, strict); p.err != nil {
				return
			}
		}
		from = next
	}
}

func (p *part) event(t *Task, num int64, from, end int, strict bool) error {
	hits, err := t.Match(p.c.buf, from, end)
	if err != nil {
		var syntax *json.SyntaxError
		if !errors.As(err, &syntax) || strict {
			return fmt.Errorf("%s:%d: %w", p.c.input, num, err)
		}
		if p.bad++; len(p.badLines) < maxBadLines {
			p.badLines = append(p.badLines, fmt.Sprintf("%s:%d: %s", p.c.input, num, err))
		}
		return nil
	}
	p.events++
	if len(hits) > 0 {
		p.lines = append(p.lines, hitLine{from, end, len(hits)})
		p.hits = append(p.hits, hits...)
	}
	return nil
}
