package dir

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/klauspost/compress/s2"
	"github.com/zeebo/xxh3"
)

// A data file is a magic line, blocks, an index of them and a tail:
//
//	block   records of one operator, in the order of their units, S2 compressed
//	index   per block: operator, lowest and highest unit, offset, size, size of the records
//	tail    uint32 LE length of the index, then the end mark
//
// A record is: uvarint key length, uint16 LE unit, key, then uvarint 1 + value
// length and the value, or uvarint 0 for a removed key. Among records of one key
// the last one counts. Blocks are in the order of units too, so that a state can
// be gone through some units at a time whatever its size.
const (
	magic   = "runnel state 1\n"
	endMark = "runnel end\n"
)

// blockSize is about how many bytes of records a block has before compression.
const blockSize = 256 << 10

// maxBlock bounds what is allocated for a block, whatever a file claims.
const maxBlock = 1 << 30

// blockRef is an entry of a file's index.
type blockRef struct {
	op     string
	lo, hi uint16
	off    int64
	size   int // compressed
	raw    int
}

func appendRecord(dst []byte, unit uint16, key, value []byte, deleted bool) []byte {
	if len(key) < 0x80 && len(value) < 0x7f && !deleted { // both lengths are a byte
		at := len(dst)
		dst = slices.Grow(dst, len(key)+len(value)+4)[:at+len(key)+len(value)+4]
		r := dst[at:]
		r[0], r[1], r[2] = byte(len(key)), byte(unit), byte(unit>>8)
		r[3+copy(r[3:], key)] = byte(len(value) + 1)
		copy(r[4+len(key):], value)
		return dst
	}
	dst = binary.AppendUvarint(dst, uint64(len(key)))
	dst = binary.LittleEndian.AppendUint16(dst, unit)
	dst = append(dst, key...)
	if deleted {
		return append(dst, 0)
	}
	dst = binary.AppendUvarint(dst, uint64(len(value))+1)
	return append(dst, value...)
}

var errCorrupt = errors.New("damaged state file")

// record reads the record at the front of b.
func record(b []byte) (unit uint16, key, value []byte, deleted bool, rest []byte, err error) {
	n, w := binary.Uvarint(b)
	if w <= 0 || n > uint64(len(b)) || uint64(len(b)-w) < n+2 {
		return 0, nil, nil, false, nil, errCorrupt
	}
	b = b[w:]
	unit = binary.LittleEndian.Uint16(b)
	key, b = b[2:2+n], b[2+n:]
	v, w := binary.Uvarint(b)
	if w <= 0 {
		return 0, nil, nil, false, nil, errCorrupt
	}
	b = b[w:]
	if v == 0 {
		return unit, key, nil, true, b, nil
	}
	if v-1 > uint64(len(b)) {
		return 0, nil, nil, false, nil, errCorrupt
	}
	return unit, key, b[:v-1], false, b[v-1:], nil
}

// byUnit returns records in the order of their units; those of a unit keep
// their order. It returns rs itself if they are in order.
func byUnit(rs []byte) ([]byte, error) {
	var sizes []int
	ordered, last := true, uint16(0)
	for b := rs; len(b) > 0; {
		unit, _, _, _, rest, err := record(b)
		if err != nil {
			return nil, err
		}
		for int(unit) >= len(sizes) {
			sizes = append(sizes, 0)
		}
		sizes[unit] += len(b) - len(rest)
		ordered = ordered && unit >= last
		last, b = unit, rest
	}
	if ordered {
		return rs, nil
	}
	at := 0
	for u, n := range sizes {
		sizes[u] = at
		at += n
	}
	out := make([]byte, len(rs))
	for b := rs; len(b) > 0; {
		unit, _, _, _, rest, _ := record(b)
		sizes[unit] += copy(out[sizes[unit]:], b[:len(b)-len(rest)])
		b = rest
	}
	return out, nil
}

// file is what a data file is written through.
type file interface {
	io.Writer
	Sync() error
	Close() error
}

func createFile(path string) (file, error) {
	return os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
}

// writer writes a data file and hashes what it writes.
type writer struct {
	f     file
	b     *bufio.Writer
	hash  *xxh3.Hasher
	size  int64
	path  string
	name  string
	seq   int64
	index []blockRef
	comp  []byte
}

func (s *Store) create() (*writer, error) {
	s.mu.Lock()
	name, seq := s.nextName()
	s.mu.Unlock()
	path := filepath.Join(s.path, name+".tmp")
	f, err := s.opts.create(path)
	if err != nil {
		return nil, err
	}
	w := &writer{f: f, b: bufio.NewWriterSize(f, 256<<10), hash: xxh3.New(), path: path, name: name, seq: seq}
	if err := w.write([]byte(magic)); err != nil {
		w.abandon()
		return nil, err
	}
	return w, nil
}

func (w *writer) write(b []byte) error {
	w.hash.Write(b)
	w.size += int64(len(b))
	_, err := w.b.Write(b)
	return err
}

// records writes records of one operator, cut into blocks.
func (w *writer) records(op string, rs []byte) error {
	rs, err := byUnit(rs)
	if err != nil {
		return err
	}
	for len(rs) > 0 {
		ref := blockRef{op: op, off: w.size}
		b := rs
		for len(b) > 0 {
			unit, _, _, _, rest, err := record(b)
			if err != nil {
				return err
			}
			n := len(rs) - len(b)
			if n == 0 {
				ref.lo = unit
			} else if n >= blockSize || n >= blockSize/4 && unit != ref.hi {
				break // rather between units than within one
			}
			ref.hi, b = unit, rest
		}
		ref.raw = len(rs) - len(b)
		w.comp = s2.Encode(w.comp[:cap(w.comp)], rs[:ref.raw])
		ref.size = len(w.comp)
		if err := w.write(w.comp); err != nil {
			return err
		}
		w.index = append(w.index, ref)
		rs = b
	}
	return nil
}

// finish writes the index, syncs the file and gives it its name.
func (w *writer) finish(full, noSync bool) (fileRef, error) {
	index := appendIndex(nil, w.index)
	index = binary.LittleEndian.AppendUint32(index, uint32(len(index)))
	err := w.write(append(index, endMark...))
	if err == nil {
		err = w.b.Flush()
	}
	if err == nil && !noSync {
		err = w.f.Sync()
	}
	if cerr := w.f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(w.path, w.path[:len(w.path)-len(".tmp")])
	}
	if err != nil {
		os.Remove(w.path)
		return fileRef{}, fmt.Errorf("state file %s: %w", w.name, err)
	}
	return fileRef{Name: w.name, Seq: w.seq, Full: full, Size: w.size, Hash: fmt.Sprintf("%x", w.hash.Sum128().Bytes())}, nil
}

// abandon removes an unfinished file.
func (w *writer) abandon() {
	_ = w.f.Close() // it is removed
	os.Remove(w.path)
}

func appendIndex(dst []byte, index []blockRef) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(index)))
	for _, r := range index {
		dst = binary.AppendUvarint(dst, uint64(len(r.op)))
		dst = append(dst, r.op...)
		for _, n := range []uint64{uint64(r.lo), uint64(r.hi), uint64(r.off), uint64(r.size), uint64(r.raw)} {
			dst = binary.AppendUvarint(dst, n)
		}
	}
	return dst
}

// parseIndex reads what appendIndex wrote for a file whose blocks end before end.
func parseIndex(b []byte, end int64) ([]blockRef, error) {
	bad := false
	next := func(limit uint64) uint64 {
		n, w := binary.Uvarint(b)
		if w <= 0 || n > limit {
			bad, b = true, nil
			return 0
		}
		b = b[w:]
		return n
	}
	n := next(uint64(len(b)))
	var index []blockRef
	for range n {
		var r blockRef
		size := next(uint64(len(b)))
		if uint64(len(b)) < size {
			return nil, errCorrupt
		}
		r.op, b = string(b[:size]), b[size:]
		r.lo, r.hi = uint16(next(1<<16-1)), uint16(next(1<<16-1))
		r.off, r.size, r.raw = int64(next(uint64(end))), int(next(maxBlock)), int(next(maxBlock))
		if bad || r.off+int64(r.size) > end || r.lo > r.hi {
			return nil, errCorrupt
		}
		index = append(index, r)
	}
	if bad || len(b) > 0 {
		return nil, errCorrupt
	}
	return index, nil
}

// reader reads a data file.
type reader struct {
	f     *os.File
	full  bool
	index []blockRef
	comp  []byte
	raw   []byte
}

func openFile(dir string, ref fileRef) (*reader, error) {
	path := filepath.Join(dir, ref.Name)
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	r := &reader{f: f, full: ref.Full}
	if r.index, err = readIndex(f); err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

func readIndex(f *os.File) ([]blockRef, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	tail := make([]byte, 4+len(endMark))
	head := make([]byte, len(magic))
	end := info.Size() - int64(len(tail))
	if end < int64(len(magic)) {
		return nil, errCorrupt
	}
	if _, err := f.ReadAt(head, 0); err != nil {
		return nil, err
	}
	if _, err := f.ReadAt(tail, end); err != nil {
		return nil, err
	}
	n := int64(binary.LittleEndian.Uint32(tail))
	if string(head) != magic || string(tail[4:]) != endMark || n > end-int64(len(magic)) {
		return nil, errCorrupt
	}
	index := make([]byte, n)
	if _, err := f.ReadAt(index, end-n); err != nil {
		return nil, err
	}
	return parseIndex(index, end-n)
}

// block returns the records of a block; valid until the next call.
func (r *reader) block(ref blockRef) ([]byte, error) {
	if cap(r.comp) < ref.size {
		r.comp = make([]byte, ref.size)
	}
	comp := r.comp[:ref.size]
	if _, err := r.f.ReadAt(comp, ref.off); err != nil {
		return nil, fmt.Errorf("%s: %w", r.f.Name(), err)
	}
	n, err := s2.DecodedLen(comp)
	if err != nil || n != ref.raw {
		return nil, fmt.Errorf("%s: %w", r.f.Name(), errCorrupt)
	}
	if r.raw, err = s2.Decode(r.raw[:cap(r.raw)], comp); err != nil {
		return nil, fmt.Errorf("%s: %w", r.f.Name(), errCorrupt)
	}
	return r.raw, nil
}

func hashFile(path string) (int64, string, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, "", err
	}
	defer f.Close()
	h := xxh3.New()
	n, err := io.Copy(h, f)
	return n, fmt.Sprintf("%x", h.Sum128().Bytes()), err
}
