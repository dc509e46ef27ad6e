package json

import (
	"encoding/binary"
	"math/bits"
)

// quotes finds the ends of strings in a part of a buffer.
//
// Where the processor can mark all quotes of the part beforehand, bit by bit,
// escaped ones too, the end of a string is one look whose time hardly depends on
// the length. A loop over the bytes ends at another place in each record, and the
// processor guesses wrong each time. Elsewhere it is that loop, 8 bytes a step;
// BenchmarkDecodeEvents compares them.
type quotes struct {
	base  int
	bits  []uint64
	buf   []byte // not nil: nothing is marked
	plain bool   // never mark
}

// index prepares for buf[from:end]; 63 bytes behind end are looked at too.
func (q *quotes) index(buf []byte, from, end int) {
	if !canMark || q.plain {
		q.buf = buf
		return
	}
	n := (end - from + 63) / 64
	if cap(q.bits) < n+1 {
		q.bits = make([]uint64, n+1+n/4)
	}
	q.base, q.bits, q.buf = from, q.bits[:n+1], nil
	if n > 0 {
		markQuotes(&q.bits[0], &buf[from : from+64*n][0], n)
	}
	q.bits[n] = ^uint64(0) // searches end here at the latest
}

// next returns the place of the first quote from at on; it is end or more if
// there is none before end, which is in the part.
func (q *quotes) next(at, end int) int {
	if q.buf != nil {
		return nextQuote(q.buf, at, end)
	}
	rel := uint(at - q.base)
	i := rel >> 6
	w := q.bits[i] >> (rel & 63)
	if w != 0 {
		return at + bits.TrailingZeros64(w)
	}
	for {
		i++
		if w = q.bits[i]; w != 0 {
			return q.base + int(i<<6) + bits.TrailingZeros64(w)
		}
	}
}

const (
	ones   = 0x0101010101010101
	highs  = 0x8080808080808080
	quote8 = ones * '"'
)

// nextQuote is next without marks; 7 bytes behind end are looked at too.
func nextQuote(buf []byte, at, end int) int {
	for at < end {
		x := binary.LittleEndian.Uint64(buf[at:]) ^ quote8
		if m := (x - ones) &^ x & highs; m != 0 {
			return at + bits.TrailingZeros64(m)>>3
		}
		at += 8
	}
	return at
}
