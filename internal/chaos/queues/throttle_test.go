package queues

import (
	be "encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// TestRocketMQThrottled: the broker answers reads and writes that it is busy, for a
// while. The job asks again and again, says so, is unhealthy, and loses nothing.
func TestRocketMQThrottled(t *testing.T) {
	q := newRocketMQ(t)
	address := regexp.MustCompile(`'nameServerAddress' = '([^']*)'`)
	busy := newBusyBroker(t, address.FindStringSubmatch(q.source)[1])
	through := func(with string) string {
		return address.ReplaceAllString(with, "'nameServerAddress' = '"+busy.addr+"'")
	}
	in := newInput()
	in.more(t, q, 2000)
	p := run(t, t.TempDir(), fmt.Sprintf(windowJob, through(q.source), through(q.sink)+", 'retryTimes' = '2'"), "--state-dir", "state", "--metrics-addr", "127.0.0.1:0", "--unhealthy-after", "500ms")
	p.until(t, "first results", time.Minute, func() bool { return len(q.results(t)) > 0 })
	for _, codes := range [][]uint16{{pullCode}, {sendCode, batchCode}} {
		refused := busy.refused.Load()
		busy.refuse(codes...)
		in.more(t, q, 2000) // not through the proxy
		p.until(t, "unhealthy", 30*time.Second, p.unhealthy)
		if busy.refused.Load() == refused {
			t.Errorf("nothing was refused: the test shows nothing")
		}
		busy.refuse()
		p.until(t, "healthy again", time.Minute, func() bool { code, _ := p.get("/healthz"); return code == http.StatusOK })
	}
	in.close(t, q)
	want := in.expected()
	var got []string
	p.until(t, "all results", time.Minute, func() bool { got = q.results(t); return len(got) >= len(want) })
	if slices.Sort(got); !slices.Equal(got, want) {
		t.Errorf("%d results, not %d; first difference: %s", len(got), len(want), difference(got, want))
	}
	if said := p.said.String(); !strings.Contains(said, "level=WARN") || !strings.Contains(said, "busy") {
		t.Errorf("nothing in the log:\n%s", said)
	}
	_ = p.Process.Signal(syscall.SIGTERM)
	if code := p.wait(t, time.Minute); code != 0 {
		t.Errorf("exit code %d:\n%s", code, p.said.String())
	}
}

// Request codes, and the answer of a broker that has too much to do.
const (
	sendCode, batchCode, pullCode = 310, 320, 11
	busyCode, flowCode            = 2, 215
)

// busyBroker stands between clients and a cluster with one broker, and gives
// requests of some codes the answer that the broker is busy.
type busyBroker struct {
	addr    string // of our name server
	broker  net.Listener
	real    atomic.Value // address of the broker, string
	codes   atomic.Value // []uint16
	refused atomic.Int64
	wg      sync.WaitGroup
	mu      sync.Mutex
	open    []io.Closer
}

func newBusyBroker(t *testing.T, server string) *busyBroker {
	b := &busyBroker{}
	b.codes.Store([]uint16{})
	names, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if b.broker, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	b.addr = names.Addr().String()
	b.open = []io.Closer{names, b.broker}
	t.Cleanup(func() {
		b.mu.Lock()
		for _, c := range b.open {
			c.Close()
		}
		b.mu.Unlock()
		b.wg.Wait()
	})
	b.wg.Go(func() { b.accept(names, func() string { return server }) })
	b.wg.Go(func() { b.accept(b.broker, func() string { return b.real.Load().(string) }) })
	return b
}

// refuse makes it refuse requests of these codes, and no others.
func (b *busyBroker) refuse(codes ...uint16) { b.codes.Store(codes) }

func (b *busyBroker) accept(l net.Listener, to func() string) {
	for {
		in, err := l.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", to())
		if err != nil {
			in.Close()
			continue
		}
		b.mu.Lock()
		b.open = append(b.open, in, out)
		b.mu.Unlock()
		var writing sync.Mutex // of answers
		b.wg.Go(func() { defer out.Close(); b.requests(in, out, &writing) })
		b.wg.Go(func() { defer in.Close(); b.answers(out, in, &writing) })
	}
}

// frame reads a frame: the length of its header, and both.
func frame(r io.Reader) (kind byte, header, body []byte, err error) {
	var lead [8]byte
	if _, err = io.ReadFull(r, lead[:]); err != nil {
		return
	}
	rest := make([]byte, be.BigEndian.Uint32(lead[:])-4)
	if _, err = io.ReadFull(r, rest); err != nil {
		return
	}
	n := be.BigEndian.Uint32(lead[4:]) & 0xffffff
	return lead[4], rest[:n], rest[n:], nil
}

func framed(kind byte, header, body []byte) []byte {
	out := be.BigEndian.AppendUint32(nil, uint32(4+len(header)+len(body)))
	out = be.BigEndian.AppendUint32(out, uint32(kind)<<24|uint32(len(header)))
	return append(append(out, header...), body...)
}

// requests passes requests on, or refuses them.
func (b *busyBroker) requests(in, out net.Conn, writing *sync.Mutex) {
	const binaryHeader = 1
	for {
		kind, header, body, err := frame(in)
		if err != nil {
			return
		}
		if kind == binaryHeader && len(header) >= 9 && slices.Contains(b.codes.Load().([]uint16), be.BigEndian.Uint16(header)) {
			code := []uint16{busyCode, flowCode}[b.refused.Add(1)%2]
			answer := be.BigEndian.AppendUint16(nil, code)
			answer = append(answer, header[2:9]...) // language, version, number of the request
			answer = be.BigEndian.AppendUint32(answer, 1)
			answer = be.BigEndian.AppendUint32(answer, 0) // no remark, no fields
			answer = be.BigEndian.AppendUint32(answer, 0)
			writing.Lock()
			_, err = in.Write(framed(binaryHeader, answer, nil))
			writing.Unlock()
		} else {
			_, err = out.Write(framed(kind, header, body))
		}
		if err != nil {
			return
		}
	}
}

var route = regexp.MustCompile(`127\.0\.0\.1:\d+`)

// answers passes answers on, with our broker's address in place of the real one.
func (b *busyBroker) answers(from io.Reader, to io.Writer, writing *sync.Mutex) {
	for {
		kind, header, body, err := frame(from)
		if err != nil {
			return
		}
		if at := route.Find(body); at != nil && strings.Contains(string(body), "brokerAddrs") {
			b.real.Store(string(at))
			body = route.ReplaceAll(body, []byte(b.broker.Addr().String()))
		}
		writing.Lock()
		_, err = to.Write(framed(kind, header, body))
		writing.Unlock()
		if err != nil {
			return
		}
	}
}
