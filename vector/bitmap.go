package vector

import "math/bits"

// Bitmap marks the NULL rows of a vector: bit i set means row i is NULL.
// A nil Bitmap marks none. Its length is (rows+63)/64 words.
type Bitmap []uint64

// Words returns the number of words for n rows.
func Words(n int) int { return (n + 63) >> 6 }

// Get tells whether bit i is set. It is false for a nil Bitmap.
func (b Bitmap) Get(i int) bool { return b != nil && b[i>>6]&(1<<(uint(i)&63)) != 0 }

// Set sets bit i.
func (b Bitmap) Set(i int) { b[i>>6] |= 1 << (uint(i) & 63) }

// Clear clears bit i.
func (b Bitmap) Clear(i int) { b[i>>6] &^= 1 << (uint(i) & 63) }

// Any tells whether a bit is set.
func (b Bitmap) Any() bool {
	for _, w := range b {
		if w != 0 {
			return true
		}
	}
	return false
}

// Count returns the number of set bits.
func (b Bitmap) Count() int {
	n := 0
	for _, w := range b {
		n += bits.OnesCount64(w)
	}
	return n
}

// Or sets in b every bit that is set in c; b may be nil only if c is.
func (b Bitmap) Or(c Bitmap) {
	for i := range c {
		b[i] |= c[i]
	}
}

// resizeBitmap returns b with room for n rows, all bits clear, reusing memory.
func resizeBitmap(b Bitmap, n int) Bitmap {
	w := Words(n)
	if cap(b) < w {
		return make(Bitmap, w)
	}
	b = b[:w]
	clear(b)
	return b
}
