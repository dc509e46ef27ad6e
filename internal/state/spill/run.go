package spill

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"slices"
)

// An entry is: uint64 LE hash, uvarint key length, uvarint 1 + value length or 0
// for a removed key, key, value. Blocks end between entries of different hashes.
const blockSize = 4 << 10

var errDamaged = errors.New("damaged file")

// run is a sorted file.
type run struct {
	f      *os.File
	path   string // to be removed; "" if that was done
	size   int64
	count  int64    // entries that are not removals
	gone   int64    // those that are
	hashes []uint64 // the first of each block
	offs   []int64  // where each block begins
	bloom  bloom
	block  []byte
}

// writer writes a run.
type writer struct {
	r    *run
	b    *bufio.Writer
	at   int64 // where the block began
	last uint64
	buf  []byte
	all  []uint64 // hashes of all entries, for the filter; where their number is not known before
}

// newWriter returns a writer of at most n entries; of any number if n is 0.
func newWriter(f *os.File, path string, n int) *writer {
	w := &writer{r: &run{f: f, path: path}, b: bufio.NewWriterSize(f, 256<<10)}
	if n > 0 {
		w.r.bloom = newBloom(n)
	}
	return w
}

func (w *writer) add(hash uint64, key, value []byte, gone bool) error {
	r := w.r
	if len(r.hashes) == 0 || r.size-w.at >= blockSize && hash != w.last {
		r.hashes, r.offs = append(r.hashes, hash), append(r.offs, r.size)
		w.at = r.size
	}
	w.last = hash
	if len(r.bloom.lines) > 0 {
		r.bloom.add(hash)
	} else {
		w.all = append(w.all, hash)
	}
	w.buf = binary.LittleEndian.AppendUint64(w.buf[:0], hash)
	w.buf = binary.AppendUvarint(w.buf, uint64(len(key)))
	if gone {
		w.buf = append(w.buf, 0)
		value = nil
		r.gone++
	} else {
		w.buf = binary.AppendUvarint(w.buf, uint64(len(value))+1)
		r.count++
	}
	w.buf = append(append(w.buf, key...), value...)
	r.size += int64(len(w.buf))
	_, err := w.b.Write(w.buf)
	return err
}

func (w *writer) finish() (*run, error) {
	if err := w.b.Flush(); err != nil {
		w.r.close()
		return nil, err
	}
	r := w.r
	if len(r.bloom.lines) == 0 {
		r.bloom = newBloom(len(w.all))
	}
	for _, h := range w.all {
		r.bloom.add(h)
	}
	w.r.hashes, w.r.offs = slices.Clip(w.r.hashes), slices.Clip(w.r.offs)
	return w.r, nil
}

func (w *writer) abandon() { w.r.close() }

func (r *run) close() {
	r.f.Close()
	if r.path != "" {
		os.Remove(r.path)
	}
}

// find looks a key up; value is valid until the next call.
func (r *run) find(hash uint64, key []byte) (value []byte, gone, ok bool, err error) {
	if !r.bloom.has(hash) {
		return nil, false, false, nil
	}
	i, exact := slices.BinarySearch(r.hashes, hash)
	if !exact {
		i--
	}
	if i < 0 {
		return nil, false, false, nil
	}
	end := r.size
	if i+1 < len(r.offs) {
		end = r.offs[i+1]
	}
	n := int(end - r.offs[i])
	if cap(r.block) < n {
		r.block = make([]byte, n)
	}
	b := r.block[:n]
	if _, err := r.f.ReadAt(b, r.offs[i]); err != nil {
		return nil, false, false, err
	}
	for len(b) > 0 {
		h, k, v, g, rest, err := entry(b)
		if err != nil {
			return nil, false, false, err
		}
		if h == hash && bytes.Equal(k, key) {
			return v, g, true, nil
		}
		if h > hash {
			break
		}
		b = rest
	}
	return nil, false, false, nil
}

// entry reads the entry at the front of b.
func entry(b []byte) (hash uint64, key, value []byte, gone bool, rest []byte, err error) {
	if len(b) < 8 {
		return 0, nil, nil, false, nil, errDamaged
	}
	hash, b = binary.LittleEndian.Uint64(b), b[8:]
	n, w := binary.Uvarint(b)
	if w <= 0 {
		return 0, nil, nil, false, nil, errDamaged
	}
	b = b[w:]
	m, w := binary.Uvarint(b)
	if w <= 0 {
		return 0, nil, nil, false, nil, errDamaged
	}
	b = b[w:]
	gone = m == 0
	if !gone {
		m--
	}
	if n > uint64(len(b)) || m > uint64(len(b))-n {
		return 0, nil, nil, false, nil, errDamaged
	}
	return hash, b[:n], b[n : n+m], gone, b[n+m:], nil
}

// cursor goes through a run from its beginning.
type cursor struct {
	in         *bufio.Reader
	hash       uint64
	key, value []byte
	gone, ok   bool
	buf        []byte
}

func newCursor(r *run) (*cursor, error) {
	c := &cursor{in: bufio.NewReaderSize(io.NewSectionReader(r.f, 0, r.size), 256<<10)}
	return c, c.next()
}

func (c *cursor) next() error {
	var head [8]byte
	if _, err := io.ReadFull(c.in, head[:]); err == io.EOF {
		c.ok = false
		return nil
	} else if err != nil {
		return err
	}
	n, err := binary.ReadUvarint(c.in)
	if err != nil {
		return err
	}
	m, err := binary.ReadUvarint(c.in)
	if err != nil {
		return err
	}
	c.hash, c.gone, c.ok = binary.LittleEndian.Uint64(head[:]), m == 0, true
	if !c.gone {
		m--
	}
	c.buf = slices.Grow(c.buf[:0], int(n+m))[:n+m]
	if _, err := io.ReadFull(c.in, c.buf); err != nil {
		return err
	}
	c.key, c.value = c.buf[:n], c.buf[n:]
	return nil
}

// bloom is a filter of 12 bits and 6 probes a key, all in one cache line.
type bloom struct{ lines [][8]uint64 }

func newBloom(n int) bloom { return bloom{make([][8]uint64, max(1, (n*12+511)/512))} }

// line and probes of a hash: the line by its upper half, the probes by a
// remixed lower half.
func (b bloom) line(h uint64) int { return int((h >> 32) * uint64(len(b.lines)) >> 32) }

func (b bloom) add(h uint64) {
	l := &b.lines[b.line(h)]
	for x, i := h*0x9e3779b97f4a7c15, 0; i < 6; i++ {
		l[x>>61] |= 1 << (x >> 55 & 63)
		x = x<<9 | x>>55
	}
}

func (b bloom) has(h uint64) bool {
	if len(b.lines) == 0 {
		return false
	}
	l := &b.lines[b.line(h)]
	for x, i := h*0x9e3779b97f4a7c15, 0; i < 6; i++ {
		if l[x>>61]&(1<<(x>>55&63)) == 0 {
			return false
		}
		x = x<<9 | x>>55
	}
	return true
}
