package exec

import (
	"math/rand/v2"
	"slices"
	"testing"
)

type entry struct{ at, n int }

func (e entry) Before(o entry) bool { return e.at < o.at }

// TestHeap compares a heap with a list that is searched, over random pushes and pops.
func TestHeap(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 50 {
		var h Heap[entry]
		var model []entry
		most := 1 + r.IntN(60)
		for n := range 400 {
			if len(model) < most && r.IntN(2) == 0 {
				e := entry{r.IntN(20), n}
				h.Push(e)
				model = append(model, e)
			} else if len(model) > 0 {
				least := slices.MinFunc(model, func(a, b entry) int { return a.at - b.at }).at
				if h[0].at != least {
					t.Fatalf("%d is first, want %d", h[0].at, least)
				}
				e := h.Pop()
				i := slices.Index(model, e)
				if e.at != least || i < 0 {
					t.Fatalf("popped %v of %v", e, model)
				}
				model = slices.Delete(model, i, i+1)
			}
			if len(h) != len(model) {
				t.Fatalf("%d entries, want %d", len(h), len(model))
			}
		}
	}
	var h Heap[entry]
	if n := testing.AllocsPerRun(100, func() {
		for i := range 8 {
			h.Push(entry{at: -i})
		}
		for range 8 {
			h.Pop()
		}
	}); n > 0 {
		t.Errorf("%v allocations for 8 entries", n)
	}
}
