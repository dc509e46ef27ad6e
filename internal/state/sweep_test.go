package state

import (
	"slices"
	"testing"
	"time"

	"github.com/runnelio/runnel/vector"
)

func TestSweep(t *testing.T) {
	t.Parallel()
	table := NewTable()
	table.TrackTouch = true
	touch := func(key string, at int64) {
		slot, _ := table.FindOrAdd(vector.HashKey([]byte(key)), []byte(key))
		table.Touch(slot, at)
	}
	touch("a", 1000)
	touch("b", 1300)
	touch("c", 2000)
	var s Sweep
	var gone []string
	at := func(now int64, want ...string) {
		t.Helper()
		gone = nil
		s.Expire(table, now, time.Second, func(slot int32) { gone = append(gone, string(table.Key(slot))) })
		if slices.Sort(gone); !slices.Equal(gone, want) {
			t.Errorf("at %d: %v, want %v", now, gone, want)
		}
	}
	at(1900)      // the first call starts the clock
	at(2149)      // less than a quarter later
	at(2150, "a") // c is younger, b not yet old enough
	at(2301)      // b is too old, but the search is not due
	at(2400, "b")
	touch("c", 3000)
	at(3001)
	at(4000) // touched exactly a TTL ago
	at(4250, "c")
	if table.Len() != 0 {
		t.Errorf("%d entries left", table.Len())
	}
}
