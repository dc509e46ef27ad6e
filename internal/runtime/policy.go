package runtime

import (
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"unicode/utf8"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/internal/metrics"
	"github.com/runnelio/runnel/internal/plan"
)

// RecordError is a record that cannot be read, under the policy 'fail'.
type RecordError struct {
	Table, Split, Position string
	Record                 string // its first bytes
	Err                    error
}

func (e *RecordError) Error() string {
	return fmt.Sprintf("table %s: %s, before position %s: %v: %s", e.Table, e.Split, connector.ShowPosition(e.Position), e.Err, e.Record)
}

// Unwrap returns Err.
func (e *RecordError) Unwrap() error { return e.Err }

// policy does what a table's on-error says with records that cannot be read.
// The tasks of a source share one, because they share its dead-letter file.
type policy struct {
	table string
	plan.ErrorPolicy

	mu    sync.Mutex
	users int
	file  *os.File
}

// open opens the dead-letter file, if there is to be one; a full close needs as many calls.
func (p *policy) open() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.users++
	if p.Action != "dead-letter" || p.file != nil {
		return nil
	}
	f, err := os.OpenFile(p.DeadLetter, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("dead-letter file: %w", err)
	}
	p.file = f
	return nil
}

func (p *policy) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.users--
	if p.users > 0 || p.file == nil {
		return nil
	}
	err := p.file.Close()
	p.file = nil
	return err
}

// handle applies the policy to one record and returns an error if the job must fail.
func (p *policy) handle(split, position string, record []byte, why error, m *metrics.Op) error {
	switch p.Action {
	case "skip":
		m.Bad.Add(1)
		return nil
	case "dead-letter":
		m.Bad.Add(1)
		m.Dead.Add(1)
		line := deadLetter{Table: p.table, Split: split, Position: position, Error: why.Error()}
		if utf8.Valid(record) {
			line.Record = string(record)
		} else {
			line.Bytes = record
		}
		text, err := json.Marshal(line)
		if err != nil {
			return err
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		if _, err := p.file.Write(append(text, '\n')); err != nil {
			return fmt.Errorf("dead-letter file: %w", err)
		}
		return nil
	}
	return &RecordError{Table: p.table, Split: split, Position: position, Record: excerpt(record), Err: why}
}

// deadLetter is a line of a dead-letter file. Bytes (base64) stands instead of
// Record where the record is not UTF-8.
type deadLetter struct {
	Table    string `json:"table"`
	Split    string `json:"split"`
	Position string `json:"position"`
	Error    string `json:"error"`
	Record   string `json:"record,omitempty"`
	Bytes    []byte `json:"bytes,omitempty"`
}

func (p *policy) oversize(recs *format.Records, m *metrics.Op) error {
	for _, head := range recs.OversizeHead {
		if err := p.handle(recs.Split, "", head, errOversize, m); err != nil {
			return err
		}
	}
	return nil
}

var errOversize = fmt.Errorf("the record is longer than 'max-record-size'")

func excerpt(b []byte) string {
	const most = 120
	if len(b) > most {
		return fmt.Sprintf("%q…", b[:most])
	}
	return fmt.Sprintf("%q", b)
}

// badRows collects the rows of one decoded run that are to be left out.
type badRows struct {
	recs   *format.Records
	policy *policy
	m      *metrics.Op
	seen   map[int]bool // records reported already
	drop   []bool       // by row
	any    bool
	early  []int // rows reported before their number was known
	err    error
}

func (b *badRows) reset(recs *format.Records, p *policy, m *metrics.Op) {
	b.recs, b.policy, b.m, b.err, b.any = recs, p, m, nil, false
	b.early, b.drop = b.early[:0], b.drop[:0]
	clear(b.seen)
}

func (b *badRows) rows(n int) {
	if cap(b.drop) < n {
		b.drop = make([]bool, n)
	}
	b.drop = b.drop[:n]
	clear(b.drop)
	for _, r := range b.early {
		if r < n {
			b.drop[r], b.any = true, true
		}
	}
}

// note is the format.BadRow of a run. A record is reported once, however many of its fields are bad.
func (b *badRows) note(record, row int, why error) {
	if row >= 0 {
		if row < len(b.drop) {
			b.drop[row] = true
		} else {
			b.early = append(b.early, row)
		}
		b.any = true
	}
	if b.seen[record] || b.err != nil {
		return
	}
	if b.seen == nil {
		b.seen = map[int]bool{}
	}
	b.seen[record] = true
	var text []byte
	if s := b.recs.Val[record]; s.Len >= 0 {
		text = b.recs.Buf[s.Off : s.Off+s.Len]
	}
	b.err = b.policy.handle(b.recs.Split, b.recs.Position(record), text, why, b.m)
}

// remove returns sel (nil: rows 0 to n-1) without the dropped rows, in buf if it changes.
func (b *badRows) remove(sel []int32, n int, buf *[]int32) []int32 {
	if !b.any {
		return sel
	}
	out := (*buf)[:0]
	if sel == nil {
		for i := range n {
			if !b.drop[i] {
				out = append(out, int32(i))
			}
		}
	} else {
		for _, i := range sel {
			if !b.drop[i] {
				out = append(out, i)
			}
		}
	}
	*buf = out
	return out
}
