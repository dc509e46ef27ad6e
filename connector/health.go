package connector

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Health is how a source or sink fares. What goes wrong and is tried again is
// told here and goes on being told while it lasts; nothing ends because of it.
// It is safe for concurrent use, and a nil one takes everything and keeps nothing.
type Health struct {
	// Retries counts what was tried again.
	Retries atomic.Int64

	mu       sync.Mutex
	troubles map[string]Trouble
}

// Trouble is something that does not work at present.
type Trouble struct {
	What  string    // a short name: "pull orders/broker-a/0"
	Since time.Time // of the first failure in a row
	Last  time.Time
	Count int64
	Err   error // the last one
}

// forgetAfter is when a trouble nobody speaks of any more is over: what failed
// is not tried any longer, as when a split went to another process.
const forgetAfter = 2 * time.Minute

// Failing tells that what failed, once more. what is the same text for the same
// thing.
func (h *Health) Failing(what string, err error) {
	if h == nil {
		return
	}
	h.Retries.Add(1)
	h.mu.Lock()
	defer h.mu.Unlock()
	t, ok := h.troubles[what]
	now := time.Now()
	if !ok || now.Sub(t.Last) > forgetAfter {
		t = Trouble{What: what, Since: now}
	}
	t.Last, t.Count, t.Err = now, t.Count+1, err
	if h.troubles == nil {
		h.troubles = map[string]Trouble{}
	}
	h.troubles[what] = t
}

// Working tells that what works (again).
func (h *Health) Working(what string) {
	if h == nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.troubles, what)
}

// Troubles are what does not work at present, the oldest first.
func (h *Health) Troubles() []Trouble {
	if h == nil {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []Trouble
	for what, t := range h.troubles {
		if time.Since(t.Last) > forgetAfter {
			delete(h.troubles, what)
			continue
		}
		out = append(out, t)
	}
	slices.SortFunc(out, func(a, b Trouble) int {
		if c := a.Since.Compare(b.Since); c != 0 {
			return c
		}
		return strings.Compare(a.What, b.What)
	})
	return out
}
