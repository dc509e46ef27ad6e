package vector

import "unsafe"

// Arena owns the bytes of strings. Memory is handed out in chunks that never
// move, so strings stay valid until Reset; Reset keeps the largest chunk.
// The zero Arena is ready. An Arena has one owner and no lock.
type Arena struct {
	buf  []byte // the chunk being filled
	full int    // bytes in chunks given up since Reset
}

const arenaChunk = 16 << 10

// Reset forgets all strings. Those handed out before must not be read again.
func (a *Arena) Reset() {
	if a.full > 0 && cap(a.buf) < a.full {
		a.buf = make([]byte, 0, a.full+cap(a.buf)) // next time one chunk will do
	}
	a.buf, a.full = a.buf[:0], 0
}

// Bytes returns about how much memory the strings hold.
func (a *Arena) Bytes() int { return a.full + len(a.buf) }

// Grow returns a slice of length zero with room for n bytes at least, at the
// end of the arena. Append to it and hand the result to Take.
func (a *Arena) Grow(n int) []byte {
	if cap(a.buf)-len(a.buf) < n {
		a.full += len(a.buf)
		a.buf = make([]byte, 0, max(arenaChunk, n, 2*cap(a.buf)))
	}
	return a.buf[len(a.buf):len(a.buf):cap(a.buf)]
}

// Take turns b, which was appended to a slice of Grow, into a string of the
// arena. If the appends outgrew the chunk, the bytes have moved to memory of
// their own, which then becomes the arena's chunk.
func (a *Arena) Take(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	if len(a.buf) < cap(a.buf) && unsafe.SliceData(b) == unsafe.SliceData(a.buf[len(a.buf):cap(a.buf)]) {
		a.buf = a.buf[:len(a.buf)+len(b)]
	} else {
		a.full += len(a.buf)
		a.buf = b
	}
	return unsafe.String(unsafe.SliceData(b), len(b))
}

// Clone copies s into the arena.
func (a *Arena) Clone(s string) string {
	if s == "" {
		return ""
	}
	return a.Take(append(a.Grow(len(s)), s...))
}

// View returns b as a string without copying: valid as long as b is unchanged.
func View(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
