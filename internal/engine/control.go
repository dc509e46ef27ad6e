package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/runnelio/runnel/internal/exec/rules"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/internal/runtime"
)

// Request asks a running job through its control socket: one JSON object a line,
// each answered by a Response.
type Request struct {
	Op string `json:"op"` // add, remove, list, stats
	// Set names the set of rules: the name of its folder. It may be left out where
	// the job has one set.
	Set   string         `json:"set,omitempty"`
	Rules []plan.RuleDef `json:"rules,omitempty"` // of add
	IDs   []string       `json:"ids,omitempty"`   // of remove
	// NoWait answers before the change is in effect and durable.
	NoWait bool `json:"noWait,omitempty"`
}

// Response is the answer to a Request.
type Response struct {
	Error string         `json:"error,omitempty"`
	Rules []plan.RuleDef `json:"rules,omitempty"`
	Stats []rules.Stats  `json:"stats,omitempty"`
	// TookMs is how long the change took to be in effect and durable.
	TookMs float64 `json:"tookMs,omitempty"`
}

// Controller serves the control socket of a job.
type Controller struct {
	l     net.Listener
	jobs  func() []*runtime.Job
	wg    sync.WaitGroup
	stop  context.CancelFunc
	path  string
	conns map[net.Conn]bool
	mu    sync.Mutex
}

// Serve listens on a Unix socket at path for requests to the jobs. A socket that
// nobody listens on any more is replaced.
func Serve(ctx context.Context, path string, jobs func() []*runtime.Job) (*Controller, error) {
	if c, err := net.DialTimeout("unix", path, time.Second); err == nil {
		c.Close()
		return nil, fmt.Errorf("control socket %s: another process listens on it", path)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	os.Remove(path)
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		_ = l.Close() // err says what is wrong
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	c := &Controller{l: l, jobs: jobs, stop: cancel, path: path, conns: map[net.Conn]bool{}}
	c.wg.Go(func() { c.accept(ctx) })
	return c, nil
}

func (c *Controller) accept(ctx context.Context) {
	for {
		conn, err := c.l.Accept()
		if err != nil {
			return
		}
		c.mu.Lock()
		c.conns[conn] = true
		c.mu.Unlock()
		c.wg.Go(func() {
			defer func() {
				conn.Close()
				c.mu.Lock()
				delete(c.conns, conn)
				c.mu.Unlock()
			}()
			c.serve(ctx, conn)
		})
	}
}

func (c *Controller) serve(ctx context.Context, conn net.Conn) {
	dec, enc := json.NewDecoder(conn), json.NewEncoder(conn)
	for {
		var r Request
		if err := dec.Decode(&r); err != nil {
			return
		}
		if err := enc.Encode(c.answer(ctx, r)); err != nil {
			return
		}
	}
}

func (c *Controller) answer(ctx context.Context, r Request) Response {
	set, err := c.set(r.Set)
	if err != nil {
		return Response{Error: err.Error()}
	}
	start := time.Now()
	switch r.Op {
	case "add":
		err = set.Change(ctx, r.Rules, nil, !r.NoWait)
	case "remove":
		err = set.Change(ctx, nil, r.IDs, !r.NoWait)
	case "list":
		return Response{Rules: set.List()}
	case "stats":
		return Response{Stats: set.Stats()}
	default:
		err = fmt.Errorf("no operation %q: add, remove, list or stats", r.Op)
	}
	if err != nil {
		return Response{Error: err.Error()}
	}
	return Response{TookMs: float64(time.Since(start).Microseconds()) / 1000}
}

// set finds a living set of rules by its name.
func (c *Controller) set(name string) (*rules.Control, error) {
	var found []*rules.Control
	var names []string
	for _, j := range c.jobs() {
		for _, r := range j.Rules() {
			names = append(names, r.Name)
			if name == "" || r.Name == name {
				found = append(found, r)
			}
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(names) == 0:
		return nil, errors.New("the job has no set of rules: FROM TABLE(RULES(TABLE t, 'folder'))")
	case len(found) == 0:
		return nil, fmt.Errorf("no set of rules %q, there are %q", name, names)
	}
	return nil, fmt.Errorf("say which set of rules: %q", names)
}

// Close stops to listen and waits for requests under way.
func (c *Controller) Close() error {
	c.stop()
	err := c.l.Close()
	c.mu.Lock()
	for conn := range c.conns {
		conn.Close()
	}
	c.mu.Unlock()
	c.wg.Wait()
	os.Remove(c.path)
	return err
}

// Ask sends a request to the control socket of a running job.
func Ask(ctx context.Context, path string, r Request) (Response, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", path)
	if err != nil {
		return Response{}, fmt.Errorf("no job listens on %s: %w", path, err)
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	if err := json.NewEncoder(conn).Encode(r); err != nil {
		return Response{}, err
	}
	var out Response
	if err := json.NewDecoder(conn).Decode(&out); err != nil {
		return out, fmt.Errorf("the job ended before it answered: %w", err)
	}
	if out.Error != "" {
		return out, errors.New(out.Error)
	}
	return out, nil
}
