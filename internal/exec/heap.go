package exec

// Heap is a queue of what is due: h[0] comes before all others. It is a binary
// heap of values, so that nothing is allocated for an entry.
type Heap[T interface{ Before(T) bool }] []T

// Push adds x.
func (h *Heap[T]) Push(x T) {
	q := append(*h, x)
	i := len(q) - 1
	for i > 0 {
		up := (i - 1) / 2
		if !x.Before(q[up]) {
			break
		}
		q[i], i = q[up], up
	}
	q[i] = x
	*h = q
}

// Pop takes out the first entry. The heap must not be empty.
func (h *Heap[T]) Pop() T {
	q := *h
	first, n := q[0], len(q)-1
	x := q[n] // takes the place that becomes free
	for i := 0; ; {
		down := 2*i + 1
		if down >= n {
			q[i] = x
			break
		}
		if right := down + 1; right < n && q[right].Before(q[down]) {
			down = right
		}
		if !q[down].Before(x) {
			q[i] = x
			break
		}
		q[i], i = q[down], down
	}
	*h = q[:n]
	return first
}
