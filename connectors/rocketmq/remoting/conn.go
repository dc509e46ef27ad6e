package remoting

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
)

// errClosed is why calls fail after Close.
var errClosed = errors.New("rocketmq: client closed")

// ConnError is a request that got no answer because its connection could not be
// made or broke. Whether the server did what was asked is not known.
type ConnError struct {
	Addr string
	Err  error
}

func (e *ConnError) Error() string {
	return fmt.Sprintf("rocketmq: connection to %s: %v", e.Addr, e.Err)
}

// Unwrap returns Err.
func (e *ConnError) Unwrap() error { return e.Err }

// writeBound is how many bytes may wait to be written; who wants to add more waits.
const writeBound = 16 << 20

// conn is a connection with any number of requests under way.
type conn struct {
	addr   string
	nc     net.Conn
	header byte
	onPush func(addr string, c *command) // requests from the server, on the reader's goroutine

	mu      sync.Mutex
	opaque  int32
	pending map[int32]*call
	err     error // set once broken
	out     []byte
	room    chan struct{} // made by who waits until out is taken, closed then

	wake chan struct{} // capacity 1: out is not empty
	gone chan struct{} // closed when broken
	wg   sync.WaitGroup
}

// call is a request waiting for its answer.
type call struct {
	head command // of the answer
	body []byte  // the caller's buffer, then the answer's body
	err  error
	done chan struct{}
	id   int32
}

func newConn(addr string, nc net.Conn, header byte, onPush func(string, *command)) *conn {
	c := &conn{addr: addr, nc: nc, header: header, onPush: onPush, pending: map[int32]*call{},
		wake: make(chan struct{}, 1), gone: make(chan struct{})}
	c.wg.Go(c.read)
	c.wg.Go(c.write)
	return c
}

// close breaks the connection and waits for its goroutines.
func (c *conn) close(err error) {
	c.fail(err)
	c.wg.Wait()
}

// fail breaks the connection: every call under way ends with err.
func (c *conn) fail(err error) {
	c.mu.Lock()
	if c.err != nil {
		c.mu.Unlock()
		return
	}
	c.err = err
	calls := c.pending
	c.pending = nil
	c.mu.Unlock()
	close(c.gone)
	c.nc.Close()
	for _, k := range calls {
		k.err = &ConnError{c.addr, err}
		close(k.done)
	}
}

func (c *conn) broken() bool {
	select {
	case <-c.gone:
		return true
	default:
		return false
	}
}

// start queues a request. buf is where the answer's body goes if it fits.
func (c *conn) start(ctx context.Context, req *command, buf []byte) *call {
	k := &call{body: buf, done: make(chan struct{})}
	c.mu.Lock()
	for len(c.out) > writeBound && c.err == nil {
		if c.room == nil {
			c.room = make(chan struct{})
		}
		room := c.room
		c.mu.Unlock()
		select {
		case <-room:
		case <-c.gone:
		case <-ctx.Done():
			k.err = context.Cause(ctx)
			close(k.done)
			return k
		}
		c.mu.Lock()
	}
	if c.err != nil {
		k.err = &ConnError{c.addr, c.err}
		c.mu.Unlock()
		close(k.done)
		return k
	}
	c.opaque++
	req.opaque, k.id = c.opaque, c.opaque
	if !req.isOneWay() {
		c.pending[k.id] = k
	}
	c.out = req.append(c.out, c.header)
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default:
	}
	if req.isOneWay() {
		close(k.done)
	}
	return k
}

// wait returns when the answer is there or ctx ends. After an error the buffer
// given to start must not be used again: the answer may still be arriving in it.
func (c *conn) wait(ctx context.Context, k *call) error {
	select {
	case <-k.done:
		return k.err
	default:
	}
	select {
	case <-k.done:
		return k.err
	case <-ctx.Done():
		c.mu.Lock()
		delete(c.pending, k.id)
		c.mu.Unlock()
		return context.Cause(ctx)
	}
}

func (c *conn) write() {
	var spare []byte
	for {
		select {
		case <-c.wake:
		case <-c.gone:
			return
		}
		c.mu.Lock()
		buf := c.out
		if len(buf) == 0 { // written with the last wake: both buffers stay where they are
			c.mu.Unlock()
			continue
		}
		c.out, spare = spare[:0], nil
		if c.room != nil {
			close(c.room)
			c.room = nil
		}
		c.mu.Unlock()
		if _, err := c.nc.Write(buf); err != nil {
			c.fail(err)
			return
		}
		spare = buf
		if cap(spare) > 2*writeBound {
			spare = nil
		}
	}
}

func (c *conn) read() {
	err := c.readFrames(bufio.NewReaderSize(c.nc, 64<<10))
	if errors.Is(err, io.EOF) {
		err = errors.New("closed by the server")
	}
	c.fail(err)
}

func (c *conn) readFrames(r *bufio.Reader) error {
	var lead [8]byte
	var header []byte
	var head command
	for {
		if _, err := io.ReadFull(r, lead[:]); err != nil {
			return err
		}
		size := int64(binary.BigEndian.Uint32(lead[:]))
		kind := lead[4]
		hlen := int64(binary.BigEndian.Uint32(lead[4:]) & 0xffffff)
		if size > maxFrame || size < 4+hlen || hlen > maxHeader {
			return fmt.Errorf("%w: length %d, header %d", errFrame, size, hlen)
		}
		if int64(cap(header)) < hlen {
			header = make([]byte, hlen)
		}
		header = header[:hlen]
		if _, err := io.ReadFull(r, header); err != nil {
			return unexpected(err)
		}
		if err := head.parseHeader(kind, header); err != nil {
			return err
		}
		blen := int(size - 4 - hlen)
		if head.isResponse() {
			if err := c.answer(r, &head, blen); err != nil {
				return err
			}
			continue
		}
		body := make([]byte, blen)
		if _, err := io.ReadFull(r, body); err != nil {
			return unexpected(err)
		}
		push := head
		push.body, push.fields = body, append([]field(nil), head.fields...)
		c.pushed(&push)
	}
}

// answer reads the body of an answer into the buffer of the call that waits for it.
func (c *conn) answer(r *bufio.Reader, head *command, blen int) error {
	c.mu.Lock()
	k := c.pending[head.opaque]
	delete(c.pending, head.opaque)
	c.mu.Unlock()
	if k == nil { // nobody waits any more
		_, err := r.Discard(blen)
		return unexpected(err)
	}
	if cap(k.body) < blen+readable {
		k.body = make([]byte, blen, blen+blen/4+readable)
	}
	k.body = k.body[:blen]
	if _, err := io.ReadFull(r, k.body); err != nil {
		err = unexpected(err)
		k.err = &ConnError{c.addr, err}
		close(k.done)
		return err
	}
	k.head = *head
	k.head.fields = append([]field(nil), head.fields...)
	close(k.done)
	return nil
}

// pushed handles a request of the server. What is not one-way gets an answer,
// or the server would wait for it.
func (c *conn) pushed(req *command) {
	if c.onPush != nil {
		c.onPush(c.addr, req)
	}
	if req.isOneWay() {
		return
	}
	res := command{code: NotSupported, opaque: req.opaque, flag: flagResponse, remark: "not supported by this client"}
	c.mu.Lock()
	if c.err == nil && len(c.out) < writeBound {
		c.out = res.append(c.out, c.header)
	}
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
