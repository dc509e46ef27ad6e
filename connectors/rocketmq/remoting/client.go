package remoting

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"time"
)

// readable is how many bytes behind the last message may be read by decoders that look ahead.
const readable = 64

// Config configures a Client. Only NameServers is required.
type Config struct {
	NameServers []string // host:port, tried in turn
	// Namespace is put before topics and groups, as in namespace%topic.
	Namespace string
	// AccessKey, SecretKey and SecurityToken sign every request.
	AccessKey, SecretKey, SecurityToken string
	// TLS makes every connection a TLS one; certificates are verified unless it says otherwise.
	TLS *tls.Config
	// JSONHeader writes headers as JSON, which servers before 3.5 and some proxies need.
	JSONHeader bool
	// ClientID names this client in a group; it must be unique. Empty: made of host, process and chance.
	ClientID string
	// Timeout is how long a request may take, beside what a pull waits on purpose; 0: 10 s.
	Timeout time.Duration
	// DialTimeout is how long making a connection may take; 0: 5 s.
	DialTimeout time.Duration
	// RouteInterval is how old a route may get before it is fetched again; 0: 30 s.
	RouteInterval time.Duration
	// HeartbeatInterval is the time between heartbeats of groups; 0: 10 s. A server
	// forgets a member after 2 minutes.
	HeartbeatInterval time.Duration
	// Attempts is how often a send is tried when the server is busy or the
	// connection breaks; 0: 5. Tries are 100 ms apart at first, then twice that and so on.
	Attempts int
	// Log gets what happens to connections and groups; nil: nothing is logged.
	Log *slog.Logger
}

// Client talks to the name servers and brokers of one cluster.
type Client struct {
	cfg    Config
	header byte

	mu      sync.Mutex
	closed  bool
	links   map[string]*link
	routes  map[string]*cachedRoute
	brokers map[string]map[int64]string // broker name -> id -> address
	server  int                         // the name server that answered last
	groups  map[string]*Group           // by full name
	wg      sync.WaitGroup              // of groups
}

// link is the connection to one address, made when needed.
type link struct {
	mu     sync.Mutex // held while dialling
	conn   *conn
	failed time.Time // when dialling failed last
	wait   time.Duration
	err    error
}

// New returns a client. It connects when first used.
func New(cfg Config) (*Client, error) {
	if len(cfg.NameServers) == 0 {
		return nil, errors.New("rocketmq: no name server given")
	}
	for _, s := range cfg.NameServers {
		if _, _, err := net.SplitHostPort(s); err != nil {
			return nil, fmt.Errorf("rocketmq: name server %q: %w", s, err)
		}
	}
	if (cfg.AccessKey == "") != (cfg.SecretKey == "") {
		return nil, errors.New("rocketmq: access key and secret key go together")
	}
	if cfg.ClientID == "" {
		host, _ := os.Hostname()
		id := make([]byte, 6)
		rand.Read(id)
		cfg.ClientID = fmt.Sprintf("%s@%d#%s", host, os.Getpid(), hex.EncodeToString(id))
	}
	def := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	def(&cfg.Timeout, 10*time.Second)
	def(&cfg.DialTimeout, 5*time.Second)
	def(&cfg.RouteInterval, 30*time.Second)
	def(&cfg.HeartbeatInterval, 10*time.Second)
	if cfg.Attempts <= 0 {
		cfg.Attempts = 5
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	c := &Client{cfg: cfg, header: headerBinary, links: map[string]*link{}, routes: map[string]*cachedRoute{},
		brokers: map[string]map[int64]string{}, groups: map[string]*Group{}}
	if cfg.JSONHeader {
		c.header = headerJSON
	}
	return c, nil
}

// ParseNameServers splits a list of host:port separated by semicolons or commas.
func ParseNameServers(s string) []string {
	var out []string
	for f := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == ';' || r == ',' || r == ' ' }) {
		out = append(out, strings.TrimPrefix(strings.TrimPrefix(f, "http://"), "https://"))
	}
	return out
}

// ID is the client's id in groups.
func (c *Client) ID() string { return c.cfg.ClientID }

// Close leaves all groups, ends every call under way and waits for the client's goroutines.
func (c *Client) Close() error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil
	}
	groups := make([]*Group, 0, len(c.groups))
	for _, g := range c.groups {
		groups = append(groups, g)
	}
	c.mu.Unlock()
	for _, g := range groups {
		g.Leave()
	}
	c.mu.Lock()
	c.closed = true
	links := c.links
	c.mu.Unlock()
	for _, l := range links {
		l.mu.Lock()
		if l.conn != nil {
			l.conn.close(errClosed)
		}
		l.mu.Unlock()
	}
	c.wg.Wait()
	return nil
}

// conn returns a working connection to addr. After a failed attempt the next is
// made a while later, and callers in between get the old error at once.
func (c *Client) conn(ctx context.Context, addr string) (*conn, error) {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil, errClosed
	}
	l := c.links[addr]
	if l == nil {
		l = &link{}
		c.links[addr] = l
	}
	c.mu.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conn != nil && !l.conn.broken() {
		return l.conn, nil
	}
	if l.conn != nil {
		l.conn.close(errClosed) // waits for its goroutines, which are ending
		c.cfg.Log.Warn("connection lost", "addr", addr, "error", l.conn.err)
		l.conn = nil
	}
	if l.err != nil && time.Since(l.failed) < l.wait {
		return nil, l.err
	}
	nc, err := c.dial(ctx, addr)
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		l.failed, l.wait = time.Now(), min(max(2*l.wait, 100*time.Millisecond), 2*time.Second)
		l.err = &ConnError{addr, err}
		return nil, l.err
	}
	c.mu.Lock()
	closed := c.closed
	c.mu.Unlock()
	if closed {
		nc.Close()
		return nil, errClosed
	}
	l.err, l.wait = nil, 0
	l.conn = newConn(addr, nc, c.header, c.pushed)
	return l.conn, nil
}

func (c *Client) dial(ctx context.Context, addr string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.DialTimeout)
	defer cancel()
	var d net.Dialer
	nc, err := d.DialContext(ctx, "tcp", addr)
	if err != nil || c.cfg.TLS == nil {
		return nc, err
	}
	conf := c.cfg.TLS.Clone()
	if conf.ServerName == "" {
		conf.ServerName, _, _ = net.SplitHostPort(addr)
	}
	t := tls.Client(nc, conf)
	if err := t.HandshakeContext(ctx); err != nil {
		nc.Close()
		return nil, fmt.Errorf("TLS: %w", err)
	}
	return t, nil
}

// invoke sends a signed request to addr and returns the answer, whatever its code.
func (c *Client) invoke(ctx context.Context, addr string, req *command) (*call, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.cfg.Timeout, &ConnError{addr, fmt.Errorf("no answer within %v", c.cfg.Timeout)})
	defer cancel()
	cn, err := c.conn(ctx, addr)
	if err != nil {
		return nil, err
	}
	c.cfg.sign(req)
	k := cn.start(ctx, req, nil)
	if err := cn.wait(ctx, k); err != nil {
		return nil, err
	}
	return k, nil
}

// call is invoke for operations for which every answer but success is an error.
func (c *Client) call(ctx context.Context, op, addr string, req *command) (*call, error) {
	k, err := c.invoke(ctx, addr, req)
	if err != nil {
		return nil, err
	}
	if k.head.code != Success {
		return nil, &Error{Op: op, Addr: addr, Code: k.head.code, Remark: k.head.remark}
	}
	return k, nil
}

// ask sends a request to the name servers in turn until one answers.
func (c *Client) ask(ctx context.Context, op string, make func() *command) (*call, error) {
	c.mu.Lock()
	first := c.server
	c.mu.Unlock()
	var errs []error
	for i := range c.cfg.NameServers {
		n := (first + i) % len(c.cfg.NameServers)
		k, err := c.call(ctx, op, c.cfg.NameServers[n], make())
		if err == nil {
			c.mu.Lock()
			c.server = n
			c.mu.Unlock()
			return k, nil
		}
		var e *Error
		if ctx.Err() != nil || errors.As(err, &e) && !e.Temporary() {
			return nil, err
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

// full puts the namespace before a topic or group.
func (c *Client) full(name string) string {
	if c.cfg.Namespace == "" || name == "" || name == autoCreateTopic || strings.HasPrefix(name, c.cfg.Namespace+"%") {
		return name
	}
	return c.cfg.Namespace + "%" + name
}

// bare takes the namespace off again.
func (c *Client) bare(name string) string {
	if c.cfg.Namespace == "" {
		return name
	}
	return strings.TrimPrefix(name, c.cfg.Namespace+"%")
}

// pushed handles requests of brokers.
func (c *Client) pushed(_ string, req *command) {
	if req.code != codeGroupChanged {
		return
	}
	name, _ := req.get("consumerGroup")
	c.mu.Lock()
	g := c.groups[name]
	c.mu.Unlock()
	if g != nil {
		g.poke()
	}
}

// IsTemporary tells that an error may go away by itself: a connection that broke,
// a server that is busy or starting.
func IsTemporary(err error) bool {
	var cert *tls.CertificateVerificationError
	if errors.As(err, &cert) {
		return false
	}
	var ce *ConnError
	var e *Error
	return errors.As(err, &ce) || errors.As(err, &e) && e.Temporary()
}
