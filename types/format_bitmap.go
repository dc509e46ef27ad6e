package types

import (
	"encoding/binary"
	"strconv"
)

// The portable serialisation of roaring bitmaps, which a BITMAP value is.
const (
	roaringCookie     = 12346 // without run containers; the container count follows
	roaringRunCookie  = 12347 // with them; the count is in the upper half
	roaringArrayMax   = 4096  // values; containers with more are plain bit sets
	roaringOffsetsMin = 4     // containers; with fewer a run bitmap has no offsets
)

// appendBitmap appends a BITMAP as {1,2,3}; bytes that are none as x'..'.
func appendBitmap(dst []byte, s string) []byte {
	start := len(dst)
	r := bitmapReader{s: s, dst: append(dst, '{')}
	r.run()
	if r.bad || r.s != "" {
		return AppendBytes(dst[:start], s)
	}
	return append(r.dst, '}')
}

type bitmapReader struct {
	s     string
	dst   []byte
	bad   bool
	comma bool
}

// take returns the next n bytes, zeros for those that are missing.
func (r *bitmapReader) take(n int) []byte {
	if n > len(r.s) {
		r.bad = true
		r.s = ""
		return make([]byte, min(n, 8))
	}
	b := []byte(r.s[:n])
	r.s = r.s[n:]
	return b
}

func (r *bitmapReader) u16() int    { return int(binary.LittleEndian.Uint16(r.take(2))) }
func (r *bitmapReader) u32() uint32 { return binary.LittleEndian.Uint32(r.take(4)) }

func (r *bitmapReader) value(v int) {
	if r.comma {
		r.dst = append(r.dst, ',')
	}
	r.comma = true
	r.dst = strconv.AppendInt(r.dst, int64(v), 10)
}

func (r *bitmapReader) run() {
	cookie := r.u32()
	var n int
	var runs []byte
	switch {
	case cookie == roaringCookie:
		n = int(r.u32())
	case cookie&0xffff == roaringRunCookie:
		n = int(cookie>>16) + 1
		runs = r.take((n + 7) / 8)
	default:
		r.bad = true
	}
	if n > 1<<16 || r.bad {
		r.bad = true
		return
	}
	header := r.take(4 * n)
	if runs == nil || n >= roaringOffsetsMin {
		r.take(4 * n) // offsets: containers follow each other anyway
	}
	last := -1
	for i := 0; i < n && !r.bad; i++ {
		high := int(binary.LittleEndian.Uint16(header[4*i:])) << 16
		if high <= last {
			r.bad = true
			return
		}
		last = high
		count := int(binary.LittleEndian.Uint16(header[4*i+2:])) + 1
		r.container(high, count, runs != nil && runs[i/8]>>(i%8)&1 == 1)
	}
}

func (r *bitmapReader) container(high, count int, isRun bool) {
	switch {
	case isRun:
		next := 0 // runs ascend, which also bounds what a broken one can print
		for n := r.u16(); n > 0 && !r.bad; n-- {
			first, more := r.u16(), r.u16()
			if r.bad = r.bad || first < next; r.bad {
				return
			}
			for next = first; next <= first+more && next < 1<<16; next++ {
				r.value(high | next)
			}
		}
	case count <= roaringArrayMax:
		for ; count > 0 && !r.bad; count-- {
			r.value(high | r.u16())
		}
	default:
		words := r.take(1 << 13)
		if r.bad {
			return
		}
		for v := range 1 << 16 {
			if words[v/8]>>(v%8)&1 == 1 {
				r.value(high | v)
			}
		}
	}
}
