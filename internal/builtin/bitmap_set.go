package builtin

import (
	"encoding/binary"
	"errors"
	"math/bits"
	"slices"
)

// A BITMAP is a set of 32-bit numbers, held as RoaringBitmap's portable
// serialisation without run containers, so that equal sets are equal bytes.
// The numbers of an INT count as unsigned: -1 is 4294967295.

const (
	roaringCookie     = 12346 // without runs; the number of containers follows
	roaringRunCookie  = 12347 // with runs; the number is in the upper half
	roaringArrayMax   = 4096  // more numbers than that are held as bits
	roaringWords      = 1 << 16 / 64
	roaringMinOffsets = 4 // a bitmap with runs and fewer containers has no offsets
)

// bitmapSet is a decoded bitmap: containers in order of their high halves.
type bitmapSet struct{ cs []bitmapContainer }

// bitmapContainer holds the low halves of the numbers with one high half:
// sorted in few, or as bits if that is nil.
type bitmapContainer struct {
	high uint16
	few  []uint16
	bits *[roaringWords]uint64
	n    int
}

var errNoBitmap = errors.New("the bytes are no serialised bitmap")

// buildBitmap returns the set of the numbers, which it sorts.
func buildBitmap(vals []uint32) *bitmapSet {
	slices.Sort(vals)
	b := &bitmapSet{}
	for i := 0; i < len(vals); {
		high := uint16(vals[i] >> 16)
		var low []uint16
		for ; i < len(vals) && uint16(vals[i]>>16) == high; i++ {
			if v := uint16(vals[i]); len(low) == 0 || low[len(low)-1] != v {
				low = append(low, v)
			}
		}
		b.cs = append(b.cs, containerOf(high, low))
	}
	return b
}

func containerOf(high uint16, low []uint16) bitmapContainer {
	c := bitmapContainer{high: high, few: low, n: len(low)}
	if c.n > roaringArrayMax {
		c.bits = c.words()
		c.few = nil
	}
	return c
}

// words returns the container as bits.
func (c *bitmapContainer) words() *[roaringWords]uint64 {
	if c.bits != nil {
		return c.bits
	}
	w := new([roaringWords]uint64)
	for _, v := range c.few {
		w[v>>6] |= 1 << (v & 63)
	}
	return w
}

// each calls f for the numbers in order.
func (c *bitmapContainer) each(f func(v uint16)) {
	if c.bits == nil {
		for _, v := range c.few {
			f(v)
		}
		return
	}
	for k, w := range c.bits {
		for ; w != 0; w &= w - 1 {
			f(uint16(k<<6 + bits.TrailingZeros64(w)))
		}
	}
}

// fromWords makes the container of bits, which it keeps.
func fromWords(high uint16, w *[roaringWords]uint64) (bitmapContainer, bool) {
	c := bitmapContainer{high: high, bits: w}
	for _, x := range w {
		c.n += bits.OnesCount64(x)
	}
	if c.n > 0 && c.n <= roaringArrayMax {
		low := make([]uint16, 0, c.n)
		c.each(func(v uint16) { low = append(low, v) })
		c.bits, c.few = nil, low
	}
	return c, c.n > 0
}

func (b *bitmapSet) each(f func(v uint32)) {
	for i := range b.cs {
		high := uint32(b.cs[i].high) << 16
		b.cs[i].each(func(v uint16) { f(high | uint32(v)) })
	}
}

func (b *bitmapSet) cardinality() int64 {
	n := int64(0)
	for i := range b.cs {
		n += int64(b.cs[i].n)
	}
	return n
}

// bitmapOp is an operation on sets.
type bitmapOp uint8

const (
	bitmapAnd bitmapOp = iota
	bitmapOr
	bitmapXor
	bitmapAndNot
)

// combine returns the set of an operation; a and b stay as they are, and may
// share memory with it.
func combine(op bitmapOp, a, b *bitmapSet) *bitmapSet {
	out := &bitmapSet{}
	i, j := 0, 0
	for i < len(a.cs) || j < len(b.cs) {
		switch {
		case j == len(b.cs) || i < len(a.cs) && a.cs[i].high < b.cs[j].high:
			if op != bitmapAnd {
				out.cs = append(out.cs, a.cs[i])
			}
			i++
		case i == len(a.cs) || b.cs[j].high < a.cs[i].high:
			if op == bitmapOr || op == bitmapXor {
				out.cs = append(out.cs, b.cs[j])
			}
			j++
		default:
			if c, ok := combineContainers(op, &a.cs[i], &b.cs[j]); ok {
				out.cs = append(out.cs, c)
			}
			i++
			j++
		}
	}
	return out
}

func combineContainers(op bitmapOp, a, b *bitmapContainer) (bitmapContainer, bool) {
	x, y, w := a.words(), b.words(), new([roaringWords]uint64)
	for k := range w {
		switch op {
		case bitmapAnd:
			w[k] = x[k] & y[k]
		case bitmapOr:
			w[k] = x[k] | y[k]
		case bitmapXor:
			w[k] = x[k] ^ y[k]
		default:
			w[k] = x[k] &^ y[k]
		}
	}
	return fromWords(a.high, w)
}

// append appends the serialised form.
func (b *bitmapSet) append(dst []byte) []byte {
	le := binary.LittleEndian
	dst = le.AppendUint32(dst, roaringCookie)
	dst = le.AppendUint32(dst, uint32(len(b.cs)))
	for i := range b.cs {
		dst = le.AppendUint16(dst, b.cs[i].high)
		dst = le.AppendUint16(dst, uint16(b.cs[i].n-1))
	}
	at := 8 + 8*len(b.cs)
	for i := range b.cs {
		dst = le.AppendUint32(dst, uint32(at))
		at += b.cs[i].size()
	}
	for i := range b.cs {
		c := &b.cs[i]
		for _, v := range c.few {
			dst = le.AppendUint16(dst, v)
		}
		if c.bits != nil {
			for _, w := range c.bits {
				dst = le.AppendUint64(dst, w)
			}
		}
	}
	return dst
}

func (c *bitmapContainer) size() int {
	if c.bits != nil {
		return 8 * roaringWords
	}
	return 2 * len(c.few)
}

// readBitmap reads a serialised bitmap, with or without run containers.
func readBitmap(s string) (*bitmapSet, error) {
	r := roaringReader{s: s}
	cookie := r.u32()
	n := 0
	var runs string
	switch {
	case cookie == roaringCookie:
		n = int(r.u32())
	case cookie&0xffff == roaringRunCookie:
		n = int(cookie>>16) + 1
		runs = r.take((n + 7) / 8)
	default:
		return nil, errNoBitmap
	}
	if r.bad || n > 1<<16 {
		return nil, errNoBitmap
	}
	header := r.take(4 * n)
	if runs == "" || n >= roaringMinOffsets {
		r.take(4 * n) // the offsets: containers follow one another anyway
	}
	if r.bad {
		return nil, errNoBitmap
	}
	b := &bitmapSet{}
	for i := range n {
		high := uint16(header[4*i]) | uint16(header[4*i+1])<<8
		count := int(uint16(header[4*i+2])|uint16(header[4*i+3])<<8) + 1
		if i > 0 && high <= b.cs[i-1].high {
			return nil, errNoBitmap
		}
		c, ok := r.container(high, count, runs != "" && runs[i/8]>>(i%8)&1 == 1)
		if !ok || r.bad {
			return nil, errNoBitmap
		}
		b.cs = append(b.cs, c)
	}
	if r.s != "" {
		return nil, errNoBitmap
	}
	return b, nil
}

type roaringReader struct {
	s   string
	bad bool
}

// take returns the next n bytes, none if there are not as many.
func (r *roaringReader) take(n int) string {
	if n > len(r.s) {
		r.bad, r.s = true, ""
		return ""
	}
	b := r.s[:n]
	r.s = r.s[n:]
	return b
}

func (r *roaringReader) u16() uint16 {
	b := r.take(2)
	if r.bad {
		return 0
	}
	return uint16(b[0]) | uint16(b[1])<<8
}

func (r *roaringReader) u32() uint32 { return uint32(r.u16()) | uint32(r.u16())<<16 }

func (r *roaringReader) container(high uint16, count int, isRun bool) (bitmapContainer, bool) {
	w := new([roaringWords]uint64)
	switch {
	case isRun:
		for n := r.u16(); n > 0 && !r.bad; n-- {
			first, more := int(r.u16()), int(r.u16())
			if first+more > 0xffff {
				return bitmapContainer{}, false
			}
			for v := first; v <= first+more; v++ {
				w[v>>6] |= 1 << (v & 63)
			}
		}
	case count <= roaringArrayMax:
		b := r.take(2 * count)
		if r.bad {
			return bitmapContainer{}, false
		}
		low := make([]uint16, count)
		for i := range low {
			low[i] = uint16(b[2*i]) | uint16(b[2*i+1])<<8
			if i > 0 && low[i] <= low[i-1] {
				return bitmapContainer{}, false
			}
		}
		return bitmapContainer{high: high, few: low, n: count}, true
	default:
		b := r.take(8 * roaringWords)
		if r.bad {
			return bitmapContainer{}, false
		}
		for k := range w {
			w[k] = binary.LittleEndian.Uint64([]byte(b[8*k : 8*k+8]))
		}
	}
	c, ok := fromWords(high, w)
	return c, ok && (isRun || c.n == count)
}
