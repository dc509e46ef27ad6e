package builtin

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/runnelio/runnel/types"
)

func TestBitmapsAgreeWithMaps(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6))
	random := func() map[uint32]bool {
		m := map[uint32]bool{}
		base := uint32(r.IntN(3)) << 16
		for range r.IntN(12000) {
			m[base+uint32(r.IntN(1<<r.IntN(19)))] = true
		}
		return m
	}
	encode := func(m map[uint32]bool) string {
		var vals []uint32
		for v := range m {
			vals = append(vals, v)
		}
		return string(buildBitmap(vals).append(nil))
	}
	for range 60 {
		a, b := random(), random()
		x, errX := readBitmap(encode(a))
		y, errY := readBitmap(encode(b))
		if errX != nil || errY != nil {
			t.Fatal(errX, errY)
		}
		for op, f := range []func(p, q bool) bool{
			func(p, q bool) bool { return p && q }, func(p, q bool) bool { return p || q },
			func(p, q bool) bool { return p != q }, func(p, q bool) bool { return p && !q },
		} {
			want := map[uint32]bool{}
			for _, m := range []map[uint32]bool{a, b} {
				for v := range m {
					if f(a[v], b[v]) {
						want[v] = true
					}
				}
			}
			got := combine(bitmapOp(op), x, y)
			if got.cardinality() != int64(len(want)) || string(got.append(nil)) != encode(want) {
				t.Fatalf("operation %d: %d numbers, want %d", op, got.cardinality(), len(want))
			}
		}
		var list []uint32
		x.each(func(v uint32) { list = append(list, v) })
		if !slices.IsSorted(list) || len(list) != len(a) {
			t.Fatalf("%d numbers, want %d in order", len(list), len(a))
		}
	}
}

func TestBitmapReadsRuns(t *testing.T) {
	t.Parallel()
	// one container with the runs 1..3 and 10..10
	s := "\x3b\x30\x00\x00\x01" + "\x00\x00\x03\x00" + "\x02\x00\x01\x00\x02\x00\x0a\x00\x00\x00"
	b, err := readBitmap(s)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(types.AppendValue(nil, string(b.append(nil)), types.Of(types.Bitmap), nil)); got != "{1,2,3,10}" {
		t.Errorf("%s, want {1,2,3,10}", got)
	}
}

func FuzzBitmap(f *testing.F) {
	f.Add("\x3b\x30\x00\x00\x01\x00\x00\x03\x00\x02\x00\x01\x00\x02\x00\x0a\x00\x00\x00")
	f.Add(string(buildBitmap([]uint32{1, 2, 1 << 20}).append(nil)))
	f.Fuzz(func(t *testing.T, s string) {
		b, err := readBitmap(s)
		if err != nil {
			return
		}
		text := string(b.append(nil))
		again, err := readBitmap(text)
		if err != nil || string(again.append(nil)) != text {
			t.Fatalf("%x does not come back: %v", s, err)
		}
	})
}
