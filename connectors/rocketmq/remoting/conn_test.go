package remoting

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"
)

// echo answers every request with its body, in another order, and fails the
// test if a frame is not as it was written.
func echo(t *testing.T, nc net.Conn) {
	defer nc.Close()
	type answer struct {
		opaque int32
		body   []byte
	}
	answers := make(chan answer, 1000)
	var wg sync.WaitGroup
	wg.Go(func() {
		for a := range answers {
			if rand.IntN(3) == 0 {
				select {
				case answers <- a: // later
					continue
				default:
				}
			}
			res := command{code: Success, opaque: a.opaque, flag: flagResponse, body: a.body}
			if _, err := nc.Write(res.append(nil, headerBinary)); err != nil {
				return
			}
		}
	})
	var lead [8]byte
	for {
		if _, err := io.ReadFull(nc, lead[:]); err != nil {
			break
		}
		rest := make([]byte, binary.BigEndian.Uint32(lead[:])-4)
		if _, err := io.ReadFull(nc, rest); err != nil {
			break
		}
		n := binary.BigEndian.Uint32(lead[4:]) & 0xffffff
		var c command
		if err := c.parseHeader(lead[4], rest[:n]); err != nil {
			t.Errorf("frame damaged: %v", err)
			break
		}
		if k, _ := c.get("k"); k != fmt.Sprint(len(rest[n:])) {
			t.Errorf("frame damaged: %d bytes of body, the header says %s", len(rest[n:]), k)
			break
		}
		answers <- answer{c.opaque, rest[n:]}
	}
	nc.Close()
	wg.Wait()
}

// TestFramesOfManySenders: frames stay whole while many write on one connection,
// with wakes that find nothing to write in between.
func TestFramesOfManySenders(t *testing.T) {
	t.Parallel()
	server, nc := net.Pipe()
	go echo(t, server)
	c := newConn("test", nc, headerBinary, nil)
	defer c.close(errClosed)
	stop := make(chan struct{})
	var pokes sync.WaitGroup
	pokes.Go(func() {
		for {
			select {
			case <-stop:
				return
			case c.wake <- struct{}{}: // nothing may be there to write
			default:
				time.Sleep(time.Microsecond)
			}
		}
	})
	var wg sync.WaitGroup
	for g := range 16 {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(g), 1))
			var buf []byte
			for i := range 300 {
				body := bytes.Repeat([]byte{byte(g*7 + i)}, rng.IntN(3000))
				req := &command{code: 1, body: body}
				req.addInt("k", int64(len(body)))
				k := c.start(context.Background(), req, buf[:0])
				ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
				if i%10 == 3 { // some give up
					cancel()
				}
				err := c.wait(ctx, k)
				cancel()
				if err != nil {
					buf = nil
					if i%10 != 3 {
						t.Errorf("request: %v", err)
						return
					}
					continue
				}
				if !bytes.Equal(k.body, body) {
					t.Errorf("answer of %d bytes differs from request of %d", len(k.body), len(body))
					return
				}
				buf = k.body
			}
		})
	}
	wg.Wait()
	close(stop)
	pokes.Wait()
}

// TestConnectionBreaks: every request under way ends with an error, at once.
func TestConnectionBreaks(t *testing.T) {
	t.Parallel()
	server, nc := net.Pipe()
	c := newConn("test", nc, headerBinary, nil)
	go io.Copy(io.Discard, server)
	var calls []*call
	for range 10 {
		calls = append(calls, c.start(context.Background(), &command{code: 1}, nil))
	}
	server.Close()
	for _, k := range calls {
		if err := c.wait(t.Context(), k); err == nil || !IsTemporary(err) {
			t.Errorf("%v", err)
		}
	}
	if err := c.wait(t.Context(), c.start(t.Context(), &command{code: 1}, nil)); err == nil {
		t.Error("a broken connection took a request")
	}
	c.close(errClosed)
}

// TestNonsense: an answer that is not of the protocol breaks the connection.
func TestNonsense(t *testing.T) {
	t.Parallel()
	for _, frame := range [][]byte{[]byte("HTTP/1.1 400 Bad Request\r\n\r\n"), {0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}, {0, 0, 0, 6, 9, 0, 0, 2, 1, 1}} {
		server, nc := net.Pipe()
		c := newConn("test", nc, headerBinary, nil)
		go io.Copy(io.Discard, server)
		go server.Write(frame)
		k := c.start(t.Context(), &command{code: 1}, nil)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		if err := c.wait(ctx, k); err == nil || ctx.Err() != nil {
			t.Errorf("%q: %v", frame, err)
		}
		cancel()
		c.close(errClosed)
	}
}
