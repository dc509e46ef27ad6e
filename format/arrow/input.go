package arrow

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/runnelio/runnel/format"
)

// magic stands at both ends of a file.
const magic = "ARROW1"

// The kinds of messages.
const (
	headSchema     = 1
	headDictionary = 2
	headBatch      = 3
)

// message is a message: its header, and the body to be read from as needed.
type message struct {
	kind   byte
	header table
	body   body
}

// body is the bytes behind the metadata of a message.
type body interface {
	// at returns bytes that stay unchanged.
	at(off, n int64) ([]byte, error)
	size() int64
}

// input gives the messages of a file or stream in order.
type input interface {
	// next returns the next message, or io.EOF.
	next() (message, error)
}

// memory is a body that has been read.
type memory []byte

func (m memory) size() int64 { return int64(len(m)) }

func (m memory) at(off, n int64) ([]byte, error) {
	if off < 0 || n < 0 || off > int64(len(m))-n {
		return nil, io.ErrUnexpectedEOF
	}
	return m[off : off+n : off+n], nil
}

// section is a body in a file.
type section struct {
	f       io.ReaderAt
	base, n int64
}

func (s section) size() int64 { return s.n }

func (s section) at(off, n int64) ([]byte, error) {
	if off < 0 || n < 0 || off > s.n-n {
		return nil, io.ErrUnexpectedEOF
	}
	return readAt(s.f, s.base+off, n)
}

func readAt(f io.ReaderAt, off, n int64) ([]byte, error) {
	if r, ok := f.(record); ok { // in memory: nothing to copy
		return memory(r).at(off, n)
	}
	b := make([]byte, n)
	if read, err := f.ReadAt(b, off); int64(read) < n {
		if err == nil || err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	return b, nil
}

// record is a message of a queue, as a file.
type record []byte

// Size implements format.File.
func (r record) Size() int64 { return int64(len(r)) }

// ReadAt implements io.ReaderAt.
func (r record) ReadAt(b []byte, off int64) (int, error) {
	if off < 0 || off >= int64(len(r)) {
		return 0, io.EOF
	}
	n := copy(b, r[off:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

// maxBytes bounds metadata and buffers.
const maxBytes = 1 << 30

var errLong = errors.New("a length is out of range")

// parseMessage reads the metadata of a message, whose body is to follow.
func parseMessage(meta []byte) (m message, length int64, err error) {
	f := &flat{b: meta}
	t := f.root()
	if v := t.short(0, 0); v != 3 && v != 4 && !f.bad {
		return m, 0, fmt.Errorf("metadata of version %d: only 4 and 5 are known", v+1)
	}
	m.kind, m.header = t.byte(1, 0), t.table(2)
	if length = t.long(3); f.bad || m.header.at == 0 {
		return m, 0, errFlat
	}
	if length < 0 {
		return m, 0, errLong
	}
	return m, length, nil
}

// prefix reads the length of the metadata that follow: size 0 is the end.
func prefix(head []byte) (size int64, used int64, err error) {
	if len(head) < 4 {
		return 0, 0, io.ErrUnexpectedEOF
	}
	n := binary.LittleEndian.Uint32(head)
	used = 4
	if n == 0xFFFFFFFF { // before version 0.15 it was not there
		if len(head) < 8 {
			return 0, 0, io.ErrUnexpectedEOF
		}
		n, used = binary.LittleEndian.Uint32(head[4:]), 8
	}
	if n > maxBytes {
		return 0, 0, errLong
	}
	return int64(n), used, nil
}

// run is a stream in a file: messages behind one another.
type run struct {
	f       io.ReaderAt
	at, end int64
}

// next implements input. A file that ends without the mark of an end has ended.
func (r *run) next() (message, error) {
	if r.at >= r.end {
		return message{}, io.EOF
	}
	var head [8]byte
	n, err := r.f.ReadAt(head[:min(8, r.end-r.at)], r.at)
	if err != nil && err != io.EOF {
		return message{}, err
	}
	size, used, err := prefix(head[:n])
	if err != nil {
		return message{}, err
	}
	if r.at += used; size == 0 {
		r.at = r.end
		return message{}, io.EOF
	}
	if size > r.end-r.at {
		return message{}, io.ErrUnexpectedEOF
	}
	meta, err := readAt(r.f, r.at, size)
	if err != nil {
		return message{}, err
	}
	m, length, err := parseMessage(meta)
	if err != nil {
		return m, err
	}
	if r.at += size; length > r.end-r.at {
		return m, io.ErrUnexpectedEOF
	}
	m.body = section{r.f, r.at, length}
	r.at += length
	return m, nil
}

// pipe is a stream that can be read once only.
type pipe struct {
	r     io.Reader
	ended bool
}

// next implements input.
func (p *pipe) next() (message, error) {
	if p.ended {
		return message{}, io.EOF
	}
	var head [8]byte
	n, err := io.ReadFull(p.r, head[:4])
	if n == 0 && err == io.EOF {
		p.ended = true
		return message{}, io.EOF
	}
	if err != nil {
		return message{}, io.ErrUnexpectedEOF
	}
	if string(head[:4]) == magic[:4] {
		return message{}, errors.New("here should be a stream, not a file: its end comes first, so that it must be a file to be read")
	}
	if binary.LittleEndian.Uint32(head[:]) == 0xFFFFFFFF {
		if _, err := io.ReadFull(p.r, head[4:]); err != nil {
			return message{}, io.ErrUnexpectedEOF
		}
	}
	size, _, err := prefix(head[:])
	if err != nil {
		return message{}, err
	}
	if size == 0 {
		p.ended = true
		return message{}, io.EOF
	}
	meta, err := readSome(p.r, size)
	if err != nil {
		return message{}, err
	}
	m, length, err := parseMessage(meta)
	if err != nil {
		return m, err
	}
	raw, err := readSome(p.r, length)
	m.body = memory(raw)
	return m, err
}

// readSome reads n bytes, with memory that grows as they come.
func readSome(r io.Reader, n int64) ([]byte, error) {
	if n <= 1<<16 {
		b := make([]byte, n)
		if _, err := io.ReadFull(r, b); err != nil {
			return nil, ended(err)
		}
		return b, nil
	}
	var b bytes.Buffer
	b.Grow(1 << 16)
	if read, err := io.Copy(&b, io.LimitReader(r, n)); err != nil || read < n {
		return nil, ended(err)
	}
	return b.Bytes(), nil
}

func ended(err error) error {
	if err == nil || err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// listed is a file with a footer that says where the messages are.
type listed struct {
	f      format.File
	schema message
	blocks []block
	at     int // block, from -1: the schema
}

type block struct{ off, meta, body int64 }

// openFile finds out which form a file has.
func openFile(f format.File) (input, error) {
	var head [8]byte
	n, err := f.ReadAt(head[:min(8, f.Size())], 0)
	if err != nil && err != io.EOF {
		return nil, err
	}
	if n < 6 || string(head[:6]) != magic {
		if n < 4 {
			return nil, errors.New("no Arrow file: it is too short")
		}
		return &run{f, 0, f.Size()}, nil
	}
	if f.Size() < 8+10 {
		return nil, io.ErrUnexpectedEOF
	}
	tail, err := readAt(f, f.Size()-10, 10)
	if err != nil {
		return nil, err
	}
	if string(tail[4:]) != magic {
		return nil, errors.New("the file is not complete: it does not end with ARROW1")
	}
	length := int64(int32(binary.LittleEndian.Uint32(tail)))
	if length <= 0 || length > f.Size()-18 {
		return nil, errLong
	}
	raw, err := readAt(f, f.Size()-10-length, length)
	if err != nil {
		return nil, err
	}
	fb := &flat{b: raw}
	t := fb.root()
	l := &listed{f: f, at: -1, schema: message{kind: headSchema, header: t.table(1)}}
	for _, slot := range []int{2, 3} { // dictionaries come first
		at, count := t.list(slot, 24)
		for i := range count {
			p := at + 24*i
			l.blocks = append(l.blocks, block{fb.i64(p), int64(fb.i32(p + 8)), fb.i64(p + 16)})
		}
	}
	if fb.bad {
		return nil, fmt.Errorf("footer: %w", errFlat)
	}
	return l, nil
}

// next implements input.
func (l *listed) next() (message, error) {
	if l.at++; l.at == 0 {
		return l.schema, nil
	}
	if l.at > len(l.blocks) {
		return message{}, io.EOF
	}
	b := l.blocks[l.at-1]
	if size := l.f.Size(); b.off < 0 || b.meta < 8 || b.body < 0 || b.meta > size || b.off > size-b.meta || b.body > size-b.off-b.meta {
		return message{}, errLong
	}
	raw, err := readAt(l.f, b.off, b.meta)
	if err != nil {
		return message{}, err
	}
	size, used, err := prefix(raw)
	if err != nil {
		return message{}, err
	}
	if size == 0 || size > int64(len(raw))-used {
		return message{}, errLong
	}
	m, length, err := parseMessage(raw[used : used+size])
	if err == nil && length > b.body {
		err = errLong
	}
	m.body = section{l.f, b.off + b.meta, length}
	return m, err
}
