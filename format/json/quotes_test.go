package json

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// Both ways find what a search byte by byte finds.
func TestNextQuote(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 300 {
		buf := make([]byte, n+Slack)
		for i := range buf {
			buf[i] = []byte{'"', '!', '#', 0xA2, 0, 0xFF, byte(r.Uint32()), 'x', 'x', 'x'}[r.IntN(10)]
			if n%3 == 0 && buf[i] == '"' && r.IntN(20) > 0 {
				buf[i] = 'y' // few
			}
		}
		for from := 0; from < n; from += 7 {
			var marked quotes
			marked.index(buf, from, n)
			for at := from; at < n; at++ {
				want := n
				if i := bytes.IndexByte(buf[at:n], '"'); i >= 0 {
					want = at + i
				}
				if got := min(marked.next(at, n), n); got != want {
					t.Fatalf("length %d, from %d: behind %d there is %d, want %d", n, from, at, got, want)
				}
				if got := min(nextQuote(buf, at, n), n); got != want {
					t.Fatalf("length %d: behind %d there is %d without marks, want %d", n, at, got, want)
				}
			}
		}
	}
}
