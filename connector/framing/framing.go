// Package framing cuts a stream of bytes into records: lines, or lines that may
// have line ends inside quotes.
package framing

import (
	"bytes"
	"fmt"
	"io"
	"strconv"

	"github.com/runnelio/runnel/format"
)

// Options say how to cut.
type Options struct {
	Framing format.Framing // Lines or Quoted
	Quote   byte           // of Quoted; 0 means "
	// MaxRecord is the most bytes a record may have; longer ones are left out
	// and counted. 0 means DefaultMaxRecord.
	MaxRecord int
	// Chunk is how many bytes are read at once; 0 means DefaultChunk.
	Chunk int
	// Offset is the position of the stream's first byte.
	Offset int64
	// Growing tells that the stream may go on behind its end: what has no line
	// end yet is kept until it has one. Otherwise it is the last record.
	Growing bool
}

// Sizes in bytes.
const (
	DefaultMaxRecord = 16 << 20
	DefaultChunk     = 256 << 10 // stays in the second-level cache while it is decoded
	headSize         = 256       // of records too long, for the dead letter
	slack            = 64        // readable behind the last record
)

// A Cutter reads records. It belongs to one goroutine.
type Cutter struct {
	src      io.Reader
	o        Options
	carry    []byte // what was read behind the last record
	off      int64  // position of carry
	skipping bool   // inside a record that is too long
	head     []byte // of it
	places   []*place
}

// place computes positions of the records of one *format.Records.
type place struct {
	recs *format.Records
	base int64 // position of Buf[0]
	at   func([]byte, int) []byte
}

// New returns a Cutter for src.
func New(src io.Reader, o Options) *Cutter {
	if o.MaxRecord <= 0 {
		o.MaxRecord = DefaultMaxRecord
	}
	if o.Chunk <= 0 {
		o.Chunk = DefaultChunk
	}
	if o.Quote == 0 {
		o.Quote = '"'
	}
	return &Cutter{src: src, o: o, off: o.Offset}
}

// Position writes a position so that positions sort as their numbers do.
func Position(offset int64) string { return string(AppendPosition(nil, offset)) }

// AppendPosition appends what Position returns to dst.
func AppendPosition(dst []byte, offset int64) []byte {
	var digits [20]byte
	for i := len(digits) - 1; i >= 0; i-- {
		digits[i] = byte('0' + offset%10)
		offset /= 10
	}
	return append(dst, digits[:]...)
}

// ParsePosition reads what Position wrote; the empty position is 0.
func ParsePosition(s string) (int64, error) {
	if s == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%q is no position in a file", s)
	}
	return n, nil
}

// Offset is the position behind the last record cut.
func (c *Cutter) Offset() int64 { return c.off }

// Read replaces the content of into with the records that are there, at least
// one; it returns io.EOF at the end, with or without records.
func (c *Cutter) Read(into *format.Records) error {
	into.Reset()
	need := len(c.carry) + c.o.Chunk + slack
	if cap(into.Buf) < need || cap(into.Buf) > 8*need { // not for ever as large as for the largest record
		into.Buf = make([]byte, 0, need)
	}
	buf := into.Buf[:cap(into.Buf)]
	n := copy(buf, c.carry)
	c.carry = c.carry[:0]
	idle := 0
	for {
		if n == len(buf)-slack {
			buf = c.full(buf, &n)
		}
		m, err := c.src.Read(buf[n : len(buf)-slack])
		n += m
		into.Bytes += int64(m)
		if m == 0 && err == nil {
			if idle++; idle > 100 {
				return io.ErrNoProgress
			}
			continue
		}
		last := c.cut(buf, &n, into)
		if err == nil && len(into.Val) == 0 && into.Oversize == 0 {
			continue
		}
		if err == io.EOF && !c.o.Growing && last < n {
			last = c.rest(buf, last, n, into)
		}
		if err == io.EOF && !c.o.Growing && c.skipping {
			c.skipping = false
			c.oversize(into, c.head)
		}
		into.Buf = buf[:last]
		c.positions(into)
		c.off += int64(last)
		c.carry = append(c.carry[:0], buf[last:n]...)
		return err
	}
}

// full makes room in a buffer that holds no whole record, or gives the record up.
func (c *Cutter) full(buf []byte, n *int) []byte {
	if *n > c.o.MaxRecord {
		if !c.skipping {
			c.skipping = true
			c.head = append([]byte(nil), buf[:min(*n, headSize)]...)
		}
		c.off += int64(*n)
		*n = 0
		return buf
	}
	grown := make([]byte, 2*len(buf))
	copy(grown, buf[:*n])
	return grown
}

// cut appends the records that end in buf[:n] and returns where the rest starts.
func (c *Cutter) cut(buf []byte, n *int, into *format.Records) int {
	at := 0
	if c.skipping {
		end := bytes.IndexByte(buf[:*n], '\n')
		if end < 0 {
			c.off += int64(*n)
			*n = 0
			return 0
		}
		c.skipping = false
		c.oversize(into, c.head)
		at = end + 1
	}
	from := at // where to look for the next line end
	for {
		i := bytes.IndexByte(buf[from:*n], '\n')
		if i < 0 {
			return at
		}
		end := from + i
		if c.o.Framing == format.Quoted && bytes.Count(buf[at:end], []byte{c.o.Quote})&1 == 1 {
			from = end + 1
			continue
		}
		c.add(buf, at, end, into)
		at = end + 1
		from = at
	}
}

// rest adds what stands behind the last line end.
func (c *Cutter) rest(buf []byte, at, n int, into *format.Records) int {
	c.add(buf, at, n, into)
	return n
}

func (c *Cutter) add(buf []byte, at, end int, into *format.Records) {
	if end-at > c.o.MaxRecord {
		c.oversize(into, buf[at:min(end, at+headSize)])
		return
	}
	if end > at && buf[end-1] == '\r' {
		end--
	}
	into.Val = append(into.Val, format.Span{Off: int32(at), Len: int32(end - at)})
}

func (c *Cutter) oversize(into *format.Records, head []byte) {
	into.Oversize++
	into.OversizeHead = append(into.OversizeHead, append([]byte(nil), head...))
}

// positions lets into tell positions. Two Records go round mostly, each with
// its place.
func (c *Cutter) positions(into *format.Records) {
	for _, p := range c.places {
		if p.recs == into {
			p.base = c.off
			into.PosAt = p.at
			return
		}
	}
	p := &place{recs: into, base: c.off}
	p.at = p.position
	if len(c.places) >= 8 {
		c.places = c.places[1:]
	}
	c.places = append(c.places, p)
	into.PosAt = p.at
}

// Behind returns the position behind record i of recs in its buffer.
func Behind(recs *format.Records, i int) int {
	at := int(recs.Val[i].Off + recs.Val[i].Len)
	if at < len(recs.Buf) && recs.Buf[at] == '\r' {
		at++
	}
	if at < len(recs.Buf) && recs.Buf[at] == '\n' {
		at++
	}
	return at
}

func (p *place) position(dst []byte, i int) []byte {
	return AppendPosition(dst, p.base+int64(Behind(p.recs, i)))
}
