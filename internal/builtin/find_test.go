package builtin

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// TestFinder: as strings.Contains, also where the byte looked for is everywhere.
func TestFinder(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	draw := func(n int, of string) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = of[rng.IntN(len(of))]
		}
		return string(b)
	}
	found := 0
	for range 200_000 {
		of := []string{"ab", "ab~", `"id":~7x `, "a", "aé\x00\xff"}[rng.IntN(5)]
		text, s := draw(1+rng.IntN(5), of), draw(rng.IntN(60), of)
		want := strings.Contains(s, text)
		if got := newFinder(text).in(s); got != want {
			t.Fatalf("%q in %q: %v", text, s, got)
		}
		if want {
			found++
		}
	}
	if found < 1000 || found > 199_000 {
		t.Errorf("%d found: the test shows little", found)
	}
}

func BenchmarkContains(b *testing.B) {
	s := `{"id":"0123456","kind":"k5","pad":"` + strings.Repeat("x", 980) + `"}`
	text := `"id":"7777777"`
	b.Run("finder", func(b *testing.B) {
		f := newFinder(text)
		for b.Loop() {
			if f.in(s) {
				b.Fatal("found")
			}
		}
	})
	b.Run("strings", func(b *testing.B) {
		for b.Loop() {
			if strings.Contains(s, text) {
				b.Fatal("found")
			}
		}
	})
}
