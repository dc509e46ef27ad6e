package runnel

import (
	"context"
	"iter"
	"sync"
)

// EventKind is what an Event tells.
type EventKind int

// The events of a run.
const (
	// Started: the job runs; Epoch is the checkpoint it went on from, 0 if none.
	Started EventKind = iota
	// Checkpointed: the checkpoint Epoch is durable, and its sinks have made their
	// rows visible.
	Checkpointed
	// Ended: the job has ended, with Err if it failed. It is the last event.
	Ended
	// Stopping: Stop or Cancel was called.
	Stopping
	// Upgraded: a new version of the job runs, from the checkpoint Epoch.
	Upgraded
	// Restarted: an upgrade has failed, and the old version runs again, from the
	// checkpoint Epoch.
	Restarted
)

// String names the kind.
func (k EventKind) String() string {
	return [...]string{"started", "checkpointed", "ended", "stopping", "upgraded", "restarted"}[k]
}

// Event is something that happened to a run.
type Event struct {
	Kind  EventKind
	Epoch int64
	Err   error
	// Missed is how many events before this one were forgotten, because the loop
	// over Events was too slow for them or began too late.
	Missed int64
}

// keptEvents is how many events of a run are remembered.
const keptEvents = 1024

// eventLog is the last events of a run. Whoever adds one wakes those who wait.
type eventLog struct {
	mu     sync.Mutex
	events []Event // the last ones
	gone   int64   // that were forgotten
	ended  bool
	grown  chan struct{} // closed by the next event
}

func newEventLog() *eventLog { return &eventLog{grown: make(chan struct{})} }

func (l *eventLog) add(e Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.events) == keptEvents {
		l.events = append(l.events[:0], l.events[1:]...)
		l.gone++
	}
	l.events = append(l.events, e)
	l.wake()
}

// close says that no more events come.
func (l *eventLog) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	l.wake()
}

func (l *eventLog) wake() {
	close(l.grown)
	l.grown = make(chan struct{})
}

// after returns event n, counted from 0 over the whole run, or a later one with
// what was missed; if there is none yet, what to wait for.
func (l *eventLog) after(n int64) (e Event, next int64, ok, ended bool, grown <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	missed := max(0, l.gone-n)
	n += missed
	if n-l.gone < int64(len(l.events)) {
		e = l.events[n-l.gone]
		e.Missed = missed
		return e, n + 1, true, false, nil
	}
	return Event{}, n, false, l.ended, l.grown
}

// Events yields what happened to the run, from its start, and then what happens
// as it happens, until it has ended or ctx does. The last 1024 events are
// remembered; a loop that misses some is told how many (Event.Missed).
func (r *Run) Events(ctx context.Context) iter.Seq[Event] {
	return func(yield func(Event) bool) {
		for n := int64(0); ; {
			e, next, ok, ended, grown := r.log.after(n)
			n = next
			switch {
			case ok:
				if !yield(e) {
					return
				}
			case ended:
				return
			default:
				select {
				case <-grown:
				case <-ctx.Done():
					return
				}
			}
		}
	}
}
