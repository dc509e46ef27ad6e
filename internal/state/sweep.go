package state

import "time"

// Sweep paces the search for entries that were not touched for a TTL: it is done
// at most four times a TTL, so an entry may outlive it by a quarter. The zero
// value is ready for use.
type Sweep struct{ last int64 }

// Due tells whether to search now, which is in ms.
func (s *Sweep) Due(now int64, ttl time.Duration) bool {
	if s.last == 0 {
		s.last = now
	}
	if now-s.last < max(ttl.Milliseconds()/4, 1) {
		return false
	}
	s.last = now
	return true
}

// Expire removes from t, if a search is due, the entries that were last touched
// more than ttl before now, which is in ms. forget is called for each before.
func (s *Sweep) Expire(t *Table, now int64, ttl time.Duration, forget func(slot int32)) {
	if !s.Due(now, ttl) {
		return
	}
	t.Live(func(slot int32) bool {
		if now-t.Touched(slot) > ttl.Milliseconds() {
			forget(slot)
			t.Remove(slot)
		}
		return true
	})
}
